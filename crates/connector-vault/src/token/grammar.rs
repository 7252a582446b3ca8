//! The token grammar (docs/action.md section 5.1).
//!
//! Each point of it has one way on. So where a token fails, all tokens around it fail at the same
//! byte, and no text is read more than a fixed number of times.

use super::{Piece, Template, Token, TokenSpan, bracketed, canonical};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::secret::{Text, TextBuf};

/// Bracket, bar and ampersand as text. Nothing else is decoded.
const ENTITIES: [(&str, char); 4] = [
    ("&#91;", '['),
    ("&#93;", ']'),
    ("&#124;", '|'),
    ("&#38;", '&'),
];

/// What a parameter's value may begin with, and what then ends it. Word processors and chats turn
/// straight quotes into typographic ones: a pair, or the same at both ends, as the platform
/// documents them.
const QUOTES: [(&str, Ends); 13] = [
    ("\"", &["\""]),
    ("'", &["'"]),
    ("&quot;", &["&quot;"]),
    ("&#34;", &["&#34;"]),
    ("&#39;", &["&#39;"]),
    ("\u{201c}", DOUBLE_ENDS),
    ("\u{201d}", DOUBLE_ENDS),
    ("\u{201e}", DOUBLE_ENDS),
    ("\u{2018}", SINGLE_ENDS),
    ("\u{2019}", SINGLE_ENDS),
    ("\u{201a}", SINGLE_ENDS),
    ("\u{ab}", &["\u{bb}"]),
    ("\u{bb}", &["\u{ab}"]),
];
const DOUBLE_ENDS: Ends = &["\u{201c}", "\u{201d}"];
const SINGLE_ENDS: Ends = &["\u{2018}", "\u{2019}"];

type Ends = &'static [&'static str];

pub(super) fn template(text: &str) -> Result<Template> {
    let pieces = Parser::new(text).pieces(Stop::End, 0)?;
    Ok(pieces.unwrap_or_default())
}

/// The length of the token that `text` begins with, if it begins with one.
pub(crate) fn token_len(text: &str) -> Result<Option<usize>> {
    let mut parser = Parser::new(text);
    let token = match text.starts_with('[') {
        true => parser.token(0)?,
        false => None,
    };
    Ok(token.map(|_| parser.at))
}

/// Whether `[name]` is a token of this name: without parameters, default and format.
pub(crate) fn is_token_name(name: &str) -> bool {
    let text = format!("[{name}]");
    let mut parser = Parser::new(&text);
    let Ok(Some(token)) = parser.token(0) else {
        return false;
    };
    parser.at == text.len() && canonical(token.namespace.as_deref(), &token.name) == name
}

/// The outermost tokens of a text, in order, for editors that mark them; up to the first that
/// [`Action::tokens`](crate::Action::tokens) would reject.
///
/// A text that is JSON holds brackets of arrays too, and `[true]` reads like a token.
///
/// ```
/// # use connector_vault::find_tokens;
/// let [token] = &find_tokens("Bearer [Secrets:Key(env=prod)]")[..] else { panic!() };
/// assert_eq!(token.range, 7..30);
/// assert_eq!(token.name, "Secrets:Key");
/// ```
#[must_use]
pub fn find_tokens(text: &str) -> Vec<TokenSpan> {
    let mut parser = Parser::new(text);
    let mut spans = Vec::new();
    while let Some(run) = parser.rest().find('[') {
        parser.at += run;
        let start = parser.at;
        match parser.token(0) {
            Ok(Some(token)) => spans.push(TokenSpan {
                range: start..parser.at,
                name: canonical(token.namespace.as_deref(), &token.name),
            }),
            Ok(None) => parser.at += 1,
            Err(_) => break,
        }
    }
    spans
}

/// Where a run of text and tokens ends.
#[derive(Clone, Copy, PartialEq)]
enum Stop {
    End,
    Quote(Ends),
    Bare,
    Default,
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// Where an attempt failed already: at most one entry for each level of nesting.
    failed: Vec<usize>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            failed: Vec::new(),
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn eat(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    fn pieces(&mut self, stop: Stop, depth: usize) -> Result<Option<Template>> {
        let mut pieces = Vec::new();
        let mut literal = TextBuf::default();
        loop {
            let rest = self.rest();
            let special = |c| {
                matches!(
                    c,
                    '[' | ']'
                        | '|'
                        | '&'
                        | ','
                        | '('
                        | ')'
                        | '"'
                        | '\''
                        | '\u{ab}'
                        | '\u{bb}'
                        | '\u{2018}'
                        | '\u{2019}'
                        | '\u{201c}'
                        | '\u{201d}'
                )
            };
            let run = rest.find(special).unwrap_or(rest.len());
            literal.push_str(&rest[..run]);
            self.at += run;
            let rest = self.rest();
            let Some(c) = rest.chars().next() else {
                if stop != Stop::End {
                    return Ok(None);
                }
                break;
            };
            match (stop, c) {
                (Stop::Quote(ends), _) if end_of(ends, rest).is_some() => break,
                (Stop::Bare, ',' | ')') | (Stop::Default, '|' | ']') => break,
                (Stop::Bare, '(' | ']' | '|' | '"' | '\'') => return Ok(None),
                (_, '[') => match self.token(depth)? {
                    Some(token) => {
                        flush(&mut literal, &mut pieces);
                        pieces.push(Piece::Token(token));
                        continue;
                    }
                    // Within a token a bracket as text is written as an entity. To go on here
                    // would make `[a=[a=[a=...` quadratic.
                    None if stop != Stop::End => return Ok(None),
                    None => {}
                },
                (_, '&') => {
                    if let Some((entity, c)) = ENTITIES.iter().find(|(e, _)| rest.starts_with(e)) {
                        literal.push(*c);
                        self.at += entity.len();
                        continue;
                    }
                }
                _ => {}
            }
            literal.push(c);
            self.at += c.len_utf8();
        }
        flush(&mut literal, &mut pieces);
        Ok(Some(Template(pieces)))
    }

    /// The token at the bracket, or nothing and the position as it was.
    fn token(&mut self, depth: usize) -> Result<Option<Token>> {
        let start = self.at;
        if self.failed.contains(&start) {
            return Ok(None);
        }
        if depth == 0 {
            self.failed.retain(|&failed| failed > start);
        }
        let token = self.token_body(depth)?;
        if token.is_none() {
            self.at = start;
            self.failed.push(start);
        }
        Ok(token)
    }

    fn token_body(&mut self, depth: usize) -> Result<Option<Token>> {
        self.at += 1;
        let Some(mut name) = self.name(false) else {
            return Ok(None);
        };
        let mut namespace = None;
        if name.chars().all(char::is_alphanumeric) && self.eat(":") {
            namespace = Some(name);
            match self.name(true) {
                Some(after) => name = after,
                None => return Ok(None),
            }
        }
        if depth == limits::TOKEN_DEPTH_MAX {
            return Err(Error::new(
                Code::TokenLimit,
                format!(
                    "tokens are nested deeper than {} levels",
                    limits::TOKEN_DEPTH_MAX
                ),
            ));
        }
        let mut params = Vec::new();
        if self.eat("(") {
            loop {
                let Some(param) = self.param(depth + 1)? else {
                    return Ok(None);
                };
                params.push(param);
                if self.eat(")") {
                    break;
                }
                if !self.eat(",") {
                    return Ok(None);
                }
            }
        }
        let mut default = None;
        if self.eat("=") {
            default = self.pieces(Stop::Default, depth + 1)?;
            if default.is_none() {
                return Ok(None);
            }
        }
        let mut format = None;
        if self.eat("|") {
            let rest = self.rest();
            let Some(len) = rest.find(['[', ']', '|']) else {
                return Ok(None);
            };
            format = Some(&rest[..len]);
            self.at += len;
        }
        if !self.eat("]") {
            return Ok(None);
        }
        let format = match format {
            Some(text) => Some(parse_format(text, namespace, name)?),
            None => None,
        };
        Ok(Some(Token {
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            params,
            default,
            format,
        }))
    }

    /// Letters, digits, `_`, `-`, `.` and inner spaces; a digit comes first only after a
    /// namespace, so that `[0]`, `[0-9]` and `[1, 2]` are text.
    fn name(&mut self, digit_first: bool) -> Option<&'t str> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        if !(first.is_alphabetic() || first == '_' || digit_first && first.is_numeric()) {
            return None;
        }
        let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
        let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        let name = &rest[..len];
        self.at += len;
        (!name.ends_with(' ')).then_some(name)
    }

    fn param(&mut self, depth: usize) -> Result<Option<(String, Template)>> {
        self.skip_spaces();
        let rest = self.rest();
        let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        let key = &rest[..len];
        self.at += len;
        self.skip_spaces();
        if key.is_empty() || !self.eat("=") {
            return Ok(None);
        }
        self.skip_spaces();
        let quote = QUOTES.into_iter().find(|(quote, _)| self.eat(quote));
        let value = match quote {
            Some((_, ends)) => {
                let value = self.pieces(Stop::Quote(ends), depth)?;
                self.at += end_of(ends, self.rest()).map_or(0, str::len);
                value
            }
            None => self.pieces(Stop::Bare, depth)?.map(trim_end),
        };
        self.skip_spaces();
        Ok(value.map(|value| (key.to_owned(), value)))
    }
}

/// The quote that a text begins with, if it is one of these.
fn end_of(ends: Ends, text: &str) -> Option<&'static str> {
    ends.iter().copied().find(|end| text.starts_with(end))
}

fn flush(literal: &mut TextBuf, pieces: &mut Vec<Piece>) {
    if !literal.is_empty() {
        pieces.push(Piece::Literal(std::mem::take(literal).into_text()));
    }
}

fn trim_end(mut value: Template) -> Template {
    if let Some(Piece::Literal(text)) = value.0.last_mut() {
        let len = text.trim_end_matches(' ').len();
        text.truncate(len);
    }
    value
}

fn parse_format(text: &str, namespace: Option<&str>, name: &str) -> Result<Vec<Text>> {
    // A format of another kind (`yyyy-MM-dd`) would be written in place of the value.
    if !text.contains("{0}") {
        let name = bracketed(&canonical(namespace, name));
        return Err(Error::new(
            Code::InvalidTokenFormat,
            format!("the format of the token {name} has no {{0}}"),
        )
        .with_hint("write {0} where the value stands, or &#124; for a bar that begins no format"));
    }
    Ok(text.split("{0}").map(decode).collect())
}

fn decode(text: &str) -> Text {
    let mut out = TextBuf::default();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (len, c) = ENTITIES
            .iter()
            .find(|(entity, _)| rest.starts_with(entity))
            .map_or((1, '&'), |(entity, c)| (entity.len(), *c));
        out.push(c);
        rest = &rest[len..];
    }
    out.push_str(rest);
    out.into_text()
}
