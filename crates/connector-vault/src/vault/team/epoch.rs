//! A new epoch: new keys, everything sealed again, and former rights that become a retired grant
//! (docs/format.md section 5.4).

use std::collections::HashSet;

use super::grants::Revocation;
use crate::access::{Access, Bundle, BundlePlace, Rights, groups};
use crate::connector::{ConnectorId, Op, PropertyName};
use crate::crypto::identity::{Identity, VaultKey};
use crate::error::{Code, Error, Result, counted, quoted};
use crate::format::commit::{NewRecord, split_record};
use crate::format::header::{Grant, Handover, Header, Retired};
use crate::format::hex::{GrantId, Hex, RecordId};
use crate::format::key_slots::KeySlotEntry;
use crate::limits;
use crate::log;
use crate::role::Capability;
use crate::source::Source;
use crate::vault::commit::next_counter;
use crate::vault::index::{CommitPlace, Stored};
use crate::vault::record::{Names, Overview, OverviewText, RecordKeys, SecretsPart, Text};
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
        let again = Again {
            keys: &keys,
            author: access.grant,
            forgotten: &forgotten,
            records: Vec::new(),
            dropped: Vec::new(),
            lost: Vec::new(),
        };
        let again = self.seal_again(again, host, progress)?;
        refuse_lost(&again.lost)?;
        let prepared = self.prepare_snapshot(&access, &header, key_slots, &again.records)?;
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

    /// Every kept record, sealed with other keys; nothing else about it changes. False records are left out, and
    /// those of `forgotten` authors: where the newest version goes, the owner adds one.
    fn seal_again<'a>(
        &self,
        mut again: Again<'a>,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Again<'a>> {
        let total = self.index.all().map(Iterator::count).sum();
        let damaged = self.damaged_records()?;
        let mut buffer = Vec::new();
        for versions in self.index.all() {
            let mut course = Course::default();
            let mut newest = None;
            for stored in versions {
                let at = stored.record().start;
                course.deleted |= stored.op == Op::Delete;
                newest = Some((stored, Fate::Goes));
                if damaged.contains(&at) {
                    newest = Some((stored, Fate::Damaged));
                    again.dropped.extend(self.overview_of(stored).ok());
                    continue;
                }
                let record = self.bytes(stored.record(), &mut buffer)?;
                let (overview, sealed) = split_record(record, at)?;
                let text = self.index.open_overview(stored.group, overview)?;
                let overview = OverviewText::parse(&text)?;
                let Ok(secrets) = self.open_true(stored, &overview, sealed) else {
                    again.dropped.push(Overview::parse(&text)?);
                    course.newest_false = Some(text);
                    continue;
                };
                if !again.forgotten.contains(&overview.author) {
                    let record =
                        again
                            .keys
                            .seal(host.rng, &overview.with_names(), secrets.as_ref())?;
                    again.records.push(NewRecord::new(record));
                    progress(again.records.len(), total);
                    newest = Some((stored, Fate::Stays));
                }
                if let Some(secrets) = secrets {
                    course.deleted = false;
                    course.readable = Some((text.clone(), secrets));
                }
                course.newest_true = Some(text);
            }
            match newest {
                Some((stored, Fate::Goes)) => again.replace(stored, &course, host)?,
                Some((stored, Fate::Damaged)) => again.lost.push(self.name_of(stored)),
                Some((_, Fate::Stays)) | None => {}
            }
        }
        Ok(again)
    }

    /// The secrets of a version, if they are what its author owed: they open, follow the format and have the names of
    /// the overview.
    fn open_true(
        &self,
        stored: &Stored,
        overview: &OverviewText<'_, Names<'_>>,
        sealed: &[u8],
    ) -> Result<Option<SecretsPart>> {
        if stored.op == Op::Delete {
            return Ok(None);
        }
        let keys = self.index.keys();
        let secrets = keys.open_secrets(stored.group, &overview.id, stored.version, sealed)?;
        let listed = overview.properties.texts();
        let names = secrets.properties.names().map(PropertyName::as_str);
        match names.eq(listed.iter().map(|Text(name)| name.as_ref())) {
            true => Ok(Some(secrets)),
            false => Err(Error::new(
                Code::NamesMismatch,
                "it holds other properties than it lists",
            )),
        }
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

/// Records that are sealed again.
struct Again<'a> {
    keys: &'a RecordKeys,
    /// The owner, who adds versions where newest ones go.
    author: GrantId,
    forgotten: &'a HashSet<GrantId>,
    records: Vec<NewRecord<'static>>,
    /// Versions that were left out.
    dropped: Vec<Overview>,
    /// Newest versions that are damaged.
    lost: Vec<String>,
}

/// What becomes of a version.
#[derive(Clone, Copy)]
enum Fate {
    Stays,
    Goes,
    Damaged,
}

/// The versions of a connector so far.
#[derive(Default)]
struct Course {
    /// The newest one with values, and its overview.
    readable: Option<(Vec<u8>, SecretsPart)>,
    /// Whether a delete stands behind that one.
    deleted: bool,
    newest_true: Option<Vec<u8>>,
    newest_false: Option<Vec<u8>>,
}

impl Again<'_> {
    /// Adds a version of the owner's behind the newest one, which goes: the newest values that can be read, or a
    /// delete. So no version number serves twice, and no value changes by itself.
    fn replace(&mut self, newest: &Stored, course: &Course, host: &mut Host<'_>) -> Result<()> {
        let texts = course.newest_true.as_ref().or(course.newest_false.as_ref());
        let Some(text) = texts else {
            return Ok(());
        };
        let readable = course.readable.as_ref().filter(|_| !course.deleted);
        let mut record_id = [0; 16];
        host.rng.fill_bytes(&mut record_id);
        let overview = OverviewText {
            record_id: RecordId(Hex(record_id)),
            op: match readable {
                Some(_) => Op::Restore,
                None => Op::Delete,
            },
            version: next_counter(newest.version.get())?,
            at: host.now.as_str().into(),
            author: self.author,
            properties: match readable {
                Some((text, _)) => OverviewText::parse(text)?.properties.texts(),
                None => Vec::new(),
            },
            changed: None,
            note: None,
            request_id: None,
            ..OverviewText::parse(text)?.with_names()
        };
        let secrets = readable.map(|(_, secrets)| SecretsPart {
            properties: secrets.properties.clone(),
            request: None,
        });
        let record = self.keys.seal(host.rng, &overview, secrets.as_ref())?;
        self.records.push(NewRecord::new(record));
        Ok(())
    }
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
