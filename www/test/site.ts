/** The page as it is built, served on this machine with its headers. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "vite";

import { serve, type Lifetime, type Served, type Site } from "../../bindings/js/test/browser/chromium.js";
import { headersFor, policyFor } from "../policy.js";

const TYPES: Readonly<Record<string, string>> = {
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json",
};

const built = new Map<string, Promise<ReadonlyMap<string, Uint8Array>>>();

/**
 * Builds the page, once, and serves it: `/` is the page. What is added to `files` is served too. It may open vaults
 * of these other origins.
 */
export async function servePage(lifetime: Lifetime, origins: readonly string[] = []): Promise<Site> {
  const option = origins.join(" ");
  const building = built.get(option) ?? buildPage(option);
  built.set(option, building);
  const headers = headersFor(policyFor(origins));
  const files: Record<string, Served> = {};
  for (const [path, body] of await building) {
    const type = TYPES[extname(path)];
    const file = { body, headers: { ...headers, ...(type !== undefined && { "content-type": type }) } };
    files[path] = file;
    if (path === "/index.html") files["/"] = file;
  }
  return await serve(lifetime, files, null);
}

async function buildPage(origins: string): Promise<ReadonlyMap<string, Uint8Array>> {
  process.env["CONNECTOR_VAULT_ORIGINS"] = origins;
  const outDir = mkdtempSync(join(tmpdir(), "connector-vault-page-"));
  try {
    const root = fileURLToPath(new URL("..", import.meta.url));
    await build({ root, logLevel: "warn", build: { outDir, emptyOutDir: true } });
    const entries = readdirSync(outDir, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return new Map(
      files.map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(outDir.length), readFileSync(path)];
      }),
    );
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}
