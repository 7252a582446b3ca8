/** `<update-plan>` in a browser: it shows what would change, keeps up, and shows values only when asked. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import type { Locator, Page } from "playwright-core";

import { Chromium, Suite, type Site } from "../../js/test/browser/chromium.js";
import { holdFrom, letPass, type HeldTime } from "../../js/test/browser/held-time.js";
import { findInDom } from "./dom-search.js";
import { assertAccessible, serveElements } from "./elements-site.js";
import type { PlanPage } from "./plan-page.js";

const SECRETS = [
  "old-secret-key",
  "eu-old-secret",
  "legacy-secret",
  "new-secret-key",
  "token-secret",
  "written",
];

const NOTHING = "What the action would change is shown here.";

/** Shorter than the pause after which is planned what somebody writes. */
const PAUSES_MS = 100;

declare const globalThis: { readonly page: PlanPage; readonly heldTime: HeldTime };

describe("<update-plan>", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    site = await serveElements(suite, new URL("./plan-page.ts", import.meta.url));
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

  /** A row for each kind, from both sources, with tokens and warnings. */
  async function planMuch(page: Page): Promise<void> {
    await page.evaluate(() =>
      globalThis.page.plan(
        {
          APIKey: "[Secrets:Key]",
          Endpoint: "https://api.example",
          Legacy: null,
          apikey: "written",
          Region: "",
          Timeout: "5s",
        },
        '{"Timeout": "60s", "Zone": "[Trigger:Body.zone=eu]"}',
        { "Secrets:Key": "new-secret-key" },
        { null: "remove" },
      ),
    );
  }

  const headline = (page: Page): Locator => page.getByRole("status");
  const rows = async (page: Page): Promise<string[]> =>
    (await page.locator("[part~=change]").allInnerTexts()).map((text) => text.split(/\s+/).join(" "));
  const reveal = (page: Page, name: string): Locator =>
    page.getByRole("button", { name: `Reveal ${name}`, exact: true });

  test("what happens to each property, by which source, with which tokens and warnings", async () => {
    const page = await open();
    await headline(page).getByText("What the action would change is shown here.").waitFor();
    await planMuch(page);
    assert.equal(
      await headline(page).innerText(),
      "Version 1 becomes 2: 3 changed, 2 added, 1 removed, 1 unchanged",
    );
    assert.deepEqual(await rows(page), [
      "~ changed APIKey Properties Reveal",
      "= unchanged Endpoint Properties",
      "- removed Legacy Properties Reveal",
      "+ added apikey Properties Reveal",
      "~ changed Region Properties Reveal",
      "~ changed Timeout Dynamic Properties overrides the grid Reveal",
      "+ added Zone Dynamic Properties Reveal",
    ]);
    assert.deepEqual(await page.locator("[part=warnings] li").allInnerTexts(), [
      "PropertiesJson: the token [Trigger:Body.zone] has no value; its default was used.",
      'The property "Region" had a value and is empty now.',
      'The property "apikey" is new; "APIKey" differs from it only in case, Unicode form or spaces.',
    ]);
    assert.deepEqual(await page.locator("[part=token]").allInnerTexts(), [
      "Secrets:Key",
      "Trigger:Body.zone",
    ]);
    await planMuch(page);
    const events = await page.evaluate(() => globalThis.page.events);
    assert.deepEqual(events, ["plan planned"], "the same again is not planned again");
    await assertAccessible(page);

    await page.evaluate(() => globalThis.page.plan({ Endpoint: "https://api.example" }));
    assert.equal(await headline(page).innerText(), "Nothing would change");
    assert.deepEqual(await rows(page), ["= unchanged Endpoint Properties"]);
  });

  test("no value is in the page before it is revealed, then those of one property", async () => {
    const page = await open();
    await planMuch(page);
    assert.deepEqual(await findInDom(page, SECRETS), []);

    await reveal(page, "APIKey").click();
    const values = page.locator("[part=values]");
    assert.equal(await values.innerText(), "Before\nold-secret-key\nAfter\nnew-secret-key");
    await assertAccessible(page);

    await reveal(page, "Region").click();
    await page.getByText("eu-old-secret").waitFor();
    assert.equal(await values.innerText(), "Before\neu-old-secret\nAfter\nempty");
    assert.deepEqual(await findInDom(page, ["old-secret-key", "new-secret-key"]), []);

    await reveal(page, "apikey").click();
    await page.getByText("written").waitFor();
    assert.equal(await values.innerText(), "Before\nnot there\nAfter\nwritten");

    await page.getByRole("button", { name: "Hide apikey" }).click();
    assert.equal(await values.count(), 0);
    assert.deepEqual(await findInDom(page, SECRETS), []);
  });

  test("what is revealed goes with the next plan, and some time after the user", async () => {
    const page = await open();
    await planMuch(page);
    await reveal(page, "Region").click();
    await page.getByText("eu-old-secret").waitFor();
    await letPass(page, { minutes: 2 });
    assert.equal(await page.getByText("eu-old-secret").count(), 1, "the user is still there");

    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await letPass(page, { seconds: 29 });
    assert.equal(await page.getByText("eu-old-secret").count(), 1);
    await letPass(page, { seconds: 2 });
    await page.getByText("eu-old-secret").waitFor({ state: "detached" });

    await reveal(page, "Region").click();
    await page.getByText("eu-old-secret").waitFor();
    await holdFrom(page, PAUSES_MS);
    await page.evaluate(() => void globalThis.page.plan({ Region: "us" }));
    assert.deepEqual(await findInDom(page, SECRETS), [], "before the new plan is there");
  });

  test("of what is written quickly only the newest is shown", async () => {
    const page = await open();
    await planMuch(page);
    await holdFrom(page, PAUSES_MS);
    const begun = await page.evaluate(() => globalThis.page.type("Password"));
    assert.equal(begun, 2, "one in the pause, one in the end");
    assert.deepEqual(await rows(page), ["+ added Password Properties Reveal"]);
    assert.deepEqual(await page.evaluate(() => globalThis.page.events), ["plan planned", "plan planned"]);
  });

  test("while a plan is made the former one is shown, and there is none to commit", async () => {
    const page = await open();
    await planMuch(page);
    await holdFrom(page, PAUSES_MS);
    const busy = await page.evaluate(async () => {
      const done = globalThis.page.plan({ Region: "us" });
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const root = document.querySelector("update-plan")?.shadowRoot;
      const seen = {
        hasPlan: globalThis.page.hasPlan(),
        rows: root?.querySelectorAll("[part~=change]").length,
        isBusy: root?.querySelector("[aria-busy]")?.ariaBusy,
      };
      await globalThis.heldTime.letPass(1000);
      await done;
      return seen;
    });
    assert.deepEqual(busy, { hasPlan: false, rows: 7, isBusy: "true" });
    assert.deepEqual(await rows(page), ["~ changed Region Properties Reveal"]);
    assert.equal(await page.locator("[aria-busy=true]").count(), 0);
  });

  test("the plan that is shown is committed, and others' changes are planned on at once", async () => {
    const page = await open();
    await page.evaluate(() => globalThis.page.plan({ Region: "us" }));
    assert.equal(await page.evaluate(() => globalThis.page.commit()), 2);
    await headline(page).getByText("Nothing would change").waitFor();

    await page.evaluate(() => globalThis.page.change({ Region: "asia" }));
    await headline(page).getByText("Version 3 becomes 4: 1 changed").waitFor();
  });

  test("a request that was carried out before says so, and has nothing to reveal", async () => {
    const page = await open();
    const planned = () => globalThis.page.plan({ Region: "us" }, "", {}, { requestId: "delivery 1" });
    await page.evaluate(planned);
    await page.evaluate(() => globalThis.page.commit());
    await headline(page).getByText("Carried out before: it made version 2").waitFor();
    assert.deepEqual(await rows(page), ["~ changed Region Properties"]);
  });

  test("what cannot be planned is said in the words of the vault", async () => {
    const page = await open();
    await planMuch(page);
    await page.evaluate(() => globalThis.page.text('{"ActionType": "Connectors.Update", '));
    assert.match(await headline(page).innerText(), /line 1 column 37/);
    assert.equal(await page.locator("[part~=change]").count(), 0);
    assert.equal(await page.evaluate(() => globalThis.page.hasPlan()), false);
    await page.evaluate(() => globalThis.page.plan({ Key: "[Secrets:Unknown]" }));
    assert.match(await headline(page).innerText(), /Secrets:Unknown/);
    await assertAccessible(page);
    await page.evaluate(() => globalThis.page.plan({ Key: "value" }));
    await page.evaluate(() => globalThis.page.become("viewer"));
    await headline(page)
      .getByText(/The grant .viewer. does not permit/)
      .waitFor();
    assert.deepEqual((await page.evaluate(() => globalThis.page.events)).slice(1), [
      "plan-error invalid_json",
      "plan-error token_unresolved",
      "plan planned",
      "plan-error not_permitted",
    ]);
  });

  test("a question of the vault ends as one", async () => {
    const page = await open();
    await page.evaluate(() =>
      globalThis.page.text('{"ActionType":"Connectors.Update","Parameters":{"EntryId":"twiter"}}'),
    );
    assert.equal(await headline(page).innerText(), 'There is no connector "twiter". Did you mean "twitter"?');
  });

  test("what is no longer asked is not answered", async () => {
    const page = await open();
    for (const action of ["{", '{"ActionType":"Connectors.Update","Parameters":{"EntryId":"twitter"}}']) {
      await page.evaluate((action) => globalThis.page.text(action), action);
      assert.notEqual(await headline(page).innerText(), NOTHING);
      await page.evaluate(() => globalThis.page.text(undefined));
      assert.equal(await headline(page).innerText(), NOTHING);
    }
  });

  test("a plan that the host has made", async () => {
    const page = await open();
    await page.evaluate(() => globalThis.page.change({ Region: "us", Zone: "a" }));
    await page.evaluate(() => globalThis.page.showPlan("restore"));
    assert.equal(await headline(page).innerText(), "Version 2 becomes 3: 1 changed, 1 removed");
    assert.deepEqual(await rows(page), ["~ changed Region Reveal", "- removed Zone Reveal"]);
    await reveal(page, "Zone").click();
    await page.locator("[part=values]").getByText("not there").waitFor();
    await page.evaluate(() => globalThis.page.showPlan("delete"));
    assert.equal(
      await headline(page).innerText(),
      "The connector would be deleted at version 2; its history stays",
    );
    await page.evaluate(() => globalThis.page.showPlan("describe"));
    assert.equal(await headline(page).innerText(), "Version 2 becomes 3: another name, type or description");
    await page.evaluate(() => globalThis.page.showPlan("create"));
    assert.equal(await headline(page).innerText(), "A connector would be created: 2 added");
    await reveal(page, "A").click();
    await page.locator("[part=values]").waitFor();
  });

  test("nothing is left after lock, nor when it leaves the page", async () => {
    const page = await open();
    await planMuch(page);
    await reveal(page, "APIKey").click();
    await page.getByText("new-secret-key").waitFor();
    await page.evaluate(() => globalThis.page.lock());
    await headline(page).getByText("The vault is locked.").waitFor();
    assert.deepEqual(await rows(page), []);
    assert.deepEqual(await findInDom(page, SECRETS), []);
    assert.equal(await page.evaluate(() => globalThis.page.hasPlan()), false);

    const again = await open();
    await planMuch(again);
    await again.evaluate(() => globalThis.page.remove());
    assert.equal(await again.evaluate(() => globalThis.page.hasPlan()), false);
    assert.equal(await again.evaluate(() => globalThis.page.knowsAction()), true, "it may come back");
    await again.evaluate(() => globalThis.page.lock());
    assert.equal(await again.evaluate(() => globalThis.page.knowsAction()), false);
  });

  test("by keyboard alone", async () => {
    const page = await open();
    await planMuch(page);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("new-secret-key").waitFor();
    // The values can be reached, to be scrolled and copied.
    for (const value of ["old-secret-key", "new-secret-key"]) {
      await page.keyboard.press("Tab");
      const focused = () =>
        document.querySelector("update-plan")?.shadowRoot?.activeElement?.textContent?.trim();
      assert.equal(await page.evaluate(focused), value);
    }
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Space");
    assert.deepEqual(await findInDom(page, SECRETS), []);
  });
});
