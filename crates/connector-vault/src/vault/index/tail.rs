//! The tail: what the changes behind the snapshot brought.

use std::collections::BTreeMap;
use std::ops::Range;

use super::entries::{Entry, Places, Stored, Tag};
use super::keys::Place;
use super::rules::{Author, Before};
use super::{CommitPlace, Index, Reading};
use crate::connector::Op;
use crate::error::{Code, Error, Result};
use crate::format::commit::{ChangesPart, Commit, Content, ENTRY_LEN};

/// The versions behind the snapshot.
#[derive(Default)]
pub(crate) struct Tail {
    connectors: BTreeMap<Tag, Behind>,
    versions: u64,
    /// How many connectors it created, less those that it deleted.
    live: i64,
}

/// The versions of one connector behind the snapshot.
#[derive(Default)]
struct Behind {
    /// Oldest first.
    versions: Vec<Stored>,
    /// Whether its page of the snapshot is damaged: then it stays damaged, whatever stands here.
    is_damaged: bool,
}

impl Tail {
    /// The versions of a connector, oldest first.
    pub(super) fn versions(&self, tag: Tag) -> &[Stored] {
        self.connectors
            .get(&tag)
            .map_or(&[], |behind| &behind.versions)
    }

    /// Whether the page of the snapshot that a connector stands on is damaged.
    pub(super) fn is_damaged(&self, tag: Tag) -> bool {
        self.connectors
            .get(&tag)
            .is_some_and(|behind| behind.is_damaged)
    }

    /// The connectors that it names with their versions, oldest first, from a tag on and in order.
    pub(super) fn connectors_from(&self, from: Tag) -> impl Iterator<Item = (Tag, &[Stored])> {
        let connectors = self.connectors.range(from..);
        connectors.map(|(tag, behind)| (*tag, behind.versions.as_slice()))
    }

    /// All of them.
    pub(super) fn connectors(&self) -> impl Iterator<Item = (Tag, &[Stored])> {
        self.connectors_from(Tag::FIRST)
    }

    /// How many versions it holds.
    pub(super) fn len(&self) -> u64 {
        self.versions
    }

    /// How many connectors it created, less those that it deleted.
    pub(super) fn live(&self) -> i64 {
        self.live
    }

    fn push(&mut self, stored: Stored, is_damaged: bool) {
        self.versions += 1;
        self.live += match stored.entry.op {
            Op::Create | Op::Undelete => 1,
            Op::Delete => -1,
            _ => 0,
        };
        let behind = self.connectors.entry(stored.entry.tag).or_default();
        behind.versions.push(stored);
        behind.is_damaged |= is_damaged;
    }
}

/// What a piece of the log brings, until it is kept.
pub(crate) struct Pending {
    commits: Vec<CommitPlace>,
    tail: Tail,
    /// Of the newest commit.
    marks: Vec<(u64, Vec<u8>)>,
}

impl Pending {
    /// The versions that it brings, connector by connector.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Stored> {
        let connectors = self.tail.connectors.values();
        connectors.flat_map(|behind| &behind.versions)
    }
}

impl Index {
    /// Checks the changes that the walk has found sound in a piece of the log that stands at `at` in the file
    /// (docs/format.md section 7.4). Nothing has changed before they are kept. What this program has made itself
    /// needs no check.
    pub(crate) fn examine(
        &self,
        commits: &[Commit<'_>],
        piece: (u64, &[u8]),
        reading: &Reading<'_>,
        is_own: bool,
    ) -> Result<Pending> {
        let mut pending = Pending {
            commits: Vec::with_capacity(commits.len()),
            tail: Tail::default(),
            marks: Vec::new(),
        };
        let mut missing: Vec<Range<u64>> = Vec::new();
        for commit in commits {
            let place = CommitPlace::of(commit, piece.0);
            if let Content::Changes(part) = &commit.content {
                let mut before = |tag, pending: &Tail| match is_own {
                    true => None,
                    false => Some(self.before(tag, pending, reading).unwrap_or_else(|error| {
                        // Whatever the answer will be, the commits are not taken before.
                        missing.extend(error.missing().iter().flat_map(|m| m.ranges()).cloned());
                        Before::Damaged
                    })),
                };
                let taken = self.take(commit, part, &place, reading, &mut pending, &mut before);
                // First what is missing: it might have been refused before.
                taken.map_err(|error| match missing.is_empty() {
                    true => error,
                    false => Error::not_fetched(missing.iter().cloned().collect()),
                })?;
            }
            pending.commits.push(place);
        }
        if !missing.is_empty() {
            return Err(Error::not_fetched(missing.into_iter().collect()));
        }
        if let (Some(place), Some(commit)) = (pending.commits.last(), commits.last()) {
            let start = usize::try_from(commit.offset).unwrap_or(usize::MAX);
            pending.marks = place.marks(piece.1.get(start..).unwrap_or_default());
        }
        Ok(pending)
    }

    fn take(
        &self,
        commit: &Commit<'_>,
        part: &ChangesPart<'_>,
        place: &CommitPlace,
        reading: &Reading<'_>,
        pending: &mut Pending,
        before: &mut dyn FnMut(Tag, &Tail) -> Option<Before>,
    ) -> Result<()> {
        let seq = commit.fixed.seq;
        let refuse = |what: &str| {
            Error::new(
                Code::UnauthorizedCommit,
                format!("commit {seq} at offset {}: {what}", commit.offset),
            )
        };
        let author = Author::of(reading.header, commit)?;
        let mut plaintext = Vec::with_capacity(part.page.len());
        if !self
            .keys
            .open(Place::Changes(seq), part.page, &mut plaintext)
        {
            return Err(refuse("its page does not open"));
        }
        let start = place.at + commit.parts.overviews as u64;
        let secrets_start = place.at + commit.parts.secrets as u64;
        let mut places = Places {
            overviews: start,
            secrets: secrets_start,
            seq,
        };
        let (entries, _) = plaintext.as_chunks::<ENTRY_LEN>();
        for (number, bytes) in (0..).zip(entries) {
            let at = |what: &str| refuse(&format!("entry {number}: {what}"));
            let entry = Entry::decode(bytes).map_err(at)?;
            let before = before(entry.tag, &pending.tail);
            if let Some(before) = &before {
                author.check(&entry, before).map_err(at)?;
            }
            let is_damaged = matches!(before, Some(Before::Damaged));
            pending.tail.push(places.next(entry), is_damaged);
        }
        let end = place.at + commit.parts.end as u64;
        match (places.overviews, places.secrets) == (secrets_start, end) {
            true => Ok(()),
            false => Err(refuse("its records do not fit its page")),
        }
    }

    /// What stands before the next version of a connector. Fails where bytes are missing.
    fn before(&self, tag: Tag, pending: &Tail, reading: &Reading<'_>) -> Result<Before> {
        if pending.is_damaged(tag) || self.tail.is_damaged(tag) {
            return Ok(Before::Damaged);
        }
        let newest = pending.versions(tag).last();
        if let Some(newest) = newest.or(self.tail.versions(tag).last()) {
            return Ok(Before::Version(newest.entry));
        }
        match self.pages.newest(tag, reading) {
            Ok(Some(newest)) => Ok(Before::Version(newest.entry)),
            Ok(None) => Ok(Before::Nothing),
            Err(error) if error.missing().is_some() => Err(error),
            Err(_) => Ok(Before::Damaged),
        }
    }

    /// Takes commits that were examined on what this index holds.
    pub(crate) fn keep(&mut self, pending: Pending) {
        if !pending.commits.is_empty() {
            self.marks = pending.marks;
        }
        self.commits.extend(pending.commits);
        for behind in pending.tail.connectors.into_values() {
            for stored in behind.versions {
                self.tail.push(stored, behind.is_damaged);
            }
        }
    }
}
