//! Tokens, and what an action asks for, as JSON.

use connector_vault::{self as core, TokenRef};
use serde::Serialize;
use tsify::Tsify;

use crate::connector::Connector;

/// A token that an action needs.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenInfo<'a> {
    /// `Namespace:Name` or `Name`.
    name: &'a str,
    /// The key that a map answers under: with the parameters, unless these hold tokens themselves.
    key: &'a str,
    /// Whether the action fails without a value.
    required: bool,
}

impl<'a> TokenInfo<'a> {
    pub(crate) fn of(info: &'a core::TokenInfo) -> Self {
        Self {
            name: &info.name,
            key: &info.key,
            required: info.required,
        }
    }
}

/// Where a text holds a token.
#[derive(Serialize, Tsify)]
pub(crate) struct TokenSpan<'a> {
    /// Where its opening bracket is, in UTF-16 units.
    from: usize,
    /// Where it ends, behind its closing bracket.
    to: usize,
    /// `Namespace:Name` or `Name`.
    name: &'a str,
}

impl<'a> TokenSpan<'a> {
    /// In the order of the text, which is counted once.
    pub(crate) fn all_of(text: &str, spans: &'a [core::TokenSpan]) -> Vec<Self> {
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
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenWanted {
    /// What stands before the colon.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    namespace: Option<String>,
    name: String,
    /// Keys and values of the parameters, in the order in which they are written.
    params: Vec<(String, String)>,
    /// The keys under which a map holds the token, the one with parameters first.
    keys: Vec<String>,
}

impl TokenWanted {
    pub(crate) fn of(token: &TokenRef<'_>) -> Self {
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
    pub(crate) fn key(&self) -> &str {
        self.keys.first().map_or(&self.name, String::as_str)
    }
}

/// What an action asks for next.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Wanted<'a> {
    /// The value of a token.
    Token(TokenWanted),
    /// Whether a connector works.
    Test(Connector<'a>),
}
