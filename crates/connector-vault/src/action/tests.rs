//! Tests of actions that no vector can state: sizes, redaction, digests and laws.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::error::Code;
use crate::limits;
use crate::secret::Secret;

fn update(grid: &[(&str, &str)], json: &str) -> String {
    let grid: Vec<_> = grid
        .iter()
        .map(|(name, value)| json!({"PropertyName": name, "PropertyValue": value}))
        .collect();
    let parameters = json!({"EntryId": "x", "Properties": grid, "PropertiesJson": json});
    json!({"ActionType": "Connectors.Update", "Parameters": parameters}).to_string()
}

fn tokens(list: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), Secret::new(*value).unwrap()))
        .collect()
}

/// What an update writes, its id resolved first.
fn resolve_with(action: &Action, list: &[(&str, &str)], options: &Options) -> Result<Changes> {
    let mut tokens = tokens(list);
    let mut resolver = Resolver::new(&mut tokens, options);
    if let Content::Update { entry_id, sources } = &action.content {
        resolver.entry_id(entry_id)?;
        resolver.sources(sources)?;
    }
    Ok(resolver.finish())
}

fn resolve(text: &str, list: &[(&str, &str)]) -> Result<Changes> {
    resolve_with(&Action::parse(text)?, list, &Options::default())
}

fn writes(changes: &Changes) -> Vec<(String, String)> {
    let writes = changes.writes.iter();
    writes
        .map(|w| {
            let value = w.value.as_ref().map_or("", Secret::expose);
            (w.name.as_str().to_owned(), value.to_owned())
        })
        .collect()
}

#[test]
fn sizes_are_bounded() {
    let code = |text: &str| Action::parse(text).unwrap_err().code();
    assert_eq!(
        code(&" ".repeat(limits::ACTION_LEN_MAX + 1)),
        Code::ActionTooLarge
    );
    assert_eq!(code(&" ".repeat(limits::ACTION_LEN_MAX)), Code::InvalidJson);
    let large = "v".repeat(limits::PROPERTY_VALUE_LEN_MAX + 1);
    let error = resolve(&update(&[("V", &large)], ""), &[]).err().unwrap();
    assert_eq!(error.code(), Code::ValueTooLarge);
    assert!(error.message().starts_with("property \"V\": "), "{error}");
}

#[test]
fn lists_tokens_of_every_place() {
    let text = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "[Id]",
        "Properties": [{"PropertyName": "[N]", "PropertyValue": "[V=1]"}],
        "PropertiesJson": "{\"[K]\": [J], \"a\": [\"[S(p=1)]\", {\"[Id]\": 1}]}"}}"#;
    let list = Action::parse(text).unwrap().tokens().unwrap();
    let keys: Vec<_> = list.iter().map(|t| (t.key.as_str(), t.required)).collect();
    let expected = [
        ("Id", true),
        ("N", true),
        ("V", false),
        ("K", true),
        ("J", true),
        ("S(p=1)", true),
    ];
    assert_eq!(keys, expected);
}

#[test]
fn debug_is_redacted() {
    let text = update(&[("V", "hidden")], "{\"W\": \"hidden\"}");
    let action = Action::parse(&text).unwrap();
    assert_eq!(format!("{action:?}"), "Action(Connectors.Update, ..)");
}

#[test]
fn lists_tokens_of_a_batch() {
    let list = |actions: serde_json::Value| {
        let text = json!({"ActionType": "ExecuteActions", "Parameters": {"ActionList": actions}});
        let infos = Action::parse(&text.to_string()).unwrap().tokens().unwrap();
        infos.into_iter().map(|info| info.key).collect::<Vec<_>>()
    };
    let add = |name: &str| {
        json!({"ActionType": "CredStore.AddConnectorEntry",
            "Parameters": {"TypeName": "[T]", "EntryName": "N", "EntryIdTokenName": name}})
    };
    let delete =
        |id: &str| json!({"ActionType": "CredStore.DeleteEntry", "Parameters": {"EntryId": id}});
    let test = json!({"ActionType": "Connectors.Test",
        "Parameters": {"EntryId": "x", "OutputTokenName": "R"}});
    // An earlier action sets it, whether its name stands in brackets or not.
    assert_eq!(list(json!([add("Id"), delete("[Id]")])), ["T"]);
    assert_eq!(list(json!([add("[Id]"), delete("[Id]")])), ["T"]);
    assert_eq!(list(json!([delete("[Id]"), add("Id")])), ["Id", "T"]);
    assert_eq!(
        list(json!([test, delete("[R:IsSuccess]"), delete("[R]")])),
        ["R"]
    );
}

#[test]
fn digest_parts_tell_requests_apart() {
    let with = |grid: &[(&str, &str)], json: &str, options: &Options| {
        let action = Action::parse(&update(grid, json)).unwrap();
        action.digest_parts(options, None).to_vec()
    };
    let parts = |grid: &[(&str, &str)], json: &str| with(grid, json, &Options::default());
    let removing = Options {
        null: Null::Remove,
        ..Options::default()
    };
    let noting = |note: &str| Options {
        note: Some(Note::new(note).unwrap()),
        ..Options::default()
    };
    let all = [
        parts(&[], ""),
        parts(&[], "{}"),
        parts(&[("A", "")], ""),
        parts(&[("A", "-")], ""),
        parts(&[("A", "[T]")], ""),
        parts(&[("A", "B"), ("B", "")], ""),
        parts(&[("AB", ""), ("B", "")], ""),
        parts(&[("A", "1")], "{}"),
        with(&[], "", &removing),
        with(&[], "", &noting("a")),
        with(&[], "", &noting("b")),
    ];
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
    assert!(all[0].starts_with(b"\x11\0\0\0Connectors.Update\x01\0\0\0x"));
    // The envelope and wrappers are not what a request says.
    let bare = parts(&[("A", "1")], "");
    let text = update(&[("A", "1")], "").replace(
        "\"x\"",
        r#"{"Expression": "", "Value": "x", "IsExpression": false}"#,
    );
    let wrapped = text.replacen('{', r#"{"Title": "T", "$_uid": 5, "#, 1);
    let wrapped = Action::parse(&wrapped).unwrap();
    assert_eq!(*wrapped.digest_parts(&Options::default(), None), bare);
}

#[test]
fn options_are_checked() {
    assert!(RequestId::new("a".repeat(256)).is_ok());
    for bad in [String::new(), "a".repeat(257), "a\nb".to_owned()] {
        assert_eq!(
            RequestId::new(bad.clone()).unwrap_err().code(),
            Code::InvalidArgument
        );
        assert_eq!(Note::new(bad).unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn problems_are_told_at_once() {
    let check = |text: &str, expected: &[(&str, &str)]| {
        let problems = Action::problems(text);
        let found: Vec<_> = problems
            .iter()
            .map(|problem| (problem.code().as_str(), place_of(problem)))
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|(code, at)| (*code, at.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
        let first = Action::parse(text).and_then(|action| action.tokens()).err();
        let first = first.map(|error| (error.code(), error.message().to_owned()));
        let told = problems.first();
        let told = told.map(|error| (error.code(), error.message().to_owned()));
        assert_eq!(first, told, "{text}");
    };
    let parameters = |action_type: &str, parameters: serde_json::Value| {
        json!({"ActionType": action_type, "Parameters": parameters}).to_string()
    };
    check(
        &update(&[("a", "[Secrets:Key]")], r#"{"b": [Flow:B]}"#),
        &[],
    );
    check("{", &[("invalid_json", "1:2")]);
    check("[]", &[("not_an_object", "")]);
    check(
        r#"{"Typo": 1, "Condition": 1, "ActionType": "x", "Parameters": 1, "IsDeleted": 1}"#,
        &[
            ("wrong_parameter_type", ""),
            ("unknown_parameter", ""),
            ("wrong_parameter_type", ""),
            ("unknown_action_type", ""),
            ("wrong_parameter_type", ""),
        ],
    );
    check(
        &parameters(
            "Connectors.Update",
            json!({
                "EntryID": "x",
                "Properties": [
                    {"PropertyName": "a", "PropertyValue": "1"},
                    {"PropertyName": ""},
                    {"PropertyName": "[b|none]", "PropertyValue": "[c|none]"},
                    7,
                    {"Name": "d", "PropertyName": 1, "PropertyValue": {}},
                ],
                "PropertiesJson": "{\n  \"a\": 1,\n}",
            }),
        ),
        &[
            ("unknown_parameter", ""),
            ("missing_parameter", "EntryId"),
            ("empty_property_name", "Properties 2"),
            ("missing_property_value", "Properties 2"),
            ("wrong_parameter_type", "Properties 4"),
            ("unknown_parameter", "Properties 5"),
            ("wrong_parameter_type", "Properties 5"),
            ("wrong_parameter_type", "Properties 5"),
            ("invalid_json", "PropertiesJson 3:1"),
            ("invalid_token_format", "Properties 3"),
            ("invalid_token_format", "Properties 3"),
        ],
    );
    check(
        &update(&[], r#"{"a": "[b|none]", "[c|none]": [["[d|none]"]]}"#),
        &[
            ("invalid_token_format", "PropertiesJson 1:2"),
            ("invalid_token_format", "PropertiesJson 1:19"),
            ("invalid_token_format", "PropertiesJson 1:19"),
        ],
    );
    check(
        &parameters(
            "CredStore.AddConnectorEntry",
            json!({"TypeName": 1, "Properties": 1, "PropertiesJson": {}, "EntryIdTokenName": 1}),
        ),
        &[
            ("wrong_parameter_type", "TypeName"),
            ("missing_parameter", "EntryName"),
            ("wrong_parameter_type", "Properties"),
            ("properties_json_not_text", "PropertiesJson"),
            ("wrong_parameter_type", "EntryIdTokenName"),
        ],
    );
    check(
        &parameters(
            "ExecuteActions",
            json!({"ActionList": [
                {"ActionType": "CredStore.DeleteEntry"},
                1,
                {"IsDeleted": true, "Parameters": 1},
                {"ActionType": "ExecuteActions"},
                {
                    "ActionType": "Connectors.Test",
                    "Parameters": {"EntryId": "[a|none]", "OutputTokenName": "[b|none] c"},
                },
            ]}),
        ),
        &[
            ("missing_parameter", "action 1 EntryId"),
            ("not_an_object", "action 2"),
            ("unknown_action_type", "action 4"),
            ("invalid_token_format", "action 5 EntryId"),
            ("invalid_token_format", "action 5 OutputTokenName"),
        ],
    );
}

/// `action 2 Properties 3 1:9`, as far as there is such a place.
fn place_of(error: &Error) -> String {
    let place = error.place().unwrap_or_default();
    let parts = [
        place.action.map(|number| format!("action {number}")),
        place.parameter.map(str::to_owned),
        place.row.map(|row| row.to_string()),
        place
            .position
            .map(|at| format!("{}:{}", at.line, at.column)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[test]
fn only_so_many_problems_are_told() {
    let rows = vec![json!({}); 60];
    let parameters = json!({"EntryId": "x", "Properties": rows, "PropertiesJson": "{"});
    let text = json!({"ActionType": "Connectors.Update", "Parameters": parameters}).to_string();
    let problems = Action::problems(&text);
    assert_eq!(problems.len(), limits::PROBLEMS_MAX);
    let last = problems.last().and_then(|problem| problem.place()?.row);
    assert_eq!(last, Some(25), "two in each row");
}

#[test]
fn errors_tell_their_place() {
    let check = |text: &str, expected: (Option<&str>, Option<usize>, Option<(usize, usize)>)| {
        let listed = Action::parse(text).and_then(|action| action.tokens().map(|_| action));
        let error = listed
            .and_then(|action| resolve_with(&action, &[("t", "t")], &Options::default()))
            .err()
            .unwrap();
        let place = error.place().unwrap_or_default();
        let position = place.position.map(|at| (at.line, at.column));
        let found = (place.parameter, place.row, position);
        assert_eq!(found, expected, "{text}: {error}");
    };
    let json = Some("PropertiesJson");
    check("{\n  nonsense", (None, None, Some((2, 3))));
    check(
        &update(&[], "{\"A\":\n \"\u{fc}\" 1}"),
        (json, None, Some((2, 6))),
    );
    check(
        &update(&[], r#"{"A": 1, "A": 2}"#),
        (json, None, Some((1, 10))),
    );
    check(
        &update(&[], r#"{"A": 1, "": 2}"#),
        (json, None, Some((1, 10))),
    );
    check(
        &update(&[], r#"{"A": 1, "B": null}"#),
        (json, None, Some((1, 10))),
    );
    check(
        &update(&[], r#"{"A": 1, "B": [none]}"#),
        (json, None, Some((1, 10))),
    );
    check(
        &update(&[], r#"{"A": 1, "B": [t]}"#),
        (json, None, Some((1, 10))),
    );
    check(
        &update(&[], r#"{"t": 1, "[t]": 2}"#),
        (json, None, Some((1, 10))),
    );
    check(&update(&[], " [none]"), (json, None, None));
    check(&update(&[], "[1]"), (json, None, None));
    let deep = "[a=".repeat(20);
    check(
        &update(&[], &format!("{{\"A\": {deep}}}")),
        (json, None, Some((1, 7))),
    );
    let grid = Some("Properties");
    check(&update(&[("A", "1"), ("", "2")], ""), (grid, Some(2), None));
    check(
        &update(&[("A", "1"), ("B", "[none]")], ""),
        (grid, Some(2), None),
    );
    check(&update(&[("A", &deep)], ""), (grid, Some(1), None));
    let with = |id: &str| update(&[], "").replace("\"x\"", &format!("\"{id}\""));
    check(&with(""), (Some("EntryId"), None, None));
    check(&with("[none]"), (Some("EntryId"), None, None));
    check(&with(&deep), (Some("EntryId"), None, None));
}

#[test]
fn warning_codes_are_stable() {
    for code in WarningCode::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}

proptest! {
    #[test]
    fn no_document_panics(text in any::<String>()) {
        let _ = Action::parse(&text);
    }

    #[test]
    fn no_properties_json_panics(json in r#"[\[{]?([\[\]{}":,a1=|(]|"a":|\[a\]|\{0\}|\\|&#91;){0,24}"#, value in any::<String>()) {
        let text = update(&[("[a]", &json)], &json);
        if let Ok(action) = Action::parse(&text) {
            let _ = action.tokens();
            let _ = resolve_with(&action, &[("a", &value)], &Options::default());
        }
    }

    /// Whatever a token resolves to, it stays the value of the property that it stands for.
    #[test]
    fn a_value_writes_only_its_property(value in r#"([\[\]{}":,]|"B"|\[T\]|&#91;|[ -~]){1,16}"#) {
        let text = update(&[("G", "[T]")], r#"{"A": "<[T]>", "N": {"k": "[T]"}, "L": "1"}"#);
        let request = resolve(&text, &[("T", &value)]).unwrap();
        let inner = serde_json::json!({"k": value}).to_string();
        let expected = [("G", value.clone()), ("A", format!("<{value}>")), ("N", inner), ("L", "1".into())]
            .map(|(name, value)| (name.to_owned(), value));
        prop_assert_eq!(writes(&request), expected);
    }

    #[test]
    fn a_json_value_writes_only_its_property(value in r#"([\[\]{}":,]|"B"|1|true| ){0,12}"#) {
        let text = update(&[], r#"{"A": [T], "L": "1"}"#);
        match resolve(&text, &[("T", &value)]) {
            Ok(request) => {
                let written = writes(&request);
                let names: Vec<_> = written.iter().map(|(name, _)| name.as_str()).collect();
                prop_assert_eq!(names, ["A", "L"]);
            }
            Err(error) => {
                let expected = match value.trim() {
                    "\"\"" => Code::EmptyValue,
                    _ => Code::TokenNotJson,
                };
                prop_assert_eq!(error.code(), expected);
            }
        }
    }

    #[test]
    fn errors_hold_no_value(value in "s3cret[a-z]{4}") {
        for text in [
            update(&[("V", "[T] [Missing]")], ""),
            update(&[("V", "[Missing(a=[T])]")], ""),
            update(&[], r#"{"A": [T]}"#),
            update(&[], "[T]"),
        ] {
            let error = resolve(&text, &[("T", &value)]).err().unwrap();
            let told = format!("{error:?} {:?}", error.hint());
            prop_assert!(!told.contains(&value));
        }
    }
}
