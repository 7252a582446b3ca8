//! The secrets of a record: its values, and what its request was answered.

use serde::Serialize;
use zeroize::Zeroizing;

use super::Broken;
use super::overview::{OpenedOverview, Overview};
use super::signature::without_padding;
use crate::action::{Source, Warning, WarningCode};
use crate::connector::{Op, Properties, PropertyName, values};
use crate::crypto::label::{self, bind};
use crate::crypto::{Hash, sha256};
use crate::format::extra::ExtraText;
use crate::json::strict::{self, Listed, Read, Reader, Strict, fields};
use crate::limits;
use crate::plan::{Change, ChangeKind, Outcome, Status};
use crate::secret::{Secret, Text};

/// Bytes of the salt that leads the secrets.
pub(super) const SALT_LEN: usize = 16;

/// The secrets of a record: the whole property map after the merge, so that reading one connector
/// never replays, and the outcome of the request that made it, where it had an id.
#[derive(Clone, Serialize)]
pub(crate) struct SecretsPart {
    #[serde(serialize_with = "values")]
    pub(crate) properties: Properties,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<KeptOutcome>,
    /// Written by itself, since its bytes stay as they are.
    #[serde(skip)]
    pub(crate) extra: Option<Text>,
}

impl SecretsPart {
    /// Reads the plaintext of a version's secrets: salt, JSON and padding (docs/format.md section 8.6,
    /// rules R8.10 to R8.12).
    pub(super) fn parse(plaintext: &[u8], overview: &OpenedOverview) -> Result<Self, Broken> {
        let (salt, json) = plaintext
            .split_first_chunk()
            .ok_or(Broken::SecretsDoNotOpen)?;
        let json = without_padding(json);
        if Some(secrets_hash(salt, json)) != overview.secrets_hash {
            return Err(Broken::SecretsHash);
        }
        let text = std::str::from_utf8(json).map_err(|_| Broken::SecretsForm)?;
        let secrets: Self = strict::read(text).map_err(|_| Broken::SecretsForm)?;
        let is_patch = overview.overview.op == Op::Patch;
        let may_answer = overview.request_mac.is_some() && !is_patch;
        if secrets.outcome.is_some() && !may_answer || secrets.extra.is_some() && is_patch {
            return Err(Broken::SecretsForm);
        }
        let names = secrets.properties.names();
        let is_named = match is_patch {
            true => names.eq(overview.overview.set_names()),
            false => names.eq(&overview.overview.properties),
        };
        match is_named {
            true => Ok(secrets),
            false => Err(Broken::Names),
        }
    }
}

/// The hash of secrets that their overview holds. The salt keeps a viewer from testing guesses.
pub(crate) fn secrets_hash(salt: &[u8; SALT_LEN], json: &[u8]) -> Hash {
    // The bound bytes hold the values.
    let bound = Zeroizing::new(bind(label::SECRETS_HASH, &[salt, json]));
    sha256(&bound)
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

    /// What the overview alone tells of an outcome.
    pub(crate) fn of_overview(overview: &Overview) -> Self {
        Self::with_set(
            overview,
            match overview.op {
                Op::Create => ChangeKind::Added,
                _ => ChangeKind::Changed,
            },
        )
    }

    /// The same for a member who cannot read what was set.
    pub(crate) fn of_unread(overview: &Overview) -> Self {
        Self::with_set(overview, ChangeKind::Written)
    }

    fn with_set(overview: &Overview, set: ChangeKind) -> Self {
        let kind = |name| match overview.properties.contains(name) {
            true => set,
            false => ChangeKind::Removed,
        };
        let changes = overview.changed.iter().map(|name| KeptChange {
            name: name.as_str().to_owned(),
            change: kind(name).as_str().to_owned(),
            source: None,
            overridden: false,
        });
        Self {
            changes: changes.collect(),
            warnings: Vec::new(),
            tokens: Vec::new(),
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
        let is_new = overview.op == Op::Create;
        Outcome {
            status: match is_unchanged {
                _ if is_new => Status::Created,
                true => Status::Unchanged,
                false => Status::Updated,
            },
            id: overview.id.as_str().to_owned(),
            version_before: overview.version.before().filter(|_| !is_new),
            version_after: overview.version,
            changes,
            warnings: warnings.collect(),
            tokens: self.tokens,
            outputs: Default::default(),
            replayed: true,
        }
    }
}

impl<'t> Strict<'t> for SecretsPart {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        fields!(reader, refuse, { "properties" => properties, } { "outcome" => outcome, "extra" => extra, });
        let extra: Option<ExtraText<'t, { limits::SECRETS_EXTRA_LEN_MAX }>> = extra;
        Ok(Self {
            properties,
            outcome,
            extra: extra.map(|ExtraText(extra)| Text::new(extra.to_owned())),
        })
    }
}

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
