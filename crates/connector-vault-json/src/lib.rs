//! JSON (RFC 8259) <-> serde types, for formats whose numbers are whole: strict, and little code.
//!
//! serde_json serves every type, and its code would be half of the WebAssembly module. Here an object
//! is a structure or a map and nothing else is, an enumeration is a word, a number is a `u64`; what a
//! format has no use for is refused.
//!
//! Texts may be secret: what is written is wiped when dropped, buffers that were outgrown too, and
//! reading makes no copies but those that it hands out.
//!
//! ```
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Row<'a> {
//!     name: &'a str,
//!     version: u64,
//! }
//!
//! let row: Row = connector_vault_json::from_str(r#"{"name": "Twitter", "version": 3}"#)?;
//! assert_eq!(*connector_vault_json::to_text(&row)?, r#"{"name":"Twitter","version":3}"#);
//! # Ok::<(), connector_vault_json::Error>(())
//! ```

mod de;
mod error;
mod reader;
mod ser;
mod text;

use serde::{Deserialize, Serialize};

pub use error::Error;
pub use text::{Text, TextBuf, write_string};

use reader::Reader;

/// Reads one JSON text.
pub fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Error> {
    let mut reader = Reader::new(text);
    let value = T::deserialize(&mut reader).map_err(|error| error.at(reader.position()))?;
    reader.end()?;
    Ok(value)
}

/// The elements of a JSON array, each as it is written.
pub fn elements(text: &str) -> Result<Vec<&str>, Error> {
    let mut reader = Reader::new(text);
    let mut elements = Vec::new();
    reader.open(b'[')?;
    while reader.next(b']', elements.is_empty())? {
        elements.push(reader.skip()?);
    }
    reader.end()?;
    Ok(elements)
}

/// Compact JSON text: no white space, no needless escapes.
pub fn to_text(value: &impl Serialize) -> Result<Text, Error> {
    let mut out = TextBuf::default();
    value.serialize(ser::Writer(&mut out))?;
    Ok(out.into_text())
}

#[cfg(test)]
mod tests;
