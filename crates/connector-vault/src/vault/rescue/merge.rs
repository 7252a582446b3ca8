//! Merging two copies of a vault that were changed apart: three-way, per connector and per
//! property, name and type, meta and group, from the newest version that both know (docs/format.md section 11).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::access::Rights;
use crate::action::{Note, Options};
use crate::connector::{
    Connector, ConnectorId, Description, Meta, NewConnector, Op, Properties, PropertyName,
};
use crate::error::{Code, Error, Result, counted, for_all, quoted};
use crate::format::hex::{GrantId, GroupId};
use crate::limits;
use crate::log;
use crate::plan::{self, Plan};
use crate::secret::Secret;
use crate::source::Source;
use crate::time::Timestamp;
use crate::vault::Vault;
use crate::vault::index::{Stored, capability_of};
use crate::vault::open::not_mergeable;
use crate::vault::planning::{Staging, StandIn};
use crate::vault::record::{OpenedOverview, Overview, VersionId};

/// Whose side wins where both changed the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolve {
    /// This copy's.
    Ours,
    /// The other copy's.
    Theirs,
    /// The one that was changed last, by its author's clock.
    Newest,
}

/// A grant that wrote to the other copy, and that this one does not list as it is there. The label that it has
/// there is not told: it chose that itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Stranger {
    /// Its id.
    pub id: GrantId,
    /// The short form of the public keys that it has in the other copy; `None` if that does not list it either.
    pub fingerprint: Option<String>,
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        match &self.fingerprint {
            Some(fingerprint) => write!(f, " ({fingerprint})"),
            None => Ok(()),
        }
    }
}

/// How to merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeOptions {
    /// Whose side wins; without it, a conflict is left to the caller.
    pub resolve: Option<Resolve>,
    /// Takes over what grants wrote that this copy does not list.
    pub accept_strangers: bool,
}

/// Something that both copies changed, each in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MergeConflict {
    /// The connector.
    pub id: ConnectorId,
    /// What about it.
    pub kind: ConflictKind,
}

/// `{"id", "kind"}`, with `property` if it is about one.
impl Serialize for MergeConflict {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let (kind, property) = match &self.kind {
            ConflictKind::Property(name) => ("property", Some(name)),
            ConflictKind::Identity => ("identity", None),
            ConflictKind::Meta => ("meta", None),
            ConflictKind::Group => ("group", None),
            ConflictKind::DeletedInOurs => ("deleted_in_ours", None),
            ConflictKind::DeletedInTheirs => ("deleted_in_theirs", None),
        };
        let mut fields = serializer.serialize_struct("MergeConflict", 3)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("kind", kind)?;
        match property {
            Some(name) => fields.serialize_field("property", name)?,
            None => fields.skip_field("property")?,
        }
        fields.end()
    }
}

/// What both copies changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConflictKind {
    /// The value of a property.
    Property(PropertyName),
    /// Its name or type.
    Identity,
    /// Its meta.
    Meta,
    /// The group that it is in.
    Group,
    /// Ours deleted it, theirs changed it.
    DeletedInOurs,
    /// Theirs deleted it, ours changed it.
    DeletedInTheirs,
}

/// What merging another copy would change here.
#[derive(Debug)]
#[non_exhaustive]
pub struct Merge {
    /// What both changed, resolved or not.
    pub conflicts: Vec<MergeConflict>,
    /// The grants whose versions the other copy alone has, and that this one does not list with that key and that
    /// right.
    pub strangers: Vec<Stranger>,
    plans: Vec<Plan>,
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

    /// The plans, to be committed together.
    ///
    /// Fails with `merge_conflict` if a conflict is not resolved, with `merge_stranger` if the
    /// work of a grant that is not listed here was not accepted.
    pub fn into_plans(self) -> Result<Vec<Plan>> {
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
        Ok(self.plans)
    }
}

impl<S: Source> Vault<S> {
    /// What merging `theirs`, another copy of this vault whose bytes never miss, would change here. Nothing is written. `now` is the host's
    /// clock: a change whose author says that it was made more than ten minutes later is newer than nothing.
    ///
    /// Fails with `not_mergeable` if it is another vault, and with `not_permitted` for a role that
    /// does not read.
    pub fn plan_merge<T: Source>(
        &self,
        theirs: &Vault<T>,
        options: MergeOptions,
        now: &Timestamp,
    ) -> Result<Merge> {
        if theirs.header.vault_id != self.header.vault_id {
            return Err(not_mergeable());
        }
        let mut merging = Merging {
            ours: self,
            theirs,
            now,
            strangers: BTreeSet::new(),
            merge: Merge {
                conflicts: Vec::new(),
                strangers: Vec::new(),
                plans: Vec::new(),
                unresolved: 0,
                options,
            },
        };
        if self.has_commit(&theirs.head().hash.0) {
            // It is what ours was once.
            return Ok(merging.merge);
        }
        self.check_commits(theirs)?;
        let all = theirs.all_versions()?;
        let connectors = all.chunk_by(|one, next| one.entry.tag == next.entry.tag);
        let newest = connectors.filter_map(|versions| versions.last());
        for_all(newest, |newest| merging.connector(*newest))?;
        merging.merge.strangers.extend(merging.strangers);
        Ok(merging.merge)
    }

    /// Whether a commit is in the log or before it.
    fn has_commit(&self, hash: &[u8; 32]) -> bool {
        let mut log = self.index.commits.iter().map(|commit| &commit.hash);
        self.superseded.contains(hash) || log.any(|other| other == hash)
    }

    /// A merge trusts each commit that only the other copy has by itself, so each has to stand by itself.
    fn check_commits<T: Source>(&self, theirs: &Vault<T>) -> Result<()> {
        let mut buffer = Vec::new();
        let only_theirs = theirs.index.commits.iter();
        for place in only_theirs.filter(|place| !self.has_commit(&place.hash)) {
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
            let opened = self.opened_unless_bad(&stored)?;
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

/// A side of a connector: its newest version.
struct Side<'a, S> {
    vault: &'a Vault<S>,
    stored: Stored,
    overview: Overview,
    id: VersionId,
}

impl<'a, S: Source> Side<'a, S> {
    fn new(vault: &'a Vault<S>, stored: Stored) -> Result<Self> {
        let (opened, _) = vault.shown(&stored)?;
        Ok(Self {
            vault,
            stored,
            id: opened.id(),
            overview: opened.overview,
        })
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

    /// When a property was last changed after `base`, by the clock of the author of the version: of the first one,
    /// from the newest back, whose value is not that of the version before it. What a version says that it
    /// changed does not count, and a false one says nothing.
    fn value_changed_at(&self, name: &PropertyName, base: Option<Stored>) -> Result<Timestamp> {
        self.changed_at(base, |stored| self.value_then(stored, name))
    }

    /// The same of anything that `then` tells of a version.
    fn changed_at<T: PartialEq>(
        &self,
        base: Option<Stored>,
        then: impl Fn(&Stored) -> Result<(Timestamp, T)>,
    ) -> Result<Timestamp> {
        let base = base.map_or(0, |base| base.entry.version.get());
        let mut newer: Option<(Timestamp, T)> = None;
        let versions = self.vault.versions(self.overview.id.as_str())?;
        for stored in versions.iter().rev() {
            let older = match then(stored) {
                Err(error) if error.code() == Code::FalseRecord => continue,
                older => older?,
            };
            if let Some((at, _)) = newer.take_if(|(_, value)| *value != older.1) {
                return Ok(at);
            }
            newer = Some(older);
            if stored.entry.version.get() <= base {
                break;
            }
        }
        Ok(newer.map_or_else(|| self.overview.at.clone(), |(at, _)| at))
    }

    /// What a version says of its connector, and when that was made.
    fn told_then<T>(&self, stored: &Stored, of: &dyn Fn(&Overview) -> T) -> Result<(Timestamp, T)> {
        let overview = self.vault.overview_of(stored)?;
        Ok((overview.at.clone(), of(&overview)))
    }

    /// The value of a property in a version, and when that was made.
    fn value_then(
        &self,
        stored: &Stored,
        name: &PropertyName,
    ) -> Result<(Timestamp, Option<Secret>)> {
        if !stored.entry.exists() {
            return Ok((self.vault.overview_of(stored)?.at, None));
        }
        let connector = self.vault.unseal(stored)?.connector;
        let value = connector.properties.get(name.as_str()).cloned();
        Ok((connector.updated_at, value))
    }
}

impl<'a, S: Source, T: Source> Merging<'a, S, T> {
    fn connector(&mut self, their_newest: Stored) -> Result<()> {
        let theirs = Side::new(self.theirs, their_newest)?;
        let id = theirs.overview.id.as_str();
        let Some(our_newest) = self.ours.newest(id)? else {
            // Ours never knew it.
            if theirs.exists() {
                self.note_strangers(id, None)?;
                self.create(&theirs)?;
            }
            return Ok(());
        };
        let ours = Side::new(self.ours, our_newest)?;
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
        self.note_strangers(id, base)?;
        let ours_unchanged = unchanged(&ours.stored);
        match (ours.exists(), theirs.exists()) {
            (false, false) => Ok(()),
            (true, true) => self.properties(&ours, &theirs, base),
            (true, false) => {
                let kind = ConflictKind::DeletedInTheirs;
                if ours_unchanged || self.theirs_wins(&ours, &theirs, kind)? {
                    let before = self.ours.without_values(id, StandIn::Any)?;
                    let draft = plan::delete(&before, None, &options(&theirs))?;
                    self.merge
                        .plans
                        .push(self.ours.plan_on_newest(draft, None)?);
                }
                Ok(())
            }
            // Nothing is created over a deletion that theirs does not know, without a conflict.
            (false, true) => {
                let kind = ConflictKind::DeletedInOurs;
                if ours_unchanged || self.theirs_wins(&ours, &theirs, kind)? {
                    self.create(&theirs)?;
                }
                Ok(())
            }
        }
    }

    /// Notes who, unknown to ours, made versions of a connector behind `base` that only theirs has.
    fn note_strangers(&mut self, id: &str, base: Option<Stored>) -> Result<()> {
        let ours = self.ours.versions_by_id(id)?;
        let base = base.map_or(0, |base| base.entry.version.get());
        let mut before: Option<Stored> = None;
        for stored in self.theirs.versions(id)? {
            let before = before.replace(stored);
            if stored.entry.version.get() <= base {
                continue;
            }
            let Some(opened) = self.theirs.opened_unless_bad(&stored)? else {
                continue;
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
            }
        }
        Ok(())
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
            if let Some(opened) = self.theirs.opened_unless_bad(stored)?
                && let Some(base) = ours.get(&opened.id())
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
        self.description(&mut staging, ours, theirs, base)?;
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
                let times = || {
                    Ok((
                        theirs.value_changed_at(&name, base)?,
                        ours.value_changed_at(&name, base)?,
                    ))
                };
                self.conflict(ours, ConflictKind::Property(name.clone()), times)?
            };
            if takes_theirs {
                set(&mut after, &name, their_value)?;
            }
        }
        // With the name that it has by now.
        let before = staging.read(ours.overview.id.as_str())?;
        let draft = plan::replace(&before, &after, &options(theirs))?;
        if draft.writes() {
            self.merge.plans.push(staging.stage(draft, None)?);
        }
        Ok(())
    }

    /// Name and type, meta and group of a connector that both have, where they differ.
    fn description(
        &mut self,
        staging: &mut Staging<'_, S>,
        ours: &Side<'a, S>,
        theirs: &Side<'a, T>,
        base: Option<Stored>,
    ) -> Result<()> {
        let base = base.filter(|base| base.entry.exists());
        let mut description = None;
        if self.takes_theirs(ours, theirs, base, ConflictKind::Identity, &identity_of)? {
            let Overview {
                name, type_name, ..
            } = &theirs.overview;
            description = Some(Description::new().name(name).type_name(type_name));
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
            let plan = staging.describe(id, &description, &options(theirs))?;
            self.merge.plans.push(plan);
        }
        if self.takes_theirs(ours, theirs, base, ConflictKind::Group, &group_of)? {
            let group = self.our_group(&theirs.overview)?;
            let plan = staging.move_into(id, group, &options(theirs))?;
            self.merge.plans.push(plan);
        }
        Ok(())
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
        let then = base.map(|base| self.ours.overview_of(&base)).transpose()?;
        let then = then.map(|overview| of(&overview));
        if our_own == their_own || then.as_ref() == Some(&their_own) {
            return Ok(false);
        }
        if then.as_ref() == Some(&our_own) {
            return Ok(true);
        }
        self.conflict(ours, kind, || {
            Ok((
                theirs.changed_at(base, |stored| theirs.told_then(stored, of))?,
                ours.changed_at(base, |stored| ours.told_then(stored, of))?,
            ))
        })
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

    fn create(&mut self, theirs: &Side<'_, T>) -> Result<()> {
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
        let plan = staging.create_in(&connector, group, &options(theirs))?;
        self.merge.plans.push(plan);
        Ok(())
    }

    /// Notes a conflict about a whole connector; whether theirs wins.
    fn theirs_wins(
        &mut self,
        ours: &Side<'_, S>,
        theirs: &Side<'_, T>,
        kind: ConflictKind,
    ) -> Result<bool> {
        let times = || Ok((theirs.overview.at.clone(), ours.overview.at.clone()));
        self.conflict(ours, kind, times)
    }

    /// Notes a conflict; whether theirs wins. `times` are those of the changes, theirs first.
    fn conflict(
        &mut self,
        ours: &Side<'_, S>,
        kind: ConflictKind,
        times: impl FnOnce() -> Result<(Timestamp, Timestamp)>,
    ) -> Result<bool> {
        self.merge.conflicts.push(MergeConflict {
            id: ours.overview.id.clone(),
            kind,
        });
        match self.merge.options.resolve {
            Some(Resolve::Theirs) => Ok(true),
            Some(Resolve::Ours) => Ok(false),
            Some(Resolve::Newest) => {
                let (theirs, ours) = times()?;
                let is_future = |at| self.now.is_older_than(limits::CLOCK_AHEAD_SECONDS_MAX, at);
                if is_future(&theirs) || is_future(&ours) {
                    self.merge.unresolved += 1;
                    return Ok(false);
                }
                Ok(theirs > ours)
            }
            None => {
                self.merge.unresolved += 1;
                Ok(false)
            }
        }
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
