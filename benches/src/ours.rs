//! The vault in its file, opened by an identity.

use std::io::Read;
use std::path::Path;

use connector_vault::{
    Action, ConnectorId, Grantee, Identity, NewConnector, NewOwner, OpenOptions, Options,
    Passphrase, Properties, PropertyName, Role, Secret, Unlock, Vault, VaultId,
};
use connector_vault_store::{FileVault, KnownHeads};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::contender::{Contender, Opened, Result};
use crate::dataset::Connector;

/// `connector-vault` with its lock file, compare-and-append and fdatasync.
pub(crate) struct Ours {
    identity: Identity,
}

impl Ours {
    pub(crate) fn new() -> Self {
        // The same at each run, so that a process started to measure memory opens the vault too.
        Self {
            identity: Identity::generate(&mut StdRng::seed_from_u64(0)),
        }
    }

    /// From the first kilobytes: a client has it from elsewhere, so finding it costs no time here.
    fn vault_id(&self, path: &Path) -> Result<VaultId> {
        let mut start = String::new();
        let bytes = &mut [0; 1024];
        let len = std::fs::File::open(path)?.read(bytes)?;
        start.push_str(&String::from_utf8_lossy(&bytes[..len]));
        let field = "\"vault_id\":\"";
        let at = start.find(field).ok_or("the header names no vault id")? + field.len();
        let id = start.get(at..at + 64).ok_or("the vault id is short")?;
        Ok(id.parse()?)
    }
}

impl Ours {
    /// The vault in a file, as its owner opens it.
    pub(crate) fn open_file(&self, path: &Path) -> Result<FileVault> {
        let options = FileVault::builder()
            .heads(KnownHeads::none())
            .expect(self.vault_id(path)?);
        Ok(options.open(path, Unlock::Identity(&self.identity))?)
    }
}

/// What the grant of a round is called.
pub(crate) fn label(round: usize) -> String {
    format!("reader-{round}")
}

/// Lets the holder of a new identity read.
pub(crate) fn grant(vault: &mut FileVault, round: usize) -> Result<()> {
    let seed = u64::try_from(round)? + 1;
    let key = Identity::generate(&mut StdRng::seed_from_u64(seed)).grant_key();
    vault.grant(&label(round), Role::Reader, Grantee::Key(&key))?;
    Ok(())
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        "connector-vault"
    }

    fn create(&self, path: &Path, connectors: &[Connector]) -> Result<()> {
        let owner = NewOwner::identity("bench", self.identity.clone());
        let options = FileVault::builder().heads(KnownHeads::none());
        let mut vault = options.create(path, owner)?;
        vault.change_planned(|vault, _| {
            connectors
                .iter()
                .map(|connector| {
                    let id = ConnectorId::new(connector.id.as_str())?;
                    let mut properties = Properties::new();
                    for property in &connector.properties {
                        let name = PropertyName::new(property.name.as_str())?;
                        properties.set(name, Secret::new(property.value.as_str())?)?;
                    }
                    let (name, type_name) = (connector.name.as_str(), connector.type_name.as_str());
                    vault.plan_create(
                        &NewConnector::new(id.as_str(), name, type_name)
                            .with_properties(&properties),
                        &Options::default(),
                    )
                })
                .collect()
        })?;
        Ok(())
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Opened>> {
        Ok(Box::new(self.open_file(path)?))
    }
}

impl Opened for FileVault {
    fn len(&self) -> usize {
        self.vault().len()
    }

    fn value(&self, id: &str, property: &str) -> Result<Option<String>> {
        let connector = self.vault().read(id)?;
        Ok(connector
            .properties
            .get(property)
            .map(|value| value.expose().to_owned()))
    }

    fn update(&mut self, id: &str, property: &str, value: &str) -> Result<()> {
        let action = Action::parse(&format!(
            r#"{{"ActionType": "Connectors.Update", "Parameters": {{"EntryId": "{id}",
                "Properties": [{{"PropertyName": "{property}", "PropertyValue": "{value}"}}]}}}}"#
        ))?;
        self.run(&action, ())?;
        Ok(())
    }
}

/// A vault without connectors whose key slot has the default cost: opening it is the cost of a
/// passphrase and a signature or two.
pub(crate) struct Locked {
    file: Vec<u8>,
    passphrase: Passphrase,
}

impl Locked {
    pub(crate) fn new(passphrase: &str) -> Result<Self> {
        let passphrase = Passphrase::new(passphrase)?;
        let owner = NewOwner::passphrase("bench", &passphrase);
        let now = connector_vault::Timestamp::new("2026-11-23T20:15:00.000Z")?;
        let mut rng = StdRng::seed_from_u64(1);
        let (_, file) = Vault::create(&mut connector_vault::Host { now, rng: &mut rng }, &owner)?;
        Ok(Self { file, passphrase })
    }

    pub(crate) fn unlock(&self) -> Result<Vault> {
        let unlock = Unlock::Passphrase(&self.passphrase);
        Ok(Vault::open(
            self.file.clone(),
            unlock,
            &OpenOptions::default(),
        )?)
    }
}
