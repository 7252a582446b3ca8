//! Copies and damage: merge, repair, and the check of all signatures.

mod audit;
mod merge;
mod repair;

pub use self::audit::{CommitInfo, SignatureState, Verdict};
pub use self::merge::{
    ConflictKind, LastChange, Merge, MergeConflict, MergeOptions, NotTaken, Resolve, Stranger,
    Winner,
};
pub use self::repair::{
    Elsewhere, Gap, LostRecord, Reason, RepairOptions, Repaired, RestoredVersion,
};
