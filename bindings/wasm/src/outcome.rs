//! What became of actions and plans, as JSON.

use std::collections::BTreeMap;

use connector_vault::{
    self as core, ChangeKind, Outcome as CoreOutcome, Source, Status, WarningCode,
};
use serde::Serialize;
use tsify::Tsify;

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
