//! What a command reads: files, standard input, once, and environment variables (docs/cli.md section 3).

mod command;
mod decode;
mod path;

use std::cell::RefCell;
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;

use connector_vault::{Code, limits};
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::output::Output;

pub(crate) use path::require_path;

/// Text that may hold a secret: wiped when dropped.
pub(crate) type Text = Zeroizing<String>;

/// What is read, and from where.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// What it is, for messages: `the action`.
    what: &'a str,
    /// Where it was asked for, for hints: `--set-file`.
    asked_by: &'a str,
    kind: Kind,
}

/// What a text is for: that says how long it may be, and what may stand in place of its path by mistake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An action: in place of its path stands, by mistake, its JSON.
    Action,
    /// Another JSON document, likewise.
    List,
    /// A property's or a token's value: `NAME=VALUE` in place of `NAME=FILE`.
    Value,
    /// A passphrase or an identity, in the variable for a file with it.
    Key,
}

/// Larger than any list of connectors or tokens that a vault takes at once.
const LIST_LEN_MAX: u64 = 1024 * 1024 * 1024;
/// Far more than an identity file or a passphrase has.
const KEY_LEN_MAX: u64 = 1024 * 1024;
/// A byte order mark and a line end do not count.
const AROUND_LEN_MAX: u64 = 8;

impl Kind {
    fn is_document(self) -> bool {
        matches!(self, Self::Action | Self::List)
    }
}

impl<'a> Wanted<'a> {
    /// An action's document.
    pub(crate) const ACTION: Wanted<'static> = Wanted {
        what: "the action",
        asked_by: "ACTION",
        kind: Kind::Action,
    };

    /// A list that is a JSON document.
    pub(crate) const fn list(what: &'a str, asked_by: &'a str) -> Self {
        let kind = Kind::List;
        Self {
            what,
            asked_by,
            kind,
        }
    }

    /// A value, by an option that takes `NAME=FILE`.
    pub(crate) const fn value(what: &'a str, asked_by: &'a str) -> Self {
        let kind = Kind::Value;
        Self {
            what,
            asked_by,
            kind,
        }
    }

    /// A passphrase or an identity, by a variable that takes a path.
    pub(crate) const fn key(what: &'a str, asked_by: &'a str) -> Self {
        let kind = Kind::Key;
        Self {
            what,
            asked_by,
            kind,
        }
    }

    /// The most bytes that it may have, and the code where it has more.
    fn limit(self) -> (u64, &'static str) {
        match self.kind {
            Kind::Action => (limits::ACTION_LEN_MAX as u64, "action_too_large"),
            Kind::List => (LIST_LEN_MAX, "limit_exceeded"),
            Kind::Value => (limits::PROPERTY_VALUE_LEN_MAX as u64, "value_too_large"),
            Kind::Key => (KEY_LEN_MAX, "limit_exceeded"),
        }
    }

    /// The value, which must not be empty unless that is allowed: where a secret is not defined, its
    /// variable is empty, and so is the pipe of a command that failed.
    pub(crate) fn full(self, value: Text, allow_empty: bool) -> Result<Text> {
        if !value.is_empty() || allow_empty {
            return Ok(value);
        }
        let Self { what, asked_by, .. } = self;
        Err(Failure::new(
            Code::EmptyValue.as_str(),
            format!("{what}, given by {asked_by}, is empty"),
        )
        .hint("an empty value usually is a value that got lost; if it is meant, add --allow-empty"))
    }

    fn too_large(self) -> Failure {
        let (len_max, code) = self.limit();
        let what = self.what;
        Failure::new(code, format!("{what} is longer than {len_max} bytes"))
    }
}

/// Reads files, and standard input for one of them at most.
#[derive(Debug)]
pub(crate) struct Input {
    /// What standard input was read for.
    stdin: RefCell<Option<String>>,
    output: Output,
}

impl Input {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            stdin: RefCell::default(),
            output,
        }
    }

    /// The text of a file, or of standard input for `-`, without a byte order mark, of which it warns.
    pub(crate) fn text(&self, path: &Path, wanted: Wanted<'_>) -> Result<Text> {
        self.unmarked(self.decoded(path, wanted)?, wanted)
    }

    fn unmarked(&self, (text, has_mark): (Text, bool), wanted: Wanted<'_>) -> Result<Text> {
        if has_mark {
            self.output.warn(
                "byte_order_mark",
                &format!(
                    "{} begins with a byte order mark, which was left out",
                    wanted.what
                ),
            );
        }
        Ok(text)
    }

    /// As [`text`](Self::text), with its byte order mark: for documents whose outcome warns of it.
    pub(crate) fn document(&self, path: &Path, wanted: Wanted<'_>) -> Result<Text> {
        let (text, has_mark) = self.decoded(path, wanted)?;
        if !has_mark {
            return Ok(text);
        }
        // With room for all of it, so that no copy of the text is left behind.
        let mark = '\u{feff}';
        let mut marked = Text::new(String::with_capacity(mark.len_utf8() + text.len()));
        marked.push(mark);
        marked.push_str(&text);
        Ok(marked)
    }

    /// A value: the text of a file, of one line without its end. Text of several lines, such as a
    /// private key, is kept as it is.
    pub(crate) fn value(&self, path: &Path, wanted: Wanted<'_>) -> Result<Text> {
        let mut text = self.text(path, wanted)?;
        let len = without_line_end(&text).len();
        text.truncate(len);
        Ok(text)
    }

    /// A passphrase: the only line of a file that is not empty.
    pub(crate) fn line(&self, path: &Path, wanted: Wanted<'_>) -> Result<Text> {
        let text = self.text(path, wanted)?;
        only_line(
            &text,
            &format!("the file with {}", wanted.what),
            "in the file",
        )
    }

    /// What a command prints on standard output, without a byte order mark, of which it warns.
    pub(crate) fn text_of_command(
        &self,
        command: &mut Command,
        wanted: Wanted<'_>,
    ) -> Result<Text> {
        let bytes = command::output(command, wanted, self.output)?;
        self.unmarked(decode::decode(bytes, wanted)?, wanted)
    }

    /// A passphrase: the only line that a command prints and that is not empty.
    pub(crate) fn line_of_command(
        &self,
        command: &mut Command,
        wanted: Wanted<'_>,
    ) -> Result<Text> {
        let text = self.text_of_command(command, wanted)?;
        let of = format!("the output of the command in {}", wanted.asked_by);
        only_line(&text, &of, "on standard output")
    }

    fn decoded(&self, path: &Path, wanted: Wanted<'_>) -> Result<(Text, bool)> {
        let bytes = match path == Path::new("-") {
            true => self.stdin(wanted)?,
            false => {
                let file = path::open(path, wanted)?;
                let len = file.metadata().map_or(0, |metadata| metadata.len());
                read_all(file, len, wanted).map_err(|error| match error {
                    Unread::TooLarge => wanted.too_large(),
                    Unread::Io(error) => path::unreadable(path, wanted, &error),
                })?
            }
        };
        decode::decode(bytes, wanted)
    }

    fn stdin(&self, wanted: Wanted<'_>) -> Result<Zeroizing<Vec<u8>>> {
        let what = wanted.what;
        if let Some(before) = self.stdin.replace(Some(what.to_owned())) {
            return Err(Failure::usage(format!(
                "{before} and {what} cannot both come from standard input"
            )));
        }
        read_all(io::stdin().lock(), 0, wanted).map_err(|error| match error {
            Unread::TooLarge => wanted.too_large(),
            Unread::Io(error) => path::unreadable(Path::new("standard input"), wanted, &error),
        })
    }
}

/// The only line with text of a passphrase's source.
fn only_line(text: &str, of: &str, place: &str) -> Result<Text> {
    let invalid = |message| Failure::new("invalid_passphrase", message);
    let mut lines = text.lines().filter(|line| !line.is_empty());
    match (lines.next(), lines.count()) {
        (None, _) => Err(invalid(format!("{of} is empty"))),
        (Some(line), 0) => Ok(Text::new(line.to_owned())),
        (Some(_), more) => Err(invalid(format!(
            "{of} has {} lines with text, and a passphrase is one line",
            1 + more
        ))
        .hint(format!(
            "keep the line with the passphrase, and nothing else, {place}"
        ))),
    }
}

/// The text without its line end, where it is one line.
fn without_line_end(text: &str) -> &str {
    let Some(line) = text.strip_suffix('\n') else {
        return text;
    };
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line.contains(['\n', '\r']) {
        true => text,
        false => line,
    }
}

enum Unread {
    TooLarge,
    Io(io::Error),
}

/// Reads to the end without leaving copies of the text behind in memory.
fn read_all(
    mut reader: impl Read,
    len: u64,
    wanted: Wanted<'_>,
) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let len_max = usize::try_from(wanted.limit().0 + AROUND_LEN_MAX).unwrap_or(usize::MAX);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    if len > len_max {
        return Err(Unread::TooLarge);
    }
    // One byte more than is expected: to see the end without growing.
    let mut bytes = Zeroizing::new(vec![0; len + 1]);
    let mut end = 0;
    loop {
        if end > len_max {
            return Err(Unread::TooLarge);
        }
        if end == bytes.len() {
            let mut larger = Zeroizing::new(vec![0; (2 * end.max(8 * 1024)).min(len_max + 1)]);
            larger[..end].copy_from_slice(&bytes);
            bytes = larger;
        }
        match reader.read(&mut bytes[end..]) {
            Ok(0) => break,
            Ok(read) => end += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Unread::Io(error)),
        }
    }
    bytes.truncate(end);
    Ok(bytes)
}

/// The value of an environment variable; an empty one is not set.
pub(crate) fn variable(name: &str) -> Result<Option<Text>> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(Zeroizing::new(value))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(value)) => {
            drop(Zeroizing::new(value.into_encoded_bytes()));
            Err(Failure::new(
                "invalid_argument",
                format!("the variable {name} is not UTF-8 text"),
            ))
        }
    }
}

/// The value of a variable that has to be set, perhaps to nothing, for an option that takes its name.
pub(crate) fn set_variable(name: &str, wanted: Wanted<'_>) -> Result<Text> {
    match variable(name) {
        Ok(Some(value)) => Ok(value),
        Ok(None) if std::env::var_os(name).is_some() => Ok(Text::default()),
        Ok(None) => Err(not_set(name, wanted)),
        Err(failure) => Err(failure
            .within(wanted.what)
            .hint("put binary data in as base64, from a file")),
    }
}

/// The name of a variable that is not set may be the secret itself, so it is told only if it has the
/// form that names have by custom and values hardly: `TWITTER_API_KEY`.
fn not_set(name: &str, wanted: Wanted<'_>) -> Failure {
    let Wanted { what, asked_by, .. } = wanted;
    let message = match is_conventional(name) {
        true => format!("the environment variable {name} is not set, which should hold {what}"),
        false => format!("the environment variable that should hold {what} is not set"),
    };
    let failure = Failure::new("variable_not_set", message);
    if name.starts_with(['$', '%']) {
        return failure.hint(format!(
            "give the NAME of the variable to {asked_by}, without {}: cvault itself reads its value",
            &name[..1]
        ));
    }
    let not_shown = match is_conventional(name) {
        true => "",
        false => "; the text behind = is not shown, since it may be the secret itself",
    };
    failure.hint(format!(
        "{asked_by} takes the NAME of a variable, not its value{not_shown}. Export the variable, or give \
         the value by a file"
    ))
}

fn is_conventional(name: &str) -> bool {
    let mut words = name.split('_');
    let starts = name.starts_with(|c: char| c.is_ascii_uppercase());
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    starts && name.len() <= 64 && name.contains('_') && words.all(is_word)
}

/// Splits `NAME=REST`. The rest may be a secret by mistake, and is not told.
pub(crate) fn name_and_rest<'a>(option: &str, text: &'a str) -> Result<(&'a str, &'a str)> {
    match text.split_once('=') {
        Some((name, rest)) if !name.is_empty() => Ok((name, rest)),
        _ => Err(Failure::usage(format!(
            "{option} takes a name, an equals sign and what it stands for"
        ))),
    }
}

/// What a serde error says, without a piece of the text: that may be a secret.
pub(crate) fn json_failure(what: &str, shape: &str, error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    let place = format!("line {line}, column {column}");
    match error.classify() {
        serde_json::error::Category::Data => Failure::new(
            "wrong_shape",
            format!("{what} does not have the expected shape at {place}"),
        )
        .hint(format!("expected is {shape}")),
        _ => Failure::new(
            "invalid_json",
            format!("{what} is not valid JSON at {place}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_of_one_line_only() {
        for (text, expected) in [
            ("", ""),
            ("a", "a"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("\n", ""),
            ("a\n\n", "a\n\n"),
            ("\na\n", "\na\n"),
            ("a\nb", "a\nb"),
            ("a\nb\n", "a\nb\n"),
            ("a\r\nb\r\n", "a\r\nb\r\n"),
            ("a\r\r\n", "a\r\r\n"),
            ("a\r", "a\r"),
            (" a \n", " a "),
        ] {
            assert_eq!(without_line_end(text), expected, "{text:?}");
        }
    }

    #[test]
    fn names_that_are_told() {
        for (name, told) in [
            ("TWITTER_API_KEY", true),
            ("NEW_KEY2", true),
            ("hunter2", false),
            ("Twitter_Key", false),
            ("AKIAIOSFODNN7EXAMPLE", false),
            ("_A", false),
            ("A__B", false),
            ("A_", false),
            ("2_A", false),
            ("", false),
        ] {
            assert_eq!(is_conventional(name), told, "{name}");
        }
    }
}
