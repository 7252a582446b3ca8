/** A page stays responsive while it opens a large vault: no task of its thread takes more than 50 ms. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { MemoryStorage, Vault } from "../../src/index.js";
import { Chromium, bundle, pageWith, serve } from "./chromium.js";
import type { LongTaskPage } from "./longtask-page.js";

const PASSPHRASE = "correct horse battery staple";
const SIZE = 10_000;
/** Other programs on the machine stretch tasks too. What the package blocks by itself, it blocks each time. */
const ATTEMPTS = 5;

declare const globalThis: { readonly page: LongTaskPage };

test(`opening ${SIZE} connectors by a passphrase blocks no page`, async (t) => {
  const site = await serve(t, {
    "/": pageWith("/page.js"),
    "/page.js": await bundle(new URL("./longtask-page.ts", import.meta.url)),
    "/connector-vault-worker.js": await readFile(
      new URL("../../dist/connector-vault-worker.js", import.meta.url),
    ),
    "/vault": await largeVault(),
  });
  const browser = await Chromium.launch(t);

  const probe = await browser.open(site.origin);
  const noticed = await probe.evaluate(() => globalThis.page.block(100));
  assert.ok(noticed.longTask >= 100, "a page that is blocked is noticed");
  await probe.close();

  const longest: number[] = [];
  while (longest.at(-1) !== 0 && longest.length < ATTEMPTS) {
    // A new one each time: the first time is the slowest, and it is the one that people wait for.
    const page = await browser.open(site.origin);
    const { longTask } = await page.evaluate(([passphrase, size]) => globalThis.page.open(passphrase, size), [
      PASSPHRASE,
      SIZE,
    ] as const);
    longest.push(longTask);
    await page.close();
  }
  assert.equal(longest.at(-1), 0, `the longest tasks took ${longest.join(", ")} ms`);
  browser.assertNoProblems();
});

/** A vault with the default cost, and about 435 bytes of JSON in each connector. */
async function largeVault(): Promise<Uint8Array> {
  const storage = new MemoryStorage();
  const vault = await Vault.create(storage, { passphrase: PASSPHRASE });
  const connectors = Array.from({ length: SIZE }, (_, index) => ({
    id: `connector-${index}`,
    name: `team ${index % 97}`,
    type: "twitter",
    properties: {
      Endpoint: "https://twitter.example/v2",
      APIKey: crypto.randomUUID(),
      AccessToken: crypto.randomUUID(),
      RefreshToken: crypto.randomUUID(),
      Timeout: "30s",
      Retries: String(index % 10),
    },
  }));
  await vault.import({ connectors });
  vault.lock();
  return await storage.read();
}
