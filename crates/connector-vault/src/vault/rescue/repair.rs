//! Repair: a sound vault from what is intact of a damaged one (docs/format.md section 12).

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::access::{Access, Unlock, not_permitted};
use crate::bytes::damaged;
use crate::connector::{Op, Version};
use crate::crypto::Hash;
use crate::error::Result;
use crate::format::commit::{
    Commit, FIXED_LEN, Fixed, Kind, NewRecord, RecordBytes, SIGNATURE_LEN,
};
use crate::format::header::Header;
use crate::format::hex::VaultId;
use crate::format::key_slots;
use crate::format::{PREFIX_LEN, check_file_len, mangled, split_file};
use crate::limits;
use crate::log;
use crate::vault::Vault;
use crate::vault::commit::{Chain, next_counter, snapshot_file};
use crate::vault::index::DamagedRecord;
use crate::vault::index::{Before, Facts, Rules};
use crate::vault::open::{OpenOptions, access_by, require_expectation};
use crate::vault::record::{OpenedOverview, Overview, RecordKeys, is_signed_by};

/// What a repair saved, and what not.
#[derive(Debug)]
#[non_exhaustive]
pub struct Repaired {
    /// The bytes of the sound vault.
    pub file: Vec<u8>,
    /// The vault, open.
    pub vault: Vault,
    /// How many connector versions were saved because they stand under a verified signature.
    pub recovered: usize,
    /// Versions that open but stand under no signature: a reader could have made them. They are in
    /// the vault only if that was asked for.
    pub quarantined: Vec<Overview>,
    /// Records that are lost.
    pub lost: Vec<DamagedRecord>,
    /// Stretches of the file that hold no readable commit.
    pub gaps: Vec<Gap>,
}

/// A stretch of the file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Where it begins.
    pub offset: u64,
    /// Its length.
    pub len: u64,
}

/// A version that was found, with its sealed record.
struct Found<'a> {
    record: RecordBytes<'a>,
    overview: Overview,
    signed: bool,
}

impl Vault {
    /// The id of the vault that [`repair`](Self::repair) would find in these bytes.
    #[must_use]
    pub fn identify_damaged(file: &[u8]) -> Option<VaultId> {
        let log_start = split_file(file).map_or(PREFIX_LEN.min(file.len()), |(_, start)| start);
        let (commits, _) = find_commits(file, log_start);
        let header = commits
            .iter()
            .find_map(|commit| log::verified_header(commit).ok())?;
        Some(header.vault_id)
    }

    /// Makes a sound vault of what is intact of a damaged one: every record that stands under a
    /// verified signature, by its hash. Those that merely open prove nothing, since a reader could
    /// have made them; `unsigned` takes them all the same. Needs an owner, who signs the result.
    ///
    /// Fails with `damaged` if the header is, since the keys are in it; with `vault_id_required` as
    /// [`open`](Self::open) does.
    pub fn repair(
        file: &[u8],
        unlock: Unlock<'_>,
        options: &OpenOptions,
        unsigned: bool,
    ) -> Result<Repaired> {
        require_expectation(unlock, options)?;
        check_file_len(file.len() as u64)?;
        // A damaged start costs the key slots; an identity opens the vault without them.
        let (key_slots, log_start) = match split_file(file) {
            Ok((part, start)) => (
                key_slots::decode(part, PREFIX_LEN as u64).unwrap_or_default(),
                start,
            ),
            Err(_) => (Vec::new(), PREFIX_LEN.min(file.len())),
        };
        let (commits, gaps) = find_commits(file, log_start);
        let header = commits
            .iter()
            .find_map(|commit| log::verified_header(commit).ok());
        let header = header.ok_or_else(|| {
            let error = damaged(
                log_start as u64,
                "no sound header is left, and the keys are in it",
            );
            mangled::explain(error.with_hint("restore a backup"), file)
        })?;
        if let Some(expected) = options
            .vault_id
            .filter(|expected| *expected != header.vault_id)
        {
            return Err(log::wrong_vault(expected, header.vault_id));
        }
        if let Some(known) = &options.known {
            // The seq does not tell: the newest commits may be among the lost ones.
            let seq = commits.first().map_or(0, |commit| commit.fixed.seq);
            log::check_header(&header, known, seq)?;
        }
        let access = access_by(unlock, options)(&header, &key_slots, &mut Vec::new())?;
        if !access.rights().owns() {
            return Err(not_permitted("only an owner can sign the repaired vault"));
        }
        let mut salvage = Salvage::new(&access, &header);
        // Only what is signed and in its place: anybody can make a commit whose structure holds.
        let mut signed = Vec::new();
        for commit in &commits {
            if salvage.commit(commit) {
                signed.push(commit);
            }
        }
        let (found, quarantined, lost) = salvage.finish(unsigned);
        let recovered = found
            .values()
            .flatten()
            .filter(|found| found.signed)
            .count();
        let records: Vec<_> = found
            .values()
            .flatten()
            .map(|found| NewRecord::new(found.record.bytes))
            .collect();
        let newest = signed.last().copied();
        let newest = newest.ok_or_else(|| {
            let error = damaged(log_start as u64, "no sound commit is left");
            mangled::explain(error.with_hint("restore a backup"), file)
        })?;
        let superseded = superseded(&signed, newest);
        let chain = Chain {
            seq: next_counter(newest.fixed.seq)?,
            prev: newest.hash,
            superseded: &superseded,
        };
        let file = snapshot_file(&access, &header, &key_slots, &chain, &records)?;
        let vault = Self::load(
            file.clone(),
            &OpenOptions::default(),
            Box::new(|_, _, _| Ok(access)),
        )?;
        Ok(Repaired {
            file,
            vault,
            recovered,
            quarantined,
            lost,
            gaps,
        })
    }
}

/// Every commit whose structure holds, in the order of the file, and the stretches between them.
fn find_commits(file: &[u8], log_start: usize) -> (Vec<Commit<'_>>, Vec<Gap>) {
    let mut commits = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let mut at = log_start;
    // What false starts may cost in all: each claims bytes to look at, and anybody can write many.
    let mut budget = file.len().saturating_mul(8);
    while at < file.len() {
        let rest = &file[at..];
        match sound_commit(rest, at as u64, &mut budget) {
            Some(commit) => {
                at += commit.len;
                commits.push(commit);
            }
            None => {
                match gaps.last_mut() {
                    Some(gap) if gap.offset + gap.len == at as u64 => gap.len += 1,
                    _ => gaps.push(Gap {
                        offset: at as u64,
                        len: 1,
                    }),
                }
                at += 1;
            }
        }
    }
    (commits, gaps)
}

fn sound_commit<'a>(rest: &'a [u8], offset: u64, budget: &mut usize) -> Option<Commit<'a>> {
    let fixed = Fixed::decode(rest.first_chunk::<FIXED_LEN>()?, offset).ok()??;
    let len = usize::try_from(fixed.len).ok()?.checked_add(FIXED_LEN)?;
    let bytes = rest.get(..len)?;
    *budget = budget.checked_sub(len)?;
    Commit::decode(fixed, bytes, offset).ok()
}

/// Hashes of the commits before the repaired snapshot, as far back as they follow each other: each
/// commit tells the one before it, also where that is lost.
fn superseded(commits: &[&Commit<'_>], newest: &Commit<'_>) -> Vec<Hash> {
    let mut hashes: HashMap<u64, Hash> = HashMap::new();
    for commit in commits {
        if let Some(before) = commit.fixed.seq.checked_sub(1) {
            hashes.entry(before).or_insert(commit.fixed.prev);
        }
        if let Some(part) = &commit.snapshot {
            for (back, hash) in part.superseded.iter().rev().enumerate() {
                if let Some(seq) = commit.fixed.seq.checked_sub(back as u64 + 1) {
                    hashes.entry(seq).or_insert(*hash);
                }
            }
        }
    }
    hashes.insert(newest.fixed.seq, newest.hash);
    let mut superseded = Vec::new();
    let mut seq = Some(newest.fixed.seq);
    while let Some(hash) = seq.and_then(|seq| hashes.get(&seq)) {
        if superseded.len() == limits::SUPERSEDED_MAX {
            break;
        }
        superseded.push(*hash);
        seq = seq.and_then(|seq| seq.checked_sub(1));
    }
    superseded.reverse();
    superseded
}

/// Collects what is intact.
struct Salvage<'a> {
    header: &'a Header,
    keys: RecordKeys,
    found: BTreeMap<String, Vec<Found<'a>>>,
    lost: Vec<DamagedRecord>,
    last: Option<Last>,
}

/// The newest commit in its place.
struct Last {
    seq: u64,
    /// Where it ends in the file.
    end: u64,
    /// Unknown if the commit is damaged.
    hash: Option<Hash>,
}

impl Last {
    /// Whether a commit may stand behind it: next to it or, where bytes between them are lost, as
    /// many commits further as those bytes can have held.
    fn may_precede(&self, commit: &Commit<'_>) -> bool {
        let Some(between) = commit.fixed.seq.checked_sub(self.seq + 1) else {
            return false;
        };
        let lost = commit.offset.saturating_sub(self.end) / COMMIT_LEN_MIN;
        let follows = between > 0 || self.hash.is_none_or(|hash| hash == commit.fixed.prev);
        commit.fixed.kind == Kind::Changes && between <= lost && follows
    }
}

/// Bytes of a commit without records.
const COMMIT_LEN_MIN: u64 = (FIXED_LEN + 4 + SIGNATURE_LEN) as u64;

impl<'a> Salvage<'a> {
    fn new(access: &Access, header: &'a Header) -> Self {
        Self {
            header,
            keys: RecordKeys::new(&access.bundle, header),
            found: BTreeMap::new(),
            lost: Vec::new(),
            last: None,
        }
    }

    /// Takes what is intact in a commit; whether it is signed and in its place.
    fn commit(&mut self, commit: &Commit<'a>) -> bool {
        // The first is the snapshot. An old commit that somebody put here again proves nothing.
        let in_place = match &self.last {
            None => commit.snapshot.is_some(),
            Some(last) => last.may_precede(commit),
        };
        let signed = in_place && log::verify_commit(self.header, commit).is_ok();
        if signed || (in_place && self.last.is_none()) {
            self.last = Some(Last {
                seq: commit.fixed.seq,
                end: commit.offset + commit.len as u64,
                hash: signed.then_some(commit.hash),
            });
        }
        for record in commit.records() {
            match self.open(commit, record, signed) {
                Ok(found) => {
                    let id = found.overview.id.as_str().to_owned();
                    self.found.entry(id).or_default().push(found);
                }
                Err(connector) => self.lost.push(DamagedRecord {
                    seq: commit.fixed.seq,
                    offset: record.offset,
                    connector,
                }),
            }
        }
        signed
    }

    /// The version in a record, if all of it opens; else its connector, if that much is known.
    fn open(
        &self,
        commit: &Commit<'_>,
        record: RecordBytes<'a>,
        signed: bool,
    ) -> Result<Found<'a>, Option<String>> {
        let (sealed, secrets) = record.split().map_err(|_| None)?;
        let mut plaintext = Vec::new();
        let group = self
            .keys
            .find_overview(sealed, &mut plaintext)
            .ok_or(None)?;
        let opened = OpenedOverview::parse(&plaintext).map_err(|_| None)?;
        let overview = &opened.overview;
        let sound = match overview.op {
            _ if self.keys.group_id(group) != Some(overview.group) => false,
            Op::Delete => secrets.is_empty(),
            _ => matches!(self.keys.read_secrets(group, &opened, secrets), Ok(Ok(_))),
        };
        // Nothing that its author did not sign comes under the owner's signature, also not on request.
        let key = self.header.key_of(overview.author);
        let is_signed = key.is_some_and(|key| {
            is_signed_by(key, self.header.vault_id, &opened.hash, &opened.signature)
        });
        if !sound || !is_signed {
            return Err(Some(overview.id.as_str().to_owned()));
        }
        let overview = opened.overview;
        let permitted = signed && self.permits(commit, &overview, !secrets.is_empty());
        Ok(Found {
            signed: permitted && record.is_intact(),
            overview,
            record,
        })
    }

    fn permits(&self, commit: &Commit<'_>, overview: &Overview, has_secrets: bool) -> bool {
        let Ok(rules) = Rules::of(self.header, commit, true) else {
            return false;
        };
        let facts = Facts {
            op: overview.op,
            version: overview.version,
            has_secrets,
            group: overview.group,
        };
        if !rules.permits_author(self.header, overview.author) {
            return false;
        }
        let found = self
            .found
            .get(overview.id.as_str())
            .map_or(&[][..], Vec::as_slice);
        let before = found
            .iter()
            .rev()
            .find(|found| found.signed)
            .map(|found| &found.overview);
        // With its predecessor lost, an updater's record could create a connector.
        if before.is_none() && !rules.by_owner() {
            return false;
        }
        let same_identity = || {
            before.is_some_and(|before| {
                before.name == overview.name
                    && before.type_name == overview.type_name
                    && before.meta == overview.meta
            })
        };
        let before = before.map(|before| Before {
            version: before.version,
            op: before.op,
            group: before.group,
        });
        rules.check(&facts, before, same_identity).is_ok()
    }

    /// The versions to keep, by connector and ascending; the quarantined; the lost.
    fn finish(
        self,
        unsigned: bool,
    ) -> (
        BTreeMap<String, Vec<Found<'a>>>,
        Vec<Overview>,
        Vec<DamagedRecord>,
    ) {
        let mut kept = BTreeMap::new();
        let mut quarantined = Vec::new();
        for (id, mut found) in self.found {
            // A signed version wins over one that claims its place.
            found.sort_by_key(|found| (found.overview.version, !found.signed));
            let mut versions: Vec<Found<'a>> = Vec::new();
            let mut newest: Option<Version> = None;
            for found in found {
                let is_new = newest.is_none_or(|newest| found.overview.version > newest);
                if !found.signed {
                    quarantined.push(found.overview.clone());
                }
                if is_new && (found.signed || unsigned) {
                    newest = Some(found.overview.version);
                    versions.push(found);
                }
            }
            if !versions.is_empty() {
                kept.insert(id, versions);
            }
        }
        (kept, quarantined, self.lost)
    }
}
