//! Moves, descriptions and undeletes: what each carries on, who may make it, and what it goes on from
//! (docs/format.md sections 8.4 and 8.6).

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Team, commit_of, forge_record, host, some_secrets};
use crate::action::Options;
use crate::connector::{Description, NewConnector, Op};
use crate::error::Code;
use crate::plan::{Plan, Status};
use crate::role::Role;
use crate::vault::*;

impl Team {
    /// Commits a plan of the present member's.
    pub(super) fn plan(&mut self, plan: impl FnOnce(&Vault, &Options) -> Result<Plan>) {
        let plan = plan(&self.vault, &Options::default()).unwrap();
        self.commit(plan);
    }

    pub(super) fn describe(&mut self, id: &str, description: Description) {
        self.plan(|vault, options| vault.plan_describe(id, &description, options));
    }

    pub(super) fn move_to(&mut self, id: &str, group: &str) {
        self.plan(|vault, options| vault.plan_move(id, group, options));
    }

    pub(super) fn undelete(&mut self, id: &str) {
        self.plan(|vault, options| vault.plan_undelete(id, None, options));
    }
}

fn plan_undelete(team: &Team, source: Option<u64>) -> Result<Plan> {
    let source = source.map(|source| Version::new(source).unwrap());
    team.vault.plan_undelete("x", source, &Options::default())
}

fn code<T>(result: Result<T>) -> Code {
    result.err().unwrap().code()
}

impl Team {
    /// Whose clock says this from now on.
    fn at(&mut self, now: &str, plan: impl FnOnce(&Vault) -> Result<Plan>) {
        let plan = plan(&self.vault).unwrap();
        let mut host = host(&mut self.rng);
        host.now = Timestamp::new(now).unwrap();
        let prepared = self.vault.prepare(plan, &mut host).unwrap();
        self.store(prepared);
    }

    fn newest(&self, id: &str) -> Overview {
        self.vault.overview(id).unwrap()
    }
}

const LATER: &str = "2027-01-01T00:00:00.000Z";
const LATEST: &str = "2028-01-01T00:00:00.000Z";

#[test]
fn each_op_carries_on_what_it_does_not_change() {
    let options = Options::default();
    let mut team = Team::with_groups(&[]);
    let created_at = team.newest("x").created_at;
    team.at(LATER, |vault| {
        vault.plan_update("x", [("APIKey", "b")], &options)
    });
    let described = Description::new().name("Other").meta("tags", "a b");
    team.at(LATEST, |vault| {
        vault.plan_describe("x", &described, &options)
    });
    team.at(LATEST, |vault| vault.plan_move("x", "billing", &options));
    team.at(LATEST, |vault| vault.plan_delete("x", &options));
    team.at(LATEST, |vault| vault.plan_undelete("x", None, &options));
    let versions = team.vault.history("x").unwrap();
    let ops: Vec<_> = versions.iter().map(|kept| kept.overview.op).collect();
    let expected = [
        Op::Create,
        Op::Update,
        Op::Describe,
        Op::Move,
        Op::Delete,
        Op::Undelete,
    ];
    assert_eq!(ops, expected);
    for kept in &versions[1..] {
        let overview = &kept.overview;
        assert_eq!(overview.created_at, created_at);
        assert_eq!(overview.rotated_at.as_str(), LATER, "{:?}", overview.op);
    }
    for kept in &versions[2..4] {
        assert!(kept.overview.changed.is_empty());
    }
    let billing = team.vault.header.groups[1].id;
    let connector = team.vault.read("x").unwrap();
    let overview = team.newest("x");
    assert_eq!(
        (overview.group, overview.source),
        (billing, Version::new(4).ok())
    );
    assert_eq!(
        (&*connector.name, connector.meta.get("tags")),
        ("Other", Some("a b"))
    );
    assert_eq!(connector.properties.get("APIKey").unwrap().expose(), "b");
    let verdicts = team.vault.verify().unwrap();
    assert!(verdicts.iter().all(|verdict| verdict.problems.is_empty()));
}

#[test]
fn what_changes_nothing_is_not_written() {
    let options = Options::default();
    let mut team = Team::with_groups(&[]);
    team.describe("x", Description::new().meta("tags", "a"));
    let same = Description::new()
        .name("Name")
        .meta("tags", "a")
        .without_meta("expires");
    let plans = [
        team.vault.plan_describe("x", &same, &options).unwrap(),
        team.vault.plan_move("x", "default", &options).unwrap(),
    ];
    for plan in plans {
        assert!(plan.is_unchanged());
        assert_eq!(plan.outcome().status, Status::Unchanged);
        let prepared = team.vault.prepare(plan, &mut host(&mut team.rng)).unwrap();
        assert_eq!(prepared.write(), Write::Nothing);
        assert_eq!(prepared.outcomes()[0].version_after.get(), 2);
    }
    // Removing the only name leaves no meta.
    team.describe("x", Description::new().without_meta("tags"));
    assert!(team.newest("x").meta.is_empty());
}

#[test]
fn several_changes_in_one_commit_go_on_from_each_other() {
    let mut team = Team::with_groups(&[]);
    let plans = team
        .vault
        .plan_changes::<Error>(|change| {
            change.create(NewConnector::new("y", "Name", "Type").property("APIKey", "a"))?;
            change.describe("y", &Description::new().name("Other"))?;
            change.move_connector("y", "billing")?;
            change.update("y", [("APIKey", "b")])?;
            change.move_connector("y", "default")?;
            assert_eq!(code(change.undelete("y", None)), Code::ConnectorExists);
            change.delete("x")?;
            assert_eq!(code(change.undelete("x", None)), Code::InvalidArgument);
            Ok(())
        })
        .unwrap();
    let prepared = team.vault.prepare_all(plans, &mut host(&mut team.rng));
    team.store(prepared.unwrap());
    team.hand_to("ops");
    let overview = team.newest("y");
    assert_eq!((&*overview.name, overview.version.get()), ("Other", 5));
    assert_eq!(overview.group, team.vault.header.groups[0].id);
    assert_eq!(
        team.vault.value("y", "APIKey").unwrap().unwrap().expose(),
        "b"
    );
    assert_eq!(team.vault.len(), 2);
}

#[test]
fn an_undelete_takes_the_newest_version_that_is_not_false() {
    let mut team = Team::pair();
    team.update("x", "APIKey", "b");
    let rotation = team.open_as("rotation");
    let mut lie = forge_record(
        &rotation,
        &mut team.rng,
        |overview| {
            overview.version = 3;
            overview.properties = vec![crate::vault::record::Text("Other".into())];
        },
        some_secrets(),
    );
    lie.refit();
    team.file.extend(commit_of(&rotation, &[&lie]));
    team.hand_to("ops");
    assert_eq!(code(plan_undelete(&team, None)), Code::ConnectorExists);
    team.delete("x");
    assert_eq!(code(plan_undelete(&team, Some(3))), Code::FalseRecord);
    assert_eq!(code(plan_undelete(&team, Some(4))), Code::VersionNotFound);
    assert_eq!(code(plan_undelete(&team, Some(9))), Code::VersionNotFound);
    team.undelete("x");
    let overview = team.newest("x");
    assert_eq!(
        (overview.version.get(), overview.source),
        (5, Version::new(2).ok())
    );
    assert_eq!(
        team.vault.value("x", "APIKey").unwrap().unwrap().expose(),
        "b"
    );
    assert_eq!(team.vault.len(), 1);

    team.delete("x");
    team.compact(Retention::Newest(1));
    assert_eq!(code(plan_undelete(&team, None)), Code::VersionNotFound);
    let unknown = team
        .vault
        .plan_undelete("nobody", None, &Options::default());
    assert_eq!(code(unknown), Code::ConnectorNotFound);
}

#[test]
fn an_undelete_goes_back_before_a_damaged_version_only_on_request() {
    let mut team = Team::solo();
    team.update("x", "APIKey", "b");
    let at = team.file.len() - 9;
    team.delete("x");
    team.file[at] ^= 1;
    team.hand_to("ops");
    let error = plan_undelete(&team, None).err().unwrap();
    assert_eq!(error.code(), Code::Damaged);
    assert!(error.hint().unwrap().contains("older version"), "{error:?}");
    let plan = plan_undelete(&team, Some(1)).unwrap();
    team.commit(plan);
    assert_eq!(
        team.vault.value("x", "APIKey").unwrap().unwrap().expose(),
        "a"
    );
}

#[test]
fn a_plan_conflicts_with_what_others_wrote_meanwhile() {
    let options = Options::default();
    let mut team = Team::with_groups(&[]);
    team.delete("b");
    let description = Description::new().name("Other");
    let plans = [
        team.vault
            .plan_describe("x", &description, &options)
            .unwrap(),
        team.vault.plan_move("x", "billing", &options).unwrap(),
        team.vault.plan_undelete("b", None, &options).unwrap(),
    ];
    team.update("x", "APIKey", "b");
    team.undelete("b");
    for plan in plans {
        let prepared = team.vault.prepare(plan, &mut host(&mut team.rng));
        assert_eq!(code(prepared), Code::Conflict);
    }
    let options = Options {
        if_version: Some(Version::FIRST),
        ..options
    };
    assert_eq!(
        code(team.vault.plan_describe("x", &description, &options)),
        Code::Conflict
    );
    assert_eq!(
        code(team.vault.plan_move("x", "billing", &options)),
        Code::Conflict
    );
    team.delete("x");
    assert_eq!(
        code(team.vault.plan_undelete("x", None, &options)),
        Code::Conflict
    );
}

#[test]
fn rights_decide_group_by_group() {
    let options = Options::default();
    let mut team = Team::with_groups(&[
        ("editor", &[(None, Role::Viewer), (Some(1), Role::Editor)]),
        ("stranger", &[(Some(1), Role::Editor)]),
        ("updater", &[(None, Role::Updater)]),
    ]);
    let described = Description::new().name("Other");
    let editor = team.open_as("editor");
    for (verb, id, may) in [
        (Verb::Describe, "x", false),
        (Verb::Move, "x", false),
        (Verb::Describe, "b", true),
        (Verb::Move, "b", true),
        (Verb::Undelete, "b", false),
        (Verb::Delete, "b", true),
        (Verb::Update, "x", false),
    ] {
        assert_eq!(editor.permits(verb, id).unwrap(), may, "{verb:?} {id}");
    }
    for refused in [
        editor.plan_describe("x", &described, &options),
        editor.plan_move("x", "billing", &options),
        editor.plan_move("b", "default", &options),
        editor.plan_delete("x", &options),
    ] {
        assert_eq!(code(refused), Code::NotPermitted);
    }
    // Whoever does not list a group does not learn whether there is one of this name; `default` always is.
    let stranger = team.open_as("stranger");
    let error = stranger
        .plan_move("b", "no such group", &options)
        .err()
        .unwrap();
    assert_eq!(error.code(), Code::GroupNotFound);
    assert!(error.message().contains("no such group"), "{error}");
    assert_eq!(
        code(stranger.plan_move("b", "default", &options)),
        Code::NotPermitted
    );
    assert_eq!(
        code(stranger.plan_describe("x", &described, &options)),
        Code::NotPermitted
    );
    let updater = team.open_as("updater");
    assert_eq!(
        code(updater.plan_describe("x", &described, &options)),
        Code::NotPermitted
    );
    team.delete("b");
    let updater = team.open_as("updater");
    assert_eq!(
        code(updater.plan_undelete("b", None, &options)),
        Code::NotPermitted
    );
    assert!(team.open_as("editor").permits(Verb::Undelete, "b").unwrap());
    // A plan that an owner made does not help.
    let plan = team.vault.plan_undelete("b", None, &options).unwrap();
    let prepared = updater.prepare(plan, &mut host(&mut team.rng));
    assert_eq!(code(prepared), Code::NotPermitted);
}

#[test]
fn descriptions_are_checked() {
    let options = Options::default();
    let team = Team::solo();
    let long = "n".repeat(1025);
    for (description, expected) in [
        (Description::new().name(""), Code::InvalidConnectorName),
        (
            Description::new().type_name("a\nb"),
            Code::InvalidConnectorName,
        ),
        (Description::new().name(&long), Code::InvalidConnectorName),
        (Description::new().meta("", "text"), Code::InvalidArgument),
        (Description::new().meta("name", ""), Code::InvalidArgument),
        (
            Description::new().meta("name", &long),
            Code::InvalidArgument,
        ),
        (Description::new().without_meta(""), Code::InvalidArgument),
    ] {
        let refused = team.vault.plan_describe("x", &description, &options);
        assert_eq!(code(refused), expected, "{description:?}");
    }
    // A full meta has room for as many names as go.
    let mut team = team;
    let full = (0..32).fold(Description::new(), |description, number| {
        description.meta(number.to_string(), "text")
    });
    team.describe("x", full);
    let one_more = Description::new().meta("more", "text");
    let refused = team.vault.plan_describe("x", &one_more, &options);
    assert_eq!(code(refused), Code::InvalidArgument);
    team.describe("x", one_more.without_meta("7"));
    assert_eq!(team.newest("x").meta.len(), 32);
}

/// A newest version by a member whose overview does not say what its entry says.
fn with_false_overview(mut team: Team, op: Op) -> Team {
    let vault = team.open_as("second");
    let mut record = forge_record(
        &vault,
        &mut team.rng,
        |overview| {
            overview.op = op;
            overview.version = 3;
            if op == Op::Describe {
                overview.name = "Of another face".into();
            }
        },
        some_secrets(),
    );
    record.overview[40] ^= 1;
    record.refit();
    team.file.extend(commit_of(&vault, &[&record]));
    team.hand_to("ops");
    assert_eq!(code(team.vault.overview("x")), Code::FalseRecord);
    team
}

fn with_second_owner() -> Team {
    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    team.add("x", &[("APIKey", "a")]);
    team.update("x", "APIKey", "b");
    team
}

#[test]
fn behind_a_false_update_its_connector_is_restored_by_an_older_face() {
    let mut team = with_false_overview(with_second_owner(), Op::Update);
    let plan = team
        .vault
        .plan_restore("x", Version::FIRST, &Options::default());
    team.commit(plan.unwrap());
    team.hand_to("ops");
    let overview = team.newest("x");
    assert_eq!((&*overview.name, overview.version.get()), ("Name", 4));
}

#[test]
fn behind_a_false_description_a_connector_is_deleted_and_undeleted() {
    let options = Options::default();
    let mut team = with_false_overview(with_second_owner(), Op::Describe);
    // No older version has the face that an update or a restore has to keep.
    let restored = team.vault.plan_restore("x", Version::FIRST, &options);
    assert_eq!(code(restored), Code::FalseRecord);
    let described = Description::new().name("Name");
    let described = team.vault.plan_describe("x", &described, &options);
    assert_eq!(code(described), Code::FalseRecord);
    team.delete("x");
    team.undelete("x");
    team.hand_to("ops");
    let overview = team.newest("x");
    assert_eq!((&*overview.name, overview.version.get()), ("Name", 5));
    assert_eq!(
        team.vault.value("x", "APIKey").unwrap().unwrap().expose(),
        "b"
    );
}

/// Repairs a file of which the secrets of the second version of `x` are lost; the version that stands then, and
/// how many stand elsewhere.
fn repaired(
    team: &mut Team,
    second: impl FnOnce(&mut Team),
    third: impl FnOnce(&mut Team),
) -> (u64, usize) {
    second(team);
    let at = team.file.len() - 9;
    third(team);
    team.file[at] ^= 1;
    let options = OpenOptions {
        vault_id: Some(team.vault_id()),
        ..OpenOptions::default()
    };
    let unlock = crate::access::Unlock::Identity(team.identity("ops"));
    let mut rng = super::Counter::new(80);
    let repaired = Vault::repair(
        &team.file,
        unlock,
        &options,
        RepairOptions::default(),
        &mut host(&mut rng),
    );
    let repaired = repaired.unwrap();
    assert_eq!(repaired.lost.len(), 1);
    let version = repaired.vault.overview("x").unwrap().version.get();
    (version, repaired.elsewhere.len())
}

#[test]
fn a_repair_bridges_lost_versions_by_what_the_author_may_change() {
    let team = || {
        Team::with_groups(&[
            ("editor", &[(None, Role::Editor)]),
            ("billing", &[(None, Role::Reader), (Some(1), Role::Editor)]),
            ("updater", &[(None, Role::Updater)]),
        ])
    };
    let update = |team: &mut Team| team.update("x", "APIKey", "b");
    let describe = |team: &mut Team| team.describe("x", Description::new().name("Other"));
    let to_billing = |team: &mut Team| team.move_to("x", "billing");
    let by = |label: &'static str, change: fn(&mut Team)| {
        move |team: &mut Team| {
            team.hand_to(label);
            change(team);
        }
    };
    // An editor describes and moves whatever is lost before that.
    let described = by("editor", |team| {
        team.describe("x", Description::new().name("O"))
    });
    assert_eq!(repaired(&mut team(), update, described), (3, 0));
    let moved = by("editor", |team| team.move_to("x", "billing"));
    assert_eq!(repaired(&mut team(), update, moved), (3, 0));
    // An updater does neither; the page of the lost version tells that its author did, who may.
    let updated = by("updater", |team| team.update("x", "APIKey", "c"));
    assert_eq!(repaired(&mut team(), update, updated), (3, 0));
    assert_eq!(repaired(&mut team(), describe, updated), (3, 0));
    assert_eq!(repaired(&mut team(), to_billing, updated), (3, 0));
    // An editor of the group where the lost version has put it, and not of the one where it was.
    let described = by("billing", |team| {
        team.describe("x", Description::new().name("O"))
    });
    assert_eq!(repaired(&mut team(), to_billing, described), (3, 0));
}

#[test]
fn a_revocation_names_connectors_that_have_moved_since() {
    let mut team = Team::with_groups(&[("reader", &[(Some(0), Role::Reader)])]);
    team.move_to("x", "billing");
    let revocation = team
        .vault
        .prepare_revoke("reader", &mut host(&mut team.rng), &mut |_, _| {})
        .unwrap();
    let exposed: Vec<_> = revocation.exposed.iter().map(AsRef::as_ref).collect();
    assert_eq!(exposed, ["x"]);
    team.store(revocation.prepared);
    // New keys change no version, in whatever group it stands.
    let ops: Vec<_> = team.vault.history("x").unwrap();
    assert_eq!(ops.len(), 2);
    let verdicts = team.vault.verify().unwrap();
    assert!(verdicts.iter().all(|verdict| verdict.problems.is_empty()));
}

#[test]
fn a_merge_takes_names_meta_and_groups_over() {
    let mut ours = Team::with_groups(&[("editor", &[(None, Role::Editor)])]);
    let mut theirs = Team::with_groups(&[("editor", &[(None, Role::Editor)])]);
    theirs.file.clone_from(&ours.file);
    theirs.hand_to("editor");
    theirs.describe("x", Description::new().name("Theirs").meta("tags", "t"));
    theirs.move_to("x", "billing");
    theirs.update("x", "APIKey", "b");
    ours.update("x", "Endpoint", "e");
    let now = Timestamp::new(super::NOW).unwrap();
    let merge = |ours: &Team, resolve| {
        let copy = ours.vault.open_copy(theirs.file.clone()).unwrap();
        let options = MergeOptions {
            resolve,
            ..MergeOptions::default()
        };
        ours.vault.plan_merge(&copy, options, &now).unwrap()
    };
    let plan = merge(&ours, None);
    assert!(plan.conflicts.is_empty() && plan.strangers.is_empty());
    let prepared = ours.vault.prepare_merge(plan, &mut host(&mut ours.rng));
    let mut merged = Team::with_groups(&[("editor", &[(None, Role::Editor)])]);
    merged.file.clone_from(&ours.file);
    merged.hand_to("ops");
    merged.store(prepared.unwrap());
    merged.hand_to("ops");
    let connector = merged.vault.read("x").unwrap();
    assert_eq!(
        (&*connector.name, connector.meta.get("tags")),
        ("Theirs", Some("t"))
    );
    let value = |name| connector.properties.get(name).unwrap().expose();
    assert_eq!((value("APIKey"), value("Endpoint")), ("b", "e"));
    assert_eq!(merged.newest("x").group, merged.vault.header.groups[1].id);

    // Both described it.
    ours.describe("x", Description::new().type_name("Ours").meta("tags", "o"));
    let kinds = |plan: &Merge| {
        let kinds = plan.conflicts.iter().map(|conflict| conflict.kind.clone());
        kinds.collect::<Vec<_>>()
    };
    let plan = merge(&ours, None);
    assert_eq!(kinds(&plan), [ConflictKind::Identity, ConflictKind::Meta]);
    assert_eq!(code(plan.check()), Code::MergeConflict);
    for (resolve, name, tags) in [
        (Resolve::Ours, "Name", "o"),
        (Resolve::Theirs, "Theirs", "t"),
    ] {
        let plan = merge(&ours, Some(resolve));
        let prepared = ours.vault.prepare_merge(plan, &mut host(&mut ours.rng));
        merged.file.clone_from(&ours.file);
        merged.hand_to("ops");
        merged.store(prepared.unwrap());
        let overview = merged.newest("x");
        assert_eq!(
            (&*overview.name, overview.meta.get("tags")),
            (name, Some(tags))
        );
    }
}
