//! `key list`, `key add`, `key remove`: key slots, and the external keys of one's own grant.

use connector_vault::{KeySlotInfo, KeySlotKind, KeySlotRef, KeySlotSalt};
use connector_vault_store::FileVault;
use serde_json::json;

use super::Context;
use crate::cli::{KeyAddArgs, KeyCommand, KeyListArgs, KeyRemoveArgs};
use crate::failure::Result;
use crate::output::{BOLD, styled};
use crate::table::Table;
use crate::terminal::printable;
use crate::unlock;

pub(super) fn run(command: KeyCommand, context: &Context) -> Result<()> {
    match command {
        KeyCommand::List(args) => list(&args, context),
        KeyCommand::Add(args) => add(&args, context),
        KeyCommand::Remove(args) => remove(&args, context),
    }
}

fn list(args: &KeyListArgs, context: &Context) -> Result<()> {
    let slots = unlock::key_slots(args)?;
    context.output.result(&json!({"key_slots": slots}), || {
        let mut table = Table::new(["GRANT", "OPENS BY", "HINT", "COST", "SLOT", ""]);
        for slot in &slots {
            let [kind, hint, cost, salt] = cells(slot);
            let broken = slot.broken.as_deref().map(|why| format!("broken: {why}"));
            table.row([
                slot.label.as_deref().unwrap_or("unknown"),
                &kind,
                &hint,
                &cost,
                &salt,
                broken.as_deref().unwrap_or_default(),
            ]);
        }
        table.drop_empty_column(5);
        table.render()
    })
}

fn cells(slot: &KeySlotInfo) -> [String; 4] {
    let kind = match slot.kind {
        Some(KeySlotKind::Passphrase) => "passphrase",
        Some(KeySlotKind::Key) => "key",
        _ => "unknown",
    };
    let hint = slot.hint.as_deref().map(unlock::hint_text);
    let cost = slot.cost.map(|cost| {
        // As RFC 9106 names them.
        format!("m={},t={},p={}", cost.memory_kib, cost.passes, cost.lanes)
    });
    let salt = slot.salt.map(|salt| salt.to_string());
    [
        kind.to_owned(),
        hint.unwrap_or_default(),
        cost.unwrap_or_default(),
        salt.unwrap_or_default(),
    ]
}

fn add(args: &KeyAddArgs, context: &Context) -> Result<()> {
    let hint = unlock::hint_bytes(&args.hint)?;
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let key = unlock::new_key(&context.input)?;
    file.add_key(&key, &hint)?;
    let text = format!("An external key opens {} now", label(&file));
    let result = json!({"label": file.vault().label(), "hint": unlock::hint_text(&hint)});
    context.output.result(&result, || {
        format!(
            "{}\nIts hint stands in the file in clear. Keep the key elsewhere than the vault.",
            styled(BOLD, &text)
        )
    })
}

fn remove(args: &KeyRemoveArgs, context: &Context) -> Result<()> {
    let hint = args.which.hint.as_deref().map(unlock::hint_bytes);
    let hint = hint.transpose()?;
    let salt = args.which.slot.as_deref();
    let salt = salt.map(str::parse::<KeySlotSalt>).transpose()?;
    let which = match salt {
        Some(salt) => KeySlotRef::Salt(salt),
        None => KeySlotRef::Hint(hint.as_deref().unwrap_or_default()),
    };
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    file.remove_key(which)?;
    let text = format!("The external key opens {} no more", label(&file));
    let result = json!({"label": file.vault().label()});
    context.output.result(&result, || {
        format!(
            "{}\nOld copies of the vault still open by it, and with the identity in them also this vault. If the\nkey is \
             known to somebody, let an owner revoke this grant and grant again.",
            styled(BOLD, &text)
        )
    })
}

fn label(file: &FileVault) -> String {
    printable(file.vault().label()).into_owned()
}
