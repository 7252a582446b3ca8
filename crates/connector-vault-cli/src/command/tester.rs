//! Testing a connector by a command of the user (docs/cli.md, `run --test-with`).

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use connector_vault::{Code, Connector, Error, Result, TestResult, Tester};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::unlock;

/// A command that reads the connector on its standard input and says by its exit code whether it
/// works.
pub(super) struct CommandTester {
    program: String,
    args: Vec<String>,
    /// Variables that hold values of tokens, which are not the command's.
    hidden: Vec<String>,
}

impl CommandTester {
    /// Splits a text into words as a shell does; nothing is expanded, and no shell runs.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let words = shlex::split(text).filter(|words| !words.is_empty());
        let mut words = words
            .map(Vec::into_iter)
            .ok_or_else(|| Failure::usage("--test-with takes a command, its quotes closed"))?;
        let program = words.next().unwrap_or_default();
        Ok(Self {
            program,
            args: words.collect(),
            hidden: Vec::new(),
        })
    }

    /// The same, without these variables for the command.
    pub(super) fn hiding(self, hidden: Vec<String>) -> Self {
        Self { hidden, ..self }
    }

    fn run(&self, connector: &Connector) -> io::Result<TestResult> {
        let mut document = Zeroizing::new(serde_json::to_vec(connector)?);
        document.push(b'\n');
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        for name in unlock::VARIABLES.as_flattened() {
            command.env_remove(name);
        }
        for name in &self.hidden {
            command.env_remove(name);
        }
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        // At the same time: a command may write before it has read.
        let output = std::thread::scope(|scope| {
            scope.spawn(move || {
                if let Some(mut stdin) = stdin {
                    // A command that does not read it has decided without it.
                    let _ = stdin.write_all(&document);
                }
            });
            child.wait_with_output()
        })?;
        if output.status.success() {
            return Ok(TestResult::Passed);
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok(TestResult::Failed(match message.is_empty() {
            true => output.status.to_string(),
            false => message,
        }))
    }
}

impl Tester for CommandTester {
    fn test(&mut self, connector: &Connector) -> Result<TestResult> {
        self.run(connector).map_err(|error| {
            Error::new(
                Code::TesterFailed,
                format!("the command of --test-with did not run: {error}"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_split_into_words() {
        let parse = |text: &str| {
            let tester = CommandTester::parse(text).ok()?;
            Some((tester.program, tester.args))
        };
        let words = |program: &str, args: &[&str]| {
            let args = args.iter().map(|arg| (*arg).to_owned());
            Some((program.to_owned(), args.collect()))
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
