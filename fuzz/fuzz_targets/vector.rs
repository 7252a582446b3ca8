//! The vault that the targets begin with, and its keys: the vector `accepted-minimal`.

use connector_vault::{
    Action, ActionPlan, Host, Identity, OpenOptions, Options, Result, Timestamp, Tokens, Unlock,
    Vault, VaultId,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;

#[allow(dead_code, reason = "each target uses what it needs")]
pub fn open(file: Option<&[u8]>) -> Result<Vault> {
    let text = include_str!("../../tests/vectors/format/accepted-minimal.json");
    let vector: Value = serde_json::from_str(text).expect("a vector is JSON");
    let field = |value: &Value| value.as_str().expect("text").to_owned();
    let identity = Identity::parse(&field(&vector["unlock"]["identity"]))?;
    let vault_id = field(&vector["vault_id"]).parse::<VaultId>()?;
    let own = base16ct::lower::decode_vec(field(&vector["file"])).expect("base16");
    let options = OpenOptions {
        vault_id: Some(vault_id),
        ..OpenOptions::default()
    };
    let file = file.map_or(own, <[u8]>::to_vec);
    Vault::open(file, Unlock::Identity(&identity), &options)
}

/// Plans an action for it.
#[allow(dead_code, reason = "each target uses what it needs")]
pub fn plan(action: &Action, tokens: &mut dyn Tokens) -> Result<ActionPlan> {
    let vault = open(None).expect("the vector opens");
    let mut rng = StdRng::seed_from_u64(1);
    let now = Timestamp::new("2026-11-23T20:15:00.000Z")?;
    let mut host = Host { now, rng: &mut rng };
    vault.plan(action, tokens, &Options::default(), &mut host)
}
