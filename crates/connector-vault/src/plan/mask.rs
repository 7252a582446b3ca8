//! What other systems show in place of a secret, and what therefore is no value (docs/action.md
//! 3.7).

use super::container;
use crate::json::{self, Value};
use crate::secret::Secret;

/// Where a value holds a mask that the stored value does not hold at the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Masked {
    /// The value is a mask.
    Wholly,
    /// A string within the JSON object or array that the value is.
    Within,
}

pub(super) fn masked(value: &Secret, stored: Option<&Secret>) -> Option<Masked> {
    if stored == Some(value) {
        return None;
    }
    if is_mask(value.expose()) {
        return Some(Masked::Wholly);
    }
    let new = container(value)?;
    let old = stored.and_then(container);
    holds_mask(&new, old.as_ref()).then_some(Masked::Within)
}

fn holds_mask(new: &Value, old: Option<&Value>) -> bool {
    match (new, old) {
        (Value::String(new), Some(Value::String(old))) if new == old => false,
        (Value::String(new), _) => is_mask(new),
        (Value::Array(new), old) => {
            let old = match old {
                Some(Value::Array(old)) => old.as_slice(),
                _ => &[],
            };
            let mut new = new.iter().enumerate();
            new.any(|(index, new)| holds_mask(new, old.get(index)))
        }
        (Value::Object(new), old) => {
            let old = match old {
                Some(Value::Object(old)) => json::by_name(old),
                _ => Default::default(),
            };
            let mut new = new.iter();
            new.any(|member| holds_mask(&member.value, old.get(member.name.as_str()).copied()))
        }
        _ => false,
    }
}

/// Whether a text is a mask and nothing else; white space around it and case do not count.
fn is_mask(text: &str) -> bool {
    let text = text.trim();
    let is_word = |word: &str| text.eq_ignore_ascii_case(word);
    let begins_with = |start: &str| {
        let begin = text.get(..start.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    let is_dot = |c: char| matches!(c, '*' | '\u{2022}' | '\u{2219}' | '\u{25cf}');
    (text.chars().all(is_dot) && text.chars().count() >= 3)
        || ["__PWRD__", "(hidden)", "<redacted>", "[REDACTED]"]
            .into_iter()
            .any(is_word)
        || begins_with("__n8n_BLANK_VALUE_")
        || begins_with("__n8n_EMPTY_VALUE_")
}
