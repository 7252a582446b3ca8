//! The schema of `tests/vectors/repair`, which the README states. Shared by every test that runs the vectors, so
//! that no surface reads them differently.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A file of `tests/vectors/format`, and what a repair must make of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepairVector {
    pub rule: String,
    /// Name of the vector in `format/` whose file, unlock, vault id and known head are used.
    pub format: String,
    /// Takes what is quarantined too.
    #[serde(default)]
    pub unsigned: bool,
    pub expect: Expect,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default)]
    pub recovered: usize,
    #[serde(default)]
    pub quarantined: usize,
    #[serde(default)]
    pub lost: usize,
    #[serde(default)]
    pub gaps: usize,
    /// The present versions of the connectors.
    #[serde(default)]
    pub connectors: BTreeMap<String, u64>,
}
