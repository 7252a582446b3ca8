//! Hints for a token without a value: the keys that were looked for, and keys of given values that
//! are nearly those (docs/action.md section 5.3).

use super::{Piece, Template, Token, TokenRef, Tokens, canonical, key_with_params};
use crate::error::quoted;
use crate::unicode::lowercase;

/// How many keys of given values a hint names.
const NEAR_MAX: usize = 3;

/// What to do about a token that has neither a value nor a default.
pub(super) fn of_unresolved(token: &Token, wanted: &TokenRef<'_>, tokens: &dyn Tokens) -> String {
    let looked_for = keys_told(token, wanted);
    let near = nearly(&looked_for, tokens);
    let mut hint = format!("its value was looked for as {}", list(&looked_for, " and "));
    if !near.is_empty() {
        hint.push_str("; a value is given for ");
        hint.push_str(&list(&near, ", "));
    }
    hint.push_str(
        "; give the token a value, or, if it is meant as text, write &#91; for its bracket or take \
         brackets as text for this request",
    );
    hint
}

/// The keys under which the value was looked for, as far as the author wrote them: a parameter that
/// holds a token may be secret.
fn keys_told(token: &Token, wanted: &TokenRef<'_>) -> Vec<String> {
    let name = wanted.canonical();
    let mut keys: Vec<_> = token.plain_key().into_iter().collect();
    if keys.first() != Some(&name) {
        keys.push(name);
    }
    keys
}

/// The keys of given values that differ from these in case, brackets around or the quotes of
/// parameters only.
fn nearly<'t>(keys: &[String], tokens: &'t dyn Tokens) -> Vec<&'t str> {
    let wanted: Vec<_> = keys.iter().map(|key| lowercase(key)).collect();
    let mut near: Vec<_> = tokens
        .keys()
        .into_iter()
        .filter(|key| wanted.contains(&lowercase(&plain(key))))
        .collect();
    near.sort_unstable();
    near.truncate(NEAR_MAX);
    near
}

/// A key as it has to be written: without brackets around, its parameters quoted where they have
/// to be.
fn plain(key: &str) -> String {
    let trimmed = key.trim();
    let bare = trimmed
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(trimmed)
        .trim();
    let template = Template::parse(&format!("[{bare}]")).unwrap_or_default();
    match template.0.as_slice() {
        [Piece::Token(token)] => token.plain_key().unwrap_or_else(|| bare.to_owned()),
        _ => bare.to_owned(),
    }
}

impl Token {
    /// The key that a map answers under, if no parameter holds a token.
    pub(super) fn plain_key(&self) -> Option<String> {
        let name = canonical(self.namespace.as_deref(), &self.name);
        if self.params.is_empty() {
            return Some(name);
        }
        let params = self.params.iter();
        let params: Vec<_> = params
            .map(|(key, value)| Some((key.as_str(), value.literal()?)))
            .collect::<Option<_>>()?;
        Some(key_with_params(&name, params.into_iter()).to_string())
    }
}

fn list<T: AsRef<str>>(keys: &[T], between: &str) -> String {
    let keys: Vec<_> = keys.iter().map(|key| quoted(key.as_ref())).collect();
    keys.join(between)
}
