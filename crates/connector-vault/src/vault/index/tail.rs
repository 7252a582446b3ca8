//! Commits that are taken: the walk has found them sound, and their records follow the rules.

use serde::{Deserialize, Serialize};

use super::entries::{Stored, Versions};
use super::rules::{Facts, Rules};
use super::{CommitPlace, Index, Part};
use crate::connector::{ConnectorId, Version};
use crate::error::{Code, Error, Result};
use crate::format::commit::{Commit, RecordBytes};
use crate::format::header::Header;
use crate::vault::record::{CheckedNames, OverviewText, RecordKeys};

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
/// How records are admitted.
pub(crate) struct Admission<'a> {
    pub(crate) header: &'a Header,
    /// Collects damaged records and goes on, instead of failing at the first.
    pub(crate) tolerant: Option<&'a mut Vec<DamagedRecord>>,
}
impl Index {
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

    /// The connectors of which a piece brought a version, each once.
    pub(crate) fn ids_of(&self, pending: &Pending) -> Vec<ConnectorId> {
        let mut entries = pending.admitted.clone();
        entries.sort_unstable();
        entries.dedup();
        // Each id was checked when its record was read, so none is left out here.
        let ids = entries.into_iter().map(|entry| self.ids.id(entry));
        ids.filter_map(|id| ConnectorId::new(id).ok()).collect()
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
        .with_hint("restore a backup, or repair the vault to save what is intact")
    }
}
