//! Merging two copies of a vault that were changed apart: three-way, per connector and per
//! property, from the newest version that both know (docs/format.md section 11).

use std::collections::{HashMap, HashSet};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::access::Rights;
use crate::action::{Note, Options};
use crate::connector::{Connector, ConnectorId, NewConnector, Op, Properties, PropertyName};
use crate::error::{Code, Error, Result, counted};
use crate::format::hex::RecordId;
use crate::log;
use crate::plan::{self, Plan};
use crate::secret::Secret;
use crate::source::{Memory, Source};
use crate::vault::index::Stored;
use crate::vault::open::not_mergeable;
use crate::vault::record::Overview;
use crate::vault::{Vault, for_all};

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
    /// Its name or type, since it was deleted and created again. Whoever wins, ours stay: an
    /// update does not change them.
    Identity,
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
    /// Labels of the grants that wrote to the other copy and that this one does not list.
    pub strangers: Vec<String>,
    plans: Vec<Plan>,
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
                format!("the other copy was changed by {first:?}, which has no grant here"),
            )
            .with_hint("look at what it changed, then accept it on purpose"));
        }
        if let (None, [first, ..]) = (self.options.resolve, &*self.conflicts) {
            let count = counted(self.conflicts.len() as u64, "conflict", "conflicts");
            let id = first.id.as_str();
            return Err(Error::new(
                Code::MergeConflict,
                format!("{count}, the first in the connector {id:?}"),
            )
            .with_hint("say whose side wins: ours, theirs or the newest"));
        }
        Ok(self.plans)
    }
}

impl<S: Source> Vault<S> {
    /// What merging `theirs`, another copy of this vault, would change here. Nothing is written.
    ///
    /// Fails with `not_mergeable` if it is another vault, and with `not_permitted` for a role that
    /// does not read.
    pub fn plan_merge(&self, theirs: &Vault, options: MergeOptions) -> Result<Merge> {
        if theirs.header.vault_id != self.header.vault_id {
            return Err(not_mergeable());
        }
        let mut merging = Merging {
            ours: self,
            theirs,
            merge: Merge {
                conflicts: Vec::new(),
                strangers: self.strangers_of(theirs)?,
                plans: Vec::new(),
                options,
            },
        };
        if self.has_commit(&theirs.head().hash.0) {
            // It is what ours was once.
            return Ok(merging.merge);
        }
        let newest = theirs.index.all().filter_map(Iterator::last);
        for_all(newest, |newest| merging.connector(newest))?;
        Ok(merging.merge)
    }

    /// Whether a commit is in the log or before it.
    fn has_commit(&self, hash: &[u8; 32]) -> bool {
        let mut log = self.index.commits.iter().map(|commit| &commit.hash);
        self.superseded.contains(hash) || log.any(|other| other == hash)
    }

    /// Labels of the signers of commits that only the other copy has, if they have no grant here.
    fn strangers_of(&self, theirs: &Vault) -> Result<Vec<String>> {
        let known: HashSet<_> = self
            .superseded
            .iter()
            .chain(self.index.commits.iter().map(|commit| &commit.hash))
            .collect();
        let (mut strangers, mut buffer) = (Vec::new(), Vec::new());
        for place in theirs
            .index
            .commits
            .iter()
            .filter(|place| !known.contains(&place.hash))
        {
            let grant = &theirs.header.grants[usize::from(place.author)];
            let listed = self
                .header
                .grants
                .iter()
                // Rights that were reduced here count as they are here.
                .any(|own| {
                    let rights = Rights::of(&own.rights);
                    own.ed25519 == grant.ed25519 && rights.cover(Rights::of(&grant.rights))
                });
            // A merge trusts each commit by itself, so each has to stand by itself.
            log::verify_commit(&theirs.header, &theirs.commit(place, &mut buffer)?)?;
            if !listed && !strangers.contains(&grant.label) {
                strangers.push(grant.label.clone());
            }
        }
        Ok(strangers)
    }

    fn versions_by_record(&self, id: &str) -> Result<HashMap<RecordId, &Stored>> {
        self.index
            .versions(id)
            .map(|stored| Ok((self.overview_of(stored)?.record_id, stored)))
            .collect()
    }
}

/// A merge at work.
struct Merging<'a, S> {
    ours: &'a Vault<S>,
    theirs: &'a Vault,
    merge: Merge,
}

/// A side of a connector: its newest version.
struct Side<'a, S> {
    vault: &'a Vault<S>,
    stored: &'a Stored,
    overview: Overview,
}

impl<'a, S: Source> Side<'a, S> {
    fn new(vault: &'a Vault<S>, stored: &'a Stored) -> Result<Self> {
        Ok(Self {
            vault,
            stored,
            overview: vault.overview_of(stored)?,
        })
    }

    fn exists(&self) -> bool {
        self.stored.op != Op::Delete
    }

    fn properties(&self) -> Result<Properties> {
        match self.exists() {
            true => Ok(self.vault.unseal(self.stored)?.0.properties),
            false => Ok(Properties::new()),
        }
    }

    /// When a property was last changed after `base`, by the authors' clocks.
    fn changed_at(&self, name: &PropertyName, base: Option<&Stored>) -> Result<String> {
        let after = base.map_or(0, |base| base.version.get());
        let versions = self.vault.index.versions(self.overview.id.as_str()).rev();
        for stored in versions.take_while(|stored| stored.version.get() > after) {
            let overview = self.vault.overview_of(stored)?;
            if overview.changed.contains(name) {
                return Ok(overview.at.to_string());
            }
        }
        Ok(self.overview.at.to_string())
    }
}

impl<'a, S: Source> Merging<'a, S> {
    fn connector(&mut self, their_newest: &'a Stored) -> Result<()> {
        let theirs = Side::new(self.theirs, their_newest)?;
        let id = theirs.overview.id.as_str();
        let Some(our_newest) = self.ours.index.newest(id) else {
            // Ours never knew it.
            if theirs.exists() {
                self.create(&theirs)?;
            }
            return Ok(());
        };
        let ours = Side::new(self.ours, our_newest)?;
        if ours.overview.record_id == theirs.overview.record_id {
            return Ok(());
        }
        let our_versions = self.ours.index.versions(id);
        self.ours.want(our_versions.map(Stored::record))?;
        let base = self.base(id)?;
        let unchanged = |stored: &Stored| base.is_some_and(|base| base.version == stored.version);
        if unchanged(theirs.stored) {
            return Ok(());
        }
        let ours_unchanged = unchanged(ours.stored);
        match (ours.exists(), theirs.exists()) {
            (false, false) => Ok(()),
            (true, true) => self.properties(&ours, &theirs, base),
            (true, false)
                if ours_unchanged
                    || self.theirs_wins(&ours, &theirs, ConflictKind::DeletedInTheirs) =>
            {
                let before = self.ours.without_values(id)?;
                let draft = plan::delete(&before, None, &options(&theirs))?;
                self.push(draft)
            }
            (false, true)
                if ours_unchanged
                    || self.theirs_wins(&ours, &theirs, ConflictKind::DeletedInOurs) =>
            {
                self.create(&theirs)
            }
            _ => Ok(()),
        }
    }

    /// The newest version that both copies keep, as ours.
    fn base(&self, id: &str) -> Result<Option<&'a Stored>> {
        let ours = self.ours.versions_by_record(id)?;
        for stored in self.theirs.index.versions(id).rev() {
            let record_id = self.theirs.overview_of(stored)?.record_id;
            if let Some(base) = ours.get(&record_id) {
                return Ok(Some(base));
            }
        }
        Ok(None)
    }

    /// Both have the connector, and theirs was changed.
    fn properties(
        &mut self,
        ours: &Side<'a, S>,
        theirs: &Side<'a, Memory>,
        base: Option<&'a Stored>,
    ) -> Result<()> {
        let before = self.ours.unseal(ours.stored)?.0;
        let their_values = theirs.properties()?;
        let base_values = match base {
            Some(base) if base.op != Op::Delete => Some(self.ours.unseal(base)?.0.properties),
            _ => None,
        };
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
                let newest = || Ok(theirs.changed_at(&name, base)? > ours.changed_at(&name, base)?);
                self.conflict(ours, ConflictKind::Property(name.clone()), newest)?
            };
            if takes_theirs {
                set(&mut after, &name, their_value)?;
            }
        }
        let base_identity = match base {
            Some(base) if base.op != Op::Delete => Some(self.ours.overview_of(base)?),
            _ => None,
        };
        let same = |one: &Overview, other: &Overview| {
            one.name == other.name && one.type_name == other.type_name
        };
        let left_as_it_was = base_identity.is_some_and(|base| same(&base, &theirs.overview));
        if !left_as_it_was && !same(&ours.overview, &theirs.overview) {
            self.theirs_wins(ours, theirs, ConflictKind::Identity);
        }
        let draft = plan::replace(&before, &after, Op::Update, &options(theirs))?;
        match draft.writes() {
            true => self.push(draft),
            false => Ok(()),
        }
    }

    fn create(&mut self, theirs: &Side<'_, Memory>) -> Result<()> {
        let Connector {
            id,
            name,
            type_name,
            properties,
            ..
        } = self.theirs.unseal(theirs.stored)?.0;
        let connector =
            NewConnector::new(id.as_str(), name, type_name).with_properties(&properties);
        let plan = self.ours.plan_create(&connector, &options(theirs))?;
        self.merge.plans.push(plan);
        Ok(())
    }

    fn push(&mut self, draft: plan::Draft) -> Result<()> {
        self.merge
            .plans
            .push(self.ours.plan_on_newest(draft, None)?);
        Ok(())
    }

    /// Notes a conflict about a whole connector; whether theirs wins.
    fn theirs_wins(
        &mut self,
        ours: &Side<'_, S>,
        theirs: &Side<'_, Memory>,
        kind: ConflictKind,
    ) -> bool {
        self.merge.conflicts.push(MergeConflict {
            id: ours.overview.id.clone(),
            kind,
        });
        match self.merge.options.resolve {
            Some(Resolve::Theirs) => true,
            Some(Resolve::Newest) => theirs.overview.at > ours.overview.at,
            Some(Resolve::Ours) | None => false,
        }
    }

    /// Notes a conflict; whether theirs wins.
    fn conflict(
        &mut self,
        ours: &Side<'_, S>,
        kind: ConflictKind,
        newest: impl FnOnce() -> Result<bool>,
    ) -> Result<bool> {
        self.merge.conflicts.push(MergeConflict {
            id: ours.overview.id.clone(),
            kind,
        });
        match self.merge.options.resolve {
            Some(Resolve::Theirs) => Ok(true),
            Some(Resolve::Newest) => newest(),
            Some(Resolve::Ours) | None => Ok(false),
        }
    }
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
fn options(theirs: &Side<'_, Memory>) -> Options {
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
