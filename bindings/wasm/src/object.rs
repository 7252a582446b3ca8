//! Plain objects of JavaScript: what a state machine asks for. `shapes.ts` declares them.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

pub(crate) fn object<const N: usize>(fields: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new().into();
    for (name, value) in fields {
        set(&object, name, &value);
    }
    object
}

pub(crate) fn set(object: &JsValue, name: &str, value: &JsValue) {
    // It fails for frozen objects alone.
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}
