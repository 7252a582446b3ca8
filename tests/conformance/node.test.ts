/** The vectors in Node. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { vectorFiles } from "./files.js";
import { Malformed } from "./read.js";
import { spoil } from "./strictness.js";
import { accountedFor, conform, countsOf, readVector } from "./suite.js";

const files = await vectorFiles();

test("every vector holds", async () => {
  const conformance = await conform(files);
  console.log(countsOf("Node", conformance));
  assert.deepEqual(conformance.failures, []);
  assert.equal(accountedFor(conformance), Object.keys(files).length);
  for (const [folder, count] of Object.entries(conformance.ran)) assert.ok(count > 0, `nothing of ${folder}`);
});

test("a vector that its reader does not know in every part is rejected, by its name", () => {
  const { rejected, taken } = spoil(files);
  console.log(`strictness in Node: rejected ${JSON.stringify(rejected)}`);
  assert.deepEqual(taken, []);
  for (const [how, count] of Object.entries(rejected)) {
    assert.ok(count > Object.keys(files).length, `too few copies: ${how}`);
  }
});

test("a file of no known folder is rejected", () => {
  const vector: unknown = JSON.parse(files["action/add.json"] ?? "");
  for (const path of ["other/add.json", "action/more/add.json", "add.json", "action/add.txt", "action/add"]) {
    assert.throws(() => readVector(path, vector), Malformed, path);
  }
});
