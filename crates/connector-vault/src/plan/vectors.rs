//! Runs the vectors of `tests/vectors` through parsing, resolving and planning.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "tests fail by panicking, and vectors are files"
)]

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::action::{Action, Kind, Null, WarningCode};
use crate::connector::{PropertyName, Secret, Timestamp};

#[path = "../../tests/vectors/mod.rs"]
mod files;

use files::{Expect, NullOption, Vector};

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
    let mut failures = Vec::new();
    for (name, vector) in files::load(folder) {
        let passed = std::panic::catch_unwind(|| check(&vector));
        if passed.is_err() {
            failures.push(name);
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_code_has_a_vector() {
    let all: Vec<_> = ["action", "token"]
        .into_iter()
        .flat_map(files::load)
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
    let docs = include_str!("../../../../docs/action.md");
    for folder in ["action", "token"] {
        for (name, _) in files::load(folder) {
            assert!(docs.contains(&format!("../tests/vectors/{name}")), "{name}");
        }
    }
}

fn properties(map: &BTreeMap<String, String>) -> Properties {
    let mut properties = Properties::new();
    for (name, value) in map {
        let (name, value) = (
            PropertyName::new(name).unwrap(),
            Secret::new(value).unwrap(),
        );
        properties.set(name, value).unwrap();
    }
    properties
}

fn texts(properties: &Properties) -> BTreeMap<String, String> {
    properties
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.expose().to_owned()))
        .collect()
}

fn run(vector: &Vector, before: &Properties) -> Result<Draft> {
    let options = Options {
        if_version: vector.options.if_version.map(|v| Version::new(v).unwrap()),
        null: match vector.options.null {
            NullOption::Reject => Null::Reject,
            NullOption::Remove => Null::Remove,
        },
        allow_mask: vector.options.allow_mask,
        no_tokens: vector.options.no_tokens,
        ..Options::default()
    };
    let connector = Connector {
        id: ConnectorId::new(&vector.id).unwrap(),
        name: vector.name.clone(),
        type_name: vector.type_name.clone(),
        version: Version::FIRST,
        updated_at: Timestamp::new("2026-01-01T00:00:00.000Z").unwrap(),
        properties: before.clone(),
    };
    let find = |id: &ConnectorId| {
        if *id == connector.id {
            return Ok(&connector);
        }
        let others = vector
            .others
            .iter()
            .map(|o| (o.id.as_str(), o.name.as_str()));
        let known = others.chain([(vector.id.as_str(), vector.name.as_str())]);
        let error = Error::new(
            Code::ConnectorNotFound,
            format!("no connector {}", quoted(id.as_str())),
        );
        Err(match near_miss(id.as_str(), known) {
            Some(hint) => error.hint(hint),
            None => error,
        })
    };
    let mut tokens: BTreeMap<String, Secret> = vector
        .tokens
        .iter()
        .map(|(name, value)| (name.clone(), Secret::new(value).unwrap()))
        .collect();
    let request = Action::parse(&vector.action())?.resolve(&mut tokens, &options)?;
    match &request.0 {
        Kind::Update(request) => update(find(&request.id)?, request, &options),
        Kind::Delete(request) => delete(find(&request.id)?, request, &options),
        Kind::Add(request) => add(ConnectorId::new("new")?, None, request, &options),
    }
}

fn check(vector: &Vector) {
    let before = properties(&vector.before);
    match (run(vector, &before), &vector.expect.error) {
        (Err(error), Some(code)) => check_error(vector, &error, code),
        (Ok(draft), None) => check_draft(vector, &draft),
        (Err(error), None) => panic!("{error:?}"),
        (Ok(_), Some(code)) => panic!("no {code}"),
    }
}

fn check_error(vector: &Vector, error: &Error, code: &str) {
    let hint = error.hint_text().unwrap_or_default();
    assert_eq!(error.code().as_str(), code, "{error:?}");
    let Expect {
        message_contains,
        hint_contains,
        ..
    } = &vector.expect;
    for (text, part) in [(error.message(), message_contains), (hint, hint_contains)] {
        let part = part.as_deref().unwrap_or_default();
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    for secret in vector.secrets() {
        assert!(
            !error.message().contains(secret) && !hint.contains(secret),
            "{error:?}"
        );
    }
}

fn check_draft(vector: &Vector, draft: &Draft) {
    let expect = &vector.expect;
    let (planned, outcome) = (draft.outcome(Status::Planned), draft.committed());
    let json = serde_json::to_value(&outcome).unwrap();
    assert_eq!(
        serde_json::from_value::<Outcome>(json.clone()).unwrap(),
        outcome
    );
    for secret in vector.secrets() {
        assert!(!json.to_string().contains(secret), "{json}");
    }
    assert_eq!(
        planned.status == Status::Unchanged,
        outcome.status == Status::Unchanged
    );
    assert_eq!(draft.writes(), !draft.is_unchanged());
    if let Some(status) = &expect.status {
        assert_eq!(json["status"], status.as_str());
    }
    if let Some(after) = &expect.after {
        assert_eq!(&texts(&draft.after), after);
    }
    if let Some(changes) = &expect.changes {
        assert_eq!(&json["changes"], changes);
    }
    if let Some(name) = &expect.name {
        assert_eq!(&draft.name, name);
    }
    if let Some(type_name) = &expect.type_name {
        assert_eq!(&draft.type_name, type_name);
    }
    let overridden: Vec<_> = outcome
        .changes
        .iter()
        .filter(|c| c.overridden)
        .map(|c| &c.name)
        .collect();
    if let Some(expected) = &expect.overridden {
        assert_eq!(overridden, expected.iter().collect::<Vec<_>>());
    }
    let warnings: Vec<_> = outcome.warnings.iter().map(|w| w.code.as_str()).collect();
    assert_eq!(warnings, expect.warnings, "{:?}", outcome.warnings);
    if let Some(tokens) = &expect.tokens {
        assert_eq!(&outcome.tokens, tokens);
    }
    if draft.op == Op::Update {
        let again = run(vector, &draft.after).unwrap();
        assert!(
            again.is_unchanged(),
            "the same action again changes nothing"
        );
    }
}
