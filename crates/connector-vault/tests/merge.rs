//! What merges, beside the vectors of `tests/vectors/merge`.

mod support;

use connector_vault::{Code, MergeOptions};
use support::Kept;

#[test]
fn another_vault_does_not_merge() {
    let (ours, other) = (Kept::new(31), Kept::new(33));
    let now = connector_vault::Timestamp::new("2026-11-23T20:15:00.000Z").expect("a time");
    let planned = ours
        .vault
        .plan_merge(&other.vault, MergeOptions::default(), &now);
    assert_eq!(planned.expect_err("another").code(), Code::NotMergeable);
    let opened = ours.vault.open_copy(other.file);
    assert_eq!(opened.expect_err("another").code(), Code::NotMergeable);
}
