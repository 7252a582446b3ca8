//! A sound vault in a new file, from what is intact of a damaged one (docs/format.md section 12).

use std::path::Path;

use connector_vault::{RepairOptions, Repaired, Unlock, Vault};

use crate::clock::{host, rng};
use crate::error::Result;
use crate::file::FileStore;
use crate::heads;
use crate::options::Builder;

impl Builder {
    /// Writes to the new file `out` what is intact of the vault in `damaged`; `repair`: see
    /// [`connector_vault::Vault::repair`]. The damaged file stays as it is. Takes no file lock on it:
    /// what another process appends at the same time is saved or not.
    ///
    /// What this client has seen at `damaged` counts as when it opens it, but for commits that are
    /// lost. At `out`, the head of the repaired vault is remembered.
    ///
    /// Fails with `file_exists` if `out` exists, and with the core's codes.
    pub fn repair(
        self,
        damaged: impl AsRef<Path>,
        out: impl AsRef<Path>,
        unlock: Unlock<'_>,
        repair: RepairOptions,
    ) -> Result<Repaired> {
        let (damaged, out) = (FileStore::new(damaged)?, FileStore::new(out)?);
        out.check_free()?;
        let file = damaged.read()?;
        let known = self.known_heads()?;
        let mut open = self.open;
        if let Some(vault_id) = Vault::identify_damaged(&file) {
            heads::expect(&known, &mut open, vault_id, &damaged, self.trust)?;
        }
        let repaired = Vault::repair(&file, unlock, &open, repair, &mut host(&mut rng()?)?)?;
        out.create(&repaired.file)?;
        // The file is stored: failing to record its head is not an error. A head of a former file at
        // this path does not count.
        let _ = heads::forget(&known, &out, repaired.vault.id());
        let _ = heads::forget_others(&known, &out, repaired.vault.id());
        let _ = heads::remember(&known, &out, &repaired.vault.known_head(), true);
        Ok(repaired)
    }
}
