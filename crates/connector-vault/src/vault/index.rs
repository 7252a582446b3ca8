//! What an open vault holds in memory of its log: where the commits and each connector's versions stand
//! in the file. Overviews are opened again when somebody asks for them: that costs less than memory for
//! all of them.

mod detach;
mod entries;
mod rules;
mod tail;

use std::ops::Range;

pub use self::tail::DamagedRecord;

pub(crate) use self::entries::Stored;
pub(crate) use self::rules::{Before, Facts, Rules, capability_of};
pub(crate) use self::tail::{Admission, Piece};

use self::entries::{Ids, Versions};
use super::record::RecordKeys;
use crate::connector::Op;
use crate::crypto::Hash;
use crate::error::{Code, Error, Result};
use crate::format::commit::{FIXED_LEN, SIGNATURE_LEN};

/// A commit of the log.
pub(crate) struct CommitPlace {
    /// Where it begins in the file.
    pub(crate) at: u64,
    pub(crate) len: usize,
    signature_at: usize,
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
    pub(crate) author: u16,
}

impl CommitPlace {
    /// Where it stands in the file.
    pub(crate) fn range(&self) -> Range<u64> {
        self.at..self.at + self.len as u64
    }

    /// Its fixed part and its signature, with their places in the file; `bytes` begin with the commit.
    fn marks(&self, bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let places = [(0, FIXED_LEN), (self.signature_at, SIGNATURE_LEN)];
        let marks = places.map(|(at, len)| (self.at + at as u64, bytes[at..at + len].to_vec()));
        marks.to_vec()
    }
}

/// Connectors and their versions.
pub(crate) struct Index {
    keys: RecordKeys,
    pub(crate) commits: Vec<CommitPlace>,
    /// What the newest commit is recognized by.
    pub(crate) marks: Vec<(u64, Vec<u8>)>,
    ids: Ids,
    entries: Vec<Versions>,
    /// How many connectors are not deleted.
    live_len: usize,
    /// Bytes of the records that a compaction keeps anyway: the newest ten of each connector.
    kept_len: u64,
}
impl Index {
    pub(crate) fn new(keys: RecordKeys) -> Self {
        Self {
            keys,
            commits: Vec::new(),
            marks: Vec::new(),
            ids: Ids::default(),
            entries: Vec::new(),
            live_len: 0,
            kept_len: 0,
        }
    }

    /// What seals and opens the records.
    pub(crate) fn keys(&self) -> &RecordKeys {
        &self.keys
    }
    /// Counts a connector whose newest version becomes another one; `None`: there is no version.
    fn count_live(&mut self, before: Option<Op>, after: Option<Op>) {
        let is_live = |op: Option<Op>| op.is_some_and(|op| op != Op::Delete);
        self.live_len -= usize::from(is_live(before));
        self.live_len += usize::from(is_live(after));
    }

    /// How many connectors are not deleted.
    pub(crate) fn live_len(&self) -> usize {
        self.live_len
    }

    /// Bytes of the records that a compaction keeps anyway.
    pub(crate) fn kept_len(&self) -> u64 {
        self.kept_len
    }

    /// The newest version of each connector that is not deleted, in the order of their creation.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Stored> {
        self.entries
            .iter()
            .map(|versions| &versions.newest)
            .filter(|newest| newest.op != Op::Delete)
    }

    /// Every connector id, deleted ones too.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        (0..)
            .zip(&self.entries)
            .map(|(entry, _)| self.ids.id(entry))
    }

    /// Kept versions of every connector id, oldest first, in the order of [`ids`](Self::ids).
    pub(crate) fn all(
        &self,
    ) -> impl Iterator<Item = impl DoubleEndedIterator<Item = &Stored> + Clone> {
        self.entries
            .iter()
            .map(|versions| versions.older.iter().chain([&versions.newest]))
    }

    fn versions_of(&self, id: &str) -> Option<&Versions> {
        let index = self.ids.get(self.ids.hash(id), id)?;
        self.entries.get(index as usize)
    }

    /// The newest version of a connector id, which may be a delete.
    pub(crate) fn newest(&self, id: &str) -> Option<&Stored> {
        self.versions_of(id).map(|versions| &versions.newest)
    }

    /// The kept versions of a connector id, oldest first.
    pub(crate) fn versions(&self, id: &str) -> impl DoubleEndedIterator<Item = &Stored> {
        self.versions_of(id)
            .into_iter()
            .flat_map(|versions| versions.older.iter().chain([&versions.newest]))
    }

    /// Where the log ends in the file.
    pub(crate) fn end(&self) -> u64 {
        self.commits.last().map_or(0, |newest| newest.range().end)
    }

    /// The commit in which a version stands.
    pub(crate) fn commit_of(&self, stored: &Stored) -> Option<&CommitPlace> {
        let first = self.commits.first()?.seq;
        let index = usize::try_from(stored.seq.checked_sub(first)?).ok()?;
        self.commits.get(index)
    }

    /// The plaintext of a sealed overview in a group.
    pub(crate) fn open_overview(&self, group: u16, sealed: &[u8]) -> Result<Vec<u8>> {
        let mut plaintext = Vec::with_capacity(sealed.len());
        match self.keys.open_overview(group, sealed, &mut plaintext) {
            true => Ok(plaintext),
            // It opened when it was admitted.
            false => Err(Error::new(Code::Damaged, "an overview no longer opens")),
        }
    }
}
