//! Commits that the library would never make, signed by a grant that would like to: every opener
//! refuses them.

#![allow(clippy::unwrap_used, reason = "tests")]

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::record::{OverviewText, SecretsPart, Text};
use super::*;
use crate::access::Unlock;
use crate::connector::{ConnectorId, Properties, PropertyName, Secret};
use crate::crypto::identity::Identity;
use crate::crypto::sha256;
use crate::format::commit::{NewCommit, NewSnapshot};
use crate::format::hex::{Hex, RecordId};
use crate::log;
use crate::plan::Plan;
use crate::{Action, Grantee, NewOwner, Options};

struct Team {
    rng: StdRng,
    file: Vec<u8>,
    members: Vec<(Role, Identity)>,
}

fn host(rng: &mut StdRng) -> Host<'_> {
    Host {
        now: Timestamp::new("2026-11-23T20:15:00.000Z").unwrap(),
        rng,
    }
}

fn properties(values: &[(&str, &str)]) -> Properties {
    let mut properties = Properties::new();
    for (name, value) in values {
        properties
            .set(
                PropertyName::new(*name).unwrap(),
                Secret::new(*value).unwrap(),
            )
            .unwrap();
    }
    properties
}

impl Team {
    /// A vault with a connector `x`, and a grant of each role.
    fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(42);
        let owner = Identity::generate(&mut rng);
        let new_owner = NewOwner {
            label: "owner",
            identity: Some(owner.clone()),
            passphrase: None,
        };
        let (mut vault, mut file) = Vault::create(&mut host(&mut rng), &new_owner).unwrap();
        let mut members = Vec::new();
        for role in [Role::Viewer, Role::Reader, Role::Updater] {
            let identity = Identity::generate(&mut rng);
            let key = identity.grant_key();
            let prepared = vault
                .prepare_grant(role.as_str(), role, Grantee::Key(&key), &mut host(&mut rng))
                .unwrap();
            file = prepared.to_replace().unwrap().to_vec();
            vault.apply(prepared).unwrap();
            members.push((role, identity));
        }
        members.push((Role::Owner, owner));
        let id = ConnectorId::new("x").unwrap();
        let plan = vault
            .plan_create(
                id,
                "Name",
                "Type",
                &properties(&[("APIKey", "a")]),
                &Options::default(),
            )
            .unwrap();
        let prepared = vault.prepare(plan, &mut host(&mut rng)).unwrap();
        file.extend_from_slice(prepared.to_append().unwrap());
        Self { rng, file, members }
    }

    fn identity(&self, role: Role) -> &Identity {
        &self
            .members
            .iter()
            .find(|(member, _)| *member == role)
            .unwrap()
            .1
    }

    fn open_as(&self, role: Role) -> Vault {
        self.open_file(self.file.clone(), self.identity(role))
            .unwrap()
    }

    fn open_file(&self, file: Vec<u8>, identity: &Identity) -> Result<Vault> {
        let (_, log_start) = crate::format::split_file(&file).unwrap();
        let walk = log::walk(&file[log_start..], log_start as u64, None)?;
        let vault_id = log::verified_header(&walk.commits[0])?.vault_id;
        drop(walk);
        let options = OpenOptions {
            vault_id: Some(vault_id),
            ..OpenOptions::default()
        };
        Vault::open(file, Unlock::Identity(identity), &options)
    }

    /// Every role refuses the file with this commit at its end, and a refresh with it.
    fn refused_by_all(&self, commit: &[u8], code: Code) {
        for (role, identity) in &self.members {
            let file = [self.file.as_slice(), commit].concat();
            let error = self.open_file(file, identity).expect_err("a forged commit");
            assert_eq!(error.code(), code, "{role}: {error}");

            let mut vault = self.open_as(*role);
            let before = vault.head();
            assert_eq!(
                vault.refresh(commit.to_vec()).expect_err("forged").code(),
                code,
                "{role}"
            );
            assert_eq!(vault.head(), before);
            assert_eq!(vault.connector("x").unwrap().version, Version::FIRST);
        }
    }
}

/// A record for `x` as an update by `vault`'s grant would be, but for what `change` does to it.
fn forge_record(
    vault: &Vault,
    rng: &mut StdRng,
    change: impl FnOnce(&mut OverviewText<'_, Vec<Text<'_>>>),
    secrets: Option<SecretsPart>,
) -> Vec<u8> {
    let mut overview = OverviewText {
        record_id: RecordId(Hex([1; 16])),
        op: Op::Update,
        id: "x".into(),
        name: "Name".into(),
        type_name: "Type".into(),
        version: 2,
        at: "2026-11-23T20:15:00.000Z".into(),
        author: vault.access.grant,
        properties: vec![Text("APIKey".into())],
        changed: None,
        note: None,
        request_id: None,
    };
    change(&mut overview);
    vault.keys.seal(rng, &overview, secrets.as_ref()).unwrap()
}

fn some_secrets() -> Option<SecretsPart> {
    Some(SecretsPart {
        properties: properties(&[("APIKey", "forged")]),
        request: None,
    })
}

fn commit_of(vault: &Vault, record: &[u8]) -> Vec<u8> {
    let head = vault.head();
    let commit = NewCommit {
        seq: head.seq + 1,
        prev: head.hash.0,
        author: vault.access.index,
        snapshot: None,
        records: &[(record, sha256(record))],
    };
    let mut bytes = Vec::new();
    commit.encode(&mut bytes, |signed| {
        vault.access.sign_commit(head.vault_id, signed)
    });
    bytes
}

/// Every opener refuses what an updater makes of an update.
fn check(change: impl FnOnce(&mut OverviewText<'_, Vec<Text<'_>>>), secrets: Option<SecretsPart>) {
    let mut team = Team::new();
    let updater = team.open_as(Role::Updater);
    let record = forge_record(&updater, &mut team.rng, change, secrets);
    team.refused_by_all(&commit_of(&updater, &record), Code::UnauthorizedCommit);
}

#[test]
fn an_honest_update_by_an_updater_is_accepted_by_all() {
    let mut team = Team::new();
    let updater = team.open_as(Role::Updater);
    let record = forge_record(&updater, &mut team.rng, |_| {}, some_secrets());
    team.file.extend_from_slice(&commit_of(&updater, &record));
    for (role, _) in &team.members {
        assert_eq!(
            team.open_as(*role).connector("x").unwrap().version.get(),
            2,
            "{role}"
        );
    }
}

#[test]
fn an_updater_does_not_create() {
    check(
        |overview| {
            overview.op = Op::Create;
            overview.id = "y".into();
            overview.version = 1;
        },
        some_secrets(),
    );
}

#[test]
fn an_updater_does_not_delete() {
    check(
        |overview| {
            overview.op = Op::Delete;
            overview.properties.clear();
        },
        None,
    );
}

#[test]
fn an_updater_does_not_change_a_name() {
    check(|overview| overview.name = "Other".into(), some_secrets());
}

#[test]
fn an_updater_does_not_change_a_type() {
    check(
        |overview| overview.type_name = "Other".into(),
        some_secrets(),
    );
}

#[test]
fn no_version_is_skipped() {
    check(|overview| overview.version = 3, some_secrets());
}

#[test]
fn no_version_is_made_twice() {
    check(|overview| overview.version = 1, some_secrets());
}

#[test]
fn nobody_signs_for_another() {
    let other = Team::new().open_as(Role::Owner).access.grant;
    check(|overview| overview.author = other, some_secrets());
}

#[test]
fn an_update_has_secrets() {
    check(|_| {}, None);
}

#[test]
fn an_update_of_nothing_is_refused() {
    check(
        |overview| {
            overview.id = "unknown".into();
            overview.version = 1;
        },
        some_secrets(),
    );
}

#[test]
fn false_property_names_are_refused_at_each_read() {
    let mut team = Team::new();
    let updater = team.open_as(Role::Updater);
    let lie = |overview: &mut OverviewText<'_, Vec<Text<'_>>>| {
        overview.properties = vec![Text("Other".into())]
    };
    let record = forge_record(&updater, &mut team.rng, lie, some_secrets());
    team.file.extend_from_slice(&commit_of(&updater, &record));
    for role in [Role::Reader, Role::Updater, Role::Owner] {
        let vault = team.open_as(role);
        assert_eq!(
            vault.read("x").expect_err("false names").code(),
            Code::NamesMismatch
        );
        let problems = vault.verify().unwrap().pop().unwrap().problems;
        assert_eq!(problems[0].code(), Code::NamesMismatch);
        assert_eq!(
            vault
                .read_version("x", Version::FIRST)
                .unwrap()
                .properties
                .len(),
            1
        );
    }
}

#[test]
fn a_role_that_may_not_write_signs_nothing_that_counts() {
    for role in [Role::Viewer, Role::Reader] {
        let mut team = Team::new();
        // A record that a colleague with more rights sealed for it.
        let updater = team.open_as(Role::Updater);
        let author = team.open_as(role).access.grant;
        let record = forge_record(
            &updater,
            &mut team.rng,
            |overview| overview.author = author,
            some_secrets(),
        );
        let commit = commit_of(&team.open_as(role), &record);
        team.refused_by_all(&commit, Code::UnauthorizedCommit);
    }
}

#[test]
fn a_signature_by_another_key_is_refused() {
    let mut team = Team::new();
    let updater = team.open_as(Role::Updater);
    let record = forge_record(&updater, &mut team.rng, |_| {}, some_secrets());
    let mut impostor = team.open_as(Role::Reader);
    impostor.access.index = updater.access.index;
    team.refused_by_all(&commit_of(&impostor, &record), Code::BadSignature);
}

#[test]
fn a_bad_signature_behind_a_good_one_is_not_skipped() {
    let mut team = Team::new();
    let mut updater = team.open_as(Role::Updater);
    let mut impostor = team.open_as(Role::Reader);
    impostor.access.index = updater.access.index;
    let record = forge_record(&updater, &mut team.rng, |_| {}, some_secrets());
    let forged = commit_of(&impostor, &record);
    // The updater is made to build on the forged commit.
    updater.extend(forged.clone(), false).unwrap();
    let record = forge_record(
        &updater,
        &mut team.rng,
        |overview| overview.version = 3,
        some_secrets(),
    );
    let both = [forged, commit_of(&updater, &record)].concat();
    team.refused_by_all(&both, Code::BadSignature);
}

#[test]
fn only_an_owner_makes_a_snapshot() {
    let team = Team::new();
    let updater = team.open_as(Role::Updater);
    let owner = team.open_as(Role::Owner);
    let header = updater.header.encode().unwrap();
    let head = updater.head();
    let key = owner.access.bundle.vault_key.as_ref().unwrap();
    let commit = NewCommit {
        seq: head.seq + 1,
        prev: head.hash.0,
        author: updater.access.index,
        snapshot: Some(NewSnapshot {
            header: &header,
            header_signature: key.sign(&log::header_message(head.vault_id, &header)),
            superseded: &[],
        }),
        records: &[],
    };
    let mut file = crate::format::file_start(b"[]");
    commit.encode(&mut file, |hash| {
        updater.access.sign_commit(head.vault_id, hash)
    });
    for (_, identity) in &team.members {
        let error = team
            .open_file(file.clone(), identity)
            .expect_err("an updater's snapshot");
        assert_eq!(error.code(), Code::UnauthorizedCommit);
    }
}

#[test]
fn the_library_refuses_what_a_role_does_not_permit() {
    let mut team = Team::new();
    let mut rng = StdRng::seed_from_u64(43);
    let update = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "x",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "b"}]}}"#;
    let add = r#"{"ActionType": "CredStore.AddConnectorEntry", "Parameters":
        {"TypeName": "T", "EntryName": "N"}}"#;
    let delete = r#"{"ActionType": "CredStore.DeleteEntry", "Parameters": {"EntryId": "x"}}"#;
    for (role, _) in &team.members {
        let vault = team.open_as(*role);
        assert_eq!(vault.role(), *role);
        assert_eq!(vault.connectors().count(), 1);
        assert_eq!(vault.read("x").is_ok(), role.reads(), "{role}");
        let plan = |action: &str, rng: &mut StdRng| -> Result<Plan> {
            let mut tokens = std::collections::BTreeMap::<String, Secret>::new();
            vault.plan(
                &Action::parse(action)?,
                &mut tokens,
                &Options::default(),
                &mut host(rng),
            )
        };
        for (action, permitted) in [
            (update, role.updates()),
            (add, role.owns()),
            (delete, role.owns()),
        ] {
            match plan(action, &mut rng) {
                Ok(_) => assert!(permitted, "{role} {action}"),
                Err(error) => {
                    assert!(!permitted, "{role} {action} {error}");
                    assert_eq!(error.code(), Code::NotPermitted);
                }
            }
        }
        assert_eq!(
            vault.prepare_compaction(Retention::Automatic).is_ok(),
            role.owns()
        );
        // A plan that another role made does not help.
        let owner = team.open_as(Role::Owner);
        let plan = owner
            .plan(
                &Action::parse(delete).unwrap(),
                &mut std::collections::BTreeMap::<String, Secret>::new(),
                &Options::default(),
                &mut host(&mut team.rng),
            )
            .unwrap();
        assert_eq!(
            vault.prepare(plan, &mut host(&mut rng)).is_ok(),
            role.owns(),
            "{role}"
        );
    }
}

#[test]
fn a_stranger_does_not_get_in() {
    let mut team = Team::new();
    let stranger = Identity::generate(&mut team.rng);
    let error = team
        .open_file(team.file.clone(), &stranger)
        .expect_err("a stranger");
    assert_eq!(error.code(), Code::WrongIdentity);
}
