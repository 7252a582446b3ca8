//! `cvault`: connector vaults from the command line (docs/cli.md).

mod cli;
mod command;
mod failure;
mod input;
mod output;
mod program;
mod random;
mod report;
mod table;
mod terminal;
mod unlock;
mod usage;
mod variable;

use std::ffi::OsString;
use std::process::ExitCode;
#[cfg(unix)]
use std::sync::Arc;

use clap::Parser;
use clap::error::ErrorKind;

use cli::Cli;
use failure::{Exits, Result};
use output::Output;

// Whoever panics gives back the lock of the vault while the stack unwinds.
#[cfg(not(panic = "unwind"))]
compile_error!("cvault needs panic = \"unwind\": a lock must not outlive a panic");

fn main() -> ExitCode {
    refuse_to_die_of_large_files();
    let args: Vec<OsString> = std::env::args_os().collect();
    // What stands behind -- belongs to another program.
    let ours = args.iter().take_while(|arg| *arg != "--");
    let output = Output {
        json: ours.clone().any(|arg| arg == "--json"),
    };
    let exits = match ours.skip(1).find(|arg| *arg != "--json") {
        Some(command) if command == "exec" => Exits::Exec,
        _ => Exits::Common,
    };
    let done = match Cli::try_parse_from(args) {
        Ok(cli) => command::run(cli.command, output).inspect_err(|failure| output.failure(failure)),
        Err(error) => wrong(&error, output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit_code(exits),
    }
}

/// Makes a write fail (EFBIG) that a limit on the size of files forbids. It would end the process, with
/// the lock held and half a commit written (SIGXFSZ, setrlimit(2)).
#[cfg(unix)]
fn refuse_to_die_of_large_files() {
    use signal_hook::consts::SIGXFSZ;

    // A handler, since there is no safe way to ignore a signal. Without one, such a write ends the
    // process as before, and what it leaves is taken for what it is.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}

#[cfg(not(unix))]
fn refuse_to_die_of_large_files() {}

/// Help is a result, and so is the version; everything else is an error in the command line, which is told.
fn wrong(error: &clap::Error, output: Output) -> Result<()> {
    let failure = usage::failure(error);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output.help(&error.render());
            return Ok(());
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !output.json => {
            let _ = error.print();
        }
        _ if !output.json => usage::tell(error, output),
        _ => output.failure(&usage::failure(error).or_hint("for more information, try --help")),
    }
    Err(failure)
}
