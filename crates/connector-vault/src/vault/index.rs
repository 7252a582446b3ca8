//! What an open vault holds in memory: the log's bytes as they are, and where each connector's
//! versions stand in them. Overviews are opened again when somebody asks for them: that costs less
//! than memory for all of them.

mod detach;

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::record::{CheckedNames, Overview, OverviewText, RecordKeys};
use super::rules::{Facts, Rules};
use crate::connector::{Op, Version};
use crate::crypto::Hash;
use crate::error::{Code, Error, Result};
use crate::format::commit::{Commit, RecordBytes, split_record};
use crate::format::header::Header;
use crate::limits;

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

/// A kept version of a connector.
#[derive(Clone, Copy)]
pub(crate) struct Stored {
    part: u32,
    record_len: u32,
    record_at: usize,
    pub(crate) op: Op,
    pub(crate) has_request: bool,
    pub(crate) version: Version,
    pub(crate) seq: u64,
}

/// The kept versions of one connector id.
struct Versions {
    newest: Stored,
    /// Oldest first.
    older: Vec<Stored>,
}

impl Versions {
    /// Bytes of the version that the newest one pushed out of the newest ten.
    fn outdated_len(&self) -> u64 {
        let outdated = self.older.len().checked_sub(limits::VERSIONS_KEPT);
        outdated.map_or(0, |index| u64::from(self.older[index].record_len))
    }
}

/// A record that is not what its author signed; only a tolerant opening goes on without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DamagedRecord {
    /// The commit that carries it.
    pub seq: u64,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its connector, if its overview still opens.
    pub connector: Option<String>,
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

/// Connector ids and their entries. The ids stand one after the other in one text: an allocation
/// for each would cost as much as opening its record.
#[derive(Default)]
struct Ids {
    hasher: RandomState,
    entries: HashTable<u32>,
    text: String,
    /// Where the id of each entry ends in the text.
    ends: Vec<usize>,
}

impl Ids {
    fn reserve(&mut self, count: usize) {
        self.ends.reserve(count);
        self.entries.reserve(count, |_| 0);
    }

    fn id(&self, entry: u32) -> &str {
        let entry = entry as usize;
        let start = entry.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[entry]]
    }

    fn hash(&self, id: &str) -> u64 {
        self.hasher.hash_one(id)
    }

    fn get(&self, hash: u64, id: &str) -> Option<u32> {
        self.entries
            .find(hash, |entry| self.id(*entry) == id)
            .copied()
    }

    /// Adds an id that is not there, as the next entry.
    fn push(&mut self, hash: u64, id: &str) -> u32 {
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
    fn pop(&mut self) {
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

/// How records are admitted.
pub(crate) struct Admission<'a> {
    pub(crate) header: &'a Header,
    /// Collects damaged records and goes on, instead of failing at the first.
    pub(crate) tolerant: Option<&'a mut Vec<DamagedRecord>>,
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

    /// Takes the commits that the walk has found sound in a piece of the log. On an error nothing
    /// has changed.
    pub(crate) fn extend(
        &mut self,
        commits: &[Commit<'_>],
        piece: &[u8],
        admission: &mut Admission<'_>,
    ) -> Result<Pending> {
        let records = commits.iter().map(Commit::record_count).sum();
        let mut pending = Pending {
            commits: Vec::with_capacity(commits.len()),
            admitted: Vec::with_capacity(records),
        };
        if self.entries.is_empty() {
            self.ids.reserve(records);
            self.entries.reserve(records);
        }
        let mut plaintext = Vec::new();
        for commit in commits {
            let result = self.extend_one(commit, piece, &mut plaintext, &mut pending, admission);
            if let Err(error) = result {
                self.undo(&pending);
                return Err(error);
            }
        }
        Ok(pending)
    }

    fn extend_one(
        &mut self,
        commit: &Commit<'_>,
        piece: &[u8],
        plaintext: &mut Vec<u8>,
        pending: &mut Pending,
        admission: &mut Admission<'_>,
    ) -> Result<()> {
        let part = u32::try_from(self.parts.len()).expect("fewer than 4 billion commits in memory");
        // Only where something is missing may something be skipped.
        let gaps = admission
            .tolerant
            .as_ref()
            .is_some_and(|list| !list.is_empty());
        let mut rules = Rules::of(admission.header, commit, gaps)?;
        let refuse = |record: &RecordBytes<'_>, what: &str| {
            let (seq, offset) = (commit.fixed.seq, record.offset);
            Error::new(
                Code::UnauthorizedCommit,
                format!("commit {seq}, record at offset {offset}: {what}"),
            )
        };
        for record in commit.records() {
            let (sealed, secrets) = match record.split() {
                Ok(parts) if record.is_intact() => parts,
                _ => {
                    let connector = open_damaged(&record, &self.keys);
                    let damaged = DamagedRecord {
                        seq: commit.fixed.seq,
                        offset: record.offset,
                        connector,
                    };
                    match admission.tolerant.as_deref_mut() {
                        Some(list) => {
                            list.push(damaged);
                            rules = Rules::of(admission.header, commit, true)?;
                        }
                        None => return Err(damaged.into_error()),
                    }
                    continue;
                }
            };
            plaintext.clear();
            if !self.keys.open_overview(sealed, plaintext) {
                return Err(refuse(&record, "its overview does not open"));
            }
            let overview = OverviewText::<CheckedNames>::parse(plaintext).map_err(|error| {
                error.within(format_args!("record at offset {}", record.offset))
            })?;
            let version = Version::new(overview.version)?;
            let stored = Stored {
                part,
                record_len: u32::try_from(record.bytes.len()).expect("a record is at most 16 MiB"),
                record_at: usize::try_from(record.offset).expect("within memory"),
                op: overview.op,
                has_request: overview.request_id.is_some(),
                version,
                seq: commit.fixed.seq,
            };
            let hash = self.ids.hash(&overview.id);
            let known = self.ids.get(hash, &overview.id);
            let newest = known.map(|index| &self.entries[index as usize].newest);
            let same_identity = || {
                newest.is_some_and(|before| {
                    let part = self.parts.get(before.part as usize);
                    let bytes = part.map_or(piece, |part| &part.bytes);
                    self.open_overview(before.in_part(bytes))
                        .is_ok_and(|before| {
                            before.name == overview.name && before.type_name == overview.type_name
                        })
                })
            };
            let facts = Facts {
                op: overview.op,
                version,
                author: overview.author,
                has_secrets: !secrets.is_empty(),
            };
            rules
                .check(
                    &facts,
                    newest.map(|before| (before.version, before.op)),
                    same_identity,
                )
                .map_err(|what| refuse(&record, what))?;
            let op_before = newest.map(|before| before.op);
            self.count_live(op_before, Some(stored.op));
            let index = match known {
                Some(index) => {
                    let versions = &mut self.entries[index as usize];
                    versions
                        .older
                        .push(std::mem::replace(&mut versions.newest, stored));
                    self.kept_len -= versions.outdated_len();
                    index
                }
                None => {
                    self.entries.push(Versions {
                        newest: stored,
                        older: Vec::new(),
                    });
                    self.ids.push(hash, &overview.id)
                }
            };
            self.kept_len += u64::from(stored.record_len);
            pending.admitted.push(index);
        }
        pending.commits.push(CommitPlace {
            part,
            at: usize::try_from(commit.offset).expect("within memory"),
            len: commit.len,
            signature_at: commit.signature_at(),
            seq: commit.fixed.seq,
            hash: commit.hash,
            author: commit.fixed.author,
        });
        Ok(())
    }

    /// Takes back what a piece that is refused had brought.
    fn undo(&mut self, pending: &Pending) {
        for index in pending.admitted.iter().rev() {
            let versions = &mut self.entries[*index as usize];
            self.kept_len -= u64::from(versions.newest.record_len);
            self.kept_len += versions.outdated_len();
            let (op, op_before) = (versions.newest.op, versions.older.last().map(|v| v.op));
            self.count_live(Some(op), op_before);
            let versions = &mut self.entries[*index as usize];
            match versions.older.pop() {
                Some(before) => versions.newest = before,
                // A new connector is the last entry, since entries are only ever added.
                None => {
                    self.entries.pop();
                    self.ids.pop();
                }
            }
        }
    }

    /// Keeps the bytes of a piece whose commits were taken.
    pub(crate) fn keep(
        &mut self,
        pending: Pending,
        bytes: Vec<u8>,
        log_start: usize,
        log_offset: u64,
    ) {
        self.commits.extend(pending.commits);
        self.parts.push(Part {
            log_offset,
            log_start,
            bytes,
        });
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

    /// The file's bytes before the log: its magic and locks.
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

impl Stored {
    fn in_part<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.record_at..self.record_at + self.record_len as usize]
    }
}

/// What a piece of the log brought, until its bytes are kept.
pub(crate) struct Pending {
    commits: Vec<CommitPlace>,
    /// Entries that got a version, in order.
    admitted: Vec<u32>,
}

fn open_damaged(record: &RecordBytes<'_>, keys: &RecordKeys) -> Option<String> {
    let (sealed, _) = record.split().ok()?;
    let mut plaintext = Vec::new();
    if !keys.open_overview(sealed, &mut plaintext) {
        return None;
    }
    OverviewText::<CheckedNames>::parse(&plaintext)
        .ok()
        .map(|overview| overview.id.into_owned())
}

impl DamagedRecord {
    fn into_error(self) -> Error {
        let connector = match &self.connector {
            Some(id) => format!(" (connector {id:?})"),
            None => String::new(),
        };
        Error::new(
            Code::Damaged,
            format!(
                "at offset {}: a record of commit {} is damaged{connector}",
                self.offset, self.seq
            ),
        )
        .hint("restore a backup, or repair the vault to save what is intact")
    }
}
