//! Outcomes and plans for people: what changed, like a diff, without a value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use connector_vault::{
    Change, ChangeKind, Done, FalseVersion, Outcome, Ran, Source, Status, TestOutcome, Warning,
};

use crate::output::{BOLD, DIM, GREEN, Output, RED, YELLOW, styled};
use crate::terminal::printable;

/// What stands in place of a value.
pub(crate) const MASK: &str = "******";

/// What became of an action, or would.
pub(crate) fn ran(ran: &Ran) -> String {
    match ran {
        Ran::Batch { outcomes, .. } => {
            let mut out = String::new();
            for (number, done) in (1..).zip(outcomes) {
                let _ = write!(out, "{number}. {}", self::done(done));
            }
            match outcomes.is_empty() {
                true => "The batch is empty: nothing was done\n".to_owned(),
                false => out,
            }
        }
        Ran::One(done) => self::done(done),
        _ => String::new(),
    }
}

fn done(done: &Done) -> String {
    match done {
        Done::Changed(change) => outcome(change, Origin::Action),
        Done::Tested(test) => tested(test),
        _ => "Skipped: the action is marked as deleted\n".to_owned(),
    }
}

/// Whether a change comes from an action, which has a grid and a JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Action,
    Command,
}

/// The outcome of a change, or what it would be.
pub(crate) fn outcome(outcome: &Outcome, origin: Origin) -> String {
    let mut out = format!("{}\n", styled(BOLD, &head(outcome)));
    for change in &outcome.changes {
        let _ = writeln!(out, "{}", line(change, origin));
    }
    names_of_tokens(&mut out, &outcome.tokens);
    outputs(&mut out, &outcome.outputs);
    if outcome.replayed {
        let text = "  carried out before: this is what the request did then";
        let _ = writeln!(out, "{}", styled(DIM, text));
    }
    out
}

fn tested(test: &TestOutcome) -> String {
    let (id, version) = (printable(&test.id), test.version);
    let result = match test.success {
        true => styled(GREEN, "works"),
        false => styled(RED, &format!("does not work: {}", printable(&test.message))),
    };
    let mut out = format!(
        "{} {result}\n",
        styled(BOLD, &format!("Tested {id}, version {version}:"))
    );
    names_of_tokens(&mut out, &test.tokens);
    outputs(&mut out, &test.outputs);
    out
}

fn names_of_tokens(out: &mut String, tokens: &[String]) {
    if !tokens.is_empty() {
        let names: Vec<_> = tokens.iter().map(|name| printable(name)).collect();
        let text = format!("  tokens: {}", names.join(", "));
        let _ = writeln!(out, "{}", styled(DIM, &text));
    }
}

fn outputs(out: &mut String, outputs: &BTreeMap<String, String>) {
    for (name, value) in outputs {
        let text = format!("  sets [{}] = {}", printable(name), printable(value));
        let _ = writeln!(out, "{}", styled(DIM, &text));
    }
}

/// What an import did, or would do.
pub(crate) fn import(outcomes: &[Outcome], skipped: usize) -> String {
    let is_plan = outcomes
        .iter()
        .any(|outcome| outcome.status == Status::Planned);
    let number = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
    let created = number(|outcome| outcome.version_before.is_none());
    let unchanged = number(|outcome| outcome.status == Status::Unchanged);
    let updated = outcomes.len() - created - unchanged;
    let mut parts = Vec::new();
    if created > 0 || (updated, unchanged, skipped) == (0, 0, 0) {
        let word = if is_plan { "imports" } else { "imported" };
        parts.push(format!("{word} {}", count(created, "connector")));
    }
    let words = match is_plan {
        true => ["updates", "leaves unchanged", "skips"],
        false => ["updated", "left unchanged", "skipped"],
    };
    for (number, word) in [updated, unchanged, skipped].into_iter().zip(words) {
        if number > 0 {
            parts.push(format!("{word} {}", count(number, "connector")));
        }
    }
    let text = parts.join(", ");
    match is_plan {
        false => text[..1].to_uppercase() + &text[1..],
        true => {
            let mut out = format!("Plan: {text}; nothing is written\n");
            for outcome in outcomes {
                let _ = writeln!(out, "{}", styled(BOLD, &printable(&outcome.id)));
                for change in &outcome.changes {
                    let _ = writeln!(out, "{}", line(change, Origin::Command));
                }
            }
            out
        }
    }
}

/// A number of things: `1 commit`, `2 commits`.
pub(crate) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Warns of versions that a new snapshot left out, and says who made them.
pub(crate) fn left_out(versions: &[FalseVersion], output: Output) {
    for version in versions {
        let message = format!("{}; it was left out", version.error);
        output.warn(version.error.code().as_str(), &message);
    }
}

/// Warnings of an outcome, which in JSON stand in the outcome itself.
pub(crate) fn warnings(outcome: &Outcome, output: Output) {
    warn(&outcome.warnings, output);
}

/// The same, of all that an action did.
pub(crate) fn warnings_of(ran: &Ran, output: Output) {
    for done in ran.all() {
        match done {
            Done::Changed(outcome) => warn(&outcome.warnings, output),
            Done::Tested(outcome) => warn(&outcome.warnings, output),
            _ => {}
        }
    }
}

fn warn(warnings: &[Warning], output: Output) {
    if !output.json {
        for warning in warnings {
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

fn head(outcome: &Outcome) -> String {
    let id = printable(&outcome.id);
    let after = outcome.version_after;
    let versions = match outcome.version_before {
        Some(before) if before != after => format!("version {before} -> {after}"),
        _ => format!("version {after}"),
    };
    match (outcome.status, outcome.version_before) {
        (Status::Planned, None) => "Plan: creates a connector; nothing is written".to_owned(),
        // An update that changes nothing is not planned, but unchanged.
        (Status::Planned, Some(_)) if outcome.changes.is_empty() => {
            format!("Plan: deletes {id}; nothing is written")
        }
        (Status::Planned, Some(_)) => format!("Plan: updates {id}, {versions}; nothing is written"),
        (Status::Unchanged, _) => format!("Unchanged {id}, {versions}: nothing differs"),
        (Status::Created, _) => format!("Created {id}, {versions}"),
        (Status::Deleted, _) => format!("Deleted {id}, {versions}"),
        (Status::Restored, _) => format!("Restored {id}, {versions}"),
        (Status::Described, _) => format!("Described {id}, {versions}"),
        (Status::Moved, _) => format!("Moved {id}, {versions}"),
        _ => format!("Updated {id}, {versions}"),
    }
}

/// Only an action has a grid and a JSON.
pub(crate) fn line(change: &Change, origin: Origin) -> String {
    let name = printable(&change.name);
    let source = match (change.source, change.overridden) {
        _ if origin == Origin::Command => "",
        (Some(Source::Json), true) => "  (json, overrides grid)",
        (Some(Source::Json), false) => "  (json)",
        (Some(_), _) => "  (grid)",
        (None, _) => "",
    };
    let (style, text) = match change.change {
        ChangeKind::Added => (GREEN, format!("+ {name} = {MASK}{source}")),
        ChangeKind::Changed => (YELLOW, format!("~ {name}  {MASK} -> {MASK}{source}")),
        // Whoever cannot read does not know whether there was another value.
        ChangeKind::Written => (YELLOW, format!("~ {name} = {MASK}{source}")),
        ChangeKind::Removed => (RED, format!("- {name}{source}")),
        _ => (DIM, format!("  {name} unchanged")),
    };
    styled(style, &text)
}
