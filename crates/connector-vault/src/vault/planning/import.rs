//! Plans that add the connectors of a document, or of another tool's export (docs/cli.md).

use super::staging::{Staging, meta_of};
use crate::action::{NewConnectors, Options, Warning, WarningCode};
use crate::connector::{ConnectorId, NewConnector};
use crate::error::Result;
use crate::plan::{Plan, Step};
use crate::source::Source;
use crate::time::Timestamp;
use crate::vault::Vault;

/// What an import does with a connector whose id the vault has already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// Nothing is imported: `connector_exists`.
    #[default]
    Fail,
    /// The vault's connector stays as it is.
    Skip,
    /// The properties are merged into the vault's connector as `Connectors.Update` does: those that the import does not
    /// name stay.
    Update,
}

/// What an import would do: see [`Vault::plan_import_with`].
#[derive(Debug)]
pub struct Import {
    /// The changes, to be committed together.
    pub plans: Vec<Plan>,
    /// The ids that [`OnConflict::Skip`] left out, in the order of the import.
    pub skipped: Vec<ConnectorId>,
}

impl<S: Source> Vault<S> {
    /// Plans that create the connectors of a document, to be committed together. Fails with
    /// `connector_exists` if one of them is there.
    pub fn plan_import(&self, connectors: &NewConnectors, options: &Options) -> Result<Vec<Plan>> {
        let import = self.plan_import_with(connectors, OnConflict::Fail, options)?;
        Ok(import.plans)
    }

    /// Plans that create connectors, and skip or update those that are there, to be committed together: all of them
    /// happen or none. An update keeps name, type and meta, and warns `name_kept` where the import has others.
    ///
    /// Errors begin with the entry that they are about.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let owner = NewOwner::identity("ops", Identity::generate(host.rng));
    /// # let (mut vault, _) = Vault::create(&mut host, &owner)?;
    /// let mut connectors = NewConnectors::new();
    /// connectors.add("line 2", NewConnector::new("x", "Name", "Type").property("APIKey", "a"))?;
    /// let import = vault.plan_import_with(&connectors, OnConflict::Update, &Options::default())?;
    /// let prepared = vault.prepare_all(import.plans, &mut host)?;
    /// vault.apply(prepared)?;
    ///
    /// let again = vault.plan_import_with(&connectors, OnConflict::Update, &Options::default())?;
    /// assert!(again.plans[0].is_unchanged());
    /// let again = vault.plan_import_with(&connectors, OnConflict::Skip, &Options::default())?;
    /// assert_eq!(again.skipped[0].as_str(), "x");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn plan_import_with(
        &self,
        connectors: &NewConnectors,
        on_conflict: OnConflict,
        options: &Options,
    ) -> Result<Import> {
        self.want_for(connectors, on_conflict)?;
        let mut import = Import {
            plans: Vec::with_capacity(connectors.len()),
            skipped: Vec::new(),
        };
        for (place, connector) in connectors.iter() {
            let newest = self.newest(connector.id())?;
            let is_there = newest.is_some_and(|newest| newest.entry.exists());
            match on_conflict {
                OnConflict::Skip if is_there => {
                    import.skipped.push(ConnectorId::new(connector.id())?);
                    continue;
                }
                OnConflict::Update if is_there => self.plan_merge_of(connector, options),
                _ => self.plan_create(connector, options),
            }
            .map(|plan| import.plans.push(plan))
            .map_err(|error| error.within(place))?;
        }
        if let (Some(plan), Some(warning)) = (import.plans.first_mut(), connectors.warning()) {
            warn(plan, warning);
        }
        Ok(import)
    }

    /// Asks for all bytes that the plans need, before the first is made.
    fn want_for(&self, connectors: &NewConnectors, on_conflict: OnConflict) -> Result<()> {
        let ids = connectors.iter().map(|(_, new)| new.id());
        self.want_newest(ids, |stored| match on_conflict {
            OnConflict::Update if stored.entry.exists() => stored.record().to_vec(),
            OnConflict::Update | OnConflict::Fail | OnConflict::Skip => vec![stored.overview()],
        })
    }

    fn plan_merge_of(&self, connector: &NewConnector, options: &Options) -> Result<Plan> {
        let mut staging = Staging::new(self, Timestamp::unknown());
        let mut plan = staging.update(connector.id(), &connector.properties, options)?;
        let overview = self.overview(connector.id())?;
        for (what, kept, new) in [
            ("name", &overview.name, &connector.name),
            ("type", &overview.type_name, &connector.type_name),
        ] {
            if kept != new {
                let message = format!("the connector keeps its {what}; the import has another one");
                warn(&mut plan, Warning::new(WarningCode::NameKept, message));
            }
        }
        let meta = meta_of(connector)?;
        if !meta.is_empty() && meta != overview.meta {
            let message = "the connector keeps its meta; the import has another one";
            warn(&mut plan, Warning::new(WarningCode::NameKept, message));
        }
        Ok(plan)
    }
}

/// Adds a warning in front of the others.
fn warn(plan: &mut Plan, warning: Warning) {
    if let Plan(Step::Draft { draft, .. }) = plan {
        draft.warnings.insert(0, warning);
    }
}
