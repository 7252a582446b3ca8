//! The pages of a snapshot: an index that is looked up as it stands (docs/format.md sections 6.5 to 6.7).

use std::ops::Range;
use std::sync::OnceLock;

use rand_core::CryptoRng;

use super::Reading;
use super::entries::{Entry, Places, Stored, Tag};
use super::keys::{IndexKeys, Place};
use crate::bytes::{Reader, damaged};
use crate::connector::Version;
use crate::crypto::aead::OVERHEAD;
use crate::crypto::{Hash, sha256};
use crate::error::{Error, Result, counted};
use crate::format::commit::{
    Commit, DIRECTORY_LEN_MIN, ENTRY_LEN, PAGE_ENTRIES_MAX, PAGE_LEN, ROW_LEN, SnapshotPart,
};

/// The directory of a snapshot, and those of its pages that were used.
pub(crate) struct Pages {
    seq: u64,
    /// Connectors that exist, as the owner who signed says.
    connectors: u32,
    rows: Vec<Row>,
    /// Where the pages, the overviews and the secrets stand in the file.
    pages: Range<u64>,
    overviews: Range<u64>,
    secrets: Range<u64>,
    used: Vec<OnceLock<Vec<Stored>>>,
}

/// What the directory says of a page.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// Of its first entry.
    first: (Tag, Version),
    /// Where the records of its first entry begin in overviews and secrets.
    pub(super) overviews: u64,
    pub(super) secrets: u64,
    /// SHA-256 of the sealed page.
    pub(super) hash: Hash,
}

impl Pages {
    /// The directory of a snapshot.
    pub(crate) fn open(
        keys: &IndexKeys,
        commit: &Commit<'_>,
        part: &SnapshotPart<'_>,
    ) -> Result<Self> {
        let broken = |what: &str| {
            Err(damaged(
                part.directory_offset,
                format!("the directory {what}"),
            ))
        };
        let mut plaintext = Vec::with_capacity(part.directory.len());
        if !keys.open(
            Place::Directory(commit.fixed.seq),
            &part.directory,
            &mut plaintext,
        ) {
            return broken("does not open");
        }
        let mut reader = Reader::new(&plaintext, 0);
        let connectors = reader.u32("the number of connectors")?;
        let mut rows = Vec::with_capacity((plaintext.len() - DIRECTORY_LEN_MIN) / ROW_LEN);
        while !reader.rest().is_empty() {
            let tag = Tag(*reader.array("a tag")?);
            let Ok(version) = Version::new(reader.u64("a version")?) else {
                return broken("has a version 0");
            };
            rows.push(Row {
                first: (tag, version),
                overviews: reader.u64("a base")?,
                secrets: reader.u64("a base")?,
                hash: *reader.array("a hash")?,
            });
        }
        let place = |from: u64, to: u64| commit.offset + from..commit.offset + to;
        let parts = &commit.parts;
        let pages = Self {
            seq: commit.fixed.seq,
            connectors,
            pages: place(parts.pages, parts.overviews),
            overviews: place(parts.overviews, parts.secrets),
            secrets: place(parts.secrets, parts.end),
            used: rows.iter().map(|_| OnceLock::new()).collect(),
            rows,
        };
        match pages.check() {
            Ok(()) => Ok(pages),
            Err(what) => broken(what),
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        let len = |part: &Range<u64>| part.end - part.start;
        let (overviews_len, secrets_len) = (len(&self.overviews), len(&self.secrets));
        let Some(first) = self.rows.first() else {
            return match overviews_len + secrets_len {
                0 if self.connectors == 0 => Ok(()),
                0 => Err("counts connectors, but lists no page"),
                _ => Err("lists no page, but there are records"),
            };
        };
        if (first.overviews, first.secrets) != (0, 0) {
            return Err("has records before those of the first page");
        }
        let ascends = |pair: &[Row]| {
            pair[0].first < pair[1].first
                && pair[0].overviews < pair[1].overviews
                && pair[0].secrets <= pair[1].secrets
        };
        if !self.rows.windows(2).all(ascends) {
            return Err("is not in order");
        }
        let last = self.rows.last().unwrap_or(first);
        if last.overviews >= overviews_len || last.secrets > secrets_len {
            return Err("has a page whose records would stand behind the commit");
        }
        if u64::from(self.connectors) > self.entry_count() {
            return Err("counts more connectors than there are versions");
        }
        Ok(())
    }

    /// How many versions the pages hold.
    pub(crate) fn entry_count(&self) -> u64 {
        let sealed = self.pages.end - self.pages.start;
        let overhead = (self.rows.len() * OVERHEAD) as u64;
        (sealed - overhead) / ENTRY_LEN as u64
    }

    /// How many connectors exist, as the owner who signed says.
    pub(crate) fn connectors(&self) -> u32 {
        self.connectors
    }

    /// The seq of the snapshot.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The last page that may hold a tag; `None` if no page can.
    pub(super) fn page_of(&self, tag: Tag) -> Option<usize> {
        self.rows
            .partition_point(|row| row.first.0 <= tag)
            .checked_sub(1)
    }

    /// Where a page stands in the file.
    fn range(&self, number: usize) -> Range<u64> {
        let start = self.pages.start + (number * PAGE_LEN) as u64;
        start..self.pages.end.min(start + PAGE_LEN as u64)
    }

    /// Where a page stands in the file, if it was not used yet.
    pub(super) fn unused(&self, number: usize) -> Option<Range<u64>> {
        let is_used = self.used.get(number)?.get().is_some();
        (!is_used).then(|| self.range(number))
    }

    /// The versions on a page, in order. Fails with `damaged`, and where its bytes are missing.
    pub(super) fn page(&self, number: usize, reading: &Reading<'_>) -> Result<&[Stored]> {
        let Some(used) = self.used.get(number) else {
            return Ok(&[]);
        };
        if let Some(page) = used.get() {
            return Ok(page);
        }
        let mut buffer = Vec::new();
        let range = self.range(number);
        let offset = range.start;
        let sealed = reading.source.get(range, &mut buffer);
        let sealed = sealed.map_err(Error::unread)?;
        let page = self
            .decode(number, sealed, reading)
            .map_err(|what| damaged_page(offset, sealed.len(), what))?;
        Ok(used.get_or_init(|| page))
    }

    fn decode(
        &self,
        number: usize,
        sealed: &[u8],
        reading: &Reading<'_>,
    ) -> Result<Vec<Stored>, &'static str> {
        let row = &self.rows[number];
        let next = self.rows.get(number + 1);
        if sha256(sealed) != row.hash {
            return Err("it is not the page that was signed");
        }
        let mut plaintext = Vec::with_capacity(sealed.len());
        let place = Place::Page(self.seq, number as u64);
        if !reading.keys.open(place, sealed, &mut plaintext) {
            return Err("it does not open");
        }
        let mut places = Places {
            overviews: self.overviews.start + row.overviews,
            secrets: self.secrets.start + row.secrets,
            seq: self.seq,
        };
        let (entries, _) = plaintext.as_chunks::<ENTRY_LEN>();
        let mut page = Vec::with_capacity(entries.len());
        for bytes in entries {
            let entry = Entry::decode(bytes)?;
            if reading.header.group(entry.group).is_none() {
                return Err("an entry names a group that there is not");
            }
            page.push(places.next(entry));
        }
        let places_of = |stored: &Stored| stored.entry.place();
        if page.first().map(places_of) != Some(row.first)
            || !page.is_sorted_by(|one, other| places_of(one) < places_of(other))
            || next.is_some_and(|next| page.last().map(places_of) >= Some(next.first))
        {
            return Err("its entries are not in order");
        }
        let end = match next {
            Some(next) => (
                self.overviews.start + next.overviews,
                self.secrets.start + next.secrets,
            ),
            None => (self.overviews.end, self.secrets.end),
        };
        match (places.overviews, places.secrets) == end {
            true => Ok(page),
            false => Err("its records do not fit"),
        }
    }

    /// The kept versions of a connector, oldest first.
    pub(super) fn versions(&self, tag: Tag, reading: &Reading<'_>) -> Result<Vec<Stored>> {
        let mut found: Vec<&[Stored]> = Vec::new();
        let mut number = self.page_of(tag);
        while let Some(at) = number {
            let page = self.page(at, reading)?;
            let start = page.partition_point(|stored| stored.entry.tag < tag);
            let end = page.partition_point(|stored| stored.entry.tag <= tag);
            found.push(&page[start..end]);
            // Older versions stand before it, also on the page before.
            number = match start {
                0 if end > 0 => at.checked_sub(1),
                _ => None,
            };
        }
        Ok(found.into_iter().rev().flatten().copied().collect())
    }

    /// The newest version of a connector, which may be a delete.
    pub(super) fn newest(&self, tag: Tag, reading: &Reading<'_>) -> Result<Option<Stored>> {
        let Some(number) = self.page_of(tag) else {
            return Ok(None);
        };
        let page = self.page(number, reading)?;
        let end = page.partition_point(|stored| stored.entry.tag <= tag);
        let last = end.checked_sub(1).map(|last| page[last]);
        Ok(last.filter(|stored| stored.entry.tag == tag))
    }

    /// What the directory says of a page.
    pub(super) fn row(&self, number: usize) -> Option<&Row> {
        self.rows.get(number)
    }

    /// The tag that the page behind this one begins with.
    pub(super) fn next_tag(&self, number: usize) -> Option<Tag> {
        self.rows.get(number + 1).map(|row| row.first.0)
    }
}

/// The sealed directory and the sealed pages of a new snapshot. `entries` ascend.
pub(crate) fn seal(
    keys: &IndexKeys,
    rng: &mut dyn CryptoRng,
    seq: u64,
    entries: &[Entry],
) -> (Vec<u8>, Vec<u8>) {
    let last_of_each = entries.chunk_by(|one, next| one.tag == next.tag);
    let live = last_of_each.filter(|versions| versions.last().is_some_and(Entry::exists));
    let connectors = u32::try_from(live.count()).unwrap_or(u32::MAX);
    let mut directory = connectors.to_le_bytes().to_vec();
    let mut pages = Vec::new();
    let mut places = Places::default();
    for (number, entries) in (0..).zip(entries.chunks(PAGE_ENTRIES_MAX)) {
        let first = &entries[0];
        directory.extend_from_slice(&first.tag.0);
        directory.extend_from_slice(&first.version.get().to_le_bytes());
        directory.extend_from_slice(&places.overviews.to_le_bytes());
        directory.extend_from_slice(&places.secrets.to_le_bytes());
        let mut plaintext = Vec::with_capacity(entries.len() * ENTRY_LEN);
        for entry in entries {
            plaintext.extend_from_slice(&entry.encode());
            places.next(*entry);
        }
        let start = pages.len();
        keys.seal(rng, Place::Page(seq, number), &plaintext, &mut pages);
        directory.extend_from_slice(&sha256(&pages[start..]));
    }
    let mut sealed = Vec::new();
    keys.seal(rng, Place::Directory(seq), &directory, &mut sealed);
    (sealed, pages)
}

/// All connectors of a page are damaged: their tags are not known.
fn damaged_page(offset: u64, sealed_len: usize, what: &str) -> Error {
    let entries = sealed_len.saturating_sub(OVERHEAD) / ENTRY_LEN;
    let entries = counted(entries as u64, "version", "versions");
    damaged(offset, format!("the page of {entries} is damaged: {what}"))
        .with_hint("repair the vault: it restores the page, or restore a backup")
}
