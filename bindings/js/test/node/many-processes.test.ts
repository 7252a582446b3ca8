/** Node processes and Rust programs on one file, all updating at once: nothing that was acknowledged is lost. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import {
  FileKnownHeads,
  FileStorage,
  Identity,
  ready,
  Vault,
  type ConnectorsDocument,
} from "../../src/node.js";
import { cvault } from "./program.js";
import { failsWith, names, sandbox } from "./sandbox.js";

/** Few in every run of the tests; with `CVAULT_TEST_UPDATES=100` the 800 that the project promises. */
const UPDATES = Number(process.env["CVAULT_TEST_UPDATES"] ?? 15);
const CONNECTORS = ["c0", "c1", "c2", "c3"];
const EACH = [0, 1, 2, 3];

test(`4 Node processes and 4 cvault programs x ${UPDATES} updates lose none`, async (t) => {
  const dir = sandbox(t);
  const [path, state] = [join(dir, "team.cvault"), join(dir, "state")];
  const heads = new FileKnownHeads(state);
  await ready();
  const identity = Identity.generate();
  const env = { CVAULT_IDENTITY: identity.toText(), CVAULT_STATE_DIR: state };
  const created = await Vault.create(new FileStorage(path, { heads }), { identity });
  for (const id of CONNECTORS) await created.createConnector({ id, name: "Name", type: "Type" });
  created.lock();

  const ofNode = async (worker: number): Promise<[string, number][]> => {
    const script = fileURLToPath(new URL("./many-updates.ts", import.meta.url));
    const args = [...process.execArgv, script, path, state, String(worker), String(UPDATES)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } });
    return JSON.parse(stdout) as [string, number][];
  };
  const ofRust = async (worker: number): Promise<[string, number][]> => {
    const versions: [string, number][] = [];
    for (let number = 0; number < UPDATES; number++) {
      const id = `c${(worker + number) % CONNECTORS.length}`;
      const name = join(dir, `${worker}-${number}.json`);
      const Properties = [{ PropertyName: `w${worker}`, PropertyValue: number }];
      const action = { ActionType: "Connectors.Update", Parameters: { EntryId: id, Properties } };
      writeFileSync(name, JSON.stringify(action));
      const outcome = (await cvault(env, "run", path, name, "--note", `${worker}-${number}`)) as {
        version_after: number;
      };
      versions.push([id, outcome.version_after]);
    }
    return versions;
  };
  const acknowledged = await Promise.all([...EACH.map(ofNode), ...EACH.map((worker) => ofRust(worker + 4))]);

  const total = 8 * UPDATES;
  const distinct = new Set(acknowledged.flat().map(([id, version]) => `${id} ${version}`));
  assert.equal(distinct.size, total, "no version was made twice");
  const vault = await Vault.open(new FileStorage(path, { heads }), { identity });
  t.after(() => vault.lock());
  const notes = new Set<string | undefined>();
  for (const id of CONNECTORS) {
    const history = vault.history(id);
    assert.deepEqual(
      history.map(({ version }) => version),
      history.map((_, index) => index + 1),
      `no version of ${id} is missing`,
    );
    history.slice(1).forEach(({ note }) => notes.add(note));
  }
  assert.equal(notes.size, total, "every update is in the history");
  assert.ok((await vault.verify()).every(({ problems }) => problems.length === 0));
  assert.ok(!existsSync(`${path}.lock`));
  assert.deepEqual(
    names(dir).filter((name) => name.includes("lock") || name.includes("torn")),
    [],
  );
  const verified = (await cvault(env, "verify", path)) as { ok: boolean };
  assert.equal(verified.ok, true);
  t.diagnostic(`${total} versions, nothing lost`);
});

test("what Node writes, the program shows, and the other way round", async (t) => {
  const dir = sandbox(t);
  const [path, state] = [join(dir, "team.cvault"), join(dir, "state")];
  const env = { CVAULT_PASSPHRASE: "correct horse", CVAULT_STATE_DIR: state };
  await cvault(env, "init", path, "--label", "ops", "--memory-mib", "19", "--passes", "1");
  const heads = new FileKnownHeads(state);
  const vault = await Vault.open(new FileStorage(path, { heads }), { passphrase: "correct horse" });
  t.after(() => vault.lock());
  const properties = { APIKey: "old", 'Ünïcode \u0000 "name"': "\u{1f511}\n" };
  await vault.createConnector({ id: "x", name: "Näme", type: "Type", properties });
  const shown = (await cvault(env, "show", path, "x", "--reveal")) as { properties: object; name: string };
  assert.deepEqual(shown.properties, properties);
  assert.equal(shown.name, "Näme");

  const action = {
    ActionType: "Connectors.Update",
    Parameters: { EntryId: "x", PropertiesJson: '{"APIKey":"new"}' },
  };
  writeFileSync(join(dir, "action.json"), JSON.stringify(action));
  const there = (await cvault(env, "run", path, join(dir, "action.json"))) as { status: string };
  assert.equal(there.status, "updated");
  await vault.refresh();
  assert.equal((await vault.read("x")).properties["APIKey"], "new");
  const here = await vault.run(JSON.stringify(action));
  assert.ok("status" in here && here.status === "unchanged");

  // What one exports, the other imports.
  writeFileSync(join(dir, "exported.json"), JSON.stringify(await vault.export()));
  const other = { ...env, CVAULT_STATE_DIR: join(dir, "other state") };
  await cvault(other, "init", join(dir, "other.cvault"), "--memory-mib", "19", "--passes", "1");
  await cvault(other, "import", join(dir, "other.cvault"), join(dir, "exported.json"));
  const exported = (await cvault(
    other,
    "export",
    join(dir, "other.cvault"),
    "--reveal",
  )) as ConnectorsDocument;
  await assert.rejects(vault.import(exported), failsWith("connector_exists"));
  await vault.deleteConnector("x");
  await vault.import(exported);
  assert.equal((await vault.read("x")).properties["APIKey"], "new");

  // A snapshot by the program replaces the file under the open vault.
  await cvault(env, "compact", path, "--keep", "1");
  const outcome = await vault.restore("x", 4);
  assert.equal(outcome.status, "unchanged");
  assert.deepEqual(
    vault.history("x").map(({ version }) => version),
    [4],
  );
});
