//! Damaged files for repair (docs/format.md section 12): what storage, discarded copies and former members put there.

use super::Cases;
use crate::crypto::sha256;
use crate::format::commit::{Commit, FIXED_LEN, Fixed, Kind};
use crate::format::split_file;
use crate::log::KnownHead;
use crate::role::Role;
use crate::vault::Retention;
use crate::vault::forge::{
    Changes, Counter, Facts, Team, commit_of, forge_plaintexts, forge_record, seal, some_secrets,
};
use crate::vault::index::Place;

pub(super) fn make(cases: &mut Cases) {
    forks(cases);
    headers(cases);
    pages(cases);
}

/// A file as it opens, or does not.
fn left(cases: &mut Cases, name: &'static str, rule: &str, team: &Team, file: Vec<u8>) {
    let opened = team.open_file(file.clone(), team.identity("ops"));
    match opened {
        Ok(_) => cases.opens(name, rule, team, file),
        Err(error) => cases.refused(name, rule, team, file, error.code()),
    };
}

fn left_known(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    (team, file): (&Team, Vec<u8>),
    known: &KnownHead,
) {
    left(cases, name, rule, team, file);
    if let Some((_, vector)) = cases.0.last_mut() {
        vector.known(known);
    }
}

/// The commits by which a copy of a team's vault goes on.
fn going_on(team: &Team, seed: u64, label: &str, values: &[&str]) -> (Team, Vec<Vec<u8>>) {
    let mut copy = Team {
        rng: Counter::new(seed),
        vault: team.open_as(label),
        file: team.file.clone(),
        members: team.members.clone(),
    };
    let mut commits = Vec::new();
    for value in values {
        let before = copy.file.len();
        copy.update("x", "APIKey", value);
        commits.push(copy.file[before..].to_vec());
    }
    (copy, commits)
}

fn forks(cases: &mut Cases) {
    let team = Team::pair();
    let (_, fork) = going_on(&team, 60, "rotation", &["f1", "f2"]);
    let (_, main) = going_on(&team, 61, "ops", &["m1", "m2"]);
    left(
        cases,
        "repair-discarded-fork",
        "the newest commit of an owner says which of two forks goes on",
        &team,
        [std::slice::from_ref(&team.file), &fork[..], &main]
            .concat()
            .concat(),
    );
    let filler = vec![0xaa; 300];
    left(
        cases,
        "repair-grafted-behind-filler",
        "nothing says that commits behind lost bytes follow, if no owner signed one of them",
        &team,
        [team.file.as_slice(), &filler, &fork[1]].concat(),
    );
    left(
        cases,
        "repair-owner-behind-filler",
        "a commit of an owner behind lost bytes says that they followed",
        &team,
        [team.file.as_slice(), &filler, &main[1]].concat(),
    );
    let (copy, _) = going_on(&team, 60, "rotation", &["f1", "f2"]);
    left_known(
        cases,
        "repair-known-behind-filler",
        "a known head says that lost bytes were followed by its commit",
        (&team, [team.file.as_slice(), &filler, &fork[1]].concat()),
        &copy.vault.known_head(),
    );
    // The fork's second commit is the one before the known one's, and another.
    let (copy, main) = going_on(&team, 61, "ops", &["m1", "m2", "m3"]);
    left_known(
        cases,
        "repair-fork-before-known",
        "commits that lead to another one than the known head came from do not follow",
        (
            &team,
            [
                std::slice::from_ref(&team.file),
                &fork[..],
                std::slice::from_ref(&filler),
                &main[2..],
            ]
            .concat()
            .concat(),
        ),
        &copy.vault.known_head(),
    );
    let (copy, long) = going_on(&team, 61, "ops", &["m1", "m2", "m3", "m4", "m5"]);
    let mut damaged = team.file.clone();
    for (number, commit) in long.iter().enumerate() {
        let page = damaged.len() + 59 + 10;
        damaged.extend_from_slice(commit);
        damaged[page] ^= u8::from(number % 2 == 1);
    }
    left_known(
        cases,
        "repair-between-lost-and-known",
        "a commit between lost ones is tied to neither side",
        (&team, damaged),
        &copy.vault.known_head(),
    );
    let (copy, _) = going_on(&team, 60, "rotation", &["f1", "f2"]);
    left_known(
        cases,
        "repair-known-head-lost",
        "a known head that is lost is told",
        (&team, [team.file.as_slice(), &filler].concat()),
        &copy.vault.known_head(),
    );

    // An updater writes a commit that no reader takes, and the owner writes behind it.
    let mut team = Team::pair();
    team.compact(Retention::Automatic);
    let updater = team.open_as("rotation");
    let empty = Changes::of(&updater, &[]);
    let (seq, bytes) = (empty.seq, empty.bytes());
    let (front, signature) = bytes.split_at(bytes.len() - 64);
    let hash = sha256(&[sha256(front).as_slice(), signature].concat());
    let record = forge_record(&team.vault, &mut team.rng, |_| {}, some_secrets());
    let mut behind = Changes::of(&team.vault, &[&record]);
    (behind.seq, behind.prev) = (seq + 1, hash);
    behind.place = Place::Changes(seq + 1);
    left(
        cases,
        "repair-behind-empty",
        "what an owner signed stays, whatever stands before it",
        &team,
        [team.file.as_slice(), &bytes, &behind.bytes()].concat(),
    );
}

/// The file with the log of another one behind it.
fn behind(file: &[u8], other: &[u8]) -> Vec<u8> {
    let (_, start) = split_file(other).unwrap();
    [file, &other[start..]].concat()
}

fn headers(cases: &mut Cases) {
    let mut team = Team::pair();
    team.grant("reader", Role::Reader);
    let old = team.file.clone();
    team.revoke("reader");
    left(
        cases,
        "repair-older-snapshot-in-front",
        "the newest header counts, wherever it stands",
        &team,
        behind(&old, &team.file),
    );
    let mut damaged = team.file.clone();
    let (_, start) = split_file(&damaged).unwrap();
    damaged[start + 59 + 40] ^= 1;
    left(
        cases,
        "repair-newest-header-damaged",
        "where a newer header may have stood, an older one is not taken unasked",
        &team,
        behind(&old, &damaged),
    );
    // The old snapshot, said to be a later one.
    let (_, start) = split_file(&old).unwrap();
    let first: [u8; 59] = old[start..start + 59].try_into().unwrap();
    let fixed = Fixed::decode(&first, 0).unwrap().unwrap();
    let fixed = Fixed { seq: 99, ..fixed };
    let mut made_up = old.clone();
    made_up[start..start + 59].copy_from_slice(&fixed.encode());
    left(
        cases,
        "repair-older-header-with-made-up-seq",
        "a header has the seq of its snapshot",
        &team,
        behind(&team.file, &made_up),
    );

    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    team.grant("reader", Role::Reader);
    team.add("x", &[("APIKey", "a")]);
    let mut rival = Team {
        rng: Counter::new(62),
        vault: team.open_as("second"),
        file: team.file.clone(),
        members: team.members.clone(),
    };
    rival.revoke("ops");
    rival.revoke("reader");
    team.revoke("second");
    left_known(
        cases,
        "repair-rival-header",
        "a header that the known vault key does not lead to is not taken, whatever its epoch",
        (&team, behind(&team.file, &rival.file)),
        &team.vault.known_head(),
    );

    // An updater's record holds what looks like the start of a snapshot.
    let mut team = Team::pair();
    let updater = team.open_as("rotation");
    let mut record = forge_record(&updater, &mut team.rng, |_| {}, some_secrets());
    let fixed = Fixed {
        len: 500,
        kind: Kind::Snapshot,
        seq: 99,
        prev: [0; 32],
        author: 0,
    };
    record.secrets[..59].copy_from_slice(&fixed.encode());
    record.refit();
    let commit = commit_of(&updater, &[&record]);
    left(
        cases,
        "repair-fixed-part-in-a-record",
        "the start of a snapshot inside of a sound commit is not one",
        &team,
        [team.file.as_slice(), &commit].concat(),
    );
}

/// The file with a byte of a part of its snapshot changed.
fn flipped(file: &[u8], part: impl FnOnce(&Commit<'_>) -> u64) -> Vec<u8> {
    let mut file = file.to_vec();
    let (_, start) = split_file(&file).unwrap();
    let rest = &file[start..];
    let fixed = Fixed::decode(rest.first_chunk().unwrap(), start as u64);
    let fixed = fixed.unwrap().unwrap();
    let len = FIXED_LEN + usize::try_from(fixed.len).unwrap();
    let snapshot = Commit::decode(fixed, &rest[..len], start as u64).unwrap();
    let at = start + usize::try_from(part(&snapshot)).unwrap();
    file[at] ^= 1;
    file
}

fn pages(cases: &mut Cases) {
    let mut team = Team::pair();
    for id in ["a", "b", "c", "d"] {
        team.add(id, &[("APIKey", id)]);
    }
    team.delete("d");
    team.compact(Retention::Automatic);
    team.hand_to("rotation");
    team.update("a", "APIKey", "new");
    team.hand_to("ops");
    let page = |file: &[u8]| flipped(file, |snapshot| snapshot.parts.pages + 30);
    let directory = |file: &[u8]| {
        flipped(file, |snapshot| {
            let part = snapshot.snapshot().unwrap();
            part.directory_offset - snapshot.offset + 30
        })
    };
    left(
        cases,
        "repair-page-lost",
        "the records of a lost page are found by the lengths in front of them",
        &team,
        page(&team.file),
    );
    left(
        cases,
        "repair-directory-lost",
        "without a directory the pages that open at their place count",
        &team,
        directory(&team.file),
    );
    left(
        cases,
        "repair-directory-and-page-lost",
        "without directory and page the records are found by the lengths in front of them",
        &team,
        directory(&page(&team.file)),
    );
    let mut newest = team.file.clone();
    let end = newest.len() - 20;
    newest[end] ^= 1;
    left(
        cases,
        "repair-newest-version-lost",
        "where a newer version is lost, the owner restores the newest that is left under another number",
        &team,
        newest,
    );

    // A member who was demoted signs a record today, and the storage puts it on a page that is lost.
    let mut team = Team::pair();
    team.reduce("rotation", Role::Reader);
    let reader = team.open_as("rotation");
    let record = forge_record(&reader, &mut team.rng, |_| {}, some_secrets());
    let mut snapshot = team.snapshot();
    snapshot.records.push(record);
    left(
        cases,
        "repair-demoted-editor-without-page",
        "a record that no page vouches for needs an author who has the right to it now",
        &team,
        flipped(&snapshot.file(), |snapshot| snapshot.parts.pages + 30),
    );
    // An updater signs a page that does not open, so that nobody sees that its record renames.
    let mut team = Team::pair();
    let updater = team.open_as("rotation");
    let (_, plaintexts) = forge_plaintexts(
        &updater,
        &mut team.rng,
        |overview| overview.name = "Renamed".into(),
        some_secrets(),
    );
    let record = seal(&updater, &mut team.rng, &Facts::update("x", 2), &plaintexts);
    let mut changes = Changes::of(&updater, &[&record]);
    changes.place = Place::Changes(changes.seq + 7);
    left(
        cases,
        "repair-updater-renames-without-page",
        "an update has the face of its connector, also where its page is lost",
        &team,
        [team.file.as_slice(), &changes.bytes()].concat(),
    );
}
