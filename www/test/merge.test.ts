/** Merging a copy: what would change is shown first, and nothing changes before the user says so. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Page } from "playwright-core";

import { assertAccessible, inTabs } from "./view-site.js";

suite("merge", () => {
  let page: Page;
  inTabs(async (opened) => {
    page = opened;
    await page.evaluate(() => views.create());
  });

  const show = () => page.evaluate(() => views.show("merge-view"));
  const choose = (name: string, bytes: readonly number[] | string) =>
    page.locator("input[type=file]").setInputFiles({
      name,
      mimeType: "application/octet-stream",
      buffer: Buffer.from(bytes as string),
    });
  const versions = () =>
    page.evaluate(() => views.vault?.connectors().map(({ id, version }) => `${id} ${version}`));

  /** Both copies change `APIKey`; only the other one adds `Scope`. */
  const forked = () =>
    page.evaluate(async () => {
      const bytes = await views.copy(async (copy) => {
        await views.set("twitterConnectorId", "APIKey", "theirs", copy);
        await views.set("oauthConnectorId", "Scope", "theirs", copy);
      });
      await views.set("twitterConnectorId", "APIKey", "ours");
      return bytes;
    });

  test("conflicts are listed, and the core wants a side before it merges", async () => {
    const bytes = await forked();
    await show();
    await choose("laptop.cvault", bytes);
    await page.getByRole("heading", { name: "One conflict" }).waitFor();
    assert.match(
      await page.locator("tbody").first().innerText(),
      /Twitter API\s+APIKey\s+both changed it\s.+ by ada\s.+ by ada\s+not decided/,
    );
    const before = await versions();
    await page.getByRole("button", { name: "Merge" }).click();
    await page.getByRole("alert").filter({ hasText: "whose side wins" }).waitFor();
    assert.deepEqual(await versions(), before, "nothing has changed");
    await assertAccessible(page);

    await page.getByRole("radio", { name: /The copy/ }).check();
    await page.getByRole("row", { name: /both changed it .* the copy's$/ }).waitFor();
    await page.getByRole("row", { name: /Twitter API 2 → 3/ }).waitFor();
    await page.getByRole("button", { name: "Merge" }).click();
    await page.getByRole("heading", { name: "Merged" }).waitFor();
    assert.deepEqual(await page.evaluate(() => views.told), [
      "laptop.cvault was merged: 2 connectors changed.",
    ]);
    assert.deepEqual(
      await page.evaluate(async () => (await views.vault?.read("twitterConnectorId"))?.properties["APIKey"]),
      "theirs",
    );
    await assertAccessible(page);
  });

  test("this vault's side may win, too", async () => {
    const bytes = await forked();
    await show();
    await choose("laptop.cvault", bytes);
    await page.getByRole("radio", { name: /This vault/ }).check();
    await page.getByRole("button", { name: "Merge" }).click();
    await page.getByRole("heading", { name: "Merged" }).waitFor();
    assert.deepEqual(await versions(), ["oauthConnectorId 2", "twitterConnectorId 2"]);
  });

  test("what the copy deleted and made is told", async () => {
    const bytes = await page.evaluate(() =>
      views.copy(async (copy) => {
        await copy.deleteConnector("oauthConnectorId");
        await copy.createConnector({ id: "new", name: "New", type: "Test", properties: { Key: "s3cret" } });
        await views.set("twitterConnectorId", "APIKey", "theirs", copy);
      }),
    );
    await show();
    await choose("laptop.cvault", bytes);
    await page.getByRole("row", { name: /^OAuth 1 → 2 deleted$/ }).waitFor();
    await page.getByRole("row", { name: /^new new Key added$/ }).waitFor();
    await page.getByRole("row", { name: /^Twitter API 1 → 2 APIKey changed$/ }).waitFor();
    await page.getByRole("button", { name: "Merge" }).click();
    await page.getByRole("heading", { name: "Merged" }).waitFor();
    assert.deepEqual(await versions(), ["new 1", "twitterConnectorId 2"]);
  });

  test("what a revoked grant wrote needs consent", async () => {
    const bytes = await page.evaluate(async () => {
      await views.grant("mallory", "updater");
      const storage = new views.MemoryStorage(await views.storage?.read());
      const mallory = await views.Vault.open(storage, { grant: "mallory", passphrase: "another horse" });
      await views.set("twitterConnectorId", "APIKey", "evil", mallory);
      await views.vault?.revoke("mallory");
      return [...(await storage.read())];
    });
    await show();
    await choose("mallory.cvault", bytes);
    await page.getByRole("heading", { name: "Signed by grants" }).waitFor();
    await page.getByRole("button", { name: "Merge" }).click();
    await page.getByRole("alert").filter({ hasText: "the other copy was changed by the grant" }).waitFor();
    await page.getByRole("checkbox", { name: "Take over" }).check();
    await page.getByRole("button", { name: "Merge" }).click();
    await page.getByRole("heading", { name: "Merged" }).waitFor();
  });

  test("another vault, no vault, and the same vault", async () => {
    const { own, other } = await page.evaluate(async () => {
      const own = await views.copy(async () => undefined);
      const { vault, storage } = views;
      await views.create();
      const other = [...((await views.storage?.read()) ?? [])];
      Object.assign(views, { vault, storage });
      return { own, other };
    });
    await show();
    await choose("other.cvault", other);
    await page.getByRole("alert").waitFor();
    const first = await page.getByRole("alert").innerText();
    assert.match(first, /two vaults, not two copies/);
    await choose("letter.txt", "This is a letter and no vault, however long it is.");
    await page.getByRole("alert").filter({ hasText: "no connector vault" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Merge" }).count(), 0);
    await choose("same.cvault", own);
    await page.getByRole("heading", { name: "Nothing to merge" }).waitFor();
    await assertAccessible(page);
  });

  test("a copy that is read late does not take the place of the one that was chosen after it", async () => {
    const bytes = await forked();
    await show();
    await page.evaluate((bytes) => {
      const { arrayBuffer } = File.prototype;
      const late = new Promise<void>((resolve) => addEventListener("late", () => resolve(), { once: true }));
      File.prototype.arrayBuffer = async function (this: File) {
        if (this.name === "late.cvault") await late;
        const result = await arrayBuffer.call(this);
        if (this.name === "late.cvault") document.title = "late";
        return result;
      };
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], "late.cvault"));
      const target = document.querySelector("merge-view")?.shadowRoot?.querySelector("copy-drop");
      target?.shadowRoot
        ?.querySelector("label")
        ?.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
    }, bytes);
    await page.getByRole("heading", { name: "late.cvault" }).waitFor();
    await page.getByText("Reading late.cvault").waitFor();
    const own = await page.evaluate(() => views.copy(async () => undefined));
    await choose("same.cvault", own);
    await page.getByRole("heading", { name: "Nothing to merge" }).waitFor();
    await page.evaluate(() => dispatchEvent(new Event("late")));
    await page.waitForFunction(() => document.title === "late");
    // Comparing it would take this long, and more.
    await page.evaluate(async (bytes) => await views.vault?.planMerge(new Uint8Array(bytes)), bytes);
    await page.getByRole("heading", { name: "Nothing to merge" }).waitFor();
    assert.equal(await page.getByRole("heading", { name: "One conflict" }).count(), 0);
  });

  test("a file that is dropped", async () => {
    const bytes = await forked();
    await show();
    const transfer = await page.evaluateHandle((bytes) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], "dropped.cvault"));
      return transfer;
    }, bytes);
    await page.locator("copy-drop label").dispatchEvent("drop", { dataTransfer: transfer });
    await page.getByRole("heading", { name: "dropped.cvault" }).waitFor();
    await page.getByRole("heading", { name: "One conflict" }).waitFor();
    await page.getByRole("button", { name: "Leave it" }).click();
    await page.getByRole("heading", { name: "The copy" }).waitFor();
  });
});
