//! Errors on their way to JavaScript.

use connector_vault::Error;
use wasm_bindgen::JsValue;

use crate::json::json;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// An error of the core, thrown as JSON text.
pub struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for JsValue {
    fn from(Failure(error): Failure) -> Self {
        JsValue::from_str(&json(&error))
    }
}
