//! The open vault.

use connector_vault::limits::VERSIONS_KEPT;
use connector_vault::{
    self as core, Attributed, Authored, CommitInfo, ConnectorId, Cursor, Description, KeySlotRef,
    KeySlotSalt, NewConnector, NewConnectors, Properties, Retention, SignatureState, Timestamp,
};
use js_sys::{JsString, Uint8Array};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;
use crate::holder::{Holder, terms};
use crate::host::{self, Host};
use crate::input::{self, stretched};
use crate::json::{document, json, secret_json, wiped};
use crate::options::{self, ActionOptions, KdfCost, Merging};
use crate::plan::{Merge, Plan, Prepared, Revocation};
use crate::source::Arrays;

/// An open vault. `free` wipes its keys.
#[wasm_bindgen]
pub struct Vault(pub(crate) core::Vault<Arrays>);

/// Reading.
#[wasm_bindgen]
impl Vault {
    /// The role of the grant that opened the vault.
    #[wasm_bindgen(unchecked_return_type = "Role")]
    pub fn role(&self) -> String {
        self.0.role().as_str().to_owned()
    }

    /// The label of the grant that opened the vault.
    pub fn label(&self) -> String {
        self.0.label().to_owned()
    }

    /// The newest commit, as JSON.
    pub fn head(&self) -> String {
        json(&self.0.head())
    }

    /// What a client keeps of it, as JSON of docs/format.md section 9.
    #[wasm_bindgen(js_name = knownHead)]
    pub fn known_head(&self) -> String {
        document(&self.0.known_head())
    }

    /// What an owner hands over with a grant: text.
    pub fn reference(&self) -> String {
        self.0.reference().to_string()
    }

    /// Whether another copy of this vault, whose known head this is, is newer.
    #[wasm_bindgen(js_name = isBehind)]
    pub fn is_behind(&self, known: &str) -> Result<bool> {
        Ok(self.0.is_behind(&core::KnownHead::parse(known)?))
    }

    /// What was noticed when it was opened, as JSON.
    pub fn report(&self) -> String {
        #[derive(Serialize)]
        struct Report<'a> {
            continuity: core::Continuity,
            handover: bool,
            torn: Option<core::TornTail>,
            broken_key_slots: &'a [core::BrokenKeySlot],
            compaction_due: bool,
        }
        let report = self.0.report();
        json(&Report {
            continuity: report.continuity,
            handover: report.handover,
            torn: report.torn,
            broken_key_slots: &report.broken_key_slots,
            compaction_due: self.0.awaits_compaction(),
        })
    }

    /// How many connectors there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The next `count` connectors from a cursor on, or from the beginning, those that do not open, and where the list goes on;
    /// as JSON.
    pub fn list(&self, from: Option<String>, count: usize) -> Result<String> {
        let from = from.map(|text| text.parse::<Cursor>()).transpose()?;
        let mut listing = self.0.list_from(from.unwrap_or_default());
        let mut part = Part::default();
        for connector in listing.by_ref().take(count) {
            match connector {
                Ok(overview) => part.connectors.push(self.0.authored(overview)),
                Err(error) => part.damaged.push(DamagedConnector {
                    connector: error.connector().map(str::to_owned),
                    code: error.code().as_str(),
                    message: error.message().to_owned(),
                }),
            }
        }
        let cursor = listing.cursor();
        part.next = (!cursor.is_end()).then(|| cursor.to_string());
        Ok(json(&part))
    }

    /// Whether there is a connector with this id.
    pub fn has(&self, id: &str) -> Result<bool> {
        Ok(self.0.contains(id)?)
    }

    /// A hint for a person who asked for an unknown connector.
    pub fn similar(&self, id: &str) -> Result<Option<String>> {
        Ok(self.0.similar(id)?)
    }

    /// The overview of a connector, as JSON.
    pub fn connector(&self, id: &str) -> Result<String> {
        Ok(json(&self.0.authored(self.0.overview(id)?)))
    }

    /// A connector with its values, as JSON.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn read(&self, id: &str) -> Result<JsValue> {
        Ok(secret_json(&self.0.read(id)?)?)
    }

    /// A kept version of a connector with its values, as JSON.
    #[wasm_bindgen(js_name = readVersion, unchecked_return_type = "string")]
    pub fn read_version(&self, id: &str, version: f64) -> Result<JsValue> {
        let connector = self.0.read_version(id, options::version(version)?)?;
        Ok(secret_json(&connector)?)
    }

    /// One value of a connector, at present or in a kept version.
    #[wasm_bindgen(js_name = readProperty)]
    pub fn read_property(
        &self,
        id: &str,
        name: &str,
        version: Option<f64>,
    ) -> Result<Option<JsString>> {
        let connector = match version {
            Some(version) => self.0.read_version(id, options::version(version)?)?,
            None => self.0.read(id)?,
        };
        let value = connector.properties.get(name);
        Ok(value.map(|value| JsString::from(value.expose())))
    }

    /// The kept versions of a connector, oldest first, and who signed each, as JSON.
    pub fn history(&self, id: &str) -> Result<String> {
        let versions = self.0.history(id)?.into_iter();
        let versions = versions.map(|version| self.0.attributed(version));
        Ok(json(&versions.collect::<Vec<_>>()))
    }

    /// What changed from one version to another, as JSON.
    pub fn diff(&self, id: &str, from: f64, to: f64) -> Result<String> {
        Ok(json(&self.0.diff(
            id,
            options::version(from)?,
            options::version(to)?,
        )?))
    }

    /// The groups, as JSON.
    pub fn groups(&self) -> Result<String> {
        Ok(json(&self.0.groups()?))
    }

    /// What the grant that opened the vault permits, as JSON.
    pub fn rights(&self) -> String {
        json(&self.0.own_rights())
    }

    /// The patches of a connector that have no effect, newest first, as JSON.
    #[wasm_bindgen(js_name = badPatches)]
    pub fn bad_patches(&self, id: &str) -> Result<String> {
        Ok(json(&self.0.bad_patches(id)?))
    }

    /// Who may do what, as JSON.
    pub fn grants(&self) -> String {
        json(&self.0.grants().collect::<Vec<_>>())
    }

    /// At most `count` commits of the log from an index on, oldest first, as JSON.
    pub fn log(&self, from: usize, count: usize) -> Result<String> {
        let commits = self.0.log_range(from, count)?.into_iter();
        let shown = commits.map(|commit| Commit::of(&self.0, commit));
        Ok(json(&shown.collect::<Vec<_>>()))
    }

    /// Checks everything: a verdict for each commit, as JSON.
    pub fn verify(&self) -> Result<String> {
        Ok(json(&self.0.verify()?))
    }

    /// All connectors with their values, as JSON that `cvault import` reads.
    #[wasm_bindgen(js_name = exportConnectors, unchecked_return_type = "string")]
    pub fn export_connectors(&self) -> Result<JsValue> {
        let overviews = self.0.list().without_bad_patches();
        let connectors = overviews
            .map(|overview| self.0.read(overview?.id.as_str()))
            .collect::<core::Result<_>>()?;
        // With the names that the command line reads.
        Ok(wiped(serde_json::to_string(&Exported { connectors }).ok())?)
    }
}

/// A part of the list of connectors.
#[derive(Default, Serialize)]
struct Part {
    connectors: Vec<Authored>,
    damaged: Vec<DamagedConnector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A connector that does not open, or a page of the index that does not.
#[derive(Serialize)]
struct DamagedConnector {
    connector: Option<String>,
    code: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Exported {
    connectors: Vec<core::Connector>,
}

/// A commit of the log, as an auditor sees it.
#[derive(Serialize)]
struct Commit {
    seq: u64,
    snapshot: bool,
    author: String,
    signature: SignatureState,
    records: Vec<Attributed>,
}

impl Commit {
    fn of(vault: &core::Vault<Arrays>, commit: CommitInfo) -> Self {
        let label = vault.label_of(commit.author).map(str::to_owned);
        let records = commit.records.into_iter();
        Self {
            seq: commit.seq,
            snapshot: commit.snapshot,
            author: label.unwrap_or_else(|| commit.author.to_string()),
            signature: commit.signature,
            records: records.map(|record| vault.attributed(record)).collect(),
        }
    }
}

/// Another copy.
#[wasm_bindgen]
impl Vault {
    /// Opens another copy of this vault by the same identity.
    #[wasm_bindgen(js_name = openCopy)]
    pub fn open_copy(&self, file: Uint8Array) -> Result<Vault> {
        Ok(Vault(self.0.open_copy_in(Arrays::from(file))?))
    }
}

/// Planning: nothing is written.
#[wasm_bindgen]
impl Vault {
    /// A plan that creates a connector, under a new id if none is given; `meta` are names and texts in turn;
    /// properties are JSON by the rules of `PropertiesJson`, without tokens.
    #[wasm_bindgen(js_name = planCreate)]
    pub fn plan_create(
        &self,
        id: Option<String>,
        name: &str,
        type_name: &str,
        meta: Vec<String>,
        properties: &Uint8Array,
        options: &ActionOptions,
    ) -> Result<Plan> {
        let options = options.options()?;
        let properties = Properties::from_json(&input::text(properties)?)?;
        let id = match id {
            Some(id) => ConnectorId::new(id)?,
            None => ConnectorId::generate(&mut host::random()?),
        };
        let mut connector =
            NewConnector::new(id.as_str(), name, type_name).with_properties(&properties);
        for pair in meta.chunks_exact(2) {
            connector = connector.meta(pair[0].as_str(), pair[1].as_str());
        }
        Ok(Plan::of(self.0.plan_create(&connector, &options)?))
    }

    /// A plan that creates the connectors of a document, all or none.
    #[wasm_bindgen(js_name = planImport)]
    pub fn plan_import(&self, document: &Uint8Array, options: &ActionOptions) -> Result<Plan> {
        let options = options.options()?;
        let connectors = NewConnectors::parse(&input::text(document)?)?;
        Ok(Plan::of_all(self.0.plan_import(&connectors, &options)?))
    }

    /// A plan that deletes a connector.
    #[wasm_bindgen(js_name = planDelete)]
    pub fn plan_delete(&self, id: &str, options: &ActionOptions) -> Result<Plan> {
        let plan = self.0.plan_delete(id, &options.options()?)?;
        Ok(Plan::of(plan))
    }

    /// A plan that gives a connector another name, type or meta: `meta` are names and texts in turn, `without` names
    /// that it loses.
    #[wasm_bindgen(js_name = planDescribe)]
    pub fn plan_describe(
        &self,
        id: &str,
        name: Option<String>,
        type_name: Option<String>,
        meta: Vec<String>,
        without: Vec<String>,
        options: &ActionOptions,
    ) -> Result<Plan> {
        let mut description = Description::new();
        if let Some(name) = name {
            description = description.name(name);
        }
        if let Some(type_name) = type_name {
            description = description.type_name(type_name);
        }
        for pair in meta.chunks_exact(2) {
            description = description.meta(pair[0].as_str(), pair[1].as_str());
        }
        let description = without
            .into_iter()
            .fold(description, Description::without_meta);
        let plan = self
            .0
            .plan_describe(id, &description, &options.options()?)?;
        Ok(Plan::of(plan))
    }

    /// A plan that moves a connector to the group of this name.
    #[wasm_bindgen(js_name = planMove)]
    pub fn plan_move(&self, id: &str, group: &str, options: &ActionOptions) -> Result<Plan> {
        let plan = self.0.plan_move(id, group, &options.options()?)?;
        Ok(Plan::of(plan))
    }

    /// A plan that brings a deleted connector back, as it was in a version, by default the newest before.
    #[wasm_bindgen(js_name = planUndelete)]
    pub fn plan_undelete(
        &self,
        id: &str,
        version: Option<f64>,
        options: &ActionOptions,
    ) -> Result<Plan> {
        let version = version.map(options::version).transpose()?;
        let plan = self.0.plan_undelete(id, version, &options.options()?)?;
        Ok(Plan::of(plan))
    }

    /// A plan that makes the properties of a kept version the present ones.
    #[wasm_bindgen(js_name = planRestore)]
    pub fn plan_restore(&self, id: &str, version: f64, options: &ActionOptions) -> Result<Plan> {
        let options = options.options()?;
        let plan = self
            .0
            .plan_restore(id, options::version(version)?, &options)?;
        Ok(Plan::of(plan))
    }

    /// What merging another copy would change.
    #[wasm_bindgen(js_name = planMerge)]
    pub fn plan_merge(&self, theirs: &Vault, options: &Merging, now: &str) -> Result<Merge> {
        let now = Timestamp::from_clock(now)?;
        let merge = self.0.plan_merge(&theirs.0, options.options(), &now)?;
        Ok(Merge(merge))
    }
}

/// Preparing what is to be stored.
#[wasm_bindgen]
impl Vault {
    /// Seals plans into one commit on the present head. The plan stays, for another try.
    pub fn prepare(&self, plan: &Plan, now: &str) -> Result<Prepared> {
        let mut host = Host::new(now)?;
        plan.prepare(&self.0, &mut host.get())
    }

    /// What was planned of a merge, if nothing stands against it.
    #[wasm_bindgen(js_name = prepareMerge)]
    pub fn prepare_merge(&self, merge: Merge, now: &str) -> Result<Prepared> {
        let mut host = Host::new(now)?;
        merge.prepare(&self.0, &mut host.get())
    }

    /// A snapshot that keeps the newest so many versions, by default ten.
    #[wasm_bindgen(js_name = prepareCompaction)]
    pub fn prepare_compaction(&self, keep: Option<f64>, now: &str) -> Result<Prepared> {
        let mut host = Host::new(now)?;
        let keep = match keep {
            Some(keep) => input::whole("the number of versions to keep", keep)?,
            None => VERSIONS_KEPT as u64,
        };
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let retention = Retention::Newest(keep);
        Ok(self
            .0
            .prepare_compaction(retention, &mut host.get())?
            .into())
    }

    /// A snapshot without the former versions of these connectors, or of all.
    #[wasm_bindgen(js_name = preparePurge)]
    pub fn prepare_purge(&self, ids: Option<Vec<String>>, now: &str) -> Result<Prepared> {
        let mut host = Host::new(now)?;
        let ids: Option<Vec<&str>> = ids
            .as_ref()
            .map(|ids| ids.iter().map(String::as_str).collect());
        Ok(self
            .0
            .prepare_purge(ids.as_deref(), &mut host.get())?
            .into())
    }

    /// Grants something.
    #[wasm_bindgen(js_name = prepareGrant)]
    pub fn prepare_grant(
        &self,
        label: &str,
        rights: Vec<String>,
        until: Option<String>,
        to: &Holder,
        now: &str,
    ) -> Result<Prepared> {
        let terms = terms(Some(rights), until.as_deref())?;
        let mut host = Host::new(now)?;
        Ok(self
            .0
            .prepare_grant(label, terms, to.grantee(), &mut host.get())?
            .into())
    }

    /// Takes a grant away.
    #[wasm_bindgen(js_name = prepareRevoke)]
    pub fn prepare_revoke(&self, label: &str, now: &str) -> Result<Revocation> {
        let mut host = Host::new(now)?;
        let revocation = self
            .0
            .prepare_revoke(label, &mut host.get(), &mut |_, _| ())?;
        Ok(Revocation::of(revocation))
    }

    /// Gives a grant other rights, or another date: `none` takes that away.
    #[wasm_bindgen(js_name = prepareRights)]
    pub fn prepare_rights(
        &self,
        label: &str,
        rights: Option<Vec<String>>,
        until: Option<String>,
        now: &str,
    ) -> Result<Revocation> {
        let terms = terms(rights, until.as_deref())?;
        let mut host = Host::new(now)?;
        let changed = self
            .0
            .prepare_rights(label, terms, &mut host.get(), &mut |_, _| ())?;
        Ok(Revocation::of(changed))
    }

    /// Gives a grant a new identity.
    #[wasm_bindgen(js_name = prepareRenew)]
    pub fn prepare_renew(&self, label: &str, to: &Holder, now: &str) -> Result<Revocation> {
        let mut host = Host::new(now)?;
        let renewed = self
            .0
            .prepare_renew(label, to.grantee(), &mut host.get(), &mut |_, _| ())?;
        Ok(Revocation::of(renewed))
    }

    /// Adds a group.
    #[wasm_bindgen(js_name = prepareAddGroup)]
    pub fn prepare_add_group(&self, name: &str, now: &str) -> Result<Prepared> {
        let mut host = Host::new(now)?;
        Ok(self.0.prepare_add_group(name, &mut host.get())?.into())
    }

    /// Gives a group another name.
    #[wasm_bindgen(js_name = prepareRenameGroup)]
    pub fn prepare_rename_group(&self, name: &str, new: &str, now: &str) -> Result<Prepared> {
        let mut host = Host::new(now)?;
        let prepared = self.0.prepare_rename_group(name, new, &mut host.get())?;
        Ok(prepared.into())
    }

    /// Removes a group in which there is no connector.
    #[wasm_bindgen(js_name = prepareRemoveGroup)]
    pub fn prepare_remove_group(
        &self,
        name: &str,
        deletes_to: Option<String>,
        now: &str,
    ) -> Result<Revocation> {
        let mut host = Host::new(now)?;
        let removal = self.0.prepare_remove_group(
            name,
            deletes_to.as_deref(),
            &mut host.get(),
            &mut |_, _| (),
        )?;
        Ok(Revocation::of_group(removal))
    }

    /// The place of a new key slot for a passkey, as JSON.
    #[wasm_bindgen(js_name = newPasskey)]
    pub fn new_passkey(&self, now: &str) -> Result<String> {
        let mut host = Host::new(now)?;
        Ok(json(&self.0.new_passkey(&mut host.get())))
    }

    /// Adds a key slot of an external key to the grant that opened the vault; with a salt at the place that a passkey
    /// has answered to.
    #[wasm_bindgen(js_name = prepareKey)]
    pub fn prepare_key(
        &self,
        key: &Uint8Array,
        hint: Option<Uint8Array>,
        salt: Option<String>,
        now: &str,
    ) -> Result<Prepared> {
        let key = input::key(key)?;
        let hint = hint.as_ref().map(input::hint).transpose()?;
        let hint = hint.as_deref().unwrap_or_default();
        let mut host = Host::new(now)?;
        let mut host = host.get();
        let prepared = match salt {
            Some(salt) => {
                let place = self.0.passkey_at(salt.parse::<KeySlotSalt>()?);
                self.0.prepare_passkey(place, &key, hint, &mut host)?
            }
            None => self.0.prepare_key(&key, hint, &mut host)?,
        };
        Ok(prepared.into())
    }

    /// Removes key slots of external keys of the grant that opened the vault: the one with a salt, else those with a
    /// hint.
    #[wasm_bindgen(js_name = prepareKeyRemoval)]
    pub fn prepare_key_removal(
        &self,
        hint: Option<Uint8Array>,
        salt: Option<String>,
    ) -> Result<Prepared> {
        let hint = hint.as_ref().map(input::hint).transpose()?;
        let which = match salt {
            Some(salt) => KeySlotRef::Salt(salt.parse()?),
            None => KeySlotRef::Hint(hint.as_deref().unwrap_or_default()),
        };
        Ok(self.0.prepare_key_removal(which)?.into())
    }

    /// Replaces the passphrase of the grant that opened the vault, by a stretched one.
    #[wasm_bindgen(js_name = preparePassphrase)]
    pub fn prepare_passphrase(
        &self,
        passphrase: &Uint8Array,
        cost: &KdfCost,
        now: &str,
    ) -> Result<Prepared> {
        let passphrase = stretched(passphrase)?;
        let cost = cost.cost();
        let mut host = Host::new(now)?;
        let prepared = self
            .0
            .prepare_passphrase(&passphrase, cost, &mut host.get())?;
        Ok(prepared.into())
    }
}
