/** Serves the page of test/view-page.ts under the policy of the page itself. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach } from "node:test";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";

import {
  Chromium,
  Suite,
  bundle,
  serve,
  type Lifetime,
  type Site,
} from "../../bindings/js/test/browser/chromium.js";
import { headersFor, policyFor } from "../policy.js";

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>views</title><link rel="stylesheet" href="/page.css"><main></main>
<script type="module" src="/page.js"></script>`;

async function serveViews(lifetime: Lifetime): Promise<Site> {
  const script = await bundle(new URL("view-page.ts", import.meta.url), {
    alias: { "connector-vault": "connector-vault/slim" },
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false } },
  });
  const css = readFileSync(new URL("../src/page.css", import.meta.url), "utf8");
  const headers = headersFor(policyFor([]));
  const served = Object.entries({
    "/": PAGE,
    "/page.js": script,
    "/page.css": `${css} main { max-width: 76rem; margin: 1.5rem auto; padding: 0 1rem; }`,
    "/vault.wasm": fileOf("vault.wasm"),
    "/changes.wasm": fileOf("changes.wasm"),
    "/connector-vault-worker.js": fileOf("connector-vault-worker.js"),
  }).map(([path, body]) => [path, { body, headers }] as const);
  return await serve(lifetime, Object.fromEntries(served), null);
}

function fileOf(name: string): Uint8Array {
  return readFileSync(new URL(`../../bindings/js/dist/${name}`, import.meta.url));
}

/**
 * Gives each test of a suite a tab with the page, and fails it for what went wrong there. `begin` gets the tab; the
 * browser may do what `permissions` names.
 */
export function inTabs(begin: (page: Page) => Promise<unknown>, permissions: readonly string[] = []): void {
  const lifetime = new Suite();
  let origin: string;
  let browser: Chromium;
  before(async () => {
    ({ origin } = await serveViews(lifetime));
    browser = await Chromium.launch(lifetime);
    await browser.context.grantPermissions([...permissions]);
  });
  after(lifetime.end);
  beforeEach(async () => void (await begin(await browser.open(origin))));
  afterEach(async () => {
    browser.assertNoProblems();
    await browser.closeTabs();
  });
}

const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** Fails if axe-core finds fault with the page, light or dark, on a desk or on a phone. */
export async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(AXE);
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 844 });
      const found = await page.evaluate(async () => {
        const { violations } = await (
          globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }
        ).axe.run();
        const lines = violations.flatMap(({ id, nodes }) =>
          nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
        );
        const isTooWide = document.documentElement.scrollWidth > innerWidth;
        return isTooWide ? [...lines, "the page scrolls sideways"] : lines;
      });
      assert.deepEqual(found, [], `${colorScheme}, ${width} pixels wide`);
    }
  }
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

/** All text and all values of inputs that the page holds, also in shadow trees: where a secret would be found. */
export async function everythingIn(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const parts: string[] = [];
    const visit = (root: Document | ShadowRoot) => {
      parts.push(root instanceof ShadowRoot ? root.innerHTML : root.documentElement.outerHTML);
      for (const element of root.querySelectorAll("*")) {
        if ("value" in element && typeof element.value === "string") parts.push(element.value);
        if (element.shadowRoot !== null) visit(element.shadowRoot);
      }
    };
    visit(document);
    return parts.join("\n");
  });
}
