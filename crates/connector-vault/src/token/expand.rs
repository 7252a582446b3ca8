//! Expansion: each token once, within one budget (docs/action.md section 5.3).

use std::collections::HashSet;

use super::{Piece, Template, Token, TokenRef, Tokens, bracketed, hint};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::secret::{Text, TextBuf};

/// Expands templates against one host, within one budget.
pub(crate) struct Expander<'h> {
    host: &'h mut dyn Tokens,
    budget: usize,
    seen: HashSet<String>,
    used: Vec<String>,
    defaulted: Vec<String>,
    /// The first token of the last text to which the host gave a value.
    answered: Option<String>,
}

impl<'h> Expander<'h> {
    pub(crate) fn new(host: &'h mut dyn Tokens) -> Self {
        Self {
            host,
            budget: limits::ACTION_LEN_MAX,
            seen: HashSet::new(),
            used: Vec::new(),
            defaulted: Vec::new(),
            answered: None,
        }
    }

    /// The text with every token replaced by its value. Values are not scanned again.
    pub(crate) fn expand(&mut self, template: &Template) -> Result<Text> {
        self.answered = None;
        self.pieces(template)
    }

    /// The first token in the last text that the host gave a value, for its place in that text: not
    /// for the parameter of another token. So if the text is empty, the value of this token is.
    pub(crate) fn answered(&self) -> Option<&str> {
        self.answered.as_deref()
    }

    fn pieces(&mut self, template: &Template) -> Result<Text> {
        let mut out = TextBuf::default();
        for piece in &template.0 {
            match piece {
                Piece::Literal(text) => self.push(text, &mut out)?,
                Piece::Token(token) => {
                    let value = self.value(token)?;
                    let Some(format) = &token.format else {
                        self.push(&value, &mut out)?;
                        continue;
                    };
                    for (index, text) in format.iter().enumerate() {
                        if index > 0 {
                            self.push(&value, &mut out)?;
                        }
                        self.push(text, &mut out)?;
                    }
                }
            }
        }
        Ok(out.into_text())
    }

    // Every copy counts, at every level: formats that repeat `{0}` inside one another would
    // otherwise grow exponentially.
    fn push(&mut self, text: &str, out: &mut TextBuf) -> Result<()> {
        self.budget = self.budget.checked_sub(text.len()).ok_or_else(|| {
            Error::new(
                Code::TokenLimit,
                format!(
                    "the tokens expand to more than {} bytes",
                    limits::ACTION_LEN_MAX
                ),
            )
        })?;
        out.push_str(text);
        Ok(())
    }

    fn value(&mut self, token: &Token) -> Result<Text> {
        let answered = self.answered.take();
        let mut params = Vec::with_capacity(token.params.len());
        for (key, value) in &token.params {
            params.push((key.as_str(), self.pieces(value)?));
        }
        self.answered = answered;
        let wanted = TokenRef {
            namespace: token.namespace.as_deref(),
            name: &token.name,
            params,
        };
        let name = wanted.canonical();
        let is_set = self.host.is_set(&wanted);
        let found = self.host.resolve(&wanted).map_err(|error| {
            let failed = Error::new(
                Code::TokenSourceFailed,
                format!("the token {}: {}", bracketed(&name), error.message()),
            );
            match error.hint() {
                Some(hint) => failed.with_hint(hint.to_owned()),
                None => failed,
            }
        })?;
        if self.seen.insert(name.clone()) {
            self.used.push(name.clone());
        }
        match (found, &token.default) {
            (Some(value), _) => {
                if !is_set {
                    self.answered.get_or_insert(name);
                }
                Ok(Text::new(value.expose().to_owned()))
            }
            (None, Some(default)) => {
                let value = self.pieces(default)?;
                self.defaulted.push(name);
                Ok(value)
            }
            (None, None) => Err(Error::new(
                Code::TokenUnresolved,
                format!("the token {} has no value and no default", bracketed(&name)),
            )
            .with_hint(hint::of_unresolved(token, &wanted, self.host))),
        }
    }

    /// The names of the tokens whose default was used since the last call.
    pub(crate) fn take_defaulted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.defaulted)
    }

    /// The names of all tokens that were resolved, each once.
    pub(crate) fn into_used(self) -> Vec<String> {
        self.used
    }
}
