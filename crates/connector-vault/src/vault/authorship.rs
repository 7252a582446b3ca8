//! What a version is worth: damaged, false, or its author's (docs/format.md sections 8.3 and 8.6).

use serde::{Serialize, Serializer};

use super::Vault;
use super::index::{self, CommitPlace, Stored};
use super::record::{Broken, OpenedOverview, SecretsPart, SignedVersion, is_signed_by};
use crate::connector::{ConnectorId, Version};
use crate::crypto::{Hash, sha256};
use crate::error::{Code, Error, Result, quoted};
use crate::format::commit::Kind;
use crate::format::hex::GrantId;
use crate::role::Capability;
use crate::source::Source;

/// A version whose bytes are those that were written, but which breaks a rule of the format or is not signed by
/// its author.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FalseVersion {
    /// Its connector. `None`: no version of it opens.
    pub id: Option<ConnectorId>,
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

/// Why a version cannot be used.
pub(super) enum Fault {
    /// Its bytes are not those that were written: that is nobody's doing.
    Damaged(Error),
    /// Somebody made it so.
    False(FalseVersion),
}

impl Fault {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Damaged(error) => error,
            Self::False(version) => version.error,
        }
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

    /// The overview of a version, with what only the core looks at. Fails with `damaged` or `false_record`
    /// (docs/format.md section 8.6, rules R8.2 to R8.6).
    pub(super) fn opened(&self, stored: &Stored) -> Result<OpenedOverview> {
        self.opened_or_fault(stored)?.map_err(Fault::into_error)
    }

    /// The same, or what is wrong with it.
    pub(super) fn opened_or_fault(&self, stored: &Stored) -> Result<Result<OpenedOverview, Fault>> {
        let mut buffer = Vec::new();
        let bytes = self.bytes(stored.overview(), &mut buffer)?;
        match self.open_authored(stored, bytes)? {
            Ok(opened) => Ok(Ok(opened)),
            Err(broken) => self.fault(stored, None, broken).map(Err),
        }
    }

    /// The secrets of a version, or what is wrong with them (docs/format.md section 8.6, rules R8.8 to R8.12).
    pub(super) fn secrets_or_fault(
        &self,
        stored: &Stored,
        opened: &OpenedOverview,
    ) -> Result<Result<SecretsPart, Fault>> {
        let mut buffer = Vec::new();
        let bytes = self.bytes(stored.secrets(), &mut buffer)?;
        match self.open_secrets(stored, opened, bytes)? {
            Ok(secrets) => Ok(Ok(secrets)),
            Err(broken) => self.fault(stored, Some(opened), broken).map(Err),
        }
    }

    /// The overview in `bytes`, which stand at its place, by rules R8.2 to R8.5. Fails with `not_permitted` for a
    /// grant that does not list the group.
    pub(super) fn open_overview(
        &self,
        stored: &Stored,
        bytes: &[u8],
    ) -> Result<Result<OpenedOverview, Broken>> {
        let entry = &stored.entry;
        let Some(sealed) = part_of(bytes, entry.overview_len, &entry.overview_hash) else {
            return Ok(Err(Broken::OverviewBytes));
        };
        let mut plaintext = Vec::with_capacity(sealed.len());
        if !self
            .keys
            .open_overview(entry.group, sealed, &mut plaintext)?
        {
            return Ok(Err(Broken::OverviewDoesNotOpen));
        }
        let Ok(opened) = OpenedOverview::parse(&plaintext) else {
            return Ok(Err(Broken::OverviewForm));
        };
        let overview = &opened.overview;
        if !index::is_of(&self.index.keys, &self.keys, overview, entry) {
            return Ok(Err(Broken::Entry));
        }
        Ok(Ok(opened))
    }

    /// The same by rules R8.2 to R8.6.
    pub(super) fn open_authored(
        &self,
        stored: &Stored,
        bytes: &[u8],
    ) -> Result<Result<OpenedOverview, Broken>> {
        let opened = match self.open_overview(stored, bytes)? {
            Ok(opened) => opened,
            Err(broken) => return Ok(Err(broken)),
        };
        let author = opened.overview.author;
        let is_author = match self.index.is_in_snapshot(stored) {
            true => self.header.knows(author),
            false => self.signer(self.commit_of(stored)?) == author,
        };
        Ok(match is_author {
            true => Ok(opened),
            false => Err(Broken::Author),
        })
    }

    /// The values in `bytes`, which stand at their place, by rules R8.8 to R8.12. Fails with `not_permitted` for a
    /// grant that does not read in the group.
    pub(super) fn open_secrets(
        &self,
        stored: &Stored,
        opened: &OpenedOverview,
        bytes: &[u8],
    ) -> Result<Result<SecretsPart, Broken>> {
        let entry = &stored.entry;
        match part_of(bytes, entry.secrets_len, &entry.secrets_hash) {
            Some(sealed) => self.keys.read_secrets(entry.group, opened, sealed),
            None => Ok(Err(Broken::SecretsBytes)),
        }
    }

    /// Looks at a version by rules R8.2 to R8.13: what is wrong with it, and its overview if that opens. A grant that
    /// does not read in its group does not look at the values.
    pub(super) fn examine_version(
        &self,
        stored: &Stored,
        signature: Signature,
    ) -> Result<(Option<OpenedOverview>, Option<Fault>)> {
        let mut buffer = Vec::new();
        let bytes = self.bytes(stored.overview(), &mut buffer)?;
        let opened = match self.open_authored(stored, bytes)? {
            Ok(opened) => opened,
            Err(broken) => return Ok((None, Some(self.fault(stored, None, broken)?))),
        };
        let reads = stored.entry.exists() && self.may(stored.entry.group, Capability::Read);
        let secrets = match reads {
            true => {
                let bytes = self.bytes(stored.secrets(), &mut buffer)?;
                self.open_secrets(stored, &opened, bytes)?.err()
            }
            false => None,
        };
        let is_signed = || signature == Signature::Trusted || self.signed_by(&opened).is_some();
        let broken = secrets.or_else(|| (!is_signed()).then_some(Broken::Signature));
        let fault = broken.map(|broken| self.fault(stored, Some(&opened), broken));
        let fault = fault.transpose()?;
        Ok((Some(opened), fault))
    }

    /// The fault of a version that breaks a rule. If the body hash of its commit holds, its author wrote the record
    /// like this; otherwise somebody changed it afterwards.
    pub(super) fn fault(
        &self,
        stored: &Stored,
        opened: Option<&OpenedOverview>,
        broken: Broken,
    ) -> Result<Fault> {
        let entry = &stored.entry;
        let id = opened.map(|opened| &opened.overview.id);
        let version = match id {
            Some(id) => format!(
                "version {} of the connector {}",
                entry.version,
                quoted(id.as_str())
            ),
            None => format!("version {} with the tag {}", entry.version, entry.tag),
        };
        let place = self.commit_of(stored)?;
        let kind = match self.index.is_in_snapshot(stored) {
            true => Kind::Snapshot,
            false => Kind::Changes,
        };
        let is_damaged = broken.is_of_header()
            || broken.is_of_bytes() && !(kind == Kind::Changes && self.has_sound_body(place)?);
        if is_damaged {
            let message = format!("{version} is damaged: {}", broken.what());
            let hint = match broken.is_of_header() {
                true => "an owner gave the group that key: ask another owner",
                false => "restore an earlier version, or a backup",
            };
            return Ok(Fault::Damaged(
                Error::new(Code::Damaged, message).with_hint(hint),
            ));
        }
        let signer = &self.header.grants[usize::from(place.author)].label;
        let signed = opened
            .filter(|opened| broken.is_in_signed_secrets() && self.signed_by(opened).is_some());
        let (by, who) = match (kind, signed) {
            (Kind::Changes, _) => (
                Some(signer.as_str()),
                format!("{} wrote it", quoted(signer)),
            ),
            // The author has signed the hash of just these secrets.
            (Kind::Snapshot, Some(opened)) => {
                let author = self.label_of(opened.overview.author).unwrap_or_default();
                (Some(author), format!("{} signed it", quoted(author)))
            }
            (Kind::Snapshot, None) => (
                None,
                format!(
                    "the snapshot {}, which {} signed, holds it",
                    place.seq,
                    quoted(signer)
                ),
            ),
        };
        let message = format!("{version} is false: {}; {who}", broken.what());
        Ok(Fault::False(FalseVersion {
            id: id.cloned(),
            version: entry.version,
            by: by.map(str::to_owned),
            error: Error::new(Code::FalseRecord, message)
                .with_hint("restore an earlier version, and ask the member what happened"),
        }))
    }

    /// Whether the page and the records of a commit of changes are those that its author wrote.
    fn has_sound_body(&self, place: &CommitPlace) -> Result<bool> {
        let mut buffer = Vec::new();
        let bytes = self.bytes(place.range(), &mut buffer)?;
        Ok(self.commit(place, &mut Vec::new())?.has_sound_body(bytes))
    }

    /// The commit that holds a version.
    fn commit_of(&self, stored: &Stored) -> Result<&CommitPlace> {
        let place = self.index.commit_of(stored);
        place.ok_or_else(|| Error::new(Code::Internal, "a version stands in no commit"))
    }

    fn signer(&self, place: &CommitPlace) -> GrantId {
        self.header.grants[usize::from(place.author)].id
    }
}

/// A sealed part in `bytes`, which begin with its length; `None` if it is not what the entry says.
fn part_of<'b>(bytes: &'b [u8], len: u32, hash: &Hash) -> Option<&'b [u8]> {
    let (written, sealed) = bytes.split_first_chunk()?;
    (u32::from_le_bytes(*written) == len && sha256(sealed) == *hash).then_some(sealed)
}

/// Whether a version's record signature is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Verified,
    /// An owner who signed a snapshot has verified it.
    Trusted,
}
