//! The log as an audit trail, and the check of everything that opening takes on trust.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::format::commit::{Commit, FIXED_LEN, Fixed, Kind, RecordBytes};
use crate::format::hex::GrantId;
use crate::log::{self, After};
use crate::role::Capability;
use crate::source::Source;
use crate::vault::Vault;
use crate::vault::index::{CommitPlace, Stored};
use crate::vault::record::Overview;

/// A commit of the log, as an auditor sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommitInfo {
    /// Its number.
    pub seq: u64,
    /// Whether it is a snapshot, which replaces everything before it.
    pub snapshot: bool,
    /// The grant that signed it.
    pub author: GrantId,
    /// Whether its signature verifies.
    pub signature: SignatureState,
    /// What it changed; for a snapshot, the versions it kept. Damaged records are left out.
    pub records: Vec<Overview>,
}

/// Whether a commit's signature verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// It is its author's, and the author's rights permit such a commit.
    Valid,
    /// It is not, or the author may not make such a commit.
    Invalid,
}

/// The verdict on one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// Its number.
    pub seq: u64,
    /// How many records it carries.
    pub records: usize,
    /// What is wrong with it; empty if nothing is.
    pub problems: Vec<Error>,
}

impl<S: Source> Vault<S> {
    /// Every commit of the log, oldest first.
    pub fn log(&self) -> Result<Vec<CommitInfo>> {
        self.log_range(0, usize::MAX)
    }

    /// At most `count` commits of the log from the one with this index on, for logs that are shown in
    /// parts: a signature is verified for each commit.
    pub fn log_range(&self, from: usize, count: usize) -> Result<Vec<CommitInfo>> {
        let all = &self.index.commits;
        let from = from.min(all.len());
        let commits = &all[from..all.len().min(from.saturating_add(count))];
        let (Some(first), Some(last)) = (commits.first(), commits.last()) else {
            return Ok(Vec::new());
        };
        self.want(commits.iter().map(CommitPlace::range))?;
        let seqs = first.seq..=last.seq;
        let mut records: std::collections::HashMap<u64, Vec<Overview>> = Default::default();
        for stored in self.index.all().flatten() {
            if seqs.contains(&stored.seq) {
                records
                    .entry(stored.seq)
                    .or_default()
                    .push(self.overview_of(stored)?);
            }
        }
        commits
            .iter()
            .map(|place| {
                let mut buffer = Vec::new();
                let commit = self.commit(place, &mut buffer)?;
                let signature = match log::verify_commit(&self.header, &commit) {
                    Ok(()) => SignatureState::Valid,
                    Err(_) => SignatureState::Invalid,
                };
                Ok(CommitInfo {
                    seq: place.seq,
                    snapshot: commit.fixed.kind == Kind::Snapshot,
                    author: self.header.grants[usize::from(place.author)].id,
                    signature,
                    records: records.remove(&place.seq).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Checks every signature, chain link and record hash, and, in the groups in which the grant reads values, that
    /// every secret opens and holds what its overview lists.
    pub fn verify(&self) -> Result<Vec<Verdict>> {
        self.want(self.index.commits.iter().map(CommitPlace::range))?;
        let mut unreadable: std::collections::HashMap<u64, Vec<Error>> = Default::default();
        let all = self.index.all().flatten();
        for stored in all.filter(|stored| self.may(stored.group, Capability::Read)) {
            if let Err(error) = self.check_secrets(stored) {
                unreadable.entry(stored.seq).or_default().push(error);
            }
        }
        let mut before: Option<After> = None;
        let mut verdicts = Vec::with_capacity(self.index.commits.len());
        let mut buffer = Vec::new();
        for place in &self.index.commits {
            let commit = self.commit(place, &mut buffer)?;
            let mut problems = Vec::new();
            problems.extend(log::verify_commit(&self.header, &commit).err());
            if before.is_some_and(|before| before.hash != commit.fixed.prev) {
                problems.push(Error::new(
                    Code::Damaged,
                    format!(
                        "commit {} does not follow from the one before it",
                        place.seq
                    ),
                ));
            }
            let damaged = commit.records().filter(|record| !record.is_intact());
            problems.extend(damaged.map(|record: RecordBytes<'_>| {
                Error::new(
                    Code::Damaged,
                    format!(
                        "at offset {}: a record of commit {} is damaged",
                        record.offset, place.seq
                    ),
                )
            }));
            problems.extend(unreadable.remove(&place.seq).unwrap_or_default());
            verdicts.push(Verdict {
                seq: place.seq,
                records: commit.record_count(),
                problems,
            });
            before = Some(After {
                seq: place.seq,
                hash: commit.hash,
            });
        }
        Ok(verdicts)
    }

    fn check_secrets(&self, stored: &Stored) -> Result<()> {
        if stored.op == crate::connector::Op::Delete {
            return Ok(());
        }
        self.unseal(stored).map(drop)
    }

    /// A commit of the log, decoded again.
    pub(crate) fn commit<'a>(
        &'a self,
        place: &CommitPlace,
        buffer: &'a mut Vec<u8>,
    ) -> Result<Commit<'a>> {
        let bytes = self.bytes(place.range(), buffer)?;
        let offset = place.at;
        let fixed = bytes
            .first_chunk::<FIXED_LEN>()
            .map(|fixed| Fixed::decode(fixed, offset))
            .transpose()?
            .flatten();
        let fixed = fixed
            .ok_or_else(|| crate::bytes::damaged(offset, "the commit's fixed part is damaged"))?;
        Commit::decode(fixed, bytes, offset)
    }
}
