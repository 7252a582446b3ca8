//! The versions that a new snapshot takes over. An owner signs it, so the owner's program checks every version
//! behind the previous snapshot first, and leaves out the false ones (docs/format.md section 10).

use std::collections::HashSet;

use super::texts;
use crate::access::Access;
use crate::connector::{Connector, ConnectorId, Op, PropertyName, Version};
use crate::error::{Code, Error, Result};
use crate::format::commit::NewRecord;
use crate::format::extra::Extra;
use crate::format::hex::{GrantId, GroupId};
use crate::source::Source;
use crate::vault::authorship::{FalseVersion, Signature};
use crate::vault::index::Stored;
use crate::vault::record::{NewOverview, OpenedOverview, Plaintexts, RecordKeys, SecretsPart};
use crate::vault::{Host, Vault};

/// Which versions are looked at before an owner signs a snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checks {
    /// Those behind the previous snapshot, whose owner has looked at the others.
    Tail,
    /// All, since all are opened anyway; signatures behind the previous snapshot only.
    All,
}

/// What a snapshot takes over.
pub(crate) struct Checked<'v> {
    pub(crate) connectors: Vec<CheckedConnector<'v>>,
    /// What it leaves out.
    pub(crate) false_versions: Vec<FalseVersion>,
}

/// What a snapshot takes over of a connector.
pub(crate) struct CheckedConnector<'v> {
    /// Versions that are not false, oldest first.
    pub(crate) versions: Vec<&'v Stored>,
    /// The version of the owner's that stands in the place of a newest one which is false.
    pub(crate) own: Option<OwnVersion>,
}

impl CheckedConnector<'_> {
    pub(crate) fn count(&self) -> usize {
        self.versions.len() + usize::from(self.own.is_some())
    }
}

/// A version that an owner adds to a snapshot.
pub(crate) struct OwnVersion {
    group: GroupId,
    id: ConnectorId,
    version: Version,
    plaintexts: Plaintexts,
}

impl OwnVersion {
    pub(crate) fn seal(
        &self,
        keys: &RecordKeys,
        host: &mut Host<'_>,
    ) -> Result<NewRecord<'static>> {
        let place = (self.group, self.id.as_str(), self.version);
        keys.seal(host.rng, place, &self.plaintexts)
            .map(NewRecord::new)
    }
}

/// Versions that a snapshot does not take over, by the places of their records.
#[derive(Default)]
pub(crate) struct Found {
    /// Those whose values do not count: false or damaged ones.
    bad: HashSet<u64>,
    /// Those of authors that go.
    forgotten: HashSet<u64>,
    false_versions: Vec<FalseVersion>,
}

impl<S: Source> Vault<S> {
    fn find_false(
        &self,
        checks: Checks,
        damaged: &HashSet<u64>,
        forgotten: &HashSet<GrantId>,
    ) -> Result<Found> {
        self.want(self.index.all().flatten().map(Stored::record))?;
        let since = self.index.commits.first().map_or(0, |first| first.seq);
        let mut found = Found::default();
        for stored in self.index.all().flatten() {
            let at = stored.record().start;
            if damaged.contains(&at) {
                found.bad.insert(at);
                continue;
            }
            let signature = match (stored.seq > since, checks) {
                (true, _) => Signature::Verified,
                (false, Checks::All) => Signature::Trusted,
                (false, Checks::Tail) => continue,
            };
            let (opened, version) = self.examine_version(stored, signature)?;
            if let Some(version) = version {
                found.bad.insert(at);
                found.false_versions.push(version);
            } else if forgotten.contains(&opened.overview.author) {
                found.forgotten.insert(at);
            }
        }
        Ok(found)
    }

    /// Looks at all versions but the damaged ones, and finds those of `forgotten` authors too.
    pub(crate) fn find_all(
        &self,
        damaged: &HashSet<u64>,
        forgotten: &HashSet<GrantId>,
    ) -> Result<Found> {
        self.find_false(Checks::All, damaged, forgotten)
    }

    /// The versions that a snapshot takes over, and those of the owner's that it needs in the place of false
    /// ones.
    pub(crate) fn checked(&self, checks: Checks, host: &mut Host<'_>) -> Result<Checked<'_>> {
        let found = self.find_false(checks, &HashSet::new(), &HashSet::new())?;
        self.without(found, &self.access, host)
    }

    /// The same where nothing is false. Fails with `false_record` if something is.
    pub(crate) fn all_true(&self) -> Result<Checked<'_>> {
        let found = self.find_false(Checks::Tail, &HashSet::new(), &HashSet::new())?;
        match found.false_versions.into_iter().next() {
            Some(first) => Err(first.into_error()),
            None => self.replacing(Found::default(), |_, _| Err(unreplaced())),
        }
    }

    /// All versions but those that were found. `author` is the owner who signs the snapshot.
    pub(crate) fn without(
        &self,
        found: Found,
        author: &Access,
        host: &mut Host<'_>,
    ) -> Result<Checked<'_>> {
        self.replacing(found, |newest, good| {
            self.own_version(newest, good, author, host)
        })
    }

    fn replacing<'v>(
        &'v self,
        found: Found,
        mut replace: impl FnMut(&[&'v Stored], &[&'v Stored]) -> Result<OwnVersion>,
    ) -> Result<Checked<'v>> {
        let mut connectors = Vec::new();
        for versions in self.index.all() {
            let all: Vec<&Stored> = versions.collect();
            let good = |stored: &&Stored| !found.bad.contains(&stored.record().start);
            let good: Vec<&Stored> = all.iter().copied().filter(good).collect();
            let stays = |stored: &&Stored| !found.forgotten.contains(&stored.record().start);
            let versions: Vec<&Stored> = good.iter().copied().filter(stays).collect();
            let newest = |versions: &[&Stored]| versions.last().map(|newest| newest.version);
            let own = match newest(&versions) == newest(&all) {
                true => None,
                false => Some(replace(&all, &good)?),
            };
            connectors.push(CheckedConnector { versions, own });
        }
        Ok(Checked {
            connectors,
            false_versions: found.false_versions,
        })
    }

    /// The version that an owner puts in the place of a newest one that is false: a restore of the newest one that
    /// can be read, or a delete where there is none, or a delete stands behind it, false though it may be. No
    /// number is used twice.
    fn own_version(
        &self,
        versions: &[&Stored],
        good: &[&Stored],
        author: &Access,
        host: &mut Host<'_>,
    ) -> Result<OwnVersion> {
        let newest = versions.last().ok_or_else(unreplaced)?;
        let readable = good.iter().rev().find(|stored| stored.op != Op::Delete);
        let is_deleted = versions.iter().any(|stored| {
            stored.op == Op::Delete
                && readable.is_none_or(|readable| stored.version > readable.version)
        });
        let values = match readable {
            Some(stored) if !is_deleted => Some(self.unseal(stored)?.connector),
            _ => None,
        };
        // Whatever else is known of the connector, a version that is not false says it, if there is one.
        let named = self.opened(good.last().unwrap_or(newest))?;
        let version = newest.version.next();
        let named = Named {
            is_false: good.is_empty(),
            opened: named,
        };
        let plaintexts = self.own_plaintexts(&named, version, values.as_ref(), author, host)?;
        let overview = named.opened.overview;
        Ok(OwnVersion {
            group: overview.group,
            id: overview.id,
            version,
            plaintexts,
        })
    }

    fn own_plaintexts(
        &self,
        named: &Named,
        version: Version,
        values: Option<&Connector>,
        author: &Access,
        host: &mut Host<'_>,
    ) -> Result<Plaintexts> {
        super::check_counter(version.get())?;
        let Named { opened, is_false } = named;
        let (overview, is_false) = (&opened.overview, *is_false);
        let rotated_at = match values {
            Some(values) => Some(&values.rotated_at),
            None => (!is_false).then_some(&overview.rotated_at),
        };
        let meta = (!is_false && !overview.meta.is_empty()).then(|| overview.meta.clone());
        let extra = opened.extra.as_deref().filter(|_| !is_false);
        let names = values
            .into_iter()
            .flat_map(|values| values.properties.names());
        let own = NewOverview {
            id: overview.id.as_str().into(),
            group: overview.group,
            name: overview.name.as_str().into(),
            type_name: overview.type_name.as_str().into(),
            version: version.get(),
            op: match values {
                Some(_) => Op::Restore,
                None => Op::Delete,
            },
            author: author.grant,
            at: host.now.as_str().into(),
            created_at: Some(overview.created_at.as_str().into()),
            values_at: rotated_at.map(|time| time.as_str().into()),
            meta,
            extra: extra.map(Extra::kept),
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
        Ok(Plaintexts::sign(
            host.rng,
            &author.keys,
            self.header.vault_id,
            own,
            secrets.as_ref(),
        ))
    }
}

/// Where name, type and meta of a connector come from.
struct Named {
    opened: OpenedOverview,
    /// Whether there is no version that is not false.
    is_false: bool,
}

fn unreplaced() -> Error {
    Error::new(Code::Internal, "a false version has nothing in its place")
}
