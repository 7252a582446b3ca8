//! A damaged vault: its sound connectors are read, and saved by a repair.

use std::fs;

use serde_json::{Value, json};

use crate::check_text;
use crate::support::{Sandbox, cvault, ran, ran_with, twitter};

/// A vault with so many connectors, of which bytes in the middle are flipped.
fn damaged(count: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    let connectors: Vec<_> = (0..count)
        .map(|number| {
            json!({"id": format!("c{number:04}"), "name": "N", "type": "T", "properties": {"APIKey": "a", "Endpoint": "https://example.com"}})
        })
        .collect();
    let document = json!({ "connectors": connectors }).to_string();
    let mut import = sandbox.cvault(["import", "v.cvault", "-", "--json"]);
    ran_with(&mut import, &document).json();
    let mut file = sandbox.bytes();
    let middle = file.len() / 2;
    for byte in &mut file[middle..middle + 8] {
        *byte ^= 0xff;
    }
    fs::write(&sandbox.vault, file).unwrap();
    sandbox
}

#[test]
fn one_bad_record_is_one_bad_connector() {
    let sandbox = damaged(50);
    let list = sandbox.run(["list", "v.cvault", "--json"]);
    assert_eq!(list.code, 0, "{list:?}");
    let warning: Value = serde_json::from_str(&list.stderr).unwrap();
    assert_eq!(warning["warning"]["code"], "damaged");
    let found: Value = serde_json::from_str(&list.stdout).unwrap();
    let sound = found["connectors"].as_array().unwrap();
    assert_eq!(sound.len(), 49);
    let lost = found["damaged"].as_array().unwrap();
    assert_eq!((lost.len(), &lost[0]["code"]), (1, &json!("damaged")));
    assert_eq!(lost[0]["message"], warning["warning"]["message"]);

    let ids: Vec<_> = sound.iter().map(|sound| &sound["id"]).collect();
    assert!(ids.is_sorted_by_key(|id| id.as_str()), "{ids:?}");
    let all = (0..50).map(|number| format!("c{number:04}"));
    let lost: Vec<_> = all.filter(|id| !ids.contains(&&json!(id))).collect();
    let [lost] = lost.as_slice() else {
        panic!("{lost:?}")
    };

    let text = sandbox.run(["list", "v.cvault"]);
    assert!(text.stderr.starts_with("warning: "), "{text:?}");
    assert!(text.text().ends_with(" damaged\n"), "{text:?}");
    let mut shown = sandbox.cvault(["show", "v.cvault", lost, "--reveal", "--json"]);
    assert_eq!(ran(&mut shown).error(1)["code"], "damaged");

    let sound = ids[0].as_str().unwrap();
    for args in [
        &["show", "v.cvault", sound, "--reveal"][..],
        &["history", "v.cvault", sound],
        &["log", "v.cvault", "--json"],
        &["delete", "v.cvault", sound],
    ] {
        let ran = ran(sandbox.cvault([]).args(args));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
    }
    // Nobody would notice that the document lacks one.
    let export = sandbox.run(["export", "v.cvault", "--reveal", "--json"]);
    assert_eq!(export.stdout, "");
    let refused = export.error(1);
    assert_eq!(refused["code"], "damaged");
    assert!(
        refused["hint"].as_str().unwrap().contains("cvault repair"),
        "{refused}"
    );
    let verify = sandbox.run(["verify", "v.cvault", "--json"]);
    assert_eq!(verify.code, 1);
}

#[test]
fn a_repair_saves_all_but_few() {
    let sandbox = damaged(1_000);
    let before = sandbox.bytes();
    let repair = ["repair", "v.cvault", "out.cvault", "--json"];
    let mut untrusted = sandbox.cvault(repair);
    let refused = ran(untrusted.env_remove("CVAULT_VAULT_ID").arg("--no-heads")).error(1);
    assert_eq!(refused["code"], "vault_id_required");

    // The vault was opened at this place, which says which one it is.
    let mut known = sandbox.cvault(repair);
    let repaired = ran(known.env_remove("CVAULT_VAULT_ID")).json();
    assert_eq!(repaired["vault_id"], sandbox.vault_id.as_str());
    let recovered = repaired["recovered"].as_u64().unwrap();
    assert!(recovered >= 998, "{recovered}");
    assert_eq!(repaired["connectors"], recovered);
    let lost = repaired["lost"].as_array().unwrap().len() as u64;
    assert_eq!(recovered + lost, 1_000);
    assert_eq!(repaired["elsewhere"], json!([]));
    assert_eq!(repaired["restored"], json!([]));
    assert!(sandbox.bytes() == before, "the damaged file is as it was");
    let verified = sandbox.run(["verify", "out.cvault", "--json"]).json();
    assert_eq!(verified["ok"], true);

    let again = sandbox.run(repair).error(1);
    assert_eq!(again["code"], "file_exists");
    fs::rename(sandbox.dir.path().join("out.cvault"), &sandbox.vault).unwrap();
    let list = sandbox
        .run(["list", "v.cvault", "--json", "--accept"])
        .json();
    assert_eq!(
        list["connectors"].as_array().unwrap().len() as u64,
        recovered
    );
}

#[test]
fn what_a_repair_says() {
    let sandbox = twitter();
    let mut file = sandbox.bytes();
    let end = file.len() - 20;
    file[end] ^= 1;
    fs::write(&sandbox.vault, file).unwrap();
    check_text(
        sandbox.run(["repair", "v.cvault", "out.cvault"]).text(),
        "Recovered 0 versions of 0 connectors to out.cvault\n\
         - lost: a version of twitterConnectorId, in commit 1 at byte <..> (damaged)\n\
         v.cvault is as it was. To put the repaired vault in its place, keep the damaged file and:\n\
         \x20 cvault verify out.cvault\n\
         \x20 mv out.cvault v.cvault\n\
         \x20 cvault list v.cvault --accept\n\
         Whoever has seen a commit that is lost needs --accept once.",
    );
}

#[test]
fn only_an_owner_repairs() {
    let sandbox = twitter();
    let made = ran(&mut cvault(
        sandbox.dir.path(),
        ["identity", "new", "--json"],
    ))
    .json();
    let mut grant = sandbox.cvault(["grant", "v.cvault", "--label", "ci", "--right", "reader"]);
    ran(grant.args(["--to", made["public"].as_str().unwrap()])).text();
    let mut repair = sandbox.cvault(["repair", "v.cvault", "out.cvault", "--json"]);
    let refused = ran(repair.env("CVAULT_IDENTITY", made["identity"].as_str().unwrap()));
    assert_eq!(refused.error(1)["code"], "not_permitted");
    assert!(!sandbox.dir.path().join("out.cvault").exists());
}

#[test]
fn another_vault_does_not_merge() {
    let (sandbox, other) = (twitter(), twitter());
    let theirs = other.vault.to_str().unwrap();
    let refused = sandbox
        .run(["merge", "v.cvault", theirs, "--json"])
        .error(1);
    assert_eq!(refused["code"], "not_mergeable");
    assert!(
        refused["hint"].as_str().unwrap().contains("import"),
        "{refused}"
    );
}
