//! A vault and its file: refresh, re-plan and retry, so that several processes lose nothing.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connector_vault::{
    Action, ActionPlan, Asking, Code, Head, Host, KnownHead, MergeOptions, NewOwner, OpenOptions,
    Options, Outcome, Plan, Prepared, Ran, Retention, Timestamp, Tokens, Unlock, Vault, VaultId,
};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

use crate::compare::Compared;
use crate::error::{Error, Result};
use crate::file::FileStore;
use crate::heads::KnownHeads;
use crate::lock::DEFAULT_TIMEOUT;
use crate::locked::LockedFile;
use crate::warning::{OnWarning, Warning};

/// How a vault file is opened.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// What the vault is expected to be.
    pub open: OpenOptions,
    /// Where the newest heads seen are kept; without it, a rollback goes unnoticed.
    pub heads: Option<KnownHeads>,
    /// Takes the vault as it is, though it is older than what was seen of it, or another copy, and
    /// remembers it as the newest from now on.
    pub accept: bool,
    /// How long to wait for other processes.
    pub lock_timeout: Duration,
    /// Where warnings go.
    pub on_warning: OnWarning,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            open: OpenOptions::default(),
            heads: None,
            accept: false,
            lock_timeout: DEFAULT_TIMEOUT,
            on_warning: OnWarning::default(),
        }
    }
}

/// An open vault in a file. It may be changed by several processes at once: each change is planned
/// and committed under the file's lock, on what the others have written until then.
///
/// ```
/// use connector_vault::{Action, ConnectorId, Cost, NewOwner, Options, Passphrase, Properties};
/// use connector_vault_store::{FileOptions, FileVault};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("connectors.cvault");
/// let passphrase = Passphrase::new("correct horse battery staple")?;
/// # let cost = Cost::MIN;
/// # /*
/// let cost = Cost::default();
/// # */
/// let owner = NewOwner { label: "ops", identity: None, passphrase: Some((&passphrase, cost)) };
/// let mut vault = FileVault::create(&path, &owner, FileOptions::default())?;
///
/// let id = ConnectorId::new("twitterConnectorId")?;
/// vault.change(|vault, _| {
///     let properties = Properties::new();
///     Ok(vec![vault.plan_create(id.clone(), "Twitter API", "Twitter", &properties, &Options::default())?])
/// })?;
///
/// let action = Action::parse(r#"{
///     "ActionType": "Connectors.Update",
///     "Parameters": {
///         "EntryId": "twitterConnectorId",
///         "Properties": [{"PropertyName": "APIKey", "PropertyValue": "new_api_key_123"}]
///     }
/// }"#)?;
/// let mut tokens = std::collections::BTreeMap::new();
/// let ran = vault.run(&action, &mut tokens, &Options::default())?;
/// assert_eq!(ran.outcome().map(|outcome| outcome.version_after.get()), Some(2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FileVault {
    store: FileStore,
    vault: Vault,
    /// The newest head that stays: no writer can withdraw it any more, and no power failure.
    known: Option<KnownHead>,
    heads: Option<KnownHeads>,
    lock_timeout: Duration,
    on_warning: OnWarning,
}

impl FileVault {
    /// Creates a vault in a new file.
    ///
    /// Fails with `file_exists` if there is a file already.
    pub fn create(
        path: impl AsRef<Path>,
        owner: &NewOwner<'_>,
        options: FileOptions,
    ) -> Result<Self> {
        let store = FileStore::new(path)?;
        let mut rng = rng()?;
        let (vault, bytes) = Vault::create(&mut host(&mut rng)?, owner)?;
        store.create(&bytes)?;
        let vault = Self {
            store,
            known: Some(vault.known_head()),
            vault,
            heads: options.heads,
            lock_timeout: options.lock_timeout,
            on_warning: options.on_warning,
        };
        // The file is there: a witness that is missing is no failure of it.
        let _ = vault.remember();
        Ok(vault)
    }

    /// Opens the vault in a file. Takes no lock.
    ///
    /// Fails with the core's codes, and with `file_not_found`, `io` or `state_unreadable`.
    pub fn open(path: impl AsRef<Path>, unlock: Unlock<'_>, options: FileOptions) -> Result<Self> {
        let store = FileStore::new(path)?;
        let bytes = store.read()?;
        let mut open = options.open;
        let vault_id = Vault::identify(&bytes)?;
        expect_known(
            &mut open,
            vault_id,
            &store,
            options.heads.as_ref(),
            options.accept,
        )?;
        let vault = match Vault::open(bytes, unlock, &open) {
            // The head may have been remembered after the file was read, by a process that wrote in
            // between. Read again, the file has reached that head, or was truly rolled back.
            Err(error) if error.code() == Code::RolledBack => {
                Vault::open(store.read()?, unlock, &open)?
            }
            opened => opened?,
        };
        if let (Some(heads), true) = (&options.heads, options.accept) {
            forget(vault.head().vault_id, &store, heads)?;
        }
        let mut vault = Self {
            store,
            vault,
            known: open.known,
            heads: options.heads,
            lock_timeout: options.lock_timeout,
            on_warning: options.on_warning,
        };
        vault.settle();
        vault.remember()?;
        Ok(vault)
    }

    /// The vault as it was when it was last opened, refreshed or changed.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// What to keep of this vault, to notice a rollback the next time: the newest head that stays. A
    /// commit that was seen while its writer still held the lock may be withdrawn. `None` if that is
    /// all that was seen.
    #[must_use]
    pub fn known_head(&self) -> Option<&KnownHead> {
        self.known.as_ref()
    }

    /// The file.
    #[must_use]
    pub fn store(&self) -> &FileStore {
        &self.store
    }

    /// Takes what other processes have written since. Takes no lock.
    pub fn refresh(&mut self) -> Result<()> {
        match self.store.compare(&self.vault.log_end())? {
            Compared::Same if self.is_settled() => return Ok(()),
            Compared::Same => {}
            Compared::Grown { tail } => drop(self.vault.refresh(tail)?),
            Compared::Replaced => {
                let known = self.known.as_ref();
                self.vault.reopen_from(self.store.read()?, known)?;
            }
        }
        self.settle();
        self.remember()
    }

    /// What an action would change, on what other processes have written until now. Nothing is
    /// written.
    pub fn plan(
        &mut self,
        action: &Action,
        tokens: &mut dyn Tokens,
        options: &Options,
    ) -> Result<ActionPlan> {
        self.plan_asking(action, &mut Asking::new(tokens), options)
    }

    /// The same, for an action that may test connectors.
    pub fn plan_asking(
        &mut self,
        action: &Action,
        asking: &mut Asking<'_>,
        options: &Options,
    ) -> Result<ActionPlan> {
        self.refresh()?;
        let mut rng = rng()?;
        let mut host = host(&mut rng)?;
        Ok(self.vault.plan_asking(action, asking, options, &mut host)?)
    }

    /// Carries out an action: plans it on what other processes have written until now, and commits
    /// it before any other can.
    pub fn run(
        &mut self,
        action: &Action,
        tokens: &mut dyn Tokens,
        options: &Options,
    ) -> Result<Ran> {
        self.run_asking(action, &mut Asking::new(tokens), options)
    }

    /// The same, for an action that may test connectors.
    pub fn run_asking(
        &mut self,
        action: &Action,
        asking: &mut Asking<'_>,
        options: &Options,
    ) -> Result<Ran> {
        loop {
            // Without the lock, which others wait for: a token or a test may take its time.
            let plan = self.plan_asking(action, asking, options)?;
            // Tests alone: there is nothing to store.
            if plan.plans().is_empty() {
                return Ok(plan.ran());
            }
            let head = self.vault.head();
            let mut is_unanswered = false;
            let ran = self.commit_with(|vault, host| {
                if vault.head() == head {
                    return Ok(plan);
                }
                // Others were faster. What was answered is not asked again, and here nobody is asked.
                let planned =
                    asking.known_only(|asking| vault.plan_asking(action, asking, options, host))?;
                is_unanswered = planned.is_none();
                planned.ok_or_else(|| {
                    connector_vault::Error::new(Code::Conflict, "the action asks for more")
                })
            });
            if !is_unanswered {
                return ran;
            }
        }
    }

    /// Commits exactly this plan. Fails with `conflict` if one of its connectors has moved on.
    pub fn commit(&mut self, plan: impl Into<ActionPlan>) -> Result<Ran> {
        let plan = plan.into();
        self.commit_with(|_, _| Ok(plan))
    }

    fn commit_with(
        &mut self,
        plan: impl FnOnce(&Vault, &mut Host<'_>) -> connector_vault::Result<ActionPlan>,
    ) -> Result<Ran> {
        let mut frame = None;
        let outcomes = self.write(|vault, host| {
            let (plans, of_plan) = plan(vault, host)?.into_parts();
            frame = Some(of_plan);
            vault.prepare_all(plans, host)
        })?;
        let frame = frame.expect("what was written was planned");
        Ok(frame.ran(outcomes))
    }

    /// Plans and commits under the file's lock, so that nothing comes between. All plans happen or
    /// none.
    pub fn change(
        &mut self,
        plan: impl FnOnce(&Vault, &mut Host<'_>) -> connector_vault::Result<Vec<Plan>>,
    ) -> Result<Vec<Outcome>> {
        self.write(|vault, host| {
            let plans = plan(vault, host)?;
            vault.prepare_all(plans, host)
        })
    }

    /// Prepares and stores a change under the file's lock: what [`change`](Self::change) does, for
    /// snapshots and locks too.
    pub fn write(
        &mut self,
        prepare: impl FnOnce(&Vault, &mut Host<'_>) -> connector_vault::Result<Prepared>,
    ) -> Result<Vec<Outcome>> {
        // Before anybody waits for the lock.
        timestamp(SystemTime::now())?;
        let mut locked = self.store.lock(self.lock_timeout)?;
        self.write_locked(&mut locked, prepare)
    }

    /// Takes over what another copy of this vault changed: `theirs`, as
    /// [`Vault::open_copy`] opens it.
    ///
    /// Fails with `merge_conflict` or `merge_stranger` for what `options` leave open.
    pub fn merge(&mut self, theirs: &Vault, options: MergeOptions) -> Result<Vec<Outcome>> {
        self.change(|vault, _| vault.plan_merge(theirs, options)?.into_plans())
    }

    /// Drops the former versions of these connectors, or of all, and the bytes of torn tails that
    /// were kept beside the file. Returns how many of those there were.
    pub fn purge(&mut self, ids: Option<&[&str]>) -> Result<usize> {
        let mut locked = self.store.lock(self.lock_timeout)?;
        self.write_locked(&mut locked, |vault, _| vault.prepare_purge(ids))?;
        locked.remove_torn_tails()
    }

    fn write_locked(
        &mut self,
        locked: &mut LockedFile,
        prepare: impl FnOnce(&Vault, &mut Host<'_>) -> connector_vault::Result<Prepared>,
    ) -> Result<Vec<Outcome>> {
        if let Some(warning) = locked.hazard() {
            self.on_warning.tell(&warning);
        }
        let torn = self.catch_up(locked)?;
        let mut rng = rng()?;
        let prepared = prepare(&self.vault, &mut host(&mut rng)?)?;
        self.keep(locked, &prepared, torn)?;
        let outcomes = self.vault.apply(prepared)?;
        self.known = Some(self.vault.known_head());
        self.compact(locked);
        // What is stored is stored: a witness that stays behind is no failure of it, and the next
        // opening moves it on.
        let _ = self.remember();
        Ok(outcomes)
    }

    /// Takes what is in the file by now; whether a torn tail stands behind it.
    fn catch_up(&mut self, locked: &mut LockedFile) -> Result<bool> {
        let torn = match locked.compare(&self.vault.log_end())? {
            Compared::Same => false,
            Compared::Grown { tail } => self.vault.refresh(tail)?.torn.is_some(),
            Compared::Replaced => {
                self.vault
                    .reopen_from(locked.read()?, self.known.as_ref())?;
                self.vault.report().torn.is_some()
            }
        };
        // Under the lock nobody withdraws it any more.
        self.known = Some(self.vault.known_head());
        Ok(torn)
    }

    /// Stores what was prepared. A torn tail never was acknowledged: it makes room, but its bytes
    /// are kept beside the file.
    fn keep(&self, locked: &mut LockedFile, prepared: &Prepared, torn: bool) -> Result<()> {
        let (append, replace) = (prepared.to_append(), prepared.to_replace());
        if append.is_none() && replace.is_none() {
            // The answer may rely on a commit that a dead process has written and not synced.
            return locked.sync();
        }
        if torn {
            locked.save_torn_tail(self.vault.log_end().end)?;
        }
        if let Some(commit) = append {
            locked.append(commit)?;
        }
        if let Some(file) = replace {
            locked.replace(file)?;
        }
        Ok(())
    }

    /// Compacts the vault if that pays. The change before it is stored, and so a failure here is
    /// none of its: the next change tries again.
    fn compact(&mut self, locked: &mut LockedFile) {
        if !self.vault.wants_compaction() {
            return;
        }
        if let Ok(Some(names)) = locked.other_names() {
            let path = self.store.path().display();
            self.on_warning.tell(&Warning::new(
                "other_names",
                format!(
                    "{path} {names}, so it was not compacted, which would leave them behind; use one \
                     name, and mount folders instead of files"
                ),
            ));
            return;
        }
        let Ok(prepared) = self.vault.prepare_compaction(Retention::Automatic) else {
            return;
        };
        match self.keep(locked, &prepared, false) {
            Ok(()) => {
                if self.vault.apply(prepared).is_ok() {
                    self.known = Some(self.vault.known_head());
                }
            }
            // The compacted file stands there, and what it holds was acknowledged before. But until
            // its name is durable, a power failure may bring back the former file, without what is
            // added from now on.
            Err(Error::NotDurable { source, .. }) => {
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
            Err(_) => {}
        }
    }

    /// Moves on what is known to stay (docs/format.md section 9).
    fn settle(&mut self) {
        let stays = match self.store.stays(&self.vault.log_end()) {
            true => Some(self.vault.known_head()),
            // A writer stands on what was stored before it: at most the newest commit is its own.
            false => self.vault.known_head_before(),
        };
        let seq = |known: &Option<KnownHead>| known.as_ref().map(|known| known.head.seq);
        if seq(&stays) > seq(&self.known) {
            self.known = stays;
        }
    }

    fn is_settled(&self) -> bool {
        let known = self.known.as_ref();
        known.is_some_and(|known| known.head == self.vault.head())
    }

    fn remember(&self) -> Result<()> {
        let (Some(heads), Some(known)) = (&self.heads, &self.known) else {
            return Ok(());
        };
        remember(known, &self.store, heads)
    }
}

/// Expects the vault to be the one whose head was seen at this place, or to have grown from it.
pub(crate) fn expect_known(
    open: &mut OpenOptions,
    vault_id: VaultId,
    store: &FileStore,
    heads: Option<&KnownHeads>,
    accept: bool,
) -> Result<()> {
    let (Some(heads), None) = (heads, &open.known) else {
        return Ok(());
    };
    let places = store.places();
    let seen = places
        .iter()
        .map(|place| match heads.get(vault_id.as_bytes(), place) {
            // What it held no longer counts.
            Err(Error::StateUnreadable { .. }) if accept => Ok(None),
            seen => seen,
        });
    let seen: Vec<Option<KnownHead>> = seen.collect::<Result<_>>()?;
    open.expect(seen.into_iter().flatten(), accept);
    Ok(())
}

pub(crate) fn remember(known: &KnownHead, store: &FileStore, heads: &KnownHeads) -> Result<()> {
    let Head { vault_id, seq, .. } = known.head;
    for place in store.places() {
        heads.remember(vault_id.as_bytes(), &place, seq, known)?;
    }
    Ok(())
}

pub(crate) fn forget(vault_id: VaultId, store: &FileStore, heads: &KnownHeads) -> Result<()> {
    for place in store.places() {
        heads.forget(vault_id.as_bytes(), &place)?;
    }
    Ok(())
}

/// A generator seeded by the system. Seeding may fail; what it then gives does not.
fn rng() -> Result<StdRng> {
    StdRng::try_from_rng(&mut SysRng).map_err(Error::random)
}

fn host(rng: &mut StdRng) -> Result<Host<'_>> {
    let now = timestamp(SystemTime::now())?;
    Ok(Host { now, rng })
}

/// Fails with `clock`.
fn timestamp(now: SystemTime) -> Result<Timestamp> {
    /// 10000-01-01T00:00:00Z.
    const SECONDS_END: u64 = 253_402_300_800;

    // Outside of this, humantime panics.
    let in_range = now
        .duration_since(UNIX_EPOCH)
        .is_ok_and(|since| since.as_secs() < SECONDS_END);
    let text = match in_range {
        true => humantime::format_rfc3339_millis(now).to_string(),
        false => String::new(),
    };
    Ok(Timestamp::from_clock(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks() {
        let at = |seconds: i64| {
            let distance = Duration::from_secs(seconds.unsigned_abs());
            let time = match seconds < 0 {
                true => UNIX_EPOCH - distance,
                false => UNIX_EPOCH + distance,
            };
            timestamp(time).map(|time| time.to_string())
        };
        for (seconds, expected) in [
            (0, Some("1970-01-01T00:00:00.000Z")),
            (1_795_464_900, Some("2026-11-23T20:15:00.000Z")),
            (253_402_300_799, Some("9999-12-31T23:59:59.000Z")),
            (-1, None),
            (-104_126_121, None),
            (253_402_300_800, None),
            (300_000_000_000, None),
        ] {
            let found = at(seconds).map_err(|error| error.code());
            assert_eq!(found.as_deref(), expected.ok_or(&"clock"), "{seconds}");
        }
    }
}
