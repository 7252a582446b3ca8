/** Makes one call as the first of its process that needs `changes.wasm`: `first-call.ts FILE NAME`. */

import { readFileSync } from "node:fs";

import { Identity, MemoryStorage, ready, Vault } from "../../src/index.js";

const CHEAP = { memoryKib: 19_456, passes: 1, lanes: 1 };
const [path = "", name = ""] = process.argv.slice(2);
const bytes = path === "" ? new Uint8Array() : new Uint8Array(readFileSync(path));
const storage = new MemoryStorage(bytes);
/** Who opens it: `FILE.json` holds an identity and the id of the vault. */
function owner() {
  return JSON.parse(readFileSync(`${path}.json`, "utf8")) as { identity: string; vaultId: string };
}

/** By their names: each call that changes, plans, verifies or exports. */
const CALLS: Readonly<Record<string, (vault: Vault) => unknown>> = {
  create: () => Vault.create(new MemoryStorage(), { identity: Identity.generate() }),
  repair: () => Vault.repair(storage, new MemoryStorage(), owner()),
  plan: (vault) => vault.plan({ ActionType: "CredStore.DeleteEntry", Parameters: { EntryId: "x" } }),
  planCreate: (vault) => vault.planCreate({ name: "N", type: "T" }),
  planDelete: (vault) => vault.planDelete("x"),
  planRestore: (vault) => vault.planRestore("x", 1),
  planDescribe: (vault) => vault.planDescribe("x", { name: "N" }),
  planMove: (vault) => vault.planMove("x", "default"),
  planMerge: (vault) => vault.planMerge(bytes.slice()),
  update: (vault) => vault.update("x", { A: "1" }),
  createConnector: (vault) => vault.createConnector({ name: "N", type: "T" }),
  import: (vault) => vault.import({ connectors: [] }),
  merge: (vault) => vault.merge(bytes.slice()),
  grant: (vault) => vault.grant("new", "viewer", { passphrase: "p", cost: CHEAP }),
  setRights: (vault) => vault.setRights("ops", undefined, { until: "2027-01-31T00:00:00.000Z" }),
  addGroup: (vault) => vault.addGroup("payments"),
  setPassphrase: (vault) => vault.setPassphrase("p", { cost: CHEAP }),
  addKey: (vault) => vault.addKey({ key: new Uint8Array(32).fill(7), hint: new Uint8Array([1]) }),
  compact: (vault) => vault.compact(),
  purge: (vault) => vault.purge(),
  log: (vault) => vault.log(),
  verify: (vault) => vault.verify(),
  export: (vault) => vault.export(),
};

if (name === "") {
  process.stdout.write(Object.keys(CALLS).join("\n"));
} else {
  await ready();
  const vault = await Vault.open(storage, owner());
  // Who only reads needs no second module.
  vault.connectors();
  await vault.read("x");
  const call = CALLS[name];
  if (call === undefined) throw new Error(`no call ${name}`);
  await call(vault);
}
