//! Reads other tools' exports: each input as every kind.
#![no_main]

use connector_vault_import::{Export, Kind};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let export = Export::new(bytes).named("file.json");
    let _ = export.kind();
    for kind in Kind::ALL {
        let _ = export.of_kind(kind).read();
    }
});
