//! A whole new version of a vault, beside it, before it takes the vault's name: only the holder of the file lock makes
//! one (docs/file-lock.md section 1).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{self, TempName, create_private, with_suffix};
use crate::error::{Error, Result};

/// Where a new version of the vault is written before it takes the old one's name. Only the holder
/// of the lock uses this name, so one that is there was left by a process that died.
pub(crate) fn unfinished_path(path: &Path) -> PathBuf {
    with_suffix(path, ".unfinished")
}

/// Writes and syncs a whole file beside the vault, under the lock. Returns it, open, and its name.
pub(crate) fn write_unfinished(
    path: &Path,
    bytes: &[u8],
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> Result<(File, TempName)> {
    let unfinished = unfinished_path(path);
    match disk::remove(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("remove", &unfinished, error));
        }
        _ => (),
    }
    let file =
        create_private(&unfinished).map_err(|error| Error::io("create", &unfinished, error))?;
    let temp = TempName::new(unfinished.clone());
    disk::write_new(&file, bytes)
        .and_then(|()| prepare(&file))
        .and_then(|()| disk::sync_all(&file))
        .map_err(|error| Error::io("write", &unfinished, error))?;
    Ok((file, temp))
}

/// Gives what [`write_unfinished`] wrote the vault's name, in place of the vault.
pub(crate) fn publish_unfinished(path: &Path, temp: TempName) -> Result<()> {
    disk::rename(&unfinished_path(path), path)
        .map_err(|error| Error::io("replace", path, error))?;
    temp.keep();
    Ok(())
}
