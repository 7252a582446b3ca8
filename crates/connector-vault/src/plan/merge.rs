//! The merge: existing properties, overwritten by a request's (docs/action.md section 3).

use std::collections::HashMap;

use super::near_miss::fold;
use super::{Change, ChangeKind};
use crate::action::{Changes, Options, Source, Warning, WarningCode, Write};
use crate::connector::{Properties, PropertyName, Secret};
use crate::error::{Code, Error, Result, quoted};

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
        if let Some(value) = &write.value {
            check_mask(write, value, old_value, options)?;
            if value.expose().is_empty() && old_value.is_some_and(|old| !old.expose().is_empty()) {
                let name = quoted(write.name.as_str());
                let message = format!("the property {name} had a value and is empty now");
                warnings.push(Warning::new(WarningCode::ValueEmptied, message));
            }
            after.set(write.name.clone(), value.clone())?;
        }
        changes.push(Change {
            name: write.name.as_str().to_owned(),
            change: ChangeKind::between(old_value, write.value.as_ref()),
            source: Some(write.source),
            overridden: write.overridden,
        });
    }
    warn_of_similar_names(&old, &request.writes, &mut warnings);
    Ok(Merged {
        after,
        changes,
        warnings,
    })
}

/// Only of what ends up stored: a mask in the grid that the JSON overrides does no harm, and one
/// that is stored already is not made worse.
fn check_mask(
    write: &Write,
    value: &Secret,
    old: Option<&Secret>,
    options: &Options,
) -> Result<()> {
    if options.allow_mask || !is_mask(value.expose()) || old == Some(value) {
        return Ok(());
    }
    let name = quoted(write.name.as_str());
    let source = match write.source {
        Source::Grid => "Properties",
        Source::Json => "PropertiesJson",
    };
    Err(Error::new(
        Code::MaskValue,
        format!("property {name}: {source} has a mask, not a value"),
    )
    .hint("leave the property out to keep its value, or allow masks for this request"))
}

/// What other systems show in place of a secret.
fn is_mask(value: &str) -> bool {
    (value.len() >= 3 && value.bytes().all(|b| b == b'*'))
        || value == "__PWRD__"
        || value.starts_with("__n8n_BLANK_VALUE_")
}

fn warn_of_similar_names(
    old: &HashMap<&PropertyName, &Secret>,
    writes: &[Write],
    warnings: &mut Vec<Warning>,
) {
    let mut by_fold: HashMap<String, &PropertyName> = old
        .keys()
        .map(|name| (fold(name.as_str()), *name))
        .collect();
    for write in writes.iter().filter(|write| !old.contains_key(&write.name)) {
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
