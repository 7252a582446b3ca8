//! Entries: what every member knows of a version (docs/format.md section 6.5).

use std::fmt;
use std::ops::Range;

use crate::connector::{Op, Version};
use crate::crypto::Hash;
use crate::format::commit::ENTRY_LEN;
use crate::format::hex::Hex;
use crate::limits;

/// What stands for a connector id in an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tag(pub(crate) [u8; 16]);

impl Tag {
    /// The smallest tag.
    pub(crate) const FIRST: Self = Self([0; 16]);

    /// The tag behind this one; `None` behind the last.
    pub(super) fn next(self) -> Option<Self> {
        let next = u128::from_be_bytes(self.0).checked_add(1)?;
        Some(Self(next.to_be_bytes()))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(self.0).fmt(f)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What stands for a request id in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hint(pub(crate) [u8; 4]);

impl Hint {
    /// Of a version without a request id.
    pub(crate) const NONE: Self = Self([0; 4]);

    pub(super) fn of(mac: [u8; 4]) -> Self {
        match mac {
            [0, 0, 0, 0] => Self([1, 0, 0, 0]),
            mac => Self(mac),
        }
    }
}

/// What stands for id, name, type and meta of a connector in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Face(pub(crate) [u8; 16]);

/// An entry that is well formed, but for its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) tag: Tag,
    pub(crate) version: Version,
    /// The number of its group.
    pub(crate) group: u16,
    pub(crate) op: Op,
    pub(crate) hint: Hint,
    pub(crate) face: Face,
    /// Bytes of the sealed overview.
    pub(crate) overview_len: u32,
    /// Bytes of the sealed secrets; zero for a delete.
    pub(crate) secrets_len: u32,
    /// SHA-256 of the sealed overview.
    pub(crate) overview_hash: Hash,
    /// SHA-256 of the sealed secrets; zero for a delete.
    pub(crate) secrets_hash: Hash,
}

impl Entry {
    /// The entry in `bytes`; else what is wrong with it.
    pub(crate) fn decode(bytes: &[u8; ENTRY_LEN]) -> Result<Self, &'static str> {
        let mut rest = bytes.as_slice();
        let tag = Tag(take(&mut rest));
        let version = u64::from_le_bytes(take(&mut rest));
        let group = u16::from_le_bytes(take(&mut rest));
        let [op, zero] = take(&mut rest);
        let hint = Hint(take(&mut rest));
        let face = Face(take(&mut rest));
        let overview_len = u32::from_le_bytes(take(&mut rest));
        let secrets_len = u32::from_le_bytes(take(&mut rest));
        let overview_hash = take(&mut rest);
        let secrets_hash = take(&mut rest);
        let version = Version::new(version).ok();
        let version = version.filter(|version| version.get() <= limits::COUNTER_MAX);
        let version = version.ok_or("its version is out of range")?;
        let op = Op::of_code(op).ok_or("its op is not known")?;
        if zero != 0 {
            return Err("a byte that must be zero is not");
        }
        let entry = Self {
            tag,
            version,
            group,
            op,
            hint,
            face,
            overview_len,
            secrets_len,
            overview_hash,
            secrets_hash,
        };
        entry.check()?;
        Ok(entry)
    }

    fn check(&self) -> Result<(), &'static str> {
        if !limits::OVERVIEW_LEN.contains(&self.overview_len) {
            return Err("the length of its overview is out of range");
        }
        let secrets_fit = match self.op {
            Op::Delete => self.secrets_len == 0 && self.secrets_hash == [0; 32],
            Op::Patch => limits::PATCH_LEN.contains(&self.secrets_len),
            _ => limits::SECRETS_LEN.contains(&self.secrets_len),
        };
        if !secrets_fit {
            return Err("the length of its secrets is out of range");
        }
        if self.hint != Hint::NONE && !self.op.takes_request() {
            return Err("its op takes no request id");
        }
        Ok(())
    }

    pub(crate) fn encode(&self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        let parts: [&[u8]; 10] = [
            &self.tag.0,
            &self.version.get().to_le_bytes(),
            &self.group.to_le_bytes(),
            &[self.op.code(), 0],
            &self.hint.0,
            &self.face.0,
            &self.overview_len.to_le_bytes(),
            &self.secrets_len.to_le_bytes(),
            &self.overview_hash,
            &self.secrets_hash,
        ];
        let mut at = 0;
        for part in parts {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        bytes
    }

    /// Whether the connector exists after this version: a delete ends it.
    pub(crate) fn exists(&self) -> bool {
        self.op != Op::Delete
    }

    /// What entries of a snapshot stand in the order of.
    pub(crate) fn place(&self) -> (Tag, Version) {
        (self.tag, self.version)
    }

    /// Bytes that its sealed overview takes with the length before it.
    pub(super) fn overview_room(&self) -> u64 {
        4 + u64::from(self.overview_len)
    }

    /// Bytes that its sealed secrets take with the length before them.
    pub(super) fn secrets_room(&self) -> u64 {
        match self.op {
            Op::Delete => 0,
            _ => 4 + u64::from(self.secrets_len),
        }
    }
}

/// The next `N` bytes of an entry, whose parts add up to its length.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    if let Some((part, behind)) = rest.split_first_chunk() {
        (taken, *rest) = (*part, behind);
    }
    taken
}

/// A kept version of a connector, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    pub(crate) entry: Entry,
    /// Where the length before its sealed overview stands in the file.
    pub(super) overview_at: u64,
    /// Where the length before its sealed secrets stands in the file.
    pub(super) secrets_at: u64,
    /// The commit that holds it.
    pub(crate) seq: u64,
}

impl Stored {
    /// Where its sealed overview stands in the file, the length before it included.
    pub(crate) fn overview(&self) -> Range<u64> {
        self.overview_at..self.overview_at + self.entry.overview_room()
    }

    /// Where its sealed overview and its sealed secrets stand.
    pub(crate) fn record(&self) -> [Range<u64>; 2] {
        [self.overview(), self.secrets()]
    }

    /// Where its sealed secrets stand in the file, the length before them included; nowhere for a delete.
    pub(crate) fn secrets(&self) -> Range<u64> {
        self.secrets_at..self.secrets_at + self.entry.secrets_room()
    }
}

/// Gives each entry its place: records lie side by side in the order of the entries.
#[derive(Default)]
pub(super) struct Places {
    pub(super) overviews: u64,
    pub(super) secrets: u64,
    pub(super) seq: u64,
}

impl Places {
    pub(super) fn next(&mut self, entry: Entry) -> Stored {
        let stored = Stored {
            entry,
            overview_at: self.overviews,
            secrets_at: self.secrets,
            seq: self.seq,
        };
        self.overviews += entry.overview_room();
        self.secrets += entry.secrets_room();
        stored
    }
}
