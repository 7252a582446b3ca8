//! Every vector of `tests/vectors/merge` through the program (tests/vectors/README.md).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    dead_code,
    reason = "tests fail by panicking, and the vectors are read for other surfaces too"
)]

#[path = "../../connector-vault/tests/vectors/conformance.rs"]
mod conformance;
mod support;
#[path = "../../connector-vault/tests/vectors/merge.rs"]
mod vectors;

use std::collections::BTreeMap;
use std::fs;

use connector_vault::Identity;
use serde_json::{Value, json};

use support::{Ran, Sandbox, ran, ran_with};
use vectors::{Add, Conflict, Describe, Grant, MergeVector, Resolve, Side, Step};

#[test]
fn merge_vectors() {
    conformance::run("cvault", "merge", vectors::load(), |vector| {
        check(vector);
        None
    });
}

#[test]
fn a_vector_with_a_name_more_is_rejected() {
    conformance::rejects_one_more_name(vectors::texts(), |name, text| {
        vectors::parse(name, text).err()
    });
}

fn check(vector: &MergeVector) {
    let mut copies = Copies::new(vector);
    for (side, step) in vector.steps() {
        let path = match side {
            Side::Ours => "v.cvault",
            Side::Theirs => "theirs.cvault",
        };
        copies.step(path, step);
    }
    let sandbox = &copies.sandbox;
    let theirs_before = fs::read(sandbox.dir.path().join("theirs.cvault")).unwrap();
    let before = sandbox.bytes();

    let plan = merge(sandbox, vector, &["--plan", "--json"]);
    check_found(vector, &copies, &result(&plan));
    check_secrets(&merge(sandbox, vector, &["--plan"]));
    assert!(sandbox.bytes() == before, "a plan writes nothing");
    if let Some(code) = &vector.expect.error {
        let told = merge(sandbox, vector, &[]);
        check_secrets(&told);
        for conflict in &vector.expect.conflicts {
            assert!(told.stderr.contains(&conflict.id), "{told:?}");
            let property = conflict.property.as_deref().unwrap_or_default();
            assert!(told.stderr.contains(property), "{told:?}");
        }
        let refused = merge(sandbox, vector, &["--json"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        let found: Value = serde_json::from_str(&refused.stdout).unwrap();
        assert_eq!(found["status"], "refused");
        check_found(vector, &copies, &found);
        let last = refused.stderr.lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(last).unwrap();
        assert_eq!(error["error"]["code"], code.as_str());
        assert!(sandbox.bytes() == before, "ours is as before");
        return;
    }
    let merged = merge(sandbox, vector, &["--json"]);
    check_secrets(&merged);
    let merged = result(&merged);
    check_found(vector, &copies, &merged);
    let status = match sandbox.bytes() == before {
        true => "unchanged",
        false => "merged",
    };
    assert_eq!(merged["status"], status);
    let theirs = fs::read(sandbox.dir.path().join("theirs.cvault")).unwrap();
    assert!(theirs == theirs_before, "theirs is not changed");
    check_connectors(vector, sandbox);
    let again = result(&merge(sandbox, vector, &["--json"]));
    if again["conflicts"] == json!([]) {
        assert_eq!(again["status"], "unchanged");
    }
    copies.step("v.cvault", &Step::Purge(Vec::new()));
    check_connectors(vector, &copies.sandbox);
}

fn merge(sandbox: &Sandbox, vector: &MergeVector, more: &[&str]) -> Ran {
    let mut command = sandbox.cvault(["merge", "v.cvault", "theirs.cvault"]);
    match vector.resolve {
        Some(Resolve::Ours) => command.args(["--resolve", "ours"]),
        Some(Resolve::Theirs) => command.args(["--resolve", "theirs"]),
        Some(Resolve::Newest) => command.args(["--resolve", "newest"]),
        None => &mut command,
    };
    if vector.accept_strangers {
        command.arg("--accept-strangers");
    }
    ran(command.args(more))
}

/// What was printed as JSON. The copy that is merged may be the newer one, which is told.
fn result(ran: &Ran) -> Value {
    for line in ran.stderr.lines() {
        let told: Value = serde_json::from_str(line).unwrap();
        assert_eq!(told["warning"]["code"], "seen_newer", "{ran:?}");
    }
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

fn check_secrets(ran: &Ran) {
    let told = ran.stdout.contains("s3cret") || ran.stderr.contains("s3cret");
    assert!(!told, "{ran:?}");
}

fn check_found(vector: &MergeVector, copies: &Copies, found: &Value) {
    let found_conflicts = found["conflicts"].as_array().unwrap().iter();
    let mut conflicts: Vec<Conflict> = found_conflicts
        .map(|conflict| {
            let told = ["ours_at", "ours_by", "theirs_at", "theirs_by"];
            assert!(told.iter().all(|name| conflict[name].is_string()));
            let (ours, theirs) = (&conflict["ours_at"], &conflict["theirs_at"]);
            let winner = match vector.resolve {
                None => Value::Null,
                Some(Resolve::Ours) => json!("ours"),
                Some(Resolve::Theirs) => json!("theirs"),
                Some(Resolve::Newest) if theirs.as_str() > ours.as_str() => json!("theirs"),
                Some(Resolve::Newest) => json!("ours"),
            };
            assert_eq!(conflict["winner"], winner);
            let mut conflict = conflict.clone();
            let fields = conflict.as_object_mut().unwrap();
            fields.retain(|name, _| ["id", "kind", "property"].contains(&name.as_str()));
            serde_json::from_value(conflict).unwrap()
        })
        .collect();
    assert_eq!(found["not_taken"], json!([]));
    conflicts.sort();
    assert_eq!(conflicts, vector.conflicts());
    // By their keys: the labels that they have in the other copy say nothing.
    let strangers = found["strangers"].as_array().unwrap().iter();
    let mut strangers: Vec<_> = strangers
        .map(|stranger| stranger["fingerprint"].as_str().unwrap().to_owned())
        .collect();
    strangers.sort();
    let expected = vector.expect.strangers.iter();
    let mut expected: Vec<_> = expected
        .map(|label| {
            let identity = Identity::parse(&copies.identities[label]).unwrap();
            identity.grant_key().fingerprint()
        })
        .collect();
    expected.sort();
    assert_eq!(strangers, expected);
}

fn check_connectors(vector: &MergeVector, sandbox: &Sandbox) {
    let expected = vector.expect.connectors.as_ref().unwrap();
    let exported = sandbox.run(["export", "v.cvault", "--reveal", "--json"]);
    let exported = exported.json();
    let found = exported["connectors"].as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    for connector in found {
        let expected = &expected[connector["id"].as_str().unwrap()];
        assert_eq!(connector["properties"], json!(expected.properties));
        for (field, expected) in [
            ("name", json!(expected.name)),
            ("type", json!(expected.type_name)),
            ("version", json!(expected.version)),
            ("meta", json!(expected.meta)),
        ] {
            assert!(
                expected.is_null() || connector[field] == expected,
                "{connector}"
            );
        }
    }
    let verified = sandbox.run(["verify", "v.cvault", "--json"]).json();
    assert_eq!(verified["ok"], true);
}

/// Two copies of a vault in one folder, and the identities that open them.
struct Copies {
    sandbox: Sandbox,
    identities: BTreeMap<String, String>,
}

impl Copies {
    fn new(vector: &MergeVector) -> Self {
        let mut copies = Self {
            sandbox: Sandbox::new(),
            identities: BTreeMap::new(),
        };
        for step in vector.base() {
            copies.step("v.cvault", &step);
        }
        let theirs = copies.sandbox.dir.path().join("theirs.cvault");
        fs::copy(&copies.sandbox.vault, theirs).unwrap();
        copies
    }

    fn step(&mut self, path: &str, step: &Step) {
        let sandbox = &self.sandbox;
        let done = match step {
            Step::Add(add) => self.add(path, add),
            Step::Update(update) => {
                let mut run =
                    sandbox.cvault(["run", path, "-", "--null", "remove", "--allow-mask"]);
                if let Some(label) = &update.by {
                    run.env("CVAULT_IDENTITY", &self.identities[label]);
                }
                ran_with(&mut run, &update.action())
            }
            Step::Describe(describe) => self.describe(path, describe),
            Step::Delete(id) => sandbox.run(["delete", path, id]),
            Step::Undelete(id) => sandbox.run(["undelete", path, id]),
            Step::Compact(keep) => sandbox.run(["compact", path, "--keep", &keep.to_string()]),
            Step::Purge(ids) => ran(sandbox.cvault(["purge", path, "--yes"]).args(ids)),
            Step::Grant(grant) => self.grant(path, grant),
        };
        assert_eq!(done.code, 0, "{done:?}");
    }

    fn add(&self, path: &str, add: &Add) -> Ran {
        let mut command = self
            .sandbox
            .cvault(["add", path, "--id", &add.id, "--from-json", "-"]);
        command.args([
            "--name",
            &add.name,
            "--type",
            &add.type_name,
            "--allow-mask",
        ]);
        ran_with(
            &mut command,
            &serde_json::to_string(&add.properties).unwrap(),
        )
    }

    fn describe(&self, path: &str, describe: &Describe) -> Ran {
        let mut command = self.sandbox.cvault(["describe", path, &describe.id]);
        if let Some(name) = &describe.name {
            command.args(["--name", name]);
        }
        if let Some(type_name) = &describe.type_name {
            command.args(["--type", type_name]);
        }
        for (name, text) in &describe.meta {
            let text = text.as_deref().unwrap_or_default();
            command.arg("--meta").arg(format!("{name}={text}"));
        }
        ran(&mut command)
    }

    fn grant(&mut self, path: &str, grant: &Grant) -> Ran {
        let made = self.sandbox.run(["identity", "new", "--json"]).json();
        let identity = made["identity"].as_str().unwrap().to_owned();
        self.identities.insert(grant.label.clone(), identity);
        let to = made["public"].as_str().unwrap();
        let mut command = self.sandbox.cvault(["grant", path, "--to", to]);
        ran(command.args(["--label", &grant.label, "--right", &grant.role]))
    }
}
