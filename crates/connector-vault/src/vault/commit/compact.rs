//! Compaction: a new snapshot of the sealed records as they are; no secret is opened, but those of patches
//! (docs/format.md section 10).

use std::collections::{HashMap, HashSet};

use super::{
    Checked, CheckedConnector, Links, NewVersion, OwnVersion, Prepared, Scope, next_counter,
    snapshot_file,
};
use crate::access::{Access, Rights};
use crate::connector::Op;
use crate::crypto::Hash;
use crate::error::{Code, Result};
use crate::format::header::Header;
use crate::format::hex::GrantId;
use crate::format::key_slots::KeySlotEntry;
use crate::limits;
use crate::role::Capability;
use crate::source::Source;
use crate::time::Timestamp;
use crate::vault::authorship::FalseVersion;
use crate::vault::index::{Hint, Stored};
use crate::vault::patches::Chain;
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

/// Whether reading the newest of the kept versions would go through more patches than it should.
fn is_long(connector: &CheckedConnector, keeps: &[bool]) -> bool {
    let kept = connector.versions.iter().zip(keeps).rev();
    let kept = kept.filter(|(_, keeps)| **keeps);
    let patches = kept.take_while(|(stored, _)| stored.entry.op == Op::Patch);
    patches.count() > limits::PATCHES_KEPT
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
            let mut keeps = self.keeps(connector, retention, &host.now)?;
            if connector.own.is_none() && is_long(connector, &keeps) {
                connector.own = self.own_if_readable(connector, host)?;
                if connector.own.is_some() {
                    keeps = self.keeps(connector, retention, &host.now)?;
                }
            }
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
        self.keep_needed(versions, &mut keeps)?;
        Ok(keeps)
    }

    /// Also keeps what reading each kept version needs.
    fn keep_needed(&self, versions: &[Stored], keeps: &mut [bool]) -> Result<()> {
        let mut chain = Chain::new(self, versions.to_vec());
        for index in (0..versions.len()).rev() {
            let mut older = versions[..=index].iter();
            let full = older.rposition(|stored| stored.entry.op != Op::Patch);
            let first = full.unwrap_or_default();
            // Most often all of it is kept.
            if !keeps[index] || keeps[first..index].iter().all(|keeps| *keeps) {
                continue;
            }
            match chain.walk(index) {
                Ok(walk) => {
                    for at in walk.full.iter().chain(&walk.used) {
                        keeps[*at] = true;
                    }
                }
                Err(error) if error.is_unread() => return Err(error),
                // It does not read, and goes on not to read: all that it may need stays.
                Err(_) => keeps[first..index].fill(true),
            }
        }
        Ok(())
    }

    /// A version of the owner's with the values of the newest one, that patches need not be gone through any more;
    /// `None` if that does not read.
    fn own_if_readable(
        &self,
        connector: &CheckedConnector,
        host: &mut Host<'_>,
    ) -> Result<Option<OwnVersion>> {
        let Some(newest) = connector.versions.last() else {
            return Ok(None);
        };
        match self.renewed(newest, host) {
            Err(error) if matches!(error.code(), Code::Damaged | Code::FalseRecord) => Ok(None),
            own => own.map(Some),
        }
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

    /// Whether a compaction is due that this grant cannot make (docs/format.md section 10.3): an owner's next change
    /// makes it.
    #[must_use]
    pub fn awaits_compaction(&self) -> bool {
        !self.rights().owns() && self.is_compaction_due()
    }

    /// Whether a compaction is due, by whomever.
    fn is_compaction_due(&self) -> bool {
        let log_len = self.log_end().end;
        let commits = &self.index.commits;
        let snapshot_len = commits.first().map_or(0, |snapshot| snapshot.len);
        let is_long = log_len > limits::COMPACTION_LEN_MIN as u64 && log_len / 2 >= snapshot_len;
        let has_chain = self.index.patches_of_one() > limits::PATCHES_KEPT;
        let has_many = commits.len() > limits::TAIL_COMMITS_MAX + 1;
        is_long || has_many || has_chain || self.index.is_tail_wide()
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
                let newest = connector.versions.last();
                // A patch needs former values: the owner puts them into one version.
                if let Some(patch) = newest.filter(|newest| newest.entry.op == Op::Patch)
                    && connector.own.is_none()
                {
                    connector.own = Some(self.renewed(patch, host)?);
                }
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
        let before = self.superseded_next();
        let chain = self.chain(&before, &self.adopted)?;
        let file = snapshot_file(access, header, key_slots, &chain, versions, host.rng)?;
        let prepared = Prepared::replace(self, file, false_versions);
        Ok(match access.grant == self.access.grant {
            true => prepared,
            false => prepared.opened_by(&access.identity),
        })
    }

    /// A snapshot that lists other commits of merged copies.
    pub(crate) fn prepare_adopting(
        &self,
        adopted: &[[u8; 40]],
        versions: Vec<NewVersion<'_>>,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        let before = self.superseded_next();
        let chain = self.chain(&before, adopted)?;
        let (access, header, key_slots) = (&self.access, &self.header, &self.key_slots);
        let file = snapshot_file(access, header, key_slots, &chain, versions, host.rng)?;
        Ok(Prepared::replace(self, file, Vec::new()))
    }

    /// Where the next snapshot stands.
    fn chain<'a>(&self, superseded: &'a [Hash], adopted: &'a [[u8; 40]]) -> Result<Links<'a>> {
        let head = self.head();
        Ok(Links {
            seq: next_counter(head.seq)?,
            prev: head.hash.0,
            superseded,
            adopted,
        })
    }

    /// Hashes of the commits that the next snapshot replaces, oldest first.
    fn superseded_next(&self) -> Vec<Hash> {
        let mut superseded: Vec<Hash> = self.superseded.clone();
        superseded.extend(self.index.commits.iter().map(|commit| commit.hash));
        superseded.drain(..superseded.len().saturating_sub(limits::SUPERSEDED_MAX));
        superseded
    }
}
