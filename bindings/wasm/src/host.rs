//! The host's clock and randomness, and the names of things.

use connector_vault::{Code, Error, Timestamp};
use rand::TryRng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;

/// What an operation that writes gets from the host.
pub(crate) struct Host {
    now: Timestamp,
    rng: UnwrapErr<SysRng>,
}

impl Host {
    /// `now` is JavaScript's `toISOString()`. Fails with `internal` if the platform has no randomness.
    pub(crate) fn new(now: &str) -> Result<Self> {
        Ok(Self {
            now: Timestamp::new(now)?,
            rng: random()?,
        })
    }

    pub(crate) fn get(&mut self) -> connector_vault::Host<'_> {
        connector_vault::Host {
            now: self.now.clone(),
            rng: &mut self.rng,
        }
    }
}

/// The platform's generator, which is asked once while it may still say that there is none.
pub(crate) fn random() -> Result<UnwrapErr<SysRng>> {
    SysRng.try_fill_bytes(&mut [0]).map_err(|error| {
        Error::new(
            Code::Internal,
            format!("the platform's source of randomness failed: {error}"),
        )
    })?;
    Ok(UnwrapErr(SysRng))
}

/// Every error code of the core, in the order of the documentation.
#[wasm_bindgen(js_name = errorCodes)]
pub fn error_codes() -> Vec<String> {
    Code::ALL
        .iter()
        .map(|code| code.as_str().to_owned())
        .collect()
}
