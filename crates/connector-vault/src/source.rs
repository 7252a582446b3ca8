//! Where the bytes of a vault file come from. They are read by range, when they are used.

use std::collections::BinaryHeap;
use std::fmt;
use std::ops::Range;

/// The bytes of a vault file: a [`Vault`](crate::Vault) reads each range of the file when it uses it.
///
/// Whoever can change the bytes can make a vault fail, but not deceive it: all bytes are checked when they are used.
/// A source that has to fetch its bytes answers [`Missing`]. The method that wanted them then fails with an error that
/// names all missing ranges ([`Error::missing`](crate::Error::missing)). It has had no effect: fetch the ranges and
/// call again.
pub trait Source {
    /// Appends the bytes of a range of the file to `out`: all of them, or none.
    fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Unread>;

    /// Whether the bytes of a range can be read. A method that reads several ranges asks for all of them first, so a
    /// source whose bytes never miss need not look.
    fn check(&self, range: Range<u64>) -> Result<(), Unread> {
        self.get(range, &mut Vec::new()).map(drop)
    }

    /// How long the file is.
    fn file_len(&self) -> u64;

    /// The file now holds `bytes` at `at`, and ends behind them: a commit was appended, perhaps in the place
    /// of a torn tail, or the whole file was replaced (`at` is 0). A source that reads the storage itself need
    /// not keep them.
    fn put(&mut self, at: u64, bytes: Vec<u8>);

    /// The bytes of a range: where they stand in memory, or else read into `buffer`.
    fn get<'a>(&'a self, range: Range<u64>, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Unread> {
        buffer.clear();
        self.read(range, buffer)?;
        Ok(buffer)
    }
}

/// Why a source does not give the bytes of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unread {
    /// They have to be fetched.
    Missing(Missing),
    /// The file ends before them: somebody has cut it.
    Ended,
    /// They cannot be read, for this reason.
    Failed(String),
}

impl From<Missing> for Unread {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
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
pub struct Memory(Vec<Stored>);

#[derive(Clone)]
struct Stored {
    /// Where it stands in the file.
    at: u64,
    bytes: Vec<u8>,
}

impl From<Vec<u8>> for Memory {
    fn from(bytes: Vec<u8>) -> Self {
        Self(vec![Stored { at: 0, bytes }])
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} bytes)", self.file_len())
    }
}

impl Stored {
    fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }
}

impl Memory {
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
    fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Unread> {
        let before = out.len();
        let mut rest = range;
        while !rest.is_empty() {
            let bytes = self.piece(&rest);
            if bytes.is_empty() {
                out.truncate(before);
                return Err(Missing::from(rest).into());
            }
            out.extend_from_slice(bytes);
            rest.start += bytes.len() as u64;
        }
        Ok(())
    }

    fn file_len(&self) -> u64 {
        self.0.last().map_or(0, Stored::end)
    }

    fn put(&mut self, at: u64, bytes: Vec<u8>) {
        self.cut(at);
        self.0.push(Stored { at, bytes });
    }

    fn get<'a>(&'a self, range: Range<u64>, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Unread> {
        let bytes = self.piece(&range);
        if bytes.len() as u64 == range.end.saturating_sub(range.start) {
            return Ok(bytes);
        }
        buffer.clear();
        self.read(range, buffer)?;
        Ok(buffer)
    }
}

/// Bytes that somebody else keeps, and where they stand in the file. None of them miss.
pub(crate) struct Piece<'a> {
    pub(crate) at: u64,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Piece<'a> {
    /// A whole file.
    pub(crate) fn file(bytes: &'a [u8]) -> Self {
        Self { at: 0, bytes }
    }
}

impl Source for Piece<'_> {
    fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Unread> {
        out.extend_from_slice(self.get(range, &mut Vec::new())?);
        Ok(())
    }

    fn file_len(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }

    fn put(&mut self, _: u64, _: Vec<u8>) {}

    fn get<'a>(&'a self, range: Range<u64>, _: &'a mut Vec<u8>) -> Result<&'a [u8], Unread> {
        let place = |at: u64| usize::try_from(at.checked_sub(self.at)?).ok();
        let places = place(range.start).zip(place(range.end));
        let bytes = places.and_then(|(start, end)| self.bytes.get(start..end));
        bytes.ok_or(Unread::Ended)
    }
}

/// A stretch of a source that is read at once, because the bytes behind those that are wanted will be wanted next.
#[derive(Default)]
pub(crate) struct Window {
    at: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// How many bytes are read at once.
    const LEN: u64 = 64 * 1024;

    /// The bytes from `range.start` on: those of the range, and perhaps more, but none from `end` on.
    pub(crate) fn get(
        &mut self,
        source: &dyn Source,
        range: Range<u64>,
        end: u64,
    ) -> Result<&[u8], Unread> {
        let here = self.at..self.at + self.bytes.len() as u64;
        if range.start < here.start || range.end > here.end {
            self.bytes.clear();
            self.at = range.start;
            let ahead = range
                .end
                .max(range.start.saturating_add(Self::LEN).min(end));
            source.read(range.start..ahead, &mut self.bytes)?;
        }
        let start = usize::try_from(range.start - self.at).unwrap_or(usize::MAX);
        Ok(self.bytes.get(start..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(memory: &Memory, range: Range<u64>) -> Result<Vec<u8>, Unread> {
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
        assert_eq!(
            read(&memory, 7..10).unwrap_err(),
            Missing::from(9..10).into()
        );
        assert_eq!(
            read(&memory, 20..30).unwrap_err(),
            Missing::from(20..30).into()
        );
        memory.put(0, b"other".to_vec());
        assert_eq!(read(&memory, 0..5).unwrap(), b"other");
        assert_eq!(read(&memory, 0..6).unwrap_err(), Missing::from(5..6).into());
        assert_eq!(
            read(&Memory::default(), 0..1).unwrap_err(),
            Missing::from(0..1).into()
        );
    }

    #[test]
    fn a_window_reads_ahead_and_not_behind_the_end() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(200_000).collect();
        let file = Piece::file(&bytes);
        let mut window = Window::default();
        assert_eq!(window.get(&file, 10..12, 200_000).unwrap()[..2], [10, 11]);
        assert_eq!(window.bytes.len(), 64 * 1024);
        let (at, len) = (window.at, window.bytes.len());
        assert_eq!(window.get(&file, 65_545..65_546, 200_000).unwrap().len(), 1);
        assert_eq!((window.at, window.bytes.len()), (at, len), "it was here");
        let longer = window.get(&file, 1..100_001, 200_000).unwrap();
        assert!(longer == &bytes[1..100_001]);
        let mut window = Window::default();
        assert_eq!(window.get(&file, 7..8, 20).unwrap(), &bytes[7..20]);
        assert_eq!(
            window.get(&file, 199_999..200_001, 200_001),
            Err(Unread::Ended)
        );
    }

    #[test]
    fn missing_ranges_stand_in_order_and_apart() {
        let missing = Missing::from_iter([8..9, 2..4, 4..5, 3..4, 7..7, 0..1]);
        assert_eq!(missing.ranges(), [0..1, 2..5, 8..9]);
    }
}
