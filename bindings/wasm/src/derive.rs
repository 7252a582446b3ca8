//! Argon2id, which stands in a module of its own (`bindings/argon2`) and runs in a worker: JavaScript is told what to
//! derive, and hands in the result.

use connector_vault::limits::MEMORY_KIB_MAX;
use connector_vault::{Code, Derivation, Error, Passphrase, Stretched};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

use crate::error::Result;
use crate::host;
use crate::input;
use crate::object::object;
use crate::options::KdfCost;

/// What a worker has to derive of a passphrase.
pub(crate) fn wanted(passphrase: &Passphrase, derivation: &Derivation) -> JsValue {
    let text = passphrase.expose().unwrap_or_default();
    let cost = derivation.cost;
    object([
        ("wanted", "derive".into()),
        ("passphrase", Uint8Array::from(text.as_bytes()).into()),
        ("salt", Uint8Array::from(derivation.salt.as_slice()).into()),
        ("memoryKib", cost.memory_kib.into()),
        ("passes", cost.passes.into()),
        ("lanes", cost.lanes.into()),
    ])
}

/// What a worker has derived; `undefined` if the memory was not to be had. The array is wiped.
pub(crate) fn derived(derivation: Derivation, key: Option<&Uint8Array>) -> Result<Stretched> {
    let Some(key) = key else {
        return Err(derivation.cost.out_of_memory().into());
    };
    let mut bytes = Zeroizing::new([0; 32]);
    if key.length() != 32 {
        return Err(Error::new(Code::Internal, "the worker has not derived 32 bytes").into());
    }
    key.copy_to(&mut *bytes);
    key.fill(0, 0, 32);
    Ok(Stretched::new(derivation, &bytes))
}

/// A passphrase on its way to a new key slot.
#[wasm_bindgen]
pub struct Stretching {
    passphrase: Passphrase,
    derivation: Derivation,
}

#[wasm_bindgen]
impl Stretching {
    /// Begins.
    #[wasm_bindgen(constructor)]
    pub fn new(passphrase: &Uint8Array, cost: &KdfCost) -> Result<Stretching> {
        use rand::Rng;

        let passphrase = Passphrase::outside(&input::text(passphrase)?)?;
        let mut salt = [0; Stretched::SALT_LEN];
        host::random()?.fill_bytes(&mut salt);
        let derivation = Derivation::new(salt, cost.cost(), MEMORY_KIB_MAX)?;
        Ok(Self {
            passphrase,
            derivation,
        })
    }

    /// What to derive.
    #[wasm_bindgen(unchecked_return_type = "Derive")]
    pub fn wanted(&self) -> JsValue {
        wanted(&self.passphrase, &self.derivation)
    }

    /// The result, of which a key slot is made; as secret as the passphrase.
    pub fn stretched(self, key: Option<Uint8Array>) -> Result<Uint8Array> {
        let stretched = derived(self.derivation, key.as_ref())?;
        Ok(Uint8Array::from(stretched.to_bytes().as_slice()))
    }
}
