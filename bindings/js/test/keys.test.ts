/** External keys: creating, opening, listing, adding and removing, and what becomes of the caller's bytes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Identity, MemoryStorage, Vault, type KeySlotInfo, type NewOwner } from "../src/index.js";

const bytesOf = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const keyOf = (byte: number) => new Uint8Array(32).fill(byte);
const code = (code: string) => ({ name: "VaultError", code });

async function founded(owner: Partial<NewOwner> = {}): Promise<{ storage: MemoryStorage; vault: Vault }> {
  const storage = new MemoryStorage();
  const key = { key: keyOf(1), hint: bytesOf("one"), label: "ops", ...owner } as NewOwner;
  return { storage, vault: await Vault.create(storage, key) };
}

const hintsOf = (slots: readonly KeySlotInfo[]) =>
  slots.map(({ hint }) => (hint === null ? null : new TextDecoder().decode(hint)));

test("an external key opens a vault, with its hint and without", async () => {
  const { storage, vault } = await founded();
  assert.deepEqual(
    vault.grants().map(({ hasKey, hasPassphrase }) => [hasKey, hasPassphrase]),
    [[true, false]],
  );
  for (const more of [
    {},
    { hint: bytesOf("one") },
    { grant: "ops" },
    { hint: bytesOf("one"), grant: "ops" },
  ]) {
    const opened = await Vault.open(storage, { key: keyOf(1), ...more });
    assert.equal(opened.label, "ops");
    opened.lock();
  }
  for (const [options, expected] of [
    [{ key: keyOf(2) }, "wrong_key"],
    [{ key: keyOf(2), hint: bytesOf("one") }, "wrong_key"],
    [{ key: keyOf(1), hint: bytesOf("two") }, "no_key_slot"],
    [{ key: keyOf(1), grant: "nobody" }, "grant_not_found"],
    [{ passphrase: "correct horse" }, "no_key_slot"],
    [{ key: keyOf(1), passphrase: "correct horse" }, "invalid_argument"],
    [{ key: keyOf(1), identity: Identity.generate() }, "invalid_argument"],
    [{ key: new Uint8Array(31) }, "invalid_argument"],
    [{ key: new Uint8Array(33) }, "invalid_argument"],
    [{ key: "x".repeat(32) }, "invalid_argument"],
  ] as const) {
    const open = Vault.open(storage, options as Parameters<typeof Vault.open>[1]);
    await assert.rejects(open, code(expected), JSON.stringify(options));
  }
  const adopted = await Vault.openOrCreate(storage, { key: keyOf(1) });
  assert.equal(adopted.id, vault.id);
  const elsewhere = new MemoryStorage();
  const created = await Vault.openOrCreate(elsewhere, { key: keyOf(1), hint: bytesOf("new") });
  assert.notEqual(created.id, vault.id);
  assert.deepEqual(hintsOf(await Vault.keySlots(elsewhere)), ["new"]);
});

test("key slots are listed before anything is derived", async () => {
  const { storage, vault } = await founded({
    passphrase: "correct horse",
    cost: { memoryKib: 19_456, passes: 1, lanes: 1 },
  });
  const [byPassphrase, byKey, ...more] = await Vault.keySlots(storage);
  assert.ok(byPassphrase && byKey && more.length === 0);
  const { salt, ...first } = byPassphrase;
  assert.match(salt ?? "", /^[0-9a-f]{32}$/);
  assert.deepEqual(first, {
    grant: vault.grants()[0]?.id,
    label: "ops",
    kind: "passphrase",
    cost: { memoryKib: 19_456, passes: 1, lanes: 1 },
    hint: null,
    prfInput: null,
    broken: null,
  });
  assert.deepEqual([byKey.kind, byKey.cost, byKey.broken], ["key", null, null]);
  assert.deepEqual(byKey.hint, bytesOf("one"));
  assert.equal(byKey.prfInput?.constructor, Uint8Array);
  assert.equal(byKey.prfInput?.length, 32);
  await assert.rejects(Vault.keySlots(storage, { vaultId: "ab".repeat(32) }), code("wrong_vault"));
  await assert.rejects(Vault.keySlots(new MemoryStorage()), code("file_not_found"));
  const frugal = await Vault.keySlots(storage, { vaultId: vault.id, memoryKibMax: 19_455 });
  assert.deepEqual(
    frugal.map(({ broken }) => broken === null),
    [false, true],
  );
  // Every byte of a hint comes back.
  const hint = Uint8Array.from({ length: 2048 }, (_, index) => index);
  await vault.addKey({ key: keyOf(2), hint });
  assert.deepEqual((await Vault.keySlots(storage))[0]?.hint, hint);
  await assert.rejects(vault.addKey({ key: keyOf(2), hint: new Uint8Array(2049) }), code("limit_exceeded"));
});

test("keys are added and removed by themselves, also of others who opened before", async () => {
  const { storage, vault } = await founded();
  await assert.rejects(vault.removeKey({ hint: bytesOf("one") }), code("last_key_slot"));
  const other = await Vault.open(storage, { key: keyOf(1) });
  await other.addKey({ key: keyOf(2), hint: bytesOf("two") });
  await vault.addKey({ key: keyOf(3) });
  assert.deepEqual(hintsOf(await Vault.keySlots(storage)), ["", "two", "one"]);
  await other.removeKey({ hint: bytesOf("one") });
  await assert.rejects(Vault.open(storage, { key: keyOf(1) }), code("wrong_key"));
  const [{ salt } = { salt: null }] = await Vault.keySlots(storage);
  await vault.removeKey({ salt: salt ?? "" });
  await assert.rejects(vault.removeKey({ salt: salt ?? "" }), code("no_key_slot"));
  await assert.rejects(vault.removeKey({} as { hint: Uint8Array }), code("invalid_argument"));
  await assert.rejects(
    vault.removeKey({ hint: bytesOf("two"), salt } as unknown as { hint: Uint8Array }),
    code("invalid_argument"),
  );
  await assert.rejects(vault.removeKey({ salt: "5" }), code("invalid_argument"));
  const opened = await Vault.open(storage, { key: keyOf(2) });
  assert.equal(opened.label, "ops");

  await vault.grant("service", "updater", { externalKey: keyOf(4), hint: bytesOf("of the service") });
  const service = await Vault.open(storage, { key: keyOf(4), hint: bytesOf("of the service") });
  assert.deepEqual([service.label, service.role], ["service", "updater"]);
  await assert.rejects(service.removeKey({ hint: bytesOf("two") }), code("no_key_slot"));
});

test("a passkey answers before its key slot is made", async () => {
  const { storage, vault } = await founded();
  const place = vault.newPasskey();
  assert.equal(place.prfInput.length, 32);
  assert.notDeepEqual(vault.newPasskey(), place);
  const answer = async (input: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", input));
  const hint = bytesOf("id");
  await vault.addKey({ key: await answer(place.prfInput), hint, salt: place.salt });
  const slot = (await Vault.keySlots(storage)).find(({ salt }) => salt === place.salt);
  assert.ok(slot?.prfInput);
  assert.deepEqual(slot.prfInput, place.prfInput);
  const opened = await Vault.open(storage, { key: await answer(slot.prfInput), hint });
  assert.equal(opened.label, "ops");
  const again = vault.addKey({ key: keyOf(9), hint, salt: place.salt });
  await assert.rejects(again, code("invalid_argument"));
});

test("the caller's bytes stay as they are, and may be wiped at once", async () => {
  const shared = new Uint8Array(96).fill(7);
  const key = shared.subarray(32, 64);
  const hint = bytesOf("hint");
  const storage = new MemoryStorage();
  /** Calls, and wipes the key before the call has ended. */
  const wiping = async <T>(call: () => Promise<T>): Promise<T> => {
    key.fill(7);
    hint.set(bytesOf("hint"));
    const result = call();
    key.fill(0);
    hint.fill(0);
    return await result;
  };
  const vault = await wiping(() => Vault.create(storage, { key, hint }));
  assert.deepEqual(hintsOf(await Vault.keySlots(storage)), ["hint"]);
  (await wiping(() => Vault.open(storage, { key, hint }))).lock();
  (await wiping(() => Vault.openOrCreate(new MemoryStorage(), { key, hint }))).lock();
  const out = new MemoryStorage();
  const repaired = await wiping(() => Vault.repair(storage, out, { key, hint }));
  repaired.vault.lock();
  await vault.addKey({ key: keyOf(1), hint: bytesOf("other") });
  await vault.removeKey({ hint: bytesOf("hint") });
  await wiping(() => vault.addKey({ key, hint }));
  await wiping(() => vault.grant("other", "reader", { externalKey: key, hint }));
  assert.deepEqual(hintsOf(await Vault.keySlots(storage)), ["hint", "other", "hint"]);
  await wiping(() => vault.removeKey({ hint }));
  assert.deepEqual(hintsOf(await Vault.keySlots(storage)), ["other", "hint"]);
  assert.equal(shared.buffer.byteLength, 96, "nothing was moved away");
  assert.deepEqual([shared[31], shared[64]], [7, 7]);
});
