//! What a caller wants of a connector: plain texts, which are checked when the change is planned.

use std::fmt;

use super::{Meta, Properties, PropertyName, check_name};
use crate::error::Result;
use crate::secret::{Secret, Text, into_secret};

/// A connector that is to be created. Its parts are checked when it is planned. `Debug` is redacted.
///
/// ```
/// # use connector_vault::NewConnector;
/// let connector = NewConnector::new("twitterConnectorId", "Twitter API", "Twitter")
///     .property("APIKey", "new_api_key_123")
///     .property("Timeout", "30s");
/// ```
#[derive(Clone, Debug)]
pub struct NewConnector {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) meta: Vec<(String, String)>,
    /// The name of its group.
    pub(crate) group: Option<String>,
    pub(crate) properties: PropertyChanges,
}

impl NewConnector {
    /// A connector without properties: its id, which never changes, its name for people, and its type
    /// for the platform.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        type_name: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            type_name: type_name.into(),
            meta: Vec::new(),
            group: None,
            properties: PropertyChanges::new(),
        }
    }

    /// The same connector with one more property. Text in brackets is kept as it is.
    #[must_use]
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties = self.properties.set(name, value);
        self
    }

    /// The same connector with a text that every member who lists it may read, such as `expires`,
    /// `description` or `tags`: see [`Meta`](super::Meta).
    #[must_use]
    pub fn meta(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.meta.push((name.into(), text.into()));
        self
    }

    /// The same connector in the group of this name; without one it is created in the group `default`.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.group = Some(name.into());
        self
    }

    /// The same connector with other properties.
    #[must_use]
    pub fn with_properties(mut self, properties: impl Into<PropertyChanges>) -> Self {
        self.properties = properties.into();
        self
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// What is to be said of a connector: its name, its type and its meta. Parts that it does not name stay as they are.
/// Its parts are checked when it is planned.
///
/// ```
/// # use connector_vault::Description;
/// let description = Description::new()
///     .name("Twitter API of the shop")
///     .meta("expires", "2027-01-31T00:00:00.000Z")
///     .without_meta("tags");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Description {
    name: Option<String>,
    type_name: Option<String>,
    meta: Vec<(String, Option<String>)>,
}

impl Description {
    /// Nothing is to be said.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same description, and this name for people.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same description, and this type for the platform.
    #[must_use]
    pub fn type_name(mut self, type_name: impl Into<String>) -> Self {
        self.type_name = Some(type_name.into());
        self
    }

    /// The same description, and a text that every member who lists the connector may read: see [`Meta`].
    #[must_use]
    pub fn meta(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.with_meta(name.into(), Some(text.into()))
    }

    /// The same description, without a text of this name.
    #[must_use]
    pub fn without_meta(self, name: impl Into<String>) -> Self {
        self.with_meta(name.into(), None)
    }

    fn with_meta(mut self, name: String, text: Option<String>) -> Self {
        match self.meta.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = text,
            None => self.meta.push((name, text)),
        }
        self
    }

    /// Changes name, type and meta of a connector. Fails with `invalid_connector_name` or `invalid_argument`.
    pub(crate) fn apply(
        &self,
        name: &mut String,
        type_name: &mut String,
        meta: &mut Meta,
    ) -> Result<()> {
        for (what, new, present) in [
            ("connector name", &self.name, name),
            ("connector type", &self.type_name, type_name),
        ] {
            if let Some(new) = new {
                check_name(what, new)?;
                present.clone_from(new);
            }
        }
        // Removed first, so that there is room for others.
        for (name, _) in self.meta.iter().filter(|(_, text)| text.is_none()) {
            Meta::check_name(name)?;
            meta.remove(name);
        }
        for (name, text) in &self.meta {
            if let Some(text) = text {
                meta.set(name.as_str(), text.as_str())?;
            }
        }
        Ok(())
    }
}

/// New and modified values of properties, and names to remove. Properties that it does not name keep
/// their values. `Debug` is redacted.
///
/// ```
/// # use connector_vault::PropertyChanges;
/// let changes = PropertyChanges::new().set("APIKey", "new_api_key_123").remove("OldKey");
/// let short = PropertyChanges::from([("APIKey", "new_api_key_123"), ("Timeout", "30s")]);
/// ```
#[derive(Clone, Default)]
pub struct PropertyChanges(Vec<(String, Option<Text>)>);

impl PropertyChanges {
    /// No change.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same changes, and one more: the property has this literal value.
    #[must_use]
    pub fn set(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(name.into(), Some(Text::new(value.into())))
    }

    /// The same changes, and one more: there is no such property.
    #[must_use]
    pub fn remove(self, name: impl Into<String>) -> Self {
        self.with(name.into(), None)
    }

    fn with(mut self, name: String, value: Option<Text>) -> Self {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
        self
    }

    /// Each name and value, checked.
    pub(crate) fn check(
        &self,
    ) -> impl Iterator<Item = Result<(PropertyName, Option<Secret>)>> + use<'_> {
        self.0.iter().map(|(name, value)| {
            let name = PropertyName::new(name.as_str())?;
            let value = value.clone().map(into_secret).transpose();
            let value = value.map_err(|error| error.within(format_args!("{:?}", name.as_str())))?;
            Ok((name, value))
        })
    }
}

impl fmt::Debug for PropertyChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, value)| match value {
            Some(_) => (name, "set"),
            None => (name, "remove"),
        });
        f.debug_map().entries(names).finish()
    }
}

impl<N: Into<String>, V: Into<String>, const LEN: usize> From<[(N, V); LEN]> for PropertyChanges {
    fn from(values: [(N, V); LEN]) -> Self {
        values.into_iter().collect()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for PropertyChanges {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(values: I) -> Self {
        let values = values.into_iter();
        values.fold(Self::new(), |changes, (name, value)| {
            changes.set(name, value)
        })
    }
}

impl From<&Properties> for PropertyChanges {
    fn from(properties: &Properties) -> Self {
        // Each name stands there once.
        let values = properties.iter().map(|(name, value)| {
            let value = Text::new(value.expose().to_owned());
            (name.as_str().to_owned(), Some(value))
        });
        Self(values.collect())
    }
}
