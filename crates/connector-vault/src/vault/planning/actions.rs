//! From an action to a plan: rights, preconditions and the present state, and for a batch what its
//! earlier actions did, around the pure computation of `plan` (docs/action.md sections 1, 6, 7).
//!
//! The order of the checks is part of the contract: the right, the connector, the request id and the
//! version are checked before any token but those of the id is asked for. A token may be good for
//! one use, such as a refresh token, and a conflict must not burn it.

use super::requests::request_digest;
use super::staging::{Staging, of_one_connector, refuse_request_id};
use crate::action::{
    Action, Asking, Changes, Content, Options, Outputs, Resolver, TestResult, outputs_of_test,
};
use crate::connector::{Connector, Meta};
use crate::error::{Code, Error, Result, for_all};
use crate::format::header::DEFAULT_GROUP;
use crate::json::{self, Syntax};
use crate::limits;
use crate::plan::{self, ActionPlan, ActionStep, NewEntry, Plan, Status, Step, TestOutcome};
use crate::role::Capability;
use crate::secret::Text;
use crate::source::Source;
use crate::token::{Template, Tokens};
use crate::vault::{Host, Vault};

impl<S: Source> Vault<S> {
    /// What an action would change. Nothing is written.
    ///
    /// Fails with the codes of `docs/action.md`; the vault is as before in any case.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let identity = Identity::generate(host.rng);
    /// # let owner = NewOwner::identity("ops", identity.clone());
    /// # let (mut vault, mut file) = Vault::create(&mut host, &owner)?;
    /// # let id = ConnectorId::new("x")?;
    /// # let properties = Properties::from_json(r#"{"APIKey": "a"}"#)?;
    /// # let plan = vault.plan_create(&NewConnector::new(id.as_str(), "Name", "Type").with_properties(&properties), &Options::default())?;
    /// # let prepared = vault.prepare(plan, &mut host)?;
    /// # prepared.write().to(&mut file);
    /// # vault.apply(prepared)?;
    /// let action = Action::parse(r#"{"ActionType": "Connectors.Update", "Parameters": {
    ///     "EntryId": "x", "PropertiesJson": "{\"APIKey\": \"b\"}"}}"#)?;
    /// let mut tokens = std::collections::BTreeMap::new();
    /// let plan = vault.plan(&action, &mut tokens, &Options::default(), &mut host)?;
    /// let ran = plan.ran();
    /// let outcome = ran.outcome().expect("one action that changes a connector");
    /// assert_eq!(outcome.changes[0].change, ChangeKind::Changed);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn plan(
        &self,
        action: &Action,
        tokens: &mut dyn Tokens,
        options: &Options,
        host: &mut Host<'_>,
    ) -> Result<ActionPlan> {
        self.plan_asking(action, &mut Asking::new(tokens), options, host)
    }

    /// The same, for an action that may test connectors, or that is planned again: see [`Asking`]. An id that
    /// holds tokens is not known before they are asked for, so bytes may be found missing behind them
    /// ([`Error::missing`]): plan again with the same `asking`, which asks nobody twice.
    pub fn plan_asking(
        &self,
        action: &Action,
        asking: &mut Asking<'_>,
        options: &Options,
        host: &mut Host<'_>,
    ) -> Result<ActionPlan> {
        let mut plan = self.plan_steps(action, asking, options, host)?;
        if let Some(warning) = asking.unused(action, options) {
            plan.warn(warning);
        }
        Ok(plan)
    }

    fn plan_steps(
        &self,
        action: &Action,
        asking: &mut Asking<'_>,
        options: &Options,
        host: &mut Host<'_>,
    ) -> Result<ActionPlan> {
        action.check_condition(options)?;
        let mut staging = Staging::new(self, host.now.clone());
        let Content::Batch(list) = &action.content else {
            if options.group.is_some() && !matches!(action.content, Content::Add { .. }) {
                return Err(Error::new(
                    Code::InvalidArgument,
                    "a group is for actions that create a connector",
                ));
            }
            let step = staging.step(action, 0, asking, &Outputs::new(), options, host)?;
            return Ok(ActionPlan::one(step));
        };
        if options.if_version.is_some() {
            return Err(of_one_connector("a version as condition"));
        }
        refuse_request_id(options)?;
        // What can be known before any token is asked for.
        for_all((1..).zip(list), |(number, action)| match action {
            Some(action) => self
                .check_action(action, options)
                .map_err(|error| error.in_action(number)),
            None => Ok(()),
        })?;
        let mut plan = ActionPlan::batch();
        for (number, action) in (1..).zip(list) {
            let step = match action {
                None => ActionStep::Skipped,
                Some(action) => staging
                    .step(action, number, asking, plan.outputs(), options, host)
                    .map_err(|error| error.in_action(number))?,
            };
            plan.push(step);
        }
        Ok(plan)
    }

    /// Checks the condition and the right of an action, and its connector and that it can be read where its
    /// id holds no token.
    fn check_action(&self, action: &Action, options: &Options) -> Result<()> {
        action.check_condition(options)?;
        let what = action.action_type().as_str();
        let (capability, entry_id) = match &action.content {
            Content::Update { entry_id, .. } => (Capability::Patch, entry_id),
            Content::Delete { entry_id } => (Capability::Manage, entry_id),
            Content::Test { entry_id, .. } => (Capability::Read, entry_id),
            Content::Add { .. } | Content::Batch(_) => {
                let group = self.group_of_new(options.group.as_deref())?;
                return self.require_in(group, Capability::Manage, what);
            }
        };
        self.require(capability, what)?;
        let template = Template::parse(entry_id).map_err(|error| error.of("EntryId"))?;
        let literal = match options.no_tokens {
            true => Some(entry_id.as_str()),
            false => template.literal(),
        };
        // The ids of connectors that the batch creates are not known to its author.
        match literal {
            Some(id) => {
                self.require_for(id, capability, what)?;
                let present = self.present(id)?;
                let [overview, secrets] = present.record();
                let reads = self.may(present.entry.group, Capability::Read);
                match reads && capability != Capability::Manage {
                    true => self.want([overview, secrets]),
                    false => self.want([overview]),
                }
            }
            None => Ok(()),
        }
    }
}

impl<S: Source> Staging<'_, S> {
    /// What one action would do. `number` tells it from the others of its batch.
    fn step(
        &mut self,
        action: &Action,
        number: usize,
        asking: &mut Asking<'_>,
        outputs: &Outputs,
        options: &Options,
        host: &mut Host<'_>,
    ) -> Result<ActionStep> {
        let what = action.action_type().as_str();
        if !matches!(action.content, Content::Update { .. } | Content::Add { .. }) {
            refuse_request_id(options)?;
        }
        let request = options.request_id.as_ref();
        let group = match &action.content {
            Content::Add { .. } => self.vault.group_of_new(options.group.as_deref())?,
            _ => DEFAULT_GROUP,
        };
        let new_id = match (&action.content, request) {
            (Content::Add { .. }, None) => Some(asking.new_id(number, host.rng)),
            // The same request creates the same connector, so that it finds itself.
            (Content::Add { .. }, Some(request_id)) => Some(self.vault.created_id(request_id)),
            _ => None,
        };
        let digest = request.map(|_| {
            let group_id = (group != DEFAULT_GROUP).then(|| self.vault.keys.group_id(group));
            let group_id = group_id.flatten().map(|id| id.to_string());
            request_digest(&action.digest_parts(options, group_id))
        });
        let request = request.zip(digest.as_ref());
        let mut tokens = asking.tokens(outputs);
        let mut resolver = Resolver::new(&mut tokens, options);
        resolver.document(action);
        match (&action.content, new_id) {
            (Content::Update { entry_id, sources }, _) => {
                self.vault.require(Capability::Patch, what)?;
                let id = resolver.entry_id(entry_id)?;
                self.vault
                    .require_for(id.as_str(), Capability::Patch, what)?;
                if let Some((request_id, digest)) = request {
                    let newest = self.vault.present(id.as_str())?;
                    let [overview, secrets] = newest.record();
                    let reads = self.vault.may(newest.entry.group, Capability::Read);
                    self.vault
                        .want([overview].into_iter().chain(reads.then_some(secrets)))?;
                    let answer = self.vault.answered(&id, request_id, digest, &host.now)?;
                    if let Some(outcome) = answer {
                        return Ok(change(Plan(Step::Answered { id, outcome })));
                    }
                }
                let before = self.before_update(id.as_str())?;
                before.check_version(options)?;
                resolver.sources(sources)?;
                let draft = before.update(&resolver.finish(), options)?;
                self.stage(draft, digest).map(change)
            }
            (
                Content::Add {
                    type_name,
                    entry_name,
                    sources,
                    token_name,
                },
                Some(new_id),
            ) => {
                self.vault.require_in(group, Capability::Manage, what)?;
                let mut tombstone = None;
                if let Some((request_id, digest)) = request {
                    let answer = self
                        .vault
                        .answered(&new_id, request_id, digest, &host.now)?;
                    if let Some(mut outcome) = answer {
                        let token = resolver.token_name("EntryIdTokenName", token_name.as_ref())?;
                        let id = new_id.as_str().to_owned();
                        outcome.outputs.extend(token.map(|token| (token, id)));
                        let step = Step::Answered {
                            id: new_id,
                            outcome,
                        };
                        return Ok(change(Plan(step)));
                    }
                    tombstone = self.absent(&new_id)?;
                }
                plan::check_version(&new_id, None, options)?;
                let type_name = resolver.name("TypeName", type_name)?;
                let name = resolver.name("EntryName", entry_name)?;
                resolver.sources(sources)?;
                let token = resolver.token_name("EntryIdTokenName", token_name.as_ref())?;
                let entry = NewEntry {
                    id: new_id.clone(),
                    name,
                    type_name,
                    meta: Meta::new(),
                    group,
                    tombstone,
                };
                let mut draft = plan::add(entry, &resolver.finish(), options)?;
                let output = token.map(|token| (token, new_id.as_str().to_owned()));
                draft.outputs.extend(output);
                self.stage(draft, digest).map(change)
            }
            (Content::Delete { entry_id }, _) => {
                self.vault.require(Capability::Manage, what)?;
                let id = resolver.entry_id(entry_id)?;
                self.vault
                    .require_for(id.as_str(), Capability::Manage, what)?;
                let before = self.without_values(id.as_str())?;
                let draft = plan::delete(&before, Some(&resolver.finish()), options)?;
                self.stage(draft, None).map(change)
            }
            (
                Content::Test {
                    entry_id,
                    token_name,
                },
                _,
            ) => {
                self.vault.require(Capability::Read, what)?;
                let id = resolver.entry_id(entry_id)?;
                self.vault
                    .require_for(id.as_str(), Capability::Read, what)?;
                let connector = self.read(id.as_str())?;
                plan::check_version(&id, Some(connector.version), options)?;
                let token = resolver.token_name("OutputTokenName", token_name.as_ref())?;
                let changes = resolver.finish();
                let result = asking.test(&connector).map_err(|error| {
                    let message = without_values(error.message(), &connector);
                    let masked = Error::new(error.code(), message);
                    match error.hint() {
                        Some(hint) => masked.with_hint(hint.to_owned()),
                        None => masked,
                    }
                })?;
                let outcome = tested(&connector, result, token, changes);
                Ok(ActionStep::Tested(outcome))
            }
            (Content::Add { .. } | Content::Batch(_), _) => Err(Error::new(
                Code::UnknownActionType,
                "a batch stands in a batch",
            )),
        }
    }
}

/// A change as a step of an action.
fn change(plan: Plan) -> ActionStep {
    ActionStep::Change(Box::new(plan))
}

fn tested(
    connector: &Connector,
    result: TestResult,
    token: Option<String>,
    changes: Changes,
) -> TestOutcome {
    let (success, message) = match result {
        TestResult::Passed => (true, String::new()),
        TestResult::Failed(message) => (false, without_values(&message, connector)),
    };
    let mut outputs = Outputs::new();
    if let Some(token) = token {
        let [is_success, error_message] = outputs_of_test(&token);
        outputs.insert(is_success, success.to_string());
        outputs.insert(error_message, message.clone());
    }
    TestOutcome {
        status: Status::Tested,
        id: connector.id.as_str().to_owned(),
        version: connector.version,
        success,
        message,
        warnings: changes.warnings,
        tokens: changes.tokens,
        outputs,
    }
}

/// A tester's text as an outcome may hold it. Services like to repeat the key that they refuse.
fn without_values(message: &str, connector: &Connector) -> String {
    /// A shorter value is in too many words.
    const TOLD_LEN_MAX: usize = 3;
    let mut texts: Vec<Text> = Vec::new();
    for (_, value) in connector.properties.iter() {
        texts.push(Text::new(value.expose().to_owned()));
        if let Ok(parsed) = json::parse(value.expose(), Syntax::PROPERTIES) {
            parsed.collect_texts(&mut texts);
        }
    }
    texts.retain(|text| text.len() > TOLD_LEN_MAX);
    // One may be a part of another.
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    let masked = texts.iter().fold(message.to_owned(), |message, text| {
        message.replace(text.as_str(), "******")
    });
    // Behind the masks, so that no value is cut in two and goes unnoticed.
    masked
        .chars()
        .take(limits::TEST_MESSAGE_CHARS_MAX)
        .collect()
}
