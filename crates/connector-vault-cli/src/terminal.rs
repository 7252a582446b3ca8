//! The terminal: what may be shown on it, and questions to who sits there.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use zeroize::Zeroizing;

/// Text with everything escaped that could move the cursor, hide or reorder what stands around it.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// What stands in messages in place of a text that may be a secret.
pub(crate) const NOT_SHOWN: &str = "(not shown: it does not look like a path)";

/// Whether something is there by this path.
pub(crate) fn is_there(path: &Path) -> bool {
    path == Path::new("standard input") || fs::symlink_metadata(path).is_ok()
}

/// A path as messages have it; of a text that is none only that it is not shown.
pub(crate) fn shown(path: &Path) -> Cow<'_, str> {
    let text = path.to_string_lossy();
    let is_path = is_there(path)
        || (text.chars().count() <= 1024
            && !text.contains(|c: char| c.is_control() || "{}[]\"'=<>|".contains(c)));
    match is_path {
        true => text,
        false => Cow::Borrowed(NOT_SHOWN),
    }
}

/// A word of a command that is shown to be copied, quoted for a POSIX shell where that is needed.
pub(crate) fn shell_word(text: &str) -> String {
    let text = printable(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// A property's value: as it is, or as a JSON string where it could be mistaken for something else.
pub(crate) fn printable_value(value: &str) -> Zeroizing<String> {
    let plain = !value.is_empty()
        && !value.starts_with('"')
        && !value.starts_with(' ')
        && !value.ends_with(' ')
        && !value.chars().any(is_unsafe);
    if plain {
        return Zeroizing::new(value.to_owned());
    }
    let mut out = Zeroizing::new(String::with_capacity(2 * value.len() + 2));
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Control characters, line and paragraph separators, and the invisible characters that change
/// the direction or the reading of text (UAX 9, UTS 55).
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Whether somebody sits at a terminal who can be asked for a passphrase.
pub(crate) fn can_prompt() -> bool {
    io::stdin().is_terminal() || io::stderr().is_terminal()
}

/// Asks for a secret without showing it.
pub(crate) fn ask_secret(prompt: &str) -> io::Result<Zeroizing<String>> {
    let asked = rpassword::prompt_password(format!("{}: ", printable(prompt)));
    if asked.is_err() {
        end_line();
    }
    asked.map(Zeroizing::new)
}

/// Asks a question whose answer counts only if it is typed at a terminal.
pub(crate) fn confirm(question: &str) -> io::Result<bool> {
    if !can_confirm() {
        return Ok(false);
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question} [yes/no] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    if io::stdin().read_line(&mut answer)? == 0 {
        end_line();
    }
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

/// The line of a question that nobody answered.
fn end_line() {
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr());
    }
}

pub(crate) fn can_confirm() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable() {
        for (text, expected) in [
            ("Twitter API", "Twitter API"),
            ("Zürich 日本", "Zürich 日本"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("abc\u{202e}def", "abc\\u{202e}def"),
            ("a\nb", "a\\nb"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }

    #[test]
    fn words_of_commands() {
        for (text, expected) in [
            ("team.cvault", "team.cvault"),
            ("Twitter API", "'Twitter API'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(shell_word(text), expected);
        }
    }

    #[test]
    fn values_are_printable() {
        for (value, expected) in [
            ("plain C:\\x", "plain C:\\x"),
            ("", "\"\""),
            ("\"quoted\"", "\"\\\"quoted\\\"\""),
            ("a\nb\\", "\"a\\nb\\\\\""),
            ("a\u{e0001}", "\"a\\udb40\\udc01\""),
            (" padded", "\" padded\""),
        ] {
            assert_eq!(*printable_value(value), expected);
        }
    }
}
