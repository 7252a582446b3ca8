/** Real pages for tests: Chromium, a server on this machine with a strict policy, and bundles of TypeScript. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

import { build, type BuildOptions } from "esbuild";
import { chromium, type BrowserContext, type FileChooser, type Page } from "playwright-core";

import { holdTime } from "./held-time.js";

/**
 * How long a test waits for what must come, in milliseconds. Only what hangs takes so long: no test is about how fast
 * something is, and a machine that does much else takes its time.
 */
export const PATIENCE_MS = 120_000;

/** What pages may do unless a test says otherwise: run scripts of their own site, WebAssembly, workers. */
export const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const REPORT_VIOLATIONS =
  'addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>' +
  ' console.error("securitypolicyviolation:", violatedDirective, blockedURI)); ';

/** What things end with: a test context, or a {@link Suite}. */
export interface Lifetime {
  after(end: () => Promise<void> | void): void;
}

/** The lifetime of what a suite's `before` starts: give its `end` to `after`. */
export class Suite implements Lifetime {
  readonly #ends: (() => Promise<void> | void)[] = [];

  // In `before`, node:test's own `after` is that of the hook.
  after(end: () => Promise<void> | void): void {
    this.#ends.push(end);
  }

  readonly end = async (): Promise<void> => {
    for (const end of this.#ends.splice(0).reverse()) await end();
  };
}

/** A file of a site: its content, which by its name has a type, or with headers of its own. */
export type Served =
  | string
  | Uint8Array
  | {
      readonly body: string | Uint8Array;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** A site on this machine, on a port of its own. */
export interface Site {
  /** As `http://127.0.0.1:1234`, which browsers take for a secure context. */
  readonly origin: string;
  /** The files by their paths; what is added later is served too. */
  readonly files: Map<string, Served>;
}

/**
 * Serves files by their paths. `/` is an empty page unless it is given; add `<script type="module"
 * src="/page.js"></script>` to run something. `policy` replaces {@link POLICY}; `null` sends none.
 */
export async function serve(
  lifetime: Lifetime,
  files: Readonly<Record<string, Served>>,
  policy: string | null = POLICY,
): Promise<Site> {
  const served = new Map<string, Served>(Object.entries({ "/": pageWith(), ...files }));
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    // Chromium asks for it by itself, and a missing one is an error in the console.
    const file = path === "/favicon.ico" ? "" : served.get(path);
    if (file === undefined) return void response.writeHead(404).end(`there is no ${path}`);
    const { body, headers } =
      typeof file === "string" || file instanceof Uint8Array ? { body: file, headers: {} } : file;
    response.writeHead(200, {
      "content-type": typeOf(path),
      "cache-control": "no-store",
      ...(policy !== null && { "content-security-policy": policy }),
      ...headers,
    });
    // Nothing else of a worker's violations reaches its page.
    if (request.headers["sec-fetch-dest"] === "worker") response.write(REPORT_VIOLATIONS);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  lifetime.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, files: served };
}

/** An HTML page that runs these scripts as modules. */
export function pageWith(...scripts: readonly string[]): string {
  const tags = scripts.map((script) => `<script type="module" src="${script}"></script>`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title>${tags.join("")}`;
}

/** A TypeScript module with all that it imports as one script for browsers. */
export async function bundle(entry: URL, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    logLevel: "silent",
    ...options,
    write: false,
  });
  const [script, ...others] = outputFiles ?? [];
  if (script === undefined || others.length > 0) throw new Error(`${entry.href} is not one script`);
  return script.text;
}

/** Asks again and again, until the answer is the expected one. */
export async function until<T>(ask: () => Promise<T>, expected: T): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    const answer = await ask();
    if (isDeepStrictEqual(answer, expected)) return;
    if (Date.now() > end) assert.deepEqual(answer, expected);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/**
 * The chooser of files that `act` opens. The browser hears by one way that choosers are the test's, and of keys and
 * clicks by another: said at the same time, the key may come first, and opens a chooser that no test sees.
 */
export async function chooserOf(page: Page, act: () => Promise<void>): Promise<FileChooser> {
  const opened = page.waitForEvent("filechooser");
  // It comes by the first of the two ways, and so the browser has heard when it is answered.
  await page.evaluate(() => undefined);
  const [chooser] = await Promise.all([opened, act()]);
  return chooser;
}

/** A running browser with its profile. */
export class Chromium {
  /** Everything that went wrong in its pages and their workers, whoever caused it. */
  readonly problems: string[] = [];
  readonly #profile: string;
  #context: BrowserContext;

  private constructor(profile: string, context: BrowserContext) {
    this.#profile = profile;
    this.#context = context;
    this.#watch();
  }

  /** Starts Chromium with an empty profile; both go with the test. Fails if there is no Chromium. */
  static async launch(lifetime: Lifetime): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), "connector-vault-chromium-"));
    const removed = () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    try {
      const browser = new Chromium(profile, await start(profile));
      lifetime.after(async () => {
        await browser.#context.close();
        removed();
      });
      return browser;
    } catch (error) {
      removed();
      throw error;
    }
  }

  /** What playwright can do with all pages. */
  get context(): BrowserContext {
    return this.#context;
  }

  /** A new tab at a URL, which has run its scripts. */
  async open(url: string): Promise<Page> {
    const page = await this.#context.newPage();
    await page.goto(url, { waitUntil: "load" });
    return page;
  }

  /** Closes all tabs: those of former tests would go on. */
  async closeTabs(): Promise<void> {
    // The browser may end with its last page, so the blank one that it began with stays.
    const [, ...tabs] = this.#context.pages();
    await Promise.all(tabs.map((tab) => tab.close()));
  }

  /** Ends the browser and starts it again with the same profile: pages are gone, what is stored stays. */
  async restart(): Promise<void> {
    await this.#context.close();
    this.#context = await start(this.#profile);
    this.#watch();
  }

  /**
   * Fails if anything went wrong in a page since the last call: for the end of each test. Chromium also
   * reports answers of servers that a test is about: say which problems `expected` ones are.
   */
  assertNoProblems(expected?: RegExp): void {
    const problems = this.problems.splice(0).filter((problem) => expected?.test(problem) !== true);
    if (problems.length > 0) throw new Error(`in the pages of this test:\n${problems.join("\n")}`);
  }

  #watch(): void {
    this.#context.on("console", (message) => {
      if (message.type() === "error") this.problems.push(`console: ${message.text()}`);
    });
    this.#context.on("weberror", (error) => this.problems.push(`uncaught: ${String(error.error())}`));
    this.#context.on("page", (page) => {
      page.on("crash", () => this.problems.push(`${page.url()} crashed`));
    });
  }
}

async function start(profile: string): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: await findChromium(),
    headless: true,
    args: ARGS,
    timeout: PATIENCE_MS,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  // tsx gives functions their names through this, also those that run in a page.
  await context.addInitScript(`globalThis.__name ??= (value) => value; ${REPORT_VIOLATIONS}`);
  await context.addInitScript(holdTime);
  return context;
}

/** Where Chromium is. A test that needs it fails without: it would prove nothing. */
async function findChromium(): Promise<string> {
  const named = process.env["CHROMIUM"];
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`CHROMIUM names ${named}, which does not exist`);
  }
  const found = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  return found ?? (await fromPackage()) ?? fail();
}

/** That of the npm package `@sparticuz/chromium`, if somebody has installed it. */
async function fromPackage(): Promise<string | undefined> {
  // Not known to the compiler, since it is no dependency.
  const name: string = "@sparticuz/chromium";
  let loaded: { readonly default: { executablePath(): Promise<string> } };
  try {
    loaded = (await import(name)) as typeof loaded;
  } catch {
    return undefined;
  }
  return loaded.default.executablePath();
}

function fail(): never {
  throw new Error(
    "there is no Chromium for the tests of browsers: install the package chromium, " +
      "or `npm install --no-save @sparticuz/chromium`, or set CHROMIUM to the path of one",
  );
}

function typeOf(path: string): string {
  const ending = /\.\w+$/.exec(path)?.[0] ?? ".html";
  const types: Readonly<Record<string, string>> = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
  };
  return types[ending] ?? "application/octet-stream";
}
