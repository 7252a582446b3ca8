//! All connectors as one typed JSON document under AES-256-GCM: the usual home-made store. It is
//! as fast as a whole file can be: no padding, no history, no signatures.

use std::path::{Path, PathBuf};

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Key};

use crate::contender::{Contender, Opened, Result};
use crate::dataset::Connector;
use crate::durable;

const NONCE_LEN: usize = 12;

pub(crate) struct JsonFile;

impl Contender for JsonFile {
    fn name(&self) -> &'static str {
        "whole-file AES-GCM JSON"
    }

    fn create(&self, path: &Path, connectors: &[Connector]) -> Result<()> {
        save(path, connectors)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Opened>> {
        let mut bytes = std::fs::read(path)?;
        if bytes.len() < NONCE_LEN {
            return Err("the file is too short".into());
        }
        let mut sealed = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::<Aes256Gcm>::try_from(bytes.as_slice())?;
        cipher().decrypt_in_place(&nonce, b"", &mut sealed)?;
        Ok(Box::new(Document {
            path: path.to_owned(),
            connectors: serde_json::from_slice(&sealed)?,
        }))
    }
}

struct Document {
    path: PathBuf,
    connectors: Vec<Connector>,
}

impl Opened for Document {
    fn len(&self) -> usize {
        self.connectors.len()
    }

    fn value(&self, id: &str, property: &str) -> Result<Option<String>> {
        Ok(self
            .connectors
            .iter()
            .find(|connector| connector.id == id)
            .and_then(|connector| connector.properties.iter().find(|p| p.name == property))
            .map(|property| property.value.clone()))
    }

    fn update(&mut self, id: &str, property: &str, value: &str) -> Result<()> {
        let connector = self
            .connectors
            .iter_mut()
            .find(|connector| connector.id == id)
            .ok_or("no such connector")?;
        let property = connector
            .properties
            .iter_mut()
            .find(|p| p.name == property)
            .ok_or("no such property")?;
        value.clone_into(&mut property.value);
        connector.version += 1;
        save(&self.path, &self.connectors)
    }
}

fn save(path: &Path, connectors: &[Connector]) -> Result<()> {
    let mut nonce = Nonce::<Aes256Gcm>::default();
    getrandom::fill(&mut nonce)?;
    let mut bytes = nonce.to_vec();
    serde_json::to_writer(&mut bytes, connectors)?;
    let tag = cipher().encrypt_inout_detached(&nonce, b"", (&mut bytes[NONCE_LEN..]).into())?;
    bytes.extend_from_slice(&tag);
    Ok(durable::replace(path, &bytes)?)
}

fn cipher() -> Aes256Gcm {
    // Time does not depend on the key.
    Aes256Gcm::new(&Key::<Aes256Gcm>::from([7; 32]))
}
