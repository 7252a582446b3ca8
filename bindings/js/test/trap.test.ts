/** A module that has stopped, which no argument can bring about: nothing in it is used again, and its keys are gone. */

import assert from "node:assert/strict";
import { test } from "node:test";

import init, { Vault as CoreVault } from "../pkg/vault.js";
import { Identity, MemoryStorage, ready, Vault } from "../src/index.js";

test("the vault says so and stays locked", async () => {
  await ready();
  const create = async () => {
    const vault = await Vault.create(new MemoryStorage(), { identity: Identity.generate() });
    await vault.createConnector({ id: "x", name: "X", type: "T", properties: { APIKey: "s3cret" } });
    return vault;
  };
  const [vault, other] = [await create(), await create()];
  const events: string[] = [];
  vault.addEventListener("lock", () => events.push("lock"));
  const plan = await vault.planDelete("x");
  const { memory } = await init({ module_or_path: new Uint8Array() });
  const holdsKeys = () => new Uint8Array(memory.buffer).some((byte) => byte !== 0);
  assert.ok(holdsKeys());

  // A number in place of a string makes the glue read beyond the memory.
  const { read } = CoreVault.prototype;
  CoreVault.prototype.read = function () {
    return read.call(this, 5 as unknown as string);
  };
  await assert.rejects(vault.read("x"), { code: "internal", message: /^the WebAssembly module stopped/ });

  assert.equal(vault.isLocked, true);
  assert.deepEqual(events, ["lock"]);
  assert.equal(holdsKeys(), false, "the keys are gone");
  assert.throws(() => vault.has("x"), { code: "locked" });
  await assert.rejects(vault.refresh(), { code: "locked" });
  assert.throws(() => plan.reveal("APIKey"), { code: "invalid_argument" });
  vault.lock();

  // Its keys were in the same memory.
  assert.equal(other.isLocked, true);
  await assert.rejects(other.read("x"), { code: "locked" });
  assert.throws(() => Identity.generate(), { code: "internal", hint: /start the program again/ });
  await assert.rejects(create(), { code: "internal" });
});
