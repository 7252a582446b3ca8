//! A connector version <-> a sealed record: overview and secrets (docs/format.md section 8).

mod overview;
mod secrets;

pub use self::overview::{Authored, Overview};
pub(crate) use self::overview::{Names, OverviewText, Text};
pub(crate) use self::secrets::{KeptOutcome, RequestPart, SecretsPart};

use rand_core::CryptoRng;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::access::{Bundle, GroupKeys, not_permitted};
use crate::connector::Version;
use crate::crypto::aead::{SealingKey, padded_len};
use crate::crypto::kdf::{self, Key};
use crate::crypto::label::{self, bind};
use crate::error::{Code, Error, Result};
use crate::format::commit;
use crate::format::header::Header;
use crate::format::hex::{GroupId, VaultId};
use crate::json::strict;

/// The keys of an epoch at work: they seal and open the records of the groups that a grant lists.
#[derive(Clone)]
pub(crate) struct RecordKeys {
    vault_id: VaultId,
    epoch: u64,
    /// By their numbers.
    groups: Vec<GroupAtWork>,
    /// Whether these are all groups of the vault.
    lists_all: bool,
}

/// A group whose overviews open.
#[derive(Clone)]
struct GroupAtWork {
    number: u16,
    id: GroupId,
    overview: SealingKey,
    overview_context: Vec<u8>,
    /// Where the rights read.
    secret: Option<Key>,
}

impl RecordKeys {
    pub(crate) fn new(bundle: &Bundle, header: &Header) -> Self {
        let (vault_id, epoch) = (header.vault_id, header.epoch);
        let groups = header.groups.iter().filter_map(|group| {
            let keys = bundle.group(group.id)?;
            let (number, id) = (group.number, group.id);
            Some(GroupAtWork::new(vault_id, epoch, number, id, keys))
        });
        let groups: Vec<_> = groups.collect();
        Self {
            vault_id,
            epoch,
            lists_all: groups.len() == header.groups.len(),
            groups,
        }
    }

    /// Whether an overview that does not open may be of a group that the grant does not list.
    pub(crate) fn lists_all(&self) -> bool {
        self.lists_all
    }

    /// The id of a group that the grant lists.
    pub(crate) fn group_id(&self, number: u16) -> Option<GroupId> {
        self.numbered(number).map(|group| group.id)
    }

    fn numbered(&self, number: u16) -> Option<&GroupAtWork> {
        self.groups.iter().find(|group| group.number == number)
    }

    fn of_id(&self, id: GroupId) -> Result<&GroupAtWork> {
        let found = self.groups.iter().find(|group| group.id == id);
        found.ok_or_else(|| not_permitted("this grant does not list the group"))
    }

    /// Appends the overview's plaintext to `out`; the number of the group whose key opens it, if one does.
    pub(crate) fn find_overview(&self, sealed: &[u8], out: &mut Vec<u8>) -> Option<u16> {
        let mut groups = self.groups.iter();
        let found = groups.find(|group| group.overview.open(&group.overview_context, sealed, out));
        found.map(|group| group.number)
    }

    /// Appends the plaintext of an overview in this group to `out`.
    pub(crate) fn open_overview(&self, group: u16, sealed: &[u8], out: &mut Vec<u8>) -> bool {
        self.numbered(group)
            .is_some_and(|group| group.overview.open(&group.overview_context, sealed, out))
    }

    /// Opens the secrets of a connector version in a group. Fails with `not_permitted` for a grant that does not
    /// read there, with `damaged` if they do not belong here.
    pub(crate) fn open_secrets(
        &self,
        group: u16,
        id: &str,
        version: Version,
        sealed: &[u8],
    ) -> Result<SecretsPart> {
        let group = self.numbered(group).ok_or_else(cannot_read)?;
        let mut plaintext = Zeroizing::new(Vec::with_capacity(sealed.len()));
        let context = self.secrets_context(group.id, id, version);
        if !group
            .secrets_key(id)?
            .open(&context, sealed, &mut plaintext)
        {
            return Err(Error::new(
                Code::Damaged,
                format!("the secrets of version {version} of the connector {id:?} do not open"),
            ));
        }
        let text = std::str::from_utf8(&plaintext).ok();
        let parsed = text.and_then(|text| strict::read(text.trim_end_matches(' ')).ok());
        parsed.ok_or_else(|| {
            Error::new(
                Code::Damaged,
                format!("the secrets of version {version} of the connector {id:?} do not follow the format"),
            )
        })
    }

    /// The sealed record of a connector version. `secrets` is `None` exactly for a delete.
    pub(crate) fn seal(
        &self,
        rng: &mut dyn CryptoRng,
        overview: &OverviewText<'_, Vec<Text<'_>>>,
        secrets: Option<&SecretsPart>,
    ) -> Result<Vec<u8>> {
        let group = self.of_id(overview.group)?;
        let mut sealed_overview = Vec::new();
        let plaintext = padded_json(overview);
        let context = &group.overview_context;
        group
            .overview
            .seal(rng, context, &plaintext, &mut sealed_overview);
        let mut sealed_secrets = Vec::new();
        if let Some(secrets) = secrets {
            let version = Version::new(overview.version)?;
            let plaintext = padded_json(secrets);
            let context = self.secrets_context(group.id, &overview.id, version);
            group
                .secrets_key(&overview.id)?
                .seal(rng, &context, &plaintext, &mut sealed_secrets);
        }
        commit::encode_record(&sealed_overview, &sealed_secrets)
    }

    /// A record of any texts: what no writer makes.
    #[cfg(test)]
    pub(crate) fn seal_text(
        &self,
        rng: &mut dyn CryptoRng,
        overview: &[u8],
        secrets: (&str, u64, &[u8]),
    ) -> Vec<u8> {
        let (id, version, secrets) = secrets;
        let group = &self.groups[0];
        let mut sealed = (Vec::new(), Vec::new());
        let context = &group.overview_context;
        group.overview.seal(rng, context, overview, &mut sealed.0);
        let context = self.secrets_context(group.id, id, Version::new(version).expect("from 1"));
        group.secrets_key(id).expect("a role that reads").seal(
            rng,
            &context,
            secrets,
            &mut sealed.1,
        );
        commit::encode_record(&sealed.0, &sealed.1).expect("small")
    }

    fn secrets_context(&self, group: GroupId, id: &str, version: Version) -> Vec<u8> {
        bind(
            label::SECRETS,
            &[
                self.vault_id.as_bytes(),
                &self.epoch.to_le_bytes(),
                group.as_bytes(),
                id.as_bytes(),
                &version.get().to_le_bytes(),
            ],
        )
    }
}

impl GroupAtWork {
    fn new(vault_id: VaultId, epoch: u64, number: u16, id: GroupId, keys: GroupKeys) -> Self {
        Self {
            number,
            id,
            overview: SealingKey::new(&keys.overview),
            overview_context: bind(
                label::OVERVIEW,
                &[vault_id.as_bytes(), &epoch.to_le_bytes(), id.as_bytes()],
            ),
            secret: keys.secret,
        }
    }

    /// One key per connector: the keys of one open no other.
    fn secrets_key(&self, id: &str) -> Result<SealingKey> {
        let secret = self.secret.as_ref().ok_or_else(cannot_read)?;
        Ok(SealingKey::new(&kdf::derive_key(
            secret,
            label::SECRETS_KEY,
            &[id.as_bytes()],
        )))
    }
}

fn cannot_read() -> Error {
    not_permitted("this grant cannot read values")
}

/// JSON and spaces up to the padded length.
fn padded_json(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut writer = WipingWriter(Zeroizing::new(Vec::with_capacity(1024)));
    serde_json::to_writer(&mut writer, value)
        .expect("string keys, and a writer that does not fail");
    let len = writer.0.len();
    writer.reserve(padded_len(len) - len);
    writer.0.resize(padded_len(len), b' ');
    writer.0
}

/// Grows without leaving copies of what it holds.
struct WipingWriter(Zeroizing<Vec<u8>>);

impl WipingWriter {
    fn reserve(&mut self, more: usize) {
        let needed = self.0.len() + more;
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
    }
}

impl std::io::Write for WipingWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::connector::{Op, Properties, PropertyName};
    use crate::format::hex::{GrantId, Hex, RecordId};
    use crate::limits;
    use crate::secret::Secret;

    proptest! {
        /// A sealed record opens to what it was, and under nothing else.
        #[test]
        fn records(
            id in "[^\\p{Cc}]{1,40}", version in 1..=limits::COUNTER_MAX, epoch: u64,
            names in vec(".{1,20}", 0..5), note in proptest::option::of("[^\\p{Cc}]{1,20}"),
            value in ".{0,1500}", keys: [[u8; 32]; 2], vault_id: [u8; 32],
        ) {
            let (vault_id, group) = (VaultId(Hex(vault_id)), GroupId(Hex([3; 8])));
            let in_epoch = |epoch| {
                let keys = GroupKeys {
                    overview: Zeroizing::new(keys[0]),
                    secret: Some(Zeroizing::new(keys[1])),
                };
                let groups = vec![GroupAtWork::new(vault_id, epoch, 5, group, keys)];
                RecordKeys { vault_id, epoch, groups, lists_all: true }
            };
            let keys = in_epoch(epoch);
            let mut properties = Properties::new();
            for name in &names {
                let value = Secret::new(value.as_str()).expect("short");
                properties.set(PropertyName::new(name.as_str()).expect("valid"), value).expect("few");
            }
            let texts = || properties.names().map(|name| Text(name.as_str().into())).collect::<Vec<_>>();
            let overview = OverviewText {
                record_id: RecordId(Hex([1; 16])),
                op: Op::Update,
                id: id.as_str().into(),
                group,
                name: "Name".into(),
                type_name: "Type".into(),
                version,
                at: "2026-11-23T20:15:00.000Z".into(),
                author: GrantId(Hex([2; 8])),
                properties: texts(),
                changed: Some(texts()),
                note: note.as_deref().map(Into::into),
                request_id: None,
            };
            let secrets = SecretsPart { properties: properties.clone(), request: None };
            let mut rng = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(1);
            let record = keys.seal(&mut rng, &overview, Some(&secrets)).expect("small");
            let (sealed_overview, sealed_secrets) = commit::split_record(&record, 0).expect("whole");
            let mut plaintext = Vec::new();
            prop_assert_eq!(keys.find_overview(sealed_overview, &mut plaintext), Some(5));
            prop_assert_eq!(padded_len(plaintext.len()), plaintext.len());
            let opened = Overview::parse(&plaintext).expect("its own");
            prop_assert_eq!(opened.id.as_str(), id.as_str());
            prop_assert_eq!(opened.version.get(), version);
            prop_assert_eq!(&opened.note, &note);
            prop_assert!(opened.properties.iter().eq(properties.names()));
            let opened = keys.open_secrets(5, &id, opened.version, sealed_secrets).expect("its own");
            prop_assert_eq!(&opened.properties, &properties);
            let other = in_epoch(epoch.wrapping_add(1));
            prop_assert!(!other.open_overview(5, sealed_overview, &mut Vec::new()));
            let version = Version::new(version).expect("from 1").next();
            prop_assert!(keys.open_secrets(5, &id, version, sealed_secrets).is_err());
        }

        #[test]
        fn no_plaintext_makes_parsing_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = Overview::parse(&bytes);
            let _ = OverviewText::parse(&bytes);
        }
    }
}
