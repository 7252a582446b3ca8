//! What commands read: files, standard input, variables.

use std::fs;

use serde_json::{Value, json};

use crate::CHEAP;
use crate::support::{Ran, Sandbox, UPDATE, cvault, folder, ran, ran_with, twitter};

/// UTF-8's byte order mark.
const MARK: &str = "\u{feff}";

/// Adds a connector with one property from a file of these bytes.
fn add_from_file(sandbox: &Sandbox, id: &str, bytes: &[u8]) -> Ran {
    sandbox.write("value", bytes);
    let add = ["add", "v.cvault", "--json", "--name", "N", "--type", "T"];
    let mut add = sandbox.cvault(add);
    ran(add.args(["--id", id, "--set-file", "Key=value"]))
}

fn value_of(sandbox: &Sandbox, id: &str, name: &str) -> Value {
    let shown = sandbox.run(["show", "v.cvault", id, "--reveal", "--json"]);
    shown.json()["properties"][name].clone()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xff, 0xfe].into_iter().chain(units).collect()
}

#[test]
fn a_value_of_several_lines_is_kept_as_it_is() {
    let sandbox = twitter();
    let key = "-----BEGIN KEY-----\ns3cret\n-----END KEY-----\n";
    for (number, (text, expected)) in [
        (key.to_owned(), key.to_owned()),
        (key.replace('\n', "\r\n"), key.replace('\n', "\r\n")),
        ("s3cret\n".to_owned(), "s3cret".to_owned()),
        ("s3cret\r\n".to_owned(), "s3cret".to_owned()),
        ("s3cret\n\n".to_owned(), "s3cret\n\n".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("c{number}");
        assert_eq!(add_from_file(&sandbox, &id, text.as_bytes()).code, 0);
        assert_eq!(value_of(&sandbox, &id, "Key"), expected.as_str());

        sandbox.write(
            "update.json",
            UPDATE.replace("\\\"APIKey\\\": \\\"s3cret-2\\\",", ""),
        );
        let mut run = sandbox.cvault(["run", "v.cvault", "update.json", "--json"]);
        let done = ran(run.args(["--token-file", "Secrets:Key=value"]));
        assert_eq!(done.code, 0, "{done:?}");
        let stored = value_of(&sandbox, "twitterConnectorId", "APIKey");
        assert_eq!(stored, expected.as_str());
    }
}

#[test]
fn a_byte_order_mark_is_left_out() {
    let sandbox = twitter();
    let warned = |ran: &Ran| {
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(ran.warned(), ["byte_order_mark"], "{ran:?}");
    };
    warned(&add_from_file(
        &sandbox,
        "file",
        format!("{MARK}s3cret\n").as_bytes(),
    ));
    assert_eq!(value_of(&sandbox, "file", "Key"), "s3cret");

    let add = ["add", "v.cvault", "--json", "--name", "N", "--type", "T"];
    let mut json = sandbox.cvault(add);
    let json = json.args(["--id", "json", "--from-json", "-"]);
    warned(&ran_with(json, &format!("{MARK}{{\"Key\": \"{MARK}a\"}}")));
    // Only where it is a mark: at the start of the file.
    assert_eq!(value_of(&sandbox, "json", "Key"), format!("{MARK}a"));

    sandbox.write("tokens", format!("{MARK}{{\"Secrets:Key\": \"b\"}}"));
    let run = [
        "run",
        "v.cvault",
        "update.json",
        "--json",
        "--tokens",
        "tokens",
    ];
    warned(&sandbox.run(run));

    let mut list = sandbox.cvault(["list", "v.cvault", "--json"]);
    sandbox.write("identity", format!("{MARK}{}\n", sandbox.identity));
    list.env_remove("CVAULT_IDENTITY");
    warned(&ran(list.env("CVAULT_IDENTITY_FILE", "identity")));

    let mut tokens = cvault(sandbox.dir.path(), ["tokens", "-", "--json"]);
    warned(&ran_with(&mut tokens, &format!("{MARK}{UPDATE}")));
}

/// Where there is an outcome, it warns.
#[test]
fn a_byte_order_mark_of_a_document_is_told_by_its_outcome() {
    let sandbox = twitter();
    let action = format!("{MARK}{UPDATE}");
    sandbox.write("action", &action);
    let run = ["run", "v.cvault", "action", "--token", "Secrets:Key=x"];
    let outcome = ran(sandbox.cvault(run).args(["--plan", "--json"])).json();
    assert_eq!(outcome["warnings"][0]["code"], "byte_order_mark");
    let done = ran_with(sandbox.cvault(run).arg("--plan"), "");
    assert!(
        done.stderr.contains("begins with a byte order mark"),
        "{done:?}"
    );
    let mut run = sandbox.cvault(["run", "v.cvault", "-", "--json", "--token", "Secrets:Key=x"]);
    let outcome = ran_with(&mut run, &action).json();
    assert_eq!(outcome["warnings"][0]["code"], "byte_order_mark");

    let connectors = r#"{"connectors": [{"id": "i", "name": "N", "type": "T", "properties": {}},
        {"id": "j", "name": "N", "type": "T", "properties": {}}]}"#;
    let mut import = sandbox.cvault(["import", "v.cvault", "-", "--json"]);
    let imported = ran_with(&mut import, &format!("{MARK}{connectors}")).json();
    assert_eq!(
        imported["outcomes"][0]["warnings"][0]["code"],
        "byte_order_mark"
    );
    assert_eq!(imported["outcomes"][1]["warnings"], json!([]));
}

#[test]
fn what_is_not_utf_8() {
    let sandbox = twitter();
    for (bytes, message, hint) in [
        (utf16("s3cret"), "is UTF-16LE text, not UTF-8", "iconv"),
        (
            utf16("s3cret")[2..].to_vec(),
            "is UTF-16LE text, not UTF-8",
            "iconv",
        ),
        (b"s3cret\xff".to_vec(), "is not UTF-8 text", "base64"),
    ] {
        let refused = add_from_file(&sandbox, "x", &bytes).error(1);
        assert_eq!(refused["code"], "invalid_argument");
        let told = refused.to_string();
        for part in ["the value of the property", "Key", message, hint] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(!told.contains("s3cret"), "{told}");
    }
    sandbox.write("action", utf16(UPDATE));
    let refused = sandbox
        .run(["run", "v.cvault", "action", "--json"])
        .error(1);
    assert!(
        refused["message"]
            .to_string()
            .contains("the action is UTF-16LE text")
    );
    let long = "x".repeat((1 << 20) + 1);
    let refused = add_from_file(&sandbox, "x", long.as_bytes()).error(1);
    assert_eq!(refused["code"], "value_too_large");
    let told = refused["message"].to_string();
    assert!(
        told.contains("the property") && told.contains("Key"),
        "{told}"
    );
    // A line end does not count.
    let most = "x".repeat(1 << 20) + "\n";
    assert_eq!(add_from_file(&sandbox, "x", most.as_bytes()).code, 0);
}

#[cfg(unix)]
#[test]
fn what_is_no_file() {
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    let sandbox = twitter();
    fs::create_dir(sandbox.dir.path().join("folder")).unwrap();
    let _socket = UnixListener::bind(sandbox.dir.path().join("socket")).unwrap();
    for (path, kind) in [("folder", "a folder"), ("socket", "a socket")] {
        let key_is = format!("Key={path}");
        let add = ["add", "v.cvault", "--json", "--name", "N", "--type", "T"];
        for ran in [
            sandbox.run(["run", "v.cvault", path, "--json"]),
            sandbox.run(["import", "v.cvault", path, "--json"]),
            ran(sandbox.cvault(add).args(["--set-file", &key_is])),
            ran(sandbox.cvault(add).args(["--from-json", path])),
            ran(cvault(sandbox.dir.path(), ["list", "v.cvault", "--json"])
                .env("CVAULT_PASSPHRASE_FILE", path)),
        ] {
            let refused = ran.error(1);
            assert_eq!(refused["code"], "io");
            assert!(refused["message"].to_string().contains(kind), "{refused}");
        }
    }
    // As a shell's `<(...)` does it.
    let fifo = sandbox.dir.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let writer = std::thread::spawn(move || fs::write(fifo, "s3cret\n"));
    let add = ["add", "v.cvault", "--json", "--name", "N", "--type", "T"];
    let mut add = sandbox.cvault(add);
    let added = ran(add.args(["--id", "fifo", "--set-file", "Key=fifo"]));
    assert_eq!(added.code, 0, "{added:?}");
    writer.join().unwrap().unwrap();
    assert_eq!(value_of(&sandbox, "fifo", "Key"), "s3cret");
    // A stream without an end has one here.
    let refused = sandbox
        .run(["run", "v.cvault", "/dev/zero", "--json"])
        .error(1);
    assert_eq!(refused["code"], "action_too_large");
}

#[test]
fn a_passphrase_is_one_line_of_its_file() {
    let dir = folder();
    let pass = dir.path().join("pass");
    let run = |args: [&str; 3]| {
        let mut command = cvault(dir.path(), args);
        command.env("CVAULT_PASSPHRASE_FILE", "pass");
        command
    };
    fs::write(&pass, "correct horse battery\n").unwrap();
    assert_eq!(ran(run(["init", "v.cvault", "--json"]).args(CHEAP)).code, 0);
    for (text, expected) in [
        ("correct horse battery", None),
        ("correct horse battery\r\n", None),
        ("correct horse battery\n\n\n", None),
        ("\r\n\r\ncorrect horse battery\r\n", None),
        ("correct horse battery \n", Some(("wrong_passphrase", ""))),
        (
            "correct horse\nbattery\n",
            Some(("invalid_passphrase", "2 lines with text")),
        ),
        (
            "a\nb\n\nc\n",
            Some(("invalid_passphrase", "3 lines with text")),
        ),
        ("\n\n", Some(("invalid_passphrase", "is empty"))),
        ("", Some(("invalid_passphrase", "is empty"))),
    ] {
        fs::write(&pass, text).unwrap();
        let ran = ran(&mut run(["list", "v.cvault", "--json"]));
        match expected {
            None => assert_eq!(ran.json(), json!({"connectors": []}), "{text:?}"),
            Some((code, message)) => {
                let refused = ran.error(1);
                assert_eq!(refused["code"], code, "{text:?}");
                assert!(
                    refused["message"].to_string().contains(message),
                    "{refused}"
                );
            }
        }
    }
    fs::write(&pass, format!("{MARK}correct horse battery\n")).unwrap();
    let marked = ran(&mut run(["list", "v.cvault", "--json"]));
    assert_eq!(
        (marked.code, marked.warned()),
        (0, vec!["byte_order_mark".to_owned()])
    );
}

#[test]
fn an_empty_value_is_refused_where_it_comes_in() {
    let sandbox = twitter();
    sandbox.write("empty", "");
    sandbox.write("line", "\n");
    sandbox.write("tokens.json", r#"{"Secrets:Key": ""}"#);
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "twitterConnectorId",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[Secrets:Key]"}]}}"#;
    sandbox.write("action.json", action);
    let before = sandbox.bytes();
    let run = ["run", "v.cvault", "action.json", "--json"];
    let add = [
        "add", "v.cvault", "--json", "--id", "b", "--name", "B", "--type", "T",
    ];
    let cases: [(&[&str], &str, &str); 8] = [
        (&run, "--token-env", "Secrets:Key=EMPTY"),
        (&run, "--token-file", "Secrets:Key=-"),
        (&run, "--token-file", "Secrets:Key=line"),
        (&run, "--token", "Secrets:Key="),
        (&run, "--tokens", "tokens.json"),
        (&add, "--set-env", "APIKey=EMPTY"),
        (&add, "--set-file", "APIKey=empty"),
        (&add, "--set-file", "APIKey=-"),
    ];
    let with = |command: &[&str], more: &[&str]| {
        let mut cvault = sandbox.cvault([]);
        cvault.args(command).args(more).env("EMPTY", "");
        ran_with(&mut cvault, "")
    };
    for (command, option, value) in cases {
        let refused = with(command, &[option, value]).error(1);
        assert_eq!(refused["code"], "empty_value", "{option} {value}");
        let hint = refused["hint"].as_str().unwrap();
        assert!(hint.contains("--allow-empty"), "{hint}");
        let message = refused["message"].as_str().unwrap();
        let names_its_source = match option {
            // The action says which token it is; there may be many in the list.
            "--token" | "--tokens" => message.contains("[Secrets:Key]"),
            _ => message.contains(option),
        };
        assert!(names_its_source, "{message}");
    }
    assert!(sandbox.bytes() == before, "nothing was changed");

    for (command, option, value) in cases {
        with(command, &[option, value, "--allow-empty"]).json();
        let id = if command == run {
            "twitterConnectorId"
        } else {
            "b"
        };
        assert_eq!(value_of(&sandbox, id, "APIKey"), "");
        let delete = ["delete", "v.cvault", id, "--json"];
        if command == add {
            sandbox.run(delete).json();
        }
    }
    // A document's own empty string is a value.
    sandbox.write("properties.json", r#"{"APIKey": ""}"#);
    with(&add, &["--from-json", "properties.json"]).json();
    assert_eq!(value_of(&sandbox, "b", "APIKey"), "");
}
