/** A vault at a URL of another origin, from the pages of a real browser. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test, type TestContext } from "node:test";

import { ByteServer, type Misbehaviour } from "../storage/byte-server.js";
import { contract } from "../storage/contract.js";
import { bundle, Chromium, pageWith, POLICY, serve, Suite, type Site } from "./chromium.js";
import type {} from "./http-page.js";

describe("HTTP in Chromium", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    const script = await bundle(new URL("./http-page.ts", import.meta.url));
    const policy = POLICY.replace("connect-src 'self'", "connect-src 'self' http://127.0.0.1:*");
    site = await serve(suite, { "/": pageWith("/page.js"), "/page.js": script }, policy);
    browser = await Chromium.launch(suite);
  });

  afterEach(async () => {
    await browser.closeTabs();
    // Chromium tells of every answer that is a refusal.
    browser.assertNoProblems(/Failed to load resource/);
  });

  after(suite.end);

  async function permitting(t: TestContext, headers = "ETag", misbehaves: Misbehaviour = {}) {
    const server = await ByteServer.start(t, misbehaves);
    server.permits = { origin: site.origin, headers };
    server.files.set("/there", Buffer.from("bytes"));
    return server;
  }

  const tab = () => browser.open(site.origin);

  for (const { name } of contract) {
    test(name, async (t) => {
      const { origin } = await permitting(t);
      const page = await tab();
      await page.evaluate(([name, url]) => httpPage.runCase(name, url), [name, `${origin}/v`] as const);
    });
  }

  test("an ETag that the page may not see is none", async (t) => {
    const server = await permitting(t, "");
    const page = await tab();
    const outcome = await page.evaluate((url) => httpPage.append(url), `${server.origin}/there`);
    assert.match(outcome, /^io: .* no strong ETag/);
    assert.deepEqual(server.files.get("/there"), Buffer.from("bytes"));
  });

  test("no redirect is followed", async (t) => {
    const elsewhere = await permitting(t);
    const answer = { status: 307, headers: { location: `${elsewhere.origin}/there` } };
    for (const method of ["GET", "PUT"]) {
      const server = await permitting(t, "ETag", { answers: { [method]: answer } });
      const page = await tab();
      const outcome = await page.evaluate((url) => httpPage.append(url), `${server.origin}/there`);
      assert.match(outcome, /^io: .* redirects/);
    }
    assert.deepEqual(elsewhere.took(), []);
  });

  test("an answer that is lost is no success", async (t) => {
    const server = await permitting(t, "ETag", { loses: "answer" });
    const page = await tab();
    const outcome = await page.evaluate((url) => httpPage.append(url), `${server.origin}/there`);
    assert.match(outcome, /^outcome_unknown: /);
  });

  test("a PUT that the browser repeats when an answer is lost is stored once", async (t) => {
    const server = await permitting(t, "ETag", { loses: "answer" });
    let puts = 0;
    server.before = ({ method }) => {
      if (method === "PUT" && ++puts === 2) server.misbehaves = {};
    };
    const page = await tab();
    const outcome = await page.evaluate((url) => httpPage.append(url), `${server.origin}/there`);
    assert.equal(outcome, "done");
    assert.deepEqual(server.took(), ["GET 200", "PUT 0", "PUT 412", "GET 200"]);
    assert.equal(server.files.get("/there")?.length, 5 + 140);
  });

  test("heads are kept by the site, and a URL may be relative", async (t) => {
    const { origin } = await permitting(t);
    const page = await tab();
    assert.equal(await page.evaluate((url) => httpPage.hasHeads(url), origin), true);
    assert.deepEqual(await page.evaluate(() => httpPage.places("team/v")), [`${site.origin}/team/v`]);
  });
});
