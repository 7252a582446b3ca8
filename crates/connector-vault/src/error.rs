//! The one error of this crate: a stable code, what went wrong and where, and what to do about it.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::source::{Missing, Unread};

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, and what to do about it. Never holds a secret.
///
/// ```
/// use connector_vault::{Action, Code};
///
/// let error = Action::parse("{}").unwrap_err();
/// assert_eq!(error.code(), Code::MissingActionType);
/// assert_eq!(error.code().as_str(), "missing_action_type");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

// Boxed, so that a `Result` that crosses many calls stays small.
#[derive(Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    message: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    place: Option<Place>,
    connector: Option<String>,
    detail: Option<Detail>,
    unread: Option<Unread>,
}

/// `{"code", "message", "hint", "place", "connector"}`; without `place` or `connector` if it has none.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Error", 5)?;
        fields.serialize_field("code", self.code().as_str())?;
        fields.serialize_field("message", self.message())?;
        fields.serialize_field("hint", &self.hint())?;
        match self.place() {
            Some(place) => fields.serialize_field("place", &place)?,
            None => fields.skip_field("place")?,
        }
        match self.connector() {
            Some(id) => fields.serialize_field("connector", id)?,
            None => fields.skip_field("connector")?,
        }
        fields.end()
    }
}

/// Where in an action's document something is wrong, for editors that mark it. The message says the
/// same in words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The action of a batch, from 1.
    pub action: Option<usize>,
    /// The parameter; `None` for the document itself.
    pub parameter: Option<&'static str>,
    /// The row of `Properties`, from 1.
    pub row: Option<usize>,
    /// Where in the parameter's text, or in that of the document.
    pub position: Option<Position>,
}

/// `{"action", "parameter", "row", "line", "column"}`, as far as they are known.
impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let numbers = [
            ("action", self.action),
            ("row", self.row),
            ("line", self.position.map(|position| position.line)),
            ("column", self.position.map(|position| position.column)),
        ];
        let mut fields = serializer.serialize_struct("Place", 5)?;
        if let Some(parameter) = self.parameter {
            fields.serialize_field("parameter", parameter)?;
        }
        for (name, number) in numbers {
            if let Some(number) = number {
                fields.serialize_field(name, &number)?;
            }
        }
        fields.end()
    }
}

/// A number that a hint is about, for surfaces that have an option for it. The hint says the same in
/// words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detail {
    /// A key slot asks Argon2id for more memory than
    /// [`OpenOptions::memory_kib_max`](crate::OpenOptions::memory_kib_max) allows: for so much, in KiB.
    MemoryNeeded(u32),
    /// The connector was deleted, and this is its newest kept version that has values.
    ValuesKept(u64),
    /// Argon2id has to run somewhere else: see [`Derivation`](crate::Derivation).
    Argon2id {
        /// The salt.
        salt: [u8; 16],
        /// The cost: memory in KiB, passes, lanes.
        cost: [u32; 3],
    },
}

/// Calls `each` for all items, also behind an item whose bytes are missing, and fails with all missing ranges.
pub(crate) fn for_all<T>(
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let mut missing = Vec::new();
    for item in items {
        let Err(error) = each(item) else { continue };
        match error.missing() {
            Some(absent) => missing.extend_from_slice(absent.ranges()),
            None if missing.is_empty() => return Err(error),
            // An item before it may fail in another way, once its bytes are there.
            None => break,
        }
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Error::not_fetched(missing.into_iter().collect())),
    }
}

/// A position in a text. Displayed as `line 1 column 14`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters (Unicode scalar values).
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

impl Error {
    /// An error with a stable code and a message: lower case, no full stop, never a secret.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            hint: None,
            place: None,
            connector: None,
            detail: None,
            unread: None,
        }))
    }

    /// The same error, with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The stable code: public API on every surface.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What went wrong and where.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Where in an action's document it is, if it is there.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.0.place
    }

    /// The id that no connector has, if the code is `connector_not_found`.
    /// [`Vault::similar`](crate::Vault::similar) knows which id may be meant.
    #[must_use]
    pub fn connector(&self) -> Option<&str> {
        self.0.connector.as_deref()
    }

    /// What its hint is about, if that is a number.
    #[must_use]
    pub fn detail(&self) -> Option<Detail> {
        self.0.detail
    }

    /// The bytes of the vault that have to be fetched before the same call can succeed, which had no effect.
    /// `None` for every other error: bytes in memory are never missing.
    #[must_use]
    pub fn missing(&self) -> Option<&Missing> {
        match &self.0.unread {
            Some(Unread::Missing(missing)) => Some(missing),
            _ => None,
        }
    }

    /// Whether it says that bytes of the vault were not to be had: nobody has looked at them, so it says nothing about
    /// a connector or a page.
    pub(crate) fn is_unread(&self) -> bool {
        self.0.unread.is_some()
    }

    /// The error of a call whose bytes are missing. Its code is `internal`, because only a driver that does
    /// not fetch lets it pass.
    pub(crate) fn not_fetched(missing: Missing) -> Self {
        Self::unread(missing.into())
    }

    /// The error of a call that did not get its bytes.
    pub(crate) fn unread(unread: Unread) -> Self {
        let mut error = match &unread {
            Unread::Missing(_) => Self::new(Code::Internal, "bytes of the vault were not fetched"),
            Unread::Ended => Self::new(
                Code::Damaged,
                "the file of the vault ends before the bytes that are wanted",
            )
            .with_hint(
                "somebody has cut or replaced the file while it was open: open the vault again",
            ),
            Unread::Failed(why) => {
                Self::new(Code::Io, format!("cannot read bytes of the vault: {why}"))
            }
        };
        error.0.unread = Some(unread);
        error
    }

    /// The same error, with the number that its hint is about.
    #[must_use]
    pub(crate) fn about(mut self, detail: Detail) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// The same error, about an id that no connector has.
    #[must_use]
    pub(crate) fn of_connector(mut self, id: &str) -> Self {
        self.0.connector = Some(id.to_owned());
        self
    }

    /// The same error, at a position unless a nearer one is known.
    #[must_use]
    pub(crate) fn at(mut self, position: Position) -> Self {
        let place = self.0.place.get_or_insert_default();
        place.position = place.position.or(Some(position));
        self
    }

    /// The same error, in a parameter of an action.
    #[must_use]
    pub(crate) fn of(mut self, parameter: &'static str) -> Self {
        self.0.place.get_or_insert_default().parameter = Some(parameter);
        self
    }

    /// The same error, in a row of `Properties`.
    #[must_use]
    pub(crate) fn in_row(mut self, row: usize) -> Self {
        self.0.place.get_or_insert_default().row = Some(row);
        self.of("Properties")
    }

    /// The same error, in an action of a batch.
    #[must_use]
    pub(crate) fn in_action(mut self, number: usize) -> Self {
        self.0.place.get_or_insert_default().action = Some(number);
        self.within(format_args!("action {number} of ActionList"))
    }

    /// The same error, its message led by where it happened.
    #[must_use]
    pub(crate) fn within(mut self, place: impl fmt::Display) -> Self {
        self.0.message = format!("{place}: {}", self.0.message).into();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.message)
    }
}

impl std::error::Error for Error {}

/// A name as it stands in messages: quoted, control characters escaped, clipped to 64 characters.
pub(crate) fn quoted(name: &str) -> String {
    let mut chars = name.chars();
    let clipped: String = chars.by_ref().take(64).collect();
    let more = if chars.next().is_some() { "..." } else { "" };
    format!("{clipped:?}{more}")
}

/// A number of things as messages have it: `1 pass`, `3 passes`.
pub(crate) fn counted(number: impl Into<u64>, one: &str, many: &str) -> String {
    let number = number.into();
    format!("{number} {}", if number == 1 { one } else { many })
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// The stable code of an [`Error`], `snake_case` on every surface.
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl fmt::Display for Code {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl PartialEq<&str> for Code {
            fn eq(&self, text: &&str) -> bool {
                self.as_str() == *text
            }
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The code as it stands in JSON, TypeScript and the command line's errors.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    // Bytes
    /// The bytes are no vault.
    NotAVault = "not_a_vault",
    /// A newer format, which this version does not know.
    UnsupportedVersion = "unsupported_version",
    /// The bytes are damaged or do not follow `docs/format.md`; the message names the offset.
    Damaged = "damaged",
    /// A part is larger than `docs/format.md` allows.
    LimitExceeded = "limit_exceeded",

    // Who opens it
    /// No key slot of the vault opens with this passphrase.
    WrongPassphrase = "wrong_passphrase",
    /// The passphrase is empty or too long.
    InvalidPassphrase = "invalid_passphrase",
    /// No key slot of the vault opens with this external key.
    WrongKey = "wrong_key",
    /// The vault has no key slot that could be tried, or the grant has none that is meant.
    NoKeySlot = "no_key_slot",
    /// Nothing else opens the grant than this key slot.
    LastKeySlot = "last_key_slot",
    /// The Argon2id cost of a key slot is outside the limits.
    CostOutOfRange = "cost_out_of_range",
    /// The system does not give this process the memory that Argon2id needs.
    OutOfMemory = "out_of_memory",
    /// The vault has no grant for this identity.
    WrongIdentity = "wrong_identity",
    /// The text is no identity, or its checksum is wrong.
    InvalidIdentity = "invalid_identity",
    /// The text is no public grant key, or its checksum is wrong.
    InvalidGrantKey = "invalid_grant_key",
    /// The text is not a vault reference.
    InvalidVaultReference = "invalid_vault_reference",
    /// The text is no vault id.
    InvalidVaultId = "invalid_vault_id",
    /// An identity without a key slot needs the vault id or a known head.
    VaultIdRequired = "vault_id_required",
    /// The vault is another one than expected.
    WrongVault = "wrong_vault",
    /// The role of the grant does not permit this.
    NotPermitted = "not_permitted",

    // Trust in the log
    /// A signature does not verify.
    BadSignature = "bad_signature",
    /// A commit does what its author's role does not permit.
    UnauthorizedCommit = "unauthorized_commit",
    /// The vault is older than the newest head this client has seen.
    RolledBack = "rolled_back",
    /// A version of a connector breaks the rules of `docs/format.md` section 8, or its author did not sign it.
    FalseRecord = "false_record",
    /// The vault does not contain the newest head this client has seen.
    Forked = "forked",
    /// A snapshot by an author whom the known head does not list as an owner.
    UntrustedOwner = "untrusted_owner",
    /// Another vault than the one that this client has seen at the same place.
    OtherVault = "other_vault",

    // Connectors
    /// No connector has this id.
    ConnectorNotFound = "connector_not_found",
    /// A connector has this id already.
    ConnectorExists = "connector_exists",
    /// This version of the connector is not kept.
    VersionNotFound = "version_not_found",
    /// The connector or the vault changed in the meantime.
    Conflict = "conflict",
    /// The request id was used for a request with other content.
    RequestIdReused = "request_id_reused",
    /// The history does not reach back far enough to tell whether the request id was used.
    RequestTooOld = "request_too_old",
    /// A connector id is empty, too long or holds control characters.
    InvalidConnectorId = "invalid_connector_id",
    /// A connector's name or type is empty, too long or holds control characters.
    InvalidConnectorName = "invalid_connector_name",
    /// A property name is empty or too long.
    InvalidPropertyName = "invalid_property_name",
    /// A property value is too long.
    ValueTooLarge = "value_too_large",
    /// A connector would have too many properties.
    TooManyProperties = "too_many_properties",
    /// A request id, note, label or time is not valid.
    InvalidArgument = "invalid_argument",
    /// The host's clock says a time before 1970 or after 9999.
    Clock = "clock",

    // Groups
    /// No group that the grant lists has this name.
    GroupNotFound = "group_not_found",
    /// A group has this name already.
    GroupExists = "group_exists",
    /// A group holds connectors, or deleted ids for which nobody named another group.
    GroupNotEmpty = "group_not_empty",

    // Grants
    /// No grant has this label.
    GrantNotFound = "grant_not_found",
    /// A grant has this label already.
    GrantExists = "grant_exists",
    /// The vault must keep at least one owner.
    LastOwner = "last_owner",
    /// Copies of two vaults do not merge.
    NotMergeable = "not_mergeable",
    /// Both copies changed the same, and nobody said whose side wins.
    MergeConflict = "merge_conflict",
    /// The other copy was changed by a grant that this one does not list.
    MergeStranger = "merge_stranger",
    /// Access was revoked in the other copy, and this one does not know of that.
    MergeEpoch = "merge_epoch",

    // The action's document
    /// The action is larger than 16 MiB.
    ActionTooLarge = "action_too_large",
    /// The document is not valid JSON; the message names the position.
    InvalidJson = "invalid_json",
    /// JSON is nested deeper than 128 levels.
    JsonTooDeep = "json_too_deep",
    /// Text follows the end of the JSON document.
    TrailingText = "trailing_text",
    /// A string holds half of a surrogate pair.
    LoneSurrogate = "lone_surrogate",
    /// A name stands twice in one JSON object.
    DuplicateName = "duplicate_name",
    /// A JSON object was expected.
    NotAnObject = "not_an_object",
    /// The document has no `ActionType`.
    MissingActionType = "missing_action_type",
    /// The `ActionType` is unknown.
    UnknownActionType = "unknown_action_type",
    /// A required parameter is missing or empty.
    MissingParameter = "missing_parameter",
    /// A parameter or field is unknown.
    UnknownParameter = "unknown_parameter",
    /// A parameter has the wrong JSON type.
    WrongParameterType = "wrong_parameter_type",
    /// The action is marked as deleted.
    ActionDeleted = "action_deleted",
    /// The action has a condition, which is the host's to evaluate.
    ConditionNotEvaluated = "condition_not_evaluated",
    /// The host gave nothing that tests connectors.
    TesterMissing = "tester_missing",
    /// An expression is the host's to evaluate.
    ExpressionNotSupported = "expression_not_supported",
    /// A property name is empty.
    EmptyPropertyName = "empty_property_name",
    /// A row of the grid has no `PropertyValue`.
    MissingPropertyValue = "missing_property_value",
    /// A value is `null`.
    NullValue = "null_value",
    /// A value is empty because the token, variable, file or pipe that it comes from is.
    EmptyValue = "empty_value",
    /// A value is only a mask that other systems show in place of a secret.
    MaskValue = "mask_value",
    /// A raw JSON object stands where a string with JSON was expected.
    PropertiesJsonNotText = "properties_json_not_text",

    // Tokens
    /// A token has no value and no default.
    TokenUnresolved = "token_unresolved",
    /// A token in value position does not resolve to one JSON value.
    TokenNotJson = "token_not_json",
    /// The token that is the whole `PropertiesJson` does not resolve to a JSON object.
    TokenNotAnObject = "token_not_an_object",
    /// A text that should name a token does not.
    InvalidTokenName = "invalid_token_name",
    /// A token's format has no `{0}`.
    InvalidTokenFormat = "invalid_token_format",
    /// Tokens are nested or expand beyond the limits.
    TokenLimit = "token_limit",
    /// The host's token source failed.
    TokenSourceFailed = "token_source_failed",
    /// The host's tester failed: it could not tell whether the connector works.
    TesterFailed = "tester_failed",

    // Host
    /// The host's source of randomness failed or another internal invariant broke.
    Internal = "internal",

    // Storage: errors of those who keep the bytes
    /// A change may have been stored or not: the answer of the storage got lost.
    OutcomeUnknown = "outcome_unknown",
    /// The system refuses to read or write.
    Io = "io",
    /// A path leads to a folder, a device or another thing that is not a file.
    NotAFile = "not_a_file",
    /// There is no vault at the path.
    FileNotFound = "file_not_found",
    /// There is a file already.
    FileExists = "file_exists",
    /// Other processes kept the file lock for too long.
    LockTimeout = "lock_timeout",
    /// The file lock is not what this version writes.
    LockUnreadable = "lock_unreadable",
    /// Somebody took the file lock away.
    LockLost = "lock_lost",
    /// Another file stands in the place of the one that was opened.
    FileReplaced = "file_replaced",
    /// The file has other names, which the change would leave behind.
    OtherNames = "other_names",
    /// The system could not confirm that the change reached the disk.
    NotDurable = "not_durable",
    /// A file of the state folder is not what this version writes.
    StateUnreadable = "state_unreadable",
    /// The user has no folder for known heads.
    NoStateDir = "no_state_dir",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_snake_case() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert!(
                text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{text}"
            );
        }
    }
}
