//! The platform's actions: `Connectors.Update` and its siblings (docs/action.md).
//!
//! [`Action::parse`] checks the document, [`Action::resolve`] expands its tokens into a
//! [`Request`], and the vault plans and commits that.

use std::fmt;

use crate::connector::Text;
use crate::error::{Error, Result};
use crate::token::{Infos, Template, TokenInfo, Tokens};

mod connectors;
mod document;
mod literal;
mod options;
mod properties;
mod request;
mod resolve;
mod warning;

pub(crate) use connectors::NewConnector;
pub use connectors::NewConnectors;
pub use options::{Nested, Note, Null, Options, RequestId};
pub(crate) use request::{AddRequest, Changes, DeleteRequest, Kind, UpdateRequest, Write};
pub use request::{Request, Source};
pub use warning::{Warning, WarningCode};

use properties::Document;

/// What an action does.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionType {
    /// `Connectors.Update`: merges properties into a connector.
    Update,
    /// `CredStore.AddConnectorEntry`: creates a connector.
    Add,
    /// `CredStore.DeleteEntry`: deletes a connector.
    Delete,
}

impl ActionType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Update, Self::Add, Self::Delete];

    /// The `ActionType` as it stands in the document.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Update => "Connectors.Update",
            Self::Add => "CredStore.AddConnectorEntry",
            Self::Delete => "CredStore.DeleteEntry",
        }
    }
}

/// An action as its author wrote it: checked, its tokens not yet expanded. `Debug` is redacted.
pub struct Action(Content);

enum Content {
    Update {
        entry_id: Text,
        sources: Sources,
    },
    Add {
        type_name: Text,
        entry_name: Text,
        sources: Sources,
    },
    Delete {
        entry_id: Text,
    },
}

/// Where properties come from.
struct Sources {
    grid: Vec<Row>,
    json: Text,
}

/// A row of the grid; `None` is `null`.
struct Row {
    name: Text,
    value: Option<Text>,
}

impl Action {
    /// Parses and checks an action document.
    ///
    /// Fails on everything that is wrong whatever the tokens resolve to (docs/action.md
    /// sections 2 to 4), with the position or the parameter's name.
    ///
    /// ```
    /// use connector_vault::{Action, ActionType};
    ///
    /// let action = Action::parse(r#"{
    ///     "ActionType": "Connectors.Update",
    ///     "Parameters": {
    ///         "EntryId": "twitterConnectorId",
    ///         "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[Secrets:TwitterKey]"}]
    ///     }
    /// }"#)?;
    /// assert_eq!(action.action_type(), ActionType::Update);
    /// assert_eq!(action.tokens()?[0].name, "Secrets:TwitterKey");
    /// # Ok::<(), connector_vault::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        document::parse(text).map(Self)
    }

    /// What the action does.
    #[must_use]
    pub fn action_type(&self) -> ActionType {
        match self.0 {
            Content::Update { .. } => ActionType::Update,
            Content::Add { .. } => ActionType::Add,
            Content::Delete { .. } => ActionType::Delete,
        }
    }

    /// The tokens that the action needs, each once, so that an asynchronous host can fetch them
    /// before it calls [`resolve`](Self::resolve).
    ///
    /// Fails with `token_limit` or `invalid_token_format`.
    pub fn tokens(&self) -> Result<Vec<TokenInfo>> {
        let mut infos = Infos::default();
        let (texts, sources) = match &self.0 {
            Content::Update { entry_id, sources } => (vec![("EntryId", entry_id)], Some(sources)),
            Content::Add {
                type_name,
                entry_name,
                sources,
            } => (
                vec![("TypeName", type_name), ("EntryName", entry_name)],
                Some(sources),
            ),
            Content::Delete { entry_id } => (vec![("EntryId", entry_id)], None),
        };
        for (parameter, text) in texts {
            let of_parameter = |error: Error| error.of(parameter);
            Template::parse(text)
                .map_err(of_parameter)?
                .list(&mut infos);
        }
        if let Some(sources) = sources {
            for (index, row) in sources.grid.iter().enumerate() {
                for text in [Some(&row.name), row.value.as_ref()].into_iter().flatten() {
                    let in_row = |error: Error| error.in_row(index + 1);
                    Template::parse(text).map_err(in_row)?.list(&mut infos);
                }
            }
            Document::parse(&sources.json, true)?.list(&mut infos)?;
        }
        Ok(infos.into_list())
    }

    /// Expands the tokens and checks the result.
    ///
    /// Fails with the codes of docs/action.md sections 3 to 5; nothing of a token's value is in
    /// the error.
    pub fn resolve(&self, tokens: &mut dyn Tokens, options: &Options) -> Result<Request> {
        resolve::resolve(&self.0, tokens, options)
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({}, ..)", self.action_type().as_str())
    }
}

#[cfg(test)]
mod tests;
