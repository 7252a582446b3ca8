//! The rooms of a house, a folder of modules, and who may import whom: ARCHITECTURE.md draws the order, this
//! reads it there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::source::Tokens;

/// Who may import whom: for each room the rooms that stand directly before it.
pub(crate) struct Order(BTreeMap<String, BTreeSet<String>>);

impl Order {
    /// The order that a text draws for a folder, in a code block ```` ```rooms of FOLDER ````.
    ///
    /// Each of its lines has rooms and arrows: `error <- bytes secret <- crypto`. A room may import whatever stands before
    /// an arrow to it in one of the lines, and what that may import. Rooms between the same arrows do not know each other.
    pub(crate) fn drawn(text: &str, folder: &str) -> Option<Self> {
        let fence = format!("```rooms of {folder}");
        let mut order = BTreeMap::new();
        let mut lines = text.lines().skip_while(|line| *line != fence);
        lines.next()?;
        for line in lines.take_while(|line| *line != "```") {
            let mut before = BTreeSet::new();
            for group in line.split("<-") {
                let group: BTreeSet<String> = group.split_whitespace().map(str::to_owned).collect();
                for room in &group {
                    let direct: &mut BTreeSet<String> = order.entry(room.clone()).or_default();
                    direct.extend(before.iter().cloned());
                }
                before = group;
            }
        }
        Some(Self(order))
    }

    pub(crate) fn rooms(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn has(&self, room: &str) -> bool {
        self.0.contains_key(room)
    }

    /// Everything that `room` may import, or `None` if it has no place.
    pub(crate) fn before(&self, room: &str) -> Option<BTreeSet<&str>> {
        let mut all = BTreeSet::new();
        let mut open = vec![self.0.get(room)?];
        while let Some(direct) = open.pop() {
            for room in direct {
                if all.insert(room.as_str()) {
                    open.push(&self.0[room]);
                }
            }
        }
        Some(all)
    }
}

/// A folder of modules below the root of a crate, and the order of its rooms.
pub(crate) struct House {
    /// The path of its module: empty for a crate, `["vault"]` for `vault.rs` and `vault/`.
    pub(crate) module: &'static [&'static str],
    pub(crate) order: Order,
    /// The names that its own file hands on: in `pub use`, which hides which room is meant.
    pub(crate) handed_on: BTreeSet<String>,
}

impl House {
    pub(crate) fn new(
        module: &'static [&'static str],
        order: Order,
        own_file: Option<&str>,
    ) -> Self {
        let tokens = own_file.map(Tokens::of);
        let paths = tokens.iter().flat_map(|tokens| tokens.paths(module));
        let handed_on = paths
            .filter(|path| path.is_handed_on)
            .filter_map(|mut path| path.names.pop())
            .collect();
        Self {
            module,
            order,
            handed_on,
        }
    }

    /// The lines at which a file, by its path below the crate's `src`, names a room that it must not know.
    pub(crate) fn faults(&self, file: &Path, source: &str) -> Vec<(usize, String)> {
        let module: Vec<String> = file
            .with_extension("")
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .filter(|part| part != "mod")
            .collect();
        let module: Vec<&str> = module.iter().map(String::as_str).collect();
        let Some(inside) = module.strip_prefix(self.module) else {
            return Vec::new();
        };
        let is_own_file = inside.is_empty();
        let room = match inside.first().or(self.module.last()) {
            Some(&"lib" | &"main") | None => return Vec::new(),
            Some(room) => *room,
        };
        let Some(allowed) = self.order.before(room) else {
            return vec![(1, format!("`{room}` has no place among the rooms"))];
        };
        let mut faults = Vec::new();
        for path in Tokens::of(source).paths(&module) {
            let names: Vec<&str> = path.names.iter().map(String::as_str).collect();
            let Some([name, ..]) = names.strip_prefix(self.module) else {
                continue;
            };
            let fault = if self.order.has(name) {
                // What its own file hands on is what others see of the house.
                let is_known = *name == room || allowed.contains(name);
                match is_known || (is_own_file && path.is_handed_on) {
                    true => continue,
                    false => format!("`{room}` must not know `{name}`"),
                }
            } else if path.is_bare || is_own_file {
                continue;
            } else if let Some(own) = self.module.last()
                && self.order.has(own)
                && *name != "*"
                && !self.handed_on.contains(*name)
            {
                // An item of the house's own file.
                match *own == room || allowed.contains(own) {
                    true => continue,
                    false => format!("`{room}` must not know `{own}`"),
                }
            } else {
                // A re-export would hide which room is meant.
                format!("`{}` names no room", self.name_of(name))
            };
            faults.push((path.line, fault));
        }
        faults
    }

    fn name_of(&self, name: &str) -> String {
        let path = ["crate"].iter().chain(self.module).chain([&name]);
        path.copied().collect::<Vec<_>>().join("::")
    }
}

#[test]
fn an_order_is_read_from_the_text() {
    let text = "\
before <- it

```rooms of src
error <- bytes time <- crypto <- log
error <- json <- log
```

behind <- it
";
    let order = Order::drawn(text, "src").expect("it is drawn");
    let before = |room| {
        let before = order.before(room);
        before.map(|rooms| rooms.into_iter().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(before("error").as_deref(), Some(""));
    assert_eq!(before("time").as_deref(), Some("error"));
    assert_eq!(before("crypto").as_deref(), Some("bytes error time"));
    assert_eq!(before("json").as_deref(), Some("error"));
    assert_eq!(
        before("log").as_deref(),
        Some("bytes crypto error json time")
    );
    assert_eq!(before("it"), None);
    assert!(Order::drawn(text, "src/vault").is_none());

    let circle = "```rooms of src\na <- b <- c <- a\n```";
    let circle = Order::drawn(circle, "src").expect("it is drawn");
    assert!(circle.before("a").expect("a room").contains("a"));
}

#[test]
fn faults_of_a_crate_are_found() {
    let text = "```rooms of src
error <- crypto <- format <- access <- log <- vault
error <- token <- action <- plan <- vault
```";
    let house = || House::new(&[], Order::drawn(text, "src").expect("it is drawn"), None);
    let check = |path: &str, source: &str, expected: &[(usize, &str)]| {
        check(&house(), path, source, expected);
    };
    let log_in_plan: &[_] = &[(1, "`plan` must not know `log`")];
    check("plan.rs", "use crate::log::Head;", log_in_plan);
    check(
        "plan.rs",
        "use crate::{error::Error, log::{self, Head}};",
        &[log_in_plan, log_in_plan].concat(),
    );
    check(
        "plan.rs",
        "use crate::{error::Error as E, log as l};",
        log_in_plan,
    );
    check("plan.rs", "fn f(x: &crate::log::Head) {}", log_in_plan);
    check("plan.rs", "use super::log;", log_in_plan);
    check(
        "plan.rs",
        "mod tests { use super::super::log; }",
        log_in_plan,
    );
    check("plan/report.rs", "use super::super::log;", log_in_plan);
    check("plan/mod.rs", "use super::log;", log_in_plan);
    check(
        "plan.rs",
        "mod tests { use super::*; } fn f() { self::log() }",
        &[],
    );
    check("plan/report.rs", "use super::log;", &[]);
    check(
        "plan.rs",
        "use crate::{action::Action, error::{Error, Result}};",
        &[],
    );
    check(
        "plan.rs",
        "// crate::log\n/* crate::log */ const A: &str = r#\"crate::log\"#;",
        &[],
    );
    check(
        "plan.rs",
        "const A: char = '\"'; use crate::log; const B: &str = \"\\\"\";",
        log_in_plan,
    );
    check(
        "plan.rs",
        "fn f<'a>(a: &'a str) { crate::log::f('x', a) }",
        log_in_plan,
    );
    check("plan.rs", "pub(crate) fn f() {}", &[]);
    check(
        "plan.rs",
        "\nuse crate::Error;",
        &[(2, "`crate::Error` names no room")],
    );
    check(
        "plan.rs",
        "use super::*;",
        &[(1, "`crate::*` names no room")],
    );
    check("lib.rs", "pub use log::Head;", &[]);
    check("misc.rs", "", &[(1, "`misc` has no place among the rooms")]);
    check(
        "crypto/aead.rs",
        "use crate::format::Header;",
        &[(1, "`crypto` must not know `format`")],
    );
    check(
        "access.rs",
        "use crate::{crypto::Key, format::Header};",
        &[],
    );
}

#[test]
fn faults_within_a_module_are_found() {
    let text = "```rooms of src/vault
record <- index <- vault <- open <- commit
```";
    let own_file = "mod index; pub use self::open::OpenOptions; use self::index::Index;";
    let house = || {
        let order = Order::drawn(text, "src/vault").expect("it is drawn");
        House::new(&["vault"], order, Some(own_file))
    };
    let check = |path: &str, source: &str, expected: &[(usize, &str)]| {
        check(&house(), path, source, expected);
    };
    check("vault.rs", own_file, &[]);
    let open_in_vault: &[_] = &[(1, "`vault` must not know `open`")];
    check("vault.rs", "use self::open::Report;", open_in_vault);
    check("vault.rs", "use open::Report;", open_in_vault);
    check("vault.rs", "fn f() -> open::Report {}", open_in_vault);
    check("vault.rs", "use std::fmt; use crate::log::Head;", &[]);
    check("vault/open.rs", "use super::Vault;", &[]);
    check(
        "vault/open/detach.rs",
        "use crate::vault::{Vault, index::Index};",
        &[],
    );
    check("vault/open/detach.rs", "use super::Report;", &[]);
    let open_in_index: &[_] = &[(1, "`index` must not know `open`")];
    check("vault/index.rs", "use super::open::Report;", open_in_index);
    check(
        "vault/index/tail.rs",
        "use super::super::open::Report;",
        open_in_index,
    );
    check(
        "vault/index.rs",
        "use super::Vault;",
        &[(1, "`index` must not know `vault`")],
    );
    check(
        "vault/commit.rs",
        "use super::OpenOptions;",
        &[(1, "`crate::vault::OpenOptions` names no room")],
    );
    check(
        "vault/misc.rs",
        "",
        &[(1, "`misc` has no place among the rooms")],
    );
    check("log.rs", "use crate::vault::open::Report;", &[]);
}

#[track_caller]
#[cfg(test)]
fn check(house: &House, path: &str, source: &str, expected: &[(usize, &str)]) {
    let found = house.faults(Path::new(path), source);
    let found: Vec<_> = found
        .iter()
        .map(|(line, text)| (*line, text.as_str()))
        .collect();
    assert_eq!(found, expected, "{path}: {source}");
}
