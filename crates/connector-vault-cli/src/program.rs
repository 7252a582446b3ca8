//! Commands that an option or a variable holds as one text: split into words as a shell splits them. Nothing
//! is expanded, and no shell runs (docs/cli.md section 1).

use std::process::Command;

use crate::failure::{Failure, Result};

/// A program and its arguments.
pub(crate) struct Program {
    name: String,
    args: Vec<String>,
}

impl Program {
    /// Splits a text that `asked_by` holds. What is wrong with it is told without the text, which may hold a
    /// secret by mistake.
    pub(crate) fn parse(text: &str, asked_by: &str) -> Result<Self> {
        let words = shlex::split(text).filter(|words| !words.is_empty());
        let mut words = words.map(Vec::into_iter).ok_or_else(|| {
            Failure::usage(format!("{asked_by} takes a command, its quotes closed"))
        })?;
        Ok(Self {
            name: words.next().unwrap_or_default(),
            args: words.collect(),
        })
    }

    /// The command, to run with the environment of this process.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.name);
        command.args(&self.args);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_split_into_words() {
        let parse = |text: &str| {
            let program = Program::parse(text, "--test-with").ok()?;
            Some((program.name, program.args))
        };
        let words = |name: &str, args: &[&str]| {
            let args = args.iter().map(|arg| (*arg).to_owned());
            Some((name.to_owned(), args.collect()))
        };
        assert_eq!(parse("check"), words("check", &[]));
        assert_eq!(
            parse("check --to 'a b' $HOME *"),
            words("check", &["--to", "a b", "$HOME", "*"])
        );
        for bad in ["", "  ", "check 'a"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
