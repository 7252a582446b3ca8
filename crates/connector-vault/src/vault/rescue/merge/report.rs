//! What a merge tells: conflicts, strangers, and versions that it does not take (docs/format.md section 11).

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::connector::{ConnectorId, PropertyName, Version};
use crate::error::Error;
use crate::format::hex::GrantId;
use crate::time::Timestamp;

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
    /// The last change of it in this copy.
    pub ours: LastChange,
    /// The last change of it in the other copy.
    pub theirs: LastChange,
    /// Whose change stays; `None`: nobody has decided.
    pub winner: Option<Winner>,
}

/// When something was changed last, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastChange {
    /// By its author's clock.
    pub at: Timestamp,
    /// The label of its author in this copy, or the id of a grant that this copy does not list.
    pub by: String,
}

/// Whose change of a conflict stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Winner {
    /// This copy's.
    Ours,
    /// The other copy's.
    Theirs,
}

/// A version of the other copy that was not looked at, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotTaken {
    /// Its connector. `None`: the version does not say.
    pub id: Option<ConnectorId>,
    /// The version.
    pub version: Version,
    /// `damaged` or `false_record` if it breaks a rule there, `not_permitted` in a group that this grant does not
    /// read.
    pub error: Error,
}

/// `{"id", "version", "code", "message"}`.
impl Serialize for NotTaken {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("NotTaken", 4)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("version", &self.version)?;
        fields.serialize_field("code", self.error.code().as_str())?;
        fields.serialize_field("message", self.error.message())?;
        fields.end()
    }
}

/// `{"id", "kind", "ours_at", "ours_by", "theirs_at", "theirs_by", "winner"}`, with `property` if it is about one.
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
        let mut fields = serializer.serialize_struct("MergeConflict", 8)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("kind", kind)?;
        match property {
            Some(name) => fields.serialize_field("property", name)?,
            None => fields.skip_field("property")?,
        }
        fields.serialize_field("ours_at", &self.ours.at)?;
        fields.serialize_field("ours_by", &self.ours.by)?;
        fields.serialize_field("theirs_at", &self.theirs.at)?;
        fields.serialize_field("theirs_by", &self.theirs.by)?;
        fields.serialize_field("winner", &self.winner)?;
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
