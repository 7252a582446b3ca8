/** What a page loads, in bytes: as it is, and as servers send it. */

import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { fileOf } from "./files.mjs";

/** What a page loads until a vault that a passphrase opens is listed; slim.js holds the module of Argon2id. */
export const OPENING = "slim.js, vault.wasm and the worker";
const WORKER = "connector-vault-worker.js";
const LOADS = {
  "index.js, the module inside": ["index.js"],
  [OPENING]: ["slim.js", "vault.wasm", WORKER],
  "slim.js": ["slim.js"],
  "vault.wasm": ["vault.wasm"],
  "changes.wasm, on the first change": ["changes.wasm"],
  [`${WORKER}, on first use`]: [WORKER],
  "node.cjs, in Node": ["node.cjs"],
};

/** gzip at level 9, Brotli at 11. */
export function sizes() {
  const rows = Object.entries(LOADS).map(([what, files]) => {
    const contents = files.map((file) => readFileSync(fileOf(`connector-vault/dist/${file}`)));
    const total = (encode) => contents.reduce((sum, content) => sum + encode(content).length, 0);
    return {
      what,
      raw: total((content) => content),
      gzip: total((content) => gzipSync(content, { level: 9 })),
      brotli: total((content) => brotliCompressSync(content)),
    };
  });
  return { title: "Size in bytes", rows };
}
