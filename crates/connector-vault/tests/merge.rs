//! Merging copies that were changed apart.

mod support;

use connector_vault::{
    Code, ConflictKind, MergeOptions, Options, Resolve, Result, Retention, Vault, Version,
};
use support::{Fixed, Kept, values};

/// Two copies of a vault with the connector `x`, to be changed apart.
fn copies() -> (Kept, Kept) {
    let mut ours = Kept::new(31);
    ours.add(
        "x",
        &[("APIKey", "a"), ("Endpoint", "e"), ("Timeout", "30s")],
    )
    .expect("added");
    let theirs = Kept {
        vault: ours.open().expect("sound"),
        file: ours.file.clone(),
        identity: ours.identity.clone(),
        fixed: Fixed::new(32),
    };
    (ours, theirs)
}

fn merge(ours: &mut Kept, theirs: &Vault, resolve: Option<Resolve>) -> Result<Vec<ConflictKind>> {
    let options = MergeOptions {
        resolve,
        ..MergeOptions::default()
    };
    let merge = ours.vault.plan_merge(theirs, options)?;
    let conflicts = merge
        .conflicts
        .iter()
        .map(|conflict| conflict.kind.clone())
        .collect();
    let prepared = ours
        .vault
        .prepare_all(merge.into_plans()?, &mut ours.fixed.host())?;
    ours.store(prepared)?;
    ours.open().expect("what was merged is sound");
    Ok(conflicts)
}

fn value(kept: &Kept, name: &str) -> Option<String> {
    values(&kept.vault, "x").remove(name)
}

fn delete(kept: &mut Kept, id: &str) {
    let action = format!(
        r#"{{"ActionType": "CredStore.DeleteEntry", "Parameters": {{"EntryId": "{id}"}}}}"#
    );
    kept.run(&action, &Options::default()).expect("deleted");
}

#[test]
fn different_properties_of_one_connector() {
    let (mut ours, mut theirs) = copies();
    ours.update("x", "APIKey", "b").expect("updated");
    theirs.update("x", "Timeout", "60s").expect("updated");
    theirs.update("x", "New", "n").expect("updated");
    theirs.add("y", &[("Token", "t")]).expect("added");
    assert_eq!(merge(&mut ours, &theirs.vault, None).expect("merged"), []);
    assert_eq!(value(&ours, "APIKey").as_deref(), Some("b"));
    assert_eq!(value(&ours, "Timeout").as_deref(), Some("60s"));
    assert_eq!(value(&ours, "New").as_deref(), Some("n"));
    assert_eq!(values(&ours.vault, "y")["Token"], "t");
    assert_eq!(ours.vault.connector("x").expect("there").version.get(), 3);
}

#[test]
fn the_same_property_is_a_conflict_that_somebody_resolves() {
    for (resolve, winner) in [(Resolve::Ours, "ours"), (Resolve::Theirs, "theirs")] {
        let (mut ours, mut theirs) = copies();
        ours.update("x", "APIKey", "ours").expect("updated");
        theirs.update("x", "APIKey", "theirs").expect("updated");
        let before = ours.file.clone();
        let error = merge(&mut ours, &theirs.vault, None).expect_err("a conflict");
        assert_eq!(error.code(), Code::MergeConflict);
        assert_eq!(ours.file, before);
        let conflicts = merge(&mut ours, &theirs.vault, Some(resolve)).expect("merged");
        assert!(matches!(&*conflicts, [ConflictKind::Property(name)] if name.as_str() == "APIKey"));
        assert_eq!(value(&ours, "APIKey").as_deref(), Some(winner));
    }
}

#[test]
fn the_same_change_on_both_sides_is_none() {
    let (mut ours, mut theirs) = copies();
    ours.update("x", "APIKey", "same").expect("updated");
    theirs.update("x", "APIKey", "same").expect("updated");
    assert_eq!(merge(&mut ours, &theirs.vault, None).expect("merged"), []);
    assert_eq!(ours.vault.connector("x").expect("there").version.get(), 2);
}

#[test]
fn deleted_here_and_updated_there() {
    let (mut ours, mut theirs) = copies();
    delete(&mut ours, "x");
    theirs.update("x", "APIKey", "b").expect("updated");
    assert_eq!(
        merge(&mut ours, &theirs.vault, None)
            .expect_err("a conflict")
            .code(),
        Code::MergeConflict
    );
    let conflicts = merge(&mut ours, &theirs.vault, Some(Resolve::Ours)).expect("merged");
    assert_eq!(conflicts, [ConflictKind::DeletedInOurs]);
    assert!(ours.vault.connector("x").is_err());
    merge(&mut ours, &theirs.vault, Some(Resolve::Theirs)).expect("merged");
    assert_eq!(value(&ours, "APIKey").as_deref(), Some("b"));
    assert_eq!(ours.vault.connector("x").expect("again").version.get(), 3);
}

#[test]
fn updated_here_and_deleted_there() {
    let (mut ours, mut theirs) = copies();
    ours.update("x", "APIKey", "b").expect("updated");
    delete(&mut theirs, "x");
    let conflicts = merge(&mut ours, &theirs.vault, Some(Resolve::Ours)).expect("merged");
    assert_eq!(conflicts, [ConflictKind::DeletedInTheirs]);
    assert_eq!(value(&ours, "APIKey").as_deref(), Some("b"));
    merge(&mut ours, &theirs.vault, Some(Resolve::Theirs)).expect("merged");
    assert!(ours.vault.connector("x").is_err());
}

#[test]
fn deleted_there_and_untouched_here() {
    let (mut ours, mut theirs) = copies();
    delete(&mut theirs, "x");
    assert_eq!(merge(&mut ours, &theirs.vault, None).expect("merged"), []);
    assert!(ours.vault.connector("x").is_err());
}

#[test]
fn one_side_compacted() {
    for ours_compacts in [true, false] {
        let (mut ours, mut theirs) = copies();
        ours.update("x", "APIKey", "b").expect("updated");
        theirs.update("x", "Timeout", "60s").expect("updated");
        let side = if ours_compacts {
            &mut ours
        } else {
            &mut theirs
        };
        let prepared = side
            .vault
            .prepare_compaction(Retention::Newest(10))
            .expect("prepared");
        side.store(prepared).expect("stored");
        assert_eq!(merge(&mut ours, &theirs.vault, None).expect("merged"), []);
        assert_eq!(value(&ours, "APIKey").as_deref(), Some("b"));
        assert_eq!(value(&ours, "Timeout").as_deref(), Some("60s"));
    }
}

#[test]
fn without_a_common_version_each_difference_is_a_conflict() {
    let (mut ours, mut theirs) = copies();
    ours.update("x", "APIKey", "b").expect("updated");
    theirs.update("x", "Timeout", "60s").expect("updated");
    for side in [&mut ours, &mut theirs] {
        let prepared = side.vault.prepare_purge(None).expect("prepared");
        side.store(prepared).expect("stored");
    }
    let conflicts = merge(&mut ours, &theirs.vault, Some(Resolve::Theirs)).expect("merged");
    assert_eq!(conflicts.len(), 2);
    assert_eq!(values(&ours.vault, "x"), values(&theirs.vault, "x"));
}

#[test]
fn merging_twice_changes_nothing_more() {
    let (mut ours, mut theirs) = copies();
    theirs.update("x", "Timeout", "60s").expect("updated");
    theirs.add("y", &[]).expect("added");
    merge(&mut ours, &theirs.vault, None).expect("merged");
    let before = values(&ours.vault, "x");
    merge(&mut ours, &theirs.vault, None).expect("merged");
    assert_eq!(values(&ours.vault, "x"), before);
    assert_eq!(ours.vault.connector("x").expect("there").version.get(), 2);
    assert_eq!(
        ours.vault.connector("y").expect("there").version,
        Version::FIRST
    );
}

#[test]
fn another_vault_does_not_merge() {
    let (mut ours, _) = copies();
    let other = Kept::new(33);
    assert_eq!(
        merge(&mut ours, &other.vault, None)
            .expect_err("another")
            .code(),
        Code::NotMergeable
    );
}
