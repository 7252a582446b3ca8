//! A file that another tool wrote, before anything is known about it.

use std::fmt;

use crate::error::{Error, Result};
use crate::kind::Kind;

/// Largest export, in bytes. That of the project's own document is larger: see [`Kind::Json`].
pub const EXPORT_LEN_MAX: usize = 64 * 1024 * 1024;

/// A file that another tool wrote, and what else is needed to read it. `Debug` is redacted.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) kind: Option<Kind>,
    pub(crate) file_name: Option<&'a str>,
}

impl<'a> Export<'a> {
    /// The bytes of a file.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            kind: None,
            file_name: None,
        }
    }

    /// The same export with the name of its file, without folders. Some kinds have no id but this.
    #[must_use]
    pub fn named(mut self, file_name: &'a str) -> Self {
        self.file_name = Some(file_name);
        self
    }

    /// The same export, of this kind whatever it looks like.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Its text.
    pub(crate) fn text(&self) -> Result<&'a str> {
        text_of(self.bytes)
    }
}

impl fmt::Debug for Export<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Export({} bytes, ..)", self.bytes.len())
    }
}

/// The text, without the byte order mark that it may begin with.
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str> {
    let text = utf_8(bytes)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

pub(crate) fn utf_8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes)
        .map_err(|_| Error::invalid("the file is not UTF-8 text").with_hint("save it as UTF-8"))
}
