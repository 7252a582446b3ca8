//! A vault and its file: refresh, re-plan and retry, so that several processes lose nothing.

use std::ops::Deref;
use std::path::Path;

use connector_vault::{
    Action, ActionPlan, Ask, Asking, Changing, Code, ConnectorId, Cost, Description, ExternalKey,
    FalseVersion, Grantee, Host, KeySlotInfo, KeySlotRef, KnownHead, Merge, MergeOptions,
    NewConnector, NewOwner, NewPasskey, Opening, Options, Outcome, Passphrase, Plan, Prepared,
    PropertyChanges, Ran, Retention, Revocation, Session, Terms, Tokens, Trust, Unlock, Vault,
    Version,
};

use crate::clock::{host, rng};
use crate::driver::Driver;
use crate::error::{Error, Result};
use crate::file::FileStore;
use crate::heads;
use crate::options::Builder;
use crate::source::FileSource;

/// An open vault in a file. Several processes may change it at once: each change is planned and
/// committed under the file lock, on what the others have written until then.
///
/// The methods that read are those of [`Vault`]. They show the vault as it was when it was last
/// opened, refreshed or changed.
///
/// ```no_run
/// use connector_vault::{Action, NewConnector, NewOwner, Passphrase, Secret};
/// use connector_vault_store::FileVault;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let passphrase = Passphrase::new("correct horse battery staple")?;
/// let mut vault = FileVault::create("team.cvault", NewOwner::passphrase("ops", &passphrase))?;
/// let twitter = NewConnector::new("twitterConnectorId", "Twitter API", "Twitter");
/// vault.create_connector(twitter.property("APIKey", "old_key"))?;
///
/// let action = Action::parse(&std::fs::read_to_string("rotate.json")?)?;
/// let ran = vault.run(&action, [("Secrets:TwitterKey", Secret::new("new_key")?)])?;
/// assert_eq!(ran.outcome().map(|outcome| outcome.version_after.get()), Some(2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FileVault {
    driver: Driver,
    session: Session,
    vault: Vault<FileSource>,
}

impl Deref for FileVault {
    type Target = Vault<FileSource>;

    fn deref(&self) -> &Vault<FileSource> {
        &self.vault
    }
}

impl Builder {
    /// As [`FileVault::create`].
    pub fn create(self, path: impl AsRef<Path>, owner: NewOwner<'_>) -> Result<FileVault> {
        FileVault::create_with(path.as_ref(), &owner, self)
    }

    /// As [`FileVault::open`].
    pub fn open(self, path: impl AsRef<Path>, unlock: Unlock<'_>) -> Result<FileVault> {
        FileVault::open_with(path.as_ref(), unlock, self)
    }

    /// As [`FileVault::key_slots`]. The vault id that is expected and the memory for Argon2id count.
    pub fn key_slots(self, path: impl AsRef<Path>) -> Result<Vec<KeySlotInfo>> {
        let file = FileStore::new(path.as_ref())?.source()?;
        Ok(Vault::key_slots_in(&file, &self.open)?)
    }

    /// As [`FileVault::open_or_create`].
    pub fn open_or_create(self, path: impl AsRef<Path>, owner: NewOwner<'_>) -> Result<FileVault> {
        FileVault::open_or_create_with(path.as_ref(), &owner, self)
    }
}

/// What a revocation leaves to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoked {
    /// The connectors that the former holder could read: rotate them.
    pub exposed: Vec<ConnectorId>,
    /// Versions that were left out, since they are false.
    pub false_versions: Vec<FalseVersion>,
    /// Why other versions were left out: they are damaged.
    pub damaged: Vec<connector_vault::Error>,
    /// Labels of former grants whose versions the owner has replaced, with the same values: a vault names at most
    /// 512 former grants.
    pub forgotten: Vec<String>,
}

/// What went with a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemovedGroup {
    /// The connectors that had versions in the group: these versions went.
    pub connectors: Vec<ConnectorId>,
    /// Labels of the grants that had no right elsewhere: they are revoked.
    pub revoked: Vec<String>,
    /// Versions that were left out, since they are false.
    pub false_versions: Vec<FalseVersion>,
    /// Why other versions were left out: they are damaged.
    pub damaged: Vec<connector_vault::Error>,
    /// As in [`Revoked::forgotten`].
    pub forgotten: Vec<String>,
}

/// What a purge dropped beside former versions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purged {
    /// How many torn tails were kept beside the file.
    pub torn_tails: usize,
    /// Versions that were left out, since they are false.
    pub false_versions: Vec<FalseVersion>,
}

impl FileVault {
    /// Creates a vault in a new file.
    ///
    /// Fails with `file_exists` if there is a file already.
    pub fn create(path: impl AsRef<Path>, owner: NewOwner<'_>) -> Result<Self> {
        Self::builder().create(path, owner)
    }

    /// Opens the vault in a file. Takes no file lock.
    ///
    /// Fails with the core's codes, and with `file_not_found`, `io` or `state_unreadable`.
    pub fn open(path: impl AsRef<Path>, unlock: Unlock<'_>) -> Result<Self> {
        Self::builder().open(path, unlock)
    }

    /// The key slots of the vault in a file, before anything is derived: who asks for a passphrase or an external key
    /// learns here which one. Whoever can write to the file can have changed them ([`Vault::key_slots`]).
    pub fn key_slots(path: impl AsRef<Path>) -> Result<Vec<KeySlotInfo>> {
        Self::builder().key_slots(path)
    }

    /// Opens the vault in a file, or creates it where there is no file. The owner's passphrase opens
    /// it, else its external key, else its identity.
    pub fn open_or_create(path: impl AsRef<Path>, owner: NewOwner<'_>) -> Result<Self> {
        Self::builder().open_or_create(path, owner)
    }

    /// Options for opening or creating a vault: other known heads, an expected vault id.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn create_with(path: &Path, owner: &NewOwner<'_>, options: Builder) -> Result<Self> {
        let driver = Driver::new(FileStore::new(path)?, &options)?;
        let mut rng = rng()?;
        let (vault, bytes) = Vault::create(&mut host(&mut rng)?, owner)?;
        driver.store.create(&bytes)?;
        let vault = vault.over(driver.store.source()?);
        let mut created = Self {
            driver,
            // Written and durable: nobody withdraws it.
            session: Session::new(Some(vault.known_head())),
            vault,
        };
        // The vault is stored: failing to record its head is not an error.
        let _ = heads::forget_others(
            &created.driver.heads,
            &created.driver.store,
            created.vault.id(),
        );
        let _ = created.follow(Session::settle);
        Ok(created)
    }

    pub(crate) fn open_with(path: &Path, unlock: Unlock<'_>, options: Builder) -> Result<Self> {
        let driver = Driver::new(FileStore::new(path)?, &options)?;
        let mut opening = Opening::new(driver.store.source()?, unlock, options.open);
        let vault_id = opening.identify()?;
        let open = opening.options();
        heads::expect(&driver.heads, open, vault_id, &driver.store, options.trust)?;
        let open = open.clone();
        let known = open.known.clone();
        let vault = match opening.run() {
            // The head may have been remembered after the file was read, by a process that wrote in
            // between. Read again, the file has reached that head, or was truly rolled back.
            Err(error) if error.code() == Code::RolledBack => {
                Opening::new(driver.store.source()?, unlock, open).run()?
            }
            opened => opened?,
        };
        if options.trust == Trust::AsFound {
            heads::forget(&driver.heads, &driver.store, vault.id())?;
        }
        heads::forget_others(&driver.heads, &driver.store, vault.id())?;
        if let Some(warning) = heads::seen_newer(&driver.heads, &driver.store, &vault) {
            driver.on_warning.tell(&warning);
        }
        let mut opened = Self {
            driver,
            session: Session::new(known),
            vault,
        };
        opened.follow(Session::settle)?;
        Ok(opened)
    }

    pub(crate) fn open_or_create_with(
        path: &Path,
        owner: &NewOwner<'_>,
        options: Builder,
    ) -> Result<Self> {
        let heads = options.known_heads()?;
        let options = options.heads(heads);
        match Self::open_with(path, owner.unlock(), options.clone()) {
            // A vault that is expected is not replaced by another.
            Err(Error::FileNotFound { .. }) if options.open.vault_id.is_none() => {}
            opened => return opened,
        }
        match Self::create_with(path, owner, options.clone()) {
            // Another process was faster.
            Err(Error::FileExists { .. }) => Self::open_with(path, owner.unlock(), options),
            created => created,
        }
    }

    /// The vault as it was when it was last opened, refreshed or changed.
    #[must_use]
    pub fn vault(&self) -> &Vault<FileSource> {
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

    // Changes of connectors

    /// Creates a connector. Fails with `connector_exists`.
    pub fn create_connector(&mut self, connector: NewConnector) -> Result<Outcome> {
        self.one(|vault| vault.plan_create(&connector, &Options::default()))
    }

    /// Sets and removes properties of a connector, their values taken literally. Properties that it
    /// does not name keep their values. Fails with `connector_not_found`.
    ///
    /// ```no_run
    /// # fn rotate(vault: &mut connector_vault_store::FileVault, key: &str) -> connector_vault_store::Result<()> {
    /// vault.update("twitterConnectorId", [("APIKey", key)])?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&mut self, id: &str, changes: impl Into<PropertyChanges>) -> Result<Outcome> {
        let changes = changes.into();
        self.one(|vault| vault.plan_update(id, changes.clone(), &Options::default()))
    }

    /// Makes the properties of a kept version the present ones.
    /// Fails with `connector_not_found` or `version_not_found`.
    pub fn restore(&mut self, id: &str, version: Version) -> Result<Outcome> {
        self.one(|vault| vault.plan_restore(id, version, &Options::default()))
    }

    /// Deletes a connector. Its kept versions stay in the history. Fails with `connector_not_found`.
    pub fn delete(&mut self, id: &str) -> Result<Outcome> {
        self.one(|vault| vault.plan_delete(id, &Options::default()))
    }

    /// Gives a connector another name, type or meta. Its values stay. Fails with `connector_not_found`.
    ///
    /// ```no_run
    /// # use connector_vault::Description;
    /// # fn describe(vault: &mut connector_vault_store::FileVault) -> connector_vault_store::Result<()> {
    /// let description = Description::new().meta("expires", "2027-01-31T00:00:00.000Z");
    /// vault.describe("twitterConnectorId", &description)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe(&mut self, id: &str, description: &Description) -> Result<Outcome> {
        self.one(|vault| vault.plan_describe(id, description, &Options::default()))
    }

    /// Moves a connector to the group of this name. Whoever could read it in its former group may still know its
    /// values: update them. Fails with `connector_not_found` or `group_not_found`.
    pub fn move_connector(&mut self, id: &str, group: &str) -> Result<Outcome> {
        self.one(|vault| vault.plan_move(id, group, &Options::default()))
    }

    /// Brings a deleted connector back, as it was in the version `source`, or in the newest one before it was deleted.
    ///
    /// Fails with `connector_not_found`, with `connector_exists` if it is not deleted, and with `version_not_found`.
    pub fn undelete(&mut self, id: &str, source: Option<Version>) -> Result<Outcome> {
        self.one(|vault| vault.plan_undelete(id, source, &Options::default()))
    }

    /// Makes several changes in one commit: all of them happen or none, and each sees what the ones
    /// before it do. `change` is called again if somebody has changed the file without the lock.
    ///
    /// ```no_run
    /// # use connector_vault::{NewConnector, Version};
    /// # fn move_on(vault: &mut connector_vault_store::FileVault) -> connector_vault_store::Result<()> {
    /// vault.change(|change| {
    ///     change.create(NewConnector::new("slack", "Slack", "Slack").property("Token", "a"))?;
    ///     change.restore("twitterConnectorId", Version::FIRST)
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn change(
        &mut self,
        mut change: impl FnMut(&mut Changing<'_, FileSource>) -> connector_vault::Result<()>,
    ) -> Result<Vec<Outcome>> {
        self.drive(|vault, host| {
            let plans = vault.plan_changes(&mut change)?;
            Ok(vault.prepare_all(plans, host)?)
        })
    }

    /// As [`change`](Self::change), for a closure that fails with an error of the caller's own.
    pub fn try_change<E: From<Error> + From<connector_vault::Error>>(
        &mut self,
        mut change: impl FnMut(&mut Changing<'_, FileSource>) -> Result<(), E>,
    ) -> Result<Vec<Outcome>, E> {
        self.drive(|vault, host| {
            let plans = vault.plan_changes(&mut change)?;
            let prepared = vault.prepare_all(plans, host).map_err(Error::from)?;
            Ok(prepared)
        })
    }

    /// Commits the plans that `plan` makes, all of them or none. It is called again if somebody has
    /// changed the file without the lock.
    pub fn change_planned(
        &mut self,
        mut plan: impl FnMut(&Vault<FileSource>, &mut Host<'_>) -> connector_vault::Result<Vec<Plan>>,
    ) -> Result<Vec<Outcome>> {
        self.write(|vault, host| {
            let plans = plan(vault, host)?;
            vault.prepare_all(plans, host)
        })
    }

    // Actions

    /// Carries out an action: plans it on what other processes have written until now, and commits
    /// it before any other can.
    pub fn run(&mut self, action: &Action, tokens: impl Tokens) -> Result<Ran> {
        self.run_with(action, tokens, &Options::default())
    }

    /// The same, with options: a request id, a condition.
    pub fn run_with(
        &mut self,
        action: &Action,
        mut tokens: impl Tokens,
        options: &Options,
    ) -> Result<Ran> {
        self.run_asking(action, &mut Asking::new(&mut tokens), options)
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

    /// What an action would change, on what other processes have written until now. Nothing is
    /// written.
    pub fn plan(
        &mut self,
        action: &Action,
        mut tokens: impl Tokens,
        options: &Options,
    ) -> Result<ActionPlan> {
        self.plan_asking(action, &mut Asking::new(&mut tokens), options)
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

    /// Commits exactly this plan. Fails with `conflict` if one of its connectors has moved on.
    pub fn commit(&mut self, plan: impl Into<ActionPlan>) -> Result<Ran> {
        let plan = plan.into();
        self.commit_with(|_, _| Ok(plan.clone()))
    }

    fn commit_with(
        &mut self,
        mut plan: impl FnMut(&Vault<FileSource>, &mut Host<'_>) -> connector_vault::Result<ActionPlan>,
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

    // Grants and copies

    /// Grants something. Needs an owner. Returns the versions that the new snapshot left out, since they are false.
    ///
    /// Fails with `grant_exists` if the label or the key has a grant already, and with `group_not_found`.
    ///
    /// ```no_run
    /// # use connector_vault::{Grantee, GrantKey, Right, Role};
    /// # fn add(vault: &mut connector_vault_store::FileVault, key: &GrantKey) -> connector_vault_store::Result<()> {
    /// vault.grant("auditor", Role::Viewer, Grantee::Key(key))?;
    /// let rights = [Role::Viewer.into(), Right::in_group(Role::Updater, "payments")];
    /// vault.grant("rotation", rights, Grantee::Key(key))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn grant(
        &mut self,
        label: &str,
        terms: impl Into<Terms>,
        to: Grantee<'_>,
    ) -> Result<Vec<FalseVersion>> {
        let terms = terms.into();
        self.snapshot(|vault, host| vault.prepare_grant(label, terms.clone(), to, host))
    }

    /// Takes a grant away. Needs an owner. Every key is replaced, and everything is sealed again.
    ///
    /// Fails with `grant_not_found`.
    pub fn revoke(&mut self, label: &str) -> Result<Revoked> {
        self.revoke_with(label, |_, _| ())
    }

    /// The same. `progress` hears how many of all versions are sealed.
    pub fn revoke_with(
        &mut self,
        label: &str,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Revoked> {
        self.reduce(|vault, host| vault.prepare_revoke(label, host, &mut progress))
    }

    /// Gives a grant other rights in place of those that it has, or another date to be reminded of. Needs an owner.
    /// If that takes a capability away, the keys change as by a revocation.
    ///
    /// Fails with `grant_not_found` or `group_not_found`.
    pub fn set_rights(&mut self, label: &str, terms: impl Into<Terms>) -> Result<Revoked> {
        self.set_rights_with(label, terms, |_, _| ())
    }

    /// The same. `progress` hears how many of all versions are sealed.
    pub fn set_rights_with(
        &mut self,
        label: &str,
        terms: impl Into<Terms>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Revoked> {
        let terms = terms.into();
        self.reduce(|vault, host| vault.prepare_rights(label, terms.clone(), host, &mut progress))
    }

    /// Gives a grant a new identity, and revokes the one that it had, as [`Vault::prepare_renew`] does. Needs an owner.
    ///
    /// Fails with `grant_not_found`.
    pub fn renew(&mut self, label: &str, to: Grantee<'_>) -> Result<Revoked> {
        self.renew_with(label, to, |_, _| ())
    }

    /// The same. `progress` hears how many of all versions are sealed.
    pub fn renew_with(
        &mut self,
        label: &str,
        to: Grantee<'_>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Revoked> {
        self.reduce(|vault, host| vault.prepare_renew(label, to, host, &mut progress))
    }

    // Groups

    /// Adds a group. Needs an owner. Returns the versions that the new snapshot left out, since they are false.
    ///
    /// Fails with `group_exists`.
    pub fn add_group(&mut self, name: &str) -> Result<Vec<FalseVersion>> {
        self.snapshot(|vault, host| vault.prepare_add_group(name, host))
    }

    /// Gives a group another name. Needs an owner. Returns the versions that the new snapshot left out, since they
    /// are false.
    ///
    /// Fails with `group_not_found` or `group_exists`.
    pub fn rename_group(&mut self, name: &str, new: &str) -> Result<Vec<FalseVersion>> {
        self.snapshot(|vault, host| vault.prepare_rename_group(name, new, host))
    }

    /// Removes a group in which there is no connector, as [`Vault::prepare_remove_group`] does. Needs an owner.
    ///
    /// Fails with `group_not_found` or `group_not_empty`.
    pub fn remove_group(&mut self, name: &str, deletes_to: Option<&str>) -> Result<RemovedGroup> {
        self.remove_group_with(name, deletes_to, |_, _| ())
    }

    /// The same. `progress` hears how many of all versions are sealed.
    pub fn remove_group_with(
        &mut self,
        name: &str,
        deletes_to: Option<&str>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<RemovedGroup> {
        let mut removed = RemovedGroup::default();
        self.write(|vault, host| {
            let removal = vault.prepare_remove_group(name, deletes_to, host, &mut progress)?;
            removed = RemovedGroup {
                connectors: removal.connectors,
                revoked: removal.revoked,
                false_versions: removal.prepared.false_versions().to_vec(),
                damaged: removal.damaged,
                forgotten: removal.forgotten,
            };
            Ok(removal.prepared)
        })?;
        Ok(removed)
    }

    /// Replaces the passphrase of the grant that opened the vault.
    pub fn set_passphrase(&mut self, passphrase: &Passphrase, cost: Cost) -> Result<()> {
        self.write(|vault, host| vault.prepare_passphrase(passphrase, cost, host))?;
        Ok(())
    }

    /// Adds a key slot, by which an external key opens the grant that opened the vault. The hint tells the host which
    /// key is meant, and stands in the file in clear.
    ///
    /// ```no_run
    /// # use connector_vault::{ExternalKey, KeySlotMatch, Unlock};
    /// # use connector_vault_store::FileVault;
    /// # fn unwrap(wrapped: &[u8]) -> connector_vault::Result<ExternalKey> { ExternalKey::from_bytes(wrapped) }
    /// # fn add(vault: &mut FileVault, wrapped: &[u8]) -> connector_vault_store::Result<()> {
    /// // `wrapped` is a key that a key management service has wrapped, and can unwrap.
    /// vault.add_key(&unwrap(wrapped)?, wrapped)?;
    ///
    /// let slots = FileVault::key_slots("team.cvault")?;
    /// let hint = slots.iter().find_map(|slot| slot.hint.as_deref()).unwrap_or_default();
    /// let key = unwrap(hint)?;
    /// let vault = FileVault::open("team.cvault", Unlock::KeySlot(&key, KeySlotMatch::hint(hint)))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_key(&mut self, key: &ExternalKey, hint: &[u8]) -> Result<()> {
        self.write(|vault, host| vault.prepare_key(key, hint, host))?;
        Ok(())
    }

    /// The place of a new key slot for a passkey, which has to answer to it first.
    pub fn new_passkey(&self) -> Result<NewPasskey> {
        let mut rng = rng()?;
        Ok(self.vault.new_passkey(&mut host(&mut rng)?))
    }

    /// Adds a key slot as [`add_key`](Self::add_key) does, for the key with which a passkey has answered to
    /// [`new_passkey`](Self::new_passkey).
    pub fn add_passkey(&mut self, place: NewPasskey, key: &ExternalKey, hint: &[u8]) -> Result<()> {
        self.write(|vault, host| vault.prepare_passkey(place, key, hint, host))?;
        Ok(())
    }

    /// Removes key slots of external keys of the grant that opened the vault: those with a hint, or the one with a salt.
    /// Old copies of the file keep them.
    ///
    /// Fails with `no_key_slot` if there is no such one, and with `last_key_slot` if no other key slot would be left.
    pub fn remove_key<'k>(&mut self, which: impl Into<KeySlotRef<'k>>) -> Result<()> {
        let which = which.into();
        self.write(|vault, _| vault.prepare_key_removal(which))?;
        Ok(())
    }

    /// Takes over what another copy of this vault changed: `theirs`, as
    /// [`Vault::open_copy`] opens it. By an owner, clients that have seen the other copy continue with the result.
    ///
    /// Fails with `merge_conflict` or `merge_stranger` for what `options` leave open.
    pub fn merge(&mut self, theirs: &Vault, options: MergeOptions) -> Result<Vec<Outcome>> {
        self.write(|vault, host| {
            let merge = vault.plan_merge(theirs, options, &host.now)?;
            vault.prepare_merge(merge, host)
        })
    }

    /// What merging another copy would change here, by this machine's clock. Nothing is written.
    pub fn plan_merge(&mut self, theirs: &Vault, options: MergeOptions) -> Result<Merge> {
        self.refresh()?;
        let now = host(&mut rng()?)?.now;
        Ok(self.vault.plan_merge(theirs, options, &now)?)
    }

    /// Drops former versions. Needs an owner. Returns the versions that were left out, since they are false.
    pub fn compact(&mut self, retention: Retention) -> Result<Vec<FalseVersion>> {
        self.snapshot(|vault, host| vault.prepare_compaction(retention, host))
    }

    /// Stores a snapshot; the versions that it left out.
    fn snapshot(
        &mut self,
        mut prepare: impl FnMut(&Vault<FileSource>, &mut Host<'_>) -> connector_vault::Result<Prepared>,
    ) -> Result<Vec<FalseVersion>> {
        let mut false_versions = Vec::new();
        self.write(|vault, host| {
            let prepared = prepare(vault, host)?;
            false_versions = prepared.false_versions().to_vec();
            Ok(prepared)
        })?;
        Ok(false_versions)
    }

    /// Prepares and stores a change under the file lock: what the other verbs are made of, for changes
    /// that only a host plans. It is called again if somebody has changed the file without the lock.
    pub fn write(
        &mut self,
        mut prepare: impl FnMut(&Vault<FileSource>, &mut Host<'_>) -> connector_vault::Result<Prepared>,
    ) -> Result<Vec<Outcome>> {
        self.drive(|vault, host| Ok(prepare(vault, host)?))
    }

    /// Drops the former versions of these connectors, or of all, and the bytes of torn tails that
    /// were kept beside the file.
    pub fn purge(&mut self, ids: Option<&[&str]>) -> Result<Purged> {
        let Self {
            driver,
            session,
            vault,
        } = self;
        let mut false_versions = Vec::new();
        let (_, mut locked) = driver.write(session, vault, |vault, host| {
            let prepared = vault.prepare_purge(ids, host).map_err(Error::from)?;
            false_versions = prepared.false_versions().to_vec();
            Ok::<_, Error>(prepared)
        })?;
        Ok(Purged {
            torn_tails: locked.remove_torn_tails()?,
            false_versions,
        })
    }

    fn one(
        &mut self,
        mut plan: impl FnMut(&Vault<FileSource>) -> connector_vault::Result<Plan>,
    ) -> Result<Outcome> {
        let mut outcomes = self.write(|vault, host| {
            let plan = plan(vault)?;
            vault.prepare(plan, host)
        })?;
        Ok(outcomes.remove(0))
    }

    fn reduce(
        &mut self,
        mut prepare: impl FnMut(
            &Vault<FileSource>,
            &mut Host<'_>,
        ) -> connector_vault::Result<Revocation>,
    ) -> Result<Revoked> {
        let mut revoked = Revoked {
            exposed: Vec::new(),
            false_versions: Vec::new(),
            damaged: Vec::new(),
            forgotten: Vec::new(),
        };
        self.write(|vault, host| {
            let revocation = prepare(vault, host)?;
            revoked = Revoked {
                exposed: revocation.exposed,
                false_versions: revocation.prepared.false_versions().to_vec(),
                damaged: revocation.damaged,
                forgotten: revocation.forgotten,
            };
            Ok(revocation.prepared)
        })?;
        Ok(revoked)
    }

    fn drive<E: From<Error>>(
        &mut self,
        prepare: impl FnMut(&Vault<FileSource>, &mut Host<'_>) -> Result<Prepared, E>,
    ) -> Result<Vec<Outcome>, E> {
        let Self {
            driver,
            session,
            vault,
        } = self;
        let (outcomes, _) = driver.write(session, vault, prepare)?;
        Ok(outcomes)
    }

    fn follow(
        &mut self,
        begin: for<'s> fn(&'s mut Session, &Vault<FileSource>) -> Ask<'s>,
    ) -> Result<()> {
        self.driver
            .follow(&mut self.session, &mut self.vault, begin)
    }
}
