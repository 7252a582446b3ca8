//! The documents of `run`: each file is one, or has one on each line.

use std::path::Path;

use crate::command::Context;
use crate::failure::Result;
use crate::input::{Text, Wanted};
use crate::terminal::shown;

/// An action's document.
pub(super) struct Document {
    /// Where it stands, for messages.
    pub(super) place: String,
    pub(super) text: Text,
}

/// The documents of these files, in order.
pub(super) fn read(paths: &[impl AsRef<Path>], context: &Context) -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    for path in paths {
        let path = path.as_ref();
        let text = context.input.document(path, Wanted::ACTION)?;
        let place = match path == Path::new("-") {
            true => "standard input".into(),
            false => shown(path),
        };
        if !has_lines(&text) {
            let place = place.into_owned();
            documents.push(Document { place, text });
            continue;
        }
        let lines = (1..).zip(text.lines());
        documents.extend(lines.filter(|(_, line)| !line.trim().is_empty()).map(
            |(number, line)| Document {
                place: format!("{place}, line {number}"),
                text: Text::new(line.to_owned()),
            },
        ));
    }
    Ok(documents)
}

/// Whether a text has a document on each line (JSON lines): its first line is a whole object, and a later one
/// begins with a brace. So a document of several lines that lacks a comma does not fall apart into the actions
/// of its batch.
fn has_lines(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.next().is_some_and(is_object) && lines.any(|line| line.starts_with('{'))
}

/// Whether the brace that a line begins with is closed by its last character.
fn is_object(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('{') else {
        return false;
    };
    let mut depth = 1_usize;
    let mut in_string = false;
    let mut is_escaped = false;
    for (at, byte) in (1..).zip(rest.bytes()) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return at == rest.len(),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_a_document_on_each_line() {
        for (text, expected) in [
            ("{\"a\": 1}\n{\"a\": 2}\n", true),
            ("\u{feff}{}\r\n\r\n  {}\r\n", true),
            ("{\"a\": \"}{\\\"\", \"b\": [{}]}\n{", true),
            ("{}\nx\n{}", true),
            ("{}", false),
            ("{}\n", false),
            ("{}\nx", false),
            ("{} {}\n{}", false),
            ("[]\n{}", false),
            ("x\n{}", false),
            ("]{}\n{}", false),
            ("}\n{}", false),
            ("\"{\"\n{}", false),
            ("{\n\"a\": {}\n}", false),
            // A comma is missing between two actions of a batch.
            ("{\"ActionList\": [\n{\"a\": 1}\n{\"a\": 2}\n]}", false),
            ("{\"a\": 1\n{\"a\": 2}", false),
            ("", false),
        ] {
            assert_eq!(has_lines(text), expected, "{text:?}");
        }
    }
}
