/** The second module: every call that needs it loads it, whichever comes first in a process. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Identity, MemoryStorage, ready, Vault } from "../../src/index.js";
import { sandbox } from "./sandbox.js";

const PROGRAM = fileURLToPath(new URL("first-call.ts", import.meta.url));

async function run(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", PROGRAM, ...args]);
  return stdout;
}

test("any call may be the first that needs it", async (t) => {
  await ready();
  const path = join(sandbox(t), "v.cvault");
  const identity = Identity.generate();
  const storage = new MemoryStorage();
  const vault = await Vault.create(storage, { label: "ops", identity });
  await vault.createConnector({ id: "x", name: "X", type: "T", properties: { A: "a" } });
  writeFileSync(path, storage.bytes ?? assert.fail("nothing is stored"));
  const { vaultId } = vault.head;
  writeFileSync(`${path}.json`, JSON.stringify({ identity: identity.toText(), vaultId }));
  const names = (await run()).split("\n");
  assert.ok(names.length > 20);
  const failed: string[] = [];
  for (const name of names) {
    await run(path, name).catch((error: Error) => failed.push(`${name}: ${error.message}`));
  }
  assert.deepEqual(failed, []);
});
