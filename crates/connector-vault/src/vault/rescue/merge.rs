//! Merging two copies of a vault that were changed apart: three-way, per connector and per
//! property, name and type, meta and group, from the newest version that both know (docs/format.md section 11).

mod report;
mod snapshot;

use std::collections::{BTreeSet, HashMap, HashSet};

pub use self::report::{
    ConflictKind, LastChange, MergeConflict, MergeOptions, NotTaken, Resolve, Stranger, Winner,
};

use self::snapshot::Taken;
use crate::access::Rights;
use crate::action::{Note, Options};
use crate::connector::{
    Connector, Description, Meta, NewConnector, Op, Properties, PropertyName, Version,
};
use crate::error::{Code, Error, Result, counted, for_all, quoted};
use crate::format::hex::{GrantId, GroupId, Hex};
use crate::limits;
use crate::log::{self, Head};
use crate::plan::{self, Plan, Step};
use crate::role::Capability;
use crate::secret::Secret;
use crate::source::Source;
use crate::time::Timestamp;
use crate::vault::authorship::{Fault, Signature};
use crate::vault::commit::Prepared;
use crate::vault::index::{CommitPlace, Stored, capability_of};
use crate::vault::open::not_mergeable;
use crate::vault::planning::{Staging, StandIn};
use crate::vault::record::{OpenedOverview, Overview, VersionId};
use crate::vault::{Host, Vault};

/// What merging another copy would change here.
#[derive(Debug)]
#[non_exhaustive]
pub struct Merge {
    /// What both changed, resolved or not.
    pub conflicts: Vec<MergeConflict>,
    /// The grants whose versions the other copy alone has, and that this one does not list with that key and that
    /// right.
    pub strangers: Vec<Stranger>,
    /// Versions of the other copy that are not taken.
    pub not_taken: Vec<NotTaken>,
    plans: Vec<Plan>,
    /// For each plan, the versions of the other copy that an owner takes over in its place; empty if those of the plan
    /// before it tell this change too. `None`: a version of the owner's.
    taken: Vec<Option<Vec<Taken>>>,
    /// Seq and hash of the commits of merged copies, as an owner's snapshot lists them.
    adopted: Vec<[u8; 40]>,
    /// What it was planned on.
    head: Head,
    /// Whether the other copy has commits that this one lacks.
    lacks: bool,
    /// How many conflicts nobody has resolved.
    unresolved: usize,
    options: MergeOptions,
}

impl Merge {
    /// The plans, for the outcomes that they would have.
    #[must_use]
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// Whether the other copy has nothing that this one lacks.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        !self.lacks
    }

    /// Fails with `merge_conflict` if a conflict is not resolved, with `merge_stranger` if the
    /// work of a grant that is not listed here was not accepted.
    pub fn check(&self) -> Result<()> {
        if let (false, [first, ..]) = (self.options.accept_strangers, &*self.strangers) {
            return Err(Error::new(
                Code::MergeStranger,
                format!(
                    "the other copy was changed by the grant {first}, which may not do that here"
                ),
            )
            .with_hint("look at what it changed, then accept it on purpose"));
        }
        if let (1.., [first, ..]) = (self.unresolved, &*self.conflicts) {
            let count = counted(self.unresolved as u64, "conflict", "conflicts");
            let id = first.id.as_str();
            let error = Error::new(
                Code::MergeConflict,
                format!("{count}, the first in the connector {id:?}"),
            );
            return Err(match self.options.resolve {
                None => error.with_hint("say whose side wins: ours, theirs or the newest"),
                Some(_) => error.with_hint(
                    "a time in the future does not say whose change is newer: say whose side wins, ours or theirs",
                ),
            });
        }
        Ok(())
    }
}

impl<S: Source> Vault<S> {
    /// What merging `theirs`, another copy of this vault whose bytes never miss, would change here. Nothing is
    /// written. `now` is the host's clock: a change whose author says that it was made more than ten minutes later is
    /// newer than nothing.
    ///
    /// Fails with `not_mergeable` if it is another vault, or if its owners have replaced the vault key apart; with
    /// `merge_epoch` if access was revoked there that this copy does not know of; and with `not_permitted` for a role
    /// that does not read.
    pub fn plan_merge<T: Source>(
        &self,
        theirs: &Vault<T>,
        options: MergeOptions,
        now: &Timestamp,
    ) -> Result<Merge> {
        self.check_mergeable(theirs)?;
        let mut merging = Merging {
            ours: self,
            theirs,
            now,
            strangers: BTreeSet::new(),
            merge: Merge {
                conflicts: Vec::new(),
                strangers: Vec::new(),
                not_taken: Vec::new(),
                plans: Vec::new(),
                taken: Vec::new(),
                adopted: Vec::new(),
                head: self.head(),
                lacks: false,
                unresolved: 0,
                options,
            },
        };
        if self.has_commit(&theirs.head()) {
            // It is what ours was once, or is merged already.
            return Ok(merging.merge);
        }
        self.check_epoch(theirs)?;
        self.require(Capability::Read, "read values")?;
        self.check_commits(theirs)?;
        merging.merge.adopted = self.adopted_with(theirs);
        merging.merge.lacks = true;
        let all = theirs.all_versions()?;
        let connectors = all.chunk_by(|one, next| one.entry.tag == next.entry.tag);
        for_all(connectors, |versions| merging.connector(versions))?;
        merging.merge.strangers.extend(merging.strangers);
        Ok(merging.merge)
    }

    /// Prepares what was planned. By an owner it is a snapshot that takes the versions of the other copy over as they
    /// are, authors and all, and that clients of the other copy recognize; by anybody else ordinary versions of their
    /// own.
    ///
    /// Fails as [`Merge::check`] does, and with `conflict` if this vault has moved on since.
    pub fn prepare_merge(&self, merge: Merge, host: &mut Host<'_>) -> Result<Prepared> {
        merge.check()?;
        if merge.head != self.head() {
            return Err(Error::new(
                Code::Conflict,
                "the vault has moved on since the merge was planned",
            ));
        }
        match merge.lacks && self.rights().owns() {
            true => self.prepare_merged(merge, host),
            false => self.prepare_all(merge.plans, host),
        }
    }

    /// Whether a commit is in the log, before it, or in a copy that was merged.
    fn has_commit(&self, head: &Head) -> bool {
        let hash = &head.hash.0;
        let mut log = self.index.commits.iter().map(|commit| &commit.hash);
        self.superseded.contains(hash) || log.any(|other| other == hash) || self.adopts(head)
    }

    /// The copies are of one vault, and the vault key of one is reached from that of the other.
    fn check_mergeable<T>(&self, theirs: &Vault<T>) -> Result<()> {
        let (ours, theirs) = (&self.header, &theirs.header);
        if ours.vault_id != theirs.vault_id {
            return Err(not_mergeable());
        }
        if log::reaches(ours, &theirs.vault_key) || log::reaches(theirs, &ours.vault_key) {
            return Ok(());
        }
        Err(Error::new(
            Code::NotMergeable,
            "owners have replaced the vault key in both copies, each in its way",
        )
        .with_hint("decide which copy goes on, export the connectors of the other and import them"))
    }

    /// A copy in which access was revoked, or taken away, that ours does not know of: its present state would give that
    /// access back. A former owner revokes too, in the copy that it has, but under the vault key of before.
    fn check_epoch<T>(&self, theirs: &Vault<T>) -> Result<()> {
        let (ours, theirs) = (&self.header, &theirs.header);
        let has_later_key =
            ours.vault_key != theirs.vault_key && log::reaches(theirs, &ours.vault_key);
        let is_known = theirs.epoch < ours.epoch
            || (theirs.epoch == ours.epoch && theirs.commitments == ours.commitments);
        if is_known && !has_later_key {
            return Ok(());
        }
        let message = match is_known {
            true => "owners have replaced the vault key in the other copy".to_owned(),
            false => format!(
                "access was revoked in the other copy: it has epoch {}, this one {}",
                theirs.epoch, ours.epoch
            ),
        };
        let error = Error::new(Code::MergeEpoch, message);
        let knows_ours = ours.vault_key == theirs.vault_key || has_later_key;
        Err(match theirs.epoch > ours.epoch && knows_ours {
            true => error.with_hint("merge this copy into the other one instead"),
            false => error.with_hint(
                "both copies revoked access, each in its way: revoke in the copy that goes on what the other has revoked \
                 rightly, then export the connectors of the other and import them",
            ),
        })
    }

    /// A merge trusts each commit that only the other copy has by itself, so each has to stand by itself.
    fn check_commits<T: Source>(&self, theirs: &Vault<T>) -> Result<()> {
        let mut buffer = Vec::new();
        let only_theirs = theirs.index.commits.iter();
        let head = theirs.head();
        let is_known = |place: &CommitPlace| {
            self.has_commit(&Head {
                seq: place.seq,
                hash: Hex(place.hash),
                ..head
            })
        };
        for place in only_theirs.filter(|place| !is_known(place)) {
            log::verify_commit(&theirs.header, &theirs.commit(place, &mut buffer)?)?;
        }
        Ok(())
    }

    /// Which version of ours this is, if its author signed it: the same one has the same identity in every copy.
    /// The key of the author is always that of our header, since the maker of the other copy chose its own.
    fn verified_id(&self, opened: &OpenedOverview) -> Option<VersionId> {
        self.signed_by(opened).map(|_| opened.id())
    }

    fn versions_by_id(&self, id: &str) -> Result<HashMap<VersionId, Stored>> {
        let mut versions = HashMap::new();
        for stored in self.versions(id)? {
            let opened = match self.opened(&stored) {
                Err(error) if error.is_unread() => return Err(error),
                // Nothing of the other copy is the same as what does not open here.
                opened => opened.ok(),
            };
            if let Some(id) = opened.and_then(|opened| self.verified_id(&opened)) {
                versions.insert(id, stored);
            }
        }
        Ok(versions)
    }
}

/// A merge at work.
struct Merging<'a, S, T> {
    ours: &'a Vault<S>,
    theirs: &'a Vault<T>,
    now: &'a Timestamp,
    strangers: BTreeSet<Stranger>,
    merge: Merge,
}

/// A side of a connector: its newest version that is good.
struct Side<'a, S> {
    vault: &'a Vault<S>,
    stored: Stored,
    overview: Overview,
    id: VersionId,
}

impl<'a, S: Source> Side<'a, S> {
    fn new(vault: &'a Vault<S>, stored: Stored, opened: OpenedOverview) -> Self {
        Self {
            vault,
            stored,
            id: opened.id(),
            overview: opened.overview,
        }
    }

    fn exists(&self) -> bool {
        self.stored.entry.exists()
    }

    fn properties(&self) -> Result<Properties> {
        match self.exists() {
            true => Ok(self.vault.unseal(&self.stored)?.connector.properties),
            false => Ok(Properties::new()),
        }
    }

    /// When something was last changed after `base`, by the clock of the author of the version, and by whom: the first
    /// one, from the newest back, whose value is not that of the version before it. What a version says that it
    /// changed does not count, and a false one says nothing.
    fn last_change<T: PartialEq>(
        &self,
        base: Option<Stored>,
        value: impl Fn(&Stored) -> Result<T>,
    ) -> Result<(Timestamp, GrantId)> {
        let base = base.map_or(0, |base| base.entry.version.get());
        let mut newer: Option<(Overview, T)> = None;
        let versions = self.vault.versions(self.overview.id.as_str())?;
        let own = self.stored.entry.version;
        for stored in versions.iter().rev() {
            if stored.entry.version > own {
                continue;
            }
            let read = || -> Result<_> { Ok((self.vault.overview_of(stored)?, value(stored)?)) };
            let older = match read() {
                Err(error) if error.code() == Code::FalseRecord => continue,
                older => older?,
            };
            if let Some((overview, _)) = newer.take_if(|(_, value)| *value != older.1) {
                return Ok((overview.at, overview.author));
            }
            newer = Some(older);
            if stored.entry.version.get() <= base {
                break;
            }
        }
        Ok(match newer {
            Some((overview, _)) => (overview.at, overview.author),
            None => (self.overview.at.clone(), self.overview.author),
        })
    }

    /// The value of a property in a version.
    fn value_then(&self, stored: &Stored, name: &PropertyName) -> Result<Option<Secret>> {
        if !stored.entry.exists() {
            return Ok(None);
        }
        let connector = self.vault.unseal(stored)?.connector;
        Ok(connector.properties.get(name.as_str()).cloned())
    }
}

impl<'a, S: Source, T: Source> Merging<'a, S, T> {
    fn connector(&mut self, their_versions: &[Stored]) -> Result<()> {
        if self.is_same(their_versions) {
            return Ok(());
        }
        let mut good = self.good(their_versions)?;
        let Some((stored, opened)) = good.pop() else {
            return Ok(());
        };
        let theirs = Side::new(self.theirs, stored, opened);
        let id = theirs.overview.id.as_str();
        let Some(our_newest) = self.ours.newest(id)? else {
            // Ours never knew it.
            let is_stranger = self.note_strangers(id, None)?;
            // A delete of what is not there changes nothing that anybody sees.
            return match theirs.exists() {
                true => self.create(None, &theirs, is_stranger),
                false => Ok(()),
            };
        };
        let (shown, _) = self.ours.shown(&our_newest)?;
        let ours = Side::new(self.ours, our_newest, shown);
        // Whoever made it: ours holds it already.
        if ours.id == theirs.id {
            return Ok(());
        }
        let our_versions = self.ours.versions(id)?;
        self.ours
            .want(our_versions.iter().flat_map(Stored::record))?;
        let base = self.base(id)?;
        let unchanged =
            |stored: &Stored| base.is_some_and(|base| base.entry.version == stored.entry.version);
        if unchanged(&theirs.stored) {
            return Ok(());
        }
        let is_stranger = self.note_strangers(id, base)?;
        // Nothing of ours stands against theirs: an owner takes their versions over as they are.
        let takes = unchanged(&ours.stored) && !is_stranger;
        let since = base.filter(|_| takes);
        match (ours.exists(), theirs.exists()) {
            (false, false) => Ok(()),
            (true, true) => self.properties(&ours, &theirs, base, since),
            (true, false) => {
                let kind = ConflictKind::DeletedInTheirs;
                if unchanged(&ours.stored) || self.theirs_wins(&ours, &theirs, base, kind)? {
                    let before = self.ours.without_values(id, StandIn::Any)?;
                    let draft = plan::delete(&before, None, &options(&theirs))?;
                    let plan = self.ours.plan_on_newest(draft, None)?;
                    self.push(vec![plan], Some(&ours), &theirs, since)?;
                }
                Ok(())
            }
            // Nothing is created over a deletion that theirs does not know, without a conflict.
            (false, true) => {
                let kind = ConflictKind::DeletedInOurs;
                if unchanged(&ours.stored) || self.theirs_wins(&ours, &theirs, base, kind)? {
                    self.create(Some((&ours, since)), &theirs, is_stranger)?;
                }
                Ok(())
            }
        }
    }

    /// Whether the newest versions of a connector are the same bytes in both copies: then nothing about it is read.
    fn is_same(&self, their_versions: &[Stored]) -> bool {
        let Some(theirs) = their_versions.last().map(|stored| stored.entry) else {
            return true;
        };
        let ours = self.ours.index.newest(theirs.tag, &self.ours.reading());
        self.same_keys()
            && ours.is_ok_and(|ours| {
                ours.is_some_and(|Stored { entry: ours, .. }| {
                    (ours.version, ours.op, ours.overview_hash, ours.secrets_hash)
                        == (
                            theirs.version,
                            theirs.op,
                            theirs.overview_hash,
                            theirs.secrets_hash,
                        )
                })
            })
    }

    /// Whether both copies are sealed with the same keys, so that records can be copied.
    fn same_keys(&self) -> bool {
        let (ours, theirs) = (&self.ours.header, &self.theirs.header);
        ours.epoch == theirs.epoch && ours.commitments == theirs.commitments
    }

    /// The versions of a connector that break no rule in their copy, oldest first; notes the others.
    fn good(&mut self, their_versions: &[Stored]) -> Result<Vec<(Stored, OpenedOverview)>> {
        let theirs = self.theirs;
        let mut good = Vec::new();
        for stored in their_versions {
            let entry = &stored.entry;
            let error = if !theirs.may(entry.group, Capability::Read) {
                let id = theirs.overview_of(stored).ok().map(|overview| overview.id);
                let message = "this grant does not read in the group of the connector";
                Some((id, Error::new(Code::NotPermitted, message)))
            } else {
                match theirs.examine_version(stored, Signature::Verified)? {
                    (Some(opened), None) => {
                        good.push((*stored, opened));
                        None
                    }
                    (opened, fault) => {
                        let id = opened.map(|opened| opened.overview.id);
                        fault.map(|fault| (id, Fault::into_error(fault)))
                    }
                }
            };
            if let Some((id, error)) = error {
                self.merge.not_taken.push(NotTaken {
                    id,
                    version: entry.version,
                    error,
                });
            }
        }
        Ok(good)
    }

    /// Notes who, unknown to ours, made versions of a connector behind `base` that only theirs has.
    /// Whether there is any.
    fn note_strangers(&mut self, id: &str, base: Option<Stored>) -> Result<bool> {
        let ours = self.ours.versions_by_id(id)?;
        let base = base.map_or(0, |base| base.entry.version.get());
        let mut is_any = false;
        let mut before: Option<Stored> = None;
        for stored in self.theirs.versions(id)? {
            let before = before.replace(stored);
            if stored.entry.version.get() <= base {
                continue;
            }
            let opened = match self.theirs.opened(&stored) {
                Err(error) if error.is_unread() => return Err(error),
                // It is not taken, whoever made it.
                Err(_) => continue,
                Ok(opened) => opened,
            };
            if ours.contains_key(&opened.id()) {
                continue;
            }
            let author = opened.overview.author;
            let mut grants = self.ours.header.grants.iter();
            let grant = grants.find(|grant| grant.id == author);
            let may = grant.is_some_and(|grant| {
                let rights = Rights::of(&grant.rights);
                let capability = capability_of(opened.overview.op);
                // Out of a group, or over a deletion: in that group too.
                let from = match (opened.overview.op, before) {
                    (Op::Move | Op::Create, Some(before)) => self.theirs.group_id(&before),
                    _ => None,
                };
                let groups = [Some(opened.overview.group), from];
                let mut groups = groups.into_iter().flatten();
                groups.all(|group| rights.in_group(group).has(capability))
                    && (opened.overview.op != Op::Patch || self.has_deposit(opened.overview.group))
            });
            if !may || self.ours.signed_by(&opened).is_none() {
                let mut theirs = self.theirs.header.grants.iter();
                let grant = theirs.find(|grant| grant.id == author);
                self.strangers.insert(Stranger {
                    id: author,
                    fingerprint: grant.map(|grant| grant.key().fingerprint()),
                });
                is_any = true;
            }
        }
        Ok(is_any)
    }

    /// Whether ours has a key that patches in a group are sealed to.
    fn has_deposit(&self, group: GroupId) -> bool {
        let mut groups = self.ours.header.groups.iter();
        groups.any(|ours| ours.id == group && ours.deposit.is_some())
    }

    /// The newest version that both copies keep, as ours.
    fn base(&self, id: &str) -> Result<Option<Stored>> {
        let ours = self.ours.versions_by_id(id)?;
        for stored in self.theirs.versions(id)?.iter().rev() {
            let opened = match self.theirs.opened(stored) {
                Err(error) if error.is_unread() => return Err(error),
                Err(_) => continue,
                Ok(opened) => opened,
            };
            if let Some(base) = ours.get(&opened.id())
                && self.ours.signed_by(&opened).is_some()
            {
                return Ok(Some(*base));
            }
        }
        Ok(None)
    }

    /// Both have the connector, and theirs was changed.
    fn properties(
        &mut self,
        ours: &Side<'a, S>,
        theirs: &Side<'a, T>,
        base: Option<Stored>,
        since: Option<Stored>,
    ) -> Result<()> {
        let before = self.ours.unseal(&ours.stored)?.connector;
        let their_values = theirs.properties()?;
        let base_values = match base {
            Some(base) if base.entry.exists() => {
                Some(self.ours.unseal(&base)?.connector.properties)
            }
            _ => None,
        };
        let mut staging = Staging::new(self.ours, Timestamp::unknown());
        let mut plans = self.description(&mut staging, ours, theirs, base)?;
        let mut after = before.properties.clone();
        let names: Vec<PropertyName> = their_values
            .names()
            .chain(before.properties.names())
            .cloned()
            .collect();
        let mut seen = HashSet::new();
        for name in names {
            if !seen.insert(name.clone()) {
                continue;
            }
            let our_value = before.properties.get(name.as_str());
            let their_value = their_values.get(name.as_str());
            let base_value = base_values
                .as_ref()
                .and_then(|values| values.get(name.as_str()));
            if our_value == their_value || (base_values.is_some() && their_value == base_value) {
                continue;
            }
            let takes_theirs = if base_values.is_some() && our_value == base_value {
                true
            } else {
                let changes = (
                    theirs.last_change(base, |stored| theirs.value_then(stored, &name))?,
                    ours.last_change(base, |stored| ours.value_then(stored, &name))?,
                );
                self.conflict(ours, ConflictKind::Property(name.clone()), changes)
            };
            if takes_theirs {
                set(&mut after, &name, their_value)?;
            }
        }
        // With the name that it has by now.
        let before = staging.read(ours.overview.id.as_str())?;
        let draft = plan::replace(&before, &after, &options(theirs))?;
        let takes = self.ours.rights().owns() && since.is_some();
        if draft.writes() || (takes && plans.is_empty()) {
            plans.push(staging.stage(draft, None)?);
        }
        self.push(plans, Some(ours), theirs, since)
    }

    /// Name and type, meta and group of a connector that both have, where they differ.
    fn description(
        &mut self,
        staging: &mut Staging<'_, S>,
        ours: &Side<'a, S>,
        theirs: &Side<'a, T>,
        base: Option<Stored>,
    ) -> Result<Vec<Plan>> {
        let mut plans = Vec::new();
        let mut description = None;
        if self.takes_theirs(ours, theirs, base, ConflictKind::Identity, &identity_of)? {
            let (name, type_name) = identity_of(&theirs.overview);
            description = Some(Description::new().name(&name).type_name(&type_name));
        }
        if self.takes_theirs(ours, theirs, base, ConflictKind::Meta, &meta_of)? {
            let (our_meta, their_meta) = (&ours.overview.meta, &theirs.overview.meta);
            let gone = our_meta
                .iter()
                .filter(|(name, _)| their_meta.get(name).is_none());
            let left = gone.fold(description.unwrap_or_default(), |description, (name, _)| {
                description.without_meta(name)
            });
            let all = their_meta.iter().fold(left, |description, (name, text)| {
                description.meta(name, text)
            });
            description = Some(all);
        }
        let id = ours.overview.id.as_str();
        if let Some(description) = description {
            plans.push(staging.describe(id, &description, &options(theirs))?);
        }
        if self.takes_theirs(ours, theirs, base, ConflictKind::Group, &group_of)? {
            let group = self.our_group(&theirs.overview)?;
            plans.push(staging.move_into(id, group, &options(theirs))?);
        }
        Ok(plans)
    }

    /// Whether something about a connector becomes what theirs has, since theirs alone changed it, or wins.
    fn takes_theirs<V: PartialEq>(
        &mut self,
        ours: &Side<'a, S>,
        theirs: &Side<'a, T>,
        base: Option<Stored>,
        kind: ConflictKind,
        of: &dyn Fn(&Overview) -> V,
    ) -> Result<bool> {
        let (our_own, their_own) = (of(&ours.overview), of(&theirs.overview));
        let then = match base {
            Some(base) if base.entry.exists() => Some(of(&self.ours.overview_of(&base)?)),
            _ => None,
        };
        if our_own == their_own || then.as_ref() == Some(&their_own) {
            return Ok(false);
        }
        if then.as_ref() == Some(&our_own) {
            return Ok(true);
        }
        let told =
            |stored: &Stored, overview: Overview| stored.entry.exists().then(|| of(&overview));
        let changes = (
            theirs.last_change(base, |stored| {
                Ok(told(stored, theirs.vault.overview_of(stored)?))
            })?,
            ours.last_change(base, |stored| {
                Ok(told(stored, ours.vault.overview_of(stored)?))
            })?,
        );
        Ok(self.conflict(ours, kind, changes))
    }

    /// The number that ours has for the group of one of their versions. Fails with `group_not_found`.
    fn our_group(&self, theirs: &Overview) -> Result<u16> {
        let mut groups = self.ours.header.groups.iter();
        let group = groups.find(|group| group.id == theirs.group);
        group.map(|group| group.number).ok_or_else(|| {
            let id = quoted(theirs.id.as_str());
            let message = format!(
                "the other copy has the connector {id} in a group that this copy does not have"
            );
            Error::new(Code::GroupNotFound, message).with_hint(
                "move the connector to another group in the other copy, then merge again",
            )
        })
    }

    /// Theirs has a connector that ours has not, or has deleted. `ours`: the delete, and the base if their versions
    /// behind it can be taken as they are.
    fn create(
        &mut self,
        ours: Option<(&Side<'_, S>, Option<Stored>)>,
        theirs: &Side<'_, T>,
        is_stranger: bool,
    ) -> Result<()> {
        let Connector {
            id,
            name,
            type_name,
            meta,
            properties,
            ..
        } = self.theirs.unseal(&theirs.stored)?.connector;
        let connector =
            NewConnector::new(id.as_str(), name, type_name).with_properties(&properties);
        let connector = meta.iter().fold(connector, |connector, (name, text)| {
            connector.meta(name, text)
        });
        let group = self.our_group(&theirs.overview)?;
        let mut staging = Staging::new(self.ours, Timestamp::unknown());
        let plans = vec![staging.create_in(&connector, group, &options(theirs))?];
        match ours {
            Some((ours, since)) => self.push(plans, Some(ours), theirs, since),
            None if is_stranger => self.push(plans, None, theirs, None),
            None => self.push_taken(plans, theirs, Version::FIRST.get()),
        }
    }

    /// The plans of a connector, in the place of which an owner takes their versions behind `since`, if there is one.
    fn push(
        &mut self,
        mut plans: Vec<Plan>,
        ours: Option<&Side<'_, S>>,
        theirs: &Side<'_, T>,
        since: Option<Stored>,
    ) -> Result<()> {
        if let Some(since) = since {
            return self.push_taken(plans, theirs, since.entry.version.get() + 1);
        }
        if self.ours.rights().owns() {
            // Clients of either copy see the connector move forward.
            let newest = ours.map(|ours| ours.stored.entry.version);
            let newest = newest.max(Some(self.newest_number(theirs)?));
            let mut version = newest.map_or(Version::FIRST, Version::next);
            let mut before = plans.first().and_then(version_before);
            for plan in &mut plans {
                number(plan, before, version);
                before = Some(version);
                version = version.next();
            }
        }
        self.merge.taken.extend(plans.iter().map(|_| None));
        self.merge.plans.extend(plans);
        Ok(())
    }

    fn push_taken(&mut self, mut plans: Vec<Plan>, theirs: &Side<'_, T>, from: u64) -> Result<()> {
        if !self.ours.rights().owns() {
            self.merge.taken.extend(plans.iter().map(|_| None));
            self.merge.plans.extend(plans);
            return Ok(());
        }
        let mut taken = Vec::new();
        for stored in self.theirs.versions(theirs.overview.id.as_str())? {
            if stored.entry.version.get() < from
                || stored.entry.version > theirs.stored.entry.version
            {
                continue;
            }
            // Those that break a rule are listed as not taken.
            if let (Some(opened), None) =
                self.theirs.examine_version(&stored, Signature::Verified)?
            {
                taken.push(self.take(&stored, opened)?);
            }
        }
        // Each tells a part of what their versions change.
        let before = plans.first().and_then(version_before);
        let mut taken = Some(taken);
        for plan in &mut plans {
            number(plan, before, theirs.stored.entry.version);
            self.merge
                .taken
                .push(Some(taken.take().unwrap_or_default()));
        }
        self.merge.plans.extend(plans);
        Ok(())
    }

    /// The greatest number that a version of a connector has in the other copy, be it good or not.
    fn newest_number(&self, theirs: &Side<'_, T>) -> Result<Version> {
        let versions = self.theirs.versions(theirs.overview.id.as_str())?;
        let newest = versions.last().map(|newest| newest.entry.version);
        Ok(newest.unwrap_or(theirs.stored.entry.version))
    }

    /// Notes a conflict about a whole connector; whether theirs wins.
    fn theirs_wins(
        &mut self,
        ours: &Side<'_, S>,
        theirs: &Side<'_, T>,
        base: Option<Stored>,
        kind: ConflictKind,
    ) -> Result<bool> {
        let exists = |stored: &Stored| Ok(stored.entry.exists());
        // The side that still exists was changed last by its newest version, whatever that changed.
        let last = |overview: &Overview| (overview.at.clone(), overview.author);
        let changes = match kind {
            ConflictKind::DeletedInOurs => {
                (last(&theirs.overview), ours.last_change(base, exists)?)
            }
            _ => (theirs.last_change(base, exists)?, last(&ours.overview)),
        };
        Ok(self.conflict(ours, kind, changes))
    }

    /// Notes a conflict; whether theirs wins. The changes are those of theirs and of ours.
    fn conflict(
        &mut self,
        ours: &Side<'_, S>,
        kind: ConflictKind,
        (theirs_last, ours_last): ((Timestamp, GrantId), (Timestamp, GrantId)),
    ) -> bool {
        let is_future =
            |at: &Timestamp| self.now.is_older_than(limits::CLOCK_AHEAD_SECONDS_MAX, at);
        let winner = match self.merge.options.resolve {
            Some(Resolve::Theirs) => Some(Winner::Theirs),
            Some(Resolve::Ours) => Some(Winner::Ours),
            Some(Resolve::Newest) => match (&theirs_last.0, &ours_last.0) {
                (theirs, ours) if is_future(theirs) || is_future(ours) => None,
                (theirs, ours) if theirs > ours => Some(Winner::Theirs),
                _ => Some(Winner::Ours),
            },
            None => None,
        };
        self.merge.unresolved += usize::from(winner.is_none());
        let change = |(at, by): (Timestamp, GrantId)| LastChange {
            at,
            by: match self.ours.label_of(by) {
                Some(label) => label.to_owned(),
                None => by.to_string(),
            },
        };
        let conflict = MergeConflict {
            id: ours.overview.id.clone(),
            kind,
            ours: change(ours_last),
            theirs: change(theirs_last),
            winner,
        };
        self.merge.conflicts.push(conflict);
        winner == Some(Winner::Theirs)
    }
}

fn version_before(plan: &Plan) -> Option<Version> {
    match &plan.0 {
        Step::Draft { draft, .. } => draft.version_before,
        Step::Answered { .. } => None,
    }
}

/// Gives the version that a plan writes a number.
fn number(plan: &mut Plan, before: Option<Version>, after: Version) {
    if let Step::Draft { draft, .. } = &mut plan.0 {
        (draft.version_before, draft.version_after) = (before, after);
    }
}

fn identity_of(overview: &Overview) -> (String, String) {
    (overview.name.clone(), overview.type_name.clone())
}

fn meta_of(overview: &Overview) -> Meta {
    overview.meta.clone()
}

fn group_of(overview: &Overview) -> GroupId {
    overview.group
}

fn set(properties: &mut Properties, name: &PropertyName, value: Option<&Secret>) -> Result<()> {
    match value {
        Some(value) => properties.set(name.clone(), value.clone()).map(drop),
        None => {
            properties.remove(name.as_str());
            Ok(())
        }
    }
}

/// A merged version says where it comes from. What looks like a mask was accepted as a value when it
/// was written.
fn options<T>(theirs: &Side<'_, T>) -> Options {
    let note = format!(
        "merged from version {} of another copy",
        theirs.overview.version
    );
    Options {
        note: Note::new(note).ok(),
        allow_mask: true,
        ..Options::default()
    }
}
