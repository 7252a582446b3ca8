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
    Identity, OpenOptions, Passphrase, Repaired, Result, Unlock, Vault, VaultId,
};
use serde::Deserialize;

#[path = "vectors/format.rs"]
mod files;

use files::{UnlockBy, VaultVector};

/// A file of `tests/vectors/format`, and what a repair must make of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RepairVector {
    rule: String,
    /// Name of the vector in `format/` whose file, unlock, vault id and known head are used.
    format: String,
    /// Takes what is quarantined too.
    #[serde(default)]
    unsigned: bool,
    expect: Expect,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    recovered: usize,
    #[serde(default)]
    quarantined: usize,
    #[serde(default)]
    lost: usize,
    #[serde(default)]
    gaps: usize,
    /// The present versions of the connectors.
    #[serde(default)]
    connectors: BTreeMap<String, u64>,
}

fn repair(vector: &VaultVector, unsigned: bool) -> Result<Repaired> {
    let options = OpenOptions {
        vault_id: vector.vault_id.as_deref().map(VaultId::parse).transpose()?,
        known: vector
            .known_head
            .clone()
            .map(|known| serde_json::from_value(known).expect("a known head")),
        ..OpenOptions::default()
    };
    let file = base16ct::lower::decode_vec(&vector.file).expect("base16");
    match &vector.unlock {
        UnlockBy::Identity(text) => {
            let identity = Identity::parse(text)?;
            Vault::repair(&file, Unlock::Identity(&identity), &options, unsigned)
        }
        UnlockBy::Passphrase(text) => {
            let passphrase = Passphrase::new(text)?;
            Vault::repair(&file, Unlock::Passphrase(&passphrase), &options, unsigned)
        }
    }
}

#[test]
fn repair_vectors() {
    let files: BTreeMap<String, VaultVector> = files::load("format");
    let vectors: BTreeMap<String, RepairVector> = files::load("repair");
    assert!(vectors.len() >= 10, "too few vectors");
    for (name, vector) in &vectors {
        let file = &files[&vector.format];
        let found = match repair(file, vector.unsigned) {
            Ok(repaired) => {
                let sound = repaired.vault.verify().expect("a walk");
                assert!(
                    sound.iter().all(|verdict| verdict.problems.is_empty()),
                    "{name}"
                );
                let overviews = repaired
                    .vault
                    .connectors()
                    .map(|overview| overview.expect("sound"));
                Expect {
                    error: None,
                    recovered: repaired.recovered,
                    quarantined: repaired.quarantined.len(),
                    lost: repaired.lost.len(),
                    gaps: repaired.gaps.len(),
                    connectors: overviews
                        .map(|overview| (overview.id.to_string(), overview.version.get()))
                        .collect(),
                }
            }
            Err(error) => Expect {
                error: Some(error.code().as_str().to_owned()),
                recovered: 0,
                quarantined: 0,
                lost: 0,
                gaps: 0,
                connectors: BTreeMap::new(),
            },
        };
        assert_eq!(found, vector.expect, "{name}");
    }
}
