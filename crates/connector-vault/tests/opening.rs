//! Opening in steps: what a step wants and does, and how much of a file is read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::collections::BTreeSet;

use connector_vault::source::Memory;
use connector_vault::{
    Code, Cost, Derivation, Error, Grantee, Identity, KnownHead, NewConnector, NewOwner,
    OpenOptions, Opening, Options, Passphrase, RepairOptions, Result, Retention, Role, Step,
    Stretched, Unlock, Vault, limits,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use support::remote::Remote;
use support::{Fixed, Kept, properties};

/// How an opening went.
#[derive(Default)]
struct Course {
    /// Names of the steps.
    steps: Vec<&'static str>,
    /// What `More` reported.
    done: Vec<u64>,
}

/// Takes all steps, and fetches what is wanted.
fn drive(mut opening: Opening<Remote>, remote: &Remote) -> (Course, Result<Vault<Remote>>) {
    let mut course = Course::default();
    let opened = loop {
        let name = match opening.step() {
            Err(error) => break Err(error),
            Ok(Step::Done(vault)) => break Ok(vault),
            Ok(Step::Need(missing)) => {
                assert!(remote.fetch(&missing), "fetched twice");
                "need"
            }
            Ok(Step::Identified(_)) => "identified",
            Ok(Step::More { done, of }) => {
                assert!(done <= of);
                course.done.push(done);
                "more"
            }
            Ok(step) => panic!("{step:?}"),
        };
        course.steps.push(name);
    };
    (course, opened)
}

fn options(vault: &Vault) -> OpenOptions {
    OpenOptions {
        vault_id: Some(vault.id()),
        ..OpenOptions::default()
    }
}

/// Opens a file, of which the bytes are fetched that are wanted.
fn fetched(kept: &Kept) -> (Course, Remote, Vault<Remote>) {
    let remote = Remote::new(kept.file.clone());
    let unlock = Unlock::Identity(&kept.identity);
    let opening = Opening::new(remote.clone(), unlock, options(&kept.vault));
    let (course, vault) = drive(opening, &remote);
    (course, remote, vault.expect("sound"))
}

/// A vault with so many connectors in its snapshot.
fn many(count: usize) -> Kept {
    let mut kept = Kept::new(3);
    for from in (0..count).step_by(1000) {
        let plans = (from..count.min(from + 1000)).map(|number| {
            let new = NewConnector::new(format!("c{number:05}"), "Name", "Type")
                .with_properties(&properties(&[("APIKey", "value")]));
            kept.vault.plan_create(&new, &Options::default())
        });
        let plans = plans.collect::<Result<Vec<_>>>().expect("planned");
        let prepared = kept.vault.prepare_all(plans, &mut kept.fixed.host());
        kept.store(prepared.expect("prepared")).expect("stored");
    }
    let prepared = kept
        .vault
        .prepare_compaction(Retention::Automatic, &mut kept.fixed.host());
    kept.store(prepared.expect("an owner")).expect("stored");
    kept
}

#[test]
fn opening_reads_the_front_and_reading_reads_one_page_and_one_record() {
    let (few, more) = (many(1_000), many(20_000));
    let (course, small, _) = fetched(&few);
    assert_eq!(
        course.steps,
        ["need", "identified", "more", "more"],
        "start, snapshot and directory stand in what is read ahead"
    );
    let (_, large, vault) = fetched(&more);
    // 38 pages more in the directory, of 72 bytes each, within what is read ahead.
    assert_eq!(small.here(), large.here(), "of {} bytes", more.file.len());

    large.forget();
    let read = || vault.read("c12345");
    let error = read().expect_err("its page is not here");
    assert!(large.fetch(error.missing().unwrap()));
    assert!(large.here() <= 512 * 120 + 40, "a page");
    let page = large.here();
    let error = read().expect_err("its record is not here");
    assert!(large.fetch(error.missing().unwrap()));
    assert!(large.here() - page < 1500, "a record");
    assert_eq!(read().unwrap().properties.len(), 1);
    // A neighbour on the same page: its record alone.
    let before = large.here();
    let error = vault.overview("c12345").map(drop);
    assert!(error.is_ok() && large.here() == before, "all of it is here");
}

#[test]
fn a_long_tail_takes_many_steps_and_its_pages_one_round() {
    let mut kept = many(3_000);
    let updater = Identity::generate(&mut StdRng::seed_from_u64(4));
    let to = updater.grant_key();
    let host = &mut kept.fixed.host();
    let granted = kept
        .vault
        .prepare_grant("rotation", Role::Updater, Grantee::Key(&to), host);
    kept.store(granted.unwrap()).unwrap();
    let mut rotation = support::open(kept.file.clone(), &updater, &kept.vault).unwrap();
    for number in 0..600 {
        let id = format!("c{:05}", number * 5);
        let plan = rotation.plan_update(&id, [("APIKey", "new")], &Options::default());
        let prepared = rotation.prepare(plan.unwrap(), &mut kept.fixed.host());
        let prepared = prepared.unwrap();
        prepared.write().to(&mut kept.file);
        rotation.apply(prepared).unwrap();
    }
    let (course, remote, vault) = fetched(&kept);
    assert_eq!(vault.head(), rotation.head());
    // Chain, opened pages and rules go on by 128 commits, and the six pages of the snapshot by four.
    let count = |name| course.steps.iter().filter(|step| **step == name).count();
    assert!(count("more") >= 3 * (600 / 128), "{:?}", course.steps);
    assert!(course.done.is_sorted());
    // The pages of the tail are asked for at once, behind everything else.
    let last = course
        .steps
        .iter()
        .rposition(|step| *step == "need")
        .unwrap();
    let rounds = course.steps[..last]
        .iter()
        .filter(|step| **step == "need")
        .count();
    let windows = remote.here().div_ceil(64 * 1024);
    assert!(rounds <= windows, "{rounds} rounds for {windows} windows");
    assert!(
        remote.here() < kept.file.len(),
        "the records of the snapshot stay where they are"
    );
}

#[test]
fn the_host_says_what_it_knows_once_the_vault_is_identified() {
    let mut kept = Kept::new(5);
    let old = kept.file.clone();
    kept.add("x", &[]).unwrap();
    let known = kept.vault.known_head();
    let open = |file: &[u8], known: Option<KnownHead>| {
        let memory = Memory::from(file.to_vec());
        let unlock = Unlock::Identity(&kept.identity);
        let mut opening = Opening::new(memory, unlock, OpenOptions::default());
        let Step::Identified(vault_id) = opening.step()? else {
            panic!("the header is verified first");
        };
        assert_eq!(vault_id, kept.vault.id());
        opening.options().known = known;
        let opened = opening.run();
        opened.map(|vault| vault.head())
    };
    assert_eq!(
        open(&kept.file, Some(known.clone())).unwrap(),
        kept.vault.head()
    );
    let code = |result: Result<_>| result.map(drop).map_err(|error: Error| error.code());
    assert_eq!(code(open(&old, Some(known))), Err(Code::RolledBack));
    assert_eq!(code(open(&kept.file, None)), Err(Code::VaultIdRequired));
}

#[test]
fn an_opening_that_has_failed_is_over() {
    let kept = Kept::new(6);
    let memory = Memory::from(b"CVAULT01".to_vec());
    let unlock = Unlock::Identity(&kept.identity);
    let mut opening = Opening::new(memory, unlock, options(&kept.vault));
    assert_eq!(opening.step().unwrap_err().code(), Code::NotAVault);
    assert_eq!(opening.step().unwrap_err().code(), Code::Internal);
}

/// The two key slots cost differently, so that each is one derivation.
fn with_two_key_slots() -> (Fixed, Vec<u8>) {
    let mut fixed = Fixed::new(8);
    let passphrase = Passphrase::new("first passphrase").unwrap();
    let owner = NewOwner::passphrase("ops", &passphrase).cost(Cost::MIN);
    let (mut vault, mut file) = Vault::create(&mut fixed.host(), &owner).unwrap();
    let second = Passphrase::new("second passphrase").unwrap();
    let prepared = vault.prepare_grant(
        "second",
        Role::Reader,
        Grantee::Passphrase(&second, Cost::MIN),
        &mut fixed.host(),
    );
    let prepared = prepared.unwrap();
    prepared.write().to(&mut file);
    vault.apply(prepared).unwrap();
    (fixed, file)
}

#[test]
fn argon2id_runs_elsewhere() {
    let (_, file) = with_two_key_slots();
    // As a worker does.
    let run = |text: &str, derivation: Derivation| {
        let bytes = Passphrase::new(text)
            .unwrap()
            .stretch(derivation.salt, derivation.cost, limits::MEMORY_KIB_MAX)
            .unwrap()
            .to_bytes();
        let root = bytes.last_chunk().unwrap();
        Stretched::new(derivation, root)
    };
    let open = |text: &str, label: Option<&str>| {
        let passphrase = Passphrase::outside(text).unwrap();
        let unlock = match label {
            Some(label) => Unlock::Grant(label, &passphrase),
            None => Unlock::Passphrase(&passphrase),
        };
        let memory = Memory::from(file.clone());
        let mut opening = Opening::new(memory, unlock, OpenOptions::default());
        let mut salts = BTreeSet::new();
        let opened = loop {
            match opening.step() {
                Err(error) => break Err(error.code()),
                Ok(Step::Done(vault)) => break Ok(vault.label().to_owned()),
                Ok(Step::Derive(derivation)) => {
                    assert!(salts.insert(derivation.salt), "asked for twice");
                    opening.derived(run(text, derivation));
                }
                Ok(_) => {}
            }
        };
        (opened, salts.len())
    };
    assert_eq!(open("first passphrase", None), (Ok("ops".into()), 1));
    assert_eq!(open("second passphrase", None), (Ok("second".into()), 2));
    let by_label = open("second passphrase", Some("second"));
    assert_eq!(by_label, (Ok("second".into()), 1));
    assert_eq!(open("another", None), (Err(Code::WrongPassphrase), 2));
    // Unicode is normalized before it goes elsewhere.
    let composed = Passphrase::outside("e\u{301}").unwrap();
    assert_eq!(composed.expose(), Some("\u{e9}"));
    // Another host's passphrase needs no other.
    let within = Vault::open(
        file.clone(),
        Unlock::Passphrase(&Passphrase::new("first passphrase").unwrap()),
        &OpenOptions::default(),
    );
    assert_eq!(within.unwrap().label(), "ops");
}

#[test]
fn a_repair_says_what_argon2id_has_to_derive() {
    let (mut fixed, file) = with_two_key_slots();
    let mut passphrase = Passphrase::outside("first passphrase").unwrap();
    let mut repair = |passphrase: &Passphrase| {
        let unlock = Unlock::Passphrase(passphrase);
        Vault::repair(
            &file,
            unlock,
            &OpenOptions::default(),
            RepairOptions::default(),
            &mut fixed.host(),
        )
    };
    let error = repair(&passphrase).unwrap_err();
    let derivation = Derivation::wanted_by(&error).unwrap();
    assert!(!format!("{error:?}").contains("first"));
    let root = Passphrase::new("first passphrase")
        .unwrap()
        .stretch(derivation.salt, derivation.cost, limits::MEMORY_KIB_MAX)
        .unwrap();
    passphrase.add(root);
    assert_eq!(repair(&passphrase).unwrap().vault.label(), "ops");
}
