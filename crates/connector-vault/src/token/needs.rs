//! Which tokens an action needs, for hosts that fetch them first (docs/action.md section 5.4).

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Serialize;

use super::{Piece, Template, Token, canonical};

/// A token that an action needs, for hosts that fetch values before they resolve the action.
/// `Debug` hides the key, which may hold parameters.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TokenInfo {
    /// `Namespace:Name` or `Name`.
    pub name: String,
    /// The key that a map answers under ([`TokenRef::lookup`](super::TokenRef::lookup)). Without the parameters if these
    /// hold tokens themselves.
    pub key: String,
    /// Whether the action fails without a value: the token has no default, and does not only
    /// stand in the default of another.
    pub required: bool,
}

impl fmt::Debug for TokenInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenInfo")
            .field("name", &self.name)
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}

impl Template {
    /// Adds the tokens to `infos`, each key once, in the order in which they are resolved.
    pub(crate) fn list(&self, infos: &mut Infos) {
        self.list_inner(infos, true);
    }

    fn list_inner(&self, infos: &mut Infos, needed: bool) {
        for piece in &self.0 {
            let Piece::Token(token) = piece else { continue };
            for (_, value) in &token.params {
                value.list_inner(infos, needed);
            }
            infos.add(token, needed && token.default.is_none());
            if let Some(default) = &token.default {
                default.list_inner(infos, false);
            }
        }
    }

    /// The text, if it holds no token.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

/// The tokens that an action needs, each key once.
#[derive(Default)]
pub(crate) struct Infos {
    list: Vec<TokenInfo>,
    by_key: HashMap<String, usize>,
    /// Names of tokens that an earlier action sets.
    set: HashSet<String>,
}

impl Infos {
    fn add(&mut self, token: &Token, required: bool) {
        let name = canonical(token.namespace.as_deref(), &token.name);
        if self.set.contains(&name) {
            return;
        }
        let key = token.plain_key().unwrap_or_else(|| name.clone());
        if let Some(&index) = self.by_key.get(&key) {
            self.list[index].required |= required;
            return;
        }
        self.by_key.insert(key.clone(), self.list.len());
        self.list.push(TokenInfo {
            name,
            key,
            required,
        });
    }

    /// From here on, the token of this name has a value.
    pub(crate) fn set(&mut self, name: String) {
        self.set.insert(name);
    }

    pub(crate) fn into_list(self) -> Vec<TokenInfo> {
        self.list
    }
}
