/**
 * One vault under several names: hard links, and a file that is mounted by itself, as containers do it. Each
 * name has a lock file of its own, and Node has no lock for the file itself (docs/file-lock.md section 7).
 */

import { fstatSync, readFileSync, statSync } from "node:fs";

import { VaultError } from "../error.js";

/** Which names an open file has beside `path`, as the words that follow the path; nothing if it has none. */
export function otherNames(file: number, path: string): string | undefined {
  const { nlink } = fstatSync(file);
  if (nlink > 1) return `has ${nlink} names (hard links)`;
  return isMountPoint(path) ? "is mounted here by itself" : undefined;
}

/** Whether an open file has several names in the file system. */
export function hasLinks(file: number): boolean {
  return fstatSync(file).nlink > 1;
}

/**
 * Checks that an open file still is the vault at `path`. Fails with `file_replaced` if another file stands
 * there, or none, or if the file has no name any more: one that is mounted by itself stays in sight then.
 */
export function checkCurrent(file: number, path: string): void {
  if (process.platform === "win32") return;
  const open = fstatSync(file, { bigint: true });
  const named = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (open.nlink > 0n && named?.dev === open.dev && named.ino === open.ino) return;
  const hint =
    "nothing was written to the vault; if the file is mounted into a container, mount its folder instead and " +
    "start the container again; else open the vault again and repeat the change";
  throw new VaultError("file_replaced", `the file at ${path} was replaced or deleted by somebody else`, hint);
}

/** A file with other names is not replaced: they would keep the former version. */
export function otherNamesError(path: string, names: string): VaultError {
  const hint =
    "keep one name: delete the others, or make them symbolic links; into a container, mount the folder of " +
    "the file";
  const message = `${path} ${names}: a new version in its place would leave the others behind`;
  return new VaultError("other_names", message, hint);
}

function isMountPoint(path: string): boolean {
  if (process.platform !== "linux") return false;
  let isMounted = mounted.get(path);
  if (isMounted === undefined) {
    isMounted = isMountedNow(path);
    mounted.set(path, isMounted);
  }
  return isMounted;
}

/** Looked up once for each path: the list can be long, and a container mounts its files before it starts. */
const mounted = new Map<string, boolean>();

function isMountedNow(path: string): boolean {
  try {
    return mountsAt(path, readFileSync("/proc/self/mountinfo", "utf8"));
  } catch {
    return false;
  }
}

/** Whether a list as proc_pid_mountinfo(5) describes it has this path in the fifth field. */
export function mountsAt(path: string, mounts: string): boolean {
  // Space, tab, line feed and backslash stand there as three octal digits.
  const escaped = path.replace(
    /[ \t\n\\]/g,
    (letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return mounts.split("\n").some((line) => line.split(" ")[4] === escaped);
}
