//! What a commit may hold, by its author's role (docs/format.md section 7.2).

use crate::connector::{Op, Version};
use crate::error::Result;
use crate::format::commit::{Commit, Kind};
use crate::format::header::Header;
use crate::format::hex::GrantId;
use crate::log;
use crate::role::Role;

/// The rules for the records of one commit.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    kind: Kind,
    role: Role,
    signer: GrantId,
    /// Records may be missing: what follows them skips a version.
    gaps: bool,
}

/// What the rules look at.
pub(crate) struct Facts {
    pub(crate) op: Op,
    pub(crate) version: Version,
    pub(crate) author: GrantId,
    pub(crate) has_secrets: bool,
}

impl Rules {
    /// Fails with `unauthorized_commit` if the author may not make such a commit at all.
    pub(crate) fn of(header: &Header, commit: &Commit<'_>, gaps: bool) -> Result<Self> {
        let role = log::author_role(header, commit)?;
        let signer = header.grants[usize::from(commit.fixed.author)].id;
        Ok(Self {
            kind: commit.fixed.kind,
            role,
            signer,
            gaps,
        })
    }

    /// Whether the author may do everything.
    pub(crate) fn by_owner(&self) -> bool {
        self.role.owns()
    }

    /// Whether a record may follow the version `before` of its connector; else why not.
    /// `same_identity` says whether both have one name and type.
    pub(crate) fn check(
        &self,
        new: &Facts,
        before: Option<(Version, Op)>,
        same_identity: impl FnOnce() -> bool,
    ) -> Result<(), &'static str> {
        if new.has_secrets == (new.op == Op::Delete) {
            return Err("exactly a delete has no secrets");
        }
        match self.kind {
            Kind::Snapshot => match before {
                Some((before, _)) if before >= new.version => {
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
        before: Option<(Version, Op)>,
        same_identity: impl FnOnce() -> bool,
    ) -> Result<(), &'static str> {
        if new.author != self.signer {
            return Err("it names another author than the signer");
        }
        let next = before.map_or(Version::FIRST, |(before, _)| before.next());
        let is_next = new.version == next || (self.gaps && new.version > next);
        if !is_next {
            return Err("its version is not the next one");
        }
        let exists = before.is_some_and(|(_, op)| op != Op::Delete);
        // What is missing may have created or deleted it. Not where the predecessor is known and
        // the author has no right to either.
        let may_be_missing = self.gaps && (self.by_owner() || before.is_none());
        if exists == (new.op == Op::Create) && !may_be_missing {
            return Err("it creates what exists or changes what does not");
        }
        if self.by_owner() {
            return Ok(());
        }
        if !matches!(new.op, Op::Update | Op::Restore) {
            return Err("its author may only update and restore");
        }
        if before.is_some() && !same_identity() {
            return Err("its author may not change a name or type");
        }
        Ok(())
    }
}
