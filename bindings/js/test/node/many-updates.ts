/** A process that makes many updates on one vault, and says which versions it made: for tests. */

import assert from "node:assert/strict";

import { FileKnownHeads, FileStorage, Vault } from "../../src/node.js";

const [path, state, worker, updates] = process.argv.slice(2) as [string, string, string, string];
const vault = await Vault.open(new FileStorage(path, { heads: new FileKnownHeads(state) }), {
  identity: process.env["CVAULT_IDENTITY"] ?? assert.fail("CVAULT_IDENTITY is not set"),
});
const versions: [string, number][] = [];
for (let number = 0; number < Number(updates); number++) {
  const id = `c${(Number(worker) + number) % 4}`;
  const action = {
    ActionType: "Connectors.Update",
    Parameters: { EntryId: id, Properties: [{ PropertyName: `w${worker}`, PropertyValue: number }] },
  } as const;
  const outcome = await vault.run(action, { note: `${worker}-${number}` });
  versions.push([id, outcome.versionAfter]);
}
vault.lock();
console.log(JSON.stringify(versions));
