//! Makes the JavaScript glue of a WebAssembly module, by the library of `wasm-bindgen` that Cargo.lock
//! pins beside the crate. A program of its own, so that xtask stays without dependencies.
//!
//! `xtask-bindgen <module.wasm> <folder> <name>`
#![allow(
    clippy::print_stderr,
    reason = "a command-line tool speaks through its streams"
)]

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let (Some(module), Some(folder), Some(name), None) =
        (args.next(), args.next(), args.next(), args.next())
    else {
        eprintln!("usage: xtask-bindgen <module.wasm> <folder> <name>");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(&name.to_string_lossy());
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
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
