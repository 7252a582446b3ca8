//! Repair: a sound vault from what is intact of a damaged one (docs/format.md section 12).

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::access::{Access, Unlock, Way, not_permitted};
use crate::bytes::damaged;
use crate::crypto::{Hash, sha256};
use crate::error::Result;
use crate::format::commit::{Commit, FIXED_LEN, Fixed, Kind, SIGNATURE_LEN};
use crate::format::header::Header;
use crate::format::hex::VaultId;
use crate::format::key_slots;
use crate::format::{PREFIX_LEN, check_file_len, mangled, split_file};
use crate::limits;
use crate::log;
use crate::source::Piece;
use crate::vault::commit::{Links, NewVersion, next_counter, snapshot_file};
use crate::vault::index::{self, Author, Before, Entry, IndexKeys, Salvaged, Stored, Tag};
use crate::vault::open::{OpenOptions, require_expectation};
use crate::vault::record::{OpenedOverview, Overview, RecordKeys, is_signed_by};
use crate::vault::{Host, Vault};

/// A record that is lost, or a page of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DamagedRecord {
    /// The commit that carries it.
    pub seq: u64,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its connector, if its overview still opens. A page has none.
    pub connector: Option<String>,
}

/// What a repair saved, and what not.
#[derive(Debug)]
#[non_exhaustive]
pub struct Repaired {
    /// The bytes of the sound vault.
    pub file: Vec<u8>,
    /// The vault, open.
    pub vault: Vault,
    /// How many connector versions were saved because they stand under a verified signature.
    pub recovered: usize,
    /// Versions that open but stand under no signature: a reader could have made them. They are in
    /// the vault only if that was asked for.
    pub quarantined: Vec<Overview>,
    /// Records that are lost.
    pub lost: Vec<DamagedRecord>,
    /// Stretches of the file that hold no readable commit.
    pub gaps: Vec<Gap>,
}

/// A stretch of the file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Where it begins.
    pub offset: u64,
    /// Its length.
    pub len: u64,
}

/// A version that was found, with its sealed record.
struct Found<'a> {
    entry: Entry,
    sealed: [&'a [u8]; 2],
    overview: Overview,
    signed: bool,
}

impl Vault {
    /// The id of the vault that [`repair`](Self::repair) would find in these bytes.
    #[must_use]
    pub fn identify_damaged(file: &[u8]) -> Option<VaultId> {
        let log_start = split_file(file).map_or(PREFIX_LEN.min(file.len()), |(_, start)| start);
        let (commits, _) = find_commits(file, log_start);
        let header = commits
            .iter()
            .find_map(|commit| log::verified_header(commit).ok())?;
        Some(header.vault_id)
    }

    /// Makes a sound vault of what is intact of a damaged one: every record that stands under a
    /// verified signature, by its hash. Those that merely open prove nothing, since a reader could
    /// have made them; `unsigned` takes them all the same. Needs an owner, who signs the result.
    ///
    /// Fails with `damaged` if the header is, since the keys are in it; with `vault_id_required` as
    /// [`open`](Self::open) does.
    pub fn repair(
        file: &[u8],
        unlock: Unlock<'_>,
        options: &OpenOptions,
        unsigned: bool,
        host: &mut Host<'_>,
    ) -> Result<Repaired> {
        let way = Way::from(unlock);
        require_expectation(&way, options)?;
        check_file_len(file.len() as u64)?;
        // A damaged start costs the key slots; an identity opens the vault without them.
        let (key_slots, log_start) = match split_file(file) {
            Ok((part, start)) => (
                key_slots::decode(part, PREFIX_LEN as u64).unwrap_or_default(),
                start,
            ),
            Err(_) => (Vec::new(), PREFIX_LEN.min(file.len())),
        };
        let (commits, gaps) = find_commits(file, log_start);
        let header = commits
            .iter()
            .find_map(|commit| log::verified_header(commit).ok());
        let header = header.ok_or_else(|| {
            let error = damaged(
                log_start as u64,
                "no sound header is left, and the keys are in it",
            );
            mangled::explain(error.with_hint("restore a backup"), &Piece::file(file))
        })?;
        if let Some(expected) = options
            .vault_id
            .filter(|expected| *expected != header.vault_id)
        {
            return Err(log::wrong_vault(expected, header.vault_id));
        }
        if let Some(known) = &options.known {
            // The seq does not tell: the newest commits may be among the lost ones.
            let seq = commits.first().map_or(0, |commit| commit.fixed.seq);
            log::check_header(&header, known, seq)?;
        }
        let access = way.access(&header, &key_slots, options.into(), &mut Vec::new())?;
        if !access.rights().owns() {
            return Err(not_permitted("only an owner can sign the repaired vault"));
        }
        let mut salvage = Salvage::new(&access, &header, file);
        // Only what is signed and in its place: anybody can make a commit whose structure holds.
        let mut signed = Vec::new();
        for commit in &commits {
            if salvage.commit(commit) {
                signed.push(commit);
            }
        }
        let (found, quarantined, lost) = salvage.finish(unsigned);
        let recovered = found
            .values()
            .flatten()
            .filter(|found| found.signed)
            .count();
        let versions: Vec<_> = found
            .values()
            .flatten()
            .map(|found| NewVersion::sealed(found.entry, found.sealed))
            .collect();
        let newest = signed.last().copied();
        let newest = newest.ok_or_else(|| {
            let error = damaged(log_start as u64, "no sound commit is left");
            mangled::explain(error.with_hint("restore a backup"), &Piece::file(file))
        })?;
        let superseded = superseded(&signed, newest);
        let chain = Links {
            seq: next_counter(newest.fixed.seq)?,
            prev: newest.hash,
            superseded: &superseded,
            adopted: &[],
        };
        let file = snapshot_file(&access, &header, &key_slots, &chain, versions, host.rng)?;
        let way = Way::Open(Box::new(access));
        let vault = Self::load(file.clone(), way, OpenOptions::default())?;
        Ok(Repaired {
            file,
            vault,
            recovered,
            quarantined,
            lost,
            gaps,
        })
    }
}

/// Every commit whose structure holds, in the order of the file, and the stretches between them.
fn find_commits(file: &[u8], log_start: usize) -> (Vec<Commit<'_>>, Vec<Gap>) {
    let mut commits = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let mut at = log_start;
    // What false starts may cost in all: each claims bytes to look at, and anybody can write many.
    let mut budget = file.len().saturating_mul(8);
    while at < file.len() {
        let rest = &file[at..];
        match sound_commit(rest, at as u64, &mut budget) {
            Some(commit) => {
                at += usize::try_from(commit.len).unwrap_or(usize::MAX);
                commits.push(commit);
            }
            None => {
                match gaps.last_mut() {
                    Some(gap) if gap.offset + gap.len == at as u64 => gap.len += 1,
                    _ => gaps.push(Gap {
                        offset: at as u64,
                        len: 1,
                    }),
                }
                at += 1;
            }
        }
    }
    (commits, gaps)
}

fn sound_commit<'a>(rest: &'a [u8], offset: u64, budget: &mut usize) -> Option<Commit<'a>> {
    let fixed = Fixed::decode(rest.first_chunk::<FIXED_LEN>()?, offset).ok()??;
    let len = usize::try_from(fixed.len).ok()?.checked_add(FIXED_LEN)?;
    let bytes = rest.get(..len)?;
    *budget = budget.checked_sub(len)?;
    Commit::decode(fixed, bytes, offset).ok()
}

/// Hashes of the commits before the repaired snapshot: each commit tells the one before it, also where that is lost.
/// One that nobody tells is zero, which no commit has.
fn superseded(commits: &[&Commit<'_>], newest: &Commit<'_>) -> Vec<Hash> {
    let mut hashes: HashMap<u64, Hash> = HashMap::new();
    for commit in commits {
        if let Some(before) = commit.fixed.seq.checked_sub(1) {
            hashes.entry(before).or_insert(commit.fixed.prev);
        }
        for (back, hash) in commit.superseded().iter().rev().enumerate() {
            if let Some(seq) = commit.fixed.seq.checked_sub(back as u64 + 1) {
                hashes.entry(seq).or_insert(*hash);
            }
        }
    }
    hashes.insert(newest.fixed.seq, newest.hash);
    let end = newest.fixed.seq + 1;
    let start = end.saturating_sub(limits::SUPERSEDED_MAX as u64);
    (start..end)
        .map(|seq| hashes.get(&seq).copied().unwrap_or_default())
        .collect()
}

/// Collects what is intact.
struct Salvage<'a> {
    file: &'a [u8],
    header: &'a Header,
    index: IndexKeys,
    keys: RecordKeys,
    found: BTreeMap<Tag, Vec<Found<'a>>>,
    lost: Vec<DamagedRecord>,
    last: Option<Last>,
}

/// The newest commit in its place.
struct Last {
    seq: u64,
    /// Where it ends in the file.
    end: u64,
    /// Unknown if the commit is damaged.
    hash: Option<Hash>,
}

impl Last {
    /// Whether a commit may stand behind it: next to it or, where bytes between them are lost, as
    /// many commits further as those bytes can have held.
    fn may_precede(&self, commit: &Commit<'_>) -> bool {
        let Some(between) = commit.fixed.seq.checked_sub(self.seq + 1) else {
            return false;
        };
        let lost = commit.offset.saturating_sub(self.end) / COMMIT_LEN_MIN;
        let follows = between > 0 || self.hash.is_none_or(|hash| hash == commit.fixed.prev);
        commit.fixed.kind == Kind::Changes && between <= lost && follows
    }
}

/// Fewer bytes than any commit has.
const COMMIT_LEN_MIN: u64 = (FIXED_LEN + SIGNATURE_LEN) as u64;

impl<'a> Salvage<'a> {
    fn new(access: &Access, header: &'a Header, file: &'a [u8]) -> Self {
        Self {
            file,
            header,
            index: IndexKeys::new(access.bundle.index(), header.vault_id, header.epoch),
            keys: RecordKeys::new(&access.bundle, header),
            found: BTreeMap::new(),
            lost: Vec::new(),
            last: None,
        }
    }

    /// Takes what is intact in a commit; whether it is signed and in its place.
    fn commit(&mut self, commit: &Commit<'a>) -> bool {
        // The first is the snapshot. An old commit that somebody put here again proves nothing.
        let in_place = match &self.last {
            None => commit.snapshot().is_some(),
            Some(last) => last.may_precede(commit),
        };
        let signed = in_place && log::verify_commit(self.header, commit).is_ok();
        if signed || (in_place && self.last.is_none()) {
            self.last = Some(Last {
                seq: commit.fixed.seq,
                end: commit.offset + commit.len,
                hash: signed.then_some(commit.hash),
            });
        }
        for salvaged in index::salvage(&self.index, self.header, commit, self.file) {
            let (stored, is_listed) = match salvaged {
                Salvaged::Version(stored, is_listed) => (stored, is_listed),
                Salvaged::LostPage(offset) => {
                    self.lost.push(DamagedRecord {
                        seq: commit.fixed.seq,
                        offset,
                        connector: None,
                    });
                    continue;
                }
            };
            match self.open(commit, &stored, signed && is_listed) {
                Ok(found) => self.found.entry(found.entry.tag).or_default().push(found),
                Err(connector) => self.lost.push(DamagedRecord {
                    seq: commit.fixed.seq,
                    offset: stored.overview().start,
                    connector,
                }),
            }
        }
        signed
    }

    /// The sealed part in a range of the file, if it is what its entry says.
    fn sealed(&self, range: std::ops::Range<u64>, hash: &Hash) -> Option<&'a [u8]> {
        let place = |at: u64| usize::try_from(at).ok();
        let bytes = self.file.get(place(range.start)?..place(range.end)?)?;
        let sealed = bytes.get(4..)?;
        (sha256(sealed) == *hash).then_some(sealed)
    }

    /// A version, if all of it opens; else its connector, if that much is known.
    fn open(
        &self,
        commit: &Commit<'_>,
        stored: &Stored,
        signed: bool,
    ) -> Result<Found<'a>, Option<String>> {
        let entry = stored.entry;
        let sealed = self
            .sealed(stored.overview(), &entry.overview_hash)
            .ok_or(None)?;
        let mut plaintext = Vec::new();
        let is_open = self.keys.open_overview(entry.group, sealed, &mut plaintext);
        if !is_open.unwrap_or_default() {
            return Err(None);
        }
        let opened = OpenedOverview::parse(&plaintext).map_err(|_| None)?;
        let overview = &opened.overview;
        let id = || Some(overview.id.as_str().to_owned());
        let (secrets, sound) = match entry.exists() {
            true => {
                let sealed = self.sealed(stored.secrets(), &entry.secrets_hash);
                let secrets = sealed.ok_or_else(id)?;
                let read = self.keys.read_secrets(entry.group, &opened, secrets);
                (secrets, matches!(read, Ok(Ok(_))))
            }
            false => (&[][..], true),
        };
        let is_of_entry = index::is_of(&self.index, &self.keys, overview, &entry);
        // Nothing that its author did not sign comes under the owner's signature, also not on request.
        let key = self.header.key_of(overview.author);
        let is_signed = key.is_some_and(|key| {
            is_signed_by(key, self.header.vault_id, &opened.hash, &opened.signature)
        });
        if !sound || !is_of_entry || !is_signed {
            return Err(id());
        }
        Ok(Found {
            signed: signed && self.permits(commit, overview, &entry),
            entry,
            sealed: [sealed, secrets],
            overview: opened.overview,
        })
    }

    fn permits(&self, commit: &Commit<'_>, overview: &Overview, entry: &Entry) -> bool {
        let Ok(author) = Author::of(self.header, commit) else {
            return false;
        };
        if commit.fixed.kind == Kind::Snapshot {
            return self.header.knows(overview.author);
        }
        if !author.is(overview.author) {
            return false;
        }
        let found = self.found.get(&entry.tag).map_or(&[][..], Vec::as_slice);
        let before = found.iter().rev().find(|found| found.signed);
        let before = match before.map(|found| found.entry) {
            Some(before) if before.version.next() == entry.version => Before::Version(before),
            // A version between them is lost.
            Some(before) if before.version < entry.version => {
                if !author.is_owner() && !author.bridges(entry, &before) {
                    return false;
                }
                Before::Damaged
            }
            Some(before) => Before::Version(before),
            // With its predecessor lost, an updater's record could create a connector.
            None if author.is_owner() => Before::Damaged,
            None => Before::Nothing,
        };
        author.check(entry, &before).is_ok()
    }

    /// The versions to keep, by connector and ascending; the quarantined; the lost.
    fn finish(
        self,
        unsigned: bool,
    ) -> (
        BTreeMap<Tag, Vec<Found<'a>>>,
        Vec<Overview>,
        Vec<DamagedRecord>,
    ) {
        let mut kept = BTreeMap::new();
        let mut quarantined = Vec::new();
        for (tag, mut found) in self.found {
            // A signed version wins over one that claims its place.
            found.sort_by_key(|found| (found.entry.version, !found.signed));
            let mut versions: Vec<Found<'a>> = Vec::new();
            for found in found {
                let newest = versions.last().map(|newest| newest.entry.version);
                let is_new = newest.is_none_or(|newest| found.entry.version > newest);
                if !found.signed {
                    quarantined.push(found.overview.clone());
                }
                if is_new && (found.signed || unsigned) {
                    versions.push(found);
                }
            }
            if !versions.is_empty() {
                kept.insert(tag, versions);
            }
        }
        (kept, quarantined, self.lost)
    }
}
