/** A site whose pages show components: under the strict policy, with sheets of its own site alone. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";

import {
  POLICY,
  bundle,
  serve,
  type Lifetime,
  type Served,
  type Site,
} from "../../js/test/browser/chromium.js";

const require = createRequire(import.meta.url);

/** Components need a strict policy to allow no more than this. */
const ELEMENTS_POLICY = `${POLICY}; style-src 'self'`;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>test</title>
<link rel="stylesheet" href="/page.css">
<script type="module" src="/page.js"></script>
<main><h1>Test</h1></main>`;

/** What hosts do: they choose the scheme, the components follow. */
const SHEET = `
  :root { color-scheme: light dark; background: light-dark(#ffffff, #151b23); }
  body { margin: 1rem; color: light-dark(#16202b, #e6ebf1); font: 1rem/1.5 system-ui, sans-serif; }
`;

/**
 * Serves a page that runs a TypeScript module, bundled with the components and the vault; that module adds
 * to `<main>` what it shows, and puts on `globalThis` what tests call.
 *
 * @example
 * ```ts
 * const site = await serveElements(t, new URL("./picker-page.ts", import.meta.url));
 * const browser = await Chromium.launch(t);
 * const page = await browser.open(site.origin);
 * ```
 */
export async function serveElements(
  lifetime: Lifetime,
  pageModule: URL,
  files: Readonly<Record<string, Served>> = {},
): Promise<Site> {
  const script = await bundle(pageModule, {
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false } },
    // With the builds for production, as hosts have them.
    minify: true,
    conditions: ["production"],
  });
  return await serve(
    lifetime,
    {
      "/": PAGE,
      "/page.css": SHEET,
      "/page.js": script,
      "/connector-vault-worker.js": await readFile(require.resolve("connector-vault/worker")),
      ...files,
    },
    ELEMENTS_POLICY,
  );
}

/** What axe-core finds wrong with the page as it is now: one line each. */
export async function axe(page: Page, options: RunOptions = {}): Promise<string[]> {
  // A script tag would need the policy's permission; this does not.
  await page.evaluate(await readFile(require.resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate(
    (options) =>
      (globalThis as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }).axe.run(options),
    options,
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id}: ${help}: ${target.flat().join(" ")}: ${failureSummary}`,
    ),
  );
}

/** Fails if axe-core finds anything, in light or in dark. */
export async function assertAccessible(page: Page, options?: RunOptions): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await axe(page, options), [], colorScheme);
  }
}
