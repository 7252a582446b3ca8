//! What calls that fail leave behind, and what is said of them.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connector_vault::{
    Action, ConnectorId, Identity, LogEnd, NewConnector, NewOwner, Options, Properties, Retention,
    Status, Version,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::disk::record::{Event, failing, recording};
use crate::disk::with_suffix;
use crate::lock::DEFAULT_TIMEOUT;
use crate::owner::Myself;
use crate::{FileLock, FileStore, FileVault, KnownHeads, OnWarning, write_new_file};

fn lost(call: &str, wanted: &str) -> Option<io::Error> {
    (call == wanted).then(|| io::Error::other("lost"))
}

fn log(dir: &Path) -> FileStore {
    let store = FileStore::new(dir.join("v")).unwrap();
    store.create(b"CVAULT01\0\0\0\0log").unwrap();
    store
}

/// A vault with the connector `x`, and the warnings that it gives.
fn vault(path: PathBuf) -> (FileVault, Arc<Mutex<Vec<&'static str>>>) {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&warnings);
    let identity = Identity::generate(&mut StdRng::seed_from_u64(1));
    let owner = NewOwner::identity("ops", identity);
    let options = FileVault::builder()
        .heads(KnownHeads::none())
        .on_warning(OnWarning::new(move |warning| {
            told.lock().unwrap().push(warning.code);
        }));
    let mut vault = options.create(path, owner).unwrap();
    add(&mut vault, "x", "a");
    (vault, warnings)
}

fn add(vault: &mut FileVault, id: &str, value: &str) {
    let properties = Properties::from_json(&format!(r#"{{"APIKey": "{value}"}}"#)).unwrap();
    vault
        .change_planned(|vault, _| {
            let id = ConnectorId::new(id)?;
            let options = Options::default();
            Ok(vec![vault.plan_create(
                &NewConnector::new(id.as_str(), "Name", "Type").with_properties(&properties),
                &options,
            )?])
        })
        .unwrap();
}

fn update(vault: &mut FileVault, value: &str) {
    let action = format!(
        r#"{{"ActionType": "Connectors.Update", "Parameters": {{"EntryId": "x",
            "Properties": [{{"PropertyName": "APIKey", "PropertyValue": "{value}"}}]}}}}"#
    );
    let action = Action::parse(&action).unwrap();
    let mut tokens = std::collections::BTreeMap::new();
    vault.run(&action, &mut tokens).unwrap();
}

/// A lock file whose owner is gone.
fn left_behind(path: &Path) {
    let mut owner = Myself::get().with_token("00".repeat(16));
    // No process has this pid: it is above the kernel's PID_MAX_LIMIT of 2^22.
    owner.pid = 1 << 30;
    fs::write(path, serde_json::to_string(&owner).unwrap()).unwrap();
}

/// The calls by which something becomes durable, and the removal of a lock.
fn durable(events: &[Event]) -> Vec<&'static str> {
    let names = events.iter().map(|event| match event {
        Event::Sync { .. } => "sync",
        Event::SyncDir { .. } => "sync the folder",
        Event::Remove { path } if path.extension().is_some_and(|end| end == "lock") => "unlock",
        _ => "",
    });
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn a_failed_sync_is_reported_once_and_poisons() {
    let dir = tempfile::tempdir().unwrap();
    let store = log(dir.path());
    let mut file = store.lock(DEFAULT_TIMEOUT).unwrap();
    let error = failing(
        |call, _| lost(call, "sync"),
        || file.append(b"commit").unwrap_err(),
    );
    assert_eq!(error.code(), "not_durable");
    assert!(error.message().contains("lost"), "{error}");
    assert_eq!(file.append(b"commit").unwrap_err().code(), "not_durable");
    assert_eq!(file.replace(b"all").unwrap_err().code(), "not_durable");
    assert_eq!(file.sync().unwrap_err().code(), "not_durable");
    let compared = file.compare(&LogEnd::default());
    assert_eq!(compared.unwrap_err().code(), "not_durable");
    drop(file);
    assert_eq!(store.read().unwrap(), b"CVAULT01\0\0\0\0log");
}

#[test]
fn an_answer_that_writes_nothing_is_synced() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = vault(dir.path().join("v"));
    let mut same = || {
        vault.change_planned(|vault, _| {
            let options = Options::default();
            Ok(vec![vault.plan_restore("x", Version::FIRST, &options)?])
        })
    };
    let (outcomes, events) = recording([(dir.path().join("v"), 0)], &mut same);
    assert_eq!(outcomes.unwrap()[0].status, Status::Unchanged);
    assert_eq!(durable(&events), ["sync", "unlock"]);
    let refused = failing(|call, _| lost(call, "sync"), same);
    assert_eq!(refused.unwrap_err().code(), "not_durable");
}

#[test]
fn what_a_dead_owner_left_is_durable_before_its_lock_goes() {
    let dir = tempfile::tempdir().unwrap();
    let store = log(dir.path());
    left_behind(&store.lock_path());
    fs::write(with_suffix(store.path(), ".unfinished"), "half").unwrap();
    let (locked, events) = recording([(store.path().to_owned(), 0)], || {
        store.lock(Duration::ZERO).map(drop)
    });
    locked.unwrap();
    // The second one is our own.
    assert_eq!(
        durable(&events),
        ["sync", "sync the folder", "unlock", "unlock"]
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_lock_stays_if_what_its_owner_left_cannot_be_made_durable() {
    let dir = tempfile::tempdir().unwrap();
    let store = log(dir.path());
    left_behind(&store.lock_path());
    for fault in ["sync", "sync_dir"] {
        let refused = failing(
            move |call, _| lost(call, fault),
            || store.lock(Duration::ZERO).map(drop),
        );
        assert_eq!(refused.unwrap_err().code(), "not_durable");
        assert!(store.lock_path().exists());
    }
    let lock = FileLock::acquire(&store.lock_path(), Duration::ZERO).unwrap();
    assert!(lock.broke());
}

#[test]
fn a_vault_that_is_there_is_durable_before_another_creator_hears_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = log(dir.path());
    let (refused, events) = recording([(store.path().to_owned(), 0)], || store.check_free());
    assert_eq!(refused.unwrap_err().code(), "file_exists");
    assert_eq!(durable(&events), ["sync the folder"]);
}

#[test]
fn a_vault_with_other_names_is_not_compacted_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v");
    let (mut vault, warnings) = vault(path.clone());
    fs::hard_link(&path, dir.path().join("other")).unwrap();
    let before = fs::metadata(&path).unwrap().ino();
    for number in 0..50 {
        update(&mut vault, &format!("{number}{}", "b".repeat(60_000)));
        if !warnings.lock().unwrap().is_empty() {
            break;
        }
    }
    assert_eq!(*warnings.lock().unwrap(), ["other_names"]);
    assert_eq!(fs::metadata(&path).unwrap().ino(), before);
    let refused = vault.write(|vault, host| vault.prepare_compaction(Retention::Newest(1), host));
    assert_eq!(refused.unwrap_err().code(), "other_names");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    fs::remove_file(dir.path().join("other")).unwrap();
    add(&mut vault, "y", "c");
    assert_ne!(fs::metadata(&path).unwrap().ino(), before, "now it is");
}

#[test]
fn a_compaction_that_may_not_last_is_a_warning_of_the_change() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v");
    let (mut vault, warnings) = vault(path.clone());
    let before = fs::metadata(&path).unwrap().ino();
    failing(
        |call, _| lost(call, "sync_dir"),
        || {
            for number in 0.. {
                update(&mut vault, &format!("{number}{}", "b".repeat(60_000)));
                if !warnings.lock().unwrap().is_empty() {
                    break;
                }
                assert!(number < 50, "no compaction");
            }
        },
    );
    assert_eq!(*warnings.lock().unwrap(), ["not_durable"]);
    assert_ne!(
        fs::metadata(&path).unwrap().ino(),
        before,
        "the compacted file stands there"
    );
    // Nothing that was acknowledged is gone, and work goes on.
    add(&mut vault, "y", "c");
    assert_eq!(vault.vault().len(), 2);
}

/// Whoever replaces or deletes the file while it is locked, just before the call of this name.
fn disturbed(
    call: &'static str,
    disturb: fn(&Path),
    path: &Path,
) -> impl Fn(&str, Option<&Path>) -> Option<io::Error> + use<> {
    let path = path.to_owned();
    move |made, _| {
        if made == call && path.exists() && fs::read(&path).is_ok_and(|bytes| bytes != b"another") {
            disturb(&path);
        }
        None
    }
}

fn replaced(path: &Path) {
    let other = with_suffix(path, ".other");
    fs::write(&other, "another").unwrap();
    fs::rename(other, path).unwrap();
}

fn deleted(path: &Path) {
    fs::remove_file(path).unwrap();
}

#[test]
fn a_write_into_a_file_that_was_replaced_is_no_success() {
    type Work = fn(&mut crate::LockedFile) -> crate::Result<()>;
    let cases: [(&str, Work); 6] = [
        ("write", |file| file.append(b"commit")),
        ("sync", |file| file.append(b"commit")),
        ("sync", |file| file.sync()),
        // Of the new version, before it takes the vault's name.
        ("write", |file| file.replace(b"all")),
        ("sync", |file| file.replace(b"all")),
        ("sync_dir", |file| file.replace(b"all")),
    ];
    type Disturb = fn(&Path);
    let disturbances: [(Disturb, Option<&[u8]>); 2] =
        [(replaced, Some(b"another")), (deleted, None)];
    for (disturb, expected) in disturbances {
        for (number, (call, work)) in cases.into_iter().enumerate() {
            let dir = tempfile::tempdir().unwrap();
            let store = log(dir.path());
            let mut file = store.lock(DEFAULT_TIMEOUT).unwrap();
            let result = failing(disturbed(call, disturb, store.path()), || work(&mut file));
            assert_eq!(result.unwrap_err().code(), "file_replaced", "{number}");
            let error = file.append(b"more").unwrap_err();
            assert_eq!(error.code(), "file_replaced", "{number}");
            drop(file);
            let now = fs::read(store.path()).ok();
            assert_eq!(now.as_deref(), expected, "{number}");
            assert!(!store.lock_path().exists());
        }
    }
}

#[test]
fn what_a_purge_deletes_stays_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let store = log(dir.path());
    let side = with_suffix(store.path(), ".torn-1-aa");
    fs::write(&side, "old").unwrap();
    let mut file = store.lock(DEFAULT_TIMEOUT).unwrap();
    let (removed, events) = recording([(store.path().to_owned(), 0)], || file.remove_torn_tails());
    assert_eq!(removed.unwrap(), 1);
    assert!(matches!(
        &events[..],
        [Event::Remove { path }, Event::SyncDir { .. }] if *path == side
    ));
    let refused = failing(
        |call, _| lost(call, "sync_dir"),
        || file.remove_torn_tails(),
    );
    assert_eq!(refused.unwrap_err().code(), "not_durable");
}

#[test]
fn a_head_is_on_the_disk_before_it_has_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let heads = KnownHeads::open(dir.path().join("state"));
    let names = |events: &[Event]| -> Vec<&'static str> {
        let names = events.iter().map(|event| match event {
            Event::Create { .. } => "create",
            Event::Write { .. } => "write",
            Event::Sync { .. } => "sync",
            Event::SyncDir { .. } => "sync the folder",
            Event::Rename { .. } => "rename",
            _ => "another",
        });
        names.collect()
    };
    let remember =
        |seq: u64| recording([], || heads.remember(&[1; 32], "place", seq, &seq).unwrap());
    let (_, events) = remember(1);
    let first = ["create", "write", "sync", "rename", "sync the folder"];
    assert_eq!(names(&events), first);
    let (_, events) = remember(2);
    assert_eq!(names(&events), first[..4]);
    for call in ["write", "sync", "rename"] {
        let refused = failing(
            move |made, _| lost(made, call),
            || heads.remember(&[1; 32], "place", 3, &3),
        );
        assert_eq!(refused.unwrap_err().code(), "io");
        assert_eq!(
            fs::read_dir(heads.dir().unwrap()).unwrap().count(),
            1,
            "{call}"
        );
        assert_eq!(heads.get::<u64>(&[1; 32], "place").unwrap(), Some(2));
    }
}

#[test]
fn a_new_file_is_written_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export");
    for call in ["write", "sync", "link"] {
        let refused = failing(
            move |made, _| lost(made, call),
            || write_new_file(&path, b"secret"),
        );
        assert_eq!(refused.unwrap_err().code(), "io", "{call}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{call}");
    }
    let refused = failing(
        |made, _| lost(made, "sync_dir"),
        || write_new_file(&path, b"secret"),
    );
    assert_eq!(refused.unwrap_err().code(), "not_durable");
    assert_eq!(fs::read(&path).unwrap(), b"secret");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(
        write_new_file(&path, b"other").unwrap_err().code(),
        "file_exists"
    );
    // Somebody else was faster.
    let other = dir.path().join("other");
    let first = other.clone();
    let taken = failing(
        move |made, _| {
            if made == "link" {
                fs::write(&first, "first").unwrap();
            }
            None
        },
        || write_new_file(&other, b"second"),
    );
    assert_eq!(taken.unwrap_err().code(), "file_exists");
    assert_eq!(fs::read(&other).unwrap(), b"first");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    assert_eq!(
        write_new_file(&link, b"other").unwrap_err().code(),
        "file_exists"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn a_new_file_is_written_whole_also_by_a_temporary_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export");
    let unnamed = |made: &str, path: Option<&Path>| match path {
        None => lost(made, "create"),
        Some(_) => None,
    };
    failing(unnamed, || write_new_file(&path, b"secret")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"secret");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let taken = failing(unnamed, || write_new_file(&path, b"other"));
    assert_eq!(taken.unwrap_err().code(), "file_exists");
    // Where there are no hard links.
    let elsewhere = dir.path().join("elsewhere");
    let without_links = move |made: &str, path: Option<&Path>| match made {
        "link" => Some(io::Error::from_raw_os_error(1)),
        _ => unnamed(made, path),
    };
    failing(without_links, || write_new_file(&elsewhere, b"secret")).unwrap();
    assert_eq!(fs::read(&elsewhere).unwrap(), b"secret");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn hints_say_what_a_system_error_means_here() {
    for (kind, expected) in [
        (io::ErrorKind::ResourceBusy, "mount its folder"),
        (io::ErrorKind::FileTooLarge, "ulimit"),
        (io::ErrorKind::StorageFull, "free some space"),
    ] {
        let hint = crate::Error::io("replace", Path::new("v"), kind.into()).hint();
        assert!(hint.unwrap().contains(expected), "{kind}");
    }
}
