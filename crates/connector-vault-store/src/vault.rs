//! A vault and its file: refresh, re-plan and retry, so that several processes lose nothing.

use std::path::Path;

use connector_vault::{
    Action, ActionPlan, Asking, Code, Host, KnownHead, MergeOptions, NewOwner, Options, Outcome,
    Plan, Prepared, Ran, Session, Tokens, Unlock, Vault,
};

use crate::clock::{host, rng};
use crate::driver::Driver;
use crate::error::Result;
use crate::file::FileStore;
use crate::heads;
use crate::options::FileOptions;

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
    driver: Driver,
    session: Session,
    vault: Vault,
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
        let driver = Driver::new(FileStore::new(path)?, &options);
        let mut rng = rng()?;
        let (vault, bytes) = Vault::create(&mut host(&mut rng)?, owner)?;
        driver.store.create(&bytes)?;
        let mut created = Self {
            driver,
            session: Session::new(None),
            vault,
        };
        // The vault is stored. Failing to record its head is not an error.
        let _ = created.follow(Session::settle);
        Ok(created)
    }

    /// Opens the vault in a file. Takes no lock.
    ///
    /// Fails with the core's codes, and with `file_not_found`, `io` or `state_unreadable`.
    pub fn open(path: impl AsRef<Path>, unlock: Unlock<'_>, options: FileOptions) -> Result<Self> {
        let driver = Driver::new(FileStore::new(path)?, &options);
        let bytes = driver.store.read()?;
        let mut open = options.open;
        let vault_id = Vault::identify(&bytes)?;
        if let Some(heads) = &driver.heads {
            heads::expect(heads, &mut open, vault_id, &driver.store, options.accept)?;
        }
        let vault = match Vault::open(bytes, unlock, &open) {
            // The head may have been remembered after the file was read, by a process that wrote in
            // between. Read again, the file has reached that head, or was truly rolled back.
            Err(error) if error.code() == Code::RolledBack => {
                Vault::open(driver.store.read()?, unlock, &open)?
            }
            opened => opened?,
        };
        if let (Some(heads), true) = (&driver.heads, options.accept) {
            heads::forget(heads, &driver.store, vault.head().vault_id)?;
        }
        let mut opened = Self {
            driver,
            session: Session::new(open.known),
            vault,
        };
        opened.follow(Session::settle)?;
        Ok(opened)
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
        self.session.known()
    }

    /// The file.
    #[must_use]
    pub fn store(&self) -> &FileStore {
        &self.driver.store
    }

    /// Takes what other processes have written since. Takes no lock.
    pub fn refresh(&mut self) -> Result<()> {
        self.follow(Session::refresh)
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
            let mut first = Some(plan);
            let ran = self.commit_with(|vault, host| {
                if let Some(plan) = first.take().filter(|_| vault.head() == head) {
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
        self.commit_with(|_, _| Ok(plan.clone()))
    }

    fn commit_with(
        &mut self,
        mut plan: impl FnMut(&Vault, &mut Host<'_>) -> connector_vault::Result<ActionPlan>,
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
    /// none. `plan` is called again if somebody has changed the file without the lock.
    pub fn change(
        &mut self,
        mut plan: impl FnMut(&Vault, &mut Host<'_>) -> connector_vault::Result<Vec<Plan>>,
    ) -> Result<Vec<Outcome>> {
        self.write(|vault, host| {
            let plans = plan(vault, host)?;
            vault.prepare_all(plans, host)
        })
    }

    /// Prepares and stores a change under the file's lock: what [`change`](Self::change) does, for
    /// snapshots and key slots too.
    pub fn write(
        &mut self,
        mut prepare: impl FnMut(&Vault, &mut Host<'_>) -> connector_vault::Result<Prepared>,
    ) -> Result<Vec<Outcome>> {
        let Self {
            driver,
            session,
            vault,
        } = self;
        let (outcomes, _) =
            driver.write(session, vault, |vault, host| Ok(prepare(vault, host)?))?;
        Ok(outcomes)
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
        let Self {
            driver,
            session,
            vault,
        } = self;
        let (_, mut locked) =
            driver.write(session, vault, |vault, _| Ok(vault.prepare_purge(ids)?))?;
        locked.remove_torn_tails()
    }

    fn follow(
        &mut self,
        begin: for<'s> fn(&'s mut Session, &Vault) -> connector_vault::Ask<'s>,
    ) -> Result<()> {
        self.driver
            .follow(&mut self.session, &mut self.vault, begin)
    }
}
