//! `cvault`: connector vaults from the command line (docs/cli.md).

mod cli;
mod command;
mod failure;
mod input;
mod output;
mod random;
mod report;
mod table;
mod terminal;
mod unlock;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use cli::Cli;
use output::Output;

fn main() -> ExitCode {
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
