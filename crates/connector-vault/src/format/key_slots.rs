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

/// A key slot, or something in its place that is none and that a rewrite keeps as it is.
#[derive(Clone, Debug)]
pub(crate) enum KeySlotEntry {
    /// A key slot that follows the format.
    KeySlot(KeySlot),
    /// Something else, as it is written: a damaged key slot, or one of a later version.
    Broken(Box<str>),
}

/// The key slot part in `bytes`, which stand at `offset`.
pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Vec<KeySlotEntry>> {
    super::from_json(bytes, offset, "the key slot part")
}

/// The bytes of the key slot part. Fails with `limit_exceeded` rather than make a file that no
/// reader takes: storage may have filled the part with key slots that are none.
pub(crate) fn encode(key_slots: &[KeySlotEntry]) -> Result<Vec<u8>> {
    let mut bytes = vec![b'['];
    for entry in key_slots {
        if bytes.len() > 1 {
            bytes.push(b',');
        }
        match entry {
            KeySlotEntry::KeySlot(key_slot) => bytes.extend(super::to_json(key_slot)),
            KeySlotEntry::Broken(text) => bytes.extend_from_slice(text.as_bytes()),
        }
    }
    bytes.push(b']');
    if bytes.len() > limits::KEY_SLOTS_LEN_MAX || key_slots.len() > limits::KEY_SLOTS_MAX {
        return Err(Error::new(
            Code::LimitExceeded,
            "the key slot part would have more than 256 key slots or 1 MiB",
        )
        .with_hint("revoke a grant that has a key slot"));
    }
    Ok(bytes)
}

impl Strict<'_> for KeySlotEntry {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let text = reader.written(Reader::skip)?;
        let key_slot = strict::read(text).map(Self::KeySlot);
        Ok(key_slot.unwrap_or_else(|_| Self::Broken(text.into())))
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
