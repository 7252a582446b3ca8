//! `PropertiesJson`: parsed as JSON first, so that no token value can add or override a property
//! that it does not stand for (docs/action.md section 4).

use crate::connector::Text;
use crate::error::{Code, Error, Result, quoted};
use crate::json::{self, Member, Syntax, Value};
use crate::token::{Expander, Infos, Template, bracketed, token_len};

const PLACE: &str = "PropertiesJson";

/// The text of `PropertiesJson`, by form.
pub(super) enum Document<'t> {
    /// Empty or white space: no properties.
    Empty,
    /// One token as a whole.
    Token(&'t str),
    /// A JSON object, and the text that its positions refer to.
    Object(Vec<Member>, &'t str),
}

impl<'t> Document<'t> {
    pub(super) fn parse(text: &'t str, tokens: bool) -> Result<Self> {
        Self::parse_inner(text, tokens).map_err(|error| error.within(PLACE).of(PLACE))
    }

    fn parse_inner(text: &'t str, tokens: bool) -> Result<Self> {
        let trimmed = text.trim_matches(is_space);
        if trimmed.is_empty() {
            return Ok(Self::Empty);
        }
        if tokens && is_token(trimmed)? {
            return Ok(Self::Token(trimmed));
        }
        let syntax = match tokens {
            true => Syntax::template(token_len),
            false => Syntax::PROPERTIES,
        };
        match json::parse(text, syntax)? {
            Value::Object(members) => {
                check_names(&members, text)?;
                Ok(Self::Object(members, text))
            }
            other => Err(Error::new(
                Code::NotAnObject,
                format!("{}, not a JSON object", other.kind()),
            )),
        }
    }

    pub(super) fn list(&self, infos: &mut Infos) -> Result<()> {
        match self {
            Self::Empty => Ok(()),
            Self::Token(text) => list_text(text, infos),
            Self::Object(members, _) => list_members(members, infos),
        }
    }

    /// The properties, every token in them expanded.
    pub(super) fn expand(self, expander: &mut Expander<'_>) -> Result<Vec<Member>> {
        match self {
            Self::Empty => Ok(Vec::new()),
            Self::Token(text) => expand_whole(text, expander),
            Self::Object(members, text) => expand_members(members, text, expander),
        }
        .map_err(|error| error.within(PLACE).of(PLACE))
    }

    /// The properties as they stand there.
    pub(super) fn literal(self) -> Vec<Member> {
        match self {
            Self::Object(members, _) => members,
            Self::Empty | Self::Token(_) => Vec::new(),
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_token(text: &str) -> Result<bool> {
    // Literals in brackets are arrays, as everywhere.
    let array = matches!(text, "[null]" | "[true]" | "[false]");
    Ok(!array && token_len(text)? == Some(text.len()))
}

fn check_names(members: &[Member], text: &str) -> Result<()> {
    match members.iter().find(|member| member.name.is_empty()) {
        Some(member) => {
            let position = json::position(text, member.at);
            let message = format!("a property name is empty at {position}");
            Err(Error::new(Code::EmptyPropertyName, message).at(position))
        }
        None => Ok(()),
    }
}

fn twice(member: &Member, text: &str) -> Error {
    let name = quoted(&member.name);
    let position = json::position(text, member.at);
    Error::new(
        Code::DuplicateName,
        format!("the name {name} stands twice after its tokens are expanded, at {position}"),
    )
    .at(position)
}

fn name_of(template: &Template) -> String {
    template
        .first_token()
        .map_or_else(String::new, |name| bracketed(&name))
}

fn expand_whole(text: &str, expander: &mut Expander<'_>) -> Result<Vec<Member>> {
    let template = Template::parse(text)?;
    let resolved = expander.expand(&template)?;
    if resolved.trim_matches(is_space).is_empty() {
        return Ok(Vec::new());
    }
    let name = name_of(&template);
    // Whatever is wrong with it, its position and its text are the value's.
    match json::parse(&resolved, Syntax::resolved(0)) {
        Ok(Value::Object(members)) => Ok(members
            .into_iter()
            .map(|member| Member { at: 0, ..member })
            .collect()),
        Err(error) if error.code() == Code::DuplicateName => Err(Error::new(
            Code::DuplicateName,
            format!("the token {name} resolves to an object with a name twice"),
        )),
        Ok(_) | Err(_) => Err(Error::new(
            Code::TokenNotAnObject,
            format!("the token {name} does not resolve to a JSON object"),
        )),
    }
}

fn expand_members(
    members: Vec<Member>,
    text: &str,
    expander: &mut Expander<'_>,
) -> Result<Vec<Member>> {
    let mut expanded = Vec::with_capacity(members.len());
    for member in members {
        let at = member.at;
        let here = |error: Error| error.at(json::position(text, at));
        let name = expand_text(&member.name, expander).map_err(here)?;
        // One level is around each property's value.
        let value = expand_value(member.value, 1, expander)
            .map_err(|error| here(error.within(format_args!("property {}", quoted(&name)))))?;
        expanded.push(Member { name, at, value });
    }
    check_names(&expanded, text)?;
    match json::find_duplicate(&expanded) {
        Some(member) => Err(twice(member, text)),
        None => Ok(expanded),
    }
}

fn expand_text(text: &str, expander: &mut Expander<'_>) -> Result<Text> {
    expander.expand(&Template::parse(text)?)
}

fn expand_value(value: Value, depth: usize, expander: &mut Expander<'_>) -> Result<Value> {
    Ok(match value {
        Value::String(text) => Value::String(expand_text(&text, expander)?),
        Value::Token(text) => {
            let template = Template::parse(&text)?;
            let resolved = expander.expand(&template)?;
            json::parse(&resolved, Syntax::resolved(depth)).map_err(|_| {
                let name = name_of(&template);
                Error::new(
                    Code::TokenNotJson,
                    format!("the token {name} does not resolve to exactly one JSON value"),
                )
                .hint("to take its value as text, write the token in double quotes")
            })?
        }
        Value::Array(values) => Value::Array(
            values
                .into_iter()
                .map(|value| expand_value(value, depth + 1, expander))
                .collect::<Result<_>>()?,
        ),
        Value::Object(members) => {
            let members = members
                .into_iter()
                .map(|Member { name, at, value }| {
                    Ok(Member {
                        name: expand_text(&name, expander)?,
                        at,
                        value: expand_value(value, depth + 1, expander)?,
                    })
                })
                .collect::<Result<Vec<_>>>()?;
            if json::find_duplicate(&members).is_some() {
                // No name: inside a property, names are part of its value.
                return Err(Error::new(
                    Code::DuplicateName,
                    "a name stands twice in one object after its tokens are expanded",
                ));
            }
            Value::Object(members)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    })
}

fn list_text(text: &str, infos: &mut Infos) -> Result<()> {
    Template::parse(text)?.list(infos);
    Ok(())
}

fn list_members(members: &[Member], infos: &mut Infos) -> Result<()> {
    for member in members {
        list_text(&member.name, infos)?;
        list_value(&member.value, infos)?;
    }
    Ok(())
}

fn list_value(value: &Value, infos: &mut Infos) -> Result<()> {
    match value {
        Value::String(text) | Value::Token(text) => list_text(text, infos),
        Value::Array(values) => values.iter().try_for_each(|value| list_value(value, infos)),
        Value::Object(members) => list_members(members, infos),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}
