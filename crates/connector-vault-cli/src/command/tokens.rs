//! `tokens`: what an action needs before it can be carried out. No vault is opened.

use connector_vault::{Action, TokenInfo};
use serde::Serialize;

use super::Context;
use crate::cli::TokensArgs;
use crate::failure::{Failure, Result};
use crate::input::Wanted;
use crate::table::Table;

// A struct, since a JSON value would keep copies of parameters in memory.
#[derive(Serialize)]
struct Tokens<'a> {
    tokens: &'a [TokenInfo],
}

pub(super) fn tokens(args: &TokensArgs, context: &Context) -> Result<()> {
    let text = context.input.text(&args.action, Wanted::ACTION)?;
    let infos = Action::parse(&text)
        .and_then(|action| action.tokens())
        .map_err(|error| Failure::of_action(error, &text, false))?;
    context
        .output
        .result(&Tokens { tokens: &infos }, || table(&infos))
}

fn table(infos: &[TokenInfo]) -> String {
    if infos.is_empty() {
        return "The action needs no token".to_owned();
    }
    let mut table = Table::new(["NAME", "KEY", "REQUIRED"]);
    for info in infos {
        let required = if info.required { "yes" } else { "no" };
        table.row([&info.name, &info.key, required]);
    }
    table.render()
}
