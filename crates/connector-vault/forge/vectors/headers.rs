//! Headers that no owner makes (docs/format.md sections 1 to 3 and 5).

use base64ct::{Base64UrlUnpadded, Encoding};

use super::Cases;
use crate::access::BundlePlace;
use crate::crypto::identity::{Identity, VaultKey};
use crate::crypto::x_wing;
use crate::error::Code;
use crate::format::header::{Handover, Header, Retired};
use crate::format::hex::Hex;
use crate::format::rights::RightEntry;
use crate::log;
use crate::role::Role;
use crate::vault::forge::{Counter, Snapshot, Team};

/// The snapshot of a new vault, to be changed.
pub(super) fn fresh(team: &Team) -> Snapshot {
    let mut snapshot = Snapshot {
        prev: [0; 32],
        superseded: Vec::new(),
        ..team.snapshot()
    };
    snapshot.set_seq(0);
    snapshot
}

/// A header with something changed before it is signed.
pub(super) fn header(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    code: Code,
    change: impl FnOnce(&mut Header),
) {
    let team = Team::alone();
    let mut snapshot = fresh(&team);
    let mut header = snapshot.header_of(&team);
    change(&mut header);
    snapshot.header = crate::format::to_json(&header);
    cases.refused(name, rule, &team, snapshot.file(), code);
}

/// A header with its text changed before it is signed.
pub(super) fn text(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    code: Code,
    change: impl FnOnce(String) -> String,
) {
    let team = Team::alone();
    let mut snapshot = fresh(&team);
    snapshot.header = change(String::from_utf8(snapshot.header).unwrap()).into_bytes();
    cases.refused(name, rule, &team, snapshot.file(), code);
}

/// A header whose grant has another X-Wing key, which `change` makes of the text of the sound one.
fn x_wing_text(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    change: impl FnOnce(&str) -> String,
) {
    text(cases, name, rule, Code::Damaged, |text| {
        let start = text.find("\"x_wing\":\"").unwrap() + 10;
        let len = text[start..].find('"').unwrap();
        let changed = change(&text[start..start + len]);
        format!("{}{changed}{}", &text[..start], &text[start + len..])
    });
}

/// The same, made of the bytes of the sound one.
fn x_wing_bytes(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    change: impl FnOnce(&mut [u8; x_wing::PUBLIC_LEN]),
) {
    x_wing_text(cases, name, rule, |text| {
        let bytes = Base64UrlUnpadded::decode_vec(text).unwrap();
        let mut bytes = <[u8; x_wing::PUBLIC_LEN]>::try_from(bytes).unwrap();
        change(&mut bytes);
        Base64UrlUnpadded::encode_string(&bytes)
    });
}

/// A header with a second grant, which `change` makes what it must not be.
pub(super) fn second(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    change: impl FnOnce(&mut Header),
) {
    header(cases, name, rule, Code::Damaged, |header| {
        let mut grant = header.grants[0].clone();
        let key = Identity::generate(&mut Counter::new(9)).grant_key();
        grant.id = crate::format::hex::GrantId(Hex([7; 8]));
        grant.label = "second".into();
        grant.rights = vec![RightEntry::everywhere(Role::Viewer)];
        grant.x_wing = key.x_wing;
        grant.ed25519 = Hex(key.ed25519);
        grant.bundle.truncate(x_wing::OVERHEAD + 64);
        header.grants.push(grant);
        change(header);
    });
}

/// A vault whose second owner was revoked, its handovers changed before it is signed again.
fn handover(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    code: Code,
    change: impl FnOnce(&mut Header),
) {
    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    team.revoke("second");
    let mut snapshot = team.snapshot();
    let mut header = snapshot.header_of(&team);
    change(&mut header);
    snapshot.header = crate::format::to_json(&header);
    cases.refused(name, rule, &team, snapshot.file(), code);
}

/// A vault whose key was handed over once more, by what `parties` makes of the key before: whom the
/// handover names, and who signs it.
fn another(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    parties: impl FnOnce(VaultKey) -> (VaultKey, VaultKey),
) {
    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    team.revoke("second");
    let mut snapshot = team.snapshot();
    let mut header = snapshot.header_of(&team);
    let (old, signer) = parties(snapshot.header_key.clone());
    let new = VaultKey::generate(&mut Counter::new(8));
    let seq = snapshot.seq;
    let message = log::handover_message(header.vault_id, &old.public(), &new.public(), seq);
    header.handovers.push(Handover {
        old: Hex(old.public()),
        new: Hex(new.public()),
        seq,
        signature: Hex(signer.sign(&message)),
    });
    header.vault_key = Hex(new.public());
    snapshot.header = crate::format::to_json(&header);
    snapshot.header_key = new;
    cases
        .refused(name, rule, &team, snapshot.file(), Code::BadSignature)
        .says("handover");
}

/// The first vault key, handed over to another and back.
fn key_twice(cases: &mut Cases) {
    let mut team = Team::alone();
    let first = team.snapshot().header_key;
    team.grant("second", Role::Owner);
    team.revoke("second");
    let mut snapshot = team.snapshot();
    let mut header = snapshot.header_of(&team);
    let present = snapshot.header_key.clone();
    let (old, new, seq) = (present.public(), first.public(), snapshot.seq);
    let message = log::handover_message(header.vault_id, &old, &new, seq);
    header.handovers.push(Handover {
        old: Hex(old),
        new: Hex(new),
        seq,
        signature: Hex(present.sign(&message)),
    });
    header.vault_key = Hex(new);
    snapshot.header = crate::format::to_json(&header);
    snapshot.header_key = first;
    cases
        .refused(
            "handover-key-twice",
            "a vault key that was replaced does not come back",
            &team,
            snapshot.file(),
            Code::BadSignature,
        )
        .says("twice");
}

/// A former viewer, whose id and key are made of its epoch.
pub(super) fn retired(epoch: u64, label: &str) -> Retired {
    let mut ed25519 = [1; 32];
    ed25519[..8].copy_from_slice(&epoch.to_le_bytes());
    Retired {
        id: crate::format::hex::GrantId(Hex(epoch.to_be_bytes())),
        label: label.into(),
        ed25519: Hex(ed25519),
        rights: vec![RightEntry::everywhere(Role::Viewer)],
        epoch,
    }
}

/// An owner's bundle that holds something else, or was made for something else.
fn bundle(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    change: impl FnOnce(&Team, BundlePlace<'_>) -> Vec<u8>,
) {
    let team = Team::alone();
    let mut snapshot = fresh(&team);
    let mut header = snapshot.header_of(&team);
    let place = BundlePlace {
        vault_id: header.vault_id,
        epoch: header.epoch,
        grant: header.grants[0].id,
        rights: &header.grants[0].rights.clone(),
    };
    header.grants[0].bundle = change(&team, place);
    snapshot.header = crate::format::to_json(&header);
    cases
        .refused(name, rule, &team, snapshot.file(), Code::Damaged)
        .says("bundle");
}

pub(super) fn make(cases: &mut Cases) {
    json(cases);
    content(cases);
    signatures(cases);
    bundles(cases);
}

fn json(cases: &mut Cases) {
    use Code::Damaged;
    text(
        cases,
        "header-not-json",
        "a header is JSON",
        Damaged,
        |text| text.replacen(',', ";", 1),
    );
    text(
        cases,
        "header-not-an-object",
        "a header is a JSON object",
        Damaged,
        |text| {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            let values = [
                "format",
                "vault_id",
                "vault_key",
                "handovers",
                "epoch",
                "seq",
                "created",
                "grants",
                "retired",
            ];
            serde_json::to_string(&values.map(|name| &value[name])).unwrap()
        },
    );
    text(
        cases,
        "header-name-unknown",
        "a header has no other names",
        Damaged,
        |text| text.replacen("\"epoch\"", "\"more\":0,\"epoch\"", 1),
    );
    text(
        cases,
        "header-name-twice",
        "a name stands once in an object",
        Damaged,
        |text| text.replacen("\"epoch\":1", "\"epoch\":1,\"epoch\":1", 1),
    );
    text(
        cases,
        "header-name-missing",
        "a header has all names",
        Damaged,
        |text| {
            text.replacen("\"retired\":[],", "", 1)
                .replacen(",\"retired\":[]", "", 1)
        },
    );
    text(
        cases,
        "header-grant-name-unknown",
        "a grant has no other names",
        Damaged,
        |text| text.replacen("\"label\"", "\"more\":0,\"label\"", 1),
    );
    text(
        cases,
        "header-space-before",
        "no white space stands before a header",
        Damaged,
        |text| format!(" {text}"),
    );
    text(
        cases,
        "header-space-behind",
        "no white space stands behind a header",
        Damaged,
        |text| format!("{text}\n"),
    );
    text(
        cases,
        "header-text-behind",
        "nothing stands behind a header",
        Damaged,
        |text| format!("{text}{{}}"),
    );
    text(
        cases,
        "header-upper-case-base16",
        "base16 is in lower case",
        Damaged,
        |text| {
            let at = text.find("\"ed25519\":\"").unwrap() + 11;
            format!(
                "{}{}{}",
                &text[..at],
                text[at..at + 64].to_ascii_uppercase(),
                &text[at + 64..]
            )
        },
    );
    text(
        cases,
        "header-short-base16",
        "binary fields have their length",
        Damaged,
        |text| {
            let at = text.find("\"ed25519\":\"").unwrap() + 11;
            format!("{}{}", &text[..at], &text[at + 2..])
        },
    );
    x_wing_text(
        cases,
        "header-base64url-padded",
        "base64url has no padding",
        |text| format!("{text}=="),
    );
    x_wing_text(
        cases,
        "header-base64url-loose-bits",
        "the bits that fill up the last character are zero",
        |text| {
            // 1,216 bytes leave four bits.
            let (last, rest) = (&text[text.len() - 1..], &text[..text.len() - 1]);
            let with_a_bit = match last {
                "A" => "B",
                "Q" => "R",
                "g" => "h",
                "w" => "x",
                _ => panic!("the four bits are zero"),
            };
            format!("{rest}{with_a_bit}")
        },
    );
    x_wing_text(
        cases,
        "header-base64-for-base64url",
        "binary fields of more than 64 bytes are base64url",
        |text| {
            assert!(text.contains(['-', '_']));
            text.replace('-', "+").replace('_', "/")
        },
    );
    x_wing_text(
        cases,
        "header-short-base64url",
        "binary fields have their length",
        |text| text[4..].to_owned(),
    );
    text(
        cases,
        "header-role-unknown",
        "a role is a word of the table",
        Damaged,
        |text| text.replacen("\"owner\"", "\"admin\"", 1),
    );
    text(
        cases,
        "header-number-as-text",
        "values have the type of the table",
        Damaged,
        |text| text.replacen("\"epoch\":1", "\"epoch\":\"1\"", 1),
    );
    text(
        cases,
        "header-object-for-word",
        "a word is text",
        Damaged,
        |text| text.replacen("\"owner\"", "{\"owner\":null}", 1),
    );
    text(
        cases,
        "header-array-for-object",
        "an object is no array of its values",
        Damaged,
        |text| {
            let mut header: serde_json::Value = serde_json::from_str(&text).unwrap();
            let grant = &header["grants"][0];
            let names = [
                "id", "label", "since", "rights", "x_wing", "ed25519", "bundle",
            ];
            header["grants"][0] = names.map(|name| grant[name].clone()).to_vec().into();
            header.to_string()
        },
    );
    for (name, number) in [
        ("header-number-fraction", "1.0"),
        ("header-number-exponent", "1e0"),
        ("header-number-negative-zero", "-0"),
        ("header-number-leading-zero", "01"),
    ] {
        text(
            cases,
            name,
            "a number is decimal digits alone",
            Damaged,
            |text| text.replacen("\"epoch\":1", &format!("\"epoch\":{number}"), 1),
        );
    }
    text(
        cases,
        "header-lone-surrogate",
        "an escape stands for no half of a pair",
        Damaged,
        |text| text.replacen("\"ops\"", "\"\\ud800\"", 1),
    );
    let team = Team::alone();
    let mut snapshot = fresh(&team);
    let at = snapshot
        .header
        .windows(3)
        .position(|w| w == b"ops")
        .unwrap();
    snapshot.header[at] = 0xff;
    cases.refused(
        "header-not-utf8",
        "JSON is UTF-8",
        &team,
        snapshot.file(),
        Damaged,
    );
}

fn content(cases: &mut Cases) {
    use Code::Damaged;
    text(
        cases,
        "header-format-other",
        "another format is not guessed at, whatever names it has",
        Code::UnsupportedVersion,
        |text| text.replacen("\"format\":1", "\"format\":2,\"more\":0", 1),
    );
    text(
        cases,
        "header-format-absent",
        "a header says its format",
        Damaged,
        |text| text.replacen("\"format\":1,", "", 1),
    );
    header(
        cases,
        "header-epoch-zero",
        "epochs begin at 1",
        Damaged,
        |header| header.epoch = 0,
    );
    header(
        cases,
        "header-epoch-over-limit",
        "an epoch is at most 2^53 - 1",
        Damaged,
        |header| header.epoch = 1 << 53,
    );
    header(
        cases,
        "header-no-grants",
        "a header lists at least one grant",
        Damaged,
        |header| header.grants.clear(),
    );
    header(
        cases,
        "header-no-owner",
        "a header lists an owner",
        Damaged,
        |header| {
            header.grants[0].rights = vec![RightEntry::everywhere(Role::Updater)];
            header.grants[0].bundle.truncate(x_wing::OVERHEAD + 96);
        },
    );
    header(
        cases,
        "header-created-invalid",
        "times have exactly one form",
        Damaged,
        |header| {
            header.created = "2026-11-23T20:15:00Z".into();
        },
    );
    for (name, rule, created) in [
        (
            "header-time-leap-second",
            "a minute has 60 seconds",
            "2016-12-31T23:59:60.000Z",
        ),
        (
            "header-time-day-that-does-not-exist",
            "a month has its days",
            "2026-02-29T00:00:00.000Z",
        ),
        (
            "header-time-year-zero",
            "years begin at 1",
            "0000-11-23T20:15:00.000Z",
        ),
    ] {
        header(cases, name, rule, Damaged, |header| {
            header.created = created.into();
        });
    }
    header(
        cases,
        "header-since-invalid",
        "times have exactly one form",
        Damaged,
        |header| {
            header.grants[0].since = "yesterday".into();
        },
    );
    header(
        cases,
        "header-label-empty",
        "a label is not empty",
        Damaged,
        |header| header.grants[0].label.clear(),
    );
    header(
        cases,
        "header-label-too-long",
        "a label has at most 128 bytes",
        Damaged,
        |header| {
            header.grants[0].label = "a".repeat(129);
        },
    );
    header(
        cases,
        "header-label-control-character",
        "a label holds no control character",
        Damaged,
        |header| {
            header.grants[0].label = "ops\u{1b}[2J".into();
        },
    );
    header(
        cases,
        "header-retired-label-invalid",
        "the label of a retired grant is a label",
        Damaged,
        |header| {
            header.epoch = 2;
            header.retired.push(retired(1, "a\nb"));
        },
    );
    header(
        cases,
        "header-retired-over-limit",
        "a header lists at most 512 retired grants",
        Damaged,
        |header| {
            header.epoch = 1000;
            header.retired = (1..=513).map(|epoch| retired(epoch, "a")).collect();
        },
    );
    header(
        cases,
        "header-grants-over-limit",
        "a header lists at most 256 grants",
        Damaged,
        |header| {
            // Their keys and bundles are left short, since distinct ones would make a file of megabytes.
            for index in 1..257u64 {
                let mut grant = header.grants[0].clone();
                grant.id = crate::format::hex::GrantId(Hex(index.to_le_bytes()));
                grant.label = format!("{index}");
                grant.bundle.clear();
                header.grants.push(grant);
            }
        },
    );
    x_wing_bytes(
        cases,
        "grant-x25519-small-order",
        "the X25519 part of a public key is not of small order",
        |key| key[x_wing::PUBLIC_LEN - 32..].fill(0),
    );
    x_wing_bytes(
        cases,
        "grant-mlkem-modulus",
        "the coefficients of the ML-KEM part of a public key are below 3,329",
        |key| key[..2].fill(0xff),
    );
    second(
        cases,
        "header-grant-id-twice",
        "a grant id stands once",
        |header| header.grants[1].id = header.grants[0].id,
    );
    second(
        cases,
        "header-label-twice",
        "a label stands once",
        |header| header.grants[1].label = header.grants[0].label.clone(),
    );
    second(
        cases,
        "header-x-wing-twice",
        "an X-Wing key stands once",
        |header| header.grants[1].x_wing = header.grants[0].x_wing.clone(),
    );
    second(
        cases,
        "header-ed25519-twice",
        "an Ed25519 key stands once",
        |header| header.grants[1].ed25519 = header.grants[0].ed25519,
    );
}

fn signatures(cases: &mut Cases) {
    let other = VaultKey::generate(&mut Counter::new(8));
    let team = Team::alone();
    let mut snapshot = fresh(&team);
    snapshot.header_key = other.clone();
    cases.refused(
        "header-signature",
        "the vault key signs the header",
        &team,
        snapshot.file(),
        Code::BadSignature,
    );
    header(
        cases,
        "header-vault-id-other",
        "the vault id is the hash of the first vault key",
        Code::BadSignature,
        |header| {
            header.vault_id = log::vault_id(&other.public());
        },
    );
    for (name, rule, y) in [
        // The point with y = 1: every signature with R = 1 and S = 0 would verify under it.
        (
            "header-key-of-small-order",
            "signatures are verified strictly: no key of small order",
            1,
        ),
        (
            "header-key-no-point",
            "no signature holds under a key that is no point",
            2,
        ),
    ] {
        let mut snapshot = fresh(&team);
        let mut weak = snapshot.header_of(&team);
        let mut point = [0; 32];
        point[0] = y;
        weak.vault_key = Hex(point);
        weak.vault_id = log::vault_id(&point);
        snapshot.header = crate::format::to_json(&weak);
        let mut file = snapshot.file();
        let at = 14 + 59 + 4 + snapshot.header.len();
        file[at..at + 64].fill(0);
        file[at] = 1;
        cases
            .refused(name, rule, &team, file, Code::BadSignature)
            .vault_id = Some(weak.vault_id.to_string());
    }

    handover(
        cases,
        "handover-signature",
        "the old vault key signs the new one",
        Code::BadSignature,
        |header| {
            header.handovers[0].signature.0[0] ^= 1;
        },
    );
    handover(
        cases,
        "handover-seq-other",
        "the signature of a handover covers its seq",
        Code::BadSignature,
        |header| {
            header.handovers[0].seq += 1;
        },
    );
    for (name, rule, seq) in [
        (
            "handover-seq-zero",
            "handovers come behind the first snapshot",
            0,
        ),
        (
            "handover-seq-over-snapshot",
            "a handover is no newer than its snapshot",
            4,
        ),
        (
            "handover-seq-over-limit",
            "a handover is no newer than its snapshot",
            1 << 53,
        ),
    ] {
        handover(cases, name, rule, Code::Damaged, |header| {
            header.handovers[0].seq = seq;
        });
    }
    handover(
        cases,
        "handover-seq-not-ascending",
        "the seqs of handovers ascend",
        Code::Damaged,
        |header| header.handovers.push(header.handovers[0].clone()),
    );
    key_twice(cases);
    let rogue = VaultKey::generate(&mut Counter::new(7));
    another(
        cases,
        "handover-from-another-key",
        "each handover is signed by the key before it",
        |before| (before, rogue.clone()),
    );
    another(
        cases,
        "handover-old-other",
        "each handover names the key before it",
        |before| (rogue.clone(), before),
    );
    handover(
        cases,
        "handovers-end-elsewhere",
        "handovers end at the vault key",
        Code::BadSignature,
        |header| {
            header.vault_key = header.handovers[0].old;
        },
    );
}

fn bundles(cases: &mut Cases) {
    bundle(
        cases,
        "bundle-damaged",
        "a bundle opens by its grant's identity",
        |team, _| {
            let mut sealed = team.vault.header.grants[0].bundle.clone();
            *sealed.last_mut().unwrap() ^= 1;
            sealed
        },
    );
    bundle(
        cases,
        "bundle-x25519-small-order",
        "the X25519 part of an encapsulated key is not of small order",
        |team, _| {
            let mut sealed = team.vault.header.grants[0].bundle.clone();
            sealed[1088..1120].fill(0);
            sealed
        },
    );
    bundle(
        cases,
        "bundle-of-another-epoch",
        "a bundle is bound to vault id, epoch, grant and rights",
        |team, place| {
            let key = team.identity("ops").grant_key();
            team.vault
                .access
                .bundle
                .seal(
                    &mut Counter::new(6),
                    &BundlePlace { epoch: 2, ..place },
                    &key,
                )
                .unwrap()
        },
    );
    bundle(
        cases,
        "bundle-of-other-rights",
        "a bundle is bound to vault id, epoch, grant and rights",
        |team, place| {
            let info = BundlePlace {
                rights: &[RightEntry::everywhere(Role::Updater)],
                ..place
            };
            let key = team.identity("ops").grant_key();
            let sealed = key
                .x_wing
                .seal(&mut Counter::new(6), &info.info(), &[0; 128]);
            sealed.unwrap()
        },
    );
    bundle(
        cases,
        "bundle-too-short",
        "a bundle holds what its rights hold",
        |team, place| {
            let key = team.identity("ops").grant_key();
            let sealed = key
                .x_wing
                .seal(&mut Counter::new(6), &place.info(), &[0; 96]);
            sealed.unwrap()
        },
    );
    bundle(
        cases,
        "bundle-vault-key-other",
        "an owner's bundle holds the header's vault key",
        |team, place| {
            let key = team.identity("ops").grant_key();
            let mut bundle = team.vault.access.bundle.clone();
            bundle.vault_key = Some(VaultKey::generate(&mut Counter::new(5)));
            bundle.seal(&mut Counter::new(6), &place, &key).unwrap()
        },
    );
}
