//! Files on the disk: created privately, made durable, given a temporary name that does not stay
//! behind.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Creates a file that nobody else may read, and never opens one that is there.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Reads exactly so many bytes from there, in one system call where there is one.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &mut File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

/// Writes all bytes there, in one system call where there is one.
#[cfg(unix)]
pub(crate) fn write_all_at(file: &mut File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
pub(crate) fn read_exact_at(file: &mut File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};

    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)
}

#[cfg(not(unix))]
pub(crate) fn write_all_at(file: &mut File, bytes: &[u8], at: u64) -> io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};

    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

/// Makes the entries of a folder durable: a new name or a rename is not, until this returns.
#[cfg(unix)]
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    match File::open(dir)?.sync_all() {
        // Some network and user-space file systems cannot sync a folder; there is no other way to
        // ask them.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Windows opens no folder as a file; NTFS journals the rename by itself.
#[cfg(not(unix))]
pub(crate) fn sync_dir(_dir: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether a failed `link` means that the file system has no hard links: EPERM (link(2)),
/// EOPNOTSUPP, ENOSYS. EACCES does not: a security policy for this process alone could be the
/// reason, and all processes have to come to the same conclusion (docs/file-lock.md section 3).
#[cfg(unix)]
pub(crate) fn no_hard_links(error: &io::Error) -> bool {
    use rustix::io::Errno;

    matches!(
        Errno::from_io_error(error),
        Some(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS)
    )
}

/// Whether a failed `link` means that the file system has no hard links, which FAT has not.
#[cfg(not(unix))]
pub(crate) fn no_hard_links(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

/// The folder of a file; of a bare name it is the current one.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// `path` with `suffix` behind its file name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// 16 random bytes as 32 hexadecimal digits.
pub(crate) fn random_hex() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::random)?;
    Ok(base16ct::lower::encode_string(&bytes))
}

/// A file name that is removed again when this goes out of scope, unless it was kept.
pub(crate) struct TempName(Option<PathBuf>);

impl TempName {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// The name now stands for something that stays, or stands no more.
    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for TempName {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Best effort: what stays behind has no meaning to anybody.
            let _ = std::fs::remove_file(path);
        }
    }
}
