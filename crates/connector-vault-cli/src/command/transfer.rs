//! `import` and `export`: connectors with their values as one JSON document.

use std::path::Path;

use connector_vault::{Code, Connector, NewConnectors, Options, Outcome};
use connector_vault_store::{Error, FileVault};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::Context;
use super::read::overviews;
use crate::cli::{ExportArgs, ImportArgs};
use crate::failure::{Failure, Result};
use crate::input::Wanted;
use crate::output::not_json;
use crate::report::{self, count};
use crate::unlock;

pub(super) fn import(args: &ImportArgs, context: &Context) -> Result<()> {
    let wanted = Wanted::list("the list of connectors", "FILE");
    let text = context.input.document(&args.file, wanted)?;
    // Before the vault is opened, which may take a while.
    let connectors = parse(&text)?;
    drop(text);
    let options = Options {
        allow_mask: args.allow_mask,
        ..Options::default()
    };
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let outcomes = file.change_planned(|vault, _| vault.plan_import(&connectors, &options))?;
    context.output.result(&json!({"outcomes": outcomes}), || {
        format!("Imported {}", count(outcomes.len(), "connector"))
    })?;
    report::warnings_of_all(&outcomes, context.output);
    Ok(())
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
    struct Export<'a> {
        connectors: &'a [Connector],
    }
    let tolerant = args.damage.tolerant;
    let file = unlock::open_with(&args.vault, &context.input, context.output, tolerant)?;
    let vault = file.vault();
    let connectors = overviews(vault)?
        .iter()
        .map(|overview| Ok(vault.read(overview.id.as_str())?))
        .collect::<Result<Vec<Connector>>>()?;
    let document = Export {
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
