/** What the tests of files share: folders of their own, processes in roles, vault files of a few letters. */

import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import fs, {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { mock, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { VaultError } from "../../src/error.js";
import type { LogEnd } from "../../src/storage.js";

/** A new folder, which goes with the test. */
export function sandbox(t: TestContext): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "connector-vault-")));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function names(dir: string): string[] {
  return readdirSync(dir).sort();
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The start of a vault file whose locks are these. */
export function start(locks = "[]"): string {
  return `CVAULT01${String.fromCharCode(locks.length)}\0\0\0${locks}`;
}

/** What somebody knows who has read this log: its last three bytes stand for the newest commit. */
export function known(log: string, torn = "", locks = "[]"): LogEnd {
  const offset = log.length - 3;
  const marks = [{ offset, bytes: bytes(log.slice(offset)) }];
  return { start: bytes(start(locks)), marks, end: log.length, torn: torn.length };
}

/** For `assert.throws` and `assert.rejects`: the error has this code. */
export function failsWith(code: string): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof VaultError && error.code === code) return true;
    throw error;
  };
}

type Mocked =
  | "fdatasync"
  | "fdatasyncSync"
  | "fsync"
  | "fsyncSync"
  | "linkSync"
  | "openSync"
  | "renameSync"
  | "unlinkSync"
  | "writeSync";

/** Until the end of the test, or of what it returns, something else is done in place of a function of `node:fs`. */
export function instead<K extends Mocked>(
  t: TestContext,
  name: K,
  make: (original: (typeof fs)[K]) => (...args: never[]) => unknown,
): () => void {
  const { mock: mocked } = mock.method(fs, name, make(fs[name]) as never);
  syncBuiltinESMExports();
  const restore = () => {
    mocked.restore();
    syncBuiltinESMExports();
  };
  t.after(restore);
  return restore;
}

export function systemError(code: string, errno = 0): Error {
  return Object.assign(new Error(code), { code, errno });
}

/** What may stand where a file belongs, by what it is called. */
export const NOT_FILES: Record<string, (t: TestContext, path: string) => void> = {
  "a folder": (_, path) => mkdirSync(path),
  "a FIFO": (_, path) => assert.equal(spawnSync("mkfifo", [path]).status, 0),
  "a socket": (t, path) => {
    const server = createServer();
    t.after(() => server.close());
    // Its own name may have a hundred letters at most.
    const short = join(sandbox(t), "socket");
    server.listen(short);
    renameSync(short, path);
  },
};

/** A process that plays a role of role.ts, and ends with the test at the latest. */
export function play(t: TestContext, ...args: string[]): Player {
  const file = fileURLToPath(new URL("./role.ts", import.meta.url));
  return new Player(
    t,
    spawn(process.execPath, [...process.execArgv, file, ...args], { stdio: ["pipe", "pipe", "inherit"] }),
  );
}

export class Player {
  readonly ended: Promise<number | null>;

  constructor(
    t: TestContext,
    readonly child: ChildProcess,
  ) {
    this.ended = new Promise((resolve) => child.once("close", resolve));
    t.after(async () => {
      child.kill("SIGKILL");
      await this.ended;
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The lines that it prints, until it ends. */
  lines(): AsyncIterable<string> {
    if (this.child.stdout === null) throw new Error("nobody listens to it");
    return createInterface(this.child.stdout);
  }

  async said(line: string): Promise<void> {
    for await (const found of this.lines()) if (found === line) return;
    throw new Error(`it ended without saying ${line}`);
  }

  async killed(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** `/proc/<pid>/stat` from the state on: field 3 is the first. */
export function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
}

/** Resolves when something is so that nobody tells us. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}
