//! Properties whose values are JSON objects: which names a new value drops, and what merging it
//! into the stored one gives (docs/action.md 3.12).

use std::collections::HashMap;

use super::container;
use crate::action::Null;
use crate::error::{Code, Error, Result, quoted};
use crate::json::{self, Member, Value};
use crate::secret::{Secret, into_secret};

/// How many names a warning tells.
const NAMES_MAX: usize = 5;

/// The names that a stored JSON object has and the JSON object in its place does not, for a
/// message; `None` if there is no such name, or one of the two is no object.
pub(super) fn dropped_names(stored: &Secret, value: &Secret) -> Option<String> {
    let (Value::Object(old), Value::Object(new)) = (container(stored)?, container(value)?) else {
        return None;
    };
    let mut dropped = Dropped::default();
    dropped.compare(&mut Vec::new(), &old, &new);
    dropped.into_text()
}

#[derive(Default)]
struct Dropped {
    names: Vec<String>,
    more: usize,
}

impl Dropped {
    fn compare<'v>(&mut self, path: &mut Vec<&'v str>, old: &'v [Member], new: &[Member]) {
        let new = json::by_name(new);
        for member in old {
            path.push(&member.name);
            match (&member.value, new.get(member.name.as_str())) {
                (_, None) if self.names.len() == NAMES_MAX => self.more += 1,
                (_, None) => {
                    let names: Vec<_> = path.iter().map(|name| quoted(name)).collect();
                    self.names.push(names.join("."));
                }
                (Value::Object(old), Some(Value::Object(new))) => self.compare(path, old, new),
                _ => {}
            }
            path.pop();
        }
    }

    fn into_text(self) -> Option<String> {
        if self.names.is_empty() {
            return None;
        }
        let names = self.names.join(", ");
        Some(match self.more {
            0 => names,
            more => format!("{names} and {more} more"),
        })
    }
}

/// A new value merged into the stored one (RFC 7396); as it is, if it is no JSON object.
///
/// Fails with `null_value` for a `null` that asks for a removal, unless that is what `null` means;
/// and with `value_too_large`.
pub(super) fn merged(stored: Option<&Secret>, value: &Secret, null: Null) -> Result<Secret> {
    let Some(patch @ Value::Object(_)) = container(value) else {
        return Ok(value.clone());
    };
    let (patch_text, target) = (patch.to_compact(), stored.and_then(container));
    let target_text = target.as_ref().map(Value::to_compact);
    let Some(merged) = apply(target, patch, null)? else {
        return Ok(value.clone());
    };
    let merged = merged.to_compact();
    // What is the same but for white space stays as somebody wrote it.
    match stored {
        Some(stored) if target_text.as_ref() == Some(&merged) => Ok(stored.clone()),
        _ if merged == patch_text => Ok(value.clone()),
        _ => into_secret(merged),
    }
}

/// `MergePatch` of RFC 7396 section 2; `None` removes the name.
fn apply(target: Option<Value>, patch: Value, null: Null) -> Result<Option<Value>> {
    match (patch, target) {
        (Value::Object(patch), Some(Value::Object(target))) => {
            apply_members(target, patch, null).map(Some)
        }
        (Value::Object(patch), _) => apply_members(Vec::new(), patch, null).map(Some),
        (Value::Null, _) if null == Null::Remove => Ok(None),
        // No name: inside a property, names are part of its value.
        (Value::Null, _) => Err(Error::new(
            Code::NullValue,
            "a null stands in the JSON object that is merged",
        )
        .with_hint(
            "a null usually is a value that got lost; to remove the name, ask for that with the \
             option for null",
        )),
        (other, _) => Ok(Some(other)),
    }
}

fn apply_members(target: Vec<Member>, patch: Vec<Member>, null: Null) -> Result<Value> {
    let places: HashMap<&str, usize> = (0..)
        .zip(&patch)
        .map(|(index, member)| (member.name.as_str(), index))
        .collect();
    let of_target: Vec<_> = target
        .iter()
        .map(|member| places.get(member.name.as_str()).copied())
        .collect();
    let mut patch: Vec<_> = patch.into_iter().map(Some).collect();
    let mut merged = Vec::with_capacity(target.len() + patch.len());
    for (member, place) in target.into_iter().zip(of_target) {
        let Some(change) = place.and_then(|index| patch[index].take()) else {
            merged.push(member);
            continue;
        };
        let Member { name, at, value } = member;
        if let Some(value) = apply(Some(value), change.value, null)? {
            merged.push(Member { name, at, value });
        }
    }
    for Member { name, at, value } in patch.into_iter().flatten() {
        if let Some(value) = apply(None, value, null)? {
            merged.push(Member { name, at, value });
        }
    }
    Ok(Value::Object(merged))
}
