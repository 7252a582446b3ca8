/**
 * The lock file: one process at a time changes a vault, whatever language it is written in
 * (docs/file-lock.md, which is normative; the argument why two never hold it stands in
 * crates/connector-vault-store/src/lock.rs).
 */

import {
  closeSync,
  fstatSync,
  linkSync,
  lstatSync,
  readdirSync,
  unlinkSync,
  type BigIntStats,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";

import { VaultError } from "../error.js";
import {
  checkFile,
  createPrivate,
  discard,
  hasCode,
  hasNoHardLinks,
  ioError,
  openFile,
  randomHex,
  readUpTo,
  writeAll,
} from "./disk.js";
import { describeOwner, ownerOf, ownerWith, parseOwner, provesGone, type Owner } from "./owner.js";

/** How long to wait for a lock unless told otherwise. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Most bytes of a lock file. */
const LOCK_LEN_MAX = 4096;
/**
 * How long one lock may stand there of which nobody can tell who holds it, before a person has to look. It
 * may be in use, by another user whose work is not to be disturbed.
 */
const PATIENCE_MS = 1000;
/** How many breakers may have died while breaking the lock of another, before a person has to look. */
const BREAK_DEPTH_MAX = 8;
const WAIT_MIN_MS = 0.05;
const WAIT_MAX_MS = 10;

/** How to wait for a lock. */
export interface LockOptions {
  /** After how long to give up; 0 tries once. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For tests: how long to put up with one lock of which nobody can tell who holds it. */
  readonly patienceMs?: number | undefined;
  /**
   * Makes durable what the owner of a lock that is gone may have left, before that lock is removed: whoever
   * takes the lock next, perhaps another process, builds on it.
   */
  readonly settle?: (() => void) | undefined;
}

/**
 * A lock that this process holds, until it is released. All but the waiting is synchronous: it takes a
 * few system calls of microseconds each.
 *
 * A worker thread that is terminated while it holds one leaves it to the process, which lives.
 */
export class FileLock {
  readonly #path: string;
  readonly #token: string;

  /** The lock that was published at `path` with `token`. */
  constructor(
    path: string,
    token: string,
    /** Whether a lock of an owner that is gone was removed on the way: it may have left something half done. */
    readonly broke: boolean,
  ) {
    this.#path = path;
    this.#token = token;
  }

  /**
   * Takes the lock that the file `path` stands for. Threads of one process, and calls of one thread,
   * exclude each other as processes do.
   *
   * Fails with `lock_timeout` if somebody else holds it all the time; with `lock_unreadable`, without waiting
   * much longer than a second, if it is another user's or not a lock; with `not_a_file`; with `io` if the
   * folder cannot be written to; and with the reason of `signal`.
   */
  static async acquire(path: string, options: LockOptions = {}): Promise<FileLock> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, patienceMs = PATIENCE_MS, signal, settle = () => {} } = options;
    signal?.throwIfAborted();
    const deadline = performance.now() + timeoutMs;
    const candidate = new Candidate(path);
    let wait = WAIT_MIN_MS;
    let broke = false;
    let unclear: { readonly file: string; readonly since: number } | undefined;
    try {
      for (;;) {
        if (candidate.publish()) return new FileLock(path, candidate.token, broke);
        const found = read(path);
        const gone = goneOf(found, path);
        if (gone !== undefined && breakGone(path, gone, 0, settle)) {
          broke = true;
          continue;
        }
        const now = performance.now();
        if (isUnclear(found)) {
          if (unclear?.file !== found.file) unclear = { file: found.file, since: now };
          if (now - unclear.since >= patienceMs) throw heldByAnother(path, timeoutMs, found);
        }
        const left = deadline - now;
        if (left <= 0) throw heldByAnother(path, timeoutMs, found);
        // Between half of it and all of it, so that those who wait do not go on together.
        await pause(Math.min(wait * (1 + Math.random()) * 0.5, left), signal);
        wait = Math.min(wait * 2, WAIT_MAX_MS);
      }
    } finally {
      candidate.discard();
    }
  }

  /**
   * Checks that the lock is still this one. A safeguard against hands that delete lock files, no more:
   * it can be lost in the next moment.
   *
   * Fails with `lock_lost` if it is not, with `not_a_file` and `io` if it cannot be looked at.
   */
  verify(): void {
    if (this.#stands()) return;
    const hint = "never delete the lock file of a process that runs; open the vault again";
    throw new VaultError("lock_lost", `${this.#path} was taken away while this process held it`, hint);
  }

  /** Gives the lock back. Once it is lost or released, this does nothing. */
  release(): void {
    try {
      // Nobody removes the lock of a living process, so between looking and removing it stays ours.
      if (this.#stands()) remove(this.#path);
    } catch {
      abandoned.add(this.#token);
    }
  }

  #stands(): boolean {
    return isHeldWith(this.#token, read(this.#path));
  }
}

/**
 * The tokens of locks that may have been left standing although they are not held: removing them failed.
 * Nobody uses such a token again, so its owner is gone. A lock of this process that is not among them is
 * held: perhaps by another thread, which has a set of its own.
 */
const abandoned = new Set<string>();

/**
 * A lock file ready to be published. It is not synced: after a power failure no owner is left, and an
 * empty lock file says so too.
 */
class Candidate {
  readonly token = randomHex();
  readonly #path: string;
  readonly #temp: string;
  readonly #content: Uint8Array;

  constructor(path: string) {
    this.#path = path;
    this.#temp = `${path}.${this.token}.tmp`;
    this.#content = new TextEncoder().encode(`${JSON.stringify(ownerWith(this.token))}\n`);
    try {
      createWith(this.#temp, this.#content);
    } catch (error) {
      throw ioError("create", this.#temp, error);
    }
  }

  /** Gives the lock file its name. False if somebody else has the name. */
  publish(): boolean {
    try {
      this.link();
      return true;
    } catch (error) {
      // A network file system may repeat a `link` that succeeded and report the second one.
      if (hasCode(error, "EEXIST")) return this.#stands();
      if (!hasNoHardLinks(error)) throw this.#failed(error);
    }
    try {
      // Exclusive as well, but others may see it empty for a moment, and if the process dies in this
      // moment, it stays so.
      createWith(this.#path, this.#content);
      return true;
    } catch (error) {
      if (hasCode(error, "EEXIST")) return false;
      throw this.#failed(error);
    }
  }

  #failed(cause: unknown): VaultError {
    // Perhaps it stands there nevertheless.
    try {
      if (this.#stands()) abandoned.add(this.token);
    } catch {
      // The first error says enough.
    }
    return ioError("create", this.#path, cause);
  }

  #stands(): boolean {
    try {
      return isHeldWith(this.token, read(this.#path));
    } catch (error) {
      // That may be this one.
      if (error instanceof VaultError && error.code === "io") abandoned.add(this.token);
      throw error;
    }
  }

  link(): void {
    linkSync(this.#temp, this.#path);
  }

  discard(): void {
    discard(this.#temp);
  }
}

function createWith(path: string, content: Uint8Array): void {
  const file = createPrivate(path);
  try {
    writeAll(file, content, 0);
  } catch (error) {
    discard(path);
    throw error;
  } finally {
    closeSync(file);
  }
}

/**
 * What stands where a lock file would: nothing; an owner; what a power failure leaves of a file that was
 * not synced, empty or all zero; or anything else, nobody knows whose.
 */
type Found = Owner | Blank | Unclear | "nothing";

/** A file without content, by what tells it from others: device, inode, length. */
interface Blank {
  readonly blank: string;
}

/** A file that does not tell who holds the lock. */
interface Unclear {
  readonly reason: string;
  /**
   * Which file it is, as far as its attributes tell: another lock of the same owner may have the same number
   * and length.
   */
  readonly file: string;
}

/** Fails with `not_a_file` and `io`. */
function read(path: string): Found {
  let file: number | undefined;
  try {
    // Not through a link: what is removed is what the name itself stands for.
    const stat = lstatSync(path, { bigint: true });
    checkFile(stat);
    try {
      file = openFile(path, "read");
    } catch (error) {
      if (!hasCode(error, "EACCES", "EPERM")) throw error;
      return unclear(`it belongs to ${ownerOf(Number(stat.uid))}, and this process may not read it`, stat);
    }
    return contentOf(file);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "nothing";
    throw ioError("read", path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function contentOf(file: number): Found {
  const content = readUpTo(file, 0, LOCK_LEN_MAX);
  const stat = fstatSync(file, { bigint: true });
  if (content.every((byte) => byte === 0)) return { blank: `${stat.dev} ${stat.ino} ${stat.size}` };
  return parseOwner(content) ?? unclear("it does not hold what a lock holds", stat);
}

function unclear(reason: string, { dev, ino, size, mtimeNs }: BigIntStats): Unclear {
  return { reason, file: `${dev} ${ino} ${size} ${mtimeNs}` };
}

function isUnclear(found: Found): found is Unclear {
  return typeof found === "object" && "reason" in found;
}

function isOwner(found: Found): found is Owner {
  return typeof found === "object" && "token" in found;
}

function isBlank(found: Found): found is Blank {
  return typeof found === "object" && "blank" in found;
}

function isHeldWith(token: string, found: Found): boolean {
  return isOwner(found) && found.token === token;
}

/** A lock that was proven gone, by what tells it from those that may take its place. */
type Gone = { readonly token: string } | Blank;

/** This lock, if its owner is provably gone. */
function goneOf(found: Found, path: string): Gone | undefined {
  if (isOwner(found)) {
    return abandoned.has(found.token) || provesGone(found) ? { token: found.token } : undefined;
  }
  // With hard links, content precedes the name, so no living owner's lock was ever blank. Without, it
  // may be one that is just being written.
  return isBlank(found) && hardLinksWork(path) ? found : undefined;
}

function stillStands(gone: Gone, path: string): boolean {
  const now = read(path);
  return "token" in gone ? isHeldWith(gone.token, now) : isBlank(now) && now.blank === gone.blank;
}

function hardLinksWork(path: string): boolean {
  const name = `${path}.${randomHex()}.tmp`;
  const probe = new Candidate(name);
  try {
    probe.link();
    discard(name);
    return true;
  } catch {
    return false;
  } finally {
    probe.discard();
  }
}

/**
 * Removes a lock that was proven gone. True if a file was removed, here or deeper, so that it is worth
 * trying again at once.
 */
function breakGone(path: string, gone: Gone, depth: number, settle: () => void): boolean {
  if (depth === BREAK_DEPTH_MAX) return false;
  const guardPath = `${path}.break`;
  const guard = new Candidate(guardPath);
  try {
    if (!guard.publish()) {
      // Another breaker is at work, or was. It has changed nothing but lock files.
      const guardGone = goneOf(read(guardPath), guardPath);
      return guardGone !== undefined && breakGone(guardPath, guardGone, depth + 1, () => {});
    }
  } finally {
    guard.discard();
  }
  const held = new FileLock(guardPath, guard.token, false);
  try {
    settle();
    // Again, now that nobody else may remove it: since it was read, its owner may have released it, or
    // another breaker removed it, and a living process may have taken the lock. Nothing may come between
    // this look and the removal that asks whether anybody is gone.
    if (!stillStands(gone, path)) return false;
    remove(path);
  } finally {
    held.release();
  }
  if ("token" in gone) abandoned.delete(gone.token);
  sweep(path);
  return true;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw ioError("remove", path, error);
  }
}

/**
 * Removes temporary files of processes that died before they could. Best effort, and only after a lock
 * had to be broken, since that is when there may be some. Each has one owner and no meaning to others,
 * so nothing can go wrong here.
 */
function sweep(path: string): void {
  const [dir, prefix] = [dirname(path), `${basename(path)}.`];
  let names: string[] = [];
  try {
    names = readdirSync(dir);
  } catch {
    return;
  }
  for (const name of names) {
    if (!name.startsWith(prefix) || !name.endsWith(".tmp")) continue;
    const temp = join(dir, name);
    try {
      const found = read(temp);
      if (isOwner(found) && provesGone(found)) discard(temp);
    } catch {
      // What cannot be read stays.
    }
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    // Timers count in milliseconds. For less than one, let the others of this process go first.
    await (ms < 1 ? setImmediate(undefined, { signal }) : setTimeout(ms, undefined, { signal }));
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** The error of giving up. */
function heldByAnother(path: string, timeoutMs: number, found: Found): VaultError {
  if (isUnclear(found)) {
    const hint = `try again; if no program that uses it is at work, delete ${path}`;
    return new VaultError("lock_unreadable", `cannot tell who holds ${path}: ${found.reason}`, hint);
  }
  const owner = isOwner(found) ? describeOwner(found) : "another process";
  const hint =
    "try again; if its owner, perhaps in another container or on another machine, is certainly gone, " +
    `delete ${path}`;
  return new VaultError("lock_timeout", `waited ${duration(timeoutMs)} for ${path}, held by ${owner}`, hint);
}

function duration(ms: number): string {
  return ms > 0 && ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}
