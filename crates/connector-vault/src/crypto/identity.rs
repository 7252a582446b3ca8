//! An identity and the keys that derive from it: X25519 to receive a bundle by HPKE (RFC 9180),
//! Ed25519 (RFC 8032) to sign; text forms in Bech32m (BIP 350). docs/format.md section 3.3.

use std::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::kdf::{self, Key};
use super::label;
use crate::error::{Code, Error, Result};

/// A 32-byte secret from which a grant's keys derive. A service holds it directly, without a
/// passphrase. Redacted in `Debug`, wiped when dropped.
#[derive(Clone)]
pub struct Identity(Key);

const IDENTITY_HRP: Hrp = Hrp::parse_unchecked("cvault-identity-");
const GRANT_HRP: Hrp = Hrp::parse_unchecked("cvault-grant-");

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

    /// Reads `cvault-identity-1...`. The checksum catches mistyped characters.
    pub fn parse(text: &str) -> Result<Self> {
        let text = bare(text);
        let secret = decode_text(IDENTITY_HRP, text).ok_or_else(|| {
            let invalid = |message: &'static str| Error::new(Code::InvalidIdentity, message);
            match begins_with(text, GRANT_HRP) {
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
        Zeroizing::new(encode_text(IDENTITY_HRP, &*self.0))
    }

    /// The public keys, which an owner needs to grant something to this identity.
    #[must_use]
    pub fn grant_key(&self) -> GrantKey {
        self.keys().public
    }

    pub(crate) fn keys(&self) -> IdentityKeys {
        let material = kdf::derive_key(&self.0, label::IDENTITY_X25519, &[]);
        let (private, public) = X25519HkdfSha256::derive_keypair(&*material);
        let seed = kdf::derive_key(&self.0, label::IDENTITY_ED25519, &[]);
        let signing = SigningKey::from_bytes(&seed);
        let public = GrantKey {
            x25519: public.to_bytes().into(),
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

/// The public keys of an identity: `cvault-grant-1...` in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GrantKey {
    pub(crate) x25519: [u8; 32],
    pub(crate) ed25519: [u8; 32],
}

impl GrantKey {
    /// Reads `cvault-grant-1...`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = bare(text);
        let bytes: Zeroizing<[u8; 64]> = decode_text(GRANT_HRP, text).ok_or_else(|| {
            let invalid = |message: &'static str| Error::new(Code::InvalidGrantKey, message);
            match begins_with(text, IDENTITY_HRP) {
                true => invalid("this is an identity, which is secret, not its public grant key").with_hint(
                    "give its public key, cvault-grant-1...; if somebody else has seen the identity, make a \
                     new one",
                ),
                false => invalid("the text is not a public grant key, or it was mistyped")
                    .with_hint("a public grant key begins with cvault-grant-1"),
            }
        })?;
        let (x25519, ed25519) = bytes.split_at(32);
        let mut key = Self {
            x25519: [0; 32],
            ed25519: [0; 32],
        };
        key.x25519.copy_from_slice(x25519);
        key.ed25519.copy_from_slice(ed25519);
        Ok(key)
    }
}

impl fmt::Display for GrantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_text(
            GRANT_HRP,
            &[self.x25519, self.ed25519].concat(),
        ))
    }
}

/// Without what a file may have around it: its checksum says whether it is right.
fn bare(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text).trim()
}

/// Whether a text is meant to be of this kind, right or not.
fn begins_with(text: &str, hrp: Hrp) -> bool {
    let start = text.as_bytes().get(..hrp.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(hrp.as_str().as_bytes()))
}

fn encode_text(hrp: Hrp, bytes: &[u8]) -> String {
    // BIP 350 strings are bounded; 64 bytes and the prefix stay far below.
    bech32::encode::<Bech32m>(hrp, bytes).expect("within the length of Bech32m")
}

fn decode_text<const N: usize>(hrp: Hrp, text: &str) -> Option<Zeroizing<[u8; N]>> {
    let checked = CheckedHrpstring::new::<Bech32m>(text).ok()?;
    if checked.hrp() != hrp {
        return None;
    }
    // One text for one identity: the bits that fill up the last character are zero.
    checked.validate_segwit_padding().ok()?;
    let mut bytes = Zeroizing::new([0; N]);
    let mut decoded = checked.byte_iter();
    for byte in bytes.iter_mut() {
        *byte = decoded.next()?;
    }
    decoded.next().is_none().then_some(bytes)
}

/// The keys of an identity, held while a vault is open.
#[derive(Clone)]
pub(crate) struct IdentityKeys {
    private: <X25519HkdfSha256 as Kem>::PrivateKey,
    signing: SigningKey,
    pub(crate) public: GrantKey,
}

impl IdentityKeys {
    /// Opens what [`seal_to`] sealed to this identity.
    pub(crate) fn open(&self, info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (encapsulated, ciphertext) = sealed.split_at_checked(32)?;
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        hpke::single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.private,
            &encapsulated,
            info,
            ciphertext,
            &[],
        )
        .ok()
        .map(Zeroizing::new)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }
}

/// Seals to a grant's X25519 key by HPKE in base mode: `encapsulated key (32) || ciphertext`.
pub(crate) fn seal_to(
    key: &GrantKey,
    rng: &mut dyn CryptoRng,
    info: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>> {
    let invalid = |_| {
        Error::new(
            Code::InvalidGrantKey,
            "nothing can be sealed to this grant key",
        )
    };
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&key.x25519).map_err(invalid)?;
    let (encapsulated, ciphertext) =
        hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &public,
            info,
            plaintext,
            &[],
            &mut &mut *rng,
        )
        .map_err(invalid)?;
    Ok([encapsulated.to_bytes().as_slice(), &ciphertext].concat())
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
    }
}
