/** The entry point that is given its WebAssembly module; Node has one inside, should nobody give it. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { Identity, MemoryStorage, ready, Vault, VaultError } from "connector-vault/slim";

const storage = new MemoryStorage();

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
