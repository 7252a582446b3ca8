//! The names of groups, sealed for the members who list them (docs/format.md section 5.2).

use rand_core::CryptoRng;

use super::bundle::Bundle;
use crate::crypto::aead::SealingKey;
use crate::crypto::label::{self, bind};
use crate::error::{Code, Error, Result};
use crate::format::header::{Group, Header, NAME_PLAIN_LEN, SealedName};
use crate::format::hex::{GroupId, Hex, VaultId};
use crate::limits;
use crate::unicode;

/// The name of the group that every vault has.
pub(crate) const DEFAULT: &str = "default";

/// A name before it is sealed: its length, the name, zero bytes. It may break the rules: an owner wrote it.
pub(crate) struct PlainName(Vec<u8>);

impl PlainName {
    /// A new name, in normal form. Fails with `invalid_argument` for a name that is not valid.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let name = normal(name);
        if !is_name(&name) {
            return Err(Error::new(
                Code::InvalidArgument,
                "the name of a group has 1 to 128 bytes and no control character, and is not \"*\"",
            ));
        }
        if !unicode::is_assigned(&name) {
            return Err(Error::new(
                Code::InvalidArgument,
                "the name of a group holds a character that Unicode does not assign",
            ));
        }
        let len = u8::try_from(name.len()).expect("at most 128 bytes");
        let mut plain = vec![len];
        plain.extend_from_slice(name.as_bytes());
        plain.resize(NAME_PLAIN_LEN, 0);
        Ok(Self(plain))
    }

    /// What stands for a name that does not open: no name.
    fn lost() -> Self {
        Self(vec![0; NAME_PLAIN_LEN])
    }

    pub(crate) fn text(&self) -> Option<&str> {
        let (len, rest) = self.0.split_first()?;
        let (name, zeros) = rest.split_at_checked(usize::from(*len))?;
        let name = std::str::from_utf8(name).ok()?;
        (is_name(name) && zeros.iter().all(|byte| *byte == 0)).then_some(name)
    }

    /// Seals it for a group of a header's epoch.
    pub(crate) fn seal(
        &self,
        rng: &mut dyn CryptoRng,
        bundle: &Bundle,
        header: &Header,
        id: GroupId,
    ) -> Result<SealedName> {
        let keys = bundle
            .group(id)
            .ok_or_else(|| Error::new(Code::Internal, "an owner lacks the keys of a group"))?;
        let mut sealed = Vec::new();
        let context = context(header.vault_id, header.epoch, id);
        SealingKey::new(&keys.overview).seal(rng, &context, &self.0, &mut sealed);
        Ok(SealedName(sealed))
    }

    fn open(bundle: &Bundle, header: &Header, group: &Group) -> Option<Self> {
        let keys = bundle.group(group.id)?;
        let mut plain = Vec::with_capacity(NAME_PLAIN_LEN);
        let context = context(header.vault_id, header.epoch, group.id);
        let SealedName(sealed) = &group.name;
        SealingKey::new(&keys.overview)
            .open(&context, sealed, &mut plain)
            .then_some(Self(plain))
    }
}

/// The form in which names of groups are compared.
pub(crate) fn normal(name: &str) -> String {
    let mut normal = String::new();
    unicode::push_nfc(name, &mut normal);
    normal
}

fn is_name(name: &str) -> bool {
    (1..=limits::GROUP_NAME_LEN_MAX).contains(&name.len())
        && !name.chars().any(char::is_control)
        && name != "*"
        && name == normal(name)
}

fn context(vault_id: VaultId, epoch: u64, id: GroupId) -> Vec<u8> {
    bind(
        label::GROUP_NAME,
        &[vault_id.as_bytes(), &epoch.to_le_bytes(), id.as_bytes()],
    )
}

/// The name of a group; `None` if the grant does not list it or the name is not valid.
pub(crate) fn name_of(bundle: &Bundle, header: &Header, group: &Group) -> Option<String> {
    PlainName::open(bundle, header, group)?
        .text()
        .map(str::to_owned)
}

/// Adds a group under the next number, with an owner's keys of the header's epoch.
pub(crate) fn add(
    rng: &mut dyn CryptoRng,
    bundle: &Bundle,
    header: &mut Header,
    name: &PlainName,
) -> Result<()> {
    if header.groups.len() == limits::GROUPS_MAX {
        return Err(Error::new(
            Code::LimitExceeded,
            "a vault has at most 256 groups",
        ));
    }
    let number = u16::try_from(header.next_group)
        .map_err(|_| Error::new(Code::LimitExceeded, "the vault has had too many groups"))?;
    let mut id = [0; 8];
    rng.fill_bytes(&mut id);
    let id = GroupId(Hex(id));
    let name = name.seal(rng, bundle, header, id)?;
    header.next_group += 1;
    header.groups.push(Group {
        id,
        number,
        name,
        overview_commitment: Hex([0; 32]),
        secret_commitment: Hex([0; 32]),
        deposit: None,
    });
    bundle.commit_to(header)
}

/// Seals the names of all groups under the keys of a header's new epoch; `before` is what opened them.
pub(crate) fn seal_again(
    rng: &mut dyn CryptoRng,
    before: (&Bundle, &Header),
    bundle: &Bundle,
    header: &mut Header,
) -> Result<()> {
    let (old, old_header) = before;
    for index in 0..header.groups.len() {
        let group = &header.groups[index];
        let name = PlainName::open(old, old_header, group).unwrap_or_else(PlainName::lost);
        header.groups[index].name = name.seal(rng, bundle, header, group.id)?;
    }
    bundle.commit_to(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_in_normal_form_and_are_not_the_word_for_all() {
        let long = "a".repeat(128);
        for name in ["default", "Zahlungen \u{e4}", "a b", "**", &long] {
            let plain = PlainName::new(name).expect(name);
            assert_eq!(plain.0.len(), NAME_PLAIN_LEN);
            assert_eq!(plain.text(), Some(name));
        }
        let plain = PlainName::new("a\u{308}").expect("it has a normal form");
        assert_eq!(plain.text(), Some("\u{e4}"));
        let too_long = "a".repeat(129);
        for name in ["", "*", "a\nb", "\u{9f}", "\u{378}", &too_long] {
            assert!(PlainName::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_plaintext_that_no_owner_writes_is_no_name() {
        let with = |len: u8, name: &[u8]| {
            let mut plain = vec![len];
            plain.extend_from_slice(name);
            plain.resize(NAME_PLAIN_LEN, 0);
            PlainName(plain)
        };
        assert_eq!(with(1, b"a").text(), Some("a"));
        for (len, name) in [
            (0, &b""[..]),
            (1, b"ab"),
            (129, b"a"),
            (2, b"a"),
            (1, b"*"),
            (1, b"\xff"),
            (3, "a\u{308}".as_bytes()),
        ] {
            assert_eq!(with(len, name).text(), None, "{len} {name:?}");
        }
        assert_eq!(PlainName::lost().text(), None);
    }
}
