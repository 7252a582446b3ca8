//! Roles, and the capabilities that they stand for (docs/format.md section 5.2).

use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// A name for a set of capabilities. A right gives a role in one group of connectors or in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Lists ids, names, types, property names, versions and times; cannot read a value.
    Viewer,
    /// Also sets and removes properties of existing connectors, without reading any value.
    Rotator,
    /// Lists, and reads values; cannot change anything.
    Reader,
    /// Also changes existing connectors; cannot create or delete.
    Updater,
    /// Also creates, describes, moves, deletes and undeletes connectors.
    Editor,
    /// Everything, and in all groups: also compacts and grants.
    Owner,
}

/// Something that a grant may permit in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Capability {
    /// To see the overviews of connectors.
    List = 1,
    /// To read their values.
    Read = 2,
    /// To set and remove properties without reading any.
    Patch = 4,
    /// To change their properties.
    Write = 8,
    /// To create, describe, move, delete and undelete connectors.
    Manage = 16,
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities(u8);

impl Capabilities {
    fn of(list: &[Capability]) -> Self {
        Self(list.iter().fold(0, |set, one| set | *one as u8))
    }

    pub(crate) fn has(self, capability: Capability) -> bool {
        self.0 & capability as u8 != 0
    }

    /// Whether there is a capability among them to make commits.
    pub(crate) fn commits(self) -> bool {
        [Capability::Patch, Capability::Write, Capability::Manage]
            .iter()
            .any(|capability| self.has(*capability))
    }

    /// Whether it has every capability that `other` has.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The capabilities of both. Reading and patching together are writing.
impl BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        let sum = Self(self.0 | other.0);
        match sum.has(Capability::Read) && sum.has(Capability::Patch) {
            true => Self(sum.0 | Capability::Write as u8),
            false => sum,
        }
    }
}

impl Role {
    /// Every role, from least to most.
    pub const ALL: &'static [Self] = &[
        Self::Viewer,
        Self::Rotator,
        Self::Reader,
        Self::Updater,
        Self::Editor,
        Self::Owner,
    ];

    /// The role's name on every surface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Rotator => "rotator",
            Self::Reader => "reader",
            Self::Updater => "updater",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    pub(crate) fn capabilities(self) -> Capabilities {
        use Capability::{List, Manage, Patch, Read, Write};
        Capabilities::of(match self {
            Self::Viewer => &[List],
            Self::Rotator => &[List, Patch],
            Self::Reader => &[List, Read],
            Self::Updater => &[List, Read, Patch, Write],
            Self::Editor | Self::Owner => &[List, Read, Patch, Write, Manage],
        })
    }

    /// Whether it reads values.
    #[must_use]
    pub fn reads(self) -> bool {
        self.capabilities().has(Capability::Read)
    }

    /// Whether its writes are sealed to the deposit key of their group.
    pub(crate) fn deposits(self) -> bool {
        self == Self::Rotator
    }

    /// Whether it may do everything, and signs headers and snapshots.
    #[must_use]
    pub fn owns(self) -> bool {
        self == Self::Owner
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
                    .with_hint("roles are viewer, rotator, reader, updater, editor and owner")
            })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_and_patching_are_writing() {
        let (reads, patches) = (Role::Reader.capabilities(), Role::Rotator.capabilities());
        assert!(!reads.has(Capability::Write) && !patches.has(Capability::Write));
        assert_eq!(reads | patches, Role::Updater.capabilities());
    }

    #[test]
    fn each_role_covers_the_ones_before_it() {
        for (index, role) in Role::ALL.iter().enumerate() {
            let more = role.capabilities();
            for before in &Role::ALL[..index] {
                let (less, pair) = (before.capabilities(), (before, role));
                // To patch and to read are two things.
                let is_covered = pair != (&Role::Rotator, &Role::Reader);
                assert_eq!(more.covers(less), is_covered, "{pair:?}");
                // An owner is more than what it may do in groups.
                assert!(!less.covers(more) || role.owns(), "{pair:?}");
            }
        }
    }
}
