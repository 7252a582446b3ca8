/** The page without a network, and how a newer version of it gets there. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, afterEach, beforeEach, describe, test } from "node:test";

import type { Page } from "playwright-core";

import { Chromium, Suite, type Served, type Site } from "../../bindings/js/test/browser/chromium.js";
import { servePage } from "./site.js";

/** The page lives in a folder of its site, and knows no other address. */
const FOLDER = "/tools/vault/";

describe("offline", () => {
  const suite = new Suite();
  let server: Suite;
  let site: Site;
  let browser: Chromium;

  beforeEach(async () => {
    server = new Suite();
    suite.after(server.end);
    site = await servePage(server);
    for (const [path, file] of [...site.files]) {
      site.files.delete(path);
      site.files.set(FOLDER.slice(0, -1) + path, file);
    }
    browser = await Chromium.launch(suite);
  });
  afterEach(suite.end);
  after(suite.end);

  /** A tab with the page, whose worker is at work. */
  async function controlled(): Promise<Page> {
    const page = await browser.open(site.origin + FOLDER);
    await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
    return page;
  }

  test("without a network the page opens vaults as ever", async () => {
    const page = await controlled();
    await server.end();
    await browser.context.setOffline(true);
    // Nothing of it comes from the browser's own cache: the server forbids that.
    await page.reload();
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByRole("option", { name: /Twitter API/ }).click();
    await page.getByRole("button", { name: "Reveal APIKey" }).click();
    await page.getByText("old_api_key_000").waitFor();
    // Views that were never loaded are there, too.
    for (const name of ["Grants", "Audit log", "Merge"]) {
      await page.getByRole("button", { name }).first().click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
    }
    browser.assertNoProblems();
  });

  test("it can be installed", async () => {
    const page = await browser.open(site.origin + FOLDER);
    const client = await browser.context.newCDPSession(page);
    const { url, errors, manifest } = await client.send("Page.getAppManifest");
    assert.equal(url, `${site.origin}${FOLDER}manifest.webmanifest`);
    assert.deepEqual(errors, []);
    assert.equal(manifest.startUrl, site.origin + FOLDER);
    assert.equal(manifest.scope, site.origin + FOLDER);
    assert.deepEqual((await client.send("Page.getInstallabilityErrors")).installabilityErrors, []);
    browser.assertNoProblems();
  });

  test("a vault is never answered from a cache", async () => {
    const path = `${FOLDER}team.cvault`;
    site.files.set(path, "one");
    const page = await controlled();
    const read = () => page.evaluate(async (path) => await (await fetch(path)).text(), path);
    assert.equal(await read(), "one");
    site.files.set(path, "two");
    assert.equal(await read(), "two");
    const kept = await page.evaluate(async () => {
      const caches = await Promise.all(
        (await globalThis.caches.keys()).map((name) => globalThis.caches.open(name)),
      );
      return (await Promise.all(caches.map((cache) => cache.keys()))).flat().map(({ url }) => url);
    });
    assert.ok(kept.includes(site.origin + FOLDER));
    assert.ok(kept.every((url) => !url.includes("cvault") || url.includes("/assets/")));
    browser.assertNoProblems();

    await server.end();
    assert.equal(await read().catch(() => "refused"), "refused");
    // Nor is the page shown in its place.
    assert.equal((await page.goto(site.origin + path).catch(() => undefined))?.ok() ?? false, false);
  });

  test("a newer version waits until the user wants it, in every tab", async () => {
    const one = await controlled();
    const two = await controlled();
    for (const page of [one, two]) await page.evaluate(() => void (document.title = "untouched"));
    publish(site, "<!-- newer -->");
    await one.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));

    const offer = (page: Page) => page.getByText("A new version of this page is ready");
    await offer(one).waitFor();
    await offer(two).waitFor();
    await one.bringToFront();
    await one.getByRole("button", { name: "Reload" }).click();
    await one.waitForFunction(() => document.documentElement.outerHTML.includes("newer"));
    assert.notEqual(await one.title(), "untouched");
    assert.equal(await two.title(), "untouched", "only the tab whose user wanted it is loaded again");

    await two.bringToFront();
    await two.getByRole("button", { name: "Reload" }).click();
    await two.waitForFunction(() => document.documentElement.outerHTML.includes("newer"));
    await server.end();
    await one.reload();
    await one.waitForFunction(() => document.documentElement.outerHTML.includes("newer"));
    browser.assertNoProblems();
  });

  test("a build that is half there is not taken", async () => {
    const page = await controlled();
    publish(site, "<!-- newer -->", { isWhole: false });
    const state = await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      const found = new Promise<ServiceWorker | null>((resolve) => {
        registration.addEventListener("updatefound", () => resolve(registration.installing));
      });
      await registration.update().catch(() => undefined);
      const worker = await found;
      while (worker?.state === "installing") {
        await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
      }
      return worker?.state;
    });
    assert.equal(state, "redundant");
    await page.reload();
    await page.getByRole("button", { name: "Try it" }).waitFor();
    assert.ok(!(await page.content()).includes("newer"));
    browser.assertNoProblems(/integrity/);
  });
});

/** Puts another version on the server, by another page; not whole, its files are not those of its list. */
function publish(site: Site, mark: string, { isWhole = true } = {}): void {
  const digestOf = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
  const page = textOf(site.files.get(`${FOLDER}index.html`));
  const script = textOf(site.files.get(`${FOLDER}service-worker.js`));
  const newer = page.replace("</body>", `${mark}</body>`);
  assert.ok(script.includes(digestOf(page)), "the worker knows the page");
  const list = script.replace(digestOf(page), digestOf(isWhole ? newer : `${newer} `));
  put(site, ["index.html", ""], newer);
  put(site, ["service-worker.js"], list.replace(/VERSION="\w+"/, 'VERSION="newer"'));
}

function put(site: Site, names: readonly string[], body: string): void {
  for (const name of names) {
    const before = site.files.get(FOLDER + name);
    const headers = typeof before === "object" && "headers" in before ? before.headers : undefined;
    site.files.set(FOLDER + name, headers === undefined ? body : { body, headers });
  }
}

function textOf(served: Served | undefined): string {
  const body = typeof served === "object" && "body" in served ? served.body : served;
  return typeof body === "string" ? body : Buffer.from(body ?? []).toString("utf8");
}
