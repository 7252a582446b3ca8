/** Reads the sources and holds the architecture: who may import whom. To reorder the list is to change it. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";

/** A module imports only what stands before it. `pkg/` is made of the core and knows nothing of these. */
const ORDER = [
  "error",
  "utf8",
  "heads",
  "storage",
  "turns",
  // Where bytes are kept: they know no vault.
  "storage/compare",
  "storage/memory",
  "storage/database",
  "heads/entry",
  "heads/indexeddb",
  "storage/indexeddb",
  "storage/http",
  "node/json",
  "node/disk",
  "node/owner",
  "node/file-lock",
  "node/locked-file",
  "node/known-heads",
  "node/file-storage",
  // What takes long, in a thread of its own.
  "worker/job",
  "worker/serve",
  "worker/entry",
  "worker/chunk-name",
  "worker/chunk",
  "worker/browser",
  "worker/node",
  // The vault.
  "wasm",
  "action",
  "tokens",
  "identity",
  "plan",
  "options",
  "stored",
  "opening",
  "vault",
  // What is exported.
  "exports",
  "inline",
  "node/inline",
  "index",
  "slim",
  "node",
];

const SRC = new URL("../src/", import.meta.url);

function sources(): string[] {
  const entries = readdirSync(SRC, { recursive: true, encoding: "utf8" });
  return entries.filter((entry) => entry.endsWith(".ts")).map((entry) => entry.replaceAll("\\", "/"));
}

/** What a source imports: modules of its own, and others as they are named. */
function importsOf(source: string): string[] {
  const text = readFileSync(new URL(source, SRC), "utf8");
  const named = text.matchAll(
    /^(?:import|export)\b[^;]*?from "([^"]+)";|import\("([^"]+)"\)|^import "([^"]+)";/gm,
  );
  return [...named].map(([, from, dynamic, effect]) => from ?? dynamic ?? effect ?? "");
}

test("modules import along the line", () => {
  const faults: string[] = [];
  for (const source of sources()) {
    const module = source.replace(/\.ts$/, "");
    const place = ORDER.indexOf(module);
    if (place < 0) faults.push(`${source} has no place in the line`);
    for (const imported of importsOf(source)) {
      const isNode = module === "node" || module.startsWith("node/") || module === "worker/node";
      if (imported.startsWith("node:") && !isNode) faults.push(`${source} must not know ${imported}`);
      // Of each pair, one for browsers and one for Node.
      const own = { "#worker": "worker/browser", "#inline": "inline" }[imported] ?? imported;
      const path = own.startsWith(".") ? posix.join(posix.dirname(source), own) : own;
      if (/^(\.\.\/)+pkg\//.test(path) || path.startsWith("node:")) continue;
      const other = ORDER.indexOf(path.replace(/\.js$/, ""));
      if (other < 0) faults.push(`${source} imports ${imported}: the package has no dependencies`);
      else if (other >= place) faults.push(`${source} must not import ${imported}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.equal(sources().length, ORDER.length, "the line names only what is there");
});

test("sources open with what they are for", () => {
  const faults = sources().filter((source) => !readFileSync(new URL(source, SRC), "utf8").startsWith("/**"));
  assert.deepEqual(faults, []);
});
