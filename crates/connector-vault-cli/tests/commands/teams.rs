//! Several people and machines, each with a state folder of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, cvault, folder, ran, ran_with, twitter};
use crate::{CHEAP, check_text};

/// A machine: the heads that were seen on it, and the identity that is used there.
struct Machine {
    state: tempfile::TempDir,
    identity: String,
    public: String,
}

impl Machine {
    /// A machine on which an identity was made.
    fn new() -> Self {
        let state = folder();
        let made = ran(&mut cvault(state.path(), ["identity", "new", "--json"])).json();
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        Self {
            identity: text("identity"),
            public: text("public"),
            state,
        }
    }

    /// `cvault` here, without a vault id.
    fn cvault<const N: usize>(&self, sandbox: &Sandbox, args: [&str; N]) -> Command {
        let mut command = cvault(sandbox.dir.path(), args);
        command
            .env("CVAULT_STATE_DIR", self.state.path())
            .env("CVAULT_IDENTITY", &self.identity);
        command
    }

    fn run<const N: usize>(&self, sandbox: &Sandbox, args: [&str; N]) -> Ran {
        ran(&mut self.cvault(sandbox, args))
    }

    /// The same, knowing which vault to trust.
    fn trusting<const N: usize>(&self, sandbox: &Sandbox, args: [&str; N]) -> Ran {
        ran(self
            .cvault(sandbox, args)
            .env("CVAULT_VAULT_ID", &sandbox.vault_id))
    }
}

fn grant(sandbox: &Sandbox, label: &str, role: &str, to: &Machine) {
    let mut command = sandbox.cvault(["grant", "v.cvault", "--label", label]);
    let granted = ran(command.args(["--right", role, "--to", &to.public]));
    let reference = "CVAULT_VAULT_REF=cvault-vault-1";
    assert!(granted.text().contains(reference), "{granted:?}");
}

const SHOW: [&str; 5] = [
    "show",
    "v.cvault",
    "twitterConnectorId",
    "--reveal",
    "--json",
];

#[test]
fn a_key_is_granted_used_elsewhere_and_revoked() {
    let sandbox = twitter();
    let elsewhere = Machine::new();
    grant(&sandbox, "ci", "reader", &elsewhere);

    let refused = elsewhere.run(&sandbox, SHOW).error(1);
    assert_eq!(refused["code"], "vault_id_required");
    let shown = elsewhere.trusting(&sandbox, SHOW).json();
    assert_eq!(shown["properties"]["APIKey"], "s3cret-1");
    // The head that was seen says by now which vault it is.
    elsewhere.run(&sandbox, SHOW).json();

    let old = sandbox.dir.path().join("old.cvault");
    fs::copy(&sandbox.vault, &old).unwrap();
    let revoked = sandbox.run(["revoke", "v.cvault", "ci"]);
    for part in [
        "Revoked ci",
        "An old copy of the vault still opens for its former holder",
        "twitterConnectorId",
    ] {
        assert!(revoked.text().contains(part), "{revoked:?}");
    }
    let refused = elsewhere.run(&sandbox, SHOW).error(1);
    assert_eq!(refused["code"], "wrong_identity");
    let mut old = SHOW;
    old[1] = "old.cvault";
    let shown = elsewhere.trusting(&sandbox, old).json();
    assert_eq!(shown["properties"]["APIKey"], "s3cret-1");
}

#[cfg(unix)]
#[test]
fn an_identity_file_is_private_and_enough() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = twitter();
    let elsewhere = folder();
    let made = ran(&mut cvault(
        elsewhere.path(),
        ["identity", "new", "--out", "ci.identity"],
    ));
    let path = elsewhere.path().join("ci.identity");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let secret = fs::read_to_string(&path).unwrap();
    let public = elsewhere.path().join("ci.identity.pub");
    let mut grant = sandbox.cvault(["grant", "v.cvault", "--label", "ci", "--right", "viewer"]);
    let granted = ran(grant.args(["--to", &format!("@{}", public.display())]));
    let fingerprint = fs::read_to_string(&public).unwrap();
    let fingerprint = fingerprint
        .lines()
        .next()
        .unwrap()
        .strip_prefix("# fingerprint ")
        .unwrap();
    assert!(granted.text().contains(fingerprint), "{granted:?}");
    assert!(made.text().contains(fingerprint), "{made:?}");
    let grants = sandbox.run(["grants", "v.cvault", "--json"]).json();
    assert_eq!(grants["grants"][1]["fingerprint"], fingerprint);
    assert!(
        sandbox
            .run(["grants", "v.cvault"])
            .text()
            .contains(fingerprint)
    );
    fs::write(&path, format!("{secret}vault-id: {}\n", sandbox.vault_id)).unwrap();
    let mut list = cvault(elsewhere.path(), ["list", "--json"]);
    let list = list.arg(&sandbox.vault).env("CVAULT_IDENTITY_FILE", &path);
    assert_eq!(
        ran(list).json()["connectors"][0]["id"],
        "twitterConnectorId"
    );
}

#[test]
fn a_former_owner_is_refused_by_who_knows_a_head() {
    let sandbox = twitter();
    let (ann, early, late) = (Machine::new(), Machine::new(), Machine::new());
    let list = ["list", "v.cvault", "--json"];
    grant(&sandbox, "early", "reader", &early);
    early.trusting(&sandbox, list).json();
    grant(&sandbox, "late", "reader", &late);
    grant(&sandbox, "ann", "owner", &ann);
    let old = sandbox.dir.path().join("ann.cvault");
    fs::copy(&sandbox.vault, &old).unwrap();

    sandbox.run(["revoke", "v.cvault", "ann", "--json"]).json();
    late.trusting(&sandbox, list).json();
    let sound = sandbox.bytes();
    // One commit after the other, from fewer to more than the others have seen.
    let mut codes = Vec::new();
    for _ in 0..3 {
        let compact = ["compact", "ann.cvault", "--json"];
        ann.trusting(&sandbox, compact).json();
        fs::copy(&old, &sandbox.vault).unwrap();
        for refused in [
            sandbox.run(list),
            late.run(&sandbox, list),
            late.trusting(&sandbox, list),
        ] {
            codes.push(refused.error(1)["code"].as_str().unwrap().to_owned());
        }
    }
    // A client that has last looked before the vault key was replaced cannot tell: Ann had that key.
    early.run(&sandbox, list).json();
    let refusals = ["rolled_back", "forked", "untrusted_owner"];
    assert!(
        codes.iter().all(|code| refusals.contains(&code.as_str())),
        "{codes:?}"
    );
    fs::write(&sandbox.vault, sound).unwrap();
    sandbox.run(list).json();
    late.run(&sandbox, list).json();
}

/// The key slot in a file that has one: docs/format.md section 3.
fn slot(file: &[u8]) -> serde_json::Map<String, Value> {
    let len = u32::from_le_bytes(file[8..12].try_into().unwrap()) as usize;
    let key_slots: Value = serde_json::from_slice(&file[12..12 + len]).unwrap();
    key_slots[0].as_object().unwrap().clone()
}

#[test]
fn a_replaced_passphrase_leaves_the_file() {
    let dir = folder();
    let run = |args: [&str; 3], passphrase: &str| {
        let mut command = cvault(dir.path(), args);
        command
            .env("CVAULT_PASSPHRASE", passphrase)
            .env("CVAULT_NEW_PASSPHRASE", "the second passphrase");
        command
    };
    let list = ["list", "v.cvault", "--json"];
    let first = "the first passphrase";
    ran(run(["init", "v.cvault", "--json"], first).args(CHEAP)).json();
    let old = slot(&fs::read(dir.path().join("v.cvault")).unwrap());

    let mut passwd = run(["passwd", "v.cvault", "--json"], first);
    let changed = ran(passwd.args(["--memory-mib", "20", "--passes", "2"])).json();
    let expected = json!({"label": "owner", "memory_kib": 20 * 1024, "passes": 2, "lanes": 1});
    assert_eq!(changed, expected);
    let refused = ran(&mut run(list, first)).error(1);
    assert_eq!(refused["code"], "wrong_passphrase");
    ran(&mut run(list, "the second passphrase")).json();

    let file = fs::read(dir.path().join("v.cvault")).unwrap();
    let new = slot(&file);
    assert_eq!(
        new["cost"],
        json!({"memory_kib": 20 * 1024, "passes": 2, "lanes": 1})
    );
    let random = ["salt", "commitment", "nonce", "wrapped", "tag"];
    let of_slot = random.map(|field| old[field].as_str().unwrap());
    for entry in walk(dir.path()) {
        let bytes = fs::read(entry).unwrap();
        for part in of_slot {
            assert!(!contains(&bytes, part.as_bytes()), "{part} is still there");
        }
    }
}

#[test]
fn a_member_hears_that_an_owner_is_wanted() {
    let sandbox = twitter();
    let machine = Machine::new();
    grant(&sandbox, "rotation", "updater", &machine);
    let update = |value: &str| {
        let properties = json!({"Certificate": value.repeat(600 * 1024)}).to_string();
        let action = json!({"ActionType": "Connectors.Update", "Parameters": {
            "EntryId": "twitterConnectorId", "PropertiesJson": properties,
        }});
        let mut run = machine.cvault(&sandbox, ["run", "v.cvault", "-", "--json"]);
        run.env("CVAULT_VAULT_ID", &sandbox.vault_id);
        ran_with(&mut run, &action.to_string())
    };
    for value in ["a", "b"] {
        let done = update(value);
        assert!(!done.stderr.contains("compaction_due"), "{done:?}");
    }
    let list = ["list", "v.cvault", "--json"];
    let told = machine.trusting(&sandbox, list);
    let warning: Value = serde_json::from_str(&told.stderr).unwrap();
    assert_eq!(warning["warning"]["code"], "compaction_due");
    let owner = sandbox.run(list);
    assert_eq!((owner.code, owner.stderr.as_str()), (0, ""));
    sandbox.run(["compact", "v.cvault", "--keep", "1"]);
    assert_eq!(machine.trusting(&sandbox, list).stderr, "");
}

#[test]
fn a_rotator_writes_what_it_cannot_read() {
    let sandbox = twitter();
    let rotation = Machine::new();
    grant(&sandbox, "rotation", "rotator", &rotation);
    let listed = rotation.trusting(&sandbox, ["list", "v.cvault", "--json"]);
    assert_eq!(listed.json()["connectors"][0]["id"], "twitterConnectorId");
    let action = json!({"ActionType": "Connectors.Update", "Parameters": {
        "EntryId": "twitterConnectorId",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[T]"}],
        "PropertiesJson": r#"{"Region": "eu"}"#,
    }});
    fs::write(sandbox.dir.path().join("rotate.json"), action.to_string()).unwrap();
    let run = |more: &[&str]| {
        let mut command = rotation.cvault(&sandbox, ["run", "v.cvault", "rotate.json"]);
        command
            .env("CVAULT_VAULT_ID", &sandbox.vault_id)
            .env("T", "rotated-by-a-machine")
            .args(["--token-env", "T=T"]);
        ran(command.args(more))
    };
    let plan = run(&["--plan"]);
    check_text(
        plan.text(),
        "Plan: updates twitterConnectorId, version 1 -> 2; nothing is written\n\
         ~ APIKey = ******  (grid)\n\
         ~ Region = ******  (json)\n\
         \x20 tokens: T\n",
    );
    let done = run(&["--json"]).json();
    assert_eq!(done["status"], "updated");
    for change in done["changes"].as_array().unwrap() {
        assert_eq!(change["change"], "written");
    }
    for refused in [
        &["show", "v.cvault", "twitterConnectorId", "--reveal"][..],
        &["get", "v.cvault", "twitterConnectorId", "APIKey"],
        &["restore", "v.cvault", "twitterConnectorId", "1"],
        &["delete", "v.cvault", "twitterConnectorId"],
    ] {
        let mut command = rotation.cvault(&sandbox, [refused[0]]);
        command.env("CVAULT_VAULT_ID", &sandbox.vault_id);
        let refused = ran(command.args(&refused[1..]).arg("--json"));
        assert_eq!(refused.error(1)["code"], "not_permitted", "{refused:?}");
    }
    let merged = run(&["--nested", "merge", "--json"]);
    assert_eq!(merged.error(1)["code"], "not_permitted", "{merged:?}");
    let shown = sandbox.run([
        "show",
        "v.cvault",
        "twitterConnectorId",
        "--reveal",
        "--json",
    ]);
    let properties = &shown.json()["properties"];
    assert_eq!(properties["APIKey"], "rotated-by-a-machine");
    assert_eq!(properties["Region"], "eu");
    let history = sandbox.run(["history", "v.cvault", "twitterConnectorId", "--json"]);
    let newest = &history.json()["versions"][1];
    assert_eq!(
        (&newest["op"], &newest["author"]),
        (&json!("patch"), &json!("rotation"))
    );
    assert_eq!(newest["changed"], json!(["APIKey", "Region"]));
}

#[test]
fn revoking_writes_no_value_in_clear() {
    let sandbox = Sandbox::new();
    let connectors: Vec<_> = (0..300)
        .map(|number| {
            let value = format!("s3cret-{number:04}-plain");
            json!({"id": format!("c{number}"), "name": "N", "type": "T", "properties": {"APIKey": value}})
        })
        .collect();
    let document = json!({ "connectors": connectors }).to_string();
    let mut import = sandbox.cvault(["import", "v.cvault", "-", "--json"]);
    ran_with(&mut import, &document).json();
    let ci = Machine::new();
    grant(&sandbox, "ci", "updater", &ci);

    let clear = || {
        walk(sandbox.dir.path()).into_iter().find(|path| {
            // What is gone by now was searched before or is renamed.
            fs::read(path).is_ok_and(|bytes| contains(&bytes, b"s3cret-"))
        })
    };
    let mut revoke = sandbox.cvault(["revoke", "v.cvault", "ci", "--json"]);
    let mut child = revoke.stdout(std::process::Stdio::piped()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        assert_eq!(clear(), None);
    }
    let output = child.wait_with_output().unwrap();
    let revoked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(revoked["exposed"].as_array().unwrap().len(), 300);
    assert_eq!(clear(), None);
    let shown = sandbox.run(["show", "v.cvault", "c299", "--reveal", "--json"]);
    assert_eq!(shown.json()["properties"]["APIKey"], "s3cret-0299-plain");
}

/// Every file below a folder.
fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(walk(&path)),
            false => files.push(path),
        }
    }
    files
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
