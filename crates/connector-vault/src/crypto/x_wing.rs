//! X-Wing (draft-connolly-cfrg-xwing-kem-10), a hybrid of ML-KEM-768 (FIPS 203) and X25519 (RFC 7748), under
//! HPKE in base mode (RFC 9180, draft-ietf-hpke-pq-04); docs/format.md section 3. Whoever records a sealed
//! message today has to break both of them later.

use std::fmt;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of a public key: ML-KEM-768, then X25519.
pub(crate) const PUBLIC_LEN: usize = ML_KEM_PUBLIC_LEN + X25519_LEN;
const ML_KEM_PUBLIC_LEN: usize = 1184;
/// Bytes of an encapsulated key: ML-KEM-768, then X25519.
const ENCAPSULATED_LEN: usize = 1088 + X25519_LEN;
const X25519_LEN: usize = 32;
const TAG_LEN: usize = 16;

/// Bytes that sealing adds: encapsulated key and tag.
pub(crate) const OVERHEAD: usize = ENCAPSULATED_LEN + TAG_LEN;

/// A public key to which one can seal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PublicKey(Box<[u8; PUBLIC_LEN]>);

impl PublicKey {
    /// Takes the bytes of a public key, if docs/format.md section 3 accepts them.
    ///
    /// The library makes one of these checks today. Both stand here, since libraries disagree about the other
    /// one, and a key that one reader takes and another refuses would split a vault.
    pub(crate) fn from_bytes(bytes: &[u8; PUBLIC_LEN]) -> Option<Self> {
        let (ml_kem, rest) = bytes.split_first_chunk::<ML_KEM_PUBLIC_LEN>()?;
        let x25519 = rest.first_chunk::<X25519_LEN>()?;
        let sound = is_reduced(ml_kem) && !is_of_small_order(x25519);
        sound.then(|| Self(Box::new(*bytes)))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; PUBLIC_LEN] {
        &self.0
    }

    /// Seals to this key: `encapsulated key (1,120) || ciphertext || tag (16)`. Returns `None` if the library
    /// refuses the key.
    pub(crate) fn seal(
        &self,
        rng: &mut dyn CryptoRng,
        info: &[u8],
        plaintext: &[u8],
    ) -> Option<Vec<u8>> {
        let public = <XWing as Kem>::PublicKey::from_bytes(&*self.0).ok()?;
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
                &OpModeS::Base,
                &public,
                info,
                plaintext,
                &[],
                &mut &mut *rng,
            )
            .ok()?;
        Some([encapsulated.to_bytes().as_slice(), &ciphertext].concat())
    }
}

impl AsRef<[u8]> for PublicKey {
    fn as_ref(&self) -> &[u8] {
        &*self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

/// A private key: 32 bytes, from which both halves derive. The library wipes it when it is dropped.
#[derive(Clone)]
pub(crate) struct PrivateKey(<XWing as Kem>::PrivateKey);

impl PrivateKey {
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        let key = <XWing as Kem>::PrivateKey::from_bytes(seed);
        Self(key.expect("each 32 bytes are an X-Wing private key"))
    }

    pub(crate) fn public(&self) -> PublicKey {
        let bytes = XWing::sk_to_pk(&self.0).to_bytes();
        PublicKey(Box::new(bytes.into()))
    }

    /// Opens what [`PublicKey::seal`] sealed to the public key of this one.
    pub(crate) fn open(&self, info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (encapsulated, ciphertext) = sealed.split_first_chunk::<ENCAPSULATED_LEN>()?;
        // Libraries do not agree on it.
        if is_of_small_order(encapsulated.last_chunk::<X25519_LEN>()?) {
            return None;
        }
        let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        hpke::single_shot_open::<AesGcm256, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            info,
            ciphertext,
            &[],
        )
        .ok()
        .map(Zeroizing::new)
    }
}

/// Whether the coefficients of an ML-KEM public key are below the modulus: the modulus check of FIPS 203
/// section 7.2. Two coefficients of 12 bits stand in three bytes; the last 32 bytes are a seed.
fn is_reduced(public: &[u8; ML_KEM_PUBLIC_LEN]) -> bool {
    const MODULUS: u16 = 3329;
    let (triples, _seed) = public[..ML_KEM_PUBLIC_LEN - 32].as_chunks::<3>();
    triples.iter().all(|&[low, middle, high]| {
        let first = u16::from(low) | (u16::from(middle) & 0x0f) << 8;
        let second = u16::from(middle) >> 4 | u16::from(high) << 4;
        first < MODULUS && second < MODULUS
    })
}

/// Whether X25519 with this public key gives 32 zero bytes, whatever the private key is: then everybody knows
/// its half of the shared secret. These keys are known, so they are compared, which costs less than to
/// multiply for each grant of a header.
fn is_of_small_order(public: &[u8; X25519_LEN]) -> bool {
    // X25519 ignores the highest bit (RFC 7748 section 5).
    let mut masked = *public;
    masked[X25519_LEN - 1] &= 0x7f;
    SMALL_ORDER.contains(&masked)
}

/// The u-coordinates of small order on Curve25519 and on its twist: 0, 1, p - 1 and two of order 8; then p
/// and p + 1, which stand for 0 and 1.
const SMALL_ORDER: [[u8; X25519_LEN]; 7] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    near_p(0xec),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    near_p(0xed),
    near_p(0xee),
];

/// A number whose bytes are those of p = 2^255 - 19, but for the lowest one.
const fn near_p(lowest: u8) -> [u8; X25519_LEN] {
    let mut bytes = [0xff; X25519_LEN];
    bytes[0] = lowest;
    bytes[X25519_LEN - 1] = 0x7f;
    bytes
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::montgomery::MontgomeryPoint;
    use rand::SeedableRng;

    use super::*;

    /// The first known answer of draft-connolly-cfrg-xwing-kem-10.
    #[test]
    fn a_public_key_of_the_draft() {
        let base16 = |text: &str| {
            let bytes = base16ct::lower::decode_vec(text).expect("base16");
            <[u8; 32]>::try_from(bytes).expect("32 bytes")
        };
        let seed = base16("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
        let public = PrivateKey::from_seed(&seed).public();
        assert_eq!(
            crate::crypto::sha256(public.as_bytes()),
            base16("2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb")
        );
    }

    #[test]
    fn keys_of_small_order() {
        let product = |u| MontgomeryPoint(u).mul_clamped([7; 32]).to_bytes();
        for mut u in SMALL_ORDER {
            assert_eq!(product(u), [0; 32]);
            assert!(is_of_small_order(&u));
            u[31] |= 0x80;
            assert_eq!(product(u), [0; 32]);
            assert!(is_of_small_order(&u));
        }
        // All of the curve. Its twist has 0 and p - 1.
        for point in EIGHT_TORSION {
            let u = point.to_montgomery().to_bytes();
            assert!(SMALL_ORDER.contains(&u), "{u:?}");
        }
        for mut u in SMALL_ORDER {
            u[3] ^= 1;
            assert_ne!(product(u), [0; 32]);
            assert!(!is_of_small_order(&u));
        }
    }

    #[test]
    fn a_key_outside_the_modulus() {
        let sound = *PrivateKey::from_seed(&[7; 32]).public().as_bytes();
        assert!(PublicKey::from_bytes(&sound).is_some());
        // The first and the last coefficient of a triple, at both ends of the key: 3,328 and 3,329.
        for at in [0, ML_KEM_PUBLIC_LEN - 35] {
            for (low, middle, high) in [(0x00, 0x0d, 0x00), (0x00, 0x00, 0xd0)] {
                let mut bytes = sound;
                bytes[at..at + 3].copy_from_slice(&[low, middle, high]);
                assert!(PublicKey::from_bytes(&bytes).is_some());
                // One more.
                bytes[at..at + 3].copy_from_slice(&match high {
                    0 => [low + 1, middle, high],
                    _ => [low, middle + 0x10, high],
                });
                assert!(PublicKey::from_bytes(&bytes).is_none());
                assert!(<XWing as Kem>::PublicKey::from_bytes(&bytes).is_err());
            }
        }
        // The seed behind the coefficients may be anything.
        let mut bytes = sound;
        bytes[ML_KEM_PUBLIC_LEN - 32..ML_KEM_PUBLIC_LEN].fill(0xff);
        assert!(PublicKey::from_bytes(&bytes).is_some());
    }

    #[test]
    fn an_encapsulated_key_of_small_order() {
        let mut rng = rand::rngs::StdRng::from_seed([7; 32]);
        let private = PrivateKey::from_seed(&[7; 32]);
        let sealed = private.public().seal(&mut rng, b"info", b"plaintext");
        let mut sealed = sealed.expect("sealed");
        assert_eq!(sealed.len(), OVERHEAD + 9);
        let opened = private.open(b"info", &sealed).expect("opened");
        assert_eq!(opened.as_slice(), b"plaintext");
        assert!(private.open(b"other", &sealed).is_none());
        for len in 0..sealed.len() {
            assert!(private.open(b"info", &sealed[..len]).is_none());
        }
        sealed[ENCAPSULATED_LEN - X25519_LEN..ENCAPSULATED_LEN].fill(0);
        assert!(private.open(b"info", &sealed).is_none());
    }
}
