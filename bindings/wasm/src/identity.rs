//! Identities and public grant keys.

use connector_vault::{GrantKey, Identity as Core};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;
use crate::{host, input};

/// A secret from which a grant's keys derive.
#[wasm_bindgen]
pub struct Identity(pub(crate) Core);

#[wasm_bindgen]
impl Identity {
    /// A new identity.
    pub fn generate() -> Result<Identity> {
        Ok(Self(Core::generate(&mut host::random()?)))
    }

    /// Reads `cvault-identity-1...`.
    pub fn parse(text: &Uint8Array) -> Result<Identity> {
        Ok(Self(Core::parse(&input::text(text)?)?))
    }

    /// The secret text form.
    #[wasm_bindgen(js_name = toText, unchecked_return_type = "string")]
    pub fn to_text(&self) -> JsValue {
        JsValue::from_str(&self.0.to_text())
    }

    /// The secret text form as UTF-8, which can be wiped.
    #[wasm_bindgen(js_name = toBytes)]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(self.0.to_text().as_bytes())
    }

    /// The public keys as text.
    #[wasm_bindgen(js_name = grantKey)]
    pub fn grant_key(&self) -> String {
        self.0.grant_key().to_string()
    }

    /// The short form of the public keys, which people compare.
    pub fn fingerprint(&self) -> String {
        self.0.grant_key().fingerprint()
    }
}

/// The text of public keys in its one form. Fails with `invalid_grant_key`.
#[wasm_bindgen(js_name = parseGrantKey)]
pub fn parse_grant_key(text: &str) -> Result<String> {
    Ok(GrantKey::parse(text)?.to_string())
}
