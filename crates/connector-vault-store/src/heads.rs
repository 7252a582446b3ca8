//! Known heads: the newest head that this user has seen of each vault, like ssh's `known_hosts`
//! (docs/format.md, rollback).
//!
//! One file for each vault and place, `<vault id>-<16 hexadecimal digits>.json`, the digits being
//! the first 8 bytes of the SHA-256 of the place's text, so that backups and copies have heads of
//! their own and writers of different vaults do not meet:
//!
//! ```json
//! {"vault_id":"5f0c...","place":"/srv/vault.cvault","seq":17,"head":{}}
//! ```
//!
//! `head` is the core's document, which this module does not look into.

use std::io;
use std::path::{Path, PathBuf};

use connector_vault::source::Source;
use connector_vault::{KnownHead, OpenOptions, Seen, Trust, Vault, VaultId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::disk::{self, create_private_dir, open_to_read, read_to_end, sync_dir};
use crate::error::{Error, REMEMBER, Result};
use crate::file::FileStore;
use crate::warning::Warning;
use crate::whole::write_over;

/// A state file larger than this is not read: a head has some kilobytes at most.
const ENTRY_LEN_MAX: u64 = 64 * 1024;

/// The heads that this user has seen, in a folder of the user's own.
#[derive(Clone, Debug)]
pub struct KnownHeads {
    /// `None`: nothing is kept.
    dir: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<H> {
    vault_id: String,
    place: String,
    seq: u64,
    head: H,
}

impl KnownHeads {
    /// The heads in `dir`, which is created when a head is remembered.
    #[must_use]
    pub fn open(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: Some(dir.into()),
        }
    }

    /// Keeps nothing: a rollback goes unnoticed.
    #[must_use]
    pub fn none() -> Self {
        Self { dir: None }
    }

    /// The heads in the user's folder for them: `$CVAULT_STATE_DIR`, else
    /// `$XDG_STATE_HOME/connector-vault`, else `~/.local/state/connector-vault`
    /// (`%LOCALAPPDATA%\connector-vault` on Windows). A relative path in a variable is ignored, as
    /// the XDG Base Directory Specification demands.
    ///
    /// Fails with `no_state_dir` if none of the variables helps.
    pub fn open_default() -> Result<Self> {
        default_dir(|name| std::env::var_os(name).map(PathBuf::from))
            .map(Self::open)
            .ok_or(Error::NoStateDir)
    }

    /// The folder; `None` if nothing is kept.
    #[must_use]
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// The head remembered of a vault at a place: the text of a URL, or a path as
    /// [`FileStore::path`] resolves it.
    ///
    /// Fails with `state_unreadable` if the file does not hold one: trust is not given back
    /// silently. Fails with `not_a_file` and `io`.
    ///
    /// [`FileStore::path`]: crate::FileStore::path
    pub fn get<H: DeserializeOwned>(&self, vault_id: &[u8; 32], place: &str) -> Result<Option<H>> {
        Ok(self.entry(vault_id, place)?.map(|entry| entry.head))
    }

    /// Remembers the head of a vault at a place, unless one of the same or a later `seq` is
    /// remembered already. Returns whether it was written.
    ///
    /// Fails with `state_unreadable` and `io`.
    pub fn remember<H: Serialize>(
        &self,
        vault_id: &[u8; 32],
        place: &str,
        seq: u64,
        head: &H,
    ) -> Result<bool> {
        self.put(vault_id, place, seq, head, false)
    }

    /// Remembers the head of a vault at a place, whatever is remembered there: a merge has adopted that one.
    ///
    /// Fails with `state_unreadable` and `io`.
    pub fn replace<H: Serialize>(
        &self,
        vault_id: &[u8; 32],
        place: &str,
        seq: u64,
        head: &H,
    ) -> Result<()> {
        self.put(vault_id, place, seq, head, true).map(drop)
    }

    fn put<H: Serialize>(
        &self,
        vault_id: &[u8; 32],
        place: &str,
        seq: u64,
        head: &H,
        over: bool,
    ) -> Result<bool> {
        // Between this and the rename another process may write a later head, which ours then
        // replaces. That is harmless: a remembered head only has to be one that was seen. An older
        // one accepts a rollback to itself at worst, for as long as nobody opens the vault again.
        let Some(dir) = &self.dir else {
            return Ok(false);
        };
        let path = entry_path(dir, vault_id, place);
        let known = self.entry::<serde::de::IgnoredAny>(vault_id, place)?;
        let is_first = known.is_none();
        if known.is_some_and(|known| known.seq >= seq && !over) {
            return Ok(false);
        }
        let entry = Entry {
            vault_id: base16ct::lower::encode_string(vault_id),
            place: place.to_owned(),
            seq,
            head,
        };
        write(dir, &path, &entry, is_first).map_err(|error| Error::io(REMEMBER, &path, error))?;
        Ok(true)
    }

    /// Forgets the head of a vault at a place, so that the vault is trusted there as it is found
    /// next. Returns whether there was one. Works for unreadable ones too.
    ///
    /// Fails with `io`.
    pub fn forget(&self, vault_id: &[u8; 32], place: &str) -> Result<bool> {
        let Some(dir) = &self.dir else {
            return Ok(false);
        };
        let path = entry_path(dir, vault_id, place);
        match disk::remove(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io("remove", &path, error)),
        }
    }

    /// The vaults of which a head is remembered at a place.
    ///
    /// Fails with `io`.
    pub fn vaults_at(&self, place: &str) -> Result<Vec<VaultId>> {
        let digits = place_digits(place);
        let names = self.names()?;
        let ids = names.iter().filter_map(|name| {
            let (id, at) = name.strip_suffix(".json")?.split_once('-')?;
            (at == digits).then(|| id.parse().ok())?
        });
        Ok(ids.collect())
    }

    /// The heads remembered of a vault, with their places. Those that cannot be read are left out.
    ///
    /// Fails with `io`.
    pub fn places_of<H: DeserializeOwned>(&self, vault_id: &[u8; 32]) -> Result<Vec<(String, H)>> {
        let Some(dir) = &self.dir else {
            return Ok(Vec::new());
        };
        let id = base16ct::lower::encode_string(vault_id);
        let names = self.names()?;
        let names = names.iter().filter(|name| {
            let rest = name.strip_prefix(&id);
            rest.is_some_and(|rest| rest.starts_with('-') && rest.ends_with(".json"))
        });
        let entries = names.filter_map(|name| {
            let bytes = read(&dir.join(name)).ok()?.ok()?;
            let entry: Entry<H> = serde_json::from_slice(&bytes).ok()?;
            let is_its = entry.vault_id == id && name.contains(&place_digits(&entry.place));
            is_its.then_some((entry.place, entry.head))
        });
        Ok(entries.collect())
    }

    /// The names of the files in the folder.
    fn names(&self) -> Result<Vec<String>> {
        let Some(dir) = &self.dir else {
            return Ok(Vec::new());
        };
        let list = || {
            let mut names = Vec::new();
            for entry in dir.read_dir()? {
                names.extend(entry?.file_name().into_string());
            }
            Ok::<_, io::Error>(names)
        };
        match list() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            names => names.map_err(|error| Error::io("list", dir, error)),
        }
    }

    fn entry<H: DeserializeOwned>(
        &self,
        vault_id: &[u8; 32],
        place: &str,
    ) -> Result<Option<Entry<H>>> {
        let Some(dir) = &self.dir else {
            return Ok(None);
        };
        let path = entry_path(dir, vault_id, place);
        let unreadable = |reason: String| Error::StateUnreadable {
            path: path.clone(),
            reason,
        };
        let bytes = match read(&path) {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(len)) => return Err(unreadable(format!("it has {len} bytes"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, error)),
        };
        // What a power failure left of a file that an earlier version did not sync. An attacker who
        // could write this could as well delete the file.
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let entry: Entry<H> =
            serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
        if entry.vault_id != base16ct::lower::encode_string(vault_id) || entry.place != place {
            return Err(unreadable("it is about another vault or place".to_owned()));
        }
        Ok(Some(entry))
    }
}

fn entry_path(dir: &Path, vault_id: &[u8; 32], place: &str) -> PathBuf {
    dir.join(format!(
        "{}-{}.json",
        base16ct::lower::encode_string(vault_id),
        place_digits(place)
    ))
}

fn place_digits(place: &str) -> String {
    base16ct::lower::encode_string(&Sha256::digest(place)[..8])
}

fn write<H: Serialize>(
    dir: &Path,
    path: &Path,
    entry: &Entry<H>,
    is_first: bool,
) -> io::Result<()> {
    create_private_dir(dir)?;
    write_over(path, &serde_json::to_vec(entry)?)?;
    // The first head is the difference between a witness and none. To lose a later one in a power
    // failure weakens the witness by that one head, and every update would pay for it.
    if is_first {
        sync_dir(dir)?;
    }
    Ok(())
}

/// Expects a vault to have grown from the newest head that was seen at its place, and no other vault there.
pub(crate) fn expect(
    heads: &KnownHeads,
    open: &mut OpenOptions,
    vault_id: VaultId,
    store: &FileStore,
    trust: Trust,
) -> Result<()> {
    if open.known.is_some() {
        return Ok(());
    }
    let places = store.places();
    let seen = places
        .iter()
        .map(|place| match heads.get(vault_id.as_bytes(), place) {
            // What it held no longer counts.
            Err(Error::StateUnreadable { .. }) if trust == Trust::AsFound => Ok(None),
            seen => seen,
        });
    let seen: Vec<Option<KnownHead>> = seen.collect::<Result<_>>()?;
    let seen = Seen {
        heads: seen.into_iter().flatten().collect(),
        others: others(heads, store, vault_id)?,
    };
    Ok(open.expect(vault_id, seen, trust)?)
}

/// Other vaults that were seen at the names of a vault file.
fn others(heads: &KnownHeads, store: &FileStore, vault_id: VaultId) -> Result<Vec<VaultId>> {
    let mut others = Vec::new();
    for place in store.places() {
        let ids = heads.vaults_at(&place)?.into_iter();
        others.extend(ids.filter(|id| *id != vault_id));
    }
    Ok(others)
}

/// Forgets other vaults that were seen at the names of a vault file: this one has taken their place, on purpose.
pub(crate) fn forget_others(
    heads: &KnownHeads,
    store: &FileStore,
    vault_id: VaultId,
) -> Result<()> {
    for other in others(heads, store, vault_id)? {
        forget(heads, store, other)?;
    }
    Ok(())
}

/// Says where a newer head of a vault was seen, if this one is an older copy. A folder that cannot be listed is told
/// where the head of this copy is looked up.
pub(crate) fn seen_newer<S: Source>(
    heads: &KnownHeads,
    store: &FileStore,
    vault: &Vault<S>,
) -> Option<Warning> {
    let places = store.places();
    let seen = heads.places_of::<KnownHead>(vault.id().as_bytes());
    let elsewhere = seen
        .unwrap_or_default()
        .into_iter()
        .filter(|(place, known)| !places.contains(place) && vault.is_behind(known));
    let (place, known) = elsewhere.max_by_key(|(_, known)| (known.head.epoch, known.head.seq))?;
    let (seq, newer) = (vault.head().seq, known.head.seq);
    Some(Warning::new(
        "seen_newer",
        format!(
            "{} is at commit {seq}, but commit {newer} of the same vault was seen at {place}",
            store.path().display()
        ),
    ))
}

/// Remembers a head at each name of a vault file; if `over`, in the place of whatever head is kept.
pub(crate) fn remember(
    heads: &KnownHeads,
    store: &FileStore,
    known: &KnownHead,
    over: bool,
) -> Result<()> {
    let id = known.head.vault_id.as_bytes();
    for place in store.places() {
        heads.put(id, &place, known.head.seq, known, over)?;
    }
    Ok(())
}

/// Forgets what was seen at each name of a vault file.
pub(crate) fn forget(heads: &KnownHeads, store: &FileStore, vault_id: VaultId) -> Result<()> {
    for place in store.places() {
        heads.forget(vault_id.as_bytes(), &place)?;
    }
    Ok(())
}

/// The bytes of a state file, or its length if that is more than such a file can have.
fn read(path: &Path) -> io::Result<Result<Vec<u8>, u64>> {
    let mut file = open_to_read(path)?;
    let len = file.metadata()?.len();
    if len > ENTRY_LEN_MAX {
        return Ok(Err(len));
    }
    read_to_end(&mut file).map(Ok)
}

fn default_dir(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let variable = |name: &str| variable(name).filter(|path| path.is_absolute());
    variable("CVAULT_STATE_DIR")
        .or_else(|| Some(variable("XDG_STATE_HOME")?.join("connector-vault")))
        .or_else(|| {
            if cfg!(windows) {
                Some(variable("LOCALAPPDATA")?.join("connector-vault"))
            } else {
                Some(variable("HOME")?.join(".local/state/connector-vault"))
            }
        })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn default_dirs() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            let found = default_dir(|name| {
                let (_, value) = variables.iter().find(|(n, _)| *n == name)?;
                Some(PathBuf::from(value))
            });
            assert_eq!(found.as_deref(), expected.map(Path::new), "{variables:?}");
        };
        let home = ("HOME", "/home/ann");
        let xdg = ("XDG_STATE_HOME", "/xdg");
        check(&[home], Some("/home/ann/.local/state/connector-vault"));
        check(&[home, xdg], Some("/xdg/connector-vault"));
        check(&[home, xdg, ("CVAULT_STATE_DIR", "/own")], Some("/own"));
        check(
            &[xdg, ("CVAULT_STATE_DIR", "own")],
            Some("/xdg/connector-vault"),
        );
        check(&[("XDG_STATE_HOME", "")], None);
        check(&[], None);
    }
}
