//! `node-red`: the credentials of a flow file, `flows_cred.json`, and the flow file, which knows the nodes' names.

use std::collections::HashMap;

use base64ct::{Base64, Encoding};

use crate::cipher;
use crate::entry::{Entry, Imported, place};
use crate::error::{Error, Result, WRONG_SOURCE_KEY, quoted};
use crate::export::Export;
use crate::json::{Json, Members, Text};

/// The one member of encrypted credentials.
const SEALED: &str = "$";

pub(crate) fn read(export: &Export<'_>) -> Result<Imported> {
    let mut credentials = Json::parse(export.text()?)?;
    let beside = export.text_beside()?.map(Json::parse).transpose();
    let mut beside = beside.map_err(|error| error.within("the file beside it"))?;
    // Whichever of the two files was named.
    if is_flows(credentials) {
        let flows = Some(credentials);
        credentials = beside.ok_or_else(|| {
            Error::invalid("this is a file of flows, and there are no credentials beside it")
                .with_hint("credentials stand in the file whose name ends in _cred.json")
        })?;
        beside = flows;
    }
    let nodes = beside.map(nodes).transpose()?.unwrap_or_default();
    let members = credentials.members()?;
    let decrypted;
    let members = match members.get(SEALED).and_then(Json::text) {
        None => members,
        Some(sealed) => {
            decrypted = open(&sealed, export)?;
            Json::parse(&decrypted)
                .and_then(Json::members)
                .map_err(|_| wrong_key())?
        }
    };
    let mut imported = Imported::default();
    for (number, (id, values)) in (1..).zip(members.iter()) {
        add(number, id, values, nodes.get(id), &mut imported)?;
    }
    Ok(imported)
}

/// Whether a document is one of the two files.
pub(crate) fn is_like(document: Json<'_>, file_name: Option<&str>) -> bool {
    if !document.is_object() {
        return is_flows(document);
    }
    let is_named = file_name.is_some_and(|name| name.ends_with("_cred.json"));
    let is_sealed = |members: &Members<'_>| members.iter().len() == 1 && members.has(SEALED);
    is_named || document.members().is_ok_and(|members| is_sealed(&members))
}

fn is_flows(document: Json<'_>) -> bool {
    let first = document
        .elements()
        .ok()
        .and_then(|all| all.first().copied());
    let Some(Ok(first)) = first.map(Json::members) else {
        return false;
    };
    first.has("id") && first.has("type") && !first.has("data")
}

#[derive(Default)]
struct Node {
    name: String,
    type_name: String,
}

fn nodes(flows: Json<'_>) -> Result<HashMap<String, Node>> {
    let elements = flows
        .elements()
        .map_err(|error| error.within("the flows"))?;
    let mut nodes = HashMap::with_capacity(elements.len());
    for node in elements {
        let node = node.members().map_err(|error| error.within("the flows"))?;
        if let (Some(id), Some(type_name)) = (node.text("id"), node.text("type")) {
            let name = node
                .text("name")
                .or_else(|| node.text("label"))
                .unwrap_or_default();
            let node = Node {
                name: name.to_string(),
                type_name: type_name.to_string(),
            };
            nodes.insert(id.to_string(), node);
        }
    }
    Ok(nodes)
}

fn add(
    number: usize,
    id: &str,
    values: Json<'_>,
    node: Option<&Node>,
    imported: &mut Imported,
) -> Result<()> {
    let at = |error: Error| error.within(place("node", number, Some(id)));
    let values = values.members().map_err(at)?;
    let mut entry = Entry::new("node", number, id);
    entry = match node {
        Some(node) => entry.called(&node.name, &node.type_name),
        None => {
            imported.leave(id, "its name and type, since no flow has the node");
            entry.called("", "node-red")
        }
    };
    for (name, value) in values.iter() {
        // Credentials of the environment, `{"map": {"NAME": value, "has_NAME": true}}`.
        match value.members() {
            Ok(map) if name == "map" => set(id, &map, &mut entry, imported)?,
            _ => set_one(id, &values, name, value, &mut entry, imported)?,
        }
    }
    match entry.is_empty() {
        true => imported.leave(id, "the node, which has no credentials"),
        false => imported.add(entry)?,
    }
    Ok(())
}

fn set(id: &str, values: &Members<'_>, entry: &mut Entry, imported: &mut Imported) -> Result<()> {
    for (name, value) in values.iter() {
        set_one(id, values, name, value, entry, imported)?;
    }
    Ok(())
}

fn set_one(
    id: &str,
    values: &Members<'_>,
    name: &str,
    value: Json<'_>,
    entry: &mut Entry,
    imported: &mut Imported,
) -> Result<()> {
    // Beside a password its editor is told that there is one.
    let is_told = |of: &str| values.has(of) && (value.is_true() || value.is_false());
    if name.strip_prefix("has_").is_some_and(is_told) {
        return Ok(());
    }
    if !entry.set_json(name, value)? {
        imported.leave(id, format!("{}, which is null", quoted(name)));
    }
    Ok(())
}

/// The initialization vector in base16, then the ciphertext in base64.
fn open(sealed: &str, export: &Export<'_>) -> Result<Text> {
    let key = export.key(
        "the credentialSecret of Node-RED's settings.js, or the _credentialSecret of .config.runtime.json",
    )?;
    let invalid = || Error::invalid("the encrypted credentials are not what Node-RED writes");
    let (iv, sealed) = sealed.split_at_checked(32).ok_or_else(invalid)?;
    let mut bytes = [0; 16];
    base16ct::mixed::decode(iv, &mut bytes).map_err(|_| invalid())?;
    let sealed = Base64::decode_vec(sealed).map_err(|_| invalid())?;
    let opened = cipher::open_ctr(&cipher::sha_256(key.as_bytes()), &bytes, &sealed);
    // A wrong key gives noise.
    let text = std::str::from_utf8(&opened).map_err(|_| wrong_key())?;
    Ok(Text::new(text.to_owned()))
}

fn wrong_key() -> Error {
    Error::new(
        WRONG_SOURCE_KEY,
        "the credentials do not decrypt by this key",
    )
}
