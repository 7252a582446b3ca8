//! Properties that are given literally, as `PropertiesJson` without tokens (docs/action.md
//! section 4).

use crate::connector::{Properties, PropertyName};
use crate::error::{Code, Error, Result, quoted};
use crate::json::{self, Member, Syntax, Value};
use crate::secret::into_secret;

impl Properties {
    /// Reads a JSON object of names and values, by the rules of `PropertiesJson` and without
    /// tokens: a number or boolean is its JSON text, an object or array compact JSON text. A byte order
    /// mark before it is left out.
    ///
    /// Fails with the codes of docs/action.md sections 3 and 4, also for `null` as a value and for
    /// empty text.
    ///
    /// ```
    /// # use connector_vault::Properties;
    /// let properties = Properties::from_json(r#"{"Timeout": "30s", "Retries": 3}"#)?;
    /// assert_eq!(properties.get("Retries").map(|value| value.expose()), Some("3"));
    /// # Ok::<(), connector_vault::Error>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self> {
        let (text, _) = json::without_mark(text);
        let members = match json::parse(text, Syntax::PROPERTIES)? {
            Value::Object(members) => members,
            other => {
                return Err(Error::new(
                    Code::NotAnObject,
                    format!("{}, not a JSON object", other.kind()),
                ));
            }
        };
        Self::from_members(members, text)
    }

    /// The properties that members of `text` are.
    pub(super) fn from_members(members: Vec<Member>, text: &str) -> Result<Self> {
        let mut properties = Self::new();
        for member in members {
            let position = || format!("at {}", json::position(text, member.at));
            let name = PropertyName::new(member.name.as_str())
                .map_err(|error| error.within(position()))?;
            let of_property =
                |error: Error| error.within(format_args!("property {}", quoted(name.as_str())));
            let Some(value) = member.value.into_property() else {
                return Err(of_property(
                    Error::new(Code::NullValue, "the value is null")
                        .with_hint("leave the property out, or write \"\" for an empty value"),
                ));
            };
            let value = into_secret(value).map_err(of_property)?;
            properties.set(name, value)?;
        }
        Ok(properties)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_from_json() {
        let check = |text: &str, expected: Result<&[(&str, &str)], Code>| {
            let found = Properties::from_json(text).map_err(|error| error.code());
            let found = found.as_ref().map(|properties| {
                properties
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.expose()))
                    .collect::<Vec<_>>()
            });
            assert_eq!(found, expected.as_ref().map(|e| e.to_vec()), "{text}");
        };
        check("{}", Ok(&[]));
        check(
            r#"{"b": "[x]", "a": 1.0, "c": true, "d": {"e": [1, 2]}}"#,
            Ok(&[
                ("b", "[x]"),
                ("a", "1.0"),
                ("c", "true"),
                ("d", r#"{"e":[1,2]}"#),
            ]),
        );
        check("\u{feff}{\"a\": 1}", Ok(&[("a", "1")]));
        check(r#"{"a": null}"#, Err(Code::NullValue));
        check(r#"{"": ""}"#, Err(Code::EmptyPropertyName));
        check(r#"{"a": 1, "a": 2}"#, Err(Code::DuplicateName));
        check("[]", Err(Code::NotAnObject));
        check("", Err(Code::InvalidJson));
    }
}
