//! A vault file while its lock is held: compare, append, replace (docs/format.md section 1 for
//! where the log begins).

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use connector_vault::LogEnd;

use crate::compare::{Compared, ReadFile};
use crate::disk::{
    self, TempName, create_private, is_same_file, links, parent, random_hex, sync_dir, with_suffix,
    write_all_at,
};
use crate::error::{Error, Result};
use crate::lock::FileLock;
use crate::names::{OpenVault, OtherNames};
use crate::source::FileSource;
use crate::unfinished::{publish_unfinished, unfinished_path, write_unfinished};
use crate::waiting::Waiting;
use crate::warning::Warning;

/// A vault file that no other process changes, until this is dropped.
#[derive(Debug)]
pub struct LockedFile {
    // Before the lock, so that the file is closed when the lock goes.
    file: OpenVault,
    path: PathBuf,
    lock: FileLock,
    /// Where the file ends, as far as is known: what somebody added past the lock is not
    /// overwritten.
    end: u64,
    /// A change may or may not have reached the disk, and so nothing may be built on it.
    poisoned: bool,
}

impl LockedFile {
    /// Opens the file by path under its lock: what was open before may have been replaced.
    pub(crate) fn open(lock: FileLock, path: PathBuf, waiting: &mut Waiting) -> Result<Self> {
        let file = OpenVault::open(&path, waiting)?;
        let metadata = file
            .metadata()
            .map_err(|error| Error::io("read", &path, error))?;
        let end = metadata.len();
        if links(&metadata) > 1 {
            // One name may be the temporary one by which the vault was created: removing that may
            // have failed. Best effort: it is seen as another name of the vault then.
            let _ = disk::remove(&unfinished_path(&path));
        }
        Ok(Self {
            file,
            path,
            lock,
            end,
            poisoned: false,
        })
    }

    /// The file's bytes.
    ///
    /// Fails with `io`.
    pub fn read(&mut self) -> Result<Vec<u8>> {
        self.read_file().read_from(0)
    }

    /// Compares the file with the log that the caller knows.
    ///
    /// Fails with `not_a_vault`, `unsupported_version` or `damaged` if the file does not begin as a
    /// vault does, with `not_durable` after a failed append, and with `io`.
    pub fn compare(&mut self, known: &LogEnd) -> Result<Compared> {
        self.check_usable()?;
        self.read_file().compare(known)
    }

    /// The same for an open vault, which reads from this file from now on, if it holds the log that is known.
    pub(crate) fn catch_up(&mut self, known: &LogEnd, source: &FileSource) -> Result<Compared> {
        let compared = self.compare(known)?;
        compared.follow(source, &self.file)?;
        Ok(compared)
    }

    /// Adds bytes at the end of the file. They are on the disk when this returns.
    ///
    /// Fails with `io` if they could not be written, for example because the disk is full: the file
    /// is as before then. Fails with `not_durable` if they could not be synced: the outcome is
    /// unknown, and this `LockedFile` refuses further work. Fails with `conflict` if somebody
    /// changed the file without the lock, with `lock_lost` if somebody took the lock away, and with
    /// `file_replaced` if another file stands in the place of this one, or none: the bytes are not in
    /// the vault then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.check_unchanged()?;
        let end = self.end;
        if let Err(error) = write_all_at(&self.file, bytes, end) {
            // Nothing of it was acknowledged. If this fails too, a torn tail stays, which is
            // dropped when the vault is opened. Synced, so that the next append to this place does not
            // mix with bytes of this one in a power failure.
            let _ = disk::set_len(&self.file, end).and_then(|()| disk::sync_data(&self.file));
            return Err(Error::io("append to", &self.path, error));
        }
        if let Err(error) = disk::sync_data(&self.file) {
            // Syncing again would report success: the kernel has marked the pages clean that it
            // could not write. For that reason too they are dropped, so that no later append builds
            // on them.
            self.poisoned = true;
            let _ = disk::set_len(&self.file, end);
            return Err(self.not_durable(error));
        }
        self.end = end + bytes.len() as u64;
        self.check_stayed_in_place()
    }

    /// Makes durable what is in the file: an answer that writes nothing may rely on bytes of a
    /// process that died before it synced them.
    ///
    /// Fails with `not_durable`, after which this `LockedFile` refuses further work, with `lock_lost`
    /// and with `file_replaced`.
    pub fn sync(&mut self) -> Result<()> {
        self.check_usable()?;
        self.lock.verify()?;
        disk::sync_data(&self.file).map_err(|error| {
            self.poisoned = true;
            self.not_durable(error)
        })?;
        self.check_stayed_in_place()
    }

    /// Cuts the log at `offset`, counted from where it begins, after keeping what follows in a file
    /// beside the vault, `<vault>.torn-<milliseconds since 1970>-<random>`. Returns that file, or
    /// nothing if the log ends there anyway.
    ///
    /// Fails like [`append`](Self::append), and with `conflict` if the log ends before `offset`;
    /// the file is as before then.
    pub fn save_torn_tail(&mut self, offset: u64) -> Result<Option<PathBuf>> {
        self.check_unchanged()?;
        let at = self.read_file().log_start()?.saturating_add(offset);
        if at > self.end {
            return Err(self.conflict(at, self.end));
        }
        if at == self.end {
            return Ok(None);
        }
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let side = with_suffix(
            &self.path,
            &format!(".torn-{}-{}", since_1970.as_millis(), random_hex()?),
        );
        let torn = self.read_file().read_from(at)?;
        let kept = create_private(&side).map_err(|error| Error::io("create", &side, error))?;
        let temp = TempName::new(side.clone());
        disk::write_new(&kept, &torn)
            .and_then(|()| disk::sync_all(&kept))
            .and_then(|()| sync_dir(parent(&side)))
            .map_err(|error| Error::io("write", &side, error))?;
        temp.keep();
        disk::set_len(&self.file, at).map_err(|error| Error::io("cut", &self.path, error))?;
        self.end = at;
        disk::sync_all(&self.file).map_err(|error| {
            self.poisoned = true;
            self.not_durable(error)
        })?;
        Ok(Some(side))
    }

    /// Deletes the files that [`save_torn_tail`](Self::save_torn_tail) has made beside this vault,
    /// and returns how many.
    ///
    /// Fails with `io`, after deleting some, and with `not_durable` if a power failure may bring them
    /// back.
    pub fn remove_torn_tails(&mut self) -> Result<usize> {
        let dir = parent(&self.path);
        let failed = |error| Error::io("read", dir, error);
        let mut prefix = self.path.file_name().unwrap_or_default().to_owned();
        prefix.push(".torn-");
        let mut removed = 0;
        for entry in fs::read_dir(dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if name
                .as_encoded_bytes()
                .starts_with(prefix.as_encoded_bytes())
            {
                let path = entry.path();
                disk::remove(&path).map_err(|error| Error::io("remove", &path, error))?;
                removed += 1;
            }
        }
        // Also if there were none: another process may have deleted them and died.
        sync_dir(dir).map_err(|error| self.not_durable(error))?;
        Ok(removed)
    }

    /// Replaces the file's content at once: whoever reads sees all of the old bytes or all of the
    /// new ones, and after a power failure either stands there whole. The new bytes are on the disk
    /// when this returns. The file's mode is kept, its owner and group if the system permits;
    /// access control lists and further hard links are not.
    ///
    /// Fails with `io`, `conflict`, `lock_lost`, `file_replaced` or `other_names`, in which case the file
    /// is as before; and with `not_durable` if the new file stands there but a power failure may still
    /// bring back the old one.
    pub fn replace(&mut self, bytes: &[u8]) -> Result<()> {
        self.check_unchanged()?;
        let old = &self.file;
        let (file, temp) = write_unfinished(&self.path, bytes, |new| keep_mode(old, new))?;
        if let Some(names @ OtherNames::Links(_)) = self.other_names()? {
            return Err(Error::OtherNames {
                path: self.path.clone(),
                names: names.to_string(),
            });
        }
        let file = OpenVault::fresh(file);
        // Writing may have taken long.
        self.lock.verify()?;
        self.check_in_place()?;
        publish_unfinished(&self.path, temp)?;
        self.file = file;
        self.end = bytes.len() as u64;
        sync_dir(parent(&self.path)).map_err(|error| {
            self.poisoned = true;
            self.not_durable(error)
        })?;
        self.check_stayed_in_place()
    }

    /// The names of the file beside the one that is in use.
    pub(crate) fn other_names(&self) -> Result<Option<OtherNames>> {
        let found = self.file.other_names(&self.path);
        found.map_err(|error| Error::io("read", &self.path, error))
    }

    /// Warns of other names where nothing keeps out those who use them.
    pub(crate) fn hazard(&self) -> Option<Warning> {
        if self.file.is_locked() {
            return None;
        }
        let names = self.other_names().ok()??;
        Some(Warning::new(
            "other_names",
            format!(
                "{} {names}, and programs that use another name do not notice this one here: changes \
                 may be lost; use one name, and mount folders instead of files",
                self.path.display()
            ),
        ))
    }

    fn check_usable(&self) -> Result<()> {
        if self.poisoned {
            return Err(Error::NotDurable {
                path: self.path.clone(),
                source: None,
            });
        }
        Ok(())
    }

    fn check_unchanged(&self) -> Result<()> {
        self.check_usable()?;
        self.lock.verify()?;
        let found = self
            .file
            .metadata()
            .map_err(|error| Error::io("read", &self.path, error))?
            .len();
        if found != self.end {
            return Err(self.conflict(self.end, found));
        }
        self.check_in_place()
    }

    /// Checks that the open file is the one that the path leads to. Somebody who does not know of the
    /// lock, or knows the file by another path, may have replaced or deleted it.
    fn check_in_place(&self) -> Result<()> {
        let failed = |error| Error::io("read", &self.path, error);
        let open = self.file.metadata().map_err(failed)?;
        let in_place = match fs::metadata(&self.path) {
            // A file that is mounted by itself stays in sight after it was replaced elsewhere.
            Ok(named) => is_same_file(&open, &named) && links(&open) > 0,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        if in_place {
            return Ok(());
        }
        Err(Error::FileReplaced {
            path: self.path.clone(),
        })
    }

    /// As [`check_in_place`](Self::check_in_place), behind a change that is on the disk: a check that
    /// fails must not say that the file is as before.
    fn check_stayed_in_place(&mut self) -> Result<()> {
        self.check_in_place().map_err(|error| match error {
            Error::Io { source, .. } => {
                self.poisoned = true;
                self.not_durable(source)
            }
            other => other,
        })
    }

    fn read_file(&mut self) -> ReadFile<'_> {
        ReadFile {
            file: &mut self.file,
            path: &self.path,
            end: self.end,
        }
    }

    fn conflict(&self, expected: u64, found: u64) -> Error {
        Error::conflict(&self.path, expected, found)
    }

    fn not_durable(&self, error: io::Error) -> Error {
        Error::NotDurable {
            path: self.path.clone(),
            source: Some(error),
        }
    }
}

/// Gives the new file the old one's permissions.
#[cfg(unix)]
fn keep_mode(old: &File, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

    let (from, to) = (old.metadata()?, new.metadata()?);
    let mut mode = from.mode() & 0o777;
    let same = (from.uid(), from.gid()) == (to.uid(), to.gid());
    if !same && fchown(new, Some(from.uid()), Some(from.gid())).is_err() {
        // Only the superuser gives files away. The group may be within reach on its own; if not,
        // the rights of the old group must not become those of another.
        let same_group = from.gid() == to.gid() || fchown(new, None, Some(from.gid())).is_ok();
        if !same_group {
            mode &= 0o707;
        }
    }
    new.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_mode(_old: &File, _new: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::time::Duration;

    use super::*;

    #[test]
    fn other_names_are_a_hazard_where_nothing_keeps_them_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v");
        fs::write(&path, b"CVAULT01\0\0\0\0log").unwrap();
        let hazard = |is_locked: bool| {
            let lock = FileLock::acquire(&with_suffix(&path, ".lock"), Duration::ZERO).unwrap();
            let mut waiting = Waiting::new(Duration::ZERO);
            let mut locked = LockedFile::open(lock, path.clone(), &mut waiting).unwrap();
            if !is_locked {
                locked.file.without_lock();
            }
            locked.hazard()
        };
        assert_eq!(hazard(false), None, "one name");
        fs::hard_link(&path, dir.path().join("v.unfinished")).unwrap();
        assert_eq!(hazard(false), None, "its creator left it behind");
        fs::hard_link(&path, dir.path().join("w")).unwrap();
        assert_eq!(hazard(true), None, "kept apart");
        let warning = hazard(false).unwrap();
        assert_eq!(warning.code, "other_names");
        assert!(
            warning.message.contains("has 2 names"),
            "{}",
            warning.message
        );
    }
}
