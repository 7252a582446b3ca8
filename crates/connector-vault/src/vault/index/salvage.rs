//! The entries that are left in a commit of a damaged log (docs/format.md section 12).

use std::ops::Range;

use super::entries::{Entry, Places, Stored};
use super::keys::{IndexKeys, Place};
use super::pages::Pages;
use crate::crypto::sha256;
use crate::format::commit::{Commit, Content, ENTRY_LEN, PAGE_LEN};
use crate::format::header::Header;

/// What is left of a page.
pub(crate) enum Salvaged {
    /// A version.
    Version(Stored),
    /// A page that does not open, and where its records stand in the file, each behind its length.
    LostPage {
        overviews: Range<u64>,
        secrets: Range<u64>,
    },
}

/// The versions of a commit whose structure holds, as far as its pages open. `is_signed`: the signature of a snapshot
/// holds, so its directory says which pages are its own.
pub(crate) fn salvage(
    keys: &IndexKeys,
    header: &Header,
    commit: &Commit<'_>,
    file: &[u8],
    is_signed: bool,
) -> Vec<Salvaged> {
    let seq = commit.fixed.seq;
    let at = |part: u64| commit.offset + part;
    let parts = &commit.parts;
    let (overviews_end, secrets_end) = (at(parts.secrets), at(parts.end));
    let mut places = Places {
        overviews: at(parts.overviews),
        secrets: at(parts.secrets),
        seq,
    };
    let mut left = Vec::new();
    let directory = match &commit.content {
        Content::Changes(part) => {
            match entries_of(keys, header, Place::Changes(seq), &part.page) {
                Some(entries) => left.extend(versions(entries, &mut places)),
                None => left.push(Salvaged::LostPage {
                    overviews: places.overviews..overviews_end,
                    secrets: places.secrets..secrets_end,
                }),
            }
            return left;
        }
        Content::Snapshot(part) => Pages::open(keys, commit, part).ok(),
    };
    // Whether records before the next page that opens belong to lost ones, and nobody knows how many.
    let mut is_behind_lost = false;
    let pages = slice(file, at(parts.pages)..at(parts.overviews));
    for (number, sealed) in pages.chunks(PAGE_LEN).enumerate() {
        let row = |number| directory.as_ref().and_then(|pages| pages.row(number));
        let entries = match row(number) {
            Some(row) if is_signed && row.hash != sha256(sealed) => None,
            _ => entries_of(keys, header, Place::Page(seq, number as u64), sealed),
        };
        if let Some(row) = row(number) {
            places.overviews = at(parts.overviews) + row.overviews;
            places.secrets = at(parts.secrets) + row.secrets;
        }
        match (entries, row(number).is_some()) {
            (Some(entries), _) => {
                if std::mem::take(&mut is_behind_lost) {
                    left.push(skip(
                        file,
                        &mut places,
                        &entries,
                        (overviews_end, secrets_end),
                    ));
                }
                left.extend(versions(entries, &mut places));
            }
            (None, true) => {
                let next = row(number + 1);
                let end = |base: Option<u64>, part: u64, end: u64| {
                    base.map_or(end, |base| at(part) + base)
                };
                let next_overviews = next.map(|next| next.overviews);
                let next_secrets = next.map(|next| next.secrets);
                left.push(Salvaged::LostPage {
                    overviews: places.overviews
                        ..end(next_overviews, parts.overviews, overviews_end),
                    secrets: places.secrets..end(next_secrets, parts.secrets, secrets_end),
                });
            }
            (None, false) => is_behind_lost = true,
        }
    }
    if is_behind_lost {
        left.push(Salvaged::LostPage {
            overviews: places.overviews..overviews_end,
            secrets: places.secrets..secrets_end,
        });
    }
    left
}

/// Goes on to the records of these entries, by the lengths in front of those before them.
fn skip(file: &[u8], places: &mut Places, entries: &[Entry], ends: (u64, u64)) -> Salvaged {
    let (overviews, secrets) = (places.overviews, places.secrets);
    let go_to = |from: u64, end: u64, hash: Option<[u8; 32]>| {
        let found = records(file, from..end).find(|(_, sealed)| Some(sha256(sealed)) == hash);
        found.map_or(from, |(at, _)| at)
    };
    let first = entries.first().map(|entry| entry.overview_hash);
    let with_secrets = entries.iter().find(|entry| entry.exists());
    places.overviews = go_to(overviews, ends.0, first);
    places.secrets = go_to(
        secrets,
        ends.1,
        with_secrets.map(|entry| entry.secrets_hash),
    );
    Salvaged::LostPage {
        overviews: overviews..places.overviews,
        secrets: secrets..places.secrets,
    }
}

/// Sealed records that stand one behind the other, each behind its length, and where that length stands.
pub(crate) fn records(file: &[u8], range: Range<u64>) -> impl Iterator<Item = (u64, &[u8])> {
    let mut at = range.start;
    let mut rest = slice(file, range);
    std::iter::from_fn(move || {
        let (len, behind) = rest.split_first_chunk()?;
        let sealed = behind.get(..usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
        let record = (at, sealed);
        rest = &behind[sealed.len()..];
        at += 4 + sealed.len() as u64;
        Some(record)
    })
}

fn slice(file: &[u8], range: Range<u64>) -> &[u8] {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let range = place(range.start)..place(range.end);
    file.get(range).unwrap_or_default()
}

fn versions(entries: Vec<Entry>, places: &mut Places) -> impl Iterator<Item = Salvaged> {
    entries
        .into_iter()
        .map(|entry| Salvaged::Version(places.next(entry)))
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
