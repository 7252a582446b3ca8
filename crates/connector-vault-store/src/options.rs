//! How a vault file is opened.

use std::time::Duration;

use connector_vault::OpenOptions;

use crate::heads::KnownHeads;
use crate::lock::DEFAULT_TIMEOUT;
use crate::warning::OnWarning;

/// How a vault file is opened.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// What the vault is expected to be.
    pub open: OpenOptions,
    /// Where the newest heads seen are kept; without it, a rollback goes unnoticed.
    pub heads: Option<KnownHeads>,
    /// Takes the vault as it is, though it is older than what was seen of it, or another copy, and
    /// remembers it as the newest from now on.
    pub accept: bool,
    /// How long to wait for other processes.
    pub lock_timeout: Duration,
    /// Where warnings go.
    pub on_warning: OnWarning,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            open: OpenOptions::default(),
            heads: None,
            accept: false,
            lock_timeout: DEFAULT_TIMEOUT,
            on_warning: OnWarning::default(),
        }
    }
}
