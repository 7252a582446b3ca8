//! Which commits of a damaged file are in their place (docs/format.md section 12).

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::{Gap, HashOf};
use crate::crypto::Hash;
use crate::error::{Code, Error, Result};
use crate::format::commit::{Commit, FIXED_LEN, Fixed, Kind, adopted_place};
use crate::format::header::Header;
use crate::limits;
use crate::log::{self, Head};

/// What a search for commits found.
pub(super) struct Pieces<'a> {
    /// Every commit whose structure holds, in the order of the file.
    pub(super) commits: Vec<Commit<'a>>,
    /// The stretches between them.
    pub(super) gaps: Vec<Gap>,
    /// The greatest seq of a snapshot that begins in a gap, as far as its fixed part says.
    pub(super) snapshot_in_gaps: Option<u64>,
}

impl<'a> Pieces<'a> {
    pub(super) fn find(file: &'a [u8], log_start: usize) -> Self {
        let mut pieces = Self {
            commits: Vec::new(),
            gaps: Vec::new(),
            snapshot_in_gaps: None,
        };
        let mut at = log_start;
        // What false starts may cost in all: each claims bytes to look at, and anybody can write many.
        let mut budget = file.len().saturating_mul(8);
        while at < file.len() {
            let (rest, offset) = (&file[at..], at as u64);
            let fixed = rest.first_chunk::<FIXED_LEN>();
            let fixed = fixed.and_then(|bytes| Fixed::decode(bytes, offset).ok()?);
            let seq = fixed.as_ref().map(|fixed| (fixed.kind, fixed.seq));
            let commit = fixed.and_then(|fixed| sound_commit(fixed, rest, offset, &mut budget));
            let Some(commit) = commit else {
                if let Some((Kind::Snapshot, seq)) = seq {
                    pieces.snapshot_in_gaps = pieces.snapshot_in_gaps.max(Some(seq));
                }
                match pieces.gaps.last_mut() {
                    Some(gap) if gap.offset + gap.len == offset => gap.len += 1,
                    _ => pieces.gaps.push(Gap { offset, len: 1 }),
                }
                at += 1;
                continue;
            };
            at += usize::try_from(commit.len).unwrap_or(usize::MAX);
            pieces.commits.push(commit);
        }
        pieces
    }
}

fn sound_commit<'a>(
    fixed: Fixed,
    rest: &'a [u8],
    offset: u64,
    budget: &mut usize,
) -> Option<Commit<'a>> {
    let len = usize::try_from(fixed.len).ok()?.checked_add(FIXED_LEN)?;
    let bytes = rest.get(..len)?;
    *budget = budget.checked_sub(len)?;
    Commit::decode(fixed, bytes, offset).ok()
}

/// The commits in their place.
pub(super) struct Chain {
    /// As indices of the commits, oldest first; the snapshot is the first.
    pub(super) in_place: Vec<usize>,
    /// Whether the signature of the snapshot holds.
    pub(super) is_signed: bool,
}

/// The grants of a header, as bits.
type Authors = [u64; 4];

/// A damaged log under the header of one of its snapshots.
struct Log<'c, 'a> {
    commits: &'c [Commit<'a>],
    header: &'c Header,
    snapshot: usize,
    is_signed: bool,
    by_hash: HashMap<Hash, usize>,
    /// The changes that name a commit as the one before them.
    next: HashMap<Hash, Vec<usize>>,
    /// Whether the signature of a commit behind the snapshot's seq holds.
    holds: Vec<bool>,
    /// Whose signatures hold behind a commit, in the same chain.
    below: Vec<Authors>,
    /// Where the chain before a commit begins in the file.
    oldest: Vec<usize>,
}

impl Chain {
    /// The chain from a snapshot on, as far as the file has it and signatures vouch for it.
    pub(super) fn of(
        commits: &[Commit<'_>],
        snapshot: usize,
        header: &Header,
        known: Option<&Head>,
    ) -> Self {
        let log = Log::new(commits, snapshot, header);
        let known = known.and_then(|known| log.holding(known));
        let anchor = known.unwrap_or_else(|| log.anchor());
        let mut in_place = log.back_from(anchor);
        if known.is_some() {
            in_place.extend(log.up_to(&in_place).into_iter().rev());
        }
        in_place.push(snapshot);
        in_place.reverse();
        let mut last = anchor;
        while let Some(next) = log.next_of(last) {
            in_place.push(next);
            last = next;
        }
        Self {
            in_place,
            is_signed: log.is_signed,
        }
    }
}

impl<'c, 'a> Log<'c, 'a> {
    fn new(commits: &'c [Commit<'a>], snapshot: usize, header: &'c Header) -> Self {
        let first = commits[snapshot].fixed.seq;
        let is_behind =
            |commit: &Commit<'_>| commit.fixed.kind == Kind::Changes && commit.fixed.seq > first;
        let mut log = Self {
            commits,
            header,
            snapshot,
            is_signed: log::verify_commit(header, &commits[snapshot]).is_ok(),
            by_hash: HashMap::new(),
            next: HashMap::new(),
            holds: vec![false; commits.len()],
            below: vec![Authors::default(); commits.len()],
            oldest: (0..commits.len()).collect(),
        };
        for (index, commit) in commits.iter().enumerate() {
            if is_behind(commit) {
                // The same commit may stand in the file twice: the first one stands for it.
                if let Entry::Vacant(place) = log.by_hash.entry(commit.hash) {
                    place.insert(index);
                    log.next.entry(commit.fixed.prev).or_default().push(index);
                }
                log.holds[index] = log::verify_commit(header, commit).is_ok();
            }
        }
        // From the newest seq back, so that what stands behind a commit is known before it.
        let mut order: Vec<usize> = log.by_hash.values().copied().collect();
        order.sort_unstable_by_key(|index| std::cmp::Reverse(commits[*index].fixed.seq));
        for index in order.iter().copied() {
            let mut below = Authors::default();
            for next in log.followers(index) {
                for (sum, bits) in below.iter_mut().zip(log.below[next]) {
                    *sum |= bits;
                }
                if log.holds[next] {
                    let author = usize::from(commits[next].fixed.author);
                    below[author / 64 % 4] |= 1 << (author % 64);
                }
            }
            log.below[index] = below;
        }
        for index in order.into_iter().rev() {
            let before = log.before(index);
            log.oldest[index] = before.map_or(index, |before| log.oldest[before]);
        }
        log
    }

    /// The commit before one of changes, if the file has it.
    fn before(&self, index: usize) -> Option<usize> {
        let fixed = &self.commits[index].fixed;
        let before = self.by_hash.get(&fixed.prev).copied();
        before.filter(|before| self.commits[*before].fixed.seq + 1 == fixed.seq)
    }

    /// The commits that follow one by seq and prev.
    fn followers(&self, index: usize) -> impl Iterator<Item = usize> {
        let Commit { fixed, hash, .. } = &self.commits[index];
        let seq = fixed.seq.saturating_add(1);
        let next = self.next.get(hash).into_iter().flatten().copied();
        next.filter(move |next| self.commits[*next].fixed.seq == seq)
    }

    /// Whether a signature counts: it holds, or a later one of the same author does.
    fn counts(&self, index: usize) -> bool {
        let author = usize::from(self.commits[index].fixed.author);
        self.holds[index] || self.below[index][author / 64 % 4] & (1 << (author % 64)) != 0
    }

    /// The commit of a known head, if the file has it.
    fn holding(&self, known: &Head) -> Option<usize> {
        match self.by_hash.get(&known.hash.0) {
            Some(index) => Some(*index),
            None => (self.commits[self.snapshot].hash == known.hash.0).then_some(self.snapshot),
        }
    }

    /// The commit from which on, in both directions, the log is followed where no known head says it.
    fn anchor(&self) -> usize {
        let owns = |index: &usize| {
            let author = log::author(self.header, &self.commits[*index]);
            self.holds[*index] && author.is_ok_and(|grant| grant.owns())
        };
        let owners = self.by_hash.values().copied().filter(owns);
        let newest = owners
            .filter(|index| !self.descends_elsewhere(*index))
            .max_by_key(|index| (self.commits[*index].fixed.seq, std::cmp::Reverse(*index)));
        newest.unwrap_or(self.snapshot)
    }

    /// Whether the file shows that a commit descends from another commit of the snapshot's seq.
    fn descends_elsewhere(&self, index: usize) -> bool {
        let snapshot = &self.commits[self.snapshot];
        let oldest = &self.commits[self.oldest[index]].fixed;
        let is_next = oldest.seq == snapshot.fixed.seq + 1;
        self.is_signed && is_next && oldest.prev != snapshot.hash
    }

    /// A commit and those before it, newest first, without the snapshot, as far as they stand in the file.
    fn back_from(&self, index: usize) -> Vec<usize> {
        let first = (index != self.snapshot).then_some(index);
        std::iter::successors(first, |index| self.before(*index)).collect()
    }

    /// The commits from the snapshot on, oldest first, up to lost ones before `behind`, which are newest first and end
    /// at a known head: it settles them all. None if they lead to another commit than the one that is lost.
    fn up_to(&self, behind: &[usize]) -> Vec<usize> {
        let Some(oldest) = behind.last() else {
            return Vec::new();
        };
        let lost = self.commits[*oldest].fixed.seq.saturating_sub(1);
        let from_snapshot = std::iter::successors(Some(self.snapshot), |last| self.next_of(*last));
        let front: Vec<_> = from_snapshot.skip(1).collect();
        match front.last() {
            Some(last) if self.commits[*last].fixed.seq < lost => front,
            _ => Vec::new(),
        }
    }

    /// The one commit that follows and whose signature counts.
    fn next_of(&self, index: usize) -> Option<usize> {
        let mut next = self.followers(index).filter(|next| self.counts(*next));
        let one = next.next();
        if one.is_some() {
            return one.filter(|_| next.next().is_none());
        }
        // The hash of a damaged snapshot says nothing: what stands directly behind it follows.
        let damaged = &self.commits[self.snapshot];
        let is_damaged = index == self.snapshot && !self.is_signed;
        let behind = self.by_hash.values().copied().find(|next| {
            let commit = &self.commits[*next];
            commit.offset == damaged.offset + damaged.len
                && commit.fixed.seq == damaged.fixed.seq + 1
        });
        behind.filter(|next| is_damaged && self.counts(*next))
    }
}

/// Hashes of the commits before the repaired snapshot, by seq: each commit tells the one before it, also where that is
/// lost.
pub(super) fn hashes(commits: &[&Commit<'_>]) -> HashOf {
    let mut hashes = HashOf::new();
    for commit in commits {
        hashes.insert(commit.fixed.seq, commit.hash);
        if let Some(before) = commit.fixed.seq.checked_sub(1) {
            hashes.entry(before).or_insert(commit.fixed.prev);
        }
        for (back, hash) in (1..).zip(commit.superseded().iter().rev()) {
            if let Some(seq) = commit.fixed.seq.checked_sub(back) {
                hashes.entry(seq).or_insert(*hash);
            }
        }
    }
    hashes
}

/// The hashes that the repaired snapshot `seq` lists. One that nobody tells is zero, which no commit has.
pub(super) fn superseded(hashes: &HashOf, seq: u64) -> Vec<Hash> {
    let start = seq.saturating_sub(limits::SUPERSEDED_MAX as u64);
    (start..seq)
        .map(|seq| hashes.get(&seq).copied().unwrap_or_default())
        .collect()
}

/// Fails with `rolled_back` if the result would lack commits that the client has seen.
pub(super) fn check_known(known: &Head, hashes: &HashOf, snapshot: &Commit<'_>) -> Result<()> {
    let adopted: HashSet<(u64, &[u8])> = snapshot
        .snapshot()
        .map_or(&[][..], |part| &*part.adopted)
        .iter()
        .map(adopted_place)
        .collect();
    let oldest = snapshot.fixed.seq - snapshot.superseded().len() as u64;
    let is_there = hashes.get(&known.seq) == Some(&known.hash.0)
        || adopted.contains(&(known.seq, known.hash.0.as_slice()))
        || known.seq < oldest;
    if is_there {
        return Ok(());
    }
    Err(Error::new(
        Code::RolledBack,
        format!(
            "commit {} was seen before, and the file does not have it in its place any more",
            known.seq
        ),
    )
    .with_hint(
        "look for a backup that has it; only if there is none, accept what is left: changes that were seen are gone then",
    ))
}
