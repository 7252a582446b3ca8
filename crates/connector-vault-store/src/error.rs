//! The one error of this crate: the core's errors as they are, and what can go wrong around a file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use connector_vault::Code;

/// The operation that fails if a head cannot be written.
pub(crate) const REMEMBER: &str = "remember a head in";

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, and what to do about it. Never holds a secret.
#[non_exhaustive]
#[derive(Debug)]
pub enum Error {
    /// An error of the core, with the core's code.
    Core(connector_vault::Error),
    /// The operating system refused an operation on a path.
    Io {
        /// What was attempted, as a verb phrase that the path completes: `append to`.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Something else stands where a file belongs: a folder, a FIFO, a socket, a device.
    NotAFile {
        /// Where it stands.
        path: PathBuf,
        /// What it is, with its article: `a folder`.
        kind: &'static str,
    },
    /// The vault file does not exist.
    FileNotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file already stands where the vault was to be created.
    FileExists {
        /// Where it stands.
        path: PathBuf,
    },
    /// Another process holds the vault's lock.
    LockTimeout {
        /// The lock file.
        path: PathBuf,
        /// How long this process was ready to wait.
        timeout: Duration,
        /// Who holds it, when the lock file says so: `process 4711 on build-3`.
        owner: Option<String>,
    },
    /// A lock stands there of which this process cannot tell who holds it.
    LockUnreadable {
        /// The lock file.
        path: PathBuf,
        /// Why: `it belongs to user ann (1001), and this process may not read it`.
        reason: String,
    },
    /// Another process holds the lock of the vault's file, which it reaches by another name.
    OtherNameLocked {
        /// The vault file.
        path: PathBuf,
        /// How long this process was ready to wait.
        timeout: Duration,
    },
    /// The file that is open is not the vault any more: another one stands in its place, or none.
    FileReplaced {
        /// The vault file.
        path: PathBuf,
    },
    /// The vault's file cannot be replaced, since it has other names.
    OtherNames {
        /// The vault file.
        path: PathBuf,
        /// Which: `has 2 names (hard links)`.
        names: String,
    },
    /// The lock file was taken away while this process held the lock.
    LockLost {
        /// The lock file.
        path: PathBuf,
    },
    /// The system could not confirm that a change reached the disk. It may survive or not.
    NotDurable {
        /// The vault file.
        path: PathBuf,
        /// The operating system's reason; none for an operation after the failed one.
        source: Option<io::Error>,
    },
    /// A file of the state folder is not what this crate writes.
    StateUnreadable {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No folder for the state is configured, and the user has no home.
    NoStateDir,
}

/// Something else stands where a file belongs. Errors of the system's kind hold it, and
/// [`Error::io`] finds it in them.
#[derive(Debug)]
pub(crate) struct NotAFile(pub(crate) &'static str);

impl fmt::Display for NotAFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is {}, not a file", self.0)
    }
}

impl std::error::Error for NotAFile {}

impl Error {
    pub(crate) fn io(operation: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if let Some(NotAFile(kind)) = source.get_ref().and_then(|inner| inner.downcast_ref()) {
            return Self::NotAFile { path, kind };
        }
        Self::Io {
            operation,
            path,
            source,
        }
    }

    /// As [`Error::io`], but a missing vault file is an error of its own.
    pub(crate) fn open(operation: &'static str, path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::NotFound {
            return Self::FileNotFound {
                path: path.to_owned(),
            };
        }
        Self::io(operation, path, source)
    }

    /// The file does not end where it was expected to end, in bytes from its start.
    pub(crate) fn conflict(path: &Path, expected: u64, found: u64) -> Self {
        let message = format!(
            "{} was expected to end at byte {expected} and ends at byte {found}",
            path.display()
        );
        connector_vault::Error::new(Code::Conflict, message)
            .with_hint("read the vault again and repeat the change")
            .into()
    }

    pub(crate) fn random(source: getrandom::Error) -> Self {
        connector_vault::Error::new(
            Code::Internal,
            format!("the system's source of randomness failed: {source}"),
        )
        .into()
    }

    /// The stable code: public API on every surface.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Core(error) => error.code(),
            Self::Io { .. } => Code::Io,
            Self::NotAFile { .. } => Code::NotAFile,
            Self::FileNotFound { .. } => Code::FileNotFound,
            Self::FileExists { .. } => Code::FileExists,
            Self::LockTimeout { .. } | Self::OtherNameLocked { .. } => Code::LockTimeout,
            Self::FileReplaced { .. } => Code::FileReplaced,
            Self::OtherNames { .. } => Code::OtherNames,
            Self::LockUnreadable { .. } => Code::LockUnreadable,
            Self::LockLost { .. } => Code::LockLost,
            Self::NotDurable { .. } => Code::NotDurable,
            Self::StateUnreadable { .. } => Code::StateUnreadable,
            Self::NoStateDir => Code::NoStateDir,
        }
    }

    /// What went wrong and where: lower case, no full stop.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Core(error) => error.message().to_owned(),
            Self::Io {
                operation,
                path,
                source,
            } => format!("cannot {operation} {}: {source}", path.display()),
            Self::NotAFile { path, kind } => format!("{} is {kind}, not a file", path.display()),
            Self::FileNotFound { path } => format!("there is no vault at {}", path.display()),
            Self::FileExists { path } => format!("{} exists already", path.display()),
            Self::LockTimeout {
                path,
                timeout,
                owner,
            } => format!(
                "waited {timeout:?} for {}, held by {}",
                path.display(),
                owner.as_deref().unwrap_or("another process")
            ),
            Self::OtherNameLocked { path, timeout } => format!(
                "waited {timeout:?} for {}, which another process changes by another name of this \
                 file (a hard link, or a mount)",
                path.display()
            ),
            Self::FileReplaced { path } => format!(
                "the file at {} was replaced or deleted by somebody else",
                path.display()
            ),
            Self::OtherNames { path, names } => format!(
                "{} {names}: a new version in its place would leave the others behind",
                path.display()
            ),
            Self::LockUnreadable { path, reason } => {
                format!("cannot tell who holds {}: {reason}", path.display())
            }
            Self::LockLost { path } => {
                format!(
                    "{} was taken away while this process held it",
                    path.display()
                )
            }
            Self::NotDurable {
                path,
                source: Some(source),
            } => format!(
                "a change of {} may not have reached the disk: {source}",
                path.display()
            ),
            Self::NotDurable { path, source: None } => format!(
                "an earlier change of {} may not have reached the disk",
                path.display()
            ),
            Self::StateUnreadable { path, reason } => {
                format!("the state file {} is damaged: {reason}", path.display())
            }
            Self::NoStateDir => "there is no folder for known heads".to_owned(),
        }
    }

    /// What to do about it, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Core(error) => error.hint().map(str::to_owned),
            Self::Io { operation, .. } if *operation == REMEMBER => Some(
                "let this user write there, name another folder in CVAULT_STATE_DIR, or do without known \
                 heads"
                    .to_owned(),
            ),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(
                    "free some space and try again; nothing that was acknowledged is lost"
                        .to_owned(),
                ),
                // EFBIG of a write, where SIGXFSZ is ignored (setrlimit(2)).
                io::ErrorKind::FileTooLarge => Some(
                    "a limit on the size of files was reached (ulimit -f); nothing that was \
                     acknowledged is lost"
                        .to_owned(),
                ),
                io::ErrorKind::ResourceBusy => Some(
                    "if the file is mounted into a container by itself, mount its folder instead"
                        .to_owned(),
                ),
                _ => None,
            },
            Self::NotAFile { path, .. } => Some(format!(
                "give the path of a file, or move away what stands at {}",
                path.display()
            )),
            Self::FileNotFound { .. } => {
                Some("create the vault first, or check the path".to_owned())
            }
            Self::FileExists { .. } => {
                Some("choose another path; nothing was overwritten".to_owned())
            }
            Self::LockTimeout { path, .. } => Some(format!(
                "try again; if its owner, perhaps in another container or on another machine, \
                 is certainly gone, delete {}",
                path.display()
            )),
            Self::OtherNameLocked { .. } => {
                Some("try again; use one name for one file".to_owned())
            }
            Self::FileReplaced { .. } => Some(
                "nothing was written to the vault; if the file is mounted into a container, mount its \
                 folder instead and start the container again; else open the vault again and repeat \
                 the change"
                    .to_owned(),
            ),
            Self::OtherNames { .. } => Some(
                "keep one name: delete the others, or make them symbolic links; into a container, \
                 mount the folder of the file"
                    .to_owned(),
            ),
            Self::LockUnreadable { path, .. } => Some(format!(
                "try again; if no program that uses it is at work, delete {}",
                path.display()
            )),
            Self::LockLost { .. } => Some(
                "never delete the lock file of a process that runs; open the vault again"
                    .to_owned(),
            ),
            Self::NotDurable { .. } => Some(
                "check the disk, then open the vault again and see whether the change is there"
                    .to_owned(),
            ),
            Self::StateUnreadable { path, .. } => Some(format!(
                "verify the vault without known heads, then accept it as it is, which replaces {}",
                path.display()
            )),
            Self::NoStateDir => {
                Some("set CVAULT_STATE_DIR, XDG_STATE_HOME or HOME to an absolute path".to_owned())
            }
        }
    }
}

impl From<connector_vault::Error> for Error {
    fn from(error: connector_vault::Error) -> Self {
        Self::Core(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for Error {
    // The message already ends in the system's reason, so `source` would say it twice.
}
