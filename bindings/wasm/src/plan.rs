//! Plans, merges, and what was prepared of them.

use connector_vault::{self as core, Op, Outcome as CoreOutcome, Overview};
use js_sys::{JsString, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;
use crate::wire::{self, Conflict, Outcome};

/// What would change: one plan or several that are committed together.
#[wasm_bindgen]
pub struct Plan(pub(crate) Vec<core::Plan>);

#[wasm_bindgen]
impl Plan {
    /// The reports, as JSON.
    pub fn outcomes(&self) -> String {
        outcomes(&self.0.iter().map(core::Plan::outcome).collect::<Vec<_>>())
    }

    /// What committing the first plan does; nothing if it was carried out before.
    #[wasm_bindgen(unchecked_return_type = "Op | undefined")]
    pub fn op(&self) -> Option<String> {
        let op = self.0.first()?.op()?;
        Some(op.as_str().to_owned())
    }

    /// The value that a property of the first plan would have.
    pub fn value(&self, name: &str) -> Option<JsString> {
        let value = self.0.first()?.value(name)?;
        Some(JsString::from(value.expose()))
    }

    /// Adds another plan, which stays: all of them happen or none.
    pub fn append(&mut self, other: &Plan) {
        self.0.extend(other.0.iter().cloned());
    }

    /// The same plan once more.
    pub fn copy(&self) -> Plan {
        Plan(self.0.clone())
    }
}

pub(crate) fn outcomes(outcomes: &[CoreOutcome]) -> String {
    wire::json(&outcomes.iter().map(Outcome::of).collect::<Vec<_>>())
}

/// A change that is ready to be stored.
#[wasm_bindgen]
pub struct Prepared(pub(crate) core::Prepared);

#[wasm_bindgen]
impl Prepared {
    /// What will have become of the plans once it is stored, as JSON.
    pub fn outcomes(&self) -> String {
        outcomes(self.0.outcomes())
    }

    /// The commit to append, if this is one of changes.
    #[wasm_bindgen(js_name = toAppend)]
    pub fn to_append(&self) -> Option<Uint8Array> {
        self.0.to_append().map(Uint8Array::from)
    }

    /// The file to put in the place of the present one, if this is a snapshot.
    #[wasm_bindgen(js_name = toReplace)]
    pub fn to_replace(&self) -> Option<Uint8Array> {
        self.0.to_replace().map(Uint8Array::from)
    }
}

/// A change of grants that takes something away.
#[wasm_bindgen]
pub struct Revocation {
    pub(crate) exposed: Vec<core::ConnectorId>,
    pub(crate) dropped: Vec<Overview>,
    pub(crate) prepared: Option<core::Prepared>,
}

#[wasm_bindgen]
impl Revocation {
    /// What is to be stored; once.
    #[wasm_bindgen(js_name = takePrepared)]
    pub fn take_prepared(&mut self) -> Option<Prepared> {
        self.prepared.take().map(Prepared)
    }

    /// Ids of the connectors that the former holder could read, and the versions that were left out.
    pub fn report(&self) -> String {
        wire::json(&wire::RevocationReport::of(&self.exposed, &self.dropped))
    }
}

/// What merging another copy would change here.
#[wasm_bindgen]
pub struct Merge(pub(crate) core::Merge);

#[wasm_bindgen]
impl Merge {
    /// Conflicts, strangers and outcomes, as JSON.
    pub fn report(&self) -> String {
        let plans = self.0.plans();
        let deletes = |plan: &&core::Plan| plan.op() == Some(Op::Delete);
        wire::json(&wire::MergeReport {
            conflicts: self.0.conflicts.iter().map(Conflict::of).collect(),
            strangers: &self.0.strangers,
            outcomes: plans
                .iter()
                .map(|plan| Outcome::of(&plan.outcome()))
                .collect(),
            deleted: plans
                .iter()
                .filter(deletes)
                .map(|plan| plan.id().as_str())
                .collect(),
        })
    }

    /// The plans, if nothing stands against them.
    #[wasm_bindgen(js_name = intoPlan)]
    pub fn into_plan(self) -> Result<Plan> {
        Ok(Plan(self.0.into_plans()?))
    }
}
