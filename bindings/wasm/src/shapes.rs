//! The declarations of what crosses as JSON. The shapes themselves are the core's.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const DECLARATIONS: &str = SHAPES;

/// `tests/conformance/api.test.ts` compares the fields with what calls return; the test below the words.
#[allow(dead_code, reason = "read by the attribute above and by the test")]
const SHAPES: &str = include_str!("shapes.ts");

#[cfg(test)]
mod tests {
    use super::SHAPES;
    use connector_vault::{
        ChangeKind, Continuity, Op, Role, SignatureState, Source, Status, WarningCode,
    };
    use serde::de::{self, Deserialize, Deserializer, Visitor};

    /// Learns the words of an enumeration from its own `Deserialize`, so that none can be forgotten.
    struct Words<'a>(&'a mut Vec<&'static str>);

    impl<'de> Deserializer<'de> for Words<'_> {
        type Error = de::value::Error;

        fn deserialize_enum<V: Visitor<'de>>(
            self,
            _name: &'static str,
            words: &'static [&'static str],
            _visitor: V,
        ) -> std::result::Result<V::Value, Self::Error> {
            self.0.extend(words);
            Err(de::Error::custom("only the words are wanted"))
        }

        fn deserialize_any<V: Visitor<'de>>(
            self,
            _visitor: V,
        ) -> std::result::Result<V::Value, Self::Error> {
            Err(de::Error::custom("no enumeration"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
        }
    }

    fn check<'de, T: Deserialize<'de>>(name: &str) {
        let mut words = Vec::new();
        let _ = T::deserialize(Words(&mut words));
        assert!(!words.is_empty(), "{name} has no words");
        let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        let line = format!("export type {name} = {};", quoted.join(" | "));
        assert!(SHAPES.contains(&line), "not in shapes.ts: {line}");
    }

    #[test]
    fn typescript_has_the_words_of_the_core() {
        check::<Op>("Op");
        check::<Status>("Status");
        check::<ChangeKind>("ChangeKind");
        check::<Source>("Source");
        check::<WarningCode>("WarningCode");
        check::<Role>("Role");
        check::<Continuity>("Continuity");
        check::<SignatureState>("SignatureState");
    }
}
