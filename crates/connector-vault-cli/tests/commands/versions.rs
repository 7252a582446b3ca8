//! Former versions: compared and purged.

use std::fs;

use serde_json::json;

use crate::check_text;
use crate::support::{Sandbox, ran, twitter};

fn updated() -> Sandbox {
    let sandbox = twitter();
    let run = ["run", "v.cvault", "update.json", "--token", "Secrets:Key=k"];
    sandbox.run(run).text();
    sandbox
}

#[test]
fn two_versions_are_compared() {
    let sandbox = updated();
    let diff = ["diff", "v.cvault", "twitterConnectorId", "1", "2"];
    check_text(
        sandbox.run(diff).text(),
        "twitterConnectorId, version 1 -> 2\n~ APIKey  ****** -> ******\n+ Timeout = ******",
    );
    check_text(
        ran(sandbox.cvault(diff).arg("--reveal")).text(),
        "twitterConnectorId, version 1 -> 2\n~ APIKey s3cret-1 -> s3cret-2\n+ Timeout = 60s",
    );
    let found = ran(sandbox.cvault(diff).arg("--json"));
    assert!(!found.stdout.contains("s3cret"), "{found:?}");
    let found = found.json();
    assert_eq!((&found["from"], &found["to"]), (&json!(1), &json!(2)));
    assert_eq!(found["changes"][0]["change"], "changed");
    let revealed = ran(sandbox.cvault(diff).args(["--reveal", "--json"])).json();
    assert_eq!(
        revealed["changes"],
        json!([
            {"name": "APIKey", "change": "changed", "before": "s3cret-1", "after": "s3cret-2"},
            {"name": "Timeout", "change": "added", "before": null, "after": "60s"}
        ])
    );
    let mut gone = sandbox.cvault(["diff", "v.cvault", "twitterConnectorId", "1", "9"]);
    assert_eq!(
        ran(gone.arg("--json")).error(1)["code"],
        "version_not_found"
    );
}

#[test]
fn a_purge_leaves_no_former_value() {
    let sandbox = updated();
    // A torn tail of a process that died, and what a writer kept of it.
    let whole = sandbox.bytes();
    fs::write(&sandbox.vault, [&whole[..], &[0; 40]].concat()).unwrap();
    let mut restore = sandbox.cvault(["restore", "v.cvault", "twitterConnectorId", "1"]);
    ran(&mut restore).text();
    let mut update = sandbox.cvault(["run", "v.cvault", "update.json"]);
    ran(update.args(["--token", "Secrets:Key=k"])).text();
    let side_files = || {
        let names = fs::read_dir(sandbox.dir.path()).unwrap();
        names
            .filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().contains(".torn-")
            })
            .count()
    };
    assert_eq!(side_files(), 1);

    let before = sandbox.bytes();
    let refused = sandbox.run(["purge", "v.cvault", "--json"]);
    assert_eq!(refused.error(2)["code"], "usage");
    let refused = sandbox.run(["purge", "v.cvault", "unknown", "--yes", "--json"]);
    assert_eq!(refused.error(1)["code"], "connector_not_found");
    assert!(sandbox.bytes() == before, "nothing is written");

    let purge = ["purge", "v.cvault", "twitterConnectorId", "--yes", "--json"];
    let purged = sandbox.run(purge).json();
    assert_eq!(purged["ids"], json!(["twitterConnectorId"]));
    assert_eq!(purged["torn_tails"], 1);
    assert!(purged["log_len_after"].as_u64() < purged["log_len_before"].as_u64());
    assert_eq!(side_files(), 0);
    // Every record that is left, unsealed.
    let file = sandbox.file();
    let mut values = Vec::new();
    for record in file
        .vault()
        .log()
        .unwrap()
        .iter()
        .flat_map(|commit| &commit.records)
    {
        let read = file
            .vault()
            .read_version(record.overview.id.as_str(), record.overview.version);
        let read = read.unwrap();
        values.extend(
            read.properties
                .iter()
                .map(|(_, value)| value.expose().to_owned()),
        );
    }
    assert_eq!(values, ["s3cret-2", "endpoint1", "60s"]);
    check_text(
        sandbox.run(["purge", "v.cvault", "--yes"]).text(),
        "Purged the former versions of all connectors: the log had <..> bytes and has <..>\n\
         Backups and other copies of the vault still have what they had.",
    );
}
