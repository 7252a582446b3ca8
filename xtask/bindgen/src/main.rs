//! Makes the JavaScript glue of a WebAssembly module, by the library of `wasm-bindgen` that Cargo.lock
//! pins beside the crate. A program of its own, so that xtask stays without dependencies.
//!
//! `xtask-bindgen <module.wasm> <folder> <name> [<later> <export>..]`: with a second name, `<later>_bg.wasm` brings the
//! exports of these names, and `<name>_bg.wasm` keeps the others.
#![allow(
    clippy::print_stderr,
    reason = "a command-line tool speaks through its streams"
)]

mod split;

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let made = match args.as_slice() {
        [module, folder, name] => glue(module, folder, name),
        [module, folder, name, later, exports @ ..] => glue(module, folder, name)
            .and_then(|()| split_module(Path::new(folder), name, later, exports)),
        _ => {
            eprintln!("usage: xtask-bindgen <module.wasm> <folder> <name> [<later> <export>..]");
            return ExitCode::from(2);
        }
    };
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn glue(module: &str, folder: &str, name: &str) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(name);
    let made = bindgen.web(true).and_then(|bindgen| {
        bindgen
            .typescript(true)
            // Names of compilers and their versions are nobody's business.
            .remove_producers_section(true)
            .remove_name_section(true)
            // Bundlers would follow a default URL; who loads the module says where it is.
            .omit_default_module_path(true)
            .generate(folder)
    });
    made.map_err(|error| format!("{error:#}"))
}

fn split_module(folder: &Path, name: &str, later: &str, exports: &[&str]) -> Result<(), String> {
    let path = |name: &str| folder.join(format!("{name}_bg.wasm"));
    let wasm = fs::read(path(name)).map_err(|error| error.to_string())?;
    let mut build = DefaultHasher::new();
    wasm.hash(&mut build);
    let table = format!("{later}-{:016x}", build.finish());
    let parts = split::split(&wasm, exports, &table)?;
    fs::write(path(name), parts.first).map_err(|error| error.to_string())?;
    fs::write(path(later), parts.second).map_err(|error| error.to_string())
}
