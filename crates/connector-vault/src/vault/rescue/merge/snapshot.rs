//! A merge by an owner: a snapshot that takes the versions of the other copy over as they are, and names its commits
//! (docs/format.md section 11).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use super::{Merge, Merging};
use crate::connector::ConnectorId;
use crate::crypto::Hash;
use crate::error::Result;
use crate::format::commit::adopted_place;
use crate::format::header::DEFAULT_GROUP;
use crate::limits;
use crate::log;
use crate::plan::Step;
use crate::source::Source;
use crate::vault::commit::{NewVersion, Prepared, Scope, check_counter};
use crate::vault::index::{Entry, IndexKeys, Stored};
use crate::vault::record::{OpenedOverview, Plaintexts, RecordKeys};
use crate::vault::{Host, Vault};

/// A version of the other copy that is taken over, author and all.
pub(super) enum Taken {
    /// Both copies have the same keys: its sealed parts.
    Copied(Box<Entry>, [Vec<u8>; 2]),
    /// To be sealed with our keys.
    Opened(u16, Box<OpenedOverview>, Plaintexts),
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Taken(..)")
    }
}

impl Taken {
    fn seal(&self, keys: (&IndexKeys, &RecordKeys), host: &mut Host<'_>) -> Result<NewVersion<'_>> {
        match self {
            Self::Copied(entry, [overview, secrets]) => {
                Ok(NewVersion::sealed(**entry, [overview, secrets]))
            }
            Self::Opened(group, opened, plaintexts) => {
                NewVersion::seal(keys, host.rng, *group, opened, plaintexts)
            }
        }
    }
}

impl<S: Source, T: Source> Merging<'_, S, T> {
    /// A version of theirs as ours takes it over.
    pub(super) fn take(&self, stored: &Stored, opened: OpenedOverview) -> Result<Taken> {
        let group = self.our_group(&opened.overview)?;
        if !self.same_keys() {
            let (opened, plaintexts) = self.theirs.plaintexts(stored)?;
            return Ok(Taken::Opened(group, Box::new(opened), plaintexts));
        }
        let part = |range: std::ops::Range<u64>| {
            let mut buffer = Vec::new();
            let bytes = self.theirs.bytes(range, &mut buffer)?;
            Ok(bytes.get(4..).unwrap_or_default().to_vec())
        };
        let parts = [part(stored.overview())?, part(stored.secrets())?];
        let entry = Entry {
            group,
            ..stored.entry
        };
        Ok(Taken::Copied(Box::new(entry), parts))
    }
}

impl<S: Source> Vault<S> {
    /// The snapshot of an owner's merge.
    pub(super) fn prepare_merged(&self, merge: Merge, host: &mut Host<'_>) -> Result<Prepared> {
        let mut checked = self.checked(Scope::Tail, host)?;
        if let Some(version) = checked.false_versions.pop() {
            return Err(version
                .error
                .with_hint("compact the vault first, which leaves false versions out"));
        }
        let stored = || checked.connectors.iter().flat_map(|one| &one.versions);
        self.want(stored().flat_map(Stored::record))?;
        let mut versions: Vec<_> = stored()
            .map(|stored| NewVersion::stored(&self.source, stored))
            .collect();
        let mut outcomes = Vec::with_capacity(merge.plans.len());
        let mut groups: HashMap<ConnectorId, u16> = HashMap::new();
        for (plan, taken) in merge.plans.into_iter().zip(&merge.taken) {
            let Step::Draft { draft, .. } = plan.0 else {
                continue;
            };
            outcomes.push(draft.committed());
            if let Some(taken) = taken {
                for version in taken {
                    versions.push(version.seal((&self.index.keys, &self.keys), host)?);
                }
                continue;
            }
            let group = match (draft.group, groups.get(&draft.id)) {
                (Some(group), _) => group,
                (None, Some(group)) => *group,
                (None, None) => {
                    let newest = self.newest(draft.id.as_str())?;
                    newest.map_or(DEFAULT_GROUP, |newest| newest.entry.group)
                }
            };
            groups.insert(draft.id.clone(), group);
            check_counter(draft.version_after.get())?;
            versions.push(self.seal_draft(*draft, group, None, host)?);
        }
        versions.sort_by_key(|version| version.entry.place());
        let prepared = self.prepare_adopting(&merge.adopted, versions, host)?;
        Ok(prepared.with_outcomes(outcomes))
    }

    /// Seq and hash of the commits of merged copies, theirs too: what its clients may know, and ours does not hold.
    pub(super) fn adopted_with<T>(&self, theirs: &Vault<T>) -> Vec<[u8; 40]> {
        let mut ours: HashSet<&Hash> = self.superseded.iter().collect();
        ours.extend(self.index.commits.iter().map(|commit| &commit.hash));
        let place = |adopted| {
            let (seq, hash) = adopted_place(adopted);
            Some((seq, Hash::try_from(hash).ok()?))
        };
        let mut all: BTreeSet<(u64, Hash)> = self.adopted.iter().filter_map(place).collect();
        let commits = &theirs.index.commits;
        all.extend(commits.iter().map(|commit| (commit.seq, commit.hash)));
        // What an older copy only claims to have replaced, nobody can check: a former owner may have made it.
        if log::reaches(&theirs.header, &self.header.vault_key) {
            let first = commits.first().map_or(0, |first| first.seq);
            let back = theirs.superseded.iter().rev();
            all.extend(
                (1..)
                    .zip(back)
                    .map_while(|(back, hash)| Some((first.checked_sub(back)?, *hash))),
            );
            all.extend(theirs.adopted.iter().filter_map(place));
        }
        all.retain(|(_, hash)| !ours.contains(hash) && *hash != [0; 32]);
        let surplus = all.len().saturating_sub(limits::ADOPTED_MAX);
        let encode = |(seq, hash): (u64, Hash)| {
            let mut adopted = [0; 40];
            adopted[..8].copy_from_slice(&seq.to_le_bytes());
            adopted[8..].copy_from_slice(&hash);
            adopted
        };
        all.into_iter().skip(surplus).map(encode).collect()
    }
}
