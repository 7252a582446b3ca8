//! Power failures: each state that one may leave, of each command at each of its calls, opens, has
//! what was acknowledged, and takes a further change (`docs/file-lock.md` section 6).
//!
//! The calls are recorded (`disk/record.rs`), and a model of a disk (`crash/states.rs`) says what of
//! them may be left. Two processes: one dies at each of its calls, another goes on from what stands
//! there, and then the power fails at each call of that one.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where it fails, and these tell how many states they have looked at"
)]

mod states;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use connector_vault::{
    Action, ConnectorId, Cost, Grantee, Identity, LogEnd, MergeOptions, NewConnector,
    NewConnectors, NewOwner, Options, Passphrase, Properties, RepairOptions, RequestId, Resolve,
    Retention, Role, Trust, Unlock, Vault, Version,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

use self::states::{Content, Disk, Model, Random, State, digest, states};
use crate::disk::record::{Event, failing, recording};
use crate::disk::with_suffix;
use crate::{Builder, FileSource, FileStore, FileVault, KnownHeads, Result, write_new_file};

/// How many states of one prefix of the calls are looked at, for each model: more of the acknowledged
/// ones.
#[derive(Clone, Copy)]
struct Most {
    before: usize,
    acknowledged: usize,
}

const MOST: Most = Most {
    before: 40,
    acknowledged: 120,
};
/// For large files.
const MOST_OF_LARGE: Most = Most {
    before: 5,
    acknowledged: 15,
};
/// For two processes, where there are many more prefixes.
const MOST_OF_TWO: Most = Most {
    before: 6,
    acknowledged: 25,
};

/// No process has this pid: it is above the kernel's PID_MAX_LIMIT of 2^22.
const DEAD: u32 = 1 << 30;

/// A folder with a vault, and one with the state of its user.
struct World {
    root: tempfile::TempDir,
    identity: Identity,
    guest: Identity,
}

/// A command, as a process of its own carries it out.
type Command = dyn Fn(&World) -> Result<()>;

/// What stands at a path: the end of a vault's log, or the bytes of another file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Vault(LogEnd),
    File(Vec<u8>),
}

impl World {
    /// A vault with the connector `x` at version 3, and what its owner's client keeps.
    fn new() -> Self {
        let world = Self::empty();
        world.create().unwrap();
        world.add("x").unwrap();
        for value in ["one", "two"] {
            world.update("x", value, None).unwrap();
        }
        world
    }

    fn empty() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["d", "state"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let mut rng = StdRng::seed_from_u64(1);
        Self {
            root,
            identity: Identity::generate(&mut rng),
            guest: Identity::generate(&mut rng),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join("d").join(name)
    }

    fn vault(&self) -> PathBuf {
        self.at("v.cvault")
    }

    fn options(&self) -> Builder {
        FileVault::builder()
            .heads(KnownHeads::open(self.root.path().join("state")))
            .wait(std::time::Duration::ZERO)
    }

    fn create(&self) -> Result<()> {
        let owner = NewOwner::identity("ops", self.identity.clone());
        self.options().create(self.vault(), owner).map(drop)
    }

    fn open_at(&self, path: &Path) -> Result<FileVault> {
        self.open_with(path, self.options())
    }

    fn open_with(&self, path: &Path, options: Builder) -> Result<FileVault> {
        // An identity has to be told which vault to trust.
        let file = FileStore::new(path)?.read()?;
        let options = options.expect(Vault::identify(&file)?);
        options.open(path, Unlock::Identity(&self.identity))
    }

    fn open(&self) -> Result<FileVault> {
        self.open_at(&self.vault())
    }

    fn add(&self, id: &str) -> Result<()> {
        let properties = Properties::from_json(r#"{"APIKey": "zero"}"#).unwrap();
        self.open()?.change_planned(|vault, _| {
            let (id, options) = (ConnectorId::new(id)?, Options::default());
            Ok(vec![vault.plan_create(
                &NewConnector::new(id.as_str(), "Name", "Type").with_properties(&properties),
                &options,
            )?])
        })?;
        Ok(())
    }

    fn update(&self, id: &str, value: &str, request_id: Option<&str>) -> Result<()> {
        let action = format!(
            r#"{{"ActionType": "Connectors.Update", "Parameters": {{"EntryId": "{id}",
                "Properties": [{{"PropertyName": "APIKey", "PropertyValue": "{value}"}}]}}}}"#
        );
        let options = Options {
            request_id: request_id.map(|id| RequestId::new(id).unwrap()),
            ..Options::default()
        };
        let mut tokens = BTreeMap::new();
        let action = Action::parse(&action).unwrap();
        self.open()?.run_with(&action, &mut tokens, &options)?;
        Ok(())
    }

    fn write(
        &self,
        prepare: impl FnMut(
            &Vault<FileSource>,
            &mut connector_vault::Host<'_>,
        ) -> connector_vault::Result<connector_vault::Prepared>,
    ) -> Result<()> {
        self.open()?.write(prepare)?;
        Ok(())
    }

    /// Half a commit behind the log, as a process leaves it that was killed.
    fn tear(&self) {
        let mut bytes = fs::read(self.vault()).unwrap();
        bytes.extend([0x10, 0x20, 0x30].repeat(9));
        fs::write(self.vault(), bytes).unwrap();
    }

    fn found(&self, path: &Path) -> Result<Found, String> {
        if !path.exists() {
            return Ok(Found::Nothing);
        }
        if !is_vault(path) {
            return Ok(Found::File(fs::read(path).unwrap()));
        }
        let vault = self.open_at(path);
        let vault = vault.map_err(|error| format!("{}: {error}", error.code()))?;
        Ok(whole(vault.vault()))
    }

    /// The files as a state has them. Whoever held a lock is gone.
    fn put(&self, state: &State) {
        for folder in ["d", "state"] {
            let folder = self.root.path().join(folder);
            fs::remove_dir_all(&folder).unwrap();
            fs::create_dir(&folder).unwrap();
        }
        let (me, dead) = (pid(std::process::id()), pid(DEAD));
        for (path, Content { bytes, .. }) in state {
            let is_lock = path.to_string_lossy().contains(".lock");
            let at = is_lock.then(|| find(bytes, &me)).flatten();
            match at {
                Some(at) => {
                    let (before, after) = (&bytes[..at], &bytes[at + me.len()..]);
                    fs::write(path, [before, &dead, after].concat()).unwrap();
                }
                None => fs::write(path, bytes).unwrap(),
            }
        }
    }

    /// Looks at what stands there now, and goes on: a vault takes a further change, and holds.
    fn check(&self, path: &Path, allowed: &[Found]) -> Result<(), String> {
        if !path.exists() || !is_vault(path) {
            return allow(&self.found(path)?, allowed);
        }
        let told = |when: &'static str| {
            move |error: crate::Error| format!("{when}: {}: {error}", error.code())
        };
        let mut vault = self.open_at(path).map_err(told("opening"))?;
        allow(&whole(vault.vault()), allowed)?;
        let count = vault.vault().len();
        let changed = vault.change_planned(|vault, host| {
            let (id, options) = (ConnectorId::generate(host.rng), Options::default());
            let properties = Properties::new();
            Ok(vec![vault.plan_create(
                &NewConnector::new(id.as_str(), "Name", "Type").with_properties(&properties),
                &options,
            )?])
        });
        changed.map_err(told("a further change"))?;
        drop(vault);
        let vault = self.open_at(path).map_err(told("opening again"))?;
        let verdicts = vault.vault().verify().map_err(|error| error.to_string())?;
        if verdicts.iter().any(|verdict| !verdict.problems.is_empty()) {
            return Err("not sound".to_owned());
        }
        match vault.vault().len() == count + 1 {
            true => Ok(()),
            false => Err("the further change is lost".to_owned()),
        }
    }
}

fn is_vault(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "cvault")
}

/// The log of a vault. A torn tail behind it never was acknowledged.
fn whole(vault: &Vault<FileSource>) -> Found {
    Found::Vault(LogEnd {
        torn: 0,
        ..vault.log_end()
    })
}

fn allow(found: &Found, allowed: &[Found]) -> Result<(), String> {
    if allowed.contains(found) {
        return Ok(());
    }
    Err(match found {
        Found::Nothing => "there is nothing".to_owned(),
        Found::Vault(end) => format!("there is a log of {} bytes", end.end),
        Found::File(bytes) => format!("there are {} bytes", bytes.len()),
    })
}

fn pid(pid: u32) -> Vec<u8> {
    format!("\"pid\":{pid},").into_bytes()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|part| part == wanted)
}

/// States that were looked at, and what was wrong with some of them.
struct Report {
    name: &'static str,
    random: Random,
    seen: HashSet<(u64, bool)>,
    faults: Vec<String>,
}

impl Report {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            random: Random::new(),
            seen: HashSet::new(),
            faults: Vec::new(),
        }
    }

    /// Looks at each state once.
    fn look(
        &mut self,
        world: &World,
        states: Vec<State>,
        acknowledged: bool,
        when: &dyn Fn() -> String,
        check: &dyn Fn(&World) -> Result<(), String>,
    ) {
        for state in states {
            if !self.seen.insert((digest(&state), acknowledged)) {
                continue;
            }
            world.put(&state);
            let (checked, _) = recording([], || check(world));
            if let Err(fault) = checked {
                let files: Vec<_> = state
                    .iter()
                    .map(|(path, content)| (path.file_name().unwrap_or_default(), content))
                    .collect();
                self.faults.push(format!("{}: {fault}; {files:?}", when()));
            }
        }
    }

    fn end(self) {
        let Self {
            name, seen, faults, ..
        } = self;
        println!("{name}: {} states", seen.len());
        let some = faults
            .iter()
            .take(5)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n");
        assert!(faults.is_empty(), "{name}: {} faults\n{some}", faults.len());
    }
}

/// Looks at every state of every prefix of the calls of a command.
fn look_at_all(
    report: &mut Report,
    world: &World,
    (start, events): (&Disk, &[Event]),
    most: Most,
    check: &dyn Fn(&World, bool) -> Result<(), String>,
) {
    for model in [Model::Strict, Model::Ordered] {
        for count in 0..=events.len() {
            let acknowledged = count == events.len();
            let most = if acknowledged {
                most.acknowledged
            } else {
                most.before
            };
            let made = &events[..count];
            let states = states(start, made, model, most, &mut report.random);
            let when = || format!("{model:?}, after {:?}", made.last());
            let check = |world: &World| check(world, acknowledged);
            report.look(world, states, acknowledged, &when, &check);
        }
    }
}

/// Runs a command, and looks at the states that its calls may leave at a path; without the calls that
/// `keep` takes out, if it takes some.
fn states_of(
    name: &'static str,
    world: &World,
    path: &Path,
    command: &Command,
    most: Most,
    keep: fn(&Event) -> bool,
) -> Report {
    let mut report = Report::new(name);
    let root = world.root.path();
    let start = Disk::of(root);
    let (done, mut events) = recording(start.ids(), || command(world));
    done.unwrap();
    let end = start.after(&events);
    assert_eq!(
        end.state(),
        Disk::of(root).state(),
        "all calls are recorded"
    );
    // Before it is acknowledged, a failure may leave whatever others could see at some time.
    let mut seen: Vec<Found> = Vec::new();
    for count in 0..=events.len() {
        world.put(&start.after(&events[..count]).state());
        let found = world.found(path).unwrap();
        if seen.last() != Some(&found) {
            seen.push(found);
        }
    }
    let acknowledged_from = seen.len() - 1;
    events.retain(keep);
    look_at_all(
        &mut report,
        world,
        (&start, &events),
        most,
        &|world, acknowledged| {
            let from = if acknowledged { acknowledged_from } else { 0 };
            world.check(path, &seen[from..])
        },
    );
    report
}

fn check(name: &'static str, prepare: &dyn Fn(&World), command: &Command) {
    check_file(name, "v.cvault", prepare, command);
}

fn check_file(name: &'static str, file: &str, prepare: &dyn Fn(&World), command: &Command) {
    let world = World::new();
    prepare(&world);
    states_of(name, &world, &world.at(file), command, MOST, |_| true).end();
}

/// What the process does that comes second.
enum Then<'a> {
    /// It promises that what it has found or written stays, once it returns.
    Acknowledge(&'a Command),
    /// It only looks, and keeps what it has seen as a witness.
    Read,
}

/// One process dies at each of its calls, another goes on from what it left, and then the power fails.
fn check_two(name: &'static str, world: &World, first: &Command, second: &Then<'_>) {
    let (second, acknowledges) = match second {
        Then::Acknowledge(command) => (*command, true),
        Then::Read => (&list as &Command, false),
    };
    let mut report = Report::new(name);
    let root = world.root.path();
    let path = world.vault();
    let start = Disk::of(root);
    let before = world.found(&path).unwrap();
    world.put(&start.state());
    let (done, first_events) = recording(start.ids(), || first(world));
    done.unwrap();
    let after_first = world.found(&path).unwrap();
    for killed in 0..=first_events.len() {
        let first_made = &first_events[..killed];
        let left = start.after(first_made);
        world.put(&left.state());
        let (done, second_events) = recording(left.ids(), || second(world));
        let end = left.after(&second_events);
        let is_no_lock = |path: &PathBuf| !path.to_string_lossy().contains(".lock");
        let [mut modelled, mut there] = [end.state(), Disk::of(root).state()];
        modelled.retain(|path, _| is_no_lock(path));
        there.retain(|path, _| is_no_lock(path));
        assert_eq!(modelled, there, "all calls are recorded");
        let after_second = world.found(&path).unwrap();
        let allowed = [after_second, after_first.clone(), before.clone()];
        for model in [Model::Strict, Model::Ordered] {
            for count in 0..=second_events.len() {
                let acknowledged = acknowledges && done.is_ok() && count == second_events.len();
                let (most, allowed) = match (acknowledged, killed == first_events.len()) {
                    (true, _) => (MOST_OF_TWO.acknowledged, &allowed[..1]),
                    (false, true) => (MOST_OF_TWO.before, &allowed[..2]),
                    (false, false) => (MOST_OF_TWO.before, &allowed[..]),
                };
                let made = [first_made, &second_events[..count]].concat();
                let states = states(&start, &made, model, most, &mut report.random);
                let when = || {
                    format!(
                        "{model:?}, killed after {:?}, then after {:?}",
                        first_made.last(),
                        made.last()
                    )
                };
                let check = |world: &World| world.check(&path, allowed);
                report.look(world, states, acknowledged, &when, &check);
            }
        }
    }
    report.end();
}

const NOTHING: &dyn Fn(&World) = &|_| ();
/// Longer than some blocks, and than a page.
const LONG: usize = 1500;
const LONGER: usize = 9000;

fn value(len: usize) -> String {
    "n".repeat(len)
}

#[test]
fn a_new_vault() {
    let world = World::empty();
    states_of(
        "create",
        &world,
        &world.vault(),
        &World::create,
        MOST,
        |_| true,
    )
    .end();
}

#[test]
fn changes_of_connectors() {
    check("add", NOTHING, &|world| world.add("y"));
    check("run", NOTHING, &|world| world.update("x", "new", None));
    check("run, long", NOTHING, &|world| {
        world.update("x", &value(LONG), None)
    });
    check("run, longer", NOTHING, &|world| {
        world.update("x", &value(LONGER), None)
    });
    check("run behind a torn tail", &World::tear, &|world| {
        world.update("x", "new", None)
    });
    check("delete", NOTHING, &|world| {
        world.write(|vault, host| {
            let plan = vault.plan_delete("x", &Options::default())?;
            vault.prepare(plan, host)
        })
    });
    check("restore", NOTHING, &|world| {
        world.write(|vault, host| {
            let plan = vault.plan_restore("x", Version::FIRST, &Options::default())?;
            vault.prepare(plan, host)
        })
    });
    check("import", NOTHING, &|world| {
        let connectors = r#"{"connectors": [
            {"id": "y", "name": "Y", "type": "T", "properties": {"a": "b"}},
            {"id": "z", "name": "Z", "type": "T", "properties": {}}]}"#;
        let connectors = NewConnectors::parse(connectors).unwrap();
        world.write(|vault, host| {
            vault.prepare_all(vault.plan_import(&connectors, &Options::default())?, host)
        })
    });
}

#[test]
fn answers_without_a_change() {
    let first = |world: &World| world.update("x", "new", Some("r1")).unwrap();
    check("run, repeated", &first, &|world| {
        world.update("x", "new", Some("r1"))
    });
    check("run, unchanged", NOTHING, &|world| {
        world.update("x", "two", None)
    });
    check(
        "merge, nothing new",
        &|world| drop(fs::copy(world.vault(), world.at("t.cvault"))),
        &merge,
    );
    check(
        "list, first",
        &|world| fs::remove_dir_all(world.root.path().join("state")).unwrap(),
        &list,
    );
    check("list --accept", NOTHING, &|world| {
        let accept = world.options().trust(Trust::AsFound);
        world.open_with(&world.vault(), accept).map(drop)
    });
}

#[test]
fn changes_of_grants() {
    let grant = |world: &World| grant(world, Role::Reader);
    check("grant", NOTHING, &grant);
    let granted = move |world: &World| grant(world).unwrap();
    check("role", &granted, &|world| {
        world.write(|vault, host| {
            Ok(vault
                .prepare_rights("guest", Role::Viewer, host, &mut |_, _| {})?
                .prepared)
        })
    });
    check("revoke", &granted, &revoke);
    check("passwd", NOTHING, &|world| {
        let passphrase = Passphrase::new("correct horse battery").unwrap();
        world.write(|vault, host| vault.prepare_passphrase(&passphrase, Cost::MIN, host))
    });
}

/// What is kept of a head lists the owners, and then is longer than a block.
#[test]
fn heads_of_several_blocks() {
    let owner = |world: &World| grant(world, Role::Owner).unwrap();
    check("run, two owners", &owner, &|world| {
        world.update("x", "new", None)
    });
    let forgotten = |world: &World| {
        owner(world);
        fs::remove_dir_all(world.root.path().join("state")).unwrap();
    };
    check("list, first, two owners", &forgotten, &list);
}

#[test]
fn a_change_with_an_automatic_compaction() {
    // Another value each time.
    let long = |world: &World| {
        let len = fs::metadata(world.vault()).unwrap().len();
        world.update("x", &format!("{len}{}", value(60_000)), None)
    };
    let before = |world: &World| loop {
        let (start, file) = (
            Disk::of(world.root.path()),
            fs::metadata(world.vault()).unwrap(),
        );
        long(world).unwrap();
        if fs::metadata(world.vault()).unwrap().ino() != file.ino() {
            return world.put(&start.state());
        }
    };
    let world = World::new();
    before(&world);
    let (name, path) = ("run, with a compaction", world.vault());
    states_of(name, &world, &path, &long, MOST_OF_LARGE, |_| true).end();
}

#[test]
fn other_ways_to_replace_the_file() {
    check("compact", NOTHING, &compact);
    check("compact behind a torn tail", &World::tear, &compact);
    check("merge", &changed_apart, &merge);
    check_file("repair", "r.cvault", NOTHING, &|world| {
        let options = world.options().expect(world.open()?.id());
        let unlock = Unlock::Identity(&world.identity);
        options.repair(
            world.vault(),
            world.at("r.cvault"),
            unlock,
            RepairOptions::default(),
        )?;
        Ok(())
    });
}

#[test]
fn files_beside_the_vault() {
    check_file("export --out", "export.json", NOTHING, &|world| {
        write_new_file(&world.at("export.json"), value(LONG).as_bytes())
    });
    check_file("identity new --out", "identity.txt", NOTHING, &|world| {
        write_new_file(&world.at("identity.txt"), b"cvault-identity-1")
    });
    // Where a file without a name cannot be created.
    check_file(
        "export --out, by a temporary name",
        "export.json",
        NOTHING,
        &|world| {
            let unnamed = |call: &str, path: Option<&Path>| {
                let fails = call == "create" && path.is_none();
                fails.then(|| std::io::ErrorKind::Unsupported.into())
            };
            failing(unnamed, || {
                write_new_file(&world.at("export.json"), value(LONG).as_bytes())
            })
        },
    );
    let side = |world: &World| with_suffix(&world.vault(), ".torn-1-aa");
    let world = World::new();
    world.tear();
    fs::write(side(&world), "an old secret").unwrap();
    let purge = |world: &World| world.open()?.purge(None).map(drop);
    check_purge(&world, &side(&world), &purge);
}

/// What a purge deleted does not come back once it is acknowledged.
fn check_purge(world: &World, side: &Path, purge: &Command) {
    let mut report = Report::new("purge");
    let start = Disk::of(world.root.path());
    let (done, events) = recording(start.ids(), || purge(world));
    done.unwrap();
    let after = world.found(&world.vault()).unwrap();
    look_at_all(
        &mut report,
        world,
        (&start, &events),
        MOST,
        &|world, acknowledged| {
            if !acknowledged {
                return world.open().map(drop).map_err(|error| error.to_string());
            }
            let folder = fs::read_dir(side.parent().unwrap()).unwrap();
            let mut names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            match names.find(|name| name.contains(".torn-")) {
                Some(name) => Err(format!("{name} is back")),
                None => world.check(&world.vault(), std::slice::from_ref(&after)),
            }
        },
    );
    report.end();
}

#[test]
fn a_process_that_dies_and_one_that_repeats() {
    let repeat: &Command = &|world| world.update("x", "new", Some("r1"));
    let (world, again) = (World::new(), Then::Acknowledge(repeat));
    check_two("run, then the same request", &world, repeat, &again);
    let update: &Command = &|world| world.update("x", "new", None);
    let (world, again) = (World::new(), Then::Acknowledge(update));
    check_two("run, then the same value", &world, update, &again);
}

#[test]
fn a_process_that_dies_and_one_that_goes_on() {
    let update: &Command = &|world| world.update("x", "new", None);
    let long: &Command = &|world| world.update("x", &value(LONG), None);
    let (world, then) = (World::new(), Then::Acknowledge(update));
    check_two("run, then another", &world, long, &then);
    check_two("run, then a reader", &World::new(), long, &Then::Read);
    let torn = World::new();
    torn.tear();
    let then = Then::Acknowledge(long);
    check_two("run behind a torn tail, then another", &torn, update, &then);
}

#[test]
fn a_process_that_dies_while_it_replaces_the_file_and_another() {
    let update: &Command = &|world| world.update("x", "new", None);
    let (world, then) = (World::new(), Then::Acknowledge(update));
    check_two("compact, then run", &world, &compact, &then);
    check_two(
        "compact, then a reader",
        &World::new(),
        &compact,
        &Then::Read,
    );
    let unchanged: &Command = &|world| world.update("x", "two", None);
    let (world, then) = (World::new(), Then::Acknowledge(unchanged));
    check_two("compact, then nothing to change", &world, &compact, &then);
    let (world, again) = (World::new(), Then::Acknowledge(&merge));
    changed_apart(&world);
    check_two("merge, then the same merge", &world, &merge, &again);
}

#[test]
fn a_process_that_dies_while_it_creates_the_vault_and_another() {
    let add: &Command = &|world| world.add("x");
    let (world, then) = (World::empty(), Then::Acknowledge(add));
    check_two("create, then add", &world, &World::create, &then);
    let exists: &Command = &|world| match world.create() {
        Err(crate::Error::FileExists { .. }) => Ok(()),
        created => created,
    };
    let (world, again) = (World::empty(), Then::Acknowledge(exists));
    check_two("create, then create", &world, &World::create, &again);
}

/// The test itself: without a sync that this crate makes, it finds what would be lost.
#[test]
fn a_sync_that_is_missing_is_noticed() {
    let found = |name, command: &Command, keep: fn(&Event) -> bool| {
        let world = World::new();
        states_of(name, &world, &world.vault(), command, MOST, keep).faults
    };
    let update: &Command = &|world| world.update("x", &value(LONG), None);
    assert!(
        !found("run without a sync", update, |event| !matches!(
            event,
            Event::Sync { .. }
        ))
        .is_empty()
    );
    let without_folder: fn(&Event) -> bool = |event| !matches!(event, Event::SyncDir { .. });
    assert!(
        !found(
            "compact without a sync of the folder",
            &compact,
            without_folder
        )
        .is_empty()
    );
    assert!(
        !found("compact without a sync", &compact, |event| !matches!(
            event,
            Event::Sync { .. }
        ))
        .is_empty()
    );
}

fn list(world: &World) -> Result<()> {
    world.open().map(drop)
}

fn compact(world: &World) -> Result<()> {
    world.write(|vault, host| vault.prepare_compaction(Retention::Automatic, host))
}

fn grant(world: &World, role: Role) -> Result<()> {
    let key = world.guest.grant_key();
    world.write(|vault, host| vault.prepare_grant("guest", role, Grantee::Key(&key), host))
}

fn revoke(world: &World) -> Result<()> {
    world.write(|vault, host| {
        Ok(vault
            .prepare_revoke("guest", host, &mut |_, _| {})?
            .prepared)
    })
}

/// Another copy of the vault, in which something else was changed.
fn changed_apart(world: &World) {
    fs::copy(world.vault(), world.at("t.cvault")).unwrap();
    let mut other = world.open_at(&world.at("t.cvault")).unwrap();
    let properties = Properties::new();
    other
        .change_planned(|vault, _| {
            let (id, options) = (ConnectorId::new("theirs")?, Options::default());
            Ok(vec![vault.plan_create(
                &NewConnector::new(id.as_str(), "Name", "Type").with_properties(&properties),
                &options,
            )?])
        })
        .unwrap();
}

fn merge(world: &World) -> Result<()> {
    let theirs = FileStore::new(world.at("t.cvault"))?.read()?;
    let mut vault = world.open()?;
    let theirs = vault.vault().open_copy(theirs)?;
    let options = MergeOptions {
        resolve: Some(Resolve::Ours),
        ..MergeOptions::default()
    };
    vault.merge(&theirs, options).map(drop)
}
