//! Commands that change one connector without an action: `add`, `restore`, `delete`.

use std::path::Path;

use connector_vault::{
    ConnectorId, NewConnector, Op, Options, Outcome, Overview, Properties, PropertyName, Secret,
    Vault, Version,
};

use super::Context;
use crate::cli::{AddArgs, ConnectorArgs, RestoreArgs};
use crate::failure::{Failure, Result};
use crate::input::{Text, Wanted, name_and_rest, set_variable};
use crate::random::Recipe;
use crate::report::{self, Origin};
use crate::terminal::shell_word;
use crate::unlock;

pub(super) fn add(args: &AddArgs, context: &Context) -> Result<()> {
    let (meta, properties) = (meta(args)?, properties(args, context)?);
    let id = args.id.as_deref().map(ConnectorId::new).transpose()?;
    let options = Options {
        allow_mask: args.allow_mask,
        ..Options::default()
    };
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let outcomes = file.change_planned(|vault, host| {
        let id = id
            .clone()
            .unwrap_or_else(|| ConnectorId::generate(host.rng));
        let (name, type_name) = (args.name.as_str(), args.type_name.as_str());
        let connector =
            NewConnector::new(id.as_str(), name, type_name).with_properties(&properties);
        let connector = meta.iter().fold(connector, |connector, (name, text)| {
            connector.meta(*name, *text)
        });
        Ok(vec![vault.plan_create(&connector, &options)?])
    })?;
    print(&outcomes, context)
}

/// Names and texts of `--meta`, each ending at the first `=`.
fn meta(args: &AddArgs) -> Result<Vec<(&str, &str)>> {
    let pairs = args.meta.iter().map(|given| {
        given.split_once('=').ok_or_else(|| {
            Failure::usage("--meta needs a name, = and a text")
                .hint("for instance --meta description='of billing'")
        })
    });
    pairs.collect()
}

fn properties(args: &AddArgs, context: &Context) -> Result<Properties> {
    let mut properties = match &args.from_json {
        None => Properties::new(),
        Some(path) => {
            let wanted = Wanted::list("the list of properties", "--from-json");
            let text = context.input.text(path, wanted)?;
            Properties::from_json(&text)
                .map_err(|error| Failure::from(error).within("the properties"))?
        }
    };
    let mut set = |name: &str, mut value: Text| {
        let value = Secret::new(std::mem::take(&mut *value))
            .map_err(|error| Failure::from(error).within(property_named(name)))?;
        match properties.set(PropertyName::new(name)?, value)? {
            None => Ok(()),
            Some(_) => Err(Failure::usage(format!(
                "{} is given twice",
                property_named(name)
            ))),
        }
    };
    for text in &args.set_file {
        let (name, path) = name_and_rest("--set-file", text)?;
        let what = format!("the value of {}", property_named(name));
        let wanted = Wanted::value(&what, "--set-file");
        let value = context.input.value(Path::new(path), wanted)?;
        set(name, wanted.full(value, args.allow_empty)?)?;
    }
    for text in &args.set_env {
        let (name, variable) = name_and_rest("--set-env", text)?;
        let what = format!("the value of {}", property_named(name));
        let wanted = Wanted::value(&what, "--set-env");
        set(
            name,
            wanted.full(set_variable(variable, wanted)?, args.allow_empty)?,
        )?;
    }
    for text in &args.set_random {
        let (name, recipe) = match text.contains('=') {
            false => (text.as_str(), Recipe::default()),
            true => {
                let (name, recipe) = name_and_rest("--set-random", text)?;
                let asked_by = format!("--set-random for {}", property_named(name));
                (name, Recipe::parse(recipe, &asked_by)?)
            }
        };
        set(name, recipe.value(context.output)?)?;
    }
    Ok(properties)
}

fn property_named(name: &str) -> String {
    format!("the property {name:?}")
}

pub(super) fn restore(args: &RestoreArgs, context: &Context) -> Result<()> {
    let version = Version::new(args.to_version)?;
    let ConnectorArgs { vault, id } = &args.connector;
    let mut file = unlock::open(vault, &context.input, context.output)?;
    let outcome = file
        .restore(id, version)
        .map_err(|error| Failure::from(error).about(file.vault()))?;
    print(&[outcome], context)
}

pub(super) fn delete(args: &ConnectorArgs, context: &Context) -> Result<()> {
    let ConnectorArgs { vault, id } = args;
    let mut file = unlock::open(vault, &context.input, context.output)?;
    let outcome = file
        .delete(id)
        .map_err(|error| Failure::from(error).about(file.vault()))?;
    let kept = last_with_values(file.vault(), id);
    print_with(&[outcome], context, || match &kept {
        Some(kept) => way_back(&args.vault.path.to_string_lossy(), kept),
        None => String::new(),
    })
}

/// `None` also where it does not open: the connector is deleted all the same.
fn last_with_values(vault: &Vault, id: &str) -> Option<Overview> {
    let versions = vault.history(id).ok()?;
    let mut newest_first = versions.into_iter().rev().map(|kept| kept.overview);
    newest_first.find(|overview| overview.op != Op::Delete)
}

/// How to look at what was deleted, and to have it again.
fn way_back(vault: &str, kept: &Overview) -> String {
    let vault = shell_word(vault);
    let (id, version) = (shell_word(kept.id.as_str()), kept.version);
    let (name, type_name) = (shell_word(&kept.name), shell_word(&kept.type_name));
    format!(
        "Version {version} still has its values:\n  \
         cvault show {vault} {id} --version {version} --reveal\n\
         To have it again, add it with them:\n  \
         cvault add {vault} --id {id} --name {name} --type {type_name} --from-json FILE"
    )
}

/// Prints the one outcome of a command.
fn print(outcomes: &[Outcome], context: &Context) -> Result<()> {
    print_with(outcomes, context, String::new)
}

/// As [`print()`], with something below it for people.
fn print_with(
    outcomes: &[Outcome],
    context: &Context,
    below: impl FnOnce() -> String,
) -> Result<()> {
    let [outcome] = outcomes else {
        return Err(Failure::new("internal", "one plan has one outcome"));
    };
    context.output.result(outcome, || {
        report::outcome(outcome, Origin::Command) + &below()
    })?;
    report::warnings(outcome, context.output);
    Ok(())
}
