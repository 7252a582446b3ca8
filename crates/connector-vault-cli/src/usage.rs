//! A command line that is wrong, told without the text that is wrong: a value in the place of a name, or
//! a passphrase as an argument, is a secret that logs would keep.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::error::{ContextKind, ContextValue, ErrorKind};

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

fn hint(error: &clap::Error) -> Option<String> {
    let suggested = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg];
    // Names of ours, near to what was given.
    let suggested = suggested.iter().find_map(|kind| match error.get(*kind)? {
        ContextValue::String(name) => Some(name.clone()),
        ContextValue::Strings(names) => Some(names.join(" or ")),
        _ => None,
    });
    match (error.kind(), suggested) {
        (_, Some(suggested)) => Some(format!("did you mean {suggested}?")),
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

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::Cli;

    /// Stands wherever the command line can have a text.
    const MARK: &str = "hunter2-S3cret";

    #[track_caller]
    fn check(args: &[&str]) {
        let Err(error) = Cli::try_parse_from([&["cvault"], args].concat()) else {
            return;
        };
        let failure = failure(&error);
        let usage = error.get(ContextKind::Usage).map(ToString::to_string);
        for text in [
            failure.message.as_str(),
            failure.hint.as_deref().unwrap_or_default(),
            &usage.unwrap_or_default(),
        ] {
            assert!(!text.contains(MARK), "{args:?}: {text}");
            assert!(
                !text.contains("12345678901234567890123"),
                "{args:?}: {text}"
            );
        }
    }

    #[test]
    fn no_argument_is_told() {
        let marks = [
            MARK,
            &format!("-{MARK}"),
            &format!("--{MARK}"),
            &format!("--{MARK}=x"),
        ];
        let mut commands = Cli::command();
        commands.build();
        for mark in marks {
            check(&[mark]);
            check(&["--json", mark]);
        }
        let mut options = 0;
        for command in commands.get_subcommands() {
            let name = command.get_name();
            for mark in marks {
                check(&[name, mark]);
                check(&[name, "a", mark]);
                check(&[name, "a", "b", "c", mark, mark]);
            }
            for option in command.get_arguments().filter_map(|arg| arg.get_long()) {
                options += 1;
                check(&[name, "a", "b", "1", "2", &format!("--{option}"), MARK]);
                for value in ["12345678901234567890123", ""] {
                    check(&[name, "a", "b", "1", "2", &format!("--{option}={value}")]);
                }
            }
        }
        assert!(options > 100, "{options}");
    }

    #[test]
    fn messages() {
        let all = "viewer, reader, updater, owner";
        for (args, message, hint) in [
            (
                &["lst"][..],
                "there is no such command",
                Some("did you mean"),
            ),
            (
                &["show", "v", "a", MARK],
                "there is an argument too many",
                Some("not shown"),
            ),
            (
                &["show", "v", "a", "--reveals"],
                "the command takes no option --reveals",
                Some("did you mean --reveal?"),
            ),
            (
                &["show", "v", "a", "-x"],
                "an argument that begins with - is no option of the command",
                Some("not shown"),
            ),
            (
                &["list", "v", "--max-memory-mib", "x"],
                "the value of --max-memory-mib <MIB> is not a number from 19 to 1024",
                None,
            ),
            (
                &["show", "v", "a", "--version", "x"],
                "the value of --version <N> is not a whole number",
                None,
            ),
            (
                &["role", "v", "l", "x"],
                &format!("the value of <ROLE> is not one of {all}"),
                None,
            ),
            (&["run", "v"], "missing: <ACTION>", None),
            (
                &["run", "v", "a", "--plan=x"],
                "--plan takes no such value",
                None,
            ),
            (
                &["run", "v", "a", "--note"],
                "--note <TEXT> needs a value",
                None,
            ),
            (
                &["list", "v", "--accept", "--no-heads"],
                "--accept cannot be used with --no-heads",
                None,
            ),
            (
                &["run", "v", "a", "--note", "x", "--note", "y"],
                "--note <TEXT> cannot be given twice",
                None,
            ),
            (&["identity"], "a command is missing", None),
        ] {
            let error = Cli::try_parse_from([&["cvault"], args].concat()).expect_err("wrong");
            let failure = failure(&error);
            assert_eq!(failure.message, message, "{args:?}");
            let told = failure.hint.as_deref().unwrap_or_default();
            assert!(told.contains(hint.unwrap_or_default()), "{args:?}: {told}");
            assert_eq!(failure.hint.is_some(), hint.is_some(), "{args:?}");
        }
    }
}
