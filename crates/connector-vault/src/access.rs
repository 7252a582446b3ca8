//! Who may open what and do what: key slots, key bundles and rights (docs/format.md sections 3 to 5).

mod bundle;
pub(crate) mod groups;
mod key_slots;
mod rights;
mod unlock;

pub(crate) use self::bundle::{Bundle, BundlePlace, GroupKeys, deposit_key};
pub use self::key_slots::{BrokenKeySlot, KeySlotInfo, KeySlotKind, KeySlotSalt, NewPasskey};
pub(crate) use self::key_slots::{NewSecret, list, make_key_slot, new_salt};
pub(crate) use self::rights::Rights;
pub(crate) use self::unlock::{Bounds, Way};
pub use self::unlock::{KeySlotMatch, Unlock};

use crate::crypto::Hash;
use crate::crypto::identity::{GrantKey, Identity, IdentityKeys};
use crate::crypto::label::{self, bind};
use crate::error::{Code, Error, Result};
use crate::format::header::{Grant, Header};
use crate::format::hex::{GrantId, VaultId};
use crate::format::rights::RightEntry;

pub(crate) fn not_permitted(message: impl Into<String>) -> Error {
    Error::new(Code::NotPermitted, message.into())
        .with_hint("ask an owner of the vault for a right that permits it")
}

/// An open grant: who is at work, and the keys of the present epoch.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) identity: Identity,
    pub(crate) keys: IdentityKeys,
    /// Index of the grant in the header.
    pub(crate) index: u16,
    pub(crate) grant: GrantId,
    pub(crate) rights: Vec<RightEntry>,
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
            rights: &grant.rights,
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
        bundle.check(header)?;
        let index = u16::try_from(index).expect("a header lists at most 256 grants");
        Ok(Self {
            identity,
            keys,
            index,
            grant: grant.id,
            rights: grant.rights.clone(),
            bundle,
        })
    }

    /// What the grant permits.
    pub(crate) fn rights(&self) -> Rights<'_> {
        Rights::of(&self.rights)
    }

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
