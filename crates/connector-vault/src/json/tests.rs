//! Tests of the parser: by hand, and against serde_json.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use proptest::prelude::*;

use super::*;
use crate::error::Code;

/// Tokens as `[name]`, and one that ends in a quoted bracket.
fn template() -> Syntax {
    Syntax::template(|text| {
        let len = text
            .find("\"]\")]")
            .map(|at| at + 5)
            .or(text.find(']').map(|at| at + 1));
        Ok(len.filter(|len| !text[..*len].contains([',', ' ', '{'])))
    })
}

/// The compact text, or the code of the error.
fn check(text: &str, syntax: Syntax, expected: Result<&str, Code>) {
    let got = parse(text, syntax).map(|value| value.to_compact().to_string());
    let got = got.as_deref().map_err(|error| error.code());
    assert_eq!(got, expected, "{text}");
}

#[test]
fn a_token_or_an_array() {
    let check_template = |text, expected| check(text, template(), expected);
    check_template("[Count]", Ok("[Count]"));
    check_template("[ Count]", Err(Code::InvalidJson));
    check_template("[true ,1]", Ok("[true,1]"));
    check_template("[true=1]", Ok("[true=1]"));
    check_template("[[a],[true]]", Ok("[[a],[true]]"));
    check_template("[a(b=\"]\")]", Ok("[a(b=\"]\")]"));
    check_template("[a,b]", Err(Code::InvalidJson));
    check_template("[true", Err(Code::InvalidJson));
    check("[Count]", Syntax::PROPERTIES, Err(Code::InvalidJson));
}

#[test]
fn strings_end_where_they_should() {
    let action = |text, expected| check(text, Syntax::ACTION, expected);
    action(r#""\\""#, Ok(r#""\\""#));
    action(r#""\"#, Err(Code::InvalidJson));
    action("\"\\é\"", Err(Code::InvalidJson));
    action(r#""\u12""#, Err(Code::InvalidJson));
    action(r#""\u+123""#, Err(Code::InvalidJson));
    action(r#""\ud800\u12""#, Err(Code::InvalidJson));
    action(r#""\ud800\"#, Err(Code::InvalidJson));
    action("\"\\\u{1}\"", Err(Code::InvalidJson));
}

#[test]
fn numbers() {
    for good in ["0", "-0", "10", "0.0", "1e5", "1E+05", "-1.25e-7"] {
        check(good, Syntax::ACTION, Ok(good));
    }
    for bad in ["-", "+1", "1.", "1e", ".5", "1e+", "- 1"] {
        check(bad, Syntax::ACTION, Err(Code::InvalidJson));
    }
    check("01", Syntax::ACTION, Err(Code::TrailingText));
}

#[test]
fn positions_count_characters() {
    let error = parse("{\n \"é\": é}", Syntax::ACTION).err().unwrap();
    assert_eq!(error.message(), "expected a JSON value at line 2 column 7");
}

#[test]
fn names_within_values_are_not_quoted() {
    let text = r#"{"a": {"hidden": 1, "hidden": 2}}"#;
    let error = parse(text, Syntax::PROPERTIES).err().unwrap();
    assert_eq!(error.code(), Code::DuplicateName);
    assert!(!error.message().contains("hidden"));
}

#[test]
fn depth_is_bounded_for_all_openers() {
    for opener in ["[", "{\"a\":", "[[a],"] {
        let text = opener.repeat(100_000);
        let error = parse(&text, template()).err().unwrap();
        assert_eq!(error.code(), Code::JsonTooDeep);
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = parse(&text, template());
    }

    /// serde_json is the second opinion; it lets duplicates pass and numbers overflow.
    #[test]
    fn agrees_with_serde_json(text in r#"([\[\]{}":,]|"[ab]"|[0-9eE.+-]|null|true|\\u[d0][8c]00|[ \n\\"]){0,24}"#) {
        let ours = parse(&text, Syntax::ACTION);
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        match (ours, theirs) {
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range")),
            (Err(error), Ok(_)) => prop_assert_eq!(error.code(), Code::DuplicateName),
            _ => {}
        }
    }

    #[test]
    fn compact_text_is_a_fixed_point(text in r#"[\[{](\{"[ab\\n]":|[0-9]|,|"[^"\\]"|\]|\}|true| ){0,16}"#) {
        if let Ok(value) = parse(&text, Syntax::ACTION) {
            let compact = value.to_compact();
            let again = parse(&compact, Syntax::ACTION).unwrap().to_compact();
            prop_assert_eq!(compact, again);
        }
    }

    #[test]
    fn any_string_survives(text in any::<String>()) {
        let json = Value::String(Text::new(text.clone())).to_compact();
        prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text.clone());
        match parse(&json, Syntax::ACTION).unwrap() {
            Value::String(parsed) => prop_assert_eq!(parsed.as_str(), text),
            other => prop_assert!(false, "{}", other.kind()),
        }
    }
}
