//! The host's clock and randomness, and the names of things.

use connector_vault::{Code, ConnectorId, Error, Timestamp};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;

/// What an operation that writes gets from the host.
pub(crate) struct Host {
    now: Timestamp,
    rng: StdRng,
}

impl Host {
    /// `now` is JavaScript's `toISOString()`. Fails with `internal` if the platform has no randomness.
    pub(crate) fn new(now: &str) -> Result<Self> {
        Ok(Self {
            now: Timestamp::from_clock(now)?,
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

/// A generator seeded by the platform. Seeding may fail; what it then gives does not.
pub(crate) fn random() -> Result<StdRng> {
    Ok(StdRng::try_from_rng(&mut SysRng).map_err(|error| {
        Error::new(
            Code::Internal,
            format!("the platform's source of randomness failed: {error}"),
        )
    })?)
}

/// A new id for a connector.
#[wasm_bindgen(js_name = newConnectorId)]
pub fn new_connector_id() -> Result<String> {
    Ok(ConnectorId::generate(&mut random()?).to_string())
}

/// Every error code of the core, in the order of the documentation.
#[wasm_bindgen(js_name = errorCodes)]
pub fn error_codes() -> Vec<String> {
    Code::ALL
        .iter()
        .map(|code| code.as_str().to_owned())
        .collect()
}

/// Of the module's stack, which has 1 MiB, what is wiped: deeper than any call goes that handles secrets.
const STACK_WIPED_LEN: usize = 768 * 1024;

/// Writes over what earlier calls have left on the stack below this one.
#[wasm_bindgen(js_name = wipeStack)]
pub fn wipe_stack() {
    let mut below = [0_u8; STACK_WIPED_LEN];
    // As if somebody looked at it, so that it is written.
    std::hint::black_box(&mut below);
}
