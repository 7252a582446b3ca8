//! How the vault is opened: by a passphrase, an external key or an identity, from a variable, a file, a command or a
//! prompt; never from the command line, which others can read (docs/cli.md).

mod external;
mod noticed;
mod source;

use std::ffi::OsStr;
use std::path::Path;

use connector_vault::{
    Code, Cost, KeySlotInfo, KeySlotMatch, RepairOptions, Repaired, Trust, Unlock, Vault, VaultId,
    VaultReference, limits,
};
use connector_vault_store::{Builder, Error, FileStore, FileVault, KnownHeads, OnWarning};

use crate::cli::{CostArgs, KeyListArgs, OpenArgs, VaultArgs};
use crate::failure::{Failure, Result};
use crate::input::{Input, require_path, variable};
use crate::output::Output;
use crate::terminal::{can_confirm, confirm, printable};

pub(crate) use external::{hint_bytes, hint_text};
pub(crate) use noticed::tell_report;
use source::{Key, Spaces, is_key, key};
pub(crate) use source::{hide_keys, new_key, new_passphrase, owner_identity, owner_passphrase};

/// Opens the vault, and tells what was noticed.
pub(crate) fn open(args: &VaultArgs, input: &Input, output: Output) -> Result<FileVault> {
    let mut opening = Opening::new(args, input, output)?;
    let vault = opening.trusted(&args.path, |path, unlock, options| {
        options.open(path, unlock)
    })?;
    tell_report(vault.vault(), output);
    Ok(vault)
}

/// Repairs the vault into a new file. Nothing about it has to be sound but its header.
pub(crate) fn repair(
    args: &VaultArgs,
    out: &Path,
    repair: RepairOptions,
    input: &Input,
    output: Output,
) -> Result<Repaired> {
    Opening::new(args, input, output)?.trusted(&args.path, |path, unlock, options| {
        options.repair(path, out, unlock, repair)
    })
}

/// The key slots of a vault, which nothing unlocks for that.
pub(crate) fn key_slots(args: &KeyListArgs) -> Result<Vec<KeySlotInfo>> {
    check_file(&args.path)?;
    let mut options = FileVault::builder().memory_max(limits::MEMORY_KIB_MAX_NATIVE);
    if let Some(vault_id) = vault_id(args.vault_id.as_deref(), None)? {
        options = options.expect(vault_id);
    }
    options.key_slots(&args.path).map_err(opening_failure)
}

/// What a vault is opened with.
struct Opening {
    key: Key,
    grant_label: Option<String>,
    /// Of the key slots that the external key is for.
    hint: Option<Vec<u8>>,
    options: Builder,
}

impl Opening {
    fn new(args: &VaultArgs, input: &Input, output: Output) -> Result<Self> {
        let VaultArgs { path, open } = args;
        check_file(path)?;
        let grant_label = grant_label(open)?;
        let (key, from_file) = key(path, grant_label.as_deref(), input)?;
        let hint = key_hint(open)?;
        if hint.is_some() && !matches!(key, Key::External(_)) {
            return Err(Failure::usage(
                "--key-hint and CVAULT_KEY_HINT choose a key slot of an external key, and the vault is opened \
                 by something else",
            ));
        }
        let mut options = FileVault::builder()
            .heads(heads(open.no_heads, output))
            .memory_max(open.max_memory_mib.saturating_mul(1024))
            .on_warning(on_warning(output));
        if open.accept {
            options = options.trust(Trust::AsFound);
        }
        if let Some(vault_id) = vault_id(open.vault_id.as_deref(), from_file)? {
            options = options.expect(vault_id);
        }
        if let Some(reference) = vault_reference(open.vault_ref.as_deref())? {
            options = options.reference(reference);
        }
        Ok(Self {
            key,
            grant_label,
            hint,
            options,
        })
    }

    fn unlock(&self) -> Unlock<'_> {
        match (&self.key, self.grant_label.as_deref()) {
            (Key::Identity(identity), _) => Unlock::Identity(identity),
            (Key::External(key), label) => match (self.hint.as_deref(), label) {
                (None, None) => Unlock::Key(key),
                (None, Some(label)) => Unlock::KeySlot(key, KeySlotMatch::grant(label)),
                (Some(hint), None) => Unlock::KeySlot(key, KeySlotMatch::hint(hint)),
                (Some(hint), Some(label)) => {
                    Unlock::KeySlot(key, KeySlotMatch::hint(hint).of_grant(label))
                }
            },
            (Key::Passphrase(passphrase, _), None) => Unlock::Passphrase(passphrase),
            (Key::Passphrase(passphrase, _), Some(label)) => Unlock::Grant(label, passphrase),
        }
    }

    /// What `open` gives, perhaps after a question which vault to trust.
    fn trusted<'a, T>(
        &mut self,
        path: &'a Path,
        open: impl Fn(&'a Path, Unlock<'_>, Builder) -> Result<T, Error>,
    ) -> Result<T> {
        let opened = match open(path, self.unlock(), self.options.clone()) {
            Err(Error::Core(error)) if error.code() == Code::VaultIdRequired && can_confirm() => {
                self.options = self
                    .options
                    .clone()
                    .expect(trust_on_first_use(path, error)?);
                open(path, self.unlock(), self.options.clone())
            }
            opened => opened,
        };
        opened.map_err(|error| {
            let failure = opening_failure(error);
            match self.key {
                Key::Passphrase(_, Spaces::Around) if failure.code == "wrong_passphrase" => {
                    failure.or_hint("the passphrase begins or ends with white space, which counts")
                }
                _ => failure,
            }
        })
    }
}

/// Warnings of the store are printed.
fn on_warning(output: Output) -> OnWarning {
    OnWarning::new(move |warning| output.warn(warning.code, &warning.message))
}

/// The heads that this user has seen. Without a place for them, work goes on.
pub(crate) fn heads(no_heads: bool, output: Output) -> KnownHeads {
    if no_heads {
        return KnownHeads::none();
    }
    KnownHeads::open_default()
        .inspect_err(|error| {
            output.warn(
                error.code().as_str(),
                &format!(
                    "{error}, so an older copy of the vault goes unnoticed; set CVAULT_STATE_DIR"
                ),
            );
        })
        .unwrap_or_else(|_| KnownHeads::none())
}

/// Before anybody types a passphrase for it.
fn check_file(path: &Path) -> Result<()> {
    require_path(path, "VAULT")?;
    FileStore::new(path)
        .and_then(|store| store.check())
        .map_err(|error| match error {
            Error::FileNotFound { .. } => Failure::new(
                "file_not_found",
                format!("there is no vault at {}", path.display()),
            )
            .hint("check the path, or create the vault with `cvault init`"),
            error => opening_failure(error),
        })
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
            "browsers do not open a key slot of this cost, and cvault only with --max-memory-mib",
        );
    }
    cost
}

/// Whether a variable says how a vault is opened.
pub(crate) fn opens(variable: &OsStr) -> bool {
    is_key(variable)
        || [VAULT_ID, VAULT_REF, GRANT, KEY_HINT]
            .iter()
            .any(|name| variable == *name)
}

const VAULT_ID: &str = "CVAULT_VAULT_ID";
const VAULT_REF: &str = "CVAULT_VAULT_REF";
const GRANT: &str = "CVAULT_GRANT";
const KEY_HINT: &str = "CVAULT_KEY_HINT";

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

fn vault_id(option: Option<&str>, from_file: Option<VaultId>) -> Result<Option<VaultId>> {
    let parse = |name: &str, id: Option<&str>| {
        let id = id.map(str::parse::<VaultId>).transpose();
        id.map_err(|error| Failure::from(error).within(name))
    };
    let variable = variable(VAULT_ID)?;
    let option = parse("--vault-id", option)?;
    let variable = parse(VAULT_ID, variable.as_deref().map(String::as_str))?;
    agreed(vec![
        ("--vault-id", option),
        (VAULT_ID, variable),
        ("the identity file", from_file),
    ])
}

fn vault_reference(option: Option<&str>) -> Result<Option<VaultReference>> {
    let parse = |name: &str, text: Option<&str>| {
        let reference = text.map(str::parse::<VaultReference>).transpose();
        reference.map_err(|error| Failure::from(error).within(name))
    };
    let variable = variable(VAULT_REF)?;
    let option = parse("--vault-ref", option)?;
    let variable = parse(VAULT_REF, variable.as_deref().map(String::as_str))?;
    agreed(vec![("--vault-ref", option), (VAULT_REF, variable)])
}

fn key_hint(open: &OpenArgs) -> Result<Option<Vec<u8>>> {
    let hint = agreed(vec![
        ("--key-hint", open.key_hint.clone()),
        (KEY_HINT, variable(KEY_HINT)?.map(|hint| hint.to_string())),
    ])?;
    hint.as_deref().map(hint_bytes).transpose()
}

fn grant_label(open: &OpenArgs) -> Result<Option<String>> {
    agreed(vec![
        ("--grant-label", open.grant_label.clone()),
        (GRANT, variable(GRANT)?.map(|label| label.to_string())),
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

/// What helps where the vault is opened: the core says what to do, the command line knows how.
fn opening_failure(error: Error) -> Failure {
    let failure = Failure::from(error);
    match failure.code {
        "grant_not_found" => failure.or_hint("`cvault grants` shows the list"),
        "state_unreadable" => failure.hint(
            "check the vault with `cvault verify --no-heads`, then take it as it is with --accept, which \
             replaces that file",
        ),
        "io" if failure.hint.is_none() => failure.hint(
            "check the path and its permissions; where known heads cannot be kept, set CVAULT_STATE_DIR \
             or use --no-heads",
        ),
        _ => failure,
    }
}
