//! What tests see of the calls that change a file system: they are recorded, and one may fail.
//!
//! A recording belongs to the thread that has started it. While it runs, nothing is really synced:
//! tests decide afterwards what a power failure leaves.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A file, whatever its names are.
pub(crate) type FileId = u32;

/// A call that succeeded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Create {
        file: FileId,
        path: Option<PathBuf>,
    },
    Write {
        file: FileId,
        at: u64,
        bytes: Vec<u8>,
    },
    SetLen {
        file: FileId,
        len: u64,
    },
    Sync {
        file: FileId,
    },
    SyncDir {
        dir: PathBuf,
    },
    Link {
        file: FileId,
        path: PathBuf,
    },
    Rename {
        file: FileId,
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_owned();
        match self {
            Self::Create { file, path } => {
                write!(f, "create {file} as {:?}", path.as_deref().map(name))
            }
            Self::Write { file, at, bytes } => {
                write!(f, "write {} bytes to {file} at {at}", bytes.len())
            }
            Self::SetLen { file, len } => write!(f, "set the length of {file} to {len}"),
            Self::Sync { file } => write!(f, "sync {file}"),
            Self::SyncDir { dir } => write!(f, "sync {:?}", name(dir)),
            Self::Link { file, path } => write!(f, "link {file} to {:?}", name(path)),
            Self::Rename { file, from, to } => {
                write!(f, "rename {file} from {:?} to {:?}", name(from), name(to))
            }
            Self::Remove { path } => write!(f, "remove {:?}", name(path)),
        }
    }
}

/// Which call shall fail, by its name and the path that it is about; or what happens just before it.
pub(crate) type Fault = fn(&str, Option<&Path>) -> Option<io::Error>;
type AnyFault = Rc<dyn Fn(&str, Option<&Path>) -> Option<io::Error>>;

struct Recorder {
    /// By inode. A number that was used again means the newer file.
    files: HashMap<u64, FileId>,
    next: FileId,
    events: Vec<Event>,
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
    static FAULT: RefCell<Option<AnyFault>> = const { RefCell::new(None) };
}

/// Records what `work` does, on files some of which have numbers already.
pub(crate) fn recording<T>(
    known: impl IntoIterator<Item = (PathBuf, FileId)>,
    work: impl FnOnce() -> T,
) -> (T, Vec<Event>) {
    let known = known.into_iter();
    let files: HashMap<u64, FileId> = known.map(|(path, file)| (inode(&path), file)).collect();
    let next = files.values().max().map_or(0, |last| last + 1);
    let recorder = Recorder {
        files,
        next,
        events: Vec::new(),
    };
    RECORDER.set(Some(recorder));
    let result = work();
    let recorder = RECORDER.take();
    (
        result,
        recorder.map_or_else(Vec::new, |recorder| recorder.events),
    )
}

/// Lets calls of `work` fail.
pub(crate) fn failing<T>(
    fault: impl Fn(&str, Option<&Path>) -> Option<io::Error> + 'static,
    work: impl FnOnce() -> T,
) -> T {
    FAULT.set(Some(Rc::new(fault)));
    let result = work();
    FAULT.set(None);
    result
}

pub(super) fn create(
    path: Option<&Path>,
    operation: impl FnOnce() -> io::Result<File>,
) -> io::Result<File> {
    fault("create", path)?;
    let file = operation()?;
    note(|recorder| {
        let id = recorder.next;
        recorder.next += 1;
        recorder.files.insert(inode_of(&file), id);
        Event::Create {
            file: id,
            path: path.map(Path::to_owned),
        }
    });
    Ok(file)
}

pub(super) fn write(
    file: &File,
    at: u64,
    bytes: &[u8],
    operation: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    fault("write", None)?;
    operation()?;
    note(|recorder| Event::Write {
        file: recorder.id(file),
        at,
        bytes: bytes.to_vec(),
    });
    Ok(())
}

pub(super) fn set_len(
    file: &File,
    len: u64,
    operation: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    fault("set_len", None)?;
    operation()?;
    note(|recorder| Event::SetLen {
        file: recorder.id(file),
        len,
    });
    Ok(())
}

pub(super) fn sync(file: &File, operation: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    fault("sync", None)?;
    if !is_recording() {
        return operation();
    }
    note(|recorder| Event::Sync {
        file: recorder.id(file),
    });
    Ok(())
}

pub(super) fn sync_dir(dir: &Path, operation: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    fault("sync_dir", Some(dir))?;
    if !is_recording() {
        return operation();
    }
    note(|_| Event::SyncDir {
        dir: dir.to_owned(),
    });
    Ok(())
}

pub(super) fn link(
    _from: &Path,
    to: &Path,
    operation: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    fault("link", Some(to))?;
    operation()?;
    note(|recorder| Event::Link {
        file: recorder.id_of(inode(to)),
        path: to.to_owned(),
    });
    Ok(())
}

pub(super) fn link_unnamed(
    file: &File,
    path: &Path,
    operation: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    fault("link", Some(path))?;
    operation()?;
    note(|recorder| Event::Link {
        file: recorder.id(file),
        path: path.to_owned(),
    });
    Ok(())
}

pub(super) fn rename(
    from: &Path,
    to: &Path,
    operation: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    fault("rename", Some(to))?;
    operation()?;
    note(|recorder| Event::Rename {
        file: recorder.id_of(inode(to)),
        from: from.to_owned(),
        to: to.to_owned(),
    });
    Ok(())
}

pub(super) fn remove(path: &Path, operation: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    fault("remove", Some(path))?;
    operation()?;
    note(|_| Event::Remove {
        path: path.to_owned(),
    });
    Ok(())
}

impl Recorder {
    fn id(&mut self, file: &File) -> FileId {
        self.id_of(inode_of(file))
    }

    fn id_of(&mut self, inode: u64) -> FileId {
        let next = self.next;
        let id = *self.files.entry(inode).or_insert(next);
        self.next = next.max(id + 1);
        id
    }
}

fn is_recording() -> bool {
    RECORDER.with_borrow(Option::is_some)
}

fn note(event: impl FnOnce(&mut Recorder) -> Event) {
    RECORDER.with_borrow_mut(|recorder| {
        if let Some(recorder) = recorder {
            let event = event(recorder);
            recorder.events.push(event);
        }
    });
}

fn fault(call: &str, path: Option<&Path>) -> io::Result<()> {
    let fault = FAULT.with_borrow(Option::clone);
    fault
        .and_then(|fault| fault(call, path))
        .map_or(Ok(()), Err)
}

fn inode_of(file: &File) -> u64 {
    file.metadata().expect("an open file has an inode").ino()
}

fn inode(path: &Path) -> u64 {
    let metadata = path.symlink_metadata();
    metadata.expect("a recorded file stands there").ino()
}
