/** A vault in IndexedDB, shared by the tabs and workers of a site (docs/format.md section 1). */

import { DATABASE_CLASS_LATER, NEW, STORAGE_METHODS, STORAGE_METHODS_LATER } from "../arguments.js";
import { guard, take } from "../check.js";
import { VaultError } from "../error.js";
import type { KnownHeads } from "../heads.js";
import { IndexedDbKnownHeads } from "../heads/indexeddb.js";
import type { Compared, LogEnd, VaultStorage } from "../storage.js";
import { copyOf, compare, isUnchanged, logEnd, type StoredBytes } from "./compare.js";
import { Database, type EntryStore } from "./database.js";

/** The database of vaults, unless another is named. */
const DATABASE = "connector-vault";

/**
 * How many bytes one entry holds at most. Chromium takes a value of 64 KiB and more out of the database
 * into a file of its own, and what is read of a large vault to compare it is an entry or two.
 */
const PART_LEN_MAX = 48 * 1024;

/** How a vault in IndexedDB is kept. */
export interface IndexedDbStorageOptions {
  /** The database, which is of this package alone; by default `connector-vault`. */
  readonly database?: string | undefined;
  /** Where known heads are kept; by default {@link IndexedDbKnownHeads}. `null`: nowhere. */
  readonly heads?: KnownHeads | null | undefined;
}

/** Consecutive bytes of a vault: a piece of the file as it was created or last replaced, or of a commit. */
interface Part {
  readonly vault: string;
  /** Where they begin in the file. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * A vault in a database of this site. A commit is one more entry, so an update costs the same for a large
 * vault as for a small one. Tabs and workers take turns, and hear of each other's changes.
 *
 * A browser may delete what sites store when space gets tight, unless `navigator.storage.persist()` was
 * granted: ask for it, and keep copies.
 *
 * @example
 * ```ts
 * const vault = await Vault.open(new IndexedDbStorage("main"), { passphrase });
 * ```
 */
export class IndexedDbStorage implements VaultStorage {
  readonly name: string;
  readonly places: readonly string[];
  readonly heads: KnownHeads | undefined;
  readonly #database: Database<Part>;
  /** The lock and the channel of this vault. */
  readonly #shared: string;
  /** Open while somebody listens. A channel does not hear itself, and so it also speaks then. */
  #channel: BroadcastChannel | undefined;
  readonly #listeners = new Set<{ readonly changed: () => void }>();

  /** The vault `name`, which need not exist yet. */
  constructor(name: string, options: IndexedDbStorageOptions = {}) {
    [name, options = {}] = take(NEW.IndexedDbStorage, [name, options]);
    const { database = DATABASE, heads } = options;
    this.name = name;
    this.#database = vaultsIn(database);
    const path = `${encodeURIComponent(database)}/${encodeURIComponent(name)}`;
    this.#shared = `connector-vault ${path}`;
    this.places = [`indexeddb:${globalThis.origin}/${path}`];
    this.heads = heads === undefined ? new IndexedDbKnownHeads() : (heads ?? undefined);
  }

  /** The names of the vaults in a database. */
  static list(database: string = DATABASE): Promise<string[]> {
    return vaultsIn(database).read(async (parts) => {
      const names: string[] = [];
      let range = IDBKeyRange.lowerBound([]);
      for (;;) {
        const key = await parts.firstKey(range);
        if (!Array.isArray(key)) return names;
        const name = String(key[0]);
        names.push(name);
        range = IDBKeyRange.lowerBound([name, BEHIND_NUMBERS]);
      }
    });
  }

  /**
   * Fails with `file_exists` if there is a vault of this name, which stays as it is, and with `io`, for
   * example if the site may store no more: there is no vault then.
   */
  create(file: Uint8Array): Promise<void> {
    const fresh = partsOf(this.name, 0, file);
    return this.#change(async (parts) => {
      if ((await parts.firstKey(this.#from(0))) !== undefined) {
        const message = `the vault ${this.name} exists already in IndexedDB`;
        throw new VaultError("file_exists", message, "choose another name; nothing was overwritten");
      }
      for (const part of fresh) parts.add(part);
    });
  }

  async read(signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const parts = await this.#database.read((parts) => parts.getAll(this.#from(0)));
    signal?.throwIfAborted();
    const last = parts.at(-1);
    if (last === undefined) throw this.#notFound();
    const bytes = new Uint8Array(last.offset + last.bytes.length);
    let end = 0;
    for (const part of parts) {
      if (part.offset !== end) throw this.#gap(end);
      bytes.set(part.bytes, end);
      end += part.bytes.length;
    }
    return bytes;
  }

  async compare(known: LogEnd, signal?: AbortSignal): Promise<Compared> {
    signal?.throwIfAborted();
    const stored = await this.#database.read((parts) => this.#look(parts, known, "tail"));
    signal?.throwIfAborted();
    const compared = compare(stored, known);
    if (compared.state === "grown" && compared.tail.length !== stored.length - logEnd(known)) {
      throw this.#gap(logEnd(known) + compared.tail.length);
    }
    return compared;
  }

  /**
   * Fails with `conflict`, and with `io`, for example if the site may store no more: the log is as before
   * then. A torn tail, which only a file that was imported has, is dropped.
   */
  append(commit: Uint8Array, known: LogEnd): Promise<void> {
    const end = logEnd(known);
    const fresh = partsOf(this.name, end, commit);
    return this.#change(async (parts) => {
      await this.#checkUnchanged(parts, known);
      if (known.torn > 0) await this.#cut(parts, end);
      for (const part of fresh) parts.add(part);
    });
  }

  /** Fails as {@link append} does; the vault is as before then. */
  replace(file: Uint8Array, known: LogEnd): Promise<void> {
    const fresh = partsOf(this.name, 0, file);
    return this.#change(async (parts) => {
      await this.#checkUnchanged(parts, known);
      parts.delete(this.#from(0));
      for (const part of fresh) parts.add(part);
    });
  }

  /** Deletes the vault, if there is one, and not the heads known of it: `heads.forget` does that. */
  delete(): Promise<void> {
    return this.#change(async (parts) => parts.delete(this.#from(0)));
  }

  /**
   * Runs `work` while no other tab or worker runs its own on this vault; without Web Locks, as in pages
   * that were not served securely, right away. In `work`, do not call this again: it would wait for
   * itself.
   *
   * Fails with the reason of `signal` while waiting, and as `work` does.
   */
  async exclusive<T>(work: (storage: VaultStorage) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    // Not there in all browsers and contexts, whatever the types say.
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    if (locks === undefined) return work(this);
    let isWaiting = true;
    let stop = () => {};
    // Chromium does not notice a signal that ends a page's first request at once: it has to end here, and
    // nothing be done should the request be granted later.
    const aborted = new Promise<never>((_, reject) => {
      stop = () => isWaiting && reject(signal?.reason);
    });
    signal?.addEventListener("abort", stop);
    try {
      const worked = locks.request(this.#shared, signal === undefined ? {} : { signal }, () => {
        signal?.throwIfAborted();
        isWaiting = false;
        return work(this);
      });
      return await Promise.race([worked, aborted]);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Calls `changed` when another tab, worker or storage object has changed the vault; not for this one. */
  subscribe(changed: () => void): () => void {
    const listener = { changed };
    this.#listeners.add(listener);
    this.#channel ??= this.#listen();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#channel?.close();
      this.#channel = undefined;
    };
  }

  #listen(): BroadcastChannel | undefined {
    const channel = this.#newChannel();
    channel?.addEventListener("message", () => {
      for (const { changed } of this.#listeners) changed();
    });
    return channel;
  }

  #newChannel(): BroadcastChannel | undefined {
    return typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel(this.#shared);
  }

  /** Changes the vault in one step that is on the disk afterwards, and tells the others. */
  async #change(work: (parts: EntryStore<Part>) => Promise<void>): Promise<void> {
    await this.#database.write("strict", work);
    const channel = this.#channel ?? this.#newChannel();
    channel?.postMessage("changed");
    if (channel !== this.#channel) channel?.close();
  }

  async #checkUnchanged(parts: EntryStore<Part>, known: LogEnd): Promise<void> {
    if (isUnchanged(await this.#look(parts, known), known)) return;
    const message = `the vault ${this.name} in IndexedDB holds another log than the one that was read`;
    throw new VaultError("conflict", message, "read the vault again and repeat the change");
  }

  /** The parts that tell whether the known log still stands there; on demand, those of its tail too. */
  async #look(parts: EntryStore<Part>, known: LogEnd, tail?: "tail"): Promise<StoredBytes> {
    const last = await parts.last(this.#from(0));
    if (last === undefined) throw this.#notFound();
    const length = last.offset + last.bytes.length;
    const ranges = [
      [0, known.start.length] as const,
      ...known.marks.map(({ offset, bytes }) => {
        const at = known.start.length + offset;
        return [at, at + bytes.length] as const;
      }),
    ];
    if (tail !== undefined) ranges.push([logEnd(known), length]);
    const loaded = new Map([[last.offset, last]]);
    for (const [at, end] of ranges) {
      if (at >= last.offset || end <= at) continue;
      for (const part of await this.#overlapping(parts, at, end)) loaded.set(part.offset, part);
    }
    const inOrder = [...loaded.values()].sort((a, b) => a.offset - b.offset);
    return { length, read: (at, length) => readParts(inOrder, at, length) };
  }

  /** The parts in which the bytes from `at` to `end` stand. */
  async #overlapping(parts: EntryStore<Part>, at: number, end: number): Promise<readonly Part[]> {
    const first = await parts.lastKey(IDBKeyRange.bound([this.name, 0], [this.name, at]));
    if (first === undefined) return [];
    return parts.getAll(IDBKeyRange.bound(first, [this.name, end], false, true));
  }

  /** Deletes all bytes from `end` on. */
  async #cut(parts: EntryStore<Part>, end: number): Promise<void> {
    const [part] = await this.#overlapping(parts, end, end + 1);
    parts.delete(this.#from(end));
    if (part !== undefined && part.offset < end) {
      parts.put({ ...part, bytes: part.bytes.slice(0, end - part.offset) });
    }
  }

  /** The keys of the parts that begin at `offset` or behind it. */
  #from(offset: number): IDBKeyRange {
    return IDBKeyRange.bound([this.name, offset], [this.name, BEHIND_NUMBERS]);
  }

  #notFound(): VaultError {
    const hint = "create the vault first, or check the name: IndexedDbStorage.list() tells which there are";
    return new VaultError("file_not_found", `there is no vault ${this.name} in IndexedDB`, hint);
  }

  #gap(at: number): VaultError {
    const message = `the vault ${this.name} in IndexedDB lacks bytes from byte ${at} on`;
    return new VaultError("damaged", message, "restore the vault from a copy");
  }
}

guard(IndexedDbStorage, {}, DATABASE_CLASS_LATER);
guard(IndexedDbStorage.prototype, STORAGE_METHODS, STORAGE_METHODS_LATER);

/** Among the keys of IndexedDB, an array stands behind all numbers. */
const BEHIND_NUMBERS: IDBValidKey = [];

function vaultsIn(database: string): Database<Part> {
  return new Database(database, "parts", ["vault", "offset"]);
}

/** Bytes from `start` on as parts: at least one, so that a vault of no bytes is one. */
function partsOf(vault: string, start: number, bytes: Uint8Array): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += PART_LEN_MAX) {
    // A copy: an entry is written with the whole memory that its bytes are a view of.
    parts.push({ vault, offset: start + at, bytes: copyOf(bytes.subarray(at, at + PART_LEN_MAX)) });
  }
  return parts;
}

/** The `length` bytes from `at` on; fewer if a part that holds them is not there. */
function readParts(parts: readonly Part[], at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  for (const part of parts) {
    const skip = at + done - part.offset;
    if (done === length || skip < 0 || skip >= part.bytes.length) continue;
    const found = part.bytes.subarray(skip, skip + length - done);
    bytes.set(found, done);
    done += found.length;
  }
  return bytes.slice(0, done);
}
