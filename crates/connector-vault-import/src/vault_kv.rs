//! `vault-kv`: secrets of HashiCorp Vault's key-value engines, as `vault kv get -format=json` prints them.

use crate::entry::{Entry, Imported, place};
use crate::error::{Error, Result, quoted};
use crate::export::Export;
use crate::json::{Json, Members};

/// Reads `{"PATH": {..}, ..}` with what the command printed for each path, several such documents behind each other, or what
/// it printed once: it does not print the path, so the file's name stands for it then.
pub(crate) fn read(export: &Export<'_>) -> Result<Imported> {
    let documents = Json::stream(export.text()?)?;
    let mut imported = Imported::default();
    let mut number = 0;
    for document in &documents {
        let members = document.members()?;
        if is_printed(&members) {
            let [_] = documents.as_slice() else {
                return Err(Error::invalid(
                    "several secrets follow each other without their paths",
                )
                .with_hint(
                    "give each its path: `vault kv get -format=json PATH | jq '{\"PATH\": .}'`",
                ));
            };
            let path = id_of(export.file_name)?;
            secret(1, path, &members, &mut imported)?;
            continue;
        }
        for (path, printed) in members.iter() {
            number += 1;
            let members = printed
                .members()
                .map_err(|error| error.within(place("secret", number, Some(path))))?;
            secret(number, path, &members, &mut imported)?;
        }
    }
    match documents.is_empty() {
        true => Err(Error::invalid("the file is empty")),
        false => Ok(imported),
    }
}

/// Whether a document is what the command prints, or an object of such by their paths.
pub(crate) fn is_like(document: &Members<'_>) -> bool {
    let printed = |value: Json<'_>| value.members().is_ok_and(|members| is_printed(&members));
    is_printed(document)
        || document
            .iter()
            .next()
            .is_some_and(|(_, value)| printed(value))
}

fn is_printed(members: &Members<'_>) -> bool {
    ["request_id", "data", "lease_duration"]
        .iter()
        .all(|name| members.has(name))
}

fn secret(number: usize, path: &str, printed: &Members<'_>, imported: &mut Imported) -> Result<()> {
    let mut entry = Entry::new("secret", number, path).called("", "vault-kv");
    let at = |error: Error| error.within(place("secret", number, Some(path)));
    if !is_printed(printed) {
        return Err(at(Error::invalid(
            "this is not what `vault kv get -format=json` prints",
        )));
    }
    let Some(data) = printed.get("data").filter(|data| !data.is_null()) else {
        imported.leave(path, "the secret, which has no data");
        return Ok(());
    };
    let data = data.members().map_err(at)?;
    let values = match version_2(&data) {
        None => data,
        Some((values, metadata)) => {
            let custom = metadata.get("custom_metadata");
            if custom.is_some_and(|custom| !custom.is_null() && !custom.is_empty()) {
                imported.leave(path, "its custom metadata");
            }
            if values.is_null() {
                imported.leave(path, "the secret, whose version is deleted");
                return Ok(());
            }
            values.members().map_err(at)?
        }
    };
    for (name, value) in values.iter() {
        if !entry.set_json(name, value)? {
            imported.leave(path, format!("{}, which is null", quoted(name)));
        }
    }
    imported.add(entry)
}

/// Values and metadata of a secret of the second version of the engine.
fn version_2<'t>(data: &Members<'t>) -> Option<(Json<'t>, Members<'t>)> {
    let metadata = data.get("metadata")?.members().ok()?;
    let is_metadata = metadata.has("version") && metadata.has("created_time");
    (data.iter().len() == 2 && is_metadata).then_some((data.get("data")?, metadata))
}

fn id_of(file_name: Option<&str>) -> Result<&str> {
    let name = file_name.unwrap_or_default();
    match name.strip_suffix(".json").unwrap_or(name) {
        "" => Err(Error::invalid("the secret stands there without its path")
            .with_hint("give it its path: `vault kv get -format=json PATH | jq '{\"PATH\": .}'`, or name the file after it")),
        name => Ok(name),
    }
}
