//! Every vector of `tests/vectors/merge` on the core (tests/vectors/README.md).
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    unreachable_pub,
    dead_code,
    reason = "tests fail by panicking and read files, and the vectors are read for other surfaces too"
)]

#[path = "vectors/conformance.rs"]
mod conformance;
#[path = "vectors/merge.rs"]
mod vectors;

use std::collections::{BTreeMap, BTreeSet};

use connector_vault::{
    Action, ConflictKind, ConnectorId, Continuity, Description, Grantee, Host, Identity, Merge,
    MergeOptions, NewConnector, NewOwner, Null, OpenOptions, Options, Plan, Prepared, Properties,
    PropertyName, Resolve, Result, Retention, Role, Secret, Timestamp, Unlock, Vault, Winner,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use vectors::{Add, Conflict, Describe, MergeVector, Side, Step};

#[test]
fn merge_vectors() {
    conformance::run("Rust", "merge", vectors::load(), |vector| {
        check(vector);
        None
    });
}

#[test]
fn a_vector_with_a_name_more_is_rejected() {
    conformance::rejects_one_more_name(vectors::texts(), |name, text| {
        vectors::parse(name, text).err()
    });
}

fn check(vector: &MergeVector) {
    let mut world = World::new();
    let (vault, file) = world.create();
    let mut ours = Copy { vault, file };
    for step in vector.base() {
        ours.step(&step, &mut world);
    }
    let mut theirs = Copy {
        vault: world.open(ours.file.clone(), "ops"),
        file: ours.file.clone(),
    };
    for (side, step) in vector.steps() {
        match side {
            Side::Ours => ours.step(step, &mut world),
            Side::Theirs => theirs.step(step, &mut world),
        }
    }
    let (our_file, their_file) = (ours.file.clone(), theirs.file.clone());
    let copy = ours
        .vault
        .open_copy(their_file.clone())
        .expect("a copy of the same vault");

    let now = world.host().now;
    let merge = ours
        .vault
        .plan_merge(&copy, options(vector), &now)
        .expect("a merge can be planned");
    assert_eq!(conflicts(&merge), vector.conflicts());
    // By their keys: the labels that they have in the other copy say nothing.
    let strangers = merge.strangers.iter();
    let strangers: BTreeSet<_> = strangers
        .map(|stranger| stranger.fingerprint.clone().expect("a grant of the copy"))
        .collect();
    let expected = vector.expect.strangers.iter();
    let expected: BTreeSet<_> = expected
        .map(|label| world.identities[label].grant_key().fingerprint())
        .collect();
    assert_eq!(strangers, expected);
    for conflict in &merge.conflicts {
        let winner = match vector.resolve {
            None => None,
            Some(vectors::Resolve::Ours) => Some(Winner::Ours),
            Some(vectors::Resolve::Theirs) => Some(Winner::Theirs),
            Some(vectors::Resolve::Newest) if conflict.theirs.at > conflict.ours.at => {
                Some(Winner::Theirs)
            }
            Some(vectors::Resolve::Newest) => Some(Winner::Ours),
        };
        assert_eq!(conflict.winner, winner);
    }
    match (merge.check(), &vector.expect.error) {
        (Err(error), Some(code)) => {
            assert_eq!(error.code().as_str(), code);
            let told = format!("{error} {:?}", error.hint());
            assert!(!told.contains("s3cret"), "{told}");
            assert!(ours.file == our_file, "ours is as before");
            return;
        }
        (checked, _) => checked.expect("all conflicts are resolved"),
    }
    ours.change(&mut world, |vault, host| vault.prepare_merge(merge, host));
    check_continues(&theirs, &ours, &world);
    assert!(theirs.file == their_file, "theirs is not changed");
    check_connectors(vector, &ours, &world);

    let again = ours.vault.plan_merge(&copy, options(vector), &now);
    let again = again.expect("a merge can be planned again");
    if again.conflicts.is_empty() {
        assert!(again.plans().is_empty(), "the same merge changes nothing");
    }
    ours.step(&Step::Purge(Vec::new()), &mut world);
    check_connectors(vector, &ours, &world);
}

/// Whoever has seen the other copy continues with the merged one.
fn check_continues(theirs: &Copy, ours: &Copy, world: &World) {
    let options = OpenOptions {
        known: Some(theirs.vault.known_head()),
        ..OpenOptions::default()
    };
    let unlock = Unlock::Identity(&world.identities["ops"]);
    let vault = Vault::open(ours.file.clone(), unlock, &options).expect("it continues");
    assert_eq!(vault.report().continuity, Continuity::Continues);
}

fn options(vector: &MergeVector) -> MergeOptions {
    MergeOptions {
        resolve: vector.resolve.map(|resolve| match resolve {
            vectors::Resolve::Ours => Resolve::Ours,
            vectors::Resolve::Theirs => Resolve::Theirs,
            vectors::Resolve::Newest => Resolve::Newest,
        }),
        accept_strangers: vector.accept_strangers,
    }
}

fn conflicts(merge: &Merge) -> Vec<Conflict> {
    let conflict = |id: &ConnectorId, kind: &str, property: Option<&PropertyName>| Conflict {
        id: id.to_string(),
        kind: kind.to_owned(),
        property: property.map(PropertyName::to_string),
    };
    let mut conflicts: Vec<_> = merge
        .conflicts
        .iter()
        .map(|found| match &found.kind {
            ConflictKind::Property(name) => conflict(&found.id, "property", Some(name)),
            ConflictKind::Identity => conflict(&found.id, "identity", None),
            ConflictKind::Meta => conflict(&found.id, "meta", None),
            ConflictKind::DeletedInOurs => conflict(&found.id, "deleted_in_ours", None),
            ConflictKind::DeletedInTheirs => conflict(&found.id, "deleted_in_theirs", None),
            other => panic!("no vector has {other:?}"),
        })
        .collect();
    conflicts.sort();
    conflicts
}

fn check_connectors(vector: &MergeVector, ours: &Copy, world: &World) {
    let vault = world.open(ours.file.clone(), "ops");
    let verdicts = vault.verify().expect("a log");
    assert!(verdicts.iter().all(|verdict| verdict.problems.is_empty()));
    let expected = vector.expect.connectors.as_ref().expect("or an error");
    assert_eq!(vault.len(), expected.len());
    for (id, expected) in expected {
        let found = vault.read(id).expect("the connector is there");
        let properties = found.properties.iter();
        let properties: BTreeMap<_, _> = properties
            .map(|(name, value)| (name.to_string(), value.expose().to_owned()))
            .collect();
        assert_eq!(properties, expected.properties);
        let name = expected.name.as_deref().unwrap_or(&found.name);
        let type_name = expected.type_name.as_deref().unwrap_or(&found.type_name);
        assert_eq!((&*found.name, &*found.type_name), (name, type_name));
        let meta = found.meta.iter();
        let meta: BTreeMap<_, _> = meta
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect();
        assert_eq!(&meta, expected.meta.as_ref().unwrap_or(&meta));
        let version = expected.version.unwrap_or(found.version.get());
        assert_eq!(found.version.get(), version);
    }
}

/// Identities, randomness that repeats, and a clock that goes on by a second for each change.
struct World {
    rng: StdRng,
    seconds: u32,
    identities: BTreeMap<String, Identity>,
    vault_id: Option<connector_vault::VaultId>,
}

impl World {
    fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(71);
        let owner = Identity::generate(&mut rng);
        Self {
            rng,
            seconds: 0,
            identities: BTreeMap::from([("ops".to_owned(), owner)]),
            vault_id: None,
        }
    }

    fn host(&mut self) -> Host<'_> {
        self.seconds += 1;
        let now = format!("2026-11-23T20:15:{:02}.000Z", self.seconds);
        Host {
            now: Timestamp::new(now).expect("a valid time"),
            rng: &mut self.rng,
        }
    }

    fn create(&mut self) -> (Vault, Vec<u8>) {
        let owner = NewOwner::identity("ops", self.identities["ops"].clone());
        let (vault, file) = Vault::create(&mut self.host(), &owner).expect("a new vault");
        self.vault_id = Some(vault.head().vault_id);
        (vault, file)
    }

    fn open(&self, file: Vec<u8>, label: &str) -> Vault {
        let options = OpenOptions {
            vault_id: self.vault_id,
            ..OpenOptions::default()
        };
        Vault::open(file, Unlock::Identity(&self.identities[label]), &options).expect("sound")
    }
}

/// A copy of the vault, open by its owner.
struct Copy {
    vault: Vault,
    file: Vec<u8>,
}

impl Copy {
    fn step(&mut self, step: &Step, world: &mut World) {
        match step {
            Step::Add(add) => self.change(world, |vault, host| {
                vault.prepare(create(vault, add)?, host)
            }),
            Step::Update(update) => {
                let label = update.by.as_deref().unwrap_or("ops");
                self.vault = world.open(self.file.clone(), label);
                self.run(world, &update.action());
                self.vault = world.open(self.file.clone(), "ops");
            }
            Step::Describe(describe) => self.change(world, |vault, host| {
                let description = description(describe);
                let options = Options::default();
                vault.prepare(
                    vault.plan_describe(&describe.id, &description, &options)?,
                    host,
                )
            }),
            Step::Undelete(id) => self.change(world, |vault, host| {
                let options = Options::default();
                vault.prepare(vault.plan_undelete(id, None, &options)?, host)
            }),
            Step::Delete(id) => self.run(
                world,
                &format!(
                    r#"{{"ActionType": "CredStore.DeleteEntry", "Parameters": {{"EntryId": "{id}"}}}}"#
                ),
            ),
            Step::Compact(keep) => self.change(world, |vault, host| {
                vault.prepare_compaction(Retention::Newest(*keep), host)
            }),
            Step::Purge(ids) => self.change(world, |vault, host| {
                let ids: Vec<_> = ids.iter().map(String::as_str).collect();
                vault.prepare_purge((!ids.is_empty()).then_some(&*ids), host)
            }),
            Step::Grant(grant) => {
                let identity = Identity::generate(&mut world.rng);
                let key = identity.grant_key();
                let role = grant.role.parse::<Role>().expect("a role");
                self.change(world, |vault, host| {
                    vault.prepare_grant(&grant.label, role, Grantee::Key(&key), host)
                });
                world.identities.insert(grant.label.clone(), identity);
            }
        }
    }

    fn run(&mut self, world: &mut World, action: &str) {
        let action = Action::parse(action).expect("an action");
        let options = Options {
            null: Null::Remove,
            allow_mask: true,
            ..Options::default()
        };
        let mut tokens = BTreeMap::<String, Secret>::new();
        self.change(world, |vault, host| {
            let plan = vault.plan(&action, &mut tokens, &options, host)?;
            vault.prepare(plan, host)
        });
    }

    /// Stores what was prepared as a host would, then applies it.
    fn change(
        &mut self,
        world: &mut World,
        prepare: impl FnOnce(&Vault, &mut Host<'_>) -> Result<Prepared>,
    ) {
        let prepared = prepare(&self.vault, &mut world.host()).expect("prepared");
        prepared.write().to(&mut self.file);
        self.vault.apply(prepared).expect("applied");
    }
}

fn description(describe: &Describe) -> Description {
    let mut description = Description::new();
    if let Some(name) = &describe.name {
        description = description.name(name);
    }
    if let Some(type_name) = &describe.type_name {
        description = description.type_name(type_name);
    }
    let meta = describe.meta.iter();
    meta.fold(description, |description, (name, text)| match text {
        Some(text) => description.meta(name, text),
        None => description.without_meta(name),
    })
}

fn create(vault: &Vault, add: &Add) -> Result<Plan> {
    let mut properties = Properties::new();
    for (name, value) in &add.properties {
        properties.set(PropertyName::new(name)?, Secret::new(value)?)?;
    }
    let options = Options {
        allow_mask: true,
        ..Options::default()
    };
    let (name, type_name) = (add.name.as_str(), add.type_name.as_str());
    vault.plan_create(
        &NewConnector::new(&add.id, name, type_name).with_properties(&properties),
        &options,
    )
}
