//! Commands that show the log: `head`, `log`.

use std::fmt::Write as _;

use connector_vault::source::Source;
use connector_vault::{
    CommitInfo, GrantId, Op, Overview, PropertyName, SignatureState, SignedVersion, Timestamp,
    Vault, Version,
};
use connector_vault_store::FileSource;
use serde::Serialize;

use super::Context;
use super::read::{moment, names};
use crate::cli::VaultArgs;
use crate::failure::Result;
use crate::output::{BOLD, RED, styled};
use crate::report::count;
use crate::terminal::printable;
use crate::unlock;

pub(super) fn author<S: Source>(vault: &Vault<S>, grant: GrantId) -> String {
    vault
        .label_of(grant)
        .map_or_else(|| grant.to_string(), str::to_owned)
}

/// Who signed a version, and that nobody did where its signature is not its author's.
pub(super) fn signer(vault: &Vault<FileSource>, kept: &SignedVersion) -> String {
    match kept.signed_by {
        Some(grant) => author(vault, grant),
        None => format!("nobody; it names {}", author(vault, kept.overview.author)),
    }
}

/// How a version came to be: `update`, `undelete of 3`.
pub(super) fn op_text(overview: &Overview) -> String {
    let op = overview.op.as_str();
    match overview.source {
        Some(source) => format!("{op} of {source}"),
        None => op.to_owned(),
    }
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
    let output = context.output;
    let file = unlock::open(args, &context.input, output)?;
    let vault = file.vault();
    let infos = vault.log()?;
    if output.json {
        let lines: Vec<_> = infos.iter().map(|info| Line::of(vault, info)).collect();
        return output.lines(&lines);
    }
    output.result(&(), || {
        infos.iter().map(|info| commit_text(vault, info)).collect()
    })
}

/// A commit as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    vault_id: String,
    seq: u64,
    at: Option<&'a Timestamp>,
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
    signed_by: Option<String>,
    changed: &'a [PropertyName],
    source: Option<Version>,
    note: Option<&'a str>,
    request_id: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(vault: &Vault<FileSource>, info: &'a CommitInfo) -> Self {
        let records = info.records.iter().map(|kept| (kept, &kept.overview));
        let records = records.map(|(kept, record)| Record {
            id: record.id.as_str(),
            version: record.version,
            op: record.op,
            at: &record.at,
            author: author(vault, record.author),
            signed_by: kept.signed_by.map(|grant| author(vault, grant)),
            changed: &record.changed,
            source: record.source,
            note: record.note.as_deref(),
            request_id: record.request_id.as_deref(),
        });
        Self {
            vault_id: vault.head().vault_id.to_string(),
            seq: info.seq,
            at: moment_of(info),
            snapshot: info.snapshot,
            author: author(vault, info.author),
            signature: info.signature,
            records: records.collect(),
        }
    }
}

/// Changes are as old as their records; those of a snapshot are older than it.
fn moment_of(info: &CommitInfo) -> Option<&Timestamp> {
    let newest = info.records.last().filter(|_| !info.snapshot);
    newest.map(|kept| &kept.overview.at)
}

fn commit_text(vault: &Vault<FileSource>, info: &CommitInfo) -> String {
    let signature = match info.signature {
        SignatureState::Valid => "",
        _ => "  INVALID SIGNATURE",
    };
    let kind = match info.snapshot {
        true => format!("snapshot of {}", count(info.records.len(), "version")),
        false => "changes".to_owned(),
    };
    let author = author(vault, info.author);
    let line = format!("commit {} by {}: {kind}", info.seq, printable(&author));
    let mut out = format!("{}{}\n", styled(BOLD, &line), styled(RED, signature));
    for kept in &info.records {
        let record = &kept.overview;
        let note = record.note.as_deref();
        let note = note.map_or(String::new(), |note| format!("  ({})", printable(note)));
        let _ = writeln!(
            out,
            "  {} {} {} version {}, signed by {}: {}{note}",
            moment(&record.at),
            op_text(record),
            printable(record.id.as_str()),
            record.version,
            printable(&signer(vault, kept)),
            printable(&names(&record.changed)),
        );
    }
    out
}
