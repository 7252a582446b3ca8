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
use std::process::Command;

use connector_vault::{Properties, PropertyName, Secret};
use serde_json::{Value, json};

use support::{Ran, Sandbox, ran_with};
use vectors::{Earlier, NEW_ID, NestedOption, NullOption, Vector, VectorOptions};

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
    let (plan, ran) = (plan.json(), done.json());
    check_plan(&plan, &ran);
    check_ran(vector, &ran);
    check_connector(vector, &sandbox, &ran);
    let unchanged = |done: &Value| done["status"] == "unchanged" || done["replayed"] == true;
    if changes(&ran).iter().all(unchanged) && vector.options.request_id.is_none() {
        assert!(sandbox.bytes() == file_before, "nothing is written");
    }
    match ran["status"].as_str() {
        Some("updated") if !vector.expect.replayed => {
            let again = run_again(&sandbox, vector, &ran).json();
            let replayed = vector.options.request_id.is_some();
            let status = if replayed { "updated" } else { "unchanged" };
            assert_eq!(again["status"], status);
            assert_eq!(again["replayed"], replayed);
            assert_eq!(again["version_after"], ran["version_after"]);
        }
        Some("deleted") => {
            let id = ran["id"].as_str().unwrap();
            let shown = sandbox.run(["show", "v.cvault", id, "--json"]);
            assert_eq!(shown.error(1)["code"], "connector_not_found");
        }
        _ => {}
    }
}

/// The outcomes of the actions: of a batch, or the one.
fn all(ran: &Value) -> Vec<Value> {
    match ran["outcomes"].as_array() {
        Some(outcomes) => outcomes.clone(),
        None => vec![ran.clone()],
    }
}

/// Those that change a connector.
fn changes(ran: &Value) -> Vec<Value> {
    let is_change = |done: &Value| done["changes"].is_array();
    all(ran).into_iter().filter(is_change).collect()
}

/// A plan says what a run does, but for the ids of new connectors.
fn check_plan(plan: &Value, ran: &Value) {
    let (plans, done) = (all(plan), all(ran));
    assert_eq!(plans.len(), done.len());
    for (plan, done) in plans.iter().zip(&done) {
        let planned = match done["status"].as_str() {
            Some(status @ ("unchanged" | "tested" | "skipped")) => status,
            Some(status) if done["replayed"] == true => status,
            _ => "planned",
        };
        assert_eq!(plan["status"], planned);
        assert_eq!(plan["changes"], done["changes"]);
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
    for earlier in &vector.earlier {
        match earlier {
            Earlier::Action {
                action,
                options,
                tokens,
            } => {
                sandbox.write("tokens.json", serde_json::to_string(tokens).unwrap());
                let mut command = command(&sandbox, options);
                ran_with(&mut command, &action.to_string()).json();
            }
            Earlier::Compact { compact } => {
                let keep = compact.to_string();
                sandbox
                    .run(["compact", "v.cvault", "--keep", &keep, "--json"])
                    .json();
            }
        }
    }
    let tokens = serde_json::to_string(&vector.tokens).unwrap();
    sandbox.write("tokens.json", &tokens);
    sandbox.write("tester.sh", tester(vector));
    sandbox
}

/// A program that says what the vector says of the connector on its standard input.
fn tester(vector: &Vector) -> String {
    let mut script = "read -r connector\ncase \"$connector\" in\n".to_owned();
    for (id, message) in vector.tests.iter().flatten() {
        let answer = match message {
            None => "exit 0".to_owned(),
            Some(message) => format!("echo '{message}' >&2; exit 1"),
        };
        script.push_str(&format!("'{{\"id\":\"{id}\"'*) {answer} ;;\n"));
    }
    script.push_str("esac\n");
    script
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
    let options = VectorOptions {
        if_version,
        ..vector.options.clone()
    };
    let mut command = command(sandbox, &options);
    if vector.tests.is_some() {
        command.args(["--test-with", "sh tester.sh"]);
    }
    ran_with(command.args(more), &vector.action())
}

fn command(sandbox: &Sandbox, options: &VectorOptions) -> Command {
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
    let mut command = sandbox.cvault(["run", "v.cvault", "-", "--json", "--tokens", "tokens.json"]);
    if let Some(version) = if_version {
        command.args(["--if-version", &version.to_string()]);
    }
    if let Some(id) = request_id {
        command.args(["--request-id", id]);
    }
    if let NullOption::Remove = null {
        command.args(["--null", "remove"]);
    }
    if let NestedOption::Merge = nested {
        command.args(["--nested", "merge"]);
    }
    for (flag, given) in [
        ("--allow-mask", allow_mask),
        ("--allow-empty", allow_empty),
        ("--no-tokens", no_tokens),
        ("--condition-met", condition_met),
    ] {
        if *given {
            command.arg(flag);
        }
    }
    command
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

fn check_ran(vector: &Vector, ran: &Value) {
    let expect = &vector.expect;
    let done = all(ran);
    if let Some(outcomes) = &expect.outcomes {
        assert!(ran["outcomes"].is_array(), "a batch");
        assert_eq!(texts(&json!(done), |done| &done["status"]), *outcomes);
    }
    let warnings = done
        .iter()
        .filter(|done| done["warnings"].is_array())
        .flat_map(|done| texts(&done["warnings"], |warning| &warning["code"]));
    assert_eq!(warnings.collect::<Vec<_>>(), expect.warnings);
    check_outputs(vector, ran);
    if let Some(status) = &expect.status {
        assert_eq!(ran["status"], status.as_str());
    }
    if expect.outcomes.is_none() && ran["changes"].is_array() {
        assert_eq!(ran["replayed"], expect.replayed);
    }
    if let Some(changes) = &expect.changes {
        assert_eq!(&ran["changes"], changes);
    }
    if let Some(tokens) = &expect.tokens {
        assert_eq!(texts(&ran["tokens"], |token| token), *tokens);
    }
    if let Some(overridden) = &expect.overridden {
        let changes = ran["changes"].as_array().unwrap().iter();
        let changes = changes.filter(|change| change["overridden"] == true);
        let changes = Value::Array(changes.cloned().collect());
        assert_eq!(texts(&changes, |change| &change["name"]), *overridden);
    }
}

/// What the action sets, the id of a new connector by its sign.
fn check_outputs(vector: &Vector, ran: &Value) {
    let created: Vec<_> = changes(ran)
        .into_iter()
        .filter(|change| change["status"] == "created")
        .map(|change| change["id"].clone())
        .collect();
    let outputs = ran["outputs"].as_object().unwrap().iter();
    let outputs = outputs.map(|(name, value)| {
        let value = match created.contains(value) {
            true => NEW_ID,
            false => value.as_str().unwrap(),
        };
        (name.clone(), value.to_owned())
    });
    assert_eq!(outputs.collect::<BTreeMap<_, _>>(), vector.expect.outputs);
}

fn texts(list: &Value, text: impl Fn(&Value) -> &Value) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|item| text(item).as_str().unwrap().to_owned())
        .collect()
}

fn check_connector(vector: &Vector, sandbox: &Sandbox, ran: &Value) {
    let id = ran["id"].as_str().unwrap_or(&vector.id);
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
