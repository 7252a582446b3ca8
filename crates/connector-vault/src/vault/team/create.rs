//! A new vault, with its first owner.

use rand_core::CryptoRng;

use crate::access::groups::{self, PlainName};
use crate::access::{Access, Bundle, BundlePlace, NewSecret, Unlock, Way, make_key_slot};
use crate::connector::check_text;
use crate::crypto::identity::{GrantKey, Identity, VaultKey};
use crate::crypto::kdf::{Cost, ExternalKey, Passphrase};
use crate::error::{Code, Result};
use crate::format::header::{Commitments, DEFAULT_GROUP, Features, Grant, Header};
use crate::format::hex::{GrantId, Hex};
use crate::format::key_slots::{Hint, KeySlotEntry};
use crate::format::rights::RightEntry;
use crate::limits;
use crate::log;
use crate::role::Role;
use crate::vault::commit::{Links, snapshot_file};
use crate::vault::open::OpenOptions;
use crate::vault::{Host, Vault};

/// The first owner of a new vault: somebody with a passphrase, with an external key, with an identity, or with
/// several of them.
///
/// ```
/// # use connector_vault::*;
/// let passphrase = Passphrase::new("correct horse battery staple")?;
/// let ann = NewOwner::passphrase("ann", &passphrase);
/// # use rand::{SeedableRng, rngs::StdRng};
/// # let identity = Identity::generate(&mut StdRng::seed_from_u64(1));
/// let service = NewOwner::identity("deploy", identity.clone());
/// let both = NewOwner::identity("ops", identity).and_passphrase(&passphrase);
/// # let unwrapped = [7; 32];
/// let key = ExternalKey::from_bytes(&unwrapped)?;
/// let in_a_cloud = NewOwner::key("ops", &key, b"projects/p/keys/k").and_passphrase(&passphrase);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct NewOwner<'a> {
    label: &'a str,
    // At least one of these three.
    passphrase: Option<&'a Passphrase>,
    key: Option<(&'a ExternalKey, &'a [u8])>,
    identity: Option<Identity>,
    cost: Cost,
}

impl<'a> NewOwner<'a> {
    /// An owner who opens the vault by a passphrase, and who is called `label`.
    #[must_use]
    pub fn passphrase(label: &'a str, passphrase: &'a Passphrase) -> Self {
        Self::called(label).and_passphrase(passphrase)
    }

    /// An owner who opens the vault by an external key. The hint tells the host which key is meant; it stands in
    /// the file in clear, and has at most 2,048 bytes.
    #[must_use]
    pub fn key(label: &'a str, key: &'a ExternalKey, hint: &'a [u8]) -> Self {
        Self::called(label).and_key(key, hint)
    }

    /// An owner who opens the vault by an identity alone, such as a service.
    #[must_use]
    pub fn identity(label: &'a str, identity: Identity) -> Self {
        Self {
            identity: Some(identity),
            ..Self::called(label)
        }
    }

    /// The same owner, who opens the vault by this passphrase too. It takes the place of a former one.
    #[must_use]
    pub fn and_passphrase(self, passphrase: &'a Passphrase) -> Self {
        Self {
            passphrase: Some(passphrase),
            ..self
        }
    }

    /// The same owner, who opens the vault by this external key too. It takes the place of a former one.
    #[must_use]
    pub fn and_key(self, key: &'a ExternalKey, hint: &'a [u8]) -> Self {
        Self {
            key: Some((key, hint)),
            ..self
        }
    }

    /// The same owner. Trying a passphrase costs this much.
    #[must_use]
    pub fn cost(self, cost: Cost) -> Self {
        Self { cost, ..self }
    }

    /// How this owner opens the vault: by the passphrase if there is one, else by the external key if there is one.
    #[must_use]
    pub fn unlock(&self) -> Unlock<'_> {
        match (self.passphrase, self.key, &self.identity) {
            (Some(passphrase), _, _) => Unlock::Passphrase(passphrase),
            (None, Some((key, _)), _) => Unlock::Key(key),
            (None, None, identity) => {
                let identity = identity.as_ref();
                Unlock::Identity(identity.expect("an owner has something to open the vault by"))
            }
        }
    }

    /// Somebody who has nothing yet to open the vault by.
    fn called(label: &'a str) -> Self {
        Self {
            label,
            passphrase: None,
            key: None,
            identity: None,
            cost: Cost::default(),
        }
    }
}

impl Vault {
    /// A new vault without connectors, and the bytes of its file.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// let passphrase = Passphrase::new("correct horse battery staple")?;
    /// # let cost = Cost::MIN;
    /// # /*
    /// let cost = Cost::default();
    /// # */
    /// let owner = NewOwner::passphrase("ops", &passphrase).cost(cost);
    /// let (vault, file) = Vault::create(&mut host, &owner)?;
    /// assert!(vault.is_empty());
    /// assert!(file.starts_with(b"CVAULT01"));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn create(host: &mut Host<'_>, owner: &NewOwner<'_>) -> Result<(Self, Vec<u8>)> {
        let identity = match &owner.identity {
            Some(identity) => identity.clone(),
            None => Identity::generate(host.rng),
        };
        let vault_key = VaultKey::generate(host.rng);
        let vault_id = log::vault_id(&vault_key.public());
        let bundle = Bundle::generate(host.rng, vault_key);
        let place = BundlePlace {
            vault_id,
            epoch: 1,
            grant: new_grant_id(host.rng),
            rights: &[RightEntry::everywhere(Role::Owner)],
        };
        let grant = new_grant(host, &bundle, &place, owner.label, &identity.grant_key())?;
        let unset = Hex([0; 32]);
        let mut header = Header {
            format: 1,
            features: Features::NONE,
            vault_id,
            vault_key: Hex(bundle.owned_vault_key()?.public()),
            handovers: Vec::new(),
            epoch: 1,
            seq: 0,
            created: host.now.to_string(),
            commitments: Commitments {
                index: unset,
                overview_root: unset,
                secret_root: unset,
            },
            next_group: u32::from(DEFAULT_GROUP),
            groups: Vec::new(),
            grants: vec![grant],
            retired: Vec::new(),
            extra: None,
        };
        let name = PlainName::new(groups::DEFAULT)?;
        groups::add(host.rng, &bundle, &mut header, &name)?;
        let mut key_slots = Vec::new();
        let mut add = |secret| {
            let slot = make_key_slot(host.rng, vault_id, place.grant, &identity, secret)?;
            key_slots.push(KeySlotEntry::from(slot));
            Ok(())
        };
        if let Some(passphrase) = owner.passphrase {
            let cost = owner.cost.check(limits::MEMORY_KIB_MAX_NATIVE)?;
            add(NewSecret::Passphrase(passphrase, cost))?;
        }
        if let Some((key, hint)) = owner.key {
            add(NewSecret::Key(key, Hint::new(hint)?, None))?;
        }
        let access = Access::open(identity, &header)?;
        let chain = Links {
            seq: 0,
            prev: [0; 32],
            superseded: &[],
            adopted: &[],
        };
        let file = snapshot_file(&access, &header, &key_slots, &chain, Vec::new(), host.rng)?;
        let way = Way::Open(Box::new(access));
        let vault = Self::load(file.clone(), way, OpenOptions::default())?;
        Ok((vault, file))
    }
}

/// A grant with its bundle.
pub(crate) fn new_grant(
    host: &mut Host<'_>,
    bundle: &Bundle,
    place: &BundlePlace<'_>,
    label: &str,
    key: &GrantKey,
) -> Result<Grant> {
    check_text("label", label, limits::LABEL_LEN_MAX, Code::InvalidArgument)?;
    Ok(Grant {
        id: place.grant,
        label: label.into(),
        since: host.now.to_string(),
        until: None,
        requests_from: None,
        extra: None,
        rights: place.rights.to_vec(),
        x_wing: key.x_wing.clone(),
        ed25519: Hex(key.ed25519),
        bundle: bundle.seal(host.rng, place, key)?,
    })
}

pub(crate) fn new_grant_id(rng: &mut dyn CryptoRng) -> GrantId {
    let mut id = [0; 8];
    rng.fill_bytes(&mut id);
    GrantId(Hex(id))
}
