/** A vault in memory. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { MemoryStorage } from "../../src/storage/memory.js";
import { contract, Log } from "./contract.js";

for (const { name, run } of contract) {
  test(`memory: ${name}`, async () => {
    const storage = new MemoryStorage();
    await run({ open: () => storage });
  });
}

test("it starts with bytes that were given, and gives them back", async () => {
  const log = Log.random(2);
  const given = log.file();
  const storage = new MemoryStorage(given);
  given.fill(0);
  assert.deepEqual(await storage.read(), log.file());
  storage.bytes?.fill(0);
  assert.deepEqual(storage.bytes, log.file());
  assert.equal(new MemoryStorage().bytes, undefined);
});

test("it is known by the places and heads that were given", () => {
  const heads = {
    get: async () => undefined,
    remember: async () => {},
    forget: async () => {},
    vaultsAt: async () => [],
    placesOf: async () => [],
  };
  const storage = new MemoryStorage(undefined, { places: ["mine"], heads });
  assert.deepEqual(storage.places, ["mine"]);
  assert.equal(storage.heads, heads);
  assert.deepEqual(new MemoryStorage().places, ["memory"]);
});

test("subscribers hear of changes until they end it", async () => {
  const storage = new MemoryStorage();
  const log = Log.random();
  let heard = 0;
  const hear = () => void heard++;
  const [end, endOther] = [storage.subscribe(hear), storage.subscribe(hear)];
  await storage.create(log.file());
  await storage.append(log.add(5), log.knownBefore());
  await assert.rejects(storage.append(log.file(), log.knownBefore()));
  await Promise.resolve();
  assert.equal(heard, 4);
  end();
  end();
  await storage.replace(log.file(), log.known());
  await Promise.resolve();
  assert.equal(heard, 5);
  const last = storage.replace(log.file(), log.known());
  endOther();
  await last;
  assert.equal(heard, 5);
});
