//! Values that must not leave a trace: redacted where they are printed, wiped when they are dropped.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::error::{Code, Error, Result};
use crate::limits;

/// The value of a property, at most 1 MiB: redacted in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Checks and takes a value; a rejected one is wiped.
    pub fn new(value: impl Into<String>) -> Result<Self> {
        let value = Self(value.into());
        if value.0.len() > limits::PROPERTY_VALUE_LEN_MAX {
            return Err(Error::new(
                Code::ValueTooLarge,
                format!(
                    "a value is longer than {} bytes",
                    limits::PROPERTY_VALUE_LEN_MAX
                ),
            ));
        }
        Ok(value)
    }

    /// The value. Whoever holds the text is responsible for it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Text that may hold a secret before it is a checked [`Secret`]: wiped when dropped.
pub(crate) type Text = Zeroizing<String>;

/// Text that grows without leaving copies behind: each buffer that it outgrows is wiped.
#[derive(Default)]
pub(crate) struct TextBuf(Text);

impl TextBuf {
    pub(crate) fn push_str(&mut self, text: &str) {
        let len = self.0.len() + text.len();
        if len > self.0.capacity() {
            // `String` would grow by itself, and leave the old bytes to the allocator.
            let mut larger = Text::new(String::with_capacity(len.max(2 * self.0.capacity())));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(text);
    }

    pub(crate) fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_text(self) -> Text {
        self.0
    }
}

/// Moves the text into a checked secret, without a copy.
pub(crate) fn into_secret(mut text: Text) -> Result<Secret> {
    Secret::new(std::mem::take(&mut *text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_redacted() {
        let secret = Secret::new("hunter2").expect("short enough");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
