//! What the rights of a grant permit: capabilities, which add up for each group (docs/format.md section 5.3).

use crate::format::hex::GroupId;
use crate::format::rights::{RightEntry, Scope};
use crate::role::{Capabilities, Capability, Role};

/// The rights of one grant. Everything that asks what a member may do asks here.
#[derive(Clone, Copy)]
pub(crate) struct Rights<'a>(&'a [RightEntry]);

impl<'a> Rights<'a> {
    pub(crate) fn of(rights: &'a [RightEntry]) -> Self {
        Self(rights)
    }

    /// Whether they permit everything: also to sign headers and snapshots.
    pub(crate) fn owns(self) -> bool {
        self.0.iter().any(|right| right.role.owns())
    }

    /// The greatest role among them.
    pub(crate) fn greatest(self) -> Role {
        let roles = self.0.iter().map(|right| right.role);
        roles.max().unwrap_or(Role::Viewer)
    }

    /// The capabilities in one group.
    pub(crate) fn in_group(self, group: GroupId) -> Capabilities {
        self.sum(|scope| scope.covers(group))
    }

    /// The capabilities in every group, those to come included.
    pub(crate) fn everywhere(self) -> Capabilities {
        self.sum(|scope| scope == Scope::All)
    }

    /// Whether they have a capability in some group.
    pub(crate) fn somewhere(self, capability: Capability) -> bool {
        self.any(|capabilities| capabilities.has(capability))
    }

    /// Whether they permit commits of changes at all.
    pub(crate) fn commit(self) -> bool {
        self.any(Capabilities::commits)
    }

    /// Whether they permit everything that `other` permits.
    pub(crate) fn cover(self, other: Rights<'_>) -> bool {
        let mut groups = self.groups().chain(other.groups());
        (self.owns() || !other.owns())
            && self.everywhere().covers(other.everywhere())
            && groups.all(|group| self.in_group(group).covers(other.in_group(group)))
    }

    fn sum(self, covers: impl Fn(Scope) -> bool) -> Capabilities {
        let covering = self.0.iter().filter(|right| covers(right.group));
        covering.fold(Capabilities::default(), |sum, right| {
            sum | right.role.capabilities()
        })
    }

    fn any(self, has: impl Fn(Capabilities) -> bool) -> bool {
        has(self.everywhere()) || self.groups().any(|group| has(self.in_group(group)))
    }

    /// The groups that have a right of their own.
    fn groups(self) -> impl Iterator<Item = GroupId> {
        self.0.iter().filter_map(|right| match right.group {
            Scope::All => None,
            Scope::Group(group) => Some(group),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::hex::Hex;

    const A: GroupId = GroupId(Hex([1; 8]));
    const B: GroupId = GroupId(Hex([2; 8]));

    fn all(role: Role) -> RightEntry {
        RightEntry::everywhere(role)
    }

    fn of(group: GroupId, role: Role) -> RightEntry {
        RightEntry {
            group: Scope::Group(group),
            role,
        }
    }

    #[test]
    fn rights_that_cover_a_group_add_up() {
        let rights = [all(Role::Viewer), of(A, Role::Updater)];
        let rights = Rights::of(&rights);
        assert!(rights.in_group(A).has(Capability::Write));
        assert!(rights.in_group(B).has(Capability::List));
        assert!(!rights.in_group(B).has(Capability::Read));
        assert!(rights.somewhere(Capability::Read) && !rights.somewhere(Capability::Manage));
        assert!(rights.commit() && !Rights::of(&[all(Role::Reader)]).commit());
    }

    #[test]
    fn a_right_in_a_group_is_none_elsewhere() {
        let rights = [of(A, Role::Reader)];
        let rights = Rights::of(&rights);
        assert_eq!(rights.in_group(B), Capabilities::default());
        assert_eq!(rights.everywhere(), Capabilities::default());
    }

    #[test]
    fn covering_looks_at_each_group_and_those_to_come() {
        for (more, less, covers) in [
            (&[all(Role::Owner)][..], &[all(Role::Updater)][..], true),
            (&[all(Role::Updater)], &[all(Role::Owner)], false),
            (&[all(Role::Reader)], &[of(A, Role::Reader)], true),
            (&[of(A, Role::Reader)], &[all(Role::Reader)], false),
            (&[of(A, Role::Reader)], &[of(B, Role::Viewer)], false),
            (
                &[all(Role::Viewer), of(A, Role::Reader)],
                &[of(A, Role::Viewer), of(B, Role::Viewer)],
                true,
            ),
        ] {
            let found = Rights::of(more).cover(Rights::of(less));
            assert_eq!(found, covers, "{more:?} {less:?}");
        }
    }
}
