//! Who may do what.

use std::fs;

use serde_json::json;

use crate::support::{cvault, ran, twitter};
use crate::{CHEAP, check_text};

#[test]
fn grants_are_given_and_taken() {
    let sandbox = twitter();
    let made = ran(&mut sandbox.cvault(["identity", "new", "--json"])).json();
    let (identity, public) = (
        made["identity"].as_str().unwrap(),
        made["public"].as_str().unwrap(),
    );
    let granted = sandbox.run([
        "grant", "v.cvault", "--label", "ci", "--right", "updater", "--to", public, "--json",
    ]);
    let granted = granted.json();
    assert_eq!(granted["vault_id"], sandbox.vault_id.as_str());
    assert_eq!(granted["grant"]["key"], public);
    assert_eq!(granted["grant"]["has_passphrase"], false);
    fs::copy(&sandbox.vault, sandbox.dir.path().join("old.cvault")).unwrap();

    let as_ci = |args: [&str; 4]| ran(sandbox.cvault(args).env("CVAULT_IDENTITY", identity));
    let listed = as_ci(["grants", "v.cvault", "--json", "--no-heads"]).json();
    let own: Vec<_> = listed["grants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["is_own"].clone())
        .collect();
    assert_eq!(own, [false, true]);
    assert_eq!(
        as_ci(["delete", "v.cvault", "twitterConnectorId", "--json"]).error(1)["code"],
        "not_permitted"
    );

    let rights = sandbox.run(["rights", "v.cvault", "ci", "--right", "viewer"]);
    check_text(
        rights.text(),
        "ci is viewer now; the vault has new keys\n\
         An old copy of the vault still opens for its former holder. Rotate what it could read or has written:\n\
         \x20 twitterConnectorId",
    );
    assert_eq!(
        as_ci(["history", "v.cvault", "twitterConnectorId", "--json"]).json()["versions"][0]["version"],
        1
    );
    let mut reveal = sandbox.cvault([
        "show",
        "v.cvault",
        "twitterConnectorId",
        "--json",
        "--reveal",
    ]);
    let refused = ran(reveal.env("CVAULT_IDENTITY", identity));
    assert_eq!(refused.error(1)["code"], "not_permitted");

    let revoked = sandbox.run(["revoke", "v.cvault", "ci", "--json"]).json();
    assert_eq!(
        revoked,
        json!({"label": "ci", "epoch": 3, "exposed": [], "forgotten": []})
    );
    assert_eq!(
        as_ci(["list", "v.cvault", "--json", "--no-heads"]).error(1)["code"],
        "wrong_identity"
    );
    assert_eq!(
        as_ci(["list", "old.cvault", "--json", "--no-heads"]).code,
        0
    );
    assert_eq!(
        sandbox.run(["revoke", "v.cvault", "ci", "--json"]).error(1)["code"],
        "grant_not_found"
    );
    assert_eq!(
        sandbox
            .run(["revoke", "v.cvault", "ops", "--json"])
            .error(1)["code"],
        "last_owner"
    );
}

#[test]
fn grants_by_passphrase() {
    let sandbox = twitter();
    let mut grant = sandbox.cvault(["grant", "v.cvault", "--label", "ann", "--right", "reader"]);
    let granted = ran(grant
        .args(CHEAP)
        .env("CVAULT_NEW_PASSPHRASE", "first passphrase"));
    check_text(
        granted.text(),
        "Granted reader to ann\nIts holder opens the vault by the new passphrase.",
    );
    check_text(
        sandbox.run(["grants", "v.cvault"]).text(),
        "LABEL  RIGHTS  OPENS BY    SINCE<..>FINGERPRINT\n\
         ops    owner   identity    <..>  (you)\n\
         ann    reader  passphrase  <..>",
    );
    let as_ann = |args: [&str; 3], passphrase: &str| {
        let mut command = cvault(sandbox.dir.path(), args);
        command.env("CVAULT_PASSPHRASE", passphrase);
        command
    };
    let mut passwd = as_ann(["passwd", "v.cvault", "--json"], "first passphrase");
    let changed = ran(passwd
        .args(CHEAP)
        .env("CVAULT_NEW_PASSPHRASE", "second passphrase"));
    let expected = json!({"label": "ann", "memory_kib": 19 * 1024, "passes": 1, "lanes": 1});
    assert_eq!(changed.json(), expected);
    let list = ["list", "v.cvault", "--json"];
    assert_eq!(
        ran(&mut as_ann(list, "first passphrase")).error(1)["code"],
        "wrong_passphrase"
    );
    ran(&mut as_ann(list, "second passphrase")).json();

    let mut passwd = as_ann(["passwd", "v.cvault", "--lanes=1"], "second passphrase");
    let changed = ran(passwd
        .args(CHEAP)
        .env("CVAULT_NEW_PASSPHRASE", "third passphrase"));
    assert!(
        changed
            .text()
            .contains("old copy of the vault and the old passphrase"),
        "{changed:?}"
    );
    let mut grant = sandbox.cvault([
        "grant", "v.cvault", "--label", "bob", "--right", "king", "--json",
    ]);
    assert_eq!(ran(&mut grant).error(2)["code"], "usage");
    let mut grant = sandbox.cvault([
        "grant", "v.cvault", "--label", "bob", "--right", "reader", "--json",
    ]);
    assert_eq!(ran(&mut grant).error(1)["code"], "passphrase_required");
}
