//! Expands the tokens of a text in a property's value.
#![no_main]

mod vector;

use connector_vault::{Action, Secret, TokenFn, TokenRef};
use serde_json::json;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let row = json!({"PropertyName": "P", "PropertyValue": text});
    let parameters = json!({"EntryId": "x", "Properties": [row], "PropertiesJson": text});
    let action = json!({"ActionType": "Connectors.Update", "Parameters": parameters});
    if let Ok(action) = Action::parse(&action.to_string()) {
        let mut tokens = TokenFn(|_: &TokenRef<'_>| Secret::new("value [X] &#91;").map(Some));
        let _ = vector::plan(&action, &mut tokens);
    }
});
