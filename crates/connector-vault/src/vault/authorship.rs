//! Who made a version, and which versions are false (docs/format.md sections 8.3 and 8.6).

use serde::{Serialize, Serializer};

use super::Vault;
use super::index::{CommitPlace, Stored};
use super::record::{Broken, OpenedOverview, SignedVersion, is_signed_by};
use crate::connector::{ConnectorId, Op, Version};
use crate::error::{Code, Error, Result, quoted};
use crate::format::commit::{Kind, split_record};
use crate::format::hex::GrantId;
use crate::role::Capability;
use crate::source::Source;

/// A version whose bytes are those that were written, but which breaks a rule of the format or is not signed by
/// its author.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FalseVersion {
    /// Its connector.
    pub id: ConnectorId,
    /// The version.
    pub version: Version,
    /// The label of the member who wrote it, as far as a signature proves it. `None`: an owner before has let it
    /// into a snapshot, so that nothing proves who wrote it.
    pub by: Option<String>,
    /// `false_record`, and what is wrong with it.
    pub error: Error,
}

/// `{"id", "version", "by", "message"}`.
impl Serialize for FalseVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;

        let mut fields = serializer.serialize_struct("FalseVersion", 4)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("version", &self.version)?;
        fields.serialize_field("by", &self.by)?;
        fields.serialize_field("message", self.error.message())?;
        fields.end()
    }
}

impl FalseVersion {
    pub(super) fn into_error(self) -> Error {
        self.error
    }
}

impl<S: Source> Vault<S> {
    /// The grant whose signature a version has, if that is its author.
    pub(super) fn signed_by(&self, opened: &OpenedOverview) -> Option<GrantId> {
        let author = opened.overview.author;
        let key = self.header.key_of(author)?;
        is_signed_by(key, self.header.vault_id, &opened.hash, &opened.signature).then_some(author)
    }

    /// A version, and who signed it.
    pub(super) fn signed_version(&self, stored: &Stored) -> Result<SignedVersion> {
        let opened = self.opened(stored)?;
        Ok(SignedVersion {
            signed_by: self.signed_by(&opened),
            overview: opened.overview,
        })
    }

    /// Looks at a version by rules R8.9 to R8.13: its overview, and what is wrong with it. A role that reads no
    /// values looks at the signature alone.
    pub(super) fn examine_version(
        &self,
        stored: &Stored,
        signature: Signature,
    ) -> Result<(OpenedOverview, Option<FalseVersion>)> {
        let mut buffer = Vec::new();
        let record = self.bytes(stored.record(), &mut buffer)?;
        let (overview, sealed) = split_record(record, stored.record().start)?;
        let opened = OpenedOverview::parse(&self.index.open_overview(stored.group, overview)?)?;
        let secrets = match stored.op != Op::Delete && self.may(stored.group, Capability::Read) {
            true => self
                .index
                .keys()
                .read_secrets(stored.group, &opened, sealed)?
                .err(),
            false => None,
        };
        let is_signed = || signature == Signature::Trusted || self.signed_by(&opened).is_some();
        let broken = secrets.or_else(|| (!is_signed()).then_some(Broken::Signature));
        let found = broken.map(|broken| self.false_version(stored, &opened, broken));
        let found = found.transpose()?;
        Ok((opened, found))
    }

    /// What is told of a version that breaks a rule. Fails with `damaged` if its bytes are not those that its
    /// commit's author signed: that is nobody's doing.
    pub(super) fn false_version(
        &self,
        stored: &Stored,
        opened: &OpenedOverview,
        broken: Broken,
    ) -> Result<FalseVersion> {
        let overview = &opened.overview;
        let version = format!(
            "version {} of the connector {}",
            overview.version,
            quoted(overview.id.as_str())
        );
        let place = self.index.commit_of(stored).ok_or_else(no_commit)?;
        let mut buffer = Vec::new();
        let commit = self.commit(place, &mut buffer)?;
        let mut records = commit.records();
        let is_intact = records
            .find(|record| record.offset == stored.record().start)
            .is_some_and(|record| record.is_intact());
        if !is_intact {
            return Err(
                Error::new(Code::Damaged, format!("the record of {version} is damaged"))
                    .with_hint("restore a backup, or repair the vault to save what is intact"),
            );
        }
        let signer = self.label_of_signer(place);
        let author = self.label_of(overview.author);
        let (by, who) = match commit.fixed.kind {
            Kind::Changes => (Some(signer), format!("{} wrote it", quoted(signer))),
            // The author has signed the hash of just these secrets.
            Kind::Snapshot if broken.is_in_signed_secrets() && self.signed_by(opened).is_some() => {
                let author = author.unwrap_or_default();
                (Some(author), format!("{} signed it", quoted(author)))
            }
            Kind::Snapshot => (
                None,
                format!(
                    "the snapshot {}, which {} signed, holds it",
                    place.seq,
                    quoted(signer)
                ),
            ),
        };
        let message = format!("{version} is false: {}; {who}", broken.what());
        Ok(FalseVersion {
            id: overview.id.clone(),
            version: overview.version,
            by: by.map(str::to_owned),
            error: Error::new(Code::FalseRecord, message)
                .with_hint("restore an earlier version, and ask the member what happened"),
        })
    }

    fn label_of_signer(&self, place: &CommitPlace) -> &str {
        &self.header.grants[usize::from(place.author)].label
    }
}

/// Whether a version's record signature is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Verified,
    /// An owner who signed a snapshot has verified it.
    Trusted,
}

fn no_commit() -> Error {
    Error::new(Code::Internal, "a version stands in no commit")
}
