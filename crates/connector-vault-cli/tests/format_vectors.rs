//! Every vector of `tests/vectors/format` through the program (tests/vectors/README.md).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    dead_code,
    reason = "tests fail by panicking, and the schema serves other tests too"
)]

#[path = "../../connector-vault/tests/vectors/format.rs"]
mod files;
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use connector_vault::{KnownHead, Vault};
use connector_vault_store::KnownHeads;
use files::{ExpectConnector, UnlockBy, VaultVector};
use serde_json::Value;
use support::{Ran, cvault, folder, ran};

#[test]
fn format_vectors() {
    let vectors: BTreeMap<String, VaultVector> = files::load("format");
    assert!(!vectors.is_empty(), "no vectors");
    let failures: Vec<_> = vectors
        .iter()
        .filter(|(_, vector)| std::panic::catch_unwind(|| check(vector)).is_err())
        .map(|(name, _)| name)
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

fn check(vector: &VaultVector) {
    let dir = folder();
    let vault = dir.path().canonicalize().unwrap().join("v.cvault");
    let file = base16ct::lower::decode_vec(&vector.file).unwrap();
    std::fs::write(&vault, &file).unwrap();
    if !remember(vector, &file, dir.path(), &vault) {
        return;
    }
    let run = |command: &str, more: &[&str]| run(vector, dir.path(), command, more);

    let listed = run("list", &[]);
    if let Some(code) = &vector.expect.error {
        let error = listed.error(1);
        assert_eq!(error["code"], code.as_str(), "{listed:?}");
        let part = vector
            .expect
            .message_contains
            .as_deref()
            .unwrap_or_default();
        assert!(
            error["message"].as_str().unwrap().contains(part),
            "{listed:?}"
        );
        assert_eq!(
            std::fs::read(&vault).unwrap(),
            file,
            "the file is as before"
        );
        return;
    }
    // `head` has no tolerant opening: a witness is taken of a sound vault only.
    if !vector.tolerant {
        let head = document(&run("head", &[]));
        assert_eq!(Some(&head), vector.expect.head.as_ref());
    }
    let document = document(&listed);
    // Damaged connectors stand in the list of a tolerant opening too, marked.
    let listed: Vec<&Value> = document["connectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|listed| !listed["version"].is_null())
        .collect();
    let expected = vector.expect.connectors.as_ref().unwrap();
    for (id, expected) in expected {
        let listed = listed
            .iter()
            .find(|listed| listed["id"] == id.as_str())
            .unwrap();
        check_connector(vector, &run, id, listed, expected);
    }
    if !vector.tolerant {
        assert_eq!(listed.len(), expected.len());
    }
    assert_eq!(
        std::fs::read(&vault).unwrap(),
        file,
        "reading writes nothing"
    );
}

fn check_connector(
    vector: &VaultVector,
    run: &impl Fn(&str, &[&str]) -> Ran,
    id: &str,
    listed: &Value,
    expected: &ExpectConnector,
) {
    assert_eq!(listed["name"], expected.name);
    assert_eq!(listed["type"], expected.type_name);
    assert_eq!(listed["version"], *expected.versions.last().unwrap());
    assert_eq!(listed["properties"], serde_json::json!(expected.names));
    let history = document(&run("history", &[id]));
    let versions = history["versions"].as_array().unwrap().iter();
    let versions: Vec<u64> = versions
        .map(|version| version["version"].as_u64().unwrap())
        .collect();
    assert_eq!(versions, expected.versions);
    let shown = run("show", &[id, "--reveal"]);
    match (&expected.properties, vector.expect.read_error.get(id)) {
        (Some(properties), None) => {
            assert_eq!(
                document(&shown)["properties"],
                serde_json::json!(properties)
            );
        }
        (None, Some(code)) => assert_eq!(shown.error(1)["code"], code.as_str()),
        _ => panic!("a vector has either values or an error"),
    }
}

/// The one document on standard output; warnings are on standard error.
fn document(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

fn run(vector: &VaultVector, dir: &Path, name: &str, more: &[&str]) -> Ran {
    let mut command: Command = cvault(dir, [name, "v.cvault"]);
    command.args(more).arg("--json");
    if vector.tolerant {
        command.arg("--tolerant");
    }
    if let Some(vault_id) = &vector.vault_id {
        command.env("CVAULT_VAULT_ID", vault_id);
    }
    match &vector.unlock {
        UnlockBy::Identity(text) => command.env("CVAULT_IDENTITY", text),
        UnlockBy::Passphrase(text) => command.env("CVAULT_PASSPHRASE", text),
    };
    let ran = ran(&mut command);
    let (UnlockBy::Identity(secret) | UnlockBy::Passphrase(secret)) = &vector.unlock;
    assert!(
        !ran.stdout.contains(secret) && !ran.stderr.contains(secret),
        "{ran:?}"
    );
    ran
}

/// Keeps the known head where the program looks for it. It looks by the id of the vault that it
/// finds, so it never compares with the head of another: such a vector is the library's.
fn remember(vector: &VaultVector, file: &[u8], dir: &Path, vault: &Path) -> bool {
    let Some(known) = &vector.known_head else {
        return true;
    };
    let known: KnownHead = serde_json::from_value(known.clone()).unwrap();
    let found = Vault::identify(file);
    if found.is_ok_and(|found| found != known.head.vault_id) {
        return false;
    }
    let place = vault.to_str().unwrap();
    let vault_id = known.head.vault_id;
    KnownHeads::open(dir.join("state"))
        .remember(vault_id.as_bytes(), place, known.head.seq, &known)
        .unwrap();
    true
}
