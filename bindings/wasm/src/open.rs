//! Opening in steps, creating and repairing. Argon2id runs elsewhere: it is asked for.

use connector_vault::{
    self as core, Authored, Code, Cost, Derivation, ExternalKey, Gap, Identity as CoreIdentity,
    KeySlotMatch, LostRecord, NewOwner, Passphrase, Reason, RepairOptions,
    Repaired as CoreRepaired, RestoredVersion, Step, Unlock,
};
use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::derive::{derived, wanted};
use crate::error::Result;
use crate::host::Host;
use crate::input::{self, stretched};
use crate::json::json;
use crate::object::object;
use crate::options::{KdfCost, Opening};
use crate::source::Arrays;
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
            "passphrase" => Secret::Passphrase(Passphrase::outside(&text)?, self.grant()),
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

    /// What Argon2id has to derive of it.
    fn wanted(&self, derivation: &Derivation) -> Result<JsValue> {
        match self {
            Self::Passphrase(passphrase, _) => Ok(wanted(passphrase, derivation)),
            _ => Err(out_of_turn()),
        }
    }
}

fn out_of_turn() -> crate::error::Failure {
    core::Error::new(Code::Internal, "this was not asked for").into()
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

/// The opening of a vault, step by step.
#[wasm_bindgen]
pub struct Unlocking {
    opening: core::Opening<Arrays>,
    secret: Secret,
    derivation: Option<Derivation>,
    vault: Option<Vault>,
}

#[wasm_bindgen]
impl Unlocking {
    /// Begins with the bytes of a vault file, which nobody changes from now on.
    #[wasm_bindgen(constructor)]
    pub fn new(file: Uint8Array, secret: &Uint8Array, opening: &Opening) -> Result<Unlocking> {
        let secret = opening.secret(secret)?;
        let file = Arrays::from(file);
        Ok(Self {
            opening: core::Opening::new(file, secret.unlock(), opening.options()?),
            secret,
            derivation: None,
            vault: None,
        })
    }

    /// Takes the next step.
    #[wasm_bindgen(unchecked_return_type = "Stepped")]
    pub fn step(&mut self) -> Result<JsValue> {
        Ok(match self.opening.step()? {
            Step::Identified(vault_id) => object([
                ("wanted", "known".into()),
                ("vaultId", vault_id.to_string().into()),
            ]),
            Step::Derive(derivation) => {
                self.derivation = Some(derivation);
                self.secret.wanted(&derivation)?
            }
            Step::More { .. } => object([("wanted", "more".into())]),
            Step::Done(vault) => {
                self.vault = Some(Vault(vault));
                object([("wanted", "done".into())])
            }
            _ => return Err(out_of_turn()),
        })
    }

    /// What is known of the vault, once it is identified.
    pub fn expect(&mut self, opening: &Opening) -> Result<()> {
        *self.opening.options() = opening.options()?;
        Ok(())
    }

    /// What Argon2id has derived; `undefined` if the memory was not to be had.
    pub fn derived(&mut self, key: Option<Uint8Array>) -> Result<()> {
        let derivation = self.derivation.take().ok_or_else(out_of_turn)?;
        self.opening.derived(derived(derivation, key.as_ref())?);
        Ok(())
    }

    /// The open vault.
    #[wasm_bindgen(js_name = intoVault)]
    pub fn into_vault(self) -> Result<Vault> {
        self.vault.ok_or_else(out_of_turn)
    }
}

/// The repair of a damaged vault: a sound one of what is intact.
#[wasm_bindgen]
pub struct Repairing {
    file: Vec<u8>,
    secret: Secret,
    options: core::OpenOptions,
    repair: RepairOptions,
    derivation: Option<Derivation>,
    repaired: Option<Repaired>,
}

#[wasm_bindgen]
impl Repairing {
    /// Begins with the bytes of a damaged file.
    #[wasm_bindgen(constructor)]
    pub fn new(file: &Uint8Array, secret: &Uint8Array, opening: &Opening) -> Result<Repairing> {
        let repair = RepairOptions {
            elsewhere: opening.elsewhere().unwrap_or_default(),
            older_header: opening.older_header().unwrap_or_default(),
        };
        Ok(Self {
            file: input::file(file)?,
            secret: opening.secret(secret)?,
            options: opening.options()?,
            repair,
            derivation: None,
            repaired: None,
        })
    }

    /// Takes the next step.
    #[wasm_bindgen(unchecked_return_type = "Stepped")]
    pub fn step(&mut self, now: &str) -> Result<JsValue> {
        let unlock = self.secret.unlock();
        let mut host = Host::new(now)?;
        let host = &mut host.get();
        match core::Vault::repair(&self.file, unlock, &self.options, self.repair, host) {
            Ok(repaired) => {
                self.repaired = Some(Repaired(repaired));
                Ok(object([("wanted", "done".into())]))
            }
            Err(error) => {
                let derivation = Derivation::wanted_by(&error).ok_or(error)?;
                self.derivation = Some(derivation);
                self.secret.wanted(&derivation)
            }
        }
    }

    /// What Argon2id has derived; `undefined` if the memory was not to be had.
    pub fn derived(&mut self, key: Option<Uint8Array>) -> Result<()> {
        let derivation = self.derivation.take().ok_or_else(out_of_turn)?;
        let stretched = derived(derivation, key.as_ref())?;
        if let Secret::Passphrase(passphrase, _) = &mut self.secret {
            passphrase.add(stretched);
        }
        Ok(())
    }

    /// What was saved.
    #[wasm_bindgen(js_name = intoRepaired)]
    pub fn into_repaired(self) -> Result<Repaired> {
        self.repaired.ok_or_else(out_of_turn)
    }
}

#[derive(Serialize)]
struct RepairReport<'a> {
    recovered: usize,
    restored: &'a [RestoredVersion],
    elsewhere: Vec<Elsewhere>,
    lost: &'a [LostRecord],
    gaps: &'a [Gap],
    is_snapshot_signed: bool,
}

#[derive(Serialize)]
struct Elsewhere {
    version: Authored,
    reason: Reason,
}

/// What a repair saved.
#[wasm_bindgen]
pub struct Repaired(CoreRepaired);

#[wasm_bindgen]
impl Repaired {
    /// What it saved, and what not, as JSON.
    pub fn report(&self) -> String {
        let elsewhere = self.0.elsewhere.iter();
        json(&RepairReport {
            recovered: self.0.recovered,
            restored: &self.0.restored,
            elsewhere: elsewhere
                .map(|version| Elsewhere {
                    version: self.0.vault.authored(version.overview.clone()),
                    reason: version.reason,
                })
                .collect(),
            lost: &self.0.lost,
            gaps: &self.0.gaps,
            is_snapshot_signed: self.0.is_snapshot_signed,
        })
    }

    /// The bytes of the sound vault, to be stored.
    pub fn file(&self) -> Uint8Array {
        Uint8Array::from(self.0.file.as_slice())
    }

    /// The sound vault, once they are stored.
    #[wasm_bindgen(js_name = intoVault)]
    pub fn into_vault(self) -> Vault {
        Vault(self.0.vault.over(Arrays::from(self.0.file.as_slice())))
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
        Vault(self.vault.over(Arrays::from(self.file.as_slice())))
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

/// The default cost of a passphrase, as JSON.
#[wasm_bindgen(js_name = defaultCost)]
pub fn default_cost() -> String {
    json(&Cost::default())
}
