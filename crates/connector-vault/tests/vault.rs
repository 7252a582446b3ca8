//! The vault through its public API: create, open, read, update, restore, delete, compact.

mod support;

use connector_vault::{
    Code, ConnectorId, Cost, Cursor, Detail, NewOwner, OpenOptions, Options, Passphrase, RequestId,
    Retention, Role, Status, Unlock, Vault, Version,
};
use support::{Fixed, Kept, update, values};

fn map(values: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn an_update_merges_and_survives_a_reopening() {
    let mut kept = Kept::new(1);
    kept.add("x", &[("APIKey", "a"), ("Endpoint", "e")])
        .expect("added");
    let outcome = kept.update("x", "APIKey", "b").expect("updated");
    assert_eq!(outcome.status, Status::Updated);
    assert_eq!(outcome.version_after.get(), 2);
    let expected = map(&[("APIKey", "b"), ("Endpoint", "e")]);
    assert_eq!(values(&kept.vault, "x"), expected);

    let reopened = kept.open().expect("sound");
    assert_eq!(values(&reopened, "x"), expected);
    assert_eq!(reopened.head(), kept.vault.head());
    assert_eq!(reopened.role(), Role::Owner);
    let history = reopened.history("x").expect("kept");
    assert_eq!(history.len(), 2);
    assert_eq!(history[1].overview.changed.len(), 1);
    let first = reopened.read_version("x", Version::FIRST).expect("kept");
    assert_eq!(first.properties.get("APIKey").expect("there").expose(), "a");
}

#[test]
fn a_passphrase_opens_in_either_normal_form() {
    let mut fixed = Fixed::new(2);
    let passphrase = Passphrase::new("caf\u{e9} au lait").expect("valid");
    let owner = NewOwner::passphrase("ops", &passphrase).cost(Cost::MIN);
    let (vault, file) = Vault::create(&mut fixed.host(), &owner).expect("created");
    let decomposed = Passphrase::new("cafe\u{301} au lait").expect("valid");
    let open = |passphrase| {
        Vault::open(
            file.clone(),
            Unlock::Passphrase(passphrase),
            &OpenOptions::default(),
        )
    };
    assert_eq!(open(&decomposed).expect("opens").head(), vault.head());
    let wrong = Passphrase::new("cafe au lait").expect("valid");
    assert_eq!(
        open(&wrong).expect_err("wrong").code(),
        Code::WrongPassphrase
    );
}

#[test]
fn an_unchanged_update_writes_nothing_and_one_with_a_request_id_writes_once() {
    let mut kept = Kept::new(3);
    kept.add("x", &[("APIKey", "a")]).expect("added");
    let before = kept.file.clone();
    assert_eq!(
        kept.update("x", "APIKey", "a").expect("unchanged").status,
        Status::Unchanged
    );
    assert_eq!(kept.file, before);

    let options = Options {
        request_id: Some(RequestId::new("r1").expect("valid")),
        ..Options::default()
    };
    let first = kept
        .run(&update("x", "APIKey", "b"), &options)
        .expect("updated");
    kept.update("x", "APIKey", "c")
        .expect("another came between");
    let before = kept.file.clone();
    let again = kept
        .run(&update("x", "APIKey", "b"), &options)
        .expect("answered");
    let mut replayed = first;
    replayed.replayed = true;
    assert_eq!(again, replayed);
    assert_eq!(kept.file, before);
    assert_eq!(values(&kept.vault, "x"), map(&[("APIKey", "c")]));
    let other = kept
        .run(&update("x", "APIKey", "d"), &options)
        .expect_err("other content");
    assert_eq!(other.code(), Code::RequestIdReused);

    let options = Options {
        request_id: Some(RequestId::new("r2").expect("valid")),
        ..Options::default()
    };
    let unchanged = kept
        .run(&update("x", "APIKey", "c"), &options)
        .expect("remembered");
    assert_eq!(unchanged.status, Status::Unchanged);
    assert_eq!(unchanged.version_after.get(), 4);
}

#[test]
fn a_compaction_that_happens_by_itself_keeps_requests_for_seven_days() {
    let mut kept = Kept::new(4);
    kept.add("x", &[("APIKey", "0")]).expect("added");
    let with = |id: &str| Options {
        request_id: Some(RequestId::new(id).expect("valid")),
        ..Options::default()
    };
    let run = |kept: &mut Kept, day: u32, value: &str, options: &Options| {
        kept.fixed.now = format!("2026-11-{day:02}T00:00:00.000Z");
        kept.run(&update("x", "APIKey", value), options)
    };
    let compact = |kept: &mut Kept| {
        // The second one drops what was made before the first.
        for _ in 0..2 {
            let prepared = kept
                .vault
                .prepare_compaction(Retention::Automatic, &mut kept.fixed.host());
            kept.store(prepared.expect("an owner")).expect("stored");
        }
    };
    run(&mut kept, 1, "first", &with("first")).expect("updated");
    for number in 0..20 {
        run(&mut kept, 2, &number.to_string(), &Options::default()).expect("updated");
    }
    run(&mut kept, 8, "newest", &Options::default()).expect("updated");
    compact(&mut kept);
    // Seven days: the request is kept, though more than ten versions are newer.
    let numbers = |kept: &Kept| -> Vec<u64> {
        let versions = kept.vault.history("x").expect("its history");
        versions
            .iter()
            .map(|one| one.overview.version.get())
            .collect()
    };
    assert_eq!(numbers(&kept), [vec![2], (14..=23).collect()].concat());
    let again = run(&mut kept, 8, "first", &with("first")).expect("answered");
    assert!(again.replayed);
    // A new id is new, since no request was left out.
    let new = run(&mut kept, 9, "new", &with("new")).expect("updated");
    assert!(!new.replayed);
    // Eight days: the first is forgotten.
    for number in 0..10 {
        run(&mut kept, 9, &number.to_string(), &Options::default()).expect("updated");
    }
    compact(&mut kept);
    assert_eq!(numbers(&kept), (24..=34).collect::<Vec<_>>());
    let other = run(&mut kept, 9, "x", &with("other")).expect("updated");
    assert!(!other.replayed);
    let prepared = kept
        .vault
        .prepare_compaction(Retention::Newest(3), &mut kept.fixed.host());
    kept.store(prepared.expect("an owner")).expect("stored");
    // It has left out a request of the same day, so for seven days no unknown id is new.
    for id in ["first", "new", "another"] {
        let error = run(&mut kept, 15, "x", &with(id)).expect_err("too old");
        assert_eq!(error.code(), Code::RequestTooOld);
    }
    assert!(
        run(&mut kept, 15, "x", &with("other"))
            .expect("answered")
            .replayed
    );
    assert!(
        !run(&mut kept, 17, "x", &with("another"))
            .expect("updated")
            .replayed
    );
}

#[test]
fn a_deleted_id_continues_its_versions() {
    let mut kept = Kept::new(4);
    kept.add("x", &[("APIKey", "a")]).expect("added");
    assert_eq!(
        kept.add("x", &[]).expect_err("exists").code(),
        Code::ConnectorExists
    );
    let delete = r#"{"ActionType": "CredStore.DeleteEntry", "Parameters": {"EntryId": "x"}}"#;
    assert_eq!(
        kept.run(delete, &Options::default())
            .expect("deleted")
            .status,
        Status::Deleted
    );
    assert_eq!(
        kept.run(delete, &Options::default())
            .expect_err("gone")
            .code(),
        Code::ConnectorNotFound
    );
    assert_eq!(kept.vault.len(), 0);
    assert_eq!(
        kept.add("x", &[("APIKey", "b")])
            .expect("again")
            .version_after
            .get(),
        3
    );
    let reopened = kept.open().expect("sound");
    assert_eq!(reopened.history("x").expect("kept").len(), 3);
    assert!(
        reopened
            .verify()
            .expect("walks")
            .iter()
            .all(|verdict| verdict.problems.is_empty())
    );
}

#[test]
fn restore_makes_an_earlier_version_the_present_one() {
    let mut kept = Kept::new(5);
    kept.add("x", &[("APIKey", "a")]).expect("added");
    kept.update("x", "APIKey", "b").expect("updated");
    let plan = kept
        .vault
        .plan_restore("x", Version::FIRST, &Options::default())
        .expect("planned");
    let prepared = kept
        .vault
        .prepare(plan, &mut kept.fixed.host())
        .expect("prepared");
    assert_eq!(
        kept.store(prepared).expect("stored")[0].status,
        Status::Restored
    );
    assert_eq!(
        values(&kept.open().expect("sound"), "x"),
        map(&[("APIKey", "a")])
    );
}

#[test]
fn a_plan_is_a_conflict_once_the_connector_moved_on() {
    let mut kept = Kept::new(6);
    kept.add("x", &[("APIKey", "a")]).expect("added");
    kept.add("y", &[("APIKey", "a")]).expect("added");
    let plan = kept
        .vault
        .plan_restore("x", Version::FIRST, &Options::default())
        .expect("planned");
    kept.update("y", "APIKey", "b")
        .expect("another connector is no conflict");
    let also = kept
        .vault
        .plan_restore("x", Version::FIRST, &Options::default())
        .expect("planned");
    kept.vault
        .prepare(plan, &mut kept.fixed.host())
        .expect("no conflict");
    kept.update("x", "APIKey", "b").expect("updated");
    let error = kept
        .vault
        .prepare(also, &mut kept.fixed.host())
        .expect_err("moved on");
    assert_eq!(error.code(), Code::Conflict);
}

#[test]
fn compaction_keeps_the_newest_versions_and_the_head_comparable() {
    let mut kept = Kept::new(7);
    kept.add("x", &[("APIKey", "0")]).expect("added");
    for value in 1..20 {
        kept.update("x", "APIKey", &value.to_string())
            .expect("updated");
    }
    let known = kept.vault.known_head();
    let prepared = kept
        .vault
        .prepare_compaction(Retention::Newest(10), &mut kept.fixed.host())
        .expect("prepared");
    kept.store(prepared).expect("stored");
    assert_eq!(kept.vault.history("x").expect("kept").len(), 10);
    assert_eq!(values(&kept.vault, "x"), map(&[("APIKey", "19")]));
    let options = OpenOptions {
        known: Some(known),
        ..OpenOptions::default()
    };
    let reopened = Vault::open(
        kept.file.clone(),
        Unlock::Identity(&kept.identity),
        &options,
    )
    .expect("continues");
    assert_eq!(
        reopened.report().continuity,
        connector_vault::Continuity::Continues
    );
    kept.update("x", "APIKey", "20").expect("goes on");
    assert_eq!(
        kept.open()
            .expect("sound")
            .overview("x")
            .expect("there")
            .version
            .get(),
        21
    );
}

#[test]
fn a_refresh_brings_what_others_appended() {
    let mut kept = Kept::new(8);
    kept.add("x", &[("APIKey", "a")]).expect("added");
    let mut other = kept.open().expect("sound");
    let known = kept.file.len();
    kept.update("x", "APIKey", "b").expect("updated");
    kept.add("y", &[]).expect("added");
    let refreshed = other.refresh(kept.file[known..].to_vec()).expect("follows");
    assert_eq!(refreshed.commits, 2);
    let mut ids: Vec<&str> = refreshed.ids.iter().map(ConnectorId::as_str).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["x", "y"]);
    assert_eq!(other.head(), kept.vault.head());
    assert_eq!(values(&other, "x"), map(&[("APIKey", "b")]));
    assert_eq!(other.log_end(), kept.vault.log_end());
}

#[test]
fn an_older_or_another_copy_is_refused() {
    let mut kept = Kept::new(9);
    kept.add("x", &[("APIKey", "a")]).expect("added");
    let old = kept.file.clone();
    let mut fork = Kept {
        vault: kept.open().expect("sound"),
        file: old.clone(),
        identity: kept.identity.clone(),
        fixed: Fixed::new(10),
    };
    kept.update("x", "APIKey", "b").expect("updated");
    let options = OpenOptions {
        known: Some(kept.vault.known_head()),
        ..OpenOptions::default()
    };
    let open = |file: &[u8]| Vault::open(file.to_vec(), Unlock::Identity(&kept.identity), &options);
    assert_eq!(open(&old).expect_err("older").code(), Code::RolledBack);
    fork.update("x", "APIKey", "c").expect("updated");
    assert_eq!(open(&fork.file).expect_err("forked").code(), Code::Forked);
    let stranger = Kept::new(11);
    assert_eq!(
        open(&stranger.file).expect_err("another vault").code(),
        Code::WrongVault
    );
    let alone = Vault::open(
        old,
        Unlock::Identity(&kept.identity),
        &OpenOptions::default(),
    );
    assert_eq!(
        alone.expect_err("no vault id").code(),
        Code::VaultIdRequired
    );
}

#[test]
fn a_vault_that_has_grown_is_as_one_that_is_opened() {
    let mut kept = Kept::new(41);
    kept.add("a", &[("APIKey", "1")]).unwrap();
    kept.add("b", &[]).unwrap();
    kept.vault = kept.open().unwrap();
    // Since it was opened, the log has grown by pieces.
    for value in 2..15 {
        kept.update("a", "APIKey", &value.to_string()).unwrap();
    }
    kept.add("c", &[]).unwrap();
    let delete = kept.vault.plan_delete("b", &Options::default()).unwrap();
    let prepared = kept.vault.prepare(delete, &mut kept.fixed.host()).unwrap();
    kept.store(prepared).unwrap();
    let (found, expected) = (&kept.vault, kept.open().unwrap());
    assert_eq!(found.known_head(), expected.known_head());
    assert_eq!(found.log_end(), expected.log_end());
    for id in ["a", "b"] {
        assert_eq!(found.history(id).unwrap(), expected.history(id).unwrap());
    }
    assert_eq!(found.read("a").unwrap(), expected.read("a").unwrap());
    let log = expected.log().unwrap();
    assert_eq!(found.log().unwrap(), log);
    for (index, commit) in log.iter().enumerate() {
        let part = found.log_range(index, 1).unwrap();
        assert_eq!(part, std::slice::from_ref(commit));
    }
    assert_eq!(found.log_range(log.len(), 1).unwrap(), []);
    assert_eq!(found.log_range(usize::MAX, usize::MAX).unwrap(), []);
    assert_eq!(found.len(), 2);
}

#[test]
fn an_unknown_id_is_not_looked_up_among_all_connectors_unless_a_person_asks() {
    let mut kept = Kept::new(13);
    kept.add("twitter", &[]).unwrap();
    kept.add("gone", &[]).unwrap();
    let plan = kept.vault.plan_delete("gone", &Options::default()).unwrap();
    let prepared = kept.vault.prepare(plan, &mut kept.fixed.host()).unwrap();
    kept.store(prepared).unwrap();
    let (v1, options) = (Version::FIRST, Options::default());
    for vault in [&kept.vault, &kept.open().unwrap()] {
        assert_eq!(vault.len(), 1);
        let found = ["twitter", "gone", "Twitter", ""].map(|id| vault.contains(id).unwrap());
        assert_eq!(found, [true, false, false, false]);
        let errors = [
            vault.overview("Twitter").unwrap_err(),
            vault.read("Twitter").unwrap_err(),
            vault.read_version("Twitter", v1).unwrap_err(),
            vault.history("Twitter").unwrap_err(),
            vault.diff("Twitter", v1, v1).unwrap_err(),
            vault.plan_delete("Twitter", &options).unwrap_err(),
            vault.plan_restore("Twitter", v1, &options).unwrap_err(),
            vault
                .prepare_purge(Some(&["Twitter"]), &mut Fixed::new(1).host())
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.code(), Code::ConnectorNotFound);
            assert_eq!(error.hint(), None, "{error:?}");
        }
        let similar = vault.similar("Twitter").unwrap();
        assert_eq!(similar.as_deref(), Some("did you mean \"twitter\"?"));
    }
}

#[test]
fn connectors_are_listed_in_parts() {
    let mut kept = Kept::new(43);
    for id in ["a", "b", "c", "d"] {
        kept.add(id, &[]).unwrap();
    }
    let delete = kept.vault.plan_delete("b", &Options::default()).unwrap();
    let prepared = kept.vault.prepare(delete, &mut kept.fixed.host()).unwrap();
    kept.store(prepared).unwrap();
    let whole: Vec<_> = kept.vault.list().map(|one| one.unwrap().id).collect();
    let mut sorted: Vec<_> = whole.iter().map(ToString::to_string).collect();
    sorted.sort();
    assert_eq!(sorted, ["a", "c", "d"]);
    for count in 1..4 {
        let (mut ids, mut cursor) = (Vec::new(), Cursor::default());
        while !cursor.is_end() {
            let mut listing = kept.vault.list_from(cursor);
            ids.extend(listing.by_ref().take(count).map(|one| one.unwrap().id));
            cursor = listing.cursor();
        }
        assert_eq!(ids, whole, "{count} at a time");
    }
}

#[test]
fn a_plan_is_a_conflict_on_another_copy_and_another_vault() {
    let mut kept = Kept::new(44);
    kept.add("x", &[("APIKey", "a")]).unwrap();
    let mut copy = Kept::new(45);
    copy.file = kept.file.clone();
    copy.identity = kept.identity.clone();
    copy.vault = kept.open().unwrap();
    // Apart, both came to version 2.
    kept.update("x", "APIKey", "ours").unwrap();
    copy.update("x", "APIKey", "theirs").unwrap();
    let mut other = Kept::new(46);
    other.add("x", &[("APIKey", "a")]).unwrap();
    other.update("x", "APIKey", "b").unwrap();
    let plan = kept
        .vault
        .plan_restore("x", Version::FIRST, &Options::default());
    let plan = plan.unwrap();
    for stranger in [&mut copy, &mut other] {
        let prepared = stranger
            .vault
            .prepare(plan.clone(), &mut stranger.fixed.host());
        assert_eq!(prepared.unwrap_err().code(), Code::Conflict);
    }
    let prepared = kept.vault.prepare(plan, &mut kept.fixed.host()).unwrap();
    assert_eq!(prepared.outcomes()[0].status, Status::Restored);
}

#[test]
fn a_deleted_connector_says_where_its_values_are() {
    let mut kept = Kept::new(9);
    kept.add("x", &[("APIKey", "a")]).expect("added");
    kept.update("x", "APIKey", "b").expect("updated");
    let plan = kept.vault.plan_delete("x", &Options::default());
    let prepared = kept
        .vault
        .prepare(plan.expect("planned"), &mut kept.fixed.host());
    kept.store(prepared.expect("prepared")).expect("stored");
    let error = kept.vault.overview("x").expect_err("deleted");
    assert_eq!(error.code(), Code::ConnectorNotFound);
    assert_eq!(
        error.message(),
        "the connector \"x\" was deleted in version 3"
    );
    assert_eq!(error.detail(), Some(Detail::ValuesKept(2)));
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("version 2"), "{hint}");

    let prepared = kept
        .vault
        .prepare_compaction(Retention::Newest(1), &mut kept.fixed.host());
    kept.store(prepared.expect("prepared")).expect("stored");
    let error = kept.vault.read("x").expect_err("deleted");
    assert_eq!(
        (error.code(), error.detail()),
        (Code::ConnectorNotFound, None)
    );
    assert!(
        error.hint().unwrap_or_default().contains("backup"),
        "{error:?}"
    );
    let unknown = kept.vault.overview("y").expect_err("unknown");
    assert_eq!(unknown.message(), "there is no connector \"y\"");
}
