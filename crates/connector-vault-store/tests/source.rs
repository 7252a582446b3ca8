//! A vault reads its file by range, when the bytes are used: how much it reads, and what it makes of a file that
//! changes under it. One test, because it counts what the whole process reads.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::fs::{self, OpenOptions};
use std::path::Path;

use connector_vault::{
    Code, Identity, NewConnector, NewOwner, Options, Retention, Secret, Unlock, VaultId,
};
use connector_vault_store::{FileVault, KnownHeads, Result};
use rand::SeedableRng;
use rand::rngs::StdRng;

struct World {
    dir: tempfile::TempDir,
    identity: Identity,
}

impl World {
    fn create(&self, name: &str, connectors: usize) -> VaultId {
        let owner = NewOwner::identity("ops", self.identity.clone());
        let builder = FileVault::builder().heads(KnownHeads::none());
        let mut vault = builder.create(self.dir.path().join(name), owner).unwrap();
        let created = vault.change_planned(|vault, _| {
            let new = (0..connectors).map(|number| {
                let new = NewConnector::new(id(number), "Name", "Type");
                vault.plan_create(&new.property("APIKey", "value"), &Options::default())
            });
            new.collect()
        });
        created.unwrap();
        vault.compact(Retention::Automatic).unwrap();
        vault.id()
    }

    fn open(&self, name: &str, vault_id: VaultId) -> Result<FileVault> {
        let builder = FileVault::builder().heads(KnownHeads::none());
        let unlock = Unlock::Identity(&self.identity);
        builder
            .expect(vault_id)
            .open(self.dir.path().join(name), unlock)
    }
}

fn id(number: usize) -> String {
    format!("c{number:05}")
}

/// How many bytes this process reads while `work` runs (proc(5), `rchar`).
fn read_by<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let count = || {
        let io = fs::read_to_string("/proc/self/io").unwrap();
        let line = io.lines().find_map(|line| line.strip_prefix("rchar: "));
        line.unwrap().parse::<u64>().unwrap()
    };
    // Looking costs a few bytes itself.
    let before = count();
    let done = work();
    (count() - before, done)
}

fn set_len(path: &Path, len: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(len).unwrap();
}

fn value(vault: &FileVault, number: usize) -> connector_vault::Result<String> {
    let value = vault.value(&id(number), "APIKey")?;
    Ok(value
        .as_ref()
        .map(Secret::expose)
        .unwrap_or_default()
        .to_owned())
}

#[test]
fn a_vault_reads_what_it_uses() {
    let world = World {
        dir: tempfile::tempdir().unwrap(),
        identity: Identity::generate(&mut StdRng::seed_from_u64(1)),
    };
    let file = |name: &str| world.dir.path().join(name);
    let (few, many) = (world.create("few", 300), world.create("many", 2_500));

    // Opening reads the same at any size; a value costs its page and its record.
    let (of_few, _) = read_by(|| world.open("few", few).unwrap());
    let (of_many, vault) = read_by(|| world.open("many", many).unwrap());
    let len = fs::metadata(file("many")).unwrap().len();
    assert!(of_many.abs_diff(of_few) < 2_000, "{of_few} and {of_many}");
    assert!(of_many < len / 10, "{of_many} of {len}");
    let (of_value, read) = read_by(|| value(&vault, 1_234).unwrap());
    assert_eq!(read, "value");
    assert!(of_value < 64_000, "{of_value}");

    // A list reads page after page and record after record, each once.
    let (of_list, listed) = read_by(|| vault.list().count());
    assert_eq!(listed, 2_500);
    assert!(of_list < len, "{of_list} of {len}");

    // A file that was replaced stays readable until the vault catches up.
    let mut vault = vault;
    let mut other = world.open("many", many).unwrap();
    other.update(&id(7), [("APIKey", "new")]).unwrap();
    other.compact(Retention::Automatic).unwrap();
    assert_eq!(value(&vault, 7).unwrap(), "value");
    vault.refresh().unwrap();
    assert_eq!(value(&vault, 7).unwrap(), "new");
    assert_eq!(value(&other, 7).unwrap(), "new");

    // A copy in its place holds the same log: the next commits are read from it.
    fs::copy(file("many"), file("copy")).unwrap();
    fs::rename(file("copy"), file("many")).unwrap();
    vault.update(&id(8), [("APIKey", "of the copy")]).unwrap();
    assert_eq!(value(&vault, 8).unwrap(), "of the copy");
    other.refresh().unwrap();
    assert_eq!(value(&other, 8).unwrap(), "of the copy");

    // Somebody cuts the file: each use fails and says so, and the vault is as before once the bytes are back.
    let bytes = fs::read(file("many")).unwrap();
    set_len(&file("many"), 100);
    let error = value(&vault, 2_400).unwrap_err();
    assert_eq!(error.code(), Code::Damaged);
    assert!(
        error.hint().unwrap().contains("open the vault again"),
        "{error:?}"
    );
    assert!(vault.verify().is_err() && vault.list().any(|found| found.is_err()));
    assert!(vault.refresh().is_err());
    fs::write(file("many"), &bytes).unwrap();
    vault.refresh().unwrap();
    assert_eq!(value(&vault, 2_400).unwrap(), "value");

    // Somebody writes over it: what is used is found to be other bytes.
    let zeros = vec![0; bytes.len()];
    fs::write(file("many"), zeros).unwrap();
    assert_eq!(value(&vault, 2_000).unwrap_err().code(), Code::Damaged);
    assert!(vault.refresh().is_err());
    fs::write(file("many"), &bytes).unwrap();

    // A sparse file of 1 GiB is not read whole, and does not fill the memory.
    let sparse = |start: &[u8]| {
        fs::write(file("sparse"), start).unwrap();
        set_len(&file("sparse"), 1 << 30);
        world.open("sparse", many)
    };
    for (start, code) in [(&b""[..], Code::NotAVault), (b"CVAULT01", Code::Damaged)] {
        let (read, found) = read_by(|| sparse(start).map(drop).unwrap_err().code());
        assert_eq!(found, code);
        assert!(read < 2 << 20, "{read} bytes of {} and zeros", start.len());
    }
    // Zeros behind a vault are a torn tail, if nothing else is there. To see that takes no memory.
    let before = memory("VmRSS");
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let vault = sparse(&bytes).unwrap();
    let peak = memory("VmHWM");
    assert!(peak < before + 32_000, "{before} KiB, then {peak} KiB");
    let torn = vault.report().torn.unwrap();
    assert_eq!(
        (torn.offset, torn.offset + torn.len),
        (bytes.len() as u64, 1 << 30)
    );
}

/// So many KiB (proc(5), `status`).
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse().unwrap()
}
