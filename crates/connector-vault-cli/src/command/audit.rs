//! Commands that show what happened: `history`, `head`, `log`.

use std::fmt::Write as _;

use connector_vault::{
    GrantId, Op, Overview, PropertyName, SignatureState, Timestamp, Vault, Version,
};
use serde::Serialize;

use super::Context;
use super::read::{moment, names};
use crate::cli::{ConnectorArgs, VaultArgs};
use crate::failure::Result;
use crate::output::{BOLD, RED, styled};
use crate::table::Table;
use crate::terminal::printable;
use crate::unlock;

pub(super) fn history(args: &ConnectorArgs, context: &Context) -> Result<()> {
    #[derive(Serialize)]
    struct History<'a> {
        versions: Vec<Entry<'a>>,
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        version: Version,
        op: Op,
        at: &'a Timestamp,
        author: String,
        changed: &'a [PropertyName],
    }
    let file = unlock::open(&args.vault, &context.input, context.output)?;
    let vault = file.vault();
    let versions = vault.history(&args.id)?;
    let entries = versions.iter().map(|overview| Entry {
        version: overview.version,
        op: overview.op,
        at: &overview.at,
        author: author(vault, overview.author),
        changed: &overview.changed,
    });
    let entries = History {
        versions: entries.collect(),
    };
    context
        .output
        .result(&entries, || history_text(vault, &versions))
}

pub(super) fn history_text(vault: &Vault, versions: &[Overview]) -> String {
    let mut table = Table::new(["VERSION", "OP", "AT", "AUTHOR", "CHANGED", "NOTE"]);
    for overview in versions {
        table.row([
            &overview.version.to_string(),
            overview.op.as_str(),
            &moment(&overview.at),
            &author(vault, overview.author),
            &names(&overview.changed),
            overview.note.as_deref().unwrap_or_default(),
        ]);
    }
    table.drop_empty_column(5);
    table.render()
}

fn author(vault: &Vault, grant: GrantId) -> String {
    vault
        .label_of(grant)
        .map_or_else(|| grant.to_string(), str::to_owned)
}

pub(super) fn head(args: &VaultArgs, context: &Context) -> Result<()> {
    let file = unlock::open(args, &context.input, context.output)?;
    let head = file.vault().head();
    context.output.result(&head, || {
        format!(
            "vault  {}\nepoch  {}\nseq    {}\nhash   {}",
            head.vault_id,
            head.epoch,
            head.seq,
            head.hash()
        )
    })
}

pub(super) fn log(args: &VaultArgs, context: &Context) -> Result<()> {
    #[derive(Serialize)]
    struct Log<'a> {
        commits: Vec<Commit<'a>>,
    }
    #[derive(Serialize)]
    struct Commit<'a> {
        seq: u64,
        snapshot: bool,
        author: String,
        signature: SignatureState,
        records: Vec<Record<'a>>,
    }
    #[derive(Serialize)]
    struct Record<'a> {
        id: &'a str,
        version: Version,
        op: Op,
        at: &'a Timestamp,
        author: String,
        changed: &'a [PropertyName],
        note: Option<&'a str>,
        request_id: Option<&'a str>,
    }
    let file = unlock::open(args, &context.input, context.output)?;
    let vault = file.vault();
    let infos = vault.log()?;
    let commits = infos.iter().map(|info| Commit {
        seq: info.seq,
        snapshot: info.snapshot,
        author: author(vault, info.author),
        signature: info.signature,
        records: info
            .records
            .iter()
            .map(|record| Record {
                id: record.id.as_str(),
                version: record.version,
                op: record.op,
                at: &record.at,
                author: author(vault, record.author),
                changed: &record.changed,
                note: record.note.as_deref(),
                request_id: record.request_id.as_deref(),
            })
            .collect(),
    });
    let log = Log {
        commits: commits.collect(),
    };
    context.output.result(&log, || {
        let mut out = String::new();
        for (info, commit) in infos.iter().zip(&log.commits) {
            let signature = match info.signature {
                SignatureState::Valid => "",
                _ => "  INVALID SIGNATURE",
            };
            let kind = match info.snapshot {
                true => format!("snapshot of {} versions", info.records.len()),
                false => "changes".to_owned(),
            };
            let line = format!(
                "commit {} by {}: {kind}",
                info.seq,
                printable(&commit.author)
            );
            let _ = writeln!(out, "{}{}", styled(BOLD, &line), styled(RED, signature));
            for record in info.records.iter().filter(|_| !info.snapshot) {
                let note = record.note.as_deref();
                let note = note.map_or(String::new(), |note| format!("  ({})", printable(note)));
                let _ = writeln!(
                    out,
                    "  {} {} {} version {}: {}{note}",
                    moment(&record.at),
                    record.op.as_str(),
                    printable(record.id.as_str()),
                    record.version,
                    printable(&names(&record.changed)),
                );
            }
        }
        out
    })
}
