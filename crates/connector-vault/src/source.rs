//! Where the bytes of a vault file come from. They are read by range, when they are used.

use std::collections::BinaryHeap;
use std::fmt;
use std::ops::Range;

/// The bytes of a vault file: a [`Vault`](crate::Vault) reads each range of the file when it uses it.
///
/// Opening has checked the bytes, so only [`put`](Self::put) may change them. A source that has to fetch
/// its bytes answers [`Missing`]. The method that wanted them then fails with an error that names all missing
/// ranges ([`Error::missing`](crate::Error::missing)). It has had no effect: fetch the ranges and call again.
pub trait Source {
    /// Appends the bytes of a range of the file to `out`: all of them, or none if some are missing.
    fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Missing>;

    /// The file now holds `bytes` at `at`, and ends behind them: a commit was appended, perhaps in the place
    /// of a torn tail, or the whole file was replaced (`at` is 0). A source that reads the storage itself need
    /// not keep them.
    fn put(&mut self, at: u64, bytes: Vec<u8>);

    /// The bytes of a range: where they stand in memory, or else read into `buffer`.
    fn get<'a>(&'a self, range: Range<u64>, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Missing> {
        buffer.clear();
        self.read(range, buffer)?;
        Ok(buffer)
    }
}

/// Ranges of the file whose bytes a source does not have yet, in order and apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing(Vec<Range<u64>>);

impl Missing {
    /// The ranges.
    #[must_use]
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.0
    }
}

impl From<Range<u64>> for Missing {
    fn from(range: Range<u64>) -> Self {
        Self::from_iter([range])
    }
}

impl FromIterator<Range<u64>> for Missing {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        let ranges = ranges.into_iter().map(|range| (range.start, range.end));
        let mut apart: Vec<Range<u64>> = Vec::new();
        // A heap takes less code than a sort.
        for (start, end) in BinaryHeap::from_iter(ranges).into_sorted_vec() {
            match apart.last_mut() {
                Some(before) if start <= before.end => before.end = before.end.max(end),
                _ if start < end => apart.push(start..end),
                _ => {}
            }
        }
        Self(apart)
    }
}

/// Bytes in memory, which never miss: the whole file at first, then a piece a commit, so that an update
/// costs the same at any size.
#[derive(Clone, Default)]
pub struct Memory(Vec<Piece>);

#[derive(Clone)]
struct Piece {
    /// Where it stands in the file.
    at: u64,
    bytes: Vec<u8>,
}

impl From<Vec<u8>> for Memory {
    fn from(bytes: Vec<u8>) -> Self {
        Self(vec![Piece { at: 0, bytes }])
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.last().map_or(0, Piece::end);
        write!(f, "Memory({end} bytes)")
    }
}

impl Piece {
    fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }
}

impl Memory {
    /// The first `len` bytes of the file.
    pub(crate) fn into_file(mut self, len: u64) -> Vec<u8> {
        self.cut(len);
        let mut pieces = self.0.into_iter();
        let mut file = pieces.next().map_or_else(Vec::new, |piece| piece.bytes);
        for piece in pieces {
            file.extend_from_slice(&piece.bytes);
        }
        file
    }

    /// Forgets what stands behind `end`.
    fn cut(&mut self, end: u64) {
        self.0
            .truncate(self.0.partition_point(|piece| piece.at < end));
        if let Some(last) = self.0.last_mut() {
            let len = usize::try_from(end - last.at).unwrap_or(usize::MAX);
            last.bytes.truncate(len);
        }
    }

    /// The bytes of a range as far as the piece that it begins in goes.
    fn piece(&self, range: &Range<u64>) -> &[u8] {
        let behind = self.0.partition_point(|piece| piece.at <= range.start);
        let Some(piece) = behind.checked_sub(1).and_then(|index| self.0.get(index)) else {
            return &[];
        };
        let place = |offset: u64| usize::try_from(offset - piece.at).unwrap_or(usize::MAX);
        let end = place(range.end.clamp(range.start, piece.end().max(range.start)));
        piece.bytes.get(place(range.start)..end).unwrap_or_default()
    }
}

impl Source for Memory {
    fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Missing> {
        let before = out.len();
        let mut rest = range;
        while !rest.is_empty() {
            let bytes = self.piece(&rest);
            if bytes.is_empty() {
                out.truncate(before);
                return Err(rest.into());
            }
            out.extend_from_slice(bytes);
            rest.start += bytes.len() as u64;
        }
        Ok(())
    }

    fn put(&mut self, at: u64, bytes: Vec<u8>) {
        self.cut(at);
        self.0.push(Piece { at, bytes });
    }

    fn get<'a>(&'a self, range: Range<u64>, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Missing> {
        let bytes = self.piece(&range);
        if bytes.len() as u64 == range.end.saturating_sub(range.start) {
            return Ok(bytes);
        }
        buffer.clear();
        self.read(range, buffer)?;
        Ok(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(memory: &Memory, range: Range<u64>) -> Result<Vec<u8>, Missing> {
        let (mut out, mut buffer) = (b"before".to_vec(), Vec::new());
        let read = memory.read(range.clone(), &mut out);
        assert_eq!(out[..6], *b"before");
        let read = read.map(|()| out.split_off(6));
        assert_eq!(out, b"before", "nothing is left of a range that misses");
        assert_eq!(memory.get(range, &mut buffer).map(<[u8]>::to_vec), read);
        read
    }

    #[test]
    fn memory_reads_over_its_pieces_and_takes_new_ones() {
        let mut memory = Memory::from(b"0123torn".to_vec());
        memory.put(4, b"45".to_vec());
        memory.put(6, b"678".to_vec());
        assert_eq!(read(&memory, 0..9).unwrap(), b"012345678");
        assert_eq!(read(&memory, 3..7).unwrap(), b"3456");
        assert_eq!(read(&memory, 4..6).unwrap(), b"45");
        assert_eq!(read(&memory, 9..9).unwrap(), b"");
        assert_eq!(read(&memory, 7..10).unwrap_err(), Missing::from(9..10));
        assert_eq!(read(&memory, 20..30).unwrap_err(), Missing::from(20..30));
        assert_eq!(memory.clone().into_file(7), b"0123456");
        memory.put(0, b"other".to_vec());
        assert_eq!(read(&memory, 0..5).unwrap(), b"other");
        assert_eq!(read(&memory, 0..6).unwrap_err(), Missing::from(5..6));
        assert_eq!(
            read(&Memory::default(), 0..1).unwrap_err(),
            Missing::from(0..1)
        );
    }

    #[test]
    fn missing_ranges_stand_in_order_and_apart() {
        let missing = Missing::from_iter([8..9, 2..4, 4..5, 3..4, 7..7, 0..1]);
        assert_eq!(missing.ranges(), [0..1, 2..5, 8..9]);
    }
}
