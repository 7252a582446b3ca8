//! Several documents in one `run`.

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, cvault, ran, ran_with, twitter};

fn update(id: &str, name: &str, value: &str) -> String {
    let parameters =
        json!({"EntryId": id, "Properties": [{"PropertyName": name, "PropertyValue": value}]});
    json!({"ActionType": "Connectors.Update", "Parameters": parameters}).to_string()
}

fn with_two() -> Sandbox {
    let sandbox = twitter();
    sandbox.add("second", "N", "T", &connector_vault::Properties::new());
    sandbox
}

/// `run v.cvault - --json ..` of these lines.
fn run(sandbox: &Sandbox, lines: &[&str], more: &[&str]) -> Ran {
    let mut run = sandbox.cvault(["run", "v.cvault", "-", "--json"]);
    ran_with(run.args(more), &lines.join("\n"))
}

fn lines(ran: &Ran) -> Vec<Value> {
    let lines = ran.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn commits(sandbox: &Sandbox) -> usize {
    sandbox.run(["log", "v.cvault", "--json"]).lines().len()
}

#[test]
fn each_document_has_a_line_and_a_commit() {
    let sandbox = with_two();
    let before = commits(&sandbox);
    let (one, two) = (
        update("second", "A", "1"),
        update("twitterConnectorId", "A", "2"),
    );
    let both = run(&sandbox, &[&one, "", &two, &one, ""], &[]).lines();
    let told: Vec<_> = both
        .iter()
        .map(|line| (&line["id"], &line["status"]))
        .collect();
    let expected = ["second", "twitterConnectorId", "second"].map(Value::from);
    assert!(told.iter().map(|(id, _)| *id).eq(&expected), "{told:?}");
    assert_eq!(told[2].1, "unchanged", "it sees what the first one did");
    assert_eq!(commits(&sandbox), before + 2);

    sandbox.write("one.json", update("second", "A", "3"));
    sandbox.write("more.jsonl", format!("{one}\r\n{two}\r\n"));
    let files = sandbox.run([
        "run",
        "v.cvault",
        "one.json",
        "more.jsonl",
        "--json",
        "--note",
        "bulk",
    ]);
    assert_eq!(files.lines().len(), 3);

    let planned = run(&sandbox, &[&update("second", "A", "4"), &two], &["--plan"]).lines();
    assert_eq!(
        [&planned[0]["status"], &planned[1]["status"]],
        ["planned", "unchanged"]
    );
}

#[test]
fn a_document_that_fails_does_not_stop_the_others() {
    let sandbox = with_two();
    let documents = [
        &update("second", "A", "s3cret-1"),
        &update("nobody", "A", "s3cret-2"),
        "s3cret-3",
        &update("", "A", "s3cret-4"),
        "{\"ActionType\": \"Conn",
        &update("twitterConnectorId", "A", "s3cret-5"),
    ];
    let done = run(&sandbox, &documents, &[]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        !done.stdout.contains("s3cret") && !done.stderr.contains("s3cret"),
        "{done:?}"
    );
    let found = lines(&done);
    let codes: Vec<_> = found
        .iter()
        .map(|line| line["error"]["code"].as_str())
        .collect();
    let expected = [
        None,
        Some("connector_not_found"),
        Some("invalid_json"),
        Some("missing_parameter"),
        Some("invalid_json"),
        None,
    ];
    assert_eq!(codes, expected);
    assert_eq!(
        [&found[0]["status"], &found[5]["status"]],
        ["updated", "updated"]
    );
    let message = found[1]["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("standard input, line 2: "), "{message}");
    let error: Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!(error["error"]["code"], "actions_failed");
    assert_eq!(error["error"]["message"], "4 of 6 documents failed");

    let people = ran_with(
        &mut sandbox.cvault(["run", "v.cvault", "-"]),
        &documents[..2].join("\n"),
    );
    assert_eq!(people.code, 1);
    assert!(
        people.stdout.starts_with("1. Unchanged second"),
        "{people:?}"
    );
    assert!(people.stdout.ends_with("2. Failed\n"), "{people:?}");
    assert!(people.stderr.contains("line 2: "), "{people:?}");
}

#[test]
fn atomic_is_one_commit_or_none() {
    let sandbox = with_two();
    let before = sandbox.bytes();
    let batch = format!(
        r#"{{"ActionType": "ExecuteActions", "Parameters": {{"ActionList": [{}, {}]}}}}"#,
        update("second", "B", "1"),
        update("second", "B", "2")
    );
    let (first, last) = (
        update("second", "A", "1"),
        update("twitterConnectorId", "A", "3"),
    );
    let good = [&*first, &batch, &last];
    for (bad, code, place) in [
        (
            update("nobody", "A", "1"),
            "connector_not_found",
            "standard input, line 4: there is no connector",
        ),
        (
            update("second", "A", "[X]"),
            "token_unresolved",
            "standard input, line 4: ",
        ),
        (
            update("", "A", "1"),
            "missing_parameter",
            "standard input, line 4: ",
        ),
        (
            batch.replace("second", "nobody"),
            "connector_not_found",
            "standard input, line 4: action 1 of ActionList: ",
        ),
    ] {
        let documents = [good[0], good[1], good[2], bad.as_str()];
        let refused = run(&sandbox, &documents, &["--atomic"]).error(1);
        assert_eq!(refused["code"], code);
        let message = refused["message"].as_str().unwrap();
        assert!(message.starts_with(place), "{message}");
        assert!(sandbox.bytes() == before, "nothing was changed");
    }
    let wrong = [
        &*update("", "A", "1"),
        good[0],
        "s3cret",
        &update("second", "", "1"),
    ];
    let refused = run(&sandbox, &wrong, &["--atomic"]).error(1);
    let further = refused["further"].as_array().unwrap();
    let codes: Vec<_> = further
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["invalid_json", "empty_property_name"]);

    let planned = run(&sandbox, &good, &["--atomic", "--plan"]).lines();
    assert_eq!(planned.len(), 3);
    assert!(sandbox.bytes() == before, "nothing was changed");
    let count = commits(&sandbox);
    let done = run(&sandbox, &good, &["--atomic"]).lines();
    assert_eq!(commits(&sandbox), count + 1);
    assert_eq!(done.len(), 3);
    assert_eq!(
        [&done[0]["version_after"], &done[2]["version_after"]],
        [2, 2]
    );
    let of_batch = done[1]["outcomes"].as_array().unwrap();
    let versions: Vec<_> = of_batch
        .iter()
        .map(|outcome| outcome["version_after"].clone())
        .collect();
    assert_eq!(versions, [3, 4]);
}

/// As in a batch, a later document sees the tokens that an earlier one sets.
#[test]
fn atomic_documents_see_what_earlier_ones_set() {
    let sandbox = Sandbox::new();
    let add = r#"{"ActionType": "CredStore.AddConnectorEntry", "Parameters": {"TypeName": "T", "EntryName": "N", "EntryIdTokenName": "New"}}"#;
    let set = update("[New]", "A", "1");
    let done = run(&sandbox, &[add, &set], &["--atomic"]).lines();
    assert_eq!(done[0]["outputs"]["New"], done[1]["id"]);
    let each = run(&sandbox, &[add, &set], &[]);
    assert_eq!(lines(&each)[1]["error"]["code"], "token_unresolved");
}

#[test]
fn documents_share_tokens() {
    let sandbox = with_two();
    let (one, two) = (
        update("second", "A", "[K]"),
        update("twitterConnectorId", "APIKey", "[L(x=1)][K]"),
    );
    let tokens = [
        "--token-random",
        "K",
        "--token",
        "L(x=1)=l",
        "--token",
        "Unused=x",
    ];
    for more in [&[][..], &["--atomic"]] {
        let done = run(&sandbox, &[&one, &two], &[&tokens[..], more].concat());
        let told = lines(&done);
        assert_eq!(
            [&told[0]["status"], &told[1]["status"]],
            ["updated", "updated"]
        );
        let warned = told
            .iter()
            .flat_map(|line| line["warnings"].as_array().unwrap());
        let warned: Vec<_> = warned.map(|warning| warning["code"].clone()).collect();
        match more.is_empty() {
            true => assert_eq!(
                (done.warned(), warned),
                (vec!["token_unused".to_owned()], vec![])
            ),
            false => assert_eq!(
                (done.warned(), warned),
                (vec![], vec!["token_unused".into()])
            ),
        }
        let get =
            |id: &str, name: &str| sandbox.run(["get", "v.cvault", id, name]).text().to_owned();
        let first = get("second", "A");
        assert_eq!(get("twitterConnectorId", "APIKey"), format!("l{first}"));
    }
}

#[test]
fn options_of_one_action_are_refused_for_several() {
    let sandbox = with_two();
    let one = update("second", "A", "1");
    for option in [["--if-version", "1"], ["--request-id", "r"]] {
        let refused = run(&sandbox, &[&one, &one], &option);
        assert_eq!(refused.error(2)["code"], "usage", "{option:?}");
    }
    let one = run(&sandbox, &[&one], &["--atomic", "--if-version", "1"]);
    assert_eq!(one.json()["status"], "updated");
}

/// A batch that lacks a comma does not fall apart into its actions.
#[test]
fn a_broken_document_of_several_lines_is_one_document() {
    let sandbox = with_two();
    let before = sandbox.bytes();
    let batch = format!(
        "{{\"ActionType\": \"ExecuteActions\", \"Parameters\": {{\"ActionList\": [\n{}\n{}\n]}}}}",
        update("second", "A", "1"),
        update("second", "A", "2")
    );
    assert_eq!(
        run(&sandbox, &[&batch], &[]).error(1)["code"],
        "invalid_json"
    );
    let behind = run(&sandbox, &[&update("second", "A", "1"), "more"], &[]);
    assert_eq!(behind.error(1)["code"], "trailing_text");
    assert!(sandbox.bytes() == before, "nothing was changed");
    let mut run = cvault(
        sandbox.dir.path(),
        ["run", "v.cvault", "-", "no.json", "--json"],
    );
    assert_eq!(ran(&mut run).error(1)["code"], "file_not_found");
}
