//! Grants: who may open the vault and do what (docs/format.md sections 3 to 5).

use std::fmt;

use serde::{Serialize, Serializer};

use super::create::{new_grant, new_grant_id};
use super::epoch::NewEpoch;
use super::rights::Terms;
use crate::access::{BundlePlace, KeySlotKind, NewSecret, Rights, make_key_slot};
use crate::connector::ConnectorId;
use crate::crypto::identity::{GrantKey, Identity};
use crate::crypto::kdf::{Cost, ExternalKey, Passphrase};
use crate::error::{Code, Error, Result};
use crate::format::header::{Grant, Header};
use crate::format::hex::{GrantId, GroupId, Hex};
use crate::format::key_slots::{Hint, KeySlotEntry};
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
    /// What it permits.
    pub rights: Vec<RightInfo>,
    /// Since when: a time.
    pub since: String,
    /// A date to be reminded of; `None` without one. Nothing happens then by itself.
    pub until: Option<String>,
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
    /// To the holder of this identity, such as a service. Renewing the own grant needs the identity itself.
    Identity(&'a Identity),
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
    /// The connectors that the former holder could read, or whose values it wrote. An old copy of the vault still opens
    /// for it, and what it wrote it knows: they should be rotated.
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
            rights: self.rights_info(&grant.rights),
            since: grant.since.clone(),
            until: grant.until.clone(),
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
        let name_of = |id: GroupId| self.group_name(id).map(str::to_owned);
        let info = |right: &RightEntry| RightInfo {
            group: match right.group {
                Scope::All => Some("*".to_owned()),
                Scope::Group(id) => name_of(id),
            },
            role: right.role,
        };
        rights.iter().map(info).collect()
    }

    /// Grants something. Needs an owner.
    ///
    /// Fails with `grant_exists` if the label or the key has a grant already, with `group_not_found`, and with
    /// `invalid_argument` for rights that no grant has.
    pub fn prepare_grant(
        &self,
        label: &str,
        terms: impl Into<Terms>,
        to: Grantee<'_>,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        self.prepare_grant_on(label, &terms.into(), to, host)
    }

    fn prepare_grant_on(
        &self,
        label: &str,
        terms: &Terms,
        to: Grantee<'_>,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        self.require_owner("grant something")?;
        let rights = self.rights_of(terms, None)?;
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
            rights: &rights,
        };
        let mut key_slots = self.key_slots.clone();
        let holder = self.holder(place.grant, to, &mut key_slots, host)?;
        let mut grant = new_grant(host, &self.access.bundle, &place, label, &holder.key)?;
        grant.until = terms.until_after(None);
        header.grants.push(grant);
        self.access.bundle.set_deposits(&mut header)?;
        self.prepare_checked(&self.access, &header, &key_slots, checked, host)
    }

    /// The keys of whoever gets a grant; a new identity gets a key slot. Fails with `grant_exists` or
    /// `invalid_grant_key` if a grant has or had the key.
    fn holder(
        &self,
        grant: GrantId,
        to: Grantee<'_>,
        key_slots: &mut Vec<KeySlotEntry>,
        host: &mut Host<'_>,
    ) -> Result<Holder> {
        let mut by_secret = |secret| -> Result<Holder> {
            let identity = Identity::generate(host.rng);
            let slot = make_key_slot(host.rng, self.id(), grant, &identity, secret)?;
            key_slots.push(slot.into());
            Ok(Holder::of(identity))
        };
        let holder = match to {
            Grantee::Key(key) => Holder {
                key: key.clone(),
                identity: None,
            },
            Grantee::Identity(identity) => Holder::of(identity.clone()),
            Grantee::Passphrase(passphrase, cost) => {
                let cost = cost.check(limits::MEMORY_KIB_MAX_NATIVE)?;
                by_secret(NewSecret::Passphrase(passphrase, cost))?
            }
            Grantee::ExternalKey(key, hint) => {
                by_secret(NewSecret::Key(key, Hint::new(hint)?, None))?
            }
        };
        let key = &holder.key;
        let taken = |grant: &Grant| grant.x_wing == key.x_wing || grant.ed25519.0 == key.ed25519;
        if let Some(grant) = self.header.grants.iter().find(|grant| taken(grant)) {
            return Err(Error::new(
                Code::GrantExists,
                format!("this key has the grant {:?} already", grant.label),
            ));
        }
        let mut retired = self.header.retired.iter();
        if retired.any(|retired| retired.ed25519.0 == key.ed25519) {
            return Err(Error::new(
                Code::InvalidGrantKey,
                "a former grant of this vault had this key",
            )
            .with_hint("ask its holder for the key of a new identity"));
        }
        Ok(holder)
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
        self.take_away(header, index, host, progress)
    }

    /// Gives a grant other rights in place of those that it has, or another date to be reminded of. Needs an owner.
    /// If that takes a capability away, the keys change as by a revocation. `progress` is told how many of how many
    /// records are sealed then.
    ///
    /// Fails with `grant_not_found` or `group_not_found`, with `invalid_argument` for rights that no grant has, and
    /// with `last_owner` or `not_permitted` for the rights of the own grant.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # fn reduce(vault: &Vault, host: &mut Host<'_>) -> Result<Revocation> {
    /// let rights = [Role::Viewer.into(), Right::in_group(Role::Updater, "payments")];
    /// vault.prepare_rights("rotation", rights, host, &mut |_, _| ())
    /// # }
    /// ```
    pub fn prepare_rights(
        &self,
        label: &str,
        terms: impl Into<Terms>,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Revocation> {
        self.prepare_terms(label, &terms.into(), host, progress)
    }

    fn prepare_terms(
        &self,
        label: &str,
        terms: &Terms,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Revocation> {
        let index = match terms.changes_rights() {
            true => self.other_grant(label)?,
            false => self.grant_called(label)?,
        };
        let mut header = self.header.clone();
        let grant = &mut header.grants[index];
        let rights = self.rights_of(terms, Some(&grant.rights))?;
        let former = std::mem::replace(&mut grant.rights, rights);
        grant.until = terms.until_after(grant.until.take());
        if !Rights::of(&grant.rights).cover(Rights::of(&former)) {
            return self.take_away(header, index, host, progress);
        }
        let place = BundlePlace {
            vault_id: header.vault_id,
            epoch: header.epoch,
            grant: grant.id,
            rights: &grant.rights,
        };
        grant.bundle = self.access.bundle.seal(host.rng, &place, &grant.key())?;
        self.access.bundle.set_deposits(&mut header)?;
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

    /// Gives a grant a new identity, and revokes the one that it had: a key slot that is removed, or a secret that is
    /// replaced, still opens old copies of the vault, and the identity in them opens new ones. The grant keeps label,
    /// rights and date; its key slots go, but for the one that `to` makes. Needs an owner.
    ///
    /// The own grant needs a passphrase, an external key or the identity itself: the vault is open by that once this
    /// is stored. Fails with `grant_not_found`, `grant_exists` or `invalid_grant_key`, and with `invalid_argument`
    /// for the own grant by public keys alone.
    pub fn prepare_renew(
        &self,
        label: &str,
        to: Grantee<'_>,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Revocation> {
        let index = self.grant_called(label)?;
        let mut header = self.header.clone();
        let grant = &mut header.grants[index];
        let is_own = grant.id == self.access.grant;
        let mut key_slots = self.key_slots.clone();
        let id = new_grant_id(host.rng);
        let Holder { key, identity } = self.holder(id, to, &mut key_slots, host)?;
        grant.id = id;
        grant.since = host.now.to_string();
        // It cannot know the requests of the former identity again.
        grant.requests_from = None;
        (grant.x_wing, grant.ed25519) = (key.x_wing, Hex(key.ed25519));
        let next = self.next_epoch(header);
        let signer = match (is_own, identity) {
            (false, _) => next.signer,
            (true, Some(identity)) => identity,
            (true, None) => {
                return Err(Error::new(
                    Code::InvalidArgument,
                    "public keys alone cannot renew the grant that opened the vault",
                )
                .with_hint("give the new identity itself, a passphrase or an external key"));
            }
        };
        let epoch = NewEpoch {
            former: vec![&self.header.grants[index]],
            signer,
            key_slots: &key_slots,
            ..next
        };
        Ok(self.begin_epoch(epoch, host, progress)?.revocation)
    }

    /// Begins the epoch of a header in which the grant with this index has less or is gone.
    fn take_away(
        &self,
        header: Header,
        index: usize,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Revocation> {
        let epoch = NewEpoch {
            former: vec![&self.header.grants[index]],
            ..self.next_epoch(header)
        };
        Ok(self.begin_epoch(epoch, host, progress)?.revocation)
    }

    /// Index of a grant.
    fn grant_called(&self, label: &str) -> Result<usize> {
        self.require_owner("change grants")?;
        let mut grants = self.header.grants.iter();
        grants
            .position(|grant| grant.label == label)
            .ok_or_else(|| {
                Error::new(Code::GrantNotFound, format!("there is no grant {label:?}"))
                    .with_hint("list the grants to see their labels")
            })
    }

    /// Index of a grant that is not the own one.
    fn other_grant(&self, label: &str) -> Result<usize> {
        let index = self.grant_called(label)?;
        if self.header.grants[index].id == self.access.grant {
            let grants = self.header.grants.iter();
            return Err(match grants.filter(|grant| grant.owns()).count() {
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

/// Whoever gets a grant.
struct Holder {
    key: GrantKey,
    /// Where this program knows it.
    identity: Option<Identity>,
}

impl Holder {
    fn of(identity: Identity) -> Self {
        Self {
            key: identity.grant_key(),
            identity: Some(identity),
        }
    }
}
