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
