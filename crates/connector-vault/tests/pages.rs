//! The pages of a snapshot as an index: connectors on several pages, versions that go on over the end of a page,
//! and a tail over them, beside a model in memory.

mod support;

use std::collections::BTreeMap;

use connector_vault::{
    Code, Cursor, NewConnector, Options, Overview, PropertyChanges, Result, Retention, Vault,
    Version,
};
use support::{Kept, properties, values};

/// Connectors on several pages: a page holds 512 versions.
const MANY: usize = 1300;

fn id(number: usize) -> String {
    format!("c{number:04}")
}

/// A vault with many connectors in its snapshot.
fn many() -> Kept {
    let mut kept = Kept::new(61);
    let plans = (0..MANY).map(|number| {
        let value = number.to_string();
        let new = NewConnector::new(id(number), "Name", "Type")
            .with_properties(&properties(&[("Number", &value)]));
        kept.vault
            .plan_create(&new, &Options::default())
            .expect("planned")
    });
    let plans = plans.collect();
    let prepared = kept.vault.prepare_all(plans, &mut kept.fixed.host());
    kept.store(prepared.expect("prepared")).expect("stored");
    compact(&mut kept, Retention::Automatic);
    kept
}

fn compact(kept: &mut Kept, retention: Retention) {
    let prepared = kept
        .vault
        .prepare_compaction(retention, &mut kept.fixed.host());
    kept.store(prepared.expect("an owner")).expect("stored");
}

/// What a vault holds is what the model says: number and newest version of each connector.
fn check(kept: &Kept, model: &BTreeMap<String, (String, u64)>) {
    for vault in [&kept.vault, &kept.open().expect("opens")] {
        assert_eq!(vault.len(), model.len());
        let mut listed = BTreeMap::new();
        for overview in vault.list() {
            let overview = overview.expect("sound");
            let id = overview.id.to_string();
            assert!(
                listed.insert(id, overview.version.get()).is_none(),
                "listed twice"
            );
        }
        let expected = model
            .iter()
            .map(|(id, (_, version))| (id.clone(), *version));
        assert_eq!(listed, expected.collect());
        for (id, (value, version)) in model {
            assert_eq!(vault.overview(id).expect("sound").version.get(), *version);
            assert_eq!(values(vault, id)["Number"], *value);
        }
        for id in ["", "c", "c9999", "d"] {
            assert!(!vault.contains(id).expect("known"));
            assert_eq!(
                vault.read(id).expect_err("absent").code(),
                Code::ConnectorNotFound
            );
        }
    }
}

#[test]
fn lookups_over_pages_and_the_tail_find_what_a_map_does() {
    let mut kept = many();
    let model = (0..MANY).map(|number| (id(number), (number.to_string(), 1)));
    let mut model: BTreeMap<_, _> = model.collect();
    check(&kept, &model);
    for number in (0..MANY).step_by(37) {
        kept.update(&id(number), "Number", "changed")
            .expect("updated");
        model.insert(id(number), ("changed".into(), 2));
    }
    for number in (5..MANY).step_by(111) {
        let plan = kept
            .vault
            .plan_delete(&id(number), &Options::default())
            .expect("planned");
        let prepared = kept
            .vault
            .prepare(plan, &mut kept.fixed.host())
            .expect("prepared");
        kept.store(prepared).expect("stored");
        model.remove(&id(number));
        assert!(!kept.vault.contains(&id(number)).expect("known"));
    }
    for number in 0..5 {
        let new = format!("new{number}");
        kept.add(&new, &[("Number", "new")]).expect("added");
        model.insert(new, ("new".into(), 1));
    }
    check(&kept, &model);
    compact(&mut kept, Retention::Automatic);
    check(&kept, &model);
}

#[test]
fn the_versions_of_one_connector_fill_pages() {
    let mut kept = many();
    let busy = id(700);
    for number in 0..1200 {
        let changes = PropertyChanges::from([("Number", number.to_string())]);
        let plan = kept
            .vault
            .plan_update(&busy, changes, &Options::default())
            .expect("planned");
        let prepared = kept
            .vault
            .prepare(plan, &mut kept.fixed.host())
            .expect("prepared");
        kept.store(prepared).expect("stored");
    }
    for retention in [
        Retention::Newest(1100),
        Retention::Newest(1100),
        Retention::Newest(600),
    ] {
        compact(&mut kept, retention);
        let vault = kept.open().expect("opens");
        let Retention::Newest(count) = retention else {
            continue;
        };
        let history = vault.history(&busy).expect("kept");
        let numbers: Vec<_> = history
            .iter()
            .map(|one| one.overview.version.get())
            .collect();
        let newest = 1201;
        assert_eq!(
            numbers,
            (newest + 1 - count as u64..=newest).collect::<Vec<_>>()
        );
        assert_eq!(values(&vault, &busy)["Number"], "1199");
        let oldest = Version::new(numbers[0]).expect("from 1");
        assert_eq!(
            vault.read_version(&busy, oldest).expect("kept").version,
            oldest
        );
        let before = Version::new(numbers[0] - 1).expect("from 1");
        let error = vault.read_version(&busy, before).expect_err("dropped");
        assert_eq!(error.code(), Code::VersionNotFound);
        assert_eq!(vault.list().count(), MANY);
        for number in [0, 699, 701, MANY - 1] {
            assert_eq!(vault.history(&id(number)).expect("kept").len(), 1);
        }
    }
}

#[test]
fn a_list_in_parts_is_the_list() {
    let kept = many();
    let whole: Vec<_> = kept
        .vault
        .list()
        .map(|one| one.expect("sound").id)
        .collect();
    for count in [1, 100, 511, 512, 513, MANY] {
        let (mut ids, mut cursor) = (Vec::new(), Cursor::default());
        while !cursor.is_end() {
            let mut listing = kept.vault.list_from(cursor);
            ids.extend(
                listing
                    .by_ref()
                    .take(count)
                    .map(|one| one.expect("sound").id),
            );
            cursor = listing.cursor();
        }
        assert!(ids == whole, "{count} at a time");
    }
}

/// A list in parts tells the same as the whole list, each error once.
fn list_in_parts(vault: &Vault) {
    let told = |one: Result<Overview>| {
        one.map_or_else(|error| error.to_string(), |one| one.id.to_string())
    };
    let whole: Vec<_> = vault.list().map(told).collect();
    for count in [1, 2, 511] {
        let (mut parts, mut cursor) = (Vec::new(), Cursor::default());
        while !cursor.is_end() && parts.len() <= whole.len() {
            let mut listing = vault.list_from(cursor);
            parts.extend(listing.by_ref().take(count).map(told));
            // A host keeps it as text.
            cursor = listing.cursor().to_string().parse().expect("a cursor");
        }
        assert!(parts == whole, "{count} at a time");
    }
    for text in [
        "",
        "x",
        "00",
        "end.1.2",
        "end.told",
        "00000000000000000000000000000000.1",
    ] {
        let refused = text.parse::<Cursor>().map(|_| ());
        assert_eq!(refused.expect_err(text).code(), Code::InvalidArgument);
    }
    let far = format!("{}.{}.{}", "0".repeat(32), 1, u32::MAX)
        .parse()
        .expect("a cursor");
    assert!(vault.list_from(far).count() <= whole.len());
}

#[test]
fn a_damaged_page_costs_its_connectors_and_no_more() {
    let kept = many();
    let sound: BTreeMap<_, _> = (0..MANY)
        .map(|number| (id(number), number.to_string()))
        .collect();
    // The pages stand behind the signature; the directory's length tells nothing to a test, so look for a byte that
    // makes one error of a list.
    let log_start = kept.file.len() - usize::try_from(kept.vault.log_end().end).expect("in memory");
    let at = (log_start..kept.file.len()).step_by(4096).find(|at| {
        let mut file = kept.file.clone();
        file[*at] ^= 1;
        let vault = support::open(file, &kept.identity, &kept.vault);
        vault.is_ok_and(|vault| {
            let errors: Vec<_> = vault.list().filter_map(Result::err).collect();
            matches!(errors.as_slice(), [one] if one.message().contains("the page of"))
        })
    });
    let mut file = kept.file.clone();
    file[at.expect("a page")] ^= 1;
    let mut vault = support::open(file, &kept.identity, &kept.vault).expect("opens");
    let (mut readable, mut damaged) = (0, Vec::new());
    for (id, value) in &sound {
        match vault.read(id) {
            Ok(connector) => {
                assert_eq!(
                    connector.properties.get("Number").expect("there").expose(),
                    value
                );
                readable += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), Code::Damaged, "{error}");
                damaged.push(id.clone());
            }
        }
    }
    assert!(readable + damaged.len() == MANY && (1..=512).contains(&damaged.len()));
    assert_eq!(vault.list().filter_map(Result::ok).count(), readable);
    list_in_parts(&vault);
    // What others write there is taken, but stays damaged: nobody can tell what stood before.
    let other = sound.keys().find(|id| !damaged.contains(id)).expect("one");
    let mut writer = Kept {
        vault: kept.open().expect("opens"),
        file: kept.file.clone(),
        identity: kept.identity.clone(),
        fixed: support::Fixed::new(62),
    };
    let start = writer.file.len();
    writer
        .update(&damaged[0], "Number", "new")
        .expect("updated");
    writer.update(other, "Number", "new").expect("updated");
    vault
        .refresh(writer.file[start..].to_vec())
        .expect("follows");
    assert_eq!(
        vault.read(&damaged[0]).expect_err("damaged").code(),
        Code::Damaged
    );
    assert_eq!(values(&vault, other)["Number"], "new");
    let named = vault.list().filter_map(Result::err);
    assert!(
        named
            .into_iter()
            .any(|error| error.message().contains(&damaged[0]))
    );
    list_in_parts(&vault);
    // An owner repairs it before the next snapshot.
    let compaction = vault.prepare_compaction(Retention::Automatic, &mut writer.fixed.host());
    assert_eq!(compaction.expect_err("damaged").code(), Code::Damaged);
}
