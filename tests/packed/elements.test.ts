/** The packed components: what is in the tarball, what linters and the compiler say, and the page of the README. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { publint } from "publint";

import { Chromium, serve, Suite } from "../../bindings/js/test/browser/chromium.js";
import { Project, STRICT as STRICT_TYPES, program, type Packed } from "./project.js";
import { STRICT, viteBuild } from "./sites.js";

describe("the components", () => {
  const suite = new Suite();
  let project: Project;
  let packed: Packed;
  before(async () => {
    project = await Project.create();
    suite.after(() => project.remove());
    packed = await project.addElements();
  });
  after(suite.end);

  test("the tarball holds modules, their declarations, and nothing else", () => {
    const files = packed.files.map(({ path }) => path);
    for (const path of files) {
      assert.match(
        path,
        /^dist\/[\w/-]+\.(js|d\.ts)$|^(LICENSE-APACHE|LICENSE-MIT|README\.md|package\.json)$/,
      );
    }
    for (const entry of ["index", "connector-picker", "update-connector-editor", "update-plan"]) {
      assert.ok(files.includes(`dist/${entry}.js`) && files.includes(`dist/${entry}.d.ts`), entry);
    }
  });

  test("publint", async () => {
    const tarball = new Uint8Array(readFileSync(project.at(packed.filename))).buffer;
    const { messages } = await publint({ pack: { tarball }, strict: true });
    assert.deepEqual(messages, []);
  });

  test("the types compile in a strict project for bundlers", async () => {
    project.copy("tests/packed/consumers/elements.ts");
    const options = { module: "ESNext", moduleResolution: "bundler", lib: ["ES2022", "DOM", "DOM.Iterable"] };
    const compilerOptions = { ...STRICT_TYPES, ...options, types: [] };
    project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["elements.ts"] }));
    await project.node([program("typescript", "tsc"), "--project", "."]);
  });

  test("the page of the README, by Vite, under a strict policy", async () => {
    const readme = project.read("node_modules/connector-vault-elements/README.md");
    const [html, script] = ["html", "js"].map((language) => {
      const [, code] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(readme) ?? [];
      return code ?? assert.fail(`the README has no ${language}`);
    });
    mkdirSync(project.at("page"));
    writeFileSync(project.at("page", "index.html"), html ?? "");
    writeFileSync(project.at("page", "main.js"), script ?? "");
    const { origin } = await serve(suite, await viteBuild(project, "page"), STRICT);
    const browser = await Chromium.launch(suite);
    const page = await browser.open(origin);
    await page.getByRole("combobox", { name: "Connector" }).fill("Twitter");
    await page.getByRole("option", { name: /Twitter API/ }).click();
    // CodeMirror, which comes as a chunk of its own.
    await page.locator("update-connector-editor .cm-content").click();
    await page.keyboard.type('{"APIKey": "[Secrets:TwitterKey]"');
    await page.getByText(/Version 1 becomes 2/).waitFor();
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByText("twitterConnectorId is at version 2").waitFor();
    browser.assertNoProblems();
  });
});
