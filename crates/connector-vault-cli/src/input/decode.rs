//! From the bytes of a file to its text: UTF-8, with or without a byte order mark.

use zeroize::Zeroizing;

use super::{Kind, Text, Wanted};
use crate::failure::{Failure, Result};

/// UTF-8's byte order mark, U+FEFF.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The text without a byte order mark, and whether it had one.
///
/// Fails with `invalid_argument` for another encoding, and for bytes that are no text.
pub(super) fn decode(mut bytes: Zeroizing<Vec<u8>>, wanted: Wanted<'_>) -> Result<(Text, bool)> {
    if let Some(encoding) = other_encoding(&bytes) {
        return Err(Failure::new(
            "invalid_argument",
            format!("{} is {encoding} text, not UTF-8", wanted.what),
        )
        .hint(format!(
            "save it as UTF-8, for instance by `iconv -f {encoding} -t UTF-8 FILE`"
        )));
    }
    let has_mark = bytes.starts_with(MARK);
    if has_mark {
        let len = bytes.len() - MARK.len();
        bytes.copy_within(MARK.len().., 0);
        bytes[len..].fill(0);
        bytes.truncate(len);
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok((Text::new(text), has_mark)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(not_text(wanted))
        }
    }
}

fn not_text(wanted: Wanted<'_>) -> Failure {
    let failure = Failure::new(
        "invalid_argument",
        format!("{} is not UTF-8 text", wanted.what),
    );
    match wanted.kind {
        Kind::Value => failure.hint(
            "put binary data in as base64, for instance by `base64 -w0`; save text of another encoding as \
             UTF-8",
        ),
        Kind::Action | Kind::List | Kind::Key => failure.hint("save it as UTF-8"),
    }
}

/// UTF-16 and UTF-32, by their byte order marks, or by the zero bytes that ASCII has there. Such a text
/// may well be valid UTF-8, full of U+0000.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    let marks: [(&[u8], &str); 4] = [
        // Before that of UTF-16, which it begins with.
        (b"\xff\xfe\0\0", "UTF-32LE"),
        (b"\0\0\xfe\xff", "UTF-32BE"),
        (b"\xff\xfe", "UTF-16LE"),
        (b"\xfe\xff", "UTF-16BE"),
    ];
    let marked = marks.iter().find(|(mark, _)| bytes.starts_with(mark));
    if let Some((_, encoding)) = marked {
        return Some(encoding);
    }
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return None;
    };
    if pairs.len() < 2 {
        return None;
    }
    let all = |is: fn(&[u8; 2]) -> bool| pairs.iter().take(64).all(is);
    if all(|[low, high]| *low != 0 && *high == 0) {
        Some("UTF-16LE")
    } else if all(|[high, low]| *high == 0 && *low != 0) {
        Some("UTF-16BE")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        let value = Wanted::value("the value", "--set-file");
        for (bytes, expected) in [
            (&b"plain"[..], Ok(("plain", false))),
            (b"", Ok(("", false))),
            (b"\xef\xbb\xbfs3cret", Ok(("s3cret", true))),
            (b"\xef\xbb\xbf", Ok(("", true))),
            // Only the first is a mark.
            (b"\xef\xbb\xbf\xef\xbb\xbfa", Ok(("\u{feff}a", true))),
            (b"a\xef\xbb\xbf", Ok(("a\u{feff}", false))),
            (b"a\0b", Ok(("a\0b", false))),
            (b"a\0", Ok(("a\0", false))),
            (b"\xff\xfea\0", Err("UTF-16LE")),
            (b"\xfe\xff\0a", Err("UTF-16BE")),
            (b"a\0b\0", Err("UTF-16LE")),
            (b"\0a\0b", Err("UTF-16BE")),
            (b"\xff\xfe\0\0a\0\0\0", Err("UTF-32LE")),
            (b"\0\0\xfe\xff\0\0\0a", Err("UTF-32BE")),
            (b"\xff", Err("not UTF-8 text")),
            (b"\xef\xbb\xbf\xff", Err("not UTF-8 text")),
        ] {
            let decoded = decode(Zeroizing::new(bytes.to_vec()), value);
            match (decoded, expected) {
                (Ok((text, mark)), Ok(expected)) => assert_eq!((text.as_str(), mark), expected),
                (Err(failure), Err(part)) => {
                    assert_eq!(failure.code, "invalid_argument");
                    assert!(failure.message.contains(part), "{failure:?}");
                    assert!(!failure.message.contains("s3cret"), "{failure:?}");
                }
                (decoded, expected) => assert_eq!(decoded.is_ok(), expected.is_ok(), "{bytes:?}"),
            }
        }
    }
}
