//! Text that is wiped, and JSON's strings in it.

use zeroize::Zeroizing;

/// Text that may hold a secret: wiped when dropped.
pub type Text = Zeroizing<String>;

/// Text that grows without leaving copies behind: each buffer that it outgrows is wiped.
#[derive(Default)]
pub struct TextBuf(Text);

impl TextBuf {
    /// Appends a text.
    pub fn push_str(&mut self, text: &str) {
        let len = self.0.len() + text.len();
        if len > self.0.capacity() {
            self.grow(len);
        }
        self.0.push_str(text);
    }

    /// `String` would grow by itself, and leave the old bytes to the allocator.
    #[cold]
    fn grow(&mut self, len: usize) {
        let mut larger = Text::new(String::with_capacity(len.max(2 * self.0.capacity())));
        larger.push_str(&self.0);
        self.0 = larger;
    }

    /// Appends a character.
    pub fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    /// Whether nothing was appended yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> Text {
        self.0
    }
}

/// Writes a JSON string with the fewest escapes (RFC 8259 section 7).
pub fn write_string(text: &str, out: &mut TextBuf) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest
        .bytes()
        .position(|byte| byte < b' ' || matches!(byte, b'"' | b'\\'))
    {
        out.push_str(&rest[..at]);
        let byte = rest.as_bytes()[at];
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x8 => out.push_str("\\b"),
            0xc => out.push_str("\\f"),
            _ => {
                out.push_str("\\u00");
                for digit in [byte >> 4, byte & 0xf] {
                    out.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
                }
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}
