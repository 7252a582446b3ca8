//! Plans, merges, and what was prepared of them.

use connector_vault::{
    self as core, ActionPlan, FalseVersion, Frame, MergeConflict, NotTaken, Op, Outcome, Stranger,
};
use js_sys::JsString;
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;
use crate::json::json;
use crate::source::Arrays;

/// What would change: one plan or several that are committed together.
#[wasm_bindgen]
pub struct Plan(pub(crate) Vec<ActionPlan>);

#[wasm_bindgen]
impl Plan {
    /// The reports, as JSON.
    pub fn outcomes(&self) -> String {
        json(&self.0.iter().map(ActionPlan::ran).collect::<Vec<_>>())
    }

    /// Whether no property would change.
    #[wasm_bindgen(js_name = isUnchanged)]
    pub fn is_unchanged(&self) -> bool {
        self.0.iter().all(ActionPlan::is_unchanged)
    }

    /// What committing the first change does; none if it was carried out before.
    #[wasm_bindgen(unchecked_return_type = "Op | undefined")]
    pub fn op(&self) -> Option<String> {
        let op = self.changes().next()?.op()?;
        Some(op.as_str().to_owned())
    }

    /// The value that a property would have after one of the changes, counted from 0.
    pub fn value(&self, change: usize, name: &str) -> Option<JsString> {
        let value = self.changes().nth(change)?.value(name)?;
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

impl Plan {
    pub(crate) fn of(plan: core::Plan) -> Self {
        Self(vec![plan.into()])
    }

    pub(crate) fn of_all(plans: Vec<core::Plan>) -> Self {
        Self(plans.into_iter().map(ActionPlan::from).collect())
    }

    fn changes(&self) -> impl Iterator<Item = &core::Plan> {
        self.0.iter().flat_map(ActionPlan::plans)
    }

    /// Seals the plans into one commit.
    pub(crate) fn prepare(
        &self,
        vault: &core::Vault<Arrays>,
        host: &mut core::Host<'_>,
    ) -> Result<Prepared> {
        let mut all = Vec::new();
        let mut frames = Vec::new();
        for plan in &self.0 {
            let (plans, frame) = plan.clone().into_parts();
            frames.push((plans.len(), frame));
            all.extend(plans);
        }
        Ok(Prepared {
            prepared: vault.prepare_all(all, host)?,
            frames,
        })
    }
}

impl Merge {
    pub(crate) fn prepare(
        self,
        vault: &core::Vault<Arrays>,
        host: &mut core::Host<'_>,
    ) -> Result<Prepared> {
        let plans = self.0.plans().iter().cloned().map(ActionPlan::from);
        let frames = plans.map(|plan| {
            let (plans, frame) = plan.into_parts();
            (plans.len(), frame)
        });
        Ok(Prepared {
            frames: frames.collect(),
            prepared: vault.prepare_merge(self.0, host)?,
        })
    }
}

/// A change that is ready to be stored.
#[wasm_bindgen]
pub struct Prepared {
    pub(crate) prepared: core::Prepared,
    /// What to make of the outcomes: of how many, for each plan.
    frames: Vec<(usize, Frame)>,
}

#[wasm_bindgen]
impl Prepared {
    /// The versions that a new snapshot leaves out because they are false, as JSON.
    #[wasm_bindgen(js_name = falseVersions)]
    pub fn false_versions(&self) -> String {
        json(&self.prepared.false_versions())
    }
}

impl Prepared {
    /// What will have become of each plan once it is stored, as JSON.
    pub(crate) fn outcomes(&self) -> String {
        let mut outcomes = self.prepared.outcomes();
        let mut ran = Vec::with_capacity(self.frames.len());
        for (count, frame) in &self.frames {
            let (of_plan, rest) = outcomes.split_at(*count);
            outcomes = rest;
            ran.push(frame.ran(of_plan.to_vec()));
        }
        json(&ran)
    }
}

impl From<core::Prepared> for Prepared {
    fn from(prepared: core::Prepared) -> Self {
        Self {
            prepared,
            frames: Vec::new(),
        }
    }
}

/// A change of grants or groups that takes something away.
#[wasm_bindgen]
pub struct Revocation {
    /// As JSON.
    report: String,
    prepared: Option<core::Prepared>,
}

#[derive(Serialize)]
struct RevocationReport<'a> {
    exposed: Vec<core::ConnectorId>,
    false_versions: &'a [FalseVersion],
    damaged: Vec<core::Error>,
    forgotten: Vec<String>,
}

#[derive(Serialize)]
struct GroupRemovalReport<'a> {
    connectors: Vec<core::ConnectorId>,
    revoked: Vec<String>,
    false_versions: &'a [FalseVersion],
    damaged: Vec<core::Error>,
    forgotten: Vec<String>,
}

impl Revocation {
    pub(crate) fn of(revocation: core::Revocation) -> Self {
        Self {
            report: json(&RevocationReport {
                exposed: revocation.exposed,
                false_versions: revocation.prepared.false_versions(),
                damaged: revocation.damaged,
                forgotten: revocation.forgotten,
            }),
            prepared: Some(revocation.prepared),
        }
    }

    pub(crate) fn of_group(removal: core::GroupRemoval) -> Self {
        Self {
            report: json(&GroupRemovalReport {
                connectors: removal.connectors,
                revoked: removal.revoked,
                false_versions: removal.prepared.false_versions(),
                damaged: removal.damaged,
                forgotten: removal.forgotten,
            }),
            prepared: Some(removal.prepared),
        }
    }
}

#[wasm_bindgen]
impl Revocation {
    /// What is to be stored; once.
    #[wasm_bindgen(js_name = takePrepared)]
    pub fn take_prepared(&mut self) -> Option<Prepared> {
        self.prepared.take().map(Prepared::from)
    }

    /// What went, and what is to be done about it, as JSON.
    pub fn report(&self) -> String {
        self.report.clone()
    }
}

#[derive(Serialize)]
struct MergeReport<'a> {
    unchanged: bool,
    conflicts: &'a [MergeConflict],
    strangers: &'a [Stranger],
    not_taken: &'a [NotTaken],
    outcomes: Vec<Outcome>,
    deleted: Vec<&'a str>,
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
        json(&MergeReport {
            unchanged: self.0.is_unchanged(),
            conflicts: &self.0.conflicts,
            strangers: &self.0.strangers,
            not_taken: &self.0.not_taken,
            outcomes: plans.iter().map(core::Plan::outcome).collect(),
            deleted: plans
                .iter()
                .filter(deletes)
                .map(|plan| plan.id().as_str())
                .collect(),
        })
    }
}
