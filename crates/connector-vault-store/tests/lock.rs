//! The lock file as docs/file-lock.md describes it, written here by hand, as another language
//! would.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connector_vault_store::{DEFAULT_TIMEOUT, FileLock};
use serde_json::{Value, json};
use tempfile::TempDir;

fn lock_in(dir: &TempDir) -> PathBuf {
    dir.path().join("v.lock")
}

/// This process as the owner of a lock.
fn owner() -> Value {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after_name) = stat.rsplit_once(") ").unwrap();
    let start_time: u64 = after_name.split(' ').nth(22 - 3).unwrap().parse().unwrap();
    let text = |path: &str| fs::read_to_string(path).unwrap().trim().to_owned();
    json!({
        "pid": std::process::id(),
        "start_time": start_time,
        "boot_id": text("/proc/sys/kernel/random/boot_id"),
        "pid_namespace": fs::read_link("/proc/self/ns/pid").unwrap(),
        "time_namespace": fs::read_link("/proc/self/ns/time").unwrap_or_default(),
        "host": text("/proc/sys/kernel/hostname"),
        "token": "0123456789abcdef0123456789abcdef",
    })
}

/// Whether a lock file with this content is broken; if not, it must stay as it is.
fn is_broken(content: &[u8]) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let path = lock_in(&dir);
    fs::write(&path, content).unwrap();
    match FileLock::acquire(&path, Duration::ZERO) {
        Ok(lock) => {
            drop(lock);
            assert_eq!(names(dir.path()), Vec::<String>::new());
            true
        }
        Err(error) => {
            let is_lock =
                serde_json::from_slice::<Value>(content).is_ok_and(|lock| lock["pid"].is_u64());
            let code = if is_lock {
                "lock_timeout"
            } else {
                "lock_unreadable"
            };
            assert_eq!(error.code(), code);
            assert_eq!(fs::read(&path).unwrap(), content);
            assert_eq!(names(dir.path()), ["v.lock"]);
            false
        }
    }
}

fn is_broken_with(field: &str, value: Value) -> bool {
    let mut owner = owner();
    owner[field] = value;
    is_broken(owner.to_string().as_bytes())
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The process id of a process that has ended.
fn dead_pid() -> u32 {
    let mut child = Command::new("true").stdin(Stdio::null()).spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn what_is_written_is_what_is_documented() {
    let dir = tempfile::tempdir().unwrap();
    let _lock = FileLock::acquire(&lock_in(&dir), Duration::ZERO).unwrap();
    assert_eq!(names(dir.path()), ["v.lock"]);
    let content = fs::read_to_string(lock_in(&dir)).unwrap();
    assert_eq!(content.lines().count(), 1);
    assert!(content.ends_with('\n'));
    let written: Value = serde_json::from_str(&content).unwrap();
    for (field, value) in owner().as_object().unwrap() {
        if field != "token" {
            assert_eq!(&written[field], value, "{field}");
        }
    }
    let token = written["token"].as_str().unwrap();
    assert_eq!(token.len(), 32);
    assert!(token.bytes().all(|b| b"0123456789abcdef".contains(&b)));
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(lock_in(&dir)).unwrap());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn each_lock_has_a_token_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let content = || {
        let _lock = FileLock::acquire(&lock_in(&dir), Duration::ZERO).unwrap();
        fs::read(lock_in(&dir)).unwrap()
    };
    assert_ne!(content(), content());
}

#[test]
fn a_living_owner_is_waited_for_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let _lock = FileLock::acquire(&lock_in(&dir), Duration::ZERO).unwrap();
    let error = FileLock::acquire(&lock_in(&dir), Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.code(), "lock_timeout");
    let pid = format!("process {}", std::process::id());
    assert!(error.message().contains(&pid), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn only_what_is_provably_gone_is_broken() {
    assert!(!is_broken(owner().to_string().as_bytes()), "a living owner");
    assert!(is_broken_with("pid", dead_pid().into()), "a dead pid");
    assert!(is_broken_with("start_time", 1.into()), "a reused pid");
    assert!(
        !is_broken_with("boot_id", "another".into()),
        "unknown machine"
    );
    assert!(!is_broken_with("boot_id", "".into()), "no boot id");
    assert!(!is_broken_with("pid", "4711".into()), "not the format");
    assert!(is_broken(b""), "empty");
    assert!(is_broken(&[0; 200]), "all zero");
    assert!(!is_broken(b"\n"), "blank is not empty");
    assert!(!is_broken(b"4711"), "another program's lock");
    assert!(
        !is_broken(&owner().to_string().as_bytes()[..50]),
        "half of one"
    );
}

#[test]
fn a_foreign_namespace_proves_nothing() {
    let mut owner = owner();
    owner["pid"] = dead_pid().into();
    owner["pid_namespace"] = "pid:[1]".into();
    assert!(!is_broken(owner.to_string().as_bytes()));
}

#[test]
fn a_zombie_is_gone() {
    // It ends when its input does, and stays a zombie until it is waited for.
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stat_path = format!("/proc/{}/stat", child.id());
    let stat = || fs::read_to_string(&stat_path).unwrap();
    let fields = stat();
    let (_, fields) = fields.rsplit_once(") ").unwrap();
    let start_time: u64 = fields.split(' ').nth(19).unwrap().parse().unwrap();
    let mut owner = owner();
    owner["pid"] = child.id().into();
    owner["start_time"] = start_time.into();
    assert!(!is_broken(owner.to_string().as_bytes()));
    drop(child.stdin.take());
    while !stat().contains(") Z ") {
        std::thread::yield_now();
    }
    assert!(is_broken(owner.to_string().as_bytes()));
    child.wait().unwrap();
}

#[test]
fn what_is_not_a_file_is_refused_without_waiting() {
    type Make = fn(&Path);
    let kinds: [(&str, Make); 4] = [
        ("a folder", |path| fs::create_dir(path).unwrap()),
        ("a FIFO", |path| {
            let made = Command::new("mkfifo").arg(path).status().unwrap();
            assert!(made.success());
        }),
        ("a socket", |path| drop(UnixListener::bind(path).unwrap())),
        ("a symbolic link", |path| symlink("nowhere", path).unwrap()),
    ];
    for (kind, make) in kinds {
        let dir = tempfile::tempdir().unwrap();
        let path = lock_in(&dir);
        make(&path);
        let error = FileLock::acquire(&path, DEFAULT_TIMEOUT).unwrap_err();
        assert_eq!(error.code(), "not_a_file");
        assert_eq!(
            error.message(),
            format!("{} is {kind}, not a file", path.display())
        );
        assert!(error.hint().is_some());

        // And in the place of the guard, when a lock is to be broken.
        let guard = path.with_extension("lock.break");
        fs::rename(&path, &guard).unwrap();
        fs::write(&path, "").unwrap();
        let error = FileLock::acquire(&path, DEFAULT_TIMEOUT).unwrap_err();
        assert_eq!(error.code(), "not_a_file");
        assert!(error.message().contains("lock.break"), "{error}");
    }
}

/// Where the process of another user starts, in the test below; as a test it does nothing.
#[test]
fn play_another_user() {
    if let Ok(path) = std::env::var("CVAULT_TEST_LOCK") {
        let error = FileLock::acquire(Path::new(&path), DEFAULT_TIMEOUT).unwrap_err();
        println!("{}: {error}", error.code());
    }
}

#[test]
fn a_lock_that_this_user_may_not_read_is_told_with_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = lock_in(&dir);
    fs::write(&path, owner().to_string()).unwrap();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(dir.path(), 0o777);
    mode(&path, 0);
    let user = fs::metadata(&path).unwrap().uid();
    // Through /proc, so that its folders need not be open to all.
    let mut other = Command::new("/proc/self/exe");
    other
        .args(["--exact", "play_another_user", "--nocapture"])
        .env("CVAULT_TEST_LOCK", &path)
        .stdin(Stdio::null());
    // Everything is open to the superuser, who in turn can be anybody.
    if user == 0 {
        other.uid(65534).gid(65534);
    }
    let output = String::from_utf8(other.output().unwrap().stdout).unwrap();
    let told = format!("lock_unreadable: cannot tell who holds {}", path.display());
    assert!(output.contains(&told), "{output}");
    assert!(output.contains(&format!("({user})")), "{output}");
    mode(&path, 0o600);
    assert_eq!(fs::read_to_string(&path).unwrap(), owner().to_string());
}

#[test]
fn a_lock_in_a_missing_folder_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = FileLock::acquire(&dir.path().join("no/v.lock"), DEFAULT_TIMEOUT).unwrap_err();
    assert_eq!(error.code(), "io");
}

#[test]
fn breakers_at_the_same_time_let_one_in() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 200;

    let dir = tempfile::tempdir().unwrap();
    let path = lock_in(&dir);
    let mut gone = owner();
    gone["start_time"] = 1.into();
    let start = Barrier::new(THREADS);
    // Counted and asserted at the end: a thread that panics would keep the others at the barrier.
    let (inside, alone) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (path, gone, start) = (&path, &gone, &start);
            let (inside, alone) = (&inside, &alone);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    if thread == 0 {
                        fs::write(path, gone.to_string()).unwrap();
                        // And in every other round one that died while breaking it.
                        if round % 2 == 1 {
                            let guard = path.with_extension("lock.break");
                            fs::write(guard, gone.to_string()).unwrap();
                        }
                    }
                    start.wait();
                    let lock = FileLock::acquire(path, DEFAULT_TIMEOUT).unwrap();
                    let first = inside.fetch_add(1, Ordering::SeqCst) == 0;
                    std::thread::yield_now();
                    let last = inside.fetch_sub(1, Ordering::SeqCst) == 1;
                    if first && last && lock.verify().is_ok() {
                        alone.fetch_add(1, Ordering::SeqCst);
                    }
                    drop(lock);
                    start.wait();
                }
            });
        }
    });
    assert_eq!(alone.into_inner(), THREADS * ROUNDS);
    assert_eq!(names(dir.path()), Vec::<String>::new());
}
