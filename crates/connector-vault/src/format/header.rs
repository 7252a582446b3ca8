//! The header: vault id, vault key, epoch and grants; signed by the vault key
//! (docs/format.md section 5).

use serde::Serialize;

use super::base64url::{self, Base64Url};
use super::hex::{GrantId, Hex, VaultId};
use crate::bytes::damaged;
use crate::crypto::identity::GrantKey;
use crate::crypto::x_wing;
use crate::error::{Code, Error, Result};
use crate::json::strict::{Listed, Read, Reader, Strict, fields, object};
use crate::limits;
use crate::role::Role;

/// A header that follows the format. Its signature and vault id are checked in `log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Header {
    pub(crate) format: u32,
    pub(crate) vault_id: VaultId,
    pub(crate) vault_key: Hex<32>,
    /// How the first vault key came to be the present one, in order.
    pub(crate) handovers: Vec<Handover>,
    /// Counts changes of the sealing keys, from 1.
    pub(crate) epoch: u64,
    pub(crate) created: String,
    pub(crate) grants: Vec<Grant>,
    /// Labels of revoked grants, so that history still names its authors; the oldest are dropped.
    pub(crate) retired: Vec<Retired>,
}

/// What a header of any format has.
struct FormatOnly(u32);

/// The old vault key signs the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Handover {
    pub(crate) old: Hex<32>,
    pub(crate) new: Hex<32>,
    /// Of the snapshot that brought it.
    pub(crate) seq: u64,
    pub(crate) signature: Hex<64>,
}

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Grant {
    pub(crate) id: GrantId,
    pub(crate) label: String,
    pub(crate) role: Role,
    pub(crate) since: String,
    #[serde(serialize_with = "base64url::serialize")]
    pub(crate) x_wing: x_wing::PublicKey,
    pub(crate) ed25519: Hex<32>,
    /// The keys of the role, sealed to `x_wing`.
    #[serde(serialize_with = "base64url::serialize")]
    pub(crate) bundle: Vec<u8>,
}

impl Grant {
    /// Its public keys.
    pub(crate) fn key(&self) -> GrantKey {
        GrantKey {
            x_wing: self.x_wing.clone(),
            ed25519: self.ed25519.0,
        }
    }
}

/// The label of a grant that was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Retired {
    pub(crate) id: GrantId,
    pub(crate) label: String,
}

fn is_label(label: &str) -> bool {
    (1..=limits::LABEL_LEN_MAX).contains(&label.len()) && !label.chars().any(char::is_control)
}

impl Header {
    /// The header in `bytes`, which stand at `offset`.
    pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Self> {
        // First and alone: another format may have other names.
        let FormatOnly(format) = super::from_json(bytes, offset, "the header")?;
        if format != 1 {
            return Err(Error::new(
                Code::UnsupportedVersion,
                format!("the header has format {format}, this version knows 1"),
            ));
        }
        let header: Self = super::from_json(bytes, offset, "the header")?;
        let broken = |what: &str| Err(damaged(offset, format!("the header {what}")));
        if !(1..=limits::COUNTER_MAX).contains(&header.epoch) {
            return broken("has an epoch that is not valid");
        }
        if !header.grants.iter().any(|grant| grant.role == Role::Owner) {
            return broken("lists no owner");
        }
        for (index, grant) in header.grants.iter().enumerate() {
            let before = &header.grants[..index];
            if before.iter().any(|other| {
                other.id == grant.id
                    || other.label == grant.label
                    || other.ed25519 == grant.ed25519
                    || other.x_wing == grant.x_wing
            }) {
                return broken("lists a grant, a label or a key twice");
            }
            if grant.bundle.len() != x_wing::OVERHEAD + 32 * grant.role.keys() {
                return broken("lists a key bundle whose length is not that of its role");
            }
        }
        let mut labels = header
            .grants
            .iter()
            .map(|grant| &grant.label)
            .chain(header.retired.iter().map(|retired| &retired.label));
        if !labels.all(|label| is_label(label)) {
            return broken("holds a label that is not valid");
        }
        Ok(header)
    }

    /// The bytes of the header.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let bytes = super::to_json(self);
        if bytes.len() > limits::HEADER_LEN_MAX {
            return Err(Error::new(
                Code::LimitExceeded,
                "the header would be larger than 4 MiB",
            ));
        }
        Ok(bytes)
    }

    /// The first vault key, of which the vault id is the hash.
    pub(crate) fn first_key(&self) -> Hex<32> {
        self.handovers
            .first()
            .map_or(self.vault_key, |handover| handover.old)
    }

    /// Whether a grant has this id.
    pub(crate) fn lists(&self, id: GrantId) -> bool {
        self.grants.iter().any(|grant| grant.id == id)
    }

    /// The label of a grant that is or was.
    pub(crate) fn label(&self, id: GrantId) -> Option<&str> {
        let present = self.grants.iter().map(|grant| (grant.id, &grant.label));
        let retired = self
            .retired
            .iter()
            .map(|retired| (retired.id, &retired.label));
        present
            .chain(retired)
            .find(|(other, _)| *other == id)
            .map(|(_, label)| label.as_str())
    }
}

impl<'t> Strict<'t> for FormatOnly {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        let mut format = None;
        reader.object(&mut |reader, name| match name {
            "format" => reader.once(&mut format),
            _ => reader.skip(),
        })?;
        reader.present(format).map(Self)
    }
}

object!(Header {
    "format" => format,
    "vault_id" => vault_id,
    "vault_key" => vault_key,
    "handovers" => handovers,
    "epoch" => epoch,
    "created" => created,
    "grants" => grants,
    "retired" => retired,
});

object!(Handover { "old" => old, "new" => new, "seq" => seq, "signature" => signature, });

impl<'t> Strict<'t> for Grant {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        fields!(reader, refuse, {
            "id" => id,
            "label" => label,
            "role" => role,
            "since" => since,
            "x_wing" => x_wing,
            "ed25519" => ed25519,
            "bundle" => bundle,
        });
        let Base64Url(bundle) = bundle;
        Ok(Self {
            id,
            label,
            role,
            since,
            x_wing,
            ed25519,
            bundle,
        })
    }
}

object!(Retired { "id" => id, "label" => label, });

impl Strict<'_> for Role {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.word(|word| word.parse().ok())
    }
}

impl Listed for Handover {
    const COUNT_MAX: usize = limits::HANDOVERS_MAX;
}

impl Listed for Grant {
    const COUNT_MAX: usize = limits::GRANTS_MAX;
}

impl Listed for Retired {
    const COUNT_MAX: usize = limits::RETIRED_MAX;
}
