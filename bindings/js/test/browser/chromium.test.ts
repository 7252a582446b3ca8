/** The harness of browser tests: what goes wrong in a page or a worker fails a test. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Chromium, pageWith, serve } from "./chromium.js";

const EVAL = "try { new Function('return 1')() } catch {}";

for (const [what, files, problem] of [
  ["an eval in a page", { "/": pageWith("/a.js"), "/a.js": EVAL }, /securitypolicyviolation: script-src/],
  [
    "an eval in a worker",
    {
      "/": pageWith("/a.js"),
      "/a.js": "new Worker('/b.js').onmessage = () => (globalThis.told = true)",
      "/b.js": `${EVAL}; postMessage(0)`,
    },
    /securitypolicyviolation: script-src/,
  ],
  ["a script in the page itself", { "/": "<script>1</script>" }, /securitypolicyviolation: script-src/],
  [
    "a request to another site",
    { "/": pageWith("/a.js"), "/a.js": "fetch('http://127.0.0.1:9/').catch(() => undefined)" },
    /securitypolicyviolation: connect-src/,
  ],
  ["an error that nobody catches", { "/": pageWith("/a.js"), "/a.js": "throw new Error('oh')" }, /oh/],
  ["a line of console.error", { "/": pageWith("/a.js"), "/a.js": "console.error('oh')" }, /oh/],
  ["a missing script", { "/": pageWith("/a.js") }, /404/],
] as const) {
  test(`it is a problem: ${what}`, async (t) => {
    const site = await serve(t, files);
    const browser = await Chromium.launch(t);
    const page = await browser.open(site.origin);
    while (!browser.problems.some((one) => problem.test(one))) await page.evaluate(() => document.title);
    assert.throws(() => browser.assertNoProblems(), problem);
    browser.assertNoProblems();
  });
}

test("it is no problem: a page that keeps to the policy", async (t) => {
  const site = await serve(t, { "/": pageWith("/a.js"), "/a.js": "globalThis.ran = fetch('/a.js')" });
  const browser = await Chromium.launch(t);
  const page = await browser.open(site.origin);
  assert.equal(
    await page.evaluate(async () => (await (globalThis as { ran?: Promise<Response> }).ran)?.ok),
    true,
  );
  browser.assertNoProblems();
});

test("a Chromium that is named and not there fails", async (t) => {
  const former = process.env["CHROMIUM"];
  process.env["CHROMIUM"] = "/nowhere/chromium";
  t.after(() => {
    if (former === undefined) delete process.env["CHROMIUM"];
    else process.env["CHROMIUM"] = former;
  });
  await assert.rejects(Chromium.launch(t), /CHROMIUM names \/nowhere\/chromium, which does not exist/);
});
