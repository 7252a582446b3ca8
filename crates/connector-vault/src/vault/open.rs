//! Opening a vault and following it as it grows (docs/format.md section 7).

mod detach;

use std::ops::Range;

pub use self::detach::Detached;

use serde::Serialize;

use super::index::{Index, IndexKeys, Pending, Reading};
use super::record::RecordKeys;
use super::{OpenReport, Vault};
use crate::access::{self, Access, Bounds, BrokenKeySlot, Unlock};
use crate::connector::ConnectorId;
use crate::crypto::identity::Identity;
use crate::error::{Code, Error, Result};
use crate::format::header::Header;
use crate::format::hex::VaultId;
use crate::format::key_slots::{self, KeySlotEntry};
use crate::format::{PREFIX_LEN, check_file_len, mangled, split_file};
use crate::limits;
use crate::log::{self, After, At, KnownHead, TornTail};
use crate::source::{Memory, Missing, Source};

/// What a vault is expected to be, and how to open it.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The vault must have this id.
    pub vault_id: Option<VaultId>,
    /// The newest head that this client has seen: the vault must have grown from it.
    pub known: Option<KnownHead>,
    /// Most memory that a key slot may make Argon2id use, in KiB. Native callers may raise it to
    /// [`limits::MEMORY_KIB_MAX_NATIVE`].
    pub memory_kib_max: u32,
    /// Most memory times passes of all key slots that one opening tries, in KiB: whoever writes to the storage
    /// can add key slots, and must not choose how long an opening takes.
    pub work_kib_max: u64,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            vault_id: None,
            known: None,
            memory_kib_max: limits::MEMORY_KIB_MAX,
            work_kib_max: limits::WORK_KIB_MAX,
        }
    }
}

/// What a vault must be in view of what was seen of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// It must have grown from the newest head that was seen.
    #[default]
    Grown,
    /// It is taken as it is found, though it may be older than what was seen, or another copy.
    AsFound,
}

impl OpenOptions {
    /// Expects the vault to be what `trust` says in view of the heads that this client has seen of it:
    /// it may be remembered under several names of one place. What the caller expects already stays.
    pub fn expect(&mut self, seen: impl IntoIterator<Item = KnownHead>, trust: Trust) {
        if self.known.is_some() {
            return;
        }
        let newest = seen.into_iter().max_by_key(|known| known.head.seq);
        match trust {
            Trust::Grown => self.known = newest,
            Trust::AsFound => {
                self.vault_id = self.vault_id.or(newest.map(|known| known.head.vault_id));
            }
        }
    }
}

/// What a refresh brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Refreshed {
    /// How many commits.
    pub commits: usize,
    /// The connectors of which the commits hold a new version, each once.
    pub ids: Vec<ConnectorId>,
    /// A commit whose writer died, or is still writing. Its offset counts from the tail's start.
    pub torn: Option<TornTail>,
}

impl Vault {
    /// Opens the bytes of a vault file.
    ///
    /// Fails with `not_a_vault`, `unsupported_version`, `damaged` or `limit_exceeded` for bytes
    /// that are no sound vault; `bad_signature` or `unauthorized_commit` for a vault that somebody
    /// changed who may not; `wrong_vault`, `rolled_back`, `forked` or `untrusted_owner` for one
    /// that is not what `options` expect; `wrong_passphrase`, `wrong_key`, `no_key_slot`, `wrong_identity`
    /// or `vault_id_required` for one that does not open this way.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let identity = Identity::generate(host.rng);
    /// # let owner = NewOwner::identity("ops", identity.clone());
    /// # let (mut vault, mut file) = Vault::create(&mut host, &owner)?;
    /// # let id = ConnectorId::new("x")?;
    /// # let properties = Properties::from_json(r#"{"APIKey": "a"}"#)?;
    /// # let plan = vault.plan_create(&NewConnector::new(id.as_str(), "Name", "Type").with_properties(&properties), &Options::default())?;
    /// # let prepared = vault.prepare(plan, &mut host)?;
    /// # prepared.write().to(&mut file);
    /// # vault.apply(prepared)?;
    /// let options = OpenOptions { known: Some(vault.known_head()), ..OpenOptions::default() };
    /// let vault = Vault::open(file, Unlock::Identity(&identity), &options)?;
    /// assert_eq!(vault.report().continuity, Continuity::Continues);
    /// for connector in vault.list() {
    ///     let connector = connector?;
    ///     println!("{} ({})", connector.id, connector.name);
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn open(file: Vec<u8>, unlock: Unlock<'_>, options: &OpenOptions) -> Result<Self> {
        require_expectation(unlock, options)?;
        Self::load(file, options, access_by(unlock, options))
    }

    /// The id of the vault in a file, its header's signature verified: to look up what is known of
    /// it before it is opened. Anybody can make a vault, so the id alone proves nothing.
    ///
    /// Fails as [`open`](Self::open) does for bytes that are no sound vault.
    pub fn identify(file: &[u8]) -> Result<VaultId> {
        let identify = || {
            let (_, log_start) = split_file(file)?;
            let snapshot = log::first(&file[log_start..], At::file(log_start))?;
            Ok(log::verified_header(&snapshot)?.vault_id)
        };
        identify().map_err(|error| mangled::explain(error, file))
    }

    pub(super) fn load(file: Vec<u8>, options: &OpenOptions, open: Opening<'_>) -> Result<Self> {
        let len = file.len() as u64;
        Self::load_from(Memory::from(file), len, options, open)
    }
}

impl<S: Source> Vault<S> {
    /// Opens the vault whose file of `len` bytes is in a source. Opening reads all of the file, and keeps
    /// none of it. Later, each method reads the ranges that it uses.
    ///
    /// Fails as [`open`](Vault::open) does, and where bytes are missing ([`Error::missing`]).
    pub fn open_from(
        source: S,
        len: u64,
        unlock: Unlock<'_>,
        options: &OpenOptions,
    ) -> Result<Self> {
        require_expectation(unlock, options)?;
        Self::load_from(source, len, options, access_by(unlock, options))
    }

    /// Opens another copy of this vault by the same identity, to compare or merge it: it may be
    /// older, newer or forked.
    ///
    /// Fails as [`open`](Self::open) does, with `not_mergeable` for another vault.
    pub fn open_copy(&self, file: Vec<u8>) -> Result<Vault> {
        if Vault::identify(&file)? != self.header.vault_id {
            return Err(not_mergeable());
        }
        let options = OpenOptions {
            vault_id: Some(self.header.vault_id),
            ..OpenOptions::default()
        };
        let identity = self.access.identity.clone();
        Vault::load(file, &options, by_identity(identity))
    }

    /// Opens the file that has replaced the one this vault was opened from, by the same identity;
    /// it must have grown from the present head.
    ///
    /// Fails as [`open`](Self::open) does, and this vault is then as before.
    pub fn reopen(&mut self, file: Vec<u8>) -> Result<()> {
        let known = self.known_head();
        self.reopen_from(file, Some(&known))
    }

    /// As [`reopen`](Self::reopen), but the file must have grown from `known`, which the present head
    /// may be ahead of: a writer withdraws a commit that it could not store
    /// (docs/format.md section 9). Without `known`, only the vault has to be the same.
    pub fn reopen_from(&mut self, file: Vec<u8>, known: Option<&KnownHead>) -> Result<()> {
        self.reopen_by(self.access.identity.clone(), file, known)
    }

    /// The same, by another identity: the grant that opened the vault may have got a new one.
    pub(super) fn reopen_by(
        &mut self,
        identity: Identity,
        file: Vec<u8>,
        known: Option<&KnownHead>,
    ) -> Result<()> {
        let options = OpenOptions {
            vault_id: Some(self.header.vault_id),
            known: known.cloned(),
            ..OpenOptions::default()
        };
        let opened = Vault::examine(&file, &options, by_identity(identity))?;
        self.source.put(0, file);
        (self.start, self.header, self.key_slots) = (opened.start, opened.header, opened.key_slots);
        (self.superseded, self.adopted) = (opened.superseded, opened.adopted);
        (self.access, self.keys, self.index) = (opened.access, opened.keys, opened.index);
        (self.torn_len, self.report) = (opened.torn_len, opened.report);
        Ok(())
    }

    /// Takes what was appended to the log since the present head.
    ///
    /// Fails as [`open`](Self::open) does, and this vault is then as before.
    pub fn refresh(&mut self, tail: Vec<u8>) -> Result<Refreshed> {
        self.extend(tail, false)
    }

    /// Takes commits behind the present head; of our own, signatures and ids are known.
    pub(super) fn extend(&mut self, mut tail: Vec<u8>, is_own: bool) -> Result<Refreshed> {
        let head = self.head();
        let file_len = self.index.end();
        let after = After {
            seq: head.seq,
            hash: head.hash.0,
        };
        let at = At {
            offset: 0,
            position: file_len,
        };
        check_file_len(file_len.saturating_add(tail.len() as u64))?;
        let walk = log::walk(&tail, at, Some(after))?;
        if !is_own {
            log::verify_authors(&self.header, &walk.commits, None)?;
        }
        let piece = (file_len, tail.as_slice());
        let pending = self
            .index
            .examine(&walk.commits, piece, &self.reading(), is_own)?;
        let ids = match is_own {
            true => Vec::new(),
            false => self.ids_of(&pending, piece),
        };
        let refreshed = Refreshed {
            commits: walk.commits.len(),
            ids,
            torn: walk.torn,
        };
        let len = walk.commits.iter().map(|commit| commit.len).sum();
        drop(walk);
        if refreshed.commits > 0 {
            tail.truncate(len);
            self.index.keep(pending);
            self.source.put(file_len, tail);
        }
        self.torn_len = refreshed.torn.map_or(0, |torn| torn.len);
        Ok(refreshed)
    }

    /// The connectors of which a piece of the log brings a version, each once, as far as this grant lists them.
    fn ids_of(&self, pending: &Pending, piece: (u64, &[u8])) -> Vec<ConnectorId> {
        let mut ids = Vec::new();
        let versions: Vec<_> = pending.stored().collect();
        // The versions of a connector stand together.
        for versions in versions.chunk_by(|one, next| one.entry.tag == next.entry.tag) {
            let overviews = versions.iter().rev().filter_map(|stored| {
                let place = |at: u64| usize::try_from(at.checked_sub(piece.0)?).ok();
                let range = stored.overview();
                let sealed = piece.1.get(place(range.start)?..place(range.end)?)?;
                self.open_overview(stored, sealed).ok()?.ok()
            });
            ids.extend(overviews.map(|opened| opened.overview.id).next());
        }
        ids
    }

    fn load_from(source: S, len: u64, options: &OpenOptions, open: Opening<'_>) -> Result<Self> {
        check_file_len(len)?;
        let mut buffer = Vec::new();
        let file = source.get(0..len, &mut buffer);
        let file = file.map_err(Error::not_fetched)?;
        let opened = Vault::examine(file, options, open)?;
        Ok(opened.over(source))
    }
}

impl Vault<()> {
    /// Opens a vault in bytes that it does not keep.
    fn examine(file: &[u8], options: &OpenOptions, open: Opening<'_>) -> Result<Self> {
        Self::open_sound(file, options, open).map_err(|error| mangled::explain(error, file))
    }

    fn open_sound(file: &[u8], options: &OpenOptions, open: Opening<'_>) -> Result<Self> {
        let (key_slots, log_start) = split_file(file)?;
        let key_slots = key_slots::decode(key_slots, PREFIX_LEN as u64)?;
        let walk = log::walk(&file[log_start..], At::file(log_start), None)?;
        let snapshot = walk
            .commits
            .first()
            .expect("a walk from nothing begins with a snapshot");
        let header = log::verified_header(snapshot)?;
        if let Some(expected) = options
            .vault_id
            .filter(|expected| *expected != header.vault_id)
        {
            return Err(log::wrong_vault(expected, header.vault_id));
        }
        let continuity = log::continuity(&header, &walk.commits, options.known.as_ref())?;
        let mut broken_key_slots = Vec::new();
        let access = open(&header, &key_slots, &mut broken_key_slots)?;
        let known = options.known.as_ref().map(|known| &known.head);
        log::verify_authors(&header, &walk.commits, known)?;

        let (vault_id, epoch) = (header.vault_id, header.epoch);
        let index_keys = IndexKeys::new(access.bundle.index(), vault_id, epoch);
        let snapshot_bytes = &file[log_start..][..snapshot.len];
        let mut index = Index::begin(index_keys, snapshot, snapshot_bytes)?;
        let reading = Reading {
            keys: &index.keys,
            header: &header,
            source: &InMemory(file),
        };
        let pending = index.examine(&walk.commits[1..], (0, file), &reading, false)?;
        index.keep(pending);
        let keys = RecordKeys::new(&access.bundle, &header);
        let adopted = snapshot.snapshot().map_or(&[][..], |part| part.adopted);
        let (torn, superseded) = (walk.torn, snapshot.superseded().to_vec());
        let report = OpenReport {
            continuity,
            torn,
            broken_key_slots,
        };
        Ok(Self {
            source: (),
            start: file[..log_start].to_vec(),
            header,
            key_slots,
            superseded,
            adopted: adopted.to_vec(),
            access,
            keys,
            index,
            torn_len: torn.map_or(0, |torn| torn.len),
            report,
        })
    }

    /// The vault whose bytes are in `source`.
    fn over<S>(self, source: S) -> Vault<S> {
        Vault {
            source,
            start: self.start,
            header: self.header,
            key_slots: self.key_slots,
            superseded: self.superseded,
            adopted: self.adopted,
            access: self.access,
            keys: self.keys,
            index: self.index,
            torn_len: self.torn_len,
            report: self.report,
        }
    }
}

/// The bytes of a file that an opening looks at.
struct InMemory<'a>(&'a [u8]);

impl Source for InMemory<'_> {
    fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Missing> {
        out.extend_from_slice(self.get(range, &mut Vec::new())?);
        Ok(())
    }

    fn put(&mut self, _: u64, _: Vec<u8>) {}

    fn get<'a>(&'a self, range: Range<u64>, _: &'a mut Vec<u8>) -> Result<&'a [u8], Missing> {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let bytes = self.0.get(place(range.start)..place(range.end));
        bytes.ok_or_else(|| range.into())
    }
}

/// An identity has no key slot that names its vault: storage could present a vault of its own, and be
/// handed fresh secrets.
pub(super) fn require_expectation(unlock: Unlock<'_>, options: &OpenOptions) -> Result<()> {
    if matches!(unlock, Unlock::Identity(_))
        && options.vault_id.is_none()
        && options.known.is_none()
    {
        return Err(Error::new(
            Code::VaultIdRequired,
            "an identity alone does not say which vault to trust",
        )
        .with_hint("give the vault id too: who made the grant knows it"));
    }
    Ok(())
}

/// How an access is opened under a header, once it is known.
type Opening<'a> =
    Box<dyn FnOnce(&Header, &[KeySlotEntry], &mut Vec<BrokenKeySlot>) -> Result<Access> + 'a>;

/// Opens the access that `unlock` gives.
pub(super) fn access_by<'a>(unlock: Unlock<'a>, options: &OpenOptions) -> Opening<'a> {
    let bounds = Bounds {
        memory_kib_max: options.memory_kib_max,
        work_kib_max: options.work_kib_max,
    };
    match unlock.trying() {
        Err(identity) => by_identity(identity.clone()),
        Ok(trying) => Box::new(move |header, key_slots, broken| {
            let identity = access::unlock(header, key_slots, trying, bounds, broken)?;
            Access::open(identity, header)
        }),
    }
}

fn by_identity(identity: Identity) -> Opening<'static> {
    Box::new(|header, _, _| Access::open(identity, header))
}

pub(super) fn not_mergeable() -> Error {
    Error::new(
        Code::NotMergeable,
        "these are two vaults, not two copies of one",
    )
    .with_hint("export the connectors of one and import them into the other")
}
