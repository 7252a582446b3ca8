//! Where passphrases and identities come from: the commands in CVAULT_PASSPHRASE_COMMAND and its like.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::CHEAP;
use crate::support::{Ran, Sandbox, cvault, folder, ran};

const PASSPHRASE: &str = "correct horse s3cret";

/// A vault that opens by [`PASSPHRASE`].
fn with_passphrase() -> tempfile::TempDir {
    let dir = folder();
    let mut init = cvault(dir.path(), ["init", "v.cvault", "--json"]);
    init.args(CHEAP).env("CVAULT_PASSPHRASE", PASSPHRASE);
    assert_eq!(ran(&mut init).code, 0);
    dir
}

/// `cvault list`, its environment the test's `PATH` and one more variable.
fn list(dir: &tempfile::TempDir, name: &str, command: &str) -> Command {
    let mut list = cvault(dir.path(), ["list", "v.cvault", "--json"]);
    list.env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env(name, command);
    list
}

fn code(ran: &Ran) -> Value {
    let secret = ran.stdout.contains("s3cret") || ran.stderr.contains("s3cret");
    assert!(!secret, "{ran:?}");
    ran.error(1)["code"].clone()
}

#[test]
fn a_command_prints_the_passphrase() {
    let dir = with_passphrase();
    fs::write(dir.path().join("pass"), format!("\n{PASSPHRASE}\n")).unwrap();
    for command in [
        "echo 'correct horse s3cret'",
        "printf %s \"correct horse s3cret\"",
        "printf 'correct horse s3cret\\r\\n'",
        "cat pass",
        "  sh -c 'cat pass # and | nothing'",
    ] {
        let listed = ran(&mut list(&dir, "CVAULT_PASSPHRASE_COMMAND", command));
        assert_eq!(
            listed.json()["connectors"],
            Value::Array(vec![]),
            "{command}"
        );
    }
}

#[test]
fn no_shell_runs_and_nothing_is_expanded() {
    let dir = with_passphrase();
    fs::write(dir.path().join("pass"), PASSPHRASE).unwrap();
    for command in [
        "cat pas*",
        "cat $FILE",
        "cat `echo pass`",
        "cat pass | cat",
        "cat < pass",
    ] {
        let mut list = list(&dir, "CVAULT_PASSPHRASE_COMMAND", command);
        assert_eq!(
            code(&ran(list.env("FILE", "pass"))),
            "command_failed",
            "{command}"
        );
    }
}

#[test]
fn a_command_that_fails_is_told_without_its_output() {
    let dir = with_passphrase();
    for (command, expected) in [
        (
            "sh -c 'echo \"correct horse s3cret\"; exit 3'",
            "command_failed",
        ),
        ("sh -c 'echo s3cret >&2; exit 3'", "command_failed"),
        ("sh -c 'echo s3cret; kill -9 $$'", "command_failed"),
        ("/no/such/s3cret", "command_failed"),
        ("true", "invalid_passphrase"),
        ("echo", "invalid_passphrase"),
        ("printf 's3cret 1\\ns3cret 2\\n'", "invalid_passphrase"),
        ("printf 's3cret\\377'", "invalid_argument"),
        ("yes s3cret", "limit_exceeded"),
        ("echo wrong s3cret", "wrong_passphrase"),
    ] {
        let listed = ran(&mut list(&dir, "CVAULT_PASSPHRASE_COMMAND", command));
        assert_eq!(code(&listed), expected, "{command}");
    }
    let failed = ran(&mut list(
        &dir,
        "CVAULT_PASSPHRASE_COMMAND",
        "sh -c 'exit 3'",
    ));
    let error = failed.error(1);
    let told = "the command in CVAULT_PASSPHRASE_COMMAND failed: exit status: 3";
    assert_eq!(error["message"], told);
    let unclosed = ran(&mut list(&dir, "CVAULT_PASSPHRASE_COMMAND", "echo 's3cret"));
    assert!(!unclosed.stderr.contains("s3cret"), "{unclosed:?}");
    assert_eq!(unclosed.error(2)["code"], "usage");
}

/// People see what it asks for; its standard input is not the action's.
#[test]
fn a_command_has_standard_error_and_no_standard_input() {
    let dir = with_passphrase();
    let command = "sh -c 'echo touch the key >&2; cat; echo correct horse s3cret'";
    let mut run = cvault(dir.path(), ["run", "v.cvault", "-"]);
    run.env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("CVAULT_PASSPHRASE_COMMAND", command);
    let add = r#"{"ActionType": "CredStore.AddConnectorEntry", "Parameters": {"TypeName": "T", "EntryName": "N"}}"#;
    let done = crate::support::ran_with(&mut run, add);
    assert!(done.text().starts_with("Created "), "{done:?}");
    assert_eq!(done.stderr, "touch the key\n");
}

#[test]
fn a_command_does_not_get_what_unlocks() {
    let dir = with_passphrase();
    let command = "sh -c 'env > env; echo correct horse s3cret'";
    let mut list = list(&dir, "CVAULT_PASSPHRASE_COMMAND", command);
    assert_eq!(ran(list.env("CVAULT_NEW_PASSPHRASE", "s3cret")).code, 0);
    let env = fs::read_to_string(dir.path().join("env")).unwrap();
    assert!(
        env.contains("CVAULT_STATE_DIR=") && !env.contains("PASSPHRASE"),
        "{env}"
    );
}

#[test]
fn one_source_only() {
    let dir = with_passphrase();
    for other in [
        "CVAULT_PASSPHRASE",
        "CVAULT_PASSPHRASE_FILE",
        "CVAULT_IDENTITY_COMMAND",
    ] {
        let mut list = list(
            &dir,
            "CVAULT_PASSPHRASE_COMMAND",
            "echo correct horse s3cret",
        );
        let refused = ran(list.env(other, "s3cret")).error(2);
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.contains(other) && message.contains("at once"),
            "{message}"
        );
    }
}

#[test]
fn a_command_prints_an_identity() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "id",
        format!(
            "# ops\nvault-id: {}\n{}\n",
            sandbox.vault_id, sandbox.identity
        ),
    );
    let listed = ran(&mut list(&sandbox.dir, "CVAULT_IDENTITY_COMMAND", "cat id"));
    assert!(listed.json()["connectors"].is_array());
    let failed = ran(&mut list(
        &sandbox.dir,
        "CVAULT_IDENTITY_COMMAND",
        "echo s3cret",
    ));
    assert_eq!(code(&failed), "invalid_identity");

    let mut init = cvault(
        sandbox.dir.path(),
        ["init", "new.cvault", "--identity", "--json"],
    );
    init.env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("CVAULT_IDENTITY_COMMAND", "cat id");
    assert_eq!(ran(&mut init).json()["has_passphrase"], false);
}

#[test]
fn a_new_passphrase_comes_from_a_command_too() {
    let dir = with_passphrase();
    let mut passwd = cvault(dir.path(), ["passwd", "v.cvault", "--json"]);
    passwd
        .args(CHEAP)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("CVAULT_PASSPHRASE", PASSPHRASE)
        .env(
            "CVAULT_NEW_PASSPHRASE_COMMAND",
            "echo another s3cret passphrase",
        );
    assert_eq!(ran(&mut passwd).code, 0);
    let new = ran(&mut list(
        &dir,
        "CVAULT_PASSPHRASE",
        "another s3cret passphrase",
    ));
    assert!(new.json()["connectors"].is_array());
}

/// Each line of docs/cli.md that gets a key from another program, with a program of that name that prints it.
#[test]
fn lines_of_the_documentation() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let docs = fs::read_to_string(docs).unwrap();
    let lines: Vec<_> = docs
        .lines()
        .filter(|line| line.starts_with("export CVAULT_") && line.contains("_COMMAND="))
        .collect();
    let dir = with_passphrase();
    let programs = dir.path().join("bin");
    fs::create_dir(&programs).unwrap();
    for (name, prints) in [
        ("aws", "Y29ycmVjdCBob3JzZSBzM2NyZXQ="),
        ("op", PASSPHRASE),
        ("pass", "correct horse s3cret\nurl: example.com"),
        ("security", PASSPHRASE),
        ("secret-tool", PASSPHRASE),
    ] {
        let path = programs.join(name);
        fs::write(&path, format!("#!/bin/sh\necho '{prints}'\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(
            lines.iter().any(|line| line.contains(&format!("{name} "))),
            "{name} is documented"
        );
    }
    let path = std::env::var("PATH").unwrap();
    for line in lines {
        let mut list = Command::new("sh");
        list.args([
            "-c",
            &format!(
                "{line}\n{} list v.cvault --json",
                env!("CARGO_BIN_EXE_cvault")
            ),
        ])
        .env_clear()
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("CVAULT_STATE_DIR", dir.path().join("state"))
        .current_dir(dir.path());
        assert!(ran(&mut list).json()["connectors"].is_array(), "{line}");
    }
}
