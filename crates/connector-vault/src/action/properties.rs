//! `PropertiesJson`: parsed as JSON first, so that no token value can add or override a property
//! that it does not stand for (docs/action.md section 4).

use super::Options;
use super::problems::Problems;
use crate::error::{Code, Error, Result, quoted};
use crate::json::{self, Member, Syntax, Value};
use crate::secret::Text;
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

    pub(super) fn list(&self, infos: &mut Infos, problems: &mut Problems) {
        problems.within(
            |error| error.within(PLACE).of(PLACE),
            |problems| match self {
                Self::Empty => {}
                Self::Token(text) => _ = problems.check(list_text(text, infos)),
                Self::Object(members, text) => {
                    for member in members {
                        let here = |error: Error| error.at(json::position(text, member.at));
                        let name = list_text(&member.name, infos).map_err(here);
                        problems.check(name);
                        let value = list_value(&member.value, infos);
                        let value = value.map_err(|error| here(of_property(error, &member.name)));
                        problems.check(value);
                    }
                }
            },
        );
    }

    /// The properties, every token in them expanded.
    pub(super) fn expand(
        self,
        expander: &mut Expander<'_>,
        options: &Options,
    ) -> Result<Vec<Member>> {
        let mut expansion = Expansion { expander, options };
        match self {
            Self::Empty => Ok(Vec::new()),
            Self::Token(text) => expansion.whole(text),
            Self::Object(members, text) => expansion.members(members, text),
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

/// The error for a value that is empty because of a token: `what` is wrong with that.
pub(super) fn lost_value(name: &str, what: &str) -> Error {
    Error::new(
        Code::EmptyValue,
        format!(
            "the value is empty, because the token {} {what}",
            bracketed(name)
        ),
    )
    .with_hint(
        "an empty value usually is a value that got lost; if it is meant, allow empty values for \
         this request",
    )
}

struct Expansion<'e, 'h> {
    expander: &'e mut Expander<'h>,
    options: &'e Options,
}

impl Expansion<'_, '_> {
    fn whole(&mut self, text: &str) -> Result<Vec<Member>> {
        let template = Template::parse(text)?;
        let resolved = self.expander.expand(&template)?;
        if resolved.trim_matches(is_space).is_empty() {
            return Ok(Vec::new());
        }
        let name = name_of(&template);
        // Whatever is wrong with it, its position and its text are the value's.
        let members = match json::parse(&resolved, Syntax::resolved(0)) {
            Ok(Value::Object(members)) => members,
            Err(error) if error.code() == Code::DuplicateName => {
                return Err(Error::new(
                    Code::DuplicateName,
                    format!("the token {name} resolves to an object with a name twice"),
                ));
            }
            Ok(_) | Err(_) => {
                return Err(Error::new(
                    Code::TokenNotAnObject,
                    format!("the token {name} does not resolve to a JSON object"),
                ));
            }
        };
        for member in &members {
            self.check(&member.value, "has an empty string there")
                .map_err(|error| of_property(error, &member.name))?;
        }
        Ok(members
            .into_iter()
            .map(|member| Member { at: 0, ..member })
            .collect())
    }

    fn members(&mut self, members: Vec<Member>, text: &str) -> Result<Vec<Member>> {
        let mut expanded = Vec::with_capacity(members.len());
        for member in members {
            let at = member.at;
            let here = |error: Error| error.at(json::position(text, at));
            let name = self.text(&member.name).map_err(here)?;
            // One level is around each property's value.
            let value = self
                .value(member.value, 1)
                .map_err(|error| here(of_property(error, &name)))?;
            expanded.push(Member { name, at, value });
        }
        check_names(&expanded, text)?;
        match json::find_duplicate(&expanded) {
            Some(member) => Err(twice(member, text)),
            None => Ok(expanded),
        }
    }

    fn text(&mut self, text: &str) -> Result<Text> {
        self.expander.expand(&Template::parse(text)?)
    }

    fn value(&mut self, value: Value, depth: usize) -> Result<Value> {
        Ok(match value {
            Value::String(text) => {
                let value = Value::String(self.text(&text)?);
                self.check(&value, "is")?;
                value
            }
            Value::Token(text) => {
                let template = Template::parse(&text)?;
                let resolved = self.expander.expand(&template)?;
                let value = json::parse(&resolved, Syntax::resolved(depth)).map_err(|_| {
                    let name = name_of(&template);
                    Error::new(
                        Code::TokenNotJson,
                        format!("the token {name} does not resolve to exactly one JSON value"),
                    )
                    .with_hint("to take its value as text, write the token in double quotes")
                })?;
                self.check(&value, "is")?;
                value
            }
            Value::Array(values) => Value::Array(
                values
                    .into_iter()
                    .map(|value| self.value(value, depth + 1))
                    .collect::<Result<_>>()?,
            ),
            Value::Object(members) => {
                let mut expanded = Vec::with_capacity(members.len());
                for Member { name, at, value } in members {
                    expanded.push(Member {
                        name: self.text(&name)?,
                        at,
                        value: self.value(value, depth + 1)?,
                    });
                }
                if json::find_duplicate(&expanded).is_some() {
                    // No name: inside a property, names are part of its value.
                    return Err(Error::new(
                        Code::DuplicateName,
                        "a name stands twice in one object after its tokens are expanded",
                    ));
                }
                Value::Object(expanded)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        })
    }

    /// Refuses an empty string that comes from the host, not from the author.
    fn check(&self, value: &Value, what: &str) -> Result<()> {
        match (value, self.expander.answered()) {
            (Value::String(text), Some(name)) if text.is_empty() && !self.options.allow_empty => {
                Err(lost_value(name, what))
            }
            _ => Ok(()),
        }
    }
}

fn of_property(error: Error, name: &str) -> Error {
    error.within(format_args!("property {}", quoted(name)))
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
