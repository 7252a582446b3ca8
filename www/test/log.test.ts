/** The audit log: read, searched, verified and saved. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import type { Page } from "playwright-core";

import { assertAccessible, inTabs } from "./view-site.js";

suite("audit log", () => {
  let page: Page;
  inTabs(async (opened) => {
    page = opened;
    await page.evaluate(async () => {
      await views.create();
      await views.grant("rotation", "updater");
      await views.set("twitterConnectorId", "APIKey", "s3cret-one");
      await views.openAs("rotation");
      await views.set("oauthConnectorId", "Scope", "s3cret-two");
      await views.openAs("ada", "correct horse");
    });
  });

  const rows = () => page.locator("tbody tr").allInnerTexts();

  test("commits stand newest first, with who did what", async () => {
    await page.evaluate(() => views.show("log-view"));
    await page.getByRole("heading", { name: "3 commits" }).waitFor();
    const [newest = "", middle = "", oldest = ""] = await rows();
    assert.match(newest, /rotation[^]*valid[^]*updated[^]*OAuth[^]*version 2[^]*Scope/);
    assert.match(middle, /ada[^]*updated[^]*Twitter API[^]*APIKey/);
    assert.match(oldest, /no time[^]*snapshot[^]*2 versions/);
    await assertAccessible(page);

    await page.getByRole("button", { name: "OAuth" }).click();
    assert.deepEqual(await page.evaluate(() => views.told), ['{"view":"history","id":"oauthConnectorId"}']);
  });

  test("they are searched by connector and author", async () => {
    await page.evaluate(() => views.show("log-view"));
    await page.getByLabel("Connector").fill("tWitter");
    await page.getByText("2 commits found").waitFor();
    assert.doesNotMatch((await rows()).join(), /Scope/);
    await page.getByLabel("Author").selectOption("rotation");
    await page.getByText("0 commits found").waitFor();
    await page.getByLabel("Connector").fill("");
    await page.getByText("one commit found").waitFor();
    assert.match((await rows()).join(), /Scope/);
  });

  test("many are shown a page at a time", async () => {
    await page.evaluate(async () => {
      for (let count = 0; count < 150; count++) await views.set("oauthConnectorId", "Scope", `${count}`);
      await views.show("log-view");
    });
    await page.getByText("Page 1 of 2").waitFor();
    assert.equal((await rows()).length, 100);
    await page.getByRole("button", { name: "Older" }).click();
    await page.getByText("Page 2 of 2").waitFor();
    assert.equal((await rows()).length, 53);
    assert.ok(await page.getByRole("button", { name: "Older" }).isDisabled());
  });

  test("a change by somebody else is there at once, and ends what was verified", async () => {
    await page.evaluate(() => views.show("log-view"));
    await page.getByRole("button", { name: "Verify everything" }).click();
    await page.getByText("Nothing is wrong.").waitFor();
    assert.match(await page.locator(".verdict").innerText(), /3 commits with 4 versions checked/);
    await assertAccessible(page);
    await page.evaluate(() => views.set("twitterConnectorId", "Timeout", "30s"));
    await page.getByRole("heading", { name: "4 commits" }).waitFor();
    assert.equal(await page.locator(".verdict").count(), 0);
  });

  test("what is wrong with a value is told with its commit", async () => {
    await page.evaluate(() => views.openDamaged());
    await page.evaluate(() => views.show("log-view"));
    await page.getByRole("button", { name: "Verify everything" }).click();
    await page.getByText("Something is wrong with one commit").waitFor();
    assert.match(await page.locator(".verdict li").innerText(), /#\d+: .+/);
    await assertAccessible(page);
  });

  test("the saved log holds names and no value", async () => {
    await page.evaluate(() => views.show("log-view"));
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save as JSON" }).click();
    const text = readFileSync(await (await downloading).path(), "utf8");
    const [, second] = JSON.parse(text) as { records: { changed: string[] }[] }[];
    assert.deepEqual(second?.records[0]?.changed, ["APIKey"]);
    assert.doesNotMatch(text, /s3cret|old_key/);
  });
});
