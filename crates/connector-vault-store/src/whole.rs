//! Files that are written whole: who looks sees all of the bytes or none of them, also after a power
//! failure.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::disk::{
    self, TempName, create_private, create_unnamed, link_unnamed, no_hard_links, parent,
    random_hex, sync_dir, with_suffix,
};
use crate::error::{Error, Result};

/// Writes a new file that only the user can read. It is on the disk when this returns.
///
/// Fails with `file_exists` if something has this name already, which stays as it is; with `io`, in
/// which case there is no file; and with `not_durable`, in which case there is one, which a power
/// failure may still take away.
pub fn write_new_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| Error::io("create", path, error);
    let exists = || Error::FileExists {
        path: path.to_owned(),
    };
    if path.symlink_metadata().is_ok() {
        return Err(exists());
    }
    let temp = Unpublished::create(path).map_err(failed)?;
    let written = disk::write_new(temp.file(), bytes).and_then(|()| disk::sync_all(temp.file()));
    written.map_err(|error| Error::io("write", path, error))?;
    match temp.publish(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists()),
        published => published.map_err(failed)?,
    }
    sync_dir(parent(path)).map_err(|error| Error::NotDurable {
        path: path.to_owned(),
        source: Some(error),
    })
}

/// Writes a file that only the user can read in place of the one of this name. Its content is on the
/// disk before it has the name; the name is not yet when this returns.
pub(crate) fn write_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (file, temp, name) = named(path)?;
    disk::write_new(&file, bytes)?;
    disk::sync_all(&file)?;
    disk::rename(&temp, path)?;
    name.keep();
    Ok(())
}

/// A file that is being written, in the folder where it is to stand.
enum Unpublished {
    /// If the process dies, nothing stays behind: these bytes may be secrets in clear.
    Unnamed(File),
    Named {
        file: File,
        temp: std::path::PathBuf,
        name: TempName,
    },
}

impl Unpublished {
    fn create(path: &Path) -> io::Result<Self> {
        // Whatever the reason is: if it is not that there are no such files here, the other form
        // meets it too.
        create_unnamed(parent(path))
            .map(Self::Unnamed)
            .or_else(|_| {
                let (file, temp, name) = named(path)?;
                Ok(Self::Named { file, temp, name })
            })
    }

    fn file(&self) -> &File {
        match self {
            Self::Unnamed(file) | Self::Named { file, .. } => file,
        }
    }

    /// Gives the file its name. Fails if that is taken.
    fn publish(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Unnamed(file) => link_unnamed(&file, path),
            Self::Named { temp, name, .. } => match disk::link(&temp, path) {
                // A rename would replace a file that has come here meanwhile. Without hard links
                // there is nothing better.
                Err(error) if no_hard_links(&error) => {
                    disk::rename(&temp, path)?;
                    name.keep();
                    Ok(())
                }
                linked => linked,
            },
        }
    }
}

fn named(path: &Path) -> io::Result<(File, std::path::PathBuf, TempName)> {
    let random = random_hex().map_err(io::Error::other)?;
    let temp = with_suffix(path, &format!(".{random}.tmp"));
    let file = create_private(&temp)?;
    let name = TempName::new(temp.clone());
    Ok((file, temp, name))
}
