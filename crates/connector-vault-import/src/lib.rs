//! Reads what other tools export as connectors of a vault: bytes in, connectors out. No input or output, no clock.
//!
//! An [`Export`] is a file's bytes, with what else is needed to understand them. Reading it gives [`Imported`]: connectors,
//! which [`Vault::plan_import_with`](connector_vault::Vault::plan_import_with) takes, and a list of what they do not hold.
//! Ids derive from those of the source, so a second import finds the connectors of the first.
//!
//! ```
//! use connector_vault_import::{Export, Kind};
//!
//! let export = Export::new(b"APIKey=a\nEndpoint='https://api.example'\n").named("mail.env");
//! assert_eq!(export.kind()?, Kind::Env);
//! let imported = export.read()?;
//! assert_eq!(imported.connectors.len(), 1);
//! assert!(imported.not_taken.is_empty());
//! # Ok::<(), connector_vault_import::Error>(())
//! ```
//!
//! Each kind is described in `docs/import.md`. Lengths, depths and counts of an export are checked before anything is
//! allocated for them, and no error holds a value.

mod bitwarden;
mod cipher;
mod csv;
mod detect;
mod entry;
mod env;
mod error;
mod export;
mod json;
mod kind;
mod n8n;
mod node_red;
mod read;
mod vault_kv;

pub use entry::{Imported, NotTaken};
pub use env::dotenv;
pub use error::{Error, Result};
pub use export::{EXPORT_LEN_MAX, Export};
pub use kind::Kind;
