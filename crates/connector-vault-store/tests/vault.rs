//! A vault in its file, changed from two places.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails"
)]

use std::path::Path;
use std::time::Duration;

use connector_vault::source::Source;
use connector_vault::{
    Action, Code, ConnectorId, Cost, Description, ExternalKey, Grantee, Host, Identity,
    KeySlotInfo, KeySlotMatch, KnownHead, NewConnector, NewOwner, Options, Passphrase, Plan,
    Properties, PropertyChanges, RepairOptions, Retention, Role, Secret, Status, Timestamp,
    TokenFn, TokenRef, Trust, Unlock, Vault, Verb, Version, Write,
};
use connector_vault_store::{Builder, Error, FileVault, KnownHeads, LockedFile, OnWarning};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

fn create(path: &Path, identity: &Identity, passphrase: &Passphrase) -> FileVault {
    let owner = NewOwner::identity("ops", identity.clone())
        .and_passphrase(passphrase)
        .cost(Cost::MIN);
    builder().create(path, owner).unwrap()
}

/// Without heads of the user's.
fn builder() -> Builder {
    FileVault::builder().heads(KnownHeads::none())
}

fn by_passphrase(path: &Path, passphrase: &Passphrase) -> Result<FileVault, Error> {
    builder().open(path, Unlock::Passphrase(passphrase))
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
    other.set_passphrase(&new, Cost::MIN).unwrap();
    before.compact(Retention::Automatic).unwrap();
    let error = by_passphrase(&path, &old).unwrap_err();
    assert_eq!(error.code(), Code::WrongPassphrase.as_str());
    by_passphrase(&path, &new).unwrap();
}

#[test]
fn external_keys_open_a_file_and_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.cvault");
    let [first, second] = [1, 2].map(|byte| ExternalKey::from_bytes(&[byte; 32]).unwrap());
    let hints = |path: &Path| -> Vec<Vec<u8>> {
        let slots = builder().key_slots(path).unwrap();
        slots.into_iter().filter_map(|slot| slot.hint).collect()
    };
    let mut vault = builder()
        .create(&path, NewOwner::key("ops", &first, b"one"))
        .unwrap();
    let last = vault.remove_key(b"one").unwrap_err();
    assert_eq!(last.code(), Code::LastKeySlot.as_str());
    // Another process adds a key slot: whoever opened before keeps it.
    let mut other = builder().open(&path, Unlock::Key(&first)).unwrap();
    other.add_key(&second, b"two").unwrap();
    vault.compact(Retention::Automatic).unwrap();
    assert_eq!(hints(&path), [b"two", b"one"]);
    let place = vault.new_passkey().unwrap();
    let passkey = ExternalKey::from_bytes(&place.prf_input()).unwrap();
    vault.add_passkey(place, &passkey, b"passkey").unwrap();
    let slots: Vec<KeySlotInfo> = FileVault::key_slots(&path).unwrap();
    assert_eq!(slots[0].prf_input, Some(place.prf_input()));

    vault.remove_key(b"one").unwrap();
    vault.remove_key(place.salt()).unwrap();
    assert_eq!(hints(&path), [b"two"]);
    let error = builder().open(&path, Unlock::Key(&first)).unwrap_err();
    assert_eq!(error.code(), Code::WrongKey.as_str());
    let unlock = Unlock::KeySlot(&second, KeySlotMatch::hint(b"two"));
    assert_eq!(builder().open(&path, unlock).unwrap().label(), "ops");
    let owner = NewOwner::key("ops", &second, b"of a new vault");
    let opened = builder().open_or_create(&path, owner).unwrap();
    assert_eq!(opened.id(), vault.id());
    let expected = "ab".repeat(32).parse().unwrap();
    let error = builder().expect(expected).key_slots(&path).unwrap_err();
    assert_eq!(error.code(), Code::WrongVault.as_str());
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
    let options = || {
        builder()
            .heads(KnownHeads::open(dir.path().join("state")))
            .expect(vault_id)
    };
    let open = || options().open(&path, Unlock::Identity(&identity));
    std::fs::copy(&path, &old).unwrap();
    open().unwrap().compact(Retention::Automatic).unwrap();
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
    let options = || {
        builder()
            .heads(KnownHeads::open(dir.path().join("state")))
            .expect(vault_id)
    };
    let unlock = Unlock::Identity(&identity);
    let mut vault = options().open(&path, unlock).unwrap();
    let to = Grantee::Key(&former);
    vault.grant("former", Role::Reader, to).unwrap();
    let mut old = std::fs::read(&path).unwrap();
    vault.revoke("former").unwrap();
    old.insert(0, 0);
    std::fs::write(&path, &old).unwrap();
    let out = dir.path().join("out.cvault");
    let refused = options().repair(&path, &out, unlock, RepairOptions::default());
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
        let Write::Append(commit) = prepared.write() else {
            panic!("a change is appended");
        };
        locked.append(commit).unwrap();
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
        self.open_with(Trust::Grown)
    }

    fn open_with(&self, trust: Trust) -> Result<FileVault, Error> {
        builder()
            .heads(self.heads())
            .expect(self.vault_id)
            .trust(trust)
            .open(&self.path, Unlock::Identity(&self.identity))
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
    let dir = unsettled.heads().dir().unwrap().to_owned();
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
        unsettled.open_with(Trust::AsFound).unwrap();
        assert_eq!(unsettled.remembered(), Some(2));
        unsettled.open().unwrap();
    }
}

fn plan<S: Source>(vault: &Vault<S>, id: &str) -> connector_vault::Result<Plan> {
    let id = ConnectorId::new(id)?;
    vault.plan_create(
        &NewConnector::new(id.as_str(), "Name", "Type"),
        &Options::default(),
    )
}

fn add(vault: &mut FileVault, id: &str) {
    vault
        .change_planned(|vault, _| Ok(vec![plan(vault, id)?]))
        .unwrap();
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
    assert_eq!(reader.vault().overview("other").unwrap().version.get(), 1);
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
    assert!(reader.vault().overview("withdrawn").is_err());
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
        .compact(Retention::Automatic)
        .unwrap();
    std::fs::remove_dir_all(unsettled.heads().dir().unwrap()).unwrap();
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
        .change_planned(|vault, _| {
            let plan = vault.plan_create(
                &NewConnector::new(id.as_str(), "Name", "Type").with_properties(&none),
                &Options::default(),
            )?;
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
            .run(&theirs, &mut none)
            .map_err(|error| connector_vault::Error::new(Code::Internal, error.message()))?;
        Secret::new("fresh").map(Some)
    });
    let ran = vault.run(&action, &mut tokens).unwrap();
    assert_eq!(ran.outcome().unwrap().version_after.get(), 3);
    let stale = Options {
        if_version: Some(Version::FIRST),
        ..Options::default()
    };
    let conflict = vault.run_with(&action, &mut tokens, &stale).unwrap_err();
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

#[test]
fn the_verbs_of_a_vault() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.cvault");
    let passphrase = Passphrase::new("the only one").unwrap();
    let owner = || NewOwner::passphrase("ops", &passphrase).cost(Cost::MIN);
    let mut vault = builder().open_or_create(&path, owner()).unwrap();
    let twitter = NewConnector::new("x", "Twitter API", "Twitter");
    vault
        .create_connector(twitter.clone().property("APIKey", "a").property("Old", "1"))
        .unwrap();
    let exists = vault.create_connector(twitter).unwrap_err();
    assert_eq!(exists.code(), Code::ConnectorExists);
    let changes = PropertyChanges::from([("APIKey", "b")]).remove("Old");
    assert_eq!(vault.update("x", changes).unwrap().version_after.get(), 2);
    assert_eq!(
        vault.update("y", [("APIKey", "b")]).unwrap_err().code(),
        Code::ConnectorNotFound
    );
    let key = vault.value("x", "APIKey").unwrap();
    assert_eq!(key.as_ref().map(Secret::expose), Some("b"));
    assert_eq!(vault.value("x", "Old").unwrap(), None);

    // All or none, each on what the ones before it do.
    let refused = vault.change(|change| {
        change.create(NewConnector::new("y", "Name", "Type"))?;
        change.delete("z")
    });
    assert_eq!(refused.unwrap_err().code(), Code::ConnectorNotFound);
    assert!(!vault.contains("y").unwrap());
    let outcomes = vault
        .change(|change| {
            change.create(NewConnector::new("y", "Name", "Type").property("A", "1"))?;
            change.update("y", [("A", "2"), ("B", "3")])?;
            change.restore("x", Version::FIRST)?;
            change.delete("y")?;
            change.create(NewConnector::new("y", "Name", "Type").property("A", "4"))
        })
        .unwrap();
    let versions: Vec<u64> = outcomes.iter().map(|o| o.version_after.get()).collect();
    assert_eq!(versions, [1, 2, 3, 3, 4]);
    assert_eq!(
        vault.value("y", "A").unwrap().as_ref().map(Secret::expose),
        Some("4")
    );
    assert_eq!(vault.history("y").unwrap().len(), 4);

    // The caller's own error passes through.
    #[derive(Debug)]
    struct Mine(&'static str);
    impl From<Error> for Mine {
        fn from(_: Error) -> Self {
            Self("the store's")
        }
    }
    impl From<connector_vault::Error> for Mine {
        fn from(_: connector_vault::Error) -> Self {
            Self("the core's")
        }
    }
    let mine = vault.try_change::<Mine>(|_| Err(Mine("own")));
    assert_eq!(mine.unwrap_err().0, "own");
    let core = vault.try_change::<Mine>(|change| Ok(change.delete("z")?));
    assert_eq!(core.unwrap_err().0, "the core's");

    let described = Description::new().name("Twitter").meta("tags", "a");
    assert_eq!(
        vault.describe("x", &described).unwrap().status,
        Status::Described
    );
    let outcome = vault.move_connector("x", "default").unwrap();
    assert_eq!(outcome.status, Status::Unchanged);
    let refused = vault.move_connector("x", "nowhere").unwrap_err();
    assert_eq!(refused.code(), Code::GroupNotFound);
    vault.delete("x").unwrap();
    let refused = vault.undelete("x", Version::new(5).ok()).unwrap_err();
    assert_eq!(refused.code(), Code::VersionNotFound);
    assert_eq!(vault.undelete("x", None).unwrap().status, Status::Restored);
    assert_eq!(vault.overview("x").unwrap().name, "Twitter");
    vault
        .change(|change| {
            change.describe("x", &Description::new().type_name("X"))?;
            change.move_connector("x", "default")?;
            change.delete("x")
        })
        .unwrap();
    vault
        .change(|change| change.undelete("x", Some(Version::FIRST)))
        .unwrap();
    let overview = vault.overview("x").unwrap();
    assert_eq!(
        (&*overview.name, overview.version.get()),
        ("Twitter API", 9)
    );

    vault.delete("y").unwrap();
    let again = builder().open_or_create(&path, owner()).unwrap();
    assert_eq!((again.id(), again.len()), (vault.id(), 1));
}

#[test]
fn what_a_grant_permits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.cvault");
    let identity = |_| Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap());
    let [ops, editor, updater, reader, viewer] = [0, 1, 2, 3, 4].map(identity);
    let owner = NewOwner::identity("ops", ops.clone());
    let mut vault = builder().create(&path, owner).unwrap();
    vault
        .create_connector(NewConnector::new("x", "Name", "Type"))
        .unwrap();
    vault
        .create_connector(NewConnector::new("z", "Name", "Type"))
        .unwrap();
    vault.delete("z").unwrap();
    for (role, identity) in [
        (Role::Editor, &editor),
        (Role::Updater, &updater),
        (Role::Reader, &reader),
        (Role::Viewer, &viewer),
    ] {
        let key = identity.grant_key();
        vault
            .grant(role.as_str(), role, Grantee::Key(&key))
            .unwrap();
    }
    let verbs = [
        Verb::List,
        Verb::Read,
        Verb::Update,
        Verb::Restore,
        Verb::Delete,
        Verb::Describe,
        Verb::Move,
        Verb::Create,
        Verb::Undelete,
    ];
    for (identity, there, missing, deleted) in [
        (&ops, "yyyyyyy--", "-------y-", "-------yy"),
        (&editor, "yyyyyyy--", "-------y-", "-------yy"),
        (&updater, "yyyy-----", "---------", "---------"),
        (&reader, "yy-------", "---------", "---------"),
        (&viewer, "y--------", "---------", "---------"),
    ] {
        let opened = builder()
            .expect(vault.id())
            .open(&path, Unlock::Identity(identity))
            .unwrap();
        for (id, expected) in [("x", there), ("y", missing), ("z", deleted)] {
            let permitted = verbs.map(|verb| {
                if opened.permits(verb, id).unwrap() {
                    'y'
                } else {
                    '-'
                }
            });
            assert_eq!(
                String::from_iter(permitted),
                expected,
                "{} {id}",
                opened.role()
            );
        }
    }
}

/// An owner whose vaults remember heads in a folder.
struct Client {
    dir: tempfile::TempDir,
    identity: Identity,
}

impl Client {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            identity: Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap()),
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn builder(&self) -> Builder {
        FileVault::builder().heads(KnownHeads::open(self.path("heads")))
    }

    fn create(&self, name: &str) -> FileVault {
        let owner = NewOwner::identity("ops", self.identity.clone());
        let mut vault = self.builder().create(self.path(name), owner).unwrap();
        vault
            .create_connector(NewConnector::new("x", "Name", "Type").property("APIKey", "a"))
            .unwrap();
        vault
    }

    fn open(&self, builder: Builder, name: &str) -> Result<FileVault, Error> {
        builder.open(self.path(name), Unlock::Identity(&self.identity))
    }

    fn copy(&self, from: &str, to: &str) {
        std::fs::copy(self.path(from), self.path(to)).unwrap();
    }
}

#[test]
fn another_vault_at_a_known_place_is_refused_until_it_is_taken_on_purpose() {
    let client = Client::new();
    let other = client.create("other.cvault").id();
    client.create("v.cvault");
    client.copy("other.cvault", "v.cvault");
    let refused = |builder: Builder| {
        let error = client.open(builder, "v.cvault").unwrap_err();
        assert_eq!(error.code(), Code::OtherVault.as_str());
    };
    refused(client.builder());
    // Whoever names the vault means it.
    client
        .open(client.builder().expect(other), "v.cvault")
        .unwrap();
    // From now on the former one is the other.
    client.open(client.builder(), "v.cvault").unwrap();
    client.create("third.cvault");
    client.copy("third.cvault", "v.cvault");
    refused(client.builder());
    let third = client.open(client.builder(), "third.cvault").unwrap().id();
    let accepting = client.builder().trust(Trust::AsFound);
    // An identity still has to know which vault to trust.
    let error = client.open(accepting.clone(), "v.cvault").unwrap_err();
    assert_eq!(error.code(), Code::VaultIdRequired.as_str());
    let reference = client
        .open(client.builder(), "third.cvault")
        .unwrap()
        .reference();
    client
        .open(accepting.reference(reference), "v.cvault")
        .unwrap();
    assert_eq!(
        client.open(client.builder(), "v.cvault").unwrap().id(),
        third
    );
    client.copy("other.cvault", "v.cvault");
    refused(client.builder());
}

#[test]
fn a_vault_that_is_made_where_another_one_was_takes_its_place() {
    let client = Client::new();
    let first = client.create("v.cvault").id();
    std::fs::rename(client.path("v.cvault"), client.path("old.cvault")).unwrap();
    client.create("v.cvault");
    client.open(client.builder(), "v.cvault").unwrap();
    client.copy("old.cvault", "v.cvault");
    let error = client.open(client.builder(), "v.cvault").unwrap_err();
    assert_eq!(error.code(), Code::OtherVault.as_str());
    client
        .open(client.builder().expect(first), "v.cvault")
        .unwrap();
}

#[test]
fn an_older_copy_at_another_place_says_where_the_newer_one_was_seen() {
    use std::sync::{Arc, Mutex};
    let client = Client::new();
    let mut vault = client.create("v.cvault");
    client.copy("v.cvault", "backup.cvault");
    vault.update("x", [("APIKey", "b")]).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let telling = client
        .builder()
        .expect(vault.id())
        .on_warning(OnWarning::new(move |warning| {
            heard.lock().unwrap().push(warning.clone());
        }));
    client.open(telling.clone(), "v.cvault").unwrap();
    assert!(told.lock().unwrap().is_empty());
    client.open(telling, "backup.cvault").unwrap();
    let told = told.lock().unwrap();
    let [warning] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(warning.code, "seen_newer");
    let place = client.path("v.cvault").canonicalize().unwrap();
    assert!(warning.message.contains(&*place.to_string_lossy()));
    for part in ["is at commit 1", "commit 2"] {
        assert!(warning.message.contains(part), "{warning:?}");
    }
}
