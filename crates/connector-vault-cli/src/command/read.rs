//! Commands that show connectors: `list` and `show`.

use std::fmt::Write as _;

use connector_vault::{Connector, Meta, Op, Overview, PropertyName, Timestamp, Vault, Version};
use connector_vault_store::FileSource;
use serde::Serialize;

use super::Context;
use crate::cli::{ConnectorArgs, ListArgs, ShowArgs};
use crate::failure::{Failure, Result};
use crate::output::{BOLD, DIM, styled};
use crate::report::MASK;
use crate::table::Table;
use crate::terminal::{printable, printable_value};
use crate::unlock;

/// A connector without its values.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    id: &'a str,
    group: Option<&'a str>,
    name: &'a str,
    #[serde(rename = "type")]
    type_name: &'a str,
    version: Version,
    updated_at: &'a Timestamp,
    created_at: &'a Timestamp,
    rotated_at: &'a Timestamp,
    meta: &'a Meta,
    properties: &'a [PropertyName],
}

impl<'a> Summary<'a> {
    pub(super) fn of(vault: &'a Vault<FileSource>, overview: &'a Overview) -> Self {
        Self {
            id: overview.id.as_str(),
            group: vault.group_name(overview.group),
            name: &overview.name,
            type_name: &overview.type_name,
            version: overview.version,
            updated_at: &overview.at,
            created_at: &overview.created_at,
            rotated_at: &overview.rotated_at,
            meta: &overview.meta,
            properties: &overview.properties,
        }
    }
}

/// The connectors in the order that people read, and those that do not open.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) overviews: Vec<Overview>,
    pub(super) damaged: Vec<Damaged>,
}

/// A connector that does not open, or a page of the index that does not.
#[derive(Serialize)]
pub(super) struct Damaged {
    id: Option<String>,
    code: &'static str,
    message: String,
}

impl Listed {
    pub(super) fn of(vault: &Vault<FileSource>) -> Self {
        let mut listed = Self::default();
        for connector in vault.list() {
            match connector {
                Ok(overview) => listed.overviews.push(overview),
                Err(error) => listed.damaged.push(Damaged {
                    id: error.connector().map(str::to_owned),
                    code: error.code().as_str(),
                    message: error.message().to_owned(),
                }),
            }
        }
        let order = |overview: &Overview| (overview.name.clone(), overview.id.clone());
        listed.overviews.sort_by_cached_key(order);
        let order = |damaged: &Damaged| (damaged.id.clone(), damaged.message.clone());
        listed.damaged.sort_by_cached_key(order);
        listed
    }
}

pub(super) fn list(args: &ListArgs, context: &Context) -> Result<()> {
    #[derive(Serialize)]
    struct List<'a> {
        connectors: Vec<Summary<'a>>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        damaged: &'a [Damaged],
    }
    let file = unlock::open(&args.vault, &context.input, context.output)?;
    let vault = file.vault();
    let mut listed = Listed::of(vault);
    if let Some(group) = &args.group {
        let group = vault.find_group(group)?;
        listed.overviews.retain(|overview| overview.group == group);
    }
    for damaged in &listed.damaged {
        context.output.warn(damaged.code, &damaged.message);
    }
    let list = List {
        connectors: {
            let summary = |overview| Summary::of(vault, overview);
            listed.overviews.iter().map(summary).collect()
        },
        damaged: &listed.damaged,
    };
    context.output.result(&list, || match &args.group {
        Some(_) if listed.overviews.is_empty() && listed.damaged.is_empty() => {
            "The group has no connectors.".to_owned()
        }
        _ => list_text(vault, &listed),
    })
}

pub(super) fn list_text(vault: &Vault<FileSource>, listed: &Listed) -> String {
    let Listed { overviews, damaged } = listed;
    if overviews.is_empty() && damaged.is_empty() {
        return "The vault has no connectors yet; `cvault add` adds one.".to_owned();
    }
    let mut table = Table::new([
        "ID",
        "GROUP",
        "NAME",
        "TYPE",
        "VERSION",
        "UPDATED",
        "PROPERTIES",
        "",
    ]);
    // Most vaults have one group.
    let group_of = |overview: &Overview| vault.group_name(overview.group).unwrap_or("unknown");
    let is_one = overviews.iter().all(|one| group_of(one) == "default");
    let group = |overview: &Overview| match is_one {
        true => String::new(),
        false => group_of(overview).to_owned(),
    };
    for overview in overviews {
        table.row([
            overview.id.as_str(),
            &group(overview),
            &overview.name,
            &overview.type_name,
            &overview.version.to_string(),
            &moment(&overview.at),
            &names(&overview.properties),
            "",
        ]);
    }
    for damaged in damaged {
        let id = damaged.id.as_deref().unwrap_or("unknown");
        table.row([id, "", "", "", "", "", "", damaged.code]);
    }
    table.drop_empty_column(7);
    table.drop_empty_column(1);
    table.render()
}

/// A time as people read it: to the second.
pub(super) fn moment(at: &Timestamp) -> String {
    format!("{}Z", at.as_str()[..19].replace('T', " "))
}

pub(super) fn names(names: &[PropertyName]) -> String {
    let names: Vec<_> = names.iter().map(PropertyName::as_str).collect();
    names.join(", ")
}

pub(super) fn show(args: &ShowArgs, context: &Context) -> Result<()> {
    let ConnectorArgs { vault, id } = &args.connector;
    let version = args.at_version.map(Version::new).transpose()?;
    let file = unlock::open(vault, &context.input, context.output)?;
    let vault = file.vault();
    let about = |error: connector_vault::Error| Failure::from(error).about(vault);
    if args.reveal {
        let connector = match version {
            Some(version) => vault.read_version(id, version),
            None => vault.read(id),
        }
        .map_err(about)?;
        #[derive(Serialize)]
        struct Revealed<'a> {
            group: Option<&'a str>,
            #[serde(flatten)]
            connector: &'a Connector,
        }
        let overview = overview(vault, id, version)?;
        let revealed = Revealed {
            group: vault.group_name(overview.group),
            connector: &connector,
        };
        if version.is_none() {
            warn_of_bad_patches(vault, id, context)?;
        }
        return context
            .output
            .result(&revealed, || revealed_text(&connector));
    }
    let overview = overview(vault, id, version)?;
    let summary = Summary::of(vault, &overview);
    context.output.result(&summary, || summary_text(&summary))
}

fn overview(vault: &Vault<FileSource>, id: &str, version: Option<Version>) -> Result<Overview> {
    match version {
        Some(version) => overview_at(vault, id, version),
        None => vault
            .overview(id)
            .map_err(|error| Failure::from(error).about(vault)),
    }
}

fn overview_at(vault: &Vault<FileSource>, id: &str, version: Version) -> Result<Overview> {
    let found = vault
        .history(id)
        .map_err(|error| Failure::from(error).about(vault))?
        .into_iter()
        .map(|kept| kept.overview)
        .find(|overview| overview.version == version && overview.op != Op::Delete);
    match found {
        Some(overview) => Ok(overview),
        // Says what is wrong with the version, for every role.
        None => Err(match vault.read_version(id, version) {
            Err(error) => error.into(),
            Ok(_) => Failure::new(
                "version_not_found",
                "this version is a patch that has no effect",
            )
            .hint("`cvault verify` says what is wrong with it"),
        }),
    }
}

/// Values may then differ from what an overview lists.
pub(super) fn warn_of_bad_patches(
    vault: &Vault<FileSource>,
    id: &str,
    context: &Context,
) -> Result<()> {
    for bad in vault.bad_patches(id)? {
        let error = bad.error;
        context.output.warn(error.code().as_str(), error.message());
    }
    Ok(())
}

fn heading(id: &str, name: &str, type_name: &str, version: Version, at: &Timestamp) -> String {
    let about = format!(
        "{} ({}), type {}, version {version}, {}",
        printable(id),
        printable(name),
        printable(type_name),
        moment(at)
    );
    format!("{}\n", styled(BOLD, &about))
}

fn meta_text(meta: &Meta) -> String {
    let lines = meta
        .iter()
        .map(|(name, text)| format!("  {}: {}\n", printable(name), printable(text)));
    lines.collect()
}

pub(super) fn summary_text(summary: &Summary<'_>) -> String {
    let Summary {
        id,
        name,
        type_name,
        version,
        updated_at,
        meta,
        properties,
        ..
    } = summary;
    let mut out = heading(id, name, type_name, *version, updated_at);
    out.push_str(&meta_text(meta));
    for name in *properties {
        let _ = writeln!(out, "  {} = {MASK}", printable(name.as_str()));
    }
    if !properties.is_empty() {
        let _ = writeln!(out, "{}", styled(DIM, "  --reveal shows the values"));
    }
    out
}

fn revealed_text(connector: &Connector) -> String {
    let mut out = heading(
        connector.id.as_str(),
        &connector.name,
        &connector.type_name,
        connector.version,
        &connector.updated_at,
    );
    out.push_str(&meta_text(&connector.meta));
    for (name, value) in connector.properties.iter() {
        let name = printable(name.as_str());
        let _ = writeln!(out, "  {name} = {}", *printable_value(value.expose()));
    }
    out
}
