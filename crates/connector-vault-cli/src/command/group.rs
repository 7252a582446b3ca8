//! `group`: groups of connectors.

use connector_vault_store::FileVault;
use serde_json::json;

use super::Context;
use super::grants::tell_left_out;
use crate::cli::{GroupArgs, GroupCommand, GroupRemoveArgs, GroupRenameArgs, VaultArgs};
use crate::failure::{Failure, Result};
use crate::output::{BOLD, styled};
use crate::report;
use crate::table::Table;
use crate::terminal::printable;
use crate::unlock;

pub(super) fn run(command: GroupCommand, context: &Context) -> Result<()> {
    match command {
        GroupCommand::List(args) => list(&args, context),
        GroupCommand::Add(args) => add(&args, context),
        GroupCommand::Rename(args) => rename(&args, context),
        GroupCommand::Remove(args) => remove(&args, context),
    }
}

fn list(args: &VaultArgs, context: &Context) -> Result<()> {
    let file = unlock::open(args, &context.input, context.output)?;
    let groups = file.vault().groups()?;
    context.output.result(&json!({"groups": groups}), || {
        let mut table = Table::new(["NAME", "CONNECTORS", "GRANTS"]);
        for group in &groups {
            let name = group.name.as_deref().unwrap_or("not listed");
            let (connectors, grants) = (group.connectors.to_string(), group.grants.join(", "));
            table.row([name, &connectors, &grants]);
        }
        table.render()
    })
}

fn add(args: &GroupArgs, context: &Context) -> Result<()> {
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let left_out = file.add_group(&args.name)?;
    report::left_out(&left_out, context.output);
    let name = name_now(&file, &args.name)?;
    context.output.result(&json!({"name": name}), || {
        let head = format!("Added the group {}", printable(&name));
        styled(BOLD, &head).to_string()
    })
}

fn rename(args: &GroupRenameArgs, context: &Context) -> Result<()> {
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let left_out = file.rename_group(&args.old, &args.new)?;
    report::left_out(&left_out, context.output);
    let name = name_now(&file, &args.new)?;
    context.output.result(&json!({"name": name}), || {
        let head = format!(
            "The group {} is {} now",
            printable(&args.old),
            printable(&name)
        );
        styled(BOLD, &head).to_string()
    })
}

/// The name of a group as the vault has it: in normal form.
fn name_now(file: &FileVault, name: &str) -> Result<String> {
    let group = file.vault().find_group(name)?;
    let name = file.vault().group_name(group).map(str::to_owned);
    name.ok_or_else(|| Failure::new("internal", "a group has no name as soon as it is made"))
}

fn remove(args: &GroupRemoveArgs, context: &Context) -> Result<()> {
    let output = context.output;
    let GroupArgs { vault, name } = &args.group;
    let mut file = unlock::open(vault, &context.input, output)?;
    let mut progress = output.progress("sealing again:");
    let to = args.to.as_deref();
    let removed = file
        .remove_group_with(name, to, |done, total| progress.at(done, total))
        .map_err(|error| Failure::from(error).or_hint("`cvault group list` shows the groups"))?;
    tell_left_out(
        &removed.false_versions,
        &removed.damaged,
        &removed.forgotten,
        output,
    );
    let result = json!({
        "name": name,
        "epoch": file.vault().head().epoch,
        "connectors": removed.connectors,
        "revoked": removed.revoked,
        "forgotten": removed.forgotten,
    });
    output.result(&result, || {
        let head = format!("Removed the group {}", printable(name));
        let mut text = styled(BOLD, &head).to_string();
        if !removed.connectors.is_empty() {
            let ids = removed.connectors.iter().map(|id| printable(id.as_str()));
            let ids: Vec<_> = ids.collect();
            text += &format!("\nFormer versions went of {}", ids.join(", "));
        }
        if !removed.revoked.is_empty() {
            let labels: Vec<_> = removed
                .revoked
                .iter()
                .map(|label| printable(label))
                .collect();
            text += &format!(
                "\nRevoked, without a right elsewhere: {}",
                labels.join(", ")
            );
        }
        text
    })
}
