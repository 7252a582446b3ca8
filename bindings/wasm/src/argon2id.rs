//! Argon2id, which stands in a module of its own (`bindings/argon2`): a call that needs it brings it along.

use std::cell::RefCell;

use connector_vault::{Code, Cost, Error};
use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use zeroize::Zeroizing;

thread_local! {
    static PRESENT: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// What JavaScript runs.
pub(crate) struct Argon2id;

impl Argon2id {
    /// Does work that may need Argon2id. `run` takes passphrase, salt, KiB, passes and lanes, and returns 32 bytes;
    /// `undefined` if the memory is not to be had.
    pub(crate) fn during<T>(run: Option<Function>, work: impl FnOnce() -> T) -> T {
        PRESENT.set(run);
        let done = work();
        // It would hold Argon2id's memory.
        PRESENT.set(None);
        done
    }
}

impl connector_vault::Argon2id for Argon2id {
    fn derive(
        passphrase: &[u8],
        salt: &[u8; 16],
        cost: Cost,
    ) -> connector_vault::Result<Zeroizing<[u8; 32]>> {
        let failed = || Error::new(Code::Internal, "this call came without Argon2id");
        let run = PRESENT.with_borrow(Clone::clone).ok_or_else(failed)?;
        let passphrase = Uint8Array::from(passphrase);
        let args: [JsValue; 5] = [
            passphrase.clone().into(),
            Uint8Array::from(salt.as_slice()).into(),
            cost.memory_kib.into(),
            cost.passes.into(),
            cost.lanes.into(),
        ];
        let derived = run.apply(&JsValue::UNDEFINED, &args.into_iter().collect::<Array>());
        passphrase.fill(0, 0, passphrase.length());
        let derived = derived.map_err(|_| failed())?;
        let Some(bytes) = derived.dyn_ref::<Uint8Array>() else {
            return Err(cost.out_of_memory());
        };
        let mut key = Zeroizing::new([0; 32]);
        if bytes.length() != 32 {
            return Err(failed());
        }
        bytes.copy_to(&mut *key);
        bytes.fill(0, 0, 32);
        Ok(key)
    }
}
