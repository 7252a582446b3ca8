/** Creates, updates and opens again a vault in a file: as an ES module, beside CommonJS. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";

import { Vault, VaultError, tokensOf } from "connector-vault";
import * as node from "connector-vault/node";

const require = createRequire(import.meta.url);
const { FileStorage } = node;

// However it is loaded it is one: an error of the one is an error of the other.
for (const loaded of [node, require("connector-vault"), require("connector-vault/node")]) {
  assert.equal(loaded.VaultError, VaultError);
  assert.equal(loaded.Vault, Vault);
}
assert.deepEqual(Object.keys(require("connector-vault/node")).sort(), Object.keys(node).sort());

const passphrase = "correct horse battery staple";
const vault = await Vault.create(new FileStorage("module.cvault"), { label: "ops", passphrase });
await vault.createConnector({
  id: "twitterConnectorId",
  name: "Twitter API",
  type: "Twitter",
  properties: { APIKey: "old_key", Endpoint: "https://api.example" },
});
const action = {
  ActionType: "Connectors.Update",
  Parameters: {
    EntryId: "twitterConnectorId",
    Properties: [{ PropertyName: "APIKey", PropertyValue: "[Secrets:TwitterKey]" }],
    PropertiesJson: '{ "Timeout": "30s" }',
  },
};
assert.deepEqual(
  tokensOf(action).map(({ key }) => key),
  ["Secrets:TwitterKey"],
);
const outcome = await vault.run(action, { tokens: { "Secrets:TwitterKey": "new_key" } });
assert.equal(outcome.versionAfter, 2);
vault.lock();

const again = await Vault.open(new FileStorage("module.cvault"), { passphrase });
const { properties } = await again.read("twitterConnectorId");
assert.deepEqual(properties, { APIKey: "new_key", Endpoint: "https://api.example", Timeout: "30s" });
await assert.rejects(
  Vault.open(new FileStorage("module.cvault"), { passphrase: "another one" }),
  (error) => error instanceof VaultError && error.code === "wrong_passphrase",
);
// It stays open: nothing of it may keep the process from ending.
console.log("done");
