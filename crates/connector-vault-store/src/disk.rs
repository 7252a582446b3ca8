//! Files on the disk: the few calls by which this crate changes a file system, so that tests can
//! record them and take away what a power failure would (`crash.rs`).

use std::ffi::OsString;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, NotAFile, Result};

#[cfg(all(test, unix))]
pub(crate) mod record;

/// Makes a call; in tests through the recorder, which may let it fail.
macro_rules! call {
    ($what:ident($($argument:expr),*), $operation:expr) => {{
        #[cfg(all(test, unix))]
        let result = record::$what($($argument,)* || $operation);
        #[cfg(not(all(test, unix)))]
        let result = $operation;
        result
    }};
}

/// The bytes from where `file` is to where it ends now, in one allocation.
pub(crate) fn read_to_end(file: &mut File) -> io::Result<Vec<u8>> {
    let len = file
        .metadata()?
        .len()
        .saturating_sub(file.stream_position()?);
    let mut bytes = Vec::new();
    // A sparse file can claim any length: refuse, do not abort.
    bytes
        .try_reserve_exact(usize::try_from(len).map_err(io::Error::other)?)
        .map_err(io::Error::other)?;
    // What is appended from now on is left out.
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Creates a file that nobody else may read, and never opens one that is there.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    call!(create(Some(path)), options.open(path))
}

/// Creates a file that has no name in `dir` yet, and that nobody else may read (O_TMPFILE, open(2)).
/// If the process dies before it has one, nothing stays behind.
///
/// Fails where the file system or the kernel cannot do that: most network and user-space file
/// systems, all but Linux.
#[cfg(target_os = "linux")]
pub(crate) fn create_unnamed(dir: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};

    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let create = || Ok(open(dir, flags, Mode::RUSR | Mode::WUSR)?.into());
    call!(create(None), create())
}

/// Links a file without a name to `path`, which fails if that is taken, as `link` does.
#[cfg(target_os = "linux")]
pub(crate) fn link_unnamed(file: &File, path: &Path) -> io::Result<()> {
    let link = || match link_by_descriptor(file, path) {
        // Only the superuser may do that before Linux 6.10.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => link_by_number(file, path),
        result => result,
    };
    call!(link_unnamed(file, path), link())
}

#[cfg(target_os = "linux")]
fn link_by_descriptor(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};

    Ok(linkat(file, "", CWD, path, AtFlags::EMPTY_PATH)?)
}

/// What open(2) shows; it needs /proc.
#[cfg(target_os = "linux")]
fn link_by_number(file: &File, path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{AtFlags, CWD, linkat};

    let number = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, number, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn create_unnamed(_dir: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn link_unnamed(_file: &File, _path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Checks that something is a regular file.
pub(crate) fn check_file(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::other(NotAFile(kind(metadata.file_type()))))
}

#[cfg(unix)]
fn kind(found: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    match found {
        found if found.is_dir() => "a folder",
        found if found.is_symlink() => "a symbolic link",
        found if found.is_fifo() => "a FIFO",
        found if found.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn kind(found: FileType) -> &'static str {
    match found {
        found if found.is_dir() => "a folder",
        found if found.is_symlink() => "a symbolic link",
        _ => "a device",
    }
}

/// Opens a file that is there. Refuses anything else, and waits for nothing: to open a FIFO waits for
/// its other end, and to open a device may do anything.
pub(crate) fn open_file(path: &Path, options: &OpenOptions) -> io::Result<File> {
    check_file(&fs::metadata(path)?)?;
    let file = open_at_once(path, options)?;
    // It may have been exchanged in between.
    check_file(&file.metadata()?)?;
    Ok(file)
}

/// Opens a file that is there to read it: see [`open_file`].
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    open_file(path, OpenOptions::new().read(true))
}

#[cfg(unix)]
fn open_at_once(path: &Path, options: &OpenOptions) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;

    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    match options.clone().custom_flags(flags).open(path) {
        // Of a file, that is a lease of a file server (fcntl(2)), which soon gives way.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => options.open(path),
        opened => opened,
    }
}

#[cfg(not(unix))]
fn open_at_once(path: &Path, options: &OpenOptions) -> io::Result<File> {
    options.open(path)
}

/// Whether both are the same file, under whatever names.
#[cfg(unix)]
pub(crate) fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// How many names a file has: none if it was deleted or replaced while it is open.
#[cfg(unix)]
pub(crate) fn links(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

/// Nobody replaces an open file there.
#[cfg(not(unix))]
pub(crate) fn is_same_file(_one: &Metadata, _other: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
pub(crate) fn links(_metadata: &Metadata) -> u64 {
    1
}

/// Which file something is, for as long as it exists, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    len: u64,
}

#[cfg(unix)]
impl Identity {
    #[allow(
        clippy::unnecessary_wraps,
        reason = "elsewhere a file may have no identity"
    )]
    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;

        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
        })
    }
}

#[cfg(not(unix))]
impl Identity {
    pub(crate) fn of(_metadata: &Metadata) -> Option<Self> {
        None
    }
}

/// Reads exactly so many bytes from there, in one system call where there is one.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(not(unix))]
pub(crate) fn read_exact_at(mut file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};

    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)
}

/// Writes all bytes there, in one system call where there is one.
pub(crate) fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    call!(write(file, at, bytes), write_at(file, bytes, at))
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    use std::io::{Seek, SeekFrom};

    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

/// Writes the whole content of a file that was just created. Not positioned: whoever watches the
/// calls sees by them what is a change of the vault.
pub(crate) fn write_new(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    call!(write(file, 0, bytes), file.write_all(bytes))
}

/// Cuts a file, or fills it up with zeros.
pub(crate) fn set_len(file: &File, len: u64) -> io::Result<()> {
    call!(set_len(file, len), file.set_len(len))
}

/// Makes a file's content durable, and what is needed to find it.
pub(crate) fn sync_data(file: &File) -> io::Result<()> {
    call!(sync(file), file.sync_data())
}

/// Makes a file durable.
pub(crate) fn sync_all(file: &File) -> io::Result<()> {
    call!(sync(file), file.sync_all())
}

/// Gives a file a second name. Fails if that is taken.
pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    call!(link(from, to), fs::hard_link(from, to))
}

/// Gives a file another name, whose former file loses it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    call!(rename(from, to), fs::rename(from, to))
}

/// Takes a file's name away.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    call!(remove(path), fs::remove_file(path))
}

/// Creates a folder that nobody else may look into, and those above it.
pub(crate) fn create_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Makes the entries of a folder durable: a new name or a rename is not, until this returns.
#[cfg(unix)]
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    call!(sync_dir(dir), sync_opened(dir))
}

#[cfg(unix)]
fn sync_opened(dir: &Path) -> io::Result<()> {
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
            let _ = remove(path);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::io::Write;

    use super::*;

    #[test]
    fn an_unnamed_file_gets_a_name_that_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let Ok(mut file) = create_unnamed(dir.path()) else {
            // Not on this file system.
            return;
        };
        file.write_all(b"content").unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let path = dir.path().join("name");
        std::fs::write(&path, "taken").unwrap();
        let ways: [fn(&File, &Path) -> io::Result<()>; 2] = [link_unnamed, link_by_number];
        for link in ways {
            let taken = link(&file, &path).unwrap_err();
            assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        }
        for (number, link) in ways.into_iter().enumerate() {
            let path = dir.path().join(number.to_string());
            link(&file, &path).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"content");
            let mode = std::os::unix::fs::MetadataExt::mode(&path.metadata().unwrap());
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
