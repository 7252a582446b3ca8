//! The secrets of a record: its values, and the request that made it.

use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::overview::{Overview, Text};
use crate::action::{Source, Warning, WarningCode};
use crate::connector::{Properties, PropertyName};
use crate::format::hex::Hex;
use crate::plan::{Change, ChangeKind, Outcome, Status};
use crate::secret::Secret;

/// The secrets of a record: the whole property map after the merge, so that reading one connector
/// never replays, and the request that made it, where it had an id.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretsPart {
    #[serde(with = "properties")]
    pub(crate) properties: Properties,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<RequestPart>,
}

/// What a repeated request is compared with and answered from.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestPart {
    /// SHA-256 of the request. It stands among the secrets: a viewer must not be able to guess
    /// values with it.
    pub(crate) digest: Hex<32>,
    pub(crate) outcome: KeptOutcome,
}

/// What is kept of a request's first outcome: what the version itself does not tell. An open
/// structure: readers ignore names and words that they do not know, so that an outcome may say
/// more in times to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptOutcome {
    changes: Vec<KeptChange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<KeptWarning>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptChange {
    name: String,
    change: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    overridden: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptWarning {
    code: String,
    message: String,
}

impl KeptOutcome {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let changes = outcome.changes.iter().map(|change| KeptChange {
            name: change.name.clone(),
            change: change.change.as_str().to_owned(),
            source: change.source.map(|source| source.as_str().to_owned()),
            overridden: change.overridden,
        });
        let warnings = outcome.warnings.iter().map(|warning| KeptWarning {
            code: warning.code.as_str().to_owned(),
            message: warning.message.clone(),
        });
        Self {
            changes: changes.collect(),
            warnings: warnings.collect(),
            tokens: outcome.tokens.clone(),
        }
    }

    /// The outcome once more, of the version that `overview` is of.
    pub(crate) fn replay(self, overview: &Overview) -> Outcome {
        let changes = self.changes.into_iter().filter_map(|change| {
            Some(Change {
                name: change.name,
                change: ChangeKind::parse(&change.change)?,
                source: change.source.as_deref().and_then(Source::parse),
                overridden: change.overridden,
            })
        });
        let changes: Vec<_> = changes.collect();
        let warnings = self.warnings.into_iter().filter_map(|warning| {
            let code = WarningCode::parse(&warning.code)?;
            Some(Warning::new(code, warning.message))
        });
        let is_unchanged = changes
            .iter()
            .all(|change| change.change == ChangeKind::Unchanged);
        Outcome {
            status: match is_unchanged {
                true => Status::Unchanged,
                false => Status::Updated,
            },
            id: overview.id.as_str().to_owned(),
            version_before: overview.version.before(),
            version_after: overview.version,
            changes,
            warnings: warnings.collect(),
            tokens: self.tokens,
            outputs: Default::default(),
            replayed: true,
        }
    }
}

mod properties {
    use super::*;

    pub(crate) use crate::connector::values as serialize;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Properties, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Properties;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Properties, A::Error> {
                let invalid = |_| A::Error::custom("not a connector's properties");
                let mut properties = Properties::new();
                while let Some(Text(name)) = entries.next_key()? {
                    let name = PropertyName::new(name).map_err(invalid)?;
                    let value = Secret::new(entries.next_value::<String>()?).map_err(invalid)?;
                    if properties.set(name, value).map_err(invalid)?.is_some() {
                        return Err(A::Error::custom("a property stands twice"));
                    }
                }
                Ok(properties)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
