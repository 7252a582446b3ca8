//! Moments, which the host's clock tells.

use std::fmt;

use serde::Serialize;

use crate::error::{Code, Error, Result};

/// A moment, handed in by the caller: RFC 3339 in UTC with milliseconds,
/// `2026-11-23T20:15:00.000Z`, so that text order is time order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// Checks and takes a time; exactly this form, which is JavaScript's `toISOString()`.
    ///
    /// ```
    /// # use connector_vault::Timestamp;
    /// assert!(Timestamp::new("2026-11-23T20:15:00.000Z").is_ok());
    /// assert!(Timestamp::new("2026-11-23T20:15:00Z").is_err());
    /// ```
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        Self::check(&text)?;
        Ok(Self(text))
    }

    /// As [`new`](Self::new), for what a host's clock says.
    ///
    /// Fails with `clock` if that is not a time, or one before 1970.
    ///
    /// ```
    /// # use connector_vault::{Code, Timestamp};
    /// assert!(Timestamp::from_clock("2026-11-23T20:15:00.000Z").is_ok());
    /// for text in ["1969-12-31T23:59:59.999Z", "+010000-01-01T00:00:00.000Z", ""] {
    ///     assert_eq!(Timestamp::from_clock(text).unwrap_err().code(), Code::Clock);
    /// }
    /// ```
    pub fn from_clock(text: impl Into<String>) -> Result<Self> {
        // The form has a fixed width, so its text is in the order of time.
        Self::new(text)
            .ok()
            .filter(|time| time.0.as_str() >= "1970")
            .ok_or_else(|| {
                Error::new(
                    Code::Clock,
                    "the clock says a time before 1970 or after 9999",
                )
                .with_hint("set the clock of this machine, then try again")
            })
    }

    /// A time that stands for none.
    pub(crate) fn unknown() -> Self {
        Self("0000-01-01T00:00:00.000Z".to_owned())
    }

    pub(crate) fn check(text: &str) -> Result<()> {
        if is_timestamp(text) {
            return Ok(());
        }
        Err(Error::new(
            Code::InvalidArgument,
            "a time is not of the form 2026-11-23T20:15:00.000Z",
        ))
    }

    /// The time as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether more than so many seconds lie between this time and `now`. In doubt it is not.
    pub(crate) fn is_older_than(&self, seconds: u64, now: &Self) -> bool {
        now.seconds().saturating_sub(self.seconds()) > seconds
    }

    /// Seconds since some moment before the year 0, in the proleptic Gregorian calendar.
    fn seconds(&self) -> u64 {
        let number = |at: usize, len: usize| {
            let digits = self.0.get(at..at + len);
            digits
                .and_then(|digits| digits.parse().ok())
                .unwrap_or(0u64)
        };
        let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2));
        // Years that begin in March end with the leap day. The calendar repeats after 400 years.
        let (year, month) = match month {
            0..=2 => (year + 399, month + 9),
            _ => (year + 400, month - 3),
        };
        let days = 365 * year + year / 4 - year / 100 + year / 400;
        let days = days + (153 * month + 2) / 5 + day;
        days * 86_400 + number(11, 2) * 3_600 + number(14, 2) * 60 + number(17, 2)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_timestamp(text: &str) -> bool {
    const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let bytes = text.as_bytes();
    let number = |at: usize, len: usize| {
        bytes[at..at + len]
            .iter()
            .fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    };
    bytes.len() == FORM.len()
        && bytes.iter().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        })
        && number(0, 4) > 0
        && (1..=days_of(number(0, 4), number(5, 2))).contains(&number(8, 2))
        && number(11, 2) < 24
        && number(14, 2) < 60
        && number(17, 2) < 60
}

/// How many days a month has, in the proleptic Gregorian calendar.
fn days_of(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps() {
        for (text, good) in [
            ("2026-11-23T20:15:00.000Z", true),
            ("2026-13-23T20:15:00.000Z", false),
            ("2026-11-23T24:15:00.000Z", false),
            ("2026-11-23 20:15:00.000Z", false),
            ("2026-11-23T20:15:00.000+", false),
            ("2026-11-30T23:59:59.999Z", true),
            ("2026-11-31T00:00:00.000Z", false),
            ("2024-02-29T00:00:00.000Z", true),
            ("2026-02-29T00:00:00.000Z", false),
            ("1900-02-29T00:00:00.000Z", false),
            ("2000-02-29T00:00:00.000Z", true),
            ("2026-11-00T00:00:00.000Z", false),
            ("2026-00-01T00:00:00.000Z", false),
            ("2016-12-31T23:59:60.000Z", false),
            ("0001-01-01T00:00:00.000Z", true),
            ("0000-12-31T00:00:00.000Z", false),
            ("", false),
        ] {
            assert_eq!(Timestamp::new(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn ages_of_timestamps() {
        let time = |text: &str| Timestamp::new(text).expect("a time");
        let day = 86_400;
        for (then, now, seconds) in [
            ("2026-11-23T20:15:00.000Z", "2026-11-23T20:15:01.000Z", 1),
            (
                "2024-02-28T00:00:00.000Z",
                "2024-03-01T00:00:00.000Z",
                2 * day,
            ),
            ("2023-02-28T00:00:00.000Z", "2023-03-01T00:00:00.000Z", day),
            ("1900-02-28T00:00:00.000Z", "1900-03-01T00:00:00.000Z", day),
            ("2025-12-31T23:59:59.000Z", "2026-01-01T00:00:00.000Z", 1),
            (
                "2000-01-01T00:00:00.000Z",
                "2001-01-01T00:00:00.000Z",
                366 * day,
            ),
            (
                "0001-01-01T00:00:00.000Z",
                "0001-03-01T00:00:00.000Z",
                59 * day,
            ),
        ] {
            let (then, now) = (time(then), time(now));
            assert!(then.is_older_than(seconds - 1, &now), "{then} {now}");
            assert!(!then.is_older_than(seconds, &now), "{then} {now}");
            // What lies in the future is not old.
            assert!(!now.is_older_than(0, &then), "{then} {now}");
        }
    }
}
