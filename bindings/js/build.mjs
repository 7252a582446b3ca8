// Makes `dist` of `src` and of what `cargo xtask js` has put into `pkg`: glue and module.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { brotliCompressSync, deflateRawSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

process.chdir(import.meta.dirname);
const require = createRequire(import.meta.url);
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

const [wasm, changes] = ["vault", "changes"].map(optimized);
const hash = createHash("sha256").update(wasm).update(changes).digest("hex").slice(0, 16);
// A worker of another build is another worker: its module would not fit.
writeModule("build", "build", `connector-vault ${version} ${hash}`);
writeInline("inline", wasm);
writeInline("changes-inline", changes);
// As the compiler made it: `wasm-opt` makes Argon2id slower.
writeInline("argon2id-inline", readFileSync("pkg/argon2id_bg.wasm"));

const common = {
  bundle: true,
  minify: true,
  // Taken when esbuild was loaded, before the change of folder above.
  absWorkingDir: import.meta.dirname,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
};
// No import, no export: valid as a module worker, as a classic one, from text, and in Node.
const worker = await build({ ...common, entryPoints: ["src/worker/entry.ts"], format: "iife", write: false });
const text = worker.outputFiles[0].text.trim();
writeModule("worker-text", "text", text);

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");
writeFileSync("dist/connector-vault-worker.js", `${text}\n`);
for (const file of ["vault.wasm", "changes.wasm"]) cpSync(`pkg/${file}`, `dist/${file}`);
// The chunk stays a file of its own: the user's bundler is to split there.
const chunkApart = {
  name: "chunk-apart",
  setup: (build) =>
    build.onResolve({ filter: /\/chunk\.js$/ }, () => ({ path: "./chunk.js", external: true })),
};
const browser = { ...common, format: "esm", conditions: ["browser"], plugins: [chunkApart] };
await build({ ...browser, entryPoints: ["src/index.ts", "src/slim.ts"], outdir: "dist" });
await build({ ...common, format: "esm", entryPoints: ["src/worker/chunk.ts"], outdir: "dist" });
// One instance in Node, however it is loaded: the ESM entries take all from the CommonJS bundle.
await build({
  ...common,
  format: "cjs",
  platform: "node",
  target: "node20",
  conditions: ["node"],
  // Nobody downloads it with a page, and Node shows names and lines of it with errors that nobody catches.
  minify: false,
  lineLimit: 160,
  entryPoints: ["src/node.ts"],
  outfile: "dist/node.cjs",
});
const names = Object.keys(require("./dist/node.cjs"));
const ofFiles = ["FileKnownHeads", "FileStorage"];
writeEsm("node", names);
writeEsm(
  "index-node",
  names.filter((name) => !ofFiles.includes(name)),
);
execFileSync(process.execPath, [bin("typescript", "tsc"), "--project", "tsconfig.build.json"], {
  stdio: "inherit",
});
for (const declared of ["vault", "build", "inline", "changes-inline", "argon2id-inline", "worker-text"]) {
  cpSync(`pkg/${declared}.d.ts`, `dist/types/pkg/${declared}.d.ts`);
}
writeFileSync("dist/types/index.d.cts", 'export * from "./src/index.js";\n');
writeFileSync("dist/types/node.d.cts", 'export * from "./src/node.js";\n');
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) cpSync(`../../${licence}`, licence);
report();

/** A smaller module, made once for each that the compiler makes. */
function optimized(name) {
  const [made, wanted] = [`pkg/${name}_bg.wasm`, `pkg/${name}.wasm`];
  const flags = JSON.parse(readFileSync("package.json", "utf8")).wasmOpt;
  const key = createHash("sha256").update(readFileSync(made)).update(flags.join(" ")).digest("hex");
  try {
    if (readFileSync(`${wanted}.key`, "utf8") === key) return readFileSync(wanted);
  } catch {
    // Never optimized.
  }
  execFileSync(process.execPath, [bin("binaryen", "wasm-opt"), ...flags, made, "-o", wanted], {
    stdio: "inherit",
  });
  writeFileSync(`${wanted}.key`, key);
  return readFileSync(wanted);
}

function bin(name, command) {
  const manifest = require.resolve(`${name}/package.json`);
  return join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin[command]);
}

function writeModule(file, name, value) {
  writeFileSync(`pkg/${file}.js`, `export const ${name} = ${JSON.stringify(value)};\n`);
  writeFileSync(`pkg/${file}.d.ts`, `export declare const ${name}: string;\n`);
}

/** A module as text: deflated, since base64 of the plain module compresses badly on its way to the page. */
function writeInline(file, wasm) {
  writeModule(file, "base64", deflateRawSync(wasm, { level: 9 }).toString("base64"));
}

function writeEsm(file, exported) {
  writeFileSync(`dist/${file}.js`, `export {\n  ${exported.join(",\n  ")},\n} from "./node.cjs";\n`);
}

function report() {
  const rows = [
    "index.js",
    "slim.js",
    "vault.wasm",
    "changes.wasm",
    "connector-vault-worker.js",
    "node.cjs",
  ].map((file) => {
    const bytes = readFileSync(`dist/${file}`);
    const kb = (length) => (length / 1000).toFixed(1).padStart(8);
    return `${file.padEnd(28)}${kb(bytes.length)}${kb(gzipSync(bytes, { level: 9 }).length)}${kb(brotliCompressSync(bytes).length)}`;
  });
  console.log(["kB                               raw    gzip  brotli", ...rows].join("\n"));
}
