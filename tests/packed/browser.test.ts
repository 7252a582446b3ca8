/** The packed package in pages with a strict policy, brought there by each bundler: a worker does the work. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";

import type { Page } from "playwright-core";

import { Chromium, serve, type Lifetime } from "../../bindings/js/test/browser/chromium.js";
import { PASSPHRASE, Project } from "./project.js";
import { esbuildBuild, plain, STRICT, viteBuild, viteDev, webpackBuild, type Files } from "./sites.js";

declare global {
  /** Of pages/page.js. */
  function createVault(): Promise<void>;
  function updateVault(): Promise<Readonly<Record<string, string>>>;
  /** Addresses of the scripts with which workers were started, and of those that were given work. */
  var started: string[];
  var worked: string[];
}

const ENTRY = { page: "page.js", "connector-vault-worker": "connector-vault/worker" };

describe("in a browser", () => {
  const ends: (() => Promise<void> | void)[] = [];
  const lifetime: Lifetime = { after: (end) => void ends.push(end) };
  let project: Project;
  let browser: Chromium;
  const warnings: string[] = [];

  before(async () => {
    project = await Project.create();
    lifetime.after(() => project.remove());
    for (const name of ["page.js", "module.html", "classic.html"]) {
      project.copy(`tests/packed/pages/${name}`);
    }
    project.copy("tests/packed/pages/module.html", "index.html");
    mkdirSync(project.at("designer"));
    for (const name of ["index.html", "designer.css", "designer.js"]) {
      project.copy(`bindings/js/examples/designer/${name}`, `designer/${name}`);
    }
    // Chromium asks for it by itself.
    mkdirSync(project.at("public"));
    project.write("public/favicon.ico", "");
    browser = await Chromium.launch(lifetime);
    browser.context.on("console", (message) => {
      if (message.type() === "warning") warnings.push(message.text());
    });
    await browser.context.addInitScript(watchWorkers);
  });
  afterEach(async () => {
    browser.assertNoProblems();
    assert.deepEqual(warnings.splice(0), []);
    await browser.closeTabs();
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  /** Makes a vault in the page at `url`, opens it in the next one, and tells which workers helped. */
  const use = async (url: string) => {
    const page = await browser.open(url);
    await page.evaluate(() => createVault());
    const creating = await workersOf(page);
    await page.reload();
    assert.deepEqual(await page.evaluate(() => updateVault()), {
      APIKey: "new_key",
      Endpoint: "https://api.example",
    });
    const opening = await workersOf(page);
    assert.deepEqual(opening, creating);
    return creating;
  };
  const useSite = async (files: Files, policy = STRICT) => use((await serve(lifetime, files, policy)).origin);

  /** One worker was started, of a script with such a name, and did the work. */
  const assertWorker = ({ started, worked }: Workers, script: RegExp) => {
    assert.match(worked.join(), script);
    assert.deepEqual(started, worked);
  };

  test("Vite, build", async () => {
    assertWorker(await useSite(await viteBuild(project)), /^\/assets\/connector-vault-worker-[\w-]+\.js$/);
  });

  test("Vite, development server", async () => {
    assertWorker(
      await use(await viteDev(lifetime, project)),
      /^\/node_modules\/connector-vault\/dist\/connector-vault-worker\.js$/,
    );
  });

  test("webpack", async () => {
    assertWorker(await useSite(await webpackBuild(project)), /^\/\d+\.js$/);
  });

  test("esbuild with the entry point that the documentation names", async () => {
    assertWorker(
      await useSite(await esbuildBuild(project, { entryPoints: ENTRY })),
      /^\/connector-vault-worker\.js$/,
    );
  });

  test("esbuild, splitting", async () => {
    const { started, worked } = await useSite(await esbuildBuild(project, { splitting: true }));
    assert.match(worked.join(), /^\/chunk-\w+\.js$/);
    assert.deepEqual(started, ["/connector-vault-worker.js", ...worked]);
  });

  test("modules and an import map", async () => {
    const { files, policy } = plain(project, project.read("module.html"), {
      "/page.js": project.read("page.js"),
    });
    assertWorker(await useSite(files, policy), /^\/connector-vault\/connector-vault-worker\.js$/);
  });

  test("esbuild alone: without a worker's script the page itself works, and says so", async () => {
    const { started, worked } = await useSite(await esbuildBuild(project));
    assert.deepEqual([started, worked], [["/connector-vault-worker.js", "blob:"], []]);
    const warning = /^connector-vault: no worker can be started, .* see ready\(\{ worker \}\)\.$/;
    for (const found of warnings.splice(0, 2)) assert.match(found, warning);
    // The policy forbids the last try.
    browser.assertNoProblems(
      /^console: (securitypolicyviolation: worker-src blob|Creating a worker from 'blob:)/,
    );
  });

  test("esbuild alone, and a policy with blob:", async () => {
    const policy = STRICT.replace("worker-src 'self'", "worker-src 'self' blob:");
    const { started, worked } = await useSite(await esbuildBuild(project), policy);
    assert.deepEqual([started, worked], [["/connector-vault-worker.js", "blob:"], ["blob:"]]);
  });

  test("the example of a designer, by Vite", async () => {
    const { origin } = await serve(lifetime, await viteBuild(project, "designer"), STRICT);
    await design(origin);
  });

  test("the example of a designer, as modules with an import map", async () => {
    const { files, policy } = plain(project, project.read("designer/index.html"), {
      "/designer.css": project.read("designer/designer.css"),
      "/designer.js": project.read("designer/designer.js"),
    });
    await design((await serve(lifetime, files, policy)).origin);
  });

  const design = async (origin: string) => {
    const [one, other] = [await browser.open(origin), await browser.open(origin)];
    await unlock(one);
    // No value for the token yet.
    await says(one, "#status", "Secrets:NewKey");
    await one.fill("[name=token]", "new_key");
    await says(one, "#plan", /^APIKey: changed$/);
    assert.equal(await one.isVisible("#unlock"), false);

    await unlock(other);
    await other.fill("[name=name]", "Region");
    await other.fill("[name=value]", "eu");
    await says(other, "#plan", /^Region: added$/);

    await click(one, "Run");
    await says(one, "#status", /^updated: twitterConnectorId is at version 2$/);
    await says(other, "#status", /^changed in another tab$/);
    await says(other, "[name=id]", /^Twitter API \(twitterConnectorId\), version 2$/);

    await click(other, "Run");
    await says(other, "#status", /^updated: twitterConnectorId is at version 3$/);
    await says(one, "[name=id]", /version 3$/);

    await one.fill("[name=token]", "another key");
    await click(one, "Lock");
    await says(one, "#status", /^locked$/);
    assert.equal(await one.isVisible("#action"), false);
    assert.deepEqual(
      await one.evaluate(() =>
        Array.from(document.querySelectorAll("input"), ({ name, value }) => [name, value].join(" ")),
      ),
      ["passphrase ", "name APIKey", "value [Secrets:NewKey]", "token "],
    );
    assert.equal(await one.textContent("[name=id]"), "");

    await one.fill("[name=passphrase]", "not the passphrase");
    await click(one, "Open");
    await says(one, "#status", "passphrase");
    await unlock(one);
    await says(one, "[name=id]", /version 3$/);
    assert.deepEqual(await one.evaluate(() => globalThis.worked.length), 3);
  };
});

async function unlock(page: Page): Promise<void> {
  await page.fill("[name=passphrase]", PASSPHRASE);
  await click(page, "Open");
  await page.waitForSelector("#action");
}

/** Playwright's own click waits for the next frame, of which a tab in the background has one a second. */
async function click(page: Page, button: string): Promise<void> {
  await page.getByRole("button", { name: button }).dispatchEvent("click");
}

/** Waits until an element of the page has this text. */
async function says(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector, { hasText: text }).waitFor();
}

interface Workers {
  readonly started: readonly string[];
  readonly worked: readonly string[];
}

function workersOf(page: Page): Promise<Workers> {
  return page.evaluate(() => ({ started: globalThis.started, worked: globalThis.worked }));
}

/** Runs in pages before their scripts. */
function watchWorkers(): void {
  globalThis.started = [];
  globalThis.worked = [];
  globalThis.Worker = class extends Worker {
    readonly #script: string;

    constructor(script: string | URL, options?: WorkerOptions) {
      const { protocol, pathname } = new URL(script, location.href);
      const name = protocol === "blob:" ? protocol : pathname;
      globalThis.started.push(name);
      super(script, options);
      this.#script = name;
    }

    override postMessage(message: unknown, transfer: Transferable[] | StructuredSerializeOptions = []): void {
      globalThis.worked.push(this.#script);
      super.postMessage(message, transfer as Transferable[]);
    }
  };
}
