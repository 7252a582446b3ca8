//! Overviews and secrets that no writer seals (docs/format.md section 8).

use serde_json::{Value, json};

use super::Cases;
use super::files::VaultVector;
use crate::action::Options;
use crate::connector::{NewConnector, Op};
use crate::error::Code;
use crate::vault::forge::{
    Changes, NOW, Team, commit_of, forge_record, hash_of, newest, seal_texts, some_secrets,
};
use crate::vault::index::{Entry, Face, Hint, Tag};
use crate::vault::record::Text;

const SECRETS: &str = r#"{"properties":{"APIKey":"b"}}"#;

/// The overview of an update of `x` whose secrets have this text.
fn overview_of(team: &Team, secrets: &str) -> Value {
    json!({
        "id": "x", "group": team.vault.header.groups[0].id, "name": "Name", "type": "Type", "version": 2, "op": "update",
        "author": team.vault.access.grant, "at": NOW, "created_at": NOW,
        "properties": ["APIKey"], "secrets_hash": hash_of(secrets),
    })
}

/// The whole file with an update behind it whose overview and secrets are these texts.
fn sealed(team: &mut Team, overview: &str, secrets: Option<(&str, u64, &str)>) -> Vec<u8> {
    let (id, version, text) = secrets.unwrap_or(("x", 2, ""));
    let text = secrets.map(|_| text.as_bytes());
    let record = seal_texts(
        &team.vault,
        &mut team.rng,
        overview.as_bytes(),
        text,
        (id, version),
    );
    [team.file.as_slice(), &commit_of(&team.vault, &[&record])].concat()
}

fn text(cases: &mut Cases, name: &'static str, rule: &str, change: impl FnOnce(String) -> String) {
    let mut team = Team::solo();
    let overview = change(overview_of(&team, SECRETS).to_string());
    let file = sealed(&mut team, &overview, Some(("x", 2, SECRETS)));
    reads_false(cases, name, rule, &team, file);
}

fn overview(cases: &mut Cases, name: &'static str, rule: &str, change: impl FnOnce(&mut Value)) {
    text(cases, name, rule, |text| {
        let mut overview = serde_json::from_str(&text).unwrap();
        change(&mut overview);
        overview.to_string()
    });
}

/// Secrets that are found out when they are read.
fn secrets(cases: &mut Cases, name: &'static str, rule: &str, sealed_as: (&str, u64, &str)) {
    let mut team = Team::solo();
    let overview = overview_of(&team, sealed_as.2).to_string();
    let file = sealed(&mut team, &overview, Some(sealed_as));
    reads_false(cases, name, rule, &team, file);
}

/// A file that opens, and whose connector `x` is false.
fn reads_false<'c>(
    cases: &'c mut Cases,
    name: &'static str,
    rule: &str,
    team: &Team,
    file: Vec<u8>,
) -> &'c mut VaultVector {
    reads(cases, name, rule, team, file, Code::FalseRecord)
}

/// A file that opens, and whose connector `x` does not read.
fn reads<'c>(
    cases: &'c mut Cases,
    name: &'static str,
    rule: &str,
    team: &Team,
    file: Vec<u8>,
    code: Code,
) -> &'c mut VaultVector {
    let vector = cases.opens(name, rule, team, file);
    let vault = vector
        .open()
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let found = vault.read("x").unwrap_err();
    assert_eq!(found.code(), code, "{name}: {found}");
    vector
}

pub(super) fn make(cases: &mut Cases) {
    open_structures(cases);
    forms(cases);
    contents(cases);
    ops(cases);
    ops_that_keep_values(cases);
    authors(cases);
    entries(cases);
    all_secrets(cases);
    names(cases);
    signatures(cases);
}

fn open_structures(cases: &mut Cases) {
    let mut team = Team::solo();
    let secrets = json!({
        "properties": {"APIKey": "b"},
        "outcome": {
            "changes": [{"name": "APIKey", "change": "unheard_of", "more": 1}],
            "warnings": [{"code": "unheard_of", "message": "", "more": 1}],
            "more": {},
        },
    });
    let secrets = secrets
        .to_string()
        .replace(r#""more":{}"#, r#""more":{},"more":[null]"#);
    let mut overview = overview_of(&team, &secrets);
    overview["request"] = json!({"id": "r-1", "mac": "00".repeat(32)});
    let file = sealed(&mut team, &overview.to_string(), Some(("x", 2, &secrets)));
    cases.opens(
        "accepted-outcome-of-later-times",
        "a reader ignores names and words of a kept outcome that it does not know",
        &team,
        file,
    );

    let mut team = Team::solo();
    let secrets = r#"{"properties":{"APIKey":"b"},"extra":{"a":1,"a":{"b" : [-0.5e3, null]}}}"#;
    let mut overview = overview_of(&team, secrets);
    overview["extra"] = json!({"x": "y".repeat(4096 - 8)});
    let file = sealed(&mut team, &overview.to_string(), Some(("x", 2, secrets)));
    cases.opens(
        "accepted-extra-of-a-record",
        "overview and secrets have a place for later additions, of any content",
        &team,
        file,
    );
    self::overview(
        cases,
        "overview-extra-too-long",
        "the extra of an overview has at most 4,096 bytes",
        |overview| overview["extra"] = json!({"x": "y".repeat(4096 - 7)}),
    );
    self::overview(
        cases,
        "overview-extra-not-an-object",
        "an extra is an object",
        |overview| overview["extra"] = json!([]),
    );
    let long = json!({"properties": {"APIKey": "b"}, "extra": {"x": "y".repeat(65_536 - 7)}});
    self::secrets(
        cases,
        "secrets-extra-too-long",
        "the extra of secrets has at most 65,536 bytes",
        ("x", 2, &long.to_string()),
    );

    let mut team = Team::alone();
    let new = NewConnector::new("x", "Name", "Type")
        .property("APIKey", "a")
        .meta("expires", "2027-01-31T00:00:00.000Z")
        .meta("description", "of billing")
        .meta("tags", "billing eu")
        .meta("n".repeat(64), "v".repeat(1024));
    let plan = team.vault.plan_create(&new, &Options::default());
    team.commit(plan.unwrap());
    team.update("x", "APIKey", "b");
    cases.opens(
        "accepted-meta",
        "a connector has meta, and times of its creation and of its values",
        &team,
        team.file.clone(),
    );
}

fn forms(cases: &mut Cases) {
    let mut team = Team::solo();
    let overview_text = format!("{}      ", overview_of(&team, SECRETS));
    let secrets = format!("{SECRETS}   ");
    let file = sealed(&mut team, &overview_text, Some(("x", 2, &secrets)));
    cases.opens(
        "accepted-any-padding",
        "a reader takes any number of spaces behind the JSON",
        &team,
        file,
    );

    let mut team = Team::solo();
    let mut record = forge_record(&team.vault, &mut team.rng, |_| {}, some_secrets());
    record.overview[40] ^= 1;
    record.refit();
    let file = [team.file.as_slice(), &commit_of(&team.vault, &[&record])].concat();
    reads_false(
        cases,
        "overview-does-not-open",
        "an overview opens under the key of its group",
        &team,
        file,
    );
    text(cases, "overview-not-json", "an overview is JSON", |text| {
        text.replacen(',', ";", 1)
    });
    text(
        cases,
        "overview-text-behind",
        "only spaces stand behind an overview",
        |text| format!("{text}{{}}"),
    );
    text(
        cases,
        "overview-space-before",
        "no space stands before an overview",
        |text| format!(" {text}"),
    );
    text(
        cases,
        "overview-tab-behind",
        "only spaces stand behind an overview",
        |text| format!("{text}\t"),
    );
    text(
        cases,
        "overview-not-an-object",
        "an overview is a JSON object",
        |text| {
            let overview: Value = serde_json::from_str(&text).unwrap();
            let members = overview.as_object().unwrap();
            serde_json::to_string(&members.values().collect::<Vec<_>>()).unwrap()
        },
    );
    text(
        cases,
        "overview-name-twice",
        "a name stands once in an overview",
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
        "overview-null-note",
        "a value that is absent has no name",
        |overview| overview["note"] = Value::Null,
    );
    overview(
        cases,
        "overview-object-for-word",
        "a word is text",
        |overview| overview["op"] = json!({"update": null}),
    );
    overview(
        cases,
        "overview-op-unknown",
        "an op is one of four",
        |overview| overview["op"] = json!("rename"),
    );
    overview(
        cases,
        "overview-request-without-mac",
        "a request has an id and a mac",
        |overview| overview["request"] = json!({"id": "r-1"}),
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
        "overview-created-at-invalid",
        "the time of the creation is a time",
        "created_at",
        json!("2026-02-29T00:00:00.000Z"),
    );
    set(
        "overview-values-at-invalid",
        "the time of the values is a time",
        "values_at",
        json!("today"),
    );
    set(
        "overview-secrets-hash-short",
        "a hash has 32 bytes",
        "secrets_hash",
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
    let request = |id: &str| json!({"id": id, "mac": "00".repeat(32)});
    set(
        "overview-request-id-too-long",
        "a request id has at most 256 bytes",
        "request",
        request(&"a".repeat(257)),
    );
    set(
        "overview-request-id-control-character",
        "a request id holds no control character",
        "request",
        request("a\rb"),
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
    let many = |count: usize| {
        (0..count)
            .map(|index| format!("{index}"))
            .collect::<Vec<_>>()
    };
    set(
        "overview-too-many-properties",
        "a connector has at most 1,024 properties",
        "properties",
        json!(many(1025)),
    );
    set(
        "overview-properties-twice",
        "a property stands once",
        "properties",
        json!(["APIKey", "API\u{4b}ey"]),
    );
    set(
        "overview-changed-name-empty",
        "a changed name is a property name",
        "changed",
        json!([""]),
    );
    set(
        "overview-changed-twice",
        "a changed name stands once",
        "changed",
        json!(
            many(17)
                .into_iter()
                .chain(["3".to_owned()])
                .collect::<Vec<_>>()
        ),
    );
    set(
        "overview-changed-too-many",
        "a version changes at most 2,048 names",
        "changed",
        json!(many(2049)),
    );
    set(
        "overview-meta-empty",
        "meta has one name at least",
        "meta",
        json!({}),
    );
    set(
        "overview-meta-not-text",
        "meta is text",
        "meta",
        json!({"expires": 1}),
    );
    set(
        "overview-meta-name-too-long",
        "a name of meta has at most 64 bytes",
        "meta",
        json!({"n".repeat(65): "v"}),
    );
    set(
        "overview-meta-value-too-long",
        "a text of meta has at most 1,024 bytes",
        "meta",
        json!({"n": "v".repeat(1025)}),
    );
    let many: serde_json::Map<_, _> = (0..33)
        .map(|number| (number.to_string(), json!("v")))
        .collect();
    set(
        "overview-meta-too-many",
        "meta has at most 32 names",
        "meta",
        json!(many),
    );
}

/// Parts that exactly some ops have.
fn ops(cases: &mut Cases) {
    let mut op = |name, rule: &str, op: &str, change: fn(&mut Value)| {
        overview(cases, name, rule, |overview| {
            overview["op"] = json!(op);
            match op {
                "create" => {
                    overview["id"] = json!("y");
                    overview["version"] = json!(1);
                    overview.as_object_mut().unwrap().remove("created_at");
                }
                "delete" => {
                    overview["properties"] = json!([]);
                    overview.as_object_mut().unwrap().remove("secrets_hash");
                }
                "restore" => overview["source"] = json!(1),
                _ => {}
            }
            change(overview);
        });
    };
    op(
        "overview-create-with-created-at",
        "the time of a create is that of the creation",
        "create",
        |overview| overview["created_at"] = json!(NOW),
    );
    op(
        "overview-update-without-created-at",
        "all but a create say when the connector was created",
        "update",
        |overview| {
            overview.as_object_mut().unwrap().remove("created_at");
        },
    );
    op(
        "overview-create-with-values-at",
        "a create writes its values",
        "create",
        |overview| overview["values_at"] = json!(NOW),
    );
    op(
        "overview-create-with-source",
        "a create takes its values from no version",
        "create",
        |overview| overview["source"] = json!(1),
    );
    op(
        "overview-create-with-changed",
        "all properties of a create are new",
        "create",
        |overview| overview["changed"] = json!(["APIKey"]),
    );
    op(
        "overview-update-with-source",
        "an update takes its values from no version",
        "update",
        |overview| overview["source"] = json!(1),
    );
    op(
        "overview-restore-without-source",
        "a restore says whose values it takes",
        "restore",
        |overview| {
            overview.as_object_mut().unwrap().remove("source");
        },
    );
    op(
        "overview-restore-of-itself",
        "a restore takes the values of a version before it",
        "restore",
        |overview| overview["source"] = json!(2),
    );
    op(
        "overview-request-on-restore",
        "a restore has no request",
        "restore",
        |overview| overview["request"] = json!({"id": "r-1", "mac": "00".repeat(32)}),
    );
    op(
        "overview-delete-with-properties",
        "a delete has no properties",
        "delete",
        |overview| overview["properties"] = json!(["APIKey"]),
    );
    op(
        "overview-delete-with-secrets-hash",
        "a delete has no secrets",
        "delete",
        |overview| overview["secrets_hash"] = json!("00".repeat(32)),
    );
    op(
        "overview-update-without-secrets-hash",
        "all but a delete name their secrets",
        "update",
        |overview| {
            overview.as_object_mut().unwrap().remove("secrets_hash");
        },
    );
}

/// The same of ops that take no new values. They stand in a snapshot, since some of them go on from a deletion.
fn ops_that_keep_values(cases: &mut Cases) {
    let mut op = |name, rule: &str, op: &str, change: fn(&mut Value)| {
        let mut team = Team::solo();
        let mut file = |change: &dyn Fn(&mut Value)| {
            let mut overview = overview_of(&team, SECRETS);
            overview["op"] = json!(op);
            match op {
                "undelete" => overview["source"] = json!(1),
                _ => overview["changed"] = json!([]),
            }
            change(&mut overview);
            let record = seal_texts(
                &team.vault,
                &mut team.rng,
                overview.to_string().as_bytes(),
                Some(SECRETS.as_bytes()),
                ("x", 2),
            );
            let mut snapshot = team.snapshot();
            snapshot.records.push(record);
            snapshot.file()
        };
        let (sound, changed) = (file(&|_| {}), file(&change));
        let vault = team.open_file(sound, team.identity("ops")).unwrap();
        assert_eq!(vault.read("x").unwrap().version.get(), 2, "{name}");
        reads_false(cases, name, rule, &team, changed);
    };
    op(
        "overview-undelete-without-source",
        "an undelete says whose values it takes",
        "undelete",
        |overview| {
            overview.as_object_mut().unwrap().remove("source");
        },
    );
    op(
        "overview-undelete-of-itself",
        "an undelete takes the values of a version before it",
        "undelete",
        |overview| overview["source"] = json!(2),
    );
    op(
        "overview-undelete-with-changed",
        "all properties of an undelete are new",
        "undelete",
        |overview| overview["changed"] = json!(["APIKey"]),
    );
    op(
        "overview-describe-without-changed",
        "a describe says that no property changed",
        "describe",
        |overview| {
            overview.as_object_mut().unwrap().remove("changed");
        },
    );
    op(
        "overview-describe-with-changed",
        "a describe changes no property",
        "describe",
        |overview| overview["changed"] = json!(["APIKey"]),
    );
    op(
        "overview-describe-with-source",
        "a describe takes its values from the version before it",
        "describe",
        |overview| overview["source"] = json!(1),
    );
    op(
        "overview-move-with-changed",
        "a move changes no property",
        "move",
        |overview| overview["changed"] = json!(["APIKey"]),
    );
    op(
        "overview-move-without-created-at",
        "all but a create say when the connector was created",
        "move",
        |overview| {
            overview.as_object_mut().unwrap().remove("created_at");
        },
    );
    op(
        "overview-request-on-undelete",
        "an undelete has no request",
        "undelete",
        |overview| overview["request"] = json!({"id": "r-1", "mac": "00".repeat(32)}),
    );
}

fn authors(cases: &mut Cases) {
    let mut team = Team::pair();
    let owner = team.vault.access.grant;
    let file = team.with_forged(
        "rotation",
        |overview| overview.author = owner,
        some_secrets(),
    );
    reads_false(
        cases,
        "overview-author-not-signer",
        "in changes an overview names the signer as its author",
        &team,
        file,
    );

    let mut team = Team::solo();
    let unknown = crate::format::hex::GrantId(crate::format::hex::Hex([9; 8]));
    let record = forge_record(
        &team.vault,
        &mut team.rng,
        |overview| overview.author = unknown,
        some_secrets(),
    );
    let mut snapshot = team.snapshot();
    snapshot.records.push(record);
    reads_false(
        cases,
        "overview-author-unknown",
        "in a snapshot an overview names a grant that is or was",
        &team,
        snapshot.file(),
    );
}

/// Entries that say something else than the overview, and bytes that are not those of the entry.
fn entries(cases: &mut Cases) {
    let mut lie = |name, rule: &str, change: &dyn Fn(&mut Entry)| {
        let mut team = Team::solo();
        let mut record = forge_record(&team.vault, &mut team.rng, |_| {}, some_secrets());
        change(&mut record.entry);
        let mut snapshot = team.snapshot();
        snapshot.records.push(record);
        snapshot.records.sort_by_key(|record| record.entry.place());
        let vector = cases.opens(name, rule, &team, snapshot.file());
        let vault = vector.open().unwrap();
        let mut errors = vault.list().filter_map(std::result::Result::err);
        assert_eq!(errors.next().unwrap().code(), Code::FalseRecord, "{name}");
    };
    let rule = "an overview is of the connector whose tag its entry has";
    lie("entry-tag-other", rule, &|entry| entry.tag = Tag([9; 16]));
    let rule = "an overview is of the version that its entry says";
    lie("entry-version-other", rule, &|entry| {
        entry.version = entry.version.next();
    });
    let rule = "an overview has the op that its entry says";
    lie("entry-op-other", rule, &|entry| entry.op = Op::Restore);
    let rule = "an overview has the request id of its entry's hint";
    lie("entry-hint-other", rule, &|entry| entry.hint = Hint([1; 4]));
    let rule = "an overview has the id, name, type and meta of its entry's face";
    lie("entry-face-other", rule, &|entry| {
        entry.face = Face([1; 16])
    });

    // Bytes that somebody changed behind the author.
    let mut team = Team::solo();
    let record = forge_record(&team.vault, &mut team.rng, |_| {}, some_secrets());
    let commit = commit_of(&team.vault, &[&record]);
    let overviews = commit.len() - 8 - record.overview.len() - record.secrets.len();
    let secrets = commit.len() - 4 - record.secrets.len();
    for (name, rule, at) in [
        (
            "overview-length-other",
            "the length before an overview is that of its entry",
            overviews,
        ),
        (
            "overview-damaged",
            "an overview has the hash of its entry",
            overviews + 50,
        ),
        (
            "secrets-length-other",
            "the length before secrets is that of the entry",
            secrets,
        ),
        (
            "secrets-damaged",
            "secrets have the hash of their entry",
            secrets + 50,
        ),
    ] {
        let mut changed = commit.clone();
        changed[at] ^= 1;
        let file = [team.file.as_slice(), &changed].concat();
        reads(cases, name, rule, &team, file, Code::Damaged);
    }
    // Bytes that the author wrote so: the body hash says it.
    for (name, rule, at) in [
        (
            "false-hash-of-own-record",
            "an author whose entry has another hash than its record has made a false record",
            4 + 50,
        ),
        (
            "false-length-of-own-record",
            "an author whose record has another length before it than its entry has made a false record",
            0,
        ),
    ] {
        let mut changes = Changes::of(&team.vault, &[&record]);
        changes.overviews[at] ^= 1;
        let file = [team.file.as_slice(), &changes.bytes()].concat();
        reads_false(cases, name, rule, &team, file);
    }
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
    let mut team = Team::solo();
    let overview = overview_of(&team, r#"{"properties":{"APIKey":"c"}}"#).to_string();
    let file = sealed(&mut team, &overview, Some(("x", 2, SECRETS)));
    reads_false(
        cases,
        "secrets-hash-other",
        "an overview names the hash of its salt and secrets",
        &team,
        file,
    );
    secrets(
        cases,
        "secrets-not-json",
        "secrets are JSON",
        ("x", 2, "{x"),
    );
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
        "secrets-outcome-without-request",
        "an outcome is that of a request",
        (
            "x",
            2,
            r#"{"properties":{"APIKey":"b"},"outcome":{"changes":[]}}"#,
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
    let properties: serde_json::Map<_, _> = (0..1025)
        .map(|number| (number.to_string(), json!("")))
        .collect();
    secrets(
        cases,
        "secrets-too-many-properties",
        "a connector has at most 1,024 properties",
        ("x", 2, &json!({"properties": properties}).to_string()),
    );
    // Of a version with a request, whose secrets may have an outcome.
    let mut outcome = |name, rule: &str, outcome: &str| {
        let mut team = Team::solo();
        let text = format!(r#"{{"properties":{{"APIKey":"b"}},"outcome":{outcome}}}"#);
        let mut overview = overview_of(&team, &text);
        overview["request"] = json!({"id": "r-1", "mac": "00".repeat(32)});
        let file = sealed(&mut team, &overview.to_string(), Some(("x", 2, &text)));
        reads_false(cases, name, rule, &team, file);
    };
    outcome(
        "secrets-null-outcome",
        "a value that is absent has no name",
        "null",
    );
    outcome(
        "secrets-array-for-object",
        "an object is no array of its values",
        "[[]]",
    );
    let deep = format!(
        r#"{{"changes":[],"more":{}{}}}"#,
        "[".repeat(127),
        "]".repeat(127)
    );
    outcome(
        "secrets-outcome-too-deep",
        "arrays and objects nest 128 deep at most, also where a reader ignores them",
        &deep,
    );
}

fn names(cases: &mut Cases) {
    let mut team = Team::solo();
    let file = team.with_forged(
        "ops",
        |overview| overview.properties = vec![Text("Other".into())],
        some_secrets(),
    );
    reads_false(
        cases,
        "names-mismatch",
        "an overview lists the names that its secrets hold",
        &team,
        file,
    );
    let mut team = Team::solo();
    let two = r#"{"properties":{"B":"b","A":"a"}}"#;
    let mut overview = overview_of(&team, two);
    overview["properties"] = json!(["A", "B"]);
    let file = sealed(&mut team, &overview.to_string(), Some(("x", 2, two)));
    reads_false(
        cases,
        "names-mismatch-order",
        "an overview lists the names of its secrets in their order",
        &team,
        file,
    );
    let mut team = Team::solo();
    let names = r#"{"properties":{"10":"a","2":"b","__proto__":"c"}}"#;
    let mut overview = overview_of(&team, names);
    overview["properties"] = json!(["10", "2", "__proto__"]);
    let file = sealed(&mut team, &overview.to_string(), Some(("x", 2, names)));
    cases.opens(
        "accepted-integer-names",
        "the order of properties is that of the bytes, whatever their names",
        &team,
        file,
    );
}

/// Record signatures, which a check of everything looks at; and whom a snapshot names.
fn signatures(cases: &mut Cases) {
    let mut team = Team::solo();
    let record = forge_record(&team.vault, &mut team.rng, |_| {}, some_secrets());
    let file = [team.file.as_slice(), &commit_of(&team.vault, &[&record])].concat();
    cases.opens(
        "accepted-record-signature",
        "the author signs a version",
        &team,
        file,
    );
    let overview = overview_of(&team, SECRETS).to_string();
    let mut other = team.open_as("ops");
    other.access.keys = crate::crypto::identity::Identity::generate(&mut team.rng).keys();
    let record = seal_texts(
        &other,
        &mut team.rng,
        overview.as_bytes(),
        Some(SECRETS.as_bytes()),
        ("x", 2),
    );
    let file = [team.file.as_slice(), &commit_of(&team.vault, &[&record])].concat();
    cases.opens(
        "record-signature",
        "a version is signed by its author; reading it does not look at that, the check of everything does",
        &team,
        file,
    );

    // Somebody else's signature, put around the version that it is of.
    let mut team = Team::pair();
    team.hand_to("rotation");
    team.update("x", "APIKey", "b");
    team.hand_to("ops");
    let mut snapshot = team.snapshot();
    let author = team.open_as("rotation").access.grant;
    let record = forge_record(
        &team.vault,
        &mut team.rng,
        |overview| {
            overview.author = author;
            overview.version = 3;
        },
        some_secrets(),
    );
    snapshot.records.push(record);
    cases.opens(
        "record-signature-of-another",
        "a signature by another grant than the author does not hold",
        &team,
        snapshot.file(),
    );

    // A hostile owner seals other secrets around somebody's true overview.
    let mut team = Team::pair();
    team.hand_to("rotation");
    team.update("x", "APIKey", "b");
    team.hand_to("ops");
    let other = forge_record(&team.vault, &mut team.rng, |_| {}, some_secrets());
    let mut framed = newest(&team.vault, "x");
    framed.secrets = other.secrets;
    framed.refit();
    assert_ne!(framed.entry.op, Op::Create);
    let mut snapshot = team.snapshot();
    *snapshot.records.last_mut().unwrap() = framed;
    reads_false(
        cases,
        "snapshot-owner-frames-author",
        "secrets that are not those of the overview name nobody but the snapshot and its signer",
        &team,
        snapshot.file(),
    );
}
