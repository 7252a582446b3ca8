//! The vault as a whole: its log, and what is wrong with a file.

use std::fs;

use serde_json::{Value, json};

use crate::check_text;
use crate::support::{Sandbox, UPDATE, ran, ran_with, twitter};

#[test]
fn head_log_verify_and_compact() {
    let sandbox = twitter();
    for key in ["1", "2", "3"] {
        let action = UPDATE.replace("s3cret-2", key);
        let mut run = sandbox.cvault(["run", "v.cvault", "-", "--token", "Secrets:Key=k"]);
        ran_with(&mut run, &action).text();
    }
    let head = sandbox.run(["head", "v.cvault", "--json"]).json();
    assert_eq!(head["vault_id"], sandbox.vault_id.as_str());
    assert_eq!((&head["epoch"], &head["seq"]), (&json!(1), &json!(4)));
    assert_eq!(head["hash"].as_str().unwrap().len(), 64);
    check_text(
        sandbox.run(["head", "v.cvault"]).text(),
        "vault  <..>\nepoch  1\nseq    4\nhash   <..>",
    );

    let log = sandbox.run(["log", "v.cvault", "--json"]).lines();
    assert_eq!(log.len(), 5);
    assert_eq!(log[0]["snapshot"], true);
    assert_eq!(log[0]["at"], json!(null));
    let last = &log[4];
    assert_eq!(last["vault_id"], sandbox.vault_id.as_str());
    assert_eq!((&last["seq"], &last["author"]), (&json!(4), &json!("ops")));
    assert_eq!(last["signature"], "valid");
    assert_eq!(last["at"], last["records"][0]["at"]);
    let record = &last["records"][0];
    assert_eq!(record["id"], "twitterConnectorId");
    assert_eq!(record["op"], "update");
    assert_eq!(record["changed"], json!(["APIKey"]));
    let text = sandbox.run(["log", "v.cvault"]);
    assert!(
        text.text()
            .contains("update twitterConnectorId version 4, signed by ops: APIKey"),
        "{text:?}"
    );

    check_text(
        sandbox.run(["verify", "v.cvault"]).text(),
        "Sound: 5 commits, 4 records; signatures, chain, hashes and values
  commit 0: sound, 0 records
  commit 1: sound, 1 record
  commit 2: sound, 1 record
  commit 3: sound, 1 record
  commit 4: sound, 1 record",
    );
    let compacted = sandbox
        .run(["compact", "v.cvault", "--keep", "2", "--json"])
        .json();
    assert!(compacted["log_len_after"].as_u64() < compacted["log_len_before"].as_u64());
    let history = sandbox
        .run(["history", "v.cvault", "twitterConnectorId", "--json"])
        .json();
    assert_eq!(history["versions"].as_array().unwrap().len(), 2);
    // A compacted log still says who signed each version that it keeps.
    let log = sandbox.run(["log", "v.cvault", "--json"]).lines();
    for kept in log[0]["records"].as_array().unwrap() {
        assert_eq!(kept["signed_by"], "ops");
    }
    let text = sandbox.run(["log", "v.cvault"]);
    assert_eq!(text.text().matches("signed by ops").count(), 2, "{text:?}");
    assert_eq!(
        sandbox.run(["verify", "v.cvault", "--json"]).json()["ok"],
        true
    );
}

#[test]
fn damage_is_told() {
    let sandbox = twitter();
    let mut bytes = sandbox.bytes();
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    fs::write(&sandbox.vault, &bytes).unwrap();
    let show = ["show", "v.cvault", "twitterConnectorId", "--json"];
    assert_eq!(sandbox.run(show).code, 0, "its overview is sound");
    let revealed = ran(sandbox.cvault(show).arg("--reveal"));
    let refused = revealed.error(1);
    assert_eq!(refused["code"], "damaged");
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("twitterConnectorId"), "{message}");
    let verify = sandbox.run(["verify", "v.cvault", "--json"]);
    assert_eq!(verify.code, 1);
    let found: Value = serde_json::from_str(&verify.stdout).unwrap();
    assert_eq!(found["ok"], false);
    let problem = &found["commits"][1]["problems"][0];
    assert_eq!(problem["code"], "damaged");
    let message = problem["message"].as_str().unwrap();
    assert!(message.contains("twitterConnectorId"), "{message}");
    let error: Value = serde_json::from_str(&verify.stderr).unwrap();
    assert_eq!(error["error"]["code"], "damaged");
}

#[test]
fn a_torn_tail_is_told_and_repaired() {
    let sandbox = twitter();
    let whole = sandbox.bytes();
    fs::write(&sandbox.vault, [&whole[..], &[0; 40]].concat()).unwrap();
    let list = sandbox.run(["list", "v.cvault", "--json"]);
    assert_eq!(list.code, 0);
    let warning: Value = serde_json::from_str(&list.stderr).unwrap();
    assert_eq!(warning["warning"]["code"], "torn_tail");
    let run = sandbox.run(["run", "v.cvault", "update.json", "--token", "Secrets:Key=k"]);
    assert!(
        run.text().starts_with("Updated") && run.stderr.starts_with("warning: "),
        "{run:?}"
    );
    sandbox.run(["list", "v.cvault", "--json"]).json();
}

#[test]
fn a_rollback_is_refused_unless_accepted() {
    let sandbox = twitter();
    let old = sandbox.bytes();
    sandbox
        .run(["run", "v.cvault", "update.json", "--token", "Secrets:Key=k"])
        .text();
    fs::write(&sandbox.vault, &old).unwrap();
    let refused = sandbox.run(["list", "v.cvault", "--json"]).error(1);
    assert_eq!(refused["code"], "rolled_back");
    assert!(
        refused["hint"].as_str().unwrap().contains("--accept"),
        "{refused}"
    );
    sandbox
        .run(["list", "v.cvault", "--json", "--no-heads"])
        .json();
    sandbox.run(["list", "v.cvault", "--json"]).error(1);
    sandbox
        .run(["list", "v.cvault", "--json", "--accept"])
        .json();
    sandbox.run(["list", "v.cvault", "--json"]).json();
}

#[test]
fn an_unreadable_known_head_is_told_and_replaced_when_the_vault_is_accepted() {
    let sandbox = twitter();
    sandbox.run(["list", "v.cvault"]).text();
    let state = fs::read_dir(sandbox.dir.path().join("state")).unwrap();
    let state = state.last().unwrap().unwrap().path();
    let head = fs::read(&state).unwrap();
    fs::write(&state, &head[..head.len() / 2]).unwrap();
    for command in [["list", "v.cvault"], ["head", "v.cvault"]] {
        let refused = ran(sandbox.cvault(command).arg("--json")).error(1);
        assert_eq!(refused["code"], "state_unreadable");
        let hint = refused["hint"].as_str().unwrap();
        assert!(hint.contains("--accept"), "{hint}");
    }
    sandbox
        .run(["verify", "v.cvault", "--no-heads", "--json"])
        .json();
    sandbox
        .run(["list", "v.cvault", "--accept", "--json"])
        .json();
    sandbox.run(["list", "v.cvault", "--json"]).json();
    assert_eq!(fs::read(&state).unwrap(), head);
}

/// A limit on the size of files ends a process that writes more, unless it refuses to.
#[cfg(unix)]
#[test]
fn a_write_over_the_limit_on_files_is_an_error() {
    let sandbox = twitter();
    let before = sandbox.bytes();
    let action = UPDATE.replace("s3cret-2", &"k".repeat(100_000));
    sandbox.write("large.json", &action);
    for args in [
        &["run", "v.cvault", "large.json", "--token", "Secrets:Key=k"][..],
        &["compact", "v.cvault"],
    ] {
        let command = sandbox.cvault([]);
        let mut limited = std::process::Command::new("sh");
        // Blocks of 512 or of 1,024 bytes.
        limited
            .args(["-c", "ulimit -f 1; exec \"$0\" \"$@\" --json"])
            .arg(command.get_program())
            .args(args)
            .env_clear()
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .current_dir(sandbox.dir.path());
        let refused = ran(&mut limited).error(1);
        assert_eq!(refused["code"], "io", "{refused}");
        assert!(
            refused["hint"].as_str().unwrap().contains("ulimit"),
            "{refused}"
        );
        assert_eq!(sandbox.bytes(), before);
        let names = fs::read_dir(sandbox.dir.path()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        let left = names.iter().filter_map(|name| name.to_str());
        let left: Vec<_> = left.filter(|name| name.starts_with("v.cvault.")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn without_a_state_folder_work_goes_on() {
    let sandbox = twitter();
    let list = ran(sandbox
        .cvault(["list", "v.cvault", "--json"])
        .env_remove("CVAULT_STATE_DIR"));
    assert_eq!(list.code, 0);
    let warning: Value = serde_json::from_str(&list.stderr).unwrap();
    assert_eq!(warning["warning"]["code"], "no_state_dir");
}

#[test]
fn what_is_no_vault() {
    let sandbox = Sandbox::new();
    sandbox.write("text", "some other file, longer than a prefix");
    for (path, code) in [
        ("gone", "file_not_found"),
        (".", "not_a_file"),
        ("text", "not_a_vault"),
    ] {
        let refused = sandbox.run(["list", path, "--json"]).error(1);
        assert_eq!(refused["code"], code);
        assert!(refused["hint"].is_string(), "{refused}");
    }
    let refused = sandbox.run(["run", "v.cvault", ".", "--json"]).error(1);
    assert!(refused["hint"].is_string(), "{refused}");
}

/// Two people change a vault apart; one merges, and the other pulls the result.
#[test]
fn whoever_was_merged_goes_on() {
    let sandbox = twitter();
    let alice = sandbox.dir.path().join("alice.cvault");
    fs::copy(&sandbox.vault, &alice).unwrap();
    let rotate = |vault: &str, key: &str| {
        let action = UPDATE.replace("s3cret-2", key);
        let mut run = sandbox.cvault(["run", vault, "-", "--token", "Secrets:Key=k"]);
        ran_with(
            run.env(
                "CVAULT_STATE_DIR",
                sandbox.dir.path().join(vault).with_extension("state"),
            ),
            &action,
        )
    };
    let list = |vault: &str| {
        let mut list = sandbox.cvault(["list", vault, "--json"]);
        ran(list.env(
            "CVAULT_STATE_DIR",
            sandbox.dir.path().join(vault).with_extension("state"),
        ))
    };
    // Bob's copy is ahead by numbers.
    for key in ["b1", "b2", "b3"] {
        rotate("v.cvault", key).text();
    }
    rotate("alice.cvault", "a1").text();
    let mut merge = sandbox.cvault(["merge", "alice.cvault", "v.cvault", "--resolve", "theirs"]);
    let merged = ran(&mut merge);
    let text = merged.text();
    assert!(text.contains("both changed APIKey (ours 20"), "{merged:?}");
    assert!(text.contains("Z by ops): theirs wins"), "{merged:?}");
    let theirs = sandbox.bytes();
    fs::copy(&alice, &sandbox.vault).unwrap();
    list("v.cvault").json();
    // From now on his former copy is an old one.
    list("v.cvault").json();
    fs::write(&sandbox.vault, theirs).unwrap();
    let refused = list("v.cvault").error(1);
    assert!(
        ["forked", "rolled_back"].contains(&refused["code"].as_str().unwrap()),
        "{refused}"
    );
}
