//! The merge: existing properties, overwritten by a request's (docs/action.md section 3).

use std::collections::{HashMap, HashSet};

use super::mask::{Masked, masked};
use super::near_miss::fold;
use super::nested::{dropped_names, merged};
use super::{Change, ChangeKind};
use crate::action::{Changes, Nested, Options, Source, Warning, WarningCode, Write};
use crate::connector::{Properties, PropertyName, too_many_properties};
use crate::error::{Code, Error, Result, quoted};
use crate::limits;
use crate::secret::Secret;

/// The properties after a request, and what is to be told of them.
pub(super) struct Merged {
    pub(super) after: Properties,
    pub(super) changes: Vec<Change>,
    pub(super) warnings: Vec<Warning>,
}

pub(super) fn by_name(properties: &Properties) -> HashMap<&PropertyName, &Secret> {
    properties.iter().collect()
}

pub(super) fn merge(before: &Properties, request: &Changes, options: &Options) -> Result<Merged> {
    let old = by_name(before);
    let mut after = before.clone();
    // Removals first, so that a connector at its limit can exchange one property for another.
    for write in request.writes.iter().filter(|write| write.value.is_none()) {
        if old.contains_key(&write.name) {
            after.remove(write.name.as_str());
        }
    }
    let mut changes = Vec::with_capacity(request.writes.len());
    let mut warnings = request.warnings.clone();
    for write in &request.writes {
        let old_value = old.get(&write.name).copied();
        let new_value = match &write.value {
            Some(value) => Some(checked(write, value, old_value, options).map_err(|error| {
                error.within(format_args!("property {}", quoted(write.name.as_str())))
            })?),
            None => None,
        };
        let change = ChangeKind::between(old_value, new_value.as_ref());
        if let Some(value) = new_value {
            warn_of_value(&write.name, &value, old_value, options, &mut warnings);
            after.set(write.name.clone(), value)?;
        }
        changes.push(Change {
            name: write.name.as_str().to_owned(),
            change,
            source: Some(write.source),
            overridden: write.overridden,
        });
    }
    let names = old.keys().copied().collect();
    warn_of_similar_names(&names, &request.writes, &mut warnings);
    Ok(Merged {
        after,
        changes,
        warnings,
    })
}

/// What a request writes that reads nothing.
pub(super) struct Written {
    /// The properties that it sets, in its order.
    pub(super) set: Properties,
    /// The names of all properties afterwards.
    pub(super) names: Vec<PropertyName>,
    pub(super) changes: Vec<Change>,
    pub(super) warnings: Vec<Warning>,
}

/// The same as [`merge`], where only the names of the properties are known.
pub(super) fn write(
    before: &[PropertyName],
    request: &Changes,
    options: &Options,
) -> Result<Written> {
    if options.nested == Nested::Merge {
        return Err(Error::new(
            Code::NotPermitted,
            "this grant cannot read the object that another one would be merged into",
        )
        .with_hint("write the whole object, or ask an owner of the vault for the right to read"));
    }
    let old: HashSet<_> = before.iter().collect();
    let is_removed = |name: &PropertyName| {
        let mut writes = request.writes.iter();
        writes.any(|write| write.name == *name && write.value.is_none())
    };
    let mut names: Vec<_> = before
        .iter()
        .filter(|name| !is_removed(name))
        .cloned()
        .collect();
    let mut set = Properties::new();
    let mut changes = Vec::with_capacity(request.writes.len());
    let mut warnings = request.warnings.clone();
    for write in &request.writes {
        let change = match &write.value {
            Some(value) => {
                check_mask(write, value, None, options).map_err(|error| {
                    error.within(format_args!("property {}", quoted(write.name.as_str())))
                })?;
                warn_of_value(&write.name, value, None, options, &mut warnings);
                set.set(write.name.clone(), value.clone())?;
                if !old.contains(&write.name) {
                    names.push(write.name.clone());
                }
                ChangeKind::Written
            }
            None if old.contains(&write.name) => ChangeKind::Removed,
            None => ChangeKind::Unchanged,
        };
        changes.push(Change {
            name: write.name.as_str().to_owned(),
            change,
            source: Some(write.source),
            overridden: write.overridden,
        });
    }
    if names.len() > limits::PROPERTIES_MAX {
        return Err(too_many_properties());
    }
    warn_of_similar_names(&old, &request.writes, &mut warnings);
    Ok(Written {
        set,
        names,
        changes,
        warnings,
    })
}

/// The value that a property has after a write.
fn checked(
    write: &Write,
    value: &Secret,
    old: Option<&Secret>,
    options: &Options,
) -> Result<Secret> {
    let value = match options.nested {
        Nested::Replace => value.clone(),
        Nested::Merge => merged(old, value, options.null)?,
    };
    check_mask(write, &value, old, options)?;
    Ok(value)
}

/// Only of what ends up stored: a mask in the grid that the JSON overrides does no harm, and one
/// that is stored already is not made worse.
fn check_mask(
    write: &Write,
    value: &Secret,
    old: Option<&Secret>,
    options: &Options,
) -> Result<()> {
    if options.allow_mask {
        return Ok(());
    }
    let Some(masked) = masked(value, old) else {
        return Ok(());
    };
    let place = match write.source {
        Source::Grid => "",
        Source::Json => " in PropertiesJson",
    };
    let message = match masked {
        Masked::Wholly => format!("the value{place} is a mask"),
        // No name: inside a property, names are part of its value.
        Masked::Within => format!("a mask stands within the value{place}"),
    };
    Err(Error::new(Code::MaskValue, message).with_hint(match masked {
        Masked::Wholly => {
            "leave the property out to keep its value, or allow masks for this request"
        }
        Masked::Within => {
            "write the value in its place, or leave its name out and merge the object into the stored \
             one, or allow masks for this request"
        }
    }))
}

fn warn_of_value(
    name: &PropertyName,
    value: &Secret,
    old: Option<&Secret>,
    options: &Options,
    warnings: &mut Vec<Warning>,
) {
    let name = quoted(name.as_str());
    let mut warn = |code, message| warnings.push(Warning::new(code, message));
    if value.expose().is_empty() && old.is_some_and(|old| !old.expose().is_empty()) {
        let message = format!("the property {name} had a value and is empty now");
        warn(WarningCode::ValueEmptied, message);
    }
    if let Some(space) = surrounding_space(value.expose()) {
        let message = format!("the value of the property {name} has {space}");
        warn(WarningCode::SurroundingSpace, message);
    }
    if options.nested == Nested::Merge {
        // A name is gone only where a null asked for that.
        return;
    }
    if let Some(names) = old.and_then(|old| dropped_names(old, value)) {
        let message = format!(
            "the new value of the property {name} lacks names that the stored JSON object has: {names}"
        );
        warn(WarningCode::NestedNamesDropped, message);
    }
}

/// Where a value has white space that somebody may have copied along with it.
fn surrounding_space(value: &str) -> Option<&'static str> {
    let begins = value.starts_with(char::is_whitespace);
    let ends = value.ends_with(char::is_whitespace);
    match (begins, ends) {
        (false, false) => None,
        (true, true) => Some("white space around it"),
        (true, false) => Some("white space at its start"),
        (false, true) if value.ends_with(['\n', '\r']) => Some("a line break at its end"),
        (false, true) => Some("white space at its end"),
    }
}

fn warn_of_similar_names(
    old: &HashSet<&PropertyName>,
    writes: &[Write],
    warnings: &mut Vec<Warning>,
) {
    let mut by_fold: HashMap<String, &PropertyName> = old
        .iter()
        .map(|name| (fold(name.as_str()), *name))
        .collect();
    for write in writes.iter().filter(|write| !old.contains(&write.name)) {
        let fold = fold(write.name.as_str());
        if let Some(similar) = by_fold.get(&fold) {
            let (name, similar) = (quoted(write.name.as_str()), quoted(similar.as_str()));
            let message = format!(
                "the property {name} is new; {similar} differs from it only in case, \
                 Unicode form or spaces"
            );
            warnings.push(Warning::new(WarningCode::SimilarName, message));
        } else if write.value.is_some() {
            by_fold.insert(fold, &write.name);
        }
    }
}
