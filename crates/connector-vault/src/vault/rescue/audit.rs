//! The log as an audit trail, and the check of everything that opening takes on trust.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::format::commit::{Commit, FIXED_LEN, Fixed, Kind};
use crate::format::hex::GrantId;
use crate::limits;
use crate::log::{self, After};
use crate::source::Source;
use crate::vault::Vault;
use crate::vault::authorship::Signature;
use crate::vault::index::{CommitPlace, Stored};
use crate::vault::record::SignedVersion;

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
    /// What it changed; for a snapshot, the versions it kept; and who signed each. Damaged records are left out.
    pub records: Vec<SignedVersion>,
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
    /// How many more problems it has: of all commits together 1,000 are told, the rest is counted.
    pub untold: usize,
}

impl<S: Source> Vault<S> {
    /// Every commit of the log, oldest first.
    pub fn log(&self) -> Result<Vec<CommitInfo>> {
        self.log_range(0, usize::MAX)
    }

    /// At most `count` commits of the log from the one with this index on, for logs that are shown in
    /// parts: a signature is verified for each commit. Versions that are damaged, and those of damaged pages, are left out:
    /// [`verify`](Self::verify) names them.
    pub fn log_range(&self, from: usize, count: usize) -> Result<Vec<CommitInfo>> {
        let all = &self.index.commits;
        let from = from.min(all.len());
        let commits = &all[from..all.len().min(from.saturating_add(count))];
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let fronts = commits.iter().map(CommitPlace::front);
        self.want(fronts.chain(self.index.unused_pages()))?;
        let seqs = commits[0].seq..=commits[commits.len() - 1].seq;
        let mut all = self.index.all(&self.reading()).0;
        all.retain(|stored| seqs.contains(&stored.seq));
        let listed = all.iter().filter(|stored| self.lists(stored));
        self.want(listed.map(Stored::overview))?;
        let mut versions = by_commit(all);
        commits
            .iter()
            .map(|place| {
                let mut buffer = Vec::new();
                let commit = self.commit(place, &mut buffer)?;
                let signature = match log::verify_commit(&self.header, &commit) {
                    Ok(()) => SignatureState::Valid,
                    Err(_) => SignatureState::Invalid,
                };
                let of_commit = versions.remove(&place.seq).unwrap_or_default();
                let records = of_commit.iter().map(|stored| self.logged(stored));
                Ok(CommitInfo {
                    seq: place.seq,
                    snapshot: commit.fixed.kind == Kind::Snapshot,
                    author: self.header.grants[usize::from(place.author)].id,
                    signature,
                    records: records
                        .collect::<Result<Vec<_>>>()?
                        .into_iter()
                        .flatten()
                        .collect(),
                })
            })
            .collect()
    }

    /// A version as the log shows it; `None` if it is damaged or false, or in a group that the grant does not list.
    fn logged(&self, stored: &Stored) -> Result<Option<SignedVersion>> {
        if !self.lists(stored) {
            return Ok(None);
        }
        match self.signed_version(stored) {
            Err(error) if error.is_unread() => Err(error),
            version => Ok(version.ok()),
        }
    }

    /// Checks every signature, of commits and of versions, every chain link, page and record, and, in the groups in
    /// which the grant reads values, that every secret opens and holds what its overview lists.
    pub fn verify(&self) -> Result<Vec<Verdict>> {
        let fronts = self.index.commits.iter().map(CommitPlace::front);
        self.want(fronts.chain(self.index.unused_pages()))?;
        let (all, damaged_pages) = self.index.all(&self.reading());
        let listed = all.iter().filter(|stored| self.lists(stored));
        self.want(listed.flat_map(Stored::record))?;
        let mut versions = by_commit(all);
        let mut damaged_pages = damaged_pages.into_iter();
        let mut before: Option<After> = None;
        let mut verdicts = Vec::with_capacity(self.index.commits.len());
        let mut buffer = Vec::new();
        let mut left = limits::PROBLEMS_OF_VERIFY_MAX;
        for place in &self.index.commits {
            let commit = self.commit(place, &mut buffer)?;
            let mut problems = Problems {
                told: Vec::new(),
                untold: 0,
                left: &mut left,
            };
            if let Err(error) = log::verify_commit(&self.header, &commit) {
                problems.add(error);
            }
            if before.is_some_and(|before| before.hash != commit.fixed.prev) {
                problems.add(Error::new(
                    Code::Damaged,
                    format!(
                        "commit {} does not follow from the one before it",
                        place.seq
                    ),
                ));
            }
            // They are the snapshot's, which is the first.
            damaged_pages.by_ref().for_each(|error| problems.add(error));
            let of_commit = versions.remove(&place.seq).unwrap_or_default();
            for stored in of_commit.iter().filter(|stored| self.lists(stored)) {
                match self.examine_version(stored, Signature::Verified) {
                    Ok((_, Some(fault))) => problems.add(fault.into_error()),
                    Ok(_) => {}
                    Err(error) if error.is_unread() => return Err(error),
                    Err(error) => problems.add(error),
                }
            }
            let Problems { told, untold, .. } = problems;
            verdicts.push(Verdict {
                seq: place.seq,
                records: of_commit.len(),
                problems: told,
                untold,
            });
            before = Some(After {
                seq: place.seq,
                hash: commit.hash,
            });
        }
        Ok(verdicts)
    }

    /// The front of a commit of the log, decoded again.
    pub(crate) fn commit<'a>(
        &'a self,
        place: &CommitPlace,
        buffer: &'a mut Vec<u8>,
    ) -> Result<Commit<'a>> {
        let bytes = self.bytes(place.front(), buffer)?;
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

/// Versions by the seqs of their commits.
fn by_commit(all: Vec<Stored>) -> HashMap<u64, Vec<Stored>> {
    let mut versions: HashMap<u64, Vec<Stored>> = HashMap::new();
    for stored in all {
        versions.entry(stored.seq).or_default().push(stored);
    }
    versions
}

/// What is wrong with a commit, as far as there is room for it: a hostile log may have many faults.
struct Problems<'a> {
    told: Vec<Error>,
    untold: usize,
    left: &'a mut usize,
}

impl Problems<'_> {
    fn add(&mut self, error: Error) {
        match self.left.checked_sub(1) {
            Some(left) => {
                *self.left = left;
                self.told.push(error);
            }
            None => self.untold += 1,
        }
    }
}
