//! The one error of the program: what is printed, and the exit code.

use std::borrow::Cow;
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use connector_vault::{Action, Code, Detail, Vault};
use connector_vault_store::FileSource;
use serde::Serialize;

use crate::terminal::shown;

/// The result of every command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command did not do what it was asked to. Never holds a secret.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<Cow<'static, str>>,
    /// The id that no connector has.
    #[serde(skip)]
    connector: Option<String>,
    /// What else is wrong with the same documents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) further: Vec<Failure>,
}

/// The code of an error in the command line itself.
const USAGE: &str = "usage";
/// The codes of `exec` where it has no program to run.
pub(crate) const COMMAND_NOT_FOUND: &str = "command_not_found";
pub(crate) const COMMAND_NOT_EXECUTABLE: &str = "command_not_executable";

/// Which exit codes failures have.
#[derive(Clone, Copy)]
pub(crate) enum Exits {
    /// 2 for a wrong command line, else 1.
    Common,
    /// Those of `exec`, apart from the codes that programs end with: as env(1) has them.
    Exec,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            connector: None,
            further: Vec::new(),
        }
    }

    /// The command line asks for something that makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    /// The operating system refused something.
    pub(crate) fn io(operation: impl Display, path: &Path, error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::NotFound => "file_not_found",
            io::ErrorKind::AlreadyExists => "file_exists",
            _ => "io",
        };
        Self::new(code, format!("cannot {operation} {}: {error}", shown(path)))
    }

    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure, with one more way out.
    pub(crate) fn or_hint(self, hint: impl Into<Cow<'static, str>>) -> Self {
        let hint = hint.into();
        match &self.hint {
            Some(before) => {
                let hint = format!("{before}; {hint}");
                self.hint(hint)
            }
            None => self.hint(hint),
        }
    }

    /// The same failure; if it is about an unknown connector, with a similar one as the hint. Who uses the
    /// program is a person, or looks for what a person typed wrong.
    pub(crate) fn about(mut self, vault: &Vault<FileSource>) -> Self {
        if let (Some(id), None) = (&self.connector, &self.hint) {
            self.hint = vault.similar(id).ok().flatten().map(Cow::Owned);
        }
        self
    }

    /// The same failure, its message led by where it happened; so are those of what else is wrong there.
    pub(crate) fn within(mut self, place: impl Display) -> Self {
        for failure in std::iter::once(&mut self.message)
            .chain(self.further.iter_mut().map(|further| &mut further.message))
        {
            *failure = format!("{place}: {failure}");
        }
        self
    }

    /// The same failure, followed by others of the same command.
    pub(crate) fn and(mut self, others: impl IntoIterator<Item = Self>) -> Self {
        for mut other in others {
            let further = std::mem::take(&mut other.further);
            self.further.push(other);
            self.further.extend(further);
        }
        self
    }

    /// All that is wrong with an action's document, `error` first. Where brackets are text, nothing is wrong with tokens.
    pub(crate) fn of_action(error: connector_vault::Error, text: &str, no_tokens: bool) -> Self {
        let of_tokens = [Code::InvalidTokenFormat, Code::TokenLimit];
        let further = Action::problems(text)
            .into_iter()
            .skip(1)
            .filter(|error| !(no_tokens && of_tokens.contains(&error.code())));
        Self {
            further: further.map(Self::from).collect(),
            ..Self::from(error)
        }
    }

    pub(crate) fn exit_code(&self, exits: Exits) -> ExitCode {
        ExitCode::from(match (exits, self.code) {
            (Exits::Exec, COMMAND_NOT_FOUND) => 127,
            (Exits::Exec, COMMAND_NOT_EXECUTABLE) => 126,
            (Exits::Exec, _) => 125,
            (Exits::Common, USAGE) => 2,
            (Exits::Common, _) => 1,
        })
    }
}

impl From<connector_vault::Error> for Failure {
    fn from(error: connector_vault::Error) -> Self {
        let mut failure = Self::new(error.code().as_str(), error.message());
        failure.hint = error.hint().map(|hint| Cow::Owned(hint.to_owned()));
        failure.connector = error.connector().map(str::to_owned);
        // The core says what to do; the command line knows how.
        match option_for(&error) {
            Some(option) => failure.or_hint(option),
            None => failure,
        }
    }
}

impl From<connector_vault_import::Error> for Failure {
    fn from(error: connector_vault_import::Error) -> Self {
        let failure = Self::new(error.code(), error.message());
        match error.hint() {
            Some(hint) => failure.hint(hint.to_owned()),
            None => failure,
        }
    }
}

impl From<connector_vault_store::Error> for Failure {
    fn from(error: connector_vault_store::Error) -> Self {
        if let connector_vault_store::Error::Core(error) = error {
            return error.into();
        }
        let mut failure = Self::new(error.code().as_str(), error.message());
        failure.hint = error.hint().map(Cow::Owned);
        failure
    }
}

fn option_for(error: &connector_vault::Error) -> Option<Cow<'static, str>> {
    match error.detail() {
        Some(Detail::MemoryNeeded(kib)) => {
            let mib = kib.div_ceil(1024);
            return Some(format!("--max-memory-mib {mib} allows it").into());
        }
        Some(Detail::ValuesKept(version)) => {
            return Some(format!("`cvault show --version {version} --reveal` shows them").into());
        }
        _ => {}
    }
    let option = match error.code() {
        Code::VaultIdRequired => {
            "set CVAULT_VAULT_REF, CVAULT_VAULT_ID, --vault-ref or --vault-id, or write the line `vault-id: <id>` into the identity file"
        }
        Code::RolledBack | Code::UntrustedOwner | Code::OtherVault => "--accept does that",
        Code::Forked => "`cvault merge` merges them, --accept accepts this one",
        Code::Damaged
            if error
                .hint()
                .is_some_and(|hint| hint.ends_with("the older header")) =>
        {
            "--older-header does that"
        }
        Code::MaskValue => "--allow-mask does that",
        Code::ConditionNotEvaluated => "--condition-met is that option",
        Code::TesterMissing => "--test-with COMMAND gives one",
        Code::NotAVault => "check the path",
        Code::MergeConflict => "--resolve does that",
        Code::MergeStranger => "--accept-strangers does that",
        _ => return None,
    };
    Some(option.into())
}
