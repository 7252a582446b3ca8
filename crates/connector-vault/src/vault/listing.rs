//! The connectors of a vault, one after the other.

use std::fmt;
use std::str::FromStr;

use super::Vault;
use super::index::{Lost, Newest, Resume, Tag};
use super::record::Overview;
use crate::error::{Code, Error, Result};
use crate::source::Source;

/// Where a list goes on: for lists that are shown in parts. The default is the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(Option<Resume>);

impl Default for Cursor {
    fn default() -> Self {
        Self(Some(Resume::FIRST))
    }
}

impl Cursor {
    /// Whether the list ends here.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.0.is_none()
    }
}

/// What stands for a cursor at the end of the list.
const END: &str = "end";

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Resume {
                tag,
                behind: Some((seq, page)),
            }) => write!(f, "{tag}.{seq}.{page}"),
            Some(Resume { tag, behind: None }) => tag.fmt(f),
            None => f.write_str(END),
        }
    }
}

/// The text of [`Display`](fmt::Display). Fails with `invalid_argument`.
impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == END {
            return Ok(Self(None));
        }
        place(text).map(|from| Self(Some(from))).ok_or_else(|| {
            Error::new(
                Code::InvalidArgument,
                "this is no place in a list of connectors",
            )
        })
    }
}

/// The place that a text names: a tag, and behind a damaged page the snapshot's seq and the number of the next page.
fn place(text: &str) -> Option<Resume> {
    let mut parts = text.split('.');
    let mut tag = [0; 16];
    let decoded = base16ct::lower::decode(parts.next()?, &mut tag).ok()?;
    let is_whole = decoded.len() == tag.len();
    let behind = match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => None,
        (Some(seq), Some(page), None) => Some((seq.parse().ok()?, page.parse().ok()?)),
        _ => return None,
    };
    is_whole.then_some(Resume {
        tag: Tag(tag),
        behind,
    })
}

/// The connectors that a grant lists, in an order that tells nothing: [`Vault::list`].
pub struct Listing<'v, S> {
    vault: &'v Vault<S>,
    newest: Newest<'v>,
}

impl<S> fmt::Debug for Listing<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listing(..)")
    }
}

impl<S: Source> Vault<S> {
    /// The connectors that this grant lists, without their values. Their order is no order for people: sort them
    /// by name, then by id.
    ///
    /// A connector that is damaged stands as an error that names it, and the list goes on behind it. A damaged page
    /// of the index stands as one error.
    pub fn list(&self) -> Listing<'_, S> {
        self.list_from(Cursor::default())
    }

    /// The list from a cursor on.
    pub fn list_from(&self, cursor: Cursor) -> Listing<'_, S> {
        Listing {
            vault: self,
            newest: Newest::from(&self.index, self.reading(), cursor.0),
        }
    }
}

impl<S: Source> Listing<'_, S> {
    /// Where the list goes on.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor(self.newest.next_place())
    }
}

impl<S: Source> Iterator for Listing<'_, S> {
    type Item = Result<Overview>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let stored = match self.newest.next()? {
                Ok(stored) => stored,
                Err(Lost { connector, error }) => {
                    return Some(Err(match connector {
                        Some(tag) => self.vault.naming(error, tag),
                        None => error,
                    }));
                }
            };
            if stored.entry.exists() && self.vault.lists(&stored) {
                let overview = self.vault.overview_of(&stored);
                return Some(overview.map_err(|error| self.vault.naming(error, stored.entry.tag)));
            }
        }
    }
}

impl<S: Source> Vault<S> {
    /// An error about a connector whose newest version is damaged or false, with its id where a version of it
    /// opens, else with its tag.
    fn naming(&self, error: Error, tag: Tag) -> Error {
        if error.is_unread() {
            return error;
        }
        let versions = self.index.sound_versions(tag, &self.reading());
        let overviews = versions.into_iter().rev();
        let id = overviews.filter_map(|stored| self.overview_of(&stored).ok());
        match id.map(|overview| overview.id).next() {
            Some(id) => error
                .within(format_args!("connector {:?}", id.as_str()))
                .of_connector(id.as_str()),
            None => error.within(format_args!("connector with the tag {tag}")),
        }
    }
}
