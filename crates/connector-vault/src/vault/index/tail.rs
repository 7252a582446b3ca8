//! Commits that are taken: the walk has found them sound, and their records follow the rules.

use std::ops::Range;

use serde::Serialize;

use super::entries::{Stored, Versions};
use super::rules::{Before, Facts, Rules};
use super::{CommitPlace, Index};
use crate::connector::{ConnectorId, Version};
use crate::error::{Code, Error, Result};
use crate::format::commit::{Commit, RecordBytes};
use crate::format::header::Header;
use crate::limits;
use crate::log;
use crate::source::{Missing, Source};
use crate::vault::record::{ReadOverview, RecordKeys};

/// A record that is not what its author signed; only a tolerant opening goes on without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DamagedRecord {
    /// The commit that carries it.
    pub seq: u64,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its connector, if its overview still opens.
    pub connector: Option<String>,
}
/// How records are admitted.
pub(crate) struct Admission<'a> {
    pub(crate) header: &'a Header,
    /// Collects damaged records and goes on, instead of failing at the first.
    pub(crate) tolerant: Option<&'a mut Vec<DamagedRecord>>,
    /// Whether this program has made the commits itself, from what it holds.
    pub(crate) own: bool,
}

/// Bytes of the log whose commits are to be taken, and the source of those before them.
pub(crate) struct Piece<'a, S> {
    /// Where it stands in the file.
    pub(crate) at: u64,
    pub(crate) bytes: &'a [u8],
    pub(crate) before: &'a S,
}

impl<S: Source> Piece<'_, S> {
    fn get<'a>(&'a self, range: Range<u64>, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Missing> {
        let within = |offset: u64| usize::try_from(offset.checked_sub(self.at)?).ok();
        let bytes = within(range.start).zip(within(range.end));
        match bytes.and_then(|(start, end)| self.bytes.get(start..end)) {
            Some(bytes) => Ok(bytes),
            None => self.before.get(range, buffer),
        }
    }
}

impl Index {
    /// Takes the commits that the walk has found sound in a piece of the log. On an error nothing
    /// has changed.
    pub(crate) fn extend<S: Source>(
        &mut self,
        commits: &[Commit<'_>],
        piece: &Piece<'_, S>,
        admission: &mut Admission<'_>,
    ) -> Result<Pending> {
        let records = commits.iter().map(Commit::record_count).sum();
        let mut pending = Pending {
            commits: Vec::with_capacity(commits.len()),
            admitted: Vec::with_capacity(records),
            marks: Vec::new(),
            missing: Vec::new(),
        };
        if self.entries.is_empty() {
            self.ids.reserve(records);
            self.entries.reserve(records);
        }
        let mut plaintext = Vec::new();
        let taken = commits.iter().try_for_each(|commit| {
            self.extend_one(commit, piece, &mut plaintext, &mut pending, admission)
        });
        // First what is missing: it might have been refused before.
        if let Some(error) = pending.missing().or(taken.err()) {
            self.undo(&pending);
            return Err(error);
        }
        if let (Some(place), Some(commit)) = (pending.commits.last(), commits.last()) {
            let start = usize::try_from(commit.offset).expect("within memory");
            pending.marks = place.marks(&piece.bytes[start..]);
        }
        Ok(pending)
    }

    fn extend_one<S: Source>(
        &mut self,
        commit: &Commit<'_>,
        piece: &Piece<'_, S>,
        plaintext: &mut Vec<u8>,
        pending: &mut Pending,
        admission: &mut Admission<'_>,
    ) -> Result<()> {
        // Only where something is missing may something be skipped.
        let gaps = admission
            .tolerant
            .as_ref()
            .is_some_and(|list| !list.is_empty());
        let mut rules = Rules::of(admission.header, commit, gaps)?;
        let place = |record: &RecordBytes<'_>| {
            let (seq, offset) = (commit.fixed.seq, record.offset);
            format!("commit {seq}, record at offset {offset}")
        };
        let refuse = |record: &RecordBytes<'_>, what: &str| {
            Error::new(
                Code::UnauthorizedCommit,
                format!("{}: {what}", place(record)),
            )
        };
        // The member who wrote it is the signer of changes. A snapshot tells who signed the snapshot.
        let by = log::label_of_author(admission.header, commit);
        let told_false = |record: &RecordBytes<'_>, error: Error| {
            error
                .within(format_args!("{}, which {by} signed", place(record)))
                .with_hint("repair the vault, or restore a backup")
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
            let is_short = sealed.len() <= limits::OVERVIEW_LEN_MAX;
            let found = is_short.then(|| self.keys.find_overview(sealed, plaintext));
            let Some(group) = found.flatten() else {
                if self.keys.lists_all() {
                    let error = Error::new(Code::FalseRecord, "its overview does not open");
                    return Err(told_false(&record, error));
                }
                // It is of a group that this grant does not list.
                continue;
            };
            let (_, overview) =
                ReadOverview::of(plaintext).map_err(|error| told_false(&record, error))?;
            if self.keys.group_id(group) != Some(overview.group) {
                let error = Error::new(
                    Code::FalseRecord,
                    "its overview names another group than its own",
                );
                return Err(told_false(&record, error));
            }
            if !rules.permits_author(admission.header, overview.author) {
                let error = Error::new(
                    Code::FalseRecord,
                    "its overview names an author who may not stand there",
                );
                return Err(told_false(&record, error));
            }
            let version = Version::new(overview.version)?;
            let len = |bytes: &[u8]| u32::try_from(bytes.len()).expect("at most 16 MiB");
            let stored = Stored {
                record_at: piece.at + record.offset,
                record_len: len(record.bytes),
                overview_len: len(sealed),
                op: overview.op,
                has_request: overview.request.is_some(),
                group,
                version,
                seq: commit.fixed.seq,
            };
            let hash = self.ids.hash(&overview.id);
            let known = self.ids.get(hash, &overview.id);
            let newest = known.map(|index| &self.entries[index as usize].newest);
            let (own, missing) = (admission.own, &mut pending.missing);
            let same_identity = || {
                // Our own plans keep name and type.
                own || newest.is_some_and(|before| {
                    let mut buffer = Vec::new();
                    match piece.get(before.overview(), &mut buffer) {
                        Ok(sealed) => self.is_named_as(before.group, sealed, &overview),
                        // Whatever the answer will be, the commits are not taken before.
                        Err(absent) => {
                            missing.extend_from_slice(absent.ranges());
                            true
                        }
                    }
                })
            };
            let facts = Facts {
                op: overview.op,
                version,
                has_secrets: !secrets.is_empty(),
                group: overview.group,
            };
            let before = newest.and_then(|before| {
                Some(Before {
                    version: before.version,
                    op: before.op,
                    group: self.keys.group_id(before.group)?,
                })
            });
            rules
                .check(&facts, before, same_identity)
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
        let place = CommitPlace {
            at: piece.at + commit.offset,
            len: commit.len,
            signature_at: commit.signature_at(),
            seq: commit.fixed.seq,
            hash: commit.hash,
            author: commit.fixed.author,
        };
        pending.commits.push(place);
        Ok(())
    }

    /// Whether a sealed overview has the name, type and meta of another one.
    fn is_named_as(&self, group: u16, sealed: &[u8], other: &ReadOverview<'_>) -> bool {
        self.open_overview(group, sealed).is_ok_and(|text| {
            ReadOverview::of(&text).is_ok_and(|(_, overview)| overview.is_named_as(other))
        })
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

    /// The connectors of which a piece brought a version, each once.
    pub(crate) fn ids_of(&self, pending: &Pending) -> Vec<ConnectorId> {
        let mut entries = pending.admitted.clone();
        entries.sort_unstable();
        entries.dedup();
        // Each id was checked when its record was read, so none is left out here.
        let ids = entries.into_iter().map(|entry| self.ids.id(entry));
        ids.filter_map(|id| ConnectorId::new(id).ok()).collect()
    }

    /// Keeps the commits that were taken: their bytes are where the source finds them.
    pub(crate) fn keep(&mut self, pending: Pending) {
        self.commits.extend(pending.commits);
        self.marks = pending.marks;
    }
}

/// What a piece of the log brought, until it is kept.
pub(crate) struct Pending {
    commits: Vec<CommitPlace>,
    /// Entries that got a version, in order.
    admitted: Vec<u32>,
    /// Of the newest commit.
    marks: Vec<(u64, Vec<u8>)>,
    /// Ranges that have to be fetched before the commits can be taken.
    missing: Vec<Range<u64>>,
}

impl Pending {
    fn missing(&self) -> Option<Error> {
        match self.missing.as_slice() {
            [] => None,
            ranges => Some(Error::not_fetched(ranges.iter().cloned().collect())),
        }
    }
}

fn open_damaged(record: &RecordBytes<'_>, keys: &RecordKeys) -> Option<String> {
    let (sealed, _) = record.split().ok()?;
    let mut plaintext = Vec::new();
    keys.find_overview(sealed, &mut plaintext)?;
    let (_, overview) = ReadOverview::of(&plaintext).ok()?;
    Some(overview.id.into_owned())
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
        .with_hint("restore a backup, or repair the vault to save what is intact")
    }
}
