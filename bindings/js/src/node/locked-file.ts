/** A vault file while its lock is held: compare, append, replace (docs/file-lock.md section 6). */

import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  readdirSync,
  renameSync,
  unlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

import { VaultError } from "../error.js";
import type { KnownHeads } from "../heads.js";
import type { Compared, LogEnd, StorageWarning, VaultStorage } from "../storage.js";
import { compare, isUnchanged, logEnd } from "../storage/compare.js";
import {
  attempt,
  checkVaultLength,
  createPrivate,
  discard,
  hasCode,
  ioError,
  notDurable,
  openError,
  openFile,
  randomHex,
  readUpTo,
  storedIn,
  sync,
  syncData,
  syncDir,
  writeAll,
} from "./disk.js";
import type { FileLock } from "./file-lock.js";
import { checkCurrent, hasLinks, otherNames, otherNamesError } from "./names.js";

/** A vault file that no other process changes, until it is closed. */
export class LockedFile implements VaultStorage {
  readonly places: readonly string[];
  readonly heads: KnownHeads | undefined;
  readonly #path: string;
  readonly #lock: FileLock;
  readonly #warn: (warning: StorageWarning) => void;
  /** The descriptor; -1, which all calls refuse, once it is closed. */
  #file: number;
  /** A change may or may not have reached the disk, and so nothing may be built on it. */
  #poisoned = false;
  /** Settles with the last change: they wait for each other, and {@link close} for all of them. */
  #changed: Promise<void> = Promise.resolve();

  /**
   * Opens the file of `storage` by path under its lock: what was open before may have been replaced.
   *
   * Fails with `file_not_found`, `file_replaced`, `not_a_file` and `io`.
   */
  constructor(storage: VaultStorage, path: string, lock: FileLock) {
    this.places = storage.places;
    this.heads = storage.heads;
    this.#path = path;
    this.#lock = lock;
    this.#warn = (warning) => storage.warn?.(warning);
    try {
      this.#file = openFile(path, "change");
    } catch (error) {
      throw openError("open", path, error);
    }
    try {
      checkCurrent(this.#file, path);
      // One name may be the temporary one by which the vault was created: removing that may have failed.
      if (hasLinks(this.#file)) discard(unfinishedPath(path));
    } catch (error) {
      closeSync(this.#file);
      throw ioError("find", path, error);
    }
  }

  /** The names of the file beside its path, as the words that follow the path. */
  otherNames(): string | undefined {
    return attempt("read", this.#path, () => otherNames(this.#file, this.#path));
  }

  /** Waits for changes under way and closes the file. The lock stays. */
  async close(): Promise<void> {
    await this.#changed;
    const file = this.#file;
    this.#file = -1;
    closeSync(file);
  }

  /** There is a file: fails with `file_exists`. */
  async create(): Promise<void> {
    throw fileExists(this.#path);
  }

  async read(): Promise<Uint8Array> {
    return attempt("read", this.#path, () => {
      const stored = storedIn(this.#file);
      checkVaultLength(stored.length);
      return stored.read(0, stored.length);
    });
  }

  async compare(known: LogEnd): Promise<Compared> {
    this.#checkUsable();
    return attempt("read", this.#path, () => compare(storedIn(this.#file), known));
  }

  /**
   * Adds bytes behind the known log. They are on the disk when this resolves.
   *
   * Fails with `io` if they could not be written, for example because the disk is full: the log is as
   * before then. Fails with `not_durable` if they could not be synced: the outcome is unknown, and this
   * file refuses further work. Fails with `conflict` if somebody changed the file, with `lock_lost` if
   * somebody took the lock away, and with `file_replaced` if another file stands in its place.
   */
  append(commit: Uint8Array, known: LogEnd): Promise<void> {
    return this.#change(known, async () => {
      const end = logEnd(known);
      try {
        writeAll(this.#file, commit, end);
      } catch (error) {
        // Nothing of it was acknowledged. If this fails too, a torn tail stays, which is dropped when
        // the vault is opened. Synced, so that the next append to this place does not mix with bytes of this
        // one in a power failure.
        if (this.#tryToCut(end)) await syncData(this.#file).catch(() => undefined);
        throw ioError("append to", this.#path, error);
      }
      try {
        await syncData(this.#file);
      } catch (error) {
        // Syncing again would report success: the kernel has marked the pages clean that it could not
        // write. For that reason too they are dropped, so that no later append builds on them.
        this.#tryToCut(end);
        throw this.#poison(error);
      }
      this.#checkCurrent();
    });
  }

  /**
   * Makes durable what is in the file: an answer that writes nothing may rely on bytes of a process that died
   * before it synced them.
   *
   * Fails with `not_durable`, after which this file refuses further work; with `lock_lost` and
   * `file_replaced`.
   */
  sync(): Promise<void> {
    return this.#inTurn(async () => {
      this.#checkUsable();
      this.#lock.verify();
      try {
        await syncData(this.#file);
      } catch (error) {
        throw this.#poison(error);
      }
      this.#checkCurrent();
    });
  }

  /**
   * Replaces the file's content at once: whoever reads sees all of the old bytes or all of the new ones,
   * and after a power failure either stands there whole. The new bytes are on the disk when this
   * resolves. The file's mode is kept, its owner and group if the system permits; access control lists
   * and further hard links are not.
   *
   * Fails with `io`, `conflict`, `lock_lost`, `file_replaced`, or with `other_names` if the file has several
   * links: the log is as before then. Fails with `not_durable` if the new file stands there but a power failure
   * may still bring back the old one.
   */
  replace(file: Uint8Array, known: LogEnd): Promise<void> {
    return this.#change(known, async (settled) => {
      const fresh = await writeUnfinished(this.#path, file, (unfinished) => {
        const names = hasLinks(this.#file) ? otherNames(this.#file, this.#path) : undefined;
        if (names !== undefined) throw otherNamesError(this.#path, names);
        keepMode(this.#file, unfinished);
      });
      try {
        // Writing may have taken long.
        this.#checkUnchanged(settled);
        this.#publish();
      } catch (error) {
        closeSync(fresh);
        discard(unfinishedPath(this.#path));
        throw error;
      }
      closeSync(this.#file);
      this.#file = fresh;
      try {
        await syncDir(dirname(this.#path));
      } catch (error) {
        throw this.#poison(error);
      }
      this.#checkCurrent();
    });
  }

  /** Gives the new version the vault's name. */
  #publish(): void {
    try {
      renameSync(unfinishedPath(this.#path), this.#path);
    } catch (error) {
      const hint = "if the file is mounted into a container by itself, mount its folder instead";
      throw ioError("replace", this.#path, error, hasCode(error, "EBUSY") ? hint : undefined);
    }
  }

  /** A new version would leave other names of the file behind, and on a mounted one it cannot take its place. */
  mayReplace(): boolean {
    const names = this.otherNames();
    if (names === undefined) return true;
    const message =
      `${this.#path} ${names}, so it was not compacted, which would leave them behind; use one name, and ` +
      "mount folders instead of files";
    this.#warn({ code: "other_names", message });
    return false;
  }

  warn(warning: StorageWarning): void {
    this.#warn(warning);
  }

  async removeTornTails(): Promise<number> {
    const [dir, prefix] = [dirname(this.#path), `${basename(this.#path)}.torn-`];
    const names = attempt("read", dir, () => readdirSync(dir)).filter((name) => name.startsWith(prefix));
    for (const name of names) {
      const path = join(dir, name);
      attempt("remove", path, () => unlinkSync(path));
    }
    try {
      // Also if there were none: another process may have deleted them and died.
      await syncDir(dir);
    } catch (error) {
      throw notDurable(this.#path, error);
    }
    return names.length;
  }

  /** Takes one step at a time, on a file that ends with the known log and without a torn tail. */
  #change(known: LogEnd, step: (settled: LogEnd) => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      this.#checkUnchanged(known);
      if (known.torn > 0) await this.#cutTornTail(known);
      await step({ ...known, torn: 0 });
    });
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const change = this.#changed.then(step);
    this.#changed = change.catch(() => undefined);
    return change;
  }

  /** Cuts off the torn tail, after keeping its bytes in a file beside the vault. */
  async #cutTornTail(known: LogEnd): Promise<void> {
    const end = logEnd(known);
    const side = `${this.#path}.torn-${Date.now()}-${randomHex()}`;
    const kept = attempt("create", side, () => createPrivate(side));
    try {
      writeAll(kept, readUpTo(this.#file, end, known.torn), 0);
      await sync(kept);
      await syncDir(dirname(side));
    } catch (error) {
      discard(side);
      throw ioError("write", side, error);
    } finally {
      closeSync(kept);
    }
    // Syncing may have taken long, and what is cut off now has to be what was kept.
    this.#checkUnchanged(known);
    attempt("cut", this.#path, () => ftruncateSync(this.#file, end));
    try {
      await sync(this.#file);
    } catch (error) {
      throw this.#poison(error);
    }
  }

  #tryToCut(end: number): boolean {
    try {
      ftruncateSync(this.#file, end);
      return true;
    } catch {
      // A torn tail is no obstacle.
      return false;
    }
  }

  #poison(cause: unknown): VaultError {
    this.#poisoned = true;
    return notDurable(this.#path, cause);
  }

  #checkUsable(): void {
    if (this.#poisoned) throw notDurable(this.#path);
  }

  /** A commit in a file that nobody will ever open again is lost, and so must not be acknowledged. */
  #checkCurrent(): void {
    attempt("find", this.#path, () => checkCurrent(this.#file, this.#path));
  }

  #checkUnchanged(known: LogEnd): void {
    this.#checkUsable();
    this.#lock.verify();
    this.#checkCurrent();
    const stored = attempt("read", this.#path, () => storedIn(this.#file));
    if (attempt("read", this.#path, () => isUnchanged(stored, known))) return;
    const expected = logEnd(known) + known.torn;
    const message =
      stored.length === expected
        ? `${this.#path} holds another log than the one that was read`
        : `${this.#path} was expected to end at byte ${expected} and ends at byte ${stored.length}`;
    throw new VaultError("conflict", message, "read the vault again and repeat the change");
  }
}

/** A file already stands where the vault was to be created. */
export function fileExists(path: string): VaultError {
  return new VaultError(
    "file_exists",
    `${path} exists already`,
    "choose another path; nothing was overwritten",
  );
}

/**
 * Where a new version of the vault is written before it takes the old one's name. Only the holder of the
 * lock uses this name, so one that is there was left by a process that died.
 */
export function unfinishedPath(path: string): string {
  return `${path}.unfinished`;
}

/** Writes and syncs a whole file beside the vault, under the lock. Resolves with it, open. */
export async function writeUnfinished(
  path: string,
  bytes: Uint8Array,
  prepare: (file: number) => void,
): Promise<number> {
  const unfinished = unfinishedPath(path);
  try {
    unlinkSync(unfinished);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw ioError("remove", unfinished, error);
  }
  const file = attempt("create", unfinished, () => createPrivate(unfinished));
  try {
    writeAll(file, bytes, 0);
    prepare(file);
    await sync(file);
    return file;
  } catch (error) {
    closeSync(file);
    discard(unfinished);
    throw ioError("write", unfinished, error);
  }
}

/** Gives the new file the old one's permissions. */
function keepMode(old: number, fresh: number): void {
  if (process.platform === "win32") return;
  const [from, to] = [fstatSync(old), fstatSync(fresh)];
  let mode = from.mode & 0o777;
  const same = from.uid === to.uid && from.gid === to.gid;
  if (!same && !couldGive(fresh, from.uid, from.gid)) {
    // Only the superuser gives files away. The group may be within reach on its own; if not, the rights
    // of the old group must not become those of another.
    const sameGroup = from.gid === to.gid || couldGive(fresh, to.uid, from.gid);
    if (!sameGroup) mode &= 0o707;
  }
  fchmodSync(fresh, mode);
}

function couldGive(file: number, user: number, group: number): boolean {
  try {
    fchownSync(file, user, group);
    return true;
  } catch {
    return false;
  }
}
