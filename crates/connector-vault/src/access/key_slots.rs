//! How the secret of a key slot unlocks the identity of a grant (docs/format.md section 4).

use std::fmt;

use rand_core::CryptoRng;
use serde::Serialize;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::is_key_of;
use crate::crypto::aead;
use crate::crypto::identity::Identity;
use crate::crypto::kdf::{self, Cost, Memory, Passphrase};
use crate::crypto::label::{self, bind};
use crate::error::{Code, Detail, Error, Result, quoted};
use crate::format::header::Header;
use crate::format::hex::{GrantId, Hex, VaultId};
use crate::format::key_slots::{KdfName, KeySlot, KeySlotEntry};

/// How a vault is opened.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Unlock<'a> {
    /// By a passphrase: each key slot of the vault is tried.
    Passphrase(&'a Passphrase),
    /// By the passphrase of the grant with this label: only its key slot is tried, which saves the
    /// cost of the others.
    Grant(&'a str, &'a Passphrase),
    /// By an identity. Needs the vault id or a known head among the options: otherwise storage
    /// could present a vault of its own and be handed fresh secrets.
    Identity(&'a Identity),
}

impl fmt::Debug for Unlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Unlock::Passphrase(..)",
            Self::Grant(..) => "Unlock::Grant(..)",
            Self::Identity(_) => "Unlock::Identity(..)",
        })
    }
}

/// A key slot that nobody can use, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenKeySlot {
    /// The label of the grant whose key slot it is, if that much is known.
    pub label: Option<String>,
    /// Why it is not used.
    pub reason: String,
}

/// What the key slots of a file may make an opening cost.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Memory of one key slot, in KiB.
    pub(crate) memory_kib_max: u32,
    /// Memory times passes of all key slots that are tried, in KiB.
    pub(crate) work_kib_max: u64,
}

/// Finds the identity that a passphrase unlocks; collects the key slots that are broken.
pub(crate) fn unlock(
    header: &Header,
    key_slots: &[KeySlotEntry],
    passphrase: &Passphrase,
    only: Option<&str>,
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
        let slot = match entry {
            KeySlotEntry::KeySlot(slot) => slot,
            KeySlotEntry::Broken(element) => {
                let grant = header
                    .grants
                    .iter()
                    .find(|grant| Some(grant.id) == element.grant);
                broken.push(BrokenKeySlot {
                    label: grant.map(|grant| grant.label.clone()),
                    reason: "it does not follow the format".into(),
                });
                continue;
            }
        };
        // A key slot whose grant the header does not list is ignored: a revocation leaves it behind.
        let Some(grant) = header.grants.iter().find(|grant| grant.id == slot.grant) else {
            continue;
        };
        if only.is_some_and(|label| label != grant.label) {
            continue;
        }
        let mut breaks = |reason: &str| {
            broken.push(BrokenKeySlot {
                label: Some(grant.label.clone()),
                reason: reason.into(),
            });
        };
        if let Err(error) = slot.cost.check(memory_kib_max) {
            breaks(error.message());
            if slot.cost.lacks_memory(memory_kib_max) {
                costly.push((grant.label.as_str(), slot.cost.memory_kib));
            }
            continue;
        }
        // Whoever writes to the storage can add key slots, and must not choose how long an opening takes.
        let Some(rest) = work_kib.checked_sub(slot.cost.work_kib()) else {
            is_skipped = true;
            continue;
        };
        work_kib = rest;
        let keys = kdf::derive_key_slot_keys(&mut memory, passphrase, &slot.salt.0, slot.cost)?;
        // Before unwrapping: AES-GCM does not commit to its key.
        if !bool::from(keys.commitment.ct_eq(&slot.commitment.0)) {
            tried += 1;
            continue;
        }
        fitting = Some(grant.label.as_str());
        let context = key_slot_context(slot);
        let unwrapped = aead::unwrap(
            &keys.wrapping,
            &slot.nonce.0,
            &context,
            &slot.wrapped.0,
            &slot.tag.0,
        );
        let Some(unwrapped) = unwrapped else {
            breaks("its content is damaged");
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
            breaks("its identity is not its grant's");
            continue;
        }
        return Ok(identity);
    }
    let costly = costly.into_iter().min_by_key(|(_, memory_kib)| *memory_kib);
    if is_skipped {
        return Err(too_much_work(only));
    }
    if let Some(label) = fitting {
        // The commitment says so: only the rest of the key slot is not what was written.
        let code = match tried {
            0 => Code::NoKeySlot,
            _ => Code::WrongPassphrase,
        };
        return Err(Error::new(
            code,
            format!(
                "the passphrase fits the key slot of the grant {}, but the key slot is damaged",
                quoted(label)
            ),
        )
        .with_hint("restore the vault from a backup, or open it by an identity"));
    }
    if tried > 0 {
        return Err(wrong_passphrase(only, costly, broken));
    }
    Err(nothing_to_try(header, only, costly, memory_kib_max, broken))
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
fn wrong_passphrase(
    only: Option<&str>,
    costly: Option<(&str, u32)>,
    broken: &[BrokenKeySlot],
) -> Error {
    let message = match only {
        Some(label) => format!("wrong passphrase for the grant {}", quoted(label)),
        None => "wrong passphrase".into(),
    };
    let error = Error::new(Code::WrongPassphrase, message);
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

/// There was no key slot that could be tried.
fn nothing_to_try(
    header: &Header,
    only: Option<&str>,
    costly: Option<(&str, u32)>,
    memory_kib_max: u32,
    broken: &[BrokenKeySlot],
) -> Error {
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
    match only {
        Some(label) => refuse(format!("the grant {} has no key slot", quoted(label))),
        None => refuse("the vault has no key slot that a passphrase could open".into()),
    }
    .with_hint("open it by an identity")
}

fn key_slot_of(label: Option<&str>) -> String {
    match label {
        Some(label) => format!("the key slot of the grant {}", quoted(label)),
        None => "a key slot".into(),
    }
}

/// A key slot for the holder of a passphrase, with a fresh salt and nonce.
pub(crate) fn make_key_slot(
    rng: &mut dyn CryptoRng,
    header_vault_id: VaultId,
    grant: GrantId,
    identity: &Identity,
    passphrase: &Passphrase,
    cost: Cost,
) -> Result<KeySlot> {
    let salt = passphrase.salt_of_new_key_slot(rng);
    let mut nonce = [0; 12];
    rng.fill_bytes(&mut nonce);
    let keys = kdf::derive_key_slot_keys(&mut Memory::default(), passphrase, &salt, cost)?;
    let mut slot = KeySlot {
        grant,
        kdf: KdfName::Argon2idV19,
        cost,
        salt: Hex(salt),
        commitment: Hex(keys.commitment),
        nonce: Hex(nonce),
        wrapped: Hex([0; 64]),
        tag: Hex([0; 16]),
    };
    let mut content = Zeroizing::new([0; 64]);
    content[..32].copy_from_slice(identity.as_bytes());
    content[32..].copy_from_slice(header_vault_id.as_bytes());
    let context = key_slot_context(&slot);
    slot.tag = Hex(aead::wrap(&keys.wrapping, &nonce, &context, &mut *content));
    // By now it is ciphertext.
    slot.wrapped = Hex(*content);
    Ok(slot)
}

/// Associated data of a key slot: all its parameters and its grant.
fn key_slot_context(slot: &KeySlot) -> Vec<u8> {
    bind(
        label::KEY_SLOT,
        &[
            slot.grant.as_bytes(),
            &slot.cost.memory_kib.to_le_bytes(),
            &slot.cost.passes.to_le_bytes(),
            &slot.cost.lanes.to_le_bytes(),
            &slot.salt.0,
            &slot.commitment.0,
        ],
    )
}
