/** When an owner is provably gone, as crates/connector-vault-store/src/owner.rs tests it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  describeOwner,
  isDead,
  machineOf,
  myself,
  ownerWith,
  parseOwner,
  parseStat,
  provesGone,
  type Owner,
} from "../../src/node/owner.js";
import { bytes } from "./sandbox.js";

const TOKEN = "00".repeat(16);
/** No process has this pid: it is above the kernel's PID_MAX_LIMIT of 2^22. */
const NOBODY = 2 ** 30;

test("stat lines", () => {
  const tail = "1 2 3 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 7 0 4711 0 0";
  const want = (state: string) => ({ state, threads: 7, startTime: 4711 });
  assert.deepEqual(parseStat(`12 (cvault) S ${tail}`), want("S"));
  assert.deepEqual(parseStat(`12 (a) Z (b c) R ${tail}\n`), want("R"));
  assert.equal(parseStat("12 (cvault) S 1 2 3"), undefined);
  assert.equal(parseStat(""), undefined);
});

test("a zombie is dead only without other threads", () => {
  assert.ok(isDead({ state: "Z", threads: 1, startTime: 1 }));
  assert.ok(!isDead({ state: "Z", threads: 2, startTime: 1 }));
  assert.ok(!isDead({ state: "S", threads: 1, startTime: 1 }));
});

test("what is written is read, and nothing else", () => {
  const owner = ownerWith(TOKEN);
  const parse = (change: object) => parseOwner(bytes(JSON.stringify({ ...owner, ...change })));
  assert.deepEqual(parse({}), owner);
  assert.deepEqual(parse({ later: [1] }), owner);
  assert.deepEqual(parse({ machine: undefined, time_namespace: undefined }), {
    ...owner,
    machine: "",
    time_namespace: "",
  });
  for (const field of Object.keys(owner)) assert.equal(parse({ [field]: null }), undefined, field);
  for (const pid of ["4711", -1, 1.5, 2 ** 60]) assert.equal(parse({ pid }), undefined, String(pid));
  assert.equal(parse({ token: undefined }), undefined);
  for (const text of ["4711", "null", "[]", "{", ""]) assert.equal(parseOwner(bytes(text)), undefined, text);
});

test("a foreign host name plays no tricks on a terminal", () => {
  assert.equal(
    describeOwner({ ...ownerWith(TOKEN), pid: 7, host: "\u001b[2Jevil\n" }),
    "process 7 on [2Jevil",
  );
});

test("proofs that an owner is gone", { skip: process.platform !== "linux" }, () => {
  const gone = (change: Partial<Owner>) => provesGone({ ...ownerWith(TOKEN), ...change });
  const later = { start_time: myself().start_time + 1 };
  assert.ok(!gone({}), "a running process");
  assert.ok(gone({ pid: NOBODY }), "no such process");
  assert.ok(gone(later), "a process id that was used again");
  assert.ok(!gone({ ...later, time_namespace: "time:[1]" }), "start times of another time namespace");
  assert.ok(!gone({ pid: NOBODY, pid_namespace: "pid:[1]" }), "another pid namespace");
  assert.ok(!gone({ pid: NOBODY, boot_id: "another", host: "another" }), "another host");
  assert.ok(!gone({ pid: NOBODY, boot_id: "" }), "an unknown boot");
  // 0 and negative ones address groups of processes in kill(2).
  for (const pid of [0, 2 ** 31, 2 ** 32 - 1]) assert.ok(!gone({ pid }), `the pid ${pid}`);
  const me = { ...myself(), procMatches: false };
  assert.ok(!provesGone({ ...ownerWith(TOKEN), ...later }, me), "a /proc of other processes");
});

test("another boot of the same machine", () => {
  const me = { ...myself(), boot_id: "this", machine: machineOf("0123") };
  const gone = (machine: string, boot_id = "another") =>
    provesGone({ ...me, boot_id, machine, token: TOKEN }, me);
  assert.ok(gone(machineOf("0123")));
  assert.ok(!gone(machineOf("4567")));
  assert.ok(!gone(""));
  assert.ok(!gone(machineOf("0123"), ""));
  assert.equal(machineOf("uninitialized"), "");
});
