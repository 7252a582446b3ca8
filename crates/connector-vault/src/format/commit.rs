//! A commit: fixed part, what is signed, the author's signature, sealed overviews, sealed secrets
//! (docs/format.md section 6). What stands in its pages is not known here.

use std::borrow::Cow;
use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::bytes::{Reader, damaged, put_len, put_part};
use crate::crypto::aead::OVERHEAD;
use crate::crypto::{Hash, sha256};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::source::Source;

/// The part of a commit that says what and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fixed {
    /// Bytes of the commit after this part.
    pub(crate) len: u64,
    pub(crate) kind: Kind,
    pub(crate) seq: u64,
    /// Hash of the commit before; zero at creation.
    pub(crate) prev: Hash,
    /// Index of the author's grant in the header.
    pub(crate) author: u16,
}

/// What a commit carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The header and all kept records: replaces everything before it.
    Snapshot = 1,
    /// Changes.
    Changes = 2,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Snapshot),
            2 => Some(Self::Changes),
            _ => None,
        }
    }
}

const CHECKED_LEN: usize = 8 + 1 + 8 + 32 + 2;
const CHECK_LEN: usize = 8;
/// Bytes of the fixed part.
pub(crate) const FIXED_LEN: usize = CHECKED_LEN + CHECK_LEN;
/// Bytes of a signature.
pub(crate) const SIGNATURE_LEN: usize = 64;
/// Bytes of an entry: what a page says of a version.
pub(crate) const ENTRY_LEN: usize = 120;
/// Most entries of a page of a snapshot.
pub(crate) const PAGE_ENTRIES_MAX: usize = 512;
/// Bytes of a sealed page of a snapshot that is full: each but the last is.
pub(crate) const PAGE_LEN: usize = OVERHEAD + PAGE_ENTRIES_MAX * ENTRY_LEN;
/// Bytes of a directory without pages: the number of connectors.
pub(crate) const DIRECTORY_LEN_MIN: usize = 4;
/// Bytes of a page's row in the directory.
pub(crate) const ROW_LEN: usize = 16 + 8 + 8 + 8 + 32;
/// Bytes of an adopted commit: its seq and its hash.
pub(crate) const ADOPTED_LEN: usize = 8 + 32;

impl Fixed {
    /// The fixed part in `bytes`; `None` if its check does not hold.
    pub(crate) fn decode(bytes: &[u8; FIXED_LEN], offset: u64) -> Result<Option<Self>> {
        let (checked, check) = bytes.split_at(CHECKED_LEN);
        if sha256(checked)[..CHECK_LEN] != *check {
            return Ok(None);
        }
        let mut reader = Reader::new(checked, offset);
        let len = reader.u64("the commit's length")?;
        let kind = reader.u8("the commit's kind")?;
        let kind = Kind::of(kind).ok_or_else(|| {
            Error::new(
                Code::UnsupportedVersion,
                format!("at offset {offset}: commit of unknown kind {kind}"),
            )
        })?;
        let seq = reader.u64("the commit's seq")?;
        let prev = *reader.array("the commit's prev")?;
        let author = reader.u16("the commit's author")?;
        if seq > limits::COUNTER_MAX {
            return Err(damaged(offset, format!("the seq {seq} is too large")));
        }
        Ok(Some(Self {
            len,
            kind,
            seq,
            prev,
            author,
        }))
    }

    /// Kind and seq of what may be a fixed part, unchecked; `None` if there is no such kind.
    pub(crate) fn peek(bytes: &[u8; FIXED_LEN]) -> Option<(Kind, u64)> {
        let kind = Kind::of(bytes[8])?;
        let seq = bytes[9..].first_chunk()?;
        Some((kind, u64::from_le_bytes(*seq)))
    }

    pub(crate) fn encode(&self) -> [u8; FIXED_LEN] {
        let mut bytes = Vec::with_capacity(FIXED_LEN);
        bytes.extend_from_slice(&self.len.to_le_bytes());
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&self.seq.to_le_bytes());
        bytes.extend_from_slice(&self.prev);
        bytes.extend_from_slice(&self.author.to_le_bytes());
        let check = sha256(&bytes);
        bytes.extend_from_slice(&check[..CHECK_LEN]);
        bytes
            .try_into()
            .expect("the lengths of the parts add up to FIXED_LEN")
    }
}

/// The front of a commit, up to its signature, whose structure is sound. Its body, its signature and its author's rights
/// are checked later.
#[derive(Clone)]
pub(crate) struct Commit<'a> {
    /// Where it begins in the file.
    pub(crate) offset: u64,
    /// Its length, fixed part included.
    pub(crate) len: u64,
    pub(crate) fixed: Fixed,
    pub(crate) content: Content<'a>,
    pub(crate) signature: [u8; SIGNATURE_LEN],
    /// SHA-256 of everything before the signature: what the author signs.
    pub(crate) signed: Hash,
    /// SHA-256 of `signed` and the signature: what the next commit names.
    pub(crate) hash: Hash,
    pub(crate) parts: Parts,
}

/// Where the parts behind the signature stand, counted from the start of the commit.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    /// Where the signature stands.
    pub(crate) signature: u64,
    /// Where the pages of a snapshot begin; changes have none there.
    pub(crate) pages: u64,
    /// Where the sealed overviews begin.
    pub(crate) overviews: u64,
    /// Where the sealed secrets begin.
    pub(crate) secrets: u64,
    /// Where the commit ends.
    pub(crate) end: u64,
}

/// What stands between the fixed part and the signature.
#[derive(Clone)]
pub(crate) enum Content<'a> {
    // Boxed: a log has many changes, and one snapshot.
    Snapshot(Box<SnapshotPart<'a>>),
    Changes(ChangesPart<'a>),
}

/// What only a snapshot has.
#[derive(Clone)]
pub(crate) struct SnapshotPart<'a> {
    pub(crate) header: Cow<'a, [u8]>,
    pub(crate) header_offset: u64,
    /// By the vault key.
    pub(crate) header_signature: [u8; SIGNATURE_LEN],
    /// Hashes of the newest commits before this one, oldest first.
    pub(crate) superseded: Cow<'a, [[u8; 32]]>,
    /// Seq and hash of commits of merged copies, ascending.
    pub(crate) adopted: Cow<'a, [[u8; ADOPTED_LEN]]>,
    /// Sealed.
    pub(crate) directory: Cow<'a, [u8]>,
    pub(crate) directory_offset: u64,
}

/// What only changes have.
#[derive(Clone)]
pub(crate) struct ChangesPart<'a> {
    /// Sealed.
    pub(crate) page: Cow<'a, [u8]>,
    /// SHA-256 of the page, the overviews and the secrets as they stand.
    pub(crate) body_hash: Hash,
}

impl<'a> Commit<'a> {
    /// The commit whose fixed part was decoded. `bytes` begin with the fixed part. Where they end before the signature
    /// does, the error names the missing bytes.
    pub(crate) fn decode(fixed: Fixed, bytes: &'a [u8], offset: u64) -> Result<Self> {
        let len = fixed.len.saturating_add(FIXED_LEN as u64);
        let absent = len.saturating_sub(bytes.len() as u64);
        let mut reader = Reader::of_part(bytes, offset, absent);
        reader.take(FIXED_LEN, "the fixed part")?;
        let (content, pages_len) = match fixed.kind {
            Kind::Snapshot => {
                let part = SnapshotPart::decode(&mut reader, &fixed)?;
                let pages_len = reader.u64("the pages")?;
                let pages = (part.directory.len() - OVERHEAD - DIRECTORY_LEN_MIN) / ROW_LEN;
                if !is_len_of_pages(pages_len, pages as u64) {
                    return Err(damaged(
                        reader.offset() - 8,
                        format!("{pages} pages are not {pages_len} bytes long"),
                    ));
                }
                (Content::Snapshot(Box::new(part)), pages_len)
            }
            Kind::Changes => (Content::Changes(ChangesPart::page(&mut reader)?), 0),
        };
        let overviews_len = reader.u64("the overviews")?;
        let content = match content {
            Content::Changes(part) => Content::Changes(ChangesPart {
                body_hash: *reader.array("the body hash")?,
                ..part
            }),
            snapshot => snapshot,
        };
        let signature_at = reader.offset() - offset;
        let signature = *reader.array("the author's signature")?;
        reader.check_left(pages_len, "the pages")?;
        reader.check_left(pages_len.saturating_add(overviews_len), "the overviews")?;
        let pages = signature_at + SIGNATURE_LEN as u64;
        let overviews = pages + pages_len;
        let before = usize::try_from(signature_at).ok();
        let signed = before.and_then(|before| bytes.get(..before));
        let signed = sha256(signed.unwrap_or_default());
        Ok(Self {
            offset,
            len,
            fixed,
            content,
            signature,
            signed,
            hash: chain_hash(&signed, &signature),
            parts: Parts {
                signature: signature_at,
                pages,
                overviews,
                secrets: overviews + overviews_len,
                end: len,
            },
        })
    }

    /// The same, with its own bytes.
    pub(crate) fn into_owned(self) -> Commit<'static> {
        let content = match self.content {
            Content::Snapshot(part) => Content::Snapshot(Box::new(SnapshotPart {
                header: part.header.into_owned().into(),
                superseded: part.superseded.into_owned().into(),
                adopted: part.adopted.into_owned().into(),
                directory: part.directory.into_owned().into(),
                header_offset: part.header_offset,
                header_signature: part.header_signature,
                directory_offset: part.directory_offset,
            })),
            Content::Changes(part) => Content::Changes(ChangesPart {
                page: part.page.into_owned().into(),
                body_hash: part.body_hash,
            }),
        };
        Commit {
            offset: self.offset,
            len: self.len,
            fixed: self.fixed,
            content,
            signature: self.signature,
            signed: self.signed,
            hash: self.hash,
            parts: self.parts,
        }
    }

    /// The snapshot's part; `None` for changes.
    pub(crate) fn snapshot(&self) -> Option<&SnapshotPart<'a>> {
        match &self.content {
            Content::Snapshot(part) => Some(part),
            Content::Changes(_) => None,
        }
    }

    /// Hashes of the newest commits that a snapshot replaces, oldest first; none for changes.
    pub(crate) fn superseded(&self) -> &[[u8; 32]] {
        self.snapshot().map_or(&[], |part| &part.superseded)
    }

    /// Whether the page and the records of changes are those that their author wrote. `bytes` are all of the
    /// commit. A snapshot has no such hash: its pages hold those of the records.
    pub(crate) fn has_sound_body(&self, bytes: &[u8]) -> bool {
        match &self.content {
            Content::Snapshot(_) => true,
            Content::Changes(part) => {
                let records = usize::try_from(self.parts.overviews).ok();
                let records = records.and_then(|start| bytes.get(start..));
                records.is_some_and(|records| body_hash(&part.page, records) == part.body_hash)
            }
        }
    }
}

impl<'a> SnapshotPart<'a> {
    fn decode(reader: &mut Reader<'a>, fixed: &Fixed) -> Result<Self> {
        let header_offset = reader.offset() + 4;
        let header = reader.part(limits::HEADER_LEN_MAX, "the header")?;
        let header_signature = *reader.array("the header's signature")?;
        let at = reader.offset();
        let count = reader.u32("the number of superseded commits")? as usize;
        if count as u64 != fixed.seq.min(limits::SUPERSEDED_MAX as u64) {
            return Err(damaged(
                at,
                format!("commit {} lists {count} superseded commits", fixed.seq),
            ));
        }
        let superseded = reader.take(count * 32, "the superseded commits")?;
        let (superseded, _) = superseded.as_chunks();
        if superseded.last().is_some_and(|last| *last != fixed.prev) {
            return Err(damaged(
                at,
                "the newest superseded commit is not the one before",
            ));
        }
        let at = reader.offset();
        let count = reader.u32("the number of adopted commits")? as usize;
        if count > limits::ADOPTED_MAX {
            return Err(damaged(at, "more adopted commits than a snapshot can list"));
        }
        let adopted = reader.take(count * ADOPTED_LEN, "the adopted commits")?;
        let (adopted, _) = adopted.as_chunks();
        let places = adopted.iter().map(adopted_place);
        let newest = places.clone().next_back();
        if !places.is_sorted_by(|one, next| one < next)
            || newest.is_some_and(|(seq, _)| seq > limits::COUNTER_MAX)
        {
            return Err(damaged(at, "the adopted commits are not in order"));
        }
        let directory_offset = reader.offset() + 4;
        let directory = sealed_rows(
            reader,
            DIRECTORY_LEN_MIN,
            ROW_LEN,
            0..=limits::PAGES_MAX,
            "the directory",
        )?;
        Ok(Self {
            header: header.into(),
            header_offset,
            header_signature,
            superseded: superseded.into(),
            adopted: adopted.into(),
            directory: directory.into(),
            directory_offset,
        })
    }
}

/// Seq and hash of an adopted commit.
pub(crate) fn adopted_place(adopted: &[u8; ADOPTED_LEN]) -> (u64, &[u8]) {
    let (seq, hash) = adopted.split_at(8);
    let seq = seq.try_into().map_or(0, u64::from_le_bytes);
    (seq, hash)
}

impl<'a> ChangesPart<'a> {
    /// The sealed page; the body hash follows later.
    fn page(reader: &mut Reader<'a>) -> Result<Self> {
        let page = sealed_rows(
            reader,
            0,
            ENTRY_LEN,
            1..=limits::CHANGES_ENTRIES_MAX,
            "the page of changes",
        )?;
        Ok(Self {
            page: page.into(),
            body_hash: [0; 32],
        })
    }
}

/// A sealed part of `front` bytes and rows of `row_len`, as many as `counts` allow.
fn sealed_rows<'a>(
    reader: &mut Reader<'a>,
    front: usize,
    row_len: usize,
    counts: std::ops::RangeInclusive<usize>,
    what: &str,
) -> Result<&'a [u8]> {
    let at = reader.offset();
    let len = reader.u32(what)? as usize;
    let rows = len.checked_sub(OVERHEAD + front);
    let fits = rows.is_some_and(|rows| rows % row_len == 0 && counts.contains(&(rows / row_len)));
    match fits {
        true => reader.take(len, what),
        false => Err(damaged(at, format!("{what} claims {len} bytes"))),
    }
}

/// Whether so many sealed pages of a snapshot can be `len` bytes long.
fn is_len_of_pages(len: u64, pages: u64) -> bool {
    const ENTRY: u64 = ENTRY_LEN as u64;
    let Some(full) = pages.checked_sub(1) else {
        return len == 0;
    };
    let last = len
        .checked_sub(full * PAGE_LEN as u64)
        .and_then(|last| last.checked_sub(OVERHEAD as u64));
    last.is_some_and(|last| {
        last % ENTRY == 0 && (1..=PAGE_ENTRIES_MAX as u64).contains(&(last / ENTRY))
    })
}

/// It tells without keys whether changes were written whole.
pub(crate) fn body_hash(page: &[u8], records: &[u8]) -> Hash {
    Sha256::new()
        .chain_update(page)
        .chain_update(records)
        .finalize()
        .into()
}

/// Covers the signature too, so that a change of an older one, which opening need not verify,
/// breaks the chain.
fn chain_hash(signed: &Hash, signature: &[u8; SIGNATURE_LEN]) -> Hash {
    sha256(&[signed.as_slice(), signature].concat())
}

/// A sealed overview, sealed secrets or a patch that a new commit carries.
pub(crate) enum Sealed<'a> {
    Here(Cow<'a, [u8]>),
    /// As it stands in the log, without the length before it: it is copied once, to where it goes.
    Stored(&'a dyn Source, Range<u64>),
}

impl Sealed<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Here(bytes) => bytes.len(),
            Self::Stored(_, range) => (range.end - range.start) as usize,
        }
    }

    fn append_to(&self, out: &mut Vec<u8>) -> Result<()> {
        put_len(out, self.len());
        match self {
            Self::Here(bytes) => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            Self::Stored(source, range) => source.read(range.clone(), out).map_err(Error::unread),
        }
    }
}

/// What a new commit is made of.
pub(crate) struct NewCommit<'a> {
    pub(crate) seq: u64,
    pub(crate) prev: Hash,
    pub(crate) author: u16,
    pub(crate) content: NewContent<'a>,
    /// In the order of the entries.
    pub(crate) overviews: &'a [Sealed<'a>],
    /// Likewise; a delete has none.
    pub(crate) secrets: &'a [Sealed<'a>],
}

/// What stands before the signature of a new commit, but for lengths and body hash.
pub(crate) enum NewContent<'a> {
    Snapshot(NewSnapshot<'a>),
    /// The sealed page.
    Changes(&'a [u8]),
}

/// What a new snapshot has beside its records.
pub(crate) struct NewSnapshot<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) header_signature: [u8; SIGNATURE_LEN],
    pub(crate) superseded: &'a [Hash],
    pub(crate) adopted: &'a [[u8; ADOPTED_LEN]],
    /// Sealed.
    pub(crate) directory: &'a [u8],
    /// Sealed, one after the other.
    pub(crate) pages: &'a [u8],
}

impl NewCommit<'_> {
    /// Appends the commit to `out`; `sign` signs the SHA-256 of what stands before the signature.
    pub(crate) fn encode(
        &self,
        out: &mut Vec<u8>,
        sign: impl FnOnce(&Hash) -> [u8; SIGNATURE_LEN],
    ) -> Result<()> {
        let len_of = |parts: &[Sealed<'_>]| parts.iter().map(|part| 4 + part.len()).sum::<usize>();
        let overviews_len = len_of(self.overviews);
        let body_len = overviews_len + len_of(self.secrets);
        let mut front = Vec::new();
        let (kind, pages) = match &self.content {
            NewContent::Snapshot(snapshot) => {
                put_part(&mut front, snapshot.header);
                front.extend_from_slice(&snapshot.header_signature);
                put_len(&mut front, snapshot.superseded.len());
                front.extend_from_slice(snapshot.superseded.as_flattened());
                put_len(&mut front, snapshot.adopted.len());
                front.extend_from_slice(snapshot.adopted.as_flattened());
                put_part(&mut front, snapshot.directory);
                front.extend_from_slice(&(snapshot.pages.len() as u64).to_le_bytes());
                front.extend_from_slice(&(overviews_len as u64).to_le_bytes());
                (Kind::Snapshot, snapshot.pages)
            }
            NewContent::Changes(page) => {
                put_part(&mut front, page);
                front.extend_from_slice(&(overviews_len as u64).to_le_bytes());
                let mut body = Vec::with_capacity(body_len);
                self.append_body(&mut body)?;
                front.extend_from_slice(&body_hash(page, &body));
                (Kind::Changes, [].as_slice())
            }
        };
        let len = front.len() + SIGNATURE_LEN + pages.len() + body_len;
        let fixed = Fixed {
            len: len as u64,
            kind,
            seq: self.seq,
            prev: self.prev,
            author: self.author,
        };
        out.reserve(FIXED_LEN + len);
        let start = out.len();
        out.extend_from_slice(&fixed.encode());
        out.extend_from_slice(&front);
        let signature = sign(&sha256(&out[start..]));
        out.extend_from_slice(&signature);
        out.extend_from_slice(pages);
        self.append_body(out)
    }

    fn append_body(&self, out: &mut Vec<u8>) -> Result<()> {
        let mut parts = self.overviews.iter().chain(self.secrets);
        parts.try_for_each(|part| part.append_to(out))
    }
}
