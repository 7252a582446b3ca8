//! To whom something is granted, and on which terms.

use connector_vault::{
    Cost, ExternalKey, GrantKey, Grantee, Identity, Passphrase, Right, Terms, Timestamp,
};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;
use crate::input::{self, stretched};
use crate::options::KdfCost;

/// To whom something is granted. `free` wipes its secret.
#[wasm_bindgen]
pub struct Holder(Means);

enum Means {
    Key(GrantKey),
    Identity(Identity),
    Passphrase(Passphrase, Cost),
    ExternalKey(ExternalKey, Vec<u8>),
}

#[wasm_bindgen]
impl Holder {
    /// The holder of an identity, by its public keys.
    #[wasm_bindgen(js_name = byKey)]
    pub fn by_key(key: &str) -> Result<Holder> {
        Ok(Self(Means::Key(GrantKey::parse(key)?)))
    }

    /// The holder of this identity, by its text.
    #[wasm_bindgen(js_name = byIdentity)]
    pub fn by_identity(identity: &Uint8Array) -> Result<Holder> {
        let identity = Identity::parse(&input::text(identity)?)?;
        Ok(Self(Means::Identity(identity)))
    }

    /// Whoever has a stretched passphrase.
    #[wasm_bindgen(js_name = byPassphrase)]
    pub fn by_passphrase(passphrase: &Uint8Array, cost: &KdfCost) -> Result<Holder> {
        Ok(Self(Means::Passphrase(stretched(passphrase)?, cost.cost())))
    }

    /// Whoever has an external key.
    #[wasm_bindgen(js_name = byExternalKey)]
    pub fn by_external_key(key: &Uint8Array, hint: Option<Uint8Array>) -> Result<Holder> {
        let hint = hint.as_ref().map(input::hint).transpose()?;
        let key = input::key(key)?;
        Ok(Self(Means::ExternalKey(key, hint.unwrap_or_default())))
    }
}

impl Holder {
    pub(crate) fn grantee(&self) -> Grantee<'_> {
        match &self.0 {
            Means::Key(key) => Grantee::Key(key),
            Means::Identity(identity) => Grantee::Identity(identity),
            Means::Passphrase(passphrase, cost) => Grantee::Passphrase(passphrase, *cost),
            Means::ExternalKey(key, hint) => Grantee::ExternalKey(key, hint),
        }
    }
}

/// The terms of a grant: its rights as `ROLE:GROUP`, or as before, and a date, or `none` to take it away.
pub(crate) fn terms(rights: Option<Vec<String>>, until: Option<&str>) -> Result<Terms> {
    let terms = match rights {
        None => Terms::same(),
        Some(rights) => {
            let rights = rights.iter().map(|right| right.parse::<Right>());
            Terms::from(rights.collect::<connector_vault::Result<Vec<_>>>()?)
        }
    };
    Ok(match until {
        None => terms,
        Some("none") => terms.without_until(),
        Some(until) => terms.until(Timestamp::new(until)?),
    })
}
