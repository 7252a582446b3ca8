/** The page and the Rust program `cvault` on one file: what one writes the other reads. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";

import { Chromium, Suite, type Site } from "../../bindings/js/test/browser/chromium.js";
import { cvault } from "../../bindings/js/test/node/program.js";
import { PASSPHRASE, Visitor, withoutFileAccess } from "./journey.js";
import { servePage } from "./site.js";

/** What `cvault show` tells, as far as it is looked at. */
interface Shown {
  readonly version: number;
  readonly properties: Readonly<Record<string, string>>;
}

describe("the page and cvault", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;
  let folder: string;

  before(async () => {
    site = await servePage(suite);
    browser = await Chromium.launch(suite);
    folder = mkdtempSync(join(tmpdir(), "connector-vault-cvault-"));
    suite.after(() => rmSync(folder, { recursive: true, force: true }));
  });
  afterEach(async () => {
    await browser.closeTabs();
    browser.assertNoProblems();
  });
  after(suite.end);

  const at = (name: string) => join(folder, name);

  /** Runs the program, which remembers in the folder what it has seen. */
  const run = (args: readonly string[], variables: Readonly<Record<string, string>> = {}) =>
    cvault({ CVAULT_PASSPHRASE: PASSPHRASE, CVAULT_STATE_DIR: at("state"), ...variables }, ...args);

  const show = async (name: string) =>
    (await run(["show", at(name), "twitterConnectorId", "--reveal"])) as Shown;

  async function visit(): Promise<Visitor> {
    const page = await browser.context.newPage();
    await withoutFileAccess(page);
    await page.goto(site.origin);
    return new Visitor(page);
  }

  /** Saves what a click hands out, as the file of this name. */
  async function save({ page }: Visitor, name: string, click: () => Promise<void>): Promise<void> {
    const [download] = await Promise.all([page.waitForEvent("download"), click()]);
    writeFileSync(at(name), readFileSync(await download.path()));
  }

  test("a vault made in the page opens in cvault, which goes on with it", async () => {
    const visitor = await visit();
    await visitor.create("made here");
    await visitor.createConnector("twitterConnectorId", "Twitter API", "Twitter", [
      "APIKey",
      "from the page",
    ]);
    await visitor.page.getByRole("button", { name: /made here/ }).click();
    await save(visitor, "page.cvault", () => visitor.button("Download a copy (encrypted)").click());

    const shown = await show("page.cvault");
    assert.equal(shown.version, 1);
    assert.deepEqual(shown.properties, { APIKey: "from the page" });
    const { ok } = (await run(["verify", at("page.cvault")])) as { readonly ok: boolean };
    assert.ok(ok);
  });

  test("a vault made by cvault is opened in the page, updated there, and goes back", async () => {
    await run(["init", at("team.cvault")]);
    const names = ["--id", "twitterConnectorId", "--name", "Twitter API", "--type", "Twitter"];
    await run(["add", at("team.cvault"), ...names, "--set-env", "APIKey=KEY"], { KEY: "old_key" });

    const visitor = await visit();
    await visitor.upload("team.cvault", readFileSync(at("team.cvault")));
    await visitor.unlock();
    await visitor.show("Twitter API");
    assert.equal(await visitor.reveal("APIKey"), "old_key");
    await visitor.button("Update").last().click();
    await visitor.setRow(1, "APIKey", "new_key");
    await visitor.planned("Version 1 becomes 2");
    await visitor.run("Twitter API is at version 2.");
    await save(visitor, "team.cvault", () => visitor.button("Download the changed vault").click());

    // It has seen version 1 there, and takes this for what came of it.
    const shown = await show("team.cvault");
    assert.equal(shown.version, 2);
    assert.deepEqual(shown.properties, { APIKey: "new_key" });
    const { versions } = (await run(["history", at("team.cvault"), "twitterConnectorId"])) as {
      readonly versions: readonly { readonly op: string }[];
    };
    assert.deepEqual(
      versions.map(({ op }) => op),
      ["create", "update"],
    );
  });
});
