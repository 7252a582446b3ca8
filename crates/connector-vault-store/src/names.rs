//! One vault under several names: hard links, and a file that is mounted by itself, as containers
//! do it. Each name has a lock file of its own, so the vault file itself is locked too
//! (docs/file-lock.md section 7).

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;

use crate::disk::{is_same_file, links, open_file};
use crate::error::{Error, Result};
use crate::waiting::Waiting;

/// The vault file, open while no other process changes it by another name.
#[derive(Debug)]
pub(crate) struct OpenVault {
    file: File,
    /// Whether that is certain: some file systems have no such locks.
    is_locked: bool,
    pid: u32,
}

impl OpenVault {
    /// Opens the vault under the lock of its name, and waits for those who use other names.
    ///
    /// Fails with `lock_timeout`, `file_not_found`, `file_replaced`, `not_a_file` and `io`.
    pub(crate) fn open(path: &Path, waiting: &mut Waiting) -> Result<Self> {
        let failed = |error| Error::open("open", path, error);
        waiting.restart();
        loop {
            let file =
                open_file(path, OpenOptions::new().read(true).write(true)).map_err(failed)?;
            let attempt = try_lock(&file).map_err(|error| Error::io("lock", path, error))?;
            // Whoever held it before may have put another file in its place. A lock on the former
            // file keeps nobody out of the new one.
            let is_current = || {
                let (open, named) = (file.metadata()?, fs::metadata(path)?);
                Ok(is_same_file(&open, &named).then_some(links(&open)))
            };
            let current = match attempt {
                Attempt::Busy => None,
                Attempt::Locked | Attempt::Unsupported => is_current().map_err(failed)?,
            };
            match current {
                // A file that is mounted by itself stays in sight after it was replaced elsewhere.
                Some(0) => {
                    return Err(Error::FileReplaced {
                        path: path.to_owned(),
                    });
                }
                Some(_) => return Ok(Self::new(file, matches!(attempt, Attempt::Locked))),
                None if waiting.is_over() => {
                    return Err(Error::OtherNameLocked {
                        path: path.to_owned(),
                        timeout: waiting.timeout(),
                    });
                }
                None => waiting.pause()?,
            }
        }
    }

    /// A file that is about to become the vault: nobody else knows it yet.
    pub(crate) fn fresh(file: File) -> Self {
        let is_locked = try_lock(&file).is_ok_and(|attempt| matches!(attempt, Attempt::Locked));
        Self::new(file, is_locked)
    }

    fn new(file: File, is_locked: bool) -> Self {
        Self {
            file,
            is_locked,
            pid: std::process::id(),
        }
    }

    /// As where the file system has no such locks.
    #[cfg(test)]
    pub(crate) fn without_lock(&mut self) {
        self.file.unlock().expect("it is an open file");
        self.is_locked = false;
    }

    /// Whether the lock keeps out those who use other names.
    pub(crate) fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Whether the file has other names.
    pub(crate) fn other_names(&self, path: &Path) -> io::Result<Option<OtherNames>> {
        let links = links(&self.file.metadata()?);
        Ok(if links > 1 {
            Some(OtherNames::Links(links))
        } else if is_mount_point(path) {
            Some(OtherNames::Mount)
        } else {
            None
        })
    }
}

impl Deref for OpenVault {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl DerefMut for OpenVault {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.file
    }
}

impl Drop for OpenVault {
    fn drop(&mut self) {
        // Closing the file is not enough while a child process has it too, between its fork and its
        // exec. A forked child that goes on must not unlock it: the lock stays the parent's.
        if self.is_locked && self.pid == std::process::id() {
            let _ = self.file.unlock();
        }
    }
}

/// How else a vault's file is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OtherNames {
    /// So many hard links, the one in use included.
    Links(u64),
    /// It is mounted at this path by itself, and so has another path outside.
    Mount,
}

impl fmt::Display for OtherNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Links(links) => write!(f, "has {links} names (hard links)"),
            Self::Mount => f.write_str("is mounted here by itself"),
        }
    }
}

#[cfg_attr(not(unix), expect(dead_code, reason = "nothing is locked there"))]
enum Attempt {
    Locked,
    Busy,
    Unsupported,
}

#[cfg(unix)]
fn try_lock(file: &File) -> io::Result<Attempt> {
    use std::fs::TryLockError;

    use rustix::io::Errno;

    if keeps_readers_out(file) {
        return Ok(Attempt::Unsupported);
    }
    loop {
        let error = match file.try_lock() {
            Ok(()) => return Ok(Attempt::Locked),
            Err(TryLockError::WouldBlock) => return Ok(Attempt::Busy),
            Err(TryLockError::Error(error)) => error,
        };
        match Errno::from_io_error(&error) {
            Some(Errno::INTR) => {}
            // NOLCK: a network file system without its lock service.
            Some(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                return Ok(Attempt::Unsupported);
            }
            _ => return Err(error),
        }
    }
}

/// On Windows a locked file cannot be read, but reading takes no lock.
#[cfg(not(unix))]
fn try_lock(_file: &File) -> io::Result<Attempt> {
    Ok(Attempt::Unsupported)
}

/// Whether a locked file cannot be read, as on SMB: reading takes no lock.
#[cfg(target_os = "linux")]
fn keeps_readers_out(file: &File) -> bool {
    /// SMB, CIFS and SMB2 in statfs(2).
    const SMB: [u64; 3] = [0x517b, 0xff53_4d42, 0xfe53_4d42];

    // The field has another type on each architecture, and the numbers have 32 bits.
    rustix::fs::fstatfs(file)
        .is_ok_and(|system| SMB.contains(&(system.f_type as u64 & u64::from(u32::MAX))))
}

/// Whether a locked file cannot be read, as on SMB: reading takes no lock.
#[cfg(target_vendor = "apple")]
fn keeps_readers_out(file: &File) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|system| {
        let name = system.f_fstypename.iter().map(|letter| *letter as u8);
        name.take(5).eq(*b"smbfs")
    })
}

#[cfg(all(unix, not(target_os = "linux"), not(target_vendor = "apple")))]
fn keeps_readers_out(_file: &File) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn is_mount_point(path: &Path) -> bool {
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    mounts_at(path, &mounts)
}

/// Where there is no such list: a mounted file cannot be told from others.
#[cfg(not(target_os = "linux"))]
fn is_mount_point(_path: &Path) -> bool {
    false
}

/// Whether a list as proc_pid_mountinfo(5) describes it has this path in the fifth field.
#[cfg(target_os = "linux")]
fn mounts_at(path: &Path, mounts: &[u8]) -> bool {
    let path = escaped(path.as_os_str().as_encoded_bytes());
    mounts.split(|byte| *byte == b'\n').any(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        fields.nth(4) == Some(&path)
    })
}

/// Space, tab, line feed and backslash stand there as three octal digits.
#[cfg(target_os = "linux")]
fn escaped(path: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(path.len());
    for byte in path {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => escaped.extend(format!("\\{byte:03o}").bytes()),
            _ => escaped.push(*byte),
        }
    }
    escaped
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::time::Duration;

    use super::*;

    fn now() -> Waiting {
        Waiting::new(Duration::ZERO)
    }

    #[test]
    fn hard_links_are_one_vault() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        fs::write(&one, "vault").unwrap();
        fs::hard_link(&one, &other).unwrap();
        let open = OpenVault::open(&one, &mut now()).unwrap();
        assert!(open.is_locked(), "the file system of the tests has locks");
        let names = open.other_names(&one).unwrap();
        assert_eq!(names, Some(OtherNames::Links(2)));
        let error = OpenVault::open(&other, &mut now()).unwrap_err();
        assert_eq!(error.code(), "lock_timeout");
        assert!(!error.hint().unwrap().contains("delete"), "{error}");
        drop(open);
        OpenVault::open(&other, &mut now()).unwrap();
    }

    /// Whoever waited for the lock of a file that was replaced meanwhile opens the new one.
    #[test]
    fn the_lock_of_a_former_file_is_not_enough() {
        let dir = tempfile::tempdir().unwrap();
        let (path, fresh) = (dir.path().join("v"), dir.path().join("fresh"));
        fs::write(&path, "former").unwrap();
        let holder = OpenVault::open(&path, &mut now()).unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let mut waiting = Waiting::new(Duration::from_secs(30));
                io::read_to_string(&*OpenVault::open(&path, &mut waiting).unwrap()).unwrap()
            });
            fs::write(&fresh, "new").unwrap();
            fs::rename(&fresh, &path).unwrap();
            drop(holder);
            assert_eq!(waiter.join().unwrap(), "new");
        });
    }

    #[test]
    fn a_forked_child_does_not_unlock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v");
        fs::write(&path, "vault").unwrap();
        let open = OpenVault::open(&path, &mut now()).unwrap();
        // The same open file in another process.
        drop(OpenVault {
            file: open.file.try_clone().unwrap(),
            is_locked: true,
            pid: open.pid + 1,
        });
        assert!(OpenVault::open(&path, &mut now()).is_err());
        drop(open);
        OpenVault::open(&path, &mut now()).unwrap();
    }

    #[test]
    fn mounts_of_files() {
        let mounts = b"36 35 98:0 / / rw - ext4 /dev/root rw\n\
            40 36 98:0 /a\\040b/v /app/v\\040\\134 rw,noatime - ext4 /dev/root rw\n";
        assert!(mounts_at(Path::new("/app/v \\"), mounts));
        assert!(mounts_at(Path::new("/"), mounts));
        assert!(!mounts_at(Path::new("/app/v"), mounts));
        assert!(!mounts_at(Path::new("/a b/v"), mounts));
    }
}
