//! Creating a vault and committing plans. A commit is prepared, stored by the host, and only then
//! applied: nothing is acknowledged before it is kept.

use std::borrow::Cow;
use std::collections::HashSet;

use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

use super::index::{Index, Stored};
use super::open::OpenOptions;
use super::record::{OverviewText, RequestPart, SecretsPart, Text};
use super::{Host, Vault};
use crate::access::{self, Access, Bundle, BundlePlace};
use crate::action::{Options, Request, RequestId};
use crate::connector::{ConnectorId, Op, Version, check_text};
use crate::crypto::identity::{Identity, VaultKey};
use crate::crypto::kdf::{Cost, Passphrase};
use crate::crypto::label::{self, bind};
use crate::crypto::{Hash, sha256};
use crate::error::{Code, Error, Result};
use crate::format::commit::{FIXED_LEN, NewCommit, NewSnapshot, SIGNATURE_LEN};
use crate::format::header::{Grant, Header, Role};
use crate::format::hex::{GrantId, Hex, RecordId, VaultId};
use crate::format::locks::{self, LockEntry};
use crate::format::{file_start, header};
use crate::limits;
use crate::log::{self, Head};
use crate::plan::{self, Outcome, Plan};

/// The first owner of a new vault. Without a passphrase the vault opens by the identity alone,
/// without an identity one is generated.
#[derive(Debug)]
pub struct NewOwner<'a> {
    /// What the owner is called.
    pub label: &'a str,
    /// Its identity, if it has one.
    pub identity: Option<Identity>,
    /// Its passphrase, and what trying one costs.
    pub passphrase: Option<(&'a Passphrase, Cost)>,
}

/// A change that is ready to be stored.
#[derive(Debug)]
pub struct Prepared {
    base: Head,
    store: Store,
    outcomes: Vec<Outcome>,
}

enum Store {
    Nothing,
    Append(Vec<u8>),
    Replace(Vec<u8>),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Append(bytes) => write!(f, "Append({} bytes)", bytes.len()),
            Self::Replace(bytes) => write!(f, "Replace({} bytes)", bytes.len()),
        }
    }
}

impl Prepared {
    /// The bytes to append to the log, if this is a commit of changes.
    #[must_use]
    pub fn to_append(&self) -> Option<&[u8]> {
        match &self.store {
            Store::Append(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The bytes to replace the whole file with, if this is a snapshot.
    #[must_use]
    pub fn to_replace(&self) -> Option<&[u8]> {
        match &self.store {
            Store::Replace(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Where the log ends, and how to recognize that it still does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEnd {
    /// Bytes that identify the newest commit, with their offsets from the start of the log: its
    /// fixed part, which holds its seq and its predecessor's hash, and its signature, which covers
    /// the rest. They are as telling as its hash and cost the same for a commit of any size.
    pub marks: Vec<(u64, Vec<u8>)>,
    /// The length of the log.
    pub end: u64,
}

impl Vault {
    /// A new vault without connectors, and the bytes of its file.
    pub fn create(host: &mut Host<'_>, owner: &NewOwner<'_>) -> Result<(Self, Vec<u8>)> {
        if owner.identity.is_none() && owner.passphrase.is_none() {
            return Err(Error::new(Code::InvalidArgument, "an owner needs a passphrase or an identity"));
        }
        let identity = owner.identity.clone().unwrap_or_else(|| Identity::generate(host.rng));
        let vault_key = VaultKey::generate(host.rng);
        let vault_id = log::vault_id(&vault_key.public());
        let bundle = Bundle::generate(host.rng, vault_key);
        let place = BundlePlace { vault_id, epoch: 1, grant: new_grant_id(host.rng), role: Role::Owner };
        let header = Header {
            format: 1,
            vault_id,
            vault_key: Hex(bundle.vault_key.as_ref().map_or([0; 32], VaultKey::public)),
            handovers: Vec::new(),
            epoch: 1,
            created: host.now.to_string(),
            grants: vec![new_grant(host, &bundle, &place, owner.label, &identity)?],
            retired: Vec::new(),
        };
        let mut locks = Vec::new();
        if let Some((passphrase, cost)) = owner.passphrase {
            let cost = cost.check(limits::MEMORY_KIB_MAX_NATIVE)?;
            let lock = access::lock(host.rng, vault_id, place.grant, &identity, passphrase, cost)?;
            locks.push(LockEntry::Lock(lock));
        }
        let access = Access::open(identity, &header)?;
        let chain = Chain { seq: 0, prev: [0; 32], superseded: &[] };
        let file = snapshot_file(&access, &header, &locks, &chain, &[])?;
        let vault = Self::load(file.clone(), &OpenOptions::default(), |_, _, _| Ok(access))?;
        Ok((vault, file))
    }

    /// What a request would change. Nothing is written.
    pub fn plan_request(&self, request: &Request, options: &Options) -> Result<Plan> {
        let what = request.action_type();
        self.require(|role| plan::permits(role_rights(role), what), what.as_str())?;
        todo_plan(self, request, options)
    }

    /// Seals a plan into a commit on the present head. Nothing has changed until the commit is
    /// stored and applied.
    ///
    /// Fails with `conflict` if the connector moved on since the plan was made.
    pub fn prepare(&self, plan: Plan, host: &mut Host<'_>) -> Result<Prepared> {
        self.prepare_all(vec![plan], host)
    }

    /// Seals several plans, for different connectors, into one commit: all of them happen or none.
    pub fn prepare_all(&self, plans: Vec<Plan>, host: &mut Host<'_>) -> Result<Prepared> {
        let mut records = Vec::with_capacity(plans.len());
        let mut outcomes = Vec::with_capacity(plans.len());
        let mut ids = HashSet::new();
        for plan in plans {
            if !ids.insert(plan.id.clone()) {
                return Err(conflict(&plan.id, "two plans change it"));
            }
            outcomes.push(plan.final_outcome());
            if let Some(record) = self.seal_plan(plan, host)? {
                records.push(record);
            }
        }
        let base = self.head();
        if records.is_empty() {
            return Ok(Prepared { base, store: Store::Nothing, outcomes });
        }
        let hashed: Vec<_> = records.iter().map(|record| (record.as_slice(), sha256(record))).collect();
        let commit = NewCommit {
            seq: base.seq + 1,
            prev: base.hash.0,
            author: self.access.index,
            snapshot: None,
            records: &hashed,
        };
        let mut bytes = Vec::new();
        commit.encode(&mut bytes, |hash| self.access.sign_commit(base.vault_id, hash));
        Ok(Prepared { base, store: Store::Append(bytes), outcomes })
    }

    /// Takes a commit that the host has stored, and returns what became of the plans.
    ///
    /// Fails with `conflict` if the vault has moved on since the commit was prepared.
    pub fn apply(&mut self, prepared: Prepared) -> Result<Vec<Outcome>> {
        if prepared.base != self.head() {
            return Err(Error::new(Code::Conflict, "the vault has moved on since this was prepared"));
        }
        match prepared.store {
            Store::Nothing => {}
            Store::Append(bytes) => {
                self.extend(bytes, false)?;
            }
            Store::Replace(file) => self.reopen(file)?,
        }
        Ok(prepared.outcomes)
    }

    /// Where the log ends.
    #[must_use]
    pub fn log_end(&self) -> LogEnd {
        let newest = self.index.commits.last().expect("a vault has at least its snapshot");
        let offset = self.index.log_offset(newest);
        let bytes = self.index.commit_bytes(newest);
        let signature = newest.signature_at;
        LogEnd {
            marks: vec![
                (offset, bytes[..FIXED_LEN].to_vec()),
                (offset + signature as u64, bytes[signature..signature + SIGNATURE_LEN].to_vec()),
            ],
            end: offset + newest.len as u64,
        }
    }
}

/// Where a snapshot stands in the chain.
pub(super) struct Chain<'a> {
    pub(super) seq: u64,
    pub(super) prev: Hash,
    pub(super) superseded: &'a [Hash],
}

/// The whole file of a vault that begins with a new snapshot.
pub(super) fn snapshot_file(
    access: &Access,
    header: &Header,
    locks: &[LockEntry],
    chain: &Chain<'_>,
    records: &[(&[u8], Hash)],
) -> Result<Vec<u8>> {
    let vault_key = access.bundle.vault_key.as_ref().ok_or_else(|| access::not_permitted("this needs the role owner"))?;
    let encoded = header.encode()?;
    let commit = NewCommit {
        seq: chain.seq,
        prev: chain.prev,
        author: access.index,
        snapshot: Some(NewSnapshot {
            header: &encoded,
            header_signature: vault_key.sign(&log::header_message(header.vault_id, &encoded)),
            superseded: chain.superseded,
        }),
        records,
    };
    let mut file = file_start(&locks::encode(locks)?);
    commit.encode(&mut file, |hash| access.sign_commit(header.vault_id, hash));
    Ok(file)
}

/// A grant with its bundle.
pub(super) fn new_grant(
    host: &mut Host<'_>,
    bundle: &Bundle,
    place: &BundlePlace,
    label: &str,
    key: &GrantKey,
) -> Result<Grant> {
    check_text("label", label, limits::LABEL_LEN_MAX, Code::InvalidArgument)?;
    Ok(Grant {
        id: place.grant,
        label: label.into(),
        role: place.role,
        since: host.now.to_string(),
        x25519: Hex(key.x25519),
        ed25519: Hex(key.ed25519),
        bundle: bundle.seal(host.rng, place, key)?,
    })
}

pub(super) fn new_grant_id(rng: &mut dyn CryptoRng) -> GrantId {
    let mut id = [0; 8];
    rng.fill_bytes(&mut id);
    GrantId(Hex(id))
}
