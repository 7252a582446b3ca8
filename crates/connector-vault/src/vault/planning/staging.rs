//! Changes that become one commit: each sees what the ones before it do.

use std::collections::HashMap;

use super::StandIn;
use crate::action::{self, Changes, Options, Write};
use crate::connector::{
    Connector, ConnectorId, Description, Meta, NewConnector, Op, PropertyChanges, PropertyName,
    Version, check_name,
};
use crate::crypto::Hash;
use crate::error::{Code, Error, Result};
use crate::format::header::DEFAULT_GROUP;
use crate::plan::{self, Draft, NewEntry, Newest, Plan, Step};
use crate::role::Capability;
use crate::source::Source;
use crate::time::Timestamp;
use crate::vault::Vault;
use crate::vault::authorship::{Fault, Signature};
use crate::vault::index::Stored;

/// The connectors as the changes of one commit see them: the vault's, and over them what earlier
/// changes write.
pub(crate) struct Staging<'v, S> {
    pub(super) vault: &'v Vault<S>,
    /// When the changes are made: a tester sees it of a connector that an action before has changed.
    now: Timestamp,
    /// The newest planned version of each connector.
    written: HashMap<ConnectorId, Written>,
}

/// A connector before an update.
pub(super) enum BeforeUpdate {
    /// With its values.
    Read(Connector),
    /// Without them, and the names of its properties: its author is not allowed to read.
    Listed(Connector, Vec<PropertyName>),
}

impl BeforeUpdate {
    /// Fails with `conflict`.
    pub(super) fn check_version(&self, options: &Options) -> Result<()> {
        let (Self::Read(before) | Self::Listed(before, _)) = self;
        plan::check_version(&before.id, Some(before.version), options)
    }

    pub(super) fn update(&self, changes: &Changes, options: &Options) -> Result<Draft> {
        match self {
            Self::Read(before) => plan::update(before, changes, options),
            Self::Listed(before, names) => plan::patch(before, names, changes, options),
        }
    }
}

/// A planned version, and which of its times are that of the commit.
struct Written {
    /// Without properties if it was deleted; of a patch with those that it sets.
    connector: Connector,
    /// The names of its properties.
    names: Vec<PropertyName>,
    op: Op,
    /// The number of its group.
    group: u16,
    created_at: Option<Timestamp>,
    rotated_at: Option<Timestamp>,
}

impl<'v, S: Source> Staging<'v, S> {
    pub(crate) fn new(vault: &'v Vault<S>, now: Timestamp) -> Self {
        Self {
            vault,
            now,
            written: HashMap::new(),
        }
    }

    /// Plans a new connector, its values taken literally.
    pub(super) fn create(&mut self, connector: &NewConnector, options: &Options) -> Result<Plan> {
        let group = connector.group.as_deref().or(options.group.as_deref());
        let group = self.vault.group_of_new(group)?;
        self.create_in(connector, group, options)
    }

    /// The same in the group with this number.
    pub(crate) fn create_in(
        &mut self,
        connector: &NewConnector,
        group: u16,
        options: &Options,
    ) -> Result<Plan> {
        let what = "create a connector";
        self.vault.require_in(group, Capability::Manage, what)?;
        refuse_request_id(options)?;
        let id = ConnectorId::new(connector.id.as_str())?;
        check_name("connector name", &connector.name)?;
        check_name("connector type", &connector.type_name)?;
        let tombstone = self.absent(&id)?;
        let meta = meta_of(connector)?;
        let entry = NewEntry {
            id,
            name: connector.name.clone(),
            type_name: connector.type_name.clone(),
            meta,
            group,
            tombstone,
        };
        let changes = literal(&connector.properties)?;
        let mut draft =
            plan::add(entry, &changes, options).map_err(|error| match error.code() {
                // There is no value yet that leaving it out would keep.
                Code::MaskValue => {
                    error.with_hint("give the value itself, or allow masks for this request")
                }
                _ => error,
            })?;
        draft.group = Some(group);
        self.stage(draft, None)
    }

    /// Plans new and modified properties, their values taken literally.
    pub(super) fn update(
        &mut self,
        id: &str,
        changes: &PropertyChanges,
        options: &Options,
    ) -> Result<Plan> {
        self.require_for(id, Capability::Patch, "update a connector")?;
        refuse_request_id(options)?;
        let before = self.before_update(id)?;
        before.check_version(options)?;
        let draft = before.update(&literal(changes)?, options)?;
        self.stage(draft, None)
    }

    /// A connector that is to be updated, as far as the grant can know it.
    pub(super) fn before_update(&self, id: &str) -> Result<BeforeUpdate> {
        let group = self.group_of(id)?;
        let writes = |group| self.vault.may(group, Capability::Write);
        if group.is_none_or(writes) {
            return self.read(id).map(BeforeUpdate::Read);
        }
        if let Some(written) = self.written.get(id) {
            let connector = self.read(id)?;
            return Ok(BeforeUpdate::Listed(connector, written.names.clone()));
        }
        self.vault.listed_connector(id)
    }

    /// Plans that a connector is deleted.
    pub(super) fn delete(&mut self, id: &str, options: &Options) -> Result<Plan> {
        self.require_for(id, Capability::Manage, "delete a connector")?;
        refuse_request_id(options)?;
        let before = self.without_values(id)?;
        self.stage(plan::delete(&before, None, options)?, None)
    }

    /// Plans another name, type or meta.
    pub(crate) fn describe(
        &mut self,
        id: &str,
        description: &Description,
        options: &Options,
    ) -> Result<Plan> {
        self.require_for(id, Capability::Manage, "describe a connector")?;
        refuse_request_id(options)?;
        let before = self.read(id)?;
        self.stage(plan::describe(&before, description, options)?, None)
    }

    /// Plans that a connector goes to the group of this name.
    pub(super) fn move_to(&mut self, id: &str, group: &str, options: &Options) -> Result<Plan> {
        self.require_for(id, Capability::Manage, "move a connector")?;
        self.move_into(id, self.vault.group_named(group)?, options)
    }

    /// The same for the group with this number.
    pub(crate) fn move_into(&mut self, id: &str, to: u16, options: &Options) -> Result<Plan> {
        let what = "move a connector";
        self.require_for(id, Capability::Manage, what)?;
        refuse_request_id(options)?;
        self.vault.require_in(to, Capability::Manage, what)?;
        let before = self.read(id)?;
        let from = self.group_of(id)?.unwrap_or(to);
        self.stage(plan::move_to(&before, [from, to], options)?, None)
    }

    /// Plans that a deleted connector is there again, as it was in a kept version.
    pub(super) fn undelete(
        &mut self,
        id: &str,
        source: Option<Version>,
        options: &Options,
    ) -> Result<Plan> {
        self.require_for(id, Capability::Manage, "undelete a connector")?;
        refuse_request_id(options)?;
        let deletion = match (self.written.get(id), self.vault.newest(id)?) {
            (Some(written), _) if written.op == Op::Delete => {
                return Err(Error::new(
                    Code::InvalidArgument,
                    format!("an earlier change of the same commit deletes the connector {id:?}"),
                )
                .with_hint("leave both out"));
            }
            (None, None) => return Err(self.vault.not_found(id, &[])),
            (None, Some(newest)) if !newest.entry.exists() => newest,
            _ => {
                return Err(Error::new(
                    Code::ConnectorExists,
                    format!("the connector {id:?} is not deleted"),
                )
                .with_hint("to have the values of an earlier version, restore that"));
            }
        };
        let then = match source {
            Some(version) => {
                let named = self.vault.kept(id, version)?;
                let [overview, secrets] = named.record();
                self.vault.want([deletion.overview(), overview, secrets])?;
                self.vault.read_version(id, version)?
            }
            None => self.newest_before(id, &deletion)?,
        };
        let draft = plan::undelete(&then, deletion.entry.version, options)?;
        self.stage(draft, None)
    }

    /// The newest version before a deletion that is not false. A damaged one ends the search: with an older one in its
    /// place the storage could bring an old value back.
    fn newest_before(&self, id: &str, deletion: &Stored) -> Result<Connector> {
        let versions = self.vault.versions(id)?;
        let newest_first = || versions.iter().rev().filter(|stored| stored.entry.exists());
        let used = newest_first().take(1).flat_map(Stored::record);
        self.vault.want(used.chain([deletion.overview()]))?;
        for stored in newest_first() {
            match self.vault.examine_version(stored, Signature::Verified)?.1 {
                None => return self.vault.read_version(id, stored.entry.version),
                Some(Fault::False(_)) => {}
                Some(Fault::Damaged(error)) => {
                    let hint = "name an older version to undelete, or take a backup";
                    return Err(error.with_hint(hint));
                }
            }
        }
        Err(Error::new(
            Code::VersionNotFound,
            format!("no version of the connector {id:?} with values is kept"),
        )
        .with_hint("a backup may have one; its id can be created anew"))
    }

    /// Plans that the properties of a kept version are the present ones.
    pub(super) fn restore(
        &mut self,
        id: &str,
        version: Version,
        options: &Options,
    ) -> Result<Plan> {
        self.require_for(id, Capability::Write, "restore a connector")?;
        refuse_request_id(options)?;
        let versions = self.vault.versions(id)?;
        let newest = versions.last().map(|newest| newest.entry.version);
        let used = versions.iter().filter(|stored| {
            stored.entry.version == version || Some(stored.entry.version) == newest
        });
        self.vault.want(used.flat_map(Stored::record))?;
        // A version that does not read is what a restore is for.
        let before = match self.read(id) {
            Err(error) if super::is_of_version(&error) => {
                self.vault.without_values(id, StandIn::SameFace)?
            }
            before => before?,
        };
        let then = self.vault.read_version(id, version)?;
        let draft = plan::restore(&before, &then, options)?;
        self.stage(draft, None)
    }

    /// The version that deleted a connector id, if one did. Fails with `connector_exists` if there is a connector.
    pub(super) fn absent(&self, id: &ConnectorId) -> Result<Option<Version>> {
        match self.newest(id)? {
            Some((_, op)) if op != Op::Delete => Err(Error::new(
                Code::ConnectorExists,
                format!("there is a connector {:?} already", id.as_str()),
            )
            .with_hint("update it, or choose another id")),
            newest => Ok(newest.map(|(version, _)| version)),
        }
    }

    /// The newest version of a connector id, as the changes before left it.
    fn newest(&self, id: &ConnectorId) -> Result<Option<(Version, Op)>> {
        Ok(match self.written.get(id) {
            Some(written) => Some((written.connector.version, written.op)),
            None => {
                let newest = self.vault.newest(id.as_str())?;
                newest.map(|newest| (newest.entry.version, newest.entry.op))
            }
        })
    }

    /// A connector with its values, as the changes before left it.
    pub(crate) fn read(&self, id: &str) -> Result<Connector> {
        match self.written.get(id) {
            Some(written) if written.op == Op::Delete => Err(deleted_before(id)),
            Some(written) => Ok(written.connector.clone()),
            None => self.vault.read(id),
        }
    }

    /// A connector that is to be deleted, as far as an overview tells, as the changes before left it.
    pub(super) fn without_values(&self, id: &str) -> Result<Connector> {
        match self.written.get(id) {
            Some(_) => self.read(id),
            None => self.vault.without_values(id, StandIn::Any),
        }
    }

    /// The number of the group of a connector or of its deletion, as the changes before left it.
    fn group_of(&self, id: &str) -> Result<Option<u16>> {
        Ok(match self.written.get(id) {
            Some(written) => Some(written.group),
            None => self.vault.newest(id)?.map(|newest| newest.entry.group),
        })
    }

    /// As [`Vault::require_for`], for a connector as the changes before left it.
    fn require_for(&self, id: &str, capability: Capability, what: &str) -> Result<()> {
        match self.written.get(id) {
            Some(written) => self.vault.require_in(written.group, capability, what),
            None => self.vault.require_for(id, capability, what),
        }
    }

    /// A plan on what the changes before left, which those behind it see.
    pub(crate) fn stage(&mut self, draft: Draft, request_digest: Option<Hash>) -> Result<Plan> {
        let mut plan = self.vault.plan_on_newest(draft, request_digest)?;
        let Step::Draft { draft, base, .. } = &mut plan.0 else {
            return Ok(plan);
        };
        if let Some(before) = self.written.get(&draft.id) {
            base.newest = Newest::Planned;
            // A time that the plan before it has not got yet is that of the commit.
            if draft.op != Op::Create {
                draft.created_at.clone_from(&before.created_at);
            }
            if draft.op != Op::Restore && draft.rotated_at.is_some() {
                draft.rotated_at.clone_from(&before.rotated_at);
            }
        }
        if draft.writes() {
            let group = match (draft.op, draft.group) {
                (_, Some(group)) => group,
                (Op::Create, None) => DEFAULT_GROUP,
                (_, None) => self.group_of(draft.id.as_str())?.unwrap_or(DEFAULT_GROUP),
            };
            let or_now = |time: &Option<Timestamp>| time.as_ref().unwrap_or(&self.now).clone();
            let connector = Connector {
                id: draft.id.clone(),
                name: draft.name.clone(),
                type_name: draft.type_name.clone(),
                version: draft.version_after,
                updated_at: self.now.clone(),
                created_at: or_now(&draft.created_at),
                rotated_at: or_now(&draft.rotated_at),
                meta: draft.meta.clone(),
                properties: draft.after.clone(),
                extras: draft.extras.clone(),
            };
            let names = draft.names.clone();
            let names = names.unwrap_or_else(|| draft.after.names().cloned().collect());
            let written = Written {
                connector,
                names,
                op: draft.op,
                group,
                created_at: draft.created_at.clone(),
                rotated_at: draft.rotated_at.clone(),
            };
            self.written.insert(draft.id.clone(), written);
        }
        Ok(plan)
    }
}

/// The meta of a new connector, once it is checked.
pub(super) fn meta_of(connector: &NewConnector) -> Result<Meta> {
    let mut meta = Meta::new();
    for (name, text) in &connector.meta {
        meta.set(name.as_str(), text.as_str())?;
    }
    Ok(meta)
}

/// Values as they are given, without tokens.
fn literal(changes: &PropertyChanges) -> Result<Changes> {
    let writes = changes.check().map(|write| {
        let (name, value) = write?;
        Ok(Write {
            name,
            value,
            source: action::Source::Grid,
            overridden: false,
        })
    });
    Ok(Changes {
        writes: writes.collect::<Result<_>>()?,
        ..Changes::default()
    })
}

fn deleted_before(id: &str) -> Error {
    Error::new(
        Code::ConnectorNotFound,
        format!("an earlier change of the same commit deletes the connector {id:?}"),
    )
}

pub(crate) fn refuse_request_id(options: &Options) -> Result<()> {
    match options.request_id {
        None => Ok(()),
        Some(_) => Err(of_one_connector("a request id")),
    }
}

pub(super) fn of_one_connector(what: &str) -> Error {
    Error::new(
        Code::InvalidArgument,
        format!("{what} works with a single Connectors.Update or CredStore.AddConnectorEntry only"),
    )
}
