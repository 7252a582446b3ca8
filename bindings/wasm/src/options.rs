//! What callers say of an operation: objects of JavaScript, whose fields `bindings/js` has checked. `shapes.ts`
//! declares them.

use connector_vault::{
    Cost, KnownHead, MergeOptions, Nested, Note, Null, OpenOptions, Options, RequestId, Resolve,
    Seen, Trust, VaultId, Version,
};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;
use crate::input::whole;

#[wasm_bindgen]
extern "C" {
    /// How an action is carried out (docs/action.md section 6).
    #[wasm_bindgen(typescript_type = "ActionOptions")]
    pub type ActionOptions;
    #[wasm_bindgen(method, getter, js_name = ifVersion)]
    fn if_version(this: &ActionOptions) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = requestId)]
    fn request_id(this: &ActionOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn null(this: &ActionOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn nested(this: &ActionOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = allowMask)]
    fn allow_mask(this: &ActionOptions) -> Option<bool>;
    #[wasm_bindgen(method, getter, js_name = allowEmpty)]
    fn allow_empty(this: &ActionOptions) -> Option<bool>;
    #[wasm_bindgen(method, getter, js_name = noTokens)]
    fn no_tokens(this: &ActionOptions) -> Option<bool>;
    #[wasm_bindgen(method, getter)]
    fn note(this: &ActionOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = conditionMet)]
    fn condition_met(this: &ActionOptions) -> Option<bool>;
    #[wasm_bindgen(method, getter)]
    fn group(this: &ActionOptions) -> Option<String>;

    /// How to merge.
    #[wasm_bindgen(typescript_type = "Merging")]
    pub type Merging;
    #[wasm_bindgen(method, getter)]
    fn resolve(this: &Merging) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = acceptStrangers)]
    fn accept_strangers(this: &Merging) -> Option<bool>;

    /// What trying a passphrase costs.
    #[wasm_bindgen(typescript_type = "KdfCost")]
    pub type KdfCost;
    #[wasm_bindgen(method, getter, js_name = memoryKib)]
    fn memory_kib(this: &KdfCost) -> f64;
    #[wasm_bindgen(method, getter)]
    fn passes(this: &KdfCost) -> f64;
    #[wasm_bindgen(method, getter)]
    fn lanes(this: &KdfCost) -> f64;

    /// What a vault is expected to be, and whose secret opens it.
    #[wasm_bindgen(typescript_type = "Opening")]
    pub type Opening;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn by(this: &Opening) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn grant(this: &Opening) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn hint(this: &Opening) -> Option<Uint8Array>;
    #[wasm_bindgen(method, getter, js_name = vaultId)]
    fn vault_id(this: &Opening) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = vaultReference)]
    fn vault_reference(this: &Opening) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn found(this: &Opening) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn known(this: &Opening) -> Option<Vec<String>>;
    #[wasm_bindgen(method, getter)]
    fn others(this: &Opening) -> Option<Vec<String>>;
    #[wasm_bindgen(method, getter)]
    fn accept(this: &Opening) -> Option<bool>;
    #[wasm_bindgen(method, getter, js_name = memoryKibMax)]
    fn memory_kib_max(this: &Opening) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = workKibMax)]
    fn work_kib_max(this: &Opening) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn elsewhere(this: &Opening) -> Option<bool>;
    #[wasm_bindgen(method, getter, js_name = olderHeader)]
    pub(crate) fn older_header(this: &Opening) -> Option<bool>;
}

impl ActionOptions {
    pub(crate) fn options(&self) -> Result<Options> {
        Ok(Options {
            if_version: self.if_version().map(version).transpose()?,
            request_id: self.request_id().map(RequestId::new).transpose()?,
            null: match self.null().as_deref() {
                Some("remove") => Null::Remove,
                _ => Null::Reject,
            },
            nested: match self.nested().as_deref() {
                Some("merge") => Nested::Merge,
                _ => Nested::Replace,
            },
            allow_mask: self.allow_mask().unwrap_or_default(),
            allow_empty: self.allow_empty().unwrap_or_default(),
            no_tokens: self.no_tokens().unwrap_or_default(),
            note: self.note().map(Note::new).transpose()?,
            condition_met: self.condition_met().unwrap_or_default(),
            group: self.group(),
        })
    }
}

impl Merging {
    pub(crate) fn options(&self) -> MergeOptions {
        MergeOptions {
            resolve: match self.resolve().as_deref() {
                Some("ours") => Some(Resolve::Ours),
                Some("theirs") => Some(Resolve::Theirs),
                Some("newest") => Some(Resolve::Newest),
                _ => None,
            },
            accept_strangers: self.accept_strangers().unwrap_or_default(),
        }
    }
}

impl KdfCost {
    pub(crate) fn cost(&self) -> Cost {
        // A number with a fraction becomes 0, which is out of range.
        let number = |number: f64| match number.fract() == 0.0 {
            true => number as u32,
            false => 0,
        };
        Cost {
            memory_kib: number(self.memory_kib()),
            passes: number(self.passes()),
            lanes: number(self.lanes()),
        }
    }
}

impl Opening {
    pub(crate) fn options(&self) -> Result<OpenOptions> {
        let vault_id = self.vault_id();
        let mut options = OpenOptions {
            vault_id: vault_id.as_deref().map(str::parse::<VaultId>).transpose()?,
            reference: self
                .vault_reference()
                .as_deref()
                .map(str::parse)
                .transpose()?,
            ..OpenOptions::default()
        };
        // Only ever less than a browser allows.
        if let Some(memory_kib_max) = self.memory_kib_max() {
            options.memory_kib_max = options.memory_kib_max.min(memory_kib_max as u32);
        }
        if let Some(work_kib_max) = self.work_kib_max() {
            options.work_kib_max = work_kib_max as u64;
        }
        let known = self.known().unwrap_or_default();
        let known = known.iter().map(|json| Ok(KnownHead::parse(json)?));
        let trust = match self.accept() {
            Some(true) => Trust::AsFound,
            _ => Trust::Grown,
        };
        let heads = known.collect::<Result<Vec<_>>>()?;
        let id = |text: &String| Ok(text.parse::<VaultId>()?);
        let others = self.others().unwrap_or_default();
        let others = others.iter().map(id).collect::<Result<_>>()?;
        let found = self.found().as_ref().map(id).transpose()?;
        let found = found.or_else(|| heads.first().map(|known| known.head.vault_id));
        if let Some(found) = found {
            options.expect(found, Seen { heads, others }, trust)?;
        }
        Ok(options)
    }
}

/// A version as JavaScript has it.
pub(crate) fn version(number: f64) -> Result<Version> {
    Ok(Version::new(whole("a version", number)?)?)
}
