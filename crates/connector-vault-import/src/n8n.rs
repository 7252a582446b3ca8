//! `n8n`: what `n8n export:credentials` writes, decrypted or encrypted; each credential is a connector.

use base64ct::{Base64, Encoding};

use crate::cipher::{self, Bytes, Key, SALTED};
use crate::entry::{Entry, Imported, place};
use crate::error::{Error, Result, WRONG_SOURCE_KEY, quoted};
use crate::export::Export;
use crate::json::{Json, Members, Text};

/// Members of a credential that a connector holds, or has of its own.
const KNOWN: [&str; 6] = ["id", "name", "type", "data", "createdAt", "updatedAt"];
/// What HKDF derives is for.
const HKDF_INFO: &[u8] = b"n8n-encryption-v1";

pub(crate) fn read(export: &Export<'_>) -> Result<Imported> {
    let document = Json::parse(export.text()?)?;
    // With `--separate` each credential has a file of its own.
    let credentials = match document.is_object() {
        true => vec![document],
        false => document.elements()?,
    };
    let mut imported = Imported::default();
    for (number, credential) in (1..).zip(credentials) {
        let at = |error: Error| error.within(place("credential", number, None));
        let credential = credential.members().map_err(at)?;
        add(number, &credential, export, &mut imported)?;
    }
    Ok(imported)
}

/// Whether a document begins with what looks like a credential.
pub(crate) fn is_like(document: Json<'_>) -> bool {
    let first = match document.is_object() {
        true => Some(document),
        false => document
            .elements()
            .ok()
            .and_then(|all| all.first().copied()),
    };
    let Some(Ok(first)) = first.map(Json::members) else {
        return false;
    };
    ["id", "name", "type", "data"]
        .iter()
        .all(|name| first.has(name))
}

fn add(
    number: usize,
    credential: &Members<'_>,
    export: &Export<'_>,
    imported: &mut Imported,
) -> Result<()> {
    let at = |error: Error| error.within(place("credential", number, None));
    let part = |name: &str| {
        let text = credential.text(name);
        text.ok_or_else(|| at(Error::invalid(format!("it has no {name}"))))
    };
    let id = part("id")?;
    let mut entry = Entry::new("credential", number, &id).called(&part("name")?, &part("type")?);
    let within = |error: Error| error.within(place("credential", number, Some(&id)));
    let data = credential.get("data");
    let data = data.ok_or_else(|| within(Error::invalid("it has no data")))?;
    let decrypted;
    let data = match data.text() {
        None => data,
        Some(sealed) => {
            decrypted = open(&sealed, export).map_err(within)?;
            Json::parse(&decrypted).map_err(|_| within(wrong_key()))?
        }
    };
    for (name, value) in data.members().map_err(within)?.iter() {
        if !entry.set_json(name, value)? {
            imported.leave(&id, format!("{}, which is null", quoted(name)));
        }
    }
    for (name, value) in credential.iter() {
        if !(KNOWN.contains(&name) || value.is_null() || value.is_false() || value.is_empty()) {
            imported.leave(&id, format!("its {name}"));
        }
    }
    imported.add(entry)
}

/// The text of `data`.
fn open(sealed: &str, export: &Export<'_>) -> Result<Text> {
    let key = export.key("n8n's encryptionKey, which stands in the file `config` of its folder, or in N8N_ENCRYPTION_KEY")?;
    let sealed = Base64::decode_vec(without_key_id(sealed))
        .map_err(|_| Error::invalid("its data is neither an object nor base64"))?;
    let opened = match sealed.strip_prefix(SALTED) {
        Some(sealed) => open_cbc(key, sealed),
        None => open_gcm(key, &sealed),
    };
    let opened = opened.ok_or_else(wrong_key)?;
    // A wrong key may leave sound padding, but no JSON.
    let text = std::str::from_utf8(&opened).map_err(|_| wrong_key())?;
    let is_object = Json::parse(text).is_ok_and(Json::is_object);
    match is_object {
        true => Ok(Text::new(text.to_owned())),
        false => Err(wrong_key()),
    }
}

/// Newer versions name the key in front of the data.
fn without_key_id(sealed: &str) -> &str {
    sealed.split_once(':').map_or(sealed, |(_, sealed)| sealed)
}

fn open_cbc(key: &str, sealed: &[u8]) -> Option<Bytes> {
    let (salt, sealed) = sealed.split_first_chunk::<8>()?;
    // Node's `binary`: the low byte of each UTF-16 unit.
    let secret = Bytes::new(
        key.encode_utf16()
            .map(|unit| unit.to_le_bytes()[0])
            .collect(),
    );
    let (key, iv) = cipher::evp_key(&secret, salt);
    cipher::open_cbc(&key, iv.as_slice(), sealed)
}

/// Version, salt, tag, ciphertext.
fn open_gcm(key: &str, sealed: &[u8]) -> Option<Bytes> {
    let sealed = sealed.strip_prefix(&[1])?;
    let (salt, sealed) = sealed.split_first_chunk::<32>()?;
    let (tag, sealed) = sealed.split_first_chunk::<16>()?;
    // The data's own key, in base16; or the one that n8n derives from its encryptionKey.
    let mut own = Key::default();
    let own = base16ct::mixed::decode(key, own.as_mut_slice())
        .is_ok_and(|key| key.len() == 32)
        .then_some(own);
    let derived = cipher::sha_256(key.as_bytes());
    own.into_iter().chain([derived]).find_map(|key| {
        let derived = cipher::hkdf::<44>(key.as_slice(), salt, HKDF_INFO);
        let (key, nonce) = derived.split_first_chunk::<32>()?;
        cipher::open_gcm(&Key::new(*key), nonce.try_into().ok()?, tag, sealed)
    })
}

fn wrong_key() -> Error {
    Error::new(
        WRONG_SOURCE_KEY,
        "the credential does not decrypt by this key",
    )
    .with_hint(
        "take the encryptionKey of the n8n that wrote the export, or export with --decrypted",
    )
}
