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
    /// Takes what stands elsewhere too.
    #[serde(default)]
    pub elsewhere: bool,
    /// Goes on where a newer header may have stood.
    #[serde(default)]
    pub older_header: bool,
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
    pub restored: usize,
    #[serde(default)]
    pub elsewhere: usize,
    #[serde(default)]
    pub lost: usize,
    #[serde(default)]
    pub gaps: usize,
    /// The present versions of the connectors.
    #[serde(default)]
    pub connectors: BTreeMap<String, u64>,
}
