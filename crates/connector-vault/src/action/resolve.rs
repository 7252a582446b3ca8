//! From an action's texts to what it writes: tokens expanded, the grid and the JSON merged
//! (docs/action.md sections 3 and 5).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::document::missing;
use super::properties::{Document, lost_value};
use super::{Action, Changes, Null, Options, Row, Source, Sources, Warning, WarningCode, Write};
use crate::connector::{ConnectorId, PropertyName, check_name};
use crate::error::{Code, Error, Result, quoted};
use crate::json::{self, Member};
use crate::secret::{Text, into_secret};
use crate::token::{Expander, Infos, Template, Tokens, bracketed, is_token_name};

/// The values of tokens that actions set, by their names.
pub(crate) type Outputs = BTreeMap<String, String>;

/// Expands the texts of one action, in the order in which it is asked to.
pub(crate) struct Resolver<'h, 'o> {
    expander: Expander<'h>,
    options: &'o Options,
    changes: Changes,
    /// The index of each name's write, and whether its repetition was warned of.
    by_name: HashMap<PropertyName, (usize, bool)>,
    /// By the index of the write: an empty value from a token, which does no harm if it is
    /// overridden.
    lost: BTreeMap<usize, Error>,
    defaulted: HashSet<String>,
}

impl<'h, 'o> Resolver<'h, 'o> {
    pub(crate) fn new(tokens: &'h mut dyn Tokens, options: &'o Options) -> Self {
        Self {
            expander: Expander::new(tokens),
            options,
            changes: Changes::default(),
            by_name: HashMap::new(),
            lost: BTreeMap::new(),
            defaulted: HashSet::new(),
        }
    }

    /// Warns of what was left out of the document.
    pub(crate) fn document(&mut self, action: &Action) {
        if action.has_mark {
            let message = "the action begins with a byte order mark, which was left out";
            self.warn(WarningCode::ByteOrderMark, message.to_owned());
        }
    }

    pub(crate) fn entry_id(&mut self, text: &Text) -> Result<ConnectorId> {
        let id = self
            .text("EntryId", text)
            .map_err(|error| error.of("EntryId"))?;
        if id.is_empty() {
            return Err(missing("EntryId"));
        }
        ConnectorId::new(id.as_str()).map_err(|error| error.within("EntryId").of("EntryId"))
    }

    /// The name of the token that the action sets: a text that is `[Name]` means the name, not a
    /// token whose value would be the name.
    pub(crate) fn token_name(
        &mut self,
        parameter: &'static str,
        text: Option<&Text>,
    ) -> Result<Option<String>> {
        let Some(text) = text else { return Ok(None) };
        let name = match in_brackets(text) {
            Some(name) => {
                let message = format!("{parameter} names the token in brackets; they were ignored");
                self.warn(WarningCode::TokenNameInBrackets, message);
                name.to_owned()
            }
            None => {
                let name = self
                    .text(parameter, text)
                    .map_err(|error| error.of(parameter))?;
                name.as_str().to_owned()
            }
        };
        match name.is_empty() {
            true => Ok(None),
            // What a token resolved to is not told.
            false => {
                let told = (name == text.as_str()).then(|| format!(": {}", quoted(&name)));
                checked_token_name(parameter, name, &told.unwrap_or_default()).map(Some)
            }
        }
    }

    pub(crate) fn name(&mut self, parameter: &'static str, text: &Text) -> Result<String> {
        let name = self
            .text(parameter, text)
            .map_err(|error| error.of(parameter))?;
        if name.is_empty() {
            return Err(missing(parameter));
        }
        check_name(parameter, &name).map_err(|error| error.of(parameter))?;
        Ok(name.to_string())
    }

    fn text(&mut self, place: &str, text: &Text) -> Result<Text> {
        if self.options.no_tokens {
            return Ok(text.clone());
        }
        let expanded = Template::parse(text)
            .and_then(|template| self.expander.expand(&template))
            .map_err(|error| error.within(place))?;
        self.warn_of_defaults(place);
        Ok(expanded)
    }

    fn warn_of_defaults(&mut self, place: &str) {
        for name in self.expander.take_defaulted() {
            // A namespace is seldom written by chance: `[a-z=]` and `[i=0]` have none.
            let as_text = match name.contains(':') {
                true => "",
                false => "; if it is meant as text, write &#91; for its bracket",
            };
            let message = format!(
                "{place}: the token {} has no value; its default was used{as_text}",
                bracketed(&name)
            );
            // Once for each token, or a large grid would warn without end.
            if self.defaulted.insert(name) {
                self.warn(WarningCode::TokenDefaultUsed, message);
            }
        }
    }

    fn warn(&mut self, code: WarningCode, message: String) {
        self.changes.warnings.push(Warning::new(code, message));
    }

    pub(crate) fn sources(&mut self, sources: &Sources) -> Result<()> {
        for (index, row) in sources.grid.iter().enumerate() {
            let number = index + 1;
            self.row(number, row)
                .map_err(|error| error.in_row(number))?;
        }
        let document = Document::parse(&sources.json, !self.options.no_tokens)?;
        let members = match self.options.no_tokens {
            true => document.literal(),
            false => document.expand(&mut self.expander, self.options)?,
        };
        self.warn_of_defaults("PropertiesJson");
        for member in members {
            let at = member.at;
            self.member(member).map_err(|error| {
                error
                    .at(json::position(&sources.json, at))
                    .of("PropertiesJson")
            })?;
        }
        match self.lost.pop_first() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    fn row(&mut self, number: usize, row: &Row) -> Result<()> {
        let place = format!("row {number} of Properties");
        let name = property_name(&place, &self.text(&place, &row.name)?)?;
        let place = format!("property {}", quoted(name.as_str()));
        let (value, lost) = match &row.value {
            Some(text) => {
                let value = self.text(&place, text)?;
                let lost = self.lost(&value);
                (Some(value), lost)
            }
            None => (None, None),
        };
        let index = self.write(name, value, Source::Grid)?;
        if let Some(error) = lost {
            self.lost.insert(index, error.within(place).in_row(number));
        }
        Ok(())
    }

    /// The error for an empty value that comes from the host, not from the author.
    fn lost(&self, value: &str) -> Option<Error> {
        let name = self.expander.answered()?;
        (value.is_empty() && !self.options.allow_empty).then(|| lost_value(name, "is"))
    }

    fn member(&mut self, member: Member) -> Result<()> {
        let name = property_name("PropertiesJson", &member.name)?;
        self.write(name, member.value.into_property(), Source::Json)
            .map(drop)
    }

    /// Takes a write, in the place of an earlier one of the same name; its index.
    fn write(&mut self, name: PropertyName, value: Option<Text>, source: Source) -> Result<usize> {
        let of_property =
            |error: Error| error.within(format_args!("property {}", quoted(name.as_str())));
        let value = match value {
            Some(text) => Some(into_secret(text).map_err(of_property)?),
            None if self.options.null == Null::Remove => None,
            None => {
                return Err(of_property(
                    Error::new(Code::NullValue, "the value is null").with_hint(
                        "a null usually is a value that got lost; to remove the property, \
                         ask for that with the option for null",
                    ),
                ));
            }
        };
        let Some((index, warned)) = self.by_name.get_mut(&name) else {
            let index = self.changes.writes.len();
            self.by_name.insert(name.clone(), (index, false));
            self.changes.writes.push(Write {
                name,
                value,
                source,
                overridden: false,
            });
            return Ok(index);
        };
        let index = *index;
        self.lost.remove(&index);
        let write = &mut self.changes.writes[index];
        write.value = value;
        if source == Source::Json {
            // Each name stands once in the JSON, so what was there came from the grid.
            write.source = source;
            write.overridden = true;
        } else if !std::mem::replace(warned, true) {
            let message = format!(
                "Properties names {} more than once; the last row counts",
                quoted(name.as_str())
            );
            self.warn(WarningCode::RepeatedName, message);
        }
        Ok(index)
    }

    pub(crate) fn finish(self) -> Changes {
        Changes {
            tokens: self.expander.into_used(),
            ..self.changes
        }
    }
}

fn property_name(place: &str, name: &Text) -> Result<PropertyName> {
    PropertyName::new(name.as_str()).map_err(|error| error.within(place))
}

/// The name in a text that is exactly `[name]`.
fn in_brackets(text: &str) -> Option<&str> {
    let name = text.strip_prefix('[')?.strip_suffix(']')?;
    is_token_name(name).then_some(name)
}

/// A name is checked with what a test adds to it, where it is a test's.
fn checked_token_name(parameter: &'static str, name: String, told: &str) -> Result<String> {
    let token = match parameter {
        "OutputTokenName" => format!("{name}:IsSuccess"),
        _ => name.clone(),
    };
    if is_token_name(&token) {
        return Ok(name);
    }
    Err(Error::new(
        Code::InvalidTokenName,
        format!("{parameter} cannot be the name of a token{told}"),
    )
    .with_hint("use letters and digits, beginning with a letter")
    .of(parameter))
}

/// The name of the token that an action sets, where it is known before tokens are expanded.
pub(super) fn list_token_name(
    parameter: &'static str,
    text: Option<&Text>,
    infos: &mut Infos,
) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    if let Some(name) = in_brackets(text) {
        return Ok(Some(name.to_owned()));
    }
    let template = Template::parse(text).map_err(|error| error.of(parameter))?;
    template.list(infos);
    Ok(template.literal().map(str::to_owned))
}
