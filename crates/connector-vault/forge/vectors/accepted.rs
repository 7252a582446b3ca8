//! Files that every reader takes, as the library makes them.

use super::Cases;
use crate::action::{Note, Options, RequestId};
use crate::connector::Version;
use crate::role::Role;
use crate::vault::Retention;
use crate::vault::forge::{Team, commit_at, commit_of, forge_record, host, some_secrets, update};

pub(super) fn make(cases: &mut Cases) {
    let alone = Team::alone();
    cases.opens(
        "accepted-empty",
        "a vault without connectors is its snapshot",
        &alone,
        alone.file.clone(),
    );

    let solo = Team::solo();
    cases.opens(
        "accepted-minimal",
        "a snapshot, and a commit that creates a connector",
        &solo,
        solo.file.clone(),
    );

    let mut team = Team::solo();
    team.add("y", &[]);
    cases.opens(
        "accepted-no-properties",
        "a connector may have no property",
        &team,
        team.file.clone(),
    );

    let mut team = Team::solo();
    team.update("x", "Endpoint", "e");
    team.update("x", "APIKey", "b");
    cases.opens(
        "accepted-update",
        "secrets hold all properties, the ones that did not change too",
        &team,
        team.file.clone(),
    );

    let mut team = Team::solo();
    team.delete("x");
    cases.opens(
        "accepted-delete",
        "a delete has no secrets",
        &team,
        team.file.clone(),
    );
    team.add("x", &[("APIKey", "b")]);
    cases.opens(
        "accepted-created-again",
        "a deleted id that is created again continues its versions",
        &team,
        team.file.clone(),
    );

    let mut team = Team::solo();
    team.update("x", "APIKey", "b");
    let plan = team
        .vault
        .plan_restore("x", Version::FIRST, &Options::default())
        .unwrap();
    team.commit(plan);
    cases.opens(
        "accepted-restore",
        "a restore is a version of its own",
        &team,
        team.file.clone(),
    );

    let mut team = Team::alone();
    let plans = vec![
        team.plan_add("x", &[("APIKey", "a")]),
        team.plan_add("y", &[("APIKey", "b")]),
    ];
    let prepared = team
        .vault
        .prepare_all(plans, &mut host(&mut team.rng))
        .unwrap();
    team.store(prepared);
    cases.opens(
        "accepted-several-records",
        "a commit may carry several records",
        &team,
        team.file.clone(),
    );

    let mut team = Team::solo();
    let options = Options {
        request_id: Some(RequestId::new("r-1").unwrap()),
        note: Some(Note::new("rotated").unwrap()),
        ..Options::default()
    };
    team.run(&update("x", "APIKey", "b"), &options);
    cases.opens(
        "accepted-note-and-request-id",
        "an overview may have a note and a request id",
        &team,
        team.file.clone(),
    );

    let mut team = Team::alone();
    let text = "\u{1f511} \u{e9}\u{301} \"\\\u{7f}\u{2028}\n\u{0}";
    team.add(
        "\u{e9} id",
        &[(text, text), ("", "")]
            .map(|(name, value)| (if name.is_empty() { "Empty" } else { name }, value)),
    );
    cases.opens(
        "accepted-any-text",
        "property names and values are any Unicode text",
        &team,
        team.file.clone(),
    );

    let mut team = Team::alone();
    team.add("x", &[("Certificate", &"0123456789abcdef".repeat(80))]);
    cases.opens(
        "accepted-above-1024-bytes",
        "above 1,024 bytes a plaintext is padded by Padme",
        &team,
        team.file.clone(),
    );

    let mut team = Team::solo();
    team.update("x", "APIKey", "b");
    team.update("x", "APIKey", "c");
    team.compact(Retention::Newest(2));
    team.update("x", "APIKey", "d");
    cases.opens(
        "accepted-compaction",
        "a compaction keeps the newest versions and the seq",
        &team,
        team.file.clone(),
    );

    let mut team = Team::solo();
    team.delete("x");
    team.compact(Retention::Newest(1));
    cases.opens(
        "accepted-compacted-delete",
        "a compaction keeps a delete, so that versions go on",
        &team,
        team.file.clone(),
    );

    let team = Team::roles();
    let by = |cases: &mut Cases, name, rule, label| {
        cases
            .opens(name, rule, &team, team.file.clone())
            .by(team.identity(label));
    };
    by(
        cases,
        "accepted-viewer",
        "a viewer lists and reads no value",
        "viewer",
    );
    by(cases, "accepted-reader", "a reader reads values", "reader");
    by(
        cases,
        "accepted-updater",
        "an updater reads values",
        "updater",
    );

    let mut team = Team::pair();
    team.hand_to("rotation");
    team.update("x", "APIKey", "b");
    team.run(
        &update("x", "APIKey", "b"),
        &Options {
            request_id: Some(RequestId::new("r-1").unwrap()),
            ..Options::default()
        },
    );
    cases.opens(
        "accepted-updater-commits",
        "an updater's commits stand when they are signed",
        &team,
        team.file.clone(),
    );

    // An older signature that does not verify, behind which an owner has committed.
    let mut team = Team::pair();
    let updater = team.open_as("rotation");
    let record = forge_record(&updater, &mut team.rng, |_| {}, some_secrets());
    let forged = commit_at(&team.vault, updater.access.index, &[&record]);
    team.vault.extend(forged.clone(), true).unwrap();
    team.file.extend(forged);
    team.update("x", "APIKey", "c");
    cases.opens("accepted-owner-vouches", "the newest commit by an owner vouches for what stands before it; only a check of everything finds an older signature that is not its author's", &team, team.file.clone());

    let mut team = Team::pair();
    team.revoke("rotation");
    cases.opens(
        "accepted-revocation",
        "a revocation begins an epoch: all is sealed again, and the label stays known",
        &team,
        team.file.clone(),
    );
    let rotation = team.identity("rotation").clone();
    cases
        .refused(
            "wrong-identity-revoked",
            "a grant that was revoked does not open the vault",
            &team,
            team.file.clone(),
            crate::error::Code::WrongIdentity,
        )
        .by(&rotation);

    let mut team = Team::pair();
    team.hand_to("rotation");
    team.update("x", "APIKey", "b");
    team.hand_to("ops");
    team.revoke("rotation");
    cases.opens(
        "accepted-author-revoked",
        "the signature of an author whose grant was revoked verifies by the key of the retired grant",
        &team,
        team.file.clone(),
    );

    let mut team = Team::solo();
    let record = forge_record(
        &team.vault,
        &mut team.rng,
        |overview| overview.values_at = Some("2026-11-01T00:00:00.000Z".into()),
        some_secrets(),
    );
    team.file.extend(commit_of(&team.vault, &[&record]));
    cases.opens(
        "accepted-values-at",
        "the values of a version may be older than the version",
        &team,
        team.file.clone(),
    );

    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    team.add("x", &[("APIKey", "a")]);
    team.revoke("second");
    cases.opens("accepted-handover", "the revocation of an owner replaces the vault key; the handover leads there from the vault id", &team, team.file.clone());
}
