//! Connectors that are added without an action: those of the document that `cvault export` writes and `import`
//! reads, or of another tool's export (docs/cli.md).

use std::collections::HashSet;
use std::fmt;

use super::document::{Fields, wrong_type};
use super::warning::{Warning, WarningCode};
use crate::connector::{ConnectorId, NewConnector, Properties, check_name};
use crate::error::{Code, Error, Result, quoted};
use crate::json::{self, Syntax, Value};

/// Connectors to add to a vault, checked: those of a document, or one by one. `Debug` is redacted.
///
/// ```
/// # use connector_vault::NewConnectors;
/// let connectors = NewConnectors::parse(
///     r#"{"connectors": [{"id": "x", "name": "Name", "type": "Type", "properties": {"APIKey": "a"}}]}"#,
/// )?;
/// assert_eq!(connectors.len(), 1);
/// # Ok::<(), connector_vault::Error>(())
/// ```
#[derive(Default)]
pub struct NewConnectors {
    list: Vec<Entry>,
    ids: HashSet<String>,
    has_mark: bool,
}

struct Entry {
    /// Where it stands, for errors; without it, in a document of the project's own.
    place: Option<String>,
    connector: NewConnector,
}

impl NewConnectors {
    /// No connectors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector. Errors, also those of planning it, begin with `place`, the entry of the source.
    ///
    /// Fails with `connector_exists` for an id that was added before, and with the codes of an id, name, type, property
    /// name or value that is not valid.
    ///
    /// ```
    /// # use connector_vault::{NewConnector, NewConnectors};
    /// let mut connectors = NewConnectors::new();
    /// connectors.add("line 2", NewConnector::new("x", "Name", "Type").property("APIKey", "a"))?;
    /// let error = connectors.add("line 3", NewConnector::new("x", "Name", "Type")).unwrap_err();
    /// assert_eq!(error.message(), "line 3: the id \"x\" stands twice");
    /// # Ok::<(), connector_vault::Error>(())
    /// ```
    pub fn add(&mut self, place: impl fmt::Display, connector: NewConnector) -> Result<()> {
        let check = || {
            ConnectorId::check(&connector.id)?;
            check_name("connector name", &connector.name)?;
            check_name("connector type", &connector.type_name)?;
            connector
                .properties
                .check()
                .try_for_each(|set| set.map(drop))
        };
        check().map_err(|error| error.within(&place))?;
        if !self.ids.insert(connector.id.clone()) {
            let message = format!("{place}: the id {} stands twice", quoted(&connector.id));
            return Err(Error::new(Code::ConnectorExists, message));
        }
        self.list.push(Entry {
            place: Some(place.to_string()),
            connector,
        });
        Ok(())
    }

    /// Parses and checks a document. Values are literal, without tokens; versions and times, which
    /// `export` writes too, are left out: a new connector has its own.
    ///
    /// Fails with the codes of docs/action.md sections 2 to 4, and with `connector_exists` for an id
    /// that stands twice.
    pub fn parse(text: &str) -> Result<Self> {
        let (text, has_mark) = json::without_mark(text);
        let Value::Object(members) = json::parse(text, Syntax::CONNECTORS)? else {
            return Err(Error::new(
                Code::NotAnObject,
                "the document is not a JSON object",
            ));
        };
        let mut document = Fields::new("the document", members, &["connectors"])?;
        let entries = match document.take("connectors") {
            Some(Value::Array(entries)) => entries,
            None => return Err(missing("connectors")),
            Some(other) => return Err(wrong_type("connectors", &other, "an array")),
        };
        let mut ids = HashSet::with_capacity(entries.len());
        let mut connectors = Vec::with_capacity(entries.len());
        for (number, entry) in (1..).zip(entries) {
            let place = place_of(number, id_of(&entry));
            let connector = new_connector(entry, text).map_err(|error| error.within(&place))?;
            if !ids.insert(connector.id().to_owned()) {
                return Err(Error::new(
                    Code::ConnectorExists,
                    format!("{place}: the id stands twice in the document"),
                ));
            }
            connectors.push(Entry {
                place: None,
                connector,
            });
        }
        Ok(Self {
            list: connectors,
            ids,
            has_mark,
        })
    }

    /// The connectors, and for errors where each stands in the document.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (String, &NewConnector)> {
        let numbered = (1..).zip(&self.list);
        numbered.map(|(number, entry)| {
            let connector = &entry.connector;
            let place = entry.place.clone();
            let place = place.unwrap_or_else(|| place_of(number, Some(connector.id())));
            (place, connector)
        })
    }

    /// What was left out of the document, as a warning of its first connector.
    pub(crate) fn warning(&self) -> Option<Warning> {
        let message = "the document begins with a byte order mark, which was left out";
        self.has_mark
            .then(|| Warning::new(WarningCode::ByteOrderMark, message))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

fn new_connector(entry: Value, text: &str) -> Result<NewConnector> {
    let Value::Object(members) = entry else {
        return Err(wrong_type("it", &entry, "an object"));
    };
    let known = [
        "id",
        "name",
        "type",
        // Which group it goes to, the caller says.
        "group",
        "meta",
        "properties",
        "version",
        "updated_at",
        "created_at",
        "rotated_at",
    ];
    let mut fields = Fields::new("it", members, &known)?;
    let properties = match fields.take("properties") {
        Some(Value::Object(members)) => Properties::from_members(members, text)?,
        None => return Err(missing("properties")),
        Some(other) => return Err(wrong_type("properties", &other, "an object")),
    };
    let meta = match fields.take("meta") {
        Some(Value::Object(members)) => members,
        None => Vec::new(),
        Some(other) => return Err(wrong_type("meta", &other, "an object")),
    };
    let mut take = |name| match fields.take(name) {
        Some(Value::String(text)) => Ok(text.as_str().to_owned()),
        None => Err(missing(name)),
        Some(other) => Err(wrong_type(name, &other, "a string")),
    };
    let id = ConnectorId::new(take("id")?)?;
    let mut connector = NewConnector::new(id.as_str(), take("name")?, take("type")?);
    for member in meta {
        let Value::String(text) = &member.value else {
            return Err(wrong_type("a text of meta", &member.value, "a string"));
        };
        connector = connector.meta(member.name.as_str(), text.as_str());
    }
    Ok(connector.with_properties(&properties))
}

/// An entry as messages name it: by where it stands, and by its id as far as it has one.
fn place_of(number: usize, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("connector {number} ({})", quoted(id)),
        None => format!("connector {number}"),
    }
}

fn id_of(entry: &Value) -> Option<&str> {
    let Value::Object(members) = entry else {
        return None;
    };
    let id = members.iter().find(|member| member.name.as_str() == "id")?;
    match &id.value {
        Value::String(id) => Some(id.as_str()),
        _ => None,
    }
}

fn missing(field: &str) -> Error {
    Error::new(Code::MissingParameter, format!("{field} is missing"))
}

impl fmt::Debug for NewConnectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewConnectors({}, ..)", self.len())
    }
}
