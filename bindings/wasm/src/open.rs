//! Opening, creating and repairing, in one thread or in two: what takes long runs in a worker, which
//! hands over a detached vault or a stretched passphrase.

use connector_vault::{
    self as core, Authored, Code, Cost, DamagedRecord, Detached as CoreDetached, ExternalKey, Gap,
    Identity as CoreIdentity, KeySlotMatch, NewOwner, Passphrase, Repaired as CoreRepaired,
    Stretched, Unlock,
};
use js_sys::{Function, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::argon2id::Argon2id;
use crate::error::Result;
use crate::host::Host;
use crate::input::{self, stretched};
use crate::json::json;
use crate::options::{KdfCost, Opening};
use crate::vault::Vault;

enum Secret {
    /// With the label of the grant whose key slot alone is tried.
    Passphrase(Passphrase, Option<String>),
    Key(ExternalKey, Wanted),
    Identity(CoreIdentity),
}

/// The key slots that an external key is for.
struct Wanted {
    /// The label of their grant.
    grant: Option<String>,
    hint: Option<Vec<u8>>,
}

impl Opening {
    fn secret(&self, secret: &Uint8Array) -> Result<Secret> {
        if self.by() == "key" {
            let hint = self.hint().as_ref().map(input::hint).transpose()?;
            let grant = self.grant();
            return Ok(Secret::Key(input::key(secret)?, Wanted { grant, hint }));
        }
        let text = input::text(secret)?;
        Ok(match self.by().as_str() {
            "passphrase" => Secret::Passphrase(passphrase(&text)?, self.grant()),
            _ => Secret::Identity(CoreIdentity::parse(&text)?),
        })
    }
}

impl Wanted {
    fn matching(&self) -> Option<KeySlotMatch<'_>> {
        match (self.grant.as_deref(), self.hint.as_deref()) {
            (None, None) => None,
            (Some(label), None) => Some(KeySlotMatch::grant(label)),
            (None, Some(hint)) => Some(KeySlotMatch::hint(hint)),
            (Some(label), Some(hint)) => Some(KeySlotMatch::hint(hint).of_grant(label)),
        }
    }
}

impl Secret {
    fn unlock(&self) -> Unlock<'_> {
        match self {
            Self::Identity(identity) => Unlock::Identity(identity),
            Self::Key(key, wanted) => match wanted.matching() {
                Some(matching) => Unlock::KeySlot(key, matching),
                None => Unlock::Key(key),
            },
            Self::Passphrase(passphrase, None) => Unlock::Passphrase(passphrase),
            Self::Passphrase(passphrase, Some(label)) => Unlock::Grant(label, passphrase),
        }
    }
}

/// The id of the vault in a file, its header's signature verified.
#[wasm_bindgen]
pub fn identify(file: &Uint8Array) -> Result<String> {
    Ok(core::Vault::identify(&input::file(file)?)?.to_string())
}

/// The id of the vault that a repair would find in these bytes.
#[wasm_bindgen(js_name = identifyDamaged)]
pub fn identify_damaged(file: &Uint8Array) -> Result<Option<String>> {
    Ok(core::Vault::identify_damaged(&input::file(file)?).map(|id| id.to_string()))
}

/// The key slots of the vault in a file, before anything is derived, as JSON. Of `opening` the vault id and the
/// memory count.
#[wasm_bindgen(js_name = keySlots)]
pub fn key_slots(file: &Uint8Array, opening: &Opening) -> Result<String> {
    let slots = core::Vault::key_slots(&input::file(file)?, &opening.options()?)?;
    Ok(json(&slots))
}

/// Opens the bytes of a vault file. A passphrase needs Argon2id.
#[wasm_bindgen]
pub fn open(
    file: &Uint8Array,
    secret: &Uint8Array,
    opening: &Opening,
    argon2id: Option<Function>,
) -> Result<Vault> {
    let options = opening.options()?;
    let secret = opening.secret(secret)?;
    let file = input::file(file)?;
    let open = || core::Vault::open(file, secret.unlock(), &options);
    Ok(Vault(Argon2id::during(argon2id, open)?))
}

/// Makes a sound vault of what is intact of a damaged one.
#[wasm_bindgen]
pub fn repair(
    file: &Uint8Array,
    secret: &Uint8Array,
    opening: &Opening,
    argon2id: Option<Function>,
    now: &str,
) -> Result<Repaired> {
    let options = opening.options()?;
    let secret = opening.secret(secret)?;
    let file = input::file(file)?;
    let unsigned = opening.unsigned().unwrap_or_default();
    let mut host = Host::new(now)?;
    let repair =
        || core::Vault::repair(&file, secret.unlock(), &options, unsigned, &mut host.get());
    Ok(Repaired(Argon2id::during(argon2id, repair)?))
}

#[derive(Serialize)]
struct RepairReport<'a> {
    recovered: usize,
    quarantined: Vec<Authored>,
    lost: &'a [DamagedRecord],
    gaps: &'a [Gap],
}

/// What a repair saved.
#[wasm_bindgen]
pub struct Repaired(CoreRepaired);

#[wasm_bindgen]
impl Repaired {
    /// What it saved, and what not, as JSON.
    pub fn report(&self) -> String {
        let quarantined = self.0.quarantined.iter().cloned();
        json(&RepairReport {
            recovered: self.0.recovered,
            quarantined: quarantined
                .map(|overview| self.0.vault.authored(overview))
                .collect(),
            lost: &self.0.lost,
            gaps: &self.0.gaps,
        })
    }

    /// The sound vault.
    #[wasm_bindgen(js_name = intoVault)]
    pub fn into_vault(self) -> Vault {
        Vault(self.0.vault)
    }
}

/// A new vault and its file.
#[wasm_bindgen]
pub struct Created {
    vault: core::Vault,
    file: Vec<u8>,
}

#[wasm_bindgen]
impl Created {
    /// The bytes to store.
    pub fn file(&self) -> Uint8Array {
        Uint8Array::from(self.file.as_slice())
    }

    /// The vault, once they are stored.
    #[wasm_bindgen(js_name = intoVault)]
    pub fn into_vault(self) -> Vault {
        Vault(self.vault)
    }
}

/// A new vault without connectors, whose owner has a stretched passphrase, an external key, an identity, or several
/// of them.
#[wasm_bindgen]
pub fn create(
    label: &str,
    passphrase: Option<Uint8Array>,
    cost: &KdfCost,
    identity: Option<Uint8Array>,
    key: Option<Uint8Array>,
    hint: Option<Uint8Array>,
    now: &str,
) -> Result<Created> {
    let cost = cost.cost();
    let passphrase = passphrase.as_ref().map(stretched).transpose()?;
    let identity = match identity {
        Some(text) => Some(CoreIdentity::parse(&input::text(&text)?)?),
        None => None,
    };
    let key = key.as_ref().map(input::key).transpose()?;
    let hint = hint.as_ref().map(input::hint).transpose()?;
    let hint = hint.unwrap_or_default();
    let owner = match (identity, &key, &passphrase) {
        (Some(identity), ..) => NewOwner::identity(label, identity),
        (None, Some(key), _) => NewOwner::key(label, key, &hint),
        (None, None, Some(passphrase)) => NewOwner::passphrase(label, passphrase),
        (None, None, None) => {
            let message = "an owner needs a passphrase, an external key or an identity";
            return Err(core::Error::new(Code::InvalidArgument, message).into());
        }
    };
    let owner = match &key {
        Some(key) => owner.and_key(key, &hint),
        None => owner,
    };
    let owner = match &passphrase {
        Some(passphrase) => owner.and_passphrase(passphrase),
        None => owner,
    };
    let owner = owner.cost(cost);
    let mut host = Host::new(now)?;
    let (vault, file) = core::Vault::create(&mut host.get(), &owner)?;
    Ok(Created { vault, file })
}

/// Runs Argon2id for a key slot that is to be made; the result is as secret as the passphrase.
#[wasm_bindgen]
pub fn stretch(
    passphrase: &Uint8Array,
    cost: &KdfCost,
    argon2id: Option<Function>,
) -> Result<Uint8Array> {
    use rand::Rng;

    let passphrase = self::passphrase(&input::text(passphrase)?)?;
    let cost = cost.cost();
    let mut salt = [0; Stretched::SALT_LEN];
    crate::host::random()?.fill_bytes(&mut salt);
    let stretch = || passphrase.stretch(salt, cost, core::limits::MEMORY_KIB_MAX);
    let bytes = Argon2id::during(argon2id, stretch)?.to_bytes();
    Ok(Uint8Array::from(bytes.as_slice()))
}

fn passphrase(text: &str) -> Result<Passphrase> {
    Ok(Passphrase::derived_by::<Argon2id>(text)?)
}

/// The default cost of a passphrase, as JSON.
#[wasm_bindgen(js_name = defaultCost)]
pub fn default_cost() -> String {
    json(&Cost::default())
}

/// An open vault between two threads.
#[wasm_bindgen]
pub struct Detached(CoreDetached);

#[wasm_bindgen]
impl Detached {
    /// The vault's file.
    pub fn file(&self) -> Uint8Array {
        Uint8Array::from(self.0.file.as_slice())
    }

    /// What opening has found; as secret as the identity.
    pub fn state(&self) -> Uint8Array {
        Uint8Array::from(self.0.state.as_slice())
    }
}

#[wasm_bindgen]
impl Vault {
    /// Leaves this thread.
    pub fn detach(self) -> Detached {
        Detached(self.0.detach())
    }

    /// Goes on with a vault that a worker of this program has opened.
    pub fn attach(file: &Uint8Array, state: &Uint8Array) -> Result<Vault> {
        let detached = CoreDetached::new(input::file(file)?, input::file(state)?);
        Ok(Vault(core::Vault::attach(detached)?))
    }
}
