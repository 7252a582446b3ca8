/** The vault of the example: with a passphrase in this browser, or in memory to try it. */

import { IndexedDbStorage, MemoryStorage, Vault, VaultError } from "connector-vault";

/** The vault of this browser, which is created the first time. */
export async function open(passphrase: string): Promise<Vault> {
  const storage = new IndexedDbStorage("workflow-example");
  try {
    return await Vault.open(storage, { passphrase });
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== "file_not_found") throw error;
  }
  return await withSamples(await Vault.create(storage, { label: "designer", passphrase }));
}

/** A vault that ends with the page. */
export async function demo(): Promise<Vault> {
  const passphrase = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join(
    "-",
  );
  return await withSamples(await Vault.create(new MemoryStorage(), { label: "designer", passphrase }));
}

async function withSamples(vault: Vault): Promise<Vault> {
  await vault.import({
    connectors: [
      {
        id: "twitterConnectorId",
        name: "Twitter API",
        type: "Twitter",
        properties: { APIKey: "old_key", APISecret: "old_secret", Endpoint: "https://api.example" },
      },
      {
        id: "oauthConnectorId",
        name: "Mail",
        type: "OAuth2",
        properties: { ClientId: "designer", RefreshToken: "old_token", Endpoint: "https://mail.example" },
      },
      // Where this host keeps what its token `[Secrets:Name]` stands for.
      { id: "secrets", name: "Secrets of workflows", type: "Secrets", properties: { NewKey: "new_secret" } },
    ],
  });
  return vault;
}
