/** Node and the Rust program on one file: their locks exclude each other, and they share known heads. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import type { KnownHead } from "../../src/heads.js";
import { FileStorage } from "../../src/node/file-storage.js";
import { FileKnownHeads } from "../../src/node/known-heads.js";
import type { LogEnd } from "../../src/storage.js";
import { CVAULT } from "./program.js";
import { failsWith, names, play, Player, sandbox, statFields, until } from "./sandbox.js";

/** What the test looks at is Linux's. */
const onLinux = { skip: process.platform !== "linux" && "needs /proc" };

/** A vault that the Rust program created, and the program beside it. */
class Sandbox {
  readonly dir: string;
  readonly state: string;

  private constructor(readonly t: TestContext) {
    this.dir = sandbox(t);
    this.state = join(this.dir, "state");
  }

  static async create(t: TestContext): Promise<Sandbox> {
    const made = new Sandbox(t);
    await made.ran("identity", "new", "--out", made.at("id"));
    await made.ran("init", made.at("v"), "--identity");
    return made;
  }

  at(name: string): string {
    return join(this.dir, name);
  }

  storage(lockTimeoutMs = 0): FileStorage {
    return new FileStorage(this.at("v"), { heads: new FileKnownHeads(this.state), lockTimeoutMs });
  }

  start(...args: string[]): Player {
    const env = { CVAULT_IDENTITY_FILE: this.at("id"), CVAULT_STATE_DIR: this.state, VALUE: "secret" };
    return new Player(this.t, spawn(CVAULT, ["--json", ...args], { env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  add(id: string): Player {
    return this.start(
      "add",
      this.at("v"),
      "--id",
      id,
      "--name",
      "Name",
      "--type",
      "Type",
      "--set-env",
      "APIKey=VALUE",
    );
  }

  /** What it says when it succeeds. */
  async ran(...args: string[]): Promise<string> {
    return succeeded(this.start(...args));
  }
}

async function succeeded(player: Player): Promise<string> {
  const [output, errors] = await said(player);
  assert.equal(await player.ended, 0, errors);
  return output;
}

async function said({ child, ended }: Player): Promise<[output: string, errors: string]> {
  const texts: [string, string] = ["", ""];
  child.stdout?.on("data", (data: Buffer) => (texts[0] += data.toString()));
  child.stderr?.on("data", (data: Buffer) => (texts[1] += data.toString()));
  await ended;
  return texts;
}

/** Whether the process has written a lock file that has no name yet, or a temporary one. */
function isAtTheLock({ pid }: Player, dir: string): boolean {
  if (names(dir).some((name) => name.endsWith(".tmp"))) return true;
  const files = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "closed meanwhile";
    }
  });
  return files.some((file) => file.startsWith(`${dir}/#`) && file.endsWith(" (deleted)"));
}

/** All of a file as a known log. */
function all(file: Uint8Array): LogEnd {
  return { start: file, marks: [], end: 0, torn: 0 };
}

test("a lock that Node holds makes cvault wait", onLinux, async (t) => {
  const box = await Sandbox.create(t);
  const storage = box.storage();
  const adding = await storage.exclusive(async (file) => {
    const player = box.add("twitter");
    const before = await file.read();
    await until(() => {
      assert.equal(player.child.exitCode, null, "it has not waited");
      return isAtTheLock(player, box.dir);
    });
    // It changes nothing, and what changes meanwhile does not disturb it.
    await file.replace(before, all(before));
    return player;
  });
  await succeeded(adding);
  await box.ran("verify", box.at("v"));
});

test("a lock that cvault holds makes Node wait, and is broken when cvault is killed", onLinux, async (t) => {
  const box = await Sandbox.create(t);
  const storage = box.storage();
  const lock = `${storage.path}.lock`;
  const isIn = (player: Player, ...states: string[]) => states.includes(statFields(player.pid)[0] ?? "");
  for (let number = 0; ; number++) {
    const player = box.add(`c${number}`);
    player.child.stdout?.resume();
    // Without a pause, since it holds the lock only for a moment. While this loop runs, Node does not
    // notice that the process ends, so there is a state to look at.
    while (!existsSync(lock) && !isIn(player, "Z"));
    player.child.kill("SIGSTOP");
    while (!isIn(player, "T", "Z"));
    if (!existsSync(lock)) {
      player.child.kill("SIGCONT");
      await player.ended;
      continue;
    }
    const theirs = JSON.parse(readFileSync(lock, "utf8")) as { pid: number };
    assert.equal(theirs.pid, player.pid);
    await assert.rejects(storage.removeTornTails(), (error: Error) => {
      assert.ok(error.message.includes(`held by process ${player.pid} on `), error.message);
      return failsWith("lock_timeout")(error);
    });
    await player.killed();
    assert.ok(existsSync(lock));
    await storage.exclusive(async () => {
      const ours = JSON.parse(readFileSync(lock, "utf8")) as object;
      assert.deepEqual(Object.keys(ours), Object.keys(theirs));
      const varying = { pid: 0, start_time: 0, token: "" };
      assert.deepEqual({ ...ours, ...varying }, { ...theirs, ...varying });
    });
    break;
  }
  await succeeded(box.add("after"));
  await box.ran("verify", box.at("v"));
});

test("a lock that a killed Node process left is broken by cvault", async (t) => {
  const box = await Sandbox.create(t);
  const holder = play(t, "hold", box.at("v"));
  await holder.said("held");
  await holder.killed();
  assert.ok(existsSync(`${box.at("v")}.lock`));
  await succeeded(box.add("twitter"));
  assert.ok(!existsSync(`${box.at("v")}.lock`));
});

test("both write to one vault, and nothing is lost", async (t) => {
  const box = await Sandbox.create(t);
  const storage = box.storage(30_000);
  const replace = async () => {
    for (let done = 0; done < 10; done++) {
      await storage.exclusive(async (file) => {
        const before = await file.read();
        await file.replace(before, all(before));
      });
    }
  };
  const ids = ["a", "b", "c", "d", "e", "f"];
  await Promise.all([replace(), ...ids.map((id) => succeeded(box.add(id)))]);
  const listed = await box.ran("list", box.at("v"));
  for (const id of ids) assert.ok(listed.includes(`"${id}"`), id);
  await box.ran("verify", box.at("v"));
  assert.deepEqual(names(box.dir), ["id", "id.pub", "state", "v"]);
});

test("known heads are shared", async (t) => {
  const box = await Sandbox.create(t);
  const {
    places: [place = ""],
  } = box.storage();
  const heads = new FileKnownHeads(box.state);
  const [name = ""] = names(box.state);
  const vaultId = name.slice(0, 64);
  const get = async (): Promise<KnownHead> =>
    (await heads.get(vaultId, place)) ?? assert.fail("none is known");
  assert.equal((await get()).head.seq, 0);
  await succeeded(box.add("twitter"));
  const known = await get();
  assert.equal(known.head.seq, 1);

  // What Node writes is what the program wrote.
  const written = readFileSync(join(box.state, name));
  await heads.forget(vaultId, place);
  await heads.remember(vaultId, place, known);
  assert.deepEqual(readFileSync(join(box.state, name)), written);
  await box.ran("list", box.at("v"));

  // And what it remembers, the program believes.
  await heads.remember(vaultId, place, { ...known, head: { ...known.head, seq: 9 } });
  const [, errors] = await said(box.start("list", box.at("v")));
  assert.ok(errors.includes('"rolled_back"'), errors);
  await heads.forget(vaultId, place);
  await box.ran("list", box.at("v"), "--vault-id", vaultId);
  assert.deepEqual(await get(), known);

  writeFileSync(join(box.state, name), "{");
  const [, damaged] = await said(box.start("list", box.at("v")));
  assert.ok(damaged.includes('"state_unreadable"'), damaged);
  await assert.rejects(heads.get(vaultId, place), failsWith("state_unreadable"));
});
