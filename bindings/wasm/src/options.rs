//! How an action is carried out, as JavaScript says it.

use connector_vault::{Nested, Note, Null, Options, RequestId, Version};
use serde::Deserialize;

use crate::error::Result;
use crate::input;

/// How an action is carried out (docs/action.md section 6).
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct ActionOptions {
    /// Only if the connector is at this version; otherwise `conflict`.
    #[serde(deserialize_with = "input::some")]
    if_version: Option<u64>,
    /// The same request again changes nothing and returns the first outcome. 1 to 256 bytes.
    #[serde(deserialize_with = "input::some")]
    request_id: Option<String>,
    /// What `null` as a value means: by default an error.
    #[serde(deserialize_with = "input::some")]
    null: Option<NullMeaning>,
    /// What becomes of a stored JSON object when its property gets another one: by default it is replaced.
    #[serde(deserialize_with = "input::some")]
    nested: Option<NestedMeaning>,
    /// Whether a value may be a mask such as `***`.
    allow_mask: bool,
    /// Whether a value may be empty because its token is: by default that is `empty_value`.
    allow_empty: bool,
    /// Whether brackets are only text.
    no_tokens: bool,
    /// A note that is kept with the version. Every member who may list can read it. 1 to 256 bytes.
    #[serde(deserialize_with = "input::some")]
    note: Option<String>,
    /// Whether the action's `Condition` was evaluated, and held.
    condition_met: bool,
}

/// What `null` as a value means: an error, or that the property is removed.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NullMeaning {
    Reject,
    Remove,
}

/// What becomes of a stored JSON object: it is replaced as a whole, or the new one is merged into it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NestedMeaning {
    Replace,
    Merge,
}

impl ActionOptions {
    pub(crate) fn parse(json: &str) -> Result<Options> {
        let options: Self = input::options(json)?;
        Ok(Options {
            if_version: options.if_version.map(Version::new).transpose()?,
            request_id: options.request_id.map(RequestId::new).transpose()?,
            null: match options.null {
                Some(NullMeaning::Remove) => Null::Remove,
                Some(NullMeaning::Reject) | None => Null::Reject,
            },
            nested: match options.nested {
                Some(NestedMeaning::Merge) => Nested::Merge,
                Some(NestedMeaning::Replace) | None => Nested::Replace,
            },
            allow_mask: options.allow_mask,
            allow_empty: options.allow_empty,
            no_tokens: options.no_tokens,
            note: options.note.map(Note::new).transpose()?,
            condition_met: options.condition_met,
        })
    }
}
