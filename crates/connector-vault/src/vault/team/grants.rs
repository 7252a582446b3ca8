//! Grants: who may open the vault and do what (docs/format.md sections 3 to 5).

use std::fmt;

use serde::{Serialize, Serializer};

use super::create::{new_grant, new_grant_id};
use super::epoch::NewEpoch;
use crate::access::{BundlePlace, KeySlotKind, NewSecret, Rights, groups, make_key_slot};
use crate::connector::ConnectorId;
use crate::crypto::identity::{GrantKey, Identity};
use crate::crypto::kdf::{Cost, ExternalKey, Passphrase};
use crate::error::{Code, Error, Result};
use crate::format::header::{Grant, Header};
use crate::format::hex::{GrantId, GroupId};
use crate::format::key_slots::Hint;
use crate::format::rights::{RightEntry, Scope};
use crate::limits;
use crate::role::Role;
use crate::source::Source;
use crate::vault::commit::{Prepared, Scope as Looked};
use crate::vault::{Host, Vault};

/// Who may do what, as the header lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GrantInfo {
    /// Its id, which the versions it makes name as their author.
    pub id: GrantId,
    /// What it is called.
    pub label: String,
    /// The greatest of its roles.
    pub role: Role,
    /// What it permits.
    pub rights: Vec<RightInfo>,
    /// Since when: a time.
    pub since: String,
    /// Its public keys.
    #[serde(serialize_with = "text")]
    pub key: GrantKey,
    /// The short form of its public keys, which people compare.
    pub fingerprint: String,
    /// Whether a passphrase unlocks it.
    pub has_passphrase: bool,
    /// Whether an external key unlocks it. Where neither does, only its identity does.
    pub has_key: bool,
    /// Whether the vault was opened by it.
    pub is_own: bool,
}

fn text<S: Serializer>(key: &GrantKey, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(key)
}

/// A role in one group or in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RightInfo {
    /// The name of the group; `*` for all groups, those to come included. `None` for a group whose name does not
    /// open: the grant that opened the vault does not list it.
    pub group: Option<String>,
    /// What it permits there.
    pub role: Role,
}

/// `ROLE` for all groups, else `ROLE:GROUP`.
impl fmt::Display for RightInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group.as_deref() {
            Some("*") => self.role.fmt(f),
            Some(group) => write!(f, "{}:{group}", self.role),
            None => write!(f, "{} in another group", self.role),
        }
    }
}

/// To whom something is granted.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Grantee<'a> {
    /// To the holder of an identity, by its public keys: no secret changes hands.
    Key(&'a GrantKey),
    /// To whoever knows a passphrase; trying one costs this much.
    Passphrase(&'a Passphrase, Cost),
    /// To whoever has an external key. The hint tells its host which key is meant, as in
    /// [`NewOwner::key`](crate::NewOwner::key).
    ExternalKey(&'a ExternalKey, &'a [u8]),
}

/// A change of grants that takes something away.
#[derive(Debug)]
#[non_exhaustive]
pub struct Revocation {
    /// What is to be stored.
    pub prepared: Prepared,
    /// The connectors that the former holder could read. An old copy of the vault still opens for
    /// it: they should be rotated.
    pub exposed: Vec<ConnectorId>,
    /// Labels of former grants whose versions the owner has replaced, with the same values: a vault names at most 512
    /// former grants.
    pub forgotten: Vec<String>,
    /// Damaged versions that are left out: no version that is needed.
    pub damaged: Vec<Error>,
}

impl<S: Source> Vault<S> {
    /// The grants, in the header's order.
    pub fn grants(&self) -> impl Iterator<Item = GrantInfo> {
        self.header.grants.iter().map(|grant| GrantInfo {
            id: grant.id,
            label: grant.label.clone(),
            role: Rights::of(&grant.rights).greatest(),
            rights: self.rights_info(&grant.rights),
            since: grant.since.clone(),
            fingerprint: grant.key().fingerprint(),
            key: grant.key(),
            has_passphrase: self.has_key_slot(grant.id, KeySlotKind::Passphrase),
            has_key: self.has_key_slot(grant.id, KeySlotKind::Key),
            is_own: grant.id == self.access.grant,
        })
    }

    /// The rights of the grant that opened the vault.
    #[must_use]
    pub fn own_rights(&self) -> Vec<RightInfo> {
        self.rights_info(&self.access.rights)
    }

    fn rights_info(&self, rights: &[RightEntry]) -> Vec<RightInfo> {
        let name_of = |id: GroupId| {
            let group = self.header.groups.iter().find(|group| group.id == id)?;
            groups::name_of(&self.access.bundle, &self.header, group)
        };
        let info = |right: &RightEntry| RightInfo {
            group: match right.group {
                Scope::All => Some("*".to_owned()),
                Scope::Group(id) => name_of(id),
            },
            role: right.role,
        };
        rights.iter().map(info).collect()
    }

    /// Grants a role. Needs an owner.
    ///
    /// Fails with `grant_exists` if the label or the key has a grant already.
    pub fn prepare_grant(
        &self,
        label: &str,
        role: Role,
        to: Grantee<'_>,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        self.require_owner("grant something")?;
        let mut header = self.header.clone();
        if header.grants.iter().any(|grant| grant.label == label) {
            return Err(Error::new(
                Code::GrantExists,
                format!("there is a grant {label:?} already"),
            ));
        }
        if header.grants.len() == limits::GRANTS_MAX {
            return Err(Error::new(
                Code::LimitExceeded,
                "a vault has at most 256 grants",
            ));
        }
        let checked = self.checked(Looked::Tail, host)?;
        let place = BundlePlace {
            vault_id: header.vault_id,
            epoch: header.epoch,
            grant: new_grant_id(host.rng),
            rights: &[RightEntry::everywhere(role)],
        };
        let mut key_slots = self.key_slots.clone();
        let mut new_identity = |secret| -> Result<GrantKey> {
            let identity = Identity::generate(host.rng);
            let slot = make_key_slot(host.rng, self.id(), place.grant, &identity, secret)?;
            key_slots.push(slot.into());
            Ok(identity.grant_key())
        };
        let key = match to {
            Grantee::Key(key) => key.clone(),
            Grantee::Passphrase(passphrase, cost) => {
                let cost = cost.check(limits::MEMORY_KIB_MAX_NATIVE)?;
                new_identity(NewSecret::Passphrase(passphrase, cost))?
            }
            Grantee::ExternalKey(key, hint) => {
                new_identity(NewSecret::Key(key, Hint::new(hint)?, None))?
            }
        };
        let taken = |grant: &Grant| grant.x_wing == key.x_wing || grant.ed25519.0 == key.ed25519;
        if let Some(grant) = header.grants.iter().find(|grant| taken(grant)) {
            return Err(Error::new(
                Code::GrantExists,
                format!("this key has the grant {:?} already", grant.label),
            ));
        }
        if header
            .retired
            .iter()
            .any(|retired| retired.ed25519.0 == key.ed25519)
        {
            return Err(Error::new(
                Code::InvalidGrantKey,
                "a former grant of this vault had this key",
            )
            .with_hint("ask its holder for the key of a new identity"));
        }
        header
            .grants
            .push(new_grant(host, &self.access.bundle, &place, label, &key)?);
        self.prepare_checked(&self.access, &header, &key_slots, checked, host)
    }

    /// Takes a grant away: new keys, everything sealed again, bundles for those who stay. Needs an
    /// owner. `progress` is told how many of how many records are sealed.
    ///
    /// Fails with `grant_not_found`, `last_owner`, or `not_permitted` for the own grant.
    pub fn prepare_revoke(
        &self,
        label: &str,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Revocation> {
        let index = self.other_grant(label)?;
        let mut header = self.header.clone();
        header.grants.remove(index);
        self.begin_epoch(self.next_epoch(header, index), host, progress)
    }

    /// Gives a grant another role. Needs an owner. Reducing a role changes the keys as a
    /// revocation does.
    ///
    /// Fails with `grant_not_found`, `last_owner`, or `not_permitted` for the own grant.
    pub fn prepare_role(
        &self,
        label: &str,
        role: Role,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Revocation> {
        let index = self.other_grant(label)?;
        let rights = vec![RightEntry::everywhere(role)];
        let mut header = self.header.clone();
        let grant = &mut header.grants[index];
        let former = std::mem::replace(&mut grant.rights, rights);
        if !Rights::of(&grant.rights).cover(Rights::of(&former)) {
            return self.begin_epoch(self.next_epoch(header, index), host, progress);
        }
        let place = BundlePlace {
            vault_id: header.vault_id,
            epoch: header.epoch,
            grant: grant.id,
            rights: &grant.rights,
        };
        grant.bundle = self.access.bundle.seal(host.rng, &place, &grant.key())?;
        let checked = self.checked(Looked::Tail, host)?;
        let prepared =
            self.prepare_checked(&self.access, &header, &self.key_slots, checked, host)?;
        Ok(Revocation {
            prepared,
            exposed: Vec::new(),
            forgotten: Vec::new(),
            damaged: Vec::new(),
        })
    }

    /// The epoch that a header begins in which the grant with this index is less or gone.
    fn next_epoch(&self, header: Header, index: usize) -> NewEpoch<'_> {
        NewEpoch {
            header,
            former: &self.header.grants[index],
            signer: self.access.identity.clone(),
            key_slots: &self.key_slots,
        }
    }

    /// Index of a grant that is not the own one.
    fn other_grant(&self, label: &str) -> Result<usize> {
        self.require_owner("change grants")?;
        let index = self
            .header
            .grants
            .iter()
            .position(|grant| grant.label == label);
        let index = index.ok_or_else(|| {
            Error::new(Code::GrantNotFound, format!("there is no grant {label:?}"))
                .with_hint("list the grants to see their labels")
        })?;
        if self.header.grants[index].id == self.access.grant {
            let owners = self
                .header
                .grants
                .iter()
                .filter(|grant| grant.owns())
                .count();
            return Err(match owners {
                1 => Error::new(Code::LastOwner, "a vault keeps at least one owner")
                    .with_hint("make somebody else an owner first"),
                _ => Error::new(
                    Code::NotPermitted,
                    "nobody can take away the grant that opened the vault",
                )
                .with_hint("let another owner do it"),
            });
        }
        Ok(index)
    }
}
