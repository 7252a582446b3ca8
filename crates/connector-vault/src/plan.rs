//! What a request would change: pure, without keys, clock or storage (docs/action.md section 7).

use std::fmt;

use crate::action::{Changes, Note, Options, Outputs, RequestId, Warning};
use crate::connector::{
    Connector, ConnectorId, Description, Extras, Meta, Op, Properties, PropertyName, Version,
};
use crate::error::{Code, Error, Result, quoted};
use crate::json::{self, Syntax, Value};
use crate::secret::Secret;
use crate::time::Timestamp;

mod action;
mod mask;
mod merge;
mod near_miss;
mod nested;
mod outcome;

pub(crate) use action::Step as ActionStep;
pub use action::{ActionPlan, Frame};

use merge::{by_name, merge, write};
pub(crate) use near_miss::near_miss;
pub use outcome::{Change, ChangeKind, Done, Outcome, Ran, Status, TestOutcome};

/// What a request would change, and the dry run's report.
///
/// It holds the new values, wiped when it is dropped. It belongs to the vault that made it: a change
/// of the connector's version or of the vault's keys makes it a `conflict`.
#[derive(Clone)]
pub struct Plan(pub(crate) Step);

#[derive(Clone)]
pub(crate) enum Step {
    /// A version to write, or nothing that differs.
    Draft {
        draft: Box<Draft>,
        base: Base,
        /// The digest of the request, if it has a request id.
        request_digest: Option<[u8; 32]>,
    },
    /// The request was carried out before: its first outcome.
    Answered { id: ConnectorId, outcome: Outcome },
}

/// What a plan was made on: it is a conflict on anything else, such as another copy of the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) vault_id: [u8; 32],
    /// How often the vault's sealing keys had changed.
    pub(crate) epoch: u64,
    /// The connector's newest version.
    pub(crate) newest: Newest,
}

/// The version of a connector that a plan goes on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Newest {
    /// The one that the vault holds, by the hash of its sealed overview; `None` if it holds none.
    Stored(Option<[u8; 32]>),
    /// The one that a plan before this writes in the same commit.
    Planned,
}

/// A plan as far as it does not concern keys.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) id: ConnectorId,
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) op: Op,
    pub(crate) version_before: Option<Version>,
    pub(crate) version_after: Version,
    /// When the connector was created; `None`: by the commit of this draft.
    pub(crate) created_at: Option<Timestamp>,
    /// When the values were written; `None`: by the commit of this draft.
    pub(crate) rotated_at: Option<Timestamp>,
    pub(crate) meta: Meta,
    /// Whose values a restore or an undelete takes.
    pub(crate) source: Option<Version>,
    /// The number of the group where it stands then. `None`: of the version before it or, if there is none, the default one.
    pub(crate) group: Option<u16>,
    pub(crate) extras: Extras,
    /// The whole property map afterwards; of a patch the properties that it sets.
    pub(crate) after: Properties,
    /// Of a patch the names of all properties afterwards.
    pub(crate) names: Option<Vec<PropertyName>>,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) note: Option<Note>,
    pub(crate) changes: Vec<Change>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) tokens: Vec<String>,
    /// The tokens that the action sets.
    pub(crate) outputs: Outputs,
}

impl Plan {
    /// The report: `planned`, or `unchanged` if no property would change; of a request that was
    /// carried out before, its first outcome. Never a value.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match &self.0 {
            Step::Draft { draft, .. } => draft.outcome(Status::Planned),
            Step::Answered { outcome, .. } => outcome.clone(),
        }
    }

    /// Whether no property would change. Nothing is written then, unless there is a request id to
    /// remember.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        match &self.0 {
            Step::Draft { draft, .. } => draft.is_unchanged(),
            Step::Answered { .. } => true,
        }
    }

    /// The connector that the plan is for.
    #[must_use]
    pub fn id(&self) -> &ConnectorId {
        match &self.0 {
            Step::Draft { draft, .. } => &draft.id,
            Step::Answered { id, .. } => id,
        }
    }

    /// The value that a property would have; nothing if there would be no such property, and of a
    /// request that was carried out before. For people who look at one value before they commit it.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Secret> {
        match &self.0 {
            Step::Draft { draft, .. } if draft.op != Op::Delete => draft.after.get(name),
            Step::Draft { .. } | Step::Answered { .. } => None,
        }
    }

    /// What committing the plan does to the connector; nothing if the request was carried out before.
    #[must_use]
    pub fn op(&self) -> Option<Op> {
        match &self.0 {
            Step::Draft { draft, .. } => Some(draft.op),
            Step::Answered { .. } => None,
        }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = quoted(self.id().as_str());
        match &self.0 {
            Step::Draft { draft, .. } => write!(f, "Plan({} {id}, ..)", draft.op.as_str()),
            Step::Answered { .. } => write!(f, "Plan({id} answered, ..)"),
        }
    }
}

impl Draft {
    /// The outcome once the draft is committed.
    pub(crate) fn committed(&self) -> Outcome {
        self.outcome(match self.op {
            Op::Create => Status::Created,
            Op::Update | Op::Patch => Status::Updated,
            Op::Delete => Status::Deleted,
            Op::Restore | Op::Undelete => Status::Restored,
            Op::Describe => Status::Described,
            Op::Move => Status::Moved,
        })
    }

    /// Whether committing writes a version.
    pub(crate) fn writes(&self) -> bool {
        Some(self.version_after) != self.version_before
    }

    fn is_unchanged(&self) -> bool {
        let changes = || self.changes.iter();
        match self.op {
            Op::Update | Op::Patch | Op::Restore => {
                changes().all(|c| c.change == ChangeKind::Unchanged)
            }
            Op::Describe | Op::Move => !self.writes(),
            Op::Create | Op::Delete | Op::Undelete => false,
        }
    }

    fn outcome(&self, status: Status) -> Outcome {
        Outcome {
            status: match self.is_unchanged() {
                true => Status::Unchanged,
                false => status,
            },
            id: self.id.as_str().to_owned(),
            version_before: self.version_before,
            version_after: self.version_after,
            changes: self.changes.clone(),
            warnings: self.warnings.clone(),
            tokens: self.tokens.clone(),
            outputs: self.outputs.clone(),
            replayed: false,
        }
    }
}

/// Plans `Connectors.Update`: properties that the request does not name keep their values.
///
/// Fails with `conflict`, `mask_value`, `null_value`, `value_too_large` or `too_many_properties`.
pub(crate) fn update(before: &Connector, request: &Changes, options: &Options) -> Result<Draft> {
    check_version(&before.id, Some(before.version), options)?;
    let merged = merge(&before.properties, request, options)?;
    let mut draft = draft_of(before, Op::Update, options);
    draft.after = merged.after;
    draft.changes = merged.changes;
    draft.warnings = merged.warnings;
    draft.tokens.clone_from(&request.tokens);
    Ok(settle(draft, options))
}

/// Plans `Connectors.Update` for a member who cannot read: `names` are those of all properties before it.
///
/// Fails with `conflict`, `mask_value`, `null_value`, `value_too_large`, `too_many_properties`, and with `not_permitted`
/// for objects that are to be merged.
pub(crate) fn patch(
    before: &Connector,
    names: &[PropertyName],
    request: &Changes,
    options: &Options,
) -> Result<Draft> {
    check_version(&before.id, Some(before.version), options)?;
    let written = write(names, request, options)?;
    let mut draft = draft_of(before, Op::Patch, options);
    draft.after = written.set;
    draft.names = Some(written.names);
    draft.changes = written.changes;
    draft.warnings = written.warnings;
    draft.tokens.clone_from(&request.tokens);
    draft.extras.secrets = None;
    draft.rotated_at = None;
    if draft.is_unchanged() {
        // A patch that changes nothing cannot be written, also for a request id.
        draft.version_after = before.version;
    }
    Ok(draft)
}

/// A connector that is to be created.
pub(crate) struct NewEntry {
    pub(crate) id: ConnectorId,
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) meta: Meta,
    /// The number of its group.
    pub(crate) group: u16,
    /// The version that deleted the id; the new connector continues after it.
    pub(crate) tombstone: Option<Version>,
}

/// Plans `CredStore.AddConnectorEntry`, or a creation by the caller: from nothing.
pub(crate) fn add(entry: NewEntry, request: &Changes, options: &Options) -> Result<Draft> {
    check_version(&entry.id, None, options)?;
    let merged = merge(&Properties::new(), request, options)?;
    Ok(Draft {
        id: entry.id,
        name: entry.name,
        type_name: entry.type_name,
        op: Op::Create,
        version_before: None,
        version_after: entry.tombstone.map_or(Version::FIRST, Version::next),
        created_at: None,
        rotated_at: None,
        meta: entry.meta,
        source: None,
        group: Some(entry.group),
        extras: Extras::default(),
        after: merged.after,
        names: None,
        request_id: options.request_id.clone(),
        note: options.note.clone(),
        changes: merged.changes,
        warnings: merged.warnings,
        tokens: request.tokens.clone(),
        outputs: Outputs::new(),
    })
}

/// Plans a deletion, that of `CredStore.DeleteEntry` or the caller's own: the tombstone is a version
/// of its own.
pub(crate) fn delete(
    before: &Connector,
    request: Option<&Changes>,
    options: &Options,
) -> Result<Draft> {
    check_version(&before.id, Some(before.version), options)?;
    let mut draft = draft_of(before, Op::Delete, options);
    if let Some(changes) = request {
        draft.warnings.clone_from(&changes.warnings);
        draft.tokens.clone_from(&changes.tokens);
    }
    Ok(draft)
}

/// Plans that a connector has other properties as a whole: the result of a merge.
pub(crate) fn replace(from: &Connector, to: &Properties, options: &Options) -> Result<Draft> {
    check_version(&from.id, Some(from.version), options)?;
    let mut draft = draft_of(from, Op::Update, options);
    draft.after = to.clone();
    draft.changes = differences(&from.properties, to);
    Ok(settle(draft, options))
}

/// Plans that a connector has the values of an earlier version. They are as old as they were there.
pub(crate) fn restore(from: &Connector, then: &Connector, options: &Options) -> Result<Draft> {
    check_version(&from.id, Some(from.version), options)?;
    let mut draft = draft_of(from, Op::Restore, options);
    draft.after = then.properties.clone();
    draft.changes = differences(&from.properties, &then.properties);
    let mut draft = settle(draft, options);
    draft.rotated_at = Some(then.rotated_at.clone());
    draft.source = Some(then.version);
    draft.extras.secrets.clone_from(&then.extras.secrets);
    Ok(draft)
}

/// Plans that a connector has another name, type or meta.
pub(crate) fn describe(
    before: &Connector,
    description: &Description,
    options: &Options,
) -> Result<Draft> {
    check_version(&before.id, Some(before.version), options)?;
    let mut draft = draft_of(before, Op::Describe, options);
    let (name, type_name) = (&mut draft.name, &mut draft.type_name);
    description.apply(name, type_name, &mut draft.meta)?;
    draft.after = before.properties.clone();
    let is_same = (&draft.name, &draft.type_name, &draft.meta)
        == (&before.name, &before.type_name, &before.meta);
    if is_same {
        draft.version_after = before.version;
    }
    Ok(draft)
}

/// Plans that a connector is in another group, by its number. `from` is that of the present one.
pub(crate) fn move_to(
    before: &Connector,
    [from, to]: [u16; 2],
    options: &Options,
) -> Result<Draft> {
    check_version(&before.id, Some(before.version), options)?;
    let mut draft = draft_of(before, Op::Move, options);
    draft.after = before.properties.clone();
    draft.group = Some(to);
    if from == to {
        draft.version_after = before.version;
    }
    Ok(draft)
}

/// Plans that a connector is there again as it was then. Its values are as old as they were.
pub(crate) fn undelete(then: &Connector, deletion: Version, options: &Options) -> Result<Draft> {
    check_version(&then.id, Some(deletion), options)?;
    let mut draft = draft_of(then, Op::Undelete, options);
    draft.version_before = None;
    draft.version_after = deletion.next();
    draft.after = then.properties.clone();
    draft.changes = differences(&Properties::new(), &then.properties);
    draft.source = Some(then.version);
    Ok(draft)
}

/// The properties that differ, those of `to` first. No request names them, so they have no source.
pub(crate) fn differences(from: &Properties, to: &Properties) -> Vec<Change> {
    let old = by_name(from);
    let new = by_name(to);
    let removed = from.names().filter(|name| !new.contains_key(name));
    to.names()
        .chain(removed)
        .map(|name| Change {
            name: name.as_str().to_owned(),
            change: ChangeKind::between(old.get(name).copied(), new.get(name).copied()),
            source: None,
            overridden: false,
        })
        .filter(|change| change.change != ChangeKind::Unchanged)
        .collect()
}

/// The JSON object or array that a value is.
fn container(value: &Secret) -> Option<Value> {
    let text = value.expose();
    // Most values are no JSON, and their first character says so.
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    match json::parse(text, Syntax::VALUE) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => Some(value),
        _ => None,
    }
}

fn draft_of(before: &Connector, op: Op, options: &Options) -> Draft {
    Draft {
        id: before.id.clone(),
        name: before.name.clone(),
        type_name: before.type_name.clone(),
        op,
        version_before: Some(before.version),
        version_after: before.version.next(),
        created_at: Some(before.created_at.clone()),
        rotated_at: Some(before.rotated_at.clone()),
        meta: before.meta.clone(),
        source: None,
        group: None,
        extras: before.extras.clone(),
        after: Properties::new(),
        names: None,
        request_id: options.request_id.clone(),
        note: options.note.clone(),
        changes: Vec::new(),
        warnings: Vec::new(),
        tokens: Vec::new(),
        outputs: Outputs::new(),
    }
}

/// Keeps the version if there is nothing to write; a request id is something to write. Values that do not change
/// are as old as before.
fn settle(mut draft: Draft, options: &Options) -> Draft {
    if !draft.is_unchanged() {
        draft.rotated_at = None;
    }
    if let (true, None, Some(before)) = (
        draft.is_unchanged(),
        &options.request_id,
        draft.version_before,
    ) {
        draft.version_after = before;
    }
    draft
}

/// Checked before anything about the content: who lost a race should hear of that, not of an
/// error that may no longer matter.
pub(crate) fn check_version(
    id: &ConnectorId,
    version: Option<Version>,
    options: &Options,
) -> Result<()> {
    let Some(wanted) = options.if_version else {
        return Ok(());
    };
    if version == Some(wanted) {
        return Ok(());
    }
    let id = quoted(id.as_str());
    let message = match version {
        Some(version) => format!("the connector {id} is at version {version}, not {wanted}"),
        None => format!("the connector {id} does not exist, so it is not at version {wanted}"),
    };
    Err(Error::new(Code::Conflict, message).with_hint("read the connector again and decide anew"))
}

#[cfg(test)]
mod tests;
