/** The update designer: an action is written, its plan seen, and exactly that run. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Page } from "playwright-core";

import { assertAccessible, everythingIn, inTabs } from "./view-site.js";

/** Overrides the grid, names a property that is near to another, and has a token with a default. */
const PASTED = JSON.stringify({
  ActionType: "Connectors.Update",
  Parameters: {
    EntryId: "twitterConnectorId",
    Properties: [{ PropertyName: "APIKey", PropertyValue: "s3cret-literal" }],
    PropertiesJson: '{ "Region": "[Region=eu]" }',
  },
});

suite("update", () => {
  let page: Page;
  inTabs(
    async (opened) => {
      page = opened;
      await page.evaluate(() => views.create());
    },
    ["clipboard-read", "clipboard-write"],
  );

  const show = (id?: string) => page.evaluate((id) => views.show("update-view", id), id);
  const read = (id: string) => page.evaluate(async (id) => (await views.vault?.read(id))?.properties, id);
  const example = () => page.getByRole("button", { name: "Load the documentation's example" }).click();
  const token = (name = "Secrets:TwitterKey") => page.getByRole("textbox", { name, exact: true });
  const run = () => page.getByRole("button", { name: "Run the update" }).click();
  const planned = (text: string) => page.locator("update-plan").getByText(text).waitFor();
  const paste = async (action: string) => {
    await page.getByRole("button", { name: "Paste an action" }).click();
    await page.getByRole("textbox", { name: /^JSON of/ }).fill(action);
    await page.getByRole("button", { name: "Put it into the form" }).click();
  };

  test("the example: its token gets a value, the plan is seen and run", async () => {
    await show();
    await assertAccessible(page);
    await example();
    await planned("has no value");
    await token().fill("n3w-key");
    await planned("Version 1 becomes 2: 1 changed, 1 added");
    await assertAccessible(page);
    await run();
    await page.getByText("Twitter API is at version 2").waitFor();
    assert.deepEqual(await page.evaluate(() => views.told), ["Twitter API is at version 2."]);
    assert.deepEqual(await read("twitterConnectorId"), {
      APIKey: "n3w-key",
      Endpoint: "https://api.example",
      Timeout: "30s",
    });
    assert.equal(await token().inputValue(), "");
    assert.doesNotMatch(await everythingIn(page), /n3w-key/);
    await assertAccessible(page);
    await page.getByRole("button", { name: "History" }).click();
    assert.deepEqual((await page.evaluate(() => views.told)).slice(-1), [
      '{"view":"history","id":"twitterConnectorId"}',
    ]);
  });

  test("the platform's documents run as they are", async () => {
    await show();
    const add = (parameters: object) => ({
      Title: "Add Connector",
      ActionType: "CredStore.AddConnectorEntry",
      Parameters: { TypeName: "Stripe", EntryName: "Stripe", ...parameters },
    });
    const wrapped = (Value: unknown) => ({ Expression: "", Value, IsExpression: false, Parameters: {} });
    const update = (id: string, json: string) => ({
      $_uid: 1,
      Condition: null,
      ActionType: "Connectors.Update",
      Parameters: { EntryId: id, PropertiesJson: json },
    });
    const EntryId = "twitterConnectorId";
    const documents: readonly (readonly [what: object, seen: string, told: string])[] = [
      [
        add({ EntryIdTokenName: "Id", Properties: [] }),
        "A connector would be created",
        "Stripe is at version 1.",
      ],
      [
        add({ PropertiesJson: '{"A": "1"}' }),
        "A connector would be created: 1 added",
        "Stripe is at version 1.",
      ],
      [add({ EntryName: wrapped("Mail") }), "A connector would be created", "Mail is at version 1."],
      [update(EntryId, '{"Timeout": "30s"}'), "1 added", "Twitter API is at version 2."],
      [
        {
          Id: -1,
          Title: "Both",
          ActionType: "ExecuteActions",
          Parameters: {
            ActionList: [
              add({ EntryIdTokenName: "NewId" }),
              update("[NewId]", '{"A": "2"}'),
              update(EntryId, '{"Timeout": "31s"}'),
            ],
          },
        },
        "3 actions, all or none",
        "3 actions were carried out.",
      ],
      [{ ActionType: "CredStore.DeleteEntry", Parameters: { EntryId: "[Doomed]" } }, "", "was deleted."],
    ];
    for (const [document, seen, told] of documents) {
      await paste(JSON.stringify(document, null, 2));
      if (seen === "") {
        await planned("has no value");
        await token("Doomed").fill(EntryId);
        await planned("would be deleted");
      } else {
        await planned(seen);
      }
      await assertAccessible(page);
      await run();
      await page.getByText(told).first().waitFor();
    }
    assert.equal(await read(EntryId).catch(() => "gone"), "gone");
  });

  for (const [how, openAgain] of [
    ["in another tab, which tells", async () => undefined],
    ["elsewhere, which nobody tells", () => page.evaluate(() => views.openUntold())],
  ] as const) {
    test(`what somebody else changes ${how}, is seen before anything is run`, async () => {
      await openAgain();
      await show();
      await example();
      await token().fill("n3w-key");
      await planned("Version 1 becomes 2");
      await page.evaluate(async () => {
        const rival = await views.rival();
        const button = document.querySelector("update-view")?.shadowRoot?.querySelector("button.primary");
        await views.set("twitterConnectorId", "Endpoint", "https://other.example", rival);
        if (button instanceof HTMLElement) button.click();
      });
      await page.getByRole("alert").filter({ hasText: "so nothing was run" }).waitFor();
      await planned("Version 2 becomes 3");
      assert.equal((await read("twitterConnectorId"))?.["APIKey"], "old_key");
      await run();
      await page.getByText("Twitter API is at version 3").waitFor();
      assert.equal((await read("twitterConnectorId"))?.["APIKey"], "n3w-key");
    });
  }

  test("a token's value is pasted as it is, without the end of its only line", async () => {
    await show();
    await example();
    const key = "-----BEGIN KEY-----\nMIIE\n-----END KEY-----\n";
    const windows = key.replaceAll("\n", "\r\n");
    await token().evaluate((field, text) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", text);
      const init = { clipboardData, bubbles: true, composed: true, cancelable: true };
      field.dispatchEvent(new ClipboardEvent("paste", init));
    }, windows);
    // A field loses the carriage returns, the value does not.
    assert.equal(await token().inputValue(), key);
    await planned("becomes");
    await run();
    await page.getByText("Twitter API is at version").waitFor();
    assert.equal((await read("twitterConnectorId"))?.["APIKey"], windows);

    for (const [text, expected] of [
      [key, key],
      ["n3w-key\n", "n3w-key"],
      ["n3w-key\n\n", "n3w-key\n\n"],
    ] as const) {
      await token().fill("before");
      await token().selectText();
      await page.evaluate((text) => navigator.clipboard.writeText(text), text);
      await page.keyboard.press("ControlOrMeta+V");
      assert.equal(await token().inputValue(), expected);
    }
    await page.evaluate(() => views.set("twitterConnectorId", "APIKey", "n3w-key"));
  });

  test("an action is pasted, and what is in clear in it is said where it is copied", async () => {
    await show();
    await paste(PASTED);
    await planned("Version 1 becomes 2");
    await token("Region").waitFor();
    await page.getByText("In clear in this action: APIKey").waitFor();
    assert.doesNotMatch(await page.locator("action-text").innerText(), /s3cret-literal/);
    await page.getByRole("button", { name: "Copy the action" }).click();
    await page.getByText("It is removed from the clipboard").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.deepEqual(JSON.parse(copied), JSON.parse(PASTED));

    // Without values in clear it is no secret.
    await page.getByRole("textbox", { name: "Value 1, APIKey" }).fill("[Secrets:TwitterKey]");
    await page.getByText("In clear in this action").waitFor({ state: "detached" });
    await page.getByText("Show its JSON").click();
    await page.locator("pre").getByText("[Secrets:TwitterKey]").waitFor();
    await assertAccessible(page);
  });

  test("what the form cannot show is told, and nothing of it is run", async () => {
    await show();
    await paste('["no action"]');
    await page.getByText("This form cannot show the action").waitFor();
    await page.getByRole("button", { name: "Start with an empty form" }).click();
    await page.getByRole("button", { name: "Load the documentation's example" }).waitFor();
  });

  test("options: a note, a version that has to be met, null that removes", async () => {
    await show();
    await paste(PASTED.replace("[Region=eu]", "x").replace('\\"x\\"', "null"));
    await planned("null");
    await page.getByText("Options").click();
    await page.getByLabel("in the JSON removes a property").check();
    await planned("Version 1 becomes 2");
    await page.getByLabel("Only if the connector is at version").fill("7");
    await planned("version");
    await run();
    await page.getByText("There is no plan to run").waitFor();
    await page.getByRole("button", { name: "Now at 1: use that" }).click();
    await page.getByLabel("Note").fill("rotation");
    await planned("Version 1 becomes 2");
    await run();
    await page.getByText("Twitter API is at version 2").waitFor();
    assert.equal(await page.evaluate(() => views.vault?.connector("twitterConnectorId").note), "rotation");
    assert.equal(await page.getByLabel("Note").inputValue(), "", "the next run has a note of its own");
  });

  test("a connector is chosen already; what was written stays until the vault is locked", async () => {
    await show("oauthConnectorId");
    await page.getByPlaceholder("Add a property").fill("Scope");
    await page.getByRole("textbox", { name: /^Value 1/ }).fill("s3cret-scope");
    await planned("Version 1 becomes 2: 1 added");
    await page.evaluate(() => views.show("log-view"));
    await show("oauthConnectorId");
    await planned("Version 1 becomes 2: 1 added");
    await show("twitterConnectorId");
    assert.equal(await page.getByRole("textbox", { name: "Value 1, Scope" }).count(), 0);

    await show("oauthConnectorId");
    await page.getByPlaceholder("Add a property").fill("Scope");
    await page.getByRole("textbox", { name: /^Value 1/ }).fill("[Secrets:Scope]");
    await token("Secrets:Scope").fill("s3cret-value");
    await page.evaluate(() => views.vault?.lock());
    await page.getByRole("heading", { name: "Update a connector" }).waitFor({ state: "detached" });
    assert.doesNotMatch(await everythingIn(page), /s3cret|Secrets:Scope|oauthConnectorId/);
  });

  test("tokens are completed: the user's, and those that were used", async () => {
    await show("twitterConnectorId");
    await page.getByText("Tokens that are suggested").click();
    await page.getByRole("textbox", { name: /^Names of your platform/ }).fill("Vault:Billing\nVault:Mail");
    await page.getByPlaceholder("Add a property").fill("Key");
    await page.getByRole("textbox", { name: /^Value 1/ }).pressSequentially("[bill");
    await page.getByRole("option", { name: /Vault:Billing/ }).waitFor();
    await page.keyboard.press("Enter");
    await token("Vault:Billing").waitFor();
  });
});
