//! The record signature (docs/format.md section 8.3): an author's own, over what a version says. Nothing
//! that seals a version again changes it, so every kept version stays its author's.

use crate::crypto::identity::{IdentityKeys, verify};
use crate::crypto::label::{self, bind};
use crate::crypto::{Hash, sha256};
use crate::format::commit::SIGNATURE_LEN;
use crate::format::hex::{GrantId, VaultId};

/// The least plaintext of an overview: a signature and `{}`.
const LEN_MIN: usize = SIGNATURE_LEN + 2;

/// The plaintext of an overview: signature, JSON, and padding, which is left out here.
#[derive(Clone, Copy)]
pub(crate) struct SignedOverview<'a> {
    pub(crate) signature: &'a [u8; SIGNATURE_LEN],
    pub(crate) json: &'a [u8],
}

/// Which version this is: nobody but its author can make another one of this identity, once the
/// signature has verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct VersionId {
    pub(crate) author: GrantId,
    /// SHA-256 of the overview JSON.
    pub(crate) hash: Hash,
}

impl<'a> SignedOverview<'a> {
    /// The parts of a plaintext; `None` if it is too short to have them.
    pub(crate) fn split(plaintext: &'a [u8]) -> Option<Self> {
        if plaintext.len() < LEN_MIN {
            return None;
        }
        let (signature, rest) = plaintext.split_first_chunk()?;
        Some(Self {
            signature,
            json: without_padding(rest),
        })
    }

    /// SHA-256 of the JSON.
    pub(crate) fn hash(&self) -> Hash {
        sha256(self.json)
    }
}

/// The bytes without the spaces at their end.
pub(crate) fn without_padding(bytes: &[u8]) -> &[u8] {
    let padding = bytes.iter().rev().take_while(|byte| **byte == b' ');
    &bytes[..bytes.len() - padding.count()]
}

/// The author's signature of a version, by the hash of its overview JSON.
pub(crate) fn sign(keys: &IdentityKeys, vault_id: VaultId, hash: &Hash) -> [u8; SIGNATURE_LEN] {
    keys.sign(&message(vault_id, hash))
}

/// Whether a version is signed by this key.
pub(crate) fn is_signed_by(
    key: &[u8; 32],
    vault_id: VaultId,
    hash: &Hash,
    signature: &[u8; SIGNATURE_LEN],
) -> bool {
    verify(key, &message(vault_id, hash), signature)
}

fn message(vault_id: VaultId, hash: &Hash) -> Vec<u8> {
    bind(label::RECORD, &[vault_id.as_bytes(), hash])
}
