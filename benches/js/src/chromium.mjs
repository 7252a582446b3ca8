/** Chromium, and a server on this machine for its pages. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { chromium } from "playwright-core";

import { fileOf } from "./files.mjs";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--js-flags=--expose-gc",
];
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript", wasm: "application/wasm" };
/** The package as it ships, a module that the page's bundle does not contain. */
const IMPORTS = {
  "connector-vault": "/files/connector-vault/dist/index.js",
  "connector-vault/slim": "/files/connector-vault/dist/slim.js",
};
const page = (...scripts) => `<!doctype html><meta charset="utf-8"><title>bench</title>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
${scripts.map((script) => `<script type="module" src="${script}"></script>`).join("\n")}`;

/**
 * A browser whose pages can ask for: `/`, which measures; `/empty`; `/files/<specifier>`, the files of
 * packages; and what is added to `served`, functions that give a content.
 */
export async function launch() {
  const executablePath = process.env.CHROMIUM || PLACES.find((path) => existsSync(path));
  if (!executablePath) throw new Error("there is no Chromium: install it, or set CHROMIUM to its path");
  const served = new Map([
    ["/", () => page("/page.js")],
    ["/empty", () => page()],
    ["/page.js", () => bundle("page.mjs")],
    ["/sodium.js", () => bundle("sodium.mjs")],
  ]);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    contentOf(served, pathname).then(
      (content) => {
        response.writeHead(200, {
          "content-type": TYPES[/\.(\w+)$/.exec(pathname)?.[1] ?? "html"] ?? "application/octet-stream",
          "cache-control": "no-store",
          // Isolated pages have a clock of 5 microseconds instead of 100.
          "cross-origin-opener-policy": "same-origin",
          "cross-origin-embedder-policy": "require-corp",
        });
        response.end(content);
      },
      (error) => response.writeHead(404).end(String(error)),
    );
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://localhost:${server.address().port}`;
  const browser = await chromium.launch({ executablePath, args: ARGS });
  return {
    version: browser.version(),
    served,
    /** Runs `work` in a new page, without a cache and in a process of its own. */
    async inPage(path, work, ...args) {
      const context = await browser.newContext();
      const page = await context.newPage();
      page.setDefaultTimeout(0);
      page.on("pageerror", (error) => console.error(error));
      await page.goto(origin + path, { waitUntil: "load" });
      try {
        return await page.evaluate(work, ...args);
      } finally {
        await context.close();
      }
    },
    async close() {
      await browser.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

async function contentOf(served, path) {
  const content = served.get(path);
  if (content) return await content();
  const file = /^\/files\/(.+)$/.exec(path)?.[1];
  if (file) return await readFile(fileOf(file));
  throw new Error(`there is no ${path}`);
}

async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    external: ["connector-vault"],
    // kdbxweb's substitutes for Node; a page has its own.
    alias: { crypto: "./src/nothing.cjs", "@xmldom/xmldom": "./src/nothing.cjs" },
    absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
    logLevel: "error",
    write: false,
  });
  return outputFiles[0].contents;
}
