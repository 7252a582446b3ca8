//! The entries that are left in a commit of a damaged log (docs/format.md section 12).

use super::entries::{Entry, Places, Stored};
use super::keys::{IndexKeys, Place};
use super::pages::Pages;
use crate::crypto::sha256;
use crate::format::commit::{Commit, Content, ENTRY_LEN, PAGE_LEN};
use crate::format::header::Header;

/// A part of a page that a repair has found.
pub(crate) enum Salvaged {
    /// A version, and whether its page is the one that the commit's author signed.
    Version(Stored, bool),
    /// A page that does not open, and where it stands in the file.
    LostPage(u64),
}

/// The versions of a commit whose structure holds, as far as its pages open. Without the directory, records are
/// found only as long as no page before them is lost.
pub(crate) fn salvage(
    keys: &IndexKeys,
    header: &Header,
    commit: &Commit<'_>,
    file: &[u8],
) -> Vec<Salvaged> {
    let seq = commit.fixed.seq;
    let at = |part: u64| commit.offset + part;
    let parts = &commit.parts;
    let mut places = Places {
        overviews: at(parts.overviews),
        secrets: at(parts.secrets),
        seq,
    };
    let mut left = Vec::new();
    let directory = match &commit.content {
        Content::Changes(part) => {
            match entries_of(keys, header, Place::Changes(seq), &part.page) {
                Some(entries) => left.extend(versions(entries, &mut places, true)),
                None => left.push(Salvaged::LostPage(part.page_offset)),
            }
            return left;
        }
        Content::Snapshot(part) => Pages::open(keys, commit, part).ok(),
    };
    let place = |part: u64| usize::try_from(at(part)).ok();
    let pages = place(parts.pages).zip(place(parts.overviews));
    let pages = pages.and_then(|(start, end)| file.get(start..end));
    for (number, sealed) in pages.unwrap_or_default().chunks(PAGE_LEN).enumerate() {
        let row = directory.as_ref().and_then(|pages| pages.row(number));
        if let Some(row) = row {
            places.overviews = at(parts.overviews) + row.overviews;
            places.secrets = at(parts.secrets) + row.secrets;
        }
        let is_listed = row.is_some_and(|row| row.hash == sha256(sealed));
        match entries_of(keys, header, Place::Page(seq, number as u64), sealed) {
            Some(entries) => left.extend(versions(entries, &mut places, is_listed)),
            None => {
                left.push(Salvaged::LostPage(at(
                    parts.pages + (number * PAGE_LEN) as u64
                )));
                if directory.is_none() {
                    break;
                }
            }
        }
    }
    left
}

fn versions(
    entries: Vec<Entry>,
    places: &mut Places,
    is_listed: bool,
) -> impl Iterator<Item = Salvaged> {
    entries
        .into_iter()
        .map(move |entry| Salvaged::Version(places.next(entry), is_listed))
}

/// The entries of a page that opens at its place.
fn entries_of(
    keys: &IndexKeys,
    header: &Header,
    place: Place,
    sealed: &[u8],
) -> Option<Vec<Entry>> {
    let mut plaintext = Vec::with_capacity(sealed.len());
    if !keys.open(place, sealed, &mut plaintext) {
        return None;
    }
    let (entries, _) = plaintext.as_chunks::<ENTRY_LEN>();
    let entries = entries.iter().map(|bytes| {
        let entry = Entry::decode(bytes).ok()?;
        header.group(entry.group).map(|_| entry)
    });
    entries.collect()
}
