//! Keys, sealing and signatures; knows no vault. Every primitive is a library's
//! (docs/format.md section 3).

pub(crate) mod aead;
pub(crate) mod identity;
pub(crate) mod kdf;
pub(crate) mod label;
pub(crate) mod mac;
pub(crate) mod x_wing;

use sha2::{Digest, Sha256};

/// A SHA-256 digest (FIPS 180-4).
pub(crate) type Hash = [u8; 32];

/// SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}
