//! Reads an action document: which parameters there are, and of which JSON type
//! (docs/action.md section 2).

use super::problems::Problems;
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

/// Reads a document as far as it is sound; `None` if nothing of it is. Where something is wrong, the action only serves to
/// look for further problems.
pub(super) fn read(text: &str, problems: &mut Problems) -> Option<Action> {
    if text.len() > limits::ACTION_LEN_MAX {
        problems.add(Error::new(
            Code::ActionTooLarge,
            format!("the action is larger than {} bytes", limits::ACTION_LEN_MAX),
        ));
        return None;
    }
    let (text, has_mark) = json::without_mark(text);
    let members = match problems.check(json::parse(text, Syntax::ACTION))? {
        Value::Object(members) => members,
        _ => {
            problems.add(not_an_object("the action"));
            return None;
        }
    };
    let mut action = match action(members, &ActionType::ALL, problems) {
        Read::Action(action) => action,
        Read::Refused => return None,
        Read::Deleted => {
            let message = "the action is marked as deleted: IsDeleted is true";
            problems.add(
                Error::new(Code::ActionDeleted, message)
                    .with_hint("remove IsDeleted to carry the action out"),
            );
            return None;
        }
    };
    // Where there is an outcome that can warn of it.
    match &mut action.content {
        Content::Batch(list) => {
            if let Some(first) = list.iter_mut().flatten().next() {
                first.has_mark = has_mark;
            }
        }
        _ => action.has_mark = has_mark,
    }
    Some(action)
}

fn not_an_object(what: &str) -> Error {
    Error::new(Code::NotAnObject, format!("{what} is not a JSON object"))
}

/// What became of an action that was read.
enum Read {
    Action(Action),
    /// Its editor marked it as deleted.
    Deleted,
    /// What it does is not known.
    Refused,
}

/// An action of one of these types.
fn action(members: Vec<Member>, types: &[ActionType], problems: &mut Problems) -> Read {
    // First: nothing else of an action that is deleted is looked at.
    let deleted = members.iter().find(|m| m.name.as_str() == "IsDeleted");
    let deleted = is_deleted(deleted.map(|member| &member.value));
    if problems.check(deleted) == Some(true) {
        return Read::Deleted;
    }
    let known = ["ActionType", "Parameters", "Condition", "IsDeleted"];
    let mut document = Fields::of_action("the action", members, &known, &ENVELOPE, problems);
    let condition = has_condition(&mut document);
    let has_condition = problems.check(condition).unwrap_or_default();
    let action_type = problems.check(action_type(document.take("ActionType"), types));
    let parameters = match document.take("Parameters") {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Object(members)) => Some(members),
        Some(other) => problems.check(Err(wrong_type("Parameters", &other, "an object"))),
    };
    let (Some(action_type), Some(parameters)) = (action_type, parameters) else {
        return Read::Refused;
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
    let place = action_type.as_str();
    let mut parameters = Fields::of_action(place, parameters, known, &[], problems);
    let content = match action_type {
        ActionType::Update => Content::Update {
            entry_id: required_text(&mut parameters, "EntryId", problems),
            sources: sources(&mut parameters, problems),
        },
        ActionType::Add => Content::Add {
            type_name: required_text(&mut parameters, "TypeName", problems),
            entry_name: required_text(&mut parameters, "EntryName", problems),
            sources: sources(&mut parameters, problems),
            token_name: optional_text(&mut parameters, "EntryIdTokenName", problems),
        },
        ActionType::Delete => Content::Delete {
            entry_id: required_text(&mut parameters, "EntryId", problems),
        },
        ActionType::Test => Content::Test {
            entry_id: required_text(&mut parameters, "EntryId", problems),
            token_name: optional_text(&mut parameters, "OutputTokenName", problems),
        },
        ActionType::Batch => Content::Batch(list(&mut parameters, problems)),
    };
    Read::Action(Action {
        content,
        has_condition,
        has_mark: false,
    })
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

/// The actions of a batch, `None` for those that are left out.
fn list(parameters: &mut Fields, problems: &mut Problems) -> Vec<Option<Action>> {
    let actions = problems.check(actions(parameters)).unwrap_or_default();
    let mut list = Vec::with_capacity(actions.len());
    for (number, value) in (1..).zip(actions) {
        if problems.is_full() {
            break;
        }
        let place = |error: Error| error.in_action(number);
        list.push(problems.within(place, |problems| match value {
            Value::Object(members) => match action(members, &ActionType::IN_BATCH, problems) {
                Read::Action(action) => Some(action),
                Read::Deleted | Read::Refused => None,
            },
            _ => {
                problems.add(not_an_object("it"));
                None
            }
        }));
    }
    list
}

fn actions(parameters: &mut Fields) -> Result<Vec<Value>> {
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
    Ok(actions)
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
    /// The known members of an object of an action; those of the editor and those in `ignored` are no problem.
    fn of_action(
        place: &str,
        mut members: Vec<Member>,
        known: &[&str],
        ignored: &[&str],
        problems: &mut Problems,
    ) -> Self {
        members.retain(|member| {
            let name = member.name.as_str();
            if name.starts_with(EDITORS) || ignored.contains(&name) {
                return false;
            }
            let is_known = known.contains(&name);
            if !(is_known || problems.is_full()) {
                problems.add(unknown_field(place, name, known));
            }
            is_known
        });
        Self(members)
    }

    pub(super) fn new(place: &str, members: Vec<Member>, known: &[&str]) -> Result<Self> {
        let unknown = members
            .iter()
            .find(|member| !known.contains(&member.name.as_str()));
        match unknown {
            Some(member) => Err(unknown_field(place, &member.name, known)),
            None => Ok(Self(members)),
        }
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

fn unknown_field(place: &str, name: &str, known: &[&str]) -> Error {
    let message = format!("{place} has an unknown field {}", quoted(name));
    let hint = match known.iter().find(|known| is_near(name, known)) {
        Some(meant) => format!("did you mean {meant}?"),
        None if known.is_empty() => "it takes none".to_owned(),
        None => format!("it takes {}", known.join(", ")),
    };
    Error::new(Code::UnknownParameter, message).with_hint(hint)
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
    let mut problems = Problems::up_to(1);
    let mut wrapper = Fields::of_action(&place, members, &known, &[], &mut problems);
    problems.refuse()?;
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

/// The text of a parameter, empty where there is a problem.
fn required_text(parameters: &mut Fields, name: &'static str, problems: &mut Problems) -> Text {
    let text = optional(parameters, name).and_then(|text| text.ok_or_else(|| missing(name)));
    problems.check(text).unwrap_or_default()
}

fn optional_text(
    parameters: &mut Fields,
    name: &'static str,
    problems: &mut Problems,
) -> Option<Text> {
    problems.check(optional(parameters, name)).flatten()
}

/// The text of a parameter, unless it is missing or empty.
fn optional(parameters: &mut Fields, name: &'static str) -> Result<Option<Text>> {
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

fn sources(parameters: &mut Fields, problems: &mut Problems) -> Sources {
    let rows = problems.check(rows(parameters)).unwrap_or_default();
    let mut grid = Vec::with_capacity(rows.len());
    for (number, value) in (1..).zip(rows) {
        if problems.is_full() {
            break;
        }
        grid.push(problems.within(
            |error| error.in_row(number),
            |problems| row(number, value, problems),
        ));
    }
    let json = problems.check(properties_json(parameters));
    Sources {
        grid,
        json: json.unwrap_or_default(),
    }
}

fn rows(parameters: &mut Fields) -> Result<Vec<Value>> {
    match parameters.take_unwrapped("Properties")? {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(rows)) => Ok(rows),
        Some(other) => Err(wrong_type("Properties", &other, "an array of rows").of("Properties")),
    }
}

fn properties_json(parameters: &mut Fields) -> Result<Text> {
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
    Ok(json)
}

/// A row of the grid, with empty texts where there are problems.
fn row(number: usize, value: Value, problems: &mut Problems) -> Row {
    let place = format!("row {number} of Properties");
    let mut row = match value {
        Value::Object(members) => {
            let known = ["PropertyName", "PropertyValue"];
            Fields::of_action(&place, members, &known, &[], problems)
        }
        other => {
            problems.add(wrong_type(&place, &other, "an object"));
            return Row::default();
        }
    };
    let in_row = |error: Error| error.within(&place);
    let name = match row.take_unwrapped("PropertyName").map_err(in_row) {
        Ok(Some(Value::String(name))) if !name.is_empty() => Ok(name),
        Ok(None | Some(Value::Null | Value::String(_))) => Err(Error::new(
            Code::EmptyPropertyName,
            format!("{place} has no PropertyName"),
        )),
        Ok(Some(other)) => Err(in_row(wrong_type("PropertyName", &other, "a string"))),
        Err(error) => Err(error),
    };
    let name = problems.check(name).unwrap_or_default();
    let value = match row.take_unwrapped("PropertyValue").map_err(in_row) {
        Ok(Some(Value::String(text) | Value::Number(text))) => Ok(Some(text)),
        Ok(Some(bool @ Value::Bool(_))) => Ok(Some(bool.to_compact())),
        Ok(Some(Value::Null)) => Ok(None),
        Ok(None) => Err(Error::new(
            Code::MissingPropertyValue,
            format!("{place} has no PropertyValue"),
        )
        .with_hint("write \"\" for an empty value")),
        Ok(Some(other)) => Err(in_row(wrong_type("PropertyValue", &other, "a string"))),
        Err(error) => Err(error),
    };
    let value = problems.check(value).flatten();
    Row { name, value }
}
