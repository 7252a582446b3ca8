//! Bytes <-> structures of a vault file; knows no keys (docs/format.md sections 1 and 5 to 7).

pub(crate) mod commit;
pub(crate) mod header;
pub(crate) mod hex;
pub(crate) mod locks;

use connector_vault_json as json;
use serde::{Deserialize, Serialize};

use crate::bytes::{Reader, damaged};
use crate::error::{Code, Error, Result};
use crate::limits;

/// The first eight bytes of every vault file.
pub(crate) const MAGIC: &[u8; 8] = b"CVAULT01";

/// Bytes from which [`log_start`] tells where the log begins: the magic, the length of the locks.
pub const PREFIX_LEN: usize = MAGIC.len() + 4;

/// Where the log begins in a file that begins with `prefix`.
///
/// Fails with `not_a_vault`, `unsupported_version` or `limit_exceeded`.
pub fn log_start(prefix: &[u8; PREFIX_LEN]) -> Result<u64> {
    let mut reader = Reader::new(prefix, 0);
    let magic: &[u8; 8] = reader.array("the magic")?;
    if magic != MAGIC {
        return Err(match magic.strip_prefix(b"CVAULT") {
            Some(_) => Error::new(
                Code::UnsupportedVersion,
                "the vault has a format that this version does not know",
            )
            .hint("update connector-vault"),
            None => not_a_vault(),
        });
    }
    let len = reader.u32("the length of the locks part")? as usize;
    if len > limits::LOCKS_LEN_MAX {
        return Err(Error::new(
            Code::LimitExceeded,
            "the locks part claims more than 256 KiB",
        ));
    }
    Ok((PREFIX_LEN + len) as u64)
}

/// Splits a file into its locks part and its log; the second is where the log starts.
pub(crate) fn split_file(file: &[u8]) -> Result<(&[u8], usize)> {
    let prefix = file.first_chunk().ok_or_else(not_a_vault)?;
    let len = log_start(prefix)? - PREFIX_LEN as u64;
    let mut reader = Reader::new(&file[PREFIX_LEN..], PREFIX_LEN as u64);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let locks = reader.take(len, "the locks part")?;
    Ok((locks, PREFIX_LEN + len))
}

/// The file's start: magic and locks. The log follows.
pub(crate) fn file_start(locks: &[u8]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    crate::bytes::put_part(&mut file, locks);
    file
}

fn not_a_vault() -> Error {
    Error::new(
        Code::NotAVault,
        "the bytes are no connector vault: they do not begin with CVAULT01",
    )
}

/// JSON of a part of the file: no white space around it, nothing behind it.
fn from_json<'de, T: Deserialize<'de>>(bytes: &'de [u8], offset: u64, what: &str) -> Result<T> {
    let text = json_text(bytes, offset, what)?;
    json::from_str(text).map_err(|error| not_the_format(&error, offset, what))
}

fn json_text<'t>(bytes: &'t [u8], offset: u64, what: &str) -> Result<&'t str> {
    if bytes.trim_ascii().len() != bytes.len() {
        return Err(damaged(offset, format!("white space around {what}")));
    }
    std::str::from_utf8(bytes).map_err(|_| damaged(offset, format!("{what} is not UTF-8")))
}

#[cold]
fn not_the_format(error: &json::Error, offset: u64, what: &str) -> Error {
    let at = offset + error.position() as u64;
    damaged(at, format!("{what} does not follow the format"))
}

/// JSON of a part that holds no secret.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    std::mem::take(&mut *to_secret_json(value)).into_bytes()
}

pub(crate) fn to_secret_json(value: &impl Serialize) -> json::Text {
    json::to_text(value).expect("the format's structures are all of types that its JSON has")
}

#[cfg(test)]
mod tests;
