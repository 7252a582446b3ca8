//! The log: hash chain, signatures, head, torn tail (docs/format.md section 7).

mod reference;

pub use self::reference::VaultReference;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::access::{Rights, commit_message};
use crate::bytes::damaged;
use crate::crypto::identity::verify;
use crate::crypto::label::{self, bind};
use crate::crypto::{Hash, sha256};
use crate::error::{Code, Error, Result};
use crate::format::commit::{ADOPTED_LEN, Commit, FIXED_LEN, Fixed, Kind, adopted_place};
use crate::format::header::{Grant, Header};
use crate::format::hex::{Hex, VaultId};
use crate::json::strict::{self, object};
use crate::source::{Source, Window};

/// The newest commit of a vault: the witness against rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Which vault.
    pub vault_id: VaultId,
    /// How often its sealing keys have changed, from 1.
    pub epoch: u64,
    /// The commit's number, from 0; never goes back.
    pub seq: u64,
    pub(crate) hash: Hex<32>,
}

impl Head {
    /// The commit's hash, 64 base16 digits.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash.to_string()
    }
}

/// What a client keeps of the newest head it has seen: beside the head itself, the vault key, so that a former
/// owner's header is not believed, and the commitment to the epoch's index key, which tells apart two revocations.
/// JSON by serde.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownHead {
    /// The newest head seen.
    pub head: Head,
    pub(crate) vault_key: Hex<32>,
    pub(crate) index_commitment: Hex<32>,
}

impl KnownHead {
    /// Reads the JSON of docs/format.md section 9.
    pub fn parse(json: &str) -> Result<Self> {
        strict::read(json).map_err(|_| {
            Error::new(
                Code::InvalidArgument,
                "the known head does not follow the format",
            )
        })
    }

    pub(crate) fn new(head: Head, header: &Header) -> Self {
        Self {
            head,
            vault_key: header.vault_key,
            index_commitment: header.commitments.index,
        }
    }
}

object!(KnownHead {
    "head" => head,
    "vault_key" => vault_key,
    "index_commitment" => index_commitment,
});

object!(Head { "vault_id" => vault_id, "epoch" => epoch, "seq" => seq, "hash" => hash, });

/// How a vault relates to the newest head that the client had seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Continuity {
    /// No head was known.
    FirstSeen,
    /// The vault is at the known head or has grown from it.
    Continues,
    /// The known head is older than the list of superseded commits goes back.
    Unverifiable,
}

/// The end of a log that was being written when its writer died; it was never acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TornTail {
    /// Where it begins in the bytes that were opened.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
}

/// Where a walk goes on: the head before it.
#[derive(Clone, Copy)]
pub(crate) struct After {
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
}

impl After {
    fn commit(commit: &Commit<'_>) -> Self {
        Self {
            seq: commit.fixed.seq,
            hash: commit.hash,
        }
    }
}

/// Walks and hashes the chain of a log, as far as its structure and chain are sound. It reads the fronts of the commits;
/// their records only of a commit that may be torn.
pub(crate) struct Walk {
    pub(crate) commits: Vec<Commit<'static>>,
    pub(crate) torn: Option<TornTail>,
    after: Option<After>,
    /// Where the next commit begins in the file, and where the file ends.
    at: u64,
    end: u64,
    /// What offsets are counted from, in messages and reports.
    base: u64,
    window: Window,
}

impl Walk {
    /// A walk that begins with the snapshot, which is never torn: creation is atomic.
    pub(crate) fn from_start(at: u64, end: u64, window: Window) -> Self {
        Self {
            commits: Vec::new(),
            torn: None,
            after: None,
            at,
            end,
            base: 0,
            window,
        }
    }

    /// A walk through what was appended behind a head: its offsets count from there.
    pub(crate) fn behind(after: After, at: u64, end: u64) -> Self {
        Self {
            after: Some(after),
            base: at,
            ..Self::from_start(at, end, Window::default())
        }
    }

    /// How far it is in the file.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Goes on by at most so many commits. Whether it is at the end.
    pub(crate) fn step(&mut self, source: &dyn Source, count: usize) -> Result<bool> {
        if self.at == self.end && self.after.is_none() {
            return Err(damaged(self.at - self.base, "the log is empty"));
        }
        for _ in 0..count {
            if self.at == self.end || self.torn.is_some() {
                return Ok(true);
            }
            match self.next(source)? {
                Some(commit) => {
                    self.after = Some(After::commit(&commit));
                    self.at += commit.len;
                    self.commits.push(commit);
                }
                None => {
                    self.torn = Some(TornTail {
                        offset: self.at - self.base,
                        len: self.end - self.at,
                    });
                }
            }
        }
        Ok(false)
    }

    /// All of it.
    pub(crate) fn walked(mut self, source: &dyn Source) -> Result<Self> {
        while !self.step(source, usize::MAX)? {}
        Ok(self)
    }

    /// The next commit; `None` if what is there is a torn tail.
    fn next(&mut self, source: &dyn Source) -> Result<Option<Commit<'static>>> {
        let (at, offset, after) = (self.at, self.at - self.base, self.after);
        let left = self.end - at;
        let fixed = match left < FIXED_LEN as u64 {
            true => None,
            false => self.read(source, at, FIXED_LEN as u64)?.first_chunk(),
        };
        let Some(fixed) = fixed else {
            return match after {
                Some(_) => Ok(None),
                None => Err(damaged(offset, "the snapshot is cut short")),
            };
        };
        let Some(fixed) = Fixed::decode(fixed, offset)? else {
            return match after {
                Some(after) if self.is_torn_in_fixed(source, after)? => Ok(None),
                _ => Err(damaged(
                    offset,
                    "the check of a commit's fixed part does not hold",
                )),
            };
        };
        check_place(&fixed, offset, after)?;
        let len = fixed.len.saturating_add(FIXED_LEN as u64);
        if len > left {
            return match after {
                Some(_) => Ok(None),
                None => Err(damaged(
                    offset,
                    format!(
                        "the snapshot claims {} bytes, has {}",
                        fixed.len,
                        left - FIXED_LEN as u64
                    ),
                )),
            };
        }
        let mut wanted = FIXED_LEN as u64;
        let decoded = loop {
            let bytes = self.read(source, at, wanted)?;
            let bytes = &bytes[..bytes.len().min(usize::try_from(len).unwrap_or(usize::MAX))];
            let decoded = Commit::decode(fixed, bytes, offset);
            let missing = decoded.as_ref().err().and_then(Error::missing);
            let Some(range) = missing.and_then(|missing| missing.ranges().last()) else {
                break decoded.map(Commit::into_owned);
            };
            // It says how much more it takes.
            wanted = range.end - offset;
        };
        if after.is_none() {
            return decoded.map(Some);
        }
        match self.look_behind(source, len, decoded.as_ref().ok())? {
            Tear::Possible => Ok(None),
            Tear::None => decoded.map(Some),
        }
    }

    /// Bytes of the file from `at` on: so many, and perhaps more.
    fn read(&mut self, source: &dyn Source, at: u64, len: u64) -> Result<&[u8]> {
        let bytes = self.window.get(source, at..at + len, self.end);
        bytes.map_err(Error::unread)
    }

    /// Whether the commit of so many bytes that is next was being written when its writer died. `decoded`: the commit,
    /// if its structure holds.
    fn look_behind(
        &mut self,
        source: &dyn Source,
        len: u64,
        decoded: Option<&Commit<'_>>,
    ) -> Result<Tear> {
        let end = self.at + len;
        // Whatever stands behind a commit would have been written after it.
        let next = self.read(source, end, (self.end - end).min(FIXED_LEN as u64))?;
        let next_len = next.len().min(FIXED_LEN);
        if !is_zero(&next[..next_len]) {
            return Ok(Tear::None);
        }
        let mut bytes = Vec::new();
        source
            .read(self.at..end, &mut bytes)
            .map_err(Error::unread)?;
        let lacks_bytes =
            ends_in_zeros(&bytes) || parts(&bytes, self.at).any(|(_, part)| is_zero(part));
        let is_whole = decoded.is_some_and(|commit| commit.has_sound_body(&bytes));
        Ok(
            match lacks_bytes && !is_whole && self.is_zero_from(source, end)? {
                true => Tear::Possible,
                false => Tear::None,
            },
        )
    }

    /// Whether what is left, whose fixed part's check does not hold, is a commit that was being written.
    fn is_torn_in_fixed(&mut self, source: &dyn Source, after: After) -> Result<bool> {
        let (at, left) = (self.at, self.end - self.at);
        // The fixed part, and the blocks that it stands in.
        let wanted = left.min((FIXED_LEN + 2 * BLOCK_LEN) as u64);
        let bytes = self.read(source, at, wanted)?;
        let bytes = bytes[..usize::try_from(wanted).unwrap_or(usize::MAX)].to_vec();
        let zeros_from = bytes.len() - trailing_zeros(&bytes);
        if zeros_from < FIXED_LEN
            && left - zeros_from as u64 >= TORN_ZEROS_MIN as u64
            && self.is_zero_from(source, at + zeros_from as u64)?
        {
            return Ok(true);
        }
        let mut missing = parts(&bytes, at).take_while(|(start, _)| *start < FIXED_LEN);
        Ok(missing.any(|(_, part)| is_zero(part)) && !self.is_followed(source, after)?)
    }

    /// Whether nothing but zeros stands from there on.
    fn is_zero_from(&mut self, source: &dyn Source, from: u64) -> Result<bool> {
        let mut at = from;
        while at < self.end {
            let bytes = self.read(source, at, 1)?;
            if !is_zero(bytes) {
                return Ok(false);
            }
            at += bytes.len() as u64;
        }
        Ok(true)
    }

    /// Whether a later commit begins behind the one that is next, whose length is not known: then that one was stored
    /// once, and has lost a block since.
    fn is_followed(&mut self, source: &dyn Source, after: After) -> Result<bool> {
        let due = after.seq.saturating_add(1);
        // No more commits than there is room for: nearly every place is ruled out without a hash.
        let last = due.saturating_add((self.end - self.at) / FIXED_LEN as u64);
        let begins = |bytes: &[u8; FIXED_LEN]| {
            let fixed = Fixed::peek(bytes);
            fixed.is_some_and(|(kind, seq)| kind == Kind::Changes && seq > due && seq <= last)
                && matches!(Fixed::decode(bytes, 0), Ok(Some(_)))
        };
        let mut at = self.at + 1;
        while at + FIXED_LEN as u64 <= self.end {
            let bytes = self.read(source, at, FIXED_LEN as u64)?;
            let places = bytes.len() - (FIXED_LEN - 1);
            if (0..places).any(|start| bytes[start..].first_chunk().is_some_and(begins)) {
                return Ok(true);
            }
            at += places as u64;
        }
        Ok(false)
    }
}

/// Whether a commit may have been written in part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tear {
    None,
    Possible,
}

/// Seq and hash of the commit at the start of bytes that this program has made.
pub(crate) fn lone(log: &[u8]) -> Option<(u64, Hash)> {
    let fixed = Fixed::decode(log.first_chunk()?, 0).ok()??;
    let seq = fixed.seq;
    let commit = Commit::decode(fixed, log, 0).ok()?;
    Some((seq, commit.hash))
}

/// Disks write at least so many bytes at once, and a power failure takes them together.
const BLOCK_LEN: usize = 512;

/// The parts of a commit at `at` in the file that lie in different blocks of the file, with their offsets in the commit.
fn parts(bytes: &[u8], at: u64) -> impl Iterator<Item = (usize, &[u8])> {
    let before = usize::try_from(at % BLOCK_LEN as u64).unwrap_or_default();
    let (first, rest) = bytes.split_at(bytes.len().min(BLOCK_LEN - before));
    let mut start = 0;
    std::iter::once(first)
        .chain(rest.chunks(BLOCK_LEN))
        .map(move |part| {
            let at = start;
            start += part.len();
            (at, part)
        })
}

fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; BLOCK_LEN] = [0; BLOCK_LEN];
    let mut parts = bytes.chunks(BLOCK_LEN);
    parts.all(|part| *part == ZEROS[..part.len()])
}

/// Zero bytes at the end of a commit from which on it counts as torn: no sound commit ends in so
/// many, since what a delete ends in is a 16-byte tag.
const TORN_ZEROS_MIN: usize = 8;

fn ends_in_zeros(bytes: &[u8]) -> bool {
    trailing_zeros(bytes) >= TORN_ZEROS_MIN
}

fn trailing_zeros(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|byte| **byte == 0).count()
}

fn check_place(fixed: &Fixed, offset: u64, after: Option<After>) -> Result<()> {
    match after {
        None if fixed.kind != Kind::Snapshot => {
            Err(damaged(offset, "the log does not begin with a snapshot"))
        }
        None if fixed.seq == 0 && fixed.prev != [0; 32] => {
            Err(damaged(offset, "the first commit names one before it"))
        }
        None => Ok(()),
        Some(_) if fixed.kind == Kind::Snapshot => {
            Err(damaged(offset, "a snapshot follows another commit"))
        }
        Some(after) if after.seq.checked_add(1) != Some(fixed.seq) => Err(damaged(
            offset,
            format!("commit {} follows commit {}", fixed.seq, after.seq),
        )),
        Some(after) if fixed.prev != after.hash => Err(damaged(
            offset,
            format!(
                "commit {} does not follow from the one before it",
                fixed.seq
            ),
        )),
        Some(_) => Ok(()),
    }
}

/// Decodes the header of a snapshot and verifies vault id, handovers and signature.
pub(crate) fn verified_header(snapshot: &Commit<'_>) -> Result<Header> {
    let Some(part) = snapshot.snapshot() else {
        return Err(damaged(
            snapshot.offset,
            "the log does not begin with a snapshot",
        ));
    };
    let header = Header::decode(&part.header, part.header_offset)?;
    if header.seq != snapshot.fixed.seq {
        return Err(damaged(
            part.header_offset,
            format!("the header is of the snapshot {}", header.seq),
        ));
    }
    let mut before = 0;
    for handover in &header.handovers {
        if handover.seq <= before || handover.seq > snapshot.fixed.seq {
            return Err(damaged(
                part.header_offset,
                "the seqs of handovers do not ascend from 1 to that of the snapshot",
            ));
        }
        before = handover.seq;
    }
    let bad = |what: &str| {
        Err(Error::new(
            Code::BadSignature,
            format!("at offset {}: {what}", part.header_offset),
        ))
    };
    if vault_id(&header.first_key().0) != header.vault_id {
        return bad("the vault id is not that of the first vault key");
    }
    let mut key = header.first_key();
    for handover in &header.handovers {
        let message = handover_message(
            header.vault_id,
            &handover.old.0,
            &handover.new.0,
            handover.seq,
        );
        if handover.old != key || !verify(&key.0, &message, &handover.signature.0) {
            return bad("a handover of the vault key is not signed by the key before it");
        }
        key = handover.new;
    }
    let mut keys: Vec<_> = header
        .handovers
        .iter()
        .map(|handover| handover.new)
        .collect();
    keys.push(header.first_key());
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return bad("a vault key stands twice in the handovers");
    }
    if key != header.vault_key {
        return bad("the handovers do not end at the vault key");
    }
    let message = header_message(header.vault_id, &part.header);
    if !verify(&key.0, &message, &part.header_signature) {
        return bad("the header is not signed by the vault key");
    }
    Ok(header)
}

pub(crate) fn vault_id(first_key: &[u8; 32]) -> VaultId {
    VaultId(Hex(sha256(&bind(label::VAULT, &[first_key]))))
}

pub(crate) fn header_message(vault_id: VaultId, header: &[u8]) -> Vec<u8> {
    bind(label::HEADER, &[vault_id.as_bytes(), header])
}

pub(crate) fn handover_message(
    vault_id: VaultId,
    old: &[u8; 32],
    new: &[u8; 32],
    seq: u64,
) -> Vec<u8> {
    bind(
        label::HANDOVER,
        &[vault_id.as_bytes(), old, new, &seq.to_le_bytes()],
    )
}

/// The grant of a commit's author, if its rights permit such a commit at all.
pub(crate) fn author<'h>(header: &'h Header, commit: &Commit<'_>) -> Result<&'h Grant> {
    let seq = commit.fixed.seq;
    let refuse = |what: String| {
        let offset = commit.offset;
        let message = format!("commit {seq} at offset {offset}: {what}");
        Err(Error::new(Code::UnauthorizedCommit, message))
    };
    let Some(grant) = header.grants.get(usize::from(commit.fixed.author)) else {
        return refuse("its author has no grant".into());
    };
    let rights = Rights::of(&grant.rights);
    let (permitted, what) = match commit.fixed.kind {
        Kind::Snapshot => (rights.owns(), "snapshots"),
        Kind::Changes => (rights.commit(), "changes"),
    };
    if !permitted {
        return refuse(format!(
            "its author {:?} has no right to make {what}",
            grant.label
        ));
    }
    Ok(grant)
}

/// Verifies the signature of one commit.
pub(crate) fn verify_commit(header: &Header, commit: &Commit<'_>) -> Result<()> {
    let grant = author(header, commit)?;
    if verify(
        &grant.ed25519.0,
        &commit_message(header.vault_id, &commit.signed),
        &commit.signature,
    ) {
        return Ok(());
    }
    Err(Error::new(
        Code::BadSignature,
        format!(
            "commit {} at offset {} is not signed by its author",
            commit.fixed.seq, commit.offset
        ),
    ))
}

/// Verifies what vouches for all commits: behind the newest one by an owner, or the head that this client has verified
/// before, each author's newest commit; and the owner's (docs/format.md section 7.2).
pub(crate) struct Vouching {
    /// How many commits, from the oldest on, were not looked at.
    left: usize,
    verified: HashSet<u16>,
    is_vouched_for: bool,
}

impl Vouching {
    /// For so many commits.
    pub(crate) fn of(commits: usize) -> Self {
        Self {
            left: commits,
            verified: HashSet::new(),
            is_vouched_for: false,
        }
    }

    /// Goes on by at most so many signatures. Whether it is done.
    pub(crate) fn step(
        &mut self,
        header: &Header,
        commits: &[Commit<'_>],
        known: Option<&Head>,
        mut signatures: usize,
    ) -> Result<bool> {
        while let Some(commit) = commits[..self.left].last() {
            let grant = author(header, commit)?;
            self.is_vouched_for |= known
                .is_some_and(|known| known.seq == commit.fixed.seq && known.hash.0 == commit.hash);
            // Every commit has to have an author, also before it.
            if !self.is_vouched_for {
                if !self.verified.contains(&commit.fixed.author) {
                    let Some(rest) = signatures.checked_sub(1) else {
                        return Ok(false);
                    };
                    signatures = rest;
                    verify_commit(header, commit)?;
                    self.verified.insert(commit.fixed.author);
                }
                self.is_vouched_for = grant.owns();
            }
            self.left -= 1;
        }
        Ok(true)
    }
}

/// All of it at once.
pub(crate) fn verify_authors(
    header: &Header,
    commits: &[Commit<'_>],
    known: Option<&Head>,
) -> Result<()> {
    Vouching::of(commits.len())
        .step(header, commits, known, usize::MAX)
        .map(drop)
}

/// Compares a vault with the newest head that the client has seen.
/// Fails with `wrong_vault`, `rolled_back`, `forked` or `untrusted_owner`.
pub(crate) fn continuity(
    header: &Header,
    commits: &[Commit<'_>],
    known: Option<&KnownHead>,
) -> Result<Continuity> {
    let (Some(known), Some(snapshot), Some(head)) = (known, commits.first(), commits.last()) else {
        return Ok(Continuity::FirstSeen);
    };
    check_header(header, known, snapshot.fixed.seq)?;
    // A merge has taken over what stands up to there, whatever the numbers say.
    if snapshot
        .snapshot()
        .is_some_and(|part| adopts(&part.adopted, &known.head))
    {
        return Ok(Continuity::Continues);
    }
    let (seen, now) = (known.head.seq, head.fixed.seq);
    if seen > now {
        return Err(Error::new(
            Code::RolledBack,
            format!("the vault is at commit {now}, but commit {seen} was seen before"),
        )
        .with_hint(format!(
            "first look for the newer vault, for instance on another machine or in a later backup, and put it \
             back; only if it is lost, accept this older one: every change after commit {now} is gone then"
        )));
    }
    let first = snapshot.fixed.seq;
    if let Some(index) = seen.checked_sub(first) {
        let commit = usize::try_from(index)
            .ok()
            .and_then(|index| commits.get(index));
        return match commit {
            Some(commit) if commit.hash == known.head.hash.0 => Ok(Continuity::Continues),
            _ => Err(forked(seen)),
        };
    }
    let superseded = snapshot.superseded();
    let back = usize::try_from(first - seen).unwrap_or(usize::MAX);
    match superseded
        .len()
        .checked_sub(back)
        .and_then(|index| superseded.get(index))
    {
        Some(hash) if *hash == known.head.hash.0 => Ok(Continuity::Continues),
        Some(_) => Err(forked(seen)),
        None => Ok(Continuity::Unverifiable),
    }
}

/// Compares a header, the one of the snapshot `seq`, with the newest head that the client has seen.
/// Fails with `wrong_vault`, `rolled_back`, `untrusted_owner` or `forked`.
pub(crate) fn check_header(header: &Header, known: &KnownHead, seq: u64) -> Result<()> {
    if known.head.vault_id != header.vault_id {
        return Err(wrong_vault(known.head.vault_id, header.vault_id));
    }
    if known.head.epoch > header.epoch {
        return Err(Error::new(
            Code::RolledBack,
            format!(
                "the header has epoch {}, but {} was seen before",
                header.epoch, known.head.epoch
            ),
        )
        .with_hint("it is from an old copy, with the grants of then; look for a newer one"));
    }
    if !reaches(header, &known.vault_key) {
        return Err(untrusted_owner(seq));
    }
    // Two owners who revoke apart reach one epoch with different keys.
    match known.head.epoch == header.epoch && known.index_commitment != header.commitments.index {
        true => Err(forked(known.head.seq)),
        false => Ok(()),
    }
}

/// Whether a head is one of the commits of merged copies that a snapshot lists.
pub(crate) fn adopts(adopted: &[[u8; ADOPTED_LEN]], head: &Head) -> bool {
    let place = (head.seq, head.hash.0.as_slice());
    let found = adopted.binary_search_by(|one| {
        let (seq, hash) = adopted_place(one);
        (seq, hash).cmp(&place)
    });
    found.is_ok()
}

fn forked(seen: u64) -> Error {
    Error::new(
        Code::Forked,
        format!("the vault does not contain the commit {seen} that was seen before"),
    )
    .with_hint("two copies were changed apart: merge them, or accept this one on purpose")
}

/// Whether the vault key of a header is this one, or its successor.
pub(crate) fn reaches(header: &Header, key: &Hex<32>) -> bool {
    let mut handovers = header.handovers.iter();
    header.vault_key == *key || handovers.any(|handover| handover.old == *key)
}

/// Whether a vault key has replaced the one that the client has seen.
pub(crate) fn has_new_key(header: &Header, known: Option<&KnownHead>) -> bool {
    known.is_some_and(|known| known.vault_key != header.vault_key)
}

fn untrusted_owner(seq: u64) -> Error {
    Error::new(
        Code::UntrustedOwner,
        format!("the vault key of the snapshot {seq} does not come from the one that this client has seen"),
    )
    .with_hint("ask an owner whether this is right, then accept the vault on purpose")
}

pub(crate) fn wrong_vault(expected: VaultId, found: VaultId) -> Error {
    Error::new(
        Code::WrongVault,
        format!("this is the vault {found}, expected was {expected}"),
    )
    .with_hint("somebody may have put another vault in the place of yours")
}
