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
pub struct Cursor {
    /// `None`: at the end.
    place: Option<Resume>,
    /// Whether the list has told of the bad patch of the next connector.
    is_told: bool,
}

impl Cursor {
    const fn at(place: Option<Resume>) -> Self {
        let is_told = false;
        Self { place, is_told }
    }

    /// Whether the list ends here.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.place.is_none()
    }
}

impl Default for Cursor {
    fn default() -> Self {
        Self::at(Some(Resume::FIRST))
    }
}

/// What stands for a cursor at the end of the list.
const END: &str = "end";

/// What ends the text of a cursor between the error of a bad patch and its connector.
const TOLD: &str = ".told";

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Resume { tag, behind }) = self.place else {
            return f.write_str(END);
        };
        tag.fmt(f)?;
        if let Some((seq, page)) = behind {
            write!(f, ".{seq}.{page}")?;
        }
        match self.is_told {
            true => f.write_str(TOLD),
            false => Ok(()),
        }
    }
}

/// The text of [`Display`](fmt::Display). Fails with `invalid_argument`.
impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == END {
            return Ok(Self::at(None));
        }
        let (text, is_told) = match text.strip_suffix(TOLD) {
            Some(text) => (text, true),
            None => (text, false),
        };
        let place = place(text).ok_or_else(|| {
            Error::new(
                Code::InvalidArgument,
                "this is no place in a list of connectors",
            )
        })?;
        let place = Some(place);
        Ok(Self { place, is_told })
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
    /// A connector whose newest version is a bad patch, behind the error that says so.
    shown: Option<(Resume, Overview)>,
    /// A connector of which that error was told in the part before this one.
    told: Option<Tag>,
    /// Whether there is such an error.
    tells_bad: bool,
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
    /// of the index stands as one error. Where the newest version is a patch with a false overview, an error says so,
    /// and behind it stands what the versions before it show.
    pub fn list(&self) -> Listing<'_, S> {
        self.list_from(Cursor::default())
    }

    /// The list from a cursor on.
    pub fn list_from(&self, cursor: Cursor) -> Listing<'_, S> {
        Listing {
            vault: self,
            newest: Newest::from(&self.index, self.reading(), cursor.place),
            shown: None,
            told: cursor.place.filter(|_| cursor.is_told).map(|next| next.tag),
            tells_bad: true,
        }
    }
}

impl<S: Source> Listing<'_, S> {
    /// The same list without the errors that tell of bad patches: what such a connector is without them stands in the
    /// list all the same.
    #[must_use]
    pub fn without_bad_patches(self) -> Self {
        Self {
            tells_bad: false,
            ..self
        }
    }

    /// Where the list goes on.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        match &self.shown {
            Some((place, _)) => Cursor {
                place: Some(*place),
                is_told: true,
            },
            None => Cursor::at(self.newest.next_place()),
        }
    }
}

impl<S: Source> Iterator for Listing<'_, S> {
    type Item = Result<Overview>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((_, overview)) = self.shown.take() {
            return Some(Ok(overview));
        }
        loop {
            let place = self.newest.next_place()?;
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
                let tag = stored.entry.tag;
                return Some(match self.vault.shown(&stored) {
                    Ok((opened, None)) => Ok(opened.overview),
                    Ok((opened, Some(_))) if !self.tells_bad || self.told == Some(tag) => {
                        Ok(opened.overview)
                    }
                    Ok((opened, Some(bad))) => {
                        self.shown = Some((Resume { tag, ..place }, opened.overview));
                        Err(self.vault.naming(bad.error, tag))
                    }
                    Err(error) => Err(self.vault.naming(error, tag)),
                });
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
