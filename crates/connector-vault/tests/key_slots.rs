//! Key slots of external keys through the public API: create, grant, list, open, add, remove.

#![allow(clippy::panic, reason = "tests fail by panicking")]

mod support;

use connector_vault::{
    Code, Cost, ExternalKey, Grantee, Identity, KeySlotInfo, KeySlotKind, KeySlotMatch, KeySlotRef,
    NewOwner, OpenOptions, Passphrase, Prepared, Result, Role, Unlock, Vault, VaultId, limits,
};
use support::{Fixed, Kept};

fn external(byte: u8) -> ExternalKey {
    ExternalKey::from_bytes(&[byte; 32]).expect("32 bytes")
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).expect("valid")
}

/// A vault whose owner opens it by key 1 with the hint `one`, and by a passphrase.
fn founded() -> Kept {
    let mut fixed = Fixed::new(1);
    let identity = Identity::generate(fixed.host().rng);
    let (key, passphrase) = (external(1), passphrase("correct horse"));
    let owner = NewOwner::identity("ops", identity.clone())
        .and_key(&key, b"one")
        .and_passphrase(&passphrase)
        .cost(Cost::MIN);
    let (vault, file) = Vault::create(&mut fixed.host(), &owner).expect("created");
    Kept {
        vault,
        file,
        identity,
        fixed,
    }
}

fn slots(kept: &Kept) -> Vec<KeySlotInfo> {
    Vault::key_slots(&kept.file, &OpenOptions::default()).expect("sound")
}

fn hints(kept: &Kept) -> Vec<Option<Vec<u8>>> {
    slots(kept).into_iter().map(|slot| slot.hint).collect()
}

fn open(kept: &Kept, unlock: Unlock<'_>) -> Result<String> {
    let vault = Vault::open(kept.file.clone(), unlock, &OpenOptions::default())?;
    Ok(vault.label().to_owned())
}

fn code<T>(result: Result<T>) -> Option<Code> {
    result.err().map(|error| error.code())
}

fn add(kept: &mut Kept, key: &ExternalKey, hint: &[u8]) -> Result<()> {
    let prepared = kept.vault.prepare_key(key, hint, &mut kept.fixed.host())?;
    kept.store(prepared).map(drop)
}

fn remove<'a>(kept: &mut Kept, which: impl Into<KeySlotRef<'a>>) -> Result<()> {
    let prepared = kept.vault.prepare_key_removal(which)?;
    kept.store(prepared).map(drop)
}

#[test]
fn key_slots_are_listed_before_anything_is_derived() {
    let kept = founded();
    let listed = slots(&kept);
    let [by_passphrase, by_key] = listed.as_slice() else {
        panic!("two key slots: {listed:?}");
    };
    let grant = kept.vault.grants().next().expect("ops").id;
    for slot in &listed {
        assert_eq!(slot.grant, Some(grant));
        assert_eq!(slot.label.as_deref(), Some("ops"));
        assert_eq!(slot.broken, None);
    }
    assert_eq!(by_passphrase.kind, Some(KeySlotKind::Passphrase));
    assert_eq!(by_passphrase.cost, Some(Cost::MIN));
    assert_eq!(
        (&by_passphrase.hint, by_passphrase.prf_input),
        (&None, None)
    );
    assert_eq!(by_key.kind, Some(KeySlotKind::Key));
    assert_eq!(by_key.cost, None);
    assert_eq!(by_key.hint.as_deref(), Some(&b"one"[..]));
    let salt = by_key.salt.expect("a salt");
    assert_eq!(
        by_key.prf_input,
        Some(kept.vault.passkey_at(salt).prf_input())
    );
    assert_eq!(salt.to_string().parse(), Ok(salt));

    let info = kept.vault.grants().next().expect("ops");
    assert!(info.has_passphrase && info.has_key);

    // A vault that is expected is not exchanged for another.
    let other = Some("ab".repeat(32).parse::<VaultId>().expect("an id"));
    let expected = OpenOptions {
        vault_id: other,
        ..OpenOptions::default()
    };
    assert_eq!(
        code(Vault::key_slots(&kept.file, &expected)),
        Some(Code::WrongVault)
    );
    let known = OpenOptions {
        known: Some(Kept::new(9).vault.known_head()),
        ..OpenOptions::default()
    };
    assert_eq!(
        code(Vault::key_slots(&kept.file, &known)),
        Some(Code::WrongVault)
    );
    let frugal = OpenOptions {
        memory_kib_max: limits::MEMORY_KIB_MIN - 1,
        ..OpenOptions::default()
    };
    let listed = Vault::key_slots(&kept.file, &frugal).expect("sound");
    assert!(listed[0].broken.is_some() && listed[1].broken.is_none());
}

#[test]
fn an_external_key_opens_its_key_slots_and_no_others() {
    let kept = founded();
    let (right, wrong) = (external(1), external(2));
    assert_eq!(open(&kept, Unlock::Key(&right)), Ok("ops".into()));
    assert_eq!(code(open(&kept, Unlock::Key(&wrong))), Some(Code::WrongKey));
    for (wanted, expected) in [
        (KeySlotMatch::hint(b"one"), None),
        (KeySlotMatch::grant("ops"), None),
        (KeySlotMatch::hint(b"one").of_grant("ops"), None),
        (KeySlotMatch::hint(b"on"), Some(Code::NoKeySlot)),
        (KeySlotMatch::grant("nobody"), Some(Code::GrantNotFound)),
        (
            KeySlotMatch::hint(b"").of_grant("ops"),
            Some(Code::NoKeySlot),
        ),
    ] {
        let opened = open(&kept, Unlock::KeySlot(&right, wanted));
        assert_eq!(code(opened), expected, "{wanted:?}");
    }
    for wanted in [KeySlotMatch::hint(b"one"), KeySlotMatch::grant("ops")] {
        let error = open(&kept, Unlock::KeySlot(&wrong, wanted)).expect_err("wrong");
        assert_eq!(error.code(), Code::WrongKey);
        assert!(!error.message().contains("passphrase"), "{error:?}");
        assert!(
            !error.hint().unwrap_or_default().contains("passphrase"),
            "{error:?}"
        );
    }
    assert_eq!(format!("{:?}", Unlock::Key(&right)), "Unlock::Key(..)");
    let unlock = Unlock::KeySlot(&right, KeySlotMatch::hint(b"one"));
    assert_eq!(format!("{unlock:?}"), "Unlock::KeySlot(..)");
}

#[test]
fn one_key_in_two_vaults_shows_nothing_equal() {
    let key = external(7);
    let vaults = [1, 2].map(|seed| {
        let owner = NewOwner::key("ops", &key, b"");
        let (_, file) = Vault::create(&mut Fixed::new(seed).host(), &owner).expect("created");
        file
    });
    let fields = |file: &[u8]| {
        let len = u32::from_le_bytes([file[8], file[9], file[10], file[11]]) as usize;
        let part: serde_json::Value =
            serde_json::from_slice(&file[12..12 + len]).expect("key slots");
        part[0].clone()
    };
    let [one, other] = [fields(&vaults[0]), fields(&vaults[1])];
    for name in ["grant", "salt", "commitment", "nonce", "wrapped", "tag"] {
        assert_ne!(one[name], other[name], "{name}");
    }
    for file in vaults {
        let opened = Vault::open(file, Unlock::Key(&key), &OpenOptions::default());
        assert_eq!(opened.expect("opens").label(), "ops");
    }
}

#[test]
fn a_key_is_added_and_removed_by_itself() {
    let mut kept = founded();
    let (first, second) = (external(1), external(2));
    add(&mut kept, &second, b"two").expect("added");
    // Before the others of its grant.
    let two = Some(b"two".to_vec());
    let one = Some(b"one".to_vec());
    assert_eq!(hints(&kept), [two.clone(), None, one.clone()]);
    for unlock in [
        Unlock::Key(&first),
        Unlock::Key(&second),
        Unlock::Passphrase(&passphrase("correct horse")),
        Unlock::Identity(&kept.identity),
    ] {
        let options = OpenOptions {
            vault_id: Some(kept.vault.id()),
            ..OpenOptions::default()
        };
        let vault = Vault::open(kept.file.clone(), unlock, &options).expect("opens");
        assert_eq!(vault.head(), kept.vault.head());
    }

    // The same key with the same hint again: as after an answer that was lost.
    add(&mut kept, &second, b"two").expect("replaced");
    assert_eq!(hints(&kept), [two.clone(), None, one.clone()]);
    add(&mut kept, &second, b"").expect("with another hint");
    assert_eq!(
        hints(&kept),
        [Some(Vec::new()), two.clone(), None, one.clone()]
    );
    // Two keys of one hint differ by their salts.
    add(&mut kept, &external(3), b"two").expect("another key");
    assert_eq!(slots(&kept).len(), 5);
    let salt = slots(&kept)[0].salt.expect("a salt");
    remove(&mut kept, salt).expect("removed");
    assert_eq!(
        code(open(&kept, Unlock::Key(&external(3)))),
        Some(Code::WrongKey)
    );
    assert_eq!(open(&kept, Unlock::Key(&second)), Ok("ops".into()));

    let passphrase = passphrase("another horse");
    let changed = kept
        .vault
        .prepare_passphrase(&passphrase, Cost::MIN, &mut kept.fixed.host());
    kept.store(changed.expect("prepared")).expect("stored");
    assert_eq!(
        hints(&kept),
        [None, Some(Vec::new()), two, one.clone()],
        "a passphrase replaces no external key"
    );

    assert_eq!(code(remove(&mut kept, b"none")), Some(Code::NoKeySlot));
    remove(&mut kept, b"two").expect("removed");
    remove(&mut kept, b"").expect("removed");
    assert_eq!(hints(&kept), [None, one]);
    assert_eq!(
        code(open(&kept, Unlock::Key(&second))),
        Some(Code::WrongKey)
    );
    remove(&mut kept, b"one").expect("the passphrase is left");
    assert_eq!(
        code(open(&kept, Unlock::Key(&first))),
        Some(Code::NoKeySlot)
    );
    let opened = open(&kept, Unlock::Passphrase(&passphrase));
    assert_eq!(opened, Ok("ops".into()));
}

#[test]
fn the_last_key_slot_of_a_grant_stays() {
    let mut fixed = Fixed::new(3);
    let key = external(1);
    let owner = NewOwner::key("ops", &key, b"one");
    let (vault, file) = Vault::create(&mut fixed.host(), &owner).expect("created");
    let identity = Identity::generate(fixed.host().rng);
    let mut kept = Kept {
        vault,
        file,
        identity,
        fixed,
    };
    assert_eq!(code(remove(&mut kept, b"one")), Some(Code::LastKeySlot));
    // That of another grant does not count.
    let other = external(2);
    let to = Grantee::ExternalKey(&other, b"other");
    let granted = kept
        .vault
        .prepare_grant("other", Role::Owner, to, &mut kept.fixed.host());
    kept.store(granted.expect("prepared")).expect("stored");
    assert_eq!(code(remove(&mut kept, b"one")), Some(Code::LastKeySlot));
    assert_eq!(code(remove(&mut kept, b"other")), Some(Code::NoKeySlot));
    let salt = slots(&kept)[1].salt.expect("a salt");
    assert_eq!(code(remove(&mut kept, salt)), Some(Code::NoKeySlot));
    add(&mut kept, &external(3), b"").expect("added");
    remove(&mut kept, b"one").expect("removed");
    assert_eq!(open(&kept, Unlock::Key(&other)), Ok("other".into()));
}

#[test]
fn whoever_has_a_key_can_be_granted_a_role() {
    let mut kept = founded();
    let key = external(4);
    let to = Grantee::ExternalKey(&key, b"of the service");
    let granted = kept
        .vault
        .prepare_grant("service", Role::Updater, to, &mut kept.fixed.host());
    kept.store(granted.expect("prepared")).expect("stored");
    let unlock = Unlock::KeySlot(&key, KeySlotMatch::grant("service"));
    let mut member =
        Vault::open(kept.file.clone(), unlock, &OpenOptions::default()).expect("opens");
    assert_eq!((member.label(), member.role()), ("service", Role::Updater));
    // Every member changes the key slots of its own grant, and of no other.
    let store = |kept: &mut Kept, member: &mut Vault, prepared: Prepared| {
        prepared.write().to(&mut kept.file);
        member.apply(prepared).expect("stored");
    };
    let added = member.prepare_key(&external(5), b"new", &mut kept.fixed.host());
    store(&mut kept, &mut member, added.expect("prepared"));
    let removed = member.prepare_key_removal(b"of the service");
    store(&mut kept, &mut member, removed.expect("prepared"));
    assert_eq!(
        code(member.prepare_key_removal(b"one")),
        Some(Code::NoKeySlot)
    );
    let hints = hints(&kept);
    assert_eq!(hints, [None, Some(b"one".to_vec()), Some(b"new".to_vec())]);
}

#[test]
fn a_passkey_answers_before_its_key_slot_is_made() {
    let mut kept = founded();
    let place = kept.vault.new_passkey(&mut kept.fixed.host());
    assert_ne!(place, kept.vault.new_passkey(&mut kept.fixed.host()));
    assert_eq!(kept.vault.passkey_at(place.salt()), place);
    // The passkey's answer depends on the input alone.
    let answer = |input: [u8; 32]| {
        let mut answer = input;
        answer.reverse();
        ExternalKey::from_bytes(&answer).expect("32 bytes")
    };
    let key = answer(place.prf_input());
    let add = |kept: &mut Kept, key: &ExternalKey| -> Result<()> {
        let host = &mut kept.fixed.host();
        let prepared = kept.vault.prepare_passkey(place, key, b"id", host)?;
        kept.store(prepared).map(drop)
    };
    add(&mut kept, &key).expect("added");
    let listed = slots(&kept);
    assert_eq!(listed[0].salt, Some(place.salt()));
    let asked = answer(listed[0].prf_input.expect("an external key"));
    let unlock = Unlock::KeySlot(&asked, KeySlotMatch::hint(b"id"));
    assert_eq!(open(&kept, unlock), Ok("ops".into()));

    add(&mut kept, &key).expect("once more, as after a lost answer");
    assert_eq!(slots(&kept).len(), 3);
    let other = external(9);
    assert_eq!(code(add(&mut kept, &other)), Some(Code::InvalidArgument));
    let elsewhere = Kept::new(8).vault.passkey_at(place.salt());
    let host = &mut kept.fixed.host();
    let refused = kept.vault.prepare_passkey(elsewhere, &other, b"id", host);
    assert_eq!(code(refused), Some(Code::InvalidArgument));
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_sealed() {
    let mut kept = founded();
    let long = vec![0; limits::HINT_LEN_MAX + 1];
    let key = external(5);
    let limit = Some(Code::LimitExceeded);
    assert_eq!(code(add(&mut kept, &key, &long)), limit);
    let owner = NewOwner::key("ops", &key, &long);
    assert_eq!(code(Vault::create(&mut kept.fixed.host(), &owner)), limit);
    let to = Grantee::ExternalKey(&key, &long);
    let host = &mut kept.fixed.host();
    let granted = kept.vault.prepare_grant("x", Role::Viewer, to, host);
    assert_eq!(code(granted), limit);
    for number in slots(&kept).len()..limits::KEY_SLOTS_MAX {
        let number = u32::try_from(number).expect("few").to_le_bytes();
        add(&mut kept, &key, &number).expect("a key slot");
    }
    assert_eq!(slots(&kept).len(), limits::KEY_SLOTS_MAX);
    let before = kept.file.clone();
    assert_eq!(code(add(&mut kept, &key, b"one more")), limit);
    assert_eq!(kept.file, before);
    // Found at once, since an external key costs nothing.
    assert_eq!(open(&kept, Unlock::Key(&external(1))), Ok("ops".into()));
}

#[test]
fn flips_in_the_key_slot_of_an_external_key_never_open_wrong() {
    let mut fixed = Fixed::new(23);
    let key = external(1);
    let owner = NewOwner::key("ops", &key, b"which");
    let (_, file) = Vault::create(&mut fixed.host(), &owner).expect("created");
    let len = u32::from_le_bytes([file[8], file[9], file[10], file[11]]) as usize;
    for at in 0..12 + len {
        for bit in [1, 0x20] {
            let mut file = file.clone();
            file[at] ^= bit;
            let opened = Vault::open(file, Unlock::Key(&key), &OpenOptions::default());
            let error = opened.expect_err("a key slot that was changed");
            let codes = [
                Code::NotAVault,
                Code::UnsupportedVersion,
                Code::LimitExceeded,
                Code::Damaged,
                Code::NoKeySlot,
                Code::WrongKey,
            ];
            assert!(codes.contains(&error.code()), "byte {at}: {error:?}");
        }
    }
}
