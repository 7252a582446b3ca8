//! Parses an action's document, and plans it.
#![no_main]

mod vector;

use std::collections::BTreeMap;

use connector_vault::{Action, Secret};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(action) = Action::parse(text) {
        let _ = action.tokens();
        let _ = vector::plan(&action, &mut BTreeMap::<String, Secret>::new());
    }
});
