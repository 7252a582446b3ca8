//! Committing plans. A commit is prepared, stored by the host, and only then applied: nothing is
//! acknowledged before it is kept.

mod checked;
mod compact;

pub use self::compact::Retention;

pub(crate) use self::checked::{Checked, CheckedConnector, OwnVersion, Scope};

use std::collections::HashMap;
use std::ops::Range;

use rand_core::CryptoRng;

use super::authorship::FalseVersion;
use super::index::{self, Entry, IndexKeys, Place, Stored, capability_of};
use super::record::{
    KeptOutcome, NewOverview, OpenedOverview, Plaintexts, RecordKeys, RequestText, SecretsPart,
    Text,
};
use super::{Host, Vault};
use crate::access::Access;
use crate::connector::{ConnectorId, Op, PropertyName, Version};
use crate::crypto::identity::Identity;
use crate::crypto::{Hash, sha256};
use crate::error::{Code, Error, Result};
use crate::format::commit::{NewCommit, NewContent, NewSnapshot, PAGE_ENTRIES_MAX, Sealed};
use crate::format::extra::ExtraText;
use crate::format::header::{DEFAULT_GROUP, Header};
use crate::format::hex::Hex;
use crate::format::key_slots::{self, KeySlotEntry};
use crate::format::{check_file_len, file_start, split_file};
use crate::limits;
use crate::log::{self, Head};
use crate::plan::{ActionPlan, Base, ChangeKind, Draft, Newest, Outcome, Plan, Step};
use crate::source::Source;

/// A change that is ready to be stored.
#[derive(Debug)]
pub struct Prepared {
    base: Head,
    store: Store,
    outcomes: Vec<Outcome>,
    false_versions: Vec<FalseVersion>,
}

enum Store {
    Nothing,
    Append(Vec<u8>),
    Replace {
        file: Vec<u8>,
        /// SHA-256 of the bytes before the log that it was prepared on.
        base_start: Hash,
        /// Who opens it, if that is a new identity.
        identity: Option<Identity>,
    },
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Append(bytes) => write!(f, "Append({} bytes)", bytes.len()),
            Self::Replace { file, .. } => write!(f, "Replace({} bytes)", file.len()),
        }
    }
}

impl Prepared {
    pub(crate) fn replace<S: Source>(
        vault: &Vault<S>,
        file: Vec<u8>,
        false_versions: Vec<FalseVersion>,
    ) -> Self {
        Self {
            base: vault.head(),
            store: Store::Replace {
                file,
                base_start: sha256(&vault.start),
                identity: None,
            },
            outcomes: Vec::new(),
            false_versions,
        }
    }

    /// The same, for a file that gives the own grant a new identity.
    pub(crate) fn opened_by(mut self, new: &Identity) -> Self {
        if let Store::Replace { identity, .. } = &mut self.store {
            *identity = Some(new.clone());
        }
        self
    }

    /// The same, with what will have become of the plans.
    pub(crate) fn with_outcomes(self, outcomes: Vec<Outcome>) -> Self {
        Self { outcomes, ..self }
    }

    /// The identity that opens the vault once this is stored, if it is a new one.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        match &self.store {
            Store::Replace { identity, .. } => identity.as_ref(),
            _ => None,
        }
    }

    /// The versions that a new snapshot leaves out because they are false. Where one of them was the newest, a
    /// version of the owner's stands in its place: a restore of the newest one that is not false, or a delete.
    #[must_use]
    pub fn false_versions(&self) -> &[FalseVersion] {
        &self.false_versions
    }

    /// What will have become of the plans once it is stored.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Whether it still goes on from what a vault holds. A replaced passphrase does not move the head, but
    /// a whole file carries the key slots too.
    pub(crate) fn is_on<S: Source>(&self, vault: &Vault<S>) -> bool {
        let has_start = match &self.store {
            Store::Replace { base_start, .. } => *base_start == sha256(&vault.start),
            _ => true,
        };
        has_start && self.base == vault.head()
    }

    /// Whether a vault holds what was prepared. `None`: its log no longer reaches back so far.
    pub(crate) fn is_in<S: Source>(&self, vault: &Vault<S>) -> Option<bool> {
        let holds = |log: &[u8]| match log::lone(log) {
            Some((seq, hash)) => vault.holds_commit(seq, hash),
            None => Some(false),
        };
        match &self.store {
            // Whether it is durable by now, the log does not tell.
            Store::Nothing => Some(false),
            Store::Append(commit) => holds(commit),
            Store::Replace { file, .. } => {
                let log_start = split_file(file).ok()?.1;
                let (start, log) = file.split_at(log_start);
                match log::lone(log) {
                    // Only the key slots differ.
                    Some((seq, _)) if seq <= self.base.seq => Some(vault.start == start),
                    _ => holds(log),
                }
            }
        }
    }

    /// What is to be stored before it is applied.
    #[must_use]
    pub fn write(&self) -> Write<'_> {
        match &self.store {
            Store::Nothing => Write::Nothing,
            Store::Append(commit) => Write::Append(commit),
            Store::Replace { file, .. } => Write::Replace(file),
        }
    }
}

/// How the stored bytes change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Write<'a> {
    /// Not at all.
    Nothing,
    /// A commit is added behind the log.
    Append(&'a [u8]),
    /// The whole file is another one.
    Replace(&'a [u8]),
}

impl std::fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Append(commit) => write!(f, "Append({} bytes)", commit.len()),
            Self::Replace(file) => write!(f, "Replace({} bytes)", file.len()),
        }
    }
}

impl Write<'_> {
    /// Changes a file that is kept in memory and ends where the vault's log ends: a torn tail behind it
    /// has to be cut off before ([`Vault::log_end`]).
    pub fn to(self, file: &mut Vec<u8>) {
        match self {
            Self::Nothing => {}
            Self::Append(commit) => file.extend_from_slice(commit),
            Self::Replace(whole) => whole.clone_into(file),
        }
    }
}

/// Where the log ends, and how to recognize that it still does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogEnd {
    /// The file's bytes before the log, that is the key slots: a replaced passphrase changes nothing
    /// else. Empty: not compared.
    pub start: Vec<u8>,
    /// Bytes that identify the newest commit, with their offsets from the start of the log: its
    /// fixed part, which holds its seq and its predecessor's hash, and its signature, which covers
    /// the rest. They are as telling as its hash and cost the same for a commit of any size.
    pub marks: Vec<(u64, Vec<u8>)>,
    /// The length of the log, without a torn tail.
    pub end: u64,
    /// Bytes of a torn tail that stood behind the log when it was last read. An append takes its place.
    pub torn: u64,
}

impl<S: Source> Vault<S> {
    /// Seals a plan, of one change or of an action, into a commit on the present head. Nothing has changed until the commit is
    /// stored and applied.
    ///
    /// Fails with `conflict` if the connector moved on since the plan was made.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let identity = Identity::generate(host.rng);
    /// # let owner = NewOwner::identity("ops", identity.clone());
    /// # let (mut vault, mut file) = Vault::create(&mut host, &owner)?;
    /// # let id = ConnectorId::new("x")?;
    /// # let properties = Properties::from_json(r#"{"APIKey": "a"}"#)?;
    /// # let plan = vault.plan_create(&NewConnector::new(id.as_str(), "Name", "Type").with_properties(&properties), &Options::default())?;
    /// # let prepared = vault.prepare(plan, &mut host)?;
    /// # prepared.write().to(&mut file);
    /// # vault.apply(prepared)?;
    /// let plan = vault.plan_restore("x", Version::FIRST, &Options::default())?;
    /// let prepared = vault.prepare(plan, &mut host)?;
    /// // It is the present version already: there is nothing to store.
    /// assert_eq!(prepared.write(), Write::Nothing);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn prepare(&self, plan: impl Into<ActionPlan>, host: &mut Host<'_>) -> Result<Prepared> {
        let (plans, _) = plan.into().into_parts();
        self.prepare_all(plans, host)
    }

    /// Seals several plans into one commit: all of them happen or none. Of one connector there may be
    /// several only if each was planned on the one before, as those of a batch are.
    pub fn prepare_all(&self, plans: Vec<Plan>, host: &mut Host<'_>) -> Result<Prepared> {
        let drafts = plans.iter().filter_map(|plan| match &plan.0 {
            Step::Draft { draft, .. } => Some(draft.id.as_str()),
            Step::Answered { .. } => None,
        });
        self.want_newest(drafts, |stored| vec![stored.overview()])?;
        let mut versions = Vec::with_capacity(plans.len());
        let mut outcomes = Vec::with_capacity(plans.len());
        let mut written = HashMap::new();
        for plan in plans {
            match plan.0 {
                Step::Draft {
                    draft,
                    base,
                    request_digest,
                } => {
                    let before = written.get(&draft.id).copied();
                    let group = self.check_current(&draft, &base, before)?;
                    check_counter(draft.version_after.get())?;
                    let outcome = draft.committed();
                    if draft.writes() {
                        let now = Written {
                            version: draft.version_after,
                            op: draft.op,
                            group,
                        };
                        written.insert(draft.id.clone(), now);
                        let request =
                            request_digest.map(|digest| (digest, KeptOutcome::of(&outcome)));
                        let record = self.seal_draft(*draft, group, request, host)?;
                        versions.push(record);
                    }
                    outcomes.push(outcome);
                }
                Step::Answered { outcome, .. } => outcomes.push(outcome),
            }
        }
        let base = self.head();
        if versions.is_empty() {
            return Ok(Prepared {
                base,
                store: Store::Nothing,
                outcomes,
                false_versions: Vec::new(),
            });
        }
        let seq = next_counter(base.seq)?;
        let entries: Vec<_> = versions.iter().flat_map(|one| one.entry.encode()).collect();
        let mut page = Vec::new();
        let keys = &self.index.keys;
        keys.seal(host.rng, Place::Changes(seq), &entries, &mut page);
        let (overviews, secrets) = NewVersion::parts(versions);
        let commit = NewCommit {
            seq,
            prev: base.hash.0,
            author: self.access.index,
            content: NewContent::Changes(&page),
            overviews: &overviews,
            secrets: &secrets,
        };
        let mut bytes = Vec::new();
        commit.encode(&mut bytes, |hash| {
            self.access.sign_commit(base.vault_id, hash)
        })?;
        check_len(self.index.end() + bytes.len() as u64)?;
        Ok(Prepared {
            base,
            store: Store::Append(bytes),
            outcomes,
            false_versions: Vec::new(),
        })
    }

    /// Fails with `conflict` if the vault moved on since a plan was made. `written` is what a plan
    /// before it in the same commit writes of its connector. The number of the group of the new version.
    fn check_current(&self, draft: &Draft, base: &Base, written: Option<Written>) -> Result<u16> {
        let stored = self.newest(draft.id.as_str())?;
        let newest = written.or(stored.map(|Stored { entry, .. }| Written {
            version: entry.version,
            op: entry.op,
            group: entry.group,
        }));
        let what = draft.op.as_str();
        let capability = capability_of(draft.op);
        // Also a deleted id belongs to the members of a group.
        let before = newest.filter(|newest| self.header.group(newest.group).is_some());
        if let Some(before) = before {
            self.require_in(before.group, capability, what)?;
        }
        let now = self.base_of(&draft.id)?;
        if base.vault_id != now.vault_id {
            return Err(conflict(&draft.id, "was planned for another vault"));
        }
        let group = match (draft.group, newest) {
            (Some(group), _) => group,
            (None, Some(newest)) if draft.op != Op::Create => newest.group,
            _ => DEFAULT_GROUP,
        };
        if self.header.group(group).is_none() {
            return Err(conflict(&draft.id, "was planned for a group that is gone"));
        }
        self.require_in(group, capability, what)?;
        if base.epoch != now.epoch {
            return Err(conflict(
                &draft.id,
                "was planned with keys that have changed since",
            ));
        }
        match (&base.newest, written) {
            (Newest::Planned, None) => {
                return Err(conflict(
                    &draft.id,
                    "was planned on a change that is not committed with it",
                ));
            }
            (Newest::Stored(_), Some(_)) => {
                return Err(conflict(&draft.id, "is changed by two plans at once"));
            }
            (Newest::Planned, Some(_)) | (Newest::Stored(_), None) => {}
        }
        let before = newest
            .filter(|newest| newest.op != Op::Delete)
            .map(|newest| newest.version);
        let next = newest.map_or(Version::FIRST, |newest| newest.version.next());
        let same_version =
            before == draft.version_before && (!draft.writes() || next == draft.version_after);
        // Another copy of the vault may be at the same version.
        let same_record = base.newest == Newest::Planned || base.newest == now.newest;
        if !same_version || !same_record {
            return Err(conflict(&draft.id, "has changed since this was planned"));
        }
        Ok(group)
    }

    /// The sealed record of the version that a draft writes.
    pub(crate) fn seal_draft(
        &self,
        draft: Draft,
        group: u16,
        request: Option<(Hash, KeptOutcome)>,
        host: &mut Host<'_>,
    ) -> Result<NewVersion<'static>> {
        let (request_digest, outcome) = request.unzip();
        let group_id = self.keys.group_id(group);
        let changed = draft
            .changes
            .iter()
            .filter(|change| change.change != ChangeKind::Unchanged);
        let request = draft.request_id.as_ref().zip(request_digest);
        let overview = NewOverview {
            id: draft.id.as_str().into(),
            group: group_id.ok_or_else(|| conflict(&draft.id, "is of a group that is gone"))?,
            name: draft.name.as_str().into(),
            type_name: draft.type_name.as_str().into(),
            version: draft.version_after.get(),
            op: draft.op,
            author: self.access.grant,
            at: host.now.as_str().into(),
            created_at: match draft.op {
                Op::Create => None,
                _ => Some(
                    draft
                        .created_at
                        .as_ref()
                        .unwrap_or(&host.now)
                        .as_str()
                        .into(),
                ),
            },
            values_at: match draft.op {
                Op::Create => None,
                _ => draft.rotated_at.as_ref().map(|time| time.as_str().into()),
            },
            meta: (!draft.meta.is_empty()).then(|| draft.meta.clone()),
            extra: draft.extras.overview.as_deref().map(ExtraText),
            properties: match &draft.names {
                Some(names) => texts(names.iter().map(PropertyName::as_str)),
                None => texts(draft.after.names().map(PropertyName::as_str)),
            },
            changed: draft
                .op
                .names_changed()
                .then(|| texts(changed.map(|change| change.name.as_str()))),
            source: draft.source.map(Version::get),
            // Of the secrets that are sealed with it.
            secrets_hash: None,
            note: draft.note.as_ref().map(|note| note.as_str().into()),
            request: request.map(|(id, digest)| RequestText {
                id: id.as_str().into(),
                mac: Hex(self.request_mac(&draft.id, id, &digest)),
            }),
        };
        let secrets = SecretsPart {
            properties: draft.after.clone(),
            // A patch is answered from its overview: its author cannot read it again.
            outcome: outcome.filter(|_| draft.op != Op::Patch),
            extra: draft.extras.secrets.clone(),
        };
        let plaintexts = Plaintexts::sign(
            host.rng,
            &self.access.keys,
            self.header.vault_id,
            overview,
            (draft.op != Op::Delete).then_some(&secrets),
        );
        let opened = OpenedOverview::parse(&plaintexts.overview)?;
        let keys = (&self.index.keys, &self.keys);
        NewVersion::seal(keys, host.rng, group, &opened, &plaintexts)
    }

    /// Takes a commit that the host has stored, and returns what became of the plans.
    ///
    /// Fails with `conflict` if the vault has moved on since the commit was prepared.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let identity = Identity::generate(host.rng);
    /// # let owner = NewOwner::identity("ops", identity.clone());
    /// # let (mut vault, mut file) = Vault::create(&mut host, &owner)?;
    /// let properties = Properties::from_json(r#"{"APIKey": "a"}"#)?;
    /// let plan = vault.plan_create(&NewConnector::new("x", "Name", "Type").with_properties(&properties), &Options::default())?;
    /// let prepared = vault.prepare(plan, &mut host)?;
    /// prepared.write().to(&mut file);
    /// let outcomes = vault.apply(prepared)?;
    /// assert_eq!(outcomes[0].status, Status::Created);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn apply(&mut self, prepared: Prepared) -> Result<Vec<Outcome>> {
        if !prepared.is_on(self) {
            return Err(Error::new(
                Code::Conflict,
                "the vault has moved on since this was prepared",
            ));
        }
        match prepared.store {
            Store::Nothing => {}
            Store::Append(bytes) => {
                self.extend(bytes, true)?;
            }
            Store::Replace { file, identity, .. } => {
                let identity = identity.unwrap_or_else(|| self.access.identity.clone());
                self.replace(identity, file)?;
            }
        }
        Ok(prepared.outcomes)
    }

    /// Where the log ends.
    #[must_use]
    pub fn log_end(&self) -> LogEnd {
        let log_start = self.start.len() as u64;
        let marks = self.index.marks.iter();
        LogEnd {
            start: self.start.clone(),
            marks: marks
                .map(|(at, bytes)| (at - log_start, bytes.clone()))
                .collect(),
            end: self.index.end() - log_start,
            torn: self.torn_len,
        }
    }

    /// Nothing stands behind the log any more.
    pub(crate) fn forget_torn_tail(&mut self) {
        self.torn_len = 0;
    }

    /// Whether a commit is in the log, or among those that its snapshot has replaced. `None`: the snapshot
    /// does not list commits so far back.
    fn holds_commit(&self, seq: u64, hash: Hash) -> Option<bool> {
        let commits = &self.index.commits;
        let first = commits.first().map_or(0, |first| first.seq);
        match seq.checked_sub(first) {
            Some(index) => {
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                let found = commits.get(index).map(|found| found.hash);
                Some(found == Some(hash))
            }
            None => {
                let back = usize::try_from(first - seq).unwrap_or(usize::MAX);
                let index = self.superseded.len().checked_sub(back)?;
                Some(self.superseded[index] == hash)
            }
        }
    }
}

/// Names as an overview has them.
fn texts<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Text<'a>> {
    names.map(|name| Text(name.into())).collect()
}

/// The next seq or epoch. Fails with `limit_exceeded` before a commit is made that no reader takes.
pub(crate) fn next_counter(counter: u64) -> Result<u64> {
    check_counter(counter.saturating_add(1))
}

pub(crate) fn check_counter(counter: u64) -> Result<u64> {
    if counter <= limits::COUNTER_MAX {
        return Ok(counter);
    }
    Err(Error::new(
        Code::LimitExceeded,
        "a number of the vault would be too large for JSON",
    )
    .with_hint("move the connectors to a new vault"))
}

/// The newest version of a connector, as a plan of the same commit or the vault has it.
#[derive(Clone, Copy)]
struct Written {
    version: Version,
    op: Op,
    group: u16,
}

/// Where a snapshot stands in the chain.
pub(crate) struct Links<'a> {
    pub(crate) seq: u64,
    pub(crate) prev: Hash,
    pub(crate) superseded: &'a [Hash],
    pub(crate) adopted: &'a [[u8; 40]],
}

/// A version that a new commit carries.
pub(crate) struct NewVersion<'a> {
    pub(crate) entry: Entry,
    overview: Sealed<'a>,
    /// `None` exactly for a delete.
    secrets: Option<Sealed<'a>>,
}

impl<'a> NewVersion<'a> {
    /// A version as it stands in a source.
    pub(crate) fn stored(source: &'a dyn Source, stored: &Stored) -> Self {
        let behind_len = |range: Range<u64>| range.start + 4..range.end;
        let secrets = stored.entry.exists().then(|| stored.secrets());
        Self {
            entry: stored.entry,
            overview: Sealed::Stored(source, behind_len(stored.overview())),
            secrets: secrets.map(|range| Sealed::Stored(source, behind_len(range))),
        }
    }

    /// A version by its entry and its sealed parts; the second is empty for a delete.
    pub(crate) fn sealed(entry: Entry, [overview, secrets]: [&'a [u8]; 2]) -> Self {
        let secrets = entry.exists().then_some(secrets);
        Self {
            entry,
            overview: Sealed::Here(overview.into()),
            secrets: secrets.map(|secrets| Sealed::Here(secrets.into())),
        }
    }

    /// The parts of all versions, in order.
    fn parts(versions: Vec<Self>) -> (Vec<Sealed<'a>>, Vec<Sealed<'a>>) {
        let (overviews, secrets): (Vec<_>, Vec<_>) = versions
            .into_iter()
            .map(|version| (version.overview, version.secrets))
            .unzip();
        (overviews, secrets.into_iter().flatten().collect())
    }
}

impl NewVersion<'static> {
    /// Seals a version of a connector in a group.
    pub(crate) fn seal(
        (index, records): (&IndexKeys, &RecordKeys),
        rng: &mut dyn CryptoRng,
        group: u16,
        opened: &OpenedOverview,
        plaintexts: &Plaintexts,
    ) -> Result<Self> {
        let overview = &opened.overview;
        let sealed = records.seal(rng, group, overview.into(), plaintexts)?;
        let len = |part: &[u8]| u32::try_from(part.len()).expect("at most 16 MiB");
        let secrets = sealed.secrets;
        let entry = Entry {
            tag: index.tag(overview.id.as_str()),
            version: overview.version,
            group,
            op: overview.op,
            hint: index.hint_of(overview),
            face: index::face(records, group, overview)?,
            overview_len: len(&sealed.overview),
            secrets_len: secrets.as_deref().map_or(0, len),
            overview_hash: sha256(&sealed.overview),
            secrets_hash: secrets.as_deref().map_or([0; 32], sha256),
        };
        Ok(Self {
            entry,
            overview: Sealed::Here(sealed.overview.into()),
            secrets: secrets.map(|secrets| Sealed::Here(secrets.into())),
        })
    }
}

/// The whole file of a vault that begins with a new snapshot. `versions` ascend by tag and version.
pub(crate) fn snapshot_file(
    access: &Access,
    header: &Header,
    key_slots: &[KeySlotEntry],
    chain: &Links<'_>,
    versions: Vec<NewVersion<'_>>,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>> {
    let vault_key = access.bundle.owned_vault_key()?;
    let header = Header {
        seq: chain.seq,
        ..header.clone()
    };
    let encoded = header.encode()?;
    let entries: Vec<_> = versions.iter().map(|version| version.entry).collect();
    if entries.len() > limits::PAGES_MAX * PAGE_ENTRIES_MAX {
        return Err(Error::new(
            Code::LimitExceeded,
            "a snapshot holds at most 4,194,304 versions",
        )
        .with_hint("purge the vault, or move connectors to another one"));
    }
    let keys = IndexKeys::new(access.bundle.index(), header.vault_id, header.epoch);
    let (directory, pages) = index::seal(&keys, rng, chain.seq, &entries);
    let (overviews, secrets) = NewVersion::parts(versions);
    let commit = NewCommit {
        seq: chain.seq,
        prev: chain.prev,
        author: access.index,
        content: NewContent::Snapshot(NewSnapshot {
            header: &encoded,
            header_signature: vault_key.sign(&log::header_message(header.vault_id, &encoded)),
            superseded: chain.superseded,
            adopted: chain.adopted,
            directory: &directory,
            pages: &pages,
        }),
        overviews: &overviews,
        secrets: &secrets,
    };
    let mut file = file_start(&key_slots::encode(key_slots, |id| header.lists(id))?);
    commit.encode(&mut file, |hash| access.sign_commit(header.vault_id, hash))?;
    check_len(file.len() as u64)?;
    Ok(file)
}

/// Fails with `limit_exceeded` before a file is made that no reader takes.
fn check_len(len: u64) -> Result<()> {
    check_file_len(len).map_err(|error| {
        error.with_hint("compact or purge the vault, or move connectors to another one")
    })
}

fn conflict(id: &ConnectorId, what: &str) -> Error {
    Error::new(
        Code::Conflict,
        format!("the connector {:?} {what}", id.as_str()),
    )
    .with_hint("plan again")
}
