//! What crosses as JSON. TypeScript's declarations are made of these types, so that they cannot drift.

use std::collections::BTreeMap;

use connector_vault::{
    self as core, ChangeKind, Code, CommitInfo, ConflictKind, ConnectorId, Continuity, Cost,
    DamagedRecord, Error, GrantInfo as CoreGrant, MergeConflict, Op, OpenReport,
    Outcome as CoreOutcome, Overview as CoreOverview, PropertyName, Repaired, Role, SignatureState,
    Source, Status, Timestamp, TokenRef, TornTail as CoreTorn, Vault, WarningCode,
};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tsify::Tsify;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

use crate::error::Result;

#[wasm_bindgen(typescript_custom_section)]
const DECLARATIONS: &str = WORDS;

/// The words of enumerations; a test compares them with the core's.
#[allow(dead_code, reason = "read by the attribute above and by the test")]
const WORDS: &str = r#"
/** How a version of a connector came to be. */
export type Op = "create" | "update" | "delete" | "restore";
/** What a request did, or, `planned`, would do. */
export type Status = "updated" | "unchanged" | "planned" | "created" | "deleted" | "restored" | "tested" | "skipped";
/** What happened to a property. */
export type ChangeKind = "added" | "changed" | "removed" | "unchanged";
/** Where a property's value comes from: `Properties` or `PropertiesJson`. */
export type Source = "grid" | "json";
/** What an outcome warns of: docs/action.md section 9. */
export type WarningCode = "byte_order_mark" | "repeated_name" | "token_default_used" | "token_unused" | "value_emptied" | "surrounding_space" | "nested_names_dropped" | "similar_name" | "token_name_in_brackets";
/** What became of an action that is marked as deleted in its batch. */
export interface SkippedOutcome { readonly status: "skipped" }
/** What became of one action of a batch, or would. */
export type ActionOutcome = Outcome | TestOutcome | SkippedOutcome;
/** What became of a batch, or would: one outcome for each action, and all tokens that they set. */
export interface BatchOutcome { readonly outcomes: readonly ActionOutcome[]; readonly outputs: Readonly<Record<string, string>> }
/** What became of an action's document, or would. */
export type Ran = Outcome | TestOutcome | BatchOutcome;
/** What a grant permits. Each role may do what those before it may: list, read values, update, everything. */
export type Role = "viewer" | "reader" | "updater" | "owner";
/** How a vault relates to the newest head that this client had seen. */
export type Continuity = "first_seen" | "continues" | "unverifiable";
/** Whether a commit's signature verifies, and its author's role permits it. */
export type SignatureState = "valid" | "invalid";
"#;

/// JSON text of something that holds no secret.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what crosses has string keys and no failing parts")
}

/// JSON text that holds values: the copy on this side is wiped.
pub(crate) fn secret_json(value: &impl Serialize) -> Result<JsValue> {
    let text = serde_json::to_string(value)
        .map_err(|_| Error::new(Code::Internal, "a connector cannot be written as JSON"))?;
    Ok(JsValue::from_str(&Zeroizing::new(text)))
}

/// What a request did, or would do. Never a value.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    #[tsify(type = "Status")]
    status: Status,
    /// The connector's id.
    id: String,
    /// The version before; `null` if the connector was created.
    #[tsify(type = "number | null")]
    version_before: Option<u64>,
    /// The version after; that of the tombstone if the connector was deleted.
    version_after: u64,
    /// The properties that the request names, in its order; after a restore those that differ.
    changes: Vec<Change>,
    /// What somebody should look at.
    warnings: Vec<Warning>,
    /// The names of the tokens that were resolved, each once.
    tokens: Vec<String>,
    /// The tokens that the action sets, with their values: the new connector's id.
    #[tsify(type = "Record<string, string>")]
    outputs: BTreeMap<String, String>,
    /// Whether the request had been carried out before: this is what it did then.
    replayed: bool,
}

/// What a test of a connector found.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestOutcome {
    #[tsify(type = "\"tested\"")]
    status: Status,
    /// The connector's id.
    id: String,
    /// The version that was tested; of a batch perhaps one that it writes itself.
    version: u64,
    /// Whether the connector works.
    success: bool,
    /// Why it does not work; empty if it works.
    message: String,
    /// What somebody should look at.
    warnings: Vec<Warning>,
    /// The names of the tokens that were resolved, each once.
    tokens: Vec<String>,
    /// The tokens that the action sets, with their values.
    #[tsify(type = "Record<string, string>")]
    outputs: BTreeMap<String, String>,
}

/// What became of an action's document. Its declaration stands among the words above.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Ran {
    One(Done),
    Batch {
        outcomes: Vec<Done>,
        outputs: BTreeMap<String, String>,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Done {
    Changed(Outcome),
    Tested(TestOutcome),
    Skipped { status: Status },
}

impl Ran {
    pub(crate) fn of(ran: &core::Ran) -> Self {
        match ran {
            core::Ran::Batch { outcomes, outputs } => Self::Batch {
                outcomes: outcomes.iter().map(Done::of).collect(),
                outputs: outputs.clone(),
            },
            core::Ran::One(done) => Self::One(Done::of(done)),
            // What a later core may add.
            _ => Self::One(Done::Skipped {
                status: Status::Skipped,
            }),
        }
    }
}

impl Done {
    fn of(done: &core::Done) -> Self {
        match done {
            core::Done::Changed(outcome) => Self::Changed(Outcome::of(outcome)),
            core::Done::Tested(outcome) => Self::Tested(TestOutcome::of(outcome)),
            _ => Self::Skipped {
                status: Status::Skipped,
            },
        }
    }
}

impl TestOutcome {
    fn of(outcome: &core::TestOutcome) -> Self {
        Self {
            status: outcome.status,
            id: outcome.id.clone(),
            version: outcome.version.get(),
            success: outcome.success,
            message: outcome.message.clone(),
            warnings: outcome.warnings.iter().map(Warning::of).collect(),
            tokens: outcome.tokens.clone(),
            outputs: outcome.outputs.clone(),
        }
    }
}

/// What happened to one property.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    name: String,
    #[tsify(type = "ChangeKind")]
    change: ChangeKind,
    /// Where its value comes from; `null` for a restore.
    #[tsify(type = "Source | null")]
    source: Option<Source>,
    /// Whether the JSON overrode the grid.
    overridden: bool,
}

/// A warning: a stable code, and a message that holds no value.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Warning {
    #[tsify(type = "WarningCode")]
    code: WarningCode,
    message: String,
}

impl Outcome {
    pub(crate) fn of(outcome: &CoreOutcome) -> Self {
        Self {
            status: outcome.status,
            id: outcome.id.clone(),
            version_before: outcome.version_before.map(|version| version.get()),
            version_after: outcome.version_after.get(),
            changes: outcome.changes.iter().map(Change::of).collect(),
            warnings: outcome.warnings.iter().map(Warning::of).collect(),
            tokens: outcome.tokens.clone(),
            outputs: outcome.outputs.clone(),
            replayed: outcome.replayed,
        }
    }
}

impl Change {
    pub(crate) fn of(change: &core::Change) -> Self {
        Self {
            name: change.name.clone(),
            change: change.change,
            source: change.source,
            overridden: change.overridden,
        }
    }
}

impl Warning {
    fn of(warning: &core::Warning) -> Self {
        Self {
            code: warning.code,
            message: warning.message.clone(),
        }
    }
}

/// A version of a connector, without its values: what every role may see.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Overview {
    #[tsify(type = "string")]
    id: ConnectorId,
    name: String,
    r#type: String,
    version: u64,
    #[tsify(type = "Op")]
    op: Op,
    /// When this version was made, by its author's clock: RFC 3339.
    #[tsify(type = "string")]
    at: Timestamp,
    /// The label of the grant that made it, or its id if the label is not known.
    author: String,
    /// The names of its properties, in order.
    #[tsify(type = "string[]")]
    properties: Vec<PropertyName>,
    /// The names that this version added, changed or removed.
    #[tsify(type = "string[]")]
    changed: Vec<PropertyName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    note: Option<String>,
    /// The idempotency key of the request that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    request_id: Option<String>,
    /// Which version this is, also after a compaction and in copies.
    record_id: String,
}

impl Overview {
    pub(crate) fn of(vault: &Vault, overview: CoreOverview) -> Self {
        let author = overview.author;
        let label = vault.label_of(author).map(str::to_owned);
        Self::with_author(overview, label.unwrap_or_else(|| author.to_string()))
    }

    fn with_author(overview: CoreOverview, author: String) -> Self {
        Self {
            id: overview.id,
            name: overview.name,
            r#type: overview.type_name,
            version: overview.version.get(),
            op: overview.op,
            at: overview.at,
            author,
            properties: overview.properties,
            changed: overview.changed,
            note: overview.note,
            request_id: overview.request_id,
            record_id: overview.record_id.to_string(),
        }
    }
}

/// A connector with its values.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connector<'a> {
    id: &'a str,
    name: &'a str,
    r#type: &'a str,
    version: u64,
    /// When this version was made: RFC 3339.
    updated_at: &'a str,
    #[serde(serialize_with = "values")]
    #[tsify(type = "Record<string, string>")]
    properties: &'a core::Properties,
}

impl<'a> Connector<'a> {
    pub(crate) fn of(connector: &'a core::Connector) -> Self {
        Self {
            id: connector.id.as_str(),
            name: &connector.name,
            r#type: &connector.type_name,
            version: connector.version.get(),
            updated_at: connector.updated_at.as_str(),
            properties: &connector.properties,
        }
    }
}

/// A connector as it stands in the document that `cvault export` writes and `cvault import` reads.
#[derive(Serialize, Tsify)]
pub(crate) struct ExportedConnector<'a> {
    id: &'a str,
    name: &'a str,
    r#type: &'a str,
    version: u64,
    updated_at: &'a str,
    #[serde(serialize_with = "values")]
    #[tsify(type = "Record<string, string>")]
    properties: &'a core::Properties,
}

impl<'a> ExportedConnector<'a> {
    pub(crate) fn of(connector: &'a core::Connector) -> Self {
        Self {
            id: connector.id.as_str(),
            name: &connector.name,
            r#type: &connector.type_name,
            version: connector.version.get(),
            updated_at: connector.updated_at.as_str(),
            properties: &connector.properties,
        }
    }
}

fn values<S: Serializer>(
    properties: &core::Properties,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(properties.len()))?;
    for (name, value) in properties.iter() {
        map.serialize_entry(name, value.expose())?;
    }
    map.end()
}

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

/// A token that an action needs.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenInfo<'a> {
    /// `Namespace:Name` or `Name`.
    name: &'a str,
    /// The key that a map answers under: with the parameters, unless these hold tokens themselves.
    key: &'a str,
    /// Whether the action fails without a value.
    required: bool,
}

impl<'a> TokenInfo<'a> {
    pub(crate) fn of(info: &'a core::TokenInfo) -> Self {
        Self {
            name: &info.name,
            key: &info.key,
            required: info.required,
        }
    }
}

/// Where a text holds a token.
#[derive(Serialize, Tsify)]
pub(crate) struct TokenSpan<'a> {
    /// Where its opening bracket is, in UTF-16 units.
    from: usize,
    /// Where it ends, behind its closing bracket.
    to: usize,
    /// `Namespace:Name` or `Name`.
    name: &'a str,
}

impl<'a> TokenSpan<'a> {
    /// In the order of the text, which is counted once.
    pub(crate) fn all_of(text: &str, spans: &'a [core::TokenSpan]) -> Vec<Self> {
        let (mut at, mut units) = (0, 0);
        let mut units_until = |end: usize| {
            units += text[at..end].encode_utf16().count();
            at = end;
            units
        };
        spans
            .iter()
            .map(|span| Self {
                from: units_until(span.range.start),
                to: units_until(span.range.end),
                name: &span.name,
            })
            .collect()
    }
}

/// A token whose value is wanted, its parameters expanded.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenWanted {
    /// What stands before the colon.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    namespace: Option<String>,
    name: String,
    /// Keys and values of the parameters, in the order in which they are written.
    params: Vec<(String, String)>,
    /// The keys under which a map holds the token, the one with parameters first.
    keys: Vec<String>,
}

impl TokenWanted {
    pub(crate) fn of(token: &TokenRef<'_>) -> Self {
        let mut keys = Vec::new();
        token.lookup(|key| {
            keys.push(key.to_owned());
            None::<()>
        });
        let params = token.params();
        Self {
            namespace: token.namespace().map(str::to_owned),
            name: token.name().to_owned(),
            params: params
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            keys,
        }
    }
}

impl TokenWanted {
    /// The key that tells it from other tokens.
    pub(crate) fn key(&self) -> &str {
        self.keys.first().map_or(&self.name, String::as_str)
    }
}

/// What an action asks for next.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Wanted<'a> {
    /// The value of a token.
    Token(TokenWanted),
    /// Whether a connector works.
    Test(Connector<'a>),
}

/// What trying a passphrase costs: Argon2id version 1.3 (RFC 9106 section 3.1).
#[derive(Serialize, serde::Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KdfCost {
    /// Memory in KiB: 19,456 to 262,144. Default 65,536.
    memory_kib: u32,
    /// Passes over the memory: 1 to 16. Default 3.
    passes: u32,
    /// Lanes: 1 to 4. Default 1.
    lanes: u32,
}

impl KdfCost {
    pub(crate) fn of(cost: Cost) -> Self {
        Self {
            memory_kib: cost.memory_kib,
            passes: cost.passes,
            lanes: cost.lanes,
        }
    }

    pub(crate) fn cost(&self) -> Cost {
        Cost {
            memory_kib: self.memory_kib,
            passes: self.passes,
            lanes: self.lanes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::{self, Deserialize, Deserializer, Visitor};

    /// Learns the words of an enumeration from its own `Deserialize`, so that none can be forgotten.
    struct Words<'a>(&'a mut Vec<&'static str>);

    impl<'de> Deserializer<'de> for Words<'_> {
        type Error = de::value::Error;

        fn deserialize_enum<V: Visitor<'de>>(
            self,
            _name: &'static str,
            words: &'static [&'static str],
            _visitor: V,
        ) -> std::result::Result<V::Value, Self::Error> {
            self.0.extend(words);
            Err(de::Error::custom("only the words are wanted"))
        }

        fn deserialize_any<V: Visitor<'de>>(
            self,
            _visitor: V,
        ) -> std::result::Result<V::Value, Self::Error> {
            Err(de::Error::custom("no enumeration"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
        }
    }

    fn check<'de, T: Deserialize<'de>>(name: &str) {
        let mut words = Vec::new();
        let _ = T::deserialize(Words(&mut words));
        assert!(!words.is_empty(), "{name} has no words");
        let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        let line = format!("export type {name} = {};", quoted.join(" | "));
        assert!(WORDS.contains(&line), "not in WORDS: {line}");
    }

    #[test]
    fn typescript_has_the_words_of_the_core() {
        check::<Op>("Op");
        check::<Status>("Status");
        check::<ChangeKind>("ChangeKind");
        check::<Source>("Source");
        check::<WarningCode>("WarningCode");
        check::<Role>("Role");
        check::<Continuity>("Continuity");
        check::<SignatureState>("SignatureState");
    }
}
