//! Key bundles: the keys of an epoch that a grant holds (docs/format.md sections 3.3, 3.4 and 5.2).

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::not_permitted;
use crate::crypto::identity::{GrantKey, IdentityKeys, VaultKey};
use crate::crypto::kdf::{Key, derive_key};
use crate::crypto::label::{self, bind};
use crate::crypto::{sha256, x_wing};
use crate::error::{Code, Error, Result};
use crate::format::header::{Commitments, Header};
use crate::format::hex::{GrantId, GroupId, Hex, VaultId};
use crate::format::rights::{RightEntry, Scope, bundle_len};

/// The keys of one epoch that a grant holds.
#[derive(Clone)]
pub(crate) struct Bundle {
    index: Key,
    /// For each right.
    held: Vec<Held>,
    /// Owners.
    pub(crate) vault_key: Option<VaultKey>,
}

/// The keys of a right: the roots if it is in all groups, else the keys of its group.
#[derive(Clone)]
struct Held {
    scope: Scope,
    overview: Key,
    /// Where the role reads.
    secret: Option<Key>,
}

/// The keys of a group that a grant holds.
pub(crate) struct GroupKeys {
    /// Seals overviews and the name of the group.
    pub(crate) overview: Key,
    /// Where the rights read: the keys of the secrets derive from it.
    pub(crate) secret: Option<Key>,
}

impl Held {
    fn keys_of(&self, group: GroupId) -> Option<GroupKeys> {
        match self.scope {
            Scope::All => Some(GroupKeys {
                overview: group_overview_key(&self.overview, group),
                secret: self.secret.as_ref().map(|root| group_secret(root, group)),
            }),
            Scope::Group(own) => (own == group).then(|| GroupKeys {
                overview: self.overview.clone(),
                secret: self.secret.clone(),
            }),
        }
    }
}

fn group_overview_key(root: &Key, group: GroupId) -> Key {
    derive_key(root, label::GROUP_OVERVIEW_KEY, &[group.as_bytes()])
}

fn group_secret(root: &Key, group: GroupId) -> Key {
    derive_key(root, label::GROUP_SECRET, &[group.as_bytes()])
}

/// The key that opens the patches of a group: whoever reads there has it.
pub(crate) fn deposit_key(secret: &Key) -> x_wing::PrivateKey {
    x_wing::PrivateKey::from_seed(&derive_key(secret, label::DEPOSIT, &[]))
}

impl Bundle {
    /// An owner's keys of a new epoch.
    pub(crate) fn generate(rng: &mut dyn CryptoRng, vault_key: VaultKey) -> Self {
        let mut key = || {
            let mut key = Key::default();
            rng.fill_bytes(&mut *key);
            key
        };
        Self {
            index: key(),
            held: vec![Held {
                scope: Scope::All,
                overview: key(),
                secret: Some(key()),
            }],
            vault_key: Some(vault_key),
        }
    }

    /// The index key.
    pub(crate) fn index(&self) -> &Key {
        &self.index
    }

    /// The keys of a group, if the grant holds any.
    pub(crate) fn group(&self, group: GroupId) -> Option<GroupKeys> {
        let mut held = self.held.iter().filter_map(|held| held.keys_of(group));
        let mut keys = held.next()?;
        if keys.secret.is_none() {
            keys.secret = held.find_map(|keys| keys.secret);
        }
        Some(keys)
    }

    /// The keys of an owner's bundle that these rights hold, sealed to a grant.
    pub(crate) fn seal(
        &self,
        rng: &mut dyn CryptoRng,
        place: &BundlePlace<'_>,
        key: &GrantKey,
    ) -> Result<Vec<u8>> {
        let (overview_root, secret_root) = self.roots()?;
        // The whole length at once: a buffer that grew would leave copies behind.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(bundle_len(place.rights)));
        plaintext.extend_from_slice(&*self.index);
        for right in place.rights {
            let (overview, secret) = match right.group {
                Scope::All => (overview_root.clone(), secret_root.clone()),
                Scope::Group(group) => (
                    group_overview_key(overview_root, group),
                    group_secret(secret_root, group),
                ),
            };
            plaintext.extend_from_slice(&*overview);
            if right.role.reads() {
                plaintext.extend_from_slice(&*secret);
            }
            if right.role.owns() {
                plaintext.extend_from_slice(&*self.owned_vault_key()?.seed());
            }
        }
        key.x_wing
            .seal(rng, &place.info(), &plaintext)
            .ok_or_else(|| {
                Error::new(
                    Code::InvalidGrantKey,
                    "nothing can be sealed to this grant key",
                )
            })
    }

    /// Opens the bundle of a grant; fails with `damaged` if it is not what its rights hold.
    pub(super) fn open(
        keys: &IdentityKeys,
        place: &BundlePlace<'_>,
        sealed: &[u8],
    ) -> Result<Self> {
        let damaged = || {
            Error::new(
                Code::Damaged,
                format!("the key bundle of grant {} is damaged", place.grant),
            )
        };
        let plaintext = keys.open(&place.info(), sealed).ok_or_else(damaged)?;
        if plaintext.len() != bundle_len(place.rights) {
            return Err(damaged());
        }
        let (parts, _) = plaintext.as_chunks::<32>();
        let mut parts = parts.iter();
        let mut part = || parts.next().ok_or_else(damaged);
        let key = |part: &[u8; 32]| Zeroizing::new(*part);
        let index = key(part()?);
        let (mut held, mut vault_key) = (Vec::with_capacity(place.rights.len()), None);
        for right in place.rights {
            let overview = key(part()?);
            let secret = match right.role.reads() {
                true => Some(key(part()?)),
                false => None,
            };
            held.push(Held {
                scope: right.group,
                overview,
                secret,
            });
            if right.role.owns() {
                vault_key = Some(VaultKey::from_seed(part()?));
            }
        }
        Ok(Self {
            index,
            held,
            vault_key,
        })
    }

    /// Fails with `damaged` if one of these keys is not what a header says that all members hold.
    pub(super) fn check(&self, header: &Header) -> Result<()> {
        let place = Committing::of(header);
        let holds = |commitment: &Hex<32>, kind, group, key: &Key| match place
            .commitment(kind, group, key)
            .0
            .ct_eq(&commitment.0)
            .into()
        {
            true => Ok(()),
            false => Err(Error::new(
                Code::Damaged,
                format!("the key bundle holds another {kind} than the header commits to"),
            )
            .with_hint(
                "an owner has given this grant other keys than its colleagues: ask another owner",
            )),
        };
        holds(&header.commitments.index, INDEX, None, &self.index)?;
        for held in &self.held {
            if held.scope == Scope::All {
                let Commitments {
                    overview_root,
                    secret_root,
                    ..
                } = &header.commitments;
                holds(overview_root, OVERVIEW_ROOT, None, &held.overview)?;
                if let Some(secret) = &held.secret {
                    holds(secret_root, SECRET_ROOT, None, secret)?;
                }
            }
            for group in &header.groups {
                let Some(keys) = held.keys_of(group.id) else {
                    continue;
                };
                let id = Some(group.id);
                holds(
                    &group.overview_commitment,
                    GROUP_OVERVIEW,
                    id,
                    &keys.overview,
                )?;
                if let Some(secret) = &keys.secret {
                    holds(&group.secret_commitment, GROUP_SECRET, id, secret)?;
                }
            }
        }
        Ok(())
    }

    /// Writes the commitments to an owner's keys, and the deposit keys, into a header of their epoch.
    pub(crate) fn commit_to(&self, header: &mut Header) -> Result<()> {
        let (overview_root, secret_root) = self.roots()?;
        let place = Committing::of(header);
        header.commitments = Commitments {
            index: place.commitment(INDEX, None, &self.index),
            overview_root: place.commitment(OVERVIEW_ROOT, None, overview_root),
            secret_root: place.commitment(SECRET_ROOT, None, secret_root),
        };
        for group in &mut header.groups {
            let overview = group_overview_key(overview_root, group.id);
            let secret = group_secret(secret_root, group.id);
            let id = Some(group.id);
            group.overview_commitment = place.commitment(GROUP_OVERVIEW, id, &overview);
            group.secret_commitment = place.commitment(GROUP_SECRET, id, &secret);
        }
        self.set_deposits(header)
    }

    /// Writes into a header of an owner's epoch the deposit key of each group with a rotator, and none elsewhere.
    pub(crate) fn set_deposits(&self, header: &mut Header) -> Result<()> {
        let (_, secret_root) = self.roots()?;
        for index in 0..header.groups.len() {
            let id = header.groups[index].id;
            header.groups[index].deposit = header
                .wants_deposit(id)
                .then(|| deposit_key(&group_secret(secret_root, id)).public());
        }
        Ok(())
    }

    /// The overview root and the secret root.
    fn roots(&self) -> Result<(&Key, &Key)> {
        let all = self.held.iter().find(|held| held.scope == Scope::All);
        let roots = all.and_then(|held| Some((&held.overview, held.secret.as_ref()?)));
        roots.ok_or_else(owners_only)
    }

    /// The vault key. Fails with `not_permitted` for anybody but an owner.
    pub(crate) fn owned_vault_key(&self) -> Result<&VaultKey> {
        self.vault_key.as_ref().ok_or_else(owners_only)
    }
}

const INDEX: &str = "index";
const OVERVIEW_ROOT: &str = "overview root";
const SECRET_ROOT: &str = "secret root";
const GROUP_OVERVIEW: &str = "group overview key";
const GROUP_SECRET: &str = "group secret";

/// What commitments are bound to.
#[derive(Clone, Copy)]
struct Committing {
    vault_id: VaultId,
    epoch: u64,
}

impl Committing {
    fn of(header: &Header) -> Self {
        Self {
            vault_id: header.vault_id,
            epoch: header.epoch,
        }
    }

    fn commitment(self, kind: &str, group: Option<GroupId>, key: &Key) -> Hex<32> {
        let group = group.map(|group| *group.as_bytes());
        let inputs = Zeroizing::new(bind(
            label::COMMITMENT,
            &[
                self.vault_id.as_bytes(),
                &self.epoch.to_le_bytes(),
                kind.as_bytes(),
                group.as_ref().map_or(&[], <[u8; 8]>::as_slice),
                &**key,
            ],
        ));
        Hex(sha256(&inputs))
    }
}

fn owners_only() -> Error {
    not_permitted("this needs the role owner")
}

/// What a bundle is bound to.
#[derive(Clone, Copy)]
pub(crate) struct BundlePlace<'a> {
    pub(crate) vault_id: VaultId,
    pub(crate) epoch: u64,
    pub(crate) grant: GrantId,
    pub(crate) rights: &'a [RightEntry],
}

impl BundlePlace<'_> {
    pub(crate) fn info(&self) -> Vec<u8> {
        let rights: Vec<_> = self.rights.iter().map(ToString::to_string).collect();
        let epoch = self.epoch.to_le_bytes();
        let mut inputs: Vec<&[u8]> = vec![self.vault_id.as_bytes(), &epoch, self.grant.as_bytes()];
        inputs.extend(rights.iter().map(String::as_bytes));
        bind(label::BUNDLE, &inputs)
    }
}
