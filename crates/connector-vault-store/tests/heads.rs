//! Known heads: remembered by vault and place, and never replaced by older ones.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;

use connector_vault_store::KnownHeads;
use tempfile::TempDir;

const VAULT: [u8; 32] = [0xa5; 32];
const PLACE: &str = "/srv/vault.cvault";

fn heads() -> (TempDir, KnownHeads) {
    let dir = tempfile::tempdir().unwrap();
    let heads = KnownHeads::open(dir.path().join("state/connector-vault"));
    (dir, heads)
}

fn get(heads: &KnownHeads) -> Option<String> {
    heads.get(&VAULT, PLACE).unwrap()
}

fn only_file(heads: &KnownHeads) -> std::path::PathBuf {
    let mut entries = fs::read_dir(heads.dir().unwrap()).unwrap();
    let path = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    path
}

#[test]
fn a_later_head_replaces_an_earlier_one_and_never_the_reverse() {
    let (_dir, heads) = heads();
    assert_eq!(get(&heads), None);
    assert!(heads.remember(&VAULT, PLACE, 5, &"five").unwrap());
    assert!(!heads.remember(&VAULT, PLACE, 4, &"four").unwrap());
    assert!(!heads.remember(&VAULT, PLACE, 5, &"another five").unwrap());
    assert_eq!(get(&heads).as_deref(), Some("five"));
    assert!(heads.remember(&VAULT, PLACE, 6, &"six").unwrap());
    assert_eq!(get(&heads).as_deref(), Some("six"));
}

#[test]
fn each_vault_and_each_place_has_its_own() {
    let (_dir, heads) = heads();
    heads.remember(&VAULT, PLACE, 5, &"here").unwrap();
    heads.remember(&VAULT, "/backup", 3, &"there").unwrap();
    heads.remember(&[1; 32], PLACE, 9, &"other").unwrap();
    assert_eq!(get(&heads).as_deref(), Some("here"));
    let there: Option<String> = heads.get(&VAULT, "/backup").unwrap();
    assert_eq!(there.as_deref(), Some("there"));
}

#[test]
fn a_forgotten_head_is_gone() {
    let (_dir, heads) = heads();
    assert!(!heads.forget(&VAULT, PLACE).unwrap());
    heads.remember(&VAULT, PLACE, 5, &"five").unwrap();
    assert!(heads.forget(&VAULT, PLACE).unwrap());
    assert_eq!(get(&heads), None);
    assert!(heads.remember(&VAULT, PLACE, 1, &"one").unwrap());
}

#[test]
fn the_file_is_as_documented() {
    let (_dir, heads) = heads();
    heads.remember(&VAULT, PLACE, 5, &["any", "json"]).unwrap();
    let path = only_file(&heads);
    let name = path.file_name().unwrap().to_str().unwrap();
    // printf %s /srv/vault.cvault | sha256sum
    assert_eq!(name, format!("{}-5279f6879fb458f2.json", "a5".repeat(32)));
    let content: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let expected = serde_json::json!({
        "vault_id": "a5".repeat(32), "place": PLACE, "seq": 5, "head": ["any", "json"],
    });
    assert_eq!(content, expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(heads.dir().unwrap()), 0o700);
    }
}

#[test]
fn a_damaged_file_is_no_reason_to_trust_anything() {
    let (_dir, heads) = heads();
    heads.remember(&VAULT, PLACE, 5, &"five").unwrap();
    let path = only_file(&heads);
    let content = fs::read_to_string(&path).unwrap();
    for damaged in [
        "{".to_owned(),
        content.replace("a5a5", "a5a6"),
        content.replace("srv", "mnt"),
        content.replace("\"seq\"", "\"Seq\""),
        content[..content.len() / 2].to_owned(),
    ] {
        fs::write(&path, &damaged).unwrap();
        let error = heads.get::<String>(&VAULT, PLACE).unwrap_err();
        assert_eq!(error.code(), "state_unreadable", "{damaged}");
        let error = heads.remember(&VAULT, PLACE, 6, &"six").unwrap_err();
        assert_eq!(error.code(), "state_unreadable", "{damaged}");
    }
    assert!(heads.forget(&VAULT, PLACE).unwrap());
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let (_dir, heads) = heads();
    heads.remember(&VAULT, PLACE, 5, &"five").unwrap();
    let path = only_file(&heads);
    // Spaces: it would be sound otherwise.
    let content = fs::read_to_string(&path).unwrap() + &" ".repeat(64 * 1024);
    fs::write(&path, content).unwrap();
    let error = heads.get::<String>(&VAULT, PLACE).unwrap_err();
    assert_eq!(error.code(), "state_unreadable");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_state_file_and_nothing_waits_for_it() {
    let (_dir, heads) = heads();
    heads.remember(&VAULT, PLACE, 5, &"five").unwrap();
    let path = only_file(&heads);
    fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let error = heads.get::<String>(&VAULT, PLACE).unwrap_err();
    assert_eq!(error.code(), "not_a_file");
    let error = heads.remember(&VAULT, PLACE, 6, &"six").unwrap_err();
    assert_eq!(error.code(), "not_a_file");
}

#[test]
fn what_a_power_failure_leaves_is_nothing() {
    let (_dir, heads) = heads();
    heads.remember(&VAULT, PLACE, 5, &"five").unwrap();
    let path = only_file(&heads);
    for blank in [&b""[..], &[0; 100]] {
        fs::write(&path, blank).unwrap();
        assert_eq!(get(&heads), None);
    }
    assert!(heads.remember(&VAULT, PLACE, 6, &"six").unwrap());
    assert_eq!(get(&heads).as_deref(), Some("six"));
}

#[test]
fn writers_at_the_same_time_leave_a_whole_head_that_was_seen() {
    let (_dir, heads) = heads();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let heads = &heads;
            scope.spawn(move || {
                for step in 0..100 {
                    let seq = step * 4 + thread;
                    heads
                        .remember(&VAULT, PLACE, seq, &seq.to_string())
                        .unwrap();
                }
            });
        }
    });
    let seen: u64 = get(&heads).unwrap().parse().unwrap();
    assert!(seen < 400);
    only_file(&heads);
}
