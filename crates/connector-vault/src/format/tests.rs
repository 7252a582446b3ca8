//! What is encoded decodes to the same, and no bytes make decoding panic.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::commit::{
    Commit, Content, DIRECTORY_LEN_MIN, ENTRY_LEN, FIXED_LEN, Fixed, NewCommit, NewContent,
    NewSnapshot, ROW_LEN, SIGNATURE_LEN, Sealed,
};
use super::header::{Commitments, Features, Grant, Group, Handover, Header, Retired, SealedName};
use super::hex::{GrantId, GroupId, Hex, VaultId};
use super::key_slots::{self, Hint, Kdf, KeySlot};
use super::rights::{RightEntry, Scope, bundle_len};
use std::ops::Range;

use super::*;
use crate::crypto::aead::OVERHEAD;
use crate::crypto::kdf::Cost;
use crate::crypto::x_wing;
use crate::role::Role;

fn hex<const N: usize>() -> impl Strategy<Value = Hex<N>> {
    any::<[u8; N]>().prop_map(Hex)
}

fn label() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{1,32}"
}

prop_compose! {
    fn grant()(
        id in any::<[u8; 8]>(), label in label(), rights in vec((option::of(0..2u8), 0..Role::ALL.len() - 1), 1..4),
        until in any::<bool>(), extra in any::<bool>(), seed in any::<[u8; 32]>(), ed25519 in hex(), filling in any::<u8>(),
    ) -> Grant {
        let since: String = "2026-11-23T20:15:00.000Z".into();
        let until = until.then(|| since.clone());
        let extra = extra.then(|| strict::read("{ \"a\":[1.0] }").unwrap());
        let mut seen = Vec::new();
        let rights = rights.into_iter().map(|(group, role)| RightEntry {
            group: group.map_or(Scope::All, |group| Scope::Group(GroupId(Hex([group; 8])))),
            role: Role::ALL[role],
        });
        let rights: Vec<_> = rights
            .filter(|right| !seen.contains(&right.group) && { seen.push(right.group); true })
            .collect();
        let x_wing = x_wing::PrivateKey::from_seed(&seed).public();
        let bundle = vec![filling; x_wing::OVERHEAD + bundle_len(&rights)];
        Grant { id: GrantId(Hex(id)), label, since, until, requests_from: None, extra, rights, x_wing, ed25519, bundle }
    }
}

prop_compose! {
    fn header()(
        vault_id in hex(), vault_key in hex(), epoch in 5..=limits::COUNTER_MAX, seq in 0..=limits::COUNTER_MAX,
        mut grants in vec(grant(), 1..5),
        retired in vec((any::<[u8; 8]>(), label(), hex()), 0..3),
        commitment in hex(), groups in 2..4u8,
        handovers in vec((hex(), hex(), 0..=limits::COUNTER_MAX, hex()), 0..3),
    ) -> Header {
        grants[0].rights = vec![RightEntry::everywhere(Role::Owner)];
        let len = x_wing::OVERHEAD + bundle_len(&grants[0].rights);
        grants[0].bundle.resize(len, 0);
        for (index, grant) in grants.iter_mut().enumerate() {
            grant.label = format!("{index}{}", grant.label);
        }
        let mut header = Header {
            format: 1,
            features: Features::NONE,
            vault_id: VaultId(vault_id),
            vault_key,
            handovers: handovers
                .into_iter()
                .map(|(old, new, seq, signature)| Handover { old, new, seq, signature })
                .collect(),
            epoch,
            seq,
            created: "2026-11-23T20:15:00.000Z".into(),
            commitments: Commitments { index: commitment, overview_root: commitment, secret_root: commitment },
            next_group: 9,
            groups: (0..groups).map(|number| Group {
                id: GroupId(Hex([number; 8])),
                number: u16::from(number) * 2,
                name: SealedName(vec![number; 169]),
                overview_commitment: commitment,
                secret_commitment: commitment,
                deposit: None,
            }).collect(),
            grants,
            retired: retired
                .into_iter()
                .zip(1..)
                .map(|((id, label, ed25519), epoch)| Retired {
                    id: GrantId(Hex(id)),
                    label,
                    ed25519,
                    rights: vec![RightEntry::everywhere(Role::Reader)],
                    epoch,
                })
                .collect(),
            extra: Some(strict::read("{}").unwrap()),
        };
        for index in 0..header.groups.len() {
            let wants_deposit = header.wants_deposit(header.groups[index].id);
            header.groups[index].deposit = wants_deposit.then(|| header.grants[0].x_wing.clone());
        }
        header
    }
}

fn kdf() -> impl Strategy<Value = Kdf> {
    let cost = any::<(u32, u32, u32)>().prop_map(|(memory_kib, passes, lanes)| {
        Kdf::Argon2id(Cost {
            memory_kib,
            passes,
            lanes,
        })
    });
    let hint = vec(any::<u8>(), 0..80).prop_map(|hint| Kdf::External(Hint::new(&hint).unwrap()));
    prop_oneof![cost, hint]
}

prop_compose! {
    fn slot()(
        grant in any::<[u8; 8]>(), kdf in kdf(), salt in hex(),
        commitment in hex(), nonce in hex(), wrapped in hex(), tag in hex(),
    ) -> KeySlot {
        KeySlot { grant: GrantId(Hex(grant)), kdf, salt, commitment, nonce, wrapped, tag }
    }
}

proptest! {
    #[test]
    fn headers(header in header()) {
        let bytes = header.encode().unwrap();
        prop_assert_eq!(Header::decode(&bytes, 0).unwrap(), header);
    }

    #[test]
    fn key_slot_parts(key_slots in vec(slot(), 0..4), broken in "[a-z]{0,8}", grant in hex::<8>()) {
        let slots = key_slots.iter().map(|slot| serde_json::to_string(slot).unwrap());
        let broken = format!(r#"{{ "grant":"{grant}", "{broken}": [0.5]}}"#);
        let bytes = format!("[{}]", slots.chain([broken]).collect::<Vec<_>>().join(","));
        let decoded = key_slots::decode(bytes.as_bytes(), 0).unwrap();
        // What is broken stays as it is, byte by byte.
        prop_assert_eq!(key_slots::encode(&decoded, |_| true).unwrap(), bytes.as_bytes());
        for (slot, entry) in key_slots.iter().zip(&decoded) {
            prop_assert_eq!(entry.slot.as_ref(), Some(slot));
        }
        prop_assert!(decoded.last().is_some_and(|entry| entry.slot.is_none()));
    }

    #[test]
    fn commits(
        seq in 2..=limits::COUNTER_MAX, prev in any::<[u8; 32]>(), author in any::<u16>(),
        header in proptest::option::of(vec(any::<u8>(), 0..100)),
        older in any::<[u8; 32]>(), signature in any::<[u8; 32]>(),
        records in vec((vec(any::<u8>(), 0..80), vec(any::<u8>(), 0..80)), 1..4),
        before in vec(any::<u8>(), 0..9),
    ) {
        let signature: [u8; 64] = [signature, signature].concat().try_into().unwrap();
        let seq = seq.min(40);
        let sealed = |part: &[u8]| Sealed::Here(part.to_vec().into());
        let overviews: Vec<_> = records.iter().map(|(overview, _)| sealed(overview)).collect();
        let secrets: Vec<_> = records.iter().map(|(_, secrets)| sealed(secrets)).collect();
        let page = vec![7; OVERHEAD + ENTRY_LEN * records.len()];
        let directory = vec![8; OVERHEAD + DIRECTORY_LEN_MIN + ROW_LEN];
        let mut superseded = vec![older; usize::try_from(seq).unwrap()];
        *superseded.last_mut().unwrap() = prev;
        let new = NewCommit {
            seq, prev, author,
            content: match &header {
                Some(header) => NewContent::Snapshot(NewSnapshot {
                    header, header_signature: signature, superseded: &superseded, adopted: &[],
                    directory: &directory, pages: &page,
                }),
                None => NewContent::Changes(&page),
            },
            overviews: &overviews,
            secrets: &secrets,
        };
        let mut bytes = before.clone();
        new.encode(&mut bytes, |_| signature).unwrap();
        let bytes = &bytes[before.len()..];
        let fixed = Fixed::decode(bytes.first_chunk::<FIXED_LEN>().unwrap(), 7).unwrap().unwrap();
        prop_assert_eq!(fixed.len as usize, bytes.len() - FIXED_LEN);
        let commit = Commit::decode(fixed, bytes, 7).unwrap();
        let range = |range: Range<u64>| range.start as usize..range.end as usize;
        prop_assert_eq!((fixed.seq, fixed.prev, fixed.author), (seq, prev, author));
        prop_assert_eq!(commit.signature, signature);
        prop_assert_eq!(commit.snapshot().map(|part| &*part.header), header.as_deref());
        match &commit.content {
            Content::Snapshot(part) => {
                prop_assert_eq!(&*part.superseded, &superseded);
                prop_assert_eq!(&*part.directory, &directory);
                prop_assert_eq!(&bytes[range(commit.parts.pages..commit.parts.overviews)], &page);
            }
            Content::Changes(part) => prop_assert_eq!(&*part.page, &page),
        }
        prop_assert!(commit.has_sound_body(bytes));
        // The front is enough. Where it is not there, the error says how much of it is missing.
        let front = commit.parts.signature as usize + SIGNATURE_LEN;
        let decoded = Commit::decode(fixed, &bytes[..front], 7).unwrap();
        prop_assert_eq!((decoded.hash, decoded.len), (commit.hash, bytes.len() as u64));
        for cut in [FIXED_LEN, FIXED_LEN + 4, front - 1] {
            let error = Commit::decode(fixed, &bytes[..cut], 7).err().unwrap();
            let missing = error.missing().unwrap().ranges()[0].clone();
            prop_assert_eq!(missing.start, 7 + cut as u64);
            prop_assert!(missing.end <= 7 + front as u64);
        }
        let as_stored = |parts: Vec<&Vec<u8>>| {
            let mut out = Vec::new();
            parts.iter().for_each(|part| crate::bytes::put_part(&mut out, part));
            out
        };
        let parts = &commit.parts;
        let overviews = as_stored(records.iter().map(|(overview, _)| overview).collect());
        let secrets = as_stored(records.iter().map(|(_, secrets)| secrets).collect());
        prop_assert_eq!(&bytes[range(parts.overviews..parts.secrets)], &overviews);
        prop_assert_eq!(&bytes[range(parts.secrets..parts.end)], &secrets);
    }

    #[test]
    fn no_bytes_make_decoding_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = split_file(&bytes);
        let _ = Header::decode(&bytes, 0);
        let _ = key_slots::decode(&bytes, 0);
        if let Some(fixed) = bytes.first_chunk::<FIXED_LEN>() {
            let _ = Fixed::decode(fixed, 0);
            for kind in [commit::Kind::Snapshot, commit::Kind::Changes] {
                let fixed = Fixed { len: 0, kind, seq: u64::MAX, prev: [0; 32], author: 0 };
                let _ = Commit::decode(fixed, &bytes, 0);
            }
        }
    }
}

#[test]
fn prefixes() {
    let check = |prefix: &[u8; PREFIX_LEN]| log_start(prefix).map_err(|error| error.code());
    assert_eq!(check(b"CVAULT01\x02\x01\0\0"), Ok(12 + 258));
    assert_eq!(check(b"CVAULT01\0\0\0\0"), Ok(12));
    assert_eq!(check(b"CVAULT01\0\0\0\x7f"), Err(Code::LimitExceeded));
    assert_eq!(check(b"CVAULT02\0\0\0\0"), Err(Code::UnsupportedVersion));
    assert_eq!(check(b"PK\x03\x04\0\0\0\0\0\0\0\0"), Err(Code::NotAVault));
}

/// docs/format.md section 4, the rules of a rewrite.
#[test]
fn a_rewrite_of_key_slots() {
    let listed = GrantId(Hex([1; 8]));
    let rewritten = |part: &str| {
        let decoded = key_slots::decode(part.as_bytes(), 0).unwrap();
        let bytes = key_slots::encode(&decoded, |id| id == listed);
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let later = r#"{"kdf": "later", "grant" : "0101010101010101"}"#;
    let broken = r#"{"kdf":"argon2id-v19","grant":"0101010101010101"}"#;
    let of_nobody = r#"{"kdf":"argon2id-v19","grant":"0202020202020202"}"#;
    for junk in [
        of_nobody,
        "0",
        "[]",
        "{}",
        r#""0101010101010101""#,
        r#"{"grant":1}"#,
    ] {
        let part = format!("[{junk},{later},{junk},{broken}]");
        assert_eq!(
            rewritten(&part),
            Ok(format!("[{later},{broken}]")),
            "{junk}"
        );
    }

    // A part that is full of junk does not keep a new key slot out.
    let slot = KeySlot {
        grant: listed,
        kdf: Kdf::Argon2id(Cost::MIN),
        salt: Hex([2; 16]),
        commitment: Hex([3; 32]),
        nonce: Hex([4; 12]),
        wrapped: Hex([5; 64]),
        tag: Hex([6; 16]),
    };
    let costly = KeySlot {
        kdf: Kdf::Argon2id(Cost {
            lanes: 9,
            ..Cost::MIN
        }),
        ..slot.clone()
    };
    let external = KeySlot {
        kdf: Kdf::External(Hint::new(b"a hint").unwrap()),
        ..slot.clone()
    };
    let texts = |texts: &[&str]| format!("[{}]", texts.join(","));
    let added = |part: &str| {
        let mut decoded = key_slots::decode(part.as_bytes(), 0).unwrap();
        decoded.push(slot.clone().into());
        let bytes = key_slots::encode(&decoded, |id| id == listed);
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let text = serde_json::to_string(&slot).unwrap();
    let costly = serde_json::to_string(&costly).unwrap();
    let of_unknown_kdf = [vec![later; 255], vec![broken]].concat();
    assert_eq!(added(&texts(&of_unknown_kdf)), Ok(texts(&[broken, &text])));
    let mixed = [vec![broken; 128], vec![costly.as_str(); 128]].concat();
    assert_eq!(added(&texts(&mixed)), Ok(texts(&[&text])));
    // A sound key slot too is kept byte for byte, in whatever order its names stand.
    let external = serde_json::to_string(&external).unwrap();
    let spaced = external.replacen("{\"grant\":", "{ \"grant\" :", 1);
    let moved = "{\"tag\":\"06060606060606060606060606060606\",".to_owned()
        + &text[1..].replace(",\"tag\":\"06060606060606060606060606060606\"", "");
    let kept = texts(&[&spaced, &moved]);
    assert!(spaced != external && moved != text && moved.len() == text.len());
    let decoded = key_slots::decode(kept.as_bytes(), 0).unwrap();
    assert!(decoded.iter().all(|entry| entry.slot.is_some()));
    assert_eq!(rewritten(&kept), Ok(kept));

    let sound = vec![text.as_str(); 256];
    let refused = added(&texts(&sound)).unwrap_err();
    assert_eq!(refused.code(), Code::LimitExceeded);

    // It takes the place of all of its grant and key derivation, before the others of the grant.
    let before = texts(&[of_nobody, later, &external, &text, broken]);
    let mut decoded = key_slots::decode(before.as_bytes(), 0).unwrap();
    let mut new = slot;
    new.salt = Hex([7; 16]);
    let new_text = serde_json::to_string(&new).unwrap();
    key_slots::replace(&mut decoded, new);
    let bytes = key_slots::encode(&decoded, |_| true).unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        texts(&[of_nobody, &new_text, later, &external])
    );
}
