//! A file that another tool wrote, before anything is known about it.

use std::fmt;

use crate::error::{Error, Result, SOURCE_KEY_REQUIRED};
use crate::kind::Kind;

/// Largest export, in bytes. That of the project's own document is larger: see [`Kind::Json`].
pub const EXPORT_LEN_MAX: usize = 64 * 1024 * 1024;

/// A file that another tool wrote, and what else is needed to read it. `Debug` is redacted.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) kind: Option<Kind>,
    pub(crate) file_name: Option<&'a str>,
    beside: Option<&'a [u8]>,
    key: Option<&'a str>,
}

impl<'a> Export<'a> {
    /// The bytes of a file.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            kind: None,
            file_name: None,
            beside: None,
            key: None,
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

    /// The same export with the file that stands beside it: see [`Kind::beside`].
    #[must_use]
    pub fn beside(mut self, bytes: &'a [u8]) -> Self {
        self.beside = Some(bytes);
        self
    }

    /// The same export with the key or password by which the tool has encrypted it.
    #[must_use]
    pub fn with_key(mut self, key: &'a str) -> Self {
        self.key = Some(key);
        self
    }

    /// The key; fails with `source_key_required` and names what is asked for.
    pub(crate) fn key(&self, what: &str) -> Result<&'a str> {
        let required = || {
            Error::new(SOURCE_KEY_REQUIRED, "the export is encrypted")
                .with_hint(format!("its key is {what}"))
        };
        self.key.ok_or_else(required)
    }

    /// The bytes of the file beside it.
    pub(crate) fn beside_len(&self) -> usize {
        self.beside.map_or(0, <[u8]>::len)
    }

    /// The text of the file beside it.
    pub(crate) fn text_beside(&self) -> Result<Option<&'a str>> {
        self.beside.map(text_of).transpose()
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
