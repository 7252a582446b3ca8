/** Real processes and threads on one file: nothing acknowledged is lost, also when they are killed. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Worker } from "node:worker_threads";

import { FileStorage } from "../../src/node/file-storage.js";
import { COMMIT_LEN, commit } from "./role.js";
import { bytes, names, play, sandbox, start } from "./sandbox.js";

async function newStorage(t: TestContext): Promise<{ dir: string; storage: FileStorage }> {
  const dir = sandbox(t);
  const storage = new FileStorage(join(dir, "v"), { heads: null });
  await storage.create(bytes(start()));
  return { dir, storage };
}

/** How many commits of each writer are there; each writer's have to be all of them, in order. */
function counts({ path }: FileStorage): Map<string, number> {
  const log = readFileSync(path, "utf8").slice(start().length);
  const counts = new Map<string, number>();
  for (let at = 0; at + COMMIT_LEN <= log.length; at += COMMIT_LEN) {
    const [writer = ""] = log.slice(at).split(" ");
    const number = counts.get(writer) ?? 0;
    assert.equal(log.slice(at, at + COMMIT_LEN), commit(writer, number));
    counts.set(writer, number + 1);
  }
  return counts;
}

/** A worker thread that plays a role. It has to register tsx by itself: `--import` does not reach it. */
function playInThread(...args: string[]): Worker {
  const [tsx, role] = [import.meta.resolve("tsx/esm/api"), import.meta.resolve("./role.ts")];
  const code = `import("${tsx}").then(({ register }) => (register(), import("${role}")))`;
  return new Worker(code, { eval: true, workerData: args });
}

test("appends of processes are all there", async (t) => {
  const { dir, storage } = await newStorage(t);
  const writers = ["a", "b", "c"];
  const players = writers.map((writer) => play(t, "append", storage.path, writer, "40"));
  for (const player of players) {
    player.child.stdout?.resume();
    assert.equal(await player.ended, 0);
  }
  assert.deepEqual(counts(storage), new Map([...counts(storage).keys()].map((writer) => [writer, 40])));
  assert.equal(counts(storage).size, writers.length);
  assert.deepEqual(names(dir), ["v"]);
});

test("threads exclude each other as processes do", async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "number");
  writeFileSync(path, "0");
  // Blank ones are what a power failure leaves.
  writeFileSync(`${path}.lock`, "");
  const workers = [1, 2, 3].map(() => playInThread("count", path, "50"));
  const player = play(t, "count", path, "50");
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  assert.equal(await player.ended, 0);
  assert.equal(readFileSync(path, "utf8"), "200");
  assert.deepEqual(names(dir), ["number"]);
});

test("killed writers lose nothing acknowledged and leave no lock for good", async (t) => {
  const { storage } = await newStorage(t);
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < 4; round++) {
    const players = ["a", "b"].map((name) => play(t, "append", storage.path, `${name}${round}`, "100000"));
    const listening = players.map(async (player, index) => {
      let heard = 0;
      for await (const line of player.lines()) {
        const [writer = "", number] = line.split(" ");
        acknowledged.set(writer, Number(number));
        // Wherever each of them is then.
        if (index === 0 && ++heard === 1 + round * 7) players.forEach(({ child }) => child.kill("SIGKILL"));
      }
    });
    await Promise.all(listening);
    await Promise.all(players.map((player) => player.ended));
    await storage.exclusive(async () => undefined);
    assert.ok(!existsSync(`${storage.path}.lock`));
  }
  for (const [writer, number] of acknowledged) {
    const kept = counts(storage).get(writer) ?? 0;
    assert.ok(
      kept === number + 1 || kept === number + 2,
      `${writer}: ${number} of ${kept}; one is under way at most`,
    );
  }
});

test("a lock goes with its process, and not before", async (t) => {
  const { storage } = await newStorage(t);
  const holder = play(t, "hold", storage.path);
  await holder.said("held");
  const once = new FileStorage(storage.path, { heads: null, lockTimeoutMs: 0 });
  await assert.rejects(once.removeTornTails(), (error: Error) =>
    error.message.includes(`held by process ${holder.pid} on `),
  );
  await holder.killed();
  assert.ok(existsSync(`${storage.path}.lock`));
  assert.equal(await once.removeTornTails(), 0);
});
