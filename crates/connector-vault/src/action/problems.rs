//! What is wrong with an action's document: all of it at once, for editors, or the first of it.

use crate::error::{Error, Result};

/// Problems in the order in which they are found, up to a number of them.
pub(super) struct Problems {
    found: Vec<Error>,
    max: usize,
}

impl Problems {
    pub(super) fn up_to(max: usize) -> Self {
        Self {
            found: Vec::new(),
            max,
        }
    }

    /// Whether more would be left out, so that nobody needs to look for it.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= self.max
    }

    pub(super) fn add(&mut self, problem: Error) {
        if !self.is_full() {
            self.found.push(problem);
        }
    }

    /// The value, unless there is a problem in its place.
    pub(super) fn check<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|problem| self.add(problem)).ok()
    }

    /// Looks for problems somewhere, which `place` adds to each of them.
    pub(super) fn within<T>(
        &mut self,
        place: impl Fn(Error) -> Error,
        look: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let mut inner = Self::up_to(self.max.saturating_sub(self.found.len()));
        let looked = look(&mut inner);
        self.found.extend(inner.found.into_iter().map(place));
        looked
    }

    /// Fails with the first problem.
    pub(super) fn refuse(self) -> Result<()> {
        self.found.into_iter().next().map_or(Ok(()), Err)
    }

    pub(super) fn into_found(self) -> Vec<Error> {
        self.found
    }
}
