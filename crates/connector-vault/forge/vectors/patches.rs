//! Patches, the role that makes them, and the key that they are sealed to (docs/format.md sections 5.2, 7.4 and 8.5).

use serde_json::{Value, json};

use super::Cases;
use super::files::VaultVector;
use crate::connector::{Op, PropertyChanges, Version};
use crate::crypto::x_wing::PrivateKey;
use crate::error::Code;
use crate::format::header::Header;
use crate::role::Role;
use crate::vault::forge::{
    Forged, NOW, Team, commit_of, forge_patch, forge_record, hash_of, patch_of_texts, place,
    some_secrets,
};
use crate::vault::record::{NewOverview, Plaintexts, RecordKeys, Text};
use crate::vault::{Retention, Vault};

const NO_RIGHT: &str = "no right to it in this group";

const ROTATION: &str = "rotation";

/// A vault with the groups `default` and `billing` and a connector in each, `x` and `b`. The member `rotation` lists
/// both groups and rotates in the first, `reader` reads them.
fn team() -> Team {
    Team::with_groups(&[
        (ROTATION, &[(None, Role::Viewer), (Some(0), Role::Rotator)]),
        ("reader", &[(None, Role::Reader)]),
    ])
}

pub(super) fn make(cases: &mut Cases) {
    deposits(cases);
    accepted(cases);
    refused(cases);
    bad(cases);
    texts(cases);
    damaged(cases);
}

/// A file that opens by its owner's identity, in which a property of `x` has this value, beside so many bad patches.
fn reads<'c>(
    cases: &'c mut Cases,
    (name, rule): (&'static str, &str),
    team: &Team,
    (value, bad): (Option<&str>, usize),
) -> &'c mut VaultVector {
    let vector = cases.opens(name, rule, team, team.file.clone());
    let vault = vector.open().unwrap();
    let found = vault.value("x", "APIKey").unwrap();
    assert_eq!(found.as_ref().map(|found| found.expose()), value, "{name}");
    assert_eq!(vault.bad_patches("x").unwrap().len(), bad, "{name}");
    vector
}

impl Team {
    /// Goes on with a patch by the rotator.
    fn rotate(&mut self, changes: impl Into<PropertyChanges>) {
        self.hand_to(ROTATION);
        let changes = changes.into();
        self.plan(|vault, options| vault.plan_update("x", changes, options));
        self.hand_to("ops");
    }

    /// Goes on with a record that the rotator has made.
    fn forged(&mut self, record: &Forged) {
        let rotation = self.open_as(ROTATION);
        self.file.extend(commit_of(&rotation, &[record]));
        self.hand_to("ops");
    }
}

/// Rule R5.14, and the comparison of section 5.2.
fn deposits(cases: &mut Cases) {
    let mut header = |name, rule: &str, team: Team, says, change: &dyn Fn(&mut Header)| {
        let mut snapshot = team.snapshot();
        let mut header = snapshot.header_of(&team);
        change(&mut header);
        snapshot.header = crate::format::to_json(&header);
        cases
            .refused(name, rule, &team, snapshot.file(), Code::Damaged)
            .says(says);
    };
    header(
        "deposit-missing",
        "a group with a rotator has a deposit key",
        team(),
        "without a deposit key",
        &|header| header.groups[0].deposit = None,
    );
    header(
        "deposit-without-rotator",
        "a group without a rotator has no deposit key",
        team(),
        "without a rotator",
        &|header| header.groups[1].deposit = header.groups[0].deposit.clone(),
    );
    header(
        "deposit-missing-of-all-groups",
        "each group has a deposit key where a grant rotates in all",
        Team::with_groups(&[(ROTATION, &[(None, Role::Rotator)])]),
        "without a deposit key",
        &|header| header.groups[1].deposit = None,
    );

    let mut team = team();
    let mut snapshot = team.snapshot();
    let mut header = snapshot.header_of(&team);
    header.groups[0].deposit = Some(PrivateKey::from_seed(&[7; 32]).public());
    snapshot.header = crate::format::to_json(&header);
    team.file = snapshot.file();
    team.hand_to("ops");
    team.rotate([("APIKey", "b")]);
    cases
        .opens(
            "deposit-other",
            "whoever reads compares the deposit key: with another one, values of rotators would go elsewhere",
            &team,
            team.file.clone(),
        )
        .reads("x", Code::Damaged);
}

fn accepted(cases: &mut Cases) {
    let mut team = team();
    team.rotate([("APIKey", "b"), ("Endpoint", "e")]);
    reads(
        cases,
        (
            "patch-reads",
            "reading applies a patch to the full version before it",
        ),
        &team,
        (Some("b"), 0),
    );
    cases
        .opens(
            "rotator-reads",
            "a rotator lists what it has written, and reads nothing",
            &team,
            team.file.clone(),
        )
        .by(team.identity(ROTATION))
        .reads("b", Code::NotPermitted)
        .reads("x", Code::NotPermitted);
    team.rotate([("Endpoint", "f"), ("Timeout", "30s")]);
    team.rotate([("APIKey", "c")]);
    reads(
        cases,
        (
            "patches-newest-wins",
            "of several patches the newest good one decides a name",
        ),
        &team,
        (Some("c"), 0),
    )
    .by(team.identity("reader"));
    team.rotate(PropertyChanges::new().remove("APIKey"));
    reads(
        cases,
        (
            "patch-removes",
            "a patch removes the names that it does not set",
        ),
        &team,
        (None, 0),
    );
    team.plan(|vault, options| vault.plan_update("x", [("APIKey", "d")], options));
    reads(
        cases,
        (
            "patch-folded",
            "a full version after patches holds all properties",
        ),
        &team,
        (Some("d"), 0),
    );
    team.revoke(ROTATION);
    reads(
        cases,
        (
            "accepted-patches-of-a-revoked-rotator",
            "patches are sealed again in a new epoch, also where nobody rotates any more",
        ),
        &team,
        (Some("d"), 0),
    );
}

/// Rules R7.10 to R7.19.
fn refused(cases: &mut Cases) {
    let mut one = |(name, rule, says): (&'static str, &str, &str),
                   mut team: Team,
                   change: &dyn Fn(&mut NewOverview<'_>)| {
        let rotation = team.open_as(ROTATION);
        let record = forge_patch(&rotation, &mut team.rng, change, some_secrets());
        let file = [team.file.as_slice(), &commit_of(&rotation, &[&record])].concat();
        cases
            .refused(name, rule, &team, file, Code::UnauthorizedCommit)
            .says(says);
    };
    one(
        (
            "patch-without-deposit",
            "nobody patches in a group without a deposit key, also who writes there",
            "no deposit key",
        ),
        Team::pair(),
        &|_| {},
    );
    one(
        (
            "patch-changes-type",
            "a patch keeps name, type and meta",
            "changes id, name, type or meta",
        ),
        team(),
        &|overview| overview.type_name = "Other".into(),
    );
    one(
        (
            "patch-of-nothing",
            "what does not exist is not patched",
            "that there is not",
        ),
        team(),
        &|overview| {
            overview.id = "y".into();
            overview.version = 1;
        },
    );
    let mut deleted = team();
    deleted.delete("x");
    one(
        (
            "patch-of-what-is-deleted",
            "what is deleted is not patched",
            "that there is not",
        ),
        deleted,
        &|overview| overview.version = 3,
    );
    let rotators = Team::with_groups(&[
        (ROTATION, &[(None, Role::Viewer), (Some(0), Role::Rotator)]),
        ("other", &[(Some(1), Role::Rotator)]),
    ]);
    let billing = rotators.vault.header.groups[1].id;
    one(
        (
            "rotator-of-another-group",
            "a rotator of a group patches nothing in another, whose deposit key it sees",
            NO_RIGHT,
        ),
        rotators,
        &|overview| {
            overview.id = "b".into();
            overview.group = billing;
        },
    );

    for (name, rule, op) in [
        (
            "rotator-creates",
            "a rotator creates no connector",
            Op::Create,
        ),
        (
            "rotator-updates",
            "a rotator writes no full version",
            Op::Update,
        ),
        (
            "rotator-deletes",
            "a rotator deletes no connector",
            Op::Delete,
        ),
        (
            "rotator-restores",
            "a rotator restores no version",
            Op::Restore,
        ),
    ] {
        // Sealed by a colleague with more rights.
        let mut team = team();
        let rotation = team.open_as(ROTATION);
        let mut sealer = team.open_as("ops");
        sealer.access.keys = rotation.access.keys.clone();
        let author = rotation.access.grant;
        let change = |overview: &mut NewOverview<'_>| {
            (overview.author, overview.op) = (author, op);
            if op == Op::Create {
                (overview.id, overview.version) = ("y".into(), 1);
            }
        };
        let mut record = forge_record(&sealer, &mut team.rng, change, some_secrets());
        if op == Op::Delete {
            record.secrets.clear();
            record.refit();
        }
        let file = [team.file.as_slice(), &commit_of(&rotation, &[&record])].concat();
        cases
            .refused(name, rule, &team, file, Code::UnauthorizedCommit)
            .says(NO_RIGHT);
    }

    let mut team = team();
    let rotation = team.open_as(ROTATION);
    let mut record = forge_patch(&rotation, &mut team.rng, |_| {}, some_secrets());
    record.secrets.truncate(1153);
    record.refit();
    let file = [team.file.as_slice(), &commit_of(&rotation, &[&record])].concat();
    cases
        .refused(
            "changes-patch-too-short",
            "a sealed patch has at least 1,154 bytes",
            &team,
            file,
            Code::UnauthorizedCommit,
        )
        .says("length of its secrets");
}

/// A patch by the rotator that is sealed as `seals` would.
fn sealed_as(team: &mut Team, seals: impl FnOnce(&Team, &mut Vault)) -> Forged {
    let mut rotation = team.open_as(ROTATION);
    let honest = forge_patch(&rotation, &mut team.rng, |_| {}, some_secrets());
    let author = rotation.access.grant;
    seals(team, &mut rotation);
    let change = |overview: &mut NewOverview<'_>| overview.author = author;
    let mut record = forge_patch(&rotation, &mut team.rng, change, some_secrets());
    let opens = team.open_as(ROTATION);
    record.overview = resealed(&opens, &mut team.rng, &rotation, &record);
    record.entry = honest.entry;
    record.refit();
    record
}

/// The overview of a record under the true keys.
fn resealed(
    vault: &Vault,
    rng: &mut dyn rand_core::CryptoRng,
    sealer: &Vault,
    record: &Forged,
) -> Vec<u8> {
    let mut plaintext = Vec::new();
    let opens = sealer
        .keys
        .open_overview(0, &record.overview, &mut plaintext);
    assert!(opens.unwrap());
    let plaintexts = Plaintexts {
        overview: plaintext,
        secrets: None,
    };
    let place = place("x", Version::FIRST);
    vault
        .keys
        .seal(rng, 0, place, &plaintexts)
        .unwrap()
        .overview
}

/// Patches that have no effect.
fn bad(cases: &mut Cases) {
    let mut one = |name, rule: &str, record: &dyn Fn(&mut Team) -> Forged| {
        let mut team = team();
        let record = record(&mut team);
        team.forged(&record);
        reads(cases, (name, rule), &team, (Some("a"), 1));
    };
    one(
        "patch-of-another-version",
        "a patch is sealed for one version",
        &|team| {
            let rotation = team.open_as(ROTATION);
            let mut record = forge_patch(&rotation, &mut team.rng, |_| {}, some_secrets());
            let other = |overview: &mut NewOverview<'_>| overview.version = 3;
            let other = forge_patch(&rotation, &mut team.rng, other, some_secrets());
            record.secrets = other.secrets;
            record.refit();
            record
        },
    );
    one(
        "patch-of-another-author",
        "a patch is sealed by one author",
        &|team| {
            sealed_as(team, |team, rotation| {
                rotation.access.grant = team.vault.access.grant;
            })
        },
    );
    one(
        "patch-of-another-epoch",
        "a patch is sealed for one epoch",
        &|team| {
            sealed_as(team, |_, rotation| {
                let header = Header {
                    epoch: 2,
                    ..rotation.header.clone()
                };
                rotation.keys = RecordKeys::new(&rotation.access.bundle, &header);
            })
        },
    );
    one(
        "patch-names-other",
        "a patch sets just the names that its overview says",
        &|team| {
            let rotation = team.open_as(ROTATION);
            let change = |overview: &mut NewOverview<'_>| {
                overview.properties.push(Text("Other".into()));
                overview.changed = Some(vec![Text("Other".into())]);
            };
            forge_patch(&rotation, &mut team.rng, change, some_secrets())
        },
    );
    one(
        "patch-hash-other",
        "the overview of a patch names the hash of what it sets",
        &|team| {
            let rotation = team.open_as(ROTATION);
            let mut record = forge_patch(&rotation, &mut team.rng, |_| {}, some_secrets());
            // The same values with another salt.
            let other = forge_patch(&rotation, &mut team.rng, |_| {}, some_secrets());
            record.secrets = other.secrets;
            record.refit();
            record
        },
    );
    one(
        "patch-false-hash-bad",
        "an author whose entry has another hash than its patch wrote that itself",
        &|team| {
            let rotation = team.open_as(ROTATION);
            let mut record = forge_patch(&rotation, &mut team.rng, |_| {}, some_secrets());
            record.entry.secrets_hash[0] ^= 1;
            record
        },
    );
    one(
        "patch-bad-newest",
        "behind a bad patch the values before it are read, under its version",
        &names_other,
    );
    one(
        "patch-bad-overview",
        "behind a patch with a false overview the one before it is listed, and the error beside it",
        &overview_false,
    );
    let mut team = team();
    team.rotate([("APIKey", "b")]);
    let lie = |overview: &mut NewOverview<'_>| {
        overview.version = 3;
        overview.properties.push(Text("Other".into()));
        overview.changed = Some(overview.properties.clone());
    };
    let rotation = team.open_as(ROTATION);
    let lie = forge_patch(&rotation, &mut team.rng, lie, some_secrets());
    team.forged(&lie);
    reads(
        cases,
        (
            "patch-bad-behind-good",
            "a bad patch does not hide the good one before it",
        ),
        &team,
        (Some("b"), 1),
    );
    team.compact(Retention::Automatic);
    reads(
        cases,
        (
            "accepted-compaction-of-a-bad-patch",
            "an owner leaves a bad patch out and restores what is read without it",
        ),
        &team,
        (Some("b"), 0),
    );
}

fn names_other(team: &mut Team) -> Forged {
    let rotation = team.open_as(ROTATION);
    let change = |overview: &mut NewOverview<'_>| {
        overview.properties.push(Text("More".into()));
        overview.changed = Some(overview.properties.clone());
    };
    forge_patch(&rotation, &mut team.rng, change, some_secrets())
}

fn overview_false(team: &mut Team) -> Forged {
    let rotation = team.open_as(ROTATION);
    let mut record = forge_patch(&rotation, &mut team.rng, |_| {}, some_secrets());
    record.overview[40] ^= 1;
    record.refit();
    record
}

/// Overviews and secrets of a patch that no writer makes.
fn texts(cases: &mut Cases) {
    let mut one = |name, rule: &str, secrets: &str, change: &dyn Fn(&mut Value)| {
        let mut team = team();
        let rotation = team.open_as(ROTATION);
        let mut overview = json!({
            "id": "x", "group": team.vault.header.groups[0].id, "name": "Name", "type": "Type", "version": 2,
            "op": "patch", "author": rotation.access.grant, "at": NOW, "created_at": NOW, "properties": ["APIKey"],
            "changed": ["APIKey"], "secrets_hash": hash_of(secrets),
        });
        change(&mut overview);
        let record = patch_of_texts(&rotation, &mut team.rng, &overview.to_string(), secrets);
        team.forged(&record);
        reads(cases, (name, rule), &team, (Some("a"), 1));
    };
    const SECRETS: &str = r#"{"properties":{"APIKey":"b"}}"#;
    one(
        "overview-patch-without-changed",
        "a patch says which names it changes",
        SECRETS,
        &|overview| drop(overview.as_object_mut().unwrap().remove("changed")),
    );
    one(
        "overview-patch-that-changes-nothing",
        "a patch changes at least one name",
        SECRETS,
        &|overview| overview["changed"] = json!([]),
    );
    one(
        "overview-patch-with-values-at",
        "the values of a patch are as old as the patch",
        SECRETS,
        &|overview| overview["values_at"] = json!(NOW),
    );
    one(
        "overview-patch-with-source",
        "a patch takes no values of another version",
        SECRETS,
        &|overview| overview["source"] = json!(1),
    );
    one(
        "secrets-outcome-in-patch",
        "a patch keeps no outcome: its author cannot read it again",
        r#"{"properties":{"APIKey":"b"},"outcome":{"changes":[]}}"#,
        &|overview| overview["request"] = json!({"id": "r-1", "mac": "00".repeat(32)}),
    );
    one(
        "secrets-extra-in-patch",
        "the secrets of a patch have no place for later additions",
        r#"{"properties":{"APIKey":"b"},"extra":{}}"#,
        &|_| {},
    );
}

/// A damaged patch is an error where it is needed.
fn damaged(cases: &mut Cases) {
    let mut team = team();
    team.rotate([("APIKey", "b")]);
    let secrets_at = team.file.len() - 9;
    let overview_at = usize::try_from(team.vault.newest("x").unwrap().unwrap().overview().start);
    let overview_at = overview_at.unwrap() + 40;
    let with = |team: &Team, at: usize| {
        let mut file = team.file.clone();
        file[at] ^= 1;
        file
    };
    cases
        .opens(
            "patch-damaged",
            "with a damaged patch a connector does not read: an older value must not come back",
            &team,
            with(&team, secrets_at),
        )
        .reads("x", Code::Damaged);
    team.rotate([("APIKey", "c")]);
    cases
        .opens(
            "patch-damaged-overview",
            "the overviews of all patches are needed",
            &team,
            with(&team, overview_at),
        )
        .reads("x", Code::Damaged);
    let vector = cases.opens(
        "accepted-patch-damaged-unused",
        "a damaged patch whose names newer ones have decided is not needed",
        &team,
        with(&team, secrets_at),
    );
    let vault = vector.open().unwrap();
    assert_eq!(vault.value("x", "APIKey").unwrap().unwrap().expose(), "c");
}
