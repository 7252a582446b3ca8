//! Known answers for each step of the cryptography (docs/format.md section 3).

use base64ct::{Base64UrlUnpadded, Encoding};

use super::files::{Given, KeyExpect, KeyVector};
use crate::access::{BundlePlace, NewPasskey};
use crate::action::{Action, Options};
use crate::crypto::aead::{SealingKey, padded_len};
use crate::crypto::identity::{GrantKey, Identity};
use crate::crypto::kdf::{self, Cost, ExternalKey, Passphrase};
use crate::crypto::label::{self, bind};
use crate::crypto::mac::MacKey;
use crate::crypto::{Hash, sha256, x_wing};
use crate::format::hex::{GrantId, Hex};
use crate::log::{self, VaultReference};
use crate::vault::forge::{Team, newest, update};
use crate::vault::planning::request_digest;

pub(super) fn make() -> Vec<(&'static str, KeyVector)> {
    let mut cases = Vec::new();
    let mut add = |name, rule: &str, given| {
        let expect = answer(&given);
        cases.push((
            name,
            KeyVector {
                rule: rule.to_owned(),
                given,
                expect,
            },
        ));
    };
    texts(&mut add);
    references(&mut add);
    steps(&mut add);
    cases
}

fn texts(add: &mut dyn FnMut(&'static str, &str, Given)) {
    let identity = Identity::from_bytes(std::array::from_fn(|index| index as u8));
    let text = identity.to_text().to_string();
    let key = identity.grant_key().to_string();
    let mistyped = |text: &str| {
        let last = if text.ends_with('q') { 'p' } else { 'q' };
        format!("{}{last}", &text[..text.len() - 1])
    };
    let mixed = |text: &str| {
        format!(
            "{}{}",
            &text[..text.len() - 4],
            text[text.len() - 4..].to_ascii_uppercase()
        )
    };
    let encode = |prefix: &str, bytes: &[u8]| {
        bech32::encode::<bech32::Bech32m>(bech32::Hrp::parse(prefix).unwrap(), bytes).unwrap()
    };
    use Given::{GrantKey, Identity as Secret};
    add(
        "identity",
        "an identity derives public keys",
        Secret(text.clone()),
    );
    add(
        "identity-upper-case",
        "upper case is the same",
        Secret(text.to_ascii_uppercase()),
    );
    add(
        "identity-mixed-case",
        "mixed case is rejected",
        Secret(mixed(&text)),
    );
    add(
        "identity-mistyped",
        "a mistyped character is found",
        Secret(mistyped(&text)),
    );
    add(
        "identity-too-short",
        "an identity has 32 bytes",
        Secret(encode("cvault-identity-", &[7; 31])),
    );
    add(
        "identity-too-long",
        "an identity has 32 bytes",
        Secret(encode("cvault-identity-", &[7; 33])),
    );
    add(
        "identity-of-another-kind",
        "an identity begins with its prefix",
        Secret(encode("cvault-grant-", &[7; 32])),
    );
    let bech32 =
        bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("cvault-identity-").unwrap(), &[7; 32])
            .unwrap();
    add(
        "identity-bech32",
        "the checksum is that of Bech32m, not Bech32",
        Secret(bech32),
    );
    add(
        "identity-loose-bits",
        "the bits that fill up the last character are zero",
        Secret(loose_bits(&text)),
    );
    add(
        "identity-empty",
        "an empty text is no identity",
        Secret(String::new()),
    );
    add(
        "grant-key",
        "a grant key is two public keys",
        GrantKey(key.clone()),
    );
    add(
        "grant-key-in-a-file",
        "a grant key is found among comments, between white space and behind a byte order mark",
        GrantKey(format!(
            "\u{feff}# fingerprint of nobody\r\n\r\n  {key} \r\n# end\n"
        )),
    );
    add(
        "grant-key-two-in-a-file",
        "a file of a grant key holds one",
        GrantKey(format!("{key}\n{key}\n")),
    );
    add(
        "grant-key-mistyped",
        "a mistyped character is found",
        GrantKey(change(&key, 100, |digit| digit ^ 1)),
    );
    add(
        "grant-key-upper-case",
        "case counts",
        GrantKey(key.to_ascii_uppercase()),
    );
    add(
        "grant-key-prefix-upper-case",
        "case counts in the prefix",
        GrantKey(key.replacen("cvault-grant-1", "CVAULT-GRANT-1", 1)),
    );
    add(
        "grant-key-too-short",
        "a grant key has 1,256 bytes",
        GrantKey(key[..key.len() - 3].to_owned()),
    );
    add(
        "grant-key-too-long",
        "a grant key has 1,256 bytes",
        GrantKey(format!("{key}AAAA")),
    );
    add(
        "grant-key-loose-bits",
        "the bits that fill up the last character are zero",
        GrantKey(change(&key, key.len() - 1, |digit| digit | 1)),
    );
    add(
        "grant-key-of-another-kind",
        "a grant key begins with its prefix",
        GrantKey(text),
    );
    add(
        "grant-key-small-order",
        "the X25519 part of a public key is not of small order",
        GrantKey(with_keys(&key, |keys| keys[1184..1216].fill(0))),
    );
    add(
        "grant-key-mlkem-modulus",
        "the coefficients of the ML-KEM part of a public key are below 3,329",
        GrantKey(with_keys(&key, |keys| keys[..2].fill(0xff))),
    );
    add(
        "grant-key-ed25519-no-point",
        "the Ed25519 part is a point of the curve",
        GrantKey(with_keys(&key, |keys| {
            keys[1216..].fill(0);
            keys[1216] = 2;
        })),
    );
    add(
        "grant-key-ed25519-small-order",
        "the Ed25519 part is not of small order",
        GrantKey(with_keys(&key, |keys| {
            keys[1216..].fill(0);
            keys[1216] = 1;
        })),
    );
}

fn references(add: &mut dyn FnMut(&'static str, &str, Given)) {
    let encode = |epoch: u64| {
        let (vault_id, key, epoch) = ([1; 32], [2; 32], epoch.to_le_bytes());
        let hash = sha256(&bind(label::VAULT_REFERENCE, &[&vault_id, &key, &epoch]));
        let bytes = [&vault_id[..], &key, &epoch, &hash[..8]].concat();
        format!("cvault-vault-1{}", Base64UrlUnpadded::encode_string(&bytes))
    };
    let text = encode(3);
    let cases = [
        (
            "reference",
            "a vault reference is a vault id, the hash of a vault key and an epoch",
            text.clone(),
        ),
        (
            "reference-mistyped",
            "a mistyped character is found",
            change(&text, 50, |digit| digit ^ 1),
        ),
        (
            "reference-too-short",
            "a vault reference has 80 bytes",
            text[..text.len() - 3].to_owned(),
        ),
        (
            "reference-loose-bits",
            "the bits that fill up the last character are zero",
            change(&text, text.len() - 1, |digit| digit | 1),
        ),
        (
            "reference-of-another-kind",
            "a vault reference begins with its prefix",
            text.replacen("cvault-vault-1", "cvault-grant-1", 1),
        ),
        ("reference-epoch-zero", "epochs count from 1", encode(0)),
        (
            "reference-epoch-over-limit",
            "an epoch is at most 2^53 - 1",
            encode(1 << 53),
        ),
    ];
    for (name, rule, text) in cases {
        add(name, rule, Given::VaultReference(text));
    }
}

/// The text with the value of one of its base64url digits changed.
fn change(text: &str, at: usize, change: impl FnOnce(usize) -> usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = text.as_bytes().to_vec();
    let value = DIGITS.iter().position(|digit| *digit == text[at]).unwrap();
    text[at] = DIGITS[change(value)];
    String::from_utf8(text).unwrap()
}

/// A grant key with its public keys changed, under a checksum that fits.
fn with_keys(text: &str, change: impl FnOnce(&mut [u8])) -> String {
    let prefix = "cvault-grant-1";
    let mut bytes = Base64UrlUnpadded::decode_vec(text.strip_prefix(prefix).unwrap()).unwrap();
    bytes.truncate(1248);
    change(&mut bytes);
    let (x_wing, ed25519) = bytes.split_at(1216);
    let hash = sha256(&bind(label::GRANT_KEY, &[x_wing, ed25519]));
    let checked = [bytes.as_slice(), &hash[..8]].concat();
    format!("{prefix}{}", Base64UrlUnpadded::encode_string(&checked))
}

/// The same 32 bytes, with one of the four bits behind them set, under a checksum that fits.
fn loose_bits(text: &str) -> String {
    use bech32::primitives::decode::CheckedHrpstring;
    use bech32::primitives::iter::Fe32IterExt;
    let checked = CheckedHrpstring::new::<bech32::Bech32m>(text).unwrap();
    let mut digits: Vec<bech32::Fe32> = checked.fe32_iter::<std::iter::Empty<u8>>().collect();
    let last = digits.last_mut().unwrap();
    *last = bech32::Fe32::try_from(last.to_u8() | 1).unwrap();
    digits
        .into_iter()
        .with_checksum::<bech32::Bech32m>(&checked.hrp())
        .chars()
        .collect()
}

fn steps(add: &mut dyn FnMut(&'static str, &str, Given)) {
    let lengths = vec![
        0, 1, 63, 64, 65, 128, 1023, 1024, 1025, 1088, 1089, 2048, 2049, 4096, 4097, 65_537,
        100_000, 1_048_576, 1_048_577,
    ];
    add(
        "padding",
        "plaintexts are padded in steps of 64 up to 1,024 bytes, then by Padme",
        Given::Padding(lengths),
    );
    let hex = base16ct::lower::encode_string;
    add(
        "bind",
        "a label and its inputs are each led by their length",
        Given::Bind {
            label: label::SECRETS.to_owned(),
            inputs: vec![hex(b"ab"), String::new(), hex(b"c")],
        },
    );
    for (name, label, inputs) in [
        ("derive-x-wing", label::IDENTITY_X_WING, vec![]),
        ("derive-ed25519", label::IDENTITY_ED25519, vec![]),
        (
            "derive-secrets-key",
            label::SECRETS_KEY,
            vec![hex("twitterConnectorId".as_bytes())],
        ),
    ] {
        add(
            name,
            "a key derives by HKDF-SHA256 without salt",
            Given::Derive {
                secret: hex(&std::array::from_fn::<u8, 32, _>(|index| index as u8)),
                label: label.to_owned(),
                inputs,
            },
        );
    }
    add(
        "created-id",
        "a request that creates derives the id of its connector, as bytes before the form of a UUID",
        Given::Derive {
            secret: hex(&[7; 32]),
            label: label::CREATED_ID.to_owned(),
            inputs: vec![hex(&[1; 32]), hex(b"r-1")],
        },
    );
    add(
        "request-mac",
        "a request is known again by HMAC-SHA256",
        Given::Mac {
            key: hex(&[7; 32]),
            label: label::REQUEST_MAC.to_owned(),
            inputs: vec![hex(&[1; 32]), hex(b"x"), hex(b"r-1"), hex(&[2; 32])],
        },
    );
    add(
        "x-wing",
        "a seed derives an X-Wing key as in the first known answer of the draft",
        Given::XWing("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26".to_owned()),
    );
    add(
        "vault-id",
        "a vault id is the hash of the first vault key",
        Given::VaultKey(hex(&[3; 32])),
    );
    let slot = |passphrase: &str| Given::KeySlotKeys {
        passphrase: passphrase.to_owned(),
        salt: hex(&[5; 16]),
        memory_kib: Cost::MIN.memory_kib,
        passes: Cost::MIN.passes,
        lanes: Cost::MIN.lanes,
    };
    add(
        "key-slot-keys",
        "a passphrase derives the wrapping key and the commitment of a key slot",
        slot("caf\u{e9}"),
    );
    add(
        "key-slot-keys-decomposed",
        "a passphrase is normalized to NFC",
        slot("cafe\u{301}"),
    );
    add(
        "external-slot-keys",
        "an external key derives the wrapping key and the commitment of a key slot from the salt",
        Given::ExternalSlotKeys {
            key: hex(&[8; 32]),
            salt: hex(&[5; 16]),
        },
    );
    add(
        "passkey",
        "a passkey answers to the place of its key slot",
        Given::Passkey {
            vault_id: hex(&[3; 32]),
            grant: hex(&[4; 8]),
            salt: hex(&[5; 16]),
        },
    );
    let team = Team::solo();
    let header = &team.vault.header;
    let place = BundlePlace {
        vault_id: header.vault_id,
        epoch: header.epoch,
        grant: header.grants[0].id,
        rights: &header.grants[0].rights,
    };
    add(
        "bundle",
        "a bundle opens by HPKE",
        Given::Bundle {
            identity: team.identity("ops").to_text().to_string(),
            info: hex(&place.info()),
            sealed: hex(&header.grants[0].bundle),
        },
    );
    let overview = newest(&team.vault, "x").overview;
    let group = header.groups[0].id;
    let keys = team.vault.access.bundle.group(group).unwrap();
    add(
        "sealed",
        "an overview opens by XAES-256-GCM",
        Given::Sealed {
            key: hex(&*keys.overview),
            associated_data: hex(&bind(
                label::OVERVIEW,
                &[
                    header.vault_id.as_bytes(),
                    &1u64.to_le_bytes(),
                    group.as_bytes(),
                ],
            )),
            sealed: hex(&overview),
        },
    );
    let action = serde_json::from_str(&update("x", "APIKey", "b")).unwrap();
    add(
        "request",
        "the digest of a request covers the action as it is written",
        Given::Request(action),
    );
}

/// What comes of a step.
pub(super) fn answer(given: &Given) -> KeyExpect {
    let hex = base16ct::lower::encode_string;
    let bytes = |text: &str| base16ct::lower::decode_vec(text).unwrap();
    let array = |text: &str| <[u8; 32]>::try_from(bytes(text)).unwrap();
    let mut expect = KeyExpect::default();
    match given {
        Given::Identity(text) => match Identity::parse(text) {
            Ok(identity) => {
                let key = identity.grant_key();
                expect.grant_key = Some(key.to_string());
                expect.fingerprint = Some(key.fingerprint());
            }
            Err(error) => expect.error = Some(error.code().as_str().to_owned()),
        },
        Given::GrantKey(text) => match GrantKey::parse(text) {
            Ok(key) => {
                let keys = [key.x_wing.as_bytes().as_slice(), &key.ed25519];
                expect.bytes = Some(hex(&keys.concat()));
                expect.grant_key = Some(key.to_string());
                expect.fingerprint = Some(key.fingerprint());
            }
            Err(error) => expect.error = Some(error.code().as_str().to_owned()),
        },
        Given::VaultReference(text) => match text.parse::<VaultReference>() {
            Ok(reference) => {
                expect.vault_id = Some(reference.vault_id().to_string());
                expect.epoch = Some(reference.epoch());
            }
            Err(error) => expect.error = Some(error.code().as_str().to_owned()),
        },
        Given::Padding(lengths) => {
            expect.lengths = Some(lengths.iter().map(|len| padded_len(*len)).collect());
        }
        Given::Bind { label, inputs } => {
            let inputs: Vec<_> = inputs.iter().map(|input| bytes(input)).collect();
            let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
            expect.bytes = Some(hex(&bind(label, &inputs)));
        }
        Given::Derive {
            secret,
            label,
            inputs,
        } => {
            let inputs: Vec<_> = inputs.iter().map(|input| bytes(input)).collect();
            let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
            expect.bytes = Some(hex(&*kdf::derive_key(&array(secret), label, &inputs)));
        }
        Given::Mac { key, label, inputs } => {
            let inputs: Vec<_> = inputs.iter().map(|input| bytes(input)).collect();
            let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
            let key = zeroize::Zeroizing::new(array(key));
            let code: Hash = MacKey::new(&key).mac(&bind(label, &inputs));
            expect.bytes = Some(hex(&code));
        }
        Given::XWing(seed) => {
            let public = x_wing::PrivateKey::from_seed(&array(seed)).public();
            expect.bytes = Some(hex(public.as_bytes()));
        }
        Given::VaultKey(key) => expect.bytes = Some(log::vault_id(&array(key)).to_string()),
        Given::KeySlotKeys {
            passphrase,
            salt,
            memory_kib,
            passes,
            lanes,
        } => {
            let passphrase = Passphrase::new(passphrase).unwrap();
            let salt = <[u8; 16]>::try_from(bytes(salt)).unwrap();
            let cost = Cost {
                memory_kib: *memory_kib,
                passes: *passes,
                lanes: *lanes,
            };
            let mut memory = kdf::Memory::default();
            let keys = kdf::derive_key_slot_keys(&mut memory, &passphrase, &salt, cost).unwrap();
            expect.bytes = Some(hex(&*keys.wrapping));
            expect.commitment = Some(hex(&keys.commitment));
        }
        Given::ExternalSlotKeys { key, salt } => {
            let key = ExternalKey::from_bytes(&bytes(key)).unwrap();
            let keys = key.key_slot_keys(&bytes(salt).try_into().unwrap());
            expect.bytes = Some(hex(&*keys.wrapping));
            expect.commitment = Some(hex(&keys.commitment));
        }
        Given::Passkey {
            vault_id,
            grant,
            salt,
        } => {
            let grant = GrantId(Hex::parse(grant).unwrap());
            let place = NewPasskey::new(vault_id.parse().unwrap(), grant, salt.parse().unwrap());
            expect.bytes = Some(hex(&place.prf_input()));
        }
        Given::Bundle {
            identity,
            info,
            sealed,
        } => {
            let keys = Identity::parse(identity).unwrap().keys();
            expect.bytes = Some(hex(&keys.open(&bytes(info), &bytes(sealed)).unwrap()));
        }
        Given::Sealed {
            key,
            associated_data,
            sealed,
        } => {
            let mut plaintext = Vec::new();
            let key = SealingKey::new(&array(key));
            assert!(key.open(&bytes(associated_data), &bytes(sealed), &mut plaintext));
            expect.bytes = Some(hex(&plaintext));
        }
        Given::Request(action) => {
            let action = Action::parse(&action.to_string()).unwrap();
            let parts = action.digest_parts(&Options::default(), None);
            expect.bytes = Some(hex(&request_digest(&parts)));
        }
    }
    expect
}
