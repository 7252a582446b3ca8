//! A connector version <-> a sealed record: overview and secrets (docs/format.md section 8).

use std::borrow::Cow;
use std::fmt;

use rand_core::CryptoRng;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::access::{Bundle, not_permitted};
use crate::action::{Source, Warning, WarningCode};
use crate::connector::{
    ConnectorId, Op, Properties, PropertyName, Secret, Timestamp, Version, check_name, check_text,
};
use crate::crypto::aead::{SealingKey, padded_len};
use crate::crypto::kdf::{self, Key};
use crate::crypto::label::{self, bind};
use crate::error::{Code, Error, Result};
use crate::format::hex::{GrantId, Hex, RecordId, VaultId};
use crate::format::{Object, commit};
use crate::limits;
use crate::plan::{Change, ChangeKind, Outcome, Status};

/// The keys of an epoch at work: what seals and opens records.
#[derive(Clone)]
pub(crate) struct RecordKeys {
    vault_id: VaultId,
    epoch: u64,
    overview: SealingKey,
    overview_context: Vec<u8>,
    secret_root: Option<Key>,
}

impl RecordKeys {
    pub(crate) fn new(bundle: &Bundle, vault_id: VaultId, epoch: u64) -> Self {
        Self {
            vault_id,
            epoch,
            overview: SealingKey::new(&bundle.overview),
            overview_context: bind(
                label::OVERVIEW,
                &[vault_id.as_bytes(), &epoch.to_le_bytes()],
            ),
            secret_root: bundle.secret_root.clone(),
        }
    }

    /// Appends the overview's plaintext to `out`.
    pub(crate) fn open_overview(&self, sealed: &[u8], out: &mut Vec<u8>) -> bool {
        self.overview.open(&self.overview_context, sealed, out)
    }

    /// Opens the secrets of a connector version. Fails with `not_permitted` for a viewer, with
    /// `damaged` if they do not belong here.
    pub(crate) fn open_secrets(
        &self,
        id: &str,
        version: Version,
        sealed: &[u8],
    ) -> Result<SecretsPart> {
        let mut plaintext = Zeroizing::new(Vec::with_capacity(sealed.len()));
        let context = self.secrets_context(id, version);
        if !self.secrets_key(id)?.open(&context, sealed, &mut plaintext) {
            return Err(Error::new(
                Code::Damaged,
                format!("the secrets of version {version} of the connector {id:?} do not open"),
            ));
        }
        let parsed: Result<Object<SecretsPart>, _> = serde_json::from_slice(&plaintext);
        parsed.map(|Object(secrets)| secrets).map_err(|_| {
            Error::new(
                Code::Damaged,
                format!("the secrets of version {version} of the connector {id:?} do not follow the format"),
            )
        })
    }

    /// The sealed record of a connector version. `secrets` is `None` exactly for a delete.
    pub(crate) fn seal(
        &self,
        rng: &mut dyn CryptoRng,
        overview: &OverviewText<'_, Vec<Text<'_>>>,
        secrets: Option<&SecretsPart>,
    ) -> Result<Vec<u8>> {
        let mut sealed_overview = Vec::new();
        let plaintext = padded_json(overview);
        self.overview.seal(
            rng,
            &self.overview_context,
            &plaintext,
            &mut sealed_overview,
        );
        let mut sealed_secrets = Vec::new();
        if let Some(secrets) = secrets {
            let version = Version::new(overview.version)?;
            let plaintext = padded_json(secrets);
            let context = self.secrets_context(&overview.id, version);
            self.secrets_key(&overview.id)?
                .seal(rng, &context, &plaintext, &mut sealed_secrets);
        }
        commit::encode_record(&sealed_overview, &sealed_secrets)
    }

    /// A record of any texts: what no writer makes.
    #[cfg(test)]
    pub(crate) fn seal_text(
        &self,
        rng: &mut dyn CryptoRng,
        overview: &[u8],
        secrets: (&str, u64, &[u8]),
    ) -> Vec<u8> {
        let (id, version, secrets) = secrets;
        let mut sealed = (Vec::new(), Vec::new());
        self.overview
            .seal(rng, &self.overview_context, overview, &mut sealed.0);
        let context = self.secrets_context(id, Version::new(version).expect("from 1"));
        self.secrets_key(id).expect("a role that reads").seal(
            rng,
            &context,
            secrets,
            &mut sealed.1,
        );
        commit::encode_record(&sealed.0, &sealed.1).expect("small")
    }

    /// One key per connector leaves room for grants that are scoped to a few connectors.
    fn secrets_key(&self, id: &str) -> Result<SealingKey> {
        let root = self
            .secret_root
            .as_ref()
            .ok_or_else(|| not_permitted("this grant cannot read values"))?;
        Ok(SealingKey::new(&kdf::derive_key(
            root,
            label::SECRETS_KEY,
            &[id.as_bytes()],
        )))
    }

    fn secrets_context(&self, id: &str, version: Version) -> Vec<u8> {
        bind(
            label::SECRETS,
            &[
                self.vault_id.as_bytes(),
                &self.epoch.to_le_bytes(),
                id.as_bytes(),
                &version.get().to_le_bytes(),
            ],
        )
    }
}

/// JSON and spaces up to the padded length.
fn padded_json(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut writer = WipingWriter(Zeroizing::new(Vec::with_capacity(1024)));
    serde_json::to_writer(&mut writer, value)
        .expect("string keys, and a writer that does not fail");
    let len = writer.0.len();
    writer.reserve(padded_len(len) - len);
    writer.0.resize(padded_len(len), b' ');
    writer.0
}

/// Grows without leaving copies of what it holds.
struct WipingWriter(Zeroizing<Vec<u8>>);

impl WipingWriter {
    fn reserve(&mut self, more: usize) {
        let needed = self.0.len() + more;
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
    }
}

impl std::io::Write for WipingWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The overview of a record, borrowed from its plaintext; `N` is what its lists of names become.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverviewText<'a, N> {
    pub(crate) record_id: RecordId,
    pub(crate) op: Op,
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub(crate) type_name: Cow<'a, str>,
    pub(crate) version: u64,
    #[serde(borrow)]
    pub(crate) at: Cow<'a, str>,
    pub(crate) author: GrantId,
    pub(crate) properties: N,
    /// Absent: all of `properties`.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub(crate) changed: Option<N>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<Cow<'a, str>>,
}

/// A name, borrowed where JSON needs no unescaping.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Checks a list of names and keeps none.
pub(crate) struct CheckedNames;

impl<'de> Deserialize<'de> for CheckedNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = CheckedNames;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("property names")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<CheckedNames, A::Error> {
                let mut count = 0;
                while let Some(Text(name)) = names.next_element()? {
                    count += 1;
                    if count > limits::PROPERTIES_MAX || !is_property_name(&name) {
                        return Err(A::Error::custom(
                            "not the names of a connector's properties",
                        ));
                    }
                }
                Ok(CheckedNames)
            }
        }
        deserializer.deserialize_seq(Names)
    }
}

fn is_property_name(name: &str) -> bool {
    (1..=limits::PROPERTY_NAME_LEN_MAX).contains(&name.len())
}

impl<'a, N: Deserialize<'a>> OverviewText<'a, N> {
    /// Reads the plaintext of an overview and checks its parts.
    pub(crate) fn parse(plaintext: &'a [u8]) -> Result<Self> {
        let damaged = |what| Error::new(Code::Damaged, format!("an overview {what}"));
        // Once for all of it: faster than string by string.
        let text = std::str::from_utf8(plaintext).map_err(|_| damaged("is not UTF-8"))?;
        // serde would take an array of the values too.
        if !text.starts_with('{') {
            return Err(damaged("is no JSON object"));
        }
        let overview: Self = serde_json::from_str(text.trim_end_matches(' '))
            .map_err(|_| damaged("does not follow the format"))?;
        let checks = ConnectorId::check(&overview.id)
            .and_then(|()| check_name("connector name", &overview.name))
            .and_then(|()| check_name("connector type", &overview.type_name))
            .and_then(|()| Timestamp::check(&overview.at))
            .and_then(|()| check_optional("note", overview.note.as_deref()))
            .and_then(|()| check_optional("request id", overview.request_id.as_deref()));
        if checks.is_err() || !(1..=limits::COUNTER_MAX).contains(&overview.version) {
            return Err(damaged(
                "holds an id, name, type, time, note, request id or version that is not valid",
            ));
        }
        Ok(overview)
    }
}

fn check_optional(what: &'static str, text: Option<&str>) -> Result<()> {
    text.map_or(Ok(()), |text| {
        check_text(what, text, limits::NOTE_LEN_MAX, Code::Damaged)
    })
}

/// A connector without its values: what every role may list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overview {
    /// Its id, which never changes.
    pub id: ConnectorId,
    /// Its name, for people.
    pub name: String,
    /// Its type, for the platform.
    pub type_name: String,
    /// This version.
    pub version: Version,
    /// How this version came to be.
    pub op: Op,
    /// When it was made, by its author's clock.
    pub at: Timestamp,
    /// The grant that made it.
    pub author: GrantId,
    /// The names of its properties, in order.
    pub properties: Vec<PropertyName>,
    /// The names that this version added, changed or removed.
    pub changed: Vec<PropertyName>,
    /// What its author noted.
    pub note: Option<String>,
    /// The idempotency key of the request that made it.
    pub request_id: Option<String>,
    /// Which version this is, also after compaction and in copies.
    pub record_id: RecordId,
}

impl Overview {
    pub(crate) fn parse(plaintext: &[u8]) -> Result<Self> {
        let text = OverviewText::<Vec<Text<'_>>>::parse(plaintext)?;
        let names = |names: Vec<Text<'_>>| {
            names
                .into_iter()
                .map(|Text(name)| PropertyName::new(name))
                .collect::<Result<Vec<_>>>()
        };
        let properties = names(text.properties)?;
        let changed = text
            .changed
            .map(names)
            .transpose()?
            .unwrap_or_else(|| properties.clone());
        Ok(Self {
            id: ConnectorId::new(text.id)?,
            name: text.name.into_owned(),
            type_name: text.type_name.into_owned(),
            version: Version::new(text.version)?,
            op: text.op,
            at: Timestamp::new(text.at)?,
            author: text.author,
            properties,
            changed,
            note: text.note.map(Cow::into_owned),
            request_id: text.request_id.map(Cow::into_owned),
            record_id: text.record_id,
        })
    }
}

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

    pub(super) fn serialize<S: Serializer>(
        properties: &Properties,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(properties.len()))?;
        for (name, value) in properties.iter() {
            map.serialize_entry(name, value.expose())?;
        }
        map.end()
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A sealed record opens to what it was, and under nothing else.
        #[test]
        fn records(
            id in "[^\\p{Cc}]{1,40}", version in 1..=limits::COUNTER_MAX, epoch: u64,
            names in vec(".{1,20}", 0..5), note in proptest::option::of("[^\\p{Cc}]{1,20}"),
            value in ".{0,1500}", keys: [[u8; 32]; 2], vault_id: [u8; 32],
        ) {
            let bundle = Bundle {
                overview: Zeroizing::new(keys[0]),
                secret_root: Some(Zeroizing::new(keys[1])),
                vault_key: None,
            };
            let keys = RecordKeys::new(&bundle, VaultId(Hex(vault_id)), epoch);
            let mut properties = Properties::new();
            for name in &names {
                let value = Secret::new(value.as_str()).expect("short");
                properties.set(PropertyName::new(name.as_str()).expect("valid"), value).expect("few");
            }
            let texts = || properties.names().map(|name| Text(name.as_str().into())).collect::<Vec<_>>();
            let overview = OverviewText {
                record_id: RecordId(Hex([1; 16])),
                op: Op::Update,
                id: id.as_str().into(),
                name: "Name".into(),
                type_name: "Type".into(),
                version,
                at: "2026-11-23T20:15:00.000Z".into(),
                author: GrantId(Hex([2; 8])),
                properties: texts(),
                changed: Some(texts()),
                note: note.as_deref().map(Into::into),
                request_id: None,
            };
            let secrets = SecretsPart { properties: properties.clone(), request: None };
            let mut rng = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(1);
            let record = keys.seal(&mut rng, &overview, Some(&secrets)).expect("small");
            let (sealed_overview, sealed_secrets) = commit::split_record(&record, 0).expect("whole");
            let mut plaintext = Vec::new();
            prop_assert!(keys.open_overview(sealed_overview, &mut plaintext));
            prop_assert_eq!(padded_len(plaintext.len()), plaintext.len());
            let opened = Overview::parse(&plaintext).expect("its own");
            prop_assert_eq!(opened.id.as_str(), id.as_str());
            prop_assert_eq!(opened.version.get(), version);
            prop_assert_eq!(&opened.note, &note);
            prop_assert!(opened.properties.iter().eq(properties.names()));
            let opened = keys.open_secrets(&id, opened.version, sealed_secrets).expect("its own");
            prop_assert_eq!(&opened.properties, &properties);
            let other = RecordKeys::new(&bundle, VaultId(Hex(vault_id)), epoch.wrapping_add(1));
            prop_assert!(!other.open_overview(sealed_overview, &mut Vec::new()));
            let version = Version::new(version).expect("from 1").next();
            prop_assert!(keys.open_secrets(&id, version, sealed_secrets).is_err());
        }

        #[test]
        fn no_plaintext_makes_parsing_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = Overview::parse(&bytes);
            let _ = OverviewText::<CheckedNames>::parse(&bytes);
        }
    }
}
