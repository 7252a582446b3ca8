//! A commit: fixed part, for a snapshot its header, the table of records, the author's signature,
//! the records (docs/format.md section 6).

use std::borrow::Cow;
use std::ops::Range;

use crate::bytes::{Reader, damaged, put_len, put_part};
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
/// Bytes of a record's row in the table: its length and its hash.
const ROW_LEN: usize = 4 + 32;

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

    fn encode(&self) -> [u8; FIXED_LEN] {
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

/// A commit whose structure is sound. Hashes of records, signature and rights are checked later.
#[derive(Clone)]
pub(crate) struct Commit<'a> {
    /// Where it begins in the file.
    pub(crate) offset: u64,
    /// Its length, fixed part included.
    pub(crate) len: usize,
    pub(crate) fixed: Fixed,
    pub(crate) snapshot: Option<SnapshotPart<'a>>,
    table: &'a [u8],
    pub(crate) signature: &'a [u8; SIGNATURE_LEN],
    /// SHA-256 of everything before the signature: what the author signs.
    pub(crate) signed: Hash,
    /// SHA-256 of `signed` and the signature: what the next commit names.
    pub(crate) hash: Hash,
    records_offset: u64,
    records: &'a [u8],
}

/// What only a snapshot has.
#[derive(Clone)]
pub(crate) struct SnapshotPart<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) header_offset: u64,
    /// By the vault key.
    pub(crate) header_signature: &'a [u8; SIGNATURE_LEN],
    /// Hashes of the newest commits before this one, oldest first.
    pub(crate) superseded: &'a [[u8; 32]],
}

impl<'a> Commit<'a> {
    /// The commit whose fixed part was decoded; `body` are exactly the `fixed.len` bytes after it.
    pub(crate) fn decode(fixed: Fixed, bytes: &'a [u8], offset: u64) -> Result<Self> {
        let mut reader = Reader::new(bytes, offset);
        reader.take(FIXED_LEN, "the fixed part")?;
        let snapshot = match fixed.kind {
            Kind::Snapshot => {
                let header_offset = reader.offset() + 4;
                let header = reader.part(limits::HEADER_LEN_MAX, "the header")?;
                let header_signature = reader.array("the header's signature")?;
                let count = reader.u32("the number of superseded commits")? as usize;
                if count > limits::SUPERSEDED_MAX || count as u64 > fixed.seq {
                    return Err(damaged(
                        reader.offset(),
                        "more superseded commits than there can be",
                    ));
                }
                let (superseded, _) = reader
                    .take(count * 32, "the superseded commits")?
                    .as_chunks();
                if superseded.last().is_some_and(|last| *last != fixed.prev) {
                    return Err(damaged(
                        reader.offset(),
                        "the newest superseded commit is not the one before",
                    ));
                }
                Some(SnapshotPart {
                    header,
                    header_offset,
                    header_signature,
                    superseded,
                })
            }
            Kind::Changes => None,
        };
        let count = reader.u32("the number of records")? as usize;
        let table_offset = reader.offset();
        let table_len = count
            .checked_mul(ROW_LEN)
            .ok_or_else(|| damaged(table_offset, "more records than bytes"))?;
        let table = reader.take(table_len, "the table of records")?;
        let hashed_len = bytes.len() - reader.rest().len();
        let signature = reader.array("the author's signature")?;
        let records_offset = reader.offset();
        let records = reader.rest();
        let mut sum = 0usize;
        for (index, row) in table.chunks_exact(ROW_LEN).enumerate() {
            let len = row_len(row);
            if !(4..=limits::RECORD_LEN_MAX).contains(&len) {
                return Err(damaged(
                    table_offset + (index * ROW_LEN) as u64,
                    format!("record {index} claims {len} bytes"),
                ));
            }
            sum = sum.saturating_add(len);
        }
        if sum != records.len() {
            return Err(damaged(
                records_offset,
                format!("the records claim {sum} bytes, there are {}", records.len()),
            ));
        }
        let signed = sha256(&bytes[..hashed_len]);
        let hash = chain_hash(&signed, signature);
        Ok(Self {
            offset,
            len: bytes.len(),
            fixed,
            snapshot,
            table,
            signature,
            signed,
            hash,
            records_offset,
            records,
        })
    }

    /// Hashes of the newest commits that a snapshot replaces, oldest first; none for changes.
    pub(crate) fn superseded(&self) -> &'a [[u8; 32]] {
        self.snapshot.as_ref().map_or(&[], |part| part.superseded)
    }

    /// How many records it carries.
    pub(crate) fn record_count(&self) -> usize {
        self.table.len() / ROW_LEN
    }

    /// Its records, in order; the table bounds them, so that a damaged one condemns itself alone.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecordBytes<'a>> {
        let mut rest = self.records;
        let mut offset = self.records_offset;
        self.table.chunks_exact(ROW_LEN).map(move |row| {
            let (bytes, after) = rest.split_at(row_len(row));
            let record = RecordBytes {
                offset,
                bytes,
                hash: row_hash(row),
            };
            offset += bytes.len() as u64;
            rest = after;
            record
        })
    }

    /// Bytes from the commit's start to its signature.
    pub(crate) fn signature_at(&self) -> usize {
        self.len - self.records.len() - SIGNATURE_LEN
    }
}

/// Covers the signature too, so that a change of an older one, which opening need not verify,
/// breaks the chain.
fn chain_hash(signed: &Hash, signature: &[u8; SIGNATURE_LEN]) -> Hash {
    sha256(&[signed.as_slice(), signature].concat())
}

fn row_len(row: &[u8]) -> usize {
    u32::from_le_bytes([row[0], row[1], row[2], row[3]]) as usize
}

fn row_hash(row: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(&row[4..ROW_LEN]);
    hash
}

/// A record as it stands in a commit.
#[derive(Clone, Copy)]
pub(crate) struct RecordBytes<'a> {
    /// Where it begins in the file.
    pub(crate) offset: u64,
    /// All of it.
    pub(crate) bytes: &'a [u8],
    /// What the table says its SHA-256 is.
    pub(crate) hash: Hash,
}

impl<'a> RecordBytes<'a> {
    /// Whether the bytes are those that the author signed.
    pub(crate) fn is_intact(&self) -> bool {
        sha256(self.bytes) == self.hash
    }

    /// The sealed overview and the sealed secrets (empty for a delete).
    pub(crate) fn split(&self) -> Result<(&'a [u8], &'a [u8])> {
        split_record(self.bytes, self.offset)
    }
}

/// The sealed overview and the sealed secrets of a record.
pub(crate) fn split_record(bytes: &[u8], offset: u64) -> Result<(&[u8], &[u8])> {
    let mut reader = Reader::new(bytes, offset);
    let overview = reader.part(limits::RECORD_LEN_MAX, "the sealed overview")?;
    Ok((overview, reader.rest()))
}

/// The bytes of a record.
pub(crate) fn encode_record(overview: &[u8], secrets: &[u8]) -> Result<Vec<u8>> {
    let len = 4 + overview.len() + secrets.len();
    if len > limits::RECORD_LEN_MAX {
        return Err(Error::new(
            Code::LimitExceeded,
            "the sealed connector would be larger than 16 MiB",
        ));
    }
    let mut bytes = Vec::with_capacity(len);
    put_part(&mut bytes, overview);
    bytes.extend_from_slice(secrets);
    Ok(bytes)
}

/// The sealed record of a version that a new commit carries.
pub(crate) struct NewRecord<'a> {
    bytes: RecordSource<'a>,
    hash: Hash,
}

enum RecordSource<'a> {
    Here(Cow<'a, [u8]>),
    /// As it stands in the log: it is copied once, to where it goes.
    Stored(&'a dyn Source, Range<u64>),
}

impl<'a> NewRecord<'a> {
    pub(crate) fn new(bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        let bytes = bytes.into();
        Self {
            hash: sha256(&bytes),
            bytes: RecordSource::Here(bytes),
        }
    }

    /// The record in a range of the source. `bytes` are those of the range.
    pub(crate) fn stored(source: &'a dyn Source, range: Range<u64>, bytes: &[u8]) -> Self {
        Self {
            hash: sha256(bytes),
            bytes: RecordSource::Stored(source, range),
        }
    }

    fn len(&self) -> usize {
        match &self.bytes {
            RecordSource::Here(bytes) => bytes.len(),
            RecordSource::Stored(_, range) => (range.end - range.start) as usize,
        }
    }

    fn append_to(&self, out: &mut Vec<u8>) -> Result<()> {
        match &self.bytes {
            RecordSource::Here(bytes) => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            RecordSource::Stored(source, range) => {
                source.read(range.clone(), out).map_err(Error::not_fetched)
            }
        }
    }
}

/// What a new commit is made of.
pub(crate) struct NewCommit<'a> {
    pub(crate) seq: u64,
    pub(crate) prev: Hash,
    pub(crate) author: u16,
    pub(crate) snapshot: Option<NewSnapshot<'a>>,
    pub(crate) records: &'a [NewRecord<'a>],
}

/// What a new snapshot has beside its records.
pub(crate) struct NewSnapshot<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) header_signature: [u8; SIGNATURE_LEN],
    pub(crate) superseded: &'a [Hash],
}

impl NewCommit<'_> {
    /// Appends the commit to `out`; `sign` signs the SHA-256 of what stands before the signature.
    pub(crate) fn encode(
        &self,
        out: &mut Vec<u8>,
        sign: impl FnOnce(&Hash) -> [u8; SIGNATURE_LEN],
    ) -> Result<()> {
        let snapshot_len = self.snapshot.as_ref().map_or(0, |snapshot| {
            4 + snapshot.header.len() + SIGNATURE_LEN + 4 + snapshot.superseded.len() * 32
        });
        let records_len = self.records.iter().map(NewRecord::len).sum::<usize>();
        let len = snapshot_len + 4 + self.records.len() * ROW_LEN + SIGNATURE_LEN + records_len;
        let kind = if self.snapshot.is_some() {
            Kind::Snapshot
        } else {
            Kind::Changes
        };
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
        if let Some(snapshot) = &self.snapshot {
            put_part(out, snapshot.header);
            out.extend_from_slice(&snapshot.header_signature);
            put_len(out, snapshot.superseded.len());
            out.extend_from_slice(snapshot.superseded.as_flattened());
        }
        put_len(out, self.records.len());
        for record in self.records {
            put_len(out, record.len());
            out.extend_from_slice(&record.hash);
        }
        let signature = sign(&sha256(&out[start..]));
        out.extend_from_slice(&signature);
        self.records
            .iter()
            .try_for_each(|record| record.append_to(out))
    }
}
