//! Compaction: a new snapshot of the sealed records as they are; no secret is opened
//! (docs/format.md section 10).

use std::collections::{HashMap, HashSet};

use super::{
    Chain, Checked, CheckedConnector, NewVersion, Prepared, Scope, next_counter, snapshot_file,
};
use crate::access::{Access, Rights};
use crate::crypto::Hash;
use crate::error::Result;
use crate::format::header::Header;
use crate::format::hex::GrantId;
use crate::format::key_slots::KeySlotEntry;
use crate::limits;
use crate::role::Capability;
use crate::source::Source;
use crate::time::Timestamp;
use crate::vault::authorship::FalseVersion;
use crate::vault::index::{Hint, Stored};
use crate::vault::{Host, Vault};

/// Which versions of a connector a compaction keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retention {
    /// The newest so many, at least one.
    Newest(usize),
    /// The newest ten, those with a request id of the last seven days (of each author 1,024), and the newest one of
    /// the previous snapshot: ten junk updates must not flush it. A compaction that happens by itself keeps these.
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
        let checked = self.checked(Scope::Tail, host)?;
        self.compaction(retention, checked, host)
    }

    /// The compaction that happens by itself. Fails with `false_record` where it would leave something out: an
    /// owner hears of that, so it is an owner who compacts then.
    pub fn prepare_own_compaction(&self, host: &mut Host<'_>) -> Result<Prepared> {
        self.require_owner("compact the vault")?;
        let mut checked = self.checked(Scope::Tail, host)?;
        match checked.false_versions.is_empty() {
            true => self.compaction(Retention::Automatic, checked, host),
            false => Err(checked.false_versions.swap_remove(0).error),
        }
    }

    fn compaction(
        &self,
        retention: Retention,
        mut checked: Checked,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        let mut header = self.header.clone();
        for connector in &mut checked.connectors {
            let keeps = self.keeps(connector, retention, &host.now)?;
            self.leave_out(connector, &keeps, &host.now, &mut header)?;
        }
        self.prepare_checked(&self.access, &header, &self.key_slots, checked, host)
    }

    /// Which versions of a connector are kept.
    fn keeps(
        &self,
        connector: &CheckedConnector,
        retention: Retention,
        now: &Timestamp,
    ) -> Result<Vec<bool>> {
        let count = connector.count();
        let (newest, is_automatic) = match retention {
            Retention::Newest(keep) => (keep.max(1), false),
            Retention::Automatic => (limits::VERSIONS_KEPT, true),
        };
        let versions = &connector.versions;
        let mut keeps: Vec<bool> = (0..versions.len())
            .map(|index| index + newest >= count)
            .collect();
        if is_automatic {
            let since = self.index.commits.first().map_or(0, |first| first.seq);
            if let Some(vouched) = versions.iter().rposition(|stored| stored.seq <= since) {
                keeps[vouched] = true;
            }
            let mut requests: HashMap<GrantId, usize> = HashMap::new();
            for (index, stored) in versions.iter().enumerate().rev() {
                let Some((author, is_recent)) = self.request_of(stored, now)? else {
                    continue;
                };
                let Some(author) = author.filter(|_| is_recent) else {
                    continue;
                };
                let count = requests.entry(author).or_default();
                *count += 1;
                keeps[index] |= *count <= limits::REQUEST_VERSIONS_KEPT;
            }
        }
        Ok(keeps)
    }

    /// Leaves versions of a connector out. Authors whose request ids go with them have to hear of it: a repeated
    /// request might be carried out twice.
    pub(crate) fn leave_out(
        &self,
        connector: &mut CheckedConnector,
        keeps: &[bool],
        now: &Timestamp,
        header: &mut Header,
    ) -> Result<()> {
        let mut kept = Vec::with_capacity(connector.versions.len());
        for (stored, keeps) in connector.versions.iter().zip(keeps) {
            if *keeps {
                kept.push(*stored);
                continue;
            }
            let Some((author, true)) = self.request_of(stored, now)? else {
                continue;
            };
            let group = self.keys.group_id(stored.entry.group);
            for grant in &mut header.grants {
                let rights = Rights::of(&grant.rights);
                let may_be_author = match author {
                    Some(author) => grant.id == author,
                    None => {
                        group.is_some_and(|group| rights.in_group(group).has(Capability::Patch))
                    }
                };
                if may_be_author {
                    grant.requests_from = Some(now.to_string());
                }
            }
        }
        connector.versions = kept;
        Ok(())
    }

    /// Of a version with a request id its author, and whether the request may be one of the last seven days.
    /// The author is unknown where the version is damaged.
    fn request_of(
        &self,
        stored: &Stored,
        now: &Timestamp,
    ) -> Result<Option<(Option<GrantId>, bool)>> {
        if stored.entry.hint == Hint::NONE {
            return Ok(None);
        }
        Ok(Some(match self.overview_of(stored) {
            Ok(overview) => {
                let is_old = overview.at.is_older_than(limits::REQUEST_SECONDS_KEPT, now);
                (Some(overview.author), !is_old)
            }
            Err(error) if error.is_unread() => return Err(error),
            Err(_) => (None, true),
        }))
    }

    /// Whether a compaction pays (docs/format.md section 10.3): its cost is shared by as many updates as it copies.
    /// Needs an owner.
    #[must_use]
    pub fn wants_compaction(&self) -> bool {
        self.rights().owns() && self.is_compaction_due()
    }

    /// Whether a compaction is due, by whomever.
    fn is_compaction_due(&self) -> bool {
        let log_len = self.log_end().end;
        let commits = &self.index.commits;
        let snapshot_len = commits.first().map_or(0, |snapshot| snapshot.len);
        let is_long = log_len > limits::COMPACTION_LEN_MIN as u64 && log_len / 2 >= snapshot_len;
        is_long || commits.len() > limits::TAIL_COMMITS_MAX + 1 || self.index.is_tail_wide()
    }

    /// A snapshot that keeps only the newest version, of these connectors or of all: no former
    /// value of theirs is in the file afterwards. Needs an owner.
    ///
    /// Fails with `connector_not_found` for an id that never was.
    pub fn prepare_purge(&self, ids: Option<&[&str]>, host: &mut Host<'_>) -> Result<Prepared> {
        self.require_owner("purge history")?;
        let purged: Option<HashSet<_>> =
            ids.map(|ids| ids.iter().map(|id| self.index.keys.tag(id)).collect());
        for id in ids.unwrap_or_default() {
            if self.newest(id)?.is_none() {
                return Err(self.not_found(id, &[]));
            }
        }
        let mut checked = self.checked(Scope::Tail, host)?;
        let mut header = self.header.clone();
        for connector in &mut checked.connectors {
            let Some(first) = connector.versions.first() else {
                continue;
            };
            if purged
                .as_ref()
                .is_none_or(|tags| tags.contains(&first.entry.tag))
            {
                let keeps = self.keeps(connector, Retention::Newest(1), &host.now)?;
                self.leave_out(connector, &keeps, &host.now, &mut header)?;
            }
        }
        self.prepare_checked(&self.access, &header, &self.key_slots, checked, host)
    }

    /// A snapshot of versions as they are, with another header or other key slots.
    pub(crate) fn prepare_checked(
        &self,
        access: &Access,
        header: &Header,
        key_slots: &[KeySlotEntry],
        checked: Checked,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        let stored = checked.connectors.iter().flat_map(|one| &one.versions);
        self.want(stored.flat_map(Stored::record))?;
        let keys = (&self.index.keys, &self.keys);
        let mut versions = Vec::new();
        for connector in &checked.connectors {
            let stored = connector.versions.iter();
            versions.extend(stored.map(|stored| NewVersion::stored(&self.source, stored)));
            if let Some(own) = &connector.own {
                versions.push(own.seal(keys, host)?);
            }
        }
        self.prepare_snapshot(
            access,
            header,
            key_slots,
            versions,
            checked.false_versions,
            host,
        )
    }

    /// A snapshot on the present head, with another header, other key slots or other versions, signed
    /// with the access that its header gives. The versions ascend by tag and version.
    pub(crate) fn prepare_snapshot(
        &self,
        access: &Access,
        header: &Header,
        key_slots: &[KeySlotEntry],
        versions: Vec<NewVersion<'_>>,
        false_versions: Vec<FalseVersion>,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        let head = self.head();
        let mut superseded: Vec<Hash> = self.superseded.clone();
        superseded.extend(self.index.commits.iter().map(|commit| commit.hash));
        superseded.drain(..superseded.len().saturating_sub(limits::SUPERSEDED_MAX));
        let chain = Chain {
            seq: next_counter(head.seq)?,
            prev: head.hash.0,
            superseded: &superseded,
            adopted: &self.adopted,
        };
        let file = snapshot_file(access, header, key_slots, &chain, versions, host.rng)?;
        let prepared = Prepared::replace(self, file, false_versions);
        Ok(match access.grant == self.access.grant {
            true => prepared,
            false => prepared.opened_by(&access.identity),
        })
    }
}
