//! The bytes of a vault, which stay outside the module: a list of arrays of JavaScript.

use std::ops::Range;

use connector_vault::source::{Source, Unread};
use js_sys::Uint8Array;

/// The whole file at first, then a piece a commit.
pub(crate) struct Arrays(Vec<Piece>);

struct Piece {
    /// Where it stands in the file.
    at: u64,
    bytes: Uint8Array,
}

impl Piece {
    fn end(&self) -> u64 {
        self.at + u64::from(self.bytes.length())
    }
}

impl From<Uint8Array> for Arrays {
    fn from(bytes: Uint8Array) -> Self {
        Self(vec![Piece { at: 0, bytes }])
    }
}

impl From<&[u8]> for Arrays {
    fn from(bytes: &[u8]) -> Self {
        Uint8Array::from(bytes).into()
    }
}

impl Arrays {
    /// Appends the bytes from `start` on that stand in one piece, at most up to `end`. Returns where they end.
    fn read_piece(&self, start: u64, end: u64, out: &mut Vec<u8>) -> Option<u64> {
        let behind = self.0.partition_point(|piece| piece.at <= start);
        let piece = self.0.get(behind.checked_sub(1)?)?;
        let end = end.min(piece.end());
        let place = |at: u64| u32::try_from(at.checked_sub(piece.at)?).ok();
        let (from, to) = (place(start)?, place(end)?);
        let len = to.checked_sub(from).filter(|len| *len > 0)? as usize;
        out.try_reserve(len).ok()?;
        let before = out.len();
        out.resize(before + len, 0);
        piece.bytes.subarray(from, to).copy_to(&mut out[before..]);
        Some(end)
    }
}

impl Source for Arrays {
    fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Unread> {
        let before = out.len();
        let mut start = range.start;
        while start < range.end {
            let Some(end) = self.read_piece(start, range.end, out) else {
                out.truncate(before);
                return Err(Unread::Ended);
            };
            start = end;
        }
        Ok(())
    }

    /// They never miss.
    fn check(&self, _: Range<u64>) -> Result<(), Unread> {
        Ok(())
    }

    fn file_len(&self) -> u64 {
        self.0.last().map_or(0, Piece::end)
    }

    fn put(&mut self, at: u64, bytes: Vec<u8>) {
        self.0
            .truncate(self.0.partition_point(|piece| piece.at < at));
        if let Some(last) = self.0.last_mut() {
            let len = u32::try_from(at - last.at).unwrap_or(u32::MAX);
            last.bytes = last.bytes.subarray(0, len);
        }
        let bytes = Uint8Array::from(bytes.as_slice());
        self.0.push(Piece { at, bytes });
    }
}
