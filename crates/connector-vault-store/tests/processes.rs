//! Real processes on one file: this test executable starts itself again in a role.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use connector_vault::LogEnd;
use connector_vault_store::{Compared, DEFAULT_TIMEOUT, FileLock, FileStore, LockedFile};

/// Names the role that a process started by a test plays, with its arguments.
const ROLE: &str = "CVAULT_TEST_ROLE";
const PATH: &str = "CVAULT_TEST_PATH";
/// All commits of these tests have this length: writer (4 bytes), number (8), filling.
const COMMIT_LEN: usize = 1024;

fn commit(writer: u32, number: u64) -> Vec<u8> {
    let mut bytes = vec![0x5a; COMMIT_LEN];
    bytes[..4].copy_from_slice(&writer.to_le_bytes());
    bytes[4..12].copy_from_slice(&number.to_le_bytes());
    bytes
}

/// Where a process starts that plays a role; as a test it does nothing.
#[test]
fn play_role() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let path = std::env::var(PATH).unwrap();
    let words: Vec<&str> = role.split(' ').collect();
    match words[..] {
        ["append", writer, count] => {
            append_many(&path, writer.parse().unwrap(), count.parse().unwrap());
        }
        ["count", count] => count_up(Path::new(&path), count.parse().unwrap()),
        ["hit-the-limit"] => hit_the_limit(&path),
        ["panic"] => panic_under_the_lock(&path),
        _ => assert_eq!(role, "a known role"),
    }
}

fn role(role: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "play_role", "--nocapture"])
        .env(ROLE, role)
        .env(PATH, path)
        .stdin(Stdio::null());
    command
}

/// What a writer does with the log it knows: it adopts what others appended, and cuts what is torn.
fn refresh(file: &mut LockedFile, known: &mut LogEnd) {
    loop {
        let tail = match file.compare(known).unwrap() {
            Compared::Same => return,
            Compared::Grown { tail } => tail,
            Compared::Replaced => {
                *known = LogEnd::default();
                continue;
            }
        };
        let whole = tail.len() / COMMIT_LEN * COMMIT_LEN;
        if whole > 0 {
            adopt(known, &tail[..whole]);
        }
        if whole < tail.len() {
            file.save_torn_tail(known.end).unwrap();
        }
    }
}

fn adopt(known: &mut LogEnd, commits: &[u8]) {
    known.end += commits.len() as u64;
    let head = &commits[commits.len() - COMMIT_LEN..];
    known.marks = vec![(known.end - COMMIT_LEN as u64, head[..12].to_vec())];
}

fn append_many(path: &str, writer: u32, count: u64) {
    let store = FileStore::new(path).unwrap();
    let mut known = LogEnd::default();
    let mut out = std::io::stdout().lock();
    for number in 0..count {
        let mut file = store.lock(DEFAULT_TIMEOUT).unwrap();
        refresh(&mut file, &mut known);
        if number % 16 == 15 {
            let bytes = file.read().unwrap();
            file.replace(&bytes).unwrap();
        }
        let bytes = commit(writer, number);
        file.append(&bytes).unwrap();
        adopt(&mut known, &bytes);
        drop(file);
        writeln!(out, "ack {number}").unwrap();
        out.flush().unwrap();
    }
}

/// Adds to a number in a file, reading and writing it in two steps.
fn count_up(path: &Path, count: u64) {
    for _ in 0..count {
        let _lock = FileLock::acquire(&path.with_extension("lock"), DEFAULT_TIMEOUT).unwrap();
        let number: u64 = fs::read_to_string(path).unwrap().parse().unwrap();
        fs::write(path, (number + 1).to_string()).unwrap();
    }
}

fn new_store(dir: &Path) -> FileStore {
    let store = FileStore::new(dir.join("v")).unwrap();
    store.create(b"CVAULT01\x02\0\0\0[]").unwrap();
    store
}

/// The numbers of the commits in the file, by writer, in the order in which they stand there.
fn numbers(store: &FileStore) -> HashMap<u32, Vec<u64>> {
    let bytes = store.read().unwrap();
    let log = &bytes[14..];
    assert_eq!(log.len() % COMMIT_LEN, 0, "no torn tail");
    let mut numbers: HashMap<u32, Vec<u64>> = HashMap::new();
    for bytes in log.chunks(COMMIT_LEN) {
        let writer = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        let number = u64::from_le_bytes(bytes[4..12].try_into().unwrap());
        assert_eq!(bytes, commit(writer, number), "commits are whole");
        numbers.entry(writer).or_default().push(number);
    }
    numbers
}

#[test]
fn appends_of_eight_processes_are_all_there() {
    const WRITERS: u32 = 8;
    const COMMITS: u64 = 200;

    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path());
    let writers: Vec<Child> = (0..WRITERS)
        .map(|writer| {
            role(&format!("append {writer} {COMMITS}"), store.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let numbers = numbers(&store);
    assert_eq!(numbers.len(), WRITERS as usize);
    for (writer, numbers) in numbers {
        let expected: Vec<u64> = (0..COMMITS).collect();
        assert_eq!(numbers, expected, "writer {writer}");
    }
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "nothing stays behind"
    );
}

#[test]
fn killed_writers_lose_nothing_acknowledged_and_leave_no_lock_for_good() {
    const ROUNDS: u32 = 30;
    const WRITERS: u32 = 3;

    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path());
    let mut acknowledged: HashMap<u32, u64> = HashMap::new();
    for round in 0..ROUNDS {
        let (sender, receiver) = mpsc::channel();
        let mut writers: Vec<(Child, std::thread::JoinHandle<()>)> = (0..WRITERS)
            .map(|index| {
                let writer = round * WRITERS + index;
                let mut child = role(&format!("append {writer} 1000000"), store.path())
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap();
                let output = BufReader::new(child.stdout.take().unwrap());
                let sender = sender.clone();
                let reader = std::thread::spawn(move || {
                    for line in output.lines() {
                        let line = line.unwrap();
                        if let Some((_, number)) = line.split_once("ack ") {
                            let _ = sender.send((writer, number.parse::<u64>().unwrap()));
                        }
                    }
                });
                (child, reader)
            })
            .collect();
        drop(sender);
        // After so many acknowledgements of any of them, wherever each of them is then.
        for (writer, number) in receiver.iter().take(1 + (round * 7 % 31) as usize) {
            acknowledged.insert(writer, number);
        }
        for (child, _) in &mut writers {
            child.kill().unwrap();
        }
        // Zombies until here: the next lock is taken from owners that nobody has waited for.
        store.lock(DEFAULT_TIMEOUT).unwrap();
        for (mut child, reader) in writers {
            child.wait().unwrap();
            reader.join().unwrap();
        }
        acknowledged.extend(receiver);
    }
    refresh(
        &mut store.lock(DEFAULT_TIMEOUT).unwrap(),
        &mut LogEnd::default(),
    );
    let numbers = numbers(&store);
    for (writer, numbers) in &numbers {
        let expected: Vec<u64> = (0..numbers.len() as u64).collect();
        assert_eq!(numbers, &expected, "writer {writer}");
    }
    for (writer, number) in acknowledged {
        let kept = numbers[&writer].len() as u64;
        assert!(kept > number, "writer {writer}: {number} of {kept}");
        assert!(
            kept <= number + 2,
            "writer {writer}: one is under way at most"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn processes_that_break_a_lock_at_the_same_time_count_right() {
    const ROUNDS: u64 = 15;
    const COUNTERS: u64 = 4;
    const EACH: u64 = 20;

    let dir = tempfile::tempdir().unwrap();
    let number = dir.path().join("number");
    fs::write(&number, "0").unwrap();
    for round in 0..ROUNDS {
        // Blank ones are what a power failure leaves.
        fs::write(dir.path().join("number.lock"), "").unwrap();
        if round % 2 == 0 {
            fs::write(dir.path().join("number.lock.break"), [0; 100]).unwrap();
        }
        let counters: Vec<Child> = (0..COUNTERS)
            .map(|_| {
                role(&format!("count {EACH}"), &number)
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for mut counter in counters {
            assert!(counter.wait().unwrap().success());
        }
    }
    let counted = fs::read_to_string(&number).unwrap();
    assert_eq!(counted, (ROUNDS * COUNTERS * EACH).to_string());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

/// A limit on the size of files stands for a full disk: both let a write come to a part.
#[test]
fn an_append_that_does_not_fit_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path());
    let this = role("hit-the-limit", store.path());
    let mut shell = Command::new("sh");
    // Ignored, the signal becomes the error EFBIG.
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""])
        .arg(this.get_program())
        .args(this.get_args())
        .envs(
            this.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    assert!(shell.status().unwrap().success());
    assert_eq!(numbers(&store), HashMap::from([(0, vec![0, 1])]));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

fn hit_the_limit(path: &str) {
    let store = FileStore::new(path).unwrap();
    let mut file = store.lock(DEFAULT_TIMEOUT).unwrap();
    file.append(&commit(0, 0)).unwrap();
    let before = file.read().unwrap();
    let error = file.append(&[1; 64 * 1024]).unwrap_err();
    assert_eq!(error.code(), "io");
    assert_eq!(file.read().unwrap(), before);
    let error = file.replace(&[1; 64 * 1024]).unwrap_err();
    assert_eq!(error.code(), "io");
    assert_eq!(file.read().unwrap(), before);
    file.append(&commit(0, 1)).unwrap();
}

/// Its lock is not left to be proven gone, which another container could not do.
#[test]
fn a_process_that_panics_gives_back_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path());
    let output = role("panic", store.path()).output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("on purpose"), "{text}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let lock = FileLock::acquire(&store.lock_path(), Duration::ZERO).unwrap();
    assert!(!lock.broke());
}

#[expect(clippy::panic, reason = "that is what it is for")]
fn panic_under_the_lock(path: &str) {
    let store = FileStore::new(path).unwrap();
    let file = store.lock(DEFAULT_TIMEOUT).unwrap();
    assert!(store.lock_path().exists());
    panic!("on purpose, with {file:?}");
}
