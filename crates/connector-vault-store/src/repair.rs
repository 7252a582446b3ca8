//! A sound vault in a new file, from what is intact of a damaged one (docs/format.md section 12).

use std::path::Path;

use connector_vault::{Repaired, Unlock, Vault};

use crate::error::Result;
use crate::file::FileStore;
use crate::vault::{FileOptions, FileVault, expect_known, forget, remember};

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
        if let Some(vault_id) = Vault::identify_damaged(&file) {
            let heads = options.heads.as_ref();
            expect_known(&mut open, vault_id, &damaged, heads, options.accept)?;
        }
        let repaired = Vault::repair(&file, unlock, &open, unsigned)?;
        out.create(&repaired.file)?;
        // The file is there: a witness that is missing is no failure of it. What was seen of a former
        // file at this path is none.
        if let Some(heads) = &options.heads {
            let vault_id = repaired.vault.head().vault_id;
            let _ = forget(vault_id, &out, heads);
            let _ = remember(&repaired.vault.known_head(), &out, heads);
        }
        Ok(repaired)
    }
}
