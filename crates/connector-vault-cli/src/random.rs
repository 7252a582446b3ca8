//! Randomness from the system.

use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

use crate::failure::{Failure, Result};

/// A generator seeded by the system. Seeding may fail; what it then gives does not.
pub(crate) fn generator() -> Result<StdRng> {
    StdRng::try_from_rng(&mut SysRng).map_err(|error| {
        Failure::new(
            "internal",
            format!("the system's source of randomness failed: {error}"),
        )
    })
}
