//! Request ids: a repeated request is answered from the version that it made (docs/format.md section 8.7).

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::action::RequestId;
use crate::connector::{ConnectorId, Version};
use crate::crypto::Hash;
use crate::crypto::kdf;
use crate::crypto::label::{self, bind};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::plan::Outcome;
use crate::source::Source;
use crate::time::Timestamp;
use crate::vault::Vault;
use crate::vault::index::Stored;
use crate::vault::record::{Broken, KeptOutcome};

impl<S: Source> Vault<S> {
    /// The first outcome of a request of this grant, if it was carried out and its version is kept. Versions of
    /// others answer nothing, and only this identity can make the `mac` that is compared.
    ///
    /// Fails with `request_id_reused` if the request was another one, with `request_too_old` if
    /// versions are missing that may have remembered it, and with `false_record` if the version is false.
    pub(super) fn answered(
        &self,
        id: &ConnectorId,
        request_id: &RequestId,
        digest: &Hash,
        now: &Timestamp,
    ) -> Result<Option<Outcome>> {
        let overviews = self.index.versions(id.as_str()).map(Stored::overview);
        self.want(overviews)?;
        let versions = self.index.versions(id.as_str()).rev();
        for stored in versions.filter(|stored| stored.has_request) {
            let opened = self.opened(stored)?;
            let overview = &opened.overview;
            let is_found = overview.request_id.as_deref() == Some(request_id.as_str())
                && overview.author == self.access.grant;
            if !is_found {
                continue;
            }
            if self.signed_by(&opened).is_none() {
                let found = self.false_version(stored, &opened, Broken::Signature)?;
                return Err(found.into_error());
            }
            let mac = self.request_mac(id, request_id, digest);
            let is_same = opened
                .request_mac
                .is_some_and(|found| found.ct_eq(&mac).into());
            if !is_same {
                return Err(Error::new(
                    Code::RequestIdReused,
                    format!(
                        "the request id was used for version {} of this connector with other content",
                        stored.version
                    ),
                )
                .with_hint("use a new request id for a new request"));
            }
            let outcome = self.unseal(stored)?.outcome;
            let outcome = outcome.unwrap_or_else(|| KeptOutcome::of_overview(overview));
            return Ok(Some(outcome.replay(overview)));
        }
        match self.remembers_requests(id, now)? {
            true => Ok(None),
            false => Err(Error::new(
                Code::RequestTooOld,
                "versions of this connector that are not kept may have remembered the request id",
            )
            .with_hint(
                "look whether the change is there; if it is not, run the action without a request id, \
                 with the connector's version as condition",
            )),
        }
    }

    /// Whether the kept versions of a connector reach back to its first, or as long as request ids are
    /// remembered.
    fn remembers_requests(&self, id: &ConnectorId, now: &Timestamp) -> Result<bool> {
        let mut oldest = None;
        for stored in self.index.versions(id.as_str()).rev() {
            let next = oldest.map(|newer: &Stored| newer.version);
            if next.is_some_and(|next| stored.version.next() != next) {
                break;
            }
            oldest = Some(stored);
        }
        let Some(oldest) = oldest.filter(|oldest| oldest.version != Version::FIRST) else {
            return Ok(true);
        };
        let made = self.overview_of(oldest)?.at;
        Ok(made.is_older_than(limits::REQUEST_SECONDS_KEPT, now))
    }

    /// The HMAC by which this grant knows its request again. A viewer cannot test guesses of values with it.
    pub(crate) fn request_mac(
        &self,
        id: &ConnectorId,
        request_id: &RequestId,
        digest: &Hash,
    ) -> Hash {
        let identity = self.access.identity.as_bytes();
        let key = kdf::derive_key(identity, label::REQUEST_KEY, &[]);
        let inputs: [&[u8]; 4] = [
            self.header.vault_id.as_bytes(),
            id.as_str().as_bytes(),
            request_id.as_str().as_bytes(),
            digest,
        ];
        kdf::mac(&key, label::REQUEST_MAC, &inputs)
    }

    /// The id of the connector that a request of this grant creates.
    pub(super) fn created_id(&self, request_id: &RequestId) -> ConnectorId {
        let inputs: [&[u8]; 2] = [
            self.header.vault_id.as_bytes(),
            request_id.as_str().as_bytes(),
        ];
        let identity = self.access.identity.as_bytes();
        let key = kdf::derive_key(identity, label::CREATED_ID, &inputs);
        let (bytes, _) = key.split_first_chunk().expect("32 bytes hold 16");
        ConnectorId::from_random(*bytes)
    }
}

/// SHA-256 of a request, by its parts.
pub(crate) fn request_digest(parts: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(bind(label::REQUEST, &[]));
    hasher.update(parts);
    hasher.finalize().into()
}
