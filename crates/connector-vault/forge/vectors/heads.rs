//! Vaults that are not the one that a client has seen (docs/format.md section 9).

use super::Cases;
use crate::crypto::identity::Identity;
use crate::error::Code;
use crate::format::hex::Hex;
use crate::log::KnownHead;
use crate::role::Role;
use crate::vault::Retention;
use crate::vault::forge::{Counter, Team};

pub(super) fn make(cases: &mut Cases) {
    let first = Team::solo();
    let known = first.vault.known_head();
    let mut grown = Team::solo();
    grown.update("x", "APIKey", "b");
    let mut forked = Team::solo();
    forked.update("x", "APIKey", "c");
    let newer = grown.vault.known_head();

    cases
        .opens(
            "continues-at-the-known-head",
            "a vault at the known head continues",
            &first,
            first.file.clone(),
        )
        .known(&known);
    cases
        .opens(
            "continues-behind-the-known-head",
            "a vault that has grown from the known head continues",
            &grown,
            grown.file.clone(),
        )
        .known(&known);
    cases
        .refused(
            "rolled-back-seq",
            "a vault whose seq is behind the known head went back",
            &first,
            first.file.clone(),
            Code::RolledBack,
        )
        .known(&newer);
    cases
        .refused(
            "forked",
            "a vault with another commit of the known seq is forked",
            &forked,
            forked.file.clone(),
            Code::Forked,
        )
        .known(&newer);
    let mut epoch = newer.clone();
    epoch.head.epoch = 2;
    cases
        .refused(
            "rolled-back-epoch",
            "a vault whose epoch is behind the known head went back",
            &grown,
            grown.file.clone(),
            Code::RolledBack,
        )
        .known(&epoch);

    let mut compacted = Team::solo();
    compacted.update("x", "APIKey", "b");
    compacted.compact(Retention::Automatic);
    cases
        .opens(
            "continues-superseded",
            "a known head among the superseded commits continues",
            &compacted,
            compacted.file.clone(),
        )
        .known(&known);
    let mut rival = Team::solo();
    rival.update("x", "APIKey", "c");
    rival.compact(Retention::Automatic);
    cases
        .refused(
            "forked-superseded",
            "a vault with another superseded commit of the known seq is forked",
            &rival,
            rival.file.clone(),
            Code::Forked,
        )
        .known(&newer);
    let mut snapshot = compacted.snapshot();
    snapshot.set_seq(16_390);
    cases
        .opens(
            "unverifiable",
            "a known head older than the superseded commits cannot be compared",
            &compacted,
            snapshot.file(),
        )
        .known(&known);
    let mut other_key = known.clone();
    other_key.vault_key = Hex([1; 32]);
    cases
        .refused(
            "untrusted-vault-key",
            "the known vault key leads to the present one",
            &compacted,
            compacted.file.clone(),
            Code::UntrustedOwner,
        )
        .known(&other_key);

    let first_known = known.clone();
    // Who became an owner after the client looked.
    let mut team = Team::solo();
    let known = team.vault.known_head();
    team.grant("second", Role::Owner);
    team.hand_to("second");
    team.compact(Retention::Automatic);
    cases
        .opens(
            "continues-by-a-new-owner",
            "a snapshot under the unchanged vault key needs no author that the client knew",
            &team,
            team.file.clone(),
        )
        .known(&known);
    let mut index = known.clone();
    index.index_commitment = Hex([1; 32]);
    cases
        .refused(
            "forked-epoch",
            "one epoch has one index key: two owners may have revoked apart",
            &team,
            team.file.clone(),
            Code::Forked,
        )
        .known(&index);

    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    let known = team.vault.known_head();
    team.revoke("second");
    cases
        .opens(
            "continues-through-a-handover",
            "handovers lead from the known vault key to the present one",
            &team,
            team.file.clone(),
        )
        .known(&known);

    // Two owners who revoke each other: each has a handover of its own.
    let mut team = Team::alone();
    team.grant("second", Role::Owner);
    let before = team.vault.reference();
    let mut rival = Team {
        rng: Counter::new(7),
        vault: team.open_as("second"),
        file: team.file.clone(),
        members: team.members.clone(),
    };
    rival.revoke("ops");
    team.revoke("second");
    let second = rival.identity("second").clone();
    cases
        .refused(
            "rival-handover",
            "the known vault key leads to the present one, not to that of a former owner",
            &rival,
            rival.file.clone(),
            Code::UntrustedOwner,
        )
        .by(&second)
        .known(&team.vault.known_head());
    cases
        .opens(
            "accepted-vault-reference",
            "a vault reference needs neither vault id nor known head, and leads through handovers",
            &team,
            team.file.clone(),
        )
        .referred(before);
    cases
        .refused(
            "reference-rival-handover",
            "the vault key of a reference leads to the present one",
            &rival,
            rival.file.clone(),
            Code::UntrustedOwner,
        )
        .by(&second)
        .referred(team.vault.reference());
    cases
        .refused(
            "reference-epoch",
            "a vault is not of an earlier epoch than its reference",
            &first,
            first.file.clone(),
            Code::RolledBack,
        )
        .referred({
            let mut later = Team::solo();
            later.grant("reader", Role::Reader);
            later.revoke("reader");
            later.vault.reference()
        });
    let stranger = Team::founded(1, None);
    cases
        .refused(
            "reference-other-vault",
            "a vault has the id of its reference",
            &first,
            first.file.clone(),
            Code::WrongVault,
        )
        .referred(stranger.vault.reference());
    adopted(cases);
    order(cases, &grown, &first_known);
    cases
        .refused(
            "wrong-vault-by-id",
            "a vault has the expected id",
            &first,
            first.file.clone(),
            Code::WrongVault,
        )
        .vault_id = Some(stranger.vault_id().to_string());
    cases
        .refused(
            "wrong-vault-by-known-head",
            "a vault has the known head's id",
            &first,
            first.file.clone(),
            Code::WrongVault,
        )
        .known(&stranger.vault.known_head());
    cases
        .refused(
            "vault-id-required",
            "an identity alone does not say which vault to trust",
            &first,
            first.file.clone(),
            Code::VaultIdRequired,
        )
        .vault_id = None;
    let nobody = Identity::generate(&mut Counter::new(2));
    cases
        .refused(
            "wrong-identity",
            "an identity without a grant does not open the vault",
            &first,
            first.file.clone(),
            Code::WrongIdentity,
        )
        .by(&nobody);
}

/// A snapshot that lists commits of a merged copy.
fn adopted(cases: &mut Cases) {
    let mut ours = Team::solo();
    ours.update("x", "APIKey", "b");
    let mut theirs = Team::solo();
    for value in ["c", "d", "e", "f"] {
        theirs.update("x", "APIKey", value);
    }
    let place = |known: &KnownHead| {
        let (seq, hash) = (known.head.seq.to_le_bytes(), known.head.hash.0);
        <[u8; 40]>::try_from([seq.as_slice(), &hash].concat()).unwrap()
    };
    let newest = theirs.vault.known_head();
    let mut former = newest.clone();
    (former.head.seq, former.head.hash) = (2, Hex([7; 32]));
    let mut snapshot = ours.snapshot();
    snapshot.adopted = vec![place(&former), place(&newest)];
    let file = snapshot.file();
    cases
        .opens(
            "continues-adopted",
            "a known head among the adopted commits continues, whatever the log has of its seq",
            &ours,
            file.clone(),
        )
        .known(&former);
    cases
        .opens(
            "continues-adopted-at-a-lower-seq",
            "a known head among the adopted commits continues, also at a lower seq",
            &ours,
            file.clone(),
        )
        .known(&newest);
    let mut other = newest.clone();
    other.head.hash = Hex([8; 32]);
    cases
        .refused(
            "adopted-other-hash",
            "an adopted commit has its hash",
            &ours,
            file.clone(),
            Code::RolledBack,
        )
        .known(&other);
    let mut epoch = newest.clone();
    epoch.index_commitment = Hex([1; 32]);
    cases
        .refused(
            "adopted-of-another-epoch",
            "an adopted commit undoes no revocation: the index key is compared first",
            &ours,
            file,
            Code::Forked,
        )
        .known(&epoch);
}

/// Heads that two rules concern.
fn order(cases: &mut Cases, team: &Team, known: &KnownHead) {
    let mut epoch = known.clone();
    epoch.head.epoch = 2;
    epoch.vault_key = Hex([1; 32]);
    cases
        .refused(
            "head-epoch-before-vault-key",
            "the epoch is compared before the vault key",
            team,
            team.file.clone(),
            Code::RolledBack,
        )
        .known(&epoch);
    let mut key = known.clone();
    (key.vault_key, key.index_commitment) = (Hex([1; 32]), Hex([1; 32]));
    cases
        .refused(
            "head-vault-key-before-index-key",
            "the vault key is compared before the index key",
            team,
            team.file.clone(),
            Code::UntrustedOwner,
        )
        .known(&key);
    let mut index = known.clone();
    index.index_commitment = Hex([1; 32]);
    index.head.seq = 9;
    cases
        .refused(
            "head-index-key-before-seq",
            "the index key is compared before the seq",
            team,
            team.file.clone(),
            Code::Forked,
        )
        .known(&index);
}
