//! A command line that is wrong, told without the text that is wrong: a value in the place of a name, or
//! a passphrase as an argument, is a secret that logs would keep.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use connector_vault::Timestamp;

use crate::failure::Failure;
use crate::output::Output;

/// What is wrong with the command line. Help and version, which clap hands over as errors too, are none.
pub(crate) fn failure(error: &clap::Error) -> Failure {
    let failure = Failure::usage(message(error));
    match hint(error) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Prints it as people expect it of a program: with how the command is used.
pub(crate) fn tell(error: &clap::Error, output: Output) {
    output.failure(&failure(error));
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        output.note(&format!("\n{}", usage.ansi()));
    }
    output.note("\nFor more information, try '--help'.");
}

/// A number of an option, within its range. What was given instead is not told.
pub(crate) fn number<T>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!(
            "a number from {} to {}",
            range.start(),
            range.end()
        )),
    }
}

/// A number of an option that the core judges, or of which any is right.
pub(crate) fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "a whole number".to_owned())
}

/// A number of an option, from 1 on.
pub(crate) fn positive(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number from 1 on".to_owned()),
        Ok(number) => Ok(number),
    }
}

/// A moment of an option: a day stands for its beginning in UTC.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let full = match (text.len(), text.strip_suffix('Z')) {
        (10, None) => format!("{text}T00:00:00.000Z"),
        (20, Some(time)) => format!("{time}.000Z"),
        _ => text.to_owned(),
    };
    Timestamp::new(full)
        .map_err(|_| "a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z".to_owned())
}

fn message(error: &clap::Error) -> String {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(name)) => name.as_str(),
        _ => "an option",
    };
    let option = named(ContextKind::InvalidArg);
    match error.kind() {
        // Its text is the whole help.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing".to_owned(),
        ErrorKind::MissingSubcommand => "a command is missing".to_owned(),
        ErrorKind::InvalidSubcommand => "there is no such command".to_owned(),
        ErrorKind::UnknownArgument if is_option(option) => {
            format!("the command takes no option {option}")
        }
        ErrorKind::UnknownArgument if option.starts_with('-') => {
            "an argument that begins with - is no option of the command".to_owned()
        }
        ErrorKind::UnknownArgument => "there is an argument too many".to_owned(),
        ErrorKind::MissingRequiredArgument => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(missing)) => format!("missing: {}", missing.join(", ")),
            _ => "an argument is missing".to_owned(),
        },
        ErrorKind::InvalidValue if is_empty(error) => format!("{option} needs a value"),
        ErrorKind::InvalidValue => match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(valid)) => {
                format!("the value of {option} is not one of {}", valid.join(", "))
            }
            _ => format!("the value of {option} is not valid"),
        },
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            // Of `number` and its like, which do not tell what they were given.
            Some(expected) => format!("the value of {option} is not {expected}"),
            None => format!("the value of {option} is not valid"),
        },
        ErrorKind::TooManyValues => format!("{option} takes no such value"),
        ErrorKind::ArgumentConflict => conflict(error, option),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8 text".to_owned(),
        _ => "the command line is wrong".to_owned(),
    }
}

fn conflict(error: &clap::Error, option: &str) -> String {
    match error.get(ContextKind::PriorArg) {
        Some(ContextValue::String(prior)) if prior == option => {
            format!("{option} cannot be given twice")
        }
        Some(ContextValue::String(prior)) => format!("{option} cannot be used with {prior}"),
        Some(ContextValue::Strings(prior)) => {
            format!("{option} cannot be used with {}", prior.join(", "))
        }
        _ => format!("{option} cannot be used with another option that was given"),
    }
}

/// Whether the message names the unknown option.
fn names_option(error: &clap::Error) -> bool {
    matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(name)) if is_option(name))
}

/// What does here what other programs call by a word.
fn synonym(error: &clap::Error) -> Option<&'static str> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    Some(match word.as_str() {
        "create" | "new" => "`init` creates a vault, and `add` a connector",
        "edit" | "patch" | "put" | "set" | "update" => {
            "`run` carries out the action Connectors.Update, and `describe` changes name, type and meta"
        }
        "cat" | "read" | "reveal" => "`get` prints a value, and `show --reveal` all of them",
        "ls" => "`list` lists the connectors",
        "remove" | "rm" => "`delete` deletes a connector",
        "role" => "`rights` gives a grant other rights",
        _ => return None,
    })
}

fn hint(error: &clap::Error) -> Option<String> {
    // A word that is near by its letters may do something else.
    if let Some(synonym) = synonym(error) {
        return Some(synonym.to_owned());
    }
    let suggested = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg];
    // Names of ours, near to what was given.
    let suggested = suggested.iter().find_map(|kind| match error.get(*kind)? {
        ContextValue::String(name) => Some(name.clone()),
        ContextValue::Strings(names) => Some(names.join(" or ")),
        _ => None,
    });
    match (error.kind(), suggested) {
        (_, Some(suggested)) => Some(format!("did you mean {suggested}?")),
        (ErrorKind::UnknownArgument, None) if names_option(error) => {
            Some("`--help` behind the command lists its options".to_owned())
        }
        (ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand, None) => Some(
            "it is not shown, since it may be a secret: no command takes one as an argument"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Whether it has the form of an option's name, as a secret hardly has: `--allow-masks`.
fn is_option(text: &str) -> bool {
    let name = text.strip_prefix("--").unwrap_or_default();
    !name.is_empty()
        && name.len() <= 24
        && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

fn is_empty(error: &clap::Error) -> bool {
    matches!(error.get(ContextKind::InvalidValue), Some(ContextValue::String(value)) if value.is_empty())
}
