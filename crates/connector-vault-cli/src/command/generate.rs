//! `generate`: a random value.

use serde::Serialize;

use super::Context;
use crate::failure::Result;
use crate::random::Recipe;

pub(super) fn generate(recipe: Option<&str>, context: &Context) -> Result<()> {
    // A struct, since a JSON value would keep a copy of the value in memory.
    #[derive(Serialize)]
    struct Generated<'a> {
        value: &'a str,
    }
    let recipe = match recipe {
        Some(text) => Recipe::parse(text, "LENGTH[:ALPHABET]")?,
        None => Recipe::default(),
    };
    let mut value = recipe.value(context.output)?;
    if context.output.json {
        return context.output.document(&Generated { value: &value });
    }
    // The recipe leaves room for it.
    value.push('\n');
    context.output.raw(&value)
}
