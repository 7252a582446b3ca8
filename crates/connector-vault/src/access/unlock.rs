//! Trying the key slots of a vault with a passphrase or an external key (docs/format.md section 4.3).

use std::fmt;

use subtle::ConstantTimeEq;

use super::key_slots::{BrokenKeySlot, Examined, KeySlotKind, context, grant_of};
use super::{Access, is_key_of};
use crate::crypto::aead;
use crate::crypto::identity::Identity;
use crate::crypto::kdf::{self, ExternalKey, KeySlotKeys, Memory, Passphrase, Stretched};
use crate::error::{Code, Detail, Error, Result, quoted};
use crate::format::header::{Grant, Header};
use crate::format::key_slots::{Kdf, KeySlot, KeySlotEntry};

/// How a vault is opened.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Unlock<'a> {
    /// By a passphrase: each key slot of a passphrase is tried.
    Passphrase(&'a Passphrase),
    /// By the passphrase of the grant with this label: only its key slots are tried, which saves the
    /// cost of the others.
    Grant(&'a str, &'a Passphrase),
    /// By an external key: each key slot of an external key is tried, which costs nothing. No passphrase is.
    Key(&'a ExternalKey),
    /// By an external key, with which only these key slots are tried.
    KeySlot(&'a ExternalKey, KeySlotMatch<'a>),
    /// By an identity. Needs the vault id or a known head among the options: otherwise storage
    /// could present a vault of its own and be handed fresh secrets.
    Identity(&'a Identity),
}

impl fmt::Debug for Unlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Unlock::Passphrase(..)",
            Self::Grant(..) => "Unlock::Grant(..)",
            Self::Key(_) => "Unlock::Key(..)",
            Self::KeySlot(..) => "Unlock::KeySlot(..)",
            Self::Identity(_) => "Unlock::Identity(..)",
        })
    }
}

/// Which key slots an external key is for: those of a grant, those with a hint, or those with both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySlotMatch<'a> {
    grant: Option<&'a str>,
    hint: Option<&'a [u8]>,
}

impl<'a> KeySlotMatch<'a> {
    /// The key slots with this hint, which is compared byte for byte.
    #[must_use]
    pub fn hint(hint: &'a [u8]) -> Self {
        Self {
            grant: None,
            hint: Some(hint),
        }
    }

    /// The key slots of the grant with this label.
    #[must_use]
    pub fn grant(label: &'a str) -> Self {
        Self {
            grant: Some(label),
            hint: None,
        }
    }

    /// Those of these key slots that the grant with this label has.
    #[must_use]
    pub fn of_grant(self, label: &'a str) -> Self {
        Self {
            grant: Some(label),
            ..self
        }
    }
}

/// How a vault is opened, with secrets of its own: an opening takes several calls.
pub(crate) enum Way {
    Passphrase(Passphrase, Option<String>),
    Key(ExternalKey, Option<String>, Option<Vec<u8>>),
    Identity(Identity),
    /// The access is open.
    Open(Box<Access>),
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Way(..)")
    }
}

impl From<Unlock<'_>> for Way {
    fn from(unlock: Unlock<'_>) -> Self {
        match unlock {
            Unlock::Passphrase(passphrase) => Self::Passphrase(passphrase.clone(), None),
            Unlock::Grant(label, passphrase) => {
                Self::Passphrase(passphrase.clone(), Some(label.to_owned()))
            }
            Unlock::Key(key) => Self::Key(key.clone(), None, None),
            Unlock::KeySlot(key, KeySlotMatch { grant, hint }) => Self::Key(
                key.clone(),
                grant.map(str::to_owned),
                hint.map(<[u8]>::to_vec),
            ),
            Unlock::Identity(identity) => Self::Identity(identity.clone()),
        }
    }
}

impl Way {
    /// What Argon2id has made of the passphrase.
    pub(crate) fn add(&mut self, stretched: Stretched) {
        if let Self::Passphrase(passphrase, _) = self {
            passphrase.add(stretched);
        }
    }

    /// Opens an access under a header; collects the key slots that are broken.
    pub(crate) fn access(
        &self,
        header: &Header,
        key_slots: &[KeySlotEntry],
        bounds: Bounds,
        broken: &mut Vec<BrokenKeySlot>,
    ) -> Result<Access> {
        let (secret, grant, hint) = match self {
            Self::Open(access) => return Ok((**access).clone()),
            Self::Identity(identity) => return Access::open(identity.clone(), header),
            Self::Passphrase(passphrase, grant) => (Secret::Passphrase(passphrase), grant, None),
            Self::Key(key, grant, hint) => (Secret::Key(key), grant, hint.as_deref()),
        };
        let wanted = KeySlotMatch {
            grant: grant.as_deref(),
            hint,
        };
        let trying = Trying { secret, wanted };
        let identity = unlock(header, key_slots, trying, bounds, broken)?;
        Access::open(identity, header)
    }
}

/// What the key slots of a file may make an opening cost.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Memory of one key slot, in KiB.
    pub(crate) memory_kib_max: u32,
    /// Memory times passes of all key slots that are tried, in KiB.
    pub(crate) work_kib_max: u64,
}

/// A secret that key slots are tried with, and the key slots that it is for.
#[derive(Clone, Copy)]
struct Trying<'a> {
    secret: Secret<'a>,
    wanted: KeySlotMatch<'a>,
}

#[derive(Clone, Copy)]
enum Secret<'a> {
    Passphrase(&'a Passphrase),
    Key(&'a ExternalKey),
}

impl Trying<'_> {
    fn kind(&self) -> KeySlotKind {
        match self.secret {
            Secret::Passphrase(_) => KeySlotKind::Passphrase,
            Secret::Key(_) => KeySlotKind::Key,
        }
    }

    /// Whether an element may be a key slot that is meant. One that is broken may not say.
    fn is_for(&self, entry: &KeySlotEntry, grant: Option<&Grant>) -> bool {
        let KeySlotMatch { grant: label, hint } = self.wanted;
        let is_of_kind = entry.kdf.is_none_or(|kdf| self.kind() == kdf.into());
        let is_of_grant = label
            .is_none_or(|label| entry.grant.is_none() || grant.is_some_and(|it| it.label == label));
        let has_hint = match (hint, &entry.slot) {
            (Some(hint), Some(slot)) => {
                matches!(&slot.kdf, Kdf::External(its) if its.as_bytes() == hint)
            }
            _ => true,
        };
        is_of_kind && is_of_grant && has_hint
    }

    /// Derives the keys of a key slot, whose cost has been checked. `None` if it is of another kind.
    fn keys(&self, memory: &mut Memory, slot: &KeySlot) -> Result<Option<KeySlotKeys>> {
        let salt = &slot.salt.0;
        match (self.secret, &slot.kdf) {
            (Secret::Passphrase(passphrase), Kdf::Argon2id(cost)) => {
                kdf::derive_key_slot_keys(memory, passphrase, salt, *cost).map(Some)
            }
            (Secret::Key(key), Kdf::External(_)) => Ok(Some(key.key_slot_keys(salt))),
            _ => Ok(None),
        }
    }
}

/// Finds the identity that a secret unlocks; collects the key slots that are broken.
fn unlock(
    header: &Header,
    key_slots: &[KeySlotEntry],
    trying: Trying<'_>,
    bounds: Bounds,
    broken: &mut Vec<BrokenKeySlot>,
) -> Result<Identity> {
    let Bounds {
        memory_kib_max,
        work_kib_max: mut work_kib,
    } = bounds;
    let mut tried = 0;
    let mut is_skipped = false;
    let mut fitting = None;
    let mut costly = Vec::new();
    let mut memory = Memory::default();
    for entry in key_slots {
        if !trying.is_for(entry, grant_of(entry, header)) {
            continue;
        }
        let mut breaks = |grant: Option<&Grant>, reason: String| {
            broken.push(BrokenKeySlot {
                label: grant.map(|grant| grant.label.clone()),
                reason,
            });
        };
        let (grant, slot) = match Examined::of(entry, header, memory_kib_max) {
            Examined::Sound(grant, slot) => (grant, slot),
            Examined::Ignored => continue,
            Examined::Broken { grant, reason } => {
                breaks(grant, reason);
                if let (Some(grant), Some(slot)) = (grant, &entry.slot)
                    && let Kdf::Argon2id(cost) = &slot.kdf
                    && cost.lacks_memory(memory_kib_max)
                {
                    costly.push((grant.label.as_str(), cost.memory_kib));
                }
                continue;
            }
        };
        if let Kdf::Argon2id(cost) = &slot.kdf {
            // Whoever writes to the storage can add key slots, and must not choose how long an opening takes.
            let Some(rest) = work_kib.checked_sub(cost.work_kib()) else {
                is_skipped = true;
                continue;
            };
            work_kib = rest;
        }
        let Some(keys) = trying.keys(&mut memory, slot)? else {
            continue;
        };
        // Before unwrapping: AES-GCM does not commit to its key.
        if !bool::from(keys.commitment.ct_eq(&slot.commitment.0)) {
            tried += 1;
            continue;
        }
        fitting = Some(grant.label.as_str());
        let unwrapped = aead::unwrap(
            &keys.wrapping,
            &slot.nonce.0,
            &context(slot),
            &slot.wrapped.0,
            &slot.tag.0,
        );
        let Some(unwrapped) = unwrapped else {
            breaks(Some(grant), "its content is damaged".into());
            continue;
        };
        let (parts, _) = unwrapped.as_chunks::<32>();
        let identity = Identity::from_bytes(parts[0]);
        if parts[1] != *header.vault_id.as_bytes() {
            return Err(Error::new(Code::WrongVault, "the key slot was made for another vault").with_hint(
                "somebody may have put another vault in the place of yours; restore it from a backup",
            ));
        }
        if !is_key_of(&identity.grant_key(), grant) {
            breaks(Some(grant), "its identity is not its grant's".into());
            continue;
        }
        return Ok(identity);
    }
    let costly = costly.into_iter().min_by_key(|(_, memory_kib)| *memory_kib);
    if is_skipped {
        return Err(too_much_work(trying.wanted.grant));
    }
    if let Some(label) = fitting {
        // The commitment says so: only the rest of the key slot is not what was written.
        let code = match tried {
            0 => Code::NoKeySlot,
            _ => trying.wrong(),
        };
        return Err(Error::new(
            code,
            format!(
                "the {} fits the key slot of the grant {}, but the key slot is damaged",
                trying.noun(),
                quoted(label)
            ),
        )
        .with_hint("restore the vault from a backup, or open it by an identity"));
    }
    if tried > 0 {
        return Err(wrong_secret(trying, costly, broken));
    }
    let has_other_kind = key_slots.iter().any(|entry| {
        grant_of(entry, header).is_some()
            && entry.kdf.is_some_and(|kdf| trying.kind() != kdf.into())
    });
    let refused = nothing_to_try(header, trying, costly, memory_kib_max, broken);
    Err(match (refused.hint(), has_other_kind, trying.kind()) {
        (Some(_), ..) => refused,
        (None, true, KeySlotKind::Key) => {
            refused.with_hint("open it by a passphrase, or by an identity")
        }
        (None, true, _) => refused.with_hint("open it by an external key, or by an identity"),
        (None, false, _) => refused.with_hint("open it by an identity"),
    })
}

impl Trying<'_> {
    fn noun(&self) -> &'static str {
        match self.secret {
            Secret::Passphrase(_) => "passphrase",
            Secret::Key(_) => "external key",
        }
    }

    fn wrong(&self) -> Code {
        match self.secret {
            Secret::Passphrase(_) => Code::WrongPassphrase,
            Secret::Key(_) => Code::WrongKey,
        }
    }
}

/// No key slot opened, and some were not tried: the passphrase may be right.
fn too_much_work(only: Option<&str>) -> Error {
    let error = Error::new(
        Code::LimitExceeded,
        "the key slots of the vault cost more to try than is allowed",
    );
    match only {
        Some(_) => error.with_hint(
            "somebody may have added key slots to the file: restore a backup, or open it by an identity",
        ),
        None => error.with_hint(
            "say which grant the passphrase opens: then only its key slots are tried",
        ),
    }
}

/// Key slots were tried, and none opened.
fn wrong_secret(
    trying: Trying<'_>,
    costly: Option<(&str, u32)>,
    broken: &[BrokenKeySlot],
) -> Error {
    let KeySlotMatch { grant, hint } = trying.wanted;
    let label = grant.map(quoted);
    let place = match (label, hint) {
        (None, None) => String::new(),
        (None, Some(_)) => " for the key slots with this hint".into(),
        (Some(label), None) => format!(" for the grant {label}"),
        (Some(label), Some(_)) => format!(" for the key slots of the grant {label} with this hint"),
    };
    let message = format!("wrong {}{place}", trying.noun());
    let error = Error::new(trying.wrong(), message);
    if let Some((label, memory_kib)) = costly {
        let (label, needed) = (quoted(label), kdf::memory(memory_kib));
        return error
            .with_hint(format!(
                "if it is the passphrase of the grant {label}: its key slot was not tried, since Argon2id would \
                 need {needed} of memory, more than is allowed"
            ))
            .about(Detail::MemoryNeeded(memory_kib));
    }
    match broken.first() {
        Some(slot) => error.with_hint(format!(
            "if it is certainly right: {} cannot be used, since {}; a backup of the vault may have a sound one",
            key_slot_of(slot.label.as_deref()),
            slot.reason
        )),
        None => error.with_hint(
            "if it is certainly right, its key slot in the file may be damaged: try a backup of the vault",
        ),
    }
}

/// There was no key slot that could be tried. Without a hint it is about a kind of key slots.
fn nothing_to_try(
    header: &Header,
    trying: Trying<'_>,
    costly: Option<(&str, u32)>,
    memory_kib_max: u32,
    broken: &[BrokenKeySlot],
) -> Error {
    let KeySlotMatch { grant: only, hint } = trying.wanted;
    let refuse = |message: String| Error::new(Code::NoKeySlot, message);
    let is_label = |label: &str| header.grants.iter().any(|grant| grant.label == label);
    if let Some(label) = only.filter(|label| !is_label(label)) {
        let message = format!("no grant has the label {}", quoted(label));
        return Error::new(Code::GrantNotFound, message).with_hint(
            "look for it in the list of grants, or leave the label out: then every key slot is tried",
        );
    }
    if let Some((label, memory_kib)) = costly {
        return refuse(format!(
            "the key slot of the grant {} needs {} of memory for Argon2id, and {} are allowed",
            quoted(label),
            kdf::memory(memory_kib),
            kdf::memory(memory_kib_max)
        ))
        .with_hint("if you trust the vault, allow it as much")
        .about(Detail::MemoryNeeded(memory_kib));
    }
    let of_grant = |slot: &&BrokenKeySlot| only.is_none() || slot.label.as_deref() == only;
    if let Some(slot) = broken.iter().find(of_grant) {
        return refuse(format!(
            "{} cannot be used: {}",
            key_slot_of(slot.label.as_deref()),
            slot.reason
        ))
        .with_hint("open the vault by an identity, or restore a backup");
    }
    let whose = match only {
        Some(label) => format!("the grant {}", quoted(label)),
        None => "the vault".into(),
    };
    if hint.is_some() {
        return refuse(format!("{whose} has no key slot with this hint"))
            .with_hint("list the key slots to see their hints, or leave the hint out");
    }
    refuse(match trying.kind() {
        KeySlotKind::Passphrase => format!("{whose} has no key slot that a passphrase could open"),
        KeySlotKind::Key => format!("{whose} has no key slot that an external key could open"),
    })
}

fn key_slot_of(label: Option<&str>) -> String {
    match label {
        Some(label) => format!("the key slot of the grant {}", quoted(label)),
        None => "a key slot".into(),
    }
}
