/** What a vault file goes through, on a real file system. */

import assert from "node:assert/strict";
import fs, {
  appendFileSync,
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { mock, test, type TestContext } from "node:test";

import { FileStorage } from "../../src/node/file-storage.js";
import { FileKnownHeads } from "../../src/node/known-heads.js";
import type { VaultStorage } from "../../src/storage.js";
import { bytes, failsWith, known, names, sandbox, start } from "./sandbox.js";

const posix = { skip: process.platform === "win32" };

async function created(t: TestContext, log: string): Promise<{ dir: string; storage: FileStorage }> {
  const dir = sandbox(t);
  const storage = new FileStorage(join(dir, "v"), { heads: null, lockTimeoutMs: 0 });
  await storage.create(bytes(start() + log));
  return { dir, storage };
}

function holds({ path }: FileStorage, log: string, locks?: string): void {
  assert.equal(readFileSync(path, "utf8"), start(locks) + log);
}

/** Lets a function of `node:fs` fail in this test. */
function failing(
  t: TestContext,
  name: "fdatasync" | "fsync" | "writeSync",
  implementation: (...args: never[]) => unknown,
) {
  const { mock: mocked } = mock.method(fs, name, implementation as never);
  syncBuiltinESMExports();
  const restore = () => {
    mocked.restore();
    syncBuiltinESMExports();
  };
  t.after(restore);
  return restore;
}

function systemError(code: string, errno: number): Error {
  return Object.assign(new Error(code), { code, errno });
}

test("create, read, compare", async (t) => {
  const { dir, storage } = await created(t, "abcdef");
  assert.deepEqual(await storage.read(), bytes(`${start()}abcdef`));
  assert.deepEqual(await storage.compare(known("abcdef")), { state: "same" });
  assert.deepEqual(await storage.compare(known("abcd")), { state: "grown", tail: bytes("ef") });
  assert.deepEqual(await storage.compare(known("xyz")), { state: "replaced" });
  assert.deepEqual(names(dir), ["v"]);
  if (process.platform !== "win32") assert.equal(statSync(storage.path).mode & 0o777, 0o600);
});

test("create never overwrites", async (t) => {
  const { dir, storage } = await created(t, "abc");
  await assert.rejects(storage.create(bytes("other")), failsWith("file_exists"));
  await assert.rejects(
    storage.exclusive((file) => file.create(bytes("other"))),
    failsWith("file_exists"),
  );
  holds(storage, "abc");
  assert.deepEqual(names(dir), ["v"]);
});

test("a missing vault or folder", async (t) => {
  const dir = sandbox(t);
  const storage = new FileStorage(join(dir, "v"), { heads: null });
  await assert.rejects(storage.read(), failsWith("file_not_found"));
  await assert.rejects(storage.compare(known("abc")), failsWith("file_not_found"));
  await assert.rejects(storage.append(bytes("d"), known("abc")), failsWith("file_not_found"));
  assert.deepEqual(names(dir), []);
  for (const path of [join(dir, "no", "v"), ""]) {
    assert.throws(() => new FileStorage(path), failsWith("file_not_found"));
  }
});

test("a folder is no vault", async (t) => {
  const storage = new FileStorage(sandbox(t), { heads: null });
  await assert.rejects(storage.read(), failsWith("io"));
  await assert.rejects(storage.compare(known("abc")), failsWith("io"));
});

test("appends follow each other, each with its lock or all under one", async (t) => {
  const { dir, storage } = await created(t, "abc");
  await storage.append(bytes("def"), known("abc"));
  const compared = await storage.exclusive(async (file) => {
    assert.deepEqual(names(dir), ["v", "v.lock"]);
    await file.append(bytes("ghi"), known("abcdef"));
    await file.append(bytes("jkl"), known("abcdefghi"));
    return file.compare(known("abcdefghijkl"));
  });
  assert.deepEqual(compared, { state: "same" });
  holds(storage, "abcdefghijkl");
  assert.deepEqual(names(dir), ["v"]);
});

test("only what is known is changed", async (t) => {
  const { dir, storage } = await created(t, "abcdef");
  for (const log of [
    known("abc"),
    known("abcdefghi"),
    known("abcxyz"),
    known("abcdef", "", "()"),
    known("abcdef", "g"),
  ]) {
    await assert.rejects(storage.append(bytes("new"), log), failsWith("conflict"));
    await assert.rejects(storage.replace(bytes("new"), log), failsWith("conflict"));
  }
  await assert.rejects(storage.append(bytes("new"), known("abc")), {
    message: `${storage.path} was expected to end at byte 17 and ends at byte 20`,
  });
  holds(storage, "abcdef");
  assert.deepEqual(names(dir), ["v"]);
});

test("a change past the lock is a conflict", async (t) => {
  const { storage } = await created(t, "abc");
  await storage.exclusive(async (file) => {
    appendFileSync(storage.path, "!");
    await assert.rejects(file.append(bytes("def"), known("abc")), failsWith("conflict"));
    await assert.rejects(file.replace(bytes("def"), known("abc")), failsWith("conflict"));
  });
  holds(storage, "abc!");
});

test("without the lock nothing is written", async (t) => {
  const { dir, storage } = await created(t, "abc~~");
  await storage.exclusive(async (file) => {
    unlinkSync(`${storage.path}.lock`);
    await assert.rejects(file.append(bytes("def"), known("abc", "~~")), failsWith("lock_lost"));
    await assert.rejects(file.replace(bytes("def"), known("abc", "~~")), failsWith("lock_lost"));
  });
  holds(storage, "abc~~");
  assert.deepEqual(names(dir), ["v"]);
});

test("changes at the same time under one lock come one after the other", async (t) => {
  const { dir, storage } = await created(t, "abc");
  const outcomes = await storage.exclusive((file) =>
    Promise.allSettled([
      file.replace(bytes(`${start()}xyz`), known("abc")),
      file.replace(bytes(`${start()}uvw`), known("abc")),
      file.append(bytes("uvw"), known("xyz")),
      file.append(bytes("rst"), known("xyz")),
    ]),
  );
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "rejected"],
  );
  holds(storage, "xyzuvw");
  assert.deepEqual(names(dir), ["v"]);
});

test("the lock lasts as long as the changes do, and nothing works after it", async (t) => {
  const { dir, storage } = await created(t, "abc");
  let change = Promise.resolve();
  const file = await storage.exclusive<VaultStorage>(async (locked) => {
    change = locked.append(bytes("def"), known("abc"));
    return locked;
  });
  await change;
  holds(storage, "abcdef");
  await assert.rejects(file.append(bytes("ghi"), known("abcdef")), failsWith("lock_lost"));
  await assert.rejects(file.read(), failsWith("io"));
  await assert.rejects(
    storage.exclusive(async () => Promise.reject(new Error("mine"))),
    /mine/,
  );
  assert.deepEqual(names(dir), ["v"]);
});

test("a replacement is the file from then on", async (t) => {
  const { dir, storage } = await created(t, "abc");
  await storage.exclusive(async (file) => {
    await file.replace(bytes(`${start("[1]")}xyz`), known("abc"));
    await file.append(bytes("uvw"), known("xyz", "", "[1]"));
    assert.deepEqual(await file.read(), bytes(`${start("[1]")}xyzuvw`));
  });
  holds(storage, "xyzuvw", "[1]");
  assert.deepEqual(names(dir), ["v"]);
});

test("a replacement keeps the mode", posix, async (t) => {
  for (const mode of [0o600, 0o640, 0o664]) {
    const { storage } = await created(t, "abc");
    chmodSync(storage.path, mode);
    await storage.replace(bytes(`${start()}xyz`), known("abc"));
    assert.equal(statSync(storage.path).mode & 0o777, mode);
  }
});

const superuser = { skip: process.getuid?.() !== 0 };

test("a replacement keeps the owner if the system permits", superuser, async (t) => {
  const { storage } = await created(t, "abc");
  chownSync(storage.path, 1234, 5678);
  await storage.replace(bytes(`${start()}xyz`), known("abc"));
  const { uid, gid, mode } = statSync(storage.path);
  assert.deepEqual([uid, gid, mode & 0o777], [1234, 5678, 0o600]);
});

test("what a dead process left unfinished is no obstacle", async (t) => {
  const { dir, storage } = await created(t, "abc");
  writeFileSync(join(dir, "v.unfinished"), "half of");
  await storage.replace(bytes(`${start()}xyz`), known("abc"));
  holds(storage, "xyz");
  assert.deepEqual(names(dir), ["v"]);
});

test("a torn tail makes room and is kept beside the vault", async (t) => {
  const { dir, storage } = await created(t, "abcdef\0\0to");
  assert.deepEqual(await storage.compare(known("abcdef")), { state: "grown", tail: bytes("\0\0to") });
  await assert.rejects(storage.append(bytes("ghi"), known("abcdef")), failsWith("conflict"));
  await storage.append(bytes("ghi"), known("abcdef", "\0\0to"));
  holds(storage, "abcdefghi");
  const [, side = ""] = names(dir);
  assert.match(side, /^v\.torn-\d{13}-[0-9a-f]{32}$/);
  assert.equal(readFileSync(join(dir, side), "utf8"), "\0\0to");
  if (process.platform !== "win32") assert.equal(statSync(join(dir, side)).mode & 0o777, 0o600);
  appendFileSync(storage.path, "more");
  await storage.replace(bytes(`${start()}xyz`), known("abcdefghi", "more"));
  holds(storage, "xyz");
  assert.equal(names(dir).length, 3);
  writeFileSync(join(dir, "w.torn-1-2"), "another vault's");
  assert.equal(await storage.removeTornTails(), 2);
  assert.deepEqual(names(dir), ["v", "w.torn-1-2"]);
});

test("an append that does not fit leaves no trace", async (t) => {
  const { dir, storage } = await created(t, "abc");
  await storage.exclusive(async (file) => {
    const { writeSync } = fs;
    let full = false;
    const restore = failing(
      t,
      "writeSync",
      (fd: number, data: Uint8Array, offset: number, _: number, at: number) => {
        if (full) throw systemError("ENOSPC", -28);
        full = true;
        return writeSync(fd, data, offset, 1, at);
      },
    );
    for (const change of [
      () => file.append(bytes("def"), known("abc")),
      () => file.replace(bytes("def"), known("abc")),
    ]) {
      full = false;
      await assert.rejects(change(), (error: Error & { hint?: string }) => {
        assert.ok(error.message.endsWith(": no space left on device (ENOSPC)"), error.message);
        assert.ok(error.hint?.startsWith("free some space"));
        return failsWith("io")(error);
      });
      holds(storage, "abc");
      assert.deepEqual(names(dir), ["v", "v.lock"]);
    }
    restore();
    await file.append(bytes("def"), known("abc"));
  });
  holds(storage, "abcdef");
});

test("a failed sync is reported once and poisons", async (t) => {
  const { dir, storage } = await created(t, "abc");
  await storage.exclusive(async (file) => {
    const restore = failing(t, "fdatasync", (_: number, done: (error: Error) => void) =>
      done(systemError("EIO", -5)),
    );
    await assert.rejects(file.append(bytes("def"), known("abc")), (error: Error) => {
      assert.equal(
        error.message,
        `a change of ${storage.path} may not have reached the disk: i/o error (EIO)`,
      );
      return failsWith("not_durable")(error);
    });
    restore();
    await assert.rejects(file.append(bytes("def"), known("abc")), failsWith("not_durable"));
    await assert.rejects(file.replace(bytes("def"), known("abc")), failsWith("not_durable"));
    await assert.rejects(file.compare(known("abc")), failsWith("not_durable"));
  });
  holds(storage, "abc");
  assert.deepEqual(names(dir), ["v"]);
});

test("what cannot be synced does not replace the vault", async (t) => {
  const { dir, storage } = await created(t, "abc~~");
  const restore = failing(t, "fsync", (_: number, done: (error: Error) => void) =>
    done(systemError("EIO", -5)),
  );
  await assert.rejects(storage.replace(bytes("xyz"), known("abc", "~~")), failsWith("io"));
  await assert.rejects(new FileStorage(join(dir, "w")).create(bytes("xyz")), failsWith("io"));
  restore();
  holds(storage, "abc~~");
  assert.deepEqual(names(dir), ["v"]);
});

test("readers see all of a replacement or nothing", async (t) => {
  const { storage } = await created(t, "a".repeat(100_000));
  let done = false;
  const replace = async () => {
    for (const [before, after] of ["ab", "bc", "cd", "de", "ef"]) {
      const log = known((before ?? "").repeat(100_000));
      await storage.replace(bytes(start() + (after ?? "").repeat(100_000)), log);
    }
    done = true;
  };
  const read = async () => {
    while (!done) {
      const log = (await storage.read()).slice(14);
      assert.equal(log.length, 100_000);
      assert.ok(log.every((byte) => byte === log[0]));
    }
  };
  await Promise.all([replace(), read()]);
});

test("behind symbolic links the real file is meant", posix, async (t) => {
  const dir = sandbox(t);
  const at = (name: string) => join(dir, name);
  mkdirSync(at("real"));
  symlinkSync("real/v", at("one"));
  symlinkSync("one", at("two"));
  symlinkSync("real", at("folder"));

  // Through two dangling links, the vault is created where they point to.
  await new FileStorage(at("two"), { heads: null }).create(bytes(`${start()}abc`));
  assert.ok(lstatSync(at("real/v")).isFile());

  const storage = new FileStorage(at("two"), { heads: null });
  assert.equal(storage.path, at("real/v"));
  assert.deepEqual(storage.places, [at("real/v"), at("two")]);
  assert.deepEqual(new FileStorage(at("folder/v")).places, [at("real/v")]);
  await storage.exclusive(async (file) => {
    assert.deepEqual(names(at("real")), ["v", "v.lock"]);
    const direct = new FileStorage(at("real/v"), { heads: null, lockTimeoutMs: 0 });
    await assert.rejects(direct.append(bytes("def"), known("abc")), failsWith("lock_timeout"));
    await file.replace(bytes(`${start()}xyz`), known("abc"));
  });
  assert.ok(lstatSync(at("one")).isSymbolicLink());
  holds(storage, "xyz");
});

test("links in a circle are an error", posix, (t) => {
  const dir = sandbox(t);
  symlinkSync("b", join(dir, "a"));
  symlinkSync("a", join(dir, "b"));
  assert.throws(() => new FileStorage(join(dir, "a")), failsWith("io"));
});

test("known heads are the user's, the caller's or none", (t) => {
  const path = join(sandbox(t), "v");
  const before = process.env["CVAULT_STATE_DIR"];
  t.after(() =>
    before === undefined
      ? delete process.env["CVAULT_STATE_DIR"]
      : (process.env["CVAULT_STATE_DIR"] = before),
  );
  process.env["CVAULT_STATE_DIR"] = "/own";
  const { heads } = new FileStorage(path);
  assert.ok(heads instanceof FileKnownHeads && heads.dir === "/own");
  assert.equal(new FileStorage(path, { heads: null }).heads, undefined);
  assert.equal(new FileStorage(path, { heads }).heads, heads);
});

test("those who subscribe hear of appends and replacements", async (t) => {
  const { storage } = await created(t, "abc");
  const change = async (step: () => Promise<void>) => {
    let stop = () => {};
    const heard = new Promise<void>((resolve) => (stop = storage.subscribe(resolve)));
    await step();
    await heard;
    stop();
    stop();
  };
  await change(() => storage.append(bytes("def"), known("abc")));
  await change(() => storage.replace(bytes(`${start()}xyz`), known("abcdef")));
});

test("reading ends with its signal", async (t) => {
  const { storage } = await created(t, "abc");
  const signal = AbortSignal.abort("enough");
  const enough = (reason: unknown) => reason === "enough";
  await assert.rejects(storage.read(signal), enough);
  await assert.rejects(storage.compare(known("abc"), signal), enough);
  await assert.rejects(
    storage.exclusive((file) => file.read(), signal),
    enough,
  );
});
