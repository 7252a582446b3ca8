//! Runs `tests/vectors/{action,token}` through a vault: planned, prepared, stored, applied, and
//! read again from the bytes (docs/action.md).

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    dead_code,
    reason = "vectors are files, and tests fail by panicking"
)]

#[path = "vectors/conformance.rs"]
mod conformance;
mod support;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};

use connector_vault::{
    Action, ActionPlan, Asking, Code, Connector, ConnectorId, Done, Error, Nested, NewConnector,
    Null, Options, Outcome, Ran, RequestId, Result, Retention, Secret, Status, TestResult, Vault,
    Version, WarningCode,
};
use support::{Kept, properties, values};
use vectors::{Earlier, NEW_ID, NestedOption, NullOption, Vector, VectorOptions};

/// Codes that no vector can show, and why.
const WITHOUT_VECTOR: [(Code, &str); 4] = [
    (Code::ActionTooLarge, "a vector of 16 MiB"),
    (Code::ValueTooLarge, "a vector of 1 MiB"),
    (Code::TokenSourceFailed, "needs a host that fails"),
    (Code::TesterFailed, "needs a host that fails"),
];

#[test]
fn action_vectors() {
    run_all("action");
}

#[test]
fn token_vectors() {
    run_all("token");
}

fn run_all(folder: &str) {
    conformance::run("Rust", folder, vectors::load(folder), |vector| {
        check(vector);
        None
    });
}

#[test]
fn a_vector_with_a_name_more_is_rejected() {
    for folder in ["action", "token"] {
        conformance::rejects_one_more_name(vectors::texts(folder), |name, text| {
            vectors::parse(name, text).err()
        });
    }
}

fn check(vector: &Vector) {
    let mut kept = vault_of(vector);
    let before = (kept.file.clone(), kept.vault.head());
    let planned = plan(vector, &mut kept, &options_of(&vector.options));
    assert_eq!(
        (&kept.file, kept.vault.head()),
        (&before.0, before.1),
        "a plan writes nothing"
    );
    let dry = planned.as_ref().map(ActionPlan::ran).ok();
    let ran = planned.and_then(|plan| kept.commit(plan));
    match (ran, &vector.expect.error) {
        (Err(error), Some(code)) => {
            check_error(vector, &kept.vault, &error, code);
            assert_eq!(kept.file, before.0, "an error changes nothing");
            assert_eq!(kept.vault.head(), before.1);
        }
        (Ok(ran), None) => {
            let dry = dry.expect("what was carried out was planned");
            check_dry_run(&dry, &ran);
            let wrote = kept.file != before.0;
            let writes = ran
                .changes()
                .any(|outcome| outcome.status != Status::Unchanged && !outcome.replayed);
            let remembers = vector.options.request_id.is_some() && !vector.expect.replayed;
            assert_eq!(wrote, writes || remembers, "unchanged writes nothing");
            let seq = before.1.seq + u64::from(wrote);
            assert_eq!(kept.vault.head().seq, seq, "a change is one commit");
            check_ran(vector, &mut kept, &ran);
        }
        (Err(error), None) => panic!("{error:?}"),
        (Ok(_), Some(code)) => panic!("no {code}"),
    }
}

/// A vault with the connector of a vector at version 1, and the others.
fn vault_of(vector: &Vector) -> Kept {
    let mut kept = Kept::new(1);
    let before: Vec<_> = vector
        .before
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let others = vector
        .others
        .iter()
        .map(|other| (&other.id, &other.name, "Type", &[][..]));
    let its = (
        &vector.id,
        &vector.name,
        vector.type_name.as_str(),
        before.as_slice(),
    );
    for (id, name, type_name, values) in others.chain([its]) {
        // What is stored may be a mask.
        let options = Options {
            allow_mask: true,
            ..Options::default()
        };
        let id = ConnectorId::new(id.as_str()).unwrap();
        let plan = kept.vault.plan_create(
            &NewConnector::new(id.as_str(), name, type_name).with_properties(&properties(values)),
            &options,
        );
        let prepared = kept.vault.prepare(plan.unwrap(), &mut kept.fixed.host());
        kept.store(prepared.unwrap()).unwrap();
    }
    for earlier in &vector.earlier {
        match earlier {
            Earlier::Action {
                action,
                options,
                tokens,
            } => {
                let options = options_of(options);
                kept.run_with(&action.to_string(), &mut secrets(tokens), &options)
                    .unwrap();
            }
            Earlier::Compact { compact } => {
                let keep = Retention::Newest(usize::try_from(*compact).unwrap());
                let prepared = kept
                    .vault
                    .prepare_compaction(keep, &mut kept.fixed.host())
                    .unwrap();
                kept.store(prepared).unwrap();
            }
        }
    }
    kept
}

fn options_of(options: &VectorOptions) -> Options {
    let VectorOptions {
        if_version,
        null,
        nested,
        allow_mask,
        allow_empty,
        no_tokens,
        condition_met,
        request_id,
    } = options;
    Options {
        if_version: if_version.map(|version| Version::new(version).unwrap()),
        null: match null {
            NullOption::Reject => Null::Reject,
            NullOption::Remove => Null::Remove,
        },
        nested: match nested {
            NestedOption::Replace => Nested::Replace,
            NestedOption::Merge => Nested::Merge,
        },
        allow_mask: *allow_mask,
        allow_empty: *allow_empty,
        no_tokens: *no_tokens,
        condition_met: *condition_met,
        request_id: request_id.as_ref().map(|id| RequestId::new(id).unwrap()),
        ..Options::default()
    }
}

fn secrets(tokens: &BTreeMap<String, String>) -> BTreeMap<String, Secret> {
    let tokens = tokens.iter();
    tokens
        .map(|(name, value)| (name.clone(), Secret::new(value).unwrap()))
        .collect()
}

fn plan(vector: &Vector, kept: &mut Kept, options: &Options) -> Result<ActionPlan> {
    let mut tokens = secrets(&vector.tokens);
    let mut tester = |connector: &Connector| {
        let tests = vector.tests.as_ref().unwrap();
        Ok(match &tests[connector.id.as_str()] {
            None => TestResult::Passed,
            Some(message) => TestResult::Failed(message.clone()),
        })
    };
    let mut asking = Asking::new(&mut tokens);
    if vector.tests.is_some() {
        asking = asking.tester(&mut tester);
    }
    let action = Action::parse(&vector.action());
    check_problems(&vector.action(), action.as_ref());
    let action = action?;
    kept.vault
        .plan_asking(&action, &mut asking, options, &mut kept.fixed.host())
}

/// All problems of the document begin with the one that parsing it, or listing its tokens, says.
fn check_problems(text: &str, action: std::result::Result<&Action, &Error>) {
    let told = |error: &Error| {
        let hint = error.hint().map(str::to_owned);
        (
            error.code(),
            error.message().to_owned(),
            hint,
            error.place(),
        )
    };
    let first = match action {
        Ok(action) => action.tokens().err().map(|error| told(&error)),
        Err(error) => Some(told(error)),
    };
    assert_eq!(Action::problems(text).first().map(told), first, "{text}");
}

fn check_error(vector: &Vector, vault: &Vault, error: &Error, code: &str) {
    let similar = error
        .connector()
        .and_then(|id| vault.similar(id).expect("overviews that open"));
    let hint = error.hint().or(similar.as_deref()).unwrap_or_default();
    assert_eq!(error.code().as_str(), code, "{error:?}");
    let expect = &vector.expect;
    for (text, part) in [
        (error.message(), &expect.message_contains),
        (hint, &expect.hint_contains),
    ] {
        let part = part.as_deref().unwrap_or_default();
        assert!(text.contains(part), "{part:?} is not in {text:?}");
        for secret in vector.secrets() {
            assert!(!text.contains(secret), "{error:?}");
        }
    }
}

fn check_dry_run(dry: &Ran, ran: &Ran) {
    let (dry, ran) = (dry.all(), ran.all());
    assert_eq!(dry.len(), ran.len());
    for (dry, done) in dry.iter().zip(ran) {
        let Done::Changed(outcome) = done else {
            assert_eq!(dry, done);
            continue;
        };
        let mut expected = outcome.clone();
        if outcome.status != Status::Unchanged && !outcome.replayed {
            expected.status = Status::Planned;
        }
        assert_eq!(*dry, Done::Changed(expected));
    }
}

fn check_ran(vector: &Vector, kept: &mut Kept, ran: &Ran) {
    let expect = &vector.expect;
    let json = serde_json::to_value(ran).unwrap();
    for secret in vector.secrets() {
        assert!(!json.to_string().contains(secret), "{json}");
    }
    check_outputs(vector, ran);
    let all = match &expect.outcomes {
        Some(statuses) => {
            let outcomes = json["outcomes"].as_array().expect("a batch");
            let found: Vec<_> = outcomes.iter().map(|done| done["status"].clone()).collect();
            assert_eq!(&found, statuses);
            outcomes.clone()
        }
        None => vec![json.clone()],
    };
    let warnings: Vec<_> = all
        .iter()
        .filter_map(|done| done["warnings"].as_array())
        .flatten()
        .map(|warning| warning["code"].as_str().unwrap())
        .collect();
    assert_eq!(warnings, expect.warnings, "{json}");
    if let Some(outcome) = ran.outcome() {
        check_outcome(vector, kept, outcome);
    } else if expect.outcomes.is_none() {
        assert_eq!(json["status"].as_str(), expect.status.as_deref());
    }
    let reopened = kept.open().unwrap();
    assert_eq!(reopened.head(), kept.vault.head());
    for vault in [&kept.vault, &reopened] {
        check_contents(vector, vault, ran);
    }
}

/// What the action sets, the id of a new connector by its sign.
fn check_outputs(vector: &Vector, ran: &Ran) {
    let created: Vec<_> = ran
        .changes()
        .filter(|outcome| outcome.status == Status::Created)
        .map(|outcome| outcome.id.as_str())
        .collect();
    let outputs = ran.outputs().iter().map(|(name, value)| {
        let value = match created.contains(&value.as_str()) {
            true => NEW_ID,
            false => value,
        };
        (name.clone(), value.to_owned())
    });
    let outputs: BTreeMap<_, _> = outputs.collect();
    assert_eq!(outputs, vector.expect.outputs);
}

fn check_outcome(vector: &Vector, kept: &mut Kept, outcome: &Outcome) {
    let expect = &vector.expect;
    let json = serde_json::to_value(outcome).unwrap();
    assert_eq!(outcome.replayed, expect.replayed);
    if let Some(status) = &expect.status {
        assert_eq!(json["status"], status.as_str());
    }
    if let Some(changes) = &expect.changes {
        assert_eq!(&json["changes"], changes);
    }
    let overridden = outcome.changes.iter().filter(|change| change.overridden);
    let overridden: Vec<_> = overridden.map(|change| change.name.clone()).collect();
    if let Some(expected) = &expect.overridden {
        assert_eq!(&overridden, expected);
    }
    if let Some(tokens) = &expect.tokens {
        assert_eq!(&outcome.tokens, tokens);
    }
    if outcome.status == Status::Updated && !outcome.replayed {
        let again = Options {
            if_version: vector.options.if_version.map(|_| outcome.version_after),
            ..options_of(&vector.options)
        };
        let again = plan(vector, kept, &again).unwrap();
        assert!(
            again.is_unchanged(),
            "the same action again changes nothing"
        );
        assert_eq!(
            again.ran().outcome().unwrap().replayed,
            vector.options.request_id.is_some()
        );
    }
}

fn check_contents(vector: &Vector, vault: &Vault, ran: &Ran) {
    let expect = &vector.expect;
    let id = match ran {
        Ran::One(Done::Changed(outcome)) => outcome.id.as_str(),
        _ => vector.id.as_str(),
    };
    let newest = ran.changes().filter(|outcome| outcome.id == id).last();
    if newest.is_some_and(|outcome| outcome.status == Status::Deleted) {
        let error = vault.overview(id).unwrap_err();
        assert_eq!(error.code(), Code::ConnectorNotFound);
        return;
    }
    let connector = vault.overview(id).unwrap();
    if let Some(outcome) = newest.filter(|outcome| !outcome.replayed) {
        assert_eq!(connector.version, outcome.version_after);
    }
    if let Some(after) = &expect.after {
        assert_eq!(&values(vault, id), after);
    }
    if let Some(name) = &expect.name {
        assert_eq!(&connector.name, name);
    }
    if let Some(type_name) = &expect.type_name {
        assert_eq!(&connector.type_name, type_name);
    }
    if newest.is_none_or(|outcome| outcome.status != Status::Created) {
        assert_eq!(
            (&connector.name, &connector.type_name),
            (&vector.name, &vector.type_name)
        );
    }
    // The others are as they were.
    let touched = |id: &str| ran.changes().any(|outcome| outcome.id == id);
    for other in vector.others.iter().filter(|other| !touched(&other.id)) {
        assert_eq!(vault.overview(&other.id).unwrap().version, Version::FIRST);
    }
}

#[test]
fn every_code_has_a_vector() {
    let all: Vec<_> = ["action", "token"]
        .into_iter()
        .flat_map(vectors::load)
        .collect();
    let seen: BTreeSet<_> = all
        .iter()
        .filter_map(|(_, v)| v.expect.error.clone())
        .collect();
    let family = |first, last| {
        let place = |code| Code::ALL.iter().position(|c| *c == code).unwrap();
        &Code::ALL[place(first)..=place(last)]
    };
    let codes = family(Code::ActionTooLarge, Code::TesterFailed)
        .iter()
        .chain(family(Code::InvalidConnectorId, Code::TooManyProperties))
        .chain(family(Code::Conflict, Code::RequestTooOld))
        .chain(&[Code::ConnectorNotFound]);
    for code in codes {
        let excused = WITHOUT_VECTOR.iter().any(|(excused, _)| excused == code);
        assert!(
            excused || seen.contains(code.as_str()),
            "no vector for {}",
            code.as_str()
        );
    }
    let warned: BTreeSet<_> = all
        .iter()
        .flat_map(|(_, v)| v.expect.warnings.clone())
        .collect();
    // Imports alone warn of it.
    let of_actions = WarningCode::ALL
        .iter()
        .filter(|code| **code != WarningCode::NameKept);
    for code in of_actions {
        assert!(
            warned.contains(code.as_str()),
            "no vector for {}",
            code.as_str()
        );
    }
}

#[test]
fn every_vector_is_documented() {
    let docs = include_str!("../../../docs/action.md");
    for folder in ["action", "token"] {
        for (name, _) in vectors::load(folder) {
            assert!(docs.contains(&format!("../tests/vectors/{name}")), "{name}");
        }
    }
}
