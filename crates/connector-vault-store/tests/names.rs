//! One vault under two names: who uses the one keeps out who uses the other.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::time::Duration;

use connector_vault_store::{DEFAULT_TIMEOUT, FileStore};

fn two_names() -> (tempfile::TempDir, [FileStore; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let stores = ["one", "other"].map(|name| FileStore::new(dir.path().join(name)).unwrap());
    stores[0].create(b"CVAULT01\x02\0\0\0[]").unwrap();
    fs::hard_link(stores[0].path(), stores[1].path()).unwrap();
    (dir, stores)
}

#[test]
fn appends_by_both_names_are_all_there() {
    const EACH: usize = 100;

    let (dir, stores) = two_names();
    std::thread::scope(|scope| {
        for (store, letter) in stores.iter().zip([b'a', b'b']) {
            scope.spawn(move || {
                for _ in 0..EACH {
                    let mut file = store.lock(DEFAULT_TIMEOUT).unwrap();
                    file.append(&[letter; 7]).unwrap();
                }
            });
        }
    });
    let bytes = stores[0].read().unwrap();
    let appended: Vec<&[u8]> = bytes[14..].chunks(7).collect();
    assert_eq!(appended.len(), 2 * EACH);
    for letter in [b'a', b'b'] {
        let count = appended.iter().filter(|bytes| **bytes == [letter; 7]);
        assert_eq!(count.count(), EACH);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no locks");
}

#[test]
fn the_time_to_wait_is_for_both_locks() {
    let (_dir, [one, other]) = two_names();
    let held = one.lock(Duration::ZERO).unwrap();
    let error = other.lock(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.code(), "lock_timeout");
    assert!(error.message().contains("another name"), "{error}");
    assert!(!other.lock_path().exists(), "the other lock is given back");
    drop(held);
    other.lock(Duration::ZERO).unwrap();
}

#[test]
fn a_vault_with_two_names_is_not_replaced() {
    let (dir, [one, other]) = two_names();
    let mut file = one.lock(Duration::ZERO).unwrap();
    let error = file.replace(b"CVAULT01\x02\0\0\0[]log").unwrap_err();
    assert_eq!(error.code(), "other_names");
    assert!(error.message().contains("2 names"), "{error}");
    file.append(b"log").unwrap();
    drop(file);
    assert_eq!(other.read().unwrap(), b"CVAULT01\x02\0\0\0[]log");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);

    fs::remove_file(other.path()).unwrap();
    let mut file = one.lock(Duration::ZERO).unwrap();
    file.replace(b"CVAULT01\x02\0\0\0[]new").unwrap();
    // The new file is locked as the former one was.
    fs::hard_link(one.path(), other.path()).unwrap();
    assert_eq!(
        other.lock(Duration::ZERO).unwrap_err().code(),
        "lock_timeout"
    );
}
