//! Bytes <-> structures of a vault file; knows no keys (docs/format.md sections 1 and 5 to 7).

pub(crate) mod commit;
pub(crate) mod header;
pub(crate) mod hex;
pub(crate) mod locks;

use crate::bytes::Reader;
use crate::error::{Code, Error, Result};
use crate::limits;

/// The first eight bytes of every vault file.
pub(crate) const MAGIC: &[u8; 8] = b"CVAULT01";

/// Splits a file into its locks part and its log; the second is where the log starts.
pub(crate) fn split_file(file: &[u8]) -> Result<(&[u8], usize)> {
    let mut reader = Reader::new(file, 0);
    let magic: &[u8; 8] = reader.array("the magic").map_err(|_| not_a_vault())?;
    if magic != MAGIC {
        return Err(match magic.strip_prefix(b"CVAULT") {
            Some(_) => Error::new(Code::UnsupportedVersion, "the vault has a format that this version does not know")
                .hint("update connector-vault"),
            None => not_a_vault(),
        });
    }
    let locks = reader.part(limits::LOCKS_LEN_MAX, "the locks part")?;
    Ok((locks, file.len() - reader.rest().len()))
}

/// The file's start: magic and locks. The log follows.
pub(crate) fn file_start(locks: &[u8]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    crate::bytes::put_part(&mut file, locks);
    file
}

fn not_a_vault() -> Error {
    Error::new(Code::NotAVault, "the bytes are no connector vault: they do not begin with CVAULT01")
}

/// JSON of a part of the file: no white space around it, nothing behind it.
fn from_json<'de, T: serde::Deserialize<'de>>(bytes: &'de [u8], offset: u64, what: &str) -> Result<T> {
    let trimmed = bytes.trim_ascii();
    if trimmed.len() != bytes.len() {
        return Err(crate::bytes::damaged(offset, format!("white space around {what}")));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // serde's own message may quote the input; the line and column are enough.
        let category = match error.classify() {
            serde_json::error::Category::Data => "does not follow the format",
            _ => "is not valid JSON",
        };
        crate::bytes::damaged(offset, format!("{what} {category} (column {})", error.column()))
    })
}

fn to_json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("the format's structures have string keys and no failing parts")
}
