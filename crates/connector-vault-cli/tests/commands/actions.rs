//! Actions: `run`.

use serde_json::json;

use crate::check_text;
use crate::support::{Sandbox, UPDATE, cvault, ran, ran_with, twitter};

#[test]
fn run_plans_and_updates() {
    let sandbox = twitter();
    let run = |more: &[&str]| {
        let mut run = sandbox.cvault([
            "run",
            "v.cvault",
            "update.json",
            "--token-env",
            "Secrets:Key=K",
        ]);
        ran(run.args(more).env("K", "s3cret-3"))
    };
    let diff = "~ APIKey  ****** -> ******  (json, overrides grid)\n  Endpoint unchanged\n\
                + Timeout = ******  (json)\n  tokens: Secrets:Key";
    let plan = "Plan: updates twitterConnectorId, version 1 -> 2; nothing is written";
    check_text(run(&["--plan"]).text(), &format!("{plan}\n{diff}"));
    let planned = run(&["--plan", "--json"]).json();
    assert_eq!(planned["status"], "planned");
    assert_eq!(
        run(&["--if-version", "2", "--json"]).error(1)["code"],
        "conflict"
    );
    let done = run(&["--note", "monthly", "--if-version", "1"]);
    check_text(
        done.text(),
        &format!("Updated twitterConnectorId, version 1 -> 2\n{diff}"),
    );
    let again = run(&["--json"]).json();
    assert_eq!(again["status"], "unchanged");
    assert_eq!(again["version_after"], 2);
}

#[test]
fn run_takes_tokens_from_everywhere() {
    let sandbox = twitter();
    sandbox.write("key", "s3cret-file\n");
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "twitterConnectorId",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[A]-[B]-[C]-[D(x=1)]"}]}}"#;
    sandbox.write("action.json", action);
    let mut run = sandbox.cvault(["run", "v.cvault", "action.json", "--json", "--tokens", "-"]);
    run.args([
        "--token",
        "A=a=a",
        "--token-env",
        "B=B",
        "--token-file",
        "C=key",
    ])
    .env("B", "b");
    let done = ran_with(&mut run, r#"{"D(x=1)": "d"}"#).json();
    assert_eq!(done["tokens"], json!(["A", "B", "C", "D"]));
    let shown = sandbox
        .run([
            "show",
            "v.cvault",
            "twitterConnectorId",
            "--reveal",
            "--json",
        ])
        .json();
    assert_eq!(shown["properties"]["APIKey"], "a=a-b-s3cret-file-d");

    for (tokens, code, exit) in [
        (r#"{"A": 1, "s3cret": 2}"#, "wrong_shape", 1),
        (r#"{"A": "1", "A": "s3cret"}"#, "wrong_shape", 1),
        ("s3cret", "invalid_json", 1),
        (r#"{"X": "s3cret"}"#, "usage", 2),
    ] {
        let mut run = sandbox.cvault(["run", "v.cvault", "action.json", "--json", "--tokens", "-"]);
        let refused = ran_with(run.args(["--token", "X=s3cret"]), tokens);
        assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
        assert_eq!(refused.error(exit)["code"], code, "{tokens}");
    }
    let mut twice = sandbox.cvault(["run", "v.cvault", "-", "--json", "--tokens", "-"]);
    assert_eq!(ran_with(&mut twice, action).error(2)["code"], "usage");
    let mut twice = sandbox.cvault(["run", "v.cvault", "-", "--json"]);
    twice
        .env_remove("CVAULT_IDENTITY")
        .env("CVAULT_PASSPHRASE_FILE", "-");
    let twice = ran_with(&mut twice, action).error(2)["message"].to_string();
    assert!(twice.contains("the action and the passphrase"), "{twice}");
}

#[test]
fn tokens_of_an_action() {
    let sandbox = Sandbox::new();
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "[Flow:Id]",
        "Properties": [{"PropertyName": "A", "PropertyValue": "[Secrets:Key(env=prod)]-[B=b]"}],
        "PropertiesJson": "{\"A\": \"[Flow:Id]\", \"C\": [Data]}"}}"#;
    sandbox.write("action.json", action);
    // No vault, and so nothing to unlock.
    let tokens = |more: &[&str]| {
        let mut tokens = cvault(sandbox.dir.path(), ["tokens", "action.json"]);
        ran(tokens.args(more))
    };
    assert_eq!(
        tokens(&["--json"]).json(),
        json!({"tokens": [
            {"name": "Flow:Id", "key": "Flow:Id", "required": true},
            {"name": "Secrets:Key", "key": "Secrets:Key(env=prod)", "required": true},
            {"name": "B", "key": "B", "required": false},
            {"name": "Data", "key": "Data", "required": true},
        ]})
    );
    check_text(
        tokens(&[]).text(),
        "NAME         KEY                    REQUIRED\n\
         Flow:Id      Flow:Id                yes\n\
         Secrets:Key  Secrets:Key(env=prod)  yes\n\
         B            B                      no\n\
         Data         Data                   yes",
    );
    sandbox.write(
        "action.json",
        action
            .replace(['[', ']'], "")
            .replace("PropertyValue\": \"", "PropertyValue\": \"s3cret"),
    );
    let refused = tokens(&["--json"]);
    assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
    assert_eq!(refused.error(1)["code"], "wrong_parameter_type");
    let none = r#"{"ActionType": "CredStore.DeleteEntry", "Parameters": {"EntryId": "x"}}"#;
    let mut tokens = cvault(sandbox.dir.path(), ["tokens", "-"]);
    check_text(
        ran_with(&mut tokens, none).text(),
        "The action needs no token",
    );
}

#[test]
fn run_answers_a_request_once() {
    let sandbox = twitter();
    let run = |key: &str| {
        let mut run = sandbox.cvault([
            "run",
            "v.cvault",
            "update.json",
            "--request-id",
            "r1",
            "--json",
        ]);
        ran(run.args(["--token", key]))
    };
    let action = UPDATE.replace(r#"\"APIKey\": \"s3cret-2\","#, "");
    sandbox.write("update.json", &action);
    let mut first = run("Secrets:Key=1").json();
    assert_eq!(first["status"], "updated");
    first["replayed"] = true.into();
    assert_eq!(run("Secrets:Key=1").json(), first);
    // The action is the same: what its token is by now is not asked for.
    assert_eq!(run("Secrets:Key=2").json(), first);
    sandbox.write("update.json", action.replace("Timeout", "Retries"));
    assert_eq!(run("Secrets:Key=1").error(1)["code"], "request_id_reused");
}

#[test]
fn run_carries_out_a_batch() {
    let sandbox = twitter();
    let batch = r#"{"ActionType": "ExecuteActions", "Parameters": {"ActionList": [
        {"ActionType": "CredStore.AddConnectorEntry",
         "Parameters": {"TypeName": "T", "EntryName": "N", "EntryIdTokenName": "NewId"}},
        {"ActionType": "Mail.Send", "IsDeleted": true},
        {"ActionType": "Connectors.Test", "Parameters": {"EntryId": "[NewId]"}},
        {"ActionType": "CredStore.DeleteEntry", "Parameters": {"EntryId": "[NewId]"}}]}}"#;
    let run = |more: &[&str]| {
        let mut run = sandbox.cvault(["run", "v.cvault", "-"]);
        ran_with(run.args(more), batch)
    };
    let refused = run(&["--json"]).error(1);
    assert_eq!(refused["code"], "tester_missing");
    let tester = ["--test-with", "sh -c 'echo no route >&2; false'"];
    let ran = run(&tester);
    let text = ran.text();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("1. Created "), "{text}");
    assert!(lines[1].starts_with("  sets [NewId] = "), "{text}");
    assert_eq!(lines[2], "2. Skipped: the action is marked as deleted");
    assert!(
        lines[3].ends_with("version 1: does not work: no route"),
        "{text}"
    );
    assert!(lines[5].starts_with("4. Deleted "), "{text}");
    let failed = run(&["--test-with", "/no/such/program", "--json"]).error(1);
    assert_eq!(failed["code"], "tester_failed");
    assert_eq!(
        run(&["--test-with", "'", "--json"]).error(2)["code"],
        "usage"
    );
}

#[test]
fn run_adds_and_deletes() {
    let sandbox = Sandbox::new();
    let add = r#"{"ActionType": "CredStore.AddConnectorEntry", "Parameters": {"TypeName": "T", "EntryName": "N"}}"#;
    let mut plan = sandbox.cvault(["run", "v.cvault", "-", "--plan"]);
    check_text(
        ran_with(&mut plan, add).text(),
        "Plan: creates a connector; nothing is written",
    );
    let made = ran_with(&mut sandbox.cvault(["run", "v.cvault", "-", "--json"]), add).json();
    let id = made["id"].as_str().unwrap();
    let delete = format!(
        r#"{{"ActionType": "CredStore.DeleteEntry", "Parameters": {{"EntryId": "{id}"}}}}"#
    );
    let gone = ran_with(&mut sandbox.cvault(["run", "v.cvault", "-"]), &delete);
    check_text(gone.text(), &format!("Deleted {id}, version 1 -> 2"));
    let refused = ran_with(&mut sandbox.cvault(["run", "v.cvault", "-", "--json"]), "{");
    assert_eq!(refused.error(1)["code"], "invalid_json");
}

#[test]
fn a_value_that_no_token_uses_is_told() {
    let sandbox = twitter();
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "twitterConnectorId",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "abc[def=ghi]jkl"}]}}"#;
    let mut run = sandbox.cvault(["run", "v.cvault", "-", "--token", "Secrets:Key=s3cret"]);
    let ran = ran_with(&mut run, action);
    let told = "warning: property \"APIKey\": the token [def] has no value; its default was used; if it is meant as \
                text, write &#91; for its bracket\n\
                warning: no token of the action uses the value given for \"Secrets:Key\"\n";
    assert_eq!(ran.stderr, told);
}

#[test]
fn run_and_tokens_tell_all_that_is_wrong_with_an_action() {
    let sandbox = twitter();
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryID": "x",
        "Properties": [{"PropertyName": "", "PropertyValue": "[a|none]"}, {"PropertyName": "b"}]}}"#;
    sandbox.write("action.json", action);
    let run = |args: &[&str]| ran(sandbox.cvault([]).args(args));
    let codes = |error: &serde_json::Value| -> Vec<String> {
        let further = error["further"].as_array().into_iter().flatten();
        let all = std::iter::once(error).chain(further);
        all.map(|error| error["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = [
        "unknown_parameter",
        "missing_parameter",
        "empty_property_name",
        "missing_property_value",
        "invalid_token_format",
    ];
    let error = run(&["run", "v.cvault", "action.json", "--json"]).error(1);
    assert_eq!(codes(&error), all);
    assert_eq!(error["further"][0]["hint"], serde_json::Value::Null);
    let error = run(&["tokens", "action.json", "--json"]).error(1);
    assert_eq!(codes(&error), all);
    let without = ["run", "v.cvault", "action.json", "--no-tokens", "--json"];
    assert_eq!(
        codes(&run(&without).error(1)),
        all[..4],
        "brackets are text"
    );

    let told = run(&["run", "v.cvault", "action.json", "--plan"]);
    assert_eq!(told.stderr.matches("error: ").count(), all.len());
    assert!(told.stderr.contains("hint: did you mean EntryId?"));
}
