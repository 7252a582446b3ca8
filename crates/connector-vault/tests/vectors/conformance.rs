//! What every runner of vectors does besides checking them: it counts what it ran, and its reader rejects
//! what the schema has not (tests/vectors/README.md). Shared by all of them.

use std::collections::BTreeMap;
use std::panic::{RefUnwindSafe, catch_unwind};
use std::path::Path;

use serde_json::{Value, json};

/// What a reader passes on as it is: the action goes to what is tested, and the others are compared as a
/// whole, so that a name more fails there.
const FREE: [&str; 5] = [
    "/action",
    "/given/request",
    "/known_head",
    "/expect/head",
    "/expect/changes",
];

/// Checks every vector of a folder, and prints how many there were. A check returns what it is that is not for
/// this surface, if so.
#[allow(clippy::print_stdout, reason = "counts are for people")]
pub fn run<T: RefUnwindSafe>(
    surface: &str,
    folder: &str,
    vectors: impl IntoIterator<Item = (String, T)>,
    check: impl Fn(&T) -> Option<&'static str> + RefUnwindSafe,
) {
    let (mut ran, mut failures) = (0, Vec::new());
    let mut elsewhere = BTreeMap::<&str, usize>::new();
    for (name, vector) in vectors {
        match catch_unwind(|| check(&vector)) {
            Ok(None) => ran += 1,
            Ok(Some(what)) => *elsewhere.entry(what).or_default() += 1,
            Err(_) => failures.push(name),
        }
    }
    let all = ran + elsewhere.values().sum::<usize>();
    let reasons: Vec<_> = elsewhere
        .iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    let counts = match reasons.as_slice() {
        [] => format!("{ran} {folder}"),
        reasons => format!(
            "{ran} of {all} {folder} (not for this surface: {})",
            reasons.join(", ")
        ),
    };
    println!("conformance in {surface}: {counts}");
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(ran > 0, "nothing of {folder}");
    assert_eq!(all, entries(folder).len(), "every file of {folder}");
}

/// Reads copies of vectors, each with a name more in one of its objects, and fails if one is taken or
/// rejected without saying which vector it is. `read` returns what the reader complains of.
pub fn rejects_one_more_name(
    texts: impl IntoIterator<Item = (String, String)>,
    read: impl Fn(&str, &str) -> Option<String>,
) {
    for (name, text) in texts {
        assert_eq!(read(&name, &text), None, "a good vector");
        let mut vector: Value = serde_json::from_str(&text).expect("a vector is JSON");
        for place in objects(&vector, "") {
            let object = vector.pointer_mut(&place).and_then(Value::as_object_mut);
            let object = object.expect("the place of an object");
            // Of none of the kinds that a map of a vector holds.
            object.insert("surplus".to_owned(), json!({"surplus": []}));
            let complaint = read(&name, &vector.to_string());
            let complaint = complaint.unwrap_or_else(|| panic!("{name}{place} takes any name"));
            assert!(complaint.contains(&name), "{complaint}");
            let object = vector.pointer_mut(&place).and_then(Value::as_object_mut);
            object.expect("the same object").remove("surplus");
        }
    }
}

/// The places of the objects that a schema describes.
fn objects(value: &Value, at: &str) -> Vec<String> {
    let of_earlier = at.starts_with("/earlier/") && at.ends_with("/action");
    if FREE.contains(&at) || of_earlier {
        return Vec::new();
    }
    let place = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    let inside: Vec<String> = match value {
        Value::Object(object) => {
            let children = object.iter();
            children
                .flat_map(|(name, child)| objects(child, &place(name)))
                .chain([at.to_owned()])
                .collect()
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .flat_map(|(index, item)| objects(item, &place(&index.to_string())))
                .collect()
        }
        _ => Vec::new(),
    };
    inside
}

/// The names of what is in a folder of vectors; those of the folders for `.`.
pub fn entries(folder: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let entries = std::fs::read_dir(root.join(folder)).expect("the vectors are there");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
