//! The npm packages: the module and its glue, bundles, components, the page over them, tests. Node and npm are the user's; what else is
//! needed is installed here, or asked for in words.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Result, cargo, root, target_dir};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm";
/// The modules: package, name below `bindings/js/pkg`, and features. Without reference types that of Argon2id needs no
/// glue.
const MODULES: [(&str, &str, &str); 2] = [
    ("connector-vault-wasm", "vault", "+simd128"),
    (
        "connector-vault-argon2",
        "argon2id",
        "+simd128,-reference-types",
    ),
];

/// The exports of `vault.wasm` that `changes.wasm` brings: all that changes, verifies or exports a vault. A `*` stands for
/// any rest of a name.
const LATER: [&str; 21] = [
    "action_run",
    "create",
    "created_*",
    "identifyDamaged",
    "merge_*",
    "plan_*",
    "prepared_*",
    "repaired_*",
    "repairing_*",
    "revocation_*",
    "run_*",
    "session_compaction",
    "session_prepared",
    "session_write",
    "stretching_*",
    "vault_exportConnectors",
    "vault_log",
    "vault_openCopy",
    "vault_plan*",
    "vault_prepare*",
    "vault_verify",
];

/// Builds the packages into `bindings/js/dist` and `bindings/elements/dist`.
pub(crate) fn build() -> Result<()> {
    install_target()?;
    install_packages(root())?;
    for (package, name, features) in MODULES {
        module(package, name, features)?;
    }
    run::step(node().arg("bindings/js/build.mjs"))?;
    run::step(node().arg("bindings/elements/build.mjs"))
}

/// Builds one module and its glue. In two calls: flags for the module are none for the program that makes its glue.
fn module(package: &str, name: &str, features: &str) -> Result<()> {
    let build = ["build", "--package", package, "--target", TARGET];
    run::step(
        cargo(build)
            .args(["--profile", PROFILE])
            .env("CARGO_ENCODED_RUSTFLAGS", flags(features)),
    )?;
    let folder = target_dir().join(TARGET).join(PROFILE);
    let module = folder.join(format!("{}.wasm", package.replace('-', "_")));
    let mut bindgen = cargo(["run", "--quiet", "--package", "xtask-bindgen", "--"]);
    let pkg = root().join("bindings/js/pkg");
    bindgen.arg(module).arg(pkg).arg(name);
    if name == "vault" {
        bindgen.arg("changes").args(LATER);
    }
    run::step(&mut bindgen)
}

/// Builds the designer into `www/dist`.
pub(crate) fn www() -> Result<()> {
    build()?;
    run::step(&mut npm(["run", "build", "--workspace", "www"]))
}

/// Builds the designer and serves it on this machine, until it is stopped.
pub(crate) fn serve(args: &[&str]) -> Result<()> {
    www()?;
    run::step(npm(["run", "serve", "--workspace", "www", "--"]).args(args))
}

/// Builds the packages and runs what tests them: in Node, in a browser, packed, and beside `cvault`.
pub(crate) fn test() -> Result<()> {
    // The program that works on the same files.
    run::step(&mut cargo(["build", "--package", "connector-vault-cli"]))?;
    build()?;
    let chromium = chromium()?;
    run::step(&mut npm(["run", "check", "--workspaces", "--if-present"]))?;
    run::step(
        npm(["test", "--workspaces", "--if-present"])
            .env("CHROMIUM", chromium)
            .env("CVAULT", target_dir().join("debug").join("cvault")),
    )
}

/// Measures `connector-vault` beside other libraries.
pub(crate) fn bench(args: &[&str]) -> Result<()> {
    build()?;
    install_packages(&root().join("benches/js"))?;
    run::step(
        node()
            .arg("benches/js/run.mjs")
            .args(args)
            .env("CHROMIUM", chromium()?),
    )
}

/// How the module is compiled: small copies and fills become calls, which make it a twentieth smaller; and
/// the messages of panics name no folder of the machine that builds.
fn flags(features: &str) -> String {
    let home = std::env::var_os("CARGO_HOME").map_or_else(
        || std::env::home_dir().unwrap_or_default().join(".cargo"),
        PathBuf::from,
    );
    let llvm = ["-max-store-memcpy=1", "-max-store-memset=1"];
    let folders = [(home.as_path(), "/cargo"), (root(), "/connector-vault")];
    let llvm = llvm.iter().map(|arg| format!("-Cllvm-args={arg}"));
    let features = std::iter::once(format!("-Ctarget-feature={features}"));
    let remap = folders
        .iter()
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()));
    // As Cargo wants it, so that folders may have spaces.
    llvm.chain(features)
        .chain(remap)
        .collect::<Vec<_>>()
        .join("\u{1f}")
}

fn install_target() -> Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("`rustc` did not start: {error}"))?;
    let libraries = String::from_utf8_lossy(&libraries.stdout);
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    run::step(Command::new("rustup").args(["target", "add", TARGET])).map_err(|error| {
        format!(
            "{error}\nthe target {TARGET} is needed: install it with `rustup target add {TARGET}`"
        )
    })
}

/// Installs exactly the packages of a lockfile, unless they are there.
fn install_packages(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let installed = folder.join("node_modules/.package-lock.json");
    let time = |path: &Path| {
        path.metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
    };
    if time(&installed).is_some_and(|installed| Some(installed) >= time(&lock)) {
        return Ok(());
    }
    run::step(npm(["ci", "--no-audit", "--no-fund", "--prefix"]).arg(folder)).map_err(|error| {
        format!(
            "{error}\nthe packages of {} are needed, and so is npm (Node 20.19 or newer)",
            lock.display()
        )
    })
}

/// A browser for the tests: `CHROMIUM`, or one that is installed, or Debian's, which is installed.
fn chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let places = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];
    let found = || places.iter().map(PathBuf::from).find(|path| path.exists());
    if let Some(path) = found() {
        return Ok(path);
    }
    eprintln!("no Chromium is there; trying to install Debian's");
    let _ = run::step(Command::new("apt-get").args(["update"]));
    run::step(Command::new("apt-get").args([
        "install",
        "--yes",
        "--no-install-recommends",
        "chromium",
    ]))
    .ok()
    .and_then(|()| found())
    .ok_or_else(|| {
        "the tests in a browser need Chromium or Chrome: install it, or set CHROMIUM to its path"
            .into()
    })
}

fn npm<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(args);
    npm
}

fn node() -> Command {
    Command::new("node")
}
