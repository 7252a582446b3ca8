//! Errors on their way to JavaScript.

use connector_vault::Error;
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::JsValue;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// An error of the core, thrown as JSON text.
pub struct Failure(Error);

/// What is thrown, as JSON text.
#[derive(Serialize, Tsify)]
pub(crate) struct Thrown<'a> {
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for JsValue {
    fn from(Failure(error): Failure) -> Self {
        let thrown = Thrown {
            code: error.code().as_str(),
            message: error.message(),
            hint: error.hint_text(),
        };
        JsValue::from_str(&serde_json::to_string(&thrown).unwrap_or_default())
    }
}
