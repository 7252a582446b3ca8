//! What one would otherwise use: a whole file of encrypted JSON, and a KeePass database.

mod json_file;
mod kdbx;

pub(crate) use json_file::JsonFile;
pub(crate) use kdbx::Kdbx;
