/** Who holds a lock, and when such an owner is provably gone (docs/file-lock.md sections 2 and 4). */

import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

import { isCount, isObject, parseJson } from "./json.js";

/** The content of a lock file. Text that could not be determined is empty and proves nothing. */
export interface Owner {
  /** The process, in its own pid namespace. The threads of a process share it: their tokens differ. */
  readonly pid: number;
  /** When it started, in clock ticks since boot; distinguishes it from a later one of the same pid. */
  readonly start_time: number;
  /** The run of the kernel. */
  readonly boot_id: string;
  /** The namespace in which `pid` means something. */
  readonly pid_namespace: string;
  /** The namespace that offsets `start_time` (time_namespaces(7)). */
  readonly time_namespace: string;
  /** The host name. */
  readonly host: string;
  /** A digest of the machine id, which itself is not for publication (machine-id(5)). */
  readonly machine: string;
  /** Who exactly: 32 random hexadecimal digits, new for each lock. */
  readonly token: string;
}

/** The owner that the content of a lock file names; nothing if it is not of this form. */
export function parseOwner(content: Uint8Array): Owner | undefined {
  const fields = parseJson(content);
  if (!isObject(fields)) return undefined;
  const { pid, start_time, boot_id, pid_namespace, host, token } = fields;
  const { time_namespace = "", machine = "" } = fields;
  if (
    !isCount(pid) ||
    !isCount(start_time) ||
    typeof boot_id !== "string" ||
    typeof pid_namespace !== "string" ||
    typeof time_namespace !== "string" ||
    typeof host !== "string" ||
    typeof machine !== "string" ||
    typeof token !== "string"
  ) {
    return undefined;
  }
  return { pid, start_time, boot_id, pid_namespace, time_namespace, host, machine, token };
}

/** The owner as people look for it: `process 4711 on build-3`. */
export function describeOwner({ pid, host }: Owner): string {
  // Another process wrote the host name: it must not play tricks on a terminal.
  return `process ${pid} on ${host.replace(/\p{Cc}/gu, "")}`;
}

/** The user to whom a file belongs: `user ann (1001)`. */
export function ownerOf(user: number): string {
  if (process.platform === "win32") return "another user";
  // Whom other sources of names know (nsswitch.conf) is a number here.
  const name = nameOf(user, text("/etc/passwd"));
  return name === undefined ? `user ${user}` : `user ${name} (${user})`;
}

/** A line of passwd(5) is `name:password:user:group:...`. */
export function nameOf(user: number, passwd: string): string | undefined {
  const lines = passwd.split("\n").map((line) => line.split(":"));
  return lines.find(([, , id]) => id === String(user))?.[0];
}

/** What this process knows about itself and where it runs. */
export interface Myself extends Omit<Owner, "token"> {
  /** Whether `/proc/<pid>` speaks of the same processes as `kill` does. */
  readonly procMatches: boolean;
}

/** This process, determined once: all of it stays the same for as long as it runs. */
export function myself(): Myself {
  return (determined ??= process.platform === "linux" ? determineOnLinux() : determineElsewhere());
}

/** This process as the owner of a lock with `token`. */
export function ownerWith(token: string): Owner {
  const { procMatches: _, ...me } = myself();
  return { ...me, token };
}

/**
 * Whether the process that wrote `owner` certainly does not run any more. In doubt: no. Once true, it
 * stays true, since no process comes back.
 */
export function provesGone(owner: Owner, me: Myself = myself()): boolean {
  if (owner.boot_id !== me.boot_id) {
    // The machine was started again since. A host name alone could be another machine's, which
    // shares the folder over a network.
    return (
      owner.boot_id !== "" &&
      me.boot_id !== "" &&
      me.machine !== "" &&
      owner.machine === me.machine &&
      owner.host === me.host
    );
  }
  if (owner.pid_namespace !== me.pid_namespace) return false;
  if (process.platform === "linux") {
    if (me.boot_id === "" || me.pid_namespace === "") return false;
  } else if (owner.host === "" || owner.host !== me.host) {
    // Elsewhere the host name is all there is; see docs/file-lock.md section 5.
    return false;
  }
  // `kill` first: it knows processes that a /proc mounted with hidepid conceals.
  if (!processExists(owner.pid)) return true;
  if (!me.procMatches || owner.time_namespace !== me.time_namespace) return false;
  const stat = readStat(String(owner.pid));
  return stat !== undefined && (stat.startTime !== owner.start_time || isDead(stat));
}

/** The keyed digest that machine-id(5) asks for before the id is shown to others. */
export function machineOf(id: string): string {
  if (id === "" || id === "uninitialized") return "";
  const digest = createHash("sha256").update(`connector-vault/1 machine\n${id}`).digest();
  return digest.toString("hex", 0, 16);
}

/** What is of interest in `/proc/<pid>/stat` (proc_pid_stat(5)). */
export interface Stat {
  readonly state: string;
  readonly threads: number;
  readonly startTime: number;
}

export function parseStat(stat: string): Stat | undefined {
  // Field 2 is the program's name in parentheses, which may hold anything, parentheses too.
  const end = stat.lastIndexOf(")");
  if (end === -1) return undefined;
  const fields = stat
    .slice(end + 1)
    .trim()
    .split(/\s+/);
  const field = (number: number) => fields[number - 3] ?? "";
  const [state, threads, startTime] = [field(3).slice(0, 1), field(20), field(22)];
  if (state === "" || !/^\d+$/.test(threads) || !/^\d+$/.test(startTime)) return undefined;
  return { state, threads: Number(threads), startTime: Number(startTime) };
}

/**
 * A zombie only waits for its parent to notice. With more threads than itself it is a process whose
 * first thread has ended and whose others still run.
 */
export function isDead({ state, threads }: Stat): boolean {
  return (state === "Z" || state === "X") && threads <= 1;
}

let determined: Myself | undefined;

function determineOnLinux(): Myself {
  return {
    pid: process.pid,
    start_time: readStat("self")?.startTime ?? 0,
    boot_id: text("/proc/sys/kernel/random/boot_id"),
    pid_namespace: link("/proc/self/ns/pid"),
    time_namespace: link("/proc/self/ns/time"),
    host: hostname(),
    machine: machineOf(text("/etc/machine-id")),
    // After `unshare --pid` without a new /proc, `/proc/<pid>` is another process than <pid>.
    procMatches: link("/proc/self") === String(process.pid),
  };
}

function determineElsewhere(): Myself {
  return {
    pid: process.pid,
    start_time: 0,
    boot_id: "",
    pid_namespace: "",
    time_namespace: "",
    // The Rust implementation takes the same two.
    host: process.platform === "win32" ? (process.env["COMPUTERNAME"] ?? "") : hostname(),
    machine: "",
    procMatches: false,
  };
}

function readStat(pid: string): Stat | undefined {
  return parseStat(orEmpty(() => readFileSync(`/proc/${pid}/stat`, "latin1")));
}

function text(path: string): string {
  return orEmpty(() => readFileSync(path, "utf8").trim());
}

function link(path: string): string {
  return orEmpty(() => readlinkSync(path));
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

/** Whether there is such a process; in doubt, there is. */
function processExists(pid: number): boolean {
  // 0 and what the kernel takes for negative address groups of processes in kill(2). On Windows a
  // process that may not be looked at seems not to exist.
  if (pid === 0 || pid > 0x7fff_ffff || process.platform === "win32") return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
