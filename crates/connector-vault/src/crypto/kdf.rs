//! From a passphrase to the keys of a lock: Argon2id (RFC 9106) and HKDF-SHA256 (RFC 5869);
//! docs/format.md section 4.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::label;
use crate::error::{Code, Error, Result};
use crate::limits;

/// A 32-byte key, wiped when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// A passphrase in Unicode NFC, so that every surface derives the same key from what looks the
/// same; wiped when dropped.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Normalizes and takes a passphrase: 1..=4,096 bytes.
    ///
    /// ```
    /// # use connector_vault::Passphrase;
    /// assert!(Passphrase::new("correct horse battery staple").is_ok());
    /// assert!(Passphrase::new("").is_err());
    /// ```
    pub fn new(passphrase: &str) -> Result<Self> {
        let invalid = |message| Err(Error::new(Code::InvalidPassphrase, message));
        if passphrase.is_empty() {
            return invalid("the passphrase is empty");
        }
        if passphrase.len() > limits::PASSPHRASE_LEN_MAX {
            return invalid("the passphrase is longer than 4096 bytes");
        }
        // NFC at most triples UTF-8 (UAX 15): with this capacity the text never moves and so
        // leaves no copy behind.
        let mut normal = Zeroizing::new(String::with_capacity(3 * passphrase.len()));
        normal.extend(passphrase.nfc());
        Ok(Self(normal))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What a lock costs to try: Argon2id v1.3 parameters (RFC 9106 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Memory in KiB: 19,456..=262,144 (native callers may opt in to 1,048,576).
    pub memory_kib: u32,
    /// Passes over the memory: 1..=16.
    pub passes: u32,
    /// Lanes: 1..=4.
    pub lanes: u32,
}

impl Default for Cost {
    /// 64 MiB, 3 passes, 1 lane.
    fn default() -> Self {
        Self {
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 1,
        }
    }
}

impl Cost {
    /// The least cost that the limits allow: 19 MiB, 1 pass, 1 lane. For tests.
    pub const MIN: Self = Self {
        memory_kib: limits::MEMORY_KIB_MIN,
        passes: 1,
        lanes: 1,
    };

    /// Fails with `cost_out_of_range` outside the limits.
    pub(crate) fn check(self, memory_kib_max: u32) -> Result<Self> {
        let Self {
            memory_kib,
            passes,
            lanes,
        } = self;
        let work = u64::from(memory_kib) * u64::from(passes);
        if (limits::MEMORY_KIB_MIN..=memory_kib_max).contains(&memory_kib)
            && (1..=limits::PASSES_MAX).contains(&passes)
            && (1..=limits::LANES_MAX).contains(&lanes)
            && work <= limits::MEMORY_KIB_TIMES_PASSES_MAX
        {
            return Ok(self);
        }
        Err(Error::new(
            Code::CostOutOfRange,
            format!("Argon2id with {memory_kib} KiB, {passes} passes and {lanes} lanes is outside the limits"),
        )
        .hint(format!(
            "memory {}..={memory_kib_max} KiB, passes 1..={}, lanes 1..={}, memory x passes at most {} KiB",
            limits::MEMORY_KIB_MIN,
            limits::PASSES_MAX,
            limits::LANES_MAX,
            limits::MEMORY_KIB_TIMES_PASSES_MAX,
        )))
    }
}

/// The two keys of a lock.
pub(crate) struct LockKeys {
    /// Wraps the identity.
    pub(crate) wrapping: Key,
    /// Stored in the clear and compared before unwrapping: AES-GCM does not commit to its key.
    pub(crate) commitment: [u8; 32],
}

/// Derives the keys of a lock. The cost has been checked: a hostile file must not choose our
/// memory use.
pub(crate) fn derive_lock_keys(
    memory: &mut Memory,
    passphrase: &Passphrase,
    salt: &[u8; 16],
    cost: Cost,
) -> Result<LockKeys> {
    let internal = |_| Error::new(Code::Internal, "Argon2id refused its parameters");
    let params =
        Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(internal)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, params);
    let blocks = memory.blocks(argon2.params().block_count())?;
    let mut root = Key::default();
    argon2
        .hash_password_into_with_memory(passphrase.0.as_bytes(), salt, &mut *root, blocks)
        .map_err(internal)?;
    Ok(LockKeys {
        wrapping: derive_key(&root, label::LOCK_KEY, &[]),
        commitment: *derive_key(&root, label::LOCK_COMMITMENT, &[]),
    })
}

/// Argon2's working memory, which the crate neither lets fail softly nor wipes. One serves all
/// locks that are tried: getting it from the system costs a third as much as filling it.
#[derive(Default)]
pub(crate) struct Memory(Vec<Block>);

impl Memory {
    fn blocks(&mut self, count: usize) -> Result<&mut [Block]> {
        if count > self.0.len() {
            // Wiped and taken anew: a vector that grows may move, and leave what it held behind.
            *self = Self::default();
            self.0.try_reserve_exact(count).map_err(|_| {
                Error::new(
                    Code::CostOutOfRange,
                    format!("{count} KiB for Argon2id are not to be had"),
                )
            })?;
            self.0.resize(count, Block::new());
        }
        Ok(&mut self.0[..count])
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // Wide stores, which the barrier keeps: one volatile word after the other takes twice as
        // long.
        for block in &mut self.0 {
            block.as_mut().fill(0);
        }
        zeroize::optimization_barrier(self.0.as_slice());
    }
}

/// HKDF-SHA256 of a 32-byte secret: no salt, `bind(label, inputs)` as info, 32 bytes out.
pub(crate) fn derive_key(secret: &[u8; 32], label: &str, inputs: &[&[u8]]) -> Key {
    let mut key = Key::default();
    Hkdf::<Sha256>::new(None, secret)
        .expand(&label::bind(label, inputs), &mut *key)
        .expect("32 bytes are a valid HKDF-SHA256 length");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_forms_derive_the_same_key() {
        let composed = Passphrase::new("caf\u{e9}").expect("valid");
        let decomposed = Passphrase::new("cafe\u{301}").expect("valid");
        let keys = |passphrase| {
            derive_lock_keys(&mut Memory::default(), passphrase, &[7; 16], Cost::MIN)
                .expect("derived")
        };
        assert_eq!(*keys(&composed).wrapping, *keys(&decomposed).wrapping);
    }

    #[test]
    fn costs_outside_the_limits() {
        let cost = |memory_kib, passes, lanes| Cost {
            memory_kib,
            passes,
            lanes,
        };
        for (cost, good) in [
            (Cost::default(), true),
            (Cost::MIN, true),
            (cost(256 * 1024, 4, 4), true),
            (cost(256 * 1024, 5, 1), false),
            (cost(256 * 1024 + 1, 1, 1), false),
            (cost(19 * 1024 - 1, 1, 1), false),
            (cost(64 * 1024, 0, 1), false),
            (cost(64 * 1024, 17, 1), false),
            (cost(64 * 1024, 1, 0), false),
            (cost(64 * 1024, 1, 5), false),
            (cost(u32::MAX, u32::MAX, u32::MAX), false),
        ] {
            assert_eq!(cost.check(limits::MEMORY_KIB_MAX).is_ok(), good, "{cost:?}");
        }
    }
}
