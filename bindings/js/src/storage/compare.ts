/** Whether stored bytes still end where a vault's log is known to end (docs/file-lock.md section 6). */

import { COMPARING } from "../arguments.js";
import { take } from "../check.js";
import type { Compared, LogEnd } from "../storage.js";

/** The bytes of a vault, read in parts: those of a file need not be in memory. */
export interface StoredBytes {
  readonly length: number;
  /** A copy of the `length` bytes from `at` on; fewer if they end before. */
  read(at: number, length: number): Uint8Array;
}

/** Compares stored bytes with the log that the caller knows. */
export function compare(stored: StoredBytes, known: LogEnd): Compared {
  [stored, known] = take(COMPARING.compare, [stored, known]);
  if (!holdsLog(stored, known)) return { state: "replaced" };
  const end = logEnd(known);
  if (stored.length === end) return { state: "same" };
  return { state: "grown", tail: stored.read(end, stored.length - end) };
}

/** Whether nothing stands there but the known log and the torn tail that is known to follow it. */
export function isUnchanged(stored: StoredBytes, known: LogEnd): boolean {
  [stored, known] = take(COMPARING.isUnchanged, [stored, known]);
  return stored.length === logEnd(known) + known.torn && holdsLog(stored, known);
}

/** Where the known log ends, in bytes from the start of the file. */
export function logEnd(known: LogEnd): number {
  return known.start.length + known.end;
}

/** Bytes in memory as stored ones. */
export function inMemory(bytes: Uint8Array): StoredBytes {
  [bytes] = take(COMPARING.inMemory, [bytes]);
  return { length: bytes.length, read: (at, length) => copyOf(bytes.subarray(at, at + length)) };
}

/** A copy in a buffer of its own. `slice` makes none of a `Buffer` of Node's. */
export function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function holdsLog(stored: StoredBytes, known: LogEnd): boolean {
  return (
    logEnd(known) <= stored.length &&
    holds(stored, 0, known.start) &&
    known.marks.every(({ offset, bytes }) => holds(stored, known.start.length + offset, bytes))
  );
}

function holds(stored: StoredBytes, at: number, expected: Uint8Array): boolean {
  if (at + expected.length > stored.length) return false;
  const found = stored.read(at, expected.length);
  return found.length === expected.length && found.every((byte, index) => byte === expected[index]);
}
