/** A site whose pages work with vaults: the bundle of vault-page.ts, with the worker beside it. */

import { readFile } from "node:fs/promises";

import type { Page } from "playwright-core";

import { bundle, pageWith, serve, type Lifetime, type Served, type Site } from "./chromium.js";
import type { VaultPage } from "./vault-page.js";

/** Serves the page at `/`, under the strict policy. */
export async function serveVaultPage(
  lifetime: Lifetime,
  files: Readonly<Record<string, Served>> = {},
): Promise<Site> {
  const script = await bundle(new URL("./vault-page.ts", import.meta.url));
  const worker = await readFile(new URL("../../dist/connector-vault-worker.js", import.meta.url), "utf8");
  return await serve(lifetime, {
    "/": pageWith("/page.js"),
    "/page.js": script,
    "/connector-vault-worker.js": worker,
    ...files,
  });
}

/** Calls a function of the page. */
export async function ask<Name extends keyof VaultPage>(
  page: Page,
  name: Name,
  ...args: Parameters<VaultPage[Name]>
): Promise<Awaited<ReturnType<VaultPage[Name]>>> {
  type Ask = (...args: unknown[]) => unknown;
  const answer: unknown = await page.evaluate(
    ([name, args]) => (globalThis as unknown as { page: Record<string, Ask> }).page[name]?.(...args),
    [name, args] as [string, unknown[]],
  );
  return answer as Awaited<ReturnType<VaultPage[Name]>>;
}
