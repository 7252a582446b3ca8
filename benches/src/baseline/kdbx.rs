//! A KeePass database (KDBX 4), one entry per connector, with the cheapest key derivation that
//! the format knows, so that what is measured is the store and not the passphrase.

use std::path::{Path, PathBuf};

use keepass::config::{DatabaseConfig, KdfConfig};
use keepass::{Database, DatabaseKey};

use crate::contender::{Contender, Opened, Result};
use crate::dataset::{Connector, SECRETS};
use crate::durable;

pub(crate) struct Kdbx;

impl Contender for Kdbx {
    fn name(&self) -> &'static str {
        "KeePass (keepass 0.17)"
    }

    fn create(&self, path: &Path, connectors: &[Connector]) -> Result<()> {
        let mut config = DatabaseConfig::default();
        config.kdf_config = KdfConfig::Aes { rounds: 1 };
        let mut database = Database::with_config(config);
        for connector in connectors {
            let mut root = database.root_mut();
            let mut entry = root.add_entry();
            entry.set_unprotected("Title", connector.name.as_str());
            entry.set_unprotected("Id", connector.id.as_str());
            entry.set_unprotected("Type", connector.type_name.as_str());
            for property in &connector.properties {
                if SECRETS.contains(&property.name.as_str()) {
                    entry.set_protected(property.name.as_str(), property.value.as_str());
                } else {
                    entry.set_unprotected(property.name.as_str(), property.value.as_str());
                }
            }
        }
        save(path, &database)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Opened>> {
        Ok(Box::new(Entries {
            path: path.to_owned(),
            database: Database::parse(&std::fs::read(path)?, key())?,
        }))
    }
}

struct Entries {
    path: PathBuf,
    database: Database,
}

impl Opened for Entries {
    fn len(&self) -> usize {
        self.database.num_entries()
    }

    fn value(&self, id: &str, property: &str) -> Result<Option<String>> {
        Ok(self
            .database
            .iter_all_entries()
            .find(|entry| entry.get("Id") == Some(id))
            .and_then(|entry| entry.get(property).map(str::to_owned)))
    }

    fn update(&mut self, id: &str, property: &str, value: &str) -> Result<()> {
        let entry = self
            .database
            .iter_all_entries()
            .find(|entry| entry.get("Id") == Some(id))
            .map(|entry| entry.id())
            .ok_or("no such connector")?;
        self.database
            .entry_mut(entry)
            .ok_or("no such connector")?
            .set_protected(property, value);
        save(&self.path, &self.database)
    }
}

fn save(path: &Path, database: &Database) -> Result<()> {
    let mut bytes = Vec::new();
    database.save(&mut bytes, key())?;
    Ok(durable::replace(path, &bytes)?)
}

fn key() -> DatabaseKey {
    DatabaseKey::new().with_password("correct horse battery staple")
}
