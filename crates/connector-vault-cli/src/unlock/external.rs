//! External keys and their hints as text (docs/cli.md section 1).

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use connector_vault::ExternalKey;
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};

/// What leads a hint that is not text.
const BYTES: &str = "base64url:";

/// The only external key of a text with `#` comments: 64 digits of base16, or 43 characters of base64url or base64.
pub(super) fn external_key(text: &str) -> Result<ExternalKey> {
    let invalid = |message: &str| {
        Failure::new("invalid_argument", message.to_owned()).hint(
            "an external key is 32 bytes: 64 digits of base16, or 43 characters of base64url; `openssl rand -hex 32` makes one",
        )
    };
    let lines = text.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(invalid("there is not exactly one external key"));
    };
    let mut bytes = Zeroizing::new([0; ExternalKey::LEN]);
    if decode(line, &mut bytes).is_none() {
        return Err(invalid("the text is no external key"));
    }
    Ok(ExternalKey::from_bytes(&*bytes)?)
}

fn decode(text: &str, bytes: &mut [u8; ExternalKey::LEN]) -> Option<()> {
    if text.len() == 2 * bytes.len() {
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let mut digits = digits.iter().map(|digit| char::from(*digit).to_digit(16));
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(16 * high + low).ok()?;
        }
        return Some(());
    }
    let text = text.strip_suffix('=').unwrap_or(text);
    let decoded = match text.contains(['+', '/']) {
        true => Base64Unpadded::decode(text, bytes).ok()?,
        false => Base64UrlUnpadded::decode(text, bytes).ok()?,
    };
    (decoded.len() == ExternalKey::LEN).then_some(())
}

/// The bytes of a hint: those of its text, or what stands behind `base64url:`.
pub(crate) fn hint_bytes(text: &str) -> Result<Vec<u8>> {
    match text.strip_prefix(BYTES) {
        None => Ok(text.as_bytes().to_vec()),
        Some(encoded) => Base64UrlUnpadded::decode_vec(encoded).map_err(|_| {
            Failure::usage("behind base64url: stands no base64url without padding".to_owned())
        }),
    }
}

/// The text of a hint, of which [`hint_bytes`] makes the same bytes.
pub(crate) fn hint_text(hint: &[u8]) -> String {
    let text = std::str::from_utf8(hint).ok().filter(|text| {
        let has_other = |char: char| char.is_control() || char.is_whitespace() && char != ' ';
        !text.starts_with(BYTES) && text.trim() == *text && !text.contains(has_other)
    });
    match text {
        Some(text) => text.to_owned(),
        None => format!("{BYTES}{}", Base64UrlUnpadded::encode_string(hint)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_external_keys() {
        let hex = "00ff".repeat(16);
        let code = |text: &str| {
            let key = external_key(text);
            key.map(drop).map_err(|failure| failure.code)
        };
        for text in [
            hex.clone(),
            hex.to_ascii_uppercase(),
            format!("# made today\n\n  {hex}\r\n"),
            "A".repeat(43),
            format!("{}=", "A".repeat(43)),
            format!("-_{}", "A".repeat(41)),
            format!("+/{}\n", "A".repeat(41)),
        ] {
            assert_eq!(code(&text), Ok(()), "{text}");
        }
        for text in [
            String::new(),
            "# nothing".into(),
            hex[2..].to_owned(),
            format!("{hex}00"),
            format!("{}g", &hex[1..]),
            format!("{}é", &hex[2..]),
            format!("{hex}\n{hex}"),
            "A".repeat(42),
            "A".repeat(44),
            format!("{}B", "A".repeat(42)),
            format!("{}==", "A".repeat(43)),
        ] {
            assert_eq!(code(&text), Err("invalid_argument"), "{text}");
        }
    }

    #[test]
    fn texts_of_hints() {
        for (hint, text) in [
            (&b"projects/p/keys/k"[..], "projects/p/keys/k"),
            ("é".as_bytes(), "é"),
            (b"", ""),
            (b"\xff\x00", "base64url:_wA"),
            (b"a\nb", "base64url:YQpi"),
            (b" a", "base64url:IGE"),
            (b"base64url:x", "base64url:YmFzZTY0dXJsOng"),
        ] {
            assert_eq!(hint_text(hint), text);
            let bytes = hint_bytes(text).map_err(|failure| failure.code);
            assert_eq!(bytes.as_deref(), Ok(hint), "{text}");
        }
        assert!(hint_bytes("base64url:YQ==").is_err());
        assert!(hint_bytes("base64url:YR").is_err());
    }
}
