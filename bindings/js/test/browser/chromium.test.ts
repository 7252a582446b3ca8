/** The harness of browser tests: what goes wrong in a page or a worker fails a test. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { chooserOf, Chromium, pageWith, serve, until } from "./chromium.js";
import { letPass, setClock } from "./held-time.js";

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
    await browser.open(site.origin);
    await until(async () => browser.problems.some((one) => problem.test(one)), true);
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

test("a chooser of files is never missed, also where a key opens it at once", async (t) => {
  const site = await serve(t, { "/": `${pageWith()}<input type="file">` });
  const browser = await Chromium.launch(t);
  for (let time = 0; time < 20; time++) {
    const page = await browser.open(site.origin);
    await page.locator("input").focus();
    const chooser = await chooserOf(page, () => page.keyboard.press("Enter"));
    assert.equal(chooser.isMultiple(), false);
    await page.close();
  }
  browser.assertNoProblems();
});

test("what a page does later is done when the test says so", async (t) => {
  const script = `
    const note = (what) => (document.title += " " + what);
    setTimeout(() => { note("second"); setTimeout(note, 15_000, "third"); }, 20_000);
    setTimeout(note, 10_000, "first");
    clearTimeout(setTimeout(note, 12_000, "never"));
    setTimeout(() => document.body.append("at once"), 0);
  `;
  const site = await serve(t, { "/": pageWith("/a.js"), "/a.js": script });
  const browser = await Chromium.launch(t);
  const page = await browser.context.newPage();
  await setClock(page, new Date("2001-01-01T00:00:00Z"));
  await page.goto(site.origin);
  await page.getByText("at once").waitFor();
  assert.equal(await page.title(), "test");
  await letPass(page, { seconds: 20 });
  assert.equal(await page.title(), "test first second");
  await letPass(page, { minutes: 60 });
  assert.equal(await page.title(), "test first second third");
  const shown = await page.evaluate(() => [new Date().getFullYear(), Date.now()] as const);
  assert.equal(shown[0], 2001);
  assert.ok(shown[1] >= Date.parse("2001-01-01T01:00:20Z"), "what has passed is on the clock");
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
