//! Commits that the library would never make, signed by a grant that would like to: every opener
//! refuses them.

#![allow(clippy::unwrap_used, reason = "tests")]

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::access::{BundlePlace, Unlock};
use crate::action::{Action, Options};
use crate::connector::{ConnectorId, NewConnector, Op, Properties, PropertyName};
use crate::crypto::identity::{Identity, VaultKey};
use crate::format::header::{Header, Retired};
use crate::format::hex::{GrantId, Hex};
use crate::limits;
use crate::plan::ActionPlan;
use crate::secret::Secret;
use crate::vault::commit::NewVersion;
use crate::vault::forge::{
    Changes, Forged, NOW, Snapshot, forge_record, newest, place, some_secrets, stored_record,
};
use crate::vault::record::{NewOverview, SecretsPart, Text};
use crate::vault::*;

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
        let new_owner = NewOwner::identity("owner", owner.clone());
        let (mut vault, mut file) = Vault::create(&mut host(&mut rng), &new_owner).unwrap();
        let mut members = Vec::new();
        for role in [Role::Viewer, Role::Reader, Role::Updater, Role::Editor] {
            let identity = Identity::generate(&mut rng);
            let key = identity.grant_key();
            let prepared = vault
                .prepare_grant(role.as_str(), role, Grantee::Key(&key), &mut host(&mut rng))
                .unwrap();
            prepared.write().to(&mut file);
            vault.apply(prepared).unwrap();
            members.push((role, identity));
        }
        members.push((Role::Owner, owner));
        let id = ConnectorId::new("x").unwrap();
        let plan = vault
            .plan_create(
                &NewConnector::new(id.as_str(), "Name", "Type")
                    .with_properties(&properties(&[("APIKey", "a")])),
                &Options::default(),
            )
            .unwrap();
        let prepared = vault.prepare(plan, &mut host(&mut rng)).unwrap();
        prepared.write().to(&mut file);
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
        let options = OpenOptions {
            vault_id: Some(Vault::identify(&file)?),
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
            assert_eq!(vault.overview("x").unwrap().version, Version::FIRST);
        }
    }
}

fn commit_of(vault: &Vault, record: &Forged) -> Vec<u8> {
    crate::vault::forge::commit_of(vault, &[record])
}

/// Every opener refuses what an updater makes of an update.
fn check(change: impl FnOnce(&mut NewOverview<'_>), secrets: Option<SecretsPart>) {
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
            team.open_as(*role).overview("x").unwrap().version.get(),
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
    let mut team = Team::new();
    let owner = team.open_as(Role::Owner).access.grant;
    let updater = team.open_as(Role::Updater);
    let change = |overview: &mut NewOverview<'_>| overview.author = owner;
    let record = forge_record(&updater, &mut team.rng, change, some_secrets());
    team.file.extend_from_slice(&commit_of(&updater, &record));
    for (role, _) in team.members.clone() {
        let error = team
            .open_as(role)
            .overview("x")
            .expect_err("somebody else's name");
        assert_eq!(error.code(), Code::FalseRecord, "{role}");
        assert!(error.message().ends_with("\"updater\" wrote it"), "{error}");
    }
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
    let lie = |overview: &mut NewOverview<'_>| overview.properties = vec![Text("Other".into())];
    let record = forge_record(&updater, &mut team.rng, lie, some_secrets());
    team.file.extend_from_slice(&commit_of(&updater, &record));
    for role in [Role::Reader, Role::Updater, Role::Owner] {
        let vault = team.open_as(role);
        assert_eq!(
            vault.read("x").expect_err("false names").code(),
            Code::FalseRecord
        );
        let problems = vault.verify().unwrap().pop().unwrap().problems;
        assert_eq!(problems[0].code(), Code::FalseRecord);
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
fn an_author_answers_for_a_bad_signature_behind_its_good_one() {
    let mut team = Team::new();
    let mut updater = team.open_as(Role::Updater);
    let mut impostor = team.open_as(Role::Reader);
    impostor.access.index = updater.access.index;
    let record = forge_record(&updater, &mut team.rng, |_| {}, some_secrets());
    let forged = commit_of(&impostor, &record);
    // The updater is made to build on the forged commit.
    updater.extend(forged.clone(), true).unwrap();
    let record = forge_record(
        &updater,
        &mut team.rng,
        |overview| overview.version = 3,
        some_secrets(),
    );
    let both = [forged, commit_of(&updater, &record)].concat();
    team.file.extend(both);
    for role in [Role::Viewer, Role::Owner] {
        let vault = team.open_as(role);
        assert_eq!(vault.overview("x").unwrap().version.get(), 3);
        let verdicts = vault.verify().unwrap();
        let bad = verdicts.iter().filter(|verdict| {
            let mut codes = verdict.problems.iter().map(|problem| problem.code());
            codes.any(|code| code == Code::BadSignature)
        });
        assert_eq!(bad.count(), 1);
    }
}

#[test]
fn only_an_owner_makes_a_snapshot() {
    let team = Team::new();
    let updater = team.open_as(Role::Updater);
    let owner = team.open_as(Role::Owner);
    let head = updater.head();
    let header = Header {
        seq: head.seq + 1,
        ..updater.header.clone()
    };
    let snapshot = Snapshot {
        author: updater.access.index,
        signer: updater.access.clone(),
        header_key: owner.access.bundle.vault_key.clone().unwrap(),
        ..Snapshot::of(&owner, &header)
    };
    let file = snapshot.file();
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
        assert_eq!(vault.list().count(), 1);
        assert_eq!(vault.read("x").is_ok(), role.reads(), "{role}");
        let plan = |action: &str, rng: &mut StdRng| -> Result<ActionPlan> {
            let mut tokens = std::collections::BTreeMap::<String, Secret>::new();
            vault.plan(
                &Action::parse(action)?,
                &mut tokens,
                &Options::default(),
                &mut host(rng),
            )
        };
        for (action, permitted) in [
            (update, *role >= Role::Updater),
            (add, *role >= Role::Editor),
            (delete, *role >= Role::Editor),
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
            vault
                .prepare_compaction(Retention::Automatic, &mut host(&mut team.rng))
                .is_ok(),
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
            *role >= Role::Editor,
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

impl Team {
    /// Revokes a grant; the file before and the connectors that are exposed.
    fn revoke(&mut self, role: Role) -> (Vec<u8>, Vec<ConnectorId>) {
        let before = self.file.clone();
        let owner = self.open_as(Role::Owner);
        let revocation = owner
            .prepare_revoke(role.as_str(), &mut host(&mut self.rng), &mut |_, _| {})
            .unwrap();
        revocation.prepared.write().to(&mut self.file);
        (before, revocation.exposed)
    }
}

#[test]
fn a_revoked_grant_opens_the_old_copy_only() {
    let mut team = Team::new();
    let (before, exposed) = team.revoke(Role::Reader);
    assert_eq!(exposed, [ConnectorId::new("x").unwrap()]);
    let reader = team.identity(Role::Reader).clone();
    let error = team
        .open_file(team.file.clone(), &reader)
        .expect_err("revoked");
    assert_eq!(error.code(), Code::WrongIdentity);
    assert!(team.open_file(before, &reader).unwrap().read("x").is_ok());
    for role in [Role::Viewer, Role::Updater, Role::Owner] {
        let vault = team.open_as(role);
        assert_eq!(vault.head().epoch, 2);
        assert_eq!(vault.read("x").is_ok(), role.reads());
    }
}

#[test]
fn a_revoked_updaters_commit_is_refused_by_all() {
    let mut team = Team::new();
    let mut former = team.open_as(Role::Updater);
    team.revoke(Role::Updater);
    team.members.retain(|(role, _)| *role != Role::Updater);
    // It knows the new head, but neither the new keys nor a place in the header.
    let owner = team.open_as(Role::Owner);
    let record = forge_record(&former, &mut team.rng, |_| {}, some_secrets());
    for index in 0..4 {
        former.access.index = index;
        let mut changes = Changes::of(&owner, &[&record]);
        (changes.author, changes.signer) = (index, former.access.clone());
        // It cannot seal a page under the new keys.
        changes.keys = former.index.keys.clone();
        let bytes = changes.bytes();
        for (role, identity) in &team.members {
            let file = [team.file.as_slice(), &bytes].concat();
            let error = team
                .open_file(file, identity)
                .expect_err("a former updater");
            assert!(
                matches!(error.code(), Code::UnauthorizedCommit | Code::BadSignature),
                "{role}: {error:?}"
            );
        }
    }
}

#[test]
fn a_revoked_owners_snapshot_is_refused_by_those_who_know_a_head() {
    let mut team = Team::new();
    let second = Identity::generate(&mut team.rng);
    let key = second.grant_key();
    let owner = team.open_as(Role::Owner);
    let prepared = owner
        .prepare_grant(
            "second",
            Role::Owner,
            Grantee::Key(&key),
            &mut host(&mut team.rng),
        )
        .unwrap();
    prepared.write().to(&mut team.file);
    let former = team.open_file(team.file.clone(), &second).unwrap();
    let owner = team.open_as(Role::Owner);
    let revocation = owner
        .prepare_revoke("second", &mut host(&mut team.rng), &mut |_, _| {})
        .unwrap();
    revocation.prepared.write().to(&mut team.file);
    let owner = team.open_as(Role::Owner);
    assert_eq!(owner.header.handovers.len(), 1);

    // The former owner goes on from where it was, twice, so that its seq is ahead.
    let mut rival = former;
    let mut file = Vec::new();
    for _ in 0..2 {
        let prepared = rival
            .prepare_compaction(Retention::Automatic, &mut host(&mut team.rng))
            .unwrap();
        prepared.write().to(&mut file);
        rival.apply(prepared).unwrap();
    }
    let rival_key = rival.header.vault_key;
    assert_ne!(rival_key, owner.header.vault_key);
    for (role, identity) in &team.members {
        let known = team.open_as(*role).known_head();
        let options = OpenOptions {
            known: Some(known),
            ..OpenOptions::default()
        };
        let error =
            Vault::open(file.clone(), Unlock::Identity(identity), &options).expect_err("a rival");
        assert!(
            matches!(
                error.code(),
                Code::RolledBack | Code::Forked | Code::UntrustedOwner
            ),
            "{role}: {error:?}"
        );
        let mut vault = team.open_as(*role);
        assert!(vault.reopen(file.clone()).is_err());
        assert_eq!(vault.head(), owner.head());
    }
    // Back at the epoch of the present vault, it is its authorship that gives it away.
    let mut rival = Vault::open(
        file,
        Unlock::Identity(&second),
        &OpenOptions {
            vault_id: Some(owner.head().vault_id),
            ..OpenOptions::default()
        },
    )
    .unwrap();
    let revocation = rival
        .prepare_revoke("viewer", &mut host(&mut team.rng), &mut |_, _| {})
        .unwrap();
    let mut file = Vec::new();
    revocation.prepared.write().to(&mut file);
    rival.apply(revocation.prepared).unwrap();
    assert!(rival.head().epoch >= owner.head().epoch);
    let options = OpenOptions {
        known: Some(owner.known_head()),
        ..OpenOptions::default()
    };
    let error = Vault::open(file, Unlock::Identity(team.identity(Role::Owner)), &options)
        .expect_err("a rival");
    assert_eq!(error.code(), Code::UntrustedOwner);
}

#[test]
fn demoting_and_promoting() {
    let mut team = Team::new();
    let owner = team.open_as(Role::Owner);
    let change = owner
        .prepare_rights(
            "reader",
            Role::Updater,
            &mut host(&mut team.rng),
            &mut |_, _| {},
        )
        .unwrap();
    change.prepared.write().to(&mut team.file);
    assert!(change.exposed.is_empty());
    let owner = team.open_as(Role::Owner);
    assert_eq!(owner.head().epoch, 1);
    let change = owner
        .prepare_rights(
            "updater",
            Role::Viewer,
            &mut host(&mut team.rng),
            &mut |_, _| {},
        )
        .unwrap();
    change.prepared.write().to(&mut team.file);
    assert_eq!(change.exposed.len(), 1);
    let former = team.open_as(Role::Updater);
    assert_eq!(former.role(), Role::Viewer);
    assert_eq!(former.head().epoch, 2);
    assert!(former.read("x").is_err());
    let owner = team.open_as(Role::Owner);
    let alone = owner.prepare_revoke("owner", &mut host(&mut team.rng), &mut |_, _| {});
    assert_eq!(alone.expect_err("the last owner").code(), Code::LastOwner);
}

#[test]
fn a_replaced_passphrase_leaves_nothing_of_the_old_lock() {
    use crate::crypto::kdf::{Cost, Passphrase};
    let mut rng = StdRng::seed_from_u64(7);
    let old = Passphrase::new("the old passphrase").unwrap();
    let new = Passphrase::new("the new passphrase").unwrap();
    let owner = NewOwner::passphrase("ops", &old).cost(Cost::MIN);
    let (mut vault, file) = Vault::create(&mut host(&mut rng), &owner).unwrap();
    let slot = vault.key_slots[0].slot.clone().expect("a key slot");
    let prepared = vault
        .prepare_passphrase(&new, Cost::MIN, &mut host(&mut rng))
        .unwrap();
    let mut replaced = Vec::new();
    prepared.write().to(&mut replaced);
    vault.apply(prepared).unwrap();
    let open = |file: &[u8], passphrase| {
        Vault::open(
            file.to_vec(),
            Unlock::Passphrase(passphrase),
            &OpenOptions::default(),
        )
    };
    assert_eq!(
        open(&replaced, &old).expect_err("replaced").code(),
        Code::WrongPassphrase
    );
    assert_eq!(open(&replaced, &new).unwrap().head(), vault.head());
    assert!(open(&file, &old).is_ok());
    let text = String::from_utf8_lossy(&replaced).into_owned();
    for part in [
        slot.salt.to_string(),
        slot.wrapped.to_string(),
        slot.tag.to_string(),
        slot.commitment.to_string(),
    ] {
        assert!(!text.contains(&part));
    }
}

#[test]
fn a_readers_record_in_a_damaged_file_is_not_even_listed() {
    let mut team = Team::new();
    let reader = team.open_as(Role::Reader);
    let record = forge_record(&reader, &mut team.rng, |_| {}, some_secrets());
    // A commit of the reader's own, put at the end of the file.
    let file = [team.file.as_slice(), &commit_of(&reader, &record)].concat();
    let options = OpenOptions {
        vault_id: Some(reader.head().vault_id),
        ..OpenOptions::default()
    };
    let owner = team.identity(Role::Owner).clone();
    let unlock = Unlock::Identity(&owner);
    let repaired = Vault::repair(
        &file,
        unlock,
        &options,
        RepairOptions::default(),
        &mut host(&mut StdRng::seed_from_u64(92)),
    )
    .unwrap();
    assert_eq!(repaired.recovered, 1);
    assert!(repaired.elsewhere.is_empty());
    assert_eq!(
        repaired.vault.overview("x").unwrap().version,
        Version::FIRST
    );
    // Put in the place of the owner's record, it is not what the owner signed.
    let owner = team.open_as(Role::Owner);
    let original = newest(&owner, "x");
    let first = |overview: &mut NewOverview<'_>| {
        overview.op = Op::Create;
        overview.version = 1;
    };
    let forged = forge_record(&reader, &mut team.rng, first, some_secrets());
    let mut file = team.file.clone();
    for (original, forged) in [
        (&original.overview, &forged.overview),
        (&original.secrets, &forged.secrets),
    ] {
        assert_eq!(original.len(), forged.len(), "padded alike");
        let mut windows = file.windows(original.len());
        let at = windows.position(|window| window == original).unwrap();
        file[at..at + forged.len()].copy_from_slice(forged);
    }
    for elsewhere in [false, true] {
        let repair = RepairOptions {
            elsewhere,
            ..RepairOptions::default()
        };
        let repaired = Vault::repair(
            &file,
            unlock,
            &options,
            repair,
            &mut host(&mut StdRng::seed_from_u64(92)),
        )
        .unwrap();
        assert_eq!((repaired.recovered, repaired.elsewhere.len()), (0, 0));
        assert_eq!(repaired.lost.len(), 1);
        assert!(repaired.vault.overview("x").is_err());
    }
    let error = Vault::repair(
        &team.file,
        Unlock::Identity(team.identity(Role::Updater)),
        &options,
        RepairOptions::default(),
        &mut host(&mut StdRng::seed_from_u64(92)),
    );
    assert_eq!(error.expect_err("no owner").code(), Code::NotPermitted);
}

#[test]
fn a_purge_leaves_no_former_value() {
    let mut team = Team::new();
    let mut owner = team.open_as(Role::Owner);
    for value in ["old-1", "old-2", "present"] {
        let action = format!(
            r#"{{"ActionType": "Connectors.Update", "Parameters": {{"EntryId": "x",
            "Properties": [{{"PropertyName": "APIKey", "PropertyValue": "{value}"}}]}}}}"#
        );
        let mut tokens = std::collections::BTreeMap::<String, Secret>::new();
        let plan = owner
            .plan(
                &Action::parse(&action).unwrap(),
                &mut tokens,
                &Options::default(),
                &mut host(&mut team.rng),
            )
            .unwrap();
        let prepared = owner.prepare(plan, &mut host(&mut team.rng)).unwrap();
        owner.apply(prepared).unwrap();
    }
    let prepared = owner
        .prepare_purge(Some(&["x"]), &mut host(&mut team.rng))
        .unwrap();
    prepared.write().to(&mut team.file);
    let owner = team.open_as(Role::Owner);
    let values: Vec<String> = owner
        .all_versions()
        .unwrap()
        .iter()
        .map(|stored| {
            owner
                .unseal(stored)
                .unwrap()
                .connector
                .properties
                .get("APIKey")
                .unwrap()
                .expose()
                .to_owned()
        })
        .collect();
    assert_eq!(values, ["present"]);
    assert_eq!(owner.overview("x").unwrap().version.get(), 4);
    assert_eq!(
        owner
            .prepare_purge(Some(&["unknown"]), &mut host(&mut team.rng))
            .expect_err("unknown")
            .code(),
        Code::ConnectorNotFound
    );
}

/// A vault whose newest version of `x` is signed by its updater and has secrets that do not open.
fn spoiled() -> Team {
    let mut team = Team::new();
    let updater = team.open_as(Role::Updater);
    let mut record = forge_record(&updater, &mut team.rng, |_| {}, some_secrets());
    *record.secrets.last_mut().unwrap() ^= 1;
    record.refit();
    team.file.extend_from_slice(&commit_of(&updater, &record));
    team
}

#[test]
fn an_updater_cannot_prevent_its_own_revocation() {
    let mut team = spoiled();
    let owner = team.open_as(Role::Owner);
    let revocation = owner
        .prepare_revoke("updater", &mut host(&mut team.rng), &mut |_, _| {})
        .unwrap();
    assert_eq!(revocation.prepared.false_versions().len(), 1);
    revocation.prepared.write().to(&mut team.file);
    let owner = team.open_as(Role::Owner);
    let restored = owner.read("x").unwrap();
    assert_eq!(
        (
            restored.version.get(),
            restored.properties.get("APIKey").unwrap().expose()
        ),
        (3, "a")
    );
}

#[test]
fn a_restore_goes_back_before_a_version_that_does_not_read() {
    let mut team = spoiled();
    let mut owner = team.open_as(Role::Owner);
    assert_eq!(
        owner.read("x").expect_err("spoiled").code(),
        Code::FalseRecord
    );
    let plan = owner
        .plan_restore("x", Version::FIRST, &Options::default())
        .unwrap();
    let prepared = owner.prepare(plan, &mut host(&mut team.rng)).unwrap();
    owner.apply(prepared).unwrap();
    let restored = owner.read("x").unwrap();
    assert_eq!(restored.properties.get("APIKey").unwrap().expose(), "a");
    let versions = owner.history("x").unwrap();
    let numbers: Vec<_> = versions
        .iter()
        .map(|one| one.overview.version.get())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(versions[2].overview.op, Op::Restore);
    assert_eq!(versions[2].overview.author, owner.access.grant);
}

#[test]
fn a_false_version_behind_a_delete_leaves_it_deleted() {
    let mut team = Team::new();
    let mut owner = team.open_as(Role::Owner);
    let plan = owner.plan_delete("x", &Options::default()).unwrap();
    let prepared = owner.prepare(plan, &mut host(&mut team.rng)).unwrap();
    prepared.write().to(&mut team.file);
    owner.apply(prepared).unwrap();
    let change = |overview: &mut NewOverview<'_>| {
        overview.op = Op::Create;
        overview.version = 3;
        overview.properties = vec![Text("Other".into())];
    };
    let record = forge_record(&owner, &mut team.rng, change, some_secrets());
    team.file.extend_from_slice(&commit_of(&owner, &record));
    let (_, exposed) = team.revoke(Role::Reader);
    assert_eq!(exposed.len(), 1);
    let owner = team.open_as(Role::Owner);
    let newest = owner.history("x").unwrap().pop().unwrap().overview;
    assert_eq!((newest.version.get(), newest.op), (4, Op::Delete));
    assert!(owner.overview("x").is_err());
}

#[test]
fn a_connector_without_a_true_version_is_deleted_by_a_revocation() {
    let mut team = Team::new();
    let owner = team.open_as(Role::Owner);
    let change = |overview: &mut NewOverview<'_>| {
        overview.op = Op::Create;
        overview.id = "y".into();
        overview.version = 1;
        overview.properties = vec![Text("Other".into())];
    };
    let record = forge_record(&owner, &mut team.rng, change, some_secrets());
    team.file.extend_from_slice(&commit_of(&owner, &record));
    team.revoke(Role::Reader);
    let owner = team.open_as(Role::Owner);
    let versions = owner.history("y").unwrap();
    let found: Vec<_> = versions
        .iter()
        .map(|one| (one.overview.version.get(), one.overview.op))
        .collect();
    assert_eq!(found, [(2, Op::Delete)]);
}

/// Bytes that have changed since the vault was opened are not sealed again under an owner's signature.
#[test]
fn a_newest_version_that_is_damaged_stops_a_revocation() {
    let mut team = Team::new();
    let mut owner = team.open_as(Role::Owner);
    let mut update = |owner: &mut Vault, value: &str| {
        let plan = owner.plan_update("x", [("APIKey", value)], &Options::default());
        let prepared = owner.prepare(plan.unwrap(), &mut host(&mut team.rng));
        owner.apply(prepared.unwrap()).unwrap();
    };
    update(&mut owner, "b");
    update(&mut owner, "c");
    let places = owner.versions("x").unwrap();
    let flip = |owner: &mut Vault, stored: &Stored| {
        let end = stored.secrets().end - 1;
        let mut byte = Vec::new();
        owner.source.read(end..end + 1, &mut byte).unwrap();
        let rest = owner.index.end();
        let mut tail = Vec::new();
        owner.source.read(end + 1..rest, &mut tail).unwrap();
        tail.insert(0, byte[0] ^ 1);
        owner.source.put(end, tail);
    };
    let revoke = |owner: &Vault| {
        let mut rng = StdRng::seed_from_u64(3);
        owner.prepare_revoke("reader", &mut host(&mut rng), &mut |_, _| {})
    };
    flip(&mut owner, &places[1]);
    let change = revoke(&owner).unwrap();
    assert_eq!(change.damaged.len(), 1, "an older version is left out");
    flip(&mut owner, &places[2]);
    let error = revoke(&owner).expect_err("the newest version");
    assert_eq!(error.code(), Code::Damaged);
    assert!(
        error.message().contains("version 3 of the connector \"x\""),
        "{error}"
    );
}

#[test]
fn no_version_changes_in_a_revocation() {
    let mut team = Team::new();
    let mut owner = team.open_as(Role::Owner);
    for value in ["b", "c"] {
        let plan = owner.plan_update("x", [("APIKey", value)], &Options::default());
        let prepared = owner
            .prepare(plan.unwrap(), &mut host(&mut team.rng))
            .unwrap();
        prepared.write().to(&mut team.file);
        owner.apply(prepared).unwrap();
    }
    let texts = |vault: &Vault| -> Vec<_> {
        let all = vault.all_versions().unwrap();
        let mut texts: Vec<_> = all
            .iter()
            .map(|stored| {
                let record = stored_record(vault, stored);
                let (mut overview, group) = (Vec::new(), stored.entry.group);
                let keys = &vault.keys;
                assert!(
                    keys.open_overview(group, &record.overview, &mut overview)
                        .unwrap()
                );
                let version = stored.entry.version;
                let secrets = keys.open_secrets(group, place("x", version), &record.secrets);
                (version, overview, secrets.unwrap().unwrap().to_vec())
            })
            .collect();
        texts.sort();
        texts
    };
    let before = texts(&team.open_as(Role::Owner));
    let sealed = newest(&owner, "x").overview;
    team.revoke(Role::Updater);
    let owner = team.open_as(Role::Owner);
    assert_eq!(texts(&owner), before);
    assert_eq!(before.len(), 3);
    let again = newest(&owner, "x").overview;
    assert_ne!(sealed, again);
}

/// What a role may not do it lacks the keys for.
#[test]
fn bundles_hold_no_keys_beyond_the_rights() {
    let team = Team::new();
    let keys = |role: Role| {
        let vault = team.open_as(role);
        let grant = &vault.header.grants[usize::from(vault.access.index)];
        let place = BundlePlace {
            vault_id: vault.header.vault_id,
            epoch: vault.header.epoch,
            grant: grant.id,
            rights: &grant.rights,
        };
        let plaintext = vault
            .access
            .keys
            .open(&place.info(), &grant.bundle)
            .unwrap();
        let (parts, rest) = plaintext.as_chunks::<32>();
        assert!(rest.is_empty());
        (vault, parts.to_vec())
    };
    let (owner, all) = keys(Role::Owner);
    let [index, overview_root, secret_root, seed] = all[..] else {
        panic!("four keys")
    };
    assert_eq!(
        VaultKey::from_seed(&seed).public(),
        owner.header.vault_key.0
    );
    let (viewer, held) = keys(Role::Viewer);
    assert_eq!(held, [index, overview_root]);
    let group = viewer.header.groups[0].id;
    assert!(viewer.access.bundle.group(group).unwrap().secret.is_none());
    assert!(viewer.access.bundle.vault_key.is_none());
    for role in [Role::Reader, Role::Updater] {
        let (vault, held) = keys(role);
        assert_eq!(held, [index, overview_root, secret_root], "{role}");
        assert!(vault.access.bundle.vault_key.is_none());
    }
}

/// 512 former members who all wrote something cannot block the next revocation, nor change a value.
#[test]
fn revocation_retired_over_limit() {
    let mut team = Team::new();
    team.revoke(Role::Viewer);
    team.members.retain(|(role, _)| *role != Role::Viewer);
    let owner = team.open_as(Role::Owner);
    let former = owner.header.retired[0].clone();
    let id = |number: u64| GrantId(Hex(number.to_be_bytes()));
    let mut header = owner.header.clone();
    header.retired.clear();
    let (mut records, mut rng) = (Vec::new(), StdRng::seed_from_u64(5));
    let mut by = |number: u64, connector: &'static str, version: u64| {
        let change = |overview: &mut NewOverview<'_>| {
            overview.author = id(number);
            overview.id = connector.into();
            overview.version = version;
        };
        records.push(forge_record(&owner, &mut rng, change, some_secrets()));
    };
    for number in 0..limits::RETIRED_MAX as u64 {
        let mut ed25519 = [0; 32];
        ed25519[..8].copy_from_slice(&number.to_le_bytes());
        header.retired.push(Retired {
            id: id(number),
            ed25519: Hex(ed25519),
            ..former.clone()
        });
        by(number, "history", number + 1);
    }
    by(0, "of the oldest", 7);
    by(1, "of the second", 1);
    records.sort_by_key(|record| record.entry.place());
    let sealed = records
        .iter()
        .map(|one: &Forged| NewVersion::sealed(one.entry, [one.overview.as_slice(), &one.secrets]));
    let versions = sealed.collect();
    let prepared = owner.prepare_snapshot(
        &owner.access,
        &header,
        &[],
        versions,
        Vec::new(),
        &mut host(&mut StdRng::seed_from_u64(92)),
    );
    prepared.unwrap().write().to(&mut team.file);
    let mut updater = team.open_as(Role::Updater);
    let plan = updater.plan_update("history", [("APIKey", "b")], &Options::default());
    let prepared = updater
        .prepare(plan.unwrap(), &mut host(&mut team.rng))
        .unwrap();
    prepared.write().to(&mut team.file);
    updater.apply(prepared).unwrap();

    // One who wrote nothing is not remembered, and nobody else has to go.
    let owner = team.open_as(Role::Owner);
    let change = owner.prepare_revoke("reader", &mut host(&mut team.rng), &mut |_, _| {});
    assert!(change.unwrap().forgotten.is_empty());
    let change = owner.prepare_revoke("updater", &mut host(&mut team.rng), &mut |_, _| {});
    let change = change.unwrap();
    assert_eq!(change.forgotten, [former.label]);
    change.prepared.write().to(&mut team.file);

    let owner = team.open_as(Role::Owner);
    let retired = &owner.header.retired;
    assert_eq!(retired.len(), limits::RETIRED_MAX);
    assert_eq!(retired[0].id, id(1));
    assert_eq!(retired.last().unwrap().id, updater.access.grant);
    let newest = |connector: &str| {
        let version = owner.history(connector).unwrap().pop().unwrap().overview;
        (version.version.get(), version.op, version.author)
    };
    let own = owner.access.grant;
    assert_eq!(newest("of the oldest"), (8, Op::Restore, own));
    assert_eq!(newest("of the second"), (1, Op::Update, id(1)));
    assert_eq!(newest("history"), (513, Op::Update, updater.access.grant));
    assert_eq!(owner.history("history").unwrap().len(), 512);
    for (connector, value) in [("of the oldest", "forged"), ("history", "b")] {
        let read = owner.read(connector).unwrap();
        assert_eq!(read.properties.get("APIKey").unwrap().expose(), value);
    }
}

#[test]
fn a_former_state_has_nothing_to_merge() {
    let mut team = Team::new();
    let before = team.file.clone();
    let mut owner = team.open_as(Role::Owner);
    let prepared = owner.prepare_purge(None, &mut host(&mut team.rng)).unwrap();
    owner.apply(prepared).unwrap();
    let former = owner.open_copy(before).unwrap();
    let merge = owner
        .plan_merge(
            &former,
            MergeOptions::default(),
            &Timestamp::new(NOW).unwrap(),
        )
        .unwrap();
    assert!(merge.plans().is_empty() && merge.conflicts.is_empty());
}

/// What an updater of one group can try with all keys that it has.
#[test]
fn a_member_of_one_group_has_no_key_of_another() {
    let mut team = crate::vault::forge::Team::alone();
    team.add_group("payments");
    team.grant("rotation", Right::in_group(Role::Updater, "payments"));
    team.add("x", &[("APIKey", "a")]);
    team.add_in("payments", "p", &[("APIKey", "b")]);
    let (owner, member) = (&team.vault, team.open_as("rotation"));
    let stored = |id: &str| member.newest(id).unwrap().unwrap();
    let forged = stored_record(&member, &stored("x"));
    assert!(
        member
            .keys
            .open_overview(0, &forged.overview, &mut Vec::new())
            .is_err()
    );
    assert!(
        member
            .keys
            .open_secrets(0, place("x", Version::FIRST), &forged.secrets)
            .is_err()
    );

    // The same bytes under its own keys, in the place of its own group and of the other one.
    let own = member.header.groups[1].id;
    let foreign = member.header.groups[0].id;
    let keys = member.access.bundle.group(own).unwrap();
    assert!(member.access.bundle.group(foreign).is_none());
    let index = *member.access.bundle.index().clone();
    let held = [*keys.overview, **keys.secret.as_ref().unwrap(), index];
    let number = |number: u64| number.to_le_bytes();
    for key in held {
        let sealing = crate::crypto::aead::SealingKey::new(&zeroize::Zeroizing::new(key));
        let secret = crate::crypto::kdf::derive_key(
            &zeroize::Zeroizing::new(key),
            crate::crypto::label::SECRETS_KEY,
            &[b"x"],
        );
        let secret = crate::crypto::aead::SealingKey::new(&secret);
        for group in [own, foreign] {
            let vault_id = member.id();
            let place: [&[u8]; 3] = [vault_id.as_bytes(), &number(1), group.as_bytes()];
            let overview = crate::crypto::label::bind(crate::crypto::label::OVERVIEW, &place);
            assert!(!sealing.open(&overview, &forged.overview, &mut Vec::new()));
            let place: [&[u8]; 5] = [place[0], place[1], place[2], b"x", &number(1)];
            let secrets = crate::crypto::label::bind(crate::crypto::label::SECRETS, &place);
            assert!(!secret.open(&secrets, &forged.secrets, &mut Vec::new()));
        }
    }
    // So it opens what it may.
    let forged = stored_record(&member, &stored("p"));
    assert!(
        member
            .keys
            .open_overview(1, &forged.overview, &mut Vec::new())
            .unwrap()
    );
    assert!(
        owner
            .keys
            .open_overview(1, &forged.overview, &mut Vec::new())
            .unwrap()
    );
}

#[test]
fn a_new_epoch_seals_the_same_plaintexts_again() {
    let mut team = crate::vault::forge::Team::alone();
    team.add_group("payments");
    let rights = [
        Role::Viewer.into(),
        Right::in_group(Role::Updater, "payments"),
    ];
    team.grant("rotation", rights);
    team.add_in("payments", "p", &[("APIKey", "a")]);
    team.hand_to("rotation");
    team.update("p", "APIKey", "b");
    team.hand_to("ops");
    let plaintexts = |vault: &Vault| -> Vec<(Vec<u8>, Vec<u8>)> {
        let versions = vault.versions("p").unwrap().into_iter();
        let open = |stored: Stored| {
            let forged = stored_record(vault, &stored);
            let (group, version) = (stored.entry.group, stored.entry.version);
            let mut overview = Vec::new();
            assert!(
                vault
                    .keys
                    .open_overview(group, &forged.overview, &mut overview)
                    .unwrap()
            );
            let secrets = vault
                .keys
                .open_secrets(group, place("p", version), &forged.secrets);
            (overview, secrets.unwrap().unwrap().to_vec())
        };
        versions.map(open).collect()
    };
    let before = plaintexts(&team.vault);
    assert_eq!(before.len(), 2);
    team.reduce("rotation", Role::Viewer);
    assert_eq!(team.vault.head().epoch, 2);
    assert_eq!(plaintexts(&team.vault), before);
    team.revoke("rotation");
    assert_eq!(team.vault.head().epoch, 3);
    // Signature, salt and padding included.
    assert_eq!(plaintexts(&team.vault), before);
    let history = team.vault.history("p").unwrap();
    let signed: Vec<_> = history
        .iter()
        .map(|one| team.vault.label_of(one.signed_by.unwrap()))
        .collect();
    assert_eq!(signed, [Some("ops"), Some("rotation")]);
}

#[test]
fn a_vault_has_at_most_256_groups() {
    let mut team = crate::vault::forge::Team::alone();
    let mut header = team.vault.header.clone();
    let name = crate::access::groups::PlainName::new("one more").unwrap();
    let bundle = team.vault.access.bundle.clone();
    let mut add = |header: &mut Header| {
        crate::access::groups::add(&mut team.rng, &bundle, header, &name)
            .map_err(|error| error.code())
    };
    let first = header.groups[0].clone();
    header.groups = vec![first; limits::GROUPS_MAX - 1];
    header.next_group = 65_535;
    assert_eq!(add(&mut header), Ok(()));
    assert_eq!(add(&mut header), Err(Code::LimitExceeded));
    header.groups.pop();
    // Its number would be used again.
    assert_eq!(header.next_group, 65_536);
    assert_eq!(add(&mut header), Err(Code::LimitExceeded));
}
