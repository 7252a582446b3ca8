//! What a caller may ask for beyond the platform's parameters (docs/action.md section 6).

use std::fmt;
use std::str::FromStr;

use crate::connector::{Version, check_text};
use crate::error::{Code, Error, Result};
use crate::limits;

/// How an action is carried out.
///
/// ```
/// use connector_vault::{Null, Options, Version};
///
/// let options = Options {
///     if_version: Some(Version::new(3)?),
///     null: Null::Remove,
///     ..Options::default()
/// };
/// # Ok::<(), connector_vault::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Only if the connector is at this version; otherwise `conflict`.
    pub if_version: Option<Version>,
    /// The same request again changes nothing and returns the first outcome.
    pub request_id: Option<RequestId>,
    /// What `null` as a value means.
    pub null: Null,
    /// What becomes of a stored JSON object when its property gets another one.
    pub nested: Nested,
    /// Whether a value may be a mask such as `***`.
    pub allow_mask: bool,
    /// Whether a value may be empty because its token is.
    pub allow_empty: bool,
    /// Whether brackets are only text.
    pub no_tokens: bool,
    /// A note that is kept with the version.
    pub note: Option<Note>,
    /// Whether the host evaluated the action's `Condition`, and it held.
    pub condition_met: bool,
    /// The name of the group in which connectors are created; without one it is `default`. An action that creates
    /// none fails with it.
    pub group: Option<String>,
}

impl Options {
    /// The options that differ from the default, by name: a part of what makes two requests the same.
    /// So an option that is added later leaves the requests before it as they were. `group` is the id of the group
    /// that `self` names.
    pub(crate) fn digest_parts(&self, group: Option<String>) -> Vec<(&'static str, String)> {
        // By name, so that a new option cannot be forgotten here.
        let Self {
            if_version,
            request_id: _,
            null,
            nested,
            allow_mask,
            allow_empty,
            no_tokens,
            note,
            condition_met,
            group: _,
        } = self;
        let yes = |is: &bool| is.then(|| "true".to_owned());
        [
            ("if_version", if_version.map(|version| version.to_string())),
            ("null", (*null == Null::Remove).then(|| "remove".to_owned())),
            (
                "nested",
                (*nested == Nested::Merge).then(|| "merge".to_owned()),
            ),
            ("allow_mask", yes(allow_mask)),
            ("allow_empty", yes(allow_empty)),
            ("no_tokens", yes(no_tokens)),
            ("note", note.as_ref().map(|note| note.as_str().to_owned())),
            ("condition_met", yes(condition_met)),
            ("group", group),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// What `null` as a value means.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Null {
    /// An error: a `null` usually is a value that got lost on its way.
    #[default]
    Reject,
    /// Removes the property, as in RFC 7396.
    Remove,
}

/// What becomes of a stored JSON object when its property gets another one.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nested {
    /// It is replaced as a whole, like any value; the names that it loses are a warning.
    #[default]
    Replace,
    /// The new object is merged into it, as in RFC 7396: names that it does not have stay.
    Merge,
}

macro_rules! checked_text {
    ($(#[doc = $doc:literal])+ $name:ident, $what:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Checks and takes a ", $what, "; fails with `invalid_argument`.")]
            pub fn new(text: impl Into<String>) -> Result<Self> {
                let text = text.into();
                check_text($what, &text, limits::NOTE_LEN_MAX, Code::InvalidArgument)?;
                Ok(Self(text))
            }

            #[doc = concat!("The ", $what, " as text.")]
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text! {
    /// A caller's key for one request, so that a repetition has no effect: 1..=256 bytes, no
    /// control characters.
    RequestId, "request id"
}

checked_text! {
    /// A note that is kept with a version: 1..=256 bytes, no control characters. Every role
    /// can read it.
    Note, "note"
}
