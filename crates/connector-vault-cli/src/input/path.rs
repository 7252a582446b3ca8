//! Files by the paths that the command line has. A text that stands where a path should may be the
//! secret itself, so only what is evidently a path is told.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::{Kind, Wanted};
use crate::failure::{Failure, Result};
use crate::terminal::{NOT_SHOWN, is_there, shown};

/// Opens a file, a FIFO or a device that streams. Anything else is refused at once.
pub(super) fn open(path: &Path, wanted: Wanted<'_>) -> Result<File> {
    let fail = |error: io::Error| unreadable(path, wanted, &error);
    let metadata = fs::metadata(path).map_err(fail)?;
    if let Some(kind) = refused_kind(metadata.file_type()) {
        return Err(not_a_file(path, wanted, kind));
    }
    File::open(path).map_err(fail)
}

fn not_a_file(path: &Path, wanted: Wanted<'_>, kind: &str) -> Failure {
    Failure::new(
        "io",
        format!(
            "cannot read {} from {}: this is {kind}, not a file",
            wanted.what,
            path.display()
        ),
    )
    .hint("give the path of a file, or - for standard input")
}

/// A folder would fail later, a socket without saying why, and a disk has no end.
fn refused_kind(file_type: fs::FileType) -> Option<&'static str> {
    if file_type.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if file_type.is_socket() {
            return Some("a socket");
        }
        if file_type.is_block_device() {
            return Some("a disk");
        }
    }
    None
}

/// Why a file was not read. Its path is told if there is such a file, or if what stands there is
/// evidently a path.
pub(super) fn unreadable(path: &Path, wanted: Wanted<'_>, error: &io::Error) -> Failure {
    let Wanted {
        what,
        asked_by,
        kind,
    } = wanted;
    if error.kind() == io::ErrorKind::IsADirectory {
        return not_a_file(path, wanted, "a folder");
    }
    if is_there(path) || (kind.is_document() && is_evident(path)) {
        return Failure::io(format_args!("read {what} from"), path, error);
    }
    if !is_missing(error) {
        return Failure::new("io", format!("cannot read {what} from its file: {error}"));
    }
    let failure = |message: String| Failure::new("file_not_found", message);
    match kind {
        Kind::Action | Kind::List if is_document(path) => failure(format!(
            "{asked_by} takes the path of a file, and {what} itself was given in its place"
        ))
        .hint(
            "write it to a file, or pipe it in and give -: others can read what stands on a command line",
        ),
        Kind::Action | Kind::List => failure(format!(
            "the file with {what} does not exist, or its folder does not"
        ))
        .hint(format!(
            "{asked_by} takes the path of a file, or - for standard input; what was given does not look \
             like one and is not shown"
        )),
        Kind::Value => failure(format!("the file with {what} does not exist")).hint(format!(
            "{asked_by} takes NAME=FILE with the path of a file; the text behind = is not shown, since it \
             may be the secret itself"
        )),
        Kind::Key => failure(format!("the file with {what} does not exist")).hint(format!(
            "{asked_by} takes the path of a file; its text is not shown, since it may be the secret itself"
        )),
    }
}

/// Other errors than that it does not exist say as much: no file has such a name.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
    )
}

/// Refuses a text that is no path where a vault's file is meant, before anything else tells it.
pub(crate) fn require_path(path: &Path, what: &str) -> Result<()> {
    match shown(path) {
        Cow::Borrowed(NOT_SHOWN) => Err(Failure::new(
            "file_not_found",
            format!("{what} is not the path of a file"),
        )
        .hint("what was given is not shown, since it may hold a secret; check the order of the arguments")),
        _ => Ok(()),
    }
}

/// Whether a text is a path and nothing else: `rotate.json`, `../actions/rotate-2.json`.
fn is_evident(path: &Path) -> bool {
    let Some(text) = path.to_str() else {
        return false;
    };
    let extension = path.extension().and_then(|extension| extension.to_str());
    let has_extension =
        extension.is_some_and(|e| e.len() <= 8 && e.bytes().all(|b| b.is_ascii_lowercase()));
    let in_path = |c: char| c.is_alphanumeric() || matches!(c, '/' | '\\' | '.' | '-' | '_' | ' ');
    has_extension && text.chars().count() <= 255 && text.chars().all(in_path)
}

fn is_document(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_told() {
        for (text, evident, shows) in [
            ("rotate.json", true, true),
            ("../actions/rotate-2.json", true, true),
            ("hunter2-S3cret", false, true),
            ("{\"ActionType\": \"x.json", false, false),
            ("A=s3cret", false, false),
            ("eyJhbGciOi.eyJzdWIiOi.SflKxwRJSMeKKF2QT4f", false, true),
            ("a\nb", false, false),
            ("team.cvault", true, true),
        ] {
            let path = Path::new(text);
            assert_eq!(is_evident(path), evident, "{text}");
            assert_eq!(shown(path) == text, shows, "{text}");
        }
    }
}
