/** What file-storage.test.ts does in pages, with files of the origin's private file system. */

import { VaultError } from "connector-vault";

import { contract, entry, Log, Replica } from "../../bindings/js/test/storage/contract.js";
import { FileHandleStorage } from "../src/places/file-handle-storage.js";

const POLL_MS = 50;

class TestPage {
  heard = 0;
  #handle: FileSystemFileHandle | undefined;
  #storage: FileHandleStorage | undefined;

  async runCase(name: string): Promise<void> {
    const found = contract.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no case ${name}`);
    const handle = await handleOf(name.replaceAll(/\W+/g, "-"));
    await found.run({ open: () => new FileHandleStorage(handle, POLL_MS) });
  }

  /** Opens a file that all tabs of a test share. */
  async open(name: string): Promise<void> {
    this.#handle = await handleOf(name);
    this.#storage = new FileHandleStorage(this.#handle, POLL_MS);
    this.#storage.subscribe(() => this.heard++);
  }

  async create(): Promise<number[]> {
    const file = Log.random().file();
    await this.storage.create(file);
    return [...file];
  }

  async appendEntries(writer: number, count: number): Promise<void> {
    const replica = new Replica(this.storage);
    for (let number = 0; number < count; number++) await replica.append(entry(writer, number));
  }

  async read(): Promise<number[]> {
    return [...(await this.storage.read())];
  }

  /** Writes as another program does: without turns. */
  async scribble(bytes: readonly number[]): Promise<void> {
    await scribble(this.handle, Uint8Array.from(bytes));
  }

  /** The code with which an append fails when another program writes while `during` this one does. */
  async appendWhile(during: "the file is written" | "it is put in place"): Promise<string> {
    const log = Log.random(2);
    await this.scribble([...log.file()]);
    const others = Log.random(2).file();
    const { write, close } = FileSystemWritableFileStream.prototype;
    const { handle } = this;
    const undo = () => Object.assign(FileSystemWritableFileStream.prototype, { write, close });
    Object.assign(FileSystemWritableFileStream.prototype, {
      async write(this: FileSystemWritableFileStream, data: FileSystemWriteChunkType) {
        if (during === "the file is written") {
          undo();
          await scribble(handle, others);
        }
        await write.call(this, data);
      },
      async close(this: FileSystemWritableFileStream) {
        await close.call(this);
        undo();
        if (during === "it is put in place") await scribble(handle, others);
      },
    });
    const known = log.known();
    try {
      await this.storage.append(log.add(50), known);
      return "done";
    } catch (error) {
      return error instanceof VaultError ? error.code : String(error);
    } finally {
      undo();
      const standing = await this.storage.read();
      if (!standing.every((byte, index) => byte === others[index]))
        throw new Error("the other's bytes are gone");
    }
  }

  get storage(): FileHandleStorage {
    if (this.#storage === undefined) throw new Error("no file is open");
    return this.#storage;
  }

  get handle(): FileSystemFileHandle {
    if (this.#handle === undefined) throw new Error("no file is open");
    return this.#handle;
  }
}

async function handleOf(name: string): Promise<FileSystemFileHandle> {
  return (await navigator.storage.getDirectory()).getFileHandle(name, { create: true });
}

async function scribble(handle: FileSystemFileHandle, bytes: Uint8Array): Promise<void> {
  const stream = await handle.createWritable();
  await stream.write(new Uint8Array(bytes));
  await stream.close();
}

declare global {
  var testPage: TestPage;
}

globalThis.testPage = new TestPage();
