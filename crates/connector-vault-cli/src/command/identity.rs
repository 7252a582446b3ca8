//! `identity new`: what a service holds instead of a passphrase.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use connector_vault::Identity;
use serde_json::json;
use zeroize::Zeroizing;

use super::Context;
use super::transfer::write_private;
use crate::failure::{Failure, Result};
use crate::random;
use crate::terminal::printable;

pub(super) fn new(out: Option<&Path>, context: &Context) -> Result<()> {
    let Some(path) = out else {
        return print(&Identity::generate(&mut random::generator()?), context);
    };
    let new = NewIdentity::write(path)?;
    let key = new.identity.grant_key();
    let (public, fingerprint) = (key.to_string(), key.fingerprint());
    let secret_file = new.path.to_string_lossy();
    let public_file = new.public_path.to_string_lossy();
    context.output.result(
        &json!({
            "path": secret_file,
            "public_path": public_file,
            "public": public,
            "fingerprint": fingerprint,
        }),
        || {
            format!(
                "Wrote the secret to {}\nWrote its public key to {}\nfingerprint: {fingerprint}",
                printable(&secret_file),
                printable(&public_file)
            )
        },
    )
}

fn print(identity: &Identity, context: &Context) -> Result<()> {
    let key = identity.grant_key();
    let (public, fingerprint) = (key.to_string(), key.fingerprint());
    let secret = identity.to_text();
    if context.output.json {
        return context
            .output
            .document(&json!({"identity": *secret, "public": public, "fingerprint": fingerprint}));
    }
    context.output.note(&format!("fingerprint: {fingerprint}"));
    context.output.note(&format!("public key: {public}"));
    context
        .output
        .raw(&Zeroizing::new(format!("{}\n", *secret)))
}

/// A new identity in a file, and its public key in another one beside it.
pub(super) struct NewIdentity {
    pub(super) identity: Identity,
    pub(super) path: PathBuf,
    pub(super) public_path: PathBuf,
}

impl NewIdentity {
    /// Fails with `file_exists` if there is one of the two files.
    pub(super) fn write(path: &Path) -> Result<Self> {
        let identity = Identity::generate(&mut random::generator()?);
        let key = identity.grant_key();
        let (public, fingerprint) = (key.to_string(), key.fingerprint());
        let public_path = with_pub(path);
        // Both are new files: a public key beside another identity would be granted to by mistake.
        if public_path.symlink_metadata().is_ok() {
            return Err(file_exists(&public_path));
        }
        let text = Zeroizing::new(format!(
            "# An identity of cvault. Keep it secret; grant to its public key.\n# fingerprint {fingerprint}\n{}\n",
            *identity.to_text()
        ));
        write_private(path, text.as_bytes())?;
        let written = write_public(
            &public_path,
            &format!("# fingerprint {fingerprint}\n{public}\n"),
        );
        if let Err(failure) = written {
            // Nothing was granted to it yet, so nobody misses it.
            let _ = fs::remove_file(path);
            return Err(failure);
        }
        Ok(Self {
            identity,
            path: path.to_owned(),
            public_path,
        })
    }

    /// Removes the files of an identity to which nothing was granted.
    pub(super) fn take_back(&self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(&self.public_path);
    }
}

/// The file of the public key: beside the secret one.
fn with_pub(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

fn file_exists(path: &Path) -> Failure {
    connector_vault_store::Error::FileExists {
        path: path.to_owned(),
    }
    .into()
}

/// Writes a new file that everybody can read.
fn write_public(path: &Path, text: &str) -> Result<()> {
    write_private(path, text.as_bytes())?;
    let readable = readable_by_all(path);
    readable.map_err(|error| {
        let _ = fs::remove_file(path);
        Failure::io("set the permissions of", path, &error)
    })
}

#[cfg(unix)]
fn readable_by_all(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &Path) -> io::Result<()> {
    Ok(())
}
