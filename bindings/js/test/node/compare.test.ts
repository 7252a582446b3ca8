/** Stored bytes against a known log. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { LogEnd } from "../../src/storage.js";
import { compare, inMemory, isUnchanged } from "../../src/storage/compare.js";
import { bytes, known, start } from "./sandbox.js";

test("compare goes by content", () => {
  const check = (file: string, expected: string, knownLog = known("abcdef")) => {
    const found = compare(inMemory(bytes(file)), knownLog);
    const tail = found.state === "grown" ? ` ${new TextDecoder().decode(found.tail)}` : "";
    assert.equal(found.state + tail, expected, JSON.stringify(file));
  };
  check(`${start()}abcdef`, "same");
  check(`${start()}abcdefgh`, "grown gh");
  check(`${start()}xyzxyz`, "replaced");
  check(`${start()}abcdeX`, "replaced");
  check(`${start()}abcde`, "replaced");
  check(start(), "replaced");
  check("", "replaced");
  // Another passphrase changes the start alone.
  check(`${start("()")}abcdef`, "replaced");
  check(`${start("[1]")}abcdef`, "replaced");
  // The vault sees by itself whether what follows is still torn.
  check(`${start()}abcdefgh`, "grown gh", known("abcdef", "gh"));
});

test("offsets past everything are another log", () => {
  const stored = inMemory(bytes(`${start()}abcdef`));
  for (const [offset, end] of [
    [Number.MAX_SAFE_INTEGER, 6],
    [2 ** 64, 6],
    [0, 2 ** 64],
    [4, 6],
  ] as const) {
    const log: LogEnd = { ...known("abcdef"), marks: [{ offset, bytes: bytes("abc") }], end };
    assert.deepEqual(compare(stored, log), { state: "replaced" });
  }
});

test("unchanged is what ends with the known log and the known torn tail", () => {
  const check = (log: string, knownLog: LogEnd) => isUnchanged(inMemory(bytes(start() + log)), knownLog);
  assert.ok(check("abcdef", known("abcdef")));
  assert.ok(check("abcdefgh", known("abcdef", "gh")));
  assert.ok(!check("abcdefgh", known("abcdef")));
  assert.ok(!check("abcdefg", known("abcdef", "gh")));
  assert.ok(!check("abcdeXgh", known("abcdef", "gh")));
  assert.ok(!check("abcde", known("abcdef")));
});

test("what is read is the reader's own", () => {
  const file = bytes(`${start()}abcdefgh`);
  const compared = compare(inMemory(file), known("abcdef"));
  file.fill(0);
  assert.deepEqual(compared, { state: "grown", tail: bytes("gh") });
});
