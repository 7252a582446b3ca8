//! `import` and `export`: connectors with their values as one document, the project's own or another tool's.

use std::ffi::OsStr;
use std::path::Path;

use connector_vault::{Code, Connector, NewConnectors, OnConflict, Options, Outcome, Plan, Vault};
use connector_vault_import::{Export, Imported, Kind, NotTaken};
use connector_vault_store::{Error, FileSource, FileVault};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::Context;
use crate::cli::{ExportArgs, ImportArgs, OnConflictArg};
use crate::failure::{Failure, Result};
use crate::input::{Text, Wanted, set_variable};
use crate::output::not_json;
use crate::report::{self, count};
use crate::unlock;

pub(super) fn import(args: &ImportArgs, context: &Context) -> Result<()> {
    // Before the vault is opened, which may take a while.
    let Imported {
        connectors,
        not_taken,
    } = read(args, context)?;
    let on_conflict = match args.on_conflict {
        OnConflictArg::Fail => OnConflict::Fail,
        OnConflictArg::Skip => OnConflict::Skip,
        OnConflictArg::Update => OnConflict::Update,
    };
    let options = Options {
        allow_mask: args.allow_mask,
        group: args.group.clone(),
        ..Options::default()
    };
    let mut skipped = Vec::new();
    let mut plan = |vault: &Vault<FileSource>| {
        let import = vault.plan_import_with(&connectors, on_conflict, &options)?;
        skipped = import.skipped;
        Ok(import.plans)
    };
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let planned = match args.plan {
        true => plan(file.vault())
            .map(|plans| plans.iter().map(Plan::outcome).collect())
            .map_err(Failure::from),
        false => file
            .change_planned(|vault, _| plan(vault))
            .map_err(Failure::from),
    };
    let outcomes: Vec<Outcome> = planned.map_err(or_on_conflict)?;
    let document = json!({"outcomes": outcomes, "skipped": skipped, "not_taken": not_taken});
    context
        .output
        .result(&document, || report::import(&outcomes, skipped.len()))?;
    report::warnings_of_all(&outcomes, context.output);
    if !context.output.json {
        for NotTaken { entry, what } in &not_taken {
            context
                .output
                .warn("not_taken", &format!("{entry}: not taken over: {what}"));
        }
    }
    Ok(())
}

/// What the file holds: the project's own document, or another tool's export.
fn read(args: &ImportArgs, context: &Context) -> Result<Imported> {
    let wanted = Wanted::list("the list of connectors", "FILE");
    let text = context.input.document(&args.file, wanted)?;
    let mut export = Export::new(text.as_bytes());
    let name = file_name(&args.file);
    if let Some(name) = name {
        export = export.named(name);
    }
    if let Some(kind) = args.from {
        export = export.of_kind(kind);
    }
    let kind = export.kind().map_err(|error| {
        Failure::from(error).or_hint("--from KIND tells it; `cvault import --help` lists the kinds")
    })?;
    if kind == Kind::Json {
        // The core's own errors have more to say.
        return Ok(Imported {
            connectors: parse(&text)?,
            not_taken: Vec::new(),
        });
    }
    if text.starts_with('\u{feff}') {
        context.output.warn(
            "byte_order_mark",
            "the list of connectors begins with a byte order mark, which was left out",
        );
    }
    let beside = name.and_then(|name| kind.beside(name));
    let beside = beside.map(|name| args.file.with_file_name(name));
    let beside = beside.filter(|path| path.is_file());
    let beside = beside.map(|path| {
        let wanted = Wanted::list("the file beside it", "FILE");
        context.input.document(&path, wanted)
    });
    let beside = beside.transpose()?;
    if let Some(text) = &beside {
        export = export.beside(text.as_bytes());
    }
    let key = source_key(args, context)?;
    if let Some(key) = &key {
        export = export.with_key(key);
    }
    export.read().map_err(|error| {
        let needs_key = error.code() == "source_key_required";
        let failure = Failure::from(error).within(format_args!("as {kind}"));
        match needs_key {
            true => failure.or_hint("give it by --source-key-file or --source-key-env"),
            false => failure,
        }
    })
}

/// The name of a file without folders. Standard input and a FIFO have none.
fn file_name(path: &Path) -> Option<&str> {
    let is_file = path != Path::new("-") && path.is_file();
    path.file_name().and_then(OsStr::to_str).filter(|_| is_file)
}

/// The key or password by which the tool has encrypted its export.
fn source_key(args: &ImportArgs, context: &Context) -> Result<Option<Text>> {
    let what = "the key of the export";
    let key = match (&args.source_key_file, &args.source_key_env) {
        (Some(path), _) => {
            let wanted = Wanted::key(what, "--source-key-file");
            context.input.value(path, wanted)?
        }
        (None, Some(name)) => set_variable(name, Wanted::key(what, "--source-key-env"))?,
        (None, None) => return Ok(None),
    };
    match key.is_empty() {
        true => Err(Failure::new(
            Code::EmptyValue.as_str(),
            format!("{what} is empty"),
        )),
        false => Ok(Some(key)),
    }
}

/// The core says that an id is taken; the command line knows what else can be done.
fn or_on_conflict(failure: Failure) -> Failure {
    match failure.code == Code::ConnectorExists.as_str() {
        true => failure.or_hint("--on-conflict skip or update goes on"),
        false => failure,
    }
}

/// Adds the connectors of a document, all in one commit.
pub(super) fn import_text(
    file: &mut FileVault,
    text: &str,
    options: &Options,
) -> Result<Vec<Outcome>> {
    let connectors = parse(text)?;
    Ok(file.change_planned(|vault, _| vault.plan_import(&connectors, options))?)
}

fn parse(text: &str) -> Result<NewConnectors> {
    NewConnectors::parse(text).map_err(|error| {
        // What is wrong with a value has nothing to do with the shape of the document.
        let is_of_value = matches!(error.code(), Code::NullValue | Code::ValueTooLarge);
        let failure = Failure::from(error);
        match is_of_value {
            true => failure,
            false => failure.or_hint(
                r#"the document is {"connectors": [{"id", "name", "type", "properties": {..}}]}"#,
            ),
        }
    })
}

pub(super) fn export(args: &ExportArgs, context: &Context) -> Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        connectors: &'a [Connector],
    }
    let file = unlock::open(&args.vault, &context.input, context.output)?;
    let connectors = connectors_of(file.vault())?;
    let document = Document {
        connectors: &connectors,
    };
    let Some(path) = &args.out else {
        return context.output.document(&document);
    };
    let mut bytes = Zeroizing::new(serde_json::to_vec_pretty(&document).map_err(not_json)?);
    bytes.push(b'\n');
    write_private(path, &bytes)?;
    let number = connectors.len();
    context.output.result(
        &json!({"path": path.to_string_lossy(), "connectors": number}),
        || {
            format!(
                "Wrote {} with their values, in clear, to {}",
                count(number, "connector"),
                crate::terminal::printable(&path.to_string_lossy())
            )
        },
    )
}

/// Every connector with its values, in the order that people read. Fails with the first that does not open: the
/// document would lack it, and nobody would notice.
fn connectors_of(vault: &Vault<FileSource>) -> Result<Vec<Connector>> {
    let listed = vault.list().without_bad_patches();
    let connectors = listed.map(|listed| vault.read(listed?.id.as_str()));
    let connectors = connectors.collect::<Result<Vec<_>, _>>();
    let mut connectors = connectors.map_err(|error| match error.code() {
        Code::Damaged | Code::FalseRecord => Failure::from(error).or_hint(
            "`cvault list` names every damaged connector; `cvault repair` saves the others to a new vault",
        ),
        _ => error.into(),
    })?;
    connectors.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    Ok(connectors)
}

/// Writes a new file that only the user can read, wholly or not at all.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    connector_vault_store::write_new_file(path, bytes).map_err(|error| match error {
        // Its folder, that is.
        Error::Io {
            operation, source, ..
        } => Failure::io(operation, path, &source),
        error => error.into(),
    })
}
