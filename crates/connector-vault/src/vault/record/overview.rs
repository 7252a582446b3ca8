//! The overview of a record: all of a version but its values.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{SerializeStruct as _, Serializer};
use serde::{Deserialize, Serialize};

use crate::connector::{ConnectorId, Op, PropertyName, Version, check_name, check_text};
use crate::error::{Code, Error, Result};
use crate::format::hex::{GrantId, RecordId};
use crate::limits;
use crate::time::Timestamp;

/// The overview of a record, borrowed from its plaintext; `N` is what its lists of names become.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverviewText<'a, N> {
    pub(crate) record_id: RecordId,
    pub(crate) op: Op,
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub(crate) type_name: Cow<'a, str>,
    pub(crate) version: u64,
    #[serde(borrow)]
    pub(crate) at: Cow<'a, str>,
    pub(crate) author: GrantId,
    pub(crate) properties: N,
    /// Absent: all of `properties`.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub(crate) changed: Option<N>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<Cow<'a, str>>,
}

/// A name, borrowed where JSON needs no unescaping.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Checks a list of names and keeps none.
pub(crate) struct CheckedNames;

impl<'de> Deserialize<'de> for CheckedNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = CheckedNames;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("property names")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<CheckedNames, A::Error> {
                let mut count = 0;
                while let Some(Text(name)) = names.next_element()? {
                    count += 1;
                    if count > limits::PROPERTIES_MAX || !is_property_name(&name) {
                        return Err(A::Error::custom(
                            "not the names of a connector's properties",
                        ));
                    }
                }
                Ok(CheckedNames)
            }
        }
        deserializer.deserialize_seq(Names)
    }
}

fn is_property_name(name: &str) -> bool {
    (1..=limits::PROPERTY_NAME_LEN_MAX).contains(&name.len())
}

impl<'a, N: Deserialize<'a>> OverviewText<'a, N> {
    /// Reads the plaintext of an overview and checks its parts.
    pub(crate) fn parse(plaintext: &'a [u8]) -> Result<Self> {
        let damaged = |what| Error::new(Code::Damaged, format!("an overview {what}"));
        // Once for all of it: faster than string by string.
        let text = std::str::from_utf8(plaintext).map_err(|_| damaged("is not UTF-8"))?;
        // serde would take an array of the values too.
        if !text.starts_with('{') {
            return Err(damaged("is no JSON object"));
        }
        let overview: Self = serde_json::from_str(text.trim_end_matches(' '))
            .map_err(|_| damaged("does not follow the format"))?;
        let checks = ConnectorId::check(&overview.id)
            .and_then(|()| check_name("connector name", &overview.name))
            .and_then(|()| check_name("connector type", &overview.type_name))
            .and_then(|()| Timestamp::check(&overview.at))
            .and_then(|()| check_optional("note", overview.note.as_deref()))
            .and_then(|()| check_optional("request id", overview.request_id.as_deref()));
        if checks.is_err() || !(1..=limits::COUNTER_MAX).contains(&overview.version) {
            return Err(damaged(
                "holds an id, name, type, time, note, request id or version that is not valid",
            ));
        }
        Ok(overview)
    }
}

fn check_optional(what: &'static str, text: Option<&str>) -> Result<()> {
    text.map_or(Ok(()), |text| {
        check_text(what, text, limits::NOTE_LEN_MAX, Code::Damaged)
    })
}

/// A connector without its values: what every role may list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overview {
    /// Its id, which never changes.
    pub id: ConnectorId,
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
    /// The names of its properties, in order.
    pub properties: Vec<PropertyName>,
    /// The names that this version added, changed or removed.
    pub changed: Vec<PropertyName>,
    /// What its author noted.
    pub note: Option<String>,
    /// The idempotency key of the request that made it.
    pub request_id: Option<String>,
    /// Which version this is, also after compaction and in copies.
    pub record_id: RecordId,
}

/// An overview whose author is shown by the label, as [`Vault::authored`](crate::Vault::authored) finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authored {
    /// The overview.
    pub overview: Overview,
    /// The author's label; the id if the label is not known.
    pub author: String,
}

impl Serialize for Authored {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Self { overview, author } = self;
        let mut fields = serializer.serialize_struct("Overview", 12)?;
        fields.serialize_field("id", &overview.id)?;
        fields.serialize_field("name", &overview.name)?;
        fields.serialize_field("type", &overview.type_name)?;
        fields.serialize_field("version", &overview.version)?;
        fields.serialize_field("op", &overview.op)?;
        fields.serialize_field("at", &overview.at)?;
        fields.serialize_field("author", author)?;
        fields.serialize_field("properties", &overview.properties)?;
        fields.serialize_field("changed", &overview.changed)?;
        if let Some(note) = &overview.note {
            fields.serialize_field("note", note)?;
        }
        if let Some(request_id) = &overview.request_id {
            fields.serialize_field("request_id", request_id)?;
        }
        fields.serialize_field("record_id", &overview.record_id)?;
        fields.end()
    }
}

impl Overview {
    pub(crate) fn parse(plaintext: &[u8]) -> Result<Self> {
        let text = OverviewText::<Vec<Text<'_>>>::parse(plaintext)?;
        let names = |names: Vec<Text<'_>>| {
            names
                .into_iter()
                .map(|Text(name)| PropertyName::new(name))
                .collect::<Result<Vec<_>>>()
        };
        let properties = names(text.properties)?;
        let changed = text
            .changed
            .map(names)
            .transpose()?
            .unwrap_or_else(|| properties.clone());
        Ok(Self {
            id: ConnectorId::new(text.id)?,
            name: text.name.into_owned(),
            type_name: text.type_name.into_owned(),
            version: Version::new(text.version)?,
            op: text.op,
            at: Timestamp::new(text.at)?,
            author: text.author,
            properties,
            changed,
            note: text.note.map(Cow::into_owned),
            request_id: text.request_id.map(Cow::into_owned),
            record_id: text.record_id,
        })
    }
}
