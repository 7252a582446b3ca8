/** The page as it is built: a sample is tried, a value revealed, the vault locked and unlocked. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import type { Page } from "playwright-core";

import { Chromium, Suite, type Site } from "../../bindings/js/test/browser/chromium.js";
import { servePage } from "./site.js";

/** A value of the sample. */
const SECRET = "old_api_key_000";

describe("the page in Chromium", () => {
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

  /** A tab with a sample, and the sample's passphrase. */
  async function sample(): Promise<{ page: Page; passphrase: string }> {
    const page = await browser.open(site.origin);
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByRole("option", { name: /Twitter API/ }).waitFor();
    const note = page.getByRole("region", { name: "Sample vault" });
    const passphrase = await note.locator("code").innerText();
    return { page, passphrase };
  }

  test("a sample is tried, a value revealed, the vault locked: nothing is left, and it opens again", async () => {
    const { page, passphrase } = await sample();
    await page.getByRole("option", { name: /Twitter API/ }).click();
    await page.getByRole("heading", { name: "Twitter API" }).waitFor();
    assert.equal((await textOf(page)).includes(SECRET), false);
    await page.getByRole("button", { name: "Reveal APIKey" }).click();
    await page.getByText(SECRET).waitFor();
    assert.equal(page.url(), `${site.origin}/`);

    await page.keyboard.press("Control+Shift+L");
    const field = page.getByRole("textbox", { name: "Passphrase" });
    await page.getByText("Locked.").waitFor();
    const left = await textOf(page);
    const matched = await page.evaluate(() => RegExp.input);
    for (const secret of [SECRET, passphrase, "twitterConnectorId"]) {
      assert.equal(left.includes(secret), false, secret);
      assert.equal(matched.includes(secret), false, secret);
    }
    await page.goBack();
    assert.equal(await page.getByRole("option").count(), 0);

    await field.fill("another passphrase");
    await field.press("Enter");
    const alert = page.getByRole("alert");
    assert.match(await alert.innerText(), /passphrase/);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    await field.fill(passphrase);
    await field.press("Enter");
    await page.getByRole("option", { name: /Twitter API/ }).waitFor();
    assert.equal(await page.getByRole("region", { name: "Sample vault" }).count(), 0);
  });

  test("the keyboard gets everywhere, and Back goes back", async () => {
    const { page } = await sample();
    await page.getByRole("searchbox").focus();
    await page.keyboard.type("post");
    await page.getByText("1 of 6 connectors").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    const heading = page.getByRole("heading", { name: "Orders database" });
    await heading.waitFor();
    await page.waitForFunction(() => {
      let focused = document.activeElement;
      while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
      return focused?.tagName === "H1";
    });
    await page.goBack();
    await page.getByRole("option", { name: /Orders database/ }).waitFor();
    assert.equal(await page.getByRole("searchbox").inputValue(), "post");
    await page.goForward();
    await heading.waitFor();
    await page.getByRole("button", { name: "Grants" }).click();
    await page.getByRole("heading", { name: "Grants", level: 1 }).waitFor();
    assert.equal(page.url(), `${site.origin}/`);
    assert.equal(await page.getByRole("button", { name: "Grants" }).getAttribute("aria-current"), "page");
  });

  test("a connector is created, edited and deleted", async () => {
    const { page } = await sample();
    await page.getByRole("button", { name: "New connector" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Billing");
    await page.getByLabel("Type").fill("Stripe");
    await page.getByLabel("Id").fill("billing");
    await page.getByLabel("Name of property 1").fill("Key");
    await page.getByLabel("Value of Key", { exact: true }).fill("[not] a token");
    await page.getByRole("button", { name: "Create connector" }).click();
    await page.getByRole("status").getByText("billing is at version 1.").waitFor();

    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("button", { name: "Change Key" }).click();
    const value = page.getByLabel("Value of Key", { exact: true });
    await page.waitForFunction(
      (field) => (field as HTMLTextAreaElement).value !== "",
      await value.elementHandle(),
    );
    assert.equal(await value.inputValue(), "[not] a token");
    await value.fill("first\nsecond");
    await page.getByRole("button", { name: "Save changes" }).click();
    await page.getByRole("status").getByText("billing is at version 2.").waitFor();
    await page.getByRole("button", { name: "Reveal Key" }).click();
    await page.getByText("first").waitFor();

    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete Billing" }).click();
    await page.getByRole("status").getByText("billing was deleted").waitFor();
    assert.equal(await page.getByRole("option", { name: /Billing/ }).count(), 0);
  });

  /** The sample of a tab in another one. */
  async function inAnotherTab(page: Page, passphrase: string): Promise<Page> {
    const name = await page.getByRole("region", { name: "Sample vault" }).locator("strong").innerText();
    const other = await browser.open(site.origin);
    await other.getByRole("radio", { name, exact: true }).check();
    await other.getByRole("textbox", { name: "Passphrase" }).fill(passphrase);
    await other.getByRole("button", { name: "Unlock" }).click();
    await other.getByRole("option", { name: /Slack/ }).waitFor();
    return other;
  }

  test("a change in another tab is shown at once", async () => {
    const { page, passphrase } = await sample();
    const other = await inAnotherTab(page, passphrase);
    await other.getByRole("option", { name: /Slack/ }).click();
    await other.getByRole("button", { name: "Delete" }).click();
    await other.getByRole("button", { name: "Delete Slack alerts" }).click();
    await page.getByText("5 connectors").waitFor();
    await page
      .getByRole("status")
      .getByText(/Changed elsewhere/)
      .waitFor();
  });

  test("what is changed elsewhere while it is edited is not overwritten unseen", async () => {
    const { page, passphrase } = await sample();
    const other = await inAnotherTab(page, passphrase);
    const edit = async (tab: Page, property: string, value: string) => {
      // A tab behind another one hardly draws, and so it can hardly be clicked.
      await tab.bringToFront();
      await tab.getByRole("option", { name: /Twitter API/ }).click();
      await tab.getByRole("button", { name: "Edit" }).click();
      await tab.getByRole("button", { name: `Change ${property}` }).click();
      await tab.getByLabel(`Value of ${property}`, { exact: true }).fill(value);
    };
    await edit(page, "APIKey", "mine");
    await edit(other, "Endpoint", "https://theirs.example");
    await other.getByRole("button", { name: "Save changes" }).click();
    await other.getByRole("status").getByText("is at version 2").waitFor();

    await page.getByText("it is at version 2").waitFor();
    await page.bringToFront();
    await page.getByRole("button", { name: "Save changes" }).click();
    assert.match(await page.getByRole("alert").innerText(), /version 2/);
    await page.getByRole("button", { name: "Go on with version 2" }).click();
    await page.getByRole("button", { name: "Save changes" }).click();
    await page.getByRole("status").getByText("is at version 3").waitFor();
    await page.getByRole("button", { name: "Reveal APIKey" }).click();
    await page.getByText("mine", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Reveal Endpoint" }).click();
    await page.getByText("https://theirs.example").waitFor();
  });
});

/** All text and all values of inputs, in shadow trees too. */
async function textOf(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const parts: string[] = [];
    const collect = (root: ParentNode & Node) => {
      parts.push(root instanceof Element ? root.outerHTML : "");
      for (const element of root.querySelectorAll("*")) {
        if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)
          parts.push(element.value);
        if (element.shadowRoot !== null) {
          parts.push(element.shadowRoot.innerHTML);
          collect(element.shadowRoot);
        }
      }
    };
    collect(document.documentElement);
    return parts.join("\n");
  });
}
