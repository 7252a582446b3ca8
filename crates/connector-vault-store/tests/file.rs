//! What a vault file goes through, on a real file system.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use connector_vault::LogEnd;
use connector_vault_store::{Compared, DEFAULT_TIMEOUT, FileStore, LockedFile};
use tempfile::TempDir;

/// A vault file whose locks and log are these.
fn vault(locks: &str, log: &str) -> Vec<u8> {
    let mut bytes = b"CVAULT01".to_vec();
    bytes.extend(u32::try_from(locks.len()).unwrap().to_le_bytes());
    bytes.extend(locks.bytes());
    bytes.extend(log.bytes());
    bytes
}

fn created(locks: &str, log: &str) -> (TempDir, FileStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::new(dir.path().join("v")).unwrap();
    store.create(&vault(locks, log)).unwrap();
    (dir, store)
}

fn lock(store: &FileStore) -> LockedFile {
    store.lock(DEFAULT_TIMEOUT).unwrap()
}

/// What somebody knows who has read this log: its last three bytes stand for the head's hash.
fn known(log: &str) -> LogEnd {
    let mark = log.len() - 3;
    LogEnd {
        start: Vec::new(),
        marks: vec![(mark as u64, log[mark..].into())],
        end: log.len() as u64,
        torn: 0,
    }
}

fn grown(tail: &str) -> Compared {
    Compared::Grown { tail: tail.into() }
}

fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[cfg(unix)]
fn mode(path: impl AsRef<std::path::Path>) -> u32 {
    std::os::unix::fs::MetadataExt::mode(&fs::metadata(path).unwrap()) & 0o777
}

#[test]
fn create_then_read() {
    let (dir, store) = created("[]", "abc");
    assert_eq!(store.read().unwrap(), vault("[]", "abc"));
    assert_eq!(names(&dir), ["v"]);
    #[cfg(unix)]
    assert_eq!(mode(store.path()), 0o600);
}

#[test]
fn create_never_overwrites() {
    let (dir, store) = created("", "abc");
    let error = store.create(b"other").unwrap_err();
    assert_eq!(error.code(), "file_exists");
    assert_eq!(store.read().unwrap(), vault("", "abc"));
    assert_eq!(names(&dir), ["v"]);
}

#[test]
fn a_missing_vault_or_folder() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::new(dir.path().join("v")).unwrap();
    assert_eq!(store.read().unwrap_err().code(), "file_not_found");
    let error = store.lock(DEFAULT_TIMEOUT).unwrap_err();
    assert_eq!(error.code(), "file_not_found");
    assert_eq!(names(&dir), Vec::<String>::new());
    let error = FileStore::new(dir.path().join("no/v")).unwrap_err();
    assert_eq!(error.code(), "file_not_found");
}

/// Each way to look at what stands there, or to change it.
fn refusals(store: &FileStore) -> [&'static str; 4] {
    [
        store.check().unwrap_err().code().as_str(),
        store.read().unwrap_err().code().as_str(),
        store.compare(&known("abc")).unwrap_err().code().as_str(),
        store.lock(DEFAULT_TIMEOUT).unwrap_err().code().as_str(),
    ]
}

#[test]
fn a_folder_is_no_vault() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v");
    fs::create_dir(&path).unwrap();
    let store = FileStore::new(path).unwrap();
    assert_eq!(refusals(&store), ["not_a_file"; 4]);
}

#[cfg(unix)]
#[test]
fn a_pipe_a_socket_and_a_device_are_no_vaults_and_nothing_waits_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    let socket = dir.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let device = dir.path().join("device");
    std::os::unix::fs::symlink("/dev/null", &device).unwrap();
    for path in [fifo, socket, device] {
        let store = FileStore::new(&path).unwrap();
        let looks = &refusals(&store)[..3];
        assert_eq!(looks, ["not_a_file"; 3], "{}", path.display());
    }
    let fifo = FileStore::new(dir.path().join("fifo")).unwrap();
    assert_eq!(refusals(&fifo)[3], "not_a_file");
    assert_eq!(fifo.create(b"new").unwrap_err().code(), "file_exists");
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let (_dir, store) = created("", "abc");
    let file = fs::OpenOptions::new().write(true).open(store.path());
    // Sparse: it takes no room.
    let len = connector_vault::limits::FILE_LEN_MAX + 1;
    file.unwrap().set_len(len).unwrap();
    assert_eq!(store.check().unwrap_err().code(), "limit_exceeded");
    assert_eq!(store.read().unwrap_err().code(), "limit_exceeded");
    let grown = store.compare(&known("abc"));
    assert_eq!(grown.unwrap_err().code(), "limit_exceeded");
    assert_eq!(lock(&store).read().unwrap_err().code(), "limit_exceeded");
}

#[test]
fn compare_goes_by_content() {
    for (locks, log, expected) in [
        ("[]", "abcdef", Compared::Same),
        ("[1,2,3]", "abcdef", Compared::Same),
        ("[]", "abcdefgh", grown("gh")),
        ("", "abcdefgh", grown("gh")),
        ("[]", "xyzxyz", Compared::Replaced),
        ("[]", "abcdeX", Compared::Replaced),
        ("[]", "abcde", Compared::Replaced),
        ("[]", "", Compared::Replaced),
    ] {
        let (_dir, store) = created(locks, log);
        let compared = lock(&store).compare(&known("abcdef")).unwrap();
        assert_eq!(compared, expected, "{locks} {log}");
    }
}

#[test]
fn compare_survives_absurd_offsets() {
    let (_dir, store) = created("[]", "abcdef");
    let mut file = lock(&store);
    for (offset, end) in [(u64::MAX, 6), (u64::MAX - 20, 6), (0, u64::MAX), (5, 6)] {
        let known = LogEnd {
            start: Vec::new(),
            marks: vec![(offset, b"abc".to_vec())],
            end,
            torn: 0,
        };
        assert_eq!(file.compare(&known).unwrap(), Compared::Replaced);
    }
}

#[test]
fn compare_refuses_what_is_no_vault() {
    for (bytes, code) in [
        (&b""[..], "not_a_vault"),
        (b"CVAULT01", "not_a_vault"),
        (b"CVAULT99\0\0\0\0", "unsupported_version"),
        (b"CVAULT01\xff\xff\xff\xff", "limit_exceeded"),
        (&[0; 100], "not_a_vault"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = FileStore::new(dir.path().join("v")).unwrap();
        store.create(bytes).unwrap();
        let error = lock(&store).compare(&LogEnd::default()).unwrap_err();
        assert_eq!(error.code(), code, "{bytes:?}");
    }
}

#[test]
fn appends_follow_each_other() {
    let (dir, store) = created("[]", "abc");
    let mut file = lock(&store);
    file.append(b"def").unwrap();
    file.append(b"ghi").unwrap();
    assert_eq!(file.compare(&known("abcdefghi")).unwrap(), Compared::Same);
    drop(file);
    assert_eq!(store.read().unwrap(), vault("[]", "abcdefghi"));
    assert_eq!(names(&dir), ["v"]);
}

#[test]
fn a_change_past_the_lock_is_a_conflict() {
    let (_dir, store) = created("[]", "abc");
    let mut file = lock(&store);
    let mut intruder = fs::File::options().append(true).open(store.path()).unwrap();
    intruder.write_all(b"!").unwrap();
    assert_eq!(file.append(b"def").unwrap_err().code(), "conflict");
    assert_eq!(file.replace(b"def").unwrap_err().code(), "conflict");
    assert_eq!(file.save_torn_tail(0).unwrap_err().code(), "conflict");
    assert_eq!(store.read().unwrap(), vault("[]", "abc!"));
}

#[test]
fn without_the_lock_nothing_is_written() {
    let (_dir, store) = created("[]", "abc");
    let mut file = lock(&store);
    fs::remove_file(store.lock_path()).unwrap();
    assert_eq!(file.append(b"def").unwrap_err().code(), "lock_lost");
    assert_eq!(file.replace(b"def").unwrap_err().code(), "lock_lost");
    assert_eq!(file.save_torn_tail(0).unwrap_err().code(), "lock_lost");
    assert_eq!(store.read().unwrap(), vault("[]", "abc"));
}

#[test]
fn a_replacement_is_the_file_from_then_on() {
    let (dir, store) = created("[]", "abc");
    let mut file = lock(&store);
    file.replace(&vault("[1]", "xyz")).unwrap();
    file.append(b"uvw").unwrap();
    assert_eq!(file.read().unwrap(), vault("[1]", "xyzuvw"));
    assert_eq!(store.read().unwrap(), vault("[1]", "xyzuvw"));
    drop(file);
    assert_eq!(names(&dir), ["v"]);
}

#[cfg(unix)]
#[test]
fn a_replacement_keeps_the_mode() {
    use std::os::unix::fs::PermissionsExt;

    for bits in [0o600, 0o640, 0o664] {
        let (_dir, store) = created("[]", "abc");
        fs::set_permissions(store.path(), fs::Permissions::from_mode(bits)).unwrap();
        lock(&store).replace(&vault("", "xyz")).unwrap();
        assert_eq!(mode(store.path()), bits);
    }
}

#[test]
fn what_a_dead_process_left_unfinished_is_no_obstacle() {
    let (dir, store) = created("[]", "abc");
    fs::write(dir.path().join("v.unfinished"), "half of").unwrap();
    lock(&store).replace(&vault("", "xyz")).unwrap();
    assert_eq!(store.read().unwrap(), vault("", "xyz"));
    assert_eq!(names(&dir), ["v"]);
}

#[test]
fn readers_see_all_of_a_replacement_or_nothing() {
    let (_dir, store) = created("", &"a".repeat(100_000));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for letter in ["b", "c", "d", "e", "f", "g"].repeat(10) {
                let bytes = vault("", &letter.repeat(100_000));
                lock(&store).replace(&bytes).unwrap();
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            let bytes = store.read().unwrap();
            assert_eq!(bytes.len(), 12 + 100_000);
            assert!(bytes[12..].iter().all(|byte| *byte == bytes[12]));
        }
    });
}

#[test]
fn a_torn_tail_is_kept_beside_the_vault() {
    let (dir, store) = created("[]", "abcdef\0\0to");
    let mut file = lock(&store);
    assert_eq!(file.compare(&known("abcdef")).unwrap(), grown("\0\0to"));
    let side = file.save_torn_tail(6).unwrap().unwrap();
    assert_eq!(fs::read(&side).unwrap(), b"\0\0to");
    #[cfg(unix)]
    assert_eq!(mode(&side), 0o600);
    let name = side.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("v.torn-"), "{name}");
    file.append(b"ghi").unwrap();
    assert_eq!(file.compare(&known("abcdefghi")).unwrap(), Compared::Same);
    assert_eq!(names(&dir), ["v", "v.lock", name]);
    assert_eq!(file.remove_torn_tails().unwrap(), 1);
    assert_eq!(names(&dir), ["v", "v.lock"]);
}

#[test]
fn no_torn_tail_no_file() {
    let (dir, store) = created("[]", "abc");
    let mut file = lock(&store);
    assert_eq!(file.save_torn_tail(3).unwrap(), None);
    assert_eq!(file.save_torn_tail(4).unwrap_err().code(), "conflict");
    assert_eq!(names(&dir), ["v", "v.lock"]);
}

#[cfg(unix)]
#[test]
fn behind_symbolic_links_the_real_file_is_meant() {
    use std::os::unix::fs::symlink;

    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| -> std::path::PathBuf { dir.path().join(name) };
    fs::create_dir(at("real")).unwrap();
    symlink("real/v", at("one")).unwrap();
    symlink("one", at("two")).unwrap();

    // Through two dangling links, the vault is created where they point to.
    FileStore::new(at("two"))
        .unwrap()
        .create(&vault("", "abc"))
        .unwrap();
    assert!(fs::symlink_metadata(at("real/v")).unwrap().is_file());

    let store = FileStore::new(at("two")).unwrap();
    assert_eq!(store.path(), at("real/v").canonicalize().unwrap());
    let mut file = lock(&store);
    assert!(at("real/v.lock").exists());
    let direct = FileStore::new(at("real/v")).unwrap();
    let error = direct.lock(std::time::Duration::ZERO).unwrap_err();
    assert_eq!(error.code(), "lock_timeout");
    file.replace(&vault("", "xyz")).unwrap();
    assert!(fs::symlink_metadata(at("one")).unwrap().is_symlink());
    assert_eq!(direct.read().unwrap(), vault("", "xyz"));
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("b", dir.path().join("a")).unwrap();
    std::os::unix::fs::symlink("a", dir.path().join("b")).unwrap();
    let error = FileStore::new(dir.path().join("a")).unwrap_err();
    assert_eq!(error.code(), "io");
}
