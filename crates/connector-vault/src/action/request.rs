//! What an action writes once its tokens are expanded, and what makes two actions the same request.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Action, Content, Options, Sources, Warning};
use crate::connector::PropertyName;
use crate::secret::Secret;

/// What an action writes, each name once, and what was found on the way.
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

impl Source {
    /// The word that stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Json => "json",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Grid, Self::Json]
            .into_iter()
            .find(|source| source.as_str() == text)
    }
}

impl Action {
    /// What makes two requests the same, as bytes that no other request has: the action as its author
    /// wrote it, before any token is expanded, and the options (docs/format.md section 8.5). Every
    /// part is led by its length as `u32`. `group`: the id of the group that the options name.
    pub(crate) fn digest_parts(
        &self,
        options: &Options,
        group: Option<String>,
    ) -> Zeroizing<Vec<u8>> {
        let mut parts = vec![self.action_type().as_str()];
        let rows;
        let mut sources = None;
        match &self.content {
            Content::Update {
                entry_id,
                sources: given,
            } => {
                parts.push(entry_id);
                sources = Some(given);
            }
            Content::Add {
                type_name,
                entry_name,
                sources: given,
                token_name,
            } => {
                let token_name = token_name.as_ref().map_or("", |name| name.as_str());
                parts.extend([type_name.as_str(), entry_name, token_name]);
                sources = Some(given);
            }
            Content::Delete { entry_id } => parts.push(entry_id),
            Content::Test {
                entry_id,
                token_name,
            } => {
                parts.push(entry_id);
                parts.push(token_name.as_ref().map_or("", |name| name.as_str()));
            }
            // Its actions are requests of their own.
            Content::Batch(_) => {}
        }
        if let Some(Sources { grid, json }) = sources {
            rows = grid.len().to_string();
            parts.push(&rows);
            for row in grid {
                parts.push(&row.name);
                match &row.value {
                    Some(value) => parts.extend(["=", value.as_str()]),
                    None => parts.extend(["-", ""]),
                }
            }
            parts.push(json);
        }
        let options = options.digest_parts(group);
        for (name, value) in &options {
            parts.extend([*name, value.as_str()]);
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
