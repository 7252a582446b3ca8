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

use connector_vault::{KnownHead, OpenOptions, Trust, VaultId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::disk::{self, create_private_dir, open_to_read, read_to_end, sync_dir};
use crate::error::{Error, REMEMBER, Result};
use crate::file::FileStore;
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
        // Between this and the rename another process may write a later head, which ours then
        // replaces. That is harmless: a remembered head only has to be one that was seen. An older
        // one accepts a rollback to itself at worst, for as long as nobody opens the vault again.
        let Some(dir) = &self.dir else {
            return Ok(false);
        };
        let path = entry_path(dir, vault_id, place);
        let known = self.entry::<serde::de::IgnoredAny>(vault_id, place)?;
        let is_first = known.is_none();
        if known.is_some_and(|known| known.seq >= seq) {
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
    let place = Sha256::digest(place);
    dir.join(format!(
        "{}-{}.json",
        base16ct::lower::encode_string(vault_id),
        base16ct::lower::encode_string(&place[..8])
    ))
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

/// Expects a vault to have grown from the newest head that was seen at its place.
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
    open.expect(seen.into_iter().flatten(), trust);
    Ok(())
}

/// Remembers a head at each name of a vault file.
pub(crate) fn remember(heads: &KnownHeads, store: &FileStore, known: &KnownHead) -> Result<()> {
    for place in store.places() {
        heads.remember(
            known.head.vault_id.as_bytes(),
            &place,
            known.head.seq,
            known,
        )?;
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
