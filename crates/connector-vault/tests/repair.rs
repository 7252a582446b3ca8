//! Repair of damaged vaults, through the public API.

mod support;

use connector_vault::{Code, NewConnector, OpenOptions, Options, RepairOptions, Unlock, Vault};
use support::{Fixed, Kept, properties};

/// A vault with so many connectors, all made by one commit, and some updates.
fn large(count: usize) -> Kept {
    let mut kept = Kept::new(51);
    let plans = (0..count).map(|index| {
        let id = connector_vault::ConnectorId::new(format!("c{index:04}")).expect("valid");
        let values = properties(&[("APIKey", "a"), ("Endpoint", "https://example.com")]);
        kept.vault
            .plan_create(
                &NewConnector::new(id.as_str(), "Name", "Type").with_properties(&values),
                &Options::default(),
            )
            .expect("planned")
    });
    let plans = plans.collect();
    let prepared = kept
        .vault
        .prepare_all(plans, &mut kept.fixed.host())
        .expect("prepared");
    kept.store(prepared).expect("stored");
    for index in 0..count.min(20) {
        kept.update(&format!("c{index:04}"), "APIKey", "b")
            .expect("updated");
    }
    kept
}

fn repair(kept: &Kept, file: &[u8]) -> connector_vault::Result<connector_vault::Repaired> {
    let vault_id = Some(kept.vault.head().vault_id);
    let options = OpenOptions {
        vault_id,
        ..OpenOptions::default()
    };
    Vault::repair(
        file,
        Unlock::Identity(&kept.identity),
        &options,
        RepairOptions::default(),
        &mut Fixed::new(52).host(),
    )
}

#[test]
fn flips_in_the_middle_cost_few_connectors() {
    let kept = large(1_000);
    let mut file = kept.file.clone();
    let middle = file.len() / 2;
    for at in [middle, middle + 1, middle + 40] {
        file[at] ^= 0xff;
    }
    let opened = support::open(file.clone(), &kept.identity, &kept.vault).expect("opens");
    let problems = opened.verify().expect("walks");
    assert!(problems.iter().any(|verdict| !verdict.problems.is_empty()));
    let repaired = repair(&kept, &file).expect("an owner repairs");
    assert!(
        repaired.vault.len() >= 998,
        "{} connectors",
        repaired.vault.len()
    );
    assert!(!repaired.lost.is_empty() && repaired.lost.len() <= 2);
    assert!(repaired.elsewhere.is_empty());
    let again = support::open(repaired.file, &kept.identity, &kept.vault).expect("sound");
    assert!(
        again
            .verify()
            .expect("walks")
            .iter()
            .all(|verdict| verdict.problems.is_empty())
    );
    assert_eq!(again.overview("c0000").expect("there").version.get(), 2);
}

#[test]
fn a_lost_commit_loses_what_it_changed_and_no_more() {
    let kept = large(50);
    let mut file = kept.file.clone();
    // The newest commit, from its fixed part on.
    let log_start = file.len() as u64 - kept.vault.log_end().end;
    let newest = usize::try_from(log_start + kept.vault.log_end().marks[0].0).expect("in memory");
    file[newest..].fill(0xaa);
    let repaired = repair(&kept, &file).expect("an owner repairs");
    assert_eq!(repaired.vault.len(), 50);
    assert!(!repaired.gaps.is_empty());
    // A client that saw the lost commits has to accept that they are gone.
    let options = OpenOptions {
        known: Some(kept.vault.known_head()),
        ..OpenOptions::default()
    };
    let opened = Vault::open(repaired.file, Unlock::Identity(&kept.identity), &options);
    assert_eq!(
        opened.expect_err("another commit in its place").code(),
        Code::Forked
    );
}

#[test]
fn a_sound_vault_stays_as_it_is() {
    let kept = large(20);
    let repaired = repair(&kept, &kept.file).expect("an owner repairs");
    assert_eq!(
        (repaired.recovered, repaired.lost.len(), repaired.gaps.len()),
        (40, 0, 0)
    );
    let options = OpenOptions {
        known: Some(kept.vault.known_head()),
        ..OpenOptions::default()
    };
    let again =
        Vault::open(repaired.file, Unlock::Identity(&kept.identity), &options).expect("continues");
    assert_eq!(again.len(), 20);
}

#[test]
fn an_identity_does_not_say_which_vault_to_trust() {
    let kept = large(1);
    let unlock = Unlock::Identity(&kept.identity);
    let repaired = Vault::repair(
        &kept.file,
        unlock,
        &OpenOptions::default(),
        RepairOptions::default(),
        &mut Fixed::new(52).host(),
    );
    assert_eq!(
        repaired.expect_err("any vault").code(),
        Code::VaultIdRequired
    );
}

#[test]
fn a_damaged_header_is_beyond_repair() {
    let kept = large(1);
    let mut file = kept.file.clone();
    file[12 + 2 + 59 + 20] ^= 1;
    assert_eq!(
        repair(&kept, &file).expect_err("no keys").code(),
        Code::Damaged
    );
}
