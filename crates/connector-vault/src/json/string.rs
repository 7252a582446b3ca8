//! Strings and their escapes (RFC 8259 section 7).

use super::parser::Parser;
use crate::error::{Code, Result};
use crate::secret::Text;

impl Parser<'_> {
    /// The text of the string that begins here.
    pub(super) fn string(&mut self) -> Result<Text> {
        self.at += 1;
        // Enough for the decoded text, so that it never moves and leaves a copy.
        let len = self.string_len()?;
        let end = self.at + len;
        let mut out = Text::new(String::with_capacity(len));
        while self.at < end {
            let raw = &self.text[self.at..end];
            let run = raw.find('\\').unwrap_or(raw.len());
            out.push_str(&raw[..run]);
            self.at += run;
            if run < raw.len() {
                out.push(self.escape()?);
            }
        }
        self.at = end + 1;
        Ok(out)
    }

    /// The length of the string's text as written, up to the closing quote.
    fn string_len(&mut self) -> Result<usize> {
        let bytes = self.rest().as_bytes();
        let mut len = 0;
        loop {
            match bytes.get(len) {
                Some(b'"') => return Ok(len),
                Some(b'\\') => len += 2,
                Some(0..=0x1f) => {
                    self.at += len;
                    return Err(self.error(
                        Code::InvalidJson,
                        "a control character in a string (write it as an escape)",
                    ));
                }
                Some(_) => len += 1,
                None => {
                    self.at = self.text.len();
                    return Err(self.expected("the end of a string"));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let bytes = self.rest().as_bytes();
        let c = match bytes.get(1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.error(Code::InvalidJson, "an unknown escape")),
        };
        self.at += 2;
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let lone = |parser: &Self| {
            parser.error(Code::LoneSurrogate, "half of a surrogate pair in a string")
        };
        let first = self.unit(self.at)?;
        let code = match first {
            0xd800..=0xdbff => {
                if !self.text[self.at + 6..].starts_with("\\u") {
                    return Err(lone(self));
                }
                let second = self.unit(self.at + 6)?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(lone(self));
                }
                self.at += 6;
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            code => code,
        };
        // Only the second half of a pair is left to fail here.
        let c = char::from_u32(code).ok_or_else(|| lone(self))?;
        self.at += 6;
        Ok(c)
    }

    /// The code unit of the `\uXXXX` at `at`.
    fn unit(&self, at: usize) -> Result<u32> {
        self.text
            .get(at + 2..at + 6)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.error(Code::InvalidJson, "\\u without four hexadecimal digits"))
    }
}
