//! The secrets of a record: its values, and the request that made it.

use serde::Serialize;

use super::overview::Overview;
use crate::action::{Source, Warning, WarningCode};
use crate::connector::{Properties, PropertyName, values};
use crate::format::hex::Hex;
use crate::json::strict::{Listed, Read, Reader, Strict, fields, object};
use crate::plan::{Change, ChangeKind, Outcome, Status};
use crate::secret::Secret;

/// The secrets of a record: the whole property map after the merge, so that reading one connector
/// never replays, and the request that made it, where it had an id.
#[derive(Clone, Serialize)]
pub(crate) struct SecretsPart {
    #[serde(serialize_with = "values")]
    pub(crate) properties: Properties,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<RequestPart>,
}

/// What a repeated request is compared with and answered from.
#[derive(Clone, Serialize)]
pub(crate) struct RequestPart {
    /// SHA-256 of the request. It stands among the secrets: a viewer must not be able to guess
    /// values with it.
    pub(crate) digest: Hex<32>,
    pub(crate) outcome: KeptOutcome,
}

/// What is kept of a request's first outcome: what the version itself does not tell. An open
/// structure: readers ignore names and words that they do not know, so that an outcome may say
/// more in times to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct KeptOutcome {
    changes: Vec<KeptChange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<KeptWarning>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct KeptChange {
    name: String,
    change: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overridden: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

object!(SecretsPart { "properties" => properties, } { "request" => request, });

impl Strict<'_> for Properties {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let mut properties = Self::new();
        reader.object(&mut |reader, name| {
            let wrong = reader.other();
            let invalid = |_| wrong;
            let name = PropertyName::new(name).map_err(invalid)?;
            let value = Secret::new(reader.text()?).map_err(invalid)?;
            match properties.set(name, value).map_err(invalid)? {
                None => Ok(()),
                // It stands twice.
                Some(_) => Err(wrong),
            }
        })?;
        Ok(properties)
    }
}

object!(RequestPart { "digest" => digest, "outcome" => outcome, });

impl<'t> Strict<'t> for KeptOutcome {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        fields!(reader, skip, { "changes" => changes, } { "warnings" => warnings, "tokens" => tokens, });
        Ok(Self {
            changes,
            warnings: warnings.unwrap_or_default(),
            tokens: tokens.unwrap_or_default(),
        })
    }
}

impl<'t> Strict<'t> for KeptChange {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        fields!(reader, skip, { "name" => name, "change" => change, } { "source" => source, "overridden" => overridden, });
        Ok(Self {
            name,
            change,
            source,
            overridden: overridden.unwrap_or_default(),
        })
    }
}

impl<'t> Strict<'t> for KeptWarning {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        fields!(reader, skip, { "code" => code, "message" => message, });
        Ok(Self { code, message })
    }
}

// The lists of an outcome are as long as the secrets have room.
impl Listed for KeptChange {
    const COUNT_MAX: usize = usize::MAX;
}

impl Listed for KeptWarning {
    const COUNT_MAX: usize = usize::MAX;
}

impl Listed for String {
    const COUNT_MAX: usize = usize::MAX;
}
