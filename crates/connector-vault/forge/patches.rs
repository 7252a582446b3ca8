//! Patches: who writes what without reading it, and what becomes of it (docs/format.md sections 8.5, 8.7, 10 and
//! 11). The names of vectors stand in `vectors/patches.rs`.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::{
    Forged, NOW, Team, commit_of, forge_patch, forge_record, host, newest, properties,
    some_secrets, update,
};
use crate::access::{BundlePlace, deposit_key};
use crate::action::{Action, Nested, Note, Options, RequestId};
use crate::connector::{NewConnector, Op, PropertyChanges};
use crate::crypto::aead::SealingKey;
use crate::crypto::kdf::{Key, derive_key};
use crate::crypto::label;
use crate::crypto::x_wing::PrivateKey;
use crate::error::Code;
use crate::format::hex::GroupId;
use crate::limits;
use crate::plan::{ChangeKind, Outcome, Status};
use crate::secret::Secret;
use crate::vault::record::{NewOverview, Text};
use crate::vault::*;

/// A vault with the connectors `x` and `b`, one in each group, and a member who rotates in the first.
fn team() -> Team {
    Team::with_groups(&[
        (
            "rotation",
            &[(None, Role::Viewer), (Some(0), Role::Rotator)],
        ),
        ("updater", &[(None, Role::Updater)]),
    ])
}

impl Team {
    fn rotated(&mut self, changes: impl Into<PropertyChanges>) {
        self.hand_to("rotation");
        let changes = changes.into();
        self.plan(|vault, options| vault.plan_update("x", changes, options));
        self.hand_to("ops");
    }

    fn forged_by(&mut self, label: &str, record: &Forged) {
        let vault = self.open_as(label);
        self.file.extend(commit_of(&vault, &[record]));
        self.hand_to("ops");
    }

    fn text(&self, name: &str) -> Option<String> {
        let value = self.vault.value("x", name).unwrap();
        value.map(|value| value.expose().to_owned())
    }

    fn sound(&self) {
        let verdicts = self.vault.verify().unwrap();
        assert!(verdicts.iter().all(|verdict| verdict.problems.is_empty()));
    }

    fn asked(&mut self, action: &str, options: &Options) -> Result<Outcome> {
        let plan = self.vault.plan(
            &Action::parse(action).unwrap(),
            &mut BTreeMap::<String, Secret>::new(),
            options,
            &mut host(&mut self.rng),
        )?;
        let outcome = plan.ran().outcome().unwrap().clone();
        if !outcome.replayed {
            self.commit(plan);
        }
        Ok(outcome)
    }
}

fn code<T>(result: Result<T>) -> Code {
    result.err().unwrap().code()
}

fn kinds(outcome: &Outcome) -> Vec<(&str, ChangeKind)> {
    let changes = outcome.changes.iter();
    changes
        .map(|change| (change.name.as_str(), change.change))
        .collect()
}

#[test]
fn a_rotator_lists_all_reads_nothing_and_rotates_in_its_group() {
    let options = Options::default();
    let mut team = team();
    team.hand_to("rotation");
    assert_eq!(team.vault.role(), Role::Rotator);
    assert_eq!(team.vault.list().filter_map(Result::ok).count(), 2);
    for (verb, id, may) in [
        (Verb::List, "b", true),
        (Verb::Update, "x", true),
        (Verb::Update, "b", false),
        (Verb::Read, "x", false),
        (Verb::Restore, "x", false),
        (Verb::Delete, "x", false),
        (Verb::Create, "y", false),
    ] {
        assert_eq!(team.vault.permits(verb, id).unwrap(), may, "{verb:?} {id}");
    }
    for id in ["x", "b"] {
        assert_eq!(code(team.vault.read(id)), Code::NotPermitted);
        assert_eq!(
            code(team.vault.read_version(id, Version::FIRST)),
            Code::NotPermitted
        );
    }
    let set = |id| team.vault.plan_update(id, [("APIKey", "b")], &options);
    assert_eq!(code(set("b")), Code::NotPermitted);
    assert_eq!(code(set("nobody")), Code::ConnectorNotFound);
    let restored = team.vault.plan_restore("x", Version::FIRST, &options);
    assert_eq!(code(restored), Code::NotPermitted);
    let changes = PropertyChanges::new()
        .set("APIKey", "b")
        .set("Endpoint", " e")
        .remove("Other");
    let plan = team.vault.plan_update("x", changes, &options).unwrap();
    assert_eq!((plan.op(), plan.is_unchanged()), (Some(Op::Patch), false));
    assert_eq!(
        kinds(&plan.outcome()),
        [
            ("APIKey", ChangeKind::Written),
            ("Endpoint", ChangeKind::Written),
            ("Other", ChangeKind::Unchanged),
        ]
    );
    assert_eq!(plan.outcome().warnings.len(), 1);
    team.commit(plan);
    // It does not read what it wrote either.
    assert_eq!(code(team.vault.read("x")), Code::NotPermitted);
    let overview = team.vault.overview("x").unwrap();
    let names = |names: &[crate::connector::PropertyName]| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(&overview.properties), ["APIKey", "Endpoint"]);
    assert_eq!(names(&overview.changed), ["APIKey", "Endpoint"]);
    team.sound();
    team.hand_to("updater");
    assert_eq!(team.text("APIKey").as_deref(), Some("b"));
    let connector = team.vault.read("x").unwrap();
    assert_eq!(connector.version.get(), 2);
    let first = team.vault.read_version("x", Version::FIRST).unwrap();
    assert_eq!(first.properties.get("APIKey").unwrap().expose(), "a");
    let differences = team
        .vault
        .diff("x", Version::FIRST, connector.version)
        .unwrap();
    assert_eq!(differences.len(), 2);
    // Whoever may read and patch writes full versions.
    team.update("x", "APIKey", "c");
    assert_eq!(newest(&team.vault, "x").entry.op, Op::Update);
    assert_eq!(team.text("Endpoint").as_deref(), Some(" e"));
    team.hand_to("ops");
    team.sound();
}

/// The ways in which bytes open the secrets of a stored version.
struct Attempt {
    record: Forged,
    id: String,
    group: GroupId,
    context: Vec<u8>,
    info: Vec<u8>,
}

impl Attempt {
    /// Whoever attacks knows all of this but the values.
    fn new(owner: &Vault, stored: &Stored) -> Self {
        let overview = owner.overview_of(stored).unwrap();
        let (id, group) = (overview.id.to_string(), overview.group);
        let epoch = owner.header.epoch.to_le_bytes();
        let version = overview.version.get().to_le_bytes();
        let vault_id = owner.id();
        let [vault_id, group_id] = [vault_id.as_bytes().as_slice(), group.as_bytes().as_slice()];
        let context = [vault_id, &epoch, group_id, id.as_bytes(), &version];
        let author = overview.author;
        let info = [
            vault_id,
            group_id,
            &epoch,
            id.as_bytes(),
            &version,
            author.as_bytes(),
        ];
        Self {
            record: super::stored_record(owner, stored),
            context: label::bind(label::SECRETS, &context),
            info: label::bind(label::PATCH, &info),
            id,
            group,
        }
    }

    /// As the key of the connector, or as the secret of its group.
    fn by_key(&self, key: &Key) -> bool {
        let of_connector = derive_key(key, label::SECRETS_KEY, &[self.id.as_bytes()]);
        [key, &of_connector].into_iter().any(|key| {
            SealingKey::new(key).open(&self.context, &self.record.secrets, &mut Vec::new())
        })
    }

    /// As the seed of the deposit key, or as the secret of the group that it derives from.
    fn by_seed(&self, key: &Key) -> bool {
        let opens = |private: PrivateKey| private.open(&self.info, &self.record.secrets).is_some();
        opens(PrivateKey::from_seed(key)) || opens(deposit_key(key))
    }

    /// In these ways, or as the secret root.
    fn opens(&self, key: &Key) -> bool {
        let of_group = derive_key(key, label::GROUP_SECRET, &[self.group.as_bytes()]);
        [key, &of_group]
            .into_iter()
            .any(|key| self.by_key(key) || self.by_seed(key))
    }
}

fn windows(bytes: &[u8]) -> impl Iterator<Item = Key> {
    let windows = bytes.windows(32);
    windows.map(|window| Key::new(window.try_into().unwrap()))
}

/// What a rotator has: its identity, its bundle, what derives from these, and the file.
#[test]
fn nothing_that_a_rotator_has_opens_a_value() {
    let mut team = team();
    team.rotated([("APIKey", "secret")]);
    let (owner, rotation) = (&team.vault, team.open_as("rotation"));
    let versions = ["x", "b"].map(|id| owner.versions(id).unwrap()).concat();
    let attempts: Vec<_> = versions
        .iter()
        .map(|stored| Attempt::new(owner, stored))
        .collect();
    let ops: Vec<_> = versions.iter().map(|stored| stored.entry.op).collect();
    assert_eq!(ops, [Op::Create, Op::Patch, Op::Create]);

    // These ways do open, by what a reader has.
    for attempt in &attempts {
        let of_owner = owner.access.bundle.group(attempt.group).unwrap();
        let held = rotation.access.bundle.group(attempt.group).unwrap();
        assert!(attempt.opens(&of_owner.secret.unwrap()));
        assert!(held.secret.is_none() && held.overview == of_owner.overview);
    }

    let mut bundles = Vec::new();
    for grant in &owner.header.grants {
        let place = BundlePlace {
            vault_id: owner.id(),
            epoch: owner.header.epoch,
            grant: grant.id,
            rights: &grant.rights,
        };
        bundles.extend(rotation.access.keys.open(&place.info(), &grant.bundle));
    }
    assert_eq!(bundles.len(), 1, "it opens its own bundle alone");
    let identity = Key::new(*rotation.access.identity.as_bytes());
    let mut held: Vec<Key> = windows(&bundles[0]).collect();
    held.extend(owner.header.groups.iter().map(|group| {
        let keys = rotation.access.bundle.group(group.id);
        keys.unwrap().overview
    }));
    for label in [label::IDENTITY_X_WING, label::IDENTITY_ED25519] {
        held.push(derive_key(&identity, label, &[]));
    }
    held.push(identity);
    for attempt in &attempts {
        for key in &held {
            assert!(!attempt.opens(key), "{}", attempt.id);
            for label in [
                label::GROUP_OVERVIEW_KEY,
                label::SECRETS_KEY,
                label::DEPOSIT,
            ] {
                for parts in [
                    &[][..],
                    &[attempt.group.as_bytes().as_slice()],
                    &[attempt.id.as_bytes()],
                ] {
                    assert!(!attempt.by_key(&derive_key(key, label, parts)));
                }
            }
        }
        for key in windows(&team.file) {
            assert!(!attempt.by_key(&key), "{}", attempt.id);
        }
        let keys = &rotation.access.keys;
        assert!(keys.open(&attempt.info, &attempt.record.secrets).is_none());
    }
}

#[test]
fn what_needs_reading_is_refused_to_a_rotator() {
    let mut team = team();
    team.hand_to("rotation");
    let with = |options: Options| {
        let vault = &team.vault;
        move |value: &str| vault.plan_update("x", [("APIKey", value)], &options)
    };
    let plain = with(Options::default());
    assert_eq!(code(plain("***")), Code::MaskValue);
    assert_eq!(code(plain(r#"{"a": "***"}"#)), Code::MaskValue);
    let masks = with(Options {
        allow_mask: true,
        ..Options::default()
    });
    assert!(masks("***").is_ok());
    let merges = with(Options {
        nested: Nested::Merge,
        ..Options::default()
    });
    assert_eq!(code(merges(r#"{"a": "b"}"#)), Code::NotPermitted);
    let other_version = with(Options {
        if_version: Version::new(2).ok(),
        ..Options::default()
    });
    assert_eq!(code(other_version("b")), Code::Conflict);
    let many = (0..limits::PROPERTIES_MAX).map(|number| (number.to_string(), "v".to_owned()));
    let many: PropertyChanges = many.collect();
    let plan = |changes: PropertyChanges| {
        let options = Options::default();
        team.vault.plan_update("x", changes, &options)
    };
    assert_eq!(code(plan(many.clone())), Code::TooManyProperties);
    assert!(plan(many.remove("APIKey")).is_ok());
    // A mistyped name is noticed without values.
    let outcome = plan([("apikey", "v")].into()).unwrap().outcome();
    assert_eq!(outcome.warnings.len(), 1);
    // Nothing to write.
    let plan = plan(PropertyChanges::new().remove("Other")).unwrap();
    assert_eq!(plan.outcome().status, Status::Unchanged);
    let prepared = team.vault.prepare(plan, &mut host(&mut team.rng)).unwrap();
    assert_eq!(prepared.write(), Write::Nothing);
}

#[test]
fn several_patches_in_one_commit_go_on_from_each_other() {
    let mut team = team();
    team.hand_to("rotation");
    let plans = team
        .vault
        .plan_changes::<Error>(|change| {
            change.update("x", [("APIKey", "b"), ("Endpoint", "e")])?;
            change.update(
                "x",
                PropertyChanges::new().remove("APIKey").set("More", "m"),
            )?;
            assert_eq!(code(change.delete("x")), Code::NotPermitted);
            Ok(())
        })
        .unwrap();
    let prepared = team.vault.prepare_all(plans, &mut host(&mut team.rng));
    team.store(prepared.unwrap());
    team.hand_to("ops");
    let connector = team.vault.read("x").unwrap();
    assert_eq!(
        connector.properties,
        properties(&[("Endpoint", "e"), ("More", "m")])
    );
    assert_eq!(connector.version.get(), 3);
    team.sound();
}

#[test]
fn a_plan_conflicts_with_a_patch_and_a_patch_with_an_update() {
    let options = Options::default();
    let mut team = team();
    let updates = team.vault.plan_update("x", [("Endpoint", "e")], &options);
    let rotation = team.open_as("rotation");
    let patches = rotation.plan_update("x", [("APIKey", "c")], &options);
    team.rotated([("APIKey", "b")]);
    let stale = team
        .vault
        .prepare(updates.unwrap(), &mut host(&mut team.rng));
    assert_eq!(code(stale), Code::Conflict);
    let rotation = team.open_as("rotation");
    let stale = rotation.prepare(patches.unwrap(), &mut host(&mut team.rng));
    assert_eq!(code(stale), Code::Conflict);
}

/// `request-replayed-patch`.
#[test]
fn a_rotator_finds_its_request_again() {
    let mut team = team();
    team.hand_to("rotation");
    let request = |id: &str| Options {
        request_id: RequestId::new(id).ok(),
        note: Note::new("rotated").ok(),
        ..Options::default()
    };
    let action = update("x", "APIKey", "b");
    let first = team.asked(&action, &request("r-1")).unwrap();
    assert_eq!(kinds(&first), [("APIKey", ChangeKind::Written)]);
    team.rotated([("APIKey", "c")]);
    team.hand_to("rotation");
    let again = team.asked(&action, &request("r-1")).unwrap();
    assert!(again.replayed);
    assert_eq!(
        (again.status, kinds(&again)),
        (Status::Updated, kinds(&first))
    );
    assert_eq!(again.version_after.get(), 2);
    let other = update("x", "APIKey", "d");
    let reused = team.asked(&other, &request("r-1"));
    assert_eq!(code(reused), Code::RequestIdReused);
    team.hand_to("ops");
    assert_eq!(team.text("APIKey").as_deref(), Some("c"));
    // Somebody else's request of the same id is another one.
    assert!(!team.asked(&other, &request("r-1")).unwrap().replayed);
    // A snapshot that leaves the patch out says so to its author.
    let prepared = team
        .vault
        .prepare_purge(Some(&["x"]), &mut host(&mut team.rng));
    team.store(prepared.unwrap());
    team.hand_to("rotation");
    let gone = team.asked(&action, &request("r-1"));
    assert_eq!(code(gone), Code::RequestTooOld);
}

#[test]
fn a_compaction_keeps_what_each_kept_version_needs() {
    let mut team = team();
    for value in ["b", "c", "d", "e"] {
        team.rotated([("APIKey", value)]);
    }
    team.rotated([("Endpoint", "e")]);
    let before = team.vault.read("x").unwrap();
    team.compact(Retention::Newest(1));
    team.hand_to("ops");
    assert_eq!(team.vault.read("x").unwrap().properties, before.properties);
    let kept = team.vault.history("x").unwrap();
    let kept: Vec<_> = kept.iter().map(|one| one.overview.version.get()).collect();
    assert_eq!(kept, [1, 5, 6]);
    // A version of before that is kept reads as it did, so all that it needs stays too.
    let then = team.vault.read_version("x", Version::new(5).unwrap());
    assert_eq!(then.unwrap().properties, properties(&[("APIKey", "e")]));
    team.sound();
    // A purge leaves no former value, so the owner writes one version of all.
    let prepared = team.vault.prepare_purge(None, &mut host(&mut team.rng));
    team.store(prepared.unwrap());
    team.hand_to("ops");
    let after = team.vault.read("x").unwrap();
    assert_eq!(after.properties, before.properties);
    assert_eq!(after.rotated_at, before.rotated_at);
    let kept = team.vault.history("x").unwrap();
    assert_eq!((kept.len(), kept[0].overview.op), (1, Op::Restore));
    assert_eq!(kept[0].overview.version.get(), 7);
    team.sound();
}

#[test]
fn an_owner_folds_a_long_chain() {
    let mut team = team();
    team.hand_to("rotation");
    let plans = team
        .vault
        .plan_changes::<Error>(|change| {
            (0..=limits::PATCHES_KEPT).try_for_each(|number| {
                let name = ["p0", "p1", "p2"][number % 3];
                change.update("x", [(name, number.to_string())])
            })
        })
        .unwrap();
    let prepared = team.vault.prepare_all(plans, &mut host(&mut team.rng));
    team.store(prepared.unwrap());
    assert!(team.vault.awaits_compaction() && !team.vault.wants_compaction());
    assert!(team.open_as("updater").awaits_compaction());
    team.hand_to("ops");
    assert!(team.vault.wants_compaction() && !team.vault.awaits_compaction());
    let before = team.vault.read("x").unwrap().properties;
    assert_eq!(before.get("p0").unwrap().expose(), "1023");
    assert_eq!(before.get("p1").unwrap().expose(), "1024");
    team.compact(Retention::Newest(2000));
    assert!(!team.vault.wants_compaction());
    assert!(!team.open_as("rotation").awaits_compaction());
    assert_eq!(newest(&team.vault, "x").entry.op, Op::Restore);
    assert_eq!(team.vault.read("x").unwrap().properties, before);
}

#[test]
fn a_new_epoch_seals_patches_again_to_a_new_key() {
    let mut team = team();
    team.rotated([("APIKey", "b")]);
    let deposit = |team: &Team| team.vault.header.groups[0].deposit.clone();
    let first = deposit(&team);
    assert!(first.is_some() && team.vault.header.groups[1].deposit.is_none());
    team.revoke("updater");
    assert!(deposit(&team).is_some() && deposit(&team) != first);
    assert_eq!(team.text("APIKey").as_deref(), Some("b"));
    team.rotated([("Endpoint", "e")]);
    team.sound();
    // A rotator who may read from now on: no new keys, and nobody deposits any more.
    let epoch = team.vault.head().epoch;
    team.reduce("rotation", Role::Updater);
    assert_eq!((team.vault.head().epoch, deposit(&team)), (epoch, None));
    team.hand_to("rotation");
    assert_eq!(team.text("APIKey").as_deref(), Some("b"));
    team.hand_to("ops");
    team.reduce("rotation", Role::Rotator);
    assert!(deposit(&team).is_some());
    assert_eq!(team.text("Endpoint").as_deref(), Some("e"));
    team.revoke("rotation");
    assert_eq!(deposit(&team), None);
    assert_eq!(team.text("Endpoint").as_deref(), Some("e"));
    team.sound();
    // Also a grant that a rotator gets later.
    team.grant("late", Role::Rotator);
    let groups = &team.vault.header.groups;
    assert!(groups.iter().all(|group| group.deposit.is_some()));
    team.hand_to("late");
    team.plan(|vault, options| vault.plan_update("b", [("APIKey", "z")], options));
    team.hand_to("ops");
    let value = team.vault.value("b", "APIKey").unwrap().unwrap();
    assert_eq!(value.expose(), "z");
}

#[test]
fn a_new_epoch_needs_the_damaged_patch_or_drops_it() {
    let revoked = |team: &mut Team| {
        let mut host = super::host(&mut team.rng);
        team.vault
            .prepare_revoke("updater", &mut host, &mut |_, _| {})
            .map(|revocation| revocation.damaged.len())
    };
    let mut team = team();
    team.rotated([("APIKey", "b")]);
    let at = team.file.len() - 9;
    team.rotated([("Endpoint", "e")]);
    let sound = team.file.clone();
    team.file[at] ^= 1;
    team.hand_to("ops");
    assert_eq!(code(revoked(&mut team)), Code::Damaged);
    team.file = sound;
    team.rotated([("APIKey", "c")]);
    team.file[at] ^= 1;
    team.hand_to("ops");
    assert_eq!(team.text("APIKey").as_deref(), Some("c"));
    assert_eq!(revoked(&mut team).unwrap(), 1);
}

#[test]
fn patches_behind_a_false_version_are_not_lost() {
    let mut team = team();
    team.rotated([("APIKey", "b")]);
    let updater = team.open_as("updater");
    let lie = |overview: &mut NewOverview<'_>| {
        overview.version = 3;
        overview.properties.push(Text("Other".into()));
    };
    let lie = forge_record(&updater, &mut team.rng, lie, some_secrets());
    team.forged_by("updater", &lie);
    team.rotated([("Endpoint", "e")]);
    assert_eq!(code(team.vault.read("x")), Code::FalseRecord);
    let prepared = team
        .vault
        .prepare_compaction(Retention::Automatic, &mut host(&mut team.rng))
        .unwrap();
    assert_eq!(prepared.false_versions().len(), 1);
    team.store(prepared);
    team.hand_to("ops");
    let connector = team.vault.read("x").unwrap();
    assert_eq!(connector.version.get(), 5);
    assert_eq!(
        connector.properties,
        properties(&[("APIKey", "b"), ("Endpoint", "e")])
    );
    team.sound();
}

#[test]
fn a_list_tells_a_bad_patch_beside_what_it_shows() {
    let mut team = team();
    let rotation = team.open_as("rotation");
    let mut record = forge_patch(&rotation, &mut team.rng, |_| {}, some_secrets());
    record.overview[40] ^= 1;
    record.refit();
    team.forged_by("rotation", &record);
    let shown = |item: Result<Overview>| match item {
        Ok(overview) => Ok(overview.id.to_string()),
        Err(error) => Err((error.code(), error.connector().map(str::to_owned))),
    };
    let all: Vec<_> = team.vault.list().map(shown).collect();
    let wrong = Err((Code::FalseRecord, Some("x".to_owned())));
    assert!(all.contains(&wrong) && all.contains(&Ok("x".into())) && all.len() == 3);
    // A list in parts tells the same, each error once.
    for count in 1..=3 {
        let (mut parts, mut cursor) = (Vec::new(), Cursor::default());
        while !cursor.is_end() && parts.len() <= all.len() {
            let mut list = team.vault.list_from(cursor);
            parts.extend(list.by_ref().take(count).map(shown));
            // A host keeps it as text.
            cursor = list.cursor().to_string().parse().unwrap();
        }
        assert_eq!(parts, all, "{count} at a time");
    }
    assert_eq!(team.vault.overview("x").unwrap().version, Version::FIRST);
    let bad = team.vault.bad_patches("x").unwrap();
    assert_eq!(bad[0].by.as_deref(), Some("rotation"));
    assert_eq!(bad[0].id.as_ref().map(|id| id.as_str()), Some("x"));
    // Both go on behind it.
    team.rotated([("Endpoint", "e")]);
    team.update("x", "APIKey", "b");
    let connector = team.vault.read("x").unwrap();
    assert_eq!(connector.version.get(), 4);
    assert_eq!(
        connector.properties,
        properties(&[("APIKey", "b"), ("Endpoint", "e")])
    );
}

#[test]
fn a_merge_takes_a_patch_over() {
    let mut ours = team();
    let mut theirs = team();
    theirs.file.clone_from(&ours.file);
    theirs.rotated([("APIKey", "b")]);
    ours.update("x", "Endpoint", "e");
    let copy = ours.vault.open_copy(theirs.file.clone()).unwrap();
    let now = Timestamp::new(NOW).unwrap();
    let merge = ours.vault.plan_merge(&copy, MergeOptions::default(), &now);
    let merge = merge.unwrap();
    assert!(merge.strangers.is_empty() && merge.conflicts.is_empty());
    let prepared = ours.vault.prepare_merge(merge, &mut host(&mut ours.rng));
    ours.store(prepared.unwrap());
    assert_eq!(ours.text("APIKey").as_deref(), Some("b"));
    assert_eq!(ours.text("Endpoint").as_deref(), Some("e"));
}

#[test]
fn a_repair_keeps_patches() {
    let mut team = team();
    team.rotated([("APIKey", "b")]);
    let options = OpenOptions {
        vault_id: Some(team.vault_id()),
        ..OpenOptions::default()
    };
    let unlock = crate::access::Unlock::Identity(&team.members[0].1);
    let mut host = super::host(&mut team.rng);
    let repaired = Vault::repair(
        &team.file,
        unlock,
        &options,
        RepairOptions::default(),
        &mut host,
    )
    .unwrap();
    assert_eq!((repaired.recovered, repaired.lost.len()), (3, 0));
    let value = repaired.vault.value("x", "APIKey").unwrap().unwrap();
    assert_eq!(value.expose(), "b");
}

/// Repairs a file in which the secrets of the newest version of `x` before a patch are lost.
fn repaired_under_a_patch(team: &mut Team) -> Repaired {
    let at = team.file.len() - 9;
    team.rotated([("APIKey", "c")]);
    team.file[at] ^= 1;
    let options = OpenOptions {
        vault_id: Some(team.vault_id()),
        ..OpenOptions::default()
    };
    let unlock = crate::access::Unlock::Identity(team.identity("ops"));
    let mut rng = super::Counter::new(81);
    let repair = RepairOptions::default();
    Vault::repair(&team.file, unlock, &options, repair, &mut host(&mut rng)).unwrap()
}

#[test]
fn a_repair_reads_a_patch_over_what_is_left() {
    let mut team = team();
    team.update("x", "APIKey", "b");
    let repaired = repaired_under_a_patch(&mut team);
    assert_eq!(repaired.lost.len(), 1);
    let connector = repaired.vault.read("x").unwrap();
    assert_eq!(connector.version.get(), 3);
    let value = connector.properties.get("APIKey").unwrap();
    assert_eq!(value.expose(), "c");
}

#[test]
fn a_repair_leaves_out_a_patch_that_no_version_stands_under() {
    let mut team = team();
    team.plan(|vault, options| vault.plan_delete("x", options));
    team.plan(|vault, options| {
        let values = properties(&[("APIKey", "b")]);
        let new = NewConnector::new("x", "Twitter", "Twitter").with_properties(&values);
        vault.plan_create(&new, options)
    });
    let repaired = repaired_under_a_patch(&mut team);
    let lost: Vec<_> = repaired.lost.iter().map(|lost| lost.code).collect();
    assert_eq!(lost, ["damaged", "damaged"]);
    // What pages show of newer versions is gone: the delete goes on.
    assert!(repaired.vault.overview("x").is_err());
    assert_eq!(repaired.restored.len(), 1);
    let verdicts = repaired.vault.verify().unwrap();
    assert!(verdicts.iter().all(|verdict| verdict.problems.is_empty()));
}
