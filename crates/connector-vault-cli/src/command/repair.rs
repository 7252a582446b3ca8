//! `repair`: a sound vault from what is intact of a damaged one.

use std::fmt::Write as _;

use connector_vault::{Gap, Overview, Repaired};
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
        args.unsigned,
        &context.input,
        output,
    )?;
    let head = repaired.vault.head();
    let quarantined = repaired.quarantined.iter();
    let result = json!({
        "path": args.out.to_string_lossy(),
        "vault_id": head.vault_id,
        "seq": head.seq,
        "connectors": repaired.vault.len(),
        "recovered": repaired.recovered,
        "unsigned": args.unsigned,
        "quarantined": quarantined
            .map(|overview| quarantined_json(&repaired, overview))
            .collect::<Vec<_>>(),
        "lost": repaired.lost,
        "gaps": repaired.gaps,
    });
    output.result(&result, || text(args, &repaired))
}

fn quarantined_json(repaired: &Repaired, overview: &Overview) -> Value {
    json!({
        "id": overview.id.as_str(),
        "version": overview.version,
        "op": overview.op,
        "at": overview.at,
        "author": author(&repaired.vault, overview.author),
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
            "- lost: a version of {}, in commit {} at byte {}",
            printable(of),
            record.seq,
            record.offset
        );
        let _ = writeln!(out, "{}", styled(RED, &line));
    }
    for overview in &repaired.quarantined {
        let line = format!(
            "? quarantined: {} version {}, {}, said to be by {}",
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
    if !repaired.quarantined.is_empty() {
        let line = match args.unsigned {
            true => {
                "Versions in quarantine stand under no sound signature; --unsigned took them over."
            }
            false => "Versions in quarantine stand under no sound signature and were left out.",
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
