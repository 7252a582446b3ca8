//! Parses and resolves an action's document.
#![no_main]

use connector_vault::{Action, Options, Secret};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(action) = Action::parse(text) {
        let _ = action.tokens();
        let mut tokens = std::collections::BTreeMap::<String, Secret>::new();
        let _ = action.resolve(&mut tokens, &Options::default());
    }
});
