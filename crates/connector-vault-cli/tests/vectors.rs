//! Every vector of `tests/vectors/action` and `tests/vectors/token` through the program
//! (tests/vectors/README.md).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

#[path = "../../connector-vault/tests/vectors/conformance.rs"]
mod conformance;
mod support;
#[path = "../../connector-vault/tests/vectors/mod.rs"]
mod vectors;

use std::collections::BTreeMap;

use connector_vault::{Properties, PropertyName, Secret};
use serde_json::Value;

use support::{Ran, Sandbox, ran_with};
use vectors::{NestedOption, NullOption, Vector};

#[test]
fn action_vectors() {
    run_all("action");
}

#[test]
fn token_vectors() {
    run_all("token");
}

fn run_all(folder: &str) {
    conformance::run("cvault", folder, vectors::load(folder), |vector| {
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
    let sandbox = sandbox(vector);
    let file_before = sandbox.bytes();

    let plan = run(&sandbox, vector, &["--plan"]);
    assert!(sandbox.bytes() == file_before, "a plan writes nothing");
    let done = run(&sandbox, vector, &[]);
    for ran in [&plan, &done] {
        for secret in vector.secrets() {
            let told = ran.stdout.contains(secret) || ran.stderr.contains(secret);
            assert!(!told, "{ran:?}");
        }
    }
    if let Some(code) = &vector.expect.error {
        for ran in [&plan, &done] {
            check_error(vector, &ran.error(1), code);
        }
        assert!(sandbox.bytes() == file_before, "the vault is as before");
        return;
    }
    let (plan, outcome) = (plan.json(), done.json());
    let planned = match outcome["status"].as_str() {
        Some("unchanged") => "unchanged",
        _ => "planned",
    };
    assert_eq!(plan["status"], planned);
    let id = outcome["id"].as_str().unwrap();
    check_outcome(vector, &outcome);
    check_connector(vector, &sandbox, id);
    match outcome["status"].as_str().unwrap() {
        "updated" => {
            let again = run_again(&sandbox, vector, &outcome).json();
            assert_eq!(again["status"], "unchanged");
            assert_eq!(again["version_after"], outcome["version_after"]);
        }
        "unchanged" => assert!(sandbox.bytes() == file_before, "nothing is written"),
        "deleted" => {
            let shown = sandbox.run(["show", "v.cvault", id, "--json"]);
            assert_eq!(shown.error(1)["code"], "connector_not_found");
        }
        _ => {}
    }
}

fn sandbox(vector: &Vector) -> Sandbox {
    let sandbox = Sandbox::new();
    for other in &vector.others {
        sandbox.add(&other.id, &other.name, "Type", &Properties::new());
    }
    let mut before = Properties::new();
    for (name, value) in &vector.before {
        let (name, value) = (PropertyName::new(name), Secret::new(value));
        before.set(name.unwrap(), value.unwrap()).unwrap();
    }
    sandbox.add(&vector.id, &vector.name, &vector.type_name, &before);
    let tokens = serde_json::to_string(&vector.tokens).unwrap();
    sandbox.write("tokens.json", &tokens);
    sandbox
}

fn run(sandbox: &Sandbox, vector: &Vector, more: &[&str]) -> Ran {
    let if_version = vector.options.if_version;
    run_at(sandbox, vector, if_version, more)
}

/// The same once more, with an `if_version` that fits.
fn run_again(sandbox: &Sandbox, vector: &Vector, outcome: &Value) -> Ran {
    let version = outcome["version_after"].as_u64();
    let if_version = vector.options.if_version.and(version);
    run_at(sandbox, vector, if_version, &[])
}

fn run_at(sandbox: &Sandbox, vector: &Vector, if_version: Option<u64>, more: &[&str]) -> Ran {
    let mut command = sandbox.cvault(["run", "v.cvault", "-", "--json", "--tokens", "tokens.json"]);
    if let Some(version) = if_version {
        command.args(["--if-version", &version.to_string()]);
    }
    if let NullOption::Remove = vector.options.null {
        command.args(["--null", "remove"]);
    }
    if let NestedOption::Merge = vector.options.nested {
        command.args(["--nested", "merge"]);
    }
    if vector.options.allow_mask {
        command.arg("--allow-mask");
    }
    if vector.options.allow_empty {
        command.arg("--allow-empty");
    }
    if vector.options.no_tokens {
        command.arg("--no-tokens");
    }
    ran_with(command.args(more), &vector.action())
}

fn check_error(vector: &Vector, error: &Value, code: &str) {
    assert_eq!(error["code"], code, "{error}");
    let parts = [
        ("message", &vector.expect.message_contains),
        ("hint", &vector.expect.hint_contains),
    ];
    for (field, part) in parts {
        let text = error[field].as_str().unwrap_or_default();
        let part = part.as_deref().unwrap_or_default();
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

fn check_outcome(vector: &Vector, outcome: &Value) {
    let expect = &vector.expect;
    if let Some(status) = &expect.status {
        assert_eq!(outcome["status"], status.as_str());
    }
    if let Some(changes) = &expect.changes {
        assert_eq!(&outcome["changes"], changes);
    }
    if let Some(tokens) = &expect.tokens {
        assert_eq!(texts(&outcome["tokens"], |token| token), *tokens);
    }
    if let Some(overridden) = &expect.overridden {
        let changes = outcome["changes"].as_array().unwrap().iter();
        let changes = changes.filter(|change| change["overridden"] == true);
        let changes = Value::Array(changes.cloned().collect());
        assert_eq!(texts(&changes, |change| &change["name"]), *overridden);
    }
    let warnings = texts(&outcome["warnings"], |warning| &warning["code"]);
    assert_eq!(warnings, expect.warnings);
}

fn texts(list: &Value, text: impl Fn(&Value) -> &Value) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|item| text(item).as_str().unwrap().to_owned())
        .collect()
}

fn check_connector(vector: &Vector, sandbox: &Sandbox, id: &str) {
    let expect = &vector.expect;
    if expect.after.is_none() && expect.name.is_none() && expect.type_name.is_none() {
        return;
    }
    let shown = sandbox
        .run(["show", "v.cvault", id, "--reveal", "--json"])
        .json();
    if let Some(after) = &expect.after {
        let found: BTreeMap<String, String> =
            serde_json::from_value(shown["properties"].clone()).unwrap();
        assert_eq!(&found, after);
    }
    if let Some(name) = &expect.name {
        assert_eq!(shown["name"], name.as_str());
    }
    if let Some(type_name) = &expect.type_name {
        assert_eq!(shown["type"], type_name.as_str());
    }
}
