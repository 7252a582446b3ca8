//! Every label, so that a key, signature or ciphertext made for one purpose serves no other
//! (docs/format.md section 3.1 is this table in words).

/// `vault_id = SHA-256(bind(VAULT, [first verifying key]))`.
pub(crate) const VAULT: &str = "connector-vault/1 vault";
/// Hash of a vault key in a vault reference: SHA-256.
pub(crate) const VAULT_KEY: &str = "connector-vault/1 vault key";
/// Checksum of a vault reference: the first 8 bytes of SHA-256.
pub(crate) const VAULT_REFERENCE: &str = "connector-vault/1 vault reference";
/// The vault key's signature of a header.
pub(crate) const HEADER: &str = "connector-vault/1 header";
/// The old vault key's signature of the new one.
pub(crate) const HANDOVER: &str = "connector-vault/1 handover";
/// The author's signature of a commit.
pub(crate) const COMMIT: &str = "connector-vault/1 commit";
/// Associated data of a record's overview.
pub(crate) const OVERVIEW: &str = "connector-vault/1 overview";
/// Associated data of a record's secrets.
pub(crate) const SECRETS: &str = "connector-vault/1 secrets";
/// A key in the header that members compare their own with: SHA-256.
pub(crate) const COMMITMENT: &str = "connector-vault/1 commitment";
/// HKDF info: a group's overview key, from the overview root.
pub(crate) const GROUP_OVERVIEW_KEY: &str = "connector-vault/1 group overview key";
/// HKDF info: a group's secret, from the secret root.
pub(crate) const GROUP_SECRET: &str = "connector-vault/1 group secret";
/// Associated data of a group's name.
pub(crate) const GROUP_NAME: &str = "connector-vault/1 group name";
/// HKDF info: the key of one connector's secrets, from its group's secret.
pub(crate) const SECRETS_KEY: &str = "connector-vault/1 secrets key";
/// HKDF info: the X-Wing seed of a group's deposit key, from the group's secret.
pub(crate) const DEPOSIT: &str = "connector-vault/1 deposit";
/// HPKE info of a patch.
pub(crate) const PATCH: &str = "connector-vault/1 patch";
/// HKDF info: an identity's X-Wing seed.
pub(crate) const IDENTITY_X_WING: &str = "connector-vault/1 identity x-wing";
/// HKDF info: an identity's Ed25519 seed.
pub(crate) const IDENTITY_ED25519: &str = "connector-vault/1 identity ed25519";
/// Checksum of the text of a grant's public keys: the first 8 bytes of SHA-256.
pub(crate) const GRANT_KEY: &str = "connector-vault/1 grant key";
/// Fingerprint of a grant's public keys: the first 15 bytes of SHA-256.
pub(crate) const FINGERPRINT: &str = "connector-vault/1 fingerprint";
/// HPKE info of a grant's key bundle.
pub(crate) const BUNDLE: &str = "connector-vault/1 bundle";
/// HKDF info: the key that wraps an identity in a key slot.
pub(crate) const KEY_SLOT_KEY: &str = "connector-vault/1 key slot key";
/// HKDF info: the key commitment of a key slot.
pub(crate) const KEY_SLOT_COMMITMENT: &str = "connector-vault/1 key slot commitment";
/// Associated data of a key slot.
pub(crate) const KEY_SLOT: &str = "connector-vault/1 key slot";
/// HKDF info: the key that wraps an identity in the key slot of an external key.
pub(crate) const EXTERNAL_SLOT_KEY: &str = "connector-vault/1 external slot key";
/// HKDF info: the key commitment of the key slot of an external key.
pub(crate) const EXTERNAL_SLOT_COMMITMENT: &str = "connector-vault/1 external slot commitment";
/// Associated data of the key slot of an external key.
pub(crate) const EXTERNAL_SLOT: &str = "connector-vault/1 external slot";
/// SHA-256 of the place of a key slot: what a passkey makes an external key of.
pub(crate) const PASSKEY: &str = "connector-vault/1 passkey";
/// HKDF info: the key that seals pages, from the index key.
pub(crate) const PAGE_KEY: &str = "connector-vault/1 page key";
/// HKDF info: the key that seals directories, from the index key.
pub(crate) const DIRECTORY_KEY: &str = "connector-vault/1 directory key";
/// HKDF info: the key of tags, from the index key.
pub(crate) const TAG_KEY: &str = "connector-vault/1 tag key";
/// HKDF info: the key of request hints, from the index key.
pub(crate) const REQUEST_HINT_KEY: &str = "connector-vault/1 request hint key";
/// Associated data of a page of a snapshot.
pub(crate) const PAGE: &str = "connector-vault/1 page";
/// Associated data of the page of changes.
pub(crate) const CHANGES_PAGE: &str = "connector-vault/1 changes page";
/// Associated data of a directory.
pub(crate) const DIRECTORY: &str = "connector-vault/1 directory";
/// HMAC: the tag of a connector id.
pub(crate) const TAG: &str = "connector-vault/1 tag";
/// HMAC: the hint of a request id.
pub(crate) const REQUEST_HINT: &str = "connector-vault/1 request hint";
/// HKDF info: the key of faces, from a group's overview key.
pub(crate) const FACE_KEY: &str = "connector-vault/1 face key";
/// HMAC: what stands for id, name, type and meta of a connector.
pub(crate) const FACE: &str = "connector-vault/1 face";
/// The author's signature of a connector version.
pub(crate) const RECORD: &str = "connector-vault/1 record";
/// SHA-256 of salt and secrets, which the overview holds.
pub(crate) const SECRETS_HASH: &str = "connector-vault/1 secrets hash";
/// SHA-256 of a request, for its request id.
pub(crate) const REQUEST: &str = "connector-vault/1 request";
/// HKDF info: the key under which an author keeps its requests, from the identity.
pub(crate) const REQUEST_KEY: &str = "connector-vault/1 request key";
/// HMAC of a request, under the request key.
pub(crate) const REQUEST_MAC: &str = "connector-vault/1 request mac";
/// HKDF info: the id of a connector that a request creates, from the identity.
pub(crate) const CREATED_ID: &str = "connector-vault/1 created id";

/// A label and its inputs as one unambiguous byte string: each is led by its length as `u32`.
pub(crate) fn bind(label: &str, inputs: &[&[u8]]) -> Vec<u8> {
    let len = 4 + label.len() + inputs.iter().map(|input| 4 + input.len()).sum::<usize>();
    let mut bound = Vec::with_capacity(len);
    crate::bytes::put_part(&mut bound, label.as_bytes());
    for input in inputs {
        crate::bytes::put_part(&mut bound, input);
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_distinct_and_documented() {
        let all = [
            VAULT,
            VAULT_KEY,
            VAULT_REFERENCE,
            HEADER,
            HANDOVER,
            COMMIT,
            OVERVIEW,
            SECRETS,
            COMMITMENT,
            GROUP_OVERVIEW_KEY,
            GROUP_SECRET,
            GROUP_NAME,
            SECRETS_KEY,
            DEPOSIT,
            PATCH,
            IDENTITY_X_WING,
            IDENTITY_ED25519,
            GRANT_KEY,
            FINGERPRINT,
            BUNDLE,
            KEY_SLOT_KEY,
            KEY_SLOT_COMMITMENT,
            KEY_SLOT,
            EXTERNAL_SLOT_KEY,
            EXTERNAL_SLOT_COMMITMENT,
            EXTERNAL_SLOT,
            PASSKEY,
            PAGE_KEY,
            DIRECTORY_KEY,
            TAG_KEY,
            REQUEST_HINT_KEY,
            PAGE,
            CHANGES_PAGE,
            DIRECTORY,
            TAG,
            REQUEST_HINT,
            FACE_KEY,
            FACE,
            RECORD,
            SECRETS_HASH,
            REQUEST,
            REQUEST_KEY,
            REQUEST_MAC,
            CREATED_ID,
        ];
        let document = include_str!("../../../../docs/format.md");
        for (index, label) in all.iter().enumerate() {
            assert!(!all[..index].contains(label), "{label} twice");
            assert!(
                document.contains(&format!("`{label}`")),
                "docs/format.md lacks {label}"
            );
        }
    }

    #[test]
    fn inputs_do_not_run_together() {
        assert_ne!(bind("l", &[b"ab", b"c"]), bind("l", &[b"a", b"bc"]));
    }
}
