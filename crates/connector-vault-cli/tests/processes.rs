//! Many processes on one vault: nothing that was acknowledged is lost, also when they are killed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use connector_vault::Properties;
use serde_json::Value;

use support::{Sandbox, ran};

const WORKERS: u64 = 8;
const CONNECTORS: u64 = 4;

/// How many updates each worker makes: few in every run of the tests; with
/// `CVAULT_TEST_UPDATES=200` the 1,600 that the project promises.
fn updates() -> u64 {
    let updates = std::env::var("CVAULT_TEST_UPDATES").ok();
    updates.map_or(25, |updates| updates.parse().unwrap())
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for connector in 0..CONNECTORS {
        let id = format!("c{connector}");
        sandbox.add(&id, "Name", "Type", &Properties::new());
    }
    sandbox
}

/// The worker's next update, on each connector in turn; its note says which one it is.
fn update(sandbox: &Sandbox, worker: u64, number: u64) -> (String, Command) {
    let id = format!("c{}", (worker + number) % CONNECTORS);
    let action = format!(
        r#"{{"ActionType": "Connectors.Update", "Parameters": {{"EntryId": "{id}",
            "Properties": [{{"PropertyName": "w{worker}", "PropertyValue": "{number}"}}]}}}}"#
    );
    let name = format!("{worker}-{number}");
    sandbox.write(&format!("{name}.json"), &action);
    let file = format!("{name}.json");
    let command = sandbox.cvault(["run", "v.cvault", &file, "--json", "--note", &name]);
    (id, command)
}

/// The notes of a connector's versions, and that no version is missing.
fn notes(sandbox: &Sandbox) -> BTreeMap<String, Vec<String>> {
    let file = sandbox.file();
    let mut notes = BTreeMap::new();
    for connector in 0..CONNECTORS {
        let id = format!("c{connector}");
        let history = file.vault().history(&id).unwrap();
        let versions = history
            .iter()
            .map(|overview| overview.overview.version.get());
        assert!(
            versions.eq(1..=history.len() as u64),
            "a version of {id} is missing"
        );
        let of_connector = history
            .into_iter()
            .filter_map(|overview| overview.overview.note);
        notes.insert(id, of_connector.collect());
    }
    notes
}

#[test]
fn eight_processes_lose_no_update() {
    let sandbox = sandbox();
    let work = |worker| {
        (0..updates())
            .map(|number| {
                let (id, mut command) = update(&sandbox, worker, number);
                let done = ran(&mut command);
                assert_eq!(done.code, 0, "{done:?}");
                let outcome: Value = serde_json::from_str(&done.stdout).unwrap();
                assert_eq!(outcome["status"], "updated");
                (id, outcome["version_after"].as_u64().unwrap())
            })
            .collect::<Vec<_>>()
    };
    let acknowledged: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| scope.spawn(move || work(worker)))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });

    let total = WORKERS * updates();
    let each = total / CONNECTORS;
    assert_eq!(acknowledged.len() as u64, total);
    let distinct: BTreeSet<_> = acknowledged.iter().collect();
    assert_eq!(distinct.len() as u64, total, "no version was made twice");
    let notes = notes(&sandbox);
    for (id, notes) in &notes {
        assert_eq!(notes.len() as u64, each, "{id}");
        let version = sandbox.file().vault().overview(id).unwrap().version;
        assert_eq!(version.get(), each + 1, "{id}");
    }
    let distinct: BTreeSet<_> = notes.values().flatten().collect();
    assert_eq!(distinct.len() as u64, total);
    check_at_rest(&sandbox);
}

#[test]
fn killed_processes_lose_nothing_that_was_acknowledged() {
    let sandbox = sandbox();
    let work = |worker: u64| {
        let mut acknowledged = Vec::new();
        // In microseconds. As long as an update takes: what gets through makes it shorter, what does not, longer. So some
        // of both happens on any machine.
        let mut span = 40_000;
        for number in 0..updates() {
            let (_, mut command) = update(&sandbox, worker, number);
            let mut child = command
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // A moment that no two attempts have in common: from the start of the process to
            // after its end.
            let moment = (worker * 7919 + number * 104_729) % span;
            thread::sleep(Duration::from_micros(moment));
            // SIGKILL; a process that is through already is not hit.
            child.kill().unwrap();
            let output = child.wait_with_output().unwrap();
            // What it printed, it has acknowledged, whatever came after.
            if output.stdout.ends_with(b"\n") {
                acknowledged.push(format!("{worker}-{number}"));
                span = (span * 9 / 10).max(1_000);
            } else {
                span = (span * 5 / 4).min(10_000_000);
            }
        }
        acknowledged
    };
    let acknowledged: BTreeSet<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| scope.spawn(move || work(worker)))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });

    // Whatever the dead have left behind, the next one gets through.
    let (_, mut command) = update(&sandbox, WORKERS, 0);
    let last = ran(&mut command);
    assert_eq!(last.code, 0, "{last:?}");
    let kept: BTreeSet<String> = notes(&sandbox).into_values().flatten().collect();
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let total = (WORKERS * updates()) as usize;
    let some = !acknowledged.is_empty() && acknowledged.len() < total;
    assert!(some, "{} of {total} acknowledged", acknowledged.len());
    check_at_rest(&sandbox);
}

/// The vault is sound, and no lock is left behind.
fn check_at_rest(sandbox: &Sandbox) {
    let verified = sandbox.run(["verify", "v.cvault", "--json"]).json();
    assert_eq!(verified["ok"], true);
    assert!(!sandbox.dir.path().join("v.cvault.lock").exists());
}
