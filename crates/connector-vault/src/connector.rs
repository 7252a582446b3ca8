//! A connector and its parts: types that carry their checks (docs/format.md section 2).

use std::fmt;
use std::num::NonZeroU64;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Code, Error, Result};
use crate::limits;

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

impl fmt::Display for PropertyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value of a property, at most 1 MiB: redacted in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Checks and takes a value; a rejected one is wiped.
    pub fn new(value: impl Into<String>) -> Result<Self> {
        let value = Self(value.into());
        if value.0.len() > limits::PROPERTY_VALUE_LEN_MAX {
            return Err(Error::new(
                Code::ValueTooLarge,
                format!(
                    "a value is longer than {} bytes",
                    limits::PROPERTY_VALUE_LEN_MAX
                ),
            ));
        }
        Ok(value)
    }

    /// The value. Whoever holds the text is responsible for it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Text that may hold a secret before it is a checked [`Secret`]: wiped when dropped.
pub(crate) type Text = Zeroizing<String>;

/// Text that grows without leaving copies behind: each buffer that it outgrows is wiped.
#[derive(Default)]
pub(crate) struct TextBuf(Text);

impl TextBuf {
    pub(crate) fn push_str(&mut self, text: &str) {
        let len = self.0.len() + text.len();
        if len > self.0.capacity() {
            // `String` would grow by itself, and leave the old bytes to the allocator.
            let mut larger = Text::new(String::with_capacity(len.max(2 * self.0.capacity())));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(text);
    }

    pub(crate) fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_text(self) -> Text {
        self.0
    }
}

/// Moves the text into a checked secret, without a copy.
pub(crate) fn into_secret(mut text: Text) -> Result<Secret> {
    Secret::new(std::mem::take(&mut *text))
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
            return Err(Error::new(
                Code::TooManyProperties,
                format!(
                    "a connector has at most {} properties",
                    limits::PROPERTIES_MAX
                ),
            ));
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

/// A moment, handed in by the caller: RFC 3339 in UTC with milliseconds,
/// `2026-11-23T20:15:00.000Z`, so that text order is time order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// Checks and takes a time; exactly this form, which is JavaScript's `toISOString()`.
    ///
    /// ```
    /// # use connector_vault::Timestamp;
    /// assert!(Timestamp::new("2026-11-23T20:15:00.000Z").is_ok());
    /// assert!(Timestamp::new("2026-11-23T20:15:00Z").is_err());
    /// ```
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        Self::check(&text)?;
        Ok(Self(text))
    }

    /// As [`new`](Self::new), for what a host's clock says.
    ///
    /// Fails with `clock` if that is not a time, or one before 1970.
    ///
    /// ```
    /// # use connector_vault::{Code, Timestamp};
    /// assert!(Timestamp::from_clock("2026-11-23T20:15:00.000Z").is_ok());
    /// for text in ["1969-12-31T23:59:59.999Z", "+010000-01-01T00:00:00.000Z", ""] {
    ///     assert_eq!(Timestamp::from_clock(text).unwrap_err().code(), Code::Clock);
    /// }
    /// ```
    pub fn from_clock(text: impl Into<String>) -> Result<Self> {
        // The form has a fixed width, so its text is in the order of time.
        Self::new(text)
            .ok()
            .filter(|time| time.0.as_str() >= "1970")
            .ok_or_else(|| {
                Error::new(
                    Code::Clock,
                    "the clock says a time before 1970 or after 9999",
                )
                .hint("set the clock of this machine, then try again")
            })
    }

    pub(crate) fn check(text: &str) -> Result<()> {
        if is_timestamp(text) {
            return Ok(());
        }
        Err(Error::new(
            Code::InvalidArgument,
            "a time is not of the form 2026-11-23T20:15:00.000Z",
        ))
    }

    /// The time as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether more than so many seconds lie between this time and `now`. In doubt it is not.
    pub(crate) fn is_older_than(&self, seconds: u64, now: &Self) -> bool {
        now.seconds().saturating_sub(self.seconds()) > seconds
    }

    /// Seconds since some moment before the year 0, in the proleptic Gregorian calendar.
    fn seconds(&self) -> u64 {
        let number = |at: usize, len: usize| {
            let digits = self.0.get(at..at + len);
            digits
                .and_then(|digits| digits.parse().ok())
                .unwrap_or(0u64)
        };
        let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2));
        // Years that begin in March end with the leap day. The calendar repeats after 400 years.
        let (year, month) = match month {
            0..=2 => (year + 399, month + 9),
            _ => (year + 400, month - 3),
        };
        let days = 365 * year + year / 4 - year / 100 + year / 400;
        let days = days + (153 * month + 2) / 5 + day;
        days * 86_400 + number(11, 2) * 3_600 + number(14, 2) * 60 + number(17, 2)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_timestamp(text: &str) -> bool {
    const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let bytes = text.as_bytes();
    let number = |at: usize, len: usize| {
        bytes[at..at + len]
            .iter()
            .fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    };
    bytes.len() == FORM.len()
        && bytes.iter().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        })
        && (1..=12).contains(&number(5, 2))
        && (1..=31).contains(&number(8, 2))
        && number(11, 2) < 24
        && number(14, 2) < 60
        // 60: a leap second, RFC 3339 section 5.6.
        && number(17, 2) <= 60
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
    /// It was deleted; the version holds no properties.
    Delete,
    /// The properties of an earlier version were made the present ones.
    Restore,
}

impl Op {
    /// The name on every surface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Restore => "restore",
        }
    }
}

/// A connector with its values, as unsealed for reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    /// Its id, which never changes.
    pub id: ConnectorId,
    /// Its name, for people.
    pub name: String,
    /// Its type, for the platform.
    pub type_name: String,
    /// Its version: 1 when created.
    pub version: Version,
    /// When this version was made.
    pub updated_at: Timestamp,
    /// Its properties.
    pub properties: Properties,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps() {
        for (text, good) in [
            ("2026-11-23T20:15:00.000Z", true),
            ("2026-13-23T20:15:00.000Z", false),
            ("2026-11-23T24:15:00.000Z", false),
            ("2026-11-23 20:15:00.000Z", false),
            ("2026-11-23T20:15:00.000+", false),
            ("", false),
        ] {
            assert_eq!(Timestamp::new(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn ages_of_timestamps() {
        let time = |text: &str| Timestamp::new(text).expect("a time");
        let day = 86_400;
        for (then, now, seconds) in [
            ("2026-11-23T20:15:00.000Z", "2026-11-23T20:15:01.000Z", 1),
            (
                "2024-02-28T00:00:00.000Z",
                "2024-03-01T00:00:00.000Z",
                2 * day,
            ),
            ("2023-02-28T00:00:00.000Z", "2023-03-01T00:00:00.000Z", day),
            ("1900-02-28T00:00:00.000Z", "1900-03-01T00:00:00.000Z", day),
            ("2025-12-31T23:59:59.000Z", "2026-01-01T00:00:00.000Z", 1),
            (
                "2000-01-01T00:00:00.000Z",
                "2001-01-01T00:00:00.000Z",
                366 * day,
            ),
            (
                "0000-01-01T00:00:00.000Z",
                "0000-03-01T00:00:00.000Z",
                60 * day,
            ),
        ] {
            let (then, now) = (time(then), time(now));
            assert!(then.is_older_than(seconds - 1, &now), "{then} {now}");
            assert!(!then.is_older_than(seconds, &now), "{then} {now}");
            // What lies in the future is not old.
            assert!(!now.is_older_than(0, &then), "{then} {now}");
        }
    }

    #[test]
    fn secrets_are_redacted() {
        let secret = Secret::new("hunter2").expect("short enough");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
