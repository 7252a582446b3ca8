/** Two tabs on one vault in IndexedDB: both update, nothing is lost, and each sees what the other did. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Chromium, until } from "./chromium.js";
import { ask, serveVaultPage } from "./vault-site.js";

const UPDATES = 50;

test("two tabs update one vault at once", async (t) => {
  const site = await serveVaultPage(t);
  const browser = await Chromium.launch(t);
  const [one, two] = [await browser.open(site.origin), await browser.open(site.origin)];
  await ask(one, "create", "team", "correct horse");
  await ask(two, "open", "team", "correct horse");
  assert.equal(await ask(two, "codeOfOpening", "team", "another"), "wrong_passphrase");

  const versions = await Promise.all([
    ask(one, "update", "one", UPDATES),
    ask(two, "update", "two", UPDATES),
  ]);
  assert.equal(new Set(versions.flat()).size, 2 * UPDATES, "no version was made twice");

  // What the last updates told the other tab may still be on its way.
  await Promise.all([ask(one, "set", "end", "1"), ask(two, "set", "end", "2")]);
  const made = versions.map((versions) => Math.max(...versions));
  for (const [page, theirs] of [
    [one, made[1]],
    [two, made[0]],
  ] as const) {
    await until(async () => (await ask(page, "seen")).includes(theirs ?? 0), true);
  }
  const histories = await Promise.all([ask(one, "history"), ask(two, "history")]);
  for (const history of histories) {
    const notes = new Set(history.map(({ note }) => note));
    for (let number = 0; number < UPDATES; number++) {
      assert.ok(notes.has(`one-${number}`) && notes.has(`two-${number}`), `update ${number} is there`);
    }
    assert.deepEqual(
      history.map(({ version }) => version),
      history.map((_, index) => index + 1),
    );
  }
  t.diagnostic(`${2 * UPDATES} versions by two tabs, nothing lost`);

  await ask(one, "lock");
  await browser.restart();
  const again = await browser.open(site.origin);
  await ask(again, "open", "team", "correct horse");
  const kept = await ask(again, "history");
  assert.ok(kept.length >= 2 * UPDATES + 1);
  browser.assertNoProblems();
});
