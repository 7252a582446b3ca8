//! The platform's actions: `Connectors.Update` and its siblings (docs/action.md).
//!
//! [`Action::parse`] checks the document. The vault plans it: it resolves what names a connector,
//! checks what can be checked, and only then asks for the other tokens ([`Asking`]).

use std::fmt;

use crate::error::{Code, Error, Result};
use crate::limits;
use crate::secret::Text;
use crate::token::{Infos, Template, TokenInfo};

mod asking;
mod connectors;
mod document;
mod literal;
mod options;
mod problems;
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

use problems::Problems;
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
#[derive(Default)]
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
        let mut problems = Problems::up_to(1);
        let action = document::read(text, &mut problems);
        problems.refuse()?;
        action.ok_or_else(|| Error::new(Code::Internal, "the action has no content"))
    }

    /// One action of several, which are carried out in order as those of an `ExecuteActions` are: in one commit,
    /// all of them or none. The actions of a batch among them take its place.
    ///
    /// Fails with `limit_exceeded` for more than [`ACTIONS_MAX`](crate::limits::ACTIONS_MAX) actions.
    ///
    /// ```
    /// use connector_vault::{Action, ActionType};
    ///
    /// let delete = |id: &str| {
    ///     Action::parse(&format!(
    ///         r#"{{"ActionType": "CredStore.DeleteEntry", "Parameters": {{"EntryId": "{id}"}}}}"#
    ///     ))
    /// };
    /// let both = Action::batch([delete("a")?, delete("b")?])?;
    /// assert_eq!((both.action_type(), both.count()), (ActionType::Batch, 2));
    /// # Ok::<(), connector_vault::Error>(())
    /// ```
    pub fn batch(actions: impl IntoIterator<Item = Self>) -> Result<Self> {
        let mut list = Vec::new();
        let mut has_condition = false;
        for action in actions {
            match action.content {
                Content::Batch(inner) => {
                    // Of the batch as a whole: without it none of its actions would be carried out.
                    has_condition |= action.has_condition;
                    list.extend(inner);
                }
                _ => list.push(Some(action)),
            }
            if list.len() > limits::ACTIONS_MAX {
                let message = format!("there are more than {} actions", limits::ACTIONS_MAX);
                return Err(Error::new(Code::LimitExceeded, message));
            }
        }
        Ok(Self {
            content: Content::Batch(list),
            has_condition,
            has_mark: false,
        })
    }

    /// How many actions it is: one, or as many as its batch has, those that are skipped among them.
    #[must_use]
    pub fn count(&self) -> usize {
        match &self.content {
            Content::Batch(list) => list.len(),
            _ => 1,
        }
    }

    /// All that is wrong with an action document, for editors: the errors of [`parse`](Self::parse), the first of which
    /// is its error, and then those of [`tokens`](Self::tokens), up to [`PROBLEMS_MAX`](crate::limits::PROBLEMS_MAX). Each
    /// has its [`place`](Error::place).
    ///
    /// What stands in a place that cannot be read is not looked at: of JSON with a fault, say, only that is told.
    ///
    /// ```
    /// use connector_vault::Action;
    ///
    /// let problems = Action::problems(r#"{
    ///     "ActionType": "Connectors.Update",
    ///     "Parameters": {"EntryID": "x", "PropertiesJson": "{"}
    /// }"#);
    /// let codes: Vec<_> = problems.iter().map(|problem| problem.code().as_str()).collect();
    /// assert_eq!(codes, ["unknown_parameter", "missing_parameter", "invalid_json"]);
    /// ```
    #[must_use]
    pub fn problems(text: &str) -> Vec<Error> {
        let mut problems = Problems::up_to(limits::PROBLEMS_MAX);
        if let Some(action) = document::read(text, &mut problems) {
            action.list_tokens(&mut Infos::default(), &mut problems);
        }
        problems.into_found()
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
        let mut problems = Problems::up_to(1);
        self.list_tokens(&mut infos, &mut problems);
        problems.refuse()?;
        Ok(infos.into_list())
    }

    fn list_tokens(&self, infos: &mut Infos, problems: &mut Problems) {
        let list =
            |parameter: &'static str, text: &Text, infos: &mut Infos, problems: &mut Problems| {
                let template = Template::parse(text).map_err(|error| error.of(parameter));
                if let Some(template) = problems.check(template) {
                    template.list(infos);
                }
            };
        match &self.content {
            Content::Update { entry_id, sources } => {
                list("EntryId", entry_id, infos, problems);
                sources.list_tokens(infos, problems);
            }
            Content::Add {
                type_name,
                entry_name,
                sources,
                token_name,
            } => {
                list("TypeName", type_name, infos, problems);
                list("EntryName", entry_name, infos, problems);
                sources.list_tokens(infos, problems);
                let name = resolve::list_token_name("EntryIdTokenName", token_name.as_ref(), infos);
                if let Some(name) = problems.check(name).flatten() {
                    infos.set(name);
                }
            }
            Content::Delete { entry_id } => list("EntryId", entry_id, infos, problems),
            Content::Test {
                entry_id,
                token_name,
            } => {
                list("EntryId", entry_id, infos, problems);
                let name = resolve::list_token_name("OutputTokenName", token_name.as_ref(), infos);
                if let Some(name) = problems.check(name).flatten() {
                    for output in asking::outputs_of_test(&name) {
                        infos.set(output);
                    }
                }
            }
            Content::Batch(list) => {
                for (number, action) in (1..).zip(list) {
                    let Some(action) = action else { continue };
                    problems.within(
                        |error| error.in_action(number),
                        |problems| action.list_tokens(infos, problems),
                    );
                }
            }
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
    fn list_tokens(&self, infos: &mut Infos, problems: &mut Problems) {
        for (number, row) in (1..).zip(&self.grid) {
            for text in [Some(&row.name), row.value.as_ref()].into_iter().flatten() {
                let template = Template::parse(text).map_err(|error| error.in_row(number));
                if let Some(template) = problems.check(template) {
                    template.list(infos);
                }
            }
        }
        if let Some(document) = problems.check(Document::parse(&self.json, true)) {
            document.list(infos, problems);
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({}, ..)", self.action_type().as_str())
    }
}

#[cfg(test)]
mod tests;
