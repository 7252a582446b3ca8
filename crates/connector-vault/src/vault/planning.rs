//! Plans of the caller's own, without an action: create, import, delete, restore.

mod actions;

#[cfg(test)]
pub(crate) use self::actions::request_digest;

use self::actions::refuse_request_id;
use super::Vault;
use crate::action::{Changes, NewConnector, NewConnectors, Options, Source, Write};
use crate::connector::{Connector, ConnectorId, Op, Properties, Version, check_name};
use crate::crypto::Hash;
use crate::error::{Code, Error, Result};
use crate::plan::{self, Base, Draft, NewEntry, Newest, Plan, Step};
use crate::role::Role;

impl Vault {
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
        let entry = NewEntry {
            id,
            name,
            type_name,
            tombstone: before.map(|before| before.version),
        };
        let draft = plan::add(entry, &changes, options).map_err(|error| match error.code() {
            // There is no value yet that leaving it out would keep.
            Code::MaskValue => error.hint("give the value itself, or allow masks for this request"),
            _ => error,
        })?;
        self.plan_on_newest(draft, None)
    }

    /// Plans that create the connectors of a document, to be committed together. Fails with
    /// `connector_exists` if one of them is there.
    pub fn plan_import(&self, connectors: &NewConnectors, options: &Options) -> Result<Vec<Plan>> {
        let list = connectors.iter();
        let plans = list.map(|(place, connector)| {
            let NewConnector {
                id,
                name,
                type_name,
                properties,
            } = connector;
            self.plan_create(id.clone(), name, type_name, properties, options)
                .map_err(|error| error.within(place))
        });
        let mut plans: Vec<Plan> = plans.collect::<Result<_>>()?;
        if let (Some(Plan(Step::Draft { draft, .. })), Some(warning)) =
            (plans.first_mut(), connectors.warning())
        {
            draft.warnings.insert(0, warning);
        }
        Ok(plans)
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
            newest: Newest::Stored(newest.map(|newest| *newest.record_id.as_bytes())),
        })
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
