//! Reads every export of `tests/exports` into a vault, and compares the vault's connectors with what is expected.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "exports are files, and tests fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use connector_vault::{Host, Identity, NewOwner, OnConflict, Options, Timestamp, Vault};
use connector_vault_import::{Export, Imported, Kind};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Value, json};

/// A case: what is read of an export, or why it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the case shows.
    rule: String,
    /// The export, in the same folder.
    file: String,
    /// What its file was called, if not so; empty for standard input.
    named: Option<String>,
    /// The file that stands beside it.
    beside: Option<String>,
    /// The key that it is encrypted by.
    key: Option<String>,
    /// Whether nothing in the export tells its kind.
    #[serde(default)]
    undetected: bool,
    #[serde(default)]
    connectors: Vec<Value>,
    #[serde(default)]
    not_taken: Vec<Value>,
    refused: Option<Refused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    code: String,
    /// Parts of the message or the hint.
    told: Vec<String>,
}

#[test]
fn every_export_is_read_as_expected() {
    let mut number = 0;
    for kind in Kind::ALL {
        let folder = root().join(kind.as_str());
        let mut files = Vec::new();
        let mut used = vec!["README.md".to_owned()];
        for entry in fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            match name.ends_with(".expect.json") {
                true => {
                    let path = folder.join(&name);
                    let case: Case = serde_json::from_slice(&fs::read(&path).unwrap())
                        .unwrap_or_else(|error| panic!("{name}: {error}"));
                    used.push(case.file.clone());
                    used.extend(case.beside.clone());
                    println!("{kind}/{name}: {}", case.rule);
                    check(kind, &folder, &case);
                    number += 1;
                }
                false => files.push(name),
            }
        }
        files.retain(|file| !used.contains(file) && !file.starts_with("make"));
        assert!(files.is_empty(), "no case reads {files:?} of {kind}");
    }
    assert!(number > Kind::ALL.len());
}

fn check(kind: Kind, folder: &Path, case: &Case) {
    let bytes = fs::read(folder.join(&case.file)).unwrap();
    let name = case.named.as_deref().unwrap_or(&case.file);
    let mut export = Export::new(&bytes);
    if !name.is_empty() {
        export = export.named(name);
    }
    let beside = case.beside.as_ref();
    let beside = beside.map(|name| fs::read(folder.join(name)).unwrap());
    if let Some(bytes) = &beside {
        assert_eq!(kind.beside(name), case.beside, "{}", case.rule);
        export = export.beside(bytes);
    }
    if let Some(key) = &case.key {
        export = export.with_key(key);
    }
    match case.undetected {
        true => export = export.of_kind(kind),
        false => assert_eq!(export.kind().unwrap(), kind, "{}", case.rule),
    }
    let imported = export.of_kind(kind).read();
    match (&case.refused, imported) {
        (None, Ok(imported)) => {
            let (connectors, not_taken) = taken(imported);
            assert_eq!(connectors, case.connectors, "{}", case.rule);
            assert_eq!(not_taken, case.not_taken, "{}", case.rule);
        }
        (Some(refused), Err(error)) => {
            assert_eq!(error.code(), refused.code, "{}: {error}", case.rule);
            let told = format!("{error:?}; {}", error.hint().unwrap_or_default());
            for part in &refused.told {
                assert!(told.contains(part), "{}: {told}", case.rule);
            }
            assert!(!told.contains("s3cret"), "{}: {told}", case.rule);
        }
        (_, imported) => panic!("{}: {imported:?}", case.rule),
    }
}

/// The connectors as a vault holds them, and what is not taken. A second import changes nothing.
fn taken(imported: Imported) -> (Vec<Value>, Vec<Value>) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut host = Host {
        now: Timestamp::new("2026-11-23T20:15:00.000Z").unwrap(),
        rng: &mut rng,
    };
    let owner = NewOwner::identity("ops", Identity::generate(host.rng));
    let (mut vault, mut file) = Vault::create(&mut host, &owner).unwrap();
    let Imported {
        connectors,
        not_taken,
    } = imported;
    let options = Options::default();
    let plans = vault.plan_import(&connectors, &options).unwrap();
    let ids: Vec<_> = plans.iter().map(|plan| plan.id().to_string()).collect();
    let prepared = vault.prepare_all(plans, &mut host).unwrap();
    prepared.write().to(&mut file);
    vault.apply(prepared).unwrap();
    let again = vault.plan_import_with(&connectors, OnConflict::Update, &options);
    assert!(again.unwrap().plans.iter().all(|plan| plan.is_unchanged()));

    let connectors = ids.iter().map(|id| {
        let connector = serde_json::to_value(vault.read(id).unwrap()).unwrap();
        json!({"id": id, "name": connector["name"], "type": connector["type"],
               "properties": connector["properties"]})
    });
    let not_taken = not_taken
        .iter()
        .map(|left| serde_json::to_value(left).unwrap());
    (connectors.collect(), not_taken.collect())
}

#[test]
fn faults_name_the_entry_and_no_value() {
    let cases: &[(Kind, &str, &str, &str)] = &[
        (
            Kind::Bitwarden,
            r#"{"encrypted": false, "items": [{"name": "s3cret"}]}"#,
            "invalid_export",
            "item 1: it has no id",
        ),
        (
            Kind::Bitwarden,
            r#"{"encrypted": false, "items": ["s3cret"]}"#,
            "invalid_export",
            "item 1: a string stands where an object is expected",
        ),
        (
            Kind::Bitwarden,
            r#"{"encrypted": false}"#,
            "invalid_export",
            "no list of items",
        ),
        (
            Kind::Bitwarden,
            r#"{"encrypted": true, "data": "s3cret"}"#,
            "unsupported_export",
            "account",
        ),
        (
            Kind::Bitwarden,
            r#"{"items": [{"id": "a", "type": 1}, {"id": "a", "type": 1}]}"#,
            "connector_exists",
            "item 2 (\"a\")",
        ),
        (
            Kind::Csv,
            "id,Key\na,s3cret\n\nb,s3cret,x\n",
            "invalid_export",
            "line 4: the row has 3 cells, and the header 2",
        ),
        (
            Kind::Csv,
            "id,Key,Key\na,s3cret,b\n",
            "invalid_export",
            "\"Key\" stands twice",
        ),
        (
            Kind::Csv,
            "id,ID\na,s3cret\n",
            "invalid_export",
            "\"ID\" stands twice",
        ),
        (
            Kind::Csv,
            "Key,Value\na,s3cret\n",
            "invalid_export",
            "neither a column id nor a column name",
        ),
        (
            Kind::Csv,
            "id,Key\n,s3cret\n",
            "invalid_connector_id",
            "line 2 (\"\"): the connector id is empty",
        ),
        (
            Kind::Csv,
            "id,type,Key\na,,s3cret\n",
            "invalid_connector_name",
            "line 2 (\"a\"): the connector type is empty",
        ),
        (
            Kind::Csv,
            "id,\na,s3cret\n",
            "empty_property_name",
            "line 2 (\"a\")",
        ),
        (
            Kind::Csv,
            "id,Key\nx,s3cret\nx,b\n",
            "connector_exists",
            "line 3 (\"x\")",
        ),
        (
            Kind::Env,
            "A=b\nB C=s3cret\n",
            "invalid_export",
            "line 2: the text before = is not a variable's name",
        ),
        (
            Kind::N8n,
            r#"[{"id": "a", "name": "N", "data": {}}]"#,
            "invalid_export",
            "credential 1: it has no type",
        ),
        (
            Kind::N8n,
            r#"[{"id": "a", "name": "N", "type": "T", "data": ["s3cret"]}]"#,
            "invalid_export",
            "credential 1 (\"a\"): an array stands where an object is expected",
        ),
        (
            Kind::N8n,
            r#"[{"id": "a", "name": "N", "type": "T"}]"#,
            "invalid_export",
            "credential 1 (\"a\"): it has no data",
        ),
        (
            Kind::NodeRed,
            r#"{"a": {"user": "x"}, "b": "s3cret"}"#,
            "invalid_export",
            "node 2 (\"b\"): a string stands where an object is expected",
        ),
        (Kind::VaultKv, "", "invalid_export", "empty"),
        (
            Kind::VaultKv,
            r#"{"a": {"password": "s3cret"}}"#,
            "invalid_export",
            "secret 1 (\"a\")",
        ),
        (
            Kind::VaultKv,
            r#"{"request_id": "1", "lease_duration": 0, "data": {"a": "s3cret"}}"#,
            "invalid_export",
            "without its path",
        ),
        (
            Kind::Json,
            r#"{"connectors": [{"id": "a", "name": "N", "type": "T", "properties": {"p": null}}]}"#,
            "null_value",
            "connector 1 (\"a\")",
        ),
    ];
    for (kind, text, code, told) in cases {
        let error = Export::new(text.as_bytes())
            .of_kind(*kind)
            .read()
            .unwrap_err();
        assert_eq!(error.code(), *code, "{text}: {error}");
        assert!(error.message().contains(told), "{text}: {error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn sealed_parts_that_are_damaged() {
    let n8n =
        |data: &str| format!(r#"[{{"id": "a", "name": "N", "type": "T", "data": "{data}"}}]"#);
    let cases: &[(Kind, String, &str)] = &[
        (Kind::N8n, n8n("s3cret!"), "invalid_export"),
        (Kind::N8n, n8n(""), "wrong_source_key"),
        // `Salted__`, a part of the salt; the salt; and a part of a block.
        (Kind::N8n, n8n("U2FsdGVkX19jMw=="), "wrong_source_key"),
        (
            Kind::N8n,
            n8n("U2FsdGVkX18wMTIzNDU2Nw=="),
            "wrong_source_key",
        ),
        (
            Kind::N8n,
            n8n("U2FsdGVkX18wMTIzNDU2N2FiYw=="),
            "wrong_source_key",
        ),
        // The version of the newer encryption alone, and another version.
        (Kind::N8n, n8n("AQ=="), "wrong_source_key"),
        (Kind::N8n, n8n("key:AgID"), "wrong_source_key"),
        (
            Kind::NodeRed,
            r#"{"$": "s3cret"}"#.to_owned(),
            "invalid_export",
        ),
        (
            Kind::NodeRed,
            format!(r#"{{"$": "{}{}"}}"#, "\u{e9}".repeat(16), "ab"),
            "invalid_export",
        ),
        (
            Kind::NodeRed,
            format!(r#"{{"$": "{}!"}}"#, "0".repeat(32)),
            "invalid_export",
        ),
        (
            Kind::NodeRed,
            format!(r#"{{"$": "{}"}}"#, "0".repeat(32)),
            "wrong_source_key",
        ),
    ];
    for (kind, text, code) in cases {
        let export = Export::new(text.as_bytes()).of_kind(*kind);
        let error = export.with_key("key").read().unwrap_err();
        assert_eq!(error.code(), *code, "{text}: {error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn kinds_that_nothing_tells() {
    for text in ["", " \n", "s3cret", "a,b\n1,2\n", "\u{feff}"] {
        let error = Export::new(text.as_bytes()).read().unwrap_err();
        assert_eq!(error.code(), "kind_required", "{text}");
    }
    assert_eq!(
        Export::new(b"\xff").read().unwrap_err().code(),
        "kind_required"
    );
    let error = "keychain".parse::<Kind>().unwrap_err();
    assert_eq!(error.code(), "invalid_argument");
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse::<Kind>().unwrap(), kind);
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exports")
}
