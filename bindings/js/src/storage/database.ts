/** A store of an IndexedDB database as promises: transactions on a connection that gives way to others. */

import { VaultError } from "../error.js";

/** The version of the databases' layout; a later one would create its stores beside the present one. */
const LAYOUT = 1;

/**
 * The one store of an IndexedDB database. It is connected to when it is needed, and whenever another tab
 * wants to delete or upgrade the database, the connection is closed: nobody waits for us.
 */
export class Database<Entry> {
  readonly name: string;
  readonly #store: string;
  readonly #keyPath: readonly string[];
  #connection: Promise<IDBDatabase> | undefined;

  /** `keyPath` names the properties of an entry that are its key. */
  constructor(name: string, store: string, keyPath: readonly (keyof Entry & string)[]) {
    this.name = name;
    this.#store = store;
    this.#keyPath = keyPath;
  }

  /**
   * Runs `work` in a transaction that sees one version of the store. In `work`, await nothing but
   * the store: a transaction that has nothing to do ends.
   *
   * Fails with `io`.
   */
  read<T>(work: (store: EntryStore<Entry>) => Promise<T>): Promise<T> {
    return this.#run("readonly", {}, work);
  }

  /**
   * Runs `work` in a transaction that nobody can come between: all of what it does happens, or nothing
   * if it fails. With `strict` durability it is on the disk when this resolves, as far as the browser
   * can know.
   *
   * Fails with `io`, in which case nothing has changed, and as `work` does.
   */
  write<T>(durability: "strict" | "relaxed", work: (store: EntryStore<Entry>) => Promise<T>): Promise<T> {
    return this.#run("readwrite", { durability }, work);
  }

  async #run<T>(
    mode: IDBTransactionMode,
    options: IDBTransactionOptions,
    work: (store: EntryStore<Entry>) => Promise<T>,
  ): Promise<T> {
    const transaction = await this.#begin(mode, options);
    const completed = ended(transaction);
    // It is awaited below, unless the work fails first, which is the better reason then.
    completed.catch(() => undefined);
    try {
      const value = await work(new EntryStore<Entry>(transaction.objectStore(this.#store)));
      await completed;
      return value;
    } catch (error) {
      tryToAbort(transaction);
      if (error instanceof VaultError) throw error;
      throw this.#failed(mode === "readonly" ? "read" : "write", error);
    }
  }

  async #begin(mode: IDBTransactionMode, options: IDBTransactionOptions): Promise<IDBTransaction> {
    for (let attempt = 1; ; attempt++) {
      this.#connection ??= this.#open();
      const connecting = this.#connection;
      try {
        return (await connecting).transaction(this.#store, mode, options);
      } catch (error) {
        if (this.#connection === connecting) this.#connection = undefined;
        // The connection may have been closed since it was made. A new one is.
        if (named(error, "InvalidStateError") && attempt < 3) continue;
        if (!named(error, "NotFoundError")) throw this.#failed("open", error);
        const hint = "choose another name for the database: this one belongs to something else";
        const message = `the IndexedDB database ${this.name} has no ${this.#store}`;
        throw new VaultError("io", message, hint, { cause: error });
      }
    }
  }

  #open(): Promise<IDBDatabase> {
    const opening = new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(this.name, LAYOUT);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(this.#store, { keyPath: [...this.#keyPath] });
      };
      request.onsuccess = () => {
        const connection = request.result;
        const giveWay = () => {
          // What runs on it is finished first.
          connection.close();
          if (this.#connection === opening) this.#connection = undefined;
        };
        connection.onversionchange = giveWay;
        connection.onclose = giveWay;
        resolve(connection);
      };
      // Only a connection that does not give way as ours do blocks an upgrade; it may stay for hours.
      request.onblocked = () => reject(new Error("another tab of this site holds on to an older version"));
      request.onerror = () => reject(request.error ?? new Error("it does not open"));
    });
    return opening;
  }

  #failed(operation: "open" | "read" | "write", cause: unknown): VaultError {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    const message = `cannot ${operation} the IndexedDB database ${this.name}: ${reason}`;
    return new VaultError("io", message, hintFor(operation, cause), { cause });
  }
}

/** A store in a transaction. Keys are arrays of what the key path names. */
export class EntryStore<Entry> {
  readonly #store: IDBObjectStore;

  constructor(store: IDBObjectStore) {
    this.#store = store;
  }

  get(key: IDBValidKey): Promise<unknown> {
    return result<unknown>(this.#store.get(key));
  }

  /** All entries, or those of a range, in the order of their keys. */
  getAll(range?: IDBKeyRange): Promise<readonly Entry[]> {
    return result<Entry[]>(this.#store.getAll(range));
  }

  /** The entry with the highest key of a range. */
  async last(range: IDBKeyRange): Promise<Entry | undefined> {
    const cursor = await result(this.#store.openCursor(range, "prev"));
    return cursor?.value as Entry | undefined;
  }

  /** The lowest key of a range. */
  async firstKey(range: IDBKeyRange): Promise<IDBValidKey | undefined> {
    return (await result(this.#store.openKeyCursor(range)))?.key;
  }

  /** The highest key of a range. */
  async lastKey(range: IDBKeyRange): Promise<IDBValidKey | undefined> {
    return (await result(this.#store.openKeyCursor(range, "prev")))?.key;
  }

  // Nobody awaits these: should one of them fail, the transaction does.

  /** Adds an entry; fails if there is one with this key. */
  add(entry: Entry): void {
    this.#store.add(entry);
  }

  put(entry: Entry): void {
    this.#store.put(entry);
  }

  delete(keys: IDBValidKey | IDBKeyRange): void {
    this.#store.delete(keys);
  }
}

/** The result of a request. A transaction lives on while these are all that is awaited. */
function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("a request failed"));
  });
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    // Also when the browser closes the connection, or cannot write what was asked for.
    transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
  });
}

function tryToAbort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
}

function named(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

function hintFor(operation: "open" | "read" | "write", cause: unknown): string | undefined {
  if (named(cause, "QuotaExceededError")) {
    return "free some space on this device, or delete other data of this site; nothing was changed";
  }
  if (named(cause, "VersionError")) return "reload the page: a newer version of it uses this database";
  return operation === "open"
    ? "use another storage if there is no IndexedDB here, as in some private windows and frames"
    : undefined;
}
