//! How other tools encrypt what they export. Everything decrypts in memory that is wiped.

use aes::Aes256;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use md5::Md5;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// Bytes that may hold secrets: wiped when dropped.
pub(crate) type Bytes = Zeroizing<Vec<u8>>;

/// The 32 bytes of a key of AES-256.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// What OpenSSL's `enc` writes in front of the salt.
pub(crate) const SALTED: &[u8] = b"Salted__";

/// AES-256-CBC with PKCS#7 padding (NIST SP 800-38A); `None` if the padding is wrong, as with most wrong keys.
pub(crate) fn open_cbc(key: &Key, iv: &[u8], sealed: &[u8]) -> Option<Bytes> {
    let mut bytes = Bytes::new(sealed.to_vec());
    let cipher = cbc::Decryptor::<Aes256>::new_from_slices(key.as_slice(), iv).ok()?;
    let len = cipher.decrypt_padded::<Pkcs7>(&mut bytes).ok()?.len();
    bytes.truncate(len);
    Some(bytes)
}

/// AES-256-CTR with a 128-bit counter (NIST SP 800-38A). A wrong key gives noise.
pub(crate) fn open_ctr(key: &Key, iv: &[u8; 16], sealed: &[u8]) -> Bytes {
    let mut bytes = Bytes::new(sealed.to_vec());
    ctr::Ctr128BE::<Aes256>::new((&**key).into(), iv.into()).apply_keystream(&mut bytes);
    bytes
}

/// AES-256-GCM (NIST SP 800-38D); `None` if the tag is wrong.
pub(crate) fn open_gcm(
    key: &Key,
    nonce: &[u8; 12],
    tag: &[u8; 16],
    sealed: &[u8],
) -> Option<Bytes> {
    let mut bytes = Bytes::new(sealed.to_vec());
    let cipher = Aes256Gcm::new((&**key).into());
    cipher
        .decrypt_inout_detached(
            &Nonce::from(*nonce),
            b"",
            bytes.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .ok()?;
    Some(bytes)
}

/// Key and initialization vector as OpenSSL's `EVP_BytesToKey` derives them: MD5, one round.
pub(crate) fn evp_key(secret: &[u8], salt: &[u8]) -> (Key, Zeroizing<[u8; 16]>) {
    let round = |before: &[u8]| {
        let mut hash = Md5::new();
        hash.update(before);
        hash.update(secret);
        hash.update(salt);
        Zeroizing::new(<[u8; 16]>::from(hash.finalize()))
    };
    let first = round(b"");
    let second = round(first.as_slice());
    let iv = round(second.as_slice());
    let mut key = Key::default();
    key[..16].copy_from_slice(first.as_slice());
    key[16..].copy_from_slice(second.as_slice());
    (key, iv)
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha_256(text: &[u8]) -> Key {
    let mut hash = Sha256::digest(text);
    let key = Key::new(hash.into());
    hash.zeroize();
    key
}

/// HKDF with SHA-256 (RFC 5869), with extraction.
pub(crate) fn hkdf<const LEN: usize>(key: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; LEN]> {
    let mut out = Zeroizing::new([0; LEN]);
    let expanded = Hkdf::<Sha256>::new(Some(salt), key).expand(info, out.as_mut_slice());
    expanded.expect("far fewer than 255 blocks");
    out
}
