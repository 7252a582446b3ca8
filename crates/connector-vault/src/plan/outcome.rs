//! The outcome of a request: names, versions and warnings, never a value (docs/action.md
//! section 7).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::{Outputs, Source, Warning};
use crate::connector::Version;
use crate::secret::Secret;

/// What a change of one connector did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// What happened.
    pub status: Status,
    /// The connector's id.
    pub id: String,
    /// The version before; none if the connector was created.
    pub version_before: Option<Version>,
    /// The version after; that of the tombstone if the connector was deleted.
    pub version_after: Version,
    /// The properties that the request names, in its order; after a restore those that differ.
    pub changes: Vec<Change>,
    /// What somebody should look at.
    pub warnings: Vec<Warning>,
    /// The names of the tokens that were resolved, each once.
    pub tokens: Vec<String>,
    /// The tokens that the action sets, with their values: the new connector's id.
    pub outputs: BTreeMap<String, String>,
    /// Whether the request had been carried out before: this is what it did then.
    pub replayed: bool,
}

/// What a test of a connector found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TestOutcome {
    /// Always [`Status::Tested`].
    pub status: Status,
    /// The connector's id.
    pub id: String,
    /// The version that was tested; of a batch perhaps one that it writes itself.
    pub version: Version,
    /// Whether the connector works.
    pub success: bool,
    /// Why it does not work; empty if it works.
    pub message: String,
    /// What somebody should look at.
    pub warnings: Vec<Warning>,
    /// The names of the tokens that were resolved, each once.
    pub tokens: Vec<String>,
    /// The tokens that the action sets, with their values.
    pub outputs: BTreeMap<String, String>,
}

/// What became of one action, or would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Done {
    /// It changed a connector.
    Changed(Outcome),
    /// It tested a connector.
    Tested(TestOutcome),
    /// It is marked as deleted in its batch: nothing.
    #[serde(serialize_with = "skipped")]
    Skipped,
}

/// What became of a document: of its one action, or of those of a batch, in order.
///
/// As JSON it is the one outcome, or `{"outcomes": [..], "outputs": {..}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Ran {
    /// Of one action.
    One(Done),
    /// Of a batch.
    Batch {
        /// One for each of its actions.
        outcomes: Vec<Done>,
        /// All tokens that its actions set; of one that is set twice the last value.
        outputs: BTreeMap<String, String>,
    },
}

impl Ran {
    /// What became of each action: of one, or of those of a batch.
    #[must_use]
    pub fn all(&self) -> &[Done] {
        match self {
            Self::One(done) => std::slice::from_ref(done),
            Self::Batch { outcomes, .. } => outcomes,
        }
    }

    /// The changes of connectors, in order.
    pub fn changes(&self) -> impl Iterator<Item = &Outcome> {
        self.all().iter().filter_map(|done| match done {
            Done::Changed(outcome) => Some(outcome),
            Done::Tested(_) | Done::Skipped => None,
        })
    }

    /// The change of the one action; `None` of a batch, and of a test.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::One(Done::Changed(outcome)) => Some(outcome),
            _ => None,
        }
    }

    /// All tokens that were set.
    #[must_use]
    pub fn outputs(&self) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        match self {
            Self::One(done) => done.outputs().unwrap_or(&NONE),
            Self::Batch { outputs, .. } => outputs,
        }
    }
}

impl Done {
    fn outputs(&self) -> Option<&Outputs> {
        match self {
            Self::Changed(outcome) => Some(&outcome.outputs),
            Self::Tested(outcome) => Some(&outcome.outputs),
            Self::Skipped => None,
        }
    }
}

fn skipped<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap;

    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry("status", &Status::Skipped)?;
    map.end()
}

/// What happened.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The connector's properties changed.
    Updated,
    /// No property differs.
    Unchanged,
    /// Nothing was written: this is what would change.
    Planned,
    /// The connector was created.
    Created,
    /// The connector was deleted.
    Deleted,
    /// The connector's properties are those of an earlier version; it was there, or was deleted.
    Restored,
    /// The connector has another name, type or meta.
    Described,
    /// The connector is in another group.
    Moved,
    /// The connector was tested.
    Tested,
    /// The action is marked as deleted in its batch.
    Skipped,
}

/// What happened to one property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The property's name.
    pub name: String,
    /// What happened to it.
    pub change: ChangeKind,
    /// Where its value comes from; none for a restore.
    pub source: Option<Source>,
    /// Whether the JSON overrode the grid.
    pub overridden: bool,
}

/// What happened to one property.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It has another value.
    Changed,
    /// It is gone.
    Removed,
    /// It has this value now. Nobody knows whether it had another one: the author cannot read it.
    Written,
    /// It has the value that it had, or was not there and is not.
    Unchanged,
}

impl ChangeKind {
    const ALL: [Self; 5] = [
        Self::Added,
        Self::Changed,
        Self::Removed,
        Self::Written,
        Self::Unchanged,
    ];

    /// The word that stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Written => "written",
            Self::Unchanged => "unchanged",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    pub(crate) fn between(before: Option<&Secret>, after: Option<&Secret>) -> Self {
        match (before, after) {
            (None, Some(_)) => Self::Added,
            (Some(_), None) => Self::Removed,
            (Some(before), Some(after)) if before != after => Self::Changed,
            _ => Self::Unchanged,
        }
    }
}
