/**
 * One vault on its way through all surfaces, with the default cost and a passphrase of Unicode in both of
 * its normal forms: the Rust program makes it, a browser and Node update it, the program opens it again.
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { MemoryStorage } from "../../src/index.js";
import { FileKnownHeads, FileStorage, Vault } from "../../src/node.js";
import { cvault } from "../node/program.js";
import { sandbox } from "../node/sandbox.js";
import { Chromium } from "./chromium.js";
import { ask, serveVaultPage } from "./vault-site.js";

const COMPOSED = "Zürich Ängström 한글".normalize("NFC");
const DECOMPOSED = COMPOSED.normalize("NFD");

test("native seals, a browser and Node update, native opens", async (t) => {
  assert.notEqual(COMPOSED, DECOMPOSED);
  const dir = sandbox(t);
  const path = join(dir, "team.cvault");
  const env = (passphrase: string) => ({
    CVAULT_PASSPHRASE: passphrase,
    CVAULT_STATE_DIR: join(dir, "state"),
  });
  await cvault(env(COMPOSED), "init", path);
  writeFileSync(join(dir, "properties.json"), '{"APIKey": "by native"}');
  const from = join(dir, "properties.json");
  await cvault(env(DECOMPOSED), "add", path, "--id", "x", "--name", "N", "--type", "T", "--from-json", from);

  const browser = await Chromium.launch(t);
  const site = await serveVaultPage(t);
  const page = await browser.open(site.origin);
  await ask(page, "openBytes", readFileSync(path).toString("base64"), DECOMPOSED);
  assert.deepEqual(await ask(page, "read"), { APIKey: "by native" });
  assert.equal(await ask(page, "set", "Browser", "b"), 2);
  browser.assertNoProblems();

  writeFileSync(path, Buffer.from(await ask(page, "bytes"), "base64"));
  const storage = new FileStorage(path, { heads: new FileKnownHeads(join(dir, "state")) });
  const vault = await Vault.open(storage, { passphrase: COMPOSED });
  await vault.run({
    ActionType: "Connectors.Update",
    Parameters: { EntryId: "x", PropertiesJson: '{"Node": "n"}' },
  });
  vault.lock();

  const shown = (await cvault(env(COMPOSED), "show", path, "x", "--reveal")) as { properties: object };
  assert.deepEqual(shown.properties, { APIKey: "by native", Browser: "b", Node: "n" });
  const verified = (await cvault(env(DECOMPOSED), "verify", path)) as { ok: boolean };
  assert.equal(verified.ok, true);
  // And as bytes that a host keeps by itself.
  const copy = await Vault.open(new MemoryStorage(readFileSync(path)), { passphrase: DECOMPOSED });
  assert.equal(copy.history("x").length, 3);
  copy.lock();
});
