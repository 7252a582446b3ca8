//! Wrong command lines, over every command and option: no argument is told.

use clap::error::ContextKind;
use clap::{CommandFactory, Parser};

use super::Cli;
use crate::usage::failure;

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
    let all: Vec<_> = connector_vault::Role::ALL
        .iter()
        .map(|role| role.as_str())
        .collect();
    let all = all.join(", ");
    for (args, message, hint) in [
        (
            &["lst"][..],
            "there is no such command",
            Some("did you mean"),
        ),
        (
            &["set", "v", "a"],
            "there is no such command",
            Some("`run` carries out the action Connectors.Update"),
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
            &["rights", "v", "l", "--right", "x"],
            &format!(
                "the value of --right <ROLE[:GROUP]> is not ROLE or ROLE:GROUP with a role of {all}"
            ),
            None,
        ),
        (
            &[
                "grant", "v", "--label", "l", "--right", "viewer", "--until", MARK,
            ],
            "the value of --until <DATE> is not a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z",
            None,
        ),
        (
            &["grant", "v"],
            "missing: --label <LABEL>, --right <ROLE[:GROUP]>",
            None,
        ),
        (&["group"], "a command is missing", None),
        (&["run", "v"], "missing: <ACTION>...", None),
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
