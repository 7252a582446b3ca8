//! Tokens, `[Namespace:Name(Param=x)=default|format]`: parsed from the author's text and expanded
//! exactly once (docs/action.md section 5).

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::BuildHasher;
use std::ops::Range;

use crate::error::{Result, quoted};
use crate::json;
use crate::secret::{Secret, Text, TextBuf};

mod expand;
mod grammar;
mod hint;
mod needs;

pub(crate) use expand::Expander;
pub use grammar::find_tokens;
pub(crate) use grammar::{is_token_name, token_len};
pub(crate) use needs::Infos;
pub use needs::TokenInfo;

/// Where the values of tokens come from: a map from [`TokenRef::lookup`]'s keys to values,
/// or a closure in [`TokenFn`].
pub trait Tokens {
    /// The value of a token; `None` if there is none, so that its default applies.
    /// A failure ends the action as `token_source_failed`, with the error's message.
    fn resolve(&mut self, token: &TokenRef<'_>) -> Result<Option<Secret>>;

    /// Whether an earlier action of a batch set the token: an empty value of it did not get lost.
    #[doc(hidden)]
    fn is_set(&self, _token: &TokenRef<'_>) -> bool {
        false
    }

    /// The keys of the values that are given, where they are known beforehand: for hints about a key
    /// that is nearly right, and for a warning about a value that no token used. A source that
    /// finds values as it is asked has none.
    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// No token has a value.
impl Tokens for () {
    fn resolve(&mut self, _token: &TokenRef<'_>) -> Result<Option<Secret>> {
        Ok(None)
    }
}

impl<T: Tokens + ?Sized> Tokens for &mut T {
    fn resolve(&mut self, token: &TokenRef<'_>) -> Result<Option<Secret>> {
        (**self).resolve(token)
    }

    fn is_set(&self, token: &TokenRef<'_>) -> bool {
        (**self).is_set(token)
    }

    fn keys(&self) -> Vec<&str> {
        (**self).keys()
    }
}

/// Keys and values, for a few of them.
impl<const LEN: usize> Tokens for [(&str, Secret); LEN] {
    fn resolve(&mut self, token: &TokenRef<'_>) -> Result<Option<Secret>> {
        Ok(token.lookup(|key| {
            let found = self.iter().find(|(known, _)| *known == key);
            found.map(|(_, value)| value.clone())
        }))
    }

    fn keys(&self) -> Vec<&str> {
        self.iter().map(|(key, _)| *key).collect()
    }
}

impl Tokens for BTreeMap<String, Secret> {
    fn resolve(&mut self, token: &TokenRef<'_>) -> Result<Option<Secret>> {
        Ok(token.lookup(|key| self.get(key).cloned()))
    }

    fn keys(&self) -> Vec<&str> {
        self.keys().map(String::as_str).collect()
    }
}

impl<S: BuildHasher> Tokens for HashMap<String, Secret, S> {
    fn resolve(&mut self, token: &TokenRef<'_>) -> Result<Option<Secret>> {
        Ok(token.lookup(|key| self.get(key).cloned()))
    }

    fn keys(&self) -> Vec<&str> {
        self.keys().map(String::as_str).collect()
    }
}

/// A closure as a source of tokens.
///
/// ```
/// use connector_vault::{Secret, TokenFn, TokenRef, Tokens};
///
/// let mut tokens = TokenFn(|token: &TokenRef<'_>| match token.name() {
///     "Connector" => Secret::new("twitterConnectorId").map(Some),
///     _ => Ok(None),
/// });
/// # let _: &mut dyn Tokens = &mut tokens;
/// # Ok::<(), connector_vault::Error>(())
/// ```
pub struct TokenFn<F>(
    /// Called once for each token that an action needs, told apart by name and parameters.
    pub F,
);

impl<F: FnMut(&TokenRef<'_>) -> Result<Option<Secret>>> Tokens for TokenFn<F> {
    fn resolve(&mut self, token: &TokenRef<'_>) -> Result<Option<Secret>> {
        (self.0)(token)
    }
}

/// A token whose value is wanted, its parameters expanded. `Debug` hides their values.
pub struct TokenRef<'a> {
    namespace: Option<&'a str>,
    name: &'a str,
    params: Vec<(&'a str, Text)>,
}

impl TokenRef<'_> {
    /// The namespace before the colon.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// Keys and values of the parameters, in the order in which they are written.
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.params
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
    }

    /// `Namespace:Name` or `Name`: what messages and outcomes call the token. No parameters.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(self.namespace, self.name)
    }

    /// The key that tells it from every other token: the one with parameters, if it has any.
    pub(crate) fn key(&self) -> Text {
        let name = self.canonical();
        match self.params.is_empty() {
            true => Text::new(name),
            false => key_with_params(&name, self.params()),
        }
    }

    /// Looks the token up in a map: first by its key with parameters, if it has any, then by
    /// [`canonical`](Self::canonical).
    ///
    /// The key with parameters is `Name(key=value,key=value)`, in the order written. A value that
    /// is not made of ASCII letters, digits, `_`, `-` and `.` stands there as a JSON string, so
    /// that no value can look like two parameters.
    pub fn lookup<T>(&self, mut get: impl FnMut(&str) -> Option<T>) -> Option<T> {
        let name = self.canonical();
        if !self.params.is_empty()
            && let Some(found) = get(&self.key())
        {
            return Some(found);
        }
        get(&name)
    }
}

impl fmt::Debug for TokenRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenRef([{}])", self.canonical())
    }
}

fn canonical(namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{namespace}:{name}"),
        None => name.to_owned(),
    }
}

fn key_with_params<'p>(name: &str, params: impl Iterator<Item = (&'p str, &'p str)>) -> Text {
    let mut key = TextBuf::default();
    key.push_str(name);
    for (index, (param, value)) in params.enumerate() {
        key.push(if index == 0 { '(' } else { ',' });
        key.push_str(param);
        key.push('=');
        let bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if !value.is_empty() && value.bytes().all(bare) {
            key.push_str(value);
        } else {
            json::write_string(value, &mut key);
        }
    }
    key.push(')');
    key.into_text()
}

/// Where a text holds a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenSpan {
    /// From the opening bracket to behind the closing one, in bytes.
    pub range: Range<usize>,
    /// `Namespace:Name` or `Name`.
    pub name: String,
}

/// A text of the author: literal pieces and tokens.
#[derive(Default)]
pub(crate) struct Template(Vec<Piece>);

enum Piece {
    /// Entities are decoded here, and only here.
    Literal(Text),
    Token(Token),
}

struct Token {
    namespace: Option<String>,
    name: String,
    params: Vec<(String, Template)>,
    default: Option<Template>,
    /// The literal text around each `{0}`.
    format: Option<Vec<Text>>,
}

impl Template {
    /// Fails with `token_limit` or `invalid_token_format`; what is no token stays text.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        grammar::template(text)
    }

    /// The name of its first token.
    pub(crate) fn first_token(&self) -> Option<String> {
        self.0.iter().find_map(|piece| match piece {
            Piece::Token(token) => Some(canonical(token.namespace.as_deref(), &token.name)),
            Piece::Literal(_) => None,
        })
    }
}

/// A token's name as it stands in messages.
pub(crate) fn bracketed(name: &str) -> String {
    // No name of a token holds a quote of its own.
    format!("[{}]", quoted(name).replace('"', ""))
}

#[cfg(test)]
mod tests;
