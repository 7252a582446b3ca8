//! Commits whose structure or chain does not hold (docs/format.md section 6).

use super::Cases;
use crate::crypto::sha256;
use crate::error::Code;
use crate::format::commit::FIXED_LEN;
use crate::vault::forge::{Snapshot, Team, commit_of};

/// Where the log begins in a file without key slots.
pub(super) const LOG: usize = 14;

/// Changes the fixed part of the commit at `at`, and makes its check hold again.
pub(super) fn refix(file: &mut [u8], at: usize, change: impl FnOnce(&mut [u8])) {
    let (checked, check) = file[at..at + FIXED_LEN].split_at_mut(51);
    change(checked);
    check.copy_from_slice(&sha256(checked)[..8]);
}

fn set_len(fixed: &mut [u8], by: i64) {
    let len = u64::from_le_bytes(fixed[..8].try_into().unwrap());
    fixed[..8].copy_from_slice(&len.saturating_add_signed(by).to_le_bytes());
}

pub(super) fn make(cases: &mut Cases) {
    fixed(cases);
    snapshots(cases);
    tables(cases);
}

fn fixed(cases: &mut Cases) {
    let team = Team::solo();
    let second = Team::alone().file.len();
    let mut refuse = |name, rule: &str, code, change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = team.file.clone();
        change(&mut file);
        cases.refused(name, rule, &team, file, code);
    };
    use Code::{Damaged, UnsupportedVersion};
    refuse(
        "check-wrong-first",
        "the check of the first commit's fixed part holds",
        Damaged,
        &|file| file[LOG + 51] ^= 1,
    );
    refuse(
        "check-wrong",
        "the check of a later commit's fixed part holds",
        Damaged,
        &|file| file[second + 51] ^= 1,
    );
    refuse(
        "kind-unknown",
        "a commit of an unknown kind is of a later version",
        UnsupportedVersion,
        &|file| refix(file, second, |fixed| fixed[8] = 3),
    );
    refuse(
        "seq-skipped",
        "a seq is one more than the seq before",
        Damaged,
        &|file| refix(file, second, |fixed| fixed[9] = 2),
    );
    refuse("seq-repeated", "a seq is not repeated", Damaged, &|file| {
        refix(file, second, |fixed| fixed[9] = 0)
    });
    refuse(
        "prev-other",
        "prev is the hash of the commit before",
        Damaged,
        &|file| refix(file, second, |fixed| fixed[17] ^= 1),
    );
    refuse(
        "first-commit-changes",
        "the first commit is a snapshot",
        Damaged,
        &|file| drop(file.drain(LOG..second)),
    );
    refuse(
        "first-commit-cut-short",
        "the first commit is never torn",
        Damaged,
        &|file| file.truncate(second - 1),
    );
    refuse(
        "first-commit-shorter-than-fixed",
        "the first commit is never torn",
        Damaged,
        &|file| file.truncate(LOG + 58),
    );
    refuse(
        "first-commit-zeros",
        "the first commit is never torn",
        Damaged,
        &|file| file[LOG..].fill(0),
    );
    refuse(
        "length-below-the-table",
        "a commit is at least as long as its table says",
        Damaged,
        &|file| {
            refix(file, second, |fixed| set_len(fixed, -1));
        },
    );
    refuse(
        "length-above-the-table",
        "nothing stands behind the records of a commit",
        Damaged,
        &|file| {
            refix(file, second, |fixed| set_len(fixed, 1));
            file.push(0xff);
        },
    );
    refuse(
        "length-beyond-64-bits",
        "a length is compared with the bytes that are there",
        Damaged,
        &|file| {
            file.truncate(second);
            refix(file, LOG, |fixed| fixed[..8].fill(0xff));
        },
    );
    let snapshot = team.snapshot().file();
    refuse(
        "snapshot-behind-a-commit",
        "only the first commit is a snapshot",
        Damaged,
        &|file| file.extend(&snapshot[LOG..]),
    );

    let mut team = Team::solo();
    let second = team.file.len();
    team.update("x", "APIKey", "b");
    let mut file = team.file.clone();
    file[second + FIXED_LEN + 4 + 36 + 63] ^= 0x80;
    cases.refused(
        "signature-changed",
        "a signature verifies",
        &team,
        file.clone(),
        Code::BadSignature,
    );
    team.update("x", "APIKey", "c");
    let mut file = team.file.clone();
    file[second + FIXED_LEN + 4 + 36] ^= 1;
    cases.refused(
        "older-signature-changed",
        "the chain covers signatures: the next commit names another one",
        &team,
        file,
        Code::Damaged,
    );
}

fn snapshots(cases: &mut Cases) {
    let team = Team::solo();
    let mut refuse = |name,
                      rule: &str,
                      code,
                      change: &dyn Fn(&mut Snapshot),
                      patch: &dyn Fn(&mut [u8], usize)| {
        let mut snapshot = team.snapshot();
        change(&mut snapshot);
        let mut file = snapshot.file();
        patch(&mut file, LOG + FIXED_LEN);
        cases.refused(name, rule, &team, file, code);
    };
    use Code::{Damaged, LimitExceeded};
    refuse(
        "seq-zero-with-prev",
        "the commit that creates a vault names none before it",
        Damaged,
        &|snapshot| {
            snapshot.set_seq(0);
            snapshot.superseded.clear();
        },
        &|_, _| {},
    );
    refuse(
        "seq-over-limit",
        "a seq is at most 2^53 - 1",
        Damaged,
        &|snapshot| snapshot.set_seq(1 << 53),
        &|_, _| {},
    );
    refuse(
        "header-over-limit",
        "a header has at most 4 MiB",
        LimitExceeded,
        &|_| {},
        &|file, at| {
            file[at..at + 4].copy_from_slice(&(4 * 1024 * 1024 + 1u32).to_le_bytes());
        },
    );
    refuse(
        "header-past-end",
        "a header ends within its commit",
        Damaged,
        &|_| {},
        &|file, at| {
            file[at..at + 4].copy_from_slice(&(4 * 1024 * 1024u32).to_le_bytes());
        },
    );
    refuse(
        "superseded-more-than-seq",
        "there are no more superseded commits than commits before",
        Damaged,
        &|snapshot| {
            let last = snapshot.prev;
            snapshot.superseded = vec![[1; 32], [2; 32], last];
        },
        &|_, _| {},
    );
    refuse(
        "superseded-not-prev",
        "the newest superseded commit is the one before",
        Damaged,
        &|snapshot| {
            snapshot.superseded = vec![[1; 32]];
        },
        &|_, _| {},
    );
    let count_at = |file: &[u8], at: usize| {
        let len = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        at + 4 + len as usize + 64
    };
    refuse(
        "superseded-over-limit",
        "a snapshot lists at most 16,384 superseded commits",
        Damaged,
        &|snapshot| snapshot.set_seq(1 << 20),
        &|file, at| {
            let at = count_at(file, at);
            file[at..at + 4].copy_from_slice(&16_385u32.to_le_bytes());
        },
    );
    refuse(
        "superseded-past-end",
        "the superseded commits end within their commit",
        Damaged,
        &|snapshot| snapshot.set_seq(1 << 20),
        &|file, at| {
            let at = count_at(file, at);
            file[at..at + 4].copy_from_slice(&16_384u32.to_le_bytes());
        },
    );
}

fn tables(cases: &mut Cases) {
    let team = Team::solo();
    let table = Team::alone().file.len() + FIXED_LEN;
    let mut refuse = |name, rule: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = team.file.clone();
        change(&mut file);
        cases.refused(name, rule, &team, file, Code::Damaged);
    };
    refuse(
        "table-past-end",
        "the table ends within its commit",
        &|file| file[table..table + 4].fill(0xff),
    );
    refuse(
        "table-shorter-than-records",
        "the table lists every record",
        &|file| file[table] = 0,
    );
    refuse(
        "record-shorter-than-4",
        "a record has at least 4 bytes",
        &|file| {
            file[table + 4..table + 8].copy_from_slice(&3u32.to_le_bytes());
        },
    );
    refuse(
        "record-over-limit",
        "a record has at most 16 MiB",
        &|file| {
            file[table + 4..table + 8].copy_from_slice(&(16 * 1024 * 1024 + 1u32).to_le_bytes());
        },
    );
    refuse(
        "record-past-end",
        "the records are as long as the table says",
        &|file| file[table + 4] ^= 1,
    );

    let past_end = [&100u32.to_le_bytes()[..], b"too short"].concat();
    let file = [team.file.as_slice(), &commit_of(&team.vault, &[&past_end])].concat();
    cases.refused(
        "record-overview-past-end",
        "an overview ends within its record",
        &team,
        file,
        Code::Damaged,
    );

    let mut file = team.file.clone();
    *file.last_mut().unwrap() ^= 1;
    let offset = format!("offset {}", table + 4 + 36 + 64);
    cases
        .refused(
            "record-damaged",
            "a record has the hash of its table: the error names offset, seq and connector",
            &team,
            file.clone(),
            Code::Damaged,
        )
        .says(&offset);
    cases
        .opens(
            "record-damaged-tolerant",
            "a tolerant reader goes on without a damaged record",
            &team,
            file,
        )
        .tolerant = true;

    let mut later = Team::solo();
    later.update("x", "APIKey", "b");
    let mut file = later.file.clone();
    file[table + 4 + 36 + 64 + 8] ^= 1;
    cases.refused(
        "record-damaged-overview",
        "a damaged overview condemns its record",
        &later,
        file.clone(),
        Code::Damaged,
    );
    cases
        .opens(
            "record-damaged-then-updated-tolerant",
            "behind a damaged record a version may be skipped",
            &later,
            file,
        )
        .tolerant = true;
}
