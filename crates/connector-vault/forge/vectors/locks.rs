//! The start of a file, and locks that open, that are broken, and that are another vault's
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

fn with_locks(team: &Team, locks: &str) -> Vec<u8> {
    with_start(team, &crate::format::file_start(locks.as_bytes()))
}

/// The lock of a vault that was made with [`PASSPHRASE`].
fn lock_of(team: &Team) -> Value {
    let (locks, _) = split_file(&team.file).unwrap();
    let mut locks: Vec<Value> = serde_json::from_slice(locks).unwrap();
    locks.remove(0)
}

/// A broken lock: nobody can use it, but the file opens by the identity.
fn broken(cases: &mut Cases, name: &'static str, rule: &str, change: impl FnOnce(&mut Value)) {
    let team = Team::founded(0, Some(PASSPHRASE));
    let mut lock = lock_of(&team);
    change(&mut lock);
    let file = with_locks(&team, &json!([lock]).to_string());
    cases
        .refused(name, rule, &team, file, Code::NoLock)
        .by_passphrase(PASSPHRASE);
}

pub(super) fn make(cases: &mut Cases) {
    start(cases);
    shapes(cases);
    costs(cases);
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
    other[8..12].copy_from_slice(&(256 * 1024 + 1u32).to_le_bytes());
    cases.refused(
        "locks-over-limit",
        "the locks part has at most 256 KiB",
        &team,
        other,
        Code::LimitExceeded,
    );
    cases.refused(
        "locks-past-end",
        "the locks part ends within the file",
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
    for (name, rule, locks) in [
        ("locks-not-json", "the locks part is JSON", "[}"),
        ("locks-not-an-array", "the locks part is a JSON array", "{}"),
        (
            "locks-space-before",
            "no white space stands before the locks",
            " []",
        ),
        (
            "locks-space-behind",
            "no white space stands behind the locks",
            "[]\n",
        ),
        (
            "locks-text-behind",
            "nothing stands behind the locks",
            "[][]",
        ),
    ] {
        cases.refused(name, rule, &team, with_locks(&team, locks), Code::Damaged);
    }
    let many = json!(vec![0; 65]).to_string();
    cases.refused(
        "locks-more-than-64",
        "there are at most 64 locks",
        &team,
        with_locks(&team, &many),
        Code::Damaged,
    );
    let many = json!(vec![0; 64]).to_string();
    cases.opens(
        "locks-all-broken",
        "an identity opens the file whatever stands in place of the locks",
        &team,
        with_locks(&team, &many),
    );
    cases
        .refused(
            "no-lock",
            "without a lock no passphrase opens the vault",
            &team,
            file.clone(),
            Code::NoLock,
        )
        .by_passphrase(PASSPHRASE);
}

fn shapes(cases: &mut Cases) {
    broken(
        cases,
        "lock-name-unknown",
        "a lock has no other names",
        |lock| lock["more"] = json!(0),
    );
    broken(cases, "lock-name-missing", "a lock has all names", |lock| {
        lock.as_object_mut().unwrap().remove("tag");
    });
    broken(
        cases,
        "lock-kdf-unknown",
        "another key derivation is not guessed at",
        |lock| lock["kdf"] = json!("scrypt"),
    );
    broken(
        cases,
        "lock-not-an-object",
        "a lock is a JSON object",
        |lock| {
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
            *lock = names.map(|name| lock[name].take()).into_iter().collect();
        },
    );
    broken(
        cases,
        "lock-upper-case-base16",
        "base16 is in lower case",
        |lock| {
            let salt = lock["salt"].as_str().unwrap().to_ascii_uppercase();
            lock["salt"] = json!(salt);
        },
    );
    broken(
        cases,
        "lock-salt-too-short",
        "binary fields have their length",
        |lock| lock["salt"] = json!("00"),
    );
    broken(
        cases,
        "lock-cost-name-unknown",
        "a cost has no other names",
        |lock| lock["cost"]["more"] = json!(0),
    );
    let team = Team::founded(0, Some(PASSPHRASE));
    let lock =
        lock_of(&team)
            .to_string()
            .replacen("\"kdf\"", "\"kdf\":\"argon2id-v19\",\"kdf\"", 1);
    cases
        .refused(
            "lock-name-twice",
            "a name stands once in a lock",
            &team,
            with_locks(&team, &format!("[{lock}]")),
            Code::NoLock,
        )
        .by_passphrase(PASSPHRASE);
}

fn costs(cases: &mut Cases) {
    let mut cost = |name, rule: &str, memory_kib: u64, passes: u64, lanes: u64| {
        broken(cases, name, rule, |lock| {
            lock["cost"] = json!({"memory_kib": memory_kib, "passes": passes, "lanes": lanes});
        });
    };
    cost(
        "lock-memory-too-small",
        "Argon2id has at least 19 MiB",
        19_455,
        1,
        1,
    );
    cost(
        "lock-memory-too-large",
        "Argon2id has at most 256 MiB unless the caller allows more",
        262_145,
        1,
        1,
    );
    cost(
        "lock-passes-zero",
        "Argon2id has at least one pass",
        19_456,
        0,
        1,
    );
    cost(
        "lock-passes-too-many",
        "Argon2id has at most 16 passes",
        19_456,
        17,
        1,
    );
    cost(
        "lock-lanes-zero",
        "Argon2id has at least one lane",
        19_456,
        1,
        0,
    );
    cost(
        "lock-lanes-too-many",
        "Argon2id has at most 4 lanes",
        19_456,
        1,
        5,
    );
    cost(
        "lock-work-too-large",
        "memory times passes is at most 1 GiB",
        262_144,
        5,
        1,
    );
    cost(
        "lock-cost-beyond-32-bits",
        "a cost is checked before it is reckoned with",
        1 << 32,
        1,
        1,
    );
}

fn contents(cases: &mut Cases) {
    let mut team = Team::founded(0, Some(PASSPHRASE));
    team.add("x", &[("APIKey", "a")]);
    cases
        .opens(
            "accepted-passphrase",
            "a passphrase opens a lock, and so the vault",
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

    let good = lock_of(&team);
    let locks = json!([{"grant": "later", "kdf": "a later version's"}, good]).to_string();
    cases
        .opens(
            "broken-lock-beside-a-good-one",
            "a broken lock disables itself, not the file",
            &team,
            with_locks(&team, &locks),
        )
        .by_passphrase(PASSPHRASE);

    let mut tampered = good.clone();
    tampered["tag"] = json!("00000000000000000000000000000000");
    let file = with_locks(&team, &json!([tampered, good]).to_string());
    cases
        .opens(
            "broken-lock-tag",
            "a lock whose content does not unwrap is broken",
            &team,
            file,
        )
        .by_passphrase(PASSPHRASE);

    let passphrase = Passphrase::new(PASSPHRASE).unwrap();
    let grant = team.vault.access.grant;
    let forge = |vault_id, grant, identity: &_| {
        let rng = &mut Counter::new(4);
        let lock = access::lock(rng, vault_id, grant, identity, &passphrase, Cost::MIN).unwrap();
        serde_json::to_value(lock).unwrap()
    };
    let stranger = Team::founded(1, None);
    let lock = forge(team.vault_id(), grant, stranger.identity("ops"));
    let file = with_locks(&team, &json!([lock, good]).to_string());
    cases
        .opens(
            "broken-lock-identity",
            "a lock whose identity is not its grant's is broken",
            &team,
            file,
        )
        .by_passphrase(PASSPHRASE);

    let lock = forge(team.vault_id(), GrantId(Hex([9; 8])), team.identity("ops"));
    let file = with_locks(&team, &json!([lock]).to_string());
    cases
        .refused(
            "lock-of-no-grant",
            "a lock whose grant the header does not list is ignored",
            &team,
            file,
            Code::NoLock,
        )
        .by_passphrase(PASSPHRASE);

    let lock = forge(log::vault_id(&[1; 32]), grant, team.identity("ops"));
    let file = with_locks(&team, &json!([lock]).to_string());
    cases
        .refused(
            "lock-of-another-vault",
            "a lock was made for one vault: another in its place does not open",
            &team,
            file,
            Code::WrongVault,
        )
        .by_passphrase(PASSPHRASE);

    let mut moved = good.clone();
    let mut team = Team::founded(0, Some(PASSPHRASE));
    team.grant("reader", crate::role::Role::Reader);
    moved["grant"] = json!(team.vault.header.grants[1].id);
    let file = with_locks(&team, &json!([moved]).to_string());
    cases
        .refused(
            "lock-moved-to-another-grant",
            "a lock is bound to its grant",
            &team,
            file,
            Code::WrongPassphrase,
        )
        .by_passphrase(PASSPHRASE);
}
