//! Reads the sources and holds the architecture: who may import whom, how files are named and how
//! they open. To change one of the tables here is to change the architecture.
#![allow(clippy::panic, reason = "a test fails by panicking")]

mod rooms;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rooms::{House, Order};
use source::Tokens;

/// The folders whose rooms ARCHITECTURE.md puts in an order, each by its crate's `src` and its module there.
const HOUSES: &[(&str, &[&str])] = &[
    ("crates/connector-vault/src", &[]),
    ("crates/connector-vault/src", &["vault"]),
    ("crates/connector-vault-store/src", &[]),
    ("crates/connector-vault-import/src", &[]),
    ("crates/connector-vault-cli/src", &[]),
    ("bindings/wasm/src", &[]),
];

/// Modules that only tests have: they see their crate as its users do.
const TESTS: &[&str] = &["crash", "faults"];

/// The crates, and for each the crates that stand directly before it.
const CRATES: &[(&str, &[&str])] = &[
    ("connector-vault", &[]),
    ("connector-vault-store", &["connector-vault"]),
    ("connector-vault-import", &["connector-vault"]),
    (
        "connector-vault-cli",
        &["connector-vault-store", "connector-vault-import"],
    ),
];

/// What the core and imports do not touch, by its path below `std`; clippy.toml names the functions.
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
fn rooms_import_along_their_line() {
    report(HOUSES.iter().flat_map(|(src, module)| {
        let src = root().join(src);
        let house = house(&src, module);
        rust_files(&src).into_iter().flat_map(move |path| {
            let relative = path.strip_prefix(&src).expect("the walk starts at src");
            let first = relative.iter().next().map(Path::new);
            let is_test = first
                .and_then(Path::file_stem)
                .is_some_and(|name| TESTS.iter().any(|test| *test == name));
            let faults = match is_test {
                true => Vec::new(),
                false => house.faults(relative, &read(&path)),
            };
            faults
                .into_iter()
                .map(|(line, fault)| at(&path, line, &fault))
                .collect::<Vec<_>>()
        })
    }));
}

#[test]
fn the_lines_name_rooms_that_are_there_and_have_no_circle() {
    report(HOUSES.iter().flat_map(|(src, module)| {
        let src = root().join(src);
        let folder = module
            .iter()
            .fold(src.clone(), |path, name| path.join(name));
        let order = house(&src, module).order;
        let mut faults = Vec::new();
        for room in order.rooms() {
            let path = folder.join(room);
            let is_own_file = module.last() == Some(&room);
            if !(is_own_file || path.is_dir() || path.with_extension("rs").is_file()) {
                faults.push(at(
                    &architecture(),
                    1,
                    &format!("there is no {}", path.display()),
                ));
            }
            if order
                .before(room)
                .is_some_and(|before| before.contains(room))
            {
                faults.push(at(
                    &architecture(),
                    1,
                    &format!("`{room}` stands in a circle"),
                ));
            }
        }
        faults
    }));
}

#[test]
fn the_core_and_imports_do_no_io() {
    let crates = ["connector-vault", "connector-vault-import"];
    let files = crates
        .iter()
        .flat_map(|name| rust_files(&root().join("crates").join(name).join("src")));
    report(files.flat_map(|path| {
        io_faults(&read(&path))
            .into_iter()
            .map(|(line, fault)| at(&path, line, &fault))
            .collect::<Vec<_>>()
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

/// A house with the order that ARCHITECTURE.md draws.
fn house(src: &Path, module: &'static [&'static str]) -> House {
    let folder = module
        .iter()
        .fold(src.to_owned(), |path, name| path.join(name));
    let name = folder
        .strip_prefix(root())
        .expect("houses stand in the project");
    let name = name.display().to_string();
    let order = Order::drawn(&read(&architecture()), &name)
        .unwrap_or_else(|| panic!("ARCHITECTURE.md draws no rooms of {name}"));
    let own_file = folder.with_extension("rs");
    let own_file = (!module.is_empty()).then(|| read(&own_file));
    House::new(module, order, own_file.as_deref())
}

fn architecture() -> PathBuf {
    root().join("ARCHITECTURE.md")
}

fn io_faults(source: &str) -> Vec<(usize, String)> {
    Tokens::of(source)
        .names_below("std")
        .into_iter()
        .filter(|(_, name)| NOT_IN_THE_CORE.contains(&name.as_str()))
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
