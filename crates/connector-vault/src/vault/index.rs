//! What an open vault holds in memory: the log's bytes as they are, and where each connector's
//! versions stand in them. Overviews are opened again when somebody asks for them: that costs less
//! than memory for all of them.

mod detach;
mod entries;
mod rules;
mod tail;

pub use self::tail::DamagedRecord;

pub(crate) use self::entries::Stored;
pub(crate) use self::rules::{Facts, Rules};
pub(crate) use self::tail::Admission;

use self::entries::{Ids, Versions};
use super::record::{Overview, RecordKeys};
use crate::connector::Op;
use crate::crypto::Hash;
use crate::error::{Code, Error, Result};
use crate::format::commit::split_record;

/// Bytes of the log that came in one piece: the whole file at first, then a piece a commit, so
/// that an update costs the same at any size.
pub(crate) struct Part {
    /// Where `bytes[log_start]` stands, counted from the start of the log.
    pub(crate) log_offset: u64,
    pub(crate) log_start: usize,
    pub(crate) bytes: Vec<u8>,
}

/// A commit of the log.
pub(crate) struct CommitPlace {
    pub(crate) part: u32,
    /// Where it begins in its part.
    pub(crate) at: usize,
    pub(crate) len: usize,
    pub(crate) signature_at: usize,
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
    pub(crate) author: u16,
}
/// Connectors and their versions.
pub(crate) struct Index {
    keys: RecordKeys,
    parts: Vec<Part>,
    pub(crate) commits: Vec<CommitPlace>,
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
            parts: Vec::new(),
            commits: Vec::new(),
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

    /// Kept versions of every connector id, oldest first, deleted ones too.
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

    /// The plaintext of a version's overview.
    pub(crate) fn overview_text(&self, stored: &Stored) -> Result<Vec<u8>> {
        self.open_text(self.record(stored))
    }

    /// The overview of a version.
    pub(crate) fn overview(&self, stored: &Stored) -> Result<Overview> {
        self.open_overview(self.record(stored))
    }

    fn open_overview(&self, record: &[u8]) -> Result<Overview> {
        Overview::parse(&self.open_text(record)?)
    }

    fn open_text(&self, record: &[u8]) -> Result<Vec<u8>> {
        let (sealed, _) = split_record(record, 0)?;
        let mut plaintext = Vec::with_capacity(sealed.len());
        match self.keys.open_overview(sealed, &mut plaintext) {
            true => Ok(plaintext),
            // It opened when it was admitted.
            false => Err(Error::new(Code::Internal, "an overview no longer opens")),
        }
    }

    /// The sealed record of a version.
    pub(crate) fn record(&self, stored: &Stored) -> &[u8] {
        stored.in_part(&self.parts[stored.part as usize].bytes)
    }

    /// The sealed secrets of a version.
    pub(crate) fn sealed_secrets(&self, stored: &Stored) -> Result<&[u8]> {
        Ok(split_record(self.record(stored), 0)?.1)
    }

    /// The bytes of a commit.
    pub(crate) fn commit_bytes(&self, commit: &CommitPlace) -> &[u8] {
        &self.parts[commit.part as usize].bytes[commit.at..commit.at + commit.len]
    }

    /// The file's bytes before the log: its magic and key slots.
    pub(crate) fn file_start(&self) -> &[u8] {
        self.parts
            .first()
            .map_or(&[], |part| &part.bytes[..part.log_start])
    }

    /// Where a commit stands, counted from the start of the log.
    pub(crate) fn log_offset(&self, commit: &CommitPlace) -> u64 {
        let part = &self.parts[commit.part as usize];
        part.log_offset + (commit.at - part.log_start) as u64
    }
}
