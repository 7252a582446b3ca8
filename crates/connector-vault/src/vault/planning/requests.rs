//! Request ids: a repeated request is answered from the version that it made (docs/format.md section 8.7).

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::action::RequestId;
use crate::connector::{ConnectorId, Op};
use crate::crypto::Hash;
use crate::crypto::kdf;
use crate::crypto::label::{self, bind};
use crate::crypto::mac::MacKey;
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::plan::Outcome;
use crate::role::Capability;
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
        let versions = self.versions(id.as_str())?;
        let hint = self.index.keys.hint(id.as_str(), request_id.as_str());
        let hinted = || {
            let newest_first = versions.iter().rev();
            newest_first.filter(|stored| stored.entry.hint == hint)
        };
        let is_read = |stored: &Stored| {
            stored.entry.op != Op::Patch && self.may(stored.entry.group, Capability::Read)
        };
        self.want(hinted().flat_map(|stored| {
            let [overview, secrets] = stored.record();
            [overview]
                .into_iter()
                .chain(is_read(stored).then_some(secrets))
        }))?;
        for stored in hinted() {
            let opened = self.opened(stored)?;
            let overview = &opened.overview;
            let is_found = overview.request_id.as_deref() == Some(request_id.as_str())
                && overview.author == self.access.grant;
            if !is_found {
                continue;
            }
            if self.signed_by(&opened).is_none() {
                let fault = self.fault(stored, Some(&opened), Broken::Signature)?;
                return Err(fault.into_error());
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
                        stored.entry.version
                    ),
                )
                .with_hint("use a new request id for a new request"));
            }
            let outcome = match is_read(stored) {
                true => self.unseal(stored)?.outcome,
                false => Some(KeptOutcome::of_unread(overview)),
            };
            let outcome = outcome.unwrap_or_else(|| KeptOutcome::of_overview(overview));
            return Ok(Some(outcome.replay(overview)));
        }
        match self.remembers_requests(&versions, now) {
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

    /// Whether a request id that is not found is new: the kept versions of the connector reach back without a gap to
    /// its first, or no snapshot of the last seven days has left out a request of this grant.
    fn remembers_requests(&self, versions: &[Stored], now: &Timestamp) -> bool {
        let numbers = versions.iter().map(|stored| stored.entry.version.get());
        let is_whole = (1..)
            .zip(numbers)
            .all(|(number, version)| number == version);
        let grant = &self.header.grants[usize::from(self.access.index)];
        let left_out = grant.requests_from.as_deref().map(Timestamp::new);
        is_whole
            || left_out.is_none_or(|from| {
                from.is_ok_and(|from| from.is_older_than(limits::REQUEST_SECONDS_KEPT, now))
            })
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
        MacKey::new(&key).mac(&bind(label::REQUEST_MAC, &inputs))
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
