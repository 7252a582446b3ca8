//! The tokens of JSON (RFC 8259), one after the other. White space may stand between any two.

use std::borrow::Cow;

use crate::Error;

/// Levels of arrays and objects in what is skipped.
const DEPTH_MAX: usize = 128;

/// Reads a text from its start to its end.
pub(crate) struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The byte where reading stands.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    #[cold]
    fn expected(&self, what: &'static str) -> Error {
        Error::new(what).at(self.at)
    }

    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The byte that the next token begins with.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.here() {
            self.at += 1;
        }
        self.here()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes `{`, `[` or `:`.
    pub(crate) fn open(&mut self, byte: u8) -> Result<(), Error> {
        match self.eat(byte) {
            true => Ok(()),
            false => Err(self.expected(match byte {
                b'{' => "expected an object",
                b'[' => "expected an array",
                _ => "expected \":\"",
            })),
        }
    }

    /// Whether another element follows; takes the comma before it, or `close` behind the last one.
    pub(crate) fn next(&mut self, close: u8, first: bool) -> Result<bool, Error> {
        if self.eat(close) {
            return Ok(false);
        }
        if first || self.eat(b',') {
            return Ok(true);
        }
        Err(self.expected("expected \",\" or the end of an object or array"))
    }

    /// Takes a word, if it stands here.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        self.peek();
        let found = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Error> {
        match (self.word("true"), self.word("false")) {
            (false, false) => Err(self.expected("expected true or false")),
            (is_true, _) => Ok(is_true),
        }
    }

    /// A whole number without sign.
    pub(crate) fn whole(&mut self) -> Result<u64, Error> {
        self.peek();
        let start = self.at;
        let mut number: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.here() {
            let more = number.checked_mul(10);
            number = more
                .and_then(|number| number.checked_add(u64::from(digit - b'0')))
                .ok_or_else(|| self.expected("the number is too large"))?;
            self.at += 1;
        }
        let led_by_zero = self.at > start + 1 && self.text.as_bytes()[start] == b'0';
        let goes_on = matches!(self.here(), Some(b'.' | b'e' | b'E'));
        if self.at == start || led_by_zero || goes_on {
            return Err(self.expected("expected a whole number"));
        }
        Ok(number)
    }

    /// The text of a string, borrowed where it holds no escapes.
    pub(crate) fn string(&mut self) -> Result<Cow<'t, str>, Error> {
        if !self.eat(b'"') {
            return Err(self.expected("expected a string"));
        }
        let rest = &self.text[self.at..];
        let run = self.run(rest);
        self.at += run;
        if self.here() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&rest[..run]));
        }
        self.unescape(&rest[..run]).map(Cow::Owned)
    }

    /// The length of what stands in a string as it is.
    fn run(&self, rest: &str) -> usize {
        rest.bytes()
            .position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))
            .unwrap_or(rest.len())
    }

    /// The text of a string that begins with `run` and goes on here.
    #[cold]
    fn unescape(&mut self, run: &str) -> Result<String, Error> {
        // Enough for all of it, so that it never moves and leaves a copy.
        let len = run.len() + self.len_to_quote()?;
        let mut out = String::with_capacity(len);
        out.push_str(run);
        loop {
            match self.here() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(..b' ') | None => {
                    return Err(self.expected("a control character in a string"));
                }
                Some(_) => {
                    let rest = &self.text[self.at..];
                    let run = self.run(rest);
                    out.push_str(&rest[..run]);
                    self.at += run;
                }
            }
        }
    }

    fn len_to_quote(&self) -> Result<usize, Error> {
        let bytes = &self.text.as_bytes()[self.at..];
        let mut len = 0;
        loop {
            match bytes.get(len) {
                Some(b'"') => return Ok(len),
                Some(b'\\') => len += 2,
                Some(_) => len += 1,
                None => return Err(self.expected("a string does not end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let c = match self.text.as_bytes().get(self.at + 1) {
            Some(b'u') => return self.unicode_escape(),
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            _ => return Err(self.expected("an unknown escape")),
        };
        self.at += 2;
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Result<char, Error> {
        let first = self.unit()?;
        let code = match first {
            0xd800..0xdc00 => match self.unit()? {
                second @ 0xdc00..0xe000 => 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                _ => first,
            },
            _ => first,
        };
        char::from_u32(code).ok_or_else(|| self.expected("half of a surrogate pair"))
    }

    /// `\uXXXX`.
    fn unit(&mut self) -> Result<u32, Error> {
        let unit = self.text.get(self.at..self.at + 6).and_then(|escape| {
            let digits = escape.strip_prefix("\\u")?.bytes();
            digits.into_iter().try_fold(0, |unit, digit| {
                Some(unit << 4 | char::from(digit).to_digit(16)?)
            })
        });
        self.at += 6;
        unit.ok_or_else(|| self.expected("an unknown escape"))
    }

    /// Passes any value, and gives it as it is written.
    pub(crate) fn skip(&mut self) -> Result<&'t str, Error> {
        self.peek();
        let start = self.at;
        self.skip_value(0)?;
        Ok(&self.text[start..self.at])
    }

    fn skip_value(&mut self, depth: usize) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(self.expected("nested too deep"));
        }
        match self.peek() {
            Some(b'"') => {
                self.string()?;
            }
            Some(open @ (b'{' | b'[')) => {
                self.at += 1;
                // In ASCII, each stands two behind its counterpart.
                let close = open + 2;
                let mut first = true;
                while self.next(close, first)? {
                    if open == b'{' {
                        self.string()?;
                        self.open(b':')?;
                    }
                    self.skip_value(depth + 1)?;
                    first = false;
                }
            }
            Some(b'-' | b'0'..=b'9') => self.skip_number()?,
            _ if self.word("null") || self.word("true") || self.word("false") => {}
            _ => return Err(self.expected("expected a value")),
        }
        Ok(())
    }

    fn skip_number(&mut self) -> Result<(), Error> {
        self.at += usize::from(self.here() == Some(b'-'));
        // No leading zeros: what follows a zero is none of its digits.
        match self.here() {
            Some(b'0') => self.at += 1,
            _ => self.skip_digits()?,
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            self.skip_digits()?;
        }
        if let Some(b'e' | b'E') = self.here() {
            self.at += 1;
            self.at += usize::from(matches!(self.here(), Some(b'+' | b'-')));
            self.skip_digits()?;
        }
        Ok(())
    }

    fn skip_digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.here() {
            self.at += 1;
        }
        match self.at > start {
            true => Ok(()),
            false => Err(self.expected("expected a digit")),
        }
    }

    /// Nothing but white space follows.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.expected("text after the end of the JSON")),
        }
    }
}
