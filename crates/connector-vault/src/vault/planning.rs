//! Plans of the caller's own, without an action: create, update, delete, restore, import, and several
//! of them together.

mod actions;
mod import;
mod requests;
mod staging;

use std::fmt;

#[cfg(test)]
pub(crate) use self::requests::request_digest;

pub use self::import::{Import, OnConflict};
use self::staging::Staging;
use super::Vault;
use crate::action::Options;
use crate::connector::{
    Connector, ConnectorId, Extras, NewConnector, Properties, PropertyChanges, Version,
};
use crate::crypto::Hash;
use crate::error::{Error, Result};
use crate::plan::{Base, Draft, Newest, Plan, Step};
use crate::source::{Memory, Source};
use crate::time::Timestamp;

/// Several changes that become one commit: all of them happen or none, and each sees what the ones
/// before it do. [`Vault::plan_changes`] hands it to its caller.
pub struct Changing<'v, S = Memory> {
    staging: Staging<'v, S>,
    plans: Vec<Plan>,
}

impl<S> fmt::Debug for Changing<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Changing({}, ..)", self.plans.len())
    }
}

impl<S: Source> Changing<'_, S> {
    /// Creates a connector. Fails with `connector_exists`.
    pub fn create(&mut self, connector: NewConnector) -> Result<()> {
        let plan = self.staging.create(&connector, &Options::default())?;
        self.plans.push(plan);
        Ok(())
    }

    /// Sets and removes properties of a connector. Fails with `connector_not_found`.
    pub fn update(&mut self, id: &str, changes: impl Into<PropertyChanges>) -> Result<()> {
        let plan = self
            .staging
            .update(id, &changes.into(), &Options::default())?;
        self.plans.push(plan);
        Ok(())
    }

    /// Makes the properties of a kept version the present ones. A version that the same commit makes is
    /// not kept yet. Fails with `connector_not_found` or `version_not_found`.
    pub fn restore(&mut self, id: &str, version: Version) -> Result<()> {
        let plan = self.staging.restore(id, version, &Options::default())?;
        self.plans.push(plan);
        Ok(())
    }

    /// Deletes a connector. Fails with `connector_not_found`.
    pub fn delete(&mut self, id: &str) -> Result<()> {
        let plan = self.staging.delete(id, &Options::default())?;
        self.plans.push(plan);
        Ok(())
    }
}

impl<S: Source> Vault<S> {
    /// A plan that creates a connector under an id of the caller's choice, its properties taken
    /// literally. Fails with `connector_exists`. An id that was deleted continues its versions.
    pub fn plan_create(&self, connector: &NewConnector, options: &Options) -> Result<Plan> {
        Staging::new(self, Timestamp::unknown()).create(connector, options)
    }

    /// A plan that sets and removes properties of a connector, their values taken literally.
    /// Properties that it does not name keep their values. Fails with `connector_not_found`.
    pub fn plan_update(
        &self,
        id: &str,
        changes: impl Into<PropertyChanges>,
        options: &Options,
    ) -> Result<Plan> {
        Staging::new(self, Timestamp::unknown()).update(id, &changes.into(), options)
    }

    /// A plan that deletes a connector. Its kept versions stay in the history.
    /// Fails with `connector_not_found`.
    pub fn plan_delete(&self, id: &str, options: &Options) -> Result<Plan> {
        Staging::new(self, Timestamp::unknown()).delete(id, options)
    }

    /// A plan that makes the properties of a kept version the present ones.
    /// Fails with `connector_not_found` or `version_not_found`.
    pub fn plan_restore(&self, id: &str, version: Version, options: &Options) -> Result<Plan> {
        Staging::new(self, Timestamp::unknown()).restore(id, version, options)
    }

    /// Plans several changes, to be committed together. Fails with the error of `change`.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let owner = NewOwner::identity("ops", Identity::generate(host.rng));
    /// # let (vault, _) = Vault::create(&mut host, &owner)?;
    /// let plans = vault.plan_changes::<Error>(|change| {
    ///     change.create(NewConnector::new("x", "Name", "Type").property("APIKey", "a"))?;
    ///     change.update("x", [("APIKey", "b")])
    /// })?;
    /// let prepared = vault.prepare_all(plans, &mut host)?;
    /// assert_eq!(prepared.outcomes()[1].version_after.get(), 2);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn plan_changes<E: From<Error>>(
        &self,
        change: impl FnOnce(&mut Changing<'_, S>) -> Result<(), E>,
    ) -> Result<Vec<Plan>, E> {
        let mut changing = Changing {
            staging: Staging::new(self, Timestamp::unknown()),
            plans: Vec::new(),
        };
        change(&mut changing)?;
        Ok(changing.plans)
    }

    pub(super) fn plan_on_newest(
        &self,
        mut draft: Draft,
        request_digest: Option<Hash>,
    ) -> Result<Plan> {
        // Also behind a delete, of which a draft of a new connector knows nothing.
        if let Some(newest) = self.newest(draft.id.as_str())? {
            let opened = self.opened(&newest);
            draft.extras.overview = match opened {
                Ok(opened) => opened.extra,
                Err(error) if error.missing().is_some() => return Err(error),
                // What is damaged or false is what a restore or a delete is for.
                Err(_) => None,
            };
        }
        Ok(Plan(Step::Draft {
            base: self.base_of(&draft.id)?,
            draft: Box::new(draft),
            request_digest,
        }))
    }

    /// What a plan for a connector is made on.
    pub(super) fn base_of(&self, id: &ConnectorId) -> Result<Base> {
        let newest = self.newest(id.as_str())?;
        Ok(Base {
            vault_id: *self.header.vault_id.as_bytes(),
            epoch: self.header.epoch,
            newest: Newest::Stored(newest.map(|newest| newest.entry.overview_hash)),
        })
    }

    /// A connector as far as its overview tells.
    pub(super) fn without_values(&self, id: &str) -> Result<Connector> {
        let opened = self.opened(&self.present(id)?)?;
        let overview = opened.overview;
        Ok(Connector {
            id: overview.id,
            name: overview.name,
            type_name: overview.type_name,
            version: overview.version,
            updated_at: overview.at,
            created_at: overview.created_at,
            rotated_at: overview.rotated_at,
            meta: overview.meta,
            properties: Properties::new(),
            extras: Extras {
                overview: opened.extra,
                secrets: None,
            },
        })
    }
}
