//! Plans of the caller's own, without an action: create, update, delete, restore, describe, move, undelete, import,
//! and several of them together.

mod actions;
mod import;
mod requests;
mod staging;

use std::fmt;

#[cfg(test)]
pub(crate) use self::requests::request_digest;

pub use self::import::{Import, OnConflict};
use self::staging::BeforeUpdate;
pub(crate) use self::staging::Staging;
use super::Vault;
use super::index::{Entry, Stored};
use super::record::OpenedOverview;
use crate::action::Options;
use crate::connector::{
    Connector, ConnectorId, Description, Extras, NewConnector, Properties, PropertyChanges,
    PropertyName, Version,
};
use crate::crypto::Hash;
use crate::error::{Code, Error, Result};
use crate::format::header::DEFAULT_GROUP;
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

    /// Gives a connector another name, type or meta. Fails with `connector_not_found`.
    pub fn describe(&mut self, id: &str, description: &Description) -> Result<()> {
        let plan = self
            .staging
            .describe(id, description, &Options::default())?;
        self.plans.push(plan);
        Ok(())
    }

    /// Moves a connector to the group of this name. Fails with `connector_not_found` or `group_not_found`.
    pub fn move_connector(&mut self, id: &str, group: &str) -> Result<()> {
        let plan = self.staging.move_to(id, group, &Options::default())?;
        self.plans.push(plan);
        Ok(())
    }

    /// Brings a deleted connector back, as [`Vault::plan_undelete`] does. A connector that the same commit deletes is
    /// not deleted yet.
    pub fn undelete(&mut self, id: &str, source: Option<Version>) -> Result<()> {
        let plan = self.staging.undelete(id, source, &Options::default())?;
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

    /// A plan that gives a connector another name, type or meta. Its values stay, and are as old as they were. Where
    /// nothing would differ, the plan is unchanged.
    ///
    /// Fails with `connector_not_found`, and with the error of a newest version that is damaged or false.
    pub fn plan_describe(
        &self,
        id: &str,
        description: &Description,
        options: &Options,
    ) -> Result<Plan> {
        Staging::new(self, Timestamp::unknown()).describe(id, description, options)
    }

    /// A plan that moves a connector to the group of this name: from then on the members of that group list it, and
    /// those of its former group do not. Its former versions stay in the groups where they were made. In the group
    /// where it is already, the plan is unchanged.
    ///
    /// Whoever could read it in its former group may still know its values: update them.
    ///
    /// Fails with `connector_not_found` or `group_not_found`, with `not_permitted` unless the grant manages both
    /// groups, and with the error of a newest version that is damaged or false.
    pub fn plan_move(&self, id: &str, group: &str, options: &Options) -> Result<Plan> {
        Staging::new(self, Timestamp::unknown()).move_to(id, group, options)
    }

    /// A plan that brings a deleted connector back, with name, type, meta and values of a kept version: `source`, or
    /// the newest one that is not false. Its values are as old as they were then.
    ///
    /// Fails with `connector_not_found`, with `connector_exists` if it is not deleted, with `version_not_found` if no
    /// version with values is kept, and with `damaged` if the newest one is: name an older one as `source`.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let owner = NewOwner::identity("ops", Identity::generate(host.rng));
    /// # let (mut vault, _) = Vault::create(&mut host, &owner)?;
    /// # let plans = vault.plan_changes::<Error>(|change| {
    /// #     change.create(NewConnector::new("x", "Name", "Type").property("APIKey", "a"))?;
    /// #     change.delete("x")
    /// # })?;
    /// # let prepared = vault.prepare_all(plans, &mut host)?;
    /// # vault.apply(prepared)?;
    /// let plan = vault.plan_undelete("x", None, &Options::default())?;
    /// let prepared = vault.prepare(plan, &mut host)?;
    /// vault.apply(prepared)?;
    /// assert_eq!(vault.read("x")?.version.get(), 3);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn plan_undelete(
        &self,
        id: &str,
        source: Option<Version>,
        options: &Options,
    ) -> Result<Plan> {
        Staging::new(self, Timestamp::unknown()).undelete(id, source, options)
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

    /// The number of the group of a new connector: `default` unless the caller names another one.
    fn group_of_new(&self, name: Option<&str>) -> Result<u16> {
        name.map_or(Ok(DEFAULT_GROUP), |name| self.group_named(name))
    }

    pub(super) fn plan_on_newest(
        &self,
        mut draft: Draft,
        request_digest: Option<Hash>,
    ) -> Result<Plan> {
        // Also behind a delete, of which a draft of a new connector knows nothing.
        if let Some(newest) = self.newest(draft.id.as_str())? {
            let opened = self.shown(&newest);
            draft.extras.overview = match opened {
                Ok((opened, _)) => opened.extra,
                Err(error) if error.is_unread() => return Err(error),
                // What is damaged or false is what a restore or a delete is for: an older version tells it.
                Err(_) => draft.extras.overview.take(),
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

    /// A connector as far as an overview tells: that of its newest version or, where that is damaged or false, of the
    /// newest one that can stand for it (docs/format.md sections 8.4 and 8.6).
    pub(super) fn without_values(&self, id: &str, stand_in: StandIn) -> Result<Connector> {
        let newest = self.present(id)?;
        let shown = self.shown(&newest).map(|(opened, _)| opened);
        let opened = match shown {
            Err(error) if is_of_version(&error) => match self.stand_in(id, &newest, stand_in)? {
                Some(opened) => opened,
                None => return Err(error),
            },
            opened => opened?,
        };
        Ok(connector_of(opened, newest.entry.version).0)
    }

    /// A connector for a member who does not read it, with the names of its properties.
    fn listed_connector(&self, id: &str) -> Result<BeforeUpdate> {
        let newest = self.present(id)?;
        let (connector, names) = connector_of(self.listed(id)?, newest.entry.version);
        Ok(BeforeUpdate::Listed(connector, names))
    }

    /// The newest version before the newest one that tells what the connector is.
    fn stand_in(
        &self,
        id: &str,
        newest: &Stored,
        stand_in: StandIn,
    ) -> Result<Option<OpenedOverview>> {
        let versions = self.versions(id)?;
        let older = || {
            let newest_first = versions.iter().rev().skip(1);
            newest_first
                .filter(|older| self.lists(older) && stand_in.fits(&older.entry, &newest.entry))
        };
        self.want(older().map(Stored::overview))?;
        for stored in older() {
            match self.opened(stored) {
                Err(error) if is_of_version(&error) => {}
                opened => return opened.map(Some),
            }
        }
        Ok(None)
    }
}

/// What an overview tells of a connector at a version, and the names of its properties.
fn connector_of(opened: OpenedOverview, version: Version) -> (Connector, Vec<PropertyName>) {
    let overview = opened.overview;
    let connector = Connector {
        id: overview.id,
        name: overview.name,
        type_name: overview.type_name,
        version,
        updated_at: overview.at,
        created_at: overview.created_at,
        rotated_at: overview.rotated_at,
        meta: overview.meta,
        properties: Properties::new(),
        extras: Extras {
            overview: opened.extra,
            secrets: None,
        },
    };
    (connector, overview.properties)
}

/// Which version may stand for a newest one that is damaged or false by its overview.
#[derive(Clone, Copy)]
pub(crate) enum StandIn {
    /// One in its group that has its face: the next version has to keep it.
    SameFace,
    /// Any: the next version ends the connector.
    Any,
}

impl StandIn {
    fn fits(self, older: &Entry, newest: &Entry) -> bool {
        match self {
            Self::SameFace => (older.group, older.face) == (newest.group, newest.face),
            Self::Any => true,
        }
    }
}

/// Whether an error is about what a version is, and not about who asks or which bytes are there.
fn is_of_version(error: &Error) -> bool {
    matches!(error.code(), Code::Damaged | Code::FalseRecord)
}
