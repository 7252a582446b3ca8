//! Ends of a file that were being written when their writer died, and ends that only look like it
//! (docs/format.md section 7.1).

use super::Cases;
use super::commits::refix;
use crate::crypto::aead::OVERHEAD;
use crate::error::Code;
use crate::format::commit::{ENTRY_LEN, FIXED_LEN};
use crate::vault::KnownHead;
use crate::vault::forge::{Team, host};

pub(super) fn make(cases: &mut Cases) {
    zeros(cases);
    blocks(cases);
}

/// A vault whose last commit has no part of a block that a few zeros fill, in its fixed part or at its end; and
/// where that commit begins, and the head before it.
fn in_whole_blocks() -> (Team, usize, KnownHead) {
    let some = |others: usize| {
        let mut team = Team::solo();
        for number in 0..others {
            team.add(&format!("y{number}"), &[]);
        }
        let at = team.file.len();
        let known = team.vault.known_head();
        team.update("x", "APIKey", "b");
        (team, at, known)
    };
    let is_whole = |(team, at, _): &(Team, usize, KnownHead)| {
        at % 512 + FIXED_LEN < 512 && team.file.len() % 512 > 64
    };
    (0..).map(some).find(is_whole).unwrap()
}

/// A file that opens without a torn tail, and whose connector `x` is damaged.
fn damaged(cases: &mut Cases, name: &'static str, rule: &str, team: &Team, file: Vec<u8>) {
    let vault = cases.opens(name, rule, team, file).open().unwrap();
    assert!(vault.report().torn.is_none(), "{name}");
    assert_eq!(vault.read("x").unwrap_err().code(), Code::Damaged, "{name}");
}

fn zeros(cases: &mut Cases) {
    let (team, at, known) = in_whole_blocks();
    // Behind the page of one entry, the length of the overviews, the body hash and the signature.
    let records = at + FIXED_LEN + 4 + OVERHEAD + ENTRY_LEN + 8 + 32 + 64;
    let end = team.file.len();

    let mut torn = |name, rule: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = team.file.clone();
        change(&mut file);
        cases.opens(name, rule, &team, file);
    };
    torn(
        "torn-first-byte",
        "fewer than 59 bytes at the end are torn",
        &|file| file.truncate(at + 1),
    );
    torn(
        "torn-before-the-check",
        "fewer than 59 bytes at the end are torn, whatever they are",
        &|file| file.truncate(at + 58),
    );
    torn(
        "torn-body-missing",
        "a commit without its body is torn",
        &|file| file.truncate(at + FIXED_LEN),
    );
    torn(
        "torn-body-short",
        "a commit whose body is short is torn",
        &|file| file.truncate(end - 1),
    );
    torn(
        "torn-zeros-from-the-start",
        "zeros where a commit would begin are torn",
        &|file| file[at..].fill(0),
    );
    torn(
        "torn-zeros-in-the-fixed-part",
        "zeros from a point inside the fixed part on are torn",
        &|file| file[at + 20..].fill(0),
    );
    torn(
        "torn-zeros-in-the-page",
        "a sound fixed part before zeros is torn",
        &|file| file[at + FIXED_LEN + 2..].fill(0),
    );
    torn(
        "torn-zeros-in-the-signature",
        "a sound page before zeros is torn, for its records do not have the body hash",
        &|file| file[records - 9..].fill(0),
    );
    torn(
        "torn-zeros-in-the-records",
        "a body that ends in 8 zeros and does not have its hash is torn",
        &|file| file[end - 8..].fill(0),
    );
    torn(
        "torn-zeros-behind-the-end",
        "zeros behind the last commit are torn",
        &|file| file.resize(end + 100, 0),
    );
    torn(
        "torn-zeros-in-the-records-and-behind",
        "a record that ends in zeros with zeros behind it is torn",
        &|file| {
            file[end - 8..].fill(0);
            file.resize(end + 7, 0);
        },
    );

    let mut refuse = |name, rule: &str, code, change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = team.file.clone();
        change(&mut file);
        cases.refused(name, rule, &team, file, code);
    };
    use Code::Damaged;
    refuse(
        "not-torn-7-zeros-in-the-fixed-part",
        "a check that does not hold before fewer than 8 zeros is not torn",
        Damaged,
        &|file| {
            file.truncate(at + FIXED_LEN);
            file[at + FIXED_LEN - 7..].fill(0);
            file[at + FIXED_LEN - 8] |= 1;
        },
    );
    refuse(
        "not-torn-zeros-behind-the-fixed-part",
        "a check that does not hold before zeros that begin behind the fixed part is not torn",
        Damaged,
        &|file| {
            file[at + 58] ^= 0xff;
            file[at + FIXED_LEN..].fill(0);
        },
    );
    refuse(
        "not-torn-seq-other",
        "a commit with another seq is not torn",
        Damaged,
        &|file| {
            refix(file, at, |fixed| fixed[9] = 9);
            file.truncate(end - 1);
        },
    );
    refuse(
        "not-torn-prev-other",
        "a commit with another prev is not torn",
        Damaged,
        &|file| {
            refix(file, at, |fixed| fixed[17] ^= 1);
            file.truncate(end - 1);
        },
    );
    let mut file = team.file.clone();
    file[end - 7..].fill(0);
    file[end - 8] |= 1;
    damaged(
        cases,
        "not-torn-7-zeros",
        "a record that ends in fewer than 8 zeros is damaged, not torn",
        &team,
        file,
    );
    let mut longer = Team::solo();
    longer.update("x", "APIKey", "b");
    let end = longer.file.len();
    longer.add("y", &[]);
    let mut file = longer.file.clone();
    file[end - 8..end].fill(0);
    damaged(
        cases,
        "not-torn-body-of-an-older-commit",
        "what another commit follows is damaged, not torn",
        &longer,
        file,
    );
    let end = team.file.len();

    let mut file = team.file.clone();
    file.truncate(end - 1);
    cases
        .refused(
            "torn-known-head",
            "a known head in the torn tail was acknowledged: the vault went back",
            &team,
            file.clone(),
            Code::RolledBack,
        )
        .known(&team.vault.known_head());
    cases
        .opens(
            "torn-behind-the-known-head",
            "a known head before the torn tail stands",
            &team,
            file,
        )
        .known(&known);
}

/// Where the block of 512 bytes begins that `at` lies in.
fn block(at: usize) -> usize {
    at / 512 * 512
}

/// Blocks of the file that never reached the disk.
fn blocks(cases: &mut Cases) {
    // In a file without key slots and in one with a key slot, whose log begins elsewhere.
    for (team, name) in [
        (Team::alone(), "torn-block-at-the-start"),
        (
            Team::founded(7, Some("correct horse")),
            "torn-block-at-the-start-behind-key-slots",
        ),
    ] {
        let (team, at) = long(team);
        let mut file = team.file.clone();
        file[at..block(at) + 512].fill(0);
        let rule = "a commit is torn if its part of the block in which it begins is zero";
        cases.opens(name, rule, &team, file);
    }

    let (team, at) = long(Team::alone());
    let end = team.file.len();
    // The second block behind the one in which it begins: no header, table or signature is in there.
    let middle = block(at) + 1024;
    assert!(middle + 513 < block(end), "it lies wholly in the commit");
    let mut torn = |name, rule: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = team.file.clone();
        change(&mut file);
        cases.opens(name, rule, &team, file);
    };
    torn(
        "torn-block-in-the-middle",
        "a commit is torn if a block of the file inside it is zero",
        &|file| file[middle..middle + 512].fill(0),
    );
    torn(
        "torn-block-in-the-middle-and-zeros-behind",
        "a commit with a block of zeros is torn, with zeros behind it too",
        &|file| {
            file[middle..middle + 512].fill(0);
            file.resize(block(end) + 4096, 0);
        },
    );
    torn(
        "torn-block-only-the-last",
        "a commit is torn if only its last block is there",
        &|file| file[at..block(end)].fill(0),
    );
    let mut refuse = |name, rule: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = team.file.clone();
        change(&mut file);
        cases.refused(name, rule, &team, file, Code::Damaged);
    };
    refuse(
        "not-torn-block-at-the-start-but-one-byte",
        "a commit whose part of the block in which it begins is zero but for one byte is not torn",
        &|file| {
            file[at..block(at) + 512].fill(0);
            file[at] = 1;
        },
    );
    let mut file = team.file.clone();
    file[middle + 1..middle + 513].fill(0);
    file[middle] |= 1;
    file[middle + 513] |= 1;
    damaged(
        cases,
        "not-torn-block-out-of-place",
        "512 zeros that do not begin where a block of the file does are damage, not torn",
        &team,
        file,
    );
    let mut file = team.file.clone();
    file[middle..middle + 512].fill(0);
    file[middle + 255] = 1;
    damaged(
        cases,
        "not-torn-block-but-one-byte",
        "a block in which one byte is not zero is damaged, not torn",
        &team,
        file,
    );
    let mut file = team.file.clone();
    file[at..block(at) + 512].fill(0);
    let known = team.vault.known_head();
    cases
        .refused(
            "torn-block-known-head",
            "a known head in a commit that lost a block was acknowledged: the vault went back",
            &team,
            file,
            Code::RolledBack,
        )
        .known(&known);

    let mut followed = team;
    followed.add("y", &[]);
    let without = |from: usize| {
        let mut file = followed.file.clone();
        file[from..block(from) + 512].fill(0);
        file
    };
    cases.refused(
        "not-torn-block-at-the-start-of-a-commit-before",
        "a commit that lost the block in which it begins is not torn if another one follows",
        &followed,
        without(at),
        Code::Damaged,
    );
    damaged(
        cases,
        "not-torn-block-of-a-commit-before",
        "a commit that lost a block is damaged, not torn, if another one follows",
        &followed,
        without(middle),
    );

    // Many entries: a block lies wholly in the page, which nobody without keys could judge but by the body hash.
    let mut team = Team::alone();
    let at = team.file.len();
    let plans = (0..12).map(|number| team.plan_add(&format!("y{number}"), &[]));
    let plans = plans.collect();
    let prepared = team.vault.prepare_all(plans, &mut host(&mut team.rng));
    team.store(prepared.unwrap());
    let page = block(at + FIXED_LEN + 4) + 512;
    assert!(page + 512 < at + FIXED_LEN + 4 + OVERHEAD + 12 * ENTRY_LEN);
    let mut file = team.file.clone();
    file[page..page + 512].fill(0);
    cases.opens(
        "torn-block-in-a-page",
        "a commit is torn if a block inside its page is zero",
        &team,
        file,
    );

    let (team, at) = ending_at(1..8);
    let mut file = team.file.clone();
    let end = file.len();
    assert!(block(end) > at, "it lies in two blocks");
    file[block(end)..].fill(0);
    cases.opens(
        "torn-block-of-few-bytes",
        "a commit is torn if its part of the block in which it ends is zero, however short that is",
        &team,
        file,
    );
}

/// A team whose last commit is longer than four blocks, and where that begins.
fn long(mut team: Team) -> (Team, usize) {
    team.add("x", &[("APIKey", "a")]);
    let at = team.file.len();
    team.update("x", "APIKey", &"b".repeat(2000));
    (team, at)
}

/// A team whose file ends so many bytes behind the start of a block, and where its last commit
/// begins.
fn ending_at(bytes: std::ops::Range<usize>) -> (Team, usize) {
    // Lengths are padded, so a commit moves the end by one of a few distances.
    for updates in 1..33 {
        for len in [1, 65, 129, 193, 257, 321, 385, 449] {
            let mut team = Team::solo();
            for _ in 1..updates {
                team.update("x", "APIKey", "b");
                team.update("x", "APIKey", "c");
            }
            let at = team.file.len();
            team.update("x", "APIKey", &"d".repeat(len));
            if bytes.contains(&(team.file.len() % 512)) {
                return (team, at);
            }
        }
    }
    panic!("no file ends there");
}

/// Whichever blocks of the newest commit a power failure has taken: the commit is torn, for who opens
/// the file and for who follows it, also behind commits that were followed before.
#[test]
fn any_missing_blocks_of_the_newest_commit_are_torn() {
    let mut team = Team::solo();
    let mut vault = team.open_as("ops");
    let followed = team.file.len();
    for value in ["b", "c"] {
        team.update("x", "APIKey", value);
    }
    vault.refresh(team.file[followed..].to_vec()).unwrap();
    let at = team.file.len();
    team.update("x", "APIKey", &"d".repeat(2000));
    let end = team.file.len();
    let starts: Vec<usize> = (block(at)..end).step_by(512).collect();
    assert!(starts.len() > 5);
    for missing in 1..1 << starts.len() {
        let mut file = team.file.clone();
        for (number, start) in starts.iter().enumerate() {
            if missing >> number & 1 == 1 {
                file[(*start).max(at)..(start + 512).min(end)].fill(0);
            }
        }
        let tail = file[at..].to_vec();
        let opened = team.open_file(file, team.identity("ops")).unwrap();
        let torn = opened.report().torn.map(|torn| torn.offset);
        assert_eq!(torn, Some(at as u64), "{missing:b}");
        let refreshed = vault.refresh(tail).unwrap();
        assert_eq!(refreshed.commits, 0, "{missing:b}");
        assert_eq!(refreshed.torn.map(|torn| torn.offset), Some(0));
    }
    assert_eq!(vault.refresh(team.file[at..].to_vec()).unwrap().commits, 1);
}
