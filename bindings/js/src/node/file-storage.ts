/** A vault in a file: read, created, or locked to be changed (docs/file-lock.md section 6). */

import { closeSync, linkSync, lstatSync, read, readlinkSync, realpathSync, renameSync, watch } from "node:fs";
import { basename, dirname, isAbsolute, join, sep } from "node:path";
import { promisify } from "node:util";

import { NEW, STORAGE_METHODS, STORAGE_METHODS_LATER } from "../arguments.js";
import { guard, take } from "../check.js";
import type { KnownHeads } from "../heads.js";
import type { Compared, LogEnd, StorageWarning, VaultStorage } from "../storage.js";
import { compare, type StoredBytes } from "../storage/compare.js";
import {
  attempt,
  checkVaultLength,
  discard,
  hasCode,
  hasNoHardLinks,
  ioError,
  notDurable,
  openError,
  openFile,
  settle,
  storedIn,
  syncDir,
} from "./disk.js";
import { DEFAULT_TIMEOUT_MS, FileLock } from "./file-lock.js";
import { FileKnownHeads } from "./known-heads.js";
import { fileExists, LockedFile, unfinishedPath, writeUnfinished } from "./locked-file.js";

/** How many symbolic links to follow to a file that is yet to be created; Linux's own limit. */
const SYMLINKS_MAX = 40;

/** How a vault file is kept. */
export interface FileStorageOptions {
  /** Where known heads are kept; by default {@link FileKnownHeads.default}. `null`: nowhere. */
  readonly heads?: KnownHeads | null | undefined;
  /** How long to wait for another process that changes the vault; by default 30 seconds. */
  readonly lockTimeoutMs?: number | undefined;
  /** Hears of what went wrong beside a change that is stored; by default a warning of the process (`process.emitWarning`). */
  readonly onWarning?: ((warning: StorageWarning) => void) | undefined;
}

/**
 * The place of a vault in the file system. Programs in other languages may work on the same file.
 * Reading takes no lock; changing does, and is durable when it resolves.
 */
export class FileStorage implements VaultStorage {
  /** The real path of the vault. */
  readonly path: string;
  /**
   * The real path, and the name under which the vault was opened. A link to an old copy that takes the
   * vault's place is thus noticed.
   */
  readonly places: readonly string[];
  readonly heads: KnownHeads | undefined;
  readonly #lockTimeoutMs: number;
  readonly #onWarning: (warning: StorageWarning) => void;
  /** Codes that were told: a program that changes the vault often need not hear the same each time. */
  readonly #warned = new Set<string>();

  /**
   * The vault at `path`, which need not exist yet, but its folder must. Symbolic links are resolved here
   * and now: a vault behind one is locked and replaced at its real place.
   *
   * Fails with `file_not_found` if the folder does not exist, with `io` if it cannot be looked into.
   */
  constructor(path: string, options: FileStorageOptions = {}) {
    [path, options = {}] = take(NEW.FileStorage, [path, options]);
    try {
      this.path = resolve(path);
      const named = hasName(path) ? join(realpathSync.native(dirname(path)), basename(path)) : this.path;
      this.places = [...new Set([this.path, named])];
    } catch (error) {
      throw openError("find", path, error);
    }
    this.heads = options.heads === undefined ? defaultHeads() : (options.heads ?? undefined);
    this.#lockTimeoutMs = options.lockTimeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#onWarning = options.onWarning ?? emitWarning;
  }

  /**
   * Creates the vault with these bytes, readable by the user alone.
   *
   * Fails with `file_exists` if there is a file already, which stays as it is; with `lock_timeout` and
   * `io`, in which case there is no vault; and with `not_durable`, in which case there is one, which a
   * power failure may still take away.
   */
  create(file: Uint8Array, signal?: AbortSignal): Promise<void> {
    // The lock makes the temporary name ours.
    return this.#locked(async () => {
      const standing = attempt("find", this.path, () => lstatSync(this.path, { throwIfNoEntry: false }));
      if (standing !== undefined) {
        // Durable before anybody hears of it: whoever created it may have died before it was.
        await this.#syncDir();
        throw fileExists(this.path);
      }
      closeSync(await writeUnfinished(this.path, file, () => undefined));
      this.#publishNew();
      await this.#syncDir();
    }, signal);
  }

  /**
   * The file's bytes, as one version of it: a replacement at the same time is seen wholly or not at all.
   * Of an append at the same time a part may be seen, which the core reports as a torn tail.
   */
  async read(signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const [file, { length }] = this.#open();
    try {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await readInParts(file, bytes, done, length - done, done);
        signal?.throwIfAborted();
        if (bytesRead === 0) return bytes.slice(0, done);
        done += bytesRead;
      }
      return bytes;
    } catch (error) {
      signal?.throwIfAborted();
      throw ioError("read", this.path, error);
    } finally {
      closeSync(file);
    }
  }

  /** Compares without the lock: of an append at the same time a part may be seen. */
  async compare(known: LogEnd, signal?: AbortSignal): Promise<Compared> {
    signal?.throwIfAborted();
    const [file, stored] = this.#open();
    try {
      return attempt("read", this.path, () => compare(stored, known));
    } finally {
      closeSync(file);
    }
  }

  /** Makes durable what is stored: an answer that writes nothing relies on it. */
  sync(_known: LogEnd, signal?: AbortSignal): Promise<void> {
    return this.#opened((file) => file.sync(), signal);
  }

  /**
   * Whether nobody is at work who may still withdraw what was read: a writer whose `fdatasync` fails cuts off its
   * commit again.
   */
  async stays(known: LogEnd, signal?: AbortSignal): Promise<boolean> {
    // In this order: a writer that was at work when the log was read may have withdrawn its commit before it
    // released the lock.
    const lock = attempt("find", this.path, () => lstatSync(`${this.path}.lock`, { throwIfNoEntry: false }));
    return lock === undefined && (await this.compare(known, signal)).state !== "replaced";
  }

  warn(warning: StorageWarning): void {
    if (this.#warned.has(warning.code)) return;
    this.#warned.add(warning.code);
    this.#onWarning(warning);
  }

  append(commit: Uint8Array, known: LogEnd, signal?: AbortSignal): Promise<void> {
    return this.#opened((file) => file.append(commit, known), signal);
  }

  replace(file: Uint8Array, known: LogEnd, signal?: AbortSignal): Promise<void> {
    return this.#opened((locked) => locked.replace(file, known), signal);
  }

  removeTornTails(): Promise<number> {
    return this.#opened((file) => file.removeTornTails());
  }

  /**
   * Locks the vault against all other processes that follow docs/file-lock.md, opens it as it is now,
   * and runs `work` on it. In `work`, use the storage that it is given: this one would wait for itself.
   *
   * Fails with `lock_timeout` if somebody else holds the lock for too long, with `file_not_found`, with
   * `io`, with the reason of `signal` while waiting, and as `work` does.
   */
  exclusive<T>(work: (storage: VaultStorage) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#opened(work, signal);
  }

  /**
   * Watches the folder, since a replaced file is another one. Where files cannot be watched, and for
   * changes from another machine, nothing is called. Keeps no process alive.
   */
  subscribe(changed: () => void): () => void {
    const name = basename(this.path);
    try {
      const watcher = watch(dirname(this.path), { persistent: false }, (_, changedName) => {
        // Some systems do not say which file it was.
        if (changedName === null || changedName === name) changed();
      });
      watcher.on("error", () => watcher.close());
      return () => watcher.close();
    } catch {
      return () => undefined;
    }
  }

  #opened<T>(work: (file: LockedFile) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#locked(async (lock) => {
      const file = new LockedFile(this, this.path, lock);
      try {
        const names = file.otherNames();
        if (names !== undefined) this.warn(otherNamesWarning(this.path, names));
        return await work(file);
      } finally {
        await file.close();
      }
    }, signal);
  }

  async #locked<T>(work: (lock: FileLock) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const lock = await FileLock.acquire(`${this.path}.lock`, {
      timeoutMs: this.#lockTimeoutMs,
      signal,
      settle: () => {
        try {
          settle(this.path);
        } catch (error) {
          throw notDurable(this.path, error);
        }
      },
    });
    try {
      // A dead owner may have left its new version of the vault, which takes room and, once it was linked, is a
      // second name of the vault.
      if (lock.broke) discard(unfinishedPath(this.path));
      return await work(lock);
    } finally {
      lock.release();
    }
  }

  /** The file opened to be read, and what is in it now. */
  #open(): [file: number, stored: StoredBytes] {
    let file: number;
    try {
      file = openFile(this.path, "read");
    } catch (error) {
      throw openError("open", this.path, error);
    }
    try {
      const stored = attempt("read", this.path, () => storedIn(file));
      checkVaultLength(stored.length);
      return [file, stored];
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  async #syncDir(): Promise<void> {
    try {
      await syncDir(dirname(this.path));
    } catch (error) {
      throw notDurable(this.path, error);
    }
  }

  #publishNew(): void {
    const unfinished = unfinishedPath(this.path);
    try {
      linkSync(unfinished, this.path);
    } catch (error) {
      if (hasCode(error, "EEXIST")) throw fileExists(this.path);
      if (!hasNoHardLinks(error)) throw ioError("create", this.path, error);
      // A rename would replace a file that has come here without taking the lock. Without hard links
      // there is nothing better.
      attempt("create", this.path, () => renameSync(unfinished, this.path));
    } finally {
      discard(unfinished);
    }
  }
}

guard(FileStorage.prototype, STORAGE_METHODS, STORAGE_METHODS_LATER);

const readInParts = promisify(read);

function emitWarning({ code, message }: StorageWarning): void {
  process.emitWarning(message, { type: "ConnectorVaultWarning", code });
}

function otherNamesWarning(path: string, names: string): StorageWarning {
  const message =
    `${path} ${names}, and programs that use another name do not notice this one here: changes may be lost; ` +
    "use one name, and mount folders instead of files";
  return { code: "other_names", message };
}

/** The real path; of a file that is yet to be created, where it will be. */
function resolve(path: string): string {
  for (let links = 0; links < SYMLINKS_MAX; links++) {
    try {
      return realpathSync.native(path);
    } catch (error) {
      if (!hasCode(error, "ENOENT") || !hasName(path)) throw error;
    }
    const dir = realpathSync.native(dirname(path));
    path = join(dir, basename(path));
    try {
      const target = readlinkSync(path);
      // To a file that does not exist: the vault is created there, not in place of the link. Joined as
      // it stands: the system follows links before it takes `..`.
      path = isAbsolute(target) ? target : dir + sep + target;
    } catch {
      return path;
    }
  }
  throw new Error("too many levels of symbolic links");
}

function hasName(path: string): boolean {
  return !["", ".", ".."].includes(basename(path));
}

function defaultHeads(): KnownHeads | undefined {
  try {
    return FileKnownHeads.default();
  } catch {
    return undefined;
  }
}
