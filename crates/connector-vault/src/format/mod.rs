//! Bytes <-> structures of a vault file; knows no keys (docs/format.md sections 1 and 5 to 7).

pub(crate) mod commit;
pub(crate) mod header;
pub(crate) mod hex;
pub(crate) mod key_slots;
pub(crate) mod mangled;

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::bytes::Reader;
use crate::error::{Code, Error, Result};
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
            "the key slot part claims more than 256 KiB",
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
    if file.is_empty() {
        return Err(Error::new(
            Code::NotAVault,
            "the file is empty, so it is no connector vault",
        ));
    }
    let prefix = file.first_chunk().ok_or_else(not_a_vault)?;
    let len = log_start(prefix)? - PREFIX_LEN as u64;
    let mut reader = Reader::new(&file[PREFIX_LEN..], PREFIX_LEN as u64);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let key_slots = reader.take(len, "the key slot part")?;
    Ok((key_slots, PREFIX_LEN + len))
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
fn from_json<'de, T: serde::Deserialize<'de>>(
    bytes: &'de [u8],
    offset: u64,
    what: &str,
) -> Result<T> {
    let trimmed = bytes.trim_ascii();
    if trimmed.len() != bytes.len() {
        return Err(crate::bytes::damaged(
            offset,
            format!("white space around {what}"),
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // serde's own message may quote the input; the line and column are enough.
        let category = match error.classify() {
            serde_json::error::Category::Data => "does not follow the format",
            _ => "is not valid JSON",
        };
        crate::bytes::damaged(
            offset,
            format!("{what} {category} (column {})", error.column()),
        )
    })
}

/// A structure that stands as a JSON object: serde alone would take an array of its values too,
/// which no other implementation does.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Map<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Map(PhantomData))
    }
}

/// For fields that are objects.
fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// For fields that are arrays of objects.
fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value)
        .expect("the format's structures have string keys and no failing parts")
}

#[cfg(test)]
mod tests;
