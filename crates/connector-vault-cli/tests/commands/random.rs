//! Values that nobody has seen: `generate`, `add --set-random`, `run --token-random`.

use serde_json::Value;

use crate::support::{Ran, Sandbox, cvault, folder, ran, ran_with, twitter};

fn value(sandbox: &Sandbox, id: &str, name: &str) -> String {
    sandbox.run(["get", "v.cvault", id, name]).text().to_owned()
}

fn add(sandbox: &Sandbox, more: &[&str]) -> Ran {
    let add = [
        "add", "v.cvault", "--id", "x", "--name", "N", "--type", "T", "--json",
    ];
    ran(sandbox.cvault(add).args(more))
}

#[track_caller]
fn check(value: &str, len: usize, is_of: fn(&char) -> bool) {
    assert_eq!(value.chars().count(), len);
    assert!(value.chars().all(|c| is_of(&c)), "{value}");
}

#[test]
fn add_sets_random_values() {
    let sandbox = Sandbox::new();
    let random = ["A", "B=24", "C=40:hex", "D=26:printable", "E=70:ab="];
    let more = random.map(|text| ["--set-random", text]);
    let made = add(&sandbox, more.as_flattened());
    assert_eq!(made.json()["status"], "created");
    for (name, len, is_of) in [
        ("A", 32, char::is_ascii_alphanumeric as fn(&char) -> bool),
        ("B", 24, char::is_ascii_alphanumeric),
        ("C", 40, |c| matches!(c, '0'..='9' | 'a'..='f')),
        ("D", 26, char::is_ascii_graphic),
        ("E", 70, |c| "ab=".contains(*c)),
    ] {
        let value = value(&sandbox, "x", name);
        check(&value, len, is_of);
        assert!(!made.stdout.contains(&value) && !made.stderr.contains(&value));
    }
}

#[test]
fn add_refuses_what_is_no_recipe() {
    let sandbox = Sandbox::new();
    for wrong in [
        "A=",
        "A=0",
        "A=4097",
        "A=x",
        "A=hunter2-s3cret",
        "A=8:",
        "A=8:a",
        "A=8:alnumm",
        "=8",
        "",
    ] {
        let refused = add(&sandbox, &["--set-random", wrong]);
        assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
        let code = if wrong.is_empty() { 1 } else { 2 };
        assert_eq!(refused.code, code, "{refused:?}");
    }
    let twice = add(&sandbox, &["--set-random", "A", "--set-random", "A=9"]);
    assert_eq!(twice.error(2)["code"], "usage");
}

/// The value is stored, and whoever runs the action never sees it.
#[test]
fn a_password_is_rotated_without_anybody_having_seen_it() {
    let sandbox = twitter();
    let action = r#"{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "twitterConnectorId",
        "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[Secrets:New]"}],
        "PropertiesJson": "{\"Copy\": \"<[Secrets:New]>\", \"Pin\": \"[Pin(of=card)]\"}"}}"#;
    let run = |more: &[&str]| {
        let mut run = sandbox.cvault(["run", "v.cvault", "-", "--json"]);
        run.args([
            "--token-random",
            "Secrets:New",
            "--token-random",
            "Pin(of=card)=30:digits",
        ]);
        ran_with(run.args(more), action)
    };
    assert_eq!(run(&["--plan"]).json()["status"], "planned");
    let first = run(&[]);
    assert_eq!(first.json()["status"], "updated");
    let key = value(&sandbox, "twitterConnectorId", "APIKey");
    check(&key, 32, char::is_ascii_alphanumeric);
    assert_eq!(
        value(&sandbox, "twitterConnectorId", "Copy"),
        format!("<{key}>")
    );
    check(
        &value(&sandbox, "twitterConnectorId", "Pin"),
        30,
        char::is_ascii_digit,
    );
    assert!(!first.stdout.contains(&key), "{first:?}");
    assert_eq!(run(&[]).json()["version_after"], 3);
    assert_ne!(value(&sandbox, "twitterConnectorId", "APIKey"), key);

    let refused = run(&["--token", "Secrets:New=x"]);
    assert_eq!(refused.error(2)["code"], "usage");
    let refused = run(&["--token-random", "Other=hunter2-s3cret"]);
    assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
    assert_eq!(refused.error(2)["code"], "usage");
}

#[test]
fn generate_prints_a_value() {
    let dir = folder();
    let generate = |more: &[&str]| ran(cvault(dir.path(), ["generate"]).args(more));
    let (one, two) = (generate(&[]), generate(&[]));
    assert_ne!(one.text(), two.text());
    check(
        one.text().strip_suffix('\n').unwrap(),
        32,
        char::is_ascii_alphanumeric,
    );
    let hex = generate(&["64:hex", "--json"]).json();
    check(hex["value"].as_str().unwrap(), 64, char::is_ascii_hexdigit);
    let longest = generate(&["4096:printable"]);
    assert_eq!(longest.text().len(), 4097);
    let refused = generate(&["hunter2-s3cret", "--json"]);
    assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
    assert_eq!(refused.error(2)["code"], "usage");
}

/// Where the alphabet is a mistyped name, say.
#[test]
fn a_value_that_can_be_tried_out_is_warned_of() {
    let dir = folder();
    for (recipe, warns) in [
        ("13", true),
        ("14", false),
        ("6:digits", true),
        ("20:hex", false),
        ("19:hex", true),
    ] {
        let made = ran(&mut cvault(dir.path(), ["generate", recipe, "--json"]));
        let document: Value = serde_json::from_str(&made.stdout).unwrap();
        assert!(document["value"].is_string());
        let expected: &[&str] = if warns { &["weak_value"] } else { &[] };
        assert_eq!(made.warned(), expected, "{recipe}");
    }
}
