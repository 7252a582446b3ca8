//! What the host is asked while an action is planned: values of tokens, and whether a connector
//! works (docs/action.md sections 5.4 and 1.3).

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};

use rand_core::CryptoRng;

use super::{Action, Options, Outputs, Warning, WarningCode};
use crate::connector::{Connector, ConnectorId};
use crate::error::{Code, Error, Result, quoted};
use crate::secret::{Secret, Text};
use crate::token::{TokenRef, Tokens};

/// Tries connectors out, for `Connectors.Test`: only the host knows the service behind one.
pub trait Tester {
    /// Whether the connector works.
    ///
    /// A failure to find out ends the action as `tester_failed`, with the error's message.
    fn test(&mut self, connector: &Connector) -> Result<TestResult>;
}

impl<F: FnMut(&Connector) -> Result<TestResult>> Tester for F {
    fn test(&mut self, connector: &Connector) -> Result<TestResult> {
        self(connector)
    }
}

/// What a [`Tester`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestResult {
    /// The connector works.
    Passed,
    /// The connector does not work, and why. In the outcome the connector's values are masked in
    /// the text; it must hold no other secret.
    Failed(String),
}

/// Whom an action asks. It remembers each answer, so that an action that is planned again, because
/// somebody else changed the vault, asks nothing twice: a refresh token may be good for one use.
///
/// ```
/// # use connector_vault::*;
/// # use rand::{SeedableRng, rngs::StdRng};
/// # let mut rng = StdRng::seed_from_u64(1);
/// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
/// # let identity = Identity::generate(host.rng);
/// # let owner = NewOwner::identity("ops", identity.clone());
/// # let (mut vault, _) = Vault::create(&mut host, &owner)?;
/// # let properties = Properties::from_json(r#"{"APIKey": "a"}"#)?;
/// # let plan = vault.plan_create(&NewConnector::new("x", "Name", "Type").with_properties(&properties), &Options::default())?;
/// # let prepared = vault.prepare(plan, &mut host)?;
/// # vault.apply(prepared)?;
/// let action = Action::parse(
///     r#"{"ActionType": "Connectors.Test", "Parameters": {"EntryId": "x", "OutputTokenName": "T"}}"#,
/// )?;
/// let mut tokens = std::collections::BTreeMap::new();
/// let mut tester = |connector: &Connector| Ok(match connector.properties.get("APIKey") {
///     Some(_) => TestResult::Passed,
///     None => TestResult::Failed("there is no APIKey".to_owned()),
/// });
/// let mut asking = Asking::new(&mut tokens).tester(&mut tester);
/// let plan = vault.plan_asking(&action, &mut asking, &Options::default(), &mut host)?;
/// assert_eq!(plan.outputs()["T:IsSuccess"], "true");
/// # Ok::<(), Error>(())
/// ```
pub struct Asking<'a> {
    tokens: &'a mut dyn Tokens,
    tester: Option<&'a mut dyn Tester>,
    answers: Answers,
    /// Whether only what is known is answered, and nobody asked.
    known_only: bool,
    /// The keys under which the host was asked for a value.
    asked: HashSet<Key>,
}

/// What was answered, for a host that goes on later: [`Asking::with`]. Wiped when it is dropped.
#[derive(Default)]
pub struct Answers {
    tokens: Known,
    /// By what was tested: a version that is planned may not be the one that is stored under its number.
    tests: Vec<(Connector, TestResult)>,
    /// Something was wanted that is not known, while only what is known was to be answered.
    is_unanswered: bool,
    /// The ids of new connectors, by the number of the action.
    ids: HashMap<usize, ConnectorId>,
}

/// What tokens were answered with; `None`: they have no value.
type Known = HashMap<Key, Option<Secret>>;

/// What a token is told from others by. Its parameters may be secret.
#[derive(PartialEq, Eq)]
struct Key(Text);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl<'a> Asking<'a> {
    /// Asks for tokens; nobody tests connectors.
    pub fn new(tokens: &'a mut dyn Tokens) -> Self {
        Self {
            tokens,
            tester: None,
            answers: Answers::default(),
            known_only: false,
            asked: HashSet::new(),
        }
    }

    /// The same, with somebody who tests connectors.
    #[must_use]
    pub fn tester(self, tester: &'a mut dyn Tester) -> Self {
        Self {
            tester: Some(tester),
            ..self
        }
    }

    /// The same, with what was answered before.
    #[must_use]
    pub fn with(self, answers: Answers) -> Self {
        Self { answers, ..self }
    }

    /// What was answered until now.
    #[must_use]
    pub fn into_answers(self) -> Answers {
        self.answers
    }

    /// Plans once more while nobody may be asked, such as under a file lock that others wait for. `None`: it
    /// would ask for more than was answered.
    pub fn known_only<T>(
        &mut self,
        plan: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<Option<T>> {
        self.known_only = true;
        self.answers.is_unanswered = false;
        let planned = plan(self);
        self.known_only = false;
        match self.answers.is_unanswered {
            true => Ok(None),
            false => planned.map(Some),
        }
    }

    /// A source of tokens that knows what earlier actions set, and remembers what it was told.
    pub(crate) fn tokens<'b>(&'b mut self, outputs: &'b Outputs) -> Remembering<'b> {
        Remembering {
            host: self.tokens,
            answers: &mut self.answers,
            asked: &mut self.asked,
            outputs,
            known_only: self.known_only,
        }
    }

    /// The warning that values were given which no token of the action uses; not of a token in a
    /// default that was not needed. Names are told, never a value.
    pub(crate) fn unused(&self, action: &Action, options: &Options) -> Option<Warning> {
        let given = self.tokens.keys();
        if given.is_empty() {
            return None;
        }
        let infos = match options.no_tokens {
            true => Vec::new(),
            // What is wrong with them was found when they were expanded.
            false => action.tokens().unwrap_or_default(),
        };
        let known: HashSet<&str> = infos
            .iter()
            .flat_map(|info| [info.key.as_str(), info.name.as_str()])
            .collect();
        let is_used =
            |key: &str| known.contains(key) || self.asked.contains(&Key(Text::new(key.to_owned())));
        let mut unused: Vec<_> = given.into_iter().filter(|key| !is_used(key)).collect();
        unused.sort_unstable();
        let values = match unused.as_slice() {
            [] => return None,
            [_] => "the value given for",
            _ => "the values given for",
        };
        let names = told(&unused);
        let message = format!("no token of the action uses {values} {names}");
        Some(Warning::new(WarningCode::TokenUnused, message))
    }

    /// The id of the connector that an action creates: the same each time that it is planned.
    pub(crate) fn new_id(&mut self, action: usize, rng: &mut dyn CryptoRng) -> ConnectorId {
        let id = self.answers.ids.entry(action);
        id.or_insert_with(|| ConnectorId::generate(rng)).clone()
    }

    /// Fails with `tester_missing` or `tester_failed`.
    pub(crate) fn test(&mut self, connector: &Connector) -> Result<TestResult> {
        let mut tests = self.answers.tests.iter();
        if let Some((_, known)) = tests.find(|(tested, _)| tested.tests_as(connector)) {
            return Ok(known.clone());
        }
        if self.known_only {
            return Err(self.answers.unanswered());
        }
        let Some(tester) = &mut self.tester else {
            return Err(
                Error::new(Code::TesterMissing, "nothing here can test a connector")
                    .with_hint("run the action where the host gives a tester"),
            );
        };
        let result = tester.test(connector).map_err(|error| {
            let failed = Error::new(Code::TesterFailed, error.message().to_owned());
            match error.hint() {
                Some(hint) => failed.with_hint(hint.to_owned()),
                None => failed,
            }
        })?;
        self.answers.tests.push((connector.clone(), result.clone()));
        Ok(result)
    }
}

impl Answers {
    fn unanswered(&mut self) -> Error {
        self.is_unanswered = true;
        Error::new(Code::Internal, "the action asks for more than was answered")
    }
}

impl fmt::Debug for Asking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asking(..)")
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answers(..)")
    }
}

/// See [`Asking::tokens`].
pub(crate) struct Remembering<'a> {
    host: &'a mut dyn Tokens,
    answers: &'a mut Answers,
    asked: &'a mut HashSet<Key>,
    outputs: &'a Outputs,
    known_only: bool,
}

impl Tokens for Remembering<'_> {
    fn resolve(&mut self, token: &TokenRef<'_>) -> Result<Option<Secret>> {
        // What an earlier action of the batch set comes before what the host has under that name.
        if let Some(output) = self.outputs.get(&token.canonical()) {
            return Secret::new(output.clone()).map(Some);
        }
        self.asked.insert(Key(Text::new(token.canonical())));
        self.asked.insert(Key(token.key()));
        let key = Key(token.key());
        if let Some(known) = self.answers.tokens.get(&key) {
            return Ok(known.clone());
        }
        if self.known_only {
            return Err(self.answers.unanswered());
        }
        let value = self.host.resolve(token)?;
        self.answers.tokens.insert(key, value.clone());
        Ok(value)
    }

    fn is_set(&self, token: &TokenRef<'_>) -> bool {
        self.outputs.contains_key(&token.canonical())
    }

    fn keys(&self) -> Vec<&str> {
        self.host.keys()
    }
}

/// Names for a message: quoted, clipped and not too many.
fn told(names: &[&str]) -> String {
    const TOLD_MAX: usize = 5;
    let first: Vec<_> = names
        .iter()
        .take(TOLD_MAX)
        .map(|name| quoted(name))
        .collect();
    match names.len().checked_sub(TOLD_MAX) {
        Some(more @ 1..) => format!("{} and {more} more", first.join(", ")),
        _ => first.join(", "),
    }
}

/// The names of the tokens that a test sets.
pub(crate) fn outputs_of_test(name: &str) -> [String; 2] {
    [format!("{name}:IsSuccess"), format!("{name}:ErrorMessage")]
}
