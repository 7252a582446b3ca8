/** Vaults in files: what the file system does to them, and what is said of it. */

import assert from "node:assert/strict";
import { linkSync, readdirSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { FileKnownHeads, FileStorage, Identity, ready, Vault } from "../../src/node.js";
import { failsWith, instead, sandbox, systemError } from "./sandbox.js";

const linux = { skip: process.platform !== "linux" };

async function example(t: TestContext) {
  const dir = sandbox(t);
  const warnings: string[] = [];
  const heads = new FileKnownHeads(join(dir, "state"));
  const storage = new FileStorage(join(dir, "v"), { heads, onWarning: ({ code }) => warnings.push(code) });
  await ready();
  const identity = Identity.generate();
  const vault = await Vault.create(storage, { label: "ops", identity });
  await vault.createConnector({ id: "x", name: "X", type: "T", properties: { Key: "old" } });
  return { dir, storage, heads, vault, warnings, options: { identity, vaultId: vault.head.vaultId } };
}

function update(vault: Vault, value: string) {
  const Properties = [{ PropertyName: "Key", PropertyValue: value }];
  return vault.run({ ActionType: "Connectors.Update", Parameters: { EntryId: "x", Properties } });
}

/** Updates the vault until a warning comes, as a compaction that happens by itself may give it. */
async function untilWarned(vault: Vault, warnings: string[]): Promise<void> {
  for (let number = 0; warnings.length === 0; number++) {
    assert.ok(number < 50, "no compaction");
    await update(vault, `${number}${"b".repeat(60_000)}`);
  }
}

test("a vault with other names is not compacted, and says so", linux, async (t) => {
  const { dir, storage, vault, warnings } = await example(t);
  linkSync(storage.path, join(dir, "other"));
  const { ino } = statSync(storage.path);
  for (let number = 0; number < 30; number++) await update(vault, `${number}${"b".repeat(60_000)}`);
  assert.deepEqual(warnings, ["other_names"]);
  await assert.rejects(vault.compact(), failsWith("other_names"));
  assert.equal(statSync(storage.path).ino, ino);
  unlinkSync(join(dir, "other"));
  await update(vault, "new");
  assert.notEqual(statSync(storage.path).ino, ino, "now it is compacted");
  assert.equal((await vault.read("x")).properties["Key"], "new");
});

test("a compaction that may not last is a warning of the change", linux, async (t) => {
  const { storage, vault, warnings, options } = await example(t);
  const { ino } = statSync(storage.path);
  instead(t, "fsync", (fsync) => (file: number, done: (error: Error | null) => void) => {
    if (statSync(`/proc/self/fd/${file}`).isDirectory()) done(systemError("EIO", -5));
    else fsync(file, done);
  });
  await untilWarned(vault, warnings);
  assert.deepEqual(warnings, ["not_durable"]);
  assert.notEqual(statSync(storage.path).ino, ino, "the compacted file stands there");
  // Nothing that was acknowledged is gone, and work goes on.
  await update(vault, "next");
  const again = await Vault.open(storage, options);
  assert.equal((await again.read("x")).properties["Key"], "next");
});

test("an answer that writes nothing is synced", async (t) => {
  const { vault } = await example(t);
  let isSynced = false;
  const restore = instead(
    t,
    "fdatasync",
    (fdatasync) => (file: number, done: (error: Error | null) => void) => {
      isSynced = true;
      fdatasync(file, done);
    },
  );
  assert.equal((await update(vault, "old")).status, "unchanged");
  assert.ok(isSynced);
  restore();
  instead(t, "fdatasync", () => (_: number, done: (error: Error) => void) => done(systemError("EIO", -5)));
  await assert.rejects(update(vault, "old"), failsWith("not_durable"));
});

test("a clock out of range changes nothing, and leaves no lock", async (t) => {
  const { dir, storage, options } = await example(t);
  const before = readdirSync(dir);
  for (const time of [-1, Date.UTC(10000, 0), NaN]) {
    const clock = () => new Date(time);
    const vault = await Vault.open(storage, { ...options, clock });
    await assert.rejects(update(vault, "new"), failsWith("clock"), String(time));
    const other = new FileStorage(join(dir, "other"), { heads: null });
    await assert.rejects(Vault.create(other, { identity: options.identity, clock }), failsWith("clock"));
    assert.deepEqual(readdirSync(dir), before);
    assert.equal((await vault.read("x")).properties["Key"], "old");
  }
});

test("a damaged known head is cured by taking the vault as it is", async (t) => {
  const { storage, heads, vault, options } = await example(t);
  const [name = ""] = readdirSync(heads.dir);
  writeFileSync(join(heads.dir, name), '{"vault_id":');
  await assert.rejects(Vault.open(storage, options), failsWith("state_unreadable"));
  const taken = await Vault.open(storage, { ...options, accept: true });
  assert.equal((await heads.get(options.vaultId, storage.path))?.head.hash, taken.head.hash);
  (await Vault.open(storage, options)).lock();
  assert.equal(vault.head.seq, taken.head.seq);
});
