//! The parser: one pass, recursion bounded by the depth limit, no backtracking.

use super::{Member, Value, find_duplicate};
use crate::error::{Code, Error, Position, Result, quoted};
use crate::limits;
use crate::secret::Text;

/// The length of the token that a text begins with, if it begins with one.
type TokenLen = fn(&str) -> Result<Option<usize>>;

/// What a document may hold, and what messages may quote of it.
#[derive(Clone, Copy)]
pub(crate) struct Syntax {
    /// Whether a token may stand where a value may: then the length of the token that a text
    /// begins with. Handed in, because the grammar of tokens stands after JSON.
    token_len: Option<TokenLen>,
    /// Levels around the text, which count against the depth limit.
    depth: usize,
    /// Names of objects up to this depth are no part of a value, so messages may quote them.
    quoted_depth: usize,
}

impl Syntax {
    /// The action: below its parameters, names may be part of a value.
    pub(crate) const ACTION: Self = Self {
        token_len: None,
        depth: 0,
        quoted_depth: 2,
    };
    /// `PropertiesJson` whose tokens are not expanded: the outermost names are property names.
    pub(crate) const PROPERTIES: Self = Self {
        token_len: None,
        depth: 0,
        quoted_depth: 1,
    };
    /// A document of connectors: list, connector, properties, and their names.
    pub(crate) const CONNECTORS: Self = Self {
        token_len: None,
        depth: 0,
        quoted_depth: 4,
    };
    /// The text of a property's value: all of it is that value.
    pub(crate) const VALUE: Self = Self::resolved(0);
    /// `PropertiesJson` with tokens.
    pub(crate) const fn template(token_len: TokenLen) -> Self {
        Self {
            token_len: Some(token_len),
            ..Self::PROPERTIES
        }
    }

    /// What a token resolved to, `depth` levels deep: all of it is a value.
    pub(crate) const fn resolved(depth: usize) -> Self {
        Self {
            token_len: None,
            depth,
            quoted_depth: 0,
        }
    }
}

/// Parses one JSON text.
///
/// Fails with `invalid_json`, `trailing_text`, `json_too_deep`, `lone_surrogate` or
/// `duplicate_name`, and the position.
pub(crate) fn parse(text: &str, syntax: Syntax) -> Result<Value> {
    let mut parser = Parser {
        syntax,
        ..Parser::at(text, 0)
    };
    let value = parser.value(syntax.depth)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.error(Code::TrailingText, "text after the end of the JSON"));
    }
    Ok(value)
}

/// Where a byte stands.
pub(crate) fn position(text: &str, at: usize) -> Position {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    Position { line, column }
}

pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    syntax: Syntax,
}

impl<'t> Parser<'t> {
    /// A parser of the value that begins at a byte.
    pub(super) fn at(text: &'t str, at: usize) -> Self {
        let syntax = Syntax::VALUE;
        Self { text, at, syntax }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn error(&self, code: Code, what: &str) -> Error {
        let end = if self.at == self.text.len() {
            ", which is its end"
        } else {
            ""
        };
        let position = position(self.text, self.at);
        Error::new(code, format!("{what} at {position}{end}")).at(position)
    }

    pub(super) fn expected(&self, what: &str) -> Error {
        self.error(Code::InvalidJson, &format!("expected {what}"))
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => match self.syntax.token_len {
                Some(token_len) if !self.begins_array() => self.token(token_len),
                _ => self.array(depth + 1),
            },
            _ => self.scalar(),
        }
    }

    /// A number or a literal.
    pub(super) fn scalar(&mut self) -> Result<Value> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.literal(),
        }
    }

    fn literal(&mut self) -> Result<Value> {
        let literals = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ];
        for (text, value) in literals {
            if self.rest().starts_with(text) {
                self.at += text.len();
                return Ok(value);
            }
        }
        match self.rest().starts_with('\u{feff}') {
            true => Err(self.expected("a JSON value, not a byte order mark")),
            false => Err(self.expected("a JSON value")),
        }
    }

    /// Whether the bracket begins an array rather than a token: arrays stay arrays.
    ///
    /// A token begins with a letter or `_`, an array of JSON values only with those of `true`,
    /// `false` and `null`: whichever of the two follows, one look decides.
    fn begins_array(&self) -> bool {
        let inner = &self.rest()[1..];
        if !inner.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return true;
        }
        ["null", "true", "false"].iter().any(|literal| {
            inner.strip_prefix(literal).is_some_and(|after| {
                after
                    .trim_start_matches([' ', '\t', '\n', '\r'])
                    .starts_with([',', ']'])
            })
        })
    }

    fn token(&mut self, token_len: TokenLen) -> Result<Value> {
        let here = |error: Error| error.at(position(self.text, self.at));
        let Some(len) = token_len(self.rest()).map_err(here)? else {
            return Err(self.expected("a JSON value or a token"));
        };
        let text = Text::new(self.rest()[..len].to_owned());
        self.at += len;
        Ok(Value::Token(text))
    }

    fn enter(&self, depth: usize) -> Result<()> {
        if depth > limits::JSON_DEPTH_MAX {
            let what = format!("nested deeper than {} levels", limits::JSON_DEPTH_MAX);
            return Err(self.error(Code::JsonTooDeep, &what));
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<Value> {
        self.enter(depth)?;
        self.at += 1;
        let mut values = Vec::new();
        if self.eat(b']') {
            return Ok(Value::Array(values));
        }
        loop {
            values.push(self.value(depth)?);
            if self.eat(b']') {
                return Ok(Value::Array(values));
            }
            if !self.eat(b',') {
                return Err(self.expected("\",\" or \"]\""));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value> {
        self.enter(depth)?;
        self.at += 1;
        let mut members = Vec::new();
        if self.eat(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a name in double quotes"));
            }
            let name = self.string()?;
            if !self.eat(b':') {
                return Err(self.expected("\":\""));
            }
            let value = self.value(depth)?;
            members.push(Member { name, at, value });
            if self.eat(b'}') {
                break;
            }
            if !self.eat(b',') {
                return Err(self.expected("\",\" or \"}\""));
            }
        }
        if let Some(member) = find_duplicate(&members) {
            self.at = member.at;
            let what = match depth <= self.syntax.quoted_depth {
                true => format!("the name {} stands twice", quoted(&member.name)),
                false => "a name stands twice in one object".to_owned(),
            };
            return Err(self.error(Code::DuplicateName, &what));
        }
        Ok(Value::Object(members))
    }

    fn number(&mut self) -> Result<Value> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        // No leading zeros: what follows a zero is none of its digits.
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Value::Number(Text::new(
            self.text[start..self.at].to_owned(),
        )))
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        match self.at > start {
            true => Ok(()),
            false => Err(self.expected("a digit")),
        }
    }
}
