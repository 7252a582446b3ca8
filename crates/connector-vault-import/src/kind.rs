//! The kinds of exports, by the tools that write them.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Which tool wrote an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Bitwarden's JSON.
    Bitwarden,
    /// A table with a header.
    Csv,
    /// Environment variables: dotenv.
    Env,
    /// The project's own document, `{"connectors": [..]}`, of any length.
    Json,
    /// What `vault kv get -format=json` prints, by paths.
    VaultKv,
}

impl Kind {
    /// Every kind, in the order of their names.
    pub const ALL: [Self; 5] = [
        Self::Bitwarden,
        Self::Csv,
        Self::Env,
        Self::Json,
        Self::VaultKv,
    ];

    /// The name on every surface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bitwarden => "bitwarden",
            Self::Csv => "csv",
            Self::Env => "env",
            Self::Json => "json",
            Self::VaultKv => "vault-kv",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::new(
                "invalid_argument",
                format!("the kind of an export is one of {names}"),
            )
        })
    }
}
