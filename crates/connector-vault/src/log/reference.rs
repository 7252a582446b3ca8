//! The vault reference: what an owner hands over with a grant, so that a first opening takes no other vault and no
//! rival owner (docs/format.md section 9.3).

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Serialize, Serializer};

use super::wrong_vault;
use crate::crypto::identity::bare;
use crate::crypto::label::{self, bind};
use crate::crypto::{Hash, sha256};
use crate::error::{Code, Error, Result};
use crate::format::header::Header;
use crate::format::hex::{Hex, VaultId};
use crate::limits;

const PREFIX: &str = "cvault-vault-1";
const CHECKSUM_LEN: usize = 8;
/// Characters of the text: vault id, hash of the vault key, epoch and checksum in base64url.
const TEXT_LEN: usize = PREFIX.len() + ((32 + 32 + 8 + CHECKSUM_LEN) * 4).div_ceil(3);

/// Which vault is meant, by whose vault key and from which epoch on. Public: `cvault-vault-1...` in text.
///
/// ```
/// # use connector_vault::*;
/// # use rand::{SeedableRng, rngs::StdRng};
/// # let mut rng = StdRng::seed_from_u64(1);
/// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
/// # let identity = Identity::generate(host.rng);
/// # let owner = NewOwner::identity("ops", identity.clone());
/// # let (vault, file) = Vault::create(&mut host, &owner)?;
/// let text = vault.reference().to_string();
/// let options = OpenOptions { reference: Some(text.parse()?), ..OpenOptions::default() };
/// let vault = Vault::open(file, Unlock::Identity(&identity), &options)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultReference {
    vault_id: VaultId,
    key_hash: Hex<32>,
    epoch: u64,
}

impl VaultReference {
    /// The vault as its header is now.
    pub(crate) fn of(header: &Header) -> Self {
        Self {
            vault_id: header.vault_id,
            key_hash: key_hash(header.vault_id, &header.vault_key.0),
            epoch: header.epoch,
        }
    }

    /// Which vault.
    #[must_use]
    pub fn vault_id(&self) -> VaultId {
        self.vault_id
    }

    /// The epoch of the vault when the reference was made, from 1.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Fails with `wrong_vault`, `rolled_back` or `untrusted_owner` if it is not about the vault of a header.
    pub(crate) fn check(&self, header: &Header) -> Result<()> {
        if self.vault_id != header.vault_id {
            return Err(wrong_vault(self.vault_id, header.vault_id));
        }
        if header.epoch < self.epoch {
            let message = format!(
                "the header has epoch {}, but the vault reference is of epoch {}",
                header.epoch, self.epoch
            );
            return Err(Error::new(Code::RolledBack, message)
                .with_hint("it is an old copy, with the grants of then; look for a newer one"));
        }
        let is_known = |key: &Hex<32>| key_hash(header.vault_id, &key.0) == self.key_hash;
        let mut former = header.handovers.iter();
        match is_known(&header.vault_key) || former.any(|handover| is_known(&handover.old)) {
            true => Ok(()),
            false => Err(Error::new(
                Code::UntrustedOwner,
                "the vault key does not come from the one that the vault reference names",
            )
            .with_hint(
                "ask the owner who gave you the vault reference: a former owner may have put a copy of its own in \
                 the place of the vault",
            )),
        }
    }

    fn parts(&self) -> [u8; 72] {
        let mut bytes = [0; 72];
        bytes[..32].copy_from_slice(self.vault_id.as_bytes());
        bytes[32..64].copy_from_slice(&self.key_hash.0);
        bytes[64..].copy_from_slice(&self.epoch.to_le_bytes());
        bytes
    }

    /// The checksum of the text.
    fn check_hash(&self) -> Hash {
        let epoch = self.epoch.to_le_bytes();
        let inputs: [&[u8]; 3] = [self.vault_id.as_bytes(), &self.key_hash.0, &epoch];
        sha256(&bind(label::VAULT_REFERENCE, &inputs))
    }

    fn decode(text: &str) -> Option<Self> {
        if text.len() != TEXT_LEN {
            return None;
        }
        let bytes = Base64UrlUnpadded::decode_vec(text.strip_prefix(PREFIX)?).ok()?;
        let (vault_id, rest) = bytes.split_first_chunk()?;
        let (key_hash, rest) = rest.split_first_chunk()?;
        let (epoch, checksum) = rest.split_first_chunk()?;
        let reference = Self {
            vault_id: VaultId(Hex(*vault_id)),
            key_hash: Hex(*key_hash),
            epoch: u64::from_le_bytes(*epoch),
        };
        let is_epoch = (1..=limits::COUNTER_MAX).contains(&reference.epoch);
        (is_epoch && *checksum == reference.check_hash()[..CHECKSUM_LEN]).then_some(reference)
    }
}

/// Reads `cvault-vault-1...`, by itself or as a file has it, with comments in lines that begin with `#`.
/// Fails with `invalid_vault_reference`.
impl FromStr for VaultReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::decode(bare(text)).ok_or_else(|| {
            Error::new(
                Code::InvalidVaultReference,
                "the text is not a vault reference, or it was mistyped or cut short",
            )
            .with_hint(format!(
                "a vault reference begins with {PREFIX} and has {TEXT_LEN} characters"
            ))
        })
    }
}

impl fmt::Display for VaultReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.parts()[..], &self.check_hash()[..CHECKSUM_LEN]].concat();
        f.write_str(PREFIX)?;
        f.write_str(&Base64UrlUnpadded::encode_string(&bytes))
    }
}

/// As text.
impl Serialize for VaultReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn key_hash(vault_id: VaultId, key: &[u8; 32]) -> Hex<32> {
    Hex(sha256(&bind(label::VAULT_KEY, &[vault_id.as_bytes(), key])))
}
