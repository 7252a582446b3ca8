//! How the vault is opened: passphrase or identity, from a variable, a file or a prompt; never from
//! the command line, which others can read (docs/cli.md).

mod source;

use std::path::Path;

use connector_vault::{Code, Continuity, Cost, OpenOptions, Unlock, Vault, VaultId};
use connector_vault_store::{Error, FileOptions, FileStore, FileVault, KnownHeads};

use crate::cli::{CostArgs, OpenArgs, VaultArgs};
use crate::failure::{Failure, Result};
use crate::input::{Input, variable};
use crate::output::Output;
use crate::terminal::{can_confirm, confirm, printable};

use source::{Key, key};
pub(crate) use source::{new_passphrase, owner_identity, owner_passphrase};

/// Opens the vault, and tells what was noticed.
pub(crate) fn open(args: &VaultArgs, input: &Input, output: Output) -> Result<FileVault> {
    open_with(args, input, output, false)
}

/// As [`open`]; a tolerant opening goes on without damaged records.
pub(crate) fn open_with(
    args: &VaultArgs,
    input: &Input,
    output: Output,
    tolerant: bool,
) -> Result<FileVault> {
    let VaultArgs { path, open } = args;
    check_file(path)?;
    let grant_label = grant_label(open)?;
    let (key, from_file) = key(path, grant_label.as_deref(), input)?;
    let vault_id = vault_id(open, from_file)?;
    let mut options = FileOptions {
        open: OpenOptions {
            vault_id,
            memory_kib_max: open.max_memory_mib.saturating_mul(1024),
            tolerant,
            ..OpenOptions::default()
        },
        heads: heads(open.no_heads, output),
        accept: open.accept,
        ..FileOptions::default()
    };
    let unlock = match (&key, grant_label.as_deref()) {
        (Key::Identity(identity), _) => Unlock::Identity(identity),
        (Key::Passphrase(passphrase), None) => Unlock::Passphrase(passphrase),
        (Key::Passphrase(passphrase), Some(label)) => Unlock::Grant(label, passphrase),
    };
    let opened = match FileVault::open(path, unlock, options.clone()) {
        Err(Error::Core(error)) if error.code() == Code::VaultIdRequired && can_confirm() => {
            options.open.vault_id = Some(trust_on_first_use(path, error)?);
            FileVault::open(path, unlock, options)
        }
        opened => opened,
    };
    let vault = opened.map_err(|error| place_hint(error.into()))?;
    tell_report(vault.vault(), output);
    Ok(vault)
}

/// The heads that this user has seen. Without a place for them, work goes on.
pub(crate) fn heads(no_heads: bool, output: Output) -> Option<KnownHeads> {
    if no_heads {
        return None;
    }
    KnownHeads::open_default()
        .inspect_err(|error| {
            output.warn(
                error.code(),
                &format!(
                    "{error}, so an older copy of the vault goes unnoticed; set CVAULT_STATE_DIR"
                ),
            );
        })
        .ok()
}

/// Before anybody types a passphrase for it.
fn check_file(path: &Path) -> Result<()> {
    let store = FileStore::new(path)?;
    if store.path().is_dir() {
        return Err(
            Failure::new("io", format!("{} is a folder, not a vault", path.display()))
                .hint("give the path of the vault's file"),
        );
    }
    if std::fs::symlink_metadata(store.path())
        .is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound)
    {
        return Err(Failure::new(
            "file_not_found",
            format!("there is no vault at {}", path.display()),
        )
        .hint("check the path, or create the vault with `cvault init`"));
    }
    Ok(())
}

pub(crate) fn cost(args: CostArgs, output: Output) -> Cost {
    let cost = Cost {
        memory_kib: args.memory_mib.saturating_mul(1024),
        passes: args.passes,
        lanes: args.lanes,
    };
    if cost.memory_kib > connector_vault::limits::MEMORY_KIB_MAX {
        output.warn(
            "high_cost",
            "browsers do not open a lock of this cost, and cvault only with --max-memory-mib",
        );
    }
    cost
}

/// Values of one thing from several sources; they have to agree.
fn agreed<T: PartialEq>(values: Vec<(&str, Option<T>)>) -> Result<Option<T>> {
    let mut agreed: Option<(&str, T)> = None;
    for (name, value) in values {
        match (&agreed, value) {
            (_, None) => {}
            (None, Some(value)) => agreed = Some((name, value)),
            (Some((before, first)), Some(value)) if *first != value => {
                return Err(Failure::usage(format!(
                    "{before} and {name} contradict each other"
                )));
            }
            (Some(_), Some(_)) => {}
        }
    }
    Ok(agreed.map(|(_, value)| value))
}

fn vault_id(open: &OpenArgs, from_file: Option<VaultId>) -> Result<Option<VaultId>> {
    let option = open.vault_id.as_deref().map(VaultId::parse).transpose()?;
    let variable = variable("CVAULT_VAULT_ID")?;
    let variable = variable.map(|id| VaultId::parse(&id)).transpose()?;
    agreed(vec![
        ("--vault-id", option),
        ("CVAULT_VAULT_ID", variable),
        ("the identity file", from_file),
    ])
}

fn grant_label(open: &OpenArgs) -> Result<Option<String>> {
    agreed(vec![
        ("--grant-label", open.grant_label.clone()),
        (
            "CVAULT_GRANT",
            variable("CVAULT_GRANT")?.map(|label| label.to_string()),
        ),
    ])
}

/// Asks whether the vault that is there is the one that is meant.
fn trust_on_first_use(path: &Path, refused: connector_vault::Error) -> Result<VaultId> {
    let vault_id = Vault::identify(&FileStore::new(path)?.read()?)?;
    let question = format!(
        "This identity has not seen the vault {} before. Its id is\n  {vault_id}\n\
         Somebody could have put another vault in its place. Compare the id with the one that you were \
         given.\nIs it the right one?",
        printable(&path.to_string_lossy())
    );
    match confirm(&question) {
        Ok(true) => Ok(vault_id),
        _ => Err(refused.into()),
    }
}

fn place_hint(failure: Failure) -> Failure {
    match failure.code {
        "cost_out_of_range" => {
            failure.or_hint("for a vault that you trust, --max-memory-mib allows more")
        }
        "io" if failure.hint.is_none() => failure.hint(
            "check the path and its permissions; where known heads cannot be kept, set CVAULT_STATE_DIR \
             or use --no-heads",
        ),
        _ => failure,
    }
}

/// Tells what was noticed when the vault was opened.
fn tell_report(vault: &Vault, output: Output) {
    let report = vault.report();
    if report.continuity == Continuity::Unverifiable {
        output.warn(
            "unverifiable",
            "the vault was compacted so often since it was last opened here that nothing shows whether \
             it is a later state of the same one",
        );
    }
    if let Some(torn) = report.torn {
        output.warn(
            "torn_tail",
            &format!(
                "the last {} bytes are an unfinished commit: another process is writing, or died; it was \
                 never acknowledged",
                torn.len
            ),
        );
    }
    for broken in &report.broken_locks {
        let label = broken.label.as_deref().unwrap_or("unknown");
        output.warn(
            "broken_lock",
            &format!(
                "the lock of the grant {label:?} cannot be used: {}",
                broken.reason
            ),
        );
    }
    for damaged in &report.damaged {
        let connector = damaged.connector.as_deref().unwrap_or("unknown");
        output.warn(
            "damaged",
            &format!(
                "a record of the connector {connector:?} in commit {}, at byte {}, is damaged",
                damaged.seq, damaged.offset
            ),
        );
    }
}
