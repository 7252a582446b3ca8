//! Commits whose structure or chain does not hold (docs/format.md section 6).

use super::Cases;
use crate::crypto::sha256;
use crate::error::Code;
use crate::format::commit::FIXED_LEN;
use crate::vault::forge::{Changes, Snapshot, Team, forge_record, some_secrets};
use crate::vault::index::Place;

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
    adopted(cases);
    parts(cases);
    index(cases);
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
        "length-below-the-parts",
        "the length of a commit is signed",
        Code::BadSignature,
        &|file| {
            refix(file, second, |fixed| set_len(fixed, -1));
        },
    );
    refuse(
        "length-above-the-parts",
        "the length of a commit is signed: nothing is added to its secrets",
        Code::BadSignature,
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
    file[second + FIXED_LEN + 4 + 160 + 8 + 32 + 63] ^= 0x80;
    cases.refused(
        "signature-changed",
        "a signature verifies",
        &team,
        file.clone(),
        Code::BadSignature,
    );
    team.update("x", "APIKey", "c");
    let mut file = team.file.clone();
    file[second + FIXED_LEN + 4 + 160 + 8 + 32] ^= 1;
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
        &|snapshot| {
            snapshot.set_seq(1 << 53);
            snapshot.superseded.clear();
        },
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
        "superseded-none",
        "a snapshot lists the commits before it",
        Damaged,
        &|snapshot| snapshot.superseded.clear(),
        &|_, _| {},
    );
    refuse(
        "superseded-too-few",
        "a snapshot lists as many commits as came before it, up to 16,384",
        Damaged,
        &|snapshot| {
            snapshot.set_seq(3);
            snapshot.superseded.remove(0);
        },
        &|_, _| {},
    );
    refuse(
        "superseded-more-than-seq",
        "there are no more superseded commits than commits before",
        Damaged,
        &|snapshot| snapshot.superseded.insert(0, [1; 32]),
        &|_, _| {},
    );
    refuse(
        "superseded-last-other",
        "the newest superseded commit is the one before",
        Damaged,
        &|snapshot| *snapshot.superseded.last_mut().unwrap() = [1; 32],
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
        &|snapshot| {
            snapshot.set_seq(1 << 20);
            snapshot.superseded.clear();
        },
        &|file, at| {
            let at = count_at(file, at);
            file[at..at + 4].copy_from_slice(&16_385u32.to_le_bytes());
        },
    );
    refuse(
        "superseded-past-end",
        "the superseded commits end within their commit",
        Damaged,
        &|snapshot| {
            snapshot.set_seq(1 << 20);
            snapshot.superseded.clear();
        },
        &|file, at| {
            let at = count_at(file, at);
            file[at..at + 4].copy_from_slice(&16_384u32.to_le_bytes());
        },
    );
}

/// Lists of adopted commits.
fn adopted(cases: &mut Cases) {
    let team = Team::solo();
    let adopted = |seq: u64, hash| {
        let mut adopted = [hash; 40];
        adopted[..8].copy_from_slice(&seq.to_le_bytes());
        adopted
    };
    let mut refuse = |name, rule: &str, list: &[[u8; 40]]| {
        let mut snapshot = team.snapshot();
        snapshot.adopted = list.to_vec();
        cases.refused(name, rule, &team, snapshot.file(), Code::Damaged);
    };
    refuse(
        "adopted-not-ascending",
        "adopted commits ascend by seq, then by hash",
        &[adopted(1, 2), adopted(1, 1)],
    );
    refuse(
        "adopted-twice",
        "an adopted commit stands in the list once",
        &[adopted(1, 1), adopted(1, 1)],
    );
    refuse(
        "adopted-seq-over-limit",
        "the seq of an adopted commit is at most 2^53 - 1",
        &[adopted(1 << 53, 1)],
    );
    let snapshot = team.snapshot();
    let mut file = snapshot.file();
    let len = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let superseded = LOG + FIXED_LEN + 4 + len(LOG + FIXED_LEN) + 64;
    let at = superseded + 4 + 32 * len(superseded);
    file[at..at + 4].copy_from_slice(&16_385u32.to_le_bytes());
    cases.refused(
        "adopted-over-limit",
        "a snapshot lists at most 16,384 adopted commits",
        &team,
        file,
        Code::Damaged,
    );
}

/// Pages, bodies and the lengths of the parts.
fn parts(cases: &mut Cases) {
    let team = Team::solo();
    let page = Team::alone().file.len() + FIXED_LEN;
    let mut refuse = |name, rule: &str, code, change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = team.file.clone();
        change(&mut file);
        cases.refused(name, rule, &team, file, code);
    };
    use Code::{Damaged, UnauthorizedCommit};
    let set = |file: &mut Vec<u8>, at: usize, len: u32| {
        file[at..at + 4].copy_from_slice(&len.to_le_bytes());
    };
    refuse(
        "page-length",
        "a page of changes is as long as some entries are",
        Damaged,
        &|file| set(file, page, 161),
    );
    refuse(
        "page-empty",
        "a page of changes has an entry",
        Damaged,
        &|file| set(file, page, 40),
    );
    refuse(
        "page-past-end",
        "a page ends within its commit",
        Damaged,
        &|file| set(file, page, 40 + 120 * 1000),
    );
    refuse(
        "page-over-limit",
        "a page of changes has at most 131,072 entries",
        Damaged,
        &|file| set(file, page, 40 + 120 * 131_073),
    );
    refuse(
        "overviews-past-end",
        "the overviews end within their commit",
        Damaged,
        &|file| file[page + 4 + 160..page + 4 + 164].fill(0xff),
    );

    let mut team = Team::solo();
    let record = forge_record(&team.vault, &mut team.rng, |_| {}, some_secrets());
    let mut refuse = |name, rule: &str, change: &dyn Fn(&mut Changes)| {
        let mut changes = Changes::of(&team.vault, &[&record]);
        change(&mut changes);
        let file = [team.file.as_slice(), &changes.bytes()].concat();
        cases.refused(name, rule, &team, file, UnauthorizedCommit);
    };
    refuse(
        "changes-page-of-another-seq",
        "a page of changes is sealed for the seq of its commit",
        &|changes| changes.place = Place::Changes(changes.seq + 1),
    );
    refuse(
        "changes-page-from-a-snapshot",
        "a page of a snapshot is no page of changes",
        &|changes| changes.place = Place::Page(changes.seq, 0),
    );
    refuse(
        "changes-page-does-not-fit",
        "the records of a page end where the commit does",
        &|changes| changes.secrets.push(0),
    );
    refuse(
        "changes-overviews-do-not-fit",
        "the overviews of a page end where the secrets begin",
        &|changes| {
            let moved = changes.secrets.remove(0);
            changes.overviews.push(moved);
        },
    );
    refuse(
        "changes-entry-op-unknown",
        "an op is one of those that the table lists",
        &|changes| changes.page[26] = 9,
    );
    refuse(
        "changes-entry-byte-not-zero",
        "byte 27 of an entry is zero",
        &|changes| changes.page[27] = 1,
    );
    refuse("changes-version-zero", "versions begin at 1", &|changes| {
        changes.page[16..24].fill(0)
    });
    refuse(
        "changes-group-unknown",
        "an entry names a group of the header",
        &|changes| changes.page[24] = 1,
    );
    refuse(
        "changes-overview-too-short",
        "a sealed overview has at least 106 bytes",
        &|changes| changes.page[48..52].copy_from_slice(&105u32.to_le_bytes()),
    );
    refuse(
        "changes-overview-too-long",
        "a sealed overview has at most 1 MiB",
        &|changes| changes.page[48..52].copy_from_slice(&(1024 * 1024 + 1u32).to_le_bytes()),
    );
    refuse(
        "changes-secrets-too-short",
        "sealed secrets have at least 58 bytes",
        &|changes| changes.page[52..56].copy_from_slice(&57u32.to_le_bytes()),
    );
    refuse(
        "changes-delete-with-secrets",
        "a delete has no secrets",
        &|changes| changes.page[26] = 7,
    );
    refuse(
        "changes-restore-with-hint",
        "a restore has no request id",
        &|changes| (changes.page[26], changes.page[28]) = (4, 1),
    );
    refuse(
        "changes-describe-with-hint",
        "a describe has no request id",
        &|changes| (changes.page[26], changes.page[28]) = (5, 1),
    );
}

/// The directory and the pages of a snapshot.
fn index(cases: &mut Cases) {
    let mut team = Team::solo();
    team.update("x", "APIKey", "b");
    let mut refuse = |name, rule: &str, change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = team.snapshot();
        change(&mut snapshot);
        cases.refused(name, rule, &team, snapshot.file(), Code::Damaged);
    };
    refuse(
        "directory-of-another-seq",
        "a directory is sealed for the seq of its snapshot",
        &|snapshot| snapshot.places[1] = Place::Directory(snapshot.seq + 1),
    );
    refuse(
        "directory-first-base",
        "the records of the first page begin where the parts do",
        &|snapshot| snapshot.change_directory = |directory| directory[4 + 24] = 1,
    );
    refuse(
        "directory-connectors",
        "there are no more connectors than versions",
        &|snapshot| snapshot.change_directory = |directory| directory[0] = 3,
    );
    refuse(
        "directory-length",
        "a directory is as long as some pages make it",
        &|snapshot| snapshot.change_directory = |directory| directory.push(0),
    );
    refuse(
        "pages-length",
        "the pages are as long as the directory says",
        &|snapshot| snapshot.change_directory = |directory| directory.truncate(4),
    );
    refuse(
        "directory-no-page-but-records",
        "where there is no page there is no record",
        &|snapshot| {
            snapshot.change_page = Vec::clear;
            snapshot.change_directory = |directory| directory.fill(0);
        },
    );

    let mut opens = |name, rule: &str, change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = team.snapshot();
        change(&mut snapshot);
        let vector = cases.opens(name, rule, &team, snapshot.file());
        let found = vector.open().unwrap().read("x").unwrap_err();
        assert_eq!(found.code(), Code::Damaged, "{name}");
    };
    opens(
        "page-of-another-number",
        "a page is sealed for its number",
        &|snapshot| snapshot.places[0] = Place::Page(snapshot.seq, 1),
    );
    opens(
        "page-entry-op-unknown",
        "an op is one of those that the table lists",
        &|snapshot| snapshot.change_page = |page| page[26] = 9,
    );
    opens(
        "page-entry-byte-not-zero",
        "byte 27 of an entry is zero",
        &|snapshot| snapshot.change_page = |page| page[27] = 1,
    );
    opens(
        "page-entry-overview-too-short",
        "a sealed overview has at least 106 bytes",
        &|snapshot| snapshot.change_page = |page| page[48..52].copy_from_slice(&[105, 0, 0, 0]),
    );
    opens(
        "page-group-unknown",
        "an entry names a group of the header",
        &|snapshot| snapshot.change_page = |page| page[24] = 1,
    );
    opens(
        "page-entries-not-ascending",
        "the entries of a page ascend by tag and version",
        &|snapshot| snapshot.records.reverse(),
    );
    opens("page-version-twice", "a version stands once", &|snapshot| {
        snapshot.records[1] = snapshot.records[0].clone()
    });
    opens(
        "page-does-not-fit",
        "the records of a page end where its parts do",
        &|snapshot| {
            snapshot.change_page = |page| {
                let len = u32::from_le_bytes(page[52..56].try_into().unwrap());
                page[52..56].copy_from_slice(&(len - 1).to_le_bytes());
            };
        },
    );

    // Bytes that changed afterwards.
    let snapshot = team.snapshot().file();
    let len = |at: usize| u32::from_le_bytes(snapshot[at..at + 4].try_into().unwrap()) as usize;
    let superseded = LOG + FIXED_LEN + 4 + len(LOG + FIXED_LEN) + 64;
    let directory = superseded + 4 + 32 * len(superseded) + 4;
    let page = directory + 4 + len(directory) + 8 + 8 + 64;
    let mut file = snapshot.clone();
    file[page + 100] ^= 1;
    let vector = cases.opens(
        "page-damaged",
        "a page has the hash that the directory says: its connectors are damaged, no others",
        &team,
        file,
    );
    let found = vector.open().unwrap().read("x").unwrap_err();
    assert_eq!(found.code(), Code::Damaged);
    let mut file = snapshot;
    file[directory + 4 + 30] ^= 1;
    cases.refused(
        "directory-damaged",
        "the directory is what its author signed",
        &team,
        file,
        Code::BadSignature,
    );
}
