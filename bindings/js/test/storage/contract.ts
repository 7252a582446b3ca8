/**
 * What every storage has to do, as cases for any place: Node, a page, a worker. Vaults are logs of random
 * bytes here, since a storage looks at nothing else (docs/format.md section 1).
 */

import type { VaultError } from "../../src/error.js";
import type { LogEnd, VaultStorage } from "../../src/storage.js";

/** Somewhere a vault may be kept, and is not yet. */
export interface Place {
  /** The storage of it: each time another object, where there are several of one place. */
  open(): VaultStorage;
}

export interface Case {
  readonly name: string;
  run(place: Place): Promise<void>;
}

export const contract: readonly Case[] = [];

function rule(name: string, run: (place: Place) => Promise<void>): void {
  (contract as Case[]).push({ name, run });
}

rule("what was created is read", async (place) => {
  const storage = place.open();
  const log = Log.random(3);
  await storage.create(log.file());
  equal(await storage.read(), log.file());
  equal(await place.open().read(), log.file());
});

rule("create never overwrites", async (place) => {
  const log = Log.random(2);
  await place.open().create(log.file());
  const [storage, other] = [place.open(), place.open()];
  await failsWith("file_exists", storage.create(Log.random().file()));
  await storage.read();
  await failsWith("file_exists", storage.create(Log.random().file()));
  equal(await other.read(), log.file());
});

rule("of several that create, one does", async (place) => {
  const logs = [1, 2, 3, 4].map((commits) => Log.random(commits));
  const created = await Promise.allSettled(logs.map((log) => place.open().create(log.file())));
  const [winner, ...others] = logs.filter((_, index) => created[index]?.status === "fulfilled");
  check(winner !== undefined && others.length === 0, "exactly one creates it");
  equal(await place.open().read(), winner.file());
  for (const outcome of created) {
    if (outcome.status === "rejected") await failsWith("file_exists", Promise.reject(outcome.reason));
  }
});

rule("a vault that is not there is not found", async (place) => {
  const storage = place.open();
  const known = Log.random().known();
  await failsWith("file_not_found", storage.read());
  await failsWith("file_not_found", storage.compare(known));
  await failsWith("file_not_found", storage.append(randomBytes(9), known));
  await failsWith("file_not_found", storage.replace(randomBytes(9), known));
  await failsWith("file_not_found", storage.read());
});

rule("it says what is the same, grown, replaced", async (place) => {
  const storage = place.open();
  const log = Log.random(2);
  await storage.create(log.file());
  const former = log.known();
  equal((await storage.compare(former)).state, "same");
  for (const length of [40, 200_000, 1, 70_000]) {
    const commit = log.add(length);
    await place.open().append(commit, log.knownBefore());
    equal((await storage.compare(log.known())).state, "same");
    const compared = await storage.compare(log.knownBefore());
    check(compared.state === "grown", "it has grown");
    equal(compared.tail, commit);
  }
  const all = await storage.compare(former);
  check(all.state === "grown", "it has grown by several");
  equal(all.tail, log.file().slice(former.start.length + former.end));
  equal((await storage.compare(Log.random(2).known())).state, "replaced");
  equal((await storage.compare(withOtherMark(log.known()))).state, "replaced");
  equal((await storage.compare(withOtherStart(log.known()))).state, "replaced");
  equal((await storage.compare({ ...log.known(), end: log.known().end + 1 })).state, "replaced");
});

rule("commits follow each other", async (place) => {
  const storage = place.open();
  const log = Log.random();
  await storage.create(log.file());
  for (const length of [1, 100, 150_000, 7, 7, 30_000]) {
    await storage.append(log.add(length), log.knownBefore());
    equal(await storage.read(), log.file());
  }
  equal(await place.open().read(), log.file());
});

rule("a large vault is kept as it is", async (place) => {
  const storage = place.open();
  const log = Log.random(2, 600_000);
  await storage.create(log.file());
  equal(await storage.read(), log.file());
  await storage.append(log.add(10), log.knownBefore());
  equal((await place.open().compare(log.known())).state, "same");
  equal(await place.open().read(), log.file());
});

for (const length of [1, 50, 120_000]) {
  rule(`a torn tail of ${length} bytes makes room`, async (place) => {
    const storage = place.open();
    const log = Log.random(2);
    const torn = randomBytes(length);
    await storage.create(concat(log.file(), torn));
    const compared = await storage.compare(log.known());
    check(compared.state === "grown", "a torn tail is growth");
    equal(compared.tail, torn);
    await failsWith("conflict", storage.append(randomBytes(9), log.known()));
    await failsWith("conflict", storage.append(randomBytes(9), log.known(length + 1)));
    await storage.append(log.add(60), log.knownBefore(length));
    equal(await storage.read(), log.file());
    await storage.append(log.add(60), log.knownBefore());
    equal(await place.open().read(), log.file());
  });
}

rule("a replacement takes a torn tail along", async (place) => {
  const storage = place.open();
  const [log, next] = [Log.random(2), Log.random(1)];
  await storage.create(concat(log.file(), randomBytes(30)));
  await failsWith("conflict", storage.replace(next.file(), log.known()));
  await storage.replace(next.file(), log.known(30));
  equal(await storage.read(), next.file());
});

rule("nothing is changed that is not as it is known", async (place) => {
  const storage = place.open();
  const log = Log.random(3);
  await storage.create(log.file());
  const known = log.known();
  const wrong: readonly LogEnd[] = [
    { ...known, end: known.end + 1 },
    { ...known, end: known.end - 1 },
    { ...known, torn: 1 },
    withOtherMark(known),
    withOtherStart(known),
    { ...known, start: known.start.slice(1), end: known.end + 1 },
    { ...known, marks: [{ offset: known.end, bytes: randomBytes(4) }] },
    Log.random(3).known(),
  ];
  for (const other of wrong) {
    await failsWith("conflict", storage.append(randomBytes(9), other));
    await failsWith("conflict", place.open().replace(randomBytes(9), other));
  }
  equal(await storage.read(), log.file());
  equal((await storage.compare(known)).state, "same");
});

rule("a change by somebody else is a conflict", async (place) => {
  const [storage, other] = [place.open(), place.open()];
  const log = Log.random();
  await storage.create(log.file());
  await other.append(log.add(80), log.knownBefore());
  await failsWith("conflict", storage.append(randomBytes(80), log.knownBefore()));
  await failsWith("conflict", storage.replace(randomBytes(80), log.knownBefore()));
  await storage.append(log.add(90), log.knownBefore());
  equal(await other.read(), log.file());
});

rule("other locks before the same log are a conflict", async (place) => {
  const [storage, other] = [place.open(), place.open()];
  const log = Log.random(2);
  await storage.create(log.file());
  const locked = new Log(randomBytes(log.start.length), [...log.commits]);
  await other.replace(locked.file(), log.known());
  equal((await storage.compare(log.known())).state, "replaced");
  await failsWith("conflict", storage.append(randomBytes(9), log.known()));
  await storage.append(locked.add(20), locked.knownBefore());
  equal(await other.read(), locked.file());
});

rule("a replacement is all there is", async (place) => {
  const storage = place.open();
  let log = Log.random(3);
  await storage.create(log.file());
  for (const commits of [1, 6, 2]) {
    const next = Log.random(commits, 40_000);
    await storage.replace(next.file(), log.known());
    equal(await storage.read(), next.file());
    equal((await place.open().compare(log.known())).state, "replaced");
    await failsWith("conflict", storage.replace(log.file(), log.known()));
    log = next;
    await storage.append(log.add(9), log.knownBefore());
  }
  equal(await place.open().read(), log.file());
});

rule("appends at the same time lose nothing", async (place) => {
  const log = Log.random();
  await place.open().create(log.file());
  const writers = [0, 1, 2, 3, 4, 5, 6, 7];
  await Promise.all(
    writers.map(async (writer) => {
      const replica = new Replica(place.open());
      for (let number = 0; number < 5; number++) await replica.append(entry(writer, number));
    }),
  );
  checkEntries(await place.open().read(), log, writers.length, 5);
});

rule("replacements between appends lose nothing", async (place) => {
  const log = Log.random();
  await place.open().create(log.file());
  const writers = [0, 1, 2];
  await Promise.all(
    writers.map(async (writer) => {
      const replica = new Replica(place.open());
      for (let number = 0; number < 4; number++) {
        await replica.append(entry(writer, number));
        await replica.rewrite();
      }
    }),
  );
  checkEntries(await place.open().read(), log, writers.length, 4);
});

rule("turns: nobody writes while work is running", async (place) => {
  const log = Log.random();
  await place.open().create(log.file());
  const writers = [0, 1, 2, 3];
  await Promise.all(
    writers.map(async (writer) => {
      const storage = place.open();
      for (let number = 0; number < 4; number++) {
        await exclusively(storage, (held) => new Replica(held).append(entry(writer, number)));
      }
    }),
  );
  checkEntries(await place.open().read(), log, writers.length, 4);
  const storage = place.open();
  const reason = new Error("a reason of its own");
  const failing = exclusively(storage, () => Promise.reject(reason));
  check((await failing.catch((error: unknown) => error)) === reason, "the work's own reason");
  equal(await exclusively(storage, async () => 5), 5);
});

rule("bytes belong to whom they were handed", async (place) => {
  const storage = place.open();
  const log = Log.random(2);
  const file = log.file();
  await storage.create(file);
  file.fill(0);
  for (const former of [await storage.read(), await place.open().read()]) former.fill(1);
  equal(await storage.read(), log.file());

  const commit = log.add(50);
  const added = commit.slice();
  await storage.append(added, log.knownBefore());
  added.fill(2);
  equal(await storage.read(), log.file());
  const compared = await storage.compare(log.knownBefore());
  check(compared.state === "grown", "it has grown");
  compared.tail.fill(3);
  equal(await storage.read(), log.file());

  const next = Log.random(1);
  const replacement = next.file();
  await storage.replace(replacement, log.known());
  replacement.fill(4);
  equal(await storage.read(), next.file());
});

rule("bytes may be a view of a larger memory", async (place) => {
  const storage = place.open();
  const log = Log.random(1);
  await storage.create(concat(randomBytes(10), log.file(), randomBytes(10)).subarray(10, -10));
  const commit = log.add(20);
  await storage.append(concat(randomBytes(10), commit, randomBytes(10)).subarray(10, -10), log.knownBefore());
  equal(await storage.read(), log.file());
});

rule("an aborted signal ends reading", async (place) => {
  const storage = place.open();
  const log = Log.random();
  await storage.create(log.file());
  const reason = new Error("no longer needed");
  const signal = AbortSignal.abort(reason);
  for (const work of [storage.read(signal), storage.compare(log.known(), signal)]) {
    check((await work.catch((error: unknown) => error)) === reason, "the signal's reason");
  }
  equal(await storage.read(new AbortController().signal), log.file());
});

rule("it has a place", async (place) => {
  const { places } = place.open();
  check(places.length > 0 && places.every((place) => place !== ""), "places have names");
  equal(places, place.open().places);
});

/** Runs `work` in turn, where the storage knows of turns. */
export function exclusively<T>(
  storage: VaultStorage,
  work: (storage: VaultStorage) => Promise<T>,
): Promise<T> {
  return storage.exclusive === undefined ? work(storage) : storage.exclusive(work);
}

const START_LEN = 40;

/** A log of random bytes, with how it looks to somebody who has read it. */
export class Log {
  constructor(
    readonly start: Uint8Array,
    readonly commits: Uint8Array[],
  ) {}

  static random(commits = 1, length = 100): Log {
    return new Log(
      randomBytes(START_LEN),
      Array.from({ length: commits }, () => randomBytes(length)),
    );
  }

  /** Adds a commit, and returns it. */
  add(content: number | Uint8Array): Uint8Array {
    const commit = typeof content === "number" ? randomBytes(content) : content;
    this.commits.push(commit);
    return commit.slice();
  }

  file(): Uint8Array {
    return concat(this.start, ...this.commits);
  }

  known(torn = 0): LogEnd {
    return this.#endAfter(this.commits.length, torn);
  }

  /** What is known of it without its newest commit. */
  knownBefore(torn = 0): LogEnd {
    return this.#endAfter(this.commits.length - 1, torn);
  }

  #endAfter(commits: number, torn: number): LogEnd {
    const known = this.commits.slice(0, commits);
    const newest = known.at(-1) ?? new Uint8Array();
    const end = known.reduce((end, { length }) => end + length, 0);
    const marks = [newest.slice(0, 8), newest.slice(-8)].map((bytes, index) => ({
      offset: index === 0 ? end - newest.length : end - bytes.length,
      bytes,
    }));
    return { start: this.start.slice(), marks, end, torn };
  }
}

/** The length of the commits that {@link entry} makes. */
const ENTRY_LEN = 64;

/** A commit that tells who wrote it, and as which of theirs; random otherwise. */
export function entry(writer: number, number: number): Uint8Array {
  const commit = randomBytes(ENTRY_LEN);
  commit[0] = writer;
  commit[1] = number;
  return commit;
}

/** More conflicts in a row than any number of writers here makes. */
const CONFLICTS_MAX = 1000;

/** Does what a vault does: compares, catches up, appends, and again if somebody was faster. */
export class Replica {
  readonly #storage: VaultStorage;
  #file: Uint8Array | undefined;

  constructor(storage: VaultStorage) {
    this.#storage = storage;
  }

  append(commit: Uint8Array): Promise<void> {
    return this.#retry(async (file) => {
      await this.#storage.append(commit.slice(), knownOf(file));
      this.#file = concat(file, commit);
    });
  }

  /** Replaces the vault by itself with another start, as a change of its locks does. */
  rewrite(): Promise<void> {
    return this.#retry(async (file) => {
      const next = concat(randomBytes(START_LEN), file.slice(START_LEN));
      await this.#storage.replace(next.slice(), knownOf(file));
      this.#file = next;
    });
  }

  async #retry(step: (file: Uint8Array) => Promise<void>): Promise<void> {
    for (let conflicts = 0; conflicts < CONFLICTS_MAX; conflicts++) {
      const file = await this.#caughtUp();
      try {
        return await step(file);
      } catch (error) {
        if (!isVaultError(error) || error.code !== "conflict") throw error;
      }
    }
    throw new Error("it finds nothing new and calls it a conflict, or others are always faster");
  }

  async #caughtUp(): Promise<Uint8Array> {
    const file = this.#file;
    const compared = file === undefined ? undefined : await this.#storage.compare(knownOf(file));
    if (file === undefined || compared === undefined || compared.state === "replaced") {
      return (this.#file = await this.#storage.read());
    }
    return compared.state === "same" ? file : (this.#file = concat(file, compared.tail));
  }
}

/** Checks that a file holds the log, and behind it all entries of each writer, in their order. */
export function checkEntries(file: Uint8Array, log: Log, writers: number, each: number): void {
  const from = log.file().length;
  equal(file.slice(START_LEN, from), log.file().slice(START_LEN));
  equal(file.length, from + writers * each * ENTRY_LEN);
  const counts = new Map<number, number>();
  for (let at = from; at < file.length; at += ENTRY_LEN) {
    const [writer = -1, number = -1] = file.slice(at, at + 2);
    equal(number, counts.get(writer) ?? 0);
    counts.set(writer, number + 1);
  }
  equal(
    [...counts.values()],
    Array.from({ length: writers }, () => each),
  );
}

/** What is known of a file whose newest commit is an entry. */
function knownOf(file: Uint8Array): LogEnd {
  const end = file.length - START_LEN;
  const offset = end - ENTRY_LEN;
  const marks = [{ offset, bytes: file.slice(START_LEN + offset) }];
  return { start: file.slice(0, START_LEN), marks, end, torn: 0 };
}

function withOtherMark(known: LogEnd): LogEnd {
  const [first, ...others] = known.marks.toReversed();
  check(first !== undefined, "there are marks");
  return { ...known, marks: [...others, { ...first, bytes: first.bytes.map((byte) => byte ^ 1) }] };
}

function withOtherStart(known: LogEnd): LogEnd {
  return { ...known, start: known.start.map((byte) => byte ^ 1) };
}

export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  // It gives 65536 bytes at a time.
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function check(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new Error(`not so: ${rule}`);
}

/** Not `node:assert`: this runs in pages too. */
function equal(found: unknown, expected: unknown): void {
  if (found instanceof Uint8Array && expected instanceof Uint8Array) {
    const at = expected.findIndex((byte, index) => byte !== found[index]);
    if (at === -1 && found.length === expected.length) return;
    throw new Error(`found ${found.length} bytes, expected ${expected.length}, which differ from ${at} on`);
  }
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  if (left !== right) throw new Error(`found ${left}, expected ${right}`);
}

async function failsWith(code: string, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (isVaultError(error) && error.code === code) return;
    throw error;
  }
  throw new Error(`succeeded, expected ${code}`);
}

/** Also of the package as it is built, which a storage of one's own takes it from. */
function isVaultError(error: unknown): error is VaultError {
  return error instanceof Error && error.name === "VaultError";
}
