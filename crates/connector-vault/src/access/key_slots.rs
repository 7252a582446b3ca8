//! The key slots of a vault: what they say of themselves before anybody tries them, and new ones
//! (docs/format.md section 4).

use rand_core::CryptoRng;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::crypto::identity::Identity;
use crate::crypto::kdf::{self, Cost, ExternalKey, Memory, Passphrase};
use crate::crypto::label::{self, bind};
use crate::crypto::{aead, sha256};
use crate::error::{Code, Error, Result};
use crate::format::base64url;
use crate::format::header::{Grant, Header};
use crate::format::hex::{GrantId, Hex, VaultId};
use crate::format::key_slots::{Hint, Kdf, KdfName, KeySlot, KeySlotEntry};

/// A key slot that nobody can use, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenKeySlot {
    /// The label of the grant whose key slot it is, if that much is known.
    pub label: Option<String>,
    /// Why it is not used.
    pub reason: String,
}

/// The kind of secret that opens a key slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeySlotKind {
    /// A passphrase.
    Passphrase,
    /// An external key.
    Key,
}

impl From<KdfName> for KeySlotKind {
    fn from(kdf: KdfName) -> Self {
        match kdf {
            KdfName::Argon2idV19 => Self::Passphrase,
            KdfName::ExternalV1 => Self::Key,
        }
    }
}

/// A key slot as it stands in the file. Anybody who can write to the storage can have put it there: hint and cost are
/// proven only once it has opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeySlotInfo {
    /// The grant that it names, if it names one.
    pub grant: Option<GrantId>,
    /// The label of this grant, if the header lists it.
    pub label: Option<String>,
    /// What opens it, if this version knows that.
    pub kind: Option<KeySlotKind>,
    /// What trying a passphrase costs; `None` for an external key, which costs nothing.
    pub cost: Option<Cost>,
    /// Which external key the host should use; `None` for a passphrase.
    #[serde(serialize_with = "text_of_hint")]
    pub hint: Option<Vec<u8>>,
    /// Which of the key slots this is, until it is written anew.
    pub salt: Option<KeySlotSalt>,
    /// What a passkey's PRF extension makes the external key of: see [`NewPasskey`].
    #[serde(serialize_with = "text_of_input")]
    pub prf_input: Option<[u8; 32]>,
    /// Why nobody can use it; `None` if it looks sound.
    pub broken: Option<String>,
}

fn text_of_hint<S: Serializer>(
    hint: &Option<Vec<u8>>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    match hint {
        Some(hint) => base64url::serialize(hint, serializer),
        None => serializer.serialize_none(),
    }
}

fn text_of_input<S: Serializer>(
    input: &Option<[u8; 32]>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    input.map(Hex).serialize(serializer)
}

fn text_of<S: Serializer>(input: &[u8; 32], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    Hex(*input).serialize(serializer)
}

/// The salt of a key slot: 16 bytes, 32 base16 digits. No two key slots have the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct KeySlotSalt(pub(crate) Hex<16>);

impl std::fmt::Display for KeySlotSalt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Debug for KeySlotSalt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeySlotSalt({})", self.0)
    }
}

impl std::str::FromStr for KeySlotSalt {
    type Err = Error;

    /// Reads 32 base16 digits, in lower or upper case.
    fn from_str(text: &str) -> Result<Self> {
        let salt = Hex::parse(&text.trim().to_ascii_lowercase());
        salt.map(Self).ok_or_else(|| {
            Error::new(
                Code::InvalidArgument,
                "the salt of a key slot has 32 base16 digits",
            )
        })
    }
}

/// The place of a key slot that is to be made for a passkey. A passkey answers to its
/// [`prf_input`](Self::prf_input), so this has to be known before the key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NewPasskey {
    pub(crate) salt: KeySlotSalt,
    #[serde(serialize_with = "text_of")]
    pub(crate) prf_input: [u8; 32],
}

impl NewPasskey {
    /// The place of a key slot of a grant with this salt.
    pub(crate) fn new(vault_id: VaultId, grant: GrantId, salt: KeySlotSalt) -> Self {
        Self {
            salt,
            prf_input: prf_input(vault_id, grant, &salt.0.0),
        }
    }

    /// The salt that the key slot will have.
    #[must_use]
    pub fn salt(&self) -> KeySlotSalt {
        self.salt
    }

    /// The input of the passkey's PRF extension. Its first output of 32 bytes is the external key.
    #[must_use]
    pub fn prf_input(&self) -> [u8; 32] {
        self.prf_input
    }
}

fn prf_input(vault_id: VaultId, grant: GrantId, salt: &[u8; 16]) -> [u8; 32] {
    let place: [&[u8]; 3] = [vault_id.as_bytes(), grant.as_bytes(), salt];
    sha256(&bind(label::PASSKEY, &place))
}

/// What a key slot is found to be before anything is derived: checks 1 to 3 of docs/format.md section 4.3.
pub(super) enum Examined<'a> {
    /// The header does not list its grant: a revocation leaves it behind.
    Ignored,
    Broken {
        grant: Option<&'a Grant>,
        reason: String,
    },
    Sound(&'a Grant, &'a KeySlot),
}

impl<'a> Examined<'a> {
    pub(super) fn of(entry: &'a KeySlotEntry, header: &'a Header, memory_kib_max: u32) -> Self {
        let grant = grant_of(entry, header);
        let Some(slot) = &entry.slot else {
            let reason = "it does not follow the format".into();
            return Self::Broken { grant, reason };
        };
        let Some(grant) = grant else {
            return Self::Ignored;
        };
        match slot.kdf.check(memory_kib_max) {
            Ok(()) => Self::Sound(grant, slot),
            Err(error) => Self::Broken {
                grant: Some(grant),
                reason: error.message().to_owned(),
            },
        }
    }
}

pub(super) fn grant_of<'a>(entry: &KeySlotEntry, header: &'a Header) -> Option<&'a Grant> {
    let id = entry.grant?;
    header.grants.iter().find(|grant| grant.id == id)
}

/// The key slots of a vault as they stand in its file.
pub(crate) fn list(
    header: &Header,
    key_slots: &[KeySlotEntry],
    memory_kib_max: u32,
) -> Vec<KeySlotInfo> {
    let info = |entry: &KeySlotEntry| {
        let (grant, broken) = match Examined::of(entry, header, memory_kib_max) {
            Examined::Ignored => return None,
            Examined::Broken { grant, reason } => (grant, Some(reason)),
            Examined::Sound(grant, _) => (Some(grant), None),
        };
        let mut info = KeySlotInfo {
            grant: entry.grant,
            label: grant.map(|grant| grant.label.clone()),
            kind: entry.kdf.map(KeySlotKind::from),
            cost: None,
            hint: None,
            salt: None,
            prf_input: None,
            broken,
        };
        let Some(slot) = &entry.slot else {
            return Some(info);
        };
        info.salt = Some(KeySlotSalt(slot.salt));
        match &slot.kdf {
            Kdf::Argon2id(cost) => info.cost = Some(*cost),
            Kdf::External(hint) => {
                info.hint = Some(hint.as_bytes().to_vec());
                info.prf_input = Some(prf_input(header.vault_id, slot.grant, &slot.salt.0));
            }
        }
        Some(info)
    };
    key_slots.iter().filter_map(info).collect()
}

/// The secret of a key slot that is to be made.
pub(crate) enum NewSecret<'a> {
    /// The cost is within the limits.
    Passphrase(&'a Passphrase, Cost),
    /// With a salt of its own if a passkey has answered to it already.
    Key(&'a ExternalKey, Hint, Option<KeySlotSalt>),
}

/// A key slot, with a fresh nonce.
pub(crate) fn make_key_slot(
    rng: &mut dyn CryptoRng,
    header_vault_id: VaultId,
    grant: GrantId,
    identity: &Identity,
    secret: NewSecret<'_>,
) -> Result<KeySlot> {
    let (kdf, salt, keys) = match secret {
        NewSecret::Passphrase(passphrase, cost) => {
            let salt = passphrase.salt_of_new_key_slot(rng);
            let memory = &mut Memory::default();
            let keys = kdf::derive_key_slot_keys(memory, passphrase, &salt, cost)?;
            (Kdf::Argon2id(cost), salt, keys)
        }
        NewSecret::Key(key, hint, salt) => {
            let salt = salt.unwrap_or_else(|| new_salt(rng)).0.0;
            (Kdf::External(hint), salt, key.key_slot_keys(&salt))
        }
    };
    let mut nonce = [0; 12];
    rng.fill_bytes(&mut nonce);
    let mut slot = KeySlot {
        grant,
        kdf,
        salt: Hex(salt),
        commitment: Hex(keys.commitment),
        nonce: Hex(nonce),
        wrapped: Hex([0; 64]),
        tag: Hex([0; 16]),
    };
    let mut content = Zeroizing::new([0; 64]);
    content[..32].copy_from_slice(identity.as_bytes());
    content[32..].copy_from_slice(header_vault_id.as_bytes());
    let context = context(&slot);
    slot.tag = Hex(aead::wrap(&keys.wrapping, &nonce, &context, &mut *content));
    // By now it is ciphertext.
    slot.wrapped = Hex(*content);
    Ok(slot)
}

pub(crate) fn new_salt(rng: &mut dyn CryptoRng) -> KeySlotSalt {
    let mut salt = [0; 16];
    rng.fill_bytes(&mut salt);
    KeySlotSalt(Hex(salt))
}

/// Associated data of a key slot: all its parameters and its grant.
pub(super) fn context(slot: &KeySlot) -> Vec<u8> {
    let KeySlot {
        grant,
        salt,
        commitment,
        ..
    } = slot;
    match &slot.kdf {
        Kdf::Argon2id(cost) => bind(
            label::KEY_SLOT,
            &[
                grant.as_bytes(),
                &cost.memory_kib.to_le_bytes(),
                &cost.passes.to_le_bytes(),
                &cost.lanes.to_le_bytes(),
                &salt.0,
                &commitment.0,
            ],
        ),
        Kdf::External(hint) => bind(
            label::EXTERNAL_SLOT,
            &[grant.as_bytes(), hint.as_bytes(), &salt.0, &commitment.0],
        ),
    }
}
