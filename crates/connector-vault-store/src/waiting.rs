//! Waiting for other processes, until a time is over.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};

const PAUSE_MIN: Duration = Duration::from_micros(50);
const PAUSE_MAX: Duration = Duration::from_millis(10);

/// How long to wait, and what is left of it.
#[derive(Debug)]
pub(crate) struct Waiting {
    timeout: Duration,
    /// `None`: further away than the clock reaches.
    end: Option<Instant>,
    pause: Duration,
}

impl Waiting {
    /// From now on.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            end: Instant::now().checked_add(timeout),
            pause: PAUSE_MIN,
        }
    }

    /// The whole of it.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// Waits a little, each time longer.
    pub(crate) fn pause(&mut self) -> Result<()> {
        std::thread::sleep(jitter(self.pause)?.min(self.left()));
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }

    /// For something else now, so with short pauses again.
    pub(crate) fn restart(&mut self) {
        self.pause = PAUSE_MIN;
    }

    fn left(&self) -> Duration {
        self.end.map_or(Duration::MAX, |end| {
            end.saturating_duration_since(Instant::now())
        })
    }
}

/// Between half of `pause` and all of it, so that those who wait do not go on together.
fn jitter(pause: Duration) -> Result<Duration> {
    let random = getrandom::u32().map_err(Error::random)?;
    Ok(pause / 2 + (pause / 2).mul_f64(f64::from(random) / f64::from(u32::MAX)))
}
