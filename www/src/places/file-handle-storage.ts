/**
 * A vault in a file of the user's, through the File System Access API (docs/format.md section 1).
 *
 * Browsers know no lock that other programs see, and put a file as a whole into the place of the former one. Tabs of this
 * page take turns; `cvault` and this page on one file do not: the file is compared immediately before it is replaced, and
 * read again afterwards, but what another program writes in between is lost.
 */

import {
  compare,
  inMemory,
  isUnchanged,
  VaultError,
  type Compared,
  type KnownHeads,
  type LogEnd,
  type StoredBytes,
  type VaultStorage,
} from "connector-vault";

import { FileHeads } from "./file-heads.js";

/** How often a file that others may change is looked at, in milliseconds. */
const POLL_MS = 3_000;

/** A file that is replaced while it is read is read again so many times. */
const READS_MAX = 5;

/** A vault in a file. An empty file is no vault yet. */
export class FileHandleStorage implements VaultStorage {
  /** By the name alone: a page does not learn in which folder a file is. */
  readonly places: readonly string[];
  readonly heads: KnownHeads;
  readonly #file: VaultFile;
  /** The lock and the channel of files of this name. */
  readonly #shared: string;
  readonly #pollMs: number;
  readonly #channels = new Set<BroadcastChannel>();

  constructor(handle: FileSystemFileHandle, pollMs = POLL_MS) {
    this.places = [`file:${handle.name}`];
    this.heads = new FileHeads();
    this.#file = new VaultFile(handle, this.places);
    this.#shared = `connector-vault file ${encodeURIComponent(handle.name)}`;
    this.#pollMs = pollMs;
  }

  create(file: Uint8Array): Promise<void> {
    return this.#write((stored) => stored.create(file));
  }

  read(signal?: AbortSignal): Promise<Uint8Array> {
    return this.#look(() => this.#file.read(signal));
  }

  compare(known: LogEnd, signal?: AbortSignal): Promise<Compared> {
    return this.#look(() => this.#file.compare(known, signal));
  }

  append(commit: Uint8Array, known: LogEnd): Promise<void> {
    return this.#write((stored) => stored.append(commit, known));
  }

  replace(file: Uint8Array, known: LogEnd): Promise<void> {
    return this.#write((stored) => stored.replace(file, known));
  }

  exclusive<T>(work: (storage: VaultStorage) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#write(work, signal);
  }

  /** Tells of other tabs at once, and of other programs while the page is seen: after a few seconds. */
  subscribe(changed: () => void): () => void {
    const ending = new AbortController();
    const { signal } = ending;
    const look = async () => {
      if (document.visibilityState !== "visible") return;
      if (await this.#file.hasChanged().catch(() => false)) if (!signal.aborted) changed();
    };
    const timer = setInterval(() => void look(), this.#pollMs);
    document.addEventListener("visibilitychange", () => void look(), { signal });
    const channel = new BroadcastChannel(this.#shared);
    channel.addEventListener("message", changed, { signal });
    this.#channels.add(channel);
    return () => {
      ending.abort();
      clearInterval(timer);
      channel.close();
      this.#channels.delete(channel);
    };
  }

  /**
   * Reads while no other tab writes: for a moment of that there is no file. Without the caller's signal, which the
   * reading looks at itself.
   */
  async #look<T>(work: () => Promise<T>): Promise<T> {
    return await navigator.locks.request(this.#shared, { mode: "shared" }, work);
  }

  /** Runs `work` in turn with other tabs, and tells them if the file has changed. */
  async #write<T>(work: (storage: VaultFile) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const options = signal === undefined ? {} : { signal };
    return await navigator.locks.request(this.#shared, options, async () => {
      const { written } = this.#file;
      try {
        return await work(this.#file);
      } finally {
        if (this.#file.written !== written) this.#tell();
      }
    });
  }

  #tell(): void {
    // A channel does not hear itself, so those who listen to this object hear only others.
    const [own] = this.#channels;
    const channel = own ?? new BroadcastChannel(this.#shared);
    channel.postMessage("changed");
    if (own === undefined) channel.close();
  }
}

/** The file itself, without turns. */
class VaultFile implements VaultStorage {
  /** How often it was written. */
  written = 0;
  readonly #handle: FileSystemFileHandle;
  /** Time and size as this object saw them last, which prove nothing but that there is something to look at. */
  #seen: string | undefined;

  constructor(
    handle: FileSystemFileHandle,
    readonly places: readonly string[],
  ) {
    this.#handle = handle;
  }

  async create(file: Uint8Array): Promise<void> {
    await this.#checkEmpty();
    await this.#put(file, () => this.#checkEmpty());
  }

  async read(signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const bytes = await this.#standing((file) => bytesOf(file, 0, file.size));
    signal?.throwIfAborted();
    return bytes;
  }

  async compare(known: LogEnd, signal?: AbortSignal): Promise<Compared> {
    signal?.throwIfAborted();
    const stored = await this.#standing((file) => partsOf(file, known, "tail"));
    signal?.throwIfAborted();
    return compare(stored, known);
  }

  /** A torn tail is dropped: a page cannot keep it beside the file. */
  async append(commit: Uint8Array, known: LogEnd): Promise<void> {
    const stored = await this.read();
    if (!isUnchanged(inMemory(stored), known)) throw this.#conflict();
    const end = known.start.length + known.end;
    const file = new Uint8Array(end + commit.length);
    file.set(stored.subarray(0, end));
    file.set(commit, end);
    await this.#put(file, () => this.#checkUnchanged(known));
  }

  async replace(file: Uint8Array, known: LogEnd): Promise<void> {
    await this.#checkUnchanged(known);
    await this.#put(file, () => this.#checkUnchanged(known));
  }

  /** Whether the file looks otherwise than this object saw it last. */
  async hasChanged(): Promise<boolean> {
    const seen = this.#seen;
    const { lastModified, size } = await this.#open();
    return seen !== undefined && seen !== `${lastModified} ${size}`;
  }

  /**
   * Puts a whole file into the place of this one. Browsers write it beside this one first, so a page that ends halfway
   * changes nothing. `check` runs at the last moment before.
   */
  async #put(file: Uint8Array, check: () => Promise<void>): Promise<void> {
    const copy = new Uint8Array(file);
    let stream: FileSystemWritableFileStream | undefined;
    try {
      stream = await this.#handle.createWritable();
      await stream.write(copy);
      await check();
    } catch (error) {
      await stream?.abort().catch(() => undefined);
      throw this.#failure("write", error);
    }
    try {
      this.written++;
      await stream.close();
      const standing = await this.#standing((file) => bytesOf(file, 0, copy.length));
      if (standing.every((byte, index) => byte === copy[index]) && standing.length === copy.length) return;
    } catch (error) {
      throw this.#unknown(error instanceof Error ? error.message : String(error));
    }
    throw this.#unknown("other bytes stand there now, perhaps another program's");
  }

  async #checkEmpty(): Promise<void> {
    const { size } = await this.#open().catch((error: unknown) => {
      if (error instanceof VaultError && error.code === "file_not_found") return { size: 0 };
      throw error;
    });
    if (size === 0) return;
    const hint = "choose another file; nothing was overwritten";
    throw new VaultError("file_exists", `${this.#name} holds something already`, hint);
  }

  async #checkUnchanged(known: LogEnd): Promise<void> {
    const stored = await this.#standing((file) => partsOf(file, known));
    if (!isUnchanged(stored, known)) throw this.#conflict();
  }

  /** Reads what is there; again if it is replaced meanwhile. Fails with `file_not_found`. */
  async #standing<T>(read: (file: File) => Promise<T>): Promise<T> {
    for (let reads = 1; ; reads++) {
      const file = await this.#open();
      if (file.size === 0) throw this.#notFound();
      try {
        const result = await read(file);
        this.#seen = `${file.lastModified} ${file.size}`;
        return result;
      } catch (error) {
        const isReplaced = ["NotReadableError", "NotFoundError"].includes(nameOf(error));
        if (reads === READS_MAX || !isReplaced) throw this.#failure("read", error);
      }
    }
  }

  async #open(): Promise<File> {
    try {
      return await this.#handle.getFile();
    } catch (error) {
      throw this.#failure("read", error);
    }
  }

  get #name(): string {
    return this.#handle.name;
  }

  #failure(operation: "read" | "write", error: unknown): unknown {
    if (error instanceof VaultError) return error;
    switch (nameOf(error)) {
      case "NotFoundError":
        return this.#notFound();
      case "NotAllowedError":
      case "SecurityError":
        return new VaultError(
          "io",
          `the browser does not permit this page to ${operation} ${this.#name}`,
          "lock the vault, open it again, and permit changes when the browser asks",
        );
      case "QuotaExceededError":
        return new VaultError("io", `there is no space left for ${this.#name}`, "make room on the disk");
      default: {
        const reason = error instanceof Error ? error.message : String(error);
        return new VaultError("io", `cannot ${operation} ${this.#name}: ${reason}`);
      }
    }
  }

  #conflict(): VaultError {
    const hint = "read the vault again and repeat the change";
    return new VaultError("conflict", `${this.#name} holds another log than the one that was read`, hint);
  }

  #notFound(): VaultError {
    const hint = "choose the file again, or create a vault in it";
    return new VaultError("file_not_found", `there is no vault in ${this.#name}`, hint);
  }

  #unknown(reason: string): VaultError {
    const hint = "open the vault again and see whether the change is there";
    return new VaultError(
      "not_durable",
      `a change of ${this.#name} may not have been stored: ${reason}`,
      hint,
    );
  }
}

/** What of a file tells whether the known log still stands there; on demand, its tail too. */
async function partsOf(file: File, known: LogEnd, tail?: "tail"): Promise<StoredBytes> {
  const start = known.start.length;
  const ranges = [
    [0, start] as const,
    ...known.marks.map(({ offset, bytes }) => [start + offset, start + offset + bytes.length] as const),
  ];
  if (tail !== undefined) ranges.push([start + known.end, file.size]);
  const parts = await Promise.all(
    ranges.map(async ([at, end]) => ({ at, bytes: await bytesOf(file, at, end) })),
  );
  const read = (at: number, length: number) =>
    parts.find((part) => part.at === at && part.bytes.length >= length)?.bytes.slice(0, length) ??
    new Uint8Array();
  return { length: file.size, read };
}

async function bytesOf(file: File, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.slice(from, Math.max(from, to)).arrayBuffer());
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}
