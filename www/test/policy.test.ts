/** The build option that permits vaults of other origins. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { originsOf, policyFor } from "../policy.js";

test("origins are separated by spaces or commas, and stand in the policy", () => {
  const origins = originsOf(" https://files.example, http://localhost:8080 ");
  assert.deepEqual(origins, ["https://files.example", "http://localhost:8080"]);
  assert.match(policyFor(origins), /connect-src 'self' https:\/\/files.example http:\/\/localhost:8080;/);
  assert.match(policyFor(originsOf("")), /connect-src 'self';/);
});

for (const option of [
  "https://files.example/folder",
  "https:",
  "*",
  "https://*.example",
  "https://files.example; x",
]) {
  test(`${option} is no origin`, () => {
    assert.throws(() => originsOf(option), /CONNECTOR_VAULT_ORIGINS/);
  });
}
