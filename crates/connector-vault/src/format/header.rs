//! The header: vault id, vault key, epoch, groups and grants; signed by the vault key
//! (docs/format.md section 5).

mod checks;

use serde::Serialize;

use super::base64url::{self, Base64Url};
use super::extra::Extra;
use super::hex::{GrantId, GroupId, Hex, VaultId};
use super::rights::RightEntry;
use crate::bytes::damaged;
use crate::crypto::identity::GrantKey;
use crate::crypto::x_wing;
use crate::error::{Code, Error, Result, quoted};
use crate::json::strict::{Listed, Read, Reader, Strict, fields, object};
use crate::limits;

/// A header that follows the format. Its signature and vault id are checked in `log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Header {
    pub(crate) format: u32,
    pub(crate) features: Features,
    pub(crate) vault_id: VaultId,
    pub(crate) vault_key: Hex<32>,
    /// How the first vault key came to be the present one, in order.
    pub(crate) handovers: Vec<Handover>,
    /// Counts changes of the sealing keys, from 1.
    pub(crate) epoch: u64,
    /// Of its snapshot.
    pub(crate) seq: u64,
    pub(crate) created: String,
    pub(crate) commitments: Commitments,
    /// The number of the next new group.
    pub(crate) next_group: u32,
    /// By their numbers; the first is `default`.
    pub(crate) groups: Vec<Group>,
    pub(crate) grants: Vec<Grant>,
    /// Former grants and former rights, so that records keep their authors; by epoch and id.
    pub(crate) retired: Vec<Retired>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extra: Option<Extra<{ limits::HEADER_EXTRA_LEN_MAX }>>,
}

/// What a header of any format has.
struct FormatOnly(u32);

/// The words of changes that a reader has to know. Format 1 has none, so only an empty list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Features([(); 0]);

impl Features {
    pub(crate) const NONE: Self = Self([]);
}

/// The first of the words in a header, whatever else it holds.
struct FirstFeature(Option<String>);

/// The old vault key signs the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Handover {
    pub(crate) old: Hex<32>,
    pub(crate) new: Hex<32>,
    /// Of the snapshot that brought it.
    pub(crate) seq: u64,
    pub(crate) signature: Hex<64>,
}

/// The keys of the vault's epoch that are not of one group, as commitments: all members hold the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Commitments {
    pub(crate) index: Hex<32>,
    pub(crate) overview_root: Hex<32>,
    pub(crate) secret_root: Hex<32>,
}

/// A group of connectors, and the commitments to its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Group {
    pub(crate) id: GroupId,
    /// Never used again in this vault.
    pub(crate) number: u16,
    /// Sealed under the group's overview key.
    pub(crate) name: SealedName,
    pub(crate) overview_commitment: Hex<32>,
    pub(crate) secret_commitment: Hex<32>,
    /// Patches are sealed to it: exactly if a grant may patch there and not read.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "base64url::serialize_some"
    )]
    pub(crate) deposit: Option<x_wing::PublicKey>,
}

/// The number of the group `default`.
pub(crate) const DEFAULT_GROUP: u16 = 0;

/// Bytes of a group's name before it is sealed: its length, the name, zero bytes.
pub(crate) const NAME_PLAIN_LEN: usize = 1 + limits::GROUP_NAME_LEN_MAX;

/// The sealed name of a group. All have one length, since the header is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SealedName(#[serde(serialize_with = "base64url::serialize")] pub(crate) Vec<u8>);

impl SealedName {
    const LEN: usize = crate::crypto::aead::OVERHEAD + NAME_PLAIN_LEN;
}

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Grant {
    pub(crate) id: GrantId,
    pub(crate) label: String,
    pub(crate) since: String,
    /// A date to be reminded of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// From when on each request of this grant is remembered for seven days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requests_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extra: Option<Extra<{ limits::GRANT_EXTRA_LEN_MAX }>>,
    pub(crate) rights: Vec<RightEntry>,
    #[serde(serialize_with = "base64url::serialize")]
    pub(crate) x_wing: x_wing::PublicKey,
    pub(crate) ed25519: Hex<32>,
    /// The keys of the rights, sealed to `x_wing`.
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

    /// Whether it may do everything.
    pub(crate) fn owns(&self) -> bool {
        self.rights.iter().any(|right| right.role.owns())
    }
}

/// A grant that was revoked, or the former rights of one that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Retired {
    pub(crate) id: GrantId,
    pub(crate) label: String,
    pub(crate) ed25519: Hex<32>,
    pub(crate) rights: Vec<RightEntry>,
    /// The last one in which it had these rights.
    pub(crate) epoch: u64,
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
        // Then alone, too: what a feature changes may have other names.
        let FirstFeature(feature) = super::from_json(bytes, offset, "the header")?;
        if let Some(feature) = feature {
            return Err(Error::new(
                Code::UnsupportedVersion,
                format!(
                    "the vault has the feature {}, which this version does not know",
                    quoted(&feature)
                ),
            )
            .with_hint("update connector-vault"));
        }
        let header: Self = super::from_json(bytes, offset, "the header")?;
        match header.fault() {
            Some(fault) => Err(damaged(offset, format!("the header {fault}"))),
            None => Ok(header),
        }
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

    /// The group with this number.
    pub(crate) fn group(&self, number: u16) -> Option<&Group> {
        let at = self
            .groups
            .binary_search_by_key(&number, |group| group.number);
        self.groups.get(at.ok()?)
    }

    /// Whether a grant has the role `rotator` in a group: then the group has a deposit key.
    pub(crate) fn wants_deposit(&self, group: GroupId) -> bool {
        let rights = self.grants.iter().flat_map(|grant| &grant.rights);
        let mut covering = rights.filter(|right| right.group.covers(group));
        covering.any(|right| right.role.deposits())
    }

    /// Whether a grant has this id.
    pub(crate) fn lists(&self, id: GrantId) -> bool {
        self.grants.iter().any(|grant| grant.id == id)
    }

    /// Whether a grant has or had this id.
    pub(crate) fn knows(&self, id: GrantId) -> bool {
        self.lists(id) || self.retired.iter().any(|retired| retired.id == id)
    }

    /// The key under which the record signatures of a grant verify; `None` if it is not known.
    pub(crate) fn key_of(&self, id: GrantId) -> Option<&[u8; 32]> {
        let present = self.grants.iter().map(|grant| (grant.id, &grant.ed25519));
        let retired = self.retired.iter();
        let retired = retired.map(|retired| (retired.id, &retired.ed25519));
        // A grant has one key, however often its rights were reduced.
        let mut all = present.chain(retired);
        all.find(|(other, _)| *other == id).map(|(_, key)| &key.0)
    }

    /// The label of a grant that is or was.
    pub(crate) fn label(&self, id: GrantId) -> Option<&str> {
        let present = self.grants.iter().map(|grant| (grant.id, &grant.label));
        let retired = self
            .retired
            .iter()
            .rev()
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

impl Strict<'_> for FirstFeature {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let mut features: Option<Words> = None;
        reader.object(&mut |reader, name| match name {
            "features" => reader.once(&mut features),
            _ => reader.skip(),
        })?;
        let Words(first) = reader.present(features)?;
        Ok(Self(first))
    }
}

/// The first of any number of words.
struct Words(Option<String>);

impl Strict<'_> for Words {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let mut first = None;
        reader.array(&mut |reader| {
            let word = reader.text()?;
            first.get_or_insert_with(|| word.into_owned());
            Ok(())
        })?;
        Ok(Self(first))
    }
}

impl Strict<'_> for Features {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.array(&mut Reader::refuse)?;
        Ok(Self::NONE)
    }
}

object!(Header {
    "format" => format,
    "features" => features,
    "vault_id" => vault_id,
    "vault_key" => vault_key,
    "handovers" => handovers,
    "epoch" => epoch,
    "seq" => seq,
    "created" => created,
    "commitments" => commitments,
    "next_group" => next_group,
    "groups" => groups,
    "grants" => grants,
    "retired" => retired,
} {
    "extra" => extra,
});

object!(Handover { "old" => old, "new" => new, "seq" => seq, "signature" => signature, });

object!(Commitments {
    "index" => index,
    "overview_root" => overview_root,
    "secret_root" => secret_root,
});

object!(Group {
    "id" => id,
    "number" => number,
    "name" => name,
    "overview_commitment" => overview_commitment,
    "secret_commitment" => secret_commitment,
} {
    "deposit" => deposit,
});

impl Strict<'_> for SealedName {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let wrong = reader.other();
        let Base64Url(name) = Base64Url::read(reader)?;
        match name.len() == Self::LEN {
            true => Ok(Self(name)),
            false => Err(wrong),
        }
    }
}

impl<'t> Strict<'t> for Grant {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        fields!(reader, refuse, {
            "id" => id,
            "label" => label,
            "since" => since,
            "rights" => rights,
            "x_wing" => x_wing,
            "ed25519" => ed25519,
            "bundle" => bundle,
        } {
            "until" => until,
            "requests_from" => requests_from,
            "extra" => extra,
        });
        let Base64Url(bundle) = bundle;
        Ok(Self {
            id,
            label,
            since,
            until,
            requests_from,
            extra,
            rights,
            x_wing,
            ed25519,
            bundle,
        })
    }
}

object!(Retired {
    "id" => id,
    "label" => label,
    "ed25519" => ed25519,
    "rights" => rights,
    "epoch" => epoch,
});

impl Listed for Handover {
    const COUNT_MAX: usize = limits::HANDOVERS_MAX;
}

impl Listed for Group {
    const COUNT_MAX: usize = limits::GROUPS_MAX;
}

impl Listed for Grant {
    const COUNT_MAX: usize = limits::GRANTS_MAX;
}

impl Listed for Retired {
    const COUNT_MAX: usize = limits::RETIRED_MAX;
}
