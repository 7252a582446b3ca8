/** What the page may cost in bytes, until it can be used. `cargo xtask bench js designer` measures how long it stops. */

import assert from "node:assert/strict";
import { before, after, describe, test } from "node:test";
import { brotliCompressSync } from "node:zlib";

import type { Response } from "playwright-core";

import { Chromium, Suite, until, type Site } from "../../bindings/js/test/browser/chromium.js";
import { bytesOf, vaultInNode, Visitor } from "./journey.js";
import { servePage } from "./site.js";

/** All that a visitor without anything in the cache loads until the page can be used, with brotli. */
const BYTES_MAX = 270_000;

describe("the budget", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    site = await servePage(suite);
    browser = await Chromium.launch(suite);
  });
  after(suite.end);

  test("of bytes", async (t) => {
    const page = await browser.context.newPage();
    const loaded = new Map<string, Promise<Buffer>>();
    const load = (response: Response) => {
      // What a service worker fetches for later is nobody's wait; what it answers was loaded before.
      if (response.request().serviceWorker() === null) loaded.set(response.url(), response.body());
    };
    page.on("response", load);
    const total = async (when: string) => {
      const bodies = await Promise.all(loaded.values());
      const bytes = bodies.reduce((sum, body) => sum + brotliCompressSync(body).length, 0);
      t.diagnostic(`${bytes} bytes with brotli in ${bodies.length} files ${when}`);
      return bytes;
    };

    const visitor = new Visitor(page);
    await page.goto(site.origin);
    await visitor.button("Try it").waitFor();
    // The core, and what is seen next.
    await until(async () => [...loaded.keys()].some((url) => url.endsWith(".wasm")), true);
    await page.waitForLoadState("networkidle");
    const opening = await total("until a vault can be opened");
    const { storage } = await vaultInNode();
    site.files.set("/team.cvault", bytesOf(storage));
    await visitor.openAt(`${site.origin}/team.cvault`);
    await page.getByRole("searchbox").fill("twit");
    await visitor.told("1 of 2 connectors");
    const list = await total("until connectors can be searched");
    page.off("response", load);
    const names = [...loaded.keys()];
    assert.ok(names.some((name) => name.endsWith(".wasm")));
    assert.ok(
      !names.some((name) => /changes-[^/]*\.wasm$/.test(name)),
      "who changes nothing needs no changes.wasm",
    );
    assert.ok(names.some((name) => name.includes("worker")));
    assert.ok(opening <= BYTES_MAX, `${opening} bytes until a vault can be opened`);
    assert.ok(list <= BYTES_MAX, `${list} bytes until connectors can be searched`);
    browser.assertNoProblems();
  });
});
