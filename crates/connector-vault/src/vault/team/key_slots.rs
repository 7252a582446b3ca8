//! The key slots of the grant that is at work, and what a file says of all key slots before it is opened
//! (docs/format.md section 4).

use subtle::ConstantTimeEq;

use crate::access::{
    Access, KeySlotInfo, KeySlotKind, KeySlotSalt, NewPasskey, NewSecret, make_key_slot, new_salt,
};
use crate::crypto::kdf::{Cost, ExternalKey, Passphrase};
use crate::error::{Code, Error, Result};
use crate::format::file_start;
use crate::format::hex::GrantId;
use crate::format::key_slots::{self, Hint, Kdf, KeySlotEntry};
use crate::limits;
use crate::source::{Piece, Source};
use crate::vault::commit::Prepared;
use crate::vault::open::{Machine, OpenOptions};
use crate::vault::{Host, Vault};

/// Which key slots of an external key are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySlotRef<'a> {
    /// All with this hint.
    Hint(&'a [u8]),
    /// The one with this salt.
    Salt(KeySlotSalt),
}

impl From<KeySlotSalt> for KeySlotRef<'_> {
    fn from(salt: KeySlotSalt) -> Self {
        Self::Salt(salt)
    }
}

impl<'a> From<&'a [u8]> for KeySlotRef<'a> {
    fn from(hint: &'a [u8]) -> Self {
        Self::Hint(hint)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for KeySlotRef<'a> {
    fn from(hint: &'a [u8; N]) -> Self {
        Self::Hint(hint)
    }
}

impl Vault {
    /// The key slots of the vault in a file, before anything is derived: so that a host can ask for the right
    /// passphrase, or use the right external key. The header's signature is verified, and the key slots are as they stand
    /// there: anybody who can write to the storage can have changed them.
    ///
    /// Of `options` the expected vault id and the memory for Argon2id count. Fails with `wrong_vault`, and as
    /// [`open`](Self::open) does for bytes that are no sound vault.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let key = ExternalKey::from_bytes(&[7; 32])?;
    /// # let file = Vault::create(&mut host, &NewOwner::key("ops", &key, b"projects/p/keys/k"))?.1;
    /// # let unwrap = |_: &[u8]| ExternalKey::from_bytes(&[7; 32]);
    /// let slots = Vault::key_slots(&file, &OpenOptions::default())?;
    /// let hint = slots.iter().find_map(|slot| slot.hint.as_deref()).expect("an external key");
    /// let key = unwrap(hint)?;
    /// let unlock = Unlock::KeySlot(&key, KeySlotMatch::hint(hint));
    /// let vault = Vault::open(file.clone(), unlock, &OpenOptions::default())?;
    /// assert_eq!(vault.label(), "ops");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn key_slots(file: &[u8], options: &OpenOptions) -> Result<Vec<KeySlotInfo>> {
        Machine::key_slots(&Piece::file(file), options)
    }

    /// The same of a file that is in a source. Fails where bytes are missing, too.
    pub fn key_slots_in(source: &dyn Source, options: &OpenOptions) -> Result<Vec<KeySlotInfo>> {
        Machine::key_slots(source, options)
    }
}

impl<S: Source> Vault<S> {
    /// Replaces the passphrase of the grant that opened the vault. Every role may.
    ///
    /// It does not help against somebody who has an old copy of the vault and the old passphrase:
    /// revoke and grant again for that.
    pub fn prepare_passphrase(
        &self,
        passphrase: &Passphrase,
        cost: Cost,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        let cost = cost.check(limits::MEMORY_KIB_MAX_NATIVE)?;
        self.rewrite_key_slots(|vault, key_slots| {
            let secret = NewSecret::Passphrase(passphrase, cost);
            let Access {
                grant, identity, ..
            } = &vault.access;
            let slot = make_key_slot(host.rng, vault.id(), *grant, identity, secret)?;
            key_slots::replace(key_slots, slot);
            Ok(())
        })
    }

    /// Adds a key slot, by which an external key opens the grant that opened the vault. Every role may. The hint tells
    /// the host which key is meant; it stands in the file in clear. A key slot of this key with the same hint is
    /// replaced.
    ///
    /// Fails with `limit_exceeded` for a hint of more than 2,048 bytes, and where the file has too many key slots.
    pub fn prepare_key(
        &self,
        key: &ExternalKey,
        hint: &[u8],
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        self.prepare_added_key(key, hint, None, host)
    }

    /// The place of a new key slot of the grant that opened the vault, for a passkey: its PRF extension answers to
    /// the place's input with the key that [`prepare_passkey`](Self::prepare_passkey) takes.
    #[must_use]
    pub fn new_passkey(&self, host: &mut Host<'_>) -> NewPasskey {
        self.passkey_at(new_salt(host.rng))
    }

    /// The place of [`new_passkey`](Self::new_passkey) again, for a host that kept its salt.
    #[must_use]
    pub fn passkey_at(&self, salt: KeySlotSalt) -> NewPasskey {
        NewPasskey::new(self.id(), self.access.grant, salt)
    }

    /// Adds a key slot as [`prepare_key`](Self::prepare_key) does, at the place that the passkey has answered to.
    ///
    /// Fails with `invalid_argument` for the place of another vault or grant, and if another key slot has its salt.
    pub fn prepare_passkey(
        &self,
        place: NewPasskey,
        key: &ExternalKey,
        hint: &[u8],
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        if self.passkey_at(place.salt) != place {
            return Err(Error::new(
                Code::InvalidArgument,
                "the passkey's key slot was to be made for another grant",
            ));
        }
        self.prepare_added_key(key, hint, Some(place.salt), host)
    }

    fn prepare_added_key(
        &self,
        key: &ExternalKey,
        hint: &[u8],
        salt: Option<KeySlotSalt>,
        host: &mut Host<'_>,
    ) -> Result<Prepared> {
        let hint = Hint::new(hint)?;
        self.rewrite_key_slots(|vault, key_slots| {
            let own = vault.access.grant;
            // The same key again, as after an answer that was lost.
            key_slots.retain(|entry| {
                let Some(slot) = entry.slot.as_ref().filter(|slot| slot.grant == own) else {
                    return true;
                };
                let Kdf::External(its_hint) = &slot.kdf else {
                    return true;
                };
                let is_meant = *its_hint == hint || salt == Some(KeySlotSalt(slot.salt));
                let commitment = key.key_slot_keys(&slot.salt.0).commitment;
                !(is_meant && bool::from(commitment.ct_eq(&slot.commitment.0)))
            });
            let has_salt = |entry: &KeySlotEntry| {
                let slot = entry.slot.as_ref();
                salt.is_some() && slot.map(|slot| KeySlotSalt(slot.salt)) == salt
            };
            if key_slots.iter().any(has_salt) {
                return Err(Error::new(
                    Code::InvalidArgument,
                    "another key slot has this salt already",
                )
                .with_hint("begin again with a new place for the passkey"));
            }
            let secret = NewSecret::Key(key, hint, salt);
            let slot = make_key_slot(host.rng, vault.id(), own, &vault.access.identity, secret)?;
            key_slots::add(key_slots, slot);
            Ok(())
        })
    }

    /// Removes key slots of external keys of the grant that opened the vault. Every role may.
    ///
    /// It does not help against somebody who has an old copy of the vault and the key: revoke and grant again for
    /// that. Fails with `no_key_slot` if the grant has no such key slot, and with `last_key_slot` if no other
    /// key slot would be left to open it.
    pub fn prepare_key_removal<'r>(&self, which: impl Into<KeySlotRef<'r>>) -> Result<Prepared> {
        let which = which.into();
        self.rewrite_key_slots(|vault, key_slots| {
            let own = vault.access.grant;
            let before = key_slots.len();
            key_slots.retain(|entry| {
                let Some(slot) = entry.slot.as_ref().filter(|slot| slot.grant == own) else {
                    return true;
                };
                match (&slot.kdf, which) {
                    (Kdf::External(hint), KeySlotRef::Hint(wanted)) => hint.as_bytes() != wanted,
                    (Kdf::External(_), KeySlotRef::Salt(salt)) => KeySlotSalt(slot.salt) != salt,
                    (Kdf::Argon2id(_), _) => true,
                }
            });
            if key_slots.len() == before {
                return Err(Error::new(
                    Code::NoKeySlot,
                    "the grant that opened the vault has no such key slot of an external key",
                )
                .with_hint("list the key slots to see their hints"));
            }
            let opens = |entry: &KeySlotEntry| {
                entry.grant == Some(own) && entry.is_usable(limits::MEMORY_KIB_MAX_NATIVE)
            };
            if !key_slots.iter().any(opens) {
                return Err(Error::new(
                    Code::LastKeySlot,
                    "no other key slot opens the grant that opened the vault",
                )
                .with_hint("add another external key first, or set a passphrase"));
            }
            Ok(())
        })
    }

    /// Whether a grant has a key slot of a kind that follows the format.
    pub(super) fn has_key_slot(&self, grant: GrantId, kind: KeySlotKind) -> bool {
        self.key_slots.iter().any(|entry| {
            let slot = entry.slot.as_ref();
            slot.is_some_and(|slot| slot.grant == grant && kind == slot.kdf.name().into())
        })
    }

    /// The file with other key slots: the log stays as it is.
    fn rewrite_key_slots(
        &self,
        change: impl FnOnce(&Self, &mut Vec<KeySlotEntry>) -> Result<()>,
    ) -> Result<Prepared> {
        let log = self.start.len() as u64..self.index.end();
        self.want([log.clone()])?;
        let mut key_slots = self.key_slots.clone();
        change(self, &mut key_slots)?;
        let mut file = file_start(&key_slots::encode(&key_slots, |id| self.header.lists(id))?);
        let read = self.source.read(log, &mut file);
        read.map_err(Error::unread)?;
        Ok(Prepared::replace(self, file, Vec::new()))
    }
}
