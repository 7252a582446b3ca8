/** A vault of 10,000 connectors: the page never stops for long while its list is searched and scrolled. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { MemoryStorage, Vault } from "connector-vault";

import { Chromium } from "../../bindings/js/test/browser/chromium.js";
import { servePage } from "./site.js";

const COUNT = 10_000;

/** The longest that a page may stop, in milliseconds: the bound of what browsers call a long task. */
const TASK_MS = 50;

test("10,000 connectors scroll and filter without a long task", async (t) => {
  const storage = new MemoryStorage();
  const passphrase = "correct horse battery staple";
  const vault = await Vault.create(storage, {
    passphrase,
    cost: { memoryKib: 19_456, passes: 1, lanes: 1 },
  });
  const connectors = Array.from({ length: COUNT }, (_, index) => ({
    id: `connector-${index}`,
    name: `Connector number ${index}`,
    type: ["Twitter", "OAuth2", "PostgreSQL"][index % 3] ?? "",
    properties: { APIKey: `key ${index}`, Endpoint: "https://api.example" },
  }));
  await vault.import({ connectors });

  const site = await servePage(t);
  site.files.set("/many.cvault", storage.bytes ?? "");
  const browser = await Chromium.launch(t);
  const page = await browser.open(site.origin);
  await page.getByRole("radio", { name: "Open" }).check();
  await page.getByRole("radio", { name: "A URL" }).check();
  await page.getByRole("textbox", { name: "URL" }).fill(`${site.origin}/many.cvault`);
  await page.getByRole("textbox", { name: "Passphrase" }).fill(passphrase);
  await page.getByRole("button", { name: "Unlock" }).click();
  await page.getByText("10,000 connectors").waitFor();

  await page.evaluate(() => {
    const tasks: number[] = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(duration);
    }).observe({ type: "longtask" });
    Object.assign(globalThis, { tasks });
  });
  await page.getByRole("searchbox").focus();
  for (const key of "number 99") await page.keyboard.press(key);
  await page.getByText(/^\d+ of 10,000 connectors/).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("10,000 connectors").waitFor();
  await page.keyboard.press("ArrowDown");
  for (const key of ["PageDown", "PageDown", "ArrowDown", "End", "Home", "End"])
    await page.keyboard.press(key);
  await page.getByRole("option", { name: /Connector number 9999/ }).waitFor();
  for (let turns = 0; turns < 20; turns++) await page.mouse.wheel(0, -4_000);
  await page.keyboard.press("Home");
  await page.getByRole("option", { name: /Connector number 0 / }).waitFor();

  assert.ok((await page.getByRole("option").count()) < 60);
  const tasks = await page.evaluate(() => (globalThis as unknown as { readonly tasks: number[] }).tasks);
  t.diagnostic(`long tasks, in ms: ${tasks.join(", ") || "none"}`);
  assert.deepEqual(
    tasks.filter((duration) => duration > TASK_MS),
    [],
  );
  browser.assertNoProblems();
});
