//! The vault: open, read, plan, commit. Sans I/O: bytes, passphrase, clock and randomness are
//! handed in, bytes are handed back.

mod authorship;
mod commit;
mod index;
mod listing;
mod open;
mod patches;
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
pub use self::listing::{Cursor, Listing};
pub use self::open::{OpenOptions, Opening, Refreshed, Seen, Step, Trust};
pub use self::planning::{Changing, Import, OnConflict};
pub use self::record::{Attributed, Authored, Overview, SignedVersion};
pub use self::rescue::{
    CommitInfo, ConflictKind, Elsewhere, Gap, LastChange, LostRecord, Merge, MergeConflict,
    MergeOptions, NotTaken, Reason, RepairOptions, Repaired, Resolve, RestoredVersion,
    SignatureState, Stranger, Verdict, Winner,
};
pub use self::session::{Answer, Ask, Brought, CONFLICTS_MAX, Session};
pub use self::team::{
    GrantInfo, Grantee, GroupInfo, GroupRemoval, KeySlotRef, NewOwner, Revocation, Right,
    RightInfo, Terms,
};

use self::index::{Entry, Index, Reading, Stored};
use self::record::RecordKeys;
use crate::access::{Access, BrokenKeySlot, Rights, groups};
use crate::connector::{Connector, Version};
use crate::error::{Code, Detail, Error, Result, for_all, quoted};
use crate::format::header::{DEFAULT_GROUP, Group, Header};
use crate::format::hex::{GrantId, GroupId, VaultId};
use crate::format::key_slots::KeySlotEntry;
use crate::log::{self, Continuity, Head, KnownHead, TornTail, VaultReference};
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
    /// Change its properties. Whoever cannot read them sets and removes them all the same, as a rotator does.
    Update,
    /// Make the properties of a kept version the present ones.
    Restore,
    /// Create it, in some group.
    Create,
    /// Delete it.
    Delete,
    /// Give it another name, type or meta.
    Describe,
    /// Take it out of its group. Whether it may go into another one depends on that group.
    Move,
    /// Bring it back after it was deleted.
    Undelete,
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
    /// Seq and hash of commits of merged copies.
    adopted: Vec<[u8; 40]>,
    access: Access,
    keys: RecordKeys,
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
    /// Whether owners have replaced the vault key since the client looked. From a head of before, nobody can tell a
    /// former owner's replacement from the true one; a vault reference from after it can.
    pub handover: bool,
    /// A commit whose writer died: dropped, it never was acknowledged.
    pub torn: Option<TornTail>,
    /// Key slots that nobody can use. Only those that were looked at on the way to one that opens.
    pub broken_key_slots: Vec<BrokenKeySlot>,
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

    /// What an owner hands over with a grant: the holder's first opening then takes no other vault and no rival owner.
    #[must_use]
    pub fn reference(&self) -> VaultReference {
        VaultReference::of(&self.header)
    }

    /// Whether another copy of this vault, whose head this is, is newer.
    #[must_use]
    pub fn is_behind(&self, other: &KnownHead) -> bool {
        let (head, other) = (self.head(), &other.head);
        let is_newer = (other.epoch, other.seq) > (head.epoch, head.seq);
        is_newer && other.vault_id == head.vault_id && !self.adopts(other)
    }

    /// Whether a head is the newest of a copy that was merged into this vault: its seq says nothing here.
    pub(crate) fn adopts(&self, head: &Head) -> bool {
        log::adopts(&self.adopted, head)
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

    /// The id of a group that the grant lists. Fails with `group_not_found`.
    pub fn find_group(&self, name: &str) -> Result<GroupId> {
        let number = self.group_named(name)?;
        let group = self.header.group(number);
        group
            .map(|group| group.id)
            .ok_or_else(|| Error::new(Code::Internal, "a group is gone while it is looked up"))
    }

    /// The name of a group that the grant lists. `None` also if the name is damaged.
    #[must_use]
    pub fn group_name(&self, group: GroupId) -> Option<&str> {
        let mut groups = self.header.groups.iter();
        self.name_of(groups.find(|known| known.id == group)?)
    }

    fn name_of(&self, group: &Group) -> Option<&str> {
        let open = || groups::name_of(&self.access.bundle, &self.header, group);
        self.keys.group_name(group.number, open)
    }

    /// An overview with the name of its group and its author's label.
    #[must_use]
    pub fn authored(&self, overview: Overview) -> Authored {
        let label = self.label_of(overview.author).map(str::to_owned);
        Authored {
            author: label.unwrap_or_else(|| overview.author.to_string()),
            group: self.group_name(overview.group).map(str::to_owned),
            overview,
        }
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

    /// How many connectors there are in all groups, as far as the owner who signed the snapshot counted them.
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
    ///
    /// Fails with `damaged` if nobody can tell.
    pub fn contains(&self, id: &str) -> Result<bool> {
        let newest = self.newest(id)?;
        Ok(newest.is_some_and(|newest| newest.entry.exists()))
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
        if self.contains(id)? {
            return Ok(None);
        }
        let mut overviews = Vec::new();
        // A damaged connector is no near miss.
        for_all(
            self.list().without_bad_patches(),
            |overview| match overview {
                Err(error) if error.is_unread() => Err(error),
                overview => {
                    overviews.extend(overview);
                    Ok(())
                }
            },
        )?;
        let candidates = overviews
            .iter()
            .map(|overview| (overview.id.as_str(), overview.name.as_str()));
        Ok(plan::near_miss(id, candidates))
    }

    /// One connector, without its values. Fails with `connector_not_found`.
    pub fn overview(&self, id: &str) -> Result<Overview> {
        let (opened, _) = self.shown(&self.present(id)?)?;
        Ok(opened.overview)
    }

    /// One connector with its values. Fails with `connector_not_found`, and with `not_permitted`
    /// for a viewer.
    pub fn read(&self, id: &str) -> Result<Connector> {
        let stored = self.present(id)?;
        self.unseal(&stored).map(|unsealed| unsealed.connector)
    }

    /// One value of a connector; `None` if it has no such property. Fails as [`read`](Self::read) does.
    pub fn value(&self, id: &str, name: &str) -> Result<Option<Secret>> {
        Ok(self.read(id)?.properties.get(name).cloned())
    }

    /// A kept version of a connector, with its values; also of one that is deleted now.
    /// Fails with `version_not_found`, also for the version that is the delete.
    pub fn read_version(&self, id: &str, version: Version) -> Result<Connector> {
        let stored = self.kept(id, version)?;
        self.unseal(&stored).map(|unsealed| unsealed.connector)
    }

    /// The kept versions of a connector, oldest first, and who signed each; also of one that is deleted now.
    /// Versions that are damaged or false are left out: [`verify`](Self::verify) names them.
    ///
    /// Fails with `connector_not_found`, and with the error of the newest version where none is left.
    pub fn history(&self, id: &str) -> Result<Vec<SignedVersion>> {
        let versions = self.versions(id)?;
        if versions.is_empty() {
            return Err(self.not_found(id, &versions));
        }
        self.want(versions.iter().map(Stored::overview))?;
        let mut history = Vec::with_capacity(versions.len());
        let mut newest_error = None;
        for stored in &versions {
            match self.signed_version(stored) {
                Ok(version) => history.push(version),
                Err(error) if error.is_unread() => return Err(error),
                Err(error) => newest_error = Some(error),
            }
        }
        match newest_error {
            Some(error) if history.is_empty() => Err(error),
            _ => Ok(history),
        }
    }

    /// What changed from one kept version of a connector to another: names and kinds, no values.
    ///
    /// Fails with `connector_not_found` or `version_not_found`, and with `not_permitted` for a
    /// viewer.
    pub fn diff(&self, id: &str, from: Version, to: Version) -> Result<Vec<Change>> {
        let from = self.kept(id, from)?;
        self.require_in(from.entry.group, Capability::Read, "read values")?;
        let to = self.kept(id, to)?;
        self.want([&from, &to].into_iter().flat_map(Stored::record))?;
        let (from, to) = (self.unseal(&from)?.connector, self.unseal(&to)?.connector);
        Ok(plan::differences(&from.properties, &to.properties))
    }

    /// Where the bytes of the vault come from.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The same vault, whose bytes come from another source from now on: it holds the same bytes.
    pub fn over<T: Source>(self, source: T) -> Vault<T> {
        self.with(source)
    }

    /// Ends the work with this vault: its keys are wiped.
    pub fn lock(self) {}

    /// Whether the grant that opened the vault may do this to a connector: what a screen asks before it
    /// offers it. The id may be one that is still to be created.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # fn show(vault: &Vault) -> Result<()> {
    /// let may_rotate = vault.permits(Verb::Update, "twitterConnectorId")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Fails with `damaged` if nobody can tell whether there is such a connector.
    pub fn permits(&self, verb: Verb, id: &str) -> Result<bool> {
        let newest = self.newest(id)?.map(|newest| newest.entry);
        let present = newest.filter(Entry::exists);
        let may = |group: u16, capability| self.may(group, capability);
        let has = |capability| present.is_some_and(|newest| may(newest.group, capability));
        Ok(match verb {
            Verb::List => has(Capability::List),
            Verb::Read => has(Capability::Read),
            Verb::Update => has(Capability::Patch),
            Verb::Restore => has(Capability::Write),
            Verb::Create => {
                let deleted = newest.is_none_or(|newest| may(newest.group, Capability::Manage));
                present.is_none() && deleted && self.rights().somewhere(Capability::Manage)
            }
            Verb::Delete | Verb::Describe | Verb::Move => has(Capability::Manage),
            Verb::Undelete => {
                let deleted = newest.filter(|newest| !newest.exists());
                deleted.is_some_and(|newest| may(newest.group, Capability::Manage))
            }
        })
    }

    /// What the grant that opened the vault permits.
    fn rights(&self) -> Rights<'_> {
        self.access.rights()
    }

    /// Whether it permits something in a group.
    fn may(&self, group: u16, capability: Capability) -> bool {
        let group = self.header.group(group);
        group.is_some_and(|group| self.rights().in_group(group.id).has(capability))
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
        match self.newest(id)? {
            Some(newest) => self.require_in(newest.entry.group, capability, what),
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

    /// The number of a group that the grant lists. Fails with `group_not_found`.
    fn group_named(&self, name: &str) -> Result<u16> {
        let name = groups::normal(name);
        // Its name never changes, so nobody has to be able to open it.
        if name == groups::DEFAULT {
            return Ok(DEFAULT_GROUP);
        }
        let mut groups = self.header.groups.iter();
        let group = groups.find(|group| self.name_of(group) == Some(&name));
        group.map(|group| group.number).ok_or_else(|| {
            let message = format!(
                "the grant {:?} lists no group {}",
                self.label(),
                quoted(&name)
            );
            Error::new(Code::GroupNotFound, message).with_hint("list the groups to see their names")
        })
    }

    /// The id of the group of a version, if there is such a group.
    fn group_id(&self, stored: &Stored) -> Option<GroupId> {
        let group = self.header.group(stored.entry.group);
        group.map(|group| group.id)
    }

    /// Whether the grant lists the group of a version.
    fn lists(&self, stored: &Stored) -> bool {
        self.may(stored.entry.group, Capability::List)
    }

    /// Fails with all missing ranges of these connectors' newest versions.
    fn want_newest<'i>(
        &self,
        ids: impl IntoIterator<Item = &'i str>,
        ranges: impl Fn(&Stored) -> Vec<Range<u64>>,
    ) -> Result<()> {
        for_all(ids, |id| match self.newest(id)? {
            Some(newest) => self.want(ranges(&newest)),
            None => Ok(()),
        })
    }

    /// What pages are read with.
    fn reading(&self) -> Reading<'_> {
        Reading {
            keys: &self.index.keys,
            header: &self.header,
            source: &self.source,
        }
    }

    /// Every kept version, in the order of tag and version. Fails with `damaged` if a page is.
    fn all_versions(&self) -> Result<Vec<Stored>> {
        self.want(self.index.unused_pages())?;
        let (all, errors) = self.index.all(&self.reading());
        match errors.into_iter().next() {
            None => Ok(all),
            Some(error) => Err(error),
        }
    }

    /// The newest version of a connector, which may be a delete.
    fn newest(&self, id: &str) -> Result<Option<Stored>> {
        let newest = self.index.newest(self.index.keys.tag(id), &self.reading());
        newest.map_err(|error| error.within(format_args!("connector {id:?}")))
    }

    /// The kept versions of a connector, oldest first.
    fn versions(&self, id: &str) -> Result<Vec<Stored>> {
        let versions = self
            .index
            .versions(self.index.keys.tag(id), &self.reading());
        versions.map_err(|error| error.within(format_args!("connector {id:?}")))
    }

    /// The newest version of a connector that is not deleted.
    fn present(&self, id: &str) -> Result<Stored> {
        match self.newest(id)? {
            Some(newest) if newest.entry.exists() => Ok(newest),
            _ => Err(self.not_found(id, &self.versions(id)?)),
        }
    }

    fn kept(&self, id: &str, version: Version) -> Result<Stored> {
        let versions = self.versions(id)?;
        let Some(oldest) = versions.first() else {
            return Err(self.not_found(id, &versions));
        };
        let mut same = versions
            .iter()
            .filter(|stored| stored.entry.version == version);
        match same.next() {
            Some(stored) if !stored.entry.exists() => Err(Error::new(
                Code::VersionNotFound,
                format!("version {version} of the connector {id:?} is its deletion"),
            )),
            Some(stored) => Ok(*stored),
            None => Err(Error::new(
                Code::VersionNotFound,
                format!("version {version} of the connector {id:?} is not kept"),
            )
            .with_hint(format!(
                "the oldest kept version is {}",
                oldest.entry.version
            ))),
        }
    }

    /// There is no connector with this id; `versions` are those that are kept of it.
    fn not_found(&self, id: &str, versions: &[Stored]) -> Error {
        if let Some(deletion) = versions.last() {
            return deleted(id, deletion.entry.version, versions);
        }
        Error::new(
            Code::ConnectorNotFound,
            format!("there is no connector {id:?}"),
        )
        .of_connector(id)
    }

    /// Fails with all of the ranges that the source does not have yet. A method that reads several ranges
    /// calls it before it has any effect.
    fn want(&self, ranges: impl IntoIterator<Item = Range<u64>>) -> Result<()> {
        self.want_all(&mut ranges.into_iter())
    }

    /// One instance for iterators of all types keeps the code small.
    fn want_all(&self, ranges: &mut dyn Iterator<Item = Range<u64>>) -> Result<()> {
        for_all(ranges, |range| {
            self.source.check(range).map_err(Error::unread)
        })
    }

    /// The bytes of a range, where they stand in memory or in `buffer`.
    fn bytes<'a>(&'a self, range: Range<u64>, buffer: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        self.source.get(range, buffer).map_err(Error::unread)
    }

    /// The overview of a version.
    fn overview_of(&self, stored: &Stored) -> Result<Overview> {
        self.opened(stored).map(|opened| opened.overview)
    }
}

/// The connector was there, and its values may still be.
fn deleted(id: &str, deletion: Version, versions: &[Stored]) -> Error {
    let error = Error::new(
        Code::ConnectorNotFound,
        format!("the connector {id:?} was deleted in version {deletion}"),
    )
    .of_connector(id);
    let last = versions.iter().rev().find(|stored| stored.entry.exists());
    match last {
        Some(Stored { entry, .. }) => error
            .with_hint(format!(
                "version {} still has its values: undelete the connector, or read that version",
                entry.version
            ))
            .about(Detail::ValuesKept(entry.version.get())),
        None => error.with_hint("none of its earlier versions is kept; a backup may have them"),
    }
}

#[cfg(test)]
#[path = "../forge/mod.rs"]
mod forge;
