/** After `lock()` the page knows no secret: not in its documents, not in its memory, not in what it stores. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import { Identity, MemoryStorage, Vault, ready } from "connector-vault";
import type { Page } from "playwright-core";

import { findInDom } from "../../bindings/elements/test/dom-search.js";
import { Chromium, Suite, type Site } from "../../bindings/js/test/browser/chromium.js";
import { letPass } from "../../bindings/js/test/browser/held-time.js";
import { COST, Visitor, bytesOf } from "./journey.js";
import { Memory } from "./memory-search.js";
import { servePage } from "./site.js";

/** What somebody types in a session. Typed key by key: what a test fills in at once is handed to the page by itself. */
const TYPED = {
  passphrase: "pass-0f8e71d2c6",
  old: "old-5c1de3b09a",
  edited: "edited-77ab0c94e1",
  grid: "grid-d04f5b8e62",
  json: "json-3e9c2a71f5",
  token: "token-b86a1f40d7",
  pasted: "pasted-1c7e94f3a0",
  pastedAction: "action-9b3f60d8c4",
  viewer: "viewer-e2d7a5c318",
  unsent: "unsent-46c0be79f2",
  draftGrid: "draftgrid-8a51f3e6d9",
  draftJson: "draftjson-f7249cd0b5",
  draftToken: "drafttoken-60eb18a7c3",
  url: "url-a93d50c7f1",
} as const;

/** What a thief of the stored bytes must not learn either. */
const NAMES = ["payments71Id", "Payments 71", "Key71"];

describe("secrets", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    site = await servePage(suite);
    browser = await Chromium.launch(suite);
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  });
  afterEach(async () => {
    await browser.closeTabs();
    browser.assertNoProblems();
  });
  after(suite.end);

  /** A tab that is searched later, and all that it said. */
  async function searched() {
    const page = await browser.context.newPage();
    const memory = await Memory.of(page);
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    await page.goto(site.origin);
    return { visitor: new Visitor(page), memory, said };
  }

  async function type(page: Page, where: ReturnType<Visitor["field"]>, text: string): Promise<void> {
    await where.click();
    await page.keyboard.type(text);
  }

  /** Puts a text on the clipboard, from another site. */
  async function copied(text: string): Promise<void> {
    const page = await browser.context.newPage();
    await page.setContent("<textarea></textarea>");
    await page.locator("textarea").click();
    await page.keyboard.type(text);
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Control+C");
    await page.close();
  }

  /** Makes a vault and uses it in every way that has to do with secrets. Returns those that the page made. */
  async function use(visitor: Visitor): Promise<string[]> {
    const { page } = visitor;
    await page.getByRole("radio", { name: "Create" }).check();
    await visitor.field("Name of the vault").fill("team");
    await type(page, visitor.field("Passphrase"), TYPED.passphrase);
    await type(page, visitor.field("The same passphrase again"), TYPED.passphrase);
    await page.getByText("What a guess costs").click();
    await page.getByRole("combobox", { name: "Memory and time" }).selectOption({ index: 2 });
    await visitor.button("Create the vault").click();
    await visitor.button("Create the first connector").click();
    await visitor.field("Name").fill("Payments 71");
    await visitor.field("Type").fill("Bank");
    await visitor.field("Id").fill("payments71Id");
    await visitor.field("Name of property 1").fill("Key71");
    await type(page, visitor.field("Value of Key71"), TYPED.old);
    await visitor.button("Create connector").click();
    await visitor.told("payments71Id is at version 1.");
    await visitor.reveal("Key71");
    await visitor.button("Copy Key71").click();
    await visitor.told("Copied");
    await visitor.button("Edit").click();
    await visitor.button("Change Key71").click();
    await visitor.field("Value of Key71").click();
    await page.keyboard.press("Control+A");
    await page.keyboard.type(TYPED.edited);
    await visitor.button("Save changes").click();
    await visitor.told("payments71Id is at version 2.");

    await visitor.button("Update").last().click();
    await write(visitor, TYPED.grid, TYPED.json, TYPED.token);
    await copied(`PASTED=${TYPED.pasted}\nOTHER=x`);
    await page.bringToFront();
    await page.getByRole("textbox", { name: "Name 2", exact: true }).click();
    await page.keyboard.press("Control+V");
    await visitor.told("2 properties pasted");
    await visitor.planned("Version 2 becomes 3: 1 changed, 4 added");
    await visitor.plan.getByRole("button", { name: "Reveal Key71" }).click();
    await visitor.button("Undo").click();
    await visitor.planned("Version 2 becomes 3: 1 changed, 2 added");
    await visitor.run("Payments 71 is at version 3.");
    await visitor.button("History").click();
    await visitor.button("Values version 1").click();
    await visitor.button("Reveal Key71").click();
    await page.getByText(/^old-/).waitFor();

    await visitor.goTo("Grants");
    await visitor.field("Label").fill("designer");
    await type(page, visitor.field("New passphrase").first(), TYPED.viewer);
    await type(page, visitor.field("The same passphrase again").first(), TYPED.viewer);
    await visitor.button("Grant").click();
    await visitor.told("designer is viewer now.");
    await visitor.field("Label").fill("rotation");
    await page.getByRole("radio", { name: "New identity" }).check();
    await visitor.button("Grant").click();
    await visitor.button("Reveal the identity").click();
    const identity = await page.getByText(/^cvault-identity-1[0-9a-z]{58}$/).innerText();
    await visitor.button("I have kept it").click();
    return [identity];
  }

  /** Writes an action, and leaves it there. */
  async function write(visitor: Visitor, grid: string, json: string, token: string): Promise<void> {
    const { page } = visitor;
    await page.getByRole("textbox", { name: "Name 1", exact: true }).click();
    await page.keyboard.type("Key71");
    await page.keyboard.press("Tab");
    await page.keyboard.type(grid);
    await visitor.json.click();
    await page.keyboard.type(`{ "Json": "${json}", "Token": "[Secrets:Key]`);
    await page.keyboard.press("Escape");
    await type(page, visitor.field("Secrets:Key"), token);
  }

  /** Leaves much undone when the vault is locked. */
  async function leave(visitor: Visitor): Promise<void> {
    const { page } = visitor;
    await visitor.goTo("Update");
    await visitor.button("Paste an action").click();
    await page.keyboard.type(
      `{"ActionType":"Connectors.Update","Parameters":{"EntryId":"payments71Id","PropertiesJson":"{\\"A\\":\\"${TYPED.pastedAction}\\"}"}}`,
    );
    await visitor.button("Put it into the form").click();
    await visitor.planned("1 added");
    await page.getByText("Show its JSON").click();
    await visitor.goTo("Grants");
    await type(page, visitor.field("New passphrase").last(), TYPED.unsent);
    await visitor.goTo("Update");
    await visitor.button("Start anew").click();
    await visitor.pick("paym", "Payments 71");
    await write(visitor, TYPED.draftGrid, TYPED.draftJson, TYPED.draftToken);
    await visitor.planned("Version 3 becomes 4");
    await visitor.plan.getByRole("button", { name: "Reveal Key71" }).click();
    await visitor.planned(/^draftgrid-/);
  }

  /** What the search has to find before it can be believed that there is nothing. */
  async function assertFinds(memory: Memory, page: Page): Promise<void> {
    const written = [TYPED.draftGrid, TYPED.draftJson, TYPED.draftToken];
    const heap = await memory.inHeap(written);
    for (const text of written) {
      assert.ok(
        heap.some((found) => found.startsWith(text)),
        `${text} is in the heap`,
      );
    }
    assert.deepEqual(await memory.inWasm(written), written);
    // Nothing of it has to be in one at this moment.
    await page.evaluate(() => Object.assign(globalThis, { planted: new TextEncoder().encode("planted") }));
    assert.deepEqual(await memory.inBuffers(["planted"]), ["planted"]);
    assert.ok((await findInDom(page, written)).length >= 3);
  }

  async function assertKnowsNothing(
    memory: Memory,
    page: Page,
    secrets: readonly string[],
    said: readonly string[],
  ): Promise<void> {
    assert.deepEqual(await memory.inHeap(secrets), [], "in JavaScript's memory");
    assert.deepEqual(await memory.inWasm(secrets), [], "in the memory of the module");
    assert.deepEqual(await memory.inBuffers(secrets), [], "in buffers");
    const stored = await everythingStored(page);
    assert.match(stored, /connector-vault/, "what the page stores was read");
    const told = [...said, page.url()].join("\n");
    for (const text of secrets) {
      assert.ok(!stored.includes(text), `${text} is stored`);
      assert.ok(!told.includes(text), `${text} was told`);
    }
    for (const name of NAMES) assert.ok(!stored.includes(name), `${name} is stored`);
    assert.deepEqual(await findInDom(page, [...secrets, ...NAMES]), [], "in the page");
  }

  test("are gone when the vault is locked", async () => {
    const { visitor, memory, said } = await searched();
    const made = await use(visitor);
    await leave(visitor);
    await assertFinds(memory, visitor.page);
    await visitor.lock();
    await assertKnowsNothing(memory, visitor.page, [...Object.values(TYPED), ...made], said);
  });

  test("are gone when nobody uses the vault", async () => {
    const { visitor, memory, said } = await searched();
    const { page } = visitor;
    await page.getByRole("radio", { name: "team" }).check();
    await type(page, visitor.field("Passphrase"), TYPED.passphrase);
    await page.keyboard.press("Enter");
    await visitor.show("Payments 71");
    await visitor.reveal("Key71");
    await leave(visitor);
    await assertFinds(memory, page);
    await letPass(page, { minutes: 5, seconds: 1 });
    await page.getByText("Locked, because nobody used the vault for a while.").waitFor();
    await assertKnowsNothing(memory, page, Object.values(TYPED), said);
  });

  test("of a URL and of a service are gone, too", async () => {
    await ready();
    const identity = Identity.generate();
    const storage = new MemoryStorage();
    const { head } = await Vault.create(storage, { identity, cost: COST });
    site.files.set("/service.cvault", bytesOf(storage));
    const { visitor, memory, said } = await searched();
    const { page } = visitor;
    await visitor.choosePlace("A URL");
    const url = `${site.origin.replace("//", `//me:${TYPED.url}@`)}/service.cvault`;
    await type(page, visitor.field("URL"), url);
    await page.getByRole("radio", { name: "Identity" }).check();
    await type(page, visitor.field("Identity"), identity.toText());
    await type(page, visitor.field("Vault id"), head.vaultId);
    const credentials = Buffer.from(`me:${TYPED.url}`).toString("base64");
    assert.notDeepEqual(await memory.inHeap([TYPED.url]), [], "what will be sent is found");
    const [request] = await Promise.all([page.waitForRequest(/service/), page.keyboard.press("Enter")]);
    assert.equal((await request.allHeaders())["authorization"], `Basic ${credentials}`);
    await visitor.heading("There are no connectors yet").waitFor();
    await visitor.lock();
    await assertKnowsNothing(memory, page, [TYPED.url, credentials, identity.toText()], said);
  });
});

/** All that the site keeps in the browser, as text: bytes are characters of Latin-1. */
async function everythingStored(page: Page): Promise<string> {
  return await page.evaluate(async () => {
    const parts: string[] = [JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state])];
    parts.push(document.cookie, window.name, document.title, location.href);
    const textOf = (value: unknown): string => {
      if (value instanceof ArrayBuffer) return textOf(new Uint8Array(value));
      if (ArrayBuffer.isView(value)) {
        const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
        return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
      }
      if (typeof value !== "object" || value === null) return String(value);
      return Object.entries(value)
        .map(([name, part]) => `${name}: ${textOf(part)}`)
        .join("\n");
    };
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    for (const { name = "" } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name));
      parts.push(name);
      for (const store of database.objectStoreNames) {
        const objects = database.transaction(store).objectStore(store);
        parts.push(store, textOf(await done(objects.getAllKeys())), textOf(await done(objects.getAll())));
      }
      database.close();
    }
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const response = await cache.match(request);
        parts.push(name, request.url, textOf(await response?.arrayBuffer()));
      }
    }
    return parts.join("\n");
  });
}
