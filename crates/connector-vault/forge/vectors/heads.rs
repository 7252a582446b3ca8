//! Vaults that are not the one that a client has seen (docs/format.md section 9).

use super::Cases;
use crate::crypto::identity::Identity;
use crate::error::Code;
use crate::format::hex::Hex;
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

    let stranger = Team::founded(1, None);
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
