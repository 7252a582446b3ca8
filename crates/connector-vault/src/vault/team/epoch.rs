//! A new epoch: new keys, everything sealed again, and former rights that become a retired grant
//! (docs/format.md section 5.4).

use std::collections::HashSet;

use super::grants::Revocation;
use crate::access::{Access, Bundle, BundlePlace, Rights, groups};
use crate::connector::ConnectorId;
use crate::crypto::identity::{Identity, VaultKey};
use crate::error::{Code, Error, Result};
use crate::format::header::{DEFAULT_GROUP, Grant, Handover, Header, Retired};
use crate::format::hex::{GrantId, Hex};
use crate::format::key_slots::KeySlotEntry;
use crate::limits;
use crate::log;
use crate::role::Capability;
use crate::source::Source;
use crate::vault::commit::{Checked, CheckedConnector, NewVersion, Scope as Looked, next_counter};
use crate::vault::index::{IndexKeys, Stored};
use crate::vault::record::{OpenedOverview, Plaintexts, RecordKeys};
use crate::vault::{Host, Vault};

/// A header that begins an epoch, before it has its keys.
pub(super) struct NewEpoch<'a> {
    pub(super) header: Header,
    /// The grant as it was before.
    pub(super) former: &'a Grant,
    /// Who signs the snapshot.
    pub(super) signer: Identity,
    pub(super) key_slots: &'a [KeySlotEntry],
}

impl<S: Source> Vault<S> {
    /// Changes the keys of the vault, for a grant that loses capabilities or goes altogether.
    pub(super) fn begin_epoch(
        &self,
        epoch: NewEpoch<'_>,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Revocation> {
        let NewEpoch {
            mut header,
            former,
            signer,
            key_slots,
        } = epoch;
        header.retired.push(Retired {
            id: former.id,
            label: former.label.clone(),
            ed25519: former.ed25519,
            rights: former.rights.clone(),
            epoch: header.epoch,
        });
        header
            .retired
            .sort_by_key(|retired| (retired.epoch, retired.id));
        header.epoch = next_counter(header.epoch)?;
        let own_key = self.access.bundle.owned_vault_key()?;
        let vault_key = match former.owns() {
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
        self.forget(&mut checked, &forgotten, host)?;
        let access = Access::open(signer, &header)?;
        let index = IndexKeys::new(access.bundle.index(), header.vault_id, header.epoch);
        let records = RecordKeys::new(&access.bundle, &header);
        let versions = self.seal_again(&checked, (&index, &records), host, progress)?;
        let false_versions = checked.false_versions;
        let prepared =
            self.prepare_snapshot(&access, &header, key_slots, versions, false_versions, host)?;
        let labels = forgotten.iter().filter_map(|id| self.header.label(*id));
        Ok(Revocation {
            prepared,
            exposed: self.exposed(former, &header)?,
            forgotten: labels.map(str::to_owned).collect(),
            damaged: checked.damaged,
        })
    }

    /// The connectors whose values a former grant could read, and the header lets nobody read by it any more.
    fn exposed(&self, former: &Grant, header: &Header) -> Result<Vec<ConnectorId>> {
        let now = header.grants.iter().find(|grant| grant.id == former.id);
        let reads = |grant: &Grant, group: u16| {
            let group = self.header.group(group);
            let rights = Rights::of(&grant.rights);
            group.is_some_and(|group| rights.in_group(group.id).has(Capability::Read))
        };
        let mut ids = Vec::new();
        for overview in self.list() {
            let overview = overview?;
            let group = overview.group;
            let number = self.header.groups.iter().find(|one| one.id == group);
            let number = number.map_or(DEFAULT_GROUP, |group| group.number);
            if reads(former, number) && !now.is_some_and(|now| reads(now, number)) {
                ids.push(overview.id);
            }
        }
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

    /// Leaves out the versions of these authors. Where one is the newest of its connector, the owner adds one with
    /// the same values.
    fn forget(
        &self,
        checked: &mut Checked,
        forgotten: &HashSet<GrantId>,
        host: &mut Host<'_>,
    ) -> Result<()> {
        if forgotten.is_empty() {
            return Ok(());
        }
        for connector in &mut checked.connectors {
            let mut kept = Vec::with_capacity(connector.versions.len());
            let newest = connector.versions.last().map(|newest| newest.entry.version);
            for stored in &connector.versions {
                if !forgotten.contains(&self.overview_of(stored)?.author) {
                    kept.push(*stored);
                } else if newest == Some(stored.entry.version) && connector.own.is_none() {
                    connector.own = Some(self.renewed(stored, host)?);
                }
            }
            connector.versions = kept;
        }
        Ok(())
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
    fn plaintexts(&self, stored: &Stored) -> Result<(OpenedOverview, Plaintexts)> {
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
                let id = opened.overview.id.as_str();
                let secrets = self
                    .keys
                    .open_secrets(group, id, stored.entry.version, sealed)?;
                Some(secrets.ok_or_else(changed)?)
            }
            false => None,
        };
        Ok((opened, Plaintexts { overview, secrets }))
    }
}
