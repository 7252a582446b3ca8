//! Grants: who may open the vault and do what (docs/format.md sections 3 to 5).

use serde::{Serialize, Serializer};

use super::create::{new_grant, new_grant_id};
use crate::access::{self, Access, Bundle, BundlePlace, KeySlotKind, NewSecret, make_key_slot};
use crate::connector::{ConnectorId, Op};
use crate::crypto::identity::{GrantKey, Identity, VaultKey};
use crate::crypto::kdf::{Cost, ExternalKey, Passphrase};
use crate::error::{Code, Error, Result};
use crate::format::commit::{NewRecord, split_record};
use crate::format::header::{Grant, Handover, Header, Retired};
use crate::format::hex::{GrantId, Hex};
use crate::format::key_slots::Hint;
use crate::limits;
use crate::log;
use crate::role::Role;
use crate::source::Source;
use crate::vault::commit::{Prepared, next_counter};
use crate::vault::index::Stored;
use crate::vault::record::{Overview, OverviewText, RecordKeys};
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
    pub role: Role,
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

/// To whom something is granted.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Grantee<'a> {
    /// To the holder of an identity, by its public keys: no secret changes hands.
    Key(&'a GrantKey),
    /// To whoever knows a passphrase; trying one costs this much.
    Passphrase(&'a Passphrase, Cost),
    /// To whoever has an external key. The hint tells its host which key is meant, as in [`NewOwner::key`].
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
    /// Versions whose secrets do not open, so that they cannot be sealed again and are left out:
    /// what somebody made who wanted to prevent this.
    pub dropped: Vec<Overview>,
}

impl<S: Source> Vault<S> {
    /// The grants, in the header's order.
    pub fn grants(&self) -> impl Iterator<Item = GrantInfo> {
        self.header.grants.iter().map(|grant| GrantInfo {
            id: grant.id,
            label: grant.label.clone(),
            role: grant.role,
            since: grant.since.clone(),
            fingerprint: grant.key().fingerprint(),
            key: grant.key(),
            has_passphrase: self.has_key_slot(grant.id, KeySlotKind::Passphrase),
            has_key: self.has_key_slot(grant.id, KeySlotKind::Key),
            is_own: grant.id == self.access.grant,
        })
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
        self.require(Role::owns, "grant something")?;
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
        let records = self.all_records()?;
        let place = BundlePlace {
            vault_id: header.vault_id,
            epoch: header.epoch,
            grant: new_grant_id(host.rng),
            role,
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
        header
            .grants
            .push(new_grant(host, &self.access.bundle, &place, label, &key)?);
        self.prepare_snapshot(&self.access, &header, &key_slots, &records)
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
        self.reduce(label, None, host, progress)
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
        let mut header = self.header.clone();
        let grant = &mut header.grants[index];
        if role < grant.role {
            return self.reduce(label, Some(role), host, progress);
        }
        grant.role = role;
        let place = BundlePlace {
            vault_id: header.vault_id,
            epoch: header.epoch,
            grant: grant.id,
            role,
        };
        grant.bundle = self.access.bundle.seal(host.rng, &place, &grant.key())?;
        let prepared =
            self.prepare_snapshot(&self.access, &header, &self.key_slots, &self.all_records()?)?;
        Ok(Revocation {
            prepared,
            exposed: Vec::new(),
            dropped: Vec::new(),
        })
    }

    /// Index of a grant that is not the own one.
    fn other_grant(&self, label: &str) -> Result<usize> {
        self.require(Role::owns, "change grants")?;
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
                .filter(|grant| grant.role.owns())
                .count();
            return Err(match owners {
                1 => Error::new(Code::LastOwner, "a vault keeps at least one owner")
                    .with_hint("grant the role owner to somebody else first"),
                _ => Error::new(
                    Code::NotPermitted,
                    "nobody can take away the grant that opened the vault",
                )
                .with_hint("let another owner do it"),
            });
        }
        Ok(index)
    }

    /// Changes the keys of the vault, for a grant that loses rights or goes altogether.
    fn reduce(
        &self,
        label: &str,
        role: Option<Role>,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Revocation> {
        let index = self.other_grant(label)?;
        self.want(self.index.all().flatten().map(Stored::record))?;
        let mut header = self.header.clone();
        let former = header.grants[index].clone();
        match role {
            Some(role) => header.grants[index].role = role,
            None => {
                header.grants.remove(index);
                header.retired.push(Retired {
                    id: former.id,
                    label: former.label,
                });
                let outdated = header.retired.len().saturating_sub(limits::RETIRED_MAX);
                header.retired.drain(..outdated);
            }
        }
        header.epoch = next_counter(header.epoch)?;
        let own_key = self
            .access
            .bundle
            .vault_key
            .clone()
            .ok_or_else(|| access::not_permitted("this needs the role owner"))?;
        let vault_key = match former.role.owns() {
            true => self.hand_over(&own_key, &mut header, host)?,
            false => own_key,
        };
        let bundle = Bundle::generate(host.rng, vault_key);
        for grant in &mut header.grants {
            let place = BundlePlace {
                vault_id: header.vault_id,
                epoch: header.epoch,
                grant: grant.id,
                role: grant.role,
            };
            grant.bundle = bundle.seal(host.rng, &place, &grant.key())?;
        }
        let access = Access::open(self.access.identity.clone(), &header)?;
        let keys = RecordKeys::new(&access.bundle, header.vault_id, header.epoch);
        let (records, dropped) = self.seal_again(&keys, host, progress)?;
        let prepared = self.prepare_snapshot(&access, &header, &self.key_slots, &records)?;
        let still_reads = role.is_some_and(Role::reads);
        let exposed = match former.role.reads() && !still_reads {
            true => self
                .list()
                .map(|overview| overview.map(|overview| overview.id))
                .collect::<Result<_>>()?,
            false => Vec::new(),
        };
        Ok(Revocation {
            prepared,
            exposed,
            dropped,
        })
    }

    /// Replaces the vault key, which a former owner knows.
    fn hand_over(
        &self,
        old: &VaultKey,
        header: &mut Header,
        host: &mut Host<'_>,
    ) -> Result<VaultKey> {
        if header.handovers.len() == limits::HANDOVERS_MAX {
            return Err(
                Error::new(Code::LimitExceeded, "the vault key was replaced too often")
                    .with_hint("move the connectors to a new vault"),
            );
        }
        let new = VaultKey::generate(host.rng);
        let seq = next_counter(self.head().seq)?;
        let message = log::handover_message(header.vault_id, &old.public(), &new.public(), seq);
        header.handovers.push(Handover {
            old: Hex(old.public()),
            new: Hex(new.public()),
            seq,
            signature: Hex(old.sign(&message)),
        });
        header.vault_key = Hex(new.public());
        Ok(new)
    }

    /// Every kept record, sealed with other keys; nothing else about it changes.
    fn seal_again(
        &self,
        keys: &RecordKeys,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(Vec<NewRecord<'static>>, Vec<Overview>)> {
        let total = self.index.all().map(Iterator::count).sum();
        let mut records = Vec::with_capacity(total);
        let mut dropped = Vec::new();
        let mut buffer = Vec::new();
        for stored in self.index.all().flatten() {
            let record = self.bytes(stored.record(), &mut buffer)?;
            let (overview, sealed) = split_record(record, stored.record().start)?;
            let text = self.index.open_overview(overview)?;
            let overview = OverviewText::parse(&text)?.with_names();
            let secrets = match stored.op {
                Op::Delete => None,
                _ => {
                    match self
                        .index
                        .keys()
                        .open_secrets(&overview.id, stored.version, sealed)
                    {
                        Ok(secrets) => Some(secrets),
                        Err(_) => {
                            dropped.push(Overview::parse(&text)?);
                            continue;
                        }
                    }
                }
            };
            let record = keys.seal(host.rng, &overview, secrets.as_ref())?;
            records.push(NewRecord::new(record));
            progress(records.len(), total);
        }
        Ok((records, dropped))
    }

    /// Every kept record as it is.
    fn all_records(&self) -> Result<Vec<NewRecord<'_>>> {
        self.hashed(self.index.all().flatten().collect())
    }
}
