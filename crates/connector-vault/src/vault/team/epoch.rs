//! A new epoch: new keys, everything sealed again, and former rights that become a retired grant
//! (docs/format.md section 5.4).

use std::collections::HashSet;

use super::grants::Revocation;
use crate::access::{Access, Bundle, BundlePlace, Rights, groups};
use crate::connector::{ConnectorId, Op};
use crate::crypto::identity::{Identity, VaultKey};
use crate::error::{Code, Error, Result, counted, quoted};
use crate::format::commit::{NewRecord, split_record};
use crate::format::header::{Grant, Handover, Header, Retired};
use crate::format::hex::{GrantId, Hex};
use crate::format::key_slots::KeySlotEntry;
use crate::limits;
use crate::log;
use crate::role::Capability;
use crate::source::Source;
use crate::vault::commit::{Checked, CheckedConnector, next_counter};
use crate::vault::index::{CommitPlace, Stored};
use crate::vault::record::{OpenedOverview, Overview, Plaintexts, RecordKeys};
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
        self.want(self.index.commits.iter().map(CommitPlace::range))?;
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
        let forgotten = self.make_room(&mut header)?;
        let access = Access::open(signer, &header)?;
        let keys = RecordKeys::new(&access.bundle, &header);
        let again = self.checked_for_epoch(&forgotten, &access, host)?;
        refuse_lost(&again.lost)?;
        let records = self.seal_again(&again.checked, &keys, host, progress)?;
        let prepared = self.prepare_snapshot(
            &access,
            &header,
            key_slots,
            &records,
            again.checked.false_versions,
        )?;
        let labels = forgotten.iter().filter_map(|id| self.header.label(*id));
        Ok(Revocation {
            prepared,
            exposed: self.exposed(former, &header)?,
            dropped: again.dropped,
            forgotten: labels.map(str::to_owned).collect(),
        })
    }

    /// The connectors whose values a former grant could read, and the header lets nobody read by it any more.
    fn exposed(&self, former: &Grant, header: &Header) -> Result<Vec<ConnectorId>> {
        let now = header.grants.iter().find(|grant| grant.id == former.id);
        let reads = |grant: &Grant, group: u16| {
            let group = self.index.keys().group_id(group);
            let rights = Rights::of(&grant.rights);
            group.is_some_and(|group| rights.in_group(group).has(Capability::Read))
        };
        let lost = |stored: &&Stored| {
            reads(former, stored.group) && !now.is_some_and(|now| reads(now, stored.group))
        };
        let stored = self.index.live().filter(lost);
        stored
            .map(|stored| Ok(self.overview_of(stored)?.id))
            .collect()
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
    fn make_room(&self, header: &mut Header) -> Result<HashSet<GrantId>> {
        let mut forgotten = HashSet::new();
        if header.retired.len() <= limits::RETIRED_MAX {
            return Ok(forgotten);
        }
        let mut authors = HashSet::new();
        for stored in self.index.all().flatten() {
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

    /// The versions that go on in a new epoch: those that are neither false nor damaged, and not of `forgotten`
    /// authors. Where the newest version goes, the owner adds one.
    fn checked_for_epoch(
        &self,
        forgotten: &HashSet<GrantId>,
        author: &Access,
        host: &mut Host<'_>,
    ) -> Result<Again<'_>> {
        let damaged = self.damaged_records()?;
        let found = self.find_all(&damaged, forgotten)?;
        let (mut dropped, mut lost) = (Vec::new(), Vec::new());
        for versions in self.index.all() {
            let mut newest = None;
            for stored in versions {
                newest = Some(stored);
                if damaged.contains(&stored.record().start) {
                    dropped.extend(self.overview_of(stored).ok());
                }
            }
            let is_damaged = |stored: &&Stored| damaged.contains(&stored.record().start);
            lost.extend(newest.filter(is_damaged).map(|stored| self.name_of(stored)));
        }
        Ok(Again {
            checked: self.without(found, author, host)?,
            dropped,
            lost,
        })
    }

    /// These versions, sealed with other keys; their plaintexts stay as they are, their authors' signatures too.
    fn seal_again(
        &self,
        checked: &Checked<'_>,
        keys: &RecordKeys,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<NewRecord<'static>>> {
        let total = checked.connectors.iter().map(CheckedConnector::count).sum();
        let mut records = Vec::with_capacity(total);
        for connector in &checked.connectors {
            for stored in &connector.versions {
                let (overview, plaintexts) = self.plaintexts(stored)?;
                let place = (overview.group, overview.id.as_str(), stored.version);
                let record = keys.seal(host.rng, place, &plaintexts)?;
                records.push(NewRecord::new(record));
                progress(records.len(), total);
            }
            if let Some(own) = &connector.own {
                records.push(own.seal(keys, host)?);
                progress(records.len(), total);
            }
        }
        Ok(records)
    }

    /// What is sealed in a record.
    fn plaintexts(&self, stored: &Stored) -> Result<(Overview, Plaintexts)> {
        let mut buffer = Vec::new();
        let record = self.bytes(stored.record(), &mut buffer)?;
        let (sealed, sealed_secrets) = split_record(record, stored.record().start)?;
        let plaintext = self.index.open_overview(stored.group, sealed)?;
        let overview = OpenedOverview::parse(&plaintext)?.overview;
        let secrets = match stored.op {
            Op::Delete => None,
            _ => {
                let keys = self.index.keys();
                let id = overview.id.as_str();
                let opened = keys.open_secrets(stored.group, id, stored.version, sealed_secrets)?;
                // They opened when they were checked.
                Some(opened.ok_or_else(|| Error::new(Code::Damaged, "secrets no longer open"))?)
            }
        };
        let plaintexts = Plaintexts {
            overview: plaintext,
            secrets,
        };
        Ok((overview, plaintexts))
    }

    /// Where records begin that are no longer those that the vault was opened with: what an owner seals again, it
    /// vouches for.
    fn damaged_records(&self) -> Result<HashSet<u64>> {
        let (mut damaged, mut buffer) = (HashSet::new(), Vec::new());
        for place in &self.index.commits {
            let commit = self.commit(place, &mut buffer)?;
            if commit.hash != place.hash {
                return Err(crate::bytes::damaged(
                    place.range().start,
                    format!(
                        "the commit {} has changed since the vault was opened",
                        place.seq
                    ),
                ));
            }
            let broken = commit.records().filter(|record| !record.is_intact());
            damaged.extend(broken.map(|record| record.offset));
        }
        Ok(damaged)
    }

    /// A version as messages name it.
    fn name_of(&self, stored: &Stored) -> String {
        let id = self.overview_of(stored).map(|overview| overview.id);
        let id = id.map_or_else(|_| "an unknown connector".into(), |id| quoted(id.as_str()));
        format!("version {} of {id}", stored.version)
    }
}

/// What goes on in a new epoch.
struct Again<'v> {
    checked: Checked<'v>,
    /// Versions that are damaged, as far as their overviews open.
    dropped: Vec<Overview>,
    /// Newest versions that are damaged.
    lost: Vec<String>,
}

/// Fails with `damaged` if the newest versions of connectors are: with an older one in their place, the storage could
/// bring an old value back and have an owner sign it.
fn refuse_lost(lost: &[String]) -> Result<()> {
    match lost {
        [] => Ok(()),
        lost => Err(Error::new(
            Code::Damaged,
            format!(
                "{} damaged: {}",
                counted(
                    lost.len() as u64,
                    "newest version is",
                    "newest versions are"
                ),
                lost.join(", ")
            ),
        )
        .with_hint("restore a backup, or repair the vault first")),
    }
}
