//! Errors on their way to JavaScript.

use connector_vault::{Error, Place};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::JsValue;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// An error of the core, thrown as JSON text.
pub struct Failure(Error);

/// What is thrown, as JSON text, or is a problem of an action.
#[derive(Serialize, Tsify)]
pub(crate) struct Thrown<'a> {
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    place: Option<ErrorPlace>,
}

/// Where in an action's document something is wrong, for editors that mark it.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorPlace {
    /// The action of a batch, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    action: Option<usize>,
    /// The parameter; of the document itself if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    parameter: Option<&'static str>,
    /// The row of `Properties`, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    row: Option<usize>,
    /// The line in the parameter's text, or in that of the document, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    line: Option<usize>,
    /// The column, from 1: characters as Unicode scalar values, not UTF-16 units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    column: Option<usize>,
}

impl ErrorPlace {
    fn of(place: Place) -> Self {
        Self {
            action: place.action,
            parameter: place.parameter,
            row: place.row,
            line: place.position.map(|position| position.line),
            column: place.position.map(|position| position.column),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl<'a> Thrown<'a> {
    pub(crate) fn of(error: &'a Error) -> Self {
        Self {
            code: error.code().as_str(),
            message: error.message(),
            hint: error.hint(),
            place: error.place().map(ErrorPlace::of),
        }
    }
}

impl From<Failure> for JsValue {
    fn from(Failure(error): Failure) -> Self {
        JsValue::from_str(&serde_json::to_string(&Thrown::of(&error)).unwrap_or_default())
    }
}
