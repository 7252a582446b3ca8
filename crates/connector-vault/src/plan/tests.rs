//! Tests of plans that no vector can state: versions, restoring and the laws of merging.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::action::{Nested, Null, Source, Write};
use crate::connector::PropertyName;
use crate::secret::Secret;
use crate::time::Timestamp;

fn properties(list: &[(&str, &str)]) -> Properties {
    let mut properties = Properties::new();
    for (name, value) in list {
        let name = PropertyName::new(*name).unwrap();
        properties.set(name, Secret::new(*value).unwrap()).unwrap();
    }
    properties
}

fn connector(properties: Properties) -> Connector {
    Connector {
        id: ConnectorId::new("x").unwrap(),
        name: "Name".to_owned(),
        type_name: "Type".to_owned(),
        version: Version::new(7).unwrap(),
        updated_at: Timestamp::new("2026-01-01T00:00:00.000Z").unwrap(),
        created_at: Timestamp::new("2025-01-01T00:00:00.000Z").unwrap(),
        rotated_at: Timestamp::new("2025-06-01T00:00:00.000Z").unwrap(),
        meta: Meta::new(),
        extras: Extras::default(),
        properties,
    }
}

fn request(writes: &[(&str, Option<&str>)]) -> Changes {
    let write = |(name, value): &(&str, Option<&str>)| Write {
        name: PropertyName::new(*name).unwrap(),
        value: value.map(|value| Secret::new(value).unwrap()),
        source: Source::Grid,
        overridden: false,
    };
    Changes {
        writes: writes.iter().map(write).collect(),
        ..Changes::default()
    }
}

fn plan(draft: Draft) -> Plan {
    Plan(Step::Draft {
        draft: Box::new(draft),
        base: crate::plan::Base {
            vault_id: [0; 32],
            epoch: 1,
            newest: Newest::Stored(None),
        },
        request_digest: None,
    })
}

fn versions(draft: &Draft) -> (Option<u64>, u64) {
    (
        draft.version_before.map(Version::get),
        draft.version_after.get(),
    )
}

#[test]
fn versions_go_on() {
    let before = connector(properties(&[("A", "1")]));
    let options = Options::default();
    let changed = update(&before, &request(&[("A", Some("2"))]), &options).unwrap();
    assert_eq!(versions(&changed), (Some(7), 8));
    let same = request(&[("A", Some("1"))]);
    let unchanged = update(&before, &same, &options).unwrap();
    assert_eq!(versions(&unchanged), (Some(7), 7));
    // The version remembers the request id.
    let request_id = Some(RequestId::new("r").unwrap());
    let with_id = Options {
        request_id,
        ..Options::default()
    };
    let draft = update(&before, &same, &with_id).unwrap();
    assert_eq!(draft.committed().status, Status::Unchanged);
    assert_eq!(versions(&draft), (Some(7), 8));
    assert!(draft.is_unchanged() && draft.writes());

    let deleted = delete(&before, Some(&Changes::default()), &options).unwrap();
    assert_eq!(versions(&deleted), (Some(7), 8));
    assert_eq!(deleted.committed().status, Status::Deleted);
    assert_eq!(plan(deleted).outcome().status, Status::Planned);
    let add = |tombstone| {
        let entry = NewEntry {
            id: before.id.clone(),
            name: "N".to_owned(),
            type_name: "T".to_owned(),
            meta: Meta::new(),
            group: 0,
            tombstone,
        };
        add(entry, &Changes::default(), &options).unwrap()
    };
    assert_eq!(versions(&add(None)), (None, 1));
    assert_eq!(versions(&add(Version::new(8).ok())), (None, 9));
}

#[test]
fn restoring_tells_what_differs() {
    let before = connector(properties(&[("A", "1"), ("B", "1"), ("C", "1")]));
    let to = Connector {
        version: Version::new(3).unwrap(),
        rotated_at: Timestamp::new("2025-02-01T00:00:00.000Z").unwrap(),
        ..connector(properties(&[("A", "1"), ("B", "2"), ("D", "***")]))
    };
    let draft = restore(&before, &to, &Options::default()).unwrap();
    // An old key does not become young.
    assert_eq!(draft.rotated_at.as_ref(), Some(&to.rotated_at));
    assert_eq!(draft.source, Some(to.version));
    let outcome = draft.committed();
    let changes: Vec<_> = outcome
        .changes
        .iter()
        .map(|c| (c.name.as_str(), c.change))
        .collect();
    let expected = [
        ("B", ChangeKind::Changed),
        ("D", ChangeKind::Added),
        ("C", ChangeKind::Removed),
    ];
    assert_eq!(
        (outcome.status, changes.as_slice()),
        (Status::Restored, expected.as_slice())
    );
    let same = restore(&before, &before, &Options::default()).unwrap();
    assert!(same.is_unchanged());
    assert_eq!(versions(&same), (Some(7), 7));
    let if_version = Some(Version::FIRST);
    let options = Options {
        if_version,
        ..Options::default()
    };
    let error = restore(&before, &to, &options).err().unwrap();
    assert_eq!(
        error.message(),
        "the connector \"x\" is at version 7, not 1"
    );
}

#[test]
fn the_outcome_has_exactly_this_shape() {
    let before = connector(properties(&[("A", "1")]));
    let draft = update(&before, &request(&[("A", Some(""))]), &Options::default()).unwrap();
    let plan = plan(draft);
    let json = serde_json::to_value(plan.outcome()).unwrap();
    let message = "the property \"A\" had a value and is empty now";
    let expected = serde_json::json!({
        "status": "planned", "id": "x", "version_before": 7, "version_after": 8,
        "changes": [{"name": "A", "change": "changed", "source": "grid", "overridden": false}],
        "warnings": [{"code": "value_emptied", "message": message}],
        "tokens": [],
        "outputs": {},
        "replayed": false,
    });
    assert_eq!(json, expected);
    assert_eq!(format!("{plan:?}"), "Plan(update \"x\", ..)");
    let (id, outcome) = (before.id.clone(), plan.outcome());
    let answered = Plan(Step::Answered {
        id,
        outcome: outcome.clone(),
    });
    assert_eq!(answered.outcome(), outcome);
    assert!(answered.is_unchanged());
    assert_eq!(answered.id(), plan.id());
}

#[test]
fn the_names_that_a_json_object_loses_are_few_and_short() {
    let long = "n".repeat(100);
    let stored = format!(
        r#"{{"a": 1, "b": {{"c d": 1, "e": {{"{long}": 1}}, "kept": 1}}, "f": 1, "g": 1, "h": 1, "i": 1}}"#
    );
    let before = connector(properties(&[("A", &stored)]));
    let value = r#"{"b": {"e": {}, "kept": "s3cret"}}"#;
    let draft = update(
        &before,
        &request(&[("A", Some(value))]),
        &Options::default(),
    )
    .unwrap();
    let [warning] = draft.warnings.as_slice() else {
        panic!("{:?}", draft.warnings)
    };
    let clipped = format!("\"{}\"...", "n".repeat(64));
    assert_eq!(
        warning.message,
        format!(
            "the new value of the property \"A\" lacks names that the stored JSON object has: \
             \"a\", \"b\".\"c d\", \"b\".\"e\".{clipped}, \"f\", \"g\" and 2 more"
        )
    );
}

/// What `nested: merge` makes of a value.
fn merged_value(stored: &str, value: &str) -> String {
    let options = Options {
        nested: Nested::Merge,
        null: Null::Remove,
        ..Options::default()
    };
    let before = connector(properties(&[("A", stored)]));
    let draft = update(&before, &request(&[("A", Some(value))]), &options).unwrap();
    draft.after.get("A").unwrap().expose().to_owned()
}

/// RFC 7396 section 2, as it stands there.
fn merge_patch(target: serde_json::Value, patch: &serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = match target {
        serde_json::Value::Object(target) => target,
        _ => serde_json::Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let before = target.remove(name).unwrap_or_default();
            target.insert(name.clone(), merge_patch(before, value));
        }
    }
    target.into()
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        "[a-c ]{0,2}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            proptest::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn json_object() -> impl Strategy<Value = serde_json::Value> {
    proptest::collection::btree_map("[a-d]", json_value(), 0..4)
        .prop_map(|map| serde_json::Value::Object(map.into_iter().collect()))
}

type Map = BTreeMap<String, String>;

fn map() -> impl Strategy<Value = Map> {
    proptest::collection::btree_map("[a-f]", "[a-c]{0,2}", 0..6)
}

fn merged(before: &Properties, writes: &Map) -> Properties {
    let list: Vec<_> = writes
        .iter()
        .map(|(n, v)| (n.as_str(), Some(v.as_str())))
        .collect();
    let before = connector(before.clone());
    update(&before, &request(&list), &Options::default())
        .unwrap()
        .after
}

fn from_map(map: &Map) -> Properties {
    let list: Vec<_> = map.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    properties(&list)
}

fn to_map(properties: &Properties) -> Map {
    let texts = properties.iter();
    texts
        .map(|(n, v)| (n.as_str().to_owned(), v.expose().to_owned()))
        .collect()
}

proptest! {
    #[test]
    fn a_nested_merge_is_that_of_rfc_7396(stored in json_value(), patch in json_object()) {
        let merged = merged_value(&stored.to_string(), &patch.to_string());
        let found: serde_json::Value = serde_json::from_str(&merged).unwrap();
        prop_assert_eq!(found, merge_patch(stored, &patch));
        prop_assert_eq!(merged_value(&merged, &patch.to_string()), merged);
    }

    #[test]
    fn texts_that_are_nearly_json_do_no_harm(stored in r#"[\[\]{}",:a*0 \\]{0,20}"#, value in r#"[\[\]{}",:a*0 \\]{0,20}"#) {
        let before = connector(properties(&[("A", &stored)]));
        for nested in [Nested::Replace, Nested::Merge] {
            let options = Options { nested, ..Options::default() };
            let _ = update(&before, &request(&[("A", Some(&value))]), &options);
        }
    }

    #[test]
    fn merging_twice_is_merging_once(before in map(), writes in map()) {
        let once = merged(&from_map(&before), &writes);
        prop_assert_eq!(&merged(&once, &writes), &once);
    }

    #[test]
    fn later_wins_and_the_rest_is_kept(before in map(), first in map(), second in map()) {
        let after = merged(&merged(&from_map(&before), &first), &second);
        let mut expected = before;
        expected.extend(first);
        expected.extend(second);
        prop_assert_eq!(to_map(&after), expected);
    }

    #[test]
    fn changes_tell_the_difference(before in map(), writes in map()) {
        let list: Vec<_> = writes.iter().map(|(n, v)| (n.as_str(), Some(v.as_str()))).collect();
        let connector = connector(from_map(&before));
        let draft = update(&connector, &request(&list), &Options::default()).unwrap();
        let after = to_map(&draft.after);
        for change in &draft.changes {
            let (old, new) = (before.get(&change.name), after.get(&change.name));
            let expected = match (old, new) {
                (None, Some(_)) => ChangeKind::Added,
                (old, new) if old == new => ChangeKind::Unchanged,
                _ => ChangeKind::Changed,
            };
            prop_assert_eq!(change.change, expected);
        }
        prop_assert_eq!(draft.is_unchanged(), before == after);
    }

    #[test]
    fn hints_never_panic(id in any::<String>(), candidate in any::<String>(), name in any::<String>()) {
        let _ = near_miss(&id, [(candidate.as_str(), name.as_str())].into_iter());
    }
}
