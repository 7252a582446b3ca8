//! Ids and other short binary fields, which stand in JSON as lower-case base16 (RFC 4648).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Code, Error, Result};
use crate::json::strict::{Read, Reader, Strict};

/// `N` bytes that stand in text as `2 N` lower-case base16 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Hex<const N: usize>(pub(crate) [u8; N]);

impl<const N: usize> Hex<N> {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; N];
        let decoded = base16ct::lower::decode(text, &mut bytes).ok()?;
        (decoded.len() == N).then_some(Self(bytes))
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A visitor, since an owned string for each id would cost as much as the rest of an
        // overview.
        struct Digits<const N: usize>;
        impl<const N: usize> serde::de::Visitor<'_> for Digits<N> {
            type Value = Hex<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} lower-case base16 digits", 2 * N)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Hex<N>, E> {
                Hex::parse(text)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Other("text"), &self))
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

impl<const N: usize> Strict<'_> for Hex<N> {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.word(Self::parse)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub(crate) Hex<$len>);

        impl $name {
            /// Its bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0.0
            }
        }

        impl Strict<'_> for $name {
            fn read(reader: &mut Reader<'_>) -> Read<Self> {
                Hex::read(reader).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

id! {
    /// The id of a vault, 64 base16 digits: SHA-256 of its first vault key. It never changes and
    /// says which vault one trusts.
    VaultId, 32
}
id! {
    /// The id of a grant, 16 base16 digits.
    GrantId, 8
}
id! {
    /// The id of a group of connectors, 16 base16 digits.
    GroupId, 8
}

impl FromStr for VaultId {
    type Err = Error;

    /// Reads 64 base16 digits, in lower or upper case.
    fn from_str(text: &str) -> Result<Self> {
        Hex::parse(&text.trim().to_ascii_lowercase())
            .map(Self)
            .ok_or_else(|| Error::new(Code::InvalidVaultId, "a vault id has 64 base16 digits"))
    }
}
