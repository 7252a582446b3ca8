//! Who may open what and do what: roles and key bundles (docs/format.md section 3).

mod key_slots;
mod unlock;

pub use self::key_slots::{BrokenKeySlot, KeySlotInfo, KeySlotKind, KeySlotSalt, NewPasskey};
pub(crate) use self::key_slots::{NewSecret, list, make_key_slot, new_salt};
pub(crate) use self::unlock::{Bounds, unlock};
pub use self::unlock::{KeySlotMatch, Unlock};

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::crypto::Hash;
use crate::crypto::identity::{GrantKey, Identity, IdentityKeys, VaultKey};
use crate::crypto::kdf::Key;
use crate::crypto::label::{self, bind};
use crate::error::{Code, Error, Result};
use crate::format::header::{Grant, Header};
use crate::format::hex::{GrantId, VaultId};
use crate::role::Role;

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
    ) -> Result<Vec<u8>> {
        let mut plaintext = Zeroizing::new(Vec::with_capacity(96));
        plaintext.extend_from_slice(&*self.overview);
        if place.role.reads() {
            plaintext.extend_from_slice(&**self.secret_root.as_ref().ok_or_else(owners_only)?);
        }
        if place.role.owns() {
            plaintext.extend_from_slice(&*self.vault_key.as_ref().ok_or_else(owners_only)?.seed());
        }
        key.x_wing
            .seal(rng, &place.info(), &plaintext)
            .ok_or_else(|| {
                Error::new(
                    Code::InvalidGrantKey,
                    "nothing can be sealed to this grant key",
                )
            })
    }

    /// Opens the bundle of a grant; fails with `damaged` if it is not what its role holds.
    fn open(keys: &IdentityKeys, place: &BundlePlace, sealed: &[u8]) -> Result<Self> {
        let damaged = || {
            Error::new(
                Code::Damaged,
                format!("the key bundle of grant {} is damaged", place.grant),
            )
        };
        let plaintext = keys.open(&place.info(), sealed).ok_or_else(damaged)?;
        let (parts, rest) = plaintext.as_chunks::<32>();
        if parts.len() != place.role.keys() || !rest.is_empty() {
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
        .with_hint("ask an owner of the vault for a grant with a role that permits it")
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
            .find(|(_, grant)| is_key_of(&keys.public, grant));
        let Some((index, grant)) = found else {
            return Err(Error::new(
                Code::WrongIdentity,
                "the vault has no grant for this identity",
            )
            .with_hint("the grant may have been revoked; ask an owner of the vault"));
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
        let index = u16::try_from(index).expect("a header lists at most 256 grants");
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

fn is_key_of(key: &GrantKey, grant: &Grant) -> bool {
    key.ed25519 == grant.ed25519.0 && key.x_wing == grant.x_wing
}
