//! What the changes of an author may be: from entries and header alone, for every member alike
//! (docs/format.md section 7.4).

use super::entries::Entry;
use crate::access::Rights;
use crate::connector::{Op, Version};
use crate::error::Result;
use crate::format::commit::Commit;
use crate::format::header::Header;
use crate::log;
use crate::role::{Capabilities, Capability};

/// Who made a commit, and where it may do what.
pub(crate) struct Author<'a> {
    header: &'a Header,
    rights: Rights<'a>,
}

/// What stands before an entry.
pub(crate) enum Before {
    /// No version of its connector.
    Nothing,
    Version(Entry),
    /// Nobody can tell: the page of the snapshot is damaged.
    Damaged,
}

impl<'a> Author<'a> {
    /// Fails with `unauthorized_commit` if the author has no grant.
    pub(crate) fn of(header: &'a Header, commit: &Commit<'_>) -> Result<Self> {
        let grant = log::author(header, commit)?;
        Ok(Self {
            header,
            rights: Rights::of(&grant.rights),
        })
    }

    /// Whether an entry may follow what stands before it; else why not.
    pub(crate) fn check(&self, new: &Entry, before: &Before) -> Result<(), &'static str> {
        let Some(may) = self.in_group(new.group) else {
            return Err("it names a group that there is not");
        };
        if !may.has(capability_of(new.op)) {
            return Err("its author has no right to it in this group");
        }
        if new.op == Op::Patch && !self.has_deposit(new.group) {
            return Err("its group has no deposit key");
        }
        let before = match before {
            Before::Damaged => return Ok(()),
            Before::Nothing => None,
            Before::Version(before) => Some(before),
        };
        let next = before.map_or(Version::FIRST, |before| before.version.next());
        if new.version != next {
            return Err("its version is not the next one");
        }
        let before = match (new.op, before) {
            (Op::Create, None) => return Ok(()),
            (Op::Create, Some(before)) if before.exists() => {
                return Err("it creates a connector that exists");
            }
            (Op::Undelete, Some(before)) if before.exists() => {
                return Err("it undeletes a connector that is not deleted");
            }
            (Op::Create | Op::Undelete, Some(before)) => before,
            (_, Some(before)) if before.exists() => before,
            _ => return Err("it changes a connector that there is not"),
        };
        let is_there = new.group == before.group;
        match new.op {
            Op::Create => self.check_takeover(before),
            Op::Move if is_there => Err("its connector is in this group already"),
            Op::Move if !self.manages(before.group) => {
                Err("its author has no right to it in the group where the connector was")
            }
            Op::Move => Ok(()),
            _ if !is_there => Err("its connector is in another group"),
            Op::Update | Op::Patch | Op::Restore if new.face != before.face => {
                Err("it changes id, name, type or meta")
            }
            _ => Ok(()),
        }
    }

    /// An id that workflows use cannot be taken over from elsewhere.
    fn check_takeover(&self, deleted: &Entry) -> Result<(), &'static str> {
        match self.in_group(deleted.group) {
            Some(may) if !may.has(Capability::Manage) => {
                Err("its author has no right to the id that was deleted")
            }
            _ => Ok(()),
        }
    }

    fn manages(&self, group: u16) -> bool {
        let may = self.in_group(group);
        may.is_some_and(|may| may.has(Capability::Manage))
    }

    fn has_deposit(&self, group: u16) -> bool {
        let group = self.header.group(group);
        group.is_some_and(|group| group.deposit.is_some())
    }

    fn in_group(&self, number: u16) -> Option<Capabilities> {
        let group = self.header.group(number)?;
        Some(self.rights.in_group(group.id))
    }
}

/// The capability that an op takes, in the group of its record.
pub(crate) fn capability_of(op: Op) -> Capability {
    match op {
        Op::Patch => Capability::Patch,
        Op::Update | Op::Restore => Capability::Write,
        Op::Create | Op::Describe | Op::Move | Op::Delete | Op::Undelete => Capability::Manage,
    }
}
