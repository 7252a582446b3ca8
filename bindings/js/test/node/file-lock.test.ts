/** The lock file as docs/file-lock.md describes it, written here by hand, as another language would. */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";

import { VaultError } from "../../src/error.js";
import { FileLock } from "../../src/node/file-lock.js";
import {
  failsWith,
  instead,
  names,
  NOT_FILES,
  Player,
  sandbox,
  statFields,
  systemError,
  until,
} from "./sandbox.js";

const ONCE = { timeoutMs: 0 };
const linux = { skip: process.platform !== "linux" };

/** This process as the owner of a lock. */
function owner(): Record<string, unknown> {
  const text = (path: string) => readFileSync(path, "utf8").trim();
  return {
    pid: process.pid,
    start_time: Number(statFields(process.pid)[22 - 3]),
    boot_id: text("/proc/sys/kernel/random/boot_id"),
    pid_namespace: readlinkSync("/proc/self/ns/pid"),
    time_namespace: readlinkSync("/proc/self/ns/time"),
    host: text("/proc/sys/kernel/hostname"),
    token: "0123456789abcdef0123456789abcdef",
  };
}

function gone(): string {
  return JSON.stringify({ ...owner(), start_time: 1 });
}

/** Whether a lock file with this content is broken; if not, it must stay as it is. */
async function isBroken(
  t: TestContext,
  content: string | Uint8Array,
  code = "lock_timeout",
): Promise<boolean> {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  writeFileSync(path, content);
  try {
    (await FileLock.acquire(path, ONCE)).release();
    assert.deepEqual(names(dir), []);
    return true;
  } catch (error) {
    failsWith(code)(error);
    assert.deepEqual(readFileSync(path), Buffer.from(content));
    assert.deepEqual(names(dir), ["v.lock"]);
    return false;
  }
}

test("what is written is what is documented", linux, async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  const lock = await FileLock.acquire(path, ONCE);
  assert.deepEqual(names(dir), ["v.lock"]);
  const content = readFileSync(path, "utf8");
  assert.match(content, /^\{.*\}\n$/);
  const { token, machine, ...written } = JSON.parse(content) as Record<string, unknown>;
  const { token: _, ...expected } = owner();
  assert.deepEqual(written, expected);
  assert.match(String(token), /^[0-9a-f]{32}$/);
  assert.match(String(machine), /^([0-9a-f]{32})?$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  lock.release();
  assert.deepEqual(names(dir), []);
});

test("each lock has a token of its own", async (t) => {
  const path = join(sandbox(t), "v.lock");
  const content = async () => {
    const lock = await FileLock.acquire(path, ONCE);
    const text = readFileSync(path, "utf8");
    lock.release();
    return text;
  };
  assert.notEqual(await content(), await content());
});

test("a living owner is waited for and named", async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  const lock = await FileLock.acquire(path);
  await assert.rejects(FileLock.acquire(path, { timeoutMs: 1 }), (error: Error & { hint?: string }) => {
    assert.ok(
      error.message.startsWith(`waited 1ms for ${path}, held by process ${process.pid} on `),
      error.message,
    );
    assert.ok(error.hint?.endsWith(`delete ${path}`));
    return failsWith("lock_timeout")(error);
  });
  assert.deepEqual(names(dir), ["v.lock"]);
  lock.verify();
});

test("waiting ends with its signal", async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  const lock = await FileLock.acquire(path);
  const controller = new AbortController();
  const waiting = FileLock.acquire(path, { signal: controller.signal });
  controller.abort("enough");
  await assert.rejects(waiting, (reason) => reason === "enough");
  await assert.rejects(
    FileLock.acquire(path, { signal: controller.signal }),
    (reason) => reason === "enough",
  );
  assert.deepEqual(names(dir), ["v.lock"]);
  lock.release();
});

test("only what is provably gone is broken", linux, async (t) => {
  const broken = (change: object) => isBroken(t, JSON.stringify({ ...owner(), ...change }));
  const dead = spawnSync("true").pid;
  assert.ok(!(await broken({})), "a living owner");
  assert.ok(await broken({ pid: dead }), "a dead pid");
  assert.ok(await broken({ start_time: 1 }), "a reused pid");
  assert.ok(!(await broken({ pid: dead, pid_namespace: "pid:[1]" })), "a foreign namespace");
  assert.ok(!(await broken({ boot_id: "another" })), "unknown machine");
  assert.ok(!(await broken({ boot_id: "" })), "no boot id");
  assert.ok(await isBroken(t, ""), "empty");
  assert.ok(await isBroken(t, new Uint8Array(200)), "all zero");
  const unreadable = (content: string) => isBroken(t, content, "lock_unreadable");
  assert.ok(!(await unreadable(JSON.stringify({ ...owner(), pid: String(dead) }))), "not the format");
  assert.ok(!(await unreadable("\n")), "blank is not empty");
  assert.ok(!(await unreadable("4711")), "another program's lock");
  assert.ok(!(await unreadable(gone().slice(0, 50))), "half of one");
});

test("a zombie is gone", linux, async (t) => {
  // The shell's child ends when its input does; what takes the shell's place never waits for it.
  const parent = new Player(
    t,
    spawn("sh", ["-c", "cat <&3 & echo $!; exec cat"], { stdio: ["pipe", "pipe", "inherit", "pipe"] }),
  );
  let pid = 0;
  for await (const line of parent.lines()) {
    pid = Number(line);
    break;
  }
  const content = JSON.stringify({ ...owner(), pid, start_time: Number(statFields(pid)[22 - 3]) });
  assert.ok(!(await isBroken(t, content)));
  parent.child.stdio[3]?.destroy();
  await until(() => statFields(pid)[0] === "Z");
  assert.ok(await isBroken(t, content));
});

test("breakers that died are broken in turn, up to a depth", linux, async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  const leave = (depth: number) => {
    for (let level = 0; level < depth; level++) writeFileSync(path + ".break".repeat(level), gone());
  };
  leave(8);
  (await FileLock.acquire(path, ONCE)).release();
  assert.deepEqual(names(dir), []);
  leave(9);
  await assert.rejects(FileLock.acquire(path, ONCE), failsWith("lock_timeout"));
  assert.equal(names(dir).length, 9);
});

/** A lock file as a living process publishes it, in place of the one that stands there. */
function published(path: string): string {
  const token = randomBytes(16).toString("hex");
  rmSync(path, { force: true });
  writeFileSync(path, JSON.stringify({ ...owner(), token }));
  return token;
}

test("the proof about one owner removes no lock of the next", linux, async (t) => {
  for (const depth of [0, 1, 2]) {
    const dir = sandbox(t);
    const path = join(dir, "v.lock");
    const contested = path + ".break".repeat(depth);
    for (let level = 0; level < depth; level++) writeFileSync(path + ".break".repeat(level), gone());
    let newest = published(contested);
    // While a breaker asks whether the owner is gone, the owner goes and somebody else comes, each time it
    // asks: the lock itself (depth 0) or the guard of a breaker that died.
    const kill = t.mock.method(process, "kill", () => {
      if (readFileSync(contested, "utf8").includes(newest)) newest = published(contested);
      throw Object.assign(new Error("gone"), { code: "ESRCH" });
    });
    await assert.rejects(FileLock.acquire(path, ONCE), failsWith("lock_timeout"));
    kill.mock.restore();
    assert.ok(
      readFileSync(contested, "utf8").includes(newest),
      `a living owner's lock was removed at depth ${depth}`,
    );
    assert.equal(names(dir).length, depth + 1, "no guard stays");
  }
});

test("a blank lock is removed only if it is the same file", linux, async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  const other = join(dir, "other");
  writeFileSync(path, "");
  writeFileSync(other, "");
  // After the proof, while the guard is taken, another blank file comes.
  instead(t, "linkSync", (linkSync) => (from: string, to: string) => {
    if (to === `${path}.break`) renameSync(other, path);
    linkSync(from, to);
  });
  await assert.rejects(FileLock.acquire(path, ONCE), failsWith("lock_timeout"));
  assert.deepEqual(names(dir), ["v.lock"]);
});

test("a breaker at work is waited for", linux, async (t) => {
  const path = join(sandbox(t), "v.lock");
  writeFileSync(path, gone());
  const breaker = await FileLock.acquire(`${path}.break`, ONCE);
  await assert.rejects(FileLock.acquire(path, ONCE), failsWith("lock_timeout"));
  breaker.release();
  (await FileLock.acquire(path, ONCE)).release();
});

test("temporary files of the dead are swept, others are not", linux, async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  for (const [name, content] of [
    ["v.lock", gone()],
    ["v.lock.0.tmp", gone()],
    ["v.lock.1.tmp", JSON.stringify(owner())],
    ["v.lock.2.tmp", ""],
    ["w.lock.3.tmp", gone()],
  ] as const) {
    writeFileSync(join(dir, name), content);
  }
  (await FileLock.acquire(path, ONCE)).release();
  assert.deepEqual(names(dir), ["v.lock.1.tmp", "v.lock.2.tmp", "w.lock.3.tmp"]);
});

test("a lock that a hand took away is lost, and the next one left alone", async (t) => {
  const path = join(sandbox(t), "v.lock");
  const first = await FileLock.acquire(path, ONCE);
  unlinkSync(path);
  const second = await FileLock.acquire(path, ONCE);
  assert.throws(() => first.verify(), failsWith("lock_lost"));
  first.release();
  second.verify();
  writeFileSync(path, "");
  assert.throws(() => second.verify(), failsWith("lock_lost"));
  second.release();
  assert.equal(readFileSync(path, "utf8"), "");
});

test("what is not a file is refused without waiting", linux, async (t) => {
  const kinds = {
    ...NOT_FILES,
    "a symbolic link": (_: unknown, path: string) => symlinkSync("nowhere", path),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const path = join(sandbox(t), "v.lock");
    make(t, path);
    await assert.rejects(FileLock.acquire(path), (error: Error & { hint?: string }) => {
      assert.equal(error.message, `${path} is ${kind}, not a file`);
      assert.ok(error.hint?.includes("move away"));
      return failsWith("not_a_file")(error);
    });
    // And in the place of the guard, when a lock is to be broken.
    renameSync(path, `${path}.break`);
    writeFileSync(path, "");
    await assert.rejects(FileLock.acquire(path), (error: Error) => {
      assert.ok(error.message.startsWith(`${path}.break is `), error.message);
      return failsWith("not_a_file")(error);
    });
  }
});

test("a lock that nobody can judge is told long before the time is over", async (t) => {
  const path = join(sandbox(t), "v.lock");
  writeFileSync(path, "another program's");
  const impatient = { patienceMs: 0 };
  await assert.rejects(FileLock.acquire(path, impatient), failsWith("lock_unreadable"));
  instead(t, "openSync", (openSync) => (name: string, ...rest: [string]) => {
    if (name === path) throw systemError("EACCES");
    return openSync(name, ...rest);
  });
  const { uid } = statSync(path);
  await assert.rejects(FileLock.acquire(path, impatient), (error: Error & { hint?: string }) => {
    const said = new RegExp(`^cannot tell who holds ${path}: it belongs to user .*\\b${uid}\\b`);
    if (process.platform !== "win32") assert.match(error.message, said);
    assert.ok(error.hint?.endsWith(`delete ${path}`));
    return failsWith("lock_unreadable")(error);
  });
});

test("a lock that could not be removed is taken over by its process", async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  const lock = await FileLock.acquire(path, ONCE);
  const restore = instead(t, "unlinkSync", () => () => {
    throw systemError("EIO");
  });
  lock.release();
  restore();
  assert.deepEqual(names(dir).includes("v.lock"), true);
  (await FileLock.acquire(path, ONCE)).release();
  assert.ok(!names(dir).includes("v.lock"));
});

test("a lock that cannot be looked at is not lost", async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  const lock = await FileLock.acquire(path, ONCE);
  const restore = instead(t, "openSync", () => () => {
    throw systemError("EMFILE");
  });
  assert.throws(() => lock.verify(), failsWith("io"));
  lock.release();
  restore();
  assert.deepEqual(names(dir), ["v.lock"]);
  (await FileLock.acquire(path, ONCE)).release();
  assert.deepEqual(names(dir), []);
});

test("what a dead owner left is settled before its lock goes", linux, async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  writeFileSync(path, gone());
  const settle = () => {
    assert.ok(names(dir).includes("v.lock"));
    throw new VaultError("not_durable", "the disk is broken");
  };
  await assert.rejects(FileLock.acquire(path, { ...ONCE, settle }), failsWith("not_durable"));
  assert.deepEqual(names(dir), ["v.lock"]);
  const lock = await FileLock.acquire(path, ONCE);
  assert.ok(lock.broke);
  lock.release();
  const next = await FileLock.acquire(path, ONCE);
  assert.ok(!next.broke);
  next.release();
});

test("a lock in a missing folder is an error", async (t) => {
  await assert.rejects(FileLock.acquire(join(sandbox(t), "no", "v.lock")), failsWith("io"));
});

test("calls at the same time let one in", linux, async (t) => {
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  let [inside, alone] = [0, 0];
  for (let round = 0; round < 20; round++) {
    writeFileSync(path, gone());
    // And in every other round one that died while breaking it.
    if (round % 2 === 1) writeFileSync(`${path}.break`, gone());
    const enter = async () => {
      const lock = await FileLock.acquire(path);
      inside++;
      await setImmediate();
      lock.verify();
      if (inside-- === 1) alone++;
      lock.release();
    };
    await Promise.all(Array.from({ length: 8 }, enter));
  }
  assert.equal(alone, 20 * 8);
  assert.deepEqual(names(dir), []);
});

test("without hard links the name itself excludes, and a blank lock may be one being written", async (t) => {
  const refused = Object.assign(new Error("EPERM"), { code: "ENOSYS" });
  instead(t, "linkSync", () => () => {
    throw refused;
  });
  const dir = sandbox(t);
  const path = join(dir, "v.lock");
  const lock = await FileLock.acquire(path, ONCE);
  assert.deepEqual(names(dir), ["v.lock"]);
  lock.verify();
  await assert.rejects(FileLock.acquire(path, ONCE), failsWith("lock_timeout"));
  lock.release();
  assert.deepEqual(names(dir), []);
  assert.ok(!(await isBroken(t, "")));
  refused.code = "EACCES";
  await assert.rejects(FileLock.acquire(path, ONCE), failsWith("io"));
  assert.deepEqual(names(dir), []);
});
