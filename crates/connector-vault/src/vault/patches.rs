//! Patches: versions that hold only the properties that they set (docs/format.md section 8.5). Reading a version goes
//! through the patches behind the newest full one.

use std::collections::{HashMap, HashSet};

use super::Vault;
use super::authorship::{FalseVersion, Fault};
use super::index::Stored;
use super::record::{KeptOutcome, OpenedOverview, Overview, SecretsPart};
use crate::connector::{Connector, Extras, Op, Properties, PropertyName, Version};
use crate::error::{Code, Error, Result, quoted};
use crate::limits;
use crate::role::Capability;
use crate::secret::Secret;
use crate::source::Source;

/// The versions of a connector, and what was opened of its patches.
pub(super) struct Chain<'v, S> {
    vault: &'v Vault<S>,
    /// Oldest first.
    versions: Vec<Stored>,
    patches: HashMap<Version, Patch>,
}

/// A patch that is not damaged.
struct Patch {
    overview: Result<OpenedOverview, FalseVersion>,
    /// Once they were used.
    values: Option<Result<Properties, FalseVersion>>,
}

/// What reading a version comes to.
#[derive(Default)]
pub(super) struct Walk {
    /// The index of the full version that it goes on from. `None`: it is not kept.
    pub(super) full: Option<usize>,
    /// The indices of the good patches that are the newest for one of their names, newest first.
    pub(super) used: Vec<usize>,
    /// The bad patches on the way, newest first.
    bad: Vec<FalseVersion>,
    /// The index of the newest version whose overview is not false.
    shown: Option<usize>,
    /// What the patches say of properties; `None`: it is removed.
    decided: HashMap<PropertyName, Option<Secret>>,
    /// The names that patches set, in the order in which they came.
    set: Vec<PropertyName>,
}

impl<'v, S: Source> Chain<'v, S> {
    pub(super) fn new(vault: &'v Vault<S>, versions: Vec<Stored>) -> Self {
        Self {
            vault,
            versions,
            patches: HashMap::new(),
        }
    }

    /// What reading the version with this index needs. Fails with `damaged` where a patch that it needs is.
    pub(super) fn walk(&mut self, index: usize) -> Result<Walk> {
        let mut walk = Walk::default();
        let mut good = Vec::new();
        self.want(index)?;
        for at in (0..=index).rev() {
            let stored = self.versions[at];
            if stored.entry.op != Op::Patch {
                walk.full = stored.entry.exists().then_some(at);
                walk.shown = walk.shown.or(walk.full);
                break;
            }
            self.open(&stored)?;
            let changed = match &self.patch(&stored)?.overview {
                Ok(opened) => &opened.overview.changed,
                Err(version) => {
                    walk.bad.push(version.clone());
                    continue;
                }
            };
            walk.shown = walk.shown.or(Some(at));
            if changed.iter().all(|name| walk.decided.contains_key(name)) {
                good.push(at);
                continue;
            }
            self.read(&stored)?;
            let Patch { overview, values } = self.patch(&stored)?;
            match (overview, values) {
                (Ok(opened), Some(Ok(values))) => {
                    for name in &opened.overview.changed {
                        let value = || values.get(name.as_str()).cloned();
                        walk.decided.entry(name.clone()).or_insert_with(value);
                    }
                    walk.used.push(at);
                    good.push(at);
                }
                (_, Some(Err(version))) => walk.bad.push(version.clone()),
                _ => {}
            }
        }
        let mut seen = HashSet::new();
        for at in good.into_iter().rev() {
            if let Ok(opened) = &self.patch(&self.versions[at])?.overview {
                let names = opened.overview.set_names();
                walk.set
                    .extend(names.filter(|name| seen.insert((*name).clone())).cloned());
            }
        }
        Ok(walk)
    }

    /// Reads the version with this index. Fails with `damaged` or `false_record`.
    pub(super) fn unseal(&mut self, index: usize) -> Result<Unsealed> {
        let walk = self.walk(index)?;
        self.unseal_walked(index, walk)
    }

    pub(super) fn unseal_walked(&self, index: usize, walk: Walk) -> Result<Unsealed> {
        let stored = &self.versions[index];
        let (Some(full), Some(shown)) = (walk.full, walk.shown) else {
            let (version, tag) = (stored.entry.version, stored.entry.tag);
            let message = format!(
                "version {version} with the tag {tag} is a patch, and the version that it goes on from is not kept"
            );
            return Err(Error::new(Code::Damaged, message)
                .with_hint("restore an earlier version, or a backup"));
        };
        let mut unsealed = self.vault.unseal_full(&self.versions[full])?;
        let connector = &mut unsealed.connector;
        if let Some(opened) = self.overview_at(shown) {
            let Overview {
                name,
                type_name,
                at,
                meta,
                ..
            } = &opened.overview;
            connector.name.clone_from(name);
            connector.type_name.clone_from(type_name);
            connector.meta.clone_from(meta);
            connector.updated_at.clone_from(at);
            connector.extras.overview.clone_from(&opened.extra);
        }
        if let Some(opened) = walk.used.first().and_then(|at| self.overview_at(*at)) {
            connector.rotated_at.clone_from(&opened.overview.at);
        }
        connector.version = stored.entry.version;
        connector.properties = folded(&connector.properties, &walk)?;
        unsealed.outcome = None;
        unsealed.bad = walk.bad;
        Ok(unsealed)
    }

    /// The overview of a patch that was opened.
    fn overview_at(&self, index: usize) -> Option<&OpenedOverview> {
        let patch = self.patches.get(&self.versions[index].entry.version)?;
        patch.overview.as_ref().ok()
    }

    /// Asks for all bytes that reading a version needs in any case.
    fn want(&self, index: usize) -> Result<()> {
        let newest_first = self.versions[..=index].iter().rev();
        let patches = newest_first.take_while(|stored| stored.entry.op == Op::Patch);
        let unknown = patches.filter(|stored| !self.patches.contains_key(&stored.entry.version));
        self.vault.want(unknown.map(Stored::overview))
    }

    fn patch(&self, stored: &Stored) -> Result<&Patch> {
        let patch = self.patches.get(&stored.entry.version);
        patch.ok_or_else(|| Error::new(Code::Internal, "a patch is used before it is opened"))
    }

    fn open(&mut self, stored: &Stored) -> Result<()> {
        let version = stored.entry.version;
        if self.patches.contains_key(&version) {
            return Ok(());
        }
        let overview = match self.vault.opened_or_fault(stored)? {
            Ok(opened) => Ok(opened),
            Err(Fault::False(version)) => Err(version),
            Err(Fault::Damaged(error)) => return Err(error),
        };
        let values = None;
        self.patches.insert(version, Patch { overview, values });
        Ok(())
    }

    fn read(&mut self, stored: &Stored) -> Result<()> {
        let Some(patch) = self.patches.get_mut(&stored.entry.version) else {
            return Ok(());
        };
        if let (Ok(opened), None) = (&patch.overview, &patch.values) {
            patch.values = Some(match self.vault.secrets_or_fault(stored, opened)? {
                Ok(SecretsPart { properties, .. }) => Ok(properties),
                Err(Fault::False(version)) => Err(version),
                Err(Fault::Damaged(error)) => return Err(error),
            });
        }
        Ok(())
    }
}

/// The properties of a full version after patches. Where patches would bring more than fit, the last ones stay away: the
/// names that an overview lists were within the limit, but a bad patch may not have removed what it said.
fn folded(full: &Properties, walk: &Walk) -> Result<Properties> {
    let mut after = Properties::new();
    for (name, value) in full.iter() {
        match walk.decided.get(name) {
            None => _ = after.set(name.clone(), value.clone())?,
            Some(Some(value)) => _ = after.set(name.clone(), value.clone())?,
            Some(None) => {}
        }
    }
    for name in &walk.set {
        let Some(Some(value)) = walk.decided.get(name) else {
            continue;
        };
        if full.get(name.as_str()).is_none() && after.len() < limits::PROPERTIES_MAX {
            after.set(name.clone(), value.clone())?;
        }
    }
    Ok(after)
}

/// A version with its values.
pub(super) struct Unsealed {
    pub(super) connector: Connector,
    pub(super) outcome: Option<KeptOutcome>,
    /// The patches on the way that have no effect, newest first.
    bad: Vec<FalseVersion>,
}

impl<S: Source> Vault<S> {
    /// Unseals a version: of a patch, what the full version before it and the patches since then come to. Fails with
    /// `damaged` or `false_record` (docs/format.md sections 8.5 and 8.6).
    pub(super) fn unseal(&self, stored: &Stored) -> Result<Unsealed> {
        self.require_in(stored.entry.group, Capability::Read, "read values")?;
        if stored.entry.op != Op::Patch {
            return self.unseal_full(stored);
        }
        let versions = self.index.versions(stored.entry.tag, &self.reading())?;
        let until = versions.partition_point(|other| other.entry.version <= stored.entry.version);
        let index = until.checked_sub(1);
        let index = index.ok_or_else(|| Error::new(Code::Internal, "a version is not kept"))?;
        Chain::new(self, versions).unseal(index)
    }

    /// Unseals a full version.
    fn unseal_full(&self, stored: &Stored) -> Result<Unsealed> {
        self.require_in(stored.entry.group, Capability::Read, "read values")?;
        self.want(stored.record())?;
        let opened = self.opened(stored)?;
        let secrets = self.secrets_or_fault(stored, &opened)?;
        let secrets = secrets.map_err(Fault::into_error)?;
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
            bad: Vec::new(),
        })
    }

    /// The patches of a connector that have no effect, newest first, since their authors wrote them against the rules:
    /// the properties that [`overview`](Self::overview) lists may then differ from those that
    /// [`read`](Self::read) finds. [`verify`](Self::verify) tells them of all connectors.
    ///
    /// Fails as [`read`](Self::read) does.
    pub fn bad_patches(&self, id: &str) -> Result<Vec<FalseVersion>> {
        let stored = self.present(id)?;
        let Unsealed { connector, bad, .. } = self.unseal(&stored)?;
        // One whose overview does not open tells no id.
        let named = bad.into_iter().map(|version| FalseVersion {
            id: Some(connector.id.clone()),
            ..version
        });
        Ok(named.collect())
    }

    /// What the newest version of a connector shows: its overview or, of a bad patch, that of the newest version before
    /// it that is not false, and what is wrong with the patch.
    pub(super) fn shown(&self, newest: &Stored) -> Result<(OpenedOverview, Option<FalseVersion>)> {
        let bad = match self.opened_or_fault(newest)? {
            Ok(opened) => return Ok((opened, None)),
            Err(Fault::False(version)) if newest.entry.op == Op::Patch => version,
            Err(fault) => return Err(fault.into_error()),
        };
        let versions = self.index.versions(newest.entry.tag, &self.reading())?;
        let older = versions.iter().rev();
        let older = older.filter(|stored| stored.entry.version < newest.entry.version);
        for stored in older.filter(|stored| self.lists(stored)) {
            match self.opened_or_fault(stored)? {
                Ok(opened) if stored.entry.exists() => return Ok((opened, Some(bad))),
                Err(Fault::False(_)) if stored.entry.op == Op::Patch => {}
                Err(fault) => return Err(fault.into_error()),
                Ok(_) => break,
            }
        }
        Err(bad.error)
    }

    /// The properties of a connector by names alone, for a member who cannot read their values, and the newest overview
    /// that is not false. Fails with `damaged` where nobody can tell the names.
    pub(super) fn listed(&self, id: &str) -> Result<OpenedOverview> {
        let newest = self.present(id)?;
        let versions = self.versions(id)?;
        let fits = |stored: &Stored| {
            (stored.entry.group, stored.entry.face) == (newest.entry.group, newest.entry.face)
                && stored.entry.exists()
        };
        let mut first = None;
        for stored in versions.iter().rev().filter(|stored| fits(stored)) {
            match self.opened_or_fault(stored)? {
                Ok(opened) => return Ok(opened),
                Err(Fault::Damaged(error)) => return Err(error),
                Err(Fault::False(version)) => _ = first.get_or_insert(version.error),
            }
        }
        Err(first.unwrap_or_else(|| {
            Error::new(
                Code::Damaged,
                format!("no version of the connector {} opens", quoted(id)),
            )
        }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn name(number: usize) -> PropertyName {
        PropertyName::new(format!("p{number}")).unwrap()
    }

    /// A bad patch may not have removed what it said: then the ones behind it bring too much.
    #[test]
    fn no_patch_makes_a_connector_too_large_to_read() {
        let mut full = Properties::new();
        for number in 0..limits::PROPERTIES_MAX {
            full.set(name(number), Secret::new("v").unwrap()).unwrap();
        }
        let new = name(limits::PROPERTIES_MAX);
        let value = Some(Secret::new("w").unwrap());
        let decided = [(new.clone(), value.clone()), (name(0), value)];
        let walk = Walk {
            decided: decided.into_iter().collect(),
            set: vec![new.clone(), name(0)],
            ..Walk::default()
        };
        let after = folded(&full, &walk).unwrap();
        assert_eq!(after.len(), limits::PROPERTIES_MAX);
        assert!(after.get(new.as_str()).is_none());
        assert_eq!(after.get("p0").unwrap().expose(), "w");
    }
}
