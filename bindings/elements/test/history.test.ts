/** `<connector-history>` in a browser: versions as others make them, compared, revealed one at a time, restored. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import type { Locator, Page } from "playwright-core";

import { Chromium, Suite, type Site } from "../../js/test/browser/chromium.js";
import { findInDom } from "./dom-search.js";
import { assertAccessible, serveElements } from "./elements-site.js";
import type { HistoryPage } from "./history-page.js";

const SECRETS = ["first-secret", "second-secret", "third-secret"];

declare const globalThis: { readonly page: HistoryPage };

describe("<connector-history>", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    site = await serveElements(suite, new URL("./history-page.ts", import.meta.url));
    browser = await Chromium.launch(suite);
  });
  afterEach(async () => {
    await browser.closeTabs();
    browser.assertNoProblems();
  });
  after(suite.end);

  async function open(): Promise<Page> {
    const page = await browser.open(site.origin);
    await page.waitForFunction(() => globalThis.page !== undefined);
    return page;
  }

  async function openFilled(): Promise<Page> {
    const page = await open();
    await page.evaluate(() => globalThis.page.fill());
    return page;
  }

  const versions = (page: Page): Locator => page.locator("[part=version]");
  const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });
  const events = (page: Page): Promise<string[]> => page.evaluate(() => globalThis.page.events);
  const isFocused = (page: Page, name: string): Promise<boolean> =>
    button(page, name).evaluate((element) => element.matches(":focus"));

  /** Presses Tab until a button has the focus. */
  async function tabTo(page: Page, name: string): Promise<void> {
    for (let presses = 0; presses < 30; presses++) {
      if (await isFocused(page, name)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not lead to ${name}`);
  }

  const changes = async (page: Page): Promise<string[]> =>
    (await page.locator("[part~=change]").allInnerTexts()).map((text) => text.split(/\s+/).join(" "));

  test("what happened, who, when, which names, newest first", async () => {
    const page = await openFilled();
    const texts = (await versions(page).allInnerTexts()).map((text) => text.split(/\s+/).join(" "));
    const told = [
      /^Version 4 present updated by ada .*2026.* Properties: APIKey Compare Values$/,
      /^Version 3 updated by grace .*2026.* Properties: Timeout Compare Values Restore$/,
      /^Version 2 updated by ada .*2026.* Properties: APIKey Note: rotation of January Compare Values Restore$/,
      /^Version 1 created by ada .*2026.* Properties: APIKey Endpoint Compare Values Restore$/,
    ];
    assert.equal(texts.length, told.length);
    told.forEach((expected, index) => assert.match(texts[index] ?? "", expected));
    const time = versions(page).last().locator("time");
    assert.match((await time.getAttribute("datetime")) ?? "", /^2026-01-15T\d\d:30:00/);
    assert.match((await time.getAttribute("title")) ?? "", /ago|^in /);
    assert.deepEqual(await findInDom(page, SECRETS), []);
    await assertAccessible(page);
  });

  test("times and texts follow the language around", async () => {
    const page = await openFilled();
    await page.evaluate(() => globalThis.page.show("twitter", "de"));
    await page.evaluate(() => globalThis.page.german());
    await versions(page).first().getByText("Fassung 4").waitFor();
    assert.match(await versions(page).first().locator("time").innerText(), /^15\.01\.2026, \d\d:30$/);
    assert.equal(await page.getByText("Wiederherstellen").count(), 3);
  });

  test("what others do is there at once", async () => {
    const page = await openFilled();
    await page.evaluate(() => globalThis.page.change("Zone", "eu"));
    await versions(page).first().getByText("Version 5").waitFor();
    await page.evaluate(() => globalThis.page.delete());
    await versions(page).first().getByText("deleted by ada").waitFor();
    await page.evaluate(() => globalThis.page.show("facebook"));
    await page.getByRole("alert").getByText("facebook").waitFor();
    assert.equal(await versions(page).count(), 0);
  });

  test("a version is compared with the one before it, or with another", async () => {
    const page = await openFilled();
    await button(page, "Compare version 4").click();
    assert.deepEqual(await changes(page), ["~ changed APIKey Reveal"]);
    await page.getByLabel("Compare with").selectOption("Version 1");
    await page.getByText("From version 1 to version 4:").waitFor();
    assert.deepEqual(await changes(page), ["~ changed APIKey Reveal", "+ added Timeout Reveal"]);
    assert.deepEqual(await findInDom(page, SECRETS), []);
    await button(page, "Reveal APIKey").click();
    assert.equal(
      await page.locator("[part=values]").innerText(),
      "Version 1\nfirst-secret\nVersion 4\nthird-secret",
    );
    await assertAccessible(page);

    await button(page, "Compare version 1").click();
    assert.equal(await page.getByLabel("Compare with").inputValue(), "2", "nothing is before it");
    assert.deepEqual(await findInDom(page, SECRETS), [], "what was revealed is gone");
    await button(page, "Compare version 1").click();
    assert.equal(await page.locator("[part=panel]").count(), 0);
  });

  test("values of a version are revealed one at a time", async () => {
    const page = await openFilled();
    await button(page, "Values version 2").click();
    assert.deepEqual(await findInDom(page, SECRETS), []);
    await button(page, "Reveal APIKey").click();
    await page.getByText("second-secret").waitFor();
    await button(page, "Reveal Endpoint").click();
    await page.getByText("https://api.example").waitFor();
    assert.deepEqual(await findInDom(page, SECRETS), []);
    await button(page, "Reveal APIKey").click();
    await page.getByText("second-secret").waitFor();
    await page.evaluate(() => globalThis.page.lock());
    await page.getByText("The vault is locked.").waitFor();
    assert.deepEqual(await findInDom(page, [...SECRETS, "APIKey"]), []);
  });

  test("a former version is restored after a look at what that would change, by keyboard alone", async () => {
    const page = await openFilled();
    await tabTo(page, "Restore version 1");
    await page.keyboard.press("Enter");
    await page.getByText("Version 4 becomes 5: 1 changed, 1 removed").waitFor();
    assert.deepEqual(await changes(page), ["~ changed APIKey Reveal", "- removed Timeout Reveal"]);
    assert.deepEqual(await findInDom(page, SECRETS), []);
    await assertAccessible(page);
    await tabTo(page, "Reveal APIKey");
    await page.keyboard.press("Enter");
    await page.getByText("third-secret").waitFor();

    await tabTo(page, "Cancel");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("[part=panel]").count(), 0);
    assert.deepEqual(await findInDom(page, SECRETS), []);
    assert.ok(await isFocused(page, "Restore version 1"), "the focus is where the user was");

    await page.keyboard.press("Enter");
    await tabTo(page, "Restore as version 5");
    await page.keyboard.press("Enter");
    await page.getByText("Version 1 was restored as version 5.").waitFor();
    await versions(page).first().getByText("restored by ada").waitFor();
    assert.deepEqual(await events(page), ["restore twitter 1", "restored 1 restored 5"]);
    assert.equal(await page.evaluate(() => globalThis.page.apiKey()), "first-secret");
    await page.keyboard.press("Tab");
    assert.ok(await isFocused(page, "Compare version 5"), "the user goes on with the list");
  });

  test("a restore that somebody else was faster than is shown again, and then done", async () => {
    const page = await openFilled();
    await button(page, "Restore version 3").click();
    await page.getByText("Version 4 becomes 5: 1 changed").waitFor();
    await page.evaluate(() => globalThis.page.race());
    await button(page, "Restore as version 5").click();
    await page.getByRole("alert").getByText("Plan again.").waitFor();
    await page.getByText("Version 5 becomes 6: 2 changed").waitFor();
    assert.deepEqual(await events(page), ["restore twitter 3"]);
    await button(page, "Restore as version 6").click();
    await page.getByText("Version 3 was restored as version 6.").waitFor();
  });

  test("what would change nothing is said, and cannot be restored", async () => {
    const page = await openFilled();
    await button(page, "Restore version 1").click();
    await button(page, "Restore as version 5").click();
    await page.getByText("Version 1 was restored").waitFor();
    await button(page, "Restore version 1").click();
    await page.getByText("Nothing would change").waitFor();
    assert.ok(await button(page, "Restore as version 5").isDisabled());
    assert.equal(await page.locator("[part=changes]").count(), 0, "no empty list");
  });

  test("a host may prevent a restore", async () => {
    const page = await openFilled();
    await page.evaluate(() => globalThis.page.prevent());
    await button(page, "Restore version 1").click();
    await button(page, "Restore as version 5").click();
    assert.equal(await page.locator("[part=panel]").count(), 0);
    assert.deepEqual(await events(page), ["restore twitter 1"]);
    assert.equal(await versions(page).count(), 4);
  });

  test("who may not is told so by the vault", async () => {
    const page = await openFilled();
    await page.evaluate(() => globalThis.page.become("viewer"));
    assert.equal(await versions(page).count(), 4);
    const refusal = page.getByRole("alert").getByText(/not permit|cannot read values/);
    for (const name of ["Compare version 4", "Restore version 1"]) {
      await button(page, name).click();
      await refusal.waitFor();
      await button(page, name).click();
      assert.equal(await refusal.count(), 0);
    }
    await button(page, "Values version 4").click();
    await button(page, "Reveal APIKey").click();
    await refusal.waitFor();
  });

  test("a long history is shown in parts", async () => {
    const page = await open();
    await page.evaluate(() => globalThis.page.many(119));
    assert.equal(await versions(page).count(), 50);
    await page.getByRole("button", { name: "Show older versions (70)" }).click();
    await page.getByRole("button", { name: "Show older versions (20)" }).waitFor();
    assert.equal(await versions(page).count(), 100);
    assert.ok(await isFocused(page, "Compare version 70"), "the user goes on where the list went on");
    await page.getByRole("button", { name: "Show older versions (20)" }).click();
    await versions(page).last().getByText("Version 1", { exact: true }).waitFor();
    assert.equal(await versions(page).count(), 120);
  });
});
