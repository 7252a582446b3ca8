//! The header: vault id, vault key, epoch and grants; signed by the vault key
//! (docs/format.md section 5).

use serde::{Deserialize, Serialize};

use super::Object;
use super::hex::{GrantId, Hex, VaultId};
use crate::bytes::damaged;
use crate::error::{Code, Error, Result};
use crate::limits;

/// A header that follows the format. Its signature and vault id are checked in `log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) format: u32,
    pub(crate) vault_id: VaultId,
    pub(crate) vault_key: Hex<32>,
    /// How the first vault key came to be the present one, in order.
    #[serde(deserialize_with = "super::objects")]
    pub(crate) handovers: Vec<Handover>,
    /// Counts changes of the sealing keys, from 1.
    pub(crate) epoch: u64,
    pub(crate) created: String,
    #[serde(deserialize_with = "super::objects")]
    pub(crate) grants: Vec<Grant>,
    /// Labels of revoked grants, so that history still names its authors; the oldest are dropped.
    #[serde(deserialize_with = "super::objects")]
    pub(crate) retired: Vec<Retired>,
}

/// What a header of any format begins with.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// The old vault key signs the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Handover {
    pub(crate) old: Hex<32>,
    pub(crate) new: Hex<32>,
    /// Of the snapshot that brought it.
    pub(crate) seq: u64,
    pub(crate) signature: Hex<64>,
}

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    pub(crate) id: GrantId,
    pub(crate) label: String,
    pub(crate) role: Role,
    pub(crate) since: String,
    pub(crate) x25519: Hex<32>,
    pub(crate) ed25519: Hex<32>,
    /// HPKE to `x25519`: encapsulated key and ciphertext.
    pub(crate) bundle: String,
}

/// The label of a grant that was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retired {
    pub(crate) id: GrantId,
    pub(crate) label: String,
}

/// What a grant permits, from least to most; each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Lists ids, names, types, property names, versions and times; cannot read a value.
    Viewer,
    /// Also reads values; cannot change anything.
    Reader,
    /// Also changes existing connectors; cannot create or delete.
    Updater,
    /// Everything: also creates, deletes, compacts and grants.
    Owner,
}

impl Role {
    /// Every role, from least to most.
    pub const ALL: &'static [Self] = &[Self::Viewer, Self::Reader, Self::Updater, Self::Owner];

    /// The role's name on every surface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reader => "reader",
            Self::Updater => "updater",
            Self::Owner => "owner",
        }
    }

    /// Reads a role's name.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| {
                Error::new(Code::InvalidArgument, "unknown role")
                    .hint("roles are viewer, reader, updater and owner")
            })
    }
}

fn is_label(label: &str) -> bool {
    (1..=limits::LABEL_LEN_MAX).contains(&label.len()) && !label.chars().any(char::is_control)
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Header {
    /// The header in `bytes`, which stand at `offset`.
    pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Self> {
        // First and alone: another format may have other names.
        let FormatOnly { format } = super::from_json(bytes, offset, "the header")?;
        if format != 1 {
            return Err(Error::new(
                Code::UnsupportedVersion,
                format!("the header has format {format}, this version knows 1"),
            ));
        }
        let Object(header): Object<Self> = super::from_json(bytes, offset, "the header")?;
        let broken = |what: &str| Err(damaged(offset, format!("the header {what}")));
        if !(1..=limits::COUNTER_MAX).contains(&header.epoch) {
            return broken("has an epoch that is not valid");
        }
        if header.grants.is_empty() || header.grants.len() > limits::GRANTS_MAX {
            return broken("must list 1 to 64 grants");
        }
        if header.handovers.len() > limits::HANDOVERS_MAX
            || header.retired.len() > limits::RETIRED_MAX
        {
            return broken("lists too many handovers or retired labels");
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
                    || other.x25519 == grant.x25519
            }) {
                return broken("lists a grant, a label or a key twice");
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
                "the header would be larger than 256 KiB",
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
