//! Measures the vault beside other ways to keep the same connectors: `cargo xtask bench`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks through its streams"
)]

mod argon2id;
mod baseline;
mod contender;
mod dataset;
mod durable;
mod measure;
mod memory;
mod ours;

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use contender::{Contender, Result};
use dataset::Connector;
use durable::Scratch;
use measure::Case;

const HELP: &str = "\
Measures the vault beside other ways to keep the same connectors, and prints Markdown tables.

Usage: cargo xtask bench [WHAT..] [--connectors N,N..] [--rounds N]

  all      everything below (the default)
  open     open the store from its file, ready to read and update
  update   change one property durably in an open store
  growth   the vault's update at every size, side by side, and a bare append + fdatasync
  create   write a new store with all connectors
  revoke   take a grant of the vault away, which seals everything again, beside adding one
  memory   peak resident memory of a process that opens the store (Linux)
  argon2   Argon2id with 64 MiB, 3 passes, 1 lane

  --connectors   sizes of the store; 1000,10000 unless told otherwise
  --rounds       how often each contender runs; 11 unless told otherwise
";

/// What can be measured, as the user names it; `all` names everything.
const MEASUREMENTS: [&str; 7] = [
    "open", "update", "growth", "create", "revoke", "memory", "argon2",
];
const ALL: &str = "all";

/// What is compared. The first is the yardstick: ratios are relative to it.
fn contenders() -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(ours::Ours::new()),
        Box::new(baseline::JsonFile),
        Box::new(baseline::Kdbx),
    ]
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        [memory::CHILD, name, path] => contenders()
            .iter()
            .find(|contender| contender.name() == *name)
            .ok_or_else(|| format!("no contender `{name}`").into())
            .and_then(|contender| memory::child(contender.as_ref(), Path::new(path))),
        args => Options::parse(args).and_then(|options| run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options<'a> {
    /// The measurements that are named; none are named for everything.
    what: Vec<&'a str>,
    connectors: Vec<usize>,
    rounds: usize,
}

impl<'a> Options<'a> {
    fn parse(args: &[&'a str]) -> Result<Self> {
        let mut options = Self {
            what: Vec::new(),
            connectors: vec![1_000, 10_000],
            rounds: 11,
        };
        let mut args = args.iter();
        while let Some(&arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg {
                "--connectors" => {
                    let sizes: std::result::Result<_, _> =
                        value()?.split(',').map(str::parse).collect();
                    options.connectors = sizes?;
                }
                "--rounds" => options.rounds = value()?.parse()?,
                what if what == ALL || MEASUREMENTS.contains(&what) => options.what.push(what),
                unknown => return Err(format!("unknown argument `{unknown}`\n\n{HELP}").into()),
            }
        }
        if options.rounds == 0 || options.connectors.contains(&0) {
            return Err("rounds and connectors begin at 1".into());
        }
        Ok(options)
    }

    fn wants(&self, what: &str) -> bool {
        self.what.is_empty() || self.what.contains(&ALL) || self.what.contains(&what)
    }
}

/// How many updates a turn takes, unless they take long.
const UPDATES_IN_A_ROW: usize = 8;
const LONG: Duration = Duration::from_millis(100);

type Store<'a> = (&'a dyn Contender, PathBuf);

fn run(options: &Options<'_>) -> Result<()> {
    for &count in &options.connectors {
        let connectors = dataset::connectors(count);
        let scratch = Scratch::new()?;
        let contenders = contenders();
        let stores: Vec<Store<'_>> = contenders
            .iter()
            .map(|contender| (contender.as_ref(), scratch.path().join(contender.name())))
            .collect();
        for (contender, path) in &stores {
            contender.create(path, &connectors)?;
        }
        if options.wants("open") {
            println!("\n### Open, {count} connectors\n");
            open(&stores, count, options.rounds)?;
        }
        if options.wants("update") {
            println!("\n### Update one property, {count} connectors\n");
            // In pairs: the hundreds of milliseconds that one takes would leave the caches cold
            // for the others.
            for other in &stores[1..] {
                update(
                    &[stores[0].clone(), other.clone()],
                    &connectors,
                    options.rounds,
                )?;
                println!();
            }
        }
        if options.wants("create") {
            println!("\n### Create, {count} connectors\n");
            create(&stores, &connectors, options.rounds)?;
        }
        if options.wants("revoke") {
            println!("\n### Revoke a grant, {count} connectors\n");
            revoke(&stores[0].1, &connectors, options.rounds)?;
        }
        if options.wants("memory") {
            println!("\n### Peak memory of open, {count} connectors\n");
            memory::compare(&stores)?;
        }
    }
    if options.wants("growth") {
        println!("\n### How an update grows with the vault\n");
        growth(&options.connectors, options.rounds)?;
    }
    if options.wants("argon2") {
        println!("\n### Argon2id, 64 MiB, 3 passes, 1 lane\n");
        argon2id::compare(options.rounds)?;
    }
    Ok(())
}

fn open(stores: &[Store<'_>], count: usize, rounds: usize) -> Result<()> {
    let cases = stores.iter().map(|(contender, path)| {
        Case::new(contender.name(), move |_| {
            // Dropping what was opened is no part of the time.
            let (time, opened) = measure::timed(|| contender.open(path));
            if opened?.len() != count {
                return Err(format!("{}: connectors are missing", contender.name()).into());
            }
            Ok(time)
        })
    });
    measure::side_by_side(rounds, cases.collect())
}

fn update(stores: &[Store<'_>], connectors: &[Connector], rounds: usize) -> Result<()> {
    // Spread over the store, and the same connectors for every contender.
    let target = |round: usize| connectors[round * 7919 % connectors.len()].id.as_str();
    let value = |round: usize, count: usize| format!("rotated-{round}-{count}");
    let lasts: Vec<Cell<usize>> = stores.iter().map(|_| Cell::new(0)).collect();
    let mut cases = Vec::new();
    for ((contender, path), last) in stores.iter().zip(&lasts) {
        let mut opened = contender.open(path)?;
        cases.push(Case::new(contender.name(), move |round| {
            // Several in a row, unless they take long: what the other has just synced to the disk
            // slows the first one down.
            let mut times = Vec::new();
            while times.len() < UPDATES_IN_A_ROW && times.iter().sum::<Duration>() < LONG {
                let (time, done) = measure::timed(|| {
                    opened.update(target(round), "APIKey", &value(round, times.len()))
                });
                done?;
                times.push(time);
            }
            last.set(times.len() - 1);
            Ok(times.iter().sum::<Duration>() / u32::try_from(times.len())?)
        }));
    }
    measure::side_by_side(rounds, cases)?;
    // An update that is not there after the next open was not durable.
    for ((contender, path), last) in stores.iter().zip(&lasts) {
        let found = contender.open(path)?.value(target(rounds), "APIKey")?;
        if found.as_deref() != Some(&value(rounds, last.get())) {
            return Err(format!("{}: the last update is missing", contender.name()).into());
        }
    }
    Ok(())
}

/// The same update in vaults of every size. Nothing else runs in between, since what a contender
/// writes would have to be synced with it.
fn growth(sizes: &[usize], rounds: usize) -> Result<()> {
    let vault = ours::Ours::new();
    let scratch = Scratch::new()?;
    let mut cases = Vec::new();
    for &size in sizes {
        let connectors = dataset::connectors(size);
        let path = scratch.path().join(size.to_string());
        vault.create(&path, &connectors)?;
        let mut opened = vault.open(&path)?;
        cases.push(Case::new(format!("{size} connectors"), move |round| {
            let id = &connectors[round * 7919 % connectors.len()].id;
            let value = format!("rotated-{round}");
            let (time, done) = measure::timed(|| opened.update(id, "APIKey", &value));
            done?;
            Ok(time)
        }));
    }
    let mut file = std::fs::File::create(scratch.path().join("bare"))?;
    cases.push(Case::new("bare append of 1 KiB + fdatasync", move |_| {
        let (time, done) =
            measure::timed(|| file.write_all(&[7; 1024]).and_then(|()| file.sync_data()));
        done?;
        Ok(time)
    }));
    measure::side_by_side(rounds, cases)
}

fn create(stores: &[Store<'_>], connectors: &[Connector], rounds: usize) -> Result<()> {
    let cases = stores.iter().map(|(contender, path)| {
        let path = path.with_extension("new");
        Case::new(contender.name(), move |_| {
            let (time, done) = measure::timed(|| contender.create(&path, connectors));
            done?;
            std::fs::remove_file(&path)?;
            Ok(time)
        })
    });
    measure::side_by_side(rounds, cases.collect())
}

/// A revocation opens and seals every version again, with new keys; a grant copies them as they are. Both write the
/// whole file durably.
fn revoke(path: &Path, connectors: &[Connector], rounds: usize) -> Result<()> {
    let vault = ours::Ours::new();
    let path = path.with_extension("revoke");
    vault.create(&path, connectors)?;
    let vault = RefCell::new(vault.open_file(&path)?);
    let cases = vec![
        Case::new("add a grant", |round| {
            let (time, done) = measure::timed(|| ours::grant(&mut vault.borrow_mut(), round));
            done?;
            vault.borrow_mut().revoke(&ours::label(round))?;
            Ok(time)
        }),
        Case::new("revoke a grant", |round| {
            // Of another identity than the case before.
            let round = usize::MAX / 2 + round;
            ours::grant(&mut vault.borrow_mut(), round)?;
            let label = ours::label(round);
            let (time, revoked) = measure::timed(|| vault.borrow_mut().revoke(&label));
            if revoked?.exposed.len() != connectors.len() {
                return Err("the former holder could read all connectors".into());
            }
            Ok(time)
        }),
    ];
    measure::side_by_side(rounds, cases)
}

#[cfg(test)]
mod tests {
    use super::{ALL, MEASUREMENTS, Options};

    fn wanted(args: &[&str]) -> Vec<&'static str> {
        let options = Options::parse(args).unwrap();
        let wanted = MEASUREMENTS.into_iter();
        wanted.filter(|what| options.wants(what)).collect()
    }

    #[test]
    fn every_measurement_that_is_named_runs() {
        assert_eq!(wanted(&["open", "update"]), ["open", "update"]);
        assert_eq!(
            wanted(&["argon2", "--rounds", "3", "open"]),
            ["open", "argon2"]
        );
        assert_eq!(wanted(&[]), MEASUREMENTS);
        assert_eq!(wanted(&["open", ALL]), MEASUREMENTS);
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        for args in [&["opne"][..], &["open", "js"], &["all", "opne"]] {
            let error = Options::parse(args).err().unwrap().to_string();
            assert!(error.contains("unknown argument"), "{error}");
        }
    }
}
