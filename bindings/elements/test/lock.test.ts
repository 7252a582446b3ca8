/** After `lock()` no component knows a secret any more: not in the page, and not in JavaScript's memory. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Chromium } from "../../js/test/browser/chromium.js";
import { findInDom } from "./dom-search.js";
import { serveElements } from "./elements-site.js";
import { findInHeap } from "./heap-search.js";
import type { LockPage } from "./lock-page.js";

declare const globalThis: { readonly page: LockPage };

test("components forget secrets when the vault is locked", async (t) => {
  const site = await serveElements(t, new URL("./lock-page.ts", import.meta.url));
  const browser = await Chromium.launch(t);
  const page = await browser.open(site.origin);
  await page.waitForFunction(() => globalThis.page !== undefined);
  await page.evaluate(() => globalThis.page.start());
  const secrets = await page.evaluate(() => globalThis.page.secrets());

  const plan = page.locator("update-plan");
  await plan.getByRole("button", { name: "Reveal Key" }).click();
  await plan.locator("[part=values]").waitFor();
  const history = page.locator("connector-history");
  await history.getByRole("button", { name: "Values version 1" }).click();
  await history.getByRole("button", { name: "Reveal Key" }).click();
  await history.locator("[part=values]").waitFor();
  assert.deepEqual(await findInHeap(page, secrets), secrets, "the search finds what is there");

  await page.evaluate(() => globalThis.page.lock());
  await plan.getByText("The vault is locked.").waitFor();
  await history.getByText("The vault is locked.").waitFor();
  assert.deepEqual(await findInDom(page, secrets), []);
  assert.deepEqual(await findInHeap(page, secrets), []);
  browser.assertNoProblems();
});
