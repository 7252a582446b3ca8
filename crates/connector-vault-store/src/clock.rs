//! The clock and the randomness of the system, for the core.

use std::time::{SystemTime, UNIX_EPOCH};

use connector_vault::{Host, Timestamp};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

use crate::error::{Error, Result};

/// A generator seeded by the system. Seeding may fail; what it then gives does not.
pub(crate) fn rng() -> Result<StdRng> {
    StdRng::try_from_rng(&mut SysRng).map_err(Error::random)
}

pub(crate) fn host(rng: &mut StdRng) -> Result<Host<'_>> {
    let now = timestamp(SystemTime::now())?;
    Ok(Host { now, rng })
}

/// Fails with `clock`.
fn timestamp(now: SystemTime) -> Result<Timestamp> {
    /// 10000-01-01T00:00:00Z.
    const SECONDS_END: u64 = 253_402_300_800;

    // Outside of this, humantime panics.
    let in_range = now
        .duration_since(UNIX_EPOCH)
        .is_ok_and(|since| since.as_secs() < SECONDS_END);
    let text = match in_range {
        true => humantime::format_rfc3339_millis(now).to_string(),
        false => String::new(),
    };
    Ok(Timestamp::from_clock(text)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn clocks() {
        let at = |seconds: i64| {
            let distance = Duration::from_secs(seconds.unsigned_abs());
            let time = match seconds < 0 {
                true => UNIX_EPOCH - distance,
                false => UNIX_EPOCH + distance,
            };
            timestamp(time).map(|time| time.to_string())
        };
        for (seconds, expected) in [
            (0, Some("1970-01-01T00:00:00.000Z")),
            (1_795_464_900, Some("2026-11-23T20:15:00.000Z")),
            (253_402_300_799, Some("9999-12-31T23:59:59.000Z")),
            (-1, None),
            (-104_126_121, None),
            (253_402_300_800, None),
            (300_000_000_000, None),
        ] {
            let found = at(seconds).map_err(|error| error.code().as_str());
            assert_eq!(found.as_deref(), expected.ok_or(&"clock"), "{seconds}");
        }
    }
}
