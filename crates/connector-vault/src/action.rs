//! The platform's actions: `Connectors.Update` and its siblings (docs/action.md).
//!
//! [`Action::parse`] checks the document. The vault plans it: it resolves what names a connector,
//! checks what can be checked, and only then asks for the other tokens ([`Asking`]).

use std::fmt;

use crate::error::{Code, Error, Result};
use crate::secret::Text;
use crate::token::{Infos, Template, TokenInfo};

mod asking;
mod connectors;
mod document;
mod literal;
mod options;
mod properties;
mod request;
mod resolve;
mod warning;

pub(crate) use asking::outputs_of_test;
pub use asking::{Answers, Asking, TestResult, Tester};
pub use connectors::NewConnectors;
pub use options::{Nested, Note, Null, Options, RequestId};
pub use request::Source;
pub(crate) use request::{Changes, Write};
pub(crate) use resolve::{Outputs, Resolver};
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
    /// `Connectors.Test`: has the host try a connector out.
    Test,
    /// `ExecuteActions`: carries out several actions, all or none.
    Batch,
}

impl ActionType {
    /// Every type.
    pub const ALL: [Self; 5] = [
        Self::Update,
        Self::Add,
        Self::Delete,
        Self::Test,
        Self::Batch,
    ];

    /// The types that a batch may hold.
    pub(crate) const IN_BATCH: [Self; 4] = [Self::Update, Self::Add, Self::Delete, Self::Test];

    /// The `ActionType` as it stands in the document.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Update => "Connectors.Update",
            Self::Add => "CredStore.AddConnectorEntry",
            Self::Delete => "CredStore.DeleteEntry",
            Self::Test => "Connectors.Test",
            Self::Batch => "ExecuteActions",
        }
    }
}

/// An action as its author wrote it: checked, its tokens not yet expanded. `Debug` is redacted.
pub struct Action {
    pub(crate) content: Content,
    /// Whether it has a `Condition`.
    has_condition: bool,
    /// Whether its document begins with a byte order mark; of a batch the first action has it.
    has_mark: bool,
}

/// What an action does, and to what; its texts may hold tokens.
pub(crate) enum Content {
    Update {
        entry_id: Text,
        sources: Sources,
    },
    Add {
        type_name: Text,
        entry_name: Text,
        sources: Sources,
        token_name: Option<Text>,
    },
    Delete {
        entry_id: Text,
    },
    Test {
        entry_id: Text,
        token_name: Option<Text>,
    },
    /// `None` for an action that its editor marked as deleted.
    Batch(Vec<Option<Action>>),
}

/// Where properties come from.
pub(crate) struct Sources {
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
        document::parse(text)
    }

    /// What the action does.
    #[must_use]
    pub fn action_type(&self) -> ActionType {
        match self.content {
            Content::Update { .. } => ActionType::Update,
            Content::Add { .. } => ActionType::Add,
            Content::Delete { .. } => ActionType::Delete,
            Content::Test { .. } => ActionType::Test,
            Content::Batch(_) => ActionType::Batch,
        }
    }

    /// The tokens that the action needs, each once, so that an asynchronous host can fetch them
    /// before the action is planned. Tokens that an earlier action of a batch sets are not among
    /// them.
    ///
    /// Fails with `token_limit` or `invalid_token_format`.
    pub fn tokens(&self) -> Result<Vec<TokenInfo>> {
        let mut infos = Infos::default();
        self.list_tokens(&mut infos)?;
        Ok(infos.into_list())
    }

    fn list_tokens(&self, infos: &mut Infos) -> Result<()> {
        let list = |parameter: &'static str, text: &Text, infos: &mut Infos| {
            let template = Template::parse(text).map_err(|error| error.of(parameter))?;
            template.list(infos);
            Ok(())
        };
        match &self.content {
            Content::Update { entry_id, sources } => {
                list("EntryId", entry_id, infos)?;
                sources.list_tokens(infos)
            }
            Content::Add {
                type_name,
                entry_name,
                sources,
                token_name,
            } => {
                list("TypeName", type_name, infos)?;
                list("EntryName", entry_name, infos)?;
                sources.list_tokens(infos)?;
                if let Some(name) =
                    resolve::list_token_name("EntryIdTokenName", token_name.as_ref(), infos)?
                {
                    infos.set(name);
                }
                Ok(())
            }
            Content::Delete { entry_id } => list("EntryId", entry_id, infos),
            Content::Test {
                entry_id,
                token_name,
            } => {
                list("EntryId", entry_id, infos)?;
                if let Some(name) =
                    resolve::list_token_name("OutputTokenName", token_name.as_ref(), infos)?
                {
                    for output in asking::outputs_of_test(&name) {
                        infos.set(output);
                    }
                }
                Ok(())
            }
            Content::Batch(list) => (1..).zip(list).try_for_each(|(number, action)| {
                let Some(action) = action else { return Ok(()) };
                action
                    .list_tokens(infos)
                    .map_err(|error| error.in_action(number))
            }),
        }
    }

    /// Fails with `condition_not_evaluated` if the action has a condition, unless `options` say that
    /// it held.
    pub(crate) fn check_condition(&self, options: &Options) -> Result<()> {
        if !self.has_condition || options.condition_met {
            return Ok(());
        }
        Err(Error::new(
            Code::ConditionNotEvaluated,
            "the action has a Condition, which the host has to evaluate",
        )
        .with_hint("evaluate the condition; if it holds, run the action with the option for that"))
    }
}

impl Sources {
    fn list_tokens(&self, infos: &mut Infos) -> Result<()> {
        for (index, row) in self.grid.iter().enumerate() {
            for text in [Some(&row.name), row.value.as_ref()].into_iter().flatten() {
                let in_row = |error: Error| error.in_row(index + 1);
                Template::parse(text).map_err(in_row)?.list(infos);
            }
        }
        Document::parse(&self.json, true)?.list(infos)
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({}, ..)", self.action_type().as_str())
    }
}

#[cfg(test)]
mod tests;
