//! `demo`: a vault at work, in a temporary folder. What a new user sees first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use connector_vault::{Action, Identity, NewOwner, Options, Ran, Secret, Vault};
use connector_vault_store::{FileSource, FileVault, KnownHeads};
use serde::Serialize;
use serde_json::Value;

use super::history::history_text;
use super::read::{Listed, Summary, list_text, summary_text};
use super::{Context, transfer};
use crate::failure::{Failure, Result};
use crate::output::{BOLD, DIM, styled};
use crate::{random, report};

const CONNECTORS: &str = include_str!("../../demo/connectors.json");
const TWITTER: &str = include_str!("../../demo/update-twitter.json");
const OAUTH: &str = include_str!("../../demo/update-oauth.json");

/// What the workflow's own variables would hold.
const TOKENS: [(&str, &str); 2] = [
    ("OAuth:AccessToken", "new_access_token"),
    ("OAuth:RefreshToken", "new_refresh_token"),
];

/// One action: as it is written, what it would do, what it did.
#[derive(Serialize)]
struct Step {
    action: Value,
    plan: Ran,
    result: Ran,
}

#[derive(Serialize)]
struct Demo {
    connectors: Value,
    steps: Vec<Step>,
    sound: bool,
}

pub(super) fn demo(context: &Context) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("cvault-demo-")
        .tempdir()
        .map_err(|error| Failure::io("create a folder in", &std::env::temp_dir(), &error))?;
    let identity = Identity::generate(&mut random::generator()?);
    let owner = NewOwner::identity("ops", identity);
    // A state of its own: the user's is not touched.
    let options = FileVault::builder().heads(KnownHeads::open(folder.path().join("state")));
    let mut file = options.create(folder.path().join("demo.cvault"), owner)?;
    let mut tour = Tour::default();
    let steps = play(&mut file, &mut tour)?;
    let sound = verify(file.vault(), &mut tour)?;
    let listed = Listed::of(file.vault());
    let connectors: Vec<_> = listed
        .overviews
        .iter()
        .map(|overview| Summary::of(file.vault(), overview))
        .collect();
    let demo = Demo {
        connectors: serde_json::to_value(connectors).map_err(crate::output::not_json)?,
        steps,
        sound,
    };
    drop(file);
    folder
        .close()
        .map_err(|error| Failure::io("remove", &std::env::temp_dir(), &error))?;
    tour.end();
    context.output.result(&demo, || tour.text)
}

fn play(file: &mut FileVault, tour: &mut Tour) -> Result<Vec<Step>> {
    tour.heading("A vault with two connectors, encrypted in one file");
    tour.command("import demo.cvault connectors.json");
    transfer::import_text(file, CONNECTORS, &Options::default())?;
    tour.command("list demo.cvault");
    tour.show(&list_text(file.vault(), &Listed::of(file.vault())));

    let mut steps = Vec::new();
    tour.heading("A new API key for Twitter, while workflows keep using the same id");
    let twitter = step(file, TWITTER, "update-twitter.json", "", tour)?;
    tour.note(
        "Endpoint and APISecret are not named, so they keep their values. Here the new key stands\n\
         in the action; the next one has tokens instead, and holds no secret at all.",
    );
    tour.command("show demo.cvault twitterConnectorId");
    let overview = file.vault().overview("twitterConnectorId")?;
    tour.show(&summary_text(&Summary::of(file.vault(), &overview)));
    steps.push(twitter);

    tour.heading("New OAuth tokens, which the workflow has in its variables");
    let tokens = " --tokens tokens.json";
    steps.push(step(file, OAUTH, "update-oauth.json", tokens, tour)?);

    tour.heading("What happened, and who did it");
    for id in ["twitterConnectorId", "oauthConnectorId"] {
        tour.command(&format!("history demo.cvault {id}"));
        let vault = file.vault();
        tour.show(&history_text(vault, &vault.history(id)?));
    }
    Ok(steps)
}

/// Plans an action, carries it out, and shows both.
fn step(
    file: &mut FileVault,
    text: &str,
    name: &str,
    options: &str,
    tour: &mut Tour,
) -> Result<Step> {
    let action = Action::parse(text)?;
    let mut tokens = BTreeMap::new();
    for (name, value) in TOKENS {
        tokens.insert(name.to_owned(), Secret::new(value)?);
    }
    tour.command_line(&format!("cat {name}"));
    tour.show(text);
    tour.command(&format!("run demo.cvault {name}{options} --plan"));
    let plan = file.plan(&action, &mut tokens, &Options::default())?.ran();
    tour.show(&report::ran(&plan));
    tour.command(&format!("run demo.cvault {name}{options}"));
    let result = file.run(&action, &mut tokens)?;
    tour.show(&report::ran(&result));
    Ok(Step {
        action: serde_json::from_str(text).map_err(crate::output::not_json)?,
        plan,
        result,
    })
}

fn verify(vault: &Vault<FileSource>, tour: &mut Tour) -> Result<bool> {
    let verdicts = vault.verify()?;
    let sound = verdicts.iter().all(|verdict| verdict.problems.is_empty());
    tour.command("verify demo.cvault");
    tour.show(&super::lifecycle::verdict_text(
        &verdicts,
        sound,
        vault.role().reads(),
    ));
    Ok(sound)
}

/// The text of the tour.
#[derive(Default)]
struct Tour {
    text: String,
    number: usize,
}

impl Tour {
    fn heading(&mut self, title: &str) {
        self.number += 1;
        let title = styled(BOLD, &format!("{}. {title}", self.number));
        let _ = write!(self.text, "{title}\n\n");
    }

    fn command(&mut self, command: &str) {
        self.command_line(&format!("cvault {command}"));
    }

    fn command_line(&mut self, line: &str) {
        let _ = writeln!(self.text, "   {}", styled(DIM, &format!("$ {line}")));
    }

    fn show(&mut self, text: &str) {
        for line in text.lines() {
            let _ = writeln!(self.text, "   {line}");
        }
        self.text.push('\n');
    }

    fn note(&mut self, text: &str) {
        let lines: Vec<_> = text.lines().map(|line| styled(DIM, line)).collect();
        self.show(&lines.join("\n"));
    }

    fn end(&mut self) {
        self.text.push_str(
            "That was all in a temporary folder, which is gone. Your own vault begins with:\n\n   \
             cvault init my.cvault\n   cvault --help\n",
        );
    }
}
