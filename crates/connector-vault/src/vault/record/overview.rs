//! The overview of a record: all of a version but its values.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use super::signature::{SignedOverview, VersionId};
use crate::connector::{ConnectorId, Meta, Op, PropertyName, Version, check_name, check_text};
use crate::error::{Code, Error, Result};
use crate::format::commit::SIGNATURE_LEN;
use crate::format::extra::ExtraText;
use crate::format::hex::{GrantId, GroupId, Hex};
use crate::json::strict::{self, Listed, Read, Reader, Strict, object};
use crate::limits;
use crate::time::Timestamp;

type OverviewExtra<'a> = ExtraText<'a, { limits::OVERVIEW_EXTRA_LEN_MAX }>;

/// The overview of a record, borrowed from its JSON; `P` is the list of its properties, `C` that of the
/// changed ones.
#[derive(Serialize)]
pub(crate) struct OverviewText<'a, P, C> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) group: GroupId,
    pub(crate) name: Cow<'a, str>,
    #[serde(rename = "type")]
    pub(crate) type_name: Cow<'a, str>,
    pub(crate) version: u64,
    pub(crate) op: Op,
    pub(crate) author: GrantId,
    pub(crate) at: Cow<'a, str>,
    /// Absent: it is `at`, of a create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<Cow<'a, str>>,
    /// Absent: it is `at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) values_at: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<Meta>,
    /// Written by itself, since its bytes stay as they are.
    #[serde(skip)]
    pub(crate) extra: Option<OverviewExtra<'a>>,
    pub(crate) properties: P,
    /// Absent: all of `properties`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changed: Option<C>,
    /// Whose values it has, of a restore or an undelete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<u64>,
    /// Absent: of a delete, which has no secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secrets_hash: Option<Hex<32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<RequestText<'a>>,
}

/// An overview as it is read.
pub(crate) type ReadOverview<'a> =
    OverviewText<'a, Names<'a, { limits::PROPERTIES_MAX }>, Names<'a, { limits::CHANGED_MAX }>>;
/// An overview as it is written.
pub(crate) type NewOverview<'a> = OverviewText<'a, Vec<Text<'a>>, Vec<Text<'a>>>;

/// The request that made a version, as its author knows it again.
#[derive(Serialize)]
pub(crate) struct RequestText<'a> {
    pub(crate) id: Cow<'a, str>,
    /// HMAC of the request under a key that only its author has.
    pub(crate) mac: Hex<32>,
}

object!(RequestText<'t> { "id" => id, "mac" => mac, });

/// A name, borrowed where JSON needs no unescaping.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

/// A list of names as it is written, checked: most readers of an overview need none of them.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a, const COUNT_MAX: usize> {
    written: &'a str,
    count: usize,
}

impl<'a, const COUNT_MAX: usize> Names<'a, COUNT_MAX> {
    pub(crate) fn texts(self) -> Vec<Text<'a>> {
        // It was read once.
        strict::read(self.written).unwrap_or_default()
    }
}

impl<'t, const COUNT_MAX: usize> Strict<'t> for Names<'t, COUNT_MAX> {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        let mut names = DistinctNames::default();
        let written = reader.written(|reader| {
            reader.array(&mut |reader| {
                let wrong = reader.other();
                if names.count == COUNT_MAX {
                    return Err(wrong);
                }
                match names.is_new(Text::read(reader)?) {
                    true => Ok(()),
                    false => Err(wrong),
                }
            })
        })?;
        Ok(Self {
            written,
            count: names.count,
        })
    }
}

/// Names that were seen: a few of them are compared one by one, which is faster.
#[derive(Default)]
struct DistinctNames<'t> {
    count: usize,
    few: Vec<Text<'t>>,
    many: HashSet<Text<'t>>,
}

impl<'t> DistinctNames<'t> {
    const FEW: usize = 16;

    fn is_new(&mut self, name: Text<'t>) -> bool {
        self.count += 1;
        if self.count <= Self::FEW {
            let is_new = !self.few.contains(&name);
            self.few.push(name);
            return is_new;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(name)
    }
}

impl<'t> Strict<'t> for Text<'t> {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        let wrong = reader.other();
        let name = reader.text()?;
        match (1..=limits::PROPERTY_NAME_LEN_MAX).contains(&name.len()) {
            true => Ok(Self(name)),
            false => Err(wrong),
        }
    }
}

impl Listed for Text<'_> {
    /// Of the longer of the two lists: their own limits were checked when they were read first.
    const COUNT_MAX: usize = limits::CHANGED_MAX;
}

impl Strict<'_> for Op {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.word(Self::parse)
    }
}

object!(ReadOverview<'t> {
    "id" => id,
    "group" => group,
    "name" => name,
    "type" => type_name,
    "version" => version,
    "op" => op,
    "author" => author,
    "at" => at,
    "properties" => properties,
} {
    "created_at" => created_at,
    "values_at" => values_at,
    "meta" => meta,
    "extra" => extra,
    "changed" => changed,
    "source" => source,
    "secrets_hash" => secrets_hash,
    "note" => note,
    "request" => request,
});

impl<'a> ReadOverview<'a> {
    /// Reads the JSON of an overview and checks its parts. Fails with `false_record`.
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self> {
        let wrong = |what| Error::new(Code::FalseRecord, format!("an overview {what}"));
        // Once for all of it: faster than string by string.
        let text = std::str::from_utf8(json).map_err(|_| wrong("is not UTF-8"))?;
        let overview: Self = strict::read(text).map_err(|_| wrong("does not follow the format"))?;
        if !overview.has_valid_parts() {
            return Err(wrong(
                "holds an id, name, type, time, note, request id or version that is not valid",
            ));
        }
        if !overview.has_parts_of_its_op() {
            return Err(wrong("lacks a part of its op, or has one of another op"));
        }
        Ok(overview)
    }

    /// The same, of the plaintext with its signature and its padding.
    pub(crate) fn of(plaintext: &'a [u8]) -> Result<(SignedOverview<'a>, Self)> {
        let signed = SignedOverview::split(plaintext).ok_or_else(|| {
            Error::new(
                Code::FalseRecord,
                "an overview is shorter than its signature",
            )
        })?;
        Ok((signed, Self::parse(signed.json)?))
    }

    fn has_valid_parts(&self) -> bool {
        let times = [
            Some(&self.at),
            self.created_at.as_ref(),
            self.values_at.as_ref(),
        ];
        let request_id = self.request.as_ref().map(|request| &*request.id);
        (1..=limits::COUNTER_MAX).contains(&self.version)
            && ConnectorId::check(&self.id).is_ok()
            && check_name("connector name", &self.name).is_ok()
            && check_name("connector type", &self.type_name).is_ok()
            && times
                .into_iter()
                .flatten()
                .all(|time| Timestamp::check(time).is_ok())
            && is_note(self.note.as_deref())
            && is_note(request_id)
    }

    /// The parts that exactly some ops have.
    fn has_parts_of_its_op(&self) -> bool {
        let op = self.op;
        let is_new = op == Op::Create;
        let sources = 1..self.version;
        self.created_at.is_none() == is_new
            && !((is_new || op == Op::Patch) && self.values_at.is_some())
            && !(op == Op::Delete && self.properties.count > 0)
            && (self.changed.is_none() || op.names_changed())
            && (op != Op::Patch || self.changed.is_some_and(|changed| changed.count > 0))
            && (!op.keeps_values() || self.changed.is_some_and(|changed| changed.count == 0))
            && self.source.is_some() == op.takes_source()
            && self.source.is_none_or(|source| sources.contains(&source))
            && self.secrets_hash.is_none() == (op == Op::Delete)
            && (self.request.is_none() || op.takes_request())
    }
}

fn is_note(text: Option<&str>) -> bool {
    text.is_none_or(|text| {
        check_text("note", text, limits::NOTE_LEN_MAX, Code::FalseRecord).is_ok()
    })
}

/// A connector without its values: what every role may list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overview {
    /// Its id, which never changes.
    pub id: ConnectorId,
    /// The group that it is in.
    pub group: GroupId,
    /// Its name, for people.
    pub name: String,
    /// Its type, for the platform.
    pub type_name: String,
    /// This version.
    pub version: Version,
    /// How this version came to be.
    pub op: Op,
    /// When it was made, by its author's clock.
    pub at: Timestamp,
    /// The grant that made it.
    pub author: GrantId,
    /// When the connector was created, by the clock of the author who did.
    pub created_at: Timestamp,
    /// When its values were last written. A restore or an undelete has the time of the values that it took.
    pub rotated_at: Timestamp,
    /// What everybody who lists it may know.
    pub meta: Meta,
    /// The names of its properties, in order.
    pub properties: Vec<PropertyName>,
    /// The names that this version added, changed or removed.
    pub changed: Vec<PropertyName>,
    /// The version whose values a restore or an undelete took.
    pub source: Option<Version>,
    /// What its author noted.
    pub note: Option<String>,
    /// The idempotency key of the request that made it.
    pub request_id: Option<String>,
}

impl Overview {
    /// Of a patch the names that it sets: it removes the others of `changed`.
    pub(crate) fn set_names(&self) -> impl Iterator<Item = &PropertyName> {
        let held: HashSet<_> = self.properties.iter().collect();
        let changed = self.changed.iter();
        changed.filter(move |name| held.contains(name))
    }
}

/// A kept version, and who signed it: a record signature stays with its version through compaction, merging
/// and new keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedVersion {
    /// The version.
    pub overview: Overview,
    /// The grant whose signature the version has. `None`: the signature is not that of its author, or the vault
    /// does not know the author's key.
    pub signed_by: Option<GrantId>,
}

/// An overview that is shown with the name of its group and its author's label, as [`Vault::authored`](crate::Vault::authored) finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authored {
    /// The overview.
    pub overview: Overview,
    /// The name of its group; `None` if that is damaged, or there is no such group any more.
    pub group: Option<String>,
    /// The author's label; the id if the label is not known.
    pub author: String,
}

/// A kept version that is shown with labels, as [`Vault::attributed`](crate::Vault::attributed) finds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributed {
    /// The overview, with its author's label.
    pub authored: Authored,
    /// The label of the grant whose signature the version has; the id if the label is not known; `None` if the
    /// signature is not the author's.
    pub signed_by: Option<String>,
}

impl Serialize for Authored {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Overview", 16)?;
        self.fields::<S>(&mut fields)?;
        fields.end()
    }
}

impl Serialize for Attributed {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("SignedOverview", 17)?;
        self.authored.fields::<S>(&mut fields)?;
        fields.serialize_field("signed_by", &self.signed_by)?;
        fields.end()
    }
}

impl Authored {
    fn fields<S: Serializer>(
        &self,
        fields: &mut S::SerializeStruct,
    ) -> std::result::Result<(), S::Error> {
        let Self {
            overview,
            group,
            author,
        } = self;
        fields.serialize_field("id", &overview.id)?;
        fields.serialize_field("group", group)?;
        fields.serialize_field("name", &overview.name)?;
        fields.serialize_field("type", &overview.type_name)?;
        fields.serialize_field("version", &overview.version)?;
        fields.serialize_field("op", &overview.op)?;
        fields.serialize_field("at", &overview.at)?;
        fields.serialize_field("author", author)?;
        fields.serialize_field("created_at", &overview.created_at)?;
        fields.serialize_field("rotated_at", &overview.rotated_at)?;
        fields.serialize_field("meta", &overview.meta)?;
        fields.serialize_field("properties", &overview.properties)?;
        fields.serialize_field("changed", &overview.changed)?;
        if let Some(source) = &overview.source {
            fields.serialize_field("source", source)?;
        }
        if let Some(note) = &overview.note {
            fields.serialize_field("note", note)?;
        }
        if let Some(request_id) = &overview.request_id {
            fields.serialize_field("request_id", request_id)?;
        }
        Ok(())
    }
}

/// An overview with the parts that only the core looks at.
pub(crate) struct OpenedOverview {
    pub(crate) overview: Overview,
    pub(crate) signature: [u8; SIGNATURE_LEN],
    /// SHA-256 of the JSON.
    pub(crate) hash: [u8; 32],
    pub(crate) secrets_hash: Option<[u8; 32]>,
    pub(crate) request_mac: Option<[u8; 32]>,
    pub(crate) extra: Option<String>,
}

impl OpenedOverview {
    /// Which version this is, if its signature verifies.
    pub(crate) fn id(&self) -> VersionId {
        VersionId {
            author: self.overview.author,
            hash: self.hash,
        }
    }

    /// Reads the plaintext of an overview. Fails with `false_record`.
    pub(crate) fn parse(plaintext: &[u8]) -> Result<Self> {
        let (signed, text) = ReadOverview::of(plaintext)?;
        let names = |texts: Vec<Text<'_>>| {
            let names = texts.into_iter().map(|Text(name)| PropertyName::new(name));
            names.collect::<Result<Vec<_>>>()
        };
        let properties = names(text.properties.texts())?;
        let changed = text.changed.map(|changed| names(changed.texts()));
        let at = Timestamp::new(text.at)?;
        let or_at = |time: Option<Cow<'_, str>>| match time {
            Some(time) => Timestamp::new(time),
            None => Ok(at.clone()),
        };
        let overview = Overview {
            id: ConnectorId::new(text.id)?,
            group: text.group,
            name: text.name.into_owned(),
            type_name: text.type_name.into_owned(),
            version: Version::new(text.version)?,
            op: text.op,
            author: text.author,
            created_at: or_at(text.created_at)?,
            rotated_at: or_at(text.values_at)?,
            at,
            meta: text.meta.unwrap_or_default(),
            changed: changed.transpose()?.unwrap_or_else(|| properties.clone()),
            properties,
            source: text.source.map(Version::new).transpose()?,
            note: text.note.map(Cow::into_owned),
            request_id: text.request.as_ref().map(|request| request.id.to_string()),
        };
        Ok(Self {
            overview,
            signature: *signed.signature,
            hash: signed.hash(),
            secrets_hash: text.secrets_hash.map(|hash| hash.0),
            request_mac: text.request.map(|request| request.mac.0),
            extra: text.extra.map(|ExtraText(extra)| extra.to_owned()),
        })
    }
}
