//! Several documents of one `run`: each for itself, or all of them in one commit.

use std::collections::{BTreeMap, HashSet};

use connector_vault::{Action, ActionType, Done, Options, Ran, TokenInfo, WarningCode};
use connector_vault_store::{Error, FileVault};
use serde::Serialize;

use super::documents::Document;
use super::{CommandTester, Runner, failure, parse};
use crate::cli::RunArgs;
use crate::command::Context;
use crate::failure::{Failure, Result};
use crate::report;
use crate::unlock;

pub(super) fn run(
    documents: Vec<Document>,
    args: &RunArgs,
    options: Options,
    tester: Option<CommandTester>,
    context: &Context,
) -> Result<()> {
    if options.if_version.is_some() || options.request_id.is_some() {
        return Err(Failure::usage(
            "--if-version and --request-id are for one action, and there are several documents",
        ));
    }
    let entries = documents.into_iter().map(|document| {
        let action = parse(&document.text, &options);
        let action = action.map_err(|failure| failure.within(&document.place));
        (document.place, action)
    });
    let entries: Vec<_> = entries.collect();
    match args.atomic {
        true => all_or_none(entries, args, options, tester, context),
        false => each(entries, args, options, tester, context),
    }
}

/// A document's place, and its action or why it has none.
type Entry = (String, Result<Action>);

/// Carries out each document for itself: what fails does not stop the others.
fn each(
    entries: Vec<Entry>,
    args: &RunArgs,
    options: Options,
    tester: Option<CommandTester>,
    context: &Context,
) -> Result<()> {
    let mut infos = Vec::new();
    for (_, action) in &entries {
        // What is wrong with its tokens is found when they are expanded.
        infos.extend(
            action
                .iter()
                .flat_map(|action| action.tokens().unwrap_or_default()),
        );
    }
    let mut runner = Runner::new(args, options, tester, context)?;
    warn_of_unused(&runner, &infos, context);
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let (mut failed, total) = (0, entries.len());
    for (number, (place, action)) in (1..).zip(entries) {
        let ran = match action {
            Ok(action) => runner
                .run(&mut file, &action)
                .map_err(|error| failure(error).about(file.vault()).within(&place)),
            Err(failure) => Err(failure),
        };
        failed += usize::from(ran.is_err());
        tell(number, ran.map(without_unused), context)?;
    }
    let failure = Failure::new(
        "actions_failed",
        format!("{failed} of {total} documents failed"),
    );
    match (failed, args.plan) {
        (0, _) => Ok(()),
        (_, true) => Err(failure),
        (_, false) => {
            Err(failure
                .hint("the others were carried out; --atomic carries out all of them or none"))
        }
    }
}

/// Carries out all documents in one commit, or none of them.
fn all_or_none(
    entries: Vec<Entry>,
    args: &RunArgs,
    options: Options,
    tester: Option<CommandTester>,
    context: &Context,
) -> Result<()> {
    let (mut places, mut actions, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for (place, action) in entries {
        match action {
            Ok(action) => {
                places.push(Part {
                    place,
                    is_batch: action.action_type() == ActionType::Batch,
                    actions: action.count(),
                });
                actions.push(action);
            }
            Err(failure) => failures.push(failure),
        }
    }
    let mut failures = failures.into_iter();
    if let Some(first) = failures.next() {
        return Err(first.and(failures));
    }
    let batch = Action::batch(actions)?;
    let mut runner = Runner::new(args, options, tester, context)?;
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let ran = runner
        .run(&mut file, &batch)
        .map_err(|error| of_part(error, &places, &file))?;
    for (number, ran) in (1..).zip(parted(ran, &places)) {
        tell(number, Ok(ran), context)?;
    }
    Ok(())
}

/// A document among the actions of one commit.
struct Part {
    place: String,
    is_batch: bool,
    /// How many actions it has.
    actions: usize,
}

/// Why the commit was not made, told of the document with the action that failed.
fn of_part(error: Error, parts: &[Part], file: &FileVault) -> Failure {
    let number = match &error {
        Error::Core(error) => error.place().and_then(|place| place.action),
        _ => None,
    };
    let mut failure = failure(error).about(file.vault());
    let Some(number) = number else {
        return failure;
    };
    // The core counts the actions of all documents through.
    let led = format!("action {number} of ActionList: ");
    let mut within = number;
    for part in parts {
        if within > part.actions {
            within -= part.actions;
            continue;
        }
        if let Some(rest) = failure.message.strip_prefix(&led) {
            failure.message = match part.is_batch {
                true => format!("action {within} of ActionList: {rest}"),
                false => rest.to_owned(),
            };
        }
        return failure.within(&part.place);
    }
    failure
}

/// What became of each document, by what became of all actions.
fn parted(ran: Ran, parts: &[Part]) -> Vec<Ran> {
    let Ran::Batch { outcomes, .. } = ran else {
        return vec![ran];
    };
    let mut outcomes = outcomes.into_iter();
    let ran = parts.iter().filter_map(|part| {
        if !part.is_batch {
            return outcomes.next().map(Ran::One);
        }
        let outcomes: Vec<_> = outcomes.by_ref().take(part.actions).collect();
        let mut outputs = BTreeMap::new();
        for done in &outcomes {
            match done {
                Done::Changed(outcome) => outputs.extend(outcome.outputs.clone()),
                Done::Tested(outcome) => outputs.extend(outcome.outputs.clone()),
                _ => {}
            }
        }
        Some(Ran::Batch { outcomes, outputs })
    });
    ran.collect()
}

/// Tells what became of a document, or why nothing did: in JSON on one line.
fn tell(number: usize, ran: Result<Ran>, context: &Context) -> Result<()> {
    #[derive(Serialize)]
    struct Failed<'a> {
        error: &'a Failure,
    }
    let output = context.output;
    match ran {
        Ok(ran) => {
            output.result(&ran, || format!("{number}. {}", report::ran(&ran)))?;
            report::warnings_of(&ran, output);
        }
        Err(failure) => {
            output.result(&Failed { error: &failure }, || format!("{number}. Failed"))?;
            if !output.json {
                output.failure(&failure);
            }
        }
    }
    Ok(())
}

/// Warns of values that no token of any document uses. Each document for itself uses some of them only.
fn warn_of_unused(runner: &Runner, infos: &[TokenInfo], context: &Context) {
    let keys = infos
        .iter()
        .flat_map(|info| [info.key.as_str(), info.name.as_str()]);
    let known: HashSet<&str> = keys.collect();
    for key in runner.tokens.keys() {
        // A parameter may hold a token, so that the key is not known yet.
        let name = key.split('(').next().unwrap_or_default();
        if !known.contains(key.as_str()) && !known.contains(name) {
            let message = format!("no token of any document uses the value given for {name:?}");
            context
                .output
                .warn(WarningCode::TokenUnused.as_str(), &message);
        }
    }
}

/// Without the warning that [`warn_of_unused`] gives for all of them.
fn without_unused(mut ran: Ran) -> Ran {
    let done = match &mut ran {
        Ran::One(done) => std::slice::from_mut(done),
        Ran::Batch { outcomes, .. } => outcomes.as_mut_slice(),
        _ => &mut [],
    };
    for done in done {
        let warnings = match done {
            Done::Changed(outcome) => &mut outcome.warnings,
            Done::Tested(outcome) => &mut outcome.warnings,
            _ => continue,
        };
        warnings.retain(|warning| warning.code != WarningCode::TokenUnused);
    }
    ran
}
