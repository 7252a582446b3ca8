//! Groups, rights in them, and renewed grants: what a member of one group can do, and what owners change.

#![allow(clippy::panic, reason = "a test fails by panicking")]

mod support;

use connector_vault::{
    Answer, Ask, Code, Cost, ExternalKey, Grantee, GroupInfo, Identity, NewConnector, OpenOptions,
    Options, Outcome, Passphrase, Prepared, RequestId, Result, Retention, Right, Role, Secret,
    Session, Terms, Timestamp, Unlock, Vault, Verb,
};
use support::{Kept, open, properties, update};

/// A vault with the groups `default` and `payments`, and a connector in each: `x` and `p`.
fn two_groups(seed: u64) -> Kept {
    let mut kept = Kept::new(seed);
    add_group(&mut kept, "payments").expect("a new group");
    kept.add("x", &[("APIKey", "a")]).expect("a new id");
    add_in(&mut kept, "payments", "p").expect("a new id");
    kept
}

fn add_group(kept: &mut Kept, name: &str) -> Result<()> {
    let prepared = kept.vault.prepare_add_group(name, &mut kept.fixed.host())?;
    kept.store(prepared).map(drop)
}

fn add_in(kept: &mut Kept, group: &str, id: &str) -> Result<Outcome> {
    let new = NewConnector::new(id, "Name", "Type").group(group);
    let new = new.with_properties(&properties(&[("APIKey", "secret")]));
    let plan = kept.vault.plan_create(&new, &Options::default())?;
    let prepared = kept.vault.prepare(plan, &mut kept.fixed.host())?;
    Ok(kept.store(prepared)?.remove(0))
}

/// Grants something to a new identity.
fn grant(kept: &mut Kept, label: &str, terms: impl Into<Terms>) -> Result<Identity> {
    let identity = Identity::generate(kept.fixed.host().rng);
    let key = identity.grant_key();
    let host = &mut kept.fixed.host();
    let prepared = kept
        .vault
        .prepare_grant(label, terms, Grantee::Key(&key), host)?;
    kept.store(prepared)?;
    Ok(identity)
}

fn set_rights(kept: &mut Kept, label: &str, terms: impl Into<Terms>) -> Result<Vec<String>> {
    let host = &mut kept.fixed.host();
    let changed = kept
        .vault
        .prepare_rights(label, terms, host, &mut |_, _| {})?;
    let exposed = changed.exposed.iter().map(|id| id.as_str().to_owned());
    let exposed = exposed.collect();
    kept.store(changed.prepared)?;
    Ok(exposed)
}

fn as_member(kept: &Kept, identity: &Identity) -> Vault {
    open(kept.file.clone(), identity, &kept.vault).expect("a member")
}

fn ids(vault: &Vault) -> Vec<String> {
    let overviews = vault.list().map(|overview| overview.expect("sound").id);
    let mut ids: Vec<_> = overviews.map(|id| id.as_str().to_owned()).collect();
    ids.sort_unstable();
    ids
}

fn code<T>(result: Result<T>) -> Code {
    match result {
        Ok(_) => panic!("it is done"),
        Err(error) => error.code(),
    }
}

fn names(vault: &Vault) -> Vec<(Option<String>, usize)> {
    let groups = vault.groups().expect("sound pages").into_iter();
    let shown = |group: GroupInfo| (group.name, group.connectors);
    groups.map(shown).collect()
}

#[test]
fn groups_are_added_and_renamed() {
    let mut kept = two_groups(1);
    let name = |name: &str| Some(name.to_owned());
    let both = [(name("default"), 1), (name("payments"), 1)];
    assert_eq!(names(&kept.vault), both);
    assert_eq!(names(&kept.open().expect("its own")), both);
    for taken in ["payments", "default"] {
        assert_eq!(code(add_group(&mut kept, taken)), Code::GroupExists);
    }
    for bad in ["", "*", "a\nb", &"a".repeat(129)] {
        assert_eq!(code(add_group(&mut kept, bad)), Code::InvalidArgument);
    }
    let mut rename = |old: &str, new: &str| {
        let host = &mut kept.fixed.host();
        let prepared = kept.vault.prepare_rename_group(old, new, host)?;
        kept.store(prepared)
    };
    assert_eq!(code(rename("default", "d")), Code::InvalidArgument);
    assert_eq!(code(rename("other", "d")), Code::GroupNotFound);
    assert_eq!(code(rename("payments", "default")), Code::GroupExists);
    // A name is found in each of its forms, and kept in normal form.
    rename("payments", "Zahlungen \u{41}\u{308}").expect("a free name");
    rename("Zahlungen \u{c4}", "Zahlungen \u{c4}").expect("its own name");
    let renamed = [(name("default"), 1), (name("Zahlungen \u{c4}"), 1)];
    assert_eq!(names(&kept.vault), renamed);
    assert_eq!(kept.vault.head().epoch, 1);
    let group = kept.vault.overview("p").expect("it is there").group;
    assert_eq!(kept.vault.group_name(group), Some("Zahlungen \u{c4}"));
}

#[test]
fn a_member_of_one_group_is_none_elsewhere() {
    let mut kept = two_groups(3);
    let rights = Right::in_group(Role::Updater, "payments");
    let identity = grant(&mut kept, "rotation", rights).expect("a free label");
    let mut vault = as_member(&kept, &identity);
    assert_eq!(ids(&vault), ["p"]);
    assert_eq!(names(&vault), [(None, 1), (Some("payments".to_owned()), 1)]);
    assert_eq!(code(vault.read("x")), Code::NotPermitted);
    assert_eq!(code(vault.overview("x")), Code::NotPermitted);
    assert_eq!(code(vault.history("x")), Code::NotPermitted);
    let options = Options::default();
    let to_x = vault.plan_update("x", [("APIKey", "b")], &options);
    assert_eq!(code(to_x), Code::NotPermitted);
    assert_eq!(code(vault.plan_delete("x", &options)), Code::NotPermitted);
    let create = |id: &str, group: &str| {
        let new = NewConnector::new(id, "N", "T").group(group);
        vault.plan_create(&new, &Options::default())
    };
    assert_eq!(code(create("y", "payments")), Code::NotPermitted);
    assert_eq!(code(create("y", "default")), Code::NotPermitted);
    assert_eq!(code(create("y", "elsewhere")), Code::GroupNotFound);
    for (verb, id, may) in [
        (Verb::List, "x", false),
        (Verb::Read, "x", false),
        (Verb::Update, "x", false),
        (Verb::Update, "p", true),
        (Verb::Delete, "p", false),
        (Verb::Create, "y", false),
    ] {
        assert_eq!(
            vault.permits(verb, id).expect("a sound page"),
            may,
            "{verb:?} {id}"
        );
    }
    let plan = vault.plan_update("p", [("APIKey", "b")], &options);
    let host = &mut kept.fixed.host();
    let prepared = vault
        .prepare(plan.expect("its right"), host)
        .expect("sealed");
    prepared.write().to(&mut kept.file);
    vault.apply(prepared).expect("its own");
    let owner = kept.open().expect("every opener takes it");
    assert_eq!(owner.read("p").expect("a value").version.get(), 2);
}

#[test]
fn who_manages_one_group_hears_that_an_id_is_taken() {
    // Only an owner creates until there are editors, and an owner lists all groups.
    let mut kept = two_groups(4);
    assert_eq!(
        code(add_in(&mut kept, "payments", "x")),
        Code::ConnectorExists
    );
    assert_eq!(
        code(add_in(&mut kept, "default", "p")),
        Code::ConnectorExists
    );
}

#[test]
fn a_viewer_of_all_groups_reads_in_one() {
    let mut kept = two_groups(5);
    let rights = [
        Role::Viewer.into(),
        Right::in_group(Role::Reader, "payments"),
    ];
    let identity = grant(&mut kept, "ann", rights).expect("a free label");
    let vault = as_member(&kept, &identity);
    assert_eq!(ids(&vault), ["p", "x"]);
    assert_eq!(code(vault.read("x")), Code::NotPermitted);
    let value = vault.value("p", "APIKey").expect("it reads there");
    assert_eq!(value.expect("it is there").expose(), "secret");
    let shown: Vec<_> = vault.own_rights().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["viewer", "reader:payments"]);
    // A new group needs no new bundle for the right in all groups.
    add_group(&mut kept, "third").expect("a free name");
    add_in(&mut kept, "third", "t").expect("a free id");
    let vault = as_member(&kept, &identity);
    assert_eq!(ids(&vault), ["p", "t", "x"]);
    assert_eq!(code(vault.read("t")), Code::NotPermitted);
}

#[test]
fn rights_that_no_grant_has_are_refused() {
    let mut kept = two_groups(6);
    let in_payments = |role| Right::in_group(role, "payments");
    let too_many: Vec<Right> = (0..17)
        .map(|number| Right::in_group(Role::Viewer, format!("g{number}")))
        .collect();
    for (rights, expected) in [
        (vec![], Code::InvalidArgument),
        (
            vec![in_payments(Role::Viewer), in_payments(Role::Reader)],
            Code::InvalidArgument,
        ),
        (
            vec![Role::Viewer.into(), Role::Reader.into()],
            Code::InvalidArgument,
        ),
        (vec![in_payments(Role::Owner)], Code::InvalidArgument),
        (
            vec![Role::Owner.into(), in_payments(Role::Viewer)],
            Code::InvalidArgument,
        ),
        (
            vec![Right::in_group(Role::Viewer, "elsewhere")],
            Code::GroupNotFound,
        ),
        (too_many, Code::LimitExceeded),
    ] {
        let refused = grant(&mut kept, "ci", rights.clone());
        assert_eq!(
            refused.map(drop).map_err(|error| error.code()),
            Err(expected),
            "{rights:?}"
        );
    }
    assert_eq!(
        code(grant(&mut kept, "ci", Terms::same())),
        Code::InvalidArgument
    );
    assert_eq!(
        code(set_rights(&mut kept, "ops", Role::Viewer)),
        Code::LastOwner
    );
    assert_eq!(
        code(set_rights(&mut kept, "ci", Role::Viewer)),
        Code::GrantNotFound
    );
    let identity = grant(&mut kept, "ci", Role::Updater).expect("a right");
    let member = as_member(&kept, &identity);
    let host = &mut kept.fixed.host();
    assert_eq!(
        code(member.prepare_add_group("g", host)),
        Code::NotPermitted
    );
    let raise = member.prepare_rights("ci", Role::Owner, host, &mut |_, _| {});
    assert_eq!(code(raise), Code::NotPermitted);
    let renew = Grantee::Identity(&identity);
    let renew = member.prepare_renew("ci", renew, host, &mut |_, _| {});
    assert_eq!(code(renew), Code::NotPermitted);
    let removal = member.prepare_remove_group("payments", None, host, &mut |_, _| {});
    assert_eq!(code(removal), Code::NotPermitted);
}

#[test]
fn more_rights_keep_the_keys_and_less_change_them() {
    let mut kept = two_groups(7);
    let in_payments = |role| Right::in_group(role, "payments");
    let identity = grant(&mut kept, "ci", in_payments(Role::Reader)).expect("a right");
    let more = [Role::Viewer.into(), in_payments(Role::Updater)];
    assert!(set_rights(&mut kept, "ci", more).expect("more").is_empty());
    assert_eq!(kept.vault.head().epoch, 1);
    let mut member = as_member(&kept, &identity);
    let plan = member.plan_update("p", [("APIKey", "b")], &Options::default());
    let host = &mut kept.fixed.host();
    let prepared = member
        .prepare(plan.expect("its right"), host)
        .expect("sealed");
    kept.store(prepared).expect("on its head");
    let signed = |vault: &Vault| vault.history("p").expect("it is there");
    let before = signed(&kept.vault);
    assert_eq!(before[1].signed_by, Some(before[1].overview.author));

    let less = set_rights(&mut kept, "ci", in_payments(Role::Viewer)).expect("less");
    assert_eq!(less, ["p"]);
    assert_eq!(kept.vault.head().epoch, 2);
    assert_eq!(signed(&kept.vault), before);
    assert_eq!(signed(&kept.open().expect("its own")), before);
    member = as_member(&kept, &identity);
    assert_eq!(ids(&member), ["p"]);
    assert_eq!(code(member.read("p")), Code::NotPermitted);
    let verdicts = kept.vault.verify().expect("a walk");
    assert!(verdicts.iter().all(|verdict| verdict.problems.is_empty()));
}

#[test]
fn a_grant_has_a_date_to_be_reminded_of() {
    let mut kept = two_groups(8);
    let date = |text: &str| Timestamp::new(text).expect("a time");
    let until = |kept: &Kept, label: &str| {
        let mut grants = kept.vault.grants();
        grants
            .find(|grant| grant.label == label)
            .expect("a grant")
            .until
    };
    let terms = Terms::from(Role::Reader).until(date("2027-01-31T00:00:00.000Z"));
    let identity = grant(&mut kept, "ci", terms).expect("a right");
    assert_eq!(
        until(&kept, "ci").as_deref(),
        Some("2027-01-31T00:00:00.000Z")
    );
    // It is a reminder: the grant opens the vault whatever the clock says.
    assert_eq!(ids(&as_member(&kept, &identity)), ["p", "x"]);
    set_rights(&mut kept, "ci", Role::Updater).expect("more");
    assert!(until(&kept, "ci").is_some());
    set_rights(&mut kept, "ci", Terms::same().without_until()).expect("no date");
    assert_eq!(until(&kept, "ci"), None);
    // Of the own grant too, whose rights nobody changes.
    let later = Terms::same().until(date("2028-01-31T00:00:00.000Z"));
    set_rights(&mut kept, "ops", later).expect("a date");
    assert!(until(&kept, "ops").is_some());
    assert_eq!(kept.vault.head().epoch, 1);
}

fn remove(kept: &mut Kept, name: &str, to: Option<&str>) -> Result<(Vec<String>, Vec<String>)> {
    let host = &mut kept.fixed.host();
    let removal = kept
        .vault
        .prepare_remove_group(name, to, host, &mut |_, _| {})?;
    let connectors = removal.connectors.iter().map(|id| id.as_str().to_owned());
    let told = (connectors.collect(), removal.revoked);
    kept.store(removal.prepared)?;
    Ok(told)
}

fn delete(kept: &mut Kept, id: &str) {
    let plan = kept.vault.plan_delete(id, &Options::default());
    let host = &mut kept.fixed.host();
    let prepared = kept.vault.prepare(plan.expect("a connector"), host);
    kept.store(prepared.expect("sealed")).expect("on its head");
}

#[test]
fn a_group_goes_when_no_connector_is_in_it() {
    let mut kept = two_groups(9);
    assert_eq!(
        code(remove(&mut kept, "default", None)),
        Code::InvalidArgument
    );
    assert_eq!(code(remove(&mut kept, "other", None)), Code::GroupNotFound);
    assert_eq!(
        code(remove(&mut kept, "payments", None)),
        Code::GroupNotEmpty
    );
    delete(&mut kept, "p");
    // Its id stays deleted, and somebody has to say where.
    assert_eq!(
        code(remove(&mut kept, "payments", None)),
        Code::GroupNotEmpty
    );
    let to_itself = remove(&mut kept, "payments", Some("payments"));
    assert_eq!(code(to_itself), Code::InvalidArgument);
    let told = remove(&mut kept, "payments", Some("default")).expect("it is empty");
    assert_eq!(told, (vec!["p".to_owned()], vec![]));
    assert_eq!(kept.vault.head().epoch, 1);
    assert_eq!(names(&kept.vault), [(Some("default".to_owned()), 1)]);
    let history = kept.vault.history("p").expect("the delete stays");
    let versions: Vec<_> = history
        .iter()
        .map(|one| one.overview.version.get())
        .collect();
    assert_eq!(versions, [3]);
    // No number is used again, and the id goes on behind its delete.
    add_group(&mut kept, "payments").expect("the name is free");
    let outcome = add_in(&mut kept, "payments", "p").expect("it is deleted");
    assert_eq!(outcome.version_after.get(), 4);
    let verdicts = kept.open().expect("its own").verify().expect("a walk");
    assert!(verdicts.iter().all(|verdict| verdict.problems.is_empty()));
}

#[test]
fn rights_in_a_group_go_with_it() {
    let mut kept = two_groups(10);
    let in_payments = |role| Right::in_group(role, "payments");
    let mixed = [
        Right::in_group(Role::Reader, "default"),
        in_payments(Role::Updater),
    ];
    let mixed = grant(&mut kept, "mixed", mixed).expect("a right");
    let alone = grant(&mut kept, "alone", in_payments(Role::Reader)).expect("a right");
    delete(&mut kept, "p");
    kept.update("x", "APIKey", "b").expect("a value");
    let before = kept.vault.history("x").expect("it is there");
    let (_, revoked) = remove(&mut kept, "payments", Some("default")).expect("it is empty");
    assert_eq!(revoked, ["alone"]);
    assert_eq!(kept.vault.head().epoch, 2);
    assert_eq!(kept.vault.history("x").expect("it is there"), before);
    let refused = open(kept.file.clone(), &alone, &kept.vault);
    assert_eq!(code(refused), Code::WrongIdentity);
    let vault = as_member(&kept, &mixed);
    assert_eq!(ids(&vault), ["x"]);
    let shown: Vec<_> = vault.own_rights().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["reader:default"]);
    assert_eq!(vault.history("p").expect("the delete stays").len(), 1);
}

#[test]
fn a_plan_for_a_group_that_went_is_a_conflict() {
    let mut kept = two_groups(11);
    add_group(&mut kept, "third").expect("a free name");
    let new = NewConnector::new("t", "N", "T").group("third");
    let plan = kept
        .vault
        .plan_create(&new, &Options::default())
        .expect("a plan");
    remove(&mut kept, "third", None).expect("it is empty");
    let prepared = kept.vault.prepare(plan, &mut kept.fixed.host());
    assert_eq!(code(prepared), Code::Conflict);
}

#[test]
fn actions_create_in_a_group() {
    let mut kept = two_groups(12);
    let add = r#"{"ActionType": "CredStore.AddConnectorEntry", "Parameters": {"TypeName": "T", "EntryName": "N"}}"#;
    let in_group = |group: &str| Options {
        group: Some(group.to_owned()),
        request_id: Some(RequestId::new("r").expect("short")),
        ..Options::default()
    };
    let created = kept.run(add, &in_group("payments")).expect("a right");
    let group = kept.vault.overview(&created.id).expect("it is there").group;
    assert_eq!(kept.vault.group_name(group), Some("payments"));
    let again = kept
        .run(add, &in_group("payments"))
        .expect("the same request");
    assert!(again.replayed);
    // The group is a part of the request, as far as it is not `default`.
    assert_eq!(
        code(kept.run(add, &in_group("default"))),
        Code::RequestIdReused
    );
    assert_eq!(
        code(kept.run(add, &in_group("elsewhere"))),
        Code::GroupNotFound
    );
    let options = Options {
        group: Some("payments".to_owned()),
        ..Options::default()
    };
    let action = update("x", "APIKey", "b");
    assert_eq!(code(kept.run(&action, &options)), Code::InvalidArgument);
    let batch = format!(
        r#"{{"ActionType": "ExecuteActions", "Parameters": {{"ActionList": [{action}, {add}]}}}}"#
    );
    let mut tokens = std::collections::BTreeMap::<String, Secret>::new();
    kept.run_with(&batch, &mut tokens, &options)
        .expect("a batch may create");
    assert_eq!(names(&kept.vault)[1].1, 3);
}

// New identities

fn renew(kept: &mut Kept, label: &str, to: Grantee<'_>) -> Result<Prepared> {
    let host = &mut kept.fixed.host();
    let renewed = kept.vault.prepare_renew(label, to, host, &mut |_, _| {})?;
    Ok(renewed.prepared)
}

#[test]
fn the_own_grant_gets_a_new_identity() {
    let mut kept = two_groups(13);
    let former = kept.identity.clone();
    let (seq, before) = (
        kept.vault.head().seq,
        kept.vault.history("p").expect("there"),
    );
    let key = Identity::generate(kept.fixed.host().rng).grant_key();
    let refused = renew(&mut kept, "ops", Grantee::Key(&key));
    assert_eq!(code(refused), Code::InvalidArgument);
    let own = renew(&mut kept, "ops", Grantee::Identity(&former));
    assert_eq!(code(own), Code::GrantExists);

    let new = Identity::generate(kept.fixed.host().rng);
    let known = kept.vault.known_head();
    let prepared = renew(&mut kept, "ops", Grantee::Identity(&new)).expect("an owner");
    kept.store(prepared).expect("open by the new identity");
    assert_eq!(
        (kept.vault.head().epoch, kept.vault.head().seq),
        (2, seq + 1)
    );
    assert_eq!(kept.vault.label(), "ops");
    assert_eq!(kept.vault.history("p").expect("there"), before);
    let refused = open(kept.file.clone(), &former, &kept.vault);
    assert_eq!(code(refused), Code::WrongIdentity);
    // Whoever knew the vault goes on through the handover.
    let options = OpenOptions {
        known: Some(known),
        ..OpenOptions::default()
    };
    Vault::open(kept.file.clone(), Unlock::Identity(&new), &options).expect("grown");
    kept.identity = new;
    kept.update("p", "APIKey", "b").expect("it writes on");
    let history = kept.vault.history("p").expect("there");
    let authors: Vec<_> = history
        .iter()
        .map(|one| kept.vault.label_of(one.signed_by.expect("signed")))
        .collect();
    assert_eq!(authors, [Some("ops"), Some("ops")]);
    assert_ne!(history[0].signed_by, history[1].signed_by);
    // A former key is granted to nobody.
    let again = renew(&mut kept, "ops", Grantee::Identity(&former));
    assert_eq!(code(again), Code::InvalidGrantKey);
}

#[test]
fn the_own_grant_gets_a_new_passphrase_or_external_key() {
    let mut kept = two_groups(14);
    let passphrase = Passphrase::new("correct horse battery staple").expect("long");
    let to = Grantee::Passphrase(&passphrase, Cost::MIN);
    let prepared = renew(&mut kept, "ops", to).expect("an owner");
    kept.store(prepared).expect("open");
    let options = OpenOptions::default();
    let by_passphrase = Unlock::Passphrase(&passphrase);
    Vault::open(kept.file.clone(), by_passphrase, &options).expect("its passphrase");
    let key = ExternalKey::from_bytes(&[7; 32]).expect("32 bytes");
    let to = Grantee::ExternalKey(&key, b"hint");
    let prepared = renew(&mut kept, "ops", to).expect("an owner");
    kept.store(prepared).expect("open");
    Vault::open(kept.file.clone(), Unlock::Key(&key), &options).expect("its key");
    // The key slots of the former identity went with it.
    let refused = Vault::open(kept.file.clone(), by_passphrase, &options);
    assert_eq!(code(refused), Code::NoKeySlot);
    kept.update("x", "APIKey", "b").expect("it writes on");
}

#[test]
fn another_grant_gets_a_new_identity() {
    let mut kept = two_groups(15);
    let terms = Terms::from(Right::in_group(Role::Updater, "payments"));
    let terms = terms.until(Timestamp::new("2027-01-31T00:00:00.000Z").expect("a time"));
    let former = grant(&mut kept, "ci", terms).expect("a right");
    let info = |kept: &Kept| kept.vault.grants().nth(1).expect("a grant");
    let before = info(&kept);
    let new = Identity::generate(kept.fixed.host().rng);
    let key = new.grant_key();
    let prepared = renew(&mut kept, "ci", Grantee::Key(&key)).expect("an owner");
    kept.store(prepared).expect("open by its own identity");
    let after = info(&kept);
    assert_eq!(
        (&after.label, &after.rights, &after.until),
        (&before.label, &before.rights, &before.until)
    );
    assert_ne!(after.id, before.id);
    assert_eq!(ids(&as_member(&kept, &new)), ["p"]);
    let refused = open(kept.file.clone(), &former, &kept.vault);
    assert_eq!(code(refused), Code::WrongIdentity);
    assert_eq!(
        code(renew(&mut kept, "nobody", Grantee::Key(&key))),
        Code::GrantNotFound
    );
}

/// A storage that stores a renewal and loses the answer, and one that loses both.
#[test]
fn a_renewal_whose_answer_got_lost_is_found_again() {
    for is_stored in [true, false] {
        let mut kept = two_groups(16);
        let new = Identity::generate(kept.fixed.host().rng);
        let mut session = Session::new(Some(kept.vault.known_head()));
        let Kept {
            vault, file, fixed, ..
        } = &mut kept;
        let mut lost = 0;
        let mut ask = session.write(vault);
        loop {
            let answer = match ask {
                Ask::CatchUp(_) if lost == 0 => Answer::Same,
                Ask::CatchUp(_) => Answer::Replaced(file.clone().into()),
                Ask::Prepare => {
                    let to = Grantee::Identity(&new);
                    let host = &mut fixed.host();
                    let renewed = vault.prepare_renew("ops", to, host, &mut |_, _| {});
                    Answer::Prepared(renewed.expect("an owner").prepared)
                }
                Ask::Replace(bytes, _) => {
                    lost += 1;
                    if is_stored || lost == 2 {
                        bytes.clone_into(file);
                    }
                    match lost {
                        1 => Answer::Unsure,
                        _ => Answer::Stored,
                    }
                }
                Ask::Remember { .. } => Answer::Remembered,
                Ask::MayCompact => Answer::MayCompact(false),
                Ask::Done(_) => break,
                other => panic!("{other:?}"),
            };
            ask = session.next(vault, answer).expect("in turn");
        }
        assert_eq!(lost, if is_stored { 1 } else { 2 });
        assert_eq!(vault.head().epoch, 2);
        assert_eq!(
            ids(&open(file.clone(), &new, vault).expect("renewed")),
            ["p", "x"]
        );
        kept.add("y", &[]).expect("it writes on");
    }
}

#[test]
fn compaction_keeps_groups_and_what_was_said_of_them() {
    let mut kept = two_groups(17);
    kept.update("p", "APIKey", "b").expect("a value");
    let host = &mut kept.fixed.host();
    let prepared = kept.vault.prepare_compaction(Retention::Newest(1), host);
    kept.store(prepared.expect("an owner"))
        .expect("on its head");
    let groups = kept.vault.groups().expect("sound pages");
    assert_eq!(groups[1].name.as_deref(), Some("payments"));
    assert_eq!(groups[1].connectors, 1);
    assert_eq!(groups[1].grants, ["ops"]);
}
