/** The page of the README works as it stands there. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { Chromium, POLICY, serve } from "../../js/test/browser/chromium.js";

const require = createRequire(import.meta.url);
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The first block of the README in this language. */
async function block(language: string): Promise<string> {
  const text = await readFile(path("../README.md"), "utf8");
  const code = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(text)?.[1];
  assert.ok(code !== undefined, `there is a block of ${language}`);
  return code;
}

test("the page of the README updates a connector", async (t) => {
  const { outputFiles } = await build({
    stdin: { contents: await block("js"), resolveDir: path("."), sourcefile: "main.js" },
    alias: { "connector-vault-elements": path("../src/index.ts") },
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "silent",
    write: false,
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false } },
  });
  const files = {
    "/": await block("html"),
    "/main.js": outputFiles[0]?.text ?? "",
    "/connector-vault-worker.js": await readFile(require.resolve("connector-vault/worker")),
  };
  const site = await serve(t, files, `${POLICY}; style-src 'self'`);
  const browser = await Chromium.launch(t);
  const page = await browser.open(site.origin);

  await page.getByRole("combobox", { name: "Connector" }).fill("twitter");
  await page.getByRole("option", { name: "Twitter API" }).click();
  await page.locator("update-connector-editor .cm-content").click();
  await page.keyboard.type('{"APIKey": "[Secrets:TwitterKey]", "Timeout": "30s"');
  await page.getByText("Version 1 becomes 2: 1 changed, 1 added").waitFor();
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText("twitterConnectorId is at version 2").waitFor();
  await page.getByText("Nothing would change").waitFor();
  browser.assertNoProblems();
});

test("the README names every event, part and custom property", async () => {
  const readme = await readFile(path("../README.md"), "utf8");
  const sources = [
    "theme",
    "connector-picker",
    "update-connector-editor",
    "update-plan",
    "connector-history",
  ];
  const missing: string[] = [];
  for (const source of sources) {
    const text = await readFile(path(`../src/${source}.ts`), "utf8");
    const named = [
      ...text.matchAll(/@(?:csspart|fires|slot) ([\w-]+)/g),
      ...text.matchAll(/var\((--cv-[\w-]+)/g),
      ...text.matchAll(/@cssprop \[?(--cv-[\w-]+)/g),
    ];
    for (const [, name] of named) {
      if (!readme.includes(`\`${name}\``)) missing.push(`${name} of ${source}`);
    }
  }
  assert.deepEqual(missing, []);
});
