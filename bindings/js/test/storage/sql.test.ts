/** The example of a storage of one's own does what every storage has to do, on a real SQLite. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Identity, ready, Vault } from "connector-vault";
import initSqlJs from "sql.js";

import { createTable, SqlStorage, sqlite } from "../../examples/sql-storage.js";
import { contract, Log } from "./contract.js";

const SQL = await initSqlJs();

for (const { name, run } of contract) {
  test(`sql: ${name}`, async () => {
    const sql = sqlite(new SQL.Database());
    await createTable(sql);
    await run({ open: () => new SqlStorage(sql, "team") });
  });
}

test("vaults share a table, and a commit is one more row", async () => {
  const database = new SQL.Database();
  const sql = sqlite(database);
  const rows = () => database.exec("SELECT count(*) FROM vault_parts WHERE vault = 'one'")[0]?.values[0]?.[0];
  await createTable(sql);
  const one = new SqlStorage(sql, "one");
  await new SqlStorage(sql, "other").create(Log.random(2).file());
  await ready();
  const identity = Identity.generate();
  const vault = await Vault.create(one, { identity });
  await vault.createConnector({ id: "x", name: "X", type: "T", properties: { APIKey: "old_key" } });
  const before = Number(rows());
  await vault.run({
    ActionType: "Connectors.Update",
    Parameters: { EntryId: "x", PropertiesJson: '{"APIKey": "new_key"}' },
  });
  assert.equal(rows(), before + 1);
  const vaultId = vault.id;
  vault.lock();

  // The whole database as bytes, and opened again.
  const saved = new SqlStorage(sqlite(new SQL.Database(database.export())), "one");
  const again = await Vault.open(saved, { identity, vaultId });
  assert.deepEqual((await again.read("x")).properties, { APIKey: "new_key" });
  again.lock();
});
