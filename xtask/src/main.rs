//! The project's own tasks: `cargo xtask help`. Plain Rust without dependencies, so that a fresh
//! clone runs its first task within seconds.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks through its streams"
)]

mod deny;
mod js;
mod run;

use std::process::ExitCode;

use run::{Result, cargo};

const HELP: &str = "\
The project's own tasks.

Usage: cargo xtask <task>

  test             everything a change must pass: formatting, lints, documentation,
                   dependencies, all tests, also of the npm packages. Continuous integration runs exactly this
  check            the quick part of it: formatting, lints, and the dependencies
                   if cargo-deny is there (`check --install` fetches it)
  vectors          writes the files that are missing in tests/vectors/{format,keys}; refuses
                   to alter one that is there
  js               builds the npm packages into bindings/{js,elements}/dist
  www [ARG..]      builds the designer into www/dist and serves it, by default at
                   http://127.0.0.1:4173; ARG as `vite preview` takes them, such as `--port 8000`
  www build        builds it only: plain files for any static server
  bench [WHAT..]   measures the vault beside other ways to keep the same connectors;
                   `cargo xtask bench help` lists what there is
  bench js [WHAT..]
                   measures the npm package beside other libraries, in Node and in a browser
  demo [ARG..]     runs the guided tour, `cvault demo`
  help             this text
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["test"] => test(),
        ["check"] => check(false),
        ["check", "--install"] => check(true),
        ["vectors"] => vectors(),
        ["js"] => js::build(),
        ["www", "build"] => js::www(),
        ["www", rest @ ..] => js::serve(rest),
        ["bench", "js", rest @ ..] => js::bench(rest),
        ["bench", rest @ ..] => bench(rest),
        ["demo", rest @ ..] => demo(rest),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        [] => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
        unknown => {
            eprintln!("error: no task `{}`\n\n{HELP}", unknown.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<()> {
    format_and_lints()?;
    run::step(
        cargo(["doc", "--workspace", "--no-deps"])
            // The user's own flags would otherwise take the place of these.
            .env_remove("CARGO_ENCODED_RUSTDOCFLAGS")
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    deny::check(&deny::find_or_install()?)?;
    js::test()?;
    // The tests stand last, so that their summaries are what a reader sees at the end. The tidy
    // test is one of them: xtask/tests/tidy.rs.
    run::step(&mut cargo(["test", "--workspace", "--no-fail-fast"]))
}

fn check(install: bool) -> Result<()> {
    format_and_lints()?;
    match deny::find() {
        Some(program) => deny::check(&program),
        None if install => deny::check(&deny::install()?),
        None => {
            eprintln!("note: dependencies were not checked; `cargo xtask check --install` does");
            Ok(())
        }
    }
}

fn format_and_lints() -> Result<()> {
    run::step(&mut cargo(["fmt", "--all", "--check"]))?;
    run::step(&mut cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

/// The generator is an ignored test of the core, because it signs what no vault would: that needs
/// the core's insides, which belong in no public API.
fn vectors() -> Result<()> {
    run::step(&mut cargo([
        "test",
        "--package",
        "connector-vault",
        "--lib",
        "--",
        "--ignored",
        "--exact",
        "vault::forge::vectors::make_vectors",
    ]))
}

fn bench(args: &[&str]) -> Result<()> {
    let mut cargo = cargo([
        "run",
        "--release",
        "--package",
        "connector-vault-benches",
        "--",
    ]);
    run::step(cargo.args(args))
}

fn demo(args: &[&str]) -> Result<()> {
    let mut cargo = cargo([
        "run",
        "--release",
        "--package",
        "connector-vault-cli",
        "--",
        "demo",
    ]);
    run::step(cargo.args(args))
}
