//! The versions that a new snapshot takes over. An owner signs it, so the owner's program checks every version
//! behind the previous snapshot first, and leaves out the false ones (docs/format.md section 10.1).

use super::{NewVersion, texts};
use crate::connector::{Connector, ConnectorId, Op, PropertyName, Version};
use crate::error::{Code, Error, Result, counted};
use crate::format::extra::ExtraText;
use crate::role::Capability;
use crate::source::Source;
use crate::vault::authorship::{FalseVersion, Fault, Signature};
use crate::vault::index::{IndexKeys, Stored};
use crate::vault::patches::Chain;
use crate::vault::record::{NewOverview, OpenedOverview, Plaintexts, RecordKeys, SecretsPart};
use crate::vault::{Host, Vault};

/// Which versions are looked at before an owner signs a snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those behind the previous snapshot, whose owner has looked at the others. Damaged ones are copied as they are:
    /// a backup may have them.
    Tail,
    /// All, since all are sealed again; signatures behind the previous snapshot only. Damaged ones cannot be.
    All,
}

/// What a snapshot takes over.
pub(crate) struct Checked {
    /// In the order of their tags.
    pub(crate) connectors: Vec<CheckedConnector>,
    /// What it leaves out.
    pub(crate) false_versions: Vec<FalseVersion>,
    /// Why each damaged version is left out.
    pub(crate) damaged: Vec<Error>,
}

/// What a snapshot takes over of a connector.
pub(crate) struct CheckedConnector {
    /// Versions that are not false, oldest first.
    pub(crate) versions: Vec<Stored>,
    /// The version of the owner's that stands in the place of a newest one which is false.
    pub(crate) own: Option<OwnVersion>,
}

impl CheckedConnector {
    pub(crate) fn count(&self) -> usize {
        self.versions.len() + usize::from(self.own.is_some())
    }

    /// The number of the group where its newest version stands, and whether that is a connector; `None` if no version
    /// is left.
    pub(crate) fn place(&self) -> Option<(u16, bool)> {
        match &self.own {
            Some(own) => Some((own.group, own.opened.overview.op != Op::Delete)),
            None => {
                let newest = self.versions.last();
                newest.map(|newest| (newest.entry.group, newest.entry.exists()))
            }
        }
    }
}

/// A version that an owner adds to a snapshot.
pub(crate) struct OwnVersion {
    group: u16,
    opened: OpenedOverview,
    plaintexts: Plaintexts,
}

impl OwnVersion {
    pub(crate) fn id(&self) -> &ConnectorId {
        &self.opened.overview.id
    }

    pub(crate) fn seal(
        &self,
        keys: (&IndexKeys, &RecordKeys),
        host: &mut Host<'_>,
    ) -> Result<NewVersion<'static>> {
        NewVersion::seal(keys, host.rng, self.group, &self.opened, &self.plaintexts)
    }
}

/// What becomes of a version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Damaged,
    False,
}

impl<S: Source> Vault<S> {
    /// The versions that a snapshot takes over, and those of the owner's that it needs in the place of false
    /// ones. Fails with `damaged` if a page is, or a version that is needed.
    pub(crate) fn checked(&self, scope: Scope, host: &mut Host<'_>) -> Result<Checked> {
        let all = self.all_versions()?;
        let since = self.index.commits.first().map_or(0, |first| first.seq);
        let is_looked_at = |stored: &Stored| scope == Scope::All || stored.seq > since;
        let looked_at = all.iter().filter(|stored| is_looked_at(stored));
        self.want(looked_at.flat_map(Stored::record))?;
        let mut checked = Checked {
            connectors: Vec::new(),
            false_versions: Vec::new(),
            damaged: Vec::new(),
        };
        let mut lost = Vec::new();
        for versions in all.chunk_by(|one, next| one.entry.tag == next.entry.tag) {
            let mut fates = Vec::with_capacity(versions.len());
            let mut damaged = Vec::new();
            for stored in versions {
                let signature = match stored.seq > since {
                    true => Signature::Verified,
                    false => Signature::Trusted,
                };
                let fault = match is_looked_at(stored) {
                    true => self.examine_version(stored, signature)?.1,
                    false => None,
                };
                fates.push(match fault {
                    None => Fate::Stays,
                    Some(Fault::False(version)) => {
                        checked.false_versions.push(version);
                        Fate::False
                    }
                    Some(Fault::Damaged(_)) if scope == Scope::Tail => Fate::Damaged,
                    Some(Fault::Damaged(error)) => {
                        damaged.push((stored.entry.version, error));
                        Fate::Damaged
                    }
                });
            }
            for (version, error) in damaged {
                match self.is_needed(version, versions)? {
                    true => lost.push(error),
                    false => checked.damaged.push(error),
                }
            }
            let own = match lacks_base(versions, &fates) {
                true => self.own_version(versions, &fates, host)?,
                false => None,
            };
            let stays = |fate: &Fate| match scope {
                Scope::Tail => *fate != Fate::False,
                Scope::All => *fate == Fate::Stays,
            };
            let kept = versions.iter().zip(&fates).filter(|(_, fate)| stays(fate));
            checked.connectors.push(CheckedConnector {
                versions: kept.map(|(stored, _)| *stored).collect(),
                own,
            });
        }
        match lost.is_empty() {
            true => Ok(checked),
            false => Err(lost_versions(&lost)),
        }
    }

    /// The version by which an owner replaces a newest version that is false. It is a restore of the newest version that
    /// can be read. It is a delete if no version can be read, or if a delete follows that version, even a false one. It
    /// has the next number, so that no number is used twice. Nothing, if no version tells the connector's id.
    fn own_version(
        &self,
        versions: &[Stored],
        fates: &[Fate],
        host: &mut Host<'_>,
    ) -> Result<Option<OwnVersion>> {
        let pairs = versions.iter().zip(fates);
        let true_ones =
            pairs.filter_map(|(stored, fate)| (*fate != Fate::False).then_some(*stored));
        let true_ones: Vec<_> = true_ones.collect();
        let readable = true_ones.iter().rposition(|stored| stored.entry.exists());
        let values = match readable {
            // A damaged one ends the snapshot: an older one in its place would bring an old value back.
            Some(index) => self.values_of_true(&true_ones, index, versions)?,
            None => None,
        };
        // Whatever else is known of the connector, a version that is not false says it, if there is one.
        let (named, is_false) = match true_ones.last() {
            Some(stored) => (Some(self.opened(stored)?), false),
            None => {
                let mut named = None;
                for stored in versions.iter().rev() {
                    named = named.map_or_else(|| self.named(stored), |named| Ok(Some(named)))?;
                }
                (named, true)
            }
        };
        let (Some(named), Some(newest)) = (named, versions.last()) else {
            return Ok(None);
        };
        let version = newest.entry.version.next();
        super::check_counter(version.get())?;
        let own = Own {
            group: newest.entry.group,
            named: &named,
            is_false,
            version,
            values: values.as_ref(),
        };
        self.own_plaintexts(&own, host).map(Some)
    }

    /// The values of the newest version that is not false and exists, by the versions that are not false alone: patches
    /// behind a false full version are applied to the one before it. `None` where a delete stands behind that one, or
    /// none is kept.
    fn values_of_true(
        &self,
        true_ones: &[Stored],
        index: usize,
        versions: &[Stored],
    ) -> Result<Option<Connector>> {
        let newest = &true_ones[index];
        self.require_in(newest.entry.group, Capability::Read, "read values")?;
        let mut chain = Chain::new(self, true_ones.to_vec());
        let walk = chain.walk(index)?;
        let full = walk.full.map(|full| true_ones[full]);
        let is_deleted = |full: Stored| {
            let mut behind = versions
                .iter()
                .filter(|stored| stored.entry.version > full.entry.version);
            behind.any(|stored| !stored.entry.exists())
        };
        match full {
            Some(full) if !is_deleted(full) => {
                let values = match newest.entry.op {
                    Op::Patch => chain.unseal_walked(index, walk)?,
                    _ => self.unseal(newest)?,
                };
                Ok(Some(values.connector))
            }
            _ => Ok(None),
        }
    }

    /// Whether reading a connector's newest version needs a damaged version. Where an owner's own version takes the place
    /// of the newest one, making it fails if that needs a damaged one.
    fn is_needed(&self, version: Version, versions: &[Stored]) -> Result<bool> {
        let Some((newest, older)) = versions.split_last() else {
            return Ok(false);
        };
        if newest.entry.version == version {
            return Ok(true);
        }
        let full = versions
            .iter()
            .rposition(|stored| stored.entry.op != Op::Patch);
        let full = full.map(|full| versions[full].entry.version);
        if full.is_some_and(|full| version <= full) {
            return Ok(full == Some(version));
        }
        match Chain::new(self, versions.to_vec()).walk(older.len()) {
            Ok(_) => Ok(false),
            Err(error) if error.is_unread() => Err(error),
            Err(_) => Ok(true),
        }
    }

    /// A version of the owner's with the values of a connector's newest version, to stand in its place.
    pub(crate) fn renewed(&self, stored: &Stored, host: &mut Host<'_>) -> Result<OwnVersion> {
        self.renewed_as(stored, stored.entry.version.next(), host)
    }

    /// The same, with another number.
    pub(crate) fn renewed_as(
        &self,
        stored: &Stored,
        version: Version,
        host: &mut Host<'_>,
    ) -> Result<OwnVersion> {
        let values = match stored.entry.exists() {
            true => Some(self.unseal(stored)?.connector),
            false => None,
        };
        super::check_counter(version.get())?;
        let own = Own {
            group: stored.entry.group,
            named: &self.opened(stored)?,
            is_false: false,
            version,
            values: values.as_ref(),
        };
        self.own_plaintexts(&own, host)
    }

    /// Lets a delete go on as one of the owner's in another group.
    pub(crate) fn delete_in(
        &self,
        connector: &mut CheckedConnector,
        group: u16,
        host: &mut Host<'_>,
    ) -> Result<()> {
        let (named, version) = match (connector.own.take(), connector.versions.last()) {
            (Some(own), _) => {
                let version = own.opened.overview.version;
                (own.opened, version)
            }
            (None, Some(newest)) => (self.opened(newest)?, newest.entry.version.next()),
            (None, None) => return Ok(()),
        };
        super::check_counter(version.get())?;
        let own = Own {
            group,
            named: &named,
            is_false: false,
            version,
            values: None,
        };
        connector.own = Some(self.own_plaintexts(&own, host)?);
        Ok(())
    }

    /// What a false version says of its connector, if it is one of this tag.
    fn named(&self, stored: &Stored) -> Result<Option<OpenedOverview>> {
        let mut buffer = Vec::new();
        let bytes = self.bytes(stored.overview(), &mut buffer)?;
        let mut plaintext = Vec::new();
        let sealed = bytes.get(4..).unwrap_or_default();
        let is_open = self
            .keys
            .open_overview(stored.entry.group, sealed, &mut plaintext);
        let opened = OpenedOverview::parse(&plaintext).ok();
        let opened = opened.filter(|_| is_open.is_ok_and(|is_open| is_open));
        Ok(opened
            .filter(|opened| self.index.keys.tag(opened.overview.id.as_str()) == stored.entry.tag))
    }

    fn own_plaintexts(&self, own: &Own<'_>, host: &mut Host<'_>) -> Result<OwnVersion> {
        let Own {
            group,
            named,
            is_false,
            version,
            values,
        } = *own;
        let overview = &named.overview;
        let group_id = self.keys.group_id(group);
        let rotated_at = match values {
            Some(values) => Some(&values.rotated_at),
            None => (!is_false).then_some(&overview.rotated_at),
        };
        let meta = (!is_false && !overview.meta.is_empty()).then(|| overview.meta.clone());
        let extra = named.extra.as_deref().filter(|_| !is_false);
        let names = values
            .into_iter()
            .flat_map(|values| values.properties.names());
        let new = NewOverview {
            id: overview.id.as_str().into(),
            group: group_id
                .ok_or_else(|| Error::new(Code::Internal, "an owner lists all groups"))?,
            name: overview.name.as_str().into(),
            type_name: overview.type_name.as_str().into(),
            version: version.get(),
            op: match values {
                Some(_) => Op::Restore,
                None => Op::Delete,
            },
            author: self.access.grant,
            at: host.now.as_str().into(),
            created_at: Some(overview.created_at.as_str().into()),
            values_at: rotated_at.map(|time| time.as_str().into()),
            meta,
            extra: extra.map(ExtraText),
            properties: texts(names.map(PropertyName::as_str)),
            changed: None,
            source: values.map(|values| values.version.get()),
            secrets_hash: None,
            note: None,
            request: None,
        };
        let secrets = values.map(|values| SecretsPart {
            properties: values.properties.clone(),
            outcome: None,
            extra: values.extras.secrets.clone(),
        });
        let plaintexts = Plaintexts::sign(
            host.rng,
            &self.access.keys,
            self.header.vault_id,
            new,
            secrets.as_ref(),
        );
        Ok(OwnVersion {
            group,
            opened: OpenedOverview::parse(&plaintexts.overview)?,
            plaintexts,
        })
    }
}

/// What an owner's own version is made of.
struct Own<'a> {
    group: u16,
    named: &'a OpenedOverview,
    /// Whether `named` is a version that is false.
    is_false: bool,
    version: Version,
    values: Option<&'a Connector>,
}

/// Whether the newest version of a connector is false, or a patch whose full version is.
fn lacks_base(versions: &[Stored], fates: &[Fate]) -> bool {
    let mut newest_first = versions.iter().zip(fates).rev();
    match newest_first.next() {
        Some((_, Fate::False)) => true,
        Some((stored, _)) if stored.entry.op == Op::Patch => {
            let full = newest_first.find(|(stored, _)| stored.entry.op != Op::Patch);
            full.is_some_and(|(_, fate)| *fate == Fate::False)
        }
        _ => false,
    }
}

/// With an older version in the place of a damaged one, the storage could bring an old value back and have an owner
/// sign it.
fn lost_versions(lost: &[Error]) -> Error {
    let messages: Vec<_> = lost.iter().map(Error::message).collect();
    let what = counted(
        lost.len() as u64,
        "newest version is",
        "newest versions are",
    );
    Error::new(
        Code::Damaged,
        format!("{what} damaged: {}", messages.join("; ")),
    )
    .with_hint("restore earlier versions of these connectors, or a backup")
}
