//! Commits that are signed, but not by somebody who may (docs/format.md section 7.2).

use super::Cases;
use crate::connector::Op;
use crate::error::Code;
use crate::vault::forge::{Team, commit_at, commit_of, forge_record, some_secrets};
use crate::vault::record::{NewOverview, SecretsPart};

/// What a grant signs and may not, behind a vault with one updater and a connector `x`.
fn forged(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    author: &str,
    change: impl FnOnce(&mut NewOverview<'_>),
    secrets: Option<SecretsPart>,
) {
    let mut team = Team::pair();
    let file = team.with_forged(author, change, secrets);
    cases
        .refused(name, rule, &team, file, Code::UnauthorizedCommit)
        .says("commit 3");
}

pub(super) fn make(cases: &mut Cases) {
    let some = some_secrets;
    let by = "rotation";
    forged(
        cases,
        "updater-creates",
        "an updater creates nothing",
        by,
        |overview| {
            overview.op = Op::Create;
            overview.id = "y".into();
            overview.version = 1;
        },
        some(),
    );
    forged(
        cases,
        "updater-deletes",
        "an updater deletes nothing",
        by,
        |overview| overview.op = Op::Delete,
        None,
    );
    forged(
        cases,
        "updater-renames",
        "an updater does not change a name",
        by,
        |overview| overview.name = "Other".into(),
        some(),
    );
    forged(
        cases,
        "updater-changes-a-type",
        "an updater does not change a type",
        by,
        |overview| overview.type_name = "Other".into(),
        some(),
    );
    let by = "ops";
    forged(
        cases,
        "version-skipped",
        "no version is skipped",
        by,
        |overview| overview.version = 3,
        some(),
    );
    forged(
        cases,
        "version-repeated",
        "no version is made twice",
        by,
        |overview| overview.version = 1,
        some(),
    );
    forged(
        cases,
        "create-of-what-exists",
        "what exists is not created",
        by,
        |overview| overview.op = Op::Create,
        some(),
    );
    forged(
        cases,
        "update-of-nothing",
        "what does not exist is not updated",
        by,
        |overview| {
            overview.id = "y".into();
            overview.version = 1;
        },
        some(),
    );
    forged(
        cases,
        "delete-of-nothing",
        "what does not exist is not deleted",
        by,
        |overview| {
            overview.op = Op::Delete;
            overview.id = "y".into();
            overview.version = 1;
        },
        None,
    );
    forged(
        cases,
        "update-without-secrets",
        "an update has secrets",
        by,
        |_| {},
        None,
    );
    forged(
        cases,
        "delete-with-secrets",
        "a delete has no secrets",
        by,
        |overview| overview.op = Op::Delete,
        some(),
    );
    deleted(cases);
    authors(cases);
    snapshots(cases);
}

/// Behind a delete.
fn deleted(cases: &mut Cases) {
    for (name, rule, op, version) in [
        (
            "restore-of-what-is-deleted",
            "what is deleted is not restored",
            Op::Restore,
            3,
        ),
        (
            "delete-of-what-is-deleted",
            "what is deleted is not deleted again",
            Op::Delete,
            3,
        ),
        (
            "created-again-from-1",
            "an id that is created again continues its versions",
            Op::Create,
            1,
        ),
    ] {
        let mut team = Team::solo();
        team.delete("x");
        let secrets = (op != Op::Delete).then(some_secrets).flatten();
        let change = |overview: &mut NewOverview<'_>| {
            overview.op = op;
            overview.version = version;
        };
        let file = team.with_forged("ops", change, secrets);
        cases.refused(name, rule, &team, file, Code::UnauthorizedCommit);
    }
}

fn authors(cases: &mut Cases) {
    for (name, rule, label) in [
        ("viewer-commits", "a viewer commits nothing", "viewer"),
        ("reader-commits", "a reader commits nothing", "reader"),
    ] {
        let mut team = Team::roles();
        let vault = team.open_as(label);
        let author = vault.access.grant;
        // Sealed by a colleague with more rights.
        let mut sealer = team.open_as("updater");
        sealer.access.keys = vault.access.keys.clone();
        let record = forge_record(
            &sealer,
            &mut team.rng,
            |overview| overview.author = author,
            some_secrets(),
        );
        let file = [team.file.as_slice(), &commit_of(&vault, &[&record])].concat();
        cases.refused(name, rule, &team, file, Code::UnauthorizedCommit);
    }
    let mut team = Team::pair();
    let owner = team.open_as("ops");
    let record = forge_record(&owner, &mut team.rng, |_| {}, some_secrets());
    let file = [team.file.as_slice(), &commit_at(&owner, 2, &[&record])].concat();
    cases.refused(
        "author-out-of-range",
        "an author is a grant of the header",
        &team,
        file,
        Code::UnauthorizedCommit,
    );

    let updater = team.open_as("rotation");
    let record = forge_record(&updater, &mut team.rng, |_| {}, some_secrets());
    let forged = commit_at(&owner, updater.access.index, &[&record]);
    let file = [team.file.as_slice(), &forged].concat();
    cases.refused(
        "signature-by-another",
        "a commit is signed by its author",
        &team,
        file.clone(),
        Code::BadSignature,
    );

    // The updater builds on it in good faith.
    let mut updater = updater;
    updater.extend(forged, true).unwrap();
    let record = forge_record(
        &updater,
        &mut team.rng,
        |overview| overview.version = 3,
        some_secrets(),
    );
    let file = [file, commit_of(&updater, &[&record])].concat();
    cases.opens(
        "accepted-bad-signature-behind-a-good-one",
        "an author whose newest commit is signed answers for its commits before it; the check of everything tells",
        &team,
        file,
    );
}

fn snapshots(cases: &mut Cases) {
    let team = Team::pair();
    let mut snapshot = team.snapshot();
    let updater = team.open_as("rotation");
    snapshot.author = updater.access.index;
    snapshot.signer = updater.access.clone();
    cases.refused(
        "updater-snapshot",
        "only an owner makes a snapshot",
        &team,
        snapshot.file(),
        Code::UnauthorizedCommit,
    );

    let mut snapshot = team.snapshot();
    snapshot.signer = updater.access.clone();
    cases.refused(
        "snapshot-signature-by-another",
        "a snapshot is signed by its author",
        &team,
        snapshot.file(),
        Code::BadSignature,
    );
}
