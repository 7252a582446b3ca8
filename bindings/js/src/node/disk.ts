/** Files on the disk: created privately, read and written whole, made durable (docs/file-lock.md section 6). */

import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  openSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
  type StatsBase,
} from "node:fs";
import { dirname } from "node:path";
import { getSystemErrorMap } from "node:util";

import { VaultError } from "../error.js";
import type { StoredBytes } from "../storage/compare.js";

/** Largest vault file, in bytes: the core's limit. */
export const VAULT_LEN_MAX = 1 << 30;

/** Creates a file that nobody else may read, for reading and writing; never opens one that is there. */
export function createPrivate(path: string): number {
  return openSync(path, "wx+", 0o600);
}

/**
 * Opens a file that is there. Refuses anything else, and waits for nothing: to open a FIFO waits for its
 * other end, and to open a device may do anything.
 */
export function openFile(path: string, access: "read" | "change"): number {
  checkFile(statSync(path));
  const flags = access === "read" ? constants.O_RDONLY : constants.O_RDWR;
  const file = openAtOnce(path, flags);
  try {
    // It may have been exchanged in between.
    checkFile(fstatSync(file));
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return file;
}

function openAtOnce(path: string, flags: number): number {
  // On Windows there are no such flags.
  const { O_NONBLOCK = 0, O_NOCTTY = 0 } = constants as Partial<typeof constants>;
  try {
    return openSync(path, flags | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    // Of a file, that is a lease of a file server (fcntl(2)), which soon gives way.
    if (!hasCode(error, "EAGAIN")) throw error;
    return openSync(path, flags);
  }
}

/** Checks that something is a regular file. */
export function checkFile(stat: StatsBase<number | bigint>): void {
  if (stat.isFile()) return;
  if (stat.isDirectory()) throw new NotAFile("a folder");
  if (stat.isSymbolicLink()) throw new NotAFile("a symbolic link");
  if (stat.isFIFO()) throw new NotAFile("a FIFO");
  if (stat.isSocket()) throw new NotAFile("a socket");
  throw new NotAFile("a device");
}

/** Something else stands where a file belongs; {@link ioError} knows it. */
class NotAFile extends Error {
  constructor(readonly kind: string) {
    super(`it is ${kind}, not a file`);
  }
}

/**
 * Checks how long a vault file is before it is read: whoever makes one, sparse perhaps, must not choose our memory
 * use. Fails with `limit_exceeded`.
 */
export function checkVaultLength(length: number): void {
  if (length <= VAULT_LEN_MAX) return;
  const message = `a vault file of ${length} bytes is larger than the limit of ${VAULT_LEN_MAX} bytes`;
  throw new VaultError("limit_exceeded", message);
}

/** What is in an open file now: what is appended later is left out. */
export function storedIn(file: number): StoredBytes {
  const stat = fstatSync(file);
  return { length: stat.size, read: (at, length) => readUpTo(file, at, length) };
}

/** The `length` bytes from `at` on; fewer if the file ends before. */
export function readUpTo(file: number, at: number, length: number): Uint8Array {
  // Not from Buffer's pool: its receiver may transfer it.
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = readSync(file, bytes, done, length - done, at + done);
    if (count === 0) return bytes.slice(0, done);
    done += count;
  }
  return bytes;
}

export function writeAll(file: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
  }
}

/** Makes a file durable. Not synchronous as the rest is: a disk takes milliseconds for this. */
export function sync(file: number): Promise<void> {
  return new Promise((resolve, reject) => fsync(file, (error) => (error ? reject(error) : resolve())));
}

/** Makes a file's content durable, and what is needed to find it. */
export function syncData(file: number): Promise<void> {
  return new Promise((resolve, reject) => fdatasync(file, (error) => (error ? reject(error) : resolve())));
}

/** Makes the entries of a folder durable: a new name or a rename is not, until this resolves. */
export async function syncDir(dir: string): Promise<void> {
  // Windows opens no folder as a file; NTFS journals the rename by itself.
  if (process.platform === "win32") return;
  const file = openSync(dir, "r");
  try {
    await sync(file);
  } catch (error) {
    if (!cannotSyncDirs(error)) throw error;
  } finally {
    closeSync(file);
  }
}

/** Makes durable what a process left that died before it did so: the content of a file, and its name. */
export function settle(path: string): void {
  try {
    const file = openFile(path, "read");
    try {
      fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  if (process.platform === "win32") return;
  const dir = openSync(dirname(path), "r");
  try {
    fsyncSync(dir);
  } catch (error) {
    if (!cannotSyncDirs(error)) throw error;
  } finally {
    closeSync(dir);
  }
}

/** Some network and user-space file systems cannot sync a folder; there is no other way to ask. */
function cannotSyncDirs(error: unknown): boolean {
  return hasCode(error, "EINVAL", "EOPNOTSUPP", "ENOTSUP", "ENOSYS");
}

/**
 * Whether a failed `link` means that the file system has no hard links: EPERM (link(2)), EOPNOTSUPP,
 * ENOSYS. EACCES does not: a security policy for this process alone could be the reason, and all
 * processes have to come to the same conclusion (docs/file-lock.md section 3).
 */
export function hasNoHardLinks(error: unknown): boolean {
  return hasCode(error, ...NO_HARD_LINKS);
}

const NO_HARD_LINKS = {
  // One number stands for ENOTSUP and EOPNOTSUPP, and Node calls it by the first name.
  linux: ["EPERM", "ENOTSUP", "ENOSYS"],
  // Here EPERM is a refusal that others may not meet.
  win32: ["ENOTSUP", "ENOSYS"],
}[process.platform as string] ?? ["EPERM", "EOPNOTSUPP", "ENOSYS"];

/** Removes a name whose file has no meaning to anybody, should it stay behind. */
export function discard(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Best effort.
  }
}

/** 16 random bytes as 32 hexadecimal digits. */
export function randomHex(): string {
  return randomBytes(16).toString("hex");
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** The operating system refused an operation; `operation` is a verb phrase that the path completes. */
export function ioError(operation: string, path: string, cause: unknown, advice?: string): VaultError {
  if (cause instanceof VaultError) return cause;
  if (cause instanceof NotAFile) {
    const hint = `give the path of a file, or move away what stands at ${path}`;
    return new VaultError("not_a_file", `${path} is ${cause.kind}, not a file`, hint);
  }
  let hint = advice;
  if (hasCode(cause, "ENOSPC", "EDQUOT")) {
    hint = "free some space and try again; nothing that was acknowledged is lost";
  } else if (hasCode(cause, "EFBIG")) {
    hint = "a limit on the size of files was reached (ulimit -f); nothing that was acknowledged is lost";
  }
  return new VaultError("io", `cannot ${operation} ${path}: ${reason(cause)}`, hint, { cause });
}

/** What `step` returns; what it throws becomes an {@link ioError}. */
export function attempt<T>(operation: string, path: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw ioError(operation, path, error);
  }
}

/** As {@link ioError}, but a missing vault file is an error of its own. */
export function openError(operation: string, path: string, cause: unknown): VaultError {
  if (!hasCode(cause, "ENOENT")) return ioError(operation, path, cause);
  const hint = "create the vault first, or check the path";
  return new VaultError("file_not_found", `there is no vault at ${path}`, hint, { cause });
}

/** The system could not confirm that a change reached the disk; no cause after the first time. */
export function notDurable(path: string, cause?: unknown): VaultError {
  const hint = "check the disk, then open the vault again and see whether the change is there";
  const message =
    cause === undefined
      ? `an earlier change of ${path} may not have reached the disk`
      : `a change of ${path} may not have reached the disk: ${reason(cause)}`;
  return new VaultError("not_durable", message, hint, { cause });
}

/** The system's words alone: Node adds its function and the path to them. */
function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const errno = "errno" in cause ? Number(cause.errno) : NaN;
  const [code, words] = getSystemErrorMap().get(errno) ?? [];
  return code === undefined ? cause.message : `${words} (${code})`;
}
