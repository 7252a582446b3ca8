//! Connectors without an action.

use std::fs;

use serde_json::{Value, json};

use crate::check_text;
use crate::support::{Sandbox, ran, ran_with, twitter};

#[test]
fn add_takes_values_literally() {
    let sandbox = Sandbox::new();
    sandbox.write("key", "line 1\nline 2\n");
    sandbox.write(
        "more.json",
        r#"{"Text": "[Not:A=token]", "Number": 1.0, "List": [1, 2]}"#,
    );
    let mut add = sandbox.cvault(["add", "v.cvault", "--name", "N", "--type", "T"]);
    add.args([
        "--id",
        "x",
        "--from-json",
        "more.json",
        "--set-file",
        "Key=key",
        "--set-env",
        "Var=FROM",
    ]);
    check_text(
        ran(add.env("FROM", "s3cret")).text(),
        "Created x, version 1\n+ Text = ******\n+ Number = ******\n+ List = ******\n+ Key = ******\n+ Var = ******",
    );
    let shown = sandbox
        .run(["show", "v.cvault", "x", "--reveal", "--json"])
        .json();
    let expected = json!({"Text": "[Not:A=token]", "Number": "1.0", "List": "[1,2]",
                          "Key": "line 1\nline 2\n", "Var": "s3cret"});
    assert_eq!(shown["properties"], expected);

    let add = |more: &[&str]| {
        let mut add = sandbox.cvault(["add", "v.cvault", "--name", "N", "--type", "T", "--json"]);
        ran_with(add.args(more), r#"{"A": "***"}"#)
    };
    let made = add(&[]).json();
    assert_eq!(made["id"].as_str().unwrap().len(), 36);
    assert_eq!(add(&["--id", "x"]).error(1)["code"], "connector_exists");
    assert_eq!(add(&["--from-json", "-"]).error(1)["code"], "mask_value");
    assert_eq!(
        add(&["--from-json", "-", "--allow-mask"]).json()["status"],
        "created"
    );
    assert_eq!(
        add(&["--set-env", "A=NOT_SET"]).error(1)["code"],
        "variable_not_set"
    );
    assert_eq!(add(&["--set-env", "A"]).error(2)["code"], "usage");
    assert_eq!(
        add(&["--set-file", "Key=key", "--set-file", "Key=key"]).error(2)["code"],
        "usage"
    );
}

#[test]
fn list() {
    let sandbox = twitter();
    check_text(
        sandbox.run(["list", "v.cvault"]).text(),
        "ID                  NAME         TYPE     VERSION  UPDATED               PROPERTIES\n\
         twitterConnectorId  Twitter API  Twitter  1        <..>Z  APIKey, Endpoint",
    );
    let mut listed = sandbox.run(["list", "v.cvault", "--json"]).json();
    let at = listed["connectors"][0]["updated_at"].take();
    assert!(at.as_str().unwrap().ends_with('Z'));
    for of_the_create in ["created_at", "rotated_at"] {
        assert_eq!(listed["connectors"][0][of_the_create].take(), at);
    }
    let expected = json!({"connectors": [{
        "id": "twitterConnectorId", "group": "default", "name": "Twitter API", "type": "Twitter", "version": 1,
        "updated_at": null, "created_at": null, "rotated_at": null, "meta": {}, "properties": ["APIKey", "Endpoint"]}]});
    assert_eq!(listed, expected);
}

#[test]
fn meta_is_for_everybody_who_lists() {
    let sandbox = twitter();
    let add = [
        "add", "v.cvault", "--id", "y", "--name", "Y", "--type", "T", "--json",
    ];
    let mut command = sandbox.cvault(add);
    command.args(["--meta", "description=of billing", "--meta", "tags=a b=c"]);
    assert_eq!(ran(&mut command).json()["status"], "created");
    let shown = sandbox.run(["show", "v.cvault", "y", "--json"]).json();
    assert_eq!(
        shown["meta"],
        json!({"description": "of billing", "tags": "a b=c"})
    );
    let shown = sandbox.run(["show", "v.cvault", "y"]);
    assert!(
        shown.text().contains("  description: of billing\n"),
        "{shown:?}"
    );
    let mut command = sandbox.cvault(["add", "v.cvault", "--name", "Z", "--type", "T"]);
    let refused = ran(command.args(["--meta", "description", "--json"]));
    assert_eq!(refused.error(2)["code"], "usage");
    // It goes with the connector to another vault.
    let exported = sandbox.run(["export", "v.cvault", "--reveal", "--out", "all.json"]);
    assert_eq!(exported.code, 0, "{exported:?}");
    for id in ["y", "twitterConnectorId"] {
        assert_eq!(sandbox.run(["delete", "v.cvault", id]).code, 0);
    }
    assert_eq!(sandbox.run(["import", "v.cvault", "all.json"]).code, 0);
    let shown = sandbox.run(["show", "v.cvault", "y", "--json"]).json();
    assert_eq!(shown["meta"]["tags"], "a b=c");
}

#[test]
fn show() {
    let sandbox = twitter();
    check_text(
        sandbox
            .run(["show", "v.cvault", "twitterConnectorId"])
            .text(),
        "twitterConnectorId (Twitter API), type Twitter, version 1, <..>\n\
         \x20 APIKey = ******\n  Endpoint = ******\n  --reveal shows the values",
    );
    let shown = sandbox
        .run(["show", "v.cvault", "twitterConnectorId", "--json"])
        .json();
    assert_eq!(shown["properties"], json!(["APIKey", "Endpoint"]));
    check_text(
        sandbox
            .run(["show", "v.cvault", "twitterConnectorId", "--reveal"])
            .text(),
        "twitterConnectorId (Twitter API), type Twitter, version 1, <..>\n\
         \x20 APIKey = s3cret-1\n  Endpoint = endpoint1",
    );
}

#[test]
fn commands_name_a_similar_connector() {
    let sandbox = twitter();
    let commands: [&[&str]; 11] = [
        &["show"],
        &["show", "--reveal"],
        &["show", "--version", "1"],
        &["show", "--version", "1", "--reveal"],
        &["history"],
        &["diff", "1", "1"],
        &["restore", "1"],
        &["delete"],
        &["describe", "--name", "N"],
        &["move", "--to", "default"],
        &["purge", "--yes"],
    ];
    for command in commands {
        let (name, more) = command.split_first().unwrap();
        let args = [*name, "v.cvault", "TwitterConnectorId", "--json"];
        let near = ran(sandbox.cvault(args).args(more)).error(1);
        assert_eq!(near["code"], "connector_not_found", "{command:?}");
        let hint = "did you mean \"twitterConnectorId\"?";
        assert_eq!(near["hint"], hint, "{command:?}");
    }
}

#[test]
fn show_keeps_the_order_and_old_versions() {
    let sandbox = twitter();
    sandbox
        .run(["run", "v.cvault", "update.json", "--token", "Secrets:Key=k"])
        .text();
    let reveal = [
        "show",
        "v.cvault",
        "twitterConnectorId",
        "--reveal",
        "--json",
    ];
    let now = sandbox.run(reveal);
    let end = r#""properties":{"APIKey":"s3cret-2","Endpoint":"endpoint1","Timeout":"60s"}}"#;
    assert!(now.text().trim_end().ends_with(end), "{now:?}");
    let then = ran(sandbox.cvault(reveal).args(["--version", "1"])).json();
    assert_eq!(then["version"], 1);
    assert_eq!(then["properties"]["APIKey"], "s3cret-1");
    for version in ["7", "0"] {
        let gone = ran(sandbox.cvault(reveal).args(["--version", version])).error(1);
        let code = if version == "0" {
            "invalid_argument"
        } else {
            "version_not_found"
        };
        assert_eq!(gone["code"], code);
    }
}

#[test]
fn history_restore_and_delete() {
    let sandbox = twitter();
    sandbox
        .run([
            "run",
            "v.cvault",
            "update.json",
            "--token",
            "Secrets:Key=k",
            "--note",
            "monthly",
        ])
        .text();
    check_text(
        sandbox
            .run(["restore", "v.cvault", "twitterConnectorId", "1"])
            .text(),
        "Restored twitterConnectorId, version 2 -> 3\n~ APIKey  ****** -> ******\n- Timeout",
    );
    let deleted = sandbox
        .run(["delete", "v.cvault", "twitterConnectorId", "--json"])
        .json();
    assert_eq!(deleted["status"], "deleted");
    check_text(
        sandbox
            .run(["history", "v.cvault", "twitterConnectorId"])
            .text(),
        "VERSION  OP            AT                    SIGNED BY  CHANGED           NOTE\n\
         1        create        <..>Z  ops        APIKey, Endpoint\n\
         2        update        <..>Z  ops        APIKey, Timeout   monthly\n\
         3        restore of 1  <..>Z  ops        APIKey, Timeout\n\
         4        delete        <..>Z  ops",
    );
    let history = sandbox
        .run(["history", "v.cvault", "twitterConnectorId", "--json"])
        .json();
    let mut second = history["versions"][1].clone();
    second["at"].take();
    let expected = json!({"version": 2, "op": "update", "at": null, "author": "ops",
                          "signed_by": "ops", "changed": ["APIKey", "Timeout"], "source": null});
    assert_eq!(second, expected);
    let gone = sandbox.run(["delete", "v.cvault", "twitterConnectorId", "--json"]);
    assert_eq!(gone.error(1)["code"], "connector_not_found");
    let gone = sandbox.run(["restore", "v.cvault", "nobody", "1", "--json"]);
    assert_eq!(gone.error(1)["code"], "connector_not_found");
}

#[test]
fn export_and_import() {
    let sandbox = twitter();
    let refused = sandbox.run(["export", "v.cvault", "--json"]);
    assert_eq!(refused.error(2)["code"], "usage");
    let written = sandbox.run(["export", "v.cvault", "--reveal", "--out", "all.json"]);
    check_text(
        written.text(),
        "Wrote 1 connector with their values, in clear, to all.json",
    );
    let path = sandbox.dir.path().join("all.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let exported = sandbox
        .run(["export", "v.cvault", "--reveal", "--json"])
        .json();
    let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(exported, file);
    let shown = sandbox
        .run([
            "show",
            "v.cvault",
            "twitterConnectorId",
            "--reveal",
            "--json",
        ])
        .json();
    let mut of_group = exported.clone();
    of_group["connectors"][0]["group"] = json!("default");
    assert_eq!(of_group, json!({ "connectors": [shown] }));
    let again = sandbox.run([
        "export", "v.cvault", "--reveal", "--out", "all.json", "--json",
    ]);
    assert_eq!(again.error(1)["code"], "file_exists");

    let other = Sandbox::new();
    let import = |text: &str| {
        ran_with(
            &mut other.cvault(["import", "v.cvault", "-", "--json"]),
            text,
        )
    };
    // What `show` says of the group does not count.
    let imported = import(&of_group.to_string()).json();
    assert_eq!(imported["outcomes"][0]["id"], "twitterConnectorId");
    let there = other
        .run([
            "show",
            "v.cvault",
            "twitterConnectorId",
            "--reveal",
            "--json",
        ])
        .json();
    assert_eq!(there["properties"], shown["properties"]);

    let before = other.bytes();
    let entry = |id: &str| {
        format!(r#"{{"id": "{id}", "name": "N", "type": "T", "properties": {{"A": "s3cret"}}}}"#)
    };
    for (text, code) in [
        (
            format!("[{}, {}]", entry("new"), entry("twitterConnectorId")),
            "connector_exists",
        ),
        (
            format!("[{}, {}]", entry("new"), entry("new")),
            "connector_exists",
        ),
        (
            format!("[{}]", entry("new").replace(r#""s3cret""#, "null")),
            "null_value",
        ),
        (
            format!(
                "[{}]",
                entry("new").replace(r#"{"A": "#, r#"{"A": 1, "A": "#)
            ),
            "duplicate_name",
        ),
        (
            format!("[{}]", entry("new").replace("name", "nome")),
            "unknown_parameter",
        ),
        (format!("[{}]", entry("")), "invalid_connector_id"),
        ("[".to_owned(), "invalid_json"),
    ] {
        let refused = import(&format!(r#"{{"connectors": {text}}}"#));
        assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
        assert_eq!(refused.error(1)["code"], code, "{text}");
    }
    assert!(other.bytes() == before, "nothing was changed");
}

#[test]
fn white_space_around_a_value_is_told_wherever_it_comes_in() {
    let sandbox = twitter();
    let document = r#"{"connectors": [{"id": "a", "name": "A", "type": "X", "properties": {"K": "s3cret\n"}}]}"#;
    let imported = ran_with(&mut sandbox.cvault(["import", "v.cvault", "-"]), document);
    assert_eq!(imported.text(), "Imported 1 connector\n");
    let told = "warning: a: the value of the property \"K\" has a line break at its end\n";
    assert_eq!(imported.stderr, told);

    sandbox.write("key", "line 1\nline 2\n");
    let mut add = sandbox.cvault(["add", "v.cvault", "--name", "N", "--type", "T"]);
    let added = ran(add.args(["--set-file", "K=key", "--json"]));
    assert_eq!(added.json()["warnings"][0]["code"], "surrounding_space");
}
