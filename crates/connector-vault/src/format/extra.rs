//! The places for later additions: an object of any content, kept byte for byte (docs/format.md section 1.2).

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::strict::{Read, Reader, Strict};

/// The text of an object of at most `LEN_MAX` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extra<const LEN_MAX: usize>(Box<str>);

impl<const LEN_MAX: usize> Strict<'_> for Extra<LEN_MAX> {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let ExtraText(text) = ExtraText::<LEN_MAX>::read(reader)?;
        Ok(Self(text.into()))
    }
}

impl<const LEN_MAX: usize> Serialize for Extra<LEN_MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // It is JSON: it was read.
        let text: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        text.serialize(serializer)
    }
}

/// The text of an `extra`, from `{` to `}`: an object of any content, of at most so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExtraText<'t, const LEN_MAX: usize>(pub(crate) &'t str);

impl<'t, const LEN_MAX: usize> Strict<'t> for ExtraText<'t, LEN_MAX> {
    fn read(reader: &mut Reader<'t>) -> Read<Self> {
        let wrong = reader.other();
        let text = reader.written(|reader| reader.object(&mut |reader, _| reader.skip()))?;
        match text.len() <= LEN_MAX {
            true => Ok(Self(text)),
            false => Err(wrong),
        }
    }
}

/// Puts an `extra` behind the last member of an object that has at least one.
pub(crate) fn put_extra(json: &mut Vec<u8>, extra: Option<&str>) {
    let Some(extra) = extra else { return };
    json.pop();
    json.extend_from_slice(b",\"extra\":");
    json.extend_from_slice(extra.as_bytes());
    json.push(b'}');
}

#[cfg(test)]
mod tests {
    use crate::format::to_json;
    use crate::json::strict;

    type Extra = super::Extra<64>;

    #[test]
    fn any_object_is_kept_byte_for_byte() {
        for text in [
            "{}",
            "{ \"a\" : [ 1.50e+9 , null ] ,\t\"a\":{\"b\":\"\\u0041\"}}",
        ] {
            let extra: Extra = strict::read(text).expect(text);
            assert_eq!(to_json(&extra), text.as_bytes());
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(57));
        assert!(strict::read::<Extra>(&long[..0]).is_err());
        for text in ["null", "[]", "\"\"", "{", "{\"a\":\"\\ud800\"}", &long] {
            assert!(strict::read::<Extra>(text).is_err(), "{text}");
        }
        let fits = format!("{{\"a\":\"{}\"}}", "x".repeat(56));
        assert!(strict::read::<Extra>(&fits).is_ok());
    }
}
