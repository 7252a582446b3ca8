//! Where connector vaults live: files, and the heads that a client has seen.
//!
//! The core does no input or output. This crate reads and writes for it, durably and safely against
//! other processes.
//!
//! - [`FileVault`] is a vault in a file: it opens, follows and changes it.
//! - [`FileSource`] reads its bytes when they are used.
//! - [`FileStore`] is the file itself: read it, create it, or [lock](FileStore::lock) it to
//!   change it.
//! - [`LockedFile`] compares, appends to and replaces the file while no other process can.
//! - [`FileLock`] is the lock itself, which other languages take too (`docs/file-lock.md`).
//! - [`write_new_file`] writes another new file, such as an export.
//! - [`KnownHeads`] remembers the newest head seen of each vault, the witness against rollback.
//!
//! On Unix, a write that a limit on the size of files forbids (`ulimit -f`) ends a process that does not
//! handle or ignore `SIGXFSZ`. In one that does, as `cvault` does, the write is an error.

mod clock;
mod compare;
#[cfg(all(test, unix))]
mod crash;
mod disk;
mod driver;
mod error;
#[cfg(all(test, unix))]
mod faults;
mod file;
mod heads;
mod lock;
mod locked;
mod names;
mod options;
mod owner;
mod repair;
mod source;
mod unfinished;
mod vault;
mod waiting;
mod warning;
mod whole;

pub use compare::Compared;
pub use error::{Error, Result};
pub use file::FileStore;
pub use heads::KnownHeads;
pub use lock::{DEFAULT_TIMEOUT, FileLock};
pub use locked::LockedFile;
pub use options::Builder;
pub use source::FileSource;
pub use vault::{FileVault, Purged, RemovedGroup, Revoked};
pub use warning::{OnWarning, Warning};
pub use whole::write_new_file;

/// The examples of README.md compile and run as tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
