/** The example of a host page, built as its users build it, under the strict policy. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Page } from "playwright-core";

import { Chromium, POLICY, Suite, serve, type Lifetime, type Site } from "../../js/test/browser/chromium.js";
import { findInDom } from "./dom-search.js";
import { assertAccessible } from "./elements-site.js";

const EXAMPLE = fileURLToPath(new URL("../examples/workflow/", import.meta.url));

/** What the connectors of the sample hold, and what the runs bring. */
const SECRETS = ["old_key", "old_secret", "new_secret", "key_"];

describe("the example: a workflow designer", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    site = await serveExample(suite);
    browser = await Chromium.launch(suite);
  });
  afterEach(async () => {
    await browser.closeTabs();
    browser.assertNoProblems();
  });
  after(suite.end);

  const run = (page: Page): Promise<void> => page.getByRole("button", { name: "Run workflow" }).click();

  test("a workflow updates the connector that its next node uses", async () => {
    const page = await browser.open(site.origin);
    await page.getByRole("button", { name: "Try it without" }).click();
    await page.getByText("Version 1 becomes 2: 2 changed, 1 added").waitFor();
    await assertAccessible(page);

    await run(page);
    const log = page.getByRole("log");
    await log.getByText("update twitterConnectorId updated, version 2:").waitFor();
    await log.getByText("signed by Twitter API at version 2").waitFor();
    await page.getByText("Version 2 becomes 3: 1 changed, 2 unchanged").waitFor();

    await page.getByText("The workflow as it is saved").click();
    const saved = await page.locator("pre").innerText();
    assert.ok(saved.includes("[Secrets:NewKey]") && saved.includes("[Trigger:Body.key]"));
    assert.deepEqual(await findInDom(page, SECRETS), [], "no secret is in the workflow or the page");
  });

  test("the action is edited in the panel, and its plan follows", async () => {
    const page = await browser.open(site.origin);
    await page.getByRole("button", { name: "Try it without" }).click();
    await page.getByText("Version 1 becomes 2: 2 changed, 1 added").waitFor();
    const json = page.locator("update-connector-editor .cm-content");
    await json.click();
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Backspace");
    await page.keyboard.type('{"APIKey": "[Secrets:NewKey]"');
    await page.getByText("Version 1 becomes 2: 2 changed", { exact: true }).waitFor();
    await page.getByText("overrides the grid", { exact: true }).first().waitFor();
    assert.equal(await page.locator(".react-flow__node").count(), 3, "what is deleted in a field is no node");

    await page.locator(".react-flow__node", { hasText: "Call API" }).click();
    await page.getByRole("combobox", { name: "Signed by" }).waitFor();
    await run(page);
    await page.getByRole("log").getByText("APIKey changed, APISecret changed").waitFor();
  });

  test("a vault of this browser is there again with its passphrase", async () => {
    const page = await browser.open(site.origin);
    const open = async (passphrase: string): Promise<void> => {
      await page.getByLabel("Passphrase").fill(passphrase);
      await page.getByRole("button", { name: "Open or create" }).click();
    };
    await open("correct horse");
    await page.getByText("Version 1 becomes 2").waitFor();
    await run(page);
    await page.getByText("Version 2 becomes 3").waitFor();
    await page.getByRole("button", { name: "Lock" }).click();
    assert.deepEqual(await findInDom(page, [...SECRETS, "twitterConnectorId"]), []);
    await open("wrong");
    await page.getByRole("status").getByText("passphrase").waitFor();
    await open("correct horse");
    await page.getByText("Version 2 becomes 3").waitFor();
  });
});

/** Builds it into a temporary folder, and serves what is there. */
async function serveExample(lifetime: Lifetime): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "connector-vault-example-"));
  lifetime.after(() => rm(folder, { recursive: true, force: true }));
  const manifest = createRequire(join(EXAMPLE, "package.json")).resolve("vite/package.json");
  const vite = join(dirname(manifest), "bin/vite.js");
  const args = [vite, "build", "--outDir", folder, "--logLevel", "error"];
  await promisify(execFile)(process.execPath, args, { cwd: EXAMPLE });
  const files: Record<string, Uint8Array> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).replaceAll("\\", "/");
    files[name === "index.html" ? "/" : `/${name}`] = await readFile(path);
  }
  return await serve(lifetime, files, `${POLICY}; style-src 'self'`);
}
