//! A sound vault in a new file, from what is intact of a damaged one (docs/format.md section 12).

use std::path::Path;

use connector_vault::{Repaired, Unlock, Vault};

use crate::error::Result;
use crate::file::FileStore;
use crate::heads;
use crate::options::FileOptions;
use crate::vault::FileVault;

impl FileVault {
    /// Writes to the new file `out` what is intact of the vault in `damaged`, as [`Vault::repair`]
    /// does. The damaged file stays as it is. Takes no lock on it: what another process appends at
    /// the same time is saved or not.
    ///
    /// What this client has seen at `damaged` counts as when it opens it, but for commits that are
    /// lost. At `out`, the head of the repaired vault is remembered.
    ///
    /// Fails with `file_exists` if `out` exists, and with the core's codes.
    pub fn repair(
        damaged: impl AsRef<Path>,
        out: impl AsRef<Path>,
        unlock: Unlock<'_>,
        options: FileOptions,
        unsigned: bool,
    ) -> Result<Repaired> {
        let (damaged, out) = (FileStore::new(damaged)?, FileStore::new(out)?);
        out.check_free()?;
        let file = damaged.read()?;
        let mut open = options.open;
        if let (Some(heads), Some(vault_id)) = (&options.heads, Vault::identify_damaged(&file)) {
            heads::expect(heads, &mut open, vault_id, &damaged, options.accept)?;
        }
        let repaired = Vault::repair(&file, unlock, &open, unsigned)?;
        out.create(&repaired.file)?;
        // The file is there: a witness that is missing is no failure of it. What was seen of a former
        // file at this path is none.
        if let Some(heads) = &options.heads {
            let vault_id = repaired.vault.head().vault_id;
            let _ = heads::forget(heads, &out, vault_id);
            let _ = heads::remember(heads, &out, &repaired.vault.known_head());
        }
        Ok(repaired)
    }
}
