//! Every single-byte flip and every truncation of a small vault: an error or a reported torn tail,
//! never wrong data, never a panic.
#![allow(clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use connector_vault::{Code, Cost, NewOwner, OpenOptions, Passphrase, Unlock, Vault};
use support::{Fixed, Kept, values};

/// Each connector's values, by name.
type Contents = BTreeMap<String, BTreeMap<String, String>>;
/// What a vault held when its file was so long.
type States = Vec<(usize, Contents)>;

/// What a vault holds: each connector's values at its present version.
fn contents(vault: &Vault) -> Contents {
    let ids = vault
        .list()
        .map(|overview| overview.expect("sound").id.to_string());
    ids.map(|id| (id.clone(), values(vault, &id))).collect()
}

/// Whether a vault with one flipped byte holds what it should, but for one connector or page that it calls
/// damaged.
fn is_as_it_was_but_for_one(vault: &Vault, held: &Contents) -> bool {
    let mut damaged = 0;
    let mut found = Contents::new();
    for overview in vault.list() {
        match overview.and_then(|overview| vault.read(overview.id.as_str())) {
            Ok(connector) => {
                let id = connector.id.to_string();
                let values = values(vault, &id);
                found.insert(id, values);
            }
            Err(error) => {
                assert_eq!(error.code(), Code::Damaged, "{error}");
                damaged += 1;
            }
        }
    }
    let is_held = found
        .iter()
        .all(|(id, values)| held.get(id) == Some(values));
    is_held && damaged <= 1 && found.len() + damaged == held.len()
}

/// A vault with a few commits, and what it held after each, by the length of its file.
fn history() -> (Kept, States) {
    let mut kept = Kept::new(21);
    let mut states = vec![(kept.file.len(), contents(&kept.vault))];
    let mut note = |kept: &Kept| states.push((kept.file.len(), contents(&kept.vault)));
    kept.add("x", &[("APIKey", "a"), ("Endpoint", "e")])
        .expect("added");
    note(&kept);
    kept.add("y", &[("Token", "t")]).expect("added");
    note(&kept);
    kept.update("x", "APIKey", "b").expect("updated");
    note(&kept);
    let delete = r#"{"ActionType": "CredStore.DeleteEntry", "Parameters": {"EntryId": "y"}}"#;
    kept.run(delete, &Default::default()).expect("deleted");
    note(&kept);
    (kept, states)
}

/// Bytes that are not what they were: an error, or the state at the torn tail, or all of it where
/// the damage is in a key slot that nobody needed.
fn check(kept: &Kept, states: &[(usize, Contents)], file: Vec<u8>, what: &str) {
    let log_start = 12
        + u32::from_le_bytes([kept.file[8], kept.file[9], kept.file[10], kept.file[11]]) as usize;
    let locks_differ = file.len() >= log_start && file[log_start..] == kept.file[log_start..];
    let Ok(vault) = support::open(file, &kept.identity, &kept.vault) else {
        return;
    };
    let Some(torn) = vault.report().torn else {
        let (_, held) = states.last().expect("states");
        // A byte of a record shows where the record is used.
        assert!(is_as_it_was_but_for_one(&vault, held), "{what}");
        let problems: usize = vault
            .verify()
            .expect("walks")
            .iter()
            .map(|one| one.problems.len())
            .sum();
        assert!(locks_differ || problems > 0, "{what}: nobody notices");
        return;
    };
    let held = states
        .iter()
        .rev()
        .find(|(len, _)| *len as u64 <= torn.offset);
    let (_, held) = held.unwrap_or_else(|| panic!("{what}: nothing is left"));
    assert_eq!(contents(&vault), *held, "{what}");
}

#[test]
fn every_flip() {
    let (kept, states) = history();
    for at in 0..kept.file.len() {
        for flip in [0x01, 0x20, 0x80, 0xff] {
            let mut file = kept.file.clone();
            file[at] ^= flip;
            check(
                &kept,
                &states,
                file,
                &format!("byte {at} flipped by {flip:#x}"),
            );
        }
    }
}

#[test]
fn every_truncation() {
    let (kept, states) = history();
    for len in 0..kept.file.len() {
        let opened = support::open(kept.file[..len].to_vec(), &kept.identity, &kept.vault);
        let first = states[0].0;
        let Some((at, held)) = states.iter().rev().find(|(at, _)| *at <= len) else {
            assert!(
                opened.is_err(),
                "cut to {len} bytes, before the end of the first snapshot at {first}"
            );
            continue;
        };
        let vault = opened.unwrap_or_else(|error| panic!("cut to {len} bytes: {error}"));
        assert_eq!(
            vault.report().torn.map(|torn| torn.len),
            (*at < len).then_some((len - at) as u64)
        );
        assert_eq!(contents(&vault), *held, "cut to {len} bytes");
    }
}

#[test]
fn a_tail_of_zeros_is_torn() {
    let (kept, states) = history();
    let (before, held) = &states[states.len() - 2];
    for from in *before..kept.file.len() - 8 {
        let mut file = kept.file.clone();
        file[from..].fill(0);
        let vault = support::open(file, &kept.identity, &kept.vault)
            .unwrap_or_else(|error| panic!("zeros from {from}: {error}"));
        assert_eq!(
            vault.report().torn.map(|torn| torn.offset),
            Some(*before as u64),
            "zeros from {from}"
        );
        assert_eq!(contents(&vault), *held);
    }
    for extra in [1, 58, 59, 4096] {
        let mut file = kept.file.clone();
        file.resize(file.len() + extra, 0);
        let vault = support::open(file, &kept.identity, &kept.vault).expect("zeros behind the end");
        assert_eq!(vault.report().torn.map(|torn| torn.len), Some(extra as u64));
    }
}

#[test]
fn a_known_head_in_the_torn_tail_is_an_error() {
    let (kept, _) = history();
    let options = OpenOptions {
        known: Some(kept.vault.known_head()),
        ..OpenOptions::default()
    };
    let file = kept.file[..kept.file.len() - 1].to_vec();
    let error =
        Vault::open(file, Unlock::Identity(&kept.identity), &options).expect_err("acknowledged");
    assert_eq!(error.code(), Code::RolledBack);
}

#[test]
fn a_damaged_record_is_one_damaged_connector() {
    let mut kept = Kept::new(22);
    for id in ["x", "y", "z"] {
        kept.add(id, &[("APIKey", "a")]).expect("added");
    }
    kept.update("y", "APIKey", "b").expect("updated");
    let compact = |kept: &mut Kept| {
        let prepared = kept.vault.prepare_compaction(
            connector_vault::Retention::Automatic,
            &mut kept.fixed.host(),
        );
        kept.store(prepared.expect("prepared")).expect("stored");
    };
    compact(&mut kept);
    // The last byte of the file is the last byte of the secrets of the last connector by its tag.
    let last = kept.file.len() - 1;
    kept.file[last] ^= 1;
    kept.vault = kept.open().expect("opens");
    let ids = ["x", "y", "z"];
    let damaged = |vault: &Vault| -> Vec<&str> {
        let errors = ids.iter().filter(|id| match vault.read(id) {
            Ok(_) => false,
            Err(error) => {
                assert_eq!(error.code(), Code::Damaged);
                assert!(error.message().contains(&format!("{id:?}")), "{error}");
                true
            }
        });
        errors.copied().collect()
    };
    let one = damaged(&kept.vault);
    assert_eq!(one.len(), 1);
    assert_eq!(kept.vault.list().filter_map(Result::ok).count(), 3);
    // Others are written and compacted beside it; it stays damaged, since a backup may have it.
    let other = ids
        .iter()
        .find(|id| !one.contains(*id))
        .expect("two others");
    kept.update(other, "APIKey", "c").expect("updated");
    compact(&mut kept);
    assert_eq!(damaged(&kept.vault), one);
    // A new epoch would have to seal it again.
    let passphrase = Passphrase::new("another one").expect("valid");
    let to = connector_vault::Grantee::Passphrase(&passphrase, Cost::MIN);
    let granted = kept.vault.prepare_grant(
        "reader",
        connector_vault::Role::Reader,
        to,
        &mut kept.fixed.host(),
    );
    kept.store(granted.expect("prepared")).expect("stored");
    let revoked = kept
        .vault
        .prepare_revoke("reader", &mut kept.fixed.host(), &mut |_, _| {});
    assert_eq!(revoked.expect_err("damaged").code(), Code::Damaged);
    // A restore of an earlier version ends it, if one is kept; a delete always.
    let plan = kept
        .vault
        .plan_delete(one[0], &Default::default())
        .expect("planned");
    let prepared = kept
        .vault
        .prepare(plan, &mut kept.fixed.host())
        .expect("prepared");
    kept.store(prepared).expect("stored");
    assert!(!kept.vault.contains(one[0]).expect("known"));
}

#[test]
fn flips_in_a_key_slot_never_open_wrong_nor_cost_more_than_the_limits() {
    let mut fixed = Fixed::new(23);
    let passphrase = Passphrase::new("correct horse").expect("valid");
    let owner = NewOwner::passphrase("ops", &passphrase).cost(Cost::MIN);
    let (_, file) = Vault::create(&mut fixed.host(), &owner).expect("created");
    let key_slots = 12 + u32::from_le_bytes([file[8], file[9], file[10], file[11]]) as usize;
    for at in 0..key_slots {
        let mut file = file.clone();
        file[at] ^= 1;
        let opened = Vault::open(
            file,
            Unlock::Passphrase(&passphrase),
            &OpenOptions::default(),
        );
        let error = opened.expect_err("a key slot that was changed");
        let codes = [
            Code::NotAVault,
            Code::UnsupportedVersion,
            Code::LimitExceeded,
            Code::Damaged,
            Code::NoKeySlot,
            Code::WrongPassphrase,
            Code::BadSignature,
        ];
        assert!(codes.contains(&error.code()), "byte {at}: {error:?}");
    }
}
