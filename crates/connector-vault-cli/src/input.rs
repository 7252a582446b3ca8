//! What a command reads: files, standard input, once, and environment variables.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::{Failure, Result};

/// Text that may hold a secret: wiped when dropped.
pub(crate) type Text = Zeroizing<String>;

/// Larger than any document that a vault takes at once.
const LEN_MAX: u64 = 1024 * 1024 * 1024;

/// Reads files, and standard input for one of them at most.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// What standard input was read for.
    stdin: Cell<Option<&'static str>>,
}

impl Input {
    /// The text of a file, or of standard input for `-`; `what` it is, for messages.
    pub(crate) fn text(&self, path: &Path, what: &'static str) -> Result<Text> {
        let bytes = match path == Path::new("-") {
            true => self.stdin(what)?,
            false => {
                let fail = |error: io::Error| {
                    let failure = Failure::io(format_args!("read {what}"), path, &error);
                    match error.kind() {
                        io::ErrorKind::IsADirectory => failure.hint("this is a folder, not a file"),
                        _ => failure,
                    }
                };
                let file = File::open(path).map_err(fail)?;
                let len = file.metadata().map_or(0, |metadata| metadata.len());
                read_all(file, len).map_err(fail)?
            }
        };
        into_text(bytes)
            .ok_or_else(|| Failure::new("invalid_argument", format!("{what} is not UTF-8 text")))
    }

    /// As [`text`](Self::text), without one newline at its end.
    pub(crate) fn line(&self, path: &Path, what: &'static str) -> Result<Text> {
        let mut text = self.text(path, what)?;
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Ok(text)
    }

    fn stdin(&self, what: &'static str) -> Result<Zeroizing<Vec<u8>>> {
        if let Some(before) = self.stdin.replace(Some(what)) {
            return Err(Failure::usage(format!(
                "{before} and {what} cannot both come from standard input"
            )));
        }
        read_all(io::stdin().lock(), 0).map_err(|error| {
            Failure::io(
                format_args!("read {what}"),
                Path::new("standard input"),
                &error,
            )
        })
    }
}

/// Reads to the end without leaving copies of the text behind in memory.
fn read_all(mut reader: impl Read, len: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    // One byte more than is expected: to see the end without growing.
    let mut bytes = Zeroizing::new(vec![0; capacity(len)? + 1]);
    let mut end = 0;
    loop {
        if end == bytes.len() {
            let mut larger = Zeroizing::new(vec![0; capacity(2 * end.max(8 * 1024) as u64)?]);
            larger[..end].copy_from_slice(&bytes);
            bytes = larger;
        }
        match reader.read(&mut bytes[end..]) {
            Ok(0) => break,
            Ok(read) => end += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(end);
    Ok(bytes)
}

fn capacity(len: u64) -> io::Result<usize> {
    let too_large = || io::Error::other("it is larger than 1 GiB");
    match len <= LEN_MAX {
        true => usize::try_from(len).map_err(|_| too_large()),
        false => Err(too_large()),
    }
}

fn into_text(mut bytes: Zeroizing<Vec<u8>>) -> Option<Text> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            None
        }
    }
}

/// The value of an environment variable; an empty one is not set.
pub(crate) fn variable(name: &str) -> Result<Option<Text>> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(Zeroizing::new(value))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::new(
            "invalid_argument",
            format!("the variable {name} is not UTF-8 text"),
        )),
    }
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
