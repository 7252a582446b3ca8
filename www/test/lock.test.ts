/** What happens by itself while a vault is open: it locks when it is unused, and secrets leave the clipboard. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import type { Page } from "playwright-core";

import { Chromium, Suite, until, type Site } from "../../bindings/js/test/browser/chromium.js";
import { letPass } from "../../bindings/js/test/browser/held-time.js";
import { servePage } from "./site.js";

describe("time passes in Chromium", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    site = await servePage(suite);
    browser = await Chromium.launch(suite);
  });

  afterEach(async () => {
    await browser.closeTabs();
    browser.assertNoProblems();
  });

  after(suite.end);

  /** A tab with a sample. */
  async function sample(): Promise<Page> {
    const page = await browser.open(site.origin);
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByRole("option", { name: /Twitter API/ }).click();
    await page.getByRole("button", { name: "Reveal APIKey" }).waitFor();
    return page;
  }

  test("an unused vault warns and locks", async () => {
    const page = await sample();
    const warning = page.getByText("so it locks soon");
    await letPass(page, { minutes: 4, seconds: 31 });
    await warning.waitFor();
    await page.keyboard.press("Shift");
    await warning.waitFor({ state: "detached" });
    await letPass(page, { minutes: 4, seconds: 31 });
    await warning.waitFor();
    await letPass(page, { seconds: 30 });
    await page.getByText("Locked, because nobody used the vault for a while.").waitFor();
    assert.equal(await page.getByRole("button", { name: "Reveal APIKey" }).count(), 0);
  });

  test("the user chooses when, and the browser keeps the choice", async () => {
    const page = await sample();
    await page.getByRole("button", { name: /sample/ }).click();
    await page.getByLabel("Lock when unused").selectOption("after 1 minute");
    await letPass(page, { minutes: 1, seconds: 1 });
    await page.getByText("Locked, because").waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByRole("button", { name: /sample/ }).click();
    assert.equal(await page.getByLabel("Lock when unused").inputValue(), "1");
    await page.getByLabel("Lock when unused").selectOption("never");
    await letPass(page, { minutes: 24 * 60 });
    assert.equal(await page.getByText("Locked").count(), 0);
    await page.getByLabel("Lock when unused").selectOption("after 5 minutes");
  });

  test("a revealed value is hidden again", async () => {
    const page = await sample();
    await page.getByRole("button", { name: "Reveal APIKey" }).click();
    const value = page.getByText("old_api_key_000");
    await value.waitFor();
    await letPass(page, { seconds: 31 });
    await value.waitFor({ state: "detached" });
  });

  test("a copied value leaves the clipboard, unless something else is there", async () => {
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await sample();
    await page.bringToFront();
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    const copy = async () => {
      await page.getByRole("button", { name: "Copy APIKey" }).click();
      await page.getByText("Copied. It is removed from the clipboard in 30 seconds").waitFor();
      assert.equal(await clipboard(), "old_api_key_000");
    };
    await copy();
    await letPass(page, { seconds: 30 });
    await until(clipboard, "");
    await copy();
    await page.evaluate(() => navigator.clipboard.writeText("something else"));
    await letPass(page, { seconds: 30 });
    await page.getByRole("button", { name: "Reveal APIKey" }).click();
    assert.equal(await clipboard(), "something else");
    await copy();
    await page.keyboard.press("Control+Shift+L");
    await until(clipboard, "");
  });

  test("what was copied from this page later stays, also where the page may not read the clipboard", async () => {
    const { context } = browser;
    await context.clearPermissions();
    await context.grantPermissions(["clipboard-write"]);
    const page = await sample();
    await page.bringToFront();
    const value = page.getByRole("button", { name: "Copy APIKey" });
    const told = page.getByText("Copied. It is removed from the clipboard in 30 seconds");
    const left = async () => {
      await letPass(page, { seconds: 31 });
      // What is late would be written until then.
      await page.getByRole("button", { name: "Reveal APIKey" }).click();
      await page.getByText("old_api_key_000").waitFor();
      await page.getByRole("button", { name: "Hide APIKey" }).click();
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      const text = await page.evaluate(() => navigator.clipboard.readText());
      await context.clearPermissions();
      await context.grantPermissions(["clipboard-write"]);
      return text;
    };

    await value.click();
    await told.waitFor();
    await page.getByRole("button", { name: "Copy the id" }).click();
    await page.getByRole("button", { name: "Copied the id" }).waitFor();
    assert.equal(await left(), "twitterConnectorId");

    await value.click();
    await told.waitFor();
    await page.getByText("twitterConnectorId", { exact: true }).first().selectText();
    await page.keyboard.press("Control+C");
    assert.equal(await left(), "twitterConnectorId");

    await value.click();
    await told.waitFor();
    assert.equal(await left(), "");
  });
});
