/** That the package's declarations say what its module does: codes, actions, and what calls return. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Identity, MemoryStorage, ready, tokensOf, Vault, type Action } from "connector-vault";

import { errorCodes, initSync } from "../../bindings/js/pkg/vault.js";
import { CORE_CODES, STORAGE_CODES } from "../../bindings/js/src/error.js";
import { ActionVector } from "./action.js";
import { misfits, propertiesOf, type Sample } from "./declared.js";
import { vectorFiles } from "./files.js";
import { FormatVector, openingOf } from "./format.js";

await ready();
const files = await vectorFiles();

test("the codes are those of the core", () => {
  const wasm = readFileSync(new URL("../../bindings/js/pkg/vault.wasm", import.meta.url));
  initSync({ module: wasm });
  assert.deepEqual([...CORE_CODES, ...STORAGE_CODES], errorCodes());
});

test("the types take every action that succeeds", () => {
  const samples: Sample[] = [];
  for (const [path, text] of Object.entries(files)) {
    if (!/^(action|token)\//.test(path)) continue;
    const { action, expect } = ActionVector.read(JSON.parse(text), path);
    if (action === undefined || "error" in expect) continue;
    samples.push({ name: path, type: "_.Action", value: action });
  }
  assert.ok(samples.length > 0);
  assert.deepEqual([...misfits(samples)], []);
  console.log(`actions that are of the type Action: ${samples.length}`);
});

test("the types reject what is no action", () => {
  const wrong = ["document-not-an-object", "parameter-unknown", "row-field-unknown", "wrapped-expression"];
  const samples = wrong.map((name): Sample => {
    const { action } = ActionVector.read(JSON.parse(files[`action/${name}.json`] ?? ""), name);
    return { name, type: "_.Action", value: action };
  });
  assert.deepEqual([...misfits(samples).keys()], wrong);
});

test("the parser takes every parameter of the types, plain and wrapped", () => {
  const actions = ["_.UpdateAction", "_.AddAction", "_.DeleteAction"];
  const parts = ["_.PropertyRow", "_.Wrapped<string>"];
  const parameters = actions.map((action) => `${action}["Parameters"]`);
  const properties = propertiesOf(...parts, ...actions, ...parameters);
  const [row = {}, wrapper = {}] = properties;

  const rows = [Object.fromEntries(Object.keys(row).map((name) => [name, "x"]))];
  const valueOf = (name: string) =>
    name === "Properties" ? rows : name === "PropertiesJson" ? '{"a": "b"}' : "x";
  const wrap = (Value: unknown) => ({ Expression: "", Value, IsExpression: false, Parameters: {} });
  assert.deepEqual(Object.keys(wrapper).sort(), Object.keys(wrap("x")).sort());

  for (const index of actions.keys()) {
    const ActionType = properties[parts.length + index]?.["ActionType"];
    const names = Object.keys(properties[parts.length + actions.length + index] ?? {});
    assert.ok(names.length > 0);
    for (const parameter of [valueOf, (name: string) => wrap(valueOf(name))]) {
      const Parameters = Object.fromEntries(names.map((name) => [name, parameter(name)]));
      assert.deepEqual(tokensOf({ ActionType, Parameters } as unknown as Action), []);
      const more = { ActionType, Parameters: { ...Parameters, Surplus: "x" } };
      assert.throws(() => tokensOf(more as unknown as Action), { code: "unknown_parameter" });
    }
  }
});

test("what calls return has exactly the names that are declared", async () => {
  const samples: Sample[] = [];
  const returned = (type: string, value: unknown) =>
    void samples.push({ name: `${samples.length} ${type}`, type, value });

  const [identity, other] = [Identity.generate(), Identity.generate()];
  const storage = new MemoryStorage();
  const vault = await Vault.create(storage, { identity, key: new Uint8Array(32) });
  returned('Awaited<ReturnType<typeof _.Vault["keySlots"]>>', await Vault.keySlots(storage));
  returned('ReturnType<_.Vault["newPasskey"]>', vault.newPasskey());
  const copied = storage.bytes;
  const created = await vault.createConnector({ id: "x", name: "X", type: "T", properties: { A: "a" } });
  const theirs = new MemoryStorage(storage.bytes);
  const action: Action = {
    ActionType: "Connectors.Update",
    Parameters: {
      EntryId: "x",
      Properties: [
        { PropertyName: "A", PropertyValue: "[Secrets:Key=k]" },
        { PropertyName: "a", PropertyValue: "b" },
      ],
      PropertiesJson: '{"a": "c"}',
    },
  };
  returned("_.TokenInfo[]", tokensOf(action));
  const plan = await vault.plan(action, { note: "why", requestId: "r" });
  returned("_.Outcome", plan.outcome);
  returned("_.Outcome[]", [created, await vault.commit(plan)]);
  returned("_.Outcome", await vault.restore("x", 1));
  returned("_.Outcome", await vault.describe("x", { name: "Y", meta: { tags: "a b" } }));
  returned("_.Outcome", await vault.moveConnector("x", "default"));
  returned("_.Outcome[]", [await vault.deleteConnector("x"), await vault.undelete("x", { version: 2 })]);
  returned("_.Outcome", await vault.run(action));
  returned('ReturnType<_.Vault["diff"]>', vault.diff("x", 1, 2));
  returned('ReturnType<_.Vault["history"]>', vault.history("x"));
  returned('Awaited<ReturnType<_.Vault["read"]>>', await vault.read("x"));
  returned('Awaited<ReturnType<_.Vault["export"]>>', await vault.export());
  await vault.grant("rotation", "updater", { key: other.grantKey }, { until: "2027-01-31T00:00:00.000Z" });
  returned('ReturnType<_.Vault["grants"]>', vault.grants());
  returned('_.Vault["rights"]', vault.rights);
  await vault.addGroup("payments");
  await vault.grant("alone", [{ role: "viewer", group: "payments" }], { key: Identity.generate().grantKey });
  returned('ReturnType<_.Vault["groups"]>', vault.groups());
  returned("_.GroupRemovalReport", await vault.removeGroup("payments"));

  const opening = { identity, vaultId: vault.head.vaultId };
  const elsewhere = await Vault.open(theirs, opening);
  await elsewhere.run({ ...action, Parameters: { EntryId: "x", PropertiesJson: '{"a": "other"}' } });
  elsewhere.lock();
  const merge = await vault.planMerge(theirs);
  assert.notEqual(merge.conflicts.length, 0);
  returned("_.MergeReport", merge);
  returned("_.MergeReport", await vault.planMerge(copied ?? new Uint8Array()));
  returned("_.RevocationReport", await vault.revoke("rotation"));
  returned("_.Outcome", await vault.deleteConnector("x"));

  const repaired = await Vault.repair(theirs, new MemoryStorage(), opening);
  returned("_.RepairReport", repaired.report);
  repaired.vault.lock();
  vault.lock();

  // Files with all that can be noticed of them.
  for (const [path, text] of Object.entries(files)) {
    if (!path.startsWith("format/")) continue;
    const vector = FormatVector.read(JSON.parse(text), path);
    if ("error" in vector.expect || vector.unlock[0] !== "identity") continue;
    const opened = await Vault.open(new MemoryStorage(vector.file), openingOf(vector));
    returned('_.Vault["report"]', opened.report);
    returned('_.Vault["head"]', opened.head);
    returned('_.Vault["knownHead"]', opened.knownHead);
    returned('_.Vault["role"]', opened.role);
    returned('ReturnType<_.Vault["connectors"]>', opened.connectors());
    returned('ReturnType<_.Vault["list"]>', opened.list());
    returned('ReturnType<_.Vault["grants"]>', opened.grants());
    returned('Awaited<ReturnType<_.Vault["log"]>>', await opened.log());
    returned('Awaited<ReturnType<_.Vault["verify"]>>', await opened.verify());
    if (path.includes("patch-bad")) returned('ReturnType<_.Vault["badPatches"]>', opened.badPatches("x"));
    opened.lock();
  }
  assert.deepEqual([...misfits(samples)], []);
  console.log(`values of their declared types: ${samples.length}`);

  // The compiler does see a name that is not declared.
  const surplus = samples.map((sample) => ({ ...sample, value: { ...Object(sample.value), surplus: 1 } }));
  const objects = surplus.filter(({ type }) =>
    /^_\.(Outcome|MergeReport|RepairReport|Vault\["head"\])$/.test(type),
  );
  assert.equal(misfits(objects).size, objects.length);
});
