//! The start of a file, and key slots that open, that are broken, and that are another vault's
//! (docs/format.md sections 1 and 4).

use serde_json::{Value, json};

use super::Cases;
use crate::access;
use crate::crypto::kdf::{Cost, Passphrase};
use crate::error::Code;
use crate::format::hex::{GrantId, Hex};
use crate::format::split_file;
use crate::log;
use crate::vault::forge::{Counter, Team};

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
    let slot = access::make_key_slot(
        &mut Counter::new(4),
        team.vault_id(),
        team.vault.access.grant,
        team.identity("ops"),
        &other,
        Cost::MIN,
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
        let slot =
            access::make_key_slot(rng, vault_id, grant, identity, &passphrase, Cost::MIN).unwrap();
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
    team.grant("reader", crate::role::Role::Reader);
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
