//! An encrypted vault for workflow connectors, and the `Connectors.Update` action over it.

mod access;
mod action;
mod bytes;
mod connector;
mod crypto;
mod error;
mod format;
mod json;
pub mod limits;
mod log;
// The vault, which drives the planning, comes after it in the dependency line.
#[allow(dead_code, unused_imports, reason = "until the vault calls it")]
mod plan;
mod token;

pub use action::{
    Action, ActionType, Note, Null, Options, Request, RequestId, Source, Warning, WarningCode,
};
pub use connector::{Connector, ConnectorId, Properties, PropertyName, Secret, Timestamp, Version};
pub use error::{Code, Error, Result};
pub use plan::{Change, ChangeKind, Outcome, Plan, Status};
pub use token::{TokenFn, TokenInfo, TokenRef, Tokens};
