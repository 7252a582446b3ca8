//! Rights of one group: whoever rotates there writes values and reads none, and nobody gets out of a group.

#![allow(clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use connector_vault::{
    Action, ChangeKind, Code, ConnectorId, Description, Grantee, Identity, MergeOptions,
    NewConnector, Op, Options, Outcome, Plan, PropertyChanges, Result, Retention, Right, Role,
    Secret, Terms, Vault, Verb, Version,
};
use support::{Kept, open, properties, update, values};

/// A vault with the groups `default` and `payments`, and a connector in each: `x` and `p`.
fn two_groups(seed: u64) -> Kept {
    let mut kept = Kept::new(seed);
    let host = &mut kept.fixed.host();
    let prepared = kept.vault.prepare_add_group("payments", host);
    kept.store(prepared.expect("a new name")).expect("its own");
    kept.add("x", &[("APIKey", "s3cret-x")]).expect("a new id");
    let new = NewConnector::new("p", "Name", "Type").group("payments");
    let new = new.with_properties(&properties(&[("APIKey", "s3cret-p"), ("Endpoint", "e")]));
    let plan = kept.vault.plan_create(&new, &Options::default());
    store_plan(&mut kept, plan.expect("a new id"));
    kept
}

fn store_plan(kept: &mut Kept, plan: Plan) {
    let prepared = kept.vault.prepare(plan, &mut kept.fixed.host());
    kept.store(prepared.expect("sealed")).expect("its own");
}

fn grant(kept: &mut Kept, label: &str, terms: impl Into<Terms>) -> Identity {
    let identity = Identity::generate(kept.fixed.host().rng);
    let key = identity.grant_key();
    let host = &mut kept.fixed.host();
    let prepared = kept
        .vault
        .prepare_grant(label, terms, Grantee::Key(&key), host);
    kept.store(prepared.expect("a new label")).expect("its own");
    identity
}

/// Rotates in `payments`, and lists everything.
fn rotation(kept: &mut Kept) -> Identity {
    let rights = [
        Role::Viewer.into(),
        Right::in_group(Role::Rotator, "payments"),
    ];
    grant(kept, "rotation", rights)
}

fn as_member(kept: &Kept, identity: &Identity) -> Vault {
    open(kept.file.clone(), identity, &kept.vault).expect("a member")
}

/// Stores a plan of a member, as a host would, and opens the file anew for its owner.
fn store_of(kept: &mut Kept, mut member: Vault, plan: Plan) -> Outcome {
    let prepared = member.prepare(plan, &mut kept.fixed.host());
    let prepared = prepared.expect("sealed");
    prepared.write().to(&mut kept.file);
    let outcome = member.apply(prepared).expect("its own").remove(0);
    kept.vault = kept.open().expect("every opener takes it");
    outcome
}

fn code<T>(result: Result<T>) -> Code {
    match result {
        Ok(_) => panic!("it is done"),
        Err(error) => error.code(),
    }
}

fn ids(vault: &Vault) -> Vec<String> {
    let overviews = vault.list().map(|overview| overview.expect("sound").id);
    let mut ids: Vec<_> = overviews.map(|id| id.as_str().to_owned()).collect();
    ids.sort_unstable();
    ids
}

fn names(vault: &Vault, id: &str) -> Vec<String> {
    let overview = vault.overview(id).expect("it lists");
    overview
        .properties
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_rotator_of_one_group_lists_all_reads_nothing_and_rotates_there() {
    let mut kept = two_groups(1);
    let identity = rotation(&mut kept);
    let reader = grant(&mut kept, "ann", Role::Reader);
    let member = as_member(&kept, &identity);
    let shown: Vec<_> = member
        .own_rights()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, ["viewer", "rotator:payments"]);
    assert_eq!(ids(&member), ["p", "x"]);
    assert_eq!(names(&member, "p"), ["APIKey", "Endpoint"]);
    assert_eq!(member.history("x").expect("it lists").len(), 1);
    for (verb, id, may) in [
        (Verb::List, "x", true),
        (Verb::List, "p", true),
        (Verb::Update, "p", true),
        (Verb::Update, "x", false),
        (Verb::Read, "p", false),
        (Verb::Read, "x", false),
        (Verb::Create, "y", false),
        (Verb::Delete, "p", false),
        (Verb::Restore, "p", false),
    ] {
        let permits = member.permits(verb, id).expect("a sound page");
        assert_eq!(permits, may, "{verb:?} {id}");
    }

    // By the platform's action, with a token that the host expands.
    let action = Action::parse(&update("p", "APIKey", "[T]")).expect("an action");
    let mut tokens = BTreeMap::from([("T".to_owned(), Secret::new("s3cret-new").expect("short"))]);
    let host = &mut kept.fixed.host();
    let plan = member.plan(&action, &mut tokens, &Options::default(), host);
    let (plans, _) = plan.expect("its right").into_parts();
    let [plan] = <[Plan; 1]>::try_from(plans).expect("one change");
    assert_eq!(plan.op(), Some(Op::Patch));
    let outcome = store_of(&mut kept, member, plan);
    let changes = outcome.changes.iter();
    let changes: Vec<_> = changes
        .map(|change| (change.name.as_str(), change.change))
        .collect();
    assert_eq!(changes, [("APIKey", ChangeKind::Written)]);
    assert!(!format!("{outcome:?}").contains("s3cret"));

    let expected = [("APIKey", "s3cret-new"), ("Endpoint", "e")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for vault in [&kept.vault, &as_member(&kept, &reader)] {
        assert_eq!(values(vault, "p"), BTreeMap::from(expected.clone()));
        let newest = vault.history("p").expect("it lists").remove(1);
        assert_eq!(newest.overview.op, Op::Patch);
        assert_eq!(
            vault.attributed(newest).signed_by.as_deref(),
            Some("rotation")
        );
    }
    // It does not read what it wrote either.
    let member = as_member(&kept, &identity);
    assert_eq!(code(member.read("p")), Code::NotPermitted);
    let verdicts = kept.vault.verify().expect("a log");
    assert!(verdicts.iter().all(|verdict| verdict.problems.is_empty()));
}

#[test]
fn whatever_a_rotator_asks_for_no_value_comes() {
    let mut kept = two_groups(2);
    let identity = rotation(&mut kept);
    let plan =
        as_member(&kept, &identity).plan_update("p", [("APIKey", "s3cret-b")], &Options::default());
    let member = as_member(&kept, &identity);
    store_of(&mut kept, member, plan.expect("its right"));
    let member = as_member(&kept, &identity);
    let options = Options::default();
    let version = |number| Version::new(number).expect("not zero");
    let mut host = kept.fixed.host();
    for (id, newest) in [("x", 1), ("p", 2)] {
        assert_eq!(code(member.read(id)), Code::NotPermitted);
        assert_eq!(code(member.value(id, "APIKey")), Code::NotPermitted);
        assert_eq!(code(member.bad_patches(id)), Code::NotPermitted);
        for number in 1..=newest {
            let read = member.read_version(id, version(number));
            assert_eq!(code(read), Code::NotPermitted);
            let restore = member.plan_restore(id, version(number), &options);
            assert_eq!(code(restore), Code::NotPermitted);
        }
        let delete = member.plan_delete(id, &options);
        assert_eq!(code(delete), Code::NotPermitted);
        let describe = member.plan_describe(id, &Description::new().name("N"), &options);
        assert_eq!(code(describe), Code::NotPermitted);
    }
    let differs = member.diff("p", version(1), version(2));
    assert_eq!(code(differs), Code::NotPermitted);
    let elsewhere = member.plan_update("x", [("APIKey", "b")], &options);
    assert_eq!(code(elsewhere), Code::NotPermitted);
    assert_eq!(
        code(member.plan_move("p", "default", &options)),
        Code::NotPermitted
    );
    let new = |group: &str| {
        let new = NewConnector::new("y", "N", "T").group(group);
        member.plan_create(&new, &Options::default())
    };
    for group in ["default", "payments"] {
        assert_eq!(code(new(group)), Code::NotPermitted);
    }
    let compaction = member.prepare_compaction(Retention::Automatic, &mut host);
    assert_eq!(code(compaction), Code::NotPermitted);
    assert_eq!(
        code(member.prepare_purge(None, &mut host)),
        Code::NotPermitted
    );
    let more = member.prepare_rights("rotation", Role::Reader, &mut host, &mut |_, _| {});
    assert_eq!(code(more), Code::NotPermitted);
    // A merge compares values.
    let copy = member.open_copy(kept.file.clone()).expect("the same");
    let merge = member.plan_merge(&copy, MergeOptions::default(), &host.now);
    assert!(merge.expect("nothing to compare").plans().is_empty());
    // Whether a value is the one that it guesses.
    let plan = |value: &str| member.plan_update("p", [("APIKey", value)], &options);
    let outcomes = ["s3cret-b", "guessed"].map(|value| plan(value).expect("its right").outcome());
    let [right, wrong] = outcomes.map(|outcome| format!("{outcome:?}"));
    assert_eq!(right, wrong);
    assert!(!format!("{member:?}").contains("s3cret"));
}

#[test]
fn a_rotator_who_is_revoked_leaves_its_values_and_writes_no_more() {
    let mut kept = two_groups(3);
    let identity = rotation(&mut kept);
    let member = as_member(&kept, &identity);
    let changes = PropertyChanges::new()
        .set("APIKey", "s3cret-b")
        .remove("Endpoint");
    let plan = member.plan_update("p", changes, &Options::default());
    store_of(&mut kept, member, plan.expect("its right"));
    let old = kept.file.clone();
    let host = &mut kept.fixed.host();
    let revoked = kept
        .vault
        .prepare_revoke("rotation", host, &mut |_, _| {})
        .expect("an owner");
    // It could read none of them, and knows what it wrote.
    let exposed: Vec<_> = revoked.exposed.iter().map(ConnectorId::as_str).collect();
    assert_eq!(exposed, ["p"]);
    kept.store(revoked.prepared).expect("its own");
    let rotated = BTreeMap::from([("APIKey".to_owned(), "s3cret-b".to_owned())]);
    assert_eq!(values(&kept.vault, "p"), rotated);
    assert!(open(kept.file.clone(), &identity, &kept.vault).is_err());
    let former = open(old, &identity, &kept.vault);
    assert_eq!(
        code(former.expect("an old copy").read("p")),
        Code::NotPermitted
    );
    // A group goes with the versions of its rotators.
    let plan = kept.vault.plan_move("p", "default", &Options::default());
    store_plan(&mut kept, plan.expect("an owner"));
    let host = &mut kept.fixed.host();
    let removal = kept
        .vault
        .prepare_remove_group("payments", None, host, &mut |_, _| {});
    kept.store(removal.expect("it is empty").prepared)
        .expect("its own");
    assert_eq!(values(&kept.vault, "p"), rotated);
    assert_eq!(kept.vault.history("p").expect("it lists").len(), 1);
}

#[test]
fn a_renewed_rotator_rotates_and_its_former_patches_stay() {
    let mut kept = two_groups(4);
    let former = rotation(&mut kept);
    let member = as_member(&kept, &former);
    let plan = member.plan_update("p", [("APIKey", "s3cret-b")], &Options::default());
    store_of(&mut kept, member, plan.expect("its right"));
    let identity = Identity::generate(kept.fixed.host().rng);
    let key = identity.grant_key();
    let host = &mut kept.fixed.host();
    let renewed = kept
        .vault
        .prepare_renew("rotation", Grantee::Key(&key), host, &mut |_, _| {});
    kept.store(renewed.expect("an owner").prepared)
        .expect("its own");
    assert!(open(kept.file.clone(), &former, &kept.vault).is_err());
    let member = as_member(&kept, &identity);
    let plan = member.plan_update("p", [("Endpoint", "f")], &Options::default());
    store_of(&mut kept, member, plan.expect("its right"));
    let expected = [("APIKey", "s3cret-b"), ("Endpoint", "f")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(values(&kept.vault, "p"), BTreeMap::from(expected));
}

/// A group that is made later has rotators from its first day, if one rotates in all groups.
#[test]
fn a_rotator_of_all_groups_rotates_in_a_new_one() {
    let mut kept = two_groups(5);
    let identity = grant(&mut kept, "rotation", Role::Rotator);
    let host = &mut kept.fixed.host();
    let prepared = kept.vault.prepare_add_group("third", host);
    kept.store(prepared.expect("a new name")).expect("its own");
    let plan = kept
        .vault
        .plan_move("p", "third", &Options::default())
        .expect("an owner");
    store_plan(&mut kept, plan);
    for id in ["p", "x"] {
        let member = as_member(&kept, &identity);
        let plan = member.plan_update(id, [("APIKey", "s3cret-b")], &Options::default());
        store_of(&mut kept, member, plan.expect("its right"));
        assert_eq!(values(&kept.vault, id)["APIKey"], "s3cret-b");
    }
}

#[test]
fn who_reads_and_rotates_in_one_group_writes_there() {
    let mut kept = two_groups(6);
    let rights = [
        Role::Reader.into(),
        Right::in_group(Role::Rotator, "payments"),
    ];
    let identity = grant(&mut kept, "both", rights);
    let member = as_member(&kept, &identity);
    let elsewhere = member.plan_update("x", [("APIKey", "b")], &Options::default());
    assert_eq!(code(elsewhere), Code::NotPermitted);
    let plan = member.plan_update("p", [("APIKey", "s3cret-b")], &Options::default());
    let plan = plan.expect("its right");
    assert_eq!(plan.op(), Some(Op::Update));
    store_of(&mut kept, member, plan);
    assert_eq!(values(&kept.vault, "p")["APIKey"], "s3cret-b");
    assert_eq!(values(&as_member(&kept, &identity), "p")["Endpoint"], "e");
}

/// A patch is taken over from another copy only where one could be written here.
#[test]
fn a_merge_judges_a_patch_by_the_rights_of_ours() {
    let mut kept = two_groups(8);
    let identity = rotation(&mut kept);
    let ours = kept.file.clone();
    let member = as_member(&kept, &identity);
    let plan = member.plan_update("p", [("APIKey", "s3cret-b")], &Options::default());
    store_of(&mut kept, member, plan.expect("its right"));
    let theirs = std::mem::replace(&mut kept.file, ours);
    kept.vault = kept.open().expect("as before");

    // Whoever reads no value compares none.
    let member = as_member(&kept, &identity);
    let copy = member.open_copy(theirs.clone()).expect("the same vault");
    let now = kept.fixed.host().now;
    let merge = member.plan_merge(&copy, MergeOptions::default(), &now);
    assert_eq!(code(merge), Code::NotPermitted);

    for (rights, strangers) in [(Role::Rotator, 0), (Role::Updater, 1)] {
        let host = &mut kept.fixed.host();
        let changed = kept
            .vault
            .prepare_rights("rotation", rights, host, &mut |_, _| {});
        kept.store(changed.expect("an owner").prepared)
            .expect("its own");
        let copy = kept.vault.open_copy(theirs.clone());
        let copy = copy.expect("the same vault");
        let merge = kept.vault.plan_merge(&copy, MergeOptions::default(), &now);
        let merge = merge.expect("an owner reads");
        assert_eq!(merge.strangers.len(), strangers, "{rights}");
        assert_eq!(merge.plans().len(), 1);
    }
}

#[test]
fn an_editor_of_one_group_creates_and_deletes_there_alone() {
    let mut kept = two_groups(7);
    let identity = grant(&mut kept, "ed", Right::in_group(Role::Editor, "payments"));
    let member = as_member(&kept, &identity);
    assert_eq!(ids(&member), ["p"]);
    let options = Options::default();
    for refused in [
        code(member.read("x")),
        code(member.overview("x")),
        code(member.history("x")),
        code(member.plan_update("x", [("APIKey", "b")], &options)),
        code(member.plan_delete("x", &options)),
        code(member.plan_move("x", "payments", &options)),
        code(member.plan_move("p", "default", &options)),
        code(member.plan_create(&NewConnector::new("y", "N", "T"), &options)),
    ] {
        assert_eq!(refused, Code::NotPermitted);
    }
    // It hears that an id is taken, and nothing more of it.
    let new = |id: &str| NewConnector::new(id, "N", "T").group("payments");
    let taken = member.plan_create(&new("x"), &options);
    assert_eq!(code(taken), Code::ConnectorExists);
    let plan = member.plan_create(&new("y"), &options);
    store_of(&mut kept, member, plan.expect("its right"));
    let member = as_member(&kept, &identity);
    assert_eq!(ids(&member), ["p", "y"]);
    let plan = member.plan_delete("p", &options);
    store_of(&mut kept, member, plan.expect("its right"));
    assert_eq!(ids(&kept.vault), ["x", "y"]);
}
