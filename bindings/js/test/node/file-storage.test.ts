/** What a vault file goes through, on a real file system. */

import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { VAULT_LEN_MAX } from "../../src/node/disk.js";
import { FileStorage } from "../../src/node/file-storage.js";
import { FileKnownHeads } from "../../src/node/known-heads.js";
import type { LockedFile } from "../../src/node/locked-file.js";
import type { StorageWarning, VaultStorage } from "../../src/storage.js";
import {
  bytes,
  failsWith,
  instead,
  known,
  names,
  NOT_FILES,
  sandbox,
  start,
  systemError,
} from "./sandbox.js";

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

test("what is not a file is not a vault", posix, async (t) => {
  for (const [kind, make] of Object.entries(NOT_FILES)) {
    const path = join(sandbox(t), "v");
    make(t, path);
    const storage = new FileStorage(path, { heads: null });
    const refused = (error: Error) => {
      assert.equal(error.message, `${path} is ${kind}, not a file`);
      return failsWith("not_a_file")(error);
    };
    await assert.rejects(storage.read(), refused);
    await assert.rejects(storage.compare(known("abc")), refused);
    await assert.rejects(storage.append(bytes("d"), known("abc")), refused);
  }
});

test("a file that is too large is not read", async (t) => {
  const { storage } = await created(t, "abc");
  // Sparse: it takes no room.
  truncateSync(storage.path, VAULT_LEN_MAX + 1);
  await assert.rejects(storage.read(), failsWith("limit_exceeded"));
  await assert.rejects(storage.compare(known("abc")), failsWith("limit_exceeded"));
  await assert.rejects(
    storage.exclusive((file) => file.read()),
    failsWith("limit_exceeded"),
  );
});

test("a file that was replaced or deleted is not written to", posix, async (t) => {
  const { dir, storage } = await created(t, "abc");
  const away = join(dir, "away");
  const ways = {
    replaced: () => {
      copyFileSync(storage.path, away);
      renameSync(away, storage.path);
    },
    deleted: () => unlinkSync(storage.path),
  };
  for (const spoil of Object.values(ways)) {
    const content = readFileSync(storage.path);
    const changes = {
      append: (file: VaultStorage) => file.append(bytes("def"), known("abc")),
      replace: (file: VaultStorage) => file.replace(bytes(`${start()}xyz`), known("abc")),
      sync: (file: VaultStorage) => (file as LockedFile).sync(),
    };
    for (const change of Object.values(changes)) {
      await storage.exclusive(async (file) => {
        spoil();
        await assert.rejects(change(file), failsWith("file_replaced"));
      });
      writeFileSync(storage.path, content);
    }
  }
  holds(storage, "abc");
  assert.deepEqual(names(dir), ["v"]);
});

test("a commit that went into a file that nobody will open is not acknowledged", posix, async (t) => {
  const { dir, storage } = await created(t, "abc");
  const away = join(dir, "away");
  writeFileSync(away, `${start()}abc`);
  // After the last look, somebody who takes no lock puts another file in the vault's place.
  instead(t, "fdatasync", (fdatasync) => (file: number, done: (error: Error | null) => void) => {
    renameSync(away, storage.path);
    fdatasync(file, done);
  });
  await assert.rejects(storage.append(bytes("def"), known("abc")), failsWith("file_replaced"));
  holds(storage, "abc");
});

test("an answer that writes nothing is synced", async (t) => {
  const { storage } = await created(t, "abc");
  const synced: string[] = [];
  const restore = instead(t, "fdatasync", () => (_: number, done: (error: Error | null) => void) => {
    synced.push("vault");
    done(null);
  });
  await storage.sync(known("abc"));
  await storage.exclusive(async (file) => (file as LockedFile).sync());
  assert.deepEqual(synced, ["vault", "vault"]);
  restore();
  instead(t, "fdatasync", () => (_: number, done: (error: Error) => void) => done(systemError("EIO", -5)));
  await assert.rejects(storage.sync(known("abc")), failsWith("not_durable"));
});

test("what was read stays once no writer is at work", async (t) => {
  const { storage } = await created(t, "abcdef");
  assert.ok(await storage.stays(known("abcdef")));
  assert.ok(await storage.stays(known("abc")));
  assert.ok(!(await storage.stays(known("abcdefghi"))), "it was withdrawn");
  await storage.exclusive(async () => assert.ok(!(await storage.stays(known("abcdef")))));
});

test("a file with other names is not replaced, and is a warning", posix, async (t) => {
  const { dir } = await created(t, "abc");
  const warnings: StorageWarning[] = [];
  const storage = new FileStorage(join(dir, "v"), {
    heads: null,
    onWarning: (warning) => warnings.push(warning),
  });
  linkSync(storage.path, join(dir, "w"));
  await assert.rejects(storage.replace(bytes(`${start()}xyz`), known("abc")), (error: Error) => {
    assert.ok(error.message.startsWith(`${storage.path} has 2 names`), error.message);
    return failsWith("other_names")(error);
  });
  await storage.append(bytes("def"), known("abc"));
  holds(storage, "abcdef");
  assert.deepEqual(names(dir), ["v", "w"]);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ["other_names"],
    "once for each storage",
  );
  unlinkSync(join(dir, "w"));
  // A creator may have failed to remove its temporary name.
  linkSync(storage.path, join(dir, "v.unfinished"));
  await storage.exclusive(async (file) => assert.equal(file.mayReplace?.(), true));
  await storage.replace(bytes(`${start()}xyz`), known("abcdef"));
  holds(storage, "xyz");
});

test("a file that is mounted by itself is not replaced, and the error says what to do", async (t) => {
  const { dir, storage } = await created(t, "abc");
  instead(t, "renameSync", () => () => {
    throw systemError("EBUSY", -16);
  });
  await assert.rejects(
    storage.replace(bytes(`${start()}xyz`), known("abc")),
    (error: Error & { hint?: string }) => {
      assert.ok(error.hint?.includes("mount its folder"), error.hint);
      return failsWith("io")(error);
    },
  );
  holds(storage, "abc");
  assert.deepEqual(names(dir), ["v"]);
});

test("what a dead owner left is durable before its lock goes", posix, async (t) => {
  const { dir, storage } = await created(t, "abc");
  const events: string[] = [];
  const tell =
    (event: string) =>
    (original: (...args: never[]) => unknown) =>
    (...args: never[]) => {
      events.push(event);
      return original(...args);
    };
  writeFileSync(`${storage.path}.lock`, "");
  writeFileSync(`${storage.path}.unfinished`, "half of");
  instead(t, "fdatasyncSync", tell("sync"));
  instead(t, "fsyncSync", tell("sync the folder"));
  instead(t, "unlinkSync", (unlinkSync) => (path: string) => {
    if (path.endsWith(".lock")) events.push("unlock");
    unlinkSync(path);
  });
  await storage.exclusive(async () => undefined);
  // The second one is our own.
  assert.deepEqual(events, ["sync", "sync the folder", "unlock", "unlock"]);
  assert.deepEqual(names(dir), ["v"]);
});

test("what is deleted stays deleted", posix, async (t) => {
  const { storage } = await created(t, "abc");
  writeFileSync(`${storage.path}.torn-1-aa`, "old");
  instead(t, "fsync", () => (_: number, done: (error: Error) => void) => done(systemError("EIO", -5)));
  await assert.rejects(storage.removeTornTails(), failsWith("not_durable"));
});

test("a vault that is there is durable before another creator hears of it", posix, async (t) => {
  const { storage } = await created(t, "abc");
  instead(t, "fsync", () => (_: number, done: (error: Error) => void) => done(systemError("EIO", -5)));
  await assert.rejects(storage.create(bytes("other")), failsWith("not_durable"));
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
    let full = false;
    const restore = instead(
      t,
      "writeSync",
      (writeSync) => (fd: number, data: Uint8Array, offset: number, _: number, at: number) => {
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
    const restore = instead(
      t,
      "fdatasync",
      () => (_: number, done: (error: Error) => void) => done(systemError("EIO", -5)),
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
  const restore = instead(
    t,
    "fsync",
    () => (_: number, done: (error: Error) => void) => done(systemError("EIO", -5)),
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
