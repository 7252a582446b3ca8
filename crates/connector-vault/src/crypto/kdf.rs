//! From a passphrase or an external key to the keys of a key slot: Argon2id (RFC 9106) and HKDF-SHA256 (RFC 5869);
//! docs/format.md section 4.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use serde::Serialize;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::label;
use crate::bytes::{Reader, damaged};
use crate::error::{Code, Detail, Error, Result, counted};
use crate::limits;
use crate::unicode;

/// A 32-byte key, wiped when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// A passphrase in Unicode NFC, so that every surface derives the same key from what looks the
/// same; wiped when dropped.
#[derive(Clone)]
pub struct Passphrase(Form);

#[derive(Clone)]
enum Form {
    // A function, so that a program which derives elsewhere does not contain Argon2id.
    Text(Zeroizing<String>, Derive),
    Stretched(Stretched),
    Outside(Zeroizing<String>, Vec<Stretched>),
}

/// Runs Argon2id in the given memory.
type Derive = fn(&mut Memory, &[u8], &[u8; 16], Cost) -> Result<Key>;

/// What Argon2id version 1.3 (RFC 9106) has to make of a passphrase somewhere else: 32 bytes, for [`Stretched::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Derivation {
    /// The salt.
    pub salt: [u8; Stretched::SALT_LEN],
    /// The cost, which is within the limits.
    pub cost: Cost,
}

impl Derivation {
    /// For a key slot that is to be made.
    ///
    /// Fails with `cost_out_of_range`, also for more memory than `memory_kib_max`: a key slot that its maker
    /// cannot open is of no use.
    pub fn new(salt: [u8; Stretched::SALT_LEN], cost: Cost, memory_kib_max: u32) -> Result<Self> {
        let cost = cost.check(memory_kib_max)?;
        Ok(Self { salt, cost })
    }

    /// The derivation that a call has failed for, which had no effect. The passphrase is
    /// [derived elsewhere](Passphrase::outside): [add](Passphrase::add) the result, and call again.
    #[must_use]
    pub fn wanted_by(error: &Error) -> Option<Self> {
        let Some(Detail::Argon2id { salt, cost }) = error.detail() else {
            return None;
        };
        let [memory_kib, passes, lanes] = cost;
        let cost = Cost {
            memory_kib,
            passes,
            lanes,
        };
        Some(Self { salt, cost })
    }

    pub(crate) fn wanted(self) -> Error {
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = self.cost;
        Error::new(Code::Internal, "Argon2id has not run for this passphrase").about(
            Detail::Argon2id {
                salt: self.salt,
                cost: [memory_kib, passes, lanes],
            },
        )
    }
}

impl Passphrase {
    /// Normalizes and takes a passphrase: 1..=4,096 bytes.
    ///
    /// ```
    /// # use connector_vault::Passphrase;
    /// assert!(Passphrase::new("correct horse battery staple").is_ok());
    /// assert!(Passphrase::new("").is_err());
    /// ```
    pub fn new(passphrase: &str) -> Result<Self> {
        Ok(Self(Form::Text(normal(passphrase)?, argon2id)))
    }

    /// The same for a host that runs Argon2id itself: in JavaScript it stands in a module of its own, in a worker. A call
    /// that needs a key fails without an effect, and says which [`Derivation`] it wants.
    pub fn outside(passphrase: &str) -> Result<Self> {
        Ok(Self(Form::Outside(normal(passphrase)?, Vec::new())))
    }

    /// The result of a derivation; only for a passphrase that is derived elsewhere.
    pub fn add(&mut self, stretched: Stretched) {
        if let Form::Outside(_, done) = &mut self.0 {
            done.push(stretched);
        }
    }

    /// The normalized text, which Argon2id takes in UTF-8. `None` if it was [stretched](Self::stretch) before.
    #[must_use]
    pub fn expose(&self) -> Option<&str> {
        match &self.0 {
            Form::Text(text, _) | Form::Outside(text, _) => Some(text),
            Form::Stretched(_) => None,
        }
    }

    /// Runs Argon2id for a key slot that is to be made somewhere else: in a browser, where the page must
    /// not wait for it, this happens in a worker, and the page makes the key slot of the result.
    ///
    /// Fails with `cost_out_of_range`, also for more memory than `memory_kib_max`: a key slot that its maker
    /// cannot open is of no use.
    ///
    /// ```
    /// # use connector_vault::{Cost, Passphrase, Stretched, limits};
    /// let passphrase = Passphrase::new("correct horse battery staple")?;
    /// let bytes = passphrase
    ///     .stretch([7; Stretched::SALT_LEN], Cost::MIN, limits::MEMORY_KIB_MAX)?
    ///     .to_bytes();
    /// // On the other thread:
    /// let passphrase = Passphrase::from(Stretched::from_bytes(&*bytes)?);
    /// # let _ = passphrase;
    /// # Ok::<(), connector_vault::Error>(())
    /// ```
    pub fn stretch(
        &self,
        salt: [u8; Stretched::SALT_LEN],
        cost: Cost,
        memory_kib_max: u32,
    ) -> Result<Stretched> {
        let cost = cost.check(memory_kib_max)?;
        let root = self.root(&mut Memory::default(), &salt, cost)?;
        Ok(Stretched { salt, cost, root })
    }

    /// The salt of a key slot that is to be made: a fresh one, unless Argon2id has run already.
    pub(crate) fn salt_of_new_key_slot(
        &self,
        rng: &mut dyn CryptoRng,
    ) -> [u8; Stretched::SALT_LEN] {
        let mut salt = [0; Stretched::SALT_LEN];
        match &self.0 {
            Form::Text(..) | Form::Outside(..) => rng.fill_bytes(&mut salt),
            Form::Stretched(stretched) => salt = stretched.salt,
        }
        salt
    }

    /// What Argon2id makes of the passphrase.
    fn root(&self, memory: &mut Memory, salt: &[u8; 16], cost: Cost) -> Result<Key> {
        match &self.0 {
            Form::Text(text, derive) => derive(memory, text.as_bytes(), salt, cost),
            Form::Stretched(stretched) if stretched.salt == *salt && stretched.cost == cost => {
                Ok(stretched.root.clone())
            }
            Form::Outside(_, done) => {
                let mut done = done.iter();
                let done = done.find(|done| done.salt == *salt && done.cost == cost);
                let wanted = || Derivation { salt: *salt, cost }.wanted();
                Ok(done.ok_or_else(wanted)?.root.clone())
            }
            Form::Stretched(_) => Err(Error::new(
                Code::InvalidArgument,
                "the passphrase was stretched for another salt or cost",
            )),
        }
    }
}

/// A passphrase in Unicode NFC.
fn normal(passphrase: &str) -> Result<Zeroizing<String>> {
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
    unicode::push_nfc(passphrase, &mut normal);
    Ok(normal)
}

/// A passphrase after Argon2id, for the one key slot that is made of it; wiped when dropped.
/// `Debug` is redacted.
#[derive(Clone)]
pub struct Stretched {
    salt: [u8; Self::SALT_LEN],
    cost: Cost,
    root: Key,
}

impl Stretched {
    /// Bytes of a salt.
    pub const SALT_LEN: usize = 16;
    /// Bytes of the form for another thread: salt, cost, root.
    pub const LEN: usize = Self::SALT_LEN + 3 * 4 + 32;

    /// What Argon2id has made of a passphrase by a derivation.
    #[must_use]
    pub fn new(derivation: Derivation, root: &[u8; 32]) -> Self {
        Self {
            salt: derivation.salt,
            cost: derivation.cost,
            root: Zeroizing::new(*root),
        }
    }

    /// Itself for another thread of this program. As secret as the passphrase.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; Self::LEN]> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = self.cost;
        let (salt, rest) = bytes.split_at_mut(Self::SALT_LEN);
        let (cost, root) = rest.split_at_mut(12);
        salt.copy_from_slice(&self.salt);
        for (word, number) in cost.chunks_exact_mut(4).zip([memory_kib, passes, lanes]) {
            word.copy_from_slice(&number.to_le_bytes());
        }
        root.copy_from_slice(&*self.root);
        bytes
    }

    /// Reads [`to_bytes`](Self::to_bytes). Fails with `damaged` for any other number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, 0);
        if bytes.len() != Self::LEN {
            return Err(damaged(0, "this is no stretched passphrase"));
        }
        Ok(Self {
            salt: *reader.array("the salt")?,
            cost: Cost {
                memory_kib: reader.u32("the memory")?,
                passes: reader.u32("the passes")?,
                lanes: reader.u32("the lanes")?,
            },
            root: Zeroizing::new(*reader.array("the root")?),
        })
    }
}

impl From<Stretched> for Passphrase {
    fn from(stretched: Stretched) -> Self {
        Self(Form::Stretched(stretched))
    }
}

impl fmt::Debug for Stretched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stretched(..)")
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// A key of 32 bytes that a host keeps outside the vault: the PRF output of a passkey, a key that a key management
/// service unwraps, an entry of a keychain. Wiped when dropped.
///
/// ```
/// # use connector_vault::{Code, ExternalKey};
/// # let unwrapped = [7; 32];
/// let key = ExternalKey::from_bytes(&unwrapped)?;
/// assert_eq!(ExternalKey::from_bytes(&[7; 16]).unwrap_err().code(), Code::InvalidArgument);
/// # let _ = key;
/// # Ok::<(), connector_vault::Error>(())
/// ```
#[derive(Clone)]
pub struct ExternalKey(Key);

impl ExternalKey {
    /// Its length in bytes.
    pub const LEN: usize = 32;

    /// Takes the bytes of a key. They have to be as hard to guess as random ones: trying a key costs nothing.
    ///
    /// Fails with `invalid_argument` for another number of bytes than 32.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.len() != Self::LEN {
            return Err(Error::new(
                Code::InvalidArgument,
                format!(
                    "an external key has 32 bytes, and these are {}",
                    bytes.len()
                ),
            ));
        }
        let mut key = Key::default();
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }

    /// The keys of a key slot with this salt. It costs nothing, since nobody can guess an external key.
    pub(crate) fn key_slot_keys(&self, salt: &[u8; 16]) -> KeySlotKeys {
        KeySlotKeys {
            wrapping: derive_key(&self.0, label::EXTERNAL_SLOT_KEY, &[salt]),
            commitment: *derive_key(&self.0, label::EXTERNAL_SLOT_COMMITMENT, &[salt]),
        }
    }
}

impl fmt::Debug for ExternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalKey(..)")
    }
}

/// What a key slot costs to try: Argon2id v1.3 parameters (RFC 9106 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
        if (limits::MEMORY_KIB_MIN..=memory_kib_max).contains(&memory_kib)
            && (1..=limits::PASSES_MAX).contains(&passes)
            && (1..=limits::LANES_MAX).contains(&lanes)
            && self.work_kib() <= limits::MEMORY_KIB_TIMES_PASSES_MAX
        {
            return Ok(self);
        }
        Err(Error::new(
            Code::CostOutOfRange,
            format!(
                "Argon2id with {} of memory, {} and {} is outside the limits",
                memory(memory_kib),
                counted(passes, "pass", "passes"),
                counted(lanes, "lane", "lanes"),
            ),
        )
        .with_hint(format!(
            "memory from {} to {}, passes from 1 to {}, lanes from 1 to {}, memory times passes at most {} KiB",
            memory(limits::MEMORY_KIB_MIN),
            memory(memory_kib_max),
            limits::PASSES_MAX,
            limits::LANES_MAX,
            limits::MEMORY_KIB_TIMES_PASSES_MAX,
        )))
    }

    /// Memory times passes, in KiB.
    pub(crate) fn work_kib(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }

    /// The system does not give this process the memory that Argon2id needs.
    #[must_use]
    pub fn out_of_memory(self) -> Error {
        let needed = memory(self.memory_kib);
        Error::new(
            Code::OutOfMemory,
            format!("the system does not give this process the {needed} of memory that Argon2id needs"),
        )
        .with_hint("free memory, or raise the limit of this process or its container; the vault is not at fault")
    }

    /// Whether nothing but its memory is beyond what is allowed, and the format permits so much.
    pub(crate) fn lacks_memory(self, memory_kib_max: u32) -> bool {
        self.memory_kib > memory_kib_max && self.check(limits::MEMORY_KIB_MAX_NATIVE).is_ok()
    }
}

/// An amount of memory as messages have it.
pub(crate) fn memory(kib: u32) -> String {
    match kib % 1024 {
        0 => format!("{} MiB", kib / 1024),
        _ => format!("{kib} KiB"),
    }
}

/// The two keys of a key slot.
pub(crate) struct KeySlotKeys {
    /// Wraps the identity.
    pub(crate) wrapping: Key,
    /// Stored in the clear and compared before unwrapping: AES-GCM does not commit to its key.
    pub(crate) commitment: [u8; 32],
}

/// Derives the keys of a key slot. The cost has been checked: a hostile file must not choose our
/// memory use.
pub(crate) fn derive_key_slot_keys(
    memory: &mut Memory,
    passphrase: &Passphrase,
    salt: &[u8; 16],
    cost: Cost,
) -> Result<KeySlotKeys> {
    let root = passphrase.root(memory, salt, cost)?;
    Ok(KeySlotKeys {
        wrapping: derive_key(&root, label::KEY_SLOT_KEY, &[]),
        commitment: *derive_key(&root, label::KEY_SLOT_COMMITMENT, &[]),
    })
}

fn argon2id(memory: &mut Memory, passphrase: &[u8], salt: &[u8; 16], cost: Cost) -> Result<Key> {
    let internal = |_| Error::new(Code::Internal, "Argon2id refused its parameters");
    let params =
        Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(internal)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, params);
    let blocks = memory
        .blocks(argon2.params().block_count())
        .ok_or_else(|| cost.out_of_memory())?;
    let mut root = Key::default();
    argon2
        .hash_password_into_with_memory(passphrase, salt, &mut *root, blocks)
        .map_err(internal)?;
    Ok(root)
}

/// Argon2's working memory, which the crate neither lets fail softly nor wipes. One serves all
/// key slots that are tried: getting it from the system costs a third as much as filling it.
#[derive(Default)]
pub(crate) struct Memory(Vec<Block>);

impl Memory {
    fn blocks(&mut self, count: usize) -> Option<&mut [Block]> {
        if count > self.0.len() {
            // Wiped and taken anew: a vector that grows may move, and leave what it held behind.
            *self = Self::default();
            self.0.try_reserve_exact(count).ok()?;
            self.0.resize(count, Block::new());
        }
        Some(&mut self.0[..count])
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
            derive_key_slot_keys(&mut Memory::default(), passphrase, &[7; 16], Cost::MIN)
                .expect("derived")
        };
        assert_eq!(*keys(&composed).wrapping, *keys(&decomposed).wrapping);
    }

    #[test]
    fn one_external_key_shows_no_equal_commitments() {
        let key = ExternalKey::from_bytes(&[7; 32]).expect("32 bytes");
        let (one, other) = (key.key_slot_keys(&[1; 16]), key.key_slot_keys(&[2; 16]));
        assert_ne!(one.commitment, other.commitment);
        assert_ne!(*one.wrapping, *other.wrapping);
        assert_ne!(*one.wrapping, one.commitment);
        assert_eq!(format!("{key:?}"), "ExternalKey(..)");
        for len in [0, 31, 33, 64] {
            let refused = ExternalKey::from_bytes(&vec![7; len]).map(drop);
            assert_eq!(
                refused.map_err(|error| error.code()),
                Err(Code::InvalidArgument)
            );
        }
    }

    #[test]
    fn a_stretched_passphrase_derives_the_same_keys_and_no_others() {
        let passphrase = Passphrase::new("pass").expect("valid");
        let stretched = passphrase
            .stretch([7; 16], Cost::MIN, limits::MEMORY_KIB_MAX)
            .expect("stretched");
        let bytes = stretched.to_bytes();
        for len in 0..bytes.len() {
            assert!(Stretched::from_bytes(&bytes[..len]).is_err());
        }
        assert!(Stretched::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        let again = Passphrase::from(Stretched::from_bytes(&*bytes).expect("its own bytes"));
        let keys = |passphrase: &Passphrase, salt, cost| {
            derive_key_slot_keys(&mut Memory::default(), passphrase, &salt, cost)
                .map(|keys| *keys.wrapping)
        };
        let expected = keys(&passphrase, [7; 16], Cost::MIN).expect("derived");
        assert_eq!(keys(&again, [7; 16], Cost::MIN), Ok(expected));
        let code = |keys: Result<[u8; 32]>| keys.map_err(|error| error.code());
        let refused = Err(Code::InvalidArgument);
        assert_eq!(code(keys(&again, [8; 16], Cost::MIN)), refused);
        assert_eq!(code(keys(&again, [7; 16], Cost::default())), refused);
        for (cost, max) in [
            (
                Cost {
                    lanes: 9,
                    ..Cost::MIN
                },
                65_536,
            ),
            (Cost::default(), 65_535),
        ] {
            let refused = passphrase.stretch([7; 16], cost, max).map(drop);
            assert_eq!(
                refused.map_err(|error| error.code()),
                Err(Code::CostOutOfRange)
            );
        }
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
