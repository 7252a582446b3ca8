/** The whole way of somebody who keeps connectors here: one vault, from the sample to a merge. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";

import { Chromium, Suite, type Site } from "../../bindings/js/test/browser/chromium.js";
import { letPass } from "../../bindings/js/test/browser/held-time.js";
import { Visitor, bytesOf, fileOf, openInNode } from "./journey.js";
import { servePage } from "./site.js";

const VIEWER = { label: "designer", passphrase: "the designer's passphrase" };

describe("the journey", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;
  let visitor: Visitor;
  let isLost = false;

  before(async () => {
    site = await servePage(suite);
    browser = await Chromium.launch(suite);
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    visitor = await Visitor.at(browser.context, site.origin);
  });
  afterEach(() => browser.assertNoProblems());
  after(suite.end);

  /** The tests are steps of one way, each where the one before has ended: behind one that failed there is none. */
  function step(what: string, go: () => Promise<void>): void {
    test(what, async () => {
      assert.ok(!isLost, "the way ended before");
      isLost = true;
      await go();
      isLost = false;
    });
  }

  const clipboard = () => visitor.page.evaluate(() => navigator.clipboard.readText());

  /** The vault as it is now, as a file. */
  async function downloaded(): Promise<Buffer> {
    await visitor.page.getByRole("button", { name: /team/ }).click();
    const [download] = await Promise.all([
      visitor.page.waitForEvent("download"),
      visitor.button("Download a copy (encrypted)").click(),
    ]);
    assert.equal(download.suggestedFilename(), "team.cvault");
    await visitor.page.keyboard.press("Escape");
    return readFileSync(await download.path());
  }

  step("a sample is tried", async () => {
    await visitor.tryIt();
    await visitor.show("OAuth");
    assert.equal(await visitor.reveal("AccessToken"), "sample-access-token");
    await visitor.lock();
  });

  step("a vault of one's own, with a connector that is found, revealed and copied", async () => {
    await visitor.create("team");
    await visitor.createConnector(
      "twitterConnectorId",
      "Twitter API",
      "Twitter",
      ["APIKey", "old_key"],
      ["Endpoint", "https://api.example"],
    );
    await visitor.goTo("Connectors");
    await visitor.createConnector("mail", "Outgoing mail", "SMTP", ["Password", "mail-password"]);
    await visitor.goTo("Connectors");
    await visitor.page.getByRole("searchbox").fill("twit");
    await visitor.told("1 of 2 connectors");
    await visitor.option("Twitter API").click();
    assert.equal(await visitor.reveal("APIKey"), "old_key");
    await visitor.button("Copy APIKey").click();
    await visitor.told("Copied");
    assert.equal(await clipboard(), "old_key");
  });

  step("it is edited", async () => {
    await visitor.button("Edit").click();
    await visitor.button("Change Endpoint").click();
    await visitor.field("Value of Endpoint").fill("https://api.example/2");
    await visitor.button("Add a property").click();
    await visitor.field("Name of property 3").fill("Region");
    await visitor.field("Value of Region").fill("eu");
    await visitor.field("Note").fill("moved to the second version");
    await visitor.button("Save changes").click();
    await visitor.told("twitterConnectorId is at version 2.");
    assert.equal(await visitor.reveal("Endpoint"), "https://api.example/2");
  });

  step("an action is designed, its plan seen while it is written, and run", async () => {
    await visitor.goTo("Update");
    await visitor.pick("twit", "Twitter API");
    await visitor.setRow(1, "APIKey", "[Secrets:TwitterKey]");
    await visitor.planned("has no value");
    await visitor.giveToken("Secrets:TwitterKey", "new_key");
    await visitor.planned("Version 2 becomes 3: 1 changed");
    await visitor.setRow(2, "Region", "us");
    await visitor.planned("Version 2 becomes 3: 2 changed");
    await visitor.json.click();
    await visitor.page.keyboard.type('{ "Timeout": "30s", "Region": "asia');
    await visitor.planned("Version 2 becomes 3: 2 changed, 1 added");
    await visitor.planned("overrides the grid");
    await visitor.plan.getByRole("button", { name: "Reveal Region" }).click();
    await visitor.planned("asia");
    await visitor.run("Twitter API is at version 3.");
    assert.equal(await visitor.field("Secrets:TwitterKey").inputValue(), "");
  });

  step("the action is copied, and runs with the npm package", async () => {
    await visitor.button("Copy the action").click();
    await visitor.told("Copied");
    const action = await clipboard();
    const { vault } = await openInNode(await downloaded());
    const outcome = await vault.run(action, { tokens: { "Secrets:TwitterKey": "newer_key" } });
    assert.ok("changes" in outcome);
    assert.deepEqual(
      outcome.changes.map(({ name, change, overridden }) => [name, change, overridden]),
      [
        ["APIKey", "changed", false],
        ["Region", "unchanged", true],
        ["Timeout", "unchanged", false],
      ],
    );
    const { properties } = await vault.read("twitterConnectorId");
    assert.deepEqual(properties, {
      APIKey: "newer_key",
      Endpoint: "https://api.example/2",
      Region: "asia",
      Timeout: "30s",
    });
    vault.lock();
  });

  step("the history shows versions and differences, and restores", async () => {
    const { page } = visitor;
    await visitor.button("History").click();
    await visitor.heading("History of Twitter API").waitFor();
    await page.getByText("moved to the second version").waitFor();
    await visitor.button("Compare version 3").click();
    await page.getByText("From version 2 to version 3:").waitFor();
    await visitor.button("Reveal APIKey").click();
    await page.getByText("old_key", { exact: true }).waitFor();
    await page.getByText("new_key", { exact: true }).waitFor();
    await visitor.button("Restore version 1").click();
    await visitor.button("Restore as version 4").click();
    await visitor.told("Version 1 was restored as version 4.");
    await visitor.button("Connector").click();
    assert.equal(await visitor.reveal("Endpoint"), "https://api.example");
    assert.equal(await visitor.button("Reveal Timeout").count(), 0);
  });

  step("a copy that went another way is merged, and one side wins a conflict", async () => {
    const copy = await openInNode(await downloaded());
    await copy.vault.run({
      ActionType: "Connectors.Update",
      Parameters: {
        EntryId: "twitterConnectorId",
        Properties: [{ PropertyName: "APIKey", PropertyValue: "theirs" }],
      },
    });
    await visitor.goTo("Update");
    await visitor.button("Start anew").click();
    await visitor.pick("twit", "Twitter API");
    await visitor.setRow(1, "APIKey", "ours");
    await visitor.planned("1 changed");
    await visitor.run("Twitter API is at version 5.");

    await visitor.goTo("Merge");
    const bytes = bytesOf(copy.storage);
    await visitor.page.locator("input[type=file]").setInputFiles(fileOf("laptop.cvault", bytes));
    await visitor.heading("One conflict").waitFor();
    await visitor.page.getByRole("radio", { name: /^The copy/ }).check();
    await visitor.page.getByRole("row", { name: /Twitter API 5 → 6/ }).waitFor();
    await visitor.button("Merge").last().click();
    await visitor.heading("Merged").waitFor();
    await visitor.show("Twitter API");
    assert.equal(await visitor.reveal("APIKey"), "theirs");
  });

  step("a change in another tab is shown at once", async () => {
    const other = await Visitor.at(browser.context, site.origin);
    await other.open("team");
    await other.show("Outgoing mail");
    await visitor.goTo("Connectors");
    // What was sought is still there.
    await visitor.page.getByRole("searchbox").fill("");
    await other.goTo("Update");
    await other.pick("mail", "Outgoing mail");
    await other.setRow(1, "Password", "from the other tab");
    await other.planned("1 changed");
    await other.run("Outgoing mail is at version 2.");
    await visitor.told("Changed elsewhere");
    await visitor.page.getByRole("option", { name: /Outgoing mail mail SMTP version 2/ }).waitFor();
    await other.page.close();
  });

  step("the audit log says who did what, and verifies", async () => {
    const { page } = visitor;
    await visitor.goTo("Audit log");
    await page.getByRole("row", { name: /owner ✓ valid updated Outgoing mail version 2/ }).waitFor();
    await page.getByRole("row", { name: /owner ✓ valid snapshot replaces what was before/ }).waitFor();
    await visitor.button("Verify everything").click();
    await visitor.told("Nothing is wrong");
  });

  step("a viewer gets a grant, sees names, and is refused values", async () => {
    await visitor.goTo("Grants");
    await visitor.field("Label").fill(VIEWER.label);
    await visitor.page.getByRole("combobox", { name: "Role" }).selectOption("viewer");
    await visitor.field("New passphrase").first().fill(VIEWER.passphrase);
    await visitor.field("The same passphrase again").first().fill(VIEWER.passphrase);
    await visitor.button("Grant").click();
    await visitor.told("designer is viewer now.");
    await visitor.lock();

    await visitor.tryToUnlock("no passphrase of this vault");
    assert.match(await visitor.alert(), /passphrase/);
    await visitor.unlock(VIEWER.passphrase);
    await visitor.show("Twitter API");
    await visitor.button("Reveal APIKey").click();
    assert.match(await visitor.alert(), /does not permit to read values/);
    await visitor.goTo("Audit log");
    await visitor.page.getByText("designer, viewer").waitFor();
  });

  step("whoever goes away is warned, and the vault is locked", async () => {
    await letPass(visitor.page, { minutes: 4, seconds: 31 });
    await visitor.page.getByText("so it locks soon").waitFor();
    await letPass(visitor.page, { seconds: 30 });
    await visitor.page.getByText("Locked, because nobody used the vault for a while.").waitFor();
    assert.equal(await visitor.page.getByRole("navigation").count(), 0);
  });
});
