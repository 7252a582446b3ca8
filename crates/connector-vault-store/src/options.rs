//! Options for opening a vault file.

use std::time::Duration;

use connector_vault::{OpenOptions, Trust, VaultId, VaultReference};

use crate::error::{Error, Result};
use crate::heads::KnownHeads;
use crate::lock::DEFAULT_TIMEOUT;
use crate::warning::{OnWarning, Warning};

/// How a vault file is opened: [`FileVault::builder`](crate::FileVault::builder).
///
/// ```no_run
/// # use connector_vault::{Identity, Unlock, VaultId};
/// # use connector_vault_store::{Error, FileVault, KnownHeads};
/// # fn open(identity: &Identity, vault_id: VaultId) -> Result<FileVault, Error> {
/// FileVault::builder()
///     .heads(KnownHeads::open("/var/lib/deploy/heads"))
///     .expect(vault_id)
///     .open("team.cvault", Unlock::Identity(identity))
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    pub(crate) open: OpenOptions,
    heads: Option<KnownHeads>,
    pub(crate) trust: Trust,
    pub(crate) wait: Duration,
    pub(crate) on_warning: OnWarning,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            open: OpenOptions::default(),
            heads: None,
            trust: Trust::Grown,
            wait: DEFAULT_TIMEOUT,
            on_warning: OnWarning::default(),
        }
    }
}

impl Builder {
    /// Keeps the newest heads that were seen there: by default in the user's folder for them
    /// ([`KnownHeads::open_default`]). With [`KnownHeads::none`] a rollback goes unnoticed.
    pub fn heads(self, heads: KnownHeads) -> Self {
        Self {
            heads: Some(heads),
            ..self
        }
    }

    /// What the vault must be in view of what was seen of it: by default [`Trust::Grown`].
    pub fn trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// Expects the vault to have this id. An identity opens only a vault with an expected id or a known
    /// head. Creating a vault does not look at it.
    pub fn expect(mut self, vault_id: VaultId) -> Self {
        self.open.vault_id = Some(vault_id);
        self
    }

    /// Expects the vault that an owner's vault reference names, instead of an id.
    pub fn reference(mut self, reference: VaultReference) -> Self {
        self.open.reference = Some(reference);
        self
    }

    /// How long a change waits for other processes: by default [`DEFAULT_TIMEOUT`].
    pub fn wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// The most memory that a key slot may make Argon2id use, in KiB: by default 256 MiB, at most
    /// [`connector_vault::limits::MEMORY_KIB_MAX_NATIVE`].
    pub fn memory_max(mut self, memory_kib: u32) -> Self {
        self.open.memory_kib_max = memory_kib;
        self
    }

    /// The most memory times passes of all key slots that one opening tries, in KiB: by default
    /// [`connector_vault::limits::WORK_KIB_MAX`].
    pub fn work_max(mut self, work_kib: u64) -> Self {
        self.open.work_kib_max = work_kib;
        self
    }

    /// Where warnings go: by default nowhere.
    pub fn on_warning(self, on_warning: OnWarning) -> Self {
        Self { on_warning, ..self }
    }

    /// Where heads are kept. If the user has no folder for them, a warning says so.
    pub(crate) fn known_heads(&self) -> Result<KnownHeads> {
        if let Some(heads) = &self.heads {
            return Ok(heads.clone());
        }
        match KnownHeads::open_default() {
            Err(Error::NoStateDir) => {
                self.on_warning.tell(&Warning::new(
                    "no_state_dir",
                    "there is no folder for known heads, so a rollback goes unnoticed",
                ));
                Ok(KnownHeads::none())
            }
            heads => heads,
        }
    }
}
