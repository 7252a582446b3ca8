//! A source that has to fetch its bytes. Every method that reads from it names all ranges that it wants, has
//! no effect before they are there, and then gives the same result as with bytes in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::cell::Cell;

use connector_vault::source::Missing;
use connector_vault::{
    Action, ActionPlan, Asking, Code, Connector, Cost, Description, Error, Grantee, Host, Identity,
    Import, MergeOptions, NewConnector, NewConnectors, OnConflict, OpenOptions, Opening, Options,
    Outcome, Passphrase, Plan, Prepared, RequestId, Resolve, Result, Retention, Revocation, Role,
    Secret, Step, TestResult, Timestamp, TokenFn, TokenRef, Unlock, Vault, Verb, Version, Write,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use support::remote::Remote;
use support::{Fixed, Kept, update};

/// A result that may name missing ranges.
trait Found {
    fn missing(&self) -> Option<Missing>;
}

impl<T> Found for Result<T> {
    fn missing(&self) -> Option<Missing> {
        self.as_ref().err().and_then(Error::missing).cloned()
    }
}

impl<T> Found for Vec<Result<T>> {
    fn missing(&self) -> Option<Missing> {
        let missing = self.iter().filter_map(Found::missing);
        let missing: Missing = missing.flat_map(|some| some.ranges().to_vec()).collect();
        (!missing.ranges().is_empty()).then_some(missing)
    }
}

/// One vault over two sources.
struct Pair {
    remote: Remote,
    lazy: Vault<Remote>,
    kept: Kept,
}

impl Pair {
    fn of(kept: Kept) -> Self {
        let identity = kept.identity.clone();
        Self::opened(kept, &identity)
    }

    /// The same vault, opened by another identity.
    fn opened(mut kept: Kept, identity: &Identity) -> Self {
        let remote = Remote::new(kept.file.clone());
        let options = OpenOptions {
            vault_id: Some(kept.vault.id()),
            ..OpenOptions::default()
        };
        let mut opening = Opening::new(remote.clone(), Unlock::Identity(identity), options);
        let lazy = loop {
            match opening.step().expect("sound") {
                Step::Need(missing) => assert!(remote.fetch(&missing), "fetched twice"),
                Step::Done(vault) => break vault,
                _ => {}
            }
        };
        kept.vault = support::open(kept.file.clone(), identity, &kept.vault).expect("sound");
        Self { remote, lazy, kept }
    }
}

/// Asks both vaults the same. The lazy one gives the same result after so many rounds of fetching. In each
/// round it names ranges of which no byte was fetched before.
macro_rules! same {
    ($pair:ident, $rounds:literal, $vault:ident => $call:expr) => {{
        let expected = {
            let $vault = &$pair.kept.vault;
            $call
        };
        assert_eq!(Found::missing(&expected), None);
        $pair.remote.forget();
        let mut rounds = 0;
        let found = loop {
            let found = {
                let $vault = &$pair.lazy;
                $call
            };
            let Some(missing) = Found::missing(&found) else {
                break found;
            };
            assert!($pair.remote.fetch(&missing), "fetched twice");
            rounds += 1;
        };
        // Pages of the index that were not used yet take a round of their own.
        let most = $rounds + 1;
        assert!(
            ($rounds..=most).contains(&rounds),
            "{}: {rounds}",
            stringify!($call)
        );
        assert_eq!(found, expected, "{}", stringify!($call));
    }};
}

/// A vault with some history: two connectors that were updated, one with a request, one that was deleted,
/// another grant, and a snapshot in between.
fn kept() -> Kept {
    let mut kept = Kept::new(7);
    kept.add("twitter", &[("APIKey", "a"), ("Endpoint", "b")])
        .unwrap();
    kept.add("slack", &[("Token", "c")]).unwrap();
    kept.add("gone", &[("APIKey", "d")]).unwrap();
    kept.update("twitter", "APIKey", "e").unwrap();
    let prepared = kept
        .vault
        .prepare_compaction(Retention::Automatic, &mut kept.fixed.host())
        .unwrap();
    kept.store(prepared).unwrap();
    let request = Options {
        request_id: Some(RequestId::new("r-1").unwrap()),
        ..Options::default()
    };
    kept.run(&update("twitter", "APIKey", "f"), &request)
        .unwrap();
    kept.update("slack", "Token", "g").unwrap();
    let plan = kept.vault.plan_delete("gone", &Options::default()).unwrap();
    let prepared = kept.vault.prepare(plan, &mut kept.fixed.host()).unwrap();
    kept.store(prepared).unwrap();
    kept
}

fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

/// The same clock and randomness each time.
fn with_host<T>(call: impl FnOnce(&mut Host<'_>) -> T) -> T {
    call(&mut Fixed::new(99).host())
}

fn outcomes(plans: Result<Vec<Plan>>) -> Result<Vec<Outcome>> {
    Ok(plans?.iter().map(|plan| plan.outcome().clone()).collect())
}

fn outcome(plan: Result<Plan>) -> Result<Vec<Outcome>> {
    outcomes(plan.map(|plan| vec![plan]))
}

/// The bytes that were prepared.
fn bytes(prepared: Result<Prepared>) -> Result<(Vec<u8>, Vec<Outcome>)> {
    let prepared = prepared?;
    let bytes = match prepared.write() {
        Write::Nothing => Vec::new(),
        Write::Append(bytes) | Write::Replace(bytes) => bytes.to_vec(),
    };
    Ok((bytes, prepared.outcomes().to_vec()))
}

#[test]
fn a_connector_a_list_and_a_history_read_their_ranges() {
    let pair = Pair::of(kept());
    same!(pair, 1, vault => vault.list().collect::<Vec<_>>());
    same!(pair, 1, vault => vault.overview("twitter"));
    same!(pair, 1, vault => vault.read("twitter"));
    same!(pair, 1, vault => vault.value("twitter", "APIKey"));
    same!(pair, 1, vault => vault.value("twitter", "None"));
    same!(pair, 1, vault => vault.read_version("twitter", version(1)));
    same!(pair, 1, vault => vault.read_version("gone", version(1)));
    same!(pair, 1, vault => vault.history("twitter"));
    same!(pair, 1, vault => vault.history("gone"));
    same!(pair, 1, vault => vault.diff("twitter", version(1), version(3)));
    same!(pair, 1, vault => vault.similar("twiter"));
    // These read no bytes, or fail before they do.
    same!(pair, 0, vault => vault.permits(Verb::Update, "slack"));
    same!(pair, 0, vault => vault.overview("gone"));
    same!(pair, 0, vault => vault.read_version("twitter", version(9)));
    same!(pair, 0, vault => vault.diff("twitter", version(1), version(9)));
    same!(pair, 0, vault => vault.history("none"));
    same!(pair, 0, vault => Ok::<_, Error>((vault.len(), vault.log_end())));
    same!(pair, 0, vault => Ok::<_, Error>(vault.head()));
    same!(pair, 0, vault => Ok::<_, Error>(vault.grants().collect::<Vec<_>>()));
}

#[test]
fn audits_read_the_whole_log_or_a_part_of_it() {
    let pair = Pair::of(kept());
    same!(pair, 1, vault => vault.log());
    same!(pair, 1, vault => vault.log_range(1, 2));
    same!(pair, 0, vault => vault.log_range(90, 2));
    same!(pair, 1, vault => vault.verify());
}

#[test]
fn plans_read_what_they_change_before_anybody_is_asked() {
    let pair = Pair::of(kept());
    let none = Options::default();
    let new = |id: &str| NewConnector::new(id, "Name", "Type").property("APIKey", "n");
    same!(pair, 0, vault => outcome(vault.plan_create(&new("new"), &none)));
    same!(pair, 1, vault => outcome(vault.plan_create(&new("gone"), &none)));
    same!(pair, 0, vault => outcome(vault.plan_create(&new("slack"), &none)));
    same!(pair, 1, vault => outcome(vault.plan_update("slack", [("Token", "n")], &none)));
    same!(pair, 1, vault => outcome(vault.plan_delete("slack", &none)));
    same!(pair, 1, vault => outcome(vault.plan_restore("twitter", version(1), &none)));
    same!(pair, 0, vault => outcome(vault.plan_restore("gone", version(1), &none)));
    let described = Description::new().name("Other");
    same!(pair, 1, vault => outcome(vault.plan_describe("slack", &described, &none)));
    same!(pair, 1, vault => outcome(vault.plan_move("slack", "default", &none)));
    same!(pair, 1, vault => outcome(vault.plan_undelete("gone", None, &none)));
    same!(pair, 1, vault => outcome(vault.plan_undelete("gone", Some(version(1)), &none)));
    same!(pair, 0, vault => outcome(vault.plan_undelete("slack", None, &none)));
    let document = NewConnectors::parse(
        r#"{"connectors": [{"id": "new", "name": "N", "type": "T", "properties": {}},
            {"id": "gone", "name": "N", "type": "T", "properties": {}}]}"#,
    );
    let document = document.unwrap();
    same!(pair, 1, vault => outcomes(vault.plan_import(&document, &none)));
    let document = NewConnectors::parse(
        r#"{"connectors": [{"id": "gone", "name": "N", "type": "T", "properties": {}},
            {"id": "twitter", "name": "N", "type": "T", "properties": {"APIKey": "n"}},
            {"id": "slack", "name": "N", "type": "T", "properties": {"Token": "n"}}]}"#,
    );
    let document = document.unwrap();
    let plan = |import: Result<Import>| import.map(|i| (outcomes(Ok(i.plans)), i.skipped));
    same!(pair, 1, vault => plan(vault.plan_import_with(&document, OnConflict::Skip, &none)));
    same!(pair, 1, vault => plan(vault.plan_import_with(&document, OnConflict::Update, &none)));
    // What the caller changes next is not known before.
    same!(pair, 2, vault => outcomes(vault.plan_changes::<Error>(|change| {
        change.update("slack", [("Token", "n")])?;
        change.update("slack", [("Token", "o")])?;
        change.delete("twitter")
    })));

    // Tokens are good for one use: each plan asks for its tokens once, behind the last missing range.
    let asked = Cell::new(0);
    let plan = |action: &str, options: &Options| {
        let action = Action::parse(action).unwrap();
        let (asked, options) = (&asked, options.clone());
        let mut tokens = TokenFn(move |token: &TokenRef<'_>| {
            asked.set(asked.get() + 1);
            Secret::new(format!("value of {}", token.name())).map(Some)
        });
        move |vault: AnyVault<'_>| {
            let mut tester = |connector: &Connector| {
                asked.set(asked.get() + 1);
                Ok(TestResult::Failed(format!("{} is down", connector.id)))
            };
            let mut asking = Asking::new(&mut tokens).tester(&mut tester);
            let plan = with_host(|host| match vault {
                AnyVault::Lazy(vault) => vault.plan_asking(&action, &mut asking, &options, host),
                AnyVault::Kept(vault) => vault.plan_asking(&action, &mut asking, &options, host),
            });
            plan.map(|plan: ActionPlan| plan.ran())
        }
    };
    let request = |id: &str| Options {
        request_id: Some(RequestId::new(id).unwrap()),
        ..Options::default()
    };
    let token = update("twitter", "APIKey", "[A:B]");
    let cases = [
        (token.clone(), none.clone(), 1, 1),
        (token.clone(), request("r-2"), 1, 1),
        // Answered from the version that remembers it, or refused by it, which is found by its overview.
        (update("twitter", "APIKey", "f"), request("r-1"), 1, 0),
        (token.clone(), request("r-1"), 1, 0),
        (update("twiter", "APIKey", "[A:B]"), none.clone(), 0, 0),
        (
            r#"{"ActionType": "CredStore.DeleteEntry", "Parameters": {"EntryId": "slack"}}"#.to_owned(),
            none.clone(),
            1,
            0,
        ),
        (
            r#"{"ActionType": "Connectors.Test", "Parameters": {"EntryId": "slack", "OutputTokenName": "T"}}"#
                .to_owned(),
            none.clone(),
            1,
            1,
        ),
        (
            format!(
                r#"{{"ActionType": "ExecuteActions", "Parameters": {{"ActionList": [{token}, {}, {}]}}}}"#,
                update("slack", "Token", "[C:D]"),
                r#"{"ActionType": "Connectors.Test", "Parameters": {"EntryId": "slack", "OutputTokenName": "T"}}"#,
            ),
            none.clone(),
            1,
            3,
        ),
    ];
    for (action, options, rounds, asks) in cases {
        let expected = plan(&action, &options)(AnyVault::Kept(&pair.kept.vault));
        assert_eq!(asked.replace(0), asks, "{action}");
        pair.remote.forget();
        let mut plan = plan(&action, &options);
        let mut needed = 0;
        let found = loop {
            let found = plan(AnyVault::Lazy(&pair.lazy));
            let Some(missing) = found.missing() else {
                break found;
            };
            assert_eq!(
                asked.get(),
                0,
                "asked before all bytes were there: {action}"
            );
            assert!(pair.remote.fetch(&missing));
            needed += 1;
        };
        assert_eq!((asked.replace(0), needed), (asks, rounds), "{action}");
        assert_eq!(found, expected, "{action}");
    }
}

#[test]
fn tokens_of_ids_are_asked_for_once_in_all_rounds() {
    let pair = Pair::of(kept());
    let action = |id: &str| update(id, "APIKey", "[A:Value]");
    let action = format!(
        r#"{{"ActionType": "ExecuteActions", "Parameters": {{"ActionList": [{}, {}]}}}}"#,
        action("[A:twitter]"),
        action("[A:slack]")
    );
    let action = Action::parse(&action).unwrap();
    let mut asked = Vec::new();
    let mut tokens = TokenFn(|token: &TokenRef<'_>| {
        asked.push(token.name().to_owned());
        Secret::new(token.name()).map(Some)
    });
    let mut asking = Asking::new(&mut tokens);
    let plan = |asking: &mut Asking<'_>| {
        let options = Options::default();
        with_host(|host| pair.lazy.plan_asking(&action, asking, &options, host))
    };
    pair.remote.forget();
    for _ in ["twitter", "slack"] {
        let missing = plan(&mut asking).missing().expect("an id that is new");
        assert!(pair.remote.fetch(&missing));
    }
    assert!(plan(&mut asking).is_ok());
    assert_eq!(asked, ["twitter", "Value", "slack"]);
}

enum AnyVault<'a> {
    Lazy(&'a Vault<Remote>),
    Kept(&'a Vault),
}

#[test]
fn prepared_bytes_are_the_same() {
    let pair = Pair::of(kept());
    let none = Options::default();
    let plans = pair.kept.vault.plan_changes::<Error>(|change| {
        change.update("slack", [("Token", "n")])?;
        change.delete("twitter")?;
        change.create(NewConnector::new("gone", "Name", "Type"))
    });
    let plans = plans.unwrap();
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_all(plans.clone(), host))));
    let plan = pair.kept.vault.plan_delete("slack", &none).unwrap();
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare(plan.clone(), host))));

    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_compaction(Retention::Newest(1), host))));
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_compaction(Retention::Automatic, host))));
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_purge(None, host))));
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_purge(Some(&["twitter"]), host))));
    same!(pair, 0, vault => with_host(|host| bytes(vault.prepare_purge(Some(&["none"]), host))));

    let passphrase = Passphrase::new("correct horse battery staple").unwrap();
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_passphrase(&passphrase, Cost::MIN, host))));
    let by_passphrase = Grantee::Passphrase(&passphrase, Cost::MIN);
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_grant("r", Role::Reader, by_passphrase, host))));
}

#[test]
fn a_revocation_reports_progress_only_when_all_records_are_there() {
    let mut kept = kept();
    let other = Identity::generate(&mut StdRng::seed_from_u64(3));
    let prepared = kept.vault.prepare_grant(
        "rotation",
        Role::Updater,
        Grantee::Key(&other.grant_key()),
        &mut kept.fixed.host(),
    );
    kept.store(prepared.unwrap()).unwrap();
    let pair = Pair::of(kept);
    let reports = Cell::new(0);
    let told = |_: usize, _: usize| reports.set(reports.get() + 1);
    let bytes = |revoked: Result<Revocation>| {
        let told = reports.replace(0);
        let revoked = revoked.inspect_err(|_| assert_eq!(told, 0))?;
        Ok((bytes(Ok(revoked.prepared))?, revoked.exposed, told))
    };
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_revoke("rotation", host, &mut { told }))));
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_rights("rotation", Role::Viewer, host, &mut { told }))));
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_rights("rotation", Role::Owner, host, &mut { told }))));
    same!(pair, 0, vault => with_host(|host| bytes(vault.prepare_revoke("none", host, &mut { told }))));
}

#[test]
fn a_merge_reads_what_differs() {
    let mut ours = kept();
    let mut theirs = ours.open().unwrap();
    let mut change = |call: &dyn Fn(&Vault) -> Result<Plan>| {
        let plan = call(&theirs).unwrap();
        let prepared = theirs.prepare(plan, &mut ours.fixed.host()).unwrap();
        theirs.apply(prepared).unwrap();
    };
    let none = Options::default();
    change(&|vault| vault.plan_update("slack", [("Token", "theirs")], &none));
    change(&|vault| vault.plan_update("twitter", [("Endpoint", "theirs")], &none));
    change(&|vault| vault.plan_create(&NewConnector::new("gone", "Name", "Type"), &none));
    ours.update("slack", "Token", "ours").unwrap();
    let pair = Pair::of(ours);
    let options = |resolve| MergeOptions {
        resolve,
        accept_strangers: false,
    };
    let merged = |vault: Result<connector_vault::Merge>| {
        let merge = vault?;
        let outcomes: Vec<_> = merge
            .plans()
            .iter()
            .map(|plan| plan.outcome().clone())
            .collect();
        Ok((merge.conflicts, merge.strangers, outcomes))
    };
    let now = Timestamp::new("2026-11-23T20:15:00.000Z").unwrap();
    for resolve in [None, Some(Resolve::Theirs), Some(Resolve::Newest)] {
        // First the newest overviews, then the versions of connectors that differ.
        same!(pair, 2, vault => merged(vault.plan_merge(&theirs, options(resolve), &now)));
    }
}

/// Gives both vaults a change by somebody else.
fn refreshed(pair: &mut Pair, tail: &[u8], rounds: usize) {
    let expected = pair.kept.vault.refresh(tail.to_vec()).unwrap();
    pair.remote.forget();
    let before = pair.lazy.head();
    for round in 0.. {
        match pair.lazy.refresh(tail.to_vec()) {
            Ok(found) => {
                assert!(round <= rounds, "{round} rounds");
                assert_eq!(found, expected);
                break;
            }
            Err(error) => {
                assert_eq!(pair.lazy.head(), before);
                let missing = error.missing().unwrap_or_else(|| panic!("{error:?}"));
                assert!(pair.remote.fetch(missing));
            }
        }
    }
    assert_eq!(pair.lazy.head(), pair.kept.vault.head());
}

#[test]
fn a_refresh_reads_the_versions_before_an_updaters() {
    let mut kept = kept();
    let updater = Identity::generate(&mut StdRng::seed_from_u64(3));
    let prepared = kept.vault.prepare_grant(
        "rotation",
        Role::Updater,
        Grantee::Key(&updater.grant_key()),
        &mut kept.fixed.host(),
    );
    kept.store(prepared.unwrap()).unwrap();
    let mut rotation = support::open(kept.file.clone(), &updater, &kept.vault).unwrap();
    let mut number = 0;
    let mut rotate = |changes: &[&str]| {
        let mut tail = Vec::new();
        for id in changes {
            number += 1;
            let value = [("APIKey", number.to_string())];
            let plan = rotation.plan_update(id, value, &Options::default());
            let plan = plan.unwrap();
            let prepared = with_host(|host| rotation.prepare(plan, host)).unwrap();
            prepared.write().to(&mut tail);
            rotation.apply(prepared).unwrap();
        }
        tail
    };
    let (first, second) = (rotate(&["twitter", "slack", "slack"]), rotate(&["slack"]));
    let mut pair = Pair::of(kept);
    refreshed(&mut pair, &first, 1);
    refreshed(&mut pair, &second, 1);
    same!(pair, 1, vault => vault.history("slack"));
    same!(pair, 1, vault => vault.log());
}

#[test]
fn a_vault_over_a_source_changes_as_one_in_memory() {
    let mut kept = kept();
    let updater = Identity::generate(&mut StdRng::seed_from_u64(3));
    let to = updater.grant_key();
    let granted = kept.vault.prepare_grant(
        "rotation",
        Role::Updater,
        Grantee::Key(&to),
        &mut kept.fixed.host(),
    );
    kept.store(granted.unwrap()).unwrap();
    let mut pair = Pair::opened(kept, &updater);
    let change = |vault: &Vault| {
        let plan = vault.plan_update("slack", [("Token", "n")], &Options::default())?;
        with_host(|host| vault.prepare(plan, host))
    };
    let (ours, lazys) = (
        change(&pair.kept.vault).unwrap(),
        change(&pair.kept.vault).unwrap(),
    );
    ours.write().to(&mut pair.kept.file);
    let expected = pair.kept.vault.apply(ours).unwrap();
    // It is stored, so it needs no bytes to be taken.
    pair.remote.forget();
    assert_eq!(pair.lazy.apply(lazys).unwrap(), expected);
    assert_eq!(pair.remote.file(), pair.kept.file);
    same!(pair, 1, vault => vault.read("slack"));
    same!(pair, 1, vault => vault.verify());

    // Somebody else replaces the file.
    let owner = pair.kept.open().unwrap();
    let compacted = with_host(|host| owner.prepare_compaction(Retention::Newest(1), host)).unwrap();
    let Write::Replace(file) = compacted.write() else {
        panic!("a compaction replaces the file");
    };
    pair.kept.vault.reopen(file.to_vec()).unwrap();
    pair.remote = Remote::new(file.to_vec());
    pair.remote.fetch_all();
    pair.lazy.reopen(pair.remote.clone()).unwrap();
    assert_eq!(pair.lazy.head(), pair.kept.vault.head());
    same!(pair, 1, vault => vault.read("slack"));
    same!(pair, 0, vault => vault.read_version("slack", version(1)));
    // A file that is refused leaves everything as it was.
    let nothing = Remote::new(b"nothing".to_vec());
    nothing.fetch_all();
    let (head, stored) = (pair.lazy.head(), pair.remote.file());
    assert_eq!(
        pair.lazy.reopen(nothing).unwrap_err().code(),
        Code::NotAVault
    );
    assert_eq!((pair.lazy.head(), pair.remote.file()), (head, stored));

    // The own compaction replaces it too.
    let mut pair = Pair::of(self::kept());
    let compact = |lazy: &Vault<Remote>| {
        with_host(|host| lazy.prepare_compaction(Retention::Newest(1), host))
    };
    while let Some(missing) = compact(&pair.lazy).missing() {
        assert!(pair.remote.fetch(&missing));
    }
    let prepared = compact(&pair.lazy).unwrap();
    pair.lazy.apply(prepared).unwrap();
    let prepared = pair
        .kept
        .vault
        .prepare_compaction(Retention::Newest(1), &mut pair.kept.fixed.host())
        .unwrap();
    pair.kept.store(prepared).unwrap();
    same!(pair, 1, vault => vault.log());
    same!(pair, 1, vault => vault.read("twitter"));
}

/// A vault with patches behind a full version, and the identity of who made them.
fn rotated() -> (Kept, Identity) {
    let mut kept = kept();
    let rotator = Identity::generate(&mut StdRng::seed_from_u64(3));
    let prepared = kept.vault.prepare_grant(
        "rotation",
        Role::Rotator,
        Grantee::Key(&rotator.grant_key()),
        &mut kept.fixed.host(),
    );
    kept.store(prepared.unwrap()).unwrap();
    let mut rotation = support::open(kept.file.clone(), &rotator, &kept.vault).unwrap();
    for (name, value) in [("APIKey", "p"), ("Endpoint", "q"), ("APIKey", "r")] {
        let plan = rotation.plan_update("twitter", [(name, value)], &Options::default());
        let prepared = rotation.prepare(plan.unwrap(), &mut kept.fixed.host());
        let prepared = prepared.unwrap();
        prepared.write().to(&mut kept.file);
        rotation.apply(prepared).unwrap();
    }
    (kept, rotator)
}

#[test]
fn reading_goes_through_the_patches_that_it_needs() {
    let none = Options::default();
    let pair = Pair::of(rotated().0);
    // All overviews, a patch, another one, the full version.
    same!(pair, 4, vault => vault.read("twitter"));
    same!(pair, 3, vault => vault.read_version("twitter", version(4)));
    same!(pair, 1, vault => vault.overview("twitter"));
    same!(pair, 1, vault => vault.history("twitter"));
    same!(pair, 1, vault => vault.verify());
    same!(pair, 1, vault => with_host(|host| bytes(vault.prepare_compaction(Retention::Newest(1), host))));
    same!(pair, 2, vault => with_host(|host| bytes(vault.prepare_purge(None, host))));

    let (kept, rotator) = rotated();
    let pair = Pair::opened(kept, &rotator);
    same!(pair, 1, vault => outcome(vault.plan_update("twitter", [("APIKey", "s")], &none)));
}
