//! Which tool wrote an export, by its bytes and the name of its file.

use crate::export::text_of;
use crate::json::{Json, Members};
use crate::kind::Kind;
use crate::{csv, env, n8n, node_red, vault_kv};

/// The kind of an export; `None` if nothing tells it.
pub(crate) fn kind(bytes: &[u8], file_name: Option<&str>) -> Option<Kind> {
    let text = text_of(bytes).ok()?;
    if text.trim_start().starts_with(['{', '[']) {
        return Some(kind_of_json(text, file_name));
    }
    if text.trim().is_empty() {
        return None;
    }
    let by_name = match extension(file_name) {
        Some("csv" | "tsv") => Some(Kind::Csv),
        Some("env") => Some(Kind::Env),
        Some("json") => Some(Kind::Json),
        _ if file_name.is_some_and(|name| name.starts_with(".env")) => Some(Kind::Env),
        _ => None,
    };
    by_name
        .or_else(|| csv::is_like(text).then_some(Kind::Csv))
        .or_else(|| env::is_like(text).then_some(Kind::Env))
}

/// JSON that is not known is the project's own, whose reader says what it should look like.
fn kind_of_json(text: &str, file_name: Option<&str>) -> Kind {
    let Some(first) = Json::stream_first(text) else {
        return Kind::Json;
    };
    if let Some(kind) = first
        .members()
        .ok()
        .and_then(|document| kind_of_object(&document))
    {
        return kind;
    }
    if n8n::is_like(first) {
        return Kind::N8n;
    }
    match node_red::is_like(first, file_name) {
        true => Kind::NodeRed,
        false => Kind::Json,
    }
}

fn kind_of_object(document: &Members<'_>) -> Option<Kind> {
    if document.has("connectors") {
        return Some(Kind::Json);
    }
    if document.has("encrypted") && (document.has("items") || document.has("data")) {
        return Some(Kind::Bitwarden);
    }
    vault_kv::is_like(document).then_some(Kind::VaultKv)
}

fn extension(file_name: Option<&str>) -> Option<&str> {
    file_name?.rsplit_once('.').map(|(_, extension)| extension)
}
