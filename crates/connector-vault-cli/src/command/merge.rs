//! `merge`: what another copy of the vault changed, taken over or only planned.

use std::fmt::Write as _;

use connector_vault::{
    Code, ConflictKind, Merge, MergeConflict, MergeOptions, Op, Outcome, Plan, Resolve, Stranger,
};
use connector_vault_store::FileStore;
use serde_json::{Value, json};

use super::Context;
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
    let merged = file.change_planned(|vault, host| {
        let merge = vault.plan_merge(&theirs, options, &host.now)?;
        found = Found::of(&merge);
        merge.into_plans()
    });
    match merged {
        Ok(outcomes) => {
            let status = if outcomes.is_empty() {
                "unchanged"
            } else {
                "merged"
            };
            let result = found.json(status, &outcomes);
            output.result(&result, || {
                let mut out = found.text();
                for outcome in &outcomes {
                    out.push_str(&report::outcome(outcome, Origin::Command));
                }
                match outcomes.is_empty() {
                    true => out + "Nothing to take over\n",
                    false => out,
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
    let refused = merge.into_plans().err().map(Failure::from);
    let status = match refused.is_none() && outcomes.is_empty() {
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
        None if outcomes.is_empty() => text + "Nothing to take over\n",
        None => text,
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

/// What a merge met, resolved or not.
#[derive(Default)]
struct Found {
    conflicts: Vec<MergeConflict>,
    strangers: Vec<Stranger>,
}

impl Found {
    fn of(merge: &Merge) -> Self {
        Self {
            conflicts: merge.conflicts.clone(),
            strangers: merge.strangers.clone(),
        }
    }

    fn json(&self, status: &str, outcomes: &[Outcome]) -> Value {
        json!({
            "status": status,
            "conflicts": self.conflicts,
            "strangers": self.strangers,
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
                ConflictKind::Identity => "both changed its name or type".to_owned(),
                ConflictKind::Meta => "both changed its meta".to_owned(),
                ConflictKind::Group => "both moved it".to_owned(),
                ConflictKind::DeletedInOurs => "ours deleted it, theirs changed it".to_owned(),
                ConflictKind::DeletedInTheirs => "theirs deleted it, ours changed it".to_owned(),
                _ => "both changed it".to_owned(),
            };
            let _ = writeln!(out, "{}", styled(YELLOW, &format!("! {id}: {what}")));
        }
        for stranger in &self.strangers {
            let line =
                format!("! the grant {stranger} changed the other copy and may not do that here");
            let _ = writeln!(out, "{}", styled(YELLOW, &line));
        }
        out
    }
}
