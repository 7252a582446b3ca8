//! Meta: what everybody who lists a connector may know of it (docs/format.md sections 2 and 8).

use std::collections::BTreeMap;

use serde::Serialize;

use super::check_text;
use crate::error::{Code, Error, Result};
use crate::json::strict::{Read, Reader, Strict};
use crate::limits;
use crate::time::Timestamp;

/// Names and texts about a connector that every member who lists it may read, such as `expires`,
/// `description` and `tags`: no place for secrets.
///
/// ```
/// # use connector_vault::Meta;
/// let mut meta = Meta::new();
/// meta.set("expires", "2027-01-31T00:00:00.000Z")?;
/// meta.set("tags", "billing production")?;
/// assert_eq!(meta.tags().count(), 2);
/// # Ok::<(), connector_vault::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Meta(BTreeMap<String, String>);

impl Meta {
    /// No meta.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a name to a text. Fails with `invalid_argument` where either is empty or too long, or the name
    /// holds a control character, and beyond 32 names.
    pub fn set(&mut self, name: impl Into<String>, text: impl Into<String>) -> Result<()> {
        let (name, text) = (name.into(), text.into());
        Self::check_name(&name)?;
        let invalid = |what: &str| {
            let message = format!("the text of the meta {name:?} {what}");
            Err(Error::new(Code::InvalidArgument, message))
        };
        if text.is_empty() {
            return invalid("is empty");
        }
        if text.len() > limits::META_VALUE_LEN_MAX {
            return invalid("is longer than 1,024 bytes");
        }
        if self.0.len() == limits::META_MAX && !self.0.contains_key(&name) {
            return Err(Error::new(
                Code::InvalidArgument,
                "a connector has at most 32 names of meta",
            ));
        }
        self.0.insert(name, text);
        Ok(())
    }

    pub(super) fn check_name(name: &str) -> Result<()> {
        check_text(
            "name of a meta",
            name,
            limits::META_NAME_LEN_MAX,
            Code::InvalidArgument,
        )
    }

    /// Removes a name and returns its text.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// The text of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// When the connector's values expire; `None` if it does not say so, or not as a time.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        Timestamp::new(self.get("expires")?).ok()
    }

    /// What the connector is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.get("description")
    }

    /// Its tags.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.get("tags").unwrap_or_default().split_whitespace()
    }

    /// Names and texts, ascending by the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Strict<'_> for Meta {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let begin = reader.other();
        let mut meta = Self::new();
        reader.object(&mut |reader, name| {
            let wrong = reader.other();
            let text = reader.text()?;
            // A name stands once.
            match meta.get(name) {
                None => meta.set(name, text).map_err(|_| wrong),
                Some(_) => Err(wrong),
            }
        })?;
        match meta.is_empty() {
            true => Err(begin),
            false => Ok(meta),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::strict;

    #[test]
    fn limits_are_those_of_the_format() {
        let longest = (
            "n".repeat(limits::META_NAME_LEN_MAX),
            "\u{1}".repeat(limits::META_VALUE_LEN_MAX),
        );
        let mut meta = Meta::new();
        assert!(meta.set(&*longest.0, &*longest.1).is_ok());
        assert!(meta.set(longest.0.clone() + "n", "x").is_err());
        assert!(meta.set("n", longest.1.clone() + "x").is_err());
        for (name, text) in [("", "x"), ("n", ""), ("a\nb", "x")] {
            assert!(meta.set(name, text).is_err(), "{name:?} {text:?}");
        }
        for number in 1..limits::META_MAX {
            assert!(meta.set(number.to_string(), "x").is_ok());
        }
        assert!(meta.set("more", "x").is_err());
        assert!(meta.set("1", "another").is_ok());
    }

    #[test]
    fn only_a_time_expires() {
        let mut meta = Meta::new();
        meta.set("expires", "soon").expect("a text");
        assert_eq!(meta.expires(), None);
        let time = "2027-01-31T00:00:00.000Z";
        meta.set("expires", time).expect("a text");
        assert_eq!(meta.expires().expect("a time").as_str(), time);
    }

    #[test]
    fn a_name_stands_once() {
        assert!(strict::read::<Meta>(r#"{"a":"x","b":"y"}"#).is_ok());
        for text in ["{}", r#"{"a":"x","a":"x"}"#, r#"{"a":1}"#, r#"["a"]"#] {
            assert!(strict::read::<Meta>(text).is_err(), "{text}");
        }
    }
}
