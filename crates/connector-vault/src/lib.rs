//! An encrypted vault for workflow connectors, and the `Connectors.Update` action over it.
//!
//! A connector has an id that workflows refer to, a name, a type, and properties such as `APIKey`.
//! A [`Vault`] keeps connectors in a log of signed commits: the bytes of a file. This crate does no
//! input or output. Bytes, passphrase, clock and randomness are handed in, bytes are handed back;
//! `connector-vault-store` keeps them in files. A vault reads its bytes from a [`source::Source`], which
//! is memory by default.
//!
//! A change has three steps. [`Vault::plan`] computes what an action would change, and writes
//! nothing. [`Vault::prepare`] seals the plan into a commit. The host stores its bytes, and then
//! [`Vault::apply`] takes it: nothing is acknowledged before it is kept.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use connector_vault::*;
//! use rand::{SeedableRng, rngs::{StdRng, SysRng}};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut rng = StdRng::try_from_rng(&mut SysRng)?;
//! let now = Timestamp::new("2026-11-23T20:15:00.000Z")?;
//! let mut host = Host { now, rng: &mut rng };
//!
//! // A service holds an identity instead of a passphrase.
//! let identity = Identity::generate(host.rng);
//! let owner = NewOwner::identity("ops", identity.clone());
//! let (mut vault, mut file) = Vault::create(&mut host, &owner)?;
//!
//! let id = ConnectorId::new("twitterConnectorId")?;
//! let properties = Properties::from_json(r#"{"APIKey": "old_key", "Endpoint": "https://api.example"}"#)?;
//! let plan = vault.plan_create(&NewConnector::new(id.as_str(), "Twitter API", "Twitter").with_properties(&properties), &Options::default())?;
//! let prepared = vault.prepare(plan, &mut host)?;
//! prepared.write().to(&mut file);
//! vault.apply(prepared)?;
//!
//! let action = Action::parse(r#"{
//!     "ActionType": "Connectors.Update",
//!     "Parameters": {
//!         "EntryId": "twitterConnectorId",
//!         "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[Secrets:TwitterKey]"}],
//!         "PropertiesJson": "{ \"Timeout\": \"30s\" }"
//!     }
//! }"#)?;
//! let mut tokens = BTreeMap::from([("Secrets:TwitterKey".to_owned(), Secret::new("new_key")?)]);
//! let plan = vault.plan(&action, &mut tokens, &Options::default(), &mut host)?;
//! assert_eq!(plan.plans()[0].outcome().status, Status::Planned);
//! let prepared = vault.prepare(plan, &mut host)?;
//! prepared.write().to(&mut file);
//! assert_eq!(vault.apply(prepared)?[0].status, Status::Updated);
//!
//! // Somebody else opens the bytes. An identity needs to know which vault to trust.
//! let options = OpenOptions { vault_id: Some(vault.head().vault_id), ..OpenOptions::default() };
//! let vault = Vault::open(file, Unlock::Identity(&identity), &options)?;
//! let connector = vault.read("twitterConnectorId")?;
//! let names: Vec<&str> = connector.properties.names().map(PropertyName::as_str).collect();
//! assert_eq!(names, ["APIKey", "Endpoint", "Timeout"]);
//! assert_eq!(connector.properties.get("APIKey").map(Secret::expose), Some("new_key"));
//! # Ok(())
//! # }
//! ```
//!
//! The bytes are specified in `docs/format.md`, the actions in `docs/action.md`, and what is
//! protected from whom in `SECURITY.md`.

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
mod role;
mod secret;
pub mod source;
mod time;
mod token;
mod unicode;
mod vault;

pub use access::{
    BrokenKeySlot, KeySlotInfo, KeySlotKind, KeySlotMatch, KeySlotSalt, NewPasskey, Unlock,
};
pub use action::{
    Action, ActionType, Answers, Asking, Nested, NewConnectors, Note, Null, Options, RequestId,
    Source, TestResult, Tester, Warning, WarningCode,
};
pub use connector::{
    Connector, ConnectorId, Description, Meta, NewConnector, Op, Properties, PropertyChanges,
    PropertyName, Version,
};
pub use crypto::identity::{GrantKey, Identity};
pub use crypto::kdf::{Cost, Derivation, ExternalKey, Passphrase, Stretched};
pub use error::{Code, Detail, Error, Place, Position, Result};
pub use format::hex::{GrantId, GroupId, VaultId};
pub use format::{PREFIX_LEN, check_file_len, log_start};
pub use log::{Continuity, Head, KnownHead, TornTail, VaultReference};
pub use plan::{
    ActionPlan, Change, ChangeKind, Done, Frame, Outcome, Plan, Ran, Status, TestOutcome,
};
pub use rand_core;
pub use role::Role;
pub use secret::Secret;
pub use time::Timestamp;
pub use token::{TokenFn, TokenInfo, TokenRef, TokenSpan, Tokens, find_tokens};
pub use vault::{
    Answer, Ask, Attributed, Authored, Brought, CONFLICTS_MAX, Changing, CommitInfo, ConflictKind,
    Cursor, Elsewhere, FalseVersion, Gap, GrantInfo, Grantee, GroupInfo, GroupRemoval, Host,
    Import, KeySlotRef, LastChange, Listing, LogEnd, LostRecord, Merge, MergeConflict,
    MergeOptions, NewOwner, NotTaken, OnConflict, OpenOptions, OpenReport, Opening, Overview,
    Prepared, Reason, Refreshed, RepairOptions, Repaired, Resolve, RestoredVersion, Retention,
    Revocation, Right, RightInfo, Seen, Session, SignatureState, SignedVersion, Step, Stranger,
    Terms, Trust, Vault, Verb, Verdict, Winner, Write,
};
