//! What a command prints: for people, or as JSON (docs/cli.md).

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::terminal::printable;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const RED: Style = AnsiColor::Red.on_default();

/// Text in a style, which the streams take away again where there are no colours.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Where results, warnings and errors go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints the result of a command: `value` as JSON, or `text` for people.
    pub(crate) fn result(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.json {
            return self.document(value);
        }
        let mut text = Zeroizing::new(text());
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        finish(anstream::stdout().lock().write_all(text.as_bytes()))
    }

    /// Prints a document that is JSON in any case.
    pub(crate) fn document(self, value: &impl Serialize) -> Result<()> {
        let bytes = match self.json {
            true => serde_json::to_vec(value),
            false => serde_json::to_vec_pretty(value),
        };
        let mut bytes = Zeroizing::new(bytes.map_err(not_json)?);
        bytes.push(b'\n');
        finish(io::stdout().lock().write_all(&bytes))
    }

    /// Prints documents, one on each line.
    pub(crate) fn lines(self, values: &[impl Serialize]) -> Result<()> {
        let mut bytes = Vec::new();
        for value in values {
            serde_json::to_writer(&mut bytes, value).map_err(not_json)?;
            bytes.push(b'\n');
        }
        finish(io::stdout().lock().write_all(&bytes))
    }

    /// Prints exact text, the same with and without a terminal.
    pub(crate) fn raw(self, text: &str) -> Result<()> {
        finish(io::stdout().lock().write_all(text.as_bytes()))
    }

    /// Prints help, in colours where there are any.
    pub(crate) fn help(self, text: &clap::builder::StyledStr) {
        let _ = anstream::stdout()
            .lock()
            .write_all(text.ansi().to_string().as_bytes());
    }

    /// Prints a warning on standard error.
    pub(crate) fn warn(self, code: &str, message: &str) {
        if self.json {
            eprint_json(&Warned {
                warning: Warning { code, message },
            });
        } else {
            eprint_line(&format!(
                "{}: {}",
                styled(YELLOW.bold(), "warning"),
                printable(message)
            ));
        }
    }

    /// Prints on standard error what people should know beside the result; not in JSON.
    pub(crate) fn note(self, message: &str) {
        if !self.json {
            eprint_line(message);
        }
    }

    /// Prints why the command failed.
    pub(crate) fn failure(self, failure: &Failure) {
        if self.json {
            eprint_json(&Failed { error: failure });
            return;
        }
        let Failure {
            code,
            message,
            hint,
            further,
            ..
        } = failure;
        let mut text = format!(
            "{}: {} {}",
            styled(RED.bold(), "error"),
            printable(message),
            styled(DIM, &format!("({code})"))
        );
        if let Some(hint) = hint {
            let _ = write!(text, "\n{}: {}", styled(BOLD, "hint"), printable(hint));
        }
        eprint_line(&text);
        for failure in further {
            self.failure(failure);
        }
    }

    /// A line on standard error that tells how far something is, where somebody may be looking.
    pub(crate) fn progress(self, what: &'static str) -> Progress {
        Progress {
            what,
            shown: !self.json && io::stderr().is_terminal(),
            percent: None,
        }
    }
}

#[derive(Serialize)]
struct Warned<'a> {
    warning: Warning<'a>,
}

#[derive(Serialize)]
struct Warning<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Failed<'a> {
    error: &'a Failure,
}

fn eprint_json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// Nobody reads standard error any more? Then there is nobody to tell.
fn eprint_line(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// A reader that has seen enough, such as `head`, is no failure.
fn finish(written: io::Result<()>) -> Result<()> {
    match written.and_then(|()| io::stdout().lock().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(
                Failure::io("write to", Path::new("standard output"), &error)
                    .hint("the command itself was carried out"),
            )
        }
        _ => Ok(()),
    }
}

pub(crate) fn not_json(error: serde_json::Error) -> Failure {
    Failure::new(
        "internal",
        format!("the result cannot be written as JSON: {error}"),
    )
}

/// See [`Output::progress`]. The line goes when this is dropped.
pub(crate) struct Progress {
    what: &'static str,
    shown: bool,
    percent: Option<usize>,
}

impl Progress {
    /// Says how many of how many are done.
    pub(crate) fn at(&mut self, done: usize, total: usize) {
        let percent = Some(done * 100 / total.max(1));
        if self.shown && self.percent != percent {
            self.percent = percent;
            let line = format!("\r{} {done} of {total} ", self.what);
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.percent.is_some() {
            // ECMA-48: to the start of the line, and erase it.
            let _ = io::stderr().lock().write_all(b"\r\x1b[2K");
        }
    }
}
