//! What was noticed when a vault was opened, as warnings.

use connector_vault::source::Source;
use connector_vault::{Continuity, Vault};

use crate::output::Output;
use crate::report::count;

/// Tells what was noticed when the vault was opened.
pub(crate) fn tell_report<S: Source>(vault: &Vault<S>, output: Output) {
    let report = vault.report();
    if report.continuity == Continuity::Unverifiable {
        output.warn(
            "unverifiable",
            "the vault was compacted so often since it was last opened here that nothing shows whether \
             it is a later state of the same one",
        );
    }
    if report.handover {
        output.warn(
            "handover",
            "owners have replaced the vault key since the vault was last opened here; if nobody told you of \
             that, compare the vault reference with an owner",
        );
    }
    if let Some(torn) = report.torn {
        output.warn(
            "torn_tail",
            &format!(
                "the file ends in an unfinished commit of {}: another process is writing, or died; it was \
                 never acknowledged",
                count(usize::try_from(torn.len).unwrap_or(usize::MAX), "byte")
            ),
        );
    }
    for broken in &report.broken_key_slots {
        let label = broken.label.as_deref().unwrap_or("unknown");
        output.warn(
            "broken_key_slot",
            &format!(
                "the key slot of the grant {label:?} cannot be used: {}",
                broken.reason
            ),
        );
    }
    if vault.awaits_compaction() {
        output.warn(
            "compaction_due",
            "the vault has grown, and only an owner can compact it: an owner's next change does it, or \
             `cvault compact`",
        );
    }
}
