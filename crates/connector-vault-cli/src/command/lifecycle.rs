//! Commands about the vault as a whole: `init`, `verify`, `compact`.

use std::fmt::Write as _;

use connector_vault::{NewOwner, Retention, Verdict};
use connector_vault_store::{Error, FileStore, FileVault};
use serde_json::json;

use super::Context;
use crate::cli::{CompactArgs, InitArgs, VaultArgs};
use crate::failure::{Failure, Result};
use crate::input::require_path;
use crate::output::{BOLD, GREEN, RED, styled};
use crate::report::{self, count};
use crate::terminal::printable;
use crate::unlock;

pub(super) fn init(args: &InitArgs, context: &Context) -> Result<()> {
    let output = context.output;
    require_path(&args.path, "VAULT")?;
    // Before anybody thinks of a passphrase.
    FileStore::new(&args.path)
        .and_then(|store| store.check_free())
        .map_err(no_folder)?;
    let cost = unlock::cost(args.cost, output);
    let passphrase;
    let owner = if args.identity {
        NewOwner::identity(&args.label, unlock::owner_identity(&context.input)?)
    } else {
        passphrase = unlock::owner_passphrase(&context.input, output)?;
        NewOwner::passphrase(&args.label, &passphrase).cost(cost)
    };
    let options = FileVault::builder().heads(unlock::heads(args.no_heads, output));
    let file = options.create(&args.path, owner).map_err(no_folder)?;
    let vault_id = file.id();
    let path = file.store().path();
    let result = json!({
        "vault_id": vault_id,
        "path": path.to_string_lossy(),
        "label": args.label,
        "has_passphrase": !args.identity,
    });
    output.result(&result, || {
        let key = match args.identity {
            true => "the identity and the vault id, without which it does not open",
            false => "the passphrase: without it nobody can open the vault, nor can we",
        };
        format!(
            "{}\n\n  vault id  {vault_id}\n  owner     {}\n\n\
             Back up\n  - the file; every copy stays encrypted\n  - {key}\n\
             Give the vault id to services that open it by an identity (CVAULT_VAULT_ID).",
            styled(
                BOLD,
                &format!("Created {}", printable(&path.to_string_lossy()))
            ),
            printable(&args.label),
        )
    })
}

/// Where a vault is to be created, only its folder can be missing.
fn no_folder(error: Error) -> Failure {
    match error {
        Error::FileNotFound { path } => Failure::new(
            "file_not_found",
            format!("there is no folder for {}", path.display()),
        )
        .hint("create the folder first"),
        error => error.into(),
    }
}

pub(super) fn verify(args: &VaultArgs, context: &Context) -> Result<()> {
    let file = unlock::open(args, &context.input, context.output)?;
    let vault = file.vault();
    let verdicts = vault.verify()?;
    let report = vault.report();
    let is_sound = |verdict: &Verdict| verdict.problems.is_empty() && verdict.untold == 0;
    let ok = verdicts.iter().all(is_sound);
    let result = json!({
        "ok": ok,
        "continuity": report.continuity,
        "commits": verdicts,
        "torn": report.torn,
        "broken_key_slots": report.broken_key_slots,
        "values_checked": vault.role().reads(),
    });
    context.output.result(&result, || {
        verdict_text(&verdicts, ok, vault.role().reads())
    })?;
    if ok {
        return Ok(());
    }
    let first = verdicts.iter().flat_map(|verdict| &verdict.problems).next();
    let code = first.map_or("damaged", |problem| problem.code().as_str());
    Err(Failure::new(code, "the vault is not sound")
        .hint("restore it from a backup, or save what is intact with `cvault repair`"))
}

pub(super) fn verdict_text(verdicts: &[Verdict], ok: bool, values: bool) -> String {
    let records: usize = verdicts.iter().map(|verdict| verdict.records).sum();
    let (commits, records) = (count(verdicts.len(), "commit"), count(records, "record"));
    let checked = match values {
        true => "signatures, chain, hashes and values",
        false => "signatures, chain and hashes; values are not this role's to read",
    };
    let mut out = match ok {
        true => format!(
            "{}: {commits}, {records}; {checked}\n",
            styled(GREEN, "Sound")
        ),
        false => format!("{}\n", styled(RED, "Not sound")),
    };
    for verdict in verdicts {
        if verdict.problems.is_empty() && verdict.untold == 0 {
            let records = count(verdict.records, "record");
            let _ = writeln!(out, "  commit {}: sound, {records}", verdict.seq);
        }
        for problem in &verdict.problems {
            let problem = problem.to_string();
            let _ = writeln!(out, "  commit {}: {}", verdict.seq, printable(&problem));
        }
        if verdict.untold > 0 {
            let more = count(verdict.untold, "more problem");
            let _ = writeln!(out, "  commit {}: {more}", verdict.seq);
        }
    }
    out
}

pub(super) fn compact(args: &CompactArgs, context: &Context) -> Result<()> {
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let keep = usize::try_from(args.keep).unwrap_or(usize::MAX);
    let (mut before, mut left_out) = (0, Vec::new());
    file.write(|vault, host| {
        before = vault.log_end().end;
        let prepared = vault.prepare_compaction(Retention::Newest(keep), host)?;
        left_out = prepared.false_versions().to_vec();
        Ok(prepared)
    })?;
    report::left_out(&left_out, context.output);
    let after = file.vault().log_end().end;
    let head = file.vault().head();
    let result = json!({"log_len_before": before, "log_len_after": after, "seq": head.seq});
    context.output.result(&result, || {
        format!("Compacted: the log had {before} bytes and has {after}")
    })
}
