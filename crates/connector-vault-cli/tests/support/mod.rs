//! What the tests of the program share: a folder with a vault, and `cvault` in a clean environment.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "tests fail by panicking, and each uses some of this"
)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use connector_vault::{ConnectorId, Identity, NewConnector, NewOwner, Options, Properties};
use connector_vault_store::{FileVault, KnownHeads};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use serde_json::Value;

/// A folder with a vault that opens by an identity, so that no Argon2id runs.
pub struct Sandbox {
    pub dir: tempfile::TempDir,
    pub vault: PathBuf,
    pub vault_id: String,
    pub identity: String,
}

/// What a run of the program gave.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A folder without a vault.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// `cvault` without anything of the user's environment, its state in `dir`.
pub fn cvault<const N: usize>(dir: &Path, args: [&str; N]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cvault"));
    command
        .args(args)
        .env_clear()
        .env("CVAULT_STATE_DIR", dir.join("state"))
        .current_dir(dir)
        .stdin(Stdio::null());
    command
}

pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs with text on standard input.
pub fn ran_with(command: &mut Command, stdin: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that fails early does not read it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The one JSON document that a success prints; its standard error is empty.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON documents that a success prints, one on each line.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{self:?}");
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The codes of the warnings that are printed as JSON.
    pub fn warned(&self) -> Vec<String> {
        let lines = self.stderr.lines();
        let documents = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        documents
            .filter_map(|document| Some(document["warning"]["code"].as_str()?.to_owned()))
            .collect()
    }

    /// The error that a failure prints as JSON.
    #[track_caller]
    pub fn error(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        let last = self.stderr.lines().last().unwrap_or_default();
        let document: Value =
            serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        document["error"].clone()
    }

    #[track_caller]
    pub fn text(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        &self.stdout
    }
}

impl Sandbox {
    pub fn new() -> Self {
        let dir = folder();
        let identity = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap());
        let vault = dir.path().join("v.cvault");
        let owner = NewOwner::identity("ops", identity.clone());
        let options = FileVault::builder().heads(KnownHeads::none());
        let vault_id = options.create(&vault, owner).unwrap().id().to_string();
        Self {
            vault,
            vault_id,
            identity: identity.to_text().to_string(),
            dir,
        }
    }

    /// The vault, opened by the library.
    pub fn file(&self) -> FileVault {
        let identity = Identity::parse(&self.identity).unwrap();
        let options = FileVault::builder().heads(KnownHeads::none());
        options
            .expect(self.vault_id.parse().unwrap())
            .open(&self.vault, connector_vault::Unlock::Identity(&identity))
            .unwrap()
    }

    /// Adds a connector by the library.
    pub fn add(&self, id: &str, name: &str, type_name: &str, properties: &Properties) {
        self.file()
            .change_planned(|vault, _| {
                let id = ConnectorId::new(id)?;
                let options = Options {
                    allow_mask: true,
                    ..Options::default()
                };
                Ok(vec![vault.plan_create(
                    &NewConnector::new(id.as_str(), name, type_name).with_properties(properties),
                    &options,
                )?])
            })
            .unwrap();
    }

    /// `cvault`, unlocked by the owner's identity.
    pub fn cvault<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = cvault(self.dir.path(), args);
        command
            .env("CVAULT_IDENTITY", &self.identity)
            .env("CVAULT_VAULT_ID", &self.vault_id);
        command
    }

    pub fn run<const N: usize>(&self, args: [&str; N]) -> Ran {
        ran(&mut self.cvault(args))
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(&self.vault).unwrap()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }
}

/// The platform's example, as a vault.
pub fn twitter() -> Sandbox {
    let sandbox = Sandbox::new();
    let properties =
        Properties::from_json(r#"{"APIKey": "s3cret-1", "Endpoint": "endpoint1"}"#).unwrap();
    sandbox.add("twitterConnectorId", "Twitter API", "Twitter", &properties);
    sandbox.write("update.json", UPDATE);
    sandbox
}

/// Overrides `APIKey` and adds `Timeout`.
pub const UPDATE: &str = r#"{"ActionType": "Connectors.Update", "Parameters": {
    "EntryId": "twitterConnectorId",
    "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[Secrets:Key]"},
                   {"PropertyName": "Endpoint", "PropertyValue": "endpoint1"}],
    "PropertiesJson": "{\"APIKey\": \"s3cret-2\", \"Timeout\": \"60s\"}"}}"#;
