//! The overview of a record: all of a version but its values.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use crate::connector::{ConnectorId, Op, PropertyName, Version, check_name, check_text};
use crate::error::{Code, Error, Result};
use crate::format::hex::{GrantId, GroupId, RecordId};
use crate::json::strict::{self, Listed, Read, Reader, Strict, object};
use crate::limits;
use crate::time::Timestamp;

/// The overview of a record, borrowed from its plaintext; `N` is what its lists of names are.
#[derive(Serialize)]
pub(crate) struct OverviewText<'a, N> {
    pub(crate) record_id: RecordId,
    pub(crate) op: Op,
    pub(crate) id: Cow<'a, str>,
    pub(crate) group: GroupId,
    pub(crate) name: Cow<'a, str>,
    #[serde(rename = "type")]
    pub(crate) type_name: Cow<'a, str>,
    pub(crate) version: u64,
    pub(crate) at: Cow<'a, str>,
    pub(crate) author: GrantId,
    pub(crate) properties: N,
    /// Absent: all of `properties`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changed: Option<N>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<Cow<'a, str>>,
}

/// A name, borrowed where JSON needs no unescaping.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

/// A list of names as it is written, checked: most readers of an overview need none of them.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a>(&'a str);

impl<'a> Names<'a> {
    pub(crate) fn texts(self) -> Vec<Text<'a>> {
        // It was read once.
        strict::read(self.0).unwrap_or_default()
    }
}

impl<'t> Strict<'t> for Names<'t> {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        let mut count = 0;
        let list = reader.written(|reader| {
            reader.array(&mut |reader| {
                count += 1;
                if count > Text::COUNT_MAX {
                    return Err(reader.other());
                }
                Text::read(reader).map(|_| ())
            })
        });
        list.map(Self)
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
    const COUNT_MAX: usize = limits::PROPERTIES_MAX;
}

impl Strict<'_> for Op {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.word(Self::parse)
    }
}

object!(OverviewText<'t, Names<'t>> {
    "record_id" => record_id,
    "op" => op,
    "id" => id,
    "group" => group,
    "name" => name,
    "type" => type_name,
    "version" => version,
    "at" => at,
    "author" => author,
    "properties" => properties,
} {
    "changed" => changed,
    "note" => note,
    "request_id" => request_id,
});

impl<'a> OverviewText<'a, Names<'a>> {
    /// Reads the plaintext of an overview and checks its parts.
    pub(crate) fn parse(plaintext: &'a [u8]) -> Result<Self> {
        let damaged = |what| Error::new(Code::Damaged, format!("an overview {what}"));
        // Once for all of it: faster than string by string.
        let text = std::str::from_utf8(plaintext).map_err(|_| damaged("is not UTF-8"))?;
        let overview: Self = strict::read(text.trim_end_matches(' '))
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

    /// The same with its names, to be written again.
    pub(crate) fn with_names(self) -> OverviewText<'a, Vec<Text<'a>>> {
        OverviewText {
            record_id: self.record_id,
            op: self.op,
            id: self.id,
            group: self.group,
            name: self.name,
            type_name: self.type_name,
            version: self.version,
            at: self.at,
            author: self.author,
            properties: self.properties.texts(),
            changed: self.changed.map(Names::texts),
            note: self.note,
            request_id: self.request_id,
        }
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
        let text = OverviewText::parse(plaintext)?;
        let names = |names: Names<'_>| {
            names
                .texts()
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
            group: text.group,
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
