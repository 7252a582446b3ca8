//! Which records of a damaged file are kept (docs/format.md section 12).

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::{Elsewhere, LostRecord, Reason};
use crate::access::Rights;
use crate::connector::{Op, Version};
use crate::crypto::{Hash, sha256};
use crate::error::Code;
use crate::format::commit::{Commit, Kind};
use crate::format::header::Header;
use crate::format::hex::{GrantId, GroupId};
use crate::log;
use crate::role::Capability;
use crate::vault::index::{
    self, Entry, Face, IndexKeys, Salvaged, Stored, Tag, capability_of, records,
};
use crate::vault::record::{OpenedOverview, Overview, RecordKeys, is_signed_by};

/// A version that opens, with its sealed record.
pub(super) struct Found<'a> {
    pub(super) entry: Entry,
    pub(super) sealed: [&'a [u8]; 2],
    pub(super) overview: Overview,
    /// SHA-256 of its overview JSON.
    hash: Hash,
    /// Where the length in front of its sealed overview stands in the file.
    offset: u64,
    /// The commit that carries it.
    seq: u64,
}

/// The versions of a connector.
#[derive(Default)]
pub(super) struct Versions<'a> {
    /// Oldest first.
    pub(super) kept: Vec<Found<'a>>,
    /// The newest version that a page shows, be its record left or not.
    shown: Option<Version>,
    /// What entries tell which stand in a page of the snapshot, or whose author may name and move the connector.
    told: BTreeMap<Version, Told>,
    /// Whether an entry or record of it stands in the snapshot.
    is_in_snapshot: bool,
}

impl<'a> Versions<'a> {
    /// The newest version that a page shows, if none so new is kept.
    pub(super) fn lost_newest(&self) -> Option<Version> {
        let newest = self.kept.last().map(|kept| kept.entry.version);
        self.shown.filter(|shown| Some(*shown) > newest)
    }

    /// The number of the group where the connector stood before a version.
    fn group_before(&self, version: Version) -> Option<u16> {
        let told = self.told.range(..version).next_back();
        let told = told.map(|(version, told)| (*version, told.group));
        let kept = self.before(version);
        let kept = kept.map(|kept| (kept.entry.version, kept.entry.group));
        told.max(kept).map(|(_, group)| group)
    }

    fn before(&self, version: Version) -> Option<&Found<'a>> {
        let mut kept = self.kept.iter().rev();
        kept.find(|kept| kept.entry.version < version)
    }

    /// Leaves out the patches behind which no full version is kept: nobody can read them.
    fn without_values(&mut self) -> Vec<LostRecord> {
        let mut lost = Vec::new();
        let mut goes_on = false;
        self.kept.retain(|found| {
            if found.entry.op != Op::Patch {
                goes_on = found.entry.exists();
                return true;
            }
            if !goes_on {
                lost.push(LostRecord {
                    seq: found.seq,
                    offset: found.offset,
                    connector: Some(found.overview.id.to_string()),
                    code: Code::Damaged.as_str(),
                });
            }
            goes_on
        });
        lost
    }

    /// Keeps a version, in the place of an earlier record that claims to be the same one.
    fn keep(&mut self, found: Found<'a>) {
        let version = found.entry.version;
        match self
            .kept
            .binary_search_by_key(&version, |kept| kept.entry.version)
        {
            Ok(at) => self.kept[at] = found,
            Err(at) => self.kept.insert(at, found),
        }
    }
}

/// What is left of a damaged file.
pub(super) struct Left<'a> {
    pub(super) versions: Vec<Versions<'a>>,
    pub(super) elsewhere: Vec<Elsewhere>,
    pub(super) lost: Vec<LostRecord>,
}

impl Told {
    fn of(entry: &Entry) -> Self {
        Self {
            face: entry.face,
            group: entry.group,
        }
    }
}

/// Whether an op tells name and place of a connector: whoever may do it manages the group.
fn names(op: Op) -> bool {
    matches!(op, Op::Create | Op::Describe | Op::Move | Op::Undelete)
}

/// What a connector is called, and where it stands, from a version on.
#[derive(Clone, Copy)]
struct Told {
    face: Face,
    group: u16,
}

/// Why a version is not kept.
enum Refused {
    Lost(Code),
    Elsewhere(Reason),
}

/// Collects what is intact.
pub(super) struct Records<'a, 'k> {
    file: &'a [u8],
    header: &'k Header,
    index: &'k IndexKeys,
    keys: &'k RecordKeys,
    connectors: BTreeMap<Tag, Versions<'a>>,
    elsewhere: Vec<(Reason, Found<'a>)>,
    lost: Vec<LostRecord>,
}

impl<'a, 'k> Records<'a, 'k> {
    pub(super) fn new(
        file: &'a [u8],
        header: &'k Header,
        index: &'k IndexKeys,
        keys: &'k RecordKeys,
    ) -> Self {
        Self {
            file,
            header,
            index,
            keys,
            connectors: BTreeMap::new(),
            elsewhere: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// Takes what is intact in a commit in its place; the snapshot comes first.
    pub(super) fn take(&mut self, commit: &Commit<'a>, is_signed: bool) {
        for salvaged in self.salvage(commit, is_signed) {
            match salvaged {
                Salvaged::Version(stored) => self.take_paged(commit, &stored),
                Salvaged::LostPage { overviews, secrets } => {
                    self.take_loose(commit, overviews, secrets);
                }
            }
        }
    }

    /// Lists what is intact in a commit that is not in its place.
    pub(super) fn list(&mut self, commit: &Commit<'a>) {
        for salvaged in self.salvage(commit, false) {
            match salvaged {
                Salvaged::Version(stored) => {
                    if let Ok(found) = self.open(commit, &stored)
                        && self.had_right(&found)
                    {
                        self.elsewhere.push((Reason::NotInPlace, found));
                    }
                }
                Salvaged::LostPage { overviews, secrets } => {
                    let (found, _) = self.loose(commit, overviews, secrets);
                    let found = found.into_iter().filter(|found| self.had_right(found));
                    let found: Vec<_> = found.collect();
                    let listed = found.into_iter().map(|found| (Reason::NotInPlace, found));
                    self.elsewhere.extend(listed);
                }
            }
        }
    }

    fn salvage(&self, commit: &Commit<'_>, is_signed: bool) -> Vec<Salvaged> {
        index::salvage(self.index, self.header, commit, self.file, is_signed)
    }

    fn take_paged(&mut self, commit: &Commit<'a>, stored: &Stored) {
        let entry = stored.entry;
        let is_snapshot = commit.fixed.kind == Kind::Snapshot;
        let opened = self.open(commit, stored);
        let connector = self.connectors.entry(entry.tag).or_default();
        connector.shown = connector.shown.max(Some(entry.version));
        let refused = match opened {
            Err((id, code)) => Err((id, Refused::Lost(code))),
            Ok(found) => match self.judge(commit, &found, true) {
                Ok(()) => Ok(found),
                Err(Refused::Elsewhere(reason)) => {
                    self.elsewhere.push((reason, found));
                    return;
                }
                Err(refused) => Err((Some(found.overview.id.to_string()), refused)),
            },
        };
        let is_told = is_snapshot || self.signer_may_tell(commit, &entry);
        let connector = self.connectors.entry(entry.tag).or_default();
        connector.is_in_snapshot |= is_snapshot;
        // Whoever signed the page vouches for the entry also where its record is lost.
        if is_told {
            connector.told.insert(entry.version, Told::of(&entry));
        }
        match refused {
            Ok(found) => {
                if names(entry.op) {
                    connector.told.insert(entry.version, Told::of(&entry));
                }
                connector.keep(found);
            }
            Err((id, Refused::Lost(code))) => self.lost.push(LostRecord {
                seq: commit.fixed.seq,
                offset: stored.overview().start,
                connector: id,
                code: code.as_str(),
            }),
            Err(_) => {}
        }
    }

    /// Takes the records of a page that is lost. What no page vouches for, its author has to be allowed now.
    fn take_loose(&mut self, commit: &Commit<'a>, overviews: Range<u64>, secrets: Range<u64>) {
        let (mut found, lost) = self.loose(commit, overviews, secrets);
        self.lost
            .extend(lost.into_iter().map(|(offset, connector)| LostRecord {
                seq: commit.fixed.seq,
                offset,
                connector,
                code: Code::Damaged.as_str(),
            }));
        found.sort_by_key(|found| found.entry.version);
        for found in found {
            let tag = found.entry.tag;
            match self.judge(commit, &found, false) {
                Ok(()) => {
                    let connector = self.connectors.entry(tag).or_default();
                    connector.is_in_snapshot |= commit.fixed.kind == Kind::Snapshot;
                    if names(found.entry.op) {
                        let told = Told::of(&found.entry);
                        connector.told.insert(found.entry.version, told);
                    }
                    connector.keep(found);
                }
                Err(Refused::Elsewhere(reason)) => self.elsewhere.push((reason, found)),
                Err(Refused::Lost(_)) => self.elsewhere.push((Reason::NoPage, found)),
            }
        }
    }

    /// Whether a version of a commit in its place is kept.
    fn judge(&self, commit: &Commit<'_>, found: &Found<'_>, is_paged: bool) -> Result<(), Refused> {
        let (entry, author) = (&found.entry, found.overview.author);
        let capability = capability_of(entry.op);
        if !self.had_right(found) {
            return Err(Refused::Lost(Code::UnauthorizedCommit));
        }
        if !is_paged && !self.has(author, found.overview.group, capability) {
            return Err(Refused::Elsewhere(Reason::NoPage));
        }
        let connector = self.connectors.get(&entry.tag);
        let before = connector.and_then(|connector| connector.before(entry.version));
        if commit.fixed.kind == Kind::Snapshot && is_paged {
            return Ok(());
        }
        if commit.fixed.kind == Kind::Changes {
            let signer = log::author(self.header, commit);
            if !signer.is_ok_and(|signer| signer.id == author) {
                return Err(Refused::Lost(Code::FalseRecord));
            }
            let is_known = connector.is_some_and(|one| one.is_in_snapshot || !one.kept.is_empty());
            let is_begun = is_known || entry.op == Op::Create;
            // Out of a group, or over a deletion in another one: with the right to that too.
            let from = connector.and_then(|connector| connector.group_before(entry.version));
            let from = from.filter(|from| *from != entry.group);
            let may_come = from.is_none_or(|from| {
                let manages = |group| self.had(author, group, Capability::Manage);
                let is_there = || self.keys.group_id(from).is_none_or(manages);
                matches!(entry.op, Op::Create | Op::Move) && is_there()
            });
            // What it stands on is lost, or was never there.
            if !is_begun || !may_come {
                return Err(Refused::Elsewhere(Reason::NotInPlace));
            }
        }
        if !matches!(entry.op, Op::Update | Op::Patch | Op::Restore) {
            return Ok(());
        }
        let told = connector.map(|connector| connector.told.range(..entry.version));
        let told = told.and_then(|mut told| told.next_back());
        let is_same = match (told, before) {
            (Some((_, told)), _) => told.face == entry.face,
            (None, Some(before)) => {
                let named = |overview: &Overview| {
                    (
                        overview.name.clone(),
                        overview.type_name.clone(),
                        overview.meta.clone(),
                    )
                };
                named(&before.overview) == named(&found.overview)
            }
            (None, None) => true,
        };
        match is_same {
            true => Ok(()),
            false => Err(Refused::Elsewhere(Reason::Face)),
        }
    }

    /// Whether the author of a version has, or had, the right to it.
    fn had_right(&self, found: &Found<'_>) -> bool {
        let (author, group) = (found.overview.author, found.overview.group);
        self.had(author, group, capability_of(found.entry.op))
    }

    /// Whether an entry of changes tells name and place of its connector, by a signer who may do that: in the group where
    /// it stood before, too.
    fn signer_may_tell(&self, commit: &Commit<'_>, entry: &Entry) -> bool {
        let connector = self.connectors.get(&entry.tag);
        let from = connector.and_then(|connector| connector.group_before(entry.version));
        let mut groups = from.into_iter().chain([entry.group]);
        let Ok(signer) = log::author(self.header, commit) else {
            return false;
        };
        let manages = |group| self.has(signer.id, group, Capability::Manage);
        names(entry.op) && groups.all(|group| self.keys.group_id(group).is_none_or(manages))
    }

    /// Whether a grant has a capability in a group, or had it.
    fn had(&self, author: GrantId, group: GroupId, capability: Capability) -> bool {
        let mut retired = self.header.retired.iter();
        self.has(author, group, capability)
            || retired.any(|retired| {
                let rights = Rights::of(&retired.rights).in_group(group);
                retired.id == author && rights.has(capability)
            })
    }

    /// Whether a grant has a capability in a group now.
    fn has(&self, grant: GrantId, group: GroupId, capability: Capability) -> bool {
        let mut grants = self.header.grants.iter();
        let grant = grants.find(|one| one.id == grant);
        grant.is_some_and(|grant| Rights::of(&grant.rights).in_group(group).has(capability))
    }

    /// The sealed part in a range of the file, if it is what its entry says.
    fn sealed(&self, range: Range<u64>, hash: &Hash) -> Option<&'a [u8]> {
        let place = |at: u64| usize::try_from(at).ok();
        let bytes = self.file.get(place(range.start)?..place(range.end)?)?;
        let sealed = bytes.get(4..)?;
        (sha256(sealed) == *hash).then_some(sealed)
    }

    /// A version of an entry, if all of it opens and its author signed it; else its connector, if that much is known.
    fn open(
        &self,
        commit: &Commit<'_>,
        stored: &Stored,
    ) -> Result<Found<'a>, (Option<String>, Code)> {
        let entry = stored.entry;
        let sealed = self.sealed(stored.overview(), &entry.overview_hash);
        let sealed = sealed.ok_or((None, Code::Damaged))?;
        let opened = self.overview(entry.group, sealed);
        let opened = opened.ok_or((None, Code::FalseRecord))?;
        let id = Some(opened.overview.id.to_string());
        let is_false = || (id.clone(), Code::FalseRecord);
        let secrets = match entry.exists() {
            true => {
                let sealed = self.sealed(stored.secrets(), &entry.secrets_hash);
                let sealed = sealed.ok_or_else(|| (id.clone(), Code::Damaged))?;
                let read = self.keys.read_secrets(entry.group, &opened, sealed);
                if !matches!(read, Ok(Ok(_))) {
                    return Err(is_false());
                }
                sealed
            }
            false => &[][..],
        };
        let is_of_entry = index::is_of(self.index, self.keys, &opened.overview, &entry);
        if !is_of_entry || !self.is_signed(&opened) {
            return Err(is_false());
        }
        Ok(Found {
            entry,
            sealed: [sealed, secrets],
            hash: opened.hash,
            offset: stored.overview().start,
            seq: commit.fixed.seq,
            overview: opened.overview,
        })
    }

    fn overview(&self, group: u16, sealed: &[u8]) -> Option<OpenedOverview> {
        let mut plaintext = Vec::new();
        let is_open = self.keys.open_overview(group, sealed, &mut plaintext);
        let opened = OpenedOverview::parse(&plaintext).ok()?;
        (is_open.ok()? && self.keys.group_id(group) == Some(opened.overview.group))
            .then_some(opened)
    }

    /// Nothing that its author did not sign comes under the owner's signature, also not on request.
    fn is_signed(&self, opened: &OpenedOverview) -> bool {
        let key = self.header.key_of(opened.overview.author);
        let vault_id = self.header.vault_id;
        key.is_some_and(|key| is_signed_by(key, vault_id, &opened.hash, &opened.signature))
    }

    /// The versions among records that no page describes, by the lengths in front of them; and where overviews stand
    /// that make none, with their connectors.
    #[allow(clippy::type_complexity, reason = "two lists of one search")]
    fn loose(
        &self,
        commit: &Commit<'_>,
        overviews: Range<u64>,
        secrets: Range<u64>,
    ) -> (Vec<Found<'a>>, Vec<(u64, Option<String>)>) {
        /// Secrets that are tried with one overview: as many as a page has.
        const TRIED_MAX: usize = 512;
        let secrets: Vec<_> = records(self.file, secrets)
            .map(|(_, sealed)| sealed)
            .collect();
        let mut next = 0;
        let (mut found, mut lost) = (Vec::new(), Vec::new());
        for (at, sealed) in records(self.file, overviews) {
            let groups = self.header.groups.iter().map(|group| group.number);
            let opened = groups
                .filter_map(|group| Some((group, self.overview(group, sealed)?)))
                .next();
            let Some((group, opened)) = opened else {
                lost.push((at, None));
                continue;
            };
            let id = opened.overview.id.to_string();
            let own = match opened.overview.op {
                Op::Delete => Some(&[][..]),
                _ => {
                    let tried = secrets.iter().enumerate().skip(next).take(TRIED_MAX);
                    let mut tried = tried.filter(|(_, sealed)| {
                        let read = self.keys.read_secrets(group, &opened, sealed);
                        matches!(read, Ok(Ok(_)))
                    });
                    tried.next().map(|(number, sealed)| {
                        next = number + 1;
                        *sealed
                    })
                }
            };
            let len = |part: &[u8]| u32::try_from(part.len()).ok();
            let entry = own.and_then(|own| {
                let overview = &opened.overview;
                Some(Entry {
                    tag: self.index.tag(overview.id.as_str()),
                    version: overview.version,
                    group,
                    op: overview.op,
                    hint: self.index.hint_of(overview),
                    face: index::face(self.keys, group, overview).ok()?,
                    overview_len: len(sealed)?,
                    secrets_len: len(own)?,
                    overview_hash: sha256(sealed),
                    secrets_hash: match overview.op {
                        Op::Delete => [0; 32],
                        _ => sha256(own),
                    },
                })
            });
            match (entry, own) {
                (Some(entry), Some(own)) if self.is_signed(&opened) => found.push(Found {
                    entry,
                    sealed: [sealed, own],
                    hash: opened.hash,
                    offset: at,
                    seq: commit.fixed.seq,
                    overview: opened.overview,
                }),
                _ => lost.push((at, Some(id))),
            }
        }
        (found, lost)
    }

    /// What is kept; with `elsewhere`, also what stands elsewhere, if it is newer.
    pub(super) fn finish(mut self, elsewhere: bool) -> Left<'a> {
        let kept = self.connectors.values().flat_map(|one| &one.kept);
        let kept: HashSet<Hash> = kept.map(|kept| kept.hash).collect();
        let mut seen = HashSet::new();
        // A copy of what is kept, or of what is listed already, says nothing new.
        self.elsewhere
            .retain(|(_, found)| !kept.contains(&found.hash) && seen.insert(found.hash));
        let listed = self.elsewhere.iter().map(|(reason, found)| Elsewhere {
            overview: found.overview.clone(),
            reason: *reason,
        });
        let listed = listed.collect();
        if elsewhere {
            self.elsewhere.sort_by_key(|(_, found)| found.entry.version);
            for (_, found) in self.elsewhere {
                let connector = self.connectors.entry(found.entry.tag).or_default();
                let newest = connector.kept.last().map(|kept| kept.entry.version);
                if Some(found.entry.version) > newest {
                    connector.keep(found);
                }
            }
        }
        for connector in self.connectors.values_mut() {
            self.lost.extend(connector.without_values());
        }
        Left {
            versions: self.connectors.into_values().collect(),
            elsewhere: listed,
            lost: self.lost,
        }
    }
}
