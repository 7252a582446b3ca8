//! What a document would do: the changes of its actions, and what stands between them.

use std::collections::BTreeMap;
use std::fmt;

use super::{Done, Outcome, Plan, Ran, TestOutcome};
use crate::action::{Outputs, Warning};

/// What an action, or each of a batch, would do. Its changes are committed together: all of them
/// happen or none.
#[derive(Clone)]
pub struct ActionPlan {
    plans: Vec<Plan>,
    frame: Frame,
}

/// What an action does beside its changes: tests, actions that are skipped, tokens that are set. With
/// the outcomes of the changes it is what became of the action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    slots: Vec<Slot>,
    outputs: Outputs,
    is_batch: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Slot {
    /// The next of the changes.
    Change,
    Tested(TestOutcome),
    Skipped,
}

/// What one action would do.
pub(crate) enum Step {
    Change(Box<Plan>),
    Tested(TestOutcome),
    Skipped,
}

impl ActionPlan {
    pub(crate) fn one(step: Step) -> Self {
        let mut plan = Self::batch();
        plan.frame.is_batch = false;
        plan.push(step);
        plan
    }

    pub(crate) fn batch() -> Self {
        Self {
            plans: Vec::new(),
            frame: Frame {
                slots: Vec::new(),
                outputs: Outputs::new(),
                is_batch: true,
            },
        }
    }

    pub(crate) fn push(&mut self, step: Step) {
        let (slot, outputs) = match step {
            Step::Change(plan) => {
                let outputs = plan.outcome().outputs;
                self.plans.push(*plan);
                (Slot::Change, outputs)
            }
            Step::Tested(outcome) => {
                let outputs = outcome.outputs.clone();
                (Slot::Tested(outcome), outputs)
            }
            Step::Skipped => (Slot::Skipped, Outputs::new()),
        };
        self.frame.slots.push(slot);
        self.frame.outputs.extend(outputs);
    }

    /// Adds a warning about the action as a whole to what it does first. A request that was carried
    /// out before has its first outcome.
    pub(crate) fn warn(&mut self, warning: Warning) {
        for slot in &mut self.frame.slots {
            match slot {
                Slot::Skipped => continue,
                Slot::Tested(outcome) => outcome.warnings.push(warning),
                Slot::Change => {
                    if let Some(Plan(super::Step::Draft { draft, .. })) = self.plans.first_mut() {
                        draft.warnings.push(warning);
                    }
                }
            }
            break;
        }
    }

    /// The report: what would become of the action. Never a value.
    #[must_use]
    pub fn ran(&self) -> Ran {
        let outcomes = self.plans.iter().map(Plan::outcome);
        self.frame.ran(outcomes.collect())
    }

    /// The tokens that the action sets.
    #[must_use]
    pub fn outputs(&self) -> &BTreeMap<String, String> {
        &self.frame.outputs
    }

    /// The changes, in the order in which they happen.
    #[must_use]
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// Whether no property would change.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.plans.iter().all(Plan::is_unchanged)
    }

    /// The changes, for [`Vault::prepare_all`](crate::Vault::prepare_all), and what to make of their
    /// outcomes.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Plan>, Frame) {
        (self.plans, self.frame)
    }
}

impl From<Plan> for ActionPlan {
    fn from(plan: Plan) -> Self {
        Self::one(Step::Change(Box::new(plan)))
    }
}

impl Frame {
    /// What became of the action, by the outcomes of its changes, in order.
    #[must_use]
    pub fn ran(&self, outcomes: Vec<Outcome>) -> Ran {
        let mut outcomes = outcomes.into_iter();
        let done = self.slots.iter().filter_map(|slot| match slot {
            Slot::Change => outcomes.next().map(Done::Changed),
            Slot::Tested(outcome) => Some(Done::Tested(outcome.clone())),
            Slot::Skipped => Some(Done::Skipped),
        });
        let mut done: Vec<_> = done.collect();
        match self.is_batch {
            false if done.len() == 1 => Ran::One(done.remove(0)),
            _ => Ran::Batch {
                outcomes: done,
                outputs: self.outputs.clone(),
            },
        }
    }
}

impl fmt::Debug for ActionPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActionPlan").field(&self.plans).finish()
    }
}
