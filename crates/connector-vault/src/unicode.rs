//! What Unicode says of texts: Normalization Form C (UAX 15) and lower case.
//!
//! Rust brings the tables along. In WebAssembly they would be a third of the module, and with the
//! feature `js` the JavaScript engine's serve. Assigned characters have the same forms in every
//! version of Unicode, so that all surfaces derive the same key from a passphrase.

#[cfg(not(all(feature = "js", target_family = "wasm")))]
mod tables {
    use unicode_normalization::UnicodeNormalization;

    /// Appends the text in Normalization Form C.
    pub(crate) fn push_nfc(text: &str, out: &mut String) {
        out.extend(text.nfc());
    }

    /// The text in lower case.
    pub(crate) fn lowercase(text: &str) -> String {
        text.to_lowercase()
    }
}

#[cfg(all(feature = "js", target_family = "wasm"))]
mod tables {
    use js_sys::JsString;
    use zeroize::Zeroizing;

    /// Appends the text in Normalization Form C. ASCII is in it already; anything else becomes a
    /// string of JavaScript on the way, which nobody can wipe.
    pub(crate) fn push_nfc(text: &str, out: &mut String) {
        if text.is_ascii() {
            return out.push_str(text);
        }
        let normal = String::from(JsString::from(text).normalize("NFC"));
        out.push_str(&Zeroizing::new(normal));
    }

    /// The text in lower case.
    pub(crate) fn lowercase(text: &str) -> String {
        match text.is_ascii() {
            true => text.to_ascii_lowercase(),
            false => JsString::from(text).to_lower_case().into(),
        }
    }
}

pub(crate) use tables::{lowercase, push_nfc};
