//! The rights of a grant as the header lists them (docs/format.md section 5.3). `access` says what they permit.

use std::fmt;

use serde::{Serialize, Serializer};

use super::hex::{GroupId, Hex};
use crate::json::strict::{Listed, Read, Reader, Strict, object};
use crate::limits;
use crate::role::Role;

/// A role in one group or in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RightEntry {
    pub(crate) group: Scope,
    pub(crate) role: Role,
}

/// The groups that a right covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All groups, those to come included: `*`.
    All,
    /// One group.
    Group(GroupId),
}

impl Scope {
    pub(crate) fn covers(self, group: GroupId) -> bool {
        match self {
            Self::All => true,
            Self::Group(own) => own == group,
        }
    }
}

impl RightEntry {
    /// A role in all groups.
    pub(crate) fn everywhere(role: Role) -> Self {
        Self {
            group: Scope::All,
            role,
        }
    }
}

/// `ROLE:GROUP`, the group by its id.
impl fmt::Display for RightEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.role, self.group)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Group(id) => id.fmt(f),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Strict<'_> for Scope {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.word(|word| match word {
            "*" => Some(Self::All),
            id => Hex::parse(id).map(|id| Self::Group(GroupId(id))),
        })
    }
}

impl Strict<'_> for Role {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.word(|word| word.parse().ok())
    }
}

object!(RightEntry { "group" => group, "role" => role, });

impl Listed for RightEntry {
    const COUNT_MAX: usize = limits::RIGHTS_MAX;
}

/// The fault of a header with these rights of a grant, whatever groups there are; `None` if there is no fault.
pub(crate) fn fault_of(rights: &[RightEntry]) -> Option<&'static str> {
    if rights.is_empty() {
        return Some("lists a grant without a right");
    }
    let is_owner = |right: &RightEntry| right.role.owns();
    if rights.iter().any(is_owner) && rights != [RightEntry::everywhere(Role::Owner)] {
        return Some("lists a grant with the role owner in a group or beside another right");
    }
    let is_twice = |(index, right): (usize, &RightEntry)| {
        let before = &rights[..index];
        before.iter().any(|other| other.group == right.group)
    };
    match rights.iter().enumerate().any(is_twice) {
        true => Some("lists a grant with two rights in one group"),
        false => None,
    }
}

/// Bytes of the plaintext of a bundle with these rights: `Ki`, for each right an overview root or key and, where the
/// role reads, a secret root or group secret, and for an owner the seed of the vault key.
pub(crate) fn bundle_len(rights: &[RightEntry]) -> usize {
    let keys =
        |right: &RightEntry| 1 + usize::from(right.role.reads()) + usize::from(right.role.owns());
    32 * (1 + rights.iter().map(keys).sum::<usize>())
}
