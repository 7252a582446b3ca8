//! The rules of a header that go beyond its parts (docs/format.md section 5.1).

use std::collections::HashMap;

use super::{DEFAULT_GROUP, Group, Header};
use crate::crypto::x_wing;
use crate::format::hex::GrantId;
use crate::format::rights::{self, Scope};
use crate::limits;
use crate::time::Timestamp;

/// The number of the last possible group, and one.
const NEXT_GROUP_MAX: u32 = u16::MAX as u32 + 1;

impl Header {
    /// What of the header does not follow the rules; `None` if all of it does.
    pub(super) fn fault(&self) -> Option<&'static str> {
        self.fault_of_parts()
            .or_else(|| self.fault_of_grants())
            .or_else(|| self.fault_of_groups())
            .or_else(|| self.fault_of_rights())
            .or_else(|| self.fault_of_deposits())
            .or_else(|| self.fault_of_retired())
    }

    fn fault_of_parts(&self) -> Option<&'static str> {
        if !(1..=limits::COUNTER_MAX).contains(&self.epoch) {
            return Some("has an epoch that is not valid");
        }
        if !(1..=NEXT_GROUP_MAX).contains(&self.next_group) {
            return Some("has a number for the next group that is not valid");
        }
        let of_grants = self.grants.iter().flat_map(|grant| {
            [
                Some(&grant.since),
                grant.until.as_ref(),
                grant.requests_from.as_ref(),
            ]
        });
        let mut times = of_grants.flatten().chain([&self.created]);
        if times.any(|time| Timestamp::check(time).is_err()) {
            return Some("holds a time that is not of the form 2026-11-23T20:15:00.000Z");
        }
        let present = self.grants.iter().map(|grant| &grant.label);
        let mut labels = present.chain(self.retired.iter().map(|retired| &retired.label));
        match labels.all(|label| is_label(label)) {
            true => None,
            false => Some("holds a label that is not valid"),
        }
    }

    fn fault_of_grants(&self) -> Option<&'static str> {
        for (index, grant) in self.grants.iter().enumerate() {
            let before = &self.grants[..index];
            if before.iter().any(|other| {
                other.id == grant.id
                    || other.label == grant.label
                    || other.ed25519 == grant.ed25519
                    || other.x_wing == grant.x_wing
            }) {
                return Some("lists a grant, a label or a key twice");
            }
            if grant.bundle.len() != x_wing::OVERHEAD + rights::bundle_len(&grant.rights) {
                return Some("lists a key bundle whose length is not that of its rights");
            }
        }
        match self.grants.iter().any(super::Grant::owns) {
            true => None,
            false => Some("lists no owner"),
        }
    }

    fn fault_of_groups(&self) -> Option<&'static str> {
        let first = self.groups.first();
        if first.is_none_or(|group| group.number != DEFAULT_GROUP) {
            return Some("lists no group 0");
        }
        let ascend = self
            .groups
            .windows(2)
            .all(|pair| pair[0].number < pair[1].number);
        if !ascend {
            return Some("lists groups whose numbers do not ascend");
        }
        let last = self.groups.last();
        if last.is_some_and(|group| u32::from(group.number) >= self.next_group) {
            return Some("lists a group whose number is not below that of the next one");
        }
        let mut ids: Vec<_> = self.groups.iter().map(|group| group.id).collect();
        ids.sort_unstable();
        match ids.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Some("lists a group id twice"),
            false => None,
        }
    }

    fn fault_of_rights(&self) -> Option<&'static str> {
        let lists = |scope: Scope| match scope {
            Scope::All => true,
            Scope::Group(id) => self.groups.iter().any(|group| group.id == id),
        };
        for grant in &self.grants {
            if let Some(fault) = rights::fault_of(&grant.rights) {
                return Some(fault);
            }
            if !grant.rights.iter().all(|right| lists(right.group)) {
                return Some("has a right in a group that it does not list");
            }
        }
        None
    }

    fn fault_of_deposits(&self) -> Option<&'static str> {
        let fault = |group: &Group| match (&group.deposit, self.wants_deposit(group.id)) {
            (None, true) => Some("lists a group with a rotator and without a deposit key"),
            (Some(_), false) => Some("lists a group with a deposit key and without a rotator"),
            _ => None,
        };
        self.groups.iter().find_map(fault)
    }

    fn fault_of_retired(&self) -> Option<&'static str> {
        let places = || {
            self.retired
                .iter()
                .map(|retired| (retired.epoch, retired.id))
        };
        if places()
            .zip(places().skip(1))
            .any(|(one, next)| one >= next)
        {
            return Some("lists retired grants that do not ascend by epoch and id");
        }
        for retired in &self.retired {
            if !(1..self.epoch).contains(&retired.epoch) {
                return Some("lists a retired grant whose epoch is not a former one");
            }
            if let Some(fault) = rights::fault_of(&retired.rights) {
                return Some(fault);
            }
        }
        let present = self.grants.iter().map(|grant| (grant.id, grant.ed25519));
        let retired = self
            .retired
            .iter()
            .map(|retired| (retired.id, retired.ed25519));
        let mut keys: HashMap<GrantId, _> = HashMap::new();
        let mut ids = HashMap::new();
        for (id, key) in present.chain(retired) {
            let is_one =
                *keys.entry(id).or_insert(key) == key && *ids.entry(key).or_insert(id) == id;
            if !is_one {
                return Some("lists a grant id with two keys, or a key of two grants");
            }
        }
        None
    }
}

fn is_label(label: &str) -> bool {
    (1..=limits::LABEL_LEN_MAX).contains(&label.len()) && !label.chars().any(char::is_control)
}
