//! What was found out about a vault: when it was opened, audited, merged or repaired; as JSON.

use connector_vault::{
    self as core, CommitInfo, ConflictKind, ConnectorId, Continuity, DamagedRecord,
    GrantInfo as CoreGrant, MergeConflict, OpenReport, Overview as CoreOverview, Repaired, Role,
    SignatureState, TornTail as CoreTorn, Vault,
};
use serde::Serialize;
use tsify::Tsify;

use crate::connector::Overview;
use crate::outcome::Outcome;

/// What was noticed when the vault was opened.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    #[tsify(type = "Continuity")]
    continuity: Continuity,
    /// A commit whose writer died: dropped, it never was acknowledged.
    #[tsify(type = "TornTail | null")]
    torn: Option<TornTail>,
    /// Key slots that nobody can use. Only those that were looked at on the way to one that opens.
    broken_key_slots: Vec<BrokenKeySlot>,
    /// Records that a tolerant opening went on without.
    damaged: Vec<Damaged>,
}

/// The end of a log that was being written when its writer died.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TornTail {
    /// Where it begins in the bytes that were read.
    offset: u64,
    /// Its length in bytes.
    len: u64,
}

impl TornTail {
    fn of(torn: CoreTorn) -> Self {
        Self {
            offset: torn.offset,
            len: torn.len,
        }
    }
}

/// A key slot that nobody can use, and why.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BrokenKeySlot {
    /// The label of the grant whose key slot it is, if that much is known.
    #[tsify(type = "string | null")]
    label: Option<String>,
    reason: String,
}

/// A record that is not what its author signed.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Damaged {
    /// The commit that carries it.
    seq: u64,
    /// Where it begins in the file.
    offset: u64,
    /// Its connector's id, if its overview still opens.
    #[tsify(type = "string | null")]
    connector: Option<String>,
}

impl Damaged {
    fn of(damaged: &DamagedRecord) -> Self {
        Self {
            seq: damaged.seq,
            offset: damaged.offset,
            connector: damaged.connector.clone(),
        }
    }
}

impl Report {
    pub(crate) fn of(report: &OpenReport) -> Self {
        let broken_key_slots = report.broken_key_slots.iter().map(|slot| BrokenKeySlot {
            label: slot.label.clone(),
            reason: slot.reason.clone(),
        });
        Self {
            continuity: report.continuity,
            torn: report.torn.map(TornTail::of),
            broken_key_slots: broken_key_slots.collect(),
            damaged: report.damaged.iter().map(Damaged::of).collect(),
        }
    }
}

/// What a refresh brought.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refreshed {
    commits: usize,
    /// The connectors of which the commits hold a new version, each once.
    ids: Vec<String>,
    /// A commit whose writer died, or is still writing. Its offset counts from the tail's start.
    #[tsify(type = "TornTail | null")]
    torn: Option<TornTail>,
}

impl Refreshed {
    pub(crate) fn of(refreshed: core::Refreshed) -> Self {
        Self {
            commits: refreshed.commits,
            ids: refreshed.ids.iter().map(ToString::to_string).collect(),
            torn: refreshed.torn.map(TornTail::of),
        }
    }
}

/// Who may do what.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GrantInfo {
    id: String,
    /// What it is called.
    label: String,
    #[tsify(type = "Role")]
    role: Role,
    /// Since when: RFC 3339.
    since: String,
    /// Its public keys, `cvault-grant-1...`.
    key: String,
    /// Whether a passphrase unlocks it; otherwise only its identity does.
    has_passphrase: bool,
    /// Whether the vault was opened by it.
    is_own: bool,
}

impl GrantInfo {
    pub(crate) fn of(grant: CoreGrant) -> Self {
        Self {
            id: grant.id.to_string(),
            label: grant.label,
            role: grant.role,
            since: grant.since,
            key: grant.key.to_string(),
            has_passphrase: grant.has_passphrase,
            is_own: grant.is_own,
        }
    }
}

/// What a grant's former holder could read, and what was left out.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RevocationReport<'a> {
    /// Ids of the connectors that the former holder could read. An old copy of the vault still opens
    /// for it: they should be rotated.
    #[tsify(type = "string[]")]
    exposed: &'a [ConnectorId],
    /// Versions whose secrets do not open, so that they could not be sealed again.
    dropped: Vec<Overview>,
}

impl<'a> RevocationReport<'a> {
    pub(crate) fn of(exposed: &'a [ConnectorId], dropped: &[CoreOverview]) -> Self {
        let dropped = dropped.iter().cloned();
        Self {
            exposed,
            dropped: dropped
                .map(|overview| {
                    let author = overview.author.to_string();
                    Overview::with_author(overview, author)
                })
                .collect(),
        }
    }
}

/// A commit of the log, as an auditor sees it.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Commit {
    seq: u64,
    /// Whether it is a snapshot, which replaces everything before it.
    snapshot: bool,
    /// The label of the grant that signed it, or its id.
    author: String,
    #[tsify(type = "SignatureState")]
    signature: SignatureState,
    /// What it changed; for a snapshot, the versions it kept.
    records: Vec<Overview>,
}

impl Commit {
    pub(crate) fn of(vault: &Vault, commit: CommitInfo) -> Self {
        let label = vault.label_of(commit.author).map(str::to_owned);
        let records = commit.records.into_iter();
        Self {
            seq: commit.seq,
            snapshot: commit.snapshot,
            author: label.unwrap_or_else(|| commit.author.to_string()),
            signature: commit.signature,
            records: records.map(|record| Overview::of(vault, record)).collect(),
        }
    }
}

/// The verdict on one commit.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    seq: u64,
    /// How many records it carries.
    records: usize,
    /// What is wrong with it; empty if nothing is.
    problems: Vec<Problem>,
}

/// Something that is wrong with a commit.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    #[tsify(type = "string")]
    code: &'static str,
    message: String,
}

impl Verdict {
    pub(crate) fn of(verdict: &core::Verdict) -> Self {
        let problems = verdict.problems.iter().map(|problem| Problem {
            code: problem.code().as_str(),
            message: problem.message().to_owned(),
        });
        Self {
            seq: verdict.seq,
            records: verdict.records,
            problems: problems.collect(),
        }
    }
}

/// What a merge met, resolved or not, and what it would change.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MergeReport<'a> {
    /// What both copies changed.
    pub(crate) conflicts: Vec<Conflict>,
    /// Labels of the grants that wrote to the other copy and have no grant here.
    #[tsify(type = "string[]")]
    pub(crate) strangers: &'a [String],
    pub(crate) outcomes: Vec<Outcome>,
    /// Ids of the connectors among them that it would delete.
    #[tsify(type = "string[]")]
    pub(crate) deleted: Vec<&'a str>,
}

/// Something that both copies changed, each in its way.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conflict {
    /// The connector's id.
    id: String,
    #[tsify(
        type = "\"property\" | \"identity\" | \"deleted_in_ours\" | \"deleted_in_theirs\" | \"other\""
    )]
    kind: &'static str,
    /// The name, if it is about a property.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    property: Option<String>,
}

impl Conflict {
    pub(crate) fn of(conflict: &MergeConflict) -> Self {
        let (kind, property) = match &conflict.kind {
            ConflictKind::Property(name) => ("property", Some(name.as_str().to_owned())),
            ConflictKind::Identity => ("identity", None),
            ConflictKind::DeletedInOurs => ("deleted_in_ours", None),
            ConflictKind::DeletedInTheirs => ("deleted_in_theirs", None),
            _ => ("other", None),
        };
        Self {
            id: conflict.id.as_str().to_owned(),
            kind,
            property,
        }
    }
}

/// What a repair saved, and what not.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RepairReport {
    /// How many versions were saved because they stand under a verified signature.
    recovered: usize,
    /// Versions that open but stand under no signature: a reader could have made them.
    quarantined: Vec<Overview>,
    /// Records that are lost.
    lost: Vec<Damaged>,
    /// Stretches of the file that hold no readable commit.
    gaps: Vec<Gap>,
}

/// A stretch of the file, in bytes.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Gap {
    offset: u64,
    len: u64,
}

impl RepairReport {
    pub(crate) fn of(repaired: &Repaired) -> Self {
        let quarantined = repaired.quarantined.iter().cloned();
        Self {
            recovered: repaired.recovered,
            quarantined: quarantined
                .map(|overview| Overview::of(&repaired.vault, overview))
                .collect(),
            lost: repaired.lost.iter().map(Damaged::of).collect(),
            gaps: repaired
                .gaps
                .iter()
                .map(|(offset, len)| Gap {
                    offset: *offset,
                    len: *len,
                })
                .collect(),
        }
    }
}
