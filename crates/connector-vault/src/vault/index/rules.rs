//! What the changes of an author may be: from entries and header alone, for every member alike
//! (docs/format.md section 7.4).

use super::entries::Entry;
use crate::access::Rights;
use crate::connector::{Op, Version};
use crate::error::Result;
use crate::format::commit::Commit;
use crate::format::header::Header;
use crate::format::hex::GrantId;
use crate::log;
use crate::role::{Capabilities, Capability};

/// Who made a commit, and where it may do what.
pub(crate) struct Author<'a> {
    header: &'a Header,
    grant: GrantId,
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
            grant: grant.id,
            rights: Rights::of(&grant.rights),
        })
    }

    /// Whether it is this grant.
    pub(crate) fn is(&self, grant: GrantId) -> bool {
        self.grant == grant
    }

    /// Whether it may do everything.
    pub(crate) fn is_owner(&self) -> bool {
        self.rights.owns()
    }

    /// Whether an entry may follow what stands before it; else why not.
    pub(crate) fn check(&self, new: &Entry, before: &Before) -> Result<(), &'static str> {
        let Some(may) = self.in_group(new.group) else {
            return Err("it names a group that there is not");
        };
        if !may.has(capability_of(new.op)) {
            return Err("its author has no right to it in this group");
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
        let exists = before.is_some_and(Entry::exists);
        let Some(before) = before.filter(|_| exists || new.op == Op::Create) else {
            return match new.op {
                Op::Create => Ok(()),
                _ => Err("it changes a connector that there is not"),
            };
        };
        match new.op {
            Op::Create if exists => Err("it creates a connector that exists"),
            Op::Create => self.check_takeover(before),
            _ if new.group != before.group => Err("its connector is in another group"),
            Op::Update | Op::Restore if new.face != before.face => {
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

    fn in_group(&self, number: u16) -> Option<Capabilities> {
        let group = self.header.group(number)?;
        Some(self.rights.in_group(group.id))
    }
}

/// The capability that an op takes, in the group of its record.
pub(crate) fn capability_of(op: Op) -> Capability {
    match op {
        Op::Update | Op::Restore => Capability::Write,
        Op::Create | Op::Delete => Capability::Manage,
    }
}
