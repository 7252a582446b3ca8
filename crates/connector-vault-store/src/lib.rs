//! Where connector vaults live: files, and the heads that a client has seen.
