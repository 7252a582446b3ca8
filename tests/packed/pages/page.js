/** The page of an application, which every bundler takes as it is. The test calls its two functions. */

import { IndexedDbStorage, Vault } from "connector-vault";

const storage = new IndexedDbStorage("team");
const passphrase = "correct horse battery staple";

/** Makes a vault, at the cost that it has by default. */
globalThis.createVault = async () => {
  const vault = await Vault.create(storage, { passphrase });
  await vault.createConnector({
    id: "twitterConnectorId",
    name: "Twitter API",
    type: "Twitter",
    properties: { APIKey: "old_key", Endpoint: "https://api.example" },
  });
  vault.lock();
};

/** Opens it again, updates the connector, and returns its properties. */
globalThis.updateVault = async () => {
  const vault = await Vault.open(storage, { passphrase });
  const action = {
    ActionType: "Connectors.Update",
    Parameters: {
      EntryId: "twitterConnectorId",
      Properties: [{ PropertyName: "APIKey", PropertyValue: "[Secrets:TwitterKey]" }],
    },
  };
  await vault.run(action, { tokens: { "Secrets:TwitterKey": "new_key" } });
  const { properties } = await vault.read("twitterConnectorId");
  vault.lock();
  return properties;
};
