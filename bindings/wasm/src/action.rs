//! Actions and what they ask for. JavaScript answers asynchronously, so an action is planned in steps: where
//! a token's value or the result of a test is not known yet, the step says what is wanted.

use std::collections::HashMap;

use connector_vault::{
    Action as Core, ActionPlan, Answers, Asking, Code, Connector as CoreConnector, Error, Options,
    Secret, TestResult, TokenRef, TokenSpan as CoreSpan, Tokens,
};
use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;
use crate::host::Host;
use crate::input;
use crate::json::{json, secret_json};
use crate::options::ActionOptions;
use crate::plan::Plan;
use crate::vault::Vault;

/// An action, its tokens not yet expanded.
#[wasm_bindgen]
pub struct Action(Core);

#[wasm_bindgen]
impl Action {
    /// Parses and checks an action document.
    pub fn parse(text: &Uint8Array) -> Result<Action> {
        Ok(Self(Core::parse(&input::text(text)?)?))
    }

    /// What the action does.
    #[wasm_bindgen(getter, js_name = actionType)]
    pub fn action_type(&self) -> String {
        self.0.action_type().as_str().to_owned()
    }

    /// The tokens that the action needs, as JSON.
    pub fn tokens(&self) -> Result<String> {
        Ok(json(&self.0.tokens()?))
    }

    /// Begins to plan it. `keys` are those of the values that are given, where they are known beforehand.
    pub fn run(self, options: &ActionOptions, keys: Vec<String>) -> Result<Run> {
        Ok(Run {
            action: self.0,
            options: options.options()?,
            keys,
            answers: Answers::default(),
            wanted: None,
            tokens: HashMap::new(),
            tests: Vec::new(),
            plan: None,
        })
    }
}

/// All that is wrong with an action document, as JSON: a list of what would be thrown.
#[wasm_bindgen(js_name = problemsOf)]
pub fn problems_of(text: &Uint8Array) -> Result<String> {
    Ok(json(&Core::problems(&input::text(text)?)))
}

/// Where a text holds tokens, as JSON.
#[wasm_bindgen(js_name = findTokens)]
pub fn find_tokens(text: &Uint8Array) -> Result<String> {
    let text = input::text(text)?;
    let spans = connector_vault::find_tokens(&text);
    Ok(json(&TokenSpan::all_of(&text, &spans)))
}

/// Where a text holds a token.
#[derive(Serialize)]
struct TokenSpan<'a> {
    /// Where its opening bracket is, in UTF-16 units.
    from: usize,
    /// Where it ends, behind its closing bracket.
    to: usize,
    /// `Namespace:Name` or `Name`.
    name: &'a str,
}

impl<'a> TokenSpan<'a> {
    /// In the order of the text, which is counted once.
    fn all_of(text: &str, spans: &'a [CoreSpan]) -> Vec<Self> {
        let (mut at, mut units) = (0, 0);
        let mut units_until = |end: usize| {
            units += text[at..end].encode_utf16().count();
            at = end;
            units
        };
        spans
            .iter()
            .map(|span| Self {
                from: units_until(span.range.start),
                to: units_until(span.range.end),
                name: &span.name,
            })
            .collect()
    }
}

/// A token whose value is wanted, its parameters expanded.
#[derive(Serialize)]
struct TokenWanted {
    /// What stands before the colon.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// Keys and values of the parameters, in the order in which they are written.
    params: Vec<(String, String)>,
    /// The keys under which a map holds the token, the one with parameters first.
    keys: Vec<String>,
}

impl TokenWanted {
    fn of(token: &TokenRef<'_>) -> Self {
        let mut keys = Vec::new();
        token.lookup(|key| {
            keys.push(key.to_owned());
            None::<()>
        });
        let params = token.params();
        Self {
            namespace: token.namespace().map(str::to_owned),
            name: token.name().to_owned(),
            params: params
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            keys,
        }
    }
}

impl TokenWanted {
    /// The key that tells it from other tokens.
    fn key(&self) -> &str {
        self.keys.first().map_or(&self.name, String::as_str)
    }
}

/// What an action asks for next.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Wanted<'a> {
    /// The value of a token.
    Token(TokenWanted),
    /// Whether a connector works.
    Test(&'a CoreConnector),
}

/// An action while it is planned. It remembers each answer, also when it is planned again.
#[wasm_bindgen]
pub struct Run {
    action: Core,
    options: Options,
    /// The keys of the given values.
    keys: Vec<String>,
    answers: Answers,
    wanted: Option<Asked>,
    /// Answers that no step has taken yet. The vault may move on while one is waited for, and the next
    /// step may ask for something else first.
    tokens: HashMap<String, Option<Secret>>,
    tests: Vec<(CoreConnector, TestResult)>,
    plan: Option<ActionPlan>,
}

/// Tokens whose values are in JavaScript, and the keys that are known there.
struct Given<'k, F> {
    keys: &'k [String],
    resolve: F,
}

impl<F: FnMut(&TokenRef<'_>) -> connector_vault::Result<Option<Secret>>> Tokens for Given<'_, F> {
    fn resolve(&mut self, token: &TokenRef<'_>) -> connector_vault::Result<Option<Secret>> {
        (self.resolve)(token)
    }

    fn keys(&self) -> Vec<&str> {
        self.keys.iter().map(String::as_str).collect()
    }
}

/// What the last step wanted.
enum Asked {
    /// By the key that tells it from other tokens.
    Token(String),
    Test(Box<CoreConnector>),
}

#[wasm_bindgen]
impl Run {
    /// Plans the action on what the vault holds, up to the next answer that is wanted, which is JSON;
    /// none once the plan is made.
    #[wasm_bindgen(unchecked_return_type = "string | undefined")]
    pub fn step(&mut self, vault: &Vault, now: &str) -> Result<JsValue> {
        let unknown = || Error::new(Code::Internal, "the answer is not known yet");
        let mut host = Host::new(now)?;
        let mut wanted = None;
        let mut wanted_token = None;
        let known = &mut self.tokens;
        let mut tokens = Given {
            keys: &self.keys,
            resolve: |token: &TokenRef<'_>| {
                let of_token = TokenWanted::of(token);
                let key = of_token.key().to_owned();
                known.remove(&key).ok_or_else(|| {
                    wanted_token = Some((key, json(&Wanted::Token(of_token))));
                    unknown()
                })
            },
        };
        let tests = &mut self.tests;
        let mut tester = |connector: &CoreConnector| {
            let known = tests
                .iter()
                .position(|(tested, _)| tested.tests_as(connector));
            match known {
                Some(index) => Ok(tests.swap_remove(index).1),
                None => {
                    wanted = Some(Asked::Test(Box::new(connector.clone())));
                    Err(unknown())
                }
            }
        };
        let mut asking = Asking::new(&mut tokens)
            .tester(&mut tester)
            .with(std::mem::take(&mut self.answers));
        let planned =
            vault
                .0
                .plan_asking(&self.action, &mut asking, &self.options, &mut host.get());
        self.answers = asking.into_answers();
        if let Some((key, json)) = wanted_token {
            self.wanted = Some(Asked::Token(key));
            return Ok(JsValue::from_str(&json));
        }
        if let Some(Asked::Test(connector)) = wanted {
            let json = secret_json(&Wanted::Test(&connector));
            self.wanted = Some(Asked::Test(connector));
            return Ok(json?);
        }
        self.plan = Some(planned?);
        Ok(JsValue::UNDEFINED)
    }

    /// The value of the token that is wanted, or that there is none.
    #[wasm_bindgen(js_name = answerToken)]
    pub fn answer_token(&mut self, value: Option<Uint8Array>) -> Result<()> {
        let value = match value {
            Some(value) => Some(Secret::new(std::mem::take(&mut *input::text(&value)?))?),
            None => None,
        };
        if let Some(Asked::Token(key)) = self.wanted.take() {
            self.tokens.insert(key, value);
        }
        Ok(())
    }

    /// Whether the connector that is wanted to be tested works: if it does not, why.
    #[wasm_bindgen(js_name = answerTest)]
    pub fn answer_test(&mut self, failure: Option<String>) {
        let result = failure.map_or(TestResult::Passed, TestResult::Failed);
        if let Some(Asked::Test(connector)) = self.wanted.take() {
            self.tests.push((*connector, result));
        }
    }

    /// The plan, once nothing is wanted.
    #[wasm_bindgen(js_name = takePlan)]
    pub fn take_plan(&mut self) -> Result<Plan> {
        let plan = self.plan.take();
        let plan = plan.ok_or_else(|| Error::new(Code::Internal, "the plan is not made yet"))?;
        Ok(Plan(vec![plan]))
    }
}
