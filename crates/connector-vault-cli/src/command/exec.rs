//! `exec`: runs a program with values of the vault in its environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::Command;

use connector_vault::{Code, Connector, Vault};
use connector_vault_store::FileSource;

use super::Context;
use super::get::property;
use crate::cli::ExecArgs;
use crate::failure::{COMMAND_NOT_EXECUTABLE, COMMAND_NOT_FOUND, Failure, Result};
use crate::input::{self, Text, name_and_rest};
use crate::terminal::{is_there, shown};
use crate::{unlock, variable};

/// What a value begins with that stands for a property.
const REFERENCE: &str = "cvault:";

pub(super) fn exec(args: &ExecArgs, context: &Context) -> Result<()> {
    // Before the vault is opened, which may take a while.
    let named = named(&args.env)?;
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::usage("a command is missing behind --"));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    let mut wanted = of_environment(&mut command)?;
    if let Some(path) = &args.env_file {
        of_file(path, &mut command, &mut wanted, context)?;
    }
    let file = unlock::open(&args.vault, &context.input, context.output)?;
    let mut connectors = Connectors::of(file.vault());
    if let Some(id) = &args.all {
        let prefix = args.prefix.as_deref().unwrap_or_default();
        for (name, value) in all_of(connectors.read(id)?, prefix)? {
            // What the environment says is replaced.
            wanted.remove(OsStr::new(&name));
            command.env(name, value.as_str());
        }
    }
    wanted.extend(named);
    for (name, Wanted { reference, place }) in wanted {
        let value = connectors
            .value(&reference)
            .map_err(|failure| failure.within(&place))?;
        command.env(name, value.as_str());
    }
    drop(connectors);
    drop(file);
    run(command, program)
}

/// A variable that takes a property's value.
struct Wanted {
    reference: Reference,
    /// Where it was asked for, for messages.
    place: String,
}

type Variables = BTreeMap<OsString, Wanted>;

/// Variables of this process that hold a reference. Others are the program's as they are, but for those that
/// open the vault.
fn of_environment(command: &mut Command) -> Result<Variables> {
    let mut variables = Variables::new();
    for (name, value) in std::env::vars_os() {
        if unlock::opens(&name) {
            command.env_remove(name);
            continue;
        }
        // Text of another encoding is no reference.
        if let (Some(text), place) = (value.to_str().and_then(referred), place_of(&name)) {
            let reference = Reference::parse(text, &place)?;
            variables.insert(name, Wanted { reference, place });
        }
    }
    Ok(variables)
}

/// Variables of a dotenv file, which replace those of this process.
fn of_file(
    path: &Path,
    command: &mut Command,
    wanted: &mut Variables,
    context: &Context,
) -> Result<()> {
    const OPTION: &str = "--env-file";
    let file = input::Wanted::list("the list of variables", OPTION);
    let text = context.input.text(path, file)?;
    let variables = connector_vault_import::dotenv(&text)
        .map_err(|error| Failure::new("invalid_env_file", error.message()).within(OPTION))?;
    for (name, value) in variables {
        let name = OsString::from(name);
        if unlock::opens(&name) {
            continue;
        }
        let place = format!("{} of {OPTION}", place_of(&name));
        match referred(&value) {
            Some(text) => {
                let reference = Reference::parse(text, &place)?;
                wanted.insert(name, Wanted { reference, place });
            }
            None => {
                variable::check_value(&value).map_err(|failure| failure.within(place))?;
                wanted.remove(&name);
                command.env(name, value.as_str());
            }
        }
    }
    Ok(())
}

/// The reference that a value is: `cvault:1.2`, say, is the name of an image.
fn referred(value: &str) -> Option<&str> {
    value
        .strip_prefix(REFERENCE)
        .filter(|text| text.contains('/'))
}

/// A variable in messages: by its name, if it has the form of one.
fn place_of(name: &OsStr) -> String {
    match name.to_str().filter(|name| variable::is_name(name)) {
        Some(name) => format!("the variable {name}"),
        None => "a variable".to_owned(),
    }
}

/// `NAME=ID/PROPERTY` of `--env`.
fn named(options: &[String]) -> Result<Variables> {
    let mut variables = Variables::new();
    for text in options {
        let (name, text) = name_and_rest("--env", text)?;
        let place = match variable::is_name(name) {
            true => format!("--env {name}"),
            false => "--env".to_owned(),
        };
        let reference = Reference::parse(text, &place)?;
        let wanted = Wanted { reference, place };
        if let Some(before) = variables.insert(name.into(), wanted) {
            return Err(Failure::usage(format!("{} is given twice", before.place)));
        }
    }
    Ok(variables)
}

/// A property of a connector: `ID/PROPERTY`, split at the last slash, with `%2F` for a slash and `%25` for a
/// percent sign in each.
struct Reference {
    id: String,
    property: String,
}

impl Reference {
    /// What is wrong with it is told without the text, which may be a value by mistake.
    fn parse(text: &str, place: &str) -> Result<Self> {
        let usage = || {
            Failure::usage(format!("{place} does not have the form ID/PROPERTY"))
                .hint("the last slash parts them; write %2F for a slash and %25 for a percent sign in a name")
        };
        let (id, property) = text.rsplit_once('/').ok_or_else(usage)?;
        let decoded = |text: &str| {
            let text = decoded(text)?;
            (!text.is_empty()).then_some(text)
        };
        Ok(Self {
            id: decoded(id).ok_or_else(usage)?,
            property: decoded(property).ok_or_else(usage)?,
        })
    }
}

/// A text without percent-encoding (RFC 3986 section 2.1).
fn decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// The connectors that are asked for, each read once.
struct Connectors<'v> {
    vault: &'v Vault<FileSource>,
    read: BTreeMap<String, Connector>,
}

impl<'v> Connectors<'v> {
    fn of(vault: &'v Vault<FileSource>) -> Self {
        Self {
            vault,
            read: BTreeMap::new(),
        }
    }

    fn read(&mut self, id: &str) -> Result<&Connector> {
        if !self.read.contains_key(id) {
            let connector = self
                .vault
                .read(id)
                .map_err(|error| unread(error, self.vault))?;
            self.read.insert(id.to_owned(), connector);
        }
        self.read
            .get(id)
            .ok_or_else(|| Failure::new("internal", "a connector was read and is not there"))
    }

    fn value(&mut self, reference: &Reference) -> Result<Text> {
        let value = property(self.read(&reference.id)?, &reference.property)?;
        variable::check_value(value.expose())?;
        Ok(Text::new(value.expose().to_owned()))
    }
}

/// Why a connector was not read. An id that no connector has may be a value by mistake, and is not told.
fn unread(error: connector_vault::Error, vault: &Vault<FileSource>) -> Failure {
    let is_unknown = error.code() == Code::ConnectorNotFound;
    let mut failure = Failure::from(error).about(vault);
    if is_unknown {
        "there is no connector of this id".clone_into(&mut failure.message);
    }
    failure
}

/// A variable for each property of a connector.
fn all_of(connector: &Connector, prefix: &str) -> Result<Vec<(String, Text)>> {
    let variables = connector.properties.iter().map(|(property, value)| {
        let name = format!("{prefix}{}", property.as_str());
        let within = |failure: Failure| failure.within(format_args!("the property {:?}", property.as_str()));
        if !variable::is_possible(&name) || variable::steers_programs(&name) {
            let failure = Failure::new(
                "invalid_variable_name",
                "its name is not taken for a variable: programs would not find it, or do other things than you \
                 run them for",
            );
            return Err(within(failure.hint("--prefix P puts P before each name; --env NAME=ID/PROPERTY gives one a name")));
        }
        variable::check_value(value.expose()).map_err(within)?;
        Ok((name, Text::new(value.expose().to_owned())))
    });
    variables.collect()
}

/// Becomes the program: its signals, its exit code and its process id are those of this process. Returns
/// only if it could not.
#[cfg(unix)]
fn run(mut command: Command, program: &OsStr) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(not_run(program, &command.exec()))
}

/// Runs the program, and ends as it does.
#[cfg(not(unix))]
fn run(mut command: Command, program: &OsStr) -> Result<()> {
    let status = command.status().map_err(|error| not_run(program, &error))?;
    std::process::exit(status.code().unwrap_or(1))
}

fn not_run(program: &OsStr, error: &io::Error) -> Failure {
    let path = Path::new(program);
    // A script may be there, and the program that its first line names may not.
    let is_missing = error.kind() == io::ErrorKind::NotFound
        && !(path.components().count() > 1 && is_there(path));
    match is_missing {
        true => Failure::new(
            COMMAND_NOT_FOUND,
            format!("there is no program {}", shown(path)),
        )
        .hint("check its name and PATH; what stands behind -- is not read by a shell"),
        false => Failure::new(
            COMMAND_NOT_EXECUTABLE,
            format!("cannot run {}: {error}", shown(path)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        for (text, expected) in [
            ("a/b", Some(("a", "b"))),
            ("a/b/c", Some(("a/b", "c"))),
            ("a%2Fb/c%2fd", Some(("a/b", "c/d"))),
            ("50%25/%C3%A9 x", Some(("50%", "\u{e9} x"))),
            ("a", None),
            ("/b", None),
            ("a/", None),
            ("a/%", None),
            ("a/%2", None),
            ("a/%+1", None),
            ("a/%\u{e9}", None),
            ("a/%ff", None),
        ] {
            let parsed = Reference::parse(text, "--env A");
            let parsed = parsed.ok().map(|found| (found.id, found.property));
            let expected = expected.map(|(id, name)| (id.to_owned(), name.to_owned()));
            assert_eq!(parsed, expected, "{text}");
        }
    }
}
