//! HMAC-SHA256 (RFC 2104).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::kdf::Key;

/// A key that makes short codes. Kept, because its set-up costs as much as a short message.
#[derive(Clone)]
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    pub(crate) fn new(key: &Key) -> Self {
        Self(Hmac::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length"))
    }

    /// The first `N` bytes of the code of `input`; at most 32.
    pub(crate) fn mac<const N: usize>(&self, input: &[u8]) -> [u8; N] {
        let code = self.0.clone().chain_update(input).finalize().into_bytes();
        let mut first = [0; N];
        first.copy_from_slice(&code[..N]);
        first
    }
}
