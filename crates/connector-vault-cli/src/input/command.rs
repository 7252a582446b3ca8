//! What a command prints, as a passphrase or an identity.

use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::{Unread, Wanted, read_all};
use crate::failure::{Failure, Result};
use crate::output::Output;

/// The bytes on its standard output. It has no standard input, which may be the action's. People see its
/// standard error, where it may ask them for something; programs, which expect JSON there, do not.
///
/// Fails with `command_failed` if it does not run or does not end with 0; what it printed is not told.
pub(super) fn output(
    command: &mut Command,
    wanted: Wanted<'_>,
    output: Output,
) -> Result<Zeroizing<Vec<u8>>> {
    let asked_by = wanted.asked_by;
    let failed = |what: String| {
        Failure::new(
            "command_failed",
            format!("the command in {asked_by} {what}"),
        )
    };
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(match output.json {
            true => Stdio::null(),
            false => Stdio::inherit(),
        });
    let mut child = command.spawn().map_err(|error| {
        failed(format!("did not run: {error}"))
            .hint("it is split into words as a shell splits them, but no shell runs it")
    })?;
    let read = match child.stdout.take() {
        Some(stdout) => read_all(stdout, 0, wanted),
        None => Ok(Zeroizing::default()),
    };
    if read.is_err() {
        // It may print without end.
        let _ = child.kill();
    }
    let status = child
        .wait()
        .map_err(|error| failed(format!("did not end: {error}")))?;
    let bytes = read.map_err(|error| match error {
        Unread::TooLarge => wanted.too_large(),
        Unread::Io(error) => failed(format!("could not be read: {error}")),
    })?;
    match status.success() {
        true => Ok(bytes),
        false => Err(failed(format!("failed: {status}")).hint(match output.json {
            true => "without --json its standard error is shown",
            false => "what it printed on standard output is not shown, since it may be the secret",
        })),
    }
}
