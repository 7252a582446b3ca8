//! The key slot part: how the holders of passphrases and external keys unlock the identities of their grants
//! (docs/format.md section 4). It stands outside the log, so that a replaced passphrase leaves
//! the file.

use serde::{Serialize, Serializer};

use super::base64url::{self, Base64Url};
use super::hex::{GrantId, Hex};
use crate::crypto::kdf::Cost;
use crate::error::{Code, Error, Result};
use crate::json::strict::{self, Listed, Read, Reader, Strict, fields, object};
use crate::limits;

/// One key slot. Its cost is checked when it is used: a broken key slot disables itself, not the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySlot {
    pub(crate) grant: GrantId,
    pub(crate) kdf: Kdf,
    pub(crate) salt: Hex<16>,
    pub(crate) commitment: Hex<32>,
    pub(crate) nonce: Hex<12>,
    /// AES-256-GCM of `identity || vault_id`.
    pub(crate) wrapped: Hex<64>,
    pub(crate) tag: Hex<16>,
}

/// How a secret gives the keys of a key slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kdf {
    /// Argon2id of a passphrase.
    Argon2id(Cost),
    /// HKDF of an external key. The hint tells the host which key is meant.
    External(Hint),
}

/// Up to 2,048 bytes, as the storage has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint(Vec<u8>);

impl Hint {
    /// Fails with `limit_exceeded` if it is too long.
    pub(crate) fn new(hint: &[u8]) -> Result<Self> {
        if hint.len() > limits::HINT_LEN_MAX {
            return Err(Error::new(
                Code::LimitExceeded,
                "the hint of a key slot has at most 2048 bytes",
            ));
        }
        Ok(Self(hint.to_vec()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The key derivations of format 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum KdfName {
    /// Argon2id version 1.3.
    #[serde(rename = "argon2id-v19")]
    Argon2idV19,
    /// HKDF-SHA256 of an external key.
    #[serde(rename = "external-v1")]
    ExternalV1,
}

impl Kdf {
    pub(crate) fn name(&self) -> KdfName {
        match self {
            Self::Argon2id(_) => KdfName::Argon2idV19,
            Self::External(_) => KdfName::ExternalV1,
        }
    }

    /// Fails with `cost_out_of_range`. An external key costs nothing.
    pub(crate) fn check(&self, memory_kib_max: u32) -> Result<()> {
        match self {
            Self::Argon2id(cost) => cost.check(memory_kib_max).map(drop),
            Self::External(_) => Ok(()),
        }
    }
}

/// An element of the key slot part.
#[derive(Clone, Debug)]
pub(crate) struct KeySlotEntry {
    /// As it is written: a rewrite keeps it byte for byte.
    text: Box<str>,
    /// The grant that it names, if it is an object that names one.
    pub(crate) grant: Option<GrantId>,
    /// Its key derivation, if format 1 knows it.
    pub(crate) kdf: Option<KdfName>,
    /// The key slot, if it follows the format. Else it is damaged, or one of a later version.
    pub(crate) slot: Option<KeySlot>,
}

impl KeySlotEntry {
    /// Whether a reader can use it that allows Argon2id as much memory as this.
    pub(crate) fn is_usable(&self, memory_kib_max: u32) -> bool {
        let slot = self.slot.as_ref();
        slot.is_some_and(|slot| slot.kdf.check(memory_kib_max).is_ok())
    }

    /// Whether no reader uses it, whatever the caller allows.
    fn is_broken(&self) -> bool {
        !self.is_usable(limits::MEMORY_KIB_MAX_NATIVE)
    }
}

impl From<KeySlot> for KeySlotEntry {
    fn from(slot: KeySlot) -> Self {
        let text = serde_json::to_string(&slot);
        Self {
            text: text.expect("a key slot has no failing parts").into(),
            grant: Some(slot.grant),
            kdf: Some(slot.kdf.name()),
            slot: Some(slot),
        }
    }
}

/// Puts a key slot in place of all others of its grant and key derivation, broken ones too, and before the others of
/// its grant: the first that opens is used.
pub(crate) fn replace(key_slots: &mut Vec<KeySlotEntry>, slot: KeySlot) {
    let (grant, kdf) = (Some(slot.grant), Some(slot.kdf.name()));
    key_slots.retain(|entry| entry.grant != grant || entry.kdf != kdf);
    add(key_slots, slot);
}

/// Puts a key slot before all others of its grant.
pub(crate) fn add(key_slots: &mut Vec<KeySlotEntry>, slot: KeySlot) {
    let grant = Some(slot.grant);
    let first = key_slots.iter().position(|entry| entry.grant == grant);
    let at = first.unwrap_or(key_slots.len());
    key_slots.insert(at, slot.into());
}

/// The key slot part in `bytes`, which stand at `offset`.
pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Vec<KeySlotEntry>> {
    super::from_json(bytes, offset, "the key slot part")
}

/// The bytes of the key slot part, without the elements whose grant is not listed: storage may have filled the part
/// with them.
///
/// Where it would pass its limits, elements of an unknown key derivation are left out, then broken ones; then it fails
/// with `limit_exceeded`.
pub(crate) fn encode(
    key_slots: &[KeySlotEntry],
    is_listed: impl Fn(GrantId) -> bool,
) -> Result<Vec<u8>> {
    let mut kept: Vec<_> = key_slots
        .iter()
        .filter(|entry| entry.grant.is_some_and(&is_listed))
        .collect();
    let left_out: [fn(&KeySlotEntry) -> bool; 2] =
        [|entry| entry.kdf.is_none(), KeySlotEntry::is_broken];
    for is_left_out in left_out {
        if let Some(bytes) = joined(&kept) {
            return Ok(bytes);
        }
        kept.retain(|entry| !is_left_out(entry));
    }
    joined(&kept).ok_or_else(|| {
        Error::new(
            Code::LimitExceeded,
            "the key slot part would have more than 256 key slots or 1 MiB",
        )
        .with_hint("remove an external key, or revoke a grant that has a key slot")
    })
}

/// The elements as an array, if it is within its limits.
fn joined(key_slots: &[&KeySlotEntry]) -> Option<Vec<u8>> {
    if key_slots.len() > limits::KEY_SLOTS_MAX {
        return None;
    }
    let mut bytes = vec![b'['];
    for entry in key_slots {
        if bytes.len() > 1 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(entry.text.as_bytes());
    }
    bytes.push(b']');
    (bytes.len() <= limits::KEY_SLOTS_LEN_MAX).then_some(bytes)
}

impl Strict<'_> for KeySlotEntry {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let text = reader.written(Reader::skip)?;
        let Named { grant, kdf } = strict::read(text).unwrap_or_default();
        Ok(Self {
            text: text.into(),
            grant,
            kdf,
            slot: strict::read(text).ok(),
        })
    }
}

/// What an element names, also one that does not follow the format.
#[derive(Default)]
struct Named {
    grant: Option<GrantId>,
    kdf: Option<KdfName>,
}

impl Strict<'_> for Named {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let mut named = Self::default();
        reader.object(&mut |reader, name| {
            let value = reader.written(Reader::skip)?;
            match name {
                "grant" => named.grant = strict::read(value).ok(),
                "kdf" => named.kdf = strict::read(value).ok(),
                _ => {}
            }
            Ok(())
        })?;
        Ok(named)
    }
}

impl Listed for KeySlotEntry {
    const COUNT_MAX: usize = limits::KEY_SLOTS_MAX;
}

impl Strict<'_> for KeySlot {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        fields!(reader, refuse, {
            "grant" => grant,
            "kdf" => kdf,
            "salt" => salt,
            "commitment" => commitment,
            "nonce" => nonce,
            "wrapped" => wrapped,
            "tag" => tag,
        } {
            "cost" => cost,
            "hint" => hint,
        });
        let kdf = match (kdf, cost, hint) {
            (KdfName::Argon2idV19, Some(cost), None) => Kdf::Argon2id(cost),
            (KdfName::ExternalV1, None, Some(hint)) => Kdf::External(hint),
            _ => return Err(reader.other()),
        };
        Ok(Self {
            grant,
            kdf,
            salt,
            commitment,
            nonce,
            wrapped,
            tag,
        })
    }
}

impl Serialize for KeySlot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Element<'a> {
            grant: GrantId,
            kdf: KdfName,
            #[serde(skip_serializing_if = "Option::is_none")]
            cost: Option<&'a Cost>,
            #[serde(skip_serializing_if = "Option::is_none")]
            hint: Option<&'a Hint>,
            salt: Hex<16>,
            commitment: Hex<32>,
            nonce: Hex<12>,
            wrapped: Hex<64>,
            tag: Hex<16>,
        }
        let (cost, hint) = match &self.kdf {
            Kdf::Argon2id(cost) => (Some(cost), None),
            Kdf::External(hint) => (None, Some(hint)),
        };
        let element = Element {
            grant: self.grant,
            kdf: self.kdf.name(),
            cost,
            hint,
            salt: self.salt,
            commitment: self.commitment,
            nonce: self.nonce,
            wrapped: self.wrapped,
            tag: self.tag,
        };
        element.serialize(serializer)
    }
}

impl Strict<'_> for Hint {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let wrong = reader.other();
        let Base64Url(bytes) = Base64Url::read(reader)?;
        Self::new(&bytes).map_err(|_| wrong)
    }
}

impl Serialize for Hint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        base64url::serialize(&self.0, serializer)
    }
}

impl Strict<'_> for KdfName {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.word(|word| match word {
            "argon2id-v19" => Some(Self::Argon2idV19),
            "external-v1" => Some(Self::ExternalV1),
            _ => None,
        })
    }
}

object!(Cost { "memory_kib" => memory_kib, "passes" => passes, "lanes" => lanes, });
