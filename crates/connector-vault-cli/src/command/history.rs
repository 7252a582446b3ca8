//! Commands about former versions: `history`, `diff`, `purge`.

use std::fmt::Write as _;

use connector_vault::{
    Change, ChangeKind, Connector, Op, PropertyName, SignedVersion, Timestamp, Vault, Version,
};
use connector_vault_store::FileSource;
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::audit::{author, op_text, signer};
use super::read::{moment, names};
use crate::cli::{ConnectorArgs, DiffArgs, PurgeArgs};
use crate::failure::{Failure, Result};
use crate::output::{BOLD, GREEN, RED, YELLOW, styled};
use crate::report::{self, Origin, count};
use crate::table::Table;
use crate::terminal::{can_confirm, confirm, printable, printable_value};
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
        signed_by: Option<String>,
        changed: &'a [PropertyName],
        /// Whose values a restore or an undelete took.
        source: Option<Version>,
    }
    let ConnectorArgs { vault, id } = args;
    let file = unlock::open(vault, &context.input, context.output)?;
    let vault = file.vault();
    let versions = vault
        .history(id)
        .map_err(|error| Failure::from(error).about(vault))?;
    let entries = versions.iter().map(|kept| Entry {
        version: kept.overview.version,
        op: kept.overview.op,
        at: &kept.overview.at,
        author: author(vault, kept.overview.author),
        signed_by: kept.signed_by.map(|grant| author(vault, grant)),
        changed: &kept.overview.changed,
        source: kept.overview.source,
    });
    let entries = History {
        versions: entries.collect(),
    };
    context
        .output
        .result(&entries, || history_text(vault, &versions))
}

pub(super) fn history_text(vault: &Vault<FileSource>, versions: &[SignedVersion]) -> String {
    let mut table = Table::new(["VERSION", "OP", "AT", "SIGNED BY", "CHANGED", "NOTE"]);
    for kept in versions {
        let overview = &kept.overview;
        table.row([
            &overview.version.to_string(),
            &op_text(overview),
            &moment(&overview.at),
            &signer(vault, kept),
            &names(&overview.changed),
            overview.note.as_deref().unwrap_or_default(),
        ]);
    }
    table.drop_empty_column(5);
    table.render()
}

pub(super) fn diff(args: &DiffArgs, context: &Context) -> Result<()> {
    let (from, to) = (Version::new(args.from)?, Version::new(args.to)?);
    let ConnectorArgs { vault, id } = &args.connector;
    let file = unlock::open(vault, &context.input, context.output)?;
    let vault = file.vault();
    let changes = vault
        .diff(id, from, to)
        .map_err(|error| Failure::from(error).about(vault))?;
    let about = format!("{}, version {from} -> {to}", printable(id));
    let head = match changes.is_empty() {
        true => format!("{}: nothing differs\n", styled(BOLD, &about)),
        false => format!("{}\n", styled(BOLD, &about)),
    };
    if args.reveal {
        let sides = (vault.read_version(id, from)?, vault.read_version(id, to)?);
        let changes: Vec<_> = changes
            .iter()
            .map(|change| RevealedChange::of(change, &sides))
            .collect();
        let result = RevealedDiff {
            id,
            from,
            to,
            changes,
        };
        return context
            .output
            .result(&result, || head + &revealed_text(&result.changes));
    }
    let result = json!({"id": id, "from": from, "to": to, "changes": changes});
    context.output.result(&result, || {
        let mut out = head;
        for change in &changes {
            let _ = writeln!(out, "{}", report::line(change, Origin::Command));
        }
        out
    })
}

// A struct, since a JSON value would keep copies of the values in memory.
#[derive(Serialize)]
struct RevealedDiff<'a> {
    id: &'a str,
    from: Version,
    to: Version,
    changes: Vec<RevealedChange<'a>>,
}

#[derive(Serialize)]
struct RevealedChange<'a> {
    name: &'a str,
    change: ChangeKind,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

impl<'a> RevealedChange<'a> {
    fn of(change: &'a Change, (from, to): &'a (Connector, Connector)) -> Self {
        let value = |side: &'a Connector| {
            let value = side.properties.get(&change.name);
            value.map(|value| value.expose())
        };
        Self {
            name: &change.name,
            change: change.change,
            before: value(from),
            after: value(to),
        }
    }
}

fn revealed_text(changes: &[RevealedChange<'_>]) -> String {
    let mut out = String::new();
    for change in changes {
        let name = printable(change.name);
        let value = |value: Option<&str>| printable_value(value.unwrap_or_default());
        let (before, after) = (value(change.before), value(change.after));
        let (style, sign, values) = match (change.before, change.after) {
            (None, _) => (GREEN, "+", format!("= {}", *after)),
            (_, None) => (RED, "-", format!("= {}", *before)),
            _ => (YELLOW, "~", format!("{} -> {}", *before, *after)),
        };
        let _ = writeln!(out, "{}", styled(style, &format!("{sign} {name} {values}")));
    }
    out
}

pub(super) fn purge(args: &PurgeArgs, context: &Context) -> Result<()> {
    let asks = can_confirm() && !context.output.json;
    if !args.yes && !asks {
        return Err(
            Failure::usage("purge cannot be undone, and there is no terminal to ask at")
                .hint("say that it is meant with --yes"),
        );
    }
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let ids: Vec<_> = args.ids.iter().map(String::as_str).collect();
    let of = match ids.len() {
        0 => "all connectors".to_owned(),
        number => count(number, "connector"),
    };
    if !args.yes && !ask(&of)? {
        return Err(Failure::new("not_confirmed", "nothing was purged"));
    }
    let before = file.vault().log_end().end;
    let purged = file
        .purge((!ids.is_empty()).then_some(&*ids))
        .map_err(|error| Failure::from(error).about(file.vault()))?;
    report::left_out(&purged.false_versions, context.output);
    let torn_tails = purged.torn_tails;
    let after = file.vault().log_end().end;
    let result = json!({
        "ids": (!ids.is_empty()).then_some(&ids),
        "log_len_before": before,
        "log_len_after": after,
        "seq": file.vault().head().seq,
        "torn_tails": torn_tails,
    });
    context.output.result(&result, || {
        let mut out = format!(
            "Purged the former versions of {of}: the log had {before} bytes and has {after}\n"
        );
        if torn_tails > 0 {
            let _ = writeln!(out, "Deleted {}", count(torn_tails, "side file"));
        }
        out + "Backups and other copies of the vault still have what they had."
    })
}

fn ask(of: &str) -> Result<bool> {
    confirm(&format!(
        "Drops every version but the newest of {of}, for good. Purge?"
    ))
    .map_err(|error| Failure::io("read from", std::path::Path::new("the terminal"), &error))
}
