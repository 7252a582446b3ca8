//! What an open vault knows of its log without opening a record: commits, and where each connector's versions
//! stand. The pages of the snapshot are looked up as they stand; only what the tail brought is held in memory
//! (docs/format.md sections 6 and 7).

mod entries;
mod keys;
mod pages;
mod rules;
mod salvage;
mod tail;
mod walk;

use std::ops::Range;

pub(crate) use self::entries::{Entry, Face, Hint, Stored, Tag};
pub(crate) use self::keys::{IndexKeys, Place};
pub(crate) use self::pages::seal;
pub(crate) use self::rules::capability_of;
pub(crate) use self::salvage::{Salvaged, records, salvage};
pub(crate) use self::tail::{OpenPage, Origin, Pending};
pub(crate) use self::walk::{Lost, Newest, Resume};

use self::pages::Pages;
use self::tail::Tail;
use super::record::{Overview, RecordKeys};
use crate::bytes::damaged;
use crate::crypto::Hash;
use crate::error::{Code, Error, Result};
use crate::format::commit::{Commit, SIGNATURE_LEN};
use crate::format::header::Header;
use crate::limits;
use crate::source::Source;

/// A commit of the log.
pub(crate) struct CommitPlace {
    /// Where it begins in the file.
    pub(crate) at: u64,
    pub(crate) len: u64,
    signature_at: u64,
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
    pub(crate) author: u16,
}

impl CommitPlace {
    /// The place of a commit in a piece of the log that stands at `piece_at` in the file.
    fn of(commit: &Commit<'_>, piece_at: u64) -> Self {
        Self {
            at: piece_at + commit.offset,
            len: commit.len,
            signature_at: commit.parts.signature,
            seq: commit.fixed.seq,
            hash: commit.hash,
            author: commit.fixed.author,
        }
    }

    /// Where it stands in the file.
    pub(crate) fn range(&self) -> Range<u64> {
        self.at..self.at + self.len
    }

    /// Where its front stands, up to its signature.
    pub(crate) fn front(&self) -> Range<u64> {
        self.at..self.at + self.signature_at + SIGNATURE_LEN as u64
    }

    /// Its fixed part and its signature, with their places in the file.
    fn marks(&self, commit: &Commit<'_>) -> Vec<(u64, Vec<u8>)> {
        vec![
            (self.at, commit.fixed.encode().to_vec()),
            (self.at + self.signature_at, commit.signature.to_vec()),
        ]
    }
}

/// What an entry in a group says of id, name, type and meta.
pub(crate) fn face(records: &RecordKeys, group: u16, overview: &Overview) -> Result<Face> {
    let Overview {
        id,
        name,
        type_name,
        meta,
        ..
    } = overview;
    records
        .face(group, id.as_str(), name, type_name, meta)
        .map(Face)
}

/// Whether an entry says of a version what its overview does (docs/format.md section 8.6, rule R8.5).
pub(crate) fn is_of(
    keys: &IndexKeys,
    records: &RecordKeys,
    overview: &Overview,
    entry: &Entry,
) -> bool {
    keys.tag(overview.id.as_str()) == entry.tag
        && overview.version == entry.version
        && overview.op == entry.op
        && records.group_id(entry.group) == Some(overview.group)
        && keys.hint_of(overview) == entry.hint
        && face(records, entry.group, overview).is_ok_and(|face| face == entry.face)
}

/// What a lookup reads pages with.
pub(crate) struct Reading<'a> {
    pub(crate) keys: &'a IndexKeys,
    pub(crate) header: &'a Header,
    pub(crate) source: &'a dyn Source,
}

/// Connectors and their versions.
pub(crate) struct Index {
    pub(crate) keys: IndexKeys,
    pub(crate) commits: Vec<CommitPlace>,
    /// What the newest commit is recognized by.
    pub(crate) marks: Vec<(u64, Vec<u8>)>,
    pages: Pages,
    tail: Tail,
}

impl Index {
    /// The index of a log that begins with this snapshot.
    pub(crate) fn begin(keys: IndexKeys, snapshot: &Commit<'_>) -> Result<Self> {
        let part = snapshot
            .snapshot()
            .ok_or_else(|| damaged(snapshot.offset, "the log does not begin with a snapshot"))?;
        let pages = Pages::open(&keys, snapshot, part)?;
        let place = CommitPlace::of(snapshot, 0);
        let marks = place.marks(snapshot);
        Ok(Self {
            keys,
            commits: vec![place],
            marks,
            pages,
            tail: Tail::default(),
        })
    }

    /// Why a connector of the tail is damaged: its page is.
    fn damaged(&self, tag: Tag, reading: &Reading<'_>) -> Error {
        let page = self.pages.newest(tag, reading);
        page.err()
            .unwrap_or_else(|| Error::new(Code::Internal, "a damaged page opens again"))
    }

    /// How many connectors there are, as far as the owner who signed the snapshot counted them.
    pub(crate) fn live_len(&self) -> usize {
        let live = i64::from(self.pages.connectors()) + self.tail.live();
        usize::try_from(live).unwrap_or_default()
    }

    /// The commit that holds a version.
    pub(crate) fn commit_of(&self, stored: &Stored) -> Option<&CommitPlace> {
        let first = self.commits.first()?.seq;
        let index = usize::try_from(stored.seq.checked_sub(first)?).ok()?;
        self.commits.get(index)
    }

    /// Whether a version stands in the snapshot.
    pub(crate) fn is_in_snapshot(&self, stored: &Stored) -> bool {
        self.commits.first().map(|first| first.seq) == Some(stored.seq)
    }

    /// Where the log ends in the file.
    pub(crate) fn end(&self) -> u64 {
        self.commits.last().map_or(0, |newest| newest.range().end)
    }

    /// The newest version of a connector, which may be a delete. Fails with `damaged`, and where bytes are missing.
    pub(crate) fn newest(&self, tag: Tag, reading: &Reading<'_>) -> Result<Option<Stored>> {
        match self.tail.versions(tag).last() {
            Some(newest) if !self.tail.is_damaged(tag) => Ok(Some(*newest)),
            // A damaged page makes its connectors damaged, whatever the tail holds of them.
            _ => self.pages.newest(tag, reading),
        }
    }

    /// The kept versions of a connector as far as its pages are sound, oldest first.
    pub(crate) fn sound_versions(&self, tag: Tag, reading: &Reading<'_>) -> Vec<Stored> {
        let mut versions = self.pages.versions(tag, reading).unwrap_or_default();
        versions.extend_from_slice(self.tail.versions(tag));
        versions
    }

    /// The kept versions of a connector, oldest first. Fails as [`newest`](Self::newest) does.
    pub(crate) fn versions(&self, tag: Tag, reading: &Reading<'_>) -> Result<Vec<Stored>> {
        let mut versions = self.pages.versions(tag, reading)?;
        versions.extend_from_slice(self.tail.versions(tag));
        Ok(versions)
    }

    /// The pages of the snapshot that were not used yet, as ranges of the file.
    pub(crate) fn unused_pages(&self) -> impl Iterator<Item = Range<u64>> {
        (0..self.pages.len()).filter_map(|number| self.pages.unused(number))
    }

    /// Every kept version on a sound page or in the tail, in the order of tag and version, and why a page is not.
    pub(crate) fn all(&self, reading: &Reading<'_>) -> (Vec<Stored>, Vec<Error>) {
        let mut errors = Vec::new();
        let count = self.pages.entry_count() + self.tail.len();
        let mut all = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
        let mut tail = self.tail.connectors().peekable();
        for number in 0..self.pages.len() {
            let page = self.pages.page(number, reading).unwrap_or_else(|error| {
                errors.push(error);
                &[]
            });
            for stored in page {
                while let Some((_, versions)) = tail.next_if(|(tag, _)| *tag < stored.entry.tag) {
                    all.extend_from_slice(versions);
                }
                all.push(*stored);
            }
        }
        all.extend(tail.flat_map(|(_, versions)| versions).copied());
        (all, errors)
    }

    /// The most patches of one connector behind the snapshot that stood without a full version behind them.
    pub(crate) fn patches_of_one(&self) -> usize {
        self.tail.patches_of_one()
    }

    /// Whether what stands behind the snapshot is worth a new one (docs/format.md section 10.3).
    pub(crate) fn is_tail_wide(&self) -> bool {
        let pages = self
            .tail
            .connectors()
            .filter_map(|(tag, _)| self.pages.page_of(tag));
        let (mut count, mut last) = (0, None);
        for page in pages {
            count += usize::from(last.replace(page) != Some(page));
        }
        count > limits::TAIL_PAGES_MAX && self.tail.len() >= self.pages.entry_count() / 8
    }
}
