//! Hostile bytes: whatever stands in a file or behind a log, the library answers with an error or
//! a vault, never with a panic.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    unreachable_pub,
    dead_code,
    reason = "vectors are files, and tests fail by panicking"
)]

mod support;

use std::sync::LazyLock;

use connector_vault::{
    GrantKey, Identity, KnownHead, OpenOptions, Unlock, Vault, VaultId, log_start,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sha2::{Digest, Sha256};
use support::Kept;

#[path = "vectors/format.rs"]
mod files;

use files::{UnlockBy, VaultVector};

/// Vaults of all vectors that open, with the identity and vault id that open them.
static SEEDS: LazyLock<Vec<(Vec<u8>, Identity, VaultId)>> = LazyLock::new(|| {
    let vectors = files::load::<VaultVector>("format").into_values();
    vectors
        .filter(|vector| vector.expect.error.is_none())
        .filter_map(|vector| {
            let UnlockBy::Identity(identity) = &vector.unlock else {
                return None;
            };
            let file = base16ct::lower::decode_vec(&vector.file).expect("base16");
            let vault_id = Vault::identify(&file).expect("a vault");
            Some((
                file,
                Identity::parse(identity).expect("an identity"),
                vault_id,
            ))
        })
        .collect()
});

/// What storage may do to bytes.
#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Zero(Index, u8),
    Cut(Index),
    Remove(Index, u8),
    Repeat(Index, u8),
    Insert(Index, Vec<u8>),
    /// Makes the check of what may be a fixed part hold, so that what follows is looked at.
    Refix(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (at(), any::<u8>()).prop_map(|(at, len)| Edit::Zero(at, len)),
        at().prop_map(Edit::Cut),
        (at(), any::<u8>()).prop_map(|(at, len)| Edit::Remove(at, len)),
        (at(), any::<u8>()).prop_map(|(at, len)| Edit::Repeat(at, len)),
        (at(), vec(any::<u8>(), 1..80)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        at().prop_map(Edit::Refix),
    ]
}

fn apply(file: &mut Vec<u8>, edit: Edit) {
    if file.is_empty() {
        return;
    }
    let range = |file: &[u8], at: Index, len: u8| {
        let at = at.index(file.len());
        at..file.len().min(at + usize::from(len))
    };
    match edit {
        Edit::Set(at, byte) => *at.get_mut(file) = byte,
        Edit::Zero(at, len) => {
            let range = range(file, at, len);
            file[range].fill(0);
        }
        Edit::Cut(at) => file.truncate(at.index(file.len())),
        Edit::Remove(at, len) => drop(file.drain(range(file, at, len))),
        Edit::Repeat(at, len) => {
            let range = range(file, at, len);
            let (end, repeated) = (range.end, file[range].to_vec());
            drop(file.splice(end..end, repeated));
        }
        Edit::Insert(at, bytes) => {
            let at = at.index(file.len());
            drop(file.splice(at..at, bytes));
        }
        Edit::Refix(at) => {
            // The first commit, or a place.
            let prefix = file.first_chunk().map(log_start);
            let start = prefix
                .and_then(Result::ok)
                .map_or(0, |start| start as usize);
            let start = [start, at.index(file.len())][at.index(2)];
            if let Some(fixed) = file.get_mut(start..start + 59) {
                let check = Sha256::digest(&fixed[..51]);
                fixed[51..].copy_from_slice(&check[..8]);
            }
        }
    }
}

fn open(file: Vec<u8>, identity: &Identity, vault_id: VaultId) {
    let _ = Vault::identify(&file);
    let options = OpenOptions {
        vault_id: Some(vault_id),
        ..OpenOptions::default()
    };
    if let Ok(vault) = Vault::open(file, Unlock::Identity(identity), &options) {
        let _ = (vault.verify(), vault.log(), vault.log_end());
        for overview in vault.list().flatten() {
            let _ = (
                vault.read(overview.id.as_str()),
                vault.history(overview.id.as_str()),
            );
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in vec(any::<u8>(), 0..300)) {
        let (_, identity, vault_id) = &SEEDS[0];
        let behind = [b"CVAULT01\x02\0\0\0[]".as_slice(), &bytes].concat();
        open(bytes, identity, *vault_id);
        open(behind, identity, *vault_id);
    }

    #[test]
    fn mutated_vaults(seed in any::<Index>(), edits in vec(edit(), 1..5)) {
        let (file, identity, vault_id) = seed.get(&SEEDS);
        let mut file = file.clone();
        for edit in edits {
            apply(&mut file, edit);
        }
        open(file, identity, *vault_id);
    }

    #[test]
    fn mutated_tails(edits in vec(edit(), 1..4)) {
        static GROWN: LazyLock<(Vec<u8>, Identity, VaultId, Vec<u8>)> = LazyLock::new(|| {
            let mut kept = Kept::new(31);
            kept.add("x", &[("APIKey", "a")]).expect("added");
            let len = kept.file.len();
            kept.update("x", "APIKey", "b").expect("updated");
            kept.add("y", &[]).expect("added");
            let tail = kept.file.split_off(len);
            (kept.file, kept.identity, kept.vault.head().vault_id, tail)
        });
        let (file, identity, vault_id, tail) = &*GROWN;
        let options = OpenOptions { vault_id: Some(*vault_id), ..OpenOptions::default() };
        let mut vault = Vault::open(file.clone(), Unlock::Identity(identity), &options).expect("sound");
        let before = vault.log_end();
        let mut mutated = tail.clone();
        for edit in edits {
            apply(&mut mutated, edit);
        }
        let same = mutated == *tail;
        let refreshed = vault.refresh(mutated);
        let verdicts = vault.verify().expect("a walk");
        let sound = verdicts.iter().all(|verdict| verdict.problems.is_empty());
        match refreshed {
            // The two commits, the first alone before a torn tail, or nothing but a torn tail. A version of a commit that
            // is not the last can be damaged: whoever uses it hears of it.
            Ok(refreshed) => assert!(!sound || same || refreshed.torn.is_some() || refreshed.commits < 2),
            Err(_) => assert_eq!(vault.log_end(), before, "an error changes nothing"),
        }
        assert!(sound || vault.log_end() != before, "damage stands in what was added");
        assert_eq!(vault.len(), vault.list().count());
        // And the log goes on where it ends.
        if vault.log_end() == before {
            assert_eq!(vault.refresh(tail.clone()).expect("the honest tail").commits, 2);
        }
    }

    #[test]
    fn arbitrary_texts(text in ".{0,200}", prefix in select(vec!["", "cvault-identity-1", "cvault-grant-1"])) {
        let text = format!("{prefix}{text}");
        let _ = (Identity::parse(&text), GrantKey::parse(&text), text.parse::<VaultId>());
        let _ = serde_json::from_str::<KnownHead>(&text);
    }

    #[test]
    fn texts_of_keys_are_one(secret: [u8; 32]) {
        let mut rng = Bytes(secret);
        let identity = Identity::generate(&mut rng);
        let parsed = Identity::parse(&identity.to_text()).expect("its own text");
        assert_eq!(parsed.to_text(), identity.to_text());
        let key = identity.grant_key();
        assert_eq!(GrantKey::parse(&key.to_string()).expect("its own text"), key);
    }
}

/// Randomness that is what a property chose.
struct Bytes([u8; 32]);

impl rand_core::TryRng for Bytes {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for (byte, chosen) in bytes.iter_mut().zip(self.0) {
            *byte = chosen;
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Bytes {}
