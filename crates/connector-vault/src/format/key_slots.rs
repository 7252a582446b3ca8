//! The key slot part: how the holders of passphrases unlock the identities of their grants
//! (docs/format.md section 4). It stands outside the log, so that a replaced passphrase leaves
//! the file.

use serde::Serialize;

use super::hex::{GrantId, Hex};
use crate::crypto::kdf::Cost;
use crate::error::{Code, Error, Result};
use crate::json::strict::{self, Listed, Read, Reader, Strict, object};
use crate::limits;

/// One key slot. Its cost is checked when it is used: a broken key slot disables itself, not the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct KeySlot {
    pub(crate) grant: GrantId,
    pub(crate) kdf: KdfName,
    pub(crate) cost: Cost,
    pub(crate) salt: Hex<16>,
    pub(crate) commitment: Hex<32>,
    pub(crate) nonce: Hex<12>,
    /// AES-256-GCM of `identity || vault_id`.
    pub(crate) wrapped: Hex<64>,
    pub(crate) tag: Hex<16>,
}

/// The one key derivation of format 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum KdfName {
    /// Argon2id version 1.3.
    #[serde(rename = "argon2id-v19")]
    Argon2idV19,
}

/// An element of the key slot part.
#[derive(Clone, Debug)]
pub(crate) enum KeySlotEntry {
    /// A key slot that follows the format.
    KeySlot(KeySlot),
    /// Something else: a damaged key slot, or one of a later version.
    Broken(Broken),
}

/// What stands in place of a key slot and is not a key slot of format 1.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    /// As it is written.
    text: Box<str>,
    /// The grant that it names, if it is an object that names one.
    pub(crate) grant: Option<GrantId>,
    /// Its key derivation, if format 1 knows it.
    pub(crate) kdf: Option<KdfName>,
}

impl KeySlotEntry {
    pub(crate) fn grant(&self) -> Option<GrantId> {
        match self {
            Self::KeySlot(slot) => Some(slot.grant),
            Self::Broken(broken) => broken.grant,
        }
    }

    fn kdf(&self) -> Option<KdfName> {
        match self {
            Self::KeySlot(slot) => Some(slot.kdf),
            Self::Broken(broken) => broken.kdf,
        }
    }

    /// Whether no reader uses it, whatever the caller allows.
    fn is_broken(&self) -> bool {
        match self {
            Self::KeySlot(slot) => slot.cost.check(limits::MEMORY_KIB_MAX_NATIVE).is_err(),
            Self::Broken(_) => true,
        }
    }
}

/// Puts a key slot in place of all others of its grant and key derivation, broken ones too, and before the others of
/// its grant: the first that opens is used.
pub(crate) fn replace(key_slots: &mut Vec<KeySlotEntry>, slot: KeySlot) {
    let (grant, kdf) = (Some(slot.grant), Some(slot.kdf));
    key_slots.retain(|entry| entry.grant() != grant || entry.kdf() != kdf);
    let first = key_slots.iter().position(|entry| entry.grant() == grant);
    let at = first.unwrap_or(key_slots.len());
    key_slots.insert(at, KeySlotEntry::KeySlot(slot));
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
        .filter(|entry| entry.grant().is_some_and(&is_listed))
        .collect();
    let left_out: [fn(&KeySlotEntry) -> bool; 2] =
        [|entry| entry.kdf().is_none(), KeySlotEntry::is_broken];
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
        .with_hint("revoke a grant that has a key slot")
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
        match entry {
            KeySlotEntry::KeySlot(slot) => bytes.extend(super::to_json(slot)),
            KeySlotEntry::Broken(broken) => bytes.extend_from_slice(broken.text.as_bytes()),
        }
    }
    bytes.push(b']');
    (bytes.len() <= limits::KEY_SLOTS_LEN_MAX).then_some(bytes)
}

impl Strict<'_> for KeySlotEntry {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let text = reader.written(Reader::skip)?;
        if let Ok(slot) = strict::read(text) {
            return Ok(Self::KeySlot(slot));
        }
        let Named { grant, kdf } = strict::read(text).unwrap_or_default();
        Ok(Self::Broken(Broken {
            text: text.into(),
            grant,
            kdf,
        }))
    }
}

/// What an element names that does not follow the format.
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

object!(KeySlot {
    "grant" => grant,
    "kdf" => kdf,
    "cost" => cost,
    "salt" => salt,
    "commitment" => commitment,
    "nonce" => nonce,
    "wrapped" => wrapped,
    "tag" => tag,
});

impl Strict<'_> for KdfName {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.word(|word| (word == "argon2id-v19").then_some(Self::Argon2idV19))
    }
}

object!(Cost { "memory_kib" => memory_kib, "passes" => passes, "lanes" => lanes, });
