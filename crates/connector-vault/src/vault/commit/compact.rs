//! Compaction: a new snapshot of the sealed records as they are, once those behind the previous one are checked
//! (docs/format.md section 10).

use std::collections::HashSet;

use super::{Chain, Checked, Checks, Prepared, next_counter, snapshot_file};
use crate::access::Access;
use crate::crypto::Hash;
use crate::error::Result;
use crate::format::commit::NewRecord;
use crate::format::header::Header;
use crate::format::key_slots::KeySlotEntry;
use crate::limits;
use crate::source::Source;
use crate::vault::authorship::FalseVersion;
use crate::vault::index::Stored;
use crate::vault::{Host, Vault, for_all};

/// Which versions of a connector a compaction keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retention {
    /// The newest so many, at least one.
    Newest(usize),
    /// The newest ten, all that were made since the previous snapshot (ten junk updates must not
    /// flush the good ones), and of a connector with a request of the last seven days all of these
    /// days and the one before, up to 1,024. A compaction that happens by itself keeps these.
    Automatic,
}

impl<S: Source> Vault<S> {
    /// A snapshot that replaces the log and keeps the versions of `retention`. Needs an owner, whose program checks
    /// the versions behind the previous snapshot: [`Prepared::false_versions`] are those that it leaves out.
    pub fn prepare_compaction(
        &self,
        retention: Retention,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        self.require_owner("compact the vault")?;
        self.require_sound()?;
        self.compaction(retention, self.checked(Checks::Tail, host)?, Some(host))
    }

    /// The compaction that happens by itself. Fails with `false_record` where it would leave something out: an
    /// owner hears of that, so it is an owner who compacts then.
    pub(in crate::vault) fn prepare_own_compaction(&self) -> Result<Prepared> {
        self.require_owner("compact the vault")?;
        self.require_sound()?;
        self.compaction(Retention::Automatic, self.all_true()?, None)
    }

    fn compaction(
        &self,
        retention: Retention,
        checked: Checked<'_>,
        mut host: Option<&mut Host<'_>>,
    ) -> Result<Prepared> {
        let since = self
            .index
            .commits
            .first()
            .map_or(0, |snapshot| snapshot.seq);
        let mut records = Vec::new();
        for connector in &checked.connectors {
            let count = connector.count();
            let keep = match retention {
                Retention::Newest(keep) => keep.max(1),
                Retention::Automatic => limits::VERSIONS_KEPT,
            };
            let remembering = match retention {
                Retention::Newest(_) => 0,
                Retention::Automatic => self.remembering(connector.versions.iter().copied())?,
            };
            let keep = keep.max(remembering);
            let kept = connector.versions.iter().enumerate();
            let kept = kept.filter(|(index, stored)| {
                *index + keep >= count || (retention == Retention::Automatic && stored.seq > since)
            });
            let kept: Vec<_> = kept.map(|(_, stored)| *stored).collect();
            records.extend(self.hashed(kept)?);
            if let (Some(own), Some(host)) = (&connector.own, &mut host) {
                records.push(own.seal(self.index.keys(), host)?);
            }
        }
        self.prepare_snapshot(
            &self.access,
            &self.header,
            &self.key_slots,
            &records,
            checked.false_versions,
        )
    }

    /// Every version that is not false as it is, and those of the owner's in the place of false ones.
    pub(crate) fn all_records<'v>(
        &'v self,
        checked: &Checked<'v>,
        host: &mut Host<'_>,
    ) -> Result<Vec<NewRecord<'v>>> {
        let mut records = Vec::new();
        for connector in &checked.connectors {
            records.extend(self.hashed(connector.versions.clone())?);
            if let Some(own) = &connector.own {
                records.push(own.seal(self.index.keys(), host)?);
            }
        }
        Ok(records)
    }

    /// How many of a connector's newest versions decide which requests of the last seven days it has
    /// seen: all of these days, and the one before them, which shows that none is missing. None if no
    /// request is among them. Seven days count from its newest version, since a compaction has no
    /// clock.
    fn remembering<'v>(
        &self,
        versions: impl DoubleEndedIterator<Item = &'v Stored> + Clone,
    ) -> Result<usize> {
        if !versions.clone().any(|stored| stored.has_request) {
            return Ok(0);
        }
        let (mut newest, mut has_request, mut number) = (None, false, 0);
        for stored in versions.rev().take(limits::REQUEST_VERSIONS_KEPT) {
            number += 1;
            let at = self.overview_of(stored)?.at;
            let newest = newest.get_or_insert_with(|| at.clone());
            if at.is_older_than(limits::REQUEST_SECONDS_KEPT, newest) {
                break;
            }
            has_request |= stored.has_request;
        }
        Ok(if has_request { number } else { 0 })
    }

    /// Whether a compaction pays: the log is larger than 1 MiB, more than half of it is
    /// superseded, and it has doubled since the snapshot, so that its cost is shared by as many
    /// updates as it copies.
    #[must_use]
    pub fn wants_compaction(&self) -> bool {
        let log_len = self.log_end().end;
        let snapshot_len = self
            .index
            .commits
            .first()
            .map_or(0, |snapshot| snapshot.len as u64);
        self.rights().owns()
            && log_len > limits::COMPACTION_LEN_MIN as u64
            && self.index.kept_len() < log_len / 2
            && log_len / 2 > snapshot_len
    }

    /// A snapshot that keeps only the newest version, of these connectors or of all: no former
    /// value of theirs is in the file afterwards. Needs an owner.
    ///
    /// Fails with `connector_not_found` for an id that never was.
    pub fn prepare_purge(&self, ids: Option<&[&str]>, host: &mut Host<'_>) -> Result<Prepared> {
        self.require_owner("purge history")?;
        let purged = ids.map(|ids| ids.iter().copied().collect::<HashSet<_>>());
        if let Some(unknown) = ids
            .unwrap_or_default()
            .iter()
            .find(|id| self.index.newest(id).is_none())
        {
            return Err(self.not_found(unknown));
        }
        self.require_sound()?;
        let mut checked = self.checked(Checks::Tail, host)?;
        for (id, connector) in self.index.ids().zip(&mut checked.connectors) {
            if purged.as_ref().is_none_or(|ids| ids.contains(id)) {
                let dropped = (connector.count() - 1).min(connector.versions.len());
                connector.versions.drain(..dropped);
            }
        }
        let records = self.all_records(&checked, host)?;
        self.prepare_snapshot(
            &self.access,
            &self.header,
            &self.key_slots,
            &records,
            checked.false_versions,
        )
    }

    /// A snapshot on the present head, with another header, other key slots or other records, signed
    /// with the access that its header gives.
    pub(crate) fn prepare_snapshot(
        &self,
        access: &Access,
        header: &Header,
        key_slots: &[KeySlotEntry],
        records: &[NewRecord<'_>],
        false_versions: Vec<FalseVersion>,
    ) -> Result<Prepared> {
        self.require_sound()?;
        let head = self.head();
        let mut superseded: Vec<Hash> = self.superseded.clone();
        superseded.extend(self.index.commits.iter().map(|commit| commit.hash));
        superseded.drain(..superseded.len().saturating_sub(limits::SUPERSEDED_MAX));
        let chain = Chain {
            seq: next_counter(head.seq)?,
            prev: head.hash.0,
            superseded: &superseded,
        };
        let file = snapshot_file(access, header, key_slots, &chain, records)?;
        Ok(Prepared::replace(self, file, false_versions))
    }

    /// The records of versions as they are, for a new snapshot.
    pub(crate) fn hashed<'v>(&'v self, versions: Vec<&'v Stored>) -> Result<Vec<NewRecord<'v>>> {
        let (mut records, mut buffer) = (Vec::with_capacity(versions.len()), Vec::new());
        for_all(versions, |stored| {
            let bytes = self.bytes(stored.record(), &mut buffer)?;
            records.push(NewRecord::stored(&self.source, stored.record(), bytes));
            Ok(())
        })?;
        Ok(records)
    }
}
