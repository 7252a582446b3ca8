//! The tail: what the changes behind the snapshot brought.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Entry, Places, Stored, Tag};
use super::keys::Place;
use super::rules::{Author, Before};
use super::{CommitPlace, Index, Reading};
use crate::connector::Op;
use crate::error::{Code, Error, Result, for_all};
use crate::format::commit::{Commit, Content, ENTRY_LEN};

/// The versions behind the snapshot.
#[derive(Default)]
pub(crate) struct Tail {
    connectors: BTreeMap<Tag, Behind>,
    versions: u64,
    /// How many connectors it created, less those that it deleted.
    live: i64,
    /// The most patches of one connector without a full version behind them.
    patches_of_one: usize,
}

/// The versions of one connector behind the snapshot.
#[derive(Default)]
struct Behind {
    /// Oldest first.
    versions: Vec<Stored>,
    /// Whether its page of the snapshot is damaged: then it stays damaged, whatever stands here.
    is_damaged: bool,
    /// How many patches stand behind its newest other version.
    patches: usize,
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

    /// The most patches of one connector that stood without a full version behind them.
    pub(super) fn patches_of_one(&self) -> usize {
        self.patches_of_one
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
        behind.patches = match stored.entry.op {
            Op::Patch => behind.patches + 1,
            _ => 0,
        };
        self.patches_of_one = self.patches_of_one.max(behind.patches);
        behind.is_damaged |= is_damaged;
    }
}

/// What a piece of the log brings, until it is kept.
#[derive(Default)]
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

/// The page of changes, opened; `None` if it does not open.
pub(crate) type OpenPage = Option<Vec<u8>>;

/// Whether what a commit brings is held to the rules. What this program has made itself needs no check.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Other,
    Own,
}

impl Index {
    /// Checks the changes that the walk has found sound in a piece of the log that stands at `at` in the file
    /// (docs/format.md section 7.4). Nothing has changed before they are kept.
    pub(crate) fn examine(
        &self,
        commits: &[Commit<'_>],
        at: u64,
        reading: &Reading<'_>,
        origin: Origin,
    ) -> Result<Pending> {
        let open: Vec<_> = commits
            .iter()
            .map(|commit| self.open_page(commit))
            .collect();
        if origin == Origin::Other {
            let mut wanted = BTreeSet::new();
            for page in &open {
                self.pages_before(page, &mut wanted);
            }
            self.use_pages(&mut wanted, reading, usize::MAX)?;
        }
        let mut pending = Pending::default();
        for (commit, page) in commits.iter().zip(&open) {
            self.take(&mut pending, commit, page, at, reading, origin)?;
        }
        Ok(pending)
    }

    /// Opens the page of changes.
    pub(crate) fn open_page(&self, commit: &Commit<'_>) -> OpenPage {
        let Content::Changes(part) = &commit.content else {
            return None;
        };
        let mut plaintext = Vec::with_capacity(part.page.len());
        let place = Place::Changes(commit.fixed.seq);
        let is_open = self.keys.open(place, &part.page, &mut plaintext);
        is_open.then_some(plaintext)
    }

    /// The pages of the snapshot that tell what stands before the versions of a page of changes.
    pub(crate) fn pages_before(&self, page: &OpenPage, wanted: &mut BTreeSet<usize>) {
        let (entries, _) = page.as_deref().unwrap_or_default().as_chunks::<ENTRY_LEN>();
        let tags = entries.iter().filter_map(|bytes| bytes.first_chunk());
        let tags = tags.map(|tag| Tag(*tag));
        let in_pages = tags.filter(|tag| self.tail.versions(*tag).is_empty());
        wanted.extend(in_pages.filter_map(|tag| self.pages.page_of(tag)));
    }

    /// Reads at most `count` of the pages that are wanted. Fails with all of them that are missing. A damaged page is
    /// named where it is used.
    pub(crate) fn use_pages(
        &self,
        wanted: &mut BTreeSet<usize>,
        reading: &Reading<'_>,
        count: usize,
    ) -> Result<()> {
        for _ in 0..count {
            let Some(number) = wanted.first().copied() else {
                break;
            };
            match self.pages.page(number, reading) {
                Err(error) if error.missing().is_some() => {
                    let unused = wanted
                        .iter()
                        .filter_map(|number| self.pages.unused(*number));
                    return for_all(unused, |range| {
                        reading.source.check(range).map_err(Error::unread)
                    });
                }
                Err(error) if error.is_unread() => return Err(error),
                _ => wanted.remove(&number),
            };
        }
        Ok(())
    }

    /// Checks one commit on what this index and the commits before it hold.
    pub(crate) fn take(
        &self,
        pending: &mut Pending,
        commit: &Commit<'_>,
        page: &OpenPage,
        piece_at: u64,
        reading: &Reading<'_>,
        origin: Origin,
    ) -> Result<()> {
        let place = CommitPlace::of(commit, piece_at);
        let seq = commit.fixed.seq;
        let refuse = |what: &str| {
            Error::new(
                Code::UnauthorizedCommit,
                format!("commit {seq} at offset {}: {what}", commit.offset),
            )
        };
        let author = Author::of(reading.header, commit)?;
        let page = page.as_deref();
        let page = page.ok_or_else(|| refuse("its page does not open"))?;
        let secrets_start = place.at + commit.parts.secrets;
        let mut places = Places {
            overviews: place.at + commit.parts.overviews,
            secrets: secrets_start,
            seq,
        };
        let (entries, _) = page.as_chunks::<ENTRY_LEN>();
        for (number, bytes) in (0..).zip(entries) {
            let at = |what: &str| refuse(&format!("entry {number}: {what}"));
            let entry = Entry::decode(bytes).map_err(at)?;
            let mut is_damaged = false;
            if origin == Origin::Other {
                let before = self.before(entry.tag, &pending.tail, reading)?;
                author.check(&entry, &before).map_err(at)?;
                is_damaged = matches!(before, Before::Damaged);
            }
            pending.tail.push(places.next(entry), is_damaged);
        }
        let end = place.at + commit.parts.end;
        if (places.overviews, places.secrets) != (secrets_start, end) {
            return Err(refuse("its records do not fit its page"));
        }
        pending.marks = place.marks(commit);
        pending.commits.push(place);
        Ok(())
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
            Err(error) if error.is_unread() => Err(error),
            Err(_) => Ok(Before::Damaged),
        }
    }

    /// Takes commits that were examined on what this index holds.
    pub(crate) fn keep(&mut self, pending: Pending) {
        if !pending.commits.is_empty() {
            self.commits.extend(pending.commits);
            self.marks = pending.marks;
        }
        for behind in pending.tail.connectors.into_values() {
            for stored in behind.versions {
                self.tail.push(stored, behind.is_damaged);
            }
        }
    }
}
