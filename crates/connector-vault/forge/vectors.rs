//! Makes the vectors of `tests/vectors/{format,keys}`: one for each rule of `docs/format.md`, with
//! a clock that stands still and randomness that repeats.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    unreachable_pub,
    reason = "tests fail by panicking, and vectors are files"
)]

use std::collections::BTreeMap;

use super::Team;
use crate::access::{KeySlotMatch, Unlock};
use crate::crypto::identity::Identity;
use crate::crypto::kdf::{ExternalKey, Passphrase};
use crate::error::{Code, Result};
use crate::log::VaultReference;
use crate::vault::{KnownHead, OpenOptions, Vault};

mod accepted;
mod commits;
mod damage;
#[path = "../tests/vectors/format.rs"]
mod files;
mod groups;
mod headers;
mod heads;
mod key_slots;
mod keys;
mod ops;
mod patches;
mod records;
mod rights;
mod torn;

use files::{
    ExpectConnector, ExpectDamaged, ExpectGroup, ExpectKeySlot, ExpectProblem, ExpectTorn,
    KeyVector, UnlockBy, VaultExpect, VaultVector,
};

/// Writes the vectors that are missing and refuses to alter one that is there:
/// `cargo xtask vectors`.
#[test]
#[ignore = "writes files"]
fn make_vectors() {
    let failures: Vec<String> = all()
        .into_iter()
        .filter_map(|((folder, name), text)| files::write_missing(folder, &name, &text).err())
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Nothing drifts: making the vectors again gives exactly the files that are there, each of them
/// and no other.
#[test]
fn vectors_are_what_is_made() {
    let made = all();
    for folder in ["format", "keys"] {
        let files = files::texts(folder);
        let of_folder = made.iter().filter(|((made, _), _)| *made == folder);
        let mut count = 0;
        for ((_, name), text) in of_folder {
            let present = files.get(name);
            assert!(
                present == Some(text),
                "{folder}/{name}.json is not what is made; for a missing one run `cargo xtask vectors`"
            );
            count += 1;
        }
        assert_eq!(count, files.len(), "a file of {folder} is not made");
    }
}

/// The texts of all vectors, by folder and name.
fn all() -> BTreeMap<(&'static str, String), String> {
    let mut cases = Cases::default();
    accepted::make(&mut cases);
    headers::make(&mut cases);
    groups::make(&mut cases);
    key_slots::make(&mut cases);
    commits::make(&mut cases);
    torn::make(&mut cases);
    rights::make(&mut cases);
    ops::make(&mut cases);
    patches::make(&mut cases);
    records::make(&mut cases);
    heads::make(&mut cases);
    damage::make(&mut cases);
    let mut all = BTreeMap::new();
    for (name, mut vector) in cases.0 {
        settle(name, &mut vector);
        let text = files::text_of(&vector);
        assert!(
            all.insert(("format", name.to_owned()), text).is_none(),
            "{name} twice"
        );
    }
    for (name, vector) in keys::make() {
        let text = files::text_of::<KeyVector>(&vector);
        assert!(
            all.insert(("keys", name.to_owned()), text).is_none(),
            "{name} twice"
        );
    }
    all
}

/// The vectors of the folder `format`.
#[derive(Default)]
struct Cases(Vec<(&'static str, VaultVector)>);

impl Cases {
    /// A file that opens by its owner's identity.
    fn opens(
        &mut self,
        name: &'static str,
        rule: &str,
        team: &Team,
        file: Vec<u8>,
    ) -> &mut VaultVector {
        let vector = VaultVector {
            rule: rule.to_owned(),
            unlock: UnlockBy::Identity(team.identity("ops").to_text().to_string()),
            hint: None,
            vault_id: Some(team.vault_id().to_string()),
            reference: None,
            known_head: None,
            work_kib_max: None,
            expect: VaultExpect::default(),
            file: base16ct::lower::encode_string(&file),
        };
        self.0.push((name, vector));
        &mut self.0.last_mut().unwrap().1
    }

    /// A file that its owner's identity does not open.
    fn refused(
        &mut self,
        name: &'static str,
        rule: &str,
        team: &Team,
        file: Vec<u8>,
        code: Code,
    ) -> &mut VaultVector {
        let vector = self.opens(name, rule, team, file);
        vector.expect.error = Some(code.as_str().to_owned());
        vector
    }
}

impl VaultVector {
    fn by(&mut self, identity: &Identity) -> &mut Self {
        self.unlock = UnlockBy::Identity(identity.to_text().to_string());
        self
    }

    /// By a passphrase, which says itself which vault to trust.
    fn by_passphrase(&mut self, passphrase: &str) -> &mut Self {
        self.unlock = UnlockBy::Passphrase(passphrase.to_owned());
        self.vault_id = None;
        self
    }

    /// By an external key, whose key slot says which vault to trust.
    fn by_key(&mut self, key: [u8; 32]) -> &mut Self {
        self.unlock = UnlockBy::Key(base16ct::lower::encode_string(&key));
        self.vault_id = None;
        self
    }

    fn with_hint(&mut self, hint: &[u8]) -> &mut Self {
        self.hint = Some(base16ct::lower::encode_string(hint));
        self
    }

    /// The key slots are listed too.
    fn listed(&mut self) -> &mut Self {
        self.expect.key_slots = Some(Vec::new());
        self
    }

    fn known(&mut self, known: &KnownHead) -> &mut Self {
        self.known_head = Some(serde_json::to_value(known).unwrap());
        self.vault_id = None;
        self
    }

    fn referred(&mut self, reference: VaultReference) -> &mut Self {
        self.reference = Some(reference.to_string());
        self.vault_id = None;
        self
    }

    fn says(&mut self, part: &str) -> &mut Self {
        self.expect.message_contains = Some(part.to_owned());
        self
    }

    /// Expects that a connector does not read.
    fn reads(&mut self, id: &str, code: Code) -> &mut Self {
        let errors = &mut self.expect.read_error;
        errors.insert(id.to_owned(), code.as_str().to_owned());
        self
    }

    fn open(&self) -> Result<Vault> {
        let options = OpenOptions {
            vault_id: self.vault_id.as_deref().map(|id| id.parse().unwrap()),
            reference: self.reference.as_deref().map(|text| text.parse().unwrap()),
            known: self
                .known_head
                .as_ref()
                .map(|known| serde_json::from_value(known.clone()).unwrap()),
            work_kib_max: self.work_kib_max.unwrap_or(crate::limits::WORK_KIB_MAX),
            ..OpenOptions::default()
        };
        let file = base16ct::lower::decode_vec(&self.file).unwrap();
        match &self.unlock {
            UnlockBy::Identity(text) => Vault::open(
                file,
                Unlock::Identity(&Identity::parse(text).unwrap()),
                &options,
            ),
            UnlockBy::Passphrase(text) => Vault::open(
                file,
                Unlock::Passphrase(&Passphrase::new(text).unwrap()),
                &options,
            ),
            UnlockBy::Key(text) => {
                let key = base16ct::lower::decode_vec(text).unwrap();
                let key = ExternalKey::from_bytes(&key).unwrap();
                let hint = self.hint.as_ref();
                let hint = hint.map(|hint| base16ct::lower::decode_vec(hint).unwrap());
                let unlock = match &hint {
                    Some(hint) => Unlock::KeySlot(&key, KeySlotMatch::hint(hint)),
                    None => Unlock::Key(&key),
                };
                Vault::open(file, unlock, &options)
            }
        }
    }
}

/// Fills in what an opening shows. Errors stand in the case already: they are the rule.
fn settle(name: &str, vector: &mut VaultVector) {
    if vector.expect.key_slots.is_some() {
        let file = base16ct::lower::decode_vec(&vector.file).unwrap();
        let slots = Vault::key_slots(&file, &OpenOptions::default()).unwrap();
        let slots = slots.into_iter().map(|slot| ExpectKeySlot {
            grant: slot.grant.map(|grant| grant.to_string()),
            label: slot.label,
            kind: slot.kind.map(|kind| {
                serde_json::to_value(kind)
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .to_owned()
            }),
            hint: slot.hint.map(|hint| base16ct::lower::encode_string(&hint)),
            prf_input: slot
                .prf_input
                .map(|input| base16ct::lower::encode_string(&input)),
            broken: slot.broken.is_some(),
        });
        vector.expect.key_slots = Some(slots.collect());
    }
    let opened = vector.open();
    let vault = match (opened, &vector.expect.error) {
        (Ok(vault), None) => vault,
        (Err(error), Some(code)) => {
            assert_eq!(error.code().as_str(), code, "{name}: {error}");
            let part = vector
                .expect
                .message_contains
                .as_deref()
                .unwrap_or_default();
            assert!(error.message().contains(part), "{name}: {error}");
            return;
        }
        (Ok(_), Some(code)) => panic!("{name}: no {code}"),
        (Err(error), None) => panic!("{name}: {error:?}"),
    };
    let report = vault.report();
    let expect = &mut vector.expect;
    expect.head = Some(serde_json::to_value(vault.head()).unwrap());
    expect.role = Some(vault.role().to_string());
    expect.label = Some(vault.label().to_owned());
    let continuity = serde_json::to_value(report.continuity).unwrap();
    expect.continuity = continuity.as_str().map(str::to_owned);
    expect.handover = report.handover;
    expect.torn = report.torn.map(|torn| ExpectTorn {
        offset: torn.offset,
        len: torn.len,
    });
    expect.broken_key_slots = report.broken_key_slots.len();
    let errors = vault.list().filter_map(std::result::Result::err);
    expect.damaged = errors
        .map(|error| ExpectDamaged {
            connector: error.connector().map(str::to_owned),
            code: error.code().as_str().to_owned(),
        })
        .collect();
    let verdicts = vault.verify().unwrap().into_iter();
    expect.problems = verdicts
        .flat_map(|verdict| {
            verdict
                .problems
                .into_iter()
                .map(move |problem| ExpectProblem {
                    seq: verdict.seq,
                    code: problem.code().as_str().to_owned(),
                })
        })
        .collect();
    let expected = std::mem::take(&mut expect.read_error);
    let mut connectors = BTreeMap::new();
    for overview in vault.list().flatten() {
        let id = overview.id.as_str();
        let properties = match vault.read(id) {
            Ok(connector) => {
                let properties = connector.properties.iter();
                Some(
                    properties
                        .map(|(name, value)| (name.to_string(), value.expose().to_owned()))
                        .collect(),
                )
            }
            Err(error) => {
                expect
                    .read_error
                    .insert(id.to_owned(), error.code().as_str().to_owned());
                None
            }
        };
        let versions = vault.history(id).unwrap();
        let signed_by = versions.iter().map(|version| {
            let label = version.signed_by.and_then(|grant| vault.label_of(grant));
            label.map(str::to_owned)
        });
        let connector = ExpectConnector {
            name: overview.name,
            type_name: overview.type_name,
            versions: versions
                .iter()
                .map(|version| version.overview.version.get())
                .collect(),
            signed_by: signed_by.collect(),
            op: overview.op.as_str().to_owned(),
            names: overview
                .properties
                .iter()
                .map(ToString::to_string)
                .collect(),
            properties,
            note: overview.note,
            request_id: overview.request_id,
            meta: overview
                .meta
                .iter()
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect(),
            created_at: overview.created_at.to_string(),
            rotated_at: overview.rotated_at.to_string(),
        };
        connectors.insert(id.to_owned(), connector);
    }
    assert!(
        expected.is_empty() || expected == expect.read_error,
        "{name}: {:?}",
        expect.read_error
    );
    expect.connectors = Some(connectors);
    let groups = vault.groups().unwrap();
    expect.groups = (groups.len() > 1).then(|| {
        let groups = groups.into_iter().map(|group| ExpectGroup {
            name: group.name,
            connectors: group.connectors,
            grants: group.grants,
        });
        groups.collect()
    });
}
