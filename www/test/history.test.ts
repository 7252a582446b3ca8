/** The history of a connector: seen, and brought back. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Page } from "playwright-core";

import { assertAccessible, inTabs } from "./view-site.js";

suite("history", () => {
  let page: Page;
  inTabs(async (opened) => {
    page = opened;
    await page.evaluate(async () => {
      await views.create();
      await views.set("twitterConnectorId", "APIKey", "n3w-key");
    });
  });

  const show = (id: string) => page.evaluate((id) => views.show("history-view", id), id);

  test("a former version is restored", async () => {
    await show("twitterConnectorId");
    await page.getByRole("button", { name: "Restore version 1" }).click();
    await page.getByRole("button", { name: "Restore as version 3" }).click();
    await page.getByText("Version 3").first().waitFor();
    assert.deepEqual(await page.evaluate(() => views.told), [
      "Version 1 was restored: Twitter API is at version 3.",
    ]);
    await page.getByRole("button", { name: "Connector", exact: true }).click();
    assert.deepEqual((await page.evaluate(() => views.told)).slice(-1), [
      '{"view":"connector","id":"twitterConnectorId"}',
    ]);
    await assertAccessible(page);
  });

  test("a deleted connector is created again", async () => {
    await page.evaluate(async () => views.vault?.deleteConnector("twitterConnectorId"));
    await show("twitterConnectorId");
    await page.getByRole("heading", { name: "History of Twitter API" }).waitFor();
    await page.getByText("is deleted").waitFor();
    await assertAccessible(page);
    await page.getByRole("button", { name: "Undelete it as version 2 had it" }).click();
    await page.getByText("Version 4").waitFor();
    assert.deepEqual(await page.evaluate(() => views.told), ["Twitter API is there again, at version 4."]);
    assert.deepEqual(
      await page.evaluate(async () => (await views.vault?.read("twitterConnectorId"))?.properties),
      { APIKey: "n3w-key", Endpoint: "https://api.example" },
    );
    await page.getByRole("button", { name: "Update", exact: true }).waitFor();
  });

  test("a change elsewhere is there at once, and what never was is told", async () => {
    await show("twitterConnectorId");
    await page.getByText("Version 2").waitFor();
    await page.evaluate(() => views.set("twitterConnectorId", "Timeout", "30s"));
    await page.getByText("Version 3").waitFor();
    await show("nobody");
    await page.getByRole("alert").waitFor();
    await page.getByRole("button", { name: "All connectors" }).waitFor();
  });
});
