//! False versions and forged copies: who signed what is told, and nothing that somebody else made comes under an
//! owner's signature. The names of the tests are those of docs/format.md.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::{
    Counter, Forged, NOW, SALT, Team, commit_of, forge_plaintexts, forge_record, host, newest,
    place, properties, seal, some_secrets, stored_record, update,
};
use crate::access::Unlock;
use crate::action::{Action, Options, RequestId};
use crate::connector::{Connector, Meta, NewConnector, Op};
use crate::crypto::identity::Identity;
use crate::error::Code;
use crate::format::extra::ExtraText;
use crate::format::hex::Hex;
use crate::plan::{Outcome, Status};
use crate::secret::Secret;
use crate::vault::commit::Scope;
use crate::vault::record::{
    KeptOutcome, NewOverview, OpenedOverview, Plaintexts, RequestText, SecretsPart, Text,
    without_padding,
};
use crate::vault::*;

impl Team {
    /// Appends a commit by a member, which holds one record that the member has sealed or forged.
    fn append_by(&mut self, label: &str, record: &Forged) {
        let vault = self.open_as(label);
        self.file.extend(commit_of(&vault, &[record]));
        self.vault = self.open_as("ops");
    }

    /// A record for `x` by a member whose secrets are not those that its overview names.
    fn false_record(&mut self, label: &str, change: impl FnOnce(&mut NewOverview<'_>)) -> Forged {
        let vault = self.open_as(label);
        let lie = |overview: &mut NewOverview<'_>| {
            overview.properties = vec![Text("Other".into())];
            change(overview);
        };
        forge_record(&vault, &mut self.rng, lie, some_secrets())
    }

    fn value(&self, id: &str, name: &str) -> Option<String> {
        let value = self.vault.value(id, name).unwrap();
        value.map(|value| value.expose().to_owned())
    }

    /// The plaintexts of all kept overviews, without padding, and the salts of all kept secrets.
    fn signed_parts(&self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let all = self.vault.all_versions().unwrap();
        let mut parts: Vec<_> = all
            .iter()
            .map(|stored| {
                let record = stored_record(&self.vault, stored);
                let overview = plaintext(&self.vault, &record);
                let opened = OpenedOverview::parse(&overview).unwrap().overview;
                let keys = &self.vault.keys;
                let entry = &stored.entry;
                let secrets = entry.exists().then(|| {
                    let secrets = keys.open_secrets(entry.group, (&opened).into(), &record.secrets);
                    secrets.unwrap().unwrap().to_vec()
                });
                (entry.version, without_padding(&overview).to_vec(), secrets)
            })
            .collect();
        parts.sort();
        parts
            .into_iter()
            .map(|(_, overview, secrets)| (overview, secrets))
            .collect()
    }

    fn problems(&self) -> Vec<Code> {
        let verdicts = self.vault.verify().unwrap().into_iter();
        let problems = verdicts.flat_map(|verdict| verdict.problems);
        problems.map(|problem| problem.code()).collect()
    }

    fn request(&mut self, action: &str, request_id: &str) -> Result<Outcome> {
        let options = Options {
            request_id: Some(RequestId::new(request_id).unwrap()),
            ..Options::default()
        };
        let plan = self.vault.plan(
            &Action::parse(action).unwrap(),
            &mut BTreeMap::<String, Secret>::new(),
            &options,
            &mut host(&mut self.rng),
        )?;
        let outcome = plan.ran().outcome().unwrap().clone();
        if !outcome.replayed {
            self.commit(plan);
        }
        Ok(outcome)
    }

    fn merge(&self, theirs: Vec<u8>, options: MergeOptions) -> Merge {
        let theirs = self.vault.open_copy(theirs).unwrap();
        let now = Timestamp::new(NOW).unwrap();
        self.vault.plan_merge(&theirs, options, &now).unwrap()
    }
}

/// The plaintext of an overview.
fn plaintext(vault: &Vault, record: &Forged) -> Vec<u8> {
    let mut plaintext = Vec::new();
    let group = record.entry.group;
    assert!(
        vault
            .keys
            .open_overview(group, &record.overview, &mut plaintext)
            .unwrap()
    );
    plaintext
}

fn signers(history: &[SignedVersion]) -> Vec<Option<GrantId>> {
    history.iter().map(|version| version.signed_by).collect()
}

#[test]
fn every_kept_version_stays_its_authors() {
    let mut team = Team::pair();
    let [owner, updater] = ["ops", "rotation"].map(|label| team.open_as(label).access.grant);
    team.hand_to("rotation");
    team.update("x", "APIKey", "b");
    team.hand_to("ops");
    team.update("x", "Endpoint", "e");
    let expected = [Some(owner), Some(updater), Some(owner)];
    assert_eq!(signers(&team.vault.history("x").unwrap()), expected);
    let parts = team.signed_parts();

    team.compact(Retention::Automatic);
    assert_eq!(signers(&team.vault.history("x").unwrap()), expected);
    assert_eq!(team.signed_parts(), parts);
    team.grant("reader", Role::Reader);
    team.revoke("reader");
    // New keys seal the same bytes: signatures and salts stay.
    assert_eq!(team.signed_parts(), parts);
    assert_eq!(signers(&team.vault.history("x").unwrap()), expected);
    let log = team.vault.log().unwrap();
    assert!(log[0].snapshot);
    assert_eq!(signers(&log[0].records), expected);
    assert!(team.problems().is_empty());
    // Two versions never share a salt.
    let salts: std::collections::HashSet<_> = parts
        .iter()
        .map(|(_, secrets)| secrets.as_ref().unwrap()[..SALT.len()].to_vec())
        .collect();
    assert_eq!(salts.len(), 3);
}

#[test]
fn compaction_false_newest() {
    let mut team = Team::pair();
    team.update("x", "APIKey", "b");
    let record = team.false_record("rotation", |overview| overview.version = 3);
    team.append_by("rotation", &record);
    let error = team.vault.read("x").unwrap_err();
    assert_eq!(error.code(), Code::FalseRecord);
    assert!(
        error.message().ends_with("\"rotation\" wrote it"),
        "{error}"
    );
    assert_eq!(team.problems(), [Code::FalseRecord]);

    // No compaction by itself: an owner has to hear of it.
    let own = team.vault.prepare_own_compaction(&mut host(&mut team.rng));
    assert_eq!(own.unwrap_err().code(), Code::FalseRecord);

    let prepared = team
        .vault
        .prepare_compaction(Retention::Newest(10), &mut host(&mut team.rng))
        .unwrap();
    let [left_out] = prepared.false_versions() else {
        panic!("{:?}", prepared.false_versions());
    };
    assert_eq!(left_out.id.as_ref().unwrap().as_str(), "x");
    assert_eq!(left_out.version.get(), 3);
    assert_eq!(left_out.by.as_deref(), Some("rotation"));
    team.store(prepared);
    // The number of the false version is not used again.
    let history = team.vault.history("x").unwrap();
    let versions: Vec<_> = history
        .iter()
        .map(|version| (version.overview.version.get(), version.overview.op))
        .collect();
    assert_eq!(
        versions,
        [(1, Op::Create), (2, Op::Update), (4, Op::Restore)]
    );
    assert_eq!(history[2].overview.source, Version::new(2).ok());
    assert_eq!(
        history[2].overview.rotated_at,
        history[1].overview.rotated_at
    );
    assert_eq!(team.value("x", "APIKey").as_deref(), Some("b"));
    assert!(team.problems().is_empty());
    // The vault goes on.
    team.update("x", "APIKey", "c");
    assert_eq!(team.vault.overview("x").unwrap().version.get(), 5);
}

#[test]
fn every_snapshot_leaves_false_versions_out() {
    type Makes = fn(&mut Team) -> Prepared;
    let snapshots: [Makes; 4] = [
        |team| {
            let identity = Identity::generate(&mut team.rng);
            let key = identity.grant_key();
            let to = Grantee::Key(&key);
            let vault = &team.vault;
            let host = &mut host(&mut team.rng);
            vault.prepare_grant("new", Role::Reader, to, host).unwrap()
        },
        |team| {
            let host = &mut host(&mut team.rng);
            let vault = &team.vault;
            let raised = vault.prepare_rights("rotation", Role::Owner, host, &mut |_, _| {});
            raised.unwrap().prepared
        },
        |team| {
            let vault = &team.vault;
            vault.prepare_purge(None, &mut host(&mut team.rng)).unwrap()
        },
        |team| {
            let host = &mut host(&mut team.rng);
            let revoked = team.vault.prepare_revoke("rotation", host, &mut |_, _| {});
            revoked.unwrap().prepared
        },
    ];
    for snapshot in snapshots {
        let mut team = Team::pair();
        let record = team.false_record("rotation", |_| {});
        team.append_by("rotation", &record);
        let prepared = snapshot(&mut team);
        assert_eq!(prepared.false_versions().len(), 1);
        team.store(prepared);
        assert_eq!(team.value("x", "APIKey").as_deref(), Some("a"));
        let newest = team.vault.overview("x").unwrap();
        assert_eq!((newest.version.get(), newest.op), (3, Op::Restore));
        assert!(team.problems().is_empty());
    }
}

#[test]
fn a_false_version_that_is_not_the_newest_needs_nothing_in_its_place() {
    let mut team = Team::pair();
    let record = team.false_record("rotation", |_| {});
    team.append_by("rotation", &record);
    let plan = team
        .vault
        .plan_restore("x", Version::FIRST, &Options::default());
    team.commit(plan.unwrap());
    team.compact(Retention::Newest(10));
    let versions = team.vault.history("x").unwrap();
    let versions: Vec<_> = versions
        .iter()
        .map(|version| version.overview.version.get())
        .collect();
    assert_eq!(versions, [1, 3]);
}

#[test]
fn behind_a_delete_nothing_is_restored() {
    // A true delete and a false create behind it, then a false delete alone.
    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    team.add("x", &[("APIKey", "a")]);
    team.delete("x");
    let record = team.false_record("second", |overview| {
        overview.op = Op::Create;
        overview.version = 3;
    });
    team.append_by("second", &record);
    team.add("y", &[("APIKey", "y")]);
    let mut other = team.open_as("second");
    other.access.keys = Identity::generate(&mut team.rng).keys();
    let delete = |overview: &mut NewOverview<'_>| {
        overview.op = Op::Delete;
        overview.id = "y".into();
    };
    let record = forge_record(&other, &mut team.rng, delete, None);
    team.append_by("second", &record);
    assert_eq!(team.problems(), [Code::FalseRecord, Code::FalseRecord]);
    team.compact(Retention::Newest(10));
    assert!(team.vault.is_empty());
    for (id, version) in [("x", 4), ("y", 3)] {
        let newest = team.vault.history(id).unwrap().pop().unwrap().overview;
        assert_eq!((newest.version.get(), newest.op), (version, Op::Delete));
    }
    assert!(team.problems().is_empty());
}

#[test]
fn without_a_good_version_an_owner_deletes() {
    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    let record = team.false_record("second", |overview| {
        overview.op = Op::Create;
        overview.version = 1;
        overview.at = "2026-11-01T00:00:00.000Z".into();
    });
    team.append_by("second", &record);
    team.compact(Retention::Newest(10));
    let history = team.vault.history("x").unwrap();
    let [deleted] = history.as_slice() else {
        panic!("{history:?}");
    };
    let deleted = &deleted.overview;
    assert_eq!((deleted.version.get(), deleted.op), (2, Op::Delete));
    assert_eq!(deleted.name, "Name");
    assert_eq!(deleted.created_at.as_str(), "2026-11-01T00:00:00.000Z");
}

#[test]
fn revocation_false_newest() {
    let mut team = Team::pair();
    team.update("x", "APIKey", "b");
    let vault = team.open_as("rotation");
    let third = |overview: &mut NewOverview<'_>| overview.version = 3;
    let mut record = forge_record(&vault, &mut team.rng, third, some_secrets());
    *record.secrets.last_mut().unwrap() ^= 1;
    record.refit();
    team.append_by("rotation", &record);
    team.revoke("rotation");
    assert_eq!(team.value("x", "APIKey").as_deref(), Some("b"));
    assert_eq!(team.vault.overview("x").unwrap().version.get(), 4);
}

#[test]
fn snapshot_owner_frames_author() {
    let mut team = Team::pair();
    team.hand_to("rotation");
    team.update("x", "APIKey", "b");
    team.hand_to("ops");
    // Other secrets around a true overview: whoever made them, it need not be the author.
    let other = forge_record(&team.vault, &mut team.rng, |_| {}, some_secrets());
    let mut framed = newest(&team.vault, "x");
    framed.secrets = other.secrets;
    framed.refit();
    let mut snapshot = team.snapshot();
    *snapshot.records.last_mut().unwrap() = framed;
    let owner = team.identity("ops").clone();
    let error = team
        .open_file(snapshot.file(), &owner)
        .unwrap()
        .read("x")
        .unwrap_err();
    assert_eq!(error.code(), Code::FalseRecord);
    assert!(error.message().contains("which \"ops\" signed"), "{error}");
    assert!(!error.message().contains("rotation"), "{error}");

    // What the author has signed is the author's own.
    let mut snapshot = team.snapshot();
    *snapshot.records.last_mut().unwrap() = team.false_record("rotation", |_| {});
    let error = team
        .open_file(snapshot.file(), &owner)
        .unwrap()
        .read("x")
        .unwrap_err();
    assert!(
        error.message().ends_with("\"rotation\" signed it"),
        "{error}"
    );
}

#[test]
fn a_check_of_everything_tells_1_000_problems_and_counts_the_rest() {
    let mut team = Team::solo();
    let mut other = team.open_as("ops");
    other.access.keys = Identity::generate(&mut team.rng).keys();
    let records: Vec<_> = (2..1203)
        .map(|version| {
            let change = |overview: &mut NewOverview<'_>| overview.version = version;
            forge_record(&other, &mut team.rng, change, some_secrets())
        })
        .collect();
    let records: Vec<_> = records.iter().collect();
    let (first, second) = records.split_at(600);
    for records in [first, second] {
        team.file.extend(commit_of(&team.vault, records));
        team.vault = team.open_as("ops");
    }
    let verdicts = team.vault.verify().unwrap();
    let told: Vec<_> = verdicts
        .iter()
        .map(|verdict| (verdict.records, verdict.problems.len(), verdict.untold))
        .collect();
    assert_eq!(told, [(0, 0, 0), (1, 0, 0), (600, 600, 0), (601, 400, 201)]);
}

#[test]
fn extra_kept() {
    let mut team = Team::solo();
    let extra = r#"{"later" : [1, 1]}"#;
    let secret = r#"{"later" : "s3cret"}"#;
    let with_extra = |overview: &mut NewOverview<'_>| overview.extra = Some(ExtraText(extra));
    let secrets = SecretsPart {
        properties: properties(&[("APIKey", "b")]),
        outcome: None,
        extra: Some(crate::secret::Text::new(secret.to_owned())),
    };
    let record = forge_record(&team.vault, &mut team.rng, with_extra, Some(secrets));
    team.append_by("ops", &record);
    let extras = |team: &Team, version: u64| {
        let connector = team.vault.read_version("x", Version::new(version).unwrap());
        let Connector { extras, .. } = connector.unwrap();
        (
            extras.overview,
            extras.secrets.map(|text| text.as_str().to_owned()),
        )
    };
    let both = (Some(extra.to_owned()), Some(secret.to_owned()));
    team.update("x", "APIKey", "c");
    assert_eq!(extras(&team, 3), both);
    // A restore has the secrets' extra of the version that it restores.
    let restore = |team: &mut Team, version| {
        let version = Version::new(version).unwrap();
        let plan = team.vault.plan_restore("x", version, &Options::default());
        team.commit(plan.unwrap());
    };
    restore(&mut team, 1);
    assert_eq!(extras(&team, 4), (both.0.clone(), None));
    restore(&mut team, 2);
    assert_eq!(extras(&team, 5), both);
    team.delete("x");
    team.add("x", &[]);
    assert_eq!(extras(&team, 7), (both.0, None));
}

#[test]
fn times_and_meta_are_carried_on() {
    let mut team = Team::alone();
    let day = |team: &mut Team, day: u32, plans: Vec<crate::plan::Plan>| {
        let mut rng = Counter::new(u64::from(day));
        let now = Timestamp::new(format!("2026-11-{day:02}T00:00:00.000Z")).unwrap();
        let mut host = Host { now, rng: &mut rng };
        let prepared = team.vault.prepare_all(plans, &mut host).unwrap();
        team.store(prepared);
    };
    let days = |team: &Team| {
        let overview = team.vault.overview("x").unwrap();
        assert_eq!(overview.meta.description(), Some("of billing"));
        let day = |at: &Timestamp| at.as_str()[8..10].to_owned();
        [&overview.created_at, &overview.rotated_at, &overview.at].map(day)
    };
    let none = Options::default();
    // Created and changed by one commit.
    let plans = team.vault.plan_changes::<Error>(|change| {
        let connector = NewConnector::new("x", "Name", "Type").meta("description", "of billing");
        change.create(connector.property("APIKey", "a"))?;
        change.update("x", [("APIKey", "b")])
    });
    day(&mut team, 1, plans.unwrap());
    assert_eq!(days(&team), ["01", "01", "01"]);
    let plan = team.vault.plan_update("x", [("APIKey", "c")], &none);
    day(&mut team, 2, vec![plan.unwrap()]);
    assert_eq!(days(&team), ["01", "02", "02"]);
    let plan = team.vault.plan_restore("x", Version::FIRST, &none);
    day(&mut team, 3, vec![plan.unwrap()]);
    assert_eq!(days(&team), ["01", "01", "03"]);
    // A request that changes no value makes a version all the same.
    let options = Options {
        request_id: Some(RequestId::new("r-1").unwrap()),
        ..Options::default()
    };
    let action = Action::parse(&update("x", "APIKey", "a")).unwrap();
    let mut rng = Counter::new(4);
    let plan = team.vault.plan(
        &action,
        &mut BTreeMap::<String, Secret>::new(),
        &options,
        &mut host(&mut rng),
    );
    let (plans, _) = plan.unwrap().into_parts();
    day(&mut team, 4, plans);
    assert_eq!(days(&team), ["01", "01", "04"]);
    let mut meta = Meta::new();
    meta.set("description", "of billing").unwrap();
    assert_eq!(team.vault.read("x").unwrap().meta, meta);
}

#[test]
fn request_forged_for_another() {
    let mut team = Team::pair();
    let owner = team.vault.access.grant;
    let outcome = KeptOutcome::of(&team.plan_add("y", &[]).outcome());
    let forge = |team: &mut Team, author: Option<GrantId>| {
        let updater = team.open_as("rotation");
        let request = |overview: &mut NewOverview<'_>| {
            overview.author = author.unwrap_or(overview.author);
            overview.request = Some(RequestText {
                id: "r-1".into(),
                mac: Hex([0; 32]),
            });
        };
        let mut secrets = some_secrets().unwrap();
        secrets.outcome = Some(outcome.clone());
        forge_record(&updater, &mut team.rng, request, Some(secrets))
    };
    // In its own name it answers nobody else.
    let record = forge(&mut team, None);
    team.append_by("rotation", &record);
    let outcome = team.request(&update("x", "APIKey", "b"), "r-1").unwrap();
    assert!(!outcome.replayed);
    assert_eq!(team.value("x", "APIKey").as_deref(), Some("b"));

    // In somebody else's name its record signature gives it away, wherever it stands.
    let mut team = Team::pair();
    let record = forge(&mut team, Some(owner));
    let mut snapshot = team.snapshot();
    snapshot.records.push(record);
    team.file = snapshot.file();
    team.vault = team.open_as("ops");
    let error = team
        .request(&update("x", "APIKey", "b"), "r-1")
        .unwrap_err();
    assert_eq!(error.code(), Code::FalseRecord);
}

#[test]
fn request_signature() {
    // The owner's own version, but for its signature.
    let mut team = Team::solo();
    team.request(&update("x", "APIKey", "b"), "r-1").unwrap();
    let mut record = newest(&team.vault, "x");
    let mut overview = plaintext(&team.vault, &record);
    overview[0] ^= 1;
    let sealed = team.vault.keys.seal(
        &mut team.rng,
        record.entry.group,
        place("x", record.entry.version),
        &Plaintexts {
            overview,
            secrets: None,
        },
    );
    record.overview = sealed.unwrap().overview;
    record.refit();
    let mut snapshot = team.snapshot();
    *snapshot.records.last_mut().unwrap() = record;
    team.file = snapshot.file();
    team.vault = team.open_as("ops");
    // It lists and reads, since nothing relies on its author there.
    assert_eq!(team.value("x", "APIKey").as_deref(), Some("b"));
    let error = team
        .request(&update("x", "APIKey", "b"), "r-1")
        .unwrap_err();
    assert_eq!(error.code(), Code::FalseRecord);
    assert_eq!(team.problems(), [Code::FalseRecord]);
}

#[test]
fn request_replayed() {
    let mut team = Team::solo();
    let first = team.request(&update("x", "APIKey", "b"), "r-1").unwrap();
    let again = team.request(&update("x", "APIKey", "b"), "r-1").unwrap();
    assert!(again.replayed);
    assert_eq!(again.changes, first.changes);
    let error = team
        .request(&update("x", "APIKey", "c"), "r-1")
        .unwrap_err();
    assert_eq!(error.code(), Code::RequestIdReused);

    // A create has no id of its own, but its request gives it one.
    let add = r#"{"ActionType": "CredStore.AddConnectorEntry", "Parameters": {
        "TypeName": "T", "EntryName": "N", "EntryIdTokenName": "New",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "a"}]}}"#;
    let first = team.request(add, "r-2").unwrap();
    let again = team.request(add, "r-2").unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(again.status, Status::Created);
    assert_eq!((&again.id, &again.outputs), (&first.id, &first.outputs));
    assert_eq!(again.outputs["New"], first.id);
    assert_eq!(team.vault.len(), 2);
    // Another identity has another one.
    let other = team.request(add, "r-3").unwrap();
    assert_ne!(other.id, first.id);
    assert_eq!(other.id.as_bytes()[14], b'4');
    let error = team
        .request(&add.replace("\"a\"", "\"b\""), "r-2")
        .unwrap_err();
    assert_eq!(error.code(), Code::RequestIdReused);
    // Deleted since: it was carried out all the same.
    team.delete(&first.id);
    assert!(team.request(add, "r-2").unwrap().replayed);
}

/// A copy of a vault of an owner and an updater, whose `x` the owner has changed since.
fn diverged() -> (Team, Vec<u8>) {
    let mut team = Team::pair();
    team.update("x", "APIKey", "b");
    let copy = team.file.clone();
    (team, copy)
}

/// A copy with one more record by its updater.
fn copy_with(team: &mut Team, copy: &[u8], record: &Forged) -> Vec<u8> {
    let identity = team.identity("rotation").clone();
    let vault = team.open_file(copy.to_vec(), &identity).unwrap();
    [copy, &commit_of(&vault, &[record])].concat()
}

#[test]
fn merge_revives_deleted() {
    // Ours deletes; theirs has a version of which its author says that it is the deletion.
    let (mut team, copy) = diverged();
    team.delete("x");
    let deletion = plaintext(&team.vault, &newest(&team.vault, "x"));
    let identity = team.identity("rotation").clone();
    let updater = team.open_file(copy.clone(), &identity).unwrap();
    let third = |overview: &mut NewOverview<'_>| overview.version = 3;
    // Even the owner's own signature does not make it the same: it is of another overview.
    let (facts, mut plaintexts) = forge_plaintexts(&updater, &mut team.rng, third, some_secrets());
    plaintexts.overview[..64].copy_from_slice(&deletion[..64]);
    let record = seal(&updater, &mut team.rng, &facts, &plaintexts);
    let theirs = copy_with(&mut team, &copy, &record);
    let merge = team.merge(theirs, MergeOptions::default());
    assert_eq!(merge.not_taken[0].error.code(), Code::FalseRecord);
    assert!(merge.conflicts.is_empty() && merge.plans().is_empty());
    // In its own name it is a conflict.
    let record = forge_record(&updater, &mut team.rng, third, some_secrets());
    let theirs = copy_with(&mut team, &copy, &record);
    let merge = team.merge(theirs, MergeOptions::default());
    assert_eq!(merge.conflicts.len(), 1);
    assert_eq!(merge.conflicts[0].kind, ConflictKind::DeletedInOurs);
    assert!(merge.plans().is_empty());
}

#[test]
fn merge_forged_base() {
    // Ours rotates; theirs has a version of which its author says that it is ours' rotation.
    let (mut team, copy) = diverged();
    team.update("x", "APIKey", "ours");
    let identity = team.identity("rotation").clone();
    let updater = team.open_file(copy.clone(), &identity).unwrap();
    let rotation = plaintext(&team.vault, &newest(&team.vault, "x"));
    let change = |overview: &mut NewOverview<'_>| overview.version = 3;
    for is_forged in [true, false] {
        let (facts, mut plaintexts) =
            forge_plaintexts(&updater, &mut team.rng, change, some_secrets());
        if is_forged {
            plaintexts.overview[..64].copy_from_slice(&rotation[..64]);
        }
        let record = seal(&updater, &mut team.rng, &facts, &plaintexts);
        let theirs = copy_with(&mut team, &copy, &record);
        let merge = team.merge(theirs, MergeOptions::default());
        assert_eq!(merge.not_taken.len(), usize::from(is_forged));
        let kinds: Vec<_> = merge.conflicts.iter().map(|found| &found.kind).collect();
        let is_key = |kind: &&ConflictKind| matches!(kind, ConflictKind::Property(name) if name.as_str() == "APIKey");
        assert_eq!(kinds.len(), usize::from(!is_forged));
        assert!(kinds.iter().all(is_key) && merge.plans().is_empty());
    }
    let merge = team.merge(
        team.file.clone(),
        MergeOptions {
            resolve: Some(Resolve::Newest),
            accept_strangers: true,
        },
    );
    assert!(merge.conflicts.is_empty());
}

#[test]
fn merge_newest_in_the_future() {
    let (mut team, copy) = diverged();
    team.update("x", "APIKey", "ours");
    let newest = MergeOptions {
        resolve: Some(Resolve::Newest),
        accept_strangers: false,
    };
    // The clock of the merge stands at 20:15; ten minutes are within what clocks differ.
    for (at, is_resolved) in [
        ("2026-11-23T20:25:00.000Z", true),
        ("2026-11-23T20:25:01.000Z", false),
        ("9999-12-31T23:59:59.999Z", false),
    ] {
        let identity = team.identity("rotation").clone();
        let updater = team.open_file(copy.clone(), &identity).unwrap();
        let change = |overview: &mut NewOverview<'_>| {
            overview.version = 3;
            overview.at = at.into();
        };
        let record = forge_record(&updater, &mut team.rng, change, some_secrets());
        let theirs = copy_with(&mut team, &copy, &record);
        let merge = team.merge(theirs, newest);
        assert_eq!(merge.conflicts.len(), 1);
        assert_eq!(merge.plans().len(), usize::from(is_resolved), "{at}");
        let [conflict] = merge.conflicts.as_slice() else {
            panic!("{:?}", merge.conflicts);
        };
        let told = (conflict.theirs.at.as_str(), conflict.theirs.by.as_str());
        assert_eq!(told, (at, "rotation"));
        let told = (conflict.ours.at.as_str(), conflict.ours.by.as_str());
        assert_eq!(told, (NOW, "ops"));
        assert_eq!(conflict.winner.is_some(), is_resolved);
        assert_eq!(
            merge.check().err().map(|error| error.code()),
            (!is_resolved).then_some(Code::MergeConflict)
        );
    }
}

#[test]
fn merge_false_changed() {
    // Theirs changed the key first and something else later, and says that the later one was the key.
    let (mut team, copy) = diverged();
    let identity = team.identity("rotation").clone();
    let mut theirs = copy;
    for (version, at, endpoint) in [
        (3, "2026-11-23T19:00:00.000Z", None),
        (4, "2026-11-23T20:14:59.000Z", Some("e")),
    ] {
        let updater = team.open_file(theirs.clone(), &identity).unwrap();
        let change = |overview: &mut NewOverview<'_>| {
            overview.version = version;
            overview.at = at.into();
            overview.changed = Some(vec![Text("APIKey".into())]);
            if endpoint.is_some() {
                overview.properties.push(Text("Endpoint".into()));
            }
        };
        let mut secrets = some_secrets().unwrap();
        if let Some(endpoint) = endpoint {
            secrets.properties = properties(&[("APIKey", "forged"), ("Endpoint", endpoint)]);
        }
        let record = forge_record(&updater, &mut team.rng, change, Some(secrets));
        theirs = copy_with(&mut team, &theirs, &record);
    }
    // Ours is between the two.
    let plan = team
        .vault
        .plan_update("x", [("APIKey", "ours")], &Options::default())
        .unwrap();
    let mut rng = Counter::new(9);
    let mut between = Host {
        now: Timestamp::new("2026-11-23T20:00:00.000Z").unwrap(),
        rng: &mut rng,
    };
    let prepared = team.vault.prepare(plan, &mut between).unwrap();
    team.store(prepared);
    let merge = team.merge(
        theirs,
        MergeOptions {
            resolve: Some(Resolve::Newest),
            accept_strangers: false,
        },
    );
    let prepared = team.vault.prepare_merge(merge, &mut host(&mut team.rng));
    team.store(prepared.unwrap());
    assert_eq!(team.value("x", "APIKey").as_deref(), Some("ours"));
    assert_eq!(team.value("x", "Endpoint").as_deref(), Some("e"));
}

#[test]
fn merge_author_id_with_another_key() {
    // The maker of the other copy lists the updater's id with a key of its own.
    let (mut team, copy) = diverged();
    let forger = Identity::generate(&mut team.rng);
    let vault = team.vault.open_copy(copy).unwrap();
    let updater = team.open_as("rotation").access;
    let mut header = vault.header.clone();
    let grant = &mut header.grants[usize::from(updater.index)];
    grant.ed25519 = Hex(forger.grant_key().ed25519);
    let key = grant.key();
    let checked = vault
        .checked(Scope::Tail, &mut host(&mut team.rng))
        .unwrap();
    let prepared = vault.prepare_checked(
        &vault.access,
        &header,
        &[],
        checked,
        &mut host(&mut team.rng),
    );
    let mut theirs = Vec::new();
    prepared.unwrap().write().to(&mut theirs);
    let mut there = team.vault.open_copy(theirs.clone()).unwrap();
    (there.access.index, there.access.grant) = (updater.index, updater.grant);
    there.access.keys = forger.keys();
    let third = |overview: &mut NewOverview<'_>| overview.version = 3;
    let record = forge_record(&there, &mut team.rng, third, some_secrets());
    theirs.extend(commit_of(&there, &[&record]));
    // There it counts as the updater's.
    let there = team.vault.open_copy(theirs.clone()).unwrap();
    let signed = there.history("x").unwrap().pop().unwrap().signed_by;
    assert_eq!(signed, Some(updater.grant));

    let merge = team.merge(theirs, MergeOptions::default());
    let stranger = Stranger {
        id: updater.grant,
        fingerprint: Some(key.fingerprint()),
    };
    assert_eq!(merge.strangers, [stranger]);
    let error = merge.check().unwrap_err();
    assert_eq!(error.code(), Code::MergeStranger);
    // No label that the forger chose.
    assert!(!error.message().contains("owner"), "{error}");
}

#[test]
fn merge_stranger_called_owner() {
    let (mut team, copy) = diverged();
    let mut theirs = Team {
        rng: Counter::new(77),
        vault: team.vault.open_copy(copy.clone()).unwrap(),
        file: copy,
        members: team.members.clone(),
    };
    theirs.grant("owner", Role::Updater);
    theirs.hand_to("owner");
    theirs.update("x", "APIKey", "theirs");
    let key = theirs.identity("owner").grant_key();
    let merge = team.merge(theirs.file, MergeOptions::default());
    assert_eq!(merge.strangers.len(), 1);
    assert_eq!(merge.strangers[0].fingerprint, Some(key.fingerprint()));
    let told = merge.check().unwrap_err();
    assert!(told.message().contains(&key.fingerprint()), "{told}");
    assert!(!told.message().contains("owner"), "{told}");
    team.compact(Retention::Automatic);
}

#[test]
fn repair_takes_nothing_that_its_author_did_not_sign() {
    let mut team = Team::pair();
    let owner = team.vault.access.grant;
    let updater = team.open_as("rotation");
    let in_the_owners_name = |overview: &mut NewOverview<'_>| overview.author = owner;
    let record = forge_record(&updater, &mut team.rng, in_the_owners_name, some_secrets());
    let file = [team.file.as_slice(), &commit_of(&updater, &[&record])].concat();
    let options = OpenOptions {
        vault_id: Some(team.vault_id()),
        ..OpenOptions::default()
    };
    for elsewhere in [false, true] {
        let repair = RepairOptions {
            elsewhere,
            ..RepairOptions::default()
        };
        let unlock = Unlock::Identity(team.identity("ops"));
        let repaired = Vault::repair(
            &file,
            unlock,
            &options,
            repair,
            &mut host(&mut Counter::new(93)),
        )
        .unwrap();
        assert_eq!((repaired.recovered, repaired.lost.len()), (1, 1));
        assert!(repaired.elsewhere.is_empty());
        // Its page shows version 2, so the owner goes on behind that number.
        let newest = repaired.vault.overview("x").unwrap();
        assert_eq!((newest.version.get(), newest.op), (3, Op::Restore));
        assert_eq!(repaired.restored[0].version, newest.version);
        let value = repaired.vault.value("x", "APIKey").unwrap().unwrap();
        assert_eq!(value.expose(), "a");
    }
}

/// Merges a copy by the owner, who stores what comes of it.
fn merged(team: &mut Team, theirs: Vec<u8>, options: MergeOptions) -> Vec<Outcome> {
    let merge = team.merge(theirs, options);
    let prepared = team.vault.prepare_merge(merge, &mut host(&mut team.rng));
    let prepared = prepared.unwrap();
    let outcomes = prepared.outcomes().to_vec();
    team.store(prepared);
    outcomes
}

/// How a file opens for the owner of a team who knows a head.
fn known_to(team: &Team, file: &[u8], known: KnownHead) -> Result<Continuity> {
    let options = OpenOptions {
        known: Some(known),
        ..OpenOptions::default()
    };
    let unlock = Unlock::Identity(team.identity("ops"));
    let vault = Vault::open(file.to_vec(), unlock, &options)?;
    Ok(vault.report().continuity)
}

/// Another copy of a team's vault, which goes on by itself.
fn copy_of(team: &Team, seed: u64) -> Team {
    Team {
        rng: Counter::new(seed),
        vault: team.open_as("ops"),
        file: team.file.clone(),
        members: team.members.clone(),
    }
}

#[test]
fn merge_keeps_author() {
    let mut team = Team::pair();
    team.add("y", &[("APIKey", "a")]);
    let [owner, updater] = ["ops", "rotation"].map(|label| team.open_as(label).access.grant);
    let mut theirs = copy_of(&team, 77);
    theirs.hand_to("rotation");
    theirs.update("x", "APIKey", "b");
    theirs.update("x", "APIKey", "c");
    theirs.hand_to("ops");
    theirs.add("z", &[("APIKey", "z")]);
    theirs.delete("z");
    theirs.add("z", &[("APIKey", "zz")]);
    team.update("y", "APIKey", "b");
    let known = [team.vault.known_head(), theirs.vault.known_head()];
    let outcomes = merged(&mut team, theirs.file.clone(), MergeOptions::default());
    let told: Vec<_> = outcomes
        .iter()
        .map(|outcome| (outcome.id.as_str(), outcome.status, outcome.version_after))
        .collect();
    let [three] = [Version::new(3).unwrap()];
    let mut expected = [("x", Status::Updated, three), ("z", Status::Created, three)];
    expected.sort_by_key(|(id, ..)| team.vault.index.keys.tag(id));
    assert_eq!(told, expected);
    // Theirs are there as they are, all of them and nothing else.
    assert_eq!(
        signers(&team.vault.history("x").unwrap()),
        [Some(owner), Some(updater), Some(updater)]
    );
    assert_eq!(team.vault.history("z").unwrap().len(), 3);
    assert_eq!(team.value("x", "APIKey").as_deref(), Some("c"));
    assert_eq!(team.value("z", "APIKey").as_deref(), Some("zz"));
    assert_eq!(team.value("y", "APIKey").as_deref(), Some("b"));
    assert!(team.problems().is_empty());
    assert!(team.vault.log().unwrap()[0].snapshot);
    // Clients of both copies go on, also behind a compaction.
    team.compact(Retention::Automatic);
    for known in known {
        let continuity = known_to(&team, &team.file, known);
        assert_eq!(continuity.unwrap(), Continuity::Continues);
    }
    // And the same merge again changes nothing.
    let again = team.merge(theirs.file, MergeOptions::default());
    assert!(again.is_unchanged() && again.plans().is_empty());
}

#[test]
fn merge_takes_over_what_was_sealed_with_former_keys() {
    let mut team = Team::pair();
    team.grant("reader", Role::Reader);
    let mut theirs = copy_of(&team, 77);
    theirs.hand_to("rotation");
    theirs.update("x", "APIKey", "b");
    theirs.hand_to("ops");
    let updater = team.open_as("rotation").access.grant;
    team.revoke("reader");
    let known = theirs.vault.known_head();
    merged(&mut team, theirs.file.clone(), MergeOptions::default());
    assert_eq!(team.value("x", "APIKey").as_deref(), Some("b"));
    assert_eq!(
        signers(&team.vault.history("x").unwrap())[1..],
        [Some(updater)]
    );
    assert!(team.problems().is_empty());
    let continuity = known_to(&team, &team.file, known);
    assert_eq!(continuity.unwrap(), Continuity::Continues);
    // The other way round the revocation would be undone.
    let copy = theirs.vault.open_copy(team.file.clone()).unwrap();
    let now = Timestamp::new(NOW).unwrap();
    let refused = theirs
        .vault
        .plan_merge(&copy, MergeOptions::default(), &now);
    assert_eq!(refused.unwrap_err().code(), Code::MergeEpoch);
    // Two revocations apart: neither copy knows the other's.
    let mut apart = copy_of(&theirs, 78);
    apart.revoke("reader");
    let copy = team.vault.open_copy(apart.file).unwrap();
    let refused = team.vault.plan_merge(&copy, MergeOptions::default(), &now);
    assert_eq!(refused.unwrap_err().code(), Code::MergeEpoch);
}

#[test]
fn merge_of_two_handovers() {
    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    team.grant("third", Role::Owner);
    let mut theirs = copy_of(&team, 77);
    theirs.revoke("third");
    team.revoke("second");
    let copy = team.vault.open_copy(theirs.file).unwrap();
    let now = Timestamp::new(NOW).unwrap();
    let refused = team.vault.plan_merge(&copy, MergeOptions::default(), &now);
    assert_eq!(refused.unwrap_err().code(), Code::NotMergeable);
}

#[test]
fn merge_former_owner_revokes() {
    // A former owner revokes everybody in the copy that it has, until the copy has the later epoch.
    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    team.grant("reader", Role::Reader);
    team.grant("viewer", Role::Viewer);
    let mut theirs = copy_of(&team, 77);
    theirs.hand_to("second");
    theirs.revoke("reader");
    theirs.revoke("viewer");
    let their_file = theirs.file.clone();
    team.revoke("second");
    let (ours, theirs) = (
        &team.vault,
        team.open_file(their_file, team.identity("ops")).unwrap(),
    );
    assert!(theirs.header.epoch > ours.header.epoch);
    let now = Timestamp::new(NOW).unwrap();
    for (one, other) in [(ours, &theirs), (&theirs, ours)] {
        let refused = one.plan_merge(other, MergeOptions::default(), &now);
        let error = refused.unwrap_err();
        assert_eq!(error.code(), Code::MergeEpoch);
        // Neither way: the result would stand under the former owner's vault key.
        assert!(
            !error.hint().unwrap().contains("merge this copy"),
            "{error:?}"
        );
    }
    assert!(ours.grants().any(|grant| grant.label == "reader"));
}

#[test]
fn merge_claims_superseded() {
    // A former owner's copy, of before its revocation, claims to have replaced a commit that a client knows.
    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    team.add("x", &[("APIKey", "a")]);
    let mut theirs = copy_of(&team, 77);
    theirs.hand_to("second");
    theirs.update("x", "APIKey", "b");
    let mut known = theirs.vault.known_head();
    let mut snapshot = theirs.snapshot();
    let last = snapshot.superseded.len() - 2;
    snapshot.superseded[last] = [7; 32];
    (known.head.seq, known.head.hash) = (u64::try_from(last).unwrap(), Hex([7; 32]));
    let file = snapshot.file();
    team.revoke("second");
    let merge = team.merge(
        file,
        MergeOptions {
            accept_strangers: true,
            ..MergeOptions::default()
        },
    );
    let newest = {
        let copy = team.vault.open_copy(snapshot.file()).unwrap();
        copy.known_head()
    };
    let prepared = team.vault.prepare_merge(merge, &mut host(&mut team.rng));
    team.store(prepared.unwrap());
    let refused = known_to(&team, &team.file, known).unwrap_err();
    assert_eq!(refused.code(), Code::Forked);
    // A commit that stands there as bytes is merged indeed.
    let continuity = known_to(&team, &team.file, newest);
    assert_eq!(continuity.unwrap(), Continuity::Continues);
}

#[test]
fn merge_of_a_false_version() {
    let (mut team, copy) = diverged();
    let record = {
        let identity = team.identity("rotation").clone();
        let updater = team.open_file(copy.clone(), &identity).unwrap();
        let lie = |overview: &mut NewOverview<'_>| {
            overview.version = 3;
            overview.properties = vec![Text("Other".into())];
        };
        forge_record(&updater, &mut team.rng, lie, some_secrets())
    };
    let theirs = copy_with(&mut team, &copy, &record);
    let merge = team.merge(theirs.clone(), MergeOptions::default());
    let [version] = merge.not_taken.as_slice() else {
        panic!("{:?}", merge.not_taken);
    };
    assert_eq!(version.id.as_ref().unwrap().as_str(), "x");
    assert_eq!(version.version.get(), 3);
    assert_eq!(version.error.code(), Code::FalseRecord);
    assert!(merge.plans().is_empty());
    // Theirs' newest good one stands for it: the base.
    merged(&mut team, theirs, MergeOptions::default());
    assert_eq!(team.value("x", "APIKey").as_deref(), Some("b"));
    assert!(team.problems().is_empty());
}

#[test]
fn a_merge_by_anybody_else_makes_versions_of_its_own() {
    let (mut team, copy) = diverged();
    let identity = team.identity("ops").clone();
    let mut theirs = copy_of(&team, 77);
    theirs.vault = team.open_file(copy.clone(), &identity).unwrap();
    theirs.file = copy;
    theirs.update("x", "Endpoint", "e");
    let known = theirs.vault.known_head();
    let updater = team.open_as("rotation").access.grant;
    team.hand_to("rotation");
    merged(&mut team, theirs.file, MergeOptions::default());
    assert_eq!(team.value("x", "Endpoint").as_deref(), Some("e"));
    let signers = signers(&team.vault.history("x").unwrap());
    assert_eq!(signers.last(), Some(&Some(updater)));
    // Only owners can say that a copy is merged.
    let refused = known_to(&team, &team.file, known).unwrap_err();
    assert_eq!(refused.code(), Code::Forked);
}
