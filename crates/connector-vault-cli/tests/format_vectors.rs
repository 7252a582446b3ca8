//! Every vector of `tests/vectors/{format,keys,repair}` through the program (tests/vectors/README.md).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    dead_code,
    reason = "tests fail by panicking, and the schema serves other tests too"
)]

#[path = "../../connector-vault/tests/vectors/conformance.rs"]
mod conformance;
#[path = "../../connector-vault/tests/vectors/format.rs"]
mod files;
#[path = "../../connector-vault/tests/vectors/repair.rs"]
mod repairs;
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use base64ct::{Base64UrlUnpadded, Encoding};
use connector_vault::{KnownHead, Vault};
use connector_vault_store::KnownHeads;
use files::{ExpectConnector, ExpectKeySlot, Given, KeyVector, UnlockBy, VaultVector};
use repairs::RepairVector;
use serde_json::Value;
use support::{Ran, Sandbox, cvault, folder, ran};

#[test]
fn format_vectors() {
    let vectors: BTreeMap<String, VaultVector> = files::load("format");
    conformance::run("cvault", "format", vectors, check);
}

#[test]
fn repair_vectors() {
    let files: BTreeMap<String, VaultVector> = files::load("format");
    let vectors: BTreeMap<String, RepairVector> = files::load("repair");
    conformance::run("cvault", "repair", vectors, |vector| {
        check_repair(vector, &files[&vector.format])
    });
}

#[test]
fn key_vectors() {
    let vectors: BTreeMap<String, KeyVector> = files::load("keys");
    conformance::run("cvault", "keys", vectors, check_key);
}

#[test]
fn a_vector_with_a_name_more_is_rejected() {
    conformance::rejects_one_more_name(files::texts("format"), |name, text| {
        files::parse::<VaultVector>(name, text).err()
    });
    conformance::rejects_one_more_name(files::texts("repair"), |name, text| {
        files::parse::<RepairVector>(name, text).err()
    });
    conformance::rejects_one_more_name(files::texts("keys"), |name, text| {
        files::parse::<KeyVector>(name, text).err()
    });
}

#[test]
fn a_false_version_that_a_snapshot_leaves_out_is_told() {
    let vectors: BTreeMap<String, VaultVector> = files::load("format");
    let vector = &vectors["names-mismatch"];
    for (command, more) in [("compact", &[][..]), ("purge", &["--yes"])] {
        let dir = folder();
        let file = base16ct::lower::decode_vec(&vector.file).unwrap();
        std::fs::write(dir.path().join("v.cvault"), file).unwrap();
        let done = run(vector, dir.path(), command, more);
        document(&done);
        let warned = done.stderr.lines().find(|line| line.contains("left out"));
        let warned = warned.unwrap_or_else(|| panic!("{done:?}"));
        assert!(
            warned.contains("false_record") && warned.contains("ops"),
            "{warned}"
        );
        let history = document(&run(vector, dir.path(), "history", &["x"]));
        let newest = history["versions"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&newest["version"], &newest["op"]),
            (&3.into(), &"restore".into())
        );
        assert_eq!(
            document(&run(vector, dir.path(), "verify", &[]))["ok"],
            true
        );
    }
}

/// Returns what the program cannot be asked for.
fn check(vector: &VaultVector) -> Option<&'static str> {
    if vector.work_kib_max.is_some() {
        return Some("of another budget for key slots");
    }
    let dir = folder();
    let vault = dir.path().canonicalize().unwrap().join("v.cvault");
    let file = base16ct::lower::decode_vec(&vector.file).unwrap();
    std::fs::write(&vault, &file).unwrap();
    if !remember(vector, &file, dir.path(), &vault) {
        return Some("of a known head of another vault");
    }
    let run = |command: &str, more: &[&str]| run(vector, dir.path(), command, more);

    if let Some(expected) = &vector.expect.key_slots {
        let mut command = cvault(dir.path(), ["key", "list", "v.cvault", "--json"]);
        check_key_slots(&document(&ran(&mut command)), expected);
    }
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
        return None;
    }
    let head = document(&run("head", &[]));
    assert_eq!(Some(&head), vector.expect.head.as_ref());
    let document = document(&listed);
    check_damaged(vector, &listed, &document);
    let listed = document["connectors"].as_array().unwrap();
    let expected = vector.expect.connectors.as_ref().unwrap();
    for (id, expected) in expected {
        let listed = listed
            .iter()
            .find(|listed| listed["id"] == id.as_str())
            .unwrap();
        check_connector(vector, &run, id, listed, expected);
    }
    assert_eq!(listed.len(), expected.len());
    let mut groups = cvault(dir.path(), ["group", "list", "v.cvault", "--json"]);
    if let Some(vault_id) = &vector.vault_id {
        groups.env("CVAULT_VAULT_ID", vault_id);
    }
    let groups = self::document(&unlocked(vector, &mut groups))["groups"].clone();
    let groups = (groups.as_array().unwrap().len() > 1).then_some(groups);
    let expected = vector.expect.groups.as_ref();
    assert_eq!(groups, expected.map(|groups| serde_json::json!(groups)));
    assert_eq!(
        std::fs::read(&vault).unwrap(),
        file,
        "reading writes nothing"
    );
    None
}

fn check_key_slots(listed: &Value, expected: &[ExpectKeySlot]) {
    let listed = listed["key_slots"].as_array().unwrap();
    assert_eq!(listed.len(), expected.len());
    for (listed, expected) in listed.iter().zip(expected) {
        let hint = expected.hint.as_ref().map(|hint| {
            let hint = base16ct::lower::decode_vec(hint).unwrap();
            Base64UrlUnpadded::encode_string(&hint)
        });
        assert_eq!(listed["grant"], serde_json::json!(expected.grant));
        assert_eq!(listed["label"], serde_json::json!(expected.label));
        assert_eq!(listed["kind"], serde_json::json!(expected.kind));
        assert_eq!(listed["hint"], serde_json::json!(hint));
        assert_eq!(listed["prf_input"], serde_json::json!(expected.prf_input));
        assert_eq!(!listed["broken"].is_null(), expected.broken);
    }
}

/// What does not open stands in the list by name, and a warning tells each.
fn check_damaged(vector: &VaultVector, listed: &Ran, document: &Value) {
    let told = |of: &Value, name: &str| (of[name].clone(), of["code"].clone());
    let order = |of: &(Value, Value)| format!("{of:?}");
    let found = document["damaged"].as_array().into_iter().flatten();
    let mut found: Vec<_> = found.map(|damaged| told(damaged, "id")).collect();
    let expected = serde_json::json!(vector.expect.damaged);
    let expected = expected.as_array().unwrap().iter();
    let mut expected: Vec<_> = expected.map(|damaged| told(damaged, "connector")).collect();
    found.sort_by_key(order);
    expected.sort_by_key(order);
    assert_eq!(found, expected, "{listed:?}");
    for (_, code) in &expected {
        let warning = format!("{{\"warning\":{{\"code\":{code},");
        assert!(listed.stderr.contains(&warning), "{listed:?}");
    }
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
    assert_eq!(listed["meta"], serde_json::json!(expected.meta));
    assert_eq!(listed["created_at"], expected.created_at);
    assert_eq!(listed["rotated_at"], expected.rotated_at);
    let history = document(&run("history", &[id]));
    let signed_by = history["versions"].as_array().unwrap().iter();
    let signed_by: Vec<_> = signed_by.map(|version| &version["signed_by"]).collect();
    assert_eq!(
        serde_json::json!(signed_by),
        serde_json::json!(expected.signed_by)
    );
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

fn check_repair(vector: &RepairVector, damaged: &VaultVector) -> Option<&'static str> {
    let dir = folder();
    let vault = dir.path().canonicalize().unwrap().join("v.cvault");
    let file = base16ct::lower::decode_vec(&damaged.file).unwrap();
    std::fs::write(&vault, &file).unwrap();
    if !remember(damaged, &file, dir.path(), &vault) {
        return Some("of a known head of another vault");
    }
    let mut more = vec!["out.cvault"];
    if vector.elsewhere {
        more.push("--elsewhere");
    }
    if vector.older_header {
        more.push("--older-header");
    }
    let repaired = run(damaged, dir.path(), "repair", &more);
    assert_eq!(
        std::fs::read(&vault).unwrap(),
        file,
        "the damaged vault stays as it is"
    );
    if let Some(code) = &vector.expect.error {
        assert_eq!(repaired.error(1)["code"], code.as_str());
        assert!(!dir.path().join("out.cvault").exists());
        return None;
    }
    let repaired = document(&repaired);
    let out = |command: &str| {
        let mut command = cvault(dir.path(), [command, "out.cvault", "--json"]);
        let vault_id = repaired["vault_id"].as_str().unwrap();
        unlocked(damaged, command.env("CVAULT_VAULT_ID", vault_id))
    };
    let count = |name: &str| repaired[name].as_array().unwrap().len();
    let listed = document(&out("list"));
    let connectors = listed["connectors"].as_array().unwrap().iter();
    let found = repairs::Expect {
        error: None,
        recovered: repaired["recovered"].as_u64().unwrap().try_into().unwrap(),
        restored: count("restored"),
        elsewhere: count("elsewhere"),
        lost: count("lost"),
        gaps: count("gaps"),
        connectors: connectors
            .map(|connector| {
                let id = connector["id"].as_str().unwrap().to_owned();
                (id, connector["version"].as_u64().unwrap())
            })
            .collect(),
    };
    assert_eq!(found, vector.expect);
    assert_eq!(document(&out("verify"))["ok"], true);
    None
}

/// An identity becomes the owner of a vault, and a key is granted a role.
fn check_key(vector: &KeyVector) -> Option<&'static str> {
    let (expect, sandbox) = (&vector.expect, Sandbox::new());
    let answer = match &vector.given {
        Given::Identity(text) => {
            // An empty variable would be none at all.
            sandbox.write("identity", text);
            let by_identity = |args: &[&str], vault_id: &str| {
                let mut command = cvault(sandbox.dir.path(), ["--json"]);
                command.args(args).env("CVAULT_IDENTITY_FILE", "identity");
                ran(command.env("CVAULT_VAULT_ID", vault_id))
            };
            let made = by_identity(&["init", "new.cvault", "--identity"], "");
            match &expect.error {
                Some(_) => Err(made),
                None => {
                    let vault_id = made.json()["vault_id"].as_str().unwrap().to_owned();
                    let grants = by_identity(&["grants", "new.cvault"], &vault_id).json();
                    Ok(grants["grants"][0].clone())
                }
            }
        }
        Given::GrantKey(text) => {
            let mut grant = sandbox.cvault(["grant", "v.cvault", "--label", "ci", "--json"]);
            let granted = ran(grant.args(["--right", "reader", "--to", text]));
            match &expect.error {
                Some(_) => Err(granted),
                None => Ok(granted.json()["grant"].clone()),
            }
        }
        step => return Some(step.name()),
    };
    match answer {
        Ok(grant) => {
            assert_eq!(grant["key"], serde_json::json!(expect.grant_key));
            assert_eq!(grant["fingerprint"], serde_json::json!(expect.fingerprint));
        }
        Err(failed) => assert_eq!(failed.error(1)["code"], serde_json::json!(expect.error)),
    }
    None
}

/// The one document on standard output; warnings are on standard error.
fn document(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

fn run(vector: &VaultVector, dir: &Path, name: &str, more: &[&str]) -> Ran {
    let mut command: Command = cvault(dir, [name, "v.cvault"]);
    command.args(more).arg("--json");
    if let Some(vault_id) = &vector.vault_id {
        command.env("CVAULT_VAULT_ID", vault_id);
    }
    if let Some(reference) = &vector.reference {
        command.env("CVAULT_VAULT_REF", reference);
    }
    unlocked(vector, &mut command)
}

/// Runs a command with what opens the vault, which it must not tell.
fn unlocked(vector: &VaultVector, command: &mut Command) -> Ran {
    match &vector.unlock {
        UnlockBy::Identity(text) => command.env("CVAULT_IDENTITY", text),
        UnlockBy::Passphrase(text) => command.env("CVAULT_PASSPHRASE", text),
        UnlockBy::Key(key) => {
            if let Some(hint) = &vector.hint {
                let hint = base16ct::lower::decode_vec(hint).unwrap();
                let hint = Base64UrlUnpadded::encode_string(&hint);
                command.args(["--key-hint", &format!("base64url:{hint}")]);
            }
            command.env("CVAULT_KEY", key)
        }
    };
    let ran = ran(command);
    let (UnlockBy::Identity(secret) | UnlockBy::Passphrase(secret) | UnlockBy::Key(secret)) =
        &vector.unlock;
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
