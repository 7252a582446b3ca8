//! Repair: a sound vault from what is intact of a damaged one (docs/format.md section 12).

mod chain;
mod records;

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::Serialize;

use self::chain::{Chain as Followed, Pieces};
use self::records::Records;
use crate::access::{Unlock, Way, not_permitted};
use crate::bytes::damaged;
use crate::connector::{ConnectorId, Version};
use crate::crypto::Hash;
use crate::error::{Error, Result};
use crate::format::commit::Commit;
use crate::format::header::Header;
use crate::format::hex::VaultId;
use crate::format::key_slots;
use crate::format::{PREFIX_LEN, check_file_len, mangled, split_file};
use crate::log;
use crate::source::Piece;
use crate::vault::commit::{Links, NewVersion, next_counter, snapshot_file};
use crate::vault::index::IndexKeys;
use crate::vault::open::{OpenOptions, require_expectation};
use crate::vault::record::{Overview, RecordKeys};
use crate::vault::{Host, Vault};

/// Hashes of commits by their seq.
type HashOf = HashMap<u64, Hash>;

/// What an owner takes beside what is sure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepairOptions {
    /// Takes the versions of [`Repaired::elsewhere`] too, as far as they are newer than what is kept of their connector.
    pub elsewhere: bool,
    /// Goes on where a newer header may have stood, although an older one could bring back revoked grants: the owner
    /// has looked at the grants that the error names.
    pub older_header: bool,
}

/// A record that is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LostRecord {
    /// The commit that carries it.
    pub seq: u64,
    /// Where the length in front of its sealed overview stands in the file.
    pub offset: u64,
    /// Its connector, if its overview still opens.
    pub connector: Option<String>,
    /// `damaged`, `false_record` for one that breaks a rule, or `unauthorized_commit` for one that its author had no
    /// right to.
    pub code: &'static str,
}

/// Why a version is not kept although it opens and is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Its commit does not follow from the others: it may be one that was discarded.
    NotInPlace,
    /// Its page is lost, and its author may not make such a version any more.
    NoPage,
    /// It renames its connector.
    Face,
}

/// A version that is not kept unless the owner asks for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Elsewhere {
    /// What it says.
    pub overview: Overview,
    /// Why it is not kept.
    pub reason: Reason,
}

/// A version that the owner added: its connector had a newer one than what is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RestoredVersion {
    /// The connector.
    pub id: ConnectorId,
    /// The version that was added.
    pub version: Version,
}

/// What a repair saved, and what not.
#[derive(Debug)]
#[non_exhaustive]
pub struct Repaired {
    /// The bytes of the sound vault.
    pub file: Vec<u8>,
    /// The vault, open.
    pub vault: Vault,
    /// How many connector versions were kept.
    pub recovered: usize,
    /// Versions of connectors of which a newer one is lost.
    pub restored: Vec<RestoredVersion>,
    /// Versions that open and are signed, but not in their place. They are in the vault only if that was asked for.
    pub elsewhere: Vec<Elsewhere>,
    /// Records that are lost.
    pub lost: Vec<LostRecord>,
    /// Stretches of the file that hold no readable commit.
    pub gaps: Vec<Gap>,
    /// Whether the signature of the snapshot holds. If not, its pages are taken because members alone can make such.
    pub is_snapshot_signed: bool,
}

/// A stretch of the file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Where it begins.
    pub offset: u64,
    /// Its length.
    pub len: u64,
}

impl Vault {
    /// The id of the vault that [`repair`](Self::repair) would find in these bytes.
    #[must_use]
    pub fn identify_damaged(file: &[u8]) -> Option<VaultId> {
        let log_start = split_file(file).map_or(PREFIX_LEN.min(file.len()), |(_, start)| start);
        let pieces = Pieces::find(file, log_start);
        let header = pieces
            .commits
            .iter()
            .find_map(|commit| log::verified_header(commit).ok())?;
        Some(header.vault_id)
    }

    /// Makes a sound vault of what is intact of a damaged one: of the newest header that is acceptable, its snapshot and
    /// the commits that follow from it under signatures. Needs an owner, who signs the result.
    ///
    /// Fails with `damaged` if no header is left, since the keys are in it, or where a newer one may have stood; with
    /// `rolled_back` if a commit that the client has seen is lost; with `vault_id_required` as [`open`](Self::open) does.
    pub fn repair(
        file: &[u8],
        unlock: Unlock<'_>,
        options: &OpenOptions,
        repair: RepairOptions,
        host: &mut Host<'_>,
    ) -> Result<Repaired> {
        let way = Way::from(unlock);
        require_expectation(&way, options)?;
        check_file_len(file.len() as u64)?;
        // A damaged start costs the key slots; an identity opens the vault without them.
        let (key_slots, log_start) = match split_file(file) {
            Ok((part, start)) => (
                key_slots::decode(part, PREFIX_LEN as u64).unwrap_or_default(),
                start,
            ),
            Err(_) => (Vec::new(), PREFIX_LEN.min(file.len())),
        };
        let pieces = Pieces::find(file, log_start);
        let commits = &pieces.commits;
        let Some((first, header)) = newest_header(commits, options)? else {
            let error = damaged(
                log_start as u64,
                "no sound header is left, and the keys are in it",
            );
            let error = error.with_hint("restore a backup");
            return Err(mangled::explain(error, &Piece::file(file)));
        };
        if !repair.older_header {
            check_newest(&pieces, &header)?;
        }
        let access = way.access(&header, &key_slots, options.into(), &mut Vec::new())?;
        if !access.rights().owns() {
            return Err(not_permitted("only an owner can sign the repaired vault"));
        }
        let known = options.known.as_ref().map(|known| &known.head);
        let followed = Followed::of(commits, first, &header, known);
        let in_place = || followed.in_place.iter().map(|index| &commits[*index]);
        let hashes = chain::hashes(&in_place().collect::<Vec<_>>());
        if let Some(known) = known {
            chain::check_known(known, &hashes, &commits[first])?;
        }

        let index = IndexKeys::new(access.bundle.index(), header.vault_id, header.epoch);
        let keys = RecordKeys::new(&access.bundle, &header);
        let mut records = Records::new(file, &header, &index, &keys);
        for commit in in_place() {
            records.take(commit, followed.is_signed);
        }
        for (number, commit) in commits.iter().enumerate() {
            if !followed.in_place.contains(&number) {
                records.list(commit);
            }
        }
        let found = records.finish(repair.elsewhere);

        let newest = in_place().map(|commit| commit.fixed.seq).max();
        let newest = newest.max(known.map(|known| known.seq)).unwrap_or_default();
        let seq = next_counter(newest)?;
        let superseded = chain::superseded(&hashes, seq);
        let chain = Links {
            seq,
            prev: superseded.last().copied().unwrap_or_default(),
            superseded: &superseded,
            adopted: commits[first].snapshot().map_or(&[], |part| &part.adopted),
        };
        let make = |own: Vec<NewVersion<'static>>, host: &mut Host<'_>| {
            let kept = found.versions.iter().flat_map(|connector| &connector.kept);
            let mut versions: Vec<_> = kept
                .map(|kept| NewVersion::sealed(kept.entry, kept.sealed))
                .collect();
            versions.extend(own);
            versions.sort_by_key(|version| version.entry.place());
            snapshot_file(&access, &header, &key_slots, &chain, versions, host.rng)
        };
        let open = |file: Vec<u8>| {
            let way = Way::Open(Box::new(access.clone()));
            Self::load(file, way, OpenOptions::default())
        };
        let mut file = make(Vec::new(), host)?;
        let mut vault = open(file.clone())?;
        let mut restored = Vec::new();
        let mut own = Vec::new();
        for connector in &found.versions {
            let (Some(newest), Some(lost)) = (connector.kept.last(), connector.lost_newest())
            else {
                continue;
            };
            let id = newest.overview.id.clone();
            let Some(stored) = vault.newest(id.as_str())? else {
                continue;
            };
            let version = lost.next();
            let keys = (&vault.index.keys, &vault.keys);
            own.push(vault.renewed_as(&stored, version, host)?.seal(keys, host)?);
            restored.push(RestoredVersion { id, version });
        }
        if !own.is_empty() {
            file = make(own, host)?;
            vault = open(file.clone())?;
        }
        Ok(Repaired {
            file,
            vault,
            recovered: found.versions.iter().map(|one| one.kept.len()).sum(),
            restored,
            elsewhere: found.elsewhere,
            lost: found.lost,
            gaps: pieces.gaps,
            is_snapshot_signed: followed.is_signed,
        })
    }
}

/// The newest header that is of the vault that is expected, under an owner whom the client trusts, and the commit that
/// has it. Fails with the reason why the newest one of all is not acceptable.
fn newest_header(commits: &[Commit<'_>], options: &OpenOptions) -> Result<Option<(usize, Header)>> {
    let verified = commits.iter().enumerate();
    let mut verified: Vec<_> = verified
        .filter_map(|(index, commit)| Some((index, log::verified_header(commit).ok()?)))
        .collect();
    verified.sort_by_key(|(index, header)| {
        (
            Reverse((header.epoch, header.handovers.len(), header.seq)),
            *index,
        )
    });
    let check = |header: &Header| -> Result<()> {
        options.check_vault(header)?;
        match &options.known {
            Some(known) => log::check_header(header, known, header.seq),
            None => Ok(()),
        }
    };
    let mut refused = None;
    for (index, header) in verified {
        match check(&header) {
            Ok(()) => return Ok(Some((index, header))),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused {
        Some(error) => Err(error),
        None => Ok(None),
    }
}

/// Fails with `damaged` where a newer header than this one may have stood.
fn check_newest(pieces: &Pieces<'_>, header: &Header) -> Result<()> {
    let broken = pieces
        .commits
        .iter()
        .filter(|commit| commit.snapshot().is_some() && log::verified_header(commit).is_err());
    let newest = broken.map(|commit| commit.fixed.seq).max();
    let newest = newest.max(pieces.snapshot_in_gaps);
    let Some(seq) = newest.filter(|seq| *seq > header.seq) else {
        return Ok(());
    };
    let grants: Vec<_> = header
        .grants
        .iter()
        .map(|grant| format!("{:?}", grant.label))
        .collect();
    let message = format!(
        "the snapshot {seq} is damaged, and the header of the snapshot {} would bring back the grants of then: {}",
        header.seq,
        grants.join(", ")
    );
    Err(Error::new(crate::error::Code::Damaged, message)
        .with_hint("restore a backup; only if there is none and these grants are right, accept the older header"))
}
