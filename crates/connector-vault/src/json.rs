//! A strict JSON reader (RFC 8259) that keeps what serde_json drops: numbers as written, the order
//! of names, duplicates, positions; and that reads tokens in value position (docs/action.md
//! section 4).

use std::collections::HashMap;

use crate::secret::{Text, TextBuf};

mod parser;
pub(crate) mod strict;
mod string;

pub(crate) use parser::{Syntax, parse, position};

/// A document without the byte order mark that it begins with, and whether it does: a reader may leave
/// it out (RFC 8259 section 8.1).
pub(crate) fn without_mark(text: &str) -> (&str, bool) {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => (rest, true),
        None => (text, false),
    }
}

/// A JSON value. Texts are wiped when dropped.
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// Exactly as written.
    Number(Text),
    String(Text),
    Array(Vec<Value>),
    Object(Vec<Member>),
    /// A token in value position, as written: only with [`Syntax::template`].
    Token(Text),
}

/// One name and value of an object, in the order of the document.
pub(crate) struct Member {
    pub(crate) name: Text,
    /// The byte offset of the name.
    pub(crate) at: usize,
    pub(crate) value: Value,
}

impl Value {
    /// What the value is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
            Value::Token(_) => "a token",
        }
    }

    /// The value as a property holds it: a string as it is, anything else as its JSON text.
    /// `None` for `null`.
    pub(crate) fn into_property(self) -> Option<Text> {
        match self {
            Value::Null => None,
            Value::String(text) | Value::Number(text) => Some(text),
            other => Some(other.to_compact()),
        }
    }

    /// Adds the strings and numbers in it, at any depth, but for names.
    pub(crate) fn collect_texts(&self, texts: &mut Vec<Text>) {
        match self {
            Value::String(text) | Value::Number(text) => texts.push(text.clone()),
            Value::Array(values) => values.iter().for_each(|value| value.collect_texts(texts)),
            Value::Object(members) => {
                let values = members.iter().map(|member| &member.value);
                values.for_each(|value| value.collect_texts(texts));
            }
            Value::Null | Value::Bool(_) | Value::Token(_) => {}
        }
    }

    /// Compact JSON text: no white space, names in their order, numbers as written.
    pub(crate) fn to_compact(&self) -> Text {
        let mut out = TextBuf::default();
        self.write(&mut out);
        out.into_text()
    }

    fn write(&self, out: &mut TextBuf) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(true) => out.push_str("true"),
            Value::Bool(false) => out.push_str("false"),
            Value::Number(text) | Value::Token(text) => out.push_str(text),
            Value::String(text) => write_string(text, out),
            Value::Array(values) => {
                out.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value.write(out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (index, member) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(&member.name, out);
                    out.push(':');
                    member.value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Writes a JSON string with the fewest escapes (RFC 8259 section 7).
pub(crate) fn write_string(text: &str, out: &mut TextBuf) {
    out.push('"');
    for run in text.split_inclusive(|c: char| c < ' ' || matches!(c, '"' | '\\')) {
        let last = run.chars().next_back().unwrap_or('a');
        let escape = match last {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            c if c < ' ' => {
                out.push_str(&run[..run.len() - 1]);
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
                continue;
            }
            _ => {
                out.push_str(run);
                continue;
            }
        };
        out.push_str(&run[..run.len() - 1]);
        out.push_str(escape);
    }
    out.push('"');
}

/// The values of an object by their names.
pub(crate) fn by_name(members: &[Member]) -> HashMap<&str, &Value> {
    let members = members.iter();
    members
        .map(|member| (member.name.as_str(), &member.value))
        .collect()
}

/// The first member whose name stood before in the same object.
pub(crate) fn find_duplicate(members: &[Member]) -> Option<&Member> {
    let mut seen = std::collections::HashSet::with_capacity(members.len());
    members
        .iter()
        .find(|member| !seen.insert(member.name.as_str()))
}

#[cfg(test)]
mod tests;
