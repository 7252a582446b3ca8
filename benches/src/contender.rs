//! What a way to keep connectors has to offer in order to be measured.

use std::path::Path;

use crate::dataset::Connector;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A way to keep connectors in one encrypted file. It holds its own key or identity: what a
/// passphrase costs is measured apart.
pub(crate) trait Contender {
    /// Its name in the tables; also the name of its file.
    fn name(&self) -> &'static str;

    /// Writes a new file with these connectors, durably.
    fn create(&self, path: &Path, connectors: &[Connector]) -> Result<()>;

    /// Reads the file, so that values can be read and updated.
    fn open(&self, path: &Path) -> Result<Box<dyn Opened>>;
}

/// An open store.
pub(crate) trait Opened {
    /// How many connectors it holds.
    fn len(&self) -> usize;

    /// The value of a property.
    fn value(&self, id: &str, property: &str) -> Result<Option<String>>;

    /// Changes a property; once this returns, a power cut does not undo it.
    fn update(&mut self, id: &str, property: &str, value: &str) -> Result<()>;
}
