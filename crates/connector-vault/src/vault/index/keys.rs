//! What the index is sealed under: keys that derive from the index key of an epoch, which every member holds
//! (docs/format.md sections 3.3, 6.5 and 6.6).

use rand_core::CryptoRng;

use super::entries::{Hint, Tag};
use crate::crypto::aead::SealingKey;
use crate::crypto::kdf::{self, Key};
use crate::crypto::label::{self, bind};
use crate::crypto::mac::MacKey;
use crate::format::hex::VaultId;
use crate::vault::record::Overview;

/// The keys of an epoch that seal pages and directories, and make tags and hints.
#[derive(Clone)]
pub(crate) struct IndexKeys {
    vault_id: VaultId,
    epoch: u64,
    page: SealingKey,
    directory: SealingKey,
    tag: MacKey,
    hint: MacKey,
}

/// Where a sealed part of the index stands.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// The directory of the snapshot with this seq.
    Directory(u64),
    /// The page with this number, from 0, of the snapshot with this seq.
    Page(u64, u64),
    /// The page of the changes with this seq.
    Changes(u64),
}

impl IndexKeys {
    pub(crate) fn new(index_key: &Key, vault_id: VaultId, epoch: u64) -> Self {
        let derive = |label| kdf::derive_key(index_key, label, &[]);
        Self {
            vault_id,
            epoch,
            page: SealingKey::new(&derive(label::PAGE_KEY)),
            directory: SealingKey::new(&derive(label::DIRECTORY_KEY)),
            tag: MacKey::new(&derive(label::TAG_KEY)),
            hint: MacKey::new(&derive(label::REQUEST_HINT_KEY)),
        }
    }

    /// The tag of a connector id: what entries say in its place.
    pub(crate) fn tag(&self, id: &str) -> Tag {
        Tag(self.tag.mac(&bind(label::TAG, &[id.as_bytes()])))
    }

    /// The hint of a request id, by which its version is found.
    pub(crate) fn hint(&self, id: &str, request_id: &str) -> Hint {
        let input = bind(label::REQUEST_HINT, &[id.as_bytes(), request_id.as_bytes()]);
        Hint::of(self.hint.mac(&input))
    }

    /// The hint of the version that an overview is of.
    pub(crate) fn hint_of(&self, overview: &Overview) -> Hint {
        let request_id = overview.request_id.as_deref();
        request_id.map_or(Hint::NONE, |request_id| {
            self.hint(overview.id.as_str(), request_id)
        })
    }

    /// Appends the plaintext of a sealed part to `out`, or says no.
    pub(crate) fn open(&self, place: Place, sealed: &[u8], out: &mut Vec<u8>) -> bool {
        self.key(place).open(&self.context(place), sealed, out)
    }

    /// Appends a sealed part to `out`.
    pub(crate) fn seal(
        &self,
        rng: &mut dyn CryptoRng,
        place: Place,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) {
        self.key(place)
            .seal(rng, &self.context(place), plaintext, out);
    }

    fn key(&self, place: Place) -> &SealingKey {
        match place {
            Place::Directory(_) => &self.directory,
            Place::Page(..) | Place::Changes(_) => &self.page,
        }
    }

    fn context(&self, place: Place) -> Vec<u8> {
        let (label, seq, number) = match place {
            Place::Directory(seq) => (label::DIRECTORY, seq, None),
            Place::Page(seq, number) => (label::PAGE, seq, Some(number)),
            Place::Changes(seq) => (label::CHANGES_PAGE, seq, None),
        };
        let (epoch, seq) = (self.epoch.to_le_bytes(), seq.to_le_bytes());
        let number = number.map(u64::to_le_bytes);
        let mut inputs = vec![self.vault_id.as_bytes().as_slice(), &epoch, &seq];
        inputs.extend(number.as_ref().map(<[u8; 8]>::as_slice));
        bind(label, &inputs)
    }
}
