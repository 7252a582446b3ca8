//! `get`: the value of one property, for scripts.

use base64ct::{Base64, Encoding as _};
use connector_vault::{Connector, Secret, Version};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::Context;
use super::read::warn_of_bad_patches;
use super::transfer::write_private;
use crate::cli::{ConnectorArgs, FormatArg, GetArgs};
use crate::failure::{Failure, Result};
use crate::output::not_json;
use crate::terminal::printable;
use crate::{unlock, variable};

pub(super) fn get(args: &GetArgs, context: &Context) -> Result<()> {
    let ConnectorArgs { vault, id } = &args.connector;
    let version = args.at_version.map(Version::new).transpose()?;
    let file = unlock::open(vault, &context.input, context.output)?;
    let connector = match version {
        Some(version) => file.vault().read_version(id, version),
        None => file.vault().read(id),
    }
    .map_err(|error| Failure::from(error).about(file.vault()))?;
    if version.is_none() {
        warn_of_bad_patches(file.vault(), id, context)?;
    }
    let value = property(&connector, &args.property)?;
    let mut text = formatted(args.format, &args.property, value)?;
    if args.newline {
        // With room for it, so that no copy of the value is left behind.
        let mut line = Zeroizing::new(String::with_capacity(text.len() + 1));
        line.push_str(&text);
        line.push('\n');
        text = line;
    }
    print(&text, &connector, args, context)
}

fn print(text: &str, connector: &Connector, args: &GetArgs, context: &Context) -> Result<()> {
    // A struct, since a JSON value would keep a copy of the value in memory.
    #[derive(Serialize)]
    struct Got<'a> {
        id: &'a str,
        version: Version,
        property: &'a str,
        format: &'a str,
        value: &'a str,
    }
    let (id, version) = (connector.id.as_str(), connector.version);
    let (property, format) = (args.property.as_str(), args.format.as_str());
    let Some(path) = &args.out else {
        return match context.output.json {
            false => context.output.raw(text),
            true => context.output.document(&Got {
                id,
                version,
                property,
                format,
                value: text,
            }),
        };
    };
    write_private(path, text.as_bytes())?;
    let path = path.to_string_lossy();
    let result =
        json!({"id": id, "version": version, "property": property, "format": format, "path": path});
    context.output.result(&result, || {
        format!("Wrote the value, in clear, to {}", printable(&path))
    })
}

/// The value of a property. Fails with `property_not_found`; the name that is wrong may be the value itself,
/// put in its place, and is not told.
pub(super) fn property<'a>(connector: &'a Connector, name: &str) -> Result<&'a Secret> {
    connector.properties.get(name).ok_or_else(|| {
        let failure = Failure::new(
            "property_not_found",
            format!(
                "the connector {:?} has no property of this name",
                connector.id.as_str()
            ),
        );
        let names = connector.properties.iter().map(|(name, _)| name.as_str());
        match names
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(name))
        {
            Some(near) => failure.hint(format!("did you mean {near:?}?")),
            None => failure.hint("`cvault show` lists the names of its properties"),
        }
    })
}

fn formatted(format: FormatArg, name: &str, value: &Secret) -> Result<Zeroizing<String>> {
    let value = value.expose();
    Ok(match format {
        FormatArg::Raw => Zeroizing::new(value.to_owned()),
        FormatArg::Json => Zeroizing::new(serde_json::to_string(value).map_err(not_json)?),
        FormatArg::Env => variable::dotenv(name, value)?,
        FormatArg::Shell => variable::shell(name, value)?,
        FormatArg::Base64 => Zeroizing::new(Base64::encode_string(value.as_bytes())),
    })
}

impl FormatArg {
    /// The word that stands on the command line and in JSON.
    fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Json => "json",
            Self::Env => "env",
            Self::Shell => "shell",
            Self::Base64 => "base64",
        }
    }
}
