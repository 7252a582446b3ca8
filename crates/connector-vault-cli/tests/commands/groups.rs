//! Groups, rights in them, dates and renewed grants.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::CHEAP;
use crate::check_text;
use crate::support::{Ran, Sandbox, cvault, ran, ran_with, twitter};

/// A vault with the group `payments`, the platform's example in `default`, and `stripe` in `payments`.
fn two_groups() -> Sandbox {
    let sandbox = twitter();
    let added = sandbox.run(["group", "add", "v.cvault", "payments", "--json"]);
    assert_eq!(added.json(), json!({"name": "payments"}));
    let mut add = sandbox.cvault([
        "add", "v.cvault", "--id", "stripe", "--name", "Stripe", "--type", "Stripe", "--json",
    ]);
    let add = add.args(["--group", "payments", "--from-json", "-"]);
    ran_with(add, r#"{"APIKey": "s3cret-p"}"#).json();
    sandbox
}

/// An identity that was made for a grant, and `cvault` by it.
struct Member {
    identity: String,
    public: String,
}

impl Member {
    fn new(sandbox: &Sandbox) -> Self {
        let made = ran(&mut sandbox.cvault(["identity", "new", "--json"])).json();
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        Self {
            identity: text("identity"),
            public: text("public"),
        }
    }

    fn granted(sandbox: &Sandbox, label: &str, rights: &[&str]) -> Self {
        let member = Self::new(sandbox);
        let mut grant = sandbox.cvault(["grant", "v.cvault", "--label", label, "--json"]);
        for right in rights {
            grant.args(["--right", right]);
        }
        ran(grant.args(["--to", &member.public])).json();
        member
    }

    fn cvault<const N: usize>(&self, sandbox: &Sandbox, args: [&str; N]) -> Command {
        let mut command = sandbox.cvault(args);
        command.env("CVAULT_IDENTITY", &self.identity);
        command
    }

    fn run<const N: usize>(&self, sandbox: &Sandbox, args: [&str; N]) -> Ran {
        ran(&mut self.cvault(sandbox, args))
    }
}

fn ids(listed: &Value) -> Vec<&str> {
    let connectors = listed["connectors"].as_array().unwrap().iter();
    connectors.map(|one| one["id"].as_str().unwrap()).collect()
}

const LIST: [&str; 3] = ["list", "v.cvault", "--json"];

#[test]
fn groups_are_listed_added_and_renamed() {
    let sandbox = two_groups();
    let member = Member::granted(&sandbox, "rotation", &["updater:payments"]);
    let listed = sandbox.run(["group", "list", "v.cvault", "--json"]).json();
    let expected = json!({"groups": [
        {"name": "default", "connectors": 1, "grants": ["ops"]},
        {"name": "payments", "connectors": 1, "grants": ["ops", "rotation"]},
    ]});
    assert_eq!(listed, expected);
    check_text(
        sandbox.run(["group", "list", "v.cvault"]).text(),
        "NAME      CONNECTORS  GRANTS\n\
         default   1           ops\n\
         payments  1           ops, rotation",
    );
    let of_member = member.run(&sandbox, ["group", "list", "v.cvault", "--json"]);
    assert_eq!(of_member.json()["groups"][0]["name"], Value::Null);
    for (args, code) in [
        (
            ["group", "add", "v.cvault", "payments", "--json"],
            "group_exists",
        ),
        (
            ["group", "add", "v.cvault", "*", "--json"],
            "invalid_argument",
        ),
        (
            ["group", "remove", "v.cvault", "default", "--json"],
            "invalid_argument",
        ),
        (
            ["group", "remove", "v.cvault", "others", "--json"],
            "group_not_found",
        ),
        (
            ["group", "remove", "v.cvault", "payments", "--json"],
            "group_not_empty",
        ),
        (
            ["list", "v.cvault", "--group", "others", "--json"],
            "group_not_found",
        ),
    ] {
        assert_eq!(sandbox.run(args).error(1)["code"], code, "{args:?}");
    }
    let refused = member.run(&sandbox, ["group", "add", "v.cvault", "x", "--json"]);
    assert_eq!(refused.error(1)["code"], "not_permitted");
    let renamed = sandbox.run([
        "group", "rename", "v.cvault", "payments", "a\u{308}", "--json",
    ]);
    assert_eq!(renamed.json(), json!({"name": "\u{e4}"}));
    let listed = sandbox.run(["list", "v.cvault", "--group", "\u{e4}", "--json"]);
    assert_eq!(ids(&listed.json()), ["stripe"]);
}

#[test]
fn lists_show_the_group_where_there_are_several() {
    let sandbox = two_groups();
    let listed = sandbox.run(LIST).json();
    assert_eq!(ids(&listed), ["stripe", "twitterConnectorId"]);
    assert_eq!(listed["connectors"][0]["group"], "payments");
    assert_eq!(listed["connectors"][1]["group"], "default");
    check_text(
        sandbox.run(["list", "v.cvault"]).text(),
        "ID                  GROUP     NAME         TYPE     VERSION  UPDATED<..>PROPERTIES\n\
         stripe              payments  Stripe       Stripe   1        <..>\n\
         twitterConnectorId  default   Twitter API  Twitter  1        <..>",
    );
    let show = ["show", "v.cvault", "stripe", "--json"];
    assert_eq!(sandbox.run(show).json()["group"], "payments");
    let revealed = ["show", "v.cvault", "stripe", "--json", "--reveal"];
    let revealed = sandbox.run(revealed).json();
    assert_eq!(revealed["group"], "payments");
    assert_eq!(revealed["properties"]["APIKey"], "s3cret-p");
}

#[test]
fn a_rotator_of_one_group_lists_all_and_reads_nothing() {
    let sandbox = two_groups();
    let member = Member::granted(&sandbox, "rotation", &["viewer", "rotator:payments"]);
    let grants = sandbox.run(["grants", "v.cvault", "--json"]).json();
    assert_eq!(
        grants["grants"][1]["rights"],
        json!([{"group": "*", "role": "viewer"}, {"group": "payments", "role": "rotator"}])
    );
    let listed = member.run(&sandbox, LIST).json();
    assert_eq!(ids(&listed), ["stripe", "twitterConnectorId"]);
    let rotate = |id: &str| {
        let action = json!({"ActionType": "Connectors.Update", "Parameters": {
            "EntryId": id,
            "Properties": [{"PropertyName": "APIKey", "PropertyValue": "[T]"}],
        }});
        let mut run = member.cvault(&sandbox, ["run", "v.cvault", "-", "--json"]);
        run.args(["--token-env", "T=T"]).env("T", "s3cret-new");
        ran_with(&mut run, &action.to_string())
    };
    let before = sandbox.bytes();
    assert_eq!(
        rotate("twitterConnectorId").error(1)["code"],
        "not_permitted"
    );
    for id in ["stripe", "twitterConnectorId"] {
        for refused in [
            &["show", "v.cvault", id, "--reveal"][..],
            &["show", "v.cvault", id, "--reveal", "--version", "1"],
            &["get", "v.cvault", id, "APIKey"],
            &["restore", "v.cvault", id, "1"],
            &["describe", "v.cvault", id, "--name", "N"],
            &["delete", "v.cvault", id],
        ] {
            let refused = ran(member.cvault(&sandbox, ["--json"]).args(refused));
            assert_eq!(refused.error(1)["code"], "not_permitted", "{refused:?}");
            assert!(!refused.stdout.contains("s3cret"), "{refused:?}");
        }
        let variable = format!("K={id}/APIKey");
        let mut exec = member.cvault(&sandbox, ["--json", "exec", "v.cvault", "--env"]);
        let exec = ran(exec.args([&variable, "--", "env"]));
        assert_eq!(exec.error(125)["code"], "not_permitted", "{exec:?}");
    }
    assert!(sandbox.bytes() == before, "nothing was changed");
    let done = rotate("stripe");
    assert!(!done.stdout.contains("s3cret"), "{done:?}");
    assert_eq!(done.json()["changes"][0]["change"], "written");
    let reader = Member::granted(&sandbox, "ann", &["reader:payments"]);
    let value = reader.run(&sandbox, ["get", "v.cvault", "stripe", "APIKey"]);
    assert_eq!(value.stdout.trim_end(), "s3cret-new");
    let value = member.run(&sandbox, ["get", "v.cvault", "stripe", "APIKey", "--json"]);
    assert_eq!(value.error(1)["code"], "not_permitted");
    let rights = [
        "rights", "v.cvault", "rotation", "--right", "rotator", "--json",
    ];
    let rights = sandbox.run(rights).json();
    assert_eq!(rights["rights"], json!([{"group": "*", "role": "rotator"}]));
    assert_eq!(rotate("twitterConnectorId").json()["status"], "updated");
}

#[test]
fn an_editor_of_one_group_creates_and_deletes_there_alone() {
    let sandbox = two_groups();
    let member = Member::granted(&sandbox, "ed", &["editor:payments"]);
    let add = |id: &str, group: &str| {
        let mut add = member.cvault(&sandbox, ["add", "v.cvault", "--name", "N", "--type", "T"]);
        ran(add.args(["--id", id, "--group", group, "--json"]))
    };
    let delete = |id: &str| member.run(&sandbox, ["delete", "v.cvault", id, "--json"]);
    let before = sandbox.bytes();
    for (refused, code) in [
        (add("y", "default"), "not_permitted"),
        (add("twitterConnectorId", "payments"), "connector_exists"),
        (delete("twitterConnectorId"), "not_permitted"),
    ] {
        assert_eq!(refused.error(1)["code"], code, "{refused:?}");
    }
    assert!(sandbox.bytes() == before, "nothing was changed");
    assert_eq!(add("y", "payments").json()["status"], "created");
    assert_eq!(delete("stripe").json()["status"], "deleted");
    assert_eq!(ids(&member.run(&sandbox, LIST).json()), ["y"]);
}

#[test]
fn a_member_of_one_group_works_there_alone() {
    let sandbox = two_groups();
    let member = Member::granted(&sandbox, "rotation", &["updater:payments"]);
    assert_eq!(ids(&member.run(&sandbox, LIST).json()), ["stripe"]);
    for args in [
        ["show", "v.cvault", "twitterConnectorId", "--json"],
        ["history", "v.cvault", "twitterConnectorId", "--json"],
        ["delete", "v.cvault", "stripe", "--json"],
        ["verify", "v.cvault", "--json", "--no-heads"],
    ] {
        let ran = member.run(&sandbox, args);
        match args[0] {
            "verify" => assert_eq!(ran.json()["ok"], true),
            _ => assert_eq!(ran.error(1)["code"], "not_permitted", "{args:?}"),
        }
    }
    let run = |id: &str| {
        let action = json!({"ActionType": "Connectors.Update", "Parameters": {
            "EntryId": id, "PropertiesJson": "{\"APIKey\": \"s3cret-q\"}"}});
        let mut run = member.cvault(&sandbox, ["run", "v.cvault", "-", "--json"]);
        ran_with(&mut run, &action.to_string())
    };
    assert_eq!(run("twitterConnectorId").error(1)["code"], "not_permitted");
    assert_eq!(run("stripe").json()["status"], "updated");
    let mut add = member.cvault(&sandbox, ["add", "v.cvault", "--id", "y", "--name", "N"]);
    let add = add.args(["--type", "T", "--json", "--group", "payments"]);
    assert_eq!(ran(add).error(1)["code"], "not_permitted");
    let get = ["get", "v.cvault", "stripe", "APIKey"];
    assert_eq!(sandbox.run(get).text(), "s3cret-q");
}

#[test]
fn rights_add_up_and_are_replaced() {
    let sandbox = two_groups();
    let member = Member::granted(&sandbox, "ann", &["viewer", "reader:payments"]);
    let get = |id: &str| member.run(&sandbox, ["get", "v.cvault", id, "APIKey"]);
    assert_eq!(ids(&member.run(&sandbox, LIST).json()).len(), 2);
    assert_eq!(get("stripe").text(), "s3cret-p");
    assert_eq!(get("twitterConnectorId").code, 1);
    check_text(
        sandbox.run(["grants", "v.cvault"]).text(),
        "LABEL  RIGHTS                   OPENS BY  SINCE<..>FINGERPRINT\n\
         ops    owner                    identity  <..>  (you)\n\
         ann    viewer, reader:payments  identity  <..>",
    );
    let mut rights = sandbox.cvault(["rights", "v.cvault", "ann", "--json"]);
    let rights = rights.args(["--right", "viewer:*", "--right", "updater:payments"]);
    let raised = ran(rights).json();
    let expected = json!({
        "label": "ann",
        "rights": [{"group": "*", "role": "viewer"}, {"group": "payments", "role": "updater"}],
        "until": null, "epoch": 1, "exposed": [], "forgotten": [],
    });
    assert_eq!(raised, expected);
    let until = [
        "rights",
        "v.cvault",
        "ann",
        "--until",
        "2027-01-31",
        "--json",
    ];
    let dated = sandbox.run(until).json();
    assert_eq!(dated["until"], "2027-01-31T00:00:00.000Z");
    assert_eq!(dated["rights"], expected["rights"]);
    assert!(
        sandbox
            .run(["grants", "v.cvault"])
            .text()
            .contains("2027-01-31")
    );
    let reduced = sandbox.run(["rights", "v.cvault", "ann", "--right", "viewer"]);
    check_text(
        reduced.text(),
        "ann is viewer, until 2027-01-31T00:00:00.000Z now; the vault has new keys\n\
         An old copy of the vault still opens for its former holder. Rotate what it could read or has written:\n\
         \x20 stripe",
    );
    let none = ["rights", "v.cvault", "ann", "--until", "none", "--json"];
    assert_eq!(sandbox.run(none).json()["until"], Value::Null);
    for (args, code, exit) in [
        (
            ["rights", "v.cvault", "ann", "--right", "king", "--json"],
            "usage",
            2,
        ),
        (
            ["rights", "v.cvault", "ann", "--until", "soon", "--json"],
            "usage",
            2,
        ),
        (
            ["rights", "v.cvault", "ann", "--right", "reader:x", "--json"],
            "group_not_found",
            1,
        ),
        (
            [
                "rights",
                "v.cvault",
                "ann",
                "--right",
                "owner:payments",
                "--json",
            ],
            "invalid_argument",
            1,
        ),
        (
            ["rights", "v.cvault", "bob", "--right", "reader", "--json"],
            "grant_not_found",
            1,
        ),
        (
            ["rights", "v.cvault", "ops", "--right", "reader", "--json"],
            "last_owner",
            1,
        ),
    ] {
        assert_eq!(sandbox.run(args).error(exit)["code"], code, "{args:?}");
    }
    let nothing = sandbox.run(["rights", "v.cvault", "ann", "--json"]);
    assert_eq!(nothing.error(2)["code"], "usage");
}

#[test]
fn a_group_is_removed_with_its_deletes_and_rights() {
    let sandbox = two_groups();
    Member::granted(&sandbox, "rotation", &["updater:payments"]);
    sandbox
        .run(["delete", "v.cvault", "stripe", "--json"])
        .json();
    let remove = ["group", "remove", "v.cvault", "payments", "--json"];
    let refused = sandbox.run(remove).error(1);
    assert_eq!(refused["code"], "group_not_empty");
    assert!(refused["hint"].as_str().unwrap().contains("in which group"));
    let mut remove = sandbox.cvault(remove);
    let removed = ran(remove.args(["--to", "default"])).json();
    let expected = json!({
        "name": "payments", "epoch": 2, "connectors": ["stripe"], "revoked": ["rotation"],
        "forgotten": [],
    });
    assert_eq!(removed, expected);
    let history = sandbox
        .run(["history", "v.cvault", "stripe", "--json"])
        .json();
    assert_eq!(history["versions"][0]["op"], "delete");
    assert_eq!(history["versions"][0]["version"], 3);
    sandbox.run(["verify", "v.cvault", "--json"]).json();
}

#[test]
fn actions_and_imports_create_in_a_group() {
    let sandbox = two_groups();
    let add = json!({"ActionType": "CredStore.AddConnectorEntry",
                     "Parameters": {"TypeName": "T", "EntryName": "From an action"}});
    let mut run = sandbox.cvault(["run", "v.cvault", "-", "--group", "payments", "--json"]);
    ran_with(&mut run, &add.to_string()).json();
    let import =
        json!({"connectors": [{"id": "i", "name": "Imported", "type": "T", "properties": {}}]});
    let mut imported = sandbox.cvault(["import", "v.cvault", "-", "--group", "payments", "--json"]);
    ran_with(&mut imported, &import.to_string()).json();
    let listed = sandbox
        .run(["list", "v.cvault", "--group", "payments", "--json"])
        .json();
    assert_eq!(ids(&listed).len(), 3);
    let mut run = sandbox.cvault(["run", "v.cvault", "update.json", "--json"]);
    let run = run.args(["--group", "payments", "--token", "Secrets:Key=a"]);
    assert_eq!(ran(run).error(1)["code"], "invalid_argument");
}

#[test]
fn the_own_grant_is_renewed() {
    let sandbox = two_groups();
    let renew = ["grant", "renew", "v.cvault", "ops", "--json"];
    let mut to_key = sandbox.cvault(renew);
    let other = Member::new(&sandbox);
    let refused = ran(to_key.args(["--to", &other.public]));
    assert_eq!(refused.error(1)["code"], "invalid_argument");
    let mut to_file = sandbox.cvault(renew);
    let renewed = ran(to_file.args(["--out", "ops.identity"])).json();
    assert_eq!(renewed["epoch"], 2);
    assert_eq!(renewed["exposed"], json!(["stripe", "twitterConnectorId"]));
    assert_eq!(renewed["grant"]["label"], "ops");
    assert_eq!(renewed["path"], "ops.identity");
    assert_eq!(sandbox.run(LIST).error(1)["code"], "wrong_identity");
    let by_file = |args: [&str; 3]| {
        let mut command = cvault(sandbox.dir.path(), args);
        command.env("CVAULT_IDENTITY_FILE", "ops.identity");
        command
    };
    assert_eq!(ids(&ran(&mut by_file(LIST)).json()).len(), 2);
    // A renewal that is refused leaves no files.
    let mut nobody = by_file(["grant", "renew", "v.cvault"]);
    let refused = ran(nobody.args(["nobody", "--out", "n.identity", "--json"]));
    assert_eq!(refused.error(1)["code"], "grant_not_found");
    assert!(!sandbox.dir.path().join("n.identity").exists());
    assert!(!sandbox.dir.path().join("n.identity.pub").exists());

    let mut by_passphrase = by_file(["grant", "renew", "v.cvault"]);
    by_passphrase.arg("ops").args(CHEAP);
    by_passphrase.env("CVAULT_NEW_PASSPHRASE", "a new passphrase");
    let renewed = ran(&mut by_passphrase);
    assert!(
        renewed.text().contains("ops has a new identity"),
        "{renewed:?}"
    );
    assert!(
        renewed.text().contains("The new passphrase opens it"),
        "{renewed:?}"
    );
    let mut list = cvault(sandbox.dir.path(), LIST);
    ran(list.env("CVAULT_PASSPHRASE", "a new passphrase")).json();
    assert_eq!(ran(&mut by_file(LIST)).error(1)["code"], "wrong_identity");
}

#[test]
fn another_grant_is_renewed_by_a_key_of_its_holder() {
    let sandbox = two_groups();
    let former = Member::granted(&sandbox, "ci", &["updater:payments"]);
    let new = Member::new(&sandbox);
    fs::write(sandbox.dir.path().join("ci.pub"), &new.public).unwrap();
    let mut renew = sandbox.cvault(["grant", "renew", "v.cvault", "ci", "--to", "@ci.pub"]);
    let renewed = ran(renew.arg("--json")).json();
    assert_eq!(renewed["grant"]["key"], new.public.as_str());
    assert_eq!(renewed["exposed"], json!(["stripe"]));
    assert_eq!(ids(&new.run(&sandbox, LIST).json()), ["stripe"]);
    let refused = former.run(&sandbox, LIST);
    assert_eq!(refused.error(1)["code"], "wrong_identity");
}
