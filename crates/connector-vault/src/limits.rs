//! Every bound in one place. Each is checked before anything is allocated or derived
//! (docs/format.md section 2).

use std::ops::RangeInclusive;

/// Largest connector id, in bytes of UTF-8.
pub const CONNECTOR_ID_LEN_MAX: usize = 256;
/// Largest name or type of a connector, in bytes of UTF-8.
pub const CONNECTOR_NAME_LEN_MAX: usize = 1024;
/// Largest property name, in bytes of UTF-8.
pub const PROPERTY_NAME_LEN_MAX: usize = 256;
/// Largest property value, in bytes of UTF-8.
pub const PROPERTY_VALUE_LEN_MAX: usize = 1024 * 1024;
/// Most properties of one connector.
pub const PROPERTIES_MAX: usize = 1024;
/// Largest seq, epoch and version: the largest integer that JSON numbers hold exactly everywhere
/// (RFC 8259 section 6).
pub const COUNTER_MAX: u64 = (1 << 53) - 1;
/// Most names in the `changed` of a version: those of both sides, where all are exchanged.
pub const CHANGED_MAX: usize = 2 * PROPERTIES_MAX;
/// Most names of a connector's meta.
pub const META_MAX: usize = 32;
/// Largest name of a connector's meta, in bytes of UTF-8.
pub const META_NAME_LEN_MAX: usize = 64;
/// Largest value of a connector's meta, in bytes of UTF-8.
pub const META_VALUE_LEN_MAX: usize = 1024;
/// Largest `extra` of an overview, in bytes.
pub(crate) const OVERVIEW_EXTRA_LEN_MAX: usize = 4096;
/// Largest `extra` of secrets, in bytes.
pub(crate) const SECRETS_EXTRA_LEN_MAX: usize = 64 * 1024;
/// Largest request id or note, in bytes of UTF-8.
pub const NOTE_LEN_MAX: usize = 256;

/// Largest vault file, in bytes: a WebAssembly memory has at most 4 GiB, and a replacement needs room
/// for two.
pub const FILE_LEN_MAX: u64 = 1024 * 1024 * 1024;

/// Largest key slot part, in bytes.
pub const KEY_SLOTS_LEN_MAX: usize = 1024 * 1024;
/// Most key slots of a vault.
pub const KEY_SLOTS_MAX: usize = 256;
/// Largest hint of a key slot, in bytes.
pub const HINT_LEN_MAX: usize = 2048;
/// Largest header, in bytes.
pub const HEADER_LEN_MAX: usize = 4 * 1024 * 1024;
/// Most grants of a vault.
pub const GRANTS_MAX: usize = 256;
/// Largest label of a grant, in bytes of UTF-8.
pub const LABEL_LEN_MAX: usize = 128;
/// Most rights of a grant.
pub const RIGHTS_MAX: usize = 16;
/// Most groups of a vault.
pub const GROUPS_MAX: usize = 256;
/// Largest name of a group, in bytes of UTF-8.
pub const GROUP_NAME_LEN_MAX: usize = 128;
/// Most retired grants that a header keeps.
pub const RETIRED_MAX: usize = 512;
/// Largest `extra` of a header, in bytes.
pub const HEADER_EXTRA_LEN_MAX: usize = 4096;
/// Largest `extra` of a grant, in bytes.
pub const GRANT_EXTRA_LEN_MAX: usize = 1024;
/// Most handovers of the vault key that a header lists.
pub const HANDOVERS_MAX: usize = 256;
/// Most hashes of superseded commits that a snapshot lists; the oldest are dropped.
pub const SUPERSEDED_MAX: usize = 16 * 1024;
/// Most commits of merged copies that a snapshot lists.
pub const ADOPTED_MAX: usize = 16 * 1024;
/// Most pages of a snapshot: 4,194,304 versions.
pub const PAGES_MAX: usize = 8192;
/// Most versions of one commit of changes.
pub const CHANGES_ENTRIES_MAX: usize = 128 * 1024;
/// Sizes of a sealed overview, in bytes.
pub const OVERVIEW_LEN: RangeInclusive<u32> = 106..=1024 * 1024;
/// Sizes of sealed secrets, in bytes.
pub const SECRETS_LEN: RangeInclusive<u32> = 58..=16 * 1024 * 1024;
/// Sizes of a sealed patch, in bytes.
pub const PATCH_LEN: RangeInclusive<u32> = 1154..=16 * 1024 * 1024;
/// Most patches of a connector behind its newest full version before an owner folds them.
pub const PATCHES_KEPT: usize = 1024;

/// Largest passphrase, in bytes of UTF-8 before normalization.
pub const PASSPHRASE_LEN_MAX: usize = 4096;
/// Least Argon2id memory, in KiB.
pub const MEMORY_KIB_MIN: u32 = 19 * 1024;
/// Most Argon2id memory, in KiB.
pub const MEMORY_KIB_MAX: u32 = 256 * 1024;
/// Most Argon2id memory that a native caller may opt in to, in KiB.
pub const MEMORY_KIB_MAX_NATIVE: u32 = 1024 * 1024;
/// Most Argon2id passes.
pub const PASSES_MAX: u32 = 16;
/// Most Argon2id lanes.
pub const LANES_MAX: u32 = 4;
/// Largest product of memory and passes, in KiB.
pub const MEMORY_KIB_TIMES_PASSES_MAX: u64 = 1024 * 1024;
/// Most memory times passes of all key slots that one opening tries, in KiB, unless the caller says otherwise.
pub const WORK_KIB_MAX: u64 = 4 * 1024 * 1024;

/// Versions of a connector that a compaction keeps, unless told otherwise.
pub const VERSIONS_KEPT: usize = 10;
/// How long a request id is remembered, in seconds: seven days.
pub const REQUEST_SECONDS_KEPT: u64 = 7 * 24 * 60 * 60;
/// Most versions of a connector that a compaction keeps because requests among them are remembered.
pub const REQUEST_VERSIONS_KEPT: usize = 1024;
/// Most commits behind a snapshot before a compaction pays.
pub const TAIL_COMMITS_MAX: usize = 8192;
/// Most pages of a snapshot that an opening reads for the tail before a compaction may pay.
pub const TAIL_PAGES_MAX: usize = 64;
/// How far in the future the time of a change may lie, in seconds, for a merge to compare it.
pub const CLOCK_AHEAD_SECONDS_MAX: u64 = 10 * 60;
/// Log size below which no compaction happens by itself, in bytes.
pub const COMPACTION_LEN_MIN: usize = 1024 * 1024;

/// Largest action document, and largest text that its tokens may expand to, in bytes.
pub const ACTION_LEN_MAX: usize = 16 * 1024 * 1024;
/// Longest text of a tester that an outcome holds, in characters; what is longer is cut.
pub const TEST_MESSAGE_CHARS_MAX: usize = 4096;
/// Most problems of an action document that are told at once.
pub const PROBLEMS_MAX: usize = 50;
/// Most problems that a check of a whole vault tells; the rest is counted.
pub const PROBLEMS_OF_VERIFY_MAX: usize = 1000;
/// Most actions of a batch.
pub const ACTIONS_MAX: usize = 1024;
/// Deepest nesting of JSON.
pub const JSON_DEPTH_MAX: usize = 128;
/// Deepest nesting of tokens inside tokens.
pub const TOKEN_DEPTH_MAX: usize = 16;
