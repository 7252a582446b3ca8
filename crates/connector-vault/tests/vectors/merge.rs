//! Reads `tests/vectors/merge`, whose README states the schema. Shared by every test that runs the
//! vectors, so that no surface reads them differently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One case: two copies of a vault that were changed apart, and what must come of merging them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeVector {
    pub rule: String,
    pub base: BTreeMap<String, Connector>,
    #[serde(default)]
    pub grants: Vec<Grant>,
    pub ours: Vec<Step>,
    pub theirs: Vec<Step>,
    #[serde(default)]
    pub first: Side,
    pub resolve: Option<Resolve>,
    #[serde(default)]
    pub accept_strangers: bool,
    pub expect: Expect,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    #[default]
    Ours,
    Theirs,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolve {
    Ours,
    Theirs,
    Newest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    pub version: Option<u64>,
    pub meta: Option<BTreeMap<String, String>>,
    pub properties: BTreeMap<String, String>,
}

/// One change of a copy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Add(Add),
    Update(Update),
    Describe(Describe),
    Delete(String),
    Undelete(String),
    Compact(usize),
    Purge(Vec<String>),
    Grant(Grant),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    pub id: String,
    #[serde(default = "default_name")]
    pub name: String,
    #[serde(default = "default_type", rename = "type")]
    pub type_name: String,
    pub properties: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    pub id: String,
    pub properties: BTreeMap<String, Option<String>>,
    pub by: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    pub id: String,
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    #[serde(default)]
    pub meta: BTreeMap<String, Option<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub label: String,
    pub role: String,
}

/// Either an error, or what stands there afterwards.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub error: Option<String>,
    pub connectors: Option<BTreeMap<String, Connector>>,
    #[serde(default)]
    pub conflicts: Vec<Conflict>,
    #[serde(default)]
    pub strangers: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    pub id: String,
    pub kind: String,
    pub property: Option<String>,
}

impl MergeVector {
    /// The steps to both copies before they were changed apart.
    pub fn base(&self) -> impl Iterator<Item = Step> {
        let add = |(id, connector): (&String, &Connector)| Add {
            id: id.clone(),
            name: connector.name.clone().unwrap_or_else(default_name),
            type_name: connector.type_name.clone().unwrap_or_else(default_type),
            properties: connector.properties.clone(),
        };
        let grants = self.grants.iter().cloned().map(Step::Grant);
        grants.chain(self.base.iter().map(add).map(Step::Add))
    }

    /// The steps of both copies, oldest first.
    pub fn steps(&self) -> impl Iterator<Item = (Side, &Step)> {
        let ours = self.ours.iter().map(|step| (Side::Ours, step));
        let theirs = self.theirs.iter().map(|step| (Side::Theirs, step));
        let mut steps: Vec<_> = ours.chain(theirs).collect();
        steps.sort_by_key(|(side, _)| *side != self.first);
        steps.into_iter()
    }

    /// The conflicts in the order in which they are compared.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = self.expect.conflicts.clone();
        conflicts.sort();
        conflicts
    }
}

impl Update {
    /// The platform's action that makes this change where `null` removes.
    pub fn action(&self) -> String {
        let properties = serde_json::to_string(&self.properties).expect("text is JSON");
        let parameters = serde_json::json!({"EntryId": self.id, "PropertiesJson": properties});
        serde_json::json!({"ActionType": "Connectors.Update", "Parameters": parameters}).to_string()
    }
}

fn default_name() -> String {
    "Name".to_owned()
}

fn default_type() -> String {
    "Type".to_owned()
}

/// Every vector of the folder, with its name, in the order of the names.
pub fn load() -> Vec<(String, MergeVector)> {
    let read = |(name, text): (String, String)| {
        let vector = parse(&name, &text).unwrap_or_else(|error| panic!("{error}"));
        (name, vector)
    };
    texts().into_iter().map(read).collect()
}

/// A vector of its text; the error names it.
pub fn parse(name: &str, text: &str) -> Result<MergeVector, String> {
    let vector: MergeVector =
        serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))?;
    if vector.expect.error.is_some() == vector.expect.connectors.is_some() {
        return Err(format!("{name}: either an error or connectors"));
    }
    Ok(vector)
}

/// The texts of the folder's files, with their names, in the order of the names.
pub fn texts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/merge");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the vectors are there")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = std::fs::read_to_string(&path).expect("a readable vector");
        (name.into_owned(), text)
    };
    paths.into_iter().map(read).collect()
}
