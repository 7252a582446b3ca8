//! Copies and damage: merge, repair, and the check of all signatures.

mod audit;
mod merge;
mod repair;

pub use self::audit::{CommitInfo, SignatureState, Verdict};
pub use self::merge::{ConflictKind, Merge, MergeConflict, MergeOptions, Resolve, Stranger};
pub use self::repair::{DamagedRecord, Gap, Repaired};
