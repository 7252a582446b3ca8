//! Connectors with and without their values, as JSON.

use connector_vault::{
    self as core, ConnectorId, Op, Overview as CoreOverview, PropertyName, Timestamp, Vault,
};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tsify::Tsify;

/// A version of a connector, without its values: what every role may see.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Overview {
    #[tsify(type = "string")]
    id: ConnectorId,
    name: String,
    r#type: String,
    version: u64,
    #[tsify(type = "Op")]
    op: Op,
    /// When this version was made, by its author's clock: RFC 3339.
    #[tsify(type = "string")]
    at: Timestamp,
    /// The label of the grant that made it, or its id if the label is not known.
    author: String,
    /// The names of its properties, in order.
    #[tsify(type = "string[]")]
    properties: Vec<PropertyName>,
    /// The names that this version added, changed or removed.
    #[tsify(type = "string[]")]
    changed: Vec<PropertyName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    note: Option<String>,
    /// The idempotency key of the request that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    request_id: Option<String>,
    /// Which version this is, also after a compaction and in copies.
    record_id: String,
}

impl Overview {
    pub(crate) fn of(vault: &Vault, overview: CoreOverview) -> Self {
        let author = overview.author;
        let label = vault.label_of(author).map(str::to_owned);
        Self::with_author(overview, label.unwrap_or_else(|| author.to_string()))
    }

    pub(crate) fn with_author(overview: CoreOverview, author: String) -> Self {
        Self {
            id: overview.id,
            name: overview.name,
            r#type: overview.type_name,
            version: overview.version.get(),
            op: overview.op,
            at: overview.at,
            author,
            properties: overview.properties,
            changed: overview.changed,
            note: overview.note,
            request_id: overview.request_id,
            record_id: overview.record_id.to_string(),
        }
    }
}

/// A connector with its values.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connector<'a> {
    id: &'a str,
    name: &'a str,
    r#type: &'a str,
    version: u64,
    /// When this version was made: RFC 3339.
    updated_at: &'a str,
    #[serde(serialize_with = "values")]
    #[tsify(type = "Record<string, string>")]
    properties: &'a core::Properties,
}

impl<'a> Connector<'a> {
    pub(crate) fn of(connector: &'a core::Connector) -> Self {
        Self {
            id: connector.id.as_str(),
            name: &connector.name,
            r#type: &connector.type_name,
            version: connector.version.get(),
            updated_at: connector.updated_at.as_str(),
            properties: &connector.properties,
        }
    }
}

/// A connector as it stands in the document that `cvault export` writes and `cvault import` reads.
#[derive(Serialize, Tsify)]
pub(crate) struct ExportedConnector<'a> {
    id: &'a str,
    name: &'a str,
    r#type: &'a str,
    version: u64,
    updated_at: &'a str,
    #[serde(serialize_with = "values")]
    #[tsify(type = "Record<string, string>")]
    properties: &'a core::Properties,
}

impl<'a> ExportedConnector<'a> {
    pub(crate) fn of(connector: &'a core::Connector) -> Self {
        Self {
            id: connector.id.as_str(),
            name: &connector.name,
            r#type: &connector.type_name,
            version: connector.version.get(),
            updated_at: connector.updated_at.as_str(),
            properties: &connector.properties,
        }
    }
}

fn values<S: Serializer>(
    properties: &core::Properties,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(properties.len()))?;
    for (name, value) in properties.iter() {
        map.serialize_entry(name, value.expose())?;
    }
    map.end()
}
