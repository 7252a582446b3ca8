//! Features, groups, rights, commitments and retired grants of a header (docs/format.md sections 3.4 and 5).

use super::Cases;
use super::headers::{fresh, header, retired, second, text};
use crate::access::BundlePlace;
use crate::connector::Op;
use crate::crypto::x_wing;
use crate::error::Code;
use crate::format::header::{Group, Header};
use crate::format::hex::{GroupId, Hex};
use crate::format::rights::{RightEntry, Scope};
use crate::role::Role;
use crate::vault::Right;
use crate::vault::forge::{
    Forged, NOW, Team, commit_of, forge_record, newest, seal_texts, some_secrets,
};
use crate::vault::record::NewOverview;

pub(super) fn make(cases: &mut Cases) {
    features(cases);
    commitments(cases);
    lists(cases);
    rights(cases);
    former(cases);
    extra(cases);
    two_groups(cases);
    foreign(cases);
    removed(cases);
}

fn features(cases: &mut Cases) {
    text(
        cases,
        "header-feature-unknown",
        "a feature that a reader does not know is named, whatever other names the header has",
        Code::UnsupportedVersion,
        |text| {
            text.replacen(
                "\"features\":[]",
                "\"features\":[\"quorum\",\"b\"],\"more\":0",
                1,
            )
        },
    );
    for (name, rule, features) in [
        ("header-features-absent", "a header lists its features", ""),
        (
            "header-feature-not-text",
            "features are words",
            "\"features\":[1],",
        ),
    ] {
        text(cases, name, rule, Code::Damaged, |text| {
            text.replacen("\"features\":[],", features, 1)
        });
    }
    text(
        cases,
        "header-seq-other",
        "a header has the seq of its snapshot",
        Code::Damaged,
        |text| text.replacen("\"seq\":0", "\"seq\":1", 1),
    );
}

fn commitments(cases: &mut Cases) {
    let mut other = |name, rule: &str, change: fn(&mut Header)| {
        let team = Team::alone();
        let mut snapshot = fresh(&team);
        let mut header = snapshot.header_of(&team);
        change(&mut header);
        snapshot.header = crate::format::to_json(&header);
        cases
            .refused(name, rule, &team, snapshot.file(), Code::Damaged)
            .says("commits to");
    };
    other(
        "commitment-index",
        "all members hold the index key that the header commits to",
        |header| header.commitments.index.0[0] ^= 1,
    );
    other(
        "commitment-overview-root",
        "all members hold the overview root that the header commits to",
        |header| header.commitments.overview_root.0[0] ^= 1,
    );
    other(
        "commitment-secret-root",
        "all members hold the secret root that the header commits to",
        |header| header.commitments.secret_root.0[0] ^= 1,
    );
    other(
        "commitment-group-overview",
        "the overview key of each group is the one that the header commits to",
        |header| header.groups[0].overview_commitment.0[0] ^= 1,
    );
    other(
        "commitment-group-secret",
        "the secret of each group is the one that the header commits to",
        |header| header.groups[0].secret_commitment.0[0] ^= 1,
    );

    // An owner shows a member of one group another key than its colleagues.
    let mut team = team_of_two();
    let billing = team.vault.header.groups[1].id;
    let mut snapshot = team.snapshot();
    let mut header = snapshot.header_of(&team);
    let grant = header.grants.last_mut().unwrap();
    let place = BundlePlace {
        vault_id: header.vault_id,
        epoch: header.epoch,
        grant: grant.id,
        rights: &grant.rights,
    };
    let (index, keys) = (team.vault.access.bundle.index(), [[1; 32], [2; 32]]);
    let overview = team.vault.access.bundle.group(billing).unwrap().overview;
    let plaintext = [&index[..], &overview[..], &keys[1]].concat();
    let sealed = grant.x_wing.seal(&mut team.rng, &place.info(), &plaintext);
    grant.bundle = sealed.unwrap();
    snapshot.header = crate::format::to_json(&header);
    let member = team.identity("billing").clone();
    cases
        .refused(
            "commitment-group-secret-of-a-member",
            "an owner cannot give members of one group different keys",
            &team,
            snapshot.file(),
            Code::Damaged,
        )
        .by(&member)
        .says("commits to");
}

/// Another group of a header, whose keys do not matter.
fn another_group(header: &Header, number: u16) -> Group {
    Group {
        id: GroupId(Hex([7; 8])),
        number,
        ..header.groups[0].clone()
    }
}

fn lists(cases: &mut Cases) {
    header(
        cases,
        "header-next-group-zero",
        "the next group is not the first",
        Code::Damaged,
        |header| header.next_group = 0,
    );
    header(
        cases,
        "header-next-group-over-limit",
        "numbers of groups are at most 65,535",
        Code::Damaged,
        |header| header.next_group = 65_537,
    );
    header(
        cases,
        "header-no-groups",
        "a header lists the group default",
        Code::Damaged,
        |header| header.groups.clear(),
    );
    header(
        cases,
        "groups-not-ascending",
        "groups ascend by their numbers",
        Code::Damaged,
        |header| {
            header.next_group = 2;
            let group = another_group(header, 0);
            header.groups.push(group);
        },
    );
    header(
        cases,
        "groups-without-default",
        "the first group has the number 0",
        Code::Damaged,
        |header| {
            header.next_group = 2;
            header.groups[0].number = 1;
        },
    );
    header(
        cases,
        "group-number-not-below-next",
        "the numbers of all groups are below that of the next one",
        Code::Damaged,
        |header| {
            let group = another_group(header, 1);
            header.groups.push(group);
        },
    );
    header(
        cases,
        "group-id-twice",
        "a group id stands once",
        Code::Damaged,
        |header| {
            header.next_group = 2;
            let mut group = another_group(header, 1);
            group.id = header.groups[0].id;
            header.groups.push(group);
        },
    );
    header(
        cases,
        "group-name-too-short",
        "the sealed names of groups have one length",
        Code::Damaged,
        |header| {
            header.groups[0].name.0.pop();
        },
    );
}

fn rights(cases: &mut Cases) {
    let mut with = |name, rule: &str, change: fn(&Header) -> Vec<RightEntry>| {
        second(cases, name, rule, |header| {
            let rights = change(header);
            let len = x_wing::OVERHEAD + crate::format::rights::bundle_len(&rights);
            header.grants[1].bundle.resize(len, 0);
            header.grants[1].rights = rights;
        });
    };
    with("rights-empty", "a grant has a right", |_| Vec::new());
    with("rights-over-limit", "a grant has at most 16 rights", |_| {
        let number = |number: u8| Scope::Group(GroupId(Hex([number; 8])));
        let right = |group| RightEntry {
            group,
            role: Role::Viewer,
        };
        (0..17).map(|group| right(number(group))).collect()
    });
    with(
        "right-group-unknown",
        "a right is in a group that the header lists",
        |_| {
            vec![RightEntry {
                group: Scope::Group(GroupId(Hex([7; 8]))),
                role: Role::Viewer,
            }]
        },
    );
    with(
        "right-group-twice",
        "a group stands once in a grant",
        |header| {
            let group = Scope::Group(header.groups[0].id);
            [Role::Viewer, Role::Reader]
                .map(|role| RightEntry { group, role })
                .to_vec()
        },
    );
    with(
        "right-all-groups-twice",
        "all groups stand once in a grant",
        |_| {
            [Role::Viewer, Role::Reader]
                .map(RightEntry::everywhere)
                .to_vec()
        },
    );
    with(
        "owner-of-a-group",
        "an owner is one in all groups",
        |header| {
            vec![RightEntry {
                group: Scope::Group(header.groups[0].id),
                role: Role::Owner,
            }]
        },
    );
    with(
        "owner-beside-another-right",
        "an owner has no other right",
        |header| {
            let group = Scope::Group(header.groups[0].id);
            let role = Role::Viewer;
            vec![
                RightEntry::everywhere(Role::Owner),
                RightEntry { group, role },
            ]
        },
    );
    header(
        cases,
        "header-until-invalid",
        "times have exactly one form",
        Code::Damaged,
        |header| header.grants[0].until = Some("2027-01-01".into()),
    );
}

fn former(cases: &mut Cases) {
    let mut with = |name, rule: &str, change: fn(&mut Header)| {
        header(cases, name, rule, Code::Damaged, |header| {
            header.epoch = 9;
            change(header);
        });
    };
    with(
        "retired-not-ascending",
        "retired grants ascend by epoch",
        |header| header.retired = vec![retired(3, "a"), retired(2, "b")],
    );
    with(
        "retired-ids-not-ascending",
        "retired grants of one epoch ascend by id",
        |header| {
            let mut second = retired(2, "b");
            second.epoch = 3;
            header.retired = vec![retired(3, "a"), second];
        },
    );
    with(
        "retired-epoch-present",
        "a retired grant had its rights in a former epoch",
        |header| header.retired.push(retired(9, "a")),
    );
    with("retired-epoch-zero", "epochs begin at 1", |header| {
        let mut first = retired(1, "a");
        first.epoch = 0;
        header.retired.push(first);
    });
    with(
        "retired-key-other",
        "a grant id has one key, present and retired",
        |header| {
            let mut former = retired(3, "a");
            former.id = header.grants[0].id;
            header.retired.push(former);
        },
    );
    with(
        "retired-key-granted-again",
        "the key of a retired grant is not granted under another id",
        |header| {
            let mut former = retired(3, "a");
            former.ed25519 = header.grants[0].ed25519;
            header.retired.push(former);
        },
    );
    with(
        "retired-rights-empty",
        "a retired grant had a right",
        |header| {
            let mut former = retired(3, "a");
            former.rights.clear();
            header.retired.push(former);
        },
    );

    let mut team = Team::alone();
    team.grant("reader", Role::Reader);
    team.reduce("reader", Role::Viewer);
    cases.opens(
        "accepted-reduced",
        "a grant with less rights than before has a retired one beside it",
        &team,
        team.file.clone(),
    );
}

fn extra(cases: &mut Cases) {
    let with = |text: String, extra: &str| {
        text.replacen(",\"rights\"", &format!(",\"extra\":{extra},\"rights\""), 1)
    };
    for (name, rule, extra) in [
        (
            "header-grant-extra-not-an-object",
            "extra is an object",
            "[]".to_owned(),
        ),
        (
            "header-grant-extra-too-long",
            "the extra of a grant has at most 1,024 bytes",
            format!("{{\"a\":\"{}\"}}", "x".repeat(1024 - 7)),
        ),
    ] {
        text(cases, name, rule, Code::Damaged, |text| with(text, &extra));
    }
    text(
        cases,
        "header-extra-too-long",
        "the extra of a header has at most 4,096 bytes",
        Code::Damaged,
        |text| {
            let extra = format!("{{\"a\":\"{}\"}}", "x".repeat(4096 - 7));
            text.replacen(",\"grants\"", &format!(",\"extra\":{extra},\"grants\""), 1)
        },
    );

    // What later programs add is in nobody's way, and stays as it is.
    let team = Team::alone();
    let mut snapshot = fresh(&team);
    let odd = "{ \"when\" : 1.50e+9,\t\"a\":null,\"a\":{\"\\u0062\":[-0]} }";
    let text = String::from_utf8(std::mem::take(&mut snapshot.header)).unwrap();
    let text = with(text, odd);
    let grants = format!(",\"extra\":{odd},\"grants\"");
    let text = text.replacen(",\"grants\"", &grants, 1);
    let text = text.replacen(",\"extra\"", &format!(",\"until\":\"{NOW}\",\"extra\""), 2);
    let text = text.replacen(&format!("\"until\":\"{NOW}\",\"extra\""), "\"extra\"", 1);
    snapshot.header = text.into_bytes();
    let file = snapshot.file();
    cases.opens(
        "accepted-extra",
        "header and grants may have an extra of any content; no program enforces until",
        &team,
        file.clone(),
    );
    let mut team = team;
    team.vault = team.open_file(file, team.identity("ops")).unwrap();
    team.grant("viewer", Role::Viewer);
    team.revoke("viewer");
    let kept = String::from_utf8_lossy(&team.file).matches(odd).count();
    assert_eq!(kept, 2);
    cases.opens(
        "extra-kept",
        "snapshots keep the extra of header and grants byte for byte",
        &team,
        team.file.clone(),
    );
}

/// A vault with the groups `default` and `billing`, an owner, a reader of the second and a viewer of all who reads the
/// first, and the connectors `x` and `b`, one in each.
fn team_of_two() -> Team {
    Team::with_groups(&[
        ("mixed", &[(None, Role::Viewer), (Some(0), Role::Reader)]),
        ("billing", &[(Some(1), Role::Reader)]),
    ])
}

fn two_groups(cases: &mut Cases) {
    let team = team_of_two();
    for (name, rule, label) in [
        (
            "accepted-two-groups",
            "an owner sees the connectors of all groups",
            "ops",
        ),
        (
            "accepted-two-groups-member",
            "a member of one group sees its connectors and no others",
            "billing",
        ),
        (
            "accepted-two-groups-mixed",
            "rights add up for each group: this member lists all and reads one",
            "mixed",
        ),
    ] {
        cases
            .opens(name, rule, &team, team.file.clone())
            .by(team.identity(label));
    }

    let mut team = team_of_two();
    let ids: Vec<_> = team
        .vault
        .header
        .groups
        .iter()
        .map(|group| group.id)
        .collect();
    let mut forged = |name, rule: &str, group: GroupId, op: Op| {
        let change = |overview: &mut NewOverview<'_>| {
            overview.op = op;
            overview.group = group;
        };
        let record = forge_record(&team.vault, &mut team.rng, change, some_secrets());
        let file = [team.file.as_slice(), &commit_of(&team.vault, &[&record])].concat();
        cases.refused(name, rule, &team, file, Code::UnauthorizedCommit);
    };
    forged(
        "update-in-another-group",
        "an update stays in the group of its connector",
        ids[1],
        Op::Update,
    );

    // The overview is sealed for one group and names another.
    let face = newest(&team.vault, "x").entry.face;
    let mut other = |name, rule: &str, change: &dyn Fn(&mut Forged)| {
        let mut record = forge_record(
            &team.vault,
            &mut team.rng,
            |overview| overview.group = ids[1],
            some_secrets(),
        );
        change(&mut record);
        let vector = cases.opens(
            name,
            rule,
            &team,
            [team.file.as_slice(), &commit_of(&team.vault, &[&record])].concat(),
        );
        let vault = vector.open().unwrap();
        assert_eq!(
            vault.read("x").unwrap_err().code(),
            Code::FalseRecord,
            "{name}"
        );
    };
    other(
        "overview-of-another-group",
        "an overview opens under the key of the group that its entry names",
        &|record| (record.entry.group, record.entry.face) = (0, face),
    );
    let keys = team.vault.keys.clone();
    let first = forge_record(&team.vault, &mut team.rng, |_| {}, some_secrets());
    let mut plaintext = Vec::new();
    assert!(
        keys.open_overview(0, &first.overview, &mut plaintext)
            .unwrap()
    );
    let text = String::from_utf8_lossy(&plaintext[64..]).into_owned();
    let text = text.replace(&ids[0].to_string(), &ids[1].to_string());
    let record = seal_texts(
        &team.vault,
        &mut team.rng,
        text.as_bytes(),
        Some(b"{}"),
        ("x", 2),
    );
    let file = [team.file.as_slice(), &commit_of(&team.vault, &[&record])].concat();
    let vector = cases.opens(
        "entry-group-other",
        "an overview names the group of its entry",
        &team,
        file,
    );
    let vault = vector.open().unwrap();
    assert_eq!(vault.read("x").unwrap_err().code(), Code::FalseRecord);

    // Names of groups: this one is not in normal form.
    let mut team = team_of_two();
    let mut snapshot = team.snapshot();
    let mut header = snapshot.header_of(&team);
    header.groups[1].name.0[168] ^= 1;
    snapshot.header = crate::format::to_json(&header);
    team.file = snapshot.file();
    cases.opens(
        "accepted-group-name-damaged",
        "a name that does not open keeps nobody out",
        &team,
        team.file.clone(),
    );
}

/// A member of one group signs for another one.
fn foreign(cases: &mut Cases) {
    let mut team = Team::alone();
    team.add_group("billing");
    team.grant("billing", Right::in_group(Role::Updater, "billing"));
    team.add("x", &[("APIKey", "a")]);
    team.add_in("billing", "b", &[("APIKey", "b")]);
    let vault = team.open_as("billing");
    let ours = newest(&vault, "x").entry;
    let own_group = vault.header.groups[1].id;
    // It seals with the keys that it has, and its entry says what that of `x` says.
    let mut record = forge_record(
        &vault,
        &mut team.rng,
        |overview| overview.group = own_group,
        some_secrets(),
    );
    (record.entry.group, record.entry.face) = (ours.group, ours.face);
    let file = [team.file.as_slice(), &commit_of(&vault, &[&record])].concat();
    cases
        .refused(
            "updater-of-another-group",
            "an updater of one group writes in no other",
            &team,
            file,
            Code::UnauthorizedCommit,
        )
        .says("no right to it in this group");
    let mut record = forge_record(
        &vault,
        &mut team.rng,
        |overview| overview.group = own_group,
        some_secrets(),
    );
    record.entry.face = ours.face;
    let file = [team.file.as_slice(), &commit_of(&vault, &[&record])].concat();
    cases
        .refused(
            "update-takes-to-own-group",
            "nobody takes a connector of another group over by an update",
            &team,
            file,
            Code::UnauthorizedCommit,
        )
        .says("in another group");
    team.reduce(
        "billing",
        [
            Role::Viewer.into(),
            Right::in_group(Role::Reader, "billing"),
        ],
    );
    let member = team.identity("billing").clone();
    cases
        .opens(
            "accepted-viewer-of-all-and-reader-of-one",
            "a right in all groups and one in a group add up",
            &team,
            team.file.clone(),
        )
        .by(&member);
}

fn removed(cases: &mut Cases) {
    let mut team = Team::alone();
    team.add_group("billing");
    team.add("x", &[("APIKey", "a")]);
    team.remove_group("billing", None);
    team.add_group("billing");
    cases.opens(
        "group-removed",
        "a group goes, and the next one has another number",
        &team,
        team.file.clone(),
    );

    let mut team = Team::alone();
    team.add_group("billing");
    team.add("x", &[("APIKey", "a")]);
    team.add_in("billing", "b", &[("APIKey", "b")]);
    team.delete("b");
    team.remove_group("billing", Some("default"));
    cases.opens(
        "group-removed-with-tombstone",
        "an id that was deleted in a group which goes stays deleted, one version higher",
        &team,
        team.file.clone(),
    );

    let mut team = Team::alone();
    team.add_group("billing");
    team.grant(
        "mixed",
        [
            Role::Viewer.into(),
            Right::in_group(Role::Reader, "billing"),
        ],
    );
    team.grant("billing", Right::in_group(Role::Reader, "billing"));
    team.add("x", &[("APIKey", "a")]);
    let removal = team.remove_group("billing", None);
    assert_eq!(removal.revoked, ["billing"]);
    let mixed = team.identity("mixed").clone();
    cases
        .opens(
            "group-removed-rights",
            "rights in a group which goes are taken from all grants, in a new epoch",
            &team,
            team.file.clone(),
        )
        .by(&mixed);
}
