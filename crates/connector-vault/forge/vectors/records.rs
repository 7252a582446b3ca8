//! Overviews and secrets that no writer seals (docs/format.md section 8).

use serde_json::{Value, json};

use super::Cases;
use crate::error::Code;
use crate::vault::forge::{NOW, Team, commit_of, forge_record, some_secrets};
use crate::vault::record::Text;

const SECRETS: &str = r#"{"properties":{"APIKey":"b"}}"#;

fn overview_of(team: &Team) -> Value {
    json!({
        "record_id": "01010101010101010101010101010101", "op": "update", "id": "x",
        "group": team.vault.header.groups[0].id, "name": "Name", "type": "Type", "version": 2, "at": NOW, "author": team.vault.access.grant,
        "properties": ["APIKey"],
    })
}

/// The whole file with an update behind it whose overview and secrets are these texts.
fn sealed(team: &mut Team, overview: &str, secrets: (&str, u64, &str)) -> Vec<u8> {
    let (id, version, text) = secrets;
    let secrets = (id, version, text.as_bytes());
    let record = team
        .vault
        .index
        .keys()
        .seal_text(&mut team.rng, overview.as_bytes(), secrets);
    [team.file.as_slice(), &commit_of(&team.vault, &[&record])].concat()
}

fn text(
    cases: &mut Cases,
    name: &'static str,
    rule: &str,
    code: Code,
    change: impl FnOnce(String) -> String,
) {
    let mut team = Team::solo();
    let overview = change(overview_of(&team).to_string());
    let file = sealed(&mut team, &overview, ("x", 2, SECRETS));
    cases.refused(name, rule, &team, file, code);
}

fn overview(cases: &mut Cases, name: &'static str, rule: &str, change: impl FnOnce(&mut Value)) {
    text(cases, name, rule, Code::Damaged, |text| {
        let mut overview = serde_json::from_str(&text).unwrap();
        change(&mut overview);
        overview.to_string()
    });
}

/// Secrets that are found out when they are read.
fn secrets(cases: &mut Cases, name: &'static str, rule: &str, sealed_as: (&str, u64, &str)) {
    let mut team = Team::solo();
    let overview = overview_of(&team).to_string();
    let file = sealed(&mut team, &overview, sealed_as);
    cases.opens(name, rule, &team, file);
}

pub(super) fn make(cases: &mut Cases) {
    kept_outcome(cases);
    forms(cases);
    contents(cases);
    all_secrets(cases);
}

fn kept_outcome(cases: &mut Cases) {
    let mut team = Team::solo();
    let mut overview = overview_of(&team);
    overview["request_id"] = "r-1".into();
    let secrets = json!({
        "properties": {"APIKey": "b"},
        "request": {"digest": "00".repeat(32), "outcome": {
            "changes": [{"name": "APIKey", "change": "unheard_of", "more": 1}],
            "warnings": [{"code": "unheard_of", "message": "", "more": 1}],
            "more": {},
        }},
    });
    let file = sealed(
        &mut team,
        &overview.to_string(),
        ("x", 2, &secrets.to_string()),
    );
    cases.opens(
        "accepted-outcome-of-later-times",
        "a reader ignores names and words of a kept outcome that it does not know",
        &team,
        file,
    );
}

fn forms(cases: &mut Cases) {
    let mut team = Team::solo();
    let overview_text = format!("{}      ", overview_of(&team));
    let file = sealed(
        &mut team,
        &overview_text,
        ("x", 2, &format!("{SECRETS}   ")),
    );
    cases.opens(
        "accepted-any-padding",
        "a reader takes any number of spaces behind the JSON",
        &team,
        file,
    );

    let mut team = Team::solo();
    let record = forge_record(&team.vault, &mut team.rng, |_| {}, some_secrets());
    let mut changed = record.clone();
    changed[40] ^= 1;
    let file = [team.file.as_slice(), &commit_of(&team.vault, &[&changed])].concat();
    cases.refused(
        "overview-does-not-open",
        "an overview opens under the epoch's overview key",
        &team,
        file,
        Code::UnauthorizedCommit,
    );
    let short = [&20u32.to_le_bytes()[..], &[7; 40]].concat();
    let file = [team.file.as_slice(), &commit_of(&team.vault, &[&short])].concat();
    cases.refused(
        "overview-shorter-than-a-seal",
        "what is sealed has at least 40 bytes",
        &team,
        file,
        Code::UnauthorizedCommit,
    );

    use Code::Damaged;
    text(
        cases,
        "overview-not-json",
        "an overview is JSON",
        Damaged,
        |text| text.replacen(',', ";", 1),
    );
    text(
        cases,
        "overview-text-behind",
        "only spaces stand behind an overview",
        Damaged,
        |text| format!("{text}{{}}"),
    );
    text(
        cases,
        "overview-not-an-object",
        "an overview is a JSON object",
        Damaged,
        |text| {
            let overview: Value = serde_json::from_str(&text).unwrap();
            let names = [
                "record_id",
                "op",
                "id",
                "name",
                "type",
                "version",
                "at",
                "author",
                "properties",
                "changed",
                "note",
                "request_id",
            ];
            serde_json::to_string(&names.map(|name| &overview[name])).unwrap()
        },
    );
    text(
        cases,
        "overview-name-twice",
        "a name stands once in an overview",
        Damaged,
        |text| text.replacen("\"op\"", "\"op\":\"update\",\"op\"", 1),
    );
    overview(
        cases,
        "overview-name-unknown",
        "an overview has no other names",
        |overview| overview["more"] = json!(0),
    );
    overview(
        cases,
        "overview-name-missing",
        "an overview has all names but the optional ones",
        |overview| {
            overview.as_object_mut().unwrap().remove("at");
        },
    );
    overview(
        cases,
        "overview-null-for-absent",
        "a value that is absent has no name",
        |overview| overview["note"] = Value::Null,
    );
    overview(
        cases,
        "overview-object-for-word",
        "a word is text",
        |overview| overview["op"] = json!({"update": null}),
    );
    text(
        cases,
        "overview-tab-behind",
        "only spaces stand behind an overview",
        Damaged,
        |text| format!("{text}\t"),
    );
    overview(
        cases,
        "overview-op-unknown",
        "an op is one of four",
        |overview| overview["op"] = json!("rename"),
    );
}

fn contents(cases: &mut Cases) {
    let mut set = |name, rule: &str, field: &str, value: Value| {
        overview(cases, name, rule, |overview| overview[field] = value);
    };
    set(
        "overview-id-empty",
        "a connector id is not empty",
        "id",
        json!(""),
    );
    set(
        "overview-id-too-long",
        "a connector id has at most 256 bytes",
        "id",
        json!("a".repeat(257)),
    );
    set(
        "overview-id-control-character",
        "a connector id holds no control character",
        "id",
        json!("x\u{1b}"),
    );
    set(
        "overview-connector-name-empty",
        "a connector's name is not empty",
        "name",
        json!(""),
    );
    set(
        "overview-connector-name-too-long",
        "a connector's name has at most 1,024 bytes",
        "name",
        json!("a".repeat(1025)),
    );
    set(
        "overview-type-control-character",
        "a connector's type holds no control character",
        "type",
        json!("a\nb"),
    );
    set(
        "overview-version-zero",
        "versions begin at 1",
        "version",
        json!(0),
    );
    set(
        "overview-version-over-limit",
        "a version is at most 2^53 - 1",
        "version",
        json!(1u64 << 53),
    );
    set(
        "overview-version-fraction",
        "a version is an integer",
        "version",
        json!(2.5),
    );
    set(
        "overview-time-invalid",
        "times have exactly one form",
        "at",
        json!("2026-11-23T20:15:00+01:00"),
    );
    set(
        "overview-record-id-short",
        "a record id has 16 bytes",
        "record_id",
        json!("01"),
    );
    set(
        "overview-note-empty",
        "a note is not empty",
        "note",
        json!(""),
    );
    set(
        "overview-note-too-long",
        "a note has at most 256 bytes",
        "note",
        json!("a".repeat(257)),
    );
    set(
        "overview-note-control-character",
        "a note holds no control character",
        "note",
        json!("a\u{9b}2J"),
    );
    set(
        "overview-request-id-too-long",
        "a request id has at most 256 bytes",
        "request_id",
        json!("a".repeat(257)),
    );
    set(
        "overview-request-id-control-character",
        "a request id holds no control character",
        "request_id",
        json!("a\rb"),
    );
    set(
        "overview-property-name-empty",
        "a property name is not empty",
        "properties",
        json!([""]),
    );
    set(
        "overview-property-name-too-long",
        "a property name has at most 256 bytes",
        "properties",
        json!(["a".repeat(257)]),
    );
    let many: Vec<String> = (0..1025).map(|index| format!("{index}")).collect();
    set(
        "overview-too-many-properties",
        "a connector has at most 1,024 properties",
        "properties",
        json!(many),
    );
    set(
        "overview-changed-name-empty",
        "a changed name is a property name",
        "changed",
        json!([""]),
    );
}

fn all_secrets(cases: &mut Cases) {
    secrets(
        cases,
        "secrets-of-another-connector",
        "secrets are bound to their connector",
        ("y", 2, SECRETS),
    );
    secrets(
        cases,
        "secrets-of-another-version",
        "secrets are bound to their version",
        ("x", 1, SECRETS),
    );
    secrets(cases, "secrets-not-json", "secrets are JSON", ("x", 2, "{"));
    secrets(
        cases,
        "secrets-not-an-object",
        "secrets are a JSON object",
        ("x", 2, r#"[{"APIKey":"b"}]"#),
    );
    secrets(
        cases,
        "secrets-name-unknown",
        "secrets have no other names",
        ("x", 2, r#"{"properties":{"APIKey":"b"},"more":0}"#),
    );
    secrets(
        cases,
        "secrets-null-for-absent",
        "a value that is absent has no name",
        ("x", 2, r#"{"properties":{"APIKey":"b"},"request":null}"#),
    );
    secrets(
        cases,
        "secrets-array-for-object",
        "an object is no array of its values",
        (
            "x",
            2,
            r#"{"properties":{"APIKey":"b"},"request":["00",{"changes":[]}]}"#,
        ),
    );
    secrets(
        cases,
        "secrets-line-feed-behind",
        "only spaces stand behind secrets",
        ("x", 2, "{\"properties\":{\"APIKey\":\"b\"}}\n"),
    );
    secrets(
        cases,
        "secrets-property-twice",
        "a property stands once",
        ("x", 2, r#"{"properties":{"APIKey":"b","APIKey":"c"}}"#),
    );
    secrets(
        cases,
        "secrets-value-not-text",
        "values are text",
        ("x", 2, r#"{"properties":{"APIKey":1}}"#),
    );

    let mut team = Team::solo();
    let file = team.with_forged(
        "ops",
        |overview| overview.properties = vec![Text("Other".into())],
        some_secrets(),
    );
    cases.opens(
        "names-mismatch",
        "an overview lists the names that its secrets hold",
        &team,
        file,
    );
    let mut team = Team::solo();
    let mut overview = overview_of(&team);
    overview["properties"] = json!(["A", "B"]);
    let two = r#"{"properties":{"B":"b","A":"a"}}"#;
    let file = sealed(&mut team, &overview.to_string(), ("x", 2, two));
    cases.opens(
        "names-mismatch-order",
        "an overview lists the names of its secrets in their order",
        &team,
        file,
    );
}
