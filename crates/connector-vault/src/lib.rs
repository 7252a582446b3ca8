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
mod plan;
mod token;
mod vault;

pub use access::{BrokenLock, Unlock};
pub use action::{
    Action, ActionType, Note, Null, Options, Request, RequestId, Source, Warning, WarningCode,
};
pub use connector::{
    Connector, ConnectorId, Op, Properties, PropertyName, Secret, Timestamp, Version,
};
pub use crypto::identity::{GrantKey, Identity};
pub use crypto::kdf::{Cost, Passphrase};
pub use error::{Code, Error, Result};
pub use format::header::Role;
pub use format::hex::{GrantId, RecordId, VaultId};
pub use format::{PREFIX_LEN, log_start};
pub use log::{Continuity, Head, KnownHead, TornTail};
pub use plan::{Change, ChangeKind, Outcome, Plan, Status};
pub use token::{TokenFn, TokenInfo, TokenRef, Tokens};
pub use vault::{
    CommitInfo, ConflictKind, DamagedRecord, GrantInfo, Grantee, Host, LogEnd, Merge,
    MergeConflict, MergeOptions, NewOwner, OpenOptions, OpenReport, Overview, Prepared, Refreshed,
    Repaired, Resolve, Retention, Revocation, SignatureState, Vault, Verdict,
};
