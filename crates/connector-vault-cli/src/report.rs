//! Outcomes and plans for people: what changed, like a diff, without a value.

use std::fmt::Write as _;

use connector_vault::{ActionType, Change, ChangeKind, DamagedRecord, Outcome, Source, Status};
use serde_json::{Value, json};

use crate::output::{BOLD, DIM, GREEN, Output, RED, YELLOW, styled};
use crate::terminal::printable;

/// What stands in place of a value.
pub(crate) const MASK: &str = "******";

/// The outcome of an action, or what it would be.
pub(crate) fn outcome(outcome: &Outcome, action: Option<ActionType>) -> String {
    let mut out = format!("{}\n", styled(BOLD, &head(outcome, action)));
    for change in &outcome.changes {
        let _ = writeln!(out, "{}", line(change, action.is_some()));
    }
    if !outcome.tokens.is_empty() {
        let names: Vec<_> = outcome.tokens.iter().map(|name| printable(name)).collect();
        let text = format!("  tokens: {}", names.join(", "));
        let _ = writeln!(out, "{}", styled(DIM, &text));
    }
    out
}

/// Records that a tolerant opening, or a repair, goes on without.
pub(crate) fn damaged_json(damaged: &[DamagedRecord]) -> Value {
    let damaged = damaged.iter();
    damaged
        .map(|record| {
            json!({"seq": record.seq, "offset": record.offset, "connector": record.connector})
        })
        .collect()
}

/// A number of things: `1 commit`, `2 commits`.
pub(crate) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Warnings of an outcome, which in JSON stand in the outcome itself.
pub(crate) fn warnings(outcome: &Outcome, output: Output) {
    if !output.json {
        for warning in &outcome.warnings {
            output.warn(warning.code.as_str(), &warning.message);
        }
    }
}

/// Warnings of several outcomes, each led by its connector.
pub(crate) fn warnings_of_all(outcomes: &[Outcome], output: Output) {
    if output.json {
        return;
    }
    for outcome in outcomes {
        for warning in &outcome.warnings {
            let message = format!("{}: {}", outcome.id, warning.message);
            output.warn(warning.code.as_str(), &message);
        }
    }
}

fn head(outcome: &Outcome, action: Option<ActionType>) -> String {
    let id = printable(&outcome.id);
    let after = outcome.version_after;
    let versions = match outcome.version_before {
        Some(before) if before != after => format!("version {before} -> {after}"),
        _ => format!("version {after}"),
    };
    match (outcome.status, action) {
        (Status::Planned, Some(ActionType::Add)) => {
            "Plan: creates a connector; nothing is written".to_owned()
        }
        (Status::Planned, Some(ActionType::Delete)) => {
            format!("Plan: deletes {id}; nothing is written")
        }
        (Status::Planned, _) => format!("Plan: updates {id}, {versions}; nothing is written"),
        (Status::Unchanged, _) => format!("Unchanged {id}, {versions}: nothing differs"),
        (Status::Created, _) => format!("Created {id}, {versions}"),
        (Status::Deleted, _) => format!("Deleted {id}, {versions}"),
        (Status::Restored, _) => format!("Restored {id}, {versions}"),
        _ => format!("Updated {id}, {versions}"),
    }
}

/// Only an action has a grid and a JSON.
pub(crate) fn line(change: &Change, of_action: bool) -> String {
    let name = printable(&change.name);
    let source = match (change.source, change.overridden) {
        _ if !of_action => "",
        (Some(Source::Json), true) => "  (json, overrides grid)",
        (Some(Source::Json), false) => "  (json)",
        (Some(_), _) => "  (grid)",
        (None, _) => "",
    };
    let (style, text) = match change.change {
        ChangeKind::Added => (GREEN, format!("+ {name} = {MASK}{source}")),
        ChangeKind::Changed => (YELLOW, format!("~ {name}  {MASK} -> {MASK}{source}")),
        ChangeKind::Removed => (RED, format!("- {name}{source}")),
        _ => (DIM, format!("  {name} unchanged")),
    };
    styled(style, &text)
}
