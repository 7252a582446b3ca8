//! A connector version <-> a sealed record: overview and secrets (docs/format.md section 8).

mod overview;
mod secrets;

pub use self::overview::{Authored, Overview};
pub(crate) use self::overview::{OverviewText, Text};
pub(crate) use self::secrets::{KeptOutcome, RequestPart, SecretsPart};

use rand_core::CryptoRng;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::access::{Bundle, not_permitted};
use crate::connector::Version;
use crate::crypto::aead::{SealingKey, padded_len};
use crate::crypto::kdf::{self, Key};
use crate::crypto::label::{self, bind};
use crate::error::{Code, Error, Result};
use crate::format::commit;
use crate::format::hex::VaultId;
use crate::json::strict;

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
        let text = std::str::from_utf8(&plaintext).ok();
        let parsed = text.and_then(|text| strict::read(text.trim_end_matches(' ')).ok());
        parsed.ok_or_else(|| {
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::connector::{Op, Properties, PropertyName};
    use crate::format::hex::{GrantId, Hex, RecordId};
    use crate::limits;
    use crate::secret::Secret;

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
            let _ = OverviewText::parse(&bytes);
        }
    }
}
