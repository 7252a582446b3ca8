//! Binary fields longer than 64 bytes, which stand in JSON as base64url without padding (RFC 4648 section 5).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serializer;

use crate::crypto::x_wing;
use crate::json::strict::{Read, Reader, Strict};

/// Bytes of any number. One text stands for them: no bits are left over.
pub(crate) struct Base64Url(pub(crate) Vec<u8>);

impl Strict<'_> for Base64Url {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.word(|text| Base64UrlUnpadded::decode_vec(text).ok().map(Self))
    }
}

impl Strict<'_> for x_wing::PublicKey {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let wrong = reader.other();
        let Base64Url(bytes) = Base64Url::read(reader)?;
        let key = bytes.as_slice().try_into().ok();
        key.and_then(Self::from_bytes).ok_or(wrong)
    }
}

/// The bytes of a field that may be absent, where it is there.
pub(crate) fn serialize_some<S: Serializer>(
    bytes: &Option<impl AsRef<[u8]>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => serialize(bytes, serializer),
        None => serializer.serialize_none(),
    }
}

pub(crate) fn serialize<S: Serializer>(
    bytes: impl AsRef<[u8]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Base64UrlUnpadded::encode_string(bytes.as_ref()))
}
