//! The JSON parts of the vault file, read strictly (docs/format.md section 1): an object where an object is due, each
//! name once and no other, numbers of digits alone. Nothing is allocated for what is refused.

use std::borrow::Cow;

use super::parser::Parser;
use crate::limits;

/// The kind of a fault in a part of the file, and its place. No text of the part is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Whether it is JSON, as far as it was read.
    pub(crate) is_json: bool,
    /// The byte.
    pub(crate) at: usize,
}

pub(crate) type Read<T> = Result<T, Wrong>;

/// What a strict reader makes of a value.
pub(crate) trait Strict<'t>: Sized {
    /// Reads the value that begins here.
    fn read(reader: &mut Reader<'t>) -> Read<Self>;
}

/// What stands in arrays of a limited length.
pub(crate) trait Listed {
    /// The most elements of such an array.
    const COUNT_MAX: usize;
}

/// Reads a part that is this value and nothing else: also no white space around it.
pub(crate) fn read<'t, T: Strict<'t>>(text: &'t str) -> Read<T> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
    };
    let value = T::read(&mut reader)?;
    match reader.at == text.len() {
        true => Ok(value),
        false => Err(reader.not_json()),
    }
}

/// Reads the members of an object into variables: those that must be there, then those that may. `refuse` or `skip`
/// says what happens to members of other names.
macro_rules! fields {
    ($reader:ident, $others:ident, { $($name:literal => $field:ident,)* } $({ $($name_of:literal => $optional:ident,)* })?) => {
        $(let mut $field = None;)*
        $($(let mut $optional = None;)*)?
        $reader.object(&mut |reader, name| match name {
            $($name => reader.once(&mut $field),)*
            $($($name_of => reader.once(&mut $optional),)*)?
            _ => reader.$others(),
        })?;
        $(let $field = $reader.present($field)?;)*
    };
}
pub(crate) use fields;

/// A structure that stands as an object with the members of these fields and no other.
macro_rules! object {
    ($of:ty { $($name:literal => $field:ident,)* } $({ $($name_of:literal => $optional:ident,)* })?) => {
        impl<'t> $crate::json::strict::Strict<'t> for $of {
            fn read(
                reader: &mut $crate::json::strict::Reader<'t>,
            ) -> $crate::json::strict::Read<Self> {
                $crate::json::strict::fields!(reader, refuse, { $($name => $field,)* } $({ $($name_of => $optional,)* })?);
                Ok(Self { $($field,)* $($($optional,)*)? })
            }
        }
    };
}
pub(crate) use object;

/// Reads values one after the other.
pub(crate) struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    /// Here is no JSON.
    pub(crate) fn not_json(&self) -> Wrong {
        Wrong {
            is_json: false,
            at: self.at,
        }
    }

    /// Here is another value than is due.
    pub(crate) fn other(&self) -> Wrong {
        Wrong {
            is_json: true,
            at: self.at,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// A string, borrowed where it has no escapes.
    pub(crate) fn text(&mut self) -> Read<Cow<'t, str>> {
        if self.peek() != Some(b'"') {
            return Err(self.other());
        }
        let rest = &self.text[self.at + 1..];
        let end = rest
            .bytes()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        let Some(len) = end else {
            return Err(self.not_json());
        };
        if rest.as_bytes()[len] == b'"' {
            self.at += len + 2;
            return Ok(Cow::Borrowed(&rest[..len]));
        }
        let mut parser = Parser::at(self.text, self.at);
        let mut text = parser.string().map_err(|_| self.not_json())?;
        self.at = parser.at;
        Ok(Cow::Owned(std::mem::take(&mut *text)))
    }

    /// A number: digits alone, no leading zero.
    pub(crate) fn number(&mut self) -> Read<u64> {
        let rest = &self.text[self.at..];
        let len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = &rest[..len];
        if len > 1 && digits.starts_with('0') {
            return Err(self.not_json());
        }
        let number = digits.parse().map_err(|_| self.other())?;
        self.at += len;
        match self.peek() {
            Some(b'.' | b'e' | b'E') => Err(self.other()),
            _ => Ok(number),
        }
    }

    /// One of the words that `parse` knows.
    pub(crate) fn word<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
        let wrong = self.other();
        parse(&self.text()?).ok_or(wrong)
    }

    /// The elements of an array.
    pub(crate) fn array(&mut self, each: &mut dyn FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.open(b'[')?;
        if !self.eat(b']') {
            loop {
                self.space();
                each(self)?;
                if self.eat(b']') {
                    break;
                }
                self.comma()?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// The members of an object, in their order: repeated names are for `each` to find.
    pub(crate) fn object(&mut self, each: &mut dyn FnMut(&mut Self, &str) -> Read<()>) -> Read<()> {
        self.open(b'{')?;
        if !self.eat(b'}') {
            loop {
                self.space();
                if self.peek() != Some(b'"') {
                    return Err(self.not_json());
                }
                let name = self.text()?;
                if !self.eat(b':') {
                    return Err(self.not_json());
                }
                self.space();
                each(self, &name)?;
                if self.eat(b'}') {
                    break;
                }
                self.comma()?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn open(&mut self, bracket: u8) -> Read<()> {
        if self.peek() != Some(bracket) {
            return Err(self.other());
        }
        self.at += 1;
        self.depth += 1;
        match self.depth > limits::JSON_DEPTH_MAX {
            true => Err(self.not_json()),
            false => Ok(()),
        }
    }

    fn comma(&mut self) -> Read<()> {
        match self.eat(b',') {
            true => Ok(()),
            false => Err(self.not_json()),
        }
    }

    /// No member has the name of the one that begins here.
    pub(crate) fn refuse(&mut self) -> Read<()> {
        Err(self.other())
    }

    /// Any value, for names of an open structure that the reader does not know.
    pub(crate) fn skip(&mut self) -> Read<()> {
        match self.peek() {
            Some(b'"') => self.text().map(|_| ()),
            Some(b'{') => self.object(&mut |reader, _| reader.skip()),
            Some(b'[') => self.array(&mut Self::skip),
            _ => {
                let mut parser = Parser::at(self.text, self.at);
                parser.scalar().map_err(|_| self.not_json())?;
                self.at = parser.at;
                Ok(())
            }
        }
    }

    /// A value as it is written, once `read` takes it.
    pub(crate) fn written(&mut self, read: impl FnOnce(&mut Self) -> Read<()>) -> Read<&'t str> {
        let start = self.at;
        read(self)?;
        Ok(&self.text[start..self.at])
    }

    /// A member that may stand once.
    pub(crate) fn once<T: Strict<'t>>(&mut self, slot: &mut Option<T>) -> Read<()> {
        if slot.is_some() {
            return Err(self.other());
        }
        *slot = Some(T::read(self)?);
        Ok(())
    }

    /// A member that must stand.
    pub(crate) fn present<T>(&self, slot: Option<T>) -> Read<T> {
        slot.ok_or(self.other())
    }
}

impl Strict<'_> for u64 {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.number()
    }
}

impl Strict<'_> for u32 {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let wrong = reader.other();
        Self::try_from(reader.number()?).map_err(|_| wrong)
    }
}

impl Strict<'_> for u16 {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let wrong = reader.other();
        Self::try_from(reader.number()?).map_err(|_| wrong)
    }
}

impl Strict<'_> for bool {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.written(Reader::skip)? {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(reader.other()),
        }
    }
}

impl<'t> Strict<'t> for Cow<'t, str> {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        reader.text()
    }
}

impl Strict<'_> for String {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.text().map(Cow::into_owned)
    }
}

/// A value, or `null`.
impl<'t, T: Strict<'t>> Strict<'t> for Option<T> {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        match reader.peek() {
            Some(b'n') => reader.skip().map(|()| None),
            _ => T::read(reader).map(Some),
        }
    }
}

impl<'t, T: Strict<'t> + Listed> Strict<'t> for Vec<T> {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        let mut list = Self::new();
        reader.array(&mut |reader| {
            if list.len() == T::COUNT_MAX {
                return Err(reader.other());
            }
            list.push(T::read(reader)?);
            Ok(())
        })?;
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Part {
        a: u64,
        list: Vec<Element>,
        note: Option<String>,
    }

    #[derive(Debug, PartialEq)]
    struct Element(String);

    impl Listed for Element {
        const COUNT_MAX: usize = 2;
    }

    impl Strict<'_> for Element {
        fn read(reader: &mut Reader<'_>) -> Read<Self> {
            String::read(reader).map(Self)
        }
    }

    impl<'t> Strict<'t> for Part {
        fn read(reader: &mut Reader<'t>) -> Read<Self> {
            fields!(reader, refuse, { "a" => a, "list" => list, } { "note" => note, });
            Ok(Self { a, list, note })
        }
    }

    #[test]
    fn what_the_table_of_a_part_says_is_taken() {
        let part = |note: Option<&str>, list: &[&str]| Part {
            a: 7,
            list: list
                .iter()
                .map(|text| Element((*text).to_owned()))
                .collect(),
            note: note.map(str::to_owned),
        };
        for (text, expected) in [
            (r#"{"a":7,"list":[]}"#, part(None, &[])),
            (
                "{ \"list\" :\t[ \"x\" ,\r\n\"y\" ] , \"a\" : 7 }",
                part(None, &["x", "y"]),
            ),
            (
                r#"{"note":"\u00e9\n\"","a":7,"list":["\ud83d\ude00"]}"#,
                part(Some("é\n\""), &["😀"]),
            ),
        ] {
            assert_eq!(read::<Part>(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        // Whether it is JSON, by what a part says that is not.
        for (is_json, text) in [
            (false, "{"),
            (false, r#"{"a":7,"list":[]"#),
            (false, r#"{"a":7,"list":[],}"#),
            (false, r#"{"a":7 "list":[]}"#),
            (false, r#"{a:7,"list":[]}"#),
            (false, r#"{"a":07,"list":[]}"#),
            (false, r#"{"a":7,"list":[]} "#),
            (false, r#"{"a":7,"list":[]}x"#),
            (false, "{\"a\":7,\"list\":[\"\u{1}\"]}"),
            (false, r#"{"a":7,"list":["\ud800"]}"#),
            (false, r#"{"a":7,"list":["\x"]}"#),
            (false, r#"{"a":7,"list":["x]}"#),
            (true, ""),
            (true, r#" {"a":7,"list":[]}"#),
            (true, r#"[7,[]]"#),
            (true, r#"{"a":7}"#),
            (true, r#"{"a":7,"list":[],"b":1}"#),
            (true, r#"{"a":7,"a":7,"list":[]}"#),
            (true, r#"{"a":7,"list":[],"note":null}"#),
            (true, r#"{"a":null,"list":[]}"#),
            (true, r#"{"a":"7","list":[]}"#),
            (true, r#"{"a":7.0,"list":[]}"#),
            (true, r#"{"a":7e0,"list":[]}"#),
            (true, r#"{"a":-0,"list":[]}"#),
            (true, r#"{"a":18446744073709551616,"list":[]}"#),
            (true, r#"{"a":7,"list":{}}"#),
            (true, r#"{"a":7,"list":[{"x":1}]}"#),
            (true, r#"{"a":7,"list":["1","2","3"]}"#),
        ] {
            let wrong = read::<Part>(text).expect_err(text);
            assert_eq!(wrong.is_json, is_json, "{text}");
        }
    }

    /// Any value, as the parser of actions reads it.
    struct Skipped;

    impl Strict<'_> for Skipped {
        fn read(reader: &mut Reader<'_>) -> Read<Self> {
            reader.skip().map(|()| Self)
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read::<Skipped>(&nested(limits::JSON_DEPTH_MAX)).is_ok());
        assert!(read::<Skipped>(&nested(limits::JSON_DEPTH_MAX + 1)).is_err());
        assert!(read::<Skipped>(&"[".repeat(1 << 20)).is_err());
    }

    proptest! {
        #[test]
        fn skipping_takes_what_serde_json_takes(
            text in r#"[\[\]{}:,"a\\ue0-9.+ -]{0,12}|(true|false|null|[0-9]{1,3}|"a"|\[|\]|\{|\}|:|,){0,8}"#
        ) {
            let ours = read::<Skipped>(&text).is_ok();
            let is_trimmed = text.trim_ascii().len() == text.len();
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() && is_trimmed;
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    }
}
