//! What tests make vaults of: a team with each role, and commits that the library would never
//! make, signed by a grant that would like to.

#![allow(clippy::unwrap_used, reason = "tests")]

mod authorship;
mod ops;
mod patches;
mod tests;
mod vectors;

use std::collections::BTreeMap;
use std::convert::Infallible;

use rand_core::{CryptoRng, TryCryptoRng, TryRng};

use crate::access::groups::{self, PlainName};
use crate::access::{BundlePlace, Unlock};
use crate::action::{Action, Options};
use crate::bytes::{put_len, put_part};
use crate::connector::{Meta, NewConnector, Op, Properties, PropertyName};
use crate::crypto::identity::{Identity, VaultKey};
use crate::crypto::kdf::{Cost, Passphrase};
use crate::crypto::{Hash, sha256};
use crate::format::commit::{Fixed, Kind, body_hash};
use crate::format::header::{Grant, Header};
use crate::format::hex::{Hex, VaultId};
use crate::format::rights::{RightEntry, Scope};
use crate::format::to_json;
use crate::log;
use crate::plan::{ActionPlan, Plan};
use crate::secret::Secret;
use crate::vault::index::{Entry, Face, Hint, IndexKeys, Place};
use crate::vault::record::{
    NewOverview, Plaintexts, SecretsPart, SecretsPlace, Text, hash_of_secrets, sign,
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

/// A role in one of the groups of [`Team::with_groups`], or in all.
pub(super) type RightIn = (Option<usize>, Role);

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

    /// A vault with the groups `default` and `billing`, an owner, members by their labels and their rights in one of the
    /// groups or in all, and the connectors `x` and `b`, one in each group.
    pub(super) fn with_groups(members: &[(&'static str, &[RightIn])]) -> Self {
        let mut team = Self::alone();
        let mut snapshot = team.snapshot();
        let mut header = snapshot.header_of(&team);
        let bundle = team.vault.access.bundle.clone();
        let name = PlainName::new("billing").unwrap();
        groups::add(&mut team.rng, &bundle, &mut header, &name).unwrap();
        let ids: Vec<_> = header.groups.iter().map(|group| group.id).collect();
        for (label, rights) in members {
            let rights = rights.iter().map(|(group, role)| RightEntry {
                group: group.map_or(Scope::All, |group| Scope::Group(ids[group])),
                role: *role,
            });
            let rights: Vec<_> = rights.collect();
            let identity = Identity::generate(&mut team.rng);
            let key = identity.grant_key();
            let mut id = [0; 8];
            id[0] = u8::try_from(header.grants.len()).unwrap();
            let place = BundlePlace {
                vault_id: header.vault_id,
                epoch: header.epoch,
                grant: GrantId(Hex(id)),
                rights: &rights,
            };
            let sealed = bundle.seal(&mut team.rng, &place, &key).unwrap();
            header.grants.push(Grant {
                id: place.grant,
                label: (*label).into(),
                since: NOW.into(),
                until: None,
                requests_from: None,
                extra: None,
                rights: rights.clone(),
                x_wing: key.x_wing,
                ed25519: Hex(key.ed25519),
                bundle: sealed,
            });
            team.members.push((*label, identity));
        }
        bundle.set_deposits(&mut header).unwrap();
        snapshot.header = crate::format::to_json(&header);
        team.file = snapshot.file();
        team.hand_to("ops");
        team.add("x", &[("APIKey", "a")]);
        let record = forge_record(
            &team.vault,
            &mut team.rng,
            |overview| {
                overview.op = Op::Create;
                overview.id = "b".into();
                overview.group = ids[1];
                overview.version = 1;
            },
            some_secrets(),
        );
        team.file.extend(commit_of(&team.vault, &[&record]));
        team.hand_to("ops");
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

    pub(super) fn grant(&mut self, label: &'static str, terms: impl Into<Terms>) {
        let identity = Identity::generate(&mut self.rng);
        let key = identity.grant_key();
        let to = Grantee::Key(&key);
        let prepared = self
            .vault
            .prepare_grant(label, terms, to, &mut host(&mut self.rng));
        self.store(prepared.unwrap());
        self.members.push((label, identity));
    }

    pub(super) fn revoke(&mut self, label: &str) {
        let revocation = self
            .vault
            .prepare_revoke(label, &mut host(&mut self.rng), &mut |_, _| {});
        self.store(revocation.unwrap().prepared);
    }

    pub(super) fn reduce(&mut self, label: &str, terms: impl Into<Terms>) {
        let change =
            self.vault
                .prepare_rights(label, terms, &mut host(&mut self.rng), &mut |_, _| {});
        self.store(change.unwrap().prepared);
    }

    pub(super) fn add_group(&mut self, name: &str) {
        let prepared = self.vault.prepare_add_group(name, &mut host(&mut self.rng));
        self.store(prepared.unwrap());
    }

    pub(super) fn remove_group(&mut self, name: &str, deletes_to: Option<&str>) -> GroupRemoval {
        let host = &mut host(&mut self.rng);
        let removal = self
            .vault
            .prepare_remove_group(name, deletes_to, host, &mut |_, _| {});
        let mut removal = removal.unwrap();
        let none = Prepared::replace(&self.vault, Vec::new(), Vec::new());
        let prepared = std::mem::replace(&mut removal.prepared, none);
        self.store(prepared);
        removal
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

    pub(super) fn add_in(&mut self, group: &str, id: &str, values: &[(&str, &str)]) {
        let new = NewConnector::new(id, "Name", "Type").group(group);
        let new = new.with_properties(&properties(values));
        let plan = self.vault.plan_create(&new, &Options::default()).unwrap();
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
        let all = self.vault.all_versions().unwrap();
        let records = all.iter().map(|stored| stored_record(&self.vault, stored));
        Snapshot {
            records: records.collect(),
            ..Snapshot::of(&self.vault, &self.vault.header)
        }
    }
}

/// A version as it stands in a commit: its entry and its sealed parts, without the lengths before them.
#[derive(Clone)]
pub(super) struct Forged {
    pub(super) entry: Entry,
    pub(super) overview: Vec<u8>,
    /// Empty for a delete.
    pub(super) secrets: Vec<u8>,
}

impl Forged {
    /// Makes the entry say what the parts are.
    pub(super) fn refit(&mut self) {
        let (entry, len) = (&mut self.entry, |part: &[u8]| {
            u32::try_from(part.len()).unwrap()
        });
        (entry.overview_len, entry.secrets_len) = (len(&self.overview), len(&self.secrets));
        entry.overview_hash = sha256(&self.overview);
        entry.secrets_hash = match self.secrets.as_slice() {
            [] => [0; 32],
            secrets => sha256(secrets),
        };
    }
}

/// The parts of a version as they are.
pub(super) fn stored_record(vault: &Vault, stored: &Stored) -> Forged {
    let [overview, secrets] = stored.record().map(|range| {
        let mut part = Vec::new();
        vault.source.read(range, &mut part).unwrap();
        part
    });
    Forged {
        entry: stored.entry,
        overview: overview[4..].to_vec(),
        secrets: secrets.get(4..).unwrap_or_default().to_vec(),
    }
}

/// The newest version of a connector.
pub(super) fn newest(vault: &Vault, id: &str) -> Forged {
    stored_record(vault, &vault.newest(id).unwrap().unwrap())
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
) -> Forged {
    let (facts, plaintexts) = forge_plaintexts(vault, rng, change, secrets);
    seal(vault, rng, &facts, &plaintexts)
}

/// Where the secrets of a version that is no patch stand.
pub(super) fn place(id: &str, version: Version) -> SecretsPlace<'_> {
    SecretsPlace {
        id,
        version,
        patched_by: None,
    }
}

/// A patch of `x` by `vault`'s grant, as [`forge_record`] makes records.
pub(super) fn forge_patch(
    vault: &Vault,
    rng: &mut dyn CryptoRng,
    change: impl FnOnce(&mut NewOverview<'_>),
    secrets: Option<SecretsPart>,
) -> Forged {
    let change = |overview: &mut NewOverview<'_>| {
        overview.op = Op::Patch;
        change(overview);
    };
    forge_record(vault, rng, change, secrets)
}

/// A patch of `x` of any texts, by `vault`'s grant.
pub(super) fn patch_of_texts(
    vault: &Vault,
    rng: &mut dyn CryptoRng,
    overview: &str,
    secrets: &str,
) -> Forged {
    let overview = overview.as_bytes();
    let signature = sign(&vault.access.keys, vault.id(), &sha256(overview));
    let plaintexts = Plaintexts {
        overview: [&signature[..], overview].concat(),
        secrets: Some(zeroize::Zeroizing::new(
            [&SALT[..], secrets.as_bytes()].concat(),
        )),
    };
    let parsed = serde_json::from_slice::<serde_json::Value>(overview).unwrap();
    let facts = Facts {
        op: Op::Patch,
        request_id: parsed["request"]["id"].as_str().map(str::to_owned),
        ..Facts::update("x", 2)
    };
    seal(vault, rng, &facts, &plaintexts)
}

/// What an entry says of a version.
pub(super) struct Facts {
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) op: Op,
    /// The number of its group.
    pub(super) group: u16,
    pub(super) name: String,
    pub(super) type_name: String,
    pub(super) meta: Meta,
    pub(super) request_id: Option<String>,
}

impl Facts {
    /// An update of a connector as [`Team`] makes them.
    pub(super) fn update(id: &str, version: u64) -> Self {
        Self {
            id: id.into(),
            version,
            op: Op::Update,
            group: 0,
            name: "Name".into(),
            type_name: "Type".into(),
            meta: Meta::new(),
            request_id: None,
        }
    }
}

/// Seals plaintexts, whatever they are, under an entry that says these facts.
pub(super) fn seal(
    vault: &Vault,
    rng: &mut dyn CryptoRng,
    facts: &Facts,
    plaintexts: &Plaintexts,
) -> Forged {
    let place = SecretsPlace {
        id: facts.id.as_str(),
        version: Version::new(facts.version).unwrap(),
        patched_by: (facts.op == Op::Patch).then_some(vault.access.grant),
    };
    let sealed = vault.keys.seal(rng, facts.group, place, plaintexts);
    let sealed = sealed.unwrap();
    let mut forged = Forged {
        entry: entry(vault, facts),
        overview: sealed.overview,
        secrets: sealed.secrets.unwrap_or_default(),
    };
    forged.refit();
    forged
}

/// The same before it is sealed, and whose it is.
pub(super) fn forge_plaintexts(
    vault: &Vault,
    rng: &mut dyn CryptoRng,
    change: impl FnOnce(&mut NewOverview<'_>),
    secrets: Option<SecretsPart>,
) -> (Facts, Plaintexts) {
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
        Op::Undelete => overview.source = overview.source.or(Some(1)),
        Op::Describe | Op::Move => overview.changed = Some(Vec::new()),
        Op::Patch => {
            overview.changed = overview
                .changed
                .take()
                .or(Some(overview.properties.clone()));
        }
        Op::Update => {}
    }
    let op = overview.op;
    let groups = &vault.header.groups;
    let group = groups.iter().find(|group| group.id == overview.group);
    let facts = Facts {
        id: overview.id.to_string(),
        version: overview.version,
        op,
        group: group.map_or(0, |group| group.number),
        name: overview.name.to_string(),
        type_name: overview.type_name.to_string(),
        meta: overview.meta.clone().unwrap_or_default(),
        request_id: overview
            .request
            .as_ref()
            .map(|request| request.id.to_string()),
    };
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
    (facts, plaintexts)
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
) -> Forged {
    let hash = sha256(without_padding(overview));
    let signature = sign(&vault.access.keys, vault.id(), &hash);
    let secrets = secrets.map(|text| zeroize::Zeroizing::new([&SALT[..], text].concat()));
    let plaintexts = Plaintexts {
        overview: [&signature[..], overview].concat(),
        secrets,
    };
    let forged = seal(vault, rng, &Facts::update(id, version), &plaintexts);
    // Whatever they are sealed as, they stand as the next version of `x`.
    Forged {
        entry: Entry {
            overview_len: forged.entry.overview_len,
            secrets_len: forged.entry.secrets_len,
            overview_hash: forged.entry.overview_hash,
            secrets_hash: forged.entry.secrets_hash,
            ..entry_of(vault, overview)
        },
        ..forged
    }
}

/// The entry that an overview wants, as far as it is a next version of `x` that opening takes.
fn entry_of(vault: &Vault, overview: &[u8]) -> Entry {
    let mut facts = Facts::update("x", 2);
    let overview = serde_json::from_slice::<serde_json::Value>(without_padding(overview));
    let overview = overview.unwrap_or_default();
    match overview["op"].as_str().and_then(Op::parse) {
        Some(op @ (Op::Patch | Op::Restore | Op::Describe | Op::Move | Op::Undelete)) => {
            facts.op = op
        }
        _ => facts.request_id = overview["request"]["id"].as_str().map(str::to_owned),
    }
    entry(vault, &facts)
}

fn entry(vault: &Vault, facts: &Facts) -> Entry {
    let id = facts.id.as_str();
    let face = vault
        .keys
        .face(facts.group, id, &facts.name, &facts.type_name, &facts.meta);
    let request_id = facts.request_id.as_deref();
    let index = &vault.index.keys;
    Entry {
        tag: index.tag(id),
        version: Version::new(facts.version).unwrap(),
        group: facts.group,
        op: facts.op,
        hint: request_id.map_or(Hint::NONE, |request_id| index.hint(id, request_id)),
        face: Face(face.unwrap()),
        overview_len: 0,
        secrets_len: 0,
        overview_hash: [0; 32],
        secrets_hash: [0; 32],
    }
}

pub(super) fn some_secrets() -> Option<SecretsPart> {
    Some(SecretsPart {
        properties: properties(&[("APIKey", "forged")]),
        outcome: None,
        extra: None,
    })
}

/// A commit of changes by `vault`'s grant on its head.
pub(super) fn commit_of(vault: &Vault, records: &[&Forged]) -> Vec<u8> {
    Changes::of(vault, records).bytes()
}

/// The same, in the name of another author.
pub(super) fn commit_at(vault: &Vault, author: u16, records: &[&Forged]) -> Vec<u8> {
    let mut changes = Changes::of(vault, records);
    changes.author = author;
    changes.bytes()
}

/// The parts of changes, to be changed before they are signed.
pub(super) struct Changes {
    pub(super) vault_id: VaultId,
    pub(super) seq: u64,
    pub(super) prev: Hash,
    pub(super) author: u16,
    pub(super) signer: Access,
    pub(super) keys: IndexKeys,
    /// What the page is sealed as.
    pub(super) place: Place,
    /// The plaintext of the page.
    pub(super) page: Vec<u8>,
    /// Overviews and secrets, with the lengths before them.
    pub(super) overviews: Vec<u8>,
    pub(super) secrets: Vec<u8>,
}

impl Changes {
    pub(super) fn of(vault: &Vault, records: &[&Forged]) -> Self {
        let head = vault.head();
        let seq = head.seq + 1;
        let (overviews, secrets) = parts_of(records);
        Self {
            vault_id: head.vault_id,
            seq,
            prev: head.hash.0,
            author: vault.access.index,
            signer: vault.access.clone(),
            keys: vault.index.keys.clone(),
            place: Place::Changes(seq),
            page: records.iter().flat_map(|one| one.entry.encode()).collect(),
            overviews,
            secrets,
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut page = Vec::new();
        self.keys
            .seal(&mut Counter::new(90), self.place, &self.page, &mut page);
        let records = [self.overviews.as_slice(), &self.secrets].concat();
        let mut front = Vec::new();
        put_part(&mut front, &page);
        front.extend((self.overviews.len() as u64).to_le_bytes());
        front.extend(body_hash(&page, &records));
        let fixed = Fixed {
            len: (front.len() + 64 + records.len()) as u64,
            kind: Kind::Changes,
            seq: self.seq,
            prev: self.prev,
            author: self.author,
        };
        let signed = [fixed.encode().as_slice(), &front].concat();
        let signature = self.signer.sign_commit(self.vault_id, &sha256(&signed));
        [signed.as_slice(), &signature, &records].concat()
    }
}

/// Overviews and secrets as they stand in a commit.
fn parts_of(records: &[&Forged]) -> (Vec<u8>, Vec<u8>) {
    let (mut overviews, mut secrets) = (Vec::new(), Vec::new());
    for record in records {
        put_part(&mut overviews, &record.overview);
        if record.entry.op != Op::Delete {
            put_part(&mut secrets, &record.secrets);
        }
    }
    (overviews, secrets)
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
    pub(super) adopted: Vec<[u8; 40]>,
    pub(super) keys: IndexKeys,
    pub(super) records: Vec<Forged>,
    /// What happens to the plaintext of the only page, and to that of the directory, before they are sealed.
    pub(super) change_page: fn(&mut Vec<u8>),
    pub(super) change_directory: fn(&mut Vec<u8>),
    /// What page and directory are sealed as.
    pub(super) places: [Place; 2],
    pub(super) key_slots: Vec<u8>,
}

impl Snapshot {
    /// A snapshot without connectors on a vault's head, with this header.
    pub(super) fn of(vault: &Vault, header: &Header) -> Self {
        let head = vault.head();
        let seq = head.seq + 1;
        let mut superseded = vault.superseded.clone();
        superseded.extend(vault.index.commits.iter().map(|commit| commit.hash));
        Self {
            vault_id: head.vault_id,
            seq,
            prev: head.hash.0,
            author: vault.access.index,
            signer: vault.access.clone(),
            header: to_json(&Header {
                seq,
                ..header.clone()
            }),
            header_key: vault
                .access
                .bundle
                .vault_key
                .clone()
                .unwrap_or_else(|| VaultKey::from_seed(&[1; 32])),
            superseded,
            adopted: Vec::new(),
            keys: vault.index.keys.clone(),
            records: Vec::new(),
            change_page: |_| {},
            change_directory: |_| {},
            places: [Place::Page(seq, 0), Place::Directory(seq)],
            key_slots: b"[]".to_vec(),
        }
    }

    /// Another number, in the header too.
    pub(super) fn set_seq(&mut self, seq: u64) {
        let text = String::from_utf8(std::mem::take(&mut self.header)).unwrap();
        let [before, after] = [self.seq, seq].map(|seq| format!("\"seq\":{seq},\"created\""));
        assert!(text.contains(&before));
        self.header = text.replacen(&before, &after, 1).into_bytes();
        self.seq = seq;
        self.places = [Place::Page(seq, 0), Place::Directory(seq)];
        let unknown = seq.min(16_384).saturating_sub(self.superseded.len() as u64);
        let zeros = vec![[0; 32]; usize::try_from(unknown).unwrap()];
        self.superseded.splice(0..0, zeros);
    }

    /// The header of this snapshot as a vault's, to be changed.
    pub(super) fn header_of(&self, team: &Team) -> Header {
        Header {
            seq: self.seq,
            ..team.vault.header.clone()
        }
    }

    pub(super) fn file(&self) -> Vec<u8> {
        let records: Vec<_> = self.records.iter().collect();
        let (overviews, secrets) = parts_of(&records);
        let rng = &mut Counter::new(91);
        let mut page: Vec<u8> = records.iter().flat_map(|one| one.entry.encode()).collect();
        let mut directory = Vec::new();
        let mut pages = Vec::new();
        (self.change_page)(&mut page);
        if !page.is_empty() {
            self.keys.seal(rng, self.places[0], &page, &mut pages);
            directory.extend_from_slice(&page[..24]);
            directory.extend([0; 16]);
            directory.extend(sha256(&pages));
        }
        let tags = records.chunk_by(|one, next| one.entry.tag == next.entry.tag);
        let live = tags.filter(|versions| versions.last().unwrap().entry.exists());
        let live = u32::try_from(live.count()).unwrap();
        directory.splice(0..0, live.to_le_bytes());
        (self.change_directory)(&mut directory);
        let mut sealed = Vec::new();
        self.keys.seal(rng, self.places[1], &directory, &mut sealed);
        let mut front = Vec::new();
        put_part(&mut front, &self.header);
        let message = log::header_message(self.vault_id, &self.header);
        front.extend(self.header_key.sign(&message));
        put_len(&mut front, self.superseded.len());
        front.extend_from_slice(self.superseded.as_flattened());
        put_len(&mut front, self.adopted.len());
        front.extend_from_slice(self.adopted.as_flattened());
        put_part(&mut front, &sealed);
        front.extend((pages.len() as u64).to_le_bytes());
        front.extend((overviews.len() as u64).to_le_bytes());
        let fixed = Fixed {
            len: (front.len() + 64 + pages.len() + overviews.len() + secrets.len()) as u64,
            kind: Kind::Snapshot,
            seq: self.seq,
            prev: self.prev,
            author: self.author,
        };
        let signed = [fixed.encode().as_slice(), &front].concat();
        let signature = self.signer.sign_commit(self.vault_id, &sha256(&signed));
        let mut file = crate::format::file_start(&self.key_slots);
        for part in [&signed, &signature[..], &pages, &overviews, &secrets] {
            file.extend_from_slice(part);
        }
        file
    }
}
