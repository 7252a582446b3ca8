/** The documented update with the keyboard alone, from the first load on; and ways back out of whatever opens. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";

import { chooserOf, Chromium, Suite, type Site } from "../../bindings/js/test/browser/chromium.js";
import { Keyboard } from "./focus.js";
import { bytesOf, fileOf, openInNode } from "./journey.js";
import { servePage } from "./site.js";

describe("with the keyboard alone", () => {
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

  /** At a sample. */
  async function opened(): Promise<Keyboard> {
    const keyboard = await Keyboard.of(await browser.open(site.origin));
    await keyboard.press("Tab");
    await keyboard.goTo("button", "Try it");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Connectors");
    return keyboard;
  }

  test("from the first load to an updated connector", async () => {
    const keyboard = await opened();
    await keyboard.goTo("searchbox", "Search connectors by name, id or type");
    await keyboard.type("twit");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Twitter API");
    await keyboard.goTo("button", "Update");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Update a connector");

    await keyboard.goTo("textbox", "Name 1");
    await keyboard.type("APIKey");
    await keyboard.press("Tab");
    await keyboard.type("[tw");
    await keyboard.page.getByRole("option", { name: "Secrets:TwitterKey" }).waitFor();
    await keyboard.press("Enter");
    await keyboard.goTo("textbox", "Dynamic Properties");
    await keyboard.type('{ "Timeout": "30s"');
    await keyboard.goTo("textbox", "Secrets:TwitterKey");
    await keyboard.type("new_api_key_123");
    await keyboard.page.getByText("Version 1 becomes 2: 1 changed, 1 added").waitFor();
    await keyboard.goTo("button", "Reveal APIKey");
    await keyboard.press("Enter");
    await keyboard.page.getByText("old_api_key_000").waitFor();
    await keyboard.goTo("button", "Run the update");
    await keyboard.press("Enter");
    await keyboard.page.getByText("Twitter API is at version 2").first().waitFor();
    await keyboard.assertFocus("after the run");
    await keyboard.goTo("button", "History", "Shift+Tab");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "History of Twitter API");
    await keyboard.goTo("button", "Restore version 1");
    await keyboard.press("Enter");
    await keyboard.goTo("button", "Restore as version 3");
    await keyboard.press("Enter");
    await keyboard.page.getByText("Version 1 was restored as version 3").waitFor();
    await keyboard.assertFocus("after the restore");

    await keyboard.press("Control+Shift+L");
    await keyboard.isAt("textbox", "Passphrase");
  });

  test("Escape leads out of what opened, and back to where one was", async () => {
    const keyboard = await opened();
    const { page } = keyboard;
    await keyboard.goTo("button", /^sample/, "Shift+Tab");
    await keyboard.press("Enter");
    await page.getByText("Lock when unused").waitFor();
    await keyboard.goTo("combobox", "Lock when unused");
    await keyboard.press("Escape");
    await page.getByText("Lock when unused").waitFor({ state: "hidden" });
    await keyboard.isAt("button", (await keyboard.focused()).name);
    assert.match((await keyboard.focused()).name, /^sample/);

    await keyboard.goTo("listbox", "Connectors");
    await keyboard.press("ArrowDown", "Enter");
    await keyboard.isAt("heading", "OAuth");
    await keyboard.goTo("button", "Delete");
    await keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await keyboard.goTo("button", "Delete OAuth");
    await keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await keyboard.isAt("button", "Delete");

    await keyboard.goTo("button", "Update", "Shift+Tab");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Update a connector");
    await keyboard.goTo("button", "Paste an action");
    await keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await keyboard.press("Escape");
    await keyboard.isAt("button", "Paste an action");

    await keyboard.goTo("combobox", /^Connector/);
    await keyboard.press("ArrowDown");
    await page.getByRole("listbox").waitFor();
    await keyboard.press("Escape");
    await page.getByRole("listbox").waitFor({ state: "hidden" });
    await keyboard.isAt("combobox", (await keyboard.focused()).name);

    await keyboard.goTo("button", "Grants", "Shift+Tab");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Grants");
    await keyboard.goTo("button", "Revoke me");
    await keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await keyboard.press("Escape");
    await keyboard.isAt("button", "Revoke me");
  });

  test("a connector is created, edited and deleted", async () => {
    const keyboard = await opened();
    await keyboard.goTo("button", "New connector");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "New connector");
    await keyboard.goTo("textbox", "Name");
    await keyboard.type("Billing");
    await keyboard.goTo("textbox", "Type");
    await keyboard.type("Stripe");
    await keyboard.goTo("textbox", "Name of property 1");
    await keyboard.type("Key");
    await keyboard.goTo("textbox", "Value of Key");
    await keyboard.type("a value");
    await keyboard.goTo("button", "Add a property");
    await keyboard.press("Enter");
    await keyboard.isAt("textbox", "Name of property 2");
    await keyboard.goTo("button", "Remove property 2");
    await keyboard.press("Enter");
    await keyboard.assertFocus("after a row was removed");
    await keyboard.goTo("button", "Create connector");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Billing");

    await keyboard.goTo("button", "Edit");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Edit Billing");
    await keyboard.goTo("button", "Change Key");
    await keyboard.press("Enter");
    await keyboard.isAt("textbox", "Value of Key");
    await keyboard.goTo("button", "Keep Key");
    await keyboard.press("Enter");
    await keyboard.assertFocus("after a value is kept");
    await keyboard.goTo("button", "Cancel");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Billing");

    await keyboard.goTo("button", "Delete");
    await keyboard.press("Enter");
    await keyboard.goTo("button", "Delete Billing");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Connectors");
  });

  test("a copy is merged", async () => {
    const keyboard = await opened();
    const { page } = keyboard;
    const passphrase = await page.getByRole("region", { name: "Sample vault" }).locator("code").innerText();
    await keyboard.goTo("button", /^sample/, "Shift+Tab");
    await keyboard.press("Enter");
    await keyboard.goTo("button", "Download a copy (encrypted)");
    const [download] = await Promise.all([page.waitForEvent("download"), keyboard.press("Enter")]);
    await keyboard.press("Escape");
    const copy = await openInNode(readFileSync(await download.path()), passphrase);
    await copy.vault.createConnector({ id: "billing", name: "Billing", type: "Stripe" });

    await keyboard.goTo("button", "Merge", "Shift+Tab");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Merge a copy");
    await keyboard.goTo("button", /^Choose the file/);
    const chooser = await chooserOf(page, () => page.keyboard.press("Enter"));
    await chooser.setFiles(fileOf("copy.cvault", bytesOf(copy.storage)));
    await page.getByRole("heading", { name: "What would change here" }).waitFor();
    await keyboard.assertFocus("after the file was chosen");
    await keyboard.goTo("button", "Merge");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Merged");
  });

  test("grants are added and revoked", async () => {
    const keyboard = await opened();
    await keyboard.goTo("button", "Grants", "Shift+Tab");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "Grants");
    await keyboard.goTo("textbox", "Label");
    await keyboard.type("rotation");
    await keyboard.goTo("radio", "Passphrase");
    await keyboard.press("ArrowLeft");
    await keyboard.goTo("button", "Grant");
    await keyboard.press("Enter");
    await keyboard.isAt("heading", "The identity of rotation");
    await keyboard.goTo("button", "I have kept it");
    await keyboard.press("Enter");
    await keyboard.assertFocus("after the identity is gone");
    await keyboard.goTo("button", "Revoke rotation", "Shift+Tab");
    await keyboard.press("Enter");
    await keyboard.goTo("button", "Revoke rotation");
    await keyboard.press("Enter");
    await keyboard.page.getByText("rotation was revoked").first().waitFor();
    await keyboard.assertFocus("after the revocation");
  });
});
