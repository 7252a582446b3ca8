//! What a commit may hold, by its author's rights (docs/format.md section 7.2).

use crate::access::Rights;
use crate::connector::{Op, Version};
use crate::error::Result;
use crate::format::commit::{Commit, Kind};
use crate::format::header::Header;
use crate::format::hex::{GrantId, GroupId};
use crate::log;
use crate::role::Capability;

/// The rules for the records of one commit.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'h> {
    kind: Kind,
    rights: Rights<'h>,
    signer: GrantId,
    /// Records may be missing: what follows them skips a version.
    gaps: bool,
}

/// What the rules look at.
pub(crate) struct Facts {
    pub(crate) op: Op,
    pub(crate) version: Version,
    pub(crate) has_secrets: bool,
    pub(crate) group: GroupId,
}

/// The newest version of the connector before.
#[derive(Clone, Copy)]
pub(crate) struct Before {
    pub(crate) version: Version,
    pub(crate) op: Op,
    pub(crate) group: GroupId,
}

impl<'h> Rules<'h> {
    /// Fails with `unauthorized_commit` if the author may not make such a commit at all.
    pub(crate) fn of(header: &'h Header, commit: &Commit<'_>, gaps: bool) -> Result<Self> {
        let author = log::author(header, commit)?;
        Ok(Self {
            kind: commit.fixed.kind,
            rights: Rights::of(&author.rights),
            signer: author.id,
            gaps,
        })
    }

    /// Whether the author may do everything.
    pub(crate) fn by_owner(&self) -> bool {
        self.rights.owns()
    }

    /// Whether a version may name this author (docs/format.md section 8.6, rule R8.6): in changes the signer, in a
    /// snapshot a grant that is or was.
    pub(crate) fn permits_author(&self, header: &Header, author: GrantId) -> bool {
        match self.kind {
            Kind::Changes => author == self.signer,
            Kind::Snapshot => author == self.signer || header.knows(author),
        }
    }

    /// Whether a record may follow the version `before` of its connector; else why not.
    /// `same_identity` says whether both have one name and type.
    pub(crate) fn check(
        &self,
        new: &Facts,
        before: Option<Before>,
        same_identity: impl FnOnce() -> bool,
    ) -> Result<(), &'static str> {
        if new.has_secrets == (new.op == Op::Delete) {
            return Err("exactly a delete has no secrets");
        }
        match self.kind {
            Kind::Snapshot => match before {
                Some(before) if before.version >= new.version => {
                    Err("the versions of a connector do not ascend")
                }
                _ => Ok(()),
            },
            Kind::Changes => self.check_change(new, before, same_identity),
        }
    }

    fn check_change(
        &self,
        new: &Facts,
        before: Option<Before>,
        same_identity: impl FnOnce() -> bool,
    ) -> Result<(), &'static str> {
        let permitted = self.rights.in_group(new.group);
        if !permitted.has(capability_of(new.op)) {
            return Err("its author has no right to do this in its group");
        }
        let next = before.map_or(Version::FIRST, |before| before.version.next());
        let is_next = new.version == next || (self.gaps && new.version > next);
        if !is_next {
            return Err("its version is not the next one");
        }
        let exists = before.is_some_and(|before| before.op != Op::Delete);
        // What is missing may have created or deleted it. Not where the predecessor is known and
        // the author has no right to either.
        let may_be_missing = self.gaps && (permitted.has(Capability::Manage) || before.is_none());
        if exists == (new.op == Op::Create) && !may_be_missing {
            return Err("it creates what exists or changes what does not");
        }
        if let Some(before) = before.filter(|before| before.group != new.group) {
            if new.op != Op::Create {
                return Err("it changes a connector of another group");
            }
            if !self.rights.in_group(before.group).has(Capability::Manage) {
                return Err("it creates what was deleted in a group where its author may not");
            }
        }
        if permitted.has(Capability::Manage) {
            return Ok(());
        }
        if before.is_some() && !same_identity() {
            return Err("its author may not change a name or type");
        }
        Ok(())
    }
}

/// The capability that an op takes, in the group of its record.
pub(crate) fn capability_of(op: Op) -> Capability {
    match op {
        Op::Update | Op::Restore => Capability::Write,
        Op::Create | Op::Delete => Capability::Manage,
    }
}
