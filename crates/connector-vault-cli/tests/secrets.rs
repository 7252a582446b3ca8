//! No secret in a result, a warning, an error or a file beside the vault, unless `--reveal` asks.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs;

use connector_vault::Properties;

use support::{Ran, Sandbox, cvault, ran, ran_with};

/// Stands in every secret of these tests.
const MARK: &str = "s3cret";

#[track_caller]
fn check(ran: &Ran) {
    let told = ran.stdout.contains(MARK) || ran.stderr.contains(MARK);
    assert!(!told, "{ran:?}");
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let properties = Properties::from_json(r#"{"APIKey": "s3cret-1", "Other": "s3cret-2"}"#);
    sandbox.add("x", "Name", "Type", &properties.unwrap());
    sandbox
}

#[test]
fn results_hold_none() {
    let sandbox = sandbox();
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "x",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[K]s3cret-3"}],
        "PropertiesJson": "{\"Nested\": {\"a\": \"s3cret-4\"}}"}}"#;
    for json in [&["--json"][..], &[]] {
        for plan in [&["--plan"][..], &[]] {
            let mut run = sandbox.cvault(["run", "v.cvault", "-", "--token-env", "K=K"]);
            let ran = ran_with(run.args(json).args(plan).env("K", "s3cret-5"), action);
            assert_eq!(ran.code, 0, "{ran:?}");
            check(&ran);
        }
        for args in [
            &["list", "v.cvault"][..],
            &["show", "v.cvault", "x"],
            &["history", "v.cvault", "x"],
            &["restore", "v.cvault", "x", "1"],
            &["log", "v.cvault"],
            &["head", "v.cvault"],
            &["grants", "v.cvault"],
            &["verify", "v.cvault"],
            &["compact", "v.cvault"],
        ] {
            let ran = ran(sandbox.cvault([]).args(args).args(json));
            assert_eq!(ran.code, 0, "{ran:?}");
            check(&ran);
        }
    }
    let shown = sandbox.run(["show", "v.cvault", "x", "--reveal"]);
    assert!(shown.text().contains("s3cret-1"), "--reveal reveals");
}

#[test]
fn errors_hold_none() {
    let sandbox = sandbox();
    for action in [
        r#"{"ActionType": "s3cret"#,
        r#"s3cret"#,
        r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "x",
            "Properties": [{"PropertyName": "A", "PropertyValue": {"s3cret": 1}}]}}"#,
        r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "x",
            "PropertiesJson": "{\"A\": s3cret}"}}"#,
        r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "x",
            "PropertiesJson": "{\"A\": [K]}"}}"#,
        r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "x",
            "PropertiesJson": "[K]"}}"#,
    ] {
        let mut run = sandbox.cvault(["run", "v.cvault", "-", "--token-env", "K=K"]);
        let ran = ran_with(run.env("K", "s3cret s3cret"), action);
        assert_eq!(ran.code, 1, "{ran:?}");
        check(&ran);
    }
    for (name, value) in [
        ("CVAULT_IDENTITY", "cvault-identity-1s3cret"),
        ("CVAULT_IDENTITY", "s3cret"),
        ("CVAULT_PASSPHRASE", "s3cret passphrase"),
    ] {
        let ran = ran(cvault(sandbox.dir.path(), ["list", "v.cvault"]).env(name, value));
        assert_eq!(ran.code, 1, "{ran:?}");
        check(&ran);
    }
    sandbox.write("id", "s3cret line\n");
    let ran =
        ran(cvault(sandbox.dir.path(), ["list", "v.cvault"]).env("CVAULT_IDENTITY_FILE", "id"));
    assert_eq!(ran.code, 1, "{ran:?}");
    check(&ran);
}

/// Whatever stands where a name, a path or another argument should, may be the secret.
#[test]
fn values_in_the_place_of_names_are_not_told() {
    const VALUE: &str = "hunter2-s3cret";
    let sandbox = sandbox();
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "x",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[K]"}]}}"#;
    sandbox.write("action", action);
    let inline = action.replace("[K]", VALUE);
    let long = format!("{inline}{}", " ".repeat(5000));
    let under_a_file = format!("action/{VALUE}");
    let (key_is, dollar) = (format!("Key={VALUE}"), format!("K=${VALUE}"));
    let add = ["add", "v.cvault", "--name", "N", "--type", "T"];
    let run = ["run", "v.cvault", "action"];
    for (args, more) in [
        (&add[..], &["--set-env", &key_is][..]),
        (&add, &["--set-file", &key_is]),
        (&add, &["--set-file", &format!("Key={under_a_file}")]),
        (&add, &["--set-file", &format!("Key={long}")]),
        (&add, &["--set-env", &dollar]),
        (&add, &["--set-env", VALUE]),
        (&add, &["--set-file", VALUE]),
        (&add, &["--from-json", &inline]),
        (&add, &["--from-json", &key_is]),
        (&add, &[VALUE]),
        (&run, &["--token-env", &key_is]),
        (&run, &["--token-env", &dollar]),
        (&run, &["--token-file", &key_is]),
        (&run, &["--token", VALUE]),
        (&run, &["--tokens", &key_is]),
        (&run, &["--tokens", &inline]),
        (&run, &["--null", VALUE]),
        (&run, &["--if-version", VALUE]),
        (&run, &["--plan=hunter2-s3cret"]),
        (&run, &["--vault-id", VALUE]),
        (&run, &["--request-id", "hunter2-s3cret\n"]),
        (&run, &["--note", "hunter2-s3cret\n"]),
        (&["run", "v.cvault"], &[&inline]),
        (&["run", "v.cvault"], &[&long]),
        (&["run"], &[&inline, "v.cvault"]),
        (&["import", "v.cvault"], &[&inline]),
        (&["merge", "v.cvault"], &[&inline]),
        (&["repair", "v.cvault"], &[&inline]),
        (&["init"], &[&inline]),
        (&["passwd", "v.cvault"], &[VALUE]),
        (&["exec", "v.cvault"], &["--env", VALUE, "--", "true"]),
        (&["exec", "v.cvault"], &["--env", &key_is, "--", "true"]),
        (
            &["exec", "v.cvault"],
            &["--env", "K=hunter2-s3cret/x", "--", "true"],
        ),
        (
            &["exec", "v.cvault"],
            &["--env", "K=x/hunter2-s3cret", "--", "true"],
        ),
        (&["exec", "v.cvault"], &["--all", VALUE, "--", "true"]),
        (&["exec", "v.cvault"], &[VALUE]),
        (&["get", "v.cvault", "x"], &[VALUE]),
        (&["get", "v.cvault", "x", "APIKey"], &[VALUE]),
        (&["get", "v.cvault", "x", "APIKey"], &["--format", VALUE]),
        (
            &["grant", "v.cvault", "--label", "l", "--right", "reader"],
            &["--to", VALUE],
        ),
        (&["grant", "v.cvault", "--label", "l"], &["--right", VALUE]),
        (
            &["grant", "v.cvault", "--label", "l"],
            &["--passphrase=hunter2-s3cret"],
        ),
        (&["list", "v.cvault"], &["-phunter2-s3cret"]),
        (&[], &[VALUE]),
    ] {
        for json in [&["--json"][..], &[]] {
            let ran = ran(sandbox.cvault([]).args(json).args(args).args(more));
            assert!(ran.code > 0, "{ran:?}");
            check(&ran);
        }
    }
    for name in ["CVAULT_PASSPHRASE_FILE", "CVAULT_IDENTITY_FILE"] {
        for value in [VALUE, "cvault-identity-1s3cret", &inline] {
            let ran = ran(cvault(sandbox.dir.path(), ["list", "v.cvault"]).env(name, value));
            assert_eq!(ran.code, 1, "{ran:?}");
            check(&ran);
        }
    }
    let hint = |more: &[&str]| {
        let ran = ran(sandbox.cvault(add).arg("--json").args(more));
        ran.error(1)["hint"].to_string()
    };
    assert!(hint(&["--set-env", &key_is]).contains("the NAME of a variable"));
    assert!(hint(&["--set-env", &dollar]).contains("without $"));
    assert!(hint(&["--set-file", &key_is]).contains("the path of a file"));
}

/// What is evidently a name is told, so that a mistyped one is found.
#[test]
fn names_are_told() {
    let sandbox = sandbox();
    for (args, told) in [
        (&["run", "v.cvault", "rotate.json"][..], "rotate.json"),
        (
            &["run", "v.cvault", "-", "--tokens", "tokens.json"],
            "tokens.json",
        ),
        (
            &[
                "add",
                "v.cvault",
                "--name",
                "N",
                "--type",
                "T",
                "--set-env",
                "K=API_KEY",
            ],
            "API_KEY",
        ),
        (&["list", "team.vault"], "team.vault"),
        (&["list", "v.cvault", "--tolerate"], "--tolerate"),
    ] {
        let action = r#"{"ActionType": "CredStore.DeleteEntry", "Parameters": {"EntryId": "x"}}"#;
        let ran = ran_with(sandbox.cvault([]).args(args), action);
        assert!(ran.code > 0 && ran.stderr.contains(told), "{ran:?}");
    }
}

#[test]
fn identities_are_not_told() {
    let sandbox = sandbox();
    for args in [
        ["grants", "v.cvault"],
        ["log", "v.cvault"],
        ["list", "gone"],
    ] {
        let ran = sandbox.run(args);
        let told = ran.stdout.contains(&sandbox.identity) || ran.stderr.contains(&sandbox.identity);
        assert!(!told, "{ran:?}");
    }
}

#[test]
fn files_hold_none() {
    let sandbox = sandbox();
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "x",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "s3cret-9"}]}}"#;
    ran_with(&mut sandbox.cvault(["run", "v.cvault", "-"]), action).text();
    sandbox.run(["compact", "v.cvault"]).text();
    let state = sandbox.dir.path().join("state");
    for dir in [sandbox.dir.path(), &state] {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = fs::read(&path).unwrap();
                let found = bytes
                    .windows(MARK.len())
                    .any(|window| window == MARK.as_bytes());
                assert!(!found, "{}", path.display());
            }
        }
    }
}
