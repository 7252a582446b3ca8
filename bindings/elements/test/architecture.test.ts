/** Reads the sources and holds the architecture: who may import whom. To reorder the list is to change it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Sources } from "../../js/test/sources.js";

/** A module imports only what stands before it. */
const ORDER = [
  // What all components say, and how they look.
  "theme",
  "texts/picker",
  "texts/editor",
  "texts/plan",
  "texts/history",
  "texts",
  "problem",
  "core",
  "tokens",
  "form-field",
  // A vault in a page.
  "vault-watch",
  "connector-list",
  "virtual-rows",
  "secret-value",
  // <connector-picker>
  "picker/icons",
  "picker/sheet",
  "picker/announcer",
  "picker/popup",
  "picker/entry",
  "picker/options",
  "picker/listbox",
  "picker/keys",
  "picker/search",
  "picker/verdict",
  "picker/below",
  "connector-picker",
  // <update-connector-editor>: the action as a model, then what is seen of it.
  "editor/json",
  "editor/model",
  "editor/draft",
  "editor/dotenv",
  "editor/paste",
  "editor/check",
  "editor/problems",
  "editor/marks",
  "editor/icons",
  "editor/sheet",
  "editor/cell-completion",
  "editor/row-drag",
  "editor/grid-row",
  "editor/grid",
  "editor/codemirror-theme",
  "editor/codemirror-tokens",
  "editor/codemirror",
  "editor/json-editor",
  "update-connector-editor",
  // <update-plan>
  "plan/same",
  "plan/planning",
  "plan/changes",
  "plan/outcome",
  "plan/sheet",
  "update-plan",
  // <connector-history>
  "history/when",
  "history/version",
  "history/comparison",
  "history/values",
  "history/restoring",
  "history/sheet",
  "connector-history",
  // What is exported.
  "index",
];

/** Packages of others, and the modules that may know them. Types of `connector-vault` are for all. */
const PACKAGES: readonly (readonly [named: RegExp, modules: RegExp])[] = [
  [/^lit($|\/)/, /./],
  [/^connector-vault$/, /^core$/],
  [/^@(codemirror|lezer)\//, /^editor\/codemirror/],
  [/^papaparse$/, /^editor\/paste$/],
];

/** What is large is loaded when it is needed: only so does a page begin without it. */
const LAZY = /^papaparse$|^editor\/codemirror$/;

const SOURCES = new Sources(new URL("../src/", import.meta.url));

test("modules import along the line", () => {
  const faults: string[] = [];
  for (const module of SOURCES.modules) {
    const place = ORDER.indexOf(module);
    if (place < 0) faults.push(`${module} has no place in the line`);
    for (const { path, isOwn } of SOURCES.importsOf(module)) {
      if (!isOwn) continue;
      const other = ORDER.indexOf(path);
      if (other < 0) faults.push(`${module} imports ${path}, which is not there`);
      else if (other >= place) faults.push(`${module} must not import ${path}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.equal(SOURCES.modules.length, ORDER.length, "the line names only what is there");
});

test("each package is known where it is for", () => {
  const faults: string[] = [];
  for (const module of SOURCES.modules) {
    for (const { path, isOwn, kind } of SOURCES.importsOf(module)) {
      if (isOwn || (path === "connector-vault" && kind === "type")) continue;
      const modules = PACKAGES.find(([named]) => named.test(path))?.[1];
      if (modules?.test(module) !== true) faults.push(`${module} must not import ${path}`);
    }
  }
  assert.deepEqual(faults, []);
});

test("what is large is loaded when it is needed", () => {
  const imports = SOURCES.modules.flatMap((module) => SOURCES.importsOf(module));
  const lazy = imports.filter(({ path }) => LAZY.test(path));
  assert.ok(lazy.some(({ kind }) => kind === "dynamic"));
  assert.deepEqual(
    lazy.filter(({ kind }) => kind === "static"),
    [],
  );
});

test("sources open with what they are for", () => {
  assert.deepEqual(SOURCES.unopened, []);
});
