//! Actions and their tokens. JavaScript fetches values asynchronously, so an action is resolved in steps:
//! where a token's value is not known yet, the step says which one is wanted.

use std::collections::HashMap;

use connector_vault::{
    Action as Core, Code, Error, Nested, Note, Null, Options, Request as CoreRequest, RequestId,
    Secret, TokenFn, TokenRef, Version,
};
use js_sys::Uint8Array;
use serde::Deserialize;
use tsify::Tsify;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;
use crate::input;
use crate::wire::{self, TokenInfo, TokenSpan, TokenWanted};

/// How an action is carried out (docs/action.md section 6).
#[derive(Default, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct ActionOptions {
    /// Only if the connector is at this version; otherwise `conflict`.
    #[serde(deserialize_with = "input::some")]
    #[tsify(optional)]
    if_version: Option<u64>,
    /// The same request again changes nothing and returns the first outcome. 1 to 256 bytes.
    #[serde(deserialize_with = "input::some")]
    #[tsify(optional)]
    request_id: Option<String>,
    /// What `null` as a value means: by default an error.
    #[serde(deserialize_with = "input::some")]
    #[tsify(optional, type = "NullMeaning")]
    null: Option<NullMeaning>,
    /// What becomes of a stored JSON object when its property gets another one: by default it is replaced.
    #[serde(deserialize_with = "input::some")]
    #[tsify(optional, type = "NestedMeaning")]
    nested: Option<NestedMeaning>,
    /// Whether a value may be a mask such as `***`.
    #[tsify(optional, type = "boolean")]
    allow_mask: bool,
    /// Whether a value may be empty because its token is: by default that is `empty_value`.
    #[tsify(optional, type = "boolean")]
    allow_empty: bool,
    /// Whether brackets are only text.
    #[tsify(optional, type = "boolean")]
    no_tokens: bool,
    /// A note that is kept with the version, readable to all who may list. 1 to 256 bytes.
    #[serde(deserialize_with = "input::some")]
    #[tsify(optional)]
    note: Option<String>,
}

/// What `null` as a value means: an error, or that the property is removed.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NullMeaning {
    Reject,
    Remove,
}

/// What becomes of a stored JSON object: it is replaced as a whole, or the new one is merged into it.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NestedMeaning {
    Replace,
    Merge,
}

impl ActionOptions {
    pub(crate) fn parse(json: &str) -> Result<Options> {
        let options: Self = input::options(json)?;
        Ok(Options {
            if_version: options.if_version.map(Version::new).transpose()?,
            request_id: options.request_id.map(RequestId::new).transpose()?,
            null: match options.null {
                Some(NullMeaning::Remove) => Null::Remove,
                Some(NullMeaning::Reject) | None => Null::Reject,
            },
            nested: match options.nested {
                Some(NestedMeaning::Merge) => Nested::Merge,
                Some(NestedMeaning::Replace) | None => Nested::Replace,
            },
            allow_mask: options.allow_mask,
            allow_empty: options.allow_empty,
            no_tokens: options.no_tokens,
            note: options.note.map(Note::new).transpose()?,
        })
    }
}

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
        let infos = self.0.tokens()?;
        Ok(wire::json(
            &infos.iter().map(TokenInfo::of).collect::<Vec<_>>(),
        ))
    }

    /// Begins to expand its tokens.
    pub fn resolve(self, options: &str) -> Result<Resolving> {
        Ok(Resolving {
            action: self.0,
            options: ActionOptions::parse(options)?,
            answers: HashMap::new(),
            request: None,
        })
    }
}

/// Where a text holds tokens, as JSON.
#[wasm_bindgen(js_name = findTokens)]
pub fn find_tokens(text: &Uint8Array) -> Result<String> {
    let text = input::text(text)?;
    let spans = connector_vault::find_tokens(&text);
    Ok(wire::json(&TokenSpan::all_of(&text, &spans)))
}

/// An action while its tokens are expanded.
#[wasm_bindgen]
pub struct Resolving {
    action: Core,
    options: Options,
    /// By the key with parameters; `None`: there is no value.
    answers: HashMap<String, Option<Secret>>,
    request: Option<CoreRequest>,
}

#[wasm_bindgen]
impl Resolving {
    /// The next token that is wanted, as JSON; none once all are known.
    pub fn step(&mut self) -> Result<Option<String>> {
        let mut wanted = None;
        let answers = &self.answers;
        let mut tokens = TokenFn(|token: &TokenRef<'_>| {
            let keys = keys(token);
            match keys.first().and_then(|key| answers.get(key)) {
                Some(answer) => Ok(answer.clone()),
                None => {
                    wanted = Some(wire::json(&TokenWanted::of(token, &keys)));
                    Err(Error::new(
                        Code::TokenSourceFailed,
                        "the token is not known yet",
                    ))
                }
            }
        });
        let resolved = self.action.resolve(&mut tokens, &self.options);
        match (wanted, resolved) {
            (Some(wanted), _) => Ok(Some(wanted)),
            (None, resolved) => {
                self.request = Some(resolved?);
                Ok(None)
            }
        }
    }

    /// The value of the token that was wanted under this key, or that there is none.
    pub fn answer(&mut self, key: String, value: Option<Uint8Array>) -> Result<()> {
        let value = match value {
            Some(value) => Some(Secret::new(std::mem::take(&mut *input::text(&value)?))?),
            None => None,
        };
        self.answers.insert(key, value);
        Ok(())
    }

    /// The action with its tokens expanded, once no token is wanted.
    #[wasm_bindgen(js_name = intoRequest)]
    pub fn into_request(self) -> Result<Request> {
        let Self {
            request, options, ..
        } = self;
        let request = request
            .ok_or_else(|| Error::new(Code::Internal, "the tokens are not all known yet"))?;
        Ok(Request { request, options })
    }
}

/// The keys under which a map would hold the token: the one with parameters first.
fn keys(token: &TokenRef<'_>) -> Vec<String> {
    let mut keys = Vec::new();
    token.lookup(|key| {
        keys.push(key.to_owned());
        None::<()>
    });
    keys
}

/// An action with its tokens expanded, and how to carry it out.
#[wasm_bindgen]
pub struct Request {
    pub(crate) request: CoreRequest,
    pub(crate) options: Options,
}
