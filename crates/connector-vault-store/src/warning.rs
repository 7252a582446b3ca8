//! What went wrong beside a change that is stored: told to the host, and no error of the change.

use std::fmt;
use std::sync::Arc;

/// Something that the user should know although the operation succeeded.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Stable, like the code of an error: `not_durable`.
    pub code: &'static str,
    /// What went wrong and where: lower case, no full stop.
    pub message: String,
}

impl Warning {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

type Tell = dyn Fn(&Warning) + Send + Sync;

/// Where warnings go; by default nowhere.
#[derive(Clone, Default)]
pub struct OnWarning(Option<Arc<Tell>>);

impl OnWarning {
    /// Calls `tell` with each warning, while the operation that it is about still runs.
    pub fn new(tell: impl Fn(&Warning) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    pub(crate) fn tell(&self, warning: &Warning) {
        if let Some(tell) = &self.0 {
            tell(warning);
        }
    }
}

impl fmt::Debug for OnWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "OnWarning(..)",
            None => "OnWarning(nowhere)",
        })
    }
}
