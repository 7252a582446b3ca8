//! Ends of a file that were being written when their writer died, and ends that only look like it
//! (docs/format.md section 7.1).

use super::Cases;
use super::commits::refix;
use crate::error::Code;
use crate::format::commit::FIXED_LEN;
use crate::vault::forge::Team;

pub(super) fn make(cases: &mut Cases) {
    let before = Team::solo();
    let at = before.file.len();
    let mut team = Team::solo();
    team.update("x", "APIKey", "b");
    let records = at + FIXED_LEN + 4 + 36 + 64;
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
        "torn-zeros-in-the-table",
        "a sound fixed part before zeros is torn",
        &|file| file[at + FIXED_LEN + 2..].fill(0),
    );
    torn(
        "torn-zeros-in-the-signature",
        "a sound table before zeros is torn, for its records do not have their hashes",
        &|file| file[records - 9..].fill(0),
    );
    torn(
        "torn-zeros-in-the-records",
        "a record that ends in 8 zeros and does not have its hash is torn",
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
        "not-torn-7-zeros",
        "a record that ends in fewer than 8 zeros is not torn",
        Damaged,
        &|file| {
            file[end - 7..].fill(0);
            file[end - 8] |= 1;
        },
    );
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
    let mut longer = Team::solo();
    longer.update("x", "APIKey", "b");
    longer.update("x", "APIKey", "c");
    let mut file = longer.file.clone();
    file[end - 8..end].fill(0);
    cases.refused(
        "not-torn-in-the-middle",
        "what another commit follows is not torn",
        &longer,
        file,
        Damaged,
    );

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
        .known(&before.vault.known_head());
}
