//! The session: every path of the loop around a change, and that nothing acknowledged is lost on a
//! storage that fails, delays, loses answers and lets others in between.

#![allow(clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::VecDeque;

use connector_vault::{
    Action, Answer, Ask, Code, Error, LogEnd, Note, Options, Prepared, Secret, Session, Vault,
};
use proptest::collection::vec;
use proptest::prelude::*;
use support::{Fixed, Kept, update};

/// Compares bytes with a log as a storage does.
fn compare(file: &[u8], end: &LogEnd) -> Answer {
    let log_at = end.start.len();
    let holds = |at: usize, bytes: &[u8]| file.get(at..at + bytes.len()) == Some(bytes);
    let marks = end.marks.iter();
    let is_known = holds(0, &end.start)
        && marks
            .into_iter()
            .all(|(offset, bytes)| holds(log_at + *offset as usize, bytes));
    let at = log_at + end.end as usize;
    match is_known {
        false => Answer::Replaced(file.to_vec().into()),
        true if at == file.len() => Answer::Same,
        true => Answer::Grown(file[at..].to_vec()),
    }
}

/// What a storage does that keeps its promises: it changes the bytes only if they still are what the
/// caller knows.
fn store(file: &mut Vec<u8>, write: &Write, end: &LogEnd) -> Answer {
    let at = end.start.len() + end.end as usize;
    let is_known = matches!(compare(file, end), Answer::Same)
        || (end.torn > 0 && file.len() == at + end.torn as usize);
    if !is_known {
        return Answer::Conflict;
    }
    match write {
        Write::Append(bytes) => {
            file.truncate(at);
            file.extend_from_slice(bytes);
        }
        Write::Replace(bytes) => file.clone_from(bytes),
        Write::Nothing => {}
    }
    Answer::Stored
}

#[derive(Clone, Debug)]
enum Write {
    Append(Vec<u8>),
    Replace(Vec<u8>),
    Nothing,
}

fn update_with(vault: &Vault, fixed: &mut Fixed, value: &str, note: Option<&str>) -> Prepared {
    let action = Action::parse(&update("x", "APIKey", value)).expect("an action");
    let options = Options {
        note: note.map(|note| Note::new(note).expect("a note")),
        ..Options::default()
    };
    let mut tokens = std::collections::BTreeMap::<String, Secret>::new();
    let plan = vault
        .plan(&action, &mut tokens, &options, &mut fixed.host())
        .expect("a plan");
    vault.prepare(plan, &mut fixed.host()).expect("prepared")
}

// A table of paths

/// What the storage does at one step.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// What it promises.
    Honestly,
    /// Another writer comes in first.
    OthersFirst,
    /// Another writer compacts the vault first.
    OthersCompact,
    /// A dead writer has left a torn tail first.
    Torn,
    /// It stores the bytes, and the answer gets lost.
    StoresAndLoses,
    /// It stores nothing, and the answer gets lost.
    Loses,
    /// The same, and another writer comes in.
    LosesToOthers,
    /// The same, and another writer replaces a passphrase, which does not move the head.
    LosesToSlots,
    /// It is an error.
    Fails,
    /// No, to a question.
    No,
}
use Does::*;

/// A session whose vault was read just now, and its head remembered.
fn begun(vault: &mut Vault) -> Session {
    let mut session = Session::new(Some(vault.known_head()));
    let ask = session.settle(vault);
    assert!(matches!(ask, Ask::Remember { .. }), "{ask:?}");
    let ask = session.next(vault, Answer::Remembered).expect("in turn");
    assert!(matches!(ask, Ask::Done(_)), "{ask:?}");
    session
}

struct World {
    kept: Kept,
    ours: Vault,
    session: Session,
    /// The prepared change: by default an update.
    prepare: fn(&Vault, &mut Fixed) -> Prepared,
}

impl World {
    fn new() -> Self {
        let mut kept = Kept::new(1);
        kept.add("x", &[("APIKey", "a")]).expect("added");
        let mut ours = kept.open().expect("opened");
        let session = begun(&mut ours);
        Self {
            kept,
            ours,
            session,
            prepare: |vault, fixed| update_with(vault, fixed, "ours", None),
        }
    }

    /// A vault whose next change is worth a compaction.
    fn outdated() -> Self {
        let mut world = Self::new();
        for number in 0..24 {
            let value = format!("{number}{}", "v".repeat(60_000));
            world.kept.update("x", "APIKey", &value).expect("updated");
        }
        world.ours = world.kept.open().expect("opened");
        world.session = begun(&mut world.ours);
        world
    }

    fn others_update(&mut self) {
        match compare(&self.kept.file, &self.kept.vault.log_end()) {
            Answer::Grown(tail) => drop(self.kept.vault.refresh(tail).expect("sound")),
            Answer::Replaced(file) => self.kept.vault.reopen(file).expect("sound"),
            _ => {}
        }
        let number = self.kept.vault.head().seq.to_string();
        self.kept
            .update("x", "Theirs", &number)
            .expect("the other copy is in step");
    }

    /// Runs an operation, and says how it ends.
    fn run(mut self, refresh: bool, path: &[(&str, Does)]) -> (Self, Vec<String>, String) {
        let mut steps = path.iter();
        let mut asked = Vec::new();
        let mut ask = match refresh {
            true => self.session.refresh(&self.ours),
            false => self.session.write(&self.ours),
        };
        let end = loop {
            let name = name(&ask);
            let (write, at) = match ask {
                Ask::Done(outcomes) => {
                    let outcomes: Vec<_> = outcomes
                        .iter()
                        .map(|o| format!("{:?}", o.status).to_lowercase())
                        .collect();
                    break format!("done {}", outcomes.join(" ")).trim().to_owned();
                }
                Ask::Fail => break "fail".to_owned(),
                Ask::Append(bytes, end) => (Write::Append(bytes.to_vec()), Some(end)),
                Ask::Replace(bytes, end) | Ask::Compact(bytes, end) => {
                    (Write::Replace(bytes.to_vec()), Some(end))
                }
                Ask::Sync(end) | Ask::CatchUp(end) | Ask::Settle(end) => {
                    (Write::Nothing, Some(end))
                }
                _ => (Write::Nothing, None),
            };
            asked.push(name.clone());
            let does = steps.next().map_or(Honestly, |(_, does)| *does);
            let answer = self.answer(&name, &write, at.as_ref(), does);
            ask = match self.session.next(&mut self.ours, answer) {
                Ok(ask) => ask,
                Err(error) => break error.code().as_str().to_owned(),
            };
        };
        (self, asked, end)
    }

    fn answer(&mut self, name: &str, write: &Write, end: Option<&LogEnd>, does: Does) -> Answer {
        match does {
            OthersFirst | LosesToOthers => self.others_update(),
            OthersCompact => {
                let retention = connector_vault::Retention::Newest(1);
                let prepared = self
                    .kept
                    .vault
                    .prepare_compaction(retention, &mut self.kept.fixed.host());
                self.kept
                    .store(prepared.expect("an owner"))
                    .expect("stored");
            }
            LosesToSlots => {
                let prepared = new_passphrase(&self.kept.vault, &mut self.kept.fixed, "theirs");
                self.kept.store(prepared).expect("stored");
            }
            Torn => self.kept.file.extend_from_slice(&[1, 2, 3]),
            _ => {}
        }
        let honest = |world: &mut Self| match name {
            "catch up" => compare(&world.kept.file, end.expect("with an end")),
            "settle" => Answer::Stays(true),
            "prepare" => Answer::Prepared((world.prepare)(&world.ours, &mut world.kept.fixed)),
            "append" | "replace" | "sync" | "compact" => {
                store(&mut world.kept.file, write, end.expect("with an end"))
            }
            "may compact" => Answer::MayCompact(true),
            "prepare compaction" => Answer::Prepared(
                world
                    .ours
                    .prepare_own_compaction(&mut world.kept.fixed.host())
                    .expect("an owner"),
            ),
            "remember" => Answer::Remembered,
            _ => Answer::Waited,
        };
        match does {
            Honestly | OthersFirst | OthersCompact | Torn => honest(self),
            StoresAndLoses => {
                assert!(matches!(honest(self), Answer::Stored));
                Answer::Unsure
            }
            Loses | LosesToOthers | LosesToSlots => Answer::Unsure,
            Fails => Answer::Failed,
            No if name == "settle" => Answer::Stays(false),
            No => Answer::MayCompact(false),
        }
    }
}

fn name(ask: &Ask<'_>) -> String {
    match ask {
        Ask::CatchUp(_) => "catch up".into(),
        Ask::Settle(_) => "settle".into(),
        Ask::Prepare => "prepare".into(),
        Ask::Append(..) => "append".into(),
        Ask::Replace(..) => "replace".into(),
        Ask::Sync(_) => "sync".into(),
        Ask::Wait(most) => format!("wait {most}"),
        Ask::MayCompact => "may compact".into(),
        Ask::PrepareCompaction => "prepare compaction".into(),
        Ask::Compact(..) => "compact".into(),
        Ask::Remember { .. } => "remember".into(),
        other => format!("{other:?}"),
    }
}

#[test]
fn changes() {
    let check = |rule: &str, world: World, path: &[(&str, Does)], expected: &str| -> World {
        let (world, asked, end) = world.run(false, path);
        let expected_asks: Vec<_> = path.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            (asked, end.as_str()),
            (
                expected_asks.iter().map(|n| (*n).to_owned()).collect(),
                expected
            ),
            "{rule}"
        );
        world
    };
    let new = World::new;
    check(
        "a change",
        new(),
        &[
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", Honestly),
            ("remember", Honestly),
        ],
        "done updated",
    );
    check(
        "others have written before",
        new(),
        &[
            ("catch up", OthersFirst),
            ("prepare", Honestly),
            ("append", Honestly),
            ("remember", Honestly),
        ],
        "done updated",
    );
    check(
        "others have compacted before",
        new(),
        &[
            ("catch up", OthersCompact),
            ("prepare", Honestly),
            ("append", Honestly),
            ("remember", Honestly),
        ],
        "done updated",
    );
    check(
        "a torn tail makes room",
        new(),
        &[
            ("catch up", Torn),
            ("prepare", Honestly),
            ("append", Honestly),
            ("remember", Honestly),
        ],
        "done updated",
    );
    check(
        "the storage cannot be read",
        new(),
        &[("catch up", Fails)],
        "fail",
    );
    check(
        "the storage cannot be written",
        new(),
        &[
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", Fails),
        ],
        "fail",
    );
    check(
        "the plan is refused",
        new(),
        &[("catch up", Honestly), ("prepare", Fails)],
        "fail",
    );
    check(
        "others are faster, twice",
        new(),
        &[
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", OthersFirst),
            ("wait 1", Honestly),
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", OthersCompact),
            ("wait 2", Honestly),
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", Honestly),
            ("remember", Honestly),
        ],
        "done updated",
    );
    check(
        "the head cannot be remembered",
        new(),
        &[
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", Honestly),
            ("remember", Fails),
        ],
        "done updated",
    );
    check(
        "the answer got lost, and the change is there",
        new(),
        &[
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", StoresAndLoses),
            ("catch up", Honestly),
            ("remember", Honestly),
        ],
        "done updated",
    );
    check(
        "the answer got lost, and others have built on the change",
        new(),
        &[
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", StoresAndLoses),
            ("catch up", OthersFirst),
            ("remember", Honestly),
        ],
        "done updated",
    );
    check(
        "the answer got lost, and nothing is there",
        new(),
        &[
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", Loses),
            ("catch up", Honestly),
            ("append", Honestly),
            ("remember", Honestly),
        ],
        "done updated",
    );
    check(
        "the answer got lost, and others were faster",
        new(),
        &[
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", LosesToOthers),
            ("catch up", Honestly),
            ("wait 1", Honestly),
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", Honestly),
            ("remember", Honestly),
        ],
        "done updated",
    );
    check(
        "the answer got lost, and nobody can look",
        new(),
        &[
            ("catch up", Honestly),
            ("prepare", Honestly),
            ("append", StoresAndLoses),
            ("catch up", Fails),
        ],
        "outcome_unknown",
    );
    let lost = ("append", Loses);
    let look = ("catch up", Honestly);
    check(
        "every answer gets lost",
        new(),
        &[
            look,
            ("prepare", Honestly),
            lost,
            look,
            lost,
            look,
            lost,
            look,
            lost,
            look,
        ],
        "outcome_unknown",
    );
}

fn new_passphrase(vault: &Vault, fixed: &mut Fixed, text: &str) -> Prepared {
    let passphrase = connector_vault::Passphrase::new(text).expect("long enough");
    let cost = connector_vault::Cost::MIN;
    vault
        .prepare_passphrase(&passphrase, cost, &mut fixed.host())
        .expect("prepared")
}

#[test]
fn a_file_is_not_stored_over_key_slots_that_it_does_not_know() {
    let snapshot: fn(&Vault, &mut Fixed) -> Prepared = |vault, fixed| {
        vault
            .prepare_compaction(connector_vault::Retention::Newest(1), &mut fixed.host())
            .expect("an owner")
    };
    let slot: fn(&Vault, &mut Fixed) -> Prepared =
        |vault, fixed| new_passphrase(vault, fixed, "ours");
    for prepare in [snapshot, slot] {
        let mut world = World::new();
        world.prepare = prepare;
        let path = [("", Honestly), ("", Honestly), ("", LosesToSlots)];
        let (world, asked, end) = world.run(false, &path);
        let expected = [
            "catch up", "prepare", "replace", "catch up", "wait 1", "catch up", "prepare",
            "replace",
        ];
        assert_eq!(asked[..8], expected);
        assert_eq!(end, "done");
        let slots = world
            .kept
            .open()
            .expect("opens")
            .grants()
            .next()
            .expect("ops");
        assert!(
            slots.has_passphrase,
            "the other writer's key slot is kept or replaced on purpose"
        );
    }
}

#[test]
fn changes_that_write_nothing_or_the_whole() {
    let mut same = World::new();
    same.prepare = |vault, fixed| update_with(vault, fixed, "a", None);
    let (_, asked, end) = same.run(false, &[]);
    assert_eq!(asked, ["catch up", "prepare", "sync"]);
    assert_eq!(end, "done unchanged");

    let mut same = World::new();
    same.prepare = |vault, fixed| update_with(vault, fixed, "a", None);
    let path = [("", Honestly), ("", Honestly), ("", StoresAndLoses)];
    let (_, asked, end) = same.run(false, &path);
    let again = ["catch up", "prepare", "sync", "catch up", "sync"];
    assert_eq!(
        (asked.as_slice(), end.as_str()),
        (again.map(str::to_owned).as_slice(), "done unchanged")
    );

    let snapshot: fn(&Vault, &mut Fixed) -> Prepared = |vault, fixed| {
        vault
            .prepare_compaction(connector_vault::Retention::Newest(1), &mut fixed.host())
            .expect("an owner")
    };
    let slot: fn(&Vault, &mut Fixed) -> Prepared =
        |vault, fixed| new_passphrase(vault, fixed, "ours");
    for prepare in [snapshot, slot] {
        for (does, looks) in [(Honestly, false), (StoresAndLoses, true), (Loses, true)] {
            let mut world = World::new();
            world.prepare = prepare;
            let path = [("", Honestly), ("", Honestly), ("", does)];
            let (world, asked, end) = world.run(false, &path);
            assert_eq!(end, "done", "{does:?}: {asked:?}");
            assert_eq!(
                asked.iter().filter(|ask| *ask == "catch up").count(),
                1 + usize::from(looks)
            );
            let writes = asked.iter().filter(|ask| *ask == "replace").count();
            assert_eq!(
                writes,
                if matches!(does, Loses) { 2 } else { 1 },
                "{asked:?}"
            );
            world.kept.open().expect("what is stored opens");
        }
    }
}

#[test]
fn a_change_is_compacted_where_that_pays() {
    let path = |compact: Does| {
        [
            ("", Honestly),
            ("", Honestly),
            ("", Honestly),
            ("", Honestly),
            ("", Honestly),
            ("", compact),
        ]
    };
    let all = [
        "catch up",
        "prepare",
        "append",
        "may compact",
        "prepare compaction",
        "compact",
        "remember",
    ];
    for does in [Honestly, Fails, Loses, OthersFirst] {
        let (world, asked, end) = World::outdated().run(false, &path(does));
        assert_eq!(
            (asked.as_slice(), end.as_str()),
            (all.map(str::to_owned).as_slice(), "done updated"),
            "{does:?}"
        );
        // Whatever became of the compaction, the next change finds its way.
        let (_, _, end) = world.run(false, &[]);
        assert_eq!(
            end,
            "done updated".replace("updated", "unchanged"),
            "{does:?}"
        );
    }
    let refused = [("", Honestly), ("", Honestly), ("", Honestly), ("", No)];
    let (_, asked, end) = World::outdated().run(false, &refused);
    assert_eq!(
        asked,
        ["catch up", "prepare", "append", "may compact", "remember"]
    );
    assert_eq!(end, "done updated");
}

#[test]
fn refreshing() {
    let check = |rule: &str, path: &[(&str, Does)], expected: &str| -> World {
        let (world, asked, end) = World::new().run(true, path);
        let expected_asks: Vec<_> = path.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!((asked, end.as_str()), (expected_asks, expected), "{rule}");
        world
    };
    check("nothing is new", &[("catch up", Honestly)], "done");
    let world = check(
        "something is new",
        &[
            ("catch up", OthersFirst),
            ("settle", Honestly),
            ("remember", Honestly),
        ],
        "done",
    );
    assert_eq!(world.session.known(), Some(&world.kept.vault.known_head()));
    let world = check(
        "a writer may withdraw it",
        &[("catch up", OthersFirst), ("settle", No)],
        "done",
    );
    assert_eq!(
        world.session.known(),
        world.kept.vault.known_head_before().as_ref()
    );
    let (world, asked, end) = world.run(true, &[]);
    assert_eq!(
        (asked, end.as_str()),
        (
            ["catch up", "settle", "remember"]
                .map(str::to_owned)
                .to_vec(),
            "done"
        )
    );
    let (_, asked, _) = world.run(true, &[]);
    assert_eq!(asked, ["catch up"]);
    check(
        "it cannot be remembered",
        &[
            ("catch up", OthersFirst),
            ("settle", Honestly),
            ("remember", Fails),
        ],
        "fail",
    );
    check("it cannot be read", &[("catch up", Fails)], "fail");

    // After a change whose head could not be remembered, a refresh that brings nothing is no error.
    let path = [("", Honestly), ("", Honestly), ("", Honestly), ("", Fails)];
    let (world, _, _) = World::new().run(false, &path);
    let (world, asked, end) = world.run(true, &[("", Honestly), ("", Fails)]);
    assert_eq!(
        (asked.as_slice(), end.as_str()),
        (
            ["catch up", "remember"].map(str::to_owned).as_slice(),
            "done"
        )
    );
    let (_, asked, _) = world.run(true, &[]);
    assert_eq!(asked, ["catch up", "remember"], "the next one tries again");
}

#[test]
fn conflicts_end() {
    let mut world = World::new();
    let mut waits = Vec::new();
    let mut ask = world.session.write(&world.ours);
    let end = loop {
        let answer = match ask {
            Ask::CatchUp(_) => Answer::Same,
            Ask::Prepare => Answer::Prepared((world.prepare)(&world.ours, &mut world.kept.fixed)),
            Ask::Append(..) => Answer::Conflict,
            Ask::Wait(most) => {
                waits.push(most);
                Answer::Waited
            }
            other => break format!("{other:?}"),
        };
        ask = world
            .session
            .next(&mut world.ours, answer)
            .expect("no error");
    };
    assert_eq!(end, "Fail");
    assert_eq!(waits.len(), connector_vault::CONFLICTS_MAX as usize);
    assert_eq!(waits[..4], [1, 2, 4, 8]);
    assert!(waits.iter().all(|most| *most <= 500));
}

#[test]
fn an_answer_to_another_question_is_an_error() {
    let mut world = World::new();
    let answers = [
        Answer::Stored,
        Answer::Waited,
        Answer::Remembered,
        Answer::Stays(true),
    ];
    for answer in answers {
        drop(world.session.write(&world.ours));
        let error = world
            .session
            .next(&mut world.ours, answer)
            .expect_err("out of turn");
        assert_eq!(error.code(), Code::Internal);
    }
    // And the session goes on.
    let (_, _, end) = world.run(false, &[]);
    assert_eq!(end, "done updated");
}

// Many writers on a storage that misbehaves

/// What the storage does to a request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Fails,
    /// It says that somebody was faster, though nobody was.
    Refuses,
    StoresAndLoses,
    Loses,
    /// The bytes arrive some steps later, if they still can; the answer is lost.
    Delays,
}

fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::Fails),
        1 => Just(Fault::Refuses),
        1 => Just(Fault::StoresAndLoses),
        1 => Just(Fault::Loses),
        1 => Just(Fault::Delays),
    ]
}

struct Writer {
    vault: Vault,
    session: Session,
    /// Where it stands: what it was asked, in an owned form.
    asked: Option<Asked>,
    number: u32,
}

enum Asked {
    CatchUp(LogEnd),
    Prepare,
    Store(Write, LogEnd),
    Other(Answer),
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Acknowledged,
    Refused,
    Unknown,
}

struct Sea {
    file: Vec<u8>,
    fixed: Fixed,
    late: VecDeque<(Write, LogEnd)>,
    ends: Vec<(String, End)>,
}

impl Writer {
    /// One question answered.
    fn step(&mut self, name: usize, fault: Fault, sea: &mut Sea) {
        let note = format!("{name}-{}", self.number);
        let answer = match self.asked.take() {
            None => {
                let ask = self.session.write(&self.vault);
                let Ask::CatchUp(end) = ask else {
                    panic!("a change begins by catching up");
                };
                self.asked = Some(Asked::CatchUp(end));
                return;
            }
            Some(Asked::CatchUp(_)) if matches!(fault, Fault::Fails) => Answer::Failed,
            Some(Asked::CatchUp(end)) => compare(&sea.file, &end),
            Some(Asked::Prepare) => {
                Answer::Prepared(update_with(&self.vault, &mut sea.fixed, &note, Some(&note)))
            }
            Some(Asked::Store(write, end)) => match fault {
                Fault::None => store(&mut sea.file, &write, &end),
                Fault::Fails => Answer::Failed,
                Fault::Refuses => Answer::Conflict,
                Fault::StoresAndLoses => {
                    store(&mut sea.file, &write, &end);
                    Answer::Unsure
                }
                Fault::Loses => Answer::Unsure,
                Fault::Delays => {
                    sea.late.push_back((write, end));
                    Answer::Unsure
                }
            },
            Some(Asked::Other(answer)) => answer,
        };
        let next = self.session.next(&mut self.vault, answer);
        let end = match next {
            Ok(Ask::Done(outcomes)) => {
                assert_eq!(outcomes.len(), 1);
                Some(End::Acknowledged)
            }
            Ok(Ask::Fail) => Some(End::Refused),
            Err(error) => Some(ended_with(&error)),
            Ok(ask) => {
                self.asked = Some(match ask {
                    Ask::CatchUp(end) => Asked::CatchUp(end),
                    Ask::Prepare => Asked::Prepare,
                    Ask::Append(bytes, end) => Asked::Store(Write::Append(bytes.to_vec()), end),
                    Ask::Replace(bytes, end) | Ask::Compact(bytes, end) => {
                        Asked::Store(Write::Replace(bytes.to_vec()), end)
                    }
                    Ask::Sync(end) => Asked::Store(Write::Nothing, end),
                    Ask::Wait(_) => Asked::Other(Answer::Waited),
                    Ask::Remember { .. } => Asked::Other(Answer::Remembered),
                    Ask::MayCompact => Asked::Other(Answer::MayCompact(true)),
                    other => panic!("a writer is asked {other:?}"),
                });
                None
            }
        };
        if let Some(end) = end {
            sea.ends.push((note, end));
            self.number += 1;
        }
    }
}

fn ended_with(error: &Error) -> End {
    assert_eq!(error.code(), Code::OutcomeUnknown, "{error}");
    End::Unknown
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_acknowledged_is_lost_or_done_twice(
        steps in vec((0_usize..3, faults(), any::<bool>()), 1..160),
    ) {
        let mut kept = Kept::new(2);
        kept.add("x", &[("APIKey", "a")]).expect("added");
        let mut writers: Vec<_> = (0..3)
            .map(|_| {
                let vault = kept.open().expect("opened");
                Writer { session: Session::new(Some(vault.known_head())), vault, asked: None, number: 0 }
            })
            .collect();
        let mut sea = Sea {
            file: kept.file.clone(),
            fixed: Fixed::new(3),
            late: VecDeque::new(),
            ends: Vec::new(),
        };
        for (name, fault, arrives) in steps {
            writers[name].step(name, fault, &mut sea);
            if arrives && let Some((write, end)) = sea.late.pop_front() {
                store(&mut sea.file, &write, &end);
            }
        }
        // Then the weather is fine, until everybody is done.
        for (name, writer) in writers.iter_mut().enumerate() {
            while writer.asked.is_some() {
                writer.step(name, Fault::None, &mut sea);
            }
        }
        let vault = support::open(sea.file, &kept.identity, &kept.vault).expect("a sound vault");
        let history = vault.history("x").expect("x is there");
        let count = |note: &str| {
            let notes = history.iter().filter_map(|version| version.overview.note.as_deref());
            notes.filter(|found| *found == note).count()
        };
        for (note, end) in &sea.ends {
            let expected = match end {
                End::Acknowledged => 1..=1,
                End::Refused => 0..=0,
                End::Unknown => 0..=1,
            };
            prop_assert!(expected.contains(&count(note)), "{note} {end:?}: {} times", count(note));
        }
        vault.verify().expect("sound from the first commit on");
    }
}
