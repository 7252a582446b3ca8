/** The packed package in Node: programs that a user would write, each of which ends by itself. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { Project } from "./project.js";

describe("in Node", () => {
  let project: Project;
  before(async () => {
    project = await Project.create();
    for (const name of readdirSync(new URL("programs", import.meta.url))) {
      project.copy(`tests/packed/programs/${name}`);
    }
  });
  after(() => project?.remove());

  test("an ES module, which shares its instance with CommonJS", async () => {
    assert.equal(await project.node(["module.mjs"]), "done\n");
    const { versions } = await project.cvault<{ readonly versions: readonly unknown[] }>([
      "history",
      "module.cvault",
      "twitterConnectorId",
    ]);
    assert.equal(versions.length, 2);
  });

  test("CommonJS", async () => {
    assert.equal(await project.node(["common.cjs"]), "done\n");
  });

  test("the module served apart", async () => {
    assert.equal(await project.node(["slim.mjs"]), "done\n");
  });

  test("what is used too early says what to do", async () => {
    assert.equal(
      await project.node(["too-early.mjs"]),
      "not_ready: the WebAssembly module is not loaded yet; await ready() first\n",
    );
  });

  test("an error that nobody catches can be read", async () => {
    // Node shows the line that it comes from, which has been one with the whole WebAssembly module in it.
    const complaint = await project.fails(["uncaught.mjs"]);
    assert.match(complaint, /^VaultError: there is no vault at .*\n    at /m);
    assert.match(complaint, /code: 'file_not_found'/);
    assert(complaint.length < 10_000, `${complaint.length} characters`);
  });
});
