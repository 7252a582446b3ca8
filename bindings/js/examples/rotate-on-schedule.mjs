/**
 * Rotates a token on a schedule: asks its provider for a new one and updates the connector, whose id
 * workflows go on using. A service holds an identity with the role `rotator`: it reads no value, it can
 * neither create nor delete, and nobody types a passphrase for it.
 *
 *     cvault identity new --out rotation.identity        # and rotation.identity.pub
 *     cvault grant team.cvault --label rotation --right rotator --to @rotation.identity.pub
 *     CVAULT_IDENTITY="$(grep -v '^#' rotation.identity)" CVAULT_VAULT_ID=... \
 *       node rotate-on-schedule.mjs team.cvault twitterConnectorId https://provider.example/token 3600
 */

import { setTimeout as sleep } from "node:timers/promises";

import { FileStorage, Vault } from "connector-vault/node";

const [path, connector, provider, seconds = "3600"] = process.argv.slice(2);
if (provider === undefined) {
  console.error("usage: rotate-on-schedule.mjs VAULT CONNECTOR PROVIDER-URL [SECONDS]");
  process.exit(2);
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
const { signal } = stop;

const vault = await Vault.open(new FileStorage(path), {
  identity: process.env.CVAULT_IDENTITY,
  vaultId: process.env.CVAULT_VAULT_ID,
});

try {
  while (!signal.aborted) {
    await rotate();
    await sleep(Number(seconds) * 1000, undefined, { signal });
  }
} catch (error) {
  if (!signal.aborted) throw error;
} finally {
  vault.lock();
}

/** One rotation. What fails is tried again the next time: until then the old token stays. */
async function rotate() {
  try {
    const action = {
      ActionType: "Connectors.Update",
      Parameters: {
        EntryId: connector,
        Properties: [{ PropertyName: "AccessToken", PropertyValue: "[Provider:Token]" }],
        PropertiesJson: JSON.stringify({ RotatedAt: new Date().toISOString() }),
      },
    };
    // The token goes from the provider into the vault: the action does not hold it.
    const outcome = await vault.run(action, { tokens: newToken, note: "scheduled rotation", signal });
    console.log(`${outcome.id}: version ${outcome.versionAfter}`);
  } catch (error) {
    if (signal.aborted) throw error;
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
    console.error(`rotation failed: ${error.message}${cause}`);
  }
}

async function newToken(_token, signal) {
  const response = await fetch(provider, { method: "POST", signal });
  if (!response.ok) throw new Error(`the provider answers ${response.status}`);
  return (await response.json()).access_token;
}
