//! What becomes of former versions: compared, kept for a while, purged.

use std::collections::HashSet;

use super::Vault;
use super::write::Prepared;
use crate::connector::Version;
use crate::error::Result;
use crate::format::header::Role;
use crate::plan::{self, Change};

impl Vault {
    /// What changed from one kept version of a connector to another: names and kinds, no values.
    ///
    /// Fails with `connector_not_found` or `version_not_found`, and with `not_permitted` for a
    /// viewer.
    pub fn diff(&self, id: &str, from: Version, to: Version) -> Result<Vec<Change>> {
        let from = self.read_version(id, from)?;
        let to = self.read_version(id, to)?;
        Ok(plan::differences(&from.properties, &to.properties))
    }

    /// A snapshot that keeps only the newest version, of these connectors or of all: no former
    /// value of theirs is in the file afterwards. Needs an owner.
    ///
    /// Fails with `connector_not_found` for an id that never was.
    pub fn prepare_purge(&self, ids: Option<&[&str]>) -> Result<Prepared> {
        self.require(Role::owns, "purge history")?;
        let purged = ids.map(|ids| ids.iter().copied().collect::<HashSet<_>>());
        if let Some(unknown) = ids
            .unwrap_or_default()
            .iter()
            .find(|id| self.index.newest(id).is_none())
        {
            return Err(self.not_found(unknown));
        }
        let mut records = Vec::new();
        for versions in self.index.all() {
            let Some(newest) = versions.clone().last() else {
                continue;
            };
            let is_purged = match &purged {
                Some(ids) => ids.contains(self.index.overview(newest)?.id.as_str()),
                None => true,
            };
            let count = versions.clone().count();
            let kept = versions.skip(if is_purged { count - 1 } else { 0 });
            records.extend(kept.map(|stored| self.hashed(stored)));
        }
        self.prepare_snapshot(&self.access, &self.header, &self.locks, &records)
    }
}
