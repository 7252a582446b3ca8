//! The lock file: one process at a time changes a vault, whatever language it is written in
//! (docs/file-lock.md, which is normative).
//!
//! A lock is a file `<vault>.lock` beside the vault. It is published with its content already in
//! it, by `link` of a temporary file, which fails if the name is taken. Its content, one line of
//! JSON, says who holds it: `owner.rs`.
//!
//! Its owner removes it, after reading its own token there. Anybody else removes it only if its
//! owner is provably gone, and only while holding `<vault>.lock.break`, a lock of the same kind
//! (and so itself breakable under `<vault>.lock.break.break`), after reading the lock again.
//!
//! # Why two never hold it
//!
//! Say *F* is a lock file and *F.break* the one that guards its removal. Suppose that some removal
//! were the first to remove a lock whose owner lives. Its owner did not do it, so a breaker did,
//! which holds F.break, and lives. As nothing went wrong before, F.break is the breaker's alone:
//! from its second reading of F to its removal of F no other breaker touched F. What it read was
//! the lock of an owner that is gone, and gone for good, so that the owner did not touch F either.
//! As F existed all the time, nobody could publish another F. So what it removed is what it read:
//! no lock of a living owner. The same holds for F.break with F.break.break. A breaker that sleeps
//! between its first reading and F.break reads again, and finds the new owner; one that sleeps
//! while it holds F.break keeps the others out, and one that dies there is gone.
//!
//! There is no lease and no clock in this: a process that is stopped for an hour keeps its lock.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::disk::{TempName, create_private, no_hard_links, parent, random_hex, with_suffix};
use crate::error::{Error, Result};
use crate::owner::{Myself, Owner};

/// How long to wait for a lock unless told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// A lock file larger than this is none.
const LOCK_LEN_MAX: u64 = 4096;
/// How many breakers may have died while breaking the lock of another, before a person has to look.
const BREAK_DEPTH_MAX: usize = 8;
const WAIT_MIN: Duration = Duration::from_micros(50);
const WAIT_MAX: Duration = Duration::from_millis(10);

/// A lock that this process holds, until this is dropped.
///
/// ```
/// use connector_vault_store::{DEFAULT_TIMEOUT, FileLock};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("vault.lock");
/// let lock = FileLock::acquire(&path, DEFAULT_TIMEOUT)?;
/// assert!(path.exists());
/// drop(lock);
/// assert!(!path.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct FileLock {
    path: PathBuf,
    token: String,
    pid: u32,
}

impl FileLock {
    /// Takes the lock that the file `path` stands for, waiting up to `timeout` for another owner;
    /// with a zero `timeout` it tries once. Threads of one process exclude each other as processes
    /// do.
    ///
    /// Fails with `lock_timeout` if somebody else holds it all the time, with `io` if the folder
    /// cannot be written to.
    pub fn acquire(path: &Path, timeout: Duration) -> Result<Self> {
        // None: further away than the clock reaches.
        let deadline = Instant::now().checked_add(timeout);
        let candidate = Candidate::prepare(path)?;
        let mut wait = WAIT_MIN;
        loop {
            if candidate.publish()? {
                return Ok(candidate.held());
            }
            let owner = match Found::at(path) {
                // A network file system may repeat a `link` that succeeded and report the second
                // one.
                Found::Owner(owner) if owner.token == candidate.token => {
                    return Ok(candidate.held());
                }
                found if found.is_gone(path)? => {
                    if break_gone(path, 0)? {
                        continue;
                    }
                    None
                }
                Found::Owner(owner) => Some(owner),
                _ => None,
            };
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => Duration::MAX,
            };
            if left.is_zero() {
                return Err(Error::LockTimeout {
                    path: path.to_owned(),
                    timeout,
                    owner: owner.map(|owner| owner.to_string()),
                });
            }
            std::thread::sleep(jitter(wait)?.min(left));
            wait = (wait * 2).min(WAIT_MAX);
        }
    }

    /// Checks that the lock is still this one. A safeguard against hands that delete lock files, no
    /// more: it can be lost in the next moment.
    ///
    /// Fails with `lock_lost`.
    pub fn verify(&self) -> Result<()> {
        match Found::at(&self.path) {
            Found::Owner(owner) if owner.token == self.token => Ok(()),
            _ => Err(Error::LockLost {
                path: self.path.clone(),
            }),
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // After a fork, the lock stays the parent's. Nobody removes the lock of a living process,
        // so between reading and removing it stays ours. A failure leaves it to those who find us
        // gone.
        if self.pid == std::process::id() && self.verify().is_ok() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Between half of `wait` and all of it, so that those who wait do not go on together.
fn jitter(wait: Duration) -> Result<Duration> {
    let random = getrandom::u32().map_err(Error::random)?;
    Ok(wait / 2 + (wait / 2).mul_f64(f64::from(random) / f64::from(u32::MAX)))
}

/// A lock file under a temporary name, ready to be published.
struct Candidate {
    path: PathBuf,
    content: String,
    token: String,
    pid: u32,
    temp: PathBuf,
    _remove: TempName,
}

impl Candidate {
    fn prepare(path: &Path) -> Result<Self> {
        let token = random_hex()?;
        let owner = Myself::get().with_token(token.clone());
        let mut content = serde_json::to_string(&owner)
            .map_err(|error| Error::io("write", path, error.into()))?;
        content.push('\n');
        let temp = temp_path(path, &token);
        let mut file = create_private(&temp).map_err(|error| Error::io("create", &temp, error))?;
        let remove = TempName::new(temp.clone());
        // Not synced: after a power failure no owner is left, and an empty lock file says so too.
        file.write_all(content.as_bytes())
            .map_err(|error| Error::io("write", &temp, error))?;
        Ok(Self {
            path: path.to_owned(),
            content,
            token,
            pid: owner.pid,
            temp,
            _remove: remove,
        })
    }

    /// Gives the lock file its name. False if the name is taken.
    fn publish(&self) -> Result<bool> {
        let result = match fs::hard_link(&self.temp, &self.path) {
            Err(error) if no_hard_links(&error) => self.publish_by_writing(),
            result => result,
        };
        match result {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Error::io("create", &self.path, error)),
        }
    }

    /// For file systems without hard links: exclusive as well, but others may see it empty for a
    /// moment, and if the process dies in this moment, it stays so.
    fn publish_by_writing(&self) -> io::Result<()> {
        let mut file = create_private(&self.path)?;
        let remove = TempName::new(self.path.clone());
        file.write_all(self.content.as_bytes())?;
        remove.keep();
        Ok(())
    }

    fn held(self) -> FileLock {
        FileLock {
            path: self.path,
            token: self.token,
            pid: self.pid,
        }
    }
}

fn temp_path(path: &Path, token: &str) -> PathBuf {
    with_suffix(path, &format!(".{token}.tmp"))
}

/// What stands where a lock file would.
enum Found {
    Nothing,
    Owner(Owner),
    /// Empty, or all zero: what a power failure leaves of a file that was not synced.
    Blank,
    /// Anything else: nobody knows whose.
    Unknown,
}

impl Found {
    fn at(path: &Path) -> Self {
        let read = || {
            let mut content = Vec::with_capacity(512);
            fs::File::open(path)?
                .take(LOCK_LEN_MAX)
                .read_to_end(&mut content)?;
            Ok(content)
        };
        match read() {
            Ok(content) if content.iter().all(|byte| *byte == 0) => Self::Blank,
            Ok(content) => serde_json::from_slice(&content).map_or(Self::Unknown, Self::Owner),
            Err(error) if io::Error::kind(&error) == io::ErrorKind::NotFound => Self::Nothing,
            Err(_) => Self::Unknown,
        }
    }

    /// Whether it is a lock whose owner is provably gone.
    fn is_gone(&self, path: &Path) -> Result<bool> {
        match self {
            Self::Owner(owner) => Ok(Myself::get().proves_gone(owner)),
            // With hard links, content precedes the name, so no living owner's lock was ever blank.
            // Without, it may be one that is just being written.
            Self::Blank => hard_links_work(path),
            Self::Nothing | Self::Unknown => Ok(false),
        }
    }
}

fn hard_links_work(path: &Path) -> Result<bool> {
    let probe = Candidate::prepare(&with_suffix(path, &format!(".{}.tmp", random_hex()?)))?;
    let linked = fs::hard_link(&probe.temp, &probe.path).is_ok();
    if linked {
        drop(TempName::new(probe.path.clone()));
    }
    Ok(linked)
}

/// Removes the lock file of an owner that is gone. True if a file was removed, here or deeper, so
/// that it is worth trying again at once.
fn break_gone(path: &Path, depth: usize) -> Result<bool> {
    if depth == BREAK_DEPTH_MAX {
        return Ok(false);
    }
    let guard_path = with_suffix(path, ".break");
    let candidate = Candidate::prepare(&guard_path)?;
    if !candidate.publish()? {
        let found = Found::at(&guard_path);
        let repeated = matches!(&found, Found::Owner(owner) if owner.token == candidate.token);
        if !repeated {
            // Another breaker is at work, or was.
            return Ok(found.is_gone(&guard_path)? && break_gone(&guard_path, depth + 1)?);
        }
    }
    let guard = candidate.held();
    // Again, now that nobody else may remove it: in the meantime another breaker may have, and a
    // living process may have taken the lock.
    let removed = Found::at(path).is_gone(path)?
        && match fs::remove_file(path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(Error::io("remove", path, error)),
        };
    drop(guard);
    if removed {
        sweep(path);
    }
    Ok(removed)
}

/// Removes temporary files of processes that died before they could. Best effort, and only after a
/// lock had to be broken, since that is when there may be some. Each has one owner and no meaning
/// to others, so nothing can go wrong here.
fn sweep(path: &Path) {
    let Some(name) = path.file_name() else {
        return;
    };
    let Ok(entries) = fs::read_dir(parent(path)) else {
        return;
    };
    for entry in entries.flatten() {
        let entry_name = entry.file_name();
        let is_temp = entry_name
            .as_encoded_bytes()
            .strip_prefix(name.as_encoded_bytes())
            .is_some_and(|rest| rest.starts_with(b".") && rest.ends_with(b".tmp"));
        if !is_temp {
            continue;
        }
        if let Found::Owner(owner) = Found::at(&entry.path())
            && Myself::get().proves_gone(&owner)
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    /// A lock file as a process left it that is gone.
    fn left_behind(path: &Path) {
        let mut owner = Myself::get().with_token(random_hex().unwrap());
        owner.start_time += 1;
        fs::write(path, serde_json::to_string(&owner).unwrap()).unwrap();
    }

    #[test]
    fn a_slow_breaker_leaves_the_new_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        left_behind(&path);
        assert!(Found::at(&path).is_gone(&path).unwrap());
        // Another breaker is faster.
        let lock = FileLock::acquire(&path, Duration::ZERO).unwrap();
        assert!(!break_gone(&path, 0).unwrap());
        lock.verify().unwrap();
    }

    #[test]
    fn breakers_that_died_are_broken_in_turn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        let mut file = path.clone();
        for _ in 0..BREAK_DEPTH_MAX {
            left_behind(&file);
            file = with_suffix(&file, ".break");
        }
        let lock = FileLock::acquire(&path, Duration::ZERO).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        drop(lock);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_breaker_at_work_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        left_behind(&path);
        let _breaker = FileLock::acquire(&with_suffix(&path, ".break"), Duration::ZERO).unwrap();
        let error = FileLock::acquire(&path, Duration::ZERO).unwrap_err();
        assert_eq!(error.code(), "lock_timeout");
    }

    #[test]
    fn a_lock_that_a_hand_replaced_is_lost_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        let first = FileLock::acquire(&path, Duration::ZERO).unwrap();
        fs::remove_file(&path).unwrap();
        let second = FileLock::acquire(&path, Duration::ZERO).unwrap();
        assert_eq!(first.verify().unwrap_err().code(), "lock_lost");
        drop(first);
        second.verify().unwrap();
    }

    #[test]
    fn temporary_files_of_the_dead_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        left_behind(&path);
        left_behind(&temp_path(&path, "aa"));
        let alive = temp_path(&path, "bb");
        let me = Myself::get().with_token("bb".into());
        fs::write(&alive, serde_json::to_string(&me).unwrap()).unwrap();
        drop(FileLock::acquire(&path, Duration::ZERO).unwrap());
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].path(), alive);
    }

    #[test]
    fn without_hard_links_the_lock_is_written_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        let candidate = Candidate::prepare(&path).unwrap();
        candidate.publish_by_writing().unwrap();
        let again = candidate.publish_by_writing().unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        candidate.held().verify().unwrap();
    }
}
