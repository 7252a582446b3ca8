//! Changes that become one commit: each sees what the ones before it do.

use std::collections::HashMap;

use crate::action::{self, Changes, Options, Write};
use crate::connector::{
    Connector, ConnectorId, Meta, NewConnector, Op, PropertyChanges, Version, check_name,
};
use crate::crypto::Hash;
use crate::error::{Code, Error, Result};
use crate::format::header::DEFAULT_GROUP;
use crate::plan::{self, Draft, NewEntry, Newest, Plan, Step};
use crate::role::Capability;
use crate::source::Source;
use crate::time::Timestamp;
use crate::vault::Vault;
use crate::vault::index::Stored;

/// The connectors as the changes of one commit see them: the vault's, and over them what earlier
/// changes write.
pub(super) struct Staging<'v, S> {
    pub(super) vault: &'v Vault<S>,
    /// When the changes are made: a tester sees it of a connector that an action before has changed.
    now: Timestamp,
    /// The newest planned version of each connector.
    written: HashMap<ConnectorId, Written>,
}

/// A planned version, and which of its times are that of the commit.
struct Written {
    /// Without properties if it was deleted.
    connector: Connector,
    op: Op,
    created_at: Option<Timestamp>,
    rotated_at: Option<Timestamp>,
}

impl<'v, S: Source> Staging<'v, S> {
    pub(super) fn new(vault: &'v Vault<S>, now: Timestamp) -> Self {
        Self {
            vault,
            now,
            written: HashMap::new(),
        }
    }

    /// Plans a new connector, its values taken literally.
    pub(super) fn create(&mut self, connector: &NewConnector, options: &Options) -> Result<Plan> {
        let what = "create a connector";
        self.vault
            .require_in(DEFAULT_GROUP, Capability::Manage, what)?;
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
            tombstone,
        };
        let changes = literal(&connector.properties)?;
        let draft = plan::add(entry, &changes, options).map_err(|error| match error.code() {
            // There is no value yet that leaving it out would keep.
            Code::MaskValue => {
                error.with_hint("give the value itself, or allow masks for this request")
            }
            _ => error,
        })?;
        self.stage(draft, None)
    }

    /// Plans new and modified properties, their values taken literally.
    pub(super) fn update(
        &mut self,
        id: &str,
        changes: &PropertyChanges,
        options: &Options,
    ) -> Result<Plan> {
        self.vault
            .require_for(id, Capability::Write, "update a connector")?;
        refuse_request_id(options)?;
        let before = self.read(id)?;
        plan::check_version(&before.id, Some(before.version), options)?;
        let draft = plan::update(&before, &literal(changes)?, options)?;
        self.stage(draft, None)
    }

    /// Plans that a connector is deleted.
    pub(super) fn delete(&mut self, id: &str, options: &Options) -> Result<Plan> {
        self.vault
            .require_for(id, Capability::Manage, "delete a connector")?;
        refuse_request_id(options)?;
        let before = self.without_values(id)?;
        self.stage(plan::delete(&before, None, options)?, None)
    }

    /// Plans that the properties of a kept version are the present ones.
    pub(super) fn restore(
        &mut self,
        id: &str,
        version: Version,
        options: &Options,
    ) -> Result<Plan> {
        self.vault
            .require_for(id, Capability::Write, "restore a connector")?;
        refuse_request_id(options)?;
        let versions = self.vault.versions(id)?;
        let newest = versions.last().map(|newest| newest.entry.version);
        let used = versions.iter().filter(|stored| {
            stored.entry.version == version || Some(stored.entry.version) == newest
        });
        self.vault.want(used.flat_map(Stored::record))?;
        // A version that does not read is what a restore is for.
        let before = match self.read(id) {
            Err(error) if matches!(error.code(), Code::Damaged | Code::FalseRecord) => {
                self.without_values(id)?
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
    pub(super) fn read(&self, id: &str) -> Result<Connector> {
        match self.written.get(id) {
            Some(written) if written.op == Op::Delete => Err(deleted_before(id)),
            Some(written) => Ok(written.connector.clone()),
            None => self.vault.read(id),
        }
    }

    /// A connector as far as its overview tells, as the changes before left it.
    pub(super) fn without_values(&self, id: &str) -> Result<Connector> {
        match self.written.get(id) {
            Some(_) => self.read(id),
            None => self.vault.without_values(id),
        }
    }

    /// A plan on what the changes before left, which those behind it see.
    pub(super) fn stage(&mut self, draft: Draft, request_digest: Option<Hash>) -> Result<Plan> {
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
            let written = Written {
                connector,
                op: draft.op,
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
