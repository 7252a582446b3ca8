/** Every view, dialog and popup of the page as axe-core sees it: on a desk in light colours, on a phone in dark ones. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import type { Page } from "playwright-core";

import { Chromium, Suite, type Site } from "../../bindings/js/test/browser/chromium.js";
import { letPass } from "../../bindings/js/test/browser/held-time.js";
import { CONNECTORS, PASSPHRASE, Visitor, bytesOf, fileOf, openInNode, vaultInNode } from "./journey.js";
import { servePage } from "./site.js";

const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** Rules that axe-core leaves out by itself: WCAG 2.2's sizes, and what it calls experimental. */
const MORE_RULES = [
  "target-size",
  "label-content-name-mismatch",
  "css-orientation-lock",
  "table-fake-caption",
];

/** High enough that what is fixed to the window lies over nothing. */
const SURROUNDINGS = [
  { colorScheme: "light", size: { width: 1280, height: 1800 } },
  { colorScheme: "dark", size: { width: 390, height: 3000 } },
] as const;

/** The width to which WCAG 2.2 wants a page to reflow (1.4.10). */
const NARROWEST = { width: 320, height: 640 };

describe("accessibility", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    site = await servePage(suite);
    browser = await Chromium.launch(suite);
  });
  afterEach(async () => {
    await browser.closeTabs();
    browser.assertNoProblems(/Failed to load resource/);
  });
  after(suite.end);

  /** At a vault that the site serves. */
  async function opened(connectors = CONNECTORS): Promise<Visitor> {
    const { storage } = await vaultInNode(connectors);
    const visitor = await Visitor.at(browser.context, site.origin);
    const page = visitor.page;
    // As an upload, since it is written, too.
    await page.evaluate(() => {
      for (const name of ["showOpenFilePicker", "showSaveFilePicker"])
        Reflect.deleteProperty(globalThis, name);
    });
    await visitor.upload("team.cvault", bytesOf(storage));
    await visitor.unlock();
    return visitor;
  }

  test("opening and creating", async () => {
    const visitor = await Visitor.at(browser.context, site.origin);
    const { page } = visitor;
    await check(page, "nothing is there yet");
    await page.getByText("What a guess costs").click();
    await visitor.button("Suggest a passphrase").click();
    await check(page, "a passphrase is suggested");
    await visitor.button("Create the vault").click();
    await check(page, "the name is missing");
    await visitor.create("team");
    await check(page, "an empty vault");
    await visitor.lock();
    await check(page, "locked");
    await visitor.tryToUnlock("no passphrase of this vault");
    await page.getByRole("alert").waitFor();
    await check(page, "a wrong passphrase");
    await page.getByRole("radio", { name: "Identity" }).check();
    await check(page, "by an identity");
    await visitor.choosePlace("A file");
    await check(page, "a file");
    await visitor.choosePlace("A URL");
    await visitor.field("URL").fill(`${site.origin}/missing.cvault`);
    await page.getByRole("radio", { name: "Passphrase" }).check();
    await visitor.tryToUnlock(PASSPHRASE);
    await visitor.button("Create a vault there").waitFor();
    await check(page, "nothing is at a URL");
  });

  test("connectors", async () => {
    const visitor = await opened();
    const { page } = visitor;
    await check(page, "the list");
    await page.getByRole("searchbox").fill("nothing like it");
    await visitor.button("Show all").waitFor();
    await check(page, "nothing is found");
    await visitor.button("Show all").click();
    await page.getByRole("button", { name: /^team.cvault/ }).click();
    await check(page, "the menu");
    await page.keyboard.press("Escape");
    await visitor.option("Twitter API").click();
    await visitor.reveal("APIKey");
    await check(page, "a revealed value");
    await visitor.button("Copy Endpoint").click();
    await check(page, "a copied value");
    await visitor.button("Delete").click();
    await check(page, "the dialog that deletes");
    await page.keyboard.press("Escape");
    await visitor.button("Edit").click();
    await visitor.button("Change APIKey").click();
    await visitor.button("Remove Endpoint").click();
    await check(page, "a connector that is edited");
    await visitor.goTo("Connectors");
    await visitor.button("New connector").click();
    await visitor.field("Name").fill("Again");
    await visitor.field("Type").fill("Twitter");
    await visitor.field("Id").fill("twitterConnectorId");
    await visitor.button("Create connector").click();
    await page.getByRole("alert").waitFor();
    await check(page, "an id that is taken");
  });

  test("the designer and the history", async () => {
    const visitor = await opened();
    const { page } = visitor;
    await visitor.goTo("Update");
    await check(page, "an empty form");
    await visitor.button("Paste an action").click();
    await check(page, "the dialog for an action");
    await page.keyboard.press("Escape");
    await visitor.picker.fill("a");
    await page.getByRole("option").first().waitFor();
    await check(page, "connectors to pick");
    await visitor.picker.fill("");
    await visitor.button("Load the documentation's example").click();
    await visitor.planned("has no value");
    await check(page, "a token without a value");
    await visitor.giveToken("Secrets:TwitterKey", "new_key");
    await visitor.setRow(2, "Timeout", "10s");
    await visitor.planned("overrides the grid");
    await visitor.plan.getByRole("button", { name: "Reveal APIKey" }).click();
    await page.getByText("Options").click();
    await page.getByText("Tokens that are suggested").click();
    await page.getByText("Show its JSON").click();
    await check(page, "a plan, and everything that opens");
    await visitor.field("Value 2, Timeout").fill("[");
    await page.getByRole("option").first().waitFor();
    await check(page, "tokens to choose for a cell");
    await visitor.field("Value 2, Timeout").fill("10s");
    await visitor.json.click();
    await page.keyboard.press("End");
    await page.keyboard.type(",");
    await page
      .getByText(/line 1 column/)
      .first()
      .waitFor();
    await check(page, "JSON that is none");
    await page.keyboard.press("Backspace");
    await visitor.planned("1 changed, 1 added");
    await visitor.run("Twitter API is at version 2.");
    await check(page, "it is done");
    await visitor.button("History").click();
    await visitor.button("Compare version 2").click();
    await visitor.button("Reveal APIKey").click();
    await check(page, "two versions");
    await visitor.button("Values version 1").click();
    await check(page, "the values of a version");
    await visitor.button("Restore version 1").click();
    await check(page, "a version to restore");
  });

  test("grants, the log and merges", async () => {
    const visitor = await opened();
    const { page } = visitor;
    await page.getByRole("button", { name: /^team.cvault/ }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      visitor.button("Download a copy (encrypted)").click(),
    ]);
    await page.keyboard.press("Escape");
    const copy = await openInNode(readFileSync(await download.path()));
    await copy.vault.run(update("theirs"));
    await visitor.goTo("Update");
    await visitor.pick("twit", "Twitter API");
    await visitor.setRow(1, "APIKey", "ours");
    await visitor.planned("1 changed");
    await visitor.run("Twitter API is at version 2.");
    await visitor.goTo("Merge");
    await check(page, "no copy yet");
    await page.locator("input[type=file]").setInputFiles(fileOf("laptop.cvault", bytesOf(copy.storage)));
    await visitor.heading("One conflict").waitFor();
    await check(page, "a conflict");
    await page.getByRole("radio", { name: /^The newest/ }).check();
    await visitor.button("Merge").last().click();
    await visitor.heading("Merged").waitFor();
    await check(page, "merged");

    await visitor.goTo("Grants");
    await check(page, "grants");
    await visitor.field("Label").fill("rotation");
    await page.getByRole("radio", { name: "New identity" }).check();
    await visitor.button("Grant").click();
    await visitor.button("Reveal the identity").click();
    await check(page, "a new identity");
    await visitor.button("I have kept it").click();
    await visitor.button("Change role of rotation").click();
    await check(page, "the dialog for roles");
    await page.getByRole("radio", { name: /^reader/ }).check();
    await visitor.button("Change role").last().click();
    await visitor.told("rotation is reader now");
    await visitor.button("Revoke rotation").click();
    await check(page, "the dialog that revokes");
    await visitor.button("Revoke rotation").last().click();
    await visitor.told("rotation was revoked");
    await check(page, "what has to be rotated");
    await visitor.goTo("Audit log");
    await visitor.button("Verify everything").click();
    await visitor.told("Nothing is wrong");
    await check(page, "the log");
  });

  test("who wants no motion sees none, and whoever goes away is warned", async () => {
    const page = await browser.context.newPage();
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.goto(site.origin);
    const visitor = new Visitor(page);
    await visitor.tryIt();
    await visitor.show("OAuth");
    await visitor.goTo("Update");
    await visitor.button("Load the documentation's example").click();
    await visitor.planned("has no value");
    // Carets blink as the system has it.
    const moving = await page.evaluate(() =>
      document
        .getAnimations()
        .map(({ effect }) => (effect as KeyframeEffect).target?.className ?? "")
        .filter((name) => !name.includes("cursor")),
    );
    assert.deepEqual(moving, []);
    await letPass(page, { minutes: 4, seconds: 31 });
    await page.getByText("so it locks soon").waitFor();
    await check(page, "it locks soon");
  });
});

function update(value: string) {
  return {
    ActionType: "Connectors.Update" as const,
    Parameters: {
      EntryId: "twitterConnectorId",
      Properties: [{ PropertyName: "APIKey", PropertyValue: value }],
    },
  };
}

/** Fails if axe-core finds fault with what is seen, or if it has to be scrolled sideways. */
async function check(page: Page, what: string): Promise<void> {
  await page.evaluate(`globalThis.axe ?? (() => { ${AXE} })()`);
  for (const { colorScheme, size } of SURROUNDINGS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(size);
    const found = await page.evaluate(async (rules) => {
      const { axe } = globalThis as unknown as Axe;
      const { violations } = await axe.run({
        resultTypes: ["violations"],
        rules: Object.fromEntries(rules.map((rule) => [rule, { enabled: true }])),
      });
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
      );
    }, MORE_RULES);
    assert.deepEqual(found, [], `${what}, ${colorScheme}, ${size.width} pixels wide`);
  }
  await page.setViewportSize(NARROWEST);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= NARROWEST.width, `${what}: ${width} pixels wide where there are ${NARROWEST.width}`);
  await page.setViewportSize(SURROUNDINGS[0].size);
}

interface Axe {
  readonly axe: {
    run(options: object): Promise<{
      violations: readonly {
        readonly id: string;
        readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
      }[];
    }>;
  };
}
