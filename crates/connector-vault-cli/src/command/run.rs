//! `run`: the platform's action, carried out or only planned.

mod documents;
mod several;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use connector_vault::{
    Action, Asking, Nested, Note, Null, Options, Ran, RequestId, Secret, Version,
};
use connector_vault_store::FileVault;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::Context;
use super::tester::CommandTester;
use crate::cli::{NestedArg, NullArg, RunArgs};
use crate::failure::{Failure, Result};
use crate::input::{Text, Wanted, json_failure, name_and_rest, set_variable};
use crate::random::Recipe;
use crate::{report, unlock};

pub(super) fn run(args: &RunArgs, context: &Context) -> Result<()> {
    let options = options(args)?;
    let tester = tester(args)?;
    let mut documents = documents::read(&args.actions, context)?;
    let document = match documents.len() {
        1 => documents.pop(),
        _ => None,
    };
    let Some(document) = document else {
        return several::run(documents, args, options, tester, context);
    };
    let action = parse(&document.text, &options)?;
    drop(document);
    let mut runner = Runner::new(args, options, tester, context)?;
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let ran = runner
        .run(&mut file, &action)
        .map_err(|error| failure(error).about(file.vault()))?;
    context.output.result(&ran, || report::ran(&ran))?;
    report::warnings_of(&ran, context.output);
    Ok(())
}

fn tester(args: &RunArgs) -> Result<Option<CommandTester>> {
    let command = args.test_with.as_deref();
    let of_tokens = args.token_env.iter();
    let of_tokens =
        of_tokens.filter_map(|text| Some(token("--token-env", text).ok()?.1.to_owned()));
    let of_tokens = of_tokens.filter(|name| !name.is_empty() && !name.contains('='));
    let tester = command.map(CommandTester::parse).transpose()?;
    Ok(tester.map(|tester| tester.hiding(of_tokens.collect())))
}

/// Reads a document, and tells all that is wrong with it.
fn parse(text: &str, options: &Options) -> Result<Action> {
    Action::parse(text).map_err(|error| Failure::of_action(error, text, options.no_tokens))
}

/// What the documents of a command share.
struct Runner {
    options: Options,
    tokens: BTreeMap<String, Secret>,
    tester: Option<CommandTester>,
    plans: bool,
}

impl Runner {
    fn new(
        args: &RunArgs,
        options: Options,
        tester: Option<CommandTester>,
        context: &Context,
    ) -> Result<Self> {
        Ok(Self {
            options,
            tokens: tokens(args, context)?,
            tester,
            plans: args.plan,
        })
    }

    /// Carries an action out, or plans it.
    fn run(
        &mut self,
        file: &mut FileVault,
        action: &Action,
    ) -> Result<Ran, connector_vault_store::Error> {
        let mut asking = Asking::new(&mut self.tokens);
        if let Some(tester) = &mut self.tester {
            asking = asking.tester(tester);
        }
        match self.plans {
            true => file
                .plan_asking(action, &mut asking, &self.options)
                .map(|plan| plan.ran()),
            false => file.run_asking(action, &mut asking, &self.options),
        }
    }
}

/// Says by which option, where there is one for it.
fn failure(error: connector_vault_store::Error) -> Failure {
    let failure = Failure::from(error);
    match failure.code {
        "null_value" => failure.or_hint("--null remove does that"),
        "empty_value" => failure.or_hint("--allow-empty does that"),
        "token_unresolved" => failure.or_hint(
            "--token-env, --token-file, --token-random, --tokens and --token give values, --no-tokens takes brackets as \
             text",
        ),
        _ => failure,
    }
}

fn options(args: &RunArgs) -> Result<Options> {
    Ok(Options {
        if_version: args.if_version.map(Version::new).transpose()?,
        request_id: args.request_id.as_deref().map(RequestId::new).transpose()?,
        null: match args.null {
            NullArg::Reject => Null::Reject,
            NullArg::Remove => Null::Remove,
        },
        nested: match args.nested {
            NestedArg::Replace => Nested::Replace,
            NestedArg::Merge => Nested::Merge,
        },
        allow_mask: args.allow_mask,
        allow_empty: args.allow_empty,
        no_tokens: args.no_tokens,
        note: args.note.as_deref().map(Note::new).transpose()?,
        condition_met: args.condition_met,
        group: args.group.clone(),
    })
}

/// The values of the tokens from all options; each token from one of them.
fn tokens(args: &RunArgs, context: &Context) -> Result<BTreeMap<String, Secret>> {
    let mut tokens = BTreeMap::new();
    let mut add = |name: &str, mut value: Text| {
        let value = Secret::new(std::mem::take(&mut *value))
            .map_err(|error| Failure::from(error).within(token_named(name)))?;
        match tokens.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(Failure::usage(format!(
                "{} is given twice",
                token_named(name)
            ))),
        }
    };
    for text in &args.token {
        let (name, value) = token("--token", text)?;
        add(name, Text::new(value.to_owned()))?;
    }
    for text in &args.token_env {
        let (name, from) = token("--token-env", text)?;
        let what = format!("the value of {}", token_named(name));
        let wanted = Wanted::value(&what, "--token-env");
        add(
            name,
            wanted.full(set_variable(from, wanted)?, args.allow_empty)?,
        )?;
    }
    for text in &args.token_file {
        let (name, path) = token("--token-file", text)?;
        let what = format!("the value of {}", token_named(name));
        let wanted = Wanted::value(&what, "--token-file");
        let value = context.input.value(Path::new(path), wanted)?;
        add(name, wanted.full(value, args.allow_empty)?)?;
    }
    for text in &args.token_random {
        let (name, recipe) = token_and_recipe(text)?;
        add(name, recipe.value(context.output)?)?;
    }
    if let Some(path) = &args.tokens {
        let wanted = Wanted::list("the list of tokens", "--tokens");
        let text = context.input.text(path, wanted)?;
        let TokenList(list) = serde_json::from_str(&text).map_err(|error| {
            json_failure(
                "the list of tokens",
                "a JSON object of strings, each name once",
                &error,
            )
        })?;
        for (name, value) in list {
            add(&name, value)?;
        }
    }
    Ok(tokens)
}

/// `NAME` or `NAME=LENGTH[:ALPHABET]`, where the name may hold parameters with equals signs of their own.
fn token_and_recipe(text: &str) -> Result<(&str, Recipe)> {
    let is_name = |name: &str| {
        let ends = [")", ")]"].iter().any(|end| name.ends_with(end));
        !name.contains('=') || (ends && !name.contains(")=") && !name.contains(")]="))
    };
    if is_name(text) {
        return Ok((text, Recipe::default()));
    }
    let (name, recipe) = token("--token-random", text)?;
    let asked_by = format!("--token-random for {}", token_named(name));
    Ok((name, Recipe::parse(recipe, &asked_by)?))
}

/// A token in messages, without its parameters: they may hold a secret.
fn token_named(name: &str) -> String {
    let name = name.split('(').next().unwrap_or_default();
    format!("the token {name:?}")
}

/// `NAME=REST`, where the name may hold parameters with equals signs of their own.
fn token<'a>(option: &str, text: &'a str) -> Result<(&'a str, &'a str)> {
    let equals = text.find('=').unwrap_or(text.len());
    if !text[..equals].contains('(') {
        return name_and_rest(option, text);
    }
    // The name, perhaps in brackets, ends before the equals sign behind its parameters.
    let ends = [")=", ")]="].map(|end| text.find(end).map(|at| at + end.len() - 1));
    match ends.into_iter().flatten().min() {
        Some(end) => Ok((&text[..end], &text[end + 1..])),
        None => name_and_rest(option, text),
    }
}

/// A JSON object of strings in which no name stands twice.
struct TokenList(Vec<(String, Text)>);

impl<'de> Deserialize<'de> for TokenList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Strings;
        impl<'de> Visitor<'de> for Strings {
            type Value = TokenList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<TokenList, M::Error> {
                let mut list: Vec<(String, Text)> = Vec::new();
                let mut seen = std::collections::HashSet::new();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    let value = Text::new(value);
                    if !seen.insert(name.clone()) {
                        return Err(M::Error::custom("a name stands twice"));
                    }
                    list.push((name, value));
                }
                Ok(TokenList(list))
            }
        }
        deserializer.deserialize_map(Strings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_options() {
        for (text, expected) in [
            ("A=b=c", Some(("A", "b=c"))),
            ("Flow:A=", Some(("Flow:A", ""))),
            ("A(x=1,y=2)=v", Some(("A(x=1,y=2)", "v"))),
            ("A=f(x)=y", Some(("A", "f(x)=y"))),
            ("[A(x=1)]=v", Some(("[A(x=1)]", "v"))),
            ("[A]=v(x=1)]=", Some(("[A]", "v(x=1)]="))),
            ("A", None),
            ("=b", None),
        ] {
            assert_eq!(token("--token", text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn random_tokens() {
        let recipe = Recipe::parse("9:hex", "it").ok();
        for (text, name, given) in [
            ("A", "A", false),
            ("S:A=9:hex", "S:A", true),
            ("S:A(x=1)", "S:A(x=1)", false),
            ("[S:A(x=1,y=\"=\")]", "[S:A(x=1,y=\"=\")]", false),
            ("S:A(x=1)=9:hex", "S:A(x=1)", true),
            ("[S:A(x=1)]=9:hex", "[S:A(x=1)]", true),
        ] {
            let expected = if given { recipe.as_ref() } else { None };
            let (found, made) = token_and_recipe(text).expect("it is right");
            assert_eq!(found, name, "{text}");
            assert_eq!(made, *expected.unwrap_or(&Recipe::default()), "{text}");
        }
        for wrong in ["A=", "=9", "A=9:a", "A=hunter2", "A(x=1)=hunter2"] {
            let failure = token_and_recipe(wrong).expect_err("it is wrong");
            assert_eq!(failure.code, "usage", "{wrong}");
        }
    }
}
