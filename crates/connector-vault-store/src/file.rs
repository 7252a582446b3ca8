//! A vault in a file: read, created, or locked to be changed (docs/file-lock.md section 6).

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use connector_vault::{LogEnd, check_file_len};

use crate::compare::{Compared, ReadFile};
use crate::disk::{self, no_hard_links, open_file, open_to_read, parent, sync_dir, with_suffix};
use crate::error::{Error, Result};
use crate::lock::{DEFAULT_TIMEOUT, FileLock};
use crate::locked::LockedFile;
use crate::source::FileSource;
use crate::unfinished::{unfinished_path, write_unfinished};
use crate::waiting::Waiting;

/// How many symbolic links to follow to a file that is yet to be created; Linux's own limit.
const SYMLINKS_MAX: usize = 40;

/// The place of a vault in the file system. Reading takes no lock; changing does.
#[derive(Clone, Debug)]
pub struct FileStore {
    path: PathBuf,
    /// As it was given, but for links among its folders.
    named: PathBuf,
}

impl FileStore {
    /// The vault at `path`, which need not exist yet, but its folder must. Symbolic links are
    /// resolved here and now: a vault behind one is locked and replaced at its real place.
    ///
    /// Fails with `file_not_found` if the folder does not exist, with `io` if it cannot be looked
    /// into.
    pub fn new(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let resolved = resolve(path).map_err(|error| Error::open("find", path, error))?;
        let named = match (fs::canonicalize(parent(path)), path.file_name()) {
            (Ok(dir), Some(name)) => dir.join(name),
            _ => resolved.clone(),
        };
        Ok(Self {
            path: resolved,
            named,
        })
    }

    /// The real path of the vault.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What known heads are kept by: the real path, and the name under which the vault was opened.
    /// A link to an old copy that takes the vault's place is thus noticed.
    pub(crate) fn places(&self) -> Vec<String> {
        let mut places = vec![&self.path, &self.named];
        places.dedup();
        places
            .into_iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    }

    /// The lock file's path: `<vault>.lock`.
    #[must_use]
    pub fn lock_path(&self) -> PathBuf {
        with_suffix(&self.path, ".lock")
    }

    /// Creates the vault with these bytes, readable by the user alone, and durable when this
    /// returns.
    ///
    /// Fails with `file_exists` if there is a file already, which stays as it is; with
    /// `lock_timeout`, and with `io`, in which case there is no vault; and with `not_durable`, in
    /// which case there is one, which a power failure may still take away.
    pub fn create(&self, bytes: &[u8]) -> Result<()> {
        // The lock makes the temporary name ours.
        let _lock = self.acquire(&mut Waiting::new(DEFAULT_TIMEOUT))?;
        self.check_free()?;
        let (_, temp) = write_unfinished(&self.path, bytes, |_| Ok(()))?;
        let unfinished = unfinished_path(&self.path);
        match disk::link(&unfinished, &self.path) {
            Ok(()) => drop(temp),
            // A rename would replace a file that has come here without taking the lock. Without
            // hard links there is nothing better.
            Err(error) if no_hard_links(&error) => {
                disk::rename(&unfinished, &self.path)
                    .map_err(|error| Error::io("create", &self.path, error))?;
                temp.keep();
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(self.exists()),
            Err(error) => return Err(Error::io("create", &self.path, error)),
        }
        sync_dir(parent(&self.path)).map_err(|error| self.not_durable(error))
    }

    /// Checks that a vault can be created here, before anybody thinks of a passphrase for it.
    ///
    /// Fails with `file_exists` if there is a file already. Its name is durable then: whoever created
    /// it may have died before.
    pub fn check_free(&self) -> Result<()> {
        if fs::symlink_metadata(&self.path).is_err() {
            return Ok(());
        }
        sync_dir(parent(&self.path)).map_err(|error| self.not_durable(error))?;
        Err(self.exists())
    }

    fn exists(&self) -> Error {
        Error::FileExists {
            path: self.path.clone(),
        }
    }

    fn not_durable(&self, source: io::Error) -> Error {
        Error::NotDurable {
            path: self.path.clone(),
            source: Some(source),
        }
    }

    /// The file's bytes, as one version of it: a replacement at the same time is seen wholly or not
    /// at all. Of an append at the same time a part may be seen, which the core reports as a torn
    /// tail.
    ///
    /// Fails with `file_not_found`, with `not_a_file`, with `limit_exceeded` before a file is read that
    /// is too large, and with `io`.
    pub fn read(&self) -> Result<Vec<u8>> {
        self.opened(|file| file.read_from(0))
    }

    /// The file, to be read by range.
    pub(crate) fn source(&self) -> Result<FileSource> {
        FileSource::open(&self.path)
    }

    /// Compares the file with the log that an open vault knows. The vault reads from this file from now on, if it holds
    /// that log.
    pub(crate) fn catch_up(&self, known: &LogEnd, source: &FileSource) -> Result<Compared> {
        self.opened(|file| {
            let compared = file.compare(known)?;
            compared.follow(source, file.file)?;
            Ok(compared)
        })
    }

    /// Checks that a file stands there that may be a vault, before anybody types a passphrase for it.
    ///
    /// Fails with `file_not_found`, `not_a_file`, `limit_exceeded` and `io`.
    pub fn check(&self) -> Result<()> {
        self.opened(|file| Ok(check_file_len(file.end)?))
    }

    /// Compares the file with the log that the caller knows, without the lock: of an append at the
    /// same time a part may be seen.
    ///
    /// Fails with `not_a_vault`, `unsupported_version` or `limit_exceeded` if the file does not
    /// begin as a vault does, with `file_not_found`, and with `io`.
    pub fn compare(&self, known: &LogEnd) -> Result<Compared> {
        self.opened(|file| file.compare(known))
    }

    /// Whether the log that was read up to this end stays. While a writer is at work it may not: the
    /// writer withdraws a commit that it cannot sync, and a power failure may do so before it has.
    pub(crate) fn stays(&self, known: &LogEnd) -> bool {
        // In this order: a writer that was at work when the log was read may have withdrawn its commit
        // before it released the lock.
        let lock = fs::symlink_metadata(self.lock_path());
        lock.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
            && self
                .opened(|file| file.end_of(known))
                .is_ok_and(|end| end.is_some())
    }

    fn opened<T>(&self, look: impl FnOnce(&mut ReadFile<'_>) -> Result<T>) -> Result<T> {
        let mut file =
            open_to_read(&self.path).map_err(|error| Error::open("open", &self.path, error))?;
        let metadata = file
            .metadata()
            .map_err(|error| Error::io("read", &self.path, error))?;
        look(&mut ReadFile {
            file: &mut file,
            path: &self.path,
            end: metadata.len(),
        })
    }

    /// Locks the vault against all other processes that follow docs/file-lock.md, waiting up to
    /// `timeout` for them, and opens it as it is now.
    ///
    /// Fails with `lock_timeout` if another process holds the lock for so long, with
    /// `file_not_found`, and with `io`.
    pub fn lock(&self, timeout: Duration) -> Result<LockedFile> {
        let mut waiting = Waiting::new(timeout);
        let lock = self.acquire(&mut waiting)?;
        LockedFile::open(lock, self.path.clone(), &mut waiting)
    }

    /// Makes durable what a process left that died while it held the lock: bytes that it appended,
    /// and a new vault that it linked or renamed.
    fn settle(&self) -> Result<()> {
        // Windows syncs only what may be written.
        let mut options = OpenOptions::new();
        options.read(true).write(cfg!(windows));
        let file = match open_file(&self.path, &options) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("open", &self.path, error)),
        };
        file.map_or(Ok(()), |file| disk::sync_data(&file))
            .and_then(|()| sync_dir(parent(&self.path)))
            .map_err(|error| self.not_durable(error))
    }

    fn acquire(&self, waiting: &mut Waiting) -> Result<FileLock> {
        let lock = FileLock::acquire_after(&self.lock_path(), waiting, &|| self.settle())?;
        if lock.broke() {
            // The dead owner may have left its new version of the vault, which takes room and, once
            // it was linked, is a second name of the vault. Best effort: the next one replaces it.
            let _ = disk::remove(&unfinished_path(&self.path));
        }
        Ok(lock)
    }
}

fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..SYMLINKS_MAX {
        match fs::canonicalize(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            result => return result,
        }
        let name = path.file_name().ok_or(io::ErrorKind::NotFound)?.to_owned();
        let dir = fs::canonicalize(parent(&path))?;
        path = dir.join(name);
        match fs::read_link(&path) {
            // To a file that does not exist: the vault is created there, not in place of the link.
            Ok(target) => path = dir.join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}
