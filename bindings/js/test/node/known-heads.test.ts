/** Known heads in files: remembered by vault and place, and never replaced by older ones. */

import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import type { KnownHead } from "../../src/heads.js";
import { documentOf } from "../../src/heads/entry.js";
import { FileKnownHeads } from "../../src/node/known-heads.js";
import { failsWith, instead, names, NOT_FILES, sandbox, systemError } from "./sandbox.js";

const VAULT = "a5".repeat(32);
const PLACE = "/srv/vault.cvault";

function head(seq: number): KnownHead {
  const hash = seq.toString(16).padStart(64, "0");
  return {
    head: { vaultId: VAULT, epoch: 1, seq, hash },
    vaultKey: "11".repeat(32),
    indexCommitment: "22".repeat(32),
  };
}

function heads(t: TestContext): FileKnownHeads {
  return new FileKnownHeads(join(sandbox(t), "state", "connector-vault"));
}

function onlyFile({ dir }: FileKnownHeads): string {
  const [name, ...others] = names(dir);
  assert.deepEqual(others, []);
  return join(dir, name ?? "");
}

test("a later head replaces an earlier one and never the reverse", async (t) => {
  const known = heads(t);
  assert.equal(await known.get(VAULT, PLACE), undefined);
  for (const [seq, newest] of [
    [5, 5],
    [4, 5],
    [6, 6],
    [6, 6],
  ] as const) {
    await known.remember(VAULT, PLACE, head(seq));
    assert.deepEqual(await known.get(VAULT, PLACE), head(newest));
  }
  await known.remember(VAULT, PLACE, { ...head(6), indexCommitment: "33".repeat(32) });
  assert.deepEqual(await known.get(VAULT, PLACE), head(6));
});

test("each vault and each place has its own", async (t) => {
  const known = heads(t);
  await known.remember(VAULT, PLACE, head(5));
  await known.remember(VAULT, "/backup", head(3));
  await known.remember("01".repeat(32), PLACE, head(9));
  assert.deepEqual(await known.get(VAULT, PLACE), head(5));
  assert.deepEqual(await known.get(VAULT, "/backup"), head(3));
});

test("a forgotten head is gone", async (t) => {
  const known = heads(t);
  await known.forget(VAULT, PLACE);
  await known.remember(VAULT, PLACE, head(5));
  await known.forget(VAULT, PLACE);
  assert.equal(await known.get(VAULT, PLACE), undefined);
  await known.remember(VAULT, PLACE, head(1));
  assert.deepEqual(await known.get(VAULT, PLACE), head(1));
});

test("the file is the one that the Rust crate writes", async (t) => {
  const known = heads(t);
  await known.remember(VAULT, PLACE, head(5));
  const path = onlyFile(known);
  // printf %s /srv/vault.cvault | sha256sum
  assert.equal(path, join(known.dir, `${VAULT}-5279f6879fb458f2.json`));
  const content = `{"vault_id":"${VAULT}","place":"${PLACE}","seq":5,"head":${JSON.stringify(documentOf(head(5)))}}`;
  assert.equal(readFileSync(path, "utf8"), content);
  if (process.platform === "win32") return;
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(known.dir).mode & 0o777, 0o700);
});

test("a damaged file is no reason to trust anything", async (t) => {
  const known = heads(t);
  await known.remember(VAULT, PLACE, head(5));
  const path = onlyFile(known);
  const content = readFileSync(path, "utf8");
  for (const damaged of [
    "{",
    "null",
    content.replace("a5a5", "a5a6"),
    content.replace("srv", "mnt"),
    content.replace('"seq"', '"Seq"'),
    content.replace('"seq":5', '"seq":"5"'),
    content.replace(/"index_commitment":"2+"/, '"index_commitment":1'),
    content.replace("{", '{"more":1,'),
    content.slice(0, content.length / 2),
  ]) {
    writeFileSync(path, damaged);
    await assert.rejects(known.get(VAULT, PLACE), failsWith("state_unreadable"), damaged);
    await assert.rejects(known.remember(VAULT, PLACE, head(6)), failsWith("state_unreadable"), damaged);
  }
  await known.forget(VAULT, PLACE);
  assert.equal(await known.get(VAULT, PLACE), undefined);
});

test("a head is on the disk before it has its name", async (t) => {
  const known = heads(t);
  const events: string[] = [];
  instead(t, "fsync", () => (_: number, done: (error: Error | null) => void) => {
    events.push("sync");
    done(null);
  });
  instead(t, "renameSync", (renameSync) => (from: string, to: string) => {
    events.push("rename");
    renameSync(from, to);
  });
  await known.remember(VAULT, PLACE, head(5));
  assert.deepEqual(events, ["sync", "rename", "sync"], "at last the folder, for the first one");
  await known.remember(VAULT, PLACE, head(6));
  assert.deepEqual(events.slice(3), ["sync", "rename"]);
  instead(t, "fsync", () => (_: number, done: (error: Error) => void) => done(systemError("EIO", -5)));
  await assert.rejects(known.remember(VAULT, PLACE, head(7)), failsWith("io"));
  assert.deepEqual(await known.get(VAULT, PLACE), head(6));
  onlyFile(known);
});

test("what is too long, or not a file, is not read", async (t) => {
  const known = heads(t);
  await known.remember(VAULT, PLACE, head(5));
  const path = onlyFile(known);
  // Sparse: it takes no room.
  truncateSync(path, 1 << 30);
  await assert.rejects(known.get(VAULT, PLACE), (error: Error & { hint?: string }) => {
    assert.ok(error.message.endsWith("it has 1073741824 bytes"), error.message);
    assert.ok(error.hint?.includes("accept"), error.hint);
    return failsWith("state_unreadable")(error);
  });
  if (process.platform === "win32") return;
  for (const [kind, make] of Object.entries(NOT_FILES)) {
    rmSync(path, { recursive: true });
    make(t, path);
    await assert.rejects(known.get(VAULT, PLACE), (error: Error) => {
      assert.equal(error.message, `${path} is ${kind}, not a file`);
      return failsWith("not_a_file")(error);
    });
  }
});

test("what a power failure leaves is nothing", async (t) => {
  const known = heads(t);
  await known.remember(VAULT, PLACE, head(5));
  for (const blank of [new Uint8Array(), new Uint8Array(100)]) {
    writeFileSync(onlyFile(known), blank);
    assert.equal(await known.get(VAULT, PLACE), undefined);
  }
  await known.remember(VAULT, PLACE, head(6));
  assert.deepEqual(await known.get(VAULT, PLACE), head(6));
});

test("a vault id that is none leads to no file", async (t) => {
  await assert.rejects(heads(t).get("../../etc", PLACE), failsWith("invalid_vault_id"));
});

test("default folders", { skip: process.platform === "win32" }, () => {
  const check = (variables: Record<string, string>, dir: string) =>
    assert.equal(FileKnownHeads.default(variables).dir, dir);
  const [HOME, XDG_STATE_HOME] = ["/home/ann", "/xdg"];
  check({ HOME }, "/home/ann/.local/state/connector-vault");
  check({ HOME, XDG_STATE_HOME }, "/xdg/connector-vault");
  check({ HOME, XDG_STATE_HOME, CVAULT_STATE_DIR: "/own" }, "/own");
  check({ XDG_STATE_HOME, CVAULT_STATE_DIR: "own" }, "/xdg/connector-vault");
  for (const variables of [{ XDG_STATE_HOME: "" }, {}]) {
    assert.throws(() => FileKnownHeads.default(variables), failsWith("no_state_dir"));
  }
});
