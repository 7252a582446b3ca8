//! `describe`, `move` and `undelete`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::check_text;
use crate::support::{Ran, Sandbox, ran, twitter};

const ID: &str = "twitterConnectorId";

fn describe(sandbox: &Sandbox, args: &[&str]) -> Ran {
    let mut command = sandbox.cvault(["describe", "v.cvault", ID, "--json"]);
    ran(command.args(args))
}

fn shown(sandbox: &Sandbox) -> Value {
    sandbox.run(["show", "v.cvault", ID, "--json"]).json()
}

#[test]
fn describe_changes_what_is_named() {
    let sandbox = twitter();
    let before = shown(&sandbox);
    let done = describe(
        &sandbox,
        &[
            "--name",
            "X of the shop",
            "--expires",
            "2027-01-31",
            "--tag",
            "billing",
            "--tag",
            "production",
            "--description",
            "of the shop",
            "--meta",
            "owner=ops=team",
        ],
    );
    let expected = json!({"status": "described", "id": ID, "version_before": 1, "version_after": 2,
                          "changes": [], "warnings": [], "tokens": [], "outputs": {}, "replayed": false});
    assert_eq!(done.json(), expected);
    let after = shown(&sandbox);
    assert_eq!(after["name"], "X of the shop");
    let meta = json!({"description": "of the shop", "expires": "2027-01-31T00:00:00.000Z",
                      "owner": "ops=team", "tags": "billing production"});
    assert_eq!(after["meta"], meta);
    for kept in ["type", "created_at", "rotated_at", "properties"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }

    // All tags are replaced; an empty text removes.
    let args = [
        "--tag",
        "x",
        "--description",
        "",
        "--meta",
        "owner=",
        "--expires",
        "2027-01-31T12:00:00Z",
    ];
    assert_eq!(describe(&sandbox, &args).json()["status"], "described");
    let meta = json!({"expires": "2027-01-31T12:00:00.000Z", "tags": "x"});
    assert_eq!(shown(&sandbox)["meta"], meta);
    let args = ["--tag", "", "--expires", "none", "--type", "Other"];
    assert_eq!(describe(&sandbox, &args).json()["status"], "described");
    let last = shown(&sandbox);
    assert_eq!(
        (&last["meta"], &last["type"]),
        (&json!({}), &json!("Other"))
    );

    let before = sandbox.bytes();
    let args = ["--tag", "", "--expires", "none", "--type", "Other"];
    assert_eq!(describe(&sandbox, &args).json()["status"], "unchanged");
    check_text(
        sandbox
            .run(["describe", "v.cvault", ID, "--name", "X of the shop"])
            .text(),
        "Unchanged twitterConnectorId, version 4: nothing differs",
    );
    assert!(sandbox.bytes() == before, "nothing is written");
}

#[test]
fn describe_refuses_what_says_nothing_or_too_much() {
    let sandbox = twitter();
    let before = sandbox.bytes();
    let long = "x".repeat(1025);
    let cases: [(&[&str], i32, &str); 12] = [
        (&[], 2, "usage"),
        (&["--expires", "tomorrow"], 2, "usage"),
        (&["--expires", "2027-02-30"], 2, "usage"),
        (&["--expires", "2027-01-31T12:00Z"], 2, "usage"),
        (&["--expires", "none", "--meta", "expires=x"], 2, "usage"),
        (&["--meta", "a=1", "--meta", "a=2"], 2, "usage"),
        (&["--tag", "two words"], 2, "usage"),
        (&["--tag", "", "--tag", "a"], 2, "usage"),
        (&["--meta", "novalue"], 2, "usage"),
        (&["--meta", "=text"], 1, "invalid_argument"),
        (&["--name", ""], 1, "invalid_connector_name"),
        (&["--description", &long], 1, "invalid_argument"),
    ];
    for (args, exit, code) in cases {
        let refused = describe(&sandbox, args).error(exit);
        assert_eq!(refused["code"], code, "{args:?} {refused}");
    }
    let told = describe(&sandbox, &["--expires", "tomorrow"]).error(2);
    assert!(
        told["message"].as_str().unwrap().contains("2027-01-31"),
        "{told}"
    );
    let near = sandbox.run([
        "describe",
        "v.cvault",
        "TwitterConnectorId",
        "--name",
        "N",
        "--json",
    ]);
    assert_eq!(
        near.error(1)["hint"],
        "did you mean \"twitterConnectorId\"?"
    );
    assert!(sandbox.bytes() == before, "nothing was changed");
}

#[test]
fn undelete_brings_back_what_was_deleted() {
    let sandbox = twitter();
    let run = [
        "run",
        "v.cvault",
        "update.json",
        "--token",
        "Secrets:Key=k",
        "--json",
    ];
    assert_eq!(sandbox.run(run).json()["status"], "updated");
    let refused = sandbox.run(["undelete", "v.cvault", ID, "--json"]);
    assert_eq!(refused.error(1)["code"], "connector_exists");

    let before = shown(&sandbox);
    let deleted = sandbox.run(["delete", "v.cvault", ID]);
    assert!(
        deleted
            .text()
            .ends_with("cvault undelete v.cvault twitterConnectorId\n"),
        "{deleted:?}"
    );
    for (more, exit, code) in [
        (&["--version", "3"][..], 1, "version_not_found"),
        (&["--version", "9"], 1, "version_not_found"),
        (&["--version", "0"], 1, "invalid_argument"),
        (&["--version", "x"], 2, "usage"),
    ] {
        let mut command = sandbox.cvault(["undelete", "v.cvault", ID, "--json"]);
        assert_eq!(
            ran(command.args(more)).error(exit)["code"],
            code,
            "{more:?}"
        );
    }
    let unknown = sandbox.run(["undelete", "v.cvault", "nobody", "--json"]);
    assert_eq!(unknown.error(1)["code"], "connector_not_found");

    check_text(
        sandbox.run(["undelete", "v.cvault", ID]).text(),
        "Restored twitterConnectorId, version 4\n+ APIKey = ******\n+ Endpoint = ******\n+ Timeout = ******",
    );
    let after = shown(&sandbox);
    for kept in [
        "name",
        "type",
        "meta",
        "created_at",
        "rotated_at",
        "properties",
    ] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    sandbox.run(["delete", "v.cvault", ID]).text();
    let older = sandbox.run(["undelete", "v.cvault", ID, "--version", "1", "--json"]);
    assert_eq!(older.json()["status"], "restored");
    let reveal = ["get", "v.cvault", ID, "APIKey"];
    assert_eq!(sandbox.run(reveal).text(), "s3cret-1");

    check_text(
        sandbox.run(["history", "v.cvault", ID]).text(),
        "VERSION  OP             AT                    SIGNED BY  CHANGED\n\
         1        create         <..>Z  ops        APIKey, Endpoint\n\
         2        update         <..>Z  ops        APIKey, Timeout\n\
         3        delete         <..>Z  ops\n\
         4        undelete of 2  <..>Z  ops        APIKey, Endpoint, Timeout\n\
         5        delete         <..>Z  ops\n\
         6        undelete of 1  <..>Z  ops        APIKey, Endpoint",
    );
    let log = sandbox.run(["log", "v.cvault", "--json"]).lines();
    let last = &log.last().unwrap()["records"][0];
    assert_eq!(
        (&last["op"], &last["source"]),
        (&json!("undelete"), &json!(1))
    );
}

/// A vault with the groups `default` and `billing`, and a connector in each: `x` and `b`.
fn two_groups() -> Sandbox {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/format");
    let text = fs::read_to_string(vectors.join("accepted-two-groups.json")).unwrap();
    let vector: Value = serde_json::from_str(&text).unwrap();
    let mut sandbox = Sandbox::new();
    let file = base16ct::lower::decode_vec(vector["file"].as_str().unwrap()).unwrap();
    fs::write(&sandbox.vault, file).unwrap();
    sandbox.identity = vector["unlock"]["identity"].as_str().unwrap().to_owned();
    sandbox.vault_id = vector["vault_id"].as_str().unwrap().to_owned();
    sandbox
}

#[test]
fn move_takes_a_connector_to_another_group() {
    let sandbox = two_groups();
    check_text(
        sandbox
            .run(["move", "v.cvault", "x", "--to", "billing"])
            .text(),
        "Moved x, version 1 -> 2",
    );
    let again = sandbox
        .run(["move", "v.cvault", "x", "--to", "billing", "--json"])
        .json();
    assert_eq!(
        (&again["status"], &again["version_after"]),
        (&json!("unchanged"), &json!(2))
    );
    assert_eq!(sandbox.run(["get", "v.cvault", "x", "APIKey"]).text(), "a");
    let back = sandbox
        .run(["move", "v.cvault", "x", "--to", "default", "--json"])
        .json();
    assert_eq!(
        (&back["status"], &back["version_after"]),
        (&json!("moved"), &json!(3))
    );
    let verified = sandbox.run(["verify", "v.cvault", "--json"]).json();
    assert_eq!(verified["ok"], true);

    let before = sandbox.bytes();
    let cases: [(&[&str], i32, &str); 4] = [
        (&["x", "--to", "nowhere"], 1, "group_not_found"),
        (&["x", "--to", ""], 1, "group_not_found"),
        (&["y", "--to", "billing"], 1, "connector_not_found"),
        (&["x"], 2, "usage"),
    ];
    for (args, exit, code) in cases {
        let mut command = sandbox.cvault(["move", "v.cvault", "--json"]);
        assert_eq!(
            ran(command.args(args)).error(exit)["code"],
            code,
            "{args:?}"
        );
    }
    assert!(sandbox.bytes() == before, "nothing was changed");
}

#[test]
fn an_editor_manages_connectors_and_no_grants() {
    let sandbox = twitter();
    let made = sandbox.run(["identity", "new", "--json"]).json();
    let mut command = sandbox.cvault(["grant", "v.cvault", "--label", "ed", "--right", "editor"]);
    let granted = ran(command.args(["--to", made["public"].as_str().unwrap(), "--json"])).json();
    assert_eq!(granted["grant"]["rights"][0]["role"], "editor");
    let editor = |args: &[&str]| {
        let mut command = sandbox.cvault([]);
        command.env("CVAULT_IDENTITY", made["identity"].as_str().unwrap());
        ran(command.args(args).arg("--json"))
    };
    let status = |args: &[&str]| editor(args).json()["status"].clone();
    assert_eq!(
        status(&["add", "v.cvault", "--id", "y", "--name", "Y", "--type", "T"]),
        "created"
    );
    assert_eq!(
        status(&["describe", "v.cvault", "y", "--name", "Z"]),
        "described"
    );
    assert_eq!(status(&["delete", "v.cvault", "y"]), "deleted");
    assert_eq!(status(&["undelete", "v.cvault", "y"]), "restored");
    for refused in [
        &["revoke", "v.cvault", "ops"][..],
        &["compact", "v.cvault"],
        &["rights", "v.cvault", "ops", "--right", "reader"],
    ] {
        assert_eq!(
            editor(refused).error(1)["code"],
            "not_permitted",
            "{refused:?}"
        );
    }
    // Less is a new epoch, and then nothing of it is permitted.
    let less = sandbox
        .run(["rights", "v.cvault", "ed", "--right", "updater", "--json"])
        .json();
    assert_eq!(less["epoch"], 2);
    for refused in [
        &["describe", "v.cvault", "y", "--name", "N"][..],
        &["move", "v.cvault", "y", "--to", "default"],
        &["delete", "v.cvault", "y"],
    ] {
        assert_eq!(
            editor(refused).error(1)["code"],
            "not_permitted",
            "{refused:?}"
        );
    }
}
