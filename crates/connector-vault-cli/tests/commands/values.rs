//! One value for a script: `get`.

use std::fs;

use connector_vault::Properties;
use serde_json::json;

use crate::support::{Ran, Sandbox, ran, twitter};

/// A sandbox whose connector `x` has one property with this value.
fn with_value(name: &str, value: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let properties = json!({name: value}).to_string();
    sandbox.add("x", "N", "T", &Properties::from_json(&properties).unwrap());
    sandbox
}

fn get(sandbox: &Sandbox, more: &[&str]) -> Ran {
    ran(sandbox.cvault(["get", "v.cvault"]).args(more))
}

#[test]
fn get_prints_the_value_and_nothing_else() {
    for value in ["s3cret", "", "a\nb\n", " \u{1b}[2J\u{202e}\t", "é日"] {
        let sandbox = with_value("Key", value);
        assert_eq!(get(&sandbox, &["x", "Key"]).text(), value);
        let line = get(&sandbox, &["x", "Key", "--newline"]);
        assert_eq!(line.text(), format!("{value}\n"));
        assert_eq!(line.stderr, "");
    }
}

#[test]
fn get_formats_the_value() {
    let sandbox = with_value("Key_1", "a'b\"$HOME\n");
    for (format, expected) in [
        ("raw", "a'b\"$HOME\n"),
        ("json", r#""a'b\"$HOME\n""#),
        ("env", r#"Key_1="a'b\"\$HOME\n""#),
        ("shell", "Key_1='a'\\''b\"$HOME\n'"),
        ("base64", "YSdiIiRIT01FCg=="),
    ] {
        let args = ["x", "Key_1", "--format", format];
        assert_eq!(get(&sandbox, &args).text(), expected, "{format}");
        let line = get(&sandbox, &[&args[..], &["--newline"]].concat());
        assert_eq!(line.text(), format!("{expected}\n"), "{format}");
        let document = get(&sandbox, &[&args[..], &["--json"]].concat()).json();
        let shape = json!({"id": "x", "version": 1, "property": "Key_1", "format": format, "value": expected});
        assert_eq!(document, shape);
    }
    let wrong = get(&sandbox, &["x", "Key_1", "--format", "yaml", "--json"]);
    assert_eq!(wrong.error(2)["code"], "usage");
}

/// A shell that reads the text has the value.
#[test]
#[cfg(unix)]
fn a_shell_reads_what_get_writes() {
    let value = "it's \"$HOME\" `id` \\ \n end";
    let sandbox = with_value("Key", value);
    let text = get(&sandbox, &["x", "Key", "--format", "shell"]);
    let script = format!("{}\nprintf %s \"$Key\"", text.text());
    let read = ran(std::process::Command::new("sh").args(["-c", &script]));
    assert_eq!(read.text(), value);
}

#[test]
fn get_refuses_a_name_that_no_variable_has() {
    let sandbox = with_value("API-Key", "s3cret");
    for format in ["env", "shell"] {
        let refused = get(&sandbox, &["x", "API-Key", "--format", format, "--json"]);
        assert_eq!(refused.error(1)["code"], "invalid_variable_name");
    }
    let sandbox = with_value("Key", "s3cret\0");
    for format in ["env", "shell"] {
        let refused = get(&sandbox, &["x", "Key", "--format", format, "--json"]);
        assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
        assert_eq!(refused.error(1)["code"], "invalid_argument");
    }
    assert_eq!(get(&sandbox, &["x", "Key"]).text(), "s3cret\0");
}

#[test]
fn get_takes_a_former_version_and_one_of_a_deleted_connector() {
    let sandbox = twitter();
    let update = ["run", "v.cvault", "update.json", "--token", "Secrets:Key=k"];
    sandbox.run(update).text();
    let key = ["twitterConnectorId", "APIKey"];
    let first = [&key[..], &["--version", "1"]].concat();
    assert_eq!(get(&sandbox, &key).text(), "s3cret-2");
    assert_eq!(get(&sandbox, &first).text(), "s3cret-1");
    sandbox.run(["delete", "v.cvault", key[0]]).text();
    assert_eq!(get(&sandbox, &first).text(), "s3cret-1");
    for (version, code) in [
        (None, "connector_not_found"),
        (Some("0"), "invalid_argument"),
        (Some("3"), "version_not_found"),
        (Some("9"), "version_not_found"),
    ] {
        let version = version.map_or(vec![], |version| vec!["--version", version]);
        let refused = get(&sandbox, &[&key[..], &version, &["--json"]].concat());
        assert_eq!(refused.error(1)["code"], code, "{version:?}");
    }
}

#[test]
fn get_prints_nothing_where_there_is_no_such_property() {
    let sandbox = twitter();
    let refused = |id: &str, name: &str| get(&sandbox, &[id, name, "--json"]).error(1);
    let near = refused("twitterConnectorId", "apikey");
    assert_eq!(near["code"], "property_not_found");
    assert_eq!(near["hint"], "did you mean \"APIKey\"?");
    let far = refused("twitterConnectorId", "hunter2-s3cret");
    assert_eq!(far["code"], "property_not_found");
    assert!(!far.to_string().contains("hunter2"), "{far}");
    let unknown = refused("TwitterConnectorId", "APIKey");
    assert_eq!(unknown["code"], "connector_not_found");
    assert_eq!(unknown["hint"], "did you mean \"twitterConnectorId\"?");
}

#[test]
fn get_writes_a_file_that_only_its_user_can_read() {
    let sandbox = twitter();
    let args = ["twitterConnectorId", "APIKey", "--out", "key.txt"];
    let written = get(&sandbox, &args);
    assert_eq!(written.text(), "Wrote the value, in clear, to key.txt\n");
    let path = sandbox.dir.path().join("key.txt");
    assert_eq!(fs::read_to_string(&path).unwrap(), "s3cret-1");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = get(&sandbox, &[&args[..], &["--json"]].concat());
    assert_eq!(again.error(1)["code"], "file_exists");
    let line = [
        "twitterConnectorId",
        "APIKey",
        "--newline",
        "--json",
        "--out",
        "line.txt",
    ];
    let shape = json!({"id": "twitterConnectorId", "version": 1, "property": "APIKey", "format": "raw",
                       "path": "line.txt"});
    assert_eq!(get(&sandbox, &line).json(), shape);
    let path = sandbox.dir.path().join("line.txt");
    assert_eq!(fs::read_to_string(&path).unwrap(), "s3cret-1\n");
    let missing = get(
        &sandbox,
        &["twitterConnectorId", "No", "--out", "no.txt", "--json"],
    );
    assert_eq!(missing.error(1)["code"], "property_not_found");
    assert!(!sandbox.dir.path().join("no.txt").exists());
}

#[test]
fn get_needs_a_role_that_reads() {
    let sandbox = twitter();
    let made = sandbox.run(["identity", "new", "--out", "ci.identity", "--json"]);
    made.json();
    let grant = [
        "grant",
        "v.cvault",
        "--label",
        "ci",
        "--right",
        "viewer",
        "--to",
        "@ci.identity.pub",
    ];
    sandbox.run(grant).text();
    let mut get = sandbox.cvault(["get", "v.cvault", "twitterConnectorId", "APIKey", "--json"]);
    get.env_remove("CVAULT_IDENTITY")
        .env("CVAULT_IDENTITY_FILE", "ci.identity");
    assert_eq!(ran(&mut get).error(1)["code"], "not_permitted");
}
