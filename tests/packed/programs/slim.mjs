/** The entry point without the WebAssembly module inside: what it says without it, and that it works with it. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { Identity, MemoryStorage, ready, Vault, VaultError } from "connector-vault/slim";

const told = (promise) =>
  promise.then(assert.fail, (error) => `${error.code}: ${error.message}; ${error.hint}`);
const storage = new MemoryStorage();

assert.equal(
  await told(Vault.create(storage, { identity: "cvault-identity-1" })),
  "not_ready: nobody has said where the WebAssembly module is; " +
    'connector-vault/slim needs it once: await ready({ wasm: "/vault.wasm" })',
);
assert.throws(
  () => Identity.generate(),
  (error) => error instanceof VaultError && error.code === "not_ready",
);

const bytes = await readFile(fileURLToPath(import.meta.resolve("connector-vault/vault.wasm")));
await ready({ wasm: bytes });
const identity = Identity.generate();
const vault = await Vault.create(storage, { identity });
await vault.createConnector({ name: "C", type: "T" });
assert.equal(vault.size, 1);
console.log("done");
