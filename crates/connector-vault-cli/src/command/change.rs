//! Commands that change one connector without an action: `add`, `restore`, `delete`, `undelete`, `describe`, `move`.

use std::collections::HashSet;
use std::path::Path;

use connector_vault::{
    ConnectorId, Description, NewConnector, Op, Options, Outcome, Overview, Properties,
    PropertyName, Secret, Vault, Version,
};
use connector_vault_store::FileSource;

use super::Context;
use crate::cli::{
    AddArgs, ConnectorArgs, DescribeArgs, Expires, MoveArgs, RestoreArgs, UndeleteArgs,
};
use crate::failure::{Failure, Result};
use crate::input::{Text, Wanted, name_and_rest, set_variable};
use crate::random::Recipe;
use crate::report::{self, Origin};
use crate::terminal::shell_word;
use crate::unlock;

pub(super) fn add(args: &AddArgs, context: &Context) -> Result<()> {
    let (meta, properties) = (meta(&args.meta)?, properties(args, context)?);
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
        let connector = match &args.group {
            Some(group) => connector.group(group.as_str()),
            None => connector,
        };
        let connector = meta.iter().fold(connector, |connector, (name, text)| {
            connector.meta(*name, *text)
        });
        Ok(vec![vault.plan_create(&connector, &options)?])
    })?;
    print(&outcomes, context)
}

/// Names and texts of `--meta`, each ending at the first `=`.
fn meta(given: &[String]) -> Result<Vec<(&str, &str)>> {
    let pairs = given.iter().map(|given| {
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

pub(super) fn undelete(args: &UndeleteArgs, context: &Context) -> Result<()> {
    let source = args.at_version.map(Version::new).transpose()?;
    let ConnectorArgs { vault, id } = &args.connector;
    let mut file = unlock::open(vault, &context.input, context.output)?;
    let outcome = file
        .undelete(id, source)
        .map_err(|error| Failure::from(error).about(file.vault()))?;
    print(&[outcome], context)
}

pub(super) fn describe(args: &DescribeArgs, context: &Context) -> Result<()> {
    let description = description(args)?;
    let ConnectorArgs { vault, id } = &args.connector;
    let mut file = unlock::open(vault, &context.input, context.output)?;
    let outcome = file
        .describe(id, &description)
        .map_err(|error| Failure::from(error).about(file.vault()))?;
    print(&[outcome], context)
}

/// What the options say of the connector. Each name of meta is given once, however it is given.
fn description(args: &DescribeArgs) -> Result<Description> {
    let mut texts = meta(&args.meta)?;
    texts.extend(args.expires.iter().map(|expires| match expires {
        Expires::Never => ("expires", ""),
        Expires::At(time) => ("expires", time.as_str()),
    }));
    texts.extend(args.description.iter().map(|text| ("description", &**text)));
    let tags = tags(&args.tag)?;
    texts.extend(tags.iter().map(|tags| ("tags", &**tags)));
    if (&args.name, &args.type_name, texts.is_empty()) == (&None, &None, true) {
        return Err(Failure::usage("nothing is said of the connector")
            .hint("say its --name, --type, --expires, --description, --tag or --meta"));
    }
    let mut description = Description::new();
    if let Some(name) = &args.name {
        description = description.name(name);
    }
    if let Some(type_name) = &args.type_name {
        description = description.type_name(type_name);
    }
    let mut seen = HashSet::new();
    for (name, text) in texts {
        if !seen.insert(name) {
            return Err(Failure::usage(format!("the meta {name:?} is given twice")));
        }
        description = match text {
            "" => description.without_meta(name),
            text => description.meta(name, text),
        };
    }
    Ok(description)
}

/// All tags as one text.
fn tags(given: &[String]) -> Result<Option<String>> {
    let is_tag = |tag: &String| !tag.is_empty() && !tag.contains(char::is_whitespace);
    match given {
        [] => Ok(None),
        [none] if none.is_empty() => Ok(Some(String::new())),
        tags if tags.iter().all(is_tag) => Ok(Some(tags.join(" "))),
        _ => Err(Failure::usage("a tag is one word")
            .hint("give --tag once for each tag, or once with an empty word for no tag")),
    }
}

pub(super) fn move_to(args: &MoveArgs, context: &Context) -> Result<()> {
    let ConnectorArgs { vault, id } = &args.connector;
    let mut file = unlock::open(vault, &context.input, context.output)?;
    let outcome = file
        .move_connector(id, &args.to)
        .map_err(|error| Failure::from(error).about(file.vault()))?;
    print(&[outcome], context)
}

/// `None` also where it does not open: the connector is deleted all the same.
fn last_with_values(vault: &Vault<FileSource>, id: &str) -> Option<Overview> {
    let versions = vault.history(id).ok()?;
    let mut newest_first = versions.into_iter().rev().map(|kept| kept.overview);
    newest_first.find(|overview| overview.op != Op::Delete)
}

/// How to look at what was deleted, and to have it again.
fn way_back(vault: &str, kept: &Overview) -> String {
    let vault = shell_word(vault);
    let (id, version) = (shell_word(kept.id.as_str()), kept.version);
    format!(
        "Version {version} still has its values. To have it again:\n  \
         cvault undelete {vault} {id}"
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
