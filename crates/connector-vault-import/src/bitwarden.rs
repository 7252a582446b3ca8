//! `bitwarden`: the JSON that Bitwarden's applications and `bw export --format json` write; each item is a connector.

use std::collections::HashMap;

use crate::entry::{Entry, Imported, free_name, place};
use crate::error::{Error, Result, UNSUPPORTED_EXPORT, quoted};
use crate::export::Export;
use crate::json::{Json, Members, Text};

/// The types of items: their number in the file, their name, and the member that holds what is theirs alone.
const TYPES: [(u64, &str); 5] = [
    (1, "login"),
    (2, "secureNote"),
    (3, "card"),
    (4, "identity"),
    (5, "sshKey"),
];
/// A field that shows another one.
const LINKED: u64 = 3;

pub(crate) fn read(export: &Export<'_>) -> Result<Imported> {
    let document = Json::parse(export.text()?)?.members()?;
    match document.get("encrypted").is_some_and(Json::is_true) {
        true => Err(encrypted(&document)),
        false => items(&document),
    }
}

fn encrypted(_: &Members<'_>) -> Error {
    Error::new(
        UNSUPPORTED_EXPORT,
        "the export opens only in the Bitwarden account that wrote it",
    )
    .with_hint("export again, with a password of the file's own or as plain JSON")
}

pub(crate) fn items(document: &Members<'_>) -> Result<Imported> {
    let mut folders = HashMap::new();
    for part in ["folders", "collections"] {
        for named in elements(document, part)? {
            let named = named.members()?;
            if let (Some(id), Some(name)) = (named.text("id"), named.text("name")) {
                folders.insert(id.to_string(), name.to_string());
            }
        }
    }
    let Some(items) = document.get("items") else {
        return Err(Error::invalid("there is no list of items"));
    };
    let mut imported = Imported::default();
    for (number, item) in (1..).zip(items.elements()?) {
        let item = item
            .members()
            .map_err(|error| error.within(place("item", number, None)))?;
        add(number, &item, &folders, &mut imported)?;
    }
    Ok(imported)
}

fn add(
    number: usize,
    item: &Members<'_>,
    folders: &HashMap<String, String>,
    imported: &mut Imported,
) -> Result<()> {
    let at = |error: Error| error.within(place("item", number, None));
    let id = item
        .text("id")
        .ok_or_else(|| at(Error::invalid("it has no id")))?;
    let of_type = item.get("type").and_then(Json::number);
    let Some((_, type_name)) = TYPES
        .into_iter()
        .find(|(number, _)| Some(*number) == of_type)
    else {
        imported.leave(&id, "the item, whose type is not known");
        return Ok(());
    };
    if item.text("deletedDate").is_some() {
        imported.leave(&id, "the item, which is in the trash");
        return Ok(());
    }
    let mut entry = Entry::new("item", number, &id);
    entry = entry.called(&item.text("name").unwrap_or_default(), type_name);
    if let Some(own) = item.get(type_name).filter(|own| own.is_object()) {
        let own = own.members().map_err(|error| error.within(&entry.place))?;
        own_part(&own, &mut entry, imported)?;
    }
    if let Some(notes) = item.text("notes") {
        entry.set(&free_name(&entry, "notes"), &notes)?;
    }
    fields(item, &mut entry, imported)?;
    for folder in folders_of(item)? {
        let name = folders
            .get(folder.as_str())
            .map_or(folder.as_str(), String::as_str);
        imported.leave(&id, format!("its place in the folder {}", quoted(name)));
    }
    for (part, what) in [
        ("attachments", "its attachments"),
        ("passwordHistory", "its former passwords"),
    ] {
        if item
            .get(part)
            .is_some_and(|part| !part.is_null() && !part.is_empty())
        {
            imported.leave(&id, what);
        }
    }
    imported.add(entry)
}

/// What only items of this type have: `username`, `password`, ...
fn own_part(own: &Members<'_>, entry: &mut Entry, imported: &mut Imported) -> Result<()> {
    for (name, value) in own.iter() {
        match name {
            "uris" => {
                for uri in list(value)? {
                    if let Some(uri) = uri.members()?.text("uri") {
                        entry.set(&free_name(entry, "uri"), &uri)?;
                    }
                }
            }
            // The first of `uris` again, in files of older versions.
            "uri" if own.has("uris") => {}
            // Of a secure note, which has nothing else.
            "type" => {}
            "fido2Credentials" if !value.is_null() && !value.is_empty() => {
                imported.leave(&entry.id, "its passkeys");
            }
            "passwordRevisionDate" | "fido2Credentials" => {}
            _ if !value.is_empty() => _ = entry.set_json(name, value)?,
            _ => {}
        }
    }
    Ok(())
}

/// The fields that somebody added.
fn fields(item: &Members<'_>, entry: &mut Entry, imported: &mut Imported) -> Result<()> {
    for field in elements(item, "fields")? {
        let field = field
            .members()
            .map_err(|error| error.within(&entry.place))?;
        let name = field
            .text("name")
            .unwrap_or_else(|| Text::new("field".to_owned()));
        if field.get("type").and_then(Json::number) == Some(LINKED) {
            imported.leave(&entry.id, format!("the linked field {}", quoted(&name)));
            continue;
        }
        if let Some(value) = field.get("value").filter(|value| !value.is_null()) {
            entry.set_json(&free_name(entry, &name), value)?;
        }
    }
    Ok(())
}

fn folders_of(item: &Members<'_>) -> Result<Vec<Text>> {
    let collections = elements(item, "collectionIds")?;
    let collections = collections.into_iter().filter_map(Json::text);
    Ok(item
        .text("folderId")
        .into_iter()
        .chain(collections)
        .collect())
}

/// The elements of a member that may be `null` or missing.
fn elements<'t>(members: &Members<'t>, name: &str) -> Result<Vec<Json<'t>>> {
    members.get(name).map_or(Ok(Vec::new()), list)
}

fn list(value: Json<'_>) -> Result<Vec<Json<'_>>> {
    match value.is_null() {
        true => Ok(Vec::new()),
        false => value.elements(),
    }
}
