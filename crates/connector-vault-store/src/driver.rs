//! Carries out for a file what the core's [`Session`] asks for. The core holds the rules; this holds
//! the file lock, torn tails and warnings.

use std::time::Duration;

use connector_vault::{
    Answer, Ask, Code, Host, KnownHead, LogEnd, Outcome, Prepared, Session, Vault,
};
use rand::RngExt;

use crate::clock::{host, rng};
use crate::compare::Compared;
use crate::error::{Error, Result};
use crate::file::FileStore;
use crate::heads::{self, KnownHeads};
use crate::locked::LockedFile;
use crate::options::Builder;
use crate::source::FileSource;
use crate::warning::{OnWarning, Warning};

/// Where a vault stands, and who hears of it.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) store: FileStore,
    pub(crate) heads: KnownHeads,
    /// How long to wait for other processes.
    pub(crate) wait: Duration,
    pub(crate) on_warning: OnWarning,
}

/// The error behind an [`Answer`], for [`Ask::Fail`].
type Failure = Option<Error>;

impl Driver {
    pub(crate) fn new(store: FileStore, options: &Builder) -> Result<Self> {
        Ok(Self {
            store,
            heads: options.known_heads()?,
            wait: options.wait,
            on_warning: options.on_warning.clone(),
        })
    }

    /// Takes what others have stored, or decides which head stays of a vault that was read just now:
    /// carries out `ask` and what follows from it. Takes no lock.
    pub(crate) fn follow(
        &self,
        session: &mut Session,
        vault: &mut Vault<FileSource>,
        begin: for<'s> fn(&'s mut Session, &Vault<FileSource>) -> Ask<'s>,
    ) -> Result<()> {
        let mut failure = None;
        let mut ask = begin(session, vault);
        loop {
            let result = match ask {
                Ask::CatchUp(end) => self.found(self.store.catch_up(&end, vault.source())),
                Ask::Settle(end) => Ok(Answer::Stays(self.store.stays(&end))),
                Ask::Remember { known, over } => {
                    self.remember(&known, over).map(|()| Answer::Remembered)
                }
                Ask::Done(_) => return Ok(()),
                _ => return Err(failed(failure)),
            };
            ask = session.next(vault, answered(result, &mut failure))?;
        }
    }

    /// Makes a change under the file's lock. Returns the locked file too: nobody has come in between.
    ///
    /// Fails with what `prepare` fails with.
    pub(crate) fn write<E: From<Error>>(
        &self,
        session: &mut Session,
        vault: &mut Vault<FileSource>,
        mut prepare: impl FnMut(&Vault<FileSource>, &mut Host<'_>) -> Result<Prepared, E>,
    ) -> Result<(Vec<Outcome>, LockedFile), E> {
        let mut rng = rng()?;
        // Before anybody waits for the lock.
        host(&mut rng)?;
        let mut locked = self.lock()?;
        if let Some(warning) = locked.hazard() {
            self.on_warning.tell(&warning);
        }
        let mut failure = None;
        let mut ask = session.write(vault);
        loop {
            let result = match ask {
                Ask::CatchUp(end) => self.found(locked.catch_up(&end, vault.source())),
                Ask::Prepare => Ok(Answer::Prepared(prepare(vault, &mut host(&mut rng)?)?)),
                Ask::Append(commit, end) => make_room(&mut locked, &end)
                    .and_then(|()| locked.append(commit))
                    .map(|()| Answer::Stored),
                Ask::Replace(file, end) => make_room(&mut locked, &end)
                    .and_then(|()| locked.replace(file))
                    .map(|()| Answer::Stored),
                Ask::Sync(_) => locked.sync().map(|()| Answer::Stored),
                Ask::Wait(most) => {
                    drop(locked);
                    std::thread::sleep(Duration::from_millis(rng.random_range(0..=most)));
                    locked = self.lock()?;
                    Ok(Answer::Waited)
                }
                Ask::PrepareCompaction => vault
                    .prepare_own_compaction(&mut host(&mut rng)?)
                    .map(Answer::Prepared)
                    .map_err(Error::from),
                Ask::MayCompact => Ok(Answer::MayCompact(self.may_compact(&locked))),
                Ask::Compact(file, _) => {
                    let replaced = locked.replace(file);
                    if let Err(Error::NotDurable { source, .. }) = &replaced {
                        self.tell_not_durable(source.as_ref());
                    }
                    replaced.map(|()| Answer::Stored)
                }
                Ask::Remember { known, over } => {
                    self.remember(&known, over).map(|()| Answer::Remembered)
                }
                Ask::Done(outcomes) => return Ok((outcomes, locked)),
                _ => return Err(failed(failure).into()),
            };
            let answer = answered(result, &mut failure);
            ask = session.next(vault, answer).map_err(Error::from)?;
        }
    }

    fn found(&self, compared: Result<Compared>) -> Result<Answer<FileSource>> {
        Ok(match compared? {
            Compared::Same => Answer::Same,
            Compared::Grown { tail } => Answer::Grown(tail),
            Compared::Replaced => Answer::Replaced(self.store.source()?),
        })
    }

    fn lock(&self) -> Result<LockedFile> {
        self.store.lock(self.wait)
    }

    fn remember(&self, known: &KnownHead, over: bool) -> Result<()> {
        heads::remember(&self.heads, &self.store, known, over)
    }

    fn may_compact(&self, locked: &LockedFile) -> bool {
        let Ok(Some(names)) = locked.other_names() else {
            return true;
        };
        let path = self.store.path().display();
        self.on_warning.tell(&Warning::new(
            "other_names",
            format!(
                "{path} {names}, so it was not compacted, which would leave them behind; use one \
                 name, and mount folders instead of files"
            ),
        ));
        false
    }

    /// The compacted file stands there, and what it holds was acknowledged before. But until its name
    /// is durable, a power failure may bring back the former file, without what is added from now on.
    fn tell_not_durable(&self, source: Option<&std::io::Error>) {
        let path = self.store.path().display();
        let reason = source.map_or(String::new(), |source| format!(": {source}"));
        self.on_warning.tell(&Warning::new(
            "not_durable",
            format!(
                "{path} was compacted, and the system could not confirm that this reached the \
                 disk, so later changes may be lost in a power failure{reason}"
            ),
        ));
    }
}

/// A torn tail never was acknowledged: it makes room, but its bytes are kept beside the file.
fn make_room(locked: &mut LockedFile, end: &LogEnd) -> Result<()> {
    if end.torn > 0 {
        locked.save_torn_tail(end.end)?;
    }
    Ok(())
}

/// The answer to what has failed, and its error kept.
fn answered(result: Result<Answer<FileSource>>, failure: &mut Failure) -> Answer<FileSource> {
    result.unwrap_or_else(|error| {
        let answer = match error.code() {
            Code::Conflict => Answer::Conflict,
            _ => Answer::Failed,
        };
        *failure = Some(error);
        answer
    })
}

/// The error of an operation that has failed.
fn failed(failure: Failure) -> Error {
    failure.unwrap_or_else(|| {
        Error::Core(connector_vault::Error::new(
            Code::Internal,
            "the session asks for what a file cannot do",
        ))
    })
}
