//! Connector ids, and where each of their versions stands.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use hashbrown::HashTable;

use crate::connector::{Op, Version};
use crate::limits;

/// A kept version of a connector.
#[derive(Clone, Copy)]
pub(crate) struct Stored {
    /// Where its record begins in the file.
    pub(super) record_at: u64,
    pub(crate) record_len: u32,
    pub(super) overview_len: u32,
    pub(crate) op: Op,
    pub(crate) has_request: bool,
    /// The number of its group.
    pub(crate) group: u16,
    pub(crate) version: Version,
    pub(crate) seq: u64,
}

/// The kept versions of one connector id.
pub(super) struct Versions {
    pub(super) newest: Stored,
    /// Oldest first.
    pub(super) older: Vec<Stored>,
}

impl Versions {
    /// Bytes of the version that the newest one pushed out of the newest ten.
    pub(super) fn outdated_len(&self) -> u64 {
        let outdated = self.older.len().checked_sub(limits::VERSIONS_KEPT);
        outdated.map_or(0, |index| u64::from(self.older[index].record_len))
    }
}

/// Connector ids and their entries. The ids stand one after the other in one text: an allocation
/// for each would cost as much as opening its record.
#[derive(Default)]
pub(super) struct Ids {
    hasher: RandomState,
    entries: HashTable<u32>,
    text: String,
    /// Where the id of each entry ends in the text.
    ends: Vec<usize>,
}

impl Ids {
    pub(super) fn reserve(&mut self, count: usize) {
        self.ends.reserve(count);
        self.entries.reserve(count, |_| 0);
    }

    pub(super) fn id(&self, entry: u32) -> &str {
        let entry = entry as usize;
        let start = entry.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[entry]]
    }

    pub(super) fn hash(&self, id: &str) -> u64 {
        self.hasher.hash_one(id)
    }

    pub(super) fn get(&self, hash: u64, id: &str) -> Option<u32> {
        self.entries
            .find(hash, |entry| self.id(*entry) == id)
            .copied()
    }

    /// Adds an id that is not there, as the next entry.
    pub(super) fn push(&mut self, hash: u64, id: &str) -> u32 {
        let entry = u32::try_from(self.ends.len()).expect("fewer than 4 billion connectors");
        self.text.push_str(id);
        self.ends.push(self.text.len());
        let Self {
            hasher,
            entries,
            text,
            ends,
        } = self;
        entries.insert_unique(hash, entry, |entry| {
            let end = *entry as usize;
            let start = end.checked_sub(1).map_or(0, |before| ends[before]);
            hasher.hash_one(&text[start..ends[end]])
        });
        entry
    }

    /// Takes back the last entry.
    pub(super) fn pop(&mut self) {
        let Some(last) = self.ends.len().checked_sub(1) else {
            return;
        };
        let start = last.checked_sub(1).map_or(0, |before| self.ends[before]);
        let hash = self.hash(&self.text[start..]);
        if let Ok(found) = self
            .entries
            .find_entry(hash, |entry| *entry as usize == last)
        {
            found.remove();
        }
        self.text.truncate(start);
        self.ends.pop();
    }
}

impl Stored {
    /// Where its sealed record stands in the file.
    pub(crate) fn record(&self) -> Range<u64> {
        self.record_at..self.record_at + u64::from(self.record_len)
    }

    /// Where its sealed overview stands, behind the length of it.
    pub(crate) fn overview(&self) -> Range<u64> {
        let start = self.record_at + 4;
        start..start + u64::from(self.overview_len)
    }
}
