//! `repair`: a sound vault from what is intact of a damaged one.

use std::fmt::Write as _;

use connector_vault::{Elsewhere, Gap, Reason, RepairOptions, Repaired};
use connector_vault_store::FileStore;
use serde_json::{Value, json};

use super::Context;
use super::audit::author;
use crate::cli::RepairArgs;
use crate::failure::Result;
use crate::input::require_path;
use crate::output::{BOLD, DIM, RED, YELLOW, styled};
use crate::report::count;
use crate::terminal::printable;
use crate::unlock;

pub(super) fn repair(args: &RepairArgs, context: &Context) -> Result<()> {
    require_path(&args.out, "OUT")?;
    // Before anybody types a passphrase.
    FileStore::new(&args.out)?.check_free()?;
    let output = context.output;
    let repaired = unlock::repair(
        &args.vault,
        &args.out,
        RepairOptions {
            elsewhere: args.elsewhere,
            older_header: args.older_header,
        },
        &context.input,
        output,
    )?;
    let head = repaired.vault.head();
    let elsewhere = repaired.elsewhere.iter();
    let result = json!({
        "path": args.out.to_string_lossy(),
        "vault_id": head.vault_id,
        "seq": head.seq,
        "connectors": repaired.vault.len(),
        "recovered": repaired.recovered,
        "restored": repaired.restored,
        "elsewhere": elsewhere
            .map(|version| elsewhere_json(&repaired, version))
            .collect::<Vec<_>>(),
        "lost": repaired.lost,
        "gaps": repaired.gaps,
    });
    output.result(&result, || text(args, &repaired))
}

fn elsewhere_json(
    repaired: &Repaired,
    Elsewhere {
        overview, reason, ..
    }: &Elsewhere,
) -> Value {
    json!({
        "id": overview.id.as_str(),
        "version": overview.version,
        "op": overview.op,
        "at": overview.at,
        "author": author(&repaired.vault, overview.author),
        "reason": reason,
    })
}

fn text(args: &RepairArgs, repaired: &Repaired) -> String {
    let (damaged, out_path) = (
        args.vault.path.to_string_lossy(),
        args.out.to_string_lossy(),
    );
    let (damaged, out_path) = (printable(&damaged), printable(&out_path));
    let head = format!(
        "Recovered {} of {} to {out_path}",
        count(repaired.recovered, "version"),
        count(repaired.vault.len(), "connector"),
    );
    let mut out = format!("{}\n", styled(BOLD, &head));
    for record in &repaired.lost {
        let of = record
            .connector
            .as_deref()
            .unwrap_or("an unknown connector");
        let line = format!(
            "- lost: a version of {}, in commit {} at byte {} ({})",
            printable(of),
            record.seq,
            record.offset,
            record.code
        );
        let _ = writeln!(out, "{}", styled(RED, &line));
    }
    for restored in &repaired.restored {
        let line = format!(
            "! {} is at version {} now: a newer one is lost, and you restored the newest that is left",
            printable(restored.id.as_str()),
            restored.version
        );
        let _ = writeln!(out, "{}", styled(YELLOW, &line));
    }
    for Elsewhere {
        overview, reason, ..
    } in &repaired.elsewhere
    {
        let why = match reason {
            Reason::NoPage => "its page is lost, and its author may not do that any more",
            Reason::Face => "it renames the connector",
            _ => "it does not follow from the other commits",
        };
        let line = format!(
            "? elsewhere: {} version {}, {}, by {}: {why}",
            printable(overview.id.as_str()),
            overview.version,
            overview.op.as_str(),
            printable(&author(&repaired.vault, overview.author)),
        );
        let _ = writeln!(out, "{}", styled(YELLOW, &line));
    }
    for Gap { offset, len } in &repaired.gaps {
        let line = format!(
            "- no commit: {} from byte {offset} on",
            count(usize::try_from(*len).unwrap_or(usize::MAX), "byte")
        );
        let _ = writeln!(out, "{}", styled(RED, &line));
    }
    if !repaired.is_snapshot_signed {
        let line = "The signature of the snapshot is lost; its pages were taken, which members alone can make.";
        let _ = writeln!(out, "{}", styled(YELLOW, line));
    }
    if !repaired.elsewhere.is_empty() {
        let line = match args.elsewhere {
            true => "Versions elsewhere were taken over, as far as they are newer (--elsewhere).",
            false => {
                "Versions elsewhere may have been discarded, and were left out; --elsewhere takes them."
            }
        };
        let _ = writeln!(out, "{}", styled(DIM, line));
    }
    let _ = write!(
        out,
        "{damaged} is as it was. To put the repaired vault in its place, keep the damaged file and:\n  \
         cvault verify {out_path}\n  mv {out_path} {damaged}\n  cvault list {damaged} --accept\n\
         Whoever has seen a commit that is lost needs --accept once."
    );
    out
}
