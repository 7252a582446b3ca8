//! Bytes <-> structures of a vault file; knows no keys (docs/format.md sections 1 and 5 to 7).

pub(crate) mod base64url;
pub(crate) mod commit;
pub(crate) mod extra;
pub(crate) mod header;
pub(crate) mod hex;
pub(crate) mod key_slots;
pub(crate) mod mangled;
pub(crate) mod rights;

use crate::bytes::Reader;
use crate::error::{Code, Error, Result};
use crate::json::strict::{self, Strict, Wrong};
use crate::limits;

/// The first eight bytes of every vault file.
pub(crate) const MAGIC: &[u8; 8] = b"CVAULT01";

/// Bytes from which [`log_start`] tells where the log begins: the magic, the length of the key slots.
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
            .with_hint("update connector-vault"),
            None => not_a_vault(),
        });
    }
    let len = reader.u32("the length of the key slot part")? as usize;
    if len > limits::KEY_SLOTS_LEN_MAX {
        return Err(Error::new(
            Code::LimitExceeded,
            "the key slot part claims more than 1 MiB",
        ));
    }
    Ok((PREFIX_LEN + len) as u64)
}

/// Checks how long a vault file is, or would be. Who reads one checks that before.
///
/// Fails with `limit_exceeded`.
pub fn check_file_len(len: u64) -> Result<()> {
    if len <= limits::FILE_LEN_MAX {
        return Ok(());
    }
    Err(Error::new(
        Code::LimitExceeded,
        format!(
            "a vault file of {len} bytes is larger than the limit of {} bytes",
            limits::FILE_LEN_MAX
        ),
    ))
}

/// Splits a file into its key slot part and its log; the second is where the log starts.
pub(crate) fn split_file(file: &[u8]) -> Result<(&[u8], usize)> {
    check_file_len(file.len() as u64)?;
    let len = prefix_of(file)? - PREFIX_LEN as u64;
    let mut reader = Reader::new(&file[PREFIX_LEN..], PREFIX_LEN as u64);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let key_slots = reader.take(len, "the key slot part")?;
    Ok((key_slots, PREFIX_LEN + len))
}

/// Where the log begins in a file that begins with these bytes, of which there are enough if the file has them.
pub(crate) fn prefix_of(start: &[u8]) -> Result<u64> {
    if start.is_empty() {
        return Err(Error::new(
            Code::NotAVault,
            "the file is empty, so it is no connector vault",
        ));
    }
    log_start(start.first_chunk().ok_or_else(not_a_vault)?)
}

/// The file's start: magic and key slots. The log follows.
pub(crate) fn file_start(key_slots: &[u8]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    crate::bytes::put_part(&mut file, key_slots);
    file
}

fn not_a_vault() -> Error {
    Error::new(
        Code::NotAVault,
        "the bytes are no connector vault: they do not begin with CVAULT01",
    )
}

/// JSON of a part of the file: no white space around it, nothing behind it.
fn from_json<'t, T: Strict<'t>>(bytes: &'t [u8], offset: u64, what: &str) -> Result<T> {
    let broken = |how: String| crate::bytes::damaged(offset, format!("{what} {how}"));
    if bytes.trim_ascii().len() != bytes.len() {
        return Err(broken("has white space around it".to_owned()));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| broken(format!("is not UTF-8 (byte {})", error.valid_up_to() + 1)))?;
    strict::read(text).map_err(|Wrong { is_json, at }| {
        let how = match is_json {
            true => "does not follow the format",
            false => "is not valid JSON",
        };
        broken(format!("{how} (byte {})", at + 1))
    })
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value)
        .expect("the format's structures have string keys and no failing parts")
}

#[cfg(test)]
mod tests;
