//! The key slot part: how the holders of passphrases unlock the identities of their grants
//! (docs/format.md section 4). It stands outside the log, so that a replaced passphrase leaves
//! the file.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Object;
use super::hex::{GrantId, Hex};
use crate::bytes::damaged;
use crate::crypto::kdf::Cost;
use crate::error::{Code, Error, Result};
use crate::limits;

/// One key slot. Its cost is checked when it is used: a broken key slot disables itself, not the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeySlot {
    pub(crate) grant: GrantId,
    pub(crate) kdf: KdfName,
    #[serde(deserialize_with = "super::object")]
    pub(crate) cost: Cost,
    pub(crate) salt: Hex<16>,
    pub(crate) commitment: Hex<32>,
    pub(crate) nonce: Hex<12>,
    /// AES-256-GCM of `identity || vault_id`.
    pub(crate) wrapped: Hex<64>,
    pub(crate) tag: Hex<16>,
}

/// The one key derivation of format 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KdfName {
    /// Argon2id version 1.3.
    #[serde(rename = "argon2id-v19")]
    Argon2idV19,
}

/// A key slot, or something in its place that is none and that a rewrite keeps as it is.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum KeySlotEntry {
    /// A key slot that follows the format.
    KeySlot(KeySlot),
    /// Something else: a damaged key slot, or one of a later version.
    Broken(Box<RawValue>),
}

/// The key slot part in `bytes`, which stand at `offset`.
pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Vec<KeySlotEntry>> {
    let entries: Vec<Box<RawValue>> = super::from_json(bytes, offset, "the key slot part")?;
    if entries.len() > limits::GRANTS_MAX {
        let count = entries.len();
        return Err(damaged(
            offset,
            format!(
                "{count} key slots, at most {} are allowed",
                limits::GRANTS_MAX
            ),
        ));
    }
    Ok(entries
        .into_iter()
        .map(|entry| match serde_json::from_str(entry.get()) {
            Ok(Object(slot)) => KeySlotEntry::KeySlot(slot),
            Err(_) => KeySlotEntry::Broken(entry),
        })
        .collect())
}

/// The bytes of the key slot part. Fails with `limit_exceeded` rather than make a file that no
/// reader takes: storage may have filled the part with key slots that are none.
pub(crate) fn encode(key_slots: &[KeySlotEntry]) -> Result<Vec<u8>> {
    let bytes = super::to_json(&key_slots);
    if bytes.len() > limits::KEY_SLOTS_LEN_MAX || key_slots.len() > limits::GRANTS_MAX {
        return Err(Error::new(
            Code::LimitExceeded,
            "the key slot part would have more than 64 key slots or 256 KiB",
        )
        .with_hint("revoke a grant that has a key slot"));
    }
    Ok(bytes)
}
