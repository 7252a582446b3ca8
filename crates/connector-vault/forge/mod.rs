//! What tests make vaults of: a team with each role, and commits that the library would never
//! make, signed by a grant that would like to.

#![allow(clippy::unwrap_used, reason = "tests")]

mod authorship;
mod tests;
mod vectors;

use std::collections::BTreeMap;
use std::convert::Infallible;

use rand_core::{CryptoRng, TryCryptoRng, TryRng};

use crate::access::Unlock;
use crate::action::{Action, Options};
use crate::connector::{NewConnector, Properties, PropertyName};
use crate::crypto::identity::{Identity, VaultKey};
use crate::crypto::kdf::{Cost, Passphrase};
use crate::crypto::{Hash, sha256};
use crate::format::commit::{NewCommit, NewRecord, NewSnapshot};
use crate::format::header::Header;
use crate::format::hex::{GroupId, Hex, VaultId};
use crate::format::to_json;
use crate::log;
use crate::plan::{ActionPlan, Plan};
use crate::secret::Secret;
use crate::vault::record::{
    NewOverview, OpenedOverview, Plaintexts, SecretsPart, Text, hash_of_secrets, sign,
    without_padding,
};
use crate::vault::*;

/// Randomness that repeats on every machine and with every version of every library: SHA-256 of a
/// counter.
pub(super) struct Counter(u64);

impl Counter {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed << 32)
    }
}

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sha256(&self.0.to_le_bytes())[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}

/// A clock that stands still.
pub(super) const NOW: &str = "2026-11-23T20:15:00.000Z";

pub(super) fn host(rng: &mut Counter) -> Host<'_> {
    Host {
        now: Timestamp::new(NOW).unwrap(),
        rng,
    }
}

pub(super) fn properties(values: &[(&str, &str)]) -> Properties {
    let mut properties = Properties::new();
    for (name, value) in values {
        let name = PropertyName::new(*name).unwrap();
        properties.set(name, Secret::new(*value).unwrap()).unwrap();
    }
    properties
}

/// A vault, its owner's view of it, and the identities of its grants by label.
pub(super) struct Team {
    pub(super) rng: Counter,
    pub(super) vault: Vault,
    pub(super) file: Vec<u8>,
    pub(super) members: Vec<(&'static str, Identity)>,
}

impl Team {
    /// A vault without connectors, and its owner `ops`.
    pub(super) fn alone() -> Self {
        Self::founded(0, None)
    }

    pub(super) fn founded(seed: u64, passphrase: Option<&str>) -> Self {
        let mut rng = Counter::new(seed);
        let owner = Identity::generate(&mut rng);
        let passphrase = passphrase.map(|text| Passphrase::new(text).unwrap());
        let new_owner = NewOwner::identity("ops", owner.clone()).cost(Cost::MIN);
        let new_owner = match &passphrase {
            Some(passphrase) => new_owner.and_passphrase(passphrase),
            None => new_owner,
        };
        let (vault, file) = Vault::create(&mut host(&mut rng), &new_owner).unwrap();
        Self {
            rng,
            vault,
            file,
            members: vec![("ops", owner)],
        }
    }

    /// A vault with a connector `x`, and its owner.
    pub(super) fn solo() -> Self {
        let mut team = Self::alone();
        team.add("x", &[("APIKey", "a")]);
        team
    }

    /// A vault with a grant of each role, labelled by it, and a connector `x`.
    pub(super) fn roles() -> Self {
        let mut team = Self::alone();
        for role in [Role::Viewer, Role::Reader, Role::Updater] {
            team.grant(role.as_str(), role);
        }
        team.add("x", &[("APIKey", "a")]);
        team
    }

    /// A vault with one updater `rotation` beside its owner, and a connector `x`.
    pub(super) fn pair() -> Self {
        let mut team = Self::alone();
        team.grant("rotation", Role::Updater);
        team.add("x", &[("APIKey", "a")]);
        team
    }

    pub(super) fn vault_id(&self) -> VaultId {
        self.vault.head().vault_id
    }

    pub(super) fn identity(&self, label: &str) -> &Identity {
        let member = self.members.iter().find(|(member, _)| *member == label);
        &member.unwrap().1
    }

    pub(super) fn open_as(&self, label: &str) -> Vault {
        self.open_file(self.file.clone(), self.identity(label))
            .unwrap()
    }

    pub(super) fn open_file(&self, file: Vec<u8>, identity: &Identity) -> Result<Vault> {
        let options = OpenOptions {
            vault_id: Some(self.vault_id()),
            ..OpenOptions::default()
        };
        Vault::open(file, Unlock::Identity(identity), &options)
    }

    pub(super) fn store(&mut self, prepared: Prepared) {
        prepared.write().to(&mut self.file);
        self.vault.apply(prepared).unwrap();
    }

    pub(super) fn grant(&mut self, label: &'static str, role: Role) {
        let identity = Identity::generate(&mut self.rng);
        let key = identity.grant_key();
        let to = Grantee::Key(&key);
        let prepared = self
            .vault
            .prepare_grant(label, role, to, &mut host(&mut self.rng));
        self.store(prepared.unwrap());
        self.members.push((label, identity));
    }

    pub(super) fn revoke(&mut self, label: &str) {
        let revocation = self
            .vault
            .prepare_revoke(label, &mut host(&mut self.rng), &mut |_, _| {});
        self.store(revocation.unwrap().prepared);
    }

    pub(super) fn reduce(&mut self, label: &str, role: Role) {
        let change = self
            .vault
            .prepare_role(label, role, &mut host(&mut self.rng), &mut |_, _| {});
        self.store(change.unwrap().prepared);
    }

    pub(super) fn compact(&mut self, retention: Retention) {
        let prepared = self
            .vault
            .prepare_compaction(retention, &mut host(&mut self.rng));
        self.store(prepared.unwrap());
    }

    /// Goes on as another member.
    pub(super) fn hand_to(&mut self, label: &str) {
        self.vault = self.open_as(label);
    }

    pub(super) fn commit(&mut self, plan: impl Into<ActionPlan>) {
        let prepared = self.vault.prepare(plan, &mut host(&mut self.rng));
        self.store(prepared.unwrap());
    }

    pub(super) fn add(&mut self, id: &str, values: &[(&str, &str)]) {
        let plan = self.plan_add(id, values);
        self.commit(plan);
    }

    pub(super) fn plan_add(&self, id: &str, values: &[(&str, &str)]) -> Plan {
        self.vault
            .plan_create(
                &NewConnector::new(id, "Name", "Type").with_properties(&properties(values)),
                &Options::default(),
            )
            .unwrap()
    }

    pub(super) fn update(&mut self, id: &str, name: &str, value: &str) {
        let action = update(id, name, value);
        self.run(&action, &Options::default());
    }

    pub(super) fn delete(&mut self, id: &str) {
        let action = format!(
            r#"{{"ActionType": "CredStore.DeleteEntry", "Parameters": {{"EntryId": "{id}"}}}}"#
        );
        self.run(&action, &Options::default());
    }

    pub(super) fn run(&mut self, action: &str, options: &Options) {
        let plan = self
            .vault
            .plan(
                &Action::parse(action).unwrap(),
                &mut BTreeMap::<String, Secret>::new(),
                options,
                &mut host(&mut self.rng),
            )
            .unwrap();
        self.commit(plan);
    }

    /// The whole file with a commit of one forged record behind it.
    pub(super) fn with_forged(
        &mut self,
        author: &str,
        change: impl FnOnce(&mut NewOverview<'_>),
        secrets: Option<SecretsPart>,
    ) -> Vec<u8> {
        let vault = self.open_as(author);
        let record = forge_record(&vault, &mut self.rng, change, secrets);
        [self.file.as_slice(), &commit_of(&vault, &[&record])].concat()
    }

    /// The parts of a snapshot that replaces the log with what it holds.
    pub(super) fn snapshot(&self) -> Snapshot {
        let head = self.vault.head();
        let records = self.vault.index.all().flatten();
        Snapshot {
            vault_id: head.vault_id,
            seq: head.seq + 1,
            prev: head.hash.0,
            author: self.vault.access.index,
            signer: self.vault.access.clone(),
            header: to_json(&Header {
                seq: head.seq + 1,
                ..self.vault.header.clone()
            }),
            header_key: self.vault.access.bundle.vault_key.clone().unwrap(),
            superseded: vec![head.hash.0],
            records: records
                .map(|stored| stored_record(&self.vault, stored))
                .collect(),
            key_slots: b"[]".to_vec(),
        }
    }
}

/// The sealed record of a version.
pub(super) fn stored_record(vault: &Vault, stored: &Stored) -> Vec<u8> {
    let mut record = Vec::new();
    vault.source.read(stored.record(), &mut record).unwrap();
    record
}

pub(super) fn update(id: &str, name: &str, value: &str) -> String {
    format!(
        r#"{{"ActionType": "Connectors.Update", "Parameters": {{"EntryId": "{id}",
        "Properties": [{{"PropertyName": "{name}", "PropertyValue": "{value}"}}]}}}}"#
    )
}

/// A record for `x` as an update by `vault`'s grant would be, but for what `change` does to it.
pub(super) fn forge_record(
    vault: &Vault,
    rng: &mut dyn CryptoRng,
    change: impl FnOnce(&mut NewOverview<'_>),
    secrets: Option<SecretsPart>,
) -> Vec<u8> {
    let plaintexts = forge_plaintexts(vault, rng, change, secrets);
    let (id, version, plaintexts) = plaintexts;
    let group = OpenedOverview::parse(&plaintexts.overview).map(|opened| opened.overview.group);
    let group = group.unwrap_or_else(|_| default_group(vault));
    let place = (group, id.as_str(), Version::new(version).unwrap());
    vault.index.keys().seal(rng, place, &plaintexts).unwrap()
}

/// The group `default`.
pub(super) fn default_group(vault: &Vault) -> GroupId {
    vault.header.groups[0].id
}

/// The same before it is sealed, and whose it is.
pub(super) fn forge_plaintexts(
    vault: &Vault,
    rng: &mut dyn CryptoRng,
    change: impl FnOnce(&mut NewOverview<'_>),
    secrets: Option<SecretsPart>,
) -> (String, u64, Plaintexts) {
    let mut overview = NewOverview {
        id: "x".into(),
        group: vault.header.groups[0].id,
        name: "Name".into(),
        type_name: "Type".into(),
        version: 2,
        op: Op::Update,
        author: vault.access.grant,
        at: NOW.into(),
        created_at: Some(NOW.into()),
        values_at: None,
        meta: None,
        extra: None,
        properties: vec![Text("APIKey".into())],
        changed: None,
        source: None,
        secrets_hash: None,
        note: None,
        request: None,
    };
    change(&mut overview);
    // What an overview of such an op has.
    match overview.op {
        Op::Create => overview.created_at = None,
        Op::Delete => overview.properties.clear(),
        Op::Restore => overview.source = Some(1),
        Op::Update => {}
    }
    let (id, version, op) = (overview.id.to_string(), overview.version, overview.op);
    if secrets.is_none() && op != Op::Delete {
        overview.secrets_hash = Some(Hex([0; 32]));
    }
    let own = secrets.as_ref().filter(|_| op != Op::Delete);
    let author = &vault.access.keys;
    let mut plaintexts = Plaintexts::sign(rng, author, vault.id(), overview, own);
    if let (Some(secrets), None) = (&secrets, own) {
        let json = serde_json::to_vec(secrets).unwrap();
        plaintexts.secrets = Some(zeroize::Zeroizing::new([&SALT[..], &json].concat()));
    }
    (id, version, plaintexts)
}

/// The salt of secrets whose text a test gives.
pub(super) const SALT: [u8; 16] = [5; 16];

/// What an overview says of secrets with this text.
pub(super) fn hash_of(secrets: &str) -> String {
    Hex(hash_of_secrets(&SALT, without_padding(secrets.as_bytes()))).to_string()
}

/// A record of any texts, signed by `vault`'s grant: what no writer makes. The secrets are sealed as those of a
/// connector version.
pub(super) fn seal_texts(
    vault: &Vault,
    rng: &mut dyn CryptoRng,
    overview: &[u8],
    secrets: Option<&[u8]>,
    (id, version): (&str, u64),
) -> Vec<u8> {
    let hash = sha256(without_padding(overview));
    let signature = sign(&vault.access.keys, vault.id(), &hash);
    let secrets = secrets.map(|text| zeroize::Zeroizing::new([&SALT[..], text].concat()));
    let plaintexts = Plaintexts {
        overview: [&signature[..], overview].concat(),
        secrets,
    };
    let place = (default_group(vault), id, Version::new(version).unwrap());
    vault.index.keys().seal(rng, place, &plaintexts).unwrap()
}

/// A record with a longer overview than a writer seals, and without secrets.
pub(super) fn seal_long(vault: &Vault, rng: &mut dyn CryptoRng, overview: &[u8]) -> Vec<u8> {
    let hash = sha256(without_padding(overview));
    let signature = sign(&vault.access.keys, vault.id(), &hash);
    let plaintext = [&signature[..], overview].concat();
    vault.index.keys().seal_overview(rng, &plaintext)
}

pub(super) fn some_secrets() -> Option<SecretsPart> {
    Some(SecretsPart {
        properties: properties(&[("APIKey", "forged")]),
        outcome: None,
        extra: None,
    })
}

/// A commit of changes by `vault`'s grant on its head.
pub(super) fn commit_of(vault: &Vault, records: &[&[u8]]) -> Vec<u8> {
    commit_at(vault, vault.access.index, records)
}

/// The same, in the name of another author.
pub(super) fn commit_at(vault: &Vault, author: u16, records: &[&[u8]]) -> Vec<u8> {
    let head = vault.head();
    let hashed: Vec<_> = records
        .iter()
        .map(|record| NewRecord::new(*record))
        .collect();
    let commit = NewCommit {
        seq: head.seq + 1,
        prev: head.hash.0,
        author,
        snapshot: None,
        records: &hashed,
    };
    let mut bytes = Vec::new();
    commit
        .encode(&mut bytes, |signed| {
            vault.access.sign_commit(head.vault_id, signed)
        })
        .unwrap();
    bytes
}

/// The parts of a snapshot, to be changed before they are signed.
pub(super) struct Snapshot {
    pub(super) vault_id: VaultId,
    pub(super) seq: u64,
    pub(super) prev: Hash,
    pub(super) author: u16,
    pub(super) signer: Access,
    pub(super) header: Vec<u8>,
    pub(super) header_key: VaultKey,
    pub(super) superseded: Vec<Hash>,
    pub(super) records: Vec<Vec<u8>>,
    pub(super) key_slots: Vec<u8>,
}

impl Snapshot {
    /// Another number, in the header too.
    pub(super) fn set_seq(&mut self, seq: u64) {
        let text = String::from_utf8(std::mem::take(&mut self.header)).unwrap();
        let [before, after] = [self.seq, seq].map(|seq| format!("\"seq\":{seq},\"created\""));
        assert!(text.contains(&before));
        self.header = text.replacen(&before, &after, 1).into_bytes();
        self.seq = seq;
    }

    /// The header of this snapshot as a vault's, to be changed.
    pub(super) fn header_of(&self, team: &Team) -> Header {
        Header {
            seq: self.seq,
            ..team.vault.header.clone()
        }
    }

    pub(super) fn file(&self) -> Vec<u8> {
        let records: Vec<_> = self.records.iter().map(NewRecord::new).collect();
        let commit = NewCommit {
            seq: self.seq,
            prev: self.prev,
            author: self.author,
            snapshot: Some(NewSnapshot {
                header: &self.header,
                header_signature: self
                    .header_key
                    .sign(&log::header_message(self.vault_id, &self.header)),
                superseded: &self.superseded,
            }),
            records: &records,
        };
        let mut file = crate::format::file_start(&self.key_slots);
        commit
            .encode(&mut file, |hash| {
                self.signer.sign_commit(self.vault_id, hash)
            })
            .unwrap();
        file
    }
}
