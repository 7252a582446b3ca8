/** What indexeddb.test.ts does in pages: the storages stay here, bytes go in and out as numbers. */

import { VaultError } from "../../src/error.js";
import type { KnownHead } from "../../src/heads.js";
import { IndexedDbKnownHeads } from "../../src/heads/indexeddb.js";
import { IndexedDbStorage } from "../../src/storage/indexeddb.js";
import type { LogEnd } from "../../src/storage.js";
import { contract, entry, exclusively, Log, Replica } from "../storage/contract.js";

/** What became of a call that may fail. */
export type Outcome = { readonly code: string; readonly hint: string | undefined } | "done";

class TestPage {
  readonly #storages = new Map<string, { readonly storage: IndexedDbStorage; heard: number }>();
  readonly #heads = new IndexedDbKnownHeads();
  #onHeard: () => void = () => undefined;

  async runCase(name: string): Promise<void> {
    const found = contract.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no case ${name}`);
    await found.run({ open: () => new IndexedDbStorage(`case: ${name}`) });
  }

  runCaseInWorker(name: string): Promise<void> {
    const worker = new Worker("/worker.js", { type: "module" });
    return new Promise<void>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<string | undefined>) =>
        data === undefined ? resolve() : reject(new Error(data));
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(name);
    }).finally(() => worker.terminate());
  }

  /** Opens another storage of a vault, which from now on goes by `as`, and listens to it. */
  open(as: string, name: string, database?: string): readonly string[] {
    const opened = { storage: new IndexedDbStorage(name, { database }), heard: 0 };
    opened.storage.subscribe(() => {
      opened.heard++;
      this.#onHeard();
    });
    this.#storages.set(as, opened);
    return opened.storage.places;
  }

  create(as: string, file: readonly number[]): Promise<Outcome> {
    return outcomeOf(this.#storage(as).create(Uint8Array.from(file)));
  }

  /** Creates a vault of random bytes that is too large to be carried here. */
  async createLarge(as: string, length: number): Promise<LogEnd> {
    const log = Log.random(2, length);
    await this.#storage(as).create(log.file());
    return log.known();
  }

  append(as: string, length: number, known: LogEnd): Promise<Outcome> {
    return outcomeOf(this.#storage(as).append(new Uint8Array(length).fill(7), known));
  }

  async read(as: string): Promise<number[] | Outcome> {
    let bytes: Uint8Array | undefined;
    const outcome = await outcomeOf(
      this.#storage(as)
        .read()
        .then((read) => void (bytes = read)),
    );
    return bytes === undefined ? outcome : [...bytes];
  }

  /** Lengths of what is read of the database, and durabilities of what is written, while `work` runs. */
  async observe(as: string, known: LogEnd): Promise<{ read: number; durabilities: unknown[] }> {
    const storage = this.#storage(as);
    const observed = { read: 0, durabilities: [] as unknown[] };
    const counted = new WeakSet<IDBRequest>();
    const { get } = Object.getOwnPropertyDescriptor(IDBRequest.prototype, "result") ?? {};
    Object.defineProperty(IDBRequest.prototype, "result", {
      configurable: true,
      get(this: IDBRequest) {
        const result: unknown = get?.call(this);
        if (!counted.has(this)) observed.read += lengthOf(result);
        counted.add(this);
        return result;
      },
    });
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (names, mode, options) {
      if (mode === "readwrite") observed.durabilities.push(options?.durability);
      return transaction.call(this, names, mode, options);
    };
    const commit = new Uint8Array(50).fill(9);
    await storage.compare(known);
    await storage.append(commit, known);
    const longer = { ...known, end: known.end + 50, marks: [{ offset: known.end, bytes: commit }] };
    const { state } = await storage.compare(longer);
    if (state !== "same") throw new Error(state);
    return observed;
  }

  async appendEntries(as: string, writer: number, count: number, inTurn: boolean): Promise<void> {
    const storage = this.#storage(as);
    const replica = new Replica(storage);
    for (let number = 0; number < count; number++) {
      const commit = entry(writer, number);
      await (inTurn ? exclusively(storage, () => replica.append(commit)) : replica.append(commit));
    }
  }

  /** Resolves with how often a storage was told of a change, once that is `count` times. */
  async heard(as: string, count: number): Promise<number> {
    const opened = this.#opened(as);
    while (opened.heard < count) await new Promise<void>((resolve) => (this.#onHeard = resolve));
    return opened.heard;
  }

  delete(as: string): Promise<void> {
    return this.#storage(as).delete();
  }

  list(database?: string): Promise<string[]> {
    return IndexedDbStorage.list(database);
  }

  /** Deletes a database as any script of the site can; whether somebody stood in the way. */
  deleteDatabase(name: string): Promise<"deleted" | "blocked"> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = () => resolve("deleted");
      request.onblocked = () => resolve("blocked");
      request.onerror = () => reject(request.error ?? new Error("not deleted"));
    });
  }

  /** Opens a database as somebody else would, does something to it, and closes it. */
  asSomebodyElse(
    name: string,
    version: number | undefined,
    store: string,
    put?: { readonly value: unknown },
  ): Promise<"done" | "blocked"> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(name, version);
      request.onblocked = () => resolve("blocked");
      request.onerror = () => reject(request.error ?? new Error("not opened"));
      request.onupgradeneeded = () => {
        if (!request.result.objectStoreNames.contains(store)) request.result.createObjectStore(store);
      };
      request.onsuccess = () => {
        const database = request.result;
        const transaction = database.transaction(store, "readwrite");
        if (put !== undefined) transaction.objectStore(store).put(put.value);
        transaction.oncomplete = () => {
          database.close();
          resolve("done");
        };
      };
    });
  }

  /** Holds the turn on a vault until {@link letGo}. */
  hold(as: string): Promise<void> {
    return new Promise((resolve) => {
      void this.#storage(as).exclusive(() => {
        resolve();
        return new Promise<void>((end) => (this.letGo = end));
      });
    });
  }

  letGo: () => void = () => undefined;

  /** Waits for the turn until a signal ends that; whether its reason came out. */
  async waitInVain(as: string): Promise<boolean> {
    const controller = new AbortController();
    const reason = new Error("no longer needed");
    const waiting = this.#storage(as).exclusive(async () => undefined, controller.signal);
    controller.abort(reason);
    return (await waiting.catch((error: unknown) => error)) === reason;
  }

  /** Takes a global away, as contexts without it have it. */
  without(owner: "navigator" | "globalThis", name: string): void {
    const object = owner === "navigator" ? navigator : globalThis;
    Object.defineProperty(object, name, { value: undefined, configurable: true });
  }

  getHead(vault: string, place: string): Promise<KnownHead | undefined | Outcome> {
    return this.#heads.get(vault, place).catch((error: unknown) => outcomeOf(Promise.reject(error)));
  }

  remember(vault: string, place: string, seqs: readonly number[]): Promise<Outcome> {
    const remembered = seqs.map((seq) => this.#heads.remember(vault, place, headOf(vault, seq)));
    return outcomeOf(Promise.all(remembered));
  }

  forget(vault: string, place: string): Promise<void> {
    return this.#heads.forget(vault, place);
  }

  #storage(as: string): IndexedDbStorage {
    return this.#opened(as).storage;
  }

  #opened(as: string) {
    const opened = this.#storages.get(as);
    if (opened === undefined) throw new Error(`there is no storage ${as}`);
    return opened;
  }
}

function headOf(vault: string, seq: number): KnownHead {
  const hash = seq.toString(16).padStart(64, "0");
  return { head: { vaultId: vault, epoch: 1, seq, hash }, vaultKey: "11".repeat(32), indexCommitment: "22" };
}

async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  try {
    await work;
    return "done";
  } catch (error) {
    if (error instanceof VaultError) return { code: error.code, hint: error.hint };
    throw error;
  }
}

function lengthOf(result: unknown): number {
  if (result instanceof Uint8Array) return result.length;
  if (Array.isArray(result)) return result.reduce<number>((sum, one) => sum + lengthOf(one), 0);
  if (result instanceof IDBCursorWithValue) return lengthOf(result.value);
  return typeof result === "object" && result !== null && "bytes" in result ? lengthOf(result.bytes) : 0;
}

declare global {
  var testPage: TestPage;
}

globalThis.testPage = new TestPage();
