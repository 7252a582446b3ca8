//! Runs `tests/vectors/{format,keys}` through the public API: what every surface must make of a file.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    unreachable_pub,
    dead_code,
    reason = "vectors are files, and tests fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use connector_vault::{
    Code, Continuity, ExternalKey, GrantKey, Identity, KeySlotMatch, KnownHead, OpenOptions,
    Opening, Passphrase, Result, Step, Unlock, Vault, VaultId, VaultReference,
};

#[path = "vectors/conformance.rs"]
mod conformance;
#[path = "vectors/format.rs"]
mod files;
#[path = "support/remote.rs"]
mod remote;

use files::{
    ExpectConnector, ExpectDamaged, ExpectGroup, ExpectKeySlot, ExpectProblem, ExpectTorn, Given,
    KeyVector, UnlockBy, VaultVector,
};
use remote::Remote;

#[test]
fn format_vectors() {
    let vectors: BTreeMap<String, VaultVector> = files::load("format");
    conformance::run("Rust", "format", vectors, |vector| {
        check(vector);
        None
    });
}

#[test]
fn key_vectors() {
    let vectors: BTreeMap<String, KeyVector> = files::load("keys");
    conformance::run("Rust", "keys", vectors, check_key);
}

#[test]
fn a_vector_with_a_name_more_is_rejected() {
    conformance::rejects_one_more_name(files::texts("format"), |name, text| {
        files::parse::<VaultVector>(name, text).err()
    });
    conformance::rejects_one_more_name(files::texts("keys"), |name, text| {
        files::parse::<KeyVector>(name, text).err()
    });
}

#[test]
fn every_folder_has_its_runners() {
    let known = [
        "README.md",
        "action",
        "format",
        "keys",
        "merge",
        "repair",
        "token",
    ];
    assert_eq!(conformance::entries("."), known);
}

fn open(vector: &VaultVector, known: Option<KnownHead>) -> Result<Vault> {
    let vault_id = vector
        .vault_id
        .as_deref()
        .map(str::parse::<VaultId>)
        .transpose()?;
    let options = OpenOptions {
        vault_id,
        reference: vector
            .reference
            .as_deref()
            .map(str::parse::<VaultReference>)
            .transpose()?,
        known,
        work_kib_max: vector
            .work_kib_max
            .unwrap_or(connector_vault::limits::WORK_KIB_MAX),
        ..OpenOptions::default()
    };
    let file = bytes(&vector.file);
    match &vector.unlock {
        UnlockBy::Identity(text) => {
            opened(file, Unlock::Identity(&Identity::parse(text)?), &options)
        }
        UnlockBy::Passphrase(text) => {
            opened(file, Unlock::Passphrase(&Passphrase::new(text)?), &options)
        }
        UnlockBy::Key(text) => {
            let key = ExternalKey::from_bytes(&bytes(text))?;
            let hint = vector.hint.as_deref().map(bytes);
            let unlock = match &hint {
                Some(hint) => Unlock::KeySlot(&key, KeySlotMatch::hint(hint)),
                None => Unlock::Key(&key),
            };
            opened(file, unlock, &options)
        }
    }
}

/// Opens a file. The verdict is the same where each byte has to be fetched.
fn opened(file: Vec<u8>, unlock: Unlock<'_>, options: &OpenOptions) -> Result<Vault> {
    let remote = Remote::new(file.clone());
    let mut opening = Opening::new(remote.clone(), unlock, options.clone());
    let lazy = loop {
        match opening.step() {
            Err(error) => break Err(error),
            Ok(Step::Done(vault)) => break Ok(vault),
            Ok(Step::Need(missing)) => assert!(remote.fetch(&missing), "fetched twice"),
            Ok(_) => {}
        }
    };
    let vault = Vault::open(file, unlock, options);
    match (&lazy, &vault) {
        (Ok(lazy), Ok(vault)) => {
            assert_eq!(lazy.head(), vault.head());
            assert_eq!(lazy.report(), vault.report());
        }
        (Err(lazy), Err(error)) => {
            assert_eq!(lazy.code(), error.code());
            assert_eq!(lazy.message(), error.message());
        }
        _ => panic!("{lazy:?}, but in memory {vault:?}"),
    }
    vault
}

fn check(vector: &VaultVector) {
    let known = vector.known_head.clone();
    let known = known.map(|known| serde_json::from_value(known).expect("a known head"));
    // It never panics, and what is no sound vault has no id.
    let identified = Vault::identify(&bytes(&vector.file));
    check_key_slots(vector);
    let vault = match (open(vector, known), &vector.expect.error) {
        (Ok(vault), None) => vault,
        (Err(error), Some(code)) => {
            assert_eq!(error.code().as_str(), code, "{error:?}");
            let part = vector
                .expect
                .message_contains
                .as_deref()
                .unwrap_or_default();
            assert!(error.message().contains(part), "{error:?}");
            check_no_secret(vector, error.message());
            check_no_secret(vector, error.hint().unwrap_or_default());
            return;
        }
        (Ok(_), Some(code)) => panic!("no {code}"),
        (Err(error), None) => panic!("{error:?}"),
    };
    let expect = &vector.expect;
    assert_eq!(
        identified.expect("a vault that opens"),
        vault.head().vault_id
    );
    let head = serde_json::to_value(vault.head()).expect("a head is JSON");
    assert_eq!(Some(head), expect.head);
    assert_eq!(Some(vault.role().as_str()), expect.role.as_deref());
    assert_eq!(Some(vault.label()), expect.label.as_deref());
    let report = vault.report();
    let continuity = serde_json::to_value(report.continuity).expect("a word");
    assert_eq!(continuity.as_str(), expect.continuity.as_deref());
    assert_eq!(report.handover, expect.handover);
    let torn = report.torn.map(|torn| ExpectTorn {
        offset: torn.offset,
        len: torn.len,
    });
    assert_eq!(torn, expect.torn);
    assert_eq!(report.broken_key_slots.len(), expect.broken_key_slots);
    let errors = vault.list().filter_map(std::result::Result::err);
    let damaged = errors.map(|error| ExpectDamaged {
        connector: error.connector().map(str::to_owned),
        code: error.code().as_str().to_owned(),
    });
    assert_eq!(damaged.collect::<Vec<_>>(), expect.damaged);
    check_connectors(vector, &vault);
    check_groups(vector, &vault);
    let problems = vault.verify().expect("a walk").into_iter();
    let problems = problems.flat_map(|verdict| {
        verdict
            .problems
            .into_iter()
            .map(move |problem| ExpectProblem {
                seq: verdict.seq,
                code: problem.code().as_str().to_owned(),
            })
    });
    assert_eq!(problems.collect::<Vec<_>>(), expect.problems);
    // What a client keeps of it recognizes it.
    let json = serde_json::to_string(&vault.known_head()).expect("a known head is JSON");
    let kept: KnownHead = serde_json::from_str(&json).expect("its own JSON");
    assert_eq!(kept, vault.known_head());
    let again = open(vector, Some(kept)).expect("its own head");
    assert_eq!(again.report().continuity, Continuity::Continues);
}

/// Listing the key slots never panics, and lists what is expected.
fn check_key_slots(vector: &VaultVector) {
    let slots = Vault::key_slots(&bytes(&vector.file), &OpenOptions::default());
    let Some(expected) = &vector.expect.key_slots else {
        return;
    };
    let hex = |bytes: &[u8]| base16ct::lower::encode_string(bytes);
    let slots = slots.expect("a vault whose header is sound").into_iter();
    let slots: Vec<_> = slots
        .map(|slot| ExpectKeySlot {
            grant: slot.grant.map(|grant| grant.to_string()),
            label: slot.label,
            kind: slot.kind.map(|kind| {
                let kind = serde_json::to_value(kind).expect("a word");
                kind.as_str().expect("a word").to_owned()
            }),
            hint: slot.hint.as_deref().map(hex),
            prf_input: slot.prf_input.as_ref().map(|input| hex(input)),
            broken: slot.broken.is_some(),
        })
        .collect();
    assert_eq!(slots, *expected);
}

fn check_groups(vector: &VaultVector, vault: &Vault) {
    let groups = vault.groups().expect("pages in memory");
    let groups = groups.into_iter().map(|group| ExpectGroup {
        name: group.name,
        connectors: group.connectors,
        grants: group.grants,
    });
    let groups: Vec<_> = groups.collect();
    let others = (groups.len() > 1).then_some(groups);
    assert_eq!(others, vector.expect.groups);
}

fn check_connectors(vector: &VaultVector, vault: &Vault) {
    let mut connectors = BTreeMap::new();
    let mut errors = BTreeMap::new();
    for overview in vault.list().flatten() {
        let id = overview.id.as_str();
        let versions = vault.history(id).expect("a present connector");
        let properties = match vault.read(id) {
            Ok(connector) => {
                let values = connector.properties.iter();
                Some(
                    values
                        .map(|(name, value)| (name.to_string(), value.expose().to_owned()))
                        .collect(),
                )
            }
            Err(error) => {
                errors.insert(id.to_owned(), error.code().as_str().to_owned());
                None
            }
        };
        let found = ExpectConnector {
            name: overview.name.clone(),
            type_name: overview.type_name.clone(),
            versions: versions
                .iter()
                .map(|version| version.overview.version.get())
                .collect(),
            signed_by: versions
                .into_iter()
                .map(|version| vault.attributed(version).signed_by)
                .collect(),
            op: overview.op.as_str().to_owned(),
            names: overview
                .properties
                .iter()
                .map(ToString::to_string)
                .collect(),
            properties,
            note: overview.note.clone(),
            request_id: overview.request_id.clone(),
            meta: overview
                .meta
                .iter()
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect(),
            created_at: overview.created_at.to_string(),
            rotated_at: overview.rotated_at.to_string(),
        };
        connectors.insert(id.to_owned(), found);
    }
    assert_eq!(Some(connectors), vector.expect.connectors);
    assert_eq!(errors, vector.expect.read_error);
}

fn check_no_secret(vector: &VaultVector, text: &str) {
    let (UnlockBy::Identity(secret) | UnlockBy::Passphrase(secret) | UnlockBy::Key(secret)) =
        &vector.unlock;
    assert!(!text.contains(secret), "{text}");
}

/// Text forms. The other steps are the core's own and are checked there: their names are returned.
fn check_key(vector: &KeyVector) -> Option<&'static str> {
    let expect = &vector.expect;
    match &vector.given {
        Given::Identity(text) => match Identity::parse(text) {
            Ok(identity) => {
                let key = identity.grant_key();
                assert_eq!(Some(key.to_string()), expect.grant_key);
                assert_eq!(Some(key.fingerprint()), expect.fingerprint);
                assert_eq!(*identity.to_text(), text.to_ascii_lowercase());
            }
            Err(error) => assert_eq!(Some(error.code().as_str()), expect.error.as_deref()),
        },
        Given::GrantKey(text) => match GrantKey::parse(text) {
            Ok(key) => {
                assert!(expect.error.is_none());
                assert_eq!(Some(key.to_string()), expect.grant_key);
                assert_eq!(Some(key.fingerprint()), expect.fingerprint);
            }
            Err(error) => assert_eq!(Some(error.code().as_str()), expect.error.as_deref()),
        },
        Given::VaultReference(text) => match text.parse::<VaultReference>() {
            Ok(reference) => {
                assert_eq!(Some(reference.vault_id().to_string()), expect.vault_id);
                assert_eq!(Some(reference.epoch()), expect.epoch);
                assert_eq!(reference.to_string(), text.trim());
            }
            Err(error) => assert_eq!(Some(error.code().as_str()), expect.error.as_deref()),
        },
        step => return Some(step.name()),
    }
    None
}

/// Every rule names its vector, and every vector stands at its rule.
#[test]
fn every_rule_has_its_vectors() {
    let docs = read("docs/format.md");
    let links = docs.split("../tests/vectors/").skip(1);
    let linked: BTreeSet<String> = links
        .filter_map(|part| part.split_once(')')?.0.strip_suffix(".json"))
        .map(str::to_owned)
        .collect();
    let mut present = BTreeSet::new();
    for folder in ["format", "keys"] {
        present.extend(
            files::texts(folder)
                .into_keys()
                .map(|name| format!("{folder}/{name}")),
        );
    }
    let undocumented: Vec<_> = present.difference(&linked).collect();
    assert!(
        undocumented.is_empty(),
        "not in docs/format.md: {undocumented:#?}"
    );
    let missing: Vec<_> = linked.difference(&present).collect();
    assert!(
        missing.is_empty(),
        "in docs/format.md, but no file: {missing:#?}"
    );
    // A rule names its vectors, or is a list each of whose items does.
    let blocks = blocks(&docs);
    let mut in_rules = false;
    for (index, block) in blocks.iter().enumerate() {
        let is_item = block.starts_with("- ");
        let is_rule = block.contains("MUST") && !block.contains("writer MUST");
        let leads_list = blocks[index + 1..]
            .iter()
            .find(|block| !block.is_empty())
            .is_some_and(|next| next.starts_with("- "));
        in_rules =
            (in_rules && (is_item || block.is_empty())) || (is_rule && !is_item && leads_list);
        let needs = if is_item {
            in_rules || is_rule
        } else {
            is_rule && !leads_list
        };
        assert!(
            !needs || block.contains("../tests/vectors/"),
            "a rule without a vector:\n{block}"
        );
    }
}

/// Paragraphs and items of lists.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        if line.is_empty() || line.starts_with("- ") || line.starts_with('|') {
            blocks.push(String::new());
        }
        let block = blocks.last_mut().expect("there is a first");
        block.push_str(line);
        block.push_str(if line.is_empty() { "" } else { "\n" });
    }
    blocks
}

/// Codes that a file can cause, each shown by a vector.
#[test]
fn every_code_of_a_file_has_a_vector() {
    let vectors: BTreeMap<String, VaultVector> = files::load("format");
    let seen: BTreeSet<&str> = vectors
        .values()
        .flat_map(|vector| {
            let read = vector.expect.read_error.values().map(String::as_str);
            read.chain(vector.expect.error.as_deref())
        })
        .collect();
    for code in [
        Code::NotAVault,
        Code::UnsupportedVersion,
        Code::Damaged,
        Code::LimitExceeded,
        Code::WrongPassphrase,
        Code::WrongKey,
        Code::NoKeySlot,
        Code::WrongIdentity,
        Code::VaultIdRequired,
        Code::WrongVault,
        Code::NotPermitted,
        Code::BadSignature,
        Code::UnauthorizedCommit,
        Code::RolledBack,
        Code::FalseRecord,
        Code::Forked,
        Code::UntrustedOwner,
    ] {
        assert!(
            seen.contains(code.as_str()),
            "no vector for {}",
            code.as_str()
        );
    }
}

/// The annotated example of docs/format.md is `accepted-minimal`, byte by byte.
#[test]
fn the_annotated_example_is_exact() {
    let vectors: BTreeMap<String, VaultVector> = files::load("format");
    let file = bytes(&vectors["accepted-minimal"].file);
    let docs = read("docs/format.md");
    let (_, example) = docs
        .split_once("```annotated\n")
        .expect("an annotated example");
    let (example, _) = example.split_once("```").expect("its end");
    let mut shown = Vec::new();
    for line in example.lines() {
        let (offset, rest) = line.split_at(6);
        let (content, _) = rest.split_once("  ; ").unwrap_or((rest, ""));
        if let Ok(offset) = usize::from_str_radix(offset.trim(), 16) {
            assert_eq!(offset, shown.len(), "{line}");
        }
        let content = content.trim();
        match content
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''))
        {
            Some(text) => shown.extend_from_slice(text.as_bytes()),
            None => shown.extend(bytes(&content.replace(' ', ""))),
        }
    }
    assert_eq!(shown.len(), file.len());
    for (at, (shown, byte)) in shown.iter().zip(&file).enumerate() {
        assert_eq!(shown, byte, "at offset {at:#x}");
    }
}

fn bytes(text: &str) -> Vec<u8> {
    base16ct::lower::decode_vec(text).expect("lower-case base16")
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).expect("a readable file")
}
