//! JSON for JavaScript: the core's own shapes, with the names of fields in camelCase. Keys of maps, such as names of
//! properties, and values stay as they are.

use std::fmt::{self, Display, Write as _};

use connector_vault::{Code, Error, KnownHead, Result};
use serde::ser::{self, Serialize, Serializer};
use wasm_bindgen::JsValue;
use zeroize::Zeroizing;

/// JSON text of a shape that holds no secret.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> String {
    let mut writer = Writer(String::new());
    value
        .serialize(&mut writer)
        .expect("shapes have string keys, whole numbers and no failing parts");
    writer.0
}

/// JSON text of what a client keeps of a vault, with the names of docs/format.md section 9.
pub(crate) fn document(known: &KnownHead) -> String {
    serde_json::to_string(known).unwrap_or_default()
}

/// JSON text that holds values: the copy on this side is wiped.
pub(crate) fn secret_json(value: &impl Serialize) -> Result<JsValue> {
    let mut writer = Writer(String::new());
    let written = value.serialize(&mut writer);
    wiped(written.is_ok().then_some(writer.0))
}

/// JSON text that leaves nothing behind; `None` if it could not be written.
pub(crate) fn wiped(text: Option<String>) -> Result<JsValue> {
    let failed = || Error::new(Code::Internal, "a connector cannot be written as JSON");
    let text = Zeroizing::new(text.ok_or_else(failed)?);
    Ok(JsValue::from_str(&text))
}

struct Writer(String);

/// A shape that JSON has no form for.
#[derive(Debug)]
struct NoForm;

type Written<T = ()> = std::result::Result<T, NoForm>;

impl Writer {
    #[inline(never)]
    fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// RFC 8259 section 7.
    #[inline(never)]
    fn text(&mut self, text: &str) {
        self.0.push('"');
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte < b' ' || matches!(byte, b'"' | b'\\') {
                self.0.push_str(&text[from..at]);
                let _ = write!(self.0, "\\u{byte:04x}");
                from = at + 1;
            }
        }
        self.0.push_str(&text[from..]);
        self.0.push('"');
    }

    /// The name of a field: `version_before` becomes `versionBefore`.
    #[inline(never)]
    fn name(&mut self, name: &str) {
        self.0.push('"');
        for (index, word) in name.split('_').enumerate() {
            let at = self.0.len();
            self.0.push_str(word);
            if index > 0
                && let Some(first) = self.0.get_mut(at..=at)
            {
                first.make_ascii_uppercase();
            }
        }
        self.0.push_str("\":");
    }

    #[inline(never)]
    fn whole(&mut self, number: impl Display) {
        let _ = write!(self.0, "{number}");
    }

    #[inline(never)]
    fn open(&mut self, bracket: char, end: char) -> Parts<'_> {
        self.0.push(bracket);
        Parts {
            writer: self,
            is_first: true,
            end,
        }
    }
}

/// The elements of an array, or the members of an object.
struct Parts<'w> {
    writer: &'w mut Writer,
    is_first: bool,
    end: char,
}

impl Parts<'_> {
    #[inline(never)]
    fn next(&mut self) -> &mut Writer {
        if !std::mem::take(&mut self.is_first) {
            self.writer.0.push(',');
        }
        self.writer
    }

    #[inline(never)]
    fn close(self) -> Written {
        self.writer.0.push(self.end);
        Ok(())
    }
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = NoForm;
    type SerializeSeq = Parts<'w>;
    type SerializeTuple = Parts<'w>;
    type SerializeTupleStruct = Parts<'w>;
    type SerializeTupleVariant = ser::Impossible<(), NoForm>;
    type SerializeMap = Parts<'w>;
    type SerializeStruct = Parts<'w>;
    type SerializeStructVariant = ser::Impossible<(), NoForm>;

    fn serialize_bool(self, value: bool) -> Written {
        self.raw(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_u32(self, value: u32) -> Written {
        self.serialize_u64(u64::from(value))
    }

    fn serialize_u64(self, value: u64) -> Written {
        self.whole(value);
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Written {
        self.text(value);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Written {
        self.text(&value.to_string());
        Ok(())
    }

    fn serialize_none(self) -> Written {
        self.raw("null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, word: &'static str) -> Written {
        self.serialize_str(word)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
        value: &T,
    ) -> Written {
        let mut parts = self.open('{', '}');
        ser::SerializeStruct::serialize_field(&mut parts, word, value)?;
        parts.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Written<Parts<'w>> {
        Ok(self.open('[', ']'))
    }

    fn serialize_tuple(self, _: usize) -> Written<Parts<'w>> {
        Ok(self.open('[', ']'))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Written<Parts<'w>> {
        Ok(self.open('[', ']'))
    }

    fn serialize_map(self, _: Option<usize>) -> Written<Parts<'w>> {
        Ok(self.open('{', '}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Written<Parts<'w>> {
        Ok(self.open('{', '}'))
    }

    fn serialize_i8(self, _: i8) -> Written {
        Err(NoForm)
    }
    fn serialize_i16(self, _: i16) -> Written {
        Err(NoForm)
    }
    fn serialize_i32(self, _: i32) -> Written {
        Err(NoForm)
    }
    fn serialize_i64(self, _: i64) -> Written {
        Err(NoForm)
    }
    fn serialize_u8(self, value: u8) -> Written {
        self.serialize_u64(u64::from(value))
    }
    fn serialize_u16(self, value: u16) -> Written {
        self.serialize_u64(u64::from(value))
    }
    fn serialize_f32(self, _: f32) -> Written {
        Err(NoForm)
    }
    fn serialize_f64(self, _: f64) -> Written {
        Err(NoForm)
    }
    fn serialize_char(self, _: char) -> Written {
        Err(NoForm)
    }
    fn serialize_bytes(self, _: &[u8]) -> Written {
        Err(NoForm)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Written {
        Err(NoForm)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Written<Self::SerializeTupleVariant> {
        Err(NoForm)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Written<Self::SerializeStructVariant> {
        Err(NoForm)
    }
}

/// The traits of arrays, which differ in nothing but names.
macro_rules! elements {
    ($($of:ident: $method:ident),*) => {$(
        impl ser::$of for Parts<'_> {
            type Ok = ();
            type Error = NoForm;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                value.serialize(self.next())
            }

            fn end(self) -> Written {
                self.close()
            }
        }
    )*};
}
elements!(SerializeSeq: serialize_element, SerializeTuple: serialize_element, SerializeTupleStruct: serialize_field);

impl ser::SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = NoForm;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        let writer = self.next();
        writer.name(name);
        value.serialize(writer)
    }

    fn end(self) -> Written {
        self.close()
    }
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = NoForm;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        key.serialize(self.next())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.writer.raw(":");
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Written {
        self.close()
    }
}

impl fmt::Display for NoForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a shape without a form in JSON")
    }
}

impl std::error::Error for NoForm {}

impl ser::Error for NoForm {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::json;

    #[derive(Serialize)]
    struct Inner<'a> {
        request_id: Option<&'a str>,
        kept_names: BTreeMap<&'a str, u64>,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        DeletedInOurs(Box<Word>),
        FirstSeen,
    }

    #[test]
    fn names_of_fields_change_and_nothing_else() {
        let value = (
            Inner {
                request_id: Some("api_key \"\\\n\u{e9}"),
                kept_names: BTreeMap::from([("api_key", u64::MAX), ("b", 0)]),
            },
            [
                Word::FirstSeen,
                Word::DeletedInOurs(Box::new(Word::FirstSeen)),
            ],
            [(); 0],
            true,
        );
        let expected = concat!(
            r#"[{"requestId":"api_key \u0022\u005c\u000aé","#,
            r#""keptNames":{"api_key":18446744073709551615,"b":0}},"#,
            r#"["first_seen",{"deletedInOurs":"first_seen"}],[],true]"#,
        );
        assert_eq!(json(&value), expected);
    }
}
