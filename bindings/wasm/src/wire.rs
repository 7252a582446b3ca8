//! How things cross as JSON, and its words. TypeScript's declarations are made of the types that cross, so that they
//! cannot drift.

use connector_vault::{Code, Cost, Error};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

use crate::error::Result;

#[wasm_bindgen(typescript_custom_section)]
const DECLARATIONS: &str = WORDS;

/// The words of enumerations; a test compares them with the core's.
#[allow(dead_code, reason = "read by the attribute above and by the test")]
const WORDS: &str = r#"
/** How a version of a connector came to be. */
export type Op = "create" | "update" | "delete" | "restore";
/** What a request did, or, `planned`, would do. */
export type Status = "updated" | "unchanged" | "planned" | "created" | "deleted" | "restored" | "tested" | "skipped";
/** What happened to a property. */
export type ChangeKind = "added" | "changed" | "removed" | "unchanged";
/** Where a property's value comes from: `Properties` or `PropertiesJson`. */
export type Source = "grid" | "json";
/** What an outcome warns of: docs/action.md section 9. */
export type WarningCode = "byte_order_mark" | "repeated_name" | "token_default_used" | "token_unused" | "value_emptied" | "surrounding_space" | "nested_names_dropped" | "similar_name" | "token_name_in_brackets";
/** What became of an action that is marked as deleted in its batch. */
export interface SkippedOutcome { readonly status: "skipped" }
/** What became of one action of a batch, or would. */
export type ActionOutcome = Outcome | TestOutcome | SkippedOutcome;
/** What became of a batch, or would: one outcome for each action, and all tokens that they set. */
export interface BatchOutcome { readonly outcomes: readonly ActionOutcome[]; readonly outputs: Readonly<Record<string, string>> }
/** What became of an action's document, or would. */
export type Ran = Outcome | TestOutcome | BatchOutcome;
/** What a grant permits. Each role may do what those before it may: list, read values, update, everything. */
export type Role = "viewer" | "reader" | "updater" | "owner";
/** How a vault relates to the newest head that this client had seen. */
export type Continuity = "first_seen" | "continues" | "unverifiable";
/** Whether a commit's signature verifies, and its author's role permits it. */
export type SignatureState = "valid" | "invalid";
"#;

/// JSON text of something that holds no secret.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what crosses has string keys and no failing parts")
}

/// JSON text that holds values: the copy on this side is wiped.
pub(crate) fn secret_json(value: &impl Serialize) -> Result<JsValue> {
    let text = serde_json::to_string(value)
        .map_err(|_| Error::new(Code::Internal, "a connector cannot be written as JSON"))?;
    Ok(JsValue::from_str(&Zeroizing::new(text)))
}

/// What trying a passphrase costs: Argon2id version 1.3 (RFC 9106 section 3.1).
#[derive(Serialize, serde::Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KdfCost {
    /// Memory in KiB: 19,456 to 262,144. Default 65,536.
    memory_kib: u32,
    /// Passes over the memory: 1 to 16. Default 3.
    passes: u32,
    /// Lanes: 1 to 4. Default 1.
    lanes: u32,
}

impl KdfCost {
    pub(crate) fn of(cost: Cost) -> Self {
        Self {
            memory_kib: cost.memory_kib,
            passes: cost.passes,
            lanes: cost.lanes,
        }
    }

    pub(crate) fn cost(&self) -> Cost {
        Cost {
            memory_kib: self.memory_kib,
            passes: self.passes,
            lanes: self.lanes,
        }
    }
}

#[cfg(test)]
mod tests {
    use connector_vault::{
        ChangeKind, Continuity, Op, Role, SignatureState, Source, Status, WarningCode,
    };

    use super::*;
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
        assert!(WORDS.contains(&line), "not in WORDS: {line}");
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
