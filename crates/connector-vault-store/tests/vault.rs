//! A vault in its file, changed from two places.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::Path;
use std::time::Duration;

use connector_vault::{
    Action, Code, ConnectorId, Cost, Grantee, Host, Identity, KnownHead, NewOwner, OpenOptions,
    Options, Passphrase, Plan, Properties, Retention, Role, Secret, Timestamp, TokenFn, TokenRef,
    Unlock, Vault, Version,
};
use connector_vault_store::{Error, FileOptions, FileVault, KnownHeads, LockedFile};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

fn create(path: &Path, identity: &Identity, passphrase: &Passphrase) -> FileVault {
    let owner = NewOwner {
        label: "ops",
        identity: Some(identity.clone()),
        passphrase: Some((passphrase, Cost::MIN)),
    };
    FileVault::create(path, &owner, FileOptions::default()).unwrap()
}

fn by_passphrase(path: &Path, passphrase: &Passphrase) -> Result<FileVault, Error> {
    FileVault::open(path, Unlock::Passphrase(passphrase), FileOptions::default())
}

#[test]
fn a_replaced_passphrase_survives_a_writer_that_opened_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.cvault");
    let identity = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap());
    let (old, new) = (
        Passphrase::new("the old one").unwrap(),
        Passphrase::new("the new one").unwrap(),
    );
    let mut before = create(&path, &identity, &old);
    let mut other = by_passphrase(&path, &old).unwrap();
    other
        .write(|vault, host| vault.prepare_passphrase(&new, Cost::MIN, host))
        .unwrap();
    before
        .write(|vault, _| vault.prepare_compaction(Retention::Automatic))
        .unwrap();
    let error = by_passphrase(&path, &old).unwrap_err();
    assert_eq!(error.code(), Code::WrongPassphrase.as_str());
    by_passphrase(&path, &new).unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_to_an_old_copy_is_a_rollback() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("v.cvault"), dir.path().join("old.cvault"));
    let identity = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap());
    let passphrase = Passphrase::new("the only one").unwrap();
    let vault_id = create(&path, &identity, &passphrase)
        .vault()
        .head()
        .vault_id;
    let options = || FileOptions {
        open: OpenOptions {
            vault_id: Some(vault_id),
            ..OpenOptions::default()
        },
        heads: Some(KnownHeads::open(dir.path().join("state"))),
        ..FileOptions::default()
    };
    let open = || FileVault::open(&path, Unlock::Identity(&identity), options());
    std::fs::copy(&path, &old).unwrap();
    open()
        .unwrap()
        .write(|vault, _| vault.prepare_compaction(Retention::Automatic))
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&old, &path).unwrap();
    assert_eq!(open().unwrap_err().code(), Code::RolledBack.as_str());
}

#[test]
fn a_repair_of_an_old_copy_is_refused_though_its_start_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.cvault");
    let identity = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap());
    let former = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap()).grant_key();
    let passphrase = Passphrase::new("the only one").unwrap();
    let vault_id = create(&path, &identity, &passphrase)
        .vault()
        .head()
        .vault_id;
    let options = || FileOptions {
        open: OpenOptions {
            vault_id: Some(vault_id),
            ..OpenOptions::default()
        },
        heads: Some(KnownHeads::open(dir.path().join("state"))),
        ..FileOptions::default()
    };
    let unlock = Unlock::Identity(&identity);
    let mut vault = FileVault::open(&path, unlock, options()).unwrap();
    let to = Grantee::Key(&former);
    vault
        .write(|vault, host| vault.prepare_grant("former", Role::Reader, to, host))
        .unwrap();
    let mut old = std::fs::read(&path).unwrap();
    let revoke = |vault: &Vault, host: &mut Host<'_>| {
        Ok(vault
            .prepare_revoke("former", host, &mut |_, _| {})?
            .prepared)
    };
    vault.write(revoke).unwrap();
    old.insert(0, 0);
    std::fs::write(&path, &old).unwrap();
    let out = dir.path().join("out.cvault");
    let refused = FileVault::repair(&path, &out, unlock, options(), false);
    assert_eq!(refused.unwrap_err().code(), Code::RolledBack.as_str());
    assert!(!out.exists());
}

/// A vault whose writer has appended the connector `withdrawn` and neither synced nor released the
/// lock; and what its withdrawal is.
struct Unsettled {
    dir: tempfile::TempDir,
    path: std::path::PathBuf,
    identity: Identity,
    vault_id: connector_vault::VaultId,
    locked: Option<LockedFile>,
    len_before: u64,
}

impl Unsettled {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.cvault");
        let identity = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap());
        let passphrase = Passphrase::new("the only one").unwrap();
        let mut writer = create(&path, &identity, &passphrase);
        add(&mut writer, "kept");
        let len_before = std::fs::metadata(&path).unwrap().len();
        let mut locked = writer.store().lock(Duration::ZERO).unwrap();
        let plan = plan(writer.vault(), "withdrawn").unwrap();
        let mut rng = StdRng::try_from_rng(&mut SysRng).unwrap();
        let mut host = Host {
            now: Timestamp::new("2026-11-23T20:15:00.000Z").unwrap(),
            rng: &mut rng,
        };
        let prepared = writer.vault().prepare(plan, &mut host).unwrap();
        locked.append(prepared.to_append().unwrap()).unwrap();
        Self {
            vault_id: writer.vault().head().vault_id,
            locked: Some(locked),
            dir,
            path,
            identity,
            len_before,
        }
    }

    fn withdraw(&mut self) {
        let file = std::fs::OpenOptions::new().write(true).open(&self.path);
        file.unwrap().set_len(self.len_before).unwrap();
        self.locked = None;
    }

    fn heads(&self) -> KnownHeads {
        KnownHeads::open(self.dir.path().join("state"))
    }

    fn open(&self) -> Result<FileVault, Error> {
        self.open_with(false)
    }

    fn open_with(&self, accept: bool) -> Result<FileVault, Error> {
        let options = FileOptions {
            open: OpenOptions {
                vault_id: Some(self.vault_id),
                ..OpenOptions::default()
            },
            heads: Some(self.heads()),
            accept,
            ..FileOptions::default()
        };
        FileVault::open(&self.path, Unlock::Identity(&self.identity), options)
    }

    /// The seq of the head that is remembered.
    fn remembered(&self) -> Option<u64> {
        let place = self.path.canonicalize().unwrap();
        let known: Option<KnownHead> = self
            .heads()
            .get(self.vault_id.as_bytes(), place.to_str().unwrap())
            .unwrap();
        known.map(|known| known.head.seq)
    }
}

#[test]
fn an_unreadable_head_is_replaced_when_the_vault_is_accepted() {
    let mut unsettled = Unsettled::new();
    unsettled.locked = None;
    unsettled.open().unwrap();
    let dir = unsettled.heads().dir().to_owned();
    let path = std::fs::read_dir(dir)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let whole = std::fs::read(&path).unwrap();
    let mut half_zero = whole.clone();
    half_zero[whole.len() / 2..].fill(0);
    for damaged in [&whole[..whole.len() / 2], &half_zero, b"rubbish"] {
        std::fs::write(&path, damaged).unwrap();
        let error = unsettled.open().unwrap_err();
        assert_eq!(error.code(), "state_unreadable");
        assert!(error.hint().unwrap().contains("accept"), "{error}");
        unsettled.open_with(true).unwrap();
        assert_eq!(unsettled.remembered(), Some(2));
        unsettled.open().unwrap();
    }
}

fn plan(vault: &Vault, id: &str) -> connector_vault::Result<Plan> {
    let id = ConnectorId::new(id)?;
    vault.plan_create(id, "Name", "Type", &Properties::new(), &Options::default())
}

fn add(vault: &mut FileVault, id: &str) {
    vault.change(|vault, _| Ok(vec![plan(vault, id)?])).unwrap();
}

#[test]
fn a_commit_whose_writer_is_at_work_is_seen_and_is_no_witness() {
    let mut unsettled = Unsettled::new();
    let mut reader = unsettled.open().unwrap();
    assert_eq!(reader.vault().len(), 2);
    assert_eq!(reader.known_head().unwrap().head.seq, 1);
    assert_eq!(unsettled.remembered(), Some(1));
    // Looked at again while nothing is decided.
    reader.refresh().unwrap();
    assert_eq!(unsettled.open().unwrap().vault().len(), 2);
    assert_eq!(unsettled.remembered(), Some(1));

    unsettled.withdraw();
    reader.refresh().unwrap();
    assert_eq!(reader.vault().len(), 1);
    let mut writer = unsettled.open().unwrap();
    assert_eq!(writer.vault().len(), 1);
    // Another commit in the place of the one that was withdrawn.
    add(&mut writer, "other");
    reader.refresh().unwrap();
    assert_eq!(reader.vault().connector("other").unwrap().version.get(), 1);
    assert_eq!(unsettled.remembered(), Some(2));
}

#[test]
fn a_reader_that_saw_a_withdrawn_commit_goes_on_writing() {
    let mut unsettled = Unsettled::new();
    let mut reader = unsettled.open().unwrap();
    unsettled.withdraw();
    add(&mut unsettled.open().unwrap(), "other");
    add(&mut reader, "third");
    assert_eq!(reader.vault().len(), 3);
    assert!(reader.vault().connector("withdrawn").is_err());
}

#[test]
fn a_commit_is_a_witness_once_its_writer_is_done() {
    let mut unsettled = Unsettled::new();
    let mut reader = unsettled.open().unwrap();
    unsettled.locked = None;
    reader.refresh().unwrap();
    assert_eq!(unsettled.remembered(), Some(2));
    unsettled.withdraw();
    let refused = [reader.refresh().unwrap_err(), unsettled.open().unwrap_err()];
    for error in refused {
        assert_eq!(error.code(), Code::RolledBack.as_str());
    }
}

#[test]
fn a_snapshot_whose_writer_is_at_work_is_no_witness() {
    let mut unsettled = Unsettled::new();
    unsettled.locked = None;
    let mut reader = unsettled.open().unwrap();
    let before = std::fs::read(&unsettled.path).unwrap();
    unsettled
        .open()
        .unwrap()
        .write(|vault, _| vault.prepare_compaction(Retention::Automatic))
        .unwrap();
    std::fs::remove_dir_all(unsettled.heads().dir()).unwrap();
    unsettled.locked = Some(reader.store().lock(Duration::ZERO).unwrap());
    // Seen for the first time, and nothing before it.
    let first = unsettled.open().unwrap();
    assert_eq!(first.known_head(), None);
    assert_eq!(unsettled.remembered(), None);
    reader.refresh().unwrap();
    assert_eq!(reader.vault().head().seq, 3);
    assert_eq!(reader.known_head().unwrap().head.seq, 2);
    // A power failure brings back the former file.
    std::fs::write(&unsettled.path, before).unwrap();
    reader.refresh().unwrap();
    assert_eq!(reader.vault().head().seq, 2);
}

/// A token may be good for one use, such as a refresh token.
#[test]
fn a_token_is_asked_for_once_although_others_are_faster_and_never_for_a_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.cvault");
    let identity = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap());
    let passphrase = Passphrase::new("the only one").unwrap();
    let mut vault = create(&path, &identity, &passphrase);
    let id = ConnectorId::new("x").unwrap();
    let none = Properties::new();
    vault
        .change(|vault, _| {
            let plan = vault.plan_create(id.clone(), "Name", "Type", &none, &Options::default())?;
            Ok(vec![plan])
        })
        .unwrap();
    let mut other = by_passphrase(&path, &passphrase).unwrap();
    let update = |name: &str, value: &str| {
        let text = format!(
            r#"{{"ActionType": "Connectors.Update", "Parameters": {{"EntryId": "x",
                "Properties": [{{"PropertyName": "{name}", "PropertyValue": "{value}"}}]}}}}"#
        );
        Action::parse(&text).unwrap()
    };
    let action = update("Token", "[Fresh]");
    let mut asked = 0;
    let mut tokens = TokenFn(|_: &TokenRef<'_>| {
        asked += 1;
        let theirs = update("Other", &asked.to_string());
        let mut none = std::collections::BTreeMap::<String, Secret>::new();
        other
            .run(&theirs, &mut none, &Options::default())
            .map_err(|error| connector_vault::Error::new(Code::Internal, error.message()))?;
        Secret::new("fresh").map(Some)
    });
    let ran = vault
        .run(&action, &mut tokens, &Options::default())
        .unwrap();
    assert_eq!(ran.outcome().unwrap().version_after.get(), 3);
    let stale = Options {
        if_version: Some(Version::FIRST),
        ..Options::default()
    };
    let conflict = vault.run(&action, &mut tokens, &stale).unwrap_err();
    assert_eq!(conflict.code(), "conflict");
    assert_eq!(asked, 1);
    let connector = vault.vault().read("x").unwrap();
    let values: Vec<_> = connector
        .properties
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    assert_eq!(values, [("Other", "1"), ("Token", "fresh")]);
}
