//! `import` of other tools' exports, and of connectors that are there already.

use serde_json::{Value, json};

use crate::check_text;
use crate::support::{Ran, Sandbox, ran, ran_with, twitter};

/// Two connectors, one of them the platform's example with a new key.
const TABLE: &str = "id,name,type,APIKey,Timeout\n\
                     twitterConnectorId,Twitter,X,s3cret-2,60s\n\
                     slack,Slack,Slack,s3cret-3,\n";

fn shown(sandbox: &Sandbox, id: &str) -> Value {
    sandbox
        .run(["show", "v.cvault", id, "--reveal", "--json"])
        .json()
}

fn import<const N: usize>(sandbox: &Sandbox, options: [&str; N]) -> Ran {
    let mut import = sandbox.cvault(["import", "v.cvault"]);
    crate::support::ran(import.args(options))
}

#[test]
fn an_id_that_is_taken_fails_skips_or_updates() {
    let sandbox = twitter();
    sandbox.write("all.csv", TABLE);
    let before = sandbox.bytes();

    let taken = import(&sandbox, ["all.csv", "--json"]).error(1);
    assert_eq!(taken["code"], "connector_exists");
    let told = taken.to_string();
    for part in ["line 2", "twitterConnectorId", "--on-conflict"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(sandbox.bytes() == before, "all or none");

    let plan = import(
        &sandbox,
        ["all.csv", "--json", "--plan", "--on-conflict", "update"],
    )
    .json();
    assert_eq!(plan["outcomes"][0]["status"], "planned");
    assert_eq!(plan["outcomes"][1]["status"], "planned");
    assert!(sandbox.bytes() == before, "a plan writes nothing");

    let skipped = import(&sandbox, ["all.csv", "--json", "--on-conflict", "skip"]).json();
    assert_eq!(skipped["skipped"], json!(["twitterConnectorId"]));
    assert_eq!(skipped["outcomes"][0]["id"], "slack");
    assert_eq!(skipped["not_taken"], json!([]));
    assert_eq!(
        shown(&sandbox, "twitterConnectorId")["properties"]["APIKey"],
        "s3cret-1"
    );

    let updated = import(&sandbox, ["all.csv", "--json", "--on-conflict", "update"]).json();
    let outcomes = &updated["outcomes"];
    assert_eq!(outcomes[0]["status"], "updated");
    assert_eq!(outcomes[1]["status"], "unchanged");
    let warned: Vec<_> = outcomes[0]["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| &w["code"])
        .collect();
    assert_eq!(warned, ["name_kept", "name_kept"]);
    let twitter = shown(&sandbox, "twitterConnectorId");
    assert_eq!(
        (&twitter["name"], &twitter["type"], &twitter["version"]),
        (&json!("Twitter API"), &json!("Twitter"), &json!(2))
    );
    assert_eq!(
        twitter["properties"],
        json!({"APIKey": "s3cret-2", "Endpoint": "endpoint1", "Timeout": "60s"})
    );

    let before = sandbox.bytes();
    let again = import(&sandbox, ["all.csv", "--json", "--on-conflict", "update"]).json();
    assert_eq!(again["outcomes"][0]["status"], "unchanged");
    let again = import(&sandbox, ["all.csv", "--json", "--on-conflict", "skip"]).json();
    assert_eq!(again["outcomes"], json!([]));
    assert!(
        sandbox.bytes() == before,
        "nothing differs, nothing is written"
    );
}

#[test]
fn people_read_how_many() {
    let sandbox = twitter();
    sandbox.write("all.csv", TABLE);
    let plan = import(&sandbox, ["all.csv", "--plan", "--on-conflict", "update"]);
    check_text(
        plan.text(),
        "Plan: imports 1 connector, updates 1 connector; nothing is written\n\
         twitterConnectorId\n~ APIKey  ****** -> ******\n+ Timeout = ******\n\
         slack\n+ APIKey = ******",
    );
    let skip = import(&sandbox, ["all.csv", "--on-conflict", "skip"]);
    check_text(skip.text(), "Imported 1 connector, skipped 1 connector");
    let update = import(&sandbox, ["all.csv", "--on-conflict", "update"]);
    check_text(
        update.text(),
        "Updated 1 connector, left unchanged 1 connector",
    );
    assert!(update.stderr.contains("keeps its name"), "{update:?}");
    assert!(!format!("{plan:?}{skip:?}{update:?}").contains("s3cret"));
}

#[test]
fn a_connector_that_is_there_keeps_its_meta() {
    let sandbox = twitter();
    let add = ["add", "v.cvault", "--id", "y", "--name", "Y", "--type", "T"];
    ran(sandbox.cvault(add).args(["--meta", "tags=a b"])).text();
    let document = |tags: &str| {
        json!({"connectors": [{"id": "y", "name": "Y", "type": "T", "meta": {"tags": tags},
            "properties": {"APIKey": "s3cret-2"}}]})
        .to_string()
    };
    let update = |document: &str| {
        let mut command = sandbox.cvault(["import", "v.cvault", "-", "--json"]);
        ran_with(command.args(["--on-conflict", "update"]), document)
    };
    let updated = update(&document("others")).json();
    assert_eq!(updated["outcomes"][0]["status"], "updated");
    assert_eq!(updated["outcomes"][0]["warnings"][0]["code"], "name_kept");
    assert_eq!(shown(&sandbox, "y")["meta"], json!({"tags": "a b"}));
    let same = update(&document("a b")).json();
    assert_eq!(same["outcomes"][0]["warnings"], json!([]), "{same}");
    sandbox.write("y.csv", "id,name,type,APIKey\ny,Y,T,s3cret-3\n");
    let none = import(&sandbox, ["y.csv", "--json", "--on-conflict", "update"]).json();
    assert_eq!(none["outcomes"][0]["warnings"], json!([]), "{none}");
    assert_eq!(shown(&sandbox, "y")["meta"], json!({"tags": "a b"}));
    let refused = update(&document("")).error(1);
    assert_eq!(refused["code"], "invalid_argument", "{refused}");
}

#[test]
fn a_deleted_connector_is_created_again() {
    let sandbox = twitter();
    sandbox
        .run(["delete", "v.cvault", "twitterConnectorId"])
        .text();
    sandbox.write("all.csv", TABLE);
    for option in ["skip", "update"] {
        let plan = import(
            &sandbox,
            ["all.csv", "--json", "--plan", "--on-conflict", option],
        )
        .json();
        assert_eq!(plan["skipped"], json!([]));
        assert_eq!(plan["outcomes"][0]["version_after"], 3, "{plan}");
    }
}

#[test]
fn what_is_not_taken_over_is_listed() {
    let sandbox = Sandbox::new();
    let export = r#"{"encrypted": false, "items": [
        {"id": "i-1", "type": 1, "name": "Shop", "login": {"username": "ann", "password": "s3cret"},
         "passwordHistory": [{"password": "s3cret-0"}]}]}"#;
    let mut command = sandbox.cvault(["import", "v.cvault", "-"]);
    let imported = ran_with(&mut command, export);
    assert_eq!(imported.text(), "Imported 1 connector\n");
    assert_eq!(
        imported.stderr,
        "warning: i-1: not taken over: its former passwords\n"
    );
    let mut command = sandbox.cvault([
        "import",
        "v.cvault",
        "-",
        "--json",
        "--on-conflict",
        "update",
    ]);
    let imported = ran_with(&mut command, export).json();
    assert_eq!(
        imported["not_taken"],
        json!([{"entry": "i-1", "what": "its former passwords"}])
    );
    let all = sandbox.run(["list", "v.cvault", "--json"]).json();
    assert_eq!(all["connectors"].as_array().unwrap().len(), 1);
}

#[test]
fn the_kind_is_detected_or_given() {
    let sandbox = Sandbox::new();
    sandbox.write("prod.env", "\u{feff}APIKey='s3cret'\n");
    let imported = import(&sandbox, ["prod.env", "--json"]);
    assert_eq!(imported.warned(), ["byte_order_mark"]);
    assert_eq!(
        shown(&sandbox, "prod")["properties"],
        json!({"APIKey": "s3cret"})
    );

    sandbox.write("what", "s3cret and more\n");
    let unknown = import(&sandbox, ["what", "--json"]).error(1);
    assert_eq!(unknown["code"], "kind_required");
    assert!(unknown["hint"].to_string().contains("--from"), "{unknown}");
    let given = import(&sandbox, ["what", "--json", "--from", "env"]).error(1);
    assert_eq!(given["code"], "invalid_export");
    assert!(given["message"].to_string().contains("line 1"), "{given}");
    assert!(!given.to_string().contains("s3cret"), "{given}");
    let wrong = import(&sandbox, ["what", "--json", "--from", "keychain"]).error(2);
    assert_eq!(wrong["code"], "usage");
    assert!(
        wrong["message"].to_string().contains("bitwarden"),
        "{wrong}"
    );
}

#[test]
fn masks_are_refused_by_entry() {
    let sandbox = Sandbox::new();
    sandbox.write("all.csv", "id,APIKey\na,s3cret\nb,***\n");
    let before = sandbox.bytes();
    let refused = import(&sandbox, ["all.csv", "--json", "--on-conflict", "update"]).error(1);
    assert_eq!(refused["code"], "mask_value");
    assert!(
        refused["message"]
            .to_string()
            .contains("line 3 (\\\"b\\\")"),
        "{refused}"
    );
    assert!(sandbox.bytes() == before, "all or none");
    import(&sandbox, ["all.csv", "--json", "--allow-mask"]).json();
}

/// The file of an export that the reader's own tests have.
fn export(name: &str) -> Vec<u8> {
    let exports = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../connector-vault-import/tests/exports/"
    );
    std::fs::read(format!("{exports}{name}")).unwrap()
}

#[test]
fn the_key_of_an_export_comes_from_a_file_or_a_variable() {
    let sandbox = Sandbox::new();
    sandbox.write("n8n.json", export("n8n/encrypted.json"));
    let refused = import(&sandbox, ["n8n.json", "--json"]).error(1);
    assert_eq!(refused["code"], "source_key_required");
    let hint = refused["hint"].to_string();
    assert!(
        hint.contains("encryptionKey") && hint.contains("--source-key-file"),
        "{hint}"
    );

    sandbox.write("key", "source k\u{e9}y\n");
    let imported = import(&sandbox, ["n8n.json", "--json", "--source-key-file", "key"]).json();
    assert_eq!(imported["outcomes"].as_array().unwrap().len(), 20);
    assert_eq!(
        shown(&sandbox, "cred000000000001")["properties"]["password"],
        "pass-1"
    );

    let options = [
        "n8n.json",
        "--json",
        "--on-conflict",
        "update",
        "--source-key-env",
        "N8N_KEY",
    ];
    let with = |key: Option<&str>| {
        let mut command = sandbox.cvault(["import", "v.cvault"]);
        command.args(options);
        if let Some(key) = key {
            command.env("N8N_KEY", key);
        }
        crate::support::ran(&mut command)
    };
    let again = with(Some("source k\u{e9}y")).json();
    assert_eq!(again["outcomes"][19]["status"], "unchanged");
    for (key, code) in [
        (Some("s3cret"), "wrong_source_key"),
        (Some(""), "empty_value"),
        (None, "variable_not_set"),
    ] {
        let refused = with(key);
        assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
        assert_eq!(refused.error(1)["code"], code);
    }
    let both = [
        "n8n.json",
        "--json",
        "--source-key-file",
        "key",
        "--source-key-env",
        "N8N_KEY",
    ];
    assert_eq!(import(&sandbox, both).error(2)["code"], "usage");
}

#[test]
fn credentials_of_node_red_are_called_after_the_nodes_of_the_flows_beside_them() {
    let sandbox = Sandbox::new();
    sandbox.write("key", "source key\n");
    sandbox.write("flows_cred.json", export("node-red/flows_cred.json"));
    let options = [
        "flows_cred.json",
        "--source-key-file",
        "key",
        "--json",
        "--plan",
    ];
    let without = import(&sandbox, options);
    let not_taken = without.json()["not_taken"].as_array().unwrap().len();
    assert_eq!(not_taken, 4, "{without:?}");

    sandbox.write("flows.json", export("node-red/flows.json"));
    for file in ["flows.json", "flows_cred.json"] {
        let options = [
            file,
            "--source-key-file",
            "key",
            "--json",
            "--on-conflict",
            "update",
        ];
        let imported = import(&sandbox, options).json();
        assert_eq!(imported["not_taken"], json!([]));
    }
    assert_eq!(shown(&sandbox, "b0f5aa11.000001")["name"], "Plant broker");
}
