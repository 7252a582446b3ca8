//! Why an export is not imported: a stable code, and a message that names the entry and never holds a value.

use std::fmt;

/// The result of reading an export.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an export is not imported. Never holds a value.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: &'static str,
    message: String,
    hint: Option<String>,
}

/// The file does not tell which tool wrote it.
pub(crate) const KIND_REQUIRED: &str = "kind_required";
/// The file is not what the tool writes.
pub(crate) const INVALID_EXPORT: &str = "invalid_export";
/// The tool writes such files, but this one cannot be read from outside the tool.
pub(crate) const UNSUPPORTED_EXPORT: &str = "unsupported_export";
/// The export is encrypted, and no key was given.
pub(crate) const SOURCE_KEY_REQUIRED: &str = "source_key_required";
/// The export does not decrypt by the key that was given.
pub(crate) const WRONG_SOURCE_KEY: &str = "wrong_source_key";
/// The export is larger, deeper or costlier than is read.
pub(crate) const LIMIT_EXCEEDED: &str = "limit_exceeded";

impl Error {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// The file is not what the tool writes.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(INVALID_EXPORT, message)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error, its message led by the entry that it is about.
    pub(crate) fn within(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The stable code: one of this crate's, or of the core's.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong, and with which entry.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl From<connector_vault::Error> for Error {
    fn from(error: connector_vault::Error) -> Self {
        Self {
            code: error.code().as_str(),
            message: error.message().to_owned(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

/// A name as it stands in messages: quoted, control characters escaped, clipped to 64 characters.
pub(crate) fn quoted(name: &str) -> String {
    let mut chars = name.chars();
    let clipped: String = chars.by_ref().take(64).collect();
    let more = if chars.next().is_some() { "..." } else { "" };
    format!("{clipped:?}{more}")
}
