//! A connector and its parts: types that carry their checks (docs/format.md section 2).

mod change;
mod meta;

pub use self::change::{Description, NewConnector, PropertyChanges};
pub use self::meta::Meta;

use std::borrow::Borrow;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::{Code, Error, Result};
use crate::limits;
use crate::secret::{Secret, Text};
use crate::time::Timestamp;

/// The id of a connector, which workflows refer to and which never changes:
/// 1..=256 bytes, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ConnectorId(String);

impl ConnectorId {
    /// Checks and takes an id.
    ///
    /// ```
    /// # use connector_vault::ConnectorId;
    /// assert!(ConnectorId::new("twitterConnectorId").is_ok());
    /// assert!(ConnectorId::new("").is_err());
    /// ```
    pub fn new(id: impl Into<String>) -> Result<Self> {
        let id = id.into();
        Self::check(&id)?;
        Ok(Self(id))
    }

    /// A random UUID (RFC 9562 version 4), the form of the platform's own ids.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self::from_random(bytes)
    }

    /// The UUID of these bytes.
    pub(crate) fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let digits = base16ct::lower::encode_string(&bytes);
        let groups = [
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        ];
        Self(groups.join("-"))
    }

    pub(crate) fn check(id: &str) -> Result<()> {
        check_text(
            "connector id",
            id,
            limits::CONNECTOR_ID_LEN_MAX,
            Code::InvalidConnectorId,
        )
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ConnectorId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ConnectorId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConnectorId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl fmt::Display for ConnectorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks the name or type of a connector: 1..=1,024 bytes, no control characters.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<()> {
    check_text(
        what,
        name,
        limits::CONNECTOR_NAME_LEN_MAX,
        Code::InvalidConnectorName,
    )
}

pub(crate) fn check_text(what: &'static str, text: &str, len_max: usize, code: Code) -> Result<()> {
    if text.is_empty() {
        return Err(Error::new(code, format!("the {what} is empty")));
    }
    if text.len() > len_max {
        return Err(Error::new(
            code,
            format!("the {what} is longer than {len_max} bytes"),
        ));
    }
    // Most texts are ASCII, and there a look at the bytes is much faster.
    let has_control = match text.is_ascii() {
        true => text.bytes().any(|byte| byte.is_ascii_control()),
        false => text.chars().any(char::is_control),
    };
    if has_control {
        return Err(Error::new(
            code,
            format!("the {what} holds a control character"),
        ));
    }
    Ok(())
}

/// The name of a property: case-sensitive, 1..=256 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct PropertyName(String);

impl PropertyName {
    /// Checks and takes a name.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if name.is_empty() {
            return Err(Error::new(
                Code::EmptyPropertyName,
                "a property name is empty",
            ));
        }
        if name.len() > limits::PROPERTY_NAME_LEN_MAX {
            let len_max = limits::PROPERTY_NAME_LEN_MAX;
            return Err(Error::new(
                Code::InvalidPropertyName,
                format!("a property name is longer than {len_max} bytes"),
            ));
        }
        Ok(Self(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for PropertyName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for PropertyName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl fmt::Display for PropertyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The properties of a connector, in the order in which they were added; each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(Vec<(PropertyName, Secret)>);

impl Properties {
    /// No properties.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a property.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0
            .iter()
            .find(|(n, _)| n.as_str() == name)
            .map(|(_, value)| value)
    }

    /// Sets a property and returns its former value; a new one goes to the end.
    /// Fails with `too_many_properties` beyond 1,024.
    pub fn set(&mut self, name: PropertyName, value: Secret) -> Result<Option<Secret>> {
        if let Some((_, old)) = self.0.iter_mut().find(|(n, _)| *n == name) {
            return Ok(Some(std::mem::replace(old, value)));
        }
        if self.0.len() == limits::PROPERTIES_MAX {
            return Err(too_many_properties());
        }
        self.0.push((name, value));
        Ok(None)
    }

    /// Removes a property and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Secret> {
        let index = self.0.iter().position(|(n, _)| n.as_str() == name)?;
        Some(self.0.remove(index).1)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&PropertyName, &Secret)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &PropertyName> {
        self.0.iter().map(|(name, _)| name)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

pub(crate) fn too_many_properties() -> Error {
    Error::new(
        Code::TooManyProperties,
        format!(
            "a connector has at most {} properties",
            limits::PROPERTIES_MAX
        ),
    )
}

/// The version of a connector: 1, 2, 3, ...
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(NonZeroU64);

impl Version {
    /// The version a connector is created with.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// Checks and takes a version: at least 1.
    pub fn new(version: u64) -> Result<Self> {
        NonZeroU64::new(version)
            .map(Self)
            .ok_or_else(|| Error::new(Code::InvalidArgument, "versions begin at 1"))
    }

    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The version before this one; `None` before the first.
    pub(crate) fn before(self) -> Option<Self> {
        NonZeroU64::new(self.0.get() - 1).map(Self)
    }

    /// The version as a number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a version of a connector came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Op {
    /// It did not exist, or was deleted.
    Create,
    /// Properties were added, changed or removed.
    Update,
    /// Properties were set or removed by somebody who cannot read them.
    Patch,
    /// It was deleted; the version holds no properties.
    Delete,
    /// The properties of an earlier version were made the present ones.
    Restore,
    /// Its name, type or meta changed, and no property.
    Describe,
    /// It went to another group, and nothing else changed.
    Move,
    /// It was deleted, and is again what it was in an earlier version.
    Undelete,
}

impl Op {
    const ALL: [Self; 8] = [
        Self::Create,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::Restore,
        Self::Describe,
        Self::Move,
        Self::Undelete,
    ];

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == word)
    }

    /// What entries say in its place (docs/format.md section 6.5).
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Create => 1,
            Self::Update => 2,
            Self::Patch => 3,
            Self::Restore => 4,
            Self::Describe => 5,
            Self::Move => 6,
            Self::Delete => 7,
            Self::Undelete => 8,
        }
    }

    pub(crate) fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.code() == code)
    }

    /// Whether such a version takes the values of an earlier one, which it names.
    pub(crate) fn takes_source(self) -> bool {
        matches!(self, Self::Restore | Self::Undelete)
    }

    /// Whether such a version names the properties that it changed. Others have changed all that they hold.
    pub(crate) fn names_changed(self) -> bool {
        !matches!(self, Self::Create | Self::Delete | Self::Undelete)
    }

    /// Whether such a version keeps the values of the version before it.
    pub(crate) fn keeps_values(self) -> bool {
        matches!(self, Self::Describe | Self::Move)
    }

    /// Whether such a version can carry a request id.
    pub(crate) fn takes_request(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Patch)
    }

    /// The name on every surface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Describe => "describe",
            Self::Move => "move",
            Self::Undelete => "undelete",
        }
    }
}

/// A connector with its values, as unsealed for reading. As JSON it is the connector of a document that is imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Connector {
    /// Its id, which never changes.
    pub id: ConnectorId,
    /// Its name, for people.
    pub name: String,
    /// Its type, for the platform.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its version: 1 when created.
    pub version: Version,
    /// When this version was made.
    pub updated_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its values were last written.
    pub rotated_at: Timestamp,
    /// What everybody who lists it may know.
    pub meta: Meta,
    /// Its properties.
    #[serde(serialize_with = "values")]
    pub properties: Properties,
    /// What a later program keeps with it.
    #[serde(skip)]
    pub(crate) extras: Extras,
}

/// The texts of a version's open places, which its successor keeps (docs/format.md section 1.2).
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    pub(crate) overview: Option<String>,
    pub(crate) secrets: Option<Text>,
}

impl fmt::Debug for Extras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extras(..)")
    }
}

impl Connector {
    /// Whether two connectors are the same to a test. A version that is planned has no times yet.
    #[must_use]
    pub fn tests_as(&self, other: &Self) -> bool {
        (&self.id, &self.name, &self.type_name, self.version)
            == (&other.id, &other.name, &other.type_name, other.version)
            && self.meta == other.meta
            && self.properties == other.properties
    }
}

/// The names and values of properties, in order.
pub(crate) fn values<S: Serializer>(
    properties: &Properties,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(
        properties
            .iter()
            .map(|(name, value)| (name, value.expose())),
    )
}
