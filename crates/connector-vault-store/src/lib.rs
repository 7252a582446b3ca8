//! Where connector vaults live: files, and the heads that a client has seen.
//!
//! The core does no input or output. This crate reads and writes for it, durably and safely against
//! other processes, and knows nothing of what the bytes mean beyond where the log begins.
//!
//! - [`FileLock`] is the lock itself, which other languages take too (`docs/file-lock.md`).

mod disk;
mod error;
mod lock;
mod owner;

pub use error::{Error, Result};
pub use lock::{DEFAULT_TIMEOUT, FileLock};
