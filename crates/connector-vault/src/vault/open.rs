//! What a vault is opened by, and how it is followed as it grows (docs/format.md section 7).

mod steps;

pub(super) use self::steps::Machine;
pub use self::steps::{Opening, Step};

use serde::Serialize;

use super::Vault;
use super::index::{Origin, Pending};
use crate::access::{Bounds, Unlock, Way};
use crate::connector::ConnectorId;
use crate::crypto::identity::Identity;
use crate::error::{Code, Error, Result};
use crate::format::commit::Commit;
use crate::format::header::Header;
use crate::format::hex::VaultId;
use crate::format::key_slots::{self, KeySlotEntry};
use crate::format::{PREFIX_LEN, check_file_len, mangled, prefix_of, split_file};
use crate::limits;
use crate::log::{self, After, KnownHead, TornTail, VaultReference, Walk};
use crate::source::{Memory, Piece, Source, Window};

/// What a vault is expected to be, and how to open it.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The vault must have this id.
    pub vault_id: Option<VaultId>,
    /// What an owner handed over with the grant: the vault must be the one that it names.
    pub reference: Option<VaultReference>,
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
            reference: None,
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
    /// Expects the vault `found` at a place to be what `trust` says in view of what this client has seen there. What
    /// the caller expects already stays.
    ///
    /// Fails with `other_vault` if the client has seen other vaults there and not this one, unless the caller
    /// expects just this one, or takes it as it is found.
    pub fn expect(&mut self, found: VaultId, seen: Seen, trust: Trust) -> Result<()> {
        if self.known.is_some() {
            return Ok(());
        }
        let newest = seen.heads.into_iter().max_by_key(|known| known.head.seq);
        match (trust, newest) {
            (Trust::Grown, None) => {
                let is_named = self.vault_id.is_some() || self.reference.is_some();
                match seen.others.first() {
                    Some(other) if !is_named => return Err(other_vault(found, *other)),
                    _ => {}
                }
            }
            (Trust::Grown, newest) => self.known = newest,
            (Trust::AsFound, newest) => {
                self.vault_id = self.vault_id.or(newest.map(|known| known.head.vault_id));
            }
        }
        Ok(())
    }
}

/// What a client has seen at the names of a place.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Heads of the vault that is there now.
    pub heads: Vec<KnownHead>,
    /// Other vaults.
    pub others: Vec<VaultId>,
}

fn other_vault(found: VaultId, seen: VaultId) -> Error {
    Error::new(
        Code::OtherVault,
        format!("this is the vault {found}, but the vault {seen} was seen here before"),
    )
    .with_hint(
        "somebody may have put another vault in the place of yours; only if you did that yourself, accept it",
    )
}

impl OpenOptions {
    /// Fails with `wrong_vault`, `rolled_back` or `untrusted_owner` if a header is not of the vault that is expected.
    pub(crate) fn check_vault(&self, header: &Header) -> Result<()> {
        if let Some(expected) = self.vault_id.filter(|id| *id != header.vault_id) {
            return Err(log::wrong_vault(expected, header.vault_id));
        }
        match &self.reference {
            Some(reference) => reference.check(header),
            None => Ok(()),
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
        let way = Way::from(unlock);
        require_expectation(&way, options)?;
        Self::load(file, way, options.clone())
    }

    /// The id of the vault in a file, its header's signature verified: to look up what is known of
    /// it before it is opened. Anybody can make a vault, so the id alone proves nothing.
    ///
    /// Fails as [`open`](Self::open) does for bytes that are no sound vault.
    pub fn identify(file: &[u8]) -> Result<VaultId> {
        let file = Piece::file(file);
        let found = Found::read(&file).map_err(|error| mangled::explain(error, &file))?;
        Ok(found.header.vault_id)
    }

    pub(super) fn load(file: Vec<u8>, way: Way, options: OpenOptions) -> Result<Self> {
        Opening::by(Memory::from(file), way, options).run()
    }
}

impl<S: Source> Vault<S> {
    /// Opens another copy of this vault by the same identity, to compare or merge it: it may be
    /// older, newer or forked. Its bytes never miss.
    ///
    /// Fails as [`open`](Vault::open) does, with `not_mergeable` for another vault.
    pub fn open_copy(&self, file: Vec<u8>) -> Result<Vault> {
        self.open_copy_in(Memory::from(file))
    }

    /// The same of a file that is in a source.
    pub fn open_copy_in<T: Source>(&self, file: T) -> Result<Vault<T>> {
        let options = self.of_this_vault(None);
        let mut opening = Opening::by(file, self.own_way(), options);
        if opening.identify()? != self.header.vault_id {
            return Err(not_mergeable());
        }
        opening.run()
    }

    /// Opens the file that has replaced the one this vault was opened from, by the same identity;
    /// it must have grown from the present head.
    ///
    /// Fails as [`open`](Vault::open) does, and this vault is then as before.
    pub fn reopen(&mut self, file: impl Into<S>) -> Result<()> {
        let known = self.known_head();
        self.reopen_from(file, Some(&known))
    }

    /// As [`reopen`](Self::reopen), but the file must have grown from `known`, which the present head
    /// may be ahead of: a writer withdraws a commit that it could not store
    /// (docs/format.md section 9). Without `known`, only the vault has to be the same.
    pub fn reopen_from(&mut self, file: impl Into<S>, known: Option<&KnownHead>) -> Result<()> {
        self.reopen_by(None, file.into(), known)
    }

    /// The same; the grant that opened the vault may have the new identity `renewed` by now.
    pub(super) fn reopen_by(
        &mut self,
        renewed: Option<&Identity>,
        file: S,
        known: Option<&KnownHead>,
    ) -> Result<()> {
        let open = |identity: &Identity| {
            let way = Way::Identity(identity.clone());
            Machine::new(&file, way, self.of_this_vault(known.cloned())).run(&file)
        };
        let opened = match renewed.map(open) {
            Some(Err(error)) if error.code() != Code::WrongIdentity => Err(error),
            Some(Ok(opened)) => Ok(opened),
            _ => open(&self.access.identity),
        };
        *self = opened?.with(file);
        Ok(())
    }

    /// Goes on by an identity with a file of our own that is stored in the place of this one.
    pub(super) fn replace(&mut self, identity: Identity, file: Vec<u8>) -> Result<()> {
        let known = self.known_head();
        let options = self.of_this_vault(Some(known));
        let piece = Piece::file(&file);
        let opened = Machine::new(&piece, Way::Identity(identity), options).run(&piece)?;
        self.source.put(0, file);
        let Vault {
            source: (),
            start,
            header,
            key_slots,
            superseded,
            adopted,
            access,
            keys,
            index,
            torn_len,
            report,
        } = opened;
        (self.start, self.header, self.key_slots) = (start, header, key_slots);
        (self.superseded, self.adopted) = (superseded, adopted);
        (self.access, self.keys, self.index) = (access, keys, index);
        (self.torn_len, self.report) = (torn_len, report);
        Ok(())
    }

    fn own_way(&self) -> Way {
        Way::Identity(self.access.identity.clone())
    }

    fn of_this_vault(&self, known: Option<KnownHead>) -> OpenOptions {
        OpenOptions {
            vault_id: Some(self.header.vault_id),
            known,
            ..OpenOptions::default()
        }
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
        let end = file_len.saturating_add(tail.len() as u64);
        check_file_len(end)?;
        let piece = Piece {
            at: file_len,
            bytes: &tail,
        };
        let walk = Walk::behind(after, file_len, end).walked(&piece)?;
        let origin = match is_own {
            true => Origin::Own,
            false => Origin::Other,
        };
        if origin == Origin::Other {
            log::verify_authors(&self.header, &walk.commits, None)?;
        }
        let pending = self
            .index
            .examine(&walk.commits, file_len, &self.reading(), origin)?;
        let piece = (file_len, tail.as_slice());
        let ids = match is_own {
            true => Vec::new(),
            false => self.ids_of(&pending, piece),
        };
        let refreshed = Refreshed {
            commits: walk.commits.len(),
            ids,
            torn: walk.torn,
        };
        let len = walk.commits.iter().map(|commit| commit.len).sum::<u64>();
        if refreshed.commits > 0 {
            tail.truncate(usize::try_from(len).unwrap_or(usize::MAX));
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
}

impl<S> Vault<S> {
    /// The vault whose bytes are in `source`.
    pub(super) fn with<T>(self, source: T) -> Vault<T> {
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

/// What opening finds before any key is known: the start of the file, the snapshot and the verified header; the walk
/// is behind the snapshot.
pub(super) struct Found {
    /// Magic and key slots, as they stand.
    start: Vec<u8>,
    key_slots: Vec<KeySlotEntry>,
    header: Header,
    walk: Walk,
}

impl Found {
    fn read(source: &dyn Source) -> Result<Self> {
        let len = source.file_len();
        check_file_len(len)?;
        let mut window = Window::default();
        let prefix = window.get(source, 0..len.min(PREFIX_LEN as u64), len);
        let log_start = prefix_of(prefix.map_err(Error::unread)?)?;
        let start = window.get(source, 0..log_start.min(len), len);
        let start = start.map_err(Error::unread)?;
        let start = start[..start
            .len()
            .min(usize::try_from(log_start).unwrap_or(usize::MAX))]
            .to_vec();
        let (part, _) = split_file(&start)?;
        let key_slots = key_slots::decode(part, PREFIX_LEN as u64)?;
        let mut walk = Walk::from_start(log_start, len, window);
        walk.step(source, 1)?;
        let header = log::verified_header(first(&walk))?;
        Ok(Self {
            start,
            key_slots,
            header,
            walk,
        })
    }

    fn snapshot(&self) -> &Commit<'static> {
        first(&self.walk)
    }

    /// The changes behind the snapshot.
    fn tail(&self) -> &[Commit<'static>] {
        self.walk.commits.get(1..).unwrap_or_default()
    }
}

fn first(walk: &Walk) -> &Commit<'static> {
    let first = walk.commits.first();
    first.expect("a walk from the start begins with a snapshot")
}

/// An identity has no key slot that names its vault: storage could present a vault of its own, and be
/// handed fresh secrets.
pub(super) fn require_expectation(way: &Way, options: &OpenOptions) -> Result<()> {
    if matches!(way, Way::Identity(_))
        && options.vault_id.is_none()
        && options.reference.is_none()
        && options.known.is_none()
    {
        return Err(Error::new(
            Code::VaultIdRequired,
            "an identity alone does not say which vault to trust",
        )
        .with_hint("give the vault reference too, or the vault id: the owner who made the grant knows them"));
    }
    Ok(())
}

impl From<&OpenOptions> for Bounds {
    fn from(options: &OpenOptions) -> Self {
        Self {
            memory_kib_max: options.memory_kib_max,
            work_kib_max: options.work_kib_max,
        }
    }
}

pub(super) fn not_mergeable() -> Error {
    Error::new(
        Code::NotMergeable,
        "these are two vaults, not two copies of one",
    )
    .with_hint("export the connectors of one and import them into the other")
}
