//! Each command: what people read, what programs read, and what is refused.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod actions;
mod bulk;
mod connectors;
mod create;
mod damage;
mod exec;
mod grants;
mod groups;
mod hints;
mod imports;
mod inputs;
mod integrity;
mod keys;
mod moves;
mod program;
mod random;
mod sources;
#[path = "../support/mod.rs"]
mod support;
mod teams;
mod values;
mod versions;

/// Options of the least cost that a key slot may have.
const CHEAP: [&str; 4] = ["--memory-mib", "19", "--passes", "1"];

/// Compares lines; `<..>` stands for what differs from run to run.
#[track_caller]
fn check_text(found: &str, expected: &str) {
    let found: Vec<_> = found.lines().map(str::trim_end).collect();
    let expected: Vec<_> = expected.lines().map(str::trim_end).collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(&expected) {
        assert!(is_like(found, expected), "{found:?} is not {expected:?}");
    }
}

fn is_like(found: &str, expected: &str) -> bool {
    let Some((start, rest)) = expected.split_once("<..>") else {
        return found == expected;
    };
    let Some(found) = found.strip_prefix(start) else {
        return false;
    };
    (0..=found.len())
        .filter(|at| found.is_char_boundary(*at))
        .any(|at| is_like(&found[at..], rest))
}
