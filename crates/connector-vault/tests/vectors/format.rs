//! Reads `tests/vectors/{format,keys}`, whose README states the schemas. Shared by the generator of
//! these vectors and by every test that runs them, so that no surface reads them differently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One file, how it is opened, and what must come of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultVector {
    pub rule: String,
    pub unlock: UnlockBy,
    /// The hint by which the host chose an external key, in base16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_id: Option<String>,
    /// The vault reference that an owner handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_head: Option<serde_json::Value>,
    /// The budget of work for all key slots, where it is not the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_kib_max: Option<u64>,
    pub expect: VaultExpect,
    /// The file's bytes in base16.
    pub file: String,
}

/// What opens the vault.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlockBy {
    Identity(String),
    Passphrase(String),
    /// An external key, in base16.
    Key(String),
}

/// Either an error, or what the vault is and holds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultExpect {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_contains: Option<String>,
    /// The key slots as they are listed before anything is derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_slots: Option<Vec<ExpectKeySlot>>,

    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuity: Option<String>,
    /// Whether the vault key is another one than at the known head.
    #[serde(default, skip_serializing_if = "is_default")]
    pub handover: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectors: Option<BTreeMap<String, ExpectConnector>>,
    /// The groups, where there is another one than `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<ExpectGroup>>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub read_error: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<ExpectTorn>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub broken_key_slots: usize,
    #[serde(default, skip_serializing_if = "is_default")]
    pub damaged: Vec<ExpectDamaged>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub problems: Vec<ExpectProblem>,
}

/// A key slot as it stands in the file; bytes are base16.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectKeySlot {
    pub grant: Option<String>,
    pub label: Option<String>,
    pub kind: Option<String>,
    pub hint: Option<String>,
    pub prf_input: Option<String>,
    pub broken: bool,
}

/// A group of connectors.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectGroup {
    /// Where the grant lists it.
    pub name: Option<String>,
    pub connectors: usize,
    pub grants: Vec<String>,
}

/// A connector that is not deleted.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectConnector {
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
    /// The kept versions, oldest first; the last one is the present one.
    pub versions: Vec<u64>,
    /// The labels of the grants whose record signatures they have.
    pub signed_by: Vec<Option<String>>,
    pub op: String,
    /// The names of its properties, in order.
    pub names: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub meta: BTreeMap<String, String>,
    pub created_at: String,
    pub rotated_at: String,
}

/// The end that is dropped.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectTorn {
    pub offset: u64,
    pub len: u64,
}

/// A connector, or a page of several, that the list names in place of an overview.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectDamaged {
    /// Where a version of it opens.
    pub connector: Option<String>,
    pub code: String,
}

/// What the check of everything finds.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectProblem {
    pub seq: u64,
    pub code: String,
}

/// One step of the cryptography, and what comes of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyVector {
    pub rule: String,
    pub given: Given,
    pub expect: KeyExpect,
}

/// What goes into the step; bytes are base16.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Given {
    /// The text of an identity.
    Identity(String),
    /// The text of public grant keys.
    GrantKey(String),
    /// The text of a vault reference.
    VaultReference(String),
    /// Lengths to be padded.
    Padding(Vec<usize>),
    /// A label and its inputs.
    Bind { label: String, inputs: Vec<String> },
    /// A secret, and what a key is derived for.
    Derive {
        secret: String,
        label: String,
        inputs: Vec<String>,
    },
    /// A key, and what is authenticated with it.
    Mac {
        key: String,
        label: String,
        inputs: Vec<String>,
    },
    /// A seed of an X-Wing key.
    XWing(String),
    /// A first vault key.
    VaultKey(String),
    /// A passphrase and the parameters of a key slot.
    KeySlotKeys {
        passphrase: String,
        salt: String,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    /// An external key and the salt of a key slot.
    ExternalSlotKeys { key: String, salt: String },
    /// The place of a key slot, for a passkey.
    Passkey {
        vault_id: String,
        grant: String,
        salt: String,
    },
    /// A sealed bundle, and the identity to which it was sealed.
    Bundle {
        identity: String,
        info: String,
        sealed: String,
    },
    /// A sealed overview or sealed secrets.
    Sealed {
        key: String,
        associated_data: String,
        sealed: String,
    },
    /// An action with a request id.
    Request(serde_json::Value),
}

impl Given {
    /// The name of the step in the vectors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Identity(_) => "identity",
            Self::GrantKey(_) => "grant_key",
            Self::VaultReference(_) => "vault_reference",
            Self::Padding(_) => "padding",
            Self::Bind { .. } => "bind",
            Self::Derive { .. } => "derive",
            Self::Mac { .. } => "mac",
            Self::XWing(_) => "x_wing",
            Self::VaultKey(_) => "vault_key",
            Self::KeySlotKeys { .. } => "key_slot_keys",
            Self::ExternalSlotKeys { .. } => "external_slot_keys",
            Self::Passkey { .. } => "passkey",
            Self::Bundle { .. } => "bundle",
            Self::Sealed { .. } => "sealed",
            Self::Request(_) => "request",
        }
    }
}

/// Either an error, or what comes out; bytes are base16.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyExpect {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lengths: Option<Vec<usize>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Every vector of a folder by its name, which is its file's without `.json`.
pub fn load<T: DeserializeOwned>(folder: &str) -> BTreeMap<String, T> {
    texts(folder)
        .into_iter()
        .map(|(name, text)| {
            let vector = parse(&format!("{folder}/{name}"), &text);
            let vector = vector.unwrap_or_else(|error| panic!("{error}"));
            (name, vector)
        })
        .collect()
}

/// A vector of its text; the error names it.
pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))
}

/// The texts of a folder's files, by their names without `.json`.
pub fn texts(folder: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(path(folder));
    entries
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = name.strip_suffix(".json").expect("vectors are JSON files");
            let text = std::fs::read_to_string(&path).expect("a readable vector");
            (name.to_owned(), text)
        })
        .collect()
}

/// Writes a vector that is not there yet; one that is there and differs is an error that names it.
pub fn write_missing(folder: &str, name: &str, text: &str) -> Result<(), String> {
    std::fs::create_dir_all(path(folder)).map_err(|error| error.to_string())?;
    let file = path(folder).join(format!("{name}.json"));
    match std::fs::read_to_string(&file) {
        Ok(present) if present == text => Ok(()),
        Ok(_) => Err(format!(
            "{folder}/{name}.json would change: a vector that was published stays as it is"
        )),
        Err(_) => std::fs::write(&file, text).map_err(|error| format!("{folder}/{name}: {error}")),
    }
}

/// What a vector's file holds.
pub fn text_of<T: Serialize>(vector: &T) -> String {
    serde_json::to_string_pretty(vector).expect("vectors have string keys") + "\n"
}

fn path(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors")
        .join(folder)
}
