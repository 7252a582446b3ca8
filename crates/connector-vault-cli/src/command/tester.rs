//! Testing a connector by a command of the user (docs/cli.md, `run --test-with`).

use std::io::{self, Write as _};
use std::process::Stdio;

use connector_vault::{Code, Connector, Error, Result, TestResult, Tester};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::program::Program;
use crate::unlock;

/// A command that reads the connector on its standard input and says by its exit code whether it
/// works.
pub(super) struct CommandTester {
    program: Program,
    /// Variables that hold values of tokens, which are not the command's.
    hidden: Vec<String>,
}

impl CommandTester {
    /// Splits a text into words, as [`Program`] does.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        Ok(Self {
            program: Program::parse(text, "--test-with")?,
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
        let mut command = self.program.command();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        unlock::hide_keys(&mut command);
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
