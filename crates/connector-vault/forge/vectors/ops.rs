//! Moves, descriptions and undeletes, and the role that makes them (docs/format.md sections 7.4 and 8.4).

use super::Cases;
use crate::connector::{Description, NewConnector, Op, Version};
use crate::error::Code;
use crate::role::Role;
use crate::vault::Vault;
use crate::vault::forge::{Forged, Team, commit_of, forge_record, some_secrets};
use crate::vault::record::NewOverview;

/// A vault with the groups `default` and `billing`, a connector in each, `x` and `b`, and a member `editor` who
/// reads both groups and manages the second.
fn team() -> Team {
    Team::with_groups(&[("editor", &[(None, Role::Reader), (Some(1), Role::Editor)])])
}

pub(super) fn make(cases: &mut Cases) {
    accepted(cases);
    rights(cases);
    predecessors(cases);
    groups(cases);
    faces(cases);
}

fn accepted(cases: &mut Cases) {
    let mut team = Team::solo();
    team.update("x", "APIKey", "b");
    let description = Description::new()
        .name("Other")
        .type_name("Kind")
        .meta("description", "of the shop");
    team.describe("x", description);
    team.update("x", "Endpoint", "e");
    cases.opens(
        "accepted-describe",
        "a describe changes name, type and meta, and no value; updates keep them",
        &team,
        team.file.clone(),
    );

    let mut team = Team::solo();
    team.update("x", "APIKey", "b");
    team.delete("x");
    team.undelete("x");
    cases.opens(
        "accepted-undelete",
        "an undelete is what its source was, with the times of its values and of its creation",
        &team,
        team.file.clone(),
    );
    let first = Some(Version::FIRST);
    team.delete("x");
    team.plan(|vault, options| vault.plan_undelete("x", first, options));
    cases.opens(
        "accepted-undelete-of-an-older-version",
        "an undelete may take an older version than the newest before the delete",
        &team,
        team.file.clone(),
    );

    let mut team = Team::with_groups(&[
        ("default", &[(Some(0), Role::Reader)]),
        ("billing", &[(Some(1), Role::Reader)]),
    ]);
    team.move_to("x", "billing");
    team.update("x", "Endpoint", "e");
    for (name, rule, label) in [
        (
            "accepted-move",
            "a connector moves to another group with its values",
            "ops",
        ),
        (
            "moved-away",
            "members of the former group see a connector no more that has moved",
            "default",
        ),
        (
            "moved-in",
            "members of the new group see a connector that has moved, and none of its versions in the former group",
            "billing",
        ),
    ] {
        cases
            .opens(name, rule, &team, team.file.clone())
            .by(team.identity(label));
    }

    // All that an editor does, and in no other group.
    let mut team = Team::with_groups(&[("editor", &[(Some(1), Role::Editor)])]);
    team.hand_to("editor");
    team.describe("b", Description::new().name("Of the editor"));
    team.update("b", "APIKey", "c");
    team.delete("b");
    team.undelete("b");
    team.hand_to("ops");
    cases.opens(
        "accepted-editor",
        "an editor of a group describes, updates, deletes and undeletes its connectors",
        &team,
        team.file.clone(),
    );
    let mut team = Team::alone();
    team.grant("editor", Role::Editor);
    team.hand_to("editor");
    team.plan(|vault, options| vault.plan_create(&NewConnector::new("x", "Name", "Type"), options));
    cases
        .opens(
            "accepted-editor-creates",
            "an editor of all groups creates connectors",
            &team,
            team.file.clone(),
        )
        .by(team.identity("editor"));

    let mut team = Team::roles();
    team.update("x", "APIKey", "b");
    cases
        .opens(
            "viewer-reads",
            "reading takes the capability, whatever else can be seen",
            &team,
            team.file.clone(),
        )
        .by(team.identity("viewer"))
        .reads("x", Code::NotPermitted);
}

/// A commit of one forged record that is refused, and why.
fn refused(
    cases: &mut Cases,
    (name, rule, why): (&'static str, &str, &str),
    (mut team, author): (Team, &str),
    change: impl FnOnce(&Vault, &mut NewOverview<'_>),
) {
    let vault = team.open_as(author);
    let mut is_delete = false;
    let change = |overview: &mut NewOverview<'_>| {
        change(&vault, overview);
        is_delete = overview.op == Op::Delete;
    };
    let record = forge_record(&vault, &mut team.rng, change, some_secrets());
    let record = match is_delete {
        true => without_secrets(record),
        false => record,
    };
    let file = [team.file.as_slice(), &commit_of(&vault, &[&record])].concat();
    cases
        .refused(name, rule, &team, file, Code::UnauthorizedCommit)
        .says(why);
}

fn without_secrets(mut record: Forged) -> Forged {
    record.secrets.clear();
    record.refit();
    record
}

const NO_RIGHT: &str = "no right to it in this group";

/// Rule R7.11.
fn rights(cases: &mut Cases) {
    for (name, rule, op) in [
        (
            "updater-describes",
            "an updater describes nothing",
            Op::Describe,
        ),
        (
            "updater-undeletes",
            "an updater undeletes nothing",
            Op::Undelete,
        ),
    ] {
        let mut team = Team::pair();
        if op == Op::Undelete {
            team.delete("x");
        }
        refused(
            cases,
            (name, rule, NO_RIGHT),
            (team, "rotation"),
            |_, overview| {
                overview.op = op;
                if op == Op::Undelete {
                    overview.version = 3;
                }
            },
        );
    }
    refused(
        cases,
        (
            "editor-of-another-group",
            "an editor of a group deletes nothing in another",
            NO_RIGHT,
        ),
        (team(), "editor"),
        |_, overview| overview.op = Op::Delete,
    );
    refused(
        cases,
        (
            "editor-creates-in-another-group",
            "an editor of a group creates nothing in another",
            NO_RIGHT,
        ),
        (team(), "editor"),
        |_, overview| {
            overview.op = Op::Create;
            (overview.id, overview.version) = ("y".into(), 1);
        },
    );
}

/// Rules R7.13 and R7.14.
fn predecessors(cases: &mut Cases) {
    refused(
        cases,
        (
            "undelete-of-connector",
            "what is not deleted is not undeleted",
            "that is not deleted",
        ),
        (Team::solo(), "ops"),
        |_, overview| overview.op = Op::Undelete,
    );
    refused(
        cases,
        (
            "undelete-of-nothing",
            "what never was is not undeleted",
            "that there is not",
        ),
        (Team::solo(), "ops"),
        |_, overview| {
            overview.op = Op::Undelete;
            overview.id = "y".into();
            overview.version = 1;
        },
    );
    for (name, rule, op) in [
        (
            "describe-of-what-is-deleted",
            "what is deleted is not described",
            Op::Describe,
        ),
        (
            "move-of-what-is-deleted",
            "what is deleted is not moved",
            Op::Move,
        ),
    ] {
        let mut team = team();
        team.delete("x");
        let change = |vault: &Vault, overview: &mut NewOverview<'_>| {
            overview.op = op;
            overview.version = 3;
            if op == Op::Move {
                overview.group = vault.header.groups[1].id;
            }
        };
        refused(
            cases,
            (name, rule, "that there is not"),
            (team, "ops"),
            change,
        );
    }
    let mut team = team();
    team.delete("x");
    refused(
        cases,
        (
            "create-over-foreign-delete",
            "an id that was deleted in a group is created again by those who manage that group",
            "no right to the id that was deleted",
        ),
        (team, "editor"),
        |vault, overview| {
            overview.op = Op::Create;
            overview.version = 3;
            overview.group = vault.header.groups[1].id;
        },
    );
}

/// Rules R7.15 and R7.16.
fn groups(cases: &mut Cases) {
    let mut deleted = team();
    deleted.delete("x");
    refused(
        cases,
        (
            "undelete-in-another-group",
            "an undelete stays in the group of the delete",
            "in another group",
        ),
        (deleted, "ops"),
        |vault, overview| {
            overview.op = Op::Undelete;
            overview.version = 3;
            overview.group = vault.header.groups[1].id;
        },
    );
    refused(
        cases,
        (
            "describe-in-another-group",
            "a describe stays in the group of its connector",
            "in another group",
        ),
        (team(), "ops"),
        |vault, overview| {
            overview.op = Op::Describe;
            overview.group = vault.header.groups[1].id;
        },
    );
    refused(
        cases,
        (
            "move-within-group",
            "a move goes to another group",
            "in this group already",
        ),
        (team(), "ops"),
        |_, overview| overview.op = Op::Move,
    );
    refused(
        cases,
        (
            "move-out-of-foreign-group",
            "a connector leaves a group by those who manage that group",
            "in the group where the connector was",
        ),
        (team(), "editor"),
        |vault, overview| {
            overview.op = Op::Move;
            overview.group = vault.header.groups[1].id;
        },
    );
    refused(
        cases,
        (
            "move-into-foreign-group",
            "a connector enters a group by those who manage that group",
            NO_RIGHT,
        ),
        (team(), "editor"),
        |_, overview| {
            overview.op = Op::Move;
            overview.id = "b".into();
        },
    );
}

/// Rule R7.19: it needs no record before it, so nobody gets around it by damaging one.
fn faces(cases: &mut Cases) {
    let mut team = Team::pair();
    let record = team.with_forged("rotation", |_| {}, some_secrets());
    // The newest version is damaged: its overview has another byte.
    team.file = record;
    let at = team.file.len() - 400;
    team.file[at] ^= 1;
    refused(
        cases,
        (
            "update-renames-behind-damaged",
            "an update behind a damaged version keeps name, type and meta",
            "changes id, name, type or meta",
        ),
        (team, "rotation"),
        |_, overview| {
            overview.version = 3;
            overview.name = "Other".into();
        },
    );
}
