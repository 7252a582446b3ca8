//! What is read and written, beside serde_json.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{elements, from_str, to_text};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Create,
    ReadOnly,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    word: Word,
    count: u64,
    small: Option<u32>,
    flag: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inner: Vec<Inner>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    text: String,
}

fn check(text: &str, expected: Result<u64, &str>) {
    let found = from_str::<u64>(text).map_err(|error| error.to_string());
    assert_eq!(found, expected.map_err(str::to_owned), "{text}");
}

#[test]
fn numbers() {
    check("0", Ok(0));
    check(" 18446744073709551615\n", Ok(u64::MAX));
    check("18446744073709551616", Err("the number is too large"));
    for text in ["01", "-1", "1.0", "1e3", "", "\"1\"", "null", "x"] {
        check(text, Err("expected a whole number"));
    }
    check("1 2", Err("text after the end of the JSON"));
    assert!(from_str::<u32>("4294967296").is_err());
}

#[test]
fn strings() {
    let check = |text: &str, expected: Option<&str>| {
        let found = from_str::<String>(text).ok();
        assert_eq!(found.as_deref(), expected, "{text}");
    };
    check(r#""""#, Some(""));
    check(
        r#""caf\u00e9 \"\\\/\b\f\n\r\t""#,
        Some("caf\u{e9} \"\\/\u{8}\u{c}\n\r\t"),
    );
    check(r#""\ud83d\uDE00!""#, Some("\u{1f600}!"));
    for text in [
        "\"\u{1}\"",
        "\"a\\n\u{1}\"",
        r#""\x""#,
        r#""\u12"#,
        r#""\u+123""#,
        r#""\u12é4""#,
        r#""\ud83d""#,
        r#""\ud83d\u0041""#,
        r#""\ude00""#,
        r#""open"#,
        r#""open\"#,
        r#""open\""#,
        "'a'",
    ] {
        check(text, None);
    }
}

#[test]
fn structures_are_objects_with_each_field_once() {
    let good = r#"{ "text" : "a" }"#;
    assert!(from_str::<Inner>(good).is_ok());
    for text in [
        r#"["a"]"#,
        r#"{"text": "a",}"#,
        r#"{,"text": "a"}"#,
        r#"{"text": "a" "b": 1}"#,
        r#"{"text": "a", "text": "a"}"#,
        r#"{"text": null}"#,
        r#"{"text" "a"}"#,
        r#"{text: "a"}"#,
        r#"{"text": "a""#,
        "{}",
    ] {
        assert!(from_str::<Inner>(text).is_err(), "{text}");
    }
    let error = from_str::<Row<'_>>(r#"{"nme": 1}"#).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.position()),
        ("unknown field \"nme\"", 7)
    );
}

#[test]
fn what_is_ignored_is_json_too() {
    let ignores = |value: &str| from_str::<Inner>(&format!(r#"{{"text": "", "other": {value}}}"#));
    for value in ["null", "-1.5e+3", r#"[[], {"a": [true, false]}, "x\n"]"#] {
        assert!(ignores(value).is_ok(), "{value}");
    }
    for value in [
        "nul", "-", "1.", "01", "1e", "[1,]", "{1: 2}", "", "\"\\x\"", "+1",
    ] {
        assert!(ignores(value).is_err(), "{value}");
    }
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert!(ignores(&nested(100)).is_ok());
    assert!(ignores(&nested(100_000)).is_err());
}

#[test]
fn elements_are_as_they_are_written() {
    assert_eq!(
        elements(r#" [ {"a": 1 } ,"b", 1.50] "#).unwrap(),
        [r#"{"a": 1 }"#, "\"b\"", "1.50"]
    );
    assert!(elements("[]").unwrap().is_empty());
    for text in ["{}", "[1", "[1,]", "[1] 2", "[1 2]"] {
        assert!(elements(text).is_err(), "{text}");
    }
}

#[test]
fn what_a_format_has_no_use_for_is_refused() {
    assert!(to_text(&1.5).is_err());
    assert!(to_text(&-1).is_err());
    assert!(from_str::<f64>("1.5").is_err());
    assert!(from_str::<(u64, u64)>("[1, 2]").is_err());
}

proptest! {
    /// serde_json reads what is written, and writes what is read.
    #[test]
    fn as_serde_json(
        name in ".*", word in 0..2usize, count: u64, small: Option<u32>, flag: bool, texts in vec(".*", 0..3),
    ) {
        let inner = texts.into_iter().map(|text| Inner { text }).collect();
        let word = [Word::Create, Word::ReadOnly][word];
        let row = Row { name: name.into(), word, count, small, flag, inner };
        let text = to_text(&row).unwrap();
        prop_assert_eq!(text.as_str(), serde_json::to_string(&row).unwrap());
        prop_assert_eq!(&from_str::<Row<'_>>(&text).unwrap(), &row);
        let pretty = serde_json::to_string_pretty(&row).unwrap();
        prop_assert_eq!(&from_str::<Row<'_>>(&pretty).unwrap(), &row);
    }

    /// Nothing panics, and nothing is taken that serde_json would not take.
    #[test]
    fn no_less_strict_than_serde_json(text in r#"[\[\]{}:,"\\a-f0-9u .truefalsn-]{0,24}"#) {
        if let Ok(read) = from_str::<Vec<String>>(&text) {
            prop_assert_eq!(read, serde_json::from_str::<Vec<String>>(&text).unwrap());
        }
        if elements(&text).is_ok() {
            prop_assert!(serde_json::from_str::<Vec<serde_json::Value>>(&text).is_ok());
        }
    }
}
