//! The entries of an export on their way to connectors, and what of them is not taken over.

use connector_vault::{NewConnector, NewConnectors, Properties, PropertyName, Secret};
use serde::Serialize;

use crate::error::{Error, Result, quoted};
use crate::json::{Json, Text};

/// What an export has: connectors, and what none of them holds. `Debug` is redacted.
#[derive(Debug, Default)]
pub struct Imported {
    /// The connectors, with ids that are the same at the next import.
    pub connectors: NewConnectors,
    /// What is not taken over, in the order of the export.
    pub not_taken: Vec<NotTaken>,
}

/// A part of an export that no connector holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotTaken {
    /// The entry of the export: its id, or its name where it has no id.
    pub entry: String,
    /// Its part, by name; never a value.
    pub what: String,
}

impl Imported {
    pub(crate) fn add(&mut self, entry: Entry) -> Result<()> {
        let Entry {
            place,
            id,
            name,
            type_name,
            properties,
        } = entry;
        let name = if name.is_empty() { id.clone() } else { name };
        let connector = NewConnector::new(id, name, type_name).with_properties(&properties);
        Ok(self.connectors.add(place, connector)?)
    }

    /// Says that a part of an entry is not taken over.
    pub(crate) fn leave(&mut self, entry: &str, what: impl Into<String>) {
        self.not_taken.push(NotTaken {
            entry: entry.to_owned(),
            what: what.into(),
        });
    }
}

/// An entry that becomes a connector.
pub(crate) struct Entry {
    /// How messages name it.
    pub(crate) place: String,
    pub(crate) id: String,
    /// The id, if it is empty.
    pub(crate) name: String,
    pub(crate) type_name: String,
    properties: Properties,
}

impl Entry {
    /// An entry that is the `number`th `what` of the export, from 1.
    pub(crate) fn new(what: &str, number: usize, id: &str) -> Self {
        Self {
            place: place(what, number, Some(id)),
            id: id.to_owned(),
            name: String::new(),
            type_name: String::new(),
            properties: Properties::new(),
        }
    }

    /// The same entry with a name and a type.
    pub(crate) fn called(mut self, name: &str, type_name: &str) -> Self {
        self.name = name.to_owned();
        self.type_name = type_name.to_owned();
        self
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.properties.get(name).is_some()
    }

    /// Whether it has no property.
    pub(crate) fn is_empty(&self) -> bool {
        self.properties.is_empty()
    }

    /// Sets a property to a text.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let property = || Ok((PropertyName::new(name)?, Secret::new(value)?));
        let property = property().map_err(|error: Error| self.within(name, error))?;
        self.put(property)
    }

    /// Sets a property to a JSON value, and says whether it had one: `null` is none.
    pub(crate) fn set_json(&mut self, name: &str, value: Json<'_>) -> Result<bool> {
        match value.property(name) {
            Ok(Some(property)) => self.put(property).map(|()| true),
            Ok(None) => Ok(false),
            // Of the core, which names the property.
            Err(error) => Err(error.within(&self.place)),
        }
    }

    fn put(&mut self, (name, value): (PropertyName, Secret)) -> Result<()> {
        let put = self.properties.set(name, value);
        put.map(drop)
            .map_err(|error| Error::from(error).within(&self.place))
    }

    fn within(&self, name: &str, error: Error) -> Error {
        let property = format!("property {}", quoted(name));
        error.within(property).within(&self.place)
    }
}

/// An entry as messages name it: by where it stands, and by its id as far as it has one.
pub(crate) fn place(what: &str, number: usize, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{what} {number} ({})", quoted(id)),
        None => format!("{what} {number}"),
    }
}

/// The name, or the first of `name 2`, `name 3`, ... that is free: exports may have two of one name.
pub(crate) fn free_name(entry: &Entry, name: &str) -> Text {
    let numbered = (2..).map(|number| Text::new(format!("{name} {number}")));
    let mut names = std::iter::once(Text::new(name.to_owned())).chain(numbered);
    names.find(|name| !entry.has(name)).unwrap_or_default()
}
