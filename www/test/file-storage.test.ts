/** Vaults in files of a real browser: what every storage has to do, several tabs, and other programs. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import {
  bundle,
  Chromium,
  pageWith,
  serve,
  Suite,
  type Site,
} from "../../bindings/js/test/browser/chromium.js";
import { checkEntries, contract, Log } from "../../bindings/js/test/storage/contract.js";
import type {} from "./file-storage-page.js";

describe("a file in Chromium", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    const core = fileURLToPath(new URL("../../bindings/js/src/slim.ts", import.meta.url));
    const script = await bundle(new URL("./file-storage-page.ts", import.meta.url), {
      alias: { "connector-vault": core },
    });
    site = await serve(suite, { "/": pageWith("/page.js"), "/page.js": script });
    browser = await Chromium.launch(suite);
  });

  afterEach(async () => {
    await browser.closeTabs();
    browser.assertNoProblems();
  });

  after(suite.end);

  const tab = () => browser.open(site.origin);

  for (const { name } of contract) {
    test(name, async () => {
      await (await tab()).evaluate((name) => testPage.runCase(name), name);
    });
  }

  test("two tabs lose nothing and hear of each other", async () => {
    const tabs = [await tab(), await tab()] as const;
    for (const page of tabs) await page.evaluate(() => testPage.open("shared"));
    const file = Uint8Array.from(await tabs[0].evaluate(() => testPage.create()));
    const log = new Log(file.slice(0, 40), [file.slice(40)]);
    await Promise.all(
      tabs.map((page, writer) => page.evaluate((writer) => testPage.appendEntries(writer, 20), writer)),
    );
    for (const page of tabs) {
      checkEntries(Uint8Array.from(await page.evaluate(() => testPage.read())), log, 2, 20);
      await page.waitForFunction(() => testPage.heard >= 20);
    }
  });

  test("another program's change is noticed while the page is seen", async () => {
    const page = await tab();
    await page.evaluate(() => testPage.open("polled"));
    await page.evaluate(() => testPage.create());
    assert.equal(await page.evaluate(() => testPage.heard), 0);
    await page.evaluate(() => testPage.scribble([1, 2, 3, 4, 5]));
    await page.waitForFunction(() => testPage.heard > 0);
  });

  test("what another program writes first is a conflict, and stays", async () => {
    const page = await tab();
    await page.evaluate(() => testPage.open("raced"));
    assert.equal(await page.evaluate(() => testPage.appendWhile("the file is written")), "conflict");
  });

  test("what another program writes over it is told", async () => {
    const page = await tab();
    await page.evaluate(() => testPage.open("overwritten"));
    assert.equal(await page.evaluate(() => testPage.appendWhile("it is put in place")), "not_durable");
  });
});
