//! `merge`: what another copy of the vault changed, taken over or only planned.

use std::fmt::Write as _;

use connector_vault::{
    Code, ConflictKind, LastChange, Merge, MergeConflict, MergeOptions, NotTaken, Op, Outcome,
    Plan, Resolve, Stranger, Winner,
};
use connector_vault_store::FileStore;
use serde_json::{Value, json};

use super::Context;
use super::read::moment;
use crate::cli::{MergeArgs, ResolveArg};
use crate::failure::{Failure, Result};
use crate::input::require_path;
use crate::output::{BOLD, Output, YELLOW, styled};
use crate::report::{self, Origin};
use crate::terminal::printable;
use crate::unlock;

pub(super) fn merge(args: &MergeArgs, context: &Context) -> Result<()> {
    let output = context.output;
    require_path(&args.theirs, "THEIRS")?;
    let theirs = FileStore::new(&args.theirs)?.read()?;
    let options = MergeOptions {
        resolve: args.resolve.map(|resolve| match resolve {
            ResolveArg::Ours => Resolve::Ours,
            ResolveArg::Theirs => Resolve::Theirs,
            ResolveArg::Newest => Resolve::Newest,
        }),
        accept_strangers: args.accept_strangers,
    };
    let mut file = unlock::open(&args.vault, &context.input, output)?;
    let theirs = file
        .vault()
        .open_copy(theirs)
        .map_err(|error| Failure::from(error).within("the other copy"))?;
    unlock::tell_report(&theirs, output);
    if args.plan {
        let merge = file.plan_merge(&theirs, options)?;
        return plan(merge, output);
    }
    let mut found = Found::default();
    let merged = file.write(|vault, host| {
        let merge = vault.plan_merge(&theirs, options, &host.now)?;
        found = Found::of(&merge);
        vault.prepare_merge(merge, host)
    });
    match merged {
        Ok(outcomes) => {
            let status = match found.is_unchanged {
                true => "unchanged",
                false => "merged",
            };
            let result = found.json(status, &outcomes);
            output.result(&result, || {
                let mut out = found.text();
                for outcome in &outcomes {
                    out.push_str(&report::outcome(outcome, Origin::Command));
                }
                match (outcomes.is_empty(), found.is_unchanged) {
                    (true, true) => out + NOTHING,
                    (true, false) => out + NO_CHANGE,
                    (false, _) => out,
                }
            })
        }
        Err(error) => {
            let refused = matches!(error.code(), Code::MergeConflict | Code::MergeStranger);
            if refused && output.json {
                output.document(&found.json("refused", &[]))?;
            } else if refused {
                output.note(found.text().trim_end());
            }
            Err(error.into())
        }
    }
}

/// Shows all that a merge would do, and what stands against it.
fn plan(merge: Merge, output: Output) -> Result<()> {
    let found = Found::of(&merge);
    let outcomes: Vec<Outcome> = merge.plans().iter().map(Plan::outcome).collect();
    let mut text = found.text();
    for (plan, outcome) in merge.plans().iter().zip(&outcomes) {
        text.push_str(&plan_text(plan, outcome));
    }
    let refused = merge.check().err().map(Failure::from);
    let status = match refused.is_none() && found.is_unchanged {
        true => "unchanged",
        false => "planned",
    };
    output.result(&found.json(status, &outcomes), || match &refused {
        Some(failure) => {
            let hint = failure.hint.as_deref().unwrap_or_default();
            format!(
                "{text}It would be refused: {}; {hint}\n",
                printable(&failure.message)
            )
        }
        None if !outcomes.is_empty() => text,
        None if found.is_unchanged => text + NOTHING,
        None => text + NO_CHANGE,
    })
}

fn plan_text(plan: &Plan, outcome: &Outcome) -> String {
    let does = match plan.op() {
        Some(Op::Create) => "creates",
        Some(Op::Delete) => "deletes",
        Some(Op::Describe) => "describes",
        Some(Op::Move) => "moves",
        _ => "updates",
    };
    let id = printable(&outcome.id);
    let head = format!(
        "Plan: {does} {id}, version {}; nothing is written",
        outcome.version_after
    );
    let mut out = format!("{}\n", styled(BOLD, &head));
    for change in &outcome.changes {
        let _ = writeln!(out, "{}", report::line(change, Origin::Command));
    }
    out
}

/// Said where a merge finds no difference.
const NOTHING: &str = "Nothing to take over\n";
const NO_CHANGE: &str = "No connector changes; the other copy's commits count as seen\n";

/// What a merge met, resolved or not.
#[derive(Default)]
struct Found {
    /// Whether the other copy has nothing that this one lacks, or its commits would stay unknown.
    is_unchanged: bool,
    conflicts: Vec<MergeConflict>,
    strangers: Vec<Stranger>,
    not_taken: Vec<NotTaken>,
}

impl Found {
    fn of(merge: &Merge) -> Self {
        Self {
            conflicts: merge.conflicts.clone(),
            strangers: merge.strangers.clone(),
            not_taken: merge.not_taken.clone(),
            is_unchanged: merge.is_unchanged(),
        }
    }

    fn json(&self, status: &str, outcomes: &[Outcome]) -> Value {
        json!({
            "status": status,
            "conflicts": self.conflicts,
            "strangers": self.strangers,
            "not_taken": self.not_taken,
            "outcomes": outcomes,
        })
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for conflict in &self.conflicts {
            let id = printable(conflict.id.as_str());
            let what = match &conflict.kind {
                ConflictKind::Property(name) => {
                    format!("both changed {}", printable(name.as_str()))
                }
                ConflictKind::Identity => "name or type differ".to_owned(),
                ConflictKind::Meta => "both changed meta".to_owned(),
                ConflictKind::Group => "both moved it".to_owned(),
                ConflictKind::DeletedInOurs => "ours deleted it, theirs changed it".to_owned(),
                ConflictKind::DeletedInTheirs => "theirs deleted it, ours changed it".to_owned(),
                _ => "both changed it".to_owned(),
            };
            let MergeConflict {
                ours,
                theirs,
                winner,
                ..
            } = conflict;
            let stays = match winner {
                Some(Winner::Ours) => "ours stays",
                Some(Winner::Theirs) => "theirs wins",
                _ => "not resolved",
            };
            let change = |change: &LastChange| {
                format!("{} by {}", moment(&change.at), printable(&change.by))
            };
            let line = format!(
                "! {id}: {what} (ours {}, theirs {}): {stays}",
                change(ours),
                change(theirs)
            );
            let _ = writeln!(out, "{}", styled(YELLOW, &line));
        }
        for version in &self.not_taken {
            let id = version
                .id
                .as_ref()
                .map_or("an unknown connector", |id| id.as_str());
            let line = format!(
                "! {} version {} of the other copy is not taken: {}",
                printable(id),
                version.version,
                printable(version.error.message())
            );
            let _ = writeln!(out, "{}", styled(YELLOW, &line));
        }
        for stranger in &self.strangers {
            let line =
                format!("! the grant {stranger} changed the other copy and may not do that here");
            let _ = writeln!(out, "{}", styled(YELLOW, &line));
        }
        out
    }
}
