/** Creates, updates and opens again a vault in a file: as CommonJS. */

const assert = require("node:assert/strict");

const { MemoryStorage, ready } = require("connector-vault");
const { FileStorage, Identity, Vault, VaultError } = require("connector-vault/node");

async function main() {
  await ready();
  const identity = Identity.generate();
  const vault = await Vault.create(new FileStorage("common.cvault"), { identity });
  await vault.createConnector({ id: "c", name: "C", type: "T", properties: { Key: "old" } });
  assert.equal((await vault.planDelete("c")).outcome.status, "planned");
  await vault.run(
    { ActionType: "Connectors.Update", Parameters: { EntryId: "c", PropertiesJson: '{ "Key": "new" }' } },
    { note: "rotation" },
  );
  vault.lock();
  assert.throws(() => vault.size, { code: "locked" });

  const again = await Vault.open(new FileStorage("common.cvault"), { identity });
  assert.deepEqual((await again.read("c")).properties, { Key: "new" });
  await assert.rejects(Vault.open(new MemoryStorage(), { identity }), VaultError);
  console.log("done");
}

main();
