//! A vault in its file, changed from two places.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::Path;

use connector_vault::{
    Code, Cost, Grantee, Host, Identity, NewOwner, OpenOptions, Passphrase, Retention, Role,
    Unlock, Vault,
};
use connector_vault_store::{Error, FileOptions, FileVault, KnownHeads};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

fn create(path: &Path, identity: &Identity, passphrase: &Passphrase) -> FileVault {
    let owner = NewOwner {
        label: "ops",
        identity: Some(identity.clone()),
        passphrase: Some((passphrase, Cost::MIN)),
    };
    FileVault::create(path, &owner, FileOptions::default()).unwrap()
}

fn by_passphrase(path: &Path, passphrase: &Passphrase) -> Result<FileVault, Error> {
    FileVault::open(path, Unlock::Passphrase(passphrase), FileOptions::default())
}

#[test]
fn a_replaced_passphrase_survives_a_writer_that_opened_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.cvault");
    let identity = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap());
    let (old, new) = (
        Passphrase::new("the old one").unwrap(),
        Passphrase::new("the new one").unwrap(),
    );
    let mut before = create(&path, &identity, &old);
    let mut other = by_passphrase(&path, &old).unwrap();
    other
        .write(|vault, host| vault.prepare_passphrase(&new, Cost::MIN, host))
        .unwrap();
    before
        .write(|vault, _| vault.prepare_compaction(Retention::Automatic))
        .unwrap();
    let error = by_passphrase(&path, &old).unwrap_err();
    assert_eq!(error.code(), Code::WrongPassphrase.as_str());
    by_passphrase(&path, &new).unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_to_an_old_copy_is_a_rollback() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("v.cvault"), dir.path().join("old.cvault"));
    let identity = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap());
    let passphrase = Passphrase::new("the only one").unwrap();
    let vault_id = create(&path, &identity, &passphrase)
        .vault()
        .head()
        .vault_id;
    let options = || FileOptions {
        open: OpenOptions {
            vault_id: Some(vault_id),
            ..OpenOptions::default()
        },
        heads: Some(KnownHeads::open(dir.path().join("state"))),
        ..FileOptions::default()
    };
    let open = || FileVault::open(&path, Unlock::Identity(&identity), options());
    std::fs::copy(&path, &old).unwrap();
    open()
        .unwrap()
        .write(|vault, _| vault.prepare_compaction(Retention::Automatic))
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&old, &path).unwrap();
    assert_eq!(open().unwrap_err().code(), Code::RolledBack.as_str());
}

#[test]
fn a_repair_of_an_old_copy_is_refused_though_its_start_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.cvault");
    let identity = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap());
    let former = Identity::generate(&mut StdRng::try_from_rng(&mut SysRng).unwrap()).grant_key();
    let passphrase = Passphrase::new("the only one").unwrap();
    let vault_id = create(&path, &identity, &passphrase)
        .vault()
        .head()
        .vault_id;
    let options = || FileOptions {
        open: OpenOptions {
            vault_id: Some(vault_id),
            ..OpenOptions::default()
        },
        heads: Some(KnownHeads::open(dir.path().join("state"))),
        ..FileOptions::default()
    };
    let unlock = Unlock::Identity(&identity);
    let mut vault = FileVault::open(&path, unlock, options()).unwrap();
    let to = Grantee::Key(&former);
    vault
        .write(|vault, host| vault.prepare_grant("former", Role::Reader, to, host))
        .unwrap();
    let mut old = std::fs::read(&path).unwrap();
    let revoke = |vault: &Vault, host: &mut Host<'_>| {
        Ok(vault
            .prepare_revoke("former", host, &mut |_, _| {})?
            .prepared)
    };
    vault.write(revoke).unwrap();
    old.insert(0, 0);
    std::fs::write(&path, &old).unwrap();
    let out = dir.path().join("out.cvault");
    let refused = FileVault::repair(&path, &out, unlock, options(), false);
    assert_eq!(refused.unwrap_err().code(), Code::RolledBack.as_str());
    assert!(!out.exists());
}
