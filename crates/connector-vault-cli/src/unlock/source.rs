//! Where passphrases, external keys and identities come from (docs/cli.md section 1).

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use connector_vault::{ExternalKey, Identity, Passphrase, VaultId};

use super::external::external_key;
use crate::failure::{Failure, Result};
use crate::input::{Input, Text, Wanted, variable};
use crate::output::Output;
use crate::program::Program;
use crate::terminal::{ask_secret, can_prompt};

const PASSPHRASE: [&str; 3] = [
    "CVAULT_PASSPHRASE",
    "CVAULT_PASSPHRASE_FILE",
    "CVAULT_PASSPHRASE_COMMAND",
];
const NEW_PASSPHRASE: [&str; 3] = [
    "CVAULT_NEW_PASSPHRASE",
    "CVAULT_NEW_PASSPHRASE_FILE",
    "CVAULT_NEW_PASSPHRASE_COMMAND",
];
const KEY: [&str; 3] = ["CVAULT_KEY", "CVAULT_KEY_FILE", "CVAULT_KEY_COMMAND"];
const NEW_KEY: [&str; 3] = [
    "CVAULT_NEW_KEY",
    "CVAULT_NEW_KEY_FILE",
    "CVAULT_NEW_KEY_COMMAND",
];
const IDENTITY: [&str; 3] = [
    "CVAULT_IDENTITY",
    "CVAULT_IDENTITY_FILE",
    "CVAULT_IDENTITY_COMMAND",
];

const KEYS: [[&str; 3]; 5] = [PASSPHRASE, NEW_PASSPHRASE, KEY, NEW_KEY, IDENTITY];

/// Takes the variables that unlock a vault from a program that is to run.
pub(crate) fn hide_keys(command: &mut Command) {
    for name in KEYS.as_flattened() {
        command.env_remove(name);
    }
}

/// Whether a variable unlocks a vault.
pub(super) fn is_key(variable: &OsStr) -> bool {
    KEYS.as_flattened().iter().any(|name| variable == *name)
}

/// A shorter passphrase is warned of, in characters.
const PASSPHRASE_CHARS_MIN: usize = 12;

/// What opens a vault.
pub(super) enum Key {
    Passphrase(Passphrase, Spaces),
    External(ExternalKey),
    Identity(Identity),
}

/// Whether white space surrounds a passphrase, which counts and is not seen.
#[derive(Clone, Copy)]
pub(super) enum Spaces {
    Around,
    None,
}

impl Spaces {
    fn of(passphrase: &str) -> Self {
        match passphrase.trim().len() == passphrase.len() {
            true => Self::None,
            false => Self::Around,
        }
    }
}

/// The one source that is set among several that exclude each other.
fn only_one(names: &[&'static str]) -> Result<Option<&'static str>> {
    let mut set = Vec::new();
    for name in names {
        if variable(name)?.is_some() {
            set.push(*name);
        }
    }
    match set[..] {
        [] => Ok(None),
        [name] => Ok(Some(name)),
        _ => Err(
            Failure::usage(format!("{} are set at once", set.join(" and ")))
                .hint("set only one of them"),
        ),
    }
}

/// The text of a source: of the variable, of the file that it names, or what the command in it prints.
fn secret(name: &str, what: &'static str, input: &Input) -> Result<Text> {
    let value = variable(name)?.unwrap_or_default();
    let wanted = Wanted::key(what, name);
    let is_line = [PASSPHRASE, NEW_PASSPHRASE].as_flattened().contains(&name);
    if name.ends_with("_COMMAND") {
        let mut command = Program::parse(&value, name)?.command();
        // Also lest a command that runs cvault runs itself.
        hide_keys(&mut command);
        return match is_line {
            true => input.line_of_command(&mut command, wanted),
            false => input.text_of_command(&mut command, wanted),
        };
    }
    if name.ends_with("_FILE") {
        let path = Path::new(value.as_str());
        return match is_line {
            true => input.line(path, wanted),
            false => input.text(path, wanted),
        };
    }
    Ok(value)
}

/// The key, and the vault id if an identity file has it.
pub(super) fn key(
    path: &Path,
    grant_label: Option<&str>,
    input: &Input,
) -> Result<(Key, Option<VaultId>)> {
    let all = [PASSPHRASE, KEY, IDENTITY].concat();
    let Some(name) = only_one(&all)? else {
        let file = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy();
        let of_grant = grant_label.map_or(String::new(), |label| format!(" of {label}"));
        let passphrase = prompt(&format!("Passphrase{of_grant} for {file}"), &all)?;
        return Ok((from_text(&passphrase)?, None));
    };
    if KEY.contains(&name) {
        return Ok((Key::External(key_of(name, input)?), None));
    }
    if IDENTITY.contains(&name) {
        if grant_label.is_some() {
            return Err(Failure::usage(format!(
                "{name} is set, and an identity has its own grant, which --grant-label and CVAULT_GRANT \
                 cannot choose"
            )));
        }
        let text = secret(name, "the identity", input)?;
        let (identity, vault_id) = identity(&text).map_err(|failure| failure.within(name))?;
        return Ok((Key::Identity(identity), vault_id));
    }
    Ok((from_text(&secret(name, "the passphrase", input)?)?, None))
}

fn key_of(name: &str, input: &Input) -> Result<ExternalKey> {
    let text = secret(name, "the external key", input)?;
    external_key(&text).map_err(|failure| failure.within(name))
}

/// A new external key, for `key add`.
pub(crate) fn new_key(input: &Input) -> Result<ExternalKey> {
    let Some(name) = only_one(&NEW_KEY)? else {
        return Err(
            Failure::usage(format!("a new key needs one of {}", NEW_KEY.join(", "))).hint(
                "make one with `openssl rand -hex 32`, and keep it in a key management service, a keychain or a file",
            ),
        );
    };
    key_of(name, input)
}

fn from_text(passphrase: &str) -> Result<Key> {
    let spaces = Spaces::of(passphrase);
    Ok(Key::Passphrase(Passphrase::new(passphrase)?, spaces))
}

fn prompt(question: &str, names: &[&str]) -> Result<Text> {
    let missing = || {
        Failure::new(
            "passphrase_required",
            "there is no passphrase, and no terminal to ask for one",
        )
        .hint(format!("set one of {}", names.join(", ")))
    };
    if !can_prompt() {
        return Err(missing());
    }
    ask_secret(question).map_err(|error| match error.kind() {
        std::io::ErrorKind::Interrupted => Failure::new("interrupted", "interrupted"),
        // Ctrl-D, or a terminal that is gone.
        std::io::ErrorKind::UnexpectedEof => Failure::new(
            "passphrase_required",
            "no passphrase was typed: the input ended before Enter was pressed",
        )
        .hint("type it and press Enter"),
        _ => missing(),
    })
}

/// The identity that `init` creates an owner by.
pub(crate) fn owner_identity(input: &Input) -> Result<Identity> {
    let Some(name) = only_one(&IDENTITY)? else {
        return Err(
            Failure::usage(format!("--identity needs one of {}", IDENTITY.join(", ")))
                .hint("make one with `cvault identity new --out FILE`"),
        );
    };
    let text = secret(name, "the identity", input)?;
    let (identity, _) = identity(&text).map_err(|failure| failure.within(name))?;
    Ok(identity)
}

/// The passphrase of the owner that `init` creates.
pub(crate) fn owner_passphrase(input: &Input, output: Output) -> Result<Passphrase> {
    if only_one(&PASSPHRASE)?.is_none()
        && let Some(name) = only_one(&IDENTITY)?
    {
        return Err(Failure::usage(format!("{name} is set, but no passphrase"))
            .hint("create the owner by the identity with --identity, or set a passphrase"));
    }
    chosen_passphrase("Passphrase", &PASSPHRASE, input, output)
}

/// A new passphrase, for `grant` and `passwd`.
pub(crate) fn new_passphrase(input: &Input, output: Output) -> Result<Passphrase> {
    chosen_passphrase("New passphrase", &NEW_PASSPHRASE, input, output)
}

fn chosen_passphrase(
    question: &str,
    names: &[&'static str],
    input: &Input,
    output: Output,
) -> Result<Passphrase> {
    let (text, asked) = match only_one(names)? {
        Some(name) => (secret(name, "the new passphrase", input)?, false),
        None => (prompt(question, names)?, true),
    };
    let passphrase = Passphrase::new(&text)?;
    if text.chars().count() < PASSPHRASE_CHARS_MIN {
        output.warn(
            "short_passphrase",
            &format!(
                "the passphrase is shorter than {PASSPHRASE_CHARS_MIN} characters: whoever has the file \
                 can try them all; several random words are better"
            ),
        );
    }
    if asked && *prompt(&format!("{question}, again"), names)? != *text {
        return Err(
            Failure::new("passphrases_differ", "the two passphrases differ")
                .hint("nothing was changed; try again"),
        );
    }
    Ok(passphrase)
}

/// Reads an identity file: comments, the identity, and perhaps `vault-id: <id>`.
fn identity(text: &str) -> Result<(Identity, Option<VaultId>)> {
    let mut identity = None;
    let mut vault_id = None;
    let invalid = |number: usize, what: &str| {
        Failure::new(
            "invalid_identity",
            format!("line {number} of the identity file {what}"),
        )
    };
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let twice = if line.is_empty() || line.starts_with('#') {
            false
        } else if let Some(id) = line.strip_prefix("vault-id:") {
            vault_id.replace(id.parse::<VaultId>()?).is_some()
        } else {
            identity.replace(Identity::parse(line)?).is_some()
        };
        if twice {
            return Err(invalid(number, "says something a second time"));
        }
    }
    let identity = identity
        .ok_or_else(|| Failure::new("invalid_identity", "the identity file holds no identity"))?;
    Ok((identity, vault_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_files() {
        let text =
            Identity::generate(&mut crate::random::generator().expect("the system is random"))
                .to_text();
        let id = "ab".repeat(32);
        for (file, expected) in [
            (format!("# public\n{}\n", *text), Ok(false)),
            (format!("vault-id: {id}\n\n{}", *text), Ok(true)),
            ("# nothing".to_owned(), Err("invalid_identity")),
            (format!("{}\n{}", *text, *text), Err("invalid_identity")),
            (format!("{}\nvault-id: x", *text), Err("invalid_vault_id")),
            ("secret text".to_owned(), Err("invalid_identity")),
        ] {
            let found = identity(&file).map(|(_, id)| id.is_some());
            assert_eq!(found.map_err(|failure| failure.code), expected);
        }
    }
}
