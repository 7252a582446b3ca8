/** Reads the sources and holds the architecture: who may import whom. To reorder the list is to change it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Sources } from "./sources.js";

/** A module imports only what stands before it. `pkg/` is made of the core and knows nothing of these. */
const ORDER = [
  "error",
  // What callers may give: the shapes, and the table of all functions.
  "check",
  "heads",
  "heads/entry",
  "arguments",
  "utf8",
  "storage",
  "abort",
  "turns",
  // Where bytes are kept: they know no vault.
  "storage/compare",
  "storage/memory",
  "storage/database",
  "heads/indexeddb",
  "storage/indexeddb",
  "storage/http",
  "node/json",
  "node/disk",
  "node/owner",
  "node/names",
  "node/file-lock",
  "node/locked-file",
  "node/known-heads",
  "node/file-storage",
  // What takes long, in a thread of its own.
  "worker/argon2id",
  "worker/job",
  "worker/serve",
  "worker/entry",
  "worker/chunk-name",
  "worker/chunk",
  "worker/browser",
  "worker/node",
  // The vault.
  "inflate",
  "node/inflate",
  "wasm",
  "action",
  "tokens",
  "asking",
  "identity",
  "plan",
  "options",
  "key-slots",
  "stored",
  "opening",
  "vault",
  // What is exported.
  "exports",
  "index",
  "slim",
  "node",
];

const SOURCES = new Sources(new URL("../src/", import.meta.url));

test("modules import along the line", () => {
  const faults: string[] = [];
  for (const module of SOURCES.modules) {
    const place = ORDER.indexOf(module);
    if (place < 0) faults.push(`${module} has no place in the line`);
    const isNode = module === "node" || module.startsWith("node/") || module === "worker/node";
    for (const { path } of SOURCES.importsOf(module)) {
      if (path.startsWith("node:") && !isNode) faults.push(`${module} must not know ${path}`);
      if (/^(\.\.\/)+pkg\//.test(path) || path.startsWith("node:")) continue;
      // Of each pair, one for browsers and one for Node.
      const own = { "#worker": "worker/browser", "#inflate": "inflate" }[path] ?? path;
      const other = ORDER.indexOf(own);
      if (other < 0) faults.push(`${module} imports ${path}: the package has no dependencies`);
      else if (other >= place) faults.push(`${module} must not import ${path}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.equal(SOURCES.modules.length, ORDER.length, "the line names only what is there");
});

test("sources open with what they are for", () => {
  assert.deepEqual(SOURCES.unopened, []);
});
