//! The commands, one file for each group.

mod audit;
mod change;
mod demo;
mod exec;
mod generate;
mod get;
mod grants;
mod group;
mod history;
mod identity;
mod key;
mod lifecycle;
mod merge;
mod read;
mod repair;
mod run;
mod tester;
mod tokens;
mod transfer;

use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use crate::cli::{Cli, Command, IdentityCommand};
use crate::failure::Result;
use crate::input::Input;
use crate::output::Output;

/// What every command works with.
struct Context {
    input: Input,
    output: Output,
}

/// Carries out a command.
pub(crate) fn run(command: Command, output: Output) -> Result<()> {
    let context = Context {
        input: Input::new(output),
        output,
    };
    match command {
        Command::Init(args) => lifecycle::init(&args, &context),
        Command::Add(args) => change::add(&args, &context),
        Command::List(args) => read::list(&args, &context),
        Command::Show(args) => read::show(&args, &context),
        Command::Get(args) => get::get(&args, &context),
        Command::Exec(args) => exec::exec(&args, &context),
        Command::Run(args) => run::run(&args, &context),
        Command::Tokens(args) => tokens::tokens(&args, &context),
        Command::History(args) => history::history(&args, &context),
        Command::Diff(args) => history::diff(&args, &context),
        Command::Restore(args) => change::restore(&args, &context),
        Command::Delete(args) => change::delete(&args, &context),
        Command::Undelete(args) => change::undelete(&args, &context),
        Command::Describe(args) => change::describe(&args, &context),
        Command::Move(args) => change::move_to(&args, &context),
        Command::Import(args) => transfer::import(&args, &context),
        Command::Export(args) => transfer::export(&args, &context),
        Command::Verify(args) => lifecycle::verify(&args, &context),
        Command::Grants(args) => grants::list(&args, &context),
        Command::Grant(args) => grants::grant_or_renew(args, &context),
        Command::Revoke(args) => grants::revoke(&args, &context),
        Command::Rights(args) => grants::rights(args, &context),
        Command::Group(command) => group::run(command, &context),
        Command::Passwd(args) => grants::passwd(&args, &context),
        Command::Key(command) => key::run(command, &context),
        Command::Compact(args) => lifecycle::compact(&args, &context),
        Command::Purge(args) => history::purge(&args, &context),
        Command::Merge(args) => merge::merge(&args, &context),
        Command::Repair(args) => repair::repair(&args, &context),
        Command::Head(args) => audit::head(&args, &context),
        Command::Log(args) => audit::log(&args, &context),
        Command::Identity(IdentityCommand::New { out }) => identity::new(out.as_deref(), &context),
        Command::Generate { recipe } => generate::generate(recipe.as_deref(), &context),
        Command::Demo => demo::demo(&context),
        Command::Completions { shell } => completions(shell, &context),
    }
}

fn completions(shell: Shell, context: &Context) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cvault", &mut script);
    let script = String::from_utf8_lossy(&script);
    match context.output.json {
        true => context
            .output
            .document(&json!({"shell": shell.to_string(), "script": script})),
        false => context.output.raw(&script),
    }
}
