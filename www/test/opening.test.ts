/** Opening and creating vaults: every place, and what the page says when it does not work. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";

import { Identity, MemoryStorage, Vault, ready } from "connector-vault";
import type { Page } from "playwright-core";

import { Chromium, Suite, until, type Site } from "../../bindings/js/test/browser/chromium.js";
import { servePage } from "./site.js";

const cost = { memoryKib: 19_456, passes: 1, lanes: 1 };
const passphrase = "correct horse battery staple";

describe("opening in Chromium", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    site = await servePage(suite);
    browser = await Chromium.launch(suite);
  });

  afterEach(async () => {
    await browser.closeTabs();
    // Chromium tells of each 404.
    browser.assertNoProblems(/Failed to load resource/);
  });

  after(suite.end);

  /** A vault with one connector, and its storage. */
  async function vaultWith(owner: { passphrase?: string; identity?: Identity } = { passphrase }) {
    const storage = new MemoryStorage();
    const vault = await Vault.create(storage, { ...owner, cost });
    await vault.createConnector({
      id: "a",
      name: "First",
      type: "Test",
      properties: { Key: "stored-value" },
    });
    return { storage, vault };
  }

  /** Puts the bytes of a vault where the site serves them. */
  function serveVault(path: string, storage: MemoryStorage) {
    site.files.set(path, storage.bytes ?? new Uint8Array());
  }

  async function atUrl(url: string): Promise<Page> {
    const page = await browser.open(site.origin);
    await page.getByRole("radio", { name: "Open" }).check();
    await page.getByRole("radio", { name: "A URL" }).check();
    await page.getByRole("textbox", { name: "URL" }).fill(url);
    return page;
  }

  async function unlock(page: Page, secret = passphrase) {
    await page.getByRole("textbox", { name: "Passphrase" }).fill(secret);
    await page.getByRole("button", { name: "Unlock" }).click();
  }

  const isOpen = (page: Page) => page.getByRole("option", { name: /First/ }).waitFor();
  const alertOf = (page: Page) => page.getByRole("alert").innerText();

  test("at a URL: user and password are split off, and go to the server alone", async () => {
    const { storage } = await vaultWith();
    serveVault("/team.cvault", storage);
    const page = await atUrl(`${site.origin.replace("//", "//me:s3cret@")}/team.cvault?key=s3cret`);
    const [request] = await Promise.all([page.waitForRequest(/team/), unlock(page)]);
    assert.equal((await request.allHeaders())["authorization"], `Basic ${btoa("me:s3cret")}`);
    await isOpen(page);
    assert.equal((await page.content()).includes("s3cret"), false);
    await page.getByRole("button", { name: "Lock" }).click();
    assert.equal(await page.getByRole("textbox", { name: "URL" }).inputValue(), `${site.origin}/team.cvault`);
    const [plain] = await Promise.all([page.waitForRequest(/team/), unlock(page)]);
    assert.equal((await plain.allHeaders())["authorization"], undefined);
  });

  test("a URL that the page may not ask is refused before any request", async () => {
    const page = await atUrl("https://files.example/team.cvault");
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await unlock(page);
    assert.match(await alertOf(page), /may not connect to https:\/\/files.example.*CONNECTOR_VAULT_ORIGINS/s);
    assert.deepEqual(requests, []);
  });

  test("what is no URL is said to be none", async () => {
    const page = await atUrl("https://[");
    await unlock(page);
    assert.match(await alertOf(page), /no URL/);
  });

  test("a vault that is not there: it can be created there", async () => {
    const page = await atUrl(`${site.origin}/missing.cvault`);
    await unlock(page);
    assert.match(await alertOf(page), /There is no vault at/);
    await page.getByRole("button", { name: "Create a vault there" }).click();
    await page.getByRole("button", { name: "Create the vault" }).waitFor();
    assert.equal(
      await page.getByRole("textbox", { name: "URL" }).inputValue(),
      `${site.origin}/missing.cvault`,
    );
  });

  test("what is no vault is said to be none", async () => {
    site.files.set("/other.cvault", "something else");
    const page = await atUrl(`${site.origin}/other.cvault`);
    await unlock(page);
    assert.match(await alertOf(page), /no connector vault/);
  });

  test("an older state is opened only on purpose", async () => {
    const { storage, vault } = await vaultWith();
    const before = storage.bytes;
    await vault.deleteConnector("a");
    await vault.createConnector({ id: "b", name: "First again", type: "Test" });
    serveVault("/older.cvault", storage);
    const page = await atUrl(`${site.origin}/older.cvault`);
    await unlock(page);
    await isOpen(page);
    await page.getByRole("button", { name: "Lock" }).click();
    site.files.set("/older.cvault", before ?? "");
    await unlock(page);
    await page.getByText("Somebody may have put an old copy in its place").waitFor();
    assert.equal(await page.getByRole("option").count(), 0);
    await page.getByRole("button", { name: "Open it nevertheless" }).click();
    await isOpen(page);
    await page.getByRole("button", { name: "Lock" }).click();
    await unlock(page);
    await isOpen(page);
  });

  test("another vault at a known place is opened only on purpose", async () => {
    const [first, second] = [await vaultWith(), await vaultWith()];
    serveVault("/replaced.cvault", first.storage);
    const page = await atUrl(`${site.origin}/replaced.cvault`);
    await unlock(page);
    await isOpen(page);
    await page.getByRole("button", { name: "Lock" }).click();
    serveVault("/replaced.cvault", second.storage);
    await unlock(page);
    await page.getByText("Somebody may have put one of their own there").waitFor();
    assert.equal(await page.getByRole("option").count(), 0);
    await page.getByRole("button", { name: "Open it nevertheless" }).click();
    await isOpen(page);
    await page.getByRole("button", { name: "Lock" }).click();
    await unlock(page);
    await isOpen(page);
  });

  test("an identity: mistyped, without the vault's id, with it", async () => {
    await ready();
    const identity = Identity.generate();
    const { storage, vault } = await vaultWith({ identity });
    serveVault("/service.cvault", storage);
    const page = await atUrl(`${site.origin}/service.cvault`);
    await page.getByRole("radio", { name: "Identity" }).check();
    const field = page.getByRole("textbox", { name: "Identity" });
    await field.fill(identity.toText().slice(0, -1));
    await field.press("Enter");
    assert.match(await alertOf(page), /identity|checksum/i);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    await field.fill(identity.toText());
    await field.press("Enter");
    assert.match(await alertOf(page), /id/);
    const id = page.getByRole("textbox", { name: "Vault id" });
    assert.equal(await id.getAttribute("aria-invalid"), "true");
    await page.keyboard.type(vault.head.vaultId);
    await page.keyboard.press("Enter");
    await isOpen(page);
  });

  test("unlocking is given up", async () => {
    const { storage } = await vaultWith();
    serveVault("/slow.cvault", storage);
    const page = await atUrl(`${site.origin}/slow.cvault`);
    let answer = () => {};
    await page.route("**/slow.cvault", (route) => {
      answer = () => void route.continue();
    });
    await unlock(page);
    await page
      .getByText(/by design/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Unlock" }).waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
    answer();
    await page.unroute("**/slow.cvault");
    await unlock(page);
    await isOpen(page);
  });

  test("Enter that is pressed twice unlocks, and does not cancel", async () => {
    const { storage } = await vaultWith();
    serveVault("/twice.cvault", storage);
    const page = await atUrl(`${site.origin}/twice.cvault`);
    let answer: (() => void) | undefined;
    await page.route("**/twice.cvault", (route) => {
      answer = () => void route.continue();
    });
    await page.getByRole("textbox", { name: "Passphrase" }).fill(passphrase);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Cancel" }).waitFor();
    await page.keyboard.press("Enter");
    await until(async () => answer !== undefined, true);
    answer?.();
    await isOpen(page);
  });

  test("a viewer sees names; values are refused by the core", async () => {
    const { storage, vault } = await vaultWith();
    await vault.grant("designer", "viewer", { passphrase: "viewer's passphrase", cost });
    serveVault("/viewer.cvault", storage);
    const page = await atUrl(`${site.origin}/viewer.cvault`);
    await unlock(page, "viewer's passphrase");
    await page.getByRole("option", { name: /First/ }).click();
    await page.getByRole("button", { name: "Reveal Key" }).click();
    assert.match(await alertOf(page), /The grant .designer. does not permit to read values/);
    assert.equal((await page.content()).includes("stored-value"), false);
  });

  test("in this browser: created with a suggested passphrase, and listed from then on", async () => {
    const page = await browser.open(site.origin);
    await page.getByRole("radio", { name: "Create" }).check();
    await page.getByRole("textbox", { name: "Name of the vault" }).fill("team");
    await page.getByRole("button", { name: "Suggest a passphrase" }).click();
    const field = page.getByRole("textbox", { name: "Passphrase", exact: true });
    const suggested = await field.inputValue();
    assert.match(suggested, /^[0-9a-z]{5}(-[0-9a-z]{5}){4}$/);
    await page.getByRole("textbox", { name: "The same passphrase again" }).fill("another");
    await page.getByRole("button", { name: "Create the vault" }).click();
    assert.match(await alertOf(page), /differ/);
    await page.getByRole("textbox", { name: "The same passphrase again" }).fill(suggested);
    await page.getByText("What a guess costs").click();
    await page.getByRole("combobox").selectOption({ index: 2 });
    await page.getByRole("button", { name: "Create the vault" }).click();
    await page.getByRole("heading", { name: "There are no connectors yet" }).waitFor();

    await page.reload();
    await page.getByRole("radio", { name: "team" }).check();
    await unlock(page, suggested);
    await page.getByRole("heading", { name: "There are no connectors yet" }).waitFor();

    await page.reload();
    await page.getByRole("radio", { name: "Create" }).check();
    await page.getByRole("textbox", { name: "Name of the vault" }).fill("team");
    await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill(suggested);
    await page.getByRole("textbox", { name: "The same passphrase again" }).fill(suggested);
    await page.getByRole("button", { name: "Create the vault" }).click();
    assert.match(await alertOf(page), /exists already/);
    await page.getByRole("button", { name: "Open it instead" }).click();
    assert.equal(await page.getByRole("radio", { name: "team" }).isChecked(), true);
  });

  test("in a file that the browser writes in place", async () => {
    const { storage } = await vaultWith();
    const page = await browser.open(site.origin);
    await page.evaluate(
      async (bytes) => {
        const folder = await navigator.storage.getDirectory();
        const handle = await folder.getFileHandle("team.cvault", { create: true });
        const stream = await handle.createWritable();
        await stream.write(Uint8Array.from(bytes));
        await stream.close();
        Object.assign(globalThis, { showOpenFilePicker: async () => [handle] });
      },
      [...(storage.bytes ?? [])],
    );
    await page.getByRole("radio", { name: "Open" }).check();
    await page.getByRole("radio", { name: "A file" }).check();
    await page.getByRole("button", { name: "Choose a file" }).click();
    await page.getByText("team.cvault").waitFor();
    await unlock(page);
    await isOpen(page);
    await page.getByRole("option", { name: /First/ }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete First" }).click();
    await page.getByText("a was deleted").waitFor();
    const bytes = await page.evaluate(async () => {
      const handle = await (await navigator.storage.getDirectory()).getFileHandle("team.cvault");
      return [...new Uint8Array(await (await handle.getFile()).arrayBuffer())];
    });
    const reopened = await Vault.open(new MemoryStorage(Uint8Array.from(bytes)), { passphrase });
    assert.equal(reopened.size, 0);
  });

  test("an uploaded file: what changes is downloaded, and not lost by locking", async () => {
    const { storage } = await vaultWith();
    const page = await browser.context.newPage();
    await page.addInitScript(() => {
      for (const name of ["showOpenFilePicker", "showSaveFilePicker"])
        Reflect.deleteProperty(globalThis, name);
    });
    await page.goto(site.origin);
    await page.getByRole("radio", { name: "Open" }).check();
    await page.getByRole("radio", { name: "A file" }).check();
    const buffer = Buffer.from(storage.bytes ?? []);
    await page
      .getByLabel("Vault file")
      .setInputFiles({ name: "team.cvault", mimeType: "application/octet-stream", buffer });
    await unlock(page);
    await isOpen(page);
    assert.equal(await page.getByText("in this tab alone").count(), 0);
    await page.getByRole("option", { name: /First/ }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete First" }).click();
    await page.getByText("in this tab alone").waitFor();

    await page.getByRole("button", { name: "Lock" }).click();
    await page.getByText("in this tab alone").waitFor();
    await unlock(page);
    await page.getByRole("heading", { name: "There are no connectors yet" }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download the changed vault" }).click(),
    ]);
    assert.equal(download.suggestedFilename(), "team.cvault");
    const reopened = await Vault.open(new MemoryStorage(readFileSync(await download.path())), { passphrase });
    assert.equal(reopened.size, 0);
    assert.equal(await page.getByText("in this tab alone").count(), 0);
  });

  test("a new file that is downloaded has the name that its field shows", async () => {
    const page = await browser.context.newPage();
    await page.addInitScript(() => {
      for (const name of ["showOpenFilePicker", "showSaveFilePicker"])
        Reflect.deleteProperty(globalThis, name);
    });
    await page.goto(site.origin);
    await page.getByRole("radio", { name: "Create" }).check();
    await page.getByRole("radio", { name: "A file" }).check();
    assert.equal(await page.getByPlaceholder("team.cvault").inputValue(), "");
    await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill(passphrase);
    await page.getByRole("textbox", { name: "The same passphrase again" }).fill(passphrase);
    await page.getByText("What a guess costs").click();
    await page.getByRole("combobox").selectOption({ index: 2 });
    await page.getByRole("button", { name: "Create the vault" }).click();
    await page.getByText("team.cvault has changes that are in this tab alone").waitFor();
  });

  test("a page that nothing is open in says not that it is locked", async () => {
    const page = await browser.open(site.origin);
    await page.getByRole("button", { name: "Try it" }).waitFor();
    await page.keyboard.press("Control+Shift+L");
    // What is told would be seen until then.
    await page.getByRole("radio", { name: "A URL" }).check();
    await page.getByRole("textbox", { name: "URL" }).waitFor();
    assert.equal(await page.getByText("Locked.").count(), 0);
  });
});
