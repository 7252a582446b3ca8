//! A new epoch: new keys, everything sealed again, and former rights that become a retired grant
//! (docs/format.md section 5.4).

use std::collections::HashSet;

use super::grants::Revocation;
use super::groups::Removed;
use crate::access::{Access, Bundle, BundlePlace, Rights, groups};
use crate::connector::{ConnectorId, Op};
use crate::crypto::identity::{Identity, VaultKey};
use crate::error::{Code, Error, Result};
use crate::format::header::{Grant, Handover, Header, Retired};
use crate::format::hex::{GrantId, GroupId, Hex};
use crate::format::key_slots::KeySlotEntry;
use crate::limits;
use crate::log;
use crate::role::Capability;
use crate::source::Source;
use crate::vault::commit::{Checked, CheckedConnector, NewVersion, Scope as Looked, next_counter};
use crate::vault::index::{IndexKeys, Stored};
use crate::vault::patches::Chain;
use crate::vault::record::{OpenedOverview, Plaintexts, RecordKeys};
use crate::vault::{Host, Vault};

/// A header that begins an epoch, before it has its keys.
pub(super) struct NewEpoch<'a> {
    pub(super) header: Header,
    /// The grants that have less now, as they were before.
    pub(super) former: Vec<&'a Grant>,
    /// A group that the header does not list any more.
    pub(super) removed: Option<Removed>,
    /// Who signs the snapshot.
    pub(super) signer: Identity,
    pub(super) key_slots: &'a [KeySlotEntry],
}

/// An epoch that has begun.
pub(super) struct Begun {
    pub(super) revocation: Revocation,
    /// The connectors that had versions in the group which was removed.
    pub(super) left: Vec<ConnectorId>,
}

impl<S: Source> Vault<S> {
    /// The epoch that a header begins, signed by the grant that opened the vault.
    pub(super) fn next_epoch(&self, header: Header) -> NewEpoch<'_> {
        NewEpoch {
            header,
            former: Vec::new(),
            removed: None,
            signer: self.access.identity.clone(),
            key_slots: &self.key_slots,
        }
    }

    /// Changes the keys of the vault, for grants that lose capabilities or go altogether.
    pub(super) fn begin_epoch(
        &self,
        epoch: NewEpoch<'_>,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Begun> {
        let NewEpoch {
            mut header,
            former,
            removed,
            signer,
            key_slots,
        } = epoch;
        let epoch = header.epoch;
        header.retired.extend(former.iter().map(|former| Retired {
            id: former.id,
            label: former.label.clone(),
            ed25519: former.ed25519,
            rights: former.rights.clone(),
            epoch,
        }));
        header
            .retired
            .sort_by_key(|retired| (retired.epoch, retired.id));
        header.epoch = next_counter(header.epoch)?;
        let own_key = self.access.bundle.owned_vault_key()?;
        let vault_key = match former.iter().any(|former| former.owns()) {
            true => self.hand_over(own_key, &mut header, host)?,
            false => own_key.clone(),
        };
        let bundle = Bundle::generate(host.rng, vault_key);
        let before = (&self.access.bundle, &self.header);
        groups::seal_again(host.rng, before, &bundle, &mut header)?;
        for grant in &mut header.grants {
            let place = BundlePlace {
                vault_id: header.vault_id,
                epoch: header.epoch,
                grant: grant.id,
                rights: &grant.rights,
            };
            grant.bundle = bundle.seal(host.rng, &place, &grant.key())?;
        }
        let mut checked = self.checked(Looked::All, host)?;
        let forgotten = self.make_room(&mut header, &checked)?;
        self.forget(&mut checked, &forgotten, &mut header, host)?;
        let left = match removed {
            Some(removed) => self.leave_group(&mut checked, removed, &mut header, host)?,
            None => Vec::new(),
        };
        let access = Access::open(signer, &header)?;
        let index = IndexKeys::new(access.bundle.index(), header.vault_id, header.epoch);
        let records = RecordKeys::new(&access.bundle, &header);
        let versions = self.seal_again(&checked, (&index, &records), host, progress)?;
        let false_versions = checked.false_versions;
        let prepared =
            self.prepare_snapshot(&access, &header, key_slots, versions, false_versions, host)?;
        let labels = forgotten.iter().filter_map(|id| self.header.label(*id));
        let revocation = Revocation {
            prepared,
            exposed: self.exposed(&former, &header)?,
            forgotten: labels.map(str::to_owned).collect(),
            damaged: checked.damaged,
        };
        Ok(Begun { revocation, left })
    }

    /// The connectors of which a former grant could read a kept version or wrote one without reading, and the header lets
    /// it do that no more. One that has moved since may still have the values that it had then.
    fn exposed(&self, former: &[&Grant], header: &Header) -> Result<Vec<ConnectorId>> {
        let may = |grant: &Grant, group: GroupId, capability: Capability| {
            Rights::of(&grant.rights).in_group(group).has(capability)
        };
        let lost = |former: &Grant, group: GroupId, capability: Capability| {
            let mut now = header.grants.iter().filter(|grant| grant.id == former.id);
            may(former, group, capability) && !now.any(|now| may(now, group, capability))
        };
        let is_exposed = |stored: &Stored| {
            let Some(group) = self.group_id(stored).filter(|_| stored.entry.exists()) else {
                return false;
            };
            let wrote = |former: &Grant| {
                stored.entry.op == Op::Patch
                    && lost(former, group, Capability::Patch)
                    && self
                        .overview_of(stored)
                        .is_ok_and(|patch| patch.author == former.id)
            };
            let mut former = former.iter();
            former.any(|former| lost(former, group, Capability::Read) || wrote(former))
        };
        let all = self.all_versions()?;
        let connectors = all.chunk_by(|one, next| one.entry.tag == next.entry.tag);
        let mut ids = Vec::new();
        for versions in connectors {
            let exists = versions.last().is_some_and(|newest| newest.entry.exists());
            if exists && versions.iter().any(is_exposed) {
                // Of a false newest version an older one tells the id.
                let mut overviews = versions.iter().rev().map(|stored| self.overview_of(stored));
                ids.extend(overviews.find_map(Result::ok).map(|overview| overview.id));
            }
        }
        ids.sort_unstable();
        Ok(ids)
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

    /// Drops retired grants until the header may list the rest: first those that no kept record needs, then the
    /// oldest. Returns the authors whose records have to go too.
    fn make_room(&self, header: &mut Header, checked: &Checked) -> Result<HashSet<GrantId>> {
        let mut forgotten = HashSet::new();
        if header.retired.len() <= limits::RETIRED_MAX {
            return Ok(forgotten);
        }
        let mut authors = HashSet::new();
        for stored in checked.connectors.iter().flat_map(|one| &one.versions) {
            authors.insert(self.overview_of(stored)?.author);
        }
        let mut named: HashSet<_> = header.grants.iter().map(|grant| grant.id).collect();
        // From the newest on: of several former rights of one grant, one keeps its key.
        let needed = header
            .retired
            .iter()
            .rev()
            .map(|retired| authors.contains(&retired.id) && named.insert(retired.id));
        let needed: Vec<bool> = needed.collect();
        let mut needed = needed.into_iter().rev();
        let mut surplus = header.retired.len() - limits::RETIRED_MAX;
        header.retired.retain(|_| {
            let goes = surplus > 0 && !needed.next().unwrap_or(true);
            surplus -= usize::from(goes);
            !goes
        });
        let surplus = header.retired.len().saturating_sub(limits::RETIRED_MAX);
        forgotten.extend(header.retired.drain(..surplus).map(|retired| retired.id));
        Ok(forgotten)
    }

    /// Leaves out the versions of these authors, and patches that do not read without them. Where the newest version of
    /// a connector goes, the owner adds one with the same values.
    fn forget(
        &self,
        checked: &mut Checked,
        forgotten: &HashSet<GrantId>,
        header: &mut Header,
        host: &mut Host<'_>,
    ) -> Result<()> {
        if forgotten.is_empty() {
            return Ok(());
        }
        for connector in &mut checked.connectors {
            let keeps = self.remembered(&connector.versions, forgotten)?;
            if let (Some(newest), Some(false), None) =
                (connector.versions.last(), keeps.last(), &connector.own)
            {
                connector.own = Some(self.renewed(newest, host)?);
            }
            self.leave_out(connector, &keeps, &host.now, header)?;
        }
        Ok(())
    }

    /// Which versions are left without those of some authors.
    fn remembered(&self, versions: &[Stored], forgotten: &HashSet<GrantId>) -> Result<Vec<bool>> {
        let mut keeps = Vec::with_capacity(versions.len());
        for stored in versions {
            keeps.push(!forgotten.contains(&self.overview_of(stored)?.author));
        }
        let mut chain = Chain::new(self, versions.to_vec());
        for (index, stored) in versions.iter().enumerate() {
            if keeps[index] && stored.entry.op == Op::Patch {
                let walk = chain.walk(index)?;
                let mut needed = walk.full.iter().chain(&walk.used);
                keeps[index] = needed.all(|at| keeps[*at]);
            }
        }
        Ok(keeps)
    }

    /// Every version that is kept, sealed with other keys; nothing else about it changes.
    fn seal_again(
        &self,
        checked: &Checked,
        keys: (&IndexKeys, &RecordKeys),
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<NewVersion<'static>>> {
        let total = checked.connectors.iter().map(CheckedConnector::count).sum();
        let mut versions = Vec::with_capacity(total);
        for connector in &checked.connectors {
            for stored in &connector.versions {
                let (opened, plaintexts) = self.plaintexts(stored)?;
                let group = stored.entry.group;
                let version = NewVersion::seal(keys, host.rng, group, &opened, &plaintexts)?;
                versions.push(version);
                progress(versions.len(), total);
            }
            if let Some(own) = &connector.own {
                versions.push(own.seal(keys, host)?);
                progress(versions.len(), total);
            }
        }
        // Their tags are others now.
        versions.sort_unstable_by_key(|version| version.entry.place());
        Ok(versions)
    }

    /// What is sealed in a version that was checked.
    pub(crate) fn plaintexts(&self, stored: &Stored) -> Result<(OpenedOverview, Plaintexts)> {
        let changed = || Error::new(Code::Damaged, "a version has changed since it was checked");
        let mut buffer = Vec::new();
        let bytes = self.bytes(stored.overview(), &mut buffer)?;
        let mut overview = Vec::new();
        let sealed = bytes.get(4..).ok_or_else(changed)?;
        let group = stored.entry.group;
        if !self.keys.open_overview(group, sealed, &mut overview)? {
            return Err(changed());
        }
        let opened = OpenedOverview::parse(&overview)?;
        let secrets = match stored.entry.exists() {
            true => {
                let bytes = self.bytes(stored.secrets(), &mut buffer)?;
                let sealed = bytes.get(4..).ok_or_else(changed)?;
                let secrets = self
                    .keys
                    .open_secrets(group, (&opened.overview).into(), sealed)?;
                Some(secrets.ok_or_else(changed)?)
            }
            false => None,
        };
        Ok((opened, Plaintexts { overview, secrets }))
    }
}
