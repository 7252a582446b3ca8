/** The roles that processes and worker threads play in the tests. */

import { readFileSync, writeFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { isMainThread, parentPort, workerData } from "node:worker_threads";

import { FileLock } from "../../src/node/file-lock.js";
import { FileStorage } from "../../src/node/file-storage.js";
import type { LogEnd, VaultStorage } from "../../src/storage.js";
import { bytes, start } from "./sandbox.js";

/** All commits of these tests have this length: writer, number, filling. */
export const COMMIT_LEN = 64;

export function commit(writer: string, number: number): string {
  return `${writer} ${number}`.padEnd(COMMIT_LEN - 1) + "\n";
}

const ROLES: Record<string, (path: string, ...args: string[]) => Promise<void>> = {
  /** Holds the lock until its input ends. */
  async hold(path) {
    const lock = await FileLock.acquire(`${path}.lock`);
    console.log("held");
    for await (const _ of process.stdin);
    lock.release();
  },

  /** Adds to a number in a file, reading and writing it in two steps. */
  async count(path, count) {
    for (let done = 0; done < Number(count); done++) {
      const lock = await FileLock.acquire(`${path}.lock`);
      const number = Number(readFileSync(path, "utf8"));
      await setImmediate();
      writeFileSync(path, String(number + 1));
      lock.release();
    }
  },

  /** Appends commits, and every now and then replaces the file by itself. */
  async append(path, writer = "", count) {
    const storage = new FileStorage(path, { heads: null });
    let known: LogEnd = { start: bytes(start()), marks: [], end: 0, torn: 0 };
    for (let number = 0; number < Number(count); number++) {
      await storage.exclusive(async (file) => {
        known = await refreshed(file, known);
        if (number % 16 === 15) {
          await file.replace((await file.read()).slice(0, known.start.length + known.end), known);
          known = { ...known, torn: 0 };
        }
        const text = commit(writer, number);
        await file.append(bytes(text), known);
        known = adopted(known, text);
      });
      console.log(`${writer} ${number}`);
    }
  },
};

/** What a writer does with the log it knows: it adopts what others appended. */
async function refreshed(file: VaultStorage, known: LogEnd): Promise<LogEnd> {
  const compared = await file.compare(known);
  if (compared.state === "replaced") throw new Error("nobody replaces the log");
  if (compared.state === "same") return { ...known, torn: 0 };
  const tail = new TextDecoder().decode(compared.tail);
  const torn = tail.length % COMMIT_LEN;
  return { ...adopted(known, tail.slice(0, tail.length - torn)), torn };
}

function adopted(known: LogEnd, commits: string): LogEnd {
  if (commits === "") return known;
  const end = known.end + commits.length;
  return {
    ...known,
    end,
    torn: 0,
    marks: [{ offset: end - COMMIT_LEN, bytes: bytes(commits.slice(-COMMIT_LEN)) }],
  };
}

const args: unknown = isMainThread ? process.argv.slice(2) : workerData;
if (process.argv[1]?.endsWith("role.ts") || !isMainThread) {
  const [role, path, ...rest] = (args as string[]).map(String);
  await ROLES[role ?? ""]?.(path ?? "", ...rest);
  parentPort?.close();
}
