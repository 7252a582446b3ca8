//! The start of a file, and key slots that open, that are broken, and that are another vault's
//! (docs/format.md sections 1 and 4).

use serde_json::{Value, json};

use super::Cases;
use crate::access::{NewSecret, make_key_slot};
use crate::crypto::kdf::{Cost, ExternalKey, Passphrase};
use crate::error::Code;
use crate::format::hex::{GrantId, Hex, VaultId};
use crate::format::key_slots::Hint;
use crate::format::split_file;
use crate::log;
use crate::role::Role;
use crate::vault::forge::{Counter, Team, host};

const PASSPHRASE: &str = "correct horse battery staple";

/// The log of a file, behind another start.
fn with_start(team: &Team, start: &[u8]) -> Vec<u8> {
    let (_, log_start) = split_file(&team.file).unwrap();
    [start, &team.file[log_start..]].concat()
}

fn with_key_slots(team: &Team, key_slots: &str) -> Vec<u8> {
    with_start(team, &crate::format::file_start(key_slots.as_bytes()))
}

/// The key slot of a vault that was made with [`PASSPHRASE`].
fn key_slot_of(team: &Team) -> Value {
    let (key_slots, _) = split_file(&team.file).unwrap();
    let mut key_slots: Vec<Value> = serde_json::from_slice(key_slots).unwrap();
    key_slots.remove(0)
}

/// A broken key slot: nobody can use it, but the file opens by the identity.
fn broken(cases: &mut Cases, name: &'static str, rule: &str, change: impl FnOnce(&mut Value)) {
    let team = Team::founded(0, Some(PASSPHRASE));
    let mut slot = key_slot_of(&team);
    change(&mut slot);
    let file = with_key_slots(&team, &json!([slot]).to_string());
    cases
        .refused(name, rule, &team, file, Code::NoKeySlot)
        .by_passphrase(PASSPHRASE);
}

pub(super) fn make(cases: &mut Cases) {
    start(cases);
    shapes(cases);
    costs(cases);
    budget(cases);
    contents(cases);
    external_shapes(cases);
    external_keys(cases);
}

fn start(cases: &mut Cases) {
    let team = Team::alone();
    let file = &team.file;
    cases.refused(
        "not-a-vault",
        "a vault begins with CVAULT01",
        &team,
        b"PK\x03\x04 and so on".to_vec(),
        Code::NotAVault,
    );
    cases.refused(
        "shorter-than-the-prefix",
        "a vault has at least 12 bytes",
        &team,
        file[..11].to_vec(),
        Code::NotAVault,
    );
    let mut other = file.clone();
    other[7] = b'2';
    cases.refused(
        "magic-of-another-version",
        "what else begins with CVAULT is a version that is not known",
        &team,
        other,
        Code::UnsupportedVersion,
    );
    let mut other = file.clone();
    other[8..12].copy_from_slice(&(1024 * 1024 + 1u32).to_le_bytes());
    cases.refused(
        "key-slots-over-limit",
        "the key slot part has at most 1 MiB",
        &team,
        other,
        Code::LimitExceeded,
    );
    cases.refused(
        "key-slots-past-end",
        "the key slot part ends within the file",
        &team,
        file[..13].to_vec(),
        Code::Damaged,
    );
    cases.refused(
        "log-empty",
        "a log has at least a snapshot",
        &team,
        file[..14].to_vec(),
        Code::Damaged,
    );
    for (name, rule, key_slots) in [
        ("key-slots-not-json", "the key slot part is JSON", "[}"),
        (
            "key-slots-not-an-array",
            "the key slot part is a JSON array",
            "{}",
        ),
        (
            "key-slots-space-before",
            "no white space stands before the key slots",
            " []",
        ),
        (
            "key-slots-space-behind",
            "no white space stands behind the key slots",
            "[]\n",
        ),
        (
            "key-slots-text-behind",
            "nothing stands behind the key slots",
            "[][]",
        ),
    ] {
        cases.refused(
            name,
            rule,
            &team,
            with_key_slots(&team, key_slots),
            Code::Damaged,
        );
    }
    let too_deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
    for (name, rule, key_slots) in [
        (
            "key-slots-too-deep",
            "arrays and objects are nested at most 128 deep",
            too_deep.as_str(),
        ),
        (
            "key-slots-lone-surrogate",
            "an escape does not stand for half of a surrogate pair",
            r#"[{"grant":"\ud800"}]"#,
        ),
    ] {
        let file = with_key_slots(&team, key_slots);
        cases.refused(name, rule, &team, file, Code::Damaged);
    }
    let many = json!(vec![0; 257]).to_string();
    cases.refused(
        "key-slots-more-than-256",
        "there are at most 256 key slots",
        &team,
        with_key_slots(&team, &many),
        Code::Damaged,
    );
    let many = json!(vec![0; 256]).to_string();
    cases.opens(
        "key-slots-all-broken",
        "an identity opens the file whatever stands in place of the key slots",
        &team,
        with_key_slots(&team, &many),
    );
    cases
        .refused(
            "no-key-slot",
            "without a key slot no passphrase opens the vault",
            &team,
            file.clone(),
            Code::NoKeySlot,
        )
        .by_passphrase(PASSPHRASE);
}

fn shapes(cases: &mut Cases) {
    broken(
        cases,
        "key-slot-cost-as-array",
        "a cost is a JSON object",
        |slot| slot["cost"] = json!([19_456, 1, 1]),
    );
    broken(
        cases,
        "key-slot-wrong-in-two-ways",
        "a key slot is broken once, in however many ways",
        |slot| {
            slot["cost"] = json!({"memory_kib": 1, "passes": 99, "lanes": 99});
            slot["tag"] = json!("00000000000000000000000000000000");
        },
    );
    broken(
        cases,
        "key-slot-name-unknown",
        "a key slot has no other names",
        |slot| slot["more"] = json!(0),
    );
    broken(
        cases,
        "key-slot-name-missing",
        "a key slot has all names",
        |slot| {
            slot.as_object_mut().unwrap().remove("tag");
        },
    );
    broken(
        cases,
        "key-slot-kdf-unknown",
        "another key derivation is not guessed at",
        |slot| slot["kdf"] = json!("scrypt"),
    );
    broken(
        cases,
        "key-slot-not-an-object",
        "a key slot is a JSON object",
        |slot| {
            let names = [
                "grant",
                "kdf",
                "cost",
                "salt",
                "commitment",
                "nonce",
                "wrapped",
                "tag",
            ];
            *slot = names.map(|name| slot[name].take()).into_iter().collect();
        },
    );
    broken(
        cases,
        "key-slot-upper-case-base16",
        "base16 is in lower case",
        |slot| {
            let salt = slot["salt"].as_str().unwrap().to_ascii_uppercase();
            slot["salt"] = json!(salt);
        },
    );
    broken(
        cases,
        "key-slot-salt-too-short",
        "binary fields have their length",
        |slot| slot["salt"] = json!("00"),
    );
    broken(
        cases,
        "key-slot-cost-name-unknown",
        "a cost has no other names",
        |slot| slot["cost"]["more"] = json!(0),
    );
    let team = Team::founded(0, Some(PASSPHRASE));
    let slot =
        key_slot_of(&team)
            .to_string()
            .replacen("\"kdf\"", "\"kdf\":\"argon2id-v19\",\"kdf\"", 1);
    cases
        .refused(
            "key-slot-name-twice",
            "a name stands once in a key slot",
            &team,
            with_key_slots(&team, &format!("[{slot}]")),
            Code::NoKeySlot,
        )
        .by_passphrase(PASSPHRASE);
}

fn costs(cases: &mut Cases) {
    let mut cost = |name, rule: &str, memory_kib: u64, passes: u64, lanes: u64| {
        broken(cases, name, rule, |slot| {
            slot["cost"] = json!({"memory_kib": memory_kib, "passes": passes, "lanes": lanes});
        });
    };
    cost(
        "key-slot-memory-too-small",
        "Argon2id has at least 19 MiB",
        19_455,
        1,
        1,
    );
    cost(
        "key-slot-memory-too-large",
        "Argon2id has at most 256 MiB unless the caller allows more",
        262_145,
        1,
        1,
    );
    cost(
        "key-slot-passes-zero",
        "Argon2id has at least one pass",
        19_456,
        0,
        1,
    );
    cost(
        "key-slot-passes-too-many",
        "Argon2id has at most 16 passes",
        19_456,
        17,
        1,
    );
    cost(
        "key-slot-lanes-zero",
        "Argon2id has at least one lane",
        19_456,
        1,
        0,
    );
    cost(
        "key-slot-lanes-too-many",
        "Argon2id has at most 4 lanes",
        19_456,
        1,
        5,
    );
    cost(
        "key-slot-work-too-large",
        "memory times passes is at most 1 GiB",
        262_144,
        5,
        1,
    );
    cost(
        "key-slot-cost-beyond-32-bits",
        "a cost is checked before it is reckoned with",
        1 << 32,
        1,
        1,
    );
}

/// Two key slots of the least cost, of which the passphrase opens the second.
fn budget(cases: &mut Cases) {
    let team = Team::founded(0, Some(PASSPHRASE));
    let other = Passphrase::new("incorrect horse").unwrap();
    let slot = make_key_slot(
        &mut Counter::new(4),
        team.vault_id(),
        team.vault.access.grant,
        team.identity("ops"),
        NewSecret::Passphrase(&other, Cost::MIN),
    );
    let file = with_key_slots(
        &team,
        &json!([slot.unwrap(), key_slot_of(&team)]).to_string(),
    );
    let both = 2 * Cost::MIN.work_kib();
    cases
        .opens(
            "accepted-key-slots-within-budget",
            "all key slots that are tried cost no more than the budget of an opening",
            &team,
            file.clone(),
        )
        .by_passphrase(PASSPHRASE)
        .work_kib_max = Some(both);
    cases
        .refused(
            "key-slots-over-budget",
            "a key slot that costs more than the rest of the budget is not tried",
            &team,
            file.clone(),
            Code::LimitExceeded,
        )
        .by_passphrase(PASSPHRASE)
        .work_kib_max = Some(both - 1);
    let mut costly = key_slot_of(&team);
    costly["cost"] = json!({"memory_kib": 262_144, "passes": 4, "lanes": 1});
    let file = with_key_slots(&team, &json!([costly, key_slot_of(&team)]).to_string());
    cases
        .opens(
            "accepted-key-slot-behind-a-skipped-one",
            "a key slot over the rest of the budget is skipped, and the others are tried",
            &team,
            file,
        )
        .by_passphrase(PASSPHRASE)
        .work_kib_max = Some(Cost::MIN.work_kib());
}

fn contents(cases: &mut Cases) {
    let mut team = Team::founded(0, Some(PASSPHRASE));
    team.add("x", &[("APIKey", "a")]);
    cases
        .opens(
            "accepted-passphrase",
            "a passphrase opens a key slot, and so the vault",
            &team,
            team.file.clone(),
        )
        .by_passphrase(PASSPHRASE);
    cases
        .refused(
            "wrong-passphrase",
            "another passphrase has another commitment",
            &team,
            team.file.clone(),
            Code::WrongPassphrase,
        )
        .by_passphrase("incorrect horse");
    cases
        .refused(
            "wrong-vault-by-passphrase",
            "a passphrase opens no other vault than the expected one",
            &team,
            team.file.clone(),
            Code::WrongVault,
        )
        .by_passphrase(PASSPHRASE)
        .vault_id = Some(Team::founded(1, None).vault_id().to_string());

    let composed = Team::founded(0, Some("caf\u{e9} au lait"));
    cases
        .opens(
            "accepted-passphrase-normalized",
            "a passphrase is normalized to NFC",
            &composed,
            composed.file.clone(),
        )
        .by_passphrase("cafe\u{301} au lait");

    let good = key_slot_of(&team);
    let key_slots = json!([{"grant": "later", "kdf": "a later version's"}, good]).to_string();
    cases
        .opens(
            "broken-key-slot-beside-a-good-one",
            "a broken key slot disables itself, not the file",
            &team,
            with_key_slots(&team, &key_slots),
        )
        .by_passphrase(PASSPHRASE);

    let mut tampered = good.clone();
    tampered["tag"] = json!("00000000000000000000000000000000");
    let file = with_key_slots(&team, &json!([tampered, good]).to_string());
    cases
        .opens(
            "broken-key-slot-tag",
            "a key slot whose content does not unwrap is broken",
            &team,
            file,
        )
        .by_passphrase(PASSPHRASE);

    let passphrase = Passphrase::new(PASSPHRASE).unwrap();
    let grant = team.vault.access.grant;
    let forge = |vault_id, grant, identity: &_| {
        let rng = &mut Counter::new(4);
        let secret = NewSecret::Passphrase(&passphrase, Cost::MIN);
        let slot = make_key_slot(rng, vault_id, grant, identity, secret).unwrap();
        serde_json::to_value(slot).unwrap()
    };
    let stranger = Team::founded(1, None);
    let slot = forge(team.vault_id(), grant, stranger.identity("ops"));
    let file = with_key_slots(&team, &json!([slot, good]).to_string());
    cases
        .opens(
            "broken-key-slot-identity",
            "a key slot whose identity is not its grant's is broken",
            &team,
            file,
        )
        .by_passphrase(PASSPHRASE);

    let slot = forge(team.vault_id(), GrantId(Hex([9; 8])), team.identity("ops"));
    let file = with_key_slots(&team, &json!([slot]).to_string());
    cases
        .refused(
            "key-slot-of-no-grant",
            "a key slot whose grant the header does not list is ignored",
            &team,
            file,
            Code::NoKeySlot,
        )
        .by_passphrase(PASSPHRASE);

    let slot = forge(log::vault_id(&[1; 32]), grant, team.identity("ops"));
    let file = with_key_slots(&team, &json!([slot]).to_string());
    cases
        .refused(
            "key-slot-of-another-vault",
            "a key slot was made for one vault: another in its place does not open",
            &team,
            file,
            Code::WrongVault,
        )
        .by_passphrase(PASSPHRASE);

    let mut moved = good.clone();
    let mut team = Team::founded(0, Some(PASSPHRASE));
    team.grant("reader", Role::Reader);
    moved["grant"] = json!(team.vault.header.grants[1].id);
    let file = with_key_slots(&team, &json!([moved]).to_string());
    cases
        .refused(
            "key-slot-moved-to-another-grant",
            "a key slot is bound to its grant",
            &team,
            file,
            Code::NoKeySlot,
        )
        .by_passphrase(PASSPHRASE);
}

const KEY: [u8; 32] = [8; 32];

/// A vault whose owner has a passphrase, and an external key with this hint.
fn hinted(hint: &[u8]) -> Team {
    let mut team = Team::founded(0, Some(PASSPHRASE));
    add_key(&mut team, KEY, hint);
    team
}

fn add_key(team: &mut Team, key: [u8; 32], hint: &[u8]) {
    let key = ExternalKey::from_bytes(&key).unwrap();
    let prepared = team.vault.prepare_key(&key, hint, &mut host(&mut team.rng));
    team.store(prepared.unwrap());
}

/// A vault whose key slots are those of [`hinted`], changed.
fn changed(hint: &[u8], change: impl FnOnce(&mut Vec<Value>)) -> (Team, Vec<u8>) {
    let team = hinted(hint);
    let (key_slots, _) = split_file(&team.file).unwrap();
    let mut key_slots: Vec<Value> = serde_json::from_slice(key_slots).unwrap();
    change(&mut key_slots);
    let file = with_key_slots(&team, &json!(key_slots).to_string());
    (team, file)
}

fn external_shapes(cases: &mut Cases) {
    let mut broken = |name, rule: &str, change: fn(&mut Value)| {
        let (team, file) = changed(b"a hint", |slots| change(&mut slots[0]));
        cases
            .refused(name, rule, &team, file, Code::NoKeySlot)
            .by_key(KEY)
            .listed();
    };
    broken("key-slot-null-hint", "a hint is text", |slot| {
        slot["hint"] = Value::Null;
    });
    broken(
        "key-slot-hint-missing",
        "the key slot of an external key has a hint, be it empty",
        |slot| {
            slot.as_object_mut().unwrap().remove("hint");
        },
    );
    broken(
        "key-slot-hint-too-long",
        "a hint has at most 2,048 bytes",
        |slot| slot["hint"] = json!("A".repeat(2732)),
    );
    broken(
        "key-slot-hint-padded",
        "a hint is base64url without padding",
        |slot| slot["hint"] = json!("YQ=="),
    );
    broken(
        "key-slot-hint-loose-bits",
        "no bits are left over in a hint",
        |slot| slot["hint"] = json!("YR"),
    );
    broken(
        "key-slot-cost-beside-hint",
        "the key slot of an external key has no cost",
        |slot| slot["cost"] = json!({"memory_kib": 19_456, "passes": 1, "lanes": 1}),
    );
    let (team, file) = changed(b"a hint", |slots| slots[1]["hint"] = json!(""));
    cases
        .refused(
            "key-slot-hint-beside-cost",
            "the key slot of a passphrase has no hint",
            &team,
            file,
            Code::NoKeySlot,
        )
        .by_passphrase(PASSPHRASE)
        .listed();
}

fn external_keys(cases: &mut Cases) {
    let team = hinted(b"a hint");
    cases
        .opens(
            "accepted-external-key",
            "an external key opens its key slot, and so the vault",
            &team,
            team.file.clone(),
        )
        .by_key(KEY)
        .listed();
    cases
        .opens(
            "accepted-passphrase-beside-external-key",
            "a passphrase is tried with the key slots of passphrases alone",
            &team,
            team.file.clone(),
        )
        .by_passphrase(PASSPHRASE);
    cases
        .opens(
            "accepted-external-key-without-budget",
            "an external key costs nothing",
            &team,
            team.file.clone(),
        )
        .by_key(KEY)
        .work_kib_max = Some(0);
    cases
        .refused(
            "wrong-external-key",
            "another external key has another commitment",
            &team,
            team.file.clone(),
            Code::WrongKey,
        )
        .by_key([9; 32]);
    cases
        .refused(
            "hint-of-no-key-slot",
            "an external key is tried only where the hint is the caller's",
            &team,
            team.file.clone(),
            Code::NoKeySlot,
        )
        .by_key(KEY)
        .with_hint(b"a hint of another");
    cases
        .refused(
            "wrong-vault-by-external-key",
            "an external key opens no other vault than the expected one",
            &team,
            team.file.clone(),
            Code::WrongVault,
        )
        .by_key(KEY)
        .vault_id = Some(Team::founded(1, None).vault_id().to_string());
    for (name, rule, hint) in [
        ("accepted-hint-empty", "a hint may be empty", Vec::new()),
        (
            "accepted-hint-longest",
            "a hint may have 2,048 bytes of any value",
            (0..=255).cycle().take(2048).collect(),
        ),
    ] {
        let team = hinted(&hint);
        cases
            .opens(name, rule, &team, team.file.clone())
            .by_key(KEY)
            .with_hint(&hint)
            .listed();
    }

    let alone = Team::founded(0, Some(PASSPHRASE));
    cases
        .refused(
            "no-passphrase-for-external",
            "who has an external key is not offered a passphrase in its place",
            &alone,
            alone.file.clone(),
            Code::NoKeySlot,
        )
        .by_key(KEY)
        .listed();
    let (team, file) = changed(b"a hint", |slots| slots.truncate(1));
    cases
        .refused(
            "no-external-for-passphrase",
            "a passphrase is not tried with the key slot of an external key",
            &team,
            file,
            Code::NoKeySlot,
        )
        .by_passphrase(PASSPHRASE)
        .listed();

    let (team, file) = changed(b"a hint", |slots| slots[0]["hint"] = json!("YW5vdGhlcg"));
    cases
        .refused(
            "key-slot-hint-changed",
            "a key slot is bound to its hint",
            &team,
            file,
            Code::NoKeySlot,
        )
        .by_key(KEY)
        .listed();
    // The second one has another hint and is sound.
    let mut team = hinted(b"one");
    add_key(&mut team, KEY, b"other");
    let (key_slots, _) = split_file(&team.file).unwrap();
    let mut key_slots: Vec<Value> = serde_json::from_slice(key_slots).unwrap();
    key_slots[0]["hint"] = json!("YW5vdGhlcg");
    let file = with_key_slots(&team, &json!(key_slots).to_string());
    cases
        .opens(
            "broken-key-slot-of-external-key",
            "a key slot of an external key that does not unwrap is broken, and the others are tried",
            &team,
            file.clone(),
        )
        .by_key(KEY)
        .listed();
    cases
        .opens(
            "accepted-external-key-by-hint",
            "of a caller with a hint, only the key slots with this hint are tried",
            &team,
            file,
        )
        .by_key(KEY)
        .with_hint(b"one");

    let forge = |vault_id: VaultId, grant, identity: &_| {
        let key = ExternalKey::from_bytes(&KEY).unwrap();
        let secret = NewSecret::Key(&key, Hint::new(b"a hint").unwrap(), None);
        make_key_slot(&mut Counter::new(4), vault_id, grant, identity, secret).unwrap()
    };
    let mut team = Team::alone();
    team.grant("reader", Role::Reader);
    let grants: Vec<GrantId> = team.vault.grants().map(|grant| grant.id).collect();
    for (name, rule, slot, code) in [
        (
            "external-key-slot-of-another-vault",
            "the key slot of an external key was made for one vault",
            forge(log::vault_id(&[1; 32]), grants[0], team.identity("ops")),
            Code::WrongVault,
        ),
        (
            "external-key-slot-of-no-grant",
            "a key slot of an external key whose grant the header does not list is ignored",
            forge(team.vault_id(), GrantId(Hex([9; 8])), team.identity("ops")),
            Code::NoKeySlot,
        ),
        (
            "external-key-slot-with-another-identity",
            "the key slot of an external key has the identity of its grant",
            forge(team.vault_id(), grants[0], team.identity("reader")),
            Code::NoKeySlot,
        ),
    ] {
        let file = with_key_slots(&team, &json!([slot]).to_string());
        cases
            .refused(name, rule, &team, file, code)
            .by_key(KEY)
            .listed();
    }
    let mut moved = forge(team.vault_id(), grants[0], team.identity("ops"));
    moved.grant = grants[1];
    let file = with_key_slots(&team, &json!([moved]).to_string());
    cases
        .refused(
            "external-key-slot-moved-to-another-grant",
            "the key slot of an external key is bound to its grant",
            &team,
            file,
            Code::NoKeySlot,
        )
        .by_key(KEY);
}
