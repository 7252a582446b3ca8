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
    Action, Code, ConnectorId, Error, Nested, Null, Options, Outcome, Plan, Result, Secret, Status,
    Vault, Version, WarningCode,
};
use support::{Kept, properties, values};
use vectors::{NestedOption, NullOption, Vector};

/// Codes that no vector can show, and why.
const WITHOUT_VECTOR: [(Code, &str); 3] = [
    (Code::ActionTooLarge, "a vector of 16 MiB"),
    (Code::ValueTooLarge, "a vector of 1 MiB"),
    (Code::TokenSourceFailed, "needs a host that fails"),
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
    let planned = plan(vector, &mut kept, &options_of(vector));
    assert_eq!(
        (&kept.file, kept.vault.head()),
        (&before.0, before.1),
        "a plan writes nothing"
    );
    let dry = planned.as_ref().map(Plan::outcome).ok();
    let outcome = planned.and_then(|plan| {
        let prepared = kept.vault.prepare(plan, &mut kept.fixed.host())?;
        Ok(kept.store(prepared)?.remove(0))
    });
    match (outcome, &vector.expect.error) {
        (Err(error), Some(code)) => {
            check_error(vector, &error, code);
            assert_eq!(kept.file, before.0, "an error changes nothing");
            assert_eq!(kept.vault.head(), before.1);
        }
        (Ok(outcome), None) => {
            let dry = dry.expect("what was carried out was planned");
            check_dry_run(&dry, &outcome);
            check_outcome(vector, &mut kept, &outcome);
            let wrote = kept.file != before.0;
            assert_eq!(
                wrote,
                outcome.status != Status::Unchanged,
                "unchanged writes nothing"
            );
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
        let plan = kept
            .vault
            .plan_create(id, name, type_name, &properties(values), &options);
        let prepared = kept.vault.prepare(plan.unwrap(), &mut kept.fixed.host());
        kept.store(prepared.unwrap()).unwrap();
    }
    kept
}

fn options_of(vector: &Vector) -> Options {
    Options {
        if_version: vector
            .options
            .if_version
            .map(|version| Version::new(version).unwrap()),
        null: match vector.options.null {
            NullOption::Reject => Null::Reject,
            NullOption::Remove => Null::Remove,
        },
        nested: match vector.options.nested {
            NestedOption::Replace => Nested::Replace,
            NestedOption::Merge => Nested::Merge,
        },
        allow_mask: vector.options.allow_mask,
        allow_empty: vector.options.allow_empty,
        no_tokens: vector.options.no_tokens,
        ..Options::default()
    }
}

fn plan(vector: &Vector, kept: &mut Kept, options: &Options) -> Result<Plan> {
    let tokens = vector.tokens.iter();
    let mut tokens: BTreeMap<String, Secret> = tokens
        .map(|(name, value)| (name.clone(), Secret::new(value).unwrap()))
        .collect();
    let action = Action::parse(&vector.action())?;
    kept.vault
        .plan(&action, &mut tokens, options, &mut kept.fixed.host())
}

fn check_error(vector: &Vector, error: &Error, code: &str) {
    let hint = error.hint_text().unwrap_or_default();
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

fn check_dry_run(dry: &Outcome, outcome: &Outcome) {
    let status = match outcome.status {
        Status::Unchanged => Status::Unchanged,
        _ => Status::Planned,
    };
    assert_eq!(
        *dry,
        Outcome {
            status,
            ..outcome.clone()
        }
    );
}

fn check_outcome(vector: &Vector, kept: &mut Kept, outcome: &Outcome) {
    let expect = &vector.expect;
    let json = serde_json::to_value(outcome).unwrap();
    for secret in vector.secrets() {
        assert!(!json.to_string().contains(secret), "{json}");
    }
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
    let warnings = outcome.warnings.iter().map(|warning| warning.code.as_str());
    assert_eq!(
        warnings.collect::<Vec<_>>(),
        expect.warnings,
        "{:?}",
        outcome.warnings
    );
    if let Some(tokens) = &expect.tokens {
        assert_eq!(&outcome.tokens, tokens);
    }
    let reopened = kept.open().unwrap();
    assert_eq!(reopened.head(), kept.vault.head());
    for vault in [&kept.vault, &reopened] {
        check_contents(vector, vault, outcome);
    }
    if outcome.status == Status::Updated {
        let again = Options {
            if_version: vector.options.if_version.map(|_| outcome.version_after),
            ..options_of(vector)
        };
        let again = plan(vector, kept, &again).unwrap();
        assert!(
            again.is_unchanged(),
            "the same action again changes nothing"
        );
    }
}

fn check_contents(vector: &Vector, vault: &Vault, outcome: &Outcome) {
    let expect = &vector.expect;
    if outcome.status == Status::Deleted {
        let error = vault.connector(&outcome.id).unwrap_err();
        assert_eq!(error.code(), Code::ConnectorNotFound);
        return;
    }
    let connector = vault.connector(&outcome.id).unwrap();
    assert_eq!(connector.version, outcome.version_after);
    if let Some(after) = &expect.after {
        assert_eq!(&values(vault, &outcome.id), after);
    }
    if let Some(name) = &expect.name {
        assert_eq!(&connector.name, name);
    }
    if let Some(type_name) = &expect.type_name {
        assert_eq!(&connector.type_name, type_name);
    }
    if outcome.status != Status::Created {
        assert_eq!(
            (&connector.name, &connector.type_name),
            (&vector.name, &vector.type_name)
        );
    }
    // The others are as they were.
    for other in vector.others.iter().filter(|other| other.id != outcome.id) {
        assert_eq!(vault.connector(&other.id).unwrap().version, Version::FIRST);
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
    let codes = family(Code::ActionTooLarge, Code::TokenSourceFailed)
        .iter()
        .chain(family(Code::InvalidConnectorId, Code::TooManyProperties))
        .chain(&[Code::Conflict, Code::ConnectorNotFound]);
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
    for code in WarningCode::ALL {
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
