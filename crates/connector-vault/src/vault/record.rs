//! A connector version <-> a sealed record: overview and secrets (docs/format.md section 8).

mod overview;
mod secrets;
mod signature;

pub use self::overview::{Attributed, Authored, Overview, SignedVersion};
pub(crate) use self::overview::{NewOverview, OpenedOverview, RequestText, Text};
#[cfg(test)]
pub(crate) use self::secrets::secrets_hash as hash_of_secrets;
pub(crate) use self::secrets::{KeptOutcome, SecretsPart};
pub(crate) use self::signature::{VersionId, is_signed_by};
#[cfg(test)]
pub(crate) use self::signature::{sign, without_padding};

use std::sync::OnceLock;

use rand_core::CryptoRng;
use serde::Serialize;
use zeroize::Zeroizing;

use self::secrets::{SALT_LEN, secrets_hash};
use crate::access::{self, Bundle, GroupKeys, not_permitted};
use crate::connector::{Meta, Op, Version};
use crate::crypto::aead::{SealingKey, padded_len};
use crate::crypto::identity::IdentityKeys;
use crate::crypto::kdf::{self, Key};
use crate::crypto::label::{self, bind};
use crate::crypto::mac::MacKey;
use crate::crypto::x_wing;
use crate::error::{Code, Error, Result};
use crate::format::commit::SIGNATURE_LEN;
use crate::format::extra::{ExtraText, put_extra};
use crate::format::header::{Group, Header};
use crate::format::hex::{GrantId, GroupId, Hex, VaultId};
use crate::limits;

/// A rule of section 8.6 of docs/format.md that a version breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// R8.2.
    OverviewBytes,
    /// R8.3.
    OverviewDoesNotOpen,
    /// R8.4.
    OverviewForm,
    /// R8.5.
    Entry,
    /// R8.6.
    Author,
    /// R8.8.
    SecretsBytes,
    /// Section 5.2: the header's deposit key of the group is not the one that opens patches.
    Deposit,
    /// R8.9.
    SecretsDoNotOpen,
    /// R8.10.
    SecretsHash,
    /// R8.11.
    SecretsForm,
    /// R8.12.
    Names,
    /// R8.13.
    Signature,
}

impl Broken {
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::OverviewBytes => "its overview has other bytes than its entry says",
            Self::OverviewDoesNotOpen => "its overview does not open",
            Self::OverviewForm => "its overview does not follow the format",
            Self::Entry => "its overview is not what its entry says",
            Self::Author => "its overview names an author who may not stand there",
            Self::SecretsBytes => "its secrets have other bytes than its entry says",
            Self::Deposit => "the deposit key of its group is not the one that its members have",
            Self::SecretsDoNotOpen => "its secrets do not open",
            Self::SecretsHash => "its secrets are not those that its overview names",
            Self::SecretsForm => "its secrets do not follow the format",
            Self::Names => "it lists other properties than it holds",
            Self::Signature => "its author did not sign it",
        }
    }

    /// Whether it says nothing of the author.
    pub(crate) fn is_of_header(self) -> bool {
        self == Self::Deposit
    }

    /// Whether the bytes are not those of the entry: then it may be the fault of nobody.
    pub(crate) fn is_of_bytes(self) -> bool {
        matches!(self, Self::OverviewBytes | Self::SecretsBytes)
    }

    /// Whether the author has signed just this fault: the overview names the hash of the secrets that have it.
    pub(crate) fn is_in_signed_secrets(self) -> bool {
        matches!(self, Self::SecretsForm | Self::Names)
    }
}

/// The plaintexts of a record: whoever seals them again changes nothing in them.
pub(crate) struct Plaintexts {
    /// Signature, JSON, padding.
    pub(crate) overview: Vec<u8>,
    /// Salt, JSON, padding; `None` exactly for a delete.
    pub(crate) secrets: Option<Zeroizing<Vec<u8>>>,
}

impl Plaintexts {
    /// Those of a new version, signed by its author.
    pub(crate) fn sign(
        rng: &mut dyn CryptoRng,
        author: &IdentityKeys,
        vault_id: VaultId,
        mut overview: NewOverview<'_>,
        secrets: Option<&SecretsPart>,
    ) -> Self {
        let secrets = secrets.map(|secrets| {
            let mut salt = [0; SALT_LEN];
            rng.fill_bytes(&mut salt);
            let extra = secrets.extra.as_ref().map(|extra| extra.as_str());
            let plaintext = led_json(&salt, secrets, extra);
            overview.secrets_hash = Some(Hex(secrets_hash(&salt, &plaintext[SALT_LEN..])));
            padded(plaintext)
        });
        let extra = overview.extra.map(|ExtraText(extra)| extra);
        let mut plaintext = led_json(&[0; SIGNATURE_LEN], &overview, extra);
        let hash = crate::crypto::sha256(&plaintext[SIGNATURE_LEN..]);
        let signature = signature::sign(author, vault_id, &hash);
        plaintext[..SIGNATURE_LEN].copy_from_slice(&signature);
        Self {
            overview: std::mem::take(&mut *padded(plaintext)),
            secrets,
        }
    }
}

/// A record as it stands in a commit, without lengths.
pub(crate) struct SealedRecord {
    pub(crate) overview: Vec<u8>,
    /// `None` exactly for a delete.
    pub(crate) secrets: Option<Vec<u8>>,
}

/// What the secrets of a version are sealed for, beside the vault, the epoch and the group.
#[derive(Clone, Copy)]
pub(crate) struct SecretsPlace<'a> {
    pub(crate) id: &'a str,
    pub(crate) version: Version,
    /// The author of a patch, which is sealed to the deposit key of the group.
    pub(crate) patched_by: Option<GrantId>,
}

impl<'a> From<&'a Overview> for SecretsPlace<'a> {
    fn from(overview: &'a Overview) -> Self {
        Self {
            id: overview.id.as_str(),
            version: overview.version,
            patched_by: (overview.op == Op::Patch).then_some(overview.author),
        }
    }
}

/// The keys of an epoch at work: they seal and open the records of the groups that a grant lists.
#[derive(Clone)]
pub(crate) struct RecordKeys {
    vault_id: VaultId,
    epoch: u64,
    /// By their numbers.
    groups: Vec<GroupAtWork>,
}

/// A group whose overviews open.
#[derive(Clone)]
struct GroupAtWork {
    number: u16,
    id: GroupId,
    overview: SealingKey,
    overview_context: Vec<u8>,
    face: MacKey,
    /// Where the rights read.
    secret: Option<Key>,
    /// Its name, once it was opened; `None` if it does not open.
    name: OnceLock<Option<String>>,
    /// As the header says.
    deposit: Option<x_wing::PublicKey>,
    /// Where the rights read: derived when a patch is used.
    deposit_key: OnceLock<DepositKey>,
}

/// The key that opens the patches of a group, and the one that they are sealed to.
#[derive(Clone)]
struct DepositKey {
    private: x_wing::PrivateKey,
    public: x_wing::PublicKey,
}

impl RecordKeys {
    pub(crate) fn new(bundle: &Bundle, header: &Header) -> Self {
        let (vault_id, epoch) = (header.vault_id, header.epoch);
        let groups = header.groups.iter().filter_map(|group| {
            let keys = bundle.group(group.id)?;
            Some(GroupAtWork::new((vault_id, epoch), group, keys))
        });
        Self {
            vault_id,
            epoch,
            groups: groups.collect(),
        }
    }

    /// The id of a group that the grant lists.
    pub(crate) fn group_id(&self, number: u16) -> Option<GroupId> {
        self.numbered(number).map(|group| group.id)
    }

    /// The name of a group that the grant lists, which `open` opens the first time.
    pub(crate) fn group_name(
        &self,
        number: u16,
        open: impl FnOnce() -> Option<String>,
    ) -> Option<&str> {
        self.numbered(number)?.name.get_or_init(open).as_deref()
    }

    fn numbered(&self, number: u16) -> Option<&GroupAtWork> {
        self.groups.iter().find(|group| group.number == number)
    }

    fn of_number(&self, number: u16) -> Result<&GroupAtWork> {
        self.numbered(number)
            .ok_or_else(|| not_permitted("this grant does not list the group"))
    }

    /// Appends the plaintext of an overview in this group to `out`. Fails with `not_permitted` for a grant that
    /// does not list the group.
    pub(crate) fn open_overview(
        &self,
        group: u16,
        sealed: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let group = self.of_number(group)?;
        Ok(group.overview.open(&group.overview_context, sealed, out))
    }

    /// What stands for id, name, type and meta of a connector in the entries of a group.
    pub(crate) fn face(
        &self,
        group: u16,
        id: &str,
        name: &str,
        type_name: &str,
        meta: &Meta,
    ) -> Result<[u8; 16]> {
        let mut inputs = vec![id.as_bytes(), name.as_bytes(), type_name.as_bytes()];
        for (name, value) in meta.iter() {
            inputs.extend([name.as_bytes(), value.as_bytes()]);
        }
        let group = self.of_number(group)?;
        Ok(group.face.mac(&bind(label::FACE, &inputs)))
    }

    /// The plaintext of the secrets of a connector version in a group; `None` if they do not open as such. Fails
    /// with `not_permitted` for a grant that does not read there.
    pub(crate) fn open_secrets(
        &self,
        group: u16,
        place: SecretsPlace<'_>,
        sealed: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let group = self.numbered(group).ok_or_else(cannot_read)?;
        if let Some(author) = place.patched_by {
            let info = self.patch_info(group.id, place, author);
            return Ok(group.deposit_key()?.private.open(&info, sealed));
        }
        let mut plaintext = Zeroizing::new(Vec::with_capacity(sealed.len()));
        let context = self.secrets_context(group.id, place);
        let key = group.secrets_key(place.id)?;
        Ok(key
            .open(&context, sealed, &mut plaintext)
            .then_some(plaintext))
    }

    /// What a version holds, by its overview; or the rule that it breaks. Fails with `not_permitted` for a
    /// grant that does not read in its group.
    pub(crate) fn read_secrets(
        &self,
        group: u16,
        overview: &OpenedOverview,
        sealed: &[u8],
    ) -> Result<Result<SecretsPart, Broken>> {
        let place = SecretsPlace::from(&overview.overview);
        if place.patched_by.is_some() && !self.has_true_deposit(group)? {
            return Ok(Err(Broken::Deposit));
        }
        let plaintext = self.open_secrets(group, place, sealed)?;
        Ok(match plaintext {
            Some(plaintext) => SecretsPart::parse(&plaintext, overview),
            None => Err(Broken::SecretsDoNotOpen),
        })
    }

    /// The sealed parts of a version of a connector. Fails with `limit_exceeded`.
    pub(crate) fn seal(
        &self,
        rng: &mut dyn CryptoRng,
        group: u16,
        place: SecretsPlace<'_>,
        plaintexts: &Plaintexts,
    ) -> Result<SealedRecord> {
        let group = self.of_number(group)?;
        let mut overview = Vec::new();
        let context = &group.overview_context;
        group
            .overview
            .seal(rng, context, &plaintexts.overview, &mut overview);
        let mut sealed = Vec::new();
        match (&plaintexts.secrets, place.patched_by) {
            (None, _) => {}
            (Some(secrets), Some(author)) => {
                let info = self.patch_info(group.id, place, author);
                sealed = group.seal_patch(rng, &info, secrets)?;
            }
            (Some(secrets), None) => {
                let context = self.secrets_context(group.id, place);
                let key = group.secrets_key(place.id)?;
                key.seal(rng, &context, secrets, &mut sealed);
            }
        }
        for (part, len_max, what) in [
            (&overview, *limits::OVERVIEW_LEN.end(), "overview"),
            (&sealed, *limits::SECRETS_LEN.end(), "values"),
        ] {
            if part.len() > len_max as usize {
                return Err(Error::new(
                    Code::LimitExceeded,
                    format!(
                        "the sealed {what} of the connector would have more than {len_max} bytes"
                    ),
                ));
            }
        }
        Ok(SealedRecord {
            overview,
            secrets: plaintexts.secrets.as_ref().map(|_| sealed),
        })
    }

    fn secrets_context(&self, group: GroupId, place: SecretsPlace<'_>) -> Vec<u8> {
        bind(
            label::SECRETS,
            &[
                self.vault_id.as_bytes(),
                &self.epoch.to_le_bytes(),
                group.as_bytes(),
                place.id.as_bytes(),
                &place.version.get().to_le_bytes(),
            ],
        )
    }

    /// A patch cannot stand for another version, connector or author: whoever seals it says so.
    fn patch_info(&self, group: GroupId, place: SecretsPlace<'_>, author: GrantId) -> Vec<u8> {
        bind(
            label::PATCH,
            &[
                self.vault_id.as_bytes(),
                group.as_bytes(),
                &self.epoch.to_le_bytes(),
                place.id.as_bytes(),
                &place.version.get().to_le_bytes(),
                author.as_bytes(),
            ],
        )
    }

    /// Whether patches of a group are sealed to the key that its readers have. Nobody else can tell: with a false one,
    /// the values of rotators would go elsewhere.
    pub(crate) fn has_true_deposit(&self, group: u16) -> Result<bool> {
        let group = self.numbered(group).ok_or_else(cannot_read)?;
        Ok(match &group.deposit {
            Some(deposit) => *deposit == group.deposit_key()?.public,
            None => true,
        })
    }
}

impl GroupAtWork {
    fn new((vault_id, epoch): (VaultId, u64), group: &Group, keys: GroupKeys) -> Self {
        let id = group.id;
        Self {
            number: group.number,
            id,
            overview: SealingKey::new(&keys.overview),
            overview_context: bind(
                label::OVERVIEW,
                &[vault_id.as_bytes(), &epoch.to_le_bytes(), id.as_bytes()],
            ),
            face: MacKey::new(&kdf::derive_key(&keys.overview, label::FACE_KEY, &[])),
            secret: keys.secret,
            name: OnceLock::new(),
            deposit: group.deposit.clone(),
            deposit_key: OnceLock::new(),
        }
    }

    /// The key that opens the patches of the group.
    fn deposit_key(&self) -> Result<&DepositKey> {
        let secret = self.secret.as_ref().ok_or_else(cannot_read)?;
        Ok(self.deposit_key.get_or_init(|| {
            let private = access::deposit_key(secret);
            let public = private.public();
            DepositKey { private, public }
        }))
    }

    /// Seals a patch. Whoever reads the group needs no header for it: a former rotator's patches stay.
    fn seal_patch(&self, rng: &mut dyn CryptoRng, info: &[u8], patch: &[u8]) -> Result<Vec<u8>> {
        let sealed = match (&self.secret, &self.deposit) {
            (Some(_), _) => self.deposit_key()?.public.seal(rng, info, patch),
            (None, Some(deposit)) => deposit.seal(rng, info, patch),
            (None, None) => None,
        };
        sealed
            .ok_or_else(|| not_permitted("nothing can be written in this group without reading it"))
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

/// Some bytes, and JSON behind them with its `extra`.
fn led_json(lead: &[u8], value: &impl Serialize, extra: Option<&str>) -> Zeroizing<Vec<u8>> {
    let mut writer = WipingWriter(Zeroizing::new(Vec::with_capacity(1024)));
    writer.0.extend_from_slice(lead);
    serde_json::to_writer(&mut writer, value)
        .expect("string keys, and a writer that does not fail");
    writer.reserve(extra.map_or(0, |extra| extra.len() + 16));
    put_extra(&mut writer.0, extra);
    writer.0
}

/// The bytes and spaces behind them, up to the padded length.
fn padded(bytes: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    let mut writer = WipingWriter(bytes);
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
    use crate::connector::{Properties, PropertyName};
    use crate::crypto::identity::Identity;
    use crate::format::header::SealedName;
    use crate::secret::Secret;

    proptest! {
        /// A sealed record opens to what it was, and under nothing else.
        #[test]
        fn records(
            id in "[^\\p{Cc}]{1,40}", version in 1..=limits::COUNTER_MAX, epoch: u64,
            names in proptest::collection::btree_set(".{1,20}", 0..5),
            note in proptest::option::of("[^\\p{Cc}]{1,20}"),
            extra in proptest::option::of(Just(r#"{"a" : [1]}"#)),
            value in ".{0,1500}", keys: [[u8; 32]; 2], vault_id: [u8; 32],
        ) {
            let (vault_id, group) = (VaultId(Hex(vault_id)), GroupId(Hex([3; 8])));
            let in_epoch = |epoch| {
                let keys = GroupKeys {
                    overview: Zeroizing::new(keys[0]),
                    secret: Some(Zeroizing::new(keys[1])),
                };
                let unset = Hex([0; 32]);
                let of_header = Group {
                    id: group,
                    number: 5,
                    name: SealedName(Vec::new()),
                    overview_commitment: unset,
                    secret_commitment: unset,
                    deposit: None,
                };
                let groups = vec![GroupAtWork::new((vault_id, epoch), &of_header, keys)];
                RecordKeys { vault_id, epoch, groups }
            };
            let keys = in_epoch(epoch);
            let mut properties = Properties::new();
            for name in &names {
                let value = Secret::new(value.as_str()).expect("short");
                properties.set(PropertyName::new(name.as_str()).expect("valid"), value).expect("few");
            }
            let texts = || properties.names().map(|name| Text(name.as_str().into())).collect::<Vec<_>>();
            let overview = NewOverview {
                id: id.as_str().into(),
                group,
                name: "Name".into(),
                type_name: "Type".into(),
                version,
                op: Op::Update,
                author: GrantId(Hex([2; 8])),
                at: "2026-11-23T20:15:00.000Z".into(),
                created_at: Some("2026-11-22T20:15:00.000Z".into()),
                values_at: None,
                meta: None,
                extra: extra.map(ExtraText),
                properties: texts(),
                changed: Some(texts()),
                source: None,
                secrets_hash: None,
                note: note.as_deref().map(Into::into),
                request: None,
            };
            let secrets = SecretsPart {
                properties: properties.clone(),
                outcome: None,
                extra: extra.map(|extra| crate::secret::Text::new(extra.to_owned())),
            };
            let mut rng = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(1);
            let author = Identity::from_bytes([3; 32]).keys();
            let plaintexts = Plaintexts::sign(&mut rng, &author, vault_id, overview, Some(&secrets));
            let number = Version::new(version).expect("from 1");
            let place = |version| SecretsPlace { id: &id, version, patched_by: None };
            let sealed = keys.seal(&mut rng, 5, place(number), &plaintexts).expect("small");
            let sealed_secrets = sealed.secrets.as_deref().expect("it has values");
            let mut plaintext = Vec::new();
            prop_assert!(keys.open_overview(5, &sealed.overview, &mut plaintext).expect("it lists"));
            prop_assert_eq!(padded_len(plaintext.len()), plaintext.len());
            let opened = OpenedOverview::parse(&plaintext).expect("its own");
            prop_assert_eq!(opened.overview.id.as_str(), id.as_str());
            prop_assert_eq!(opened.overview.version, number);
            prop_assert_eq!(&opened.overview.note, &note);
            prop_assert_eq!(opened.extra.as_deref(), extra);
            prop_assert!(opened.overview.properties.iter().eq(properties.names()));
            let key = author.public.ed25519;
            prop_assert!(is_signed_by(&key, vault_id, &opened.hash, &opened.signature));
            prop_assert!(!is_signed_by(&key, VaultId(Hex([9; 32])), &opened.hash, &opened.signature));
            let read = keys.read_secrets(5, &opened, sealed_secrets).expect("it reads").expect("its own");
            prop_assert_eq!(&read.properties, &properties);
            prop_assert_eq!(read.extra.as_ref().map(|extra| extra.as_str()), extra);
            let other = in_epoch(epoch.wrapping_add(1));
            prop_assert!(!other.open_overview(5, &sealed.overview, &mut Vec::new()).expect("it lists"));
            let next = keys.open_secrets(5, place(number.next()), sealed_secrets).expect("it reads");
            prop_assert!(next.is_none());
        }

        #[test]
        fn no_plaintext_makes_parsing_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = OpenedOverview::parse(&bytes);
        }
    }
}
