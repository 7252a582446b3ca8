//! The outcome of a request: names, versions and warnings, never a value (docs/action.md
//! section 7).

use serde::{Deserialize, Serialize};

use crate::action::{Source, Warning};
use crate::connector::{Secret, Version};

/// What a request did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The connector's properties are those of an earlier version.
    Restored,
}

/// What happened to one property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// It has the value that it had, or was not there and is not.
    Unchanged,
}

impl ChangeKind {
    pub(crate) fn between(before: Option<&Secret>, after: Option<&Secret>) -> Self {
        match (before, after) {
            (None, Some(_)) => Self::Added,
            (Some(_), None) => Self::Removed,
            (Some(before), Some(after)) if before != after => Self::Changed,
            _ => Self::Unchanged,
        }
    }
}
