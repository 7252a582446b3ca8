/** The vectors in Chromium: the same runner, bundled, on a page with a strict policy. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";

import { bundle, Chromium, pageWith, serve } from "../../bindings/js/test/browser/chromium.js";
import { vectorFiles } from "./files.js";
import { accountedFor, countsOf } from "./suite.js";

const files = await vectorFiles();
const ends: (() => Promise<void> | void)[] = [];
const lifetime = { after: (end: () => Promise<void> | void) => void ends.push(end) };
let chromium: Chromium;
let page: Page;
let workers = 0;

before(async () => {
  const site = await serve(lifetime, {
    "/": pageWith("/page.js"),
    "/page.js": await bundle(new URL("./page.ts", import.meta.url)),
    "/connector-vault-worker.js": await readFile(new URL(import.meta.resolve("connector-vault/worker"))),
    "/vectors.json": JSON.stringify(files),
  });
  chromium = await Chromium.launch(lifetime);
  page = await chromium.open(site.origin);
  page.on("worker", () => workers++);
});

after(async () => {
  for (const end of ends.reverse()) await end();
});

test("every vector holds", async () => {
  const conformance = await page.evaluate(() => globalThis.suite.conform());
  console.log(countsOf("Chromium", conformance));
  assert.deepEqual(conformance.failures, []);
  assert.equal(accountedFor(conformance), Object.keys(files).length);
  for (const [folder, count] of Object.entries(conformance.ran)) assert.ok(count > 0, `nothing of ${folder}`);
  assert.ok(workers > 0, "passphrases are stretched in workers");
  chromium.assertNoProblems();
});

test("a vector that its reader does not know in every part is rejected, by its name", async () => {
  const { rejected, taken } = await page.evaluate(() => globalThis.suite.spoil());
  console.log(`strictness in Chromium: rejected ${JSON.stringify(rejected)}`);
  assert.deepEqual(taken, []);
  for (const [how, count] of Object.entries(rejected)) {
    assert.ok(count > Object.keys(files).length, `too few copies: ${how}`);
  }
  chromium.assertNoProblems();
});
