//! Whether a file still ends where a vault's log is known to end (docs/format.md section 1 for
//! where the log begins).

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use connector_vault::{LogEnd, PREFIX_LEN, check_file_len};

use crate::disk::{read_exact_at, read_to_end};
use crate::error::{Error, Result};
use crate::source::FileSource;

/// How the file compares with the log that the caller knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// It ends where the known log ends.
    Same,
    /// It holds the known log and more.
    Grown {
        /// What follows the known log: commits, and perhaps a torn tail.
        tail: Vec<u8>,
    },
    /// It holds another log: read all of it.
    Replaced,
}

impl Compared {
    /// Lets an open vault read from the file that was compared, if it holds the known log.
    pub(crate) fn follow(&self, source: &FileSource, file: &File) -> Result<()> {
        match self {
            Self::Same | Self::Grown { .. } => source.follow(file),
            Self::Replaced => Ok(()),
        }
    }
}

/// An open file up to an end.
pub(crate) struct ReadFile<'a> {
    pub(crate) file: &'a mut File,
    pub(crate) path: &'a Path,
    pub(crate) end: u64,
}

impl ReadFile<'_> {
    pub(crate) fn compare(&mut self, known: &LogEnd) -> Result<Compared> {
        match self.end_of(known)? {
            None => Ok(Compared::Replaced),
            Some(end) if end == self.end => Ok(Compared::Same),
            Some(end) => {
                let tail = self.read_from(end)?;
                Ok(Compared::Grown { tail })
            }
        }
    }

    /// Where the known log ends in the file; `None` if the file holds another log.
    pub(crate) fn end_of(&mut self, known: &LogEnd) -> Result<Option<u64>> {
        let start = self.log_start()?;
        let Some(end) = start.checked_add(known.end).filter(|end| *end <= self.end) else {
            return Ok(None);
        };
        if !known.start.is_empty() && !self.holds(0, 0, &known.start)? {
            return Ok(None);
        }
        for (offset, expected) in &known.marks {
            if !self.holds(start, *offset, expected)? {
                return Ok(None);
            }
        }
        Ok(Some(end))
    }

    pub(crate) fn log_start(&mut self) -> Result<u64> {
        let mut prefix = [0; PREFIX_LEN];
        // A shorter file is no vault, as the zeros then tell.
        if self.end >= PREFIX_LEN as u64 {
            self.read_at(0, &mut prefix)?;
        }
        Ok(connector_vault::log_start(&prefix)?)
    }

    pub(crate) fn read_from(&mut self, at: u64) -> Result<Vec<u8>> {
        check_file_len(self.end)?;
        self.file
            .seek(SeekFrom::Start(at))
            .and_then(|_| read_to_end(self.file))
            .map_err(|error| Error::io("read", self.path, error))
    }

    fn holds(&mut self, start: u64, offset: u64, expected: &[u8]) -> Result<bool> {
        let at = start.checked_add(offset);
        let end = at.and_then(|at| at.checked_add(expected.len() as u64));
        let (Some(at), Some(_)) = (at, end.filter(|end| *end <= self.end)) else {
            return Ok(false);
        };
        let mut found = vec![0; expected.len()];
        self.read_at(at, &mut found)?;
        Ok(found == expected)
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> Result<()> {
        read_exact_at(self.file, bytes, at).map_err(|error| Error::io("read", self.path, error))
    }
}
