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

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use cli::Cli;
use failure::Failure;
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
        Err(error) => usage(&error, output),
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
fn usage(error: &clap::Error, output: Output) -> failure::Result<()> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output.help(&error.render());
            return Ok(());
        }
        _ if !output.json => {
            let _ = error.print();
            // Printed as clap does it, with usage and suggestions.
            std::process::exit(2);
        }
        _ => {}
    }
    let text = error.render().to_string();
    let message = text.split("\n\n").next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let lines: Vec<_> = message.lines().map(str::trim).collect();
    let message = match error.kind() {
        // Its text is the whole help.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing".to_owned(),
        _ => lines.join(" "),
    };
    Err(Failure::usage(message).hint("for more information, try --help"))
}
