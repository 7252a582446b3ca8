//! One connector after the other, in the order of tags.

use super::entries::{Stored, Tag};
use super::{Index, Reading};
use crate::error::{Error, Result};

/// Where a walk goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resume {
    /// The tag of the next connector, or a smaller one.
    pub(crate) tag: Tag,
    /// The seq of the snapshot, and the first of its pages behind the damaged one that was told last.
    pub(crate) behind: Option<(u64, usize)>,
}

impl Resume {
    pub(crate) const FIRST: Self = Self {
        tag: Tag::FIRST,
        behind: None,
    };
}

/// The newest version of each connector, deletes too, in the order of tags. A page that is damaged stands once
/// as the error, and so does each of its connectors that the tail names.
pub(crate) struct Newest<'a> {
    index: &'a Index,
    reading: Reading<'a>,
    /// `None` behind the last.
    from: Option<Resume>,
    /// The page that comes next.
    page: usize,
    /// What is left of the page before it.
    rest: &'a [Stored],
}

impl<'a> Newest<'a> {
    /// Resume a place on; `None`: there is nothing more.
    pub(crate) fn from(index: &'a Index, reading: Reading<'a>, from: Option<Resume>) -> Self {
        let page = from.map(|from| {
            let page = index.pages.page_of(from.tag).unwrap_or_default();
            // Pages of another snapshot have other numbers.
            match from.behind {
                Some((seq, behind)) if seq == index.pages.seq() => {
                    page.max(behind.min(index.pages.len()))
                }
                _ => page,
            }
        });
        Self {
            index,
            reading,
            from,
            page: page.unwrap_or_default(),
            rest: &[],
        }
    }

    /// Where to go on. `None` behind the last.
    pub(crate) fn next_place(&self) -> Option<Resume> {
        self.from
    }

    /// The newest version of the snapshot from a tag on.
    fn in_pages(&mut self, from: Tag) -> Option<Result<Stored>> {
        loop {
            while let Some((stored, rest)) = self.rest.split_first() {
                let tag = stored.entry.tag;
                let next = rest.first().map(|next| next.entry.tag);
                // The versions of one connector may go on over the end of a page.
                let next = next.or_else(|| self.index.pages.next_tag(self.page.checked_sub(1)?));
                if tag >= from && next != Some(tag) {
                    return Some(Ok(*stored));
                }
                self.rest = rest;
            }
            if self.page == self.index.pages.len() {
                return None;
            }
            self.page += 1;
            match self.index.pages.page(self.page - 1, &self.reading) {
                Ok(page) => self.rest = page,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// A page that is damaged, or one of its connectors that the tail names.
pub(crate) struct Lost {
    pub(crate) connector: Option<Tag>,
    pub(crate) error: Error,
}

impl Iterator for Newest<'_> {
    type Item = Result<Stored, Lost>;

    fn next(&mut self) -> Option<Self::Item> {
        let from = self.from?;
        let in_pages = match self.in_pages(from.tag) {
            Some(Err(error)) => {
                let behind = Some((self.index.pages.seq(), self.page));
                self.from = Some(Resume { behind, ..from });
                let connector = None;
                return Some(Err(Lost { connector, error }));
            }
            Some(Ok(stored)) => Some(stored),
            None => None,
        };
        let in_tail = self.index.tail.connectors_from(from.tag).next();
        let tags = [
            in_pages.map(|stored| stored.entry.tag),
            in_tail.map(|(tag, _)| tag),
        ];
        let Some(tag) = tags.into_iter().flatten().min() else {
            self.from = None;
            return None;
        };
        let newest = match (in_pages, in_tail) {
            (Some(stored), _) if tags[1] != Some(tag) => Ok(stored),
            (_, Some((_, [.., newest]))) if !self.index.tail.is_damaged(tag) => Ok(*newest),
            _ => Err(Lost {
                connector: Some(tag),
                error: self.index.damaged(tag, &self.reading),
            }),
        };
        self.from = tag.next().map(|tag| Resume { tag, ..from });
        Some(newest)
    }
}
