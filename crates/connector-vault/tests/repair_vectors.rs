//! Runs `tests/vectors/repair`: what a repair makes of the files of `tests/vectors/format`.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    unreachable_pub,
    dead_code,
    reason = "vectors are files, and the schema serves other tests too"
)]

use std::collections::BTreeMap;

use connector_vault::{
    ExternalKey, Host, Identity, OpenOptions, Passphrase, RepairOptions, Repaired, Result,
    Timestamp, Unlock, Vault, VaultId,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

#[path = "vectors/conformance.rs"]
mod conformance;
#[path = "vectors/format.rs"]
mod files;
#[path = "vectors/repair.rs"]
mod vectors;

use files::{UnlockBy, VaultVector};
use vectors::{Expect, RepairVector};

fn repair(vector: &VaultVector, repair: RepairOptions) -> Result<Repaired> {
    let options = OpenOptions {
        vault_id: vector
            .vault_id
            .as_deref()
            .map(str::parse::<VaultId>)
            .transpose()?,
        known: vector
            .known_head
            .clone()
            .map(|known| serde_json::from_value(known).expect("a known head")),
        ..OpenOptions::default()
    };
    let file = base16ct::lower::decode_vec(&vector.file).expect("base16");
    let host = &mut Host {
        now: Timestamp::new("2026-11-23T20:15:59.000Z")?,
        rng: &mut StdRng::seed_from_u64(83),
    };
    match &vector.unlock {
        UnlockBy::Identity(text) => {
            let identity = Identity::parse(text)?;
            Vault::repair(&file, Unlock::Identity(&identity), &options, repair, host)
        }
        UnlockBy::Passphrase(text) => {
            let passphrase = Passphrase::new(text)?;
            Vault::repair(
                &file,
                Unlock::Passphrase(&passphrase),
                &options,
                repair,
                host,
            )
        }
        UnlockBy::Key(text) => {
            let key = base16ct::lower::decode_vec(text).expect("base16");
            let key = ExternalKey::from_bytes(&key)?;
            Vault::repair(&file, Unlock::Key(&key), &options, repair, host)
        }
    }
}

#[test]
fn repair_vectors() {
    let files: BTreeMap<String, VaultVector> = files::load("format");
    let vectors: BTreeMap<String, RepairVector> = files::load("repair");
    conformance::run("Rust", "repair", vectors, |vector| {
        check(vector, &files[&vector.format]);
        None
    });
}

#[test]
fn a_vector_with_a_name_more_is_rejected() {
    conformance::rejects_one_more_name(files::texts("repair"), |name, text| {
        files::parse::<RepairVector>(name, text).err()
    });
}

fn check(vector: &RepairVector, file: &VaultVector) {
    let options = RepairOptions {
        elsewhere: vector.elsewhere,
        older_header: vector.older_header,
    };
    let found = match repair(file, options) {
        Ok(repaired) => {
            let sound = repaired.vault.verify().expect("a walk");
            assert!(sound.iter().all(|verdict| verdict.problems.is_empty()));
            let overviews = repaired
                .vault
                .list()
                .map(|overview| overview.expect("sound"));
            Expect {
                error: None,
                recovered: repaired.recovered,
                restored: repaired.restored.len(),
                elsewhere: repaired.elsewhere.len(),
                lost: repaired.lost.len(),
                gaps: repaired.gaps.len(),
                connectors: overviews
                    .map(|overview| (overview.id.to_string(), overview.version.get()))
                    .collect(),
            }
        }
        Err(error) => Expect {
            error: Some(error.code().as_str().to_owned()),
            ..Expect::default()
        },
    };
    assert_eq!(found, vector.expect);
}
