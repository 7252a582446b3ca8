//! Making vaults and identities.

use std::fs;

use serde_json::json;

use crate::CHEAP;
use crate::support::{Sandbox, cvault, folder, ran};

#[test]
fn init_with_a_passphrase() {
    let dir = folder();
    let mut init = cvault(dir.path(), ["init", "v.cvault", "--label", "ann", "--json"]);
    let made = ran(init
        .args(CHEAP)
        .env("CVAULT_PASSPHRASE", "correct horse battery"));
    let made = made.json();
    assert_eq!(made["label"], "ann");
    assert_eq!(made["has_passphrase"], true);
    assert_eq!(made["vault_id"].as_str().unwrap().len(), 64);

    fs::write(dir.path().join("pass"), "correct horse battery\n").unwrap();
    let list =
        |name, value| ran(cvault(dir.path(), ["list", "v.cvault", "--json"]).env(name, value));
    let empty = json!({"connectors": []});
    assert_eq!(
        list("CVAULT_PASSPHRASE", "correct horse battery").json(),
        empty
    );
    assert_eq!(list("CVAULT_PASSPHRASE_FILE", "pass").json(), empty);
    assert_eq!(
        list("CVAULT_PASSPHRASE", "wrong").error(1)["code"],
        "wrong_passphrase"
    );
    assert_eq!(
        list("CVAULT_PASSPHRASE", "").error(1)["code"],
        "passphrase_required"
    );
    assert_eq!(
        list("CVAULT_PASSPHRASE_FILE", "gone").error(1)["code"],
        "file_not_found"
    );

    let grant = |label| {
        let mut list = cvault(
            dir.path(),
            ["list", "v.cvault", "--json", "--grant-label", label],
        );
        ran(list.env("CVAULT_PASSPHRASE", "correct horse battery"))
    };
    assert_eq!(grant("ann").json(), empty);
    assert_eq!(grant("bob").error(1)["code"], "grant_not_found");
}

#[test]
fn init_refuses() {
    let dir = folder();
    let init = |args: [&str; 3]| cvault(dir.path(), args);
    let short = ran(init(["init", "short", "--json"])
        .args(CHEAP)
        .env("CVAULT_PASSPHRASE", "short"));
    assert_eq!(short.code, 0);
    assert!(
        short
            .stderr
            .contains(r#"{"warning":{"code":"short_passphrase""#)
    );
    let again = ran(init(["init", "short", "--json"]).env("CVAULT_PASSPHRASE", "x"));
    assert_eq!(again.error(1)["code"], "file_exists");
    let nowhere = ran(init(["init", "no/v", "--json"])
        .args(CHEAP)
        .env("CVAULT_PASSPHRASE", "correct horse"));
    assert_eq!(nowhere.error(1)["code"], "file_not_found");
    let weak = ran(init(["init", "weak", "--json"])
        .args(["--memory-mib", "1"])
        .env("CVAULT_PASSPHRASE", "correct horse"));
    assert_eq!(weak.error(1)["code"], "cost_out_of_range");
    assert_eq!(
        ran(&mut init(["init", "v", "--json"])).error(1)["code"],
        "passphrase_required"
    );
    let both = ran(init(["init", "v", "--json"])
        .env("CVAULT_PASSPHRASE", "x")
        .env("CVAULT_PASSPHRASE_FILE", "y"));
    let both = both.error(2)["message"].to_string();
    assert!(
        both.contains("CVAULT_PASSPHRASE and CVAULT_PASSPHRASE_FILE"),
        "{both}"
    );
    assert!(!dir.path().join("v").exists());
}

#[test]
fn init_with_an_identity() {
    let dir = folder();
    let public = ran(&mut cvault(dir.path(), ["identity", "new", "--out", "id"]));
    let path = dir.path().join("id");
    let public_path = dir.path().join("id.pub");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\ncvault-identity-1") && !text.contains("cvault-grant-1"));
    let key = fs::read_to_string(&public_path).unwrap();
    let fingerprint = key.lines().next().unwrap();
    assert!(fingerprint.starts_with("# fingerprint "), "{fingerprint}");
    assert!(key.lines().nth(1).unwrap().starts_with("cvault-grant-1"));
    assert!(key.ends_with('\n') && key.lines().count() == 2);
    assert!(
        public
            .text()
            .contains(&fingerprint[2 + "fingerprint ".len()..])
    );
    assert!(public.stdout.contains("id.pub") && !public.stdout.contains("cvault-identity-1"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&public_path)), (0o600, 0o644));
    }
    // Either file is enough: neither is written over, and neither is written.
    for (there, other) in [(&path, &public_path), (&public_path, &path)] {
        fs::rename(other, dir.path().join("aside")).unwrap();
        let before = fs::read(there).unwrap();
        let again = ran(&mut cvault(
            dir.path(),
            ["identity", "new", "--out", "id", "--json"],
        ));
        assert_eq!(again.error(1)["code"], "file_exists");
        assert_eq!(fs::read(there).unwrap(), before);
        assert!(!other.exists());
        fs::rename(dir.path().join("aside"), other).unwrap();
    }

    let run = |args: [&str; 3]| {
        let mut command = cvault(dir.path(), args);
        command.env("CVAULT_IDENTITY_FILE", "id");
        command
    };
    let made = ran(run(["init", "v.cvault", "--identity"]).arg("--json")).json();
    assert_eq!(made["has_passphrase"], false);
    // The head is known here, so the vault id is not needed.
    run(["list", "v.cvault", "--json"]);
    ran(&mut run(["list", "v.cvault", "--json"])).json();
    let mut elsewhere = run(["list", "v.cvault", "--json"]);
    elsewhere.env("CVAULT_STATE_DIR", dir.path().join("other"));
    assert_eq!(ran(&mut elsewhere).error(1)["code"], "vault_id_required");
    let id = made["vault_id"].as_str().unwrap();
    fs::write(&path, format!("{text}vault-id: {id}\n")).unwrap();
    ran(&mut elsewhere).json();
    elsewhere.env("CVAULT_VAULT_ID", "00".repeat(32));
    let contradiction = ran(&mut elsewhere).error(2)["message"].to_string();
    assert!(
        contradiction.contains("CVAULT_VAULT_ID and the identity file"),
        "{contradiction}"
    );
}

#[test]
fn identity_on_standard_output() {
    let dir = folder();
    let made = ran(&mut cvault(dir.path(), ["identity", "new"]));
    assert!(made.text().starts_with("cvault-identity-1"));
    assert_eq!(made.stdout.lines().count(), 1);
    assert!(made.stderr.contains("cvault-grant-1") && !made.stderr.contains("cvault-identity-1"));
    let made = ran(&mut cvault(dir.path(), ["identity", "new", "--json"])).json();
    assert!(
        made["identity"]
            .as_str()
            .unwrap()
            .starts_with("cvault-identity-1")
    );
    assert!(
        made["public"]
            .as_str()
            .unwrap()
            .starts_with("cvault-grant-1")
    );
    assert_eq!(made["fingerprint"].as_str().unwrap().len(), 29);
}

#[test]
fn sources_that_exclude_each_other() {
    let sandbox = Sandbox::new();
    for (name, expected) in [
        ("CVAULT_PASSPHRASE", "CVAULT_PASSPHRASE and CVAULT_IDENTITY"),
        (
            "CVAULT_IDENTITY_FILE",
            "CVAULT_IDENTITY and CVAULT_IDENTITY_FILE",
        ),
        ("CVAULT_GRANT", "CVAULT_IDENTITY is set"),
    ] {
        let refused = ran(sandbox
            .cvault(["list", "v.cvault", "--json"])
            .env(name, "x"))
        .error(2);
        assert!(
            refused["message"].as_str().unwrap().contains(expected),
            "{refused}"
        );
    }
}
