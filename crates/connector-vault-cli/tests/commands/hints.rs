//! What an error says to do about it.

use std::fs;

use serde_json::Value;

use crate::CHEAP;
use crate::support::{Ran, Sandbox, cvault, folder, ran, ran_with, twitter};

const PASSPHRASE: &str = "correct horse battery";

/// The error of a failure: its code, and its message and hint as one text.
#[track_caller]
fn told(ran: &Ran) -> (String, String) {
    let error = ran.error(1);
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (
        text("code"),
        format!("{}\n{}", text("message"), text("hint")),
    )
}

#[track_caller]
fn check(ran: &Ran, code: &str, parts: &[&str]) {
    let (found, text) = told(ran);
    assert_eq!(found, code, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

/// A folder with a vault that a passphrase opens, at the least cost.
fn with_passphrase() -> tempfile::TempDir {
    let dir = folder();
    let mut init = cvault(dir.path(), ["init", "v.cvault", "--label", "ann"]);
    ran(init.args(CHEAP).env("CVAULT_PASSPHRASE", PASSPHRASE)).text();
    dir
}

#[test]
fn passphrases_and_key_slots() {
    let dir = with_passphrase();
    let list = |more: &[&str], passphrase: &str| {
        let mut list = cvault(dir.path(), ["list", "v.cvault", "--json"]);
        ran(list.args(more).env("CVAULT_PASSPHRASE", passphrase))
    };
    check(
        &list(&[], "wrong"),
        "wrong_passphrase",
        &["wrong passphrase", "backup"],
    );
    let padded = format!("{PASSPHRASE} ");
    check(
        &list(&[], &padded),
        "wrong_passphrase",
        &["ends with white space"],
    );
    let bob = list(&["--grant-label", "bob"], PASSPHRASE);
    check(
        &bob,
        "grant_not_found",
        &["no grant has the label \"bob\"", "`cvault grants`"],
    );
    let ann = list(&["--grant-label", "ann"], "wrong");
    check(&ann, "wrong_passphrase", &["the grant \"ann\""]);

    // The commitment still fits, the rest of the key slot does not.
    let path = dir.path().join("v.cvault");
    let sound = fs::read(&path).unwrap();
    let name = b"\"wrapped\":\"";
    let at = sound
        .windows(name.len())
        .position(|window| window == name)
        .unwrap()
        + name.len();
    let mut damaged = sound.clone();
    damaged[at] = if sound[at] == b'0' { b'1' } else { b'0' };
    fs::write(&path, &damaged).unwrap();
    check(
        &list(&[], PASSPHRASE),
        "no_key_slot",
        &["the passphrase fits the key slot of the grant \"ann\", but the key slot is damaged"],
    );
    damaged[at] = b'x';
    fs::write(&path, &damaged).unwrap();
    check(
        &list(&[], PASSPHRASE),
        "no_key_slot",
        &["the key slot of the grant \"ann\" cannot be used: it does not follow the format"],
    );
    fs::write(&path, &sound).unwrap();
    list(&[], PASSPHRASE).json();
}

#[test]
fn identities_and_keys_that_were_swapped() {
    let sandbox = twitter();
    let identity = connector_vault::Identity::parse(&sandbox.identity).unwrap();
    let public = identity.grant_key().to_string();
    let grant = [
        "grant", "v.cvault", "--label", "x", "--right", "reader", "--json",
    ];
    let granted = ran(sandbox.cvault(grant).args(["--to", &sandbox.identity]));
    check(
        &granted,
        "invalid_grant_key",
        &["this is an identity, which is secret", "cvault-grant-1"],
    );
    assert!(!granted.stderr.contains(&sandbox.identity), "{granted:?}");
    let list = |name: &str, value: &str| {
        let mut list = cvault(sandbox.dir.path(), ["list", "v.cvault", "--json"]);
        ran(list.env(name, value))
    };
    let swapped = "this is a public grant key, not an identity";
    check(
        &list("CVAULT_IDENTITY", &public),
        "invalid_identity",
        &["CVAULT_IDENTITY: ", swapped],
    );
    sandbox.write("public", &public);
    check(
        &list("CVAULT_IDENTITY_FILE", "public"),
        "invalid_identity",
        &["CVAULT_IDENTITY_FILE: ", swapped],
    );
    let other = sandbox.run(["list", "v.cvault", "--json", "--vault-id", "x"]);
    check(&other, "invalid_vault_id", &["--vault-id: "]);
}

#[test]
fn the_memory_that_is_allowed() {
    let dir = folder();
    let mut init = cvault(
        dir.path(),
        ["init", "v.cvault", "--memory-mib", "20", "--passes", "1"],
    );
    ran(init.env("CVAULT_PASSPHRASE", PASSPHRASE)).text();
    let list = |memory| {
        let mut list = cvault(
            dir.path(),
            ["list", "v.cvault", "--json", "--max-memory-mib", memory],
        );
        ran(list.env("CVAULT_PASSPHRASE", PASSPHRASE))
    };
    check(
        &list("19"),
        "no_key_slot",
        &[
            "needs 20 MiB of memory",
            "19 MiB are allowed",
            "--max-memory-mib 20",
        ],
    );
    list("20").json();
}

#[cfg(target_os = "linux")]
#[test]
fn the_memory_that_there_is() {
    use std::process::Command;

    let dir = folder();
    let mut init = cvault(dir.path(), ["init", "v.cvault", "--passes", "1"]);
    ran(init.env("CVAULT_PASSPHRASE", PASSPHRASE)).text();
    let mut list = Command::new("sh");
    list.args(["-c", "ulimit -v 60000; exec \"$0\" list v.cvault --json"])
        .arg(env!("CARGO_BIN_EXE_cvault"))
        .env("CVAULT_PASSPHRASE", PASSPHRASE)
        .env("CVAULT_STATE_DIR", dir.path().join("state"))
        .current_dir(dir.path());
    let refused = ran(&mut list);
    check(
        &refused,
        "out_of_memory",
        &["64 MiB", "does not give this process", "limit"],
    );
    assert!(
        !told(&refused).1.contains("--max-memory-mib"),
        "{refused:?}"
    );
}

#[test]
fn an_older_copy() {
    let sandbox = twitter();
    let old = sandbox.bytes();
    sandbox
        .run(["run", "v.cvault", "update.json", "--token", "Secrets:Key=k"])
        .text();
    fs::write(&sandbox.vault, old).unwrap();
    let refused = sandbox.run(["list", "v.cvault", "--json"]);
    check(&refused, "rolled_back", &["commit 1", "commit 2"]);
    let text = told(&refused).1;
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(place("first look for the newer vault") < place("only if it is lost"));
    assert!(place("only if it is lost") < place("--accept"));
}

#[test]
fn files_that_were_taken_for_text() {
    let sandbox = twitter();
    let long =
        connector_vault::Properties::from_json(&format!(r#"{{"Long": "{}"}}"#, "x".repeat(8000)));
    sandbox.add("long", "Long", "T", &long.unwrap());
    let sound = sandbox.bytes();
    let crlf = sound.iter().flat_map(|byte| match byte {
        b'\n' => vec![b'\r', b'\n'],
        byte => vec![*byte],
    });
    let latin: String = sound.iter().map(|byte| char::from(*byte)).collect();
    for (bytes, code, parts) in [
        (
            crlf.collect(),
            "damaged",
            ["converted to CR LF", "as binary"],
        ),
        (
            latin.into_bytes(),
            "damaged",
            ["re-encoded as UTF-8", "as binary"],
        ),
        (
            String::from_utf8_lossy(&sound).into_owned().into_bytes(),
            "damaged",
            ["was lost", "backup"],
        ),
        (
            [b"\xef\xbb\xbf", &sound[..]].concat(),
            "not_a_vault",
            ["byte order mark", "as binary"],
        ),
        (Vec::new(), "not_a_vault", ["is empty", ""]),
        (sound[..300].to_vec(), "damaged", ["cut short", "backup"]),
    ] {
        fs::write(&sandbox.vault, bytes).unwrap();
        let refused = sandbox.run(["list", "v.cvault", "--json"]);
        // A line feed may stand in a signature, too: it is random where the first one stands.
        let code = match told(&refused).0.as_str() {
            "bad_signature" if code == "damaged" => "bad_signature",
            _ => code,
        };
        check(&refused, code, &parts);
    }
}

#[test]
fn a_deleted_connector() {
    let sandbox = twitter();
    let id = "twitterConnectorId";
    let text = sandbox.run(["delete", "v.cvault", id]);
    let command = "cvault undelete v.cvault twitterConnectorId\n";
    assert!(text.text().ends_with(command), "{text:?}");
    let parts = [
        "was deleted in version 2",
        "version 1 still has its values: undelete the connector",
        "show --version 1",
    ];
    for args in [
        &["show", "v.cvault", id][..],
        &["show", "v.cvault", id, "--reveal"],
        &["restore", "v.cvault", id, "1"],
        &["delete", "v.cvault", id],
        &["run", "v.cvault", "update.json", "--token", "Secrets:Key=k"],
    ] {
        let refused = ran(sandbox.cvault([]).args(args).arg("--json"));
        check(&refused, "connector_not_found", &parts);
    }
    let shown = sandbox
        .run([
            "show",
            "v.cvault",
            id,
            "--version",
            "1",
            "--reveal",
            "--json",
        ])
        .json();
    assert_eq!(shown["properties"]["APIKey"], "s3cret-1");

    // As the hint says.
    let mut add = sandbox.cvault(["add", "v.cvault", "--id", id, "--name", "N", "--type", "T"]);
    ran_with(
        add.args(["--from-json", "-"]),
        &shown["properties"].to_string(),
    )
    .text();
    sandbox.run(["delete", "v.cvault", id, "--json"]).json();
    let version_two = sandbox.run(["show", "v.cvault", id, "--version", "2", "--json"]);
    assert_eq!(version_two.error(1)["code"], "version_not_found");
    check(
        &sandbox.run(["show", "v.cvault", id, "--json"]),
        "connector_not_found",
        &["was deleted in version 4", "show --version 3"],
    );
}

#[test]
fn documents_to_import() {
    let sandbox = twitter();
    let import = |entry: &str| {
        let ok = r#"{"id": "ok", "name": "N", "type": "T", "properties": {}}"#;
        let text = format!(r#"{{"connectors": [{ok}, {entry}]}}"#);
        ran_with(
            &mut sandbox.cvault(["import", "v.cvault", "-", "--json"]),
            &text,
        )
    };
    let entry = |name: &str, properties: &str| {
        format!(r#"{{"id": "b", "name": "{name}", "type": "T", "properties": {properties}}}"#)
    };
    let place = "connector 2 (\"b\")";
    check(
        &import(&entry("", "{}")),
        "invalid_connector_name",
        &[place, "name is empty"],
    );
    check(
        &import(&entry("N", r#"{"p": null}"#)),
        "null_value",
        &[place, "property \"p\"", "leave the property out"],
    );
    check(
        &import(&entry("N", r#"{"p": "***"}"#)),
        "mask_value",
        &[place, "give the value itself", "--allow-mask"],
    );
    check(
        &import(&entry("N", "{}").replace("\"b\"", "\"ok\"")),
        "connector_exists",
        &["connector 2 (\"ok\")", "twice"],
    );
    check(
        &import(&entry("N", "{}").replace("\"b\"", "\"twitterConnectorId\"")),
        "connector_exists",
        &["connector 2 (\"twitterConnectorId\")"],
    );
    check(&import("3"), "wrong_parameter_type", &["connector 2: "]);
    for hint in [
        import(&entry("N", r#"{"p": null}"#)),
        import(&entry("N", r#"{"p": "***"}"#)),
    ] {
        let text = told(&hint).1;
        assert!(
            !text.contains("--null") && !text.contains("keep its value"),
            "{text}"
        );
    }
}

#[test]
fn options_are_named_where_they_exist() {
    let sandbox = twitter();
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "twitterConnectorId",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": null}]}}"#;
    let run = ran_with(
        &mut sandbox.cvault(["run", "v.cvault", "-", "--json"]),
        action,
    );
    check(&run, "null_value", &["--null remove"]);
    let mut add = sandbox.cvault(["add", "v.cvault", "--name", "N", "--type", "T", "--json"]);
    let add = ran_with(add.args(["--from-json", "-"]), r#"{"a": null}"#);
    check(&add, "null_value", &["leave the property out"]);
    assert!(!told(&add).1.contains("--null"), "{add:?}");
}

#[test]
fn similar_names_are_warned_of_on_import() {
    let sandbox = Sandbox::new();
    let text = r#"{"connectors": [{"id": "a", "name": "N", "type": "T", "properties": {"A": "1", "a": "2"}}]}"#;
    let import = ran_with(&mut sandbox.cvault(["import", "v.cvault", "-"]), text);
    assert!(
        import.text().starts_with("Imported 1 connector"),
        "{import:?}"
    );
    assert!(
        import
            .stderr
            .starts_with("warning: a: the property \"a\" is new"),
        "{import:?}"
    );
    let json: Value = sandbox.run(["list", "v.cvault", "--json"]).json();
    assert_eq!(json["connectors"][0]["id"], "a");
}

#[test]
fn a_token_without_a_value_names_keys_and_options() {
    let sandbox = twitter();
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "twitterConnectorId",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[Secrets:Key(env=prod)]"}]}}"#;
    let looked_for = r#"looked for as "Secrets:Key(env=prod)" and "Secrets:Key""#;
    for (token, near) in [
        ("Other=s3cret", None),
        ("Secrets:key=s3cret", Some(r#"given for "Secrets:key""#)),
        ("[Secrets:Key]=s3cret", Some(r#"given for "[Secrets:Key]""#)),
        (
            "[Secrets:Key(env='prod')]=s3cret",
            Some(r#"given for "[Secrets:Key(env='prod')]""#),
        ),
    ] {
        let mut run = sandbox.cvault(["run", "v.cvault", "-", "--json", "--token", token]);
        let run = ran_with(&mut run, action);
        check(
            &run,
            "token_unresolved",
            &[looked_for, "--token-env", "--no-tokens", "&#91;"],
        );
        let (_, told) = told(&run);
        match near {
            Some(near) => assert!(told.contains(near), "{told}"),
            None => assert!(!told.contains("given for"), "{told}"),
        }
        assert!(!told.contains("s3cret"), "{told}");
    }
}
