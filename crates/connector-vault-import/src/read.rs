//! From the bytes of an export to its connectors.

use connector_vault::NewConnectors;

use crate::entry::Imported;
use crate::error::{Error, KIND_REQUIRED, LIMIT_EXCEEDED, Result};
use crate::export::{EXPORT_LEN_MAX, Export, utf_8};
use crate::kind::Kind;
use crate::{bitwarden, csv, detect, env, n8n, node_red, vault_kv};

impl Export<'_> {
    /// The kind: the given one, or the one that bytes and name show. Fails with `kind_required`.
    pub fn kind(&self) -> Result<Kind> {
        let kind = self
            .kind
            .or_else(|| detect::kind(self.bytes, self.file_name));
        kind.ok_or_else(|| {
            Error::new(
                KIND_REQUIRED,
                "nothing in the file tells which tool wrote it",
            )
        })
    }

    /// The connectors of the export. Fails with `kind_required`, `invalid_export`, `unsupported_export`,
    /// `source_key_required`, `wrong_source_key` or `limit_exceeded`, and with the core's codes for an entry that cannot be a connector.
    pub fn read(&self) -> Result<Imported> {
        let kind = self.kind()?;
        let len = self.bytes.len().max(self.beside_len());
        if kind != Kind::Json && len > EXPORT_LEN_MAX {
            return Err(Error::new(
                LIMIT_EXCEEDED,
                format!("the export is longer than {EXPORT_LEN_MAX} bytes"),
            ));
        }
        match kind {
            Kind::Bitwarden => bitwarden::read(self),
            Kind::Csv => csv::read(self),
            Kind::Env => env::read(self),
            Kind::Json => Ok(Imported {
                connectors: NewConnectors::parse(utf_8(self.bytes)?)?,
                not_taken: Vec::new(),
            }),
            Kind::N8n => n8n::read(self),
            Kind::NodeRed => node_red::read(self),
            Kind::VaultKv => vault_kv::read(self),
        }
    }
}
