//! External keys: `key list`, `key add`, `key remove`, and what is opened by them.

use serde_json::{Value, json};

use crate::check_text;
use crate::support::{Ran, Sandbox, cvault, ran};

/// Hex digits that no message may hold.
const KEY: &str = "5ec3e7005ec3e7005ec3e7005ec3e7005ec3e7005ec3e7005ec3e7005ec3e700";
const OTHER: &str = "5ec3e7015ec3e7015ec3e7015ec3e7015ec3e7015ec3e7015ec3e7015ec3e701";

#[track_caller]
fn told(ran: Ran) -> Ran {
    let is_told = [&ran.stdout, &ran.stderr]
        .iter()
        .any(|text| text.contains("5ec3e7") || text.contains("XsPnAF"));
    assert!(!is_told, "{ran:?}");
    ran
}

/// Adds a key to the owner's grant.
#[track_caller]
fn add(sandbox: &Sandbox, key: &str, hint: &str) -> Ran {
    let mut add = sandbox.cvault(["key", "add", "v.cvault", "--json", "--hint", hint]);
    told(ran(add.env("CVAULT_NEW_KEY", key)))
}

/// Runs a command that opens the vault by a key.
fn by_key<const N: usize>(sandbox: &Sandbox, args: [&str; N], key: &str) -> Ran {
    told(ran(cvault(sandbox.dir.path(), args).env("CVAULT_KEY", key)))
}

fn slots(sandbox: &Sandbox) -> Vec<Value> {
    let mut list = cvault(sandbox.dir.path(), ["key", "list", "v.cvault", "--json"]);
    let listed = ran(&mut list).json();
    listed["key_slots"].as_array().unwrap().clone()
}

#[test]
fn a_key_is_added_listed_and_removed() {
    let sandbox = Sandbox::new();
    assert_eq!(slots(&sandbox), Vec::<Value>::new());
    let added = add(&sandbox, KEY, "keychain/ops");
    assert_eq!(
        added.json(),
        json!({"label": "ops", "hint": "keychain/ops"})
    );
    // Bytes that are no text.
    sandbox.write("other.key", format!("# the other one\n{OTHER}\n"));
    let mut more = sandbox.cvault(["key", "add", "v.cvault", "--json"]);
    more.args(["--hint", "base64url:_wA"])
        .env("CVAULT_NEW_KEY_FILE", "other.key");
    assert_eq!(told(ran(&mut more)).json()["hint"], "base64url:_wA");

    let listed = slots(&sandbox);
    let hints: Vec<_> = listed.iter().map(|slot| slot["hint"].clone()).collect();
    assert_eq!(hints, ["_wA", "a2V5Y2hhaW4vb3Bz"]);
    for slot in &listed {
        assert_eq!(slot["label"], "ops");
        assert_eq!(slot["kind"], "key");
        assert_eq!(slot["prf_input"].as_str().unwrap().len(), 64);
        assert_eq!(
            (&slot["cost"], &slot["broken"]),
            (&Value::Null, &Value::Null)
        );
    }
    let shown = ran(&mut cvault(sandbox.dir.path(), ["key", "list", "v.cvault"]));
    check_text(
        shown.text(),
        "\
GRANT  OPENS BY  HINT           COST  SLOT
ops    key       base64url:_wA        <..>
ops    key       keychain/ops         <..>
",
    );
    let grants = sandbox.run(["grants", "v.cvault", "--json"]).json();
    assert_eq!(grants["grants"][0]["has_key"], true);
    assert_eq!(grants["grants"][0]["has_passphrase"], false);

    for key in [KEY, OTHER] {
        let listed = by_key(&sandbox, ["list", "v.cvault", "--json"], key);
        assert_eq!(listed.json()["connectors"], json!([]));
    }
    let salt = listed[0]["salt"].as_str().unwrap();
    let args = ["key", "remove", "v.cvault", "--json", "--slot", salt];
    assert_eq!(by_key(&sandbox, args, KEY).json(), json!({"label": "ops"}));
    let refused = by_key(&sandbox, ["list", "v.cvault", "--json"], OTHER);
    assert_eq!(refused.error(1)["code"], "wrong_key");
    let removal = ["key", "remove", "v.cvault", "--json", "--hint", "none"];
    assert_eq!(sandbox.run(removal).error(1)["code"], "no_key_slot");
    let removal = [
        "key",
        "remove",
        "v.cvault",
        "--json",
        "--hint",
        "keychain/ops",
    ];
    assert_eq!(sandbox.run(removal).error(1)["code"], "last_key_slot");
    assert_eq!(slots(&sandbox).len(), 1);
}

#[test]
fn a_key_comes_from_a_variable_a_file_or_a_command() {
    let sandbox = Sandbox::new();
    // 32 bytes of zero, which base64 of either kind has as letters.
    let zeros = "A".repeat(43);
    assert_eq!(add(&sandbox, &zeros, "zeros").code, 0);
    sandbox.write("key", format!("{}=\n", "A".repeat(43)));
    let list = |name: &str, value: &str| {
        let mut list = cvault(sandbox.dir.path(), ["list", "v.cvault", "--json"]);
        list.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        told(ran(list.env(name, value)))
    };
    let hex = "00".repeat(32);
    for (name, value) in [
        ("CVAULT_KEY", zeros.as_str()),
        ("CVAULT_KEY", hex.as_str()),
        ("CVAULT_KEY_FILE", "key"),
        #[cfg(unix)]
        ("CVAULT_KEY_COMMAND", "cat key"),
    ] {
        assert_eq!(list(name, value).code, 0, "{name} {value}");
    }
    for value in [&hex[2..], "5ec3e7", "AAAA"] {
        let error = list("CVAULT_KEY", value).error(1);
        assert_eq!(error["code"], "invalid_argument");
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .starts_with("CVAULT_KEY: ")
        );
    }
    let mut both = cvault(sandbox.dir.path(), ["list", "v.cvault", "--json"]);
    let both = both.env("CVAULT_KEY", &hex).env("CVAULT_PASSPHRASE", "x");
    assert_eq!(told(ran(both)).error(2)["code"], "usage");
    let none = sandbox.run(["key", "add", "v.cvault", "--json"]);
    assert_eq!(none.error(2)["code"], "usage");
}

#[test]
fn a_key_is_tried_where_it_is_meant() {
    let sandbox = Sandbox::new();
    assert_eq!(add(&sandbox, KEY, "one").code, 0);
    let list = |more: &[&str], key: &str| {
        let mut list = cvault(sandbox.dir.path(), ["list", "v.cvault", "--json"]);
        told(ran(list.args(more).env("CVAULT_KEY", key)))
    };
    let hinted = ["--key-hint", "one"];
    assert_eq!(list(&hinted, KEY).code, 0);
    assert_eq!(list(&["--key-hint", "base64url:b25l"], KEY).code, 0);
    assert_eq!(list(&["--grant-label", "ops"], KEY).code, 0);
    assert_eq!(
        list(&["--grant-label", "ops", "--key-hint", "one"], KEY).code,
        0
    );
    let code = |ran: Ran| ran.error(1)["code"].clone();
    assert_eq!(code(list(&hinted, OTHER)), "wrong_key");
    assert_eq!(code(list(&["--key-hint", "two"], KEY)), "no_key_slot");
    assert_eq!(code(list(&["--grant-label", "x"], KEY)), "grant_not_found");
    let odd = list(&["--key-hint", "base64url:b25l="], KEY);
    assert_eq!(odd.error(2)["code"], "usage");
    let contradiction = sandbox.run(["list", "v.cvault", "--json", "--key-hint", "one"]);
    assert_eq!(contradiction.error(2)["code"], "usage");

    // Who has a key is not offered a passphrase, and the other way round.
    let mut by_passphrase = cvault(sandbox.dir.path(), ["list", "v.cvault", "--json"]);
    let refused = ran(by_passphrase.env("CVAULT_PASSPHRASE", "correct horse"));
    let error = refused.error(1);
    assert_eq!(error["code"], "no_key_slot");
    assert!(error["hint"].as_str().unwrap().contains("external key"));
    let other = Sandbox::new();
    let refused = by_key(&other, ["list", "v.cvault", "--json"], KEY);
    assert_eq!(refused.error(1)["code"], "no_key_slot");

    let mut of_another = cvault(sandbox.dir.path(), ["key", "list", "v.cvault", "--json"]);
    let of_another = ran(of_another.args(["--vault-id", &other.vault_id]));
    assert_eq!(of_another.error(1)["code"], "wrong_vault");
}
