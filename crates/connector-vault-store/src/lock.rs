//! The lock file: one process at a time changes a vault, whatever language it is written in
//! (docs/file-lock.md, which is normative).
//!
//! A lock is a file `<vault>.lock` beside the vault. It is published with its content already in
//! it, by `link`, which fails if the name is taken: of a file that has no other name, or of a
//! temporary file where there is no such thing. Its content, one line of JSON, says who holds it:
//! `owner.rs`.
//!
//! Its owner removes it, after finding its own file or token there. Anybody else removes it only if
//! its owner is provably gone, and only while holding `<vault>.lock.break`, a lock of the same kind
//! (and so itself breakable under `<vault>.lock.break.break`), after finding the same token there
//! again.
//!
//! # Why two never hold it
//!
//! Say *F* is a lock file and *F.break* the one that guards its removal. A breaker does three things
//! in this order: it proves that the owner of the token *T*, which it read in F, is gone; it takes
//! F.break; it reads F again and removes it if T stands there.
//!
//! Suppose that some removal were the first to remove a lock whose owner lives, at whatever level.
//!
//! - A release did not do it. Whoever releases lives, and has found its own token in F. Nobody had
//!   removed the lock of a living owner before, so its own lock still stood there when it removed F.
//! - So a breaker did it. It lives and holds F.break. Nobody had removed the lock of a living owner
//!   before, so F.break was its alone: no other breaker touched F between its second look and the
//!   removal. In the second look it found T. T's owner was gone before that look and does not come
//!   back, so the owner did not touch F either. The file stood there all the time, and nobody could
//!   publish another. So the breaker removed the lock of T, whose owner is gone: a contradiction.
//!
//! It is essential that the proof comes before the second look. A breaker that looks first and then
//! asks for the process may sleep in between: the owner releases and ends, a third process publishes
//! its own lock, and the proof, true by now, speaks of a file that is no longer there.
//!
//! The same holds for F.break with F.break.break. A blank lock has no token; as the content precedes
//! the name, it never had an owner, so nobody but a breaker removes it, and the second look asks for
//! the same file: device, inode, and still blank. A breaker that sleeps while it holds F.break keeps
//! the others out, and one that dies there is gone.
//!
//! A release may compare files instead of tokens: while the own file is open, no other file has its
//! inode, so the name leads to the file that holds the own token.
//!
//! There is no lease and no clock in this: a process that is stopped for an hour keeps its lock.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::disk::{
    self, Identity, TempName, check_file, create_private, create_unnamed, link_unnamed,
    no_hard_links, parent, random_hex, with_suffix, write_new,
};
use crate::error::{Error, Result};
use crate::owner::{Myself, Owner, owner_of};
use crate::waiting::Waiting;

/// How long to wait for a lock unless told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Most bytes of a lock file.
const LOCK_LEN_MAX: u64 = 4096;
/// How long one lock may stand there of which nobody can tell who holds it, before a person has to
/// look. It may be in use, by another user whose work is not to be disturbed.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many breakers may have died while breaking the lock of another, before a person has to look.
const BREAK_DEPTH_MAX: usize = 8;

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
    published: Option<Published>,
    broke: bool,
}

impl FileLock {
    /// Takes the lock that the file `path` stands for, waiting up to `timeout` for another owner;
    /// with a zero `timeout` it tries once. Threads of one process exclude each other as processes
    /// do.
    ///
    /// Fails with `lock_timeout` if somebody else holds it all the time; with `lock_unreadable`,
    /// without waiting much longer than a second, if it is another user's or not a lock; with
    /// `not_a_file`; and with `io` if the folder cannot be written to.
    pub fn acquire(path: &Path, timeout: Duration) -> Result<Self> {
        Self::acquire_after(path, &mut Waiting::new(timeout), NOTHING)
    }

    /// As [`acquire`](Self::acquire). Before the lock of an owner that is gone is removed, `settle`
    /// makes durable what that owner may have written and not synced: whoever takes the lock next,
    /// perhaps another process than this, builds on it.
    pub(crate) fn acquire_after(
        path: &Path,
        waiting: &mut Waiting,
        settle: Settle<'_>,
    ) -> Result<Self> {
        let means = Means {
            settle,
            ..Means::SYSTEM
        };
        Self::acquire_by(path, waiting, means)
    }

    fn acquire_by(path: &Path, waiting: &mut Waiting, means: Means<'_>) -> Result<Self> {
        let mut candidate = Candidate::prepare(path, means.form)?;
        let mut broke = false;
        let mut unclear: Option<(Unclear, Instant)> = None;
        loop {
            if candidate.publish()? {
                return Ok(candidate.held(broke));
            }
            let found = candidate.look()?;
            // A network file system may repeat a `link` that succeeded and report the second one.
            if found.has_token(&candidate.token) {
                return Ok(candidate.held(broke));
            }
            if let Some(gone) = found.gone(path, means)?
                && break_gone(path, &gone, means, 0)?
            {
                broke = true;
                continue;
            }
            if let Found::Unclear(lock) = &found {
                let now = Instant::now();
                match &unclear {
                    Some((same, since)) if same == lock => {
                        if now.duration_since(*since) >= means.patience {
                            return Err(found.held_by_another(path, waiting.timeout()));
                        }
                    }
                    _ => unclear = Some((lock.clone(), now)),
                }
            }
            if waiting.is_over() {
                return Err(found.held_by_another(path, waiting.timeout()));
            }
            waiting.pause()?;
        }
    }

    /// Whether the lock of an owner that is gone was removed on the way: that owner may have left
    /// something half done.
    #[must_use]
    pub fn broke(&self) -> bool {
        self.broke
    }

    /// Checks that the lock is still this one. A safeguard against hands that delete lock files, no
    /// more: it can be lost in the next moment.
    ///
    /// Fails with `lock_lost` if it is not, with `not_a_file` and `io` if it cannot be looked at.
    pub fn verify(&self) -> Result<()> {
        if self.stands()? {
            return Ok(());
        }
        Err(Error::LockLost {
            path: self.path.clone(),
        })
    }

    fn stands(&self) -> Result<bool> {
        if let Some(published) = &self.published
            && published.stands_at(&self.path)
        {
            return Ok(true);
        }
        Ok(Found::at(&self.path)?.has_token(&self.token))
    }

    fn release(&self) -> Result<()> {
        // Nobody removes the lock of a living process, so between looking and removing it stays
        // ours.
        if !self.stands()? {
            return Ok(());
        }
        remove(&self.path)
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // After a fork, the lock stays the parent's.
        if self.pid == std::process::id() && self.release().is_err() {
            abandon(&self.token);
        }
    }
}

/// The tokens of locks that this process may have left standing although it does not hold them:
/// removing them failed. Nobody in this process uses such a token again, so its owner is gone. A
/// lock of this process that is not among them is held: perhaps by another copy of this crate.
static ABANDONED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn abandon(token: &str) {
    let mut tokens = ABANDONED.lock().unwrap_or_else(PoisonError::into_inner);
    tokens.insert(token.to_owned());
}

fn is_abandoned(token: &str) -> bool {
    let tokens = ABANDONED.lock().unwrap_or_else(PoisonError::into_inner);
    tokens.contains(token)
}

/// Such a lock was removed.
fn forget(token: &str) {
    let mut tokens = ABANDONED.lock().unwrap_or_else(PoisonError::into_inner);
    tokens.remove(token);
}

/// Removes a file, which may be gone already.
fn remove(path: &Path) -> Result<()> {
    match disk::remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// By which means a lock is taken. Tests have others.
#[derive(Clone, Copy)]
struct Means<'a> {
    form: MakeForm,
    /// Whether an owner is provably gone.
    proves_gone: &'a dyn Fn(&Owner) -> bool,
    /// What to do under the guard before a lock is removed.
    settle: Settle<'a>,
    patience: Duration,
}

type Settle<'a> = &'a dyn Fn() -> Result<()>;

const NOTHING: Settle<'_> = &|| Ok(());

impl Means<'_> {
    const SYSTEM: Self = Self {
        form: Form::prepare,
        settle: NOTHING,
        proves_gone: &|owner| is_abandoned(&owner.token) || Myself::get().proves_gone(owner),
        patience: PATIENCE,
    };
}

/// The file of a lock that was published, open as long as the lock is held.
///
/// An open file keeps its inode, so no other file has the inode's number meanwhile: a name with that
/// number leads to this file, in which nobody but us has written a token, and reading it would tell
/// no more. The length tells that nobody has emptied the file, which would let others break the
/// lock. Only files that were created without a name are known in this way. Network file systems,
/// where a server may use a number again and attributes may be old, have no such files.
#[derive(Debug)]
struct Published {
    identity: Identity,
    _file: fs::File,
}

impl Published {
    fn new(file: fs::File) -> Option<Self> {
        let identity = Identity::of(&file.metadata().ok()?)?;
        Some(Self {
            identity,
            _file: file,
        })
    }

    /// Whether it certainly stands there. If not, its token has the last word.
    fn stands_at(&self, path: &Path) -> bool {
        // Not through a link: what is removed is what the name itself stands for.
        fs::symlink_metadata(path)
            .is_ok_and(|metadata| Identity::of(&metadata) == Some(self.identity))
    }
}

/// The content of a lock file on the disk, before it has the lock's name.
enum Form {
    Unnamed(fs::File),
    Named { temp: PathBuf, _remove: TempName },
}

type MakeForm = fn(path: &Path, token: &str, content: &[u8]) -> Result<Form>;

impl Form {
    fn prepare(path: &Path, token: &str, content: &[u8]) -> Result<Self> {
        match Self::unnamed(path, content) {
            Ok(form) => Ok(form),
            // Whatever the reason is. If it is not that there are no such files here, this meets
            // it too, and says so.
            Err(_) => Self::named(path, token, content),
        }
    }

    fn unnamed(path: &Path, content: &[u8]) -> io::Result<Self> {
        let file = create_unnamed(parent(path))?;
        write_new(&file, content)?;
        Ok(Self::Unnamed(file))
    }

    fn named(path: &Path, token: &str, content: &[u8]) -> Result<Self> {
        let temp = temp_path(path, token);
        let file = create_private(&temp).map_err(|error| Error::io("create", &temp, error))?;
        let remove = TempName::new(temp.clone());
        write_new(&file, content).map_err(|error| Error::io("write", &temp, error))?;
        Ok(Self::Named {
            temp,
            _remove: remove,
        })
    }

    /// Fails if the name is taken.
    fn link(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Unnamed(file) => link_unnamed(file, path),
            Self::Named { temp, .. } => disk::link(temp, path),
        }
    }
}

/// A lock file ready to be published. It is not synced: after a power failure no owner is left, and
/// an empty lock file says so too.
struct Candidate {
    path: PathBuf,
    content: String,
    token: String,
    pid: u32,
    form: Form,
}

impl Candidate {
    fn prepare(path: &Path, form: MakeForm) -> Result<Self> {
        let token = random_hex()?;
        let owner = Myself::get().with_token(token);
        let mut content = serde_json::to_string(&owner)
            .map_err(|error| Error::io("write", path, error.into()))?;
        content.push('\n');
        Ok(Self {
            path: path.to_owned(),
            form: form(path, &owner.token, content.as_bytes())?,
            content,
            token: owner.token,
            pid: owner.pid,
        })
    }

    /// Gives the lock file its name. False if the name is taken.
    fn publish(&mut self) -> Result<bool> {
        let mut linked = self.form.link(&self.path);
        if let (Form::Unnamed(_), Err(error)) = (&self.form, &linked)
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            // Perhaps there is no /proc, or a policy forbids it. The decision that there are no
            // hard links here is left to the other form: all processes have to come to the same.
            self.form = Form::named(&self.path, &self.token, self.content.as_bytes())?;
            linked = self.form.link(&self.path);
        }
        let result = match linked {
            Err(error) if no_hard_links(&error) => self.publish_by_writing(),
            result => result,
        };
        match result {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => {
                // Perhaps it stands there nevertheless.
                if self.look().is_ok_and(|found| found.has_token(&self.token)) {
                    abandon(&self.token);
                }
                Err(Error::io("create", &self.path, error))
            }
        }
    }

    /// What stands there after an attempt to publish this.
    fn look(&self) -> Result<Found> {
        Found::at(&self.path).inspect_err(|error| {
            // That may be this one.
            if matches!(error, Error::Io { .. }) {
                abandon(&self.token);
            }
        })
    }

    /// For file systems without hard links: exclusive as well, but others may see it empty for a
    /// moment, and if the process dies in this moment, it stays so.
    fn publish_by_writing(&self) -> io::Result<()> {
        let file = create_private(&self.path)?;
        let remove = TempName::new(self.path.clone());
        write_new(&file, self.content.as_bytes())?;
        remove.keep();
        Ok(())
    }

    fn held(self, broke: bool) -> FileLock {
        FileLock {
            broke,
            path: self.path,
            token: self.token,
            pid: self.pid,
            published: match self.form {
                Form::Unnamed(file) => Published::new(file),
                Form::Named { .. } => None,
            },
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
    Blank(Option<Identity>),
    /// Anything else: nobody knows whose.
    Unclear(Unclear),
}

/// A file that does not tell who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unclear {
    reason: String,
    /// Which file it is, as far as its attributes tell: another lock of the same owner may have the
    /// same number and length.
    file: Option<Identity>,
    modified: Option<SystemTime>,
}

impl Unclear {
    fn new(reason: String, metadata: &fs::Metadata) -> Self {
        Self {
            reason,
            file: Identity::of(metadata),
            modified: metadata.modified().ok(),
        }
    }
}

impl Found {
    /// Fails with `not_a_file` and `io`.
    fn at(path: &Path) -> Result<Self> {
        // Not through a link: what is removed is what the name itself stands for.
        let read = || {
            let metadata = fs::symlink_metadata(path)?;
            check_file(&metadata)?;
            match disk::open_file(path, fs::OpenOptions::new().read(true)) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    let reason = format!(
                        "it belongs to {}, and this process may not read it",
                        owner_of(&metadata)
                    );
                    Ok(Self::Unclear(Unclear::new(reason, &metadata)))
                }
                file => Self::read(file?),
            }
        };
        match read() {
            Err(error) if io::Error::kind(&error) == io::ErrorKind::NotFound => Ok(Self::Nothing),
            result => result.map_err(|error| Error::io("read", path, error)),
        }
    }

    fn read(file: fs::File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let mut content = Vec::with_capacity(512);
        file.take(LOCK_LEN_MAX).read_to_end(&mut content)?;
        if content.iter().all(|byte| *byte == 0) {
            return Ok(Self::Blank(Identity::of(&metadata)));
        }
        Ok(serde_json::from_slice(&content).map_or_else(
            |_| {
                let reason = "it does not hold what a lock holds".to_owned();
                Self::Unclear(Unclear::new(reason, &metadata))
            },
            Self::Owner,
        ))
    }

    fn has_token(&self, token: &str) -> bool {
        matches!(self, Self::Owner(owner) if owner.token == token)
    }

    /// The error of giving up.
    fn held_by_another(self, path: &Path, timeout: Duration) -> Error {
        let path = path.to_owned();
        let owner = match self {
            Self::Unclear(Unclear { reason, .. }) => return Error::LockUnreadable { path, reason },
            Self::Owner(owner) => Some(owner.to_string()),
            Self::Nothing | Self::Blank(_) => None,
        };
        Error::LockTimeout {
            path,
            timeout,
            owner,
        }
    }

    /// This lock, if its owner is provably gone.
    fn gone(&self, path: &Path, means: Means<'_>) -> Result<Option<Gone>> {
        Ok(match self {
            Self::Owner(owner) if (means.proves_gone)(owner) => {
                Some(Gone::Token(owner.token.clone()))
            }
            // With hard links, content precedes the name, so no living owner's lock was ever blank.
            // Without, it may be one that is just being written.
            Self::Blank(file) if hard_links_work(path)? => Some(Gone::Blank(*file)),
            _ => None,
        })
    }
}

/// A lock that was proven gone, by what tells it from those that may take its place.
enum Gone {
    Token(String),
    Blank(Option<Identity>),
}

impl Gone {
    /// Whether it stands there still.
    fn stands_at(&self, path: &Path) -> Result<bool> {
        Ok(match (self, Found::at(path)?) {
            (Self::Token(token), found) => found.has_token(token),
            (Self::Blank(file), Found::Blank(now)) => *file == now,
            _ => false,
        })
    }
}

fn hard_links_work(path: &Path) -> Result<bool> {
    let name = with_suffix(path, &format!(".{}.tmp", random_hex()?));
    let probe = Candidate::prepare(&name, Form::named)?;
    let linked = probe.form.link(&probe.path).is_ok();
    if linked {
        drop(TempName::new(probe.path.clone()));
    }
    Ok(linked)
}

/// Removes a lock that was proven gone. True if a file was removed, here or deeper, so that it is
/// worth trying again at once.
fn break_gone(path: &Path, gone: &Gone, means: Means<'_>, depth: usize) -> Result<bool> {
    if depth == BREAK_DEPTH_MAX {
        return Ok(false);
    }
    let guard_path = with_suffix(path, ".break");
    let mut candidate = Candidate::prepare(&guard_path, means.form)?;
    if !candidate.publish()? {
        let found = candidate.look()?;
        if !found.has_token(&candidate.token) {
            // Another breaker is at work, or was. It has changed nothing but lock files.
            let means = Means {
                settle: NOTHING,
                ..means
            };
            return match found.gone(&guard_path, means)? {
                Some(gone) => break_gone(&guard_path, &gone, means, depth + 1),
                None => Ok(false),
            };
        }
    }
    let guard = candidate.held(false);
    (means.settle)()?;
    // Again, now that nobody else may remove it: since it was read, its owner may have released it,
    // or another breaker removed it, and a living process may have taken the lock. Nothing may come
    // between this look and the removal that asks whether anybody is gone.
    if !gone.stands_at(path)? {
        return Ok(false);
    }
    remove(path)?;
    drop(guard);
    if let Gone::Token(token) = gone {
        forget(token);
    }
    sweep(path);
    Ok(true)
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
        if let Ok(Found::Owner(owner)) = Found::at(&entry.path())
            && Myself::get().proves_gone(&owner)
        {
            let _ = disk::remove(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    #[cfg(unix)]
    use crate::disk::record::{Fault, failing};

    /// A lock file as a process left it that is gone.
    fn left_behind(path: &Path) {
        let mut owner = Myself::get().with_token(random_hex().unwrap());
        owner.start_time += 1;
        fs::write(path, serde_json::to_string(&owner).unwrap()).unwrap();
    }

    /// A lock file as a living process publishes it, in place of the one that stands there.
    fn published(path: &Path) -> String {
        let owner = Myself::get().with_token(random_hex().unwrap());
        let _ = fs::remove_file(path);
        fs::write(path, serde_json::to_string(&owner).unwrap()).unwrap();
        owner.token
    }

    #[test]
    fn a_slow_breaker_leaves_the_new_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        left_behind(&path);
        let gone = Found::at(&path)
            .unwrap()
            .gone(&path, Means::SYSTEM)
            .unwrap();
        // Another breaker is faster.
        let lock = FileLock::acquire(&path, Duration::ZERO).unwrap();
        assert!(!break_gone(&path, &gone.unwrap(), Means::SYSTEM, 0).unwrap());
        lock.verify().unwrap();
    }

    /// While a breaker asks whether the owner is gone, the owner goes and somebody else comes, each
    /// time it asks: the lock itself (depth 0) or the guard of a breaker that died.
    #[test]
    fn the_proof_about_one_owner_removes_no_lock_of_the_next() {
        for depth in 0..3 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("v.lock");
            let mut contested = path.clone();
            for _ in 0..depth {
                left_behind(&contested);
                contested = with_suffix(&contested, ".break");
            }
            let newest = std::cell::RefCell::new(published(&contested));
            let proves_gone = |owner: &Owner| {
                if owner.token == *newest.borrow() {
                    newest.replace(published(&contested));
                }
                true
            };
            let means = Means {
                proves_gone: &proves_gone,
                ..Means::SYSTEM
            };
            let error = acquire_by(&path, Duration::ZERO, means).unwrap_err();
            assert_eq!(error.code(), "lock_timeout", "{depth}");
            assert!(
                Found::at(&contested).unwrap().has_token(&newest.borrow()),
                "a living owner's lock was removed at depth {depth}"
            );
            assert_eq!(names(&path), depth + 1, "no guard stays");
        }
    }

    #[test]
    fn a_blank_lock_is_removed_only_if_it_is_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        let other = dir.path().join("other");
        fs::write(&path, "").unwrap();
        fs::write(&other, "").unwrap();
        let gone = Found::at(&path)
            .unwrap()
            .gone(&path, Means::SYSTEM)
            .unwrap();
        let gone = gone.unwrap();
        assert!(gone.stands_at(&path).unwrap());
        fs::write(&path, [0]).unwrap();
        assert_eq!(gone.stands_at(&path).unwrap(), cfg!(not(unix)), "longer");
        published(&path);
        assert!(!gone.stands_at(&path).unwrap(), "no longer blank");
        fs::rename(&other, &path).unwrap();
        let same = break_gone(&path, &gone, Means::SYSTEM, 0).unwrap();
        assert_eq!(same, cfg!(not(unix)), "another file");
        assert_eq!(path.exists(), cfg!(unix));
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

    /// An unnamed file that cannot be linked, as if there were no /proc.
    #[cfg(target_os = "linux")]
    fn unlinkable(path: &Path, token: &str, content: &[u8]) -> Result<Form> {
        use rustix::fs::{Mode, OFlags, open};

        // What O_EXCL means together with O_TMPFILE (open(2)).
        let flags = OFlags::TMPFILE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
        match open(parent(path), flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => Ok(Form::Unnamed(file.into())),
            Err(_) => Form::named(path, token, content),
        }
    }

    #[cfg(target_os = "linux")]
    const FORMS: &[MakeForm] = &[Form::prepare, Form::named, unlinkable];
    #[cfg(not(target_os = "linux"))]
    const FORMS: &[MakeForm] = &[Form::prepare, Form::named];

    fn acquire_by(path: &Path, timeout: Duration, means: Means<'_>) -> Result<FileLock> {
        FileLock::acquire_by(path, &mut Waiting::new(timeout), means)
    }

    fn acquire_with(path: &Path, timeout: Duration, form: MakeForm) -> Result<FileLock> {
        let means = Means {
            form,
            ..Means::SYSTEM
        };
        acquire_by(path, timeout, means)
    }

    /// Takes the lock in each form after doing something to the lock that is held in each form.
    fn with_each_form(check: impl Fn(&Path, FileLock, MakeForm)) {
        for form in FORMS {
            for other in FORMS {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("v.lock");
                let lock = acquire_with(&path, Duration::ZERO, *form).unwrap();
                check(&path, lock, *other);
            }
        }
    }

    fn names(path: &Path) -> usize {
        fs::read_dir(path.parent().unwrap()).unwrap().count()
    }

    #[test]
    fn a_lock_in_each_form_excludes_those_in_each() {
        with_each_form(|path, lock, other| {
            lock.verify().unwrap();
            let content = fs::read_to_string(path).unwrap();
            assert!(content.contains(&lock.token), "{content}");
            assert_eq!(names(path), 1, "only the lock");
            let error = acquire_with(path, Duration::ZERO, other).unwrap_err();
            assert_eq!(error.code(), "lock_timeout");
            assert_eq!(names(path), 1, "only the lock");
            drop(lock);
            assert_eq!(names(path), 0);
            acquire_with(path, Duration::ZERO, other)
                .unwrap()
                .verify()
                .unwrap();
        });
    }

    #[test]
    fn threads_with_locks_in_each_form_count_right() {
        use std::sync::atomic::{AtomicU32, Ordering};
        const EACH: u32 = 200;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        let number = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for form in FORMS {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        let _lock = acquire_with(&path, DEFAULT_TIMEOUT, *form).unwrap();
                        // In two steps, so that a count gets lost if the lock does not hold.
                        let before = number.load(Ordering::Relaxed);
                        std::thread::yield_now();
                        number.store(before + 1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(number.into_inner() as usize, EACH as usize * FORMS.len());
        assert_eq!(names(&path), 0);
    }

    #[test]
    fn a_lock_that_a_hand_replaced_is_lost_and_left_alone() {
        with_each_form(|path, first, other| {
            fs::remove_file(path).unwrap();
            let second = acquire_with(path, Duration::ZERO, other).unwrap();
            assert_eq!(first.verify().unwrap_err().code(), "lock_lost");
            drop(first);
            second.verify().unwrap();
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_that_could_not_be_removed_is_taken_over_by_its_process() {
        with_each_form(|path, lock, other| {
            let fault: Fault = |call, _| (call == "remove").then(|| io::Error::other("lost"));
            failing(fault, || drop(lock));
            assert!(path.exists(), "the removal failed");
            let others = Means {
                proves_gone: &|owner| Myself::get().proves_gone(owner),
                ..Means::SYSTEM
            };
            let error = acquire_by(path, Duration::ZERO, others).unwrap_err();
            assert_eq!(error.code(), "lock_timeout", "the process lives");
            drop(acquire_with(path, Duration::ZERO, other).unwrap());
            assert_eq!(names(path), 0);
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_guard_that_could_not_be_removed_is_taken_over_by_its_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        left_behind(&path);
        let fault: Fault = |call, path| {
            let is_guard =
                path.is_some_and(|path| path.extension().is_some_and(|end| end == "break"));
            (call == "remove" && is_guard).then(|| io::Error::other("lost"))
        };
        let take = || FileLock::acquire(&path, Duration::ZERO);
        drop(failing(fault, take).unwrap());
        assert_eq!(names(&path), 1, "the guard");
        left_behind(&path);
        drop(take().unwrap());
        assert_eq!(names(&path), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_that_cannot_be_looked_at_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("folder");
        let away = dir.path().join("away");
        fs::create_dir(&folder).unwrap();
        let path = folder.join("v.lock");
        let lock = FileLock::acquire(&path, Duration::ZERO).unwrap();
        fs::rename(&folder, &away).unwrap();
        // In place of the folder, so that nothing can be found below it.
        fs::write(&folder, "").unwrap();
        assert_eq!(lock.verify().unwrap_err().code(), "io");
        drop(lock);
        fs::remove_file(&folder).unwrap();
        fs::rename(&away, &folder).unwrap();
        drop(FileLock::acquire(&path, Duration::ZERO).unwrap());
    }

    #[test]
    fn a_lock_that_nobody_can_judge_is_told_long_before_the_time_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        fs::write(&path, "another program's").unwrap();
        let means = Means {
            patience: Duration::ZERO,
            ..Means::SYSTEM
        };
        let error = acquire_by(&path, DEFAULT_TIMEOUT, means).unwrap_err();
        assert_eq!(error.code(), "lock_unreadable");
        assert_eq!(fs::read(&path).unwrap(), b"another program's");
    }

    #[test]
    fn a_lock_that_nobody_can_judge_is_another_one_once_it_was_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        let unclear = |content: &str| {
            fs::write(&path, content).unwrap();
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(content.len() as u64))
                .unwrap();
            match Found::at(&path).unwrap() {
                Found::Unclear(unclear) => unclear,
                _ => panic!("it says nothing about an owner"),
            }
        };
        assert_eq!(unclear("a"), unclear("b"));
        assert_ne!(unclear("a"), unclear("bb"));
    }

    #[test]
    fn a_lock_that_a_hand_emptied_is_lost_and_left_alone() {
        with_each_form(|path, lock, _| {
            fs::write(path, "").unwrap();
            assert_eq!(lock.verify().unwrap_err().code(), "lock_lost");
            drop(lock);
            assert!(path.exists());
        });
    }

    #[test]
    fn a_lock_that_a_hand_renamed_is_lost_and_left_alone() {
        with_each_form(|path, lock, other| {
            fs::rename(path, path.with_extension("away")).unwrap();
            assert_eq!(lock.verify().unwrap_err().code(), "lock_lost");
            let second = acquire_with(path, Duration::ZERO, other).unwrap();
            drop(lock);
            second.verify().unwrap();
        });
    }

    #[test]
    fn a_lock_that_a_hand_copied_is_known_by_its_token() {
        with_each_form(|path, lock, _| {
            let content = fs::read(path).unwrap();
            fs::remove_file(path).unwrap();
            fs::write(path, content).unwrap();
            lock.verify().unwrap();
            drop(lock);
            assert_eq!(names(path), 0);
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_lock_that_waits_in_an_unnamed_file_stands_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.lock");
        let candidate = Candidate::prepare(&path, Form::prepare).unwrap();
        let count = fs::read_dir(dir.path()).unwrap().count();
        match candidate.form {
            Form::Unnamed(_) => assert_eq!(count, 0),
            // Not on this file system.
            Form::Named { .. } => assert_eq!(count, 1),
        }
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
        let candidate = Candidate::prepare(&path, Form::named).unwrap();
        candidate.publish_by_writing().unwrap();
        let again = candidate.publish_by_writing().unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        candidate.held(false).verify().unwrap();
    }
}
