//! An identity and the keys that derive from it: X-Wing to receive a bundle, Ed25519 (RFC 8032) to sign;
//! text forms in Bech32m (BIP 350) and base64url (RFC 4648). docs/format.md section 3.3.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::kdf::{self, Key};
use super::{Hash, label, sha256, x_wing};
use crate::error::{Code, Error, Result};

/// A 32-byte secret from which a grant's keys derive. A service holds it directly, without a
/// passphrase. Redacted in `Debug`, wiped when dropped.
#[derive(Clone)]
pub struct Identity(Key);

const IDENTITY_HRP: Hrp = Hrp::parse_unchecked("cvault-identity-");
const IDENTITY_PREFIX: &str = "cvault-identity-1";
const GRANT_PREFIX: &str = "cvault-grant-1";

impl Identity {
    /// A new identity from the caller's source of randomness.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut secret = Key::default();
        rng.fill_bytes(&mut *secret);
        Self(secret)
    }

    pub(crate) fn from_bytes(secret: [u8; 32]) -> Self {
        Self(Zeroizing::new(secret))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads `cvault-identity-1...`, by itself or as a file has it, with comments in lines that begin with `#`.
    /// The checksum catches mistyped characters.
    pub fn parse(text: &str) -> Result<Self> {
        let text = bare(text);
        let secret = decode_identity(text).ok_or_else(|| {
            let invalid = |message: &'static str| Error::new(Code::InvalidIdentity, message);
            match begins_with(text, GRANT_PREFIX) {
                true => invalid("this is a public grant key, not an identity")
                    .with_hint("give the identity that the key belongs to: cvault-identity-1..."),
                false => invalid("the text is not an identity, or it was mistyped")
                    .with_hint("an identity begins with cvault-identity-1"),
            }
        })?;
        Ok(Self(secret))
    }

    /// The secret text form: `cvault-identity-1` and 58 characters.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        // BIP 350 bounds its strings; 32 bytes and the prefix stay far below.
        let text = bech32::encode::<Bech32m>(IDENTITY_HRP, &*self.0);
        Zeroizing::new(text.expect("within the length of Bech32m"))
    }

    /// The public keys, which an owner needs to grant something to this identity.
    #[must_use]
    pub fn grant_key(&self) -> GrantKey {
        self.keys().public
    }

    pub(crate) fn keys(&self) -> IdentityKeys {
        let seed = kdf::derive_key(&self.0, label::IDENTITY_X_WING, &[]);
        let private = x_wing::PrivateKey::from_seed(&seed);
        let seed = kdf::derive_key(&self.0, label::IDENTITY_ED25519, &[]);
        let signing = SigningKey::from_bytes(&seed);
        let public = GrantKey {
            x_wing: private.public(),
            ed25519: signing.verifying_key().to_bytes(),
        };
        IdentityKeys {
            private,
            signing,
            public,
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// The public keys of an identity: `cvault-grant-1...` in text. `Debug` shows the fingerprint.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GrantKey {
    pub(crate) x_wing: x_wing::PublicKey,
    pub(crate) ed25519: [u8; 32],
}

/// Characters of the public text form: X-Wing public key, Ed25519 public key and checksum in base64url.
const GRANT_TEXT_LEN: usize =
    GRANT_PREFIX.len() + ((x_wing::PUBLIC_LEN + 32 + CHECKSUM_LEN) * 4).div_ceil(3);
const CHECKSUM_LEN: usize = 8;

impl GrantKey {
    /// Reads `cvault-grant-1...`, by itself or as a file has it, with comments in lines that begin with `#`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = bare(text);
        let invalid = |message: &'static str| Error::new(Code::InvalidGrantKey, message);
        if begins_with(text, IDENTITY_PREFIX) {
            return Err(
                invalid("this is an identity, which is secret, not its public grant key").with_hint(
                    "give its public key, cvault-grant-1...; if somebody else has seen the identity, make a \
                     new one",
                ),
            );
        }
        let (x_wing, ed25519) = decode_grant_key(text).ok_or_else(|| {
            invalid("the text is not a public grant key, or it was mistyped or cut short").with_hint(format!(
                "a public grant key begins with {GRANT_PREFIX} and has {GRANT_TEXT_LEN} characters"
            ))
        })?;
        let x_wing = x_wing::PublicKey::from_bytes(&x_wing).ok_or_else(|| {
            invalid("the grant key is not safe: anybody could open a part of what is sealed to it")
                .with_hint("ask its holder for the key of a new identity")
        })?;
        // `verify` accepts nothing under such a key.
        if VerifyingKey::from_bytes(&ed25519).is_ok_and(|key| !key.is_weak()) {
            return Ok(Self { x_wing, ed25519 });
        }
        Err(invalid("nothing that this grant key signs would be valid")
            .with_hint("ask its holder for the key of a new identity"))
    }

    /// A short form that people compare to be sure that they have the right key: 24 characters in six groups
    /// of four, with `-` between.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let hash = keys_hash(label::FINGERPRINT, self.x_wing.as_bytes(), &self.ed25519);
        let mut text = String::with_capacity(29);
        // Base32 (RFC 4648 section 6): five bits a digit.
        for digit in 0..24 {
            if digit > 0 && digit % 4 == 0 {
                text.push('-');
            }
            let bit = 5 * digit;
            let pair = u16::from_be_bytes([hash[bit / 8], hash[bit / 8 + 1]]);
            let value = (pair >> (11 - bit % 8)) & 0x1f;
            text.push(char::from(DIGITS[usize::from(value)]));
        }
        text
    }
}

impl fmt::Display for GrantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (x_wing, ed25519) = (self.x_wing.as_bytes(), &self.ed25519);
        let hash = keys_hash(label::GRANT_KEY, x_wing, ed25519);
        let bytes = [x_wing.as_slice(), ed25519, &hash[..CHECKSUM_LEN]].concat();
        f.write_str(GRANT_PREFIX)?;
        f.write_str(&Base64UrlUnpadded::encode_string(&bytes))
    }
}

impl fmt::Debug for GrantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantKey({})", self.fingerprint())
    }
}

fn keys_hash(label: &str, x_wing: &[u8; x_wing::PUBLIC_LEN], ed25519: &[u8; 32]) -> Hash {
    sha256(&label::bind(label, &[x_wing, ed25519]))
}

/// The keys of a public text form whose checksum holds.
fn decode_grant_key(text: &str) -> Option<([u8; x_wing::PUBLIC_LEN], [u8; 32])> {
    if text.len() != GRANT_TEXT_LEN {
        return None;
    }
    let digits = text.strip_prefix(GRANT_PREFIX)?;
    let bytes = Base64UrlUnpadded::decode_vec(digits).ok()?;
    let (x_wing, rest) = bytes.split_first_chunk()?;
    let (ed25519, checksum) = rest.split_first_chunk()?;
    let hash = keys_hash(label::GRANT_KEY, x_wing, ed25519);
    (*checksum == hash[..CHECKSUM_LEN]).then_some((*x_wing, *ed25519))
}

/// The text without what a file may have around it: a byte order mark, white space, comments. A text of
/// several lines stays as it is, and no text form has a line break.
pub(crate) fn bare(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    match (lines.next(), lines.next()) {
        (Some(line), None) => line,
        _ => text,
    }
}

/// Whether a text is meant to be of this kind, right or not.
fn begins_with(text: &str, prefix: &str) -> bool {
    let start = text.as_bytes().get(..prefix.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

fn decode_identity(text: &str) -> Option<Key> {
    let checked = CheckedHrpstring::new::<Bech32m>(text).ok()?;
    if checked.hrp() != IDENTITY_HRP {
        return None;
    }
    // One text for one identity: the bits that fill up the last character are zero.
    checked.validate_segwit_padding().ok()?;
    let mut bytes = Key::default();
    let mut decoded = checked.byte_iter();
    for byte in bytes.iter_mut() {
        *byte = decoded.next()?;
    }
    decoded.next().is_none().then_some(bytes)
}

/// The keys of an identity, held while a vault is open.
#[derive(Clone)]
pub(crate) struct IdentityKeys {
    private: x_wing::PrivateKey,
    signing: SigningKey,
    pub(crate) public: GrantKey,
}

impl IdentityKeys {
    /// Opens what was sealed to this identity's X-Wing key.
    pub(crate) fn open(&self, info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.private.open(info, sealed)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }
}

/// The vault's own signing key; its seed is in the owners' bundles.
#[derive(Clone)]
pub(crate) struct VaultKey(SigningKey);

impl VaultKey {
    pub(crate) fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut seed = Key::default();
        rng.fill_bytes(&mut *seed);
        Self::from_seed(&seed)
    }

    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    pub(crate) fn seed(&self) -> Key {
        let mut seed = self.0.to_bytes();
        let key = Zeroizing::new(seed);
        seed.zeroize();
        key
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// Verifies an Ed25519 signature strictly: no small-order key, no malleable form, so that every
/// implementation agrees on which signatures are valid.
pub(crate) fn verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public).is_ok_and(|key| {
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature))
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_round_trip() {
        let identity = Identity::from_bytes([7; 32]);
        let text = identity.to_text();
        assert!(text.starts_with("cvault-identity-1"), "{}", *text);
        assert_eq!(
            Identity::parse(&text).expect("own text").as_bytes(),
            &[7; 32]
        );
        let upper = text.to_ascii_uppercase();
        assert_eq!(
            Identity::parse(&upper).expect("upper case").as_bytes(),
            &[7; 32]
        );

        let around = format!("\u{feff}{}\r\n", *text);
        assert_eq!(
            Identity::parse(&around)
                .expect("as files have it")
                .as_bytes(),
            &[7; 32]
        );

        let key = identity.grant_key();
        let text = key.to_string();
        assert!(text.starts_with("cvault-grant-1"), "{text}");
        assert_eq!(GrantKey::parse(&text).expect("own text"), key);
        assert!(GrantKey::parse(&text[..text.len() - 1]).is_err());
        let swapped = Identity::parse(&text).expect_err("a public key");
        assert!(swapped.message().contains("public grant key"), "{swapped}");
        let swapped = GrantKey::parse(&identity.to_text()).expect_err("an identity");
        assert!(swapped.message().contains("which is secret"), "{swapped}");
    }

    #[test]
    fn a_text_among_comments() {
        let key = Identity::from_bytes([7; 32]).grant_key();
        let file = format!(
            "\u{feff}# fingerprint {}\n\n {key}\r\n# end",
            key.fingerprint()
        );
        assert_eq!(GrantKey::parse(&file).expect("one key"), key);
        for file in [
            format!("{key}\n{key}"),
            format!("{key}\nand more"),
            format!("# {key}"),
            "#".into(),
        ] {
            let refused = GrantKey::parse(&file).expect_err("not one key");
            assert_eq!(refused.code(), Code::InvalidGrantKey);
        }
        let text = Identity::from_bytes([7; 32]).to_text();
        let file = format!("# kept by ops\n{}\n", *text);
        assert!(Identity::parse(&file).is_ok());
    }

    #[test]
    fn a_fingerprint_has_six_groups_of_base32() {
        let fingerprint = Identity::from_bytes([7; 32]).grant_key().fingerprint();
        let groups: Vec<_> = fingerprint.split('-').collect();
        assert_eq!(groups.len(), 6, "{fingerprint}");
        for group in groups {
            assert_eq!(group.len(), 4, "{fingerprint}");
            assert!(
                group
                    .bytes()
                    .all(|digit| matches!(digit, b'a'..=b'z' | b'2'..=b'7'))
            );
        }
    }

    #[test]
    fn a_mistyped_character_is_found() {
        let text = Identity::from_bytes([9; 32]).to_text();
        for at in "cvault-identity-1".len()..text.len() {
            let mut typed = text.as_bytes().to_vec();
            typed[at] = if typed[at] == b'q' { b'p' } else { b'q' };
            let typed = String::from_utf8(typed).expect("ASCII");
            assert_eq!(
                Identity::parse(&typed).expect_err("mistyped").code(),
                Code::InvalidIdentity
            );
        }
        let text = Identity::from_bytes([9; 32]).grant_key().to_string();
        for at in 0..text.len() {
            let mut typed = text.as_bytes().to_vec();
            typed[at] = if typed[at] == b'A' { b'B' } else { b'A' };
            let typed = String::from_utf8(typed).expect("ASCII");
            assert_eq!(
                GrantKey::parse(&typed).expect_err("mistyped").code(),
                Code::InvalidGrantKey
            );
        }
    }
}
