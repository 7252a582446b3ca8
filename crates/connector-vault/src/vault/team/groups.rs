//! Groups of connectors: their names, and what becomes of a group that goes (docs/format.md sections 5.1 and 10.6).

use serde::Serialize;

use super::epoch::NewEpoch;
use crate::access::Rights;
use crate::access::groups::{self, PlainName};
use crate::connector::ConnectorId;
use crate::error::{Code, Error, Result, quoted};
use crate::format::header::{DEFAULT_GROUP, Grant, Header};
use crate::format::hex::GroupId;
use crate::format::rights::Scope;
use crate::role::Capability;
use crate::source::Source;
use crate::vault::commit::{Checked, CheckedConnector, Prepared, Scope as Looked};
use crate::vault::index::{Newest, Resume, Stored};
use crate::vault::{Host, Vault};

/// A group of connectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GroupInfo {
    /// Its id, which overviews name.
    #[serde(skip)]
    pub id: GroupId,
    /// Its name. `None` if the grant that opened the vault does not list it, or the name is damaged.
    pub name: Option<String>,
    /// How many connectors are in it.
    pub connectors: usize,
    /// The labels of the grants that have a right in it.
    pub grants: Vec<String>,
}

/// A group that goes.
#[derive(Debug)]
#[non_exhaustive]
pub struct GroupRemoval {
    /// What is to be stored.
    pub prepared: Prepared,
    /// The connectors that had versions in the group: these versions go.
    pub connectors: Vec<ConnectorId>,
    /// Labels of the grants that had no right elsewhere: they are revoked.
    pub revoked: Vec<String>,
    /// As in [`Revocation::forgotten`](super::Revocation::forgotten).
    pub forgotten: Vec<String>,
    /// As in [`Revocation::damaged`](super::Revocation::damaged).
    pub damaged: Vec<Error>,
}

/// A group that a snapshot leaves out.
#[derive(Clone, Copy)]
pub(super) struct Removed {
    /// Its number.
    group: u16,
    /// The group that takes over ids which were deleted in it.
    to: Option<u16>,
}

impl<S: Source> Vault<S> {
    /// The groups, in the order in which they were made. Connectors on damaged pages do not count.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let owner = NewOwner::identity("ops", Identity::generate(host.rng));
    /// # let (mut vault, _) = Vault::create(&mut host, &owner)?;
    /// let prepared = vault.prepare_add_group("payments", &mut host)?;
    /// vault.apply(prepared)?;
    /// let names: Vec<_> = vault.groups()?.into_iter().map(|group| group.name).collect();
    /// assert_eq!(names, [Some("default".to_owned()), Some("payments".to_owned())]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn groups(&self) -> Result<Vec<GroupInfo>> {
        let groups = self.header.groups.iter().map(|group| GroupInfo {
            id: group.id,
            name: self.name_of(group).map(str::to_owned),
            connectors: 0,
            grants: self.labels_in(group.id),
        });
        let mut groups: Vec<_> = groups.collect();
        self.want(self.index.unused_pages())?;
        for newest in Newest::from(&self.index, self.reading(), Some(Resume::FIRST)) {
            let Ok(Stored { entry, .. }) = newest else {
                continue;
            };
            let at = self
                .header
                .groups
                .binary_search_by_key(&entry.group, |group| group.number);
            if let (true, Ok(at)) = (entry.exists(), at) {
                groups[at].connectors += 1;
            }
        }
        Ok(groups)
    }

    /// Labels of the grants with a right in a group.
    fn labels_in(&self, group: GroupId) -> Vec<String> {
        let grants = self.header.grants.iter();
        let with_right = grants.filter(|grant| {
            let rights = Rights::of(&grant.rights);
            rights.in_group(group).has(Capability::List)
        });
        with_right.map(|grant| grant.label.clone()).collect()
    }

    /// Adds a group. Needs an owner. Members with a right in all groups have it there too.
    ///
    /// Fails with `group_exists`, and with `invalid_argument` for a name that is not valid.
    pub fn prepare_add_group(&self, name: &str, host: &mut Host<'_>) -> Result<Prepared> {
        self.require_owner("add a group")?;
        let name = self.new_name(name)?;
        let mut header = self.header.clone();
        groups::add(host.rng, &self.access.bundle, &mut header, &name)?;
        self.prepare_with(&header, host)
    }

    /// Gives a group another name. Needs an owner.
    ///
    /// Fails with `group_not_found` or `group_exists`, and with `invalid_argument` for a name that is not valid and for
    /// the group `default`, which keeps its name.
    pub fn prepare_rename_group(
        &self,
        name: &str,
        new: &str,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        self.require_owner("rename a group")?;
        let number = self.other_group(name, "keeps its name")?;
        let mut header = self.header.clone();
        if groups::normal(name) != groups::normal(new) {
            let new = self.new_name(new)?;
            let group = header.groups.iter_mut().find(|one| one.number == number);
            if let Some(group) = group {
                group.name = new.seal(host.rng, &self.access.bundle, &self.header, group.id)?;
            }
        }
        self.prepare_with(&header, host)
    }

    /// Removes a group in which there is no connector, with all versions that stand in it. Ids that were deleted in it
    /// go on as deleted in the group `deletes_to`, whose members see them from then on. Rights in the group are
    /// taken from all grants, and a grant that has no other right is revoked. Needs an owner. `progress` is told how
    /// many of how many records are sealed, if the keys change.
    ///
    /// Fails with `group_not_found`, with `invalid_argument` for the group `default`, and with `group_not_empty` if a
    /// connector is in the group, or an id was deleted in it and nobody said where it goes on.
    pub fn prepare_remove_group(
        &self,
        name: &str,
        deletes_to: Option<&str>,
        host: &mut Host<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<GroupRemoval> {
        self.require_owner("remove a group")?;
        let number = self.other_group(name, "cannot be removed")?;
        let to = deletes_to.map(|to| self.group_named(to)).transpose()?;
        if to == Some(number) {
            return Err(Error::new(
                Code::InvalidArgument,
                "deleted ids cannot go on in the group that is removed",
            ));
        }
        let removed = Removed { group: number, to };
        let mut header = self.header.clone();
        let Some(at) = header.groups.iter().position(|one| one.number == number) else {
            return Err(Error::new(Code::Internal, "a group is gone"));
        };
        let group = Scope::Group(header.groups.remove(at).id);
        let has_right = |grant: &Grant| grant.rights.iter().any(|right| right.group == group);
        let former: Vec<&Grant> = self
            .header
            .grants
            .iter()
            .filter(|one| has_right(one))
            .collect();
        for grant in &mut header.grants {
            grant.rights.retain(|right| right.group != group);
        }
        let has_none = |grant: &&Grant| grant.rights.is_empty();
        let revoked = header.grants.iter().filter(has_none);
        let revoked = revoked.map(|grant| grant.label.clone()).collect();
        header.grants.retain(|grant| !grant.rights.is_empty());
        if former.is_empty() {
            let mut checked = self.checked(Looked::Tail, host)?;
            let connectors = self.leave_group(&mut checked, removed, &mut header, host)?;
            let (access, key_slots) = (&self.access, &self.key_slots);
            return Ok(GroupRemoval {
                prepared: self.prepare_checked(access, &header, key_slots, checked, host)?,
                connectors,
                revoked,
                forgotten: Vec::new(),
                damaged: Vec::new(),
            });
        }
        let epoch = NewEpoch {
            former,
            removed: Some(removed),
            ..self.next_epoch(header)
        };
        let begun = self.begin_epoch(epoch, host, progress)?;
        Ok(GroupRemoval {
            prepared: begun.revocation.prepared,
            connectors: begun.left,
            revoked,
            forgotten: begun.revocation.forgotten,
            damaged: begun.revocation.damaged,
        })
    }

    /// A snapshot of everything with another header.
    fn prepare_with(&self, header: &Header, host: &mut Host<'_>) -> Result<Prepared> {
        let checked = self.checked(Looked::Tail, host)?;
        self.prepare_checked(&self.access, header, &self.key_slots, checked, host)
    }

    /// A name that no group has.
    fn new_name(&self, name: &str) -> Result<PlainName> {
        let plain = PlainName::new(name)?;
        match plain.text().map(|name| self.group_named(name)) {
            Some(Ok(_)) => Err(Error::new(
                Code::GroupExists,
                format!("there is a group {} already", quoted(name)),
            )),
            Some(Err(error)) if error.code() != Code::GroupNotFound => Err(error),
            _ => Ok(plain),
        }
    }

    /// The number of a group other than `default`.
    fn other_group(&self, name: &str, what: &str) -> Result<u16> {
        match self.group_named(name)? {
            DEFAULT_GROUP => Err(Error::new(
                Code::InvalidArgument,
                format!("the group {:?} {what}", groups::DEFAULT),
            )),
            number => Ok(number),
        }
    }

    /// Leaves out all versions in a group, where no connector is. The ids of the connectors that had some.
    pub(super) fn leave_group(
        &self,
        checked: &mut Checked,
        removed: Removed,
        header: &mut Header,
        host: &mut Host<'_>,
    ) -> Result<Vec<ConnectorId>> {
        let stands_in =
            |connector: &CheckedConnector| connector.place() == Some((removed.group, true));
        let connectors = checked.connectors.iter().filter(|one| stands_in(one));
        match connectors.count() {
            0 => {}
            count => {
                let what = crate::error::counted(count as u64, "connector is", "connectors are");
                return Err(
                    Error::new(Code::GroupNotEmpty, format!("{what} in the group"))
                        .with_hint("move or delete them first"),
                );
            }
        }
        let mut ids = Vec::new();
        for connector in &mut checked.connectors {
            let place = connector.place();
            let in_group = |stored: &Stored| stored.entry.group == removed.group;
            let went = connector.versions.iter().rev().filter(|one| in_group(one));
            let went: Vec<Stored> = went.copied().collect();
            if went.is_empty() && place.is_none_or(|(group, _)| group != removed.group) {
                continue;
            }
            if place == Some((removed.group, false)) {
                let Some(to) = removed.to else {
                    return Err(Error::new(
                        Code::GroupNotEmpty,
                        "an id of a connector was deleted in the group, and stays deleted",
                    )
                    .with_hint("say in which group it goes on, whose members will see it"));
                };
                self.delete_in(connector, to, host)?;
            }
            let own = connector.own.as_ref().map(|own| own.id().clone());
            let opened = || went.iter().find_map(|one| self.overview_of(one).ok());
            ids.extend(own.or_else(|| opened().map(|overview| overview.id)));
            let stays = connector.versions.iter().map(|stored| !in_group(stored));
            let stays: Vec<bool> = stays.collect();
            self.leave_out(connector, &stays, &host.now, header)?;
        }
        ids.sort_unstable();
        Ok(ids)
    }
}
