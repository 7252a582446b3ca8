//! A reader that never passes the end and knows where it stands, and the writers that match it.
//! All integers are little-endian (docs/format.md section 1).

use crate::error::{Code, Error, Result, counted};

/// Reads from a slice; errors name the offset in the file.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    offset: u64,
    /// How many bytes stand behind `rest` that are not here.
    absent: u64,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, which stand at `offset` of the file.
    pub(crate) fn new(bytes: &'a [u8], offset: u64) -> Self {
        Self::of_part(bytes, offset, 0)
    }

    /// Reads `bytes`, behind which stand `absent` more that are not here. Where these are read, the error names them
    /// as missing.
    pub(crate) fn of_part(bytes: &'a [u8], offset: u64, absent: u64) -> Self {
        Self {
            rest: bytes,
            offset,
            absent,
        }
    }

    /// Where the next byte stands in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// What has not been read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `len` bytes. Nothing is allocated: a length from the file is only compared
    /// with the bytes that are there.
    pub(crate) fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return Err(match len as u64 <= self.left() {
                true => {
                    let here = self.offset + self.rest.len() as u64;
                    Error::not_fetched((here..self.offset + len as u64).into())
                }
                false => self.short(len as u64, what),
            });
        };
        self.rest = rest;
        self.offset += len as u64;
        Ok(taken)
    }

    /// Checks that so many more bytes stand there, here or not.
    pub(crate) fn check_left(&self, len: u64, what: &str) -> Result<()> {
        match len <= self.left() {
            true => Ok(()),
            false => Err(self.short(len, what)),
        }
    }

    fn left(&self) -> u64 {
        self.absent + self.rest.len() as u64
    }

    #[cold]
    fn short(&self, len: u64, what: &str) -> Error {
        damaged(
            self.offset,
            format!(
                "{what} needs {}, has {}",
                counted(len, "byte", "bytes"),
                self.left()
            ),
        )
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &str) -> Result<&'a [u8; N]> {
        let offset = self.offset;
        let bytes = self.take(N, what)?;
        bytes
            .try_into()
            .map_err(|_| damaged(offset, format!("{what} is short")))
    }

    pub(crate) fn u8(&mut self, what: &str) -> Result<u8> {
        Ok(u8::from_le_bytes(*self.array(what)?))
    }

    pub(crate) fn u16(&mut self, what: &str) -> Result<u16> {
        Ok(u16::from_le_bytes(*self.array(what)?))
    }

    pub(crate) fn u32(&mut self, what: &str) -> Result<u32> {
        Ok(u32::from_le_bytes(*self.array(what)?))
    }

    pub(crate) fn u64(&mut self, what: &str) -> Result<u64> {
        Ok(u64::from_le_bytes(*self.array(what)?))
    }

    /// A part that leads with its length in a `u32`, which must not pass `len_max`.
    pub(crate) fn part(&mut self, len_max: usize, what: &str) -> Result<&'a [u8]> {
        let offset = self.offset;
        let len = self.u32(what)? as usize;
        if len > len_max {
            return Err(Error::new(
                Code::LimitExceeded,
                format!(
                    "{what} at offset {offset} claims {}, at most {len_max} are allowed",
                    bytes(len)
                ),
            ));
        }
        self.take(len, what)
    }
}

/// An error about bytes at an offset of the file.
pub(crate) fn damaged(offset: u64, message: impl std::fmt::Display) -> Error {
    Error::new(Code::Damaged, format!("at offset {offset}: {message}"))
}

/// A length as messages have it.
pub(crate) fn bytes(len: usize) -> String {
    counted(len as u64, "byte", "bytes")
}

/// Appends a part and its length as `u32`. The caller has checked the length against its limit.
pub(crate) fn put_part(out: &mut Vec<u8>, part: &[u8]) {
    put_len(out, part.len());
    out.extend_from_slice(part);
}

/// Appends a length as `u32`; what it counts is bounded far below 4 GiB (`limits`).
pub(crate) fn put_len(out: &mut Vec<u8>, len: usize) {
    let len = u32::try_from(len).expect("every part is bounded far below 4 GiB");
    out.extend_from_slice(&len.to_le_bytes());
}
