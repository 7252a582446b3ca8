//! Reads an action document: which parameters there are, and of which JSON type
//! (docs/action.md section 2).

use super::properties::Document;
use super::{Action, ActionType, Content, Row, Sources};
use crate::error::{Code, Error, Result, quoted};
use crate::json::{self, Member, Syntax, Value};
use crate::limits;
use crate::secret::Text;

/// Names of an action that its editor writes for itself. They are read and ignored, as is every name
/// that begins with [`EDITORS`].
const ENVELOPE: [&str; 6] = [
    "Title",
    "Description",
    "Id",
    "EventName",
    "Definition",
    "ActionErrorMessage",
];
/// How the platform's editor marks names of its own.
const EDITORS: &str = "$_";

pub(super) fn parse(text: &str) -> Result<Action> {
    if text.len() > limits::ACTION_LEN_MAX {
        return Err(Error::new(
            Code::ActionTooLarge,
            format!("the action is larger than {} bytes", limits::ACTION_LEN_MAX),
        ));
    }
    let (text, has_mark) = json::without_mark(text);
    let Value::Object(members) = json::parse(text, Syntax::ACTION)? else {
        return Err(not_an_object("the action"));
    };
    let mut action = action(members, &ActionType::ALL)?.ok_or_else(|| {
        Error::new(
            Code::ActionDeleted,
            "the action is marked as deleted: IsDeleted is true",
        )
        .with_hint("remove IsDeleted to carry the action out")
    })?;
    // Where there is an outcome that can warn of it.
    match &mut action.content {
        Content::Batch(list) => {
            if let Some(first) = list.iter_mut().flatten().next() {
                first.has_mark = has_mark;
            }
        }
        _ => action.has_mark = has_mark,
    }
    Ok(action)
}

fn not_an_object(what: &str) -> Error {
    Error::new(Code::NotAnObject, format!("{what} is not a JSON object"))
}

/// An action of one of these types; `None` for one that its editor marked as deleted.
fn action(members: Vec<Member>, types: &[ActionType]) -> Result<Option<Action>> {
    // First: nothing else of an action that is deleted is looked at.
    let deleted = members.iter().find(|m| m.name.as_str() == "IsDeleted");
    if is_deleted(deleted.map(|member| &member.value))? {
        return Ok(None);
    }
    let known = ["ActionType", "Parameters", "Condition", "IsDeleted"];
    let mut document = Fields::of_action("the action", members, &known, &ENVELOPE)?;
    let has_condition = has_condition(&mut document)?;
    let action_type = action_type(document.take("ActionType"), types)?;
    let parameters = match document.take("Parameters") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(members)) => members,
        Some(other) => return Err(wrong_type("Parameters", &other, "an object")),
    };
    let known: &[&str] = match action_type {
        ActionType::Update => &["EntryId", "Properties", "PropertiesJson"],
        ActionType::Add => &[
            "TypeName",
            "EntryName",
            "Properties",
            "PropertiesJson",
            "EntryIdTokenName",
        ],
        ActionType::Delete => &["EntryId"],
        ActionType::Test => &["EntryId", "OutputTokenName"],
        ActionType::Batch => &["ActionList"],
    };
    let mut parameters = Fields::of_action(action_type.as_str(), parameters, known, &[])?;
    let content = match action_type {
        ActionType::Update => Content::Update {
            entry_id: required_text(&mut parameters, "EntryId")?,
            sources: sources(&mut parameters)?,
        },
        ActionType::Add => Content::Add {
            type_name: required_text(&mut parameters, "TypeName")?,
            entry_name: required_text(&mut parameters, "EntryName")?,
            sources: sources(&mut parameters)?,
            token_name: optional_text(&mut parameters, "EntryIdTokenName")?,
        },
        ActionType::Delete => Content::Delete {
            entry_id: required_text(&mut parameters, "EntryId")?,
        },
        ActionType::Test => Content::Test {
            entry_id: required_text(&mut parameters, "EntryId")?,
            token_name: optional_text(&mut parameters, "OutputTokenName")?,
        },
        ActionType::Batch => Content::Batch(list(&mut parameters)?),
    };
    Ok(Some(Action {
        content,
        has_condition,
        has_mark: false,
    }))
}

fn is_deleted(value: Option<&Value>) -> Result<bool> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(deleted)) => Ok(*deleted),
        Some(other) => Err(wrong_type("IsDeleted", other, "a boolean")),
    }
}

/// Whether the action is to be carried out only under a condition, which is the host's to evaluate.
fn has_condition(document: &mut Fields) -> Result<bool> {
    let value = match document.take_unwrapped("Condition") {
        // The wrapper says that it is an expression.
        Err(error) if error.code() == Code::ExpressionNotSupported => return Ok(true),
        value => value?,
    };
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::String(text)) => Ok(!text.trim().is_empty()),
        Some(other) => Err(wrong_type("Condition", &other, "a string")),
    }
}

fn list(parameters: &mut Fields) -> Result<Vec<Option<Action>>> {
    const LIST: &str = "ActionList";
    let actions = match parameters.take_unwrapped(LIST)? {
        Some(Value::Array(actions)) => actions,
        None | Some(Value::Null) => return Err(missing(LIST)),
        Some(other) => return Err(wrong_type(LIST, &other, "an array of actions").of(LIST)),
    };
    if actions.len() > limits::ACTIONS_MAX {
        let message = format!("ActionList has more than {} actions", limits::ACTIONS_MAX);
        return Err(Error::new(Code::LimitExceeded, message).of(LIST));
    }
    (1..)
        .zip(actions)
        .map(|(number, value)| {
            let Value::Object(members) = value else {
                return Err(not_an_object("it").in_action(number));
            };
            action(members, &ActionType::IN_BATCH).map_err(|error| error.in_action(number))
        })
        .collect()
}

fn action_type(value: Option<Value>, types: &[ActionType]) -> Result<ActionType> {
    let known: Vec<_> = types.iter().map(|known| known.as_str()).collect();
    let known = known.join(", ");
    match value {
        None | Some(Value::Null) => Err(Error::new(
            Code::MissingActionType,
            "the action has no ActionType",
        )
        .with_hint(format!("one of {known}"))),
        Some(Value::String(text)) => types
            .iter()
            .copied()
            .find(|action_type| action_type.as_str() == text.as_str())
            .ok_or_else(|| {
                Error::new(
                    Code::UnknownActionType,
                    format!("the ActionType {} is unknown", quoted(&text)),
                )
                .with_hint(format!("one of {known}"))
            }),
        Some(other) => Err(wrong_type("ActionType", &other, "a string")),
    }
}

/// The members of an object whose names are all known.
pub(super) struct Fields(Vec<Member>);

impl Fields {
    /// The members of an object of an action, without those of the editor and those in `ignored`.
    fn of_action(
        place: &str,
        mut members: Vec<Member>,
        known: &[&str],
        ignored: &[&str],
    ) -> Result<Self> {
        members.retain(|member| {
            let name = member.name.as_str();
            !name.starts_with(EDITORS) && !ignored.contains(&name)
        });
        Self::new(place, members, known)
    }

    pub(super) fn new(place: &str, members: Vec<Member>, known: &[&str]) -> Result<Self> {
        for member in &members {
            let name = member.name.as_str();
            if known.contains(&name) {
                continue;
            }
            let message = format!("{place} has an unknown field {}", quoted(name));
            let hint = match known.iter().find(|known| is_near(name, known)) {
                Some(meant) => format!("did you mean {meant}?"),
                None if known.is_empty() => "it takes none".to_owned(),
                None => format!("it takes {}", known.join(", ")),
            };
            return Err(Error::new(Code::UnknownParameter, message).with_hint(hint));
        }
        Ok(Self(members))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.0.iter().position(|m| m.name.as_str() == name)?;
        Some(self.0.swap_remove(index).value)
    }

    /// Like [`take`](Self::take), out of the wrapper of an exported parameter if it stands in one.
    fn take_unwrapped(&mut self, name: &str) -> Result<Option<Value>> {
        match self.take(name) {
            Some(Value::Object(members)) if is_wrapper(&members) => unwrap(name, members),
            value => Ok(value),
        }
    }
}

/// Whether a name is another one but for case and one letter at the end.
fn is_near(name: &str, known: &str) -> bool {
    let (name, known) = (name.to_ascii_lowercase(), known.to_ascii_lowercase());
    let (shorter, longer) = match name.len() < known.len() {
        true => (name, known),
        false => (known, name),
    };
    longer.starts_with(&shorter) && longer.len() - shorter.len() <= 1
}

/// `IsExpression` tells a wrapper from a raw object, which may well have a name `Value`.
fn is_wrapper(members: &[Member]) -> bool {
    members.iter().any(|m| m.name.as_str() == "IsExpression")
}

fn unwrap(name: &str, members: Vec<Member>) -> Result<Option<Value>> {
    let known = ["Expression", "Value", "IsExpression", "Parameters"];
    let place = format!("the wrapper of {name}");
    let mut wrapper = Fields::of_action(&place, members, &known, &[])?;
    match wrapper.take("IsExpression") {
        Some(Value::Bool(false)) | None => {}
        Some(Value::Bool(true)) => {
            return Err(Error::new(
                Code::ExpressionNotSupported,
                format!("{name} is an expression"),
            )
            .with_hint("evaluate it and pass the result as Value, with IsExpression false"));
        }
        Some(other) => {
            let place = format!("IsExpression of {name}");
            return Err(wrong_type(&place, &other, "a boolean"));
        }
    }
    match wrapper.take("Expression") {
        // What the designer kept of an expression that is switched off.
        None | Some(Value::Null | Value::String(_)) => {}
        Some(other) => {
            let place = format!("Expression of {name}");
            return Err(wrong_type(&place, &other, "a string"));
        }
    }
    match wrapper.take("Parameters") {
        None | Some(Value::Null) => {}
        Some(Value::Object(members)) => {
            Fields::new(&format!("Parameters of {name}"), members, &[])?;
        }
        Some(other) => {
            let place = format!("Parameters of {name}");
            return Err(wrong_type(&place, &other, "an object"));
        }
    }
    Ok(wrapper.take("Value"))
}

pub(super) fn wrong_type(place: &str, value: &Value, expected: &str) -> Error {
    Error::new(
        Code::WrongParameterType,
        format!("{place} is {}, not {expected}", value.kind()),
    )
}

fn required_text(parameters: &mut Fields, name: &'static str) -> Result<Text> {
    match parameters.take_unwrapped(name)? {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        None | Some(Value::Null | Value::String(_)) => Err(missing(name)),
        Some(other) => Err(wrong_type(name, &other, "a string").of(name)),
    }
}

fn optional_text(parameters: &mut Fields, name: &'static str) -> Result<Option<Text>> {
    match parameters.take_unwrapped(name)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(other) => Err(wrong_type(name, &other, "a string").of(name)),
    }
}

pub(super) fn missing(name: &'static str) -> Error {
    Error::new(
        Code::MissingParameter,
        format!("the parameter {name} is missing or empty"),
    )
    .of(name)
}

fn sources(parameters: &mut Fields) -> Result<Sources> {
    let grid = match parameters.take_unwrapped("Properties")? {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(rows)) => rows
            .into_iter()
            .enumerate()
            .map(|(index, value)| {
                let number = index + 1;
                row(number, value).map_err(|error| error.in_row(number))
            })
            .collect::<Result<_>>()?,
        Some(other) => {
            return Err(wrong_type("Properties", &other, "an array of rows").of("Properties"));
        }
    };
    let json = match parameters.take_unwrapped("PropertiesJson")? {
        None | Some(Value::Null) => Text::default(),
        Some(Value::String(text)) => text,
        Some(Value::Object(_)) => {
            return Err(Error::new(
                Code::PropertiesJsonNotText,
                "PropertiesJson is a JSON object, not a string that holds one",
            )
            .with_hint(r#"write it as text: "{ \"Timeout\": \"30s\" }""#)
            .of("PropertiesJson"));
        }
        Some(other) => {
            return Err(wrong_type("PropertiesJson", &other, "a string").of("PropertiesJson"));
        }
    };
    // What is wrong with it, whatever its tokens resolve to, is said before any is resolved.
    Document::parse(&json, true)?;
    Ok(Sources { grid, json })
}

fn row(number: usize, value: Value) -> Result<Row> {
    let place = format!("row {number} of Properties");
    let Value::Object(members) = value else {
        return Err(wrong_type(&place, &value, "an object"));
    };
    let mut row = Fields::of_action(&place, members, &["PropertyName", "PropertyValue"], &[])?;
    let in_row = |error: Error| error.within(&place);
    let name = match row.take_unwrapped("PropertyName").map_err(in_row)? {
        Some(Value::String(name)) if !name.is_empty() => name,
        None | Some(Value::Null | Value::String(_)) => {
            return Err(Error::new(
                Code::EmptyPropertyName,
                format!("{place} has no PropertyName"),
            ));
        }
        Some(other) => return Err(in_row(wrong_type("PropertyName", &other, "a string"))),
    };
    let value = match row.take_unwrapped("PropertyValue").map_err(in_row)? {
        Some(Value::String(text) | Value::Number(text)) => Some(text),
        Some(bool @ Value::Bool(_)) => Some(bool.to_compact()),
        Some(Value::Null) => None,
        None => {
            return Err(Error::new(
                Code::MissingPropertyValue,
                format!("{place} has no PropertyValue"),
            )
            .with_hint("write \"\" for an empty value"));
        }
        Some(other) => return Err(in_row(wrong_type("PropertyValue", &other, "a string"))),
    };
    Ok(Row { name, value })
}
