/** Measures the npm package beside other libraries, in Node and in Chromium: `cargo xtask bench js`. */

import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { FileKnownHeads, FileStorage } from "connector-vault/node";

import { blocked } from "./src/blocked.mjs";
import { launch } from "./src/chromium.mjs";
import { designer } from "./src/designer.mjs";
import { fileOf } from "./src/files.mjs";
import { picker } from "./src/picker.mjs";
import { goals, markdown } from "./src/report.mjs";
import { sizes } from "./src/size.mjs";
import * as startup from "./src/startup.mjs";
import { suites } from "./src/suites.mjs";

const HELP = `\
Measures the npm package beside other libraries, and prints Markdown tables.

Usage: cargo xtask bench js [WHAT..] [--in node|chromium] [--connectors N,N..] [--rounds N] [--json]

  all       everything below but builds (the default)
  size      what a page loads, in bytes
  startup   from the first import to ready()
  unlock    Argon2id with 64 MiB, 3 passes, 1 lane
  open      open the store from its bytes, ready to read and update
  list      list all connectors
  update    change one property in an open store
  growth    the vault's update at every size, side by side
  blocked   how long a page is blocked by a vault of the largest size (Chromium)
  picker    how long <connector-picker> blocks its page with as many connectors (Chromium)
  designer  how long each step in the designer blocks its page with as many connectors (Chromium)
  builds    builds of the module side by side: --build FOLDER, for each that holds vault.js and vault.wasm

  --in           one of the two places; both unless told otherwise
  --connectors   sizes of the store; 1000,10000 unless told otherwise
  --rounds       how often each contender runs; 11 unless told otherwise
  --json         all times in milliseconds instead of tables
`;

const ALL = [
  "size",
  "startup",
  "unlock",
  "open",
  "list",
  "update",
  "growth",
  "blocked",
  "picker",
  "designer",
];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    in: { type: "string" },
    connectors: { type: "string", default: "1000,10000" },
    rounds: { type: "string", default: "11" },
    build: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const options = { sizes: values.connectors.split(",").map(Number), rounds: Number(values.rounds) };
const builds = values.build.map((folder) => ({ name: basename(folder), folder: resolve(folder) }));
const wanted = positionals.length === 0 || positionals.includes("all") ? ALL : positionals;
const unknown = positionals.find((what) => ![...ALL, "all", "builds", "help"].includes(what));
if (unknown !== undefined) throw new Error(`unknown argument \`${unknown}\`\n\n${HELP}`);
if (![undefined, "node", "chromium"].includes(values.in)) throw new Error("--in is node or chromium");
if (![options.rounds, ...options.sizes].every((number) => Number.isSafeInteger(number) && number > 0)) {
  throw new Error("rounds and connectors are numbers from 1 on");
}

if (values.help || wanted.includes("help")) console.log(HELP);
else await measureAll();

async function measureAll() {
  const results = {};
  if (wanted.includes("size")) results.package = await measure("The package", { size: () => [sizes()] });
  if (values.in !== "chromium") results.node = await inNode();
  if (values.in !== "node") results.chromium = await inChromium();
  if (values.json) console.log(JSON.stringify({ processor: cpus()[0]?.model, ...options, results }));
}

/** Measures what is wanted in one place, and prints it as it comes. */
async function measure(place, measurements) {
  const print = (text) => values.json || console.log(text);
  print(`### ${place}\n`);
  const tables = [];
  for (const [, run] of Object.entries(measurements).filter(([what]) => wanted.includes(what))) {
    for (const table of await run()) {
      tables.push(table);
      print(markdown(table));
    }
  }
  const reached = goals(tables);
  if (reached.rows.length > 0) print(markdown(reached));
  return { place, tables };
}

async function inNode() {
  setFlagsFromString("--expose-gc");
  globalThis.gc = runInNewContext("gc");
  const scratch = mkdtempSync(join(tmpdir(), "connector-vault-bench-"));
  const ofSuite = ([name, suite]) => [name, () => suite(hostIn(scratch), options)];
  try {
    return await measure(`Node ${process.versions.node}`, {
      startup: async () => [await startup.inNode(options.rounds)],
      ...Object.fromEntries(Object.entries(suites).map(ofSuite)),
    });
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Node as the suites know it. */
function hostIn(scratch) {
  return {
    bytes: (file) => readFile(fileOf(file)),
    durable: {
      async FileStorage(file) {
        const heads = new FileKnownHeads(join(scratch, "heads"));
        const storage = new FileStorage(join(scratch, `${randomUUID()}.cvault`), { heads });
        await storage.create(file);
        return storage;
      },
    },
    builds: () =>
      Promise.all(
        builds.map(async ({ name, folder }) => {
          const glue = await import(pathToFileURL(join(folder, "vault.js")).href);
          const first = await glue.default({ module_or_path: await readFile(join(folder, "vault.wasm")) });
          // Builds from before the module was split have no second part.
          const changes = await readFile(join(folder, "changes.wasm")).catch(() => undefined);
          if (changes !== undefined) await WebAssembly.instantiate(changes, { first });
          return { name, glue };
        }),
      ),
  };
}

async function inChromium() {
  const browser = await launch();
  browser.served.set("/builds.json", () => JSON.stringify(builds.map(({ name }) => name)));
  for (const [index, { folder }] of builds.entries()) {
    for (const file of ["vault.js", "vault.wasm", "changes.wasm"]) {
      if (!existsSync(join(folder, file))) continue;
      browser.served.set(`/builds/${index}/${file}`, () => readFile(join(folder, file)));
    }
  }
  const run = ({ name, options }) => globalThis.bench.run(name, options);
  const most = Math.max(...options.sizes);
  const ofSuite = (name) => [name, () => browser.inPage("/", run, { name, options })];
  try {
    return await measure(`Chromium ${browser.version}`, {
      startup: async () => [await startup.inChromium(browser, options.rounds)],
      ...Object.fromEntries(Object.keys(suites).map(ofSuite)),
      blocked: async () => [await blocked(browser, most, options.rounds)],
      picker: async () => [await picker(most, options.rounds)],
      designer: async () => [await designer(most, options.rounds)],
    });
  } finally {
    await browser.close();
  }
}
