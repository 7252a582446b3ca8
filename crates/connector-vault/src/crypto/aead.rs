//! Sealing: XAES-256-GCM (C2SP/XAES-256-GCM) for records, AES-256-GCM (NIST SP 800-38D) for
//! the identity in a key slot; docs/format.md sections 3.2 and 4.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Tag};
use rand_core::CryptoRng;
use xaes_256_gcm::Xaes256Gcm;
use zeroize::Zeroizing;

/// Bytes of a sealing nonce: random, since 192 bits never repeat by chance, not even among
/// copies of a vault that fork.
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;

/// Bytes that sealing adds: nonce and tag.
pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

/// A key that seals and opens. Kept, because its set-up costs as much as a small message.
#[derive(Clone)]
pub(crate) struct SealingKey(Xaes256Gcm);

impl SealingKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Xaes256Gcm::new(key.into()))
    }

    /// Appends `nonce || ciphertext || tag` to `out`.
    pub(crate) fn seal(
        &self,
        rng: &mut dyn CryptoRng,
        associated_data: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        out.reserve(OVERHEAD + plaintext.len());
        out.extend_from_slice(&nonce);
        let body = out.len();
        out.extend_from_slice(plaintext);
        let tag = self
            .0
            .encrypt_inout_detached(&nonce.into(), associated_data, (&mut out[body..]).into())
            .expect("a record is far below the 64 GiB of AES-GCM");
        out.extend_from_slice(&tag);
    }

    /// Appends the plaintext of `sealed` to `out`, or leaves `out` as it was and says no.
    pub(crate) fn open(&self, associated_data: &[u8], sealed: &[u8], out: &mut Vec<u8>) -> bool {
        let Some((nonce, rest)) = sealed.split_first_chunk::<NONCE_LEN>() else {
            return false;
        };
        let Some((ciphertext, tag)) = rest.split_last_chunk::<TAG_LEN>() else {
            return false;
        };
        let body = out.len();
        out.extend_from_slice(ciphertext);
        let opened = self
            .0
            .decrypt_inout_detached(
                &(*nonce).into(),
                associated_data,
                (&mut out[body..]).into(),
                tag.into(),
            )
            .is_ok();
        if !opened {
            out.truncate(body);
        }
        opened
    }
}

/// Wraps `plaintext` in place under a key that is used once; returns the tag.
pub(crate) fn wrap(
    key: &[u8; 32],
    nonce: &[u8; 12],
    associated_data: &[u8],
    plaintext: &mut [u8],
) -> [u8; TAG_LEN] {
    Aes256Gcm::new(key.into())
        .encrypt_inout_detached(nonce.into(), associated_data, plaintext.into())
        .expect("an identity is far below the 64 GiB of AES-GCM")
        .into()
}

/// Unwraps what [`wrap`] made, `ciphertext || tag`.
pub(crate) fn unwrap<const N: usize>(
    key: &[u8; 32],
    nonce: &[u8; 12],
    associated_data: &[u8],
    ciphertext: &[u8; N],
    tag: &[u8; TAG_LEN],
) -> Option<Zeroizing<[u8; N]>> {
    let mut plaintext = Zeroizing::new(*ciphertext);
    let tag: &Tag = tag.into();
    Aes256Gcm::new(key.into())
        .decrypt_inout_detached(
            nonce.into(),
            associated_data,
            plaintext.as_mut_slice().into(),
            tag,
        )
        .ok()?;
    Some(plaintext)
}

/// The length to which a plaintext is padded: steps of 64 bytes up to 1 KiB, then Padmé
/// (Nikitin et al., PETS 2019), which leaks O(log log) bits and adds at most 12 %.
pub(crate) fn padded_len(len: usize) -> usize {
    if len <= 1024 {
        return len.next_multiple_of(64).max(64);
    }
    let exponent = len.ilog2();
    let mantissa_bits = exponent.ilog2() + 1;
    let mask = (1usize << (exponent - mantissa_bits)) - 1;
    (len + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding() {
        for (len, padded) in [
            (0, 64),
            (1, 64),
            (64, 64),
            (65, 128),
            (1024, 1024),
            (1025, 1088),
            (100_000, 100_352),
        ] {
            assert_eq!(padded_len(len), padded, "{len}");
        }
    }

    proptest::proptest! {
        /// Never shorter, padded once and for all, at most 12 % more above 1 KiB, and monotonous.
        #[test]
        fn padding_law(len in 0usize..64 * 1024 * 1024) {
            let padded = padded_len(len);
            assert!(padded >= len && padded_len(padded) == padded);
            assert!(len <= 1024 || (padded - len) * 100 <= len * 12);
            assert!(padded_len(len + 1) >= padded);
        }
    }
}
