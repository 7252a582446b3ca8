//! The loop around a change, as a state machine without input or output: catch up, prepare, store,
//! apply; and once more if somebody else was faster. A driver carries out what the machine asks for.
//! It decides nothing.
//!
//! ```text
//! refresh:  CatchUp ── Settle? ── Remember? ── Done
//!
//! write:    CatchUp ── Prepare ── Append, Replace or Sync ── MayCompact? ── PrepareCompaction? ── Compact? ── Remember? ── Done
//!              ^                     |           |
//!              |                  Conflict     Unsure
//!              |                     |           |
//!              +──────── Wait ───────+    CatchUp (to look) ── it is there: go on
//!              ^                                  |──────────── somebody else's is: as a conflict
//!              +──────────────────────────────────+──────────── the head is the former one: store it again
//! ```
//!
//! The decisions, each once:
//!
//! - **A conflict is no error** until it has happened [`CONFLICTS_MAX`] times in a row: the storage took
//!   nothing, so the change is planned again on what is stored. Between two attempts the driver waits a
//!   random part of a time that doubles, outside of every lock.
//! - **After a lost answer the chain decides**: the change happened if its commit is in the log. If the
//!   driver cannot look, the outcome is unknown, and the error says so.
//! - **A head is remembered once it stays.** A writer has caught up where nobody else writes, so the
//!   head that it found stays. A reader asks the storage. If a writer may still withdraw the newest
//!   commit, the reader remembers the head before it (docs/format.md section 9). A head that was
//!   remembered is not remembered again. If a head cannot be remembered, this is an error of opening and
//!   of a refresh that brought something. For a change it is not an error, because the data is stored;
//!   the next operation tries again.
//! - **A torn tail stays in the storage**: the end of the log says how long it is, and the storage that
//!   appends makes room and keeps its bytes, if it has files.
//! - **A compaction belongs to no change.** The change before it is stored, so whatever becomes of the
//!   compaction is not the change's failure, and the next change tries again.

use std::fmt;

use super::Vault;
use super::commit::{LogEnd, Prepared, Write};
use crate::connector::ConnectorId;
use crate::crypto::identity::Identity;
use crate::error::{Code, Error, Result};
use crate::log::{Head, KnownHead};
use crate::plan::Outcome;
use crate::source::{Memory, Source};

/// How often in a row another writer may come first before a change gives up.
pub const CONFLICTS_MAX: u32 = 100;

/// How often in a row an answer may get lost before a change gives up.
const LOST_MAX: u32 = 3;

/// Most milliseconds between two attempts.
const WAIT_MAX: u64 = 500;

/// What the session wants of its driver. The driver answers all but [`Ask::Done`] and [`Ask::Fail`].
#[non_exhaustive]
pub enum Ask<'a> {
    /// Compare what is stored with this end of the log: answer [`Answer::Same`], [`Answer::Grown`] or
    /// [`Answer::Replaced`].
    CatchUp(LogEnd),
    /// Say whether the log that ends so stays: [`Answer::Stays`].
    Settle(LogEnd),
    /// Plan and prepare everything that waits: [`Answer::Prepared`].
    Prepare,
    /// Add these bytes behind this end of the log: [`Answer::Stored`]. A torn tail makes room.
    Append(&'a [u8], LogEnd),
    /// Put these bytes in the place of the file that ends so: [`Answer::Stored`].
    Replace(&'a [u8], LogEnd),
    /// Nothing is written, but the answer relies on what is stored: make that durable.
    /// [`Answer::Stored`].
    Sync(LogEnd),
    /// Wait a random part of so many milliseconds, and hold no lock meanwhile: [`Answer::Waited`].
    Wait(u64),
    /// Say whether the file may be replaced although nobody asked for it: [`Answer::MayCompact`].
    MayCompact,
    /// Prepare the compaction, by [`Vault::prepare_own_compaction`], and hand it over.
    PrepareCompaction,
    /// As [`Ask::Replace`], for a compaction that nobody asked for.
    Compact(&'a [u8], LogEnd),
    /// Keep this head as the newest that was seen: [`Answer::Remembered`]. If `over`, it takes the place of whatever
    /// head is kept, also of one with a greater seq, because a merge has adopted that one.
    Remember {
        /// The head.
        known: KnownHead,
        /// Whether a head with a greater seq gives way.
        over: bool,
    },
    /// It is done. The outcomes of what was prepared, in its order.
    Done(Vec<Outcome>),
    /// It has failed with the error that the driver has answered with.
    Fail,
}

/// What became of what the session has asked for.
pub enum Answer<S = Memory> {
    /// The stored bytes end where the log ends.
    Same,
    /// They go on: with commits, and perhaps with a torn tail.
    Grown(Vec<u8>),
    /// They are another file: this one.
    Replaced(S),
    /// Whether the newest commit stays: no writer is at work that may withdraw it.
    Stays(bool),
    /// A change, ready to be stored.
    Prepared(Prepared),
    /// The bytes are stored and durable.
    Stored,
    /// Nothing was stored: somebody else has changed what is stored.
    Conflict,
    /// The bytes may have been stored or not: the answer got lost.
    Unsure,
    /// The time is over.
    Waited,
    /// Whether a compaction may replace the file.
    MayCompact(bool),
    /// The head is kept, or nobody wants to keep it.
    Remembered,
    /// It failed, and nothing has changed. The driver keeps the error for [`Ask::Fail`].
    Failed,
}

impl fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CatchUp(_) => f.write_str("CatchUp"),
            Self::Settle(_) => f.write_str("Settle"),
            Self::Prepare => f.write_str("Prepare"),
            Self::Append(bytes, _) => write!(f, "Append({} bytes)", bytes.len()),
            Self::Replace(bytes, _) => write!(f, "Replace({} bytes)", bytes.len()),
            Self::Sync(_) => f.write_str("Sync"),
            Self::Wait(most) => write!(f, "Wait({most})"),
            Self::MayCompact => f.write_str("MayCompact"),
            Self::PrepareCompaction => f.write_str("PrepareCompaction"),
            Self::Compact(bytes, _) => write!(f, "Compact({} bytes)", bytes.len()),
            Self::Remember { known, over } => write!(f, "Remember({:?}, {over})", known.head),
            Self::Done(outcomes) => f.debug_tuple("Done").field(outcomes).finish(),
            Self::Fail => f.write_str("Fail"),
        }
    }
}

/// What happens to an open vault and its storage, one operation after the other.
///
/// ```
/// use connector_vault::*;
/// # use rand::{SeedableRng, rngs::StdRng};
/// # let mut rng = StdRng::seed_from_u64(1);
/// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
/// # let identity = Identity::generate(host.rng);
/// # let owner = NewOwner::identity("ops", identity.clone());
/// # let (mut vault, mut file) = Vault::create(&mut host, &owner)?;
///
/// // A driver over bytes in memory that nobody else changes.
/// let mut session = Session::new(Some(vault.known_head()));
/// let mut ask = session.write(&vault);
/// let outcomes = loop {
///     let answer = match ask {
///         Ask::CatchUp(_) => Answer::Same,
///         Ask::Prepare => {
///             let id = ConnectorId::new("x")?;
///             let plan = vault.plan_create(&NewConnector::new(id.as_str(), "Name", "Type"), &Options::default())?;
///             Answer::Prepared(vault.prepare(plan, &mut host)?)
///         }
///         Ask::Append(bytes, _) => {
///             file.extend_from_slice(bytes);
///             Answer::Stored
///         }
///         Ask::Remember { .. } => Answer::Remembered,
///         Ask::Done(outcomes) => break outcomes,
///         other => unreachable!("{other:?}"),
///     };
///     ask = session.next(&mut vault, answer)?;
/// };
/// assert_eq!(outcomes[0].status, Status::Created);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Session {
    state: State,
    /// The newest head that stays.
    known: Option<KnownHead>,
    /// Whether the vault has adopted the head that was known before.
    over: bool,
    /// The newest head that was remembered.
    remembered: Option<Head>,
    outcomes: Vec<Outcome>,
    brought: Brought,
    /// Whether the operation has brought something, or is an opening.
    has_moved: bool,
    conflicts: u32,
    lost: u32,
}

/// What others have stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Brought {
    /// Nothing that was not known.
    #[default]
    Nothing,
    /// New versions of these connectors, each once.
    Versions(Vec<ConnectorId>),
    /// Another file: any connector may have changed.
    Anything,
}

#[derive(Debug)]
enum State {
    Idle,
    CatchingUp(Aim),
    Settling,
    Preparing,
    Storing(Prepared),
    /// After a lost answer: is it there?
    Looking(Prepared),
    Waiting,
    MayCompact,
    PreparingCompaction,
    Compacting(Prepared),
    Remembering(Aim),
}

#[derive(Clone, Copy, Debug)]
enum Aim {
    Refresh,
    Write,
}

impl Session {
    /// A session with an open vault. `known`: the newest head of it that stays, as far as was
    /// remembered. The first operation remembers a head in any case: the place may have a name at which
    /// nothing is remembered yet.
    #[must_use]
    pub fn new(known: Option<KnownHead>) -> Self {
        Self {
            state: State::Idle,
            remembered: None,
            over: false,
            known,
            outcomes: Vec::new(),
            brought: Brought::Nothing,
            has_moved: false,
            conflicts: 0,
            lost: 0,
        }
    }

    /// The newest head that stays: no writer can withdraw it any more, and no power failure. `None` if
    /// only a commit was seen that a writer may still withdraw.
    #[must_use]
    pub fn known(&self) -> Option<&KnownHead> {
        self.known.as_ref()
    }

    /// What the last answer has brought that others have stored, handed out once.
    pub fn take_brought(&mut self) -> Brought {
        std::mem::take(&mut self.brought)
    }

    /// Begins to take what others have stored. An operation that has not ended is forgotten.
    pub fn refresh<S: Source>(&mut self, vault: &Vault<S>) -> Ask<'_> {
        self.outcomes.clear();
        self.has_moved = false;
        self.state = State::CatchingUp(Aim::Refresh);
        Ask::CatchUp(vault.log_end())
    }

    /// Begins to decide which head stays of a vault that was read just now.
    pub fn settle<S: Source>(&mut self, vault: &Vault<S>) -> Ask<'_> {
        self.outcomes.clear();
        self.has_moved = true;
        self.settling(vault)
    }

    fn settling<S: Source>(&mut self, vault: &Vault<S>) -> Ask<'_> {
        let known = self.known.as_ref().map(|known| &known.head);
        if known == Some(&vault.head()) {
            return self.remembering(Aim::Refresh);
        }
        self.state = State::Settling;
        Ask::Settle(vault.log_end())
    }

    /// Begins a change. The driver lets no other writer in between, where it can. An operation that has
    /// not ended is forgotten.
    pub fn write<S: Source>(&mut self, vault: &Vault<S>) -> Ask<'_> {
        (self.conflicts, self.lost) = (0, 0);
        self.outcomes.clear();
        self.state = State::CatchingUp(Aim::Write);
        Ask::CatchUp(vault.log_end())
    }

    /// Goes on with an answer.
    ///
    /// Fails as [`Vault::refresh`], [`Vault::reopen`] and [`Vault::apply`] do, and with
    /// `outcome_unknown` where an answer got lost and nobody can look. The operation has ended then.
    pub fn next<S: Source>(&mut self, vault: &mut Vault<S>, answer: Answer<S>) -> Result<Ask<'_>> {
        match (std::mem::replace(&mut self.state, State::Idle), answer) {
            (State::CatchingUp(aim), answer) => {
                if !self.take(vault, answer)? {
                    return Ok(Ask::Fail);
                }
                Ok(match aim {
                    Aim::Refresh => self.settling(vault),
                    Aim::Write => {
                        self.move_on(vault, vault.known_head());
                        self.state = State::Preparing;
                        Ask::Prepare
                    }
                })
            }
            (State::Settling, Answer::Stays(stays)) => {
                // A writer stands on what was stored before it: at most the newest commit is its own.
                let found = match stays {
                    true => Some(vault.known_head()),
                    false => vault.known_head_before(),
                };
                let is_new = |found: &KnownHead| {
                    let known = self.known.as_ref().map(|known| &known.head);
                    known.is_none_or(|known| found.head.seq > known.seq || vault.adopts(known))
                };
                if let Some(found) = found.filter(is_new) {
                    self.move_on(vault, found);
                }
                Ok(self.remembering(Aim::Refresh))
            }
            (State::Preparing, Answer::Prepared(prepared)) => {
                self.outcomes = prepared.outcomes().to_vec();
                self.lost = 0;
                Ok(self.storing(vault, prepared))
            }
            (State::Storing(prepared), Answer::Stored) => {
                vault.apply(prepared)?;
                Ok(self.stored(vault))
            }
            (State::Storing(_), Answer::Conflict) if self.lost == 0 => {
                Ok(self.again().map_or(Ask::Fail, Ask::Wait))
            }
            // After a lost answer a conflict may be with the change itself, which has arrived meanwhile.
            (State::Storing(prepared), Answer::Unsure | Answer::Conflict) => {
                self.lost += 1;
                self.state = State::Looking(prepared);
                Ok(Ask::CatchUp(vault.log_end()))
            }
            // This time nothing was stored, but what was sent before may still arrive.
            (State::Storing(_), Answer::Failed) if self.lost > 0 => Err(unknown(None)),
            (State::Looking(prepared), answer) => self.look(vault, prepared, answer),
            (State::Waiting, Answer::Waited) => {
                self.state = State::CatchingUp(Aim::Write);
                Ok(Ask::CatchUp(vault.log_end()))
            }
            (State::MayCompact, Answer::MayCompact(true)) => {
                self.state = State::PreparingCompaction;
                Ok(Ask::PrepareCompaction)
            }
            (State::PreparingCompaction, Answer::Prepared(prepared)) => {
                self.state = State::Compacting(prepared);
                let State::Compacting(prepared) = &self.state else {
                    return Err(out_of_turn());
                };
                Ok(match prepared.write() {
                    Write::Replace(file) => Ask::Compact(file, vault.log_end()),
                    _ => return Err(out_of_turn()),
                })
            }
            (State::Compacting(prepared), Answer::Stored) => {
                if vault.apply(prepared).is_ok() {
                    self.move_on(vault, vault.known_head());
                }
                Ok(self.remembering(Aim::Write))
            }
            (State::MayCompact | State::PreparingCompaction | State::Compacting(_), _) => {
                Ok(self.remembering(Aim::Write))
            }
            (State::Remembering(_), Answer::Remembered) => {
                self.remembered = self.known.as_ref().map(|known| known.head);
                self.over = false;
                Ok(self.done())
            }
            (State::Remembering(Aim::Write), _) => Ok(self.done()),
            (State::Remembering(Aim::Refresh), Answer::Failed) if !self.has_moved => {
                Ok(self.done())
            }
            (_, Answer::Failed) => Ok(Ask::Fail),
            _ => Err(out_of_turn()),
        }
    }

    /// Takes what is stored by now; whether there was an answer.
    fn take<S: Source>(&mut self, vault: &mut Vault<S>, answer: Answer<S>) -> Result<bool> {
        match answer {
            Answer::Same => vault.forget_torn_tail(),
            Answer::Grown(tail) => {
                let refreshed = vault.refresh(tail)?;
                if refreshed.commits > 0 {
                    self.brought = Brought::Versions(refreshed.ids);
                    self.has_moved = true;
                }
            }
            Answer::Replaced(file) => {
                vault.reopen_from(file, self.known.as_ref())?;
                self.brought = Brought::Anything;
                self.has_moved = true;
            }
            Answer::Failed => return Ok(false),
            _ => return Err(out_of_turn()),
        }
        Ok(true)
    }

    fn storing<S: Source>(&mut self, vault: &Vault<S>, prepared: Prepared) -> Ask<'_> {
        self.state = State::Storing(prepared);
        let State::Storing(prepared) = &self.state else {
            return Ask::Fail;
        };
        match prepared.write() {
            Write::Append(commit) => Ask::Append(commit, vault.log_end()),
            Write::Replace(file) => Ask::Replace(file, vault.log_end()),
            Write::Nothing => Ask::Sync(vault.log_end()),
        }
    }

    /// Goes on behind a change that is stored and applied.
    fn stored<S: Source>(&mut self, vault: &Vault<S>) -> Ask<'_> {
        self.move_on(vault, vault.known_head());
        if vault.wants_compaction() {
            self.state = State::MayCompact;
            return Ask::MayCompact;
        }
        self.remembering(Aim::Write)
    }

    /// Decides by the chain whether a change is stored whose answer got lost.
    fn look<S: Source>(
        &mut self,
        vault: &mut Vault<S>,
        prepared: Prepared,
        answer: Answer<S>,
    ) -> Result<Ask<'_>> {
        let taken = match (answer, prepared.identity()) {
            (Answer::Replaced(file), Some(identity)) => self.take_renewed(vault, identity, file),
            (answer, _) => self.take(vault, answer),
        };
        if !taken.map_err(|error| unknown(Some(error)))? {
            return Err(unknown(None));
        }
        match prepared.is_in(vault) {
            Some(true) => Ok(self.stored(vault)),
            // The log no longer tells: never a conflict, which would make the change twice.
            None => Err(unknown(None)),
            Some(false) if !prepared.is_on(vault) => match self.again() {
                Some(most) => Ok(Ask::Wait(most)),
                None => {
                    let message = "other writers were faster each time";
                    Err(Error::new(Code::Conflict, message).with_hint("try again later"))
                }
            },
            // Nothing says that a request that is still under way will not arrive.
            Some(false) if self.lost > LOST_MAX => Err(unknown(None)),
            Some(false) => Ok(self.storing(vault, prepared)),
        }
    }

    /// Takes a file in which the own grant may have its new identity already.
    fn take_renewed<S: Source>(
        &mut self,
        vault: &mut Vault<S>,
        identity: &Identity,
        file: S,
    ) -> Result<bool> {
        vault.reopen_by(Some(identity), file, self.known.as_ref())?;
        self.brought = Brought::Anything;
        self.has_moved = true;
        Ok(true)
    }

    /// How long to wait before the next attempt; `None`: there were enough.
    fn again(&mut self) -> Option<u64> {
        if self.conflicts == CONFLICTS_MAX {
            return None;
        }
        let most = WAIT_MAX.min(1 << self.conflicts.min(32));
        self.conflicts += 1;
        self.state = State::Waiting;
        Some(most)
    }

    /// Takes a head that stays for the newest.
    fn move_on<S: Source>(&mut self, vault: &Vault<S>, found: KnownHead) {
        let known = self.known.replace(found);
        self.over |= known.is_some_and(|known| vault.adopts(&known.head));
    }

    fn remembering(&mut self, aim: Aim) -> Ask<'_> {
        match &self.known {
            Some(known) if self.remembered.as_ref() != Some(&known.head) => {
                self.state = State::Remembering(aim);
                Ask::Remember {
                    known: known.clone(),
                    over: self.over,
                }
            }
            _ => self.done(),
        }
    }

    fn done(&mut self) -> Ask<'_> {
        self.state = State::Idle;
        Ask::Done(std::mem::take(&mut self.outcomes))
    }
}

fn unknown(why: Option<Error>) -> Error {
    let why = why.map_or(String::new(), |why| format!(": {}", why.message()));
    Error::new(
        Code::OutcomeUnknown,
        format!("the change may have been stored or not{why}"),
    )
    .with_hint("open the vault again and see whether the change is there, before you repeat it")
}

fn out_of_turn() -> Error {
    Error::new(
        Code::Internal,
        "the driver of a vault has answered another question than was asked",
    )
}
