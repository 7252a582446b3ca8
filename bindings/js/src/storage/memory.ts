/** A vault in memory: for bytes that the program carries itself, and for tests (docs/format.md section 1). */

import { NEW, STORAGE_METHODS, STORAGE_METHODS_LATER } from "../arguments.js";
import { guard, take } from "../check.js";
import { VaultError } from "../error.js";
import type { KnownHeads } from "../heads.js";
import type { Compared, LogEnd, VaultStorage } from "../storage.js";
import { compare, copyOf, inMemory, isUnchanged, logEnd } from "./compare.js";

/** What a vault in memory is known by. */
export interface MemoryStorageOptions {
  /** The names under which known heads are kept; by default `memory`. */
  readonly places?: readonly string[] | undefined;
  /** Where known heads are kept; by default nowhere. */
  readonly heads?: KnownHeads | undefined;
}

/**
 * A vault in memory, which several `Vault`s may share.
 *
 * @example
 * ```ts
 * const storage = new MemoryStorage(downloaded);
 * const vault = await Vault.open(storage, { passphrase });
 * await vault.run(action);
 * await upload(storage.bytes);
 * ```
 */
export class MemoryStorage implements VaultStorage {
  readonly places: readonly string[];
  readonly heads: KnownHeads | undefined;
  /** The vault, at the start of a buffer that may have room behind it, so that an update copies nothing. */
  #bytes: Uint8Array | undefined;
  readonly #subscribers = new Set<{ readonly changed: () => void }>();

  /** A vault of these bytes, of which a copy is taken; without any, one that is yet to be created. */
  constructor(bytes?: Uint8Array, options: MemoryStorageOptions = {}) {
    [bytes, options = {}] = take(NEW.MemoryStorage, [bytes, options]);
    this.#bytes = bytes && copyOf(bytes);
    this.places = [...(options.places ?? ["memory"])];
    this.heads = options.heads;
  }

  /** A copy of the vault's bytes; nothing if there is no vault. */
  get bytes(): Uint8Array | undefined {
    return this.#bytes && copyOf(this.#bytes);
  }

  async create(file: Uint8Array): Promise<void> {
    if (this.#bytes !== undefined) {
      const hint = "use another storage; nothing was overwritten";
      throw new VaultError("file_exists", "there is a vault in this memory already", hint);
    }
    this.#set(copyOf(file));
  }

  async read(signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    return copyOf(this.#standing());
  }

  async compare(known: LogEnd, signal?: AbortSignal): Promise<Compared> {
    signal?.throwIfAborted();
    return compare(inMemory(this.#standing()), known);
  }

  async append(commit: Uint8Array, known: LogEnd): Promise<void> {
    const bytes = this.#unchanged(known);
    const [at, end] = [logEnd(known), logEnd(known) + commit.length];
    let room = new Uint8Array(bytes.buffer);
    if (room.length < end) {
      room = new Uint8Array(2 * end);
      room.set(bytes.subarray(0, at));
    }
    room.set(commit, at);
    this.#set(room.subarray(0, end));
  }

  async replace(file: Uint8Array, known: LogEnd): Promise<void> {
    this.#unchanged(known);
    this.#set(copyOf(file));
  }

  /** Calls `changed` after every change, of whichever vault on this storage. */
  subscribe(changed: () => void): () => void {
    // Whoever subscribes the same function twice ends one subscription at a time.
    const subscriber = { changed };
    this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  }

  #standing(): Uint8Array {
    if (this.#bytes !== undefined) return this.#bytes;
    throw new VaultError("file_not_found", "there is no vault in this memory", "create the vault first");
  }

  #unchanged(known: LogEnd): Uint8Array {
    const bytes = this.#standing();
    if (isUnchanged(inMemory(bytes), known)) return bytes;
    const hint = "read the vault again and repeat the change";
    throw new VaultError("conflict", "this memory holds another log than the one that was read", hint);
  }

  #set(bytes: Uint8Array): void {
    this.#bytes = bytes;
    for (const subscriber of this.#subscribers) {
      // Later, and each on its own: what they do is no part of the change.
      queueMicrotask(() => {
        if (this.#subscribers.has(subscriber)) subscriber.changed();
      });
    }
  }
}

guard(MemoryStorage.prototype, STORAGE_METHODS, STORAGE_METHODS_LATER);
