//! What the core's integration tests share: a fixed clock, a fixed source of randomness, and a
//! vault with connectors.

#![allow(dead_code, reason = "each test uses some of it")]

pub(crate) mod remote;

use std::collections::BTreeMap;

use connector_vault::{
    Action, ActionPlan, Host, Identity, NewConnector, NewOwner, OpenOptions, Options, Outcome,
    Prepared, Properties, PropertyName, Ran, Result, Secret, Timestamp, Tokens, Unlock, Vault,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A clock that stands still and randomness that repeats.
pub(crate) struct Fixed {
    rng: StdRng,
    pub(crate) now: String,
}

impl Fixed {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            now: "2026-11-23T20:15:00.000Z".to_owned(),
        }
    }

    pub(crate) fn host(&mut self) -> Host<'_> {
        let now = Timestamp::new(self.now.as_str()).expect("a valid time");
        Host {
            now,
            rng: &mut self.rng,
        }
    }
}

/// A vault in memory, with the bytes that a host would keep.
pub(crate) struct Kept {
    pub(crate) vault: Vault,
    pub(crate) file: Vec<u8>,
    pub(crate) identity: Identity,
    pub(crate) fixed: Fixed,
}

impl Kept {
    /// A new vault that opens by an identity.
    pub(crate) fn new(seed: u64) -> Self {
        let mut fixed = Fixed::new(seed);
        let identity = Identity::generate(fixed.host().rng);
        let owner = NewOwner::identity("ops", identity.clone());
        let (vault, file) = Vault::create(&mut fixed.host(), &owner).expect("a new vault");
        Self {
            vault,
            file,
            identity,
            fixed,
        }
    }

    /// Stores what was prepared as a host would, then applies it.
    pub(crate) fn store(&mut self, prepared: Prepared) -> Result<Vec<Outcome>> {
        prepared.write().to(&mut self.file);
        self.vault.apply(prepared)
    }

    pub(crate) fn add(&mut self, id: &str, values: &[(&str, &str)]) -> Result<Outcome> {
        let plan = self.vault.plan_create(
            &NewConnector::new(id, format!("Name of {id}"), "Type")
                .with_properties(&properties(values)),
            &Options::default(),
        )?;
        let prepared = self.vault.prepare(plan, &mut self.fixed.host())?;
        Ok(self.store(prepared)?.remove(0))
    }

    /// Runs one action that changes a connector, without tokens.
    pub(crate) fn run(&mut self, action: &str, options: &Options) -> Result<Outcome> {
        let ran = self.run_with(action, &mut BTreeMap::<String, Secret>::new(), options)?;
        Ok(ran.outcome().expect("one change").clone())
    }

    pub(crate) fn run_with(
        &mut self,
        action: &str,
        tokens: &mut dyn Tokens,
        options: &Options,
    ) -> Result<Ran> {
        let action = Action::parse(action)?;
        let plan = self
            .vault
            .plan(&action, tokens, options, &mut self.fixed.host())?;
        self.commit(plan)
    }

    /// Prepares, stores and applies a plan.
    pub(crate) fn commit(&mut self, plan: ActionPlan) -> Result<Ran> {
        let (plans, frame) = plan.into_parts();
        let prepared = self.vault.prepare_all(plans, &mut self.fixed.host())?;
        Ok(frame.ran(self.store(prepared)?))
    }

    pub(crate) fn update(&mut self, id: &str, name: &str, value: &str) -> Result<Outcome> {
        self.run(&update(id, name, value), &Options::default())
    }

    /// Opens the kept bytes anew.
    pub(crate) fn open(&self) -> Result<Vault> {
        open(self.file.clone(), &self.identity, &self.vault)
    }
}

pub(crate) fn open(file: Vec<u8>, identity: &Identity, vault: &Vault) -> Result<Vault> {
    let options = OpenOptions {
        vault_id: Some(vault.head().vault_id),
        ..OpenOptions::default()
    };
    Vault::open(file, Unlock::Identity(identity), &options)
}

pub(crate) fn update(id: &str, name: &str, value: &str) -> String {
    format!(
        r#"{{"ActionType": "Connectors.Update", "Parameters": {{"EntryId": "{id}",
            "Properties": [{{"PropertyName": "{name}", "PropertyValue": "{value}"}}]}}}}"#
    )
}

pub(crate) fn properties(values: &[(&str, &str)]) -> Properties {
    let mut properties = Properties::new();
    for (name, value) in values {
        let name = PropertyName::new(*name).expect("a valid name");
        let value = Secret::new(*value).expect("a valid value");
        properties.set(name, value).expect("few properties");
    }
    properties
}

/// The values of a connector, as a map.
pub(crate) fn values(vault: &Vault, id: &str) -> BTreeMap<String, String> {
    let connector = vault.read(id).expect("a readable connector");
    let values = connector.properties.iter();
    values
        .map(|(name, value)| (name.to_string(), value.expose().to_owned()))
        .collect()
}
