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

    /// Whether this version of Unicode assigns every character, so that later ones have the same normal form.
    pub(crate) fn is_assigned(text: &str) -> bool {
        let is_private = |c| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}');
        text.chars()
            .all(|c| unicode_normalization::char::is_public_assigned(c) || is_private(c))
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

    /// Whether the engine's version of Unicode assigns every character, so that later ones have the same normal form.
    pub(crate) fn is_assigned(text: &str) -> bool {
        text.is_ascii() || !js_sys::RegExp::new("\\p{Cn}", "u").test(text)
    }
}

pub(crate) use tables::{is_assigned, lowercase, push_nfc};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assigned_characters_are_those_of_unicode() {
        for text in [
            "default",
            "Zahlungen \u{e4}",
            "\u{e000}",
            "\u{10fffd}",
            "\u{1fae8}",
            "\u{4e00}",
        ] {
            assert!(is_assigned(text), "{text:?}");
        }
        for text in ["a\u{378}", "\u{ffff}", "\u{5ffff}"] {
            assert!(!is_assigned(text), "{text:?}");
        }
    }
}
