//! What an outcome warns of: the action went through, but somebody should look
//! (docs/action.md section 9).

use serde::{Deserialize, Serialize};

/// A warning: a stable code, and a message that holds no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Which one.
    pub code: WarningCode,
    /// What and where, in lower case.
    pub message: String,
}

impl Warning {
    pub(crate) fn new(code: WarningCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// The stable code of a [`Warning`], `snake_case` on every surface.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// The document begins with a byte order mark, which was left out.
    ByteOrderMark,
    /// The grid names a property more than once; the last row counts.
    RepeatedName,
    /// A token had no value and its default was used.
    TokenDefaultUsed,
    /// No token of the action uses a value that was given.
    TokenUnused,
    /// A property that had a value is empty now.
    ValueEmptied,
    /// A value begins or ends with white space.
    SurroundingSpace,
    /// A JSON object was replaced by one that lacks some of its names.
    NestedNamesDropped,
    /// A new property differs from another one only in case, Unicode form or spaces around it.
    SimilarName,
    /// An action names the token that it sets in brackets, which were ignored.
    TokenNameInBrackets,
    /// An import updates a connector that has another name or type, and keeps those.
    NameKept,
}

impl WarningCode {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::ByteOrderMark,
        Self::RepeatedName,
        Self::TokenDefaultUsed,
        Self::TokenUnused,
        Self::ValueEmptied,
        Self::SurroundingSpace,
        Self::NestedNamesDropped,
        Self::SimilarName,
        Self::TokenNameInBrackets,
        Self::NameKept,
    ];

    /// The code of this text; `None` for one that this version does not know.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The code as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "byte_order_mark",
            Self::RepeatedName => "repeated_name",
            Self::TokenDefaultUsed => "token_default_used",
            Self::TokenUnused => "token_unused",
            Self::ValueEmptied => "value_emptied",
            Self::SurroundingSpace => "surrounding_space",
            Self::NestedNamesDropped => "nested_names_dropped",
            Self::SimilarName => "similar_name",
            Self::TokenNameInBrackets => "token_name_in_brackets",
            Self::NameKept => "name_kept",
        }
    }
}
