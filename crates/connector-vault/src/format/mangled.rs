//! Why the bytes of a vault are not what was written, where they show it: a transfer or an editor took
//! them for text. docs/format.md section 1.

use super::MAGIC;
use crate::error::{Code, Error};
use crate::source::Source;

/// Bytes from which on a file has so much that is random that no accident makes it look like text.
const LEN_MIN: usize = 256;
/// Line feeds from which on it is no accident that each of them follows a carriage return: one in 2^24.
const LINE_FEEDS_MIN: usize = 3;

/// Bytes that are looked at: so many of a vault cannot look like text by accident.
const LOOKED_AT: u64 = 64 * 1024;

/// The error of a file that does not open, with what has happened to the file as its hint.
pub(crate) fn explain(error: Error, source: &dyn Source) -> Error {
    let is_about_bytes = matches!(
        error.code(),
        Code::NotAVault
            | Code::UnsupportedVersion
            | Code::Damaged
            | Code::LimitExceeded
            | Code::BadSignature
    );
    if !is_about_bytes {
        return error;
    }
    let mut buffer = Vec::new();
    let start = source.get(0..source.file_len().min(LOOKED_AT), &mut buffer);
    match start.ok().and_then(what_happened) {
        Some(what) => error.with_hint(what),
        None if error.code() == Code::Damaged && error.hint().is_none() => error.with_hint(
            "a transfer that takes the file for text, or that was cut short, does this: compare the file with \
             the original; else restore a backup, or repair the vault",
        ),
        None => error,
    }
}

fn what_happened(file: &[u8]) -> Option<&'static str> {
    let start = |text: &[u8]| file.starts_with(text);
    if start(b"\xef\xbb\xbfCVAULT") {
        return Some(
            "the file begins with a byte order mark, so something took it for text: copy the original again, \
             as binary",
        );
    }
    if start(b"\xff\xfeC\0V\0") || start(b"\xfe\xff\0C\0V") || start(b"C\0V\0A\0") {
        return Some(
            "the file was converted to UTF-16, so something took it for text: copy the original again, as binary",
        );
    }
    // CVAULT01
    if start(b"Q1ZBVUxUMD") {
        return Some("the file is a vault in base64: decode it first");
    }
    if !start(MAGIC) || file.len() < LEN_MIN {
        return None;
    }
    if file.is_ascii() {
        return Some(
            "the eighth bit of each byte was lost, so something took the file for text: copy the original again, \
             as binary",
        );
    }
    // The last character may go on behind what is looked at.
    if let Some(text) = utf8_of(file) {
        return Some(match text.contains('\u{fffd}') {
            true => {
                "something took the file for text, and what is not text in it was lost: copy the original again, \
                 as binary, or restore a backup"
            }
            false => {
                "the file was re-encoded as UTF-8, so something took it for text: copy the original again, as binary"
            }
        });
    }
    let line_feeds = file.iter().filter(|byte| **byte == b'\n').count();
    let pairs = file.windows(2).filter(|pair| pair == b"\r\n").count();
    match pairs {
        _ if pairs != line_feeds => None,
        0 => None,
        1..LINE_FEEDS_MIN => Some(
            "perhaps something took the file for text and converted line ends to CR LF: compare it with the \
             original; else restore a backup, or repair the vault",
        ),
        _ => Some(
            "the line ends in the file were converted to CR LF, so something took it for text: copy the original \
             again, as binary",
        ),
    }
}

/// The text, if it is UTF-8 but for a character that is not there as a whole.
fn utf8_of(file: &[u8]) -> Option<&str> {
    match std::str::from_utf8(file) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_some() => None,
        Err(error) => std::str::from_utf8(&file[..error.valid_up_to()]).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Piece;

    fn explain(error: Error, file: &[u8]) -> Error {
        super::explain(error, &Piece::file(file))
    }

    /// What a vault looks like: its magic, and bytes of all kinds.
    fn sound() -> Vec<u8> {
        let bytes = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8);
        MAGIC.iter().copied().chain(bytes).collect()
    }

    fn with_crlf(file: &[u8]) -> Vec<u8> {
        let bytes = file.iter().flat_map(|byte| match byte {
            b'\n' => b"\r\n".to_vec(),
            byte => vec![*byte],
        });
        bytes.collect()
    }

    #[test]
    fn what_shows_is_told() {
        let sound = sound();
        let latin: String = sound.iter().map(|byte| char::from(*byte)).collect();
        let lossy = String::from_utf8_lossy(&sound).into_owned();
        let utf16: Vec<u8> = latin.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let seven: Vec<u8> = sound.iter().map(|byte| byte & 0x7f).collect();
        for (file, expected) in [
            (sound.clone(), None),
            (sound[..900].to_vec(), None),
            (Vec::new(), None),
            (
                b"\xef\xbb\xbf".iter().chain(&sound).copied().collect(),
                Some("byte order mark"),
            ),
            ([&b"\xff\xfe"[..], &utf16].concat(), Some("UTF-16")),
            (utf16, Some("UTF-16")),
            (b"Q1ZBVUxUMDG+".to_vec(), Some("base64")),
            (seven, Some("eighth bit")),
            (latin.into_bytes(), Some("re-encoded as UTF-8")),
            (lossy.into_bytes(), Some("was lost")),
            (with_crlf(&sound), Some("CR LF")),
            (
                with_crlf(&[&MAGIC[..], b"\n\n", &[0xff; LEN_MIN]].concat()),
                Some("perhaps"),
            ),
            (with_crlf(&sound[..64]), None),
        ] {
            let hint = what_happened(&file);
            let told = hint.unwrap_or_default().contains(expected.unwrap_or("\0"));
            assert_eq!(told, expected.is_some(), "{expected:?}: {hint:?}");
            assert_eq!(hint.is_some(), expected.is_some(), "{hint:?}");
        }
    }

    #[test]
    fn only_errors_about_bytes_are_explained() {
        let file = with_crlf(&sound());
        let explained = |code| explain(Error::new(code, "x"), &file).hint().is_some();
        assert!(explained(Code::Damaged) && explained(Code::BadSignature));
        assert!(!explained(Code::WrongPassphrase) && !explained(Code::RolledBack));
        let cut = explain(Error::new(Code::Damaged, "x"), &sound()[..900]);
        assert!(cut.hint().is_some_and(|hint| hint.contains("cut short")));
    }
}
