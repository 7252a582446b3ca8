//! Reads `tests/vectors/{action,token}`, whose README states the schema. Shared by every test that
//! runs the vectors, so that no surface reads them differently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One case: a connector, an action on it, and what must come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    pub rule: String,
    #[serde(default = "default_id")]
    pub id: String,
    #[serde(default = "default_name")]
    pub name: String,
    #[serde(default = "default_type", rename = "type")]
    pub type_name: String,
    #[serde(default)]
    pub before: BTreeMap<String, String>,
    #[serde(default)]
    pub others: Vec<Other>,
    action: Option<serde_json::Value>,
    action_text: Option<String>,
    #[serde(default)]
    pub options: VectorOptions,
    #[serde(default)]
    pub tokens: BTreeMap<String, String>,
    /// What the host's tester says of a connector, by its id: `null` if it works, else why not.
    /// Without it the host has no tester.
    pub tests: Option<BTreeMap<String, Option<String>>>,
    /// What was done before.
    #[serde(default)]
    pub earlier: Vec<Earlier>,
    pub expect: Expect,
}

/// Something that was done before the action.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Earlier {
    Action {
        action: serde_json::Value,
        #[serde(default)]
        options: VectorOptions,
        #[serde(default)]
        tokens: BTreeMap<String, String>,
    },
    /// A compaction that keeps the newest so many versions.
    Compact { compact: u64 },
}

/// Another connector of the vault, without properties.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    pub id: String,
    #[serde(default = "default_name")]
    pub name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VectorOptions {
    pub if_version: Option<u64>,
    pub null: NullOption,
    pub nested: NestedOption,
    pub allow_mask: bool,
    pub allow_empty: bool,
    pub no_tokens: bool,
    pub condition_met: bool,
    pub request_id: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NullOption {
    #[default]
    Reject,
    Remove,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NestedOption {
    #[default]
    Replace,
    Merge,
}

/// Either an error, or what stands there afterwards.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub error: Option<String>,
    pub message_contains: Option<String>,
    pub hint_contains: Option<String>,

    pub status: Option<String>,
    pub after: Option<BTreeMap<String, String>>,
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    pub changes: Option<serde_json::Value>,
    pub overridden: Option<Vec<String>>,
    #[serde(default)]
    pub warnings: Vec<String>,
    pub tokens: Option<Vec<String>>,
    #[serde(default)]
    pub outputs: BTreeMap<String, String>,
    #[serde(default)]
    pub replayed: bool,
    /// The status of each action of a batch.
    pub outcomes: Option<Vec<String>>,
}

/// In `outputs`: the id of the connector that the action creates, which is not known before.
pub const NEW_ID: &str = "<id>";

impl Vector {
    /// The action as it is passed to the surface under test.
    pub fn action(&self) -> String {
        match (&self.action, &self.action_text) {
            (Some(action), None) => action.to_string(),
            (None, Some(text)) => text.clone(),
            _ => panic!("exactly one of action and action_text: {}", self.rule),
        }
    }

    /// The values that must show up in no message and no outcome.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.before
            .values()
            .chain(self.tokens.values())
            .map(String::as_str)
            .filter(|value| value.contains("s3cret"))
    }
}

fn default_id() -> String {
    "x".to_owned()
}

fn default_name() -> String {
    "Name".to_owned()
}

fn default_type() -> String {
    "Type".to_owned()
}

/// Every vector of a folder, with its path below `tests/vectors`, in the order of the paths.
pub fn load(folder: &str) -> Vec<(String, Vector)> {
    let read = |(name, text): (String, String)| {
        let vector = parse(&name, &text).unwrap_or_else(|error| panic!("{error}"));
        (name, vector)
    };
    texts(folder).into_iter().map(read).collect()
}

/// A vector of its text; the error names it.
pub fn parse(name: &str, text: &str) -> Result<Vector, String> {
    let vector: Vector = serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))?;
    let failing = vector.expect.error.is_some();
    let expect = &vector.expect;
    let passing = expect.after.is_some() || expect.status.is_some() || expect.outcomes.is_some();
    if failing == passing {
        return Err(format!("{name}: either an error or a result"));
    }
    Ok(vector)
}

/// The texts of a folder's files, with their paths below `tests/vectors`, in the order of the paths.
pub fn texts(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{folder}/{file}");
            let text = std::fs::read_to_string(&path).expect("a readable vector");
            (name, text)
        })
        .collect()
}
