//! cargo-deny: finds it, installs it, and runs the checks of `deny.toml`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Result, cargo, target_dir};

/// What `deny.toml` is written for; other versions read it differently.
const VERSION: &str = "0.20";

/// Checks duplicates, licences and sources. Advisories need a database from the network, so that
/// the same commit could pass today and fail tomorrow: they are no part of the tests.
pub(crate) fn check(program: &Path) -> Result<()> {
    run::step(Command::new(program).args(["check", "bans", "licenses", "sources"]))
}

/// The program of the right version: on the `PATH`, or where [`install`] puts it.
pub(crate) fn find() -> Option<PathBuf> {
    [PathBuf::from("cargo-deny"), installed()]
        .into_iter()
        .find(|program| {
            Command::new(program)
                .arg("--version")
                .output()
                .is_ok_and(|output| {
                    String::from_utf8_lossy(&output.stdout)
                        .starts_with(&format!("cargo-deny {VERSION}."))
                })
        })
}

/// Like [`find`], and installs it if it is not there. What cannot be checked is an error.
pub(crate) fn find_or_install() -> Result<PathBuf> {
    find().map_or_else(install, Ok)
}

/// Installs it beside the build output: a test leaves no tool behind in the user's home.
pub(crate) fn install() -> Result<PathBuf> {
    eprintln!("cargo-deny {VERSION} is not there; installing it takes about two minutes");
    let mut cargo = cargo(["install", "cargo-deny", "--locked", "--version"]);
    cargo.arg(format!("^{VERSION}")).arg("--root").arg(tools());
    // A build folder of its own, which cargo removes: the lock on ours would stop every other build.
    cargo.env_remove("CARGO_TARGET_DIR");
    run::step(&mut cargo).map_err(|error| {
        format!(
            "{error}\nthe dependencies cannot be checked without cargo-deny; install it by hand: \
             cargo install cargo-deny --locked --version ^{VERSION}"
        )
    })?;
    Ok(installed())
}

fn tools() -> PathBuf {
    target_dir().join("tools")
}

fn installed() -> PathBuf {
    tools().join("bin").join("cargo-deny")
}
