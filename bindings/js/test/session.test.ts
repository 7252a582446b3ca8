/** The driver of the session over storages that lose answers: what happened is found out, and nothing happens twice. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Identity,
  MemoryStorage,
  ready,
  Vault,
  VaultChangeEvent,
  VaultError,
  type Compared,
  type LogEnd,
  type UpdateAction,
} from "../src/index.js";

const ID = "twitterConnectorId";

/** What becomes of an append. */
type Fate = "kept" | "answer lost" | "lost" | "arrives later";

/** Loses appends or the answers to them. */
class Lossy extends MemoryStorage {
  /** What becomes of the next appends; behind them all are kept. */
  fates: Fate[] = [];
  /** Runs when an answer has got lost. */
  onLost: () => unknown = () => undefined;
  appends = 0;
  isUnreachable = false;
  #late: (() => Promise<void>) | undefined;

  override async append(commit: Uint8Array, known: LogEnd): Promise<void> {
    this.appends++;
    const fate = this.fates.shift() ?? "kept";
    const late = this.#late;
    this.#late = undefined;
    if (late !== undefined) await late();
    if (fate === "arrives later") this.#late = () => super.append(commit.slice(), known);
    if (fate === "kept" || fate === "answer lost") await super.append(commit, known);
    if (fate === "kept") return;
    await this.onLost();
    throw new VaultError("outcome_unknown", "a change of the place may have been stored or not");
  }

  override compare(known: LogEnd): Promise<Compared> {
    if (this.isUnreachable) return Promise.reject(new VaultError("io", "the place cannot be reached"));
    return super.compare(known);
  }
}

async function example() {
  await ready();
  const storage = new Lossy();
  const identity = Identity.generate();
  const vault = await Vault.create(storage, { identity });
  await vault.createConnector({ id: ID, name: "N", type: "T" });
  storage.appends = 0;
  const heard: unknown[] = [];
  vault.addEventListener("change", (event) => {
    assert.ok(event instanceof VaultChangeEvent);
    heard.push([event.origin, event.ids]);
  });
  const again = () => Vault.open(new MemoryStorage(storage.bytes), { identity, vaultId: vault.id });
  return { storage, identity, vault, heard, again };
}

function update(value: string): UpdateAction {
  return {
    ActionType: "Connectors.Update",
    Parameters: { EntryId: ID, PropertiesJson: `{"A": "${value}"}` },
  };
}

function fails(code: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof VaultError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

const FOUND: readonly { name: string; fates: Fate[]; appends: number }[] = [
  { name: "the answer got lost", fates: ["answer lost"], appends: 1 },
  { name: "the change got lost", fates: ["lost"], appends: 2 },
  { name: "the change got lost three times", fates: ["lost", "lost", "lost"], appends: 4 },
  { name: "the change arrives when it is stored again", fates: ["arrives later"], appends: 2 },
];

for (const { name, fates, appends } of FOUND) {
  test(`${name}: it happens once`, async () => {
    const { storage, vault, heard, again } = await example();
    storage.fates = [...fates];
    const outcome = await vault.run(update("1"));
    assert.deepEqual([outcome.status, outcome.versionAfter, storage.appends], ["updated", 2, appends]);
    assert.deepEqual(heard.at(-1), ["own", [ID]]);
    assert.equal((await vault.run(update("2"))).versionAfter, 3);
    assert.equal((await (await again()).read(ID)).version, 3);
  });
}

test("nobody can look: the outcome is unknown, and the storage's words say of what", async () => {
  const { storage, vault, again } = await example();
  storage.fates = ["answer lost"];
  storage.onLost = () => (storage.isUnreachable = true);
  await assert.rejects(vault.run(update("1")), fails("outcome_unknown", /^a change of the place/));
  storage.isUnreachable = false;
  await vault.refresh();
  assert.equal((await vault.read(ID)).properties["A"], "1");
  assert.equal((await (await again()).read(ID)).version, 2);
});

test("a change that got lost again and again is unknown, not a conflict", async () => {
  const { storage, vault } = await example();
  storage.fates = ["lost", "lost", "lost", "lost", "lost"];
  await assert.rejects(vault.run(update("1")), fails("outcome_unknown", /^a change of the place/));
  assert.equal(storage.appends, 4);
});

test("somebody else's change stands where the lost one would: it is planned again", async () => {
  const { storage, identity, vault, heard } = await example();
  const other = await Vault.open(storage, { identity, vaultId: vault.id });
  storage.fates = ["lost"];
  storage.onLost = () => other.run(update("theirs"));
  const outcome = await vault.run(update("ours"));
  assert.equal(outcome.versionAfter, 3);
  assert.deepEqual(heard, [
    ["other", [ID]],
    ["own", [ID]],
  ]);
});

test("a vault that is locked while nobody knows says that the outcome is unknown", async () => {
  const { storage, vault } = await example();
  storage.fates = ["answer lost"];
  storage.onLost = () => vault.lock();
  await assert.rejects(vault.run(update("1")), fails("outcome_unknown", /^a change of the place/));
  assert.ok(vault.isLocked);
});

test("a signal does not end the search for a lost change", async () => {
  const { storage, vault } = await example();
  const giving = new AbortController();
  storage.fates = ["answer lost"];
  storage.onLost = () => giving.abort(new Error("never mind"));
  await assert.rejects(
    vault.run(update("1"), { signal: giving.signal }),
    fails("outcome_unknown", /^a change/),
  );
  assert.equal((await vault.run(update("2"))).versionAfter, 3);
});
