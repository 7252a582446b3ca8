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
    /// What `n8n export:credentials` writes.
    N8n,
    /// The credentials of Node-RED's flows.
    NodeRed,
    /// What `vault kv get -format=json` prints, by paths.
    VaultKv,
}

impl Kind {
    /// Every kind, in the order of their names.
    pub const ALL: [Self; 7] = [
        Self::Bitwarden,
        Self::Csv,
        Self::Env,
        Self::Json,
        Self::N8n,
        Self::NodeRed,
        Self::VaultKv,
    ];

    /// The name of a file that stands beside an export of this name and belongs to it; `None` if there is none. See
    /// [`Export::beside`](crate::Export::beside).
    #[must_use]
    pub fn beside(self, file_name: &str) -> Option<String> {
        match self {
            Self::NodeRed => beside_node_red(file_name),
            _ => None,
        }
    }

    /// The name on every surface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bitwarden => "bitwarden",
            Self::Csv => "csv",
            Self::Env => "env",
            Self::Json => "json",
            Self::N8n => "n8n",
            Self::NodeRed => "node-red",
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

/// The file of the flows belongs to that of their credentials, `flows.json` to `flows_cred.json`, and the other way round.
fn beside_node_red(file_name: &str) -> Option<String> {
    let (stem, extension) = file_name.rsplit_once('.')?;
    Some(match stem.strip_suffix("_cred") {
        Some(stem) => format!("{stem}.{extension}"),
        None => format!("{stem}_cred.{extension}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_beside() {
        for (name, expected) in [
            ("flows.json", Some("flows_cred.json")),
            ("flows_host_cred.json", Some("flows_host.json")),
            ("flows", None),
        ] {
            assert_eq!(Kind::NodeRed.beside(name).as_deref(), expected, "{name}");
            assert_eq!(Kind::N8n.beside(name), None);
        }
    }
}
