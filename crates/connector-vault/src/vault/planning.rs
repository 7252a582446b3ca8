//! From a request to a plan: rights, preconditions and the present state, around the pure
//! computation of `plan` (docs/action.md).

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Host, Vault};
use crate::action::{
    Action, AddRequest, Changes, Kind, NewConnector, NewConnectors, Options, Request, RequestId,
    Source, Write,
};
use crate::connector::{Connector, ConnectorId, Op, Properties, Version, check_name};
use crate::crypto::Hash;
use crate::crypto::label::{self, bind};
use crate::error::{Code, Error, Result};
use crate::format::header::Role;
use crate::plan::{self, Base, Draft, Outcome, Plan, Step};
use crate::token::Tokens;

impl Vault {
    /// What an action would change. Nothing is written.
    ///
    /// Fails with the codes of `docs/action.md`; the vault is as before in any case.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let identity = Identity::generate(host.rng);
    /// # let owner = NewOwner { label: "ops", identity: Some(identity.clone()), passphrase: None };
    /// # let (mut vault, mut file) = Vault::create(&mut host, &owner)?;
    /// # let id = ConnectorId::new("x")?;
    /// # let properties = Properties::from_json(r#"{"APIKey": "a"}"#)?;
    /// # let plan = vault.plan_create(id, "Name", "Type", &properties, &Options::default())?;
    /// # let prepared = vault.prepare(plan, &mut host)?;
    /// # file.extend_from_slice(prepared.to_append().unwrap_or_default());
    /// # vault.apply(prepared)?;
    /// let action = Action::parse(r#"{"ActionType": "Connectors.Update", "Parameters": {
    ///     "EntryId": "x", "PropertiesJson": "{\"APIKey\": \"b\"}"}}"#)?;
    /// let mut tokens = std::collections::BTreeMap::new();
    /// let plan = vault.plan(&action, &mut tokens, &Options::default(), &mut host)?;
    /// assert_eq!(plan.outcome().changes[0].change, ChangeKind::Changed);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn plan(
        &self,
        action: &Action,
        tokens: &mut dyn Tokens,
        options: &Options,
        host: &mut Host<'_>,
    ) -> Result<Plan> {
        self.plan_request(&action.resolve(tokens, options)?, options, host)
    }

    /// What a request, an action whose tokens are expanded, would change. Nothing is written.
    pub fn plan_request(
        &self,
        request: &Request,
        options: &Options,
        host: &mut Host<'_>,
    ) -> Result<Plan> {
        let action = request.action_type().as_str();
        match &request.0 {
            Kind::Update(update) => {
                self.require(Role::updates, action)?;
                let id = update.id.as_str();
                let newest = self
                    .present(id)
                    .map_err(|error| self.for_author(error, id))?;
                let digest = options.request_id.as_ref().map(|_| request_digest(request));
                if let (Some(request_id), Some(digest)) = (&options.request_id, &digest)
                    && let Some(answer) = self.answered(&update.id, request_id, digest)?
                {
                    return Ok(Plan(Step::Answered {
                        id: update.id.clone(),
                        outcome: answer,
                    }));
                }
                let before = self.unseal(newest)?.0;
                self.plan_on_newest(plan::update(&before, update, options)?, digest)
            }
            Kind::Add(add) => {
                self.require(Role::owns, action)?;
                refuse_request_id(options)?;
                let id = ConnectorId::generate(host.rng);
                self.plan_on_newest(plan::add(id, None, add, options)?, None)
            }
            Kind::Delete(delete) => {
                self.require(Role::owns, action)?;
                refuse_request_id(options)?;
                let id = delete.id.as_str();
                let before = self
                    .without_values(id)
                    .map_err(|error| self.for_author(error, id))?;
                let draft = plan::delete(&before, Some(delete), options)?;
                self.plan_on_newest(draft, None)
            }
        }
    }

    /// A plan that creates a connector under an id of the caller's choice, its properties taken
    /// literally. Fails with `connector_exists`. An id that was deleted continues its versions.
    pub fn plan_create(
        &self,
        id: ConnectorId,
        name: impl Into<String>,
        type_name: impl Into<String>,
        properties: &Properties,
        options: &Options,
    ) -> Result<Plan> {
        self.require(Role::owns, "create a connector")?;
        refuse_request_id(options)?;
        let (name, type_name) = (name.into(), type_name.into());
        check_name("connector name", &name)?;
        check_name("connector type", &type_name)?;
        let before = self.index.newest(id.as_str());
        if before.is_some_and(|before| before.op != Op::Delete) {
            return Err(Error::new(
                Code::ConnectorExists,
                format!("there is a connector {:?} already", id.as_str()),
            )
            .hint("update it, or choose another id"));
        }
        let writes = properties.iter().map(|(name, value)| Write {
            name: name.clone(),
            value: Some(value.clone()),
            source: Source::Grid,
            overridden: false,
        });
        let changes = Changes {
            writes: writes.collect(),
            ..Changes::default()
        };
        let request = AddRequest {
            name,
            type_name,
            changes,
        };
        let tombstone = before.map(|before| before.version);
        let draft =
            plan::add(id, tombstone, &request, options).map_err(|error| match error.code() {
                // There is no value yet that leaving it out would keep.
                Code::MaskValue => {
                    error.hint("give the value itself, or allow masks for this request")
                }
                _ => error,
            })?;
        self.plan_on_newest(draft, None)
    }

    /// Plans that create the connectors of a document, to be committed together. Fails with
    /// `connector_exists` if one of them is there.
    pub fn plan_import(&self, connectors: &NewConnectors, options: &Options) -> Result<Vec<Plan>> {
        let connectors = connectors.iter();
        connectors
            .map(|(place, connector)| {
                let NewConnector {
                    id,
                    name,
                    type_name,
                    properties,
                } = connector;
                self.plan_create(id.clone(), name, type_name, properties, options)
                    .map_err(|error| error.within(place))
            })
            .collect()
    }

    /// A plan that deletes a connector. Its kept versions stay in the history.
    /// Fails with `connector_not_found`.
    pub fn plan_delete(&self, id: &str, options: &Options) -> Result<Plan> {
        self.require(Role::owns, "delete a connector")?;
        refuse_request_id(options)?;
        let before = self.without_values(id)?;
        self.plan_on_newest(plan::delete(&before, None, options)?, None)
    }

    /// A plan that makes the properties of a kept version the present ones.
    /// Fails with `connector_not_found` or `version_not_found`.
    pub fn plan_restore(&self, id: &str, version: Version, options: &Options) -> Result<Plan> {
        self.require(Role::updates, "restore a connector")?;
        refuse_request_id(options)?;
        // A version that does not read is what a restore is for.
        let before = match self.read(id) {
            Err(error) if matches!(error.code(), Code::Damaged | Code::NamesMismatch) => {
                self.without_values(id)?
            }
            before => before?,
        };
        let then = self.read_version(id, version)?;
        let draft = plan::replace(&before, &then.properties, Op::Restore, options)?;
        self.plan_on_newest(draft, None)
    }

    pub(super) fn plan_on_newest(
        &self,
        draft: Draft,
        request_digest: Option<Hash>,
    ) -> Result<Plan> {
        Ok(Plan(Step::Draft {
            base: self.base_of(&draft.id)?,
            draft,
            request_digest,
        }))
    }

    /// What a plan for a connector is made on.
    pub(super) fn base_of(&self, id: &ConnectorId) -> Result<Base> {
        let newest = self.index.newest(id.as_str());
        let newest = newest
            .map(|newest| self.index.overview(newest))
            .transpose()?;
        Ok(Base {
            vault_id: *self.header.vault_id.as_bytes(),
            epoch: self.header.epoch,
            record_id: newest.map(|newest| *newest.record_id.as_bytes()),
        })
    }

    /// The first outcome of a request, if it was carried out and its version is kept.
    /// Fails with `request_id_reused` if the request was another one.
    fn answered(
        &self,
        id: &ConnectorId,
        request_id: &RequestId,
        digest: &Hash,
    ) -> Result<Option<Outcome>> {
        for stored in self
            .index
            .versions(id.as_str())
            .rev()
            .filter(|stored| stored.has_request)
        {
            let overview = self.index.overview(stored)?;
            if overview.request_id.as_deref() != Some(request_id.as_str()) {
                continue;
            }
            let (_, request) = self.unseal(stored)?;
            return match request {
                Some(first) if first.digest.0.ct_eq(digest).into() => Ok(Some(first.outcome)),
                _ => Err(Error::new(
                    Code::RequestIdReused,
                    format!("the request id was used for version {} of this connector with other content", stored.version),
                )
                .hint("use a new request id for a new request")),
            };
        }
        Ok(None)
    }

    /// A connector as far as its overview tells.
    pub(super) fn without_values(&self, id: &str) -> Result<Connector> {
        let overview = self.connector(id)?;
        Ok(Connector {
            id: overview.id,
            name: overview.name,
            type_name: overview.type_name,
            version: overview.version,
            updated_at: overview.at,
            properties: Properties::new(),
        })
    }
}

fn refuse_request_id(options: &Options) -> Result<()> {
    match options.request_id {
        None => Ok(()),
        Some(_) => Err(Error::new(
            Code::InvalidArgument,
            "a request id works with Connectors.Update only",
        )),
    }
}

pub(super) fn request_digest(request: &Request) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(bind(label::REQUEST, &[]));
    hasher.update(&*request.digest_parts());
    hasher.finalize().into()
}
