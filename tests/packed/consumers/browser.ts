/** A strict page that a bundler takes. */

import { IndexedDbStorage, ready, Vault, VaultChangeEvent, type Plan } from "connector-vault";
import * as slim from "connector-vault/slim";

await ready({ worker: () => new Worker("/connector-vault-worker.js", { type: "module" }) });
await slim.ready({ wasm: fetch("/vault.wasm"), changes: "/changes.wasm" });

const storage = new IndexedDbStorage("team", { heads: null });
const vault = await Vault.create(storage, {
  passphrase: "correct horse battery staple",
  cost: { memoryKib: 65536, passes: 3, lanes: 1 },
});
vault.addEventListener("change", (event) => {
  if (event instanceof VaultChangeEvent && event.origin === "other") console.log(vault.connectors());
});
export const plan: Plan = await vault.plan('{"ActionType": "Connectors.Update"}', {
  tokens: new Map([["Secrets:TwitterKey", "new_key"]]),
});
export const slimVault: Promise<slim.Vault> = slim.Vault.open(new slim.MemoryStorage(), { identity: "" });
