//! JSON that is read one level at a time: names in their order, each once, and values as they stand in the text.

use std::collections::HashSet;
use std::fmt;

use connector_vault::{Properties, PropertyName, Secret};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::{Error, Result, quoted};

/// Text that may hold a secret: wiped when dropped.
pub(crate) type Text = Zeroizing<String>;

/// A JSON value, as it stands in the text.
#[derive(Clone, Copy)]
pub(crate) struct Json<'t>(&'t RawValue);

/// The members of an object, in their order, each name once.
pub(crate) struct Members<'t>(Vec<(Text, Json<'t>)>);

impl<'t> Json<'t> {
    /// The one document of a text.
    pub(crate) fn parse(text: &'t str) -> Result<Self> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|error| not_json(&error))
    }

    /// The documents of a text, one behind the other, as `jq` writes them.
    pub(crate) fn stream(text: &'t str) -> Result<Vec<Self>> {
        let documents = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        documents
            .map(|document| document.map(Self).map_err(|error| not_json(&error)))
            .collect()
    }

    /// The first document of a text, whatever stands behind it.
    pub(crate) fn stream_first(text: &'t str) -> Option<Self> {
        let mut documents = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        documents.next()?.ok().map(Self)
    }

    /// What the value is, for messages.
    pub(crate) fn kind(self) -> &'static str {
        match self.0.get().as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self.0.get() == "null"
    }

    pub(crate) fn is_true(self) -> bool {
        self.0.get() == "true"
    }

    pub(crate) fn is_false(self) -> bool {
        self.0.get() == "false"
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.get().starts_with('{')
    }

    /// Whether it is an empty string, array or object.
    pub(crate) fn is_empty(self) -> bool {
        let text = self.0.get();
        let inner = text.get(1..text.len() - 1).unwrap_or("x");
        text.starts_with(['"', '[', '{'])
            && inner.trim().is_empty()
            && (!text.starts_with('"') || inner.is_empty())
    }

    /// The members of an object.
    pub(crate) fn members(self) -> Result<Members<'t>> {
        if !self.is_object() {
            return Err(Error::invalid(format!(
                "{} stands where an object is expected",
                self.kind()
            )));
        }
        let members: Members<'t> =
            serde_json::from_str(self.0.get()).map_err(|error| not_json(&error))?;
        let mut seen = HashSet::with_capacity(members.0.len());
        match members
            .0
            .iter()
            .find(|(name, _)| !seen.insert(name.as_str()))
        {
            Some((name, _)) => Err(Error::invalid(format!("{} stands twice", quoted(name)))),
            None => Ok(members),
        }
    }

    /// The elements of an array.
    pub(crate) fn elements(self) -> Result<Vec<Self>> {
        if !self.0.get().starts_with('[') {
            return Err(Error::invalid(format!(
                "{} stands where an array is expected",
                self.kind()
            )));
        }
        let elements: Vec<&'t RawValue> =
            serde_json::from_str(self.0.get()).map_err(|error| not_json(&error))?;
        Ok(elements.into_iter().map(Self).collect())
    }

    /// The text of a string; `None` for any other value.
    pub(crate) fn text(self) -> Option<Text> {
        match self.0.get().starts_with('"') {
            true => serde_json::from_str(self.0.get()).map(Text::new).ok(),
            false => None,
        }
    }

    /// The whole number that the value is.
    pub(crate) fn number(self) -> Option<u64> {
        self.0.get().parse().ok()
    }

    /// The value as the property `name` holds it, by the core's rule: a string as it is, anything else as compact JSON.
    /// `None` for `null`.
    pub(crate) fn property(self, name: &str) -> Result<Option<(PropertyName, Secret)>> {
        // The core names the place of such a name, in a text that nobody sees.
        let name = PropertyName::new(name)?;
        if self.is_null() {
            return Ok(None);
        }
        let quoted = serde_json::to_string(name.as_str())
            .map_err(|_| Error::invalid("a property name is not text"))?;
        let value = self.0.get();
        let mut text = Text::new(String::with_capacity(quoted.len() + value.len() + 3));
        text.extend(["{", &quoted, ":", value, "}"]);
        let properties = Properties::from_json(&text)?;
        let value = properties.get(name.as_str()).cloned();
        Ok(value.map(|value| (name, value)))
    }
}

impl<'t> Members<'t> {
    /// The value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<Json<'t>> {
        let member = self.0.iter().find(|(known, _)| known.as_str() == name);
        member.map(|(_, value)| *value)
    }

    /// The value of a name, if it is a string that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<Text> {
        self.get(name)?.text().filter(|text| !text.is_empty())
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Json<'t>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((Text::new(name), Json(value)));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Without a piece of the text, which may be a secret.
fn not_json(error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    Error::invalid(format!("not valid JSON at line {line}, column {column}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Result<Vec<(String, &str)>> {
        let members = Json::parse(text)?.members()?;
        Ok(members
            .0
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.0.get()))
            .collect())
    }

    #[test]
    fn members_keep_order_and_text() {
        let found = members(r#"{"b": 1.0, "a": {"x": [ 1 ]}, "\u0063": "\n"}"#).unwrap();
        let expected = [("b", "1.0"), ("a", r#"{"x": [ 1 ]}"#), ("c", r#""\n""#)];
        assert_eq!(
            found,
            expected.map(|(name, value)| (name.to_owned(), value))
        );
        for text in [r#"{"a": 1, "\u0061": 2}"#, "[]", "{", "", "{} {}", "\u{1}"] {
            assert!(members(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_properties_as_the_core_reads_them() {
        let check = |text: &str, expected: Option<&str>| {
            let found = Json::parse(text).unwrap().property("a \"b\"").unwrap();
            let found = found
                .as_ref()
                .map(|(name, value)| (name.as_str(), value.expose()));
            assert_eq!(found, expected.map(|value| ("a \"b\"", value)), "{text}");
        };
        check(r#""a\tb""#, Some("a\tb"));
        check("1.50", Some("1.50"));
        check("true", Some("true"));
        check(r#"{ "b": [1, null] }"#, Some(r#"{"b":[1,null]}"#));
        check("null", None);
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert_eq!(
            Json::parse(&deep)
                .unwrap()
                .property("a")
                .unwrap_err()
                .code(),
            "json_too_deep"
        );
        assert_eq!(
            Json::parse("1").unwrap().property("").unwrap_err().code(),
            "empty_property_name"
        );
    }

    #[test]
    fn errors_hold_no_text() {
        for text in [r#"{"a": "s3cret"#, "s3cret", r#"["s3cret"] s3cret"#] {
            let error = Json::parse(text).map(|_| ()).unwrap_err();
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn empty_values() {
        for (text, expected) in [
            ("\"\"", true),
            ("[]", true),
            ("[ ]", true),
            ("{}", true),
            ("\" \"", false),
            ("[0]", false),
            ("0", false),
            ("null", false),
        ] {
            assert_eq!(Json::parse(text).unwrap().is_empty(), expected, "{text}");
        }
    }
}
