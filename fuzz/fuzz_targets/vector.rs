//! The vault that the targets begin with, and its keys: the vector `accepted-minimal`.

use connector_vault::{Identity, OpenOptions, Unlock, Vault, VaultId};
use serde_json::Value;

pub fn open(file: Option<&[u8]>) -> connector_vault::Result<Vault> {
    let text = include_str!("../../tests/vectors/format/accepted-minimal.json");
    let vector: Value = serde_json::from_str(text).expect("a vector is JSON");
    let field = |value: &Value| value.as_str().expect("text").to_owned();
    let identity = Identity::parse(&field(&vector["unlock"]["identity"]))?;
    let vault_id = VaultId::from_str(&field(&vector["vault_id"]))?;
    let own = base16ct::lower::decode_vec(field(&vector["file"])).expect("base16");
    let options = OpenOptions {
        vault_id: Some(vault_id),
        ..OpenOptions::default()
    };
    let file = file.map_or(own, <[u8]>::to_vec);
    Vault::open(file, Unlock::Identity(&identity), &options)
}
