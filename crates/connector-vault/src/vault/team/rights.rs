//! What an owner gives a grant: rights, by the names of their groups, and a date to be reminded of
//! (docs/format.md sections 5.2 and 5.3).

use std::fmt;
use std::str::FromStr;

use crate::error::{Code, Error, Result};
use crate::format::rights::{RightEntry, Scope};
use crate::limits;
use crate::role::Role;
use crate::source::Source;
use crate::time::Timestamp;
use crate::vault::Vault;

/// A role in one group, which is named, or in all groups.
///
/// ```
/// # use connector_vault::{Right, Role};
/// let right: Right = "updater:payments".parse()?;
/// assert_eq!(right, Right::in_group(Role::Updater, "payments"));
/// assert_eq!("viewer".parse::<Right>()?, Role::Viewer.into());
/// # Ok::<(), connector_vault::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    role: Role,
    /// `None`: all groups.
    group: Option<String>,
}

impl Right {
    /// A role in all groups, those to come included.
    #[must_use]
    pub fn everywhere(role: Role) -> Self {
        Self { role, group: None }
    }

    /// A role in the group of this name.
    #[must_use]
    pub fn in_group(role: Role, group: impl Into<String>) -> Self {
        Self {
            role,
            group: Some(group.into()),
        }
    }
}

/// The role in all groups.
impl From<Role> for Right {
    fn from(role: Role) -> Self {
        Self::everywhere(role)
    }
}

/// `ROLE:GROUP`, parted at the first colon; `ROLE` and `ROLE:*` are the role in all groups. Fails with
/// `invalid_argument` for an unknown role.
impl FromStr for Right {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (role, group) = match text.split_once(':') {
            Some((role, group)) => (role, group),
            None => (text, "*"),
        };
        let role = role.parse()?;
        Ok(match group {
            "*" => Self::everywhere(role),
            group => Self::in_group(role, group),
        })
    }
}

/// The text that [`FromStr`] reads.
impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            None => self.role.fmt(f),
            Some(group) => write!(f, "{}:{group}", self.role),
        }
    }
}

/// The terms of a grant: its rights, and perhaps a date to be reminded of.
///
/// ```
/// # use connector_vault::{Right, Role, Terms, Timestamp};
/// let everywhere: Terms = Role::Reader.into();
/// let in_two_ways: Terms = [Role::Viewer.into(), Right::in_group(Role::Updater, "payments")].into();
/// let for_a_year = in_two_ways.until(Timestamp::new("2027-11-23T00:00:00.000Z")?);
/// # Ok::<(), connector_vault::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// `None`: as before.
    rights: Option<Vec<Right>>,
    until: Until,
}

/// Whether a grant has a date to be reminded of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Until {
    AsBefore,
    Never,
    At(Timestamp),
}

impl Terms {
    /// The same rights as before. For a change of the date alone.
    #[must_use]
    pub fn same() -> Self {
        Self {
            rights: None,
            until: Until::AsBefore,
        }
    }

    /// The same terms, with a date to be reminded of. Nothing happens then by itself: no program enforces it.
    #[must_use]
    pub fn until(self, until: Timestamp) -> Self {
        Self {
            until: Until::At(until),
            ..self
        }
    }

    /// The same terms without such a date. Where neither is said, a grant keeps the date that it has.
    #[must_use]
    pub fn without_until(self) -> Self {
        Self {
            until: Until::Never,
            ..self
        }
    }

    pub(super) fn changes_rights(&self) -> bool {
        self.rights.is_some()
    }

    /// The date of a grant that had this one.
    pub(super) fn until_after(&self, before: Option<String>) -> Option<String> {
        match &self.until {
            Until::AsBefore => before,
            Until::Never => None,
            Until::At(until) => Some(until.to_string()),
        }
    }
}

impl From<Vec<Right>> for Terms {
    fn from(rights: Vec<Right>) -> Self {
        Self {
            rights: Some(rights),
            ..Self::same()
        }
    }
}

impl<const LEN: usize> From<[Right; LEN]> for Terms {
    fn from(rights: [Right; LEN]) -> Self {
        Vec::from(rights).into()
    }
}

impl From<Right> for Terms {
    fn from(right: Right) -> Self {
        vec![right].into()
    }
}

/// The role in all groups.
impl From<Role> for Terms {
    fn from(role: Role) -> Self {
        Right::from(role).into()
    }
}

impl<S: Source> Vault<S> {
    /// The rights of these terms as a header lists them; `before` if they are to stay.
    ///
    /// Fails with `group_not_found`, and with `invalid_argument` for rights that no grant has.
    pub(super) fn rights_of(
        &self,
        terms: &Terms,
        before: Option<&[RightEntry]>,
    ) -> Result<Vec<RightEntry>> {
        let invalid = |message| Error::new(Code::InvalidArgument, message);
        let rights = match (&terms.rights, before) {
            (None, Some(before)) => return Ok(before.to_vec()),
            (rights, _) => rights.as_deref().unwrap_or_default(),
        };
        if rights.is_empty() {
            return Err(invalid("a grant has at least one right"));
        }
        if rights.len() > limits::RIGHTS_MAX {
            return Err(Error::new(
                Code::LimitExceeded,
                "a grant has at most 16 rights",
            ));
        }
        let mut entries: Vec<RightEntry> = Vec::with_capacity(rights.len());
        for Right { role, group } in rights {
            let group = match group {
                None => Scope::All,
                Some(name) => Scope::Group(self.find_group(name)?),
            };
            if role.owns() && (group != Scope::All || rights.len() > 1) {
                return Err(
                    invalid("an owner has this role in all groups, and no other")
                        .with_hint("the role owner permits everything: grant it alone"),
                );
            }
            if entries.iter().any(|other| other.group == group) {
                return Err(invalid("a grant has one right in a group")
                    .with_hint("rights in a group and in all groups add up"));
            }
            entries.push(RightEntry { group, role: *role });
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_part_at_the_first_colon() {
        for (text, right) in [
            ("viewer", Right::everywhere(Role::Viewer)),
            ("viewer:*", Right::everywhere(Role::Viewer)),
            ("reader:a:b", Right::in_group(Role::Reader, "a:b")),
            ("reader:", Right::in_group(Role::Reader, "")),
        ] {
            assert_eq!(text.parse::<Right>().expect(text), right);
        }
        for text in ["", ":a", "Viewer", "viewer ", "nobody:a"] {
            let error = text.parse::<Right>().unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{text:?}");
        }
        assert_eq!(
            Right::in_group(Role::Reader, "a:b").to_string(),
            "reader:a:b"
        );
        assert_eq!(Right::everywhere(Role::Owner).to_string(), "owner");
    }
}
