/** Vaults at other places than this browser while others work on them: a server with ETags, a service's identity. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { HttpStorage, Vault, type Action } from "connector-vault";

import { Chromium } from "../../bindings/js/test/browser/chromium.js";
import { ByteServer } from "../../bindings/js/test/storage/byte-server.js";
import { PASSPHRASE, Visitor, bytesOf, vaultInNode } from "./journey.js";
import { servePage } from "./site.js";

const PATH = "/team/v.cvault";

/** What somebody else does. */
const UPDATE: Action = {
  ActionType: "Connectors.Update",
  Parameters: {
    EntryId: "oauthConnectorId",
    Properties: [{ PropertyName: "AccessToken", PropertyValue: "from the program" }],
  },
};

test("at a URL of a permitted origin: what others wrote is seen, and never overwritten", async (t) => {
  const server = await ByteServer.start(t);
  const site = await servePage(t, [server.origin]);
  server.permits = { origin: site.origin, headers: "etag" };
  const { storage } = await vaultInNode();
  server.files.set(PATH, bytesOf(storage));
  const browser = await Chromium.launch(t);
  const visitor = await Visitor.at(browser.context, site.origin);
  await visitor.openAt(server.origin + PATH);

  await visitor.goTo("Update");
  await visitor.pick("twit", "Twitter API");
  await visitor.setRow(1, "APIKey", "from the page");
  await visitor.planned("Version 1 becomes 2");

  // Somebody else is faster, when what the page writes is on its way already.
  const other = await Vault.open(new HttpStorage(server.origin + PATH), { passphrase: PASSPHRASE });
  server.took();
  server.before = async ({ method }) => {
    if (method !== "PUT") return;
    server.before = () => undefined;
    await other.run(UPDATE);
  };
  await visitor.run("Twitter API is at version 2.");
  const puts = server.took().filter((request) => request.startsWith("PUT"));
  assert.deepEqual(puts.sort(), ["PUT 204", "PUT 204", "PUT 412"]);
  await other.refresh();
  assert.equal((await other.read("twitterConnectorId")).properties["APIKey"], "from the page");
  await visitor.show("OAuth");
  assert.equal(await visitor.reveal("AccessToken"), "from the program");

  await visitor.lock();
  await visitor.unlock();
  await visitor.show("Twitter API");
  assert.equal(await visitor.reveal("APIKey"), "from the page");
  browser.assertNoProblems(/412/);
});

test("the identity of a service is made here, and opens the vault", async (t) => {
  const site = await servePage(t);
  const browser = await Chromium.launch(t);
  const visitor = await Visitor.at(browser.context, site.origin);
  await visitor.create("team");
  await visitor.createConnector("mail", "Outgoing mail", "SMTP", ["Password", "mail-password"]);
  await visitor.goTo("Grants");
  await visitor.field("Label").fill("rotation");
  await visitor.page.getByRole("combobox", { name: "Role" }).selectOption("updater");
  await visitor.page.getByRole("radio", { name: "New identity" }).check();
  await visitor.button("Grant").click();
  await visitor.button("Reveal the identity").click();
  const identity = await visitor.page.getByText(/^cvault-identity-1[0-9a-z]{58}$/).innerText();
  await visitor.button("I have kept it").click();
  await visitor.lock();

  await visitor.page.getByRole("radio", { name: "Identity" }).check();
  await visitor.field("Identity").fill(identity);
  await visitor.button("Unlock").click();
  await visitor.page.getByText("rotation, updater").waitFor();
  await visitor.show("Outgoing mail");
  await visitor.button("Delete").click();
  await visitor.button("Delete Outgoing mail").click();
  assert.match(await visitor.alert(), /does not permit to delete a connector/);
  browser.assertNoProblems();
});
