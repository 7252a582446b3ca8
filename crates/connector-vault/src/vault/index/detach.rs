//! The index as bytes, between two threads of one program (`vault/open/detach.rs`).

use super::entries::{Stored, Versions};
use super::{CommitPlace, Index};
use crate::bytes::{Reader, damaged, put_len, put_part};
use crate::connector::{Op, Version};
use crate::error::Result;
use crate::format::commit::{FIXED_LEN, SIGNATURE_LEN};
use crate::limits;
use crate::vault::record::RecordKeys;

const OPS: [Op; 4] = [Op::Create, Op::Update, Op::Delete, Op::Restore];

impl Index {
    /// Where commits and records stand in the file.
    pub(crate) fn detach(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_len(&mut out, self.commits.len());
        for commit in &self.commits {
            let numbers = [
                commit.at,
                commit.len as u64,
                commit.signature_at as u64,
                commit.seq,
            ];
            for number in numbers {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&commit.hash);
            out.extend_from_slice(&commit.author.to_le_bytes());
        }
        put_len(&mut out, self.entries.len());
        for (entry, versions) in (0..).zip(&self.entries) {
            put_part(&mut out, self.ids.id(entry).as_bytes());
            put_len(&mut out, versions.older.len() + 1);
            for stored in versions.older.iter().chain([&versions.newest]) {
                let numbers = [stored.record_at, stored.version.get(), stored.seq];
                for number in numbers {
                    out.extend_from_slice(&number.to_le_bytes());
                }
                out.extend_from_slice(&stored.record_len.to_le_bytes());
                out.extend_from_slice(&stored.overview_len.to_le_bytes());
                let op = OPS.iter().position(|op| *op == stored.op).unwrap_or(0);
                out.push(op as u8 | u8::from(stored.has_request) << 7);
                out.extend_from_slice(&stored.group.to_le_bytes());
            }
        }
        out
    }

    /// The index that [`detach`](Self::detach) has written. Fails with `damaged` where it points
    /// past the file.
    pub(crate) fn attach(
        keys: RecordKeys,
        mut reader: Reader<'_>,
        file: &[u8],
        log_start: usize,
        grants: usize,
    ) -> Result<Self> {
        let mut index = Self::new(keys);
        let outside = |what: &str| damaged(0, format!("{what} stands outside the file"));
        let within = |at: u64, len: usize| {
            let start = usize::try_from(at).ok().filter(|at| *at >= log_start)?;
            (start.checked_add(len)? <= file.len()).then_some(at)
        };
        for _ in 0..reader.u32("the number of commits")? {
            let at = reader.u64("a commit's place")?;
            let len = reader.u64("a commit's length")? as usize;
            let signature_at = reader.u64("a signature's place")? as usize;
            let commit = CommitPlace {
                at: within(at, len).ok_or_else(|| outside("a commit"))?,
                len,
                signature_at,
                seq: reader.u64("a seq")?,
                hash: *reader.array("a hash")?,
                author: reader.u16("an author")?,
            };
            let signature_end = signature_at.checked_add(SIGNATURE_LEN);
            let holds_signature =
                signature_at >= FIXED_LEN && signature_end.is_some_and(|end| end <= len);
            if !holds_signature || usize::from(commit.author) >= grants {
                return Err(outside("a signature or an author"));
            }
            index.commits.push(commit);
        }
        let newest = index.commits.last();
        let newest = newest.ok_or_else(|| outside("the first commit"))?;
        // It stands within the file, which is in memory.
        index.marks = newest.marks(&file[newest.at as usize..]);
        for _ in 0..reader.u32("the number of connectors")? {
            let id = reader.part(limits::CONNECTOR_ID_LEN_MAX, "a connector's id")?;
            let id = std::str::from_utf8(id).map_err(|_| damaged(0, "an id is not UTF-8"))?;
            let mut older = Vec::new();
            for _ in 0..reader.u32("the number of versions")? {
                let at = reader.u64("a record's place")?;
                let version = Version::new(reader.u64("a version")?)?;
                let seq = reader.u64("a seq")?;
                let record_len = reader.u32("a record's length")?;
                let overview_len = reader.u32("an overview's length")?;
                if overview_len
                    .checked_add(4)
                    .is_none_or(|len| len > record_len)
                {
                    return Err(outside("an overview"));
                }
                let flags = reader.u8("what made a version")?;
                let op = OPS.get(usize::from(flags & 0x7f));
                let group = reader.u16("a group")?;
                if index.keys.group_id(group).is_none() {
                    return Err(damaged(0, "an unknown group"));
                }
                older.push(Stored {
                    record_len,
                    overview_len,
                    record_at: within(at, record_len as usize)
                        .ok_or_else(|| outside("a record"))?,
                    op: *op.ok_or_else(|| damaged(0, "an unknown change"))?,
                    has_request: flags & 0x80 != 0,
                    group,
                    version,
                    seq,
                });
            }
            let newest = older.pop().ok_or_else(|| outside("a version"))?;
            let kept = older.iter().rev().take(limits::VERSIONS_KEPT - 1);
            let kept_len: u64 = kept.chain([&newest]).map(|v| u64::from(v.record_len)).sum();
            index.kept_len += kept_len;
            index.count_live(None, Some(newest.op));
            index.entries.push(Versions { newest, older });
            index.ids.push(index.ids.hash(id), id);
        }
        if !reader.rest().is_empty() {
            return Err(damaged(reader.offset(), "bytes behind the last connector"));
        }
        Ok(index)
    }
}
