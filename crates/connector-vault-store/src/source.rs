//! The bytes of an open vault: read from its file when they are used, by range.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use connector_vault::source::{Source, Unread};

use crate::disk::{is_same_file, open_to_read, read_exact_at};
use crate::error::{Error, Result};

/// How many bytes are read at once by somebody who reads one range after the other.
const AHEAD: u64 = 64 * 1024;

/// The bytes of a vault's file. The file stays open: one that was replaced is read until the vault has caught up.
///
/// Whoever changes or cuts the file under an open vault makes it fail, not lie: the vault checks all bytes that it uses.
pub struct FileSource {
    path: PathBuf,
    open: Mutex<Open>,
}

struct Open {
    /// Or why it cannot be opened.
    file: Result<File, String>,
    len: u64,
    /// What was read ahead, and where it stands.
    ahead: Vec<u8>,
    ahead_at: u64,
    /// Where the last range ended.
    last_end: u64,
}

impl Open {
    fn of(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self {
            file: Ok(file),
            len,
            ahead: Vec::new(),
            ahead_at: 0,
            last_end: 0,
        })
    }

    fn read(&mut self, range: &Range<u64>, out: &mut Vec<u8>) -> Result<(), Unread> {
        let is_next = self.last_end == range.start;
        self.last_end = range.end;
        if let Some(bytes) = self.read_ahead(range) {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        let end = (range.start + AHEAD).min(self.len);
        if !is_next || end <= range.end {
            return read_range(&self.file, range, out);
        }
        self.ahead.clear();
        self.ahead_at = range.start;
        read_range(&self.file, &(range.start..end), &mut self.ahead)?;
        out.extend_from_slice(self.read_ahead(range).ok_or(Unread::Ended)?);
        Ok(())
    }

    fn read_ahead(&self, range: &Range<u64>) -> Option<&[u8]> {
        let start = usize::try_from(range.start.checked_sub(self.ahead_at)?).ok()?;
        let len = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        self.ahead.get(start..start.checked_add(len)?)
    }
}

/// Appends the bytes of a range, or none.
fn read_range(
    file: &Result<File, String>,
    range: &Range<u64>,
    out: &mut Vec<u8>,
) -> Result<(), Unread> {
    let failed = |why: &dyn fmt::Display| Unread::Failed(why.to_string());
    let file = file.as_ref().map_err(|why| failed(why))?;
    let before = out.len();
    let len = range.end.saturating_sub(range.start);
    let len = usize::try_from(len).map_err(|error| failed(&error))?;
    out.try_reserve(len).map_err(|error| failed(&error))?;
    out.resize(before + len, 0);
    read_exact_at(file, &mut out[before..], range.start).map_err(|error| {
        out.truncate(before);
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Unread::Ended,
            _ => failed(&error),
        }
    })
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileSource({})", self.path.display())
    }
}

impl FileSource {
    /// Opens the file at a path.
    ///
    /// Fails with `file_not_found`, `not_a_file` and `io`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let open = open_to_read(path).and_then(Open::of);
        Ok(Self {
            path: path.to_owned(),
            open: Mutex::new(open.map_err(|error| Error::open("open", path, error))?),
        })
    }

    /// Reads from the file at its path from now on, if it is not the one that is open already. `file`: the one that was
    /// found to hold the log that is known.
    pub(crate) fn follow(&self, file: &File) -> Result<()> {
        let mut open = self.lock();
        let follow = || {
            let found = file.metadata()?;
            let is_open = match &open.file {
                Ok(file) => is_same_file(&file.metadata()?, &found),
                Err(_) => false,
            };
            if is_open {
                return Ok(None);
            }
            let file = open_to_read(&self.path)?;
            match is_same_file(&file.metadata()?, &found) {
                true => Open::of(file).map(Some),
                false => Err(io::Error::other("it was replaced at this moment")),
            }
        };
        let followed = follow().map_err(|error| Error::io("read", &self.path, error))?;
        if let Some(followed) = followed {
            *open = followed;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing in it can be half done.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for FileSource {
    fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Unread> {
        self.lock().read(&range, out)
    }

    /// They never miss: whether they can be read shows when they are.
    fn check(&self, _: Range<u64>) -> Result<(), Unread> {
        Ok(())
    }

    fn file_len(&self) -> u64 {
        self.lock().len
    }

    /// They stand in the file already.
    fn put(&mut self, at: u64, bytes: Vec<u8>) {
        let mut open = self.lock();
        if at == 0 {
            match open_to_read(&self.path).and_then(Open::of) {
                Ok(new) => *open = new,
                Err(error) => open.file = Err(error.to_string()),
            }
        }
        // What was read ahead may have been a torn tail.
        open.ahead.clear();
        open.len = at + bytes.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::fs;

    use super::*;

    fn read(source: &FileSource, range: Range<u64>) -> Result<Vec<u8>, Unread> {
        let mut out = b"before".to_vec();
        let read = source.read(range, &mut out);
        assert_eq!(out[..6], *b"before");
        read.map(|()| out.split_off(6))
    }

    #[test]
    fn ranges_are_read_as_they_stand_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v");
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(200_000).collect();
        fs::write(&path, &bytes).unwrap();
        let mut source = FileSource::open(&path).unwrap();
        assert_eq!(source.file_len(), 200_000);
        // One after the other, and here and there.
        for range in [0..10, 10..20, 20..150_000, 7..8, 8..9, 150_000..199_999] {
            let place = range.start as usize..range.end as usize;
            assert!(
                read(&source, range.clone()).unwrap() == bytes[place],
                "{range:?}"
            );
        }
        assert_eq!(read(&source, 199_999..200_001), Err(Unread::Ended));
        assert_eq!(read(&source, 300_000..300_001), Err(Unread::Ended));
        assert_eq!(read(&source, 5..5).unwrap(), b"");

        // It was appended, where something else stood that was read ahead.
        read(&source, 199_000..199_500).unwrap();
        read(&source, 199_500..199_501).unwrap();
        let mut changed = bytes.clone();
        changed.truncate(199_900);
        changed.extend_from_slice(b"commit");
        fs::write(&path, &changed).unwrap();
        source.put(199_900, b"commit".to_vec());
        assert_eq!(read(&source, 199_900..199_906).unwrap(), b"commit");

        // A file that was replaced stays readable until it is followed.
        let other = dir.path().join("w");
        fs::write(&other, b"another").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(read(&source, 199_900..199_906).unwrap(), b"commit");
        source.follow(&File::open(&path).unwrap()).unwrap();
        assert_eq!(read(&source, 0..7).unwrap(), b"another");
        assert_eq!(source.file_len(), 7);

        // It was cut.
        fs::write(&path, b"an").unwrap();
        assert_eq!(read(&source, 0..7), Err(Unread::Ended));

        // It is replaced by a file of our own, which is gone again.
        fs::remove_file(&path).unwrap();
        source.put(0, b"own".to_vec());
        assert!(matches!(read(&source, 0..3), Err(Unread::Failed(_))));
        assert_eq!(
            FileSource::open(&path).unwrap_err().code().as_str(),
            "file_not_found"
        );
    }
}
