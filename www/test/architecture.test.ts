/** Reads the sources and holds the architecture: which part may know which. To reorder the list is to change it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Sources } from "../../bindings/js/test/sources.js";

/** The parts: modules, or folders with all that is in them. A part imports only what stands before it. */
const ORDER = [
  // What knows no element.
  "core",
  "forget",
  "clipboard",
  "idle",
  "session",
  "navigation",
  "notice",
  // Pieces of views, and where vaults are kept.
  "ui",
  "places",
  // The views: none knows another.
  "opening",
  "connectors",
  "update",
  "history",
  "grants",
  "log",
  "merge",
  "views",
  // The page around them.
  "shell",
  "app-sheet",
  "app",
  "offline",
  "main",
  // A program of its own.
  "service-worker",
];

const VIEWS = ["opening", "connectors", "update", "history", "grants", "log", "merge"];

const SOURCES = new Sources(new URL("../src/", import.meta.url));

test("parts import along the line, and no view another", () => {
  const faults: string[] = [];
  const found = new Set<string>();
  for (const module of SOURCES.modules) {
    const part = partOf(module);
    found.add(part);
    const place = ORDER.indexOf(part);
    if (place < 0) faults.push(`${module} has no place in the line`);
    for (const { path, isOwn } of SOURCES.importsOf(module)) {
      const other = partOf(path);
      if (!isOwn || other === part) continue;
      if (ORDER.indexOf(other) >= place || !ORDER.includes(other))
        faults.push(`${module} must not import ${path}`);
      if (VIEWS.includes(part) && VIEWS.includes(other))
        faults.push(`${module} must not know the view ${path}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.deepEqual([...found].sort(), [...ORDER].sort(), "the line names only what is there");
});

test("the page begins without the views that few open at once", () => {
  const early = SOURCES.importsOf("views").filter(
    ({ path, kind }) => kind === "static" && VIEWS.includes(partOf(path)),
  );
  assert.deepEqual(early, []);
});

test("sources open with what they are for", () => {
  assert.deepEqual(SOURCES.unopened, []);
});

function partOf(module: string): string {
  return module.split("/", 1)[0] ?? module;
}
