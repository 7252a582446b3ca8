/** Vaults and known heads in the IndexedDB of a real browser: its pages, its workers, several tabs. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import type { Page } from "playwright-core";

import { documentOf } from "../../src/heads/entry.js";
import type { LogEnd } from "../../src/storage.js";
import { checkEntries, contract, Log } from "../storage/contract.js";
import { bundle, Chromium, pageWith, serve, Suite, type Site } from "./chromium.js";
import type {} from "./indexeddb-page.js";

describe("IndexedDB in Chromium", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    const [page, worker] = await Promise.all([
      bundle(new URL("./indexeddb-page.ts", import.meta.url)),
      bundle(new URL("./indexeddb-worker.ts", import.meta.url)),
    ]);
    site = await serve(suite, { "/": pageWith("/page.js"), "/page.js": page, "/worker.js": worker });
    browser = await Chromium.launch(suite);
  });

  afterEach(async () => {
    await browser.closeTabs();
    browser.assertNoProblems();
  });

  after(suite.end);

  const tab = () => browser.open(site.origin);

  describe("the contract in a page", () => {
    for (const { name } of contract) {
      test(name, async () => {
        await (await tab()).evaluate((name) => testPage.runCase(name), name);
      });
    }
  });

  describe("the contract in a worker", () => {
    for (const { name } of contract) {
      test(name, async () => {
        await (await tab()).evaluate((name) => testPage.runCaseInWorker(name), name);
      });
    }
  });

  for (const inTurn of [true, false]) {
    test(`two tabs lose nothing and hear of each other, ${inTurn ? "in" : "without"} turns`, async () => {
      const name = `two tabs ${inTurn}`;
      const log = Log.random();
      const tabs = await Promise.all([tab(), tab()]);
      for (const page of tabs) await open(page, name);
      const [first] = tabs;
      assert.equal(await create(first, log), "done");
      await Promise.all(
        tabs.map((page, writer) =>
          page.evaluate(([writer, inTurn]) => testPage.appendEntries("v", writer, 50, inTurn), [
            writer,
            inTurn,
          ] as const),
        ),
      );
      for (const page of tabs) checkEntries(await read(page), log, 2, 50);
      // The second one hears of the creation too.
      for (const [index, page] of tabs.entries()) {
        const expected = 50 + index;
        assert.equal(await page.evaluate((count) => testPage.heard("v", count), expected), expected);
      }
    });
  }

  test("a storage hears of others in its tab, and not of itself", async () => {
    const page = await tab();
    await open(page, "hearing", "a");
    await open(page, "hearing", "b");
    await open(page, "another", "c");
    const log = Log.random();
    await create(page, log, "a");
    assert.equal(await page.evaluate(() => testPage.heard("b", 1)), 1);
    const known = log.known();
    assert.equal(await append(page, 5, known, "b"), "done");
    assert.equal(await page.evaluate(() => testPage.heard("a", 1)), 1);
    assert.deepEqual(await append(page, 5, known, "b"), await append(page, 5, known, "a"));
    await page.evaluate(() => testPage.delete("a"));
    assert.equal(await page.evaluate(() => testPage.heard("b", 2)), 2);
    const others = ["a", "c"] as const;
    for (const [index, as] of others.entries()) {
      assert.equal(await page.evaluate((as) => testPage.heard(as, 0), as), 1 - index);
    }
  });

  test("vaults and known heads are there after the browser was restarted", async () => {
    const log = Log.random(3);
    const former = await tab();
    const places = await open(former, "restarted");
    await create(former, log);
    await former.evaluate(() => testPage.appendEntries("v", 0, 7, true));
    assert.equal(await remember(former, "ab", [4]), "done");
    await browser.restart();
    const page = await tab();
    assert.deepEqual(await open(page, "restarted"), places);
    checkEntries(await read(page), log, 1, 7);
    assert.equal(await seqOf(page, "ab"), 4);
  });

  test("places name site, database and vault", async () => {
    const page = await tab();
    assert.deepEqual(await open(page, "a/b"), [`indexeddb:${site.origin}/connector-vault/a%2Fb`]);
    const other = await page.evaluate(() => testPage.open("v", "é", "mine/2"));
    assert.deepEqual(other, [`indexeddb:${site.origin}/mine%2F2/%C3%A9`]);
  });

  test("vaults are listed, and deleted one by one", async () => {
    const page = await tab();
    const list = () => page.evaluate(() => testPage.list("listed"));
    assert.deepEqual(await list(), []);
    const log = Log.random(2, 60_000);
    for (const name of ["b", "", "a", "a ", "é"]) {
      await page.evaluate((name) => testPage.open(name, name, "listed"), name);
      await create(page, log, name);
    }
    assert.deepEqual(await list(), ["", "a", "a ", "b", "é"]);
    assert.equal(await remember(page, "a", [3]), "done");
    for (const name of ["a", "a", "é"]) await page.evaluate((name) => testPage.delete(name), name);
    assert.deepEqual(await list(), ["", "a ", "b"]);
    assert.equal(codeOf(await page.evaluate(() => testPage.read("a"))), "file_not_found");
    assert.deepEqual(await read(page, "a "), log.file());
    assert.equal(await create(page, log, "a"), "done");
    assert.equal(await seqOf(page, "a"), 3);
  });

  test("what an update reads does not grow with the vault, and what it writes is durable", async () => {
    const page = await tab();
    await open(page, "large");
    const known = await page.evaluate(() => testPage.createLarge("v", 4_000_000));
    const { read, durabilities } = await page.evaluate((known) => testPage.observe("v", known), known);
    assert.ok(read > 0 && read < 500_000, `${read} bytes`);
    assert.deepEqual(durabilities, ["strict"]);
  });

  test("a database that somebody deletes goes, and comes again", async () => {
    const [page, other] = [await tab(), await tab()];
    const log = Log.random();
    await page.evaluate(() => testPage.open("v", "v", "deleted"));
    await create(page, log);
    const deletion = () => testPage.deleteDatabase("deleted");
    assert.equal(await other.evaluate(deletion), "deleted");
    assert.equal(codeOf(await page.evaluate(() => testPage.read("v"))), "file_not_found");
    assert.equal(codeOf(await append(page, 9, log.known())), "file_not_found");
    assert.equal(await create(page, log), "done");
    // In its own tab too.
    assert.equal(await page.evaluate(deletion), "deleted");
    assert.equal(await create(page, log), "done");
    assert.deepEqual(await read(page), log.file());
  });

  test("a newer version of the database is not held up, and asks for a newer page", async () => {
    const [page, other] = [await tab(), await tab()];
    await page.evaluate(() => testPage.open("v", "v", "newer"));
    await create(page, Log.random());
    assert.equal(await other.evaluate(() => testPage.asSomebodyElse("newer", 2, "parts")), "done");
    const outcome = await page.evaluate(() => testPage.read("v"));
    assert.equal(codeOf(outcome), "io");
    assert.match(hintOf(outcome), /reload the page/);
  });

  test("a database of something else is left alone", async () => {
    const page = await tab();
    assert.equal(await page.evaluate(() => testPage.asSomebodyElse("theirs", 1, "things")), "done");
    await page.evaluate(() => testPage.open("v", "v", "theirs"));
    const outcome = await create(page, Log.random());
    assert.equal(codeOf(outcome), "io");
    assert.match(hintOf(outcome), /another name/);
  });

  test("when no more may be stored, the log stays as it is", async (t) => {
    // A site of its own: Chromium remembers for a while how much space a site has.
    const files = Object.fromEntries(site.files);
    const { origin } = await serve(t, files);
    const page = await browser.open(origin);
    const session = await browser.context.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2_000_000 });
    const log = Log.random();
    await open(page, "quota");
    await create(page, log);
    const outcome = await append(page, 3_000_000, log.known());
    assert.equal(codeOf(outcome), "io");
    assert.match(hintOf(outcome), /free some space/);
    assert.deepEqual(await read(page), log.file());
    await session.send("Storage.overrideQuotaForOrigin", { origin });
    assert.equal(await append(page, 3_000_000, log.known()), "done");
  });

  test("a signal ends waiting for the turn", async () => {
    const [page, other] = [await tab(), await tab()];
    for (const one of [page, other]) await open(one, "turns");
    await other.evaluate(() => testPage.hold("v"));
    assert.equal(await page.evaluate(() => testPage.waitInVain("v")), true);
    await other.evaluate(() => testPage.letGo());
  });

  test("without Web Locks and BroadcastChannel nothing is lost", async () => {
    const log = Log.random();
    const tabs = await Promise.all([tab(), tab()]);
    for (const page of tabs) {
      await page.evaluate(() => testPage.without("navigator", "locks"));
      await page.evaluate(() => testPage.without("globalThis", "BroadcastChannel"));
      await open(page, "bare");
    }
    await create(tabs[0], log);
    await Promise.all(
      tabs.map((page, writer) =>
        page.evaluate((writer) => testPage.appendEntries("v", writer, 20, true), writer),
      ),
    );
    checkEntries(await read(tabs[0]), log, 2, 20);
  });

  test("without IndexedDB it says so", async () => {
    const page = await tab();
    await page.evaluate(() => testPage.without("globalThis", "indexedDB"));
    await open(page, "nowhere");
    const outcome = await page.evaluate(() => testPage.read("v"));
    assert.equal(codeOf(outcome), "io");
    assert.match(hintOf(outcome), /use another storage/);
  });

  describe("known heads", () => {
    test("a later one replaces an earlier one and never the reverse, from two tabs at once", async () => {
      const tabs = await Promise.all([tab(), tab()]);
      const [page] = tabs;
      assert.equal(await seqOf(page, "01"), undefined);
      for (const [seq, newest] of [
        [5, 5],
        [4, 5],
        [6, 6],
        [6, 6],
      ] as const) {
        assert.equal(await remember(page, "01", [seq]), "done");
        assert.equal(await seqOf(page, "01"), newest);
      }
      const seqs = Array.from({ length: 40 }, (_, index) => ((index * 37) % 40) + 7);
      await Promise.all(
        tabs.map((page, index) => remember(page, "01", index === 0 ? seqs : seqs.toReversed())),
      );
      for (const page of tabs) assert.equal(await seqOf(page, "01"), 46);
    });

    test("each vault and each place has its own, until it is forgotten", async () => {
      const page = await tab();
      await remember(page, "02", [5]);
      await remember(page, "02", [3], "elsewhere");
      await remember(page, "03", [9]);
      assert.equal(await seqOf(page, "02"), 5);
      assert.equal(await seqOf(page, "02", "elsewhere"), 3);
      await page.evaluate(() => testPage.forget("02", "here"));
      assert.equal(await seqOf(page, "02"), undefined);
      assert.equal(await seqOf(page, "02", "elsewhere"), 3);
      await remember(page, "02", [1]);
      assert.equal(await seqOf(page, "02"), 1);
    });

    test("a damaged one is no reason to trust anything", async () => {
      const page = await tab();
      await remember(page, "04", [5]);
      const known = await headAt(page, "04");
      const head =
        typeof known === "object" && "head" in known ? documentOf(known) : assert.fail(String(known));
      const entry = { vault_id: "04", place: "here", seq: 5, head };
      for (const damaged of [
        { vault_id: "04", place: "here" },
        { ...entry, seq: "5" },
        { ...entry, head: null },
        { ...entry, more: 1 },
        { ...entry, head: { head: {}, vault_key: "", index_commitment: "" } },
      ]) {
        await page.evaluate(
          (value) => testPage.asSomebodyElse("connector-vault-heads", undefined, "heads", { value }),
          damaged,
        );
        assert.equal(codeOf(await headAt(page, "04")), "state_unreadable");
        assert.equal(codeOf(await remember(page, "04", [6])), "state_unreadable");
      }
      await page.evaluate(() => testPage.forget("04", "here"));
      assert.equal(await seqOf(page, "04"), undefined);
    });
  });
});

/** Opens a vault in the default database under a name for the following calls. */
function open(page: Page, name: string, as = "v"): Promise<readonly string[]> {
  return page.evaluate(([as, name]) => testPage.open(as, name), [as, name] as const);
}

function create(page: Page, log: Log, as = "v") {
  return page.evaluate(([as, file]) => testPage.create(as, file), [as, [...log.file()]] as const);
}

function append(page: Page, length: number, known: LogEnd, as = "v") {
  return page.evaluate(([as, length, known]) => testPage.append(as, length, known), [
    as,
    length,
    known,
  ] as const);
}

async function read(page: Page, as = "v"): Promise<Uint8Array> {
  const bytes = await page.evaluate((as) => testPage.read(as), as);
  assert.ok(Array.isArray(bytes), JSON.stringify(bytes));
  return Uint8Array.from(bytes);
}

function remember(page: Page, vault: string, seqs: readonly number[], place = "here") {
  return page.evaluate(([vault, place, seqs]) => testPage.remember(vault, place, seqs), [
    vault,
    place,
    seqs,
  ] as const);
}

function headAt(page: Page, vault: string, place = "here") {
  return page.evaluate(([vault, place]) => testPage.getHead(vault, place), [vault, place] as const);
}

async function seqOf(page: Page, vault: string, place?: string): Promise<number | undefined> {
  const known = await headAt(page, vault, place);
  assert.ok(known === undefined || (known !== "done" && "head" in known), JSON.stringify(known));
  return known?.head.seq;
}

function codeOf(outcome: unknown): string | undefined {
  return isFailure(outcome) ? outcome.code : undefined;
}

function hintOf(outcome: unknown): string {
  return isFailure(outcome) ? (outcome.hint ?? "") : "";
}

function isFailure(outcome: unknown): outcome is { readonly code: string; readonly hint?: string } {
  return typeof outcome === "object" && outcome !== null && "code" in outcome;
}
