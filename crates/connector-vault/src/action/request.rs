//! A request: an action whose tokens are expanded.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{ActionType, Warning};
use crate::connector::{ConnectorId, PropertyName, Secret};

/// An action with its tokens expanded, ready to be planned. It holds the new values: `Debug` is
/// redacted, memory is wiped when it is dropped, and nothing reads them but the vault.
pub struct Request(pub(crate) Kind);

pub(crate) enum Kind {
    Update(UpdateRequest),
    Add(AddRequest),
    Delete(DeleteRequest),
}

pub(crate) struct UpdateRequest {
    pub(crate) id: ConnectorId,
    pub(crate) changes: Changes,
}

pub(crate) struct AddRequest {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) changes: Changes,
}

pub(crate) struct DeleteRequest {
    pub(crate) id: ConnectorId,
    /// No writes: only what was found on the way.
    pub(crate) changes: Changes,
}

/// What a request writes, each name once, and what was found on the way.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) writes: Vec<Write>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) tokens: Vec<String>,
}

pub(crate) struct Write {
    pub(crate) name: PropertyName,
    /// `None` removes the property.
    pub(crate) value: Option<Secret>,
    pub(crate) source: Source,
    /// Whether both the grid and the JSON name the property, so that the grid's value is lost.
    pub(crate) overridden: bool,
}

/// Which parameter a property's value comes from.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// `Properties`.
    Grid,
    /// `PropertiesJson`.
    Json,
}

impl Request {
    /// What the request does.
    #[must_use]
    pub fn action_type(&self) -> ActionType {
        match self.0 {
            Kind::Update(_) => ActionType::Update,
            Kind::Add(_) => ActionType::Add,
            Kind::Delete(_) => ActionType::Delete,
        }
    }

    /// The connector that it names; none for [`ActionType::Add`].
    #[must_use]
    pub fn id(&self) -> Option<&ConnectorId> {
        match &self.0 {
            Kind::Update(UpdateRequest { id, .. }) | Kind::Delete(DeleteRequest { id, .. }) => {
                Some(id)
            }
            Kind::Add(_) => None,
        }
    }

    /// What makes two requests the same, as bytes that no other request has: the action type, the
    /// id (or name and type), and each write in order. Every part is led by its
    /// length as `u32`.
    pub(crate) fn digest_parts(&self) -> Zeroizing<Vec<u8>> {
        let (head, changes) = match &self.0 {
            Kind::Update(r) => (vec![r.id.as_str()], &r.changes),
            Kind::Delete(r) => (vec![r.id.as_str()], &r.changes),
            Kind::Add(r) => (vec![r.name.as_str(), r.type_name.as_str()], &r.changes),
        };
        let mut parts = vec![self.action_type().as_str()];
        parts.extend(head);
        for write in &changes.writes {
            parts.push(write.name.as_str());
            match &write.value {
                Some(value) => parts.extend(["=", value.expose()]),
                None => parts.push("-"),
            }
        }
        // The whole length at once: a buffer that grew would leave copies behind.
        let len = parts.iter().map(|part| 4 + part.len()).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(len));
        for part in parts {
            let len = u32::try_from(part.len()).expect("an action is at most 16 MiB");
            bytes.extend_from_slice(&len.to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({}, ..)", self.action_type().as_str())
    }
}
