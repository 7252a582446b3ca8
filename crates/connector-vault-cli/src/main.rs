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
use output::Output;

// Whoever panics gives back the lock of the vault while the stack unwinds.
#[cfg(not(panic = "unwind"))]
compile_error!("cvault needs panic = \"unwind\": a lock must not outlive a panic");

fn main() -> ExitCode {
    refuse_to_die_of_large_files();
    let args: Vec<OsString> = std::env::args_os().collect();
    let asks_json = args
        .iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| arg == "--json");
    let output = Output { json: asks_json };
    let done = match Cli::try_parse_from(args) {
        Ok(cli) => command::run(cli.command, output),
        Err(error) => wrong(&error, output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.exit_code()
        }
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

/// Help is a result, and so is the version; everything else is an error in the command line.
fn wrong(error: &clap::Error, output: Output) -> failure::Result<()> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output.help(&error.render());
            Ok(())
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !output.json => {
            let _ = error.print();
            std::process::exit(2);
        }
        _ if !output.json => {
            usage::tell(error, output);
            std::process::exit(2);
        }
        _ => Err(usage::failure(error).or_hint("for more information, try --help")),
    }
}
