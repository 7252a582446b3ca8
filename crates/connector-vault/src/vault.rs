//! The vault: open, read, plan, commit. Sans I/O: bytes, passphrase, clock and randomness are
//! handed in, bytes are handed back.

mod authorship;
mod commit;
mod index;
mod open;
mod planning;
mod record;
mod rescue;
mod session;
mod team;

use std::fmt;
use std::ops::Range;

use rand_core::CryptoRng;
use serde::Serialize;

pub use self::authorship::FalseVersion;
pub use self::commit::{LogEnd, Prepared, Retention, Write};
pub use self::index::DamagedRecord;
pub use self::open::{Detached, OpenOptions, Refreshed, Trust};
pub use self::planning::{Changing, Import, OnConflict};
pub use self::record::{Attributed, Authored, Overview, SignedVersion};
pub use self::rescue::{
    CommitInfo, ConflictKind, Gap, Merge, MergeConflict, MergeOptions, Repaired, Resolve,
    SignatureState, Stranger, Verdict,
};
pub use self::session::{Answer, Ask, Brought, CONFLICTS_MAX, Session};
pub use self::team::{GrantInfo, Grantee, KeySlotRef, NewOwner, Revocation, RightInfo};

use self::index::{Index, Stored};
use self::record::{KeptOutcome, OpenedOverview};
use crate::access::{Access, BrokenKeySlot, Rights};
use crate::connector::{Connector, Extras, Op, Version};
use crate::error::{Code, Detail, Error, Result, counted};
use crate::format::commit::split_record;
use crate::format::header::{DEFAULT_GROUP, Header};
use crate::format::hex::{GrantId, VaultId};
use crate::format::key_slots::KeySlotEntry;
use crate::log::{Continuity, Head, KnownHead, TornTail};
use crate::plan::{self, Change};
use crate::role::{Capability, Role};
use crate::secret::Secret;
use crate::source::{Memory, Source};
use crate::time::Timestamp;

/// What the host hands in with each operation that writes: its clock and its randomness.
pub struct Host<'a> {
    /// The present time.
    pub now: Timestamp,
    /// A cryptographically secure source of randomness.
    pub rng: &'a mut dyn CryptoRng,
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// What somebody may want to do to a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// See its overview and its history.
    List,
    /// Read its values.
    Read,
    /// Change its properties.
    Update,
    /// Make the properties of a kept version the present ones.
    Restore,
    /// Create it.
    Create,
    /// Delete it.
    Delete,
}

/// An open vault. Its bytes, which are ciphertext, are in a [`Source`]: overviews and values are unsealed
/// when they are read. Dropping it, or [`lock`](Self::lock), wipes its keys.
pub struct Vault<S = Memory> {
    source: S,
    /// The file's bytes before the log: its magic and key slots.
    start: Vec<u8>,
    header: Header,
    key_slots: Vec<KeySlotEntry>,
    /// Hashes of the commits before the log's snapshot, oldest first.
    superseded: Vec<[u8; 32]>,
    access: Access,
    index: Index,
    /// Bytes of a torn tail behind the log, as it was last read.
    torn_len: u64,
    report: OpenReport,
}

/// What was noticed when a vault was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OpenReport {
    /// How it relates to the newest head that the client had seen.
    pub continuity: Continuity,
    /// A commit whose writer died: dropped, it never was acknowledged.
    pub torn: Option<TornTail>,
    /// Key slots that nobody can use. Only those that were looked at on the way to one that opens.
    pub broken_key_slots: Vec<BrokenKeySlot>,
    /// Records that a tolerant opening went on without.
    pub damaged: Vec<DamagedRecord>,
}

impl<S: Source> fmt::Debug for Vault<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("head", &self.head())
            .field("label", &self.label())
            .finish_non_exhaustive()
    }
}

impl<S: Source> Vault<S> {
    /// What was noticed when the vault was opened.
    #[must_use]
    pub fn report(&self) -> &OpenReport {
        &self.report
    }

    /// The id of the vault, which never changes.
    #[must_use]
    pub fn id(&self) -> VaultId {
        self.header.vault_id
    }

    /// The newest commit.
    #[must_use]
    pub fn head(&self) -> Head {
        let newest = self
            .index
            .commits
            .last()
            .expect("a vault has at least its snapshot");
        Head {
            vault_id: self.header.vault_id,
            epoch: self.header.epoch,
            seq: newest.seq,
            hash: crate::format::hex::Hex(newest.hash),
        }
    }

    /// What a client keeps, to notice a rollback the next time.
    #[must_use]
    pub fn known_head(&self) -> KnownHead {
        KnownHead::new(self.head(), &self.header)
    }

    /// What a client keeps while a writer may still withdraw the newest commit: the head before it.
    /// `None` if the log begins with the newest commit.
    #[must_use]
    pub fn known_head_before(&self) -> Option<KnownHead> {
        let [.., before, _] = self.index.commits.as_slice() else {
            return None;
        };
        let head = Head {
            seq: before.seq,
            hash: crate::format::hex::Hex(before.hash),
            ..self.head()
        };
        Some(KnownHead::new(head, &self.header))
    }

    /// The greatest role of the grant that opened the vault.
    #[must_use]
    pub fn role(&self) -> Role {
        self.rights().greatest()
    }

    /// The label of the grant that opened the vault.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.header.grants[usize::from(self.access.index)].label
    }

    /// The label of a grant that is, or was and is remembered.
    #[must_use]
    pub fn label_of(&self, grant: GrantId) -> Option<&str> {
        self.header.label(grant)
    }

    /// An overview with its author's label.
    #[must_use]
    pub fn authored(&self, overview: Overview) -> Authored {
        let label = self.label_of(overview.author).map(str::to_owned);
        let author = label.unwrap_or_else(|| overview.author.to_string());
        Authored { overview, author }
    }

    /// A kept version with the labels of its author and of the grant that signed it.
    #[must_use]
    pub fn attributed(&self, version: SignedVersion) -> Attributed {
        let label = |grant: GrantId| {
            let label = self.label_of(grant).map(str::to_owned);
            label.unwrap_or_else(|| grant.to_string())
        };
        Attributed {
            signed_by: version.signed_by.map(label),
            authored: self.authored(version.overview),
        }
    }

    /// The connectors, without their values, in the order of their creation.
    pub fn list(&self) -> impl Iterator<Item = Result<Overview>> {
        self.list_from(0)
    }

    /// The connectors from the one with this index on, for lists that are shown in parts: those before
    /// it are passed over unopened.
    pub fn list_from(&self, index: usize) -> impl Iterator<Item = Result<Overview>> {
        let some = self.index.live().skip(index);
        some.map(|stored| self.overview_of(stored))
    }

    /// How many connectors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.live_len()
    }

    /// Whether there is no connector.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is a connector with this id. Costs the same at any number of connectors.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        let newest = self.index.newest(id);
        newest.is_some_and(|newest| newest.op != Op::Delete)
    }

    /// A hint for a person who asked for an unknown connector: another connector whose id or name
    /// is close, `did you mean "twitterConnectorId"?`.
    ///
    /// Reads the name of every connector, so no error has this hint: ask for it where a person reads the error.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # fn show(vault: &Vault, id: &str) -> Result<()> {
    /// match vault.overview(id) {
    ///     Ok(overview) => println!("{}", overview.name),
    ///     Err(error) => {
    ///         let hint = error.connector().map(|id| vault.similar(id)).transpose()?;
    ///         println!("{error}; {}", hint.flatten().unwrap_or_default());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn similar(&self, id: &str) -> Result<Option<String>> {
        if self.contains(id) {
            return Ok(None);
        }
        self.want(self.index.live().map(Stored::overview))?;
        let overviews = self.list().collect::<Result<Vec<_>>>()?;
        let candidates = overviews
            .iter()
            .map(|overview| (overview.id.as_str(), overview.name.as_str()));
        Ok(plan::near_miss(id, candidates))
    }

    /// One connector, without its values. Fails with `connector_not_found`.
    pub fn overview(&self, id: &str) -> Result<Overview> {
        self.overview_of(self.present(id)?)
    }

    /// One connector with its values. Fails with `connector_not_found`, and with `not_permitted`
    /// for a viewer.
    pub fn read(&self, id: &str) -> Result<Connector> {
        self.unseal(self.present(id)?)
            .map(|unsealed| unsealed.connector)
    }

    /// One value of a connector; `None` if it has no such property. Fails as [`read`](Self::read) does.
    pub fn value(&self, id: &str, name: &str) -> Result<Option<Secret>> {
        Ok(self.read(id)?.properties.get(name).cloned())
    }

    /// A kept version of a connector, with its values; also of one that is deleted now.
    /// Fails with `version_not_found`, also for the version that is the delete.
    pub fn read_version(&self, id: &str, version: Version) -> Result<Connector> {
        self.unseal(self.kept(id, version)?)
            .map(|unsealed| unsealed.connector)
    }

    /// The kept versions of a connector, oldest first, and who signed each; also of one that is deleted now.
    /// Fails with `connector_not_found`.
    pub fn history(&self, id: &str) -> Result<Vec<SignedVersion>> {
        if self.index.newest(id).is_none() {
            return Err(self.not_found(id));
        }
        self.want(self.index.versions(id).map(Stored::overview))?;
        self.index
            .versions(id)
            .map(|stored| self.signed_version(stored))
            .collect()
    }

    /// What changed from one kept version of a connector to another: names and kinds, no values.
    ///
    /// Fails with `connector_not_found` or `version_not_found`, and with `not_permitted` for a
    /// viewer.
    pub fn diff(&self, id: &str, from: Version, to: Version) -> Result<Vec<Change>> {
        let from = self.kept(id, from)?;
        self.require_in(from.group, Capability::Read, "read values")?;
        let to = self.kept(id, to)?;
        self.want([from.record(), to.record()])?;
        let (from, to) = (self.unseal(from)?.connector, self.unseal(to)?.connector);
        Ok(plan::differences(&from.properties, &to.properties))
    }

    /// Ends the work with this vault: its keys are wiped.
    pub fn lock(self) {}

    /// Whether the grant that opened the vault may do this to a connector: what a screen asks before it
    /// offers it. The id may be one that is still to be created.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # fn show(vault: &Vault) {
    /// let may_rotate = vault.permits(Verb::Update, "twitterConnectorId");
    /// # }
    /// ```
    #[must_use]
    pub fn permits(&self, verb: Verb, id: &str) -> bool {
        let newest = self.index.newest(id);
        let present = newest.filter(|newest| newest.op != Op::Delete);
        let may = |group: u16, capability| self.may(group, capability);
        let has = |capability| present.is_some_and(|newest| may(newest.group, capability));
        match verb {
            Verb::List => has(Capability::List),
            Verb::Read => has(Capability::Read),
            Verb::Update | Verb::Restore => has(Capability::Write),
            Verb::Create => {
                let deleted = newest.is_none_or(|newest| may(newest.group, Capability::Manage));
                present.is_none() && deleted && may(DEFAULT_GROUP, Capability::Manage)
            }
            Verb::Delete => has(Capability::Manage),
        }
    }

    /// What the grant that opened the vault permits.
    fn rights(&self) -> Rights<'_> {
        self.access.rights()
    }

    /// Whether it permits something in a group.
    fn may(&self, group: u16, capability: Capability) -> bool {
        let id = self.index.keys().group_id(group);
        id.is_some_and(|id| self.rights().in_group(id).has(capability))
    }

    /// Fails with `not_permitted` unless there is a group in which the grant permits this.
    fn require(&self, capability: Capability, what: &str) -> Result<()> {
        self.permitted(self.rights().somewhere(capability), what)
    }

    /// Fails with `not_permitted` unless the grant permits this in a group.
    fn require_in(&self, group: u16, capability: Capability, what: &str) -> Result<()> {
        self.permitted(self.may(group, capability), what)
    }

    /// Fails with `not_permitted` unless the grant permits this for a connector. For an unknown id, unless it permits
    /// this somewhere.
    fn require_for(&self, id: &str, capability: Capability, what: &str) -> Result<()> {
        match self.index.newest(id) {
            Some(newest) => self.require_in(newest.group, capability, what),
            None => self.require(capability, what),
        }
    }

    /// Fails with `not_permitted` for anybody but an owner.
    fn require_owner(&self, what: &str) -> Result<()> {
        self.permitted(self.rights().owns(), what)
    }

    fn permitted(&self, is_permitted: bool, what: &str) -> Result<()> {
        match is_permitted {
            true => Ok(()),
            false => Err(crate::access::not_permitted(format!(
                "the grant {:?} does not permit to {what}",
                self.label()
            ))),
        }
    }

    /// Fails with `damaged` if the vault was opened without some of its records: what is built on
    /// such a vault, no strict opening would take.
    fn require_sound(&self) -> Result<()> {
        match self.report.damaged.as_slice() {
            [] => Ok(()),
            damaged => Err(Error::new(
                Code::Damaged,
                format!(
                    "the vault has {}, so nothing is written",
                    counted(damaged.len() as u64, "damaged record", "damaged records")
                ),
            )
            .with_hint("repair the vault first")),
        }
    }

    /// The newest version of a connector that is not deleted.
    fn present(&self, id: &str) -> Result<&Stored> {
        self.index
            .newest(id)
            .filter(|newest| newest.op != Op::Delete)
            .ok_or_else(|| self.not_found(id))
    }

    fn kept(&self, id: &str, version: Version) -> Result<&Stored> {
        if self.index.newest(id).is_none() {
            return Err(self.not_found(id));
        }
        let found = self
            .index
            .versions(id)
            .find(|stored| stored.version == version);
        match found {
            Some(stored) if stored.op == Op::Delete => Err(Error::new(
                Code::VersionNotFound,
                format!("version {version} of the connector {id:?} is its deletion"),
            )),
            Some(stored) => Ok(stored),
            None => {
                let oldest = self
                    .index
                    .versions(id)
                    .next()
                    .map_or(0, |stored| stored.version.get());
                Err(Error::new(
                    Code::VersionNotFound,
                    format!("version {version} of the connector {id:?} is not kept"),
                )
                .with_hint(format!("the oldest kept version is {oldest}")))
            }
        }
    }

    fn not_found(&self, id: &str) -> Error {
        let mut damaged = self.report.damaged.iter();
        if damaged.any(|damaged| damaged.connector.as_deref() == Some(id)) {
            return Error::new(
                Code::Damaged,
                format!("no kept version of the connector {id:?} is intact"),
            )
            .with_hint("restore a backup");
        }
        if let Some(deletion) = self.index.newest(id) {
            return self.deleted(id, deletion.version);
        }
        Error::new(
            Code::ConnectorNotFound,
            format!("there is no connector {id:?}"),
        )
        .of_connector(id)
    }

    /// The connector was there, and its values may still be.
    fn deleted(&self, id: &str, deletion: Version) -> Error {
        let error = Error::new(
            Code::ConnectorNotFound,
            format!("the connector {id:?} was deleted in version {deletion}"),
        )
        .of_connector(id);
        let versions = self.index.versions(id).rev();
        match versions.into_iter().find(|stored| stored.op != Op::Delete) {
            Some(Stored { version, .. }) => error
                .with_hint(format!("version {version} still has its values"))
                .about(Detail::ValuesKept(version.get())),
            None => error.with_hint("none of its earlier versions is kept; a backup may have them"),
        }
    }

    /// Fails with all of the ranges that the source does not have yet. A method that reads several ranges
    /// calls it before it has any effect.
    fn want(&self, ranges: impl IntoIterator<Item = Range<u64>>) -> Result<()> {
        self.want_all(&mut ranges.into_iter())
    }

    /// One instance for iterators of all types keeps the code small.
    fn want_all(&self, ranges: &mut dyn Iterator<Item = Range<u64>>) -> Result<()> {
        let mut buffer = Vec::new();
        for_all(ranges, |range| self.bytes(range, &mut buffer).map(drop))
    }

    /// The bytes of a range, where they stand in memory or in `buffer`.
    fn bytes<'a>(&'a self, range: Range<u64>, buffer: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        self.source.get(range, buffer).map_err(Error::not_fetched)
    }

    /// The overview of a version.
    fn overview_of(&self, stored: &Stored) -> Result<Overview> {
        self.opened(stored).map(|opened| opened.overview)
    }

    /// The overview of a version, with what only the core looks at.
    fn opened(&self, stored: &Stored) -> Result<OpenedOverview> {
        let mut buffer = Vec::new();
        let sealed = self.bytes(stored.overview(), &mut buffer)?;
        OpenedOverview::parse(&self.index.open_overview(stored.group, sealed)?)
    }

    /// Unseals a version. Fails with `false_record` where it is not what its overview says (docs/format.md
    /// section 8.6, rules R8.9 to R8.12).
    fn unseal(&self, stored: &Stored) -> Result<Unsealed> {
        self.require_in(stored.group, Capability::Read, "read values")?;
        let mut buffer = Vec::new();
        let record = self.bytes(stored.record(), &mut buffer)?;
        let (overview, sealed) = split_record(record, stored.record().start)?;
        let opened = OpenedOverview::parse(&self.index.open_overview(stored.group, overview)?)?;
        let secrets = match self
            .index
            .keys()
            .read_secrets(stored.group, &opened, sealed)?
        {
            Ok(secrets) => secrets,
            Err(broken) => return Err(self.false_version(stored, &opened, broken)?.into_error()),
        };
        let overview = &opened.overview;
        let connector = Connector {
            id: overview.id.clone(),
            name: overview.name.clone(),
            type_name: overview.type_name.clone(),
            version: overview.version,
            updated_at: overview.at.clone(),
            created_at: overview.created_at.clone(),
            rotated_at: overview.rotated_at.clone(),
            meta: overview.meta.clone(),
            properties: secrets.properties,
            extras: Extras {
                overview: opened.extra.clone(),
                secrets: secrets.extra,
            },
        };
        Ok(Unsealed {
            connector,
            outcome: secrets.outcome,
        })
    }
}

/// A version with its values.
struct Unsealed {
    connector: Connector,
    outcome: Option<KeptOutcome>,
}

/// Calls `each` for all items, also behind an item whose bytes are missing, and fails with all missing ranges.
fn for_all<T>(
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let mut missing = Vec::new();
    for item in items {
        let Err(error) = each(item) else { continue };
        match error.missing() {
            Some(absent) => missing.extend_from_slice(absent.ranges()),
            None if missing.is_empty() => return Err(error),
            // An item before it may fail in another way, once its bytes are there.
            None => break,
        }
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Error::not_fetched(missing.into_iter().collect())),
    }
}

#[cfg(test)]
#[path = "../forge/mod.rs"]
mod forge;
