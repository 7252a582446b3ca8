//! Who may open what and do what: roles, key bundles and locks (docs/format.md sections 3 and 4).

use std::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::identity::{self, GrantKey, Identity, IdentityKeys, VaultKey};
use crate::crypto::kdf::{self, Cost, Key, Memory, Passphrase};
use crate::crypto::label::{self, bind};
use crate::crypto::{Hash, aead};
use crate::error::{Code, Error, Result};
use crate::format::header::{Grant, Header, Role};
use crate::format::hex::{GrantId, Hex, VaultId};
use crate::format::locks::{KdfName, Lock, LockEntry};

impl Role {
    /// Whether it reads values.
    #[must_use]
    pub fn reads(self) -> bool {
        self >= Self::Reader
    }

    /// Whether it changes existing connectors.
    #[must_use]
    pub fn updates(self) -> bool {
        self >= Self::Updater
    }

    /// Whether it may do everything.
    #[must_use]
    pub fn owns(self) -> bool {
        self >= Self::Owner
    }
}

/// The keys of one epoch that a role holds.
#[derive(Clone)]
pub(crate) struct Bundle {
    pub(crate) overview: Key,
    /// Readers, updaters, owners.
    pub(crate) secret_root: Option<Key>,
    /// Owners.
    pub(crate) vault_key: Option<VaultKey>,
}

impl Bundle {
    /// The keys of a new epoch.
    pub(crate) fn generate(rng: &mut dyn CryptoRng, vault_key: VaultKey) -> Self {
        let mut overview = Key::default();
        let mut secret_root = Key::default();
        rng.fill_bytes(&mut *overview);
        rng.fill_bytes(&mut *secret_root);
        Self {
            overview,
            secret_root: Some(secret_root),
            vault_key: Some(vault_key),
        }
    }

    /// What of an owner's bundle a role gets, sealed to a grant.
    pub(crate) fn seal(
        &self,
        rng: &mut dyn CryptoRng,
        place: &BundlePlace,
        key: &GrantKey,
    ) -> Result<String> {
        let mut plaintext = Zeroizing::new(Vec::with_capacity(96));
        plaintext.extend_from_slice(&*self.overview);
        if place.role.reads() {
            plaintext.extend_from_slice(&**self.secret_root.as_ref().ok_or_else(owners_only)?);
        }
        if place.role.owns() {
            plaintext.extend_from_slice(&*self.vault_key.as_ref().ok_or_else(owners_only)?.seed());
        }
        let sealed = identity::seal_to(key, rng, &place.info(), &plaintext)?;
        Ok(base16ct::lower::encode_string(&sealed))
    }

    /// Opens the bundle of a grant; fails with `damaged` if it is not what its role holds.
    fn open(keys: &IdentityKeys, place: &BundlePlace, sealed: &str) -> Result<Self> {
        let damaged = || {
            Error::new(
                Code::Damaged,
                format!("the key bundle of grant {} is damaged", place.grant),
            )
        };
        let sealed = base16ct::lower::decode_vec(sealed).map_err(|_| damaged())?;
        let plaintext = keys.open(&place.info(), &sealed).ok_or_else(damaged)?;
        let (parts, rest) = plaintext.as_chunks::<32>();
        let count = 1 + usize::from(place.role.reads()) + usize::from(place.role.owns());
        if parts.len() != count || !rest.is_empty() {
            return Err(damaged());
        }
        Ok(Self {
            overview: Zeroizing::new(parts[0]),
            secret_root: parts.get(1).map(|part| Zeroizing::new(*part)),
            vault_key: parts.get(2).map(VaultKey::from_seed),
        })
    }
}

fn owners_only() -> Error {
    not_permitted("this needs the role owner")
}

pub(crate) fn not_permitted(message: impl Into<String>) -> Error {
    Error::new(Code::NotPermitted, message.into())
        .hint("ask an owner of the vault for a grant with a role that permits it")
}

/// What a bundle is bound to.
pub(crate) struct BundlePlace {
    pub(crate) vault_id: VaultId,
    pub(crate) epoch: u64,
    pub(crate) grant: GrantId,
    pub(crate) role: Role,
}

impl BundlePlace {
    pub(crate) fn info(&self) -> Vec<u8> {
        bind(
            label::BUNDLE,
            &[
                self.vault_id.as_bytes(),
                &self.epoch.to_le_bytes(),
                self.grant.as_bytes(),
                self.role.as_str().as_bytes(),
            ],
        )
    }
}

/// How a vault is opened.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Unlock<'a> {
    /// By a passphrase: each lock of the vault is tried.
    Passphrase(&'a Passphrase),
    /// By the passphrase of the grant with this label: only its lock is tried, which saves the
    /// cost of the others.
    Grant(&'a str, &'a Passphrase),
    /// By an identity. Needs the vault id or a known head among the options: otherwise storage
    /// could present a vault of its own and be handed fresh secrets.
    Identity(&'a Identity),
}

impl fmt::Debug for Unlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Unlock::Passphrase(..)",
            Self::Grant(..) => "Unlock::Grant(..)",
            Self::Identity(_) => "Unlock::Identity(..)",
        })
    }
}

/// An open grant: who is at work, and the keys of the present epoch.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) identity: Identity,
    pub(crate) keys: IdentityKeys,
    /// Index of the grant in the header.
    pub(crate) index: u16,
    pub(crate) grant: GrantId,
    pub(crate) role: Role,
    pub(crate) bundle: Bundle,
}

impl Access {
    /// The access that an identity has under a header, whose signature has been verified.
    pub(crate) fn open(identity: Identity, header: &Header) -> Result<Self> {
        let keys = identity.keys();
        let found = header
            .grants
            .iter()
            .enumerate()
            .find(|(_, grant)| grant_key(grant) == keys.public);
        let Some((index, grant)) = found else {
            return Err(Error::new(
                Code::WrongIdentity,
                "the vault has no grant for this identity",
            )
            .hint("the grant may have been revoked; ask an owner of the vault"));
        };
        let place = BundlePlace {
            vault_id: header.vault_id,
            epoch: header.epoch,
            grant: grant.id,
            role: grant.role,
        };
        let bundle = Bundle::open(&keys, &place, &grant.bundle)?;
        if bundle
            .vault_key
            .as_ref()
            .is_some_and(|key| key.public() != header.vault_key.0)
        {
            return Err(Error::new(
                Code::Damaged,
                "the bundle's vault key is not the header's",
            ));
        }
        let index = u16::try_from(index).expect("a header lists at most 64 grants");
        Ok(Self {
            identity,
            keys,
            index,
            grant: grant.id,
            role: grant.role,
            bundle,
        })
    }
}

impl Access {
    /// Signs a commit by the hash of what stands before its signature.
    pub(crate) fn sign_commit(&self, vault_id: VaultId, signed: &Hash) -> [u8; 64] {
        self.keys.sign(&commit_message(vault_id, signed))
    }
}

/// What the author of a commit signs.
pub(crate) fn commit_message(vault_id: VaultId, signed: &Hash) -> Vec<u8> {
    bind(label::COMMIT, &[vault_id.as_bytes(), signed])
}

/// The public keys of a grant.
pub(crate) fn grant_key(grant: &Grant) -> GrantKey {
    GrantKey {
        x25519: grant.x25519.0,
        ed25519: grant.ed25519.0,
    }
}

/// A lock that nobody can use, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenLock {
    /// The label of the grant whose lock it is, if that much is known.
    pub label: Option<String>,
    /// Why it is not used.
    pub reason: String,
}

/// Finds the identity that a passphrase unlocks; collects the locks that are broken.
pub(crate) fn unlock(
    header: &Header,
    locks: &[LockEntry],
    passphrase: &Passphrase,
    only: Option<&str>,
    memory_kib_max: u32,
    broken: &mut Vec<BrokenLock>,
) -> Result<Identity> {
    let mut tried = 0;
    let mut memory = Memory::default();
    for entry in locks {
        let LockEntry::Lock(lock) = entry else {
            broken.push(BrokenLock {
                label: None,
                reason: "it does not follow the format".into(),
            });
            continue;
        };
        // A lock whose grant the header does not list is ignored: a revocation leaves it behind.
        let Some(grant) = header.grants.iter().find(|grant| grant.id == lock.grant) else {
            continue;
        };
        if only.is_some_and(|label| label != grant.label) {
            continue;
        }
        let mut breaks = |reason: &str| {
            broken.push(BrokenLock {
                label: Some(grant.label.clone()),
                reason: reason.into(),
            });
        };
        if let Err(error) = lock.cost.check(memory_kib_max) {
            breaks(error.message());
            continue;
        }
        tried += 1;
        let keys = kdf::derive_lock_keys(&mut memory, passphrase, &lock.salt.0, lock.cost)?;
        // Before unwrapping: AES-GCM does not commit to its key.
        if !bool::from(keys.commitment.ct_eq(&lock.commitment.0)) {
            continue;
        }
        let context = lock_context(lock);
        let unwrapped = aead::unwrap(
            &keys.wrapping,
            &lock.nonce.0,
            &context,
            &lock.wrapped.0,
            &lock.tag.0,
        );
        let Some(unwrapped) = unwrapped else {
            breaks("its content is damaged");
            continue;
        };
        let (parts, _) = unwrapped.as_chunks::<32>();
        let identity = Identity::from_bytes(parts[0]);
        if parts[1] != *header.vault_id.as_bytes() {
            return Err(Error::new(Code::WrongVault, "the lock was made for another vault").hint(
                "somebody may have put another vault in the place of yours; restore it from a backup",
            ));
        }
        if identity.grant_key() != grant_key(grant) {
            breaks("its identity is not its grant's");
            continue;
        }
        return Ok(identity);
    }
    if tried == 0 {
        let message = match only {
            Some(label) => format!("the vault has no lock for the grant {label:?}"),
            None => "the vault has no lock that a passphrase could open".into(),
        };
        return Err(Error::new(Code::NoLock, message).hint("open it with an identity"));
    }
    Err(Error::new(
        Code::WrongPassphrase,
        "no lock of the vault opens with this passphrase",
    ))
}

/// A lock for the holder of a passphrase, with a fresh salt and nonce.
pub(crate) fn lock(
    rng: &mut dyn CryptoRng,
    header_vault_id: VaultId,
    grant: GrantId,
    identity: &Identity,
    passphrase: &Passphrase,
    cost: Cost,
) -> Result<Lock> {
    let salt = passphrase.salt_of_new_lock(rng);
    let mut nonce = [0; 12];
    rng.fill_bytes(&mut nonce);
    let keys = kdf::derive_lock_keys(&mut Memory::default(), passphrase, &salt, cost)?;
    let mut lock = Lock {
        grant,
        kdf: KdfName::Argon2idV19,
        cost,
        salt: Hex(salt),
        commitment: Hex(keys.commitment),
        nonce: Hex(nonce),
        wrapped: Hex([0; 64]),
        tag: Hex([0; 16]),
    };
    let mut content = Zeroizing::new([0; 64]);
    content[..32].copy_from_slice(identity.as_bytes());
    content[32..].copy_from_slice(header_vault_id.as_bytes());
    let context = lock_context(&lock);
    lock.tag = Hex(aead::wrap(&keys.wrapping, &nonce, &context, &mut *content));
    // By now it is ciphertext.
    lock.wrapped = Hex(*content);
    Ok(lock)
}

/// Associated data of a lock: all its parameters and its grant.
fn lock_context(lock: &Lock) -> Vec<u8> {
    bind(
        label::LOCK,
        &[
            lock.grant.as_bytes(),
            &lock.cost.memory_kib.to_le_bytes(),
            &lock.cost.passes.to_le_bytes(),
            &lock.cost.lanes.to_le_bytes(),
            &lock.salt.0,
            &lock.commitment.0,
        ],
    )
}
