//! Reads the sources and holds the architecture: who may import whom, how files are named and how
//! they open. To change one of the tables here is to change the architecture.
#![allow(clippy::panic, reason = "a test fails by panicking")]

mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use source::Tokens;

/// The modules of the core, and for each the modules that stand directly before it in
/// the dependency line of ARCHITECTURE.md. What stands before those may be imported too.
///
/// `format` knows hashes and costs of `crypto`, but no key: it neither seals nor signs.
///
/// Two wings, which meet in `vault` alone: one knows locks, bytes and signatures, the other knows
/// the action and no cryptography.
const MODULES: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("unicode", &["error"]),
    ("limits", &["unicode"]),
    ("secret", &["limits"]),
    ("time", &["limits"]),
    ("role", &["limits"]),
    ("bytes", &["limits"]),
    ("connector", &["secret", "time"]),
    ("json", &["connector"]),
    ("token", &["json"]),
    ("crypto", &["bytes"]),
    ("format", &["crypto", "role"]),
    ("access", &["format"]),
    ("log", &["access"]),
    ("action", &["token"]),
    ("plan", &["action"]),
    ("vault", &["log", "plan"]),
];

/// The crates, and for each the crates that stand directly before it.
const CRATES: &[(&str, &[&str])] = &[
    ("connector-vault", &[]),
    ("connector-vault-store", &["connector-vault"]),
    ("connector-vault-cli", &["connector-vault-store"]),
];

/// What the core does not touch, by its path below `std`; clippy.toml names the functions.
const NOT_IN_THE_CORE: &[&str] = &["env", "fs", "net", "os", "process", "thread"];

/// Names that say nothing about what a module is for.
const MODULE_NAMES_REFUSED: &[&str] = &[
    "common", "helper", "helpers", "misc", "type", "types", "util", "utils",
];

/// What must not be left behind. Split, so that this file does not hold it.
const LEFTOVERS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("dbg", "!"),
];

#[test]
fn the_core_imports_along_the_dependency_line() {
    let src = root().join("crates/connector-vault/src");
    report(rust_files(&src).iter().flat_map(|path| {
        let relative = path.strip_prefix(&src).expect("the walk starts at src");
        core_faults(relative, &read(path))
            .into_iter()
            .map(|(line, fault)| at(path, line, &fault))
    }));
}

#[test]
fn the_core_does_no_io() {
    let src = root().join("crates/connector-vault/src");
    report(rust_files(&src).iter().flat_map(|path| {
        io_faults(&read(path))
            .into_iter()
            .map(|(line, fault)| at(path, line, &fault))
    }));
}

#[test]
fn crates_depend_along_the_dependency_line() {
    report(crate_folders().iter().flat_map(|folder| {
        let manifest = folder.join("Cargo.toml");
        crate_faults(&file_name(folder), &read(&manifest))
            .into_iter()
            .map(move |(line, fault)| at(&manifest, line, &fault))
    }));
}

#[test]
fn modules_have_names_that_say_what_they_are_for() {
    report(source_files().iter().flat_map(|(src, path)| {
        let relative = path.strip_prefix(src).expect("the walk starts at src");
        let names = relative.iter().map(|part| part.to_string_lossy());
        let mut faults: Vec<String> = names
            .map(|name| name.trim_end_matches(".rs").to_owned())
            .filter(|name| MODULE_NAMES_REFUSED.contains(&name.as_str()))
            .map(|name| at(path, 1, &format!("`{name}` says nothing about the module")))
            .collect();
        faults.extend(
            Tokens::of(&read(path))
                .modules()
                .filter(|(_, name)| MODULE_NAMES_REFUSED.contains(name))
                .map(|(line, name)| {
                    at(
                        path,
                        line,
                        &format!("`{name}` says nothing about the module"),
                    )
                }),
        );
        faults
    }));
}

#[test]
fn sources_open_with_what_they_are_for() {
    report(
        source_files()
            .iter()
            .filter(|(_, path)| !read(path).starts_with("//! "))
            .map(|(_, path)| at(path, 1, "the file does not open with a `//!` sentence")),
    );
}

#[test]
fn nothing_is_left_behind() {
    report(project_files().iter().flat_map(|path| {
        // What is not text holds no leftovers.
        let text = fs::read_to_string(path).unwrap_or_default();
        leftover_faults(&text)
            .into_iter()
            .map(|(line, fault)| at(path, line, &fault))
            .collect::<Vec<_>>()
    }));
}

/// The lines at which a file of the core names a module that it must not know.
fn core_faults(path: &Path, source: &str) -> Vec<(usize, String)> {
    let parts: Vec<String> = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .filter(|part| part != "mod")
        .collect();
    let module = parts[0].as_str();
    if module == "lib" {
        return Vec::new();
    }
    let Some(allowed) = before(MODULES, module) else {
        return vec![(1, format!("`{module}` has no place in the dependency line"))];
    };
    Tokens::of(source)
        .root_names(parts.len())
        .into_iter()
        .filter(|(_, name)| *name != module && !allowed.contains(name))
        .map(|(line, name)| {
            let fault = if before(MODULES, name).is_some() {
                format!("`{module}` must not know `{name}`")
            } else {
                // A re-export would hide which module is meant.
                format!("`crate::{name}` names no module of the dependency line")
            };
            (line, fault)
        })
        .collect()
}

fn io_faults(source: &str) -> Vec<(usize, String)> {
    Tokens::of(source)
        .names_below("std")
        .into_iter()
        .filter(|(_, name)| NOT_IN_THE_CORE.contains(name))
        .map(|(line, name)| (line, format!("`std::{name}`: the core does no I/O")))
        .collect()
}

/// The lines of a manifest that contradict the crate's folder or the order of the crates.
fn crate_faults(folder: &str, manifest: &str) -> Vec<(usize, String)> {
    let Some(allowed) = before(CRATES, folder) else {
        return vec![(1, format!("`{folder}` has no place in the dependency line"))];
    };
    let mut section = "";
    let mut faults = Vec::new();
    for (line, text) in (1..).zip(manifest.lines()) {
        let key = text
            .split(['=', '.', ' '])
            .next()
            .expect("split is never empty");
        if text.starts_with('[') {
            section = text;
        } else if section == "[package]" && key == "name" {
            if text != format!("name = \"{folder}\"") {
                faults.push((line, format!("the crate's folder is `{folder}`: {text}")));
            }
        } else if section.contains("dependencies")
            && key.starts_with("connector-vault")
            && !allowed.contains(key)
        {
            faults.push((line, format!("`{folder}` must not depend on `{key}`")));
        }
    }
    faults
}

fn leftover_faults(text: &str) -> Vec<(usize, String)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let stands_alone = |line: &str, leftover: &str| {
        line.match_indices(leftover).any(|(start, _)| {
            !line[..start].ends_with(is_word)
                && !line[start + leftover.len()..].starts_with(is_word)
        })
    };
    (1..)
        .zip(text.lines())
        .flat_map(|(number, line)| {
            LEFTOVERS
                .iter()
                .filter(move |leftover| stands_alone(line, leftover))
                .map(move |leftover| (number, format!("`{leftover}` is left behind")))
        })
        .collect()
}

/// Everything that stands before `name` in a table, or `None` if it is not in it.
fn before(table: &'static [(&str, &[&str])], name: &str) -> Option<BTreeSet<&'static str>> {
    let (_, direct) = table.iter().find(|(row, _)| *row == name)?;
    let mut all = BTreeSet::new();
    for &name in *direct {
        all.insert(name);
        all.extend(before(table, name).expect("a table names only its own rows"));
    }
    Some(all)
}

fn report(faults: impl IntoIterator<Item = String>) {
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn at(path: &Path, line: usize, fault: &str) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    format!("{}:{line}: {fault}", path.display())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask stands in the project's root")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .expect("a walk yields names")
        .to_string_lossy()
        .into_owned()
}

fn crate_folders() -> Vec<PathBuf> {
    entries(&root().join("crates"))
        .into_iter()
        .filter(|path| path.join("Cargo.toml").is_file())
        .collect()
}

/// Every Rust file below a `src` folder of the project, with that folder.
fn source_files() -> Vec<(PathBuf, PathBuf)> {
    project_files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| {
            let src = path.ancestors().find(|folder| folder.ends_with("src"))?;
            Some((src.to_owned(), path.clone()))
        })
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = walk(folder);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files
}

/// Every file of the project that somebody wrote.
fn project_files() -> Vec<PathBuf> {
    let mut files = walk(root());
    files.retain(|path| !["Cargo.lock", "package-lock.json"].contains(&file_name(path).as_str()));
    files
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in entries(folder) {
        let name = file_name(&path);
        if path.is_symlink() {
            continue;
        } else if !path.is_dir() {
            files.push(path);
        } else if !["target", "node_modules", "dist", "pkg", ".git"].contains(&name.as_str()) {
            files.extend(walk(&path));
        }
    }
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder that opens can be listed").path())
        .collect();
    entries.sort();
    entries
}

#[test]
fn faults_of_the_core_are_found() {
    let check = |path: &str, source: &str, expected: &[(usize, &str)]| {
        let found = core_faults(Path::new(path), source);
        let found: Vec<_> = found
            .iter()
            .map(|(line, text)| (*line, text.as_str()))
            .collect();
        assert_eq!(found, expected, "{path}: {source}");
    };
    let log_in_plan: &[_] = &[(1, "`plan` must not know `log`")];
    check("plan.rs", "use crate::log::Head;", log_in_plan);
    check(
        "plan.rs",
        "use crate::{error::Error, log::{self, Head}};",
        log_in_plan,
    );
    check("plan.rs", "fn f(x: &crate::log::Head) {}", log_in_plan);
    check("plan.rs", "use super::log;", log_in_plan);
    check(
        "plan.rs",
        "mod tests { use super::super::log; }",
        log_in_plan,
    );
    check("plan/report.rs", "use super::super::log;", log_in_plan);
    check("plan/mod.rs", "use super::log;", log_in_plan);
    check(
        "plan.rs",
        "mod tests { use super::*; } fn f() { self::log() }",
        &[],
    );
    check("plan/report.rs", "use super::log;", &[]);
    check(
        "plan.rs",
        "use crate::{action::Action, error::{Error, Result}};",
        &[],
    );
    check(
        "plan.rs",
        "// crate::log\n/* crate::log */ const A: &str = r#\"crate::log\"#;",
        &[],
    );
    check(
        "plan.rs",
        "const A: char = '\"'; use crate::log; const B: &str = \"\\\"\";",
        log_in_plan,
    );
    check(
        "plan.rs",
        "fn f<'a>(a: &'a str) { crate::log::f('x', a) }",
        log_in_plan,
    );
    check("plan.rs", "pub(crate) fn f() {}", &[]);
    check(
        "plan.rs",
        "\nuse crate::Error;",
        &[(2, "`crate::Error` names no module of the dependency line")],
    );
    check(
        "plan.rs",
        "use super::*;",
        &[(1, "`crate::*` names no module of the dependency line")],
    );
    check("lib.rs", "pub use log::Head;", &[]);
    check(
        "misc.rs",
        "",
        &[(1, "`misc` has no place in the dependency line")],
    );
    check(
        "crypto/aead.rs",
        "use crate::format::Header;",
        &[(1, "`crypto` must not know `format`")],
    );
    check(
        "access.rs",
        "use crate::{crypto::Key, format::Header};",
        &[],
    );
}

#[test]
fn faults_of_other_kinds_are_found() {
    assert_eq!(io_faults("\nuse std::{fmt, fs};").len(), 1);
    assert_eq!(io_faults("fn f() { ::std::env::var(\"X\"); }").len(), 1);
    assert_eq!(io_faults("use std::fmt; // std::fs").len(), 0);

    let store = "connector-vault-store";
    let manifest = "[package]\nname = \"store\"\n[dependencies]\nconnector-vault.workspace = true\nconnector-vault-cli = { path = \"../cli\" }\n";
    let lines: Vec<usize> = crate_faults(store, manifest)
        .iter()
        .map(|(line, _)| *line)
        .collect();
    assert_eq!(lines, [2, 5]);

    let text = format!(
        "// {}: later\n{}_LIST\nmktemp x{}\n",
        LEFTOVERS[0], LEFTOVERS[0], LEFTOVERS[2]
    );
    let lines: Vec<usize> = leftover_faults(&text)
        .iter()
        .map(|(line, _)| *line)
        .collect();
    assert_eq!(lines, [1]);
}
