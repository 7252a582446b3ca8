//! What a grant permits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// What a grant permits, from least to most; each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Lists ids, names, types, property names, versions and times; cannot read a value.
    Viewer,
    /// Also reads values; cannot change anything.
    Reader,
    /// Also changes existing connectors; cannot create or delete.
    Updater,
    /// Everything: also creates, deletes, compacts and grants.
    Owner,
}

impl Role {
    /// Every role, from least to most.
    pub const ALL: &'static [Self] = &[Self::Viewer, Self::Reader, Self::Updater, Self::Owner];

    /// The role's name on every surface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reader => "reader",
            Self::Updater => "updater",
            Self::Owner => "owner",
        }
    }

    /// Whether it reads values.
    #[must_use]
    pub fn reads(self) -> bool {
        self >= Self::Reader
    }

    /// Whether it changes existing connectors.
    #[must_use]
    pub fn updates(self) -> bool {
        self >= Self::Updater
    }

    /// Whether it may do everything.
    #[must_use]
    pub fn owns(self) -> bool {
        self >= Self::Owner
    }

    /// How many keys its bundle holds: the overview key; the secret root; the vault key's seed.
    pub(crate) fn keys(self) -> usize {
        1 + usize::from(self.reads()) + usize::from(self.owns())
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| {
                Error::new(Code::InvalidArgument, "unknown role")
                    .with_hint("roles are viewer, reader, updater and owner")
            })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
