//! What comes in: lengths are checked before anything is allocated, so that no input stops the module.

use connector_vault::limits::{COUNTER_MAX, FILE_LEN_MAX};
use connector_vault::{Code, Error, ExternalKey, Passphrase, Stretched};
use js_sys::Uint8Array;
use zeroize::Zeroizing;

use crate::error::Result;

/// The largest text that may hold a secret, in bytes: an action is at most 16 MiB, and JSON may
/// write each of its bytes as six.
const TEXT_LEN_MAX: u32 = 128 << 20;

/// The bytes of a vault file, or of a part of one.
pub(crate) fn file(array: &Uint8Array) -> Result<Vec<u8>> {
    bytes(array, FILE_LEN_MAX as u32)
}

/// Text that may hold a secret, as UTF-8.
pub(crate) fn text(array: &Uint8Array) -> Result<Zeroizing<String>> {
    let text = String::from_utf8(bytes(array, TEXT_LEN_MAX)?).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        Error::new(Code::InvalidArgument, "the text is not UTF-8")
    })?;
    Ok(Zeroizing::new(text))
}

/// A secret that is no text.
pub(crate) fn secret(array: &Uint8Array) -> Result<Zeroizing<Vec<u8>>> {
    bytes(array, TEXT_LEN_MAX).map(Zeroizing::new)
}

/// An external key.
pub(crate) fn key(array: &Uint8Array) -> Result<ExternalKey> {
    Ok(ExternalKey::from_bytes(&secret(array)?)?)
}

/// The hint of a key slot, whose length the core checks.
pub(crate) fn hint(array: &Uint8Array) -> Result<Vec<u8>> {
    bytes(array, TEXT_LEN_MAX)
}

/// A passphrase that `stretch` has stretched.
pub(crate) fn stretched(bytes: &Uint8Array) -> Result<Passphrase> {
    Ok(Stretched::from_bytes(&secret(bytes)?)?.into())
}

fn bytes(array: &Uint8Array, len_max: u32) -> Result<Vec<u8>> {
    let len = array.length();
    let refused = |message: String| Error::new(Code::LimitExceeded, message);
    if len > len_max {
        return Err(refused(format!("{len} bytes are more than {len_max}")).into());
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(len as usize)
        .map_err(|_| refused(format!("{len} bytes of memory are not to be had")))?;
    bytes.resize(len as usize, 0);
    array.copy_to(&mut bytes);
    Ok(bytes)
}

/// A count or version as JavaScript has it.
pub(crate) fn whole(what: &str, number: f64) -> Result<u64> {
    let is_whole = number >= 1.0 && number <= COUNTER_MAX as f64 && number.fract() == 0.0;
    if !is_whole {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("{what} is a whole number, at least 1"),
        )
        .into());
    }
    Ok(number as u64)
}
